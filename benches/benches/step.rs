#![allow(clippy::print_stdout, clippy::print_stderr)] // a bench says what it skips

//! The hot step loop at three sizes: whole steps of Monaco and of La Serena-Coquimbo in the morning
//! peak, and the traffic kernel alone on a synthetic grid of 101,760 links. Throughput is in link
//! crossings; a second line per city gives simulated persons per second.

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use std::time::{Duration, Instant};
use urbis::population::Persons;
use urbis_traffic::synthetic::{Grid, LinkKind};
use urbis_traffic::{Engine, Traffic};

/// The morning peak, as ticks since 3 h: 7 h to 9 h.
const PEAK: std::ops::Range<u32> = 4 * 3600..6 * 3600;

#[allow(clippy::disallowed_methods)] // a bench measures wall time
fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Time of the peak and its crossings.
fn peak_of(scenario: &str) -> Option<(Duration, u64, u64)> {
    let (mut simulation, _place) = match urbis_benches::simulation(scenario) {
        Ok(ready) => ready,
        Err(error) => {
            eprintln!("skipped {scenario}: {error}");
            if let urbis_core::Error::Input(problems) = &error {
                problems.listed().iter().for_each(|problem| eprintln!("  {problem}"));
            }
            return None;
        }
    };
    while simulation.clock().next() < PEAK.start {
        simulation.step().expect("a baseline that runs");
    }
    let before = simulation.world().resource::<Traffic>().engine().crossings();
    let time = timed(|| {
        while simulation.clock().next() < PEAK.end {
            simulation.step().expect("a baseline that runs");
        }
    });
    let crossings = simulation.world().resource::<Traffic>().engine().crossings() - before;
    Some((time, crossings, simulation.world().resource::<Persons>().len() as u64))
}

fn cities(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("peak_2h");
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_secs(1));
    for city in ["monaco", "coquimbo"] {
        let scenario = format!("scenarios/{city}/baseline.toml");
        let Some((_, crossings, persons)) = peak_of(&scenario) else { continue };
        println!("{city}: {persons} persons, {crossings} link crossings between 7 h and 9 h");
        for (unit, count) in [("crossings", crossings), ("persons", persons)] {
            group.throughput(Throughput::Elements(count));
            group.bench_function(BenchmarkId::new(city, unit), |bencher| {
                bencher.iter_custom(|times| (0..times).filter_map(|_| peak_of(&scenario)).map(|(time, ..)| time).sum());
            });
        }
    }
    group.finish();
}

fn grid(criterion: &mut Criterion) {
    let grid = Grid::new(160, LinkKind::STREET).expect("a valid kind of link");
    let trips = grid.staircase_trips(60_000, 1800.0, 1);
    let run = || {
        let mut engine = Engine::new(&grid.network, 1).expect("a network that fits");
        for (row, trip) in trips.iter().enumerate() {
            let route = engine.add_route(&trip.route).expect("a staircase has no gap");
            engine.depart(urbis_core::TripIx(row as u32), route, trip.depart);
            engine.drop_route(route);
        }
        let time = timed(|| {
            while engine.tick() < 3600 {
                engine.step();
            }
        });
        (time, engine.crossings())
    };
    let (_, crossings) = run();
    println!("grid: {} links, {crossings} link crossings in an hour", grid.network.links());
    let mut group = criterion.benchmark_group("grid_160x160_1h");
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(crossings));
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        group.bench_function(BenchmarkId::new("crossings", format!("{threads}_threads")), |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| pool.install(run).0).sum());
        });
    }
    group.finish();
}

criterion_group!(benches, grid, cities);
criterion_main!(benches);
