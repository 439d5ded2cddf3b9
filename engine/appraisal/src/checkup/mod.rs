//! A city's check-up: the 73 indicators of [`definitions`] from what a results folder holds, with their states.
//!
//! `facts` opens a run -> `roads`, `trips`, `places`, `access`, `presence`, `energy`, `pipes`, `environment` and `safety` put
//! figures, or reasons for none, into its `sheet` -> here sheets become means over seeds with Student's 95 % interval and
//! states -> `paired` sets them against a base -> `table` writes them.
//!
//! A figure is there where the run has what it needs; nothing is guessed. States hold for means; those of hours have none.
//! Contract: one thread, rows in the order of numbers and places; equal results give equal rows.

mod access;
pub mod definitions;
mod energy;
mod environment;
mod facts;
pub mod kernels;
mod network;
mod noise;
mod paired;
mod pipes;
mod places;
mod presence;
mod roads;
mod safety;
mod sheet;
pub mod table;
mod trips;

pub use definitions::{DEFINITIONS, Definition, Light, definition};
pub use facts::FIGURE_NAMES;
pub use sheet::{Key, Place, Published};
pub use table::{file_of, write};

use crate::pairs::unknown_scenario;
use crate::read::{RunResults, runs_in};
use crate::statistics::{Interval, Precision, Statistics};
use facts::{Facts, Figures};
use sheet::Sheet;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use urbis_city::panel::Places;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Problem, Problems, Result};
use urbis_output::Marker;
use urbis_output::marker::MARKER;

/// What is asked of a check-up.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Scenario that the others are set against.
    pub base: Option<String>,
    /// Scenarios to look at; empty means all.
    pub scenarios: Vec<String>,
    /// Numbers of the indicators to tell; empty means all.
    pub numbers: BTreeSet<u8>,
    /// Panel with figures that no run has ([`FIGURE_NAMES`]).
    pub figures: Option<PathBuf>,
}

/// A figure of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it is and where it holds.
    pub key: Key,
    /// By seed; empty where only the mean over the seeds is known.
    pub seeds: Vec<(u64, f64)>,
    /// Mean over the seeds.
    pub value: f64,
    /// Student's 95 % interval of the mean; none with one seed.
    pub interval: Option<Interval>,
    /// Its state.
    pub light: Light,
    /// What was published for the same thing.
    pub published: Option<Published>,
    /// What it changes against the base, seed by seed.
    pub effect: Option<Statistics>,
}

/// The check-up of one scenario.
#[derive(Clone, Debug)]
pub struct Patient {
    /// Name of the scenario.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// Its seeds, ascending.
    pub seeds: Vec<u64>,
    /// Figures in the order of numbers, places and parts.
    pub rows: Vec<Row>,
    /// Why an indicator has no figure, by number.
    pub absent: BTreeMap<u8, String>,
    /// How figures are to be read, by number.
    pub notes: BTreeMap<u8, String>,
}

impl Patient {
    /// Figures of an indicator for the whole city and period.
    pub fn of(&self, number: u8) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.key.number == number && row.key.place.is_whole())
    }
}

/// Check-ups of the scenarios of a results folder.
#[derive(Clone, Debug)]
pub struct Checkup {
    /// The results folder.
    pub results: PathBuf,
    /// Name of the city.
    pub city: String,
    /// Scenario that the others are set against.
    pub base: Option<String>,
    /// Scenarios, the base first, then by name.
    pub patients: Vec<Patient>,
    /// What could not be done, and why.
    pub notes: Vec<String>,
}

/// The indicator that is meant by a number or a name.
///
/// # Errors
/// What is meant instead, perhaps.
pub fn number_of(text: &str) -> std::result::Result<u8, String> {
    if let Ok(number) = text.parse::<u8>()
        && (1..=definitions::COUNT as u8).contains(&number)
    {
        return Ok(number);
    }
    if let Some(of) = DEFINITIONS.iter().find(|of| of.name == text) {
        return Ok(of.number);
    }
    let guess = did_you_mean(text, DEFINITIONS.iter().map(|of| of.name));
    let guess = guess.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
    Err(format!(
        "no indicator `{text}`; {guess}they are 1 to {} and the names of `urbis checkup --list`",
        definitions::COUNT
    ))
}

/// Figures of the city of a results folder and of its zones.
fn figures_of(results: &Path, path: &Path) -> Result<Figures> {
    let Some((scenario, seed)) = runs_in(results)?.into_iter().next() else { return Ok(Figures::default()) };
    let run = RunResults::open(results, &scenario, seed)?;
    let mut problems = Problems::new();
    let mut zones = run.layer("zones")?.text("id", &mut problems);
    problems.or_else(())?;
    zones.sort_unstable();
    Figures::read(path, Places { city: &run.info()?.city, zones: &zones })
}

/// Indicators of a day or a year, or that want the night too.
const PER_DAY: [u8; 15] = [7, 8, 10, 20, 34, 35, 42, 44, 45, 47, 52, 55, 56, 57, 58];

