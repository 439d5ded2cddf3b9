//! `urbis town`: networks of a town in one run, from outside and through the library.
//!
//! The town is Schutterwald's electricity, gas and heat of the shared folder (`URBIS_SHARED`, or `../shared` beside the
//! repository), and a small one of the networks that lie with the library's tests.

#[allow(dead_code)] // every test file uses its share
mod common;

use common::{Ended, folder, urbis};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use urbis::town_run::{Account, HeatMethod, NETWORKS, NetworkName, Town};
use urbis::utility::gas::GasFlow;
use urbis::utility::heat::transport::{HeatRun, RunSettings};
use urbis::utility::heat::{HeatFlow, HeatSettings};
use urbis::utility::pipes::network::Given;
use urbis::utility::pipes::pandapipes;
use urbis::utility::pipes::solver::HydraulicSettings;
use urbis::utility::power::grid::{BusKind, Grid};
use urbis::utility::power::{Method, NewtonSettings, PowerFlow, case};

type Row = BTreeMap<String, String>;

fn rows(path: &Path) -> Vec<Row> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

/// The utilities' references, where they are.
fn shared() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let place = std::env::var_os("URBIS_SHARED").map_or_else(beside, PathBuf::from).join("reference/utility");
    let is_there = place.join("town_schutterwald/building_links.csv").exists();
    if !is_there {
        #[allow(clippy::print_stderr)] // a test says what it skips
        {
            eprintln!("skipped: no {}; set URBIS_SHARED", place.display());
        }
    }
    is_there.then_some(place)
}

/// How demands go over a day, in steps of three hours.
const DAY: &str = "time_s,multiplier\n0,0.5\n21600,1.0\n32400,0.8\n64800,1.2\n75600,0.7\n";

/// Schutterwald with more of a file below its networks.
fn schutterwald(of: &Path, hours: f64, step_s: u32, more: &str) -> (TempDir, PathBuf) {
    let net = |name: &str| of.join(name).join("net.json.gz").display().to_string();
    let links = of.join("town_schutterwald/building_links.csv").display().to_string();
    let text = format!(
        "name = \"schutterwald\"\nhours = {hours}\nstep_s = {step_s}\n\
         [power]\nnet = {:?}\nprofile = \"day.csv\"\n[gas]\nnet = {:?}\nprofile = \"day.csv\"\n\
         [heat]\nnet = {:?}\nprofile = \"day.csv\"\n[links]\nfile = {links:?}\n{more}",
        net("power/lv_schutterwald"),
        net("gas_heat/schutterwald_gas"),
        net("gas_heat/schutterwald_heat"),
    );
    let place = folder(&[("town.toml", &text), ("day.csv", DAY)]);
    let file = place.path().join("town.toml");
    (place, file)
}

fn failure(network: &str, element: &str, from: &str, to: &str) -> String {
    format!("[[failure]]\nnetwork = {network:?}\nelement = {element:?}\nfrom = {from:?}\nto = {to:?}\n")
}

