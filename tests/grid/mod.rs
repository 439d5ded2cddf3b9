//! The electric grid in a run: who draws what reaches the substation, tables agree with one another, energy balances, and
//! what cannot be supplied is told as the scenario wants it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use urbis_tests::{Ran, number, root, scenario_in, told_of};

const TOWN: &str = "scenarios/town/baseline.toml";
const SYNTHETIC: &str = "[power.grid]\nsource = \"synthetic\"\n";

type Row = BTreeMap<String, String>;
type Rows = Vec<Row>;
/// Whether a row is one.
type Is<'a> = &'a dyn Fn(&Row) -> bool;

trait Figures {
    fn sum(&self, table: &str, column: &str) -> f64;
    fn figure(&self, name: &str) -> f64;
}

impl Figures for Ran {
    fn sum(&self, table: &str, column: &str) -> f64 {
        self.table(table).iter().map(|row| number(row, column)).sum()
    }
    fn figure(&self, name: &str) -> f64 {
        self.kpi(name).unwrap_or_else(|| panic!("no indicator {name}"))
    }
}

fn try_run(place: tempfile::TempDir, patch: &str) -> urbis_core::Result<Ran> {
    Ran::beside(place, TOWN, patch, 2)
}

fn ran(patch: &str) -> Ran {
    try_run(tempfile::tempdir().unwrap(), patch).unwrap_or_else(|error| panic!("{patch}: {error:?}"))
}

/// Energy of every interval: supplied = served + stored + lost, demand = received + shed, to a billionth.
fn check_balance(of: &Ran) {
    let rows = of.table("energy_balance");
    assert!(!rows.is_empty());
    for row in &rows {
        let wh = |column: &str| number(row, &format!("{column}_wh"));
        let supplied = wh("imported") + wh("generated");
        let off = supplied - wh("served") - wh("stored") - wh("lost");
        assert!(off.abs() <= 1e-9 * supplied.abs().max(1.0), "{row:?}");
        assert!((wh("demand") - wh("received") - wh("shed")).abs() <= 1e-9 * wh("demand"), "{row:?}");
    }
}

#[test]
fn what_buildings_draw_comes_through_the_substations() {
    let (plain, of) = (ran(""), ran(SYNTHETIC));
    check_balance(&of);
    // The grid carries the same loads, and adds its losses.
    for table in ["zone_load", "building_load"] {
        let (before, after) = (plain.sum(table, "energy_wh"), of.sum(table, "energy_wh"));
        assert!((before - after).abs() < 1e-9 * before, "{table}: {before} {after}");
    }
    let (served, imported) = (of.sum("zone_load", "energy_wh"), of.sum("substation_load", "energy_wh"));
    let lost = of.sum("energy_balance", "lost_wh");
    println!("served {served:.1}, lost {lost:.1}, imported {imported:.1} Wh");
    assert!(lost > 0.0 && (imported - served - lost).abs() < 1e-9 * imported);
    assert!((of.figure("grid_losses") - 100.0 * lost / imported).abs() < 1e-6);
    // Branches lose what goes in and does not come out; the last step of each hour is told.
    let branches = of.table("branch_state");
    assert!(branches.iter().all(|row| number(row, "p_from_w") + number(row, "p_to_w") > -1e-6));
    let buses = of.table("bus_state");
    let lowest = buses.iter().map(|row| number(row, "vm_min_pu")).fold(f64::INFINITY, f64::min);
    assert!((lowest - of.figure("grid_lowest_voltage")).abs() < 1e-12 && lowest > 0.9);
    assert!(buses.iter().all(|row| number(row, "unsupplied_s").abs() < 1e-9));
    assert_eq!(of.table("energy_balance")[0]["grid"], "synthetic");
    assert!(!plain.out.join("bus_state").exists());
}

/// What a shipped scenario of the town adds to its base.
fn shipped(name: &str) -> String {
    let text = std::fs::read_to_string(root().join("scenarios/town").join(name)).unwrap();
    let added = text.split_once("base = \"baseline.toml\"").unwrap().1;
    added.to_owned()
}

