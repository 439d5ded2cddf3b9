//! The tables on small grids, the 33-bus feeder written as tables, and what problems name.

use super::*;
use crate::power::{Method, NewtonSettings, PowerFlow, matpower};
use proptest::prelude::*;
use std::fmt::Write as _;
use urbis_city::geoparquet::TableWriter;
use urbis_core::Error;
use urbis_core::rng::Rng;

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
    assert_eq!((tables.bus_place[0], tables.bus_place[1]), (Some([7.5, 48.1]), None));
    let with_point = good()["bus"].replace("x_coord,y_coord", "geometry,y_pos").replace("7.5,48.1", "POINT(7.5 48.1),");
    let with_point = parsed(&Files::from_iter(good().into_iter().chain([("bus", with_point)]))).unwrap();
    assert_eq!(with_point.bus_place, tables.bus_place);
    assert_eq!(tables.branch_wkt, ["LINESTRING(7.5 48.1, 7.6 48.2)", "", ""]);
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

/// A ring of lines behind a transformer, with values of all digits, as CSV into one folder and as GeoParquet into the
/// other; loads are CSV in both.
fn write_ring(csv: &Path, parquet: &Path) {
    let mut rng = Rng::new(5, 0, 0, 0);
    let buses = 40_u32;
    let place: Vec<[f64; 2]> = (0..buses).map(|_| [7.0 + rng.uniform(), 48.0 + rng.uniform()]).collect();
    let base_kv: Vec<f64> = (0..buses).map(|bus| if bus == 0 { 20.0 } else { 0.4 }).collect();
    let vm_pu: Vec<f64> = (0..buses).map(|bus| if bus == 0 { 1.0 + 0.03 * rng.uniform() } else { f64::NAN }).collect();
    let kind = |bus: u32| (bus == 0).then_some("slack");
    let mut text = "bus_id,base_kv,kind,vm_pu,x_coord,y_coord\n".to_owned();
    for bus in 0..buses {
        let (at, [x, y]) = (bus as usize, place[bus as usize]);
        let vm = if vm_pu[at].is_nan() { String::new() } else { vm_pu[at].to_string() };
        writeln!(text, "{bus},{},{},{vm},{x},{y}", base_kv[at], kind(bus).unwrap_or_default()).unwrap();
    }
    std::fs::write(csv.join("bus.csv"), text).unwrap();
    let mut table = TableWriter::new("buses");
    table.count("bus_id", "", "", &(0..buses).collect::<Vec<_>>());
    table.number("base_kv", "kV", "", &base_kv);
    table.text_or_null("kind", "", (0..buses).map(kind));
    table.number("vm_pu", "pu", "", &vm_pu);
    table.geometry("", &place.iter().map(|&[x, y]| geo::Point::new(x, y)).collect::<Vec<_>>()).unwrap();
    table.write(&parquet.join("bus.parquet")).unwrap();

    let ends: Vec<(u32, u32)> = (1..buses).map(|bus| (bus, if bus + 1 < buses { bus + 1 } else { 1 })).collect();
    let ohm: Vec<[f64; 2]> = ends.iter().map(|_| [0.01 * rng.uniform(), 0.01 * rng.uniform()]).collect();
    let corner = |bus: u32| (place[bus as usize][0], place[bus as usize][1]);
    let mut text = "line_id,from_bus_id,to_bus_id,r_ohm,x_ohm,is_closed,geometry\n".to_owned();
    for (line, &(from, to)) in ends.iter().enumerate() {
        let ([r, x], (a, b)) = (ohm[line], (corner(from), corner(to)));
        let is_closed = line % 7 > 0;
        writeln!(text, "{line},{from},{to},{r},{x},{is_closed},\"LINESTRING({} {},{} {})\"", a.0, a.1, b.0, b.1)
            .unwrap();
    }
    std::fs::write(csv.join("line.csv"), text).unwrap();
    let mut table = TableWriter::new("lines");
    let line = |&(from, to): &(u32, u32)| geo::LineString::from(vec![corner(from), corner(to)]);
    table.text("line_id", "", (0..ends.len()).map(|line| line.to_string()));
    table.whole("from_bus_id", "", "", &ends.iter().map(|ends| ends.0.into()).collect::<Vec<_>>());
    table.count("to_bus_id", "", "", &ends.iter().map(|ends| ends.1).collect::<Vec<_>>());
    table.number("r_ohm", "ohm", "", &ohm.iter().map(|z| z[0]).collect::<Vec<_>>());
    table.number("x_ohm", "ohm", "", &ohm.iter().map(|z| z[1]).collect::<Vec<_>>());
    table.flag("is_closed", "", &(0..ends.len()).map(|line| line % 7 > 0).collect::<Vec<_>>());
    table.geometry("", &ends.iter().map(line).collect::<Vec<_>>()).unwrap();
    table.write(&parquet.join("line.parquet")).unwrap();

    let header = "transformer_id,from_bus_id,to_bus_id,rated_kva,from_kv,to_kv,vk_percent,vkr_percent\n";
    let transformer =
        format!("{header}t,0,1,630,20,0.4,{},{}\nu,0,20,400,20,0.4,4,1\n", 5.0 + rng.uniform(), rng.uniform());
    let mut load = "load_id,bus_id,p_kw,q_kvar,impedance_percent\n".to_owned();
    for bus in 2..buses {
        writeln!(load, "{bus},{bus},{},{},{}", 4.0 * rng.uniform(), rng.uniform(), 100.0 * rng.uniform()).unwrap();
    }
    for folder in [csv, parquet] {
        std::fs::write(folder.join("transformer.csv"), &transformer).unwrap();
        std::fs::write(folder.join("load.csv"), &load).unwrap();
    }
}

