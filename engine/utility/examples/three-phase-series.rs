//! Times repeated three-phase solves of the European low-voltage feeder while every load changes, and writes the voltages
//! of the last one. `benches/peers/opendss.py` runs OpenDSS on the same feeder and the same loads.
//!
//! `three-phase-series TICKS VOLTAGES.csv` prints a line for each tolerance: tolerance, microseconds a solve (loads set,
//! solved, all voltages known), substitutions a solve, largest distance from a solve to the end, per unit.
//!
//! Load `l` of tick `t` draws `0.6 + 0.04 ((7 t + 13 l) mod 11)` of what it draws in the snapshot. The transformer's zero
//! sequence is its positive one and the source is behind its impedance, as OpenDSS has them.

#[path = "../tests/common/three_phase.rs"]
mod snapshots;

use std::error::Error;
use std::fmt::Write as _;
use urbis_utility::power::grid::Complex;
use urbis_utility::power::three_phase::{PhaseFlow, PhaseSettings};

/// Ratio at which magnetising currents of zero sequence vanish.
const NO_MAGNETISING: f64 = 1e9;

fn set_loads(flow: &mut PhaseFlow, powers: &[[Complex; 3]], tick: usize) {
    for (load, s_va) in powers.iter().enumerate() {
        let scale = 0.6 + 0.04 * ((7 * tick + 13 * load) % 11) as f64;
        flow.set_load(load as u32, s_va.map(|s| s * scale));
    }
}

fn voltages(flow: &PhaseFlow) -> Vec<[Complex; 3]> {
    (0..flow.grid().buses.len() as u32).map(|bus| flow.voltage(bus)).collect()
}

#[allow(clippy::print_stdout)] // figures for whoever runs it
#[allow(clippy::disallowed_methods)] // it is there to measure
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [ticks, path] = &arguments[..] else {
        return Err("usage: three-phase-series TICKS VOLTAGES.csv".into());
    };
    let ticks: usize = ticks.parse()?;
    let mut grid = snapshots::beside_the_tests().swap_remove(0).grid;
    grid.transformers.iter_mut().for_each(|of| of.mag0 = NO_MAGNETISING);
    grid.sources.iter_mut().for_each(|of| of.holds_bus = false);
    let mut flow = PhaseFlow::new(grid)?;
    let powers: Vec<[Complex; 3]> = flow.grid().loads.iter().map(|load| load.s_va).collect();
    let mut end = Vec::new();
    for tolerance_pu in [1e-13, 1e-6, 1e-8, 1e-10] {
        let settings = PhaseSettings { tolerance_pu, ..PhaseSettings::default() };
        set_loads(&mut flow, &powers, ticks);
        flow.solve(&settings);
        let mut substitutions = 0;
        let start = std::time::Instant::now();
        for tick in 0..ticks {
            set_loads(&mut flow, &powers, tick);
            let outcome = flow.solve(&settings);
            if !outcome.is_converged {
                return Err(format!("tick {tick} does not converge: {outcome:?}").into());
            }
            substitutions += outcome.iterations;
        }
        let us = start.elapsed().as_secs_f64() * 1e6 / ticks as f64;
        if end.is_empty() {
            end = voltages(&flow);
            let mut table = String::from("bus_id,vm_a_pu,vm_b_pu,vm_c_pu\n");
            for (bus, v) in flow.grid().buses.iter().zip(&end) {
                writeln!(table, "{},{},{},{}", bus.id, v[0].norm(), v[1].norm(), v[2].norm())?;
            }
            std::fs::write(path, table)?;
        } else {
            let now = voltages(&flow);
            let off = now.iter().flatten().zip(end.iter().flatten()).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
            println!("{tolerance_pu:e} {us:.2} {:.2} {off:.1e}", f64::from(substitutions) / ticks as f64);
        }
    }
    Ok(())
}