/// A cable fails at noon, the substation at six: who is dark, for how long, and what they do not draw.
#[test]
fn who_is_without_supply_is_told_and_draws_nothing() {
    let of = ran(&shipped("outage.toml"));
    check_balance(&of);
    let outages = of.table("outages");
    let customers = of.figure("grid_customers");
    let minutes: f64 = outages.iter().map(|row| number(row, "customer_minutes")).sum();
    for row in &outages {
        println!("{row:?}");
        let (seconds, who) = (number(row, "duration_s"), number(row, "customers"));
        assert!((number(row, "customer_minutes") - seconds * who / 60.0).abs() < 1e-9);
    }
    // The feeder is dark until the cable is cut off, what lies behind until the tie is closed; then all, for an hour.
    let told: Vec<(&str, f64)> = outages.iter().map(|row| (row["cause"].as_str(), number(row, "duration_s"))).collect();
    let (cable, substation) = ("fault of branch 12", "fault of bus substation/0/hv");
    assert_eq!(told, [(cable, 1800.0), (cable, 3600.0), (substation, 3600.0)]);
    assert!((number(&outages[2], "customers") - customers).abs() < 1e-9);
    let hit: f64 = outages.iter().map(|row| number(row, "customers")).sum();
    assert!(
        (of.figure("saidi") - minutes / customers).abs() < 1e-9 && (of.figure("saifi") - hit / customers).abs() < 1e-9
    );
    assert!((of.figure("caidi") - minutes / hit).abs() < 1e-9);
    // In the hour of the substation's fault nobody draws anything.
    let balance = of.table("energy_balance");
    let dark: Vec<_> = balance.iter().filter(|row| number(row, "shed_wh") > 0.0).collect();
    assert!(dark.iter().filter(|row| number(row, "received_wh").abs() < 1e-9).count() == 4, "{}", dark.len());
    let shed: f64 = dark.iter().map(|row| number(row, "shed_wh")).sum();
    assert!((of.figure("electricity_not_supplied") - shed / 1e6).abs() < 1e-9);
    let unsupplied_s: f64 = of.table("bus_state").iter().map(|row| number(row, "unsupplied_s")).sum();
    assert!(unsupplied_s > 0.0);
    // Faults of what is not there are refused.
    let error = try_run(tempfile::tempdir().unwrap(), &shipped("outage.toml").replace("\"12\"", "\"9999\""));
    let message = told_of(&error.err().unwrap());
    assert!(message.contains("9999") && message.contains("branch_state"), "{message}");
}

/// Roofs, batteries, cars and heat pumps: what they do is in the books, and moves the load as it should.
#[test]
fn devices_move_load_and_stay_in_the_books() {
    let (plain, of) = (ran(SYNTHETIC), ran(&shipped("devices.toml")));
    check_balance(&of);
    for name in
        ["photovoltaics", "batteries_charged", "batteries_discharged", "heat_pumps", "load_put_off", "cars_charged"]
    {
        println!("{name} {:.4} MWh", of.figure(name));
        assert!(of.figure(name) > 0.0, "{name}");
    }
    let balance = of.table("energy_balance");
    let at = |row: &BTreeMap<String, String>| (number(row, "time") / 3.6e6 + 2.0) % 24.0;
    let stored = |from_h: f64, to_h: f64| -> f64 {
        let within = balance.iter().filter(|row| (from_h..to_h).contains(&at(row)));
        within.map(|row| number(row, "stored_wh")).sum()
    };
    // Batteries buy while it is cheap at night and give while it is dear in the evening.
    assert!(stored(0.0, 6.0) > 0.0 && stored(17.0, 20.0) < 0.0);
    let generated: f64 = balance.iter().map(|row| number(row, "generated_wh")).sum();
    assert!((generated / 1e6 - of.figure("photovoltaics")).abs() < 1e-9);
    let by_night: f64 = balance.iter().filter(|row| at(row) < 4.0).map(|row| number(row, "generated_wh")).sum();
    assert!(by_night.abs() < 1e-9, "no sun");
    let imported = |of: &Ran| of.sum("substation_load", "energy_wh");
    assert!(imported(&of) < imported(&plain), "roofs give more than cars and heat pumps take");
    let no_weather = shipped("devices.toml").replace("[weather.climate]\nmean_c = 10.0\n", "");
    let message = told_of(&try_run(tempfile::tempdir().unwrap(), &no_weather).err().unwrap());
    assert!(message.contains("heat pumps need the air temperature"), "{message}");
}

