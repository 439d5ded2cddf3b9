//! `urbis assign`: static user equilibrium of a TNTP network, from files to files.

use crate::args::{AssignArguments, TableFormat};
use crate::screen::{figure, print, print_json, say, table};
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Value as Json, json};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use urbis_assignment::static_equilibrium::EXAMPLES;
use urbis_assignment::{Demand, Iteration, Network, Options, Solution, assign};
use urbis_core::files::{StagedFolder, write_whole};
use urbis_core::{Error, Problem, Problems, Result};
use urbis_interop::tntp::{self, TntpNetwork, TntpTrips};

/// Its presence says that the other files are whole: it is removed first and written last.
const SUMMARY: &str = "summary.json";
const LINK_FLOWS: &str = "link_flows.parquet";
const CONVERGENCE: &str = "convergence.parquet";
const METHOD: &str = "bush-based (Algorithm B)";

/// Network and demand by rows, and demand that cannot be among them.
struct Input {
    network: Network,
    demand: Demand,
    /// Numbers of the nodes, rising.
    node_id: Vec<u32>,
    /// Zones that demand starts from or goes to.
    zones: usize,
    strange: Strange,
}

/// Demand from or to nodes that no link touches.
#[derive(Default)]
struct Strange {
    flow: f64,
    pairs: usize,
    /// By number of the node.
    examples: Vec<(u32, u32, f64)>,
}

/// A solution and what the clock said.
struct Run {
    solution: Solution,
    /// Seconds since the start, by iteration.
    wall_s: Vec<f64>,
    threads: usize,
}

/// Assigns, writes, and tells how far it came.
pub(crate) fn run(arguments: &AssignArguments) -> Result<()> {
    check_weights(arguments)?;
    let net = tntp::read_network(&arguments.network)?;
    let trips = tntp::read_trips(&arguments.trips)?;
    for (path, notes) in [(&arguments.network, &net.notes), (&arguments.trips, &trips.notes)] {
        notes.iter().for_each(|note| say(&format!("note: {}: {note}", path.display())));
    }
    let input = prepare(arguments, &net, &trips)?;
    // A place that cannot be written to is known before the work, not after it.
    drop(StagedFolder::new(&arguments.out)?);
    let run = solve(arguments, &input)?;
    warn_of_unassigned(&input, &run.solution);
    let summary = summary_json(arguments, &net, &input, &run);
    write(&arguments.out, &net, &run, &summary)?;
    match arguments.format {
        TableFormat::Json => print_json(&summary)?,
        TableFormat::Table => print(&summary_text(arguments, &input, &run))?,
    }
    if run.solution.converged {
        return Ok(());
    }
    let solution = &run.solution;
    let what = format!(
        "relative gap {:.3e} after {} iterations, expected at most {:e}",
        solution.relative_gap, solution.iterations, arguments.gap
    );
    let help = format!(
        "the flows in {} are whole but not that close to equilibrium (converged: false); raise --max-iterations or --gap",
        arguments.out.display()
    );
    Err(Problem::file(Path::new("not converged"), what).with_help(help).into())
}

fn check_weights(arguments: &AssignArguments) -> Result<()> {
    let mut problems = Problems::new();
    for (name, value) in [("--toll-weight", arguments.toll_weight), ("--distance-weight", arguments.distance_weight)] {
        if !value.is_finite() {
            problems.push(Problem::file(Path::new(name), format!("{value}, expected a number")));
        }
    }
    for (name, value) in [("--gap", arguments.gap), ("--settle", arguments.settle)] {
        if value.is_nan() || value <= 0.0 {
            problems.push(Problem::file(Path::new(name), format!("{value}, expected a number above 0, such as 1e-6")));
        }
    }
    problems.or_else(())
}

