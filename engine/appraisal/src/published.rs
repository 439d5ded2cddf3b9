//! Simulated figures beside published ones. A figure of the run names the panel indicator that stands
//! for the same thing and the factor between the two (a year's GWh to a day's MWh, say); the latest
//! published figure is taken, with its source, its period and its quality.
//!
//! Ignores uncertainty of either side; says only how far apart they are. Contract: a pure function,
//! rows in the order of the figures.

use urbis_city::model::{City, PanelRow};
use urbis_output::Kpi;

/// A figure counted in a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// Subject: traffic, people, power ...
    pub group: String,
    /// What it is.
    pub indicator: String,
    /// Zone, or the city's name for the whole.
    pub zone_id: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// Whether it belongs on the first page.
    pub headline: bool,
    /// What it is to be compared with.
    pub against: Option<Against>,
}

/// The published figure for the same thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Against {
    /// Zone in the panel, or the city's name, or several joined by `+`.
    pub zone_id: String,
    /// Indicator in the panel.
    pub indicator: String,
    /// Published figure in the unit of the simulated one = panel value times this.
    pub factor: f64,
}

/// The published figure in the unit of the simulated one, with its panel row; `None` where the panel
/// has none or it is not finite.
#[must_use]
pub fn published_figure<'a>(city: &'a City, against: &Against) -> Option<(f64, &'a PanelRow)> {
    let row = city.panel_latest(&against.zone_id, &against.indicator)?;
    let value = row.value * against.factor;
    value.is_finite().then_some((value, row))
}

/// One row of table `kpis` per figure.
#[must_use]
pub fn compare(city: &City, figures: &[Figure]) -> Vec<Kpi> {
    let kpi = |figure: &Figure| {
        let published = figure.against.as_ref().and_then(|against| published_figure(city, against));
        let source = |row: &PanelRow| match row.period.as_str() {
            "" => row.source.clone(),
            period => format!("{}, {period}", row.source),
        };
        Kpi {
            group: figure.group.clone(),
            indicator: figure.indicator.clone(),
            zone_id: figure.zone_id.clone(),
            value: figure.value,
            unit: figure.unit.clone(),
            published: published.map(|(value, _)| value),
            source: published.map(|(_, row)| source(row)).unwrap_or_default(),
            quality: published.map(|(_, row)| row.quality.name().to_owned()).unwrap_or_default(),
            headline: figure.headline,
        }
    };
    figures.iter().map(kpi).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_city::model::Quality;

    #[test]
    fn the_latest_figure_in_the_same_unit() {
        let row = |period: &str, value| PanelRow {
            zone_id: "city".into(),
            period: period.into(),
            indicator: "electricity_gwh".into(),
            value,
            unit: "GWh/yr".into(),
            source: "utility".into(),
            quality: Quality::Sourced,
        };
        let city = City { panel: vec![row("2023", 730.0), row("2024", 365.0)], ..City::default() };
        let figure = |indicator: &str| Figure {
            value: 1100.0,
            unit: "MWh".into(),
            against: Some(Against { zone_id: "city".into(), indicator: indicator.into(), factor: 1000.0 / 365.0 }),
            ..Figure::default()
        };
        let kpis = compare(&city, &[figure("electricity_gwh"), figure("water_m3"), Figure::default()]);
        assert!((kpis[0].published.unwrap() - 1000.0).abs() < 1e-9);
        assert!((kpis[0].deviation_percent().unwrap() - 10.0).abs() < 1e-9);
        assert_eq!((kpis[0].source.as_str(), kpis[0].quality.as_str()), ("utility, 2024", "sourced"));
        assert_eq!((kpis[1].published, kpis[1].source.as_str()), (None, ""));
        assert_eq!(kpis[2].published, None);
    }
}
