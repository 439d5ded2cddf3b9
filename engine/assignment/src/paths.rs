//! Paths behind the flows of a [`Solution`].
//!
//! Flows of links in equilibrium are unique, flows of paths are not. Those given here divide at every node in the
//! proportions in which the origin's flow comes in there, alike for all its destinations: of the many path flows that
//! add up to the same flows of the origin they are the ones without further assumptions (the most likely ones within a
//! bush; Bar-Gera 2006, "Primal method for determining the most likely route flows", Transportation Science 40).
//!
//! Contract: paths come in falling order of flow; equal ones in an order that depends on the flows alone.

use crate::Solution;
use crate::bush::Bush;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A path and what travels on it.
#[derive(Clone, Debug, PartialEq)]
pub struct PathFlow {
    /// Rows of the network's links, from origin to destination.
    pub links: Vec<u32>,
    /// Flow, in units of demand.
    pub flow: f64,
    /// Cost at the solution's flows.
    pub cost: f64,
}

/// Which paths are wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathLimits {
    /// Paths with a smaller share of the pair's demand are left out.
    pub least_share: f64,
    /// Paths for a pair at most.
    pub most: usize,
}

impl Default for PathLimits {
    fn default() -> Self {
        Self { least_share: 1e-6, most: 100 }
    }
}

/// All paths of one origin, ready to be asked for by destination.
#[derive(Debug)]
pub struct PathSet<'a> {
    solution: &'a Solution,
    bush: &'a Bush,
    row: usize,
    /// First slot and end of the slots into each node; empty where the bush does not go.
    group: Vec<(u32, u32)>,
}

impl Solution {
    /// The paths from a node, if any demand from there is assigned. Costs one pass over the origin's bush.
    #[must_use]
    pub fn paths_from(&self, origin: u32) -> Option<PathSet<'_>> {
        let row = self.demand.origin.binary_search(&origin).ok()?;
        let bush = &self.bushes[row];
        let mut group = vec![(0, 0); self.graph.nodes];
        for (slot, &link) in (0_u32..).zip(&bush.link) {
            let (first, end) = &mut group[self.graph.head[link as usize] as usize];
            if *end == 0 {
                *first = slot;
            }
            *end = slot + 1;
        }
        Some(PathSet { solution: self, bush, row, group })
    }
}

/// A way back from the destination that may go on.
struct Partial {
    share: f64,
    node: u32,
    /// Its last step in the list of steps; `usize::MAX` at the destination.
    step: usize,
}

impl PartialEq for Partial {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Partial {}
impl PartialOrd for Partial {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Partial {
    fn cmp(&self, other: &Self) -> Ordering {
        self.share.total_cmp(&other.share).then(other.step.cmp(&self.step))
    }
}

impl PathSet<'_> {
    /// Destinations with their demand, in rising order of nodes.
    pub fn destinations(&self) -> impl Iterator<Item = (u32, f64)> {
        let of = self.solution.demand.of(self.row);
        of.node.iter().copied().zip(of.flow.iter().copied())
    }

    /// Paths to a destination; their flows add up to its demand. Empty where no demand goes.
    #[must_use]
    pub fn to(&self, destination: u32, limits: &PathLimits) -> Vec<PathFlow> {
        let of = self.solution.demand.of(self.row);
        let Ok(row) = of.node.binary_search(&destination) else { return Vec::new() };
        let demand = of.flow[row];
        let graph = &self.solution.graph;
        // Shares only fall on the way back, so the largest partial way first gives whole paths in falling order.
        let mut steps: Vec<(u32, usize)> = Vec::new();
        let mut open = BinaryHeap::from([Partial { share: 1.0, node: destination, step: usize::MAX }]);
        let mut found = Vec::new();
        while let Some(at) = open.pop() {
            // The largest path is given however small it is, so that the flows always add up.
            if found.len() >= limits.most.max(1) || (at.share < limits.least_share && !found.is_empty()) {
                break;
            }
            if at.node == self.bush.root {
                found.push(self.path(&steps, at.step, at.share));
                continue;
            }
            let (first, end) = self.group[at.node as usize];
            let slots = first as usize..end as usize;
            let sum: f64 = self.bush.flow[slots.clone()].iter().sum();
            for slot in slots {
                let share = if sum > 0.0 { at.share * self.bush.flow[slot] / sum } else { 0.0 };
                if share > 0.0 {
                    let link = self.bush.link[slot];
                    steps.push((link, at.step));
                    open.push(Partial { share, node: graph.tail[link as usize], step: steps.len() - 1 });
                }
            }
        }
        let shares: f64 = found.iter().map(|path: &PathFlow| path.flow).sum();
        found.iter_mut().for_each(|path| path.flow *= demand / shares);
        found
    }

    fn path(&self, steps: &[(u32, usize)], mut step: usize, share: f64) -> PathFlow {
        let mut links = Vec::new();
        while let Some(&(link, next)) = steps.get(step) {
            links.push(self.solution.graph.outside[link as usize]);
            step = next;
        }
        let cost = links.iter().map(|&link| self.solution.cost[link as usize]).sum();
        PathFlow { links, flow: share, cost }
    }
}
