//! Power flow of random grids against a dense solve of the same equations by other means: rectangular coordinates, a
//! full Jacobian by finite steps of the complex power equations, nalgebra's LU. Sweep and switching against Newton.

use nalgebra::{Complex, DMatrix, DVector};
use urbis_core::rng::Rng;
use urbis_utility::power::grid::{Branch, Bus, BusKind, Generator, Grid, Load, Shunt};
use urbis_utility::power::{Method, NewtonSettings, PowerFlow, Start};

type C = Complex<f64>;

const BASE_VA: f64 = 1e6;

/// What random grids have beside lines and loads.
#[derive(Clone, Copy, Default)]
struct Traits {
    chords: u32,
    slacks: u32,
    has_held: bool,
    has_zip: bool,
}

/// A random connected grid; bus 0 is a slack. Drops of voltage stay within some percent.
fn random_grid(buses: u32, traits: Traits, rng: &mut Rng) -> Grid {
    let mut grid = Grid::new(BASE_VA);
    for bus in 0..buses {
        let is_slack = bus == 0 || bus < traits.slacks;
        let vm = 0.98 + 0.04 * rng.uniform();
        let named = Bus::slack(format!("b{bus}"), 400.0, vm);
        let is_held = traits.has_held && !is_slack && rng.chance(0.2);
        let kind = if is_slack {
            BusKind::Slack
        } else if is_held {
            BusKind::Pv
        } else {
            BusKind::Pq
        };
        grid.buses.push(Bus { kind, ..named });
        let load = 0.2 / f64::from(buses);
        let share = |rng: &mut Rng| if traits.has_zip { 0.5 * rng.uniform() } else { 0.0 };
        grid.loads.push(Load {
            bus,
            p_w: load * (2.0 * rng.uniform() - 0.5) * BASE_VA,
            q_var: load * (rng.uniform() - 0.3) * BASE_VA,
            current_share: share(rng),
            impedance_share: share(rng),
            is_in_service: !rng.chance(0.1),
        });
        if is_held {
            grid.generators.push(Generator {
                bus,
                p_w: load * rng.uniform() * BASE_VA,
                q_var: 0.0,
                vm_set_pu: 0.99 + 0.02 * rng.uniform(),
                q_min_var: f64::NEG_INFINITY,
                q_max_var: f64::INFINITY,
                is_in_service: true,
            });
        }
        if rng.chance(0.2) {
            grid.shunts.push(Shunt { bus, p_w: 1e3 * rng.uniform(), q_var: 1e4 * rng.uniform(), is_in_service: true });
        }
    }
    let mut ends: Vec<(u32, u32)> = (1..buses).map(|bus| (rng.below(bus), bus)).collect();
    ends.extend((0..traits.chords).map(|_| (rng.below(buses), rng.below(buses))).filter(|(a, b)| a != b));
    for (a, b) in ends {
        let (from, to) = if rng.chance(0.5) { (a, b) } else { (b, a) };
        let (r, x) = (0.005 + 0.05 * rng.uniform(), 0.01 + 0.05 * rng.uniform());
        // Voltages that are held against one another need reactances: only these carry power at right angles to them.
        let mut branch = Branch::series(from, to, if traits.has_held { 0.1 * r } else { r }, x);
        (branch.g_from_pu, branch.b_from_pu) = (0.001 * rng.uniform(), 0.01 * rng.uniform());
        (branch.g_to_pu, branch.b_to_pu) = (0.002 * rng.uniform(), 0.02 * rng.uniform());
        if rng.chance(0.2) {
            branch.ratio = 0.97 + 0.06 * rng.uniform();
            // Around a loop a shift drives power; only radial grids turn as they like.
            branch.shift_rad =
                if traits.chords == 0 && traits.slacks < 2 { rng.uniform() } else { 0.02 * rng.uniform() };
        }
        grid.branches.push(branch);
    }
    grid
}

