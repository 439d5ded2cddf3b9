//! Tables that are computed from results: declared as lists of columns with unit and description, streamed to Parquet in
//! a folder that is put into place whole. They are no results of a run, so no marker lists them.
//!
//! Contract: one writer, rows in the order they come, constant batch sizes: equal rows give equal bytes.

use crate::statistics::Interval;
use arrow::array::{ArrayRef, BooleanBuilder, Float64Builder, RecordBatch, StringBuilder, UInt64Builder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use urbis_core::{Error, Result};
use urbis_output::SCHEMA_VERSION;

const BATCH_ROWS: usize = 8_192;
const CREATED_BY: &str = concat!("urbis version ", env!("CARGO_PKG_VERSION"));

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words or an id.
    Text,
    /// A figure.
    Real,
    /// How many.
    Count,
    /// Yes or no.
    Flag,
}

/// A column as declared; every one but flags may be null, and its description says what null means.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Unit, empty for names and words.
    pub unit: &'static str,
    /// One sentence.
    pub description: &'static str,
}

/// A column, in the order of its fields.
pub(crate) const fn column(name: &'static str, kind: Kind, unit: &'static str, description: &'static str) -> Column {
    Column { name, kind, unit, description }
}

/// The scenario of a row.
pub(crate) const SCENARIO: Column = column("scenario", Kind::Text, "", "The scenario compared with the base.");
/// What the pairs of a row say.
pub(crate) const STATE: Column =
    column("state", Kind::Text, "", "higher, lower, no detectable difference, identical or too few seeds.");

/// A table as declared.
#[derive(Clone, Copy, Debug)]
pub struct TableOut {
    /// What it holds.
    pub description: &'static str,
    /// Columns in order.
    pub columns: &'static [Column],
}

/// A cell of a row.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// Words.
    Text(&'a str),
    /// Words, where there are any.
    MaybeText(Option<&'a str>),
    /// A figure; null where it is not finite.
    Real(f64),
    /// A figure, where there is one.
    MaybeReal(Option<f64>),
    /// How many.
    Count(u64),
    /// How many, where that is known.
    MaybeCount(Option<u64>),
    /// Yes or no.
    Flag(bool),
}

impl Cell<'_> {
    /// Both ends of an interval; null where there is none.
    pub(crate) fn ends(interval: Option<Interval>) -> [Self; 2] {
        [Self::MaybeReal(interval.map(|i| i.low)), Self::MaybeReal(interval.map(|i| i.high))]
    }
}

impl TableOut {
    /// The Arrow schema; `unit` and `description` stand in each field's metadata.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let field = |column: &Column| {
            let data_type = match column.kind {
                Kind::Text => DataType::Utf8,
                Kind::Real => DataType::Float64,
                Kind::Count => DataType::UInt64,
                Kind::Flag => DataType::Boolean,
            };
            let notes = [("unit", column.unit), ("description", column.description)];
            Field::new(column.name, data_type, column.kind != Kind::Flag)
                .with_metadata(notes.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
        };
        Schema::new(self.columns.iter().map(field).collect::<Vec<_>>())
    }
}

enum Builder {
    Text(StringBuilder),
    Real(Float64Builder),
    Count(UInt64Builder),
    Flag(BooleanBuilder),
}

/// A table that grows row by row.
pub(crate) struct TableWriter {
    path: PathBuf,
    schema: SchemaRef,
    columns: Vec<Builder>,
    collected: usize,
    writer: ArrowWriter<File>,
}

