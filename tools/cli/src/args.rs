//! The command line: what can be typed and what `--help` teaches about it.

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use std::path::PathBuf;
use urbis_interop::read_gmns::ReadOptions;
use urbis_interop::tntp::{LengthUnit, TimeUnit, TntpUnits};
use urbis_store::is_url;

const AFTER_HELP: &str = "\
Examples:
  urbis city build assets/monaco/city.toml --out cities/monaco
  urbis scenario check scenarios/monaco/baseline.toml
  urbis run scenarios/monaco/baseline.toml --out out/monaco
  urbis draw out/monaco --scenario baseline --seed 1 --out day.svg
  urbis batch run scenarios/town/study.toml --out out/study --jobs 2

Data goes to standard output, progress and errors to standard error.
NO_COLOR switches colours off.

Exit codes:
  0    done
  1    fault of the program, such as a broken ledger
  2    bad input, bad arguments, or a place that cannot be read or written
  3    stopped by a rule of the scenario, such as no gridlock; nothing is left that looks complete
  4    some runs of a batch failed; the others are whole
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
    /// Make the people of a scenario
    #[command(subcommand)]
    Population(crate::population::PopulationCommand),
    /// Run a scenario and write its results
    Run(RunArguments),
    /// Run studies: scenarios x seeds x parameter values
    #[command(subcommand)]
    Batch(crate::batch::BatchCommand),
    /// Run trips on a network, without a city
    #[command(subcommand)]
    Traffic(TrafficCommand),
    /// Check public transport feeds (GTFS) and find journeys by them
    #[command(subcommand)]
    Transit(crate::transit::TransitCommand),
    /// Solve the power flow of a grid, its year, and its outages
    #[command(subcommand)]
    Power(crate::power::PowerCommand),
    /// Solve a water network over its time, or make one up for a city
    #[command(subcommand)]
    Water(crate::water::WaterCommand),
    /// Simulate runoff and sewers from an input file of SWMM
    #[command(subcommand)]
    Sewer(crate::sewer::SewerCommand),
    /// Solve the flow of a gas network
    #[command(subcommand)]
    Gas(crate::gas::GasCommand),
    /// Solve flows and temperatures of a network of heat
    #[command(subcommand)]
    Heat(crate::heat::HeatCommand),
    /// Run the networks of a town together, coupled
    #[command(subcommand)]
    Town(crate::town::TownCommand),
    /// Follow failures that bring down others: in random networks beside theory, in a city
    #[command(subcommand)]
    Cascade(crate::cascade::CascadeCommand),
    /// Draw a run's day as one SVG picture
    Draw(DrawArguments),
    /// Say what scenarios change against their base, with confidence
    Compare(crate::compare::CompareArguments),
    /// Say what scenarios are worth against their base, to whom, and in which year
    Appraise(crate::appraise::AppraiseArguments),
    /// Check a city's vital signs: 73 indicators with their states
    Checkup(crate::checkup::CheckupArguments),
    /// Write a page for planners that compares the scenarios of a results folder
    Report(ReportArguments),
    /// Look into results, put them on object stores and fetch them
    #[command(subcommand)]
    Results(crate::describe::ResultsCommand),
    /// Find the static user equilibrium of a TNTP network
    Assign(AssignArguments),
    /// Print the JSON Schema of scenario or study files, for editors, or the data dictionary of results
    #[command(after_help = "Example, for editors that read a schema beside the TOML file:
  urbis schema > scenario.schema.json
  # then as first line of a scenario:  #:schema ./scenario.schema.json")]
    Schema {
        /// That of study files
        #[arg(long, conflicts_with = "tables")]
        study: bool,
        /// The data dictionary of results, in Markdown
        #[arg(long)]
        tables: bool,
    },
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
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = folder_to_write)]
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

