//! `urbis power`: power flow of a grid from its file, without a city.

use crate::args::TableFormat;
use crate::screen::{csv, print, print_json, say};
use crate::solved::{FormatChoice, Solved};
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::{Path, PathBuf};
use urbis::plan_folder::PlanOptions;
use urbis::power_controls::ControlOptions;
use urbis::power_run::{PowerOptions, PowerSummary};
use urbis::power_series::SeriesOptions;
use urbis::utility::power::profile::{LoadProfiles, day_of_year, holidays_of_germany};
use urbis::utility::power::series::OnFailure;
use urbis::utility::power::{Method, Start};
use urbis_core::files::write_whole;
use urbis_core::{Problem, Result};

#[derive(Debug, Subcommand)]
pub(crate) enum PowerCommand {
    /// Solve one state of a grid: voltages of buses, flows of branches, losses
    #[command(
        after_help = "Results in DIR: bus.parquet (bus_id, base_kv, kind, is_energised, vm_pu, va_deg, p_load_mw, q_load_mvar),
branch.parquet (branch_id, from_bus, to_bus, is_closed, p_from_mw, q_from_mvar, p_to_mw, q_to_mvar, loading_pct),
and summary.json once both are whole. Parts of the grid without a source are flagged and counted.
With --three-phase, bus has vm_a_pu, va_a_deg and so on for phases b and c, and unbalance_pct; branch has p_a_from_mw and so
on. If a part does not converge, everything is written, summary.json says converged: false with the worst buses,
and the exit code is 2.

Examples:
  urbis power solve case118.m --out out/case118
  urbis power solve case33bw.m --out out/feeder --method sweep --tables csv
  urbis power solve net.json --out out/net --enforce-q-limits --control-taps=1.02
  urbis power solve net.json.gz --out out/phases --three-phase"
    )]
    Solve(SolveArguments),
    /// Solve the steps of a year: loads and generators follow profiles
    #[command(
        after_help = "PROFILES (CSV, .csv.gz): a row for each step, the first column names it, each other is a profile.
FOLLOWS (CSV): element (load or generator), id (as the case names it, or * for all others), profile, factor. In a
MATPOWER case a load is named by its bus, in a net of pandapower `load 3` or, feeding in, `sgen 3`, in a grid of
power-grid-model `sym_load 3`.
Results in DIR: totals (a row for each step), bus_day and branch_day (extremes of days), exceptions (beyond limits);
with --full also the folders bus_state and branch_state. Steps are the same, bit for bit, for any number of threads.

Example:
  urbis power series grid.m --profiles year.csv --follows follows.csv --out out/year
  printf 'element,id,profile\\nload,*,h0\\n' > follows.csv        # every load follows profile h0"
    )]
    Series(SeriesArguments),
    /// Take out every branch once: who loses supply, what is overloaded
    #[command(
        after_help = "Results in DIR: n1 (branch_id, lost_buses, lost_loads, lost_mw, lowest and highest voltage, largest loading, and
where), a row for each branch in service, and summary.json.

Example:
  urbis power n1 case118.m --out out/case118-n1"
    )]
    N1(CaseArguments),
    /// Write standard load profiles of a year, for `series`
    #[command(
        after_help = "Profiles of BDEW: households h0 (1999) and h25, p25, s25 (2025; with photovoltaics, and a battery), commerce g0 to g6
and g25, farms l0 to l2 and l25. Times are local winter time all year.

Example:
  urbis power profiles --year 2024 --out year.csv"
    )]
    Profiles(ProfileArguments),
    /// Make up the distribution grid of a city: stations, cables along its streets, a connection for every building
    #[command(
        after_help = "For cities whose grid is not at hand: peaks are estimated from buildings, equipment is standard, and all of it is marked
synthetic. Results in DIR: bus and branch (GeoParquet), station, building, figures (beside published ones), summary.json.

Examples:
  urbis power plan cities/monaco --out out/monaco-grid
  ogr2ogr grid.gpkg out/monaco-grid/branch.parquet            # or open it in QGIS as it is"
    )]
    Plan(PlanArguments),
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// City package (folder)
    #[arg(value_name = "CITY", value_hint = ValueHint::DirPath)]
    package: PathBuf,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Settings (TOML), in place of the defaults
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    settings: Option<PathBuf>,
    /// Cables, transformers and customers (TOML), in place of assets/power/synthetic_grid.toml
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    equipment: Option<PathBuf>,
    /// Form of the figures at the end
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ProfileArguments {
    /// Year
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i16).range(1900..=2999))]
    year: i16,
    /// Minutes of a step: a mean over its quarter hours
    #[arg(long, value_enum, default_value_t)]
    step: StepChoice,
    /// Holidays, which are taken for Sundays
    #[arg(long, value_enum, default_value_t)]
    holidays: HolidayChoice,
    /// What a profile's values are
    #[arg(long, value_enum, default_value_t)]
    scale: ScaleChoice,
    /// The table (CSV)
    #[arg(long, value_name = "FILE.csv", value_hint = ValueHint::FilePath)]
    out: PathBuf,
}

