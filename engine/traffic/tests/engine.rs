//! Whole networks: the grid that integer node models get wrong, conservation, gridlock, threads.
#![expect(clippy::print_stdout, reason = "tests say what they measured")]

mod common;

use common::{Run, flow, kilometre, network};
use urbis_core::rng::Rng;
use urbis_core::{CarLinkIx, NodeIx};
use urbis_traffic::synthetic::{FixedTrip, Grid, LinkKind, random_network};
use urbis_traffic::time::{from_seconds, to_seconds};
use urbis_traffic::{
    Arrival, CarNetwork, Gridlock, GridlockPolicy, GridlockReport, LinkInterval, LinkStats, NetworkColumns, Router,
    VehicleCounts,
};

/// 60,000 vehicles at 77 % of the busiest link's capacity: with strict gates the node model would lose a
/// fifth of the capacity and gridlock; fluid theory has hardly a queue.
#[test]
fn grid_stays_fluid() {
    let grid = Grid::new(11, LinkKind::STREET).unwrap();
    let mut run = Run::new(&grid.network, grid.staircase_trips(60_000, 5850.0, 1));
    while run.engine.tick() < 6600 {
        run.step();
        if run.engine.tick().is_multiple_of(600) {
            run.assert_balanced();
        }
    }
    assert_eq!(run.arrivals.len(), 60_000);
    let mean = |of: fn(&Arrival) -> f64| run.arrivals.iter().map(of).sum::<f64>() / 60_000.0;
    let (travel_s, free_s) = (mean(|a| to_seconds(a.arrive - a.depart)), mean(|a| to_seconds(a.free_time)));
    println!("11 x 11 grid: mean travel time {travel_s:.1} s, free {free_s:.1} s");
    assert!((free_s - 262.0).abs() < 1.0, "{free_s}");
    assert!((262.0..285.0).contains(&travel_s), "{travel_s}");
}

/// Random trips with shortest routes, as many as the network cannot take.
fn random_trips(network: &CarNetwork, vehicles: u32, within_s: u32, seed: u64) -> Vec<FixedTrip> {
    let nodes = network.nodes() as u32;
    let mut rng = Rng::new(seed, 0, 0, 7);
    let pairs: Vec<(u32, u32)> = (0..vehicles).map(|_| (rng.below(nodes), rng.below(nodes))).collect();
    let routes = Router::new(network).route_batch(&pairs);
    (0..vehicles as usize)
        .filter_map(|nth| routes.route(nth))
        .filter(|(links, _)| !links.is_empty())
        .map(|(links, _)| FixedTrip {
            depart: from_seconds(rng.uniform() * f64::from(within_s)),
            route: links.to_vec(),
        })
        .collect()
}

#[test]
fn vehicles_are_conserved_at_every_tick() {
    for seed in 0..8 {
        let network = random_network(12 + 9 * seed, 20 * seed, u64::from(seed)).unwrap();
        let mut run = Run::new(&network, random_trips(&network, 4000, 900, u64::from(seed)));
        let mut rng = Rng::new(u64::from(seed), 1, 1, 1);
        while run.engine.tick() < 1800 {
            if run.engine.tick().is_multiple_of(50) {
                // Closures come and go.
                let link = CarLinkIx(rng.below(network.links() as u32));
                let capacity = if rng.chance(0.5) { None } else { Some(network.capacity_vps[link.row()]) };
                run.engine.set_exit_capacity(link, capacity);
            }
            run.step();
            run.assert_balanced();
        }
        assert!(run.arrivals.len() > 500, "seed {seed}: {}", run.arrivals.len());
    }
}

/// A kilometre at 20 m/s, at 10 m/s from 25 s to 200 s.
#[test]
fn limits_slow_who_is_on_the_way_and_who_comes() {
    let network = network(2, &[(0, 1, kilometre(0.5))]);
    let trips: Vec<FixedTrip> = [0.0, 100.0, 160.0, 210.0]
        .map(|depart_s| FixedTrip { depart: from_seconds(depart_s), route: vec![CarLinkIx(0)] })
        .to_vec();
    let mut run = Run::new(&network, trips);
    run.engine.keep_passages();
    let mut stats = LinkStats::new(&run.engine);
    let limit = |run: &mut Run, time_s: f64| run.engine.set_free_times(&[(CarLinkIx(0), from_seconds(time_s))]);
    run.until(25);
    limit(&mut run, 100.0);
    run.until(200);
    limit(&mut run, 50.0);
    run.until(400);
    let passages = run.engine.take_passages();
    let at: Vec<[f64; 2]> = passages.iter().map(|p| [to_seconds(p.entered), to_seconds(p.left)]).collect();
    // Half of the way at either pace; all of it slow; 400 m slow and 600 m fast; as if nothing had been.
    assert_eq!(at, [[0.0, 75.0], [100.0, 200.0], [160.0, 230.0], [210.0, 260.0]]);
    let interval = stats.take_interval(&run.engine);
    assert!((interval.travel_time_s_sum[0] - (75.0 + 100.0 + 70.0 + 50.0)).abs() < 1e-3);
}

