//! Unit values: what an hour, a kilometre, a tonne is worth, with source, year, currency and unit. The shipped ones are in
//! `assets/appraisal/values.toml`; a file of the user replaces those that it names.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Error, Problem, Problems, Result};

const SHIPPED: &str = include_str!("../../../../assets/appraisal/values.toml");
const SHIPPED_PATH: &str = "assets/appraisal/values.toml";

/// What is valued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// An hour to or from work.
    TimeCommute,
    /// An hour for any other purpose.
    TimeOther,
    /// An hour of who brings goods.
    TimeDelivery,
    /// A kilometre by car.
    DistanceCar,
    /// A kilometre by van.
    DistanceVan,
    /// A kilometre by motor two-wheeler.
    DistanceTwoWheeler,
    /// A tonne of carbon dioxide.
    Carbon,
    /// A kilogram of nitrogen oxides.
    NitrogenOxides,
    /// A kilogram of particles.
    Particles,
    /// Accidents of a vehicle-kilometre.
    Accidents,
    /// Days of a year that are like the simulated one.
    DaysPerYear,
    /// Years that are looked at.
    Years,
    /// Discount rate of a year.
    DiscountRate,
    /// Growth of benefits and revenues in a year.
    Growth,
    /// What policies cost over what scenarios say.
    CostFactor,
}

urbis_core::named!(Name {
    TimeCommute = "time_commute",
    TimeOther = "time_other",
    TimeDelivery = "time_delivery",
    DistanceCar = "distance_car",
    DistanceVan = "distance_van",
    DistanceTwoWheeler = "distance_two_wheeler",
    Carbon = "carbon",
    NitrogenOxides = "nitrogen_oxides",
    Particles = "particles",
    Accidents = "accidents",
    DaysPerYear = "days_per_year",
    Years = "years",
    DiscountRate = "discount_rate",
    Growth = "growth",
    CostFactor = "cost_factor",
});

/// A value with where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitValue {
    /// What it is worth.
    pub value: f64,
    /// Lower figure of the sensitivity analysis.
    pub low: f64,
    /// Higher figure.
    pub high: f64,
    /// Unit.
    pub unit: String,
    /// Currency, ISO 4217; empty for what is no money.
    pub currency: String,
    /// Year of the prices.
    pub year: u32,
    /// Who says so.
    pub source: String,
    /// sourced, recalled or estimate.
    pub quality: String,
}

/// All unit values.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// In the order of [`Name::NAMED`].
    entries: Vec<UnitValue>,
}

impl Values {
    /// A unit with the currency in it.
    #[must_use]
    pub fn unit(&self, unit: &str) -> String {
        unit.replace("money", self.currency())
    }
    /// The shipped values.
    ///
    /// # Errors
    /// [`Error::Input`] when the shipped file is broken, which a test rules out.
    pub fn shipped() -> Result<Self> {
        let path = Path::new(SHIPPED_PATH);
        let mut found = parse(path, SHIPPED)?;
        let mut problems = Problems::new();
        let mut entries = Vec::new();
        for (_, name) in Name::NAMED {
            match found.remove(name) {
                Some(entry) => entries.push(entry),
                None => problems.push(Problem::file(path, format!("value {name} is missing"))),
            }
        }
        problems.or_else(Self { entries })?.checked(path)
    }

