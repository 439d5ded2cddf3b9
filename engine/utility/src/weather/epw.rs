//! EnergyPlus weather files (EPW): eight header lines, then 8,760 hours of a typical year.
//!
//! Format: U.S. Department of Energy, EnergyPlus Auxiliary Programs, chapter on weather files. Fields used: time zone
//! of the line `LOCATION` (hours from UTC); of each hour year, month, day, hour (1 to 24), dry bulb temperature (field
//! 7), global horizontal radiation (field 14, the hour before its time), total sky cover (field 23, tenths) and, where it is in all
//! rows, liquid precipitation depth (field 34, mm of the hour before; missing 999). An hour
//! numbered 1 ends at 1:00: the temperature is that of its end, radiation is put in its middle. The clock is standard
//! time all year. Fields are those that pvlib 0.16.1 reads under these names.
//!
//! Missing temperatures (99.9) are refused. Radiation (9999) and sky cover (99) may be missing in all rows; radiation
//! in some rows is refused, sky cover in some rows is left out as a whole. Years are not read: months come from many.
//! Leap years and files with several records an hour are refused.

use super::{AIR_TEMP_C, Column, GHI_W_PER_M2, HOUR_MS, RAIN_MM_PER_H, Series};
use std::path::Path;
use urbis_core::calendar::month_days;
use urbis_core::{Problem, Problems, Result};

const HEADERS: usize = 8;
const HOURS: usize = 8760;
/// Fields up to and with total sky cover.
const FIELDS: usize = 23;
/// Place of the liquid precipitation depth, which older files have not.
const RAIN: usize = 33;

/// Weather of a text.
pub(super) fn parse(path: &Path, text: &str) -> Result<Series> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let location: Vec<&str> = lines.first().map(|line| line.split(',').map(str::trim).collect()).unwrap_or_default();
    if location.first().is_none_or(|name| !name.eq_ignore_ascii_case("LOCATION")) || lines.len() < HEADERS {
        return Err(
            Problem::file(path, "expected an EPW file: eight header lines, the first of them `LOCATION`").into()
        );
    }
    let zone = location.get(8).copied().unwrap_or_default();
    let zone_h = zone.parse::<f64>().ok().filter(|hours| (-12.0..=14.0).contains(hours));
    let Some(zone_h) = zone_h else {
        return Err(Problem::file(path, format!("LOCATION: time zone = `{zone}`, expected -12 to 14")).into());
    };
    let rows = &lines[HEADERS..];
    if rows.len() != HOURS {
        return Err(Problem::file(path, format!("{} hours, expected {HOURS} of a typical year", rows.len())).into());
    }
    let mut problems = Problems::new();
    let mut air_temp_c = Column::new(path, "dry bulb temperature", AIR_TEMP_C);
    let mut ghi_w_per_m2 = Column::new(path, "global horizontal radiation", GHI_W_PER_M2);
    let mut rain_mm = Column::new(path, "liquid precipitation depth", RAIN_MM_PER_H);
    let mut sky_cover_tenths = Column::new(path, "total sky cover", 0.0..=10.0);
    let days = (1_usize..)
        .zip(month_days(2023))
        .flat_map(|(month, days)| (1..=usize::from(days)).map(move |day| (month, day)));
    let hours = days.flat_map(|(month, day)| (1..=24_usize).map(move |hour| (month, day, hour)));
    for ((row, line), (month, day, hour)) in (1..).zip(rows).zip(hours) {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        if fields.len() < FIELDS {
            problems
                .push(Problem::file(path, format!("row {row} has {} fields, expected {FIELDS} or more", fields.len())));
            continue;
        }
        let named = [("month", 1, month), ("day", 2, day), ("hour", 3, hour)];
        for (name, at, expected) in named {
            if fields[at].parse() != Ok(expected) {
                problems.push(Problem::value(path, row, None, name, format!("`{}`", fields[at]), expected));
            }
        }
        let is_missing = |at: usize, from: f64| fields[at].parse::<f64>().is_ok_and(|value| value >= from);
        air_temp_c.read(row, fields[6], &mut problems);
        if !is_missing(13, 9999.0) {
            ghi_w_per_m2.read(row, fields[13], &mut problems);
        }
        if fields.len() > RAIN && !is_missing(RAIN, 999.0) {
            rain_mm.read(row, fields[RAIN], &mut problems);
        }
        if !is_missing(22, 99.0) {
            sky_cover_tenths.read(row, fields[22], &mut problems);
        }
    }
    problems.or_else(())?;
    let (mut air_temp_c, mut ghi_w_per_m2) = (air_temp_c.values, ghi_w_per_m2.values);
    let mut cloud_share: Vec<f64> = sky_cover_tenths.values.iter().map(|tenths| tenths / 10.0).collect();
    if !ghi_w_per_m2.is_empty() && ghi_w_per_m2.len() < HOURS {
        let what = format!(
            "global horizontal radiation is missing in {} rows, expected all or none",
            HOURS - ghi_w_per_m2.len()
        );
        return Err(Problem::file(path, what).into());
    }
    if cloud_share.len() < HOURS {
        cloud_share.clear();
    }
    // What fell in the hour that a row ends holds from the begin of that hour, where the column is not turned.
    let mut rain_mm_per_h = rain_mm.values;
    if rain_mm_per_h.len() < HOURS {
        rain_mm_per_h.clear();
    }
    // The first row ends at 1:00; the last one is midnight of 1 January.
    for column in [&mut air_temp_c, &mut ghi_w_per_m2, &mut cloud_share] {
        if !column.is_empty() {
            column.rotate_right(1);
        }
    }
    Ok(Series {
        first_ms: 0,
        step_ms: HOUR_MS,
        typical_offset_ms: Some((zone_h * HOUR_MS as f64).round() as i64),
        air_temp_c,
        ghi_w_per_m2,
        cloud_share,
        rain_mm_per_h,
        ghi_lag_ms: HOUR_MS / 2,
    })
}
