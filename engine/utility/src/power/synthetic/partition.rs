//! Divides a stretch of streets into connected areas of about equal load. An area of `k` shares is halved: between two
//! served vertices `a`, `b` far apart, vertices are ordered by `d(a) - d(b)` along streets, and the order is cut where
//! the load before it is nearest to its share. Both halves hang together, wherever the cut is between two different
//! values: the vertex before `v` on the way from `a` has a value no larger than that of `v`, and the next one towards
//! `b` none smaller. Areas of one share are kept.
//!
//! That is a two-centre Voronoi partition with weights chosen to balance, applied again and again.

use crate::streets::paths::{Graph, Search};

/// Labels areas of vertices while they are divided.
pub(super) struct Division<'a> {
    pub(super) graph: &'a Graph,
    /// Whether anything is to be supplied at a vertex.
    pub(super) is_served: &'a [bool],
    /// Load of each vertex, any unit.
    pub(super) weight: &'a [f64],
    /// Area of each vertex.
    pub(super) area: Vec<u32>,
    next_area: u32,
    search: Search,
}

impl<'a> Division<'a> {
    pub(super) fn new(graph: &'a Graph, is_served: &'a [bool], weight: &'a [f64]) -> Self {
        let search = Search::new(graph.vertices());
        Self { graph, is_served, weight, area: vec![0; graph.vertices()], next_area: 1, search }
    }
    /// Makes an area of vertices that hang together.
    pub(super) fn mark(&mut self, vertices: &[u32]) {
        let area = self.next_area;
        self.next_area += 1;
        for &vertex in vertices {
            self.area[vertex as usize] = area;
        }
    }
    /// Sum of weights.
    pub(super) fn load(&self, vertices: &[u32]) -> f64 {
        vertices.iter().map(|&vertex| self.weight[vertex as usize]).sum()
    }
    /// Distances within an area from a vertex, in the order of `vertices`, and the farthest served vertex.
    fn distances(&mut self, from: u32, vertices: &[u32]) -> (Vec<u64>, u32) {
        let (area, label) = (&self.area, self.area[from as usize]);
        self.search.run(self.graph, from, |to| area[to as usize] == label, |_| false);
        let dist: Vec<u64> =
            vertices.iter().map(|&vertex| self.search.dist_mm(vertex).unwrap_or(u64::MAX / 4)).collect();
        let served = vertices.iter().zip(&dist).filter(|&(&vertex, _)| self.is_served[vertex as usize]);
        let mut far = (0, from);
        for (&vertex, &d) in served {
            if d > far.0 {
                far = (d, vertex);
            }
        }
        (dist, far.1)
    }
    /// Halves an area, the first half with `share` of the load; nothing where fewer than two vertices are served.
    pub(super) fn halve(&mut self, vertices: &[u32], share: f64) -> Option<[Vec<u32>; 2]> {
        let first = *vertices.iter().find(|&&vertex| self.is_served[vertex as usize])?;
        let a = self.distances(first, vertices).1;
        let (from_a, b) = self.distances(a, vertices);
        if a == b {
            return None;
        }
        let from_b = self.distances(b, vertices).0;
        let value = |row: usize| from_a[row] as i64 - from_b[row] as i64;
        let mut order: Vec<(i64, u32)> = (0..vertices.len()).map(|row| (value(row), vertices[row])).collect();
        order.sort_unstable();
        let aim = share * self.load(vertices);
        let (mut before, mut best) = (0.0, (f64::INFINITY, 0));
        for row in 1..order.len() {
            before += self.weight[order[row - 1].1 as usize];
            let off = (before - aim).abs();
            if order[row].0 != order[row - 1].0 && off < best.0 {
                best = (off, row);
            }
        }
        let halves = [&order[..best.1], &order[best.1..]].map(|half| {
            let mut half: Vec<u32> = half.iter().map(|&(_, vertex)| vertex).collect();
            half.sort_unstable();
            half
        });
        self.mark(&halves[0]);
        self.mark(&halves[1]);
        Some(halves)
    }
    /// Divides an area into `shares` of about equal load, fewer where too few vertices are served.
    pub(super) fn divide(&mut self, vertices: Vec<u32>, shares: u32) -> Vec<Vec<u32>> {
        self.mark(&vertices);
        let mut done = Vec::new();
        let mut open = vec![(vertices, shares.max(1))];
        while let Some((vertices, shares)) = open.pop() {
            let first = shares / 2;
            let halves = if shares > 1 { self.halve(&vertices, f64::from(first) / f64::from(shares)) } else { None };
            match halves {
                Some([one, other]) => {
                    open.push((other, shares - first));
                    open.push((one, first));
                }
                None => done.push(vertices),
            }
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_hang_together_and_balance() {
        // A ladder of 2 x 8.
        let mut segments: Vec<(u32, u32, u32)> = (0..8).map(|column| (column, column + 8, 10)).collect();
        segments.extend((0..7).flat_map(|column| [(column, column + 1, 10), (column + 8, column + 9, 10)]));
        let graph = Graph::new(16, &segments);
        let (served, weight) = (vec![true; 16], vec![1.0; 16]);
        let mut division = Division::new(&graph, &served, &weight);
        let areas = division.divide((0..16).collect(), 4);
        // Vertices of one value stay together, here up to two.
        assert_eq!(areas.iter().map(Vec::len).sum::<usize>(), 16);
        assert!(areas.len() == 4 && areas.iter().all(|area| (3..=5).contains(&area.len())), "{areas:?}");
        for area in &areas {
            let label = division.area[area[0] as usize];
            let mut search = Search::new(16);
            search.run(&graph, area[0], |to| division.area[to as usize] == label, |_| false);
            assert_eq!(search.settled.len(), area.len());
        }
    }
}
