//! Trips of a feed and their stop times: checked, interpolated, multiplied by frequencies, put on the date.
//!
//! Stop times without a time lie between timed ones: along `shape_dist_traveled` where it grows, else along straight
//! lines between the stops, else evenly. Trips by frequency run from the start of each period at its headway, exact or
//! not. Trips run on each day of their service; those of the day before the first date are kept from their first
//! departure after midnight.

use crate::feed_tables::{FeedStops, is_new, required};
use crate::gtfs_file::{Feed, Row, seconds};
use crate::report::{Defect, FeedReport};
use crate::service::Services;
use crate::timetable::{ALIGHT, BOARD, Builder, Call, CallsIx, Capacities, Run};
use crate::{RouteIx, StopIx};
use std::collections::BTreeMap;
use std::path::PathBuf;
use urbis_core::Problem;

const DAY_S: u32 = 86_400;
/// No time.
const MISSING: u32 = u32::MAX;
/// Shortest headway that is taken for one.
const HEADWAY_MIN_S: u32 = 10;

/// Trips of a feed.
pub(crate) struct FeedTrips {
    place: PathBuf,
    times_place: PathBuf,
    row_of: BTreeMap<String, u32>,
    trips: Vec<FeedTrip>,
}

struct FeedTrip {
    row: usize,
    id: String,
    headsign: String,
    route: RouteIx,
    /// Service of a trip whose route is known, and that runs on some of the days.
    service: Option<usize>,
    by_frequency: bool,
    /// First departure, end and headway, seconds.
    frequencies: Vec<(u32, u32, u32)>,
}

/// What runs of a feed are made with.
pub(crate) struct Making<'a> {
    /// Put before ids.
    pub(crate) prefix: &'a str,
    pub(crate) services: &'a Services,
    pub(crate) capacities: &'a Capacities,
}

/// A row of `stop_times.txt` of a trip that runs.
struct Halt {
    trip: u32,
    sequence: u32,
    row: u32,
    stop: StopIx,
    arrival_s: u32,
    departure_s: u32,
    distance: f64,
    flags: u8,
}

impl FeedTrips {
    /// Reads `trips.txt` and `frequencies.txt`.
    pub(crate) fn read(
        feed: &mut Feed,
        routes: &BTreeMap<String, RouteIx>,
        services: &Services,
        report: &mut FeedReport,
    ) -> Self {
        let mut trips = Self {
            place: feed.place("trips.txt"),
            times_place: feed.place("stop_times.txt"),
            row_of: BTreeMap::new(),
            trips: Vec::new(),
        };
        let must = ["trip_id", "route_id", "service_id"];
        let Some(table) = required(feed, "trips.txt", &must, report) else { return trips };
        let [id, route, service, headsign] = table.columns(["trip_id", "route_id", "service_id", "trip_headsign"]);
        table.for_each(report, |row, report| {
            let trip = row.get(id);
            if !is_new(row, "trip_id", trip, &trips.row_of, report) {
                return;
            }
            let known = routes.get(row.get(route)).copied();
            if known.is_none() {
                report.add(Defect::TripUnknownRoute, || {
                    row.problem(trip, "route_id", row.get(route), "a route_id of routes.txt")
                });
            }
            let of = services.of(row.get(service));
            if of.is_none() {
                report.add(Defect::TripUnknownService, || {
                    row.problem(trip, "service_id", row.get(service), "a service_id of a calendar")
                });
            }
            // Trips left out are still known, so that their stop times are not blamed as well.
            trips.row_of.insert(trip.to_owned(), trips.trips.len() as u32);
            trips.trips.push(FeedTrip {
                row: row.row,
                id: trip.to_owned(),
                headsign: row.get(headsign).to_owned(),
                route: known.unwrap_or(RouteIx::NONE),
                service: of.filter(|&of| known.is_some() && services.days_of(of).next().is_some()),
                by_frequency: false,
                frequencies: Vec::new(),
            });
        });
        trips.frequencies(feed, report);
        trips
    }

    /// Number of trips of the feed.
    pub(crate) fn len(&self) -> usize {
        self.trips.len()
    }

