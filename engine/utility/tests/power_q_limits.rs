//! Limits of reactive power against pandapower 3.5.6, `runpp(enforce_q_lims=True, tolerance_mva=1e-9)`.

mod common;

use common::{Reference, references};
use proptest::prelude::*;
use urbis_utility::power::control::{ControlOutcome, ControlSettings, ControlTables, Controls, Limit};
use urbis_utility::power::{BusKind, Grid, Method, NewtonSettings, PowerFlow, Start, matpower};

const MVAR: f64 = 1e6;

fn reference(name: &str) -> Option<Reference> {
    references().into_iter().find(|reference| reference.name == name)
}

/// The 14-bus case, whose file has no limits, with those of the IEEE and loads times a factor.
fn case14(factor: f64) -> Grid {
    let mut grid = matpower::read(&reference("case14").unwrap().case()).unwrap().grid;
    let limits = [("2", -40.0, 50.0), ("3", 0.0, 40.0), ("6", -6.0, 24.0), ("8", -6.0, 24.0)];
    for row in 0..grid.generators.len() {
        let id = &grid.buses.id[grid.generators.bus[row] as usize];
        for (_, min, max) in limits.iter().filter(|(bus, ..)| bus == id) {
            (grid.generators.q_min_var[row], grid.generators.q_max_var[row]) = (min * MVAR, max * MVAR);
        }
    }
    grid.loads.p_w.iter_mut().chain(&mut grid.loads.q_var).for_each(|power| *power *= factor);
    grid
}

fn controls(flow: &PowerFlow, settings: ControlSettings) -> Controls {
    let tables = ControlTables { has_reactive_limits: true, ..ControlTables::default() };
    Controls::new(flow, tables, settings).unwrap()
}

fn solved(grid: Grid, settings: ControlSettings) -> (PowerFlow, Controls, ControlOutcome) {
    let mut flow = PowerFlow::new(grid).unwrap();
    let mut controls = controls(&flow, settings);
    let newton = NewtonSettings { start: Start::Dc, ..NewtonSettings::default() };
    let outcome = controls.solve(&mut flow, Method::Newton, &newton);
    (flow, controls, outcome)
}

/// Every generator that holds is within its limits and at its set point; each at a limit is on its side of it.
fn keeps_the_rule(flow: &PowerFlow, controls: &Controls) {
    let of = &flow.grid().generators;
    for row in (0..of.len()).filter(|&row| flow.grid().buses.kind[of.bus[row] as usize] == BusKind::Pv) {
        let (q, vm) = (controls.generator_q_var(row as u32), flow.voltage(of.bus[row]).norm());
        let above = vm - of.vm_set_pu[row];
        match controls.limit(row as u32) {
            Limit::None => {
                assert!(q < of.q_max_var[row] + 1.0 && q > of.q_min_var[row] - 1.0, "{row}: {q} var");
                assert!(above.abs() < 1e-9, "{row}: {above}");
            }
            Limit::AtMax => assert!(above < 1e-8 && (q - of.q_max_var[row]).abs() < 1e-3, "{row}: {above}, {q}"),
            Limit::AtMin => assert!(above > -1e-8 && (q - of.q_min_var[row]).abs() < 1e-3, "{row}: {above}, {q}"),
        }
    }
}

#[test]
fn all_generators_of_case14_come_to_their_limit_and_back() {
    let expected = [
        1.06,
        1.025992603425948,
        0.9805996139682259,
        0.9859410999921895,
        0.9905018290011521,
        1.039903645825529,
        1.0271137226456934,
        1.066744577936103,
        1.0145308663302943,
        1.0089436767871953,
        1.0195227045686417,
        1.0193709065964598,
        1.0123758088491226,
        0.9890228003109461,
    ];
    let (mut flow, mut controls, outcome) = solved(case14(1.3), ControlSettings::default());
    assert!(outcome.is_settled && outcome.limited == 4 && outcome.returned == 0, "{outcome:?}");
    for (bus, vm) in expected.iter().enumerate() {
        assert!((flow.voltage(bus as u32).norm() - vm).abs() < 1e-9, "{bus}: {}", flow.voltage(bus as u32).norm());
    }
    keeps_the_rule(&flow, &controls);
    // What is set of them in between does not count, as for generators that hold a voltage.
    flow.set_generator(1, flow.grid().generators.p_w[1], 0.0);
    let again = controls.solve(&mut flow, Method::Newton, &NewtonSettings::default());
    assert!(again.is_settled && again.moves() == 0, "{again:?}");
    assert!((flow.voltage(1).norm() - expected[1]).abs() < 1e-9);
    // With less load they hold their voltages again, as if nothing had been.
    let less = case14(1.0);
    flow.set_loads(&less.loads.p_w, &less.loads.q_var);
    let outcome = controls.solve(&mut flow, Method::Newton, &NewtonSettings::default());
    assert!(outcome.is_settled && outcome.returned == 4, "{outcome:?}");
    let reference = reference("case14").unwrap();
    for (bus, (_, vm, _)) in reference.voltages.iter().enumerate() {
        assert!((flow.voltage(bus as u32).norm() - vm).abs() < 1e-9, "{bus}");
    }
    let expected = [43.557100131701986, 25.07534849503807, 12.73094440341849, 17.62345136609692];
    for (row, q_mvar) in (1..5).zip(expected) {
        assert!((controls.generator_q_var(row) / MVAR - q_mvar).abs() < 1e-6, "{}", controls.generator_q_var(row));
    }
}

