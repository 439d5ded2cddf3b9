//! Which services run on a date: `calendar.txt` and its exceptions, `calendar_dates.txt`.
//!
//! Ignored: holidays that no exception names.

use crate::gtfs_file::{Feed, Row, Table};
use crate::report::{Defect, FeedReport};
use jiff::civil::{Date, Weekday};
use std::collections::BTreeMap;
use urbis_core::Problem;

/// Services of a feed, and whether each runs on two days.
#[derive(Default)]
pub(crate) struct Services {
    row_of: BTreeMap<String, usize>,
    /// Whether each runs on the date and on the day before.
    runs: Vec<[bool; 2]>,
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
    /// Reads both calendars of a feed for a date.
    pub(crate) fn read(feed: &mut Feed, date: Date, report: &mut FeedReport) -> Self {
        let mut services = Self::default();
        let dates = [Some(date), date.yesterday().ok()];
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
            services.weekly(&table, dates, report);
        }
        if let Some(table) = exceptions {
            services.exceptions(&table, dates, report);
        }
        services
    }

    /// Whether a service runs on the date and on the day before; `None` when it is unknown.
    pub(crate) fn runs(&self, id: &str) -> Option<[bool; 2]> {
        self.row_of.get(id).map(|&row| self.runs[row])
    }

    fn weekly(&mut self, table: &Table, dates: [Option<Date>; 2], report: &mut FeedReport) {
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
            let runs = self.entry(service);
            if let Some((field, column, expected)) = bad {
                report.add(Defect::BadCalendar, || row.problem(service, field, row.get(column), expected));
                return;
            }
            let (Some(first), Some(last)) = (first, last) else { return };
            *runs = dates.map(|date| {
                date.is_some_and(|date| {
                    let today = WEEK.iter().position(|(_, day)| *day == date.weekday());
                    date >= first && date <= last && today.is_some_and(|today| on[today])
                })
            });
            self.widen(first, last);
        });
    }

    fn exceptions(&mut self, table: &Table, dates: [Option<Date>; 2], report: &mut FeedReport) {
        let [id, day, kind] = table.columns(["service_id", "date", "exception_type"]);
        table.for_each(report, |row, report| {
            let service = row.get(id);
            if service.is_empty() {
                report.add(Defect::BlankId, || row.problem("", "service_id", "", "a name"));
                return;
            }
            let runs = self.entry(service);
            let Some((date, added)) = exception(row, service, day, kind, report) else { return };
            for (run, _) in runs.iter_mut().zip(dates).filter(|(_, of)| *of == Some(date)) {
                *run = added;
            }
            if added {
                self.widen(date, date);
            }
        });
    }

    fn entry(&mut self, service: &str) -> &mut [bool; 2] {
        let row = match self.row_of.get(service) {
            Some(&row) => row,
            None => {
                self.row_of.insert(service.to_owned(), self.runs.len());
                self.runs.push([false; 2]);
                self.runs.len() - 1
            }
        };
        &mut self.runs[row]
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
