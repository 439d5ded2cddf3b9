//! Trips of a run with what they cost who makes them: time, way, and money paid to policies.

use crate::read::RunResults;
use arrow::array::Array;
use std::collections::BTreeMap;
use urbis_core::Result;
use urbis_output::Table;

/// Words as small numbers, the same in all runs that share them.
#[derive(Debug, Default)]
pub(crate) struct Words {
    number: BTreeMap<String, u32>,
    words: Vec<String>,
}

impl Words {
    pub(crate) fn number(&mut self, word: &str) -> u32 {
        if let Some(&number) = self.number.get(word) {
            return number;
        }
        let number = self.words.len() as u32;
        self.number.insert(word.to_owned(), number);
        self.words.push(word.to_owned());
        number
    }
    pub(crate) fn word(&self, number: u32) -> &str {
        &self.words[number as usize]
    }
}

/// What time is worth depends on what a trip is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimeClass {
    Commute,
    Other,
    Delivery,
}

/// What a trip costs who makes it; all fields add up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) time_s: f64,
    pub(crate) distance_m: f64,
    pub(crate) money: f64,
}

impl Cost {
    pub(crate) fn add(&mut self, other: Self, factor: f64) {
        self.time_s += factor * other.time_s;
        self.distance_m += factor * other.distance_m;
        self.money += factor * other.money;
    }
    pub(crate) fn times(self, factor: f64) -> Self {
        let mut cost = Self::default();
        cost.add(self, factor);
        cost
    }
    /// What is saved where `other` takes its place.
    pub(crate) fn less(self, other: Self) -> Self {
        let mut cost = self;
        cost.add(other, -1.0);
        cost
    }
}

/// A trip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Trip {
    pub(crate) person: i64,
    pub(crate) kind: u32,
    pub(crate) mode: u32,
    pub(crate) purpose: u32,
    pub(crate) class: TimeClass,
    /// Zones.
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// Buildings.
    pub(crate) doors: [Option<u32>; 2],
    /// None where it has not ended.
    pub(crate) cost: Option<Cost>,
}

impl Trip {
    /// Whether it is the same trip in another run, by the same means.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.purpose, self.mode, self.from, self.to, self.doors)
            == (other.purpose, other.mode, other.from, other.to, other.doors)
    }
}

/// Trips by person, each person's in the order in which they were made.
pub(crate) fn trips(run: &RunResults, words: &mut Words) -> Result<Vec<Trip>> {
    let mut paid: BTreeMap<i64, f64> = BTreeMap::new();
    if run.has(Table::Payments) {
        run.for_each_batch(Table::Payments, &["trip_id", "amount"], |batch| {
            for row in 0..batch.rows() {
                *paid.entry(batch.number("trip_id", row)).or_default() += batch.real("amount").value(row);
            }
            Ok(())
        })?;
    }
    let numbers = ["trip_id", "person_id", "depart_time", "travel_time_s", "distance_m"];
    let texts = ["person_kind", "purpose", "mode", "from_building", "to_building", "from_zone", "to_zone"];
    let mut trips: Vec<(i64, i64, Trip)> = Vec::new();
    run.for_each_batch(Table::Trips, &[&numbers[..], &texts[..]].concat(), |batch| {
        let time = batch.real("travel_time_s");
        for row in 0..batch.rows() {
            let mut word = |name: &str| words.number(batch.text(name).value(row));
            let (kind, mode, purpose) = (word("person_kind"), word("mode"), word("purpose"));
            let (from, to) = (word("from_zone"), word("to_zone"));
            let mut door = |name: &str| {
                let doors = batch.text(name);
                doors.is_valid(row).then(|| words.number(doors.value(row)))
            };
            let doors = [door("from_building"), door("to_building")];
            let id = batch.number("trip_id", row);
            let cost = time.is_valid(row).then(|| Cost {
                time_s: time.value(row),
                distance_m: batch.real("distance_m").value(row),
                money: paid.get(&id).copied().unwrap_or(0.0),
            });
            let person = batch.number("person_id", row);
            let trip = Trip { person, kind, mode, purpose, class: TimeClass::Other, from, to, doors, cost };
            trips.push((batch.time_ms("depart_time", row), id, trip));
        }
        Ok(())
    })?;
    trips.sort_by_key(|(depart_ms, id, trip)| (trip.person, *depart_ms, *id));
    let mut trips: Vec<Trip> = trips.into_iter().map(|(.., trip)| trip).collect();
    let mut before: Option<(i64, TimeClass)> = None;
    for trip in &mut trips {
        let last = before.filter(|(person, _)| *person == trip.person).map(|(_, class)| class);
        trip.class = match (words.word(trip.mode), words.word(trip.purpose)) {
            ("van", _) | (_, "delivery") => TimeClass::Delivery,
            (_, "work") => TimeClass::Commute,
            // The way home is worth what the way there was.
            (_, "home") => last.unwrap_or(TimeClass::Other),
            _ => TimeClass::Other,
        };
        before = Some((trip.person, trip.class));
    }
    Ok(trips)
}
