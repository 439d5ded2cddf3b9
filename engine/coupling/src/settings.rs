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
    /// Water and hot water follow the people present in buildings. Off: buildings draw as under the presence of the first
    /// step of the period, at all hours.
    #[serde(skip_serializing_if = "is_on")]
    pub presence_to_water: bool,
    /// Water that comes up from the sewer slows the streets above it.
    #[serde(skip_serializing_if = "is_on")]
    pub floods_to_roads: bool,
    /// Emergency units drive under the travel times and closures of the moment. Off: as on empty, open roads.
    #[serde(skip_serializing_if = "is_on")]
    pub traffic_to_emergency: bool,
    /// Share of drivers whose car is electric; cars are charged where buildings have chargers (`power.devices.charger`).
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub electric_car_share: f64,
    /// What an electric car uses, kWh/km.
    #[serde(skip_serializing_if = "is_usual_car")]
    #[schemars(range(min = 0.0))]
    pub electric_car_kwh_per_km: f64,
}

/// Typical of compact cars with heating and losses of the battery (estimate).
const USUAL_KWH_PER_KM: f64 = 0.18;

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_on(is_on: &bool) -> bool {
    *is_on
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(share: &f64) -> bool {
    share.abs() <= 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_usual_car(kwh_per_km: &f64) -> bool {
    (kwh_per_km - USUAL_KWH_PER_KM).abs() <= 0.0
}

impl Default for CouplingSettings {
    fn default() -> Self {
        Self {
            presence_to_power: true,
            presence_to_water: true,
            floods_to_roads: true,
            traffic_to_emergency: true,
            electric_car_share: 0.0,
            electric_car_kwh_per_km: USUAL_KWH_PER_KM,
        }
    }
}
