//! Devices behind the meters of buildings: who has which, and of what size. `step` runs them together; each device has a
//! file, which names its model and sources.
//!
//! Who has one is drawn by building and device from the shares by use, so that a larger share adds buildings and takes
//! none away. Sizes follow footprint, floor area and dwellings. Measures ([`crate::measures`]) raise shares in areas.
//!
//! Contract: a function of city, settings and seed.

pub mod battery;
pub mod charger;
mod check;
pub mod energy;
pub mod heat_pump;
pub mod public;
pub mod pv;
pub mod response;
pub mod settings;
pub mod step;
pub mod tariff;

pub use charger::{Chargers, Session, Stay};
pub use energy::DeviceEnergy;
pub use public::{PublicSettings, PublicSite};
pub use settings::DeviceSettings;
pub use step::DeviceStep;

use super::settings::refusing;
use crate::measures::{BatteryMeasure, Measures, largest};
use battery::{Battery, PricePlan};
use bevy_ecs::resource::Resource;
use heat_pump::{HeatPump, HeatRates};
use pv::PvArray;
use response::Response;
use settings::ByUse;
use std::borrow::Cow;
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
    Control,
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
    /// Whether a heat pump of a measure takes the place of other heating; empty: of none.
    pub has_new_pump: Vec<bool>,
    /// Whether its pump makes hot water; empty: no pump does.
    makes_hot_water: Vec<bool>,
    /// Heat for hot water that pumps make in this step, watts; empty: of none.
    hot_water_w: Vec<f64>,
    /// What is left of the losses of buildings, by the rates of heat pumps.
    losses_left: Vec<f64>,
    heat_rates: Vec<HeatRates>,
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
        Self::with_measures(city, settings, &Measures::default(), seed)
    }
    /// Devices of a city by settings, measures on top of them, and seed.
    ///
    /// # Errors
    /// As [`Devices::new`].
    pub fn with_measures(city: &City, settings: &DeviceSettings, measures: &Measures, seed: u64) -> Result<Self> {
        refusing("power.devices", |tell| settings.check(tell))?;
        let table = &city.buildings;
        let rows = table.len();
        let [west, south, east, north] = city.manifest.bbox_deg;
        let place_deg = [0.5 * (south + north), 0.5 * (west + east)];
        let rng = |row: usize, draw: Draw| Rng::new(seed, row as u32, draw as u32, PURPOSE);
        let has = |row: usize, draw: Draw, share: &ByUse| rng(row, draw).chance(share.of(table.purpose[row]));
        // By a measure and not by the settings, whose draw is the same.
        let gets = |row: usize, draw: Draw, share: f64| share > 0.0 && rng(row, draw).chance(share);
        let is_home = |row: usize| table.purpose[row] == BuildingUse::Residential;
        let dwellings = |row: usize| f64::from(table.dwellings.get(row).copied().unwrap_or(0).max(1));
        let array = |row: usize| {
            let mut of = Cow::Borrowed(&settings.pv);
            if !has(row, Draw::Pv, &settings.pv.share) {
                let Some(measure) = measures.pv.iter().find(|measure| gets(row, Draw::Pv, measure.of.at(row))) else {
                    return PvArray::default();
                };
                if let Some(module_w_per_m2) = measure.module_w_per_m2 {
                    of.to_mut().module_w_per_m2 = module_w_per_m2;
                }
            }
            let is_pitched = is_home(row) && table.floors[row] <= of.pitched_floors_max;
            PvArray::on_roof(&of, table.footprint_m2[row], is_pitched, place_deg[0], &mut rng(row, Draw::Roof))
        };
        let pv: Vec<PvArray> = (0..rows).map(array).collect();
        let battery = |row: usize| {
            let of = &settings.battery;
            let (mut kwh_per_dwelling, mut wh_per_m2) = (of.energy_kwh_per_dwelling, of.energy_wh_per_m2);
            let has_sun = pv[row].rated_w > 0.0;
            if !has(row, Draw::Battery, &of.share) || (of.is_only_with_pv && !has_sun) {
                let fits = |measure: &&BatteryMeasure| {
                    gets(row, Draw::Battery, measure.of.at(row)) && (has_sun || !measure.is_only_with_pv)
                };
                let Some(measure) = measures.batteries.iter().find(fits) else { return Battery::default() };
                kwh_per_dwelling = measure.kwh_per_dwelling.unwrap_or(kwh_per_dwelling);
                wh_per_m2 = measure.wh_per_m2.unwrap_or(wh_per_m2);
            }
            let kwh = match is_home(row) {
                true => kwh_per_dwelling * dwellings(row),
                false => wh_per_m2 * table.floor_area_m2[row] / 1000.0,
            };
            Battery { capacity_j: kwh * JOULES_PER_KWH, stored_j: kwh * JOULES_PER_KWH * of.initial_share }
        };
        let points = |row: usize| {
            let of = &settings.charger;
            if !has(row, Draw::Charger, &of.share) && !gets(row, Draw::Charger, largest(&measures.chargers, row)) {
                return 0;
            }
            let points = match is_home(row) {
                true => of.points_per_dwelling * dwellings(row),
                false => of.points_per_1000_m2 * table.floor_area_m2[row] / 1000.0,
            };
            points.round().max(1.0) as u32
        };
        let has_pump = |row: usize| has(row, Draw::HeatPump, &settings.heat_pump.share);
        let gets_pump = |row: usize| !has_pump(row) && gets(row, Draw::HeatPump, largest(&measures.heat_pumps, row));
        let heat_left = measures.heat_left(rows);
        let mut losses_left = vec![1.0];
        let mut rates = |row: usize| {
            let Some(&left) = heat_left.get(row) else { return 0 };
            let known = losses_left.iter().position(|&of| (of - left).abs() < 1e-12);
            known.unwrap_or_else(|| {
                losses_left.push(left);
                losses_left.len() - 1
            }) as u16
        };
        let heat_pump = |row: usize| {
            let floor_area_m2 = if has_pump(row) || gets_pump(row) { table.floor_area_m2[row] } else { 0.0 };
            HeatPump { floor_area_m2, indoor_c: settings.heat_pump.setpoint_c, rates: rates(row) }
        };
        let heat_pumps = (0..rows).map(heat_pump).collect();
        let controls = |row: usize| {
            let measure = measures.controls.iter().find(|measure| gets(row, Draw::Control, measure.of.at(row)));
            measure.map_or(settings.charger.control, |measure| measure.control)
        };
        let response = |row: usize| {
            let has_part = has(row, Draw::Response, &settings.response.share);
            Response { has_part, ..Response::default() }
        };
        let column = || vec![0.0; rows];
        let batteries: Vec<Battery> = (0..rows).map(battery).collect();
        let mut chargers = Chargers::new((0..rows).map(points).collect());
        public_points(city, settings, &mut chargers)?;
        if !measures.controls.is_empty() {
            chargers.controls = (0..rows).map(controls).collect();
        }
        Ok(Self {
            place_deg,
            batteries,
            chargers,
            heat_pumps,
            has_new_pump: if measures.heat_pumps.is_empty() { vec![] } else { (0..rows).map(gets_pump).collect() },
            makes_hot_water: Vec::new(),
            hot_water_w: Vec::new(),
            losses_left,
            heat_rates: Vec::new(),
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
    /// Says by building whether its pump makes hot water too.
    pub fn make_hot_water(&mut self, buildings: Vec<bool>) {
        if buildings.contains(&true) {
            self.makes_hot_water = buildings;
        }
    }
    /// Asks those pumps for hot water in the steps to come, by the heat that each building's takes, watts.
    pub fn ask_hot_water(&mut self, heat_w: &[f64]) {
        let Self { makes_hot_water, hot_water_w, .. } = self;
        hot_water_w.resize(makes_hot_water.len(), 0.0);
        for (hot_w, (&makes, &heat_w)) in hot_water_w.iter_mut().zip(makes_hot_water.iter().zip(heat_w)) {
            *hot_w = if makes { heat_w } else { 0.0 };
        }
    }
    /// Where a car is charged that comes to a building: there or, where it has no points, at the nearest public ones within
    /// reach.
    #[must_use]
    pub fn charged_at(&self, building: BuildingIx, city: &City) -> Option<BuildingIx> {
        if self.chargers.points.get(building.row()).is_some_and(|&points| points > 0) {
            return Some(building);
        }
        let table = &city.buildings;
        let away_m = |of: BuildingIx| {
            let (a, b) = (building.row(), of.row());
            (table.x_m[a] - table.x_m[b]).hypot(table.y_m[a] - table.y_m[b])
        };
        let sites = self.chargers.public().iter().map(|site| (away_m(site.building), site.building));
        let nearest = sites.min_by(|a, b| a.0.total_cmp(&b.0))?;
        (nearest.0 <= self.settings.charger.public_reach_m).then_some(nearest.1)
    }
    /// Announces a car at a building; see [`Chargers::plug_in`].
    pub fn plug_in(&mut self, building: BuildingIx, session: Session) -> Option<u32> {
        self.chargers.plug_in(building, session)
    }
}

/// Makes points of settings public ones.
///
/// # Errors
/// A building that the city has not, or that is named twice.
fn public_points(city: &City, settings: &DeviceSettings, chargers: &mut Chargers) -> Result<()> {
    refusing("power.devices", |tell| {
        for (row, of) in settings.charger.public.iter().enumerate() {
            let found = city.buildings.id.iter().position(|id| *id == of.building);
            let at = found.map(|at| BuildingIx(at as u32));
            match at.filter(|at| chargers.public().iter().all(|site| site.building != *at)) {
                Some(building) => {
                    chargers.make_public(PublicSite { building, power_w: of.power_w, points: of.points });
                }
                None => tell(
                    &format!("charger.public[{row}].building"),
                    format!("= {:?}, expected a building of the city, each once", of.building),
                ),
            }
        }
    })
}
