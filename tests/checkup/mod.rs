//! Check-ups of real runs of the town: every indicator has a figure or a reason, and figures are those that its tables
//! give when they are computed again, row by row.

mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use urbis_appraisal::checkup::{Checkup, DEFINITIONS, Key, Options, Patient, Place, file_of, write};
use urbis_output::marker::partition;
use urbis_tests::{read_table, root, run, told_of, town_runs};

type Row = BTreeMap<String, String>;

fn table(out: &Path, table: &str, scenario: &str, seed: u64) -> Vec<Row> {
    read_table(&out.join(table).join(partition(scenario, seed)).join("part-0.parquet"))
}

fn real(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or(f64::NAN)
}

/// Sum of a column, empty cells left out.
fn sum<'a>(rows: impl IntoIterator<Item = &'a Row>, column: &str) -> f64 {
    rows.into_iter().map(|row| real(row, column)).filter(|value| value.is_finite()).sum()
}

fn kpi(out: &Path, scenario: &str, seed: u64, indicator: &str, zone: &str) -> f64 {
    let rows = table(out, "kpis", scenario, seed);
    let found = rows.iter().find(|row| row["indicator"] == indicator && row["zone_id"] == zone);
    real(found.unwrap_or_else(|| panic!("no {indicator} of {zone}")), "value")
}

/// Local hour: the town is two hours ahead of UTC in June, one in January.
fn hour(row: &Row, column: &str, ahead_h: i64) -> i64 {
    (row[column].parse::<i64>().unwrap() / 3_600_000 + ahead_h).rem_euclid(24)
}

fn at(patient: &Patient, number: u8, part: &str, place: Place, seed: u64) -> f64 {
    let is_it = |key: &Key| key.number == number && key.part == part && key.place == place;
    let row = patient.rows.iter().find(|row| is_it(&row.key));
    let row = row.unwrap_or_else(|| panic!("{number} {part} {place:?}: {:?}", patient.absent.get(&number)));
    row.seeds.iter().find(|(of, _)| *of == seed).unwrap_or_else(|| panic!("{number} {part} seed {seed}")).1
}

fn close(what: &str, found: f64, expected: f64) {
    println!("{what}: {found} and {expected}");
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1e-9), "{what}: {found} and not {expected}");
}

/// Every indicator has figures or a reason, never both and never neither; states belong to limits.
fn is_whole(patient: &Patient) {
    let told: BTreeSet<u8> = patient.rows.iter().map(|row| row.key.number).collect();
    for of in &DEFINITIONS {
        let reason = patient.absent.get(&of.number);
        assert!(told.contains(&of.number) != reason.is_some(), "{} {}: {reason:?}", of.number, of.name);
        assert!(reason.is_none_or(|reason| reason.len() > 10), "{}: {reason:?}", of.name);
    }
    for row in &patient.rows {
        assert!(row.value.is_finite() && !row.key.unit.is_empty(), "{:?}", row.key);
        let of = &DEFINITIONS[usize::from(row.key.number) - 1];
        let has_limits = row.key.place.hour.is_none() && of.limits.is_some_and(|limits| limits.part == row.key.part);
        assert_eq!(row.light.name() != "none", has_limits, "{:?}", row.key);
    }
    for number in patient.notes.keys() {
        assert!(told.contains(number), "a note on {number}, which has no figure");
    }
    println!("{}: {} indicators told, {} not", patient.scenario, told.len(), patient.absent.len());
}

#[test]
fn the_towns_study_is_checked() {
    let place = tempfile::tempdir().unwrap();
    let _ = town_runs(place.path(), "baseline", "plain", 1..=5);
    let out = town_runs(place.path(), "charge", "charged", 1..=5);
    let options = Options { base: Some("plain".to_owned()), ..Options::default() };
    let checkup = Checkup::of(&out, &options).unwrap();
    assert_eq!(checkup.patients.iter().map(|p| p.scenario.as_str()).collect::<Vec<_>>(), ["plain", "charged"]);
    checkup.patients.iter().for_each(is_whole);
    let (plain, charged) = (&checkup.patients[0], &checkup.patients[1]);
    traffic(&out, plain);
    people(&out, plain);
    electricity(&out, plain);

    // With a base every figure that both have is paired, and the charge is seen.
    let effect = charged.of(7).next().unwrap().effect.unwrap();
    let differences: Vec<f64> = (1..=5)
        .map(|seed| at(charged, 7, "", Place::default(), seed) - at(plain, 7, "", Place::default(), seed))
        .collect();
    close("effect on vehicle kilometres", effect.difference_mean, differences.iter().sum::<f64>() / 5.0);
    assert!(effect.difference_mean < 0.0, "a charge takes cars off the road");
    assert!(plain.of(7).next().unwrap().effect.is_none());
    for number in [30, 43, 59, 71, 72, 73] {
        assert!(charged.of(number).next().is_some(), "{number}: {:?}", charged.absent.get(&number));
        assert_eq!(plain.absent[&number], "this is the base");
    }
    let count = |part: &str| charged.of(73).find(|row| row.key.part == part).unwrap().value;
    assert!(count("differ") > 0.0 && count("differ") <= count("compared"));

    tables(&checkup, place.path());
}

