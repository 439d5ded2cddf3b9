//! Round-based routing over a timetable: RAPTOR and rRAPTOR (Delling, Pajor, Werneck 2012, "Round-based public transit
//! routing").
//!
//! Round `k` finds the earliest arrivals with at most `k` rides. Between two rides lies at most one walk
//! ([`Footpaths`]) or a change at the stop; before the first ride only the access given, after the last only the egress
//! given. Because walks are not joined, arrivals by vehicle and on foot are kept apart: a stop that is reached sooner
//! on foot can still be walked from after arriving there by vehicle.
//!
//! Ignored: capacity (see [`crate::operation`]), least walking as a criterion of its own.
//! Contract: [`Router::earliest_arrivals`] allocates nothing, other searches only what they answer; batches give the same for any number of threads.

use crate::footpaths::Footpaths;
use crate::journey::{Journey, Leg, Ride};
use crate::operation::PlannedRide;
use crate::timetable::{ALIGHT, BOARD, Timetable};
use crate::{PatternIx, StopIx, TransitTripIx};
use rayon::prelude::*;

/// Not reached.
pub const NEVER_S: u32 = u32::MAX;

/// Rides of a journey at most, unless the caller knows better: two changes serve most people, five are beyond what
/// anybody does within a city.
pub const RIDES_MAX: usize = 6;

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// When the person is ready, seconds since midnight.
    pub depart_s: u32,
    /// Stops to start from and the seconds to walk there.
    pub access: Vec<(StopIx, u32)>,
    /// Stops to end at and the seconds to walk from there.
    pub egress: Vec<(StopIx, u32)>,
    /// Seconds to walk all the way, if that is possible.
    pub walk_s: Option<u32>,
    /// Rides at most.
    pub rides_max: usize,
}

/// Routing over a timetable and walks between its stops.
#[derive(Clone, Copy, Debug)]
pub struct Router<'a> {
    timetable: &'a Timetable,
    footpaths: &'a Footpaths,
}

/// The last ride to a stop, and what was before it.
struct Step {
    ride: Ride,
    /// Where it was boarded, and since when that was possible.
    at: StopIx,
    ready_s: u32,
    /// Where the ride before ended, and how many there were.
    from: StopIx,
    round: usize,
}

/// Working memory of searches on one router.
#[derive(Clone, Debug)]
pub struct Scratch {
    stops: usize,
    rides_max: usize,
    /// By round and stop: arrival by vehicle.
    ride: Vec<u32>,
    /// By round and stop: ready to board.
    ready: Vec<u32>,
    /// By round and stop: the ride that arrives.
    ridden: Vec<Ride>,
    /// By round and stop: where the ride ended after which one is ready here; NONE by access.
    walked: Vec<StopIx>,
    /// Stops where readiness improved in the last round, and flags of them.
    marked: Vec<StopIx>,
    is_marked: Vec<bool>,
    /// Stops where a vehicle arrived sooner in this round, and flags of them.
    rode: Vec<StopIx>,
    has_rode: Vec<bool>,
    /// Patterns to look at and from which place on.
    patterns: Vec<PatternIx>,
    from_place: Vec<u32>,
    /// By stop: seconds to the end.
    egress_s: Vec<u32>,
    /// By round: earliest end and the stop one comes from.
    end_s: Vec<u32>,
    end_stop: Vec<StopIx>,
    /// Earliest arrivals of [`Router::earliest_arrivals`].
    arrival: Vec<u32>,
    /// Departures of [`Router::profile`].
    departures: Vec<u32>,
}

impl Scratch {
    fn reset(&mut self) {
        self.ride.fill(NEVER_S);
        self.ready.fill(NEVER_S);
        self.end_s.fill(NEVER_S);
        self.end_stop.fill(StopIx::NONE);
        self.marked.iter().for_each(|stop| self.is_marked[stop.row()] = false);
        self.marked.clear();
    }

    fn at(&self, round: usize, stop: StopIx) -> usize {
        round * self.stops + stop.row()
    }

    fn mark(&mut self, stop: StopIx) {
        if !self.is_marked[stop.row()] {
            self.is_marked[stop.row()] = true;
            self.marked.push(stop);
        }
    }

