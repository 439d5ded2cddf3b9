//! What is in a results folder, and what every table and column means.

use crate::read::runs_in;
use arrow::datatypes::DataType;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::File;
use std::path::Path;
use urbis_core::{Error, Problem, Result};
use urbis_output::marker::MARKER;
use urbis_output::{Marker, Table};

/// A table of a results folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFacts {
    /// Which.
    pub table: Table,
    /// Runs that have it.
    pub runs: usize,
    /// Rows of all runs.
    pub rows: u64,
    /// Size of all files.
    pub bytes: u64,
}

/// A finished results folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Scenario and seed of each run.
    pub runs: Vec<(String, u64)>,
    /// Its tables, in the order in which they are documented.
    pub tables: Vec<TableFacts>,
}

/// Counts what the marker of a folder vouches for.
///
/// # Errors
/// [`Error::Input`] when the folder is not finished or a file is no Parquet; [`Error::Read`].
pub fn describe(results: &Path) -> Result<Folder> {
    let marker = Marker::read(results)?;
    if marker.files.is_empty() {
        let problem = Problem::file(&results.join(MARKER), "missing, so this is no finished results folder");
        return Err(problem.with_help("run a scenario to its end with `urbis run ... --out DIR`").into());
    }
    let mut tables = Vec::new();
    for &table in Table::ALL {
        let mut facts = TableFacts { table, runs: 0, rows: 0, bytes: 0 };
        let start = format!("{}/", table.name());
        for name in marker.files.keys().filter(|name| name.starts_with(&start)) {
            let path = results.join(name);
            let file = File::open(&path).map_err(|source| Error::read(&path, source))?;
            facts.bytes += file.metadata().map_err(|source| Error::read(&path, source))?.len();
            let reader = SerializedFileReader::new(file)
                .map_err(|error| Error::from(Problem::file(&path, format!("not readable as Parquet: {error}"))))?;
            facts.rows += u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0);
            facts.runs += 1;
        }
        if facts.runs > 0 {
            tables.push(facts);
        }
    }
    Ok(Folder { runs: runs_in(results)?, tables })
}

/// The type of a column in words of notebooks.
#[must_use]
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Dictionary(_, value) => type_name(value),
        DataType::Timestamp(unit, zone) => {
            format!("timestamp ({unit:?}{})", zone.as_ref().map(|zone| format!(", {zone}")).unwrap_or_default())
        }
        DataType::Utf8 => "text".to_owned(),
        other => format!("{other}").to_lowercase(),
    }
}

/// The data dictionary in Markdown: every table and column with type, unit and meaning.
#[must_use]
pub fn dictionary() -> String {
    let mut text = String::from(
        "# Data dictionary\n\n\
         Tables of a results folder, as `urbis schema --tables` prints them from the program's own declarations. They lie in\n\
         `OUT/<table>/scenario=<name>/seed=<n>/part-0.parquet`; scenario and seed are columns for every reader that knows\n\
         Hive partitions. Units and meanings stand in the metadata of each field too. `urbis results describe OUT` tells what\n\
         a folder holds.\n",
    );
    for table in Table::ALL {
        let spec = table.spec();
        text += &format!(
            "\n## {}\n{}\n\n| column | type | unit | meaning |\n| --- | --- | --- | --- |\n",
            spec.name, spec.description
        );
        for column in spec.columns {
            let empty = if column.nullable { ", may be empty" } else { "" };
            let kind = type_name(&column.data_type);
            let meaning = column.description.replace('|', "\\|");
            text += &format!("| `{}` | {kind}{empty} | {} | {meaning} |\n", column.name, column.unit);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_the_program_declares() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tables.md");
        let page = std::fs::read_to_string(path).unwrap();
        assert!(page == dictionary(), "docs/tables.md is out of date: urbis schema --tables > docs/tables.md");
    }

    #[test]
    fn a_folder_without_a_marker_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let error = format!("{:?}", describe(place.path()).unwrap_err());
        assert!(error.contains("no finished results folder"), "{error}");
    }
}