/// Voltages by a dense Newton solve in rectangular coordinates.
fn dense(grid: &Grid, start: &[C]) -> Vec<C> {
    let n = grid.buses.len();
    let mut y: DMatrix<C> = DMatrix::zeros(n, n);
    for row in 0..grid.branches.len() {
        let b = grid.branches.row(row);
        if !b.is_in_service {
            continue;
        }
        let (f, t) = (b.from as usize, b.to as usize);
        let tap = C::new(b.shift_rad.cos(), b.shift_rad.sin()) * b.ratio;
        let series = C::new(1.0, 0.0) / C::new(b.r_pu, b.x_pu);
        y[(f, f)] += (series + C::new(b.g_from_pu, b.b_from_pu)) / tap.norm_sqr();
        y[(t, t)] += series + C::new(b.g_to_pu, b.b_to_pu);
        y[(f, t)] -= series / tap.conj();
        y[(t, f)] -= series / tap;
    }
    for row in 0..grid.shunts.len() {
        let bus = grid.shunts.bus[row] as usize;
        y[(bus, bus)] += C::new(grid.shunts.p_w[row], grid.shunts.q_var[row]) / BASE_VA;
    }
    let set: Vec<Option<f64>> = (0..n)
        .map(|bus| {
            let mut held = (0..grid.generators.len()).filter(|&g| grid.generators.bus[g] as usize == bus);
            held.next().map(|g| grid.generators.vm_set_pu[g])
        })
        .collect();
    // Residuals of each bus: two numbers that are to be zero.
    let residual = |v: &[C]| -> Vec<f64> {
        let mut given = vec![C::new(0.0, 0.0); n];
        for row in (0..grid.loads.len()).filter(|&row| grid.loads.is_in_service[row]) {
            let of = &grid.loads;
            let (vm, a, b) = (v[of.bus[row] as usize].norm(), of.current_share[row], of.impedance_share[row]);
            given[of.bus[row] as usize] -=
                C::new(of.p_w[row], of.q_var[row]) / BASE_VA * (1.0 - a - b + a * vm + b * vm * vm);
        }
        for row in 0..grid.generators.len() {
            given[grid.generators.bus[row] as usize] += C::new(grid.generators.p_w[row] / BASE_VA, 0.0);
        }
        let current = &y * DVector::from_column_slice(v);
        (0..n)
            .flat_map(|bus| {
                let missing = v[bus] * current[bus].conj() - given[bus];
                match grid.buses.kind[bus] {
                    BusKind::Slack => {
                        let of = &grid.buses;
                        let fixed = C::from_polar(of.vm_pu[bus], of.va_rad[bus]);
                        [(v[bus] - fixed).re, (v[bus] - fixed).im]
                    }
                    BusKind::Pv => [missing.re, v[bus].norm() - set[bus].expect("a generator holds it")],
                    BusKind::Pq => [missing.re, missing.im],
                }
            })
            .collect()
    };
    let mut v = start.to_vec();
    for _ in 0..60 {
        let now = residual(&v);
        if now.iter().fold(0.0_f64, |worst, r| worst.max(r.abs())) < 1e-13 {
            break;
        }
        let mut jacobian = DMatrix::zeros(2 * n, 2 * n);
        for column in 0..2 * n {
            let h = 1e-6;
            let shifted = |sign: f64| {
                let mut v = v.clone();
                v[column / 2] += if column % 2 == 0 { C::new(sign * h, 0.0) } else { C::new(0.0, sign * h) };
                residual(&v)
            };
            for (row, (up, down)) in shifted(1.0).iter().zip(&shifted(-1.0)).enumerate() {
                jacobian[(row, column)] = (up - down) / (2.0 * h);
            }
        }
        let step = jacobian.lu().solve(&DVector::from_vec(now)).expect("a regular Jacobian");
        v.iter_mut().enumerate().for_each(|(bus, v)| *v -= C::new(step[2 * bus], step[2 * bus + 1]));
    }
    v
}

fn voltages(flow: &PowerFlow) -> Vec<C> {
    (0..flow.grid().buses.len() as u32).map(|bus| flow.voltage(bus)).collect()
}

fn largest_difference(a: &[C], b: &[C]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max)
}

fn tight() -> NewtonSettings {
    NewtonSettings { tolerance_pu: 1e-12, ..NewtonSettings::default() }
}

#[test]
fn newton_equals_a_dense_solve() {
    for case in 0..60 {
        let mut rng = Rng::new(21, case, 0, 0);
        let traits = Traits {
            chords: if case % 3 == 0 { 0 } else { rng.below(12) },
            slacks: 1 + case % 2,
            has_held: case % 4 > 1,
            has_zip: case % 5 > 2,
        };
        let buses = 2 + traits.slacks + rng.below(18);
        let grid = random_grid(buses, traits, &mut rng);
        let mut flow = PowerFlow::new(grid.clone()).expect("a good grid");
        let flat = voltages(&flow);
        let outcome = flow.solve(Method::Newton, &tight());
        assert!(outcome.is_converged, "case {case}: {outcome:?}");
        let off = largest_difference(&voltages(&flow), &dense(&grid, &flat));
        assert!(off < 1e-9, "case {case}: {off:e}");
    }
}

