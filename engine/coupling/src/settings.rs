//! Settings of the couplings, as they stand in a scenario under `[coupling]`.

use bevy_ecs::resource::Resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Couplings that can be switched off, to see what they do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Resource)]
#[serde(default, deny_unknown_fields)]
pub struct CouplingSettings {
    /// Electricity follows the people present in buildings. Off: buildings draw as under the presence
    /// of the first step of the period, at all hours.
    pub presence_to_power: bool,
}

impl Default for CouplingSettings {
    fn default() -> Self {
        Self { presence_to_power: true }
    }
}
