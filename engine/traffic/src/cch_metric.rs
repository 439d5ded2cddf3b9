//! Weights of a customizable contraction hierarchy.
//!
//! Two passes over all triangles (Dibbelt, Strasser and Wagner 2016). Upwards each arc takes the length
//! of the shortest path through lower nodes and remembers the triangle. Downwards each arc takes the
//! shortest path of all ("perfect customization"), and arcs that are not on a shortest path, or have
//! an equal detour over a node above their tail, are left out of the search graph. Weights are positive,
//! so a detour is made of shorter distances and leaving out ties cannot go in a circle.
//!
//! Lengths end at [`LIMIT`]: what is longer is reachable but not told apart.
//! Contract: a node's arcs are written by its own step only; each step reads lower arcs (upwards) or
//! higher arcs (downwards) that are complete, so every number of threads gives the same bits.

use crate::cch::{Cch, NONE, Segment};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// No path. Two of them still fit into a `u32`.
pub(crate) const UNREACHED: u32 = u32::MAX / 2;

/// Longest length of a path: 12 days in milliseconds. Two of them are less than [`UNREACHED`].
pub(crate) const LIMIT: u32 = u32::MAX / 4;

/// Marks a label in [`Metric::parts`]; without it a part is `2 * arc + downwards`.
const LABEL: u32 = 1 << 31;

/// An arc of the search graph at its lower node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SearchArc {
    /// Depth of its upper node.
    pub(crate) depth: u32,
    pub(crate) weight: u32,
}

/// Arcs of the search graph in one direction.
#[derive(Debug, Default)]
pub(crate) struct SearchGraph {
    pub(crate) first: Vec<u32>,
    pub(crate) arcs: Vec<SearchArc>,
    /// `2 * arc + downwards` of each.
    pub(crate) part: Vec<u32>,
}

impl SearchGraph {
    #[inline]
    pub(crate) fn of(&self, node: u32) -> std::ops::Range<usize> {
        self.first[node as usize] as usize..self.first[node as usize + 1] as usize
    }
}

/// What weights make of a hierarchy.
#[derive(Debug, Default)]
pub(crate) struct Metric {
    /// Arcs as they lead upwards.
    pub(crate) up: SearchGraph,
    /// Arcs as they lead downwards, at the node they end at.
    pub(crate) down: SearchGraph,
    /// The two parts of `2 * arc + downwards` in the order of travel; an edge has one.
    parts: Vec<[u32; 2]>,
}

/// Both directions of an arc while customizing.
#[derive(Clone, Copy)]
struct Pair {
    up: u32,
    down: u32,
}

impl Pair {
    const NOTHING: Self = Self { up: UNREACHED, down: UNREACHED };
    fn packed(self) -> u64 {
        u64::from(self.up) | u64::from(self.down) << 32
    }
    #[inline]
    fn of(packed: &AtomicU64) -> Self {
        let packed = packed.load(Relaxed);
        Self { up: packed as u32, down: (packed >> 32) as u32 }
    }
}

fn packed(parts: [u32; 2]) -> u64 {
    u64::from(parts[0]) | u64::from(parts[1]) << 32
}

/// An arc of the node at work, by depth of its head.
#[derive(Clone, Copy)]
struct Slot {
    length: Pair,
    up_parts: [u32; 2],
    down_parts: [u32; 2],
}

/// Arcs under way; a relaxed atomic costs what a plain number costs, and lets subtrees share the arrays.
struct Work<'a> {
    cch: &'a Cch,
    weights: &'a [u32],
    lengths: Vec<AtomicU64>,
    /// Shortest distance between the ends of each arc.
    exact: Vec<AtomicU64>,
    parts: Vec<AtomicU64>,
}

impl Metric {
    /// Takes weights, one for each [`crate::cch::Edge::weight`], at least 1; those above [`LIMIT`] count as no road.
    pub(crate) fn new(cch: &Cch, weights: &[u32]) -> Self {
        let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect::<Vec<_>>();
        let work =
            Work { cch, weights, lengths: zeros(cch.arcs()), exact: zeros(cch.arcs()), parts: zeros(2 * cch.arcs()) };
        cch.segments.par_iter().for_each(|segment| work.upwards(segment));
        cch.segments.par_iter().for_each(|segment| work.downwards(segment));
        let (up, down) = rayon::join(|| work.search_graph(false), || work.search_graph(true));
        let parts = work.parts.iter().map(|of| of.load(Relaxed)).map(|of| [of as u32, (of >> 32) as u32]).collect();
        Self { up, down, parts }
    }

    /// Appends the labels of the edges on the stack of `2 * arc + downwards`, from its top.
    #[inline]
    pub(crate) fn unpack(&self, stack: &mut Vec<u32>, mut edge: impl FnMut(u32)) {
        while let Some(mut part) = stack.pop() {
            while part & LABEL == 0 {
                let [first, second] = self.parts[part as usize];
                if second != NONE {
                    stack.push(second);
                }
                part = first;
            }
            edge(part & !LABEL);
        }
    }
}

