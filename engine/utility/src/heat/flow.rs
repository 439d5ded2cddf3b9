//! The steady state of a network of heat.

use super::consumers::{flow_kgps, follows_temperature, hottest_k};
use super::temperatures::{Temperatures, ends, flow_of};
use crate::pipes::network::{Given, HeatRule, Network};
use crate::pipes::solver::{HydraulicOutcome, HydraulicSettings, Hydraulics};
use crate::snapshot::Snapshot;
use urbis_core::{Problem, Result};

/// How flows and temperatures meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coupling {
    /// In turn until nothing changes: properties of water and flows of consumers are those of the temperatures found
    /// (`mode = "bidirectional"` of pandapipes).
    #[default]
    Mutual,
    /// Flows once at the temperatures to begin with, then temperatures (`mode = "sequential"`).
    Sequential,
}

/// How to solve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeatSettings {
    /// Pressures and flows.
    pub hydraulic: HydraulicSettings,
    /// How flows and temperatures meet.
    pub coupling: Coupling,
    /// Temperature of what stands still, K.
    pub ambient_k: f64,
    /// Largest change of a temperature between rounds, K.
    pub tolerance_k: f64,
    /// Largest number of rounds.
    pub rounds: u32,
}

impl Default for HeatSettings {
    fn default() -> Self {
        let hydraulic = HydraulicSettings::default();
        Self { hydraulic, coupling: Coupling::Mutual, ambient_k: 293.15, tolerance_k: 1e-9, rounds: 200 }
    }
}

/// How a solve went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeatOutcome {
    /// Whether all is found.
    pub is_converged: bool,
    /// Rounds of flows and temperatures.
    pub rounds: u32,
    /// Of the last round.
    pub hydraulic: HydraulicOutcome,
    /// Largest change of a temperature in the last round, K.
    pub change_k: f64,
}

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeatLink {
    /// Absolute pressure at the from end, Pa; NaN without supply, likewise below.
    pub p_from_pa: f64,
    /// Absolute pressure at the to end, Pa.
    pub p_to_pa: f64,
    /// Flow from the from to the to end, kg/s; 0 without supply.
    pub mdot_kgps: f64,
    /// Velocity, m/s.
    pub v_mps: f64,
    /// Temperature of the node at the from end, K.
    pub t_from_k: f64,
    /// Temperature of the node at the to end, K.
    pub t_to_k: f64,
    /// Temperature at which water leaves, K.
    pub t_out_k: f64,
    /// Heat lost to the ground, W.
    pub heat_loss_w: f64,
    /// Heat taken out beside that, W; negative of plants.
    pub heat_w: f64,
}

/// A network of heat with its state.
#[derive(Clone, Debug)]
pub struct HeatFlow {
    network: Network,
    hydraulics: Hydraulics,
    temperatures: Temperatures,
}

