//! Loads of single buildings over days and years.

use super::*;
use crate::weather::{ClimateSettings, WeatherSettings};
use urbis_city::model::PanelRow;
use urbis_core::ZoneIx;

const YEAR: i32 = 2023;

/// Buildings in one zone, with their floor areas.
fn town(buildings: &[(BuildingUse, f64)], panel: Vec<PanelRow>) -> City {
    let mut city = City::default();
    city.manifest.name = "town".into();
    city.zones.id = vec!["z".into()];
    for (row, (purpose, area_m2)) in buildings.iter().enumerate() {
        city.buildings.id.push(format!("b{row}"));
        city.buildings.zone.push(ZoneIx(0));
        city.buildings.purpose.push(*purpose);
        city.buildings.floor_area_m2.push(*area_m2);
    }
    city.panel = panel;
    city
}

fn office() -> City {
    town(&[(BuildingUse::Office, 10_000.0)], Vec::new())
}

fn loads_of(city: &City, settings: &PowerSettings, weather: &Weather) -> BuildingLoads {
    BuildingLoads::new(city, settings, weather, YEAR, 3600).unwrap()
}

fn climate(mean_c: f64) -> Weather {
    let climate = ClimateSettings { mean_c, ..ClimateSettings::default() };
    Weather::new(&WeatherSettings { file: None, climate: Some(climate) }, 3600).unwrap()
}

/// A step that starts at a second of a local day in UTC+1.
fn step(date: (i32, u8, u8), second: i64, step_s: u32) -> StepTime {
    let day = Date::new(date.0, date.1, date.2).unwrap().days();
    StepTime { start_utc_ms: day * DAY_MS + (second - 3600) * 1000, local_offset_s: 3600, step_s }
}

/// Energy of a local year by building, kWh: electricity, and heat for rooms.
fn year_kwh(loads: &mut BuildingLoads, weather: &Weather, persons: &[u32], year: i32, step_s: u32) -> Vec<[f64; 2]> {
    let mut wh = vec![[0.0; 2]; loads.demand_w.len()];
    for at in 0..i64::from(year_days(year)) * 86_400 / i64::from(step_s) {
        loads.ask(step((year, 1, 1), at * i64::from(step_s), step_s), weather, persons, 1.0);
        for (row, wh) in wh.iter_mut().enumerate() {
            wh[0] += loads.demand_w[row] * f64::from(step_s) / 3600.0;
            wh[1] += loads.heat_demand_w[row] * f64::from(step_s) / 3600.0;
        }
    }
    wh.into_iter().map(|of| of.map(|wh| wh / 1000.0)).collect()
}

/// A building of each use, of a size at which reference presence is a whole number, with that presence.
fn one_of_each() -> (City, Vec<u32>) {
    let buildings: Vec<_> = BuildingUse::NAMED.iter().map(|(purpose, _)| (*purpose, 10_000.0)).collect();
    let persons = |purpose| (intensity::of(purpose).reference_persons_per_m2 * 10_000.0).round() as u32;
    let persons = buildings.iter().map(|(purpose, _)| persons(*purpose)).collect();
    (town(&buildings, Vec::new()), persons)
}

#[test]
fn reference_presence_gives_the_yearly_figure_of_every_use() {
    let (city, persons) = one_of_each();
    for (year, step_s) in [(2023, 900), (2024, 900), (2023, 3600), (2024, 300)] {
        let mut loads = loads_of(&city, &PowerSettings::default(), &Weather::default());
        let found = year_kwh(&mut loads, &Weather::default(), &persons, year, step_s);
        for ((purpose, name), [kwh, heat_kwh]) in BuildingUse::NAMED.into_iter().zip(found) {
            let wanted = intensity::of(purpose).kwh_per_m2_year * 10_000.0;
            assert!((kwh / wanted - 1.0).abs() < 1e-9, "{name} {year} {step_s}: {kwh} {wanted}");
            assert!(heat_kwh <= 0.0, "{name}: {heat_kwh}");
        }
    }
}

