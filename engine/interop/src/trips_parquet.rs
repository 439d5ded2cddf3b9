//! Trips in Parquet: row groups are read in parallel and joined in order. Ids may be whole numbers or
//! text; a route is text.
//!
//! Contract: parts are the batches of each row group, whatever the number of threads.

use crate::trips::{Joined, Names};
use crate::trips_csv::positions;
use crate::trips_part::{Cells, Name, Part, seconds};
use arrow::array::{Array, AsArray, Float64Array, Int64Array, LargeStringArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use rayon::prelude::*;
use std::fs::File;
use std::io::Read;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use urbis_core::{Error, Problem, Result};

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;

/// Row groups in memory at a time.
const GROUPS_AT_ONCE: usize = 16;

/// Whether a file is Parquet, by its name or its first bytes.
pub(crate) fn is_parquet(path: &Path) -> Result<bool> {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet")) {
        return Ok(true);
    }
    let file = File::open(path).map_err(|source| Error::read(path, source))?;
    let mut first = Vec::new();
    file.take(4).read_to_end(&mut first).map_err(|source| Error::read(path, source))?;
    Ok(first == b"PAR1")
}

fn fault(path: &Path, why: impl std::fmt::Display) -> Error {
    Problem::file(path, format!("cannot be read as Parquet: {why}")).into()
}

/// Decodes Parquet. The decoder trusts lengths and places that a damaged file states, and panics where they lead it astray.
pub(crate) fn decoded<T>(decode: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    let contradiction = |_| Err(ParquetError::General("its pages contradict its header".to_owned()));
    std::panic::catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(contradiction)
}

/// Reads a file.
pub(crate) fn read(path: &Path, names: &Names, all: &mut Joined) -> Result<()> {
    let file = File::open(path).map_err(|source| Error::read(path, source))?;
    let metadata =
        decoded(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())).map_err(|why| fault(path, why))?;
    let schema = metadata.schema();
    let header: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let Some(places) = positions(path, &header, all) else { return Ok(()) };
    let roots: Vec<usize> = places.into_iter().flatten().collect();
    let mut complete = true;
    for &at in &roots {
        let field = schema.field(at);
        let is_text = field.name().eq_ignore_ascii_case("route") || field.name().eq_ignore_ascii_case("vehicle_class");
        if !fits(field.data_type(), is_text) {
            let what = if is_text { "text" } else { "numbers or text" };
            let kind = field.data_type();
            all.problem(Problem::file(path, format!("column `{}` is of type {kind}, expected {what}", field.name())));
            complete = false;
        }
    }
    if !complete {
        return Ok(());
    }
    let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
    let groups: Vec<usize> = (0..metadata.metadata().num_row_groups()).collect();
    for some in groups.chunks(GROUPS_AT_ONCE) {
        let parts: Vec<Result<Vec<Part>, ParquetError>> = some
            .par_iter()
            .map(|&group| {
                decoded(|| {
                    let file = File::open(path)?;
                    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
                        .with_projection(mask.clone())
                        .with_row_groups(vec![group])
                        .with_batch_size(BATCH_ROWS)
                        .build()?;
                    reader.map(|batch| Ok(read_batch(&batch?, names)?)).collect()
                })
            })
            .collect();
        for group in parts {
            for part in group.map_err(|why| fault(path, why))? {
                all.append(part)?;
            }
        }
    }
    Ok(())
}

fn fits(kind: &DataType, is_text: bool) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        DataType::Dictionary(_, values) => fits(values, is_text),
        other => !is_text && (other.is_integer() || other.is_floating()),
    }
}

/// A column of names.
enum NameColumn {
    Number(Int64Array),
    Text(LargeStringArray),
    /// Whole numbers that passed through floating point, as data frames make of blank cells.
    Float(Float64Array),
}

