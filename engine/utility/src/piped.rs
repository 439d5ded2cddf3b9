//! Networks of pipes in a city's run: which there are, and the step that all of them take.
//!
//! | network | what buildings ask of it |
//! | --- | --- |
//! | water | litres of those who are there ([`crate::water_demand`]) |
//! | heat | heat for rooms and hot water ([`crate::heat_loads`]), of buildings that are connected |
//! | gas | the same, of buildings that heat with gas |
//! | sewer | takes the water that they got, and the rain |
//!
//! A building takes its heat from district heat if it is connected, else from gas if it has that. Networks step with
//! electricity; they do not see one another within a step, so they are solved side by side.

use crate::gas::city::{CityGas, GasSettings};
use crate::heat::city::{CityHeat, CityHeatSettings, HeatNeeds};
use crate::heat_loads::HeatLoads;
use crate::measures::Measures;
use crate::pipes::synthetic::coincidence::own_peaks_w;
use crate::power::load::StepTime;
use crate::power::thermal::is_heated_by_electricity;
use crate::power::{Devices, PowerSettings};
use crate::sewer::city_sewer::{CitySewer, SewerNeeds, SewerSettings};
use crate::telecom::city::{CityTelecom, CityTelecomSettings};
use crate::water::city::{CityWater, WaterSettings};
use crate::water_demand::{HOURS, WaterDemands};
use crate::weather::Weather;
use crate::wiring::NetworkSource;
use bevy_ecs::system::{Local, Res, ResMut};
use bevy_ecs::world::World;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::rng::Rng;
use urbis_core::{Clock, Domain, Result};

/// Purpose of the draw of who heats with gas.
const GAS: u32 = 0x6761_7300;

/// What a scenario says of its pipes, and of its mobile sites.
#[derive(Clone, Copy, Debug)]
pub struct PipedSettings<'a> {
    /// Electricity, whose heating says what rooms need.
    pub power: &'a PowerSettings,
    /// Drinking water.
    pub water: &'a WaterSettings,
    /// Gas.
    pub gas: &'a GasSettings,
    /// District heat.
    pub heat: &'a CityHeatSettings,
    /// Sewers.
    pub sewer: &'a SewerSettings,
    /// Mobile sites.
    pub telecom: &'a CityTelecomSettings,
    /// What one simulated person stands for.
    pub persons_scale: f64,
}

impl PipedSettings<'_> {
    fn has_heat(&self) -> bool {
        !self.gas.is_none() || !self.heat.is_none()
    }
}

/// Puts the water network that a scenario has into the world, before the grid, which is planned for its pumps too. Paths are
/// relative to `folder`.
///
/// # Errors
/// Settings, files or streets of which it cannot be made.
pub fn install_water(
    world: &mut World,
    city: &City,
    settings: &WaterSettings,
    clock: &Clock,
    folder: &Path,
) -> Result<()> {
    if settings.is_none() {
        return Ok(());
    }
    let measures = world.get_resource::<Measures>().cloned().unwrap_or_default();
    let usual = WaterDemands::new(&settings.demand, &city.buildings.purpose, &city.buildings.floor_area_m2)?.usual();
    let (drawn, local_start_s) = ([&usual.mean_m3ps[..], &usual.peak_m3ps[..]], clock.local_second_of_day(0));
    let water = CityWater::with_measures(city, settings, drawn, folder, local_start_s, &measures.water)?;
    world.insert_resource(water);
    Ok(())
}

