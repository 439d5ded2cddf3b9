//! Heat profiles beside those of demandlib, hour by hour.
//!
//! demandlib takes the shares of a day's hours as they are rounded and so misses a year's energy by up to 7e-5; ours is
//! exact. Both are compared as shares of their own sum.
#![allow(clippy::print_stdout)] // figures

#[path = "common/shared.rs"]
mod shared;

use flate2::read::GzDecoder;
use proptest::prelude::*;
use std::io::Read;
use std::path::Path;
use urbis_core::calendar::{Date, year_days};
use urbis_utility::heat_profile::{HOURS, HeatPart, HeatProfiles, HeatYear, Variant, day_means_c, weighted_temp_c};
use urbis_utility::weather::{ClimateSettings, Weather, WeatherSettings};

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

fn day_means(hourly: &[f64]) -> Vec<f64> {
    hourly.chunks(HOURS).map(|day| day.iter().sum::<f64>() / HOURS as f64).collect()
}

fn year_of<'a>(row: usize, year: i32, day_mean_c: &'a [f64]) -> HeatYear<'a> {
    let (variant, part) = (Variant::Calm, HeatPart::Whole);
    HeatYear { row, variant, part, year, holidays: &[], day_mean_c, before_c: None }
}

/// A made-up year from whole numbers, as the script that made the fixture has it: days from -20 to 36 C.
fn made_up_c(hours: i64) -> Vec<f64> {
    let tenths = |hour: i64| {
        let day = hour / 24;
        let season = ((day + 171) % 366 - 183).abs();
        300 - season * 500 / 183 + day * day * 7 % 90 - 45 + (hour % 24 - 3).abs() % 13 * 6
    };
    (0..hours).map(|hour| tenths(hour) as f64 / 10.0).collect()
}

#[test]
fn a_year_of_the_test_reference_is_that_of_demandlib() {
    let path = shared::place("demand").join("bdew_heat_slp_TRY12_hourly_kw_per_1000kwh.csv.gz");
    let Ok(bytes) = std::fs::read(&path) else {
        shared::skipped(&path);
        return;
    };
    let text = unpacked(&bytes);
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); 7];
    for line in text.lines().skip(1) {
        for (column, field) in columns.iter_mut().zip(line.split(',').skip(1)) {
            column.push(field.parse().unwrap());
        }
    }
    let day_mean_c = day_means(&columns[0]);
    let known = HeatProfiles::shipped().unwrap();
    for (name, wanted) in ["efh5", "mfh5", "gko", "gha", "gbd", "gmk"].iter().zip(&columns[1..]) {
        let of = year_of(known.row(name).unwrap(), 2023, &day_mean_c);
        let found = known.year(&of, 1000.0).unwrap();
        assert_eq!((found.len(), wanted.len()), (8760, 8760));
        let sum: f64 = wanted.iter().sum();
        let (mut worst, mut worst_share) = (0.0_f64, 0.0_f64);
        for (found, wanted) in found.iter().zip(wanted) {
            let wanted = wanted / sum * 1e6;
            worst = worst.max((found - wanted).abs() / 1000.0);
            worst_share = worst_share.max((found / wanted - 1.0).abs());
        }
        println!(
            "{name}: within {worst:.1e} kW for 1,000 kWh, {worst_share:.1e} of the hour; demandlib's sum {sum:.4}"
        );
        assert!(worst < 1e-6 && worst_share < 1e-6, "{name}: {worst} {worst_share}");
    }
}

#[test]
fn all_profiles_of_a_leap_year_are_those_of_demandlib() {
    let text = unpacked(include_bytes!("data/heat_profiles/demandlib_2024.csv.gz"));
    let day_mean_c = day_means(&made_up_c(8784));
    let (coldest, warmest) = day_mean_c.iter().fold((99.0_f64, -99.0_f64), |(a, b), &c| (a.min(c), b.max(c)));
    println!("daily means from {coldest:.1} to {warmest:.1} C");
    let known = HeatProfiles::shipped().unwrap();
    let holidays = [(1, 1), (3, 29), (5, 1), (12, 25)];
    let mut lines = text.lines();
    let hours: Vec<usize> = lines.next().unwrap().split(',').skip(1).map(|text| text.parse().unwrap()).collect();
    let (mut compared, mut worst) = (0, 0.0_f64);
    for line in lines {
        let (key, values) = line.split_once(',').unwrap();
        let [name, wind, part] = key.split(' ').collect::<Vec<_>>()[..] else { panic!("{key}") };
        // demandlib has the mean of commerce of calm and windy sites the other way round (assets/heat/README.md).
        let variant = if (wind == "1") != (name == "ghd") { Variant::Windy } else { Variant::Calm };
        let part = match part {
            "whole" => HeatPart::Whole,
            "rooms" => HeatPart::Rooms,
            _ => HeatPart::HotWater,
        };
        let row = known.row(name).unwrap();
        let of = HeatYear { variant, part, holidays: &holidays, ..year_of(row, 2024, &day_mean_c) };
        let found = known.year(&of, 1.0).unwrap();
        assert_eq!(found.len(), 8784);
        for (&hour, wanted) in hours.iter().zip(values.split(',')) {
            let (found, wanted) = (found[hour] / 1000.0, wanted.parse::<f64>().unwrap());
            worst = worst.max((found - wanted).abs() / wanted.max(1e-9));
            assert!((found - wanted).abs() <= 1e-6 * wanted + 1e-15, "{key} hour {hour}: {found} {wanted}");
        }
        compared += hours.len();
    }
    println!("{compared} hours of 34 profiles within {worst:.1e}");
    assert_eq!(compared, 34 * 4 * hours.len());
}

