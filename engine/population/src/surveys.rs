//! Published figures of travel surveys by country, to hold a run against where its city has none of its own:
//! `assets/population/surveys.csv`, each with source and quality. Nothing is fitted to them.

const TABLE: &str = include_str!("../../../assets/population/surveys.csv");

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct SurveyFigure {
    /// Two-letter code of the country.
    pub country: String,
    /// What it is, in the words of table `kpis`.
    pub indicator: String,
    /// Figure.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// Who published it.
    pub source: String,
    /// How far to trust it.
    pub quality: String,
}

/// The figures of a country; none where it is not known.
#[must_use]
pub fn of_country(country: &str) -> Vec<SurveyFigure> {
    all().into_iter().filter(|figure| figure.country == country).collect()
}

/// The figures of all countries.
#[must_use]
pub fn all() -> Vec<SurveyFigure> {
    let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
    let figure = |row: csv::StringRecord| {
        let text = |column: usize| row.get(column).unwrap_or_default().to_owned();
        let value = text(2).parse().ok()?;
        Some(SurveyFigure {
            country: text(0),
            indicator: text(1),
            value,
            unit: text(3),
            source: text(4),
            quality: text(5),
        })
    };
    reader.records().flatten().filter_map(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let figures = all();
        assert_eq!(figures.len(), TABLE.lines().count() - 1);
        for figure in &figures {
            assert!(figure.value > 0.0 && !figure.source.is_empty(), "{figure:?}");
            assert!(["sourced", "recalled"].contains(&figure.quality.as_str()), "{figure:?}");
            let same = |other: &&SurveyFigure| other.country == figure.country && other.indicator == figure.indicator;
            assert_eq!(figures.iter().filter(same).count(), 1, "{figure:?}");
        }
        assert!(!of_country("CL").is_empty());
        assert!(of_country("generic").is_empty());
    }
}
