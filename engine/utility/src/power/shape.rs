//! The hours that buildings keep: which standard load profile the clock's share of a use follows, and its values of a
//! day.
//!
//! | use | profile | why |
//! | --- | --- | --- |
//! | residential | `h25` | households |
//! | office, education | `g1` | commerce on workdays from 8 to 18 h |
//! | retail | `g4` | shops, closed on Sundays |
//! | hotel | `g2` | commerce with most of its use in the evening |
//! | health, industrial | `g3` | commerce that goes on day and night |
//! | civic, parking, other | `g0` | commerce in general |
//!
//! The words are those of VDEW (1999) for its kinds of customers, the choice of one for a use is ours. `g0` is no more
//! than the mean of commerce; industry has no standard profile. Values are the profile's powers over their mean of the
//! local calendar year, so that their mean over the year's quarter hours is one. Between the middles of quarter hours
//! they are linear; the day before 1 January is 31 December of the same year and the day after 31 December is 1 January
//! of it, so that a year is whole in itself.
//!
//! Contract: `DayShapes::prepare` looks a day up once; `DayShapes::at` reads two numbers. No allocation but where a
//! year begins.

use super::by_use::by_use;
use super::holidays::HolidaySettings;
use super::profile::{LoadProfiles, QUARTERS};
use std::path::Path;
use urbis_city::model::BuildingUse;
use urbis_core::calendar::{Date, year_days};
use urbis_core::{Problem, Problems, Result};

by_use! {
    /// Standard load profiles that the load by the clock follows, by use: `h0`, `h25`, `p25`, `s25` of households, `g0`
    /// to `g6` and `g25` of commerce, `l0` to `l2` and `l25` of farms (docs/power.md).
    ProfileSettings: String {
        residential Residential = "h25".to_owned(),
        office Office = "g1".to_owned(),
        retail Retail = "g4".to_owned(),
        hotel Hotel = "g2".to_owned(),
        industrial Industrial = "g3".to_owned(),
        education Education = "g1".to_owned(),
        health Health = "g3".to_owned(),
        civic Civic = "g0".to_owned(),
        parking Parking = "g0".to_owned(),
        other Other = "g0".to_owned(),
    }
}

impl ProfileSettings {
    /// Tells every name that is no profile, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        match LoadProfiles::shipped() {
            Ok(known) => {
                for (purpose, key) in BuildingUse::NAMED {
                    if known.row(self.of(purpose)).is_none() {
                        tell(key, format!("= {:?}, expected one of {}", self.of(purpose), known.names().join(", ")));
                    }
                }
            }
            Err(error) => tell("residential", format!("cannot be looked up: {error}")),
        }
    }
}

/// Values of one day by use.
#[derive(Clone, Debug)]
pub(super) struct DayShapes {
    profiles: LoadProfiles,
    holidays: HolidaySettings,
    /// By use, row of the profile.
    rows: Vec<usize>,
    /// Local day number of `values`; none before the first.
    day: Option<i64>,
    year: i32,
    /// Days off of `year`.
    is_off: Vec<bool>,
    /// By use, one over the mean power of the profile in `year`, 1/W.
    per_w: Vec<f64>,
    /// By use: last quarter of the day before, those of the day, first of the day after.
    values: Vec<[f64; QUARTERS + 2]>,
}

impl DayShapes {
    /// Shapes of no day yet.
    ///
    /// # Errors
    /// Names that are no profile.
    pub(super) fn new(settings: &ProfileSettings, holidays: &HolidaySettings) -> Result<Self> {
        let profiles = LoadProfiles::shipped()?;
        let mut problems = Problems::new();
        let place = Path::new("power.profiles");
        settings.check(&mut |key, what| problems.push(Problem::file(place, format!("{key} {what}"))));
        problems.or_else(())?;
        let rows = BuildingUse::NAMED.iter().filter_map(|(purpose, _)| profiles.row(settings.of(*purpose))).collect();
        Ok(Self {
            rows,
            profiles,
            holidays: holidays.clone(),
            day: None,
            year: 0,
            is_off: Vec::new(),
            per_w: vec![0.0; BuildingUse::NAMED.len()],
            values: vec![[0.0; QUARTERS + 2]; BuildingUse::NAMED.len()],
        })
    }

