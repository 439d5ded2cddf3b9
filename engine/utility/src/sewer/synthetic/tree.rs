//! Which way sewers lead: from every vertex of the streets to the outfall of its stretch.
//!
//! The outfall is at the lowest vertex; where all are as low, at the one nearest to the middle of a side of their box. The
//! way of a vertex is the shortest one where a metre of climb counts as so many metres of way, so that sewers go with the
//! terrain where they can. All ways to an outfall are a tree.

use super::settings::SyntheticSewerSettings;
use crate::streets::Streets;
use crate::streets::paths::NONE;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Heights that differ by less are one, metres.
const LEVEL_M: f64 = 0.001;

/// Trees; columns by vertex of the streets.
#[derive(Clone, Debug, Default)]
pub(super) struct Trees {
    /// Vertices with a sewer, each after the one that it leads to.
    pub(super) order: Vec<u32>,
    /// Vertex that it leads to, [`NONE`] at outfalls and where there is no sewer.
    pub(super) down: Vec<u32>,
    /// Segment on the way.
    pub(super) segment: Vec<u32>,
    /// Its length, metres.
    pub(super) length_m: Vec<f64>,
    /// Vertices at which outfalls are.
    pub(super) roots: Vec<u32>,
}

impl Trees {
    pub(super) fn new(streets: &Streets, settings: &SyntheticSewerSettings) -> Self {
        let count = streets.place.len();
        let mut trees =
            Self { down: vec![NONE; count], segment: vec![NONE; count], length_m: vec![0.0; count], ..Self::default() };
        let mut cost_mm = vec![u64::MAX; count];
        for stretch in &streets.supplied {
            let Some(root) = lowest(streets, stretch) else { continue };
            trees.roots.push(root);
            trees.drain(streets, root, settings.detour_m_per_m, &mut cost_mm);
        }
        trees
    }
    /// Vertices with a sewer, branch by branch, each right after the last of those above it: so the rows of a branch are
    /// neighbours.
    pub(super) fn by_branch(&self) -> Vec<u32> {
        // Heads and tails of lists of those above each vertex.
        let (mut first, mut next) = (vec![NONE; self.down.len()], vec![NONE; self.down.len()]);
        for &vertex in self.order.iter().rev().filter(|&&vertex| self.down[vertex as usize] != NONE) {
            let down = self.down[vertex as usize] as usize;
            (next[vertex as usize], first[down]) = (first[down], vertex);
        }
        let (mut open, mut order) = (self.roots.clone(), Vec::with_capacity(self.order.len()));
        while let Some(vertex) = open.pop() {
            order.push(vertex);
            let mut above = first[vertex as usize];
            while above != NONE {
                open.push(above);
                above = next[above as usize];
            }
        }
        order.reverse();
        order
    }
    fn drain(&mut self, streets: &Streets, root: u32, detour_m_per_m: f64, cost_mm: &mut [u64]) {
        let mut heap = BinaryHeap::from([Reverse((0_u64, root))]);
        cost_mm[root as usize] = 0;
        while let Some(Reverse((cost, vertex))) = heap.pop() {
            if cost > cost_mm[vertex as usize] {
                continue;
            }
            self.order.push(vertex);
            for (above, length_mm, segment) in streets.graph.arcs(vertex) {
                let climb_m = (streets.height_m[vertex as usize] - streets.height_m[above as usize]).max(0.0);
                let more = u64::from(length_mm) + (1000.0 * detour_m_per_m * climb_m) as u64;
                if cost + more < cost_mm[above as usize] {
                    cost_mm[above as usize] = cost + more;
                    (self.down[above as usize], self.segment[above as usize]) = (vertex, segment);
                    self.length_m[above as usize] = f64::from(length_mm) / 1000.0;
                    heap.push(Reverse((cost + more, above)));
                }
            }
        }
    }
}

fn lowest(streets: &Streets, stretch: &[u32]) -> Option<u32> {
    let height = |vertex: &u32| streets.height_m[*vertex as usize];
    let least = stretch.iter().map(height).fold(f64::INFINITY, f64::min);
    let mut low = [f64::INFINITY; 2];
    let mut high = [f64::NEG_INFINITY; 2];
    for &vertex in stretch {
        for axis in 0..2 {
            low[axis] = low[axis].min(streets.place[vertex as usize][axis]);
            high[axis] = high[axis].max(streets.place[vertex as usize][axis]);
        }
    }
    let middle = [0, 1].map(|axis| 0.5 * (low[axis] + high[axis]));
    let sides = [[low[0], middle[1]], [high[0], middle[1]], [middle[0], low[1]], [middle[0], high[1]]];
    let off_m = |vertex: u32| {
        let [x, y] = streets.place[vertex as usize];
        sides.iter().map(|side| (side[0] - x).hypot(side[1] - y)).fold(f64::INFINITY, f64::min)
    };
    let candidates = stretch.iter().copied().filter(|vertex| height(vertex) <= least + LEVEL_M);
    candidates.min_by(|&a, &b| off_m(a).total_cmp(&off_m(b)).then(a.cmp(&b)))
}
