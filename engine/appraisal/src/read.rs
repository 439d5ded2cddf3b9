//! Opens the results of one run. Only what the marker `_SUCCESS` lists is a result; a folder without
//! it, or a run it does not list, is refused in words. Tables come batch by batch, and only the columns
//! asked for, so that memory stays bounded.
//!
//! Contract: read-only, one thread, rows in file order.

use arrow::array::{Array, AsArray, BooleanArray, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMillisecondType, UInt64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use urbis_city::geoparquet::TableReader;
use urbis_core::hash::sha256_file;
use urbis_core::{Error, Problem, Problems, Result};
use urbis_output::marker::{LAYERS, MARKER, changed_layer, partition, run_of};
use urbis_output::{Kpi, Marker, Table};

/// Key of the run's id in the footer of every result file.
const RUN_ID_KEY: &str = "urbis.run_id";
const BATCH_ROWS: usize = 16_384;

/// Scenario and seed of every finished run in a folder, sorted.
///
/// # Errors
/// When the marker cannot be read.
pub fn runs_in(results: &Path) -> Result<Vec<(String, u64)>> {
    Ok(files_of_runs(&Marker::read(results)?).into_keys().collect())
}

/// Files of every finished run that a marker lists, by scenario and seed.
fn files_of_runs(marker: &Marker) -> BTreeMap<(String, u64), Vec<&str>> {
    let mut runs: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for file in marker.files.keys() {
        if let Some(run) = run_of(file) {
            runs.entry(run).or_default().push(file);
        }
    }
    runs
}

/// Ids of the runs that stand whole in a results folder, by scenario and seed. A run that lacks a file is not whole.
///
/// # Errors
/// When the marker cannot be read, or a file is no Parquet file.
pub fn run_ids(results: &Path) -> Result<BTreeMap<(String, u64), String>> {
    let marker = Marker::read(results)?;
    let mut ids = BTreeMap::new();
    for (run, files) in files_of_runs(&marker) {
        if let Some(id) = id_in(results, &files)? {
            ids.insert(run, id);
        }
    }
    Ok(ids)
}

/// Id of the run that stands whole in a results folder for a scenario and seed, if there is one.
///
/// # Errors
/// As [`run_ids`].
pub fn run_id_of(results: &Path, scenario: &str, seed: u64) -> Result<Option<String>> {
    let marker = Marker::read(results)?;
    let partition = partition(scenario, seed);
    let files: Vec<&str> = marker.in_partition(&partition).map(|(file, _)| file).collect();
    id_in(results, &files)
}

/// The id in the footer of the first of a run's files, provided that all are there.
fn id_in(results: &Path, files: &[&str]) -> Result<Option<String>> {
    let (Some(first), true) = (files.first(), files.iter().all(|file| results.join(file).is_file())) else {
        return Ok(None);
    };
    let path = results.join(first);
    let file = match File::open(&path) {
        Ok(file) => file,
        // Another process replaces the run just now.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::read(&path, source)),
    };
    let reader = SerializedFileReader::new(file)
        .map_err(|e| Problem::file(&path, format!("not a readable Parquet file: {e}")))?;
    let pairs = reader.metadata().file_metadata().key_value_metadata();
    Ok(pairs.into_iter().flatten().find(|pair| pair.key == RUN_ID_KEY).and_then(|pair| pair.value.clone()))
}

/// The results of one finished run.
#[derive(Clone, Debug)]
pub struct RunResults {
    results: PathBuf,
    partition: String,
    marker: Marker,
}

/// What table `runs` says of a run, as far as pictures and reports need it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunInfo {
    /// Title of the scenario.
    pub title: String,
    /// Name of the city package.
    pub city: String,
    /// Whom to credit for the city's data.
    pub attribution: String,
    /// IANA name of the local time zone; empty where none was given.
    pub time_zone: String,
    /// Local time minus UTC at the start, milliseconds.
    pub local_offset_ms: i64,
    /// Start of the simulated period, Unix time in milliseconds.
    pub start_utc_ms: i64,
    /// Length of the simulated period, seconds.
    pub duration_s: f64,
    /// Wall time of the run, seconds.
    pub wall_s: f64,
    /// Version of the program.
    pub urbis_version: String,
    /// Version of the tables.
    pub schema_version: String,
    /// Content hash of the city package.
    pub city_hash: String,
    /// Id of the run.
    pub run_id: String,
    /// SHA-256 of the resolved scenario, with the files it names.
    pub scenario_hash: String,
    /// The resolved scenario as TOML.
    pub scenario_toml: String,
    /// Share of the people that was simulated, as the scenario says; 1 where it does not.
    pub sample_factor: f64,
}

