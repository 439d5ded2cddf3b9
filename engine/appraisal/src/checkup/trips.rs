//! Indicators of trips: commutes, means of transport, public transport, what trips cost, demand that is lost.
//!
//! A commute is a resident's trip for work that begins at home: the first of the run, or one after a trip home. Times
//! and lengths are of trips that ended. Means: transit counts park-and-ride, car counts passengers, other is all the rest.

use super::facts::{Facts, lacks};
use super::places::City;
use super::sheet::{Place, Sheet, Tally};
use crate::appraisal::values::{Name, Values};
use arrow::array::Array;
use std::collections::BTreeMap;
use urbis_core::Result;
use urbis_output::Table;

/// Indicators that come from trips.
const NUMBERS: [u8; 7] = [3, 4, 5, 9, 13, 32, 67];
/// Reach of a railway station, metres.
const RAIL_M: f64 = 800.0;

/// A trip.
#[derive(Clone, Debug)]
struct Trip {
    person: i64,
    depart_ms: i64,
    id: i64,
    is_resident: bool,
    purpose: u8,
    mode: Mode,
    from_zone: u32,
    buildings: [u32; 2],
    travel_s: Option<f64>,
    way_m: f64,
}

const HOME: u8 = 0;
const WORK: u8 = 1;
const OTHER: u8 = 2;
const NOWHERE: u32 = u32::MAX;

/// Means of transport as a check-up parts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    Walk,
    Bicycle,
    Transit,
    Car,
    CarPassenger,
    TwoWheeler,
    Other,
}

impl Mode {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "walk" => Self::Walk,
            "bicycle" => Self::Bicycle,
            "transit" | "park_and_ride" => Self::Transit,
            "car" => Self::Car,
            "car_passenger" => Self::CarPassenger,
            "two_wheeler" => Self::TwoWheeler,
            _ => Self::Other,
        }
    }
    /// The part of indicator 9 it counts for.
    pub(crate) fn part(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::Bicycle => "bicycle",
            Self::Transit => "transit",
            Self::Car | Self::CarPassenger => "car",
            Self::TwoWheeler | Self::Other => "other",
        }
    }
    fn is_green(self) -> bool {
        matches!(self, Self::Walk | Self::Bicycle | Self::Transit)
    }
}

/// Words as numbers.
#[derive(Default)]
struct Names {
    number: BTreeMap<String, u32>,
    words: Vec<String>,
}

impl Names {
    fn number(&mut self, word: &str) -> u32 {
        if let Some(&number) = self.number.get(word) {
            return number;
        }
        let number = self.words.len() as u32;
        self.words.push(word.to_owned());
        self.number.insert(word.to_owned(), number);
        number
    }
}

struct Trips {
    trips: Vec<Trip>,
    names: Names,
    /// Trips that were to start in the period, and those of them that found no way or no room.
    wanted: f64,
    lost: f64,
}

fn read(facts: &Facts<'_>) -> Result<Trips> {
    let mut all = Trips { trips: Vec::new(), names: Names::default(), wanted: 0.0, lost: 0.0 };
    let numbers = ["trip_id", "person_id", "depart_time", "travel_time_s", "distance_m"];
    let texts = ["person_kind", "purpose", "mode", "from_building", "to_building", "from_zone", "status"];
    facts.run.for_each_batch(Table::Trips, &[&numbers[..], &texts[..]].concat(), |batch| {
        let (time, doors) =
            (batch.real("travel_time_s"), ["from_building", "to_building"].map(|name| batch.text(name)));
        for row in 0..batch.rows() {
            let text = |name: &str| batch.text(name).value(row);
            let status = text("status");
            if status == "not_started" {
                continue;
            }
            all.wanted += 1.0;
            all.lost += f64::from(u8::from(matches!(status, "rejected" | "waiting")));
            let buildings = doors.map(|door| match door.is_valid(row) {
                true => all.names.number(door.value(row)),
                false => NOWHERE,
            });
            all.trips.push(Trip {
                person: batch.number("person_id", row),
                depart_ms: batch.time_ms("depart_time", row),
                id: batch.number("trip_id", row),
                is_resident: text("person_kind") == "resident",
                purpose: match text("purpose") {
                    "home" => HOME,
                    "work" => WORK,
                    _ => OTHER,
                },
                mode: Mode::of(text("mode")),
                from_zone: all.names.number(text("from_zone")),
                buildings,
                travel_s: time.is_valid(row).then(|| time.value(row)),
                way_m: batch.real("distance_m").value(row),
            });
        }
        Ok(())
    })?;
    all.trips.sort_by_key(|trip| (trip.person, trip.depart_ms, trip.id));
    Ok(all)
}

