//! What all indicators of a run stand on: its scenario, its figures, who lives where, who people are, and figures that no
//! run has.

use super::sheet::Sheet;
use crate::read::{RunInfo, RunResults};
use arrow::array::Array;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::model::PanelRow;
use urbis_city::panel::{self, Places};
use urbis_core::{Problem, Result};
use urbis_output::{Kpi, Table};

/// Figures that no run has: beds, emission factors and the like, as the user gives them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    rows: Vec<PanelRow>,
}

/// Names and units of the figures that a check-up can use.
pub const FIGURE_NAMES: [(&str, &str); 9] = [
    ("hospital_beds", "beds of all hospitals"),
    ("municipal_waste", "kg/person/day"),
    ("electricity_emission_factor", "kg CO2e/kWh"),
    ("gas_emission_factor", "kg CO2e/kg"),
    ("gas_capacity", "kg/h"),
    ("shelter_area", "m2"),
    ("green_area", "ha"),
    ("road_deaths_motorway", "deaths per 1e9 vehicle km on motorways"),
    ("road_deaths_other_roads", "deaths per 1e9 vehicle km on other roads"),
];

impl Figures {
    /// Reads a panel (`zone_id, period, indicator, value, unit, source, quality`) of a city and its zones. Names that no
    /// check-up uses are left alone, so that a city's own panel may be named.
    ///
    /// # Errors
    /// When the file is no panel of these places, has no figure that is used, or a negative one.
    pub(crate) fn read(path: &Path, places: Places<'_>) -> Result<Self> {
        let mut rows = panel::read(path, places)?;
        rows.retain(|row| FIGURE_NAMES.iter().any(|(name, _)| *name == row.indicator));
        if let Some(row) = rows.iter().find(|row| row.value < 0.0) {
            let what = format!("{} of {} = {}, expected at least 0", row.indicator, row.zone_id, row.value);
            return Err(Problem::file(path, what).into());
        }
        if rows.is_empty() {
            let known: Vec<&str> = FIGURE_NAMES.iter().map(|(name, _)| *name).collect();
            let problem = Problem::file(path, "no figure that a check-up uses");
            return Err(problem.with_help(format!("indicators it knows: {}", known.join(", "))).into());
        }
        Ok(Self { rows })
    }
}

/// A person, as far as groups go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    pub(crate) home_zone: String,
    pub(crate) home_building: Option<String>,
    /// Income of the household for each member, a year; only where households are told.
    pub(crate) income: Option<f64>,
    pub(crate) income_class: Option<u64>,
    /// `age:...`, `income:...` and the like.
    pub(crate) groups: Vec<String>,
}

/// See the module.
pub(crate) struct Facts<'a> {
    pub(crate) run: &'a RunResults,
    pub(crate) info: RunInfo,
    pub(crate) scenario: toml::Table,
    pub(crate) figures: &'a Figures,
    /// Length of the period, days.
    pub(crate) days: f64,
    /// People for each simulated one.
    pub(crate) scale: f64,
    kpis: Vec<Kpi>,
    /// Residents of the city; none where no table tells.
    pub(crate) residents: Option<f64>,
    pub(crate) residents_of: BTreeMap<String, f64>,
    /// Residents by number, where the run wrote them.
    pub(crate) persons: BTreeMap<i64, Person>,
}

/// What a run without a table is told.
pub(crate) fn lacks(table: &str) -> String {
    format!("table `{table}` is not among the results")
}

/// Group of an age.
pub(crate) fn age_group(years: u64) -> &'static str {
    match years {
        0..18 => "age:0-17",
        18..65 => "age:18-64",
        _ => "age:65+",
    }
}

/// Group of a household's size.
pub(crate) fn household_group(size: u64) -> String {
    if size < 5 { format!("household:{size}") } else { "household:5+".to_owned() }
}

impl<'a> Facts<'a> {
    pub(crate) fn read(run: &'a RunResults, figures: &'a Figures) -> Result<Self> {
        let info = run.info()?;
        let scenario: toml::Table = info.scenario_toml.parse().unwrap_or_default();
        let kpis = if run.has(Table::Kpis) { run.kpis()? } else { Vec::new() };
        let of_zone = |kpi: &&Kpi| kpi.indicator == "residents" && kpi.zone_id != info.city && !kpi.zone_id.is_empty();
        let residents_of: BTreeMap<String, f64> =
            kpis.iter().filter(of_zone).map(|kpi| (kpi.zone_id.clone(), kpi.value)).collect();
        let mut facts = Self {
            run,
            scenario,
            figures,
            days: info.duration_s / 86_400.0,
            scale: 1.0 / info.sample_factor,
            kpis,
            residents: None,
            residents_of,
            persons: BTreeMap::new(),
            info,
        };
        facts.residents = facts.kpi("residents").filter(|residents| *residents > 0.0);
        facts.persons = facts.read_persons()?;
        Ok(facts)
    }