impl NameColumn {
    fn new(batch: &RecordBatch, name: &str) -> Result<Self, arrow::error::ArrowError> {
        let column = column(batch, name)?;
        Ok(if column.data_type().is_integer() && column.data_type() != &DataType::UInt64 {
            Self::Number(cast(column, &DataType::Int64)?.as_primitive().clone())
        } else if column.data_type().is_floating() {
            Self::Float(cast(column, &DataType::Float64)?.as_primitive().clone())
        } else {
            Self::Text(cast(column, &DataType::LargeUtf8)?.as_string().clone())
        })
    }

    /// The name in a row; blank where there is none.
    fn get<'a>(&'a self, row: usize, room: &'a mut String) -> Name<'a> {
        match self {
            Self::Number(column) if column.is_valid(row) => Name::Number(column.value(row)),
            Self::Text(column) if column.is_valid(row) => Name::Text(column.value(row).as_bytes().trim_ascii()),
            Self::Float(column) if column.is_valid(row) && !column.value(row).is_nan() => {
                let value = column.value(row);
                if value.fract().abs() < f64::MIN_POSITIVE && value.abs() < 9e15 {
                    return Name::Number(value as i64);
                }
                *room = value.to_string();
                Name::Text(room.as_bytes())
            }
            _ => Name::Text(b""),
        }
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::ArrayRef, arrow::error::ArrowError> {
    let place = batch.schema().fields().iter().position(|field| field.name().eq_ignore_ascii_case(name));
    place
        .map(|at| batch.column(at))
        .ok_or_else(|| arrow::error::ArrowError::SchemaError(format!("column `{name}` is missing")))
}

fn text_column(batch: &RecordBatch, name: &str) -> Result<Option<LargeStringArray>, arrow::error::ArrowError> {
    match column(batch, name) {
        Ok(column) => Ok(Some(cast(column, &DataType::LargeUtf8)?.as_string().clone())),
        Err(_) => Ok(None),
    }
}

/// Departures: numbers, or text as in CSV.
enum Departures {
    Number(Float64Array),
    Text(LargeStringArray),
}

fn read_batch(batch: &RecordBatch, names: &Names) -> Result<Part, arrow::error::ArrowError> {
    let [ids, from, to] = ["trip_id", "from_node", "to_node"].map(|name| NameColumn::new(batch, name));
    let (ids, from, to) = (ids?, from?, to?);
    let departures = column(batch, "depart_s")?;
    let departures = if departures.data_type().is_numeric() {
        Departures::Number(cast(departures, &DataType::Float64)?.as_primitive().clone())
    } else {
        Departures::Text(cast(departures, &DataType::LargeUtf8)?.as_string().clone())
    };
    let (routes, classes) = (text_column(batch, "route")?, text_column(batch, "vehicle_class")?);
    let mut part = Part::with_room_for(batch.num_rows());
    let (mut id_room, mut from_room, mut to_room) = (String::new(), String::new(), String::new());
    for row in 0..batch.num_rows() {
        let number: String;
        let depart_s = match &departures {
            Departures::Number(column) if column.is_null(row) => Err(&b""[..]),
            Departures::Number(column) if column.value(row).is_finite() => Ok(column.value(row)),
            Departures::Number(column) => {
                number = column.value(row).to_string();
                Err(number.as_bytes())
            }
            Departures::Text(column) => {
                let text = text_at(column, row);
                seconds(text).ok_or(text)
            }
        };
        let cells = Cells {
            trip_id: ids.get(row, &mut id_room),
            depart_s,
            from_node: from.get(row, &mut from_room),
            to_node: to.get(row, &mut to_room),
            route: routes.as_ref().map_or(b"", |column| text_at(column, row)),
            vehicle_class: classes.as_ref().map(|column| text_at(column, row)),
        };
        part.push(&cells, names);
    }
    Ok(part)
}

fn text_at(column: &LargeStringArray, row: usize) -> &[u8] {
    if column.is_valid(row) { column.value(row).as_bytes().trim_ascii() } else { b"" }
}
