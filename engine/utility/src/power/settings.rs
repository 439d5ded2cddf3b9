//! Settings of electricity, as they stand in a scenario under `[power]`.

use super::city_grid::GridSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Electricity: step and calibration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PowerSettings {
    /// Length of a step, seconds; at most 3600.
    #[schemars(range(min = 1, max = 3600))]
    pub step_s: u32,
    /// Scale each sector's intensities so that the year's use under reference presence meets the panel
    /// (`electricity_use_residential_general_services`, `electricity_use_tertiary`,
    /// `electricity_use_industry`, `electricity_use_public_lighting`, GWh/year). The factors are
    /// reported; the simulated day still follows who is where and when.
    pub calibrate_to_panel: bool,
    /// Street lighting, watts for each metre of lit road.
    pub lighting_w_per_m: f64,
    /// The grid that carries the loads.
    #[serde(skip_serializing_if = "GridSettings::is_default")]
    pub grid: GridSettings,
}

impl Default for PowerSettings {
    fn default() -> Self {
        Self { step_s: 900, calibrate_to_panel: true, lighting_w_per_m: 3.5, grid: GridSettings::default() }
    }
}
