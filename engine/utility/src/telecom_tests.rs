//! Small layouts by hand, ledgers of made-up cities.

use super::*;
use proptest::prelude::*;

/// Sites on a line: x, capacity, radius, battery hours.
fn sites(of: &[(f64, u32, f64, f64)]) -> Sites {
    let mut sites = Sites::default();
    for &(x_m, capacity_devices, radius_m, battery_h) in of {
        let settings = TelecomSettings { capacity_devices, radius_m, battery_h, ..TelecomSettings::default() };
        sites.push(&settings, [x_m, 0.0], Feed::Own);
    }
    sites
}

/// Cells on a line, each its own zone.
fn cells(x_m: &[f64]) -> Cells {
    Cells { x_m: x_m.to_vec(), y_m: vec![0.0; x_m.len()], zone: (0..x_m.len() as u32).collect() }
}

fn layer(of: &[(f64, u32, f64, f64)], x_m: &[f64]) -> Telecom {
    Telecom::new(&TelecomSettings::default(), sites(of), &cells(x_m), x_m.len(), 1.0).unwrap()
}

#[test]
fn people_go_to_the_nearest_site_that_has_room() {
    // Cells at 100, 400, 900 and 2,600 m; sites at 0 and 1,000 m reach 1,000 m.
    let mut layer = layer(&[(0.0, 10, 1000.0, 4.0), (1000.0, 12, 1000.0, 4.0)], &[100.0, 400.0, 900.0, 2600.0]);
    layer.step(&[true, true], &[8, 6, 5, 3], 900.0);
    // Eight at 100 m and five at 900 m take their sites; of six two find room in the first, four in the second.
    assert_eq!((&layer.connected[..], &layer.site_persons[..]), (&[8, 6, 5, 0][..], &[10, 9][..]));
    assert_eq!([0, 1, 2, 3].map(|zone| layer.share(zone)), [Some(1.0), Some(1.0), Some(1.0), Some(0.0)]);
    // More than fits: those who are nearer come first.
    layer.step(&[true, true], &[8, 20, 5, 0], 900.0);
    assert_eq!(layer.connected, [8, 9, 5, 0]);
    assert_eq!((layer.share(1), layer.share(3)), (Some(9.0 / 20.0), None));
    assert_eq!((layer.zone_persons[1], layer.zone_connected[1]), (20, 9));
}

#[test]
fn the_edge_of_a_radius_is_within_it_and_ties_go_to_the_lower_row() {
    let mut layer = layer(&[(1000.0, 3, 500.0, 0.0), (0.0, 3, 500.0, 0.0)], &[500.0, 500.1, -500.0]);
    layer.step(&[true, true], &[4, 0, 9], 60.0);
    assert_eq!((&layer.connected[..], &layer.site_persons[..]), (&[4, 0, 2][..], &[3, 3][..]));
    layer.step(&[true, true], &[0, 4, 0], 60.0);
    assert_eq!(layer.connected, [0, 3, 0]);
}

#[test]
fn batteries_run_down_and_fill_again() {
    // Two hours of battery, quarter hours: eight live steps in the dark, then none.
    let mut layer = layer(&[(0.0, 100, 100.0, 2.0), (0.0, 100, 100.0, 0.0)], &[0.0]);
    for step in 1..=10 {
        layer.step(&[false, false], &[50], 900.0);
        assert_eq!((layer.is_live[0], layer.is_live[1]), (step <= 8, false), "{step}");
        assert!((layer.battery_left_h[0] - (2.0 - 0.25 * f64::from(step)).max(0.0)).abs() < 1e-12);
        assert_eq!(layer.connected[0], if step <= 8 { 50 } else { 0 });
    }
    // Ten hours to fill: 2.5 h give half an hour, which lasts for two quarter hours.
    for _ in 0..10 {
        layer.step(&[true, true], &[50], 900.0);
        assert_eq!(layer.connected[0], 50);
    }
    assert!((layer.battery_left_h[0] - 0.5).abs() < 1e-12);
    let live: Vec<bool> = (0..3)
        .map(|_| {
            layer.step(&[false, false], &[50], 900.0);
            layer.is_live[0]
        })
        .collect();
    assert_eq!(live, [true, true, false]);
    // Never more than full.
    layer.step(&[true, true], &[50], 86_400.0 * 30.0);
    assert!((layer.battery_left_h[0] - 2.0).abs() < 1e-12 && layer.battery_left_h[1].abs() < 1e-12);
    // A step longer than the battery: live where it lasts for half of it.
    layer.step(&[false, false], &[50], 3.9 * 3600.0);
    assert!(layer.is_live[0] && layer.battery_left_h[0].abs() < 1e-12);
}

