//! The journey through the house: what a run leaves, what an interrupted one leaves, and what bad input
//! gives.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use urbis::{Progress, RunOptions};
use urbis_core::diagnostics::{Error, ExitStatus, Problem};
use urbis_tests::{root, run, scenario_in};

#[test]
fn a_run_leaves_every_table_and_hashes_that_verify() {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), "scenarios/town/baseline.toml", "");
    let out = place.path().join("out");
    run(&scenario, &out, 2, Some(3)).unwrap();
    for table in
        ["runs", "link_state", "trips", "presence", "building_load", "zone_load", "kpis", "ledgers", "gridlock"]
    {
        assert!(out.join(table).join("scenario=test/seed=3/part-0.parquet").is_file(), "{table}");
    }
    for layer in ["links", "nodes", "buildings", "zones", "pois"] {
        assert!(out.join("layers").join(format!("{layer}.parquet")).is_file(), "{layer}");
    }
    let marker = std::fs::read_to_string(out.join("_SUCCESS")).unwrap();
    assert!(marker.lines().count() >= 12);
    for line in marker.lines() {
        let (hash, name) = line.split_once("  ").unwrap();
        assert_eq!(urbis_core::hash::sha256_file(&out.join(name)).unwrap(), hash, "{name}");
    }
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), "scenarios/town/baseline.toml", "");
    let out = place.path().join("out");
    let stop = AtomicBool::new(false);
    let options = RunOptions { out: out.clone(), threads: Some(2), ..RunOptions::default() };
    let error = urbis::run(
        &scenario,
        &options,
        &mut |progress| {
            if matches!(progress, Progress::Tick { tick: 3600.., .. }) {
                stop.store(true, Ordering::Relaxed);
            }
        },
        &stop,
    )
    .unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    assert_eq!(error.exit_status(), ExitStatus::Interrupted);
    assert!(!out.join("_SUCCESS").exists());
    let left: Vec<_> = std::fs::read_dir(&out).map(|entries| entries.flatten().collect()).unwrap_or_default();
    assert!(left.is_empty(), "{left:?}");
}

fn fails_with(scenario: &Path, out: &Path, words: &[&str]) {
    let error = run(scenario, out, 1, None).unwrap_err();
    assert_eq!(error.exit_status(), ExitStatus::BadInput);
    let text = match &error {
        Error::Input(problems) => {
            let line = |problem: &Problem| format!("{problem} {}", problem.help_text().unwrap_or_default());
            problems.listed().iter().map(line).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    };
    for word in words {
        assert!(text.contains(word), "expected {word:?} in: {text}");
    }
    assert!(!out.join("_SUCCESS").exists());
}

#[test]
fn bad_input_is_named_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let with = |patch: &str| scenario_in(place.path(), "scenarios/town/baseline.toml", patch);
    fails_with(&with("sede = 3"), &out, &["sede", "seed"]);
    fails_with(&with("[output.tables.presence]\nzones = [\"nowhere\"]"), &out, &["nowhere", "west"]);
    fails_with(&with("[power]\nstep_s = 700"), &out, &["step_s"]);
    fails_with(
        &with(
            "[[population.external]]\nname = \"x\"\nkind = \"visitor\"\nmode_shares = { car = 1.0 }\ngateway_shares = { north = 1.0 }\narrivals = [{ share = 1.0, at_h = 8.0, sd_h = 1.0 }]",
        ),
        &out,
        &["north", "external nodes"],
    );
    let file_in_the_way = place.path().join("file");
    std::fs::write(&file_in_the_way, "").unwrap();
    fails_with(&with(""), &file_in_the_way.join("out"), &["cannot write"]);
}

#[test]
fn a_scenario_that_stands_on_another_changes_what_it_says() {
    let place = tempfile::tempdir().unwrap();
    let cars = |base: &str| {
        let scenario = scenario_in(place.path(), base, "");
        let summary = run(&scenario, &place.path().join("out"), 2, None).unwrap();
        summary.kpis.iter().find(|kpi| kpi.indicator == "mode_share_car").unwrap().value
    };
    assert!(cars("scenarios/town/more_cars.toml") > cars("scenarios/town/baseline.toml") * 1.5);
    assert!(root().join("scenarios/town/more_cars.toml").is_file());
}

/// What a planner looks at first: the day of the default city is like the published one.
#[test]
fn a_day_of_monaco_makes_sense() {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), "scenarios/monaco/baseline.toml", "");
    let summary = run(&scenario, &place.path().join("out"), 2, None).unwrap();
    let kpi = |name: &str| summary.kpis.iter().find(|kpi| kpi.indicator == name && kpi.zone_id == "monaco").unwrap();
    let value = |name: &str| kpi(name).value;
    let within = |name: &str, percent: f64| {
        let deviation = kpi(name).deviation_percent().unwrap();
        println!("{name}: {} against {:?}, {deviation:+.1} %", value(name), kpi(name).published);
        assert!(deviation.abs() <= percent, "{name} is {deviation:+.1} % off");
        assert!(!kpi(name).source.is_empty() && !kpi(name).quality.is_empty(), "{name}");
    };
    within("residents", 1.0);
    within("border_vehicle_crossings_both_directions", 10.0);
    within("electricity_use_day", 15.0);
    assert!(value("present_by_day_10h_17h") > 1.5 * value("present_by_night_2h_5h"));
    assert!(value("road_trips_arrived") > 99.0, "{} % of road trips arrived", value("road_trips_arrived"));
    for peak in ["morning", "evening"] {
        let name = format!("peak_vehicles_on_the_road_{peak}");
        assert!(value(&name) > 1.1 * value("peak_vehicles_on_the_road_midday"), "{name}");
    }
}
