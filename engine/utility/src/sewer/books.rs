//! Books of water that close at every step, for a simulation that is advanced by its caller.
//!
//! The methods of SWMM lose or make a little water in each step: they stop iterating at a tolerance, take thresholds as
//! zero, and find volumes of conduits from depths. Here each node has an account of what is missing at it: what came less
//! what left less what was stored, of the node and half of each conduit there. The account is given back to the node as
//! inflow of the next step, so that errors are made good where they arose and do not add up. Laws, since the start:
//!
//! ```text
//! rain = evaporated + infiltrated + runoff + on the ground
//! first stored + runoff + sewage + other inflow = outfalls + lost on the ground + evaporated + seeped + stored + on account
//! ```
//!
//! What comes from outside counts over the whole step, as it was given. Flows in links count as each method has them: in
//! kinematic waves 0.6 of the step with their value at its end, and a conduit holds 0.4 of its area at the inlet and 0.6
//! of that at the outlet over its length; in dynamic waves half of the step, and volumes are those of the state. A node is not
//! asked to give back more than half of what flows through it; the rest stays on account.
//!
//! Contract: a pass over nodes and links in order on one thread for each step; nothing is allocated.

use super::kinematic::{WEIGHT_SPACE, WEIGHT_TIME};
use super::ledger::StepFlows;
use super::network::{Method, Sewer};
use super::runoff::RunoffLedger;
use super::state::State;

/// Water since the start, m3.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WaterBalance {
    /// Rain on subcatchments.
    pub rain_m3: f64,
    /// Evaporated from the ground.
    pub ground_evaporated_m3: f64,
    /// Infiltrated.
    pub infiltrated_m3: f64,
    /// Runoff that left the ground.
    pub runoff_m3: f64,
    /// On the ground now.
    pub ground_stored_m3: f64,
    /// In the sewer at the start.
    pub first_stored_m3: f64,
    /// Runoff that came into the sewer.
    pub wet_weather_m3: f64,
    /// Sewage: what the caller gave, and what the network has itself.
    pub dry_weather_m3: f64,
    /// Other inflows of the network.
    pub external_m3: f64,
    /// Left through outfalls, less what came in there.
    pub outfalls_m3: f64,
    /// Left onto the ground for good.
    pub lost_m3: f64,
    /// Evaporated from basins and channels.
    pub evaporated_m3: f64,
    /// Seeped from basins and channels.
    pub seeped_m3: f64,
    /// In nodes and conduits now, with what is ponded on the ground.
    pub stored_m3: f64,
    /// What nodes have on account now: errors of the method that are to be made good.
    pub account_m3: f64,
}

impl WaterBalance {
    /// What is missing of the three laws, m3: on the ground, between ground and sewer, in the sewer.
    #[must_use]
    pub fn residuals_m3(&self) -> [f64; 3] {
        let ground =
            self.rain_m3 - self.ground_evaporated_m3 - self.infiltrated_m3 - self.runoff_m3 - self.ground_stored_m3;
        let came = self.first_stored_m3 + self.wet_weather_m3 + self.dry_weather_m3 + self.external_m3;
        let went = self.outfalls_m3 + self.lost_m3 + self.evaporated_m3 + self.seeped_m3;
        [ground, self.runoff_m3 - self.wet_weather_m3, came - went - self.stored_m3 - self.account_m3]
    }
    /// The greatest of them over what came, but at least over 1 m3.
    #[must_use]
    pub fn gap(&self) -> f64 {
        let came = self.rain_m3 + self.first_stored_m3 + self.dry_weather_m3 + self.external_m3.abs();
        self.residuals_m3().iter().map(|residual| residual.abs()).fold(0.0, f64::max) / came.max(1.0)
    }
}

