//! Prints what the kernels cost on this machine: nanoseconds a crossing on grids, and the router's times.
//! `cargo run --release -p urbis-traffic --example throughput [threads]`
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measuring program, not a library")]

use std::time::Instant;
use urbis_core::TripIx;
use urbis_core::rng::Rng;
use urbis_traffic::Engine;
use urbis_traffic::route::Router;
use urbis_traffic::synthetic::{FixedTrip, Grid, LinkKind};
use urbis_traffic::time::{tick_of, to_seconds};

fn simulate(size: u32, vehicles: u32, within_s: f64, until_tick: u32) {
    let grid = Grid::new(size, LinkKind::STREET).expect("the street is valid");
    let trips: Vec<FixedTrip> = grid.staircase_trips(vehicles, within_s, 1);
    let mut engine = Engine::new(&grid.network, 4).expect("the grid can be numbered");
    let routes: Vec<_> = trips.iter().map(|trip| engine.add_route(&trip.route)).collect();
    let start = Instant::now();
    let (mut next, mut arrived, mut travel_s) = (0, 0_u32, 0.0);
    for tick in 0..until_tick {
        while next < trips.len() && tick_of(trips[next].depart) <= tick {
            if let Some(route) = routes[next] {
                engine.depart(TripIx(next as u32), route, trips[next].depart);
            }
            next += 1;
        }
        for arrival in engine.step() {
            arrived += 1;
            travel_s += to_seconds(arrival.arrive - arrival.depart);
        }
        if arrived == vehicles {
            break;
        }
    }
    let elapsed = start.elapsed();
    println!(
        "grid {size} x {size}: {arrived} of {vehicles} arrived, mean {:.1} s, {} crossings, {:.3} s, {:.1} ns a crossing",
        travel_s / f64::from(arrived.max(1)),
        engine.crossings(),
        elapsed.as_secs_f64(),
        elapsed.as_secs_f64() * 1e9 / engine.crossings() as f64
    );
}

fn route(size: u32, queries: u32) {
    let grid = Grid::new(size, LinkKind::STREET).expect("the street is valid");
    let start = Instant::now();
    let mut router = Router::new(&grid.network);
    let built = start.elapsed();
    let mut rng = Rng::new(5, 0, 0, 0);
    let weights: Vec<u32> = (0..grid.network.links()).map(|_| 20_000 + rng.below(40_000)).collect();
    let start = Instant::now();
    router.set_travel_times(&weights);
    let customized = start.elapsed();
    let pairs: Vec<(u32, u32)> = (0..queries).map(|_| (rng.below(grid.nodes()), rng.below(grid.nodes()))).collect();
    let start = Instant::now();
    let batch = router.route_batch(&pairs);
    let answered = start.elapsed();
    println!(
        "router {size} x {size}: {} links, built in {:.0} ms, customized in {:.1} ms, {:.1} us a query ({} routes)",
        grid.network.links(),
        built.as_secs_f64() * 1e3,
        customized.as_secs_f64() * 1e3,
        answered.as_secs_f64() * 1e6 / f64::from(queries),
        batch.len()
    );
}

fn main() {
    let threads = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    pool.install(|| {
        println!("{threads} threads");
        simulate(11, 60_000, 5850.0, 20_000);
        simulate(50, 200_000, 7200.0, 20_000);
        route(110, 20_000);
        route(160, 20_000);
        if std::env::args().nth(2).is_some() {
            simulate(160, 1_000_000, 80_000.0, 90_000);
        }
    });
}
