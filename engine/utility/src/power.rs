//! Electricity. `load` says what a building draws, `sums` adds buildings to zones and keeps the energy ledger; every
//! watt asked for is served. Grids are solved by `flow`: `grid` is what they are made of, `newton`, `sweep` and `linear`
//! the methods, `case` reads them from files, `series` and `n_minus_1` solve them many times;
//! `synthetic` makes one up for a city, `city_grid` is the one that carries the loads of a run.

pub mod case;
pub mod city_grid;
pub mod elements;
mod fields;
pub mod flow;
pub mod grid;
pub mod grid_tables;
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
pub mod state;
pub mod sums;
pub mod sweep;
pub mod synthetic;
pub mod three_phase;

pub use city_grid::{CityGrid, GridSettings};
pub use flow::{BranchFlow, Method, Outcome, PowerFlow, WorstBus};
pub use grid::{BusKind, Grid};
pub use intensity::Sector;
pub use load::BuildingLoads;
pub use newton::{NewtonSettings, PartOutcome, Start};
pub use settings::PowerSettings;
pub use sums::{ZoneLoads, serve_loads};

use bevy_ecs::world::World;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::Result;

/// Puts [`BuildingLoads`] and [`ZoneLoads`] of a city into the world, and its [`CityGrid`] where it is to have one. Paths
/// are relative to `folder`.
///
/// # Errors
/// Settings or files of which no grid can be made.
pub fn install(world: &mut World, city: &City, settings: &PowerSettings, folder: &Path) -> Result<()> {
    let loads = BuildingLoads::new(city, settings);
    world.insert_resource(ZoneLoads::new(city, &loads));
    world.insert_resource(loads);
    if let Some(grid) = CityGrid::new(city, &settings.grid, folder)? {
        world.insert_resource(grid);
    }
    Ok(())
}
