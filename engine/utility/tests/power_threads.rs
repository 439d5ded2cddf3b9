//! The same bits on any number of threads, and no allocation once a grid is solved.

mod common;

use common::references;
use urbis_utility::power::{Method, NewtonSettings, PowerFlow, matpower};

fn bits(flow: &PowerFlow) -> Vec<(u64, u64)> {
    let voltage = |bus| flow.voltage(bus);
    (0..flow.grid().buses.len() as u32).map(|bus| (voltage(bus).re.to_bits(), voltage(bus).im.to_bits())).collect()
}

/// Loads and generators of a grid, to be scaled together, as no slack bus makes up for all of a day.
struct Powers {
    loads: (Vec<f64>, Vec<f64>),
    generators: (Vec<f64>, Vec<f64>),
}

impl Powers {
    fn of(flow: &PowerFlow) -> Self {
        let (loads, generators) = (&flow.grid().loads, &flow.grid().generators);
        Self {
            loads: (loads.p_w.clone(), loads.q_var.clone()),
            generators: (generators.p_w.clone(), generators.q_var.clone()),
        }
    }
    fn set(&self, flow: &mut PowerFlow, scale: f64) {
        for (load, (p_w, q_var)) in self.loads.0.iter().zip(&self.loads.1).enumerate() {
            flow.set_load(load as u32, scale * p_w, scale * q_var);
        }
        for (generator, (p_w, q_var)) in self.generators.0.iter().zip(&self.generators.1).enumerate() {
            flow.set_generator(generator as u32, scale * p_w, scale * q_var);
        }
    }
}

/// A day of the grid in a few ticks: loads fall, and each tick starts from the last.
fn day(flow: &mut PowerFlow, method: Method, is_parallel: bool) -> Vec<(u64, u64)> {
    let powers = Powers::of(flow);
    let mut all = Vec::new();
    for tick in 0..6 {
        powers.set(flow, 1.0 - 0.04 * f64::from(tick));
        let settings = NewtonSettings::default();
        let outcome = if is_parallel { flow.solve_parallel(method, &settings) } else { flow.solve(method, &settings) };
        assert!(outcome.is_converged, "{outcome:?}");
        all.extend(bits(flow));
    }
    all
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    for reference in references() {
        let grid = matpower::read(&reference.case()).expect("a case").grid;
        let flow = PowerFlow::new(grid).expect("a grid");
        for method in [Method::Newton, Method::Sweep, Method::Linear] {
            let alone = day(&mut flow.clone(), method, false);
            for threads in [1, 2, 3, 8] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
                let together = pool.install(|| day(&mut flow.clone(), method, true));
                assert!(alone == together, "{} {method:?} on {threads} threads", reference.name);
            }
        }
    }
}

#[test]
fn no_allocation_once_solved() {
    for reference in references() {
        let grid = matpower::read(&reference.case()).expect("a case").grid;
        let mut flow = PowerFlow::new(grid).expect("a grid");
        let powers = Powers::of(&flow);
        for method in [Method::Newton, Method::Sweep, Method::Linear] {
            flow.solve(method, &NewtonSettings::default());
            let mut tick = |scale: f64| {
                powers.set(&mut flow, scale);
                allocation_counter::measure(|| drop(flow.solve(method, &NewtonSettings::default()))).count_total
            };
            assert_eq!([tick(0.9), tick(1.0), tick(0.95)], [0; 3], "{} {method:?}", reference.name);
        }
    }
}
