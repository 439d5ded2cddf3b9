//! `urbis water` from outside: an input file of EPANET in, tables out, exit codes.

mod common;

use common::{Ended, folder, urbis};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;

/// A reservoir on a hill, two houses in a row, and one behind a closed pipe.
const NET: &str = "[JUNCTIONS]
near 10 5
far 10 5
cut 10 5
[RESERVOIRS]
hill 60
[PIPES]
a hill near 1000 200 100 0 Open
b near far 1000 200 100 0 Open
c far cut 1000 200 100 0 Closed
[OPTIONS]
Units LPS
Headloss H-W
[TIMES]
Duration 2
Report Timestep 1
[END]
";

fn water(place: &Path, arguments: &[&str]) -> Ended {
    urbis(place, &[&["water"], arguments].concat())
}

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

#[test]
fn a_network_from_file_to_tables() {
    let place = folder(&[("net.inp", NET)]);
    let ended = water(place.path(), &["solve", "net.inp", "--out", "out", "--format", "csv"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let out = place.path().join("out");
    let nodes = rows(&out.join("node.csv"));
    assert_eq!(nodes.len(), 3 * 4);
    // 10.667 L (q/C)^1.852 / d^4.871 of 10 l/s.
    let loss = 10.667 * 1000.0 * (0.01_f64 / 100.0).powf(1.852) / 0.2_f64.powf(4.871);
    assert!((number(&nodes[0], "head_m") - (60.0 - loss)).abs() < 2e-3 * loss, "{:?}", nodes[0]);
    assert_eq!(
        ["node_id", "is_supplied", "pressure_m", "served_m3ps"].map(|column| nodes[2][column].as_str()),
        ["cut", "false", "0.0", "0.0"]
    );
    let links = rows(&out.join("link.csv"));
    assert_eq!(links.iter().map(|row| row["status"].as_str()).collect::<Vec<_>>()[..3], ["open", "open", "closed"]);
    assert!((number(&links[0], "flow_m3ps") - 0.01).abs() < 1e-6);
    let told: Json = serde_json::from_str(&std::fs::read_to_string(out.join("summary.json")).unwrap()).unwrap();
    assert!((told["served_m3"].as_f64().unwrap() - 0.01 * 7200.0).abs() < 1e-3, "{told}");
    assert!((told["unserved_m3"].as_f64().unwrap() - 0.005 * 7200.0).abs() < 1e-3, "{told}");
    assert!(told["residual_m3"].as_f64().unwrap().abs() < 1e-6 && told["unsupplied_nodes_max"] == 1, "{told}");
    // Parquet, and demands that depend on pressure: 50 m are more than enough.
    let ended = water(place.path(), &["solve", "net.inp", "--out", "pda", "--demand-model", "pda", "--format", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let told: Json = serde_json::from_str(&ended.stdout).unwrap();
    assert!((told["served_m3"].as_f64().unwrap() - 0.01 * 7200.0).abs() < 1e-3, "{told}");
    assert!(place.path().join("pda/link.parquet").exists());
}

/// A pump follows its pattern; a rule starts it, at the speed that it has.
#[test]
fn rules_and_patterns_steer_pumps() {
    let net = "[JUNCTIONS]\na 0 1\n[RESERVOIRS]\nlow 10\n[TANKS]\nhigh 30 1 0 9 20 0\n[PIPES]\np a high 100 200 100 0 Open\n\
               [PUMPS]\nu low a HEAD c SPEED 0.9\n[CURVES]\nc 10 60\n[STATUS]\nu Closed\n\
               [RULES]\nRULE 1\nIF SYSTEM TIME >= 1:30\nTHEN PUMP u STATUS IS OPEN\n\
               [OPTIONS]\nUnits LPS\nHeadloss H-W\n[TIMES]\nDuration 4\nRule Timestep 0:30\n[END]\n";
    let place = folder(&[("net.inp", net)]);
    let ended = water(place.path(), &["solve", "net.inp", "--out", "out", "--format", "csv", "-q"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let links = rows(&place.path().join("out/link.csv"));
    let pump: Vec<(&str, f64)> = links
        .iter()
        .filter(|row| row["link_id"] == "u")
        .map(|row| (row["status"].as_str(), number(row, "flow_m3ps")))
        .collect();
    assert_eq!(pump.iter().map(|of| of.0).collect::<Vec<_>>(), ["closed", "closed", "open", "open", "open"]);
    assert!(pump[1].1.abs() < 1e-9 && pump[2].1 > 1e-3, "{pump:?}");
    let pumps = rows(&place.path().join("out/pump.csv"));
    assert!((number(&pumps[0], "running_s") - 2.5 * 3600.0).abs() < 1.0, "{pumps:?}");
}

#[test]
fn bad_input_is_named() {
    let spoilt = NET.replace("b near far 1000", "b near fat -1000");
    let place = folder(&[("net.inp", spoilt.as_str()), ("none.inp", "[JUNCTIONS]\na 1\n")]);
    let ended = water(place.path(), &["solve", "net.inp", "--out", "out"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("net.inp") && ended.stderr.contains("fat"), "{}", ended.stderr);
    assert!(!place.path().join("out").exists());
    let ended = water(place.path(), &["solve", "none.inp", "--out", "out"]);
    assert!(ended.code == 2 && ended.stderr.contains("none.inp"), "{}", ended.stderr);
    let whole = folder(&[("net.inp", NET)]);
    let pressures = ["--demand-model", "pda", "--required-pressure=-1"];
    let ended = water(whole.path(), &[&["solve", "net.inp", "--out", "out"], &pressures[..]].concat());
    assert!(ended.code == 2 && ended.stderr.contains("required pressure"), "{}", ended.stderr);
}
