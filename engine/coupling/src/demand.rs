//! Trips that start now, handed to whoever moves them: cars and vans to traffic, passengers with a journey to public
//! transport, the rest to the simple modes.

use crate::policy::state::Policies;
use crate::transit::CityTransit;
use bevy_ecs::system::{Res, ResMut};
use urbis_core::Clock;
use urbis_population::plans::Mode;
use urbis_population::{Persons, Places, Plans, SimpleTrips, TripStarts};
use urbis_traffic::{Departures, TripRequest};

/// Hands over the trips that start at this tick, in order of trip.
#[allow(clippy::too_many_arguments)] // demand goes to all who move people
pub fn dispatch_trips(
    clock: Res<'_, Clock>,
    plans: Res<'_, Plans>,
    places: Res<'_, Places>,
    persons: Res<'_, Persons>,
    starts: Res<'_, TripStarts>,
    policies: Res<'_, Policies>,
    mut departures: ResMut<'_, Departures>,
    mut transit: ResMut<'_, CityTransit>,
    mut simple: ResMut<'_, SimpleTrips>,
) {
    let tick = clock.tick();
    for &trip in &starts.trips {
        let row = trip.row();
        if plans.mode[row].is_on_road() {
            let (from, to) = (places.car_node[plans.from[row].row()], places.car_node[plans.to[row].row()]);
            let group = policies.group_of(&persons, plans.person[row], plans.mode[row], tick);
            departures.requests.push(TripRequest { trip, depart: tick, from, to, group });
        } else if plans.mode[row] != Mode::Transit || !transit.start(trip, tick) {
            simple.start(trip, tick, &plans);
        }
    }
}
