//! Water, gas and district heat in a run: what buildings ask for comes through the pipes, books close, tables agree with
//! one another, and who is cut off is told.

use std::collections::{BTreeMap, BTreeSet};
use urbis_tests::{Ran, number, scenario_in, told_of};

const TOWN: &str = "scenarios/town/baseline.toml";
const WINTER: &str = "[period]\nstart = \"2024-01-16T03:00:00\"\n[weather.climate]\nmean_c = 10.0\n";
const WATER: &str = "[water]\nsource = \"synthetic\"\n";
const GAS: &str = "[gas]\nsource = \"synthetic\"\nshare = 1.0\n";

type Row = BTreeMap<String, String>;
type Rows = Vec<Row>;

fn has(ran: &Ran, table: &str) -> bool {
    ran.out.join(table).exists()
}

fn kpi(ran: &Ran, group: &str, name: &str) -> f64 {
    let kpi = ran.summary.kpis.iter().find(|kpi| kpi.group == group && kpi.indicator == name);
    kpi.unwrap_or_else(|| panic!("no indicator {group} {name}")).value
}

/// Rows of `utility_balance` and `service` of one utility.
fn of_utility(ran: &Ran, table: &str, utility: &str) -> Rows {
    ran.table(table).into_iter().filter(|row| row["utility"] == utility).collect()
}

fn sum(rows: &[Row], column: &str) -> f64 {
    rows.iter().map(|row| number(row, column)).sum()
}

fn try_run(base: &str, patch: &str) -> urbis_core::Result<Ran> {
    Ran::of(base, patch, 2)
}

fn ran(patch: &str) -> Ran {
    try_run(TOWN, patch).unwrap_or_else(|error| panic!("{patch}: {}", told_of(&error)))
}

/// Every interval: supplied = served + lost + stored.
fn check_balance(of: &Ran, utility: &str, tolerance: f64) -> Rows {
    let rows = of_utility(of, "utility_balance", utility);
    assert_eq!(rows.len(), 96, "{utility}");
    let (mut most, mut worst) = (0.0_f64, 0.0_f64);
    for row in &rows {
        let off = number(row, "supplied") - number(row, "served") - number(row, "lost") - number(row, "stored");
        assert!((off - number(row, "residual")).abs() <= 1e-9 * number(row, "supplied").abs().max(1.0), "{row:?}");
        (most, worst) = (most.max(number(row, "supplied").abs()), worst.max(off.abs()));
    }
    println!("{utility}: residual {worst:.1e} of {most:.3} {}", rows[0]["unit"]);
    assert!(most > 0.0 && worst <= tolerance * most, "{utility}: {worst} of {most}");
    rows
}

#[test]
fn water_that_people_draw_comes_through_the_pipes() {
    // Pumps draw electricity; without that, nothing but water is another.
    let of = ran(&format!("{WATER}[coupling]\npumps_to_power = false\n"));
    let plain = ran("");
    let balance = check_balance(&of, "water", 1e-7);
    let (asked, served) = (sum(&balance, "asked"), sum(&balance, "served"));
    println!("asked {asked:.2} m3, served {served:.2} m3");
    assert!(asked > 0.0 && (asked - served).abs() < 1e-3 * asked, "a network planned for its city serves it");
    // What nodes get is what the balance says is served.
    let junctions: f64 = of
        .table("water_node")
        .iter()
        .filter(|row| number(row, "demand_m3ps") > 0.0)
        .map(|row| number(row, "served_m3ps") * 3600.0)
        .sum();
    assert!((junctions - served).abs() < 1e-6 * served, "{junctions} {served}");
    // Tanks keep what the balance says is stored.
    let tanks = of.table("tank");
    let stored: f64 = tanks.iter().map(|row| number(row, "inflow_m3ps") * 900.0).sum();
    assert!((stored - sum(&balance, "stored")).abs() < 1e-6 * served, "{stored}");
    assert!((kpi(&of, "water", "water_served") - served).abs() < 1e-6 * served);
    assert!(kpi(&of, "service", "person_hours_without_water").abs() < 1e-12);
    assert_eq!(balance[0]["network"], "synthetic");
    // Nothing else of the town changes, and without a network there are no tables of it.
    let others = |ran: &Ran| (ran.table("zone_load"), ran.table("trips"), ran.table("presence"));
    assert!(others(&plain) == others(&of));
    assert!(!has(&plain, "water_node") && !has(&plain, "service") && !has(&plain, "utility_balance"));
}

/// With everybody's draws those of the first hour's presence, the night's draw is another one.
#[test]
fn water_follows_presence_unless_it_is_switched_off() {
    let of = |patch: &str| sum(&of_utility(&ran(&format!("{WATER}{patch}")), "utility_balance", "water"), "asked");
    let (on, off) = (of(""), of("[coupling]\npresence_to_water = false\n"));
    println!("asked with presence {on:.2} m3, without {off:.2} m3");
    assert!((on - off).abs() > 0.01 * on);
}

