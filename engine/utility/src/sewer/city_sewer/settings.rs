//! Settings of the sewer in a run, as they stand in a scenario under `[sewer]`.

use super::super::synthetic::{Routing, SyntheticSewerSettings};
use crate::wiring::{NetworkSource, check_files};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The sewer that takes what buildings and rain bring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SewerSettings {
    /// Where it comes from.
    pub source: NetworkSource,
    /// With `source = "file"`: an input file of EPA SWMM, relative to the scenario, with coordinates in the city's reference
    /// system. Its rain is not used, nor is its sewage, which buildings bring; its other inflows stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub case: Option<PathBuf>,
    /// With `source = "file"`: a CSV table with columns `building_id`, `node_id` that names a node for every building,
    /// relative to the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub buildings: Option<PathBuf>,
    /// With `source = "file"`: how water is routed, in place of the file's way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing: Option<Routing>,
    /// With `source = "synthetic"`: how it is planned.
    pub synthetic: SyntheticSewerSettings,
    /// Step in which it is advanced, seconds; its own steps are shorter where they must.
    #[schemars(range(min = 1, max = 3600))]
    pub step_s: u32,
    /// Rain at all times where no table says otherwise, mm/h; with neither, it rains as the weather says.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub rain_mm_per_h: f64,
    /// Rain over time, relative to the scenario: a CSV table with columns `time_s` since the start, going up, and
    /// `rain_mm_per_h` from that time to the next; none before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub rain: Option<PathBuf>,
    /// Ground that water which comes up from a node spreads over where the network does not say, m2: some 50 m of a street;
    /// estimate.
    #[schemars(range(min = 1.0, max = 1000000.0))]
    pub flooded_area_m2: f64,
}

impl Default for SewerSettings {
    fn default() -> Self {
        Self {
            source: NetworkSource::None,
            case: None,
            buildings: None,
            routing: None,
            synthetic: SyntheticSewerSettings::default(),
            step_s: 60,
            rain_mm_per_h: 0.0,
            rain: None,
            flooded_area_m2: 500.0,
        }
    }
}

impl SewerSettings {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
    /// Whether the city has no sewer.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.source == NetworkSource::None
    }
    /// Whether it says how it rains; else the weather does.
    #[must_use]
    pub fn has_rain(&self) -> bool {
        self.rain.is_some() || self.rain_mm_per_h > 0.0
    }
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        if !(1..=3600).contains(&self.step_s) {
            tell("step_s", format!("= {}, expected 1 to 3600", self.step_s));
        }
        if !(0.0..=1000.0).contains(&self.rain_mm_per_h) {
            tell("rain_mm_per_h", format!("= {}, expected 0 to 1000", self.rain_mm_per_h));
        }
        if !(1.0..=1e6).contains(&self.flooded_area_m2) {
            tell("flooded_area_m2", format!("= {}, expected 1 to 1000000", self.flooded_area_m2));
        }
        check_files(self.source, self.case.as_deref(), self.buildings.as_deref(), tell);
        if self.source != NetworkSource::File && self.routing.is_some() {
            tell("routing", "counts with source = \"file\" alone, expected synthetic.routing".to_owned());
        }
        self.synthetic.check(&mut |key, what| tell(&format!("synthetic.{key}"), what));
    }
}
