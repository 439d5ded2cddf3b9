//! Several days of service: each by its own calendar, trips past midnight on both sides of every midnight, and the same
//! timetable as that of each day by itself.
#![allow(clippy::print_stdout, reason = "the figures are what one looks for")]

mod common;

use common::{GOOD, PORTO_ALEGRE_DATE, check_timetable, porto_alegre, write};
use jiff::civil::{Date, date};
use std::path::PathBuf;
use urbis_transit::footpaths::Footpaths;
use urbis_transit::journey::Leg;
use urbis_transit::operation::{Operation, PlannedRide};
use urbis_transit::raptor::{Query, Router};
use urbis_transit::report::Defect;
use urbis_transit::timetable::{Capacities, Timetable};
use urbis_transit::{StopIx, TransitTripIx, feed};

const DAY_S: u32 = 86_400;
const FRIDAY: Date = date(2026, 7, 10);

/// Weekdays at 8:00 (and not on Monday the 13th), weekends at 10:00, and a night bus that leaves Fridays at 25:10.
const WEEK: [(&str, &str); 6] = [
    ("agency.txt", "agency_name,agency_timezone\nAgency,Europe/Rome\n"),
    ("stops.txt", "stop_id,stop_name,stop_lat,stop_lon\nA,Alpha,45.00,7.00\nB,Beta,45.01,7.00\n"),
    ("routes.txt", "route_id,route_short_name,route_type\nR,1,3\n"),
    (
        "calendar.txt",
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n\
         week,1,1,1,1,1,0,0,20260101,20261231\nend,0,0,0,0,0,1,1,20260101,20261231\n\
         night,0,0,0,0,1,0,0,20260101,20261231\n",
    ),
    ("calendar_dates.txt", "service_id,date,exception_type\nweek,20260713,2\n"),
    ("trips.txt", "route_id,service_id,trip_id\nR,week,W\nR,end,E\nR,night,N\n"),
];
const TIMES: &str = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nW,08:00:00,08:00:00,A,1\n\
                     W,08:10:00,08:10:00,B,2\nE,10:00:00,10:00:00,A,1\nE,10:10:00,10:10:00,B,2\n\
                     N,25:10:00,25:10:00,A,1\nN,25:20:00,25:20:00,B,2\n";

fn week(first: Date, days: u16) -> Timetable {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &WEEK);
    write(folder.path(), &[("stop_times.txt", TIMES)]);
    let read = feed::read_days(&[folder.path().to_owned()], first, days, &Capacities::default());
    assert_eq!(read.report.count(Defect::BadTime), 0);
    let (timetable, _) = read.into_result().unwrap();
    check_timetable(&timetable);
    timetable
}

/// (trip, day of service, departure) in order of departure.
fn departures(timetable: &Timetable) -> Vec<(String, i16, u32)> {
    let trip = |row: usize| {
        let at = timetable.departure_at(TransitTripIx(row as u32), 0);
        (timetable.trips.id[row].to_string(), timetable.trips.day[row], at)
    };
    let mut all: Vec<_> = (0..timetable.trips_len()).map(trip).collect();
    all.sort_by_key(|of| of.2);
    all
}

#[test]
fn each_day_has_its_own_service() {
    let hour = |day: u32, hour: u32, minute: u32| day * DAY_S + hour * 3600 + minute * 60;
    let of = |id: &str, day, at| (id.to_owned(), day, at);
    let four = week(FRIDAY, 4);
    let expected = [
        of("W", 0, hour(0, 8, 0)),
        // Friday's night bus at 25:10 is Saturday's at 1:10.
        of("N", 0, hour(1, 1, 10)),
        of("E", 1, hour(1, 10, 0)),
        of("E", 2, hour(2, 10, 0)),
    ];
    assert_eq!(departures(&four), expected);
    assert_eq!(four.days_without_service(), [date(2026, 7, 13)]);
    // Sunday's trip has the times of Saturday's.
    assert_eq!((four.calls_len(), four.kept_calls_len()), (8, 6));
    // The Saturday before has the night bus of a day that is not in the period.
    let two = week(FRIDAY.tomorrow().unwrap(), 2);
    assert_eq!(departures(&two)[0], of("N", -1, hour(0, 1, 10)));
    assert_eq!(two.trips_len(), 3);
    assert!(two.days_without_service().is_empty());
}

