//! Power flow of a grid: from tables to voltages and flows, again and again while loads, generators, taps and
//! switches change. What depends on the pattern alone is worked out once; what a change invalidates is renewed at the
//! next solve, and no more:
//!
//! | change | renewed |
//! | --- | --- |
//! | loads, generators | powers of nodes |
//! | tap, shift, shunts | admittances of the part |
//! | a generator begins or ceases to hold its voltage | kinds of nodes |
//! | a branch that is or can be closed | admittances of the part, islands |
//! | a branch without impedance; one that could not close | everything, voltages are kept |
//!
//! Parts ([`Part`]) are independent solves, in parallel where asked, with the same bits on any number of threads.
//!
//! Contract: [`PowerFlow::solve`] does not allocate once solved, as long as topology stays and parts converge.

use super::grid::topology::{NONE, live_branches};
use super::grid::{Branch, BusKind, Complex, Grid, Part, Topology, check};
use super::newton::{self, NewtonSettings, PartOutcome};
use super::{linear, sweep};
use crate::sets::Sets;
use crate::snapshot::Snapshot;
use rayon::prelude::*;
use std::path::Path;
use urbis_core::Result;

/// Part number of slack nodes.
const SOURCE: u32 = u32::MAX;
/// Buses listed where a solve fails.
const WORST_BUSES: usize = 5;

/// How a grid is solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Newton's method.
    #[default]
    Newton,
    /// Backward/forward sweep where a part is radial and holds no voltage, Newton's method elsewhere.
    Sweep,
    /// Linear approximation around the voltages without load.
    Linear,
}

/// What did not come right at a bus.
#[derive(Clone, Debug, PartialEq)]
pub struct WorstBus {
    /// Name outside.
    pub id: String,
    /// Mismatch of active power, watts.
    pub p_w: f64,
    /// Mismatch of reactive power, var.
    pub q_var: f64,
}

/// How a solve ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Whether every part converged.
    pub is_converged: bool,
    /// Parts that did not.
    pub failed_parts: u32,
    /// Most steps of a part.
    pub iterations: u32,
    /// Factorings of all parts.
    pub factorings: u32,
    /// Largest mismatch, per unit; the best one reached where a part failed; NaN where powers are.
    pub mismatch_pu: f64,
    /// Of parts that failed, the buses of the largest mismatch, worst first.
    pub worst_buses: Vec<WorstBus>,
}

/// How the power fed in at a bus answers its voltage, beside what the tables state: `slope (|V| - vm_pu)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Response {
    /// Row of the bus.
    pub bus: u32,
    /// Voltage at which it adds nothing, per unit.
    pub vm_pu: f64,
    /// Active power fed in by voltage, watts per 1 per unit.
    pub p_slope_w: f64,
    /// Reactive power fed in by voltage, var per 1 per unit.
    pub q_slope_var: f64,
}

/// Power into a branch at its two ends; NaN where it has no impedance, as its flow does not follow from voltages.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BranchFlow {
    /// Active power into the from end, watts.
    pub p_from_w: f64,
    /// Reactive power into the from end, var.
    pub q_from_var: f64,
    /// Active power into the to end, watts.
    pub p_to_w: f64,
    /// Reactive power into the to end, var.
    pub q_to_var: f64,
    /// Current at the end where it is larger, per unit of base power over the end's nominal voltage.
    pub current_pu: f64,
}

/// A grid made ready to be solved.
#[derive(Clone, Debug)]
pub struct PowerFlow {
    grid: Grid,
    topology: Topology,
    parts: Vec<Part>,
    /// Part and row of each node; [`SOURCE`] and nothing at slack nodes.
    place: Vec<(u32, u32)>,
    /// Voltage without load of each node; that of slack nodes is their voltage.
    v_flat: Vec<Complex>,
    y_branch: Vec<[Complex; 4]>,
    /// Branches that have a place in the matrices.
    has_place: Vec<bool>,
    /// Generators that feed in as told although their bus is one that holds its voltage.
    is_limited: Vec<bool>,
    responses: Vec<Response>,
    outcomes: Vec<PartOutcome>,
    stale: Stale,
    /// Parts whose admittances are stale.
    is_touched: Vec<bool>,
}

/// What the next solve renews first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stale {
    Nothing,
    Powers,
    Admittances,
    Kinds,
    Islands,
    Pattern,
}

