//! The water network of a town: EPANET's time within each step, its own patterns, controls and tanks.
//!
//! What fails is shut whatever controls say, and does afterwards what they have said meanwhile. States are told as they are at
//! the start of a step; books cover all of it. Nothing is skipped, as tanks move at every step.

use super::books::Account;
use super::elements::{Named, Out};
use super::settings::WaterNet;
use urbis_core::Result;
use urbis_utility::snapshot::Snapshot;
use urbis_utility::water::network::{Network, NodeKind};
use urbis_utility::water::simulation::Volumes;
use urbis_utility::water::{Simulation, inp};

/// Columns of nodes and links at the start of a step.
#[derive(Clone, Debug, Default)]
pub struct WaterState {
    /// Head, m. Shape: nodes, likewise below.
    pub head_m: Vec<f64>,
    /// Asked for, m3/s; what flows into a tank or reservoir.
    pub demand_m3ps: Vec<f64>,
    /// Delivered, m3/s.
    pub served_m3ps: Vec<f64>,
    /// Whether an open link leads to a reservoir or tank.
    pub is_supplied: Vec<bool>,
    /// Flow, m3/s; 0 of what is closed. Shape: links, likewise below.
    pub flow_m3ps: Vec<f64>,
    /// What it does.
    pub status: Vec<&'static str>,
}

/// The network and its state.
#[derive(Clone, Debug)]
pub struct WaterPart {
    run: Simulation,
    state: WaterState,
    /// What the reader left out.
    pub notes: Vec<String>,
}

impl WaterPart {
    /// Reads a network.
    ///
    /// # Errors
    /// A file that cannot be read, and what is wrong in it.
    pub fn new(of: &WaterNet) -> Result<Self> {
        let inp::InpFile { network, notes, .. } = inp::read(&of.net)?;
        Ok(Self { run: Simulation::new(network)?, state: WaterState::default(), notes })
    }
    /// The network as its file tells it.
    #[must_use]
    pub fn network(&self) -> &Network {
        self.run.hydraulics.network()
    }
    /// The network in its time, at the end of the last step.
    #[must_use]
    pub fn run(&self) -> &Simulation {
        &self.run
    }
    /// As things stood at the start of the last step.
    #[must_use]
    pub fn state(&self) -> &WaterState {
        &self.state
    }
    pub(crate) fn named(&self, name: &str) -> Named {
        let net = self.network();
        let row = |ids: &[String], id: &str| ids.iter().position(|of| of == id).map(|row| row as u32);
        if let Some(id) = name.strip_prefix("link ") {
            return row(&net.links.id, id).map(Out::Link).into();
        }
        let Some(node) = name.strip_prefix("node ").and_then(|id| row(&net.nodes.id, id)) else {
            return Named::default();
        };
        // A node is out where all that leads to it is shut.
        let ends = |link: &u32| [net.links.from[*link as usize], net.links.to[*link as usize]].contains(&node);
        Named::many((0..net.links.id.len() as u32).filter(ends).map(Out::Link).collect())
    }
    pub(crate) fn names(&self) -> Vec<String> {
        let net = self.network();
        let links = net.links.id.iter().map(|id| format!("link {id}"));
        links.chain(net.nodes.id.iter().map(|id| format!("node {id}"))).collect()
    }
    /// Shuts links, lets go of all others.
    pub(crate) fn set_out(&mut self, out: &[Out]) {
        let mut is_out = vec![false; self.network().links.id.len()];
        for of in out {
            if let Out::Link(link) = *of {
                is_out[link as usize] = true;
            }
        }
        for (link, is_out) in is_out.iter().enumerate() {
            self.run.hydraulics.hold_shut(link as u32, *is_out);
        }
    }
    /// Goes a step with demands times a factor.
    pub(crate) fn step(&mut self, factor: f64, step_s: u32) -> Account {
        let before = self.run.volumes;
        let mut of = Account { is_solved: true, is_new: true, ..Account::default() };
        self.run.scale_demands(factor);
        let mut left_s = step_s;
        while left_s > 0 {
            of.is_solved &= self.run.solve().is_balanced;
            if left_s == step_s {
                self.take();
                self.count(&mut of);
            }
            left_s -= self.run.advance(left_s).clamp(1, left_s);
        }
        let now = self.run.volumes;
        let gained = |of: fn(&Volumes) -> f64| of(&now) - of(&before);
        let (supplied, injected) = (gained(|of| of.supplied_m3), gained(|of| of.injected_m3));
        of.asked = gained(|of| of.asked_m3);
        of.supplied = supplied + injected;
        of.got = gained(|of| of.served_m3);
        of.served = of.got;
        of.lost = gained(|of| of.emitted_m3);
        of.stored = gained(|of| of.stored_m3);
        of.residual = of.supplied - of.served - of.lost - of.stored;
        of.moved = supplied.abs() + injected + of.served + of.lost + of.stored.abs();
        of
    }
    fn take(&mut self) {
        let (of, state) = (&self.run.hydraulics, &mut self.state);
        let net = of.network();
        state.head_m.clone_from(&of.head_m);
        state.served_m3ps.clone_from(&of.served_m3ps);
        state.is_supplied.clone_from(&of.is_supplied);
        let is_junction = |node: usize| net.nodes.kind[node] == NodeKind::Junction;
        let demand = |node: usize| if is_junction(node) { of.demand_m3ps[node] } else { of.served_m3ps[node] };
        state.demand_m3ps.clear();
        state.demand_m3ps.extend((0..net.nodes.id.len()).map(demand));
        state.flow_m3ps.clear();
        let flow = |link: usize| if of.state[link].is_open() { of.flow_m3ps[link] } else { 0.0 };
        state.flow_m3ps.extend((0..net.links.id.len()).map(flow));
        state.status.clear();
        state.status.extend(of.state.iter().map(|state| state.name()));
    }
    /// Junctions that ask for water, and those that get none or less.
    fn count(&self, of: &mut Account) {
        let (net, state) = (self.network(), &self.state);
        for node in (0..net.nodes.id.len()).filter(|&node| net.nodes.kind[node] == NodeKind::Junction) {
            let (asked, served) = (state.demand_m3ps[node], state.served_m3ps[node]);
            of.customers += u32::from(asked > 0.0);
            of.unserved_customers += u32::from(asked > 0.0 && served < (1.0 - 1e-3) * asked);
        }
    }
    /// What the next step starts from.
    pub(crate) fn snapshot(&mut self, of: &mut Snapshot) {
        self.run.snapshot(of);
    }
}
