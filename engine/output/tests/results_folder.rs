//! A results folder is whole, checkable and equal for equal runs; or there is none.

use arrow::array::{Array, AsArray, Float64Array, RecordBatch};
use arrow::datatypes::{Float64Type, TimestampMillisecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use urbis_core::diagnostics::ExitStatus;
use urbis_core::{Error, files};
use urbis_output::{
    Committed, LedgersRow, LinkStateRow, Marker, PresenceRow, ROW_GROUP_ROWS, ResultsWriter, RunEnd, RunFacts, Table,
    TimeMs, TripsRow,
};

const START_MS: i64 = 1_709_596_800_000;

/// A city package whose layers are a few bytes: the writer copies, it does not read.
fn package(place: &Path, content: &str) -> PathBuf {
    let package = place.join(format!("city-{content}"));
    for layer in ["buildings", "links", "nodes", "pois", "zones"] {
        let path = package.join(format!("layers/{layer}.parquet"));
        files::write_whole(&path, format!("{layer} {content}").as_bytes()).unwrap();
    }
    package
}

fn facts(scenario: &str, seed: u64) -> RunFacts {
    RunFacts {
        scenario: scenario.into(),
        seed,
        title: "A day".into(),
        scenario_hash: "aa".into(),
        city_hash: "bb".into(),
        city: "toy".into(),
        attribution: "nobody".into(),
        time_zone: "Europe/Monaco".into(),
        local_offset_s: 3600,
        start_utc_ms: START_MS,
        duration_s: 86_400.0,
        scenario_toml: "seed = 1\n".into(),
    }
}

fn end(wall_s: f64) -> RunEnd {
    RunEnd {
        ticks: 86_400,
        threads: 2,
        wall_s,
        set_wall_s: [0.0; 7],
        peak_memory_bytes: 1,
        started_utc_ms: START_MS,
        os: urbis_output::machine::os(),
        cpu: urbis_output::machine::cpu(),
    }
}

fn link_row(row: u32, link_id: &str) -> LinkStateRow<'_> {
    LinkStateRow {
        time: TimeMs(START_MS + i64::from(row / 100) * 900_000),
        interval_s: 900.0,
        link_id,
        entered_veh: u64::from(row % 7),
        left_veh: u64::from(row % 5),
        travel_time_s: (!row.is_multiple_of(5)).then_some(f64::from(row % 50)),
        speed_mps: None,
        density_vpm: 0.01,
        queue_veh: 0,
        occupancy_veh: 1,
        delay_s: 0.5,
        fuel_kg: 0.25,
        co2_kg: 0.75,
        nox_g: 0.5,
        pm_g: 0.125,
        electricity_wh: 2.0,
    }
}

fn fill(writer: &mut ResultsWriter, rows: u32) {
    for row in 0..rows {
        writer.link_state(&link_row(row, &format!("link/{}", row % 100))).unwrap();
    }
    writer
        .trips(&TripsRow {
            trip_id: 0,
            person_id: 7,
            person_kind: "resident",
            purpose: "work",
            mode: "car",
            from_building: Some("way/1"),
            to_building: None,
            from_zone: "mc-1",
            to_zone: "external:east",
            depart_time: TimeMs(START_MS + 1),
            arrive_time: None,
            travel_time_s: None,
            wait_s: 0.0,
            distance_m: 1234.5,
            status: "travelling",
        })
        .unwrap();
}

fn run(out: &Path, package: &Path, facts: RunFacts, rows: u32, wall_s: f64) -> Committed {
    let mut writer = ResultsWriter::create(out, package, facts, &[Table::Kpis]).unwrap();
    fill(&mut writer, rows);
    writer.finish(&end(wall_s)).unwrap()
}

fn read(path: &Path) -> (Vec<RecordBatch>, ParquetRecordBatchReaderBuilder<File>) {
    let open = || ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    (open().build().unwrap().map(Result::unwrap).collect(), open())
}

/// Every file below a folder with its bytes, hidden ones too.
fn tree(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                all.push((name, std::fs::read(path).unwrap()));
            }
        }
    }
    all.sort();
    all
}

