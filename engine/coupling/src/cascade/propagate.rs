//! Failures that spread in time over a graph of needs ([`super::graph`]), exactly: from event to event, in whole seconds.
//!
//! At an instant with events, breaks and repairs count first. Then those come back that can, and whom they let come back;
//! then those fail that cannot go on, and whom they let fail: the largest state that holds by itself below the smallest that
//! those who come back make. Both are unique, so nothing depends on the order of nodes or of events, and more breaks never leave
//! more nodes at work. A supplier that fails at the instant at which another comes back is replaced without a gap. A
//! buffer that is empty after a part of a second lasts until the second is over.
//!
//! Contract: a run is a pure function of graph and faults, on one thread; its work is that of the nodes which it touches.
//! Ranking runs one node at a time in chunks of constant size on all threads.

use super::graph::{Customers, Dependencies, Steps};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use urbis_core::chunks::map_chunks;
use urbis_core::csr::Csr;

/// Nodes that are ranked together.
const RANKED_PER_CHUNK: usize = 1024;

/// A node is broken for a time, whatever its needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Node.
    pub node: u32,
    /// When it breaks, seconds.
    pub from_s: u32,
    /// When it is repaired; what lies beyond the end of a run is not seen.
    pub until_s: u32,
}

/// A time in which a node does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outage {
    /// Node.
    pub node: u32,
    /// First second without it.
    pub from_s: u32,
    /// First second with it again; the end of the run where it does not come back.
    pub until_s: u32,
    /// Whether it was broken itself when it failed.
    pub is_own: bool,
}

/// Propagation on a graph, with its scratch.
#[derive(Clone, Debug)]
pub struct Propagation<'a> {
    of: &'a Dependencies,
    dependents: &'a Csr<u32>,
    /// Faults that a node has.
    broken: Vec<u32>,
    works: Vec<bool>,
    /// Suppliers at work.
    supplied: Vec<u32>,
    /// Whether needs were met after the last instant; since when they are or are not.
    is_met: Vec<bool>,
    since_s: Vec<u32>,
    /// Buffer at that time: a second of work is `recharge_s`, a second of charging `buffer_s`.
    level: Vec<u64>,
    /// When the outage of a node began that does not work, and whether it was its own.
    out_from: Vec<(u32, bool)>,
    /// Of the instant: nodes that were looked at, and whether they worked before it.
    touched: Vec<u32>,
    is_touched: Vec<bool>,
    worked: Vec<bool>,
    todo: Vec<u32>,
    /// Nodes of the run that are not as at the start.
    dirty: Vec<u32>,
    is_dirty: Vec<bool>,
    queue: BinaryHeap<Reverse<(u32, u32, Event)>>,
    outages: Vec<Outage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Break,
    Repair,
    Empty,
}

impl<'a> Propagation<'a> {
    /// On a graph and its [`Dependencies::dependents`].
    #[must_use]
    pub fn new(of: &'a Dependencies, dependents: &'a Csr<u32>) -> Self {
        let nodes = of.len();
        let mut this = Self {
            of,
            dependents,
            broken: vec![0; nodes],
            works: vec![true; nodes],
            supplied: vec![0; nodes],
            is_met: vec![true; nodes],
            since_s: vec![0; nodes],
            level: vec![0; nodes],
            out_from: vec![(0, false); nodes],
            touched: Vec::new(),
            is_touched: vec![false; nodes],
            worked: vec![true; nodes],
            todo: Vec::new(),
            dirty: (0..nodes as u32).collect(),
            is_dirty: vec![true; nodes],
            queue: BinaryHeap::new(),
            outages: Vec::new(),
        };
        this.reset();
        this
    }

    /// What fails, and when, until `end_s`, by node and time.
    pub fn run(&mut self, faults: &[Fault], end_s: u32) -> &[Outage] {
        self.reset();
        self.outages.clear();
        for fault in faults.iter().filter(|fault| fault.from_s < fault.until_s) {
            self.queue.push(Reverse((fault.from_s, fault.node, Event::Break)));
            self.queue.push(Reverse((fault.until_s, fault.node, Event::Repair)));
        }
        while let Some(&Reverse((now_s, ..))) = self.queue.peek() {
            if now_s >= end_s {
                break;
            }
            self.instant(now_s);
        }
        for at in 0..self.dirty.len() {
            let node = self.dirty[at];
            if !self.works[node as usize] {
                self.close(node, end_s);
            }
        }
        self.outages.sort_unstable();
        &self.outages
    }

