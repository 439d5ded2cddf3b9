//! Mutual failure of random networks that depend on one another, simulated beside its closed form; see
//! [`urbis_coupling::cascade`]. Tables `collapse` (a row is a run: networks, seed) and `giant` (a share of nodes left in it)
//! where a folder is named.

use crate::solved_folder::{make_ready, write_summary, write_table};
use crate::threads;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use urbis_city::geoparquet::TableWriter;
use urbis_core::chunks::map_chunks;
use urbis_core::{Problem, Problems, Result};
use urbis_coupling::cascade::mutual::{Collapse, Mutual, Remains};
use urbis_coupling::cascade::random::{Critical, critical, dependent_networks, giant, removal_order};

/// Most networks that depend on one another.
const NETWORKS_MAX: usize = 16;
/// `p k` over its critical value at which the giant component is told.
const ABOVE: [f64; 6] = [0.9, 1.02, 1.05, 1.1, 1.25, 1.5];

/// What to simulate.
#[derive(Clone, Debug)]
pub struct TheoryOptions {
    /// Numbers of networks.
    pub networks: Vec<usize>,
    /// Nodes of each.
    pub nodes: usize,
    /// Mean degree of each.
    pub degree: f64,
    /// First seed.
    pub seed: u64,
    /// Number of seeds, one after the other.
    pub seeds: usize,
    /// Folder of the tables; none are written where absent.
    pub out: Option<PathBuf>,
    /// Worker threads; as many as there are processors where absent. Results do not depend on it.
    pub threads: Option<usize>,
    /// Tables as CSV instead of Parquet.
    pub as_csv: bool,
}

/// What came of a number of networks.
#[derive(Clone, Debug)]
pub struct TheoryOf {
    /// Number of networks.
    pub networks: usize,
    /// The closed form.
    pub theory: Critical,
    /// `p k` at the collapse.
    pub pk: Spread,
    /// `k P` of the last giant component before it.
    pub kp_inf: Spread,
    /// `k P` with one node less.
    pub kp_after: Spread,
    /// Stages of the last cascade before it.
    pub stages: Spread,
    /// Giant components above and below.
    pub giants: Vec<GiantAt>,
}

/// A giant component of so many nodes left.
#[derive(Clone, Debug)]
pub struct GiantAt {
    /// Share of nodes left times mean degree.
    pub pk: f64,
    /// `k P` that was found.
    pub found: Spread,
    /// `k P` of the closed form.
    pub theory: f64,
    /// Stages until nothing changed.
    pub stages: Spread,
}

/// Mean and spread over seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation of seeds; not a number of a single one.
    pub deviation: f64,
    /// Standard error of the mean.
    pub error: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / count;
        let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { mean, deviation: variance.sqrt(), error: (variance / count).sqrt() }
    }
    fn json(self) -> Json {
        json!({ "mean": self.mean, "deviation": finite(self.deviation), "error": finite(self.error) })
    }
}

fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

/// One number of networks with one seed.
struct Run {
    seed: u64,
    collapse: Collapse,
    giants: Vec<(u32, Remains)>,
}

/// Simulates, and writes the tables if a folder is named.
///
/// # Errors
/// Options that cannot be, a folder that cannot be written.
pub fn run(options: &TheoryOptions) -> Result<Vec<TheoryOf>> {
    check(options)?;
    threads::pool(options.threads)?.0.install(|| {
        if let Some(out) = &options.out {
            make_ready(out)?;
        }
        let mut all = Vec::new();
        for &networks in &options.networks {
            // Networks of several seeds at once would be more than caches hold: each has a thread to itself.
            let runs = map_chunks(options.seeds, 1, |rows| one(options, networks, options.seed + rows.start as u64));
            let runs = runs.into_iter().collect::<Option<Vec<Run>>>().ok_or_else(|| {
                let what =
                    format!("{} nodes, expected more: a giant component cannot be told from others", options.nodes);
                Problem::file(Path::new("--nodes"), what)
            })?;
            all.push((summary(options, networks, &runs), runs));
        }
        if let Some(out) = &options.out {
            write(options, out, &all)?;
        }
        Ok(all.into_iter().map(|(of, _)| of).collect())
    })
}

