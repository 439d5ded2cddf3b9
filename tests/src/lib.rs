//! What tests that cross crates share: scenarios of the repository run into temporary folders.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use urbis::{Groundwork, Kept, RunOptions, RunSummary, Simulation};
use urbis_output::{ResultsWriter, RunFacts, Table};

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a scenario to the end.
///
/// # Errors
/// As [`urbis::run()`].
pub fn run(scenario: &Path, out: &Path, threads: usize, seed: Option<u64>) -> urbis_core::Result<RunSummary> {
    let options = RunOptions { out: out.to_owned(), threads: Some(threads), seed, common: None };
    urbis::run(scenario, &options, &mut |_| {}, &AtomicBool::new(false))
}

/// A scenario as [`scenario_in`] writes it, installed but not run, with what it has in common with others kept in a
/// folder, if any. Each has results of its own.
///
/// # Panics
/// When the scenario does not fit the city.
#[must_use]
pub fn installed(folder: &Path, base: &str, patch: &str, seed: u64, common: Option<&Path>) -> Simulation {
    let out = tempfile::tempdir_in(folder).expect("writable folder").keep();
    installed_writing(folder, base, patch, seed, common, (&out, &[]))
}

/// The same, with these tables in a results folder.
///
/// # Panics
/// As [`installed`].
#[must_use]
pub fn installed_writing(
    folder: &Path,
    base: &str,
    patch: &str,
    seed: u64,
    common: Option<&Path>,
    (out, tables): (&Path, &[Table]),
) -> Simulation {
    let loaded = urbis_scenario::load(&scenario_in(folder, base, patch)).expect("a scenario");
    let package = urbis::ensure_package(&loaded, &mut |_| {}).expect("a city package");
    let city = urbis_city::package::read(&package).expect("a city package");
    let facts = RunFacts { scenario: "test".to_owned(), seed, ..RunFacts::default() };
    let writer = ResultsWriter::create(out, &package, facts, tables).expect("writable folder");
    let kept = Kept::new(common.map(Path::to_owned));
    let groundwork = Groundwork::lay(&loaded, &city, seed, &kept, &mut |_| (), &|| false).expect("groundwork");
    Simulation::on(groundwork, &loaded, city, seed, writer).expect("a scenario that fits its city")
}

/// SHA-256 of every file below a folder but those of table `runs`, by relative path.
///
/// # Panics
/// When a file cannot be read.
#[must_use]
pub fn hashes(folder: &Path) -> BTreeMap<String, String> {
    fn walk(folder: &Path, below: &Path, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(below).expect("readable folder") {
            let path = entry.expect("readable entry").path();
            if path.is_dir() {
                walk(folder, &path, found);
            } else {
                let name = path.strip_prefix(folder).expect("below the folder").to_string_lossy().into_owned();
                if !name.starts_with("runs/") {
                    found.insert(name, urbis_core::hash::sha256_file(&path).expect("readable file"));
                }
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// One hash over all of them.
#[must_use]
pub fn hash_of_hashes(hashes: &BTreeMap<String, String>) -> String {
    let text: String = hashes.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
    urbis_core::hash::sha256_hex(text.as_bytes())
}

/// A scenario file in a folder of its own that stands on one of the repository's, with its city package
/// in that folder too, so that tests do not meet in one place.
///
/// # Panics
/// When the folder cannot be written.
#[must_use]
pub fn scenario_in(folder: &Path, base: &str, patch: &str) -> PathBuf {
    let base = root().join(base).canonicalize().expect("the base stands in the repository");
    let path = folder.join("scenario.toml");
    let package = folder.join("city");
    let text =
        format!("base = {base:?}\nname = \"test\"\n{patch}\n[city]\npackage = {:?}\n", package.to_string_lossy());
    std::fs::write(&path, text).expect("writable folder");
    path
}

/// Runs a scenario of the town under another name with these seeds into a folder's `out`, which is the answer.
///
/// # Panics
/// When a run fails.
#[must_use]
pub fn town_runs(place: &Path, shipped: &str, name: &str, seeds: std::ops::RangeInclusive<u64>) -> PathBuf {
    let base = root().join(format!("scenarios/town/{shipped}.toml")).canonicalize().expect("a scenario of the town");
    let scenario = place.join(format!("{name}.toml"));
    let city = place.join("city");
    let text = format!(
        "base = {base:?}\nname = {name:?}\n[output.tables.persons]\nenabled = true\n[output.tables.households]\nenabled = true\n\
         [city]\npackage = {:?}\n",
        city.to_string_lossy()
    );
    std::fs::write(&scenario, text).expect("writable folder");
    let out = place.join("out");
    for seed in seeds {
        run(&scenario, &out, 2, Some(seed)).expect("a run");
    }
    out
}

/// A run of a patched scenario that is over, in a folder that goes with it.
#[derive(Debug)]
pub struct Ran {
    /// The results.
    pub out: PathBuf,
    /// What the run says of itself.
    pub summary: RunSummary,
    _place: tempfile::TempDir,
}

impl Ran {
    /// Runs a patched scenario of the repository on so many threads.
    ///
    /// # Errors
    /// As [`urbis::run()`].
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn of(base: &str, patch: &str, threads: usize) -> urbis_core::Result<Self> {
        Self::beside(tempfile::tempdir().expect("writable folder"), base, patch, threads)
    }
    /// The same in a folder that may hold files of its own.
    ///
    /// # Errors
    /// As [`urbis::run()`].
    pub fn beside(place: tempfile::TempDir, base: &str, patch: &str, threads: usize) -> urbis_core::Result<Self> {
        let scenario = scenario_in(place.path(), base, patch);
        let out = place.path().join("out");
        run(&scenario, &out, threads, None).map(|summary| Self { out, summary, _place: place })
    }
    /// Rows of a table.
    #[must_use]
    pub fn table(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        read_table(&self.out.join(name).join("scenario=test/seed=1/part-0.parquet"))
    }
    /// An indicator of the whole city; nothing where the run does not have it.
    #[must_use]
    pub fn kpi(&self, name: &str) -> Option<f64> {
        self.summary.kpis.iter().find(|kpi| kpi.indicator == name).map(|kpi| kpi.value)
    }
}

/// A number of a row.
///
/// # Panics
/// When the column is no number.
#[must_use]
pub fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} = {:?}", row[column]))
}

/// An error as people are told it.
#[must_use]
pub fn told_of(error: &urbis_core::Error) -> String {
    match error {
        urbis_core::Error::Input(problems) => {
            problems.listed().iter().map(|problem| format!("{problem:?} {problem}\n")).collect()
        }
        other => other.to_string(),
    }
}

/// Rows of a Parquet file as text by column; moments as numbers.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn read_table(path: &Path) -> Vec<BTreeMap<String, String>> {
    use arrow::datatypes::DataType;
    use arrow::util::display::{ArrayFormatter, FormatOptions};
    let file = std::fs::File::open(path).expect("a readable table");
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)
        .expect("a readable table")
        .build()
        .expect("a readable table");
    let options = FormatOptions::default();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.expect("a readable table");
        let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        // Moments as numbers: they compare as text does not.
        let plain = |column: &arrow::array::ArrayRef| match column.data_type() {
            DataType::Timestamp(..) => arrow::compute::cast(column, &DataType::Int64).expect("a readable table"),
            _ => column.clone(),
        };
        let arrays: Vec<_> = batch.columns().iter().map(plain).collect();
        let columns: Vec<ArrayFormatter<'_>> =
            arrays.iter().map(|column| ArrayFormatter::try_new(column, &options).expect("a readable table")).collect();
        for row in 0..batch.num_rows() {
            let value = |(name, column): (&String, &ArrayFormatter<'_>)| (name.clone(), column.value(row).to_string());
            rows.push(names.iter().zip(&columns).map(value).collect());
        }
    }
    rows
}

