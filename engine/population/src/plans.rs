//! Plans: for every person and day a chain of trips with a planned start and a shortest stay before it.
//!
//! Residents: a tour to work or school, stops on the way home, tours for shopping and leisure. People
//! from outside: in, one or more places, out. Times are normal around the usual hours; all draws are
//! keyed by person and day.
//!
//! Ignored here: joint trips of a household, opening hours, weekends (every day is a working day).

pub mod day_tables;
mod outside;
mod resident;

use self::day_tables::DayTables;
use crate::choice::{Choices, Tour};
use crate::park_and_ride::{ParkedTrip, ParkedTrips, SiteIx};
use crate::persons::{Persons, Place, Places};
use crate::settings::PopulationSettings;
use crate::skims::{PERIOD_DAY, Travel, period_of};
use crate::synthesis::purpose;
use bevy_ecs::resource::Resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use urbis_city::model::City;
use urbis_core::chunks::{CHUNK_ROWS, map_chunks};
use urbis_core::clock::Tick;
use urbis_core::csr::Csr;
use urbis_core::rng::Rng;
use urbis_core::{Clock, PersonIx, TripIx};

/// How somebody travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// At the wheel; moved by traffic.
    Car,
    /// Beside somebody at the wheel; moved at simple speed, their car is the driver's trip.
    CarPassenger,
    /// At the wheel of a van or truck; moved by traffic.
    Van,
    /// Motor two-wheeler, which filters past queues; moved at simple speed.
    TwoWheeler,
    /// Bus and rail.
    Transit,
    /// Bicycle.
    Bicycle,
    /// On foot.
    Walk,
    /// By car to a site, on from there by public transport, or back by both.
    ParkAndRide,
}

impl Mode {
    /// All modes, in order.
    pub const ALL: [Self; 8] = [
        Self::Car,
        Self::CarPassenger,
        Self::Van,
        Self::TwoWheeler,
        Self::Transit,
        Self::Bicycle,
        Self::Walk,
        Self::ParkAndRide,
    ];

    /// Name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["car", "car_passenger", "van", "two_wheeler", "transit", "bicycle", "walk", "park_and_ride"][self as usize]
    }
    /// Whether traffic moves it on the road network all the way.
    #[must_use]
    pub fn is_on_road(self) -> bool {
        matches!(self, Self::Car | Self::Van)
    }
    /// Whether a trip is one motor vehicle, as border counters count.
    #[must_use]
    pub fn is_motor_vehicle(self) -> bool {
        matches!(self, Self::Car | Self::Van | Self::TwoWheeler)
    }
    /// Whether it counts as a motorised trip of a person.
    #[must_use]
    pub fn is_motorised(self) -> bool {
        !matches!(self, Self::Bicycle | Self::Walk)
    }
}

/// What a trip is for: the activity at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Going home, or back outside.
    Home,
    /// Work.
    Work,
    /// School.
    School,
    /// Shopping and errands.
    Shop,
    /// Leisure and visits.
    Leisure,
    /// Bringing goods.
    Delivery,
    /// Passing through.
    Passage,
    /// Bringing a child to school or fetching it.
    Escort,
    /// Doctors, care.
    Health,
    /// Errands, visits to offices, worship.
    Other,
    /// Getting out of the way of something, and waiting there.
    Shelter,
}

impl Purpose {
    /// What other tours than those to work and school are for.
    pub const OF_OTHER_TOURS: [Self; 4] = [Self::Shop, Self::Leisure, Self::Health, Self::Other];

    /// Name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["home", "work", "school", "shop", "leisure", "delivery", "passage", "escort", "health", "other", "shelter"]
            [self as usize]
    }
}

/// Shortest stay anywhere, ticks.
pub(crate) const STAY_MIN: Tick = 300;

