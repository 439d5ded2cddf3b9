//! Limits of reactive power. Generators that hold a voltage share what their node needs: in proportion to their ranges, so
//! that all of a node meet their limits at once; of those without a limit in equal parts, beside which the others give
//! none where they may. Where a node needs more than all may give, or less, they feed in what they may and the voltage
//! follows; where it then comes to the other side of the set point, they hold it again.
//!
//! Limits are met first, those of all nodes at once, as MATPOWER does (option `pf.enforce_q_lims = 1`); only then are
//! voltages taken up again, which MATPOWER never does. A generator that does so too often in one solve stays at its limit.
//! A grid that does not converge on the way begins again with all voltages held, and goes to one node's limit at a time,
//! the most exceeded one first (`pf.enforce_q_lims = 2`).
//! Generators at slack buses are not limited.
//!
//! Source: R. D. Zimmerman, C. E. Murillo-Sanchez, MATPOWER User's Manual, section on AC power flow; the rule of return as
//! in B. Stott, Review of load-flow calculation methods, Proc. IEEE 62 (1974).
//! Contract: no allocation while nothing moves.

use crate::power::BusKind;
use crate::power::flow::PowerFlow;

/// Where a generator stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limit {
    /// It holds its voltage, if that is held at its bus.
    #[default]
    None,
    /// At its least reactive power.
    AtMin,
    /// At its most reactive power.
    AtMax,
}

/// What the generators of a node may do.
#[derive(Clone, Copy, Debug, Default)]
struct NodeSum {
    q_told_var: f64,
    min_var: f64,
    max_var: f64,
    holding: u32,
    unlimited: u32,
    vm_set_pu: f64,
    /// What the limited ones of those beside unlimited ones give.
    beside_var: f64,
}

/// How far limits and voltages may be exceeded, and how often a generator may return.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) q_tolerance_var: f64,
    pub(super) vm_tolerance_pu: f64,
    pub(super) max_returns: u32,
    /// Whether the most exceeded node alone comes to its limits.
    pub(super) is_gentle: bool,
}

/// What became of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    /// Generators that came to a limit.
    pub(super) limited: u32,
    /// Generators that hold their voltage again.
    pub(super) returned: u32,
    /// Generators that should and may not any more.
    pub(super) stuck: u32,
}

/// Where generators stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    pub(super) limit: Vec<Limit>,
    /// Reactive power of each generator that holds a voltage at the last check, or is at a limit, var.
    pub(super) q_var: Vec<f64>,
    returns: Vec<u32>,
    missing_var: Vec<f64>,
    sums: Vec<NodeSum>,
}

