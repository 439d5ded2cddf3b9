//! Weather by hand: climates, files of all kinds, and files that are refused.

use super::*;
use proptest::prelude::*;

fn at(text: &str) -> i64 {
    Date::parse(&text[..10]).unwrap().days() * DAY_MS + text[11..13].parse::<i64>().unwrap() * HOUR_MS
}

fn series(name: &str, text: &str) -> Result<Weather> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    Weather::new(&WeatherSettings { file: Some(path), climate: None }, 0)
}

fn refused(name: &str, text: &str) -> String {
    match series(name, text) {
        Err(Error::Input(problems)) => problems.listed().iter().map(|problem| format!("{problem}\n")).collect(),
        other => panic!("{other:?}"),
    }
}

/// An EPW file in UTC+1 whose temperature is a thousandth of the row's number and whose radiation is 2 W/m2 in the hour
/// that ends at noon; `change` may alter fields of a row.
fn epw(change: impl Fn(usize, &mut Vec<String>)) -> String {
    let mut text = "LOCATION,Town,-,XXX,made up,000000,50.0,8.0,1.0,100.0\nDESIGN CONDITIONS,0\n\
        TYPICAL/EXTREME PERIODS,0\nGROUND TEMPERATURES,0\nHOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0\nCOMMENTS 1,\nCOMMENTS 2,\n\
        DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31\n"
        .to_owned();
    let mut row = 0;
    for (month, days) in (1..).zip(urbis_core::calendar::month_days(2023)) {
        for (day, hour) in (1..=days).flat_map(|day| (1..=24).map(move |hour| (day, hour))) {
            row += 1;
            let mut fields = vec!["9999".to_owned(); 35];
            let first = [1990 + month, month, i32::from(day), hour, 0].map(|number| number.to_string());
            fields[..5].clone_from_slice(&first);
            fields[5] = "?9?9".into();
            fields[6] = format!("{}", f64::from(row) / 1000.0);
            fields[13] = if hour == 12 { "2".into() } else { "0".into() };
            fields[22] = "5".into();
            change(row as usize, &mut fields);
            text.push_str(&fields.join(","));
            text.push('\n');
        }
    }
    text
}

#[test]
fn a_climate_is_its_two_waves() {
    let climate =
        ClimateSettings { mean_c: 9.0, yearly_amplitude_k: 8.0, coldest_day: 11, ..ClimateSettings::default() };
    let settings = WeatherSettings { file: None, climate: Some(climate) };
    let weather = Weather::new(&settings, 3600).unwrap();
    let of = |text: &str| weather.air_temp_c(at(text)).unwrap();
    // Noon of 11 January local, 3 h before the warmest hour: cos(-45 degrees).
    assert!((of("2023-01-11T11") - (9.0 - 8.0 + 4.0 * 0.5_f64.sqrt())).abs() < 1e-12);
    // Half a year on: the waves turn.
    assert!((of("2023-07-12T23") - (9.0 + 8.0 - 4.0 * 0.5_f64.sqrt())).abs() < 1e-3);
    for (year, days) in [(2023, 365), (2024, 366)] {
        let first = Date { year, month: 1, day: 1 }.days() * DAY_MS - HOUR_MS;
        let mean = (0..days * 24).map(|hour| weather.air_temp_c(first + hour * HOUR_MS).unwrap()).sum::<f64>()
            / (days * 24) as f64;
        assert!((mean - 9.0).abs() < 1e-9, "{mean}");
    }
    assert_eq!((weather.cloud_share(0), weather.ghi_w_per_m2(0)), (Some(0.65), None));
    let none = Weather::new(&WeatherSettings::default(), 0).unwrap();
    assert!(!none.is_known() && none.air_temp_c(0).is_none() && !none.covers(0, 1));
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let climate = ClimateSettings { cloud_share: 1.5, warmest_h: f64::NAN, ..ClimateSettings::default() };
    let settings = WeatherSettings { file: Some("x".into()), climate: Some(climate) };
    let Err(Error::Input(problems)) = Weather::new(&settings, 0) else { panic!() };
    let told: Vec<String> = problems.listed().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[2], "weather: climate.cloud_share = 1.5, expected 0 to 1");
    let absent = WeatherSettings { file: Some("no/such/file.csv".into()), climate: None };
    assert!(matches!(Weather::new(&absent, 0), Err(Error::Read { .. })));
}