fn run(place: &Path, arguments: &[&str]) -> Ended {
    let ended = urbis(place, &[&["town", "run", "town.toml"], arguments].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended
}

fn same(of: impl Iterator<Item = (f64, f64)>) -> bool {
    let mut is_same = true;
    let count = of.inspect(|(a, b)| is_same &= a.to_bits() == b.to_bits()).count();
    is_same && count > 0
}

/// Buses of a grid that a source reaches over closed branches: a search of its own.
fn reached(grid: &Grid, is_source: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut around: Vec<Vec<usize>> = vec![Vec::new(); grid.buses.len()];
    for row in (0..grid.branches.len()).filter(|&row| grid.branches.is_in_service[row]) {
        let (a, b) = (grid.branches.from[row] as usize, grid.branches.to[row] as usize);
        around[a].push(b);
        around[b].push(a);
    }
    let mut is_reached = vec![false; grid.buses.len()];
    let mut todo: Vec<usize> = (0..grid.buses.len()).filter(|&bus| is_source(bus)).collect();
    while let Some(bus) = todo.pop() {
        if grid.buses.is_in_service[bus] && !std::mem::replace(&mut is_reached[bus], true) {
            todo.extend(&around[bus]);
        }
    }
    is_reached
}

#[test]
fn without_a_failure_every_network_is_as_if_alone() {
    let Some(of) = shared() else { return };
    let (_place, file) = schutterwald(&of, 24.0, 10_800, "");
    let mut town = Town::read(&file).unwrap();
    let settings = town.settings.clone();
    let factors = [0.5, 0.5, 1.0, 0.8, 0.8, 0.8, 1.2, 0.7];

    let grid = case::read(&settings.power.as_ref().unwrap().net).unwrap().grid;
    let mut power = PowerFlow::new(grid.clone()).unwrap();
    let newton = NewtonSettings { tolerance_pu: 1e-12, ..NewtonSettings::default() };
    let net = pandapipes::read(&settings.gas.as_ref().unwrap().net).unwrap();
    let (sinks, hydraulic) = (net.network.draws.clone(), net.options.friction);
    let hydraulic = HydraulicSettings { friction: hydraulic, ..HydraulicSettings::default() };
    let mut gas = GasFlow::new(net.network).unwrap();
    let net = pandapipes::read(&settings.heat.as_ref().unwrap().net).unwrap();
    let consumers = net.network.consumers.clone();
    let heat = HeatSettings {
        ambient_k: net.options.ambient_k,
        hydraulic: HydraulicSettings { friction: net.options.friction, ..HydraulicSettings::default() },
        ..HeatSettings::default()
    };
    let given = |row: usize, factor: f64| match consumers[row].given {
        Given::FlowHeat(m, q) => Given::FlowHeat(m * factor, q * factor),
        other => panic!("{other:?}"),
    };
    let mut start = HeatFlow::new(net.network).unwrap();
    (0..consumers.len()).for_each(|row| start.set_given(row as u32, given(row, factors[0])));
    let mut plugs = HeatRun::new(start, RunSettings { heat, step_s: 10_800.0, ..RunSettings::default() }).unwrap();

    let mut last = f64::NAN;
    for factor in factors {
        town.step().unwrap();
        if factor.to_bits() != last.to_bits() {
            let scaled = |of: &[f64]| of.iter().map(|of| of * factor).collect::<Vec<f64>>();
            power.set_loads(&scaled(&grid.loads.p_w), &scaled(&grid.loads.q_var));
            power.forget_factors();
            assert!(power.solve(Method::Newton, &newton).is_converged);
            gas.set_draws(&sinks.iter().map(|of| of.mdot_kgps * factor).collect::<Vec<_>>());
            assert!(gas.solve(&hydraulic).is_converged);
        }
        last = factor;
        (0..consumers.len()).for_each(|row| plugs.set_given(row as u32, given(row, factor)));
        assert!(plugs.step().hydraulic.is_converged);
        let ours = town.power().unwrap().flow();
        let buses = 0..grid.buses.len() as u32;
        assert!(same(buses.clone().map(|bus| (ours.voltage(bus).re, power.voltage(bus).re))));
        assert!(same(buses.map(|bus| (ours.voltage(bus).im, power.voltage(bus).im))));
        let (a, b) = (town.gas().unwrap().flow().hydraulics(), gas.hydraulics());
        assert!(same(a.pressure_pa.iter().copied().zip(b.pressure_pa.iter().copied())));
        assert!(same(a.mdot_kgps.iter().copied().zip(b.mdot_kgps.iter().copied())));
        let (a, b) = (town.heat().unwrap().flow(), plugs.flow());
        let pressures = |of: &HeatFlow| of.hydraulics().pressure_pa.clone();
        assert!(same(pressures(a).into_iter().zip(pressures(b))));
        let temperatures = |of: &HeatFlow| of.temperatures().node_k.clone();
        assert!(same(temperatures(a).into_iter().zip(temperatures(b))));
        assert!(same(
            (0..consumers.len())
                .map(|row| { (town.heat().unwrap().taken_j(row as u32), plugs.consumer_j(row as u32)) })
        ));
    }
    for network in [NetworkName::Power, NetworkName::Gas] {
        let totals = town.totals(network).unwrap();
        assert_eq!((totals.worst_customers, totals.solves), (0, 5), "{network:?}: nothing changed in 3 of 8 steps");
    }
}

#[test]
fn steady_heat_is_that_of_one_solve() {
    let Some(of) = shared() else { return };
    let (place, file) = schutterwald(&of, 6.0, 10_800, "");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("[heat]\n", "[heat]\nmethod = \"steady\"\n").replace("profile = \"day.csv\"\n", "");
    std::fs::write(&file, text).unwrap();
    let mut town = Town::read(&file).unwrap();
    assert_eq!(town.settings.heat.as_ref().unwrap().method, HeatMethod::Steady);
    (0..2).for_each(|_| town.step().unwrap());
    assert_eq!(town.totals(NetworkName::Heat).unwrap().solves, 1);
    // What the commands write of one network is what the run writes of each step.
    run(place.path(), &["--out", "town", "--format", "csv"]);
    let net = |name: &str| of.join(name).join("net.json.gz").display().to_string();
    let heat = net("gas_heat/schutterwald_heat");
    let gas = net("gas_heat/schutterwald_gas");
    for (command, net, ours) in [("heat", heat, "heat_node"), ("gas", gas, "gas_node")] {
        let ended = urbis(place.path(), &[command, "solve", &net, "--out", command, "--format", "csv"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let alone = rows(&place.path().join(command).join("node.csv"));
        let ours = rows(&place.path().join("town").join(format!("{ours}.csv")));
        assert_eq!(ours.len(), 2 * alone.len());
        for (row, ours) in ours.iter().enumerate() {
            let alone = &alone[row % alone.len()];
            let columns: Vec<&String> = ours.keys().filter(|column| alone.contains_key(*column)).collect();
            assert!(columns.len() >= 5 && columns.iter().all(|of| ours[*of] == alone[*of]), "{ours:?} {alone:?}");
        }
    }
}

#[test]
fn who_is_dark_is_who_the_grid_does_not_reach() {
    let Some(of) = shared() else { return };
    let text = std::fs::read_to_string(of.join("town_schutterwald/building_links.csv")).unwrap();
    assert!(text.lines().count() > 1000);
    let grid = case::read(&of.join("power/lv_schutterwald/net.json.gz")).unwrap();
    let sources: Vec<usize> =
        (0..grid.grid.buses.len()).filter(|&bus| grid.grid.buses.kind[bus] == BusKind::Slack).collect();
    let links = rows(&of.join("town_schutterwald/building_links.csv"));
    // A third of the stations, then all of them.
    for gone in [sources.iter().step_by(3).copied().collect::<Vec<_>>(), sources.clone()] {
        let mut more: String = gone
            .iter()
            .map(|&bus| failure("power", &format!("source {}", grid.grid.buses.id[bus]), "06:00", "12:00"))
            .collect();
        let plant_load = "load 700";
        write!(
            more,
            "[[plant]]\nnetwork = \"heat\"\nelement = \"circ_pump_pressure 0\"\nneeds_power_at = {plant_load:?}\n"
        )
        .unwrap();
        let (_place, file) = schutterwald(&of, 24.0, 10_800, &more);
        let mut town = Town::read(&file).unwrap();
        let is_reached = reached(&grid.grid, |bus| sources.contains(&bus) && !gone.contains(&bus));
        let is_lit = |id: &str| {
            let load = grid.load_id.iter().position(|of| *of == format!("load {id}")).unwrap();
            is_reached[grid.grid.loads.bus[load] as usize]
        };
        let lit_houses: Vec<&Row> = links.iter().filter(|row| is_lit(&row["load_idx"])).collect();
        let of_all = |column: &str, of: &[&Row]| -> BTreeSet<String> {
            of.iter().map(|row| row[column].clone()).filter(|id| id != "-1").collect()
        };
        let all: Vec<&Row> = links.iter().collect();
        let dark_loads = grid.grid.loads.bus.iter().filter(|bus| !is_reached[**bus as usize]).count();
        let dark_sinks = of_all("gas_sink_idx", &all).len() - of_all("gas_sink_idx", &lit_houses).len();
        let dark_stations = of_all("heat_consumer_idx", &all).len() - of_all("heat_consumer_idx", &lit_houses).len();
        let is_plant_lit = is_lit("700");
        assert!(dark_loads > 100 && dark_sinks > 100);
        while !town.is_done() {
            let time_s = town.time_s();
            town.step().unwrap();
            let of = |network: NetworkName| *town.account(network).unwrap();
            let is_failed = (21_600..43_200).contains(&time_s);
            let expected = if is_failed { [dark_loads, dark_sinks] } else { [0, 0] };
            assert_eq!(of(NetworkName::Power).unserved_customers as usize, expected[0], "at {time_s}");
            assert_eq!(of(NetworkName::Gas).unserved_customers as usize, expected[1], "at {time_s}");
            assert_eq!(of(NetworkName::Gas).dark_customers as usize, expected[1]);
            let heat = of(NetworkName::Heat);
            if is_failed && !is_plant_lit {
                assert_eq!(heat.unserved_customers, heat.customers, "at {time_s}");
                assert!(heat.supplied.abs() < 1e-9 && heat.stored < 0.0, "water cools: {heat:?}");
            }
            if is_failed {
                assert_eq!(heat.dark_customers as usize, dark_stations, "at {time_s}");
            }
            if !is_failed && time_s >= 64_800 {
                assert_eq!(heat.unserved_customers, 0, "all are served again at {time_s}: {heat:?}");
            }
        }
        assert_eq!(town.totals(NetworkName::Power).unwrap().unserved_customer_h as usize, 6 * dark_loads);
    }
}

#[test]
fn ledgers_close_and_threads_do_not_matter() {
    let Some(of) = shared() else { return };
    let more = failure("power", "source *", "01:00", "02:00") + &failure("gas", "ext_grid *", "02:15", "02:45");
    let (place, _) = schutterwald(&of, 3.0, 900, &more);
    let mut first: Option<BTreeMap<String, Vec<u8>>> = None;
    for threads in ["1", "2", "4"] {
        run(place.path(), &["--out", threads, "--format", "csv", "--threads", threads, "--quiet"]);
        let files = std::fs::read_dir(place.path().join(threads)).unwrap().map(|of| of.unwrap().path());
        let read =
            |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap());
        let files: BTreeMap<String, Vec<u8>> = files.map(read).collect();
        assert_eq!(files.len(), 10, "{:?}", files.keys());
        let first = first.get_or_insert_with(|| files.clone());
        assert!(*first == files, "results of {threads} threads are others");
    }
    let balance = rows(&place.path().join("1/balance.csv"));
    assert_eq!(balance.len(), 3 * 12);
    for row in balance {
        assert!(number(&row, "residual_share") <= 1e-9 && row["is_solved"] == "true", "{row:?}");
        let rest = number(&row, "supplied") - number(&row, "served") - number(&row, "lost") - number(&row, "stored");
        let size = number(&row, "supplied").abs() + number(&row, "lost").abs() + number(&row, "stored").abs();
        assert!((rest - number(&row, "residual")).abs() <= 1e-12 * size, "{row:?}");
    }
}

#[test]
fn a_run_put_down_goes_on_with_the_same_bytes() {
    let Some(of) = shared() else { return };
    let more = failure("power", "source *", "00:45", "01:30")
        + "[[plant]]\nnetwork = \"heat\"\nelement = \"circ_pump_pressure 0\"\nneeds_power_at = \"load 3\"\n\
           [couplings]\nelectric_backup_share = 0.5\n";
    let (place, file) = schutterwald(&of, 2.5, 900, &more);
    let at = place.path();
    run(at, &["--out", "whole", "--format", "csv"]);
    // Put down before, within and after the failure.
    for until in ["0:30", "1:15", "2:00"] {
        run(at, &["--out", "first", "--format", "csv", "--until", until, "--checkpoint", "state"]);
        run(at, &["--out", "rest", "--format", "csv", "--resume", "state"]);
        for entry in std::fs::read_dir(at.join("whole")).unwrap() {
            let name = entry.unwrap().file_name();
            let text = |of: &str| std::fs::read_to_string(at.join(of).join(&name)).unwrap();
            if name == "summary.json" {
                let told = |of: &str| -> serde_json::Value { serde_json::from_str(&text(of)).unwrap() };
                assert_eq!(told("whole")["networks"], told("rest")["networks"], "sums of the whole run, {until}");
                continue;
            }
            let (first, rest) = (text("first"), text("rest"));
            let rest = rest.split_once('\n').unwrap().1;
            assert!(text("whole") == first + rest, "{name:?} of a run put down at {until} is another");
        }
    }
    let refused = |state: &str, expected: &str| {
        let ended = urbis(at, &["town", "run", "town.toml", "--out", "no", "--resume", state]);
        assert!(ended.code == 2 && ended.stderr.contains(expected), "{}", ended.stderr);
    };
    let mut bytes = std::fs::read(at.join("state")).unwrap();
    std::fs::write(at.join("cut"), &bytes[..bytes.len() / 2]).unwrap();
    refused("cut", "damaged");
    bytes[200] ^= 1;
    std::fs::write(at.join("bent"), &bytes).unwrap();
    refused("bent", "damaged");
    std::fs::write(at.join("other"), b"urbis town checkpoint 99\n").unwrap();
    refused("other", "version");
    std::fs::write(at.join("day.csv"), DAY.replace("1.2", "1.3")).unwrap();
    refused("state", "other inputs");
    assert!(file.exists());
}

#[test]
fn missing_gas_becomes_electric_heat_a_step_later() {
    let Some(of) = shared() else { return };
    let more = failure("gas", "ext_grid 0", "03:00", "06:00") + "[couplings]\nelectric_backup_share = 0.01\n";
    let (_place, file) = schutterwald(&of, 12.0, 10_800, &more);
    let mut town = Town::read(&file).unwrap();
    let mut asked = Vec::new();
    let mut gas = Account::default();
    for step in 0..4 {
        town.step().unwrap();
        asked.push(town.account(NetworkName::Power).unwrap().asked);
        if step == 1 {
            gas = *town.account(NetworkName::Gas).unwrap();
        }
    }
    assert!(gas.unserved_customers == gas.customers && gas.served.abs() < 1e-12 && gas.dark_customers == 0, "{gas:?}");
    let links = rows(&of.join("town_schutterwald/building_links.csv"));
    let of_links: BTreeSet<&String> = links.iter().map(|row| &row["gas_sink_idx"]).collect();
    let sinks = rows(&of.join("gas_heat/schutterwald_gas/in_sink.csv"));
    let joined = sinks.iter().filter(|row| of_links.contains(&row["idx"]));
    let kgps: f64 = joined.map(|row| number(row, "mdot_kg_per_s") * number(row, "scaling")).sum();
    // The night's factor of the step without gas, the heating value and efficiency of the defaults; a hundredth of it.
    let kwh = 0.01 * 0.5 * kgps * 10_800.0 * 47.2e6 * 0.95 / 3.6e6;
    // Loads of step 2 are 1.0 / 0.5 times those of step 1, and more by the heaters; those of step 3 have none.
    assert!((asked[2] - 2.0 * asked[1] - kwh).abs() < 1e-9 * kwh, "{asked:?} {kwh}");
    assert!((asked[1] - asked[0]).abs() < 1e-9 * asked[0] && (asked[3] - 1.6 * asked[1]).abs() < 1e-9 * asked[3]);
}

#[test]
fn couplings_can_be_switched_off() {
    let Some(of) = shared() else { return };
    let more = failure("power", "source *", "00:00", "06:00")
        + "[[plant]]\nnetwork = \"heat\"\nelement = \"circ_pump_pressure 0\"\nneeds_power_at = \"load 3\"\n\
           [couplings]\ndark_gas = false\ndark_heat = false\ndark_plants = false\n";
    let (_place, file) = schutterwald(&of, 3.0, 10_800, &more);
    let mut town = Town::read(&file).unwrap();
    town.step().unwrap();
    let unserved = |network: NetworkName| town.account(network).unwrap().unserved_customers;
    assert_eq!(NETWORKS[..3].iter().map(|of| unserved(*of)).collect::<Vec<_>>(), [1506, 0, 0]);
}

/// The networks that lie with the library's tests, with water.
fn small(more: &str) -> TempDir {
    let data = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../engine/utility/tests/data").join(name);
    let text = format!(
        "hours = 3\nstep_s = 1800\n[power]\nnet = {:?}\n[gas]\nnet = {:?}\n[heat]\nnet = {:?}\nprofile = 0.9\n\
         [water]\nnet = \"net.inp\"\n[links]\nfile = \"houses.csv\"\nload = \"load\"\n{more}",
        data("case33bw/case33bw.m"),
        data("pandapipes_gas_zoo/net.json.gz"),
        data("pandapipes_heat_zoo/net.json.gz"),
    );
    let houses = "load,gas_sink_idx,heat_consumer_idx\n18,0,0\n17,1,\n33,,1\n";
    let water = "[JUNCTIONS]\nA 10 5\nB 12 3\nC 8 2\n[RESERVOIRS]\nR 60\n[TANKS]\nT 50 3 0 6 10 0\n\
        [PIPES]\nP1 R A 500 300 120 0 Open\nP2 A B 400 200 120 0 Open\nP3 B C 300 200 120 0 Open\nP4 B T 200 200 120 0 Open\n\
        [OPTIONS]\nUnits LPS\nHeadloss H-W\n[TIMES]\nDuration 24:00\nHydraulic Timestep 1:00\n[END]\n";
    folder(&[("town.toml", &text), ("houses.csv", houses), ("net.inp", water)])
}

#[test]
fn four_networks_run_together() {
    let more = failure("power", "17", "00:30", "01:30")
        + &failure("water", "link P1", "01:00", "02:00")
        + &failure("water", "link P3", "02:00", "02:30")
        + &failure("gas", "pipe 3", "02:00", "02:30");
    let place = small(&more);
    let ended = run(place.path(), &["--out", "out", "--format", "csv"]);
    assert!(ended.stdout.contains("power") && ended.stdout.contains("water"), "{}", ended.stdout);
    let service = rows(&place.path().join("out/service.csv"));
    let unserved = |network: &str| -> Vec<f64> {
        service.iter().filter(|row| row["network"] == network).map(|row| number(row, "unserved_customers")).collect()
    };
    // Branch 17 feeds bus 18 alone, whose house has the gas sink 0 and the station 0.
    assert_eq!(unserved("power"), [0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    // One of the net's sinks has no feeder at any time.
    assert_eq!(unserved("gas")[..4], [1.0, 2.0, 2.0, 1.0]);
    assert_eq!(unserved("heat")[..4], [0.0, 1.0, 1.0, 0.0]);
    // The tank feeds on while the source is shut; behind the other pipe there is nothing.
    assert_eq!(unserved("water"), [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    for row in rows(&place.path().join("out/balance.csv")) {
        let limit = if row["network"] == "water" { 1e-6 } else { 1e-9 };
        assert!(number(&row, "residual_share") <= limit, "{row:?}");
    }
    // Whole, and put down while the water's pipe is shut.
    run(place.path(), &["--out", "first", "--format", "csv", "--until", "1.5", "--checkpoint", "state"]);
    run(place.path(), &["--out", "rest", "--format", "csv", "--resume", "state"]);
    for name in ["water_node", "water_link", "gas_link", "heat_link", "branch", "balance", "service"] {
        let text = |of: &str| std::fs::read_to_string(place.path().join(of).join(format!("{name}.csv"))).unwrap();
        assert!(text("out") == text("first") + text("rest").split_once('\n').unwrap().1, "{name}");
    }
    let told = run(place.path(), &["--out", "parquet"]);
    assert!(told.stdout.contains("balance.parquet") && place.path().join("parquet/heat_node.parquet").exists());
}

#[test]
fn what_a_file_should_not_say_is_told_with_its_line() {
    let refused = |more: &str, change: &dyn Fn(String) -> String, expected: &[&str]| {
        let place = small(more);
        let file = place.path().join("town.toml");
        std::fs::write(&file, change(std::fs::read_to_string(&file).unwrap())).unwrap();
        let ended = urbis(place.path(), &["town", "run", "town.toml", "--out", "no"]);
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        expected.iter().for_each(|expected| assert!(ended.stderr.contains(expected), "{expected}: {}", ended.stderr));
        assert!(!place.path().join("no").exists());
    };
    let as_it_is = |text: String| text;
    refused("", &|text| text.replace("step_s", "step_sec"), &["town.toml line 2", "step_sec"]);
    refused("", &|text| text.replace("profile = 0.9", "profile = -1"), &["heat.profile", "expected a factor"]);
    refused("", &|text| text.replace("hours = 3", "hours = 3.1"), &["town.toml line 1", "whole number of steps"]);
    refused(&failure("power", "branch 17", "1:00", "0:30"), &as_it_is, &["later than"]);
    refused(&failure("power", "branch 17", "soon", "0:30"), &as_it_is, &["from", "soon", "HH:MM"]);
    let two = failure("gas", "pipe 33", "0:00", "0:30") + &failure("water", "link P9", "0:00", "0:30");
    refused(&two, &as_it_is, &["`pipe 33`", "network gas", "`link P9`", "did you mean `link P1`?"]);
    refused("[couplings]\nelectric_backup_share = 2\n", &as_it_is, &["electric_backup_share", "0 to 1"]);
    refused(
        "",
        &|text| text.replace("load = \"load\"", "load = \"lod\""),
        &["no column `lod`", "did you mean `load`?"],
    );
    let place = small("");
    std::fs::write(place.path().join("houses.csv"), "load,gas_sink_idx,heat_consumer_idx\n18,77,0\n").unwrap();
    let ended = urbis(place.path(), &["town", "run", "town.toml", "--out", "no"]);
    assert!(ended.code == 2 && ended.stderr.contains("houses.csv row 1: gas_sink_idx = 77"), "{}", ended.stderr);
    let ended = urbis(small("").path(), &["town", "run", "town.toml", "--out", "no", "--until", "0:17"]);
    assert!(ended.code == 2 && ended.stderr.contains("--until"), "{}", ended.stderr);
}
