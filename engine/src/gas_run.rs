//! Steady flow of a gas network without a city: from a net of pandapipes to tables.
//!
//! Tables: `node`, the junctions with their pressures; `link`, every pipe, valve, compressor and regulator with its flow,
//! velocity and mass held; see [`crate::pipe_options`] for the folder.

use crate::pipe_options::{PipeOptions, PipeSummary, junctions, link_table};
use serde_json::json;
use urbis_city::geoparquet::TableWriter;
use urbis_core::Result;
use urbis_utility::gas::linepack::total_kg;
use urbis_utility::gas::{GasFlow, LinkState};
use urbis_utility::pipes::BAR;
use urbis_utility::pipes::solver::HydraulicOutcome;

/// Solves one state of a net.
///
/// # Errors
/// A net that is not right or not of a gas, or a folder that cannot be written. A solve that does not converge is no
/// error: its tables are written, with what was found.
pub fn solve(options: &PipeOptions) -> Result<PipeSummary> {
    let net = options.ready()?;
    let settings = options.settings(&net);
    let mut flow = GasFlow::new(net.network)?;
    let outcome = flow.solve(&settings);
    options.write("node", node_table(&flow))?;
    let states: Vec<LinkState> = (0..flow.network().elements.len()).map(|element| flow.element(element)).collect();
    options.write("link", states_table(&flow, &states))?;
    let failure = (!outcome.is_converged).then(|| failure(&outcome));
    options.finish(summary(&flow, &states, &outcome, &net.notes), net.notes, failure)
}

fn failure(outcome: &HydraulicOutcome) -> String {
    let HydraulicOutcome { iterations, residual, imbalance_kgps, .. } = outcome;
    format!(
        "no convergence in {iterations} steps: laws lack {residual:.1e} of the highest squared pressure, nodes {imbalance_kgps:.1e} kg/s; perhaps more is drawn than pipes can carry"
    )
}

fn node_table(flow: &GasFlow) -> TableWriter {
    let (network, nodes) = (flow.network(), junctions(flow.network()));
    let column = |of: &dyn Fn(u32) -> f64| nodes.iter().map(|&node| of(node)).collect::<Vec<f64>>();
    let mut table = TableWriter::new("Junctions of a solved gas network");
    table.text("node_id", "Junction.", nodes.iter().map(|&node| &network.nodes.id[node as usize]));
    table.number("height_m", "m", "Height above the sea.", &column(&|node| network.nodes.height_m[node as usize]));
    let why = "Absolute pressure; absent without a feeder.";
    table.number("pressure_pa", "Pa", why, &column(&|node| flow.pressure_pa(node)));
    let why = "Pressure above the air there; absent without a feeder.";
    table.number("p_bar", "bar", why, &column(&|node| flow.gauge_pa(node) / BAR));
    let mut feeds = vec![0.0; network.nodes.len()];
    flow.feeds_kgps(&mut feeds);
    let held = network.held_pressures();
    let fed = |node: u32| if held.iter().any(|of| of.0 == node) { feeds[node as usize] } else { 0.0 };
    table.number("feed_kgps", "kg/s", "What a feeder gives there; negative where it takes.", &column(&fed));
    let draw =
        |node: u32| network.draws.iter().filter(|draw| draw.node == node).map(|draw| draw.mdot_kgps).sum::<f64>();
    table.number("draw_kgps", "kg/s", "What is asked for, less what sources feed in.", &column(&draw));
    let is_supplied: Vec<bool> = nodes.iter().map(|&node| flow.is_supplied(node)).collect();
    table.flag("is_supplied", "Whether a feeder is joined to it.", &is_supplied);
    table
}

fn states_table(flow: &GasFlow, states: &[LinkState]) -> TableWriter {
    let column = |of: &dyn Fn(&LinkState) -> f64| states.iter().map(of).collect::<Vec<f64>>();
    let mut table = link_table("Pipes and other links of a solved gas network", flow.network());
    table.number("mdot_kgps", "kg/s", "Flow from the from to the to end.", &column(&|of| of.mdot_kgps));
    table.number("velocity_mps", "m/s", "Velocity at the mean pressure.", &column(&|of| of.v_mean_mps));
    table.number("v_from_mps", "m/s", "Velocity at the from end.", &column(&|of| of.v_from_mps));
    table.number("v_to_mps", "m/s", "Velocity at the to end.", &column(&|of| of.v_to_mps));
    table.number("p_from_pa", "Pa", "Absolute pressure at the from end.", &column(&|of| of.p_from_pa));
    table.number("p_to_pa", "Pa", "Absolute pressure at the to end.", &column(&|of| of.p_to_pa));
    table.number("linepack_kg", "kg", "Mass of gas within.", &column(&|of| of.linepack_kg));
    table.number("lambda", "", "Darcy's friction factor.", &column(&|of| of.lambda));
    table.number("reynolds", "", "Reynolds number.", &column(&|of| of.reynolds));
    table
}

fn summary(flow: &GasFlow, states: &[LinkState], outcome: &HydraulicOutcome, notes: &[String]) -> serde_json::Value {
    let network = flow.network();
    let nodes = junctions(network);
    let id = |node: u32| network.nodes.id[node as usize].as_str();
    let supplied = || nodes.iter().copied().filter(|&node| flow.is_supplied(node));
    let lowest = supplied().min_by(|a, b| flow.gauge_pa(*a).total_cmp(&flow.gauge_pa(*b)));
    let highest = supplied().max_by(|a, b| flow.gauge_pa(*a).total_cmp(&flow.gauge_pa(*b)));
    let speed = |of: &LinkState| [of.v_from_mps, of.v_to_mps].iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    let fastest = (0..states.len()).max_by(|a, b| speed(&states[*a]).total_cmp(&speed(&states[*b])));
    let served: f64 = network.draws.iter().filter(|draw| flow.is_supplied(draw.node)).map(|draw| draw.mdot_kgps).sum();
    let mut feeds = vec![0.0; network.nodes.len()];
    flow.feeds_kgps(&mut feeds);
    let fed: f64 = network.held_pressures().iter().map(|(node, _)| feeds[*node as usize]).sum();
    json!({
        "fluid": network.fluid.name, "nodes": nodes.len(), "links": states.len(), "draws": network.draws.len(),
        "nodes_without_supply": nodes.len() - supplied().count(),
        "converged": outcome.is_converged, "iterations": outcome.iterations, "residual": outcome.residual,
        "imbalance_kgps": outcome.imbalance_kgps, "idle_equations": outcome.idle_equations,
        "fed_kgps": fed, "served_kgps": served, "unserved_kgps": flow.unserved_kgps(), "residual_kgps": fed - served,
        "p_min_bar": lowest.map(|node| flow.gauge_pa(node) / BAR), "p_min_node": lowest.map(id),
        "p_max_bar": highest.map(|node| flow.gauge_pa(node) / BAR), "p_max_node": highest.map(id),
        "velocity_max_mps": fastest.map(|of| speed(&states[of])),
        "velocity_max_link": fastest.map(|of| format!("{} {}", network.elements[of].table, network.elements[of].id)),
        "linepack_kg": total_kg(flow), "notes": notes,
    })
}
