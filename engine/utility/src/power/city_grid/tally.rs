//! What a grid's tables tell of an interval: extremes and sums over the power steps since their last rows. Whoever writes
//! rows begins the next interval.

use super::super::flow::{BranchFlow, PowerFlow};
use super::super::state::Balance;
use super::wiring::Infeed;

/// Voltages; columns by bus.
#[derive(Clone, Debug, Default)]
pub struct BusTally {
    /// Lowest voltage while it had a source, per unit; infinite where it never had one.
    pub vm_min_pu: Vec<f64>,
    /// Highest voltage, per unit; negative infinity where it never had a source.
    pub vm_max_pu: Vec<f64>,
    /// Time without a source, seconds.
    pub dark_s: Vec<f64>,
}

impl BusTally {
    pub(super) fn new(buses: usize) -> Self {
        let mut this = Self::default();
        this.vm_min_pu.resize(buses, f64::INFINITY);
        this.vm_max_pu.resize(buses, f64::NEG_INFINITY);
        this.dark_s.resize(buses, 0.0);
        this
    }
    pub(super) fn add(&mut self, flow: &PowerFlow, extremes: &mut PeriodExtremes, seconds: f64) {
        for bus in 0..self.dark_s.len() {
            if flow.is_energised(bus as u32) {
                let vm_pu = flow.voltage(bus as u32).norm();
                self.vm_min_pu[bus] = self.vm_min_pu[bus].min(vm_pu);
                self.vm_max_pu[bus] = self.vm_max_pu[bus].max(vm_pu);
                extremes.vm_min_pu = extremes.vm_min_pu.min(vm_pu);
                extremes.vm_max_pu = extremes.vm_max_pu.max(vm_pu);
            } else {
                self.dark_s[bus] += seconds;
            }
        }
    }
    /// Begins the next interval.
    pub fn begin(&mut self) {
        self.vm_min_pu.fill(f64::INFINITY);
        self.vm_max_pu.fill(f64::NEG_INFINITY);
        self.dark_s.fill(0.0);
    }
}

/// Loadings; columns by branch.
#[derive(Clone, Debug, Default)]
pub struct BranchTally {
    /// Largest loading, percent; 0 where no rating is known.
    pub loading_max_percent: Vec<f64>,
}

impl BranchTally {
    pub(super) fn new(branches: usize) -> Self {
        Self { loading_max_percent: vec![0.0; branches] }
    }
    pub(super) fn add(&mut self, extremes: &mut PeriodExtremes, loading_percent: impl Fn(usize) -> f64) {
        for (branch, most) in self.loading_max_percent.iter_mut().enumerate() {
            // NaN gives way.
            let percent = loading_percent(branch);
            *most = most.max(percent);
            extremes.loading_max_percent = extremes.loading_max_percent.max(percent);
        }
    }
    /// Begins the next interval.
    pub fn begin(&mut self) {
        self.loading_max_percent.fill(0.0);
    }
}

/// Power that enters; columns by infeed.
#[derive(Clone, Debug, Default)]
pub struct InfeedTally {
    /// Energy, joules.
    pub energy_j: Vec<f64>,
    /// Reactive energy, var seconds.
    pub reactive_vars: Vec<f64>,
    /// Largest power, watts.
    pub p_max_w: Vec<f64>,
}

impl InfeedTally {
    pub(super) fn new(infeeds: usize) -> Self {
        let mut this = Self::default();
        this.energy_j.resize(infeeds, 0.0);
        this.reactive_vars.resize(infeeds, 0.0);
        this.p_max_w.resize(infeeds, f64::NEG_INFINITY);
        this
    }
    pub(super) fn add(&mut self, infeeds: &[Infeed], flows: &[BranchFlow], seconds: f64) {
        for (row, infeed) in infeeds.iter().enumerate() {
            let (mut p_w, mut q_var) = (0.0, 0.0);
            for &(branch, is_from) in &infeed.branches {
                let flow = &flows[branch as usize];
                let (p, q) = if is_from { (flow.p_from_w, flow.q_from_var) } else { (flow.p_to_w, flow.q_to_var) };
                if !p.is_nan() {
                    p_w += p;
                    q_var += q;
                }
            }
            self.energy_j[row] += p_w * seconds;
            self.reactive_vars[row] += q_var * seconds;
            self.p_max_w[row] = self.p_max_w[row].max(p_w);
        }
    }
    /// Begins the next interval.
    pub fn begin(&mut self) {
        self.energy_j.fill(0.0);
        self.reactive_vars.fill(0.0);
        self.p_max_w.fill(f64::NEG_INFINITY);
    }
}

/// The ends of what a grid showed since the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeriodExtremes {
    /// Lowest voltage of a bus with a source, per unit; infinite before the first step.
    pub vm_min_pu: f64,
    /// Highest voltage, per unit.
    pub vm_max_pu: f64,
    /// Largest loading of a branch, percent.
    pub loading_max_percent: f64,
}

impl Default for PeriodExtremes {
    fn default() -> Self {
        Self { vm_min_pu: f64::INFINITY, vm_max_pu: f64::NEG_INFINITY, loading_max_percent: 0.0 }
    }
}

/// Energy of a grid since the start, joules.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EnergyBalance {
    /// From the buses that hold their voltage: what the city takes from outside.
    pub source_j: f64,
    /// From generators elsewhere in the grid.
    pub generated_j: f64,
    /// Taken by loads.
    pub served_j: f64,
    /// Lost in branches and shunts.
    pub lost_j: f64,
    /// What buildings and lamps asked for.
    pub asked_j: f64,
    /// What they got.
    pub received_j: f64,
    /// What they did not get: without a source, or shed.
    pub shed_j: f64,
}

impl EnergyBalance {
    pub(super) fn add(&mut self, power: &Balance, asked_w: f64, received_w: f64, seconds: f64) {
        self.source_j += power.source_w * seconds;
        self.generated_j += power.generated_w * seconds;
        self.served_j += power.served_w * seconds;
        self.lost_j += (power.branch_losses_w + power.shunt_losses_w) * seconds;
        self.asked_j += asked_w * seconds;
        self.received_j += received_w * seconds;
        self.shed_j += (asked_w - received_w) * seconds;
    }
}