    fn start(&mut self, depart_s: u32, access: &[(StopIx, u32)]) {
        for &(stop, seconds) in access {
            let Some(ready) = depart_s.checked_add(seconds) else { continue };
            if stop.row() < self.stops && ready < self.ready[stop.row()] {
                self.ready[stop.row()] = ready;
                self.walked[stop.row()] = StopIx::NONE;
                self.mark(stop);
            }
        }
    }

    fn set_egress(&mut self, egress: &[(StopIx, u32)]) {
        for &(stop, seconds) in egress {
            if let Some(of) = self.egress_s.get_mut(stop.row()) {
                *of = seconds.min(*of);
            }
        }
    }

    fn clear_egress(&mut self, egress: &[(StopIx, u32)]) {
        for (stop, _) in egress {
            if let Some(of) = self.egress_s.get_mut(stop.row()) {
                *of = NEVER_S;
            }
        }
    }
}

/// Lowers the labels of a round to those of the round before.
fn carry_over(labels: &mut [u32], stops: usize, round: usize) {
    let (before, now) = labels[(round - 1) * stops..(round + 1) * stops].split_at_mut(stops);
    now.iter_mut().zip(before).for_each(|(now, before)| *now = (*now).min(*before));
}

impl<'a> Router<'a> {
    /// A router. Footpaths are of the timetable's stops.
    #[must_use]
    pub fn new(timetable: &'a Timetable, footpaths: &'a Footpaths) -> Self {
        Self { timetable, footpaths }
    }

    /// Working memory for searches of at most so many rides.
    #[must_use]
    pub fn scratch(&self, rides_max: usize) -> Scratch {
        let stops = self.timetable.stops_len();
        let labels = (rides_max + 1) * stops;
        Scratch {
            stops,
            rides_max,
            ride: vec![NEVER_S; labels],
            ready: vec![NEVER_S; labels],
            ridden: vec![Ride::default(); labels],
            walked: vec![StopIx::NONE; labels],
            marked: Vec::with_capacity(stops),
            is_marked: vec![false; stops],
            rode: Vec::with_capacity(stops),
            has_rode: vec![false; stops],
            patterns: Vec::with_capacity(self.timetable.patterns.len()),
            from_place: vec![u32::MAX; self.timetable.patterns.len()],
            egress_s: vec![NEVER_S; stops],
            end_s: vec![NEVER_S; rides_max + 1],
            end_stop: vec![StopIx::NONE; rides_max + 1],
            arrival: vec![NEVER_S; stops],
            departures: Vec::new(),
        }
    }

