//! Weather as CSV: `time,air_temp_c[,ghi_w_per_m2][,rain_mm_per_h]`, comma between, point in numbers, one header line.
//!
//! Times are dates and clock times of ISO 8601 (`2024-01-01T00:00:00Z`, `2024-01-01 01:00+01:00`; without an offset
//! they are UTC), or hours since 1 January 0:00 UTC of a typical year, in which case the rows are all of its 8,760
//! hours. Values are those of their time; rain holds from it to the next. Steps are even; a time that is missing, doubled or out of order is told with
//! its row.

use super::{AIR_TEMP_C, Column, DAY_MS, GHI_W_PER_M2, HOUR_MS, RAIN_MM_PER_H, STEP_MS_MAX, Series};
use std::path::Path;
use urbis_core::calendar::Date;
use urbis_core::{Problem, Problems, Result};

const YEAR_MS: i64 = 365 * DAY_MS;

/// A time as it stands in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Time {
    Unix(i64),
    OfYear(i64),
}

/// Weather of a text.
pub(super) fn parse(path: &Path, text: &str) -> Result<Series> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').map(str::trim).collect();
    let (ghi_at, rain_at) = match header.as_slice() {
        ["time", "air_temp_c"] => (None, None),
        ["time", "air_temp_c", "ghi_w_per_m2"] => (Some(2), None),
        ["time", "air_temp_c", "rain_mm_per_h"] => (None, Some(2)),
        ["time", "air_temp_c", "ghi_w_per_m2", "rain_mm_per_h"] => (Some(2), Some(3)),
        _ => {
            let expected = "`time,air_temp_c`, then `ghi_w_per_m2`, `rain_mm_per_h` or both";
            return Err(Problem::file(path, format!("header `{}`, expected {expected}", header.join(","))).into());
        }
    };
    let mut series = Series {
        first_ms: 0,
        step_ms: 0,
        typical_offset_ms: None,
        air_temp_c: Vec::new(),
        ghi_w_per_m2: Vec::new(),
        cloud_share: Vec::new(),
        rain_mm_per_h: Vec::new(),
        ghi_lag_ms: 0,
    };
    let mut air_temp_c = Column::new(path, "air_temp_c", AIR_TEMP_C);
    let mut ghi_w_per_m2 = Column::new(path, "ghi_w_per_m2", GHI_W_PER_M2);
    let mut rain_mm_per_h = Column::new(path, "rain_mm_per_h", RAIN_MM_PER_H);
    let mut problems = Problems::new();
    let mut before: Option<Time> = None;
    for (row, line) in (1..).zip(lines) {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        if fields.len() != header.len() {
            problems
                .push(Problem::file(path, format!("row {row} has {} fields, expected {}", fields.len(), header.len())));
            continue;
        }
        air_temp_c.read(row, fields[1], &mut problems);
        if let Some(at) = ghi_at {
            ghi_w_per_m2.read(row, fields[at], &mut problems);
        }
        if let Some(at) = rain_at {
            rain_mm_per_h.read(row, fields[at], &mut problems);
        }
        let told = |expected: String| Problem::value(path, row, None, "time", format!("`{}`", fields[0]), expected);
        let Some(time) = read_time(fields[0]) else {
            problems.push(told("a time such as 2024-01-01T00:00:00Z, or an hour from 0".to_owned()));
            continue;
        };
        let step_ms = match (before, time) {
            (None, Time::Unix(ms) | Time::OfYear(ms)) => {
                series.first_ms = ms;
                series.typical_offset_ms = matches!(time, Time::OfYear(_)).then_some(0);
                None
            }
            (Some(Time::Unix(before)), Time::Unix(ms)) | (Some(Time::OfYear(before)), Time::OfYear(ms)) => {
                Some(ms - before)
            }
            _ => {
                problems.push(told("dates only or hours only".to_owned()));
                None
            }
        };
        before = Some(time);
        match step_ms {
            Some(step_ms) if series.step_ms == 0 && !(1..=STEP_MS_MAX).contains(&step_ms) => {
                problems.push(told("later than the row before, by at most three hours".to_owned()));
                break;
            }
            Some(step_ms) if series.step_ms == 0 => series.step_ms = step_ms,
            Some(step_ms) if step_ms != series.step_ms => {
                let even = series.step_ms as f64 / 1000.0;
                problems.push(told(format!(
                    "{even} s after the row before, as the rows before; it is {} s",
                    step_ms as f64 / 1000.0
                )));
            }
            _ => {}
        }
    }
    problems.or_else(())?;
    (series.air_temp_c, series.ghi_w_per_m2) = (air_temp_c.values, ghi_w_per_m2.values);
    series.rain_mm_per_h = rain_mm_per_h.values;
    if series.step_ms == 0 {
        return Err(Problem::file(path, "fewer than two rows, expected weather").into());
    }
    let is_year = series.first_ms == 0
        && series.air_temp_c.len() as i64 * series.step_ms == YEAR_MS
        && DAY_MS % series.step_ms == 0;
    if series.typical_offset_ms.is_some() && !is_year {
        let (rows, first_h) = (series.air_temp_c.len(), series.first_ms as f64 / HOUR_MS as f64);
        let hours = series.step_ms as f64 / HOUR_MS as f64;
        let what =
            format!("{rows} rows every {hours} h from hour {first_h}, expected the 8760 hours of a year from hour 0");
        return Err(Problem::file(path, what).into());
    }
    Ok(series)
}