fn names(folder: &Path) -> Vec<String> {
    tree(folder).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_whole_run_says_what_it_is() {
    let place = tempfile::tempdir().unwrap();
    let (out, package) = (place.path().join("out"), package(place.path(), "a"));
    let committed = run(&out, &package, facts("base", 3), 1000, 1.0);
    let expected = [
        "_SUCCESS",
        "kpis/scenario=base/seed=3/part-0.parquet",
        "layers/buildings.parquet",
        "layers/links.parquet",
        "layers/nodes.parquet",
        "layers/pois.parquet",
        "layers/zones.parquet",
        "link_state/scenario=base/seed=3/part-0.parquet",
        "runs/scenario=base/seed=3/part-0.parquet",
        "trips/scenario=base/seed=3/part-0.parquet",
    ];
    assert_eq!(names(&out), expected);
    assert_eq!(std::fs::read_to_string(out.join("layers/links.parquet")).unwrap(), "links a");
    assert_eq!(committed.files.len(), expected.len() - 1);
    for (path, hash) in &committed.files {
        assert_eq!(*hash, urbis_core::hash::sha256_file(path).unwrap());
    }

    // Anybody can check the marker; `runs` is not in it.
    let marker = Marker::read(&out).unwrap();
    assert_eq!(marker.files.len(), 8);
    assert!(!marker.files.keys().any(|file| file.starts_with("runs/")));
    let check = Command::new("sha256sum").args(["-c", "_SUCCESS"]).current_dir(&out).output();
    if let Ok(check) = check {
        assert!(check.status.success(), "{check:?}");
    }

    let (batches, file) = read(&out.join("link_state/scenario=base/seed=3/part-0.parquet"));
    let metadata = file.metadata().file_metadata().clone();
    assert_eq!(metadata.created_by(), Some("urbis version 0.1.0"));
    let footer = |key: &str| {
        let all = metadata.key_value_metadata().unwrap();
        all.iter().find(|kv| kv.key == key).and_then(|kv| kv.value.clone()).unwrap_or_default()
    };
    assert_eq!(footer("urbis.run_id"), committed.run_id);
    assert_eq!(
        (footer("urbis.scenario_hash").as_str(), footer("urbis.city_hash").as_str(), footer("urbis.seed").as_str()),
        ("aa", "bb", "3")
    );
    assert_eq!(footer("urbis.schema_version"), "1");
    assert!(footer("urbis.table_description").contains("State of road links"));
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 1000);
    let batch = &batches[0];
    let times = batch.column_by_name("time").unwrap().as_primitive::<TimestampMillisecondType>();
    assert_eq!((times.value(0), times.timezone()), (START_MS, Some("UTC")));
    let travel = batch.column_by_name("travel_time_s").unwrap().as_primitive::<Float64Type>();
    assert!(travel.is_null(0) && travel.is_valid(1));
    for field in batch.schema().fields() {
        assert!(field.metadata().contains_key("unit") && !field.metadata()["description"].is_empty(), "{field}");
    }
    assert_eq!(batch.schema().field_with_name("speed_mps").unwrap().metadata()["unit"], "m/s");

    let (trips, _) = read(&out.join("trips/scenario=base/seed=3/part-0.parquet"));
    assert!(trips[0].column_by_name("to_building").unwrap().is_null(0));
    assert_eq!(trips[0].column_by_name("to_zone").unwrap().as_string::<i32>().value(0), "external:east");
    let (runs, _) = read(&out.join("runs/scenario=base/seed=3/part-0.parquet"));
    assert_eq!(runs[0].num_rows(), 1);
}

#[test]
fn equal_runs_are_equal_but_for_table_runs() {
    let place = tempfile::tempdir().unwrap();
    let package = package(place.path(), "a");
    let outs = [place.path().join("one"), place.path().join("two")];
    run(&outs[0], &package, facts("base", 3), 20_000, 1.0);
    run(&outs[1], &package, facts("base", 3), 20_000, 2.0);
    let differing: Vec<_> =
        tree(&outs[0]).into_iter().zip(tree(&outs[1])).filter(|(a, b)| a != b).map(|(a, _)| a.0).collect();
    assert_eq!(differing, ["runs/scenario=base/seed=3/part-0.parquet"]);
    assert_ne!(facts("base", 3).run_id(), facts("base", 4).run_id());
}

#[test]
fn a_second_run_replaces_its_own_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let (out, package) = (place.path().join("out"), package(place.path(), "a"));
    run(&out, &package, facts("base", 1), 10, 1.0);
    run(&out, &package, facts("base", 11), 10, 1.0);
    let other_before: Vec<_> = tree(&out).into_iter().filter(|(name, _)| name.contains("seed=11")).collect();

    let mut writer = ResultsWriter::create(&out, &package, facts("base", 1), &[]).unwrap();
    writer
        .presence(&PresenceRow { time: TimeMs(START_MS), building_id: "way/1", zone_id: "mc-1", persons: 3 })
        .unwrap();
    writer.finish(&end(1.0)).unwrap();
    let of_one: Vec<_> = names(&out).into_iter().filter(|name| name.contains("seed=1/")).collect();
    assert_eq!(of_one, ["presence/scenario=base/seed=1/part-0.parquet", "runs/scenario=base/seed=1/part-0.parquet"]);
    let other_after: Vec<_> = tree(&out).into_iter().filter(|(name, _)| name.contains("seed=11")).collect();
    assert_eq!(other_before, other_after);
    let marker = Marker::read(&out).unwrap();
    assert_eq!(marker.in_partition("scenario=base/seed=1").count(), 1);
    assert_eq!(marker.in_partition("scenario=base/seed=11").count(), 3);
    assert!(names(&out).iter().all(|name| !name.starts_with('.')));
}