/// Puts the other networks that a scenario has into the world, with what asks for all of them. Paths are relative to `folder`.
/// Networks are made without [`Measures`] that are in the world; then those to whom district heat is laid by them leave gas for it, and
/// those who get a heat pump leave both.
///
/// # Errors
/// Settings, files, weather or streets of which a network cannot be made.
pub fn install(
    world: &mut World,
    city: &City,
    settings: PipedSettings<'_>,
    clock: &Clock,
    folder: &Path,
) -> Result<()> {
    let has_water = !settings.water.is_none() || !settings.sewer.is_none();
    if !has_water && !settings.has_heat() && settings.telecom.is_none() {
        return Ok(());
    }
    let buildings = &city.buildings;
    let measures = world.get_resource::<Measures>().cloned().unwrap_or_default();
    let mut draws = WaterDemands::new(&settings.water.demand, &buildings.purpose, &buildings.floor_area_m2)?;
    let usual = draws.usual();
    if !settings.telecom.is_none() {
        let most = |row: usize| {
            let persons = (0..HOURS).map(|hour| {
                draws.by_use().reference_persons(buildings.purpose[row], buildings.floor_area_m2[row], hour)
            });
            (persons.fold(0.0, f64::max) / settings.persons_scale).ceil() as u32
        };
        let persons: Vec<u32> = (0..buildings.len()).map(most).collect();
        let telecom = CityTelecom::new(city, settings.telecom, &persons, settings.persons_scale, folder)?;
        world.insert_resource(telecom);
    }
    let needs = SewerNeeds {
        dry_m3ps: &usual.mean_m3ps,
        start_day: clock.local_date(0).days(),
        start_of_day_s: f64::from(clock.local_second_of_day(0)),
    };
    let has_sewer = !settings.sewer.is_none();
    // A made-up sewer is tried in storms, which takes as long as all else.
    let (sewer, heat_and_gas) = rayon::join(
        || has_sewer.then(|| CitySewer::new(city, settings.sewer, &needs, folder)).transpose(),
        || {
            if settings.has_heat() {
                install_heat_and_gas(world, city, settings, &draws, clock, folder)
            } else {
                Ok(())
            }
        },
    );
    sewer?.into_iter().for_each(|sewer| world.insert_resource(sewer));
    heat_and_gas?;
    draws.factors = measures.water.draw_factors(buildings.len());
    world.insert_resource(draws);
    Ok(())
}

/// District heat and gas, and the loads of both.
fn install_heat_and_gas(
    world: &mut World,
    city: &City,
    settings: PipedSettings<'_>,
    draws: &WaterDemands,
    clock: &Clock,
    folder: &Path,
) -> Result<()> {
    let (buildings, usual, local_start_s) = (&city.buildings, draws.usual(), clock.local_second_of_day(0));
    let measures = world.get_resource::<Measures>().cloned().unwrap_or_default();
    let weather = world.resource::<Weather>();
    let mut loads = HeatLoads::new(city, settings.power, &settings.heat.profiles, weather, clock)?;
    loads.ask(StepTime::of(clock));
    let hour = (local_start_s / 3600) as usize;
    let rooms_peak_w = loads.highest_w();
    let is_free = |row: usize| !is_heated_by_electricity(&settings.power.heating, row);
    let of_free = |value: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (0..buildings.len()).map(|row| if is_free(row) { value(row) } else { 0.0 }).collect()
    };
    let peak_w = own_peaks_w(city, &of_free(&|row| rooms_peak_w[row] + usual.hot_peak_w[row]));
    let kwh_year = of_free(&|row| loads.rooms_kwh_year[row] + usual.hot_kwh_year[row]);
    let first_w = of_free(&|row| loads.rooms_w[row] + draws.usual_at(row, hour).1);
    let joins = measures.joins_district_heat(buildings.len());
    let mut heat_after = None;
    if !settings.heat.is_none() {
        let heat = |joins: &[bool]| {
            let needs = HeatNeeds { peak_w: &peak_w, kwh_year: &kwh_year, first_w: &first_w, joins };
            CityHeat::new(city, settings.heat, &needs, folder, clock.period(Domain::Power).ticks())
        };
        world.insert_resource(heat(&[])?);
        heat_after = (!joins.is_empty()).then(|| heat(&joins)).transpose()?;
    }
    if !settings.gas.is_none() {
        let heat = world.get_resource::<CityHeat>();
        let of_gas = |row: usize| {
            let has_other = heat.is_some_and(|heat| heat.is_connected(row));
            let is_drawn = Rng::new(0, row as u32, 0, GAS).uniform() < settings.gas.share;
            if !has_other && is_drawn { peak_w[row] } else { 0.0 }
        };
        let gas_w: Vec<f64> = (0..buildings.len()).map(of_gas).collect();
        let is_file = settings.gas.source == NetworkSource::File;
        let mut gas = CityGas::new(city, settings.gas, if is_file { &peak_w } else { &gas_w }, folder)?;
        if let Some(after) = &heat_after {
            let joined = |row: &usize| after.is_connected(*row) && !heat.is_some_and(|heat| heat.is_connected(*row));
            (0..buildings.len()).filter(joined).for_each(|row| gas.leave(row));
        }
        world.insert_resource(gas);
    }
    heat_after.into_iter().for_each(|heat| world.insert_resource(heat));
    loads.save(&measures.heat_left(buildings.len()));
    world.insert_resource(loads);
    leave_for_pumps(world);
    Ok(())
}

