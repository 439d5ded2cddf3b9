//! Electricity. `load` says what a building draws, by `shape` (the clock) and `thermal` (the weather), `sums` adds
//! buildings to zones and keeps the energy ledger; every watt asked for is served. Grids are solved by `flow`: `grid`
//! is what they are made of, `newton`, `sweep` and `linear` the methods, `case` reads them from files, `series` and
//! `n_minus_1` solve them many times; `synthetic` makes one up for a city.

mod by_use;
pub mod case;
pub mod elements;
mod fields;
pub mod flow;
pub mod grid;
pub mod grid_csv;
pub mod heating;
pub mod holidays;
pub mod intensity;
mod json;
pub mod linear;
pub mod load;
pub mod matpower;
pub mod n_minus_1;
pub mod newton;
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
mod thermal;
pub mod three_phase;

pub use flow::{BranchFlow, Method, Outcome, PowerFlow, WorstBus};
pub use grid::{BusKind, Grid};
pub use intensity::Sector;
pub use load::{BuildingLoads, StepTime};
pub use newton::{NewtonSettings, PartOutcome, Start};
pub use settings::PowerSettings;
pub use sums::{ZoneLoads, serve_loads};

use crate::weather::Weather;
use bevy_ecs::world::World;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::{Clock, Problem, Result};

/// Puts [`BuildingLoads`], [`ZoneLoads`] and the [`Weather`] of a city into the world.
///
/// # Errors
/// Settings that cannot be, weather that does not cover the period of the clock or the year that heating needs.
pub fn install(
    world: &mut World,
    city: &City,
    settings: &PowerSettings,
    weather: Weather,
    clock: &Clock,
) -> Result<()> {
    if weather.is_known() && !weather.covers(clock.utc_ms(0), clock.utc_ms(clock.end())) {
        let what = "its file does not cover the period, expected air temperatures from start to end";
        return Err(Problem::file(Path::new("weather"), what).into());
    }
    let loads = BuildingLoads::new(city, settings, &weather, clock.local_date(0).year, clock.local_offset_s())?;
    world.insert_resource(ZoneLoads::new(city, &loads));
    world.insert_resource(loads);
    world.insert_resource(weather);
    Ok(())
}