/// Steps of profiles.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum StepChoice {
    /// Quarter hours
    #[value(name = "15")]
    Quarter,
    /// Hours
    #[default]
    #[value(name = "60")]
    Hour,
}

/// Holidays of profiles.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum HolidayChoice {
    /// Those of the whole of Germany
    #[default]
    De,
    /// None
    None,
}

/// Scales of profiles.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ScaleChoice {
    /// Shares of the profile's own highest value: a load of the case is the highest of its year
    #[default]
    Peak,
    /// Kilowatts of a customer of 1,000 kWh a year
    Energy,
}

#[derive(Debug, Args)]
pub(crate) struct CaseArguments {
    /// Grid: a MATPOWER case (.m), a grid of pandapower or power-grid-model (.json, .json.gz), or a folder of tables
    /// (bus.csv or bus.parquet and others)
    #[arg(value_name = "CASE", value_hint = ValueHint::FilePath)]
    case: PathBuf,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Method
    #[arg(long, value_enum, default_value_t)]
    method: MethodChoice,
    /// Where the first solve begins
    #[arg(long, value_enum, default_value_t)]
    start: StartChoice,
    /// Largest mismatch accepted, per unit of the base power
    #[arg(long, value_name = "PU", default_value_t = 1e-10)]
    tolerance: f64,
    /// Steps at most
    #[arg(long, value_name = "N", default_value_t = 30)]
    max_iterations: u32,
    /// Threads to compute on [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Form of the tables
    #[arg(long, value_enum, default_value_t)]
    tables: TablesChoice,
    /// Form of the figures at the end; csv is short for --tables csv
    #[arg(long, value_enum, default_value_t)]
    format: FormatChoice,
    /// No notes on standard error
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SolveArguments {
    #[command(flatten)]
    of: CaseArguments,
    /// Keep generators to their limits of reactive power; one at a limit no longer holds its voltage
    #[arg(long)]
    enforce_q_limits: bool,
    /// Move taps until the to sides of transformers are at PU; where the case has regulators, they act as it says
    #[arg(long, value_name = "PU", num_args = 0..=1, default_missing_value = "1.0", require_equals = true)]
    control_taps: Option<f64>,
    /// Solve each phase: for grids of pandapower with zero-sequence data, whose loads may differ by phase
    #[arg(long, conflicts_with_all = ["enforce_q_limits", "control_taps", "method", "start"])]
    three_phase: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SeriesArguments {
    #[command(flatten)]
    of: CaseArguments,
    /// Profiles by step (CSV)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    profiles: PathBuf,
    /// What follows which profile (CSV)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    follows: PathBuf,
    /// Steps of a day
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..))]
    steps_per_day: u32,
    /// What becomes of steps that do not converge
    #[arg(long, value_enum, default_value_t)]
    on_failure: FailureChoice,
    /// Write every bus and branch for every step
    #[arg(long)]
    full: bool,
    /// Lowest voltage that is no exception, per unit
    #[arg(long, value_name = "PU", default_value_t = 0.9)]
    vm_min: f64,
    /// Highest voltage that is no exception, per unit
    #[arg(long, value_name = "PU", default_value_t = 1.1)]
    vm_max: f64,
    /// Loading above which a branch is an exception, percent
    #[arg(long, value_name = "PERCENT", default_value_t = 100.0)]
    loading_max: f64,
}

/// Methods.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum MethodChoice {
    /// Newton's method
    #[default]
    Newton,
    /// Backward/forward sweep where a part is radial, Newton's method elsewhere
    Sweep,
    /// Linear approximation around the voltages without load
    Linear,
}

/// Where a solve begins.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum StartChoice {
    /// Voltages without load; where that does not converge, those of linear flows
    #[default]
    Flat,
    /// Voltages of linear flows, or those without load where that is nearer
    Dc,
    /// Voltages that the case states
    Given,
}

/// Forms of tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum TablesChoice {
    /// Parquet with units and descriptions
    #[default]
    Parquet,
    /// Comma-separated values
    Csv,
}

