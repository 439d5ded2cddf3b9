//! Dynamic equilibria with known answers, choice models, and the same results on any number of threads.

use urbis_assignment::dynamic::informed::{Informed, PresentTimes};
use urbis_assignment::dynamic::{
    DepartureChoice, InstantaneousOptimum, Logit, Options, Outcome, ScheduleCosts, Search, Searcher, Start, Switching,
    Trip, equilibrate, instantaneous_optimum, path_sizes,
};
use urbis_core::rng::Rng;
use urbis_core::{CarLinkIx, Error, TripIx};
use urbis_traffic::synthetic::{LinkKind, add_link, random_network};
use urbis_traffic::time::{from_seconds, to_seconds};
use urbis_traffic::{CarNetwork, Engine, NetworkColumns};

const SPEED: f64 = 20.0;

/// A road of a free time and a capacity, with room for everybody.
fn road(free_s: f64, capacity_vps: f64) -> LinkKind {
    LinkKind { length_m: free_s * SPEED, speed_mps_free: SPEED, capacity_vps, jam_density_vpm: 2.0 }
}

fn network(nodes: usize, links: &[(u32, u32, LinkKind)]) -> CarNetwork {
    let mut columns =
        NetworkColumns { x_m: (0..nodes).map(|n| n as f64).collect(), y_m: vec![0.0; nodes], ..Default::default() };
    for &(from, to, kind) in links {
        add_link(&mut columns, from, to, kind);
    }
    CarNetwork::from_columns(columns).unwrap()
}

fn flow(from: u32, to: u32, rate_vps: f64, seconds: f64) -> Vec<Trip> {
    let count = (rate_vps * seconds).round() as u32;
    (0..count).map(|n| Trip { depart_s: f64::from(n) / rate_vps, from, to, wish_s: None }).collect()
}

fn run(network: &CarNetwork, trips: &[Trip], options: &Options) -> Outcome {
    equilibrate(network, trips, options, &mut |_| true).unwrap()
}

/// Two routes: 300 s and a bottleneck of `fast_vps`, 480 s and one of `slow_vps`.
fn two_routes(fast_vps: f64, slow_vps: f64) -> CarNetwork {
    network(
        5,
        &[
            (0, 1, road(20.0, 4.0)),
            (1, 2, road(250.0, 4.0)),
            (2, 4, road(30.0, fast_vps)),
            (1, 3, road(430.0, 4.0)),
            (3, 4, road(30.0, slow_vps)),
        ],
    )
}

/// With a demand of 1 veh/s all take the fast route until its queue costs the 180 s that the other is
/// longer. From then on, with capacities of 0.5 and 0.3, both queues grow alike by 1 / 0.8 - 1 s per s, and
/// the routes are used in proportion to their capacities.
#[test]
fn parallel_bottlenecks_share_by_capacity() {
    let network = two_routes(0.5, 0.3);
    let trips = flow(0, 4, 1.0, 1800.0);
    let options = Options { days_max: 80, gap: 0.001, ..Options::default() };
    let outcome = run(&network, &trips, &options);
    let last = outcome.days[outcome.days.len() - 1];
    assert!(last.relative_gap < 0.03 && last.relative_gap < outcome.days[0].relative_gap / 10.0, "{last:?}");
    let slow = CarLinkIx(3);
    let on_slow = outcome.route.iter().filter(|&&route| outcome.table.links(route).contains(&slow)).count() as f64;
    let expected = 1620.0 * 0.375;
    assert!((on_slow / expected - 1.0).abs() < 0.05, "{on_slow} of {expected}");
    let known_s = |depart_s: f64| 300.0 + depart_s.min(180.0) + 0.25 * (depart_s - 180.0).max(0.0);
    let mut error_s = 0.0;
    for (row, trip) in trips.iter().enumerate() {
        error_s += (outcome.day.arrive_s[row] - trip.depart_s - known_s(trip.depart_s)).abs();
    }
    assert!(error_s / 1800.0 < 15.0, "mean error {} s of 653 on average", error_s / 1800.0);
    let total: f64 = trips.iter().map(|trip| known_s(trip.depart_s)).sum();
    assert!((last.total_travel_time_s / total - 1.0).abs() < 0.02, "{} {total}", last.total_travel_time_s);
}

