//! Customizable contraction hierarchy (Dibbelt, Strasser and Wagner 2016): a graph is ordered and
//! contracted once, then takes any weights in a few milliseconds, and answers shortest-path queries by
//! walking two paths of its elimination tree.
//!
//! Nodes are numbered by rank. Every arc of the chordal supergraph goes from a node to a higher one and
//! has a weight in each direction. Customization relaxes every lower triangle in order of rank, so each
//! arc ends with the length of the shortest path through lower nodes, and remembers the triangle.
//!
//! Contract: equal weights give equal paths; ties go to the lower edge and the lower middle node.

use crate::dissection;

/// No path. Two of them still fit into a `u32`.
pub(crate) const UNREACHED: u32 = u32::MAX / 2;

/// Marks a `via` that is an edge of the input.
const EDGE: u32 = u32::MAX;
const NONE: u32 = u32::MAX;

/// A directed edge of the input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// Position of its weight.
    pub(crate) weight: u32,
}

/// The lower triangle an arc was shortened by: two arcs from the middle node. With [`EDGE`] first, the
/// second is the edge itself.
type Via = (u32, u32);

#[derive(Clone, Copy, Debug)]
struct Weights {
    up: u32,
    down: u32,
}

/// A contracted graph with weights.
#[derive(Debug)]
pub(crate) struct Cch {
    rank: Vec<u32>,
    first: Vec<u32>,
    head: Vec<u32>,
    tail: Vec<u32>,
    parent: Vec<u32>,
    edges: Vec<(Edge, u32)>,
    weights: Vec<Weights>,
    via_up: Vec<Via>,
    via_down: Vec<Via>,
}

/// Distances and predecessors of a query.
#[derive(Debug)]
pub(crate) struct Scratch {
    up: Vec<(u32, u32)>,
    down: Vec<(u32, u32)>,
    arcs: Vec<u32>,
    stack: Vec<(u32, bool)>,
}

impl Cch {
    /// Contracts a graph whose nodes lie at `(x_m, y_m)`. Without weights yet: see [`Cch::customize`].
    pub(crate) fn new(x_m: &[f64], y_m: &[f64], edges: &[Edge]) -> Self {
        let nodes = x_m.len();
        let pairs: Vec<(u32, u32)> = edges.iter().map(|edge| (edge.from, edge.to)).collect();
        let order = dissection::order(x_m, y_m, &pairs);
        let mut rank = vec![0; nodes];
        for (at, &node) in order.iter().enumerate() {
            rank[node as usize] = at as u32;
        }
        let mut higher: Vec<Vec<u32>> = vec![Vec::new(); nodes];
        for &(from, to) in &pairs {
            let (a, b) = (rank[from as usize], rank[to as usize]);
            if a != b {
                higher[a.min(b) as usize].push(a.max(b));
            }
        }
        let (mut first, mut head, mut tail, mut parent) = (vec![0], Vec::new(), Vec::new(), vec![NONE; nodes]);
        for node in 0..nodes {
            let mut above = std::mem::take(&mut higher[node]);
            above.sort_unstable();
            above.dedup();
            if let Some((&next, rest)) = above.split_first() {
                parent[node] = next;
                higher[next as usize].extend_from_slice(rest);
            }
            tail.resize(tail.len() + above.len(), node as u32);
            head.append(&mut above);
            first.push(head.len() as u32);
        }
        let arcs = head.len();
        let mut cch = Self {
            rank,
            first,
            head,
            tail,
            parent,
            edges: Vec::new(),
            weights: vec![Weights { up: UNREACHED, down: UNREACHED }; arcs],
            via_up: vec![(EDGE, NONE); arcs],
            via_down: vec![(EDGE, NONE); arcs],
        };
        let find = |edge: &Edge| {
            let (a, b) = (cch.rank[edge.from as usize], cch.rank[edge.to as usize]);
            cch.arc(a.min(b), a.max(b)).map(|arc| (*edge, arc))
        };
        cch.edges = edges.iter().filter_map(find).collect();
        cch
    }

    fn arcs(&self, node: u32) -> std::ops::Range<usize> {
        self.first[node as usize] as usize..self.first[node as usize + 1] as usize
    }
    fn arc(&self, low: u32, high: u32) -> Option<u32> {
        let arcs = self.arcs(low);
        self.head[arcs.clone()].binary_search(&high).ok().map(|at| (arcs.start + at) as u32)
    }