/// What becomes of steps that do not converge.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FailureChoice {
    /// They keep the best voltages found, and are marked
    #[default]
    Hold,
    /// Loads are lowered until they converge
    Shed,
    /// The series ends
    Stop,
}

impl CaseArguments {
    fn options(&self) -> Result<PowerOptions> {
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            let what = format!("{}, expected a number above 0, such as 1e-10", self.tolerance);
            return Err(Problem::file(Path::new("--tolerance"), what).into());
        }
        Ok(PowerOptions {
            case: self.case.clone(),
            out: self.out.clone(),
            method: match self.method {
                MethodChoice::Newton => Method::Newton,
                MethodChoice::Sweep => Method::Sweep,
                MethodChoice::Linear => Method::Linear,
            },
            start: match self.start {
                StartChoice::Dc => Start::Dc,
                StartChoice::Flat => Start::Flat,
                StartChoice::Given => Start::Given,
            },
            tolerance_pu: self.tolerance,
            max_iterations: self.max_iterations,
            threads: self.threads.map(usize::from),
            as_csv: self.tables == TablesChoice::Csv || self.format == FormatChoice::Csv,
        })
    }

    fn tell(&self, summary: &PowerSummary, figures: &[(&str, &str, &str)], tables: &[&str]) -> Result<()> {
        let help = "what was found is written all the same; try --start dc or given, or lower loads";
        let solved = Solved {
            input: &self.case,
            out: &self.out,
            json: &summary.json,
            notes: if self.quiet { &[] } else { &summary.notes },
            failure: summary.failure.as_deref().map(|why| (why, help)),
        };
        solved.tell(figures, tables, self.format == FormatChoice::Json, self.options()?.as_csv)
    }
}

/// What is told of one state.
const STATE: [(&str, &str, &str); 17] = [
    ("buses", "buses", ""),
    ("branches", "branches", ""),
    ("independent_parts", "independent parts", ""),
    ("buses_without_source", "buses without a source", ""),
    ("iterations", "steps", ""),
    ("mismatch_pu", "largest mismatch", "pu"),
    ("source_mw", "from sources", "MW"),
    ("generated_mw", "from generators", "MW"),
    ("served_mw", "served", "MW"),
    ("unserved_mw", "without a source", "MW"),
    ("losses_mw", "losses", "MW"),
    ("vm_min_pu", "lowest voltage", "pu"),
    ("vm_min_bus", "  at bus", ""),
    ("vm_max_pu", "highest voltage", "pu"),
    ("vm_max_bus", "  at bus", ""),
    ("loading_max_pct", "largest loading", "percent"),
    ("loading_max_branch", "  of branch", ""),
];
/// What is told of one state of three phases.
const PHASES: [(&str, &str, &str); 17] = [
    ("buses", "buses", ""),
    ("branches", "branches", ""),
    ("feeders", "feeders", ""),
    ("buses_without_source", "buses without a source", ""),
    ("iterations", "substitutions", ""),
    ("mismatch_pu", "largest mismatch", "pu"),
    ("source_mw", "from sources", "MW"),
    ("served_mw", "drawn, net of what feeds in", "MW"),
    ("losses_mw", "losses", "MW"),
    ("vm_min_pu", "lowest voltage", "pu"),
    ("vm_min_bus", "  at bus", ""),
    ("vm_max_pu", "highest voltage", "pu"),
    ("vm_max_bus", "  at bus", ""),
    ("unbalance_max_pct", "largest unbalance", "percent"),
    ("unbalance_max_bus", "  at bus", ""),
    ("loading_max_pct", "largest loading", "percent"),
    ("loading_max_branch", "  of branch", ""),
];
/// What is told of a series.
const SERIES: [(&str, &str, &str); 9] = [
    ("steps", "steps", ""),
    ("not_converged", "not converged", ""),
    ("exceptions", "rows beyond limits", ""),
    ("served_mw_mean", "served, mean", "MW"),
    ("losses_mw_mean", "losses, mean", "MW"),
    ("residual_mw_largest", "largest residual", "MW"),
    ("vm_min_pu", "lowest voltage", "pu"),
    ("vm_max_pu", "highest voltage", "pu"),
    ("loading_max_pct", "largest loading", "percent"),
];
/// What is told of outages.
const OUTAGES: [(&str, &str, &str); 6] = [
    ("outages", "outages", ""),
    ("not_converged", "not converged", ""),
    ("with_lost_loads", "that leave loads without a source", ""),
    ("with_overload", "with an overload", ""),
    ("vm_min_pu", "lowest voltage", "pu"),
    ("loading_max_pct", "largest loading", "percent"),
];