impl PowerFlow {
    /// Makes a grid ready. Voltages are those without load.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] with everything that [`check::check`] finds.
    pub fn new(grid: Grid) -> Result<Self> {
        check::check(&grid, Path::new("grid"))?;
        let mut flow = Self {
            topology: Topology::default(),
            parts: Vec::new(),
            place: Vec::new(),
            v_flat: Vec::new(),
            y_branch: Vec::new(),
            has_place: Vec::new(),
            is_limited: vec![false; grid.generators.len()],
            responses: Vec::new(),
            outcomes: Vec::new(),
            stale: Stale::Pattern,
            is_touched: Vec::new(),
            grid,
        };
        flow.refresh();
        Ok(flow)
    }
    /// The tables as they stand.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }
    /// Nodes and islands as branches stand at the last solve.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }
    /// The independent parts.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
    /// What became of each part at the last solve.
    #[must_use]
    pub fn outcomes(&self) -> &[PartOutcome] {
        &self.outcomes
    }
    /// Sets what loads draw at 1 per unit, watts and var, by row.
    pub fn set_loads(&mut self, p_w: &[f64], q_var: &[f64]) {
        self.grid.loads.p_w.copy_from_slice(p_w);
        self.grid.loads.q_var.copy_from_slice(q_var);
        self.stale = self.stale.max(Stale::Powers);
    }
    /// Sets what a load draws at 1 per unit.
    pub fn set_load(&mut self, load: u32, p_w: f64, q_var: f64) {
        self.grid.loads.p_w[load as usize] = p_w;
        self.grid.loads.q_var[load as usize] = q_var;
        self.stale = self.stale.max(Stale::Powers);
    }
    /// Sets what a generator feeds in; reactive power counts at PQ buses alone.
    pub fn set_generator(&mut self, generator: u32, p_w: f64, q_var: f64) {
        self.grid.generators.p_w[generator as usize] = p_w;
        self.grid.generators.q_var[generator as usize] = q_var;
        self.stale = self.stale.max(Stale::Powers);
    }
    /// Sets the voltage that a generator holds or, at a slack bus, states.
    pub fn set_generator_voltage(&mut self, generator: u32, vm_set_pu: f64) {
        self.grid.generators.vm_set_pu[generator as usize] = vm_set_pu;
        self.stale = self.stale.max(Stale::Islands);
    }
    /// Starts or stops a generator. The last one of a bus that holds its voltage leaves it a PQ bus.
    pub fn set_generator_in_service(&mut self, generator: u32, is_in_service: bool) {
        self.grid.generators.is_in_service[generator as usize] = is_in_service;
        self.stale = self.stale.max(Stale::Islands);
    }
    /// Whether a generator holds the voltage of its bus where that is held, as all do at first, or feeds in reactive
    /// power as told. A bus whose generators all do the latter is a PQ bus.
    pub fn set_generator_holding(&mut self, generator: u32, is_holding: bool) {
        let is_limited = &mut self.is_limited[generator as usize];
        if *is_limited == is_holding {
            *is_limited = !is_holding;
            self.stale = self.stale.max(Stale::Kinds);
        }
    }
    /// Sets what is fed in besides what the tables state, in proportion to voltages; none at first. The sources' nodes,
    /// whose voltage is given, answer nothing.
    pub fn set_responses(&mut self, responses: &[Response]) {
        if !(self.responses.is_empty() && responses.is_empty()) {
            self.responses.clear();
            self.responses.extend_from_slice(responses);
            self.stale = self.stale.max(Stale::Powers);
        }
    }
    /// Opens or closes a branch.
    pub fn set_branch_in_service(&mut self, branch: u32, is_in_service: bool) {
        let row = branch as usize;
        if self.grid.branches.is_in_service[row] != is_in_service {
            self.grid.branches.is_in_service[row] = is_in_service;
            self.touch(self.grid.branches.from[row]);
            self.touch(self.grid.branches.to[row]);
            self.stale = self.stale.max(if self.has_place[row] { Stale::Islands } else { Stale::Pattern });
        }
    }
    /// Sets the tap of a transformer.
    pub fn set_tap(&mut self, branch: u32, ratio: f64, shift_rad: f64) {
        let row = branch as usize;
        self.grid.branches.ratio[row] = ratio;
        let is_turned = (self.grid.branches.shift_rad[row] - shift_rad).abs() > 0.0;
        self.grid.branches.shift_rad[row] = shift_rad;
        self.y_branch[row] = self.grid.branches.row(row).admittances();
        self.touch(self.grid.branches.from[row]);
        self.touch(self.grid.branches.to[row]);
        self.stale = self.stale.max(if is_turned { Stale::Islands } else { Stale::Admittances });
    }
    /// Sets tap, impedance and shunts of a transformer to those of a row; its ends, rating and state stay.
    pub fn set_transformer(&mut self, branch: u32, to: &Branch) {
        let (of, row) = (&mut self.grid.branches, branch as usize);
        (of.r_pu[row], of.x_pu[row]) = (to.r_pu, to.x_pu);
        (of.g_from_pu[row], of.b_from_pu[row]) = (to.g_from_pu, to.b_from_pu);
        (of.g_to_pu[row], of.b_to_pu[row]) = (to.g_to_pu, to.b_to_pu);
        self.set_tap(branch, to.ratio, to.shift_rad);
    }
    /// Sets what a shunt takes and feeds in at 1 per unit, watts and var.
    pub fn set_shunt(&mut self, shunt: u32, p_w: f64, q_var: f64) {
        self.grid.shunts.p_w[shunt as usize] = p_w;
        self.grid.shunts.q_var[shunt as usize] = q_var;
        self.touch(self.grid.shunts.bus[shunt as usize]);
        self.stale = self.stale.max(Stale::Admittances);
    }
    /// Switches a shunt.
    pub fn set_shunt_in_service(&mut self, shunt: u32, is_in_service: bool) {
        self.grid.shunts.is_in_service[shunt as usize] = is_in_service;
        self.touch(self.grid.shunts.bus[shunt as usize]);
        self.stale = self.stale.max(Stale::Admittances);
    }
    /// Solves part after part.
    pub fn solve(&mut self, method: Method, settings: &NewtonSettings) -> Outcome {
        self.refresh();
        for (part, outcome) in self.parts.iter_mut().zip(&mut self.outcomes) {
            *outcome = solve_part(part, method, settings);
        }
        self.outcome()
    }
    /// Solves parts in parallel, with the same result. Worth it for parts of thousands of buses; smaller ones are solved
    /// sooner than they are handed out, and threads are better spent on ticks or scenarios.
    pub fn solve_parallel(&mut self, method: Method, settings: &NewtonSettings) -> Outcome {
        self.refresh();
        self.parts
            .par_iter_mut()
            .zip(&mut self.outcomes)
            .for_each(|(part, outcome)| *outcome = solve_part(part, method, settings));
        self.outcome()
    }

