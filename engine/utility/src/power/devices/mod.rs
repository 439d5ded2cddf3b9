//! Devices behind the meters of buildings: who has which, and of what size. `step` runs them together; each device has a
//! file, which names its model and sources.
//!
//! Who has one is drawn by building and device from the shares by use, so that a larger share adds buildings and takes
//! none away. Sizes follow footprint, floor area and dwellings.
//!
//! Contract: a function of city, settings and seed.

pub mod battery;
pub mod charger;
mod check;
pub mod energy;
pub mod heat_pump;
pub mod pv;
pub mod response;
pub mod settings;
pub mod step;
pub mod tariff;

pub use charger::{Chargers, Session, Stay};
pub use energy::DeviceEnergy;
pub use settings::DeviceSettings;
pub use step::DeviceStep;

use super::settings::refusing;
use battery::{Battery, PricePlan};
use bevy_ecs::resource::Resource;
use heat_pump::HeatPump;
use pv::PvArray;
use response::Response;
use settings::ByUse;
use urbis_city::model::{BuildingUse, City};
use urbis_core::chunks::CHUNK_ROWS;
use urbis_core::rng::Rng;
use urbis_core::units::JOULES_PER_KWH;
use urbis_core::{BuildingIx, Result};

/// Purpose of the draws; the device stands in place of the tick.
const PURPOSE: u32 = 0x4445_5601;

/// Kinds of draws.
#[derive(Clone, Copy)]
enum Draw {
    Pv,
    Battery,
    Charger,
    HeatPump,
    Response,
    Roof,
}

/// The devices of a city; columns by building.
#[derive(Clone, Debug, Default, Resource)]
pub struct Devices {
    /// Latitude and longitude of the city, degrees.
    pub place_deg: [f64; 2],
    /// Photovoltaics.
    pub pv: Vec<PvArray>,
    /// Batteries.
    pub batteries: Vec<Battery>,
    /// Chargers and cars.
    pub chargers: Chargers,
    /// Heat pumps.
    pub heat_pumps: Vec<HeatPump>,
    /// Demand response.
    pub responses: Vec<Response>,
    /// Asked of the grid in this step, watts; negative: given to it. Of an unsupplied building what nobody serves.
    pub net_w: Vec<f64>,
    /// Given by photovoltaics in this step, watts.
    pub pv_w: Vec<f64>,
    /// Taken by the battery in this step, watts; negative: given.
    pub battery_w: Vec<f64>,
    /// Drawn by the heat pump and its heater in this step, watts.
    pub heat_pump_w: Vec<f64>,
    /// Change of the load by demand response in this step, watts.
    pub shifted_w: Vec<f64>,
    settings: DeviceSettings,
    plan: PricePlan,
    energy: DeviceEnergy,
    /// Energy of the step by chunk.
    parts: Vec<DeviceEnergy>,
}

impl Devices {
    /// Devices of a city by settings and seed.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] with what [`DeviceSettings::check`] tells.
    pub fn new(city: &City, settings: &DeviceSettings, seed: u64) -> Result<Self> {
        refusing("power.devices", |tell| settings.check(tell))?;
        let table = &city.buildings;
        let rows = table.len();
        let [west, south, east, north] = city.manifest.bbox_deg;
        let place_deg = [0.5 * (south + north), 0.5 * (west + east)];
        let rng = |row: usize, draw: Draw| Rng::new(seed, row as u32, draw as u32, PURPOSE);
        let has = |row: usize, draw: Draw, share: &ByUse| rng(row, draw).chance(share.of(table.purpose[row]));
        let is_home = |row: usize| table.purpose[row] == BuildingUse::Residential;
        let dwellings = |row: usize| f64::from(table.dwellings.get(row).copied().unwrap_or(0).max(1));
        let array = |row: usize| {
            if !has(row, Draw::Pv, &settings.pv.share) {
                return PvArray::default();
            }
            let is_pitched = is_home(row) && table.floors[row] <= settings.pv.pitched_floors_max;
            PvArray::on_roof(&settings.pv, table.footprint_m2[row], is_pitched, place_deg[0], &mut rng(row, Draw::Roof))
        };
        let pv: Vec<PvArray> = (0..rows).map(array).collect();
        let battery = |row: usize| {
            let of = &settings.battery;
            if !has(row, Draw::Battery, &of.share) || (of.is_only_with_pv && pv[row].rated_w <= 0.0) {
                return Battery::default();
            }
            let kwh = match is_home(row) {
                true => of.energy_kwh_per_dwelling * dwellings(row),
                false => of.energy_wh_per_m2 * table.floor_area_m2[row] / 1000.0,
            };
            Battery { capacity_j: kwh * JOULES_PER_KWH, stored_j: kwh * JOULES_PER_KWH * of.initial_share }
        };
        let points = |row: usize| {
            let of = &settings.charger;
            if !has(row, Draw::Charger, &of.share) {
                return 0;
            }
            let points = match is_home(row) {
                true => of.points_per_dwelling * dwellings(row),
                false => of.points_per_1000_m2 * table.floor_area_m2[row] / 1000.0,
            };
            points.round().max(1.0) as u32
        };
        let heat_pump = |row: usize| {
            let of = &settings.heat_pump;
            let floor_area_m2 = if has(row, Draw::HeatPump, &of.share) { table.floor_area_m2[row] } else { 0.0 };
            HeatPump { floor_area_m2, indoor_c: of.setpoint_c }
        };
        let response = |row: usize| {
            let has_part = has(row, Draw::Response, &settings.response.share);
            Response { has_part, ..Response::default() }
        };
        let column = || vec![0.0; rows];
        let batteries: Vec<Battery> = (0..rows).map(battery).collect();
        Ok(Self {
            place_deg,
            batteries,
            chargers: Chargers::new((0..rows).map(points).collect()),
            heat_pumps: (0..rows).map(heat_pump).collect(),
            responses: (0..rows).map(response).collect(),
            pv,
            net_w: column(),
            pv_w: column(),
            battery_w: column(),
            heat_pump_w: column(),
            shifted_w: column(),
            settings: settings.clone(),
            plan: PricePlan::default(),
            energy: DeviceEnergy::default(),
            parts: vec![DeviceEnergy::default(); rows.div_ceil(CHUNK_ROWS)],
        })
    }
    /// What they were made from.
    #[must_use]
    pub fn settings(&self) -> &DeviceSettings {
        &self.settings
    }
    /// Drawn by chargers in this step by building, watts.
    #[must_use]
    pub fn charging_w(&self) -> &[f64] {
        &self.chargers.charging_w
    }
    /// Energy since the start.
    #[must_use]
    pub fn energy(&self) -> &DeviceEnergy {
        &self.energy
    }
    /// Announces a car at a building; see [`Chargers::plug_in`].
    pub fn plug_in(&mut self, building: BuildingIx, session: Session) -> Option<u32> {
        self.chargers.plug_in(building, session)
    }
}
