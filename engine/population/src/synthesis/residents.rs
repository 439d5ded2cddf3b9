//! Residents: households and their members, placed in buildings.
//!
//! For each zone: residents from the panel; age classes and the number of households by largest
//! remainder (so both are exact); every household gets an adult first, the others join households drawn
//! in proportion to the room left; households go to buildings in proportion to dwellings, or to
//! residential floor area where no dwellings are known. Zones are independent and run in parallel.

use super::purpose;
use crate::persons::{Persons, Place};
use crate::settings::{AGE_CLASSES, PersonKind, PopulationSettings};
use urbis_city::model::{BuildingUse, City};
use urbis_core::chunks::map_chunks;
use urbis_core::columns::apportion;
use urbis_core::rng::Rng;
use urbis_core::{Error, Problem};

/// Largest household that is made unless everybody must fit somewhere.
const HOUSEHOLD_SIZE_MAX: u32 = 7;

/// Residents of each zone: the panel's `residents`, else `residents_share` (percent) of the city's
/// figure, else what both leave of the city's figure by residential floor area.
#[must_use]
pub fn residents_by_zone(city: &City) -> Vec<f64> {
    let total = city.panel_latest(&city.manifest.name, "residents").map(|row| row.value);
    let mut residents: Vec<Option<f64>> = city
        .zones
        .id
        .iter()
        .map(|id| {
            city.panel_latest(id, "residents").map(|row| row.value).or_else(|| {
                let share = city.panel_latest(id, "residents_share")?;
                Some(share.value / 100.0 * total?)
            })
        })
        .collect();
    let rest = (total.unwrap_or(0.0) - residents.iter().flatten().sum::<f64>()).max(0.0);
    let mut open_area = vec![0.0; city.zones.len()];
    for (row, zone) in city.buildings.zone.iter().enumerate() {
        if residents[zone.row()].is_none() && city.buildings.purpose[row] == BuildingUse::Residential {
            open_area[zone.row()] += city.buildings.floor_area_m2[row];
        }
    }
    let open_total: f64 = open_area.iter().sum();
    for (zone, figure) in residents.iter_mut().enumerate() {
        if figure.is_none() && open_total > 0.0 {
            *figure = Some(rest * open_area[zone] / open_total);
        }
    }
    residents.into_iter().map(|figure| figure.unwrap_or(0.0)).collect()
}

/// Shares of the age classes: the panel's for the city, else the settings'.
fn age_shares(city: &City, settings: &PopulationSettings) -> Vec<f64> {
    let from_panel: Option<Vec<f64>> = AGE_CLASSES
        .iter()
        .map(|(indicator, _)| city.panel_latest(&city.manifest.name, indicator).map(|row| row.value))
        .collect();
    from_panel.unwrap_or_else(|| settings.age_shares.to_vec())
}

/// Makes the residents.
///
/// # Errors
/// When a zone has residents but no building.
pub fn synthesise(city: &City, settings: &PopulationSettings, seed: u64) -> urbis_core::Result<Persons> {
    let shares = age_shares(city, settings);
    let residents = residents_by_zone(city);
    let by_zone = city.buildings.by_zone(city.zones.len());
    let zones = map_chunks(city.zones.len(), 1, |range| {
        let zone = range.start;
        let buildings: Vec<u32> = by_zone.row(zone).iter().map(|building| building.0).collect();
        one_zone(city, settings, seed, zone, residents[zone], &shares, &buildings)
    });
    let mut all = Persons::default();
    let mut households = 0;
    for zone in zones {
        let (mut part, zone_households) = zone?;
        part.household.iter_mut().for_each(|household| *household += households);
        households += zone_households;
        append(&mut all, part);
    }
    Ok(all)
}

fn append(all: &mut Persons, mut part: Persons) {
    all.kind.append(&mut part.kind);
    all.home.append(&mut part.home);
    all.household.append(&mut part.household);
    all.age_class.append(&mut part.age_class);
    all.employed.append(&mut part.employed);
    all.pupil.append(&mut part.pupil);
    all.has_car.append(&mut part.has_car);
    all.has_two_wheeler.append(&mut part.has_two_wheeler);
    all.workplace.append(&mut part.workplace);
}

