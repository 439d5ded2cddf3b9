//! Static user equilibrium of a congested grid from nothing to two gaps. Throughput is in pairs of origin and
//! destination.

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use std::ops::ControlFlow;
use urbis_assignment::{Demand, Network, Options, assign};
use urbis_core::rng::Rng;

/// A grid of nodes with links both ways, every third node an origin, demand that fills about half of the capacity.
fn grid(side: u32) -> (Network, Demand) {
    let mut rng = Rng::new(1, side, 0, 0);
    let nodes = side * side;
    let mut network = Network { nodes: nodes as usize, ..Network::default() };
    for at in 0..nodes {
        let right = (at % side + 1 < side).then_some(at + 1);
        let down = (at / side + 1 < side).then_some(at + side);
        for next in [right, down].into_iter().flatten() {
            for (from, to) in [(at, next), (next, at)] {
                network.from.push(from);
                network.to.push(to);
                network.t0.push(1.0 + rng.uniform());
                network.capacity.push(1_000.0 + 1_000.0 * rng.uniform());
                network.b.push(0.15);
                network.power.push(4.0);
            }
        }
    }
    let zones: Vec<u32> = (0..nodes).step_by(3).collect();
    // A path has about 2/3 of `side` links, a node about 4: demand in proportion to what that leaves room for.
    let pairs = (zones.len() * zones.len()) as f64;
    let mean = 0.5 * 1_500.0 * network.from.len() as f64 / (pairs * f64::from(side) * 2.0 / 3.0);
    let mut triples = Vec::new();
    for &from in &zones {
        for &to in &zones {
            triples.push((from, to, 2.0 * mean * rng.uniform()));
        }
    }
    let demand = Demand::from_triples(network.nodes, &triples).expect("demand that makes sense");
    (network, demand)
}

fn equilibrium(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("static equilibrium");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    for side in [15, 40] {
        let (network, demand) = grid(side);
        group.throughput(Throughput::Elements(demand.to.len() as u64));
        for gap in [1e-6, 1e-10] {
            let options = Options { gap, settle: f64::INFINITY, ..Options::default() };
            let name = BenchmarkId::new(format!("grid {side} x {side}"), gap);
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    let solution = assign(&network, &demand, &options, &mut |_| ControlFlow::Continue(()));
                    assert!(solution.is_ok_and(|solution| solution.converged), "the bench must solve what it times");
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, equilibrium);
criterion_main!(benches);
