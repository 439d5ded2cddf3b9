//! `tools/batch_on.py` with a cluster of Dask on this machine.

use crate::python::python;
use crate::{begun, done, ended, skipped};
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn dask_completes_a_study() {
    let (place, hash) = begun();
    let place = place.path();
    let python = match python(place) {
        Ok(python) => python,
        Err(why) => return skipped(&format!("no Dask of PyPI. {why}")),
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../batch_on.py");
    let output = Command::new(&python)
        .arg(&script)
        .args(["dask", "study.toml", "--out", "out", "--workers", "2", "--urbis", env!("CARGO_BIN_EXE_urbis")])
        .current_dir(place)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("11 runs on dask") && said.contains("11/11 run "), "{said}");
    assert_eq!(done(place), 12);
    ended(place, &hash, &["--engine", "slurm"]);

    // What engines do not have they say.
    let output = Command::new(&python)
        .arg(&script)
        .args(["ray", "study.toml", "--out", "other", "--urbis", env!("CARGO_BIN_EXE_urbis")])
        .current_dir(place)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("pip install ray"), "{said}");
}
