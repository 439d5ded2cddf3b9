//! The tables of the activity plans: when people work, learn, shop, and for how long. Shipped as
//! `assets/population/day.toml`, which names its sources; a scenario may name a file of its own.

use crate::plans::Purpose;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::rng::Rng;
use urbis_core::{Problem, Problems, Result};

/// The tables that are used where a scenario names none.
const SHIPPED: &str = include_str!("../../../../assets/population/day.toml");

/// A wave of starts: normal in time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Its share of all starts; shares are normalised.
    #[serde(default = "one")]
    pub share: f64,
    /// Middle, local hour.
    pub at_h: f64,
    /// Standard deviation, hours.
    pub sd_h: f64,
}

fn one() -> f64 {
    1.0
}

impl Start {
    /// A draw, local hour.
    pub(crate) fn draw(self, rng: &mut Rng) -> f64 {
        self.at_h + self.sd_h * rng.normal()
    }
}

/// A duration: normal, cut at both ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    /// Mean, hours.
    pub mean_h: f64,
    /// Standard deviation, hours.
    pub sd_h: f64,
    /// Shortest, hours.
    pub min_h: f64,
    /// Longest, hours.
    pub max_h: f64,
}

impl Stay {
    /// A draw, hours.
    pub(crate) fn draw(self, rng: &mut Rng) -> f64 {
        (self.mean_h + self.sd_h * rng.normal()).clamp(self.min_h, self.max_h)
    }
}

/// Working days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Share of workers who work from home that day.
    pub home_share: f64,
    /// Stay.
    pub stay: Stay,
    /// Starts.
    pub starts: Vec<Start>,
}

/// Trips at midday.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Midday {
    /// When they leave.
    pub leave: Start,
    /// From leaving to starting back, hours.
    pub stay_h: f64,
}

/// Stops on the way home.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Stay.
    pub stay: Stay,
    /// Purposes with their shares.
    pub purposes: BTreeMap<Purpose, f64>,
}

/// Schools of an age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct School {
    /// Youngest age, years; the row with the highest age that fits counts.
    pub from_age: u8,
    /// Start.
    pub start: Start,
    /// Stay.
    pub stay: Stay,
}

/// Children who are brought to school.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escort {
    /// Children below this age, years.
    pub to_age: u8,
    /// Share of them.
    pub share: f64,
    /// Stay of the adult at the school, hours.
    pub stay_h: f64,
}

/// Weights of a tour by what else somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Went to work.
    pub worker: f64,
    /// Went to school.
    pub pupil: f64,
    /// Neither.
    pub other: f64,
}

/// One kind of other tours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tour {
    /// What for.
    pub purpose: Purpose,
    /// Share among all kinds, by what else somebody does.
    pub weight: Weights,
    /// Starts of people at home.
    pub starts: Vec<Start>,
    /// Starts after work or school.
    pub evening: Start,
    /// Stay.
    pub stay: Stay,
    /// Nobody is there before, local hour.
    pub opens_h: f64,
    /// Nobody is there after, local hour; more than 24 is the next morning.
    pub closes_h: f64,
}

/// Times at home.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Home {
    /// After work or school before the next tour, hours.
    pub after_work_h: f64,
    /// No tour starts later, local hour.
    pub last_start_h: f64,
}

/// Park-and-ride.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParkAndRide {
    /// Constant of the choice, minutes of travel.
    pub constant_min: f64,
    /// From the car to the stop or back, beside the walk, minutes.
    pub change_min: f64,
    /// Money for each way, beside the fee of the site, the fare, and what driving costs.
    pub cost: f64,
}

impl Default for ParkAndRide {
    /// As shipped, for tables that say nothing of it.
    fn default() -> Self {
        Self { constant_min: 10.0, change_min: 3.0, cost: 0.0 }
    }
}