/// Takes buildings with new heat pumps off gas and district heat; their pumps are to make the hot water too.
fn leave_for_pumps(world: &mut World) {
    let Some(mut devices) = world.remove_resource::<Devices>() else { return };
    let mut is_on_pipes = vec![false; devices.has_new_pump.len()];
    let of_pumps = || (0..devices.has_new_pump.len()).filter(|&row| devices.has_new_pump[row]);
    if let Some(mut gas) = world.get_resource_mut::<CityGas>() {
        for row in of_pumps() {
            is_on_pipes[row] |= gas.is_connected(row);
            gas.leave(row);
        }
    }
    if let Some(mut heat) = world.get_resource_mut::<CityHeat>() {
        for row in of_pumps() {
            is_on_pipes[row] |= heat.is_connected(row);
            heat.leave(row);
        }
    }
    devices.make_hot_water(is_on_pipes);
    world.insert_resource(devices);
}

/// Carries what is asked for through the step that starts now.
#[allow(clippy::too_many_arguments)] // what the system reads and writes
pub fn serve_pipes(
    clock: Res<'_, Clock>,
    weather: Res<'_, Weather>,
    water: Option<ResMut<'_, CityWater>>,
    gas: Option<ResMut<'_, CityGas>>,
    heat: Option<ResMut<'_, CityHeat>>,
    draws: Option<Res<'_, WaterDemands>>,
    sewer: Option<ResMut<'_, CitySewer>>,
    mut sewage_m3ps: Local<'_, Vec<f64>>,
) {
    if !clock.is_due(Domain::Power) {
        return;
    }
    let (from_s, seconds) = (clock.tick(), clock.step_ticks(Domain::Power));
    let water_and_sewer = || {
        let served = water.map(|mut of| {
            of.step(from_s, seconds);
            of
        });
        let (Some(draws), Some(mut sewer)) = (draws, sewer) else { return };
        sewage_m3ps.clone_from(&draws.demand_m3ps);
        if let Some(water) = served {
            sewage_m3ps.iter_mut().zip(&water.served_share).for_each(|(sewage, share)| *sewage *= share);
        }
        let rain = |second: u32| weather.rain_mm_per_h(clock.utc_ms(second)).unwrap_or(0.0);
        drain(&mut sewer, &sewage_m3ps, from_s, seconds, rain);
    };
    rayon::join(water_and_sewer, || {
        rayon::join(|| gas.map(|mut of| of.step(from_s, seconds)), || heat.map(|mut of| of.step(from_s, seconds)))
    });
}

/// Takes sewage and rain through a step, in the sewer's own steps; the rain is that of the weather, mm/h at a second, where the sewer has
/// none of its own.
fn drain(sewer: &mut CitySewer, sewage_m3ps: &[f64], from_s: u32, seconds: u32, weather: impl Fn(u32) -> f64) {
    let step_s = sewer.settings().step_s.max(1);
    let mut gone_s = 0;
    while gone_s < seconds {
        let part_s = step_s.min(seconds - gone_s);
        let begin_s = from_s + gone_s;
        let rain_mm_per_h = match sewer.settings().has_rain() {
            true => sewer.rain_mm_per_h(f64::from(begin_s), f64::from(part_s)),
            false => weather(begin_s + part_s / 2),
        };
        sewer.step(sewage_m3ps, rain_mm_per_h, f64::from(part_s));
        gone_s += part_s;
    }
}