    /// Remembers that admittances at a bus change.
    fn touch(&mut self, bus: u32) {
        let node = self.topology.node(bus);
        if node != NONE && self.place[node as usize].0 != SOURCE {
            self.is_touched[self.place[node as usize].0 as usize] = true;
        }
    }
    fn outcome(&mut self) -> Outcome {
        let mut all = Outcome { is_converged: true, ..Outcome::default() };
        for outcome in &self.outcomes {
            all.is_converged &= outcome.is_converged;
            all.failed_parts += u32::from(!outcome.is_converged);
            all.iterations = all.iterations.max(outcome.iterations);
            all.factorings += outcome.factorings;
            let keeps = all.mismatch_pu.is_nan() || outcome.mismatch_pu <= all.mismatch_pu;
            all.mismatch_pu = if keeps { all.mismatch_pu } else { outcome.mismatch_pu };
        }
        if !all.is_converged {
            all.worst_buses = self.worst_buses();
        }
        all
    }
    fn worst_buses(&mut self) -> Vec<WorstBus> {
        let mut worst: Vec<(f64, u32, [f64; 2])> = Vec::new();
        for (part, _) in self.parts.iter_mut().zip(&self.outcomes).filter(|(_, outcome)| !outcome.is_converged) {
            newton::evaluate(part, false);
            // A sum, as a power that is not a number is to come first.
            let of = |(x, &node): (&[f64; 2], &u32)| (x[0].abs() + x[1].abs(), node, *x);
            worst.extend(part.x.iter().zip(&part.node).map(of));
            worst.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            worst.truncate(WORST_BUSES);
        }
        let base = self.grid.base_va;
        let named = worst.into_iter().map(|(_, node, x)| WorstBus {
            id: self.grid.buses.id[self.topology.bus_of_node[node as usize] as usize].clone(),
            p_w: x[0] * base,
            q_var: x[1] * base,
        });
        named.collect()
    }