/// The sheet of one run.
fn sheet_of(run: &RunResults, figures: &Figures) -> Result<Sheet> {
    let facts = Facts::read(run, figures)?;
    let mut sheet = Sheet::default();
    let links = roads::Links::read(run)?;
    let city = places::City::read(&facts, &links)?;
    let hours = roads::measure(&facts, &links, &mut sheet)?;
    trips::measure(&facts, &city, &mut sheet)?;
    access::measure(&facts, &links, &city, &mut sheet)?;
    presence::measure(&facts, &mut sheet)?;
    energy::measure(&facts, &city, &mut sheet)?;
    let books = pipes::measure(&facts, &mut sheet)?;
    environment::measure(&facts, &links, &city, hours.as_ref(), &mut sheet)?;
    safety::measure(&facts, &city, &books, &mut sheet)?;
    if (facts.days - facts.days.round()).abs() > 1e-9 {
        let hours = 24.0 * facts.days;
        let note =
            format!("the period has {hours} hours, no whole days: what is told of a day or a year is at its pace");
        PER_DAY.iter().for_each(|&number| sheet.note(number, &note));
    }
    Ok(sheet)
}

/// Runs of one scenario with their sheets, by seed.
struct Runs {
    scenario: String,
    title: String,
    sheets: Vec<(u64, Sheet)>,
}

impl Checkup {
    /// Checks the scenarios of a results folder.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] when nothing is finished, a scenario is unknown, or a table cannot be read.
    pub fn of(results: &Path, options: &Options) -> Result<Self> {
        if Marker::read(results)?.files.is_empty() {
            let problem = Problem::file(&results.join(MARKER), "missing, so this is no finished results folder");
            return Err(problem.with_help("run a scenario to its end with `urbis run ... --out DIR`").into());
        }
        let mut seeds_of: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for (scenario, seed) in runs_in(results)? {
            seeds_of.entry(scenario).or_default().insert(seed);
        }
        let mut problems = Problems::new();
        for name in options.base.iter().chain(&options.scenarios).filter(|name| !seeds_of.contains_key(*name)) {
            problems.push(unknown_scenario(results, name, &seeds_of));
        }
        problems.or_else(())?;
        let wanted = |name: &&String| options.scenarios.is_empty() || options.scenarios.contains(name);
        let others = seeds_of.keys().filter(wanted).filter(|name| Some(*name) != options.base.as_ref());
        let names: Vec<&String> = options.base.iter().chain(others).collect();
        let figures = match &options.figures {
            Some(path) => figures_of(results, path)?,
            None => Figures::default(),
        };
        let mut city = String::new();
        let mut all = Vec::new();
        for name in names {
            let mut runs = Runs { scenario: name.clone(), title: String::new(), sheets: Vec::new() };
            for &seed in &seeds_of[name] {
                let run = RunResults::open(results, name, seed)?;
                let info = run.info()?;
                (city, runs.title) = (info.city, info.title);
                runs.sheets.push((seed, sheet_of(&run, &figures)?));
            }
            all.push(runs);
        }
        let mut checkup = Self {
            results: results.to_owned(),
            city,
            base: options.base.clone(),
            patients: Vec::new(),
            notes: Vec::new(),
        };
        checkup.patients = all.iter().map(patient).collect();
        paired::compare(&mut checkup, &all, &options.numbers)?;
        for patient in &mut checkup.patients {
            finish(patient, &options.numbers);
        }
        Ok(checkup)
    }
}

/// Student's 95 % interval of a mean; none with one value.
fn interval_of(values: &[f64]) -> Option<Interval> {
    // As differences from nothing.
    let pairs: Vec<(f64, f64)> = values.iter().map(|value| (0.0, *value)).collect();
    Statistics::of(&pairs, Precision::default(), 0, 0).interval
}

/// A row from values by seed.
fn row_of(key: Key, seeds: Vec<(u64, f64)>) -> Row {
    let values: Vec<f64> = seeds.iter().map(|(_, value)| *value).collect();
    let value = values.iter().sum::<f64>() / values.len() as f64;
    // Hours have other limits than days, and none are known.
    let light = match key.place.hour {
        None => definition(key.number).light(&key.part, value),
        Some(_) => Light::None,
    };
    Row { interval: interval_of(&values), key, seeds, value, light, published: None, effect: None }
}

/// Means over the seeds of a scenario.
fn patient(runs: &Runs) -> Patient {
    let mut by_key: BTreeMap<&Key, Vec<(u64, f64)>> = BTreeMap::new();
    let (mut absent, mut notes) = (BTreeMap::new(), BTreeMap::new());
    let mut published: BTreeMap<&(u8, String), &Published> = BTreeMap::new();
    for (seed, sheet) in &runs.sheets {
        for (key, value) in &sheet.values {
            by_key.entry(key).or_default().push((*seed, *value));
        }
        for (number, reason) in &sheet.absent {
            absent.entry(*number).or_insert_with(|| reason.clone());
        }
        for (number, note) in &sheet.notes {
            notes.entry(*number).or_insert_with(|| note.clone());
        }
        published.extend(&sheet.published);
    }
    let one = |(key, seeds): (&Key, Vec<(u64, f64)>)| {
        let mut row = row_of(key.clone(), seeds);
        if key.place.is_whole() {
            row.published = published.get(&(key.number, key.part.clone())).map(|of| (*of).clone());
        }
        row
    };
    let mut patient = Patient {
        scenario: runs.scenario.clone(),
        title: runs.title.clone(),
        seeds: runs.sheets.iter().map(|(seed, _)| *seed).collect(),
        rows: by_key.into_iter().map(one).collect(),
        absent,
        notes,
    };
    reliability(runs, &mut patient);
    patient
}