/// Limits that come and go on random networks: every passage follows the one before, and threads change nothing.
#[test]
fn limits_that_come_and_go_keep_every_vehicle() {
    let observe = |seed: u32, threads: usize| {
        let network = random_network(12 + 9 * seed, 20 * seed, u64::from(seed)).unwrap();
        let mut run = Run::new(&network, random_trips(&network, 3000, 900, u64::from(seed)));
        run.engine.set_parallel_from(if threads > 1 { 0 } else { u64::MAX });
        run.engine.keep_passages();
        let mut rng = Rng::new(u64::from(seed), 2, 2, 2);
        let mut passages = Vec::new();
        while run.engine.tick() < 2400 {
            if run.engine.tick().is_multiple_of(20) {
                let change = |_| {
                    let link = CarLinkIx(rng.below(network.links() as u32));
                    // Now and then so slow that the wheel does not reach the end.
                    let factor = if rng.chance(0.1) { 40.0 } else { 0.4 + 3.0 * rng.uniform() };
                    (link, (f64::from(network.free_time[link.row()]) * factor) as u32)
                };
                let changes: Vec<_> = (0..3).map(change).collect();
                run.engine.set_free_times(&changes);
            }
            run.step();
            run.assert_balanced();
            passages.extend(run.engine.take_passages());
        }
        (run.arrivals, passages)
    };
    for seed in 1..6 {
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (arrivals, passages) = observe(seed, 1);
        assert!(pool(3).install(|| observe(seed, 3)) == (arrivals.clone(), passages.clone()), "seed {seed}");
        assert!(arrivals.len() > 300, "seed {seed}: {}", arrivals.len());
        let mut last = std::collections::BTreeMap::new();
        for passage in &passages {
            assert!(passage.entered < passage.left, "{passage:?}");
            if let Some(left) = last.insert(passage.trip, passage.left) {
                assert_eq!(left, passage.entered, "seed {seed}: {passage:?}");
            }
        }
    }
}

/// Everything that can be observed of a run.
#[derive(PartialEq)]
struct Observed {
    arrivals: Vec<Arrival>,
    counts: VehicleCounts,
    intervals: Vec<LinkInterval>,
    gridlock: Vec<Gridlock>,
}

fn observe(network: &CarNetwork, trips: &[FixedTrip], ticks: u32, parallel: bool) -> Observed {
    let mut run = Run::new(network, trips.to_vec());
    run.engine.set_parallel_from(if parallel { 0 } else { u64::MAX });
    let mut stats = LinkStats::new(&run.engine);
    let mut gridlock = GridlockReport::default();
    let mut intervals = Vec::new();
    while run.engine.tick() < ticks {
        run.step();
        if run.engine.tick().is_multiple_of(300) {
            intervals.push(stats.take_interval(&run.engine));
            gridlock.update(&mut run.engine, GridlockPolicy::Report);
        }
    }
    Observed { counts: run.engine.counts(), arrivals: run.arrivals, intervals, gridlock: gridlock.rows }
}

#[test]
fn threads_change_nothing() {
    let grid = Grid::new(40, LinkKind::STREET).unwrap();
    let mut trips = grid.staircase_trips(30_000, 900.0, 4);
    trips.truncate(25_000);
    let on = |threads, parallel| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| observe(&grid.network, &trips, 3000, parallel))
    };
    let serial = on(1, false);
    for threads in [1, 2, 3, 8, 16] {
        assert!(on(threads, true) == serial, "{threads} threads");
    }
}

/// Where nodes lie decides the layout of the kernel, never the outcome.
#[test]
fn layout_changes_nothing() {
    let place = |network: &CarNetwork, seed: u64| {
        let mut rng = Rng::new(seed, 0, 0, 0);
        let mut scatter = || (0..network.nodes()).map(|_| rng.uniform()).collect::<Vec<f64>>();
        CarNetwork { x_m: scatter(), y_m: scatter(), ..network.clone() }
    };
    let network = random_network(600, 700, 3).unwrap();
    let trips = random_trips(&network, 20_000, 900, 3);
    let expected = observe(&network, &trips, 2000, false);
    for seed in 0..3 {
        assert!(observe(&place(&network, seed), &trips, 2000, seed == 0) == expected, "{seed}");
    }
}

