//! People: who lives, works and visits where, what they plan to do in a day, and where they are now.
//!
//! `synthesis` makes persons from the statistical panel and the buildings, `plans` gives each a chain
//! of trips, `presence` moves them through it: a trip starts when its person is there and its time has
//! come, and ends when somebody (traffic, or the simple modes here) says so. Work is per event: a
//! person who stays where they are costs nothing.
//!
//! Domains never import each other: this crate knows no vehicle and no kilowatt.

pub mod choice;
pub mod persons;
pub mod plans;
pub mod presence;
pub mod settings;
pub mod simple_modes;
pub mod synthesis;

pub use persons::{Persons, Place, Places};
pub use plans::{Mode, Plans, Purpose};
pub use presence::{People, TripStarts, start_trips};
pub use settings::PopulationSettings;
pub use simple_modes::{SimpleTrips, advance_simple_modes};
pub use synthesis::{FitReport, Households};

use bevy_ecs::world::World;
use urbis_city::model::City;
use urbis_core::Clock;

/// Synthesises the population of a city and puts it into the world: [`Places`], [`Persons`],
/// [`Households`], [`FitReport`], [`Plans`], [`People`], [`TripStarts`], [`SimpleTrips`]. Paths in the settings are as the
/// program can open them.
///
/// # Errors
/// When the panel or the buildings do not give what the settings ask for.
pub fn install(
    world: &mut World,
    city: &City,
    settings: &PopulationSettings,
    seed: u64,
    clock: &Clock,
) -> urbis_core::Result<()> {
    let places = Places::new(city);
    let city_jobs = synthesis::jobs::Jobs::new(city, settings)?;
    let synthesis::residents::Synthetic { mut persons, households, report } =
        synthesis::residents::synthesise(city, settings, seed)?;
    let choices = choice::Destinations::new(city, &places, &city_jobs, settings);
    choices.assign_workplaces(&mut persons, settings, seed);
    let plans = plans::make(city, &places, &mut persons, &choices, settings, seed, clock)?;
    world.insert_resource(simple_modes::PopulationModel::new(settings));
    world.insert_resource(SimpleTrips::default());
    world.insert_resource(TripStarts::default());
    world.insert_resource(People::new(&persons, &plans, places.len()));
    world.insert_resource(households);
    world.insert_resource(report);
    world.insert_resource(city_jobs);
    world.insert_resource(places);
    world.insert_resource(persons);
    world.insert_resource(plans);
    Ok(())
}
