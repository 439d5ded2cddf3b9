//! Residents and jobs of a city that a plan of land use has changed.
//!
//! First the residents of the city before are made, as if there were no plan: households, persons and what they have are
//! the same with and without it. Then who lived in what is taken down leaves: of each such building the share of the
//! households that its floor area loses, by largest remainders over all of them, the last ones first. Last, each new
//! building is filled as if it were a zone of its own, whose ages, sizes of households, cars, jobs and incomes are in
//! proportion those of its zone before (of the whole city where nobody lives there), with a seed derived from that of the
//! run. So as many people move in as the plan says, times the share of persons that is simulated, rounded.
//!
//! Rows: residents from before in their order, then the new ones by building, then people from outside. Draws are keyed
//! by [`Persons::key`], which is the row without a plan, so whatever is drawn later stays too.
//!
//! Ignores people who move within the city: who moves in comes from elsewhere, who leaves is gone. Contract: as
//! [`super::residents`].

use super::controls::{CarControl, Controls};
use super::purpose;
use super::residents::{Basis, Synthetic};
use crate::persons::{FIRST_NEW_KEY, Persons, Place};
use crate::synthesis::Households;
use urbis_city::model::{Buildings, City, LandUse, Zones};
use urbis_core::columns::apportion;
use urbis_core::rng::Rng;
use urbis_core::{PersonIx, ZoneIx};

/// Everybody who lives in a city with a plan.
pub(crate) fn residents(plan: &LandUse, basis: &Basis<'_>, seed: u64) -> urbis_core::Result<Synthetic> {
    let controls = Controls::new(&plan.before, basis.settings, basis.country);
    let mut all = basis.residents(&plan.before, &controls, seed)?;
    let before = all.persons.len();
    all.persons.keys = (0..before as u32).collect();
    all.persons.first_key_outside = before as u32;
    leave(&mut all, &plan.kept);
    let gone = before - all.persons.len();
    if gone > 0 {
        let what = "lived in what is taken down and left; how well controls are met is told from before";
        all.report.warnings.push(format!("land use: {gone} simulated residents {what}"));
    }
    let of_new = controls_of_new(&controls, plan, basis.settings.sample_factor);
    if of_new.persons.iter().all(|&count| count == 0) {
        return Ok(all);
    }
    let seed = Rng::new(seed, 0, 0, purpose::LAND_USE).next_u64();
    let mut new = basis.residents(&buildings_as_zones(plan), &of_new, seed)?;
    let first = plan.first_new() as u32;
    new.persons.home.iter_mut().for_each(|home| home.0 += first);
    new.persons.keys = (0..new.persons.len() as u32).map(|row| FIRST_NEW_KEY + row).collect();
    new.households.home.iter_mut().for_each(|home| home.0 += first);
    let zone_of = |building: usize| plan_zone(plan, building);
    new.households.zone.iter_mut().for_each(|zone| *zone = zone_of(zone.row()));
    let (persons, households) = (all.persons.len() as u32, all.households.len() as u32);
    all.persons.append(new.persons, households);
    all.households.append(new.households, persons);
    for row in new.report.rows {
        let zone = zone_of(row.zone.row());
        match all.report.rows.iter_mut().find(|of| of.zone == zone && of.control == row.control) {
            Some(of) => (of.target, of.value) = (of.target + row.target, of.value + row.value),
            None => all.report.rows.push(super::report::FitRow { zone, ..row }),
        }
    }
    all.report.iterations = all.report.iterations.max(new.report.iterations);
    all.report.exchanged += new.report.exchanged;
    all.report.fitted_persons += new.report.fitted_persons;
    Ok(all)
}

/// The zone of a new building.
fn plan_zone(plan: &LandUse, building: usize) -> ZoneIx {
    plan.new.zone.get(building).copied().unwrap_or(ZoneIx::NONE)
}

/// Takes out who lived in what buildings do not keep.
fn leave(all: &mut Synthetic, kept: &[f64]) {
    let homes = &all.households.home;
    let share = |building: usize| kept.get(building).copied().unwrap_or(1.0);
    let mut count = vec![0.0; kept.len()];
    homes.iter().filter(|home| share(home.row()) < 1.0).for_each(|home| count[home.row()] += 1.0);
    let wanted: Vec<f64> = count.iter().enumerate().map(|(building, count)| count * share(building)).collect();
    let mut stay = apportion(wanted.iter().sum::<f64>().round() as u32, &wanted);
    let stays_in = |home: &Place| {
        if share(home.row()) >= 1.0 {
            return true;
        }
        let left = &mut stay[home.row()];
        let stays = *left > 0;
        *left = left.saturating_sub(1);
        stays
    };
    let stays: Vec<bool> = homes.iter().map(stays_in).collect();
    if stays.iter().all(|stays| *stays) {
        return;
    }
    let of_persons: Vec<bool> = all.persons.household.iter().map(|&household| stays[household as usize]).collect();
    all.persons.retain(&of_persons);
    all.households.retain(&stays);
    number(&mut all.persons, &mut all.households, &stays);
}

