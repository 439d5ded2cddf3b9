#![allow(clippy::print_stdout, clippy::print_stderr)] // a bench says what it skips

//! AC power flow, one thread: the factors alone (assembled, factored and solved; solved again; those of a symmetric
//! matrix of the same pattern, as pipe networks have), a Newton solve from each start, sweep and linear approximation, and a tick of a series whose loads move by some percent and that
//! starts from the tick before. Grids are MATPOWER cases: those of `URBIS_BENCH_POWER` (files, parted by `:`), else of
//! the shared folder.

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;
use urbis_core::rng::Rng;
use urbis_utility::power::{BusKind, Grid, Method, NewtonSettings, PowerFlow, Start, matpower};
use urbis_utility::sparse::{BlockLu, Ldlt, Pattern, SymmetricMatrix, minimum_degree};

/// Largest mismatch accepted: what the peers accept by default.
const TOLERANCE_PU: f64 = 1e-8;
/// Cases of the shared folder that are measured.
const CASES: [&str; 4] = ["case118", "case1354pegase", "mv_oberrhein", "lv_schutterwald"];

fn cases() -> Vec<PathBuf> {
    if let Some(paths) = std::env::var_os("URBIS_BENCH_POWER") {
        return std::env::split_paths(&paths).collect();
    }
    let shared =
        std::env::var_os("URBIS_SHARED").map_or_else(|| urbis_benches::root().join("../shared"), PathBuf::from);
    CASES.iter().map(|name| shared.join(format!("reference/utility/power/{name}/{name}.m"))).collect()
}

fn power(criterion: &mut Criterion) {
    for path in cases() {
        match matpower::read(&path) {
            Ok(case) => measure(criterion, &path, &case.grid),
            Err(error) => eprintln!("skipped {}: {error}", path.display()),
        }
    }
}

/// The pattern of a grid's unknown voltages in the order of elimination.
fn pattern_of(grid: &Grid) -> Pattern {
    let is_source = |bus: u32| grid.buses.kind[bus as usize] == BusKind::Slack;
    let of = &grid.branches;
    let closed = (0..of.len()).filter(|&row| of.is_in_service[row]).map(|row| (of.from[row], of.to[row]));
    let unknown = closed.filter(|&(from, to)| !is_source(from) && !is_source(to));
    let pattern = Pattern::from_edges(grid.buses.len(), unknown);
    pattern.permuted(&minimum_degree(&pattern))
}

/// Values of a size that does not matter, factored and solved.
fn factor(lu: &mut BlockLu, x: &mut [[f64; 2]]) {
    let (diagonal, lower, upper) = lu.assemble();
    diagonal.fill([8.0, 0.5, -0.5, 8.0]);
    lower.fill([-1.0, 0.1, -0.1, -1.0]);
    upper.fill([-1.0, 0.2, -0.2, -1.0]);
    x.fill([1.0, 0.5]);
    lu.factor_and_solve(1.0, x);
}

fn measure(criterion: &mut Criterion, path: &Path, grid: &Grid) {
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let mut flow = match PowerFlow::new(grid.clone()) {
        Ok(flow) => flow,
        Err(error) => return eprintln!("skipped {name}: {error}"),
    };
    let mut group = criterion.benchmark_group(format!("power_{name}"));
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_secs(1));
    let pattern = pattern_of(grid);
    let mut lu = BlockLu::new(&pattern);
    let mut x = vec![[0.0; 2]; grid.buses.len()];
    group.bench_function("refactor_and_solve", |b| b.iter(|| factor(&mut lu, black_box(&mut x))));
    group.bench_function("solve", |b| b.iter(|| lu.solve(black_box(&mut x))));
    let (mut ldlt, mut matrix, mut heads) =
        (Ldlt::new(&pattern), SymmetricMatrix::zeros(&pattern), vec![0.0; grid.buses.len()]);
    matrix.off_diagonal.fill(-1.0);
    matrix.diagonal.iter_mut().enumerate().for_each(|(row, d)| *d = 0.1 + pattern.row(row).len() as f64);
    group.bench_function("ldlt_refactor_and_solve", |b| {
        b.iter(|| {
            ldlt.factor(&matrix);
            heads.fill(1.0);
            ldlt.solve(black_box(&mut heads));
        });
    });
    let settings = NewtonSettings { tolerance_pu: TOLERANCE_PU, ..NewtonSettings::default() };
    for (what, method, start) in [
        ("newton_flat", Method::Newton, Start::Flat),
        ("newton_dc", Method::Newton, Start::Dc),
        ("newton_given", Method::Newton, Start::Given),
        ("sweep", Method::Sweep, Start::Flat),
        ("linear", Method::Linear, Start::Flat),
    ] {
        let settings = NewtonSettings { start, ..settings };
        let outcome = flow.solve(method, &settings);
        println!(
            "{name} {what}: {} steps, {} factorings, {:.1e} pu",
            outcome.iterations, outcome.factorings, outcome.mismatch_pu
        );
        group.bench_function(what, |b| b.iter(|| black_box(flow.solve(method, &settings))));
    }
    for (what, method) in
        [("tick_newton", Method::Newton), ("tick_sweep", Method::Sweep), ("tick_linear", Method::Linear)]
    {
        let mut series = Series::new(grid);
        flow.solve(method, &NewtonSettings { start: Start::Flat, ..settings });
        group.bench_function(what, |b| {
            b.iter(|| {
                series.next(&mut flow);
                black_box(flow.solve(method, &settings))
            });
        });
    }
    group.finish();
}

/// Loads of ticks: all of them follow a day of 96 ticks between 0.4 and 1.0 of the case, each by 5 percent apart.
struct Series {
    ticks: Vec<(Vec<f64>, Vec<f64>)>,
    generators: Vec<(f64, f64)>,
    at: usize,
}

impl Series {
    fn new(grid: &Grid) -> Self {
        let mut rng = Rng::new(7, 0, 0, 0);
        let ticks = (0..96).map(|tick| {
            let level = level_of(tick);
            let (p_w, q_var) = (&grid.loads.p_w, &grid.loads.q_var);
            let scaled = p_w.iter().zip(q_var).map(|(p, q)| {
                let scale = level * (0.95 + 0.1 * rng.uniform());
                (p * scale, q * scale)
            });
            scaled.unzip()
        });
        let generators = grid.generators.p_w.iter().zip(&grid.generators.q_var).map(|(p, q)| (*p, *q));
        Self { ticks: ticks.collect(), generators: generators.collect(), at: 0 }
    }
    fn next(&mut self, flow: &mut PowerFlow) {
        self.at = (self.at + 1) % self.ticks.len();
        let (p_w, q_var) = &self.ticks[self.at];
        flow.set_loads(p_w, q_var);
        for (generator, (p_w, q_var)) in self.generators.iter().enumerate() {
            flow.set_generator(generator as u32, p_w * level_of(self.at), *q_var);
        }
    }
}

fn level_of(tick: usize) -> f64 {
    0.7 + 0.3 * (tick as f64 / 96.0 * std::f64::consts::TAU).sin()
}

criterion_group!(benches, power);
criterion_main!(benches);
