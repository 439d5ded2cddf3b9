//! Benches of Urbis: what is measured and how it becomes a table. `make bench` runs them and writes
//! `out/bench.md` with the machine named. Trust ratios within one run, not absolute times.

pub mod floor;

use std::path::{Path, PathBuf};
use urbis::Simulation;
use urbis::output::{ResultsWriter, RunFacts};

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A simulation of a scenario of the repository without recorders that write rows, results in a
/// temporary folder that lives as long as the guard.
///
/// # Errors
/// When the city package cannot be built or read.
pub fn simulation(scenario: &str) -> urbis_core::Result<(Simulation, tempfile::TempDir)> {
    let mut loaded = urbis::scenario::load(&root().join(scenario))?;
    let tables = &mut loaded.scenario.output.tables;
    tables.presence.enabled = false;
    tables.building_load.enabled = false;
    tables.zone_load.enabled = false;
    tables.link_state.enabled = false;
    let package = urbis::ensure_package(&loaded, &mut |_| {})?;
    let city = urbis::city::package::read(&package)?;
    let place =
        tempfile::tempdir().map_err(|source| urbis_core::Error::write(Path::new("temporary folder"), source))?;
    let facts = RunFacts { scenario: "bench".into(), ..RunFacts::default() };
    let writer = ResultsWriter::create(&place.path().join("out"), &package, facts, &[])?;
    Ok((Simulation::new(&loaded, city, 1, writer)?, place))
}
