//! Draws of single buildings by hand, over days and years.
#![allow(clippy::print_stdout)] // figures

use super::*;
use urbis_core::calendar::year_days;

fn draws() -> WaterUse {
    WaterUse::new(&WaterDemandSettings::default()).unwrap()
}

#[test]
fn a_year_under_reference_presence_is_the_litres_stated() {
    let settings = WaterDemandSettings::default();
    let draws = draws();
    for (purpose, name) in BuildingUse::NAMED {
        let persons = intensity::of(purpose).reference_persons_per_m2 * 2500.0;
        let users = persons * 24.0 / settings.hours_stayed.of(purpose);
        let of_day =
            users * settings.litres_per_person_day.of(purpose) + 2500.0 * settings.litres_per_m2_day.of(purpose);
        for year in [2023, 2024] {
            let (mut litres, mut presence) = (0.0, 0.0);
            for _ in 0..year_days(year) {
                for hour in 0..HOURS {
                    let reference = draws.reference_persons(purpose, 2500.0, hour);
                    presence += reference;
                    let m3ps = draws.building_demand_m3ps(purpose, 2500.0, reference, reference, hour);
                    assert!(m3ps >= 0.0 && m3ps.is_finite());
                    litres += m3ps * 3600.0 * 1000.0;
                }
            }
            let days = f64::from(year_days(year));
            assert!((litres - of_day * days).abs() <= 1e-9 * of_day * days, "{name} {year}: {litres}");
            assert!((draws.litres_per_day(purpose, 2500.0) - of_day).abs() <= 1e-9 * of_day, "{name}");
            assert!((presence - persons * 24.0 * days).abs() <= 1e-9 * persons * 24.0 * days, "{name}");
        }
        println!("{name}: {:.2} l a day for each m2", of_day / 2500.0);
    }
}

#[test]
fn homes_by_hand() {
    let draws = draws();
    // 1,000 m2: 14 persons on the mean of the day, 14 x 24/16 = 21 who live there, 21 x 125 = 2,625 l a day.
    assert!((draws.litres_per_day(BuildingUse::Residential, 1000.0) - 2625.0).abs() < 1e-9);
    // The pattern adds up to 24.37; at 17 h it is 1.5. With as many at home as usual:
    let reference = draws.reference_persons(BuildingUse::Residential, 1000.0, 17);
    let of = |persons| draws.building_demand_m3ps(BuildingUse::Residential, 1000.0, persons, reference, 17);
    let wanted = 2.625 / 86_400.0 * 1.5 / (24.37 / 24.0);
    assert!((of(reference) / wanted - 1.0).abs() < 1e-9, "{} {wanted}", of(reference));
    // Twice as many draw twice as much, none nothing.
    assert!((of(2.0 * reference) / wanted - 2.0).abs() < 1e-9 && of(0.0).abs() < 1e-18);
}

#[test]
fn offices_have_a_part_of_the_clock_and_one_of_people() {
    let draws = draws();
    let of = |persons, hour| draws.building_demand_m3ps(BuildingUse::Office, 1000.0, persons, 10.0, hour);
    // Empty: 200 l a day, 30 % steady; the presence at work adds up to 9.87, at 3 h it is 0.02.
    let wanted = 0.2 / 86_400.0 * (0.3 + 0.7 * 0.02 * 24.0 / 9.87);
    assert!((of(0.0, 3) / wanted - 1.0).abs() < 1e-9, "{} {wanted}", of(0.0, 3));
    // People: 15 x 24/6 = 60 of 25 l; at 9 h the pattern is 1.
    let people = 1.5 / 86_400.0 * 24.0 / 9.87;
    assert!(((of(10.0, 9) - of(0.0, 9)) / people - 1.0).abs() < 1e-9);
    assert!(((of(5.0, 9) - of(0.0, 9)) / people - 0.5).abs() < 1e-9);
    // No reference, no division by it.
    let none = draws.building_demand_m3ps(BuildingUse::Parking, 1000.0, 7.0, 0.0, 9);
    assert!((none / (0.02 / 86_400.0) - 1.0).abs() < 1e-9, "{none}");
}

#[test]
fn hot_water_takes_its_heat() {
    let draws = draws();
    // 1 l/s, 28 % of it hot: 0.28 kg/s x 4,186 J/(kg K) x 50 K = 58,604 W.
    assert!((draws.hot_water_w(BuildingUse::Residential, 1e-3) - 58_604.0).abs() < 1e-6);
    assert!((draws.hot_m3ps(BuildingUse::Residential, 1e-3) - 0.28e-3).abs() < 1e-15);
    // A person's year: 125 l x 0.28 x 365 x 4.186 x 50 / 3600 kWh.
    let kwh = draws.hot_water_w(BuildingUse::Residential, 0.125 / 86_400.0) * 8.76;
    assert!((kwh - 742.72).abs() < 0.01, "{kwh}");
}

#[test]
fn columns_are_rows_and_the_same_on_any_number_of_threads() {
    let rows = 3 * CHUNK_ROWS + 5;
    let purpose: Vec<BuildingUse> = (0..rows).map(|row| BuildingUse::NAMED[row % USES].0).collect();
    let area_m2: Vec<f64> = (0..rows).map(|row| 50.0 + row as f64 * 0.3).collect();
    let persons: Vec<u32> = (0..rows).map(|row| (row * 7 % 30) as u32).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut demands = WaterDemands::new(&WaterDemandSettings::default(), &purpose, &area_m2).unwrap();
        pool.install(|| demands.ask(8, &persons, 2.0));
        demands
    };
    let bits = |of: &[f64]| of.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let one = on(1);
    for threads in [2, 3, 8] {
        let other = on(threads);
        assert_eq!(bits(&one.demand_m3ps), bits(&other.demand_m3ps));
        assert_eq!(bits(&one.hot_water_w), bits(&other.hot_water_w));
    }
    let row = 8190;
    let reference = one.by_use().reference_persons(purpose[row], area_m2[row], 8);
    let present = f64::from(persons[row]) * 2.0;
    let wanted = one.by_use().building_demand_m3ps(purpose[row], area_m2[row], present, reference, 8);
    assert_eq!(one.demand_m3ps[row].to_bits(), wanted.to_bits());
}

#[test]
fn values_that_cannot_be_are_told() {
    let told = |settings: &WaterDemandSettings| {
        let mut told = Vec::new();
        settings.check(&mut |key, _| told.push(key.to_owned()));
        told
    };
    assert!(told(&WaterDemandSettings::default()).is_empty());
    let mut wrong = WaterDemandSettings { steady_share: 1.5, hot_c: 5.0, ..WaterDemandSettings::default() };
    wrong.litres_per_person_day.office = f64::NAN;
    wrong.hours_stayed.hotel = 0.0;
    wrong.presence.health[4] = 0.0;
    wrong.patterns.civic = [0.0; HOURS];
    let keys = [
        "litres_per_person_day.office",
        "hours_stayed.hotel",
        "presence.health.4",
        "patterns.civic",
        "steady_share",
        "hot_c",
    ];
    assert_eq!(told(&wrong), keys);
    assert!(WaterUse::new(&wrong).is_err());
}
