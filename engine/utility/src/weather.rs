//! Weather: air temperature, sunlight and clouds at a time, from a file or from a plain climate.
//!
//! * **Files** hold values at even steps of up to three hours: CSV with dates (a real period) or hours (a typical
//!   year), or EPW (a typical year); `weather/csv.rs`, `weather/epw.rs`. Values are linear between. A real period holds
//!   its first and last value for a step more, one of 300 days or more for a day, so that a calendar year in UTC covers
//!   the local one. A typical year has 365 days and stands for every year by month, day and hour; 29 February is its 28
//!   February again.
//! * **A climate** is made up of two waves around a mean, over the year and over the day:
//!
//! ```text
//! T(t) = mean - yearly cos(2 pi (d - coldest) / D) + daily cos(2 pi (h - warmest) / 24)
//!        d = days since the year began, D = days of the year, h = hour of the day, local
//! ```
//!
//! Rain is that of the file, or made up by a climate that says how much falls in a year: each day is wet or dry on its own,
//! drawn by its date; a wet day has one shower of four hours that begins at any time of the day and whose depth
//! is exponential, as in the generators after C. Richardson (Water Resour. Res. 17, 1981), but without their memory from day to
//! day. Its mean over many years is what was asked for.
//!
//! Neither file nor climate: no weather, and nothing that depends on it. Ignored: wind, humidity, snow,
//! differences within a city. Contract: pure functions of time, so that threads and order do not matter; values in
//! range are finite.

mod csv;
mod epw;

use bevy_ecs::resource::Resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use urbis_core::calendar::{Date, year_days};
use urbis_core::rng::Rng;
use urbis_core::{Error, Problem, Problems, Result};

pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
/// Files at least so long hold their ends for a day, milliseconds.
const HOLD_FROM_MS: i64 = 300 * DAY_MS;
/// Longest step of a file, milliseconds.
const STEP_MS_MAX: i64 = 3 * HOUR_MS;
/// Largest file, bytes; a larger one is something else that was named by mistake.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// Air temperatures that are believed, degrees Celsius: beyond the records of -89.2 and 56.7 (WMO).
const AIR_TEMP_C: std::ops::RangeInclusive<f64> = -95.0..=65.0;
/// Global horizontal irradiance that is believed, W/m2; broken clouds lift it over the clear sky's for minutes.
const GHI_W_PER_M2: std::ops::RangeInclusive<f64> = 0.0..=1800.0;

/// Rain that is believed, mm/h: the record of an hour is 305 mm (Holt, Missouri, 1947), of minutes some ten times that rate.
const RAIN_MM_PER_H: std::ops::RangeInclusive<f64> = 0.0..=3000.0;
/// Length of a made-up shower, hours.
const SHOWER_H: f64 = 4.0;
/// Purpose of the draws of showers.
const SHOWERS: u32 = 0x5241_494e;

/// Weather; neither `file` nor `climate` means none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WeatherSettings {
    /// File with weather, relative to the file in which this is written: EPW (`.epw`), or CSV with the columns
    /// `time,air_temp_c[,ghi_w_per_m2][,rain_mm_per_h]`, whose times are dates such as `2024-01-01T00:00:00Z` or hours from 1 January.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub file: Option<PathBuf>,
    /// A made-up climate instead of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub climate: Option<ClimateSettings>,
}

/// A made-up climate: a wave over the year and one over the day. It is no weather of any place: there are no cold
/// spells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClimateSettings {
    /// Mean air temperature of the year, degrees Celsius.
    pub mean_c: f64,
    /// Half the difference of the warmest and the coldest day, kelvin.
    pub yearly_amplitude_k: f64,
    /// Day of the year that is coldest, 1 January 1.
    #[schemars(range(min = 1, max = 366))]
    pub coldest_day: u16,
    /// Half the difference of the warmest and the coldest hour of a day, kelvin.
    pub daily_amplitude_k: f64,
    /// Local hour of the day that is warmest.
    pub warmest_h: f64,
    /// Share of the sky under clouds, from 0 to 1, at all times.
    pub cloud_share: f64,
    /// Rain of a mean year, mm; none where 0.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0, max = 20_000.0))]
    pub rain_mm_per_year: f64,
    /// Days of a mean year on which it rains.
    #[serde(skip_serializing_if = "is_usual_days")]
    #[schemars(range(min = 1.0, max = 365.0))]
    pub wet_days_per_year: f64,
}