/// Where both can carry what the first cannot, its queue stays at the difference of free times.
#[test]
fn an_uncongested_detour_holds_the_queue() {
    let network = two_routes(0.5, 1.0);
    let trips = flow(0, 4, 1.0, 1800.0);
    let outcome = run(&network, &trips, &Options { days_max: 80, gap: 0.001, ..Options::default() });
    let on_slow =
        outcome.route.iter().filter(|&&route| outcome.table.links(route).contains(&CarLinkIx(3))).count() as f64;
    assert!((on_slow / 810.0 - 1.0).abs() < 0.05, "{on_slow}");
    let mean = (900..1800).map(|row| outcome.day.arrive_s[row] - trips[row].depart_s).sum::<f64>() / 900.0;
    assert!((mean - 480.0).abs() < 5.0, "{mean}");
}

/// Vickrey 1969: `n` travellers, a bottleneck of `s`, the same wish. In equilibrium everybody bears
/// `beta gamma / (beta + gamma) n / s` beside the free time, the rush lasts `n / s`, of which the share
/// `gamma / (beta + gamma)` arrives early.
#[test]
fn one_bottleneck_as_in_vickrey() {
    let (count, capacity_vps, wish_s) = (1200_u32, 0.5, 7200.0);
    let network = network(3, &[(0, 1, road(60.0, 8.0)), (1, 2, road(60.0, capacity_vps))]);
    let costs = ScheduleCosts { travel: 1.0, early: 0.5, late: 2.0 };
    let window = (3000.0, 9000.0);
    let trips: Vec<Trip> = (0..count)
        .map(|n| {
            let depart_s = window.0 + (window.1 - window.0) * f64::from(n) / f64::from(count);
            Trip { depart_s, from: 0, to: 2, wish_s: Some(wish_s) }
        })
        .collect();
    let options = Options {
        days_max: 300,
        gap: 0.0,
        switching: Switching::Gain { rate: 0.5, damping: 0.05 },
        departure: Some(DepartureChoice {
            costs,
            earliest_s: window.0,
            latest_s: window.1,
            step_s: 30.0,
            anticipation: 1.0,
        }),
        ..Options::default()
    };
    let outcome = run(&network, &trips, &options);
    let (rush_s, free_s) = (f64::from(count) / capacity_vps, 120.0);
    let cost_s = 0.5 * 2.0 / 2.5 * rush_s;
    let last = outcome.days[outcome.days.len() - 1];
    assert!(last.relative_gap < 0.06 && last.relative_gap < outcome.days[0].relative_gap / 10.0, "{last:?}");
    assert!(((last.mean_cost_s - free_s) / cost_s - 1.0).abs() < 0.05, "{} of {cost_s}", last.mean_cost_s - free_s);
    let sorted = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values
    };
    let (departs, arrivals) = (sorted(outcome.depart_s), sorted(outcome.day.arrive_s));
    let early = arrivals.partition_point(|&at_s| at_s <= wish_s) as f64 / f64::from(count);
    assert!((early - 0.8).abs() < 0.04, "{early}");
    // A few stray; so not the very first and last, but those after and before a fiftieth.
    let within = |share: f64| (share * f64::from(count)) as usize;
    let known = |share: f64| wish_s - 0.8 * rush_s + share * rush_s;
    for share in [0.02, 0.25, 0.5, 0.75, 0.98] {
        let at_s = arrivals[within(share)];
        assert!((at_s - known(share)).abs() < 0.06 * rush_s, "{share}: {at_s}, {}", known(share));
    }
    // The queue is longest for who arrives in time: the cost in waiting alone, at the capacity.
    let under_way = |at_s: f64| departs.partition_point(|&d| d <= at_s) - arrivals.partition_point(|&a| a <= at_s);
    let most = departs.iter().map(|&at_s| under_way(at_s)).max().unwrap() as f64;
    let known = (cost_s + free_s) * capacity_vps;
    assert!((most / known - 1.0).abs() < 0.08, "{most} of {known}");
}

