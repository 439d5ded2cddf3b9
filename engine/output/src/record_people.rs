//! Tables of people's days, written after the last tick from what they did: tours, activities, legs, flows between
//! zones; and from what they could do: skims and accessibility.

use crate::cells::TimeMs;
use crate::place_names::PlaceNames;
use crate::record::Recorders;
use crate::tables::{AccessibilityRow, ActivitiesRow, LegsRow, OdRow, SkimsRow, ToursRow};
use crate::writer::ResultsWriter;
use bevy_ecs::world::World;
use std::collections::BTreeMap;
use urbis_city::model::City;
use urbis_core::{Clock, PersonIx, Result, Tick, TripIx};
use urbis_coupling::CityTransit;
use urbis_coupling::transit::PlannedLeg;
use urbis_population::accessibility::{self, Group, LIMITS_MIN, Opportunity};
use urbis_population::persons::Place;
use urbis_population::plans::{Mode, Purpose};
use urbis_population::presence::NEVER;
use urbis_population::settings::ModeSettings;
use urbis_population::simple_modes::PopulationModel;
use urbis_population::skims::{PERIOD_STARTS_H, PERIODS};
use urbis_population::synthesis::jobs::Jobs;
use urbis_population::{Cells, People, Persons, Places, Plans, Skims};

/// Who writes what people did.
pub struct PeopleRecorder<'w> {
    clock: &'w Clock,
    places: &'w Places,
    persons: &'w Persons,
    plans: &'w Plans,
    people: &'w People,
    recorders: &'w Recorders,
    transit: &'w CityTransit,
    names: PlaceNames<'w>,
    scale: f64,
}

impl std::fmt::Debug for PeopleRecorder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeopleRecorder").finish_non_exhaustive()
    }
}

impl<'w> PeopleRecorder<'w> {
    /// Over the world of a finished run.
    #[must_use]
    pub fn new(world: &'w World) -> Self {
        let places = world.resource::<Places>();
        Self {
            clock: world.resource::<Clock>(),
            places,
            persons: world.resource::<Persons>(),
            plans: world.resource::<Plans>(),
            people: world.resource::<People>(),
            recorders: world.resource::<Recorders>(),
            transit: world.resource::<CityTransit>(),
            names: PlaceNames::new(world.resource::<City>(), places),
            scale: 1.0 / world.resource::<PopulationModel>().sample_factor,
        }
    }

    fn time(&self, tick: Tick) -> TimeMs {
        TimeMs(self.clock.utc_ms(tick))
    }

    fn ended(&self, trip: usize) -> Option<TimeMs> {
        let ms = self.people.ended_ms[trip];
        (ms != u32::MAX).then(|| TimeMs(self.clock.utc_ms(0) + i64::from(ms)))
    }

    fn has_started(&self, trip: usize) -> bool {
        self.people.started[trip] != NEVER
    }

    /// Writes `activities`: every stay of every person, in order.
    ///
    /// # Errors
    /// When the rows do not fit on disk.
    pub fn activities(&self, writer: &mut ResultsWriter) -> Result<()> {
        let recording = &self.recorders.activities;
        if recording.every.is_none() {
            return Ok(());
        }
        let (begin, end) = (self.time(0), TimeMs(self.clock.utc_ms(self.clock.end())));
        for person in self.persons.indices() {
            let mut start = Some(begin);
            let mut what = Purpose::Home;
            let mut at = self.persons.home[person.row()];
            let trips = self.plans.trips_of(person).map(|trip| trip as usize);
            let made = trips.filter(|&trip| self.has_started(trip) && !self.people.is_rejected[trip]);
            for trip in made.map(Some).chain([None]) {
                let until = trip.map_or(end, |trip| self.time(self.people.started[trip]));
                if let Some(start) = start
                    && recording.covers(self.places.zone[at.row()])
                {
                    writer.activities(&ActivitiesRow {
                        person_id: i64::from(person.0),
                        person_kind: self.persons.kind[person.row()].name(),
                        activity: what.name(),
                        building_id: self.names.building(at),
                        zone_id: self.names.zone(at),
                        start_time: start,
                        end_time: until,
                    })?;
                }
                if let Some(trip) = trip {
                    (start, what, at) = (self.ended(trip), self.plans.purpose[trip], self.plans.to[trip]);
                }
            }
        }
        Ok(())
    }

