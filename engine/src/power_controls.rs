//! Controls of one state of a grid as they are asked for: limits of reactive power, taps.

use crate::power_run::Ready;
use serde_json::{Value as Json, json};
use std::path::Path;
use urbis_core::{Problem, Result};
use urbis_utility::power::control::{ControlOutcome, ControlSettings, ControlTables, Controls, TapChanger};
use urbis_utility::power::elements::{End, TapRange};

/// Width of a tap changer's band beside its step where the case states none, per unit: a thousandth at each end.
const BESIDE_STEP_PU: f64 = 0.002;

/// What is to be controlled.
#[derive(Clone, Copy, Debug, Default)]
pub struct ControlOptions {
    /// Whether generators keep to their limits of reactive power.
    pub enforces_q_limits: bool,
    /// Voltage, per unit, that taps hold at the to sides of transformers, where the case states taps and no regulator;
    /// with regulators in the case, those alone act. None for taps that stay.
    pub tap_voltage_pu: Option<f64>,
}

impl ControlOptions {
    /// Whether anything is controlled.
    pub(crate) fn is_any(&self) -> bool {
        self.enforces_q_limits || self.tap_voltage_pu.is_some()
    }
    /// # Errors
    /// A voltage that is none.
    pub(crate) fn check(&self) -> Result<()> {
        match self.tap_voltage_pu {
            Some(vm_pu) if !(vm_pu.is_finite() && vm_pu > 0.0) => {
                let what = format!("{vm_pu}, expected a voltage above 0, per unit, such as 1.02");
                Err(Problem::file(Path::new("--control-taps"), what).into())
            }
            _ => Ok(()),
        }
    }
    /// Solves a grid with its controls. Returns what summaries tell of them too.
    ///
    /// # Errors
    /// Generators with limits the wrong way round.
    pub(crate) fn solve(&self, ready: &mut Ready<'_>) -> Result<(ControlOutcome, Json)> {
        let mut tables = ControlTables { has_reactive_limits: self.enforces_q_limits, ..ControlTables::default() };
        if let Some(vm_pu) = self.tap_voltage_pu {
            taps(ready, vm_pu, &mut tables);
        }
        let mut controls = Controls::new(&ready.flow, tables, ControlSettings::default())?;
        let (method, settings) = (ready.options.method, ready.settings());
        let outcome = controls.solve_parallel(&mut ready.flow, method, &settings);
        // Results tell the impedances and ratios that were found.
        ready.case.grid = ready.flow.grid().clone();
        let taps = &controls.tables().taps;
        let positions: Vec<Json> = (0..taps.len())
            .map(|row| {
                let branch = &ready.case.branch_id[taps.branch[row] as usize];
                json!({ "branch_id": branch, "position": taps.position[row] })
            })
            .collect();
        let json = json!({
            "settled": outcome.is_settled, "solves": outcome.solves, "tap_moves": outcome.tap_moves,
            "generators_limited": outcome.limited, "generators_returned": outcome.returned,
            "taps_hunting": outcome.hunting, "taps_at_end": outcome.at_end, "taps": positions,
        });
        Ok((outcome, json))
    }
}

/// Tap changers of a case: its regulators, or all of its taps where it has none.
fn taps(ready: &mut Ready<'_>, vm_pu: f64, tables: &mut ControlTables) {
    let case = &mut ready.case;
    if !case.tap_regulators.is_empty() {
        for regulator in &case.tap_regulators {
            if let Some(tap) = TapChanger::of_regulator(&case.tap_ranges, regulator) {
                tables.taps.push(tap);
            }
        }
        return;
    }
    // What turns the voltage alone does not control it, and is left as it stands.
    let changes = |range: &&TapRange| (range.step_pu * range.step_rad.cos()).abs() > 1e-9 && range.min <= range.max;
    for range in case.tap_ranges.iter().filter(changes) {
        let to = case.grid.branches.to[range.branch as usize];
        let band_pu = range.step_pu.abs() + BESIDE_STEP_PU;
        tables.taps.push(TapChanger::of_range(range, End::To, to, vm_pu, band_pu));
    }
    let taps = tables.taps.len();
    case.notes.push(match taps {
        0 => "the case states no taps that could be controlled".to_owned(),
        _ => format!("{taps} transformers hold {vm_pu} per unit at their to sides by their taps"),
    });
}
