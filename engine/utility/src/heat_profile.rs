//! Standard load profiles of gas and heat: how a kind of customer draws heat through a year, hour by hour, as the air
//! outside is cold or warm.
//!
//! ```text
//! Q(day, hour) = K F(weekday) h(T) S(hour, band of T)
//! h(T)         = a / (1 + (b / (T - 40))^c) + d + max(mh T + bh, mw T + bw)          T < 40 C
//! T            = (T_day + T_1 / 2 + T_2 / 4 + T_3 / 8) / 1.875                       T_i: mean of i days before
//! ```
//!
//! `d + mw T + bw` is hot water, the rest heat for rooms. `K` brings the year to the energy stated. Curves without lines
//! ("sigmoid") have 0 for `mh` to `bw`; those with lines are called SigLinDe. A day off counts as a Sunday.
//!
//! Source: BDEW, VKU, GEODE, Leitfaden Abwicklung von Standardlastprofilen Gas; M. Hellwig, Entwicklung und Anwendung
//! parametrisierter Standard-Lastprofile, TU München 2003; numbers and where they are from in `assets/heat/README.md`.
//!
//! Ignored: days between holidays, 24 and 31 December, the change of clocks (the year is one of local winter time),
//! efficiency of boilers (energy is what the profile's customer is billed for), single customers' behaviour: a profile is
//! the mean of many. The shares of the hours of some profiles add up to 1 within 0.0014 only, as the source rounds them;
//! they are used as they are, and the year is exact.
//!
//! Contract: pure functions of table, profile, year, temperatures and holidays; no threads.

use crate::power::profile::MonthDay;
use crate::weather::Weather;
use std::path::Path;
use urbis_core::calendar::{Date, year_days};
use urbis_core::{Problem, Problems, Result};

mod estimate;
mod settings;
mod tables;

pub use estimate::{HeatEstimate, HeatEstimateSettings, HotWaterDemand, estimate_heat};
pub use settings::{HeatProfileSettings, ProfilesByUse};
pub use tables::HeatProfiles;

/// Hours of a day.
pub const HOURS: usize = 24;
const DAY_MS: i64 = 86_400_000;
/// Weights of the day and the three before it, over their sum.
const WEIGHTS: [f64; 4] = [1.0 / 1.875, 0.5 / 1.875, 0.25 / 1.875, 0.125 / 1.875];
/// Temperature at which the sigmoid has nothing left to heat, degrees Celsius.
const POLE_C: f64 = 40.0;
/// Temperatures that are believed, degrees Celsius, as those of weather files.
const TEMP_C: std::ops::RangeInclusive<f64> = -95.0..=65.0;

/// Which curve of a profile: the source's "Ausprägung".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// 03: sigmoid, ordinary sites.
    #[default]
    Calm,
    /// 04: sigmoid, windy sites, more heat in the cold.
    Windy,
    /// 33: SigLinDe, 45 % of the space heat by lines.
    LinearCalm,
    /// 34: SigLinDe, 57 % of the space heat by lines.
    LinearWindy,
}

impl Variant {
    /// All, in the order of the source.
    pub const ALL: [Self; 4] = [Self::Calm, Self::Windy, Self::LinearCalm, Self::LinearWindy];
    /// Number in the source and in files.
    #[must_use]
    pub fn number(self) -> &'static str {
        ["03", "04", "33", "34"][self as usize]
    }
}

/// Which heat is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeatPart {
    /// Rooms and hot water.
    #[default]
    Whole,
    /// Hot water alone.
    HotWater,
    /// Rooms alone.
    Rooms,
}

/// Numbers of `h(T)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// Height of the sigmoid.
    pub a: f64,
    /// Its place, K; below 0.
    pub b: f64,
    /// Its steepness.
    pub c: f64,
    /// What does not depend on temperature.
    pub d: f64,
    /// Line of space heat: slope (1/K) and value at 0 C.
    pub heating_line: [f64; 2],
    /// Line of hot water: slope (1/K) and value at 0 C.
    pub water_line: [f64; 2],
}

impl Curve {
    /// Daily demand at a weighted temperature, degrees Celsius, over that at 8 C; 0 or more. Whole = hot water + rooms.
    #[must_use]
    pub fn daily(&self, temp_c: f64, part: HeatPart) -> f64 {
        let line = |[slope, at_zero]: [f64; 2]| slope * temp_c + at_zero;
        let water = (self.d + line(self.water_line)).max(0.0);
        let sigmoid = if temp_c < POLE_C { self.a / (1.0 + (self.b / (temp_c - POLE_C)).powf(self.c)) } else { 0.0 };
        let rooms = sigmoid + (line(self.heating_line) - line(self.water_line)).max(0.0);
        match part {
            HeatPart::Whole => water + rooms,
            HeatPart::HotWater => water,
            HeatPart::Rooms => rooms,
        }
    }
}

/// Row of the band of temperature whose shares of hours hold: 0 up to -15 C, then 5 K each, 9 above 25 C.
#[must_use]
pub fn band(temp_c: f64) -> usize {
    // The source's bands are of whole degrees, rounded up.
    ((temp_c.ceil() + 15.0) / 5.0).ceil().clamp(0.0, 9.0) as usize
}