    /// Values of a local day, counted from 1 January 1970. True when a year begins, or with the first call.
    pub(super) fn prepare(&mut self, day: i64) -> bool {
        if self.day == Some(day) {
            return false;
        }
        let date = Date::from_days(day);
        let is_new_year = self.day.is_none() || self.year != date.year;
        let days = i64::from(year_days(date.year));
        let first = day - i64::from(date.day_of_year());
        self.day = Some(day);
        if is_new_year {
            self.year = date.year;
            self.is_off = self.holidays.of_year(date.year);
            for (row, per_w) in self.rows.iter().zip(&mut self.per_w) {
                let of_days = (0..days).filter_map(|of_year| {
                    let (powers, smooth) =
                        self.profiles.day(*row, Date::from_days(first + of_year), self.is_off[of_year as usize])?;
                    Some(powers.iter().sum::<f64>() * smooth)
                });
                let mean = of_days.sum::<f64>() / (days as f64 * QUARTERS as f64);
                *per_w = if mean > 0.0 { 1.0 / mean } else { 0.0 };
            }
        }
        let of_year = i64::from(date.day_of_year());
        for (use_row, values) in self.values.iter_mut().enumerate() {
            let (row, per_w) = (self.rows[use_row], self.per_w[use_row]);
            let quarter = |of_year: i64, quarter: usize| {
                let of_year = of_year.rem_euclid(days);
                let found = self.profiles.day(row, Date::from_days(first + of_year), self.is_off[of_year as usize]);
                found.map_or(0.0, |(powers, smooth)| powers[quarter] * smooth * per_w)
            };
            values[0] = quarter(of_year - 1, QUARTERS - 1);
            for at in 0..QUARTERS {
                values[at + 1] = quarter(of_year, at);
            }
            values[QUARTERS + 1] = quarter(of_year + 1, 0);
        }
        is_new_year
    }

    /// Value of a use at a second of the day prepared; 1 on the mean of its year.
    pub(super) fn at(&self, purpose: usize, second_of_day: f64) -> f64 {
        let quarters = (second_of_day / 900.0 + 0.5).clamp(0.0, QUARTERS as f64 + 0.5);
        let before = quarters.floor() as usize;
        let part = quarters - before as f64;
        let values = &self.values[purpose];
        values[before] * (1.0 - part) + values[before + 1] * part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::power::holidays::PublicHolidays;
    use crate::power::profile::holidays_of_germany;

    fn shapes(holidays: &HolidaySettings) -> DayShapes {
        DayShapes::new(&ProfileSettings::default(), holidays).unwrap()
    }

    #[test]
    fn a_year_of_quarters_is_the_profile_and_has_a_mean_of_one() {
        let holidays = HolidaySettings { of: PublicHolidays::Germany, dates: Vec::new() };
        for year in [2023, 2024] {
            let mut shapes = shapes(&holidays);
            let first = Date { year, month: 1, day: 1 }.days();
            let days = i64::from(year_days(year));
            let mut sums = [0.0; 10];
            let wanted = shapes.profiles.year("g1", year, days as f64 * 0.024, &holidays_of_germany(year)).unwrap();
            for day in 0..days {
                assert_eq!(shapes.prepare(first + day), day == 0);
                for quarter in 0..QUARTERS {
                    let second = quarter as f64 * 900.0 + 450.0;
                    for (purpose, sum) in sums.iter_mut().enumerate() {
                        *sum += shapes.at(purpose, second);
                    }
                    let (office, wanted) =
                        (shapes.at(BuildingUse::Office as usize, second), wanted[day as usize * QUARTERS + quarter]);
                    assert!((office - wanted).abs() < 1e-12 * wanted.max(1.0), "{day} {quarter}: {office} {wanted}");
                }
            }
            for sum in sums {
                assert!((sum / (days as f64 * QUARTERS as f64) - 1.0).abs() < 1e-12, "{sum}");
            }
        }
    }

    #[test]
    fn shapes_do_not_jump_at_midnight() {
        let mut shapes = shapes(&HolidaySettings::default());
        // Friday, Saturday, Sunday of a summer.
        let first = Date { year: 2024, month: 7, day: 5 }.days();
        for day in first..first + 3 {
            shapes.prepare(day);
            let before: Vec<f64> = (0..10).map(|purpose| shapes.at(purpose, 86_400.0)).collect();
            shapes.prepare(day + 1);
            for (purpose, before) in before.into_iter().enumerate() {
                assert!((shapes.at(purpose, 0.0) / before - 1.0).abs() < 1e-12, "{purpose}");
            }
        }
    }

    #[test]
    fn names_that_are_no_profile_are_refused() {
        let settings = ProfileSettings { office: "g9".into(), ..ProfileSettings::default() };
        let mut told = Vec::new();
        settings.check(&mut |key, what| told.push(format!("{key} {what}")));
        assert!(told.len() == 1 && told[0].starts_with("office = \"g9\", expected one of h0, g0"), "{told:?}");
        assert!(DayShapes::new(&settings, &HolidaySettings::default()).is_err());
    }
}