/// Fewest days, of all seeds together, of which a 95th percentile is told.
const REPLICATIONS: usize = 5;

/// Indicator 2, which many days tell together.
fn reliability(runs: &Runs, patient: &mut Patient) {
    let days: Vec<f64> = runs.sheets.iter().flat_map(|(_, sheet)| sheet.peak_indices.iter().copied()).collect();
    if days.len() < REPLICATIONS {
        let why = format!("needs the peaks of at least {REPLICATIONS} seeds or days; there are {}", days.len());
        patient.absent.entry(2).or_insert(why);
        return;
    }
    if let Some(value) = kernels::percentile(&days, 0.95) {
        let key = Key { number: 2, unit: "ratio".to_owned(), ..Key::default() };
        patient.rows.push(Row { interval: None, ..row_of(key, vec![(0, value)]) });
        if let Some(row) = patient.rows.last_mut() {
            row.seeds.clear();
        }
    }
}

/// Brings rows into order, drops what was not asked for, and makes sure that each indicator has a figure or a reason.
fn finish(patient: &mut Patient, numbers: &BTreeSet<u8>) {
    let is_asked = |number: u8| numbers.is_empty() || numbers.contains(&number);
    patient.rows.retain(|row| is_asked(row.key.number));
    patient.rows.sort_by(|a, b| a.key.cmp(&b.key));
    let told: BTreeSet<u8> = patient.rows.iter().map(|row| row.key.number).collect();
    patient.absent.retain(|number, _| is_asked(*number) && !told.contains(number));
    patient.notes.retain(|number, _| told.contains(number));
    for of in DEFINITIONS.iter().filter(|of| is_asked(of.number) && !told.contains(&of.number)) {
        patient.absent.entry(of.number).or_insert_with(|| "the run does not tell it".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicators_are_meant_by_number_or_name() {
        assert_eq!(number_of("6"), Ok(6));
        assert_eq!(number_of("peak_speed"), Ok(6));
        let error = number_of("peak_sped").unwrap_err();
        assert!(error.contains("did you mean `peak_speed`?"), "{error}");
        assert!(number_of("0").is_err() && number_of("74").is_err() && number_of("").is_err());
    }

    fn runs(values: &[(u64, f64)]) -> Runs {
        let one = |(seed, value): &(u64, f64)| {
            let mut sheet = Sheet::default();
            sheet.put(1, "", "ratio", *value);
            sheet.put_at(1, "", "ratio", Place::hour(8), 9.0);
            sheet.peak_indices = vec![*value];
            sheet.absent(3, "no trips");
            (*seed, sheet)
        };
        Runs { scenario: "a".to_owned(), title: "A".to_owned(), sheets: values.iter().map(one).collect() }
    }

    #[test]
    fn seeds_become_means_with_intervals_and_states() {
        let mut found = patient(&runs(&[(1, 1.0), (2, 2.0), (3, 3.0)]));
        finish(&mut found, &BTreeSet::new());
        let row = found.of(1).next().unwrap();
        assert_eq!((row.value, row.light), (2.0, Light::Watch));
        assert_eq!(row.seeds, [(1, 1.0), (2, 2.0), (3, 3.0)]);
        // Student's t with two degrees of freedom: 4.3027 times 1 over the root of 3.
        let interval = row.interval.unwrap();
        assert!((interval.high - 2.0 - 4.302_652_73 / 3.0_f64.sqrt()).abs() < 1e-6, "{interval:?}");
        let of_hour = found.rows.iter().find(|row| row.key.place.hour == Some(8)).unwrap();
        assert_eq!(of_hour.light, Light::None, "an hour has no limits");
        assert_eq!(found.absent[&3], "no trips");
        assert!(found.absent[&2].contains("there are 3"), "{}", found.absent[&2]);
        // Every indicator has a figure or a reason.
        let told: BTreeSet<u8> = found.rows.iter().map(|row| row.key.number).collect();
        assert_eq!(told.len() + found.absent.len(), definitions::COUNT);
    }

    #[test]
    fn reliability_needs_days_and_has_no_interval() {
        let found = patient(&runs(&[(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0), (5, 5.0)]));
        let row = found.of(2).next().unwrap();
        assert!((row.value - 4.8).abs() < 1e-12 && row.interval.is_none() && row.seeds.is_empty());
    }

    #[test]
    fn what_was_not_asked_for_is_left_out() {
        let mut found = patient(&runs(&[(1, 1.0)]));
        finish(&mut found, &[1, 4].into());
        assert!(found.rows.iter().all(|row| row.key.number == 1));
        assert_eq!(found.absent.keys().copied().collect::<Vec<_>>(), [4]);
    }
}