#[test]
fn a_dark_site_leaves_its_people_to_the_next() {
    let mut layer = layer(&[(0.0, 10, 2000.0, 0.0), (1000.0, 12, 2000.0, 1.0)], &[100.0, 900.0]);
    layer.step(&[false, true], &[8, 6], 900.0);
    assert_eq!((&layer.connected[..], &layer.site_persons[..]), (&[6, 6][..], &[0, 12][..]));
    layer.step(&[false, false], &[8, 6], 3600.0);
    layer.step(&[false, false], &[8, 6], 3600.0);
    assert_eq!((&layer.connected[..], &layer.site_persons[..]), (&[0, 0][..], &[0, 0][..]));
}

#[test]
fn power_comes_from_what_feeds_a_site() {
    let mut sites = Sites::default();
    for feed in [Feed::Own, Feed::Building(1), Feed::Building(0), Feed::Bus(2), Feed::Bus(9)] {
        sites.push(&TelecomSettings::default(), [0.0, 0.0], feed);
    }
    let mut has_power = vec![false; 5];
    sites.has_power(&[false, true], &[false, false, true], &mut has_power);
    assert_eq!(has_power, [true, true, false, true, false]);
}

#[test]
fn scaled_persons_take_more_room() {
    let settings = TelecomSettings { devices_per_person: 1.2, ..TelecomSettings::default() };
    let of = sites(&[(0.0, 120, 100.0, 1.0)]);
    let mut layer = Telecom::new(&settings, of, &cells(&[0.0]), 1, 10.0).unwrap();
    layer.step(&[true], &[50], 900.0);
    assert_eq!(layer.connected, [10]);
}

#[test]
fn hours_add_up() {
    let mut layer = layer(&[(0.0, 6, 100.0, 0.5)], &[0.0, 500.0]);
    let mut hours = ConnectedHours::new(2);
    for step in 0..8 {
        layer.step(&[step < 2], &[8, 1], 900.0);
        hours.add(step / 4, &layer, 900);
    }
    // Power for half an hour, battery for the next: 6 of 8 in the first hour, nobody in the second.
    assert_eq!(hours.hours(), 2);
    assert_eq!([0, 1].map(|hour| hours.share(hour, 0)), [Some(0.75), Some(0.0)]);
    assert_eq!((hours.share(0, 1), hours.share(2, 0), hours.share(0, 2)), (Some(0.0), None, None));
    assert_eq!(hours.persons_s, [28_800, 3600, 28_800, 3600]);
    assert_eq!(hours.unconnected_s(), 2 * 3600 + 8 * 3600 + 2 * 3600);
}

#[test]
fn what_cannot_be_is_refused() {
    let mut of = sites(&[(0.0, 1, 100.0, 1.0), (1.0, 1, f64::NAN, -1.0)]);
    of.feed.pop();
    let cells = Cells { x_m: vec![0.0, f64::INFINITY], y_m: vec![0.0], zone: vec![0, 5] };
    let settings = TelecomSettings { recharge_h: 0.0, ..TelecomSettings::default() };
    let told = format!("{:?}", Telecom::new(&settings, of, &cells, 5, 0.0).unwrap_err());
    for what in [
        "recharge_h = 0",
        "persons_scale = 0",
        "feed has 1 rows",
        "row 2: radius_m = NaN",
        "row 2: battery_h = -1",
        "y_m has 1 rows",
        "row 2: x_m = inf",
        "row 2: zone = 5, expected below 5",
    ] {
        assert!(told.contains(what), "{what}: {told}");
    }
    let mut told = Vec::new();
    TelecomSettings { radius_m: -1.0, battery_h: f64::NAN, ..TelecomSettings::default() }
        .check(&mut |key, _| told.push(key.to_owned()));
    assert_eq!(told, ["radius_m", "battery_h"]);
}