#[test]
fn parquet_and_csv_are_the_same_to_the_last_bit() {
    let place = tempfile::tempdir().unwrap();
    let folders = ["csv", "parquet"].map(|kind| place.path().join(kind).join("ring"));
    folders.iter().for_each(|folder| std::fs::create_dir_all(folder).unwrap());
    write_ring(&folders[0], &folders[1]);
    let [one, other] = folders.each_ref().map(|folder| crate::power::case::read(folder).unwrap());
    assert_eq!(one, other);
    assert_eq!((one.bus_place.len(), one.notes.len()), (40, 0));
    assert!(one.bus_place.iter().all(Option::is_some) && one.branch_wkt[3].starts_with("LINESTRING(7."));
    let bits = |case: &crate::power::case::Case| {
        let mut flow = PowerFlow::new(case.grid.clone()).unwrap();
        assert!(flow.solve(Method::Newton, &NewtonSettings::default()).is_converged);
        (0..40).map(|bus| [flow.voltage(bus).re, flow.voltage(bus).im].map(f64::to_bits)).collect::<Vec<_>>()
    };
    assert_eq!(bits(&one), bits(&other));
    // Problems name the file that is there.
    let load = folders[1].join("load.csv");
    let text = std::fs::read_to_string(&load).unwrap().replacen("2,2,", "2,99,", 1);
    std::fs::write(&load, text).unwrap();
    let Err(Error::Input(problems)) = read(&folders[1], 50.0) else { panic!("bus 99 is nowhere") };
    let said = problems.listed()[0].to_string();
    assert!(said.contains("load.csv row 1 (id 2): bus_id = 99, expected the bus_id of a row of bus.parquet"), "{said}");
}

#[test]
fn problems_name_file_row_id_and_expectation() {
    for (table, from, to, expected) in [
        ("bus", "a,20,slack", "a,20,pq", "bus.csv: no bus in service is of kind slack"),
        ("bus", "b,20", "a,20", "bus.csv row 2 (id a): bus_id = a, expected an id that row 1 does not have already"),
        ("bus", "b,20", "b,-20", "bus.csv row 2 (id b): base_kv = -20, expected > 0"),
        ("bus", "a,20,slack", "a,20,swing", "bus.csv row 1 (id a): kind = swing, expected one of pq, pv, slack"),
        ("bus", "base_kv", "base_v", "bus.csv: column `base_kv` is missing"),
        ("bus", "x_coord,y_coord", "geometry,y_pos", "bus.csv row 1 (id a): geometry = 7.5, expected a point"),
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