fn traffic(out: &Path, plain: &Patient) {
    let links: BTreeMap<String, Row> =
        read_table(&out.join("layers/links.parquet")).into_iter().map(|row| (row["id"].clone(), row)).collect();
    let residents = kpi(out, "plain", 2, "residents", "town");
    let states = table(out, "link_state", "plain", 2);
    let (mut time_s, mut free_s, mut way_m, mut all_m, mut delay_s) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for row in &states {
        let link = &links[&row["link_id"]];
        let (left, length_m) = (real(row, "left_veh"), real(link, "length_m"));
        all_m += left * length_m;
        delay_s += real(row, "delay_s");
        if left > 0.0 && [7, 8, 17, 18].contains(&hour(row, "time", 2)) {
            time_s += left * real(row, "travel_time_s");
            free_s += left * length_m / real(link, "speed_mps_free");
            way_m += left * length_m;
        }
    }
    close("travel time index", at(plain, 1, "", Place::default(), 2), time_s / free_s);
    close("peak speed, km/h", at(plain, 6, "", Place::default(), 2), 3.6 * way_m / time_s);
    close("vehicle km per resident", at(plain, 7, "", Place::default(), 2), all_m / 1000.0 / residents);
    close(
        "the same in table kpis",
        at(plain, 7, "", Place::default(), 2),
        kpi(out, "plain", 2, "vehicle_kilometres", "town") / residents,
    );
    close("delay, h per resident", at(plain, 8, "", Place::default(), 2), delay_s / 3600.0 / residents);
    close("nitrogen oxides, kg", at(plain, 57, "nitrogen_oxides", Place::default(), 2), sum(&states, "nox_g") / 1000.0);
    let by_hour: f64 = (0..24).map(|hour| at(plain, 7, "", Place { hour: Some(hour), ..Place::default() }, 2)).sum();
    close("hours add up to the day", by_hour, all_m / 1000.0 / residents);

    let rides = table(out, "trips", "plain", 2)
        .iter()
        .filter(|row| row["mode"] == "transit" && row["status"] != "not_started")
        .count();
    close("boardings of a year", at(plain, 10, "", Place::default(), 2), rides as f64 * 250.0 / residents);

    // Commutes: a resident's trips for work, the first of the run or after one that went home.
    let mut trips = table(out, "trips", "plain", 2);
    trips.retain(|row| row["status"] != "not_started");
    let number = |row: &Row, column: &str| row[column].parse::<i64>().unwrap();
    trips.sort_by_key(|row| (number(row, "person_id"), number(row, "depart_time"), number(row, "trip_id")));
    let mut minutes = Vec::new();
    let mut last: Option<(&str, &str)> = None;
    for row in &trips {
        let before = last.filter(|(person, _)| *person == row["person_id"]);
        let is_first = before.is_none_or(|(_, purpose)| purpose == "home");
        if row["purpose"] == "work" && row["person_kind"] == "resident" && is_first && !row["travel_time_s"].is_empty()
        {
            minutes.push(real(row, "travel_time_s") / 60.0);
        }
        last = Some((&row["person_id"], &row["purpose"]));
    }
    let mean = minutes.iter().sum::<f64>() / minutes.len() as f64;
    close("commute, min", at(plain, 3, "", Place::default(), 2), mean);
    let soon = minutes.iter().filter(|minutes| **minutes <= 45.0).count() as f64;
    close("commutes within 45 min, %", at(plain, 5, "", Place::default(), 2), 100.0 * soon / minutes.len() as f64);

    let own: Vec<&Row> = trips.iter().filter(|row| row["person_kind"] == "resident").collect();
    let walked = own.iter().filter(|row| row["mode"] == "walk").count() as f64;
    close("on foot, %", at(plain, 9, "walk", Place::default(), 2), 100.0 * walked / own.len() as f64);
    for place in [Place::default(), Place { group: Some("age:0-17".to_owned()), ..Place::default() }] {
        let shares = ["walk", "bicycle", "transit", "car", "other"].map(|part| at(plain, 9, part, place.clone(), 2));
        close("shares of means, %", shares.iter().sum(), 100.0);
        close("green means, %", at(plain, 9, "green", place, 2), shares[..3].iter().sum());
    }
}

