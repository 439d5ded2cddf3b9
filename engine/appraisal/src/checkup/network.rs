//! Distances over the city's own links: from all nodes to the nearest of some places, on foot or by car, and nearest
//! points in the plane.
//!
//! Dijkstra's algorithm from all sources at once. Ignores turn bans, slopes and delays: ways are lengths, times those of
//! free roads. Contract: pure functions, ties by node number; the same bits everywhere.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use urbis_core::csr::Csr;

/// A directed network with a cost for each arc.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    arcs: Csr<(u32, f64)>,
    /// Whether any arc begins or ends at a node.
    pub(crate) is_used: Vec<bool>,
}

/// Costs in order.
#[derive(Clone, Copy, PartialEq)]
struct Cost(f64, u32);

impl Eq for Cost {}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cost {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

impl Network {
    /// From arcs (from, to, cost); costs are not negative.
    pub(crate) fn new(nodes: usize, arcs: &[(u32, u32, f64)]) -> Self {
        let mut is_used = vec![false; nodes];
        for &(from, to, _) in arcs {
            is_used[from as usize] = true;
            is_used[to as usize] = true;
        }
        let pairs: Vec<(u32, (u32, f64))> = arcs.iter().map(|&(from, to, cost)| (from, (to, cost))).collect();
        Self { arcs: Csr::from_pairs(nodes, &pairs), is_used }
    }

    /// Cost from the nearest source (node, cost to begin with) to each node, infinite beyond `most`.
    pub(crate) fn nearest_of(&self, sources: &[(u32, f64)], most: f64) -> Vec<f64> {
        let mut cost = vec![f64::INFINITY; self.is_used.len()];
        let mut heap = BinaryHeap::new();
        for &(node, first) in sources {
            if first <= most && first < cost[node as usize] {
                cost[node as usize] = first;
                heap.push(Reverse(Cost(first, node)));
            }
        }
        while let Some(Reverse(Cost(so_far, node))) = heap.pop() {
            if so_far > cost[node as usize] {
                continue;
            }
            for &(to, step) in self.arcs.row(node as usize) {
                let sum = so_far + step;
                if sum <= most && sum < cost[to as usize] {
                    cost[to as usize] = sum;
                    heap.push(Reverse(Cost(sum, to)));
                }
            }
        }
        cost
    }
}

/// Points in the plane, found by squares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Points {
    side_m: f64,
    cells: BTreeMap<(i64, i64), Vec<u32>>,
    at: Vec<[f64; 2]>,
}

/// Distance of two points, metres.
pub(crate) fn distance_m(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

impl Points {
    /// Points in squares of a side length.
    pub(crate) fn new(at: Vec<[f64; 2]>, side_m: f64) -> Self {
        let mut points = Self { side_m, cells: BTreeMap::new(), at };
        for (row, &place) in points.at.iter().enumerate() {
            points.cells.entry(cell_of(place, side_m)).or_default().push(row as u32);
        }
        points
    }
    /// The nearest point within a distance, and how far it is.
    pub(crate) fn nearest(&self, place: [f64; 2], within_m: f64) -> Option<(u32, f64)> {
        let mut best: Option<(u32, f64)> = None;
        self.within(place, within_m, |row, far_m| {
            if best.is_none_or(|(_, least)| far_m < least) {
                best = Some((row, far_m));
            }
        });
        best
    }
    /// Every point within a distance, in the order of squares and rows.
    pub(crate) fn within(&self, place: [f64; 2], within_m: f64, mut each: impl FnMut(u32, f64)) {
        let low = cell_of([place[0] - within_m, place[1] - within_m], self.side_m);
        let high = cell_of([place[0] + within_m, place[1] + within_m], self.side_m);
        for x in low.0..=high.0 {
            for (_, rows) in self.cells.range((x, low.1)..=(x, high.1)) {
                for &row in rows {
                    let far_m = distance_m(place, self.at[row as usize]);
                    if far_m <= within_m {
                        each(row, far_m);
                    }
                }
            }
        }
    }
}

/// The square of a point.
pub(crate) fn cell_of(place: [f64; 2], side_m: f64) -> (i64, i64) {
    ((place[0] / side_m).floor() as i64, (place[1] / side_m).floor() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_from_the_nearest_source() {
        // 0 -> 1 -> 2 -> 3, one way, and a long way back.
        let network = Network::new(5, &[(0, 1, 2.0), (1, 2, 2.0), (2, 3, 2.0), (3, 0, 9.0)]);
        assert_eq!(network.nearest_of(&[(0, 1.0)], 6.0), [1.0, 3.0, 5.0, f64::INFINITY, f64::INFINITY]);
        assert_eq!(network.nearest_of(&[(0, 0.0), (2, 0.5)], 9.0)[..4], [0.0, 2.0, 0.5, 2.5]);
        assert_eq!(network.is_used, [true, true, true, true, false]);
    }

    #[test]
    fn points_within_a_distance() {
        let points = Points::new(vec![[0.0, 0.0], [30.0, 40.0], [-60.0, 0.0]], 25.0);
        assert_eq!(points.nearest([27.0, 36.0], 100.0), Some((1, 5.0)));
        assert_eq!(points.nearest([1000.0, 0.0], 100.0), None);
        let mut found = Vec::new();
        points.within([0.0, 0.0], 50.0, |row, far_m| found.push((row, far_m)));
        found.sort_by_key(|(row, _)| *row);
        assert_eq!(found, [(0, 0.0), (1, 50.0)], "the limit belongs to it");
    }
}