    /// Writes `tours`: chains of trips from home to home; the stay that lasts longest is what a tour is for.
    ///
    /// # Errors
    /// When the rows do not fit on disk.
    pub fn tours(&self, writer: &mut ResultsWriter) -> Result<()> {
        let recording = &self.recorders.tours;
        if recording.every.is_none() {
            return Ok(());
        }
        let mut tour_id = 0;
        for person in self.persons.indices() {
            let home = self.persons.home[person.row()];
            let trips: Vec<usize> = self.plans.trips_of(person).map(|trip| trip as usize).collect();
            for tour in trips.chunk_by(|&before, _| self.plans.to[before] != home) {
                let started: Vec<usize> = tour.iter().copied().filter(|&trip| self.has_started(trip)).collect();
                let (Some(&first), Some(&last)) = (started.first(), started.last()) else { continue };
                let away = |trip: &&usize| self.plans.to[**trip] != home;
                let stay = |trip: &usize| {
                    let next = self.plans.planned.get(trip + 1).copied().unwrap_or(self.clock.end());
                    (next.saturating_sub(self.plans.planned[*trip]), std::cmp::Reverse(*trip))
                };
                let main = started.iter().filter(away).max_by_key(|trip| stay(trip)).copied().unwrap_or(first);
                let returned = self.ended(last).filter(|_| self.plans.to[last] == home);
                if recording.covers(self.places.zone[home.row()]) {
                    writer.tours(&ToursRow {
                        tour_id,
                        person_id: i64::from(person.0),
                        purpose: self.plans.purpose[main].name(),
                        mode: self.plans.mode[main].name(),
                        home_zone: self.names.zone(home),
                        main_building: self.names.building(self.plans.to[main]),
                        main_zone: self.names.zone(self.plans.to[main]),
                        trips: started.len() as u64,
                        first_trip_id: first as i64,
                        depart_time: self.time(self.people.started[first]),
                        return_time: returned,
                    })?;
                }
                tour_id += 1;
            }
        }
        Ok(())
    }

    /// Writes `legs`: what each trip consists of.
    ///
    /// # Errors
    /// When the rows do not fit on disk.
    pub fn legs(&self, writer: &mut ResultsWriter) -> Result<()> {
        let recording = &self.recorders.legs;
        if recording.every.is_none() {
            return Ok(());
        }
        for trip in (0..self.plans.len()).filter(|&trip| self.has_started(trip) && !self.people.is_rejected[trip]) {
            let (from, to) = (self.plans.from[trip], self.plans.to[trip]);
            let covers = |place: Place| recording.covers(self.places.zone[place.row()]);
            if !(covers(from) || covers(to)) {
                continue;
            }
            let PersonIx(person) = self.plans.person[trip];
            let ended = self.ended(trip);
            let parts = self.transit.legs_of(TripIx(trip as u32));
            if !parts.is_empty() {
                self.journey(writer, trip, &parts)?;
                continue;
            }
            writer.legs(&LegsRow {
                trip_id: trip as i64,
                leg: 1,
                person_id: i64::from(person),
                mode: self.plans.mode[trip].name(),
                from_id: self.names.building(from).unwrap_or_else(|| self.names.zone(from)),
                to_id: self.names.building(to).unwrap_or_else(|| self.names.zone(to)),
                transit_route: None,
                transit_trip: None,
                depart_time: self.time(self.people.started[trip]),
                arrive_time: ended,
                distance_m: if ended.is_some() { f64::from(self.people.distance_m[trip]) } else { 0.0 },
            })?;
        }
        Ok(())
    }

