//! Vehicles that are not cars, stops in the lane, guidance on the way, closures, signals, windows of ticks.
#![expect(clippy::print_stdout, reason = "tests say what they measured")]

mod common;

use common::{Run, flow, kilometre, network};
use urbis_core::{CarLinkIx, TripIx};
use urbis_traffic::synthetic::{Grid, LinkKind, random_network};
use urbis_traffic::time::{TICK, from_seconds, to_seconds};
use urbis_traffic::{Arrival, CarNetwork, Departure, Engine, LinkPassage, LinkStats, VehicleClass};

/// Departs vehicles of a class on a route at a rate, from time 0 on.
fn depart(engine: &mut Engine, class: VehicleClass, route: &[u32], rate_vps: f64, vehicles: u32) {
    let links: Vec<CarLinkIx> = route.iter().map(|&link| CarLinkIx(link)).collect();
    let route = engine.add_route(&links).unwrap();
    for trip in 0..vehicles {
        let depart = from_seconds(f64::from(trip) / rate_vps);
        engine.depart_as(Departure { trip: TripIx(trip), class, route, depart, stops: &[] });
    }
}

/// A saturated link passes its capacity in cars, whatever drives on it, and holds as many cars' lengths.
#[test]
fn vehicles_count_for_their_equivalents() {
    for (class, equivalent, on_full_link) in
        [(VehicleClass::Car, 1.0, 200), (VehicleClass::Truck, 2.0, 100), (VehicleClass::Motorcycle, 1.0, 200)]
    {
        let network = network(2, &[(0, 1, kilometre(0.8))]);
        let mut engine = Engine::new(&network, 4).unwrap();
        depart(&mut engine, class, &[0], 4.0, 8000);
        engine.advance(300);
        let before = engine.passed(CarLinkIx(0)).1;
        engine.advance(1300);
        let rate = f64::from(engine.passed(CarLinkIx(0)).1 - before) / 1000.0;
        assert!((rate * equivalent / 0.8 - 1.0).abs() < 0.01, "{class:?}: {rate}");
        engine.set_exit_capacity(CarLinkIx(0), None);
        engine.advance(3000);
        assert_eq!(engine.on_link(CarLinkIx(0)).on_link, on_full_link, "{class:?}");
        assert!(engine.audit().0.balances());
        // They all get out again, and the room they took is free.
        engine.set_exit_capacity(CarLinkIx(0), Some(0.8));
        engine.advance(40_000);
        assert_eq!(engine.counts().arrived, 8000, "{class:?}");
        assert_eq!(engine.on_link(CarLinkIx(0)).on_link, 0);
    }
}

/// Where one car fits, a truck fits too.
#[test]
fn long_vehicles_pass_short_links() {
    let short = LinkKind { length_m: 6.0, ..kilometre(0.5) };
    let network = network(4, &[(0, 1, kilometre(0.8)), (1, 2, short), (2, 3, kilometre(0.8))]);
    let mut engine = Engine::new(&network, 4).unwrap();
    depart(&mut engine, VehicleClass::Truck, &[0, 1, 2], 0.5, 200);
    engine.advance(5000);
    assert_eq!(engine.counts().arrived, 200);
}

