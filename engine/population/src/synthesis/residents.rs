//! Residents: households and their members, zone by zone, placed in buildings.
//!
//! Residents of a zone and their age classes are exact (largest remainder); what else a zone has to add up to is in
//! [`super::controls`], how well it does in [`super::report`]. Households go to buildings in proportion to dwellings, or
//! to residential floor area where no dwellings are known, or to any floor area. Where a city has no buildings, its
//! recipe makes them up along the streets (`[buildings] source = "synthetic"`); a zone with residents and none is an
//! error. Zones are independent and run in parallel; parts are joined in order of zone.

use super::controls::Controls;
use super::defaults::Country;
use super::households::Households;
use super::members;
use super::report::{FitReport, FitRow};
use super::sample::Seed;
use super::traits::{Context, car_odds, draw};
use super::types::{self, CONTROLS, Types};
use crate::persons::Persons;
use crate::settings::PopulationSettings;
use std::collections::BTreeMap;
use urbis_city::model::{BuildingUse, City};
use urbis_core::chunks::map_chunks;
use urbis_core::columns::apportion;
use urbis_core::{Problem, Problems, ZoneIx};

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

/// Residents and households with how well they fit.
#[derive(Clone, Debug, Default)]
pub struct Synthetic {
    /// The residents.
    pub persons: Persons,
    /// Their households.
    pub households: Households,
    /// How well they meet the controls.
    pub report: FitReport,
}

/// Makes the residents and their households. Paths in the settings are as the program can open them.
///
/// # Errors
/// An unknown country, a sample that cannot be read, and every zone that has residents but no building.
pub fn synthesise(city: &City, settings: &PopulationSettings, seed: u64) -> urbis_core::Result<Synthetic> {
    let country = Country::named(&settings.synthesis.country)?;
    let sample = Seed::of(&settings.synthesis, &country)?;
    let basis = Basis { country: &country, sample: &sample, settings };
    match &city.land_use {
        None => basis.residents(city, &Controls::new(city, settings, &country), seed),
        Some(plan) => super::land_use::residents(plan, &basis, seed),
    }
}

/// What residents are made of beside a city and its controls.
pub(crate) struct Basis<'a> {
    pub(crate) country: &'a Country,
    pub(crate) sample: &'a Seed,
    pub(crate) settings: &'a PopulationSettings,
}

impl Basis<'_> {
    /// Residents of the zones of a city under their controls.
    pub(crate) fn residents(&self, city: &City, controls: &Controls, seed: u64) -> urbis_core::Result<Synthetic> {
        let &Self { country, sample, settings } = self;
        let types = Types::new(sample, controls);
        let context = Context {
            country,
            seed: sample,
            types: &types,
            controls,
            settings,
            seed_number: seed,
            car_odds: car_odds(country, settings.car_share),
        };
        all_zones(city, &context)
    }
}

fn all_zones(city: &City, context: &Context<'_>) -> urbis_core::Result<Synthetic> {
    let (country, sample, controls, types) = (context.country, context.seed, context.controls, context.types);
    let by_zone = city.buildings.by_zone(city.zones.len());
    let zones = map_chunks(city.zones.len(), 1, |range| {
        let zone = range.start;
        let buildings: Vec<u32> = by_zone.row(zone).iter().map(|building| building.0).collect();
        one_zone(city, context, zone, &buildings)
    });
    let mut all = Synthetic::default();
    all.report.zones = city.zones.id.clone();
    all.report.warnings.clone_from(&controls.warnings);
    all.report.seed_households = sample.households.len();
    all.report.types = types.len();
    all.households.currency = if sample.is_sample { String::new() } else { country.currency.clone() };
    let mut problems = Problems::new();
    let mut unsupported: BTreeMap<usize, u32> = BTreeMap::new();
    for zone in zones {
        let part = match zone {
            Ok(Some(part)) => part,
            Ok(None) => continue,
            Err(problem) => {
                problems.push(*problem);
                continue;
            }
        };
        let (persons, households) = (all.persons.len() as u32, all.households.len() as u32);
        all.persons.append(part.persons, households);
        all.households.append(part.households, persons);
        all.report.rows.extend(part.fit);
        all.report.iterations = all.report.iterations.max(part.iterations);
        all.report.not_converged += usize::from(!part.converged);
        all.report.disagreeing += usize::from(part.disagrees);
        all.report.exchanged += u64::from(part.exchanged);
        all.report.fitted_persons += u64::from(part.fitted);
        part.unsupported.iter().for_each(|&control| *unsupported.entry(control).or_default() += 1);
    }
    for (control, zones) in unsupported {
        let what = CONTROLS[control];
        let help = if sample.is_sample { "the sample has no household" } else { "the default households have none" };
        all.report.warnings.push(format!("{what}: {zones} zones ask for it, but {help} that counts for it"));
    }
    problems.or_else(all)
}

