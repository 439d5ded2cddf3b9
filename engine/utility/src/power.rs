//! Electricity. `load` says what a building draws, by `shape` (the clock) and `thermal` (the weather), `devices` what is
//! behind its meter, `sums` adds buildings to zones and keeps the energy ledger; without a grid every watt asked for is
//! served. Grids are solved by `flow`: `grid` is what they are made of, `newton`, `sweep` and `linear` the methods, `case`
//! reads them from files, `series` and `n_minus_1` solve them many times; `control` moves taps and steers inverters,
//! `operation` is what happens to switches, `synthetic` makes a grid up for a city, `city_grid` is the one that carries the
//! loads of a run.

pub(crate) mod by_use;
pub mod case;
pub mod city_grid;
pub mod control;
pub mod devices;
pub mod elements;
pub mod flow;
pub mod grid;
pub mod grid_tables;
pub mod heating;
pub mod holidays;
pub mod intensity;
pub mod linear;
pub mod load;
pub mod matpower;
pub mod n_minus_1;
pub mod newton;
pub mod operation;
pub mod pandapower;
pub mod pgm;
pub mod profile;
pub mod series;
pub mod settings;
pub mod shape;
pub mod state;
pub mod sums;
pub mod sweep;
pub mod synthetic;
pub(crate) mod thermal;
pub mod three_phase;

pub use city_grid::{CityGrid, GridSettings, Needs};
pub use devices::{DeviceEnergy, DeviceSettings, DeviceStep, Devices};
pub use flow::{BranchFlow, Method, Outcome, PowerFlow, WorstBus};
pub use grid::{BusKind, Grid};
pub use intensity::Sector;
pub use load::{BuildingLoads, StepTime};
pub use newton::{NewtonSettings, PartOutcome, Start};
pub use settings::PowerSettings;
pub use sums::{ZoneLoads, serve_loads};

use crate::measures::Measures;
use crate::water::city::CityWater;
use crate::weather::Weather;
use bevy_ecs::world::World;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::{Clock, Problem, Result};

/// Puts [`BuildingLoads`], [`ZoneLoads`] and the [`Weather`] of a city into the world, and its [`CityGrid`] where it is to
/// have one, planned for the pumps of a [`CityWater`] that is there. Paths are relative to `folder`. [`Measures`] in the world
/// are taken into account; a grid is made without them.
///
/// # Errors
/// Settings that cannot be, weather that does not cover the period of the clock or the year that heating needs, settings or
/// files of which no grid can be made.
pub fn install(
    world: &mut World,
    city: &City,
    settings: &PowerSettings,
    weather: Weather,
    clock: &Clock,
    folder: &Path,
    seed: u64,
) -> Result<()> {
    if weather.is_known() && !weather.covers(clock.utc_ms(0), clock.utc_ms(clock.end())) {
        let what = "its file does not cover the period, expected air temperatures from start to end";
        return Err(Problem::file(Path::new("weather"), what).into());
    }
    let (year, offset_s) = (clock.local_date(0).year, clock.local_offset_s());
    // What a year asks for is that of the usual weather; how it is spread, and what is planned for, too.
    let usual = weather.usual();
    let measures = world.get_resource::<Measures>().cloned().unwrap_or_default();
    let mut loads = BuildingLoads::new(city, settings, &usual, year, offset_s)?;
    let mut pv_rated_w = Vec::new();
    let mut has_new_pump = Vec::new();
    if !settings.devices.is_default() || measures.have_devices() {
        let devices = Devices::with_measures(city, &settings.devices, &measures, seed)?;
        has_new_pump.clone_from(&devices.has_new_pump);
        if !weather.is_known() && devices.heat_pumps.iter().any(|of| of.floor_area_m2 > 0.0) {
            let what = "heat pumps need the air temperature, expected `file` or `climate`";
            return Err(Problem::file(Path::new("weather"), what).into());
        }
        let rated_w = |devices: &Devices| devices.pv.iter().map(|array| array.rated_w).collect();
        pv_rated_w = match (measures.pv.is_empty(), settings.devices.is_default()) {
            (true, _) => rated_w(&devices),
            (false, true) => Vec::new(),
            (false, false) => rated_w(&Devices::new(city, &settings.devices, seed)?),
        };
        world.insert_resource(devices);
    }
    if !settings.grid.is_none() {
        let mut highest_w = loads.highest_w(city, &usual, year, offset_s);
        if let Some(water) = world.get_resource::<CityWater>() {
            // Pumps share the supply of a building.
            for (pump, need) in water.power_needs().iter().enumerate() {
                if let Some(highest_w) = highest_w.get_mut(need.building as usize) {
                    *highest_w += water.run().pump_rated_w(pump);
                }
            }
        }
        let needs = Needs { highest_w: &highest_w, pv_rated_w: &pv_rated_w };
        world.insert_resource(CityGrid::new(city, &settings.grid, &needs, folder, seed, clock.end())?);
    }
    loads.change_heating(&measures.heat_left(city.buildings.len()), &has_new_pump);
    world.insert_resource(ZoneLoads::new(city, &loads));
    world.insert_resource(loads);
    world.insert_resource(weather);
    Ok(())
}