fn people(out: &Path, plain: &Patient) {
    let households = table(out, "households", "plain", 3);
    let mut incomes: Vec<f64> = households.iter().map(|row| real(row, "income_per_year")).collect();
    incomes.sort_by(f64::total_cmp);
    let n = incomes.len() as f64;
    // Gini by ranks: sum of (2 i - n - 1) x over n times the sum of x.
    let ranked: f64 = incomes.iter().enumerate().map(|(row, x)| (2.0 * (row as f64 + 1.0) - n - 1.0) * x).sum();
    close("Gini of incomes", at(plain, 31, "", Place::default(), 3), ranked / (n * incomes.iter().sum::<f64>()));

    let buildings = read_table(&out.join("layers/buildings.parquet"));
    let (jobs, homes) = (
        kpi(out, "plain", 3, "jobs", "east"),
        sum(buildings.iter().filter(|row| row["zone_id"] == "east"), "dwellings"),
    );
    let east = Place { zone: Some("east".to_owned()), ..Place::default() };
    close("jobs over dwellings in the east", at(plain, 24, "", east, 3), jobs / homes);

    let reached = table(out, "accessibility", "plain", 3);
    let residents = |zone: &str| kpi(out, "plain", 3, "residents", zone);
    let of_all: Vec<&Row> = reached
        .iter()
        .filter(|row| row["group"] == "all" && row["opportunity"] == "jobs" && row["mode"] == "walk")
        .filter(|row| (real(row, "limit_s") - 1800.0).abs() < 1e-9)
        .collect();
    let weighted: f64 = of_all.iter().map(|row| real(row, "opportunities") * residents(&row["zone_id"])).sum();
    let all: f64 = of_all.iter().map(|row| residents(&row["zone_id"])).sum();
    close("jobs within half an hour on foot", at(plain, 21, "walk_30min", Place::default(), 3), weighted / all);

    let present = table(out, "activity_presence", "plain", 3);
    let at_two: f64 = sum(present.iter().filter(|row| hour(row, "time", 2) == 14 && is_full_hour(row)), "persons");
    let ratio = at_two / kpi(out, "plain", 3, "residents", "town");
    close("people at 14:00 over residents", at(plain, 23, "", Place::default(), 3), ratio);
}

fn is_full_hour(row: &Row) -> bool {
    row["time"].parse::<i64>().unwrap() % 3_600_000 == 0
}

fn electricity(out: &Path, plain: &Patient) {
    let loads = table(out, "zone_load", "plain", 1);
    let residents = kpi(out, "plain", 1, "residents", "town");
    let mut course: BTreeMap<&str, f64> = BTreeMap::new();
    for row in &loads {
        *course.entry(&row["time"]).or_default() += real(row, "p_w");
    }
    let peak = course.values().copied().fold(0.0, f64::max);
    let mean = course.values().sum::<f64>() / course.len() as f64;
    let kwh = sum(&loads, "energy_wh") / 1000.0;
    close("kWh of a resident and year", at(plain, 34, "", Place::default(), 1), kwh * 365.0 / residents);
    close("kW of a resident", at(plain, 36, "", Place::default(), 1), peak / 1000.0 / residents);
    close("load factor", at(plain, 37, "", Place::default(), 1), mean / peak);
    let homes = sum(loads.iter().filter(|row| row["sector"] == "residential"), "energy_wh") / 1000.0;
    close("kWh of homes", at(plain, 35, "", Place::default(), 1), homes * 365.0 / residents);
}