/// Puts what trips tell into a sheet.
pub(crate) fn measure(facts: &Facts<'_>, city: &City, sheet: &mut Sheet) -> Result<()> {
    if !facts.can_use(Table::Trips, sheet, &NUMBERS) {
        return boardings(facts, None, sheet);
    }
    let all = read(facts)?;
    let commutes: Vec<&Trip> = commutes(&all.trips);
    commuting(facts, &all, &commutes, sheet);
    rail(city, &all, &commutes, sheet);
    modes(facts, &all, sheet);
    let by_transit = all.trips.iter().filter(|trip| trip.mode == Mode::Transit).count() as f64 * facts.scale;
    boardings(facts, Some(by_transit), sheet)?;
    cost_burden(facts, &all, sheet)?;
    lost_demand(facts, &all, sheet);
    Ok(())
}

/// Residents' trips from home to work; trips stand person by person in order.
fn commutes(trips: &[Trip]) -> Vec<&Trip> {
    let mut before: Option<&Trip> = None;
    let mut found = Vec::new();
    for trip in trips {
        let last = before.filter(|last| last.person == trip.person);
        let from_home = last.is_none_or(|last| last.purpose == HOME);
        if trip.is_resident && trip.purpose == WORK && from_home {
            found.push(trip);
        }
        before = Some(trip);
    }
    found
}

/// Places at which a trip of a person counts: the city, the zone, the hour, and each of the person's groups.
fn places_of(facts: &Facts<'_>, all: &Trips, trip: &Trip) -> Vec<Place> {
    let zone = &all.names.words[trip.from_zone as usize];
    let mut places = vec![Place::default(), Place::zone(zone), Place::hour(facts.hour(trip.depart_ms))];
    if let Some(person) = facts.persons.get(&trip.person) {
        places.extend(person.groups.iter().map(|group| Place::group(group)));
    }
    places
}

fn commuting(facts: &Facts<'_>, all: &Trips, commutes: &[&Trip], sheet: &mut Sheet) {
    let (mut minutes, mut near, mut soon) = (Tally::default(), Tally::default(), Tally::default());
    for trip in commutes {
        let Some(travel_s) = trip.travel_s else { continue };
        let mut places = places_of(facts, all, trip);
        places.push(Place::group(&format!("mode:{}", trip.mode.part())));
        for place in places {
            minutes.add(place.clone(), travel_s / 60.0, 1.0);
            near.add(place.clone(), f64::from(u8::from(trip.way_m < 5000.0)), 1.0);
            soon.add(place, f64::from(u8::from(travel_s <= 45.0 * 60.0)), 1.0);
        }
    }
    if minutes.whole().is_none() {
        sheet.all_absent(&[3, 4, 5], "no resident's trip from home to work ended in the run");
    }
    minutes.put(sheet, 3, "", "min", 1.0);
    near.put(sheet, 4, "", "%", 100.0);
    soon.put(sheet, 5, "", "%", 100.0);
}

fn rail(city: &City, all: &Trips, commutes: &[&Trip], sheet: &mut Sheet) {
    let near = match city.near("station", RAIL_M) {
        Ok(near) => near,
        Err(why) => return sheet.absent(13, why),
    };
    let is_near = |building: u32| {
        building != NOWHERE && city.buildings.row.get(&all.names.words[building as usize]).is_some_and(|&row| near[row])
    };
    let mut tally = Tally::default();
    let mut before = None;
    for trip in commutes.iter().filter(|trip| before.replace(trip.person) != Some(trip.person)) {
        let covered = f64::from(u8::from(trip.buildings.iter().all(|&building| is_near(building))));
        tally.add(Place::default(), covered, 1.0);
        tally.add(Place::zone(&all.names.words[trip.from_zone as usize]), covered, 1.0);
    }
    if tally.whole().is_none() {
        sheet.absent(13, "no resident went to work in the run");
    }
    tally.put(sheet, 13, "", "%", 100.0);
}

/// Parts of indicator 9, the last of which is the sum of the first three.
const PARTS: [&str; 6] = ["walk", "bicycle", "transit", "car", "other", "green"];

/// For each part whether a trip counts for it.
fn counts_of(mode: Mode) -> [f64; PARTS.len()] {
    let mut counts = PARTS.map(|part| f64::from(u8::from(mode.part() == part)));
    counts[PARTS.len() - 1] = f64::from(u8::from(mode.is_green()));
    counts
}