impl HeatFlow {
    /// Room for a network; the state is that without a solution.
    ///
    /// # Errors
    /// A network whose fluid is a gas.
    pub fn new(network: Network) -> Result<Self> {
        if network.fluid.is_gas {
            let what = format!("fluid {} is a gas, expected a liquid", network.fluid.name);
            return Err(Problem::file("fluid".as_ref(), what).into());
        }
        let (hydraulics, temperatures) = (Hydraulics::new(&network), Temperatures::new(&network));
        Ok(Self { network, hydraulics, temperatures })
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
    /// Temperatures of nodes and of what leaves links.
    #[must_use]
    pub fn temperatures(&self) -> &Temperatures {
        &self.temperatures
    }
    pub(super) fn parts(&mut self) -> (&mut Network, &mut Hydraulics, &mut Temperatures) {
        (&mut self.network, &mut self.hydraulics, &mut self.temperatures)
    }
    /// Sets what is given of a consumer.
    pub fn set_given(&mut self, consumer: u32, given: Given) {
        let of = &mut self.network.consumers[consumer as usize];
        of.given = given;
        let link = of.link as usize;
        self.network.links.heat[link] = match given {
            Given::FlowHeat(_, q_w) | Given::HeatDrop(q_w, _) => HeatRule::Draw(q_w),
            Given::FlowDrop(_, drop_k) => HeatRule::Drop(drop_k),
            Given::FlowReturn(_, t_k) => HeatRule::Outlet(t_k),
            Given::HeatReturn(q_w, t_k) => {
                if q_w.abs() > 0.0 {
                    HeatRule::Outlet(t_k)
                } else {
                    HeatRule::Draw(0.0)
                }
            }
        };
        if !follows_temperature(given) {
            self.hydraulics.flow_set_kgps[link] = flow_kgps(given, &self.network.fluid, 0.0, 0.0);
        }
    }
    /// Sets the heat that a consumer asks for, W; see [`Given::with_heat`].
    pub fn set_heat(&mut self, consumer: u32, heat_w: f64) {
        self.set_given(consumer, self.network.consumers[consumer as usize].given.with_heat(heat_w));
    }
    /// Sets the temperature at which a plant gives water, K.
    pub fn set_flow_temperature(&mut self, plant: u32, t_k: f64) {
        let of = &mut self.network.plants[plant as usize];
        of.t_flow_k = Some(t_k);
        self.network.links.heat[of.link as usize] = HeatRule::Outlet(t_k);
    }
    /// Flows of consumers that follow from the temperatures at hand.
    fn follow(&mut self) -> f64 {
        let mut change = 0.0_f64;
        let hottest_k = hottest_k(&self.network);
        for consumer in self.network.consumers.iter().filter(|of| follows_temperature(of.given)) {
            let link = consumer.link as usize;
            let (mut t_in_k, t_out_k) = (self.hydraulics.t_from_k[link], self.hydraulics.t_to_k[link]);
            if let Given::HeatReturn(_, return_k) = consumer.given
                && t_in_k <= return_k
                && hottest_k > return_k
            {
                t_in_k = hottest_k; // what stands cold before a consumer gives way to what the plants send
            }
            let m = flow_kgps(consumer.given, &self.network.fluid, t_in_k, t_out_k);
            if m.is_finite() {
                change = change.max((m - self.hydraulics.flow_set_kgps[link]).abs());
                self.hydraulics.flow_set_kgps[link] = m;
            }
        }
        change
    }
    /// What a solve starts from and what it leaves, what is given of consumers and plants aside; see [`Snapshot`].
    pub fn snapshot(&mut self, of: &mut Snapshot) {
        self.hydraulics.snapshot(of);
        self.temperatures.snapshot(of);
    }
    /// Solves from the state at hand.
    pub fn solve(&mut self, settings: &HeatSettings) -> HeatOutcome {
        let mut outcome = HeatOutcome::default();
        if settings.coupling == Coupling::Sequential {
            self.hydraulics.start_temperatures(&self.network);
        }
        let rounds = if settings.coupling == Coupling::Sequential { 1 } else { settings.rounds.max(1) };
        for round in 0..rounds {
            let flow_change = self.follow();
            outcome.rounds = round + 1;
            outcome.hydraulic = self.hydraulics.solve(&self.network, &settings.hydraulic);
            if !outcome.hydraulic.residual.is_finite() || !outcome.hydraulic.imbalance_kgps.is_finite() {
                self.hydraulics.start(&self.network);
                return outcome;
            }
            let (is_found, left_k) = self.temperatures.solve(&self.network, &self.hydraulics, settings.ambient_k);
            if settings.coupling == Coupling::Sequential {
                outcome.is_converged = outcome.hydraulic.is_converged && is_found;
                outcome.change_k = left_k;
                return outcome;
            }
            outcome.change_k = self.hand_over();
            if outcome.change_k <= settings.tolerance_k && flow_change <= 1e-12 && round > 0 {
                outcome.is_converged = outcome.hydraulic.is_converged && is_found;
                break;
            }
            if (!is_found && !left_k.is_finite()) || outcome.change_k.is_nan() {
                break;
            }
        }
        outcome
    }
    /// Solves with the flows that consumers would take if water came as hot as the plants send it, and the temperatures that
    /// follow from them: a state to begin with where little heat is asked for, so that water cools down on its way and flows
    /// and temperatures find no common solution.
    pub fn solve_as_if_hot(&mut self, settings: &HeatSettings) -> HeatOutcome {
        self.hydraulics.start(&self.network);
        self.hydraulics.start_temperatures(&self.network);
        let hottest_k = hottest_k(&self.network);
        for consumer in self.network.consumers.iter().filter(|of| follows_temperature(of.given)) {
            let link = consumer.link as usize;
            let m = flow_kgps(consumer.given, &self.network.fluid, hottest_k, self.hydraulics.t_to_k[link]);
            if m.is_finite() {
                self.hydraulics.flow_set_kgps[link] = m;
            }
        }
        let hydraulic = self.hydraulics.solve(&self.network, &settings.hydraulic);
        let (is_found, _) = self.temperatures.solve(&self.network, &self.hydraulics, settings.ambient_k);
        let change_k = self.hand_over();
        HeatOutcome { hydraulic, rounds: 1, change_k, is_converged: hydraulic.is_converged && is_found }
    }
    /// Gives the temperatures found to the hydraulics; the largest change, K.
    fn hand_over(&mut self) -> f64 {
        let mut change = 0.0_f64;
        for link in 0..self.network.links.len() {
            if !self.hydraulics.supply().is_live[link] {
                continue;
            }
            let (start, _) = ends(&self.network, &self.hydraulics, link);
            let (t_in_k, t_out_k) = (self.temperatures.node_k[start], self.temperatures.out_k[link]);
            let is_back = self.hydraulics.mdot_kgps[link] < 0.0;
            let (from_k, to_k) = if is_back { (t_out_k, t_in_k) } else { (t_in_k, t_out_k) };
            for off in [from_k - self.hydraulics.t_from_k[link], to_k - self.hydraulics.t_to_k[link]] {
                // Not a number goes through.
                change = if off.is_nan() { f64::NAN } else { change.max(off.abs()) };
            }
            (self.hydraulics.t_from_k[link], self.hydraulics.t_to_k[link]) = (from_k, to_k);
        }
        change
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
    /// Temperature of a node, K; NaN without supply.
    #[must_use]
    pub fn t_k(&self, node: u32) -> f64 {
        self.temperatures.node_k[node as usize]
    }
    /// What a link does.
    #[must_use]
    pub fn link(&self, link: usize) -> HeatLink {
        let (links, fluid) = (&self.network.links, &self.network.fluid);
        let (from, to) = (links.from[link], links.to[link]);
        let m = flow_of(&self.hydraulics, link);
        let (start, _) = ends(&self.network, &self.hydraulics, link);
        let (t_in_k, t_out_k) = (self.temperatures.node_k[start], self.temperatures.out_k[link]);
        let rho = 0.5 * (fluid.density_kgpm3.at(t_in_k) + fluid.density_kgpm3.at(t_out_k));
        let given_w = m * fluid.mean_heat_capacity_jpkgk(t_in_k, t_out_k) * (t_in_k - t_out_k);
        let given_w = if m > 0.0 { given_w } else { 0.0 };
        let drawn_w = match links.heat[link] {
            HeatRule::Draw(q_w) if m > 0.0 => q_w,
            HeatRule::Draw(_) => 0.0,
            HeatRule::Drop(_) | HeatRule::Outlet(_) => given_w,
        };
        let is_live = self.hydraulics.supply().is_live[link];
        let mdot_kgps = if is_live { self.hydraulics.mdot_kgps[link] } else { 0.0 };
        HeatLink {
            p_from_pa: self.pressure_pa(from),
            p_to_pa: self.pressure_pa(to),
            mdot_kgps,
            v_mps: if is_live { mdot_kgps / (rho * links.area_m2(link)) } else { 0.0 },
            t_from_k: self.t_k(from),
            t_to_k: self.t_k(to),
            t_out_k,
            heat_loss_w: given_w - drawn_w,
            heat_w: drawn_w,
        }
    }
    /// What the links of an element do as one: ends of the first and last, mean velocity, sums of heat.
    #[must_use]
    pub fn element(&self, element: usize) -> HeatLink {
        let range = self.network.elements[element].links();
        let (first, last) = (self.link(range.start), self.link(range.end - 1));
        let sum = |of: &dyn Fn(&HeatLink) -> f64| range.clone().map(|link| of(&self.link(link))).sum::<f64>();
        HeatLink {
            p_to_pa: last.p_to_pa,
            v_mps: sum(&|of| of.v_mps) / range.len() as f64,
            t_to_k: last.t_to_k,
            t_out_k: if first.mdot_kgps < 0.0 { first.t_out_k } else { last.t_out_k },
            heat_loss_w: sum(&|of| of.heat_loss_w),
            heat_w: sum(&|of| of.heat_w),
            ..first
        }
    }
    /// Heat that a plant gives, W.
    #[must_use]
    pub fn plant_w(&self, plant: u32) -> f64 {
        -self.link(self.network.plants[plant as usize].link as usize).heat_w
    }
}