fn check(options: &TheoryOptions) -> Result<()> {
    let mut problems = Problems::new();
    let mut tell = |option: &str, what: String| problems.push(Problem::file(Path::new(option), what));
    if options.networks.is_empty() || options.networks.iter().any(|of| !(1..=NETWORKS_MAX).contains(of)) {
        tell("--networks", format!("{:?}, expected 1 to {NETWORKS_MAX}", options.networks));
    } else {
        let most = options.networks.iter().map(|&networks| critical(networks).pk).fold(0.0, f64::max);
        let edges = 0.5 * options.degree * options.nodes as f64;
        if !(options.degree > most && edges < f64::from(u32::MAX / 2)) {
            let networks = options.networks.iter().max().unwrap_or(&1);
            let what = format!("{}, expected more than {most:.4}, below which {networks} have no", options.degree);
            tell("--degree", format!("{what} mutual giant component, and at most 4 billion edges"));
        }
    }
    if !(100..=50_000_000).contains(&options.nodes) {
        tell("--nodes", format!("{}, expected 100 to 50 million", options.nodes));
    }
    if options.seeds == 0 {
        tell("--seeds", "0, expected 1 or more".to_owned());
    }
    problems.or_else(())
}

/// Nothing where there is no giant component even with all nodes.
fn one(options: &TheoryOptions, networks: usize, seed: u64) -> Option<Run> {
    let of = dependent_networks(networks, options.nodes, options.degree, seed);
    let (mut mutual, order) = (Mutual::new(&of), removal_order(options.nodes, seed));
    let giants = lefts(options, networks).map(|left| (left, mutual.cascade(&order, left as usize))).collect();
    Some(Run { seed, collapse: mutual.collapse(&order)?, giants })
}

/// Nodes left at which giant components are told.
fn lefts(options: &TheoryOptions, networks: usize) -> impl Iterator<Item = u32> + use<> {
    let (at, degree, nodes) = (critical(networks).pk, options.degree, options.nodes);
    ABOVE
        .into_iter()
        .map(move |above| above * at)
        .filter(move |&pk| pk <= degree)
        .map(move |pk| (pk / degree * nodes as f64).round() as u32)
}

fn summary(options: &TheoryOptions, networks: usize, runs: &[Run]) -> TheoryOf {
    let scale = options.degree / options.nodes as f64;
    let spread = |of: &dyn Fn(&Run) -> u32| Spread::of(runs.iter().map(|run| f64::from(of(run)) * scale));
    let counts = |of: &dyn Fn(&Run) -> u32| Spread::of(runs.iter().map(|run| f64::from(of(run))));
    let giant_at = |(at, left): (usize, u32)| {
        let pk = f64::from(left) * scale;
        GiantAt {
            pk,
            found: spread(&|run| run.giants[at].1.nodes),
            theory: giant(pk, networks),
            stages: counts(&|run| run.giants[at].1.stages),
        }
    };
    TheoryOf {
        networks,
        theory: critical(networks),
        pk: spread(&|run| run.collapse.left),
        kp_inf: spread(&|run| run.collapse.above.nodes),
        kp_after: spread(&|run| run.collapse.below.nodes),
        stages: counts(&|run| run.collapse.above.stages),
        giants: lefts(options, networks).enumerate().map(giant_at).collect(),
    }
}

/// Everything as one JSON object.
#[must_use]
pub fn json_of(options: &TheoryOptions, all: &[TheoryOf]) -> Json {
    let of = |of: &TheoryOf| {
        let giants = of.giants.iter().map(|at| {
            json!({ "pk": at.pk, "kp_inf": at.found.json(), "kp_inf_theory": at.theory, "stages": at.stages.json() })
        });
        json!({
            "networks": of.networks, "pk_critical": of.pk.json(), "pk_critical_theory": of.theory.pk,
            "kp_inf": of.kp_inf.json(), "kp_inf_theory": of.theory.kp_inf, "kp_after": of.kp_after.json(),
            "stages": of.stages.json(), "giants": giants.collect::<Vec<_>>(),
        })
    };
    json!({
        "nodes": options.nodes, "degree": options.degree, "seed": options.seed, "seeds": options.seeds,
        "runs": all.iter().map(of).collect::<Vec<_>>(),
    })
}

