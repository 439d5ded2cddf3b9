//! Three-phase power flow of random feeders against a dense solve by other means: volts and ohms, transformers as
//! three-node circuits of each sequence, a full Jacobian by finite steps, nalgebra's LU. Balanced grids against the
//! power flow of one phase. Switching, what cannot be solved, what is wrong.

use nalgebra::{Complex, DMatrix, DVector, Matrix3, Vector3};
use urbis_core::rng::Rng;
use urbis_utility::power::Start;
use urbis_utility::power::grid::{Branch, Bus, Grid, Load};
use urbis_utility::power::three_phase::{
    Connection, PhaseBus, PhaseFlow, PhaseGenerator, PhaseGrid, PhaseLine, PhaseLoad, PhaseSettings, PhaseSource,
    PhaseTransformer, SequenceLine, VectorGroup,
};
use urbis_utility::power::{Method, NewtonSettings, PowerFlow};

type C = Complex<f64>;
const BASE_VA: f64 = 3e5;
const LV: f64 = 400.0;
const HV: f64 = 20_000.0;

fn tight() -> PhaseSettings {
    PhaseSettings { start: Start::Flat, tolerance_pu: 1e-13, max_iterations: 300 }
}
fn c(re: f64, im: f64) -> C {
    C::new(re, im)
}
fn total(phases: [C; 3]) -> C {
    phases.iter().sum()
}

fn random_grid(buses: u32, chords: u32, vector_group: VectorGroup, rng: &mut Rng) -> PhaseGrid {
    let mut grid = PhaseGrid::new(BASE_VA);
    grid.buses.push(PhaseBus::new("hv", HV));
    (1..buses).for_each(|bus| grid.buses.push(PhaseBus::new(format!("b{bus}"), LV)));
    grid.sources.push(PhaseSource {
        va_rad: rng.uniform(),
        holds_bus: rng.chance(0.5),
        ..PhaseSource::short_circuit(0, 1.0 + 0.03 * rng.uniform(), 2e7)
    });
    let sixths = if vector_group == VectorGroup::Ynyn { 2.0 * f64::from(rng.below(3)) } else { 0.5 };
    grid.transformers.push(PhaseTransformer {
        shift_rad: sixths * std::f64::consts::FRAC_PI_3,
        iron_w: 400.0,
        i0: 0.01,
        vk0: 0.05,
        vkr0: 0.012,
        mag0: 20.0,
        mag0_rx: 0.3,
        tap_hv: 0.975 + 0.05 * rng.uniform(),
        ..PhaseTransformer::new(0, 1, vector_group, 2.5e5, (HV, 410.0), (0.04, 0.01))
    });
    let mut ends: Vec<(u32, u32)> = (2..buses).map(|bus| (1 + rng.below(bus - 1), bus)).collect();
    ends.extend((0..chords).map(|_| (1 + rng.below(buses - 1), 1 + rng.below(buses - 1))).filter(|(a, b)| a != b));
    for (from, to) in ends {
        let size = 0.02 + 0.1 * rng.uniform();
        let line = SequenceLine {
            r_ohm: 0.4 * size,
            x_ohm: 0.1 * size,
            c_f: 3e-7,
            g_s: 0.0,
            r0_ohm: 1.4 * size,
            x0_ohm: 0.3 * size,
            c0_f: 1e-7,
        };
        let mut line = PhaseLine::symmetric(from, to, &line, 50.0);
        for m in 0..3 {
            for n in 0..=m {
                let more = c(rng.uniform(), rng.uniform()) * (0.05 * size);
                line.z_ohm[m][n] += more;
                if m != n {
                    line.z_ohm[n][m] += more;
                }
            }
        }
        grid.lines.push(line);
    }
    for bus in 1..buses {
        if rng.chance(0.3) {
            continue;
        }
        let mut draw = || c(2e4 * rng.uniform(), 6e3 * rng.uniform()) * (4.0 / f64::from(buses));
        let s_va = [draw(), draw(), draw()];
        let connection = if rng.chance(0.4) { Connection::Delta } else { Connection::Wye };
        let (current_share, impedance_share) = (0.4 * rng.uniform(), 0.4 * rng.uniform());
        let load = PhaseLoad { connection, current_share, impedance_share, ..PhaseLoad::wye(bus, s_va) };
        grid.loads.push(if rng.chance(0.3) { PhaseLoad::single(bus, rng.below(3) as usize, s_va[0]) } else { load });
    }
    grid.generators.push(PhaseGenerator { bus: buses - 1, s_va: c(5e3, -1e3), is_in_service: true });
    grid
}

