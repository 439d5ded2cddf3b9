//! Inverters whose power follows the voltage. Near a voltage `u`, what one feeds in is `S(u) + S'(u) (|V| - u)`: to the
//! solve that is a constant power and a constant current ([`Response`]), so the slopes are in its Jacobian. Solves at the
//! voltages that the last one found are Newton's method on curves of straight lines; it ends when voltages agree with those
//! that the curves were read at, where the tables hold what is fed in. Steps that do not shrink are halved.
//!
//! Ignored: response times, dead times. Contract: no allocation once warm.

use super::tables::{ControlTables, Priority, ReactiveLaw};
use crate::power::elements::GridRow;
use crate::power::flow::{Outcome, PowerFlow, Response};

/// Least share of a step that is taken.
const SHORTEST: f64 = 1.0 / 64.0;

/// What an inverter feeds in, and how that goes with the voltage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Feed {
    /// Active power, watts.
    pub p_w: f64,
    /// Reactive power, var.
    pub q_var: f64,
    /// Slope of active power, watts per 1 per unit of voltage.
    pub p_slope_w: f64,
    /// Slope of reactive power, var per 1 per unit of voltage.
    pub q_slope_var: f64,
}

/// What an inverter feeds in at a voltage, per unit. The slope of a power factor that follows active power is not counted.
#[must_use]
pub fn feed(tables: &ControlTables, inverter: u32, vm_pu: f64) -> Feed {
    let (of, row) = (&tables.inverters, inverter as usize);
    let s_va = of.s_rated_va[row];
    let curve = |curve: u32, x: f64| tables.curves[curve as usize].at(x);
    let (mut p, mut dp) = (of.p_available_w[row], 0.0);
    if let Some(of_curve) = of.p_curve[row] {
        let (share, slope) = curve(of_curve, vm_pu);
        if share * of.p_rated_w[row] < p {
            (p, dp) = (share * of.p_rated_w[row], slope * of.p_rated_w[row]);
        }
    }
    let by_factor = |cos_phi: f64, is_overexcited: bool| {
        let tan = (1.0 - cos_phi * cos_phi).max(0.0).sqrt() / cos_phi;
        let tan = if is_overexcited { tan } else { -tan };
        (p * tan, dp * tan)
    };
    let (mut q, mut dq) = match of.law[row] {
        ReactiveLaw::Fixed(q_var) => (q_var, 0.0),
        ReactiveLaw::PowerFactor { cos_phi, is_overexcited } => by_factor(cos_phi, is_overexcited),
        ReactiveLaw::PowerFactorOfPower { curve: of_curve, is_overexcited } => {
            by_factor(curve(of_curve, p / of.p_rated_w[row]).0, is_overexcited)
        }
        ReactiveLaw::OfVoltage { curve: of_curve } => {
            let (share, slope) = curve(of_curve, vm_pu);
            (share * s_va, slope * s_va)
        }
    };
    let n = p.hypot(q);
    if n > s_va {
        match of.priority[row] {
            Priority::Reactive => (p, dp, q, dq) = within(s_va, q, dq, p),
            Priority::Active => (q, dq, p, dp) = within(s_va, p, dp, q),
            Priority::PowerFactor => {
                let dn = (p * dp + q * dq) / n;
                (dp, dq) = (s_va * (dp - p * dn / n) / n, s_va * (dq - q * dn / n) / n);
                (p, q) = (p * s_va / n, q * s_va / n);
            }
        }
    }
    Feed { p_w: p, q_var: q, p_slope_w: dp, q_slope_var: dq }
}

/// What is left for one power beside the other, with slopes: the one that gives way first.
fn within(s_va: f64, first: f64, slope: f64, other: f64) -> (f64, f64, f64, f64) {
    let kept = first.clamp(-s_va, s_va);
    let slope = if first.abs() > s_va { 0.0 } else { slope };
    let left = (s_va * s_va - kept * kept).max(0.0).sqrt().copysign(other);
    let of_left = if left.abs() > 0.0 { -kept * slope / left } else { 0.0 };
    (left, of_left, kept, slope)
}

