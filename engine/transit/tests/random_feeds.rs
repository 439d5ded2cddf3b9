//! Seeded random feeds, written as GTFS and known in the test as plain trips: what is read and what RAPTOR finds must
//! be what the plain trips say.

#![allow(clippy::print_stdout, reason = "the figures are what one looks for")]

mod common;

use common::{DATE, Halt, below, brute_force, check_journey, check_timetable, compare, trips_of};
use std::fmt::Write;
use urbis_core::rng::Rng;
use urbis_transit::StopIx;
use urbis_transit::feed;
use urbis_transit::footpaths::{Footpaths, WalkSettings};
use urbis_transit::frequency::{self, Change};
use urbis_transit::raptor::{NEVER_S, Query, Router};
use urbis_transit::timetable::{ALIGHT, BOARD, Capacities, Timetable, TransferKind};

const DAY_S: u32 = 86_400;

fn clock(time_s: u32) -> String {
    format!("{:02}:{:02}:{:02}", time_s / 3600, time_s / 60 % 60, time_s % 60)
}

/// A feed and the trips that run on the date.
struct Town {
    stops: usize,
    timetable: Timetable,
    trips: Vec<Vec<Halt>>,
}

/// A trip along stops: mostly at the pace of its line, sometimes so fast that it overtakes; some stand still.
fn halts(rng: &mut Rng, line: &[(usize, u8)], start_s: u32) -> Vec<Halt> {
    let pace = 1 + rng.below(3);
    let mut now = start_s;
    let halt = |&(stop, flags): &(usize, u8)| {
        let arrive_s = now;
        let leave_s = arrive_s + 20 * rng.below(3);
        now = leave_s + pace * 60 * rng.below(5);
        (stop, arrive_s, leave_s, flags)
    };
    line.iter().map(halt).collect()
}

/// The part of a trip of the day before that is on the date.
fn of_yesterday(trip: &[Halt]) -> Vec<Halt> {
    let late = trip.iter().filter(|halt| halt.2 >= DAY_S);
    late.map(|&(stop, arrive_s, leave_s, flags)| (stop, arrive_s.saturating_sub(DAY_S), leave_s - DAY_S, flags))
        .collect()
}

