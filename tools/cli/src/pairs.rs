//! What commands have in common that look at pairs of runs: which runs, and the form of the answer.

use crate::args::results_folder;
use crate::screen::figure;
use clap::{Args, ValueEnum, ValueHint};
use std::path::{Path, PathBuf};
use urbis_appraisal::{PairedRuns, Statistics};
use urbis_core::Result;

/// Which runs are paired.
#[derive(Debug, Args)]
pub(crate) struct PairArguments {
    /// Folder of the results
    #[arg(value_hint = ValueHint::DirPath, value_parser = results_folder)]
    pub(crate) results: PathBuf,
    /// Scenario that the others are compared with
    #[arg(long, value_name = "NAME")]
    pub(crate) base: String,
    /// Scenario to look at, may be given again [default: all others]
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Vec<String>,
    /// Leave out seeds that a scenario lacks, instead of refusing
    #[arg(long)]
    pub(crate) common_seeds: bool,
}

impl PairArguments {
    /// Opens the runs.
    pub(crate) fn open(&self) -> Result<PairedRuns> {
        PairedRuns::open(&self.results, &self.base, &self.scenario, self.common_seeds)
    }
}

/// Form of effects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum EffectFormat {
    /// A table for people
    #[default]
    Table,
    /// One JSON object for programs
    Json,
    /// Comma-separated values
    Csv,
}

/// The 95 % interval for people.
pub(crate) fn interval(found: &Statistics) -> String {
    found.interval.map_or_else(|| "-".to_owned(), |i| format!("{} to {}", figure(i.low), figure(i.high)))
}

/// A figure for programs, empty where there is none.
pub(crate) fn real(value: Option<f64>) -> String {
    value.filter(|v| v.is_finite()).map_or_else(String::new, |v| v.to_string())
}

/// How many pairs there were, and where the tables are.
pub(crate) fn where_tables_are(runs: &PairedRuns, folder: &Path) -> String {
    let seeds = runs.seeds.len();
    format!("{seeds} paired seed{}; tables in {}", if seeds == 1 { "" } else { "s" }, folder.display())
}