/// A bus that stops in its lane holds up the cars behind it, and nobody else.
#[test]
fn buses_stop_in_their_lane() {
    let network = network(3, &[(0, 1, kilometre(0.8)), (1, 2, kilometre(0.8))]);
    let mut engine = Engine::new(&network, 4).unwrap();
    engine.keep_passages();
    let route = engine.add_route(&[CarLinkIx(0), CarLinkIx(1)]).unwrap();
    let mut go = |trip: u32, class, depart_s: f64, stops: &[(u32, u32)]| {
        let depart = from_seconds(depart_s);
        engine.depart_as(Departure { trip: TripIx(trip), class, route, depart, stops });
    };
    go(0, VehicleClass::Car, 0.0, &[]);
    go(1, VehicleClass::Bus, 10.0, &[(1, 30 * TICK)]);
    go(2, VehicleClass::Car, 20.0, &[]);
    let mut stats = LinkStats::new(&engine);
    let arrivals: Vec<Arrival> = engine.advance(400).to_vec();
    let interval = stats.take_interval(&engine);
    let travel: Vec<f64> = arrivals.iter().map(|a| to_seconds(a.arrive - a.depart)).collect();
    // The bus counts for two cars, so the car behind it leaves two headways of 1.25 s later.
    assert_eq!(travel[..2], [100.0, 130.0]);
    assert!((travel[2] - 122.5).abs() < 0.01, "{travel:?}");
    assert!(arrivals[1].arrive - arrivals[1].depart == arrivals[1].free_time);
    let passages = engine.take_passages();
    let bus: Vec<&LinkPassage> = passages.iter().filter(|p| p.trip == TripIx(1)).collect();
    assert_eq!((bus[1].entered, bus[1].left), (60 * TICK, 140 * TICK));
    let spent: f64 = passages.iter().map(|p| to_seconds(p.left - p.entered)).sum();
    let measured: f64 = interval.travel_time_s_sum.iter().sum();
    assert!((spent - measured).abs() < 1e-6, "{spent} {measured}");
}

/// Ways 0-1 and 2-3 lead to the same place; whoever is guided changes over before the fork.
#[test]
fn guided_vehicles_take_another_way() {
    let links = [(0, 1, kilometre(0.8)), (1, 2, kilometre(0.8)), (1, 3, kilometre(0.8)), (3, 2, kilometre(0.8))];
    let network = network(4, &links);
    let mut run = Run::new(&network, flow(&[0, 1], 0.2, 0.0, 100.0));
    run.until(60);
    let guided: Vec<_> =
        run.engine.on_road().filter(|v| v.link == CarLinkIx(0) && v.trip.0.is_multiple_of(2)).collect();
    assert!(!guided.is_empty());
    for vehicle in &guided {
        assert_eq!(run.engine.onward(*vehicle).collect::<Vec<_>>(), [CarLinkIx(1)]);
        assert!(!run.engine.reroute(*vehicle, &[CarLinkIx(3)]), "a gap");
        assert!(run.engine.reroute(*vehicle, &[CarLinkIx(2), CarLinkIx(3)]));
        assert_eq!(run.engine.onward(*vehicle).collect::<Vec<_>>(), [CarLinkIx(2), CarLinkIx(3)]);
    }
    run.until(1000);
    assert_eq!(run.arrivals.len(), 20);
    for arrival in &run.arrivals {
        let is_guided = guided.iter().any(|vehicle| vehicle.trip == arrival.trip);
        assert_eq!((arrival.distance_m / 1000.0).round() as u32, if is_guided { 3 } else { 2 });
        assert_eq!(arrival.free_time, if is_guided { 150 * TICK } else { 100 * TICK });
    }
    run.assert_balanced();
}

/// A closed entrance lets those on the link out and nobody in, until it opens.
#[test]
fn entrances_close_and_open() {
    let network = network(3, &[(0, 1, kilometre(0.8)), (1, 2, kilometre(0.8))]);
    let mut run = Run::new(&network, flow(&[0, 1], 0.4, 0.0, 200.0));
    run.until(100);
    run.engine.set_entry_capacity(CarLinkIx(1), None);
    run.until(400);
    assert_eq!((run.on(1).on_link, run.on(0).on_link), (0, 80 - run.arrivals.len() as u32));
    run.engine.set_entry_capacity(CarLinkIx(1), Some(0.8));
    run.until(1000);
    assert_eq!(run.arrivals.len(), 80);
}