/// Rows for nodes, generalised costs, demand by origin.
fn prepare(arguments: &AssignArguments, net: &TntpNetwork, trips: &TntpTrips) -> Result<Input> {
    let mut node_id: Vec<u32> = net.from.iter().chain(&net.to).copied().collect();
    node_id.sort_unstable();
    node_id.dedup();
    let row = |id: u32| node_id.binary_search(&id).ok().map(|row| row as u32);
    let rows = |ids: &[u32]| -> Vec<u32> { ids.iter().filter_map(|&id| row(id)).collect() };
    let mut problems = Problems::new();
    let fixed_cost: Vec<f64> = (0..net.from.len())
        .map(|link| {
            let fixed = arguments.toll_weight * net.toll[link] + arguments.distance_weight * net.length[link];
            let least = net.free_flow_time[link] + fixed;
            if !(least.is_finite() && least >= 0.0) {
                let what = format!(
                    "line {}: free_flow_time + weighted toll and length = {least}, expected at least 0",
                    net.line[link]
                );
                problems.push(Problem::file(&arguments.network, what).with_help("check the weights and their signs"));
            }
            fixed
        })
        .collect();
    let network = Network {
        nodes: node_id.len(),
        from: rows(&net.from),
        to: rows(&net.to),
        t0: net.free_flow_time.clone(),
        capacity: net.capacity.clone(),
        b: net.b.clone(),
        power: net.power.clone(),
        fixed_cost,
        first_thru: node_id.partition_point(|&id| id < net.first_thru) as u32,
    };
    let mut strange = Strange::default();
    let mut triples = Vec::with_capacity(trips.flow.len());
    for ((&from, &to), &flow) in trips.from.iter().zip(&trips.to).zip(&trips.flow) {
        match (row(from), row(to)) {
            (Some(from), Some(to)) => triples.push((from, to, flow)),
            _ => {
                strange.flow += flow;
                strange.pairs += 1;
                if strange.examples.len() < EXAMPLES {
                    strange.examples.push((from, to, flow));
                }
            }
        }
    }
    let mut zones: Vec<u32> = trips.from.iter().chain(&trips.to).copied().collect();
    zones.sort_unstable();
    zones.dedup();
    let demand = Demand::from_triples(network.nodes, &triples)?;
    problems.or_else(Input { network, demand, node_id, zones: zones.len(), strange })
}

/// Runs the assignment on as many threads as asked for, telling every iteration.
#[allow(clippy::disallowed_methods)] // the program measures wall time; the flows do not depend on it
fn solve(arguments: &AssignArguments, input: &Input) -> Result<Run> {
    let (pool, threads) = urbis::threads::pool(arguments.threads.map(usize::from))?;
    let options = Options { gap: arguments.gap, settle: arguments.settle, max_iterations: arguments.max_iterations };
    let start = Instant::now();
    let mut wall_s = Vec::new();
    let quiet = arguments.quiet;
    let mut progress = |at: &Iteration| {
        let wall = start.elapsed().as_secs_f64();
        wall_s.push(wall);
        if !quiet {
            say(&format!(
                "iteration {:>4}  relative gap {:.3e}  objective {:.6}  flows change by {:.1e}  {wall:.1} s",
                at.iteration, at.relative_gap, at.beckmann, at.change
            ));
        }
        ControlFlow::Continue(())
    };
    let solution = pool.install(|| assign(&input.network, &input.demand, &options, &mut progress))?;
    Ok(Run { solution, wall_s, threads })
}

fn warn_of_unassigned(input: &Input, solution: &Solution) {
    let lost = &solution.unassigned;
    let id = |row: u32| input.node_id[row as usize];
    let outside: Vec<_> = lost.examples.iter().map(|&(from, to, flow)| (id(from), id(to), flow)).collect();
    for (why, pairs, flow, examples) in [
        ("has no path", lost.pairs, lost.flow, &outside),
        (
            "starts or ends at a node that no link touches",
            input.strange.pairs,
            input.strange.flow,
            &input.strange.examples,
        ),
    ] {
        if pairs > 0 {
            let listed: Vec<String> =
                examples.iter().map(|(from, to, flow)| format!("{from} -> {to} ({})", figure(*flow))).collect();
            let more = if pairs > listed.len() { ", ..." } else { "" };
            say(&format!(
                "warning: demand of {} in {pairs} pairs {why} and is not assigned: {}{more}",
                figure(flow),
                listed.join(", ")
            ));
        }
    }
}

