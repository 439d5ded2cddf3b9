//! Dates and times of SWMM's files: days since 1970-01-01 and seconds, in the proleptic Gregorian calendar.

/// Seconds of a day.
pub const DAY_S: f64 = 86_400.0;

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Days since 1970-01-01 of a date; `None` where there is no such day.
#[must_use]
pub fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) || !(1..=9999).contains(&year) {
        return None;
    }
    // Years from March on, in eras of 400: H. Hinnant, chrono-compatible low-level date algorithms.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Month of the year, from 0, of a day since 1970-01-01.
#[must_use]
pub fn month_of(day_number: i64) -> usize {
    let shifted = day_number + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    ((from_march + 2) % 12) as usize
}

/// Day of the week of a day since 1970-01-01: 0 is Sunday.
#[must_use]
pub fn weekday_of(day_number: i64) -> usize {
    (day_number + 4).rem_euclid(7) as usize
}

/// A date such as `08/17/2017`, `8-17-2017` or `AUG-17-2017`, as days since 1970-01-01.
#[must_use]
pub fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.split(['/', '-']);
    let month = parts.next()?;
    let named = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month));
    let month = named.map_or_else(|| month.parse().ok(), |at| Some(at as i64 + 1))?;
    let (day, year) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(())?;
    day_number(year, month, day)
}

/// A time such as `14:30`, `1:00:30` or, where `may_be_hours`, a number of hours, in seconds. Hours may go beyond 24.
#[must_use]
pub fn parse_time(text: &str, may_be_hours: bool) -> Option<f64> {
    if !text.contains(':') {
        let hours: f64 = text.parse().ok().filter(|_| may_be_hours)?;
        return (hours.is_finite() && (0.0..1e7).contains(&hours)).then_some(3600.0 * hours);
    }
    let mut seconds = 0.0;
    let mut unit = 3600.0;
    for (at, part) in text.split(':').enumerate() {
        let number: u32 = part.parse().ok()?;
        if at > 2 || (at > 0 && number > 59) || number > 10_000_000 {
            return None;
        }
        seconds += unit * f64::from(number);
        unit /= 60.0;
    }
    Some(seconds)
}

/// The moment of a simulation in a calendar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Month from 0.
    pub month: usize,
    /// Day of the week, 0 is Sunday.
    pub weekday: usize,
    /// Hour of the day.
    pub hour: usize,
    /// Seconds since midnight.
    pub of_day_s: f64,
    /// Days since 1970-01-01.
    pub day_number: i64,
}

impl Moment {
    /// `seconds` after midnight of a day.
    #[must_use]
    pub fn after(day_number: i64, seconds: f64) -> Self {
        let days = (seconds / DAY_S).floor();
        let of_day_s = seconds - days * DAY_S;
        let day_number = day_number + days as i64;
        let hour = ((of_day_s / 3600.0) as usize).min(23);
        Self { month: month_of(day_number), weekday: weekday_of(day_number), hour, of_day_s, day_number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_there_and_back() {
        assert_eq!(parse_date("01/01/1970"), Some(0));
        assert_eq!(parse_date("Aug-17-2017"), day_number(2017, 8, 17));
        assert_eq!(parse_date("02/29/2015"), None);
        let day = day_number(2017, 8, 17).expect("a day");
        assert_eq!((day, month_of(day), weekday_of(day)), (17_395, 7, 4));
        for day in 0..20_000 {
            assert!(month_of(day) < 12);
        }
        assert_eq!(month_of(day_number(2016, 2, 29).expect("a day")), 1);
    }

    #[test]
    fn times_are_clock_times_or_hours() {
        assert_eq!(parse_time("1:30", false), Some(5400.0));
        assert_eq!(parse_time("26:00:01", false), Some(93_601.0));
        assert_eq!(parse_time("1.5", true), Some(5400.0));
        assert_eq!(parse_time("1.5", false), None);
        assert_eq!(parse_time("1:75", false), None);
        assert_eq!(Moment::after(0, 25.5 * 3600.0).hour, 1);
    }
}
