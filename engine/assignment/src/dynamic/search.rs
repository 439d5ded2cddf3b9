//! Fastest routes under travel times that depend on the moment of entry.
//!
//! Exact: Dijkstra over links, which is right for FIFO times, one tree for each origin and moment of
//! departure that trips share. By bin: the hierarchy of [`Router`] under the times at the departure bin,
//! for networks where a tree for each departure is too much; its routes need not be the fastest by the
//! time they are driven, so that a gap found with it is a lower bound.
//!
//! Ignored: what drivers think of roads ([`CarNetwork::route_factor`]); the costs here are times.
//! Contract: queries in constant chunks, answers in order of the queries; ties go to the lower row.

use crate::dynamic::times::LinkTimes;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use urbis_core::{CarLinkIx, chunks};
use urbis_traffic::{CarNetwork, Router};

/// Trees of one piece of parallel work.
const CHUNK_TREES: usize = 32;

/// How the fastest routes are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Search {
    /// Exactly, with a tree for each origin and moment of departure.
    #[default]
    Exact,
    /// Under the travel times at the start of the departure bin.
    ByBin,
}

/// A trip to be routed: car nodes and moment of departure, seconds.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// Node where it starts.
    pub from: u32,
    /// Node where it ends.
    pub to: u32,
    /// When it leaves.
    pub depart_s: f64,
}

/// Routes found, end to end, in order of the queries.
#[derive(Clone, Debug, Default)]
pub struct Found {
    ends: Vec<u32>,
    links: Vec<CarLinkIx>,
    arrive_s: Vec<f64>,
}

impl Found {
    /// Links of a route and when it arrives; `None` when there is no way.
    #[must_use]
    pub fn route(&self, query: usize) -> Option<(&[CarLinkIx], f64)> {
        let start = if query == 0 { 0 } else { self.ends[query - 1] as usize };
        let arrive_s = self.arrive_s[query];
        arrive_s.is_finite().then(|| (&self.links[start..self.ends[query] as usize], arrive_s))
    }
    fn push(&mut self, links: &[CarLinkIx], arrive_s: f64) {
        self.links.extend_from_slice(links);
        self.ends.push(self.links.len() as u32);
        self.arrive_s.push(arrive_s);
    }
}

/// Finds routes on one network.
#[derive(Debug)]
pub struct Searcher<'a> {
    network: &'a CarNetwork,
    out_start: Vec<u32>,
    out: Vec<u32>,
    /// Whether a turn is banned at a node.
    has_ban: Vec<bool>,
    router: Option<Router>,
}

#[derive(Debug)]
struct Scratch {
    arrive_s: Vec<f64>,
    parent: Vec<u32>,
    touched: Vec<u32>,
    node_done: Vec<bool>,
    done: Vec<u32>,
    heap: BinaryHeap<Reverse<(u64, u32)>>,
}

impl<'a> Searcher<'a> {
    /// Prepares a network.
    #[must_use]
    pub fn new(network: &'a CarNetwork, search: Search) -> Self {
        let mut out_start = vec![0_u32; network.nodes() + 1];
        for &from in &network.from {
            out_start[from as usize + 1] += 1;
        }
        for node in 0..network.nodes() {
            out_start[node + 1] += out_start[node];
        }
        let mut next = out_start.clone();
        let mut out = vec![0; network.links()];
        for (link, &from) in network.from.iter().enumerate() {
            out[next[from as usize] as usize] = link as u32;
            next[from as usize] += 1;
        }
        let mut has_ban = vec![false; network.nodes()];
        for (into, _) in &network.banned {
            has_ban[network.to[into.row()] as usize] = true;
        }
        let router = (search == Search::ByBin).then(|| {
            let mut plain = network.clone();
            plain.route_factor.fill(1.0);
            Router::new(&plain)
        });
        Self { network, out_start, out, has_ban, router }
    }

    /// Links that leave a node.
    pub(crate) fn leaving(&self, node: u32) -> &[u32] {
        &self.out[self.out_start[node as usize] as usize..self.out_start[node as usize + 1] as usize]
    }
    /// Whether one may turn from a link into another.
    pub(crate) fn may_turn(&self, into: u32, out: u32) -> bool {
        !self.has_ban[self.network.to[into as usize] as usize]
            || self.network.banned.binary_search(&(CarLinkIx(into), CarLinkIx(out))).is_err()
    }

    /// The fastest route of each query. This is the one place that decides how routes are found.
    pub fn fastest(&mut self, times: &LinkTimes, queries: &[Query]) -> Found {
        match self.router.take() {
            None => self.by_trees(times, queries),
            Some(mut router) => {
                let found = by_router(&mut router, times, queries);
                self.router = Some(router);
                found
            }
        }
    }