/// What is written is what was found, under both forms of a place.
fn tables(checkup: &Checkup, place: &Path) {
    let written = write(checkup, &place.join("checked")).unwrap();
    assert_eq!(written, place.join("checked/indicators.parquet"));
    let rows = read_table(&written);
    for patient in &checkup.patients {
        let own: Vec<&Row> = rows.iter().filter(|row| row["scenario"] == patient.scenario).collect();
        let means = own.iter().filter(|row| row["seed"].is_empty() && !row["value"].is_empty()).count();
        let seeds = own.iter().filter(|row| !row["seed"].is_empty()).count();
        let reasons = own.iter().filter(|row| !row["reason"].is_empty()).count();
        assert_eq!(means, patient.rows.len());
        assert_eq!(seeds, patient.rows.iter().map(|row| row.seeds.len()).sum::<usize>());
        assert_eq!(reasons, patient.absent.len());
        let numbers: BTreeSet<&str> = own.iter().map(|row| row["number"].as_str()).collect();
        assert_eq!(numbers.len(), DEFINITIONS.len());
    }
    let again = write(checkup, &place.join("again.parquet")).unwrap();
    assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&written).unwrap(), "equal bytes under another name");
    assert_eq!(file_of(Path::new("x.parquet")), PathBuf::from("x.parquet"));
    let error = told_of(&write(checkup, &place.join("again.csv")).unwrap_err());
    assert!(error.contains("cannot be written as .csv"), "{error}");
}

#[test]
fn networks_of_the_town_are_checked() {
    let place = tempfile::tempdir().unwrap();
    let base = root().join("scenarios/town/networks.toml").canonicalize().unwrap();
    let scenario = place.path().join("networks.toml");
    let text = format!("base = {base:?}\nname = \"nets\"\n[city]\npackage = {:?}\n", place.path().join("city"));
    std::fs::write(&scenario, text).unwrap();
    let out = place.path().join("out");
    run(&scenario, &out, 2, Some(1)).unwrap();
    let figures = place.path().join("figures.csv");
    let rows = [
        ("town", "electricity_emission_factor", 0.4),
        ("town", "municipal_waste", 1.2),
        ("town", "gas_capacity", 500.0),
        ("town", "road_deaths_motorway", 2.0),
        ("town", "road_deaths_other_roads", 5.0),
        ("east", "hospital_beds", 9.0),
    ];
    let lines = rows.map(|(zone, name, value)| format!("{zone},2024,{name},{value},unit,made up,estimate"));
    let text = format!("zone_id,period,indicator,value,unit,source,quality\n{}\n", lines.join("\n"));
    std::fs::write(&figures, text).unwrap();
    let options = Options { figures: Some(figures), ..Options::default() };
    let checkup = Checkup::of(&out, &options).unwrap();
    let patient = &checkup.patients[0];
    is_whole(patient);
    for number in [30, 43, 59, 71, 72, 73] {
        assert!(patient.absent[&number].contains("--base"), "{}", patient.absent[&number]);
    }
    let whole = |number: u8, part: &str| at(patient, number, part, Place::default(), 1);
    let residents = kpi(&out, "nets", 1, "residents", "town");

    let balance = table(&out, "utility_balance", "nets", 1);
    let of = |utility: &str, column: &str| sum(balance.iter().filter(|row| row["utility"] == utility), column);
    close("water, litres", whole(47, "all_users"), of("water", "served") * 1000.0 / residents);
    if of("water", "lost") > 0.0 {
        close("water lost, %", whole(48, ""), 100.0 * of("water", "lost") / of("water", "supplied"));
    } else {
        assert!(patient.absent[&48].contains("no leaks"), "{}", patient.absent[&48]);
    }
    close("water delivered, %", whole(50, ""), 100.0 * of("water", "served") / of("water", "asked"));
    if of("heat", "asked") > 0.0 {
        close("heat, GJ", whole(52, "all_users"), of("heat", "served") * 3.6e6 / 1e9 * 365.0 / residents);
    } else {
        assert!(patient.absent[&52].contains("nobody asked"), "{}", patient.absent[&52]);
    }
    let mut hours: BTreeMap<i64, f64> = BTreeMap::new();
    for row in balance.iter().filter(|row| row["utility"] == "gas") {
        *hours.entry(row["time"].parse::<i64>().unwrap() / 3_600_000).or_default() += real(row, "served");
    }
    let most = hours.values().copied().fold(0.0, f64::max);
    close("gas at its peak, %", whole(53, ""), 100.0 * most / 500.0);

    let infeed = table(&out, "substation_load", "nets", 1);
    let mut course: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for row in &infeed {
        let sum = course.entry(&row["time"]).or_default();
        sum[0] += real(row, "p_w");
        sum[1] += real(row, "q_var");
    }
    let peak_va = course.values().map(|[p, q]| p.hypot(*q)).fold(0.0, f64::max);
    let capacity_va = kpi(&out, "nets", 1, "supply_capacity", "town") * 1e6;
    close("capacity of supply, %", whole(40, ""), 100.0 * capacity_va / peak_va);
    assert!((whole(38, "") - kpi(&out, "nets", 1, "saifi", "town")).abs() < 1e-12);
    assert!(patient.absent[&39].contains("nobody was interrupted"), "{}", patient.absent[&39]);
    close("nobody goes without", whole(69, "electricity"), resilience(&table(&out, "energy_balance", "nets", 1)));
    assert!((whole(51, "") - 100.0).abs() < 1e-9, "the made-up sewer serves every building");

    // Transport of 250 working days, electricity and gas of 365 days.
    let kwh = sum(&table(&out, "zone_load", "nets", 1), "energy_wh") / 1000.0;
    let gas_kg = of("gas", "served");
    let utilities = (kwh * 0.4 + gas_kg * 56.1 * 0.048) * 365.0 / 1000.0 / residents;
    close("carbon dioxide of all, t", whole(56, ""), whole(55, "") + utilities);
    let co2_kg = sum(&table(&out, "link_state", "nets", 1), "co2_kg");
    close("carbon dioxide of transport, t", whole(55, ""), co2_kg / 1000.0 * 250.0 / residents);
    close(
        "deaths of 100,000",
        whole(20, ""),
        kpi(&out, "nets", 1, "vehicle_kilometres", "town") * 250.0 * 5.0 / 1e9 / residents * 1e5,
    );
    assert!(patient.absent[&64].contains("hospital_beds"), "beds of a zone are not those of the city");
}

