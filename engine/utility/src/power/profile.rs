//! Standard load profiles: how a kind of customer draws power through a year, quarter hour by quarter hour.
//!
//! A profile has 96 powers for each kind of day (workday, Saturday, Sunday and holidays) and season or month. Those of
//! households (`h0`, `h25`, `p25`, `s25`) are smoothed over the year by
//!
//! ```text
//! F(d) = -3.92e-10 d^4 + 3.2e-7 d^3 - 7.02e-5 d^2 + 2.1e-3 d + 1.24          d = day of the year, 1 to 366
//! ```
//!
//! The year is scaled so that its energy is the one stated.
//!
//! Sources: VDEW and BTU Cottbus, Repraesentative VDEW-Lastprofile (1999); BDEW, standard load profiles (2025); numbers in
//! `assets/power/load_profiles.csv`. Ignored: 24 and 31 December, which some grids take for Saturdays, and the change of
//! clocks: the year is one of local winter time. Contract: a pure function of profile, year and holidays.

use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::calendar::{Date, month_days, year_days};
use urbis_core::{Problem, Result};

const SHIPPED: &str = include_str!("../../../../assets/power/load_profiles.csv");
const FILE: &str = "assets/power/load_profiles.csv";
/// Quarter hours of a day.
pub const QUARTERS: usize = 96;
/// Profiles that are smoothed over the year.
const SMOOTHED: [&str; 4] = ["h0", "h25", "p25", "s25"];
/// Seasons, as numbers beyond the months.
const WINTER: u8 = 13;
const TRANSITION: u8 = 14;
const SUMMER: u8 = 15;

/// Kind of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Day {
    Workday,
    Saturday,
    Sunday,
}

/// The profiles: by row of `names`, month (1 to 12, or 13 to 15 for seasons) and kind of day the powers of its quarter
/// hours.
#[derive(Clone, Debug)]
pub struct LoadProfiles {
    days: BTreeMap<(usize, u8, Day), [f64; QUARTERS]>,
    names: Vec<String>,
}

/// A day of a calendar: month, day, both from 1.
pub type MonthDay = (u8, u8);

/// The date so many days after 1 January; within the year.
#[must_use]
pub fn day_of_year(year: i32, days: usize) -> MonthDay {
    let date = Date::from_days(Date { year, month: 1, day: 1 }.days() + days as i64);
    if date.year == year { (date.month, date.day) } else { (12, 31) }
}

/// Easter Sunday of a year of the Gregorian calendar (J. Meeus, Astronomical Algorithms, chapter 8).
fn easter(year: i32) -> MonthDay {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let of = h + l - 7 * m + 114;
    ((of / 31) as u8, (of % 31 + 1) as u8)
}

/// Public holidays of the whole of Germany in a year.
#[must_use]
pub fn holidays_of_germany(year: i32) -> Vec<MonthDay> {
    let lengths = month_days(year);
    let (month, day) = easter(year);
    let of_year = |month: u8, day: u8| {
        lengths[..usize::from(month - 1)].iter().map(|&days| i32::from(days)).sum::<i32>() + i32::from(day)
    };
    let sunday = of_year(month, day);
    let moving = [-2, 1, 39, 50].map(|days| day_of_year(year, (sunday + days - 1) as usize));
    [&[(1, 1), (5, 1), (10, 3), (12, 25), (12, 26)][..], &moving].concat()
}

/// Season of a day, as the profiles of 1999 count.
fn season((month, day): MonthDay) -> u8 {
    match (month, day) {
        (11 | 12 | 1 | 2, _) | (3, ..=20) => WINTER,
        (6..=8, _) | (5, 15..) | (9, ..=14) => SUMMER,
        _ => TRANSITION,
    }
}

impl LoadProfiles {
    /// Those that come with the program.
    ///
    /// # Errors
    /// Never for the file that is shipped; a test reads it.
    pub fn shipped() -> Result<Self> {
        Self::parse(Path::new(FILE), SHIPPED)
    }

