//! The network of heat of a town, through time ([`HeatRun`]) or as steady states ([`HeatFlow`]).
//!
//! By plugs, every step moves water, and the ledger of the run closes. As steady states, a step in which nothing has
//! changed is not solved; heat capacities are those of each link's own temperature there, as in pandapipes, so what plants
//! give and what is delivered and lost may differ by a thousandth. The law that such a state obeys is that of mixing,
//! `sum m cp (T_out - T) = 0` at every node, and the residual is what these sums lack; `supplied` is what plants give.

use super::books::{Account, KWH};
use super::elements::Out;
use super::gas::put_out;
use super::settings::{HeatMethod, HeatNet};
use std::path::Path;
use urbis_core::{Problem, Result};
use urbis_utility::heat::temperatures::STANDING_KGPS;
use urbis_utility::heat::transport::{HeatLedger, HeatRun, RunSettings};
use urbis_utility::heat::{HeatFlow, HeatSettings};
use urbis_utility::pipes::network::{Given, Network};
use urbis_utility::pipes::pandapipes;
use urbis_utility::pipes::solver::HydraulicSettings;
use urbis_utility::snapshot::Snapshot;

/// What a consumer may get less than it asks for, as a share: what rounding and the drop of temperature of a flow leave.
const SHORT: f64 = 1e-3;

#[derive(Clone, Debug)]
enum Motion {
    Plugs(Box<HeatRun>),
    Steady(Box<HeatFlow>),
}

/// The network and its state.
#[derive(Clone, Debug)]
pub struct HeatPart {
    base: Network,
    motion: Motion,
    settings: HeatSettings,
    /// What the reader left out.
    pub notes: Vec<String>,
    /// What is given of consumers. Shape: consumers.
    given: Vec<Given>,
    /// Heat that is asked for, W; NaN where it follows. Shape: consumers.
    asked_w: Vec<f64>,
    /// Heat that was taken in the last step, J. Shape: consumers.
    taken_j: Vec<f64>,
    is_dark: Vec<bool>,
    ledger: HeatLedger,
    is_solved: bool,
    is_stale: bool,
}

/// What a consumer asks for, times a factor: heat, and flow where flow is given.
fn scaled(given: Given, factor: f64) -> Given {
    match given {
        Given::FlowHeat(m, q_w) => Given::FlowHeat(m * factor, q_w * factor),
        Given::FlowDrop(m, drop_k) => Given::FlowDrop(m * factor, drop_k),
        Given::FlowReturn(m, return_k) => Given::FlowReturn(m * factor, return_k),
        Given::HeatDrop(q_w, drop_k) => Given::HeatDrop(q_w * factor, drop_k),
        Given::HeatReturn(q_w, return_k) => Given::HeatReturn(q_w * factor, return_k),
    }
}

/// Heat that is asked for, W; NaN where it follows from temperatures.
fn asked_w(given: Given) -> f64 {
    match given {
        Given::FlowHeat(_, q_w) | Given::HeatDrop(q_w, _) | Given::HeatReturn(q_w, _) => q_w,
        Given::FlowDrop(..) | Given::FlowReturn(..) => f64::NAN,
    }
}