/// The books of a simulation.
#[derive(Clone, Debug)]
pub(crate) struct Books {
    /// What nodes are owed, m3; negative where they owe.
    account_m3: Vec<f64>,
    /// Net flow of nodes from links, less losses, and water lost on the ground, at the beginning of the step, m3/s.
    net_before_m3ps: Vec<f64>,
    lost_before_m3ps: Vec<f64>,
    link_volume_m3: Vec<f64>,
    /// Flow into a conduit less flow out of it, m3/s.
    link_net_before_m3ps: Vec<f64>,
    /// Outside inflow of the step, without what is given back, m3/s.
    came_m3ps: Vec<f64>,
    losses_before_m3ps: [f64; 2],
    /// Weight of the end of a step.
    now: f64,
    flooded_m3: Vec<f64>,
    left_m3: Vec<f64>,
    is_dynamic: bool,
    is_end: Vec<bool>,
    totals: WaterBalance,
}

impl Books {
    pub(crate) fn new(sewer: &Sewer, state: &State) -> Self {
        let nodes = sewer.nodes.id.len();
        let is_dynamic = sewer.options.method == Method::Dynamic;
        let is_end = |node: usize| {
            sewer.is_outfall(node) || (!is_dynamic && state.nodes.degree[node] == 0 && !sewer.is_storage(node))
        };
        let net = |node: usize| state.nodes.inflow_m3ps[node] - state.nodes.outflow_m3ps[node];
        let mut books = Self {
            account_m3: vec![0.0; nodes],
            net_before_m3ps: (0..nodes).map(net).collect(),
            lost_before_m3ps: vec![0.0; nodes],
            link_volume_m3: vec![0.0; sewer.links.id.len()],
            link_net_before_m3ps: vec![0.0; sewer.links.id.len()],
            came_m3ps: vec![0.0; nodes],
            losses_before_m3ps: [0.0; 2],
            flooded_m3: vec![0.0; nodes],
            left_m3: vec![0.0; nodes],
            is_dynamic,
            is_end: (0..nodes).map(is_end).collect(),
            now: if is_dynamic { 0.5 } else { WEIGHT_TIME },
            totals: WaterBalance::default(),
        };
        for (row, &link) in sewer.conduits.link.iter().enumerate() {
            books.link_volume_m3[link as usize] = books.volume_of(sewer, state, row);
        }
        books.totals.first_stored_m3 = books.stored_m3(state);
        books
    }
    /// What a conduit holds as the method has it, m3.
    fn volume_of(&self, sewer: &Sewer, state: &State, row: usize) -> f64 {
        if self.is_dynamic {
            return state.links.volume_m3[sewer.conduits.link[row] as usize];
        }
        let of = &state.conduits;
        let area_m2 = (1.0 - WEIGHT_SPACE) * of.area_in_m2[row] + WEIGHT_SPACE * of.area_out_m2[row];
        area_m2 * sewer.conduits.length_m[row] * sewer.conduits.barrels[row]
    }
    fn stored_m3(&self, state: &State) -> f64 {
        state.nodes.volume_m3.iter().sum::<f64>() + self.link_volume_m3.iter().sum::<f64>()
    }
    /// Forgets floods of the part before.
    pub(crate) fn begin_part(&mut self) {
        self.flooded_m3.fill(0.0);
        self.left_m3.fill(0.0);
    }
    pub(crate) fn left_m3(&self) -> &[f64] {
        &self.left_m3
    }
    pub(crate) fn flooded_m3(&self) -> &[f64] {
        &self.flooded_m3
    }
    /// Books what comes from outside and gives back what is on account, before a step.
    pub(crate) fn begin(&mut self, state: &mut State, flows: &StepFlows, step_s: f64) {
        self.totals.wet_weather_m3 += flows.wet_weather_m3ps * step_s;
        self.totals.dry_weather_m3 += flows.dry_weather_m3ps * step_s;
        self.totals.external_m3 += flows.external_m3ps * step_s;
        let nodes = &mut state.nodes;
        self.came_m3ps.copy_from_slice(&nodes.lateral_m3ps);
        for node in 0..self.account_m3.len() {
            let account = self.account_m3[node];
            if account.abs() <= 0.0 || self.is_end[node] {
                continue;
            }
            let through = nodes.inflow_m3ps[node].max(nodes.lateral_m3ps[node]).max(0.0);
            nodes.lateral_m3ps[node] += (account / step_s).max(-0.5 * through);
        }
    }
    /// Books a step that is done. `state` is as the method left it.
    pub(crate) fn end(&mut self, sewer: &Sewer, state: &State, step_s: f64) {
        let now = self.now;
        let over = |before: f64, after: f64| ((1.0 - now) * before + now * after) * step_s;
        let nodes = &state.nodes;
        for node in 0..self.account_m3.len() {
            let overflow = nodes.overflow_m3ps[node];
            let net = nodes.inflow_m3ps[node] - nodes.outflow_m3ps[node] - nodes.lateral_m3ps[node];
            let from_links = over(self.net_before_m3ps[node], net);
            self.net_before_m3ps[node] = net;
            let came = self.came_m3ps[node] * step_s + from_links;
            if self.is_end[node] {
                self.totals.outfalls_m3 += came;
                self.left_m3[node] += came;
                continue;
            }
            let is_lost = nodes.volume_m3[node] <= nodes.full_volume_m3[node];
            let lost = if is_lost { overflow } else { 0.0 };
            let lost_m3 = over(self.lost_before_m3ps[node], lost);
            self.lost_before_m3ps[node] = lost;
            self.totals.lost_m3 += lost_m3;
            self.flooded_m3[node] += lost_m3 + if is_lost { 0.0 } else { overflow * step_s };
            self.account_m3[node] += came - lost_m3 - (nodes.volume_m3[node] - nodes.old_volume_m3[node]);
        }
        self.conduits(sewer, state, step_s);
    }
    fn conduits(&mut self, sewer: &Sewer, state: &State, step_s: f64) {
        let now = self.now;
        let over = |before: f64, after: f64| ((1.0 - now) * before + now * after) * step_s;
        // Losses of basins, and of conduits in dynamic waves, are in the flows of nodes.
        let mut at_nodes = [state.basin_losses.0, state.basin_losses.1];
        let mut along = [0.0; 2];
        for (row, &link) in sewer.conduits.link.iter().enumerate() {
            let (link, barrels, of) = (link as usize, sewer.conduits.barrels[row], &state.conduits);
            let lost = [barrels * of.evaporation_m3ps[row], barrels * of.seepage_m3ps[row]];
            let volume_m3 = self.volume_of(sewer, state, row);
            let mut missing = self.link_volume_m3[link] - volume_m3;
            self.link_volume_m3[link] = volume_m3;
            let lost_at = if self.is_dynamic { &mut at_nodes } else { &mut along };
            lost_at.iter_mut().zip(lost).for_each(|(sum, lost)| *sum += lost);
            if !self.is_dynamic {
                // In dynamic waves flow is one along a conduit.
                let net = barrels * of.flow_in_m3ps[row] - state.links.flow_m3ps[link];
                missing += over(self.link_net_before_m3ps[link], net) - (lost[0] + lost[1]) * step_s;
                self.link_net_before_m3ps[link] = net;
            }
            let (from, to) = (sewer.links.from[link] as usize, sewer.links.to[link] as usize);
            match (self.is_end[from], self.is_end[to]) {
                (false, true) => self.account_m3[from] += missing,
                (true, false) => self.account_m3[to] += missing,
                _ => {
                    self.account_m3[from] += 0.5 * missing;
                    self.account_m3[to] += 0.5 * missing;
                }
            }
        }
        self.totals.evaporated_m3 += over(self.losses_before_m3ps[0], at_nodes[0]) + along[0] * step_s;
        self.totals.seeped_m3 += over(self.losses_before_m3ps[1], at_nodes[1]) + along[1] * step_s;
        self.losses_before_m3ps = at_nodes;
    }
    /// The balance, with what ground and sewer hold now.
    pub(crate) fn balance(&self, state: &State, ground: &RunoffLedger) -> WaterBalance {
        WaterBalance {
            rain_m3: ground.rain_m3,
            ground_evaporated_m3: ground.evaporation_m3,
            infiltrated_m3: ground.infiltration_m3,
            runoff_m3: ground.runoff_m3,
            ground_stored_m3: ground.stored_m3,
            stored_m3: self.stored_m3(state),
            account_m3: self.account_m3.iter().sum(),
            ..self.totals
        }
    }
}
