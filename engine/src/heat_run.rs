//! Steady state of a network of heat without a city: from a net of pandapipes to tables.
//!
//! Tables: `node`, the junctions with pressures and temperatures; `link`, every pipe and other link with its flow,
//! temperatures and loss; `consumer`; `plant`; see [`crate::pipe_options`] for the folder.

use crate::pipe_options::{PipeOptions, PipeSummary, junctions, link_table};
use serde_json::json;
use urbis_city::geoparquet::TableWriter;
use urbis_core::Result;
use urbis_utility::heat::{Coupling, HeatFlow, HeatLink, HeatOutcome, HeatSettings};
use urbis_utility::pipes::BAR;
use urbis_utility::pipes::network::{Consumer, Given};

/// Solves one state of a net. `coupling` says how flows and temperatures meet.
///
/// # Errors
/// A net that is not right or is of a gas, or a folder that cannot be written. A solve that does not converge is no
/// error: its tables are written, with what was found.
pub fn solve(options: &PipeOptions, coupling: Coupling) -> Result<PipeSummary> {
    let net = options.ready()?;
    let hydraulic = options.settings(&net);
    let settings = HeatSettings { hydraulic, coupling, ambient_k: net.options.ambient_k, ..HeatSettings::default() };
    let mut flow = HeatFlow::new(net.network)?;
    let outcome = flow.solve(&settings);
    options.write("node", node_table(&flow))?;
    let states: Vec<HeatLink> = (0..flow.network().elements.len()).map(|element| flow.element(element)).collect();
    options.write("link", state_table(&flow, &states))?;
    options.write("consumer", consumer_table(&flow))?;
    options.write("plant", plant_table(&flow))?;
    let failure = match short(&flow)[..] {
        _ if !outcome.is_converged => Some(failure(&outcome)),
        [] => None,
        [first, ..] => {
            Some(format!("consumer {first} and {} more get less heat than they ask for", short(&flow).len() - 1))
        }
    };
    options.finish(summary(&flow, &states, &outcome, &net.notes), net.notes, failure)
}

fn failure(outcome: &HeatOutcome) -> String {
    let HeatOutcome { rounds, change_k, hydraulic, .. } = outcome;
    let (residual, imbalance_kgps) = (hydraulic.residual, hydraulic.imbalance_kgps);
    format!(
        "no convergence in {rounds} rounds: temperatures change by {change_k:.1e} K, laws lack {residual:.1e} of the highest pressure, nodes {imbalance_kgps:.1e} kg/s"
    )
}

fn node_table(flow: &HeatFlow) -> TableWriter {
    let (network, nodes) = (flow.network(), junctions(flow.network()));
    let column = |of: &dyn Fn(u32) -> f64| nodes.iter().map(|&node| of(node)).collect::<Vec<f64>>();
    let mut table = TableWriter::new("Junctions of a solved network of heat");
    table.text("node_id", "Junction.", nodes.iter().map(|&node| &network.nodes.id[node as usize]));
    table.number("height_m", "m", "Height above the sea.", &column(&|node| network.nodes.height_m[node as usize]));
    let why = "Absolute pressure; absent without supply.";
    table.number("pressure_pa", "Pa", why, &column(&|node| flow.pressure_pa(node)));
    let why = "Pressure above the air there; absent without supply.";
    table.number("p_bar", "bar", why, &column(&|node| flow.gauge_pa(node) / BAR));
    table.number("t_k", "K", "Temperature; absent without supply.", &column(&|node| flow.t_k(node)));
    let is_supplied: Vec<bool> = nodes.iter().map(|&node| flow.is_supplied(node)).collect();
    table.flag("is_supplied", "Whether a held pressure is joined to it.", &is_supplied);
    table
}

fn state_table(flow: &HeatFlow, states: &[HeatLink]) -> TableWriter {
    let column = |of: &dyn Fn(&HeatLink) -> f64| states.iter().map(of).collect::<Vec<f64>>();
    let mut table = link_table("Pipes and other links of a solved network of heat", flow.network());
    table.number("mdot_kgps", "kg/s", "Flow from the from to the to end.", &column(&|of| of.mdot_kgps));
    table.number("velocity_mps", "m/s", "Velocity.", &column(&|of| of.v_mps));
    table.number("p_from_pa", "Pa", "Absolute pressure at the from end.", &column(&|of| of.p_from_pa));
    table.number("p_to_pa", "Pa", "Absolute pressure at the to end.", &column(&|of| of.p_to_pa));
    table.number("t_from_k", "K", "Temperature of the junction at the from end.", &column(&|of| of.t_from_k));
    table.number("t_to_k", "K", "Temperature of the junction at the to end.", &column(&|of| of.t_to_k));
    table.number("t_out_k", "K", "Temperature of the water that leaves.", &column(&|of| of.t_out_k));
    table.number("heat_loss_w", "W", "Heat lost to the ground.", &column(&|of| of.heat_loss_w));
    table
}

