//! Fastest routes from link to link at free flow, with turn bans, for files that name only the ends of a trip.
//!
//! Dijkstra over links. Equal routes: the one whose links come first in the file, counted from the start, where it is
//! found first. Both ends are part of the route, whose time is the same for all ways between them.
//! Ignores: tolls, classes. Contract: a pure function of network and queries on any number of threads.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use urbis_core::CarLinkIx;
use urbis_core::chunks::map_chunks;
use urbis_traffic::NetworkColumns;

const NONE: u32 = u32::MAX;
/// Origins a chunk of work holds.
const CHUNK_ORIGINS: usize = 16;

/// Links by node, bans by link.
pub(crate) struct Fastest<'a> {
    columns: &'a NetworkColumns,
    free_s: Vec<f64>,
    out_start: Vec<u32>,
    out: Vec<u32>,
    banned: Vec<(CarLinkIx, CarLinkIx)>,
}

/// What a search needs, used again by the next.
struct Search {
    time_s: Vec<f64>,
    before: Vec<u32>,
    touched: Vec<u32>,
    heap: BinaryHeap<Reverse<(u64, u32)>>,
}

impl<'a> Fastest<'a> {
    pub(crate) fn new(columns: &'a NetworkColumns) -> Self {
        let links = columns.from.len();
        let mut out_start = vec![0_u32; columns.x_m.len() + 1];
        for &from in &columns.from {
            out_start[from as usize + 1] += 1;
        }
        for node in 0..columns.x_m.len() {
            out_start[node + 1] += out_start[node];
        }
        let mut fill = out_start.clone();
        let mut out = vec![0; links];
        for (row, &from) in columns.from.iter().enumerate() {
            out[fill[from as usize] as usize] = row as u32;
            fill[from as usize] += 1;
        }
        let mut banned = columns.banned.clone();
        banned.sort_unstable();
        let free_s = (0..links).map(|row| columns.length_m[row] / columns.speed_mps_free[row]).collect();
        Self { columns, free_s, out_start, out, banned }
    }

    /// Routes of queries (first link, last link), in their order; empty where there is no way.
    pub(crate) fn routes(&self, queries: &[(u32, u32)]) -> Vec<Vec<CarLinkIx>> {
        let mut order: Vec<u32> = (0..queries.len() as u32).collect();
        order.sort_unstable_by_key(|&query| (queries[query as usize], query));
        let groups: Vec<&[u32]> = order.chunk_by(|&a, &b| queries[a as usize].0 == queries[b as usize].0).collect();
        let found = map_chunks(groups.len(), CHUNK_ORIGINS, |range| {
            let links = self.columns.from.len();
            let mut search = Search {
                time_s: vec![f64::INFINITY; links],
                before: vec![NONE; links],
                touched: Vec::new(),
                heap: BinaryHeap::new(),
            };
            groups[range].iter().map(|group| self.search_from(&mut search, queries, group)).collect::<Vec<_>>()
        });
        let mut routes = vec![Vec::new(); queries.len()];
        for (group, found) in groups.iter().zip(found.into_iter().flatten()) {
            for (&query, route) in group.iter().zip(found) {
                routes[query as usize] = route;
            }
        }
        routes
    }

    fn search_from(&self, search: &mut Search, queries: &[(u32, u32)], group: &[u32]) -> Vec<Vec<CarLinkIx>> {
        for link in search.touched.drain(..) {
            (search.time_s[link as usize], search.before[link as usize]) = (f64::INFINITY, NONE);
        }
        search.heap.clear();
        let origin = queries[group[0] as usize].0;
        let mut wanted: Vec<u32> = group.iter().map(|&query| queries[query as usize].1).collect();
        wanted.dedup();
        let mut left = wanted.len();
        search.time_s[origin as usize] = 0.0;
        search.touched.push(origin);
        // Bits of times that are not negative sort as the times do.
        search.heap.push(Reverse((0.0_f64.to_bits(), origin)));
        while let Some(Reverse((bits, link))) = search.heap.pop() {
            let time_s = search.time_s[link as usize];
            if bits > time_s.to_bits() {
                continue;
            }
            left -= usize::from(wanted.binary_search(&link).is_ok());
            if left == 0 {
                break;
            }
            let node = self.columns.to[link as usize] as usize;
            for &next in &self.out[self.out_start[node] as usize..self.out_start[node + 1] as usize] {
                let sum = time_s + self.free_s[next as usize];
                if sum < search.time_s[next as usize] && !self.is_banned(link, next) {
                    if search.before[next as usize] == NONE {
                        search.touched.push(next);
                    }
                    (search.time_s[next as usize], search.before[next as usize]) = (sum, link);
                    search.heap.push(Reverse((sum.to_bits(), next)));
                }
            }
        }
        let route = |last: u32| {
            let mut links = Vec::new();
            if last == origin || search.before[last as usize] != NONE {
                let mut at = last;
                while at != NONE {
                    links.push(CarLinkIx(at));
                    at = search.before[at as usize];
                }
                links.reverse();
            }
            links
        };
        group.iter().map(|&query| route(queries[query as usize].1)).collect()
    }

    fn is_banned(&self, link: u32, next: u32) -> bool {
        self.banned.binary_search(&(CarLinkIx(link), CarLinkIx(next))).is_ok()
    }
}
