//! The graph as the assignment sees it, and shortest paths on it.
//!
//! Links are renumbered so that those into one node lie side by side: label passes then read costs in
//! order. Nodes below `first_thru` are zones: paths begin and end there and never pass through.
//! Contract: labels are the exact minimum over paths of the sums as they round, whatever the order in
//! which equal labels leave the heap; the tree among equals is the one of the lowest row.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Marks "no row".
pub(crate) const NONE: u32 = u32::MAX;

/// A directed graph with links grouped by their heads.
#[derive(Debug)]
pub(crate) struct Graph {
    /// Number of nodes.
    pub(crate) nodes: usize,
    /// First node that may be passed through.
    pub(crate) first_thru: u32,
    /// Where each link starts.
    pub(crate) tail: Vec<u32>,
    /// Where each link ends; never falls from row to row.
    pub(crate) head: Vec<u32>,
    /// Row of each link in the caller's order.
    pub(crate) outside: Vec<u32>,
    /// Links into node `i` are `in_start[i]..in_start[i + 1]`.
    pub(crate) in_start: Vec<u32>,
    out_start: Vec<u32>,
    /// `(link, head)` by tail.
    out: Vec<(u32, u32)>,
}

impl Graph {
    /// Groups links; rows must be below `nodes`.
    pub(crate) fn new(nodes: usize, from: &[u32], to: &[u32], first_thru: u32) -> Self {
        let outside = urbis_core::columns::order_by_key(to, |&head| head);
        let tail = urbis_core::columns::permuted(from, &outside);
        let head = urbis_core::columns::permuted(to, &outside);
        let starts = |ends: &[u32]| {
            let mut counts = vec![0_u32; nodes];
            ends.iter().for_each(|&end| counts[end as usize] += 1);
            urbis_core::columns::offsets(&counts)
        };
        let by_tail = urbis_core::columns::order_by_key(&tail, |&tail| tail);
        let out = by_tail.iter().map(|&link| (link, head[link as usize])).collect();
        Self { nodes, first_thru, in_start: starts(&head), out_start: starts(&tail), tail, head, outside, out }
    }

    /// Number of links.
    pub(crate) fn links(&self) -> usize {
        self.tail.len()
    }

    /// Whether paths from `root` may go on at `node`.
    #[inline]
    pub(crate) fn passable(&self, node: u32, root: u32) -> bool {
        node >= self.first_thru || node == root
    }

    /// `(link, head)` of the links out of a node.
    #[inline]
    pub(crate) fn out_of(&self, node: u32) -> &[(u32, u32)] {
        &self.out[self.out_start[node as usize] as usize..self.out_start[node as usize + 1] as usize]
    }
}

/// A label in a heap, smallest first; lower rows first among equals. Labels are never negative, so that
/// their bits order as they do.
type Entry = Reverse<(u64, u32)>;

/// Buffers of a search, kept between searches.
#[derive(Debug, Default)]
pub(crate) struct Search {
    heap: BinaryHeap<Entry>,
}

impl Search {
    /// Shortest tree from `root`: labels, the link into each node ([`NONE`] for the root and what cannot
    /// be reached), and reached nodes in the order they were settled, root first.
    pub(crate) fn tree(
        &mut self,
        graph: &Graph,
        cost: &[f64],
        root: u32,
        label: &mut Vec<f64>,
        by: &mut Vec<u32>,
        order: &mut Vec<u32>,
    ) {
        label.clear();
        label.resize(graph.nodes, f64::INFINITY);
        by.clear();
        by.resize(graph.nodes, NONE);
        order.clear();
        label[root as usize] = 0.0;
        self.heap.clear();
        self.heap.push(Reverse((0, root)));
        while let Some(Reverse((bits, node))) = self.heap.pop() {
            let here = label[node as usize];
            if bits != here.to_bits() {
                continue;
            }
            order.push(node);
            if !graph.passable(node, root) {
                continue;
            }
            for &(link, next) in graph.out_of(node) {
                let there = here + cost[link as usize];
                if there < label[next as usize] {
                    label[next as usize] = there;
                    by[next as usize] = link;
                    self.heap.push(Reverse((there.to_bits(), next)));
                }
            }
        }
    }

    /// Lowers labels that are lengths of some paths from `root` to the shortest ones. Cheap where few are
    /// too high: one look at every link, then a search from the nodes that fall. Returns whether any fell.
    pub(crate) fn correct(&mut self, graph: &Graph, cost: &[f64], root: u32, label: &mut [f64]) -> bool {
        self.heap.clear();
        for node in 0..graph.nodes {
            let range = graph.in_start[node] as usize..graph.in_start[node + 1] as usize;
            let mut best = label[node];
            for (&tail, &cost) in graph.tail[range.clone()].iter().zip(&cost[range]) {
                let through = label[tail as usize] + cost;
                if through < best && graph.passable(tail, root) {
                    best = through;
                }
            }
            if best < label[node] {
                label[node] = best;
                self.heap.push(Reverse((best.to_bits(), node as u32)));
            }
        }
        let fell = !self.heap.is_empty();
        while let Some(Reverse((bits, node))) = self.heap.pop() {
            let here = label[node as usize];
            if bits != here.to_bits() || !graph.passable(node, root) {
                continue;
            }
            for &(link, next) in graph.out_of(node) {
                let there = here + cost[link as usize];
                if there < label[next as usize] {
                    label[next as usize] = there;
                    self.heap.push(Reverse((there.to_bits(), next)));
                }
            }
        }
        fell
    }
}