    fn read_persons(&self) -> Result<BTreeMap<i64, Person>> {
        let mut persons = BTreeMap::new();
        if self.why_not(Table::Persons).is_some() {
            return Ok(persons);
        }
        let columns = ["person_id", "person_kind", "home_building", "home_zone", "age_years", "sex"];
        self.run.for_each_batch(Table::Persons, &columns, |batch| {
            let homes = batch.text("home_building");
            for row in (0..batch.rows()).filter(|&row| batch.text("person_kind").value(row) == "resident") {
                let sex = batch.text("sex").value(row);
                let mut groups = vec![age_group(batch.count("age_years").value(row)).to_owned()];
                groups.extend((sex != "unknown").then(|| format!("sex:{sex}")));
                let person = Person {
                    home_zone: batch.text("home_zone").value(row).to_owned(),
                    home_building: homes.is_valid(row).then(|| homes.value(row).to_owned()),
                    groups,
                    ..Person::default()
                };
                persons.insert(batch.number("person_id", row), person);
            }
            Ok(())
        })?;
        if self.why_not(Table::Households).is_some() {
            return Ok(persons);
        }
        let columns = ["first_person_id", "size", "income_class", "income_per_year"];
        self.run.for_each_batch(Table::Households, &columns, |batch| {
            for row in 0..batch.rows() {
                let (first, size) = (batch.number("first_person_id", row), batch.count("size").value(row));
                let class = batch.count("income_class").value(row);
                for id in first..first + size as i64 {
                    let Some(person) = persons.get_mut(&id) else { continue };
                    person.income_class = Some(class);
                    person.income = Some(batch.real("income_per_year").value(row) / size as f64);
                    person.groups.push(format!("income:{class}"));
                    person.groups.push(household_group(size));
                }
            }
            Ok(())
        })?;
        Ok(persons)
    }

    /// Why a table cannot be used for the whole city, if so.
    pub(crate) fn why_not(&self, table: Table) -> Option<String> {
        let name = table.name();
        if !self.run.has(table) {
            let switch = format!("output.tables.{name}.enabled");
            let is_off = self.setting(&switch).and_then(toml::Value::as_bool) == Some(false);
            return Some(if is_off { format!("{}: {switch} = false", lacks(name)) } else { lacks(name) });
        }
        let zones = self.setting(&format!("output.tables.{name}.zones")).and_then(toml::Value::as_array);
        let some = zones.is_some_and(|zones| !zones.is_empty());
        some.then(|| format!("table `{name}` holds only some zones (output.tables.{name}.zones)"))
    }

    /// A table for some indicators: where it cannot be used they get the reason, and the answer is no.
    pub(crate) fn can_use(&self, table: Table, sheet: &mut Sheet, numbers: &[u8]) -> bool {
        match self.why_not(table) {
            Some(reason) => {
                sheet.all_absent(numbers, &reason);
                false
            }
            None => true,
        }
    }

    /// Residents for some indicators, or the reason why they cannot be told.
    pub(crate) fn residents_for(&self, sheet: &mut Sheet, numbers: &[u8]) -> Option<f64> {
        if self.residents.is_none() {
            let reason = match self.run.has(Table::Kpis) {
                true => "the run has no residents".to_owned(),
                false => format!("{}, so residents are not known", lacks("kpis")),
            };
            sheet.all_absent(numbers, &reason);
        }
        self.residents
    }

    /// A figure of the whole city in table `kpis`.
    pub(crate) fn kpi(&self, indicator: &str) -> Option<f64> {
        self.city_kpi(indicator).map(|kpi| kpi.value)
    }

    /// The same with what was published.
    pub(crate) fn city_kpi(&self, indicator: &str) -> Option<&Kpi> {
        let is_city = |kpi: &&Kpi| kpi.zone_id.is_empty() || kpi.zone_id == self.info.city;
        self.kpis.iter().filter(is_city).find(|kpi| kpi.indicator == indicator)
    }

    /// Figures of zones in table `kpis`.
    pub(crate) fn zone_kpis(&self, indicator: &str) -> BTreeMap<&str, f64> {
        let is_zone = |kpi: &&Kpi| !kpi.zone_id.is_empty() && kpi.zone_id != self.info.city;
        let named = self.kpis.iter().filter(|kpi| kpi.indicator == indicator).filter(is_zone);
        named.map(|kpi| (kpi.zone_id.as_str(), kpi.value)).collect()
    }

    /// Figures of the whole city whose name begins so, with the rest of the name.
    pub(crate) fn kpis_named<'b>(&'b self, prefix: &'b str) -> impl Iterator<Item = (&'b str, f64)> {
        let is_city = |kpi: &&Kpi| kpi.zone_id.is_empty() || kpi.zone_id == self.info.city;
        let named = move |kpi: &'b Kpi| Some((kpi.indicator.strip_prefix(prefix)?, kpi.value));
        self.kpis.iter().filter(is_city).filter_map(named)
    }

    /// A figure that no run has, the latest of the whole city, or why there is none.
    pub(crate) fn figure(&self, name: &str) -> std::result::Result<f64, String> {
        panel::latest(&self.figures.rows, &self.info.city, name)
            .map(|row| row.value)
            .ok_or_else(|| format!("no run has the figure `{name}`; give it by --figures"))
    }

    /// A setting of the resolved scenario by its path.
    pub(crate) fn setting(&self, path: &str) -> Option<&toml::Value> {
        let (mut keys, mut table) = (path.split('.').peekable(), &self.scenario);
        while let Some(key) = keys.next() {
            let value = table.get(key)?;
            if keys.peek().is_none() {
                return Some(value);
            }
            table = value.as_table()?;
        }
        None
    }

    /// Local hour of the day of a moment.
    pub(crate) fn hour(&self, time_ms: i64) -> u8 {
        crate::place_values::local_hour(time_ms, self.info.local_offset_ms)
    }
}