fn fortescue() -> Matrix3<C> {
    let a = C::from_polar(1.0, 2.0 * std::f64::consts::FRAC_PI_3);
    let one = c(1.0, 0.0);
    Matrix3::new(one, one, one, one, a * a, a, one, a, a * a)
}

fn add_block(y: &mut DMatrix<C>, row: u32, column: u32, block: &Matrix3<C>) {
    let mut view = y.view_mut((3 * row as usize, 3 * column as usize), (3, 3));
    view += block;
}

/// Admittances of one sequence between the sides, siemens, from a circuit with a node inside.
fn transformer_of_sequence(of: &PhaseTransformer, sequence: usize) -> [C; 4] {
    let ohm = of.rated_lv_v * of.rated_lv_v / of.rated_va;
    let zero = c(0.0, 0.0);
    let (vk, vkr, share) = if sequence == 0 { (of.vk0, of.vkr0, of.si0_hv_share) } else { (of.vk, of.vkr, 0.5) };
    let z = c(vkr, (vk * vk - vkr * vkr).sqrt()) * ohm;
    let to_earth = if sequence == 0 {
        let size = of.vk0 * of.mag0 * ohm;
        let x = size / (1.0 + of.mag0_rx * of.mag0_rx).sqrt();
        c(x * of.mag0_rx, x).inv()
    } else {
        let s = of.i0 * of.rated_va;
        c(of.iron_w, -(s * s - of.iron_w * of.iron_w).sqrt()) / (of.rated_lv_v * of.rated_lv_v)
    };
    let (y1, y2) = ((z * share).inv(), (z * (1.0 - share)).inv());
    let inside = y1 + y2 + to_earth;
    let kron = [y1 - y1 * y1 / inside, -y1 * y2 / inside, -y1 * y2 / inside, y2 - y2 * y2 / inside];
    let ratio = of.rated_hv_v * of.tap_hv / of.rated_lv_v;
    let shift = if sequence == 2 { -of.shift_rad } else { of.shift_rad };
    match (sequence, of.vector_group) {
        // A delta short-circuits its side.
        (0, VectorGroup::Dyn) => [zero, zero, zero, kron[3]],
        // A shift of 120 degrees renames phases.
        (0, _) => [kron[0] / (ratio * ratio), kron[1] / ratio, kron[2] / ratio, kron[3]],
        _ => {
            let t = C::from_polar(ratio, shift);
            [kron[0] / t.norm_sqr(), kron[1] / t.conj(), kron[2] / t, kron[3]]
        }
    }
}

