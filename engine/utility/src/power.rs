//! Electricity. `load` says what a building draws, `sums` adds buildings to zones and keeps the energy
//! ledger. There is no grid yet: every watt asked for is served.

pub mod intensity;
pub mod load;
pub mod settings;
pub mod sums;

pub use intensity::Sector;
pub use load::BuildingLoads;
pub use settings::PowerSettings;
pub use sums::{ZoneLoads, serve_loads};

use bevy_ecs::world::World;
use urbis_city::model::City;

/// Puts [`BuildingLoads`] and [`ZoneLoads`] of a city into the world.
pub fn install(world: &mut World, city: &City, settings: &PowerSettings) {
    let loads = BuildingLoads::new(city, settings);
    world.insert_resource(ZoneLoads::new(city, &loads));
    world.insert_resource(loads);
}
