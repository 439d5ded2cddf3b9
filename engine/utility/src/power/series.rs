//! Many solves of one grid: the steps of a year, or other states of it, in chunks of constant size on all threads.
//!
//! A chunk starts from the voltages of the grid it is given and goes on from step to step with those of the last, so what
//! a step starts from depends on its number alone, and results are the same bits on any number of threads.
//!
//! Contract: `set` and `read` are functions of the step and of what they are given.

use super::flow::{Method, Outcome, PowerFlow};
use super::grid::tables::Loads;
use super::newton::NewtonSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use urbis_core::chunks::map_chunks;

/// Steps of a chunk: a week of hours.
pub const CHUNK_STEPS: usize = 168;

/// What is done with steps that do not converge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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
    /// Power of loads that are not served because the step does not converge with them, watts at 1 per unit.
    pub shed_w: f64,
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
            let is_shed = !outcome.is_converged && settings.on_failure == OnFailure::Shed;
            let wanted = is_shed.then(|| flow.grid().loads.clone());
            let mut shed_w = 0.0;
            if let Some(wanted) = &wanted {
                let share;
                (outcome, share) = shed(&mut flow, wanted, settings.method, &settings.newton);
                shed_w = share * supplied_w(&flow, wanted);
            }
            found.push(read(&Solved { step, flow: &flow, outcome: &outcome, shed_w }));
            if let Some(wanted) = &wanted {
                // The next step sets what changes; the rest is as it was.
                flow.set_loads(&wanted.p_w, &wanted.q_var);
            }
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

/// Lowers loads until a step converges; the outcome and the share of them that is not served.
pub(super) fn shed(flow: &mut PowerFlow, wanted: &Loads, method: Method, newton: &NewtonSettings) -> (Outcome, f64) {
    let mut last = (Outcome::default(), 0.0);
    for part in (0..SHED_STEPS).rev() {
        let share = f64::from(part) / f64::from(SHED_STEPS);
        let lowered = |column: &[f64]| column.iter().map(|value| value * share).collect::<Vec<f64>>();
        flow.set_loads(&lowered(&wanted.p_w), &lowered(&wanted.q_var));
        last = (flow.solve(method, newton), 1.0 - share);
        if last.0.is_converged {
            break;
        }
    }
    last
}

/// Power of loads with a source, watts at 1 per unit.
fn supplied_w(flow: &PowerFlow, loads: &Loads) -> f64 {
    let supplied = (0..loads.len()).filter(|&load| loads.is_in_service[load] && flow.is_energised(loads.bus[load]));
    supplied.fold(0.0, |sum, load| sum + loads.p_w[load])
}
