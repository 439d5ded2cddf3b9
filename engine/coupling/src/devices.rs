//! Devices behind the meters of buildings, told what the city does: weather, prices, whether the grid serves them and how
//! loaded it is, and the cars that come home.
//!
//! Electric cars are those of so many persons, drawn by person. A car that arrives at a building with a free point is
//! plugged in until its driver's next trip by car, and wants what it has used since it was last charged; all are full
//! when the period begins. Where the building has none, it goes to public points nearby and queues for one; there all comes
//! a step of the grid later, so that cars keep the order and the distances in which they came. One simulated person stands for
//! several in a sample, and so does their car.

use crate::settings::CouplingSettings;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Local, Res, ResMut};
use urbis_city::model::City;
use urbis_core::rng::Rng;
use urbis_core::units::JOULES_PER_KWH;
use urbis_core::{BuildingIx, Clock, Domain};
use urbis_population::plans::Mode;
use urbis_population::simple_modes::PopulationModel;
use urbis_population::{Persons, Places, Plans};
use urbis_traffic::TripsEnded;
use urbis_utility::Weather;
use urbis_utility::power::devices::Session;
use urbis_utility::power::{BuildingLoads, CityGrid, DeviceStep, Devices};
use urbis_utility::water_demand::WaterDemands;

/// Purpose of the draws of electric cars.
const PURPOSE: u32 = 0x4556_0001;
/// Air temperature where no weather is known, degrees Celsius: that of the standard atmosphere.
const STANDARD_C: f64 = 15.0;
/// Hours of prices that devices know.
const HORIZON_H: usize = 24;
/// Stay of a car whose driver does not drive again in the period, seconds.
const LAST_STAY_S: i64 = 12 * 3600;

/// Electric cars; columns by person.
#[derive(Clone, Debug, Default, Resource)]
pub struct ElectricCars {
    is_electric: Vec<bool>,
    /// Driven since the car was last charged, metres.
    driven_m: Vec<f64>,
    /// Power that a car can take, watts.
    power_max_w: f64,
}

impl ElectricCars {
    /// Cars of persons, by the share that holds for each.
    #[must_use]
    pub fn new(persons: &Persons, share: impl Fn(usize) -> f64, power_max_w: f64, seed: u64) -> Self {
        let is_electric = |person: usize| Rng::new(seed, persons.key(person), 0, PURPOSE).chance(share(person));
        let count = persons.len();
        Self { is_electric: (0..count).map(is_electric).collect(), driven_m: vec![0.0; count], power_max_w }
    }
}

/// Plugs in the electric cars that arrived in this tick.
#[allow(clippy::too_many_arguments)] // a coupling reads both sides
pub fn plug_in_cars(
    clock: Res<'_, Clock>,
    plans: Res<'_, Plans>,
    places: Res<'_, Places>,
    by_car: Res<'_, TripsEnded>,
    model: Res<'_, PopulationModel>,
    (city, settings): (Res<'_, City>, Res<'_, CouplingSettings>),
    cars: Option<ResMut<'_, ElectricCars>>,
    devices: Option<ResMut<'_, Devices>>,
) {
    let (Some(mut cars), Some(mut devices)) = (cars, devices) else { return };
    for ended in &by_car.trips {
        let trip = ended.trip.row();
        let person = plans.person[trip].row();
        if plans.mode[trip] != Mode::Car || !cars.is_electric[person] {
            continue;
        }
        cars.driven_m[person] += f64::from(ended.distance_m);
        let to = plans.to[trip];
        if to.row() >= places.buildings() {
            continue;
        }
        let mut later = plans.trips_of(plans.person[trip]).filter(|&next| next as usize > trip);
        let next = later.find(|&next| plans.mode[next as usize] == Mode::Car);
        let second = |tick: u32| clock.utc_ms(tick).div_euclid(1000);
        let arrival_s = second(clock.tick());
        let departure_s = next.map_or(second(clock.end()) + LAST_STAY_S, |next| second(plans.planned[next as usize]));
        let wanted_j = cars.driven_m[person] / 1000.0 * settings.electric_car_kwh_per_km * JOULES_PER_KWH;
        let Some(at) = devices.charged_at(BuildingIx(to.row() as u32), &city) else { continue };
        let later_s = if devices.chargers.is_public(at) { i64::from(clock.period(Domain::Power).ticks()) } else { 0 };
        let (arrival_s, departure_s) = (arrival_s + later_s, departure_s + later_s);
        let session = Session { arrival_s, departure_s, wanted_j, power_max_w: cars.power_max_w };
        let mut is_plugged_in = false;
        for _ in 0..(1.0 / model.sample_factor).round() as u32 {
            is_plugged_in |= devices.plug_in(at, session).is_some();
        }
        if is_plugged_in {
            cars.driven_m[person] = 0.0;
        }
    }
}

/// Runs devices through the power step that starts.
#[allow(clippy::too_many_arguments)] // a coupling reads all that devices look at
pub fn run_devices(
    clock: Res<'_, Clock>,
    loads: Res<'_, BuildingLoads>,
    weather: Res<'_, Weather>,
    grid: Option<Res<'_, CityGrid>>,
    draws: Option<Res<'_, WaterDemands>>,
    devices: Option<ResMut<'_, Devices>>,
    mut is_supplied: Local<'_, Vec<bool>>,
    mut prices: Local<'_, Vec<f64>>,
) {
    let Some(mut devices) = devices.filter(|_| clock.is_due(Domain::Power)) else { return };
    is_supplied.clear();
    if let Some(grid) = &grid {
        is_supplied.extend((0..loads.demand_w.len()).map(|building| grid.is_supplied(building)));
    }
    if let Some(draws) = draws {
        // Of the step before: people draw water after this.
        devices.ask_hot_water(&draws.hot_water_w);
    }
    let seconds = clock.step_ticks(Domain::Power);
    let middle_ms = clock.utc_ms(clock.tick()) + i64::from(seconds) * 500;
    if devices.settings().tariff != Default::default() {
        prices.resize(HORIZON_H, 0.0);
        devices.settings().tariff.horizon(clock.local_second_of_day(clock.tick()), &mut prices);
    }
    let step = DeviceStep {
        from_utc_ms: clock.utc_ms(clock.tick()),
        seconds,
        air_temp_c: weather.air_temp_c(middle_ms).unwrap_or(STANDARD_C),
        ghi_w_per_m2: weather.ghi_w_per_m2(middle_ms),
        cloud_transmittance: weather.cloud_share(middle_ms).map_or(1.0, through_clouds),
        price_per_kwh: &prices,
        grid_signal: grid.map_or(0.0, |grid| grid.signal()),
        demand_w: &loads.demand_w,
        is_supplied: &is_supplied,
    };
    if let Err(error) = devices.step(&step) {
        unreachable!("weather, prices and loads were checked when they were read: {error}");
    }
}

/// Share of the clear sky's global irradiance that comes through clouds which cover so much of it (F. Kasten and
/// G. Czeplak, Solar and terrestrial radiation dependent on the amount and type of cloud, Solar Energy 24, 1980).
fn through_clouds(cloud_share: f64) -> f64 {
    1.0 - 0.75 * cloud_share.clamp(0.0, 1.0).powf(3.4)
}