    fn parse(path: &Path, text: &str) -> Result<Self> {
        let mut this = Self { days: BTreeMap::new(), names: Vec::new() };
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.is_empty());
        for (at, line) in lines.skip(1) {
            let wrong = |what: String| Problem::file(path, format!("line {}: {what}", at + 1));
            let fields: Vec<&str> = line.split(',').collect();
            let [name, period, day, powers @ ..] = fields.as_slice() else {
                return Err(wrong("expected profile, period, day and powers".to_owned()).into());
            };
            let day = match *day {
                "workday" => Day::Workday,
                "saturday" => Day::Saturday,
                "sunday" => Day::Sunday,
                other => return Err(wrong(format!("day is `{other}`, expected workday, saturday or sunday")).into()),
            };
            // Seasons stand beside months as numbers beyond them.
            let period = match *period {
                "winter" => WINTER,
                "transition" => TRANSITION,
                "summer" => SUMMER,
                other => match other.parse::<u8>() {
                    Ok(month @ 1..=12) => month,
                    _ => return Err(wrong(format!("period `{other}` is no season and no month")).into()),
                },
            };
            let numbers: Vec<f64> = powers.iter().filter_map(|text| text.parse().ok()).collect();
            let powers =
                <[f64; QUARTERS]>::try_from(numbers).ok().filter(|powers| powers.iter().all(|p| p.is_finite()));
            let Some(powers) = powers else {
                return Err(wrong(format!("expected {QUARTERS} numbers behind the day")).into());
            };
            if this.names.last().is_none_or(|last| last != name) {
                this.names.push((*name).to_owned());
            }
            this.days.insert((this.names.len() - 1, period, day), powers);
        }
        Ok(this)
    }

    /// Names of the profiles.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Row of a profile in [`LoadProfiles::names`].
    #[must_use]
    pub fn row(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// Powers of the quarter hours of a day before a year is scaled, and the factor of the smoothing that they still lack.
    /// A day off counts as a Sunday. Nothing for a row or a season that the table has not.
    #[must_use]
    pub fn day(&self, row: usize, date: Date, is_off: bool) -> Option<(&[f64; QUARTERS], f64)> {
        let kind = match date.weekday() {
            6 => Day::Sunday,
            _ if is_off => Day::Sunday,
            5 => Day::Saturday,
            _ => Day::Workday,
        };
        let of = |period: u8| self.days.get(&(row, period, kind));
        let powers = of(date.month).or_else(|| of(season((date.month, date.day))))?;
        let d = f64::from(date.day_of_year()) + 1.0;
        let smooth = match SMOOTHED.contains(&self.names[row].as_str()) {
            true => (((-3.92e-10 * d + 3.2e-7) * d - 7.02e-5) * d + 2.1e-3) * d + 1.24,
            false => 1.0,
        };
        Some((powers, smooth))
    }

    /// Power of each quarter hour of a year, watts, for a customer of `energy_kwh` in that year; holidays count as Sundays.
    /// Shape: days x 96. Nothing for a name that is none.
    #[must_use]
    pub fn year(&self, name: &str, year: i32, energy_kwh: f64, holidays: &[MonthDay]) -> Option<Vec<f64>> {
        let row = self.row(name)?;
        let mut powers = Vec::with_capacity(366 * QUARTERS);
        let first = Date { year, month: 1, day: 1 }.days();
        for days in 0..i64::from(year_days(year)) {
            let date = Date::from_days(first + days);
            let (of_day, smooth) = self.day(row, date, holidays.contains(&(date.month, date.day)))?;
            powers.extend(of_day.iter().map(|power| power * smooth));
        }
        let energy: f64 = powers.iter().sum::<f64>() * 0.25;
        let scale = energy_kwh * 1000.0 / energy;
        powers.iter_mut().for_each(|power| *power *= scale);
        Some(powers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_has_the_energy_stated() {
        let profiles = LoadProfiles::shipped().unwrap();
        assert_eq!(profiles.names().len(), 16);
        for name in profiles.names() {
            for (year, days) in [(2023, 365), (2024, 366)] {
                let powers = profiles.year(name, year, 3500.0, &holidays_of_germany(year)).unwrap();
                assert_eq!(powers.len(), days * QUARTERS);
                let kwh = powers.iter().sum::<f64>() * 0.25 / 1000.0;
                assert!((kwh - 3500.0).abs() <= 1e-9 * 3500.0, "{name} {year}: {kwh}");
                assert!(powers.iter().all(|&power| power >= 0.0), "{name}");
            }
        }
        assert!(profiles.year("h1", 2023, 1.0, &[]).is_none());
    }

    #[test]
    fn calendars_are_right() {
        assert_eq!(
            [0, 58, 59, 364, 365].map(|days| day_of_year(2023, days)),
            [(1, 1), (2, 28), (3, 1), (12, 31), (12, 31)]
        );
        assert_eq!([2000, 2023, 2024, 2038].map(easter), [(4, 23), (4, 9), (3, 31), (4, 25)]);
        let holidays = holidays_of_germany(2023);
        for day in [(4, 7), (4, 10), (5, 18), (5, 29), (10, 3)] {
            assert!(holidays.contains(&day), "{day:?}");
        }
        assert_eq!(holidays.len(), 9);
        assert_eq!(
            [(3, 20), (3, 21), (5, 14), (5, 15), (9, 14), (9, 15), (10, 31), (11, 1)].map(season),
            [WINTER, TRANSITION, TRANSITION, SUMMER, SUMMER, TRANSITION, TRANSITION, WINTER]
        );
    }

    #[test]
    fn quarter_hours_are_those_of_the_tables() {
        let profiles = LoadProfiles::shipped().unwrap();
        // Sunday, 1 January 2023, from midnight: demandlib 0.2.2 without holidays, kW for 1,000 kWh a year.
        let found = |name: &str| profiles.year(name, 2023, 1000.0, &[]).unwrap()[0] / 1000.0;
        for (name, kw) in [("g0", 0.062_104_433), ("g4", 0.056_673_578), ("l0", 0.068_324_833)] {
            assert!((found(name) - kw).abs() < 5e-9, "{name}: {} {kw}", found(name));
        }
        // Winter is above summer in households, and more so by the smoothing.
        let h0 = profiles.year("h0", 2023, 1000.0, &[]).unwrap();
        let day = |number: usize| h0[number * QUARTERS..(number + 1) * QUARTERS].iter().sum::<f64>();
        assert!(day(17) > 1.25 * day(199), "{} {}", day(17), day(199));
    }

    #[test]
    fn spoilt_tables_are_refused() {
        let parse = |text: &str| format!("{:?}", LoadProfiles::parse(Path::new("x.csv"), text).unwrap_err());
        let powers = vec!["1"; QUARTERS].join(",");
        assert!(parse(&format!("profile,period,day\na,winter,friday,{powers}\n")).contains("line 2"));
        assert!(parse("profile,period,day\na,winter,sunday,1,2\n").contains("expected 96"));
        assert!(parse(&format!("profile,period,day\na,spring,sunday,{powers}\n")).contains("spring"));
    }
}