    /// Lets the next solve depend on tables and voltages alone, not on factors and rates that earlier ones left.
    pub fn forget_factors(&mut self) {
        for part in &mut self.parts {
            part.forget_factors();
        }
    }
    /// The voltages that a solve starts from and leaves; see [`Snapshot`]. Tables and topology are to be as they were.
    pub fn snapshot(&mut self, of: &mut Snapshot) {
        self.refresh();
        for v in self.parts.iter_mut().flat_map(|part| &mut part.v) {
            of.number(&mut v.re);
            of.number(&mut v.im);
        }
    }

    /// Renews who has a source after switches were moved, without a solve.
    pub fn update(&mut self) {
        self.refresh();
    }

    fn refresh(&mut self) {
        if self.stale == Stale::Pattern {
            self.analyse();
        } else if self.stale >= Stale::Islands {
            self.topology.find_islands(&self.grid);
        }
        if self.stale >= Stale::Kinds {
            self.settle_kinds();
            if self.stale >= Stale::Islands {
                self.find_flat_voltages();
            }
            for part in &mut self.parts {
                part.set_start(&self.grid, &self.topology, &self.v_flat);
            }
        }
        if self.stale >= Stale::Admittances {
            for (part, is_touched) in self.parts.iter_mut().zip(&mut self.is_touched) {
                if std::mem::take(is_touched) {
                    part.set_admittances(&self.grid, &self.y_branch);
                }
            }
        }
        if self.stale >= Stale::Powers {
            self.gather_powers();
        }
        self.stale = Stale::Nothing;
    }
    /// Everything that follows from which branches there are. Voltages are kept.
    fn analyse(&mut self) {
        let grid = &self.grid;
        let before: Vec<Complex> = (0..self.topology.node_of_bus.len() as u32).map(|bus| self.voltage(bus)).collect();
        let topology = Topology::new(grid);
        self.y_branch = (0..grid.branches.len()).map(|row| grid.branches.row(row).admittances()).collect();
        let nodes = topology.bus_of_node.len();
        let of = &grid.branches;
        let node = |bus: u32| topology.node(bus);
        let is_none: Vec<bool> = (0..of.len()).map(|row| of.row(row).has_no_impedance()).collect();
        let has_place = |row: usize| {
            let may_close = of.is_in_service[row] || of.can_close[row];
            node(of.from[row]) != NONE && node(of.to[row]) != NONE && may_close && !is_none[row]
        };
        self.has_place = (0..of.len()).map(has_place).collect();
        let is_merged = |row: usize| {
            is_none[row]
                && of.is_in_service[row]
                && node(of.from[row]) == node(of.to[row])
                && node(of.from[row]) != NONE
        };
        let is_source = |node: u32| topology.kind[node as usize] == BusKind::Slack;
        let mut sets = Sets::new(nodes);
        let mut placed: Vec<(u32, u32, u32)> = Vec::new();
        for row in (0..of.len()).filter(|&row| self.has_place[row] || is_merged(row)) {
            let (a, b) = (node(of.from[row]), node(of.to[row]));
            placed.push((row as u32, a, b));
            if !is_source(a) && !is_source(b) {
                sets.join(a, b);
            }
        }
        self.place = vec![(SOURCE, 0); nodes];
        let mut part_of_root = vec![NONE; nodes];
        let mut members: Vec<Vec<u32>> = Vec::new();
        for node in (0..nodes as u32).filter(|&node| !is_source(node)) {
            let root = sets.root(node) as usize;
            if part_of_root[root] == NONE {
                part_of_root[root] = members.len() as u32;
                members.push(Vec::new());
            }
            let part = part_of_root[root];
            self.place[node as usize] = (part, members[part as usize].len() as u32);
            members[part as usize].push(node);
        }
        let mut branches: Vec<Vec<u32>> = vec![Vec::new(); members.len()];
        for (row, a, b) in placed {
            let part = self.place[a as usize].0.min(self.place[b as usize].0);
            if part != SOURCE {
                branches[part as usize].push(row);
            }
        }
        let place = &mut self.place;
        let build = |(number, (nodes, branches)): (usize, (&Vec<u32>, &Vec<u32>))| {
            Part::new(grid, &topology, number as u32, nodes, place, branches)
        };
        self.parts = members.iter().zip(&branches).enumerate().map(build).collect();
        self.outcomes = vec![PartOutcome::default(); self.parts.len()];
        self.is_touched = vec![true; self.parts.len()];
        for part in &mut self.parts {
            for (v, &node) in part.v.iter_mut().zip(&part.node) {
                *v = before.get(topology.bus_of_node[node as usize] as usize).copied().unwrap_or_default();
            }
        }
        self.v_flat = vec![Complex::new(0.0, 0.0); nodes];
        self.topology = topology;
    }
    /// A bus holds its voltage while a generator runs there.
    fn settle_kinds(&mut self) {
        let (grid, topology) = (&self.grid, &mut self.topology);
        topology.kind.iter_mut().filter(|kind| **kind == BusKind::Pv).for_each(|kind| *kind = BusKind::Pq);
        for (row, &bus) in grid.generators.bus.iter().enumerate() {
            let node = topology.node_of_bus[bus as usize];
            let may_hold = grid.generators.is_in_service[row] && grid.buses.kind[bus as usize] == BusKind::Pv;
            let holds = may_hold && !self.is_limited[row];
            if node != NONE && holds && topology.kind[node as usize] == BusKind::Pq {
                topology.kind[node as usize] = BusKind::Pv;
            }
        }
    }
    /// Voltages without load: magnitudes as held or one per unit, angles as transformers turn them on the way from a
    /// source.
    fn find_flat_voltages(&mut self) {
        let (grid, topology) = (&self.grid, &self.topology);
        let nodes = self.v_flat.len();
        let mut magnitude = vec![1.0; nodes];
        let mut angle = vec![f64::NAN; nodes];
        let mut queue = std::collections::VecDeque::new();
        for (bus, &kind) in grid.buses.kind.iter().enumerate() {
            let node = topology.node_of_bus[bus];
            if kind == BusKind::Slack && node != NONE {
                magnitude[node as usize] = grid.buses.vm_pu[bus];
                if angle[node as usize].is_nan() {
                    queue.push_back(node);
                }
                angle[node as usize] = grid.buses.va_rad[bus];
            }
        }
        for (row, &bus) in grid.generators.bus.iter().enumerate() {
            let node = topology.node_of_bus[bus as usize];
            let states = grid.generators.is_in_service[row] && grid.buses.kind[bus as usize] != BusKind::Pq;
            if states && node != NONE {
                magnitude[node as usize] = grid.generators.vm_set_pu[row];
            }
        }
        let ends: Vec<(u32, (u32, f64))> = live_branches(grid)
            .flat_map(|row| {
                let (a, b) = (topology.node(grid.branches.from[row]), topology.node(grid.branches.to[row]));
                let shift = grid.branches.shift_rad[row];
                [(a, (b, -shift)), (b, (a, shift))]
            })
            .collect();
        let neighbours = urbis_core::csr::Csr::from_pairs(nodes, &ends);
        while let Some(node) = queue.pop_front() {
            for &(next, turn) in neighbours.row(node as usize) {
                if angle[next as usize].is_nan() {
                    angle[next as usize] = angle[node as usize] + turn;
                    queue.push_back(next);
                }
            }
        }
        for (node, flat) in self.v_flat.iter_mut().enumerate() {
            let angle = angle[node];
            *flat = if angle.is_nan() { Complex::new(0.0, 0.0) } else { Complex::from_polar(magnitude[node], angle) };
        }
    }
    /// Sums what is fed in and drawn at each node, in order of generators and loads.
    fn gather_powers(&mut self) {
        let zero = Complex::new(0.0, 0.0);
        let per_unit = 1.0 / self.grid.base_va;
        for part in &mut self.parts {
            part.s_power.fill(zero);
            if std::mem::take(&mut part.has_zip) {
                part.s_current.fill(zero);
                part.s_impedance.fill(zero);
            }
        }
        let (place, node_of_bus, parts) = (&self.place, &self.topology.node_of_bus, &mut self.parts);
        let at = |bus: u32| {
            let node = node_of_bus[bus as usize];
            let (part, row) = if node == NONE { (SOURCE, 0) } else { place[node as usize] };
            (part != SOURCE).then_some((part as usize, row as usize))
        };
        let of = &self.grid.generators;
        for generator in (0..of.len()).filter(|&generator| of.is_in_service[generator]) {
            if let Some((part, row)) = at(of.bus[generator]) {
                let power = Complex::new(of.p_w[generator], of.q_var[generator]);
                parts[part].s_power[row] += power * per_unit;
            }
        }
        let of = &self.grid.loads;
        for load in (0..of.len()).filter(|&load| of.is_in_service[load]) {
            if let Some((part, row)) = at(of.bus[load]) {
                let power = Complex::new(of.p_w[load], of.q_var[load]) * per_unit;
                let (current, impedance) = (of.current_share[load], of.impedance_share[load]);
                let part = &mut parts[part];
                if current > 0.0 || impedance > 0.0 {
                    part.has_zip = true;
                    part.s_current[row] -= power * current;
                    part.s_impedance[row] -= power * impedance;
                    part.s_power[row] -= power * (1.0 - current - impedance);
                } else {
                    part.s_power[row] -= power;
                }
            }
        }
        for of in &self.responses {
            if let Some((part, row)) = at(of.bus) {
                let slope = Complex::new(of.p_slope_w, of.q_slope_var) * per_unit;
                let part = &mut parts[part];
                part.has_zip = true;
                part.s_current[row] += slope;
                part.s_power[row] -= slope * of.vm_pu;
            }
        }
        // What has no source draws and feeds in nothing.
        for part in parts {
            for &row in &part.dead {
                for powers in [&mut part.s_power, &mut part.s_current, &mut part.s_impedance] {
                    powers[row as usize] = zero;
                }
            }
        }
    }