/// Trips table; key [`TripIx`]. The trips of a person stand together, in order.
#[derive(Clone, Debug, Default, Resource)]
pub struct Plans {
    /// Who travels.
    pub person: Vec<PersonIx>,
    /// What for.
    pub purpose: Vec<Purpose>,
    /// How.
    pub mode: Vec<Mode>,
    /// Where from.
    pub from: Vec<Place>,
    /// Where to.
    pub to: Vec<Place>,
    /// When it should start.
    pub planned: Vec<Tick>,
    /// Shortest stay before it, ticks: who is late leaves late.
    pub stay_min: Vec<Tick>,
    /// Local hour of the day it belongs to at which it was planned to start; beyond 24 after midnight.
    pub start_h: Vec<f32>,
    /// Time from door to door as planned, seconds; what trips off the road take.
    pub way_s: Vec<f32>,
    /// Way as planned, metres.
    pub way_m: Vec<f32>,
    /// Those by park-and-ride.
    pub parked: ParkedTrips,
    /// First trip of each person, then the end. Shape: persons + 1.
    pub first_trip: Vec<u32>,
    /// Trips by planned tick, for each tick of the period.
    pub(crate) by_tick: Csr<TripIx>,
}

/// A trip that somebody makes outside their plan: nobody foresaw it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExtraTrip {
    /// Who travels.
    pub person: PersonIx,
    /// What for.
    pub purpose: Purpose,
    /// How.
    pub mode: Mode,
    /// Where from.
    pub from: Place,
    /// Where to.
    pub to: Place,
    /// When it starts.
    pub tick: Tick,
    /// The same as local hour of the day.
    pub hour: f32,
    /// Time from door to door off the road, seconds.
    pub way_s: f32,
    /// Way off the road, metres.
    pub way_m: f32,
}

/// Pace of somebody who crosses country, m/s.
pub(crate) const WALK_MPS: f32 = 1.3;

/// How somebody makes a tour: the mode, and by park-and-ride the site for both ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Means {
    pub(crate) mode: Mode,
    pub(crate) site: SiteIx,
}

impl From<Mode> for Means {
    fn from(mode: Mode) -> Self {
        Self { mode, site: SiteIx::NONE }
    }
}

impl Means {
    /// The means of a trip that neither begins nor ends at home: the car waits at the site.
    pub(crate) fn away_from_home(self) -> Self {
        if self.mode == Mode::ParkAndRide { Mode::Transit.into() } else { self }
    }
}

/// One planned trip while a plan is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Leg {
    pub(crate) purpose: Purpose,
    pub(crate) means: Means,
    pub(crate) to: Place,
    /// Planned start, seconds since the local midnight of the day; may lie outside the day.
    pub(crate) start_s: f64,
}

/// What the makers of plans see.
pub(crate) struct Maker<'a, 'b> {
    pub(crate) places: &'a Places,
    pub(crate) persons: &'a Persons,
    pub(crate) choices: &'a Choices<'b>,
    pub(crate) settings: &'a PopulationSettings,
    pub(crate) tables: &'a DayTables,
    pub(crate) seed: u64,
}

/// The planned trips of one person, in order, each with its tick.
pub(crate) type Chain = Vec<(Leg, Tick)>;

/// The plans of all residents for the period of the clock, person by person.
#[must_use]
pub fn of_residents(
    places: &Places,
    persons: &Persons,
    choices: &Choices<'_>,
    settings: &PopulationSettings,
    tables: &DayTables,
    seed: u64,
    clock: &Clock,
) -> ResidentPlans {
    let days = days_of(clock);
    let maker = Maker { places, persons, choices, settings, tables, seed };
    let households = persons.households();
    let chains = map_chunks(households.len() - 1, CHUNK_HOUSEHOLDS, |range| {
        let mut chains = Vec::new();
        for household in range {
            let (first, end) = (households[household] as usize, households[household + 1] as usize);
            let mut by_day: Vec<Vec<Vec<Leg>>> =
                (0..days).map(|day| resident::household_day(&maker, first, end - first, day)).collect();
            for member in 0..end - first {
                let of_member: Vec<Vec<Leg>> = by_day.iter_mut().map(|day| std::mem::take(&mut day[member])).collect();
                chains.push(chain(clock, &of_member));
            }
        }
        chains
    });
    ResidentPlans { chains: chains.into_iter().flatten().collect() }
}

