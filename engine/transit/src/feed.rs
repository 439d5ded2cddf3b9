//! GTFS feeds -> [`Timetable`] of one or several days and [`FeedReport`].
//!
//! Source: the GTFS Schedule reference. Everything that is wrong is counted and shown by examples; what can be used
//! without guessing is used. Trips are checked where they run on the days or the day before; rows are always checked.
//! Ids have the feed's name before them as soon as there are several feeds.
//!
//! Ignored: shapes (beyond distances in stop times), fares of version 2, pathways, blocks, flexible services,
//! attributions.
//! Contract: any bytes in, no panic; the timetable depends on the files and the days alone.

use crate::feed_fares;
use crate::feed_tables::{Agencies, FeedRoutes, FeedStops};
use crate::feed_trips::{FeedTrips, Making};
use crate::gtfs_file::Feed;
use crate::report::{Defect, FeedReport, FeedSummary};
use crate::service::Services;
use crate::timetable::{Builder, Capacities, Timetable};
use jiff::civil::Date;
use std::path::{Path, PathBuf};
use urbis_core::{Error, Problem, Result};

/// What came out of feeds.
#[derive(Debug)]
pub struct FeedRead {
    /// The timetable; of what could be read when the report has fatal findings.
    pub timetable: Timetable,
    /// What was found.
    pub report: FeedReport,
}

impl FeedRead {
    /// The timetable and the report.
    ///
    /// # Errors
    /// [`Error::Input`] with the fatal findings, if there are any.
    pub fn into_result(self) -> Result<(Timetable, FeedReport)> {
        if self.report.is_fatal() {
            return Err(Error::Input(self.report.into_fatal()));
        }
        Ok((self.timetable, self.report))
    }
}

/// Reads feeds (archives or folders) for a date.
#[must_use]
pub fn read(paths: &[PathBuf], date: Date, capacities: &Capacities) -> FeedRead {
    read_days(paths, date, 1, capacities)
}

/// Reads feeds (archives or folders) for so many days from a date on, each with its own services.
#[must_use]
pub fn read_days(paths: &[PathBuf], date: Date, days: u16, capacities: &Capacities) -> FeedRead {
    let mut report = FeedReport::default();
    let mut builder = Builder::default();
    let mut time_zone = String::new();
    let names = names(paths);
    for (path, name) in paths.iter().zip(&names) {
        let prefix = if paths.len() > 1 { format!("{name}:") } else { String::new() };
        let mut summary = FeedSummary { name: name.clone(), ..FeedSummary::default() };
        if let Some(mut feed) = Feed::open(path, &mut report) {
            read_one(&mut feed, &prefix, (date, days), capacities, &mut builder, &mut summary, &mut report);
            let zone = &summary.time_zone;
            if time_zone.is_empty() {
                time_zone.clone_from(zone);
            } else if !zone.is_empty() && *zone != time_zone {
                report.add(Defect::TimeZoneDiffers, || {
                    Problem::file(path, format!("is in the time zone {zone}, expected {time_zone} as the feed before"))
                });
            }
            if summary.runs == 0 {
                report.add(Defect::NoServiceInFeed, || Problem::file(path, no_trip(date, &summary)));
            }
        }
        report.feeds.push(summary);
    }
    if builder.is_empty() && !report.is_fatal() {
        let path = paths.first().cloned().unwrap_or_default();
        let what = report.feeds.first().map_or_else(|| "no feed was given".to_owned(), |feed| no_trip(date, feed));
        report.add(Defect::NoTrips, || Problem::file(&path, what).with_help("choose a date within the calendars"));
    }
    FeedRead { timetable: builder.build(date, days, time_zone), report }
}

/// The first day, within all feeds' calendars where they overlap, that is a weekday of the middle of the week: one to
/// look at when nobody names a date. `None` when no calendar can be read.
#[must_use]
pub fn typical_date(paths: &[PathBuf]) -> Option<Date> {
    let mut report = FeedReport::default();
    let mut span: Option<(Date, Date)> = None;
    for path in paths {
        let mut feed = Feed::open(path, &mut report)?;
        let Some((first, last)) = Services::read(&mut feed, Date::default(), 1, &mut report).days else { continue };
        let (from, until) = span.unwrap_or((first, last));
        span =
            Some(if first.max(from) <= last.min(until) { (first.max(from), last.min(until)) } else { (from, until) });
    }
    let (first, last) = span?;
    let middle = |day: &Date| day.weekday() == jiff::civil::Weekday::Wednesday;
    // Not the first week: calendars often start with the week of a holiday or with a day that stands for all.
    let days = |from: Date| from.series(jiff::Span::new().days(1)).take_while(move |day| *day <= last);
    let later = first.checked_add(jiff::Span::new().days(7)).ok().and_then(|from| days(from).find(middle));
    later.or_else(|| days(first).find(middle)).or(Some(first))
}

fn no_trip(date: Date, feed: &FeedSummary) -> String {
    match feed.days {
        Some((first, last)) => format!("has no trip on {date}; its calendars go from {first} to {last}"),
        None => format!("has no trip on {date}; its calendars name no day"),
    }
}

fn read_one(
    feed: &mut Feed,
    prefix: &str,
    (date, days): (Date, u16),
    capacities: &Capacities,
    builder: &mut Builder,
    summary: &mut FeedSummary,
    report: &mut FeedReport,
) {
    let agencies = Agencies::read(feed, report);
    let mut stops = FeedStops::read(feed, prefix, builder, report);
    let routes = FeedRoutes::read(feed, prefix, builder, report);
    let services = Services::read(feed, date, days, report);
    let trips = FeedTrips::read(feed, &routes.row_of, &services, report);
    summary.days = services.days;
    (summary.stops, summary.routes, summary.trips) = (stops.len(), routes.row_of.len(), trips.len());
    let making = Making { prefix, services: &services, capacities };
    summary.runs = trips.run(feed, &making, &mut stops, builder, report);
    stops.transfers(feed, builder, report);
    let of = feed_fares::Of { feed: report.feeds.len() as u32, agencies: &agencies, stops: &stops, routes: &routes };
    summary.fares = feed_fares::read(feed, &of, &mut builder.fares, report);
    (summary.agencies, summary.time_zone) = (agencies.names, agencies.time_zone);
}

/// Names of feeds: the file's without its ending, with a number where it was used before.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(paths.len());
    for path in paths {
        let stem = |path: &Path| path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let name = stem(path);
        let mut unique = name.clone();
        let mut number = 2;
        while names.contains(&unique) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        names.push(unique);
    }
    names
}
