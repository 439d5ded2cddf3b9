//! Where people of a city will be by their plans: in buildings, by hour.
//!
//! Somebody is at home until their first trip starts as planned, on the way for as long as it was planned to take, and then
//! where it led. The middle of an hour stands for the hour. Delays, which only a run knows, are left out.

use super::graph::Customers;
use urbis_core::chunks::map_chunks;
use urbis_population::{Persons, Places, Plans};

/// Length of a slot, seconds.
pub const SLOT_S: u32 = 3600;
/// Persons that are looked at together.
const PERSONS_PER_CHUNK: usize = 16_384;

/// People by hour and building until `end_s`, each simulated person standing for `persons_scale`.
#[must_use]
pub fn planned_presence(
    places: &Places,
    persons: &Persons,
    plans: &Plans,
    persons_scale: f64,
    end_s: u32,
) -> Customers {
    let buildings = places.buildings();
    let slots = end_s.div_ceil(SLOT_S).max(1) as usize;
    let found = map_chunks(persons.len(), PERSONS_PER_CHUNK, |range| {
        let mut rows = Vec::new();
        for person in persons.indices().skip(range.start).take(range.len()) {
            let mut trips = plans.trips_of(person).map(|trip| trip as usize).peekable();
            let (mut place, mut since_s) = (persons.home[person.row()], 0.0);
            for slot in 0..slots {
                let middle_s = (slot as u32 * SLOT_S + SLOT_S / 2).min(end_s);
                while let Some(trip) = trips.next_if(|&trip| plans.planned[trip] <= middle_s) {
                    place = plans.to[trip];
                    since_s = f64::from(plans.planned[trip]) + f64::from(plans.way_s[trip].max(0.0));
                }
                if place.row() < buildings && since_s <= f64::from(middle_s) {
                    rows.push((slot * buildings + place.row()) as u32);
                }
            }
        }
        rows
    });
    let mut count = vec![0_u32; slots * buildings];
    found.iter().flatten().for_each(|&row| count[row as usize] += 1);
    let persons = count.iter().map(|&count| (f64::from(count) * persons_scale).round() as u32).collect();
    Customers { slot_s: SLOT_S, places: buildings, persons }
}