/// Voltages in volts to earth by a dense Newton solve.
fn dense(grid: &PhaseGrid) -> Vec<C> {
    let n = 3 * grid.buses.len();
    let a = fortescue();
    let a_inverse = a.try_inverse().expect("regular");
    let of_sequences = |s: [C; 3]| a * Matrix3::from_diagonal(&Vector3::from(s)) * a_inverse;
    let mut y: DMatrix<C> = DMatrix::zeros(n, n);
    for of in &grid.lines {
        let z = Matrix3::from_fn(|m, k| of.z_ohm[m][k]);
        let series = z.try_inverse().expect("regular");
        let own = series + Matrix3::from_fn(|m, k| of.y_s[m][k] * 0.5);
        add_block(&mut y, of.from, of.from, &own);
        add_block(&mut y, of.to, of.to, &own);
        add_block(&mut y, of.from, of.to, &-series);
        add_block(&mut y, of.to, of.from, &-series);
    }
    for of in &grid.transformers {
        let by_sequence = [0, 1, 2].map(|sequence| transformer_of_sequence(of, sequence));
        for (place, (row, column)) in
            [(of.hv, of.hv), (of.hv, of.lv), (of.lv, of.hv), (of.lv, of.lv)].into_iter().enumerate()
        {
            add_block(&mut y, row, column, &of_sequences(by_sequence.map(|of| of[place])));
        }
    }
    let source = &grid.sources[0];
    let to_earth_v = |bus: usize| grid.buses[bus].base_v / 3.0_f64.sqrt();
    let x = 1.1 * HV * HV / source.s_sc_va / (1.0 + source.rx * source.rx).sqrt();
    let y1 = c(source.rx * x, x).inv();
    let y0 = c(source.r0x0 * source.x0x * x, source.x0x * x).inv();
    let v1 = C::from_polar(source.vm_pu * to_earth_v(0), source.va_rad);
    let current = |v: &[C]| -> Vec<C> {
        let mut i = vec![c(0.0, 0.0); n];
        for of in &grid.loads {
            let at = 3 * of.bus as usize;
            let nominal = to_earth_v(of.bus as usize);
            for phase in 0..3 {
                let next = (phase + 1) % 3;
                let (u, nominal) = match of.connection {
                    Connection::Wye => (v[at + phase], nominal),
                    Connection::Delta => (v[at + phase] - v[at + next], nominal * 3.0_f64.sqrt()),
                };
                let vm = u.norm() / nominal;
                let (b, z) = (of.current_share, of.impedance_share);
                let drawn = (of.s_va[phase] * (1.0 - b - z + b * vm + z * vm * vm) / u).conj();
                i[at + phase] -= drawn;
                if of.connection == Connection::Delta {
                    i[at + next] += drawn;
                }
            }
        }
        for of in &grid.generators {
            let at = 3 * of.bus as usize;
            (0..3).for_each(|phase| i[at + phase] += (of.s_va / 3.0 / v[at + phase]).conj());
        }
        i
    };
    let residual = |v: &[C]| -> Vec<C> {
        let i = current(v);
        let flows = &y * DVector::from_column_slice(v);
        let mut r: Vec<C> = (0..n).map(|row| flows[row] - i[row]).collect();
        let mut missing = a_inverse * Vector3::new(r[0], r[1], r[2]);
        let own = a_inverse * Vector3::new(v[0], v[1], v[2]);
        missing[0] += y0 * own[0];
        missing[2] += y1 * own[2];
        if source.holds_bus {
            missing[1] = own[1] - v1;
        } else {
            missing[1] += y1 * (own[1] - v1);
        }
        r[..3].copy_from_slice(missing.as_slice());
        r
    };
    let turn = |phase: usize| C::from_polar(1.0, -2.0 * std::f64::consts::FRAC_PI_3 * phase as f64);
    let lag = grid.transformers[0].shift_rad;
    let mut v: Vec<C> = (0..n)
        .map(|row| {
            let angle = source.va_rad - if row < 3 { 0.0 } else { lag };
            C::from_polar(to_earth_v(row / 3), angle) * turn(row % 3)
        })
        .collect();
    for _ in 0..12 {
        let r = residual(&v);
        let step = 1e-3;
        let mut jacobian = DMatrix::<f64>::zeros(2 * n, 2 * n);
        for unknown in 0..2 * n {
            let by = if unknown % 2 == 0 { c(step, 0.0) } else { c(0.0, step) };
            let shifted = |sign: f64| {
                let mut moved = v.clone();
                moved[unknown / 2] += by * sign;
                residual(&moved)
            };
            let (up, down) = (shifted(1.0), shifted(-1.0));
            for row in 0..n {
                let slope = (up[row] - down[row]) / (2.0 * step);
                (jacobian[(2 * row, unknown)], jacobian[(2 * row + 1, unknown)]) = (slope.re, slope.im);
            }
        }
        let right = DVector::from_iterator(2 * n, r.iter().flat_map(|r| [-r.re, -r.im]));
        let change = jacobian.lu().solve(&right).expect("regular");
        v.iter_mut().enumerate().for_each(|(row, v)| *v += c(change[2 * row], change[2 * row + 1]));
    }
    v
}

