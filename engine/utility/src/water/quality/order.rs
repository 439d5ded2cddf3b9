//! The order in which nodes are taken: each after those whose water comes to it.
//!
//! Contract: no allocation after the first sort; time by links.

use super::{QualityRun, RESTS_M3PS};

impl QualityRun {
    /// Nodes so that flow comes from earlier ones; where flows go round, the circle is entered beside what is known.
    pub(super) fn sort_nodes(&mut self) {
        let moves = |link: usize, flows: &[f64]| flows[link].abs() >= RESTS_M3PS;
        self.inflows.fill(0);
        for link in 0..self.from.len() {
            if moves(link, &self.flow_m3ps) {
                let to = self.outlet(link);
                self.inflows[to as usize] += 1;
            }
        }
        self.order.clear();
        self.stack.clear();
        self.stack.extend((0..self.inflows.len() as u32).filter(|node| self.inflows[*node as usize] == 0));
        self.open.clear();
        let mut next_node = 0;
        while self.order.len() < self.inflows.len() {
            if self.stack.is_empty() {
                let Some(node) = self.entry(&mut next_node) else { return };
                self.inflows[node as usize] = 0;
                self.stack.push(node);
            }
            let Some(node) = self.stack.pop() else { return };
            self.order.push(node);
            self.open.push(node);
            for at in (self.offset[node as usize]..self.offset[node as usize + 1]).rev() {
                let link = self.incident[at as usize] as usize;
                let to = self.outlet(link);
                if moves(link, &self.flow_m3ps) && to != node && self.inflows[to as usize] > 0 {
                    self.inflows[to as usize] -= 1;
                    if self.inflows[to as usize] == 0 {
                        self.stack.push(to);
                    }
                }
            }
        }
    }

    /// A node that still waits for water, beside the last one that does not; else the first that waits. Of equal ones the
    /// choice is EPANET's, as a step's delay depends on it.
    fn entry(&mut self, next_node: &mut usize) -> Option<u32> {
        while let Some(node) = self.open.last().copied() {
            for at in (self.offset[node as usize]..self.offset[node as usize + 1]).rev() {
                let link = self.incident[at as usize] as usize;
                let other = if self.from[link] == node { self.to[link] } else { self.from[link] };
                if self.inflows[other as usize] > 0 {
                    return Some(other);
                }
            }
            // All its neighbours are sorted, and stay so.
            self.open.pop();
        }
        while *next_node < self.inflows.len() {
            if self.inflows[*next_node] > 0 {
                return Some(*next_node as u32);
            }
            *next_node += 1;
        }
        None
    }
}

/// Links at each node: offsets and rows.
pub(super) fn incidence(nodes: usize, from: &[u32], to: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut offset = vec![0_u32; nodes + 1];
    for end in from.iter().chain(to) {
        offset[*end as usize + 1] += 1;
    }
    for node in 0..nodes {
        offset[node + 1] += offset[node];
    }
    let (mut next, mut incident) = (offset.clone(), vec![0; from.len() + to.len()]);
    for (link, ends) in from.iter().zip(to).enumerate() {
        for end in [*ends.0, *ends.1] {
            incident[next[end as usize] as usize] = link as u32;
            next[end as usize] += 1;
        }
    }
    (offset, incident)
}