fn write(options: &TheoryOptions, out: &Path, all: &[(TheoryOf, Vec<Run>)]) -> Result<()> {
    let scale = options.degree / options.nodes as f64;
    let rows: Vec<(&TheoryOf, &Run)> =
        all.iter().flat_map(|(of, runs)| runs.iter().map(move |run| (of, run))).collect();
    let numbers = |of: &dyn Fn(&(&TheoryOf, &Run)) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
    let counts = |of: &dyn Fn(&(&TheoryOf, &Run)) -> u32| rows.iter().map(of).collect::<Vec<u32>>();
    let mut table = TableWriter::new("Collapse of random networks that depend on one another");
    table.count("networks", "", "Networks that depend on one another.", &counts(&|row| row.0.networks as u32));
    table.whole(
        "seed",
        "",
        "Seed of networks and order of removal.",
        &rows.iter().map(|row| row.1.seed as i64).collect::<Vec<_>>(),
    );
    table.count(
        "nodes_left",
        "",
        "Fewest nodes left with a mutual giant component.",
        &counts(&|row| row.1.collapse.left),
    );
    table.number("pk", "", "Their share times mean degree.", &numbers(&|row| f64::from(row.1.collapse.left) * scale));
    table.number("pk_theory", "", "Closed form of it.", &numbers(&|row| row.0.theory.pk));
    table.number(
        "kp_inf",
        "",
        "Share in that component times mean degree.",
        &numbers(&|row| f64::from(row.1.collapse.above.nodes) * scale),
    );
    table.number("kp_inf_theory", "", "Closed form of it.", &numbers(&|row| row.0.theory.kp_inf));
    table.number(
        "kp_after",
        "",
        "The same with one node less.",
        &numbers(&|row| f64::from(row.1.collapse.below.nodes) * scale),
    );
    table.count(
        "stages",
        "",
        "Stages until nothing changed, just above the collapse.",
        &counts(&|row| row.1.collapse.above.stages),
    );
    write_table(out, options.as_csv, "collapse", table)?;

    let rows: Vec<(&TheoryOf, &Run, usize)> =
        rows.iter().flat_map(|&(of, run)| (0..run.giants.len()).map(move |at| (of, run, at))).collect();
    let numbers = |of: &dyn Fn(&(&TheoryOf, &Run, usize)) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
    let counts = |of: &dyn Fn(&(&TheoryOf, &Run, usize)) -> u32| rows.iter().map(of).collect::<Vec<u32>>();
    let mut table = TableWriter::new("Mutual giant components of random networks that depend on one another");
    table.count("networks", "", "Networks that depend on one another.", &counts(&|row| row.0.networks as u32));
    table.whole(
        "seed",
        "",
        "Seed of networks and order of removal.",
        &rows.iter().map(|row| row.1.seed as i64).collect::<Vec<_>>(),
    );
    table.count("nodes_left", "", "Nodes left before the cascade.", &counts(&|row| row.1.giants[row.2].0));
    table.number("pk", "", "Their share times mean degree.", &numbers(&|row| f64::from(row.1.giants[row.2].0) * scale));
    table.number(
        "kp_inf",
        "",
        "Share in the mutual giant component times mean degree.",
        &numbers(&|row| f64::from(row.1.giants[row.2].1.nodes) * scale),
    );
    table.number("kp_inf_theory", "", "Closed form of it.", &numbers(&|row| row.0.giants[row.2].theory));
    table.count("stages", "", "Stages until nothing changed.", &counts(&|row| row.1.giants[row.2].1.stages));
    write_table(out, options.as_csv, "giant", table)?;
    let summaries: Vec<TheoryOf> = all.iter().map(|(of, _)| of.clone()).collect();
    write_summary(out, &json_of(options, &summaries))
}
