//! Every branch out of service, one at a time: a warm solve that keeps matrices equals a cold one of the grid without
//! the branch, and buses that lose their source are dark in both.

mod common;

use common::references;
use urbis_utility::power::n_minus_1::outages;
use urbis_utility::power::{Method, NewtonSettings, PowerFlow, Start, matpower};

#[test]
fn each_branch_out_equals_a_cold_solve() {
    for reference in references() {
        if reference.voltages.len() > 300 {
            continue;
        }
        let name = &reference.name;
        let grid = matpower::read(&reference.case()).expect("a case").grid;
        let mut warm = PowerFlow::new(grid.clone()).expect("a grid");
        let settings = NewtonSettings { tolerance_pu: 1e-11, ..NewtonSettings::default() };
        assert!(warm.solve(Method::Newton, &settings).is_converged);
        let buses = grid.buses.len() as u32;
        let all: Vec<u32> = (0..grid.branches.len() as u32).collect();
        let found = outages(&warm, &all, Method::Newton, &settings);
        let is_dark_before: Vec<bool> = (0..buses).map(|bus| !warm.is_energised(bus)).collect();
        let (mut solved, mut dark) = (0, 0);
        for (&branch, outage) in all.iter().zip(&found) {
            let mut without = grid.clone();
            without.branches.is_in_service[branch as usize] = false;
            let mut cold = PowerFlow::new(without).expect("a grid");
            let cold_outcome = cold.solve(Method::Newton, &NewtonSettings { start: Start::Dc, ..settings });
            warm.set_branch_in_service(branch, false);
            let outcome = warm.solve(Method::Newton, &settings);
            assert_eq!(outcome.is_converged, cold_outcome.is_converged, "{name} without branch {branch}: {outcome:?}");
            assert_eq!(warm.topology().is_energised, cold.topology().is_energised);
            assert_eq!((outage.branch, outage.outcome.is_converged), (branch, outcome.is_converged));
            let loads = (0..grid.loads.len()).filter(|&load| {
                let bus = grid.loads.bus[load];
                !is_dark_before[bus as usize] && !cold.is_energised(bus)
            });
            let (count, lost_w) = loads.fold((0, 0.0), |(count, sum), load| (count + 1, sum + grid.loads.p_w[load]));
            assert!(
                outage.lost_loads == count && (outage.lost_w - lost_w).abs() < 1e-6,
                "{name} without branch {branch}"
            );
            if outcome.is_converged {
                solved += 1;
                let volts = (0..buses).filter(|&bus| cold.is_energised(bus)).map(|bus| cold.voltage(bus).norm());
                let lowest = volts.fold(f64::INFINITY, f64::min);
                let off = outage.lowest.map_or(0.0, |(vm_pu, _)| (vm_pu - lowest).abs());
                assert!(off < 1e-9, "{name} without branch {branch}: lowest voltage off by {off:e}");
                for bus in 0..buses {
                    dark += u32::from(!warm.topology().is_bus_energised(bus));
                    let off = (warm.voltage(bus) - cold.voltage(bus)).norm();
                    assert!(off < 1e-9, "{name} without branch {branch}, bus {bus}: {off:e}");
                }
            }
            warm.set_branch_in_service(branch, true);
            let outcome = warm.solve(Method::Newton, &NewtonSettings { start: Start::Given, ..settings });
            assert!(outcome.is_converged, "{name} with branch {branch} again: {outcome:?}");
        }
        assert!(solved * 10 >= grid.branches.len() * 9, "{name}: {solved} solved");
        assert!(dark > 0 || !name.contains("33bw"), "{name}: a radial grid without dark buses");
    }
}
