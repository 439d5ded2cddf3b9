//! Trains, trams, trolleybuses and cable cars whose line has no current stand at their stops until it is back.
//!
//! A section has the supply of the building nearest to its stop. A vehicle that is to leave a dark stop in a power step leaves
//! when the step is over, and again so until there is current; between stops it rolls on to the next. Ferries, buses and
//! other kinds go on. Which railways are electric is not in timetables: all of them are taken to be.
//!
//! Ignored: batteries of vehicles, trains that block one another, passengers who get off and walk.
//! Contract: sequential in order of trips.

use crate::powered::nearest_building;
use crate::settings::CouplingSettings;
use crate::transit::CityTransit;
use bevy_ecs::system::{Local, Res, ResMut};
use urbis_city::model::City;
use urbis_core::{Clock, Domain};
use urbis_utility::power::CityGrid;

/// Holds vehicles at dark stops through the power step that starts.
pub fn hold_trains(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    settings: Res<'_, CouplingSettings>,
    grid: Option<Res<'_, CityGrid>>,
    mut stop_building: Local<'_, Option<Vec<u32>>>,
    mut transit: ResMut<'_, CityTransit>,
) {
    let is_due = settings.power_to_rail && clock.is_due(Domain::Power);
    let Some(grid) = grid.filter(|grid| is_due && grid.operation().dark_customers() > 0) else { return };
    let buildings = stop_building.get_or_insert_with(|| {
        let near = |place: [f64; 2]| if place[0].is_finite() { nearest_building(&city, place) } else { u32::MAX };
        transit.stop_places().into_iter().map(near).collect()
    });
    let is_dark = |stop: usize| buildings[stop] != u32::MAX && !grid.is_supplied(buildings[stop] as usize);
    transit.hold(clock.tick(), clock.step_ticks(Domain::Power), is_dark);
}