#[test]
fn matpowers_rule_never_returns() {
    let mut flow = PowerFlow::new(case14(1.3)).unwrap();
    let settings = ControlSettings { max_returns: 0, ..ControlSettings::default() };
    let mut controls = controls(&flow, settings);
    controls.solve(&mut flow, Method::Newton, &NewtonSettings::default());
    let less = case14(1.0);
    flow.set_loads(&less.loads.p_w, &less.loads.q_var);
    let outcome = controls.solve(&mut flow, Method::Newton, &NewtonSettings::default());
    assert!(!outcome.is_settled && outcome.returned == 0 && outcome.stuck == 4, "{outcome:?}");
    controls.release_limits(&mut flow);
    let outcome = controls.solve(&mut flow, Method::Newton, &NewtonSettings::default());
    assert!(outcome.is_settled && outcome.limited == 0, "{outcome:?}");
}

/// Limits of table `in_gen.csv` by bus of the case.
fn with_limits(reference: &Reference) -> Grid {
    let mut grid = matpower::read(&reference.case()).unwrap().grid;
    let rows = |name: &str| {
        let text = std::fs::read_to_string(reference.folder.join(name)).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let head = lines.next().unwrap();
        let column = |name: &str| head.iter().position(|column| column == name).unwrap();
        (
            ["pp_bus", "m_bus_i", "bus", "min_q_mvar", "max_q_mvar"]
                .map(|name| head.iter().any(|c| c == name).then(|| column(name))),
            lines.collect::<Vec<_>>(),
        )
    };
    let ([Some(pp_bus), Some(m_bus), ..], map) = rows("busmap.csv") else { panic!("busmap.csv") };
    let ([_, _, Some(bus), Some(min), Some(max)], limits) = rows("in_gen.csv") else { panic!("in_gen.csv") };
    for cells in &limits {
        let id = &map.iter().find(|row| row[pp_bus] == cells[bus]).unwrap()[m_bus];
        let of = &mut grid.generators;
        let row = (0..of.len()).find(|&row| &grid.buses.id[of.bus[row] as usize] == id).unwrap();
        of.q_min_var[row] = cells[min].parse::<f64>().unwrap() * MVAR;
        of.q_max_var[row] = cells[max].parse::<f64>().unwrap() * MVAR;
    }
    grid
}

/// Differences of magnitude (per unit) and angle (degrees).
fn differences(flow: &PowerFlow, text: &str) -> (f64, f64) {
    text.lines().skip(1).enumerate().fold((0.0, 0.0), |worst: (f64, f64), (bus, line)| {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(flow.grid().buses.id[bus], cells[0].to_string());
        let v = flow.voltage(bus as u32);
        (worst.0.max((v.norm() - cells[1]).abs()), worst.1.max((v.arg().to_degrees() - cells[2]).abs()))
    })
}

#[test]
#[allow(clippy::print_stdout)] // figures for whoever reads them
fn case118_as_pandapower() {
    let Some(reference) = reference("case118") else { return };
    let (flow, controls, outcome) = solved(with_limits(&reference), ControlSettings::default());
    assert!(outcome.is_settled && outcome.limited == 6 && outcome.returned == 0, "{outcome:?}");
    keeps_the_rule(&flow, &controls);
    let worst = differences(&flow, include_str!("data/q_limits/case118.csv"));
    println!("case118: off by {:.1e} pu, {:.1e} deg; {outcome:?}", worst.0, worst.1);
    assert!(worst.0 < 1e-9 && worst.1 < 1e-7, "{worst:?}");
}

