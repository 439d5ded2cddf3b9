//! Prints what the kernels cost on this machine: nanoseconds a crossing on grids, and the router's times.
//! `cargo run --release -p urbis-traffic --example throughput [threads [size vehicles within_s stride_s]]`
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measuring program, not a library")]

use std::time::Instant;
use urbis_core::TripIx;
use urbis_core::rng::Rng;
use urbis_traffic::Engine;
use urbis_traffic::route::Router;
use urbis_traffic::synthetic::{FixedTrip, Grid, LinkKind};
use urbis_traffic::time::{tick_of, to_seconds};

/// Processor seconds that the calling thread has used, which other load on the machine changes least; 0
/// where the system does not say.
fn processor_s() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn simulate(size: u32, vehicles: u32, within_s: f64, until_tick: u32, stride: u32) {
    let grid = Grid::new(size, LinkKind::STREET).expect("the street is valid");
    let trips: Vec<FixedTrip> = grid.staircase_trips(vehicles, within_s, 1);
    let mut engine = Engine::new(&grid.network, 4).expect("the grid can be numbered");
    let routes: Vec<_> = trips.iter().map(|trip| engine.add_route(&trip.route)).collect();
    let start = processor_s();
    let (mut next, mut arrived, mut travel_s) = (0, 0_u32, 0.0);
    for tick in (stride..until_tick).step_by(stride as usize) {
        while next < trips.len() && tick_of(trips[next].depart) < tick {
            if let Some(route) = routes[next] {
                engine.depart(TripIx(next as u32), route, trips[next].depart);
            }
            next += 1;
        }
        for arrival in engine.advance(tick) {
            arrived += 1;
            travel_s += to_seconds(arrival.arrive - arrival.depart);
        }
        if arrived == vehicles {
            break;
        }
    }
    let elapsed_s = processor_s() - start;
    println!(
        "grid {size} x {size}, {stride} s at a time: {arrived} of {vehicles} arrived, mean {:.1} s, {} crossings, {:.3} s, {:.1} ns a crossing",
        travel_s / f64::from(arrived.max(1)),
        engine.crossings(),
        elapsed_s,
        elapsed_s * 1e9 / engine.crossings() as f64
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
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(*numbers.first().unwrap_or(&1) as usize);
    pool.build().expect("a pool").install(|| match numbers[..] {
        [_, size, vehicles, within_s, stride] => simulate(size, vehicles, f64::from(within_s), 90_000, stride),
        _ => {
            for stride in [1, 30] {
                simulate(11, 60_000, 5850.0, 90_000, stride);
                simulate(50, 200_000, 7200.0, 90_000, stride);
                simulate(160, 1_000_000, 80_000.0, 90_000, stride);
            }
            route(110, 20_000);
            route(160, 20_000);
        }
    });
}
