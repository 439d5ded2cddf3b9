//! Trees of pipes along streets.
//!
//! [`grow`] spans the streets from sources: a vertex is added where `s d(u) + l(u, v)` is least, `d(u)` the way from the
//! source to a vertex in the tree and `l` the segment that leads on. `s = 0` is the shortest spanning tree (Prim), `s = 1` that
//! of shortest ways (Dijkstra), and between them neither gets much worse: C. J. Alpert, T. C. Hu, J. H. Huang, A. B. Kahng,
//! D. Karger, Prim-Dijkstra tradeoffs for improved performance-driven routing tree design, IEEE Trans. CAD 14 (1995).
//! [`Grown::skeleton`] leaves what serves nobody away and passes through vertices where nothing leaves.
//!
//! Contract: pure functions; lengths in whole millimetres, ties go to the lower vertex and then segment.

use crate::streets::paths::{Graph, NONE};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Streets spanned from sources.
#[derive(Clone, Debug)]
pub(crate) struct Grown {
    /// Vertices, each after the one before it; sources first of theirs.
    pub(crate) order: Vec<u32>,
    /// Vertex before each, and the segment between; [`NONE`] at sources and where nothing leads. Shape: vertices.
    pub(crate) before: Vec<(u32, u32)>,
    /// Length of the way from the source, millimetres; `u64::MAX` where nothing leads. Shape: vertices.
    pub(crate) dist_mm: Vec<u64>,
}

/// A candidate: its key, its vertex, the segment to it, the vertex before it, its way from the source.
type Arc = Reverse<(u64, u32, u32, u32, u64)>;

/// Spans the vertices that `may_pass` from sources, with a straightness in thousandths.
pub(crate) fn grow(graph: &Graph, sources: &[u32], straight_permille: u64, may_pass: impl Fn(u32) -> bool) -> Grown {
    let vertices = graph.vertices();
    let mut grown =
        Grown { order: Vec::new(), before: vec![(NONE, NONE); vertices], dist_mm: vec![u64::MAX; vertices] };
    let mut heap: BinaryHeap<Arc> = sources.iter().map(|&source| Reverse((0, source, NONE, NONE, 0))).collect();
    while let Some(Reverse((_, vertex, segment, before, dist))) = heap.pop() {
        if grown.dist_mm[vertex as usize] != u64::MAX {
            continue;
        }
        grown.dist_mm[vertex as usize] = dist;
        grown.before[vertex as usize] = (before, segment);
        grown.order.push(vertex);
        for (to, length_mm, segment) in graph.arcs(vertex) {
            if grown.dist_mm[to as usize] == u64::MAX && may_pass(to) {
                let length = u64::from(length_mm);
                heap.push(Reverse((straight_permille * dist + 1000 * length, to, segment, vertex, dist + length)));
            }
        }
    }
    grown
}

/// A forest of pipes: rows are vertices that something leaves from, each after the one before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Forest {
    pub(crate) vertex: Vec<u32>,
    /// Row before each; [`NONE`] at sources.
    pub(crate) before: Vec<u32>,
    /// Where the way from the row before begins in `way`; one longer than rows.
    pub(crate) way_start: Vec<u32>,
    /// Segments, each with the vertex that it leads to.
    pub(crate) way: Vec<(u32, u32)>,
    /// Length from the row before, metres.
    pub(crate) length_m: Vec<f64>,
}

impl Forest {
    pub(crate) fn len(&self) -> usize {
        self.vertex.len()
    }
    pub(crate) fn way(&self, row: usize) -> &[(u32, u32)] {
        &self.way[self.way_start[row] as usize..self.way_start[row + 1] as usize]
    }
}

impl Grown {
    /// Which vertices lie on a way from a source to one that is wanted. Shape: vertices.
    pub(crate) fn used(&self, is_wanted: &[bool]) -> Vec<bool> {
        let mut is_used = is_wanted.to_vec();
        for &vertex in self.order.iter().rev() {
            let before = self.before[vertex as usize].0;
            if before != NONE && is_used[vertex as usize] {
                is_used[before as usize] = true;
            }
        }
        is_used
    }
    /// The forest of ways to wanted vertices; those and forks are rows.
    pub(crate) fn skeleton(&self, is_wanted: &[bool]) -> Forest {
        let is_used = self.used(is_wanted);
        let mut leaving = vec![0_u32; is_used.len()];
        for &vertex in self.order.iter().filter(|&&vertex| is_used[vertex as usize]) {
            let before = self.before[vertex as usize].0;
            if before != NONE {
                leaving[before as usize] += 1;
            }
        }
        let mut row_of = vec![NONE; is_used.len()];
        let mut forest = Forest { way_start: vec![0], ..Forest::default() };
        for &vertex in self.order.iter().filter(|&&vertex| is_used[vertex as usize]) {
            let at = vertex as usize;
            if self.before[at].0 != NONE && leaving[at] == 1 && !is_wanted[at] {
                continue;
            }
            let (mut up, first) = (vertex, forest.way.len());
            let mut length_mm = 0_u64;
            while self.before[up as usize].0 != NONE {
                let (before, segment) = self.before[up as usize];
                length_mm += self.dist_mm[up as usize] - self.dist_mm[before as usize];
                forest.way.push((segment, up));
                up = before;
                if row_of[up as usize] != NONE {
                    break;
                }
            }
            forest.way[first..].reverse();
            row_of[at] = forest.vertex.len() as u32;
            forest.before.push(if up == vertex { NONE } else { row_of[up as usize] });
            forest.vertex.push(vertex);
            forest.way_start.push(forest.way.len() as u32);
            forest.length_m.push(length_mm as f64 / 1000.0);
        }
        forest
    }
}

