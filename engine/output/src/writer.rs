//! The writer of one run's results: rows in, a whole results folder out, or nothing.
//!
//! ```text
//! OUT/<table>/scenario=<name>/seed=<n>/part-0.parquet
//! OUT/layers/{links,nodes,buildings,zones,pois}.parquet     the city package's, byte for byte
//! OUT/changed_<layer>/scenario=<name>/seed=<n>/part-0.parquet   that layer, where policies of the run change it
//! OUT/_SUCCESS                                              hashes; what it does not list is no result
//! ```
//!
//! Every footer says which run the file is of (`urbis.run_id`, `urbis.schema_version`,
//! `urbis.scenario_hash`, `urbis.city_hash`, `urbis.scenario`, `urbis.seed`, `urbis.urbis_version`,
//! `urbis.table_description`). Nothing that differs between equal runs (wall time, threads, computer)
//! gets into any table but `runs`.
//!
//! Contract: one thread writes; equal rows give equal bytes.

use crate::cells::TimeMs;
use crate::marker::{changed_layer, partition};
use crate::staging::{RUN_ID_DIGITS, Staging};
use crate::table_file::Place;
use crate::tables::{RunsRow, SCHEMA_VERSION, Table, TableFiles};
use bevy_ecs::resource::Resource;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use urbis_city::model::City;
use urbis_city::package_write;
use urbis_core::hash::{sha256_file, sha256_hex};
use urbis_core::{Error, Problem, Problems, Result, Tick};

/// Version of the program, as it stands in `runs` and in the run id.
pub const URBIS_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is known of a run before its first tick.
#[derive(Clone, Debug, Default)]
pub struct RunFacts {
    /// Short name of the scenario; becomes `scenario=<name>`: letters, digits, `.`, `_`, `-`.
    pub scenario: String,
    /// Seed; becomes `seed=<n>`.
    pub seed: u64,
    /// Title of the scenario.
    pub title: String,
    /// SHA-256 of the resolved scenario.
    pub scenario_hash: String,
    /// Content hash of the city package.
    pub city_hash: String,
    /// Name of the city package.
    pub city: String,
    /// Whom to credit for the city's data.
    pub attribution: String,
    /// IANA name of the local time zone.
    pub time_zone: String,
    /// Local time minus UTC at the start, seconds.
    pub local_offset_s: i32,
    /// Start of the simulated period, Unix time in milliseconds.
    pub start_utc_ms: i64,
    /// Length of the simulated period, seconds.
    pub duration_s: f64,
    /// The resolved scenario as TOML.
    pub scenario_toml: String,
}

impl RunFacts {
    /// Id of the run: equal for equal scenario, seed, city and version, 16 hexadecimal digits.
    #[must_use]
    pub fn run_id(&self) -> String {
        let Self { scenario, seed, scenario_hash, city_hash, .. } = self;
        let whole = format!("{URBIS_VERSION}\n{SCHEMA_VERSION}\n{scenario}\n{seed}\n{scenario_hash}\n{city_hash}\n");
        let mut id = sha256_hex(whole.as_bytes());
        id.truncate(RUN_ID_DIGITS);
        id
    }

    fn check(&self, out: &Path) -> Result<()> {
        let mut problems = Problems::new();
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if self.scenario.is_empty() || self.scenario.starts_with('.') || !self.scenario.chars().all(fits) {
            let what = format!("scenario name {:?} cannot name a folder of results", self.scenario);
            problems.push(
                Problem::file(out, what).with_help("use letters, digits, `.`, `_` and `-`, not starting with `.`"),
            );
        }
        problems.or_else(())
    }
}

/// What is known of a run after its last tick: the facts that may differ between equal runs.
#[derive(Clone, Debug, Default)]
pub struct RunEnd {
    /// Ticks computed.
    pub ticks: u32,
    /// Worker threads.
    pub threads: u32,
    /// Wall time of the run, seconds.
    pub wall_s: f64,
    /// Wall time of each set of the steps, seconds ([`crate::stopwatch::SETS`]).
    pub set_wall_s: [f64; crate::stopwatch::SETS.len()],
    /// Largest resident memory, bytes ([`crate::machine::peak_memory_bytes`]).
    pub peak_memory_bytes: u64,
    /// When the program started the run, Unix time in milliseconds.
    pub started_utc_ms: i64,
    /// Operating system and architecture ([`crate::machine::os`]).
    pub os: String,
    /// Processor ([`crate::machine::cpu`]).
    pub cpu: String,
}

/// What a finished run left behind.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    /// Id of the run.
    pub run_id: String,
    /// Files in place with their SHA-256, sorted by path; table `runs` is among them.
    pub files: Vec<(PathBuf, String)>,
}

/// Writes the results of one run; rows go in through one method per table ([`ResultsWriter::trips`]
/// ...). Dropped without [`ResultsWriter::finish`] it leaves nothing behind.
#[derive(Resource)]
pub struct ResultsWriter {
    // Fields drop in this order: files close before the staging goes.
    files: Mutex<TableFiles>,
    staging: Staging,
    /// Layers that the run has of its own: paths within the results, and hashes.
    changed_layers: Vec<(String, String)>,
    facts: RunFacts,
    partition: String,
    /// The tick errors name.
    pub(crate) tick: Tick,
}

impl std::fmt::Debug for ResultsWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResultsWriter").field("staging", &self.staging).finish_non_exhaustive()
    }
}

