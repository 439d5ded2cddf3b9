//! `urbis water`: a water network over time from its file, without a city; a made-up one for a city.

use crate::args::TableFormat;
use crate::screen::{print, print_json, say};
use crate::solved::{FormatChoice, Solved};
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::{Path, PathBuf};
use urbis::plan_folder::PlanOptions;
use urbis::water_run::WaterOptions;
use urbis_core::{Problem, Result};

#[derive(Debug, Subcommand)]
pub(crate) enum WaterCommand {
    /// Solve a network of EPANET over its time: heads, flows, tanks, energy of pumps
    #[command(
        after_help = "NET is an input file of EPANET 2.2 (.inp, .inp.gz). Results in DIR, a row at each report of the file:
node.parquet (time_s, node_id, head_m, pressure_m, demand_m3ps, served_m3ps, emitted_m3ps, is_supplied, is_balanced),
link.parquet (time_s, link_id, flow_m3ps, velocity_mps, headloss_m, status, setting), tank.parquet, pump.parquet, and
summary.json once all are whole.
Junctions that no open link joins to a reservoir or tank are told as not supplied, with nothing delivered. Steps that do
not settle are flagged, the run goes on, and the exit code is 2.

Examples:
  urbis water solve Net3.inp --out out/net3
  urbis water solve Net3.inp --out out/net3 --demand-model pda --required-pressure 20 --format csv"
    )]
    Solve(SolveArguments),
    /// Make up the water network of a city: waterworks, mains along its streets, zones, pumps, tanks, for every building
    #[command(
        after_help = "For cities whose network is not at hand: what buildings draw is estimated, pipes are standard, and all of it is marked
synthetic. Results in DIR: node and link (GeoParquet), building, zone, figures (beside published ones), network.inp for
EPANET and `urbis water solve`, summary.json.

Examples:
  urbis water plan cities/monaco --out out/monaco-water
  urbis water solve out/monaco-water/network.inp --out out/monaco-water-day
  printf 'storeys_max = 4\\npeak_day_factor = 1.8\\n' > mine.toml && urbis water plan CITY --settings mine.toml --out DIR"
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
    /// Pipes and volumes of tanks (TOML), in place of assets/water/synthetic_network.toml
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    catalogue: Option<PathBuf>,
    /// Form of the figures at the end
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

#[derive(Debug, Args)]
pub(crate) struct SolveArguments {
    /// Network (.inp, .inp.gz)
    #[arg(value_name = "NET", value_hint = ValueHint::FilePath)]
    network: PathBuf,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Whether demands depend on pressure [default: as the file says]
    #[arg(long, value_enum)]
    demand_model: Option<ModelChoice>,
    /// With pda: pressure below which nothing is delivered, metres [default: that of the file, else 0]
    #[arg(long, value_name = "M")]
    minimum_pressure: Option<f64>,
    /// With pda: pressure from which all is delivered, metres [default: that of the file, else 20]
    #[arg(long, value_name = "M")]
    required_pressure: Option<f64>,
    /// Length of the run, hours [default: as the file says]
    #[arg(long, value_name = "H")]
    hours: Option<f64>,
    /// Form of the figures at the end; csv also writes tables as CSV
    #[arg(long, value_enum, default_value_t)]
    format: FormatChoice,
    /// No notes on standard error
    #[arg(long, short)]
    quiet: bool,
}

/// Demand models.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModelChoice {
    /// Demands are drawn whatever the pressure
    Dda,
    /// Demands are delivered as far as the pressure allows (Wagner)
    Pda,
}

/// What is told of a run.
const FIGURES: [(&str, &str, &str); 16] = [
    ("junctions", "junctions", ""),
    ("tanks", "tanks", ""),
    ("pipes", "pipes", ""),
    ("pumps", "pumps", ""),
    ("valves", "valves", ""),
    ("solves", "moments solved", ""),
    ("unbalanced_steps", "not settled", ""),
    ("asked_m3", "asked for", "m3"),
    ("served_m3", "served", "m3"),
    ("emitted_m3", "lost at emitters", "m3"),
    ("supplied_m3", "from reservoirs", "m3"),
    ("stored_m3", "into tanks", "m3"),
    ("spilt_m3", "spilt by tanks", "m3"),
    ("residual_m3", "books lack", "m3"),
    ("pressure_m_min", "lowest pressure", "m"),
    ("pump_energy_kwh", "energy of pumps", "kWh"),
];

/// Solves, writes and tells.
pub(crate) fn run(command: &WaterCommand) -> Result<()> {
    match command {
        WaterCommand::Solve(arguments) => solve(arguments),
        WaterCommand::Plan(arguments) => plan(arguments),
    }
}

fn plan(arguments: &PlanArguments) -> Result<()> {
    let PlanArguments { package, out, settings, catalogue, format } = arguments;
    let (package, settings, catalogue) = (package.clone(), settings.clone(), catalogue.clone());
    let summary = urbis::water_plan::plan(&PlanOptions { package, out: out.clone(), settings, catalogue })?;
    summary.notes.iter().for_each(|note| say(&format!("note: {note}")));
    match format {
        TableFormat::Json => print_json(&summary.json),
        TableFormat::Table => {
            let out = out.display();
            print(&format!(
                "{}\nresults  {out}/link.parquet, node, building, zone, figures, network.inp, summary.json\n",
                summary.figures
            ))
        }
    }
}

fn solve(arguments: &SolveArguments) -> Result<()> {
    let wrong = |flag: &str, what: String| Err(Problem::file(Path::new(flag), what).into());
    let duration_s = match arguments.hours {
        Some(hours) if !(0.0..=1e6).contains(&hours) => return wrong("--hours", format!("{hours}, expected 0 to 1e6")),
        hours => hours.map(|hours| (hours * 3600.0).round() as u32),
    };
    let summary = urbis::water_run::solve(&WaterOptions {
        network: arguments.network.clone(),
        out: arguments.out.clone(),
        is_pressure_driven: arguments.demand_model.map(|model| matches!(model, ModelChoice::Pda)),
        minimum_m: arguments.minimum_pressure,
        required_m: arguments.required_pressure,
        duration_s,
        as_csv: arguments.format == FormatChoice::Csv,
    })?;
    let help = "everything is written all the same; rows of these steps say is_balanced = false";
    let solved = Solved {
        input: &arguments.network,
        out: &arguments.out,
        json: &summary.json,
        notes: if arguments.quiet { &[] } else { &summary.notes },
        failure: summary.failure.as_deref().map(|why| (why, help)),
    };
    let (is_json, as_csv) = (arguments.format == FormatChoice::Json, arguments.format == FormatChoice::Csv);
    solved.tell(&FIGURES, &["node", "link", "tank", "pump"], is_json, as_csv)
}