/// Sites and cells of a made-up city, on both axes.
fn city(seed: u32, site_count: u32, cell_count: u32) -> (Sites, Cells, Vec<u32>) {
    let at = |index: u32, salt: u32| {
        f64::from((index * 7919 + salt * 104_729 + seed * 1_299_709).wrapping_mul(2_654_435_761) >> 12) / 200.0
    };
    let mut sites = Sites::default();
    for site in 0..site_count {
        let settings = TelecomSettings {
            capacity_devices: 20 + site % 50,
            radius_m: 300.0 + f64::from(site % 7) * 100.0,
            battery_h: f64::from(site % 5) * 0.5,
            ..TelecomSettings::default()
        };
        sites.push(&settings, [at(site, 1), at(site, 2)], Feed::Own);
    }
    let cells = Cells {
        x_m: (0..cell_count).map(|cell| at(cell, 3)).collect(),
        y_m: (0..cell_count).map(|cell| at(cell, 4)).collect(),
        zone: (0..cell_count).map(|cell| cell % 5).collect(),
    };
    let persons = (0..cell_count).map(|cell| cell * 13 % 9).collect();
    (sites, cells, persons)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn ledgers_close_and_nobody_is_left_where_there_is_room(seed in 0_u32..1000, dark in 1_u32..9) {
        let (sites, cells, persons) = city(seed, 60, 400);
        let mut layer = Telecom::new(&TelecomSettings::default(), sites, &cells, 5, 1.0).unwrap();
        for step in 0..6_u32 {
            let has_power: Vec<bool> = (0..60).map(|site| (site + step) % dark == 0).collect();
            layer.step(&has_power, &persons, 1800.0);
            let connected: u64 = layer.connected.iter().map(|&persons| u64::from(persons)).sum();
            let of_sites: u64 = layer.site_persons.iter().map(|&persons| u64::from(persons)).sum();
            prop_assert_eq!(connected, layer.zone_connected.iter().sum::<u64>());
            prop_assert_eq!(connected, of_sites);
            let wanted: u64 = persons.iter().map(|&persons| u64::from(persons)).sum();
            prop_assert_eq!(layer.zone_persons.iter().sum::<u64>(), wanted);
            for (cell, &persons) in persons.iter().enumerate() {
                prop_assert!(layer.connected[cell] <= persons);
                if layer.connected[cell] == persons {
                    continue;
                }
                for site in 0..60 {
                    let (dx_m, dy_m) =
                        (layer.sites.x_m[site] - cells.x_m[cell], layer.sites.y_m[site] - cells.y_m[cell]);
                    let is_near = dx_m.hypot(dy_m) < layer.sites.radius_m[site] * (1.0 - 1e-12);
                    let is_full = layer.site_persons[site] == layer.capacity_persons[site];
                    prop_assert!(!(is_near && layer.is_live[site]) || is_full);
                }
            }
        }
    }
}

#[test]
fn the_same_on_any_number_of_threads_and_in_any_order_of_cells() {
    let (sites, cells, persons) = city(7, 100, 3000);
    let run = |threads: usize, sites: &Sites, cells: &Cells, persons: &[u32]| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut layer = Telecom::new(&TelecomSettings::default(), sites.clone(), cells, 5, 1.0).unwrap();
            let has_power: Vec<bool> = (0..100).map(|site| site % 3 > 0).collect();
            layer.step(&has_power, persons, 900.0);
            layer
        })
    };
    let one = run(1, &sites, &cells, &persons);
    assert!(one.connected.iter().sum::<u32>() > 1000);
    for threads in [2, 3, 8] {
        let other = run(threads, &sites, &cells, &persons);
        assert_eq!((&one.connected, &one.site_persons), (&other.connected, &other.site_persons));
    }
    let turned = |column: &[f64]| column.iter().rev().copied().collect::<Vec<_>>();
    let zone = cells.zone.iter().rev().copied().collect();
    let back = Cells { x_m: turned(&cells.x_m), y_m: turned(&cells.y_m), zone };
    let persons_back: Vec<u32> = persons.iter().rev().copied().collect();
    let other = run(2, &sites, &back, &persons_back);
    assert_eq!((&one.zone_connected, &one.site_persons), (&other.zone_connected, &other.site_persons));
}