#[test]
fn random_feeders_equal_a_dense_solve_and_lose_no_energy() {
    for case in 0..24 {
        let mut rng = Rng::new(31, case, 0, 0);
        let vector_group = if case % 2 == 0 { VectorGroup::Dyn } else { VectorGroup::Ynyn };
        let grid = random_grid(3 + case % 10, if case % 3 == 0 { 3 } else { 0 }, vector_group, &mut rng);
        let expected = dense(&grid);
        let mut flow = PhaseFlow::new(grid).expect("a good grid");
        let outcome = flow.solve(&tight());
        assert!(outcome.is_converged, "case {case}: {outcome:?}");
        for (bus, of) in flow.grid().buses.iter().enumerate() {
            let v = flow.voltage(bus as u32);
            for phase in 0..3 {
                let e = expected[3 * bus + phase] * (3.0_f64.sqrt() / of.base_v);
                assert!((v[phase] - e).norm() < 1e-8, "case {case}, bus {bus}, phase {phase}: {} {e}", v[phase]);
            }
        }
        let loads = flow.grid().loads.len() as u32;
        let drawn: C = (0..loads).map(|load| total(flow.load_power(load))).sum();
        let missing = total(flow.source_power(0)) + total(flow.generator_power(0)) - drawn - flow.losses_va();
        assert!(missing.norm() < 1e-9 * BASE_VA, "case {case}: {missing}");
    }
}

#[test]
fn balanced_grids_equal_the_power_flow_of_one_phase() {
    let mut rng = Rng::new(32, 0, 0, 0);
    let mut three = PhaseGrid::new(BASE_VA);
    let mut one = Grid::new(BASE_VA);
    three.sources.push(PhaseSource { va_rad: 0.2, ..PhaseSource::short_circuit(0, 1.03, 1e8) });
    one.buses.push(Bus { va_rad: 0.2, ..Bus::slack("b0", HV, 1.03) });
    three.buses.push(PhaseBus::new("b0", HV));
    let shift_rad = 5.0 * std::f64::consts::FRAC_PI_6;
    three.transformers.push(PhaseTransformer {
        shift_rad,
        tap_hv: 1.05,
        parallel: 2,
        ..PhaseTransformer::new(0, 1, VectorGroup::Dyn, 1.5e5, (HV, LV), (0.06, 0.01))
    });
    let z = c(0.01, (0.06_f64 * 0.06 - 0.01 * 0.01).sqrt()) * (BASE_VA / 3e5);
    one.branches.push(Branch { ratio: 1.05, shift_rad, ..Branch::series(0, 1, z.re, z.im) });
    for bus in 1..40_u32 {
        three.buses.push(PhaseBus::new(format!("b{bus}"), LV));
        one.buses.push(Bus::pq(format!("b{bus}"), LV));
        if bus > 1 {
            let from = 1 + rng.below(bus - 1);
            let (r_ohm, x_ohm, c_f) = (0.02 * rng.uniform() + 0.001, 0.01 * rng.uniform(), 1e-6);
            let line =
                SequenceLine { r_ohm, x_ohm, c_f, r0_ohm: 4.0 * r_ohm, x0_ohm: 3.0 * x_ohm, ..Default::default() };
            three.lines.push(PhaseLine::symmetric(from, bus, &line, 50.0));
            let charging_s = 2.0 * std::f64::consts::PI * 50.0 * c_f;
            one.branches.push(Branch::line(from, bus, (r_ohm, x_ohm), charging_s, LV, BASE_VA));
        }
        let s = c(4e3 * rng.uniform(), 1e3 * rng.uniform());
        let (current_share, impedance_share) = (0.2, 0.3);
        let wye = PhaseLoad { current_share, impedance_share, ..PhaseLoad::symmetric(bus, s) };
        let connection = if rng.chance(0.5) { Connection::Delta } else { Connection::Wye };
        three.loads.push(PhaseLoad { connection, ..wye });
        let (p_w, q_var) = (s.re, s.im);
        one.loads.push(Load { bus, p_w, q_var, current_share, impedance_share, is_in_service: true });
    }
    let (mut three, mut one) = (PhaseFlow::new(three).expect("good"), PowerFlow::new(one).expect("good"));
    assert!(three.solve(&tight()).is_converged);
    let settings = NewtonSettings { tolerance_pu: 1e-13, ..NewtonSettings::default() };
    assert!(one.solve(Method::Newton, &settings).is_converged);
    for bus in 0..40 {
        let [zero, positive, negative] = three.sequence_voltage(bus);
        assert!((positive - one.voltage(bus)).norm() < 1e-9, "{bus}: {positive} {}", one.voltage(bus));
        assert!(zero.norm() < 1e-12 && negative.norm() < 1e-12);
        assert!(three.unbalance(bus).expect("live") < 1e-12);
    }
    assert!((three.losses_va().re - one.losses_w().0).abs() < 1e-9 * BASE_VA);
    assert!(three.line_flow(3).neutral_from_a().norm() < 1e-6);
}