    /// Takes new weights, one for each [`Edge::weight`]; values above [`UNREACHED`] count as no road.
    pub(crate) fn customize(&mut self, weights: &[u32]) {
        self.weights.fill(Weights { up: UNREACHED, down: UNREACHED });
        for &(edge, arc) in &self.edges {
            let (weight, arc) = (weights[edge.weight as usize], arc as usize);
            let up = self.rank[edge.from as usize] < self.rank[edge.to as usize];
            let of = &mut self.weights[arc];
            let (present, via) =
                if up { (&mut of.up, &mut self.via_up[arc]) } else { (&mut of.down, &mut self.via_down[arc]) };
            if weight < *present {
                (*present, *via) = (weight, (EDGE, edge.weight));
            }
        }
        for node in 0..self.parent.len() {
            let arcs = self.first[node] as usize..self.first[node + 1] as usize;
            for i in arcs.clone() {
                let low = self.weights[i];
                if low.up == UNREACHED && low.down == UNREACHED {
                    continue;
                }
                // The arcs of the nearer neighbour that lead to the further ones, in the same order.
                let mut arc = self.first[self.head[i] as usize] as usize;
                for j in i + 1..arcs.end {
                    let high = self.weights[j];
                    let target = self.head[j];
                    while self.head[arc] != target {
                        arc += 1;
                    }
                    let of = &mut self.weights[arc];
                    let (up, down) = (low.down + high.up, high.down + low.up);
                    if up < of.up {
                        of.up = up;
                        self.via_up[arc] = (i as u32, j as u32);
                    }
                    if down < of.down {
                        of.down = down;
                        self.via_down[arc] = (i as u32, j as u32);
                    }
                }
            }
        }
    }

    /// Room for queries.
    pub(crate) fn scratch(&self) -> Scratch {
        let distances = || vec![(UNREACHED, NONE); self.parent.len()];
        Scratch { up: distances(), down: distances(), arcs: Vec::new(), stack: Vec::new() }
    }

    /// Length of the shortest path between two nodes of the input, appending its edges (as
    /// [`Edge::weight`]) to `path`; `None` when there is none.
    pub(crate) fn query(&self, scratch: &mut Scratch, from: u32, to: u32, path: &mut Vec<u32>) -> Option<u32> {
        let (start, goal) = (self.rank[from as usize], self.rank[to as usize]);
        scratch.up[start as usize].0 = 0;
        scratch.down[goal as usize].0 = 0;
        let (mut s, mut t) = (start, goal);
        while s != t {
            if s < t {
                self.relax(&mut scratch.up, s, UNREACHED, |w| w.up);
                s = self.parent[s as usize];
            } else {
                self.relax(&mut scratch.down, t, UNREACHED, |w| w.down);
                t = self.parent[t as usize];
            }
        }
        let (mut best, mut middle) = (UNREACHED, NONE);
        while s != NONE {
            let length = scratch.up[s as usize].0 + scratch.down[s as usize].0;
            if length < best {
                (best, middle) = (length, s);
            }
            self.relax(&mut scratch.up, s, best, |w| w.up);
            self.relax(&mut scratch.down, s, best, |w| w.down);
            s = self.parent[s as usize];
        }
        if middle != NONE {
            self.unpack(scratch, middle, path);
        }
        for node in [start, goal] {
            let mut node = node;
            while node != NONE {
                scratch.up[node as usize] = (UNREACHED, NONE);
                scratch.down[node as usize] = (UNREACHED, NONE);
                node = self.parent[node as usize];
            }
        }
        (middle != NONE).then_some(best)
    }

    #[inline]
    fn relax(&self, distances: &mut [(u32, u32)], node: u32, bound: u32, weight: impl Fn(Weights) -> u32) {
        let at = distances[node as usize].0;
        if at >= bound {
            return;
        }
        for arc in self.arcs(node) {
            let through = at + weight(self.weights[arc]);
            let of = &mut distances[self.head[arc] as usize];
            if through < of.0 {
                *of = (through, arc as u32);
            }
        }
    }

    /// Appends the edges of the path over `middle`.
    fn unpack(&self, scratch: &mut Scratch, middle: u32, path: &mut Vec<u32>) {
        let Scratch { up, down, arcs, stack } = scratch;
        arcs.clear();
        let mut node = middle;
        while up[node as usize].1 != NONE {
            arcs.push(up[node as usize].1);
            node = self.tail[up[node as usize].1 as usize];
        }
        for &arc in arcs.iter().rev() {
            self.unpack_arc(stack, arc, true, path);
        }
        let mut node = middle;
        while down[node as usize].1 != NONE {
            let arc = down[node as usize].1;
            self.unpack_arc(stack, arc, false, path);
            node = self.tail[arc as usize];
        }
    }

    fn unpack_arc(&self, stack: &mut Vec<(u32, bool)>, arc: u32, up: bool, path: &mut Vec<u32>) {
        stack.push((arc, up));
        while let Some((arc, up)) = stack.pop() {
            let (i, j) = if up { self.via_up[arc as usize] } else { self.via_down[arc as usize] };
            if i == EDGE {
                path.push(j);
            } else if up {
                stack.push((j, true));
                stack.push((i, false));
            } else {
                stack.push((i, true));
                stack.push((j, false));
            }
        }
    }
}