/// Stay of the tours that constants are fitted to, seconds; nothing is priced there.
const FIT_STAY_S: u32 = 3600;

/// Households of a chunk.
const CHUNK_HOUSEHOLDS: usize = 1024;

/// What residents plan, before it stands in the trips table.
#[derive(Clone, Debug, Default)]
pub struct ResidentPlans {
    chains: Vec<Chain>,
}

impl ResidentPlans {
    /// Takes the new plans of the households that think their day over, and keeps the others. Whether one does is
    /// drawn for each household and round, so that members stay in step with each other.
    pub fn replan(&mut self, new: Self, persons: &Persons, share: f64, round: u32, seed: u64) -> u64 {
        let mut changed = 0;
        for (row, chain) in new.chains.into_iter().enumerate() {
            let mut rng = Rng::new(seed, persons.household[row], round, purpose::REPLAN);
            if rng.chance(share) {
                changed += u64::from(self.chains[row] != chain);
                self.chains[row] = chain;
            }
        }
        changed
    }

    /// Tours of residents within the city, one for each trip away from home, and how they are made: what constants are
    /// fitted to.
    pub(crate) fn tours(&self, places: &Places, persons: &Persons) -> (Vec<(PersonIx, Tour)>, Vec<Mode>) {
        let (mut tours, mut modes) = (Vec::new(), Vec::new());
        for (row, chain) in self.chains.iter().enumerate() {
            let home = persons.home[row];
            let mut at = home;
            for (leg, _) in chain {
                if at == home && places.building(leg.to).is_some() {
                    let out = period_of(leg.start_s / 3600.0);
                    let start_s = leg.start_s.max(0.0) as u32;
                    let stay_s = (start_s, start_s + FIT_STAY_S);
                    let tour = Tour { from: home, to: leg.to, out, back: PERIOD_DAY, stay_s };
                    tours.push((PersonIx(row as u32), tour));
                    modes.push(leg.means.mode);
                }
                at = leg.to;
            }
        }
        (tours, modes)
    }
}

/// The trips table of everybody: residents as planned, and the people from outside, who are made here: so many of each
/// group as `outside` says or, where it is empty, as the scenario does. Their numbers are the other answer.
///
/// # Errors
/// When a group from outside names a gateway that the city does not have.
#[allow(clippy::too_many_arguments)] // the context of the whole synthesis, passed once
pub fn make(
    city: &City,
    places: &Places,
    persons: &mut Persons,
    choices: &Choices<'_>,
    residents: &ResidentPlans,
    settings: &PopulationSettings,
    tables: &DayTables,
    seed: u64,
    clock: &Clock,
    outside: &[u64],
) -> urbis_core::Result<(Plans, Vec<u64>)> {
    let days = days_of(clock);
    let mut plans = Plans::default();
    plans.first_trip.push(0);
    for (row, chain) in residents.chains.iter().enumerate() {
        plans.push_person(PersonIx(row as u32), persons.home[row], chain);
    }
    let members =
        outside::make(city, places, persons, choices, settings, tables, seed, clock, days, outside, &mut plans)?;
    plans.index(clock.end());
    plans.set_ways(choices);
    Ok((plans, members))
}

/// Local days that the period touches; day 0 is the one it starts on.
fn days_of(clock: &Clock) -> u32 {
    (clock.local_second_of_day(0) + clock.end()).div_ceil(86_400).max(1)
}

/// The legs of all days of one person, with starts as ticks; legs before the period are dropped with
/// their day, so that everybody starts at home.
pub(crate) fn chain(clock: &Clock, days: &[Vec<Leg>]) -> Chain {
    let offset_s = f64::from(clock.local_second_of_day(0));
    let mut all: Chain = Vec::new();
    for (day, legs) in days.iter().enumerate() {
        let midnight_s = day as f64 * 86_400.0 - offset_s;
        if legs.first().is_some_and(|leg| leg.start_s + midnight_s < 0.0) {
            continue;
        }
        let mut earliest = all.last().map_or(0, |(_, start)| start + STAY_MIN);
        for &leg in legs {
            let start = ((leg.start_s + midnight_s).max(0.0) as Tick).max(earliest);
            earliest = start + STAY_MIN;
            all.push((leg, start));
        }
    }
    all
}

