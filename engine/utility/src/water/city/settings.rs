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
    /// With `source = "synthetic"`: share of the water fed in that leaks out at `leakage_pressure_m`. A network of a file has
    /// its own emitters.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0, max = 0.9))]
    pub leakage_share: f64,
    /// Pressure at which that share leaks out, metres; leaks grow in proportion to pressure.
    #[serde(skip_serializing_if = "is_usual_pressure")]
    #[schemars(range(min = 1.0, max = 200.0))]
    pub leakage_pressure_m: f64,
    /// Links that are shut for a time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<LinkFault>,
}

/// In the middle of what distribution networks are run at (estimate).
const USUAL_PRESSURE_M: f64 = 40.0;

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(share: &f64) -> bool {
    share.abs() <= 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_usual_pressure(pressure_m: &f64) -> bool {
    (pressure_m - USUAL_PRESSURE_M).abs() <= 0.0
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
            leakage_share: 0.0,
            leakage_pressure_m: USUAL_PRESSURE_M,
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
        if !(0.0..=0.9).contains(&self.leakage_share) {
            tell("leakage_share", format!("= {}, expected 0 to 0.9", self.leakage_share));
        }
        if self.leakage_share > 0.0 && self.source != NetworkSource::Synthetic {
            tell("leakage_share", "is for `source = \"synthetic\"`; a file says its own emitters".to_owned());
        }
        if !(1.0..=200.0).contains(&self.leakage_pressure_m) {
            tell("leakage_pressure_m", format!("= {}, expected 1 to 200", self.leakage_pressure_m));
        }
        self.demand.check(&mut |key, what| tell(&format!("demand.{key}"), what));
        self.synthetic.check(&mut |key, what| tell(&format!("synthetic.{key}"), what));
    }
}
