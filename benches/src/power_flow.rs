#![allow(clippy::print_stdout, clippy::disallowed_methods)] // a program that tells what the clock said

//! Times power flow for `benches/peers/power.py`: one state from voltages without load or from linear flows, again and
//! again, and a year of steps. One JSON object on standard output.

use clap::Parser;
use std::path::PathBuf;
use std::time::Instant;
use urbis::utility::power::case;
use urbis::utility::power::series::{self, SeriesSettings};
use urbis::utility::power::{Method, NewtonSettings, PowerFlow, Start};
use urbis_core::Result;

/// Times power flow of a case.
#[derive(Debug, Parser)]
struct Arguments {
    /// Grid, as `urbis power solve` reads it
    case: PathBuf,
    /// Times that the state is solved
    #[arg(long, default_value_t = 20)]
    repeat: u32,
    /// Steps of a series in which every load goes up and down by itself; 0 for none
    #[arg(long, default_value_t = 0)]
    steps: usize,
    /// Threads
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Largest mismatch accepted, per unit
    #[arg(long, default_value_t = 1e-8)]
    tolerance: f64,
}

/// Factor of a load at a step: the same in the script that calls the peers.
fn factor(step: usize, load: usize) -> f64 {
    let hour = step as f64 + 0.37 * (load % 7) as f64;
    0.6 + 0.4 * (std::f64::consts::TAU * hour / 24.0).sin() * (std::f64::consts::TAU * step as f64 / 8760.0).cos()
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let start = Instant::now();
    let case = case::read(&arguments.case)?;
    let read_s = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut flow = PowerFlow::new(case.grid.clone())?;
    let ready_s = start.elapsed().as_secs_f64();
    let settings =
        |start: Start| NewtonSettings { start, tolerance_pu: arguments.tolerance, ..NewtonSettings::default() };
    let mut solved = serde_json::Map::new();
    for (name, from) in [("flat", Start::Flat), ("dc", Start::Dc)] {
        let mut times_s: Vec<f64> = Vec::new();
        let mut outcome = Default::default();
        for _ in 0..arguments.repeat {
            let start = Instant::now();
            outcome = flow.solve(Method::Newton, &settings(from));
            times_s.push(start.elapsed().as_secs_f64());
        }
        times_s.sort_by(f64::total_cmp);
        let vm = |end: fn(f64, f64) -> f64| {
            (0..case.grid.buses.len() as u32).map(|bus| flow.voltage(bus).norm()).filter(|vm| *vm > 0.0).reduce(end)
        };
        solved.insert(
            name.to_owned(),
            serde_json::json!({
                "median_s": times_s[times_s.len() / 2], "converged": outcome.is_converged, "iterations": outcome.iterations,
                "factorings": outcome.factorings, "mismatch_pu": outcome.mismatch_pu, "vm_min_pu": vm(f64::min),
            }),
        );
    }
    let mut of_series = serde_json::Value::Null;
    if arguments.steps > 0 {
        let loads = case.grid.loads.clone();
        let set = |step: usize, flow: &mut PowerFlow| {
            for load in 0..loads.len() {
                let factor = factor(step, load);
                flow.set_load(load as u32, loads.p_w[load] * factor, loads.q_var[load] * factor);
            }
        };
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build().map_err(std::io::Error::other);
        let pool = pool.map_err(|source| urbis_core::Error::read(&arguments.case, source))?;
        let newton = settings(Start::Warm);
        let start = Instant::now();
        let lowest = pool.install(|| {
            series::solve(
                &flow,
                arguments.steps,
                &SeriesSettings { newton, ..SeriesSettings::default() },
                set,
                |solved| {
                    let vm = (0..case.grid.buses.len() as u32).map(|bus| solved.flow.voltage(bus).norm());
                    (vm.filter(|vm| *vm > 0.0).fold(f64::INFINITY, f64::min), solved.outcome.is_converged)
                },
            )
        });
        let series_s = start.elapsed().as_secs_f64();
        of_series = serde_json::json!({
            "steps": lowest.len(), "s": series_s, "us_a_step": 1e6 * series_s / lowest.len() as f64,
            "not_converged": lowest.iter().filter(|(_, is_converged)| !is_converged).count(),
            "vm_min_pu_first": lowest[0].0, "vm_min_pu_last": lowest[lowest.len() - 1].0,
            "vm_min_pu": lowest.iter().map(|(vm, _)| *vm).fold(f64::INFINITY, f64::min),
        });
    }
    println!(
        "{:#}",
        serde_json::json!({
            "case": case.name, "buses": case.grid.buses.len(), "loads": case.grid.loads.len(), "read_s": read_s,
            "ready_s": ready_s, "solve": solved, "series": of_series,
        })
    );
    Ok(())
}
