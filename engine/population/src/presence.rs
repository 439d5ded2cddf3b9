//! Where everybody is, and the trips that start now.
//!
//! A trip starts at its planned tick if its person is there and has stayed long enough; who is late
//! leaves when the shortest stay is over. One calendar holds the planned starts (sorted once), a small
//! heap the late ones; persons who stay are never looked at.
//!
//! What nobody foresaw may move people outside their plans: others then [`People::suspend`] a person, whose plan rests,
//! and start extra trips for them; and no planned trip starts that leads into a place that is barred.
//!
//! Law: every person is in exactly one place, a building, outside, or on the way.

use crate::persons::{Persons, Place};
use crate::plans::Plans;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use urbis_core::clock::Tick;
use urbis_core::{Clock, PersonIx, TripIx};

/// Tick that never comes.
pub const NEVER: Tick = Tick::MAX;

/// Where everybody is. Columns by person, by place and by trip.
#[derive(Clone, Debug, Default, Resource)]
pub struct People {
    /// By person: where they are, [`Place::TRAVELLING`] on the way.
    pub place: Vec<Place>,
    /// By person: their next trip, a row of [`Plans`].
    next_trip: Vec<u32>,
    /// By person: the earliest tick at which they may leave.
    ready: Vec<Tick>,
    /// By place: persons there.
    pub present: Vec<u32>,
    /// Persons on the way.
    pub travelling: u32,
    /// By trip: the tick it started at, or [`NEVER`].
    pub started: Vec<Tick>,
    /// By trip: when it ended, milliseconds since the start, or `u32::MAX`.
    pub ended_ms: Vec<u32>,
    /// By trip: way travelled, metres; NaN until it ended.
    pub distance_m: Vec<f32>,
    /// By trip: seconds waited before the vehicle was on the road.
    pub wait_s: Vec<f32>,
    /// By trip: whether nobody could move it.
    pub is_rejected: Vec<bool>,
    /// Late starts: (tick, trip), soonest first.
    late: BinaryHeap<Reverse<(Tick, u32)>>,
    /// By person: whether their plan rests; empty while nobody's does.
    suspended: Vec<bool>,
    /// By person: their last trip outside their plan, or `u32::MAX`; empty while nobody has made one.
    extra: Vec<u32>,
    /// By place: how many bar it; empty while nobody does.
    barred: Vec<u16>,
    /// Planned trips that did not start since they lead into a place that is barred.
    held: Vec<u32>,
}

/// Trips that start at this tick, in order of trip.
#[derive(Clone, Debug, Default, Resource)]
pub struct TripStarts {
    /// Rows of [`Plans`].
    pub trips: Vec<TripIx>,
}

/// A trip that has ended, whoever moved it.
#[derive(Clone, Copy, Debug)]
pub struct TripEnd {
    /// Which.
    pub trip: TripIx,
    /// When, milliseconds since the start.
    pub arrive_ms: u32,
    /// Way travelled, metres.
    pub distance_m: f32,
    /// Seconds waited before the vehicle was on the road.
    pub wait_s: f32,
}

impl People {
    /// Everybody at home, at tick 0.
    #[must_use]
    pub fn new(persons: &Persons, plans: &Plans, places: usize) -> Self {
        let mut present = vec![0; places];
        for home in &persons.home {
            present[home.row()] += 1;
        }
        Self {
            place: persons.home.clone(),
            next_trip: plans.first_trip[..persons.len()].to_vec(),
            ready: vec![0; persons.len()],
            present,
            travelling: 0,
            started: vec![NEVER; plans.len()],
            ended_ms: vec![u32::MAX; plans.len()],
            distance_m: vec![f32::NAN; plans.len()],
            wait_s: vec![0.0; plans.len()],
            is_rejected: vec![false; plans.len()],
            late: BinaryHeap::new(),
            suspended: Vec::new(),
            extra: Vec::new(),
            barred: Vec::new(),
            held: Vec::new(),
        }
    }

