//! Days of the Gregorian calendar without a time zone: dates from day numbers and back, days of the week and of the
//! year.
//!
//! Day 0 is 1 January 1970. Years begin in March inside, so that the leap day is the last one: every 400 years are
//! 146,097 days, and the months from March on have 153 days in five. Contract: pure functions, exact from year -9999 to
//! 9999.

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year; 0 is the year before 1.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
}

impl Date {
    /// A date; `None` where the calendar has no such day.
    #[must_use]
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let length = *month_days(year).get(usize::from(month).checked_sub(1)?)?;
        let is_known = (-9999..=9999).contains(&year) && (1..=length).contains(&day);
        is_known.then_some(Self { year, month, day })
    }
    /// The date so many days after 1 January 1970.
    #[must_use]
    pub fn from_days(days: i64) -> Self {
        let of_march = days + 719_468;
        let (era, of_era) = (of_march.div_euclid(146_097), of_march.rem_euclid(146_097));
        let of_era_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = of_era_year + era * 400 + i64::from(month <= 2);
        Self { year: year as i32, month: month as u8, day: day as u8 }
    }
    /// From text such as `2024-06-11`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let is_shaped = bytes.len() == 10
            && bytes.iter().enumerate().all(
                |(at, byte)| {
                    if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() }
                },
            );
        if !is_shaped {
            return None;
        }
        Self::new(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?)
    }
    /// Days since 1 January 1970.
    #[must_use]
    pub fn days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let (era, of_era_year) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        era * 146_097 + of_era_year * 365 + of_era_year / 4 - of_era_year / 100 + of_year - 719_468
    }
    /// Day of the week, Monday 0.
    #[must_use]
    pub fn weekday(self) -> u8 {
        (self.days() + 3).rem_euclid(7) as u8
    }
    /// Day of the year, 1 January 0.
    #[must_use]
    pub fn day_of_year(self) -> u16 {
        let before =
            month_days(self.year)[..usize::from(self.month) - 1].iter().map(|&days| u16::from(days)).sum::<u16>();
        before + u16::from(self.day) - 1
    }
}

/// Whether a year has a 29 February.
#[must_use]
pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a year.
#[must_use]
pub fn year_days(year: i32) -> u16 {
    if is_leap(year) { 366 } else { 365 }
}

/// Days of each month.
#[must_use]
pub fn month_days(year: i32) -> [u8; 12] {
    [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_on_one_by_one_for_eight_centuries() {
        let mut days = Date::new(1600, 1, 1).unwrap().days();
        assert_eq!(days, -135_140);
        for year in 1600..2400 {
            let mut of_year = 0;
            for (month, length) in (1_u8..).zip(month_days(year)) {
                for day in 1..=length {
                    let date = Date::new(year, month, day).unwrap();
                    assert_eq!((date.days(), Date::from_days(days)), (days, date));
                    assert_eq!(date.day_of_year(), of_year);
                    (days, of_year) = (days + 1, of_year + 1);
                }
                assert!(Date::new(year, month, length + 1).is_none());
            }
            assert_eq!(of_year, year_days(year));
        }
    }

    #[test]
    fn known_days() {
        let of = |text: &str| Date::parse(text).unwrap();
        assert_eq!(of("1970-01-01").days(), 0);
        assert_eq!(of("2000-03-01").days(), 11_017);
        // Thursday; Saturday; Sunday; Monday; Monday.
        let days = ["1970-01-01", "2000-01-01", "2023-01-01", "2024-01-01", "1900-01-01"];
        assert_eq!(days.map(|day| of(day).weekday()), [3, 5, 6, 0, 0]);
        for text in
            ["2023-02-29", "2023-13-01", "2023-00-01", "2023-1-01", "2023-01-01T", "+023-01-01", "2023-01-00", ""]
        {
            assert!(Date::parse(text).is_none(), "{text}");
        }
    }
}