impl TableWriter {
    /// Starts `<folder>/<name>.parquet`. `about` goes into the footer beside the version of the tables.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub(crate) fn create(folder: &Path, name: &str, table: &TableOut, about: &[(&str, String)]) -> Result<Self> {
        let path = folder.join(format!("{name}.parquet"));
        let file = File::create(&path).map_err(|source| Error::write(&path, source))?;
        let fixed = [
            ("urbis.schema_version", SCHEMA_VERSION.to_owned()),
            ("urbis.table_description", table.description.to_owned()),
        ];
        let footer = fixed.iter().chain(about).map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()));
        let properties = WriterProperties::builder()
            .set_created_by(CREATED_BY.to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(footer.collect()))
            .build();
        let schema: SchemaRef = Arc::new(table.schema());
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))
            .map_err(|error| write_error(&path, error))?;
        let builder = |column: &Column| match column.kind {
            Kind::Text => Builder::Text(StringBuilder::new()),
            Kind::Real => Builder::Real(Float64Builder::new()),
            Kind::Count => Builder::Count(UInt64Builder::new()),
            Kind::Flag => Builder::Flag(BooleanBuilder::new()),
        };
        Ok(Self { path, schema, columns: table.columns.iter().map(builder).collect(), collected: 0, writer })
    }

    /// Adds a row, a cell for each column.
    ///
    /// # Errors
    /// [`Error::Write`] when it does not fit on disk.
    ///
    /// # Panics
    /// When cells are not those that were declared.
    pub(crate) fn push<const N: usize>(&mut self, row: [Cell<'_>; N]) -> Result<()> {
        assert_eq!(N, self.columns.len(), "cells of a row of {}", self.path.display());
        for (builder, cell) in self.columns.iter_mut().zip(row) {
            match (builder, cell) {
                (Builder::Text(b), Cell::Text(value)) => b.append_value(value),
                (Builder::Text(b), Cell::MaybeText(value)) => b.append_option(value),
                (Builder::Real(b), Cell::Real(value)) => b.append_option(Some(value).filter(|v| v.is_finite())),
                (Builder::Real(b), Cell::MaybeReal(value)) => b.append_option(value.filter(|v| v.is_finite())),
                (Builder::Count(b), Cell::Count(value)) => b.append_value(value),
                (Builder::Count(b), Cell::MaybeCount(value)) => b.append_option(value),
                (Builder::Flag(b), Cell::Flag(value)) => b.append_value(value),
                (_, cell) => panic!("{cell:?} in a column of another kind in {}", self.path.display()),
            }
        }
        self.collected += 1;
        if self.collected >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.collected = 0;
        let array = |builder: &mut Builder| -> ArrayRef {
            match builder {
                Builder::Text(b) => Arc::new(b.finish()),
                Builder::Real(b) => Arc::new(b.finish()),
                Builder::Count(b) => Arc::new(b.finish()),
                Builder::Flag(b) => Arc::new(b.finish()),
            }
        };
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), self.columns.iter_mut().map(array).collect())
            .map_err(|error| write_error(&self.path, error.into()))?;
        self.writer.write(&batch).map_err(|error| write_error(&self.path, error))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub(crate) fn finish(mut self) -> Result<()> {
        self.flush()?;
        self.writer.close().map_err(|error| write_error(&self.path, error))?;
        Ok(())
    }
}

fn write_error(path: &Path, error: ParquetError) -> Error {
    Error::write(path, std::io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stand_in_the_fields_and_nan_is_null() {
        const TABLE: TableOut = TableOut {
            description: "A test.",
            columns: &[
                Column { name: "id", kind: Kind::Text, unit: "", description: "Id." },
                Column { name: "time_s", kind: Kind::Real, unit: "s", description: "Time." },
            ],
        };
        let folder = tempfile::tempdir().unwrap();
        let mut table = TableWriter::create(folder.path(), "test", &TABLE, &[("urbis.base", "b".to_owned())]).unwrap();
        for row in 0..BATCH_ROWS + 1 {
            table.push([Cell::Text("a"), Cell::Real(if row == 0 { f64::NAN } else { 1.0 })]).unwrap();
        }
        table.finish().unwrap();
        let file = File::open(folder.path().join("test.parquet")).unwrap();
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        assert_eq!(reader.schema().field(1).metadata()["unit"], "s");
        let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), BATCH_ROWS + 1);
        assert!(batches[0].column(1).is_null(0) && batches[0].column(1).is_valid(1));
    }
}
