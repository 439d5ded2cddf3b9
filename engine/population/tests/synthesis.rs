//! A made-up city's people against its statistics: exact where they must be, near where figures can only be met
//! together, the same on any number of threads, with and without a sample.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use urbis_city::model::{BuildingUse, City, PanelRow};
use urbis_core::{Error, NodeIx, ZoneIx};
use urbis_population::PopulationSettings;
use urbis_population::synthesis::residents::{Synthetic, synthesise};
use urbis_population::synthesis::{FitReport, SynthesisSettings};

fn city(zones: usize, rows: &[(&str, &str, f64)]) -> City {
    let mut city = City::default();
    city.manifest.name = "town".into();
    for zone in 0..zones {
        city.zones.id.push(format!("z{zone}"));
        for building in 0..20 {
            city.buildings.id.push(format!("b{zone}-{building}"));
            city.buildings.zone.push(ZoneIx(zone as u32));
            city.buildings.purpose.push(BuildingUse::Residential);
            city.buildings.floor_area_m2.push(100.0 * f64::from(building + 1));
            city.buildings.dwellings.push(building as u32);
            city.buildings.x_m.push(0.0);
            city.buildings.y_m.push(0.0);
            city.buildings.car_node.push(NodeIx(0));
        }
    }
    city.panel = rows
        .iter()
        .map(|&(zone, indicator, value)| PanelRow {
            zone_id: zone.into(),
            indicator: indicator.into(),
            value,
            ..PanelRow::default()
        })
        .collect();
    city
}

/// Twelve zones of 300 to 1,950 persons, old ones and young ones.
fn rows() -> Vec<(String, &'static str, f64)> {
    let mut rows = Vec::new();
    for zone in 0..12 {
        let name = format!("z{zone}");
        rows.push((name.clone(), "residents", 300.0 + 150.0 * f64::from(zone)));
        rows.push((name.clone(), "persons_per_household", 1.9 + 0.1 * f64::from(zone)));
        let children = 8.0 + 1.6 * f64::from(zone);
        let ages = [children, 22.0, 20.0, 20.0, 40.0 - children - 8.0, 6.0];
        let names = [
            "age_share_0_17",
            "age_share_18_34",
            "age_share_35_49",
            "age_share_50_64",
            "age_share_65_79",
            "age_share_80_plus",
        ];
        rows.extend(names.into_iter().zip(ages).map(|(indicator, share)| (name.clone(), indicator, share)));
        rows.push((name.clone(), "cars_per_household", 0.5 + 0.07 * f64::from(zone)));
        rows.push((name, "employed_share_18_64", 60.0 + f64::from(zone)));
    }
    let sizes = [30.0, 31.0, 17.0, 14.0, 6.0, 2.0];
    let names = ["_1", "_2", "_3", "_4", "_5", "_6_plus"];
    for (name, share) in names.into_iter().zip(sizes) {
        rows.push(("town".to_owned(), Box::leak(format!("household_size_share{name}").into_boxed_str()), share));
    }
    rows
}

fn whole_city() -> City {
    let rows = rows();
    let rows: Vec<(&str, &str, f64)> = rows.iter().map(|(zone, name, value)| (zone.as_str(), *name, *value)).collect();
    city(12, &rows)
}

fn made(city: &City, settings: &PopulationSettings, seed: u64) -> Synthetic {
    synthesise(city, settings, seed).unwrap()
}

fn share(column: &[bool]) -> f64 {
    column.iter().filter(|&&is| is).count() as f64 / column.len().max(1) as f64
}

/// Every control within 1 % over the city, and within 5 % (or three) in every zone.
fn fits(report: &FitReport, city_share: f64, zone_share: f64, least: f64) {
    for of in report.summary() {
        let error = (of.value - of.target).abs();
        assert!(error <= (city_share * of.target).max(least), "{}: {of:?}\n{}", of.control, report.table());
    }
    for row in &report.rows {
        let error = (row.value - row.target).abs();
        assert!(error <= (zone_share * row.target).max(least), "{row:?}\n{}", report.table());
    }
}

#[test]
fn all_controls_are_met_together() {
    let city = whole_city();
    let all = made(&city, &PopulationSettings::default(), 1);
    fits(&all.report, 0.01, 0.05, 3.0);
    let exact = ["residents", "households", "employed", "cars"];
    for row in all.report.rows.iter().filter(|row| row.control.starts_with("age_") || exact.contains(&row.control)) {
        assert!((row.value - row.target.round()).abs() < 0.5, "{row:?}");
    }
    assert!(all.report.fitted_persons * 100 < all.persons.len() as u64, "{:?}", all.report.fitted_persons);
}

