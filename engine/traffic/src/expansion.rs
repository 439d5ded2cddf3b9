//! The car network as a plain graph in which every path is a permitted route.
//!
//! Only nodes where a turn is banned or costs time are expanded: into a copy for each in-link, which
//! leads to the out-links allowed from there, a source and a sink. Everything else stays one node, so
//! the hierarchy of `cch.rs` grows by little. An edge is a link, or a link after a turn that costs time;
//! the latter have weights of their own behind those of the links.
//!
//! Contract: nodes and edges follow the rows of the network.

use crate::cch::Edge;
use crate::network::CarNetwork;
use std::collections::BTreeMap;
use urbis_core::CarLinkIx;
use urbis_core::csr::Csr;

/// A turn that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnDelay {
    /// The link it comes from.
    pub into: CarLinkIx,
    /// The link it leads to.
    pub out: CarLinkIx,
    /// What it takes, milliseconds.
    pub delay_ms: u32,
}

/// Nodes and edges of the expanded network.
#[derive(Debug)]
pub(crate) struct Expansion {
    pub(crate) x_m: Vec<f64>,
    pub(crate) y_m: Vec<f64>,
    /// Where routes from a node of the network start, and where routes to it end.
    pub(crate) source: Vec<u32>,
    pub(crate) sink: Vec<u32>,
    pub(crate) edges: Vec<Edge>,
    /// Edges that leave each node.
    pub(crate) leaving: Csr<u32>,
    links: usize,
    /// Link and delay of the weights behind those of the links.
    turns: Vec<(u32, u32)>,
    /// Delay of each turn that has one, milliseconds.
    delays: BTreeMap<(u32, u32), u32>,
}

impl Expansion {
    /// Expands a network. Delays of turns that are banned or do not exist have no effect; of several for one turn the
    /// longest counts.
    pub(crate) fn new(network: &CarNetwork, delays: &[TurnDelay]) -> Self {
        let nodes = network.nodes() as u32;
        let (mut x_m, mut y_m) = (network.x_m.clone(), network.y_m.clone());
        let mut add = |node: u32| {
            x_m.push(network.x_m[node as usize]);
            y_m.push(network.y_m[node as usize]);
            x_m.len() as u32 - 1
        };
        let links = network.links();
        let meets = |of: &&TurnDelay| {
            let rows = [of.into.row(), of.out.row()];
            of.delay_ms > 0 && rows.iter().all(|&row| row < links) && network.to[rows[0]] == network.from[rows[1]]
        };
        let mut delay_of: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        for delay in delays.iter().filter(meets) {
            let longest = delay_of.entry((delay.into.0, delay.out.0)).or_default();
            *longest = delay.delay_ms.max(*longest);
        }
        let mut expanded = vec![false; nodes as usize];
        for into in network.banned.iter().map(|(into, _)| into.0).chain(delay_of.keys().map(|(into, _)| *into)) {
            expanded[network.to[into as usize] as usize] = true;
        }
        // The node itself becomes the source, so that coordinates and numbers of others stay.
        let source: Vec<u32> = (0..nodes).collect();
        let mut sink = source.clone();
        for node in (0..nodes).filter(|&node| expanded[node as usize]) {
            sink[node as usize] = add(node);
        }
        let mut copy_of: BTreeMap<u32, u32> = BTreeMap::new();
        let mut arriving: Vec<Vec<u32>> = vec![Vec::new(); nodes as usize];
        for link in 0..links as u32 {
            let node = network.to[link as usize];
            if expanded[node as usize] {
                copy_of.insert(link, add(node));
                arriving[node as usize].push(link);
            }
        }
        let mut edges = Vec::with_capacity(links);
        let mut turns = Vec::new();
        for link in 0..links as u32 {
            let (from, to) = (network.from[link as usize], network.to[link as usize]);
            let banned = |into: u32| network.banned.binary_search(&(CarLinkIx(into), CarLinkIx(link))).is_ok();
            let mut tails = vec![(source[from as usize], link)];
            for &into in arriving[from as usize].iter().filter(|&&into| !banned(into)) {
                let weight = delay_of.get(&(into, link)).map_or(link, |&delay_ms| {
                    turns.push((link, delay_ms));
                    (links + turns.len() - 1) as u32
                });
                tails.push((copy_of[&into], weight));
            }
            for (tail, weight) in tails {
                let ends = [copy_of.get(&link).copied(), Some(sink[to as usize])];
                edges.extend(ends.into_iter().flatten().map(|head| Edge { from: tail, to: head, weight, label: link }));
            }
        }
        let tails: Vec<(u32, u32)> = edges.iter().zip(0..).map(|(edge, row)| (edge.from, row)).collect();
        let leaving = Csr::from_pairs(x_m.len(), &tails);
        Self { x_m, y_m, source, sink, edges, leaving, links, turns, delays: delay_of }
    }

    /// A graph without bans or delays, from the ends of its links.
    pub(crate) fn plain(x_m: Vec<f64>, y_m: Vec<f64>, ends: &[(u32, u32)]) -> Self {
        let edge = |(&(from, to), link): (&(u32, u32), u32)| Edge { from, to, weight: link, label: link };
        let edges: Vec<Edge> = ends.iter().zip(0..).map(edge).collect();
        let tails: Vec<(u32, u32)> = edges.iter().map(|edge| (edge.from, edge.label)).collect();
        let source: Vec<u32> = (0..x_m.len() as u32).collect();
        let leaving = Csr::from_pairs(x_m.len(), &tails);
        Self {
            x_m,
            y_m,
            sink: source.clone(),
            source,
            edges,
            leaving,
            links: ends.len(),
            turns: Vec::new(),
            delays: BTreeMap::new(),
        }
    }

    /// Weights of all edges from those of links and what a millisecond of turning counts; `limit` bounds the sums.
    pub(crate) fn weights(&self, of_links: &[u32], per_ms: f64, limit: u32) -> Vec<u32> {
        let mut weights = of_links[..self.links].to_vec();
        weights.extend(self.turns.iter().map(|&(link, delay_ms)| {
            let delay = (f64::from(delay_ms) * per_ms).round() as u32;
            of_links[link as usize].saturating_add(delay).min(limit.max(of_links[link as usize]))
        }));
        weights
    }

    /// Delay before an edge with a given weight, milliseconds.
    pub(crate) fn delay_ms(&self, weight: u32) -> u32 {
        (weight as usize).checked_sub(self.links).map_or(0, |turn| self.turns[turn].1)
    }

    /// Number of links.
    pub(crate) fn links(&self) -> usize {
        self.links
    }
    /// Delay of the turn from one link into another, milliseconds.
    pub(crate) fn turn_ms(&self, into: CarLinkIx, out: CarLinkIx) -> u32 {
        self.delays.get(&(into.0, out.0)).copied().unwrap_or(0)
    }
}
