//! The scenarios of a results folder, each with its runs, paired by seed.

use super::gather::{Places, RunDay};
use crate::PairedRuns;
use crate::read::{RunInfo, RunResults, runs_in};
use crate::statistics::{Precision, Statistics};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::Result;

/// Where one run comes from.
pub(crate) struct Origin {
    pub(crate) seed: u64,
    pub(crate) info: RunInfo,
}

/// A scenario with its runs, in the order of seeds.
pub(crate) struct Arm {
    pub(crate) name: String,
    pub(crate) runs: Vec<RunResults>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) days: Vec<RunDay>,
}

/// Opens every run, the base's scenario first, the others by name, and pairs them; a scenario that is alone makes no pair.
///
/// # Errors
/// As [`PairedRuns::open`].
pub(crate) fn open(results: &Path, base: Option<&str>) -> Result<(Vec<Arm>, Option<PairedRuns>)> {
    let mut seeds_of: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (name, seed) in runs_in(results)? {
        seeds_of.entry(name).or_default().push(seed);
    }
    let names: Vec<&String> = seeds_of.keys().collect();
    if let [alone] = names[..]
        && base.is_none_or(|base| base == alone)
    {
        return Ok((vec![Arm::open(results, alone, &seeds_of[alone])?], None));
    }
    let first = names.first().map_or("baseline", |name| name.as_str());
    let base = base.unwrap_or(if seeds_of.contains_key("baseline") { "baseline" } else { first });
    let pairs = PairedRuns::open(results, base, &[], false)?;
    let all = std::iter::once(&pairs.base).chain(&pairs.scenarios);
    let arms = all.map(|name| Arm::open(results, name, &pairs.seeds)).collect::<Result<_>>()?;
    Ok((arms, Some(pairs)))
}

impl Arm {
    fn open(results: &Path, name: &str, seeds: &[u64]) -> Result<Self> {
        let mut arm = Self { name: name.to_owned(), runs: Vec::new(), origins: Vec::new(), days: Vec::new() };
        for &seed in seeds {
            let run = RunResults::open(results, name, seed)?;
            arm.origins.push(Origin { seed, info: run.info()? });
            arm.runs.push(run);
        }
        Ok(arm)
    }
    pub(crate) fn gather(&mut self, places: &Places) -> Result<()> {
        self.days = self.runs.iter().map(|run| RunDay::gather(run, places)).collect::<Result<_>>()?;
        Ok(())
    }
    /// Mean over the seeds.
    pub(crate) fn mean(&self, of: impl Fn(&RunDay) -> f64) -> f64 {
        self.days.iter().map(of).sum::<f64>() / self.days.len() as f64
    }
    /// What this scenario changes against the base; seeds in which one of them has no figure are left out. Without a
    /// bootstrap, which a map of streets and hours has no time for.
    pub(crate) fn effect(&self, base: &Self, of: impl Fn(&RunDay) -> Option<f64>) -> Option<Statistics> {
        let pairs = base.days.iter().zip(&self.days);
        let pairs: Vec<(f64, f64)> = pairs.filter_map(|(base, day)| Some((of(base)?, of(day)?))).collect();
        (!pairs.is_empty()).then(|| Statistics::of(&pairs, Precision::default(), 0, 0))
    }
}