/// Everybody enters a ring of four links at one of its nodes and wants to go three links round.
fn overfilled_ring(length_m: f64, until_s: f64) -> Run {
    let link = LinkKind { length_m, ..kilometre(0.8) };
    let links = [(0, 1, link), (1, 2, link), (2, 3, link), (3, 0, link)];
    let mut demand = Vec::new();
    for start in 0..4 {
        let route: Vec<u32> = (0..3).map(|nth| (start + nth) % 4).collect();
        demand.extend(flow(&route, 0.8, 0.0, until_s));
    }
    Run::new(&network(4, &links), demand)
}

#[test]
fn a_ring_of_full_links_is_reported_and_stays() {
    let mut run = overfilled_ring(1000.0, 3000.0);
    let mut report = GridlockReport::default();
    let mut counts = Vec::new();
    while run.engine.tick() < 6000 {
        run.step();
        if run.engine.tick().is_multiple_of(60) {
            report.update(&mut run.engine, GridlockPolicy::Report);
        }
        if !report.rows.is_empty() {
            counts.push(run.engine.counts());
        }
    }
    assert_eq!(report.rows.len(), 1);
    assert_eq!(report.rows[0].links, [0, 1, 2, 3].map(CarLinkIx));
    assert_eq!((report.released_moves(), report.rows[0].vehicles), (0, 800));
    assert!(report.rows[0].last_seen - report.rows[0].found > 1000);
    let last = counts.last().unwrap();
    assert_eq!(last.on_road, 800);
    assert!(counts[counts.len() - 1000..].iter().all(|c| c == last));
    run.assert_balanced();
}

/// The same ring creeps: nobody is lost, and in the end everybody has arrived by their own route.
#[test]
fn a_ring_that_creeps_breaks_up() {
    let mut run = overfilled_ring(1000.0, 400.0);
    let mut report = GridlockReport::default();
    let total = 4 * 320;
    while run.engine.counts().arrived < total && run.engine.tick() < 400_000 {
        run.step();
        if run.engine.tick().is_multiple_of(60) {
            report.update(&mut run.engine, GridlockPolicy::Release);
            run.assert_balanced();
        }
    }
    assert_eq!(run.engine.counts().arrived, total, "{:?} after {} s", run.engine.counts(), run.engine.tick());
    let moves = report.released_moves();
    assert!(moves > 0 && moves.is_multiple_of(4), "{moves}");
    assert!(run.arrivals.iter().all(|arrival| (arrival.distance_m - 3000.0).abs() < 0.1));
}

/// A short ring is a circle: whoever drives in leaves a gap behind, so it never blocks itself.
#[test]
fn a_circle_never_fills() {
    let mut run = overfilled_ring(50.0, 3000.0);
    let mut report = GridlockReport::default();
    while run.engine.counts().arrived < 4 * 2400 && run.engine.tick() < 60_000 {
        run.step();
        report.update(&mut run.engine, GridlockPolicy::Report);
        assert!(run.engine.counts().on_road < 40, "of 40 places");
    }
    assert_eq!(report.rows.len(), 0);
    assert_eq!(run.engine.counts().arrived, 4 * 2400, "after {} s", run.engine.tick());
    run.assert_balanced();
}

/// A loop of two streets through a third of a roundabout: who drives in waits although there is a slot, as
/// the last one must stay free. Such a loop blocks itself too, is found, and creeps.
#[test]
fn a_loop_through_a_circle_creeps() {
    let street = LinkKind { length_m: 500.0, ..kilometre(0.8) };
    let circle = LinkKind { length_m: 50.0, ..kilometre(0.8) };
    let network = network(4, &[(0, 1, circle), (1, 2, circle), (2, 0, circle), (1, 3, street), (3, 0, street)]);
    let demand: Vec<FixedTrip> =
        [[3, 4, 0], [4, 0, 3], [0, 3, 4]].iter().flat_map(|route| flow(route, 0.8, 0.0, 400.0)).collect();
    let total = demand.len() as u64;
    let run_with = |policy, until_s: u32| {
        let mut run = Run::new(&network, demand.clone());
        let mut report = GridlockReport::default();
        while run.engine.counts().arrived < total && run.engine.tick() < until_s {
            run.step();
            if run.engine.tick().is_multiple_of(20) {
                report.update(&mut run.engine, policy);
            }
        }
        run.assert_balanced();
        (run.engine.counts(), report)
    };
    let (locked, report) = run_with(GridlockPolicy::Report, 3000);
    assert_eq!(report.rows.len(), 1, "{locked:?}");
    assert_eq!(report.rows[0].links, [0, 3, 4].map(CarLinkIx));
    assert_eq!(run_with(GridlockPolicy::Report, 4000).0, locked, "nobody moves any more");
    let (counts, report) = run_with(GridlockPolicy::Release, 200_000);
    assert_eq!(counts.arrived, total, "{counts:?}");
    assert!(report.released_moves() > 0);
}