#[derive(Debug, Subcommand)]
pub(crate) enum TrafficCommand {
    /// Move the vehicles of a table of trips over a network
    Run(TrafficRunArguments),
    /// Find routes on which nobody could save time
    Equilibrate(crate::equilibrium::EquilibrateArguments),
    /// Run MATSim plans by MATSim's own queue model, second by second, and write its events
    Matsim(crate::matsim::MatsimArguments),
    /// Write a network of MATSim, SUMO or TNTP, and its trips, as GMNS tables
    Convert(crate::convert::ConvertArguments),
    /// Write the trips that a demand matrix stands for (OMX, CSV, Parquet, TNTP)
    Demand(crate::convert::DemandArguments),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Trips are CSV (.csv, .csv.gz) or Parquet with the columns trip_id, depart_s, from_node, to_node
and optionally route (link ids separated by spaces) and vehicle_class. Trips without a route take the fastest.

Results: DIR/trips.parquet (trip_id, depart_s, arrive_s, status, ...), one row a trip in the order of the file;
DIR/summary.json, written last; DIR/gridlock.parquet where there was any; with --interval DIR/link_state.parquet
(flow, speed, delay, queue, toll, fuel, CO2, NOx, particles, electricity) and DIR/signals.parquet; on request
DIR/crossings.parquet, DIR/trajectories.parquet and DIR/events.xml.gz; with --join-short, --turn-pockets or --lane-groups
DIR/link_parts.parquet, which links of the file are in each link of the run.
The tables are the same, byte for byte, for any number of threads.

Examples:
  urbis traffic run --network assets/coquimbo/network --trips trips.csv --out out/trips
  urbis traffic run --network net --trips trips.parquet --out out/trips --threads 2 --interval 900
  urbis traffic run --network town.net.xml --trips town.rou.xml --out out/town --signals actuated --trajectories J7,200"
)]
pub(crate) struct TrafficRunArguments {
    /// Network: GMNS folder with node.csv, link.csv and, better, config.csv; or a file of MATSim, SUMO or TNTP
    #[arg(long, value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) network: PathBuf,
    #[command(flatten)]
    pub(crate) units: UnitArguments,
    /// Trips (.csv, .csv.gz, .parquet), MATSim plans or SUMO demand (.xml, .xml.gz)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) trips: PathBuf,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Threads to compute on [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Second at which the run ends [default: when all have arrived or nothing moves any more]
    #[arg(long, value_name = "S")]
    pub(crate) until: Option<f64>,
    /// What happens where single trips or links cannot be served; malformed files always stop
    #[arg(long, value_enum, default_value_t)]
    pub(crate) on_error: OnErrorChoice,
    /// Travel times by which trips without a route choose one
    #[arg(long, value_enum, default_value_t)]
    pub(crate) routes: RoutesChoice,
    /// What happens to rings of full links that block themselves
    #[arg(long, value_enum, default_value_t)]
    pub(crate) gridlock: GridlockChoice,
    /// What traffic lights follow
    #[arg(long, value_enum, default_value_t)]
    pub(crate) signals: SignalsChoice,
    /// Write the state of every used link and traffic light for each interval of so many seconds
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) interval: Option<u32>,
    /// Write every vehicle and link it left, with the times; large
    #[arg(long)]
    pub(crate) crossings: bool,
    /// Write where vehicles were on the links within so many metres of a node
    #[arg(long, value_name = "NODE,METRES", value_parser = around)]
    pub(crate) trajectories: Option<urbis::traffic_run::Around>,
    /// Share of drivers (0 to 1) who hear of the roads every five minutes and turn off where it pays
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) informed: f64,
    /// Join links that take less than a second with the next, where no ways part
    #[arg(long)]
    pub(crate) join_short: bool,
    /// Give left turns at signals a lane of their own of this length
    #[arg(long, value_name = "METRES")]
    pub(crate) turn_pockets: Option<f64>,
    /// Let lanes queue apart where the files say where each leads (SUMO connections, GMNS movements), as long as turn
    /// pockets, or 60 m
    #[arg(long)]
    pub(crate) lane_groups: bool,
    /// Traffic keeps left: turn pockets are for right turns
    #[arg(long, requires = "turn_pockets")]
    pub(crate) keep_left: bool,
    /// Write MATSim's events, events.xml.gz; large
    #[arg(long)]
    pub(crate) events: bool,
    /// Form of the figures at the end
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
    /// No progress and notes on standard error; warnings and errors are still printed
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Units of networks whose files have none.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct UnitArguments {
    /// Unit of lengths of a TNTP network [default: km, with a note]
    #[arg(long, value_enum, value_name = "UNIT")]
    pub(crate) length_unit: Option<LengthUnitChoice>,
    /// Unit of times of a TNTP network [default: min, with a note]
    #[arg(long, value_enum, value_name = "UNIT")]
    pub(crate) time_unit: Option<TimeUnitChoice>,
}

impl UnitArguments {
    pub(crate) fn units(self) -> TntpUnits {
        TntpUnits {
            length: self.length_unit.map(|unit| match unit {
                LengthUnitChoice::M => LengthUnit::Metres,
                LengthUnitChoice::Km => LengthUnit::Kilometres,
                LengthUnitChoice::Mi => LengthUnit::Miles,
                LengthUnitChoice::Ft => LengthUnit::Feet,
            }),
            time: self.time_unit.map(|unit| match unit {
                TimeUnitChoice::S => TimeUnit::Seconds,
                TimeUnitChoice::Min => TimeUnit::Minutes,
                TimeUnitChoice::H => TimeUnit::Hours,
            }),
        }
    }
    /// How a network is taken in.
    pub(crate) fn options(self) -> ReadOptions {
        ReadOptions { tntp: self.units(), ..ReadOptions::default() }
    }
}

/// Unit of lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LengthUnitChoice {
    /// Metres
    M,
    /// Kilometres
    Km,
    /// Miles
    Mi,
    /// Feet
    Ft,
}

/// Unit of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimeUnitChoice {
    /// Seconds
    S,
    /// Minutes
    Min,
    /// Hours
    H,
}

/// What happens where single trips or links cannot be served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnErrorChoice {
    /// They are counted and shown by examples, the run goes on
    #[default]
    Continue,
    /// They are errors
    Stop,
}

