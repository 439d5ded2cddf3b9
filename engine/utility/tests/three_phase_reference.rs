//! Three-phase power flow of the IEEE's European low-voltage feeder against pandapower's, its energy balance, equal bits,
//! and repeated solves without allocation.

#[path = "common/three_phase.rs"]
mod snapshots;

use snapshots::{BASE_VA, shared, snapshots};
use urbis_utility::power::Start;
use urbis_utility::power::grid::Complex;
use urbis_utility::power::pandapower::read_three_phase;
use urbis_utility::power::three_phase::{
    PhaseBus, PhaseFlow, PhaseGenerator, PhaseGrid, PhaseLine, PhaseLoad, PhaseSettings, PhaseSource, PhaseTransformer,
    SequenceLine, VectorGroup,
};

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

/// The reader of nets finds what the tables of the same nets say.
#[test]
fn nets_of_pandapower() {
    let settings = PhaseSettings { tolerance_pu: 1e-13, ..PhaseSettings::default() };
    for folder in shared::folders("power_3ph") {
        let net = read_three_phase(&folder.join("net.json.gz")).expect("a good net");
        let snapshot = snapshots().into_iter().find(|of| {
            folder.ends_with(&of.name) && of.within_pu > 1e-6 // that of the folder itself
        });
        let snapshot = snapshot.expect("one of each folder");
        let rows: Vec<u32> = net.buses.iter().map(|(_, row)| *row).collect();
        assert!(net.buses.iter().map(|(id, _)| id).eq(snapshot.voltages.iter().map(|(id, _)| id)));
        assert_eq!(net.grid.loads.len(), snapshot.grid.loads.len());
        let mut flows = [net.grid, snapshot.grid].map(|grid| PhaseFlow::new(grid).expect("a good grid"));
        flows.iter_mut().for_each(|flow| assert!(flow.solve(&settings).is_converged));
        let off = rows.iter().enumerate().flat_map(|(bus, &row)| {
            let (a, b) = (flows[0].voltage(row), flows[1].voltage(bus as u32));
            (0..3).map(move |phase| (a[phase] - b[phase]).norm())
        });
        let worst = off.fold(0.0, f64::max);
        assert!(worst < 1e-9, "{}: {worst:e}", folder.display());
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
            grid.buses.push(PhaseBus { id: format!("{}-{copy}", bus.id), ..bus.clone() });
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

/// Magnitude per unit and angle in degrees of phases a, b, c.
type Polar = [(f64, f64); 3];

/// Group, shift in degrees and voltages of the last bus, by pandapower 3.5.6 to 1e-12 MVA.
const BY_GROUP: [(VectorGroup, f64, Polar); 3] = [
    (
        VectorGroup::Ynyn,
        0.0,
        [(0.876001901321, -0.2577036922), (0.969464841707, -123.7297347239), (1.006687859976, 122.049853621)],
    ),
    (
        VectorGroup::Yzn,
        150.0,
        [(0.875418470372, -150.2793708186), (0.97006086689, 86.2555011392), (1.006682788165, -27.9137852073)],
    ),
    (
        VectorGroup::Dyn,
        150.0,
        [(0.876110504145, -150.2529044214), (0.969343247459, 86.2726031165), (1.006699583979, -27.9572898891)],
    ),
];

#[test]
fn groups_taps_delta_loads_and_generators() {
    let kva = |p: f64, q: f64| Complex::new(1e3 * p, 1e3 * q);
    for (vector_group, shift_deg, expected) in BY_GROUP {
        let mut grid = PhaseGrid::new(BASE_VA);
        [2e4, 400.0, 400.0].iter().enumerate().for_each(|(n, &v)| grid.buses.push(PhaseBus::new(n.to_string(), v)));
        grid.sources.push(PhaseSource { r0x0: 0.2, x0x: 1.5, ..PhaseSource::short_circuit(0, 1.02, 1e8) });
        grid.transformers.push(PhaseTransformer {
            shift_rad: f64::to_radians(shift_deg),
            iron_w: 1350.0,
            i0: 0.0034,
            vk0: 0.055,
            vkr0: 0.012,
            mag0: 0.9,
            mag0_rx: 0.3,
            si0_hv_share: 0.8,
            tap_hv: 1.025,
            parallel: 2,
            ..PhaseTransformer::new(0, 1, vector_group, 4e5, (20_500.0, 410.0), (0.06, 0.014))
        });
        let line =
            SequenceLine { r_ohm: 0.08, x_ohm: 0.032, c_f: 1.04e-7, r0_ohm: 0.32, x0_ohm: 0.12, c0_f: 4e-8, g_s: 0.0 };
        grid.lines.push(PhaseLine::symmetric(1, 2, &line, 50.0));
        grid.loads.push(PhaseLoad::wye(2, [kva(30.0, 10.0), kva(10.0, 2.0), kva(2.0, 0.0)]));
        grid.loads.push(PhaseLoad::delta(2, [kva(10.0, 4.0), kva(20.0, 1.0), kva(0.0, 0.0)]));
        grid.generators.push(PhaseGenerator { bus: 1, s_va: kva(15.0, 3.0), is_in_service: true });
        let mut flow = PhaseFlow::new(grid).expect("a good grid");
        let outcome = flow.solve(&PhaseSettings { tolerance_pu: 1e-13, ..PhaseSettings::default() });
        assert!(outcome.is_converged, "{vector_group:?}: {outcome:?}");
        for (v, (vm_pu, va_deg)) in flow.voltage(2).iter().zip(expected) {
            let off = (v - Complex::from_polar(vm_pu, va_deg.to_radians())).norm();
            assert!(off < 1e-8, "{vector_group:?}: {v}, {vm_pu} pu at {va_deg}: {off:e}");
        }
    }
}
