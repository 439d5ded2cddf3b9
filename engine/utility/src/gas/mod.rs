//! Gas networks: steady flow per tick and what pipes hold.
//!
//! [`GasFlow`] solves the isothermal flow of a real gas (see [`crate::pipes::solver`] for the method and
//! [`crate::pipes::friction`] for the laws) at the temperatures that the nodes of the file have. Draws may change between
//! ticks; a solve begins from the last solution. [`linepack`] tells the mass in pipes and how it changes from tick to
//! tick.
//!
//! Nodes without a joined feeder are unserved: they have no pressure, and what they would draw is not taken. No flow runs
//! in links there.
//!
//! Ignored: change of temperature along pipes, momentum and waves (valid where ticks are long beside the time that
//! pressure takes through the network, which in distribution is minutes), mixtures, limits of compressors.
//! Contract: no allocation in [`GasFlow::solve`]; single-threaded, a pure function of tables and the state before.

pub mod city;
pub mod linepack;
pub mod synthetic;

use crate::pipes::fluid::mean_pressure_pa;
use crate::pipes::network::Network;
use crate::pipes::solver::{HydraulicOutcome, HydraulicSettings, Hydraulics};
use crate::snapshot::Snapshot;
use urbis_core::{Problem, Result};

/// A network of gas with its state.
#[derive(Clone, Debug)]
pub struct GasFlow {
    network: Network,
    hydraulics: Hydraulics,
}

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkState {
    /// Absolute pressure at the from end, Pa; NaN without supply, likewise below.
    pub p_from_pa: f64,
    /// Absolute pressure at the to end, Pa.
    pub p_to_pa: f64,
    /// Flow from the from to the to end, kg/s; 0 without supply.
    pub mdot_kgps: f64,
    /// Velocity at the from end, m/s.
    pub v_from_mps: f64,
    /// Velocity at the to end, m/s.
    pub v_to_mps: f64,
    /// Velocity at the mean pressure, m/s.
    pub v_mean_mps: f64,
    /// Mass within, kg.
    pub linepack_kg: f64,
    /// Darcy's friction factor.
    pub lambda: f64,
    /// Reynolds number.
    pub reynolds: f64,
}

