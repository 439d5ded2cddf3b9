//! Which services run on some days: `calendar.txt` and its exceptions, `calendar_dates.txt`, day by day.
//!
//! Ignored: holidays that no exception names.

use crate::gtfs_file::{Feed, Row, Table};
use crate::report::{Defect, FeedReport};
use jiff::civil::{Date, Weekday};
use std::collections::BTreeMap;
use urbis_core::Problem;

/// Services of a feed, and whether each runs on the days asked for.
#[derive(Default)]
pub(crate) struct Services {
    row_of: BTreeMap<String, usize>,
    /// The day before the first date, then the dates; `None` beyond the calendar of this world.
    dates: Vec<Option<Date>>,
    /// Whether each runs on these. Shape: services x dates.
    runs: Vec<bool>,
    /// First and last day that is named.
    pub(crate) days: Option<(Date, Date)>,
}

const WEEK: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

impl Services {
    /// Reads both calendars of a feed for so many days from a date on.
    pub(crate) fn read(feed: &mut Feed, date: Date, days: u16, report: &mut FeedReport) -> Self {
        let later = (0..days).map(|day| date.checked_add(jiff::Span::new().days(day)).ok());
        let dates = std::iter::once(date.yesterday().ok()).chain(later).collect();
        let mut services = Self { dates, ..Self::default() };
        let must: Vec<&str> =
            ["service_id", "start_date", "end_date"].into_iter().chain(WEEK.map(|(name, _)| name)).collect();
        let weekly = feed.table("calendar.txt", &must, report);
        let exceptions = feed.table("calendar_dates.txt", &["service_id", "date", "exception_type"], report);
        if weekly.is_none() && exceptions.is_none() {
            let place = feed.place("calendar.txt");
            report.add(Defect::MissingTable, || {
                Problem::file(
                    &place,
                    "is not there, and neither is calendar_dates.txt; one of them says when trips run",
                )
            });
        }
        if let Some(table) = weekly {
            services.weekly(&table, report);
        }
        if let Some(table) = exceptions {
            services.exceptions(&table, report);
        }
        services
    }

    /// Row of a service; `None` when it is unknown.
    pub(crate) fn of(&self, id: &str) -> Option<usize> {
        self.row_of.get(id).copied()
    }

    /// Days on which a service runs, less the first date: those from there on, then the day before.
    pub(crate) fn days_of(&self, service: usize) -> impl Iterator<Item = i16> + '_ {
        let count = self.dates.len();
        let runs = &self.runs[service * count..(service + 1) * count];
        (0..count).map(move |nth| (nth + 1) % count).filter(|&at| runs[at]).map(|at| at as i16 - 1)
    }

    fn weekly(&mut self, table: &Table, report: &mut FeedReport) {
        let [id, start, end] = table.columns(["service_id", "start_date", "end_date"]);
        let week = table.columns(WEEK.map(|(name, _)| name));
        table.for_each(report, |row, report| {
            let service = row.get(id);
            if service.is_empty() {
                report.add(Defect::BlankId, || row.problem("", "service_id", "", "a name"));
                return;
            }
            if self.row_of.contains_key(service) {
                report
                    .add(Defect::DuplicateId, || row.problem(service, "service_id", service, "a name not used before"));
                return;
            }
            let mut bad = None;
            let mut day_of = |column, name: &'static str| {
                let day = parse_date(row.get(column));
                if day.is_none() {
                    bad = Some((name, column, "a date such as 20260731"));
                }
                day
            };
            let (first, last) = (day_of(start, "start_date"), day_of(end, "end_date"));
            let mut on = [false; 7];
            for (at, column) in week.iter().enumerate() {
                match row.get(*column) {
                    "1" => on[at] = true,
                    "0" => {}
                    _ => bad = Some((WEEK[at].0, *column, "0 or 1")),
                }
            }
            if let (Some(first), Some(last)) = (first, last)
                && last < first
            {
                bad = Some(("end_date", end, "not before start_date"));
            }
            // The service is known even when its days are not, so that its trips are not blamed as well.
            let of = self.entry(service);
            if let Some((field, column, expected)) = bad {
                report.add(Defect::BadCalendar, || row.problem(service, field, row.get(column), expected));
                return;
            }
            let (Some(first), Some(last)) = (first, last) else { return };
            for (run, date) in self.runs[of..].iter_mut().zip(&self.dates) {
                *run = date.is_some_and(|date| {
                    let today = WEEK.iter().position(|(_, day)| *day == date.weekday());
                    date >= first && date <= last && today.is_some_and(|today| on[today])
                });
            }
            self.widen(first, last);
        });
    }

    fn exceptions(&mut self, table: &Table, report: &mut FeedReport) {
        let [id, day, kind] = table.columns(["service_id", "date", "exception_type"]);
        table.for_each(report, |row, report| {
            let service = row.get(id);
            if service.is_empty() {
                report.add(Defect::BlankId, || row.problem("", "service_id", "", "a name"));
                return;
            }
            let of = self.entry(service);
            let Some((date, added)) = exception(row, service, day, kind, report) else { return };
            let days = self.runs[of..].iter_mut().zip(&self.dates);
            days.filter(|(_, of)| **of == Some(date)).for_each(|(run, _)| *run = added);
            if added {
                self.widen(date, date);
            }
        });
    }

    /// Where the days of a service start; it is known from now on.
    fn entry(&mut self, service: &str) -> usize {
        let count = self.row_of.len();
        let row = *self.row_of.entry(service.to_owned()).or_insert(count);
        self.runs.resize(self.row_of.len() * self.dates.len(), false);
        row * self.dates.len()
    }

    fn widen(&mut self, first: Date, last: Date) {
        let (from, until) = self.days.unwrap_or((first, last));
        self.days = Some((from.min(first), until.max(last)));
    }
}

/// Date of an exception and whether the service runs on it.
fn exception(
    row: &Row<'_>,
    service: &str,
    day: Option<usize>,
    kind: Option<usize>,
    report: &mut FeedReport,
) -> Option<(Date, bool)> {
    let Some(date) = parse_date(row.get(day)) else {
        report.add(Defect::BadCalendar, || row.problem(service, "date", row.get(day), "a date such as 20260731"));
        return None;
    };
    match row.get(kind) {
        "1" => Some((date, true)),
        "2" => Some((date, false)),
        other => {
            report.add(Defect::BadCalendar, || {
                row.problem(service, "exception_type", other, "1 (runs) or 2 (does not run)")
            });
            None
        }
    }
}

/// A date as GTFS writes it, `YYYYMMDD`.
fn parse_date(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let year = text[..4].parse().ok()?;
    Date::new(year, text[4..6].parse().ok()?, text[6..].parse().ok()?).ok()
}
