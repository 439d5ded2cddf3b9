//! Emergency services in a run: their table and books, congestion and closures on their ways, calls of other couplings,
//! the same bytes on any number of threads, and what makes no sense refused with its place.

use std::collections::BTreeMap;
use std::path::Path;
use urbis::RunSummary;
use urbis::core::{BuildingIx, NodeIx};
use urbis::coupling::emergency::dispatch::{CallState, ServiceKind};
use urbis::coupling::{CallPlace, Emergency, EmergencyCalls};
use urbis_tests::{hashes, installed, read_table, run, scenario_in};

const TOWN: &str = "scenarios/town/emergency.toml";
const MONACO: &str = "scenarios/monaco/baseline.toml";

type Row = BTreeMap<String, String>;

/// A finished run: its calls and figures.
struct Arm {
    calls: Vec<Row>,
    summary: RunSummary,
}

impl Arm {
    fn kpi(&self, name: &str) -> f64 {
        let kpi = self.summary.kpis.iter().find(|kpi| kpi.indicator == name);
        kpi.unwrap_or_else(|| panic!("no indicator {name}")).value
    }
    /// Drives to calls by what tells one call from the others.
    fn travel_s(&self) -> BTreeMap<(String, String, String), f64> {
        let key = |row: &Row| (row["time"].clone(), row["kind"].clone(), row["building_id"].clone());
        self.calls.iter().filter_map(|row| Some((key(row), number(row, "travel_s")?))).collect()
    }
}

fn number(row: &Row, column: &str) -> Option<f64> {
    row[column].parse().ok()
}

fn arm(base: &str, patch: &str, threads: usize) -> Arm {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), base, patch);
    let out = place.path().join("out");
    let summary = run(&scenario, &out, threads, None).unwrap_or_else(|error| panic!("{patch}: {error:?}"));
    let calls = read_table(&out.join("emergency_call/scenario=test/seed=1/part-0.parquet"));
    Arm { calls, summary }
}

/// Every call to the fire brigade is a building on fire: engines draw the flow as long as the first of them is there. A town
/// whose waterworks stand still leaves them short. Switched off, nothing is drawn.
#[test]
fn engines_draw_water_while_they_are_there() {
    let fires = |patch: &str| {
        let patch = format!("[water]\nsource = \"synthetic\"\n{patch}[coupling]\nfires_share = 1.0\n");
        let place = tempfile::tempdir().unwrap();
        let mut simulation = installed(place.path(), TOWN, &patch, 1, None);
        while simulation.step().unwrap() {}
        let world = simulation.world();
        let (dispatcher, step_s) = (world.resource::<Emergency>().dispatcher(), 900.0);
        let (calls, end_s) = (dispatcher.calls(), f64::from(simulation.clock().end()));
        let of_fire = (0..calls.request.len()).filter(|&call| calls.request[call].kind == ServiceKind::Fire);
        // What was drawn in a step is asked for in the next, and told when that is over.
        let there_s = of_fire.filter(|&call| calls.state[call] == CallState::Answered).map(|call| {
            let from_s = dispatcher.sendings().arrive_ms(calls.first[call] as usize) as f64 / 1000.0;
            let until_s = from_s + f64::from(calls.request[call].scene_ms) / 1000.0;
            (until_s.min(end_s - 2.0 * step_s) - from_s).max(0.0)
        });
        (there_s.sum::<f64>() * 96.0 / 3600.0, world.resource::<urbis::coupling::FireWater>().clone())
    };
    let (expected_m3, of) = fires("");
    println!("{} fires, {:.1} of {:.1} m3", of.fires, of.served_m3, of.asked_m3);
    assert!(of.fires > 5 && (of.asked_m3 / expected_m3 - 1.0).abs() < 1e-9, "{} {expected_m3}", of.asked_m3);
    let trip = "[[event]]\nname = \"trip\"\nkind = \"plant_trip\"\nat = \"03:00\"\nhours = 24.0\nnetwork = \"water\"\n";
    let (dry_m3, dry) = fires(trip);
    assert!((dry.asked_m3 / dry_m3 - 1.0).abs() < 1e-9 && dry.served_m3 < 0.9 * of.served_m3 && dry.short > 0);
    let off = arm(TOWN, "[water]\nsource = \"synthetic\"\n[coupling]\nfires_share = 1.0\nfire_to_water = false\n", 1);
    assert!(off.summary.kpis.iter().all(|kpi| kpi.indicator != "fire_water_asked"));
}

