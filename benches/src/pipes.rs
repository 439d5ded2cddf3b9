#![allow(clippy::print_stdout, clippy::disallowed_methods)] // a program that tells what the clock said

//! Times networks of pipes and towns for `benches/peers/pipes.py`: states of a gas net or of a network of heat whose demands
//! change from solve to solve, a year of a network of heat by the hour, a town's day. One JSON object on standard output.

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::time::Instant;
use urbis::town_run::{NETWORKS, Town};
use urbis::utility::gas::GasFlow;
use urbis::utility::heat::transport::{HeatRun, RunSettings};
use urbis::utility::heat::{Coupling, HeatFlow, HeatSettings};
use urbis::utility::pipes::BAR;
use urbis::utility::pipes::network::Given;
use urbis::utility::pipes::pandapipes;
use urbis::utility::pipes::solver::HydraulicSettings;
use urbis_core::Result;

/// Times networks of pipes and towns.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// Times that it is done; the median counts
    #[arg(long, default_value_t = 21, global = true)]
    repeat: u32,
}

#[derive(Debug, Subcommand)]
enum What {
    /// States of a gas net
    Gas {
        /// As `urbis gas solve` reads it
        net: PathBuf,
    },
    /// States of a network of heat
    Heat {
        /// As `urbis heat solve` reads it
        net: PathBuf,
        /// Flows once, at the temperatures of the file
        #[arg(long)]
        sequential: bool,
    },
    /// A year of a network of heat, by the hour, water travelling as plugs
    Year {
        /// As `urbis heat solve` reads it
        net: PathBuf,
        /// Steps
        #[arg(long, default_value_t = 8760)]
        steps: u32,
    },
    /// A town's time, reading and writing left out
    Town {
        /// As `urbis town run` reads it
        town: PathBuf,
    },
}

/// Factor of demands at a solve; the same in the script that calls the peer.
fn factor(nth: u32) -> f64 {
    0.7 + 0.1 * f64::from(nth % 4)
}

/// Factor of demands at an hour of the year: cold winters, mornings and evenings.
fn factor_of_hour(hour: u32) -> f64 {
    let turn = |period: f64| (std::f64::consts::TAU * f64::from(hour) / period).cos();
    (0.55 + 0.35 * turn(8760.0)) * (0.8 - 0.2 * turn(12.0))
}

fn scaled(given: Given, factor: f64) -> Given {
    match given {
        Given::FlowHeat(m, q) => Given::FlowHeat(m * factor, q * factor),
        Given::FlowDrop(m, drop) => Given::FlowDrop(m * factor, drop),
        Given::FlowReturn(m, back) => Given::FlowReturn(m * factor, back),
        Given::HeatDrop(q, drop) => Given::HeatDrop(q * factor, drop),
        Given::HeatReturn(q, back) => Given::HeatReturn(q * factor, back),
    }
}

fn median(mut times_s: Vec<f64>) -> f64 {
    times_s.sort_by(f64::total_cmp);
    times_s[times_s.len() / 2]
}

