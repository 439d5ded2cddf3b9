//! `urbis compare`: what scenarios change against their base, as pairs of runs tell it.

use crate::pairs::{EffectFormat, PairArguments, interval, real, where_tables_are};
use crate::screen::{csv, figure, print, print_json, say, table};
use clap::{Args, ValueEnum, ValueHint};
use serde_json::json;
use std::path::PathBuf;
use urbis_appraisal::{Comparison, Effect, Figure, Options, Precision, State, comparison_tables};
use urbis_core::Result;

/// What `urbis compare` is asked.
#[derive(Debug, Args)]
#[command(
    after_help = "Runs are paired by seed: a seed gives every scenario the same chance, person by person, so the spread
of their differences counts and not that of the figures. Verdicts follow Student's 95 % interval of the mean difference:
higher, lower, no detectable difference (the interval includes 0), identical, or too few seeds (fewer than two).
In maps many places are tested at once; a finding is a row whose false discovery rate is at most 5 %.

Tables of all effects: RESULTS/comparison/{city,hours,zones,groups,links}.parquet, replaced as a whole.

Refused: scenarios that lack a seed (or --common-seeds), runs of different cities, versions, periods or samples, and
folders without _SUCCESS.

Examples:
  urbis run scenarios/town/baseline.toml --out out/town --seed 1      # and seeds 2 to 5, and the same of charge.toml
  urbis compare out/town --base baseline
  urbis compare out/town --base baseline --scenario charge --precision 0.02
  urbis compare out/town --base baseline --by zone
  urbis compare out/town --base baseline --format csv --by hour > hours.csv"
)]
pub(crate) struct CompareArguments {
    #[command(flatten)]
    pub(crate) pairs: PairArguments,
    /// Half width of the interval, as a share of the base, that the column of seeds is about
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = positive)]
    pub(crate) precision: f64,
    /// What to show
    #[arg(long, value_enum, default_value_t)]
    pub(crate) by: By,
    /// Show all figures in the table, not only those of the first page that differ and, in maps, the findings
    #[arg(long)]
    pub(crate) all: bool,
    /// Folder of the tables [default: RESULTS/comparison]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
    /// Form of the answer; json and csv hold all figures
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: EffectFormat,
}

/// Rows that can be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The whole city, and its zones where indicators have them
    #[default]
    City,
    /// The whole city by hour
    Hour,
    /// Zones, days and hours
    Zone,
    /// Groups of people, modes and purposes
    Group,
    /// Road links, days and hours
    Link,
}

impl By {
    /// The table that holds them.
    fn table(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Hour => "hours",
            Self::Zone => "zones",
            Self::Group => "groups",
            Self::Link => "links",
        }
    }
}

/// A figure above 0.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err("expected a number above 0".to_owned()) }
}

/// Compares, writes and prints.
pub(crate) fn run(arguments: &CompareArguments) -> Result<()> {
    let runs = arguments.pairs.open()?;
    let options = Options { precision: Precision::OfBase(arguments.precision), ..Options::default() };
    let comparison = Comparison::of(runs, options)?;
    let folder = arguments.out.clone().unwrap_or_else(|| arguments.pairs.results.join("comparison"));
    let mut effects: Vec<Effect> = Vec::new();
    comparison_tables::write(&comparison, &folder, &mut |table, effect| {
        if table == arguments.by.table() {
            effects.push(effect.clone());
        }
    })?;
    match arguments.format {
        EffectFormat::Json => print_json(&json!({
            "base": comparison.runs.base, "scenarios": comparison.runs.scenarios, "seeds": comparison.runs.seeds,
            "precision": arguments.precision, "effects": effects, "tables": folder.display().to_string(),
        }))?,
        EffectFormat::Csv => print(&csv(&CSV_HEADER, effects.iter().map(csv_row))?)?,
        EffectFormat::Table => {
            let of_first_page = |effect: &&Effect| {
                let is_shown = match arguments.by {
                    By::City => effect.figure.headline && effect.statistics.state != State::Identical,
                    _ => effect.statistics.is_finding(),
                };
                arguments.all || is_shown
            };
            let shown: Vec<Vec<String>> = effects.iter().filter(of_first_page).map(table_row).collect();
            let rest = effects.len() - shown.len();
            print(&table(&HEADER, &[3, 4, 5, 8], shown))?;
            if rest > 0 {
                let what = if arguments.by == By::City {
                    "figures that are identical or not of the first page"
                } else {
                    "rows without a finding"
                };
                say(&format!("{rest} {what} are left out; --all shows them"));
            }
        }
    }
    say(&where_tables_are(&comparison.runs, &folder));
    Ok(())
}

/// Where a figure holds: zone, link, group, hour.
fn place(figure: &Figure) -> String {
    let hour = figure.hour.map(|hour| format!("{hour}:00"));
    let parts = [&figure.zone_id, &figure.link_id, &figure.group, &hour];
    parts.into_iter().flatten().map(|part| format!(", {part}")).collect()
}

const HEADER: [&str; 9] =
    ["scenario", "figure", "unit", "base", "difference", "95 % interval", "p (q)", "verdict", "seeds needed"];

fn table_row(effect: &Effect) -> Vec<String> {
    let (what, found) = (&effect.figure, &effect.statistics);
    let dash = || "-".to_owned();
    let change = 100.0 * found.difference_mean / found.base_mean.abs();
    let percent = if change.is_finite() { format!(" ({change:+.1} %)") } else { String::new() };
    let p = |p: f64| if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") };
    vec![
        effect.scenario.clone(),
        format!("{}{}", what.indicator.replace('_', " "), place(what)),
        what.unit.clone(),
        figure(found.base_mean),
        format!("{}{percent}", figure(found.difference_mean)),
        interval(found),
        found.p.map_or_else(dash, |value| format!("{} ({})", p(value), found.q.map_or_else(dash, p))),
        found.state.name().to_owned(),
        found.seeds_needed.map_or_else(dash, |n| n.to_string()),
    ]
}

const CSV_HEADER: [&str; 23] = [
    "scenario",
    "subject",
    "indicator",
    "unit",
    "zone_id",
    "link_id",
    "group",
    "hour",
    "headline",
    "n",
    "base_mean",
    "scenario_mean",
    "difference_mean",
    "difference_sd",
    "low",
    "high",
    "bootstrap_low",
    "bootstrap_high",
    "share_positive",
    "sign_p",
    "p",
    "q",
    "state",
];

fn csv_row(effect: &Effect) -> Vec<String> {
    let (what, found) = (&effect.figure, &effect.statistics);
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        effect.scenario.clone(),
        what.subject.clone(),
        what.indicator.clone(),
        what.unit.clone(),
        word(&what.zone_id),
        word(&what.link_id),
        word(&what.group),
        what.hour.map_or_else(String::new, |hour| hour.to_string()),
        what.headline.to_string(),
        found.n.to_string(),
        real(Some(found.base_mean)),
        real(Some(found.scenario_mean)),
        real(Some(found.difference_mean)),
        real(found.difference_sd),
        real(found.interval.map(|i| i.low)),
        real(found.interval.map(|i| i.high)),
        real(found.bootstrap.map(|i| i.low)),
        real(found.bootstrap.map(|i| i.high)),
        real(Some(found.share_positive)),
        real(Some(found.sign_p)),
        real(found.p),
        real(found.q),
        found.state.name().to_owned(),
    ]
}