#[test]
fn the_sweep_equals_newton_on_radial_grids() {
    for case in 0..40 {
        let mut rng = Rng::new(22, case, 0, 0);
        let traits = Traits { has_zip: case % 2 == 1, slacks: 1, ..Traits::default() };
        let buses = 2 + rng.below(60);
        let mut newton = PowerFlow::new(random_grid(buses, traits, &mut rng)).expect("a good grid");
        let mut sweep = newton.clone();
        assert!(newton.solve(Method::Newton, &tight()).is_converged);
        let outcome = sweep.solve(Method::Sweep, &tight());
        assert!(outcome.is_converged && outcome.factorings == 0, "case {case}: {outcome:?}");
        let off = largest_difference(&voltages(&newton), &voltages(&sweep));
        assert!(off < 1e-11, "case {case}: {off:e}");
    }
}

#[test]
fn switching_and_taps_equal_a_cold_solve() {
    let mut rng = Rng::new(23, 0, 0, 0);
    let traits = Traits { chords: 25, slacks: 3, has_held: true, has_zip: true };
    let mut grid = random_grid(60, traits, &mut rng);
    for row in 60..70 {
        (grid.branches.is_in_service[row], grid.branches.can_close[row]) = (false, row % 2 == 0);
    }
    let mut warm = PowerFlow::new(grid.clone()).expect("a good grid");
    for tick in 0..60 {
        let branch = rng.below(grid.branches.len() as u32);
        let row = branch as usize;
        if tick % 3 == 0 {
            grid.branches.ratio[row] *= 1.01;
            warm.set_tap(branch, grid.branches.ratio[row], grid.branches.shift_rad[row]);
        } else {
            grid.branches.is_in_service[row] ^= true;
            warm.set_branch_in_service(branch, grid.branches.is_in_service[row]);
        }
        let load = rng.below(60) as usize;
        grid.loads.p_w[load] *= 0.9;
        warm.set_load(load as u32, grid.loads.p_w[load], grid.loads.q_var[load]);
        let mut cold = PowerFlow::new(grid.clone()).expect("a good grid");
        let (a, b) = (warm.solve(Method::Newton, &tight()), cold.solve(Method::Newton, &tight()));
        assert!(a.is_converged && b.is_converged, "tick {tick}: {a:?} {b:?}");
        assert_eq!(warm.topology(), cold.topology());
        let off = largest_difference(&voltages(&warm), &voltages(&cold));
        assert!(off < 1e-9, "tick {tick}: {off:e}");
    }
}

#[test]
fn the_linear_approximation_is_of_second_order() {
    let mut rng = Rng::new(24, 0, 0, 0);
    let grid = random_grid(40, Traits { chords: 8, slacks: 1, ..Traits::default() }, &mut rng);
    let error_at = |scale: f64| {
        let mut grid = grid.clone();
        grid.loads.p_w.iter_mut().chain(&mut grid.loads.q_var).for_each(|s| *s *= scale);
        // Without charging, shunts and odd taps, no load is the flat state.
        let of = &mut grid.branches;
        for column in [&mut of.g_from_pu, &mut of.g_to_pu, &mut of.b_from_pu, &mut of.b_to_pu, &mut of.shift_rad] {
            column.fill(0.0);
        }
        of.ratio.fill(1.0);
        grid.shunts.is_in_service.fill(false);
        grid.buses.vm_pu.fill(1.0);
        let mut exact = PowerFlow::new(grid).expect("a good grid");
        let mut linear = exact.clone();
        assert!(exact.solve(Method::Newton, &tight()).is_converged);
        assert!(linear.solve(Method::Linear, &tight()).is_converged);
        let again = linear.solve(Method::Linear, &tight());
        assert_eq!(again.factorings, 0);
        largest_difference(&voltages(&exact), &voltages(&linear))
    };
    let (whole, tenth) = (error_at(1.0), error_at(0.1));
    assert!(whole < 5e-3 && tenth < whole / 50.0, "{whole:e} {tenth:e}");
}

