//! Shortest routes on the car network by travel time, weighted by what drivers think of a link, with
//! banned turns.
//!
//! Only nodes with a banned turn are expanded: into a copy for each in-link, which leads to the
//! out-links allowed from there, a source and a sink. Everything else stays one node, so the hierarchy
//! of `cch.rs` grows by little. Weights are whole milliseconds.
//!
//! Ignored: turn delays, other costs than time, turning back at dead ends (a shortest route does so only
//! where bans force it).
//! Contract: a batch is cut into constant chunks and joined in order; ties do not depend on threads.

use crate::cch::{Cch, Edge, Scratch, UNREACHED};
use crate::network::CarNetwork;
use bevy_ecs::resource::Resource;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use urbis_core::{CarLinkIx, chunks};

/// Queries of one piece of parallel work; a batch no longer than this runs on the calling thread.
const CHUNK_QUERIES: usize = 32;

/// Longest travel time of one link, milliseconds: a day.
const LONGEST_MS: u32 = 86_400_000;

/// Routes of a batch, end to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteBatch {
    links: Vec<CarLinkIx>,
    ends: Vec<u32>,
    cost_ms: Vec<Option<u32>>,
}

impl RouteBatch {
    /// Number of queries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }
    /// Whether there was no query.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
    /// Links and weighted travel time in milliseconds of a query's route; `None` when there is no way. A route from
    /// a node to itself has no links.
    #[must_use]
    pub fn route(&self, query: usize) -> Option<(&[CarLinkIx], u32)> {
        let start = if query == 0 { 0 } else { self.ends[query - 1] as usize };
        self.cost_ms[query].map(|cost| (&self.links[start..self.ends[query] as usize], cost))
    }
    fn append(&mut self, other: &Self) {
        let base = self.links.len() as u32;
        self.links.extend_from_slice(&other.links);
        self.ends.extend(other.ends.iter().map(|end| base + end));
        self.cost_ms.extend_from_slice(&other.cost_ms);
    }
}

/// Answers route queries under the present travel times.
#[derive(Debug, Resource)]
pub struct Router {
    cch: Cch,
    /// Where routes from a node start, and where routes to it end.
    source: Vec<u32>,
    sink: Vec<u32>,
    /// What drivers multiply the travel time of each link by.
    factor: Vec<f64>,
    pool: Mutex<Vec<Scratch>>,
}

impl Router {
    /// Prepares a network; travel times are those of empty roads until [`Router::set_travel_times`].
    #[must_use]
    pub fn new(network: &CarNetwork) -> Self {
        let nodes = network.nodes() as u32;
        let (mut x_m, mut y_m) = (network.x_m.clone(), network.y_m.clone());
        let mut add = |node: u32| {
            x_m.push(network.x_m[node as usize]);
            y_m.push(network.y_m[node as usize]);
            x_m.len() as u32 - 1
        };
        let has_ban = {
            let mut flags = vec![false; nodes as usize];
            for (into, _) in &network.banned {
                flags[network.to[into.row()] as usize] = true;
            }
            flags
        };
        // The node itself becomes the source, so that coordinates and numbers of others stay.
        let source: Vec<u32> = (0..nodes).collect();
        let mut sink = source.clone();
        for node in (0..nodes).filter(|&node| has_ban[node as usize]) {
            sink[node as usize] = add(node);
        }
        let mut copy_of: BTreeMap<u32, u32> = BTreeMap::new();
        let mut arriving: Vec<Vec<u32>> = vec![Vec::new(); nodes as usize];
        for link in 0..network.links() as u32 {
            let node = network.to[link as usize];
            if has_ban[node as usize] {
                copy_of.insert(link, add(node));
                arriving[node as usize].push(link);
            }
        }
        let mut edges = Vec::with_capacity(network.links());
        for link in 0..network.links() as u32 {
            let (from, to) = (network.from[link as usize], network.to[link as usize]);
            let banned = |into: u32| network.banned.binary_search(&(CarLinkIx(into), CarLinkIx(link))).is_ok();
            let tails = arriving[from as usize].iter().filter(|&&into| !banned(into)).map(|into| copy_of[into]);
            for tail in std::iter::once(source[from as usize]).chain(tails) {
                let ends = [copy_of.get(&link).copied(), Some(sink[to as usize])];
                for head in ends.into_iter().flatten() {
                    edges.push(Edge { from: tail, to: head, weight: link });
                }
            }
        }
        let mut router = Self {
            cch: Cch::new(&x_m, &y_m, &edges),
            source,
            sink,
            factor: network.route_factor.clone(),
            pool: Mutex::new(Vec::new()),
        };
        router.set_travel_times(&network.free_time_ms());
        router
    }

    /// Takes a travel time in milliseconds for each link; times the link's route factor, at least 1 ms and
    /// at most a day counts.
    pub fn set_travel_times(&mut self, travel_time_ms: &[u32]) {
        let weight = |(&ms, &factor): (&u32, &f64)| ((f64::from(ms) * factor).round() as u32).clamp(1, LONGEST_MS);
        let weights: Vec<u32> = travel_time_ms.iter().zip(&self.factor).map(weight).collect();
        const { assert!(LONGEST_MS < UNREACHED) };
        self.cch.customize(&weights);
    }

    /// The fastest route for each pair of car nodes `(from, to)`, in order.
    #[must_use]
    pub fn route_batch(&self, queries: &[(u32, u32)]) -> RouteBatch {
        if queries.len() <= CHUNK_QUERIES {
            return self.route_some(queries);
        }
        let parts = chunks::map_chunks(queries.len(), CHUNK_QUERIES, |range| self.route_some(&queries[range]));
        let mut batch = RouteBatch::default();
        for part in &parts {
            batch.append(part);
        }
        batch
    }

    fn route_some(&self, queries: &[(u32, u32)]) -> RouteBatch {
        let pooled = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut scratch = pooled.unwrap_or_else(|| self.cch.scratch());
        let mut batch = RouteBatch::default();
        let mut path = Vec::new();
        for &(from, to) in queries {
            path.clear();
            let cost = if from == to {
                Some(0)
            } else {
                self.cch.query(&mut scratch, self.source[from as usize], self.sink[to as usize], &mut path)
            };
            batch.links.extend(path.iter().map(|&link| CarLinkIx(link)));
            batch.ends.push(batch.links.len() as u32);
            batch.cost_ms.push(cost);
        }
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        batch
    }
}
