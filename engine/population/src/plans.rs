//! Plans: for every person and day a chain of trips with a planned start and a shortest stay before it.
//!
//! Residents: a tour to work or school, stops on the way home, tours for shopping and leisure. People
//! from outside: in, one or more places, out. Times are normal around the usual hours; all draws are
//! keyed by person and day.
//!
//! Ignored here: joint trips of a household, opening hours, weekends (every day is a working day).

mod outside;
mod resident;

use crate::choice::Destinations;
use crate::persons::{Persons, Place, Places};
use crate::settings::PopulationSettings;
use bevy_ecs::resource::Resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use urbis_city::model::City;
use urbis_core::chunks::{CHUNK_ROWS, map_chunks};
use urbis_core::clock::Tick;
use urbis_core::csr::Csr;
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
}

impl Mode {
    /// All modes, in order.
    pub const ALL: [Self; 7] =
        [Self::Car, Self::CarPassenger, Self::Van, Self::TwoWheeler, Self::Transit, Self::Bicycle, Self::Walk];

    /// Name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["car", "car_passenger", "van", "two_wheeler", "transit", "bicycle", "walk"][self as usize]
    }
    /// Whether traffic moves it on the road network.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
}

impl Purpose {
    /// Name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["home", "work", "school", "shop", "leisure", "delivery", "passage"][self as usize]
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
    /// First trip of each person, then the end. Shape: persons + 1.
    pub first_trip: Vec<u32>,
    /// Trips by planned tick, for each tick of the period.
    pub(crate) by_tick: Csr<TripIx>,
}

/// One planned trip while a plan is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) purpose: Purpose,
    pub(crate) mode: Mode,
    pub(crate) to: Place,
    /// Planned start, seconds since the local midnight of the day; may lie outside the day.
    pub(crate) start_s: f64,
}

/// What the makers of plans see.
pub(crate) struct Maker<'a, 'b> {
    pub(crate) places: &'a Places,
    pub(crate) persons: &'a Persons,
    pub(crate) choices: &'a Destinations<'b>,
    pub(crate) settings: &'a PopulationSettings,
    pub(crate) seed: u64,
}

/// Makes the plans of everybody for the period of the clock, and the people from outside themselves.
///
/// # Errors
/// When a group from outside names a gateway that the city does not have.
pub fn make(
    city: &City,
    places: &Places,
    persons: &mut Persons,
    choices: &Destinations<'_>,
    settings: &PopulationSettings,
    seed: u64,
    clock: &Clock,
) -> urbis_core::Result<Plans> {
    let days = days_of(clock);
    let residents = persons.len();
    let maker = Maker { places, persons, choices, settings, seed };
    let mut plans = Plans::default();
    plans.first_trip.push(0);
    let chains = map_chunks(residents, CHUNK_ROWS, |range| {
        range.map(|row| chain(clock, days, |day, legs| resident::day(&maker, row, day, legs))).collect::<Vec<_>>()
    });
    for (row, legs) in chains.into_iter().flatten().enumerate() {
        plans.push_person(PersonIx(row as u32), persons.home[row], &legs);
    }
    outside::make(city, places, persons, choices, settings, seed, clock, days, &mut plans)?;
    let end = clock.end();
    let pairs: Vec<(u32, TripIx)> = plans
        .planned
        .iter()
        .enumerate()
        .filter(|(_, planned)| **planned < end)
        .map(|(trip, &planned)| (planned, TripIx(trip as u32)))
        .collect();
    plans.by_tick = Csr::from_pairs(end as usize, &pairs);
    Ok(plans)
}

/// Local days that the period touches; day 0 is the one it starts on.
fn days_of(clock: &Clock) -> u32 {
    (clock.local_second_of_day(0) + clock.end()).div_ceil(86_400).max(1)
}

/// The legs of all days of one person, with starts as ticks; legs before the period are dropped with
/// their day, so that everybody starts at home.
pub(crate) fn chain(clock: &Clock, days: u32, day_legs: impl Fn(u32, &mut Vec<Leg>)) -> Vec<(Leg, Tick)> {
    let offset_s = f64::from(clock.local_second_of_day(0));
    let mut all: Vec<(Leg, Tick)> = Vec::new();
    let mut legs = Vec::new();
    for day in 0..days {
        legs.clear();
        day_legs(day, &mut legs);
        let midnight_s = f64::from(day) * 86_400.0 - offset_s;
        if legs.first().is_some_and(|leg| leg.start_s + midnight_s < 0.0) {
            continue;
        }
        let mut earliest = all.last().map_or(0, |(_, start)| start + STAY_MIN);
        for &leg in &legs {
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
            self.mode.push(leg.mode);
            self.from.push(at);
            self.to.push(leg.to);
            self.planned.push(*start);
            // Who comes late shortens the stay, down to a quarter of the planned one.
            self.stay_min.push(((start - arrived) / 4).max(STAY_MIN));
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
