//! The tables on small grids, the 33-bus feeder written as tables, and what problems name.

use super::*;
use crate::power::{Method, NewtonSettings, PowerFlow, matpower};
use proptest::prelude::*;
use std::fmt::Write as _;
use urbis_core::Error;

type Files = BTreeMap<&'static str, String>;

fn good() -> Files {
    let text = [
        (
            "bus",
            "bus_id,base_kv,kind,vm_pu,x_coord,y_coord,colour\na,20,slack,1.02,7.5,48.1,red\nb,20,,,,,\nc,0.4,pq,,,,\nd,0.4,pv,1.0,,,\n",
        ),
        (
            "line",
            "line_id,from_bus_id,to_bus_id,r_ohm,x_ohm,c_nf,rating_a,is_closed,geometry,name\nl1,a,b,0.5,0.3,300,250,yes,\"LINESTRING(7.5 48.1, 7.6 48.2)\",cable\n",
        ),
        (
            "transformer",
            "transformer_id,from_bus_id,to_bus_id,rated_kva,from_kv,to_kv,vk_percent,vkr_percent,iron_loss_kw,no_load_percent,shift_deg,tap_ratio\nt1,b,c,630,20,0.4,6,1.2,1.1,0.3,150,0.975\n",
        ),
        ("load", "load_id,bus_id,p_kw,q_kvar,impedance_percent\nh1,c,120,30,40\n"),
        ("generator", "generator_id,bus_id,p_kw,vm_pu\ng1,d,20,0.99\n"),
        ("shunt", "shunt_id,bus_id,q_kvar\ns1,b,50\n"),
        ("switch", "switch_id,from_bus_id,to_bus_id,is_closed\nw1,c,d,0\n"),
    ];
    text.map(|(name, text)| (name, text.to_owned())).into()
}

fn parsed(files: &Files) -> Result<GridTables> {
    let mut tables = BTreeMap::new();
    for (name, id, _) in TABLES {
        if let Some(text) = files.get(name) {
            let path = format!("{name}.csv");
            tables.insert(name, Table::from_bytes(Path::new(&path), text.as_bytes())?.with_id(id));
        }
    }
    of_tables(&tables, 50.0)
}

