//! The gas network of a town: steady flow at each step and what pipes hold.
//!
//! Where draws and topology are those of the step before, the state is too, and nothing is solved. A failure makes the network
//! anew, without pressures of before. Pipes that lose their feeder keep the gas that they hold; what they gain or give
//! when they have one again is in the books of that step.

use super::books::Account;
use super::elements::{Named, Out};
use super::settings::GasNet;
use std::path::Path;
use urbis_core::Result;
use urbis_utility::gas::GasFlow;
use urbis_utility::pipes::network::Network;
use urbis_utility::pipes::pandapipes;
use urbis_utility::pipes::solver::HydraulicSettings;
use urbis_utility::snapshot::Snapshot;

/// The network and its state.
#[derive(Clone, Debug)]
pub struct GasPart {
    base: Network,
    flow: GasFlow,
    settings: HydraulicSettings,
    /// What the reader left out.
    pub notes: Vec<String>,
    /// What is asked for, kg/s. Shape: draws.
    asked_kgps: Vec<f64>,
    /// What is drawn where there is gas, kg/s. Shape: draws.
    drawn_kgps: Vec<f64>,
    /// Gas in each link, kg. Shape: links.
    held_kg: Vec<f64>,
    /// Whether what links hold is known.
    is_held_known: bool,
    is_fed: Vec<bool>,
    feeds_kgps: Vec<f64>,
    is_solved: bool,
    is_stale: bool,
}

/// An element of a network of pipes by table and index.
pub(crate) fn named(network: &Network, name: &str) -> Named {
    if let Some(id) = name.strip_prefix("junction ") {
        let is_it = |node: &usize| network.nodes.is_junction[*node] && network.nodes.id[*node] == id;
        return (0..network.nodes.len()).find(is_it).map(|node| Out::Node(node as u32)).into();
    }
    if let Some(id) = name.strip_prefix("ext_grid ") {
        let of = network.feeds.iter().enumerate().filter(|(_, feed)| id == "*" || feed.id == id);
        return Named::many(of.map(|(row, _)| Out::Feed(row as u32)).collect());
    }
    let is_it = |table: &str, id: &str| name.strip_prefix(table).and_then(|rest| rest.strip_prefix(' ')) == Some(id);
    let of = network.elements.iter().filter(|of| is_it(of.table, &of.id));
    Named::many(of.flat_map(|of| of.links()).map(|link| Out::Link(link as u32)).collect())
}

/// Names that may be meant.
pub(crate) fn names(network: &Network) -> Vec<String> {
    let feeds = network.feeds.iter().map(|feed| format!("ext_grid {}", feed.id));
    let elements = network.elements.iter().map(|of| format!("{} {}", of.table, of.id));
    let nodes = (0..network.nodes.len()).filter(|&node| network.nodes.is_junction[node]);
    feeds.chain(elements).chain(nodes.map(|node| format!("junction {}", network.nodes.id[node]))).collect()
}

/// Puts elements of a network of pipes out of service, all others as its file says.
pub(crate) fn put_out(base: &Network, network: &mut Network, out: &[Out]) {
    network.nodes.is_in_service.copy_from_slice(&base.nodes.is_in_service);
    network.links.is_in_service.copy_from_slice(&base.links.is_in_service);
    for (feed, as_read) in network.feeds.iter_mut().zip(&base.feeds) {
        feed.is_in_service = as_read.is_in_service;
    }
    for of in out {
        match *of {
            Out::Node(node) => network.nodes.is_in_service[node as usize] = false,
            Out::Link(link) => network.links.is_in_service[link as usize] = false,
            Out::Feed(feed) => network.feeds[feed as usize].is_in_service = false,
        }
    }
}

/// Whether each node has a held pressure.
pub(crate) fn fed_nodes(network: &Network) -> Vec<bool> {
    let mut is_fed = vec![false; network.nodes.len()];
    network.held_pressures().iter().for_each(|(node, _)| is_fed[*node as usize] = true);
    is_fed
}

