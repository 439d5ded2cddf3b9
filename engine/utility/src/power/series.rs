//! Many solves of one grid: the steps of a year, or other states of it, in chunks of constant size on all threads.
//!
//! A chunk starts from the voltages of the grid it is given and goes on from step to step with those of the last, so what
//! a step starts from depends on its number alone, and results are the same bits on any number of threads.
//!
//! Contract: `set` and `read` are functions of the step and of what they are given.

use super::flow::{Method, Outcome, PowerFlow};
use super::newton::NewtonSettings;
use std::ops::Range;
use urbis_core::chunks::map_chunks;

/// Steps of a chunk: a week of hours.
pub const CHUNK_STEPS: usize = 168;

/// What is done with steps that do not converge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The step keeps the best voltages that were found, and is marked.
    #[default]
    Hold,
    /// All loads are lowered alike in steps of a twentieth until it converges; what is not served is told.
    Shed,
    /// The series ends.
    Stop,
}

/// Parts into which loads are divided when some are shed.
const SHED_STEPS: u32 = 20;

/// How steps are solved.
#[derive(Clone, Copy, Debug)]
pub struct SeriesSettings {
    /// Method of each step.
    pub method: Method,
    /// How it runs.
    pub newton: NewtonSettings,
    /// What becomes of steps that do not converge.
    pub on_failure: OnFailure,
    /// Steps that share their warm start.
    pub chunk_steps: usize,
}

impl Default for SeriesSettings {
    fn default() -> Self {
        let newton = NewtonSettings::default();
        Self { method: Method::Newton, newton, on_failure: OnFailure::Hold, chunk_steps: CHUNK_STEPS }
    }
}

/// A solved step.
#[derive(Debug)]
pub struct Solved<'a> {
    /// Its number.
    pub step: usize,
    /// The grid with its voltages.
    pub flow: &'a PowerFlow,
    /// How the solve ended.
    pub outcome: &'a Outcome,
    /// Share of all loads that is served.
    pub served_share: f64,
}

/// Solves steps from those of `flow` on. `set` puts a step's loads and generators into a grid, `read` takes from the
/// solved one what is wanted, which is returned in order of steps. With [`OnFailure::Stop`] it ends at the first step
/// that fails, whose reading is the last.
pub fn solve<R: Send>(
    flow: &PowerFlow,
    steps: usize,
    settings: &SeriesSettings,
    set: impl Fn(usize, &mut PowerFlow) + Sync,
    read: impl Fn(&Solved<'_>) -> R + Sync,
) -> Vec<R> {
    let of_chunk = |range: Range<usize>| {
        let mut flow = flow.clone();
        let mut found = Vec::with_capacity(range.len());
        for step in range {
            set(step, &mut flow);
            let mut outcome = flow.solve(settings.method, &settings.newton);
            let mut served_share = 1.0;
            if !outcome.is_converged && settings.on_failure == OnFailure::Shed {
                (outcome, served_share) = shed(&mut flow, settings);
            }
            found.push(read(&Solved { step, flow: &flow, outcome: &outcome, served_share }));
            if !outcome.is_converged && settings.on_failure == OnFailure::Stop {
                return (found, true);
            }
        }
        (found, false)
    };
    let mut all = Vec::with_capacity(steps);
    for (found, has_failed) in map_chunks(steps, settings.chunk_steps, of_chunk) {
        all.extend(found);
        if has_failed {
            break;
        }
    }
    all
}

/// Lowers loads until a step converges; the outcome and the share that is left.
fn shed(flow: &mut PowerFlow, settings: &SeriesSettings) -> (Outcome, f64) {
    let loads = (flow.grid().loads.p_w.clone(), flow.grid().loads.q_var.clone());
    let mut last = (Outcome::default(), 0.0);
    for part in (0..SHED_STEPS).rev() {
        let share = f64::from(part) / f64::from(SHED_STEPS);
        let lowered = |column: &[f64]| column.iter().map(|value| value * share).collect::<Vec<f64>>();
        flow.set_loads(&lowered(&loads.0), &lowered(&loads.1));
        last = (flow.solve(settings.method, &settings.newton), share);
        if last.0.is_converged {
            break;
        }
    }
    last
}

/// Power of a solved grid, watts; shares of it that were shed count as neither load nor supply.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Balance {
    /// From slack buses.
    pub source_w: f64,
    /// From generators elsewhere.
    pub generated_w: f64,
    /// Taken by loads at their voltages; less where they feed in.
    pub served_w: f64,
    /// Loads without a source, at 1 per unit.
    pub unserved_w: f64,
    /// Lost in branches.
    pub branch_losses_w: f64,
    /// Taken by shunts.
    pub shunt_losses_w: f64,
}

impl Balance {
    /// Of a solved grid.
    #[must_use]
    pub fn of(flow: &PowerFlow) -> Self {
        let grid = flow.grid();
        let (branch_losses_w, shunt_losses_w) = flow.losses_w();
        let mut this = Self { branch_losses_w, shunt_losses_w, ..Self::default() };
        let mut is_counted = vec![false; flow.topology().bus_of_node.len()];
        for bus in 0..grid.buses.len() as u32 {
            let node = flow.topology().node(bus);
            if flow.is_source(bus) && !std::mem::replace(&mut is_counted[node as usize], true) {
                this.source_w += flow.source_power(bus).0;
            }
        }
        let of = &grid.generators;
        for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
            if flow.is_energised(of.bus[row]) && !flow.is_source(of.bus[row]) {
                this.generated_w += of.p_w[row];
            }
        }
        let of = &grid.loads;
        for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
            let served = flow.load_power(row as u32);
            match flow.is_energised(of.bus[row]) {
                true => this.served_w += served.0,
                false => this.unserved_w += of.p_w[row],
            }
        }
        this
    }
    /// What is supplied and neither served nor lost, watts: nothing but what the solve's tolerance leaves.
    #[must_use]
    pub fn residual_w(&self) -> f64 {
        self.source_w + self.generated_w - self.served_w - self.branch_losses_w - self.shunt_losses_w
    }
}