/// `population.sample_factor` of a resolved scenario.
fn sample_factor(scenario_toml: &str) -> f64 {
    let scenario: Option<toml::Table> = scenario_toml.parse().ok();
    let factor = scenario.as_ref().and_then(|s| s.get("population")?.get("sample_factor")?.as_float());
    factor.unwrap_or(1.0)
}

impl RunResults {
    /// Opens a run.
    ///
    /// # Errors
    /// [`Error::Input`] when the marker is missing or does not list the run; the message says which
    /// runs there are.
    pub fn open(results: &Path, scenario: &str, seed: u64) -> Result<Self> {
        let marker = Marker::read(results)?;
        if marker.files.is_empty() {
            let problem = Problem::file(&results.join(MARKER), "missing, so this is no finished results folder");
            return Err(problem.with_help("run the scenario to its end with `urbis run ... --out DIR`").into());
        }
        let partition = partition(scenario, seed);
        if marker.in_partition(&partition).next().is_none() {
            let runs = runs_in(results)?;
            let known: Vec<_> = runs.iter().map(|(scenario, seed)| format!("{scenario} seed {seed}")).collect();
            let what = format!("no finished run of scenario {scenario} with seed {seed}");
            let help = format!("finished runs here: {}", known.join(", "));
            return Err(Problem::file(results, what).with_help(help).into());
        }
        Ok(Self { results: results.to_owned(), partition, marker })
    }

    fn name(&self, table: Table) -> String {
        let lies_in = format!("{}/{}/", table.name(), self.partition);
        let listed = self.marker.files.keys().find(|file| file.starts_with(&lies_in));
        listed.cloned().unwrap_or_else(|| format!("{lies_in}part-0.parquet"))
    }

    /// Whether the run has the table.
    #[must_use]
    pub fn has(&self, table: Table) -> bool {
        let name = self.name(table);
        // `runs` is never listed: it is there with the run or not at all.
        self.marker.files.contains_key(&name) || (table == Table::Runs && self.results.join(name).exists())
    }

    /// Checks every listed file of the run and the layers against its hash.
    ///
    /// # Errors
    /// [`Error::Input`] naming every file that is missing or changed.
    pub fn verify(&self) -> Result<()> {
        let mut problems = Problems::new();
        let layers = self.marker.files.iter().filter(|(file, _)| file.starts_with(LAYERS));
        let tables = self.marker.in_partition(&self.partition);
        for (file, hash) in tables.chain(layers.map(|(f, h)| (f.as_str(), h.as_str()))) {
            let path = self.results.join(file);
            match sha256_file(&path) {
                Ok(found) if found == hash => {}
                Ok(_) => problems.push(Problem::file(&path, format!("changed since {MARKER} was written"))),
                Err(error) => problems.push(Problem::file(&path, format!("listed in {MARKER}, but {error}"))),
            }
        }
        problems.or_else(())
    }