/// With twice their most reactive power, where pandapower leaves two generators at a limit beyond their set point.
#[test]
#[allow(clippy::print_stdout)] // figures for whoever reads them
fn case300_as_pandapower_and_back() {
    let Some(reference) = reference("case300") else { return };
    let mut grid = with_limits(&reference);
    grid.generators.q_max_var.iter_mut().for_each(|max| *max *= 2.0);
    let settings = ControlSettings { max_returns: 0, ..ControlSettings::default() };
    let (flow, _, outcome) = solved(grid.clone(), settings);
    assert!(outcome.outcome.is_converged && outcome.limited == 6 && outcome.stuck == 2, "{outcome:?}");
    let worst = differences(&flow, include_str!("data/q_limits/case300.csv"));
    println!("case300: off by {:.1e} pu, {:.1e} deg; {outcome:?}", worst.0, worst.1);
    assert!(worst.0 < 1e-9 && worst.1 < 1e-7, "{worst:?}");
    let (flow, controls, outcome) = solved(grid, ControlSettings::default());
    println!("case300: {outcome:?}");
    assert!(outcome.is_settled && outcome.returned >= 2, "{outcome:?}");
    keeps_the_rule(&flow, &controls);
}

/// With the limits as they are, pandapower does not converge either, whether all limits are met at once or one by one.
#[test]
fn a_grid_that_its_limits_leave_without_a_solution_is_told() {
    let Some(reference) = reference("case300") else { return };
    let (_, controls, outcome) = solved(with_limits(&reference), ControlSettings::default());
    assert!(!outcome.outcome.is_converged && !outcome.is_settled && outcome.limited > 23, "{outcome:?}");
    assert_eq!(outcome.outcome.worst_buses.len(), 5);
    assert!((0..69).any(|row| controls.limit(row) != Limit::None));
}

#[test]
fn generators_of_a_bus_share_by_their_ranges() {
    let mut grid = case14(1.0);
    let third = grid.generators.row(2);
    grid.generators.q_max_var[2] = 10.0 * MVAR;
    grid.generators.q_min_var[2] = -10.0 * MVAR;
    let mut other = third;
    (other.p_w, other.q_min_var, other.q_max_var) = (0.0, -10.0 * MVAR, 50.0 * MVAR);
    let other = grid.generators.push(other);
    let (_, controls, outcome) = solved(grid, ControlSettings::default());
    assert!(outcome.is_settled && outcome.limited == 0, "{outcome:?}");
    let (a, b) = (controls.generator_q_var(2) / MVAR, controls.generator_q_var(other) / MVAR);
    assert!((a + b - 25.07534849503807).abs() < 1e-6, "{a} {b}");
    assert!(((a + 10.0) / 20.0 - (b + 10.0) / 60.0).abs() < 1e-9, "{a} {b}");
}

#[test]
fn limits_the_wrong_way_round_are_refused() {
    let mut grid = case14(1.0);
    grid.generators.q_min_var[3] = 1e9;
    let flow = PowerFlow::new(grid).unwrap();
    let tables = ControlTables { has_reactive_limits: true, ..ControlTables::default() };
    let error = format!("{:?}", Controls::new(&flow, tables, ControlSettings::default()).unwrap_err());
    assert!(error.contains("generators row 4: q_min_var = 1000000000, expected at most q_max_var"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Loads that go up and down leave the same state as solving each anew.
    #[test]
    fn any_loads_keep_the_rule(factors in prop::collection::vec(0.2_f64..1.5, 3)) {
        let mut flow = PowerFlow::new(case14(1.0)).unwrap();
        let mut controls = controls(&flow, ControlSettings::default());
        for factor in factors {
            let now = case14(factor);
            flow.set_loads(&now.loads.p_w, &now.loads.q_var);
            let outcome = controls.solve(&mut flow, Method::Newton, &NewtonSettings::default());
            prop_assert!(outcome.is_settled, "{outcome:?}");
            keeps_the_rule(&flow, &controls);
            let (anew, ..) = solved(now, ControlSettings::default());
            for bus in 0..14 {
                prop_assert!((flow.voltage(bus) - anew.voltage(bus)).norm() < 1e-7);
            }
        }
    }
}