#[test]
fn a_day_of_the_town_has_calls_and_its_books_close() {
    let town = arm(TOWN, "", 2);
    println!("{} calls", town.calls.len());
    for name in ["fire", "ambulance", "police"] {
        let of: Vec<&Row> = town.calls.iter().filter(|row| row["kind"] == name).collect();
        let count = |status: &str| of.iter().filter(|row| row["status"] == status).count();
        let answered = count("on_scene") + count("done");
        let waiting = town.kpi(&format!("unanswered_calls_{name}"));
        println!(
            "{name}: {} calls, response {:.2} min, 90th {:.2} min, within 8 min {:.0} %",
            of.len(),
            town.kpi(&format!("response_mean_{name}")),
            town.kpi(&format!("response_90th_{name}")),
            town.kpi(&format!("response_within_8_min_{name}"))
        );
        // Calls = answered + waiting + under way, in the table and in the indicators.
        assert!(!of.is_empty());
        assert_eq!(of.len(), answered + count("waiting") + count("under_way"));
        assert!((of.len() as f64 - town.kpi(&format!("calls_{name}"))).abs() < 1e-9);
        assert!((waiting - (count("waiting") + count("under_way")) as f64).abs() < 1e-9);
        let responses: Vec<f64> = of.iter().filter_map(|row| number(row, "response_s")).collect();
        assert_eq!(responses.len(), answered);
        let mean_min = responses.iter().sum::<f64>() / responses.len() as f64 / 60.0;
        assert!((mean_min - town.kpi(&format!("response_mean_{name}"))).abs() < 1e-9);
        let within = 100.0 * responses.iter().filter(|&&s| s <= 480.0).count() as f64 / responses.len() as f64;
        assert!((within - town.kpi(&format!("response_within_8_min_{name}"))).abs() < 1e-9);
    }
    for row in &town.calls {
        let of = |column: &str| number(row, column);
        let parts = of("wait_s").zip(of("turnout_s")).zip(of("travel_s"));
        if let (Some(((wait_s, turnout_s), travel_s)), Some(response_s)) = (parts, of("response_s")) {
            assert!((wait_s + turnout_s + travel_s - response_s).abs() < 1e-9);
            let usual = match row["kind"].as_str() {
                "fire" => 80.0,
                "ambulance" => 60.0,
                _ => 30.0,
            };
            assert!(turnout_s <= 0.0 || (turnout_s - usual).abs() < 1e-9, "{row:?}");
            // The town is 1.25 km wide and driven at 30 km/h and more.
            assert!((0.0..400.0).contains(&travel_s), "{row:?}");
        }
        assert!(row["hospital_id"].is_empty() || row["kind"] == "ambulance" && row["hospital_id"] == "hospital");
        assert_eq!((row["cause"].as_str(), row["units_needed"].as_str()), ("people", "1"));
    }
    assert!(town.calls.iter().any(|row| row["hospital_id"] == "hospital"));
    // Everybody lives within five minutes of anything in so small a town.
    assert!((town.kpi("fire_station_coverage") - 100.0).abs() < 1e-9);
    assert!((town.kpi("hospital_coverage") - 100.0).abs() < 1e-9);
}

#[test]
fn threads_do_not_matter() {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), TOWN, "");
    let on = |threads: usize| {
        let out = place.path().join(format!("out-{threads}"));
        run(&scenario, &out, threads, None).unwrap();
        hashes(&out)
    };
    let one = on(1);
    assert!(one.keys().any(|name| name.starts_with("emergency_call/")));
    assert_eq!(one, on(3));
}