#[test]
fn intervals_measure_what_happened() {
    let network = network(3, &[(0, 1, kilometre(0.8)), (1, 2, kilometre(0.5))]);
    let mut run = Run::new(&network, flow(&[0, 1], 0.7, 0.0, 800.0));
    let mut stats = LinkStats::new(&run.engine);
    let mut totals = (0, 0, 0.0, 0.0);
    for end in [300, 600, 1400] {
        let before = run.engine.tick();
        let mut sampled = 0.0;
        while run.engine.tick() < end {
            run.step();
            sampled += f64::from(run.on(0).on_link);
        }
        let interval = stats.take_interval(&run.engine);
        assert_eq!((interval.start, interval.end), (before, end));
        sampled /= f64::from(end - before);
        assert!((interval.vehicles_mean[0] - sampled).abs() < 1.0, "{} {sampled}", interval.vehicles_mean[0]);
        assert_eq!(interval.vehicles_end[0], run.on(0).on_link);
        assert_eq!(interval.queue_end[0], run.on(0).queued);
        totals.0 += interval.entered[0];
        totals.1 += interval.left[0];
        totals.2 += interval.travel_time_s_sum[0];
        totals.3 += interval.vehicles_mean[0] * f64::from(end - before);
    }
    assert_eq!((totals.0, totals.1), (560, 560));
    // Once everybody has left, vehicle-seconds and travel times are the same thing.
    assert!((totals.2 - totals.3).abs() < 0.1, "{totals:?}");
    let spent: f64 = run.arrivals.iter().map(|a| to_seconds(a.arrive - a.entered) - 50.0).sum();
    assert!((totals.2 / spent - 1.0).abs() < 1e-4, "{} {spent}", totals.2);
}

#[test]
fn bad_routes_are_refused() {
    let network = network(4, &[(0, 1, kilometre(0.8)), (2, 3, kilometre(0.8))]);
    let mut run = Run::new(&network, Vec::new());
    assert!(run.engine.add_route(&[]).is_none());
    assert!(run.engine.add_route(&[CarLinkIx(0), CarLinkIx(1)]).is_none());
    assert_eq!(network.node_of(NodeIx(9)), None);
    let too_many = NetworkColumns {
        x_m: vec![0.0; 2],
        y_m: vec![0.0; 2],
        from: vec![0; 5000],
        to: vec![1; 5000],
        length_m: vec![10.0; 5000],
        speed_mps_free: vec![10.0; 5000],
        capacity_vps: vec![0.5; 5000],
        jam_density_vpm: vec![0.2; 5000],
        ..NetworkColumns::default()
    };
    let error = urbis_traffic::Engine::new(&CarNetwork::from_columns(too_many).unwrap(), 4).unwrap_err();
    assert_eq!(error.exit_status(), urbis_core::diagnostics::ExitStatus::BadInput);
}

/// More in-links and out-links at one node than a byte of the wheel has bits.
#[test]
fn large_junctions_work() {
    let mut links = Vec::new();
    let mut demand = Vec::new();
    for arm in 1..=20 {
        links.push((arm, 0, kilometre(0.4)));
        links.push((0, arm, kilometre(0.4)));
    }
    for arm in 0..20_u32 {
        for other in (0..20).filter(|&other| other != arm) {
            demand.extend(flow(&[arm * 2, other * 2 + 1], 0.03, 0.0, 2000.0));
        }
    }
    let vehicles = demand.len();
    let mut run = Run::new(&network(21, &links), demand);
    while run.engine.tick() < 6000 {
        run.step();
        if run.engine.tick().is_multiple_of(100) {
            run.assert_balanced();
        }
    }
    assert_eq!(run.arrivals.len(), vehicles);
}