impl GasFlow {
    /// Room for a network; the state is that without a solution.
    ///
    /// # Errors
    /// A network whose fluid is no gas.
    pub fn new(network: Network) -> Result<Self> {
        if !network.fluid.is_gas {
            let what = format!("fluid {} is a liquid, expected a gas", network.fluid.name);
            return Err(Problem::file("fluid".as_ref(), what).into());
        }
        let hydraulics = Hydraulics::new(&network);
        Ok(Self { network, hydraulics })
    }
    /// The tables.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }
    /// Pressures, flows and friction of links.
    #[must_use]
    pub fn hydraulics(&self) -> &Hydraulics {
        &self.hydraulics
    }
    /// Sets what a row of [`Network::draws`] takes (negative: feeds), kg/s.
    pub fn set_draw(&mut self, draw: u32, mdot_kgps: f64) {
        let of = &mut self.network.draws[draw as usize];
        self.hydraulics.draw_kgps[of.node as usize] += mdot_kgps - of.mdot_kgps;
        of.mdot_kgps = mdot_kgps;
    }
    /// Sets what all rows of [`Network::draws`] take (negative: feed), kg/s. Sums of nodes are made anew, so that they do not
    /// depend on what was set before.
    pub fn set_draws(&mut self, mdot_kgps: &[f64]) {
        self.hydraulics.draw_kgps.fill(0.0);
        for (draw, mdot_kgps) in self.network.draws.iter_mut().zip(mdot_kgps) {
            draw.mdot_kgps = *mdot_kgps;
            self.hydraulics.draw_kgps[draw.node as usize] += *mdot_kgps;
        }
    }
    /// What a solve starts from and what it leaves; see [`Snapshot`].
    pub fn snapshot(&mut self, of: &mut Snapshot) {
        self.network.draws.iter_mut().for_each(|draw| of.number(&mut draw.mdot_kgps));
        self.hydraulics.snapshot(of);
    }
    /// Takes links, nodes and feeders in or out of service: `change` may write `is_in_service` of them. Pressures and flows
    /// begin anew at the next solve.
    pub fn change_service(&mut self, change: impl FnOnce(&mut Network)) {
        change(&mut self.network);
        self.hydraulics = Hydraulics::new(&self.network);
    }
    /// Forgets the last solution.
    pub fn reset(&mut self) {
        self.hydraulics.start(&self.network);
    }
    /// Solves from the state at hand. A solve that does not converge leaves a state to begin anew from with
    /// [`GasFlow::reset`].
    pub fn solve(&mut self, settings: &HydraulicSettings) -> HydraulicOutcome {
        let outcome = self.hydraulics.solve(&self.network, settings);
        if !outcome.residual.is_finite() || !outcome.imbalance_kgps.is_finite() {
            self.reset();
        }
        outcome
    }
    /// Whether a node has a pressure.
    #[must_use]
    pub fn is_supplied(&self, node: u32) -> bool {
        self.hydraulics.supply().is_supplied[node as usize]
    }
    /// Absolute pressure of a node, Pa; NaN without supply.
    #[must_use]
    pub fn pressure_pa(&self, node: u32) -> f64 {
        if self.is_supplied(node) { self.hydraulics.pressure_pa[node as usize] } else { f64::NAN }
    }
    /// Pressure of a node above the air there, Pa; NaN without supply.
    #[must_use]
    pub fn gauge_pa(&self, node: u32) -> f64 {
        self.pressure_pa(node) - self.network.nodes.air_pa[node as usize]
    }
    /// What a link does.
    #[must_use]
    pub fn link(&self, link: usize) -> LinkState {
        let (of, links, fluid) = (&self.hydraulics, &self.network.links, &self.network.fluid);
        let is_live = of.supply().is_live[link];
        let p_from_pa = self.pressure_pa(links.from[link]);
        let p_to_pa = self.pressure_pa(links.to[link]);
        let (t_from_k, t_to_k) = (of.t_from_k[link], of.t_to_k[link]);
        let mdot_kgps = if is_live { of.mdot_kgps[link] } else { 0.0 };
        let norm_mps = mdot_kgps / (fluid.norm_density_kgpm3() * links.area_m2(link));
        let mean_pa = mean_pressure_pa(p_from_pa, p_to_pa);
        let mean_factor = fluid.norm_factor(mean_pa, 0.5 * (t_from_k + t_to_k));
        let volume_m3 = links.area_m2(link) * links.length_m[link];
        LinkState {
            p_from_pa,
            p_to_pa,
            mdot_kgps,
            v_from_mps: norm_mps * fluid.norm_factor(p_from_pa, t_from_k),
            v_to_mps: norm_mps * fluid.norm_factor(p_to_pa, t_to_k),
            v_mean_mps: norm_mps * mean_factor,
            linepack_kg: if volume_m3 > 0.0 { volume_m3 * fluid.norm_density_kgpm3() / mean_factor } else { 0.0 },
            lambda: of.lambda[link],
            reynolds: of.reynolds[link],
        }
    }
    /// What the links of an element do as one: ends of the first and last, means and sums between.
    #[must_use]
    pub fn element(&self, element: usize) -> LinkState {
        let range = self.network.elements[element].links();
        let (first, last, count) = (range.start, range.end - 1, range.len() as f64);
        let (a, b) = (self.link(first), self.link(last));
        let sum = |of: &dyn Fn(&LinkState) -> f64| range.clone().map(|link| of(&self.link(link))).sum::<f64>();
        LinkState {
            p_from_pa: a.p_from_pa,
            p_to_pa: b.p_to_pa,
            mdot_kgps: a.mdot_kgps,
            v_from_mps: a.v_from_mps,
            v_to_mps: b.v_to_mps,
            v_mean_mps: sum(&|of| of.v_mean_mps) / count,
            linepack_kg: sum(&|of| of.linepack_kg),
            lambda: sum(&|of| of.lambda) / count,
            reynolds: sum(&|of| of.reynolds) / count,
        }
    }
    /// Mass that feeders and plants give into each node, kg/s. Shape: nodes.
    pub fn feeds_kgps(&self, into: &mut [f64]) {
        self.hydraulics.feeds_kgps(&self.network, into);
    }
    /// Mass that is asked for but not served for lack of supply, kg/s.
    #[must_use]
    pub fn unserved_kgps(&self) -> f64 {
        let unserved = self.network.draws.iter().filter(|draw| !self.is_supplied(draw.node));
        unserved.map(|draw| draw.mdot_kgps.max(0.0)).sum()
    }
}