/// All tables of a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayTables {
    /// Work.
    pub work: Work,
    /// Midday.
    pub midday: Midday,
    /// Stops on the way home.
    pub stop: Stop,
    /// Schools, by rising age.
    pub school: Vec<School>,
    /// Escort to school.
    pub escort: Escort,
    /// Other tours.
    pub tour: Vec<Tour>,
    /// Home.
    pub home: Home,
    /// Park-and-ride.
    #[serde(default)]
    pub park_and_ride: ParkAndRide,
}

impl DayTables {
    /// The shipped tables.
    ///
    /// # Errors
    /// Never, which a test shows.
    pub fn shipped() -> Result<Self> {
        Self::parse(Path::new("assets/population/day.toml"), SHIPPED)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`urbis_core::Error::Read`] when it cannot be read, [`urbis_core::Error::Input`] when it says what it must not.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| urbis_core::Error::read(path, source))?;
        Self::parse(path, &text)
    }

    /// Tables from text; `path` is named in errors.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] with every value that is not as expected.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let tables: Self = toml::from_str(text).map_err(|error| {
            let help = "the shipped tables, assets/population/day.toml, show every key";
            urbis_core::Error::from(Problem::file(path, error.to_string().trim_end()).with_help(help))
        })?;
        let mut check = Check { path, problems: Problems::new() };
        check.share("work.home_share", tables.work.home_share);
        check.stay("work.stay", tables.work.stay);
        check.starts("work.starts", &tables.work.starts);
        check.starts("midday.leave", &[tables.midday.leave]);
        check.within("midday.stay_h", tables.midday.stay_h, 0.1, 12.0);
        check.stay("stop.stay", tables.stop.stay);
        check.sum("stop.purposes", tables.stop.purposes.values().copied());
        for purpose in tables.stop.purposes.keys() {
            check.purpose("stop.purposes", *purpose);
        }
        if tables.school.is_empty() || !tables.school.is_sorted_by(|a, b| a.from_age < b.from_age) {
            check.problem("school: expected at least one, by rising from_age");
        }
        for school in &tables.school {
            check.starts("school.start", &[school.start]);
            check.stay("school.stay", school.stay);
        }
        check.share("escort.share", tables.escort.share);
        check.within("escort.stay_h", tables.escort.stay_h, 0.0, 4.0);
        if tables.tour.is_empty() {
            check.problem("tour: expected at least one");
        }
        for tour in &tables.tour {
            let name = format!("tour `{}`", tour.purpose.name());
            check.purpose(&name, tour.purpose);
            check.starts(&format!("{name}: starts"), &tour.starts);
            check.starts(&format!("{name}: evening"), &[tour.evening]);
            check.stay(&format!("{name}: stay"), tour.stay);
            check.within(&format!("{name}: opens_h"), tour.opens_h, 0.0, 24.0);
            check.within(&format!("{name}: closes_h"), tour.closes_h, tour.opens_h + tour.stay.min_h, 30.0);
        }
        for (what, weight) in [("worker", 0), ("pupil", 1), ("other", 2)] {
            let weights = tables.tour.iter().map(|tour| tour.weight.of(weight));
            check.sum(&format!("tour: weights of {what}"), weights);
        }
        check.within("home.after_work_h", tables.home.after_work_h, 0.0, 12.0);
        check.within("home.last_start_h", tables.home.last_start_h, 12.0, 24.0);
        let by_site = tables.park_and_ride;
        check.within("park_and_ride.constant_min", by_site.constant_min, -600.0, 600.0);
        check.within("park_and_ride.change_min", by_site.change_min, 0.0, 60.0);
        check.within("park_and_ride.cost", by_site.cost, 0.0, 1e6);
        check.problems.or_else(tables)
    }

    /// The schools of an age.
    #[must_use]
    pub fn school_of(&self, age_years: u8) -> &School {
        // `parse` lets no tables without schools pass.
        self.school.iter().rev().find(|school| school.from_age <= age_years).unwrap_or(&self.school[0])
    }
}

impl Weights {
    /// Of workers (0), pupils (1), others (2).
    #[must_use]
    pub fn of(self, what: usize) -> f64 {
        [self.worker, self.pupil, self.other][what.min(2)]
    }
}

struct Check<'a> {
    path: &'a Path,
    problems: Problems,
}

