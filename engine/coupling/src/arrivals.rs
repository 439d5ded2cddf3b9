//! Trips that have ended, brought back to the people who made them.

use crate::park_and_ride::Changes;
use bevy_ecs::system::{Res, ResMut};
use urbis_core::Clock;
use urbis_population::presence::TripEnd;
use urbis_population::{People, Plans, SimpleTrips};
use urbis_traffic::{Rejected, TripsEnded};

/// Puts the people whose trips ended at this tick into their places: cars first, then simple modes, each
/// in order of time and trip. Whose trip nobody could make stays where they were.
pub fn end_trips(
    clock: Res<'_, Clock>,
    plans: Res<'_, Plans>,
    by_car: Res<'_, TripsEnded>,
    rejected: Res<'_, Rejected>,
    simple: Res<'_, SimpleTrips>,
    changes: Res<'_, Changes>,
    mut people: ResMut<'_, People>,
) {
    let tick = clock.tick();
    for ended in &by_car.trips {
        let end = TripEnd {
            trip: ended.trip,
            arrive_ms: ended.arrive_ms,
            distance_m: ended.distance_m,
            wait_s: (ended.entered_ms - ended.depart_ms) as f32 / 1000.0,
        };
        people.end_trip(&plans, changes.complete(&plans, end), tick);
    }
    for (request, _) in &rejected.trips {
        people.reject_trip(&plans, request.trip);
    }
    for &end in &simple.ended {
        people.end_trip(&plans, changes.complete(&plans, end), tick);
    }
}