#[test]
fn islands_without_a_source_are_dark_and_come_back() {
    let mut grid = Grid::new(BASE_VA);
    let line = |a, b| Branch::series(a, b, 0.01, 0.02);
    let zero = |a, b| Branch::series(a, b, 0.0, 0.0);
    grid.buses.push(Bus::slack("source", 400.0, 1.02));
    for bus in 1..6 {
        grid.buses.push(Bus::pq(format!("b{bus}"), 400.0));
    }
    for branch in [line(0, 1), zero(1, 2), line(2, 3), line(3, 4), line(4, 5)] {
        grid.branches.push(branch);
    }
    for bus in 1..6 {
        let (current_share, impedance_share) = (0.0, 0.0);
        grid.loads.push(Load { bus, p_w: 1e4, q_var: 2e3, current_share, impedance_share, is_in_service: true });
    }
    let mut flow = PowerFlow::new(grid).expect("a good grid");
    assert_eq!(flow.topology().node(1), flow.topology().node(2));
    assert!(flow.solve(Method::Newton, &tight()).is_converged);
    let before = voltages(&flow);
    assert!((before[1] - before[2]).norm() <= 0.0 && before[5].norm() < before[3].norm());
    let (drawn_w, losses_w) = (5e4, flow.losses_w().0);
    assert!((flow.source_power(0).0 - drawn_w - losses_w).abs() < 1e-5);
    assert!(flow.branch_flow(1).p_from_w.is_nan());
    for method in [Method::Newton, Method::Sweep, Method::Linear] {
        flow.set_branch_in_service(3, false);
        assert!(flow.solve(method, &tight()).is_converged, "{method:?}");
        let dark: Vec<bool> = (0..6).map(|bus| !flow.topology().is_bus_energised(bus)).collect();
        assert_eq!(dark, [false, false, false, false, true, true]);
        let now = voltages(&flow);
        assert!(now[4].norm() <= 0.0 && now[5].norm() <= 0.0 && now[3].norm() > before[3].norm());
        assert!(flow.branch_flow(4).p_from_w.abs() <= 0.0);
        flow.set_branch_in_service(3, true);
        assert!(flow.solve(method, &tight()).is_converged, "{method:?}");
    }
    assert!(flow.solve(Method::Newton, &tight()).is_converged);
    assert!(largest_difference(&before, &voltages(&flow)) < 1e-11);
    // A switch without impedance opens: its ends are two nodes again, and the far one is dark.
    flow.set_branch_in_service(1, false);
    assert!(flow.solve(Method::Newton, &tight()).is_converged);
    assert!(flow.topology().is_bus_energised(1) && !flow.topology().is_bus_energised(2));
}

#[test]
fn what_cannot_be_solved_says_where() {
    let mut grid = Grid::new(BASE_VA);
    grid.buses.push(Bus::slack("source", 400.0, 1.0));
    grid.buses.push(Bus::pq("near", 400.0));
    grid.buses.push(Bus::pq("far", 400.0));
    grid.branches.push(Branch::series(0, 1, 0.01, 0.1));
    grid.branches.push(Branch::series(1, 2, 0.01, 0.1));
    let (current_share, impedance_share) = (0.0, 0.0);
    grid.loads.push(Load { bus: 2, p_w: 5e6, q_var: 0.0, current_share, impedance_share, is_in_service: true });
    let mut flow = PowerFlow::new(grid).expect("a good grid");
    for method in [Method::Newton, Method::Sweep] {
        let outcome = flow.solve(method, &NewtonSettings { start: Start::Flat, ..tight() });
        assert!(!outcome.is_converged && outcome.failed_parts == 1);
        assert!(outcome.mismatch_pu > 0.1, "{outcome:?}");
        assert_eq!(outcome.worst_buses.len(), 2);
    }
    for method in [Method::Newton, Method::Sweep, Method::Linear] {
        flow.set_load(0, f64::NAN, 0.0);
        let outcome = flow.solve(method, &tight());
        assert!(!outcome.is_converged && outcome.mismatch_pu.is_nan(), "{method:?} {outcome:?}");
        assert_eq!(outcome.worst_buses[0].id, "far");
        flow.set_load(0, 1e5, 0.0);
        assert!(flow.solve(method, &tight()).is_converged, "{method:?}");
    }
    assert!(flow.solve(Method::Newton, &NewtonSettings { start: Start::Flat, ..tight() }).is_converged);
}

#[test]
fn bad_grids_are_named() {
    let mut grid = Grid::new(BASE_VA);
    grid.buses.push(Bus::pq("a", 400.0));
    grid.buses.push(Bus::pq("a", 400.0));
    grid.branches.push(Branch::series(0, 7, f64::NAN, 0.1));
    let problems = match PowerFlow::new(grid) {
        Err(urbis_core::Error::Input(problems)) => {
            problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
        other => panic!("{other:?}"),
    };
    for expected in ["an id that row 1", "no bus in service is a slack", "to = 7", "r_pu = NaN"] {
        assert!(problems.contains(expected), "{problems}");
    }
}