fn summary_json(arguments: &AssignArguments, net: &TntpNetwork, input: &Input, run: &Run) -> Json {
    let solution = &run.solution;
    let id = |row: u32| input.node_id[row as usize];
    let no_path = solution.unassigned.examples.iter().map(|&(from, to, flow)| (id(from), id(to), flow));
    let examples: Vec<Json> = no_path
        .map(|example| (example, "no path"))
        .chain(input.strange.examples.iter().map(|&example| (example, "unknown node")))
        .map(|((from, to, flow), why)| json!({ "from_node": from, "to_node": to, "demand": flow, "why": why }))
        .collect();
    let trace = solution.trace.iter().zip(&run.wall_s).map(|(at, wall_s)| {
        json!({
            "iteration": at.iteration, "relative_gap": at.relative_gap, "beckmann": at.beckmann,
            "change": at.change.is_finite().then_some(at.change), "wall_s": wall_s,
        })
    });
    json!({
        "beckmann": solution.beckmann,
        "relative_gap": solution.relative_gap,
        "iterations": solution.iterations,
        "converged": solution.converged,
        "settled": solution.settled,
        "total_travel_time": solution.total_time,
        "total_cost": solution.total_cost,
        "method": METHOD,
        "gap_asked_for": arguments.gap,
        "settle_asked_for": arguments.settle,
        "max_iterations": arguments.max_iterations,
        "toll_weight": arguments.toll_weight,
        "distance_weight": arguments.distance_weight,
        "network": arguments.network.display().to_string(),
        "trips": arguments.trips.display().to_string(),
        "zones": net.zones,
        "zones_with_demand": input.zones,
        "nodes": input.network.nodes,
        "links": input.network.links(),
        "first_thru_node": net.first_thru,
        "total_demand": solution.assigned + solution.unassigned.flow + input.strange.flow + input.demand.within,
        "assigned_demand": solution.assigned,
        "intrazonal_demand": input.demand.within,
        "unassigned_demand": solution.unassigned.flow + input.strange.flow,
        "unassigned_pairs": solution.unassigned.pairs + input.strange.pairs,
        "unassigned_examples": examples,
        "threads": run.threads,
        "wall_s": run.wall_s.last().copied().unwrap_or(0.0),
        "trace": trace.collect::<Vec<_>>(),
    })
}

/// Writes the files; those of an earlier run are invalid from the first moment on.
fn write(out: &Path, net: &TntpNetwork, run: &Run, summary: &Json) -> Result<()> {
    let summary_path = out.join(SUMMARY);
    match std::fs::remove_file(&summary_path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::write(&summary_path, error)),
        _ => {}
    }
    let solution = &run.solution;
    let numbers =
        |ids: &[u32]| -> ArrayRef { Arc::new(Int64Array::from_iter_values(ids.iter().map(|&id| i64::from(id)))) };
    let floats = |values: Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
    write_parquet(
        &out.join(LINK_FLOWS),
        vec![
            ("from_node", numbers(&net.from)),
            ("to_node", numbers(&net.to)),
            ("flow", floats(solution.flow.clone())),
            ("cost", floats(solution.cost.clone())),
        ],
    )?;
    let trace = &solution.trace;
    let iterations = trace.iter().map(|at| i64::from(at.iteration));
    write_parquet(
        &out.join(CONVERGENCE),
        vec![
            ("iteration", Arc::new(Int64Array::from_iter_values(iterations))),
            ("relative_gap", floats(trace.iter().map(|at| at.relative_gap).collect())),
            ("beckmann", floats(trace.iter().map(|at| at.beckmann).collect())),
            ("wall_s", floats(run.wall_s.clone())),
        ],
    )?;
    write_whole(&summary_path, format!("{summary:#}\n").as_bytes())
}

fn write_parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) -> Result<()> {
    let attempt = || -> parquet::errors::Result<Vec<u8>> {
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, false)))?;
        let level = ZstdLevel::try_new(3)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
        writer.write(&batch)?;
        writer.into_inner()
    };
    let bytes = attempt().map_err(|error| Error::write(path, std::io::Error::other(error)))?;
    write_whole(path, &bytes)
}

fn summary_text(arguments: &AssignArguments, input: &Input, run: &Run) -> String {
    let solution = &run.solution;
    let gap = format!("{:.3e}{}", solution.relative_gap, if solution.converged { "" } else { " (not converged)" });
    let left = solution.unassigned.flow + input.strange.flow;
    let mut rows = vec![
        vec!["Beckmann objective".to_owned(), format!("{:.6}", solution.beckmann)],
        vec!["relative gap".to_owned(), gap],
        vec!["iterations".to_owned(), solution.iterations.to_string()],
        vec!["total travel time".to_owned(), format!("{:.6}", solution.total_time)],
        vec!["total cost with tolls and distance".to_owned(), format!("{:.6}", solution.total_cost)],
        vec!["links".to_owned(), figure(input.network.links() as f64)],
        vec!["demand assigned".to_owned(), figure(solution.assigned)],
    ];
    for (name, flow) in [("demand within zones, uses no link", input.demand.within), ("demand not assigned", left)] {
        if flow > 0.0 {
            rows.push(vec![name.to_owned(), figure(flow)]);
        }
    }
    let out = arguments.out.display();
    let wall = run.wall_s.last().copied().unwrap_or(0.0);
    let threads = run.threads;
    let plural = if threads == 1 { "" } else { "s" };
    table(&["figure", "value"], &[1], rows)
        + &format!("\nresults  {out}/{LINK_FLOWS}, {CONVERGENCE}, {SUMMARY}; {wall:.1} s on {threads} thread{plural}\n")
        + &format!("next     pandas.read_parquet('{out}/{LINK_FLOWS}')\n")
}
