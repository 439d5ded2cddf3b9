//! A network of heat through time. Each step:
//!
//! 1. consumers ask for flow by what is given and the temperature at their inlet in the step before;
//! 2. pressures and flows are solved as steady ones at the temperatures of the step before;
//! 3. water moves: nodes mix what arrives within the step, pipes take it in and let out what is ahead of it (`plug`).
//!
//! Nodes are visited along the flow; a pipe that holds more than passes hands nothing on within the step and breaks
//! circles, as plants do. Where flow yet runs in a circle, a node gives water of the temperature before and carries the
//! difference in heat into the next step.
//!
//! The ledger counts enthalpies `m cp (T - T_0)` with one heat capacity and one density for the run (those at a
//! temperature of the settings), so that heat and mass are conserved exactly:
//!
//! ```text
//! produced + imported = delivered + lost + exported + stored now - stored at the start
//! ```
//!
//! Each side is summed on its own: losses by plug, deliveries by consumer, what is stored over all pipes.
//!
//! Ignored: see [`super`]. A consumer whose supply is colder than the return it should have takes no heat; one whose flow
//! follows from temperatures asks for at least a drop of the settings' least. Contract: no allocation in
//! [`HeatRun::step`]; single-threaded, sums in the order of tables: the same input gives the same bits.

use super::consumers::{follows_temperature, hottest_k};
use super::flow::{HeatFlow, HeatSettings};
use super::plug::Plugs;
use super::temperatures::{Around, ends, flow_of};
use crate::pipes::NORM_T_K;
use crate::pipes::network::{Given, HeatRule, Network};
use crate::pipes::solver::{HydraulicOutcome, Hydraulics};
use crate::snapshot::Snapshot;
use urbis_core::{Problem, Result};

/// How to run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunSettings {
    /// Steady solves; the first state is one.
    pub heat: HeatSettings,
    /// Length of a step, s.
    pub step_s: f64,
    /// Temperature at which heat capacity and density of the run are taken, K.
    pub properties_at_k: f64,
    /// Least drop of temperature that the flow of a consumer is made for, K.
    pub least_drop_k: f64,
    /// Most plugs of a pipe.
    pub most_plugs: usize,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            heat: HeatSettings::default(),
            step_s: 3600.0,
            properties_at_k: 333.15,
            least_drop_k: 5.0,
            most_plugs: 64,
        }
    }
}

/// Heat, J, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeatLedger {
    /// Given by plants.
    pub produced_j: f64,
    /// Taken by consumers and heat exchangers.
    pub delivered_j: f64,
    /// Lost to the ground.
    pub lost_j: f64,
    /// Carried in by feeders and sources.
    pub imported_j: f64,
    /// Carried out by draws and at feeders.
    pub exported_j: f64,
    /// In the water of pipes, now.
    pub stored_j: f64,
    /// In the water of pipes, at the start.
    pub stored_at_start_j: f64,
}