impl Check<'_> {
    fn problem(&mut self, what: &str) {
        self.problems.push(Problem::file(self.path, what));
    }
    fn within(&mut self, what: &str, value: f64, least: f64, most: f64) {
        if !(least..=most).contains(&value) {
            self.problem(&format!("{what} = {value}, expected {least} to {most}"));
        }
    }
    fn share(&mut self, what: &str, value: f64) {
        if !(0.0..=1.0).contains(&value) {
            self.problem(&format!("{what} = {value}, expected a share, 0 to 1"));
        }
    }
    fn sum(&mut self, what: &str, values: impl Iterator<Item = f64> + Clone) {
        let total: f64 = values.clone().sum();
        if total.is_nan() || total <= 0.0 || values.into_iter().any(|value| value < 0.0) {
            self.problem(&format!("{what} add up to {total}, expected shares >= 0 with a sum > 0"));
        }
    }
    fn starts(&mut self, what: &str, starts: &[Start]) {
        self.sum(what, starts.iter().map(|start| start.share));
        for start in starts {
            self.within(&format!("{what}: at_h"), start.at_h, 0.0, 24.0);
            self.within(&format!("{what}: sd_h"), start.sd_h, 0.0, 12.0);
        }
    }
    fn stay(&mut self, what: &str, stay: Stay) {
        self.within(&format!("{what}: min_h"), stay.min_h, 0.0, 24.0);
        self.within(&format!("{what}: max_h"), stay.max_h, stay.min_h, 24.0);
        self.within(&format!("{what}: mean_h"), stay.mean_h, 0.0, 24.0);
        self.within(&format!("{what}: sd_h"), stay.sd_h, 0.0, 12.0);
    }
    fn purpose(&mut self, what: &str, purpose: Purpose) {
        if !Purpose::OF_OTHER_TOURS.contains(&purpose) {
            let known: Vec<&str> = Purpose::OF_OTHER_TOURS.iter().map(|purpose| purpose.name()).collect();
            self.problem(&format!("{what}: purpose `{}`, expected one of {known:?}", purpose.name()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_tables_are_sound() {
        let tables = DayTables::shipped().unwrap();
        assert_eq!(tables.school_of(5).from_age, 0);
        assert_eq!(tables.school_of(15).from_age, 12);
        assert_eq!(tables.park_and_ride, ParkAndRide::default());
    }

    #[test]
    fn wrong_tables_are_told() {
        let told = |from: &str, to: &str, expected: &str| {
            assert!(SHIPPED.contains(from), "{from}");
            let error = DayTables::parse(Path::new("my.toml"), &SHIPPED.replacen(from, to, 1)).unwrap_err();
            let error = format!("{error:?}");
            assert!(error.contains("my.toml") && error.contains(expected), "{error}");
        };
        told("home_share = 0.0", "home_share = 1.5", "work.home_share = 1.5");
        told("closes_h = 21.0", "closes_h = 3.0", "closes_h = 3, expected 8.25 to 30");
        told("stay_h = 0.9", "stay = 0.9", "unknown field `stay`");
        told("purpose = \"health\"", "purpose = \"work\"", "purpose `work`");
        told("from_age = 12", "from_age = 0", "rising from_age");
        told("at_h = 8.6", "at_h = 86", "at_h = 86");
        told("change_min = 3.0", "change_min = 90", "park_and_ride.change_min = 90");
        told("worker = 0.40", "worker = -1", "weights of worker");
    }

    #[test]
    fn any_bytes_are_an_error_or_tables() {
        let mut rng = Rng::new(11, 0, 0, 0);
        for _ in 0..300 {
            let mut bytes = SHIPPED.as_bytes().to_vec();
            for _ in 0..1 + rng.below(6) {
                let at = rng.below(bytes.len() as u32) as usize;
                bytes[at] = b"0-9.=[]{}\"ax\n"[rng.below(13) as usize];
            }
            drop(DayTables::parse(Path::new("my.toml"), &String::from_utf8_lossy(&bytes)));
        }
    }
}