    fn frequencies(&mut self, feed: &mut Feed, report: &mut FeedReport) {
        let must = ["trip_id", "start_time", "end_time", "headway_secs"];
        let Some(table) = feed.table("frequencies.txt", &must, report) else { return };
        let [id, start, end, headway] = table.columns(must);
        let exact = table.column("exact_times");
        table.for_each(report, |row, report| {
            let name = row.get(id);
            let Some(&trip) = self.row_of.get(name) else {
                report
                    .add(Defect::FrequencyUnknownTrip, || row.problem(name, "trip_id", name, "a trip_id of trips.txt"));
                return;
            };
            let of = &mut self.trips[trip as usize];
            of.by_frequency = true;
            let mut bad = |field, column, expected: String| {
                report.add(Defect::BadFrequency, || row.problem(name, field, row.get(column), expected));
            };
            let Some(from) = seconds(row.get(start)) else {
                return bad("start_time", start, "a time such as 06:30:00".to_owned());
            };
            let Some(until) = seconds(row.get(end)).filter(|&until| until > from) else {
                return bad("end_time", end, "a time after start_time".to_owned());
            };
            let Some(every) = row.get(headway).parse().ok().filter(|&every: &u32| every >= HEADWAY_MIN_S) else {
                return bad("headway_secs", headway, format!("whole seconds, at least {HEADWAY_MIN_S}"));
            };
            of.frequencies.push((from, until, every));
            if row.get(exact) != "1" {
                report.add(Defect::Headways, || {
                    row.problem(name, "exact_times", row.get(exact), "1 for a timetable; headways count as one")
                });
            }
        });
    }

    /// Reads `stop_times.txt` and puts the runs of the days into the timetable; how many they are.
    pub(crate) fn run(
        &self,
        feed: &mut Feed,
        making: &Making<'_>,
        stops: &mut FeedStops,
        builder: &mut Builder,
        report: &mut FeedReport,
    ) -> usize {
        let halts = self.halts(feed, making.prefix, stops, builder, report);
        let before = builder.len();
        let mut next = 0;
        for trip in 0..self.trips.len() {
            let start = next;
            while halts.get(next).is_some_and(|halt| halt.trip as usize == trip) {
                next += 1;
            }
            if let Some(service) = self.trips[trip].service {
                self.put(&self.trips[trip], &halts[start..next], service, making, builder, report);
            }
        }
        builder.len() - before
    }

    /// Stop times of the trips that run, by trip and sequence.
    fn halts(
        &self,
        feed: &mut Feed,
        prefix: &str,
        stops: &mut FeedStops,
        builder: &mut Builder,
        report: &mut FeedReport,
    ) -> Vec<Halt> {
        let must = ["trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time"];
        let Some(table) = required(feed, "stop_times.txt", &must, report) else { return Vec::new() };
        let [id, stop, sequence, arrival, departure] = table.columns(must);
        let [pickup, drop_off, distance] = table.columns(["pickup_type", "drop_off_type", "shape_dist_traveled"]);
        let mut halts: Vec<Halt> = Vec::new();
        // Rows of one trip mostly lie together.
        let (mut last_id, mut last) = (String::new(), None);
        table.for_each(report, |row, report| {
            let name = row.get(id);
            if last.is_none() || name != last_id {
                last = self.row_of.get(name).copied();
                name.clone_into(&mut last_id);
            }
            let Some(trip) = last else {
                report
                    .add(Defect::StopTimeUnknownTrip, || row.problem(name, "trip_id", name, "a trip_id of trips.txt"));
                return;
            };
            let Some(&at) = stops.row_of.get(row.get(stop)) else {
                report.add(Defect::StopTimeUnknownStop, || {
                    row.problem(name, "stop_id", row.get(stop), "a stop_id of stops.txt")
                });
                return;
            };
            let Ok(sequence) = row.get(sequence).parse() else {
                report.add(Defect::StopTimeBadSequence, || {
                    row.problem(name, "stop_sequence", row.get(sequence), "a whole number of at least 0")
                });
                return;
            };
            let (mut arrival_s, mut departure_s) = (
                time(row, name, "arrival_time", arrival, report),
                time(row, name, "departure_time", departure, report),
            );
            if self.trips[trip as usize].service.is_none() {
                return;
            }
            if arrival_s == MISSING {
                arrival_s = departure_s;
            } else if departure_s == MISSING {
                departure_s = arrival_s;
            }
            let (stop, was_stop) = stops.halt(at, prefix, builder, report);
            if !was_stop {
                report.add(Defect::StopTimeAtStation, || {
                    row.problem(name, "stop_id", row.get(table.column("stop_id")), "a stop (location_type 0)")
                });
            }
            let mut flags = 0;
            for (column, flag) in [(pickup, BOARD), (drop_off, ALIGHT)] {
                if row.get(column) != "1" {
                    flags |= flag;
                }
            }
            let distance = row.get(distance).parse().ok().filter(|far: &f64| far.is_finite()).unwrap_or(f64::NAN);
            halts.push(Halt { trip, sequence, row: row.row as u32, stop, arrival_s, departure_s, distance, flags });
        });
        halts.sort_by_key(|halt| (halt.trip, halt.sequence, halt.row));
        self.drop_duplicates(&mut halts, report);
        halts
    }