#[test]
fn a_period_is_linear_between_its_rows_and_nothing_beyond() {
    let text = "\u{feff}time,air_temp_c,ghi_w_per_m2\r\n2024-02-28T22:00:00Z,-4,0\r\n\
        2024-02-28T23:00Z, 0 ,10\r\n2024-02-29T01:00+01:00,4,30\r\n";
    let weather = series("w.csv", text).unwrap();
    let first = at("2024-02-28T22");
    assert_eq!(weather.air_temp_c(first), Some(-4.0));
    assert_eq!(weather.air_temp_c(first + HOUR_MS / 4), Some(-3.0));
    assert_eq!(weather.ghi_w_per_m2(first + 3 * HOUR_MS / 2), Some(20.0));
    assert_eq!(weather.air_temp_c(first + 2 * HOUR_MS), Some(4.0));
    assert_eq!(weather.cloud_share(first), None);
    assert!(weather.covers(first, first + 2 * HOUR_MS));
    // The ends hold for a step.
    assert_eq!(weather.air_temp_c(first - HOUR_MS), Some(-4.0));
    assert_eq!(weather.air_temp_c(first + 3 * HOUR_MS), Some(4.0));
    let beyond = [first - HOUR_MS - 1, first + 3 * HOUR_MS + 1];
    assert!(beyond.iter().all(|&ms| weather.air_temp_c(ms).is_none() && weather.ghi_w_per_m2(ms).is_none()));
}

#[test]
fn a_calendar_year_in_utc_covers_the_local_one() {
    let first = at("2023-01-01T00");
    let time = |hour: i64| {
        let date = Date::from_days((first + hour * HOUR_MS).div_euclid(DAY_MS));
        format!("{}-{:02}-{:02}T{:02}:00Z", date.year, date.month, date.day, hour % 24)
    };
    let rows: String = (0..8760).map(|hour| format!("{},{}\n", time(hour), hour % 24)).collect();
    let weather = series("2023.csv", &format!("time,air_temp_c\n{rows}")).unwrap();
    assert_eq!(weather.air_temp_c(at("2023-07-01T09") + HOUR_MS / 2), Some(9.5));
    assert_eq!(weather.air_temp_c(first - 14 * HOUR_MS), Some(0.0));
    assert_eq!(weather.air_temp_c(at("2024-01-01T12")), Some(23.0));
    assert!(!weather.covers(first - DAY_MS - 1, first) && !weather.covers(first, at("2024-01-02T00")));
}

#[test]
fn a_typical_year_of_hours_stands_for_every_year() {
    let mut text = "time,air_temp_c\n".to_owned();
    (0..8760).for_each(|hour| text.push_str(&format!("{hour},{}\n", f64::from(hour) / 1000.0)));
    let weather = series("year.csv", &text).unwrap();
    let of = |text: &str| weather.air_temp_c(at(text)).unwrap();
    for year in ["1999", "2023", "2024"] {
        assert!((of(&format!("{year}-03-01T05")) - 1.421).abs() < 1e-12, "{year}");
    }
    // The leap day is the day before again, and its first hour follows on its last.
    assert!((of("2024-02-29T07") - of("2024-02-28T07")).abs() < 1e-12);
    let half = weather.air_temp_c(at("2024-02-28T23") + HOUR_MS / 2).unwrap();
    assert!((half - (1.415 + 1.392) / 2.0).abs() < 1e-12, "{half}");
    let half = weather.air_temp_c(at("2023-12-31T23") + HOUR_MS / 2).unwrap();
    assert!((half - 8.759 / 2.0).abs() < 1e-12, "{half}");
}

#[test]
fn an_hour_of_an_epw_file_ends_at_its_number() {
    let weather = series("town.epw", &epw(|_, _| ())).unwrap();
    // Row 1 ends at 1:00 in UTC+1, which is midnight UTC; row 8760 ends at midnight there.
    let new_year = at("2023-01-01T00");
    assert!((weather.air_temp_c(new_year).unwrap() - 0.001).abs() < 1e-12);
    assert!((weather.air_temp_c(new_year - HOUR_MS).unwrap() - 8.76).abs() < 1e-12);
    // Radiation of the hour from 11:00 to 12:00 there is that of its middle, 10:30 UTC.
    let middle = at("2024-07-01T10") + HOUR_MS / 2;
    assert_eq!(weather.ghi_w_per_m2(middle), Some(2.0));
    assert_eq!(weather.ghi_w_per_m2(middle + HOUR_MS), Some(0.0));
    assert_eq!(weather.cloud_share(middle), Some(0.5));
    assert!(weather.covers(at("1970-01-01T00"), at("2100-01-01T00")));
}

