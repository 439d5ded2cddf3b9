//! Earliest arrivals where travel times depend on the time of day, and other searches whose costs the
//! hierarchy does not know: A* with distances of a hierarchy as lower bounds ("CCH potentials",
//! Zeitz 2021; the lazy evaluation is that of Strasser and Zeitz 2021).
//!
//! The bound of a node is its distance to the target under the least cost of every edge. It is found by a walk
//! up the elimination tree and kept until the target changes. Bounds are consistent and travel times FIFO, so the
//! first time the target is settled its label is final.
//!
//! Contract: exact; ties go to the lower node, so a route depends on the query alone.

use crate::cch::{Cch, NONE};
use crate::cch_metric::{LIMIT, Metric, UNREACHED};
use crate::expansion::Expansion;
use crate::route::{CLOSED, RouteBatch, RouteMetric, RoutePart, Router};
use crate::time_bins::TimeBins;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use urbis_core::{CarLinkIx, chunks};

/// Queries of one piece of parallel work.
const CHUNK_QUERIES: usize = 64;

/// Bins customized at the same time.
const BINS_AT_ONCE: usize = 8;

/// A query at a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedQuery {
    /// Car node where it starts.
    pub from: u32,
    /// Car node where it ends.
    pub to: u32,
    /// When it starts, milliseconds since time 0 of the bins.
    pub depart_ms: u32,
}

impl Router {
    /// The cheapest route of each query under the travel times of the bin in which it departs, times the route
    /// factors of links; in order. Fast and good where trips are short against the change of travel times.
    /// Panics when the bins have fewer links than the network.
    #[must_use]
    pub fn route_batch_at(&self, times: &TimeBins, queries: &[TimedQuery]) -> RouteBatch {
        let mut by_bin: Vec<Vec<u32>> = vec![Vec::new(); times.bins()];
        for (query, of) in queries.iter().enumerate() {
            by_bin[times.bin_of(of.depart_ms)].push(query as u32);
        }
        let used: Vec<usize> = (0..times.bins()).filter(|&bin| !by_bin[bin].is_empty()).collect();
        let mut batch = RouteBatch::join(queries.len(), Vec::new());
        for bins in used.chunks(BINS_AT_ONCE) {
            let metrics: Vec<RouteMetric> =
                bins.par_iter().map(|&bin| self.travel_time_metric(&times.bin(bin))).collect();
            for (metric, &bin) in metrics.iter().zip(bins) {
                let pair = |&query: &u32| (queries[query as usize].from, queries[query as usize].to);
                let pairs: Vec<(u32, u32)> = by_bin[bin].iter().map(pair).collect();
                batch.place(self.route_batch_under(metric, &pairs), &by_bin[bin]);
            }
        }
        batch
    }

    /// The route of each query that arrives first when every link takes what it takes at the moment it is entered,
    /// turn delays included; in order. Costs are travel times in milliseconds. Route factors do not count, because an
    /// arrival has no opinion. Panics when the bins have fewer links than the network.
    #[must_use]
    pub fn route_batch_exact(&self, times: &TimeBins, queries: &[TimedQuery]) -> RouteBatch {
        let bounds = self.metric(&times.least());
        let mut order: Vec<u32> = (0..queries.len() as u32).collect();
        order.sort_unstable_by_key(|&query| (queries[query as usize].to, query));
        let parts = chunks::map_chunks(order.len(), CHUNK_QUERIES, |range| {
            let mut part = RoutePart::default();
            let mut search = Directed::new(&self.cch, &self.expansion, &bounds.metric);
            for &query in &order[range] {
                let TimedQuery { from, to, depart_ms } = queries[query as usize];
                let cost = search.run(from, to, |weight, link, elapsed| {
                    let delay = self.expansion.delay_ms(weight);
                    let enter = u64::from(depart_ms) + u64::from(elapsed) + u64::from(delay);
                    times.time_ms(link as usize, enter) + delay
                });
                part.push(query, cost, |links| search.path(links));
            }
            part
        });
        RouteBatch::join(queries.len(), parts)
    }
}

/// A node as a search left it.
#[derive(Clone, Copy)]
struct Label {
    cost: u32,
    /// The edge it was reached by.
    edge: u32,
    settled: bool,
}

const UNSEEN: Label = Label { cost: UNREACHED, edge: NONE, settled: false };

/// A* searches on the expanded network; room to be used again.
pub(crate) struct Directed<'a> {
    cch: &'a Cch,
    graph: &'a Expansion,
    bounds: &'a Metric,
    /// Distance to the target by rank; [`NONE`] is not known yet.
    to_target: Vec<u32>,
    known: Vec<u32>,
    target: u32,
    labels: Vec<Label>,
    seen: Vec<u32>,
    heap: BinaryHeap<Reverse<(u32, u32)>>,
    stack: Vec<u32>,
    end: u32,
}