    /// What a person does now, in the words of the tables, and where; on the way, the place they left.
    #[must_use]
    pub fn doing(&self, persons: &Persons, plans: &Plans, person: PersonIx) -> (&'static str, Place) {
        let row = person.row();
        let last = self.last_trip(plans, person);
        match (last, self.place[row]) {
            (Some(trip), Place::TRAVELLING) => ("travelling", plans.from[trip as usize]),
            (Some(trip), at) if at == plans.to[trip as usize] => (plans.purpose[trip as usize].name(), at),
            // At home from the start, or back where a trip could not be made from.
            (_, at) => ("home", if at == Place::TRAVELLING { persons.home[row] } else { at }),
        }
    }

    /// Starts a trip if its person is there, may leave, and has no earlier trip to make.
    fn try_start(&mut self, plans: &Plans, trip: TripIx, tick: Tick) -> bool {
        let person = plans.person[trip.row()].row();
        let from = plans.from[trip.row()];
        if self.next_trip[person] != trip.0 || self.place[person] != from || self.ready[person] > tick {
            return false;
        }
        if self.is_suspended(plans.person[trip.row()]) {
            return false;
        }
        if self.is_barred(plans.to[trip.row()]) && !self.is_barred(from) {
            self.held.push(trip.0);
            return false;
        }
        self.next_trip[person] += 1;
        self.set_out(person, from);
        self.started[trip.row()] = tick;
        true
    }

    fn set_out(&mut self, person: usize, from: Place) {
        self.place[person] = Place::TRAVELLING;
        self.present[from.row()] -= 1;
        self.travelling += 1;
    }

    /// The trip that brought somebody to where they are, or the one that they are on; nothing for who has not left yet.
    #[must_use]
    pub fn last_trip(&self, plans: &Plans, person: PersonIx) -> Option<u32> {
        let row = person.row();
        let made = |&trip: &u32| self.started[trip as usize] != NEVER;
        // A plan that rested has trips that were left out.
        let planned = (plans.trips_of(person).start..self.next_trip[row]).rev().find(made);
        let extra = self.extra.get(row).copied().filter(|&trip| trip != u32::MAX);
        let Some(extra) = extra else { return planned };
        let is_later = |&trip: &u32| self.started[trip as usize] >= self.started[extra as usize];
        planned.filter(is_later).or(Some(extra))
    }

    /// The next trip of somebody's plan, if there is one.
    #[must_use]
    pub fn next_trip(&self, plans: &Plans, person: PersonIx) -> Option<u32> {
        Some(self.next_trip[person.row()]).filter(|trip| plans.trips_of(person).contains(trip))
    }

    /// Whether somebody's plan rests.
    #[inline]
    #[must_use]
    pub fn is_suspended(&self, person: PersonIx) -> bool {
        self.suspended.get(person.row()).copied().unwrap_or(false)
    }
    /// Lets somebody's plan rest: they start no trip of it. Who is on the way goes on.
    pub fn suspend(&mut self, person: PersonIx) {
        self.suspended.resize(self.place.len(), false);
        self.suspended[person.row()] = true;
    }
    /// Lets somebody go on with their plan from the first trip after a tick that starts where they are; what lies before
    /// is left out.
    pub fn resume(&mut self, plans: &Plans, person: PersonIx, tick: Tick) {
        let row = person.row();
        if let Some(is_suspended) = self.suspended.get_mut(row) {
            *is_suspended = false;
        }
        let at = self.place[row];
        if at == Place::TRAVELLING {
            return;
        }
        let rest = self.next_trip[row]..plans.trips_of(person).end;
        let fits = |&trip: &u32| plans.planned[trip as usize] > tick && plans.from[trip as usize] == at;
        self.next_trip[row] = rest.clone().find(fits).unwrap_or(rest.end);
    }