/// Segments that would close a circle of at least `around_m_min` by at most `gap_m_max` between used vertices of one tree:
/// from, to, segment, length in millimetres.
pub(crate) fn closures(
    grown: &Grown,
    graph: &Graph,
    is_used: &[bool],
    gap_m_max: f64,
    around_m_min: f64,
    may_join: impl Fn(u32, u32) -> bool,
) -> Vec<(u32, u32, u32, u32)> {
    let mut depth = vec![0_u32; is_used.len()];
    for &vertex in &grown.order {
        let before = grown.before[vertex as usize].0;
        depth[vertex as usize] = if before == NONE { 0 } else { depth[before as usize] + 1 };
    }
    // The way around in millimetres; none between trees.
    let around = |mut a: u32, mut b: u32| {
        let ends = grown.dist_mm[a as usize] + grown.dist_mm[b as usize];
        while a != b {
            if depth[a as usize] < depth[b as usize] {
                std::mem::swap(&mut a, &mut b);
            }
            a = grown.before[a as usize].0;
            if a == NONE {
                return None;
            }
        }
        Some(ends - 2 * grown.dist_mm[a as usize])
    };
    let mut found = Vec::new();
    for &vertex in grown.order.iter().filter(|&&vertex| is_used[vertex as usize]) {
        for (to, length_mm, segment) in graph.arcs(vertex) {
            let is_tree = [vertex, to].iter().any(|&end| grown.before[end as usize].1 == segment);
            if to <= vertex || !is_used[to as usize] || is_tree || f64::from(length_mm) > 1000.0 * gap_m_max {
                continue;
            }
            let is_wide = around(vertex, to).is_some_and(|mm| mm as f64 >= 1000.0 * around_m_min);
            if is_wide && may_join(vertex, to) {
                found.push((vertex, to, segment, length_mm));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square with a long diagonal way and a blind alley.
    fn graph() -> Graph {
        Graph::new(6, &[(0, 1, 100), (1, 2, 100), (2, 3, 100), (0, 3, 150), (3, 4, 50), (1, 5, 20)])
    }

    #[test]
    fn between_the_shortest_tree_and_shortest_ways() {
        let all = |permille| grow(&graph(), &[0], permille, |_| true);
        let total = |grown: &Grown| {
            let of = |vertex: &u32| match grown.before[*vertex as usize].0 {
                NONE => 0,
                before => grown.dist_mm[*vertex as usize] - grown.dist_mm[before as usize],
            };
            grown.order.iter().map(of).sum::<u64>()
        };
        let (shortest, straight) = (all(0), all(1000));
        assert_eq!((total(&shortest), shortest.dist_mm[3]), (370, 300));
        assert_eq!((total(&straight), straight.dist_mm[3]), (420, 150));
    }

    #[test]
    fn alleys_without_customers_are_left_away() {
        let grown = grow(&graph(), &[0], 1000, |_| true);
        let wanted = [false, false, true, false, true, false];
        let forest = grown.skeleton(&wanted);
        // 0 is the source, 2 and 4 are wanted; 1 and 3 are passed through, 5 is left away.
        assert_eq!(forest.vertex, [0, 2, 4]);
        assert_eq!(
            (forest.before.as_slice(), forest.length_m.as_slice()),
            ([NONE, 0, 0].as_slice(), [0.0, 0.2, 0.2].as_slice())
        );
        assert_eq!(forest.way(1), [(0, 1), (1, 2)]);
        let used = grown.used(&wanted);
        assert_eq!(closures(&grown, &graph(), &used, 0.11, 0.3, |_, _| true), [(2, 3, 2, 100)]);
        assert!(closures(&grown, &graph(), &used, 0.09, 0.3, |_, _| true).is_empty());
        assert!(closures(&grown, &graph(), &used, 0.11, 0.4, |_, _| true).is_empty());
    }
}