/// Ticks one by one and windows of any length are the same simulation.
#[test]
fn windows_change_nothing() {
    let grid = Grid::new(12, LinkKind::STREET).unwrap();
    let trips = grid.staircase_trips(20_000, 900.0, 9);
    let run = |stride: u32, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut engine = Engine::new(&grid.network, 4).unwrap();
            engine.set_parallel_from(if threads > 1 { 0 } else { u64::MAX });
            let mut arrivals = Vec::new();
            for (nth, trip) in trips.iter().enumerate() {
                let route = engine.add_route(&trip.route).unwrap();
                engine.depart(TripIx(nth as u32), route, trip.depart);
            }
            for until in (stride..3000).step_by(stride as usize) {
                arrivals.extend_from_slice(engine.advance(until));
            }
            (arrivals, engine.crossings())
        })
    };
    let (expected, _) = run(1, 1);
    for (stride, threads) in [(2, 1), (7, 1), (30, 1), (30, 2), (100, 3), (29, 16)] {
        let (arrivals, _) = run(stride, threads);
        let both = expected.len().min(arrivals.len());
        assert!(both > 10_000 && arrivals[..both] == expected[..both], "{stride} ticks, {threads} threads");
    }
}

/// The green of a signal passes its share of the saturation flow, and the mean uniform delay is that of
/// Webster (1958): C (1 - g/C)^2 / (2 (1 - q/s)).
#[test]
fn signals_delay_as_theory_says() {
    for (cycle_s, green_s, saturation, demand) in
        [(60.0, 30.0, 0.8, 0.3), (90.0, 30.0, 0.8, 0.2), (60.0, 40.0, 0.5, 0.25), (120.0, 50.0, 1.5, 0.4)]
    {
        let network = network(3, &[(0, 1, kilometre(saturation)), (1, 2, kilometre(saturation))]);
        // Regular arrivals meet a cycle at the same few moments again and again: offsets fill the gaps.
        let offsets = 16;
        let mut mean = 0.0;
        for nth in 0..offsets {
            let mut run = Run::new(&network, flow(&[0, 1], demand, 0.0, 20.0 * cycle_s * 6.0));
            let windows = [(0, from_seconds(green_s))];
            let offset = from_seconds((f64::from(nth) + 0.5) / f64::from(offsets) / demand);
            let signal = run.engine.add_fixed_signal(from_seconds(cycle_s), offset, &windows).unwrap();
            run.engine.set_signal(CarLinkIx(0), Some(signal));
            run.until(20_000);
            let delays = run.arrivals.iter().map(|a| to_seconds(a.arrive - a.depart - a.free_time));
            mean += delays.sum::<f64>() / run.arrivals.len() as f64 / f64::from(offsets);
        }
        println!("cycle {cycle_s} s, green {green_s} s, saturation {saturation}, demand {demand}: delay {mean:.2} s");
        let expected = cycle_s * (1.0 - green_s / cycle_s).powi(2) / (2.0 * (1.0 - demand / saturation));
        assert!((mean / expected - 1.0).abs() < 0.01, "{mean} s, expected {expected} s");
    }
}

#[test]
fn saturated_signals_pass_their_share_and_dark_ones_none_but_by_their_own() {
    let network = network(3, &[(0, 1, kilometre(0.8)), (1, 2, kilometre(0.8))]);
    let mut run = Run::new(&network, flow(&[0, 1], 1.0, 0.0, 8000.0));
    let signal = run.engine.add_fixed_signal(60 * TICK, 0, &[(0, 20 * TICK), (30 * TICK, 40 * TICK)]).unwrap();
    run.engine.set_signal(CarLinkIx(0), Some(signal));
    let rate = run.outflows(&[0], 600, 3600)[0];
    assert!((rate / 0.4 - 1.0).abs() < 0.03, "{rate}");
    // Told by hand: red until told, then exactly what was told.
    let told = run.engine.add_controlled_signal();
    run.engine.set_signal(CarLinkIx(0), Some(told));
    run.until(3700);
    let before = run.engine.passed(CarLinkIx(0)).1;
    run.until(3800);
    assert_eq!(run.engine.passed(CarLinkIx(0)).1, before);
    run.engine.set_green(told, 3850 * TICK, 3900 * TICK, &[CarLinkIx(0)]);
    run.until(4000);
    assert_eq!(run.engine.passed(CarLinkIx(0)).1 - before, 40);
    // Dark: an all-way stop.
    run.engine.set_signal(CarLinkIx(0), None);
    run.engine.set_exit_capacity(CarLinkIx(0), Some(0.2));
    let rate = run.outflows(&[0], 4100, 5100)[0];
    assert!((rate / 0.2 - 1.0).abs() < 0.02, "{rate}");
}