/// Without anticipation the same rush swings: the option does something.
#[test]
fn anticipation_calms_the_rush() {
    let network = network(3, &[(0, 1, road(60.0, 8.0)), (1, 2, road(60.0, 0.5))]);
    let trips: Vec<Trip> = (0..600)
        .map(|n| Trip { depart_s: 1000.0 + 5.0 * f64::from(n), from: 0, to: 2, wish_s: Some(3000.0) })
        .collect();
    let late_gap = |anticipation: f64| {
        let costs = ScheduleCosts { travel: 1.0, early: 0.5, late: 2.0 };
        let options = Options {
            days_max: 120,
            gap: 0.0,
            switching: Switching::Gain { rate: 0.5, damping: 0.05 },
            departure: Some(DepartureChoice {
                costs,
                earliest_s: 1000.0,
                latest_s: 4000.0,
                step_s: 30.0,
                anticipation,
            }),
            ..Options::default()
        };
        let days = run(&network, &trips, &options).days;
        days[60..].iter().map(|day| day.relative_gap).sum::<f64>() / 60.0
    };
    assert!(late_gap(1.0) < 0.5 * late_gap(0.0));
}

/// Three equal roads without congestion, two of which share three quarters of their length.
fn overlapping() -> CarNetwork {
    network(
        4,
        &[
            (0, 1, road(300.0, 2.0)),
            (1, 2, road(100.0, 2.0)),
            (1, 2, road(100.0, 2.0)),
            (0, 3, road(300.0, 2.0)),
            (3, 2, road(100.0, 2.0)),
        ],
    )
}

fn shares(outcome: &Outcome, links: [u32; 3]) -> [f64; 3] {
    let served = outcome.route.len() as f64;
    links.map(|link| {
        let takes = |route: &&u32| outcome.table.links(**route).contains(&CarLinkIx(link));
        outcome.route.iter().filter(takes).count() as f64 / served
    })
}

#[test]
fn logit_shares_follow_costs_and_path_sizes() {
    let network = overlapping();
    let trips = flow(0, 2, 0.5, 6000.0);
    let with = |path_size_weight: f64| {
        let logit = Logit { theta_per_s: 0.005, path_size_weight, period_s: 6000.0, ..Logit::default() };
        run(&network, &trips, &Options { days_max: 40, gap: 0.0, logit: Some(logit), ..Options::default() })
    };
    // Free roads: a third each. Three standard deviations of 3,000 draws are 0.026.
    let plain = shares(&with(0.0), [1, 2, 3]);
    assert!(plain.iter().all(|share| (share - 1.0 / 3.0).abs() < 0.04), "{plain:?}");
    // The pair counts 0.625 each by length, the third 1.
    let routes = [[0, 1], [0, 2], [3, 4]].map(|links| links.map(CarLinkIx));
    let sizes = path_sizes(&[&routes[0], &routes[1], &routes[2]], &network.length_m);
    assert!((sizes[0] - 0.625).abs() < 1e-12 && (sizes[2] - 1.0).abs() < 1e-12);
    let total: f64 = sizes.iter().sum();
    let sized = shares(&with(1.0), [1, 2, 3]);
    assert!(sized.iter().zip(&sizes).all(|(share, size)| (share - size / total).abs() < 0.04), "{sized:?}");
}

fn random_trips(network: &CarNetwork, count: u32, seed: u64) -> Vec<Trip> {
    (0..count)
        .map(|n| {
            let mut rng = Rng::new(seed, n, 0, 7);
            let nodes = network.nodes() as u32;
            let wish_s = rng.chance(0.5).then(|| 1500.0 + rng.uniform() * 600.0);
            Trip { depart_s: rng.uniform() * 900.0, from: rng.below(nodes), to: rng.below(nodes), wish_s }
        })
        .collect()
}

fn bits(outcome: &Outcome) -> (Vec<u32>, Vec<u64>, Vec<u64>) {
    let gaps = outcome.days.iter().flat_map(|day| [day.relative_gap.to_bits(), day.switched]).collect();
    (outcome.route.clone(), gaps, outcome.cost_s.iter().map(|cost| cost.to_bits()).collect())
}