/// Weighted temperature of each day, degrees Celsius, of the means of the days of a year. `before_c` are the means of the
/// last, second and third day before the year; where absent, those of the year's own last days, so that it is whole in
/// itself.
#[must_use]
pub fn weighted_temp_c(day_mean_c: &[f64], before_c: Option<[f64; 3]>) -> Vec<f64> {
    let days = day_mean_c.len();
    let before = |day: usize, back: usize| match (day >= back, before_c) {
        (true, _) => day_mean_c[day - back],
        (false, Some(before_c)) => before_c[back - day - 1],
        (false, None) => day_mean_c[(day + days * 3 - back) % days],
    };
    (0..days).map(|day| (0..4).map(|back| WEIGHTS[back] * before(day, back)).sum()).collect()
}

/// Mean air temperature of each day of a local calendar year, and of the last, second and third day before it where they
/// are known, degrees Celsius; nothing where the weather does not tell the whole year. A day's mean is that of its 24 hours.
#[must_use]
pub fn day_means_c(weather: &Weather, year: i32, local_offset_s: i32) -> Option<(Vec<f64>, Option<[f64; 3]>)> {
    let first = Date { year, month: 1, day: 1 }.days();
    let mean_c = |day: i64| -> Option<f64> {
        let start_utc_ms = day * DAY_MS - i64::from(local_offset_s) * 1000;
        let sum: Option<f64> = (0..24).map(|hour| weather.air_temp_c(start_utc_ms + hour * 3_600_000)).sum();
        sum.map(|sum| sum / HOURS as f64)
    };
    let days: Option<Vec<f64>> = (first..first + i64::from(year_days(year))).map(mean_c).collect();
    let before = || Some([mean_c(first - 1)?, mean_c(first - 2)?, mean_c(first - 3)?]);
    Some((days?, before()))
}

/// A year of a customer.
#[derive(Clone, Copy, Debug)]
pub struct HeatYear<'a> {
    /// Row of the profile in [`HeatProfiles::names`].
    pub row: usize,
    /// Which of its curves.
    pub variant: Variant,
    /// Which heat.
    pub part: HeatPart,
    /// Year of the calendar.
    pub year: i32,
    /// Days off, which count as Sundays.
    pub holidays: &'a [MonthDay],
    /// Mean air temperature of each day of the year, degrees Celsius.
    pub day_mean_c: &'a [f64],
    /// Means of the last, second and third day before the year, where known.
    pub before_c: Option<[f64; 3]>,
}

impl HeatProfiles {
    /// Demand of a day, `F h(T)`, and the shares of its hours, not scaled to any energy. `temp_c` is the day's weighted
    /// temperature. Nothing for a row or a variant that the tables have not.
    #[must_use]
    pub fn day(
        &self,
        row: usize,
        variant: Variant,
        part: HeatPart,
        date: Date,
        is_off: bool,
        temp_c: f64,
    ) -> Option<(f64, &[f64; HOURS])> {
        let weekday = if is_off { 6 } else { usize::from(date.weekday()) };
        let demand = self.weekday_factor(row, weekday)? * self.curve(row, variant)?.daily(temp_c, part);
        Some((demand, self.hour_shares(row, weekday, band(temp_c))?))
    }

    /// Heat of each hour of a year, watts, for a customer of `energy_kwh` of that part in that year. Shape: days x 24.
    ///
    /// # Errors
    /// A row or variant that the tables have not; an energy below 0; other than one temperature for each day, or some
    /// that are not believed; a year in which that part has no demand to spread the energy over.
    pub fn year(&self, of: &HeatYear<'_>, energy_kwh: f64) -> Result<Vec<f64>> {
        self.year_beside(of, of, energy_kwh)
    }

    /// Heat of each hour of a year, watts, for a customer who would need `energy_kwh` in the usual weather.
    ///
    /// # Errors
    /// As [`HeatProfiles::year`].
    pub fn year_beside(&self, usual: &HeatYear<'_>, of: &HeatYear<'_>, energy_kwh: f64) -> Result<Vec<f64>> {
        let mut problems = Problems::new();
        if !(energy_kwh >= 0.0 && energy_kwh.is_finite()) {
            problems.push(wrong(format!("energy_kwh = {energy_kwh}, expected 0 or more")));
        }
        if !std::ptr::eq(usual, of) {
            self.check(usual, &mut problems);
        }
        self.check(of, &mut problems);
        problems.or_else(())?;
        let mut powers = self.unscaled(of);
        let sum: f64 = self.unscaled(usual).iter().sum();
        if energy_kwh > 0.0 && sum <= 0.0 {
            let what = format!("year {}: no demand of {:?} at these temperatures, expected some", of.year, of.part);
            return Err(wrong(what).into());
        }
        let scale = if energy_kwh > 0.0 { energy_kwh * 1000.0 / sum } else { 0.0 };
        powers.iter_mut().for_each(|power| *power *= scale);
        Ok(powers)
    }