    /// Voltage of a bus, per unit; zero where it has no source.
    #[must_use]
    pub fn voltage(&self, bus: u32) -> Complex {
        match self.topology.node_of_bus[bus as usize] {
            NONE => Complex::new(0.0, 0.0),
            node => match self.place[node as usize] {
                (SOURCE, _) => self.v_flat[node as usize],
                (part, row) => self.parts[part as usize].v[row as usize],
            },
        }
    }
    /// Whether a bus is in service and joined to a source.
    #[must_use]
    pub fn is_energised(&self, bus: u32) -> bool {
        self.topology.is_bus_energised(bus)
    }
    /// Reactive power that nodes need for the voltage they hold beyond what their tables state, var; nothing at others.
    /// Shape: nodes.
    pub fn missing_reactive(&mut self, var: &mut Vec<f64>) {
        var.clear();
        var.resize(self.topology.bus_of_node.len(), 0.0);
        for part in self.parts.iter_mut().filter(|part| part.has_held) {
            newton::evaluate(part, false);
            for (row, &node) in part.node.iter().enumerate().filter(|&(row, _)| part.q_is_given[row] <= 0.0) {
                let mut given = part.s_power[row];
                if part.has_zip {
                    let vm = part.v[row].norm();
                    given += part.s_current[row] * vm + part.s_impedance[row] * (vm * vm);
                }
                var[node as usize] = (part.s[row].im - given.im) * self.grid.base_va;
            }
        }
    }
    /// Whether the voltage of a bus is given, so that power follows.
    #[must_use]
    pub fn is_source(&self, bus: u32) -> bool {
        let node = self.topology.node(bus);
        node != NONE && self.place[node as usize].0 == SOURCE
    }
    /// What a load draws at its voltage, watts and var; nothing where it is off or has no source.
    #[must_use]
    pub fn load_power(&self, load: u32) -> (f64, f64) {
        let (of, row) = (&self.grid.loads, load as usize);
        if !of.is_in_service[row] || !self.is_energised(of.bus[row]) {
            return (0.0, 0.0);
        }
        let vm = self.voltage(of.bus[row]).norm();
        let (current, impedance) = (of.current_share[row], of.impedance_share[row]);
        let share = 1.0 - current - impedance + current * vm + impedance * vm * vm;
        (of.p_w[row] * share, of.q_var[row] * share)
    }
    /// Current of a branch against its rating, percent; NaN where no rating is known or it has no impedance.
    #[must_use]
    pub fn loading_percent(&self, branch: u32) -> f64 {
        let rating_va = self.grid.branches.rating_va[branch as usize];
        if rating_va > 0.0 {
            100.0 * self.branch_flow(branch).current_pu * self.grid.base_va / rating_va
        } else {
            f64::NAN
        }
    }
    /// Takes over the voltages of the same grid in another state, to begin the next solve with.
    pub fn take_voltages(&mut self, other: &Self) {
        for (part, of_other) in self.parts.iter_mut().zip(&other.parts) {
            part.v.copy_from_slice(&of_other.v);
        }
    }
    /// Magnitude and angle of every bus, per unit and radians. Shape: buses. Zero where a bus has no source.
    pub fn voltages(&self, vm_pu: &mut [f64], va_rad: &mut [f64]) {
        for (bus, (vm, va)) in vm_pu.iter_mut().zip(va_rad).enumerate() {
            let v = self.voltage(bus as u32);
            (*vm, *va) = (v.norm(), v.arg());
        }
    }
    /// Power into a branch at its ends; nothing where it is open.
    #[must_use]
    pub fn branch_flow(&self, branch: u32) -> BranchFlow {
        let (of, row) = (&self.grid.branches, branch as usize);
        let (from, to) = (of.from[row], of.to[row]);
        if !of.is_in_service[row] || self.topology.node(from) == NONE || self.topology.node(to) == NONE {
            return BranchFlow::default();
        }
        if of.r_pu[row].hypot(of.x_pu[row]) < super::grid::tables::ZERO_IMPEDANCE_PU {
            let nan = f64::NAN;
            return BranchFlow { p_from_w: nan, q_from_var: nan, p_to_w: nan, q_to_var: nan, current_pu: nan };
        }
        let (a, b) = (self.voltage(from), self.voltage(to));
        let [ff, ft, tf, tt] = self.y_branch[row];
        let (into_from, into_to) = (ff * a + ft * b, tf * a + tt * b);
        let base = self.grid.base_va;
        let (at_from, at_to) = (a * into_from.conj() * base, b * into_to.conj() * base);
        BranchFlow {
            p_from_w: at_from.re,
            q_from_var: at_from.im,
            p_to_w: at_to.re,
            q_to_var: at_to.im,
            current_pu: into_from.norm().max(into_to.norm()),
        }
    }
    /// Active power that branches and shunts take, watts, branches and shunts apart.
    #[must_use]
    pub fn losses_w(&self) -> (f64, f64) {
        let of_branch = |row: usize| {
            let flow = self.branch_flow(row as u32);
            if flow.p_from_w.is_nan() { 0.0 } else { flow.p_from_w + flow.p_to_w }
        };
        let of = &self.grid.shunts;
        let of_shunt = |row: usize| of.p_w[row] * self.voltage(of.bus[row]).norm_sqr();
        let branches = (0..self.grid.branches.len()).map(of_branch).fold(0.0, std::ops::Add::add);
        (branches, (0..of.len()).filter(|&row| of.is_in_service[row]).map(of_shunt).fold(0.0, std::ops::Add::add))
    }
    /// Power that a slack bus's node feeds into the grid and its own loads, watts and var: what the source gives.
    /// Generators there are part of it.
    #[must_use]
    pub fn source_power(&self, bus: u32) -> (f64, f64) {
        let node = self.topology.node(bus);
        let mut power = Complex::new(0.0, 0.0);
        for row in live_branches(&self.grid) {
            let flow = self.branch_flow(row as u32);
            let is_here = |end: u32| self.topology.node(end) == node;
            if flow.p_from_w.is_nan() {
                continue;
            }
            if is_here(self.grid.branches.from[row]) {
                power += Complex::new(flow.p_from_w, flow.q_from_var);
            }
            if is_here(self.grid.branches.to[row]) {
                power += Complex::new(flow.p_to_w, flow.q_to_var);
            }
        }
        let vm = self.voltage(bus).norm();
        let of = &self.grid.shunts;
        for row in (0..of.len()).filter(|&row| of.is_in_service[row] && self.topology.node(of.bus[row]) == node) {
            power += Complex::new(of.p_w[row], -of.q_var[row]) * (vm * vm);
        }
        let of = &self.grid.loads;
        for row in (0..of.len()).filter(|&row| self.topology.node(of.bus[row]) == node) {
            let (p_w, q_var) = self.load_power(row as u32);
            power += Complex::new(p_w, q_var);
        }
        (power.re, power.im)
    }
}

fn solve_part(part: &mut Part, method: Method, settings: &NewtonSettings) -> PartOutcome {
    match method {
        Method::Newton => newton::solve_part(part, settings),
        Method::Sweep => sweep::solve_part(part, settings).unwrap_or_else(|| newton::solve_part(part, settings)),
        Method::Linear => linear::solve_part(part),
    }
}