#[test]
fn a_year_has_the_energy_stated_and_its_parts_add_up() {
    let known = HeatProfiles::shipped().unwrap();
    let mut least_and_most = (1.0_f64, 0.0_f64);
    for year in [1900, 2000, 2023, 2024] {
        let days = usize::from(year_days(year));
        let day_mean_c = day_means(&made_up_c(days as i64 * 24));
        for row in 0..known.names().len() {
            for variant in Variant::ALL.into_iter().filter(|&variant| known.curve(row, variant).is_some()) {
                let name = format!("{} {variant:?} {year}", known.names()[row]);
                let of = HeatYear { variant, ..year_of(row, year, &day_mean_c) };
                let parts = [HeatPart::Whole, HeatPart::HotWater, HeatPart::Rooms].map(|part| {
                    let powers = known.year(&HeatYear { part, ..of }, 12_345.0).unwrap();
                    assert_eq!(powers.len(), days * HOURS);
                    let kwh = powers.iter().sum::<f64>() / 1000.0;
                    assert!((kwh / 12_345.0 - 1.0).abs() < 1e-9, "{name} {part:?}: {kwh}");
                    assert!(powers.iter().all(|power| power.is_finite() && *power >= 0.0), "{name}");
                    powers
                });
                let share = known.hot_water_share(&of).unwrap();
                least_and_most = (least_and_most.0.min(share), least_and_most.1.max(share));
                for ((whole, water), rooms) in parts[0].iter().zip(&parts[1]).zip(&parts[2]) {
                    assert!((water * share + rooms * (1.0 - share) - whole).abs() < 1e-9 * 12_345.0, "{name}");
                }
            }
        }
    }
    println!("hot water {:.2} to {:.2} of the heat", least_and_most.0, least_and_most.1);
}

#[test]
fn cold_days_ask_for_more_and_holidays_are_sundays() {
    let known = HeatProfiles::shipped().unwrap();
    let mut day_mean_c = vec![10.0; 365];
    day_mean_c[30] = 0.0;
    let weighted = weighted_temp_c(&day_mean_c, None);
    assert!((weighted[30] - (10.0 - 10.0 / 1.875)).abs() < 1e-12 && (weighted[34] - 10.0).abs() < 1e-12);
    let row = known.row("gwa").unwrap();
    let of = year_of(row, 2023, &day_mean_c);
    let day = |powers: &[f64], day: usize| powers[day * HOURS..(day + 1) * HOURS].iter().sum::<f64>();
    let plain = known.year(&of, 1000.0).unwrap();
    // 31 January 2023 is a Tuesday, as is 7 February.
    assert!(day(&plain, 30) > 1.1 * day(&plain, 37), "{} {}", day(&plain, 30), day(&plain, 37));
    // Wednesday 1 November off: as Sunday 5 November.
    let off = known.year(&HeatYear { holidays: &[(11, 1)], ..of }, 1000.0).unwrap();
    assert!((day(&off, 304) / day(&off, 308) - 1.0).abs() < 1e-12);
    assert!(day(&plain, 304) > 2.0 * day(&plain, 308));
    // Days before the year that were colder make 1 to 3 January ask for more, and no other.
    let cold = known.year(&HeatYear { before_c: Some([-10.0; 3]), ..of }, 1000.0).unwrap();
    let ratio = |at: usize| day(&cold, at) / day(&plain, at) / (day(&cold, 100) / day(&plain, 100));
    assert!(ratio(0) > ratio(1) && ratio(1) > ratio(2) && ratio(2) > 1.001 && (ratio(3) - 1.0).abs() < 1e-12);
}