    /// Share of hot water in the whole heat of a year, 0 to 1.
    ///
    /// # Errors
    /// As [`HeatProfiles::year`].
    pub fn hot_water_share(&self, of: &HeatYear<'_>) -> Result<f64> {
        let mut problems = Problems::new();
        self.check(of, &mut problems);
        problems.or_else(())?;
        let sum = |part: HeatPart| self.unscaled(&HeatYear { part, ..*of }).iter().sum::<f64>();
        let whole = sum(HeatPart::Whole);
        if whole <= 0.0 {
            return Err(wrong(format!("year {}: no demand at these temperatures, expected some", of.year)).into());
        }
        Ok(sum(HeatPart::HotWater) / whole)
    }

    /// Demands of the hours of a year that was checked.
    fn unscaled(&self, of: &HeatYear<'_>) -> Vec<f64> {
        let first = Date { year: of.year, month: 1, day: 1 }.days();
        let mut powers = Vec::with_capacity(of.day_mean_c.len() * HOURS);
        for (day, temp_c) in (first..).zip(weighted_temp_c(of.day_mean_c, of.before_c)) {
            let date = Date::from_days(day);
            let is_off = of.holidays.contains(&(date.month, date.day));
            if let Some((demand, shares)) = self.day(of.row, of.variant, of.part, date, is_off, temp_c) {
                powers.extend(shares.iter().map(|share| demand * share));
            }
        }
        powers
    }

    fn check(&self, of: &HeatYear<'_>, problems: &mut Problems) {
        match self.names().get(of.row) {
            None => problems.push(wrong(format!("row = {}, expected below {}", of.row, self.names().len()))),
            Some(name) if self.curve(of.row, of.variant).is_none() => {
                problems.push(wrong(format!("variant = {:?}, expected one that {name} has", of.variant)));
            }
            Some(_) => {}
        }
        if !(-9998..=9998).contains(&of.year) {
            problems.push(wrong(format!("year = {}, expected -9998 to 9998", of.year)));
            return;
        }
        let days = usize::from(year_days(of.year));
        if of.day_mean_c.len() != days {
            let what = format!("day_mean_c has {} days, expected {days} of {}", of.day_mean_c.len(), of.year);
            problems.push(wrong(what));
        }
        for (day, temp_c) in of.day_mean_c.iter().enumerate().filter(|(_, temp_c)| !TEMP_C.contains(*temp_c)) {
            problems.push(wrong(format!("day_mean_c.{day} = {temp_c}, expected -95 to 65")));
        }
        for (day, temp_c) in of.before_c.iter().flatten().enumerate().filter(|(_, temp_c)| !TEMP_C.contains(*temp_c)) {
            problems.push(wrong(format!("before_c.{day} = {temp_c}, expected -95 to 65")));
        }
    }
}

fn wrong(what: String) -> Problem {
    Problem::file(Path::new("heat profile"), what)
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn bands_are_five_degrees_wide() {
        let of = [(-40.0, 0), (-15.0, 0), (-14.9, 1), (-10.0, 1), (-9.9, 2), (0.0, 3), (0.1, 4), (20.0, 7), (25.0, 8)];
        assert!(of.iter().all(|&(temp_c, wanted)| band(temp_c) == wanted));
        assert_eq!([25.1, 30.0, 50.0].map(band), [9, 9, 9]);
    }

    #[test]
    fn temperatures_remember_three_days() {
        let found = weighted_temp_c(&[15.0, 0.0, 0.0, 0.0, 0.0, 0.0], Some([0.0, 30.0, 0.0]));
        // 15 x 8/15; half, quarter and eighth of it later. 30 two days before: 30 x 2/15, then 30 x 1/15.
        for (found, wanted) in found.iter().zip([8.0 + 4.0, 4.0 + 2.0, 2.0, 1.0, 0.0, 0.0]) {
            assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
        }
        // A year whole in itself: the last day is before the first.
        let found = weighted_temp_c(&[0.0, 0.0, 0.0, 0.0, 15.0], None);
        for (found, wanted) in found.iter().zip([4.0, 2.0, 1.0, 0.0, 8.0]) {
            assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
        }
    }

    #[test]
    fn curves_by_hand() {
        // b = T - 40 makes the sigmoid a / 2.
        let curve = Curve { a: 3.0, b: -30.0, c: 6.0, d: 0.1, heating_line: [-0.05, 0.8], water_line: [-0.002, 0.1] };
        let of = |temp_c, part| curve.daily(temp_c, part);
        // At 10 C: lines 0.3 and 0.08.
        assert!((of(10.0, HeatPart::Whole) - (1.5 + 0.1 + 0.3)).abs() < 1e-12);
        assert!((of(10.0, HeatPart::HotWater) - 0.18).abs() < 1e-12);
        assert!((of(10.0, HeatPart::Rooms) - 1.72).abs() < 1e-12);
        // Nothing for rooms at the pole and beyond, where the power of the sigmoid would be none.
        for temp_c in [40.0, 45.0] {
            assert!(of(temp_c, HeatPart::Rooms).abs() < 1e-12 && of(temp_c, HeatPart::HotWater) > 0.0);
        }
        assert!(of(39.999, HeatPart::Rooms) < 1e-12);
    }
}
