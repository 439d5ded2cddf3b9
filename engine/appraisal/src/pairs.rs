//! Runs of a base and of other scenarios, paired by seed. Runs that cannot be compared are refused with both sides named.

use crate::read::{RunInfo, RunResults, runs_in};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Problem, Problems, Result};
use urbis_output::Marker;
use urbis_output::marker::MARKER;

/// Runs of several scenarios with the same seeds.
#[derive(Clone, Debug)]
pub struct PairedRuns {
    /// The results folder.
    pub results: PathBuf,
    /// Name of the scenario that the others are compared with.
    pub base: String,
    /// Names of the others, sorted unless they were named.
    pub scenarios: Vec<String>,
    /// The seeds that every one of them has, ascending.
    pub seeds: Vec<u64>,
    /// Title by scenario, the base's among them.
    pub titles: BTreeMap<String, String>,
    /// What table `runs` says of the base's first run.
    pub info: RunInfo,
}

impl PairedRuns {
    /// Pairs the runs of a folder. No scenario named means all but the base; `common_seeds` leaves out seeds that one of
    /// them lacks instead of refusing.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] when the folder is not finished, a name is unknown, seeds are missing, or runs differ
    /// in city, versions, period or sample.
    pub fn open(results: &Path, base: &str, scenarios: &[String], common_seeds: bool) -> Result<Self> {
        if Marker::read(results)?.files.is_empty() {
            let problem = Problem::file(&results.join(MARKER), "missing, so this is no finished results folder");
            return Err(problem.with_help("run the scenarios to their end, then compare").into());
        }
        let mut seeds_of: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for (scenario, seed) in runs_in(results)? {
            seeds_of.entry(scenario).or_default().insert(seed);
        }
        let mut problems = Problems::new();
        for name in std::iter::once(base).chain(scenarios.iter().map(String::as_str)) {
            if !seeds_of.contains_key(name) {
                problems.push(unknown_scenario(results, name, &seeds_of));
            }
        }
        problems.or_else(())?;
        let scenarios: Vec<String> = if scenarios.is_empty() {
            seeds_of.keys().filter(|name| *name != base).cloned().collect()
        } else {
            let mut named: Vec<String> = Vec::new();
            for name in scenarios {
                if name != base && !named.contains(name) {
                    named.push(name.clone());
                }
            }
            named
        };
        if scenarios.is_empty() {
            let what = format!("no scenario besides {base}, so there is nothing to compare it with");
            return Err(Problem::file(results, what).with_help("run another scenario into the same folder").into());
        }
        let seeds = paired_seeds(results, base, &scenarios, &seeds_of, common_seeds)?;
        let (info, titles) = alike(results, base, &scenarios, &seeds)?;
        Ok(Self { results: results.to_owned(), base: base.to_owned(), scenarios, seeds, titles, info })
    }

    /// The run of a scenario.
    ///
    /// # Errors
    /// As [`RunResults::open`].
    pub fn run(&self, scenario: &str, seed: u64) -> Result<RunResults> {
        RunResults::open(&self.results, scenario, seed)
    }

    /// What tables made of them say in their footers.
    pub(crate) fn about(&self) -> Vec<(&'static str, String)> {
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        vec![
            ("urbis.base", self.base.clone()),
            ("urbis.seeds", seeds.join(",")),
            ("urbis.city_hash", self.info.city_hash.clone()),
        ]
    }

    /// Length of the period in days.
    #[must_use]
    pub fn days(&self) -> f64 {
        self.info.duration_s / 86_400.0
    }
}

/// A scenario that is not among the runs, with a near name.
pub(crate) fn unknown_scenario(results: &Path, name: &str, known: &BTreeMap<String, BTreeSet<u64>>) -> Problem {
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    let guess = did_you_mean(name, names.iter().copied()).map(|n| format!("did you mean `{n}`? ")).unwrap_or_default();
    Problem::file(results, format!("no finished run of scenario {name}"))
        .with_help(format!("{guess}scenarios here: {}", names.join(", ")))
}

fn listed(seeds: &BTreeSet<u64>) -> String {
    seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

fn paired_seeds(
    results: &Path,
    base: &str,
    scenarios: &[String],
    seeds_of: &BTreeMap<String, BTreeSet<u64>>,
    common_only: bool,
) -> Result<Vec<u64>> {
    let mut common = seeds_of[base].clone();
    let mut problems = Problems::new();
    for scenario in scenarios {
        for (one, other) in [(base, scenario.as_str()), (scenario.as_str(), base)] {
            let missing: BTreeSet<u64> = seeds_of[one].difference(&seeds_of[other]).copied().collect();
            if !missing.is_empty() && !common_only {
                let what = format!("scenario {other} lacks seeds that {one} has: {}", listed(&missing));
                let help = "run them, or compare the seeds that both have with --common-seeds";
                problems.push(Problem::file(results, what).with_help(help));
            }
        }
        common.retain(|seed| seeds_of[scenario].contains(seed));
    }
    problems.or_else(())?;
    if common.is_empty() {
        let what = format!("scenarios {base} and {} have no seed in common", scenarios.join(", "));
        return Err(Problem::file(results, what).with_help("run them with the same seeds").into());
    }
    Ok(common.into_iter().collect())
}

/// Refuses runs that differ in what a comparison takes as given.
fn alike(
    results: &Path,
    base: &str,
    scenarios: &[String],
    seeds: &[u64],
) -> Result<(RunInfo, BTreeMap<String, String>)> {
    let first = RunResults::open(results, base, seeds[0])?.info()?;
    let mut titles = BTreeMap::new();
    let mut problems = Problems::new();
    for scenario in std::iter::once(base).chain(scenarios.iter().map(String::as_str)) {
        for &seed in seeds {
            let info = RunResults::open(results, scenario, seed)?.info()?;
            for (what, ours, theirs) in [
                ("city", &first.city_hash, &info.city_hash),
                ("version of the tables", &first.schema_version, &info.schema_version),
                ("version of the program", &first.urbis_version, &info.urbis_version),
                ("start of the period (Unix ms)", &first.start_utc_ms.to_string(), &info.start_utc_ms.to_string()),
                ("length of the period (s)", &first.duration_s.to_string(), &info.duration_s.to_string()),
                ("sample factor", &first.sample_factor.to_string(), &info.sample_factor.to_string()),
            ] {
                if ours != theirs {
                    let what = format!(
                        "{what} differs: {ours} in {base} seed {}, {theirs} in {scenario} seed {seed}",
                        seeds[0]
                    );
                    problems.push(Problem::file(results, what).with_help("only runs that share it can be compared"));
                }
            }
            titles.entry(scenario.to_owned()).or_insert(info.title);
        }
    }
    problems.or_else((first, titles))
}