    fn reset(&mut self) {
        self.queue.clear();
        for node in self.dirty.drain(..) {
            let at = node as usize;
            self.is_dirty[at] = false;
            (self.broken[at], self.works[at], self.is_met[at], self.since_s[at]) = (0, true, true, 0);
            self.supplied[at] = self.of.needs.row(at).len() as u32;
            self.level[at] = u64::from(self.of.buffer_s[at]) * u64::from(self.of.recharge_s[at].max(1));
        }
    }

    fn instant(&mut self, now_s: u32) {
        while let Some(&Reverse((time_s, node, event))) = self.queue.peek() {
            if time_s != now_s {
                break;
            }
            self.queue.pop();
            self.touch(node);
            // Breaks and repairs of a node may come in any order: a repair never comes before its own break.
            match event {
                Event::Break => self.broken[node as usize] += 1,
                Event::Repair => self.broken[node as usize] -= 1,
                Event::Empty => {}
            }
        }
        for at in 0..self.touched.len() {
            let node = self.touched[at];
            if self.works[node as usize] && self.broken[node as usize] > 0 {
                self.switch(node, false);
            }
        }
        self.todo.clear();
        self.todo.extend_from_slice(&self.touched);
        while let Some(node) = self.todo.pop() {
            if !self.works[node as usize] && self.can_work(node, now_s) {
                self.switch(node, true);
            }
        }
        self.todo.extend_from_slice(&self.touched);
        while let Some(node) = self.todo.pop() {
            if self.works[node as usize] && !self.can_work(node, now_s) {
                self.switch(node, false);
            }
        }
        self.settle(now_s);
    }

    /// Notes a node whose state may change in the instant.
    fn touch(&mut self, node: u32) {
        let at = node as usize;
        if !std::mem::replace(&mut self.is_touched[at], true) {
            self.worked[at] = self.works[at];
            self.touched.push(node);
        }
        if !std::mem::replace(&mut self.is_dirty[at], true) {
            self.dirty.push(node);
        }
    }

    /// Lets a node work or fail, and looks at who needs it.
    fn switch(&mut self, node: u32, works: bool) {
        self.works[node as usize] = works;
        let dependents = self.dependents;
        for &other in dependents.row(node as usize) {
            self.touch(other);
            let supplied = &mut self.supplied[other as usize];
            *supplied = if works { *supplied + 1 } else { *supplied - 1 };
            self.todo.push(other);
        }
    }

    fn is_supplied(&self, node: u32) -> bool {
        let (needs, supplied) = (self.of.needs.row(node as usize).len() as u32, self.supplied[node as usize]);
        if self.of.is_any[node as usize] { needs == 0 || supplied > 0 } else { supplied == needs }
    }

    fn can_work(&self, node: u32, now_s: u32) -> bool {
        self.broken[node as usize] == 0 && (self.is_supplied(node) || self.level(node, now_s) > 0)
    }

    /// The buffer now, after what was met or not since the last change.
    fn level(&self, node: u32, now_s: u32) -> u64 {
        let at = node as usize;
        let (buffer, recharge) = (u64::from(self.of.buffer_s[at]), u64::from(self.of.recharge_s[at].max(1)));
        let seconds = u64::from(now_s - self.since_s[at]);
        match self.is_met[at] {
            true => (self.level[at] + buffer * seconds).min(buffer * recharge),
            false => self.level[at].saturating_sub(recharge * seconds),
        }
    }