fn consumer_table(flow: &HeatFlow) -> TableWriter {
    let (network, of) = (flow.network(), &flow.network().consumers);
    let states: Vec<HeatLink> = of.iter().map(|of| flow.link(of.link as usize)).collect();
    let column = |of: &dyn Fn(&HeatLink) -> f64| states.iter().map(of).collect::<Vec<f64>>();
    let name = |node: u32| network.nodes.id[node as usize].as_str();
    let mut table = TableWriter::new("Consumers of a solved network of heat");
    table.text("consumer_id", "Consumer.", of.iter().map(|of| &of.id));
    table.text("from_node", "Junction of the supply.", of.iter().map(|of| name(network.links.from[of.link as usize])));
    table.text("to_node", "Junction of the return.", of.iter().map(|of| name(network.links.to[of.link as usize])));
    table.number("mdot_kgps", "kg/s", "Flow.", &column(&|of| of.mdot_kgps));
    table.number("heat_w", "W", "Heat taken.", &column(&|of| of.heat_w));
    table.number("t_supply_k", "K", "Temperature of the supply.", &column(&|of| of.t_from_k));
    table.number("t_return_k", "K", "Temperature of the water given back.", &column(&|of| of.t_out_k));
    table.number(
        "dp_pa",
        "Pa",
        "Pressure of the supply above that of the return.",
        &column(&|of| of.p_from_pa - of.p_to_pa),
    );
    let is_supplied: Vec<bool> = of.iter().map(|of| flow.hydraulics().supply().is_live[of.link as usize]).collect();
    table.flag("is_supplied", "Whether supply and return have a pressure.", &is_supplied);
    table
}

fn plant_table(flow: &HeatFlow) -> TableWriter {
    let of = &flow.network().plants;
    let states: Vec<HeatLink> = of.iter().map(|of| flow.link(of.link as usize)).collect();
    let column = |of: &dyn Fn(&HeatLink) -> f64| states.iter().map(of).collect::<Vec<f64>>();
    let mut table = TableWriter::new("Plants of a solved network of heat");
    table.text("plant_id", "Table and index of the net.", of.iter().map(|of| format!("{} {}", of.table, of.id)));
    table.number("mdot_kgps", "kg/s", "Flow.", &column(&|of| of.mdot_kgps));
    table.number("heat_w", "W", "Heat given.", &column(&|of| 0.0 - of.heat_w));
    table.number("t_return_k", "K", "Temperature of the return.", &column(&|of| of.t_from_k));
    table.number("t_flow_k", "K", "Temperature of the water given.", &column(&|of| of.t_out_k));
    table.number("lift_pa", "Pa", "Rise of pressure.", &column(&|of| of.p_to_pa - of.p_from_pa));
    table
}

/// Supplied consumers that get less heat than is asked for, beyond rounding.
fn short(flow: &HeatFlow) -> Vec<&str> {
    let network = flow.network();
    let asked_w = |given: Given| match given {
        Given::FlowHeat(_, q_w) | Given::HeatDrop(q_w, _) | Given::HeatReturn(q_w, _) => Some(q_w),
        Given::FlowDrop(..) | Given::FlowReturn(..) => None,
    };
    let is_short = |of: &&Consumer| {
        let is_live = flow.hydraulics().supply().is_live[of.link as usize];
        let got_w = flow.link(of.link as usize).heat_w;
        is_live && asked_w(of.given).is_some_and(|q_w| q_w > 0.0 && got_w < (1.0 - 1e-3) * q_w)
    };
    network.consumers.iter().filter(is_short).map(|of| of.id.as_str()).collect()
}

fn summary(flow: &HeatFlow, states: &[HeatLink], outcome: &HeatOutcome, notes: &[String]) -> serde_json::Value {
    let network = flow.network();
    let nodes = junctions(network);
    let supplied = || nodes.iter().copied().filter(|&node| flow.is_supplied(node));
    let pressures = || supplied().map(|node| flow.gauge_pa(node) / BAR);
    let temperatures = || supplied().map(|node| flow.t_k(node)).filter(|t_k| t_k.is_finite());
    let sum = |of: &dyn Fn(&HeatLink) -> f64| states.iter().map(of).sum::<f64>();
    let produced: f64 = (0..network.plants.len() as u32).map(|plant| flow.plant_w(plant)).sum();
    let lost = sum(&|of| of.heat_loss_w);
    let taken = sum(&|of| of.heat_w) + produced;
    let live = |link: u32| flow.hydraulics().supply().is_live[link as usize];
    json!({
        "fluid": network.fluid.name, "nodes": nodes.len(), "links": states.len(),
        "consumers": network.consumers.len(), "plants": network.plants.len(),
        "nodes_without_supply": nodes.len() - supplied().count(),
        "consumers_short": short(flow).len(),
        "consumers_without_supply": network.consumers.iter().filter(|of| !live(of.link)).count(),
        "converged": outcome.is_converged, "rounds": outcome.rounds, "residual": outcome.hydraulic.residual,
        "imbalance_kgps": outcome.hydraulic.imbalance_kgps, "idle_equations": outcome.hydraulic.idle_equations,
        "produced_kw": produced / 1e3, "delivered_kw": taken / 1e3, "lost_kw": lost / 1e3,
        "p_min_bar": pressures().reduce(f64::min), "p_max_bar": pressures().reduce(f64::max),
        "t_min_k": temperatures().reduce(f64::min), "t_max_k": temperatures().reduce(f64::max),
        "velocity_max_mps": states.iter().map(|of| of.v_mps.abs()).reduce(f64::max), "notes": notes,
    })
}