#[test]
fn dropped_midway_leaves_the_earlier_run_alone() {
    let place = tempfile::tempdir().unwrap();
    let (out, package) = (place.path().join("out"), package(place.path(), "a"));
    run(&out, &package, facts("base", 1), 10, 1.0);
    let before = tree(&out);
    let mut writer = ResultsWriter::create(&out, &package, facts("base", 1), &[]).unwrap();
    fill(&mut writer, 50_000);
    assert_ne!(tree(&out).len(), before.len(), "staged within the folder");
    drop(writer);
    assert_eq!(tree(&out), before);

    let fresh = place.path().join("fresh");
    drop(ResultsWriter::create(&fresh, &package, facts("base", 1), Table::ALL).unwrap());
    assert_eq!(tree(&fresh), []);
}

/// Runs one test of this file in a process of its own, through a shell line that may limit it.
fn in_own_process(shell: &str, test: &str, out: &Path) -> std::process::Output {
    Command::new("sh")
        .args(["-c", shell])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("URBIS_TEST_OUT", out)
        .output()
        .unwrap()
}

#[test]
fn killed_midway_is_swept_out_by_the_next_run() {
    if let Some(out) = std::env::var_os("URBIS_TEST_OUT") {
        let out = PathBuf::from(out);
        let package = package(files::parent(&out), "a");
        let mut writer = ResultsWriter::create(&out, &package, facts("base", 1), &[]).unwrap();
        fill(&mut writer, 300_000);
        std::process::abort();
    }
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let child = in_own_process("exec \"$0\" \"$@\"", "killed_midway_is_swept_out_by_the_next_run", &out);
    assert!(!child.status.success());
    let left = names(&out);
    assert!(!left.is_empty() && left.iter().all(|name| name.starts_with(".unfinished-")), "{left:?}");

    // Another run's leftovers and somebody else's folder are told apart.
    let package = package(place.path(), "a");
    std::fs::create_dir(out.join(".unfinished-mine")).unwrap();
    run(&out, &package, facts("base", 2), 10, 1.0);
    let hidden: Vec<_> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(hidden, [".unfinished-mine"]);
    run(&out, &package, facts("base", 1), 10, 1.0);
    assert_eq!(Marker::read(&out).unwrap().in_partition("scenario=base/seed=1").count(), 3);
}

#[test]
fn no_space_is_an_error_that_names_the_place() {
    if let Some(out) = std::env::var_os("URBIS_TEST_OUT") {
        let out = PathBuf::from(out);
        let package = package(files::parent(&out), "a");
        let mut writer = ResultsWriter::create(&out, &package, facts("base", 1), &[]).unwrap();
        let mut failed = None;
        for row in 0..3 * ROW_GROUP_ROWS as u32 {
            // Ids that do not repeat, so that the file grows.
            let id = urbis_core::hash::sha256_hex(&row.to_le_bytes());
            failed = writer.link_state(&link_row(row, &id)).err();
            if failed.is_some() {
                break;
            }
        }
        let error = failed.expect("a file grew beyond its limit");
        assert_eq!(error.exit_status(), ExitStatus::BadInput);
        assert!(matches!(&error, Error::Write { source, .. } if source.raw_os_error().is_some()), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("cannot write") && text.contains("link_state"), "{text}");
        drop(writer);
        assert_eq!(tree(&out), []);
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    // A limit on the size of files fails writes as a full disk does (EFBIG instead of ENOSPC).
    let limited = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\"";
    let child = in_own_process(limited, "no_space_is_an_error_that_names_the_place", &out);
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
}

#[test]
fn two_writers_of_one_run_are_told_apart() {
    let place = tempfile::tempdir().unwrap();
    let (out, package) = (place.path().join("out"), package(place.path(), "a"));
    let first = ResultsWriter::create(&out, &package, facts("base", 1), &[]).unwrap();
    let other_seed = ResultsWriter::create(&out, &package, facts("base", 2), &[]).unwrap();
    let Err(Error::Input(problems)) = ResultsWriter::create(&out, &package, facts("base", 1), &[]) else {
        panic!("two writers of one run")
    };
    assert!(problems.listed()[0].to_string().contains("being written here by another"), "{problems:?}");
    first.finish(&end(1.0)).unwrap();
    other_seed.finish(&end(1.0)).unwrap();
    assert!(ResultsWriter::create(&out, &package, facts("base", 1), &[]).is_ok());
}

#[test]
fn a_file_in_the_way_and_missing_layers_are_clear_errors() {
    let place = tempfile::tempdir().unwrap();
    let package = package(place.path(), "a");
    let way = place.path().join("way");
    std::fs::write(&way, b"in the").unwrap();
    let error = ResultsWriter::create(&way, &package, facts("base", 1), &[]).unwrap_err();
    assert_eq!(error.exit_status(), ExitStatus::BadInput);
    assert!(error.to_string().contains(&format!("cannot write {}", way.display())), "{error}");
    assert_eq!(std::fs::read(&way).unwrap(), b"in the");

    // A file where a table's folder has to go.
    let out = place.path().join("out");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("link_state"), b"in the").unwrap();
    let mut writer = ResultsWriter::create(&out, &package, facts("base", 1), &[]).unwrap();
    fill(&mut writer, 10);
    let error = writer.finish(&end(1.0)).unwrap_err();
    assert!(matches!(&error, Error::Write { path, .. } if path.starts_with(out.join("link_state"))), "{error:?}");
    assert!(!out.join("_SUCCESS").exists());
    assert!(names(&out).iter().all(|name| !name.starts_with('.')));

    std::fs::remove_file(package.join("layers/pois.parquet")).unwrap();
    let error = ResultsWriter::create(&place.path().join("new"), &package, facts("base", 1), &[]).unwrap_err();
    assert!(error.to_string().contains("layers/pois.parquet"), "{error}");
    assert!(!place.path().join("new").exists());

    for name in ["", "a/b", "..", "a b", "a=b"] {
        let error = ResultsWriter::create(&out, &package, facts(name, 1), &[]).unwrap_err();
        assert!(matches!(error, Error::Input(_)), "{name}: {error}");
    }
}