    /// Writes down what the instant changed.
    fn settle(&mut self, now_s: u32) {
        for at in 0..self.touched.len() {
            let node = self.touched[at];
            let row = node as usize;
            self.is_touched[row] = false;
            let is_met = self.is_supplied(node);
            if is_met != self.is_met[row] {
                let level = self.level(node, now_s);
                (self.is_met[row], self.since_s[row], self.level[row]) = (is_met, now_s, level);
                if !is_met && level > 0 {
                    let seconds = level.div_ceil(u64::from(self.of.recharge_s[row].max(1)));
                    let empty_s = u64::from(now_s) + seconds;
                    // What lasts beyond all time never ends.
                    if let Ok(empty_s) = u32::try_from(empty_s) {
                        self.queue.push(Reverse((empty_s, node, Event::Empty)));
                    }
                }
            }
            match (self.worked[row], self.works[row]) {
                (true, false) => self.out_from[row] = (now_s, self.broken[row] > 0),
                (false, true) => self.close(node, now_s),
                _ => {}
            }
        }
        self.touched.clear();
    }

    fn close(&mut self, node: u32, until_s: u32) {
        let (from_s, is_own) = self.out_from[node as usize];
        self.outages.push(Outage { node, from_s, until_s, is_own });
    }
}

/// People without service by kind, from 0 to `end_s`. Shape: kinds.
#[must_use]
pub fn unserved(outages: &[Outage], of: &Dependencies, customers: &Customers, kinds: usize, end_s: u32) -> Vec<Steps> {
    let mut changes = vec![Vec::new(); kinds];
    for outage in outages {
        let place = of.place[outage.node as usize];
        let changes = &mut changes[usize::from(of.kind[outage.node as usize])];
        for (slot, from_s, until_s) in customers.slots_of(outage.from_s, outage.until_s) {
            let persons = i64::from(customers.at(place, slot));
            if persons > 0 {
                changes.extend([(from_s, persons), (until_s, -persons)]);
            }
        }
    }
    changes.into_iter().map(|changes| Steps::from_changes(changes, end_s)).collect()
}

/// People who are to be served by kind, from 0 to `end_s`. Shape: kinds.
#[must_use]
pub fn demanded(of: &Dependencies, customers: &Customers, kinds: usize, end_s: u32) -> Vec<Steps> {
    let all = |node: u32| Outage { node, from_s: 0, until_s: end_s, is_own: false };
    let nodes: Vec<Outage> =
        (0..of.len() as u32).filter(|&node| of.place[node as usize] != super::graph::NONE).map(all).collect();
    unserved(&nodes, of, customers, kinds, end_s)
}

/// Person seconds that outages cost.
#[must_use]
pub fn person_s(outages: &[Outage], of: &Dependencies, customers: &Customers) -> u64 {
    let cost = |outage: &Outage| -> u64 {
        let place = of.place[outage.node as usize];
        let parts = customers.slots_of(outage.from_s, outage.until_s);
        parts.map(|(slot, from_s, until_s)| u64::from(customers.at(place, slot)) * u64::from(until_s - from_s)).sum()
    };
    outages.iter().map(cost).sum()
}

/// What the failure of one node alone does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Node.
    pub node: u32,
    /// Person seconds without service.
    pub person_s: u64,
    /// Nodes that fail with it, itself left out.
    pub others: u32,
}

/// The failure of each of some nodes alone, for a time: the costliest first, and of two alike the lower node.
#[must_use]
pub fn rank(
    nodes: &[u32],
    of: &Dependencies,
    customers: &Customers,
    (from_s, until_s): (u32, u32),
    end_s: u32,
) -> Vec<Rank> {
    let dependents = of.dependents();
    let chunks = map_chunks(nodes.len(), RANKED_PER_CHUNK, |range| {
        let mut propagation = Propagation::new(of, &dependents);
        let mut one = |&node: &u32| {
            let outages = propagation.run(&[Fault { node, from_s, until_s }], end_s);
            let mut others = 0;
            let mut last = node;
            // Outages come by node.
            for outage in outages.iter().filter(|outage| outage.node != node) {
                others += u32::from(outage.node != last);
                last = outage.node;
            }
            Rank { node, person_s: person_s(outages, of, customers), others }
        };
        nodes[range].iter().map(&mut one).collect::<Vec<_>>()
    });
    let mut ranks = chunks.concat();
    ranks.sort_by(|a, b| b.person_s.cmp(&a.person_s).then(b.others.cmp(&a.others)).then(a.node.cmp(&b.node)));
    ranks
}

#[cfg(test)]
#[path = "propagate_tests.rs"]
mod propagate_tests;
