//! A Python environment with what engines need of PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// One test at a time installs.
static INSTALLING: Mutex<()> = Mutex::new(());

/// The folder of the files beside this one.
pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines")
}

/// Python of an environment with the requirements; in words why there is none. `place` is for where none is kept.
pub(crate) fn python(place: &Path) -> Result<PathBuf, String> {
    let _alone = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let attempt = |command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("{command:?}: {error}")),
    };
    let venv = std::env::var_os("URBIS_ENGINES_VENV").map_or_else(|| place.join("venv"), PathBuf::from);
    let python = venv.join("bin/python");
    if !python.exists() {
        attempt(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    // Wheels only: building from source would take longer than the tests are worth.
    let options = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--retries=1", "--timeout=20"];
    let requirements = here().join("requirements.txt");
    attempt(Command::new(&python).args(["-m", "pip", "install"]).args(options).arg("-r").arg(requirements))?;
    Ok(python)
}