    /// Hands the named columns of a table to `each`, batch by batch in file order.
    ///
    /// # Errors
    /// [`Error::Input`] when the run lacks the table, or the table lacks a column or has it with
    /// another type; whatever `each` returns.
    pub fn for_each_batch(
        &self,
        table: Table,
        columns: &[&str],
        mut each: impl FnMut(&Batch) -> Result<()>,
    ) -> Result<()> {
        if !self.has(table) {
            let what = format!("table {} is not among the results of {}", table.name(), self.partition);
            return Err(Problem::file(&self.results, what).with_help("list it in the scenario's outputs").into());
        }
        let path = self.results.join(self.name(table));
        let file = File::open(&path).map_err(|source| Error::read(&path, source))?;
        let broken = |e: &dyn std::fmt::Display| Problem::file(&path, format!("not a readable Parquet file: {e}"));
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| broken(&e))?;
        let spec = table.spec();
        for &name in columns {
            let declared = spec.columns.iter().find(|column| column.name == name);
            let found = builder.schema().field_with_name(name).ok();
            if declared.is_none() || declared.map(|c| &c.data_type) != found.map(|f| f.data_type()) {
                let problem = Problem::file(&path, format!("column {name} is missing or of another type"));
                return Err(problem.with_help("written by another version of Urbis; run the scenario again").into());
            }
        }
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(|e| broken(&e))?;
        for batch in reader {
            each(&Batch(batch.map_err(|e| broken(&e))?))?;
        }
        Ok(())
    }

    /// The same of a table by its name, with the types that its columns must have; whether the run has such a table. For
    /// tables that only some versions of the program write.
    ///
    /// # Errors
    /// When the file is not readable; whatever `each` returns.
    pub(crate) fn for_each_named(
        &self,
        table: &str,
        columns: &[(&str, DataType)],
        mut each: impl FnMut(&Batch) -> Result<()>,
    ) -> Result<bool> {
        let lies_in = format!("{table}/{}/", self.partition);
        let Some(name) = self.marker.files.keys().find(|file| file.starts_with(&lies_in)) else { return Ok(false) };
        let path = self.results.join(name);
        let file = File::open(&path).map_err(|source| Error::read(&path, source))?;
        let broken = |e: &dyn std::fmt::Display| Problem::file(&path, format!("not a readable Parquet file: {e}"));
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| broken(&e))?;
        let is_there = |(name, wanted): &(&str, DataType)| {
            builder.schema().field_with_name(name).is_ok_and(|field| field.data_type() == wanted)
        };
        if !columns.iter().all(is_there) {
            return Ok(false);
        }
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().map(|(name, _)| *name));
        for batch in builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(|e| broken(&e))? {
            each(&Batch(batch.map_err(|e| broken(&e))?))?;
        }
        Ok(true)
    }

    /// Whether the results vouch for a layer.
    #[must_use]
    pub fn has_layer(&self, layer: &str) -> bool {
        self.marker.files.contains_key(&format!("{LAYERS}/{layer}.parquet"))
    }

    /// Whether policies of the run changed a layer.
    #[must_use]
    pub fn has_own_layer(&self, layer: &str) -> bool {
        self.own_layer(layer).is_some()
    }

    fn own_layer(&self, layer: &str) -> Option<&String> {
        let lies_in = format!("{}/{}/", changed_layer(layer), self.partition);
        self.marker.files.keys().find(|file| file.starts_with(&lies_in))
    }

    /// A layer of the city the run took place in: the run's own where a policy changed it.
    ///
    /// # Errors
    /// [`Error::Input`] when the marker does not list it or it is not readable.
    pub fn layer(&self, layer: &str) -> Result<TableReader> {
        if let Some(own) = self.own_layer(layer) {
            return TableReader::read(&self.results.join(own));
        }
        let name = format!("{LAYERS}/{layer}.parquet");
        if !self.marker.files.contains_key(&name) {
            return Err(Problem::file(&self.results, format!("{MARKER} does not list {name}")).into());
        }
        TableReader::read(&self.results.join(name))
    }

    /// What table `runs` says.
    ///
    /// # Errors
    /// As [`RunResults::for_each_batch`]; [`Error::Input`] when it is not exactly one row.
    pub fn info(&self) -> Result<RunInfo> {
        let texts = [
            "title",
            "city",
            "attribution",
            "time_zone",
            "urbis_version",
            "schema_version",
            "city_hash",
            "scenario_toml",
            "run_id",
            "scenario_hash",
        ];
        let columns = ["local_offset_s", "start_utc", "duration_s", "wall_s"];
        let mut rows = Vec::new();
        self.for_each_batch(Table::Runs, &[&texts[..], &columns[..]].concat(), |batch| {
            for row in 0..batch.rows() {
                let text = |name| batch.text(name).value(row).to_owned();
                rows.push(RunInfo {
                    title: text("title"),
                    city: text("city"),
                    attribution: text("attribution"),
                    time_zone: text("time_zone"),
                    urbis_version: text("urbis_version"),
                    schema_version: text("schema_version"),
                    city_hash: text("city_hash"),
                    run_id: text("run_id"),
                    scenario_hash: text("scenario_hash"),
                    scenario_toml: text("scenario_toml"),
                    sample_factor: sample_factor(&text("scenario_toml")),
                    local_offset_ms: (batch.real("local_offset_s").value(row) * 1000.0) as i64,
                    start_utc_ms: batch.time_ms("start_utc", row),
                    duration_s: batch.real("duration_s").value(row),
                    wall_s: batch.real("wall_s").value(row),
                });
            }
            Ok(())
        })?;
        let found = rows.len();
        match (rows.pop(), found) {
            (Some(info), 1) => Ok(info),
            _ => Err(Problem::file(&self.results.join(self.name(Table::Runs)), format!("{found} rows, not 1")).into()),
        }
    }

    /// The indicators of the run, in the order they were written.
    ///
    /// # Errors
    /// As [`RunResults::for_each_batch`].
    pub fn kpis(&self) -> Result<Vec<Kpi>> {
        let texts = ["group", "indicator", "zone_id", "unit", "source", "quality"];
        let columns = ["value", "published", "headline"];
        let mut kpis = Vec::new();
        self.for_each_batch(Table::Kpis, &[&texts[..], &columns[..]].concat(), |batch| {
            let published = batch.real("published");
            for row in 0..batch.rows() {
                let text = |name| batch.text(name).value(row).to_owned();
                kpis.push(Kpi {
                    group: text("group"),
                    indicator: text("indicator"),
                    zone_id: text("zone_id"),
                    unit: text("unit"),
                    source: text("source"),
                    quality: text("quality"),
                    value: batch.real("value").value(row),
                    published: published.is_valid(row).then(|| published.value(row)),
                    headline: batch.flag("headline").value(row),
                });
            }
            Ok(())
        })?;
        Ok(kpis)
    }
}

/// Some rows of a table. The accessors panic for columns that were not asked for.
#[derive(Clone, Debug)]
pub struct Batch(RecordBatch);

impl Batch {
    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.0.num_rows()
    }
    /// A column of words.
    #[must_use]
    pub fn text(&self, name: &str) -> &StringArray {
        self.0[name].as_string()
    }
    /// A column of figures.
    #[must_use]
    pub fn real(&self, name: &str) -> &Float64Array {
        self.0[name].as_primitive::<Float64Type>()
    }
    /// A column of counts.
    #[must_use]
    pub fn count(&self, name: &str) -> &UInt64Array {
        self.0[name].as_primitive::<UInt64Type>()
    }
    /// A whole number.
    #[must_use]
    pub fn number(&self, name: &str, row: usize) -> i64 {
        self.0[name].as_primitive::<Int64Type>().value(row)
    }
    /// A column of flags.
    #[must_use]
    pub fn flag(&self, name: &str) -> &BooleanArray {
        self.0[name].as_boolean()
    }
    /// A moment, Unix time in milliseconds.
    #[must_use]
    pub fn time_ms(&self, name: &str, row: usize) -> i64 {
        self.0[name].as_primitive::<TimestampMillisecondType>().value(row)
    }
}