fn main() -> Result<()> {
    let Arguments { what, repeat } = Arguments::parse();
    let repeat = repeat.max(1);
    let told = match what {
        What::Gas { net } => {
            let net = pandapipes::read(&net)?;
            let settings = HydraulicSettings { friction: net.options.friction, ..HydraulicSettings::default() };
            let draws: Vec<f64> = net.network.draws.iter().map(|draw| draw.mdot_kgps).collect();
            let mut flow = GasFlow::new(net.network)?;
            let (mut times_s, mut is_converged) = (Vec::new(), flow.solve(&settings).is_converged);
            for nth in 0..repeat {
                let drawn: Vec<f64> = draws.iter().map(|draw| draw * factor(nth)).collect();
                let begun = Instant::now();
                flow.set_draws(&drawn);
                is_converged &= flow.solve(&settings).is_converged;
                times_s.push(begun.elapsed().as_secs_f64());
            }
            let nodes = 0..flow.network().nodes.len() as u32;
            let lowest =
                nodes.map(|node| flow.gauge_pa(node) / BAR).filter(|bar| bar.is_finite()).fold(f64::INFINITY, f64::min);
            serde_json::json!({
                "solve_s": median(times_s), "converged": is_converged, "nodes": flow.network().nodes.len(),
                "p_min_bar": lowest,
            })
        }
        What::Heat { net, sequential } => {
            let net = pandapipes::read(&net)?;
            let hydraulic = HydraulicSettings { friction: net.options.friction, ..HydraulicSettings::default() };
            let coupling = if sequential { Coupling::Sequential } else { Coupling::Mutual };
            let ambient_k = net.options.ambient_k;
            let settings =
                HeatSettings { hydraulic, coupling, ambient_k, tolerance_k: 1e-6, ..HeatSettings::default() };
            let given: Vec<Given> = net.network.consumers.iter().map(|of| of.given).collect();
            let mut flow = HeatFlow::new(net.network)?;
            let (mut times_s, mut is_converged) = (Vec::new(), flow.solve(&settings).is_converged);
            for nth in 0..repeat {
                let begun = Instant::now();
                for (row, of) in given.iter().enumerate() {
                    flow.set_given(row as u32, scaled(*of, factor(nth)));
                }
                is_converged &= flow.solve(&settings).is_converged;
                times_s.push(begun.elapsed().as_secs_f64());
            }
            let nodes = &flow.network().nodes;
            let junctions = (0..nodes.len()).filter(|&node| nodes.is_junction[node]);
            let known: Vec<f64> = junctions.map(|node| flow.t_k(node as u32)).filter(|t_k| t_k.is_finite()).collect();
            let mean_k = known.iter().sum::<f64>() / known.len() as f64;
            serde_json::json!({
                "solve_s": median(times_s), "converged": is_converged, "nodes": flow.network().nodes.len(),
                "consumers": given.len(), "t_mean_k": mean_k,
            })
        }
        What::Year { net, steps } => {
            let net = pandapipes::read(&net)?;
            let hydraulic = HydraulicSettings { friction: net.options.friction, ..HydraulicSettings::default() };
            let heat = HeatSettings { hydraulic, ambient_k: net.options.ambient_k, ..HeatSettings::default() };
            let given: Vec<Given> = net.network.consumers.iter().map(|of| of.given).collect();
            let mut run = HeatRun::new(HeatFlow::new(net.network)?, RunSettings { heat, ..RunSettings::default() })?;
            let (begun, mut unsolved) = (Instant::now(), 0);
            for hour in 0..steps {
                for (row, of) in given.iter().enumerate() {
                    run.set_given(row as u32, scaled(*of, factor_of_hour(hour)));
                }
                unsolved += u32::from(!run.step().hydraulic.is_converged);
            }
            let taken_s = begun.elapsed().as_secs_f64();
            let of = run.ledger();
            serde_json::json!({
                "s": taken_s, "steps": steps, "unsolved": unsolved, "consumers": given.len(), "gap": of.gap(),
                "produced_mwh": of.produced_j / 3.6e9, "lost_mwh": of.lost_j / 3.6e9,
            })
        }
        What::Town { town } => {
            let town = Town::read(&town)?;
            let mut times_s = Vec::new();
            let mut last = town.clone();
            for _ in 0..repeat {
                last = town.clone();
                let begun = Instant::now();
                while !last.is_done() {
                    last.step()?;
                }
                times_s.push(begun.elapsed().as_secs_f64());
            }
            let of = |network: urbis::town_run::NetworkName| {
                let totals = last.totals(network)?;
                let of = serde_json::json!({
                    "solves": totals.solves, "unsolved": totals.unsolved, "worst_share": totals.worst_share,
                    "unserved_customer_h": totals.unserved_customer_h,
                });
                Some((network.name().to_owned(), of))
            };
            let networks: serde_json::Map<String, serde_json::Value> = NETWORKS.into_iter().filter_map(of).collect();
            serde_json::json!({ "day_s": median(times_s), "steps": last.next_step(), "networks": networks })
        }
    };
    println!("{told}");
    Ok(())
}