#[test]
fn the_same_on_any_number_of_threads() {
    let network = random_network(60, 80, 5).unwrap();
    let trips = random_trips(&network, 3000, 9);
    let costs = ScheduleCosts::default();
    let choice = DepartureChoice { costs, earliest_s: 0.0, latest_s: 1800.0, step_s: 60.0, anticipation: 0.9 };
    let base = Options { days_max: 6, gap: 0.0, ..Options::default() };
    let variants = [
        base.clone(),
        Options { search: Search::ByBin, switching: Switching::Averages, ..base.clone() },
        Options { logit: Some(Logit { period_s: 300.0, routes_max: 3, ..Logit::default() }), ..base.clone() },
        Options { departure: Some(choice), ..base },
    ];
    for (row, options) in variants.iter().enumerate() {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bits(&run(&network, &trips, options)))
        };
        let one = on(1);
        assert!([2, 3, 8, 16].into_iter().all(|threads| on(threads) == one), "variant {row}");
    }
    let reactive = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = InstantaneousOptimum { update_s: 120, ..InstantaneousOptimum::default() };
        let result = pool.install(|| instantaneous_optimum(&network, &trips, &options)).unwrap();
        (result.route, result.arrive_s.iter().map(|at| at.to_bits()).collect::<Vec<_>>())
    };
    let one = reactive(1);
    assert!([2, 3, 8, 16].into_iter().all(|threads| reactive(threads) == one));
}

/// Every route is driveable, starts and ends where it should, and what was simulated is what is told.
#[test]
fn outcomes_are_whole_on_random_networks() {
    for seed in 0..6 {
        let network = random_network(40, 60, seed).unwrap();
        let trips = random_trips(&network, 800, seed);
        let outcome = run(&network, &trips, &Options { days_max: 8, gap: 0.0, ..Options::default() });
        let first = outcome.days[0].relative_gap;
        assert!(outcome.days.iter().all(|day| (0.0..1.0).contains(&day.relative_gap)), "seed {seed}");
        assert!(outcome.days[7].relative_gap <= first, "seed {seed}: {first} {}", outcome.days[7].relative_gap);
        let mut arrived = 0;
        for (row, trip) in trips.iter().enumerate() {
            let links = outcome.table.links(outcome.route[row]);
            if trip.from == trip.to {
                assert!(links.is_empty() && outcome.without_road.contains(&(row as u32)));
                continue;
            }
            arrived += u64::from(outcome.day.arrive_s[row].is_finite());
            assert_eq!((network.from[links[0].row()], network.to[links[links.len() - 1].row()]), (trip.from, trip.to));
            for pair in links.windows(2) {
                assert_eq!(network.to[pair[0].row()], network.from[pair[1].row()]);
                assert!(network.banned.binary_search(&(pair[0], pair[1])).is_err(), "seed {seed}");
            }
        }
        assert_eq!(arrived, outcome.days[7].arrived);
        assert_eq!(arrived as usize + outcome.without_road.len() + outcome.unconnected.len(), trips.len());
    }
}

/// Exact search against the hierarchy under constant times: same arrivals.
#[test]
fn both_searches_agree_on_constant_times() {
    use urbis_assignment::dynamic::{LinkTimes, Query};
    for seed in 0..4 {
        let network = random_network(50, 100, seed).unwrap();
        let mut rng = Rng::new(seed, 0, 0, 3);
        let free: Vec<f64> = network.free_time.iter().map(|&t| to_seconds(t) * (1.0 + rng.uniform())).collect();
        let times = LinkTimes::constant(&network, &free, 60.0);
        let trips = random_trips(&network, 300, seed);
        let queries: Vec<Query> =
            trips.iter().map(|t| Query { from: t.from, to: t.to, depart_s: t.depart_s }).collect();
        let exact = Searcher::new(&network, Search::Exact).fastest(&times, &queries);
        let by_bin = Searcher::new(&network, Search::ByBin).fastest(&times, &queries);
        for (row, query) in queries.iter().enumerate() {
            let (a, b) = (exact.route(row).unwrap(), by_bin.route(row).unwrap());
            assert!((a.1 - b.1).abs() < 0.05, "seed {seed} query {row}: {} {}", a.1, b.1);
            assert!((times.arrive_s(a.0, query.depart_s) - a.1).abs() < 1e-6);
        }
    }
}

