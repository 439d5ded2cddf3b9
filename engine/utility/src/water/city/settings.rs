//! Settings of drinking water in a run, as they stand in a scenario under `[water]`.

use crate::water::synthetic::SyntheticWaterSettings;
use crate::water_demand::WaterDemandSettings;
use crate::wiring::{LinkFault, NetworkSource, check_files};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How demands depend on pressure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DemandByPressure {
    /// As the file says; of a synthetic network by pressure.
    #[default]
    AsFile,
    /// All that is asked for is drawn, whatever the pressure.
    Never,
    /// What is drawn follows the pressure (Wagner) between `min_pressure_m` and `required_pressure_m`.
    Always,
}

/// Drinking water: what buildings draw, and the network that brings it. It steps with electricity (`power.step_s`); within
/// a step pumps, tanks and controls have their own moments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WaterSettings {
    /// Where the network comes from.
    pub source: NetworkSource,
    /// With `source = "file"`: an EPANET file (.inp), relative to the scenario. Its own demands stay as they are where no
    /// building hangs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub case: Option<PathBuf>,
    /// With `source = "file"`: a CSV table with columns `building_id`, `node_id` that names a junction for every building,
    /// relative to the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub buildings: Option<PathBuf>,
    /// With `source = "synthetic"`: how it is planned.
    pub synthetic: SyntheticWaterSettings,
    /// What buildings draw.
    pub demand: WaterDemandSettings,
    /// Whether pressure limits what is drawn.
    pub demand_by_pressure: DemandByPressure,
    /// Pressure below which nothing is drawn, metres; with `demand_by_pressure = "always"`.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub min_pressure_m: f64,
    /// Pressure from which all is drawn, metres; with `demand_by_pressure = "always"`.
    #[schemars(range(min = 0.1, max = 100.0))]
    pub required_pressure_m: f64,
    /// Links that are shut for a time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<LinkFault>,
}

impl Default for WaterSettings {
    fn default() -> Self {
        Self {
            source: NetworkSource::None,
            case: None,
            buildings: None,
            synthetic: SyntheticWaterSettings::default(),
            demand: WaterDemandSettings::default(),
            demand_by_pressure: DemandByPressure::AsFile,
            min_pressure_m: 0.0,
            required_pressure_m: 20.0,
            fault: Vec::new(),
        }
    }
}

impl WaterSettings {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
    /// Whether the city has no network.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.source == NetworkSource::None
    }
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        check_files(self.source, self.case.as_deref(), self.buildings.as_deref(), tell);
        if !(self.min_pressure_m >= 0.0 && self.min_pressure_m < self.required_pressure_m) {
            let what = format!(
                "= {}, expected >= 0 and < required_pressure_m = {}",
                self.min_pressure_m, self.required_pressure_m
            );
            tell("min_pressure_m", what);
        }
        self.demand.check(&mut |key, what| tell(&format!("demand.{key}"), what));
        self.synthetic.check(&mut |key, what| tell(&format!("synthetic.{key}"), what));
    }
}