#[test]
fn epw_files_say_what_is_missing() {
    let radiation = series("a.epw", &epw(|_, fields| fields[13] = "9999".into())).unwrap();
    assert!(radiation.ghi_w_per_m2(0).is_none() && radiation.air_temp_c(0).is_some());
    let clouds = series(
        "a.epw",
        &epw(|row, fields| {
            if row == 9 {
                fields[22] = "99".into();
            }
        }),
    )
    .unwrap();
    assert!(clouds.cloud_share(0).is_none());
    let cases: [(usize, usize, &str, &str); 5] = [
        (77, 6, "99.9", "row 77: dry bulb temperature = `99.9`"),
        (8760, 6, "NaN", "row 8760: dry bulb temperature = `NaN`"),
        (30, 13, "9999", "missing in 1 rows"),
        (26, 3, "3", "row 26: hour = `3`, expected 2"),
        (5, 13, "-1", "row 5: global horizontal radiation = `-1`"),
    ];
    for (row, field, value, wanted) in cases {
        let told = refused(
            "a.epw",
            &epw(|at, fields| {
                if at == row {
                    fields[field] = value.into();
                }
            }),
        );
        assert!(told.contains(wanted), "{told}");
    }
    let whole = epw(|_, _| ());
    let short = whole.trim_end().rsplit_once('\n').unwrap().0;
    assert!(refused("a.epw", short).contains("8759 hours, expected 8760"));
    assert!(refused("a.epw", &whole.replace(",1.0,100.0", ",east,100.0")).contains("time zone = `east`"));
    assert!(refused("a.epw", "time,air_temp_c\n").contains("LOCATION"));
}

