//! Diameters. Along a pipe of length `L` the squared absolute pressure of a gas falls by
//!
//! ```text
//! d(p^2) = F(m) Z T p_n / (T_n rho_n A^2) + 2 p rho g dz        F(m) of crate::pipes::friction
//! ```
//!
//! and each pipe is the thinnest one in which, at the peak of what lies behind it, that is no more than a gradient `G L` and
//! the velocity at the least pressure of its level is within limits. `G` is one for each level: the steepest with which every
//! node has its least pressure when all of these local peaks happen at once (on the safe side, as they do not), found by
//! halving its logarithm, each time with one pass along the tree. Mains that close circles have the bore of the thinner end.
//!
//! Then the network is solved at the peaks of its gates. While a pressure is too low its level's gradient is made gentler, and
//! a pipe that is too fast gets wider; both in a bounded number of rounds.

use super::assemble::Plan;
use super::catalogue::GasPipeRole;
use super::settings::SyntheticGasSettings;
use super::{GasLinkKind, SyntheticGas};
use crate::gas::GasFlow;
use crate::pipes::friction::Bore;
use crate::pipes::network::Network;
use crate::pipes::synthetic::PipeFacts;
use crate::pipes::{GRAVITY_MPS2, NORM_PRESSURE_PA, NORM_T_K};
use urbis_core::Result;

/// Gradients of squared pressure that are looked between, Pa2/m.
const GRADIENTS: [f64; 2] = [1e2, 1e9];
const HALVINGS: u32 = 48;
/// What a gradient is multiplied by when pressures are too low.
const GENTLER: f64 = 0.8;

/// Ladders, the design flow of each element and the rungs that it must not go below.
struct Sizing<'a> {
    settings: &'a SyntheticGasSettings,
    /// Rows of the catalogue and bores by rung: services, mains.
    ladders: [Vec<(u32, f64)>; 2],
    mdot_kgps: Vec<f64>,
    floor: Vec<usize>,
    rung: Vec<usize>,
    /// Squared absolute pressure of nodes in the last pass, Pa2.
    phi: Vec<f64>,
}

pub(super) fn size(plan: &mut Plan, settings: &SyntheticGasSettings) -> Result<()> {
    let pipes = &plan.out.pipes;
    let ladder = |role: GasPipeRole| -> Vec<(u32, f64)> {
        pipes.ladder(role).into_iter().map(|row| (row, pipes.pipes[row as usize].inner_m())).collect()
    };
    let elements = plan.out.network.elements.len();
    let mut sizing = Sizing {
        settings,
        ladders: [ladder(GasPipeRole::Service), ladder(GasPipeRole::Main)],
        mdot_kgps: plan.out.facts.design_w.iter().map(|&w| SyntheticGas::flow_kgps(w)).collect(),
        floor: vec![0; elements],
        rung: vec![0; elements],
        phi: vec![0.0; plan.out.network.nodes.len()],
    };
    let mut gradients = [false, true].map(|is_low| sizing.steepest(plan, is_low));
    for round in 0..settings.rounds_max {
        plan.out.rounds = round + 1;
        for (is_low, gradient) in [false, true].into_iter().zip(gradients) {
            sizing.pass(plan, is_low, gradient);
        }
        sizing.close(plan);
        sizing.lay(plan);
        let mut flow = GasFlow::new(plan.out.network.clone())?;
        let outcome = flow.solve(&SyntheticGas::solver());
        let mut is_within = outcome.is_converged;
        if !outcome.is_converged {
            gradients = gradients.map(|of| of * GENTLER);
        }
        for is_low in [false, true] {
            if outcome.is_converged && sizing.is_short(plan, &flow, is_low) {
                gradients[usize::from(is_low)] *= GENTLER;
                is_within = false;
            }
        }
        if outcome.is_converged {
            is_within &= !sizing.widen_fast(plan, &flow);
        }
        plan.out.is_within = is_within;
        if is_within {
            break;
        }
    }
    sizing.tell(plan);
    Ok(())
}

