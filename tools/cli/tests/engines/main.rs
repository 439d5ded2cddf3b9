//! Studies handed to engines that have more than one machine: real Slurm, real HyperQueue and Dask with machines that are
//! lost on the way, and Kubernetes' manifest against its types.
//!
//! What they need comes from Debian's packages (Slurm, as root) and from PyPI (HyperQueue, Dask). Where it cannot be had a
//! test says so and passes; `URBIS_ENGINES=required` makes it fail. `URBIS_ENGINES_VENV=DIR` keeps the Python environment.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout)] // tests say what they skip and what they saw

#[path = "../common/mod.rs"]
mod common;
mod daemons;
mod dask;
mod hyperqueue;
mod kubernetes;
mod messages;
mod python;
mod slurm;
#[path = "../common/studies.rs"]
mod studies;

use common::urbis;
use std::path::Path;
use studies::{STUDY, batch, checked_hash, status, town, wait_until};
use tempfile::TempDir;

/// Says why a test did not run.
fn skipped(why: &str) {
    assert!(std::env::var_os("URBIS_ENGINES").is_none_or(|value| value != "required"), "{why}");
    println!("skipped: {why}");
}

/// A study whose run 3 is done in `out`, all of which is done in `plain`, and the hash of its results.
fn begun() -> (TempDir, String) {
    // Twelve runs, each long enough to lose its machine.
    let place = town(&STUDY.replace("3]", "3, 4, 5, 6]"), 24);
    let plain = batch(place.path(), &["--out", "plain", "--quiet"]);
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    let row = batch(place.path(), &["--out", "out", "--index", "3", "--quiet"]);
    assert_eq!(row.code, 0, "{}", row.stderr);
    let hash = checked_hash(&place.path().join("plain")).unwrap();
    (place, hash)
}

fn done(place: &Path) -> u64 {
    status(place, "out")["counts"]["done"].as_u64().unwrap()
}

/// All is done, to the same bytes as without an engine, and there is nothing to submit any more.
fn ended(place: &Path, hash: &str, engine: &[&str]) {
    assert_eq!(done(place), 12);
    assert_eq!(checked_hash(&place.join("out")).as_deref(), Some(hash));
    println!("hash of the results, here and on the engine: {hash}");
    let again = urbis(place, &[&["batch", "submit", "study.toml", "--out", "out"], engine].concat());
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(again.stdout, "nothing to submit: 12 runs are done: out\n");
}