/// Solves, writes and tells.
pub(crate) fn run(command: &PowerCommand) -> Result<()> {
    match command {
        PowerCommand::Solve(SolveArguments { of, three_phase: true, .. }) => {
            of.tell(&urbis::power_phases::solve(&of.options()?)?, &PHASES, &["bus", "branch"])
        }
        PowerCommand::Solve(SolveArguments { of, enforce_q_limits, control_taps, .. }) => {
            let controls = ControlOptions { enforces_q_limits: *enforce_q_limits, tap_voltage_pu: *control_taps };
            of.tell(&urbis::power_run::solve(&of.options()?, &controls)?, &STATE, &["bus", "branch"])
        }
        PowerCommand::N1(of) => of.tell(&urbis::power_run::n1(&of.options()?)?, &OUTAGES, &["n1"]),
        PowerCommand::Profiles(arguments) => profiles(arguments),
        PowerCommand::Plan(arguments) => plan(arguments),
        PowerCommand::Series(arguments) => {
            let of = &arguments.of;
            let of_series = SeriesOptions {
                profiles: arguments.profiles.clone(),
                follows: arguments.follows.clone(),
                steps_per_day: arguments.steps_per_day as usize,
                on_failure: match arguments.on_failure {
                    FailureChoice::Hold => OnFailure::Hold,
                    FailureChoice::Shed => OnFailure::Shed,
                    FailureChoice::Stop => OnFailure::Stop,
                },
                is_full: arguments.full,
                voltage_band_pu: (arguments.vm_min, arguments.vm_max),
                loading_limit_percent: arguments.loading_max,
            };
            of.tell(
                &urbis::power_series::series(&of.options()?, &of_series)?,
                &SERIES,
                &["totals", "bus_day", "branch_day", "exceptions"],
            )
        }
    }
}

fn plan(arguments: &PlanArguments) -> Result<()> {
    let PlanArguments { package, out, settings, equipment, format } = arguments;
    let (package, settings, equipment) = (package.clone(), settings.clone(), equipment.clone());
    let summary = urbis::power_plan::plan(&PlanOptions { package, out: out.clone(), settings, catalogue: equipment })?;
    summary.notes.iter().for_each(|note| say(&format!("note: {note}")));
    match format {
        TableFormat::Json => print_json(&summary.json),
        TableFormat::Table => {
            let out = out.display();
            print(&format!(
                "{}\nresults  {out}/branch.parquet, bus, station, building, figures, summary.json\n",
                summary.figures
            ))
        }
    }
}

fn profiles(arguments: &ProfileArguments) -> Result<()> {
    let (year, shipped) = (i32::from(arguments.year), LoadProfiles::shipped()?);
    let holidays = match arguments.holidays {
        HolidayChoice::De => holidays_of_germany(year),
        HolidayChoice::None => Vec::new(),
    };
    let quarters = match arguments.step {
        StepChoice::Quarter => 1,
        StepChoice::Hour => 4,
    };
    let column = |name: &String| {
        let powers = shipped.year(name, year, 1000.0, &holidays).unwrap_or_default();
        let kw = powers.chunks(quarters).map(|of| of.iter().sum::<f64>() / (1000.0 * of.len() as f64));
        let kw: Vec<f64> = kw.collect();
        let scale = match arguments.scale {
            ScaleChoice::Peak => 1.0 / kw.iter().copied().fold(0.0, f64::max),
            ScaleChoice::Energy => 1.0,
        };
        kw.into_iter().map(|value| value * scale).collect()
    };
    let columns: Vec<Vec<f64>> = shipped.names().iter().map(column).collect();
    let header: Vec<&str> = std::iter::once("time").chain(shipped.names().iter().map(String::as_str)).collect();
    let steps = columns.first().map_or(0, Vec::len);
    let row = |step: usize| {
        let minutes = step * quarters * 15;
        let (month, day) = day_of_year(year, minutes / 1440);
        let time = format!("{year}-{month:02}-{day:02}T{:02}:{:02}", minutes / 60 % 24, minutes % 60);
        std::iter::once(time).chain(columns.iter().map(|column| column[step].to_string())).collect()
    };
    let text = csv(&header, (0..steps).map(row))?;
    write_whole(&arguments.out, text.as_bytes())?;
    let out = arguments.out.display();
    print(&format!(
        "{} profiles of {steps} steps: {out}\nnext     urbis power series CASE --profiles {out} --follows FOLLOWS --out DIR\n",
        columns.len()
    ))
}
