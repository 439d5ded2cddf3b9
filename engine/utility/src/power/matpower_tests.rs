//! The reader on small texts: what is understood, and what problems name.

use super::*;

const GOOD: &str = "function mpc = small
mpc.version = '2'; mpc.baseMVA = 100; % two statements
mpc.bus = [
  1 3 0 0 0 0 1 1 5 110 1 1.1 0.9;
  2 1 50 20 1 19 1 1 0 110 1 1.1 0.9; % a load and a shunt
  3 2 0 0 0 0 1 1 0 110 1 1.1 0.9
  4 4 1 1 0 0 1 1 0 110 1 1.1 0.9
];
mpc.gen = [ 1 0 0 Inf -Inf 1.02 100 1; 3 30 0 ...
  10 -10 1.01 100 1; 3 5 0 10 -10 1.01 100 0 ];
mpc.branch = [ 1 2 0.01 0.1 0.02 0 0 0 0 0 1 -360 360, ; 2 3 0.01 0.1 0 100 0 0 0.98 -30 1 -360 360 ];
mpc.gencost = [2 0 0 3 0.1 5 150];
mpc.bus_name = { 'a'; 'b % not a comment' };
";

fn fails(text: &str) -> String {
    match parse(Path::new("x.m"), text) {
        Err(Error::Input(problems)) => problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_case_becomes_a_grid() {
    let case = parse(Path::new("x.m"), GOOD).unwrap();
    let grid = &case.grid;
    assert_eq!((grid.buses.len(), grid.branches.len(), grid.loads.len(), grid.shunts.len()), (4, 2, 2, 1));
    assert_eq!(grid.buses.kind, [BusKind::Slack, BusKind::Pq, BusKind::Pv, BusKind::Pq]);
    assert_eq!(grid.buses.is_in_service, [true, true, true, false]);
    assert_eq!(grid.generators.is_in_service, [true, true, false]);
    assert!(grid.generators.q_max_var[0].is_infinite());
    assert!((grid.branches.shift_rad[1] + 30f64.to_radians()).abs() < 1e-15);
    assert!((grid.branches.ratio[0] - 1.0).abs() < 1e-15 && (grid.branches.b_to_pu[0] - 0.01).abs() < 1e-15);
    assert_eq!(case.notes.len(), 3, "{:?}", case.notes);
}

#[test]
fn problems_name_line_and_expectation() {
    let doubled = GOOD.replace("  2 1 50", "  1 1 50");
    assert!(fails(&doubled).contains("x.m line 5: mpc.bus row 2 (id 1): bus_i = 1, expected an id that row 1"));
    let no_slack = GOOD.replace("  1 3 0", "  1 1 0");
    assert!(fails(&no_slack).contains("no bus of type 3"));
    let not_a_number = GOOD.replace("2 1 50 20", "2 1 NaN Inf");
    let problems = fails(&not_a_number);
    assert!(problems.contains("line 5: mpc.bus row 2 (id 2): Pd = NaN, expected a finite number"), "{problems}");
    assert!(problems.contains("Qd = inf"), "{problems}");
    let unknown = GOOD.replace("2 3 0.01", "2 9 0.01");
    assert!(fails(&unknown).contains("line 11: mpc.branch row 2 (2 - 9): tbus = 9, expected the number of a bus"));
    let short = GOOD.replace(" 110 1 1.1 0.9; % a load", " 110 1 1.1; % a load");
    assert!(fails(&short).contains("line 5: mpc.bus row 2: 12 values, expected 13 as in the first row"));
    assert!(fails("mpc.baseMVA = 100;").contains("mpc.bus is missing"));
    assert!(fails(&GOOD.replace("];\nmpc.gen", "\nmpc.gen")).contains("expected"));
    assert!(fails(&GOOD.replace("baseMVA = 100", "baseMVA = -1")).contains("baseMVA = -1, expected > 0"));
    assert!(fails(&format!("{GOOD}mpc.bus(:, PD) = sqrt(mpc.bus(:, PD));")).contains("line 14: changes a matrix"));
}

#[test]
fn zero_impedances_are_noted_and_ideal_transformers_refused() {
    let merged = GOOD.replace("1 2 0.01 0.1 0.02", "1 2 0 0 0");
    let case = parse(Path::new("x.m"), &merged).unwrap();
    assert!(case.notes.iter().any(|note| note.contains("(1 - 2): no impedance")), "{:?}", case.notes);
    assert!(fails(&GOOD.replace("2 3 0.01 0.1 0", "2 3 0 0 0")).contains("expected an impedance"));
}

#[test]
fn units_are_converted_as_distribution_cases_do() {
    let converted = format!(
        "{GOOD}[PQ, PV, REF] = idx_bus;
Vbase = mpc.bus(1, BASE_KV) * 1e3; Sbase = mpc.baseMVA * 1e6;
mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);
mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;
pf = 0.8;
mpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));
"
    );
    let grid = parse(Path::new("x.m"), &converted).unwrap().grid;
    assert!((grid.branches.x_pu[0] - 0.1 / 121.0).abs() < 1e-15);
    assert!((grid.loads.p_w[0] - 50e3).abs() < 1e-9 && (grid.loads.q_var[0] - 30e3).abs() < 1e-9);
}
