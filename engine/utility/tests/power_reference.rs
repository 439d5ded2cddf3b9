//! Power flow against independent solutions of published grids.

mod common;

use common::{Reference, references};
use urbis_utility::power::{BusKind, Method, NewtonSettings, Outcome, PowerFlow, Start, matpower};

/// Largest differences of magnitude (per unit) and angle (degrees).
fn differences(flow: &PowerFlow, reference: &Reference) -> (f64, f64) {
    let buses = flow.grid().buses.len();
    let (mut vm, mut va) = (vec![0.0; buses], vec![0.0; buses]);
    flow.voltages(&mut vm, &mut va);
    assert_eq!(buses, reference.voltages.len(), "{}", reference.name);
    let rows = reference.voltages.iter().enumerate();
    rows.fold((0.0, 0.0), |worst: (f64, f64), (bus, (id, vm_pu, va_deg))| {
        assert_eq!(id, &flow.grid().buses.id[bus]);
        let turn = (va[bus].to_degrees() - va_deg).rem_euclid(360.0);
        (worst.0.max((vm[bus] - vm_pu).abs()), worst.1.max(turn.min(360.0 - turn)))
    })
}

fn solved(reference: &Reference, method: Method, settings: &NewtonSettings) -> (PowerFlow, Outcome) {
    let case = matpower::read(&reference.case()).expect("a case");
    let mut flow = PowerFlow::new(case.grid).expect("a grid");
    let outcome = flow.solve(method, settings);
    (flow, outcome)
}

fn power_of_sources(flow: &PowerFlow) -> f64 {
    let kinds = flow.grid().buses.kind.iter().enumerate();
    kinds.filter(|(_, kind)| **kind == BusKind::Slack).map(|(bus, _)| flow.source_power(bus as u32).0).sum()
}

/// What generators feed in beside slack buses less what loads draw, watts.
fn fed_in_beside_sources(flow: &PowerFlow) -> f64 {
    let grid = flow.grid();
    let of = &grid.generators;
    let runs = |row: &usize| of.is_in_service[*row] && grid.buses.kind[of.bus[*row] as usize] != BusKind::Slack;
    let fed_in: f64 = (0..of.len()).filter(runs).map(|row| of.p_w[row]).sum();
    fed_in - grid.loads.p_w.iter().sum::<f64>()
}

#[test]
#[allow(clippy::print_stdout)] // figures for whoever reads them
fn every_voltage_and_the_losses() {
    for reference in references() {
        let name = &reference.name;
        for start in [Start::Flat, Start::Dc] {
            for reuses_factors in [false, true] {
                let settings = NewtonSettings { start, reuses_factors, ..NewtonSettings::default() };
                let (flow, outcome) = solved(&reference, Method::Newton, &settings);
                assert!(outcome.is_converged, "{name} {settings:?}: {outcome:?}");
                let (vm_pu, va_deg) = differences(&flow, &reference);
                println!(
                    "{name}: {start:?}, reuse {reuses_factors}: {} steps, {} factorings, mismatch {:.1e}, off by {vm_pu:.1e} pu, {va_deg:.1e} deg",
                    outcome.iterations, outcome.factorings, outcome.mismatch_pu
                );
                assert!(vm_pu < 1e-9 && va_deg < 1e-7, "{name} {settings:?}: {vm_pu:e} pu, {va_deg:e} deg");
                let p_slack_w = power_of_sources(&flow);
                let (branches_w, shunts_w) = flow.losses_w();
                let fed_in_w = p_slack_w + fed_in_beside_sources(&flow);
                let missing_w = fed_in_w - branches_w - shunts_w;
                assert!(missing_w.abs() < 1.0, "{name}: {missing_w} W are neither lost nor drawn");
                if let Some(p_slack_mw) = reference.summary("p_slack_mw") {
                    assert!((p_slack_w / 1e6 - p_slack_mw).abs() < 1e-6, "{name}: {p_slack_w} W, {p_slack_mw} MW");
                }
                // The reference counts losses of iron, which its cases have as shunts of buses; case300 has both.
                if let Some(losses_mw) = reference.summary("p_loss_mw_line_trafo").filter(|_| name != "case300") {
                    let off = |losses_w: f64| (losses_w / 1e6 - losses_mw).abs();
                    let nearest = off(branches_w).min(off(branches_w + shunts_w));
                    assert!(nearest < 1e-6, "{name}: {branches_w} + {shunts_w} W, {losses_mw} MW");
                }
            }
        }
    }
}

#[test]
fn published_figures_of_the_33_bus_feeder() {
    let reference = references().into_iter().find(|reference| reference.name == "case33bw").expect("it is here");
    let (flow, _) = solved(&reference, Method::Newton, &NewtonSettings::default());
    let (branches_w, _) = flow.losses_w();
    assert!((branches_w / 1e3 - 202.677).abs() < 5e-4, "{branches_w}");
    let lowest = (0..33).map(|bus| flow.voltage(bus).norm()).fold(f64::INFINITY, f64::min);
    assert!((lowest - 0.913_090).abs() < 5e-7, "{lowest}");
}
