//! Settings of devices, as they stand in a scenario. By default no building has any; what a device is like without being
//! told is typical of the years around 2020 (estimates unless a device's file names a source).

use super::public::PublicSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use urbis_city::model::BuildingUse;

/// A number for each use of buildings, mostly the share of them that has a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ByUse {
    /// Dwellings.
    pub residential: f64,
    /// Offices.
    pub office: f64,
    /// Shops and restaurants.
    pub retail: f64,
    /// Hotels.
    pub hotel: f64,
    /// Works and stores.
    pub industrial: f64,
    /// Schools and universities.
    pub education: f64,
    /// Hospitals and surgeries.
    pub health: f64,
    /// Public buildings, culture, worship.
    pub civic: f64,
    /// Car parks.
    pub parking: f64,
    /// All others.
    pub other: f64,
}

impl ByUse {
    /// The same for all uses.
    #[must_use]
    pub fn all(value: f64) -> Self {
        Self {
            residential: value,
            office: value,
            retail: value,
            hotel: value,
            industrial: value,
            education: value,
            health: value,
            civic: value,
            parking: value,
            other: value,
        }
    }
    /// Of a use.
    #[must_use]
    pub fn of(&self, purpose: BuildingUse) -> f64 {
        match purpose {
            BuildingUse::Residential => self.residential,
            BuildingUse::Office => self.office,
            BuildingUse::Retail => self.retail,
            BuildingUse::Hotel => self.hotel,
            BuildingUse::Industrial => self.industrial,
            BuildingUse::Education => self.education,
            BuildingUse::Health => self.health,
            BuildingUse::Civic => self.civic,
            BuildingUse::Parking => self.parking,
            BuildingUse::Other => self.other,
        }
    }
}

/// Devices behind the meters of buildings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceSettings {
    /// Photovoltaics on roofs.
    pub pv: PvSettings,
    /// Batteries.
    pub battery: BatterySettings,
    /// Chargers of electric cars.
    pub charger: ChargerSettings,
    /// Heat pumps.
    pub heat_pump: HeatPumpSettings,
    /// Demand response.
    pub response: ResponseSettings,
    /// Price of electricity.
    pub tariff: super::tariff::TariffSettings,
}

impl DeviceSettings {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Photovoltaics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PvSettings {
    /// Share of buildings with it, by use.
    pub share: ByUse,
    /// Dwelling houses of at most so many floors have pitched roofs, all others flat ones.
    pub pitched_floors_max: f64,
    /// Tilt of pitched roofs, degrees.
    pub pitched_tilt_deg: f64,
    /// Share of the sunnier side of a pitched roof that carries modules.
    pub pitched_share: f64,
    /// Tilt of modules on flat roofs, degrees.
    pub flat_tilt_deg: f64,
    /// Area of modules over the footprint of a flat roof.
    pub flat_share: f64,
    /// Rating of modules, W/m2.
    pub module_w_per_m2: f64,
    /// Largest array of a building, watts.
    pub rated_w_max: f64,
    /// Lost in wires, dirt, mismatch and outages, share.
    pub loss_share: f64,
    /// Change of power with the temperature of cells, 1/K.
    pub gamma_per_k: f64,
    /// Nominal operating temperature of cells, degrees Celsius.
    pub noct_c: f64,
    /// Rating of modules over that of the inverter.
    pub dc_to_ac_ratio: f64,
    /// Light that the ground gives back, share.
    pub albedo: f64,
    /// Linke turbidity of the clear sky.
    pub linke_turbidity: f64,
    /// Height above the sea for the clear sky, metres.
    pub altitude_m: f64,
}

impl Default for PvSettings {
    fn default() -> Self {
        Self {
            share: ByUse::default(),
            pitched_floors_max: 3.0,
            pitched_tilt_deg: 35.0,
            pitched_share: 0.6,
            flat_tilt_deg: 10.0,
            flat_share: 0.4,
            module_w_per_m2: 200.0,
            rated_w_max: 1e6,
            loss_share: 0.14,
            gamma_per_k: -0.0047,
            noct_c: 49.0,
            dc_to_ac_ratio: 1.1,
            albedo: 0.2,
            linke_turbidity: 3.5,
            altitude_m: 0.0,
        }
    }
}

/// What a battery is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatteryControl {
    /// Takes what the roof has left over, gives what the building is short of.
    #[default]
    SelfConsumption,
    /// Buys where the price is low, gives where it is high; without prices as the other.
    Price,
}

/// Batteries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BatterySettings {
    /// Share of buildings with one, by use; of those with photovoltaics if `is_only_with_pv`.
    pub share: ByUse,
    /// Whether only buildings with photovoltaics have one.
    pub is_only_with_pv: bool,
    /// Energy for each dwelling of residential buildings, kWh.
    pub energy_kwh_per_dwelling: f64,
    /// Energy for the floor area of others, Wh/m2.
    pub energy_wh_per_m2: f64,
    /// Energy over power at the meter, hours.
    pub hours: f64,
    /// Stored of what is charged, share.
    pub charge_share: f64,
    /// Given of what is taken from the store, share.
    pub discharge_share: f64,
    /// Lost of what is stored, share a day.
    pub self_discharge_per_day: f64,
    /// Stored at the start, share.
    pub initial_share: f64,
    /// What it is for.
    pub control: BatteryControl,
    /// Whether it may give more than the building draws; only by price.
    pub can_export: bool,
    /// Whether it serves its building when the grid does not.
    pub has_backup: bool,
}

