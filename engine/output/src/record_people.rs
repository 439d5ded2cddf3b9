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
use urbis_coupling::transit::PlannedLeg;
use urbis_coupling::{Changes, CityTransit};
use urbis_population::accessibility::{self, Group, LIMITS_MIN, Opportunity};
use urbis_population::park_and_ride::{Offer, ParkedTrip};
use urbis_population::persons::Place;
use urbis_population::plans::{Mode, Purpose};
use urbis_population::presence::NEVER;
use urbis_population::settings::ModeSettings;
use urbis_population::simple_modes::PopulationModel;
use urbis_population::skims::{PERIOD_STARTS_H, PERIODS, Travel};
use urbis_population::synthesis::jobs::Jobs;
use urbis_population::{Cells, People, Persons, Places, Planner, Plans, Sites, Skims};

/// Who writes what people did.
pub struct PeopleRecorder<'w> {
    clock: &'w Clock,
    places: &'w Places,
    persons: &'w Persons,
    plans: &'w Plans,
    people: &'w People,
    recorders: &'w Recorders,
    transit: &'w CityTransit,
    changes: &'w Changes,
    sites: &'w Sites,
    names: PlaceNames<'w>,
    scale: f64,
}

/// A trip, or one of the two parts of a trip by park-and-ride.
#[derive(Clone, Copy)]
struct Part<'a> {
    mode: &'static str,
    from: &'a str,
    to: &'a str,
    start: TimeMs,
    /// Nothing while it has not ended.
    end: Option<TimeMs>,
    distance_m: f64,
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
            changes: world.resource::<Changes>(),
            sites: world.resource::<Sites>(),
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
        let mut outside_plans: BTreeMap<PersonIx, Vec<usize>> = BTreeMap::new();
        for trip in self.plans.extras()..self.plans.len() {
            outside_plans.entry(self.plans.person[trip]).or_default().push(trip);
        }
        for person in self.persons.indices() {
            let mut start = Some(begin);
            let mut what = Purpose::Home;
            let mut at = self.persons.home[person.row()];
            let trips = self.plans.trips_of(person).map(|trip| trip as usize);
            let extras = outside_plans.get(&person).map_or(&[][..], Vec::as_slice).iter().copied();
            let mut made: Vec<usize> = (trips.chain(extras))
                .filter(|&trip| self.has_started(trip) && !self.people.is_rejected[trip])
                .collect();
            made.sort_by_key(|&trip| (self.people.started[trip], trip));
            for trip in made.into_iter().map(Some).chain([None]) {
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

    /// Writes `tours`: planned trips from home to home; the stay that lasts longest is what a tour is for.
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
            let whole = Part {
                mode: self.plans.mode[trip].name(),
                from: self.end_name(from),
                to: self.end_name(to),
                start: self.time(self.people.started[trip]),
                end: self.ended(trip),
                distance_m: f64::from(self.people.distance_m[trip]),
            };
            match self.plans.parked.of(TripIx(trip as u32)) {
                Some(parked) => self.by_site(writer, parked, &whole)?,
                None => drop(self.part(writer, trip, 1, &whole)?),
            }
        }
        Ok(())
    }

    /// The building at an end of a trip, or what it is called outside.
    fn end_name(&self, place: Place) -> &str {
        self.names.building(place).unwrap_or_else(|| self.names.zone(place))
    }

    /// The legs of a trip by park-and-ride: those of the first part, and of the second once it has begun.
    fn by_site(&self, writer: &mut ResultsWriter, parked: &ParkedTrip, whole: &Part<'_>) -> Result<()> {
        let (trip, site) = (parked.trip.row(), self.sites.id[parked.site.row()].as_str());
        let (first, second) = if parked.drives_first { ("car", "transit") } else { ("transit", "car") };
        let changed = self.changes.first_part(self.plans, parked.trip);
        let changed_at = changed.map(|first| TimeMs(self.clock.utc_ms(0) + i64::from(first.end_ms)));
        let distance_m = changed.map_or(0.0, |first| f64::from(first.distance_m));
        let part = Part { mode: first, to: site, end: changed_at, distance_m, ..*whole };
        let next = self.part(writer, trip, 1, &part)?;
        if let Some(start) = changed_at {
            let distance_m = whole.distance_m - distance_m;
            self.part(writer, trip, next, &Part { mode: second, from: site, start, distance_m, ..*whole })?;
        }
        Ok(())
    }

    /// A part of a trip from its leg `first` on: a journey by public transport where one was planned, else one leg. The
    /// number of the next leg.
    fn part(&self, writer: &mut ResultsWriter, trip: usize, first: u64, part: &Part<'_>) -> Result<u64> {
        if part.mode == "transit" {
            let legs = self.transit.legs_of(TripIx(trip as u32));
            if !legs.is_empty() {
                self.journey(writer, trip, first, part, &legs)?;
                return Ok(first + legs.len() as u64);
            }
        }
        let PersonIx(person) = self.plans.person[trip];
        writer.legs(&LegsRow {
            trip_id: trip as i64,
            leg: first,
            person_id: i64::from(person),
            mode: part.mode,
            from_id: part.from,
            to_id: part.to,
            transit_route: None,
            transit_trip: None,
            depart_time: part.start,
            arrive_time: part.end,
            distance_m: if part.end.is_some() { part.distance_m } else { 0.0 },
            money: None,
        })?;
        Ok(first + 1)
    }

    /// The legs of a journey by public transport: as planned but for its end, which is what happened.
    fn journey(
        &self,
        writer: &mut ResultsWriter,
        trip: usize,
        first: u64,
        of: &Part<'_>,
        parts: &[PlannedLeg<'_>],
    ) -> Result<()> {
        let PersonIx(person) = self.plans.person[trip];
        let ended = of.end;
        let second = |second: u32| {
            TimeMs(self.clock.utc_ms(0) + (i64::from(second) - i64::from(self.transit.second_at(0))) * 1000)
        };
        for (nth, part) in parts.iter().enumerate() {
            let is_last = nth + 1 == parts.len();
            writer.legs(&LegsRow {
                trip_id: trip as i64,
                leg: first + nth as u64,
                person_id: i64::from(person),
                mode: part.mode,
                from_id: part.from.unwrap_or(of.from),
                to_id: part.to.unwrap_or(of.to),
                transit_route: part.route,
                transit_trip: part.trip,
                depart_time: second(part.start_s),
                arrive_time: if is_last { ended } else { ended.map(|_| second(part.end_s)) },
                distance_m: part.distance_m,
                money: part.money,
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
    let sites = world.resource::<Sites>();
    let offer = world.resource::<Planner>().offer(sites, skims, modes);
    let told = [Mode::Car, Mode::Transit, Mode::Bicycle, Mode::Walk].into_iter();
    for mode in told.chain((!sites.is_empty()).then_some(Mode::ParkAndRide)) {
        // Ways that take the same time all day are written once.
        let is_all_day = match mode {
            Mode::Car => skims.car.windows(2).all(|pair| std::sync::Arc::ptr_eq(&pair[0], &pair[1])),
            Mode::Transit | Mode::ParkAndRide => skims.transit.is_empty(),
            _ => true,
        };
        for (period, &from_hour) in PERIOD_STARTS_H.iter().enumerate().take(if is_all_day { 1 } else { PERIODS }) {
            for (from, origins) in of_zone.iter().enumerate() {
                for (to, destinations) in of_zone.iter().enumerate() {
                    let (mut weight, mut minutes, mut way_m, mut money) = (0.0, 0.0, 0.0, 0.0);
                    for (&a, &b) in origins.iter().flat_map(|a| destinations.iter().map(move |b| (a, b))) {
                        let travel = match mode {
                            Mode::ParkAndRide => by_best_site(&offer, period, a, b),
                            _ => skims.travel(mode, &modes[mode as usize], period, a, b),
                        };
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

/// A way by the best site, the car first.
fn by_best_site(offer: &Offer<'_>, period: usize, from: usize, to: usize) -> Travel {
    let Some((site, way)) = offer.best_of_way(period, from, to) else { return Travel::NONE };
    let (drive, ride) = (way.drive, way.ride);
    let minutes = drive.minutes + ride.minutes + offer.change_min;
    Travel {
        felt_min: offer.felt_min(site, &way),
        money: drive.money + ride.money,
        ..Travel::free(minutes, drive.way_m + ride.way_m)
    }
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
        if counts.is_empty() {
            continue;
        }
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
