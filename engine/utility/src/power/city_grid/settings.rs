//! Settings of the grid in a run, as they stand in a scenario under `[power.grid]`.

use super::super::operation::{FaultSettings, OperationSettings, RandomFaultSettings};
use super::super::series::OnFailure;
use super::super::synthetic::SyntheticGridSettings;
use crate::wiring::{NetworkSource, check_files};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which rows of buses and branches are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GridRows {
    /// Every bus and branch, each interval.
    #[default]
    All,
    /// Those that were outside their limits or without supply in the interval.
    Exceptions,
}

/// What inverters of rooftop photovoltaics do about voltages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InverterLaw {
    /// Nothing: they feed in active power alone.
    #[default]
    None,
    /// Reactive power by voltage, as IEEE 1547-2018 says for category B.
    Ieee1547,
    /// Reactive power by voltage, as VDE-AR-N 4105 says.
    Vde4105,
}

/// What holds the voltages of a grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GridControls {
    /// Whether tap changers move: those of substations in a synthetic grid, those that the file states regulators for in one
    /// of a file.
    pub taps: bool,
    /// Voltage that tap changers of substations hold at their busbars, per unit.
    pub busbar_pu: f64,
    /// Width of the band around it in which they rest, per unit; more than a step.
    pub deadband_pu: f64,
    /// A step of them, per unit, of nine up and nine down (about what is built for 110 kV; recalled).
    pub step_pu: f64,
    /// Whether generators of a file keep to their limits of reactive power.
    pub reactive_limits: bool,
    /// What inverters of rooftop photovoltaics do.
    pub inverters: InverterLaw,
}

impl Default for GridControls {
    fn default() -> Self {
        Self {
            taps: true,
            busbar_pu: 1.03,
            deadband_pu: 0.025,
            step_pu: 0.0175,
            reactive_limits: false,
            inverters: InverterLaw::None,
        }
    }
}

/// The electric grid that carries the loads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GridSettings {
    /// Where it comes from.
    pub source: NetworkSource,
    /// With `source = "file"`: a MATPOWER case, a JSON of pandapower or power-grid-model, or a folder of CSV tables,
    /// relative to the scenario. Its own loads stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub case: Option<PathBuf>,
    /// With `source = "file"`: a CSV table with columns `building_id`, `bus_id` that names a bus for every building,
    /// relative to the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub buildings: Option<PathBuf>,
    /// With `source = "synthetic"`: how it is planned.
    pub synthetic: SyntheticGridSettings,
    /// Power factor of what buildings and lamps draw, inductive.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub power_factor: f64,
    /// What holds voltages.
    pub controls: GridControls,
    /// How faults are cleared and supply is restored.
    pub operation: OperationSettings,
    /// Faults that happen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<FaultSettings>,
    /// Faults by chance.
    pub random_faults: RandomFaultSettings,
    /// What becomes of a step whose power flow does not converge.
    pub on_failure: OnFailure,
    /// Which rows of buses and branches are written.
    pub rows: GridRows,
    /// Voltage below which a bus counts as an exception, per unit (EN 50160: 10 % off for 95 % of the time).
    #[schemars(range(min = 0.0, max = 2.0))]
    pub vm_min_pu: f64,
    /// Voltage above which it does, per unit.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub vm_max_pu: f64,
    /// Loading above which a branch does, percent.
    #[schemars(range(min = 0.0))]
    pub loading_max_percent: f64,
}

impl Default for GridSettings {
    fn default() -> Self {
        Self {
            source: NetworkSource::None,
            case: None,
            buildings: None,
            synthetic: SyntheticGridSettings::default(),
            power_factor: 0.95,
            controls: GridControls::default(),
            operation: OperationSettings::default(),
            fault: Vec::new(),
            random_faults: RandomFaultSettings::default(),
            on_failure: OnFailure::Hold,
            rows: GridRows::All,
            vm_min_pu: 0.9,
            vm_max_pu: 1.1,
            loading_max_percent: 100.0,
        }
    }
}

impl GridSettings {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
    /// Whether the city has no grid.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.source == NetworkSource::None
    }
    /// Reactive over active power of buildings and lamps.
    #[must_use]
    pub fn tan_phi(&self) -> f64 {
        (1.0 - self.power_factor * self.power_factor).max(0.0).sqrt() / self.power_factor
    }
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        if !(self.power_factor > 0.0 && self.power_factor <= 1.0) {
            tell("power_factor", format!("= {}, expected > 0 and <= 1", self.power_factor));
        }
        if !(self.vm_min_pu >= 0.0 && self.vm_min_pu < self.vm_max_pu) {
            let what = format!("= {}, expected >= 0 and < vm_max_pu = {}", self.vm_min_pu, self.vm_max_pu);
            tell("vm_min_pu", what);
        }
        if self.loading_max_percent.is_nan() || self.loading_max_percent <= 0.0 {
            tell("loading_max_percent", format!("= {}, expected > 0", self.loading_max_percent));
        }
        let of = &self.controls;
        if !(of.step_pu > 0.0 && of.step_pu < of.deadband_pu) {
            let what = format!("= {}, expected > 0 and < controls.deadband_pu = {}", of.step_pu, of.deadband_pu);
            tell("controls.step_pu", what);
        }
        if !(of.busbar_pu > 0.5 && of.busbar_pu < 1.5) {
            tell("controls.busbar_pu", format!("= {}, expected 0.5 to 1.5", of.busbar_pu));
        }
        check_files(self.source, self.case.as_deref(), self.buildings.as_deref(), tell);
        self.operation.check(&mut |key, what| tell(&format!("operation.{key}"), what));
        self.random_faults.check(&mut |key, what| tell(&format!("random_faults.{key}"), what));
        self.synthetic.check(&mut |key, what| tell(&format!("synthetic.{key}"), what));
    }
}
