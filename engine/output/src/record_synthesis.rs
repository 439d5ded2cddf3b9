//! Recorders of the synthetic population, once, after the last tick: who lived in the run, not what they did.

use crate::place_names::PlaceNames;
use crate::record::Recording;
use crate::tables::{HouseholdsRow, PersonsRow};
use crate::writer::ResultsWriter;
use urbis_city::model::City;
use urbis_core::{PersonIx, Result};
use urbis_population::{Households, Persons, Place, Places};

/// Writes `persons`: everybody of the run, people from outside included.
///
/// # Errors
/// When the rows do not fit on disk.
pub fn persons(
    city: &City,
    places: &Places,
    persons: &Persons,
    recording: &Recording,
    writer: &mut ResultsWriter,
) -> Result<()> {
    if recording.every.is_none() {
        return Ok(());
    }
    let names = PlaceNames::new(city, places);
    let building = |place: Place| names.building(place);
    let zone = |place: Place| (place != Place::NONE).then(|| names.zone(place));
    for row in 0..persons.len() {
        let (home, workplace) = (persons.home[row], persons.workplace[row]);
        if !recording.covers(places.zone[home.row()]) {
            continue;
        }
        let household = persons.household[row];
        writer.persons(&PersonsRow {
            person_id: row as i64,
            person_kind: persons.kind[row].name(),
            household_id: (household != u32::MAX).then_some(i64::from(household)),
            home_building: building(home),
            home_zone: zone(home).unwrap_or_default(),
            age_years: u64::from(persons.age_years[row]),
            sex: persons.sex[row].name(),
            is_employed: persons.employed[row],
            is_pupil: persons.pupil[row],
            is_student: persons.is_student[row],
            has_licence: persons.has_licence[row],
            has_car: persons.has_car[row],
            has_two_wheeler: persons.has_two_wheeler[row],
            has_transit_pass: persons.has_transit_pass[row],
            workplace_building: building(workplace),
            workplace_zone: zone(workplace),
        })?;
    }
    Ok(())
}

/// Writes `households`: those of the residents.
///
/// # Errors
/// When the rows do not fit on disk.
pub fn households(
    city: &City,
    places: &Places,
    households: &Households,
    recording: &Recording,
    writer: &mut ResultsWriter,
) -> Result<()> {
    if recording.every.is_none() {
        return Ok(());
    }
    for row in 0..households.len() {
        let (home, zone) = (households.home[row], households.zone[row]);
        if !recording.covers(zone) {
            continue;
        }
        let PersonIx(first) = households.first_person[row];
        writer.households(&HouseholdsRow {
            household_id: row as i64,
            home_building: places.building(home).map(|building| city.buildings.id[building.row()].as_str()),
            zone_id: &city.zones.id[zone.row()],
            first_person_id: i64::from(first),
            size: u64::from(households.size[row]),
            cars: u64::from(households.cars[row]),
            two_wheelers: u64::from(households.two_wheelers[row]),
            income_class: u64::from(households.income_class[row]),
            income_per_year: households.income_per_year[row],
            currency: &households.currency,
        })?;
    }
    Ok(())
}
