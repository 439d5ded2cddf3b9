//! `urbis compare`: what scenarios change against their base, as pairs of runs tell it.

use crate::args::TableFormat;
use crate::screen::{figure, print, print_json, table};
use clap::{Args, ValueHint};
use serde_json::json;
use std::path::PathBuf;
use urbis_appraisal::{Comparison, Effect, Interval, Options, PairedRuns, Precision};
use urbis_core::Result;

/// What `urbis compare` is asked.
#[derive(Debug, Args)]
#[command(after_help = "Runs are paired by seed: the same seed has the same chance in every scenario.

Example:
  urbis compare out/town --base baseline --precision 0.02")]
pub(crate) struct CompareArguments {
    /// Folder of the results
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) results: PathBuf,
    /// Scenario that the others are compared with
    #[arg(long, value_name = "NAME")]
    pub(crate) base: String,
    /// Scenario to compare, may be given again [default: all others]
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Vec<String>,
    /// Half width of the interval, as a share of the base, that the column of seeds is about
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    pub(crate) precision: f64,
    /// Leave out seeds that a scenario lacks
    #[arg(long)]
    pub(crate) common_seeds: bool,
    /// All figures, not only those of the first page
    #[arg(long)]
    pub(crate) all: bool,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

/// Compares and prints.
pub(crate) fn run(arguments: &CompareArguments) -> Result<()> {
    let runs = PairedRuns::open(&arguments.results, &arguments.base, &arguments.scenario, arguments.common_seeds)?;
    let options = Options { precision: Precision::OfBase(arguments.precision), ..Options::default() };
    let comparison = Comparison::of(runs, options)?;
    let shown = comparison.kpis.iter().filter(|effect| arguments.all || effect.figure.headline);
    match arguments.format {
        TableFormat::Json => print_json(&json!({
            "base": comparison.runs.base, "scenarios": comparison.runs.scenarios, "seeds": comparison.runs.seeds,
            "kpis": shown.map(as_json).collect::<Vec<_>>(),
        })),
        TableFormat::Table => {
            let header =
                ["scenario", "figure", "unit", "base", "difference", "95 % interval", "verdict", "seeds needed"];
            print(&table(&header, &[3, 4, 5, 7], shown.map(as_row)))
        }
    }
}

fn as_row(effect: &Effect) -> Vec<String> {
    let (what, found) = (&effect.figure, &effect.statistics);
    let zone = what.zone_id.as_ref().map(|zone| format!(", {zone}")).unwrap_or_default();
    let dash = || "-".to_owned();
    vec![
        effect.scenario.clone(),
        format!("{}{zone}", what.indicator.replace('_', " ")),
        what.unit.clone(),
        figure(found.base_mean),
        figure(found.difference_mean),
        found.interval.map_or_else(dash, |i| format!("{} to {}", figure(i.low), figure(i.high))),
        found.state.name().to_owned(),
        found.seeds_needed.map_or_else(dash, |n| n.to_string()),
    ]
}

fn as_json(effect: &Effect) -> serde_json::Value {
    let (what, found) = (&effect.figure, &effect.statistics);
    let ends = |interval: Option<Interval>| interval.map(|i| [i.low, i.high]);
    json!({
        "scenario": effect.scenario, "subject": what.subject, "indicator": what.indicator, "unit": what.unit,
        "zone_id": what.zone_id, "headline": what.headline, "n": found.n, "base_mean": found.base_mean,
        "scenario_mean": found.scenario_mean, "difference_mean": found.difference_mean,
        "difference_sd": found.difference_sd, "interval": ends(found.interval), "bootstrap": ends(found.bootstrap),
        "independent": ends(found.independent), "share_positive": found.share_positive, "sign_p": found.sign_p,
        "p": found.p, "q": found.q, "seeds_needed": found.seeds_needed, "state": found.state.name(),
    })
}