#[test]
fn without_services_there_is_no_table_and_the_rest_is_the_same() {
    let place = tempfile::tempdir().unwrap();
    let plain = scenario_in(place.path(), "scenarios/town/baseline.toml", "");
    let out = place.path().join("out");
    let summary = run(&plain, &out, 2, None).unwrap();
    let without = hashes(&out);
    assert!(!without.keys().any(|name| name.starts_with("emergency_call/")));
    assert!(summary.kpis.iter().all(|kpi| kpi.group != "emergency"));
    // Units touch nothing: persons, trips and roads of the two are alike, row by row.
    let with_services = place.path().join("with");
    let served = scenario_in(place.path(), TOWN, "");
    run(&served, &with_services, 2, None).unwrap();
    for table in ["trips", "link_state", "presence"] {
        let read = |out: &Path| read_table(&out.join(table).join("scenario=test/seed=1/part-0.parquet"));
        assert_eq!(read(&out), read(&with_services), "{table}");
    }
}

/// Sums of drives over calls that both arms answered.
fn compared(before: &Arm, after: &Arm) -> (usize, f64, f64) {
    let (before, after) = (before.travel_s(), after.travel_s());
    let both: Vec<(f64, f64)> = before.iter().filter_map(|(call, &s)| Some((s, *after.get(call)?))).collect();
    (both.len(), both.iter().map(|pair| pair.0).sum(), both.iter().map(|pair| pair.1).sum())
}

#[test]
fn a_closed_street_makes_the_way_longer() {
    let closure = "[[policy]]\nname = \"works\"\nkind = \"closure\"\n\
                   area = { roads = [\"Column 2\", \"Column 3\", \"Column 4\"] }\n";
    let passing = format!("{closure}\n[emergency]\npasses_closures = true\n");
    let open = arm(TOWN, "", 2);
    let (closed, passing) = (arm(TOWN, closure, 2), arm(TOWN, &passing, 2));
    let (calls, before_s, after_s) = compared(&open, &closed);
    println!("{calls} calls in both: {before_s:.0} s of driving on open streets, {after_s:.0} s with three closed");
    assert!(calls > 30 && after_s > 1.05 * before_s);
    let (calls, before_s, after_s) = compared(&open, &passing);
    println!("{calls} calls in both: {before_s:.0} s, {after_s:.0} s for units that pass");
    assert!(calls > 30 && (after_s / before_s - 1.0).abs() < 0.05);
}

#[test]
fn congestion_makes_the_way_longer_and_the_switch_takes_it_away() {
    let services = "[emergency]\nsource = \"pois\"\nsends_returning = false\n[emergency.ambulance]\n\
                    calls_per_1000_day = 20.0\nunits = 300\n[emergency.fire]\n\
                    calls_per_1000_day = 5.0\nunits = 300\n";
    let coupled = arm(MONACO, services, 2);
    let empty = arm(MONACO, &format!("{services}[coupling]\ntraffic_to_emergency = false\n"), 2);
    let (calls, free_s, driven_s) = compared(&empty, &coupled);
    println!(
        "{calls} calls: {:.1} s a drive on empty roads, {:.1} s under the travel times of the moment",
        free_s / calls as f64,
        driven_s / calls as f64
    );
    assert!(calls > 300);
    // No link is faster than when it is empty, and stations never run out of units: no single drive is shorter.
    let (before, after) = (empty.travel_s(), coupled.travel_s());
    let shorter = before.iter().filter(|(call, s)| after.get(*call).is_some_and(|after| *after < *s - 0.05)).count();
    assert_eq!(shorter, 0);
    assert!(driven_s > 1.02 * free_s, "{driven_s} and {free_s}");
    for name in ["ambulance", "fire"] {
        let mean = |arm: &Arm| arm.kpi(&format!("response_mean_{name}"));
        println!("{name}: response {:.2} min empty, {:.2} min coupled", mean(&empty), mean(&coupled));
        assert!(mean(&coupled) > mean(&empty));
    }
    // The same people call at the same times: units change nothing but themselves.
    let keys =
        |arm: &Arm| arm.calls.iter().map(|row| (row["time"].clone(), row["building_id"].clone())).collect::<Vec<_>>();
    assert_eq!(keys(&coupled), keys(&empty));
    println!(
        "fire station within 5 min: {:.1} %, hospital within 15 min: {:.1} %",
        coupled.kpi("fire_station_coverage"),
        coupled.kpi("hospital_coverage")
    );
}