#[test]
fn exceptions_alone_are_few_rows() {
    let limits = "vm_min_pu = 1.02\nloading_max_percent = 20.0\n";
    let (all, few) =
        (ran(&format!("{SYNTHETIC}{limits}")), ran(&format!("{SYNTHETIC}{limits}rows = \"exceptions\"\n")));
    let is_low = |row: &BTreeMap<String, String>| number(row, "vm_min_pu") < 1.02;
    let is_loaded = |row: &BTreeMap<String, String>| {
        !row["loading_max_percent"].is_empty() && number(row, "loading_max_percent") > 20.0
    };
    let is_outside: [(&str, Is<'_>); 2] = [("bus_state", &is_low), ("branch_state", &is_loaded)];
    for (table, is_outside) in is_outside {
        let wanted: Rows = all.table(table).into_iter().filter(|row| is_outside(row)).collect();
        let told = few.table(table);
        println!("{table}: {} of {} rows", told.len(), all.table(table).len());
        assert!(!told.is_empty() && told.len() < all.table(table).len());
        assert_eq!(told, wanted);
    }
}

/// A grid of two buses at 20 and 0.4 kV between which a line of so many ohms lies, and everything hangs on the second.
fn two_buses(place: &Path, ohm: f64) -> String {
    let city = scenario_in(place, TOWN, "");
    let loaded = urbis_scenario::load(&city).unwrap();
    let package = urbis::ensure_package(&loaded, &mut |_| {}).unwrap();
    let buildings = urbis_city::package::read(&package).unwrap().buildings.id;
    let folder = place.join("grid");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("bus.csv", "bus_id,base_kv,kind\nsource,20,slack\ntown,20,pq\n");
    write("line.csv", &format!("line_id,from_bus_id,to_bus_id,r_ohm,x_ohm,rating_a\nl1,source,town,{ohm},{ohm},100\n"));
    write("load.csv", "load_id,bus_id,p_kw,q_kvar\nworks,town,250,0\n");
    let mut table = "building_id,bus_id\n".to_owned();
    for id in &buildings {
        writeln!(table, "{id},town").unwrap();
    }
    std::fs::write(place.join("building_bus.csv"), table).unwrap();
    "[power.grid]\nsource = \"file\"\ncase = \"grid\"\nbuildings = \"building_bus.csv\"\npower_factor = 1.0\n"
        .to_owned()
}

#[test]
fn a_grid_of_files_obeys_the_law_of_its_one_line() {
    let place = tempfile::tempdir().unwrap();
    let patch = two_buses(place.path(), 4.0);
    let of = try_run(place, &patch).unwrap();
    check_balance(&of);
    // Loads of the file stay: 250 kW over 24 hours beside what buildings and lamps received.
    let (served, received) = (of.sum("energy_balance", "served_wh"), of.sum("energy_balance", "received_wh"));
    assert!((served - received - 6e6).abs() < 1e-3, "{served} {received}");
    // P = V2 (V1 - V2) / (R (1 + 1)) for R = X does not hold with reactive flow; S = V conj(I) does.
    for (bus, branch) in of.table("bus_state").chunks(2).zip(of.table("branch_state")) {
        let (v2, angle) = (number(&bus[1], "vm_pu"), number(&bus[1], "va_deg").to_radians());
        let ohm = 4.0;
        // Current over sqrt(3) volts between phases: S2 = V2 conj((V1 - V2) / Z), Z = ohm (1 + j).
        let (re, im) = (20e3 - 20e3 * v2 * angle.cos(), -20e3 * v2 * angle.sin());
        let (i_re, i_im) = ((re + im) / (2.0 * ohm), (im - re) / (2.0 * ohm));
        let (u_re, u_im) = (20e3 * v2 * angle.cos(), 20e3 * v2 * angle.sin());
        let p2 = u_re * i_re + u_im * i_im;
        assert!((p2 + number(&branch, "p_to_w")).abs() < 1e-6 * p2, "{p2} {branch:?}");
        let amperes = i_re.hypot(i_im) / 3.0_f64.sqrt();
        assert!((number(&branch, "loading_percent") - amperes).abs() < 1e-6, "{amperes} of 100 A");
    }
    assert_eq!(of.table("energy_balance")[0]["grid"], "file");
}

#[test]
fn a_grid_too_weak_holds_sheds_or_stops() {
    let with = |on_failure: &str| {
        let place = tempfile::tempdir().unwrap();
        // A line of Z = R (1 + j) carries V^2 / (2 (|Z| + R)) at most: 1.26 MW, less than town and works at their peak.
        let patch = two_buses(place.path(), 65.6);
        try_run(place, &format!("{patch}on_failure = \"{on_failure}\"\n"))
    };
    let held = with("hold").unwrap();
    let failed = held.figure("grid_steps_not_converged");
    assert!(failed > 0.0 && failed < 96.0, "{failed}");
    assert!((held.sum("energy_balance", "unconverged_steps") - failed).abs() < 1e-9);
    let shed = with("shed").unwrap();
    check_balance(&shed);
    let not_supplied = shed.figure("electricity_not_supplied");
    println!("{failed} steps do not converge; {not_supplied:.3} MWh are shed");
    assert!(not_supplied > 0.0);
    assert!((shed.sum("energy_balance", "shed_wh") / 1e6 - not_supplied).abs() < 1e-9);
    // What is not served is drawn nowhere.
    let (drawn, received) = (shed.sum("building_load", "energy_wh"), shed.sum("energy_balance", "received_wh"));
    assert!(drawn < received && received < held.sum("energy_balance", "received_wh"));
    let message = told_of(&with("stop").err().unwrap());
    assert!(message.contains("power.grid.on_failure") && message.contains("bus town"), "{message}");
}

#[test]
fn what_makes_no_grid_is_refused_with_its_place() {
    let message = |patch: &str, files: &dyn Fn(&Path)| {
        let place = tempfile::tempdir().unwrap();
        let wired = two_buses(place.path(), 4.0);
        files(place.path());
        let patch = patch.replace("WIRED\n", &wired);
        told_of(&try_run(place, &patch).err().unwrap_or_else(|| panic!("{patch} ran")))
    };
    let no_files = |_: &Path| {};
    for (patch, expected) in [
        ("[power.grid]\nsource = \"synthetic\"\npower_factor = 1.5\n", "power_factor"),
        ("[power.grid]\nsource = \"synthetic\"\nvm_min_pu = 1.2\n", "line 5: `power.grid.vm_min_pu` = 1.2, expected"),
        ("[power.grid]\nsource = \"file\"\n", "needs `case`"),
        ("[power.grid]\nsource = \"synthetic\"\ncase = \"x.json\"\n", "counts with source = \"file\" alone"),
        ("[power.grid]\nsource = \"windmill\"\n", "windmill"),
        ("WIRED\n[output.tables.bus_state]\nevery_s = 100\n", "bus_state"),
        ("WIRED\n[output.tables.bus_state]\nzones = [\"east\"]\n", "covers the whole network"),
    ] {
        let message = message(patch, &no_files);
        assert!(message.contains(expected), "{patch}: {message}");
    }
    let table = |text: &'static str| move |place: &Path| std::fs::write(place.join("building_bus.csv"), text).unwrap();
    let wired = "WIRED\n";
    assert!(message(wired, &table("building_id,bus_id\nnowhere,town\n")).contains("nowhere"));
    assert!(message(wired, &table("building,bus_id\n")).contains("building_id"));
    assert!(message(wired, &table("building_id,bus_id\n")).contains("buildings have no row"));
}
