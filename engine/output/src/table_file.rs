//! One Parquet file that grows while the run goes on. Rows collect in column builders; every
//! [`BATCH_ROWS`] rows become an Arrow batch; every [`ROW_GROUP_ROWS`] rows a row group goes to disk. So
//! memory is bounded by one row group a table, whatever the length of the run.
//!
//! Contract: one writer, rows in the order they come, constant batch and group sizes: equal rows give
//! equal bytes.

use crate::tables::{SCHEMA_VERSION, Table};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use urbis_core::{Error, Result, Tick, files};

/// Rows a batch holds before it is encoded.
const BATCH_ROWS: usize = 8_192;
/// Rows a row group holds at most.
pub const ROW_GROUP_ROWS: usize = 131_072;
/// Dictionaries up to this size are kept; a million short ids fit.
const DICTIONARY_BYTES: usize = 16 << 20;
const ZSTD_LEVEL: i32 = 3;
/// Who wrote the file, the same for every run of this version.
const CREATED_BY: &str = concat!("urbis version ", env!("CARGO_PKG_VERSION"));
/// Name of the one file in a partition.
pub(crate) const PART: &str = "part-0.parquet";

/// Column builders of one table.
pub(crate) trait Columns: Send {
    fn new() -> Self;
    fn finish(&mut self) -> Vec<ArrayRef>;
}

/// Where the files of a run go meanwhile, and what their footers say.
#[derive(Debug)]
pub(crate) struct Place {
    /// The staging folder.
    pub(crate) staging: PathBuf,
    /// `scenario=<name>/seed=<n>`.
    pub(crate) partition: String,
    /// Footer entries common to all tables.
    pub(crate) footer: Vec<(&'static str, String)>,
}

pub(crate) struct TableFile<C> {
    table: Table,
    place: Arc<Place>,
    columns: C,
    collected: usize,
    rows: u64,
    file: Option<(SchemaRef, ArrowWriter<File>)>,
}

impl<C: Columns> TableFile<C> {
    pub(crate) fn new(table: Table, place: &Arc<Place>) -> Self {
        Self { table, place: Arc::clone(place), columns: C::new(), collected: 0, rows: 0, file: None }
    }

    fn path(&self) -> PathBuf {
        self.place.staging.join(self.table.name()).join(&self.place.partition).join(PART)
    }

    /// Starts the file unless it is open.
    pub(crate) fn open(&mut self) -> Result<()> {
        if self.file.is_some() {
            return Ok(());
        }
        let path = self.path();
        files::create_folder(files::parent(&path))?;
        let file = File::create(&path).map_err(|source| Error::write(&path, source))?;
        let schema: SchemaRef = Arc::new(self.table.spec().schema());
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(self.properties()))
            .map_err(|error| write_error(&path, error))?;
        self.file = Some((schema, writer));
        Ok(())
    }

    fn properties(&self) -> WriterProperties {
        let spec = self.table.spec();
        let fixed = [("urbis.schema_version", SCHEMA_VERSION), ("urbis.table_description", spec.description)];
        let footer = fixed
            .into_iter()
            .chain(self.place.footer.iter().map(|(key, value)| (*key, value.as_str())))
            .map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()))
            .collect();
        let level = ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default();
        let mut properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by(CREATED_BY.to_owned())
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_dictionary_page_size_limit(DICTIONARY_BYTES)
            .set_key_value_metadata(Some(footer));
        for column in spec.columns.iter().filter(|column| column.delta) {
            let path = ColumnPath::from(column.name);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
        properties.build()
    }

    /// Adds a row; `append` says which figure of it is not finite.
    pub(crate) fn push(
        &mut self,
        tick: Tick,
        append: impl FnOnce(&mut C) -> Result<(), (&'static str, f64)>,
    ) -> Result<()> {
        append(&mut self.columns).map_err(|(column, value)| Error::BrokenLedger {
            tick,
            law: "every figure in the results is finite".into(),
            rows: format!("table {} row {}: {column} = {value}", self.table.name(), self.rows + 1),
        })?;
        self.rows += 1;
        self.collected += 1;
        if self.collected >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.open()?;
        let path = self.path();
        let Some((schema, writer)) = &mut self.file else { return Ok(()) };
        self.collected = 0;
        let batch = RecordBatch::try_new(Arc::clone(schema), self.columns.finish())
            .map_err(|error| write_error(&path, error.into()))?;
        writer.write(&batch).map_err(|error| write_error(&path, error))
    }

    /// Ends and syncs the file; its path if it was ever opened.
    pub(crate) fn close(&mut self) -> Result<Option<PathBuf>> {
        if self.collected > 0 {
            self.flush()?;
        }
        let path = self.path();
        let Some((_, writer)) = self.file.take() else { return Ok(None) };
        let file = writer.into_inner().map_err(|error| write_error(&path, error))?;
        file.sync_all().map_err(|source| Error::write(&path, source))?;
        Ok(Some(path))
    }
}

/// A failed write in words: the system's own error where there is one.
fn write_error(path: &Path, error: ParquetError) -> Error {
    let source = match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(io) => *io,
            Err(other) => std::io::Error::other(other),
        },
        other => std::io::Error::other(other),
    };
    Error::write(path, source)
}
