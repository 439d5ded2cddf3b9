//! Mobile sites of a city: everybody is served while there is power, batteries last, files, any threads.
#![allow(clippy::print_stdout)] // figures, for those who look

mod made_up;

use made_up::{add_building, blocks, city_of};
use std::path::Path;
use urbis_city::model::{BuildingUse, City};
use urbis_core::Error;
use urbis_utility::telecom::{CityTelecom, CityTelecomSettings, SiteSource, TelecomSettings};

fn synthetic(site: TelecomSettings) -> CityTelecomSettings {
    CityTelecomSettings { source: SiteSource::Synthetic, site, ..CityTelecomSettings::default() }
}

fn made(city: &City, settings: &CityTelecomSettings, persons: &[u32], scale: f64) -> CityTelecom {
    CityTelecom::new(city, settings, persons, scale, Path::new(".")).unwrap_or_else(|error| panic!("{error:?}"))
}

#[test]
fn everybody_is_connected_with_power_and_nobody_after_the_batteries() {
    let city = blocks(10, 100.0, 10.0);
    let persons: Vec<u32> = (0..city.buildings.len() as u32).map(|row| row % 7).collect();
    let all: u64 = persons.iter().map(|&of| u64::from(of)).sum();
    for (radius_m, capacity_devices) in [(300.0, 1200), (2000.0, 50), (150.0, 20)] {
        let site = TelecomSettings { radius_m, capacity_devices, ..TelecomSettings::default() };
        let mut of = made(&city, &synthetic(site), &persons, 1.0);
        let sites = of.site_buildings().len() as u64;
        println!("{radius_m} m, {capacity_devices} devices: {sites} sites for {all} persons");
        assert!(sites >= all.div_ceil(u64::from(capacity_devices)));
        // Each building is within reach of a site.
        for row in 0..city.buildings.len() {
            let near = of.site_buildings().iter().any(|&site| {
                let (a, b) = (site as usize, row);
                let at = &city.buildings;
                (at.x_m[a] - at.x_m[b]).hypot(at.y_m[a] - at.y_m[b]) <= radius_m
            });
            assert!(near, "building {row}");
        }
        of.step(|_| true, &persons, 900);
        assert_eq!((of.telecom().zone_persons[0], of.telecom().zone_connected[0]), (all, all));
        // Four hours of battery.
        (0..16).for_each(|_| of.step(|_| false, &persons, 900));
        assert_eq!(of.telecom().zone_connected[0], all);
        of.step(|_| false, &persons, 900);
        assert_eq!(of.telecom().zone_connected[0], 0);
        assert_eq!((of.zone_person_s[0], of.zone_connected_s[0]), (18 * 900 * all, 17 * 900 * all));
    }
}

#[test]
fn a_site_falls_with_its_building() {
    let mut city = city_of(&[[0.0, 0.0], [5000.0, 0.0]], &[(0, 1)]);
    for x in [0.0, 5000.0] {
        add_building(&mut city, [x, 10.0], BuildingUse::Residential, 4);
    }
    let site = TelecomSettings { battery_h: 0.0, ..TelecomSettings::default() };
    let mut of = made(&city, &synthetic(site), &[3, 5], 1.0);
    assert_eq!(of.site_buildings(), [1, 0]);
    of.step(|building| building == 0, &[3, 5], 60);
    assert_eq!((of.telecom().connected.as_slice(), of.telecom().is_live.as_slice()), (&[3, 0][..], &[false, true][..]));
    assert_eq!((of.telecom().zone_persons[0], of.telecom().zone_connected[0]), (8, 3));
}

#[test]
fn the_same_on_any_number_of_threads() {
    let city = blocks(12, 80.0, 10.0);
    let persons: Vec<u32> = (0..city.buildings.len() as u32).map(|row| row % 11).collect();
    let settings = synthetic(TelecomSettings { radius_m: 250.0, capacity_devices: 90, ..TelecomSettings::default() });
    let once = || {
        let mut of = made(&city, &settings, &persons, 2.0);
        of.step(|building| building % 3 == 0, &persons, 20_000);
        (of.site_buildings().to_vec(), of.telecom().connected.clone())
    };
    let alone = once();
    for threads in [1, 2, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert!(pool.install(once) == alone);
    }
}

#[test]
fn sites_of_a_file_and_what_is_wrong_with_them() {
    let city = blocks(2, 100.0, 10.0);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sites.csv");
    let settings = CityTelecomSettings {
        source: SiteSource::File,
        sites: Some("sites.csv".into()),
        ..CityTelecomSettings::default()
    };
    let read = |text: &str| {
        std::fs::write(&path, text).expect("a file");
        CityTelecom::new(&city, &settings, &[], 1.0, folder.path())
    };
    let of = read("building_id,radius_m,capacity_devices\n3,120,\n5,,7\n").expect("sites");
    assert_eq!(of.site_buildings(), [3, 5]);
    let sites = of.telecom().sites();
    assert_eq!(sites.capacity_devices, [1200, 7]);
    assert!((sites.radius_m[0] - 120.0).abs() < 1e-12 && (sites.radius_m[1] - 1000.0).abs() < 1e-12);
    let said = |result: urbis_core::Result<CityTelecom>| match result {
        Err(Error::Input(problems)) => format!("{problems:?}"),
        _ => panic!("a problem"),
    };
    let text = said(read("building_id,radius_m\nnone,1\n2,-1\n"));
    assert!(text.contains("a building of the city") && text.contains("200000"), "{text}");
    let wrong = CityTelecomSettings { source: SiteSource::File, ..CityTelecomSettings::default() };
    assert!(said(CityTelecom::new(&city, &wrong, &[], 1.0, folder.path())).contains("needs `sites`"));
    let mut none = made(&city, &CityTelecomSettings::default(), &[], 1.0);
    none.step(|_| true, &[], 60);
    assert!(none.site_buildings().is_empty());
}