    fn by_trees(&self, times: &LinkTimes, queries: &[Query]) -> Found {
        let mut order: Vec<u32> = (0..queries.len() as u32).collect();
        let key = |row: u32| {
            let query = queries[row as usize];
            (query.from, query.depart_s.max(0.0).to_bits())
        };
        order.sort_by_key(|&row| (key(row), row));
        let groups: Vec<&[u32]> = order.chunk_by(|&a, &b| key(a) == key(b)).collect();
        let parts = chunks::map_chunks(groups.len(), CHUNK_TREES, |range| {
            let mut scratch = Scratch {
                arrive_s: vec![f64::INFINITY; self.network.links()],
                parent: vec![u32::MAX; self.network.links()],
                touched: Vec::new(),
                node_done: vec![false; self.network.nodes()],
                done: Vec::new(),
                heap: BinaryHeap::new(),
            };
            let mut found = Found::default();
            for group in &groups[range] {
                self.tree(times, queries, group, &mut scratch, &mut found);
            }
            found
        });
        // From the order of groups back to that of the queries.
        let mut place = vec![(0_u32, 0_u32); queries.len()];
        let mut rows = order.iter();
        for (part, found) in parts.iter().enumerate() {
            for nth in 0..found.ends.len() {
                if let Some(&row) = rows.next() {
                    place[row as usize] = (part as u32, nth as u32);
                }
            }
        }
        let mut all = Found::default();
        for (part, nth) in place {
            match parts[part as usize].route(nth as usize) {
                Some((links, arrive_s)) => all.push(links, arrive_s),
                None => all.push(&[], f64::INFINITY),
            }
        }
        all
    }

    /// Answers queries with one origin and departure, in order.
    fn tree(&self, times: &LinkTimes, queries: &[Query], group: &[u32], scratch: &mut Scratch, found: &mut Found) {
        let first = queries[group[0] as usize];
        let mut targets: Vec<u32> = group.iter().map(|&row| queries[row as usize].to).collect();
        targets.sort_unstable();
        targets.dedup();
        // The link by which each target is reached first.
        let mut reached = vec![u32::MAX; targets.len()];
        let mut missing = targets.iter().filter(|&&to| to != first.from).count();
        let Scratch { arrive_s, parent, touched, node_done, done, heap } = scratch;
        let depart_s = first.depart_s.max(0.0);
        for &link in self.leaving(first.from) {
            let entered_s = depart_s + times.wait_s(CarLinkIx(link), depart_s);
            let at_s = entered_s + times.travel_s(CarLinkIx(link), entered_s);
            arrive_s[link as usize] = at_s;
            touched.push(link);
            heap.push(Reverse((at_s.to_bits(), link)));
        }
        while let Some(Reverse((bits, link))) = heap.pop() {
            let at_s = f64::from_bits(bits);
            if at_s > arrive_s[link as usize] || missing == 0 {
                continue;
            }
            let node = self.network.to[link as usize];
            if !node_done[node as usize] {
                node_done[node as usize] = true;
                done.push(node);
                if let Ok(row) = targets.binary_search(&node)
                    && node != first.from
                {
                    reached[row] = link;
                    missing -= 1;
                }
            } else if !self.has_ban[node as usize] {
                continue;
            }
            for &next in self.leaving(node) {
                if !self.may_turn(link, next) {
                    continue;
                }
                let then_s = at_s + times.travel_s(CarLinkIx(next), at_s);
                if then_s < arrive_s[next as usize] {
                    arrive_s[next as usize] = then_s;
                    parent[next as usize] = link;
                    touched.push(next);
                    heap.push(Reverse((then_s.to_bits(), next)));
                }
            }
        }
        let mut path = Vec::new();
        for &row in group {
            let to = queries[row as usize].to;
            path.clear();
            let target = targets.binary_search(&to).map_or(u32::MAX, |row| reached[row]);
            let mut link = target;
            while link != u32::MAX {
                path.push(CarLinkIx(link));
                link = parent[link as usize];
            }
            path.reverse();
            let arrive = match target {
                _ if to == first.from => first.depart_s,
                u32::MAX => f64::INFINITY,
                link => arrive_s[link as usize],
            };
            found.push(&path, arrive);
        }
        for link in touched.drain(..) {
            arrive_s[link as usize] = f64::INFINITY;
            parent[link as usize] = u32::MAX;
        }
        for node in done.drain(..) {
            node_done[node as usize] = false;
        }
        heap.clear();
    }
}

/// Routes under the times at the start of the departure bin, bin after bin.
fn by_router(router: &mut Router, times: &LinkTimes, queries: &[Query]) -> Found {
    let bin = |row: u32| (queries[row as usize].depart_s / times.bin_s()).max(0.0) as u64;
    let mut order: Vec<u32> = (0..queries.len() as u32).collect();
    order.sort_by_key(|&row| (bin(row), row));
    let mut place = vec![(0_u32, 0_u32); queries.len()];
    let mut batches = Vec::new();
    for group in order.chunk_by(|&a, &b| bin(a) == bin(b)) {
        router.set_travel_times(&times.snapshot_ms(bin(group[0]) as f64 * times.bin_s()));
        let pairs: Vec<(u32, u32)> =
            group.iter().map(|&row| (queries[row as usize].from, queries[row as usize].to)).collect();
        for (nth, &row) in group.iter().enumerate() {
            place[row as usize] = (batches.len() as u32, nth as u32);
        }
        batches.push(router.route_batch(&pairs));
    }
    let mut all = Found::default();
    for (query, (batch, nth)) in queries.iter().zip(place) {
        match batches[batch as usize].route(nth as usize) {
            Some((links, _)) => all.push(links, times.arrive_s(links, query.depart_s)),
            None => all.push(&[], f64::INFINITY),
        }
    }
    all
}
