//! Diameters, lifts and pressures. Each pair of pipes is the thinnest in which the water that meets the peak of what lies behind it
//! at the design drop of temperature loses no more than the gradient of its cluster and is no faster than the catalogue says.
//!
//! Then the network is solved at the peaks of its plants. As stations set their flows, pressures follow the lift of their plant one
//! to one: the lift becomes the one with which the worst building has its least difference of pressure, and the level of
//! pressure the one with which the highest or emptiest place has its least. While a lift is beyond its limit the gradient of its
//! cluster is made gentler, and what is too fast (water that has cooled on its way must flow faster) gets wider; both in a
//! bounded number of rounds.

use super::SyntheticHeat;
use super::assemble::Plan;
use super::settings::SyntheticHeatSettings;
use crate::heat::{HeatFlow, HeatSettings};
use crate::pipes::NORM_T_K;
use crate::pipes::friction::Bore;
use crate::pipes::network::LinkKind;
use urbis_core::Result;

/// What a gradient is multiplied by when the lift is too high.
const GENTLER: f64 = 0.75;
/// Change of temperatures between rounds of solves that sizes do not see, K.
const SEEN_K: f64 = 1e-3;

/// Pressures of a cluster in a solve, Pa; of supply and return.
#[derive(Clone, Copy)]
struct Seen {
    /// Least difference between flow and return at a station.
    station_pa: f64,
    /// Least above the air.
    least_pa: [f64; 2],
    /// Most above the air.
    most_pa: [f64; 2],
}

pub(super) fn size(plan: &mut Plan, settings: &SyntheticHeatSettings) -> Result<()> {
    let clusters = plan.out.plants.len();
    let mut gradient = vec![settings.gradient_papm_max; clusters];
    let mut floor = vec![0_usize; plan.pairs.len()];
    let mut rung = vec![0_usize; plan.pairs.len()];
    let rough = SyntheticHeat::solver(settings);
    let rough = HeatSettings { tolerance_k: SEEN_K, rounds: 30, ..rough };
    for round in 0..settings.rounds_max {
        plan.out.rounds = round + 1;
        choose(plan, settings, &gradient, &floor, &mut rung);
        lay(plan, settings, &rung);
        let mut flow = HeatFlow::new(plan.out.network.clone())?;
        let outcome = flow.solve(&rough);
        let mut is_within = outcome.hydraulic.is_converged && outcome.change_k <= SEEN_K;
        if !is_within {
            gradient.iter_mut().for_each(|of| *of *= GENTLER);
            plan.out.is_within = false;
            continue;
        }
        for (cluster, seen) in look(plan, &flow).into_iter().enumerate() {
            is_within &= set_pressures(plan, settings, &flow, cluster, &seen);
            if plan.out.plants[cluster].lift_pa > settings.lift_pa_max {
                gradient[cluster] *= GENTLER;
            }
        }
        for (row, &(supply, _)) in plan.pairs.iter().enumerate() {
            let v_mps = [supply, supply + 1].map(|link| flow.link(link as usize).v_mps.abs());
            let pipe = &plan.out.pipes.pipes[rung[row]];
            if v_mps[0].max(v_mps[1]) > pipe.velocity_mps_max && rung[row] + 1 < plan.out.pipes.pipes.len() {
                floor[row] = rung[row] + 1;
                is_within = false;
            }
        }
        plan.out.is_within = is_within;
        if is_within {
            break;
        }
    }
    tell(plan, settings, &rung);
    Ok(())
}

/// Chooses pipes at the gradients of their clusters.
fn choose(plan: &Plan, settings: &SyntheticHeatSettings, gradient: &[f64], floor: &[usize], rung: &mut [usize]) {
    let fluid = &plan.out.network.fluid;
    let (flow_k, return_k) = (NORM_T_K + settings.flow_temp_c, NORM_T_K + settings.return_temp_c);
    let mean_k = 0.5 * (flow_k + return_k);
    let drop_j = fluid.mean_heat_capacity_jpkgk(flow_k, return_k) * (flow_k - return_k);
    let (rho, viscosity_pas) = (fluid.density_kgpm3.at(mean_k), fluid.viscosity_pas.at(mean_k));
    let law = SyntheticHeat::solver(settings).hydraulic.friction;
    let pipes = &plan.out.pipes.pipes;
    for (row, &(supply, cluster)) in plan.pairs.iter().enumerate() {
        let m = plan.out.facts.design_w[supply as usize] / drop_j;
        let fits = |pipe: &super::HeatPipe| {
            let diameter_m = pipe.inner_m();
            let roughness_m = settings.roughness_m;
            let bore = Bore { length_m: 1.0, diameter_m, roughness_m, loss: 0.0, viscosity_pas, is_gas: false };
            let area_m2 = bore.area_m2();
            let papm = bore.loss(law, m).term / (2.0 * rho * area_m2 * area_m2);
            m / (rho * area_m2) <= pipe.velocity_mps_max && papm <= gradient[cluster as usize]
        };
        let last = pipes.len() - 1;
        rung[row] = pipes.iter().position(fits).unwrap_or(last).max(floor[row]).min(last);
    }
}