impl Plans {
    /// Rows: trips.
    #[must_use]
    pub fn len(&self) -> usize {
        self.person.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.person.is_empty()
    }
    /// Trips planned to start at a tick.
    #[inline]
    #[must_use]
    pub fn planned_at(&self, tick: Tick) -> &[TripIx] {
        self.by_tick.row(tick as usize)
    }
    /// The first trip of a person and the one after their last.
    #[inline]
    #[must_use]
    pub fn trips_of(&self, person: PersonIx) -> std::ops::Range<u32> {
        self.first_trip[person.row()]..self.first_trip[person.row() + 1]
    }

    /// First of the trips outside plans, which stand behind those of all plans in the order in which they were made.
    #[inline]
    #[must_use]
    pub fn extras(&self) -> usize {
        self.first_trip.last().map_or(0, |&end| end as usize)
    }
    /// Adds a trip outside plans. Nothing starts it but who added it.
    pub fn push_extra(&mut self, of: ExtraTrip) -> TripIx {
        let trip = TripIx(self.len() as u32);
        self.person.push(of.person);
        self.purpose.push(of.purpose);
        self.mode.push(of.mode);
        self.from.push(of.from);
        self.to.push(of.to);
        self.planned.push(of.tick);
        self.stay_min.push(STAY_MIN);
        self.start_h.push(of.hour);
        self.way_s.push(of.way_s);
        self.way_m.push(of.way_m);
        trip
    }

    /// Sorts the trips that start before the end by their planned tick.
    fn index(&mut self, end: Tick) {
        let pairs: Vec<(u32, TripIx)> = self
            .planned
            .iter()
            .enumerate()
            .filter(|(_, planned)| **planned < end)
            .map(|(trip, &planned)| (planned, TripIx(trip as u32)))
            .collect();
        self.by_tick = Csr::from_pairs(end as usize, &pairs);
    }

    /// The part of a trip that is by public transport: where from, where to, and when its walk to the first stop should
    /// start; `None` for a trip without one.
    #[must_use]
    pub fn ride_of(&self, places: &Places, trip: usize) -> Option<(Place, Place, Tick)> {
        let (from, to, planned) = (self.from[trip], self.to[trip], self.planned[trip]);
        match (self.mode[trip], self.parked.of(TripIx(trip as u32))) {
            (Mode::Transit, _) => Some((from, to, planned)),
            (_, Some(of)) if of.drives_first => {
                Some((places.site(of.site), to, planned + of.drive_s as Tick + self.parked.change_s))
            }
            (_, Some(of)) => Some((from, places.site(of.site), planned)),
            _ => None,
        }
    }

    /// Takes the time, seconds, and way, metres, of the part by public transport of a trip that has one.
    pub fn set_ride(&mut self, trip: TripIx, time_s: f32, way_m: f32) {
        let (beside_s, beside_m) =
            self.parked.of(trip).map_or((0.0, 0.0), |of| (of.drive_s + self.parked.change_s as f32, of.drive_m));
        self.way_s[trip.row()] = beside_s + time_s;
        self.way_m[trip.row()] = beside_m + way_m;
    }

    /// Time, seconds, and way, metres, of the part by public transport of a trip that has one, as planned.
    #[must_use]
    pub fn ride_way(&self, trip: TripIx) -> (f32, f32) {
        let (way_s, way_m) = (self.way_s[trip.row()], self.way_m[trip.row()]);
        self.parked.of(trip).map_or((way_s, way_m), |of| {
            ((way_s - of.drive_s - self.parked.change_s as f32).max(0.0), (way_m - of.drive_m).max(0.0))
        })
    }