impl HeatLedger {
    /// What does not add up, as a share of all heat that came in.
    #[must_use]
    pub fn gap(&self) -> f64 {
        let stored_j = self.stored_j - self.stored_at_start_j;
        let gap = self.produced_j + self.imported_j - self.delivered_j - self.lost_j - self.exported_j - stored_j;
        let moved = self.produced_j.abs() + self.imported_j.abs() + self.lost_j.abs() + stored_j.abs();
        gap.abs() / moved.max(1.0)
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepOutcome {
    /// Pressures and flows.
    pub hydraulic: HydraulicOutcome,
    /// Heat given by plants, J.
    pub produced_j: f64,
    /// Heat taken by consumers and heat exchangers, J.
    pub delivered_j: f64,
    /// Heat lost to the ground, J.
    pub lost_j: f64,
}

/// A network on its way through time.
#[derive(Clone, Debug)]
pub struct HeatRun {
    flow: HeatFlow,
    settings: RunSettings,
    cp: f64,
    around: Around,
    /// By link; none of links without length.
    pipes: Vec<Option<Plugs>>,
    /// Heat taken from a link in the last step, J. Shape: links.
    taken_j: Vec<f64>,
    /// Heat that a node in a circle owes, kg K. Shape: nodes.
    carried_kgk: Vec<f64>,
    feed_kgps: Vec<f64>,
    fed_at_k: Vec<f64>,
    waits_for: Vec<u32>,
    queue: Vec<u32>,
    hands_on: Vec<bool>,
    is_plant: Vec<bool>,
    /// Whether a node was visited before all that arrives there was known. Shape: nodes.
    is_in_circle: Vec<bool>,
    ledger: HeatLedger,
}

impl HeatRun {
    /// Begins with the steady state of what is given or, where so little flows that there is none, with what would flow if
    /// hot water stood before every consumer.
    ///
    /// # Errors
    /// Neither is found, or a step that is not longer than nothing.
    pub fn new(mut flow: HeatFlow, settings: RunSettings) -> Result<Self> {
        if !(settings.step_s > 0.0 && settings.step_s.is_finite()) {
            return Err(Problem::file("step_s".as_ref(), format!("= {}, expected > 0", settings.step_s)).into());
        }
        let mut outcome = flow.solve(&settings.heat);
        if !outcome.is_converged {
            outcome = flow.solve_as_if_hot(&settings.heat);
        }
        if !outcome.is_converged {
            let (rounds, residual) = (outcome.rounds, outcome.hydraulic.residual);
            let what = format!("no steady state to begin with after {rounds} rounds, residual {residual:.1e}");
            return Err(Problem::file("heat".as_ref(), what).into());
        }
        let network = flow.network();
        let fluid = &network.fluid;
        let (cp, rho) =
            (fluid.heat_capacity_jpkgk.at(settings.properties_at_k), fluid.density_kgpm3.at(settings.properties_at_k));
        let links = &network.links;
        let pipe = |link: usize| {
            let mass_kg = links.area_m2(link) * links.length_m[link] * rho;
            let (start, _) = ends(network, flow.hydraulics(), link);
            let known = |t_k: f64| if t_k.is_finite() { t_k } else { settings.heat.ambient_k };
            let t_k = [known(flow.temperatures().node_k[start]), known(flow.temperatures().out_k[link])];
            let t_k = if flow_of(flow.hydraulics(), link) > 0.0 { t_k } else { [t_k[1]; 2] };
            let plugs = Plugs::new(mass_kg, links.loss_wpk(link), cp, links.ground_k[link], t_k, settings.most_plugs);
            (mass_kg > 0.0).then_some(plugs.flowing_back(flow.hydraulics().mdot_kgps[link] < 0.0))
        };
        let pipes: Vec<Option<Plugs>> = (0..links.len()).map(pipe).collect();
        let nodes = network.nodes.len();
        let mut is_plant = vec![false; links.len()];
        network.plants.iter().for_each(|plant| is_plant[plant.link as usize] = true);
        let mut this = Self {
            cp,
            around: Around::new(network),
            taken_j: vec![0.0; pipes.len()],
            hands_on: vec![false; pipes.len()],
            pipes,
            is_plant,
            is_in_circle: vec![false; nodes],
            carried_kgk: vec![0.0; nodes],
            feed_kgps: vec![0.0; nodes],
            fed_at_k: vec![f64::NAN; nodes],
            waits_for: vec![0; nodes],
            queue: Vec::with_capacity(nodes),
            ledger: HeatLedger::default(),
            settings,
            flow,
        };
        this.ledger.stored_at_start_j = this.stored_j();
        this.ledger.stored_j = this.ledger.stored_at_start_j;
        Ok(this)
    }
    /// The network with its pressures, flows and temperatures; of links without flow the temperature of the outlet.
    #[must_use]
    pub fn flow(&self) -> &HeatFlow {
        &self.flow
    }
    /// Heat since the start.
    #[must_use]
    pub fn ledger(&self) -> &HeatLedger {
        &self.ledger
    }
    /// Heat that a consumer took in the last step, J.
    #[must_use]
    pub fn consumer_j(&self, consumer: u32) -> f64 {
        self.taken_j[self.flow.network().consumers[consumer as usize].link as usize]
    }
    /// Heat that a plant gave in the last step, J.
    #[must_use]
    pub fn plant_j(&self, plant: u32) -> f64 {
        -self.taken_j[self.flow.network().plants[plant as usize].link as usize]
    }
    /// Sets what is given of a consumer.
    pub fn set_given(&mut self, consumer: u32, given: Given) {
        self.flow.set_given(consumer, given);
    }
    /// Sets the heat that a consumer asks for, W; see [`Given::with_heat`].
    pub fn set_heat(&mut self, consumer: u32, heat_w: f64) {
        self.flow.set_heat(consumer, heat_w);
    }
    /// Sets the temperature at which a plant gives water, K.
    pub fn set_flow_temperature(&mut self, plant: u32, t_k: f64) {
        self.flow.set_flow_temperature(plant, t_k);
    }
    /// Sets the length of the steps that follow, s.
    pub fn set_step(&mut self, step_s: f64) {
        self.settings.step_s = step_s;
    }
    /// Sets the temperature of the ground around all pipes, K.
    pub fn set_ground(&mut self, t_k: f64) {
        self.flow.parts().0.links.ground_k.fill(t_k);
        self.pipes.iter_mut().flatten().for_each(|plugs| plugs.set_ground(t_k));
    }
    /// Takes links, nodes and feeders in or out of service: `change` may write `is_in_service` of them. Pressures and flows
    /// begin anew at the next step; the water stays where it is, with its heat.
    pub fn change_service(&mut self, change: impl FnOnce(&mut Network)) {
        let (network, hydraulics, temperatures) = self.flow.parts();
        change(network);
        let mut anew = Hydraulics::new(network);
        anew.t_from_k.copy_from_slice(&hydraulics.t_from_k);
        anew.t_to_k.copy_from_slice(&hydraulics.t_to_k);
        anew.flow_set_kgps.copy_from_slice(&hydraulics.flow_set_kgps);
        anew.draw_kgps.copy_from_slice(&hydraulics.draw_kgps);
        *hydraulics = anew;
        temperatures.follow_feeds(network);
    }
    /// What a step starts from and what it leaves, what is given of consumers and plants aside; see [`Snapshot`].
    pub fn snapshot(&mut self, of: &mut Snapshot) {
        self.flow.snapshot(of);
        self.pipes.iter_mut().flatten().for_each(|plugs| plugs.snapshot(of));
        of.numbers(&mut self.taken_j);
        of.numbers(&mut self.carried_kgk);
        of.numbers(&mut self.feed_kgps);
        of.numbers(&mut self.fed_at_k);
        let HeatLedger { produced_j, delivered_j, lost_j, imported_j, exported_j, stored_j, stored_at_start_j } =
            &mut self.ledger;
        for of_ledger in [produced_j, delivered_j, lost_j, imported_j, exported_j, stored_j, stored_at_start_j] {
            of.number(of_ledger);
        }
    }
    fn stored_j(&self) -> f64 {
        let pipes: f64 = self.pipes.iter().flatten().map(|plugs| plugs.heat_kgk(NORM_T_K)).sum();
        self.cp * (pipes + self.carried_kgk.iter().sum::<f64>())
    }
    /// Flows of consumers that follow from temperatures.
    fn ask(&mut self) {
        let (cp, least_k) = (self.cp, self.settings.least_drop_k);
        let hottest_k = hottest_k(self.flow.network());
        let (network, hydraulics, temperatures) = self.flow.parts();
        for consumer in network.consumers.iter().filter(|of| follows_temperature(of.given)) {
            let link = consumer.link as usize;
            let t_in_k = temperatures.node_k[network.links.from[link] as usize];
            hydraulics.flow_set_kgps[link] = match consumer.given {
                Given::HeatDrop(q_w, drop_k) => q_w / (cp * drop_k),
                // Also where the water has gone cold: it flows on until warmer water comes.
                Given::HeatReturn(q_w, return_k) if t_in_k.max(hottest_k) > return_k => {
                    q_w / (cp * (t_in_k - return_k).max(least_k))
                }
                _ => 0.0,
            };
        }
    }
    /// Goes one step further. Where flows are not found the step does not move any water: the outcome says so.
    pub fn step(&mut self) -> StepOutcome {
        self.ask();
        let hydraulic = self.settings.heat.hydraulic;
        let (network, hydraulics, _) = self.flow.parts();
        let mut outcome = StepOutcome { hydraulic: hydraulics.solve(network, &hydraulic), ..StepOutcome::default() };
        if !outcome.hydraulic.is_converged {
            hydraulics.start(network);
            outcome.hydraulic = hydraulics.solve(network, &hydraulic);
            if !outcome.hydraulic.is_converged {
                return outcome;
            }
        }
        hydraulics.feeds_kgps(network, &mut self.feed_kgps);
        self.transport(&mut outcome);
        self.ledger.produced_j += outcome.produced_j;
        self.ledger.delivered_j += outcome.delivered_j;
        self.ledger.lost_j += outcome.lost_j;
        self.ledger.stored_j = self.stored_j();
        outcome
    }
    /// Moves the water of a step.
    fn transport(&mut self, outcome: &mut StepOutcome) {
        let seconds = self.settings.step_s;
        self.waits_for.fill(0);
        self.is_in_circle.fill(false);
        for link in 0..self.pipes.len() {
            let (network, hydraulics) = (self.flow.network(), self.flow.hydraulics());
            let mass_kg = seconds * flow_of(hydraulics, link);
            self.hands_on[link] = mass_kg > 0.0
                && !self.is_plant[link]
                && self.pipes[link].as_ref().is_none_or(|plugs| !plugs.holds(mass_kg));
            if self.hands_on[link] {
                self.waits_for[ends(network, hydraulics, link).1] += 1;
            }
        }
        // Outlets of plants and of pipes that hold more than passes are known before nodes are.
        for link in 0..self.pipes.len() {
            if !self.hands_on[link] {
                self.first_pass(link, seconds, outcome);
            }
        }
        self.queue.clear();
        for node in 0..self.waits_for.len() {
            if self.waits_for[node] == 0 {
                self.queue.push(node as u32);
            }
        }
        let (mut done, mut first) = (0, 0);
        loop {
            while done < self.queue.len() {
                let node = self.queue[done] as usize;
                done += 1;
                self.node(node, seconds, outcome);
            }
            let Some(node) = (first..self.waits_for.len()).find(|&node| self.waits_for[node] > 0) else { break };
            first = node + 1;
            self.waits_for[node] = 0;
            self.is_in_circle[node] = true;
            self.queue.push(node as u32);
        }
        self.settle(seconds, outcome);
    }
    /// Outlet of a link that does not depend on what enters within the step: seen ahead, on a pipe that stays as it is.
    fn first_pass(&mut self, link: usize, seconds: f64, outcome: &mut StepOutcome) {
        let (network, hydraulics, temperatures) = self.flow.parts();
        let m = flow_of(hydraulics, link);
        let is_back = hydraulics.mdot_kgps[link] < 0.0;
        let out_k = match (&mut self.pipes[link], network.links.heat[link]) {
            (_, HeatRule::Outlet(t_k)) => t_k,
            (Some(plugs), _) if m > 0.0 => plugs.peek(m * seconds, is_back, seconds),
            (Some(plugs), _) => {
                let passed = plugs.pass(0.0, 0.0, is_back, seconds);
                outcome.lost_j += self.cp * passed.lost_kgk;
                passed.out_k
            }
            // Without flow or length there is nothing in it.
            _ => temperatures.node_k[network.links.to[link] as usize],
        };
        temperatures.out_k[link] = out_k;
    }
    /// Mixes what arrives at a node and sends it on.
    fn node(&mut self, node: usize, seconds: f64, outcome: &mut StepOutcome) {
        let (network, hydraulics, temperatures) = self.flow.parts();
        if !hydraulics.supply().is_supplied[node] {
            return;
        }
        // Kilograms and kilogram kelvin above T_0 within the step.
        let outside = (self.feed_kgps[node].max(0.0) + (-hydraulics.draw_kgps[node]).max(0.0)) * seconds;
        let (mut mass, mut heat) = (0.0, 0.0);
        for &link in self.around.of(node) {
            let link = link as usize;
            let m = flow_of(hydraulics, link) * seconds;
            if m > 0.0 && ends(network, hydraulics, link).1 == node {
                mass += m;
                heat += m * (temperatures.out_k[link] - NORM_T_K);
            }
        }
        if outside > 0.0 && (temperatures.is_fed_at[node] || mass <= 0.0) {
            (mass, heat) = (mass + outside, heat + outside * (temperatures.feed_k[node] - NORM_T_K));
            self.fed_at_k[node] = temperatures.feed_k[node];
        } else {
            self.fed_at_k[node] = f64::NAN; // as the node, whatever that will be
        }
        if mass > 0.0 {
            temperatures.node_k[node] = NORM_T_K + (heat + self.carried_kgk[node]) / mass;
            if !self.is_in_circle[node] {
                self.carried_kgk[node] = 0.0; // paid
            }
        }
        let t_k = temperatures.node_k[node];
        for at in 0..self.around.of(node).len() {
            let link = self.around.of(node)[at] as usize;
            let (network, hydraulics, temperatures) = self.flow.parts();
            let m = flow_of(hydraulics, link) * seconds;
            let (start, end) = ends(network, hydraulics, link);
            if m <= 0.0 || start != node {
                continue;
            }
            let is_back = hydraulics.mdot_kgps[link] < 0.0;
            let mut leaves_k = t_k;
            if let Some(plugs) = &mut self.pipes[link] {
                let passed = plugs.pass(m, t_k, is_back, seconds);
                outcome.lost_j += self.cp * passed.lost_kgk;
                leaves_k = passed.out_k;
            }
            let out_k = match network.links.heat[link] {
                HeatRule::Draw(q_w) => leaves_k - q_w * seconds / (self.cp * m),
                HeatRule::Drop(drop_k) => leaves_k - drop_k,
                HeatRule::Outlet(t_k) if self.is_plant[link] => t_k,
                HeatRule::Outlet(t_k) => t_k.min(leaves_k), // a consumer does not heat
            };
            self.taken_j[link] = self.cp * m * (leaves_k - out_k);
            temperatures.out_k[link] = out_k;
            if self.hands_on[link] {
                self.waits_for[end] = self.waits_for[end].saturating_sub(1);
                if self.waits_for[end] == 0 {
                    self.queue.push(end as u32);
                }
            }
        }
    }
    /// Counts what links took and nodes gave away, and what circles owe.
    fn settle(&mut self, seconds: f64, outcome: &mut StepOutcome) {
        let (network, hydraulics, temperatures) = self.flow.parts();
        for link in 0..self.pipes.len() {
            if flow_of(hydraulics, link) <= 0.0 {
                self.taken_j[link] = 0.0;
            }
        }
        for plant in &network.plants {
            let taken_j = &mut self.taken_j[plant.link as usize];
            outcome.produced_j -= *taken_j;
        }
        outcome.delivered_j = self.taken_j.iter().sum::<f64>() + outcome.produced_j;
        for node in 0..self.waits_for.len() {
            if !hydraulics.supply().is_supplied[node] {
                continue;
            }
            let above_k = temperatures.node_k[node] - NORM_T_K;
            let (feed, draw) = (self.feed_kgps[node] * seconds, hydraulics.draw_kgps[node] * seconds);
            let fed_kg = feed.max(0.0) + (-draw).max(0.0);
            let taken_kg = draw.max(0.0) + (-feed).max(0.0);
            let fed_k = self.fed_at_k[node];
            let imported = fed_kg * if fed_k.is_finite() { fed_k - NORM_T_K } else { above_k };
            self.ledger.imported_j += self.cp * imported;
            self.ledger.exported_j += self.cp * taken_kg * above_k;
            if !self.is_in_circle[node] {
                continue;
            }
            let (mut arrived, mut left) = (imported, taken_kg * above_k);
            for &link in self.around.of(node) {
                let link = link as usize;
                let m = flow_of(hydraulics, link) * seconds;
                let (start, end) = ends(network, hydraulics, link);
                if m > 0.0 && end == node {
                    arrived += m * (temperatures.out_k[link] - NORM_T_K);
                }
                if m > 0.0 && start == node {
                    left += m * above_k;
                }
            }
            self.carried_kgk[node] += arrived - left;
        }
        for link in 0..self.pipes.len() {
            if hydraulics.supply().is_live[link] {
                let (start, _) = ends(network, hydraulics, link);
                let (t_in_k, t_out_k) = (temperatures.node_k[start], temperatures.out_k[link]);
                let is_back = hydraulics.mdot_kgps[link] < 0.0;
                let (from_k, to_k) = if is_back { (t_out_k, t_in_k) } else { (t_in_k, t_out_k) };
                (hydraulics.t_from_k[link], hydraulics.t_to_k[link]) = (from_k, to_k);
            }
        }
    }
}
