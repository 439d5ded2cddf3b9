//! The scenarios of a results folder, each with its runs, and whether they can be compared at all.

use super::effect::Effect;
use super::gather::{Places, RunDay};
use crate::read::{RunInfo, RunResults, runs_in};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use urbis_core::{Problem, Problems, Result};
use urbis_output::Table;
use urbis_output::marker::MARKER;

/// Where one run comes from.
pub(crate) struct Origin {
    pub(crate) seed: u64,
    pub(crate) run_id: String,
    pub(crate) schema_version: String,
    pub(crate) scenario_hash: String,
    pub(crate) city_hash: String,
    pub(crate) scenario_toml: String,
    pub(crate) info: RunInfo,
}

/// A scenario with its runs, in the order of seeds.
pub(crate) struct Arm {
    pub(crate) name: String,
    pub(crate) runs: Vec<RunResults>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) days: Vec<RunDay>,
}

fn origin(run: &RunResults, seed: u64) -> Result<Origin> {
    let info = run.info()?;
    let mut found = None;
    let texts = ["run_id", "schema_version", "scenario_hash", "city_hash", "scenario_toml"];
    run.for_each_batch(Table::Runs, &texts, |batch| {
        let [run_id, schema_version, scenario_hash, city_hash, scenario_toml] =
            texts.map(|name| batch.text(name).value(0).to_owned());
        let info = info.clone();
        found = Some(Origin { seed, run_id, schema_version, scenario_hash, city_hash, scenario_toml, info });
        Ok(())
    })?;
    // `info` has made sure of the one row.
    Ok(found.expect("table runs has a row"))
}

/// Opens every run, the base's scenario first, the others by name.
///
/// # Errors
/// [`urbis_core::Error::Input`] when nothing is finished, the base is not there, or runs are not of one city, one
/// period, one version of the tables and the same seeds.
pub(crate) fn open(results: &Path, base: Option<&str>) -> Result<Vec<Arm>> {
    let mut arms: BTreeMap<String, Arm> = BTreeMap::new();
    for (name, seed) in runs_in(results)? {
        let run = RunResults::open(results, &name, seed)?;
        let origin = origin(&run, seed)?;
        let empty = || Arm { name: name.clone(), runs: Vec::new(), origins: Vec::new(), days: Vec::new() };
        let arm = arms.entry(name.clone()).or_insert_with(empty);
        arm.runs.push(run);
        arm.origins.push(origin);
    }
    if arms.is_empty() {
        let problem = Problem::file(&results.join(MARKER), "missing or empty, so this is no finished results folder");
        return Err(problem.with_help("run the scenario to its end with `urbis run ... --out DIR`").into());
    }
    let known: Vec<String> = arms.keys().cloned().collect();
    let base = base.or_else(|| arms.contains_key("baseline").then_some("baseline")).unwrap_or(&known[0]);
    let Some(first) = arms.remove(base) else {
        let problem = Problem::file(results, format!("no finished run of scenario {base}, which is to be the base"));
        return Err(problem.with_help(format!("scenarios here: {}", known.join(", "))).into());
    };
    let all: Vec<Arm> = std::iter::once(first).chain(arms.into_values()).collect();
    comparable(results, &all)?;
    Ok(all)
}

fn comparable(results: &Path, arms: &[Arm]) -> Result<()> {
    let mut problems = Problems::new();
    let of = |origin: &Origin| {
        [
            ("city", origin.city_hash.clone()),
            ("schema version", origin.schema_version.clone()),
            ("start of the period", origin.info.start_utc_ms.to_string()),
            ("length of the period", format!("{} s", origin.info.duration_s)),
        ]
    };
    let seeds = |arm: &Arm| arm.origins.iter().map(|o| o.seed).collect::<BTreeSet<u64>>();
    let (base, wanted) = (&arms[0], of(&arms[0].origins[0]));
    for arm in arms {
        for origin in &arm.origins {
            for ((what, found), (_, expected)) in of(origin).into_iter().zip(&wanted).filter(|(f, w)| f.1 != w.1) {
                let text = format!("{} seed {}: {what} is {found}, expected {expected}", arm.name, origin.seed);
                let help = format!("runs of {} cannot be compared with it", base.name);
                problems.push(Problem::file(results, text).with_help(help));
            }
        }
        for seed in seeds(base).symmetric_difference(&seeds(arm)) {
            let lacking = if seeds(base).contains(seed) { arm } else { base };
            let text = format!("scenario {} has no finished run with seed {seed}, but another has", lacking.name);
            problems.push(Problem::file(results, text).with_help("runs are compared seed by seed; run it as well"));
        }
    }
    problems.or_else(())
}

impl Arm {
    pub(crate) fn gather(&mut self, places: &Places) -> Result<()> {
        self.days = self.runs.iter().map(|run| RunDay::gather(run, places)).collect::<Result<_>>()?;
        Ok(())
    }
    /// Mean over the seeds.
    pub(crate) fn mean(&self, of: impl Fn(&RunDay) -> f64) -> f64 {
        self.days.iter().map(of).sum::<f64>() / self.days.len() as f64
    }
    /// This scenario less the base, seed by seed; seeds in which one of them has no figure are left out.
    pub(crate) fn effect(&self, base: &Self, of: impl Fn(&RunDay) -> Option<f64>) -> Option<Effect> {
        let pairs = self.days.iter().zip(&base.days);
        let differences: Vec<f64> = pairs.filter_map(|(day, base)| Some(of(day)? - of(base)?)).collect();
        Effect::of(&differences)
    }
}