#[test]
fn heat_comes_by_gas_or_by_water_as_the_weather_asks() {
    let of = ran(&format!("{WINTER}{GAS}"));
    let balance = check_balance(&of, "gas", 1e-9);
    assert!((sum(&balance, "asked") - sum(&balance, "served")).abs() < 1e-9 * sum(&balance, "asked"));
    let pressures = of.table("gas_node");
    assert!(pressures.iter().all(|row| number(row, "gauge_min_pa") > 0.0));
    // Colder air, more gas; summer leaves hot water.
    let kg = |mean_c: f64, month: &str| {
        let patch =
            format!("[period]\nstart = \"2024-{month}-16T03:00:00\"\n[weather.climate]\nmean_c = {mean_c:.1}\n{GAS}");
        sum(&of_utility(&ran(&patch), "utility_balance", "gas"), "served")
    };
    let (winter, summer) = (sum(&balance, "served"), kg(10.0, "07"));
    println!("gas on a day of January {winter:.1} kg, of July {summer:.1} kg");
    assert!(winter > 3.0 * summer && summer > 0.0);
}

/// What has no weather cannot say how much heat is needed.
#[test]
fn what_makes_no_network_is_refused_with_its_place() {
    for (patch, expected) in [
        (GAS.to_owned(), "air temperatures"),
        ("[water]\nsource = \"file\"\n".to_owned(), "needs `case`"),
        ("[water]\nsource = \"synthetic\"\ncase = \"x.inp\"\n".to_owned(), "counts with source = \"file\" alone"),
        (format!("{WATER}min_pressure_m = 30.0\n"), "line 5: `water.min_pressure_m` = 30, expected"),
        (format!("{WATER}[[water.fault]]\nlink = \"nowhere\"\nstart_s = 0\n"), "link = nowhere"),
        (format!("{WATER}[output.tables.water_node]\nzones = [\"east\"]\n"), "covers the whole network"),
        (format!("{WATER}[output.tables.tank]\nevery_s = 100\n"), "multiple of power.step_s"),
        (format!("{WINTER}{GAS}efficiency = 2.0\n"), "efficiency"),
    ] {
        let message = told_of(&try_run(TOWN, &patch).err().unwrap_or_else(|| panic!("{patch} ran")));
        assert!(message.contains(expected), "{patch}: {message}");
    }
}

/// Two junctions, a reservoir and a tank: with the pipe to the second junction shut, everybody behind it is without water.
#[test]
fn who_is_behind_a_shut_pipe_is_told_and_draws_nothing() {
    let place = tempfile::tempdir().unwrap();
    let inp = "[JUNCTIONS]\nA 10\nB 12\n[RESERVOIRS]\nR 80\n[PIPES]\nP1 R A 500 400 120 0 Open\nP2 A B 300 300 120 0 Open\n[OPTIONS]\nUnits LPS\nHeadloss H-W\n[TIMES]\nDuration 24:00\n[END]\n";
    std::fs::write(place.path().join("net.inp"), inp).unwrap();
    let loaded = urbis_scenario::load(&scenario_in(place.path(), TOWN, "")).unwrap();
    let package = urbis::ensure_package(&loaded, &mut |_| {}).unwrap();
    let city = urbis_city::package::read(&package).unwrap();
    let mut table = String::from("building_id,node_id\n");
    for (row, id) in city.buildings.id.iter().enumerate() {
        table += &format!("{id},{}\n", if row % 2 == 0 { "A" } else { "B" });
    }
    std::fs::write(place.path().join("nodes.csv"), table).unwrap();
    let patch = "[water]\nsource = \"file\"\ncase = \"net.inp\"\nbuildings = \"nodes.csv\"\n[[water.fault]]\nlink = \"P2\"\nstart_s = 18000\nrepair_s = 14400\n";
    let of = Ran::beside(place, TOWN, patch, 2).unwrap();
    check_balance(&of, "water", 1e-7);
    let dark: Vec<(String, f64)> = of
        .table("water_node")
        .iter()
        .filter(|row| number(row, "unsupplied_s") > 0.0)
        .map(|row| (row["node_id"].clone(), number(row, "unsupplied_s")))
        .collect();
    assert_eq!(
        dark,
        [("B".to_owned(), 3600.0), ("B".to_owned(), 3600.0), ("B".to_owned(), 3600.0), ("B".to_owned(), 3600.0)]
    );
    // Who is in a building of B at the start of each quarter hour, from the table of presence in every one.
    let without = of_utility(&of, "service", "water");
    let hours: BTreeSet<&str> =
        without.iter().filter(|row| number(row, "unserved_persons") > 0.0).map(|row| row["time"].as_str()).collect();
    assert_eq!(hours.len(), 4, "{hours:?}");
    let told = kpi(&of, "service", "person_hours_without_water");
    assert!((sum(&without, "unserved_person_h") - told).abs() < 1e-9 && told > 0.0);
    // Nobody behind the pipe draws while it is shut.
    let nodes = of.table("water_node");
    let shut = nodes.iter().filter(|row| row["node_id"] == "B" && number(row, "unsupplied_s") > 0.0);
    for row in shut {
        assert!(number(row, "served_m3ps").abs() < 1e-12 && number(row, "demand_m3ps") > 0.0, "{row:?}");
    }
    assert!(kpi(&of, "water", "water_not_served") > 0.0);
}