fn one_zone(
    city: &City,
    settings: &PopulationSettings,
    seed: u64,
    zone: usize,
    residents: f64,
    age_shares: &[f64],
    buildings: &[u32],
) -> urbis_core::Result<(Persons, u32)> {
    let persons = (residents * settings.sample_factor).round().max(0.0) as u32;
    if persons == 0 {
        return Ok((Persons::default(), 0));
    }
    let homes = home_weights(city, buildings);
    if homes.iter().all(|&weight| weight <= 0.0) {
        let place = std::path::Path::new("panel/panel.parquet");
        return Err(Error::from(
            Problem::value(
                place,
                zone + 1,
                Some(&city.zones.id[zone]),
                "residents",
                persons,
                "0, since the zone has no building to live in",
            )
            .with_help("add buildings to the package, or `[buildings] source = \"synthetic\"` to its recipe"),
        ));
    }
    let by_age = apportion(persons, age_shares);
    let adults: u32 = by_age[1..].iter().sum();
    let wanted = (f64::from(persons) / settings.persons_per_household.max(1.0)).round() as u32;
    let households = wanted.clamp(1, adults.max(1));
    let homes_of_households = deal_households(households, &homes, buildings);
    let members = deal_members(&by_age, households, seed, zone as u32);

    let mut part = Persons::default();
    for (household, ages) in members.iter().enumerate() {
        for &age_class in ages {
            let entity = part.len() as u32;
            let mut rng = Rng::new(seed, entity, zone as u32, purpose::PERSON);
            let (is_adult, is_active) = (age_class > 0, (1..=3).contains(&age_class));
            part.kind.push(PersonKind::Resident);
            part.home.push(Place(homes_of_households[household]));
            part.household.push(household as u32);
            part.age_class.push(age_class);
            part.employed.push(rng.chance(settings.employed_share_18_64) && is_active);
            part.pupil.push(rng.chance(settings.pupil_share_0_17) && !is_adult);
            part.has_car.push(rng.chance(settings.car_share) && is_adult);
            part.has_two_wheeler.push(rng.chance(settings.two_wheeler_share) && is_adult);
            part.workplace.push(Place::NONE);
        }
    }
    Ok((part, households))
}

/// Dwellings, or residential floor area where no dwellings are known, or any floor area.
fn home_weights(city: &City, buildings: &[u32]) -> Vec<f64> {
    let table = &city.buildings;
    let weights =
        |weight: &dyn Fn(usize) -> f64| -> Vec<f64> { buildings.iter().map(|&row| weight(row as usize)).collect() };
    let positive = |weights: &[f64]| weights.iter().any(|&weight| weight > 0.0);
    let dwellings = weights(&|row| f64::from(table.dwellings[row]));
    if positive(&dwellings) {
        return dwellings;
    }
    let homes =
        weights(&|row| if table.purpose[row] == BuildingUse::Residential { table.floor_area_m2[row] } else { 0.0 });
    if positive(&homes) { homes } else { weights(&|row| table.floor_area_m2[row]) }
}

/// The building of each household.
fn deal_households(households: u32, weights: &[f64], buildings: &[u32]) -> Vec<u32> {
    apportion(households, weights)
        .into_iter()
        .zip(buildings)
        .flat_map(|(count, &building)| std::iter::repeat_n(building, count as usize))
        .collect()
}

/// Age classes of the members of each household: an adult first, the others where there is room.
fn deal_members(by_age: &[u32], households: u32, seed: u64, zone: u32) -> Vec<Vec<u8>> {
    let mut rng = Rng::new(seed, zone, 0, purpose::HOUSEHOLD);
    let mut adults: Vec<u8> = pool(&by_age[1..], 1);
    shuffle(&mut adults, &mut rng);
    let heads = (households as usize).min(adults.len());
    let mut members: Vec<Vec<u8>> = adults.drain(..heads).map(|age| vec![age]).collect();
    members.resize(households as usize, Vec::new());
    let mut others = adults;
    others.extend(pool(&by_age[..1], 0));
    shuffle(&mut others, &mut rng);
    let size_max = HOUSEHOLD_SIZE_MAX.max(by_age.iter().sum::<u32>().div_ceil(households));
    for age in others {
        // A full household passes the person on to the next one with room; one exists by `size_max`.
        let mut household = rng.below(households) as usize;
        while members[household].len() >= size_max as usize {
            household = (household + 1) % members.len();
        }
        members[household].push(age);
    }
    members
}

fn pool(counts: &[u32], first_class: u8) -> Vec<u8> {
    counts
        .iter()
        .enumerate()
        .flat_map(|(class, &count)| std::iter::repeat_n(first_class + class as u8, count as usize))
        .collect()
}

fn shuffle(values: &mut [u8], rng: &mut Rng) {
    for last in (1..values.len()).rev() {
        values.swap(last, rng.below(last as u32 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_household_has_an_adult_and_nobody_is_lost() {
        let by_age = [20, 30, 10, 5, 3, 2];
        let members = deal_members(&by_age, 25, 1, 0);
        assert_eq!(members.iter().map(Vec::len).sum::<usize>(), 70);
        assert!(members.iter().all(|ages| ages.first().is_some_and(|&age| age > 0)));
        assert!(members.iter().all(|ages| ages.len() <= HOUSEHOLD_SIZE_MAX as usize));
        for class in 0..6_u8 {
            let count = members.iter().flatten().filter(|&&age| age == class).count();
            assert_eq!(count as u32, by_age[class as usize]);
        }
        assert_eq!(members, deal_members(&by_age, 25, 1, 0));
        assert_ne!(members, deal_members(&by_age, 25, 2, 0));
    }

    #[test]
    fn households_follow_dwellings() {
        assert_eq!(deal_households(4, &[1.0, 0.0, 3.0], &[7, 8, 9]), [7, 9, 9, 9]);
    }
}
