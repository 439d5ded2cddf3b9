//! Households where no sample is given: small tables by country in `assets/population`, compiled in, each row with
//! source and quality. They say how many households have how many persons, who lives together, how many cars they
//! have, and how persons of an age differ. A country that a table does not name takes the rows of `generic`.
//!
//! Ignores differences between the regions of a country. Contract: pure, deterministic.

use crate::settings::AGE_CLASSES;
use std::path::Path;
use urbis_city::table::Table;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Problem, Problems, Result};

/// The country whose rows stand in for all others.
pub const GENERIC: &str = "generic";

const SIZES: &str = include_str!("../../../../assets/population/sizes.csv");
const COMPOSITIONS: &str = include_str!("../../../../assets/population/compositions.csv");
const CARS: &str = include_str!("../../../../assets/population/cars.csv");
const PERSONS: &str = include_str!("../../../../assets/population/persons.csv");
const INCOME: &str = include_str!("../../../../assets/population/income.csv");

/// How persons of an age class differ.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AgeTraits {
    /// Share of women, 0 to 1.
    pub female: f64,
    /// Relative weight of having a job: women, men.
    pub employed: [f64; 2],
    /// Share with a driving licence, 0 to 1.
    pub licence: f64,
    /// Share who study though of age, 0 to 1.
    pub student: f64,
    /// Share with a public transport pass, 0 to 1.
    pub transit_pass: f64,
}

/// Households and persons of a country.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Country {
    /// Kinds of households: age classes of the members, adults first, and weight; weights add up to 1.
    pub compositions: Vec<(Vec<u8>, f64)>,
    /// Share of households by number of persons, 1 to 5 and 6 or more.
    pub sizes: [f64; 6],
    /// Share of households with 0, 1, 2, 3 or more cars, by adults 1, 2, 3, 4 or more.
    pub cars: [[f64; 4]; 4],
    /// By age class.
    pub ages: [AgeTraits; AGE_CLASSES.len()],
    /// Currency of incomes, ISO 4217.
    pub currency: String,
    /// Mean gross income of a household, currency a year.
    pub income_mean: f64,
    /// Standard deviation of the logarithm of incomes.
    pub income_sigma: f64,
}

impl Country {
    /// The tables of a country.
    ///
    /// # Errors
    /// When no table names the country.
    pub fn named(name: &str) -> Result<Self> {
        let tables = Tables::read()?;
        let known = tables.countries();
        if !known.iter().any(|other| other == name) {
            let help = match did_you_mean(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}; `generic` holds for any", known.join(", ")),
            };
            let place = Path::new("population.synthesis.country");
            return Err(Problem::file(place, format!("no default households of `{name}`")).with_help(help).into());
        }
        let mut problems = Problems::new();
        let country = tables.country(name, &mut problems);
        problems.or_else(country)
    }

    /// Mean number of persons in households of six and more.
    #[must_use]
    pub fn mean_of_six_and_more(&self) -> f64 {
        let large = || self.compositions.iter().filter(|(members, _)| members.len() >= 6);
        let weight: f64 = large().map(|(_, weight)| weight).sum();
        let persons: f64 = large().map(|(members, weight)| members.len() as f64 * weight).sum();
        if weight > 0.0 { persons / weight } else { 6.0 }
    }

    /// Share of households with more than 0, 1, 2 cars by adults (1 to 4 or more), with the odds of each multiplied by
    /// `odds`: infinite odds give everybody every car.
    #[must_use]
    pub fn cars_above(&self, adults: usize, odds: f64) -> [f64; 3] {
        let shares = &self.cars[adults.clamp(1, 4) - 1];
        let mut above = [0.0; 3];
        let mut left = 1.0;
        for (level, above) in above.iter_mut().enumerate() {
            left -= shares[level];
            let share = left.clamp(1e-9, 1.0 - 1e-9);
            *above = share * odds / (1.0 - share + share * odds);
        }
        above
    }
}

/// The compiled-in tables.
struct Tables {
    sizes: Table,
    compositions: Table,
    cars: Table,
    persons: Table,
    income: Table,
}

impl Tables {
    fn read() -> Result<Self> {
        let table =
            |name: &str, text: &str| Table::from_bytes(&Path::new("assets/population").join(name), text.as_bytes());
        Ok(Self {
            sizes: table("sizes.csv", SIZES)?,
            compositions: table("compositions.csv", COMPOSITIONS)?,
            cars: table("cars.csv", CARS)?,
            persons: table("persons.csv", PERSONS)?,
            income: table("income.csv", INCOME)?,
        })
    }