#[test]
fn people_ride_on_every_day() {
    let timetable = week(FRIDAY, 3);
    let footpaths = Footpaths::from_list(timetable.stops_len(), &[], 60);
    let router = Router::new(&timetable, &footpaths);
    let ride_from = |depart_s: u32| {
        let query = Query {
            depart_s,
            access: vec![(StopIx(0), 60)],
            egress: vec![(StopIx(1), 60)],
            walk_s: None,
            rides_max: 2,
        };
        let journey = router.journeys(&query, &mut router.scratch(2)).pop()?;
        let Leg::Ride { start_s, .. } = journey.legs[1] else { panic!("{journey:?}") };
        Some((start_s, router.planned_rides(&journey)))
    };
    let leaves = |depart_s: u32| ride_from(depart_s).map(|of| of.0);
    assert_eq!(leaves(7 * 3600), Some(8 * 3600));
    assert_eq!(leaves(9 * 3600), Some(DAY_S + 4200), "the night bus");
    assert_eq!(leaves(DAY_S + 4200), Some(DAY_S + 36_000), "a minute late for it");
    assert_eq!(leaves(DAY_S + 11 * 3600), Some(2 * DAY_S + 36_000));
    assert_eq!(leaves(2 * DAY_S + 36_000), None);
    let mut operation = Operation::new(timetable.clone().into());
    for (id, depart_s) in [(0, 7 * 3600), (1, 9 * 3600), (2, DAY_S + 5000), (3, DAY_S + 11 * 3600)] {
        operation.hand_in(id, depart_s + 60, &ride_from(depart_s).unwrap().1).unwrap();
        operation.check().unwrap();
    }
    // Whom no later vehicle takes still waits.
    operation
        .hand_in(4, 2 * DAY_S + 36_001, &[PlannedRide { trip: None, board: StopIx(0), alight: StopIx(1), walk_s: 0 }])
        .unwrap();
    operation.advance(4 * DAY_S);
    operation.check().unwrap();
    let arrived: Vec<u32> = operation.take_arrived().into_iter().map(|of| of.1 / 3600).collect();
    assert_eq!(arrived, [8, 25, 34, 58]);
    assert_eq!(operation.stranded(), [4]);
}

/// Stop by stop: (trip, run, stop, arrival, departure) of all trips, sorted.
fn calls(timetable: &Timetable, day: i16, later_s: u32) -> Vec<(String, u32, u32, u32, u32)> {
    let mut all = Vec::new();
    for trip in (0..timetable.trips_len() as u32).map(TransitTripIx).filter(|of| timetable.trips.day[of.row()] == day) {
        let times = timetable.arrivals_s(trip).into_iter().zip(timetable.departures_s(trip));
        for (stop, (arrival, departure)) in timetable.trip_stops(trip).iter().zip(times) {
            let (id, run) = (timetable.trips.id[trip.row()].to_string(), timetable.trips.run[trip.row()]);
            all.push((id, run, stop.0, arrival + later_s, departure + later_s));
        }
    }
    all.sort_unstable();
    all
}

fn days_are_each_their_own(paths: &[PathBuf], first: Date, days: u16) -> (usize, usize) {
    let read =
        |date: Date, days: u16| feed::read_days(paths, date, days, &Capacities::default()).into_result().unwrap().0;
    let together = read(first, days);
    check_timetable(&together);
    let mut rows = 0;
    for (nth, date) in first.series(jiff::Span::new().days(1)).take(usize::from(days)).enumerate() {
        let alone = read(date, 1);
        if nth == 0 {
            assert_eq!(calls(&together, -1, 0), calls(&alone, -1, 0));
            rows += calls(&alone, -1, 0).len();
        }
        let of_day = calls(&alone, 0, nth as u32 * DAY_S);
        assert_eq!(calls(&together, nth as i16, 0), of_day, "{date}");
        rows += of_day.len();
    }
    assert_eq!(rows, together.calls_len());
    (together.kept_calls_len(), read(first, 1).kept_calls_len())
}

#[test]
fn several_days_are_what_each_is_alone() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &GOOD);
    // Wednesday with an extra service, Thursday without its own, Friday.
    let wednesday = date(2026, 7, 8);
    let read = feed::read_days(&[folder.path().to_owned()], wednesday, 3, &Capacities::default());
    assert_eq!(read.timetable.days_without_service(), [date(2026, 7, 9)]);
    // Two buses of three stops and a tram of two, whose headway and days cost nothing more.
    assert_eq!(read.timetable.kept_calls_len(), 3 + 3 + 2);
    let Some(feeds) = porto_alegre() else { return };
    let (three, one) = days_are_each_their_own(&feeds, PORTO_ALEGRE_DATE, 3);
    println!("{three} stop times are kept for three days, {one} for one");
    assert!(three < one + one / 100 + 1000);
}
