//! People: who lives, works and visits where, what they plan to do in a day, and where they are now.
//!
//! `synthesis` makes persons from the statistical panel and the buildings, `plans` gives each a chain
//! of trips, `presence` moves them through it: a trip starts when its person is there and its time has
//! come, and ends when somebody (traffic, or the simple modes here) says so. Work is per event: a
//! person who stays where they are costs nothing.
//!
//! Domains never import each other: this crate knows no vehicle and no kilowatt.

pub mod accessibility;
pub mod cells;
pub mod choice;
pub mod gravity;
pub mod hours;
mod land_use;
pub mod logit;
pub mod park_and_ride;
pub mod persons;
pub mod planner;
pub mod plans;
pub mod presence;
pub mod prices;
pub mod settings;
pub mod simple_modes;
pub mod skims;
pub mod surveys;
pub mod synthesis;
pub mod telework;

pub use cells::Cells;
pub use park_and_ride::Sites;
pub use persons::{Persons, Place, Places};
pub use planner::{LongTerm, Planner};
pub use plans::{Mode, Plans, Purpose};
pub use presence::{People, TripStarts, start_trips};
pub use settings::PopulationSettings;
pub use simple_modes::{SimpleTrips, advance_simple_modes};
pub use skims::Skims;
pub use synthesis::{FitReport, Households};

use bevy_ecs::world::World;
use urbis_city::model::City;

/// Synthesises the population of a city and puts it into the world: [`Sites`], [`Places`], [`Cells`], [`Persons`], [`Households`],
/// [`FitReport`], [`synthesis::jobs::Jobs`]. [`planner::Planner`] then makes their plans. Paths in the settings are as the
/// program can open them.
///
/// # Errors
/// When the panel or the buildings do not give what the settings ask for.
pub fn install(world: &mut World, city: &City, settings: &PopulationSettings, seed: u64) -> urbis_core::Result<()> {
    let sites = Sites::new(city, settings)?;
    let places = Places::new(city).with_sites(&sites);
    let city_jobs = synthesis::jobs::Jobs::new(city, settings)?;
    let synthesis::residents::Synthetic { persons, households, report } =
        synthesis::residents::synthesise(city, settings, seed)?;
    world.insert_resource(simple_modes::PopulationModel::new(settings));
    world.insert_resource(Cells::new(city, &places, settings.cells));
    world.insert_resource(households);
    world.insert_resource(report);
    world.insert_resource(city_jobs);
    world.insert_resource(places);
    world.insert_resource(sites);
    world.insert_resource(persons);
    Ok(())
}
