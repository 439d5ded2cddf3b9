//! What each scenario changes against its base: one row for each figure, with its paired statistics.
//!
//! [`Comparison::of`] holds the figures of the whole city; maps come when they are asked for, those of links row by row,
//! because they may be larger than memory should be.
//!
//! Contract: one thread, rows in the order of figures; equal results give equal rows.

use crate::indicators;
use crate::link_effects;
use crate::pairs::PairedRuns;
use crate::place_values;
use crate::read::RunResults;
use crate::statistics::{Precision, Statistics, q_values};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use urbis_core::Result;
use urbis_core::hash::sha256_hex;

/// What a figure is, and where it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Figure {
    /// Subject: traffic, people, power ...
    pub subject: String,
    /// Name.
    pub indicator: String,
    /// Unit.
    pub unit: String,
    /// Zone; none for the whole city.
    pub zone_id: Option<String>,
    /// Road link.
    pub link_id: Option<String>,
    /// Group of people: `person:KIND`, `mode:MODE`, `purpose:PURPOSE`, `income:CLASS`, or that of table accessibility.
    pub group: Option<String>,
    /// Local hour of the day; none for the whole day.
    pub hour: Option<u8>,
    /// Whether it belongs on the first page.
    pub headline: bool,
    /// Whether it is a sum, so that a run that does not tell it has 0; else such a run makes no pair.
    #[serde(skip)]
    pub is_sum: bool,
}

impl Figure {
    /// A figure of the whole city and day.
    #[must_use]
    pub fn whole(subject: &str, indicator: &str, unit: &str, headline: bool) -> Self {
        Self {
            subject: subject.to_owned(),
            indicator: indicator.to_owned(),
            unit: unit.to_owned(),
            headline,
            ..Self::default()
        }
    }
    /// Key of its random draws.
    pub(crate) fn key(&self) -> u64 {
        let place = (&self.zone_id, &self.link_id, &self.group, self.hour);
        let text = format!("{}/{}/{place:?}", self.subject, self.indicator);
        u64::from_str_radix(&sha256_hex(text.as_bytes())[..16], 16).unwrap_or_default()
    }
}

/// One row of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// The scenario compared with the base.
    pub scenario: String,
    /// What was compared, and where.
    #[serde(flatten)]
    pub figure: Figure,
    /// What the pairs say.
    #[serde(flatten)]
    pub statistics: Statistics,
}

/// What is asked of a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Half width that `seeds_needed` is about.
    pub precision: Precision,
    /// Resamples of the bootstrap; hours of links have none, because a map of them would take minutes.
    pub resamples: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { precision: Precision::default(), resamples: 1999 }
    }
}

/// Scenarios beside their base.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The runs.
    pub runs: PairedRuns,
    /// What was asked.
    pub options: Options,
    /// Figures of the whole city (`zone_id` none) and indicators by zone, scenario by scenario.
    pub kpis: Vec<Effect>,
}

/// Compares all scenarios of a results folder with one of them, with default options.
///
/// # Errors
/// As [`PairedRuns::open`] and [`Comparison::of`].
pub fn compare(results: &Path, base: &str) -> Result<Comparison> {
    Comparison::of(PairedRuns::open(results, base, &[], false)?, Options::default())
}

impl Comparison {
    /// Compares the indicators of paired runs.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn of(runs: PairedRuns, options: Options) -> Result<Self> {
        let (days, city) = (runs.days(), runs.info.city.clone());
        let kpis = effects(&runs, options, |run| indicators::of(run, days, &city))?;
        Ok(Self { runs, options, kpis })
    }

    /// Effects on the whole city by hour: electricity, people on the way and at their places, trips by mode.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn hours(&self) -> Result<Vec<Effect>> {
        effects(&self.runs, self.options, |run| place_values::hours(run, self.runs.days()))
    }

    /// Effects by zone, day and hour: electricity, people present, trips by mode, what residents reach.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn zones(&self) -> Result<Vec<Effect>> {
        effects(&self.runs, self.options, |run| place_values::zones(run, self.runs.days()))
    }

    /// Effects by group of people: trips, their time and length.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn groups(&self) -> Result<Vec<Effect>> {
        effects(&self.runs, self.options, |run| place_values::groups(run, self.runs.days()))
    }

    /// Hands effects by link, day and hour to `each`: flow, travel time, speed, delay, carbon dioxide.
    ///
    /// # Errors
    /// When a table cannot be read; whatever `each` returns.
    pub fn links(&self, each: &mut dyn FnMut(&Effect) -> Result<()>) -> Result<()> {
        link_effects::each(&self.runs, self.options, each)
    }
}

/// A figure in the runs of one scenario.
struct Row {
    headline: bool,
    /// By seed.
    values: Vec<Option<f64>>,
}

/// Pairs figures of runs.
fn effects(
    runs: &PairedRuns,
    options: Options,
    figures: impl Fn(&RunResults) -> Result<BTreeMap<Figure, f64>>,
) -> Result<Vec<Effect>> {
    let of = |scenario: &str| -> Result<BTreeMap<Figure, Row>> {
        let mut all: BTreeMap<Figure, Row> = BTreeMap::new();
        for (at, &seed) in runs.seeds.iter().enumerate() {
            for (mut figure, value) in figures(&runs.run(scenario, seed)?)? {
                // Some are headlines only where they are news; that is no difference of the figure.
                let headline = std::mem::take(&mut figure.headline);
                let none = || Row { headline, values: vec![None; runs.seeds.len()] };
                let row = all.entry(figure).or_insert_with(none);
                row.headline |= headline;
                row.values[at] = Some(value);
            }
        }
        Ok(all)
    };
    let base = of(&runs.base)?;
    let mut effects = Vec::new();
    for scenario in &runs.scenarios {
        let other = of(scenario)?;
        let from = effects.len();
        let both: BTreeSet<&Figure> = base.keys().chain(other.keys()).collect();
        for figure in both {
            let value = |rows: &BTreeMap<Figure, Row>, at: usize| {
                let told = rows.get(figure).and_then(|row| row.values[at]);
                told.or(figure.is_sum.then_some(0.0))
            };
            let pair = |at| Some((value(&base, at)?, value(&other, at)?));
            let pairs: Vec<_> = (0..runs.seeds.len()).filter_map(pair).collect();
            if pairs.is_empty() {
                continue;
            }
            let statistics = Statistics::of(&pairs, options.precision, options.resamples, figure.key());
            let headline = [&base, &other].iter().any(|rows| rows.get(figure).is_some_and(|row| row.headline));
            let figure = Figure { headline, ..figure.clone() };
            effects.push(Effect { scenario: scenario.clone(), figure, statistics });
        }
        control(&mut effects[from..]);
    }
    Ok(effects)
}

/// Sets q values, map by map: a map is an indicator in one scenario, its hours apart from its days.
fn control(effects: &mut [Effect]) {
    let mut maps: BTreeMap<(String, String, bool), Vec<usize>> = BTreeMap::new();
    for (row, effect) in effects.iter().enumerate() {
        let figure = &effect.figure;
        maps.entry((figure.subject.clone(), figure.indicator.clone(), figure.hour.is_some())).or_default().push(row);
    }
    for rows in maps.values() {
        let p: Vec<f64> = rows.iter().map(|&row| effects[row].statistics.p.unwrap_or(f64::NAN)).collect();
        for (&row, q) in rows.iter().zip(q_values(&p)) {
            effects[row].statistics.q = Some(q).filter(|q| !q.is_nan());
        }
    }
}