impl GasPart {
    /// Reads a network.
    ///
    /// # Errors
    /// A file that cannot be read, and what is wrong in it.
    pub fn new(of: &GasNet) -> Result<Self> {
        let net = pandapipes::read(Path::new(&of.net))?;
        let settings = HydraulicSettings { friction: net.options.friction, ..HydraulicSettings::default() };
        let base = net.network;
        let asked_kgps: Vec<f64> = base.draws.iter().map(|draw| draw.mdot_kgps).collect();
        Ok(Self {
            flow: GasFlow::new(base.clone())?,
            settings,
            notes: net.notes,
            drawn_kgps: asked_kgps.clone(),
            asked_kgps,
            held_kg: vec![0.0; base.links.len()],
            is_held_known: false,
            is_fed: fed_nodes(&base),
            feeds_kgps: vec![0.0; base.nodes.len()],
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
    /// The solved network.
    #[must_use]
    pub fn flow(&self) -> &GasFlow {
        &self.flow
    }
    /// Mass that is asked of a sink in this step and not to be had, as nothing feeds it, kg/s.
    #[must_use]
    pub fn missing_kgps(&self, draw: u32) -> f64 {
        let drawn = self.drawn_kgps[draw as usize].max(0.0);
        if self.flow.is_supplied(self.base.draws[draw as usize].node) { 0.0 } else { drawn }
    }
    /// What is fed into each node from outside, kg/s. Shape: nodes.
    #[must_use]
    pub fn feeds_kgps(&self) -> &[f64] {
        &self.feeds_kgps
    }
    /// Whether each node has a held pressure. Shape: nodes.
    #[must_use]
    pub fn is_fed(&self) -> &[bool] {
        &self.is_fed
    }
    /// Puts elements out, all others in.
    ///
    /// # Errors
    /// None that a network which was read could have.
    pub(crate) fn set_out(&mut self, out: &[Out]) -> Result<()> {
        let mut network = self.base.clone();
        put_out(&self.base, &mut network, out);
        self.is_fed = fed_nodes(&network);
        self.flow = GasFlow::new(network)?;
        self.is_stale = true;
        Ok(())
    }
    /// Solves with sinks times a factor; those of `is_dark` take nothing. Shape of `is_dark`: draws.
    pub(crate) fn step(&mut self, factor: f64, is_dark: &[bool], seconds: f64) -> Account {
        let mut is_new = self.is_stale || !self.is_solved;
        for (row, draw) in self.base.draws.iter().enumerate() {
            let asked = if draw.mdot_kgps > 0.0 { draw.mdot_kgps * factor } else { draw.mdot_kgps };
            let drawn = if is_dark[row] && asked > 0.0 { 0.0 } else { asked };
            is_new |= drawn.to_bits() != self.drawn_kgps[row].to_bits();
            (self.asked_kgps[row], self.drawn_kgps[row]) = (asked, drawn);
        }
        if is_new {
            self.flow.set_draws(&self.drawn_kgps);
            self.is_solved = self.flow.solve(&self.settings).is_converged;
            if !self.is_solved {
                // Far from what the pressures at hand are good for: from none at hand.
                self.flow.reset();
                self.is_solved = self.flow.solve(&self.settings).is_converged;
            }
            self.is_stale = false;
            self.flow.feeds_kgps(&mut self.feeds_kgps);
        }
        self.account(is_dark, seconds, is_new)
    }
    /// Takes note of what links hold; what they gained.
    fn gained_kg(&mut self) -> f64 {
        let mut gained = 0.0;
        for link in 0..self.held_kg.len() {
            if self.flow.hydraulics().supply().is_live[link] {
                let held = self.flow.link(link).linepack_kg;
                if self.is_held_known {
                    gained += held - self.held_kg[link];
                }
                self.held_kg[link] = held;
            }
        }
        self.is_held_known = true;
        gained
    }
    fn account(&mut self, is_dark: &[bool], seconds: f64, is_new: bool) -> Account {
        let mut of = Account { is_solved: self.is_solved, is_new, ..Account::default() };
        let (mut fed_kgps, mut moved_kgps, mut served_kgps, mut asked_kgps) = (0.0, 0.0, 0.0, 0.0);
        for (row, draw) in self.base.draws.iter().enumerate() {
            let (asked, drawn) = (self.asked_kgps[row], self.drawn_kgps[row]);
            let is_supplied = self.flow.is_supplied(draw.node);
            if asked > 0.0 {
                of.customers += 1;
                asked_kgps += asked;
                of.dark_customers += u32::from(is_dark[row]);
                of.unserved_customers += u32::from(is_dark[row] || !is_supplied);
            }
            if is_supplied && drawn > 0.0 {
                served_kgps += drawn;
            } else if is_supplied {
                fed_kgps -= drawn;
                moved_kgps -= drawn;
            }
        }
        for (feed, _) in self.feeds_kgps.iter().zip(&self.is_fed).filter(|(_, is_fed)| **is_fed) {
            fed_kgps += feed;
            moved_kgps += feed.abs();
        }
        let gained_kg = if is_new && self.is_solved { self.gained_kg() } else { 0.0 };
        of.asked = asked_kgps * seconds;
        of.got = served_kgps * seconds;
        of.served = of.got;
        of.stored = gained_kg;
        of.supplied = fed_kgps * seconds + gained_kg;
        of.residual = (fed_kgps - served_kgps) * seconds;
        of.moved = (moved_kgps + served_kgps) * seconds;
        of
    }
    /// What the next step starts from; elements that are out are put out before.
    pub(crate) fn snapshot(&mut self, of: &mut Snapshot) {
        of.numbers(&mut self.asked_kgps);
        of.numbers(&mut self.drawn_kgps);
        of.numbers(&mut self.held_kg);
        of.numbers(&mut self.feeds_kgps);
        of.flag(&mut self.is_held_known);
        of.flag(&mut self.is_solved);
        of.flag(&mut self.is_stale);
        self.flow.snapshot(of);
    }
}
