//! What tests that cross crates share: scenarios of the repository run into temporary folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use urbis::{RunOptions, RunSummary};

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
    let options = RunOptions { out: out.to_owned(), threads: Some(threads), seed };
    urbis::run(scenario, &options, &mut |_| {}, &AtomicBool::new(false))
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