fn modes(facts: &Facts<'_>, all: &Trips, sheet: &mut Sheet) {
    let mut tallies = vec![Tally::default(); PARTS.len()];
    let mut add = |place: &Place, counts: &[f64; PARTS.len()]| {
        // A trip counts for one part and, where it is green, for the last one too.
        let trips: f64 = counts[..PARTS.len() - 1].iter().sum();
        for (tally, count) in tallies.iter_mut().zip(counts) {
            tally.add(place.clone(), *count, trips);
        }
    };
    let mut cells: BTreeMap<(u32, u8), [f64; PARTS.len()]> = BTreeMap::new();
    for of_person in all.trips.chunk_by(|a, b| a.person == b.person).filter(|trips| trips[0].is_resident) {
        let mut own = [0.0; PARTS.len()];
        for trip in of_person {
            let cell = cells.entry((trip.from_zone, facts.hour(trip.depart_ms))).or_default();
            for ((sum, of_cell), count) in own.iter_mut().zip(cell).zip(counts_of(trip.mode)) {
                *sum += count;
                *of_cell += count;
            }
        }
        for group in facts.persons.get(&of_person[0].person).map_or(&[][..], |person| &person.groups) {
            add(&Place::group(group), &own);
        }
    }
    for ((zone, hour), counts) in &cells {
        for place in [Place::default(), Place::zone(&all.names.words[*zone as usize]), Place::hour(*hour)] {
            add(&place, counts);
        }
    }
    if tallies[0].whole().is_none() {
        sheet.absent(9, "no resident travelled in the run");
    }
    for (part, tally) in PARTS.iter().zip(&tallies) {
        tally.put(sheet, 9, part, "%", 100.0);
    }
    let with_passes = [
        ("walk", "resident_mode_share_walk"),
        ("bicycle", "resident_mode_share_bicycle"),
        ("transit", "resident_mode_share_transit"),
        ("car", "resident_mode_share_car_all"),
    ];
    for (part, indicator) in with_passes {
        if let Some((kpi, value)) = facts.city_kpi(indicator).and_then(|kpi| Some((kpi, kpi.published?))) {
            sheet.published(9, part, value, &kpi.source);
        }
    }
    sheet.note(9, "green is on foot, by bicycle and by public transport together");
}

/// Boardings of a year: those that vehicles counted, else a trip by public transport for each.
fn boardings(facts: &Facts<'_>, by_transit: Option<f64>, sheet: &mut Sheet) -> Result<()> {
    let Some(residents) = facts.residents_for(sheet, &[10]) else { return Ok(()) };
    let (mut boarded, mut halts) = (0.0, 0);
    if facts.run.has(Table::TransitLoad) {
        facts.run.for_each_batch(Table::TransitLoad, &["boarded"], |batch| {
            boarded += batch.count("boarded").iter().flatten().map(|count| count as f64).sum::<f64>();
            halts += batch.rows();
            Ok(())
        })?;
    }
    // Without timetables the table is empty.
    let boarded = (halts > 0).then_some(boarded * facts.scale);
    if boarded.is_none() && by_transit.is_some() {
        sheet.note(10, "without timetables a trip by public transport counts as one boarding");
    }
    let Some(trips) = boarded.or(by_transit) else {
        sheet.absent(10, lacks("trips"));
        return Ok(());
    };
    let a_year = Values::shipped()?.get(Name::DaysPerYear) / facts.days;
    sheet.put(10, "", "trips/person/yr", trips * a_year / residents);
    sheet.note(10, "a year has the working days of the appraisal's unit values");
    Ok(())
}

/// Money that residents pay for trips, by person.
#[derive(Default)]
struct Paid {
    by_person: BTreeMap<i64, f64>,
    are_fares_known: bool,
}

fn paid(facts: &Facts<'_>, all: &Trips, values: &Values) -> Result<Paid> {
    let mut paid = Paid { are_fares_known: true, ..Paid::default() };
    for trip in all.trips.iter().filter(|trip| trip.travel_s.is_some()) {
        let per_km = match trip.mode {
            Mode::Car => values.get(Name::DistanceCar),
            Mode::TwoWheeler => values.get(Name::DistanceTwoWheeler),
            _ => continue,
        };
        *paid.by_person.entry(trip.person).or_default() += trip.way_m / 1000.0 * per_km;
    }
    if facts.run.has(Table::Payments) {
        facts.run.for_each_batch(Table::Payments, &["person_id", "amount"], |batch| {
            for row in 0..batch.rows() {
                *paid.by_person.entry(batch.number("person_id", row)).or_default() += batch.real("amount").value(row);
            }
            Ok(())
        })?;
    }
    let rides = all.trips.iter().any(|trip| trip.is_resident && trip.mode == Mode::Transit);
    if facts.why_not(Table::Legs).is_some() {
        paid.are_fares_known = !rides;
    } else {
        facts.run.for_each_batch(Table::Legs, &["person_id", "transit_trip", "money"], |batch| {
            let (money, vehicle) = (batch.real("money"), batch.text("transit_trip"));
            for row in 0..batch.rows() {
                if money.is_valid(row) {
                    *paid.by_person.entry(batch.number("person_id", row)).or_default() += money.value(row);
                } else if vehicle.is_valid(row) {
                    paid.are_fares_known = false;
                }
            }
            Ok(())
        })?;
    }
    Ok(paid)
}

