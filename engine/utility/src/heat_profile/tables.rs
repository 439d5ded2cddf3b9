//! The tables of the heat profiles: curves, factors of weekdays, shares of hours.
//!
//! Three CSV files (`assets/heat`), read together and checked against each other: each profile needs a curve, each kind
//! its weekdays, each profile the hours of all seven days in all ten bands. A profile's kind is its name without the
//! digits of its building class. Contract: reading is a pure function of the texts and collects all problems.

use super::{Curve, HOURS, Variant};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

const CURVES: &str = include_str!("../../../../assets/heat/curves.csv");
const WEEKDAYS: &str = include_str!("../../../../assets/heat/weekdays.csv");
const HOUR_SHARES: &str = include_str!("../../../../assets/heat/hours.csv");
const BANDS: usize = 10;
const WEEK: usize = 7;

/// The profiles; columns by row of [`HeatProfiles::names`].
#[derive(Clone, Debug, PartialEq)]
pub struct HeatProfiles {
    names: Vec<String>,
    /// By variant.
    curves: Vec<[Option<Curve>; 4]>,
    /// Factors, Monday first.
    weekdays: Vec<[f64; WEEK]>,
    /// Shares of hours. Shape: profiles x 7 days x 10 bands.
    hours: Vec<[f64; HOURS]>,
}

/// Lines of a table behind its header, with their numbers from 1.
fn rows(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    lines.skip(1).map(|(at, line)| (at + 1, line.split(',').map(str::trim).collect()))
}

/// So many numbers in a range, or nothing.
fn numbers<const N: usize>(fields: &[&str], range: std::ops::RangeInclusive<f64>) -> Option<[f64; N]> {
    let found: Option<Vec<f64>> =
        fields.iter().map(|text| text.parse::<f64>().ok().filter(|value| range.contains(value))).collect();
    found?.try_into().ok()
}

/// Kind of a profile: its name without the class.
fn kind(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
}

impl HeatProfiles {
    /// Those that come with the program.
    ///
    /// # Errors
    /// Never for the files that are shipped; a test reads them.
    pub fn shipped() -> Result<Self> {
        Self::parse(Path::new("assets/heat"), [CURVES, WEEKDAYS, HOUR_SHARES])
    }

    /// From the texts of `curves.csv`, `weekdays.csv` and `hours.csv` of a folder.
    ///
    /// # Errors
    /// Every line that cannot be, with its number; profiles without weekdays or hours.
    pub fn parse(folder: &Path, [curves, weekdays, hours]: [&str; 3]) -> Result<Self> {
        let mut problems = Problems::new();
        let mut this = Self { names: Vec::new(), curves: Vec::new(), weekdays: Vec::new(), hours: Vec::new() };
        let mut tell = |file: &str, line: usize, what: String| {
            problems.push(Problem::file(&folder.join(file), format!("line {line}: {what}")));
        };
        for (line, fields) in rows(curves) {
            let [name, variant, numbers_of @ ..] = fields.as_slice() else {
                tell("curves.csv", line, "expected profile, variant and 8 numbers".to_owned());
                continue;
            };
            let Some(variant) = Variant::ALL.into_iter().find(|known| known.number() == *variant) else {
                tell("curves.csv", line, format!("variant = {variant}, expected 03, 04, 33 or 34"));
                continue;
            };
            let curve = numbers::<8>(numbers_of, -1000.0..=1000.0)
                .filter(|[a, b, c, d, ..]| *a >= 0.0 && *b < 0.0 && *c > 0.0 && *d >= 0.0);
            let Some([a, b, c, d, mh, bh, mw, bw]) = curve else {
                let what = "expected 8 numbers of at most 1000 with a >= 0, b < 0, c > 0, d >= 0";
                tell("curves.csv", line, format!("{name}: {what}"));
                continue;
            };
            let row = this.row(name).unwrap_or_else(|| {
                this.names.push((*name).to_owned());
                this.curves.push([None; 4]);
                this.names.len() - 1
            });
            let curve = Curve { a, b, c, d, heating_line: [mh, bh], water_line: [mw, bw] };
            if this.curves[row][variant as usize].replace(curve).is_some() {
                tell("curves.csv", line, format!("{name} {}: expected once", variant.number()));
            }
        }
        let mut of_kind: BTreeMap<&str, [f64; WEEK]> = BTreeMap::new();
        for (line, fields) in rows(weekdays) {
            match numbers::<WEEK>(&fields[1..], 0.0..=7.0) {
                None => tell("weekdays.csv", line, format!("{}: expected 7 numbers from 0 to 7", fields[0])),
                Some(factors) if of_kind.insert(fields[0], factors).is_some() => {
                    tell("weekdays.csv", line, format!("{}: expected once", fields[0]));
                }
                Some(_) => {}
            }
        }
        let mut shares: Vec<Option<[f64; HOURS]>> = vec![None; this.names.len() * WEEK * BANDS];
        for (line, fields) in rows(hours) {
            let [name, days, band, shares_of @ ..] = fields.as_slice() else {
                tell("hours.csv", line, "expected profile, days, band and 24 shares".to_owned());
                continue;
            };
            let Some(row) = this.row(name) else {
                tell("hours.csv", line, format!("profile = {name}, expected one of curves.csv"));
                continue;
            };
            let is_week = !days.is_empty() && days.bytes().all(|day| (b'1'..=b'7').contains(&day));
            let band = band.parse::<usize>().ok().filter(|band| (1..=BANDS).contains(band));
            let of_day =
                numbers::<HOURS>(shares_of, 0.0..=1.0).filter(|shares| (shares.iter().sum::<f64>() - 1.0).abs() < 0.01);
            let (true, Some(band), Some(of_day)) = (is_week, band, of_day) else {
                let what = "expected days of 1 to 7, a band from 1 to 10 and 24 shares that add up to 1 within 0.01";
                tell("hours.csv", line, format!("{name}: {what}"));
                continue;
            };
            for day in days.bytes().map(|day| usize::from(day - b'1')) {
                if shares[(row * WEEK + day) * BANDS + band - 1].replace(of_day).is_some() {
                    tell("hours.csv", line, format!("{name}, day {}, band {band}: expected once", day + 1));
                }
            }
        }
        for (row, name) in this.names.iter().enumerate() {
            match of_kind.get(kind(name)) {
                Some(factors) => this.weekdays.push(*factors),
                None => problems.push(Problem::file(
                    &folder.join("weekdays.csv"),
                    format!("kind {}: expected a line for profile {name}", kind(name)),
                )),
            }
            let of_row = &shares[row * WEEK * BANDS..(row + 1) * WEEK * BANDS];
            if let Some(missing) = of_row.iter().position(Option::is_none) {
                let what = format!("{name}: expected day {}, band {}", missing / BANDS + 1, missing % BANDS + 1);
                problems.push(Problem::file(&folder.join("hours.csv"), what));
            }
        }
        this.hours = shares.into_iter().flatten().collect();
        problems.or_else(this)
    }

