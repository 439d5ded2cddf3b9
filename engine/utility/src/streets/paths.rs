//! Shortest ways along streets. Lengths are whole millimetres, so that sums of lengths are exact and two ways of equal
//! length compare as equal; of those the one settled first stays, and vertices settle by distance and then by row.
//!
//! Contract: a search is one thread's; its result does not depend on what it searched before.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// No vertex.
pub(crate) const NONE: u32 = u32::MAX;

/// An undirected graph in rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    start: Vec<u32>,
    to: Vec<u32>,
    length_mm: Vec<u32>,
    segment: Vec<u32>,
}

impl Graph {
    /// Of segments `(a, b, length)`.
    pub(crate) fn new(vertices: usize, segments: &[(u32, u32, u32)]) -> Self {
        let mut start = vec![0_u32; vertices + 1];
        for &(a, b, _) in segments {
            start[a as usize + 1] += 1;
            start[b as usize + 1] += 1;
        }
        for row in 0..vertices {
            start[row + 1] += start[row];
        }
        let arcs = start[vertices] as usize;
        let mut graph = Self { to: vec![0; arcs], length_mm: vec![0; arcs], segment: vec![0; arcs], start };
        let mut next = graph.start.clone();
        for (segment, &(a, b, length_mm)) in segments.iter().enumerate() {
            for (from, to) in [(a, b), (b, a)] {
                let arc = next[from as usize] as usize;
                next[from as usize] += 1;
                (graph.to[arc], graph.length_mm[arc], graph.segment[arc]) = (to, length_mm, segment as u32);
            }
        }
        graph
    }
    pub(crate) fn vertices(&self) -> usize {
        self.start.len() - 1
    }
    /// Neighbours with length and segment.
    pub(crate) fn arcs(&self, vertex: u32) -> impl Iterator<Item = (u32, u32, u32)> + '_ {
        let range = self.start[vertex as usize] as usize..self.start[vertex as usize + 1] as usize;
        range.map(|arc| (self.to[arc], self.length_mm[arc], self.segment[arc]))
    }
}

/// A search and its last result.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    epoch: u32,
    stamp: Vec<u32>,
    dist_mm: Vec<u64>,
    via: Vec<(u32, u32)>,
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    /// Vertices settled, nearest first.
    pub(crate) settled: Vec<u32>,
}

impl Search {
    pub(crate) fn new(vertices: usize) -> Self {
        Self {
            epoch: 0,
            stamp: vec![0; vertices],
            dist_mm: vec![0; vertices],
            via: vec![(NONE, NONE); vertices],
            heap: BinaryHeap::new(),
            settled: Vec::new(),
        }
    }
    /// From a vertex over those that `may_pass`, until `is_done` of a vertex just settled says so.
    pub(crate) fn run(
        &mut self,
        graph: &Graph,
        from: u32,
        may_pass: impl Fn(u32) -> bool,
        mut is_done: impl FnMut(u32) -> bool,
    ) {
        self.epoch += 1;
        self.heap.clear();
        self.settled.clear();
        self.reach(from, 0, (NONE, NONE));
        while let Some(Reverse((dist, vertex))) = self.heap.pop() {
            if dist > self.dist_mm[vertex as usize] {
                continue;
            }
            self.settled.push(vertex);
            if is_done(vertex) {
                return;
            }
            for (to, length_mm, segment) in graph.arcs(vertex).filter(|&(to, ..)| may_pass(to)) {
                let far = dist + u64::from(length_mm);
                if self.stamp[to as usize] != self.epoch || far < self.dist_mm[to as usize] {
                    self.reach(to, far, (vertex, segment));
                }
            }
        }
    }
    fn reach(&mut self, vertex: u32, dist: u64, via: (u32, u32)) {
        let row = vertex as usize;
        (self.stamp[row], self.dist_mm[row], self.via[row]) = (self.epoch, dist, via);
        self.heap.push(Reverse((dist, vertex)));
    }
    /// Distance of a vertex reached, millimetres.
    pub(crate) fn dist_mm(&self, vertex: u32) -> Option<u64> {
        (self.stamp[vertex as usize] == self.epoch).then(|| self.dist_mm[vertex as usize])
    }
    /// Vertex before one reached, and the segment between; [`NONE`] at the start.
    pub(crate) fn before(&self, vertex: u32) -> (u32, u32) {
        self.via[vertex as usize]
    }
    /// Segments from the start to a vertex reached, in order, each with the vertex that it leads to.
    pub(crate) fn way(&self, mut vertex: u32) -> Vec<(u32, u32)> {
        let mut way = Vec::new();
        while self.before(vertex).0 != NONE {
            let (before, segment) = self.before(vertex);
            way.push((segment, vertex));
            vertex = before;
        }
        way.reverse();
        way
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_way_and_the_way_back() {
        let graph = Graph::new(4, &[(0, 1, 10), (1, 2, 10), (0, 2, 30), (3, 3, 5)]);
        let mut search = Search::new(graph.vertices());
        search.run(&graph, 0, |_| true, |_| false);
        assert_eq!((search.dist_mm(2), search.dist_mm(3)), (Some(20), None));
        assert_eq!(search.way(2), [(0, 1), (1, 2)]);
        search.run(&graph, 0, |vertex| vertex != 1, |_| false);
        assert_eq!((search.dist_mm(2), search.way(2)), (Some(30), vec![(2, 2)]));
        search.run(&graph, 2, |_| true, |vertex| vertex == 1);
        assert_eq!(search.settled, [2, 1]);
    }
}