/// Roughly Central Europe's days with a millimetre or more (estimate).
const USUAL_WET_DAYS: f64 = 120.0;

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(value: &f64) -> bool {
    value.abs() <= 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_usual_days(days: &f64) -> bool {
    (days - USUAL_WET_DAYS).abs() <= 0.0
}

impl Default for ClimateSettings {
    /// Roughly Central Europe (estimate).
    fn default() -> Self {
        Self {
            mean_c: 10.0,
            yearly_amplitude_k: 10.0,
            coldest_day: 20,
            daily_amplitude_k: 4.0,
            warmest_h: 15.0,
            cloud_share: 0.65,
            rain_mm_per_year: 0.0,
            wet_days_per_year: USUAL_WET_DAYS,
        }
    }
}

impl WeatherSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        if self.file.is_some() && self.climate.is_some() {
            tell("climate", "stands beside a file, expected one of the two".to_owned());
        }
        let Some(climate) = &self.climate else { return };
        let mut in_range = |key: &str, value: f64, from: f64, to: f64| {
            if !(from..=to).contains(&value) {
                tell(&format!("climate.{key}"), format!("= {value}, expected {from} to {to}"));
            }
        };
        in_range("mean_c", climate.mean_c, -50.0, 40.0);
        in_range("yearly_amplitude_k", climate.yearly_amplitude_k, 0.0, 40.0);
        in_range("coldest_day", f64::from(climate.coldest_day), 1.0, 366.0);
        in_range("daily_amplitude_k", climate.daily_amplitude_k, 0.0, 30.0);
        in_range("warmest_h", climate.warmest_h, 0.0, 24.0);
        in_range("cloud_share", climate.cloud_share, 0.0, 1.0);
        in_range("rain_mm_per_year", climate.rain_mm_per_year, 0.0, 20_000.0);
        in_range("wet_days_per_year", climate.wet_days_per_year, 1.0, 365.0);
    }
    /// Whether nothing is said.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        *self == Self::default()
    }
}

/// Weather of a run.
#[derive(Clone, Debug, Default, Resource)]
pub struct Weather {
    source: Source,
    /// Times in which it is warmer than the source says: from, to, by how much.
    warmer: Vec<(i64, i64, f64)>,
}

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    None,
    Climate(ClimateSettings, i64),
    Series(Series),
}

/// Values at even steps. A column that the file has not is empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    /// Unix time of the first value, milliseconds; of a typical year, time since its start.
    pub(crate) first_ms: i64,
    pub(crate) step_ms: i64,
    /// Of a typical year: its clock minus UTC, milliseconds. Its values are a whole year of 365 days.
    pub(crate) typical_offset_ms: Option<i64>,
    pub(crate) air_temp_c: Vec<f64>,
    pub(crate) ghi_w_per_m2: Vec<f64>,
    pub(crate) cloud_share: Vec<f64>,
    /// Rain from each time to the next.
    pub(crate) rain_mm_per_h: Vec<f64>,
    /// By how much the middle of what `ghi_w_per_m2` stands for lies before its time, milliseconds.
    pub(crate) ghi_lag_ms: i64,
}