/// The residents of one zone.
struct Part {
    persons: Persons,
    households: Households,
    fit: Vec<FitRow>,
    iterations: u32,
    converged: bool,
    disagrees: bool,
    unsupported: Vec<usize>,
    exchanged: u32,
    fitted: u32,
}

fn one_zone(
    city: &City,
    context: &Context<'_>,
    zone: usize,
    buildings: &[u32],
) -> std::result::Result<Option<Part>, Box<Problem>> {
    let persons = context.controls.persons[zone];
    if persons == 0 {
        return Ok(None);
    }
    let homes = home_weights(city, buildings);
    if homes.iter().all(|&weight| weight <= 0.0) {
        let place = std::path::Path::new("panel/panel.parquet");
        let problem = Problem::value(
            place,
            zone + 1,
            Some(&city.zones.id[zone]),
            "residents",
            persons,
            "0, since the zone has no building to live in",
        )
        .with_help("add buildings to the package, or `[buildings] source = \"synthetic\"` to its recipe");
        return Err(Box::new(problem));
    }
    let targets = context.types.targets(context.controls, zone);
    let by_age = &context.controls.by_age[zone];
    let settings = &context.settings.synthesis;
    let made = members::make(context.types, context.seed, &targets, by_age, settings, context.seed_number, zone as u32);
    let homes = deal_households(made.households.len() as u32, &homes, buildings);
    let (persons, households) = draw(context, zone, &made, &homes);
    let fit = fit_of(context, zone, &persons, &households);
    Ok(Some(Part {
        persons,
        households,
        fit,
        iterations: made.iterations,
        converged: made.converged,
        disagrees: made.disagrees,
        unsupported: made.unsupported,
        exchanged: made.exchanged,
        fitted: made.fitted,
    }))
}

/// The controls of a zone beside what came out.
fn fit_of(context: &Context<'_>, zone: usize, persons: &Persons, households: &Households) -> Vec<FitRow> {
    let mut values = [0.0; CONTROLS.len()];
    values[0] = households.len() as f64;
    values[types::RESIDENTS] = persons.len() as f64;
    for row in 0..persons.len() {
        let class = persons.age_class[row];
        values[types::AGES + usize::from(class)] += 1.0;
        values[types::EMPLOYED] += f64::from(u8::from(persons.employed[row] && (1..=3).contains(&class)));
    }
    for row in 0..households.len() {
        values[types::SIZES + (households.size[row] as usize).clamp(1, 6) - 1] += 1.0;
        values[types::CARS] += f64::from(households.cars[row]);
        values[types::CARS_OF + usize::from(households.cars[row].min(3))] += 1.0;
        values[types::INCOMES + usize::from(households.income_class[row]).clamp(1, 5) - 1] += 1.0;
    }
    let mut targets = types::targets(context.controls, zone);
    if context.is_by_sample_jobs(zone) {
        targets[types::EMPLOYED] = f64::NAN;
    }
    let zone_ix = ZoneIx(zone as u32);
    let row = |control, target, value| FitRow { control, zone: zone_ix, target, value };
    let mut fit: Vec<FitRow> = Vec::new();
    for (control, (&target, &value)) in CONTROLS.iter().zip(targets.iter().zip(&values)) {
        if !target.is_nan() {
            fit.push(row(control, target, value));
        }
    }
    let count = |column: &[bool]| column.iter().filter(|&&is| is).count() as f64;
    if context.is_by_car_share(zone) {
        let target = f64::from(context.controls.car_access[zone]);
        fit.push(row("adults_with_car", target, count(&persons.has_car)));
    }
    let target = f64::from(context.controls.two_wheeler_access[zone]);
    fit.push(row("adults_with_two_wheeler", target, count(&persons.has_two_wheeler)));
    fit
}

/// Dwellings, or residential floor area where no dwellings are known, or any floor area.
#[must_use]
pub fn home_weights(city: &City, buildings: &[u32]) -> Vec<f64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn households_follow_dwellings() {
        assert_eq!(deal_households(4, &[1.0, 0.0, 3.0], &[7, 8, 9]), [7, 9, 9, 9]);
    }
}
