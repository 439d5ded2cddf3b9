//! Mass gatherings: people of the city go somewhere for some hours, and home again.
//!
//! | when | what |
//! | --- | --- |
//! | an hour before the first arrive | visitors are drawn among those at home who plan no trip until they would be back |
//! | then | each chooses how to travel as for a tour of leisure ([`urbis_population::planner`]) |
//! | before it begins | they set out so as to arrive at times spread evenly over `arrival_min` |
//! | after it ends | they leave at times spread evenly over `leave_min`, by the means they came by |
//!
//! Those who are drawn are the first by one random number each, so more visitors are the same ones and others. They
//! drive, queue and ride as all others do, and are present in the building: its electricity, water and sewage, and calls of
//! emergency services go by them. A car that is out with another member of the household is not there.
//!
//! Ignored: visitors from outside the city, children (residents of the first age class), people who would change their
//! plan or come from elsewhere than home, room in the building, park-and-ride, households that go together.
//!
//! Contract: in order of tick, gathering and person, one after the other; draws are keyed by person and event, so nothing
//! depends on threads. Without gatherings nothing is touched.

use crate::evacuation::groups::cars_at_home;
use crate::transit::CityTransit;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use urbis_city::model::City;
use urbis_core::columns::cumulative;
use urbis_core::rng::Rng;
use urbis_core::{Clock, PersonIx, Tick};
use urbis_population::persons::Place;
use urbis_population::planner::{Ground, Outing, OutingWish};
use urbis_population::plans::{ExtraTrip, Mode, Purpose};
use urbis_population::synthesis::jobs::Jobs;
use urbis_population::{Cells, People, Persons, Places, Planner, Plans, Skims, TripStarts};

/// Purposes of the random numbers: who comes, and where and when.
const WHO: u32 = 0x4761_7401;
const WHEN: u32 = 0x4761_7402;
/// Ticks before the first arrival at which visitors are drawn: nobody's way takes longer.
const LEAD_TICKS: Tick = 3600;
/// Ticks after which somebody who is still on the way there looks again whether to go home.
const LOOK_AGAIN_TICKS: Tick = 300;

/// What a gathering is.
#[derive(Clone, Debug, PartialEq)]
pub struct Gathering {
    /// Row of its event.
    pub event: u32,
    /// Simulated visitors that are wanted.
    pub persons: u32,
    /// Where: buildings, each with its share.
    pub venues: Vec<(Place, f64)>,
    /// When it begins.
    pub begins: Tick,
    /// When it ends.
    pub ends: Tick,
    /// Over how long before it begins visitors arrive, ticks.
    pub arrival: Tick,
    /// Over how long after it ends they leave, ticks.
    pub leave: Tick,
}

impl Gathering {
    /// When visitors are drawn.
    fn drawn_at(&self) -> Tick {
        self.begins.saturating_sub(self.arrival + LEAD_TICKS)
    }
}

/// A visitor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// Who.
    pub person: PersonIx,
    /// Where.
    pub venue: Place,
    /// How, and what the ways take.
    pub outing: Outing,
    /// When they set out there.
    pub out: Tick,
    /// When they leave again.
    pub back: Tick,
    /// Whether they have set out, and go home next.
    pub returns: bool,
}

/// A gathering and its visitors.
#[derive(Clone, Debug, PartialEq)]
pub struct GatheringState {
    /// What it is.
    pub gathering: Gathering,
    /// Its visitors, by person.
    pub visits: Vec<Visit>,
    /// How many set out.
    pub set_out: u32,
    /// How many left for home.
    pub left: u32,
}

/// Gatherings of a run.
#[derive(Clone, Debug, Default, Resource)]
pub struct Gatherings {
    /// In order of events.
    pub of: Vec<GatheringState>,
    seed: u64,
    /// To come: when, which gathering, and which visit of it; all visits: they are drawn.
    queue: BinaryHeap<Reverse<(Tick, u32, u32)>>,
}

/// Stands for all visits.
const ALL: u32 = u32::MAX;

impl Gatherings {
    /// Gatherings to come.
    #[must_use]
    pub fn new(gatherings: Vec<Gathering>, seed: u64) -> Self {
        let queue = (0..).zip(&gatherings).map(|(row, of)| Reverse((of.drawn_at(), row, ALL))).collect();
        let state = |gathering| GatheringState { gathering, visits: Vec::new(), set_out: 0, left: 0 };
        Self { of: gatherings.into_iter().map(state).collect(), seed, queue }
    }
}

/// Who could come: at home, no child, and nothing planned until they would be back.
fn is_free(of: &Gathering, persons: &Persons, plans: &Plans, people: &People, person: PersonIx) -> bool {
    let (row, home) = (person.row(), persons.home[person.row()]);
    let free_until = people.next_trip(plans, person).map_or(Tick::MAX, |trip| plans.planned[trip as usize]);
    persons.age_class[row] > 0
        && people.place[row] == home
        && !people.is_suspended(person)
        && free_until >= of.ends + of.leave + LEAD_TICKS
        && of.venues.iter().all(|venue| venue.0 != home)
}

