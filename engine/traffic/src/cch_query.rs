//! Shortest paths from one node to many in a customized hierarchy.
//!
//! From the source the arcs that lead upwards are relaxed along its way to the root of the elimination
//! tree (Dibbelt, Strasser and Wagner 2016). A target then needs the distances of its ancestors from
//! the root down: each is the least over the arcs that lead down to it. Both sets of nodes are ways to a
//! root, so distances are kept by depth; the next target computes only what lies below the lowest
//! common ancestor with the one before. Targets in order of rank therefore share most of the work.
//!
//! Contract: a path depends on the metric, source and target, never on what was asked before.

use crate::cch::{Cch, NONE};
use crate::cch_metric::{LIMIT, Metric, UNREACHED};

/// Marks a distance that was reached upwards, or the source itself.
const FROM_BELOW: u32 = u32::MAX;

/// Distances at one depth.
#[derive(Clone, Copy, Debug)]
struct Reached {
    /// The node at this depth.
    node: u32,
    length: u32,
    /// The last arc in the search graph, or [`FROM_BELOW`].
    arc: u32,
}

/// State of queries from one source; room to be used again.
#[derive(Debug, Default)]
pub(crate) struct Search {
    source_depth: u32,
    up: Vec<Reached>,
    down: Vec<Reached>,
    /// Depths at which `down` holds.
    known: usize,
    stack: Vec<u32>,
}

impl Search {
    /// Starts from a node, by rank.
    pub(crate) fn start(&mut self, cch: &Cch, metric: &Metric, source: u32) {
        let empty = Reached { node: NONE, length: UNREACHED, arc: FROM_BELOW };
        self.up.resize(cch.height, empty);
        self.down.resize(cch.height, empty);
        self.known = 0;
        self.source_depth = cch.depth[source as usize];
        self.up[..=self.source_depth as usize].fill(empty);
        let (mut node, mut depth) = (source, self.source_depth as usize);
        self.up[depth].length = 0;
        loop {
            let at = &mut self.up[depth];
            at.node = node;
            if at.length != UNREACHED {
                at.length = at.length.min(LIMIT);
                let length = at.length;
                let arcs = metric.up.of(node);
                for (nth, arc) in arcs.clone().zip(&metric.up.arcs[arcs]) {
                    let of = &mut self.up[arc.depth as usize];
                    let through = length + arc.weight;
                    if through < of.length {
                        of.length = through;
                        of.arc = nth as u32;
                    }
                }
            }
            node = cch.parent[node as usize];
            if node == NONE {
                return;
            }
            depth -= 1;
        }
    }

    /// Distance from the source to a node, by rank.
    pub(crate) fn reach(&mut self, cch: &Cch, metric: &Metric, target: u32) -> Option<u32> {
        let end = cch.depth[target as usize] as usize;
        let (mut node, mut depth) = (target, end);
        let start = loop {
            if depth < self.known && self.down[depth].node == node {
                break depth + 1;
            }
            self.down[depth].node = node;
            if depth == 0 {
                break 0;
            }
            node = cch.parent[node as usize];
            depth -= 1;
        };
        for depth in start..=end {
            let node = self.down[depth].node;
            let mut best = (UNREACHED, FROM_BELOW);
            if depth <= self.source_depth as usize && self.up[depth].node == node {
                best.0 = self.up[depth].length;
            }
            let arcs = metric.down.of(node);
            for (nth, arc) in arcs.clone().zip(&metric.down.arcs[arcs]) {
                let through = self.down[arc.depth as usize].length + arc.weight;
                if through < best.0 {
                    best = (through, nth as u32);
                }
            }
            if best.0 != UNREACHED {
                best.0 = best.0.min(LIMIT);
            }
            (self.down[depth].length, self.down[depth].arc) = best;
        }
        self.known = end + 1;
        let length = self.down[end].length;
        (length != UNREACHED).then_some(length)
    }

    /// Gives the labels of the path to the node last reached, in order.
    pub(crate) fn path(&mut self, cch: &Cch, metric: &Metric, edge: impl FnMut(u32)) {
        let mut depth = self.known - 1;
        while self.down[depth].arc != FROM_BELOW {
            let arc = self.down[depth].arc as usize;
            self.stack.push(metric.down.part[arc]);
            depth = metric.down.arcs[arc].depth as usize;
        }
        while self.up[depth].arc != FROM_BELOW {
            let part = metric.up.part[self.up[depth].arc as usize];
            self.stack.push(part);
            depth = cch.depth[cch.tail[(part / 2) as usize] as usize] as usize;
        }
        metric.unpack(&mut self.stack, edge);
    }
}
