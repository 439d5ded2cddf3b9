//! A part of the grid: a stretch of nodes without given voltage that hang together without passing a slack node. What
//! a slack node joins does not influence one another, as its voltage is given, so each part is a solve of its own:
//! every feeder of a substation whose busbar is a slack, every low-voltage area of a transformer that is one.
//!
//! Rows of a part are its nodes in the order of elimination, so that assembling, factoring and solving walk through
//! memory forwards. Admittances are stored by edge: `(Y_ij, Y_ji)` for each pair of rows `i < j`, as both directions
//! share the product of their voltages, with the place in the factors of both entries. That is the upper half of the
//! block rows of Ybus, in order. Ties are entries between a row and a slack node.
//!
//! Switching writes values only; a part of an opened branch that has no source any more keeps its rows, as dead ones.
//!
//! Contract: columns, no locks; a part is written by one thread at a time and depends on no other.

use super::tables::Grid;
use super::topology::Topology;
use super::{BusKind, Complex};
use crate::sparse::{BlockLu, Order, Pattern, Slot, minimum_degree};

/// What a step with factors of before is taken to leave of the mismatch while nothing is known.
const FIRST_RATE: f64 = 0.1;

/// Where a branch stands in a part.
#[derive(Clone, Copy, Debug)]
enum Stand {
    /// Between the rows of its from and to ends; the number is its edge's.
    Edge { edge: u32, from: u32, to: u32 },
    /// Between a row and a slack node.
    Tie { tie: u32, row: u32, source_is_from: bool },
    /// From a row to itself, or without impedance within a row: its shunts alone matter.
    Loop { row: u32 },
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Part {
    /// Node of each row.
    pub(crate) node: Vec<u32>,
    /// Where the edges of each row begin; one longer than the rows.
    pub(crate) edge_start: Vec<u32>,
    /// The later row of each edge.
    pub(crate) edge_to: Vec<u32>,
    /// Position of each edge in the factors.
    pub(crate) edge_slot: Vec<u32>,
    /// Row of each tie, ascending.
    pub(crate) tie_row: Vec<u32>,
    /// Slack node of each tie.
    pub(crate) tie_node: Vec<u32>,
    /// Branches and where they stand, in order of branches.
    branches: Vec<(u32, Stand)>,
    /// Shunts and their rows, in order of shunts.
    shunts: Vec<(u32, u32)>,
    /// Own admittance of each row.
    pub(crate) y_own: Vec<Complex>,
    /// Admittances of each edge, earlier row first.
    pub(crate) y_edge: Vec<[Complex; 2]>,
    /// Admittance of each tie at the side of its row.
    pub(crate) y_tie: Vec<Complex>,
    /// Largest own admittance, the size of the Jacobian's entries.
    pub(crate) scale: f64,
    /// Counts changes of admittances, dead rows and held voltages: factors of an older count are stale.
    pub(crate) version: u64,

    /// Voltages, per unit.
    pub(crate) v: Vec<Complex>,
    /// Voltages of ties.
    pub(crate) v_tie: Vec<Complex>,
    /// Voltages without load: one per unit or as held, at the angle of the source and the transformers on the way.
    pub(crate) v_flat: Vec<Complex>,
    /// Voltages that the tables state, with magnitudes as held.
    pub(crate) v_given: Vec<Complex>,
    /// Power fed in at any voltage, per unit.
    pub(crate) s_power: Vec<Complex>,
    /// Power fed in at 1 per unit that is in proportion to voltage.
    pub(crate) s_current: Vec<Complex>,
    /// Power fed in at 1 per unit that is in proportion to voltage squared.
    pub(crate) s_impedance: Vec<Complex>,
    /// Whether any row has a load that depends on voltage.
    pub(crate) has_zip: bool,
    /// 0 where voltage is held, else 1.
    pub(crate) q_is_given: Vec<f64>,
    /// Whether any row's voltage is held.
    pub(crate) has_held: bool,
    /// Rows without a source.
    pub(crate) dead: Vec<u32>,

    /// Power that the grid takes from each row at the voltages last evaluated.
    pub(crate) s: Vec<Complex>,
    /// Right side and step.
    pub(crate) x: Vec<[f64; 2]>,
    /// What the last step of the last solve left of the mismatch.
    pub(crate) rate: f64,
    pub(crate) lu: BlockLu,
    /// Version of the admittances that the factors were made with, if any.
    pub(crate) lu_version: Option<u64>,
    pub(crate) linear: Option<crate::power::linear::Factors>,
    pub(crate) sweep: Option<crate::power::sweep::Factors>,
}

impl Part {
    /// The part of these nodes, of which `place` gives this part's number and the node's row before ordering.
    /// `branches` are those with an end here; slack nodes have a place of no part.
    pub(crate) fn new(
        grid: &Grid,
        topology: &Topology,
        number: u32,
        nodes: &[u32],
        place: &mut [(u32, u32)],
        branches: &[u32],
    ) -> Self {
        let ends = |row: u32| {
            let of = &grid.branches;
            (topology.node(of.from[row as usize]), topology.node(of.to[row as usize]))
        };
        let is_here = |place: &[(u32, u32)], node: u32| place[node as usize].0 == number;
        let inner = branches.iter().map(|&row| ends(row)).filter(|&(a, b)| is_here(place, a) && is_here(place, b));
        let pattern = Pattern::from_edges(nodes.len(), inner.map(|(a, b)| (place[a as usize].1, place[b as usize].1)));
        let Order { new_of_old, old_of_new } = minimum_degree(&pattern);
        for &node in nodes {
            let row = &mut place[node as usize].1;
            *row = new_of_old[*row as usize];
        }
        let pattern = pattern.permuted(&Order { new_of_old, old_of_new: old_of_new.clone() });
        let lu = BlockLu::new(&pattern);
        let edges: Vec<(u32, u32)> = pattern.edges().collect();
        let mut edge_start = vec![0_u32; nodes.len() + 1];
        edges.iter().for_each(|&(a, _)| edge_start[a as usize + 1] += 1);
        for row in 0..nodes.len() {
            edge_start[row + 1] += edge_start[row];
        }
        let edge_slot = edges.iter().map(|&(a, b)| match lu.symbolic().slot(b, a) {
            Some(Slot::Lower(position)) => position,
            _ => unreachable!("the factors have every edge"),
        });
        let edge_slot = edge_slot.collect();
        let mut ties: Vec<(u32, u32)> = Vec::new();
        for &branch in branches {
            let (from, to) = ends(branch);
            match (is_here(place, from), is_here(place, to)) {
                (true, false) => ties.push((place[from as usize].1, to)),
                (false, true) => ties.push((place[to as usize].1, from)),
                _ => {}
            }
        }
        ties.sort_unstable();
        ties.dedup();
        let stand = |branch: u32| {
            let (from, to) = ends(branch);
            let (a, b) = (place[from as usize].1, place[to as usize].1);
            let tie = |row: u32, source: u32| ties.binary_search(&(row, source)).expect("every tie is listed") as u32;
            match (is_here(place, from), is_here(place, to)) {
                (true, true) if a == b => Stand::Loop { row: a },
                (true, true) => {
                    let edge = edges.binary_search(&(a.min(b), a.max(b))).expect("every edge is listed") as u32;
                    Stand::Edge { edge, from: a, to: b }
                }
                (true, false) => Stand::Tie { tie: tie(a, to), row: a, source_is_from: false },
                (false, _) => Stand::Tie { tie: tie(b, from), row: b, source_is_from: true },
            }
        };
        let shunts = grid.shunts.bus.iter().enumerate().filter_map(|(shunt, &bus)| {
            let node = topology.node(bus);
            (node != super::topology::NONE && is_here(place, node)).then(|| (shunt as u32, place[node as usize].1))
        });
        let zero = Complex::new(0.0, 0.0);
        let rows = vec![zero; nodes.len()];
        Self {
            node: old_of_new.iter().map(|&old| nodes[old as usize]).collect(),
            edge_start,
            edge_to: edges.iter().map(|&(_, b)| b).collect(),
            edge_slot,
            tie_row: ties.iter().map(|&(row, _)| row).collect(),
            tie_node: ties.iter().map(|&(_, node)| node).collect(),
            branches: branches.iter().map(|&branch| (branch, stand(branch))).collect(),
            shunts: shunts.collect(),
            y_own: rows.clone(),
            y_edge: vec![[zero; 2]; edges.len()],
            y_tie: vec![zero; ties.len()],
            scale: 1.0,
            version: 0,
            v: rows.clone(),
            v_tie: vec![zero; ties.len()],
            v_flat: rows.clone(),
            v_given: rows.clone(),
            s_power: rows.clone(),
            s_current: rows.clone(),
            s_impedance: rows.clone(),
            has_zip: false,
            q_is_given: vec![1.0; nodes.len()],
            has_held: false,
            dead: Vec::new(),
            s: rows,
            x: vec![[0.0; 2]; nodes.len()],
            rate: FIRST_RATE,
            lu,
            lu_version: None,
            linear: None,
            sweep: None,
        }
    }
    /// As if nothing had been solved yet, voltages aside.
    pub(crate) fn forget_factors(&mut self) {
        self.rate = FIRST_RATE;
        self.lu_version = None;
        self.linear = None;
        self.sweep = None;
    }
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.node.len()
    }
    /// Its factors' pattern, for figures of size.
    #[must_use]
    pub fn symbolic(&self) -> &crate::sparse::Symbolic {
        self.lu.symbolic()
    }
    /// Admittances from the tables as they stand; `y_branch` holds those of each branch.
    pub(crate) fn set_admittances(&mut self, grid: &Grid, y_branch: &[[Complex; 4]]) {
        let zero = Complex::new(0.0, 0.0);
        self.y_own.fill(zero);
        self.y_edge.fill([zero; 2]);
        self.y_tie.fill(zero);
        for &(branch, stand) in self.branches.iter().filter(|(branch, _)| grid.branches.is_in_service[*branch as usize])
        {
            let [ff, ft, tf, tt] = y_branch[branch as usize];
            match stand {
                Stand::Edge { edge, from, to } => {
                    self.y_own[from as usize] += ff;
                    self.y_own[to as usize] += tt;
                    let [first, second] = if from < to { [ft, tf] } else { [tf, ft] };
                    let pair = &mut self.y_edge[edge as usize];
                    *pair = [pair[0] + first, pair[1] + second];
                }
                Stand::Tie { tie, row, source_is_from } => {
                    let (own, across) = if source_is_from { (tt, tf) } else { (ff, ft) };
                    self.y_own[row as usize] += own;
                    self.y_tie[tie as usize] += across;
                }
                Stand::Loop { row } => self.y_own[row as usize] += ff + ft + tf + tt,
            }
        }
        for &(shunt, row) in self.shunts.iter().filter(|(shunt, _)| grid.shunts.is_in_service[*shunt as usize]) {
            let of = &grid.shunts;
            let power = Complex::new(of.p_w[shunt as usize], of.q_var[shunt as usize]);
            self.y_own[row as usize] += power / grid.base_va;
        }
        self.scale = self.y_own.iter().fold(1e-300, |scale, y| scale.max(y.norm()));
        self.version += 1;
    }
    /// Takes over which rows have a source and which hold their voltage, and their voltages without load. Rows that
    /// have a source again begin there.
    pub(crate) fn set_start(&mut self, grid: &Grid, topology: &Topology, flat: &[Complex]) {
        self.dead.clear();
        self.has_held = false;
        let mut is_changed = false;
        for (row, &node) in self.node.iter().enumerate() {
            let is_live = topology.is_energised[topology.island[node as usize] as usize];
            let held = is_live && topology.kind[node as usize] == BusKind::Pv;
            let q_is_given = if held { 0.0 } else { 1.0 };
            let v_flat = if is_live { flat[node as usize] } else { Complex::new(0.0, 0.0) };
            is_changed |=
                (self.q_is_given[row] - q_is_given).abs() > 0.0 || (self.v_flat[row] - v_flat).norm_sqr() > 0.0;
            (self.q_is_given[row], self.v_flat[row]) = (q_is_given, v_flat);
            self.has_held |= held;
            let bus = topology.bus_of_node[node as usize] as usize;
            let vm_pu = if held { v_flat.norm() } else { grid.buses.vm_pu[bus] };
            let given = Complex::from_polar(vm_pu, grid.buses.va_rad[bus]);
            self.v_given[row] = if is_live { given } else { v_flat };
            let v = self.v[row];
            if !is_live {
                self.dead.push(row as u32);
                self.v[row] = v_flat;
            } else if v.norm_sqr() <= 0.0 {
                self.v[row] = v_flat;
            } else if held {
                self.v[row] = v * (v_flat.norm() / v.norm());
            }
        }
        for (v, &node) in self.v_tie.iter_mut().zip(&self.tie_node) {
            is_changed |= (*v - flat[node as usize]).norm_sqr() > 0.0;
            *v = flat[node as usize];
        }
        self.version += u64::from(is_changed);
    }
}
