#![allow(clippy::print_stdout, clippy::print_stderr)] // a bench says what it skips

//! Routing with full link paths on Monaco, La Serena-Coquimbo and a grid: random pairs in one large batch (a million
//! with `URBIS_BENCH_ROUTES=1000000`), a batch with no two queries of one origin, costs alone, exact routes at a
//! time of day, and what it costs to take over new link costs. Throughput is in queries or links.

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;
use urbis_core::rng::Rng;
use urbis_traffic::synthetic::{Grid, LinkKind};
use urbis_traffic::{CarNetwork, Router, TimeBins, TimedQuery};

/// The car network of a scenario's city.
fn city(name: &str) -> urbis_core::Result<CarNetwork> {
    let loaded = urbis::scenario::load(&urbis_benches::root().join(format!("scenarios/{name}/baseline.toml")))?;
    let package = urbis::ensure_package(&loaded, &mut |_| {})?;
    CarNetwork::from_city(&urbis::city::package::read(&package)?)
}

fn routing(criterion: &mut Criterion) {
    let queries: u32 = std::env::var("URBIS_BENCH_ROUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let networks = [
        ("monaco", city("monaco")),
        ("coquimbo", city("coquimbo")),
        ("grid_160x160", Grid::new(160, LinkKind::STREET).map(|grid| grid.network)),
    ];
    for (name, network) in networks {
        match network {
            Ok(network) => measure(criterion, name, &network, queries),
            Err(error) => eprintln!("skipped {name}: {error}"),
        }
    }
}

fn measure(criterion: &mut Criterion, name: &str, network: &CarNetwork, queries: u32) {
    let nodes = network.nodes() as u32;
    let mut rng = Rng::new(5, 0, 0, 0);
    let times: Vec<u32> = network.free_time_ms().iter().map(|&ms| ms + rng.below(ms + 1)).collect();
    let mut router = Router::new(network);
    router.set_travel_times(&times);
    let pairs: Vec<(u32, u32)> = (0..queries).map(|_| (rng.below(nodes), rng.below(nodes))).collect();
    let apart: Vec<(u32, u32)> = (0..nodes).map(|from| (from, rng.below(nodes))).collect();
    let batch = router.route_batch(&pairs);
    let (found, links) = batch.iter().flatten().fold((0, 0), |(n, sum), (links, _)| (n + 1, sum + links.len()));
    println!("{name}: {:?}, {found} of {queries} found, {} links in all", router.figures(), links);
    let bins: Vec<Vec<u32>> =
        (0..8).map(|bin| times.iter().map(|&ms| ms + ms / 8 * if bin < 4 { bin } else { 8 - bin }).collect()).collect();
    let bins = TimeBins::new(900, &bins).expect("bins of one size");
    let timed: Vec<TimedQuery> =
        apart.iter().take(2000).map(|&(from, to)| TimedQuery { from, to, depart_ms: rng.below(7_200_000) }).collect();
    let mut group = criterion.benchmark_group(format!("routing_{name}"));
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_secs(1));
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let id = |what: &str| BenchmarkId::new(what, format!("{threads}_threads"));
        group.throughput(Throughput::Elements(u64::from(queries)));
        group.bench_function(id("batch"), |b| b.iter(|| pool.install(|| black_box(router.route_batch(&pairs)))));
        group.bench_function(id("costs_alone"), |b| b.iter(|| pool.install(|| black_box(router.cost_batch(&pairs)))));
        group.throughput(Throughput::Elements(apart.len() as u64));
        group.bench_function(id("one_per_origin"), |b| b.iter(|| pool.install(|| router.route_batch(&apart))));
        group.throughput(Throughput::Elements(timed.len() as u64));
        group.bench_function(id("exact"), |b| b.iter(|| pool.install(|| router.route_batch_exact(&bins, &timed))));
        group.throughput(Throughput::Elements(network.links() as u64));
        group.bench_function(id("customize"), |b| b.iter(|| pool.install(|| router.travel_time_metric(&times))));
    }
    group.finish();
}

criterion_group!(benches, routing);
criterion_main!(benches);