impl Sizing<'_> {
    fn ladder(&self, kind: GasLinkKind) -> &[(u32, f64)] {
        &self.ladders[usize::from(kind != GasLinkKind::Service)]
    }
    /// Least pressure above the air and highest velocity of a level.
    fn limits(&self, is_low: bool) -> (f64, f64) {
        let of = self.settings;
        match is_low {
            true => (of.low_min_pa, of.low_velocity_mps_max),
            false => (of.medium_min_pa, of.medium_velocity_mps_max),
        }
    }
    /// Fall of squared pressure along a metre of pipe by friction, Pa2.
    fn friction_pa2(&self, network: &Network, bore_m: f64, mdot_kgps: f64, pressure_pa: f64, t_k: f64) -> f64 {
        let fluid = &network.fluid;
        let bore = Bore {
            length_m: 1.0,
            diameter_m: bore_m,
            roughness_m: self.settings.roughness_m,
            loss: 0.0,
            viscosity_pas: fluid.viscosity_pas.at(t_k),
            is_gas: true,
        };
        let area_m2 = bore.area_m2();
        let term = bore.loss(SyntheticGas::solver().friction, mdot_kgps).term;
        term * fluid.compressibility(pressure_pa) * t_k * NORM_PRESSURE_PA
            / (NORM_T_K * fluid.norm_density_kgpm3() * area_m2 * area_m2)
    }
    /// Chooses pipes of a level at a gradient and follows pressures along the tree; the least ratio of squared pressure to
    /// what is asked for.
    fn pass(&mut self, plan: &Plan, is_low: bool, gradient: f64) -> f64 {
        let network = &plan.out.network;
        let (links, nodes) = (&network.links, &network.nodes);
        let (least_pa, v_max) = self.limits(is_low);
        let mut worst = f64::INFINITY;
        for feed in &network.feeds {
            self.phi[feed.node as usize] = feed.pressure_pa.map_or(0.0, |pa| pa * pa);
        }
        for element in 0..plan.first_closing {
            let kind = plan.out.kind[element];
            let (from, to) = (links.from[element] as usize, links.to[element] as usize);
            if kind == GasLinkKind::Regulator {
                let held_pa = nodes.air_pa[to] + self.settings.low_feed_pa;
                self.phi[to] = held_pa * held_pa;
                continue;
            }
            if plan.is_low[element] != is_low {
                continue;
            }
            let t_k = nodes.t_start_k[from];
            let lowest_pa = nodes.air_pa[to] + least_pa;
            let m = self.mdot_kgps[element];
            let rho = network.fluid.real_density_kgpm3(lowest_pa, t_k);
            let ladder = self.ladder(kind);
            let fits = |&(_, bore_m): &(u32, f64)| {
                let v_mps = m / (rho * std::f64::consts::PI * 0.25 * bore_m * bore_m);
                v_mps <= v_max && self.friction_pa2(network, bore_m, m, lowest_pa, t_k) <= gradient
            };
            let last = ladder.len() - 1;
            let rung = ladder.iter().position(fits).unwrap_or(last).max(self.floor[element]).min(last);
            let bore_m = ladder[rung].1;
            let above_pa = self.phi[from].max(lowest_pa * lowest_pa).sqrt();
            let fall = self.friction_pa2(network, bore_m, m, above_pa, t_k) * links.length_m[element];
            let rho = network.fluid.real_density_kgpm3(above_pa, t_k);
            let weight = 2.0 * above_pa * rho * GRAVITY_MPS2 * (nodes.height_m[from] - nodes.height_m[to]);
            self.rung[element] = rung;
            self.phi[to] = self.phi[from] - fall + weight;
            if plan.least_pa[to] > 0.0 {
                let asked_pa = nodes.air_pa[to] + plan.least_pa[to];
                worst = worst.min(self.phi[to] / (asked_pa * asked_pa));
            }
        }
        worst
    }
    /// The steepest gradient with which pressures of a level are high enough.
    fn steepest(&mut self, plan: &Plan, is_low: bool) -> f64 {
        let [mut good, mut bad] = GRADIENTS;
        if self.pass(plan, is_low, bad) >= 1.0 {
            return bad;
        }
        for _ in 0..HALVINGS {
            let middle = (good * bad).sqrt();
            if self.pass(plan, is_low, middle) >= 1.0 {
                good = middle;
            } else {
                bad = middle;
            }
        }
        good
    }
    /// Mains that close circles: the bore of the thinner of the pipes that lead to their ends.
    fn close(&mut self, plan: &Plan) {
        let links = &plan.out.network.links;
        let mut into = vec![usize::MAX; plan.out.network.nodes.len()];
        for element in (0..plan.first_closing).filter(|&element| plan.out.kind[element] != GasLinkKind::Service) {
            let at = &mut into[links.to[element] as usize];
            *at = if plan.out.kind[element] == GasLinkKind::Regulator { usize::MAX } else { self.rung[element] };
        }
        for element in plan.first_closing..plan.out.network.elements.len() {
            let ends = [links.from[element], links.to[element]].map(|node| into[node as usize]);
            let rung = ends[0].min(ends[1]);
            let last = self.ladder(plan.out.kind[element]).len() - 1;
            self.rung[element] = if rung == usize::MAX { 0 } else { rung }.max(self.floor[element]).min(last);
        }
    }
    /// Gives links their bores.
    fn lay(&self, plan: &mut Plan) {
        let out = &mut plan.out;
        for element in 0..out.kind.len() {
            if out.kind[element] == GasLinkKind::Regulator {
                continue;
            }
            let (row, bore_m) = self.ladder(out.kind[element])[self.rung[element]];
            out.facts.pipe[element] = row;
            let link = out.network.elements[element].first as usize;
            out.network.links.diameter_m[link] = bore_m;
            out.network.links.outer_diameter_m[link] = out.pipes.pipes[row as usize].outer_m;
        }
    }
    /// Whether a node of a level has less pressure than asked for.
    fn is_short(&self, plan: &Plan, flow: &GasFlow, is_low: bool) -> bool {
        let links = &plan.out.network.links;
        (0..plan.first_closing).filter(|&element| plan.is_low[element] == is_low).any(|element| {
            let to = links.to[element];
            let least_pa = plan.least_pa[to as usize];
            let is_mine = plan.out.kind[element] != GasLinkKind::Regulator;
            is_mine && least_pa > 0.0 && flow.gauge_pa(to) < least_pa
        })
    }
    /// Widens what is too fast; whether something was.
    fn widen_fast(&mut self, plan: &Plan, flow: &GasFlow) -> bool {
        let mut is_fast = false;
        for element in 0..plan.out.kind.len() {
            let kind = plan.out.kind[element];
            let state = flow.link(element);
            let v_max = self.limits(plan.is_low[element]).1;
            let is_pipe = kind != GasLinkKind::Regulator;
            if is_pipe && state.v_from_mps.abs().max(state.v_to_mps.abs()) > v_max {
                is_fast = true;
                self.floor[element] = self.rung[element] + 1;
            }
        }
        is_fast
    }
    fn tell(&self, plan: &mut Plan) {
        let out = &mut plan.out;
        let is_widest = |element: usize| {
            let kind = out.kind[element];
            out.facts.pipe[element] != PipeFacts::NO_PIPE && self.rung[element] + 1 == self.ladder(kind).len()
        };
        let widest = (0..out.kind.len()).filter(|&element| is_widest(element)).count();
        if !out.is_within {
            let rounds = out.rounds;
            out.notes.push(format!("pressures or velocities exceed limits after {rounds} rounds: {widest} pipes are the widest of the catalogue"));
        }
    }
}
