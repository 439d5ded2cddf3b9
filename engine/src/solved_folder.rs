//! The folder that a network solved from its file leaves: tables as each run names them, and `summary.json`, which is
//! removed first and written last, so that its presence says that the others are whole. Other files in it stay.

use serde_json::Value as Json;
use std::path::Path;
use urbis_city::geoparquet::TableWriter;
use urbis_core::files::{create_folder, write_whole};
use urbis_core::{Error, Problem, Result};

const SUMMARY: &str = "summary.json";

/// Keeps results away from what is read: a folder of tables, or a file that the summary would replace.
///
/// # Errors
/// Both are one place.
pub(crate) fn keep_apart(input: &Path, out: &Path) -> Result<()> {
    let (Ok(read), Ok(written)) = (input.canonicalize(), out.canonicalize()) else { return Ok(()) };
    let is_summary = read.parent() == Some(&written) && read.ends_with(SUMMARY);
    if read == written || is_summary {
        return Err(Problem::file(out, "is read, expected another folder than that of the input").into());
    }
    Ok(())
}

/// Makes the folder ready: a place that cannot be written to is known before the work, not after it.
///
/// # Errors
/// A folder that cannot be made, a summary that cannot be removed.
pub(crate) fn make_ready(out: &Path) -> Result<()> {
    create_folder(out)?;
    let summary = out.join(SUMMARY);
    match std::fs::remove_file(&summary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::write(&summary, error)),
        _ => Ok(()),
    }
}

/// Writes a table, as CSV or Parquet.
///
/// # Errors
/// A file that cannot be written.
pub(crate) fn write_table(out: &Path, as_csv: bool, name: &str, table: TableWriter) -> Result<()> {
    match as_csv {
        true => table.write_csv(&out.join(format!("{name}.csv"))),
        false => table.write(&out.join(format!("{name}.parquet"))),
    }
}

/// Writes the summary, once all else is whole.
///
/// # Errors
/// A file that cannot be written.
pub(crate) fn write_summary(out: &Path, json: &Json) -> Result<()> {
    write_whole(&out.join(SUMMARY), format!("{json:#}\n").as_bytes())
}