/// Draws the visitors of a gathering among those who are free, each with a venue and times to arrive and to leave.
fn wishes(
    of: &Gathering,
    seed: u64,
    clock: &Clock,
    (persons, plans, people): (&Persons, &Plans, &People),
) -> (Vec<OutingWish>, Vec<(Tick, Tick)>) {
    let free = (0..persons.residents() as u32).map(PersonIx);
    let free = free.filter(|&person| is_free(of, persons, plans, people, person));
    let key = |person: PersonIx| (Rng::new(seed, person.0, of.event, WHO).next_u64(), person);
    let mut drawn: Vec<(u64, PersonIx)> = free.map(key).collect();
    drawn.sort_unstable();
    drawn.truncate(of.persons as usize);
    drawn.sort_unstable_by_key(|of| of.1);
    let shares = cumulative(of.venues.iter().map(|venue| venue.1));
    let wish = |(_, person): (u64, PersonIx)| {
        let mut rng = Rng::new(seed, person.0, of.event, WHEN);
        let to = of.venues[rng.pick_cumulative(&shares).unwrap_or(0)].0;
        let part = |ticks: Tick, uniform: f64| (f64::from(ticks) * uniform) as Tick;
        let arrive = of.begins - part(of.arrival.min(of.begins), rng.uniform());
        let back = of.ends + part(of.leave, rng.uniform());
        let cars_at_home = cars_at_home(persons, plans, people, person);
        let (there_h, back_h) = (hour_at(clock, arrive), hour_at(clock, back));
        (OutingWish { person, to, there_h, back_h, cars_at_home }, (arrive, back))
    };
    drawn.into_iter().map(wish).unzip()
}

/// Local hour of the day.
fn hour_at(clock: &Clock, tick: Tick) -> f64 {
    f64::from(clock.local_second_of_day(tick)) / 3600.0
}

/// Lets visitors be drawn, and those set out whose time has come.
#[allow(clippy::too_many_arguments)] // people choose by all that they know
pub fn gather(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    places: Res<'_, Places>,
    cells: Res<'_, Cells>,
    skims: Res<'_, Skims>,
    jobs: Res<'_, Jobs>,
    persons: Res<'_, Persons>,
    planner: Res<'_, Planner>,
    mut gatherings: ResMut<'_, Gatherings>,
    mut plans: ResMut<'_, Plans>,
    mut people: ResMut<'_, People>,
    mut starts: ResMut<'_, TripStarts>,
    mut transit: ResMut<'_, CityTransit>,
) {
    let tick = clock.tick();
    if gatherings.queue.peek().is_none_or(|Reverse((due, ..))| *due > tick) {
        return;
    }
    let ground = Ground { city: &city, places: &places, cells: &cells, skims: &skims, jobs: &jobs };
    let Gatherings { of: all, seed, queue } = &mut *gatherings;
    while let Some(&Reverse((due, row, visit))) = queue.peek()
        && due <= tick
    {
        queue.pop();
        let GatheringState { gathering: of, visits, set_out, left } = &mut all[row as usize];
        if visit == ALL {
            let (wishes, spread) = wishes(of, *seed, &clock, (&persons, &plans, &people));
            let outings = planner.outings(ground, &persons, &wishes);
            for ((wish, outing), (arrive, back)) in wishes.iter().zip(outings).zip(spread) {
                let out = arrive.saturating_sub(outing.there_s.round() as Tick).max(tick);
                let nth = visits.len() as u32;
                visits.push(Visit { person: wish.person, venue: wish.to, outing, out, back, returns: false });
                queue.push(Reverse((out, row, nth)));
            }
            continue;
        }
        let Visit { person, venue, outing, back, returns, .. } = visits[visit as usize];
        let (home, at) = (persons.home[person.row()], people.place[person.row()]);
        if returns && at == Place::TRAVELLING {
            queue.push(Reverse((tick + LOOK_AGAIN_TICKS, row, visit)));
            continue;
        }
        let (from, to) = if returns { (venue, home) } else { (home, venue) };
        let is_barred = people.is_barred(to) && !people.is_barred(from);
        if at != from || people.is_suspended(person) || is_barred {
            continue;
        }
        let (way_s, way_m) = if returns { (outing.back_s, outing.back_m) } else { (outing.there_s, outing.there_m) };
        let is_ridden = outing.mode == Mode::Transit && transit.is_on();
        let (way_s, way_m) = if is_ridden { (outing.walk_s, outing.walk_m) } else { (way_s, way_m) };
        let trip = plans.push_extra(ExtraTrip {
            person,
            purpose: if returns { Purpose::Home } else { Purpose::Leisure },
            mode: outing.mode,
            from,
            to,
            tick,
            hour: hour_at(&clock, tick) as f32,
            way_s: way_s as f32,
            way_m: way_m as f32,
        });
        let is_there = people.start_extra(&plans, trip, tick);
        assert!(is_there, "person {} leaves where they are", person.0);
        if is_ridden {
            transit.take_on(&places, &persons, &mut plans, &[trip]);
        }
        starts.trips.push(trip);
        if returns {
            *left += 1;
        } else {
            *set_out += 1;
            visits[visit as usize].returns = true;
            queue.push(Reverse((back.max(tick + 1), row, visit)));
        }
    }
}