/// A closed road: who is informed turns off in time, who is not stays stuck behind the closure.
#[test]
fn informed_drivers_turn_off() {
    let network = network(
        4,
        &[(0, 1, road(100.0, 1.0)), (1, 2, road(50.0, 1.0)), (2, 3, road(50.0, 1.0)), (1, 3, road(200.0, 1.0))],
    );
    let arrivals = |share: f64| {
        let informed = Informed { seed: 4, share, saving_min: 0.05 };
        let mut engine = Engine::new(&network, 4).unwrap();
        let mut searcher = Searcher::new(&network, Search::Exact);
        let mut present = PresentTimes::new(&network, &engine);
        let route = engine.add_route(&[0, 1, 2].map(CarLinkIx)).unwrap();
        engine.set_exit_capacity(CarLinkIx(2), None);
        let (mut arrived, mut turned, mut hearing) = (0_u32, 0, 0_u32);
        for tick in 0..3000_u32 {
            if tick < 300 && tick.is_multiple_of(2) {
                engine.depart(TripIx(tick / 2), route, from_seconds(f64::from(tick)));
                hearing += u32::from(informed.is_informed(TripIx(tick / 2)));
            }
            if tick.is_multiple_of(30) {
                let now_s = present.take(&network, &engine);
                turned += informed.guide(&network, &mut engine, &mut searcher, &now_s);
            }
            arrived += engine.step().len() as u32;
            assert!(engine.counts().balances());
        }
        (arrived, turned as u32, hearing)
    };
    assert_eq!(arrivals(0.0), (0, 0, 0));
    let (arrived, turned, hearing) = arrivals(0.5);
    assert!(arrived == turned && arrived > 0 && arrived <= hearing && hearing < 100, "{arrived} {turned} {hearing}");
    let (all, ..) = arrivals(1.0);
    assert!(all > arrived && all < 150, "{all} {arrived}");
}

#[test]
fn bad_input_is_named() {
    let network = two_routes(0.5, 0.3);
    let good = Trip { depart_s: 0.0, from: 0, to: 4, wish_s: None };
    let problems = |trips: &[Trip], options: &Options| {
        let Err(Error::Input(problems)) = equilibrate(&network, trips, options, &mut |_| true) else { panic!() };
        problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let bad = [good, Trip { depart_s: f64::NAN, ..good }, Trip { to: 9, depart_s: -1.0, ..good }];
    let found = problems(&bad, &Options::default());
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[0], "trips row 2: depart_s = NaN, expected 0 or more, and within 24 days");
    assert!(found[2].contains("row 3: to = 9"), "{found:?}");
    assert_eq!(problems(&[good], &Options { days_max: 0, ..Options::default() }).len(), 1);
    let gap = Start::Routes { ends: vec![2], links: vec![CarLinkIx(0), CarLinkIx(2)] };
    let found = problems(&[good], &Options { start: gap, ..Options::default() });
    assert!(found[0].contains("links that join node 0 to node 4"), "{found:?}");
    // No way back: counted, and the day goes on without them.
    let back = Trip { from: 4, to: 0, ..good };
    let outcome = run(&network, &[back, good], &Options { days_max: 2, ..Options::default() });
    assert_eq!((outcome.unconnected.as_slice(), outcome.days[0].arrived), (&[0][..], 1));
    let reactive = instantaneous_optimum(&network, &[back, good], &InstantaneousOptimum::default()).unwrap();
    assert_eq!(reactive.unconnected, [0]);
}

/// Begun with the routes of an equilibrium, the first day is one; begun with its link times, nearly.
#[test]
fn warm_starts() {
    let network = two_routes(0.5, 0.3);
    let trips = flow(0, 4, 1.0, 900.0);
    let options = Options { days_max: 40, gap: 0.0, ..Options::default() };
    let cold = run(&network, &trips, &options);
    let mut links = Vec::new();
    let ends = cold.route.iter().map(|&route| {
        links.extend_from_slice(cold.table.links(route));
        links.len() as u32
    });
    let ends: Vec<u32> = ends.collect();
    let one_day = |start: Start| run(&network, &trips, &Options { days_max: 1, start, ..options.clone() });
    let warm = one_day(Start::Routes { ends, links });
    let last = cold.days[cold.days.len() - 1].relative_gap;
    assert_eq!(warm.days[0].relative_gap.to_bits(), last.to_bits());
    // Where a static model sees the queue, everybody begins on the other route.
    let times = Start::LinkTimes(vec![20.0, 250.0, 400.0, 430.0, 30.0]);
    let other = one_day(times);
    assert!(other.route.iter().all(|&route| other.table.links(route).contains(&CarLinkIx(3))));
}
