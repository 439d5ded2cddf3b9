//! Three-phase power flow of the IEEE's European low-voltage feeder against pandapower's, its energy balance, equal bits,
//! and repeated solves without allocation.

#[path = "common/three_phase.rs"]
mod snapshots;

use snapshots::{BASE_VA, snapshots};
use urbis_utility::power::Start;
use urbis_utility::power::grid::Complex;
use urbis_utility::power::three_phase::{PhaseFlow, PhaseSettings};

fn total(phases: [Complex; 3]) -> Complex {
    phases.iter().sum()
}

#[test]
#[allow(clippy::print_stdout)] // figures for whoever reads them
fn every_phase_of_every_bus() {
    for snapshot in snapshots() {
        let (name, loads) = (&snapshot.name, snapshot.grid.loads.len());
        let mut flow = PhaseFlow::new(snapshot.grid).expect("a good grid");
        let outcome = flow.solve(&PhaseSettings { tolerance_pu: 1e-13, ..PhaseSettings::default() });
        assert!(outcome.is_converged, "{name}: {outcome:?}");
        assert_eq!(snapshot.voltages.len(), flow.grid().buses.len());
        let (mut worst, mut worst_pct) = (0.0_f64, 0.0_f64);
        for (bus, (id, expected)) in snapshot.voltages.iter().enumerate() {
            assert_eq!(id, &flow.grid().buses[bus].id);
            let v = flow.voltage(bus as u32);
            (0..3).for_each(|phase| worst = worst.max((v[phase] - expected[phase]).norm()));
            let unbalance = flow.unbalance(bus as u32).expect("three phases");
            worst_pct = worst_pct.max((100.0 * unbalance - snapshot.unbalance_pct[bus]).abs());
        }
        println!(
            "{name}: {loads} loads, {:?} rows, {} substitutions, mismatch {:.1e}, off by {worst:.1e} pu, unbalance {worst_pct:.1e} %",
            flow.feeders()[0].size(),
            outcome.iterations,
            outcome.mismatch_pu
        );
        assert!(worst < snapshot.within_pu, "{name}: {worst:e}");
        assert!(worst_pct < 100.0 * snapshot.within_pu, "{name}: {worst_pct:e}");
        // Energy: what the source gives is drawn or lost.
        let given = total(flow.source_power(0));
        let drawn: Complex = (0..loads as u32).map(|load| total(flow.load_power(load))).sum();
        let missing = given - drawn - flow.losses_va();
        assert!(missing.norm() < 1e-9 * BASE_VA, "{name}: {missing} VA of {given}");
    }
}

#[test]
fn a_tick_neither_allocates_nor_forgets() {
    let snapshot = snapshots().swap_remove(0);
    let mut flow = PhaseFlow::new(snapshot.grid).expect("a good grid");
    let settings = PhaseSettings::default();
    assert!(flow.solve(&settings).is_converged);
    let powers: Vec<[Complex; 3]> = flow.grid().loads.iter().map(|load| load.s_va).collect();
    let mut tick = |scale: f64| {
        powers.iter().enumerate().for_each(|(load, s)| flow.set_load(load as u32, s.map(|s| s * scale)));
        let mut outcome = None;
        let counted = allocation_counter::measure(|| outcome = Some(flow.solve(&settings)));
        assert!(outcome.as_ref().is_some_and(|outcome| outcome.is_converged), "{outcome:?}");
        let v: Vec<_> = (0..907).map(|bus| flow.voltage(bus)).collect();
        (counted.count_total, outcome.map_or(0, |outcome| outcome.iterations), v)
    };
    let (none, _, first) = tick(1.0);
    let (also_none, substitutions, _) = tick(0.6);
    let (_, _, again) = tick(1.0);
    assert_eq!([none, also_none], [0; 2]);
    assert!(substitutions > 1);
    let off = first.iter().flatten().zip(again.iter().flatten()).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
    assert!(off < 1e-8, "{off:e}");
    // Nothing changed: one look is enough.
    assert_eq!(tick(1.0).1, 1);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let snapshot = snapshots().swap_remove(0);
    // Three copies of the feeder are three parts.
    let mut grid = snapshot.grid.clone();
    for copy in 1..3_u32 {
        let by = copy * snapshot.grid.buses.len() as u32;
        for bus in &snapshot.grid.buses {
            grid.buses
                .push(urbis_utility::power::three_phase::PhaseBus { id: format!("{}-{copy}", bus.id), ..bus.clone() });
        }
        for mut of in snapshot.grid.lines.iter().cloned() {
            (of.from, of.to) = (of.from + by, of.to + by);
            grid.lines.push(of);
        }
        for mut of in snapshot.grid.transformers.iter().cloned() {
            (of.hv, of.lv) = (of.hv + by, of.lv + by);
            grid.transformers.push(of);
        }
        for mut of in snapshot.grid.sources.iter().cloned() {
            of.bus += by;
            grid.sources.push(of);
        }
        for mut of in snapshot.grid.loads.iter().cloned() {
            of.bus += by;
            of.s_va = of.s_va.map(|s| s * (1.0 + 0.2 * f64::from(copy)));
            grid.loads.push(of);
        }
    }
    let flow = PhaseFlow::new(grid).expect("a good grid");
    assert_eq!(flow.feeders().len(), 3);
    let bits = |flow: &PhaseFlow| -> Vec<u64> {
        let buses = 0..flow.grid().buses.len() as u32;
        buses.flat_map(|bus| flow.voltage(bus)).flat_map(|v| [v.re.to_bits(), v.im.to_bits()]).collect()
    };
    let settings = PhaseSettings { start: Start::Flat, ..PhaseSettings::default() };
    let mut alone = flow.clone();
    assert!(alone.solve(&settings).is_converged);
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let mut together = flow.clone();
        assert!(pool.install(|| together.solve_parallel(&settings)).is_converged);
        assert!(bits(&alone) == bits(&together), "{threads} threads");
    }
}