fn town(seed: u64) -> Town {
    let mut rng = Rng::new(seed, 0, 0, 1);
    let stops = 4 + below(&mut rng, 8);
    let mut texts = [
        "stop_id,stop_name,stop_lat,stop_lon\n".to_owned(),
        "route_id,route_short_name,route_type\n".to_owned(),
        "trip_id,route_id,service_id\n".to_owned(),
        "trip_id,stop_id,stop_sequence,arrival_time,departure_time,pickup_type,drop_off_type\n".to_owned(),
        "trip_id,start_time,end_time,headway_secs,exact_times\n".to_owned(),
    ];
    let [stop_rows, route_rows, trip_rows, time_rows, frequency_rows] = &mut texts;
    for stop in 0..stops {
        writeln!(stop_rows, "s{stop},Stop,45.0{stop:02},7.0{:02}", rng.below(99)).unwrap();
    }
    let mut trips = Vec::new();
    for line in 0..2 + below(&mut rng, 5) {
        writeln!(route_rows, "r{line},{line},{}", rng.below(8)).unwrap();
        let flags = |rng: &mut Rng| if rng.chance(0.85) { BOARD | ALIGHT } else { rng.below(4) as u8 };
        let length = 2 + below(&mut rng, 6);
        let way: Vec<(usize, u8)> = (0..length).map(|_| (below(&mut rng, stops), flags(&mut rng))).collect();
        for number in 0..1 + below(&mut rng, 8) {
            let by_frequency = rng.chance(0.15);
            let start_s = if by_frequency { 0 } else { [0, 22 * 3600][below(&mut rng, 2)] + rng.below(4 * 3600) };
            let trip = halts(&mut rng, &way, start_s);
            let service = ["today", "yesterday", "both", "never"][below(&mut rng, 4)];
            let id = format!("t{line}_{number}");
            writeln!(trip_rows, "{id},r{line},{service}").unwrap();
            for (sequence, &(stop, arrive_s, leave_s, flags)) in trip.iter().enumerate() {
                let (board, alight) = (u8::from(flags & BOARD == 0), u8::from(flags & ALIGHT == 0));
                let (arrive, leave) = (clock(arrive_s), clock(leave_s));
                writeln!(time_rows, "{id},s{stop},{},{arrive},{leave},{board},{alight}", sequence * 5).unwrap();
            }
            let mut runs = vec![trip.clone()];
            if by_frequency {
                let (from, every) = (3600 + rng.below(23 * 3600), 60 + rng.below(1200));
                let until = from + 1 + rng.below(2 * 3600);
                writeln!(frequency_rows, "{id},{},{},{every},1", clock(from), clock(until)).unwrap();
                // The first departure is the start, whatever the first arrival.
                let move_by = |start: u32| -> Vec<Halt> {
                    let at = |time: u32| (time + start).saturating_sub(trip[0].2);
                    trip.iter()
                        .map(|&(stop, arrive_s, leave_s, flags)| (stop, at(arrive_s), at(leave_s), flags))
                        .collect()
                };
                runs = (from..until).step_by(every as usize).map(move_by).collect();
            }
            if matches!(service, "today" | "both") {
                trips.extend(runs.iter().cloned());
            }
            if matches!(service, "yesterday" | "both") {
                trips.extend(runs.iter().map(|run| of_yesterday(run)).filter(|run| run.len() >= 2));
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let names = ["stops.txt", "routes.txt", "trips.txt", "stop_times.txt", "frequencies.txt"];
    names.iter().zip(&texts).for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
    let days = "service_id,date,exception_type\ntoday,20260708,1\nyesterday,20260707,1\nboth,20260708,1\n\
        both,20260707,1\nnever,20260709,1\n";
    std::fs::write(folder.path().join("calendar_dates.txt"), days).unwrap();
    let read = feed::read(&[folder.path().to_owned()], DATE, &Capacities::default());
    Town { stops, timetable: read.timetable, trips }
}

fn walks(rng: &mut Rng, stops: usize) -> Footpaths {
    let stop = |rng: &mut Rng| StopIx(rng.below(stops as u32));
    let list: Vec<_> = (0..stops * 2).map(|_| (stop(rng), stop(rng), 30 * rng.below(30))).collect();
    Footpaths::from_list(stops, &list, 30 * rng.below(5))
}

fn query(rng: &mut Rng, stops: usize) -> Query {
    let ends = |rng: &mut Rng| -> Vec<(StopIx, u32)> {
        (0..1 + rng.below(2)).map(|_| (StopIx(rng.below(stops as u32)), 60 * rng.below(10))).collect()
    };
    Query {
        depart_s: [0, 22 * 3600][below(rng, 2)] + rng.below(4 * 3600),
        access: ends(rng),
        egress: ends(rng),
        walk_s: rng.chance(0.3).then(|| 60 * rng.below(120)),
        rides_max: 4,
    }
}

#[test]
fn feeds_are_read_as_they_were_written() {
    let mut runs = 0;
    for seed in 0..300 {
        let town = town(seed);
        check_timetable(&town.timetable);
        let mut read = trips_of(&town.timetable);
        let mut written = town.trips;
        read.sort();
        written.sort();
        assert_eq!(read, written, "seed {seed}");
        runs += read.len();
    }
    assert!(runs > 5000, "{runs}");
}

#[test]
fn raptor_agrees_with_the_exhaustive_search() {
    let mut overtaking = 0;
    for seed in 0..400 {
        let town = town(seed);
        let shapes = town.timetable.patterns.len();
        overtaking += usize::from(shapes > town.timetable.routes.id.len());
        let mut rng = Rng::new(seed, 0, 0, 2);
        let footpaths = walks(&mut rng, town.stops);
        for _ in 0..20 {
            let query = query(&mut rng, town.stops);
            compare(&town.timetable, &footpaths, &town.trips, &query);
        }
    }
    assert!(overtaking > 100, "{overtaking}");
}

#[test]
fn profiles_hold_what_single_queries_find() {
    let mut found = 0;
    for seed in 0..200 {
        let town = town(seed);
        let mut rng = Rng::new(seed, 0, 0, 3);
        let footpaths = walks(&mut rng, town.stops);
        let query = Query { walk_s: None, ..query(&mut rng, town.stops) };
        let until_s = query.depart_s + 3600;
        let router = Router::new(&town.timetable, &footpaths);
        let journeys = router.profile(&query, until_s, &mut router.scratch(4));
        journeys.iter().for_each(|journey| check_journey(&town.timetable, &footpaths, &query, journey));
        found += journeys.len();
        for (a, one) in journeys.iter().enumerate() {
            let beaten = journeys.iter().enumerate().any(|(b, other)| {
                a != b
                    && other.depart_s >= one.depart_s
                    && other.arrive_s <= one.arrive_s
                    && other.rides() <= one.rides()
            });
            assert!(!beaten, "seed {seed}: {journeys:?}");
        }
        for depart_s in (query.depart_s..=until_s).step_by(60) {
            let rounds = brute_force(&town.trips, &footpaths, depart_s, &query.access, 4);
            for (rides, (ride, _)) in rounds.iter().enumerate() {
                let ends = query.egress.iter().map(|(stop, seconds)| ride[stop.row()].saturating_add(*seconds));
                let usable = journeys.iter().filter(|of| of.depart_s >= depart_s && of.rides() <= rides);
                let best = usable.map(|of| of.arrive_s).min().unwrap_or(NEVER_S);
                assert_eq!(best, ends.min().unwrap(), "seed {seed}, {depart_s}, {rides} rides");
            }
        }
    }
    assert!(found > 100, "{found}");
}

#[test]
fn transfers_of_the_feed_win_over_straight_lines() {
    let mut timetable = common::good();
    let stop = |id: &str| timetable.stop_of(id).unwrap();
    let (a, b, b2, c) = (stop("A"), stop("B"), stop("B2"), stop("C"));
    let settings = WalkSettings::default();
    let paths = Footpaths::straight(&timetable, &settings);
    let walk = |paths: &Footpaths, from, to| paths.from(from).find(|of| of.0 == to).map(|of| of.1);
    // 0.0001 degrees of latitude are 11 m.
    assert_eq!(walk(&paths, b, b2), Some(11));
    assert_eq!((walk(&paths, a, b), paths.change_s[a.row()]), (None, 60));
    let transfer = |from, to, kind, detail| urbis_transit::timetable::Transfer { from, to, kind, detail };
    timetable.transfers = vec![
        transfer(b, b2, TransferKind::Takes(240), 2),
        transfer(b, b2, TransferKind::Guaranteed, 0),
        transfer(b2, b, TransferKind::Never, 2),
        transfer(a, c, TransferKind::Recommended, 2),
        transfer(b, b, TransferKind::Takes(30), 2),
    ];
    let paths = Footpaths::straight(&timetable, &settings);
    assert_eq!((walk(&paths, b, b2), walk(&paths, b2, b), paths.change_s[b.row()]), (Some(240), None, 30));
    let far = walk(&paths, a, c).unwrap();
    assert!((3100..3150).contains(&far), "{far}");
}

#[test]
fn frequencies_keep_what_they_do_not_change() {
    let (mut more, mut fewer) = (0, 0);
    for seed in 0..200 {
        let change_by = |factor: f64, window_s: (u32, u32)| {
            let timetable = town(seed).timetable;
            let routes = (0..timetable.routes.id.len()).map(|route| route % 2 == 0).collect();
            let change = Change { routes, window_s, days: (i64::MIN, i64::MAX), factor };
            let (changed, _) = frequency::change(timetable, &change);
            check_timetable(&changed);
            changed
        };
        let window_s = (7 * 3600, 18 * 3600);
        let sorted = |timetable: &Timetable| {
            let mut trips = trips_of(timetable);
            trips.sort();
            trips
        };
        let plain = town(seed).timetable;
        assert_eq!(sorted(&change_by(1.0, window_s)), sorted(&plain));
        assert_eq!(sorted(&change_by(3.0, (0, 0))), sorted(&plain));
        let (thrice, third) = (change_by(3.0, window_s), change_by(1.0 / 3.0, window_s));
        let contains = |all: &Timetable, part: &Timetable| {
            let mut all = sorted(all);
            sorted(part).iter().all(|trip| all.iter().position(|of| of == trip).map(|at| all.swap_remove(at)).is_some())
        };
        assert!(contains(&thrice, &plain), "seed {seed}: all who left still leave");
        assert!(contains(&plain, &third), "seed {seed}: fewer are some of those who left");
        more += thrice.trips_len() - plain.trips_len();
        fewer += plain.trips_len() - third.trips_len();
        let mut names: Vec<_> = (0..thrice.trips_len())
            .map(|row| (&thrice.trips.id[row], thrice.trips.day[row], thrice.trips.run[row]))
            .collect();
        names.sort();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "every run can be named");
    }
    println!("{more} departures more, {fewer} fewer");
    assert!(more > 100 && fewer > 100);
}