    /// Earliest arrival at every stop, by access, vehicle or a walk after it, with at most as many rides as the scratch
    /// has; [`NEVER_S`] where there is none. Allocates nothing.
    pub fn earliest_arrivals<'s>(
        &self,
        depart_s: u32,
        access: &[(StopIx, u32)],
        scratch: &'s mut Scratch,
    ) -> &'s [u32] {
        scratch.reset();
        scratch.start(depart_s, access);
        let last = self.rounds(scratch, scratch.rides_max);
        let range = last * scratch.stops..(last + 1) * scratch.stops;
        let labels = scratch.ride[range.clone()].iter().zip(&scratch.ready[range]);
        scratch.arrival.iter_mut().zip(labels).for_each(|(to, (ride, ready))| *to = (*ride).min(*ready));
        &scratch.arrival
    }

    /// How many rides the earliest arrival at a stop takes, of the last [`Router::earliest_arrivals`] of a scratch.
    #[must_use]
    pub fn rides_to(&self, stop: StopIx, scratch: &Scratch) -> usize {
        let arrival = scratch.arrival[stop.row()];
        let label = |round: usize| {
            let at = scratch.at(round, stop);
            scratch.ride[at].min(scratch.ready[at])
        };
        (0..=scratch.rides_max).find(|&round| label(round) <= arrival).unwrap_or(0)
    }

    /// The rides of the earliest arrival at a stop, in order, of the last [`Router::earliest_arrivals`] of a scratch.
    pub fn rides_of(&self, stop: StopIx, scratch: &Scratch, rides: &mut Vec<Ride>) {
        rides.clear();
        let (mut stop, mut round) = (stop, self.rides_to(stop, scratch));
        let label = scratch.at(round, stop);
        if round > 0 && scratch.ready[label] < scratch.ride[label] {
            stop = scratch.walked[label];
        }
        while round > 0 {
            let step = self.step_back(stop, round, scratch);
            rides.push(step.ride);
            (stop, round) = (step.from, step.round);
        }
        rides.reverse();
    }

    /// [`Router::earliest_arrivals`] of several starts, in order, in parallel.
    #[must_use]
    pub fn earliest_arrivals_batch(&self, starts: &[(u32, Vec<(StopIx, u32)>)], rides_max: usize) -> Vec<Vec<u32>> {
        let search = |scratch: &mut Scratch, (depart_s, access): &(u32, Vec<(StopIx, u32)>)| {
            self.earliest_arrivals(*depart_s, access, scratch).to_vec()
        };
        starts.par_iter().map_init(|| self.scratch(rides_max), search).collect()
    }

    /// Journeys that no other beats in arrival and number of rides, by number of rides (walking all the way first).
    /// The scratch limits the rides as well as the query does.
    #[must_use]
    pub fn journeys(&self, query: &Query, scratch: &mut Scratch) -> Vec<Journey> {
        scratch.reset();
        scratch.set_egress(&query.egress);
        scratch.start(query.depart_s, &query.access);
        let mut journeys = Vec::new();
        if let Some(arrive_s) = query.walk_s.and_then(|walk_s| query.depart_s.checked_add(walk_s)) {
            scratch.end_s[0] = arrive_s;
            let (from, to) = (StopIx::NONE, StopIx::NONE);
            let leg = Leg::Walk { from, to, start_s: query.depart_s, end_s: arrive_s };
            journeys.push(Journey { depart_s: query.depart_s, arrive_s, legs: vec![leg] });
        }
        let last = self.rounds(scratch, query.rides_max.min(scratch.rides_max));
        for round in 1..=last {
            if scratch.end_s[round] < scratch.end_s[round - 1] {
                journeys.push(self.journey(query.depart_s, round, scratch));
            }
        }
        scratch.clear_egress(&query.egress);
        journeys
    }

    /// [`Router::journeys`] of several queries, in order, in parallel.
    #[must_use]
    pub fn journeys_batch(&self, queries: &[Query]) -> Vec<Vec<Journey>> {
        let rides_max = queries.iter().map(|query| query.rides_max).max().unwrap_or(0);
        queries
            .par_iter()
            .map_init(|| self.scratch(rides_max), |scratch, query| self.journeys(query, scratch))
            .collect()
    }

    /// Journeys for whoever is ready from the query's departure until `until_s`: those that no other beats in departure,
    /// arrival and number of rides, from the latest departure to the earliest. They start when their first vehicle
    /// asks for it, which for the last ones may be after `until_s`. Walking all the way is not among them, but what is
    /// no faster than that is left out.
    #[must_use]
    pub fn profile(&self, query: &Query, until_s: u32, scratch: &mut Scratch) -> Vec<Journey> {
        scratch.reset();
        scratch.set_egress(&query.egress);
        let mut departures = std::mem::take(&mut scratch.departures);
        self.departures(query, until_s, &mut departures);
        let rides_max = query.rides_max.min(scratch.rides_max);
        let mut journeys = Vec::new();
        let mut before = vec![NEVER_S; rides_max + 1];
        for &depart_s in &departures {
            before.copy_from_slice(&scratch.end_s[..=rides_max]);
            scratch.start(depart_s, &query.access);
            let walked = query.walk_s.and_then(|walk_s| depart_s.checked_add(walk_s));
            scratch.end_s[0] = scratch.end_s[0].min(walked.unwrap_or(NEVER_S));
            let last = self.rounds(scratch, rides_max);
            for (round, &before_s) in before.iter().enumerate().take(last + 1).skip(1) {
                let end_s = scratch.end_s[round];
                if end_s < before_s && end_s < scratch.end_s[round - 1] {
                    let mut journey = self.journey(depart_s, round, scratch);
                    journey.leave_late();
                    journeys.push(journey);
                }
            }
        }
        scratch.departures = departures;
        scratch.clear_egress(&query.egress);
        journeys
    }

    /// Moments to leave at so as to catch some vehicle at an access stop, the latest first.
    fn departures(&self, query: &Query, until_s: u32, departures: &mut Vec<u32>) {
        let timetable = self.timetable;
        departures.clear();
        if query.depart_s <= until_s {
            departures.push(until_s);
        }
        for &(stop, seconds) in query.access.iter().filter(|(stop, _)| stop.row() < timetable.stops_len()) {
            for &(pattern, place) in timetable.at_stop(stop) {
                if timetable.patterns.flags(pattern)[place as usize] & BOARD == 0 {
                    continue;
                }
                let leave =
                    |trip: u32| timetable.departure_at(TransitTripIx(trip), place as usize).checked_sub(seconds);
                let leaves = timetable.patterns.trips(pattern).filter_map(leave);
                departures.extend(leaves.filter(|leave| (query.depart_s..=until_s).contains(leave)));
            }
        }
        departures.sort_unstable_by(|a, b| b.cmp(a));
        departures.dedup();
    }

    /// Runs rounds until nothing improves; the last round whose labels stand.
    fn rounds(&self, scratch: &mut Scratch, rides_max: usize) -> usize {
        for round in 1..=rides_max {
            if scratch.marked.is_empty() {
                return round - 1;
            }
            carry_over(&mut scratch.ride, scratch.stops, round);
            carry_over(&mut scratch.ready, scratch.stops, round);
            if scratch.end_s[round - 1] < scratch.end_s[round] {
                scratch.end_s[round] = scratch.end_s[round - 1];
                scratch.end_stop[round] = StopIx::NONE;
            }
            self.collect(scratch);
            for at in 0..scratch.patterns.len() {
                self.traverse(scratch.patterns[at], round, scratch);
            }
            self.walk(round, scratch);
        }
        scratch.marked.iter().for_each(|stop| scratch.is_marked[stop.row()] = false);
        scratch.marked.clear();
        rides_max
    }

    /// Patterns at marked stops, each from the first of them on; clears the marks.
    fn collect(&self, scratch: &mut Scratch) {
        scratch.patterns.iter().for_each(|pattern| scratch.from_place[pattern.row()] = u32::MAX);
        scratch.patterns.clear();
        for stop in scratch.marked.drain(..) {
            scratch.is_marked[stop.row()] = false;
            for &(pattern, place) in self.timetable.at_stop(stop) {
                let from = &mut scratch.from_place[pattern.row()];
                if *from == u32::MAX {
                    scratch.patterns.push(pattern);
                }
                *from = place.min(*from);
            }
        }
    }

    /// Rides a pattern's trips as early as they can be caught.
    fn traverse(&self, pattern: PatternIx, round: usize, scratch: &mut Scratch) {
        let timetable = self.timetable;
        let (stops, flags) = (timetable.patterns.stops(pattern), timetable.patterns.flags(pattern));
        let trips = timetable.patterns.trips(pattern);
        let nth = |nth: usize| TransitTripIx(trips.start + nth as u32);
        let ready = &scratch.ready[(round - 1) * scratch.stops..round * scratch.stops];
        let labels = round * scratch.stops..(round + 1) * scratch.stops;
        let (ride, ridden) = (&mut scratch.ride[labels.clone()], &mut scratch.ridden[labels]);
        let end_s = scratch.end_s[round];
        // Trips of the pattern from `caught` on are not before the person; it is past the last when none is caught.
        let (mut caught, mut board) = (trips.len(), 0);
        for place in scratch.from_place[pattern.row()] as usize..stops.len() {
            let (stop, flags) = (stops[place], flags[place]);
            if caught < trips.len() && flags & ALIGHT != 0 {
                let arrive_s = timetable.arrival_at(nth(caught), place);
                if arrive_s < ride[stop.row()] && arrive_s < end_s {
                    ride[stop.row()] = arrive_s;
                    ridden[stop.row()] = Ride { trip: nth(caught), board, alight: place as u32 };
                    if !scratch.has_rode[stop.row()] {
                        scratch.has_rode[stop.row()] = true;
                        scratch.rode.push(stop);
                    }
                }
            }
            let ready_s = ready[stop.row()];
            if ready_s >= end_s || flags & BOARD == 0 {
                continue;
            }
            let leaves = |trip: usize| timetable.departure_at(nth(trip), place);
            if caught > 0 && ready_s <= leaves(caught - 1) {
                caught = if caught == trips.len() { first_from(caught, ready_s, leaves) } else { caught - 1 };
                while caught > 0 && ready_s <= leaves(caught - 1) {
                    caught -= 1;
                }
                board = place as u32;
            }
        }
    }

    /// Walks from where vehicles arrived sooner in this round, and to the end.
    fn walk(&self, round: usize, scratch: &mut Scratch) {
        let base = round * scratch.stops;
        let mut rode = std::mem::take(&mut scratch.rode);
        for &stop in &rode {
            let end_s = scratch.ride[base + stop.row()].saturating_add(scratch.egress_s[stop.row()]);
            if end_s < scratch.end_s[round] {
                (scratch.end_s[round], scratch.end_stop[round]) = (end_s, stop);
            }
        }
        let end_s = scratch.end_s[round];
        for stop in rode.drain(..) {
            scratch.has_rode[stop.row()] = false;
            let arrive_s = scratch.ride[base + stop.row()];
            let here = std::iter::once((stop, self.footpaths.change_s[stop.row()]));
            for (to, seconds) in here.chain(self.footpaths.from(stop)) {
                let ready_s = arrive_s.saturating_add(seconds);
                let label = base + to.row();
                if ready_s < scratch.ready[label] && ready_s < end_s {
                    scratch.ready[label] = ready_s;
                    scratch.walked[label] = stop;
                    scratch.mark(to);
                }
            }
        }
        scratch.rode = rode;
    }

    /// The last of at most so many rides that arrive at a stop.
    fn step_back(&self, stop: StopIx, mut round: usize, scratch: &Scratch) -> Step {
        // The label may be of an earlier round.
        while round > 1 && scratch.ride[scratch.at(round - 1, stop)] == scratch.ride[scratch.at(round, stop)] {
            round -= 1;
        }
        let ride = scratch.ridden[scratch.at(round, stop)];
        round -= 1;
        let at = self.timetable.trip_stops(ride.trip)[ride.board as usize];
        while round > 0 && scratch.ready[scratch.at(round - 1, at)] == scratch.ready[scratch.at(round, at)] {
            round -= 1;
        }
        let label = scratch.at(round, at);
        Step { ride, at, ready_s: scratch.ready[label], from: scratch.walked[label], round }
    }

    /// The journey that ends earliest with at most so many rides.
    fn journey(&self, depart_s: u32, round: usize, scratch: &Scratch) -> Journey {
        let mut legs = Vec::with_capacity(2 * round + 1);
        let (mut stop, mut round) = (scratch.end_stop[round], round);
        let arrive_s = scratch.end_s[round];
        let ended_s = scratch.ride[scratch.at(round, stop)];
        legs.push(Leg::Walk { from: stop, to: StopIx::NONE, start_s: ended_s, end_s: arrive_s });
        while round > 0 {
            let Step { ride: Ride { trip, board, alight }, at, ready_s, from, round: before } =
                self.step_back(stop, round, scratch);
            let start_s = self.timetable.departure_at(trip, board as usize);
            let end_s = self.timetable.arrival_at(trip, alight as usize);
            legs.push(Leg::Ride { trip, board, alight, start_s, end_s });
            (stop, round) = (from, before);
            if round == 0 {
                legs.push(Leg::Walk { from: StopIx::NONE, to: at, start_s: depart_s, end_s: ready_s });
            } else if stop != at {
                let start_s = scratch.ride[scratch.at(round, stop)];
                legs.push(Leg::Walk { from: stop, to: at, start_s, end_s: ready_s });
            }
        }
        legs.reverse();
        Journey { depart_s, arrive_s, legs }
    }

    /// The rides of a journey, as a passenger makes them in operation.
    #[must_use]
    pub fn planned_rides(&self, journey: &Journey) -> Vec<PlannedRide> {
        let mut rides: Vec<PlannedRide> = Vec::with_capacity(journey.legs.len() / 2);
        let mut walk_s = None;
        for leg in &journey.legs {
            match *leg {
                Leg::Walk { start_s, end_s, .. } => walk_s = Some(end_s - start_s),
                Leg::Ride { trip, board, alight, .. } => {
                    let stops = self.timetable.trip_stops(trip);
                    let (board, alight) = (stops[board as usize], stops[alight as usize]);
                    let walk_s = if rides.is_empty() {
                        0
                    } else {
                        walk_s.unwrap_or_else(|| self.footpaths.change_s[board.row()])
                    };
                    rides.push(PlannedRide { trip: Some(trip), board, alight, walk_s });
                }
            }
            if matches!(leg, Leg::Ride { .. }) {
                walk_s = None;
            }
        }
        rides
    }
}

/// The first trip that leaves no sooner than one is ready, knowing that the last does.
fn first_from(trips: usize, ready_s: u32, leaves: impl Fn(usize) -> u32) -> usize {
    let (mut low, mut high) = (0, trips - 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if leaves(middle) < ready_s {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