fn cost_burden(facts: &Facts<'_>, all: &Trips, sheet: &mut Sheet) -> Result<()> {
    if !(facts.can_use(Table::Persons, sheet, &[32]) && facts.can_use(Table::Households, sheet, &[32])) {
        return Ok(());
    }
    let values = Values::shipped()?;
    let mut other = None;
    facts.run.for_each_batch(Table::Households, &["currency"], |batch| {
        let currencies = batch.text("currency").iter().flatten();
        other = other
            .take()
            .or(currencies.into_iter().find(|c| !c.is_empty() && *c != values.currency()).map(str::to_owned));
        Ok(())
    })?;
    if let Some(currency) = other {
        sheet.absent(32, format!("incomes are in {currency} and the cost of driving in {}", values.currency()));
        return Ok(());
    }
    let paid = paid(facts, all, &values)?;
    let a_year = values.get(Name::DaysPerYear) / facts.days;
    let mut tally = Tally::default();
    for (id, person) in &facts.persons {
        let Some((income, class)) = person.income.zip(person.income_class) else { continue };
        let cost = paid.by_person.get(id).copied().unwrap_or(0.0) * a_year;
        for place in [Place::default(), Place::group(&format!("income:{class}")), Place::zone(&person.home_zone)] {
            tally.add(place, cost, income);
        }
    }
    if tally.whole().is_none() {
        sheet.absent(32, "households have no income");
    }
    let part = if paid.are_fares_known { "" } else { "driving_and_payments" };
    tally.put(sheet, 32, part, "% of income", 100.0);
    if !paid.are_fares_known {
        sheet.note(32, "fares are not in it: no fares of the timetables, or table `legs` is not among the results");
    }
    Ok(())
}

fn lost_demand(facts: &Facts<'_>, all: &Trips, sheet: &mut Sheet) {
    let closes = ["policy", "event"].into_iter().any(|key| {
        let blocks = facts.setting(key).and_then(toml::Value::as_array).map_or(&[][..], Vec::as_slice);
        let kind = |of: &toml::Value| of.get("kind").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        blocks.iter().any(|of| matches!(kind(of).as_str(), "closure" | "road_closure"))
    });
    if !closes {
        return sheet.absent(67, "the scenario closes no link (no policy `closure`, no event `road_closure`)");
    }
    if all.wanted <= 0.0 {
        return sheet.absent(67, "nobody travelled in the run");
    }
    sheet.put(67, "", "%", 100.0 * all.lost / all.wanted);
    sheet.note(67, "all trips that found no way or no room; what the closure adds is the change against a base");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trip(person: i64, depart_ms: i64, purpose: u8, is_resident: bool) -> Trip {
        Trip {
            person,
            depart_ms,
            id: depart_ms,
            is_resident,
            purpose,
            mode: Mode::Car,
            from_zone: 0,
            buildings: [NOWHERE; 2],
            travel_s: Some(60.0),
            way_m: 1.0,
        }
    }

    #[test]
    fn commutes_begin_at_home() {
        // The first works twice with a lunch between and once more from home; the second comes from outside.
        let trips = [
            trip(1, 0, WORK, true),
            trip(1, 1, OTHER, true),
            trip(1, 2, WORK, true),
            trip(1, 3, HOME, true),
            trip(1, 4, WORK, true),
            trip(2, 0, WORK, false),
            trip(3, 0, OTHER, true),
            trip(3, 1, WORK, true),
        ];
        let found: Vec<_> = commutes(&trips).iter().map(|trip| (trip.person, trip.depart_ms)).collect();
        assert_eq!(found, [(1, 0), (1, 4)]);
    }

    #[test]
    fn every_trip_counts_once() {
        for mode in
            [Mode::Walk, Mode::Bicycle, Mode::Transit, Mode::Car, Mode::CarPassenger, Mode::TwoWheeler, Mode::Other]
        {
            let counts = counts_of(mode);
            assert!((counts[..5].iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!((counts[5] - counts[..3].iter().sum::<f64>()).abs() < 1e-12);
        }
    }

    #[test]
    fn every_means_belongs_to_one_part() {
        for (name, part) in [
            ("walk", "walk"),
            ("bicycle", "bicycle"),
            ("transit", "transit"),
            ("park_and_ride", "transit"),
            ("car", "car"),
            ("car_passenger", "car"),
            ("two_wheeler", "other"),
            ("van", "other"),
        ] {
            assert_eq!(Mode::of(name).part(), part);
        }
        assert!(Mode::of("park_and_ride").is_green() && !Mode::of("car_passenger").is_green());
    }
}