impl HeatPart {
    /// Reads a network and finds the steady state that it begins with, at consumers times `factor`.
    ///
    /// # Errors
    /// A file that cannot be read, what is wrong in it, and a steady state that is not found.
    pub fn new(of: &HeatNet, factor: f64, step_s: u32) -> Result<Self> {
        let net = pandapipes::read(Path::new(&of.net))?;
        let hydraulic = HydraulicSettings { friction: net.options.friction, ..HydraulicSettings::default() };
        let settings = HeatSettings { hydraulic, ambient_k: net.options.ambient_k, ..HeatSettings::default() };
        let base = net.network;
        let mut flow = HeatFlow::new(base.clone())?;
        let given: Vec<Given> = base.consumers.iter().map(|of| scaled(of.given, factor)).collect();
        given.iter().enumerate().for_each(|(row, given)| flow.set_given(row as u32, *given));
        let motion = match of.method {
            HeatMethod::Steady => Motion::Steady(Box::new(flow)),
            HeatMethod::Plugs => {
                let settings = RunSettings { heat: settings, step_s: f64::from(step_s), ..RunSettings::default() };
                let run = HeatRun::new(flow, settings).map_err(|_| {
                    Problem::file(&of.net, "has no steady state to begin with; `urbis heat solve` says more")
                })?;
                Motion::Plugs(Box::new(run))
            }
        };
        let ledger = if let Motion::Plugs(run) = &motion { *run.ledger() } else { HeatLedger::default() };
        Ok(Self {
            motion,
            settings,
            notes: net.notes,
            asked_w: given.iter().map(|given| asked_w(*given)).collect(),
            taken_j: vec![0.0; given.len()],
            is_dark: vec![false; given.len()],
            given,
            ledger,
            is_solved: false,
            is_stale: true,
            base,
        })
    }
    /// The network as its file tells it.
    #[must_use]
    pub fn base(&self) -> &Network {
        &self.base
    }
    /// The network with its pressures, flows and temperatures.
    #[must_use]
    pub fn flow(&self) -> &HeatFlow {
        match &self.motion {
            Motion::Plugs(run) => run.flow(),
            Motion::Steady(flow) => flow,
        }
    }
    /// Heat that a consumer took in the last step, J.
    #[must_use]
    pub fn taken_j(&self, consumer: u32) -> f64 {
        self.taken_j[consumer as usize]
    }
    /// Whether a consumer that would take heat gets less than it asks for, by this share of it.
    fn short_share(&self, consumer: usize, seconds: f64) -> f64 {
        let (asked_j, is_live) = (self.asked_w[consumer] * seconds, self.is_live(consumer));
        if asked_j.is_nan() {
            return if is_live { 0.0 } else { 1.0 };
        }
        let share = if asked_j > 0.0 { 1.0 - self.taken_j[consumer] / asked_j } else { 0.0 };
        if share > SHORT { share.min(1.0) } else { 0.0 }
    }
    fn is_live(&self, consumer: usize) -> bool {
        self.flow().hydraulics().supply().is_live[self.base.consumers[consumer].link as usize]
    }
    /// Heat that a consumer with electricity lacks, W.
    #[must_use]
    pub fn missing_w(&self, consumer: u32, seconds: f64) -> f64 {
        let at = consumer as usize;
        let asked_w = if self.asked_w[at].is_nan() { 0.0 } else { self.asked_w[at].max(0.0) };
        if self.is_dark[at] { 0.0 } else { self.short_share(at, seconds) * asked_w }
    }
    /// Puts elements out, all others in.
    ///
    /// # Errors
    /// None that a network which was read could have.
    pub(crate) fn set_out(&mut self, out: &[Out]) -> Result<()> {
        let base = &self.base;
        match &mut self.motion {
            Motion::Plugs(run) => run.change_service(|network| put_out(base, network, out)),
            Motion::Steady(flow) => {
                let mut network = base.clone();
                put_out(base, &mut network, out);
                **flow = HeatFlow::new(network)?;
                for (row, given) in self.given.iter().enumerate() {
                    flow.set_given(row as u32, *given);
                }
            }
        }
        self.is_stale = true;
        Ok(())
    }
    /// Goes a step with consumers times a factor; those of `is_dark` take nothing. Shape of `is_dark`: consumers.
    pub(crate) fn step(&mut self, factor: f64, is_dark: &[bool], seconds: f64) -> Account {
        let mut is_new = self.is_stale || !self.is_solved;
        self.is_dark.copy_from_slice(is_dark);
        for (row, is_dark) in is_dark.iter().enumerate() {
            let asked = scaled(self.base.consumers[row].given, factor);
            let given = if *is_dark { Given::FlowHeat(0.0, 0.0) } else { asked };
            self.asked_w[row] = asked_w(asked);
            if given != self.given[row] {
                is_new = true;
                self.give(row, given);
            }
        }
        let before = self.ledger;
        match &mut self.motion {
            Motion::Plugs(run) => {
                is_new = true;
                self.is_solved = run.step().hydraulic.is_converged;
                self.ledger = *run.ledger();
                for (row, taken_j) in self.taken_j.iter_mut().enumerate() {
                    *taken_j = if self.is_solved { run.consumer_j(row as u32) } else { 0.0 };
                }
            }
            Motion::Steady(flow) => {
                if is_new {
                    self.is_solved = flow.solve(&self.settings).is_converged;
                }
                for (taken_j, of) in self.taken_j.iter_mut().zip(&self.base.consumers) {
                    *taken_j = flow.link(of.link as usize).heat_w * seconds;
                }
            }
        }
        self.is_stale = false;
        let mut account = self.customers(seconds);
        (account.is_solved, account.is_new) = (self.is_solved, is_new);
        match self.motion {
            Motion::Plugs(_) => self.book_plugs(&before, &mut account),
            Motion::Steady(_) => self.book_steady(seconds, &mut account),
        }
        account
    }
    fn give(&mut self, row: usize, given: Given) {
        self.given[row] = given;
        match &mut self.motion {
            Motion::Plugs(run) => run.set_given(row as u32, given),
            Motion::Steady(flow) => flow.set_given(row as u32, given),
        }
    }
    fn customers(&self, seconds: f64) -> Account {
        let mut of = Account::default();
        for row in 0..self.given.len() {
            let asked_w = self.asked_w[row];
            if asked_w > 0.0 || asked_w.is_nan() {
                let is_short = self.is_dark[row] || self.short_share(row, seconds) > 0.0;
                of.customers += 1;
                of.dark_customers += u32::from(self.is_dark[row]);
                of.unserved_customers += u32::from(is_short);
                let asked_j = if asked_w.is_nan() { self.taken_j[row] } else { asked_w * seconds };
                of.asked += asked_j / KWH;
                of.got += self.taken_j[row] / KWH;
            }
        }
        of
    }
    /// What the ledger of the run gained in the step.
    fn book_plugs(&self, before: &HeatLedger, of: &mut Account) {
        let now = &self.ledger;
        let gained = |of: fn(&HeatLedger) -> f64| of(now) - of(before);
        let produced = gained(|of| of.produced_j) + gained(|of| of.imported_j);
        let served = gained(|of| of.delivered_j) + gained(|of| of.exported_j);
        let (lost, stored) = (gained(|of| of.lost_j), gained(|of| of.stored_j));
        of.supplied = produced / KWH;
        of.served = served / KWH;
        of.lost = lost / KWH;
        of.stored = stored / KWH;
        of.residual = (produced - served - lost - stored) / KWH;
        of.moved = (produced.abs() + served.abs() + lost.abs() + stored.abs()) / KWH;
    }
    /// What the state's links give and take.
    fn book_steady(&self, seconds: f64, of: &mut Account) {
        let flow = self.flow();
        let (network, hydraulics, temperatures) = (flow.network(), flow.hydraulics(), flow.temperatures());
        let mut is_plant = vec![false; network.links.len()];
        network.plants.iter().for_each(|plant| is_plant[plant.link as usize] = true);
        let (mut given_w, mut served_w, mut lost_w, mut moved_w) = (0.0, 0.0, 0.0, 0.0);
        let mut mixed_w = vec![0.0; network.nodes.len()];
        for (link, is_plant) in is_plant.iter().enumerate() {
            let m = hydraulics.mdot_kgps[link];
            if !hydraulics.supply().is_live[link] || m.abs() <= STANDING_KGPS {
                continue;
            }
            let state = flow.link(link);
            if *is_plant {
                given_w -= state.heat_w;
            } else {
                served_w += state.heat_w;
            }
            lost_w += state.heat_loss_w;
            moved_w += state.heat_w.abs() + state.heat_loss_w.abs();
            let end = if m < 0.0 { network.links.from[link] } else { network.links.to[link] } as usize;
            let (out_k, node_k) = (temperatures.out_k[link], temperatures.node_k[end]);
            let heat_w = m.abs() * network.fluid.mean_heat_capacity_jpkgk(out_k, node_k) * (out_k - node_k);
            mixed_w[end] += heat_w;
            moved_w += heat_w.abs();
        }
        let mut feeds_kgps = vec![0.0; network.nodes.len()];
        flow.hydraulics().feeds_kgps(network, &mut feeds_kgps);
        let mut residual_w = 0.0;
        for node in 0..mixed_w.len() {
            let fed_kgps = feeds_kgps[node].max(0.0) + (-hydraulics.draw_kgps[node]).max(0.0);
            let (fed_k, node_k) = (temperatures.feed_k[node], temperatures.node_k[node]);
            if temperatures.is_fed_at[node] && fed_kgps > STANDING_KGPS && node_k.is_finite() {
                mixed_w[node] += fed_kgps * network.fluid.mean_heat_capacity_jpkgk(fed_k, node_k) * (fed_k - node_k);
            }
            residual_w += mixed_w[node];
        }
        let kwh = |w: f64| w * seconds / KWH;
        of.served = kwh(served_w);
        of.lost = kwh(lost_w);
        of.supplied = kwh(given_w);
        of.residual = kwh(residual_w);
        of.moved = kwh(moved_w);
    }
    /// What the next step starts from; elements that are out are put out before.
    pub(crate) fn snapshot(&mut self, of: &mut Snapshot) {
        of.numbers(&mut self.asked_w);
        of.numbers(&mut self.taken_j);
        of.flags(&mut self.is_dark);
        of.flag(&mut self.is_solved);
        of.flag(&mut self.is_stale);
        for row in 0..self.given.len() {
            let given = snapshot_of_given(self.given[row], self.base.consumers[row].given, of);
            if of.is_reader() && of.is_good() {
                self.give(row, given);
            }
        }
        match &mut self.motion {
            Motion::Plugs(run) => {
                run.snapshot(of);
                self.ledger = *run.ledger();
            }
            Motion::Steady(flow) => flow.snapshot(of),
        }
    }
}

/// What is given of a consumer: as its file says it, with other numbers, or nothing at all.
fn snapshot_of_given(given: Given, base: Given, of: &mut Snapshot) -> Given {
    let (Given::FlowHeat(mut a, mut b)
    | Given::FlowDrop(mut a, mut b)
    | Given::FlowReturn(mut a, mut b)
    | Given::HeatDrop(mut a, mut b)
    | Given::HeatReturn(mut a, mut b)) = given;
    let mut is_flow_heat = matches!(given, Given::FlowHeat(..));
    of.flag(&mut is_flow_heat);
    of.number(&mut a);
    of.number(&mut b);
    match base {
        _ if is_flow_heat => Given::FlowHeat(a, b),
        Given::FlowHeat(..) => Given::FlowHeat(a, b),
        Given::FlowDrop(..) => Given::FlowDrop(a, b),
        Given::FlowReturn(..) => Given::FlowReturn(a, b),
        Given::HeatDrop(..) => Given::HeatDrop(a, b),
        Given::HeatReturn(..) => Given::HeatReturn(a, b),
    }
}