    fn countries(&self) -> Vec<String> {
        let mut names = Vec::new();
        for table in [&self.sizes, &self.compositions, &self.cars, &self.persons, &self.income] {
            if let Some(column) = table.optional("country") {
                names.extend(table.rows().map(|row| row.text(column).to_owned()));
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    fn country(&self, name: &str, problems: &mut Problems) -> Country {
        let mut country = Country::default();
        for [size, percent] in numbers(&self.sizes, name, ["persons", "percent"], problems) {
            country.sizes[(size as usize).clamp(1, 6) - 1] = percent;
        }
        normalise(&mut country.sizes);
        for [adults, c0, c1, c2, c3] in
            numbers(&self.cars, name, ["adults", "cars_0", "cars_1", "cars_2", "cars_3_plus"], problems)
        {
            let row = &mut country.cars[(adults as usize).clamp(1, 4) - 1];
            *row = [c0, c1, c2, c3];
            normalise(row);
        }
        let columns = [
            "from_age",
            "female_percent",
            "employed_weight_female",
            "employed_weight_male",
            "licence_percent",
            "student_percent",
            "transit_pass_percent",
        ];
        for [age, female, women, men, licence, student, pass] in numbers(&self.persons, name, columns, problems) {
            country.ages[usize::from(age_class(age as u8))] = AgeTraits {
                female: female / 100.0,
                employed: [women, men],
                licence: licence / 100.0,
                student: student / 100.0,
                transit_pass: pass / 100.0,
            };
        }
        for [mean, sigma] in numbers(&self.income, name, ["mean_per_year", "sigma"], problems) {
            (country.income_mean, country.income_sigma) = (mean, sigma);
        }
        country.currency = texts(&self.income, name, "currency", problems).pop().unwrap_or_default();
        let members = texts(&self.compositions, name, "members", problems);
        let percents = numbers(&self.compositions, name, ["percent_of_size"], problems);
        for (members, [percent]) in members.iter().zip(percents) {
            let mut classes: Vec<u8> =
                members.split_whitespace().filter_map(|age| age.parse().ok()).map(age_class).collect();
            classes.sort_by_key(|&class| class == 0);
            country.compositions.push((classes, percent));
        }
        let mut of_size = [0.0; 6];
        for (members, percent) in &country.compositions {
            of_size[members.len().clamp(1, 6) - 1] += percent;
        }
        for (members, weight) in &mut country.compositions {
            let size = members.len().clamp(1, 6) - 1;
            *weight *= country.sizes[size] / of_size[size].max(1e-12);
        }
        country
    }
}

fn normalise(shares: &mut [f64]) {
    let sum: f64 = shares.iter().sum();
    if sum > 0.0 {
        shares.iter_mut().for_each(|share| *share /= sum);
    }
}

/// The rows of a country, or those of `generic` where it has none.
fn rows_of<T>(table: &Table, country: &str, mut of: impl FnMut(&urbis_city::table::Row<'_>) -> Option<T>) -> Vec<T> {
    let Some(column) = table.optional("country") else { return Vec::new() };
    let name = if table.rows().any(|row| row.text(column) == country) { country } else { GENERIC };
    table.rows().filter(|row| row.text(column) == name).filter_map(|row| of(&row)).collect()
}

fn numbers<const N: usize>(table: &Table, country: &str, names: [&str; N], problems: &mut Problems) -> Vec<[f64; N]> {
    let Some(columns) = table.required_all(names, problems) else { return Vec::new() };
    rows_of(table, country, |row| {
        let values = columns.map(|column| row.finite(column, problems));
        values.iter().all(Option::is_some).then(|| values.map(Option::unwrap_or_default))
    })
}

fn texts(table: &Table, country: &str, name: &str, problems: &mut Problems) -> Vec<String> {
    let Some(column) = table.required(name, problems) else { return Vec::new() };
    rows_of(table, country, |row| row.required_text(column, problems).map(str::to_owned))
}

/// The age class of an age in years, a row of [`AGE_CLASSES`].
#[must_use]
pub fn age_class(age_years: u8) -> u8 {
    AGE_CLASSES.iter().rposition(|(_, from)| age_years >= *from).unwrap_or(0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_is_whole() {
        for name in Tables::read().unwrap().countries() {
            let country = Country::named(&name).unwrap();
            assert!((country.compositions.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(country.compositions.iter().all(|(members, _)| members[0] > 0 && members.len() < 8), "{name}");
            assert!(country.cars.iter().all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-9), "{name}");
            assert!(country.ages[2].employed[1] > 0.0 && country.income_mean > 0.0 && country.currency.len() == 3);
            let mean: f64 = country.compositions.iter().map(|(members, weight)| members.len() as f64 * weight).sum();
            assert!((2.0..3.3).contains(&mean), "{name}: {mean} persons in a household");
        }
        let chile = Country::named("CL").unwrap();
        let mean: f64 = chile.compositions.iter().map(|(members, weight)| members.len() as f64 * weight).sum();
        assert!((mean - 3.1).abs() < 0.05, "{mean}");
        let error = Country::named("CLL").unwrap_err();
        let urbis_core::Error::Input(problems) = error else { panic!("{error}") };
        assert!(problems.listed()[0].to_string().contains("`CLL`"));
    }

    #[test]
    fn cars_follow_odds() {
        let country = Country::named(GENERIC).unwrap();
        assert!((country.cars_above(1, 1.0)[0] - 0.58).abs() < 1e-9);
        assert!(country.cars_above(2, 3.0)[1] > country.cars_above(2, 1.0)[1]);
        assert_eq!([0, 17, 18, 64, 80, 120].map(age_class), [0, 0, 1, 3, 5, 5]);
    }
}