    /// The legs of a journey by public transport: as planned but for its end, which is what happened.
    fn journey(&self, writer: &mut ResultsWriter, trip: usize, parts: &[PlannedLeg<'_>]) -> Result<()> {
        let (from, to) = (self.plans.from[trip], self.plans.to[trip]);
        let PersonIx(person) = self.plans.person[trip];
        let ended = self.ended(trip);
        let second = |second: u32| {
            TimeMs(self.clock.utc_ms(0) + (i64::from(second) - i64::from(self.transit.second_at(0))) * 1000)
        };
        for (nth, part) in parts.iter().enumerate() {
            let is_last = nth + 1 == parts.len();
            writer.legs(&LegsRow {
                trip_id: trip as i64,
                leg: nth as u64 + 1,
                person_id: i64::from(person),
                mode: part.mode,
                from_id: part.from.or_else(|| self.names.building(from)).unwrap_or_else(|| self.names.zone(from)),
                to_id: part.to.or_else(|| self.names.building(to)).unwrap_or_else(|| self.names.zone(to)),
                transit_route: part.route,
                transit_trip: part.trip,
                depart_time: second(part.start_s),
                arrive_time: if is_last { ended } else { ended.map(|_| second(part.end_s)) },
                distance_m: part.distance_m,
            })?;
        }
        Ok(())
    }

    /// Writes `od`: trips by zone, zone, local hour of departure, mode. Flows of fewer trips than the smallest group
    /// go into one row for each hour and mode without zones.
    ///
    /// # Errors
    /// When the rows do not fit on disk.
    pub fn od(&self, writer: &mut ResultsWriter) -> Result<()> {
        let recording = &self.recorders.od;
        if recording.every.is_none() {
            return Ok(());
        }
        let mut flows: BTreeMap<(u32, usize, usize, Mode), (u64, f64)> = BTreeMap::new();
        for trip in (0..self.plans.len()).filter(|&trip| self.has_started(trip)) {
            let (from, to) = (self.plans.from[trip], self.plans.to[trip]);
            let hour = self.people.started[trip] / 3600;
            let flow =
                flows.entry((hour, self.names.area(from), self.names.area(to), self.plans.mode[trip])).or_default();
            flow.0 += 1;
            if self.people.ended_ms[trip] != u32::MAX {
                flow.1 += f64::from(self.people.ended_ms[trip]) / 1000.0 - f64::from(self.people.started[trip]);
            }
        }
        let mut small: BTreeMap<(u32, Mode), (u64, f64)> = BTreeMap::new();
        let mut write = |hour: u32, zones: Option<(usize, usize)>, mode: Mode, (trips, time_s): (u64, f64)| {
            writer.od(&OdRow {
                time: self.time(hour * 3600),
                interval_s: 3600.0,
                from_zone: zones.map(|(from, _)| self.names.area_name(from)),
                to_zone: zones.map(|(_, to)| self.names.area_name(to)),
                mode: mode.name(),
                trips: trips as f64 * self.scale,
                travel_time_s: time_s / trips as f64,
            })
        };
        for ((hour, from, to, mode), flow) in flows {
            if flow.0 < self.recorders.smallest_group {
                let sum = small.entry((hour, mode)).or_default();
                *sum = (sum.0 + flow.0, sum.1 + flow.1);
            } else {
                write(hour, Some((from, to)), mode, flow)?;
            }
        }
        for ((hour, mode), flow) in small {
            write(hour, None, mode, flow)?;
        }
        Ok(())
    }
}

/// Writes `skims`: means between zones over their cells, weighted by buildings.
///
/// # Errors
/// When the rows do not fit on disk.
pub fn skims(world: &World, modes: &[ModeSettings], writer: &mut ResultsWriter) -> Result<()> {
    if world.resource::<Recorders>().skims.every.is_none() {
        return Ok(());
    }
    let (city, cells, skims) = (world.resource::<City>(), world.resource::<Cells>(), world.resource::<Skims>());
    let zones = city.zones.len();
    let mut of_zone = vec![Vec::new(); zones];
    for (cell, zone) in cells.zone.iter().enumerate().filter(|(_, zone)| zone.is_some()) {
        of_zone[zone.row()].push(cell);
    }
    for mode in [Mode::Car, Mode::Transit, Mode::Bicycle, Mode::Walk] {
        // Ways that take the same time all day are written once.
        let is_all_day = match mode {
            Mode::Car => skims.car.windows(2).all(|pair| std::sync::Arc::ptr_eq(&pair[0], &pair[1])),
            Mode::Transit => skims.transit.is_empty(),
            _ => true,
        };
        for (period, &from_hour) in PERIOD_STARTS_H.iter().enumerate().take(if is_all_day { 1 } else { PERIODS }) {
            for (from, origins) in of_zone.iter().enumerate() {
                for (to, destinations) in of_zone.iter().enumerate() {
                    let (mut weight, mut minutes, mut way_m, mut money) = (0.0, 0.0, 0.0, 0.0);
                    for (&a, &b) in origins.iter().flat_map(|a| destinations.iter().map(move |b| (a, b))) {
                        let travel = skims.travel(mode, &modes[mode as usize], period, a, b);
                        let of_pair = (cells.buildings.row(a).len() * cells.buildings.row(b).len()) as f64;
                        if travel.minutes.is_finite() {
                            weight += of_pair;
                            minutes += of_pair * travel.minutes;
                            way_m += of_pair * travel.way_m;
                            money += of_pair * travel.money;
                        }
                    }
                    if weight > 0.0 {
                        writer.skims(&SkimsRow {
                            from_zone: &city.zones.id[from],
                            to_zone: &city.zones.id[to],
                            mode: mode.name(),
                            from_hour,
                            all_day: is_all_day,
                            travel_time_s: minutes / weight * 60.0,
                            distance_m: way_m / weight,
                            money: money / weight,
                        })?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Writes `accessibility`: opportunities within reach in the morning peak, by zone, mode, limit and group.
///
/// # Errors
/// When the rows do not fit on disk.
pub fn accessibility(world: &World, modes: &[ModeSettings], writer: &mut ResultsWriter) -> Result<()> {
    if world.resource::<Recorders>().accessibility.every.is_none() {
        return Ok(());
    }
    let (city, cells, skims) = (world.resource::<City>(), world.resource::<Cells>(), world.resource::<Skims>());
    let (persons, jobs) = (world.resource::<Persons>(), world.resource::<Jobs>());
    let groups = Group::NAMED.map(|(group, name)| (name, accessibility::residents(persons, cells, group)));
    for (opportunity, what) in Opportunity::NAMED {
        let counts = accessibility::opportunities(city, jobs, cells, opportunity);
        for mode in accessibility::MODES {
            let settings = &modes[mode as usize];
            let reach = accessibility::reach(skims, mode, settings, accessibility::PERIOD, &counts);
            for (group, residents) in &groups {
                let by_zone = accessibility::by_zone(cells, city.zones.len(), residents, &reach);
                for (zone, values) in by_zone.into_iter().enumerate() {
                    let Some(values) = values else { continue };
                    for (limit, value) in LIMITS_MIN.iter().zip(values) {
                        writer.accessibility(&AccessibilityRow {
                            zone_id: &city.zones.id[zone],
                            group,
                            mode: mode.name(),
                            opportunity: what,
                            limit_s: f64::from(*limit) * 60.0,
                            opportunities: value,
                        })?;
                    }
                }
            }
        }
    }
    Ok(())
}
