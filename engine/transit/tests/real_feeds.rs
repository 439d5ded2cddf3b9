//! The feeds of Porto Alegre and Coquimbo: what is in them, RAPTOR against the exhaustive search, time per search.
#![allow(clippy::print_stdout, reason = "the figures are what one looks for")]

mod common;

use common::{COQUIMBO_DATE, PORTO_ALEGRE_DATE, below, check_timetable, compare, coquimbo, porto_alegre, trips_of};
use urbis_core::rng::Rng;
use urbis_transit::StopIx;
use urbis_transit::feed;
use urbis_transit::footpaths::{Footpaths, WalkSettings, stops_near};
use urbis_transit::raptor::{Query, Router};
use urbis_transit::report::{Defect, FeedReport};
use urbis_transit::timetable::{Capacities, Timetable};

fn read() -> Option<(Timetable, FeedReport)> {
    let feeds = porto_alegre()?;
    Some(feed::read(&feeds, PORTO_ALEGRE_DATE, &Capacities::default()).into_result().unwrap())
}

/// A query between two random stops with walks to those near them.
fn query(timetable: &Timetable, rng: &mut Rng) -> Query {
    let settings = WalkSettings { radius_m: 500.0, ..WalkSettings::default() };
    let mut near = || {
        let stop = below(rng, timetable.stops_len());
        stops_near(timetable, timetable.stops.x_m[stop], timetable.stops.y_m[stop], &settings)
    };
    let (access, egress) = (near(), near());
    let depart_s = 5 * 3600 + rng.below(18 * 3600);
    let walk_s = rng.chance(0.5).then(|| 600 + rng.below(7200));
    Query { depart_s, access, egress, walk_s, rides_max: 4 }
}

#[test]
fn the_report_says_what_is_there() {
    let Some((timetable, report)) = read() else { return };
    check_timetable(&timetable);
    for (defect, finding) in report.findings() {
        println!("{:?} {}: {} such as {}", defect.severity(), defect.name(), finding.count, finding.examples[0]);
    }
    println!("{:?}", report.feeds);
    println!(
        "{} stops, {} routes, {} patterns, {} trips, {} stop times",
        timetable.stops_len(),
        timetable.routes.id.len(),
        timetable.patterns.len(),
        timetable.trips_len(),
        timetable.calls_len()
    );
    assert_eq!((report.feeds[0].trips, report.feeds[1].trips), (2374, 1248));
    assert!(report.count(Defect::Interpolated) > 100_000);
    assert_eq!(timetable.time_zone, "America/Sao_Paulo");
}

#[test]
fn a_thousand_queries_of_porto_alegre_agree_with_the_exhaustive_search() {
    let Some((timetable, _)) = read() else { return };
    a_thousand_queries_agree(&timetable);
}

#[test]
fn a_thousand_queries_of_coquimbo_agree_with_the_exhaustive_search() {
    let Some(feed) = coquimbo() else { return };
    let (timetable, report) = feed::read(&[feed], COQUIMBO_DATE, &Capacities::default()).into_result().unwrap();
    check_timetable(&timetable);
    assert_eq!((timetable.stops_len(), report.feeds[0].trips), (78, 1007));
    assert_eq!((timetable.trips_len(), timetable.time_zone.as_str()), (360, "America/Santiago"));
    a_thousand_queries_agree(&timetable);
}

fn a_thousand_queries_agree(timetable: &Timetable) {
    let footpaths = Footpaths::straight(timetable, &WalkSettings::default());
    let trips = trips_of(timetable);
    let mut reached = 0;
    for number in 0..1000 {
        let query = query(timetable, &mut Rng::new(1, number, 0, 0));
        compare(timetable, &footpaths, &trips, &query);
        let router = Router::new(timetable, &footpaths);
        reached += usize::from(!router.journeys(&query, &mut router.scratch(4)).is_empty());
    }
    println!("{reached} of 1000 queries have a journey");
    assert!(reached > 500);
}

#[test]
fn batches_are_the_same_on_any_number_of_threads() {
    let Some((timetable, _)) = read() else { return };
    let footpaths = Footpaths::straight(&timetable, &WalkSettings::default());
    let router = Router::new(&timetable, &footpaths);
    let queries: Vec<Query> = (0..200).map(|number| query(&timetable, &mut Rng::new(2, number, 0, 0))).collect();
    let starts: Vec<(u32, Vec<(StopIx, u32)>)> =
        queries.iter().map(|query| (query.depart_s, query.access.clone())).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (router.journeys_batch(&queries), router.earliest_arrivals_batch(&starts, 4)))
    };
    let one = on(1);
    assert!([2, 3, 8].iter().all(|&threads| on(threads) == one));
}

#[test]
fn time_per_search() {
    let Some((timetable, _)) = read() else { return };
    let footpaths = Footpaths::straight(&timetable, &WalkSettings::default());
    let router = Router::new(&timetable, &footpaths);
    let queries: Vec<Query> =
        (0..500).map(|number| Query { walk_s: None, ..query(&timetable, &mut Rng::new(3, number, 0, 0)) }).collect();
    #[allow(clippy::disallowed_methods, reason = "the test shows how long searches take")]
    let now = std::time::Instant::now;
    let mut scratch = router.scratch(4);
    let time = |name: &str, work: &mut dyn FnMut(&Query) -> u64| {
        let start = now();
        let sum: u64 = queries.iter().map(&mut *work).sum();
        let ms = start.elapsed().as_secs_f64() * 1000.0 / queries.len() as f64;
        println!("{name}: {ms:.3} ms a search ({sum})");
    };
    time("one to all", &mut |query| {
        let arrivals = router.earliest_arrivals(query.depart_s, &query.access, &mut scratch);
        arrivals.iter().filter(|&&of| of != u32::MAX).count() as u64
    });
    time("one to one", &mut |query| router.journeys(query, &mut router.scratch(4)).len() as u64);
    time("profile, one hour", &mut |query| {
        router.profile(query, query.depart_s + 3600, &mut router.scratch(4)).len() as u64
    });
    println!("{} walks between stops", footpaths.len());
}
