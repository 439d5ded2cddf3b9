//! `urbis heat`: the steady state of a network of heat from its file, without a city.

use crate::gas::{PipeArguments, PipesPlanArguments};
use clap::{Args, Subcommand};
use urbis::utility::heat::Coupling;
use urbis_core::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum HeatCommand {
    /// Solve one state of a network of heat: pressures, flows, temperatures, losses
    #[command(
        after_help = "Results in DIR: node.parquet (node_id, height_m, pressure_pa, p_bar, t_k, is_supplied), link.parquet (link_id,
from_node, to_node, is_open, mdot_kgps, velocity_mps, p_from_pa, p_to_pa, t_from_k, t_to_k, t_out_k, heat_loss_w),
consumer.parquet, plant.parquet, and summary.json once all are whole. Flows and properties of water are those of the
temperatures found; with --sequential those of the temperatures that the file has, as pandapipes' mode of that name.
If the solve does not converge, everything is written, summary.json says converged: false, and the exit code is 2.

Examples:
  urbis heat solve net.json --out out/heat
  urbis heat solve net.json.gz --out out/heat --format csv --sequential"
    )]
    Solve(HeatArguments),
    /// Make up district heat of a city: plants, pipes along the streets where heat is dense enough, a station per building
    #[command(
        after_help = "For cities whose network is not at hand: heat is estimated from buildings by use and floor area, pipes are standard, and
all of it is marked synthetic. Streets, alleys and service lines are laid where they bring linear_density_kwhpm_min (1,500
kWh by metre of trench and year); a cluster of them has a plant. FILE.toml has tables [estimate] (heat of buildings and the
climate: mean_c, yearly_amplitude_k, design_day_c, ...) and [network] (density, temperatures, gradients, insulation, ...).
Results in DIR: node, link and plant (GeoParquet), building, figures (beside published ones), summary.json.

Examples:
  urbis heat plan cities/monaco --out out/monaco-heat
  printf '[network]\\nlinear_density_kwhpm_min = 3000\\n' > dense.toml
  urbis heat plan cities/monaco --settings dense.toml --out out/dense"
    )]
    Plan(PipesPlanArguments),
}

#[derive(Debug, Args)]
pub(crate) struct HeatArguments {
    #[command(flatten)]
    of: PipeArguments,
    /// Solve flows once, at the temperatures of the file, then temperatures
    #[arg(long)]
    sequential: bool,
}

/// What is told of one state.
const STATE: [(&str, &str, &str); 16] = [
    ("nodes", "junctions", ""),
    ("links", "links", ""),
    ("consumers", "consumers", ""),
    ("nodes_without_supply", "junctions without supply", ""),
    ("consumers_without_supply", "consumers without supply", ""),
    ("rounds", "rounds", ""),
    ("residual", "largest shortfall of a law, relative", ""),
    ("imbalance_kgps", "largest imbalance of a node", "kg/s"),
    ("produced_kw", "from plants", "kW"),
    ("delivered_kw", "delivered", "kW"),
    ("lost_kw", "lost to the ground", "kW"),
    ("p_min_bar", "lowest pressure", "bar"),
    ("p_max_bar", "highest pressure", "bar"),
    ("t_min_k", "lowest temperature", "K"),
    ("t_max_k", "highest temperature", "K"),
    ("velocity_max_mps", "largest velocity", "m/s"),
];

/// Solves, writes and tells.
pub(crate) fn run(command: &HeatCommand) -> Result<()> {
    match command {
        HeatCommand::Solve(HeatArguments { of, sequential }) => {
            let coupling = if *sequential { Coupling::Sequential } else { Coupling::Mutual };
            of.tell(&urbis::heat_run::solve(&of.options(), coupling)?, &STATE, &["node", "link", "consumer", "plant"])
        }
        HeatCommand::Plan(of) => of.run(urbis::pipes_plan::plan_heat, "link.parquet, node, plant, building, figures"),
    }
}