impl Series {
    /// Value of a column that holds from each time to the next.
    fn held(&self, column: &[f64], utc_ms: i64) -> Option<f64> {
        let local_ms = utc_ms + self.typical_offset_ms.unwrap_or(0);
        let since_ms = (local_ms - self.first_ms).rem_euclid(self.step_ms);
        self.at(column, utc_ms - since_ms)
    }
    /// Value of a column at a time.
    fn at(&self, column: &[f64], utc_ms: i64) -> Option<f64> {
        let Some(offset_ms) = self.typical_offset_ms else {
            let span_ms = self.step_ms * (column.len() as i64 - 1);
            let hold_ms = if span_ms >= HOLD_FROM_MS { DAY_MS } else { self.step_ms };
            let since_ms = utc_ms - self.first_ms;
            if !(-hold_ms..=span_ms + hold_ms).contains(&since_ms) {
                return None;
            }
            let (row, part) = self.step(since_ms.clamp(0, span_ms.max(0)));
            let (row, next) = (usize::try_from(row).ok()?, usize::from(part > 0.0));
            return Some(between(*column.get(row)?, *column.get(row + next)?, part));
        };
        // The next value is that of the next time, for years that have a day more.
        let local_ms = utc_ms + offset_ms - self.first_ms;
        let (step, part) = self.step(local_ms);
        let of = |step: i64| {
            let ms = step * self.step_ms;
            let date = Date::from_days(ms.div_euclid(DAY_MS));
            let day = i64::from(
                Date { year: 2023, day: date.day.min(if date.month == 2 { 28 } else { 31 }), ..date }.day_of_year(),
            );
            column.get(((day * DAY_MS + ms.rem_euclid(DAY_MS)) / self.step_ms) as usize).copied()
        };
        Some(between(of(step)?, of(step + 1)?, part))
    }
    /// Whole steps in a span, and what is left as a share of one.
    fn step(&self, span_ms: i64) -> (i64, f64) {
        (span_ms.div_euclid(self.step_ms), span_ms.rem_euclid(self.step_ms) as f64 / self.step_ms as f64)
    }
}

fn between(before: f64, after: f64, part: f64) -> f64 {
    before * (1.0 - part) + after * part
}

impl Weather {
    /// Weather of settings whose file can be opened as it is named. Local time minus UTC, in seconds, is the one of the
    /// run; only a climate asks for it.
    ///
    /// # Errors
    /// Settings that cannot be; a file that cannot be read or has gaps, values that are no numbers, or steps that
    /// differ.
    pub fn new(settings: &WeatherSettings, local_offset_s: i32) -> Result<Self> {
        let mut problems = Problems::new();
        settings.check(&mut |key, what| problems.push(Problem::file(Path::new("weather"), format!("{key} {what}"))));
        problems.or_else(())?;
        let source = match (&settings.file, &settings.climate) {
            (Some(path), _) => Source::Series(read(path)?),
            (None, Some(climate)) => Source::Climate(climate.clone(), i64::from(local_offset_s) * 1000),
            (None, None) => Source::None,
        };
        Ok(Self { source, warmer: Vec::new() })
    }
    /// Whether there is any.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self.source, Source::None)
    }
    /// Air temperature at a Unix time in milliseconds, degrees Celsius; nothing without weather or out of the file's
    /// period.
    #[must_use]
    pub fn air_temp_c(&self, utc_ms: i64) -> Option<f64> {
        let usual_c = match &self.source {
            Source::None => None,
            Source::Climate(climate, offset_ms) => Some(climate.air_temp_c(utc_ms + offset_ms)),
            Source::Series(series) => series.at(&series.air_temp_c, utc_ms),
        }?;
        let holds = self.warmer.iter().filter(|(from, to, _)| (*from..*to).contains(&utc_ms));
        Some(usual_c + holds.map(|of| of.2).sum::<f64>())
    }
    /// The weather as its source says, without what [`Self::warm`] did: what is usual.
    #[must_use]
    pub fn usual(&self) -> Self {
        Self { source: self.source.clone(), warmer: Vec::new() }
    }
    /// Makes it warmer by so much, kelvin, from one Unix time in milliseconds to another: a heat wave, or a cold snap where
    /// negative.
    pub fn warm(&mut self, from_utc_ms: i64, to_utc_ms: i64, by_k: f64) {
        self.warmer.push((from_utc_ms, to_utc_ms, by_k));
    }
    /// Global horizontal irradiance at a Unix time in milliseconds, W/m2; nothing where the file has none, or from a
    /// climate.
    #[must_use]
    pub fn ghi_w_per_m2(&self, utc_ms: i64) -> Option<f64> {
        match &self.source {
            Source::Series(series) => series.at(&series.ghi_w_per_m2, utc_ms + series.ghi_lag_ms),
            _ => None,
        }
    }
    /// Share of the sky under clouds at a Unix time in milliseconds, 0 to 1; nothing where the file has none.
    #[must_use]
    pub fn cloud_share(&self, utc_ms: i64) -> Option<f64> {
        match &self.source {
            Source::None => None,
            Source::Climate(climate, _) => Some(climate.cloud_share),
            Source::Series(series) => series.at(&series.cloud_share, utc_ms),
        }
    }
    /// Rain at a Unix time in milliseconds, mm/h; nothing where neither file nor climate has any.
    #[must_use]
    pub fn rain_mm_per_h(&self, utc_ms: i64) -> Option<f64> {
        match &self.source {
            Source::Climate(climate, offset_ms) if climate.rain_mm_per_year > 0.0 => {
                Some(climate.rain_mm_per_h(utc_ms + offset_ms))
            }
            Source::Series(series) => series.held(&series.rain_mm_per_h, utc_ms),
            _ => None,
        }
    }
    /// Whether there is rain in it, or could be.
    #[must_use]
    pub fn has_rain(&self) -> bool {
        match &self.source {
            Source::None => false,
            Source::Climate(climate, _) => climate.rain_mm_per_year > 0.0,
            Source::Series(series) => !series.rain_mm_per_h.is_empty(),
        }
    }
    /// Whether the air temperature is known at every time between two Unix times in milliseconds.
    #[must_use]
    pub fn covers(&self, from_utc_ms: i64, to_utc_ms: i64) -> bool {
        self.air_temp_c(from_utc_ms).is_some() && self.air_temp_c(to_utc_ms).is_some()
    }
}