    /// Fills time and way of the trips by park-and-ride from the skims.
    fn set_parked_ways(&mut self, choices: &Choices<'_>) {
        for row in 0..self.parked.trips.len() {
            let ParkedTrip { trip, site, drives_first, .. } = self.parked.trips[row];
            let (period, means) = (period_of(self.start_h[trip.row()].into()), Means { mode: Mode::ParkAndRide, site });
            let (from, to) = (self.from[trip.row()], self.to[trip.row()]);
            let Some((way, change_min)) = choices.way_by(means, period, from, to, drives_first) else { continue };
            self.parked.change_s = (change_min * 60.0).round() as u32;
            // Where a stop lies beyond all services its person walks, as without a site.
            let straight_m = choices.straight_m(from, to) as f32;
            let of = |part: Travel| {
                let is_way = part.minutes.is_finite();
                if is_way {
                    (part.minutes as f32 * 60.0, part.way_m as f32)
                } else {
                    (straight_m / WALK_MPS, straight_m)
                }
            };
            let ((drive_s, drive_m), (ride_s, ride_m)) = (of(way.drive), of(way.ride));
            (self.parked.trips[row].drive_s, self.parked.trips[row].drive_m) = (drive_s, drive_m);
            self.set_ride(trip, ride_s, ride_m);
        }
    }

    /// Fills time and way of every trip from the skims.
    fn set_ways(&mut self, choices: &Choices<'_>) {
        let ways = map_chunks(self.len(), CHUNK_ROWS, |range| {
            let way = |trip: usize| {
                let period = period_of(self.start_h[trip].into());
                let travel = choices.between(self.mode[trip], period, self.from[trip], self.to[trip]);
                if travel.minutes.is_finite() {
                    (travel.minutes as f32 * 60.0, travel.way_m as f32)
                } else {
                    // Somebody who must go where no mode of theirs leads walks the straight line.
                    let way_m = choices.straight_m(self.from[trip], self.to[trip]) as f32;
                    (way_m / WALK_MPS, way_m)
                }
            };
            range.map(way).collect::<Vec<_>>()
        });
        for (time_s, way_m) in ways.into_iter().flatten() {
            self.way_s.push(time_s);
            self.way_m.push(way_m);
        }
        self.set_parked_ways(choices);
    }

    /// Appends the trips of the next person. Trips that lead nowhere (no such place, or where the person
    /// already is) are left out, and with them nothing is lost: the next trip starts where they stayed.
    pub(crate) fn push_person(&mut self, person: PersonIx, home: Place, legs: &[(Leg, Tick)]) {
        let mut at = home;
        let mut arrived = 0;
        for (leg, start) in legs {
            if leg.to == Place::NONE || leg.to == at {
                continue;
            }
            self.person.push(person);
            self.purpose.push(leg.purpose);
            self.mode.push(leg.means.mode);
            if leg.means.mode == Mode::ParkAndRide {
                let (trip, site) = (TripIx(self.person.len() as u32 - 1), leg.means.site);
                let drives_first = at == home;
                self.parked.trips.push(ParkedTrip { trip, site, drives_first, drive_s: 0.0, drive_m: 0.0 });
            }
            self.from.push(at);
            self.to.push(leg.to);
            self.planned.push(*start);
            // Who comes late shortens the stay, down to a quarter of the planned one.
            self.stay_min.push(((start - arrived) / 4).max(STAY_MIN));
            self.start_h.push((leg.start_s / 3600.0) as f32);
            at = leg.to;
            arrived = *start;
        }
        self.first_trip.push(self.person.len() as u32);
    }

    /// Border crossings of motor vehicles planned within the period: one for each end of a trip outside.
    #[must_use]
    pub fn planned_crossings(&self, places: &Places, end: Tick) -> u64 {
        (0..self.len())
            .filter(|&trip| self.mode[trip].is_motor_vehicle() && self.planned[trip] < end)
            .map(|trip| u64::from(places.is_external(self.from[trip])) + u64::from(places.is_external(self.to[trip])))
            .sum()
    }
}
