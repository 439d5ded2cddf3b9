//! What is joined to what. Buses joined by closed branches without impedance are one node. Nodes joined by closed
//! branches are an island; an island without a slack bus has no source and is de-energised. Found by union-find; nodes
//! and islands are numbered by their first bus.
//!
//! Contract: a pure function of the tables.

use super::{BusKind, Grid};
use crate::sets::Sets;

/// No node: a bus out of service.
pub const NONE: u32 = u32::MAX;

/// Nodes and islands of a grid as its branches stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Node of each bus, [`NONE`] for buses out of service.
    pub node_of_bus: Vec<u32>,
    /// First bus of each node.
    pub bus_of_node: Vec<u32>,
    /// Kind of each node: the strongest of its buses'.
    pub kind: Vec<BusKind>,
    /// Island of each node.
    pub island: Vec<u32>,
    /// Whether each island has a slack bus.
    pub is_energised: Vec<bool>,
}

impl Topology {
    /// Of a grid whose references are good.
    #[must_use]
    pub fn new(grid: &Grid) -> Self {
        let mut topology = Self::default();
        let mut sets = Sets::new(grid.buses.len());
        for row in live_branches(grid).filter(|&row| grid.branches.row(row).has_no_impedance()) {
            sets.join(grid.branches.from[row], grid.branches.to[row]);
        }
        let mut node_of_root = vec![NONE; grid.buses.len()];
        for bus in 0..grid.buses.len() as u32 {
            if !grid.buses.is_in_service[bus as usize] {
                topology.node_of_bus.push(NONE);
                continue;
            }
            let root = sets.root(bus) as usize;
            if node_of_root[root] == NONE {
                node_of_root[root] = topology.bus_of_node.len() as u32;
                topology.bus_of_node.push(bus);
                topology.kind.push(BusKind::Pq);
            }
            let node = node_of_root[root];
            topology.node_of_bus.push(node);
            let kind = &mut topology.kind[node as usize];
            *kind = (*kind).max(grid.buses.kind[bus as usize]);
        }
        topology.find_islands(grid);
        topology
    }
    /// Finds islands again after branches with impedance opened or closed. Allocates once per size of grid.
    pub fn find_islands(&mut self, grid: &Grid) {
        let mut sets = Sets::new(self.bus_of_node.len());
        for row in live_branches(grid) {
            sets.join(self.node(grid.branches.from[row]), self.node(grid.branches.to[row]));
        }
        self.island.clear();
        self.is_energised.clear();
        let mut island_of_root = vec![NONE; self.bus_of_node.len()];
        for node in 0..self.bus_of_node.len() as u32 {
            let root = sets.root(node) as usize;
            if island_of_root[root] == NONE {
                island_of_root[root] = self.is_energised.len() as u32;
                self.is_energised.push(false);
            }
            self.island.push(island_of_root[root]);
            self.is_energised[island_of_root[root] as usize] |= self.kind[node as usize] == BusKind::Slack;
        }
    }
    /// Node of a bus.
    #[must_use]
    pub fn node(&self, bus: u32) -> u32 {
        self.node_of_bus[bus as usize]
    }
    /// Whether a bus is in service and joined to a source.
    #[must_use]
    pub fn is_bus_energised(&self, bus: u32) -> bool {
        let node = self.node(bus);
        node != NONE && self.is_energised[self.island[node as usize] as usize]
    }
    /// Pairs of slack buses that are one node and yet state different voltages, by bus.
    #[must_use]
    pub fn conflicting_slacks(&self, grid: &Grid) -> Vec<(usize, usize)> {
        let mut first = vec![usize::MAX; self.bus_of_node.len()];
        let mut conflicts = Vec::new();
        for bus in (0..grid.buses.len()).filter(|&bus| grid.buses.kind[bus] == BusKind::Slack) {
            let node = self.node_of_bus[bus];
            if node == NONE {
                continue;
            }
            let before = std::mem::replace(&mut first[node as usize], bus);
            if before != usize::MAX {
                let apart = |column: &[f64]| (column[before] - column[bus]).abs() > 1e-12;
                if apart(&grid.buses.vm_pu) || apart(&grid.buses.va_rad) {
                    conflicts.push((before, bus));
                }
            }
        }
        conflicts
    }
}

/// Closed branches between buses in service.
pub fn live_branches(grid: &Grid) -> impl Iterator<Item = usize> + '_ {
    let of = &grid.branches;
    let is_on = move |bus: u32| grid.buses.is_in_service[bus as usize];
    (0..of.len()).filter(move |&row| of.is_in_service[row] && is_on(of.from[row]) && is_on(of.to[row]))
}