    /// Names of the profiles: `efh1` to `efh11` and `mfh1` to `mfh11` of houses for one and for several families by
    /// building class (11 is the mean of Germany), and those of commerce.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
    /// Row of a profile in [`HeatProfiles::names`].
    #[must_use]
    pub fn row(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }
    /// A curve of a profile, where it has that variant.
    #[must_use]
    pub fn curve(&self, row: usize, variant: Variant) -> Option<&Curve> {
        self.curves.get(row)?[variant as usize].as_ref()
    }
    /// Factor of a day of the week, Monday 0.
    pub(super) fn weekday_factor(&self, row: usize, weekday: usize) -> Option<f64> {
        self.weekdays.get(row)?.get(weekday).copied()
    }
    /// Shares of the hours of a day of the week in a band of temperature.
    pub(super) fn hour_shares(&self, row: usize, weekday: usize, band: usize) -> Option<&[f64; HOURS]> {
        self.hours.get((row * WEEK + weekday) * BANDS + band)
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_whole() {
        let known = HeatProfiles::shipped().unwrap();
        assert_eq!(known.names().len(), 34);
        for row in 0..known.names().len() {
            // With lines every curve is 1 at 8 C but for the rounding of its numbers; sigmoids alone come near it.
            for variant in Variant::ALL {
                let Some(curve) = known.curve(row, variant) else {
                    assert!(variant as usize >= 2, "{} {variant:?}", known.names()[row]);
                    continue;
                };
                let at_8 = curve.daily(8.0, super::super::HeatPart::Whole);
                let within = if variant as usize >= 2 { 1e-6 } else { 0.25 };
                assert!((at_8 - 1.0).abs() < within, "{} {variant:?}: {at_8}", known.names()[row]);
            }
        }
        let with_lines = (0..34).filter(|&row| known.curve(row, Variant::LinearWindy).is_some()).count();
        assert_eq!(with_lines, 14);
    }

    #[test]
    fn spoilt_tables_are_refused() {
        let told = |texts: [&str; 3]| format!("{:?}", HeatProfiles::parse(Path::new("x"), texts).unwrap_err());
        let (curve, week) = ("h\na1,03,1,-30,6,0.1,0,0,0,0\n", "h\na,1,1,1,1,1,1,1\n");
        let hours = |shares: &str| {
            let line = |band: usize| format!("a1,1234567,{band}{}\n", format!(",{shares}").repeat(24));
            format!("h\n{}", (1..=10).map(line).collect::<String>())
        };
        let good = hours("0.0417");
        assert!(HeatProfiles::parse(Path::new("x"), [curve, week, &good]).is_ok());
        assert!(told(["h\na1,05,1,-30,6,0.1,0,0,0,0\n", week, &good]).contains("curves.csv: line 2: variant = 05"));
        assert!(told(["h\na1,03,1,30,6,0.1,0,0,0,0\n", week, &good]).contains("b < 0"));
        assert!(told(["h\na1,03,1,-30,6,nan,0,0,0,0\n", week, &good]).contains("8 numbers"));
        assert!(told(["h\na1\n", week, &good]).contains("line 2: expected profile"));
        assert!(told([curve, "h\nb,1,1,1,1,1,1,1\n", &good]).contains("expected a line for profile a1"));
        assert!(told([curve, "h\na,1,1\n", &good]).contains("7 numbers"));
        assert!(told([curve, week, &hours("0.1")]).contains("add up to 1"));
        assert!(told([curve, week, &good[..good.len() - 10]]).contains("hours.csv"));
        assert!(told([curve, week, &format!("{good}a1,1,1{}\n", ",0.0417".repeat(24))]).contains("expected once"));
    }
}