/// In a cloudburst the sewer comes up and streets get slow; with the coupling off nobody on the road knows of it.
#[test]
fn floods_of_the_sewer_slow_the_streets_above() {
    let storm = "[sewer]\nsource = \"synthetic\"\nrain_mm_per_h = 60.0\n";
    let (dry, wet) = (ran(""), ran(storm));
    let apart = ran(&format!("{storm}[coupling]\nfloods_to_roads = false\n"));
    check_balance(&wet, "sewer", 1e-9);
    let flooded_m3 = sum(&wet.table("sewer_node"), "flooded_m3");
    let of_cars = |of: &Ran| {
        let by_car: Rows = of.table("trips").into_iter().filter(|row| row["mode"] == "car").collect();
        by_car.iter().filter_map(|row| row["travel_time_s"].parse::<f64>().ok()).sum::<f64>()
    };
    let (without_s, with_s) = (of_cars(&apart), of_cars(&wet));
    println!(
        "{flooded_m3:.0} m3 come up; cars are on the way {without_s:.0} s without, {with_s:.0} s with water on the streets"
    );
    assert!(flooded_m3 > 0.0 && kpi(&wet, "sewer", "streets_flooded") > 0.0 && with_s > without_s);
    assert!(dry.table("trips") == apart.table("trips") && apart.table("trips") != wet.table("trips"));
    assert!(kpi(&apart, "sewer", "streets_flooded").abs() < 1e-12);
}

/// Degrees in a WKT, longitude and latitude in turn.
fn degrees(wkt: &str) -> Vec<[f64; 2]> {
    let is_figure = |of: char| of.is_ascii_digit() || ".-e".contains(of);
    let figures: Vec<f64> = wkt.split(|of| !is_figure(of)).filter_map(|of| of.parse().ok()).collect();
    figures.chunks(2).map(|of| [of[0], of[1]]).collect()
}

/// Nodes and links of all networks are those of the tables of states, each with its place in the town; links begin and end
/// at their nodes.
#[test]
fn every_part_of_a_network_is_told_with_its_place() {
    let of = try_run("scenarios/town/networks.toml", "").unwrap_or_else(|error| panic!("{}", told_of(&error)));
    let parts = of.table("network_element");
    let states = [
        ("electricity", "false", "bus_state", "bus_id"),
        ("electricity", "true", "branch_state", "branch_id"),
        ("water", "false", "water_node", "node_id"),
        ("water", "true", "water_link", "link_id"),
        ("gas", "false", "gas_node", "node_id"),
        ("gas", "true", "gas_link", "link_id"),
        ("sewer", "false", "sewer_node", "node_id"),
    ];
    for (utility, is_link, table, id) in states {
        let told = parts.iter().filter(|row| row["utility"] == utility && row["is_link"] == is_link);
        let told: BTreeSet<&str> = told.map(|row| row["element_id"].as_str()).collect();
        let rows = of.table(table);
        assert_eq!(told, rows.iter().map(|row| row[id].as_str()).collect(), "{table}");
    }
    let place: BTreeMap<(&str, &str), [f64; 2]> = parts
        .iter()
        .filter(|row| row["is_link"] == "false")
        .map(|row| ((row["utility"].as_str(), row["element_id"].as_str()), degrees(&row["wkt"])[0]))
        .collect();
    assert!(place.values().all(|[lon, lat]| (9.99..10.03).contains(lon) && (49.99..50.03).contains(lat)));
    let mut lines = 0;
    for row in parts.iter().filter(|row| row["is_link"] == "true") {
        let line = degrees(&row["wkt"]);
        let ends = ["from_node", "to_node"].map(|end| place[&(row["utility"].as_str(), row[end].as_str())]);
        if line.len() < 2 {
            continue;
        }
        lines += 1;
        for (end, node) in [line[0], line[line.len() - 1]].iter().zip(ends) {
            let off = (end[0] - node[0]).abs().max((end[1] - node[1]).abs());
            assert!(off < 2e-7, "{row:?} ends {off} degrees off its node");
        }
    }
    println!("{} parts, {lines} of them lines", parts.len());
    assert!(lines > 500);
}
