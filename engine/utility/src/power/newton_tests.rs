//! Steps whose factors need perturbed pivots: a node at which a series capacitor cancels a reactance.

use super::*;
use crate::power::grid::{Branch, Bus, BusKind, Grid, Load};
use crate::power::{Method, PowerFlow};

/// A source feeds one of four buses in a mesh; `m` lies between two of them, behind `x_pu` and `-x_pu`, so that its own
/// admittance is zero and it is the first to be eliminated. A short tie in the mesh has the reactance `tie_x_pu`: next to
/// it, what a perturbed pivot gets is far from small for `m`.
fn resonant(x_pu: f64, tie_x_pu: f64) -> Grid {
    let mut grid = Grid::new(100e6);
    let mut bus = |id: &str, kind: BusKind| {
        let bus = Bus { id: id.to_owned(), kind, base_v: 110e3, vm_pu: 1.0, va_rad: 0.0, is_in_service: true };
        grid.buses.push(bus)
    };
    let source = bus("source", BusKind::Slack);
    let [a, b, c, d, m] = ["a", "b", "c", "d", "m"].map(|id| bus(id, BusKind::Pq));
    let lines = [(a, b), (a, c), (a, d), (b, c), (b, d)].map(|(from, to)| Branch::series(from, to, 0.02, 0.1));
    let others = [Branch::series(source, c, 0.01, 0.05), Branch::series(c, d, 0.0, tie_x_pu)];
    let series = [Branch::series(a, m, 0.0, x_pu), Branch::series(m, b, 0.0, -x_pu)];
    for branch in lines.into_iter().chain(others).chain(series) {
        grid.branches.push(branch);
    }
    for (bus, p_w, q_var) in [(a, 30e6, 10e6), (b, 20e6, 5e6), (d, 40e6, 15e6)] {
        let (current_share, impedance_share, is_in_service) = (0.0, 0.0, true);
        grid.loads.push(Load { bus, p_w, q_var, current_share, impedance_share, is_in_service });
    }
    grid
}

/// Mismatches before each of the first steps, and the outcome of these steps.
fn mismatches(grid: &Grid, steps: usize) -> (Vec<f64>, PartOutcome) {
    let mut flow = PowerFlow::new(grid.clone()).unwrap();
    flow.solve(Method::Newton, &NewtonSettings { max_iterations: 0, ..NewtonSettings::default() });
    let mut part = flow.parts()[0].clone();
    set_start(&mut part, Start::Flat);
    let mut outcome = PartOutcome::default();
    let mut found = vec![evaluate(&mut part, true)];
    let mut perturbed = 0;
    for _ in 0..steps {
        factor_and_solve(&mut part, &mut outcome);
        perturbed += outcome.perturbed;
        step(&mut part);
        found.push(evaluate(&mut part, true));
    }
    (found, PartOutcome { perturbed, ..outcome })
}

/// Steps from flat without chords, and the grid solved.
fn solved(grid: &Grid) -> (crate::power::Outcome, PowerFlow) {
    let mut flow = PowerFlow::new(grid.clone()).unwrap();
    let settings = NewtonSettings { start: Start::Flat, reuses_factors: false, ..NewtonSettings::default() };
    (flow.solve(Method::Newton, &settings), flow)
}

#[test]
#[allow(clippy::print_stdout)] // figures for whoever reads them
fn a_node_without_admittance_of_its_own() {
    let has_fallback = cfg!(feature = "faer-fallback");
    for (x_pu, tie_x_pu) in [(0.1, 0.1), (1.0, 1e-4), (1.0, 1e-6), (10.0, 1e-6)] {
        let grid = resonant(x_pu, tie_x_pu);
        let (found, outcome) = mismatches(&grid, 4);
        let (of_solve, flow) = solved(&grid);
        println!(
            "x {x_pu}, tie {tie_x_pu:e}: {} pivots perturbed, {} steps pivoted; mismatches {found:?}; {} steps, {:.1e} {}",
            outcome.perturbed, outcome.pivoted, of_solve.iterations, of_solve.mismatch_pu, of_solve.is_converged,
        );
        assert!(outcome.perturbed > 0);
        assert_eq!(outcome.pivoted > 0, has_fallback);
        let is_hard = x_pu / tie_x_pu > 5e6;
        // What flows in from one side flows out at the other, so both sides have one voltage.
        assert!(of_solve.is_converged && (flow.voltage(1) - flow.voltage(2)).norm() < 1e-7, "{of_solve:?}");
        // Newton's rate down to rounding next to the tie, of 1e-15 of its admittance.
        let is_quadratic = found[1..].windows(2).all(|pair| pair[1] < 5.0 * pair[0] * pair[0] + 1e-9);
        assert_eq!(is_quadratic, has_fallback || !is_hard, "{found:?}");
        assert_eq!(of_solve.iterations <= 4, has_fallback || !is_hard, "{of_solve:?}");
    }
}
