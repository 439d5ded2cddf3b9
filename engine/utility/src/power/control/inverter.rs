//! Inverters whose power follows the voltage. Near a voltage `u`, what one feeds in is `S(u) + S'(u) (|V| - u)`: to the
//! solve that is a constant power and a constant current ([`Response`]), so the slopes are in its Jacobian. Solves at the
//! voltages that the last one found are Newton's method on curves of straight lines; it ends when voltages agree with those
//! that the curves were read at, where the tables hold what is fed in. An inverter whose step turns back without having
//! shrunk to the half takes a part of it, and more again while it goes on one way, as a curve may be steep or bent.
//!
//! A power factor that follows active power, together with active power that follows the voltage, draws less reactive power
//! the higher the voltage is: there may be several solutions, and none may be found, which is told.
//!
//! Ignored: response times, dead times. Contract: no allocation once warm.

use super::tables::{ControlTables, Priority, ReactiveLaw};
use crate::power::elements::GridRow;
use crate::power::flow::{Outcome, PowerFlow, Response};

/// By how much steps grow again that had been shortened.
const GROWTH: f64 = 1.5;
/// By how much steps are shortened.
const SHORTENING: f64 = 0.4;
/// Share of apparent power below which the slope of one power over the other, which has no bound near 0, is taken as
/// there.
const LEAST_SHARE: f64 = 0.05;
/// Least share of a step that is taken.
const SHORTEST: f64 = 1e-6;

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

/// What an inverter feeds in at a voltage, per unit.
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
    // Reactive power by a power factor that itself has a slope over active power.
    let by_factor = |(cos, slope): (f64, f64), is_overexcited: bool| {
        let sign = if is_overexcited { 1.0 } else { -1.0 };
        let sin = (1.0 - cos * cos).max(0.0).sqrt();
        let bend = -slope / (cos * cos * sin.max(LEAST_SHARE));
        (sign * p * sin / cos, sign * dp * (sin / cos + p * bend))
    };
    let (mut q, mut dq) = match of.law[row] {
        ReactiveLaw::Fixed(q_var) => (q_var, 0.0),
        ReactiveLaw::PowerFactor { cos_phi, is_overexcited } => by_factor((cos_phi, 0.0), is_overexcited),
        ReactiveLaw::PowerFactorOfPower { curve: of_curve, is_overexcited } => {
            let (cos, slope) = curve(of_curve, p / of.p_rated_w[row]);
            by_factor((cos, slope / of.p_rated_w[row]), is_overexcited)
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
    let of_left = -kept * slope / left.abs().max(LEAST_SHARE * s_va).copysign(left);
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
    /// The last step to the voltage found, and which share of it is taken.
    step_pu: Vec<f64>,
    length: Vec<f64>,
    responses: Vec<Response>,
}

impl Followers {
    pub(super) fn new(tables: &ControlTables) -> Self {
        let rows = tables.inverters.len();
        Self {
            vm_pu: vec![0.0; rows],
            step_pu: vec![0.0; rows],
            length: vec![1.0; rows],
            responses: vec![Response::default(); rows],
        }
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
        self.length.fill(1.0);
        self.step_pu.fill(0.0);
        let mut round = 0;
        loop {
            self.put(flow, tables);
            let outcome = solve(flow);
            round += 1;
            if !outcome.is_converged {
                return (outcome, ended);
            }
            let mut change = 0.0_f64;
            for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
                let step_pu = flow.voltage(bus_of(flow, of.row[row])).norm() - self.vm_pu[row];
                let before_pu = std::mem::replace(&mut self.step_pu[row], step_pu);
                let has_turned = step_pu * before_pu < 0.0;
                if !has_turned {
                    self.length[row] = (GROWTH * self.length[row]).min(1.0);
                } else if step_pu.abs() > 0.5 * before_pu.abs() {
                    self.length[row] = (SHORTENING * self.length[row]).max(SHORTEST);
                }
                change = change.max(step_pu.abs());
            }
            ended = Rounds { is_settled: change <= tolerance_pu, vm_change_pu: change };
            if ended.is_settled || round >= rounds {
                return (outcome, ended);
            }
            for ((vm_pu, step_pu), length) in self.vm_pu.iter_mut().zip(&self.step_pu).zip(&self.length) {
                *vm_pu += length * step_pu;
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