fn fails(files: &Files) -> String {
    match parsed(files) {
        Err(Error::Input(problems)) => problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_become_a_grid() {
    let tables = parsed(&good()).unwrap();
    let grid = &tables.named.grid;
    assert_eq!(grid.buses.kind, [BusKind::Slack, BusKind::Pq, BusKind::Pq, BusKind::Pv]);
    assert_eq!((tables.coordinates[0], tables.coordinates[1]), (Some([7.5, 48.1]), None));
    assert_eq!(tables.geometry, ["LINESTRING(7.5 48.1, 7.6 48.2)", "", ""]);
    assert_eq!(tables.named.notes, ["bus.csv: columns left out: colour"]);
    let line = grid.branches.row(0);
    assert!(
        (line.r_pu - 0.5 / 400.0).abs() < 1e-15
            && (line.b_to_pu - 3e-7 * 50.0 * 400.0 * std::f64::consts::PI).abs() < 1e-12
    );
    let transformer = grid.branches.row(1);
    let z_pu = transformer.r_pu.hypot(transformer.x_pu);
    assert!((z_pu - 0.06 / 0.63).abs() < 1e-12 && (transformer.ratio - 0.975).abs() < 1e-12);
    assert!((transformer.g_from_pu - 0.5 * 1.1e-3).abs() < 1e-12);
    assert_eq!(
        tables.named.element("line", "l1").map(|line| (line.name.as_str(), line.limits.len())),
        Some(("cable", 2))
    );
    assert!(!grid.branches.is_in_service[2] && (grid.generators.vm_set_pu[0] - 0.99).abs() < 1e-15);
    let mut flow = PowerFlow::new(grid.clone()).unwrap();
    assert!(flow.solve(Method::Newton, &NewtonSettings::default()).is_converged);
    assert!(flow.voltage(2).norm() > 0.9 && flow.voltage(3).norm() <= 0.0);
}

#[test]
fn a_feeder_written_as_tables_is_the_same() {
    let case = matpower::parse(Path::new("case33bw.m"), include_str!("../../tests/data/case33bw/case33bw.m")).unwrap();
    let of = &case.grid;
    let mut files = Files::new();
    let mut bus = "bus_id,base_kv,kind,vm_pu\n".to_owned();
    for row in 0..of.buses.len() {
        let kind = if of.buses.kind[row] == BusKind::Slack { "slack" } else { "pq" };
        writeln!(bus, "{},{},{kind},{}", of.buses.id[row], of.buses.base_v[row] / 1e3, of.buses.vm_pu[row]).unwrap();
    }
    let mut line = "line_id,from_bus_id,to_bus_id,r_ohm,x_ohm,b_us,is_closed\n".to_owned();
    for row in 0..of.branches.len() {
        let branch = of.branches.row(row);
        let id = |bus: u32| &of.buses.id[bus as usize];
        let ohm = of.buses.base_v[branch.from as usize].powi(2) / of.base_va;
        let b_us = (branch.b_from_pu + branch.b_to_pu) / ohm * 1e6;
        let (from, to, r, x) = (id(branch.from), id(branch.to), branch.r_pu * ohm, branch.x_pu * ohm);
        writeln!(line, "{row},{from},{to},{r},{x},{b_us},{}", branch.is_in_service).unwrap();
    }
    let mut load = "load_id,bus_id,p_kw,q_kvar\n".to_owned();
    for row in 0..of.loads.len() {
        let (id, p_kw, q_kvar) =
            (&of.buses.id[of.loads.bus[row] as usize], of.loads.p_w[row] / 1e3, of.loads.q_var[row] / 1e3);
        writeln!(load, "{row},{id},{p_kw},{q_kvar}").unwrap();
    }
    files.extend([("bus", bus), ("line", line), ("load", load)]);
    let tables = parsed(&files).unwrap();
    let solve = |grid: &Grid| {
        let mut flow = PowerFlow::new(grid.clone()).unwrap();
        assert!(flow.solve(Method::Newton, &NewtonSettings::default()).is_converged);
        flow
    };
    let (one, other) = (solve(of), solve(&tables.named.grid));
    for bus in 0..of.buses.len() as u32 {
        assert!((one.voltage(bus) - other.voltage(bus)).norm() < 1e-9, "{bus}");
    }
}

#[test]
fn a_folder_is_a_case() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in good() {
        std::fs::write(folder.path().join(format!("{name}.csv")), text).unwrap();
    }
    let case = crate::power::case::read(folder.path()).unwrap();
    assert_eq!(case.branch_id, ["line l1", "transformer t1", "switch w1"]);
    assert_eq!((case.load_id, case.generator_id), (vec!["load h1".to_owned()], vec!["generator g1".to_owned()]));
}

#[test]
fn problems_name_file_row_id_and_expectation() {
    for (table, from, to, expected) in [
        ("bus", "a,20,slack", "a,20,pq", "bus.csv: no bus in service is of kind slack"),
        ("bus", "b,20", "a,20", "bus.csv row 2 (id a): bus_id = a, expected an id that row 1 does not have already"),
        ("bus", "b,20", "b,-20", "bus.csv row 2 (id b): base_kv = -20, expected > 0"),
        ("bus", "a,20,slack", "a,20,swing", "bus.csv row 1 (id a): kind = swing, expected one of pq, pv, slack"),
        ("bus", "base_kv", "base_v", "bus.csv: column `base_kv` is missing"),
        ("line", "a,b,", "a,bb,", "line.csv row 1 (id l1): to_bus_id = bb, expected the bus_id of a row of bus.csv"),
        ("line", "a,b,", "a,a,", "line.csv row 1 (id l1): to_bus_id = a, expected another bus than from_bus_id"),
        ("line", "a,b,", "a,c,", "line.csv row 1 (id l1): to_bus_id = c, expected a bus of base_kv = 20"),
        ("line", "0.5,0.3", "NaN,0.3", "line.csv row 1 (id l1): r_ohm = NaN, expected a number"),
        ("line", "0.5,0.3", ",0.3", "line.csv row 1 (id l1): r_ohm = (blank), expected a number"),
        ("line", "250", "-1", "line.csv row 1 (id l1): rating_a = -1, expected > 0"),
        ("line", "yes", "open", "line.csv row 1 (id l1): is_closed = open, expected true or false"),
        ("transformer", "6,1.2", "6,7", "transformer.csv row 1 (id t1): vkr_percent = 7, expected >= 0 and at most"),
        ("load", "30,40", "30,400", "load.csv row 1 (id h1): impedance_percent = 400, expected 0..100"),
        ("load", "h1,c", ",c", "load.csv row 1: load_id = (blank), expected a value"),
        ("generator", "0.99", "0", "generator.csv row 1 (id g1): vm_pu = 0, expected > 0"),
        ("switch", "c,d,0", "c,d,", "switch.csv row 1 (id w1): is_closed = (blank), expected true or false"),
    ] {
        let mut files = good();
        let text = files.get_mut(table).unwrap();
        assert!(text.contains(from), "{from}");
        *text = text.replacen(from, to, 1);
        let text = fails(&files);
        assert!(text.contains(expected), "{table} {from} -> {to}: {text}");
    }
    let mut both = good();
    let line = both.get_mut("line").unwrap();
    *line = line.replace("c_nf,", "c_nf,b_us,").replace(",300,", ",300,9,");
    assert!(fails(&both).contains("b_us = 9, expected no value beside c_nf"));
    let nowhere = read(Path::new("/nowhere/grid"), 50.0).unwrap_err();
    assert!(format!("{nowhere:?}").contains("is missing, expected the table of buses"));
}

const PIECES: [&str; 14] = ["", "NaN", "-1", "0", "1e999", "x", ",", "\n", "\"", "a", "slack", "0.4", ",,,,", "b,b,"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn spoilt_tables_never_panic(
        changes in prop::collection::vec((0..7_usize, 0.0..1.0_f64, 0..8_usize, 0..PIECES.len()), 1..5),
    ) {
        let mut files = good();
        for (table, at, length, piece) in changes {
            let text = files.get_mut(TABLES[table].0).unwrap();
            let at = (at * text.len() as f64) as usize;
            text.replace_range(at..(at + length).min(text.len()), PIECES[piece]);
        }
        if let Ok(tables) = parsed(&files)
            && let Ok(mut flow) = PowerFlow::new(tables.named.grid)
        {
            flow.solve(Method::Newton, &NewtonSettings::default());
        }
    }
}