/// A time in hours or of ISO 8601.
fn read_time(text: &str) -> Option<Time> {
    if let Ok(hours) = text.parse::<f64>() {
        return (0.0..8760.0).contains(&hours).then(|| Time::OfYear((hours * HOUR_MS as f64).round() as i64));
    }
    let date = Date::parse(text.get(..10)?)?;
    let rest = text.get(10..)?.strip_prefix(['T', 't', ' '])?;
    let (clock, offset_s) = if let Some(clock) = rest.strip_suffix(['Z', 'z']) {
        (clock, 0)
    } else if let Some(at) = rest.rfind(['+', '-']) {
        let sign = if rest.as_bytes()[at] == b'-' { -1 } else { 1 };
        (&rest[..at], sign * clock_s(&rest[at + 1..])?)
    } else {
        (rest, 0)
    };
    Some(Time::Unix(date.days() * DAY_MS + (clock_s(clock)? - offset_s) * 1000))
}

/// Seconds of a clock time `HH:MM[:SS]`, of an offset also `HHMM` and `HH`.
fn clock_s(text: &str) -> Option<i64> {
    let part = |text: &str, below: i64| {
        let is_two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_two.then(|| text.parse::<i64>().ok()).flatten().filter(|value| *value < below)
    };
    let parts: Vec<&str> = match text.len() {
        4 if text.is_ascii() => vec![&text[..2], &text[2..]],
        _ => text.split(':').collect(),
    };
    let [hours, others @ ..] = parts.as_slice() else { return None };
    let (minutes, seconds) = match others {
        [] => ("00", "00"),
        [minutes] => (*minutes, "00"),
        [minutes, seconds] => (*minutes, *seconds),
        _ => return None,
    };
    Some(part(hours, 24)? * 3600 + part(minutes, 60)? * 60 + part(seconds, 60)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_iso_8601() {
        let unix = |text: &str| match read_time(text) {
            Some(Time::Unix(ms)) => Some(ms / 1000),
            _ => None,
        };
        let noon = Some(1_704_110_400);
        for text in [
            "2024-01-01T12:00:00Z",
            "2024-01-01 12:00",
            "2024-01-01T13:00+01:00",
            "2024-01-01T06:30:00-0530",
            "2024-01-01T14+02",
        ] {
            assert_eq!(unix(text), noon, "{text}");
        }
        for text in [
            "2024-01-01",
            "2024-01-01T24:00",
            "2024-02-30T00:00",
            "2024-01-01T1:00",
            "2024-01-01T12:00+",
            "2024-01-01T00:00:00:00",
        ] {
            assert_eq!(read_time(text), None, "{text}");
        }
        assert_eq!(read_time("1.5"), Some(Time::OfYear(5_400_000)));
        assert!(["-1", "8760", "NaN", "inf", ""].iter().all(|text| read_time(text).is_none()));
    }
}