#[test]
fn other_couplings_put_in_calls() {
    let place = tempfile::tempdir().unwrap();
    let quiet = "[emergency.fire]\ncalls_per_1000_day = 0.0\n[emergency.ambulance]\ncalls_per_1000_day = 0.0\n\
                 [emergency.police]\ncalls_per_1000_day = 0.0\n";
    let mut simulation = installed(place.path(), TOWN, quiet, 1, None);
    let mut calls = simulation.world_mut().resource_mut::<EmergencyCalls>();
    // A crash now at the fire station's own door, and a fire in a minute.
    calls.place(ServiceKind::Police, CallPlace::Node(NodeIx(0)), 0, 1);
    calls.place(ServiceKind::Fire, CallPlace::Building(BuildingIx(0)), 60, 1);
    for _ in 0..1200 {
        assert!(simulation.step().unwrap());
    }
    let emergency = simulation.world().resource::<Emergency>();
    let dispatcher = emergency.dispatcher();
    dispatcher.check().unwrap();
    let (calls, sendings) = (dispatcher.calls(), dispatcher.sendings());
    assert_eq!(calls.state, [CallState::Answered, CallState::Answered]);
    assert_eq!(sendings.sent_ms, [0, 60_000]);
    assert_eq!(sendings.turnout_ms, [30_000, 80_000]);
    assert!(emergency.origins().iter().all(|origin| origin.is_placed));
    let books = dispatcher.books(ServiceKind::Fire);
    assert_eq!((books.received, books.answered, books.waiting), (1, 1, 0));
}

/// What the program says of a scenario that does not fit.
fn refusal(patch: &str) -> String {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), "scenarios/town/baseline.toml", patch);
    let error = run(&scenario, &place.path().join("out"), 2, None).expect_err("it does not fit");
    format!("{error:?}")
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let said = refusal("[emergency]\nsource = \"pois\"\n");
    assert!(said.contains("has no fire station, hospital or police"), "{said}");
    let said = refusal("[emergency]\nsource = \"file\"\n");
    assert!(said.contains("`emergency.source`") && said.contains("needs `stations`"), "{said}");
    let said = refusal("[emergency]\nsource = \"pois\"\n[emergency.fire]\nby_hour = [1.0]\n");
    assert!(said.contains("emergency.fire.by_hour"), "{said}");
    let place = tempfile::tempdir().unwrap();
    let table = place.path().join("wrong.csv");
    std::fs::write(
        &table,
        "station_id,kind,units,node_id,x_lon,y_lat\na,fire,2,1,,\na,boat,2,1,,\nb,fire,2,99,,\n\
         c,police,-1,1,,\nd,fire,1,,9.0,50.0\na,fire,1,2,,\n",
    )
    .unwrap();
    let said = refusal(&format!("[emergency]\nsource = \"file\"\nstations = {:?}\n", table.to_string_lossy()));
    for (row, what) in [
        (2, "kind = boat, expected one of fire, ambulance, police, hospital"),
        (3, "node_id = 99, expected a node of the city"),
        (4, "units = -1, expected a whole number from 0 to 10000"),
        (5, "x_lon = 9.0, expected"),
        (6, "station_id = a, expected an id that no other row has"),
    ] {
        assert!(said.contains(&format!("row {row}")) && said.contains(what), "{row} {what}: {said}");
    }
}