/// Gives links their bores and losses.
fn lay(plan: &mut Plan, settings: &SyntheticHeatSettings, rung: &[usize]) {
    let out = &mut plan.out;
    for (&(supply, _), &rung) in plan.pairs.iter().zip(rung) {
        let pipe = &out.pipes.pipes[rung];
        for link in [supply as usize, supply as usize + 1] {
            out.facts.pipe[link] = rung as u32;
            out.network.links.diameter_m[link] = pipe.inner_m();
            out.network.links.outer_diameter_m[link] = pipe.casing_m;
            out.network.links.u_wpm2k[link] = pipe.loss_wpmk(settings) / (std::f64::consts::PI * pipe.casing_m);
        }
    }
}

/// Pressures of each cluster.
fn look(plan: &Plan, flow: &HeatFlow) -> Vec<Seen> {
    let (least_pa, most_pa) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    let mut seen = vec![Seen { station_pa: f64::INFINITY, least_pa, most_pa }; plan.out.plants.len()];
    for node in 0..plan.cluster.len() {
        // Nodes of supply and return stand in turn.
        let (of, side) = (&mut seen[plan.cluster[node] as usize], node % 2);
        let gauge_pa = flow.gauge_pa(node as u32);
        of.least_pa[side] = of.least_pa[side].min(gauge_pa);
        of.most_pa[side] = of.most_pa[side].max(gauge_pa);
    }
    let network = &plan.out.network;
    for consumer in &network.consumers {
        let (from, to) = (network.links.from[consumer.link as usize], network.links.to[consumer.link as usize]);
        let of = &mut seen[plan.cluster[from as usize] as usize];
        of.station_pa = of.station_pa.min(flow.pressure_pa(from) - flow.pressure_pa(to));
    }
    seen
}

/// Sets lift and level of pressure of a cluster's plant; whether both are within limits.
fn set_pressures(
    plan: &mut Plan,
    settings: &SyntheticHeatSettings,
    flow: &HeatFlow,
    cluster: usize,
    seen: &Seen,
) -> bool {
    let network = &mut plan.out.network;
    let plant = &mut network.plants[cluster];
    let link = plant.link as usize;
    let before_pa = match network.links.kind[link] {
        LinkKind::Lift(pa) => pa,
        _ => 0.0,
    };
    let raise_pa = settings.station_pa_min - seen.station_pa;
    let lift_pa = before_pa + raise_pa;
    network.links.kind[link] = LinkKind::Lift(lift_pa);
    // The supply is held, so that returns fall by the raise; then all is shifted to where the lowest place has its least.
    let shift_pa = settings.gauge_pa_min - seen.least_pa[0].min(seen.least_pa[1] - raise_pa);
    plant.pressure_pa = plant.pressure_pa.map(|pa| pa + shift_pa);
    let state = flow.link(link);
    let density_kgpm3 = flow.hydraulics().density_kgpm3(flow.network(), link);
    let facts = &mut plan.out.plants[cluster];
    facts.lift_pa = lift_pa;
    facts.gauge_max_pa = shift_pa + seen.most_pa[0].max(seen.most_pa[1] - raise_pa);
    facts.capacity_w = flow.plant_w(cluster as u32);
    facts.pump_w = state.mdot_kgps.abs() * lift_pa / (density_kgpm3 * settings.pump_efficiency);
    lift_pa <= settings.lift_pa_max
}

fn tell(plan: &mut Plan, settings: &SyntheticHeatSettings, rung: &[usize]) {
    let rounds = plan.out.rounds;
    let last = plan.out.pipes.pipes.len() - 1;
    let widest = rung.iter().filter(|&&rung| rung == last).count();
    let high = plan.out.plants.iter().filter(|of| of.lift_pa > settings.lift_pa_max).count();
    let notes = &mut plan.out.notes;
    if !plan.out.is_within {
        notes.push(format!(
            "lifts or velocities exceed limits after {rounds} rounds: {high} plants lift too much, {widest} pairs are the widest of the catalogue"
        ));
    }
    let pressed = plan.out.plants.iter().filter(|of| of.gauge_max_pa > settings.gauge_pa_max).count();
    if pressed > 0 {
        let most_pa = plan.out.plants.iter().fold(0.0, |most: f64, of| most.max(of.gauge_max_pa));
        notes.push(format!(
            "{pressed} plants serve heights so far apart that pressures reach {:.0} bar, beyond {:.0} bar: they would need zones of pressure",
            most_pa / 1e5,
            settings.gauge_pa_max / 1e5
        ));
    }
}