impl ClimateSettings {
    fn rain_mm_per_h(&self, local_ms: i64) -> f64 {
        let day = local_ms.div_euclid(DAY_MS);
        // A shower may go on after midnight.
        [day - 1, day]
            .into_iter()
            .map(|day| {
                let mut draw = Rng::new(0, day as u32, 0, SHOWERS);
                let (is_wet, begins, depth) = (draw.uniform(), draw.uniform(), draw.uniform());
                let since_h = (local_ms - day * DAY_MS) as f64 / HOUR_MS as f64 - 24.0 * begins;
                if is_wet * 365.25 >= self.wet_days_per_year || !(0.0..SHOWER_H).contains(&since_h) {
                    return 0.0;
                }
                -(1.0 - depth).ln() * self.rain_mm_per_year / self.wet_days_per_year / SHOWER_H
            })
            .sum()
    }
    fn air_temp_c(&self, local_ms: i64) -> f64 {
        let turn = std::f64::consts::TAU;
        let date = Date::from_days(local_ms.div_euclid(DAY_MS));
        let of_day = local_ms.rem_euclid(DAY_MS) as f64 / DAY_MS as f64;
        let of_year = f64::from(date.day_of_year()) + of_day;
        // The middle of the coldest day is coldest.
        let yearly = (turn * (of_year - f64::from(self.coldest_day) + 0.5) / f64::from(year_days(date.year))).cos();
        let daily = (turn * (of_day - self.warmest_h / 24.0)).cos();
        self.mean_c - self.yearly_amplitude_k * yearly + self.daily_amplitude_k * daily
    }
}

/// A file by its ending.
fn read(path: &Path) -> Result<Series> {
    let metadata = std::fs::metadata(path).map_err(|source| Error::read(path, source))?;
    if metadata.len() > FILE_BYTES_MAX {
        let what = format!("{} bytes, expected weather of at most {FILE_BYTES_MAX}", metadata.len());
        return Err(Problem::file(path, what).into());
    }
    let bytes = std::fs::read(path).map_err(|source| Error::read(path, source))?;
    // Names of places in EPW files are not always UTF-8; no number depends on them.
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    match path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("epw")) {
        true => epw::parse(path, text),
        false => csv::parse(path, text),
    }
}

/// A column of a file while it is read.
struct Column<'a> {
    path: &'a Path,
    field: &'static str,
    range: std::ops::RangeInclusive<f64>,
    values: Vec<f64>,
}

impl<'a> Column<'a> {
    fn new(path: &'a Path, field: &'static str, range: std::ops::RangeInclusive<f64>) -> Self {
        Self { path, field, range, values: Vec::new() }
    }
    /// Keeps the number of a row, or tells that it is none that is believed.
    fn read(&mut self, row: usize, text: &str, problems: &mut Problems) {
        match text.parse::<f64>().ok().filter(|value| self.range.contains(value)) {
            Some(value) => self.values.push(value),
            None => {
                let expected = format!("a number from {} to {}", self.range.start(), self.range.end());
                problems.push(Problem::value(self.path, row, None, self.field, format!("`{text}`"), expected));
            }
        }
    }
}

#[cfg(test)]
#[path = "weather/tests.rs"]
mod tests;
