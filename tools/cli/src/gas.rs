//! `urbis gas`: flow of a gas network from its file, without a city; and what `urbis heat` shares with it.

use crate::args::TableFormat;
use crate::screen::{print, print_json, say};
use crate::solved::{FormatChoice, Solved};
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;
use urbis::pipe_options::{PipeOptions, PipeSummary};
use urbis::pipes_plan::plan_gas;
use urbis::plan_folder::{PlanOptions, PlanSummary};
use urbis::utility::pipes::friction::FrictionLaw;
use urbis_core::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum GasCommand {
    /// Solve one state of a gas network: pressures of nodes, flows of pipes, the gas they hold
    #[command(
        after_help = "Results in DIR: node.parquet (node_id, height_m, pressure_pa, p_bar, feed_kgps, draw_kgps, is_supplied),
link.parquet (link_id, from_node, to_node, is_open, mdot_kgps, velocity_mps, p_from_pa, p_to_pa, linepack_kg, ...),
and summary.json once both are whole. p_bar is above the air at the height of the node. Parts of the network without a
feeder are flagged and counted. If the solve does not converge, everything is written, summary.json says converged:
false, and the exit code is 2.

Examples:
  urbis gas solve net.json --out out/gas
  urbis gas solve net.json.gz --out out/gas --format csv --friction colebrook"
    )]
    Solve(PipeArguments),
    /// Make up the gas network of a city: city gates, mains along its streets, a service line for every building
    #[command(
        after_help = "For cities whose network is not at hand: heat is estimated from buildings by use and floor area, pipes are standard, and
all of it is marked synthetic. By default medium pressure reaches every building; `levels = \"two\"` has regulators of
districts and low pressure behind them. FILE.toml has tables [estimate] (heat of buildings and the climate: mean_c,
yearly_amplitude_k, design_day_c, ...), [network] (levels, pressures, velocities, route, ...) and boiler_efficiency.
Results in DIR: node and link (GeoParquet), building, figures (beside published ones), summary.json.

Examples:
  urbis gas plan cities/monaco --out out/monaco-gas
  printf '[network]\\nlevels = \"two\"\\n' > two.toml; urbis gas plan cities/monaco --settings two.toml --out out/two
  ogr2ogr gas.gpkg out/monaco-gas/link.parquet                # or open it in QGIS as it is"
    )]
    Plan(PipesPlanArguments),
}

/// What `plan` of both kinds of networks asks.
#[derive(Debug, Args)]
pub(crate) struct PipesPlanArguments {
    /// City package (folder)
    #[arg(value_name = "CITY", value_hint = ValueHint::DirPath)]
    package: PathBuf,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Settings (TOML), in place of the defaults
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    settings: Option<PathBuf>,
    /// Form of the figures at the end
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

impl PipesPlanArguments {
    /// Plans and tells what came of it.
    pub(crate) fn run(&self, plan: impl Fn(&PlanOptions) -> Result<PlanSummary>, tables: &str) -> Result<()> {
        let (package, out, settings) = (self.package.clone(), self.out.clone(), self.settings.clone());
        let summary = plan(&PlanOptions { package, out, settings, catalogue: None })?;
        summary.notes.iter().for_each(|note| say(&format!("note: {note}")));
        match self.format {
            TableFormat::Json => print_json(&summary.json),
            TableFormat::Table => {
                print(&format!("{}\nresults  {}/{tables}, summary.json\n", summary.figures, self.out.display()))
            }
        }
    }
}

/// What `solve` of both kinds of networks asks.
#[derive(Debug, Args)]
pub(crate) struct PipeArguments {
    /// Net of pandapipes (.json, .json.gz)
    #[arg(value_name = "NET", value_hint = ValueHint::FilePath)]
    net: PathBuf,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Law of friction [default: that of the net]
    #[arg(long, value_enum, value_name = "LAW")]
    friction: Option<FrictionChoice>,
    /// Steps after which a solve is given up
    #[arg(long, value_name = "STEPS", default_value_t = 100)]
    max_iterations: u32,
    /// How figures are shown; csv: also tables as CSV
    #[arg(long, value_enum, default_value_t)]
    format: FormatChoice,
    /// Say nothing of what the reader left out
    #[arg(long, short)]
    quiet: bool,
}

/// Laws of friction.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FrictionChoice {
    /// Rough pipes with a laminar part
    Nikuradse,
    /// Prandtl and Colebrook
    Colebrook,
    /// Swamee and Jain
    SwameeJain,
}

impl PipeArguments {
    pub(crate) fn options(&self) -> PipeOptions {
        PipeOptions {
            net: self.net.clone(),
            out: self.out.clone(),
            friction: self.friction.map(|law| match law {
                FrictionChoice::Nikuradse => FrictionLaw::Nikuradse,
                FrictionChoice::Colebrook => FrictionLaw::PrandtlColebrook,
                FrictionChoice::SwameeJain => FrictionLaw::SwameeJain,
            }),
            max_iterations: self.max_iterations,
            as_csv: self.format == FormatChoice::Csv,
        }
    }

    /// Tells what came of a solve.
    pub(crate) fn tell(&self, summary: &PipeSummary, figures: &[(&str, &str, &str)], tables: &[&str]) -> Result<()> {
        let solved = Solved {
            input: &self.net,
            out: &self.out,
            json: &summary.json,
            notes: if self.quiet { &[] } else { &summary.notes },
            failure: summary.failure.as_deref().map(|why| (why, "what was found is written all the same")),
        };
        solved.tell(figures, tables, self.format == FormatChoice::Json, self.options().as_csv)
    }
}

/// What is told of one state.
const STATE: [(&str, &str, &str); 15] = [
    ("nodes", "junctions", ""),
    ("links", "links", ""),
    ("nodes_without_supply", "junctions without a feeder", ""),
    ("iterations", "steps", ""),
    ("residual", "largest shortfall of a law, relative", ""),
    ("imbalance_kgps", "largest imbalance of a node", "kg/s"),
    ("fed_kgps", "from feeders", "kg/s"),
    ("served_kgps", "served, less what sources feed in", "kg/s"),
    ("unserved_kgps", "without a feeder", "kg/s"),
    ("p_min_bar", "lowest pressure", "bar"),
    ("p_min_node", "  at junction", ""),
    ("p_max_bar", "highest pressure", "bar"),
    ("velocity_max_mps", "largest velocity", "m/s"),
    ("velocity_max_link", "  in", ""),
    ("linepack_kg", "gas in pipes", "kg"),
];

/// Solves, writes and tells.
pub(crate) fn run(command: &GasCommand) -> Result<()> {
    match command {
        GasCommand::Solve(of) => of.tell(&urbis::gas_run::solve(&of.options())?, &STATE, &["node", "link"]),
        GasCommand::Plan(of) => of.run(plan_gas, "link.parquet, node, building, figures"),
    }
}