    fn drop_duplicates(&self, halts: &mut Vec<Halt>, report: &mut FeedReport) {
        halts.dedup_by(|after, before| {
            let same = after.trip == before.trip && after.sequence == before.sequence;
            if same {
                let id = &self.trips[after.trip as usize].id;
                report.add(Defect::StopTimeDuplicate, || {
                    let expected = format!("one that row {} does not have", before.row);
                    let row = after.row as usize;
                    Problem::value(&self.times_place, row, Some(id), "stop_sequence", after.sequence, expected)
                });
            }
            same
        });
    }

    /// Puts the runs of a trip into the timetable.
    fn put(
        &self,
        trip: &FeedTrip,
        halts: &[Halt],
        service: usize,
        making: &Making<'_>,
        builder: &mut Builder,
        report: &mut FeedReport,
    ) {
        let Some(calls) = self.calls(trip, halts, builder, report) else { return };
        let mut run = Run {
            route: trip.route,
            id: format!("{}{}", making.prefix, trip.id).into(),
            headsign: trip.headsign.as_str().into(),
            day: 0,
            run: 0,
            capacity: making.capacities.of(builder.routes.kind[trip.route.row()]),
        };
        let own_start = calls[0].departure_s;
        let starts: Vec<u32> = if trip.by_frequency {
            trip.frequencies.iter().flat_map(|&(from, until, every)| (from..until).step_by(every as usize)).collect()
        } else {
            vec![own_start]
        };
        let mut moved = Vec::with_capacity(calls.len());
        // The first run whose calls all lie on the days, and how much later it is than the feed's times.
        let mut whole: Option<(CallsIx, i64)> = None;
        for (number, start) in starts.into_iter().enumerate() {
            run.run = number as u32;
            for day in making.services.days_of(service) {
                run.day = day;
                let later_s = i64::from(start) - i64::from(own_start) + i64::from(day) * i64::from(DAY_S);
                let is_whole = i64::from(calls[0].arrival_s) + later_s >= 0;
                if let Some((before, before_s)) = whole.filter(|_| is_whole) {
                    builder.push_again(run.clone(), before, later_s - before_s);
                    continue;
                }
                let today = calls.iter().filter(|call| i64::from(call.departure_s) + later_s >= 0);
                moved.clear();
                moved.extend(today.map(|call| Call {
                    arrival_s: (i64::from(call.arrival_s) + later_s).max(0) as u32,
                    departure_s: (i64::from(call.departure_s) + later_s) as u32,
                    ..*call
                }));
                if moved.len() >= 2 {
                    let pushed = builder.push(run.clone(), &moved);
                    whole = whole.or(pushed.filter(|_| is_whole).map(|pushed| (pushed, later_s)));
                }
            }
        }
    }