/// Profiles of the settings are those followed, and a day off is a Sunday.
#[test]
fn the_clock_follows_the_profile_and_days_off() {
    let mut settings = PowerSettings::default();
    settings.holidays.dates = vec!["2023-11-15".into()];
    let mut loads = loads_of(&office(), &settings, &Weather::default());
    let mut day_wh = |date| {
        let mut sum = 0.0;
        for quarter in 0..96 {
            loads.ask(step(date, quarter * 900, 900), &Weather::default(), &[0], 1.0);
            sum += loads.demand_w[0] * 0.25;
        }
        sum
    };
    let [tuesday, off, sunday] = [(2023, 11, 14), (2023, 11, 15), (2023, 11, 19)].map(&mut day_wh);
    assert!((off / sunday - 1.0).abs() < 1e-3 && tuesday > 1.2 * sunday, "{tuesday} {off} {sunday}");
    settings.profiles.office = "h25".into();
    let mut others = loads_of(&office(), &settings, &Weather::default());
    let at_night = step((2023, 11, 14), 20 * 3600, 900);
    others.ask(at_night, &Weather::default(), &[0], 1.0);
    loads.ask(at_night, &Weather::default(), &[0], 1.0);
    assert!(others.demand_w[0] > 1.3 * loads.demand_w[0]);
}

#[test]
fn people_at_home_raise_the_load_at_home() {
    let city = town(&[(BuildingUse::Residential, 1000.0)], Vec::new());
    let mut loads = loads_of(&city, &PowerSettings::default(), &Weather::default());
    let mut at = |persons: u32| {
        loads.ask(step((2023, 6, 13), 36_000, 900), &Weather::default(), &[persons], 1.0);
        loads.demand_w[0]
    };
    let of = intensity::of(BuildingUse::Residential);
    // Each of the 14 persons of reference has a 14th of the people's share of the mean.
    let mean_w = of.kwh_per_m2_year * 1e6 / HOURS_PER_YEAR;
    let wanted = mean_w * (1.0 - of.base_share - of.schedule_share) / 14.0 * 20.0;
    let risen = at(20) - at(0);
    assert!((risen / wanted - 1.0).abs() < 1e-9, "{risen} {wanted}");
}

#[test]
fn heat_and_cold_of_the_year_are_those_stated() {
    let (city, persons) = one_of_each();
    let mut settings = PowerSettings::default();
    settings.heating.electric_share = 1.0;
    settings.heating.age_shares = super::super::heating::AgeShares {
        until_1948: 0.0,
        until_1978: 0.0,
        until_1994: 1.0,
        until_2009: 0.0,
        newer: 0.0,
    };
    settings.cooling.electric_share = 1.0;
    let weather = climate(13.0);
    for year in [2023, 2024] {
        let mut loads = BuildingLoads::new(&city, &settings, &weather, year, 3600).unwrap();
        let found = year_kwh(&mut loads, &weather, &persons, year, 900);
        for ((purpose, name), [kwh, heat_kwh]) in BuildingUse::NAMED.into_iter().zip(found) {
            let heat = settings.heating.kwh_per_m2_year.of(purpose) * 0.8 * 10_000.0;
            let cold = settings.cooling.kwh_per_m2_year.of(purpose) / 3.0 * 10_000.0;
            let wanted = intensity::of(purpose).kwh_per_m2_year * 10_000.0 + heat + cold;
            assert!((kwh / wanted - 1.0).abs() < 1e-9, "{name} {year}: {kwh} {wanted}");
            assert!((heat_kwh - heat).abs() <= 1e-9 * heat, "{name} {year}: {heat_kwh} {heat}");
        }
    }
}

