//! Parquet and GeoParquet files as the tables that [`Table`] makes of CSV, so that what reads a folder of tables takes
//! either and says the same of faults.
//!
//! Texts, whole numbers, floats, booleans, decimals and dates become text without loss: floats in as many digits as it
//! takes to read the same double again, and a float of four bytes as the double that it is. Null is a blank cell. WKB
//! in the geometry column becomes WKT; that is the one that the key `geo` of GeoParquet 1.1 names, called `geometry`
//! here whatever its name, or else a column `geometry`. Boxes that `geo` says to cover it are left out. Columns of any
//! other type are refused by name.
//!
//! Ignores reference systems and heights. Contract: a pure function of the file, never a panic, in one thread.

use crate::geoparquet::GEOMETRY;
use crate::shape;
use crate::table::Table;
use arrow::array::{Array, AsArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Float64Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use csv::StringRecord;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value as Json;
use std::fs::File;
use std::path::Path;
use urbis_core::{Error, Problem, Problems, Result};

/// Rows decoded at once.
const BATCH_ROWS: usize = 1 << 13;

impl Table {
    /// Reads `folder/name.csv`, `name.csv.gz` or `name.parquet`; `None` where there is none of them.
    ///
    /// # Errors
    /// As [`Table::read`] and [`Table::from_parquet`]; a table that is there both as CSV and as Parquet.
    pub fn find_any(folder: &Path, name: &str) -> Result<Option<Self>> {
        let parquet = folder.join(format!("{name}.parquet"));
        let csv = Self::find(folder, &format!("{name}.csv"))?;
        match (csv, parquet.exists()) {
            (Some(csv), true) => {
                let other = csv.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
                Err(Problem::file(&parquet, format!("is there beside {other}, expected one of them")).into())
            }
            (None, true) => Self::from_parquet(&parquet).map(Some),
            (csv, false) => Ok(csv),
        }
    }

    /// Reads a Parquet file. Problems call a row by its first column.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read; [`Error::Input`] when it is damaged, has columns of types that
    /// tables have not, or a geometry that is none.
    pub fn from_parquet(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::read(path, source))?;
        // The decoder trusts lengths that a damaged file states, and panics where they lead it astray.
        let read = std::panic::catch_unwind(|| records(path, file));
        let (header, records) = read.unwrap_or_else(|_| Err(damaged(path, &"its pages contradict its header")))?;
        Self::checked(path, header, records)
    }
}

fn damaged(path: &Path, why: &dyn std::fmt::Display) -> Error {
    Problem::file(path, format!("not a readable Parquet file: {why}")).into()
}

/// What becomes of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Float,
    Shape,
}

fn records(path: &Path, file: File) -> Result<(Vec<String>, Vec<StringRecord>)> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|why| damaged(path, &why))?;
    let keys = builder.metadata().file_metadata().key_value_metadata();
    let geo = keys.and_then(|keys| keys.iter().find(|key| key.key == "geo")).and_then(|key| key.value.as_deref());
    let geo: Json = geo.and_then(|geo| serde_json::from_str(geo).ok()).unwrap_or_default();
    let geometry = geo["primary_column"].as_str().unwrap_or(GEOMETRY);
    let covers: Vec<&str> = ["xmin", "ymin", "xmax", "ymax"]
        .iter()
        .filter_map(|end| geo["columns"][geometry]["covering"]["bbox"][end][0].as_str())
        .collect();
    let schema = builder.schema().clone();
    let mut problems = Problems::new();
    let (mut kept, mut header, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    for (at, field) in schema.fields().iter().enumerate() {
        let is_shape = field.name() == geometry;
        match kind_of(field, is_shape) {
            _ if covers.contains(&field.name().as_str()) => {}
            Some(kind) => {
                kept.push(at);
                header.push(if is_shape { GEOMETRY } else { field.name().trim() }.to_owned());
                kinds.push(kind);
            }
            None => {
                let of = field.data_type();
                let expected = if is_shape { "WKB or WKT" } else { "text, numbers, true or false, or dates" };
                let what = format!("column `{}` is of type {of}, expected {expected}", field.name());
                problems.push(Problem::file(path, what));
            }
        }
    }
    problems.or_else(())?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), kept);
    let reader =
        builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(|why| damaged(path, &why))?;
    let (mut rows, mut problems) = (Vec::new(), Problems::new());
    for batch in reader {
        let batch = batch.map_err(|why| damaged(path, &why))?;
        push_rows(path, &batch, &kinds, &mut rows, &mut problems).map_err(|why| damaged(path, &why))?;
    }
    problems.or_else((header, rows))
}

fn kind_of(field: &Field, is_shape: bool) -> Option<Kind> {
    let of = match field.data_type() {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    match of {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => is_shape.then_some(Kind::Shape),
        DataType::FixedSizeBinary(_) => None,
        of if of.is_floating() => Some(Kind::Float),
        of if of.is_nested() => None,
        _ => Some(Kind::Text),
    }
}

fn push_rows(
    path: &Path,
    batch: &RecordBatch,
    kinds: &[Kind],
    rows: &mut Vec<StringRecord>,
    problems: &mut Problems,
) -> std::result::Result<(), ArrowError> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let to = |kind: &Kind| match kind {
        Kind::Text => DataType::Utf8,
        Kind::Float => DataType::Float64,
        Kind::Shape => DataType::Binary,
    };
    let columns =
        batch.columns().iter().zip(kinds).map(|(column, kind)| cast_with_options(column, &to(kind), &options));
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        let mut record = StringRecord::new();
        for (column, kind) in columns.iter().zip(kinds) {
            if column.is_null(row) {
                record.push_field("");
                continue;
            }
            match kind {
                Kind::Text => record.push_field(column.as_string::<i32>().value(row).trim()),
                Kind::Float => record.push_field(&column.as_primitive::<Float64Type>().value(row).to_string()),
                Kind::Shape => {
                    let shape = shape::of_wkb(column.as_binary::<i32>().value(row));
                    if shape.is_none() {
                        let id = record.get(0).filter(|id| !id.is_empty()).map(str::to_owned);
                        let (number, expected) = (rows.len() + 1, "a shape in WKB with finite corners, or null");
                        problems.push(Problem::value(path, number, id.as_deref(), GEOMETRY, "other bytes", expected));
                    }
                    record.push_field(&shape.map_or_else(String::new, |shape| shape::to_wkt(&shape)));
                }
            }
        }
        rows.push(record);
    }
    Ok(())
}

#[cfg(test)]
#[path = "table_parquet_tests.rs"]
mod tests;