/// Travel times by which routes are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoutesChoice {
    /// Measured in the run every 300 s, smoothed
    #[default]
    Measured,
    /// Those of empty roads
    FreeFlow,
}

/// What traffic lights follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignalsChoice {
    /// No lights: links that end at signals have the share of their capacity that is green
    None,
    /// The plans that come with the network (GMNS signal tables, SUMO tlLogic), where it has any
    #[default]
    Plans,
    /// Plans by Webster's method at all signals of the network
    Fixed,
    /// Greens that last while vehicles come
    Actuated,
    /// Greens for the largest pressure
    MaxPressure,
}

/// `NODE,METRES`.
fn around(text: &str) -> Result<urbis::traffic_run::Around, String> {
    let (node, radius) = text.rsplit_once(',').ok_or("expected a node and metres, such as 17,200")?;
    let radius_m = radius.trim().parse().ok().filter(|metres: &f64| metres.is_finite() && *metres >= 0.0);
    let radius_m = radius_m.ok_or_else(|| format!("{radius} is no distance in metres of at least 0"))?;
    Ok(urbis::traffic_run::Around { node: node.to_owned(), radius_m })
}

/// What happens to rings of full links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum GridlockChoice {
    /// Every head moves up by one link at each look, as drivers close up
    #[default]
    Release,
    /// They stay, and are reported
    Report,
    /// The run stops, with exit code 3
    Stop,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  urbis draw out/monaco --scenario baseline --seed 1 --out day.svg")]
pub(crate) struct DrawArguments {
    /// Folder of the results
    #[arg(value_hint = ValueHint::DirPath, value_parser = results_folder)]
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

#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Cost of a link: free_flow_time * (1 + b * (flow / capacity)^power) + A * toll + B * length.
Results in DIR: link_flows.parquet (from_node, to_node, flow, cost; links in the order of NET),
convergence.parquet (iteration, relative_gap, beckmann, wall_s), and summary.json once both are whole.
Flows are the same, bit for bit, for any number of threads.
Demand without a path or to unknown nodes is reported, counted and left out; the exit code stays 0.
If the gap is not reached, everything is written, summary.json says converged: false, and the exit code is 2.

Examples:
  urbis assign --network SiouxFalls_net.tntp --trips SiouxFalls_trips.tntp --out out/siouxfalls
  urbis assign --network ChicagoSketch_net.tntp --trips ChicagoSketch_trips.tntp \\
      --toll-weight 0.02 --distance-weight 0.04 --gap 1e-10 --out out/chicago"
)]
pub(crate) struct AssignArguments {
    /// Network (TNTP)
    #[arg(long, value_name = "NET.tntp", value_hint = ValueHint::FilePath)]
    pub(crate) network: PathBuf,
    /// Trips between zones (TNTP)
    #[arg(long, value_name = "TRIPS.tntp", value_hint = ValueHint::FilePath)]
    pub(crate) trips: PathBuf,
    /// Cost of one unit of toll, in units of time
    #[arg(long, value_name = "A", default_value_t = 0.0)]
    pub(crate) toll_weight: f64,
    /// Cost of one unit of length, in units of time
    #[arg(long, value_name = "B", default_value_t = 0.0)]
    pub(crate) distance_weight: f64,
    /// Relative gap that is good enough
    #[arg(long, value_name = "G", default_value_t = 1e-6)]
    pub(crate) gap: f64,
    /// Go on below the gap until flows of links change by less than this share; inf to stop at the gap
    #[arg(long, value_name = "S", default_value_t = 1e-5)]
    pub(crate) settle: f64,
    /// Iterations at most
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) max_iterations: u32,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
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

#[derive(Debug, Args)]
#[command(after_help = "The page holds everything it shows: it opens from the disk, without server and network.

Example:
  urbis report out/monaco --base baseline --out report.html")]
pub(crate) struct ReportArguments {
    /// Folder of the results
    #[arg(value_hint = ValueHint::DirPath, value_parser = results_folder)]
    pub(crate) results: PathBuf,
    /// Scenario the others are compared with [default: baseline, else the first by name]
    #[arg(long, value_name = "NAME")]
    pub(crate) base: Option<String>,
    /// Panel with figures that no run has, for the check-up (.csv, .parquet)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) figures: Option<PathBuf>,
    /// The page
    #[arg(long, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
    /// Language it opens in; it can be switched on the page
    #[arg(long, value_enum, default_value_t)]
    pub(crate) language: LanguageChoice,
}

/// Languages of reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LanguageChoice {
    /// English
    #[default]
    En,
    /// Chinese
    Zh,
}

/// A folder of results to read: what is on an object store has to be fetched first.
pub(crate) fn results_folder(text: &str) -> Result<PathBuf, String> {
    match is_url(text) {
        true => Err(format!("pull it first: `urbis results pull {text} DIR`")),
        false => Ok(text.into()),
    }
}

/// A folder of results to write, from which they can go to an object store.
fn folder_to_write(text: &str) -> Result<PathBuf, String> {
    match is_url(text) {
        true => Err(format!("run into a folder, then `urbis results push DIR {text}`")),
        false => Ok(text.into()),
    }
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