/// A source, a cable of three phases to `near`, a lateral of phase b to `far` and a cable of three phases behind it.
fn laterals() -> PhaseGrid {
    let mut grid = PhaseGrid::new(BASE_VA);
    ["source", "near", "far", "farther"].iter().for_each(|id| grid.buses.push(PhaseBus::new(*id, LV)));
    let cable = SequenceLine { r_ohm: 0.02, x_ohm: 0.01, r0_ohm: 0.06, x0_ohm: 0.02, ..Default::default() };
    grid.sources.push(PhaseSource::stiff(0, 1.0));
    grid.lines.push(PhaseLine::symmetric(0, 1, &cable, 50.0));
    grid.lines.push(PhaseLine::single(1, 2, 1, c(0.05, 0.02)));
    grid.lines.push(PhaseLine::symmetric(2, 3, &cable, 50.0));
    grid.loads.push(PhaseLoad::symmetric(1, c(3e3, 6e2)));
    grid.loads.push(PhaseLoad::symmetric(3, c(3e3, 0.0)));
    grid.loads.push(PhaseLoad::delta(3, [c(1e3, 0.0); 3]));
    grid
}

#[test]
fn phases_without_a_source_are_dark_and_come_back() {
    let mut flow = PhaseFlow::new(laterals()).expect("good");
    assert!(flow.solve(&tight()).is_converged);
    assert_eq!(flow.is_energised(1), [true; 3]);
    assert_eq!(flow.is_energised(3), [false, true, false]);
    let lit = flow.voltage(3);
    assert!(lit[0].norm() <= 0.0 && lit[1].norm() > 0.9 && lit[2].norm() <= 0.0);
    assert_eq!(flow.unbalance(3), None);
    let served = flow.load_power(1).map(|s| s.re);
    assert!(served[0].abs() <= 0.0 && (served[1] - 1e3).abs() < 1e-9);
    assert!(total(flow.load_power(2)).norm() <= 0.0);
    assert!((flow.line_flow(1).neutral_from_a() + flow.line_flow(1).i_from_a[1]).norm() < 1e-12);
    let balance = |flow: &PhaseFlow| {
        let drawn: C = (0..3).map(|load| total(flow.load_power(load))).sum();
        (total(flow.source_power(0)) - drawn - flow.losses_va()).norm()
    };
    assert!(balance(&flow) < 1e-7, "{}", balance(&flow));
    flow.set_line_in_service(0, false);
    assert!(flow.solve(&PhaseSettings::default()).is_converged);
    assert_eq!(flow.is_energised(2), [false; 3]);
    assert!((1..4).all(|bus| total(flow.voltage(bus)).norm() <= 0.0));
    assert!(balance(&flow) <= 0.0);
    flow.set_line_in_service(0, true);
    let warm = PhaseSettings { start: Start::Warm, ..tight() };
    assert!(flow.solve(&warm).is_converged);
    assert!((flow.voltage(3)[1] - lit[1]).norm() < 1e-12);
}