/// A ring of links with an odd number of slots each, full of lorries that take two: the slot that is left
/// helps none of them, and the ring is found and creeps.
#[test]
fn a_ring_of_lorries_with_a_slot_to_spare_creeps() {
    use urbis_traffic::{GridlockPolicy, GridlockReport};
    let link = LinkKind { length_m: 405.0, ..kilometre(0.8) };
    let network = network(4, &[(0, 1, link), (1, 2, link), (2, 3, link), (3, 0, link)]);
    let mut engine = Engine::new(&network, 4).unwrap();
    let total = 400;
    for nth in 0..total {
        let links: Vec<CarLinkIx> = (0..3).map(|more| CarLinkIx((nth + more) % 4)).collect();
        let route = engine.add_route(&links).unwrap();
        let depart = nth / 4 * 2 * TICK;
        let class = VehicleClass::Truck;
        engine.depart_as(Departure { trip: TripIx(nth), class, route, depart, stops: &[] });
        engine.drop_route(route);
    }
    let mut report = GridlockReport::default();
    while engine.counts().arrived < u64::from(total) && engine.tick() < 100_000 {
        engine.step();
        if engine.tick().is_multiple_of(20) {
            report.update(&mut engine, GridlockPolicy::Release);
        }
    }
    assert_eq!(engine.counts().arrived, u64::from(total), "{:?}", engine.counts());
    assert!(report.released_moves() > 0);
    assert!(report.rows.iter().any(|ring| ring.vehicles == 4 * 40), "{:?}", report.rows);
    assert_eq!(engine.audit().0, engine.counts());
}

/// A town of so many by so many roundabouts of four short links each, joined by streets both ways.
fn roundabouts(side: u32, circle_m: f64) -> CarNetwork {
    let of = |length_m: f64, capacity_vps: f64| LinkKind { length_m, capacity_vps, ..kilometre(capacity_vps) };
    let (circle, street) = (of(circle_m, 0.5), of(120.0, 0.5));
    // Corners east, north, west, south of each roundabout, driven round in this order.
    let corner = |x: u32, y: u32, nth: u32| 4 * (y * side + x) + nth;
    let mut links = Vec::new();
    for (x, y) in (0..side * side).map(|nth| (nth % side, nth / side)) {
        links.extend((0..4).map(|nth| (corner(x, y, nth), corner(x, y, (nth + 1) % 4), circle)));
        for (there, from, to) in [((x + 1, y), 0, 2), ((x, y + 1), 1, 3)] {
            if there.0 < side && there.1 < side {
                let (a, b) = (corner(x, y, from), corner(there.0, there.1, to));
                links.extend([(a, b, street), (b, a, street)]);
            }
        }
    }
    network(4 * side * side, &links)
}

/// Cars and lorries that crowd small networks and roundabouts, with lights and without, until nothing moves but what creeps: in
/// the end all have arrived, so nobody sleeps while there is room.
#[test]
fn whatever_creeps_ends() {
    use urbis_core::rng::Rng;
    use urbis_traffic::{GridlockPolicy, GridlockReport, Router};
    let mut moves = 0;
    for seed in 0..24_u64 {
        let network = match seed % 4 {
            0 | 1 => random_network(16, 20, seed).unwrap(),
            2 => roundabouts(3, 20.0),
            _ => roundabouts(3, 8.0),
        };
        let mut rng = Rng::new(seed, 6, 6, 6);
        let nodes = network.nodes() as u32;
        let pairs: Vec<(u32, u32)> = (0..4000).map(|_| (rng.below(nodes), rng.below(nodes))).collect();
        let routes = Router::new(&network).route_batch(&pairs);
        let mut engine = Engine::new(&network, 4).unwrap();
        if seed % 2 == 1 {
            for link in 0..network.links() as u32 {
                let green = 20 + rng.below(20);
                let signal = engine.add_fixed_signal(60 * TICK, rng.below(60) * TICK, &[(0, green * TICK)]);
                engine.set_signal(CarLinkIx(link), signal);
            }
        }
        for trip in 0..pairs.len() {
            let class = VehicleClass::NAMED[rng.below(5) as usize].0;
            if let Some((links, _)) = routes.route(trip).filter(|(links, _)| !links.is_empty()) {
                let route = engine.add_route(links).unwrap();
                let depart = trip as u32 / 4 * TICK;
                engine.depart_as(Departure { trip: TripIx(trip as u32), class, route, depart, stops: &[] });
                engine.drop_route(route);
            }
        }
        let mut gridlock = GridlockReport::default();
        let total = engine.counts().requested;
        while engine.counts().arrived < total && engine.tick() < 200_000 {
            engine.step();
            if engine.tick().is_multiple_of(20) {
                gridlock.update(&mut engine, GridlockPolicy::Release);
            }
        }
        println!("seed {seed}: {} s, {} moves", engine.tick(), gridlock.released_moves());
        assert_eq!(engine.counts().arrived, total, "seed {seed}: {:?} after {} s", engine.counts(), engine.tick());
        moves += gridlock.released_moves();
    }
    assert!(moves > 0);
}

