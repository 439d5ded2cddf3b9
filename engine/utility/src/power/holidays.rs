//! Days off, on which standard load profiles are those of a Sunday.
//!
//! Default none: a city says which country's days it keeps, or lists its own. Ignored: days off of single states and
//! regions, half days such as 24 December.

use super::profile::{MonthDay, day_of_year, holidays_of_germany};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use urbis_core::calendar::Date;

/// Days off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HolidaySettings {
    /// Public holidays that count.
    pub of: PublicHolidays,
    /// Other days off: `2024-11-19` once, `11-19` in every year.
    pub dates: Vec<String>,
}

/// Public holidays that are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublicHolidays {
    /// None.
    #[default]
    None,
    /// Those of the whole of Germany.
    Germany,
}

impl HolidaySettings {
    /// Tells every date that is none, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        for (at, text) in self.dates.iter().enumerate() {
            // 29 February is a day of some years.
            if Date::parse(text).is_none() && Date::parse(&format!("2000-{text}")).is_none() {
                tell(&format!("dates.{at}"), format!("= {text:?}, expected a date such as 2024-11-19 or 11-19"));
            }
        }
    }
    /// Days off of a year.
    pub(crate) fn month_days(&self, year: i32) -> Vec<MonthDay> {
        let days = self.of_year(year).into_iter().enumerate().filter(|(_, is_off)| *is_off);
        days.map(|(day, _)| day_of_year(year, day)).collect()
    }
    /// Days off of a year, by day of the year from 0. Shape: 366.
    pub(super) fn of_year(&self, year: i32) -> Vec<bool> {
        let mut is_off = vec![false; 366];
        let mut add = |date: Option<Date>| {
            if let Some(date) = date {
                is_off[usize::from(date.day_of_year())] = true;
            }
        };
        if self.of == PublicHolidays::Germany {
            holidays_of_germany(year).into_iter().for_each(|(month, day)| add(Date::new(year, month, day)));
        }
        for text in &self.dates {
            add(Date::parse(text).filter(|date| date.year == year).or_else(|| {
                Date::parse(&format!("2000-{text}")).and_then(|date| Date::new(year, date.month, date.day))
            }));
        }
        is_off
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_off_are_those_of_the_year() {
        let settings = HolidaySettings {
            of: PublicHolidays::Germany,
            dates: ["2024-11-19", "02-29", "11-20"].map(str::to_owned).to_vec(),
        };
        settings.check(&mut |key, what| panic!("{key} {what}"));
        let days = |year| settings.of_year(year).iter().filter(|&&is_off| is_off).count();
        // Nine of Germany; in 2024 the two and the leap day, in 2023 the yearly one.
        assert_eq!((days(2024), days(2023)), (12, 10));
        assert!(settings.of_year(2024)[59] && !settings.of_year(2023)[59]);
        assert!(!HolidaySettings::default().of_year(2024).contains(&true));
        let mut told = Vec::new();
        let wrong = HolidaySettings { dates: ["02-30", "2023-02-29", "1 May"].map(str::to_owned).to_vec(), ..settings };
        wrong.check(&mut |key, _| told.push(key.to_owned()));
        assert_eq!(told, ["dates.0", "dates.1", "dates.2"]);
    }
}