#[test]
fn every_vector_group_stands_against_earth() {
    use VectorGroup::{Dyn, Unearthed, Ynd, Yny, Ynyn, Yyn, Yzn};
    // What floats is held by a millionth: rounding counts a million times.
    let settings = PhaseSettings { tolerance_pu: 1e-10, ..tight() };
    for vector_group in [Dyn, Ynyn, Yyn, Yzn, Ynd, Yny, Unearthed] {
        let mut grid = PhaseGrid::new(BASE_VA);
        grid.buses.push(PhaseBus::new("hv", HV));
        grid.buses.push(PhaseBus::new("lv", LV));
        grid.sources.push(PhaseSource::short_circuit(0, 1.0, 1e8));
        let of = PhaseTransformer::new(0, 1, vector_group, 2.5e5, (HV, LV), (0.04, 0.01));
        grid.transformers.push(of);
        grid.loads.push(PhaseLoad::delta(1, [c(3e4, 0.0), c(2e4, 0.0), c(0.0, 0.0)]));
        let mut flow = PhaseFlow::new(grid).expect("good");
        let outcome = flow.solve(&settings);
        assert!(outcome.is_converged, "{vector_group:?}: {outcome:?}");
        let [zero, positive, _] = flow.sequence_voltage(1);
        assert!(zero.norm() < 1e-8 && (positive.norm() - 1.0).abs() < 0.02, "{vector_group:?}");
        let before = positive.norm();
        flow.set_taps(0, 0.95, 1.0);
        assert!(flow.solve(&settings).is_converged);
        assert!(flow.sequence_voltage(1)[1].norm() > before + 0.04);
    }
}

#[test]
fn what_cannot_be_solved_says_where() {
    let mut flow = PhaseFlow::new(laterals()).expect("good");
    let fine = c(1e3, 0.0);
    assert!(flow.solve(&PhaseSettings::default()).is_converged);
    flow.set_load(1, [fine, c(4e6, 0.0), fine]);
    for start in [Start::Warm, Start::Flat] {
        let outcome = flow.solve(&PhaseSettings { start, ..PhaseSettings::default() });
        assert!(!outcome.is_converged && outcome.failed_feeders == 1, "{outcome:?}");
        assert!(outcome.mismatch_pu > 0.1 && outcome.mismatch_pu.is_finite(), "{outcome:?}");
        assert_eq!((outcome.worst_phases[0].id.as_str(), outcome.worst_phases[0].phase), ("farther", 1));
        assert!((0..4).all(|bus| flow.voltage(bus).iter().all(|v| v.re.is_finite() && v.im.is_finite())));
    }
    flow.set_load(1, [fine; 3]);
    assert!(flow.solve(&PhaseSettings::default()).is_converged);
}

#[test]
fn bad_grids_are_named() {
    let mut grid = laterals();
    grid.buses[2].id = "near".into();
    grid.buses[3].base_v = 230.0;
    grid.lines[0].z_ohm = Default::default();
    grid.lines[1].to = 9;
    grid.loads[0].s_va[1].re = f64::NAN;
    grid.loads[1].current_share = 1.5;
    grid.sources[0].is_in_service = false;
    grid.sources.push(PhaseSource::stiff(0, -1.0));
    grid.sources[1].is_in_service = false;
    grid.transformers.push(PhaseTransformer::new(0, 1, VectorGroup::Dyn, 0.0, (HV, LV), (0.04, 0.05)));
    let problems = match PhaseFlow::new(grid) {
        Err(urbis_core::Error::Input(problems)) => {
            problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
        other => panic!("{other:?}"),
    };
    let expected = [
        "an id that row 2",
        "230 V",
        "z_ohm = singular",
        "to = 9",
        "s_va = NaN",
        "current_share = 1.5",
        "no source in service",
        "row 1 is one",
        "vm_pu = -1",
        "rated_va = 0",
        "vkr = 0.05",
    ];
    for expected in expected {
        assert!(problems.contains(expected), "{expected}:\n{problems}");
    }
}
