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
    /// Traffic lights without electricity go dark.
    #[serde(skip_serializing_if = "is_on")]
    pub power_to_signals: bool,
    /// Pumps of water, plants of district heat and compressors of gas without electricity stop.
    #[serde(skip_serializing_if = "is_on")]
    pub power_to_pumps: bool,
    /// Gas boilers and stations of district heat in buildings without electricity take nothing.
    #[serde(skip_serializing_if = "is_on")]
    pub power_to_boilers: bool,
    /// Mobile sites in buildings without electricity live on their batteries.
    #[serde(skip_serializing_if = "is_on")]
    pub power_to_telecom: bool,
    /// Lifts in buildings without electricity stand.
    #[serde(skip_serializing_if = "is_on")]
    pub power_to_lifts: bool,
    /// Trains, trams and trolleybuses without current stand.
    #[serde(skip_serializing_if = "is_on")]
    pub power_to_rail: bool,
    /// Pumps of the water network draw electricity in the buildings whose supply they share.
    #[serde(skip_serializing_if = "is_on")]
    pub pumps_to_power: bool,
    /// People heat with electricity where gas or district heat does not come.
    #[serde(skip_serializing_if = "is_on")]
    pub shortfall_to_heaters: bool,
    /// Noise and exhaust of traffic are told for people where they are, hour by hour; off by default.
    #[serde(skip_serializing_if = "is_off")]
    pub traffic_to_people: bool,
    /// How long machines run without electricity.
    #[serde(skip_serializing_if = "BackupHours::is_default")]
    pub backup_h: BackupHours,
    /// Share of the heat for rooms that lacks which electric heaters make up for.
    #[serde(skip_serializing_if = "is_usual_share")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub heater_share: f64,
    /// Electric heaters that people have, W for each square metre of floor.
    #[serde(skip_serializing_if = "is_usual_heater")]
    #[schemars(range(min = 0.0))]
    pub heater_w_per_m2: f64,
    /// Emergency units drive under the travel times and closures of the moment. Off: as on empty, open roads.
    #[serde(skip_serializing_if = "is_on")]
    pub traffic_to_emergency: bool,
    /// Fire engines at buildings on fire draw water from the network.
    #[serde(skip_serializing_if = "is_on")]
    pub fire_to_water: bool,
    /// Flow that they draw at each, m3/h.
    #[serde(skip_serializing_if = "is_usual_fire_flow")]
    #[schemars(range(min = 0.0))]
    pub fire_flow_m3_per_h: f64,
    /// Share of the fire brigade's calls from buildings that are buildings on fire.
    #[serde(skip_serializing_if = "is_usual_fires_share")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub fires_share: f64,
    /// Share of drivers whose car is electric; cars are charged where buildings have chargers (`power.devices.charger`).
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub electric_car_share: f64,
    /// What an electric car uses, kWh/km.
    #[serde(skip_serializing_if = "is_usual_car")]
    #[schemars(range(min = 0.0))]
    pub electric_car_kwh_per_km: f64,
}

/// How long machines run on batteries or generators, hours (estimates: traffic lights rarely have any; waterworks and heating
/// plants have generators for some hours where they have any).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BackupHours {
    /// Traffic lights.
    #[schemars(range(min = 0.0))]
    pub signals: f64,
    /// Pumps of the water network.
    #[schemars(range(min = 0.0))]
    pub water_pumps: f64,
    /// Heating plants and pumps of district heat.
    #[schemars(range(min = 0.0))]
    pub heat_plants: f64,
    /// Compressors of gas.
    #[schemars(range(min = 0.0))]
    pub gas_compressors: f64,
}

impl Default for BackupHours {
    fn default() -> Self {
        Self { signals: 0.0, water_pumps: 0.0, heat_plants: 0.0, gas_compressors: 8.0 }
    }
}

impl BackupHours {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// People have heaters for so much of what lacks (estimate).
const USUAL_HEATER_SHARE: f64 = 0.6;
/// Electric heaters that people have, W/m2 (estimate).
const USUAL_HEATER_W_PER_M2: f64 = 20.0;

/// Typical of compact cars with heating and losses of the battery (estimate).
const USUAL_KWH_PER_KM: f64 = 0.18;

/// For dwellings of more than three floors (DVGW W 405, recalled).
const USUAL_FIRE_FLOW_M3_PER_H: f64 = 96.0;
/// Fires of dwellings and other buildings among all calls in England, 2019/20 (Home Office, recalled).
const USUAL_FIRES_SHARE: f64 = 0.08;

/// Whether values are the usual ones, which are not written.
macro_rules! usual {
    ($($name:ident $usual:ident)*) => {$(
        #[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
        fn $name(value: &f64) -> bool {
            (value - $usual).abs() <= 0.0
        }
    )*};
}
usual! {
    is_usual_share USUAL_HEATER_SHARE
    is_usual_heater USUAL_HEATER_W_PER_M2
    is_usual_fire_flow USUAL_FIRE_FLOW_M3_PER_H
    is_usual_fires_share USUAL_FIRES_SHARE
    is_usual_car USUAL_KWH_PER_KM
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_on(is_on: &bool) -> bool {
    *is_on
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_off(is_on: &bool) -> bool {
    !is_on
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(share: &f64) -> bool {
    share.abs() <= 0.0
}

impl Default for CouplingSettings {
    fn default() -> Self {
        Self {
            presence_to_power: true,
            presence_to_water: true,
            floods_to_roads: true,
            power_to_signals: true,
            power_to_pumps: true,
            power_to_boilers: true,
            power_to_telecom: true,
            power_to_lifts: true,
            power_to_rail: true,
            pumps_to_power: true,
            shortfall_to_heaters: true,
            traffic_to_people: false,
            backup_h: BackupHours::default(),
            heater_share: USUAL_HEATER_SHARE,
            heater_w_per_m2: USUAL_HEATER_W_PER_M2,
            traffic_to_emergency: true,
            fire_to_water: true,
            fire_flow_m3_per_h: USUAL_FIRE_FLOW_M3_PER_H,
            fires_share: USUAL_FIRES_SHARE,
            electric_car_share: 0.0,
            electric_car_kwh_per_km: USUAL_KWH_PER_KM,
        }
    }
}