    /// Starts a trip outside the plan of its person if they are where it starts.
    pub fn start_extra(&mut self, plans: &Plans, trip: TripIx, tick: Tick) -> bool {
        let row = trip.row();
        let (person, from) = (plans.person[row].row(), plans.from[row]);
        self.started.resize(plans.len(), NEVER);
        self.ended_ms.resize(plans.len(), u32::MAX);
        self.distance_m.resize(plans.len(), f32::NAN);
        self.wait_s.resize(plans.len(), 0.0);
        self.is_rejected.resize(plans.len(), false);
        if self.place[person] != from {
            return false;
        }
        self.extra.resize(self.place.len(), u32::MAX);
        self.extra[person] = trip.0;
        self.set_out(person, from);
        self.started[row] = tick;
        true
    }

    /// Whether a place is barred.
    #[inline]
    #[must_use]
    pub fn is_barred(&self, place: Place) -> bool {
        self.barred.get(place.row()).is_some_and(|&by| by > 0)
    }
    /// Bars places, by place: no planned trip starts that leads into them from elsewhere.
    pub fn bar(&mut self, places: &[bool]) {
        self.barred.resize(self.present.len(), 0);
        self.barred.iter_mut().zip(places).for_each(|(by, &is_in)| *by += u16::from(is_in));
    }
    /// Takes back a [`People::bar`]: trips that were held and lead nowhere barred any more start in the next tick.
    pub fn unbar(&mut self, places: &[bool], plans: &Plans, tick: Tick) {
        self.barred.iter_mut().zip(places).for_each(|(by, &is_in)| *by = by.saturating_sub(u16::from(is_in)));
        let mut held = std::mem::take(&mut self.held);
        held.retain(|&trip| {
            let stays = self.is_barred(plans.to[trip as usize]);
            if !stays {
                self.late.push(Reverse((tick + 1, trip)));
            }
            stays
        });
        self.held = held;
    }

    /// Ends a trip: its person is there, and the next start is put into the calendar if it is overdue.
    /// Panics when the trip is not under way, which no input can cause.
    pub fn end_trip(&mut self, plans: &Plans, end: TripEnd, tick: Tick) {
        let row = end.trip.row();
        let person = plans.person[row].row();
        assert!(self.place[person] == Place::TRAVELLING, "trip {row} ended but was not under way");
        let to = plans.to[row];
        self.place[person] = to;
        self.present[to.row()] += 1;
        self.travelling -= 1;
        self.ended_ms[row] = end.arrive_ms;
        self.distance_m[row] = end.distance_m;
        self.wait_s[row] = end.wait_s;
        let next = self.next_trip[person];
        if plans.trips_of(plans.person[row]).contains(&next) {
            let ready = tick + plans.stay_min[next as usize];
            self.ready[person] = ready;
            if plans.planned[next as usize] < ready {
                self.late.push(Reverse((ready, next)));
            }
        }
    }

    /// Takes back a trip that nobody could move: its person is where they were and stays, since every
    /// later trip starts elsewhere. Panics when the trip is not under way, which no input can cause.
    pub fn reject_trip(&mut self, plans: &Plans, trip: TripIx) {
        let row = trip.row();
        let person = plans.person[row].row();
        assert!(self.place[person] == Place::TRAVELLING, "trip {row} was rejected but was not under way");
        let from = plans.from[row];
        self.place[person] = from;
        self.present[from.row()] += 1;
        self.travelling -= 1;
        self.is_rejected[row] = true;
    }
}

/// Starts the trips whose time has come. Writes [`People`] and [`TripStarts`].
pub fn start_trips(
    clock: Res<'_, Clock>,
    plans: Res<'_, Plans>,
    mut people: ResMut<'_, People>,
    mut starts: ResMut<'_, TripStarts>,
) {
    let tick = clock.tick();
    starts.trips.clear();
    for &trip in plans.planned_at(tick) {
        if people.try_start(&plans, trip, tick) {
            starts.trips.push(trip);
        }
    }
    while let Some(&Reverse((due, trip))) = people.late.peek()
        && due <= tick
    {
        people.late.pop();
        if people.try_start(&plans, TripIx(trip), tick) {
            starts.trips.push(TripIx(trip));
        }
    }
    starts.trips.sort_unstable();
}
