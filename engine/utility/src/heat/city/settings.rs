//! Settings of district heat in a run, as they stand in a scenario under `[heat]`.

use crate::heat::synthetic::SyntheticHeatSettings;
use crate::heat_profile::HeatProfileSettings;
use crate::wiring::{LinkFault, NetworkSource, check_files};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Heat of buildings that electricity does not give, and the network of district heat. It steps with electricity
/// (`power.step_s`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CityHeatSettings {
    /// Where the network comes from. A synthetic one goes only where heat is dense enough.
    pub source: NetworkSource,
    /// With `source = "file"`: a net of pandapipes (JSON), relative to the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub case: Option<PathBuf>,
    /// With `source = "file"`: a CSV table with columns `building_id`, `consumer_id` that names a heat consumer for every
    /// building that is connected, relative to the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub buildings: Option<PathBuf>,
    /// With `source = "synthetic"`: how it is planned.
    pub synthetic: SyntheticHeatSettings,
    /// How heat for rooms is spread over the hours of a year, also that from gas.
    pub profiles: HeatProfileSettings,
    /// Elements that are out for a time, by table and index (`pipe 7`) or name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<LinkFault>,
}

impl CityHeatSettings {
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
        self.profiles.check(&mut |key, what| tell(&format!("profiles.{key}"), what));
        self.synthetic.check(&mut |key, what| tell(&format!("synthetic.{key}"), what));
    }
}
