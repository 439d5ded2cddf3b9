//! Settings of gas in a run, as they stand in a scenario under `[gas]`.

use crate::gas::synthetic::SyntheticGasSettings;
use crate::wiring::{LinkFault, NetworkSource, check_files};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Gas: who heats with it, and the network that brings it. It steps with electricity (`power.step_s`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GasSettings {
    /// Where the network comes from.
    pub source: NetworkSource,
    /// With `source = "file"`: a net of pandapipes (JSON), relative to the scenario. Sinks to which no building hangs keep
    /// what the file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub case: Option<PathBuf>,
    /// With `source = "file"`: a CSV table with columns `building_id`, `sink_id` that names a sink for every building that
    /// has gas, relative to the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub buildings: Option<PathBuf>,
    /// With `source = "synthetic"`: how it is planned.
    pub synthetic: SyntheticGasSettings,
    /// With `source = "synthetic"`: share of the buildings without district heat and electric heating that heat with gas, 0
    /// to 1. Which ones is a draw that is the same in every run; a larger share adds buildings to those of a smaller one.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// Heat that a boiler makes of the lower heating value; of condensing boilers about 0.95 (recalled).
    #[schemars(range(min = 0.1, max = 1.2))]
    pub efficiency: f64,
    /// Lower heating value, MJ/kg; by the name of the gas where absent: 38 for `lgas`, 47 for `hgas`, 50 for methane and
    /// biomethane, 120 for hydrogen, 47 for others (recalled).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0, max = 200.0))]
    pub heating_value_mj_per_kg: Option<f64>,
    /// Least pressure above the air at which appliances burn, Pa (in the order of what DVGW G 600 allows; recalled).
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub gauge_least_pa: f64,
    /// Elements that are out for a time, by table and index (`pipe 7`) or name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<LinkFault>,
}

impl Default for GasSettings {
    fn default() -> Self {
        Self {
            source: NetworkSource::None,
            case: None,
            buildings: None,
            synthetic: SyntheticGasSettings::default(),
            share: 0.5,
            efficiency: 0.95,
            heating_value_mj_per_kg: None,
            gauge_least_pa: 1800.0,
            fault: Vec::new(),
        }
    }
}

impl GasSettings {
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
    /// Lower heating value of a gas of that name, J/kg.
    #[must_use]
    pub fn heating_value_j_per_kg(&self, gas: &str) -> f64 {
        let by_name = match gas {
            "lgas" => 38.0,
            "methane" | "biomethane_pure" | "biomethane_treated" => 50.0,
            "hydrogen" => 120.0,
            _ => 47.0,
        };
        1e6 * self.heating_value_mj_per_kg.unwrap_or(by_name)
    }
    /// Gas of that name that a boiler needs for heat, kg/J.
    #[must_use]
    pub fn kg_per_j(&self, gas: &str) -> f64 {
        1.0 / (self.efficiency * self.heating_value_j_per_kg(gas))
    }
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        check_files(self.source, self.case.as_deref(), self.buildings.as_deref(), tell);
        for (key, value, from, to) in [
            ("share", self.share, 0.0, 1.0),
            ("efficiency", self.efficiency, 0.1, 1.2),
            ("heating_value_mj_per_kg", self.heating_value_mj_per_kg.unwrap_or(47.0), 1.0, 200.0),
            ("gauge_least_pa", self.gauge_least_pa, 0.0, 1e6),
        ] {
            if !(from..=to).contains(&value) {
                tell(key, format!("= {value}, expected {from} to {to}"));
            }
        }
        self.synthetic.check(&mut |key, what| tell(&format!("synthetic.{key}"), what));
    }
}