impl<'a> Directed<'a> {
    pub(crate) fn new(cch: &'a Cch, graph: &'a Expansion, bounds: &'a Metric) -> Self {
        Self {
            cch,
            graph,
            bounds,
            to_target: vec![NONE; cch.nodes()],
            known: Vec::new(),
            target: NONE,
            labels: vec![UNSEEN; cch.nodes()],
            seen: Vec::new(),
            heap: BinaryHeap::new(),
            stack: Vec::new(),
            end: NONE,
        }
    }

    /// Least cost from a node of the network to another. `cost` gives that of an edge from its weight's position,
    /// its link and the cost so far, or [`CLOSED`]; it is never below the bounds' weights, and arriving later never pays.
    pub(crate) fn run(&mut self, from: u32, to: u32, cost: impl Fn(u32, u32, u32) -> u32) -> Option<u32> {
        for node in self.seen.drain(..) {
            self.labels[node as usize] = UNSEEN;
        }
        self.heap.clear();
        self.end = NONE;
        if from == to {
            return Some(0);
        }
        let (source, sink) = (self.graph.source[from as usize], self.graph.sink[to as usize]);
        self.aim(self.cch.rank[sink as usize]);
        let bound = self.bound(source);
        if bound == UNREACHED {
            return None;
        }
        self.labels[source as usize].cost = 0;
        self.seen.push(source);
        self.heap.push(Reverse((bound, source)));
        while let Some(Reverse((_, node))) = self.heap.pop() {
            let label = &mut self.labels[node as usize];
            if std::mem::replace(&mut label.settled, true) {
                continue;
            }
            let so_far = label.cost;
            if node == sink {
                self.end = sink;
                return Some(so_far);
            }
            let graph = self.graph;
            for &row in graph.leaving.row(node as usize) {
                let edge = graph.edges[row as usize];
                let own = cost(edge.weight, edge.label, so_far);
                let through = so_far.saturating_add(own).min(LIMIT);
                let present = self.labels[edge.to as usize];
                if own == CLOSED || present.settled || through >= present.cost {
                    continue;
                }
                let bound = self.bound(edge.to);
                if bound != UNREACHED {
                    if present.cost == UNREACHED {
                        self.seen.push(edge.to);
                    }
                    self.labels[edge.to as usize] = Label { cost: through, edge: row, settled: false };
                    self.heap.push(Reverse((through + bound, edge.to)));
                }
            }
        }
        None
    }

    /// Appends the links of the route last found.
    pub(crate) fn path(&self, links: &mut Vec<CarLinkIx>) {
        let start = links.len();
        let mut node = self.end;
        while node != NONE {
            let row = self.labels[node as usize].edge;
            let Some(edge) = self.graph.edges.get(row as usize) else { break };
            links.push(CarLinkIx(edge.label));
            node = edge.from;
        }
        links[start..].reverse();
    }

    /// Starts bounds towards a target, by rank: its own search up the tree.
    fn aim(&mut self, target: u32) {
        if self.target == target {
            return;
        }
        self.target = target;
        for node in self.known.drain(..) {
            self.to_target[node as usize] = NONE;
        }
        // Ancestors hold what is known of them so far; they become exact when they are asked for.
        let mut node = target;
        let mut lengths = vec![UNREACHED; self.cch.depth[target as usize] as usize + 1];
        lengths[self.cch.depth[target as usize] as usize] = 0;
        let mut way = Vec::with_capacity(lengths.len());
        while node != NONE {
            let length = lengths[self.cch.depth[node as usize] as usize];
            way.push((node, length));
            if length != UNREACHED {
                for arc in &self.bounds.down.arcs[self.bounds.down.of(node)] {
                    let of = &mut lengths[arc.depth as usize];
                    *of = (*of).min((length + arc.weight).min(LIMIT));
                }
            }
            node = self.cch.parent[node as usize];
        }
        for &(node, length) in way.iter().rev() {
            self.to_target[node as usize] = self.through_higher(node, length);
            self.known.push(node);
        }
    }

    /// Distance from a node of the expanded network to the target.
    fn bound(&mut self, node: u32) -> u32 {
        let mut node = self.cch.rank[node as usize];
        while node != NONE && self.to_target[node as usize] == NONE {
            self.stack.push(node);
            node = self.cch.parent[node as usize];
        }
        while let Some(above) = self.stack.pop() {
            self.to_target[above as usize] = self.through_higher(above, UNREACHED);
            self.known.push(above);
            node = above;
        }
        self.to_target[node as usize]
    }

    /// The least of a length and the ways over higher nodes, whose distances are known.
    fn through_higher(&self, node: u32, mut best: u32) -> u32 {
        let arcs = self.bounds.up.of(node);
        for (arc, part) in self.bounds.up.arcs[arcs.clone()].iter().zip(&self.bounds.up.part[arcs]) {
            let higher = self.cch.head[(part / 2) as usize];
            best = best.min(self.to_target[higher as usize] + arc.weight);
        }
        if best >= UNREACHED { UNREACHED } else { best.min(LIMIT) }
    }
}
