//! Studies of the small town, for the tests of batches.

use crate::common::{Ended, folder, urbis};
use serde_json::Value as Json;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use urbis_core::hash::sha256_file;

/// How often is looked for what must come: a quarter of an hour at least, so that a test does not wait for ever.
const LOOKS: u32 = 90_000;

pub(crate) const STUDY: &str = "name = \"cars\"\nscenarios = [\"baseline.toml\", \"cars.toml\"]\nseeds = [1, 2, 3]\n";

/// A folder with a study of the small town, some hours of a day.
pub(crate) fn town(study: &str, hours: u32) -> TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let base = root.join("scenarios/town/baseline.toml");
    let baseline =
        format!("base = {base:?}\nname = \"plain\"\n[city]\npackage = \"city\"\n[period]\nduration_h = {hours}\n");
    let cars = "base = \"baseline.toml\"\nname = \"cars\"\n[population]\ncar_share = 0.8\n";
    folder(&[("baseline.toml", &baseline), ("cars.toml", cars), ("study.toml", study)])
}

/// Runs what a results folder lacks.
pub(crate) fn batch(place: &Path, arguments: &[&str]) -> Ended {
    urbis(place, &[&["batch", "run", "study.toml"], arguments].concat())
}

/// What `urbis batch status` tells.
pub(crate) fn status(place: &Path, out: &str) -> Json {
    let told = urbis(place, &["batch", "status", "study.toml", "--out", out, "--format", "json"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    serde_json::from_str(&told.stdout).unwrap()
}

/// Hash of the results, every file of which is what the marker says.
pub(crate) fn checked_hash(out: &Path) -> Option<String> {
    let marker = std::fs::read_to_string(out.join("_SUCCESS")).ok()?;
    for line in marker.lines() {
        let (hash, file) = line.split_once("  ").unwrap();
        assert_eq!(sha256_file(&out.join(file)).unwrap(), hash, "{file} is not what the marker says");
    }
    Some(sha256_file(&out.join("_SUCCESS")).unwrap())
}

/// Waits until it is so; `tell` says how things stand when it never comes.
pub(crate) fn wait_until(what: &str, tell: &dyn Fn() -> String, is_so: &mut dyn FnMut() -> bool) {
    for _ in 0..LOOKS {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what} did not come about\n{}", tell());
}
