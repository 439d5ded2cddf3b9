//! The command line: what can be typed and what `--help` teaches about it.

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Examples:
  urbis city build assets/monaco/city.toml --out cities/monaco
  urbis scenario check scenarios/monaco/baseline.toml
  urbis run scenarios/monaco/baseline.toml --out out/monaco
  urbis draw out/monaco --scenario baseline --seed 1 --out day.svg

Data goes to standard output, progress and errors to standard error.
NO_COLOR switches colours off.

Exit codes:
  0    done
  1    fault of the program, such as a broken ledger
  2    bad input, bad arguments, or a place that cannot be read or written
  130  stopped by Ctrl-C; nothing is left that looks complete";

/// Simulates a city: its people, traffic and utility networks on one clock.
#[derive(Debug, Parser)]
#[command(name = "urbis", version, propagate_version = true, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build and look at city packages
    #[command(subcommand)]
    City(CityCommand),
    /// Check and show scenarios
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// Run a scenario and write its results
    Run(RunArguments),
    /// Draw a run's day as one SVG picture
    Draw(DrawArguments),
    /// Print the JSON Schema of scenario files, for editors
    #[command(after_help = "Example, for editors that read a schema beside the TOML file:
  urbis schema > scenario.schema.json
  # then as first line of a scenario:  #:schema ./scenario.schema.json")]
    Schema,
    /// Print shell completions
    #[command(after_help = "Example:
  urbis completions bash > ~/.local/share/bash-completion/completions/urbis")]
    Completions {
        /// The shell they are for
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CityCommand {
    /// Build a city package out of raw GIS files
    #[command(after_help = "A recipe (TOML) names the files: OpenStreetMap extract, boundary, zones, statistics.
A package that is already there and was built from the same recipe, files and version is left as it is.

Example:
  urbis city build assets/monaco/city.toml --out cities/monaco")]
    Build {
        /// Recipe of the city (TOML)
        #[arg(value_hint = ValueHint::FilePath)]
        recipe: PathBuf,
        /// Folder of the city package; replaced when it is out of date
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: PathBuf,
    },
    /// Say what is in a city package, where it comes from and what it lacks
    Info {
        /// Folder of the city package
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        package: PathBuf,
        /// Form of the answer
        #[arg(long, value_enum, default_value_t)]
        format: TableFormat,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScenarioCommand {
    /// Report everything that is wrong with a scenario, at once
    Check {
        /// Scenario (TOML)
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Print the resolved scenario, defaults and bases included, and what it changes in its base
    #[command(after_help = "The TOML that is printed is itself a scenario; differences are comments at its top.")]
    Show {
        /// Scenario (TOML)
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Form of the answer
        #[arg(long, value_enum, default_value_t)]
        format: ScenarioFormat,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Results: DIR/<table>/scenario=<name>/seed=<n>/part-0.parquet, and _SUCCESS once all of them are
whole. They are the same, byte for byte, for any number of threads.
Ctrl-C stops at the next tick and leaves nothing that looks complete; Ctrl-C again stops at once.

Examples:
  urbis run scenarios/monaco/baseline.toml --out out/monaco
  urbis run scenarios/monaco/baseline.toml --out out/monaco --seed 2 --threads 8
  urbis run scenarios/monaco/baseline.toml --out out/monaco --format json | jq '.kpis[] | select(.headline)'"
)]
pub(crate) struct RunArguments {
    /// Scenario (TOML)
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) scenario: PathBuf,
    /// Folder of the results; other scenarios and seeds in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Threads to compute on [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Seed of all random draws, in place of the scenario's
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Form of the figures at the end
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
    /// No progress on standard error; figures and errors are still printed
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  urbis draw out/monaco --scenario baseline --seed 1 --out day.svg")]
pub(crate) struct DrawArguments {
    /// Folder of the results
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) results: PathBuf,
    /// Name of the scenario
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: String,
    /// Seed of the run
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The picture
    #[arg(long, value_name = "FILE.svg", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
}

/// Form of an answer for people or programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// A table for people
    #[default]
    Table,
    /// One JSON object for programs
    Json,
}

/// Form of a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScenarioFormat {
    /// A scenario file
    #[default]
    Toml,
    /// One JSON object for programs
    Json,
}