/// How the rounds of inverters ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rounds {
    pub(super) is_settled: bool,
    /// Largest difference of voltages between the last two rounds, per unit.
    pub(super) vm_change_pu: f64,
}

/// Voltages at which curves are read, and the responses there.
#[derive(Clone, Debug, Default)]
pub(super) struct Followers {
    vm_pu: Vec<f64>,
    responses: Vec<Response>,
}

impl Followers {
    pub(super) fn new(tables: &ControlTables) -> Self {
        let rows = tables.inverters.len();
        Self { vm_pu: vec![0.0; rows], responses: vec![Response::default(); rows] }
    }
    /// Solves until voltages stay.
    pub(super) fn solve(
        &mut self,
        flow: &mut PowerFlow,
        tables: &ControlTables,
        (tolerance_pu, rounds): (f64, u32),
        solve: &mut dyn FnMut(&mut PowerFlow) -> Outcome,
    ) -> (Outcome, Rounds) {
        let of = &tables.inverters;
        if of.is_empty() {
            return (solve(flow), Rounds { is_settled: true, vm_change_pu: 0.0 });
        }
        for (row, vm_pu) in self.vm_pu.iter_mut().enumerate() {
            *vm_pu = flow.voltage(bus_of(flow, of.row[row])).norm();
        }
        let mut ended = Rounds { is_settled: false, vm_change_pu: f64::INFINITY };
        let (mut length, mut round) = (1.0_f64, 0);
        loop {
            self.put(flow, tables);
            let outcome = solve(flow);
            round += 1;
            if !outcome.is_converged {
                return (outcome, ended);
            }
            let mut change = 0.0_f64;
            for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
                change = change.max((flow.voltage(bus_of(flow, of.row[row])).norm() - self.vm_pu[row]).abs());
            }
            if round > 2 && change > 0.7 * ended.vm_change_pu {
                length = (0.5 * length).max(SHORTEST);
            } else {
                length = (2.0 * length).min(1.0);
            }
            ended = Rounds { is_settled: change <= tolerance_pu, vm_change_pu: change };
            if ended.is_settled || round >= rounds {
                return (outcome, ended);
            }
            for (row, vm_pu) in self.vm_pu.iter_mut().enumerate() {
                *vm_pu += length * (flow.voltage(bus_of(flow, of.row[row])).norm() - *vm_pu);
            }
        }
    }
    /// Puts what is fed in at the voltages at hand into the grid.
    fn put(&mut self, flow: &mut PowerFlow, tables: &ControlTables) {
        let of = &tables.inverters;
        for (row, (&vm_pu, response)) in self.vm_pu.iter().zip(&mut self.responses).enumerate() {
            let bus = bus_of(flow, of.row[row]);
            *response = Response { bus, ..Response::default() };
            if !of.is_in_service[row] {
                continue;
            }
            let feed = feed(tables, row as u32, vm_pu);
            let is_on = match of.row[row] {
                GridRow::Load(load) => {
                    flow.set_load(load, -feed.p_w, -feed.q_var);
                    flow.grid().loads.is_in_service[load as usize]
                }
                GridRow::Generator(generator) => {
                    flow.set_generator(generator, feed.p_w, feed.q_var);
                    flow.grid().generators.is_in_service[generator as usize]
                }
                _ => false,
            };
            if is_on {
                *response = Response { bus, vm_pu, p_slope_w: feed.p_slope_w, q_slope_var: feed.q_slope_var };
            }
        }
        flow.set_responses(&self.responses);
    }
}

/// Bus of a load or generator; others are refused.
pub(super) fn bus_of(flow: &PowerFlow, row: GridRow) -> u32 {
    match row {
        GridRow::Load(load) => flow.grid().loads.bus[load as usize],
        GridRow::Generator(generator) => flow.grid().generators.bus[generator as usize],
        GridRow::Bus(bus) => bus,
        GridRow::Branch(_) | GridRow::Shunt(_) => 0,
    }
}