/// The cheapest way from each node to each other by Floyd and Warshall: cost to choose by, milliseconds; time, seconds; length, metres. Links
/// cost their time times a factor.
#[must_use]
pub fn cheapest(network: &urbis_traffic::CarNetwork, times_ms: &[u32], factors: &[f64]) -> Vec<(f64, f64, f64)> {
    let count = network.nodes();
    let mut best = vec![(f64::INFINITY, 0.0, 0.0); count * count];
    (0..count).for_each(|node| best[node * count + node].0 = 0.0);
    for (link, &ms) in times_ms.iter().enumerate() {
        let at = network.from[link] as usize * count + network.to[link] as usize;
        let cost = (f64::from(ms) * factors[link]).round();
        if cost < best[at].0 {
            best[at] = (cost, f64::from(ms) / 1000.0, network.length_m[link]);
        }
    }
    for via in 0..count {
        for from in 0..count {
            for to in 0..count {
                let (a, b) = (best[from * count + via], best[via * count + to]);
                if a.0 + b.0 < best[from * count + to].0 {
                    best[from * count + to] = (a.0 + b.0, a.1 + b.1, a.2 + b.2);
                }
            }
        }
    }
    best
}

/// The row of a calendar that runs daily.
pub const EVERY_DAY: &str = "w,1,1,1,1,1,1,1,20240101,20241231";

/// A feed in a folder: a line of six stops along the town, both ways every ten minutes from five to midnight, on the days of
/// the rows of `calendar.txt`, of which `w` is the service of all trips.
///
/// # Panics
/// When the folder cannot be written.
#[must_use]
pub fn bus_line(folder: &Path, service: &str) -> PathBuf {
    let feed = folder.join("feed");
    std::fs::create_dir_all(&feed).expect("writable folder");
    let write = |name: &str, text: &str| std::fs::write(feed.join(name), text).expect("writable folder");
    write("agency.txt", "agency_id,agency_name,agency_url,agency_timezone\na,Town,https://example.org,Europe/Berlin\n");
    write("routes.txt", "route_id,agency_id,route_short_name,route_long_name,route_type\nr1,a,1,Across,3\n");
    write(
        "calendar.txt",
        &format!(
            "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n{service}\n"
        ),
    );
    let mut stops = "stop_id,stop_name,stop_lat,stop_lon\n".to_owned();
    for stop in 0..6 {
        writeln!(stops, "s{stop},Stop {stop},50.00450,{:.5}", 10.0 + 0.0035 * f64::from(stop))
            .expect("writable folder");
    }
    write("stops.txt", &stops);
    let mut trips = "route_id,service_id,trip_id\n".to_owned();
    let mut times = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n".to_owned();
    for run in 0..19 * 6 {
        for (way, name) in ["out", "back"].iter().enumerate() {
            writeln!(trips, "r1,w,{name}{run}").expect("writable folder");
            for nth in 0..6 {
                let second = 5 * 3600 + run * 600 + nth * 40;
                let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
                let stop = if way == 0 { nth } else { 5 - nth };
                writeln!(times, "{name}{run},{clock},{clock},s{stop},{nth}").expect("writable folder");
            }
        }
    }
    write("trips.txt", &trips);
    write("stop_times.txt", &times);
    feed
}
