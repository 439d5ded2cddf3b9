//! Indicators of where people are: day and night, and what they throw away.
//!
//! People of the city at a moment are those in its zones, on the way or at a place.

use super::facts::Facts;
use super::roads::HOURS;
use super::sheet::{Place, Sheet};
use arrow::array::Array;
use std::collections::BTreeMap;
use urbis_core::Result;
use urbis_core::units::HOURS_PER_YEAR;
use urbis_output::Table;

/// Hour at which the day is counted.
const DAY_HOUR: u8 = 14;

/// Sums of persons by moment, then means of moments by hour.
#[derive(Default)]
struct Course(BTreeMap<(Option<String>, i64), f64>);

impl Course {
    fn read(facts: &Facts<'_>) -> Result<Self> {
        let mut course = Self::default();
        if facts.why_not(Table::ActivityPresence).is_none() {
            facts.run.for_each_batch(Table::ActivityPresence, &["time", "zone_id", "persons"], |batch| {
                let zones = batch.text("zone_id");
                for row in 0..batch.rows() {
                    let (time, persons) = (batch.time_ms("time", row), batch.real("persons").value(row));
                    course.add(zones.is_valid(row).then(|| zones.value(row)), time, persons);
                }
                Ok(())
            })?;
        } else {
            facts.run.for_each_batch(Table::Presence, &["time", "zone_id", "persons"], |batch| {
                for row in 0..batch.rows() {
                    let persons = batch.count("persons").value(row) as f64 * facts.scale;
                    course.add(Some(batch.text("zone_id").value(row)), batch.time_ms("time", row), persons);
                }
                Ok(())
            })?;
        }
        Ok(course)
    }
    fn add(&mut self, zone: Option<&str>, time_ms: i64, persons: f64) {
        *self.0.entry((None, time_ms)).or_default() += persons;
        if let Some(zone) = zone {
            *self.0.entry((Some(zone.to_owned()), time_ms)).or_default() += persons;
        }
    }
    /// Mean of the moments that begin an hour, by zone (none for the city) and hour.
    fn by_hour(&self, facts: &Facts<'_>) -> BTreeMap<Option<String>, [Option<f64>; HOURS]> {
        let mut sums: BTreeMap<Option<String>, [(f64, f64); HOURS]> = BTreeMap::new();
        let local_ms = |time_ms: i64| (time_ms + facts.info.local_offset_ms).rem_euclid(3_600_000);
        for ((zone, time_ms), persons) in self.0.iter().filter(|((_, time_ms), _)| local_ms(*time_ms) == 0) {
            let sum = &mut sums.entry(zone.clone()).or_default()[usize::from(facts.hour(*time_ms))];
            *sum = (sum.0 + persons, sum.1 + 1.0);
        }
        let mean = |(sum, count): (f64, f64)| (count > 0.0).then(|| sum / count);
        sums.into_iter().map(|(zone, hours)| (zone, hours.map(mean))).collect()
    }
}

/// Puts what presence tells into a sheet.
pub(crate) fn measure(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    let why_not = facts.why_not(Table::ActivityPresence).and_then(|why| facts.why_not(Table::Presence).map(|_| why));
    if let Some(why) = why_not {
        sheet.all_absent(&[23, 54], &why);
        return Ok(());
    }
    let course = Course::read(facts)?;
    if facts.why_not(Table::ActivityPresence).is_some() {
        sheet.note(23, "people in buildings; those on the way are not in it");
    }
    let Some(residents) = facts.residents_for(sheet, &[23, 54]) else { return Ok(()) };
    for (zone, hours) in course.by_hour(facts) {
        let Some(homes) = zone.as_ref().map_or(Some(residents), |zone| facts.residents_of.get(zone).copied()) else {
            continue;
        };
        let Some(at_day) = hours[usize::from(DAY_HOUR)].filter(|_| homes > 0.0) else { continue };
        let place = zone.as_deref().map_or_else(Place::default, Place::zone);
        sheet.put_at(23, "", "ratio", place.clone(), at_day / homes);
        for (hour, persons) in hours.iter().enumerate().filter_map(|(hour, p)| Some((hour, (*p)?))) {
            sheet.put_at(23, "", "ratio", Place { hour: Some(hour as u8), ..place.clone() }, persons / homes);
        }
    }
    if !sheet.has(23) {
        sheet.absent(23, "the run does not hold 14:00, local time, or its tables no such moment");
    }
    waste(facts, &course, residents, sheet);
    Ok(())
}

fn waste(facts: &Facts<'_>, course: &Course, residents: f64, sheet: &mut Sheet) {
    let moments: Vec<f64> =
        course.0.iter().filter(|((zone, _), _)| zone.is_none()).map(|(_, persons)| *persons).collect();
    match facts.figure("municipal_waste") {
        Err(why) => sheet.absent(54, why),
        Ok(_) if moments.is_empty() => sheet.absent(54, "nobody was present in the run"),
        Ok(kg_per_person_day) => {
            let present = moments.iter().sum::<f64>() / moments.len() as f64;
            sheet.put(54, "", "kg/person/yr", kg_per_person_day * present * HOURS_PER_YEAR / 24.0 / residents);
        }
    }
}
