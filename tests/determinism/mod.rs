//! Equal runs give equal bytes, on any number of threads: every file but table `runs`.

use urbis::step::{Step, schedule, schedule_added_as};
use urbis_output::{RunEnd, Table};
use urbis_tests::{hash_of_hashes, hashes, installed_writing, run, scenario_in};

fn same_for(scenario: &str, patch: &str, threads: &[usize]) {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), scenario, patch);
    let mut first = None;
    for &count in threads {
        let out = place.path().join(format!("out-{count}"));
        let summary = run(&scenario, &out, count, None).unwrap();
        let files = hashes(&out);
        println!("{} threads: {} files, {} in {:.1} s", count, files.len(), hash_of_hashes(&files), summary.wall_s);
        assert!(files.len() >= 10, "{files:?}");
        match &first {
            None => first = Some(files),
            Some(first) => {
                for (name, hash) in first {
                    assert_eq!(files.get(name), Some(hash), "{name} differs on {count} threads");
                }
                assert_eq!(files.len(), first.len());
            }
        }
        std::fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn monaco_is_the_same_on_1_2_3_and_8_threads() {
    same_for("scenarios/monaco/baseline.toml", "", &[1, 2, 3, 8]);
}

#[test]
fn monaco_with_a_grid_is_the_same_on_2_and_3_threads() {
    let storm = "[power.grid]\nsource = \"synthetic\"\nrandom_faults = { factor = 300.0 }\n";
    same_for("scenarios/monaco/baseline.toml", storm, &[2, 3]);
}

#[test]
fn monaco_with_all_its_networks_is_the_same_on_1_and_3_threads() {
    same_for("scenarios/monaco/networks.toml", "", &[1, 3]);
}

#[test]
fn the_town_with_all_its_networks_is_the_same_on_1_2_and_8_threads() {
    same_for("scenarios/town/networks.toml", "", &[1, 2, 8]);
}

#[test]
fn the_town_with_devices_is_the_same_on_1_2_and_8_threads() {
    same_for("scenarios/town/devices.toml", "", &[1, 2, 8]);
}

#[test]
fn the_town_is_the_same_twice_and_on_8_threads() {
    same_for("scenarios/town/baseline.toml", "", &[1, 1, 8]);
}

#[test]
fn sets_added_in_another_order_run_in_the_same() {
    use Step::{Advance, Audit, Demand, Exchange, Feedback, Record, Solve};
    let shuffled = [
        [Record, Audit, Feedback, Solve, Exchange, Demand, Advance],
        [Solve, Record, Advance, Feedback, Audit, Exchange, Demand],
    ];
    let tables = [Table::LinkState, Table::ZoneLoad, Table::EnergyBalance, Table::WaterNode, Table::Trips];
    let with = |schedule| {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        let patch = "[period]\nduration_h = 6\n";
        let to = (out.as_path(), &tables[..]);
        let mut simulation = installed_writing(place.path(), "scenarios/town/networks.toml", patch, 1, None, to);
        simulation.set_schedule(schedule);
        while simulation.step().unwrap() {}
        let (writer, _) = simulation.finish().unwrap();
        writer.finish(&RunEnd::default()).unwrap();
        let mut files = hashes(&out);
        files.retain(|name, _| tables.iter().any(|table| name.starts_with(&format!("{}/", table.name()))));
        assert_eq!(files.len(), tables.len(), "{files:?}");
        files
    };
    let plain = with(schedule());
    for order in shuffled {
        assert_eq!(with(schedule_added_as(order)), plain, "{order:?}");
    }
}

#[test]
fn another_seed_is_another_day() {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), "scenarios/town/baseline.toml", "");
    let trips = |seed| {
        let out = place.path().join(format!("seed-{seed}"));
        run(&scenario, &out, 2, Some(seed)).unwrap();
        hashes(&out)[&format!("trips/scenario=test/seed={seed}/part-0.parquet")].clone()
    };
    assert_ne!(trips(1), trips(2));
}

#[test]
fn two_seeds_share_a_folder_and_its_marker() {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), "scenarios/town/baseline.toml", "");
    let out = place.path().join("out");
    run(&scenario, &out, 2, Some(1)).unwrap();
    let before = hashes(&out);
    run(&scenario, &out, 1, Some(2)).unwrap();
    let after = hashes(&out);
    for (name, hash) in before.iter().filter(|(name, _)| *name != "_SUCCESS") {
        assert_eq!(after.get(name), Some(hash), "{name}");
    }
    let marker = std::fs::read_to_string(out.join("_SUCCESS")).unwrap();
    for seed in [1, 2] {
        assert!(marker.contains(&format!("trips/scenario=test/seed={seed}/part-0.parquet")), "{marker}");
    }
    assert!(!marker.contains("runs/"));
}
