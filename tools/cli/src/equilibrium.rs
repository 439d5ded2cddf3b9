//! `urbis traffic equilibrate`: routes of a table of trips in dynamic user equilibrium.

use crate::args::{TableFormat, UnitArguments};
use crate::screen::{figure, print, print_json, say, table};
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;
use urbis::equilibrium::{TripsOutcome, equilibrate_trips, static_times_s, write_equilibrium};
use urbis_assignment::dynamic::{DayOptions, Logit, Options, Search, Start, Switching};
use urbis_core::Result;
use urbis_interop::read_network;

#[derive(Debug, Args)]
#[command(
    after_help = "Each day simulates all trips; the relative gap is the share of their travel time that they would have
saved on the best routes under the day's measured times. Some change, and the next day begins. Given routes
are those of the first day.

Results in DIR: trips.parquet (trip_id, depart_s, arrive_s, status, from_node, to_node, route, cost_s), which
`urbis traffic run` reads; convergence.parquet (day, relative_gap, total_travel_time_s, switched, ...);
summary.json, written last. The tables are the same, byte for byte, for any number of threads.

Example:
  urbis traffic equilibrate --network net --trips trips.csv --out out/equilibrium --gap 0.005
  urbis traffic equilibrate --network net --trips trips.csv --out out/equilibrium --start static"
)]
pub(crate) struct EquilibrateArguments {
    /// Network, as `urbis traffic run` reads it
    #[arg(long, value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) network: PathBuf,
    #[command(flatten)]
    pub(crate) units: UnitArguments,
    /// Trips (.csv, .csv.gz, .parquet)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) trips: PathBuf,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Relative gap that is good enough
    #[arg(long, value_name = "G", default_value_t = 0.01)]
    pub(crate) gap: f64,
    /// Days at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) days: u32,
    /// Length of the bins in which travel times are measured, seconds
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) bin: u32,
    /// Second at which days end at the latest
    #[arg(long, value_name = "S", default_value_t = 172_800)]
    pub(crate) until: u32,
    /// Routes of the first day, where the table has none
    #[arg(long, value_enum, default_value_t)]
    pub(crate) start: StartChoice,
    /// Who changes: by gain, or a falling share of all
    #[arg(long, value_enum, default_value_t)]
    pub(crate) switching: SwitchingChoice,
    /// Routes by path-size logit of this sensitivity, 1/s, in place of the best [default: the best]
    #[arg(long, value_name = "THETA")]
    pub(crate) theta: Option<f64>,
    /// Weight of the logarithm of the path size; 0 is the plain logit
    #[arg(long, value_name = "W", default_value_t = 1.0, requires = "theta")]
    pub(crate) path_size: f64,
    /// How the best routes are found
    #[arg(long, value_enum, default_value_t)]
    pub(crate) search: SearchChoice,
    /// Seed of all random draws
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Threads to compute on [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Form of the figures at the end
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
    /// No progress on standard error; figures, warnings and errors are still printed
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Routes of the first day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum StartChoice {
    /// The fastest on an empty network
    #[default]
    Empty,
    /// The fastest by the times of a static assignment of the same trips
    Static,
}

/// Who takes a better route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SwitchingChoice {
    /// With a probability that grows with the gain
    #[default]
    Gain,
    /// Everybody with probability 1 / (day + 1)
    Averages,
}

/// How the best routes are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SearchChoice {
    /// Exactly, for each moment of departure
    #[default]
    Exact,
    /// Under the times at the departure bin: faster on large networks; the gap is then a lower bound
    ByBin,
}

/// Reads, equilibrates, writes, and says how far it came.
pub(crate) fn run(arguments: &EquilibrateArguments) -> Result<()> {
    let threads = arguments.threads.map_or(0, usize::from);
    // Without the wanted threads the common pool does the same work.
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(|| equilibrate(arguments)),
        Err(_) => equilibrate(arguments),
    }
}

fn equilibrate(arguments: &EquilibrateArguments) -> Result<()> {
    let read = read_network::read(&arguments.network, &arguments.units.options())?;
    let file = read_network::read_trips(&arguments.trips, &read)?;
    for note in read.network.notes.iter().chain(&file.notes).filter(|_| !arguments.quiet) {
        say(&format!("note: {note}"));
    }
    for warning in &read.warnings {
        say(&format!("warning: {}: {}", warning.kind.replace('_', " "), warning.count));
    }
    for problem in file.faults.problems().listed() {
        say(&format!("warning: {problem}"));
    }
    let (roads, trips) = (read.network, file.trips);
    let logit = arguments.theta.map(|theta_per_s| Logit {
        theta_per_s,
        path_size_weight: arguments.path_size,
        ..Logit::default()
    });
    let start = match arguments.start {
        StartChoice::Empty => Start::Empty,
        StartChoice::Static => Start::LinkTimes(static_times_s(&roads, &trips)?),
    };
    let options = Options {
        start,
        seed: arguments.seed,
        days_max: arguments.days,
        gap: arguments.gap,
        day: DayOptions { bin_s: arguments.bin, horizon_s: arguments.until, ..DayOptions::default() },
        search: match arguments.search {
            SearchChoice::Exact => Search::Exact,
            SearchChoice::ByBin => Search::ByBin,
        },
        switching: match arguments.switching {
            SwitchingChoice::Gain => Switching::default(),
            SwitchingChoice::Averages => Switching::Averages,
        },
        logit,
        ..Options::default()
    };
    let result = equilibrate_trips(&roads, &trips, &options, &mut |day| {
        if !arguments.quiet {
            say(&format!(
                "day {}: relative gap {:.5}, mean cost {:.1} s, {} switched",
                day.day, day.relative_gap, day.mean_cost_s, day.switched
            ));
        }
        true
    })?;
    write_equilibrium(&arguments.out, &roads, &trips, &result)?;
    warn(&result);
    match arguments.format {
        TableFormat::Json => print_json(&result.to_json()),
        TableFormat::Table => print(&text(&result)),
    }
}

/// Says what could not be served; never left out, as nothing is dropped silently.
fn warn(result: &TripsOutcome) {
    let unconnected: Vec<u32> = result.outcome.unconnected.iter().map(|&trip| result.rows[trip as usize]).collect();
    let kinds = [
        ("rows that cannot be trips (unknown node, impossible departure)", &result.rejected),
        ("trips between nodes that no way joins", &unconnected),
        ("given routes that do not lead from origin to destination, not used", &result.bad_routes),
    ];
    for (what, rows) in kinds.into_iter().filter(|(_, rows)| !rows.is_empty()) {
        let examples: Vec<String> = rows.iter().take(5).map(|row| (row + 1).to_string()).collect();
        say(&format!("warning: {} {what}, such as row {}", rows.len(), examples.join(", ")));
    }
}

fn text(result: &TripsOutcome) -> String {
    let Some(last) = result.outcome.days.last() else { return String::new() };
    let rows = [
        ("trips", figure(result.status.len() as f64)),
        ("arrived", figure(last.arrived as f64)),
        ("days", last.day.to_string()),
        ("relative gap", format!("{:.6}", last.relative_gap)),
        ("mean cost, s", format!("{:.1}", last.mean_cost_s)),
        ("total travel time, s", figure(last.total_travel_time_s)),
        ("distinct routes", figure(result.outcome.table.len() as f64)),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]).to_vec();
    format!("{}\n", table(&["figure", "value"], &[1], rows))
}