#[test]
fn heat_is_in_proportion_to_degrees_below_the_base() {
    let mut settings = PowerSettings::default();
    settings.heating.degree_hours_kh = Some(50_000.0);
    settings.heating.electric_share = 1.0;
    settings.heating.age_shares.until_1948 += 0.76;
    (settings.heating.age_shares.until_1978, settings.heating.age_shares.until_1994) = (0.0, 0.0);
    (settings.heating.age_shares.until_2009, settings.heating.age_shares.newer) = (0.0, 0.0);
    // A climate without waves: 5 degrees always, 10 K below the base. UA = 110 * 10,000 * 1000 / 50,000 = 22 kW/K.
    let still = ClimateSettings { mean_c: 5.0, yearly_amplitude_k: 0.0, daily_amplitude_k: 0.0, ..Default::default() };
    let weather = Weather::new(&WeatherSettings { file: None, climate: Some(still) }, 3600).unwrap();
    let mut loads = loads_of(&office(), &settings, &weather);
    let mut without = loads_of(&office(), &settings, &Weather::default());
    let time = step((2023, 6, 13), 36_000, 900);
    loads.ask(time, &weather, &[100], 1.0);
    without.ask(time, &Weather::default(), &[100], 1.0);
    assert!((loads.heat_demand_w[0] - 220_000.0).abs() < 1e-6, "{}", loads.heat_demand_w[0]);
    assert!((loads.demand_w[0] - without.demand_w[0] - 220_000.0).abs() < 1e-6);
}

#[test]
fn without_weather_or_shares_the_load_is_the_same_bit_for_bit() {
    let (city, persons) = one_of_each();
    let weather = climate(10.0);
    let mut wanting = PowerSettings::default();
    (wanting.heating.electric_share, wanting.cooling.electric_share) = (1.0, 1.0);
    let bits = |settings: &PowerSettings, weather: &Weather| -> Vec<u64> {
        let mut loads = loads_of(&city, settings, weather);
        loads.ask(step((2023, 1, 20), 61_200, 900), weather, &persons, 1.0);
        loads.demand_w.iter().map(|watts| watts.to_bits()).collect()
    };
    let plain = bits(&PowerSettings::default(), &Weather::default());
    assert_eq!(plain, bits(&PowerSettings::default(), &weather));
    assert_eq!(plain, bits(&wanting, &Weather::default()));
    assert_ne!(plain, bits(&wanting, &weather));
}

/// A larger share keeps the buildings of a smaller one, and is about met.
#[test]
fn shares_of_buildings_are_drawn_once_for_all() {
    let city = town(&vec![(BuildingUse::Residential, 100.0); 5000], Vec::new());
    let weather = climate(10.0);
    let heated = |share: f64| -> Vec<bool> {
        let mut settings = PowerSettings::default();
        settings.heating.electric_share = share;
        let loads = loads_of(&city, &settings, &weather);
        loads.thermal.unwrap().electric_kwh_year.iter().map(|kwh| *kwh > 0.0).collect()
    };
    let (few, many) = (heated(0.1), heated(0.4));
    let count = |of: &[bool]| of.iter().filter(|is_heated| **is_heated).count() as f64 / 5000.0;
    assert!((count(&few) - 0.1).abs() < 0.015 && (count(&many) - 0.4).abs() < 0.025);
    assert!(few.iter().zip(&many).all(|(few, many)| !few || *many));
    assert!((count(&heated(1.0)) - 1.0).abs() < 1e-12);
}

#[test]
fn weather_that_cannot_spread_the_energy_is_refused() {
    let told =
        |settings: &PowerSettings, weather: &Weather| match BuildingLoads::new(&office(), settings, weather, YEAR, 0) {
            Err(urbis_core::Error::Input(problems)) => problems.listed()[0].to_string(),
            other => panic!("{other:?}"),
        };
    let mut cooled = PowerSettings::default();
    cooled.cooling.electric_share = 0.5;
    assert!(told(&cooled, &climate(0.0)).contains("0.0 degree hours for cooling in 2023, expected 100 or more"));
    cooled.cooling.degree_hours_kh = Some(5000.0);
    assert!(BuildingLoads::new(&office(), &cooled, &climate(0.0), YEAR, 0).is_ok());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.csv");
    std::fs::write(&path, "time,air_temp_c\n2023-01-01T00:00Z,1\n2023-01-01T03:00Z,1\n").unwrap();
    let day = Weather::new(&WeatherSettings { file: Some(path), climate: None }, 0).unwrap();
    assert!(told(&PowerSettings::default(), &day).contains("no air temperature on day 1 of 2023"));
    // With degree hours stated, a file of the period alone will do; it must cover it.
    let mut stated = PowerSettings::default();
    (stated.heating.degree_hours_kh, stated.cooling.degree_hours_kh) = (Some(5e4), Some(2e3));
    let install = |start_utc_ms: i64, hours: u32| {
        let (mut world, clock) = (bevy_ecs::world::World::new(), Clock::new(start_utc_ms, 0, hours * 3600));
        crate::power::install(&mut world, &office(), &stated, day.clone(), &clock, std::path::Path::new("."), 1)
            .map(|()| world)
    };
    let new_year = Date { year: 2023, month: 1, day: 1 }.days() * DAY_MS;
    assert!(install(new_year, 3).unwrap().contains_resource::<BuildingLoads>());
    assert!(install(new_year, 24).is_err() && install(new_year - DAY_MS, 3).is_err());
    let mut wrong = PowerSettings::default();
    wrong.profiles.office = "x".into();
    assert!(told(&wrong, &Weather::default()).contains("office = \"x\""));
}

