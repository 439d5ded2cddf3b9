//! `urbis checkup` from outside: what it prints and writes, its list beside the documentation, bad input in words.

mod common;

use common::{Ended, folder, urbis};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Results of a few hours of the town, two scenarios of two seeds.
fn town() -> TempDir {
    let base = root().join("scenarios/town/baseline.toml");
    let plain = format!("base = {base:?}\nname = \"plain\"\n[city]\npackage = \"city\"\n[period]\nduration_h = 7\n");
    let place = folder(&[
        ("plain.toml", &plain),
        ("cars.toml", "base = \"plain.toml\"\nname = \"cars\"\n[population]\ncar_share = 0.9\n"),
    ]);
    for scenario in ["plain.toml", "cars.toml"] {
        for seed in ["1", "2"] {
            let ended = urbis(place.path(), &["run", scenario, "--out", "out", "--seed", seed, "--quiet"]);
            assert_eq!(ended.code, 0, "{}", ended.stderr);
        }
    }
    place
}

fn checked(place: &TempDir, arguments: &[&str]) -> Ended {
    let ended = urbis(place.path(), &[&["checkup", "out"], arguments].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended
}

#[test]
fn results_are_checked_printed_and_written() {
    let place = town();
    let first = checked(&place, &[]);
    assert!(first.stderr.contains("table in out/checkup/indicators.parquet"), "{}", first.stderr);
    for part in [
        "Traffic & transport",
        "Travel time index",
        "good <= 1.5, watch <= 2.5",
        "Not told, and why",
        "needs a scenario to be set against",
    ] {
        assert!(first.stdout.contains(part), "{part} is missing:\n{}", first.stdout);
    }
    assert!(!first.stdout.contains('\u{1b}'), "no colours where nobody looks");
    assert_eq!(first.stdout, checked(&place, &[]).stdout, "the same again");
    let table = std::fs::read(place.path().join("out/checkup/indicators.parquet")).unwrap();
    assert_eq!(table, std::fs::read(place.path().join("out/checkup/indicators.parquet")).unwrap());

    let json =
        checked(&place, &["--base", "plain", "--indicators", "peak_speed,9,73", "--json", "--out", "one.parquet"]);
    assert!(place.path().join("one.parquet").is_file());
    let json: Json = serde_json::from_str(&json.stdout).unwrap();
    let of = &json["scenarios"][1];
    assert_eq!(
        (&json["base"], &of["scenario"], &of["seeds"]),
        (&"plain".into(), &"cars".into(), &serde_json::json!([1, 2]))
    );
    let indicators = of["indicators"].as_array().unwrap();
    assert_eq!(indicators.iter().map(|of| of["id"].as_u64().unwrap()).collect::<Vec<_>>(), [6, 9, 73]);
    let shares = indicators[1]["figures"].as_array().unwrap();
    let walk =
        shares.iter().find(|row| row["part"] == "walk" && row["zone_id"].is_null() && row["hour"].is_null()).unwrap();
    assert_eq!(walk["seeds"].as_array().unwrap().len(), 2);
    assert_eq!(walk["effect"]["n"], 2);

    let zones = checked(&place, &["--by", "zone", "--indicators", "23,24"]);
    assert!(zones.stdout.contains("Jobs/housing ratio: east"), "{}", zones.stdout);
}

#[test]
fn the_documentation_holds_the_list() {
    let place = folder(&[]);
    let listed = urbis(place.path(), &["checkup", "--list"]);
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    assert_eq!(listed.stdout.lines().count(), 75, "two lines of header and 73 rows");
    let page = std::fs::read_to_string(root().join("docs/checkup.md")).unwrap();
    assert!(page.contains(&listed.stdout), "put what `urbis checkup --list` prints into docs/checkup.md");
}

#[test]
fn bad_input_is_named() {
    let place = folder(&[]);
    for (arguments, told) in [
        (vec!["checkup", "absent"], "no finished results folder"),
        (vec!["checkup", "."], "no finished results folder"),
        (vec!["checkup"], "RESULTS"),
        (vec!["checkup", ".", "--indicators", "peak_sped"], "did you mean `peak_speed`?"),
        (vec!["checkup", ".", "--indicators", "74"], "no indicator `74`"),
        (vec!["checkup", "s3://bucket/x"], "pull it first"),
    ] {
        let ended = urbis(place.path(), &arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(told), "{arguments:?}: {}", ended.stderr);
    }
}