fn resilience(rows: &[Row]) -> f64 {
    let lost = |row: &Row| {
        let (asked, got) = (real(row, "demand_wh"), real(row, "received_wh"));
        if asked > 0.0 { real(row, "interval_s") / 3600.0 * (1.0 - got / asked).max(0.0) } else { 0.0 }
    };
    rows.iter().map(lost).sum()
}

#[test]
fn tables_that_are_off_are_the_reason() {
    let place = tempfile::tempdir().unwrap();
    let off = ["trips", "link_state", "zone_load", "accessibility", "activity_presence", "presence", "building_load"];
    let switches: String = off.iter().map(|table| format!("[output.tables.{table}]\nenabled = false\n")).collect();
    let patch = format!("{switches}[period]\nduration_h = 1\n");
    let scenario = urbis_tests::scenario_in(place.path(), "scenarios/town/baseline.toml", &patch);
    let out = place.path().join("out");
    run(&scenario, &out, 2, Some(7)).unwrap();
    let checkup = Checkup::of(&out, &Options::default()).unwrap();
    let patient = &checkup.patients[0];
    is_whole(patient);
    for (number, table) in
        [(1, "link_state"), (3, "trips"), (37, "zone_load"), (21, "accessibility"), (42, "building_load")]
    {
        let reason = &patient.absent[&number];
        assert!(reason.contains(&format!("`{table}`")) && reason.contains("enabled = false"), "{number}: {reason}");
    }
    // What table kpis tells is still told.
    let residents = kpi(&out, "test", 7, "residents", "town");
    let gwh = kpi(&out, "test", 7, "electricity_use_day", "town");
    close("electricity by kpis", at(patient, 34, "", Place::default(), 7), gwh * 1e6 * 365.0 / residents);
}

#[test]
fn bad_input_is_named() {
    let place = tempfile::tempdir().unwrap();
    let error = format!("{:?}", Checkup::of(place.path(), &Options::default()).unwrap_err());
    assert!(error.contains("no finished results folder"), "{error}");
    let out = town_runs(place.path(), "baseline", "plain", 1..=1);
    let based = |base: &str| Options { base: Some(base.to_owned()), ..Options::default() };
    let error = format!("{:?}", Checkup::of(&out, &based("plane")).unwrap_err());
    assert!(error.contains("did you mean `plain`?"), "{error}");
    let error = format!("{:?}", Checkup::of(&out, &based("plain")).unwrap_err());
    assert!(error.contains("no scenario besides plain"), "{error}");
    let figures = place.path().join("figures.csv");
    let header = "zone_id,period,indicator,value,unit,source,quality\n";
    for (row, told) in [
        ("town,2024,beds,1,beds,me,estimate", "no figure that a check-up uses"),
        ("town,2024,hospital_beds,-1,beds,me,estimate", "expected at least 0"),
        ("towm,2024,hospital_beds,1,beds,me,estimate", "did you mean `town`?"),
    ] {
        std::fs::write(&figures, format!("{header}{row}\n")).unwrap();
        let options = Options { figures: Some(figures.clone()), ..Options::default() };
        let error = format!("{:?}", Checkup::of(&out, &options).unwrap_err());
        assert!(error.contains(told), "{error}");
    }
}