impl ResultsWriter {
    /// Starts the results of a run in folder `out`, which is made if need be; results of other runs in
    /// it stay. `tables` get a file even if no row comes; other tables get one with their first row.
    ///
    /// # Errors
    /// [`Error::Input`] when the scenario's name cannot name a folder, when `out` holds runs of another
    /// city package, or when another process is writing this very run there; [`Error::Read`] when a
    /// layer of `city_package` is missing; [`Error::Write`] when `out` cannot be written to.
    pub fn create(out: &Path, city_package: &Path, facts: RunFacts, tables: &[Table]) -> Result<Self> {
        facts.check(out)?;
        let partition = partition(&facts.scenario, facts.seed);
        let staging = Staging::new(out, &facts.run_id(), &partition, city_package)?;
        let place = Arc::new(Place {
            staging: staging.folder().to_owned(),
            partition: partition.clone(),
            footer: vec![
                ("urbis.run_id", facts.run_id()),
                ("urbis.urbis_version", URBIS_VERSION.to_owned()),
                ("urbis.scenario", facts.scenario.clone()),
                ("urbis.seed", facts.seed.to_string()),
                ("urbis.scenario_hash", facts.scenario_hash.clone()),
                ("urbis.city_hash", facts.city_hash.clone()),
            ],
        });
        let mut files = TableFiles::new(&place);
        tables.iter().try_for_each(|&table| files.open(table))?;
        Ok(Self { files: Mutex::new(files), staging, changed_layers: Vec::new(), facts, partition, tick: 0 })
    }

    /// Writes a layer of the city that the scenario changes, `buildings` or `links`, beside the run's tables: the layers of
    /// the package belong to all runs of a results folder, this one to the run alone.
    ///
    /// # Errors
    /// When it does not fit on disk.
    pub fn changed_layer(&mut self, layer: &str, city: &City) -> Result<()> {
        let name = format!("{}/{}/{}", changed_layer(layer), self.partition, crate::table_file::PART);
        let path = self.staging.folder().join(&name);
        urbis_core::files::create_folder(urbis_core::files::parent(&path))?;
        let table = if layer == "links" { package_write::links(city)? } else { package_write::buildings(city)? };
        table.write(&path)?;
        std::fs::File::open(&path).and_then(|file| file.sync_all()).map_err(|source| Error::write(&path, source))?;
        let hash = sha256_file(&path).map_err(|source| Error::read(&path, source))?;
        self.changed_layers.push((name, hash));
        Ok(())
    }

    /// Says which tick errors are to name from now on.
    pub fn at_tick(&mut self, tick: Tick) {
        self.tick = tick;
    }

    /// What the run was started with.
    #[must_use]
    pub fn facts(&self) -> &RunFacts {
        &self.facts
    }

    // A mutex only because an open Parquet file is not `Sync`; it is never locked.
    pub(crate) fn files(&mut self) -> &mut TableFiles {
        self.files.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes table `runs`, ends every file and puts the run into place; what an earlier run of the same
    /// scenario and seed left there is replaced.
    ///
    /// # Errors
    /// [`Error::Write`] when something does not fit on disk, [`Error::Input`] when the city package
    /// changed meanwhile. The run then has no entry in the marker.
    pub fn finish(mut self, end: &RunEnd) -> Result<Committed> {
        let facts = self.facts.clone();
        let run_id = facts.run_id();
        self.at_tick(end.ticks);
        self.runs(&RunsRow {
            run_id: &run_id,
            title: &facts.title,
            schema_version: SCHEMA_VERSION,
            urbis_version: URBIS_VERSION,
            scenario_hash: &facts.scenario_hash,
            city_hash: &facts.city_hash,
            city: &facts.city,
            attribution: &facts.attribution,
            time_zone: &facts.time_zone,
            local_offset_s: f64::from(facts.local_offset_s),
            start_utc: TimeMs(facts.start_utc_ms),
            duration_s: facts.duration_s,
            ticks: u64::from(end.ticks),
            threads: u64::from(end.threads),
            wall_s: end.wall_s,
            demand_wall_s: end.set_wall_s[1],
            exchange_wall_s: end.set_wall_s[2],
            solve_wall_s: end.set_wall_s[3],
            feedback_wall_s: end.set_wall_s[4],
            audit_wall_s: end.set_wall_s[5],
            record_wall_s: end.set_wall_s[6],
            peak_memory_bytes: end.peak_memory_bytes,
            started_utc: TimeMs(end.started_utc_ms),
            os: &end.os,
            cpu: &end.cpu,
            scenario_toml: &facts.scenario_toml,
        })?;
        let mut hashes = Vec::new();
        for (table, path) in self.files().close()? {
            let hash = sha256_file(&path).map_err(|source| Error::read(&path, source))?;
            let name = format!("{}/{}/{}", table.name(), self.partition, crate::table_file::PART);
            hashes.push((table, name, hash));
        }
        let mut vouched: Vec<_> =
            hashes.iter().filter(|(table, ..)| *table != Table::Runs).map(|(_, n, h)| (n.clone(), h.clone())).collect();
        vouched.extend(self.changed_layers.iter().cloned());
        let Self { staging, changed_layers, .. } = self;
        let out = staging.out().to_owned();
        let layers = staging.layer_hashes();
        let placed = staging.commit(&vouched)?;
        let hash_of = |name: &String| {
            let of_table = hashes.iter().find(|(_, n, _)| n == name).map(|(.., hash)| hash);
            let of_own = changed_layers.iter().find(|(own, _)| own == name).map(|(_, hash)| hash);
            of_table.or(of_own).or_else(|| layers.get(name)).cloned().unwrap_or_default()
        };
        let files = placed.iter().map(|name| (out.join(name), hash_of(name))).collect();
        Ok(Committed { run_id, files })
    }
}
