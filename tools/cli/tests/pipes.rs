//! `urbis gas`, `urbis heat` and `urbis sewer` from outside: files in, files out, exit codes, beside the answers of pandapipes
//! and SWMM that lie with the library's tests.

#[allow(dead_code)] // every test file uses its share
mod common;

use common::{folder, urbis};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../engine/utility/tests/data").join(name)
}

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

fn summary(out: &Path) -> Json {
    serde_json::from_str(&std::fs::read_to_string(out.join("summary.json")).unwrap()).unwrap()
}

/// Solves a net of pandapipes; returns its nodes beside the expected ones.
fn solved(place: &Path, of: &str, net: &str) -> Vec<[BTreeMap<String, String>; 2]> {
    let file = data(net).join("net.json.gz");
    let ended = urbis(place, &[of, "solve", &file.to_string_lossy(), "--out", of, "--format", "csv"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let expected = rows(&data(net).join("res_junction.csv"));
    let found = rows(&place.join(of).join("node.csv"));
    assert_eq!(found.len(), expected.len());
    found.into_iter().zip(expected).map(|(found, expected)| [found, expected]).collect()
}

#[test]
fn gas_and_heat_are_those_of_pandapipes() {
    let place = folder(&[("broken.json", "{\"_class\": \"pandapipesNet\"")]);
    for [found, expected] in solved(place.path(), "gas", "pandapipes_gas_zoo") {
        if !expected["p_bar"].is_empty() && found["is_supplied"] == "true" {
            assert!((number(&found, "p_bar") - number(&expected, "p_bar")).abs() < 1e-8, "{found:?} {expected:?}");
        }
    }
    for [found, expected] in solved(place.path(), "heat", "pandapipes_heat_zoo") {
        if !expected["t_k"].is_empty() && found["is_supplied"] == "true" {
            assert!((number(&found, "t_k") - number(&expected, "t_k")).abs() < 1e-6, "{found:?} {expected:?}");
        }
    }
    let told = summary(&place.path().join("heat"));
    let kw = |key: &str| told[key].as_f64().unwrap_or_else(|| panic!("{key}: {told}"));
    // Heat capacities are those of each link's own temperature, so that sums differ a little.
    assert!((kw("produced_kw") - kw("delivered_kw") - kw("lost_kw")).abs() < 1e-3 * kw("produced_kw"), "{told}");
    for of in ["gas", "heat"] {
        let ended = urbis(place.path(), &[of, "solve", "broken.json", "--out", "no"]);
        assert!(ended.code == 2 && ended.stderr.contains("broken.json"), "{}", ended.stderr);
        assert!(!place.path().join("no").exists());
    }
}

#[test]
fn sewers_keep_their_water() {
    let place = folder(&[("broken.inp", "[JUNCTIONS]\nJ1 abc\n")]);
    let file = data("sewer/tree_kinematic.inp");
    for method in ["kinematic", "dynamic"] {
        let ended = urbis(
            place.path(),
            &["sewer", "solve", &file.to_string_lossy(), "--out", method, "--method", method, "--format", "csv"],
        );
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let told = summary(&place.path().join(method));
        assert!(!rows(&place.path().join(method).join("link.csv")).is_empty(), "{told}");
        let errors = told.as_object().unwrap().iter().filter(|(key, _)| key.contains("continuity"));
        let errors: Vec<f64> = errors.filter_map(|(_, value)| value.as_f64()).collect();
        assert!(errors.len() >= 2 && errors.iter().all(|percent| percent.abs() < 2.0), "{told}");
    }
    let ended = urbis(place.path(), &["sewer", "solve", "broken.inp", "--out", "no"]);
    assert!(ended.code == 2 && ended.stderr.contains("broken.inp") && ended.stderr.contains("abc"), "{}", ended.stderr);
    assert!(!place.path().join("no").exists());
}

#[test]
fn networks_are_made_up_for_the_town() {
    let place = folder(&[
        ("two.toml", "[network]\nlevels = \"two\"\n"),
        ("sparse.toml", "[network]\nlinear_density_kwhpm_min = 300\ncluster_kwh_min = 1e5\n"),
        ("wrong.toml", "[network]\nmedium_feed_pa = -1\n[estimate]\nmean_c = 99\n"),
        ("unknown.toml", "[network]\nlevel = 2\n"),
    ]);
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/town/city.toml");
    let built = urbis(place.path(), &["city", "build", &recipe.to_string_lossy(), "--out", "town"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let plan = |of: &str, out: &str, more: &[&str]| {
        let ended = urbis(place.path(), &[&[of, "plan", "town", "--out", out], more].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(ended.stdout.contains("synthetic") && ended.stdout.contains("published"), "{}", ended.stdout);
        let told = summary(&place.path().join(out));
        for table in ["node", "link", "building", "figures"] {
            assert!(place.path().join(out).join(format!("{table}.parquet")).exists(), "{table}");
        }
        assert!(told["synthetic"] == true && told["converged"] == true && told["within_limits"] == true, "{told}");
        told
    };
    let one = plan("gas", "one", &[]);
    let two = plan("gas", "two", &["--settings", "two.toml"]);
    for told in [&one, &two] {
        assert_eq!(told["supplied_buildings"], told["connected_buildings"], "{told}");
        let [fed, drawn] = ["fed_kgps", "drawn_kgps"].map(|key| told[key].as_f64().unwrap());
        assert!(drawn > 0.0 && (fed / drawn - 1.0).abs() < 1e-9, "{told}");
    }
    assert!(one["regulators"] == 0 && two["regulators"].as_u64() > Some(0), "{two}");
    let heat = plan("heat", "heat", &["--settings", "sparse.toml"]);
    assert!(heat["plants"].as_u64() > Some(0) && place.path().join("heat/plant.parquet").exists(), "{heat}");
    for (of, settings, wanted) in
        [("gas", "wrong.toml", "mean_c"), ("heat", "wrong.toml", "medium_feed_pa"), ("gas", "unknown.toml", "level")]
    {
        let ended = urbis(place.path(), &[of, "plan", "town", "--out", "no", "--settings", settings]);
        assert!(ended.code == 2 && ended.stderr.contains(wanted), "{}", ended.stderr);
        assert!(!place.path().join("no").exists());
    }
}

#[test]
fn a_city_without_a_water_network_gets_one() {
    let place = folder(&[("tall.toml", "storeys_max = 5\n"), ("bad.toml", "storeys = 5\n")]);
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/town/city.toml");
    let built = urbis(place.path(), &["city", "build", recipe.to_str().unwrap(), "--out", "town"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let water = |arguments: &[&str]| urbis(place.path(), &[&["water"], arguments].concat());
    let ended = water(&["plan", "town", "--out", "water"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("synthetic water network: 215 buildings"), "{}", ended.stdout);
    let told = summary(&place.path().join("water"));
    assert!(told["synthetic"] == true && told["converged"] == true, "{told}");
    assert_eq!((&told["buildings"], &told["supplied_buildings"]), (&215.into(), &215.into()));
    for table in ["node", "link", "building", "zone", "figures"] {
        assert!(place.path().join(format!("water/{table}.parquet")).is_file(), "{table}");
    }
    // The file for EPANET is one that the solver reads; the same again is the same, byte for byte.
    let solved = water(&["solve", "water/network.inp", "--out", "day"]);
    assert_eq!(solved.code, 0, "{}", solved.stderr);
    let day = summary(&place.path().join("day"));
    let served_m3 = |of: &Json| of["served_m3"].as_f64().unwrap();
    assert!((served_m3(&day) / served_m3(&told["day"]) - 1.0).abs() < 1e-6, "{day}");
    assert_eq!(water(&["plan", "town", "--out", "again", "--settings", "tall.toml"]).code, 0);
    assert!(
        summary(&place.path().join("again"))["pressure_m_min_at_peak"].as_f64()
            > told["pressure_m_min_at_peak"].as_f64()
    );
    assert_eq!(water(&["plan", "town", "--out", "twin"]).code, 0);
    let bytes = |out: &str| std::fs::read(place.path().join(out).join("network.inp")).unwrap();
    assert!(bytes("twin") == bytes("water"));
    let refused = water(&["plan", "town", "--out", "refused", "--settings", "bad.toml"]);
    assert!(refused.code == 2 && refused.stderr.contains("storeys"), "{}", refused.stderr);
}

#[test]
fn a_city_without_a_sewer_gets_one() {
    let place = folder(&[("storm.toml", "kind = \"storm\"\n"), ("bad.toml", "street_width = 10.0\n")]);
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/town/city.toml");
    let built = urbis(place.path(), &["city", "build", recipe.to_str().unwrap(), "--out", "town"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let plan =
        |out: &str, more: &[&str]| urbis(place.path(), &[&["sewer", "plan", "town", "--out", out], more].concat());
    let ended = plan("sewer", &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("synthetic sewer") && ended.stdout.contains("recalled"), "{}", ended.stdout);
    let told = summary(&place.path().join("sewer"));
    assert!(told["synthetic"] == true && told["buildings"] == 215, "{told}");
    assert_eq!(told["design_storm"]["flooded_nodes"], 0, "{told}");
    assert!(told["tenfold_storm"]["gap"].as_f64().unwrap() <= 1e-9, "{told}");
    for table in ["node", "link", "building", "figures"] {
        assert!(place.path().join(format!("sewer/{table}.parquet")).is_file(), "{table}");
    }
    // The input file beside them is one that is solved; the same again is the same, byte for byte.
    let solved = urbis(place.path(), &["sewer", "solve", "sewer/sewer.inp", "--out", "solved"]);
    assert_eq!(solved.code, 0, "{}", solved.stderr);
    assert_eq!(plan("again", &[]).code, 0);
    let bytes = |out: &str| std::fs::read(place.path().join(out).join("link.parquet")).unwrap();
    assert!(bytes("again") == bytes("sewer"));
    assert_eq!(plan("storm", &["--settings", "storm.toml"]).code, 0);
    assert!(summary(&place.path().join("storm"))["outfalls"].as_u64() < told["outfalls"].as_u64());
    let refused = plan("refused", &["--settings", "bad.toml"]);
    assert!(refused.code == 2 && refused.stderr.contains("street_width"), "{}", refused.stderr);
    assert!(!place.path().join("refused/summary.json").exists());
}