/// Vehicles of all classes, signals, closures, guidance and gridlock: the ledger holds at every tick.
#[test]
fn the_ledger_holds_whatever_happens() {
    use urbis_core::rng::Rng;
    use urbis_traffic::{GridlockPolicy, GridlockReport, Router};
    for seed in 0..6_u64 {
        let network: CarNetwork = random_network(30, 60, seed).unwrap();
        let mut rng = Rng::new(seed, 5, 5, 5);
        let nodes = network.nodes() as u32;
        let pairs: Vec<(u32, u32)> = (0..3000).map(|_| (rng.below(nodes), rng.below(nodes))).collect();
        let router = Router::new(&network);
        let routes = router.route_batch(&pairs);
        let mut engine = Engine::new(&network, 4).unwrap();
        for link in 0..network.links() as u32 {
            if rng.chance(0.2) {
                let green = 5 + rng.below(50);
                let signal = engine.add_fixed_signal(60 * TICK, rng.below(60) * TICK, &[(0, green * TICK)]);
                engine.set_signal(CarLinkIx(link), signal);
            }
        }
        let mut next = 0;
        let mut gridlock = GridlockReport::default();
        for tick in 0..2400 {
            while next < 3000 && (next as u32) * 3 <= tick * 10 {
                let class = VehicleClass::NAMED[rng.below(5) as usize].0;
                if let Some((links, _)) = routes.route(next).filter(|(links, _)| !links.is_empty()) {
                    let route = engine.add_route(links).unwrap();
                    let stops = [(rng.below(links.len() as u32), rng.below(40) * TICK)];
                    let stops = if class == VehicleClass::Bus { &stops[..] } else { &[] };
                    engine.depart_as(Departure { trip: TripIx(next as u32), class, route, depart: tick * TICK, stops });
                    engine.drop_route(route);
                }
                next += 1;
            }
            if tick % 40 == 0 {
                let link = CarLinkIx(rng.below(network.links() as u32));
                let capacity = rng.chance(0.5).then(|| network.capacity_vps[link.row()]);
                engine.set_exit_capacity(link, capacity);
                gridlock.update(&mut engine, GridlockPolicy::Release);
            }
            if tick % 60 == 0 {
                let some: Vec<_> = engine.on_road().filter(|_| rng.chance(0.3)).collect();
                for vehicle in some {
                    let from = network.to[vehicle.link.row()];
                    let to = network.to[vehicle.last.row()];
                    if let Some((links, _)) = router.route_batch(&[(from, to)]).route(0).filter(|(l, _)| !l.is_empty())
                    {
                        engine.reroute(vehicle, links);
                    }
                }
            }
            engine.step();
            assert!(engine.counts().balances(), "seed {seed}, tick {tick}");
            let (counted, rows) = engine.audit();
            assert_eq!(
                (counted, rows),
                (engine.counts(), counted.on_road + counted.waiting),
                "seed {seed}, tick {tick}"
            );
        }
        assert!(engine.counts().arrived > 300, "seed {seed}: {:?}", engine.counts());
    }
}