#[test]
fn the_tables_are_joined() {
    let all = made(&whole_city(), &PopulationSettings::default(), 2);
    let (persons, households) = (&all.persons, &all.households);
    let mut next = 0;
    for household in 0..households.len() {
        let members = households.members(household);
        assert_eq!(members.start, next);
        next = members.end;
        assert!(persons.age_class[members.start] > 0, "an adult comes first");
        for row in members {
            assert_eq!(persons.household[row] as usize, household);
            assert_eq!(persons.home[row], households.home[household]);
            assert_eq!(persons.has_car[row], persons.has_licence[row] && households.cars[household] > 0);
            assert!(!persons.pupil[row] || (persons.is_student[row] && persons.age_years[row] < 18));
            assert!(!persons.has_licence[row] || persons.age_class[row] > 0);
        }
        assert!((1..=5).contains(&households.income_class[household]) && households.income_per_year[household] > 0.0);
    }
    assert_eq!(next, persons.len());
    assert_eq!(households.currency, "EUR");
    let two_wheelers: u32 = households.two_wheelers.iter().map(|&count| u32::from(count)).sum();
    assert_eq!(two_wheelers as usize, persons.has_two_wheeler.iter().filter(|&&has| has).count());
}

#[test]
fn car_share_is_met_where_nothing_better_is_known() {
    let city = city(3, &[("z0", "residents", 900.0), ("z1", "residents", 401.0), ("z2", "residents", 7.0)]);
    for car_share in [0.0, 0.05, 0.34, 0.62, 0.9, 1.0] {
        let settings = PopulationSettings { car_share, two_wheeler_share: 0.2, ..PopulationSettings::default() };
        let all = made(&city, &settings, 3);
        let adults = all.persons.age_class.iter().filter(|&&class| class > 0).count() as f64;
        let able = |column: &[bool]| column.iter().filter(|&&has| has).count() as f64;
        assert!((able(&all.persons.has_car) - car_share * adults).abs() <= 0.5, "{car_share}");
        assert!((able(&all.persons.has_two_wheeler) - 0.2 * adults).abs() <= 0.5);
    }
    // A higher share adds cars and takes none away; everything else stays.
    let of = |car_share| made(&city, &PopulationSettings { car_share, ..PopulationSettings::default() }, 3).persons;
    let (few, many) = (of(0.3), of(0.5));
    assert_eq!((few.age_years, few.employed, few.household), (many.age_years, many.employed, many.household));
    let lost = few.has_car.iter().zip(&many.has_car).filter(|(few, many)| **few && !**many).count();
    assert!(lost * 20 < few.has_car.len(), "{lost}");
}

#[test]
fn a_tenth_with_another_seed_keeps_the_margins() {
    let (city, all) = (whole_city(), PopulationSettings::default());
    let tenth = PopulationSettings { sample_factor: 0.1, ..all.clone() };
    let (full, part) = (made(&city, &all, 1), made(&city, &tenth, 77));
    fits(&part.report, 0.02, 0.05, 3.0);
    let ratio = part.persons.len() as f64 / full.persons.len() as f64;
    assert!((ratio - 0.1).abs() < 0.001, "{ratio}");
    let n = part.persons.len() as f64;
    for (name, of) in [
        ("employed", |all: &Synthetic| share(&all.persons.employed)),
        ("pupils", |all: &Synthetic| share(&all.persons.pupil)),
        ("licences", |all: &Synthetic| share(&all.persons.has_licence)),
        ("passes", |all: &Synthetic| share(&all.persons.has_transit_pass)),
        ("cars", |all: &Synthetic| share(&all.persons.has_car)),
    ] as [(&str, fn(&Synthetic) -> f64); 5]
    {
        let (is, should) = (of(&part), of(&full));
        // Four standard errors of a share.
        let bound = 4.0 * (should * (1.0 - should) / n).sqrt();
        assert!((is - should).abs() < bound, "{name}: {is} for {should} +- {bound}");
    }
}

