//! Park-and-ride: people who change between their car and public transport at a site.
//!
//! A trip by park-and-ride is one trip of its person and has two parts. On the way out the car drives to the site, parks
//! there (a search, where parking is simulated), and its person goes on by public transport; on the way home public
//! transport comes first and the car last. Here the first part hands over to the second:
//!
//! | when | what |
//! | --- | --- |
//! | the first part ends | its person is changing, for the time from the car to the stop or back ([`change_vehicles`]) |
//! | that time is over | the second part begins ([`go_on`]) |
//! | the second part ends | the trip ends, with the ways of both (`Changes::complete`) |
//!
//! Whose car nobody can drive home from a site is put back to where the trip began, and the car stays.
//! Contract: in order of tick and trip, one after the other; nothing depends on threads. Who changes is on the way: the
//! audit counts them.

use crate::parking::CityParking;
use crate::policy::state::Policies;
use crate::transit::CityTransit;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use std::collections::BTreeSet;
use urbis_core::{Clock, Tick, TripIx};
use urbis_population::park_and_ride::ParkedTrip;
use urbis_population::plans::Mode;
use urbis_population::presence::TripEnd;
use urbis_population::{Persons, Places, Plans, SimpleTrips};
use urbis_traffic::{Departures, TripRequest, TripsEnded};

/// How the first part of a trip ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FirstPart {
    /// When, milliseconds since the start.
    pub end_ms: u32,
    /// Its way, metres.
    pub distance_m: f32,
    /// Seconds waited before the car was on the road.
    pub wait_s: f32,
}

/// Trips by park-and-ride under way.
#[derive(Clone, Debug, Default, Resource)]
pub struct Changes {
    /// By row of the trips by park-and-ride of [`Plans`]; nothing until the first part has ended.
    first: Vec<Option<FirstPart>>,
    /// Those who change, by the tick at which they go on.
    changing: BTreeSet<(Tick, TripIx)>,
}

impl Changes {
    /// Nobody has set out.
    #[must_use]
    pub fn new(plans: &Plans) -> Self {
        Self { first: vec![None; plans.parked.trips.len()], changing: BTreeSet::new() }
    }
    /// Persons who are between their car and public transport.
    #[must_use]
    pub fn changing(&self) -> u64 {
        self.changing.len() as u64
    }
    /// How the first part of a trip by park-and-ride ended, if it has.
    #[must_use]
    pub fn first_part(&self, plans: &Plans, trip: TripIx) -> Option<FirstPart> {
        self.first[plans.parked.row(trip)?]
    }

    /// Adds the first part to the end of a trip; other trips than those by park-and-ride are left as they are.
    pub(crate) fn complete(&self, plans: &Plans, mut end: TripEnd) -> TripEnd {
        if let Some(first) = self.first_part(plans, end.trip) {
            end.distance_m += first.distance_m;
            end.wait_s += first.wait_s;
        }
        end
    }

    /// Takes the end of a part if it is the first of its trip; whether it was.
    fn take(&mut self, plans: &Plans, trip: TripIx, was_driven: bool, first: FirstPart, tick: Tick) -> bool {
        let Some(row) = plans.parked.row(trip).filter(|&row| plans.parked.trips[row].drives_first == was_driven) else {
            return false;
        };
        self.first[row] = Some(first);
        self.changing.insert((tick + plans.parked.change_s.max(1), trip));
        true
    }
}

/// Begins a trip by park-and-ride with the first of its parts, at a tick, for a driver of a group.
pub(crate) fn set_out(
    parked: &ParkedTrip,
    (tick, group): (Tick, u8),
    plans: &Plans,
    places: &Places,
    departures: &mut Departures,
    transit: &mut CityTransit,
    simple: &mut SimpleTrips,
) {
    if parked.drives_first {
        drive(parked, (tick, group), plans, places, departures);
    } else {
        ride(parked.trip, tick, plans, transit, simple);
    }
}

/// The car, between home and site.
fn drive(parked: &ParkedTrip, (tick, group): (Tick, u8), plans: &Plans, places: &Places, departures: &mut Departures) {
    let row = parked.trip.row();
    let site = places.site(parked.site);
    let (from, to) = if parked.drives_first { (plans.from[row], site) } else { (site, plans.to[row]) };
    let (from, to) = (places.car_node[from.row()], places.car_node[to.row()]);
    departures.requests.push(TripRequest { trip: parked.trip, depart: tick, from, to, group });
}

/// Public transport, between site and where the day leads; without a journey as long as planned.
fn ride(trip: TripIx, tick: Tick, plans: &Plans, transit: &mut CityTransit, simple: &mut SimpleTrips) {
    if !transit.start(trip, tick) {
        let (time_s, way_m) = plans.ride_way(trip);
        simple.end_at(trip, tick * 1000 + (time_s * 1000.0).max(1000.0) as u32, way_m);
    }
}

/// Lets those go on whose change is over, with the second part of their trip; who takes the car leaves a space.
#[allow(clippy::too_many_arguments)] // hands over to all who move people
pub fn go_on(
    clock: Res<'_, Clock>,
    plans: Res<'_, Plans>,
    places: Res<'_, Places>,
    persons: Res<'_, Persons>,
    policies: Res<'_, Policies>,
    mut changes: ResMut<'_, Changes>,
    mut departures: ResMut<'_, Departures>,
    mut transit: ResMut<'_, CityTransit>,
    mut simple: ResMut<'_, SimpleTrips>,
    mut parking: ResMut<'_, CityParking>,
) {
    let tick = clock.tick();
    while let Some(&(due, trip)) = changes.changing.first()
        && due <= tick
    {
        changes.changing.pop_first();
        let Some(parked) = plans.parked.of(trip) else { unreachable!("only trips by park-and-ride change") };
        if parked.drives_first {
            ride(trip, tick, &plans, &mut transit, &mut simple);
        } else {
            let person = plans.person[trip.row()];
            parking.leave(person.row());
            let group = policies.group_of(&persons, person, Mode::ParkAndRide, tick);
            drive(parked, (tick, group), &plans, &places, &mut departures);
        }
    }
}

/// Keeps the ends of first parts from being the ends of trips.
pub fn change_vehicles(
    clock: Res<'_, Clock>,
    plans: Res<'_, Plans>,
    mut by_car: ResMut<'_, TripsEnded>,
    mut simple: ResMut<'_, SimpleTrips>,
    mut changes: ResMut<'_, Changes>,
) {
    if plans.parked.trips.is_empty() {
        return;
    }
    let tick = clock.tick();
    by_car.trips.retain(|end| {
        let wait_s = (end.entered_ms - end.depart_ms) as f32 / 1000.0;
        let first = FirstPart { end_ms: end.arrive_ms, distance_m: end.distance_m, wait_s };
        !changes.take(&plans, end.trip, true, first, tick)
    });
    simple.ended.retain(|end| {
        let first = FirstPart { end_ms: end.arrive_ms, distance_m: end.distance_m, wait_s: 0.0 };
        !changes.take(&plans, end.trip, false, first, tick)
    });
}