#[test]
fn the_panel_scales_a_sector_with_its_heating() {
    let figure = PanelRow {
        zone_id: "town".into(),
        indicator: "electricity_use_tertiary".into(),
        value: 3.0,
        unit: "GWh/year".into(),
        ..PanelRow::default()
    };
    let city = town(&[(BuildingUse::Office, 10_000.0)], vec![figure]);
    let mut settings = PowerSettings::default();
    let loads = loads_of(&city, &settings, &Weather::default());
    assert!((loads.scale[1] - 2.0).abs() < 1e-12);
    settings.heating.electric_share = 1.0;
    let weather = climate(10.0);
    let mut heated = loads_of(&city, &settings, &weather);
    assert!(heated.scale[1] < 1.6);
    let [kwh, _] = year_kwh(&mut heated, &weather, &[150], YEAR, 900)[0];
    assert!((kwh / 3e6 - 1.0).abs() < 1e-9, "{kwh}");
}

#[test]
fn loads_are_the_same_on_any_number_of_threads_and_asking_allocates_nothing() {
    let city = town(&vec![(BuildingUse::Residential, 137.0); 10_001], Vec::new());
    let mut settings = PowerSettings::default();
    settings.heating.electric_share = 0.3;
    let weather = climate(10.0);
    let persons = vec![2; 10_001];
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut loads = loads_of(&city, &settings, &weather);
        pool.install(|| loads.ask(step((2023, 1, 20), 61_200, 3600), &weather, &persons, 1.0));
        loads.demand_w.iter().chain(&loads.heat_demand_w).map(|watts| watts.to_bits()).collect::<Vec<_>>()
    };
    assert!([2, 3].into_iter().all(|threads| on(threads) == on(1)));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut loads = loads_of(&city, &settings, &weather);
    let found = pool.install(|| {
        loads.ask(step((2023, 1, 20), 0, 900), &weather, &persons, 1.0);
        allocation_counter::measure(|| {
            for quarter in 1..200 {
                loads.ask(step((2023, 1, 20), quarter * 900, 900), &weather, &persons, 1.0);
            }
        })
    });
    assert_eq!(found.count_total, 0);
}

#[test]
fn a_plan_of_land_use_draws_in_addition_to_what_is_published() {
    let figure = PanelRow {
        zone_id: "town".to_owned(),
        indicator: Sector::Tertiary.panel_indicator().to_owned(),
        value: 0.5,
        ..PanelRow::default()
    };
    let before = town(&[(BuildingUse::Office, 1000.0)], vec![figure.clone()]);
    let mut after = town(&[(BuildingUse::Office, 1000.0), (BuildingUse::Office, 500.0)], vec![figure]);
    after.land_use = Some(std::sync::Arc::new(urbis_city::model::LandUse {
        before: before.clone(),
        ..urbis_city::model::LandUse::default()
    }));
    let new = |city: &City| BuildingLoads::new(city, &PowerSettings::default(), &Weather::default(), 2024, 0).unwrap();
    let (before, after) = (new(&before), new(&after));
    assert!((before.scale[1] - after.scale[1]).abs() < 1e-12 && (before.scale[1] - 1.0).abs() > 0.1);
    assert!((after.base_w[1] - 0.5 * before.base_w[0]).abs() < 1e-9);
}
