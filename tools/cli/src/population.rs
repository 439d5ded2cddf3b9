//! `urbis population synthesise`: the people of a scenario and how well they fit.

use crate::args::TableFormat;
use crate::progress::Display;
use crate::screen::{figure, print, print_json, say, table};
use clap::{Args, Subcommand, ValueHint};
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use urbis::synthesis_run::{SynthesisOptions, SynthesisSummary};
use urbis_core::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum PopulationCommand {
    /// Make the households, persons and jobs of a scenario, without their day, and say how well they fit
    Synthesise(SynthesiseArguments),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Households are those of a sample ([population.synthesis] seed_households, seed_persons) or the defaults of
a country (country = \"CL\"), weighted so that every zone has the residents, ages, households, sizes, cars, jobs and
incomes that the statistics of the city say; docs/population.md lists their names.
Statistics that disagree are reconciled with a warning that names both figures.

Results: DIR/persons.parquet, DIR/households.parquet, DIR/firms.parquet (buildings with jobs, by sector) and DIR/fit.csv
(every control of every zone). The same, byte for byte, for any number of threads.

Examples:
  urbis population synthesise scenarios/monaco/baseline.toml
  urbis population synthesise scenarios/coquimbo/baseline.toml --out out/people --seed 2
  urbis population synthesise scenarios/town/baseline.toml --format json | jq '.fit[] | select(.control == \"cars\")'"
)]
pub(crate) struct SynthesiseArguments {
    /// Scenario (TOML)
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) scenario: PathBuf,
    /// Folder of the tables; other files in it are kept [default: only the report is printed]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
    /// Threads to compute on [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Seed of all random draws, in place of the scenario's
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Form of the report
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
    /// No progress on standard error; warnings and errors are still printed
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Makes the people of a scenario and prints how well they fit.
pub(crate) fn synthesise(arguments: &SynthesiseArguments) -> Result<()> {
    let options = SynthesisOptions {
        out: arguments.out.clone(),
        threads: arguments.threads.map(usize::from),
        seed: arguments.seed,
    };
    let mut display = Display::new(arguments.quiet);
    let summary = urbis::synthesis_run::synthesise(&arguments.scenario, &options, &mut |p| display.show(&p));
    display.finish();
    let summary = summary?;
    for warning in &summary.report.warnings {
        say(&format!("warning: {warning}"));
    }
    match arguments.format {
        TableFormat::Json => print_json(&as_json(&summary)),
        TableFormat::Table => print(&text(&summary)),
    }
}

fn per_second(summary: &SynthesisSummary) -> f64 {
    summary.persons as f64 / summary.synthesis_s.max(1e-9)
}

fn text(summary: &SynthesisSummary) -> String {
    let report = &summary.report;
    let rows = report.summary().into_iter().map(|of| {
        vec![
            of.control.replace('_', " "),
            of.zones.to_string(),
            figure(of.target.round()),
            figure(of.value),
            format!("{:.2}", of.mean_absolute_error),
            format!("{:.2}", 100.0 * of.mean_relative_error),
            format!("{:+.1}", of.worst_error),
            report.zone_name(of.worst_zone).to_owned(),
        ]
    });
    let header = ["control", "zones", "target", "synthetic", "mean error", "%", "largest", "zone"];
    let mut text = table(&header, &[1, 2, 3, 4, 5, 6], rows);
    text += &format!(
        "\npeople   {} persons in {} households, {} buildings with jobs (scenario={}, seed={})\n",
        figure(summary.persons as f64),
        figure(summary.households as f64),
        figure(summary.firms as f64),
        summary.scenario,
        summary.seed
    );
    text += &format!(
        "method   {} seed households, {} types, {} iterations at most, {} households exchanged, {} persons fitted",
        figure(report.seed_households as f64),
        report.types,
        report.iterations,
        figure(report.exchanged as f64),
        figure(report.fitted_persons as f64)
    );
    for (zones, what) in [(report.not_converged, "not converged"), (report.disagreeing, "whose controls disagree")] {
        if zones > 0 {
            text += &format!(", {zones} zones {what}");
        }
    }
    text += &format!(
        "\ntime     {:.3} s on {} thread{}: {} persons/s\n",
        summary.synthesis_s,
        summary.threads,
        if summary.threads == 1 { "" } else { "s" },
        figure(per_second(summary))
    );
    for file in &summary.files {
        text += &format!("file     {}\n", file.display());
    }
    text
}

fn as_json(summary: &SynthesisSummary) -> Json {
    let report = &summary.report;
    let fit: Vec<Json> = report
        .summary()
        .into_iter()
        .map(|of| {
            json!({
                "control": of.control, "zones": of.zones, "target": of.target, "synthetic": of.value,
                "mean_absolute_error": of.mean_absolute_error, "mean_relative_error": of.mean_relative_error,
                "worst_error": of.worst_error, "worst_zone": report.zone_name(of.worst_zone),
                "worst_relative_error": of.worst_relative.1,
                "worst_relative_zone": report.zone_name(of.worst_relative.0),
            })
        })
        .collect();
    json!({
        "city": summary.city, "scenario": summary.scenario, "seed": summary.seed, "persons": summary.persons,
        "households": summary.households, "firms": summary.firms, "fit": fit, "warnings": report.warnings,
        "seed_households": report.seed_households, "types": report.types, "iterations": report.iterations,
        "not_converged": report.not_converged, "disagreeing": report.disagreeing, "exchanged": report.exchanged, "fitted_persons": report.fitted_persons,
        "synthesis_s": summary.synthesis_s, "persons_per_s": per_second(summary), "threads": summary.threads,
        "files": summary.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
    })
}