    /// A trip's halts with all times, if they make a trip.
    fn calls(&self, trip: &FeedTrip, halts: &[Halt], builder: &Builder, report: &mut FeedReport) -> Option<Vec<Call>> {
        let (Some(first), Some(last)) = (halts.first(), halts.last()) else {
            self.too_short(trip, 0, report);
            return None;
        };
        if halts.len() < 2 {
            self.too_short(trip, halts.len(), report);
            return None;
        }
        let untimed = [first, last].into_iter().find(|halt| halt.arrival_s == MISSING);
        if let Some(halt) = untimed {
            report.add(Defect::TripWithoutEndTimes, || {
                let expected = "times at the first and last stop of the trip";
                Problem::value(
                    &self.times_place,
                    halt.row as usize,
                    Some(&trip.id),
                    "arrival_time",
                    "(empty)",
                    expected,
                )
            });
            return None;
        }
        let mut calls: Vec<Call> = halts
            .iter()
            .map(|halt| Call {
                stop: halt.stop,
                arrival_s: halt.arrival_s,
                departure_s: halt.departure_s,
                flags: halt.flags,
            })
            .collect();
        let mut before: Option<&Halt> = None;
        for halt in halts.iter().filter(|halt| halt.arrival_s != MISSING) {
            let wrong = match before {
                Some(timed) if halt.arrival_s < timed.departure_s => {
                    Some(("arrival_time", halt.arrival_s, timed.departure_s))
                }
                _ if halt.departure_s < halt.arrival_s => Some(("departure_time", halt.departure_s, halt.arrival_s)),
                _ => None,
            };
            if let Some((field, time, least)) = wrong {
                report.add(Defect::TripDecreasing, || {
                    let (row, expected) = (halt.row as usize, format!("at least {}", clock(least)));
                    Problem::value(&self.times_place, row, Some(&trip.id), field, clock(time), expected)
                });
                return None;
            }
            before = Some(halt);
        }
        let missing = halts.iter().filter(|halt| halt.arrival_s == MISSING).count();
        if missing > 0 {
            interpolate(halts, &mut calls, builder);
            report.add(Defect::Interpolated, || {
                let expected = "times; they were put between those given";
                let value = format!("missing at {missing} of {} stops", halts.len());
                Problem::value(&self.times_place, first.row as usize, Some(&trip.id), "times", value, expected)
            });
            report.count_more(Defect::Interpolated, missing as u64 - 1);
        }
        Some(calls)
    }

    fn too_short(&self, trip: &FeedTrip, has: usize, report: &mut FeedReport) {
        report.add(Defect::TripTooShort, || {
            Problem::value(&self.place, trip.row, Some(&trip.id), "usable stop times", has, "at least 2")
        });
    }
}

/// A time of a row, or [`MISSING`].
fn time(row: &Row<'_>, id: &str, field: &str, column: Option<usize>, report: &mut FeedReport) -> u32 {
    let text = row.get(column);
    if text.is_empty() {
        return MISSING;
    }
    seconds(text).unwrap_or_else(|| {
        report.add(Defect::BadTime, || row.problem(id, field, text, "a time such as 06:30:00 or 25:10:00"));
        MISSING
    })
}

/// Fills in times that are missing between timed halts.
fn interpolate(halts: &[Halt], calls: &mut [Call], builder: &Builder) {
    let mut from = 0;
    for until in 1..halts.len() {
        if halts[until].arrival_s == MISSING {
            continue;
        }
        if until > from + 1 {
            let along = distances(&halts[from..=until], builder);
            let (start, end) = (calls[from].departure_s, calls[until].arrival_s);
            let span = f64::from(end - start) / along[until - from];
            for at in from + 1..until {
                let time = (start + (span * along[at - from]).round() as u32).min(end);
                (calls[at].arrival_s, calls[at].departure_s) = (time, time);
            }
        }
        from = until;
    }
}

/// How far each of some halts is along the way from the first, in any unit; the last is farther than 0.
fn distances(halts: &[Halt], builder: &Builder) -> Vec<f64> {
    let along = |length: &dyn Fn(usize) -> f64| -> Vec<f64> {
        let mut sum = 0.0;
        std::iter::once(0.0)
            .chain((1..halts.len()).map(|at| {
                sum += length(at);
                sum
            }))
            .collect()
    };
    // A step back, a missing value and an infinite one all fail the test.
    let usable = |along: &[f64]| {
        along.windows(2).all(|pair| pair[1] >= pair[0])
            && along.last().is_some_and(|&last| last > 0.0 && last.is_finite())
    };
    let given = along(&|at| halts[at].distance - halts[at - 1].distance);
    if usable(&given) {
        return given;
    }
    let stops = &builder.stops;
    let straight = along(&|at| {
        let (a, b) = (halts[at - 1].stop.row(), halts[at].stop.row());
        let north = stops.lat_deg[b] - stops.lat_deg[a];
        let east = (stops.lon_deg[b] - stops.lon_deg[a]) * stops.lat_deg[a].to_radians().cos();
        north.hypot(east)
    });
    if usable(&straight) { straight } else { along(&|_| 1.0) }
}

/// A time as GTFS writes it.
fn clock(time_s: u32) -> String {
    format!("{:02}:{:02}:{:02}", time_s / 3600, time_s / 60 % 60, time_s % 60)
}