#[test]
fn results_of_two_cities_do_not_mix() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let (first, second) = (package(place.path(), "a"), package(place.path(), "b"));
    run(&out, &first, facts("base", 1), 10, 1.0);
    // The only run may be computed anew on another city ...
    run(&out, &second, facts("base", 1), 10, 1.0);
    assert_eq!(std::fs::read_to_string(out.join("layers/links.parquet")).unwrap(), "links b");
    // ... but not beside it.
    let Err(Error::Input(problems)) = ResultsWriter::create(&out, &first, facts("base", 2), &[]) else {
        panic!("mixed")
    };
    assert!(problems.listed()[0].to_string().contains("runs of another city package"), "{problems:?}");

    // A package that changes while a run is computed is caught.
    let writer = ResultsWriter::create(&out, &second, facts("base", 1), &[]).unwrap();
    std::fs::write(second.join("layers/nodes.parquet"), b"changed").unwrap();
    let Err(Error::Input(problems)) = writer.finish(&end(1.0)) else { panic!("accepted") };
    assert!(problems.listed()[0].to_string().contains("changed while"), "{problems:?}");
    assert_eq!(Marker::read(&out).unwrap().in_partition("scenario=base/seed=1").count(), 3, "the earlier run stays");
}

#[test]
fn figures_that_are_not_finite_stop_the_run() {
    let place = tempfile::tempdir().unwrap();
    let (out, package) = (place.path().join("out"), package(place.path(), "a"));
    let mut writer = ResultsWriter::create(&out, &package, facts("base", 1), &[]).unwrap();
    writer.at_tick(77);
    let row = |value| LedgersRow { time: TimeMs(0), ledger: "energy", term: "served", value, unit: "J" };
    writer.ledgers(&row(1.0)).unwrap();
    let error = writer.ledgers(&row(f64::NAN)).unwrap_err();
    assert_eq!(error.exit_status(), ExitStatus::Fault);
    assert!(error.to_string().contains("tick 77"), "{error}");
    assert!(error.to_string().contains("table ledgers row 2: value = NaN"), "{error}");
}

#[test]
fn row_groups_are_bounded() {
    let place = tempfile::tempdir().unwrap();
    let (out, package) = (place.path().join("out"), package(place.path(), "a"));
    let rows = 2 * ROW_GROUP_ROWS + 5;
    run(&out, &package, facts("base", 1), rows as u32, 1.0);
    let (batches, file) = read(&out.join("link_state/scenario=base/seed=1/part-0.parquet"));
    let groups: Vec<_> = file.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(groups, [ROW_GROUP_ROWS as i64, ROW_GROUP_ROWS as i64, 5]);
    let total: f64 = batches
        .iter()
        .map(|batch| {
            let column: &Float64Array = batch.column_by_name("density_vpm").unwrap().as_primitive();
            column.iter().flatten().sum::<f64>()
        })
        .sum();
    assert!((total - 0.01 * rows as f64).abs() < 1e-6 * rows as f64);
}