impl Work<'_> {
    fn upwards(&self, segment: &Segment) {
        segment.below.par_iter().for_each(|below| self.upwards(below));
        let nothing = Slot { length: Pair::NOTHING, up_parts: [NONE; 2], down_parts: [NONE; 2] };
        let mut slots = vec![nothing; self.cch.height];
        for node in segment.start..segment.end {
            self.upwards_at(node, &mut slots);
        }
    }

    /// Finds the length of each arc of a node through lower nodes.
    fn upwards_at(&self, node: u32, slots: &mut [Slot]) {
        let cch = self.cch;
        for arc in cch.arcs_of(node) {
            let best = |row: usize| {
                let mut best = (UNREACHED, NONE);
                for edge in cch.edges.row(row) {
                    let weight = self.weights[edge.weight as usize];
                    if weight <= LIMIT && weight < best.0 {
                        best = (weight, LABEL | edge.label);
                    }
                }
                best
            };
            let ((up, up_label), (down, down_label)) = (best(2 * arc), best(2 * arc + 1));
            slots[cch.head_depth[arc] as usize] =
                Slot { length: Pair { up, down }, up_parts: [up_label, NONE], down_parts: [down_label, NONE] };
        }
        for &low in cch.into.row(node as usize) {
            let to_node = Pair::of(&self.lengths[low as usize]);
            if to_node.up == UNREACHED && to_node.down == UNREACHED {
                continue;
            }
            let rest = low as usize + 1..cch.first[cch.tail[low as usize] as usize + 1] as usize;
            let highs = self.lengths[rest.clone()].iter().zip(&cch.head_depth[rest.clone()]);
            for (high, (length, &depth)) in rest.zip(highs) {
                let length = Pair::of(length);
                let slot = &mut slots[depth as usize];
                let (up, down) = (to_node.down + length.up, length.down + to_node.up);
                if up < slot.length.up {
                    slot.length.up = up;
                    slot.up_parts = [2 * low + 1, 2 * high as u32];
                }
                if down < slot.length.down {
                    slot.length.down = down;
                    slot.down_parts = [2 * high as u32 + 1, 2 * low];
                }
            }
        }
        let limited = |length: u32| if length == UNREACHED { length } else { length.min(LIMIT) };
        for arc in cch.arcs_of(node) {
            let slot = slots[cch.head_depth[arc] as usize];
            let length = Pair { up: limited(slot.length.up), down: limited(slot.length.down) };
            self.lengths[arc].store(length.packed(), Relaxed);
            self.parts[2 * arc].store(packed(slot.up_parts.map(|part| self.shortened(part))), Relaxed);
            self.parts[2 * arc + 1].store(packed(slot.down_parts.map(|part| self.shortened(part))), Relaxed);
        }
    }

    /// A part that is an edge becomes its label.
    fn shortened(&self, part: u32) -> u32 {
        if part & LABEL != 0 {
            return part;
        }
        let parts = self.parts[part as usize].load(Relaxed);
        if (parts >> 32) as u32 == NONE { parts as u32 } else { part }
    }

    fn downwards(&self, segment: &Segment) {
        let mut slots = vec![Slack { length: Pair::NOTHING, detour: [false; 2] }; self.cch.height];
        for node in (segment.start..segment.end).rev() {
            self.downwards_at(node, &mut slots);
        }
        segment.below.par_iter().for_each(|below| self.downwards(below));
    }

    /// Finds the distance between the ends of each arc of a node, and the arcs nobody needs.
    fn downwards_at(&self, node: u32, slots: &mut [Slack]) {
        let cch = self.cch;
        let arcs = cch.arcs_of(node);
        for arc in arcs.clone() {
            let length = Pair::of(&self.lengths[arc]);
            slots[cch.head_depth[arc] as usize] = Slack { length, detour: [false; 2] };
        }
        for near in arcs.clone() {
            let mut at_near = slots[cch.head_depth[near] as usize];
            let mut between = cch.first[cch.head[near] as usize] as usize;
            for far in near + 1..arcs.end {
                let depth = cch.head_depth[far];
                // Heads of the nearer end are in the same order.
                while cch.head_depth[between] != depth {
                    between += 1;
                }
                let middle = Pair::of(&self.exact[between]);
                let at_far = &mut slots[depth as usize];
                at_far.take(at_near.length.up + middle.up, middle.down + at_near.length.down);
                at_near.take(at_far.length.up + middle.down, middle.up + at_far.length.down);
            }
            slots[cch.head_depth[near] as usize] = at_near;
        }
        for arc in arcs {
            let Slack { length, detour } = slots[cch.head_depth[arc] as usize];
            self.exact[arc].store(length.packed(), Relaxed);
            let own = Pair::of(&self.lengths[arc]);
            let kept = Pair {
                up: if detour[0] { UNREACHED } else { own.up },
                down: if detour[1] { UNREACHED } else { own.down },
            };
            self.lengths[arc].store(kept.packed(), Relaxed);
        }
    }

    /// The arcs that are left in a direction.
    fn search_graph(&self, downwards: bool) -> SearchGraph {
        let mut graph = SearchGraph::default();
        graph.first.reserve(self.cch.nodes() + 1);
        graph.first.push(0);
        for node in 0..self.cch.nodes() as u32 {
            for arc in self.cch.arcs_of(node) {
                let Pair { up, down } = Pair::of(&self.lengths[arc]);
                let weight = if downwards { down } else { up };
                if weight != UNREACHED {
                    graph.arcs.push(SearchArc { depth: self.cch.head_depth[arc], weight });
                    graph.part.push(2 * arc as u32 + u32::from(downwards));
                }
            }
            graph.first.push(graph.arcs.len() as u32);
        }
        graph
    }
}

/// Distances to the head of an arc, and whether a way over a node above the tail is as short.
#[derive(Clone, Copy)]
struct Slack {
    length: Pair,
    detour: [bool; 2],
}

impl Slack {
    #[inline]
    fn take(&mut self, up: u32, down: u32) {
        // At the limit lengths are not told apart, so nothing is known to be a detour.
        if up <= self.length.up && up < LIMIT {
            self.length.up = up;
            self.detour[0] = true;
        }
        if down <= self.length.down && down < LIMIT {
            self.length.down = down;
            self.detour[1] = true;
        }
    }
}