impl Limits {
    pub(super) fn new(flow: &PowerFlow) -> Self {
        let (rows, nodes) = (flow.grid().generators.len(), flow.topology().bus_of_node.len());
        Self {
            limit: vec![Limit::None; rows],
            q_var: flow.grid().generators.q_var.clone(),
            returns: vec![0; rows],
            missing_var: Vec::with_capacity(nodes),
            sums: Vec::with_capacity(nodes),
        }
    }
    /// Forgets how often generators returned, and has those at a limit feed in what that is, whatever was set since.
    pub(super) fn begin(&mut self, flow: &mut PowerFlow) {
        self.returns.fill(0);
        for row in (0..self.limit.len()).filter(|&row| self.limit[row] != Limit::None) {
            let (p_w, q_var) = (flow.grid().generators.p_w[row], self.q_var[row]);
            flow.set_generator(row as u32, p_w, q_var);
        }
    }
    /// Whether any generator is at a limit.
    pub(super) fn has_any(&self) -> bool {
        self.limit.iter().any(|limit| *limit != Limit::None)
    }
    /// Lets all hold their voltage.
    pub(super) fn reset(&mut self, flow: &mut PowerFlow) {
        self.returns.fill(0);
        for (row, limit) in self.limit.iter_mut().enumerate() {
            *limit = Limit::None;
            flow.set_generator_holding(row as u32, true);
        }
    }
    /// Checks the limits of a solved grid and moves what has to move.
    pub(super) fn check(&mut self, flow: &mut PowerFlow, rule: Rule) -> Moves {
        flow.missing_reactive(&mut self.missing_var);
        self.sum(flow);
        let mut moves = Moves::default();
        let only = if rule.is_gentle { self.most_exceeded(rule.q_tolerance_var) } else { None };
        for row in 0..self.limit.len() {
            let Some(node) = node_of(flow, row).filter(|_| self.limit[row] == Limit::None) else { continue };
            if only.is_some_and(|only| only != node) {
                continue;
            }
            let sum = self.sums[node];
            let need = self.missing_var[node] + sum.q_told_var;
            let generators = &flow.grid().generators;
            let (min, max, p_w) = (generators.q_min_var[row], generators.q_max_var[row], generators.p_w[row]);
            let (limit, q_var) = if need > sum.max_var + rule.q_tolerance_var {
                (Limit::AtMax, max)
            } else if need < sum.min_var - rule.q_tolerance_var {
                (Limit::AtMin, min)
            } else {
                self.q_var[row] = share(&sum, need, min, max);
                continue;
            };
            (self.limit[row], self.q_var[row]) = (limit, q_var);
            moves.limited += 1;
            flow.set_generator(row as u32, p_w, q_var);
            flow.set_generator_holding(row as u32, false);
        }
        if moves.limited == 0 {
            self.give_back(flow, rule, &mut moves);
        }
        moves
    }
    /// The node whose need is furthest from what its generators may give, the first of several; none where none is.
    fn most_exceeded(&self, tolerance_var: f64) -> Option<usize> {
        let mut most: Option<(usize, f64)> = None;
        for (node, sum) in self.sums.iter().enumerate().filter(|(_, sum)| sum.holding > 0) {
            let need = self.missing_var[node] + sum.q_told_var;
            let beyond_var = (need - sum.max_var).max(sum.min_var - need);
            if beyond_var > most.map_or(tolerance_var, |(_, most)| most) {
                most = Some((node, beyond_var));
            }
        }
        most.map(|(node, _)| node)
    }
    /// Lets those hold their voltage again that can.
    fn give_back(&mut self, flow: &mut PowerFlow, rule: Rule, moves: &mut Moves) {
        for row in 0..self.limit.len() {
            let Some(node) = node_of(flow, row).filter(|_| self.limit[row] != Limit::None) else { continue };
            let above_pu = flow.voltage(flow.grid().generators.bus[row]).norm() - self.sums[node].vm_set_pu;
            let beyond_pu = if self.limit[row] == Limit::AtMax { above_pu } else { -above_pu };
            if beyond_pu <= rule.vm_tolerance_pu {
                continue;
            }
            if self.returns[row] >= rule.max_returns {
                moves.stuck += 1;
                continue;
            }
            self.returns[row] += 1;
            self.limit[row] = Limit::None;
            moves.returned += 1;
            flow.set_generator_holding(row as u32, true);
        }
    }
    fn sum(&mut self, flow: &PowerFlow) {
        self.sums.clear();
        self.sums.resize(self.missing_var.len(), NodeSum::default());
        let of = &flow.grid().generators;
        for row in 0..self.limit.len() {
            let Some(node) = node_of(flow, row) else { continue };
            let sum = &mut self.sums[node];
            sum.vm_set_pu = of.vm_set_pu[row];
            if self.limit[row] == Limit::None {
                sum.q_told_var += of.q_var[row];
                sum.min_var += of.q_min_var[row];
                sum.max_var += of.q_max_var[row];
                sum.holding += 1;
                match is_unlimited(of.q_min_var[row], of.q_max_var[row]) {
                    true => sum.unlimited += 1,
                    false => sum.beside_var += 0.0_f64.clamp(of.q_min_var[row], of.q_max_var[row]),
                }
            }
        }
    }
}

fn is_unlimited(min_var: f64, max_var: f64) -> bool {
    min_var.is_infinite() || max_var.is_infinite()
}

/// What a generator gives of what its node needs.
fn share(sum: &NodeSum, need: f64, min: f64, max: f64) -> f64 {
    if sum.unlimited > 0 {
        return match is_unlimited(min, max) {
            true => (need - sum.beside_var) / f64::from(sum.unlimited),
            false => 0.0_f64.clamp(min, max),
        };
    }
    let range = sum.max_var - sum.min_var;
    if range > 0.0 { min + (need - sum.min_var) * (max - min) / range } else { need / f64::from(sum.holding) }
}

/// Node of a generator whose reactive power follows from a voltage it holds, or would if it were not at a limit.
fn node_of(flow: &PowerFlow, generator: usize) -> Option<usize> {
    let of = &flow.grid().generators;
    let bus = of.bus[generator];
    let holds = of.is_in_service[generator] && flow.grid().buses.kind[bus as usize] == BusKind::Pv;
    (holds && flow.is_energised(bus) && !flow.is_source(bus)).then(|| flow.topology().node(bus) as usize)
}
