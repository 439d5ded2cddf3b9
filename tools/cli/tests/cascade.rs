//! `urbis cascade` from outside: theory on a small scale, failures in the town.

#[allow(dead_code)] // every test file uses its share
mod common;

use common::{Ended, folder, urbis};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;

type Row = BTreeMap<String, String>;

fn rows(path: &Path) -> Vec<Row> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn number(of: &Json) -> f64 {
    of.as_f64().unwrap_or_else(|| panic!("{of} is no number"))
}

#[test]
fn small_networks_collapse_near_the_theory() {
    let place = folder(&[]);
    let arguments = ["cascade", "theory", "--nodes", "4000", "--seeds", "4", "--format", "csv", "--out", "theory"];
    let ended = urbis(place.path(), &arguments);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for figure in ["2.4554", "1.2564", "3.0891", "1.9038", "seeds 1 to 4"] {
        assert!(ended.stdout.contains(figure), "no {figure} in {}", ended.stdout);
    }
    let summary: Json =
        serde_json::from_slice(&std::fs::read(place.path().join("theory/summary.json")).unwrap()).unwrap();
    for of in summary["runs"].as_array().unwrap() {
        let networks = number(&of["networks"]);
        let (pk, theory) = (number(&of["pk_critical"]["mean"]), number(&of["pk_critical_theory"]));
        // Four seeds of 4000 nodes: 2 % each.
        assert!((pk / theory - 1.0).abs() < 0.06, "{networks} networks: {pk} {theory}");
        let (above, below) = (number(&of["kp_inf"]["mean"]), number(&of["kp_after"]["mean"]));
        let jump = above - below;
        assert_eq!(jump > 0.5, networks > 1.5, "{networks} networks: {above} to {below}");
    }
    let collapses = rows(&place.path().join("theory/collapse.csv"));
    assert_eq!(collapses.len(), 12);
    // The same bytes on other numbers of threads.
    let again = [&arguments[..8], &["--threads", "3", "--out", "again"]].concat();
    assert_eq!(urbis(place.path(), &again).code, 0);
    for table in ["collapse.csv", "giant.csv", "summary.json"] {
        let [first, second] = ["theory", "again"].map(|of| std::fs::read(place.path().join(of).join(table)).unwrap());
        assert!(first == second && !first.is_empty(), "{table} differs");
    }
}

#[test]
fn degrees_without_a_giant_component_are_refused() {
    let place = folder(&[]);
    let ended = urbis(place.path(), &["cascade", "theory", "--degree", "2", "--networks", "2", "--nodes", "10"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("--degree") && ended.stderr.contains("2.4554"), "{}", ended.stderr);
    assert!(ended.stderr.contains("--nodes"), "{}", ended.stderr);
}

/// The town with all its networks, in a folder of its own.
fn town(place: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let text = std::fs::read_to_string(root.join("scenarios/town/networks.toml")).unwrap();
    let base = std::fs::read_to_string(root.join("scenarios/town/baseline.toml")).unwrap();
    let recipe = root.join("assets/town/city.toml");
    let base = base
        .replace("\"../../cities/town\"", "\"city\"")
        .replace("\"../../assets/town/city.toml\"", &format!("{:?}", recipe.display().to_string()));
    std::fs::write(place.join("networks.toml"), text).unwrap();
    std::fs::write(place.join("baseline.toml"), base).unwrap();
}

fn fail(place: &Path, arguments: &[&str]) -> Ended {
    urbis(place, &[&["cascade", "city", "networks.toml", "--quiet"], arguments].concat())
}

#[test]
fn a_bus_of_the_town_takes_down_what_hangs_on_it() {
    let place = folder(&[]);
    town(place.path());
    let ended =
        fail(place.path(), &["--fail", "bus:substation/0/mv@08:00+6", "--rank", "--format", "csv", "--out", "mv"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("most critical alone"), "{}", ended.stdout);
    let read = |name: &str| -> Json {
        serde_json::from_slice(&std::fs::read(place.path().join(name).join("summary.json")).unwrap()).unwrap()
    };
    let of = read("mv");
    let failed = |of: &Json, kind: &str| number(&of["kinds"][kind]["failed"]);
    let nodes = |of: &Json, kind: &str| number(&of["kinds"][kind]["nodes"]);
    // All of the town hangs on its one busbar, for six hours from eight.
    assert!((failed(&of, "electricity") - nodes(&of, "electricity")).abs() < 0.5);
    for kind in ["gas", "mobile_site", "signal", "water_pump"] {
        assert!(nodes(&of, kind) > 0.0, "no {kind}");
        assert!((failed(&of, kind) - nodes(&of, kind)).abs() < 0.5, "{kind}: {of:#}");
    }
    let electricity = &of["services"]["electricity"];
    assert!(number(&electricity["lowest_quality"]).abs() < 1e-12);
    assert!((number(&electricity["onset_s"]) - 5.0 * 3600.0).abs() < 1e-9, "the period starts at three");
    assert!((number(&electricity["all_back_h"]) - 6.0).abs() < 1e-9);
    assert!((number(&electricity["resilience_loss_h"]) - 6.0).abs() < 1e-9);
    let failures = rows(&place.path().join("mv/failures.csv"));
    assert_eq!(failures.iter().filter(|row| row["is_own"] == "true").count(), 1);
    // Batteries of mobile sites last four hours.
    let sites: Vec<&Row> = failures.iter().filter(|row| row["kind"] == "mobile_site").collect();
    let starts_s = (5 + 4) * 3600;
    assert!(sites.iter().all(|row| row["from_s"] == starts_s.to_string()), "{sites:?}");
    // Minutes of the table add up to what is lost.
    let people = rows(&place.path().join("mv/people.csv"));
    let lost: f64 = people.iter().map(|row| row["unserved_persons"].parse::<f64>().unwrap() / 60.0).sum();
    assert!((lost - number(&of["person_hours_lost"])).abs() < 1e-6 * lost, "{lost}");
    let ranks = rows(&place.path().join("mv/rank.csv"));
    let cost: Vec<f64> = ranks.iter().map(|row| row["person_hours_lost"].parse().unwrap()).collect();
    assert!(cost.windows(2).all(|pair| pair[0] >= pair[1]) && (cost[0] - lost).abs() < 1e-6 * lost, "{}", cost[0]);

    // Batteries of eight hours for the sites, and nobody is without them.
    let ended =
        fail(place.path(), &["--fail", "bus:substation/0/mv@08:00+6", "--backup", "mobile_site=8", "--out", "backed"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let backed = read("backed");
    assert!(failed(&backed, "mobile_site").abs() < 0.5 && failed(&backed, "mobile").abs() < 0.5);
    assert!(number(&backed["person_hours_lost"]) < number(&of["person_hours_lost"]));

    // Nothing fails, nothing is lost.
    let ended = fail(place.path(), &["--out", "none", "--threads", "2"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(number(&read("none")["person_hours_lost"]).abs() < 1e-12);
}

#[test]
fn what_the_town_does_not_have_is_refused_with_the_nearest_name() {
    let place = folder(&[]);
    town(place.path());
    let ended = fail(place.path(), &["--fail", "bus:substation/0/mw", "--fail", "heat_plant:none"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("did you mean `bus:substation/0/mv`?"), "{}", ended.stderr);
    // Its houses are too few for district heat.
    assert!(ended.stderr.contains("the city has no heat_plant"), "{}", ended.stderr);
    let ended = fail(place.path(), &["--fail", "busbar:1"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("did you mean `bus`?") && ended.stderr.contains("infeed"), "{}", ended.stderr);
}