#[test]
fn equal_on_any_number_of_threads() {
    let city = whole_city();
    let on = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| format!("{:?}", made(&city, &PopulationSettings::default(), seed)))
    };
    let one = on(1, 5);
    assert!([2, 3, 8].into_iter().all(|threads| on(threads, 5) == one));
    assert_ne!(on(1, 6), one);
}

#[test]
fn disagreeing_margins_are_both_named_and_residents_hold() {
    let mut city = whole_city();
    let figure = |zone_id: &str, indicator: &str, value| PanelRow {
        zone_id: zone_id.into(),
        indicator: indicator.into(),
        value,
        ..PanelRow::default()
    };
    city.panel.push(figure("town", "residents", 20_000.0));
    city.panel.push(figure("z3", "households", 100.0));
    let all = made(&city, &PopulationSettings::default(), 1);
    let said = all.report.warnings.join("\n");
    assert!(said.contains("the zones add up to 13500, the figure of town is 20000"), "{said}");
    assert!(said.contains("z3: 100 households of 2.20 persons are 220 persons, residents are 750"), "{said}");
    assert_eq!(all.persons.len(), 13_500);
}

#[test]
fn zones_without_buildings_are_all_named() {
    let mut city = city(3, &[("z0", "residents", 9.0), ("z1", "residents", 4.0), ("z2", "residents", 7.0)]);
    city.buildings.floor_area_m2.fill(0.0);
    city.buildings.dwellings.iter_mut().enumerate().for_each(|(row, count)| *count = u32::from(row >= 40));
    let Error::Input(problems) = synthesise(&city, &PopulationSettings::default(), 1).unwrap_err() else { panic!() };
    let said: Vec<String> = problems.listed().iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2);
    assert!(said[0].contains("(id z0): residents = 9, expected 0, since the zone has no building"), "{said:?}");
}

/// A sample of 400 households made by a rule, whose members have jobs, licences and incomes.
fn sample(folder: &Path) -> SynthesisSettings {
    let mut households = "household_id,size,weight,cars,income\n".to_owned();
    let mut persons = "household_id,age,sex,employed,student,licence\n".to_owned();
    for row in 0..400_u32 {
        let adults = 1 + row % 3;
        let children = if row % 5 < 2 { 1 + row % 2 } else { 0 };
        let income = 10_000 + (row * 7919) % 70_000;
        writeln!(households, "h{row},{},{},{},{income}", adults + children, 5 + row % 4, (row / 3) % 3).unwrap();
        for adult in 0..adults {
            let age = 20 + (row * 13 + adult * 5) % 70;
            let job = age < 65 && (row + adult) % 4 != 0;
            writeln!(persons, "h{row},{age},{},{job},no,{}", 1 + adult % 2, (row + adult) % 5 != 0).unwrap();
        }
        for child in 0..children {
            writeln!(persons, "h{row},{},f,no,{},no", (row + 7 * child) % 18, child == 0).unwrap();
        }
    }
    std::fs::write(folder.join("h.csv"), households).unwrap();
    std::fs::write(folder.join("p.csv"), persons).unwrap();
    SynthesisSettings {
        seed_households: Some(folder.join("h.csv")),
        seed_persons: Some(folder.join("p.csv")),
        ..SynthesisSettings::default()
    }
}

#[test]
fn a_sample_is_weighted_to_the_controls_and_kept() {
    let place = tempfile::tempdir().unwrap();
    let settings = PopulationSettings { synthesis: sample(place.path()), ..PopulationSettings::default() };
    let mut city = whole_city();
    for (class, share) in [(1, 30.0), (2, 20.0), (3, 20.0), (4, 20.0), (5, 10.0)] {
        city.panel.push(PanelRow {
            zone_id: "town".into(),
            indicator: format!("income_class_share_{class}"),
            value: share,
            ..PanelRow::default()
        });
    }
    // The sample has no household of six.
    city.panel.retain(|row| !row.indicator.starts_with("household_size"));
    let all = made(&city, &settings, 1);
    assert_eq!(all.report.seed_households, 400);
    fits(&all.report, 0.02, 0.06, 6.0);
    let known: BTreeMap<u32, u32> = (0..400).map(|row| (10_000 + (row * 7919) % 70_000, row)).collect();
    for (household, &income) in all.households.income_per_year.iter().enumerate() {
        let row = known[&(income as u32)];
        assert_eq!(u32::from(all.households.cars[household]), (row / 3) % 3);
    }
    assert_eq!(format!("{:?}", made(&city, &settings, 1)), format!("{all:?}"));
}