#[test]
fn what_cannot_be_is_refused() {
    let known = HeatProfiles::shipped().unwrap();
    let day_mean_c = vec![10.0; 365];
    let good = year_of(0, 2023, &day_mean_c);
    let told = |of: &HeatYear<'_>, energy_kwh: f64| match known.year(of, energy_kwh) {
        Ok(_) => String::new(),
        Err(error) => format!("{error:?}"),
    };
    assert!(told(&good, 0.0).is_empty());
    assert!(known.year(&good, 0.0).unwrap().iter().all(|power| power.abs() < 1e-300));
    assert!(told(&good, -1.0).contains("energy_kwh = -1"));
    assert!(told(&good, f64::NAN).contains("energy_kwh = NaN"));
    assert!(told(&HeatYear { row: 34, ..good }, 1.0).contains("row = 34"));
    assert!(told(&HeatYear { variant: Variant::LinearCalm, ..good }, 1.0).contains("variant = LinearCalm"));
    assert!(told(&HeatYear { year: 2024, ..good }, 1.0).contains("365 days, expected 366"));
    assert!(told(&HeatYear { year: i32::MAX, ..good }, 1.0).contains("year = "));
    let mut spoilt = day_mean_c.clone();
    (spoilt[3], spoilt[200]) = (f64::NAN, 300.0);
    let told_of = told(&HeatYear { day_mean_c: &spoilt, before_c: Some([0.0, 0.0, -300.0]), ..good }, 1.0);
    for what in ["day_mean_c.3 = NaN", "day_mean_c.200 = 300", "before_c.2 = -300"] {
        assert!(told_of.contains(what), "{told_of}");
    }
    // A year at 45 C: nothing to heat, so no way to spread the energy of rooms.
    let hot = vec![45.0; 365];
    assert!(told(&HeatYear { part: HeatPart::Rooms, day_mean_c: &hot, ..good }, 1.0).contains("no demand"));
    assert!(told(&HeatYear { day_mean_c: &hot, ..good }, 1.0).is_empty());
}

#[test]
fn days_of_weather_are_means_of_local_hours() {
    // Warmer by 1 mK an hour from 28 December 2022, 0 h UTC. A file of three days is no whole year.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weather.csv");
    let hour = |at: i64| {
        let date = Date::from_days(Date { year: 2022, month: 12, day: 28 }.days() + at.div_euclid(24));
        let value = at as f64 / 1000.0;
        format!("{}-{:02}-{:02}T{:02}:00:00Z,{value}\n", date.year, date.month, date.day, at.rem_euclid(24))
    };
    let weather_of = |hours: std::ops::Range<i64>| {
        let text = format!("time,air_temp_c\n{}", hours.map(hour).collect::<String>());
        std::fs::write(&path, text).unwrap();
        Weather::new(&WeatherSettings { file: Some(path.clone()), climate: None }, 3600).unwrap()
    };
    assert!(day_means_c(&weather_of(0..72), 2023, 3600).is_none());
    let hours = (365 + 4) * 24;
    let (days, before) = day_means_c(&weather_of(0..hours), 2023, 3600).unwrap();
    // 1 January 0 h local is hour 95: mean of 95 to 118.
    assert!(
        (days.len() == 365) && (days[0] - 0.1065).abs() < 1e-9 && (days[364] - 0.1065 - 364.0 * 0.024).abs() < 1e-9
    );
    let before = before.unwrap();
    for (before, wanted) in before.iter().zip([0.0825, 0.0585, 0.0345]) {
        assert!((before - wanted).abs() < 1e-9, "{before} {wanted}");
    }
    // A file holds its ends for a day, so one from 31 December does not tell the third day before.
    let (_, before) = day_means_c(&weather_of(72..hours), 2023, 3600).unwrap();
    assert!(before.is_none());
    // A climate has all days; its waves have no mean over a day that stays.
    let climate = ClimateSettings { mean_c: 9.0, yearly_amplitude_k: 0.0, ..ClimateSettings::default() };
    let weather = Weather::new(&WeatherSettings { file: None, climate: Some(climate) }, 3600).unwrap();
    let (days, before) = day_means_c(&weather, 2024, 3600).unwrap();
    assert!(days.len() == 366 && days.iter().chain(&before.unwrap()).all(|mean| (mean - 9.0).abs() < 1e-9));
}

const TEXTS: [&str; 3] = [
    include_str!("../../../assets/heat/curves.csv"),
    include_str!("../../../assets/heat/weekdays.csv"),
    include_str!("../../../assets/heat/hours.csv"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn spoilt_tables_never_panic(which in 0_usize..3, at in 0.0..1.0_f64, cut in 0_usize..40, piece in "[0-9a-z,.\\-\n#é]{0,6}") {
        let mut texts = TEXTS.map(str::to_owned);
        let text = &mut texts[which];
        let from = text.floor_char_boundary((at * text.len() as f64) as usize);
        let to = text.floor_char_boundary((from + cut).min(text.len()));
        text.replace_range(from..to, &piece);
        if let Ok(known) = HeatProfiles::parse(Path::new("spoilt"), [&texts[0], &texts[1], &texts[2]]) {
            let day_mean_c = vec![5.0; 365];
            for row in 0..known.names().len() {
                let of = year_of(row, 2023, &day_mean_c);
                if let Ok(powers) = known.year(&of, 1.0) {
                    prop_assert!(powers.len() == 8760 && powers.iter().all(|power| power.is_finite()));
                }
            }
        }
    }
}