    /// The shipped values, those replaced that a file names.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Input`] naming the key of an unknown value, one out of range, or a second currency.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::read(path, source))?;
        let mut values = Self::shipped()?;
        let mut problems = Problems::new();
        for (key, entry) in parse(path, &text)? {
            match Name::from_name(&key) {
                Some(name) => values.entries[name as usize] = entry,
                None => {
                    let known = Name::NAMED.map(|(_, name)| name);
                    let guess = did_you_mean(&key, known).map(|n| format!("did you mean `{n}`? ")).unwrap_or_default();
                    let help = format!("{guess}values are {}", known.join(", "));
                    problems.push(Problem::file(path, format!("unknown value `{key}`")).with_help(help));
                }
            }
        }
        problems.or_else(())?;
        values.checked(path)
    }

    fn checked(self, path: &Path) -> Result<Self> {
        let mut problems = Problems::new();
        let mut currency: Option<(&str, &str)> = None;
        for ((name, key), entry) in Name::NAMED.into_iter().zip(&self.entries) {
            let (least, most) = match name {
                Name::DiscountRate => (0.0, 1.0),
                Name::Growth => (-0.5, 0.5),
                Name::DaysPerYear => (1.0, 366.0),
                Name::Years => (1.0, 200.0),
                _ => (0.0, 1e9),
            };
            let is_ordered = entry.low <= entry.value && entry.value <= entry.high;
            for (field, value) in [("low", entry.low), ("value", entry.value), ("high", entry.high)] {
                if !(least..=most).contains(&value) {
                    let what = format!("{key}.{field} = {value}, expected {least} to {most} {}", entry.unit);
                    problems.push(Problem::file(path, what));
                }
            }
            if !is_ordered {
                let what = format!("{key}: low {}, value {}, high {}", entry.low, entry.value, entry.high);
                problems.push(Problem::file(path, what).with_help("expected them in this order"));
            }
            if entry.source.is_empty() {
                let problem = Problem::file(path, format!("{key}.source is empty"));
                problems.push(problem.with_help("say where the figure comes from"));
            }
            match currency {
                Some((first, other)) if !entry.currency.is_empty() && entry.currency != other => {
                    let what = format!("{key}.currency = {}, but {first} is in {other}", entry.currency);
                    problems.push(Problem::file(path, what).with_help("give all values in the scenario's currency"));
                }
                None if !entry.currency.is_empty() => currency = Some((key, &entry.currency)),
                _ => {}
            }
        }
        problems.or_else(())?;
        Ok(self)
    }

    /// A value.
    #[must_use]
    pub fn get(&self, name: Name) -> f64 {
        self.entries[name as usize].value
    }

    /// The same values but for one.
    #[must_use]
    pub fn with(&self, name: Name, value: f64) -> Self {
        let mut values = self.clone();
        values.entries[name as usize].value = value;
        values
    }

    /// Currency of all that is money.
    #[must_use]
    pub fn currency(&self) -> &str {
        self.entries.iter().map(|entry| entry.currency.as_str()).find(|c| !c.is_empty()).unwrap_or_default()
    }

    /// Every value with its name.
    pub fn all(&self) -> impl Iterator<Item = (Name, &'static str, &UnitValue)> {
        Name::NAMED.into_iter().zip(&self.entries).map(|((name, key), entry)| (name, key, entry))
    }
}

fn parse(path: &Path, text: &str) -> Result<BTreeMap<String, UnitValue>> {
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        Problem::span(path, text, span, error.message(), "here").into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("values.toml");
        std::fs::write(&path, text).unwrap();
        let Err(Error::Input(problems)) = Values::read(&path) else { panic!("accepted") };
        let told = |p: &Problem| format!("{p} ({})", p.help_text().unwrap_or_default());
        problems.listed().iter().map(told).collect::<Vec<_>>().join("\n")
    }

    fn carbon(value: &str, currency: &str) -> String {
        format!(
            "[carbon]\nvalue = {value}\nlow = 1.0\nhigh = 300.0\nunit = \"EUR/t\"\ncurrency = \"{currency}\"\nyear = 2020\n\
             source = \"law\"\nquality = \"sourced\"\n"
        )
    }

    #[test]
    fn shipped_values_say_where_they_come_from_and_single_ones_are_replaced() {
        let shipped = Values::shipped().unwrap();
        assert_eq!(shipped.currency(), "EUR");
        assert!(shipped.all().all(|(_, _, entry)| !entry.unit.is_empty() && entry.year > 1990));
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("values.toml");
        std::fs::write(&path, carbon("200.0", "EUR")).unwrap();
        let values = Values::read(&path).unwrap();
        assert!((values.get(Name::Carbon) - 200.0).abs() < 1e-12);
        assert!((values.get(Name::TimeCommute) - shipped.get(Name::TimeCommute)).abs() < 1e-12);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_key() {
        assert!(refused("[carbn]\n").contains("line 1"));
        let text = refused(&carbon("200.0", "EUR").replace("carbon", "carbn"));
        assert!(text.contains("unknown value `carbn`") && text.contains("did you mean `carbon`?"), "{text}");
        assert!(refused(&carbon("400.0", "EUR")).contains("carbon: low 1, value 400, high 300"));
        assert!(refused(&carbon("-4.0", "EUR")).contains("carbon.value = -4, expected 0 to"));
        assert!(refused(&carbon("200.0", "CLP")).contains("carbon.currency = CLP, but time_commute is in EUR"));
        assert!(refused(&carbon("200.0", "EUR").replace("law", "")).contains("carbon.source is empty"));
    }
}