/// Numbers households and their first persons again, after some left.
fn number(persons: &mut Persons, households: &mut Households, stays: &[bool]) {
    let mut next = 0;
    let new_number: Vec<u32> = stays
        .iter()
        .map(|&stays| {
            next += u32::from(stays);
            next.saturating_sub(1)
        })
        .collect();
    persons.household.iter_mut().for_each(|household| *household = new_number[*household as usize]);
    let mut first = 0;
    for (of, &size) in households.first_person.iter_mut().zip(&households.size) {
        *of = PersonIx(first);
        first += size;
    }
}

/// New buildings, each a zone of its own.
fn buildings_as_zones(plan: &LandUse) -> City {
    let new = &plan.new;
    let rows = 0..new.len() as u32;
    City {
        manifest: plan.before.manifest.clone(),
        zones: Zones { id: new.id.clone(), name: new.id.clone(), ..Zones::default() },
        buildings: Buildings { zone: rows.map(ZoneIx).collect(), ..new.clone() },
        ..City::default()
    }
}

/// Controls of each new building: those of its zone before, in proportion.
fn controls_of_new(before: &Controls, plan: &LandUse, sample_factor: f64) -> Controls {
    let mut of = Controls::default();
    let city = whole(before);
    for (building, &residents) in plan.residents.iter().enumerate() {
        let zone = plan_zone(plan, building);
        let like = match before.persons.get(zone.row()) {
            Some(&count) if zone.is_some() && count > 0 => one(before, zone.row()),
            _ => city.clone(),
        };
        let persons = (residents * sample_factor).round().max(0.0) as u32;
        let ages: Vec<f64> = like.by_age[0].iter().map(|&count| f64::from(count)).collect();
        let mut by_age = [0; 6];
        by_age.iter_mut().zip(apportion(persons, &ages)).for_each(|(count, part)| *count = part);
        by_age[2] += persons - by_age.iter().sum::<u32>();
        let (adults, active) = (by_age[1..].iter().sum::<u32>(), by_age[1..4].iter().sum::<u32>());
        let old_adults = f64::from(like.by_age[0][1..].iter().sum::<u32>()).max(1.0);
        let old_active = f64::from(like.by_age[0][1..4].iter().sum::<u32>()).max(1.0);
        let part =
            |count: u32, of: f64, most: u32| ((f64::from(count) / of * f64::from(most)).round() as u32).min(most);
        let households = match persons {
            0 => 0,
            _ => {
                let mean = f64::from(like.households[0]) / f64::from(like.persons[0]).max(1.0);
                ((f64::from(persons) * mean).round() as u32).clamp(1, adults.max(1)).min(persons)
            }
        };
        let scale = f64::from(households) / f64::from(like.households[0]).max(1.0);
        of.persons.push(persons);
        of.by_age.push(by_age);
        of.households.push(households);
        of.sizes.push(like.sizes[0].map(|sizes| sizes.map(|count| count * scale)));
        of.cars.push(match like.cars[0] {
            CarControl::Unknown => CarControl::Unknown,
            CarControl::Cars(cars) => CarControl::Cars(cars * scale),
            CarControl::Households(by_cars) => CarControl::Households(by_cars.map(|count| count * scale)),
        });
        of.employed.push(part(like.employed[0], old_active, active));
        of.employed_is_known.push(like.employed_is_known[0]);
        of.incomes.push(like.incomes[0]);
        of.car_access.push(part(like.car_access[0], old_adults, adults));
        of.two_wheeler_access.push(part(like.two_wheeler_access[0], old_adults, adults));
        of.licence.push(like.licence[0]);
    }
    of
}

/// The controls of one zone.
fn one(of: &Controls, zone: usize) -> Controls {
    Controls {
        persons: vec![of.persons[zone]],
        by_age: vec![of.by_age[zone]],
        households: vec![of.households[zone]],
        sizes: vec![of.sizes[zone]],
        cars: vec![of.cars[zone]],
        employed: vec![of.employed[zone]],
        employed_is_known: vec![of.employed_is_known[zone]],
        incomes: vec![of.incomes[zone]],
        car_access: vec![of.car_access[zone]],
        two_wheeler_access: vec![of.two_wheeler_access[zone]],
        licence: vec![of.licence[zone]],
        warnings: Vec::new(),
    }
}

/// The controls of all zones together; what is known of some zones only counts as unknown.
fn whole(of: &Controls) -> Controls {
    let sum = |column: &[u32]| vec![column.iter().sum()];
    let mut by_age = [0; 6];
    of.by_age.iter().for_each(|ages| by_age.iter_mut().zip(ages).for_each(|(sum, count)| *sum += count));
    let cars = of.cars.iter().try_fold(0.0, |sum, cars| match cars {
        CarControl::Cars(count) => Some(sum + count),
        _ => None,
    });
    Controls {
        persons: sum(&of.persons),
        by_age: vec![by_age],
        households: sum(&of.households),
        sizes: vec![None],
        cars: vec![cars.map_or(CarControl::Unknown, CarControl::Cars)],
        employed: sum(&of.employed),
        employed_is_known: vec![of.employed_is_known.iter().all(|is| *is)],
        incomes: vec![None],
        car_access: sum(&of.car_access),
        two_wheeler_access: sum(&of.two_wheeler_access),
        licence: vec![None],
        warnings: Vec::new(),
    }
}