impl Default for BatterySettings {
    fn default() -> Self {
        Self {
            share: ByUse::default(),
            is_only_with_pv: true,
            energy_kwh_per_dwelling: 7.0,
            energy_wh_per_m2: 10.0,
            hours: 2.0,
            charge_share: 0.95,
            discharge_share: 0.95,
            self_discharge_per_day: 0.0,
            initial_share: 0.0,
            control: BatteryControl::default(),
            can_export: false,
            has_backup: false,
        }
    }
}

/// When a car is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChargerControl {
    /// At once, as fast as can be.
    #[default]
    Immediate,
    /// Evenly until it leaves.
    Delayed,
    /// In the cheapest hours before it leaves; without prices at once.
    Price,
    /// At once, less as the grid asks.
    Grid,
    /// By price, and what a car can win back more cheaply before it leaves it feeds back in dear hours.
    VehicleToGrid,
}

/// Chargers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChargerSettings {
    /// Share of buildings with some, by use.
    pub share: ByUse,
    /// Points for each dwelling; a building that has chargers has at least one.
    pub points_per_dwelling: f64,
    /// Points for each 1000 m2 of floor area of other uses.
    pub points_per_1000_m2: f64,
    /// Power of a point at the meter, watts.
    pub power_w: f64,
    /// Stored in the car of what is drawn, share.
    pub efficiency: f64,
    /// When cars are charged.
    pub control: ChargerControl,
    /// Energy below what it came with that a car gives at most (`vehicle_to_grid`), kWh.
    pub feed_back_kwh: f64,
    /// Public points, where cars queue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub public: Vec<PublicSettings>,
    /// Cars at buildings without chargers go to the nearest public points within so many metres in a straight line.
    pub public_reach_m: f64,
}

impl Default for ChargerSettings {
    fn default() -> Self {
        Self {
            share: ByUse::default(),
            points_per_dwelling: 1.0,
            points_per_1000_m2: 5.0,
            power_w: 11_000.0,
            efficiency: 0.9,
            control: ChargerControl::default(),
            feed_back_kwh: 10.0,
            public: Vec::new(),
            public_reach_m: 300.0,
        }
    }
}

/// Where a heat pump takes heat from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeatSource {
    /// Outside air.
    #[default]
    Air,
    /// The ground.
    Ground,
}

/// What gives the heat to rooms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Emitter {
    /// Radiators.
    #[default]
    Radiators,
    /// Heated floors.
    Floor,
}

/// Heat pumps and the buildings that they heat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HeatPumpSettings {
    /// Share of buildings with one, by use.
    pub share: ByUse,
    /// Where heat is taken from.
    pub source: HeatSource,
    /// What gives it to rooms.
    pub emitter: Emitter,
    /// Multiplies the coefficient of performance.
    pub cop_factor: f64,
    /// Temperature of the ground, degrees Celsius.
    pub ground_c: f64,
    /// Wanted indoors, degrees Celsius.
    pub setpoint_c: f64,
    /// Below it when called to save, above it when electricity is cheap, kelvin.
    pub flex_k: f64,
    /// Heat lost by floor area and temperature difference, W/(m2 K).
    pub loss_w_per_m2_k: f64,
    /// Heat stored by floor area, J/(m2 K).
    pub capacity_j_per_m2_k: f64,
    /// Heat of people and things by floor area, W/m2.
    pub gains_w_per_m2: f64,
    /// Air temperature down to which the pump alone is enough, degrees Celsius; below it a resistive heater helps.
    pub bivalence_c: f64,
    /// Air temperature for which both together are enough, degrees Celsius.
    pub design_c: f64,
}

impl Default for HeatPumpSettings {
    fn default() -> Self {
        Self {
            share: ByUse::default(),
            source: HeatSource::default(),
            emitter: Emitter::default(),
            cop_factor: 1.0,
            ground_c: 10.0,
            setpoint_c: 20.0,
            flex_k: 1.0,
            loss_w_per_m2_k: 1.5,
            capacity_j_per_m2_k: 165e3,
            gains_w_per_m2: 3.0,
            bivalence_c: -5.0,
            design_c: -15.0,
        }
    }
}

/// Demand response: who answers, how much and for how long, and what calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseSettings {
    /// Share of buildings that take part, by use.
    pub share: ByUse,
    /// Share of their load that is put off and made up for later.
    pub shiftable_share: f64,
    /// Share of their load that is done without.
    pub curtailable_share: f64,
    /// Longest time that a building saves in one go, seconds.
    pub duration_max_s: f64,
    /// Time within which it makes up for what it put off, seconds.
    pub payback_s: f64,
    /// A price calls at so many times the mean of its horizon, and is cheap at that part of it; heat pumps listen too.
    pub dear_ratio: f64,
    /// The grid calls at this signal; heat pumps listen too.
    pub grid_signal_min: f64,
}

impl Default for ResponseSettings {
    fn default() -> Self {
        Self {
            share: ByUse::default(),
            shiftable_share: 0.1,
            curtailable_share: 0.0,
            duration_max_s: 7200.0,
            payback_s: 14_400.0,
            dear_ratio: 1.2,
            grid_signal_min: 0.5,
        }
    }
}