#[test]
fn spoilt_tables_are_refused_with_row_and_value() {
    let rows = |rows: &[&str]| refused("w.csv", &format!("time,air_temp_c\n{}\n", rows.join("\n")));
    let (a, b) = ("2024-01-01T00:00Z,1", "2024-01-01T01:00Z,1");
    assert!(rows(&[a, b, "2024-01-01T03:00Z,1"]).contains("row 3: time = `2024-01-01T03:00Z`, expected 3600 s after"));
    assert!(rows(&[a, b, b]).contains("row 3"));
    assert!(rows(&[b, a]).contains("row 2: time"));
    assert!(rows(&[a, "2024-01-02T00:00Z,1"]).contains("at most three hours"));
    assert!(
        rows(&[a, "2024-01-01T01:00Z,NaN"]).contains("row 2: air_temp_c = `NaN`, expected a number from -95 to 65")
    );
    assert!(rows(&[a, "2024-01-01T01:00Z,"]).contains("air_temp_c = ``"));
    assert!(rows(&[a, "2024-01-01T01:00Z"]).contains("row 2 has 1 fields"));
    assert!(rows(&[a, "1,1"]).contains("dates only"));
    assert!(rows(&[a]).contains("fewer than two"));
    assert!(rows(&["0,1", "1,1"]).contains("8760 hours"));
    assert!(refused("w.csv", "hour,temp\n").contains("header `hour,temp`"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Readers take or refuse any text; what they take is finite.
    #[test]
    fn any_text_is_read_or_refused(
        text in "(time,air_temp_c(,ghi_w_per_m2)?\n)?([-0-9TZ:+., a\u{e4}]{0,24}\n){0,12}",
        is_epw: bool,
    ) {
        let path = Path::new("x");
        let read = if is_epw { epw::parse(path, &text) } else { csv::parse(path, &text) };
        if let Ok(series) = read {
            prop_assert!(series.air_temp_c.iter().all(|value| value.is_finite()) && series.step_ms > 0);
        }
    }

    /// One field of an EPW row may be anything.
    #[test]
    fn any_field_of_an_hour_is_read_or_refused(
        row in 1_usize..=8760,
        field in 0_usize..35,
        value in "[-0-9.eNainf, ]{0,8}",
    ) {
        let text = epw(|at, fields| if at == row { fields[field] = value.clone() });
        if let Ok(series) = epw::parse(Path::new("x.epw"), &text) {
            prop_assert!(series.air_temp_c.iter().all(|value| AIR_TEMP_C.contains(value)));
            prop_assert_eq!(series.air_temp_c.len(), 8760);
        }
    }

    /// Between two rows of a period lies nothing but values between theirs.
    #[test]
    fn values_lie_between_their_neighbours(
        temps in prop::collection::vec(-40.0_f64..40.0, 2..50),
        part in 0.0_f64..1.0,
    ) {
        let mut text = "time,air_temp_c\n".to_owned();
        let start = at("2024-02-28T00");
        for (hour, temp) in temps.iter().enumerate() {
            let date = Date::from_days((start + hour as i64 * HOUR_MS).div_euclid(DAY_MS));
            text.push_str(&format!("{}-{:02}-{:02}T{:02}:00Z,{temp}\n", date.year, date.month, date.day, hour % 24));
        }
        let series = csv::parse(Path::new("x.csv"), &text).unwrap();
        for (row, pair) in temps.windows(2).enumerate() {
            let ms = start + row as i64 * HOUR_MS + (part * HOUR_MS as f64) as i64;
            let found = series.at(&series.air_temp_c, ms).unwrap();
            prop_assert!(found >= pair[0].min(pair[1]) - 1e-9 && found <= pair[0].max(pair[1]) + 1e-9);
        }
    }
}

#[test]
fn rain_holds_from_its_time_to_the_next() {
    let text = "time,air_temp_c,rain_mm_per_h\n2024-01-01T00:00Z,1,0\n2024-01-01T01:00Z,2,6\n2024-01-01T02:00Z,3,1.5\n";
    let weather = series("rain.csv", text).unwrap();
    let at_minute = |minute: i64| weather.rain_mm_per_h(at("2024-01-01T00") + minute * 60_000);
    assert_eq!([0, 59, 60, 119, 120, 150].map(at_minute), [0.0, 0.0, 6.0, 6.0, 1.5, 1.5].map(Some));
    assert_eq!(at_minute(-300), None);
    assert!(weather.has_rain());
    assert!(refused("rain.csv", &text.replace(",6\n", ",-1\n")).contains("rain_mm_per_h"));
    // An EPW row is the hour that it ends: 3 mm in the hour to noon of every day, UTC+1.
    let weather =
        series("rain.epw", &epw(|_, fields| fields[33] = if fields[3] == "12" { "3" } else { "0" }.into())).unwrap();
    let of = |text: &str| weather.rain_mm_per_h(at(text)).unwrap();
    for (hour, expected) in [("09", 0.0), ("10", 3.0), ("11", 0.0)] {
        assert!((of(&format!("2024-06-01T{hour}")) - expected).abs() < 1e-12, "{hour}");
    }
    assert!(!series("none.epw", &epw(|_, _| ())).unwrap().has_rain());
}

#[test]
fn a_climate_rains_as_much_as_it_says() {
    let climate = ClimateSettings { rain_mm_per_year: 800.0, wet_days_per_year: 100.0, ..ClimateSettings::default() };
    let weather = Weather::new(&WeatherSettings { file: None, climate: Some(climate) }, 0).unwrap();
    let (first, years) = (at("1900-01-01T00"), 100);
    let quarters = years * 1461 * 24;
    let (mut depth_mm, mut wet) = (0.0, 0);
    for quarter in 0..quarters {
        let mm_per_h = weather.rain_mm_per_h(first + quarter * HOUR_MS / 4).unwrap();
        depth_mm += mm_per_h / 4.0;
        wet += i64::from(mm_per_h > 0.0);
    }
    let simulated_years = quarters as f64 / (4.0 * 365.25 * 24.0);
    let (mean_mm, wet_h) = (depth_mm / simulated_years, wet as f64 / 4.0 / simulated_years);
    // About 10,000 exponential showers in these years: within five standard errors, 5 %.
    assert!((mean_mm / 800.0 - 1.0).abs() < 0.05, "{mean_mm}");
    assert!((wet_h / 400.0 - 1.0).abs() < 0.05, "{wet_h}");
}

#[test]
fn a_heat_wave_is_warmer_while_it_lasts() {
    let mut weather =
        series("w.csv", "time,air_temp_c\n2024-01-01T00:00Z,1\n2024-01-01T01:00Z,2\n2024-01-01T02:00Z,3\n").unwrap();
    weather.warm(at("2024-01-01T01"), at("2024-01-01T02"), 7.5);
    let of = |text: &str| weather.air_temp_c(at(text));
    assert_eq!([of("2024-01-01T00"), of("2024-01-01T01"), of("2024-01-01T02")], [1.0, 9.5, 3.0].map(Some));
}
