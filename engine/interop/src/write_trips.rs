//! Writes trips and what became of them: tables of trips for other tools (CSV, Parquet), and a Parquet
//! file in memory out of Arrow columns.
//!
//! Contract: columns are encoded in parallel, each by one thread, in row groups of constant size: equal
//! rows give equal bytes.

use crate::network::RoadNetwork;
use crate::trips::{TripIds, Trips};
use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, StringBuilder};
use arrow::datatypes::{Field, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use urbis_core::{Error, Result, files};

/// Rows of a row group.
const GROUP_ROWS: usize = 131_072;

/// How a column of a table is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Few different values.
    Dictionary,
    /// Whole numbers, near each other.
    Delta,
    /// Anything else.
    Plain,
}

/// A column: name, whether it may be blank, encoding, cells.
pub type Column = (&'static str, bool, Packing, ArrayRef);

/// A Parquet file of columns of equal length.
///
/// # Errors
/// [`Error::Write`] naming `path` when the columns do not fit together; nothing is written there.
pub fn parquet_bytes(path: &Path, columns: &[Column]) -> Result<Vec<u8>> {
    encode(columns).map_err(|why| Error::write(path, std::io::Error::other(why)))
}

fn encode(columns: &[Column]) -> Result<Vec<u8>, ParquetError> {
    let field = |(name, nullable, _, cells): &Column| Field::new(*name, cells.data_type().clone(), *nullable);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("urbis version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS));
    for (name, _, packing, _) in columns {
        let path = ColumnPath::from(*name);
        properties = properties.set_column_dictionary_enabled(path.clone(), *packing == Packing::Dictionary);
        if *packing == Packing::Delta {
            properties = properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    let parquet_schema = ArrowSchemaConverter::new().convert(&schema)?;
    let mut writer =
        SerializedFileWriter::new(Vec::new(), parquet_schema.root_schema_ptr(), Arc::new(properties.build()))?;
    let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&schema));
    let rows = columns.first().map_or(0, |column| column.3.len());
    let groups = rows.div_ceil(GROUP_ROWS);
    let encoded: Vec<Vec<ArrowColumnChunk>> = (0..groups)
        .into_par_iter()
        .map(|group| {
            let start = group * GROUP_ROWS;
            let length = GROUP_ROWS.min(rows - start);
            let writers = factory.create_column_writers(group)?;
            let paired: Vec<_> = writers.into_iter().zip(columns.iter().enumerate()).collect();
            paired
                .into_par_iter()
                .map(|(mut writer, (at, column))| {
                    for leaf in compute_leaves(schema.field(at), &column.3.slice(start, length))? {
                        writer.write(&leaf)?;
                    }
                    writer.close()
                })
                .collect::<Result<Vec<_>, ParquetError>>()
        })
        .collect::<Result<Vec<_>, ParquetError>>()?;
    for chunks in encoded {
        let mut group = writer.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
    }
    writer.into_inner()
}

/// Names of trips as a column.
#[must_use]
pub fn id_column(ids: &TripIds) -> Column {
    match ids {
        TripIds::Number(ids) => ("trip_id", false, Packing::Delta, Arc::new(Int64Array::from(ids.clone()))),
        TripIds::Text(ids) => {
            ("trip_id", false, Packing::Plain, Arc::new(StringArray::from_iter_values(ids.iter())) as ArrayRef)
        }
    }
}

/// Text that may stand in a CSV cell.
fn cell(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}

fn node(network: &RoadNetwork, row: u32) -> &str {
    network.node_id.get(row as usize).map_or("", String::as_str)
}

fn write_route(text: &mut impl Write, network: &RoadNetwork, trips: &Trips, row: usize) {
    for (nth, link) in trips.route(row).iter().enumerate() {
        let space = if nth == 0 { "" } else { " " };
        // Writing to memory cannot fail.
        let _ = write!(text, "{space}{}", network.link_id[link.row()]);
    }
}

/// Writes trips as CSV that [`crate::trips::read`] reads back.
///
/// # Errors
/// [`Error::Write`] when the file cannot be written.
pub fn csv(path: &Path, network: &RoadNetwork, trips: &Trips) -> Result<()> {
    let has_class = !trips.vehicle_class.is_empty();
    let mut text = String::from("trip_id,depart_s,from_node,to_node,route");
    text.push_str(if has_class { ",vehicle_class\n" } else { "\n" });
    let mut route = String::new();
    for row in 0..trips.len() {
        let (from, to) = (node(network, trips.from_node[row]), node(network, trips.to_node[row]));
        let id = trips.trip_id.text(row);
        let _ = write!(text, "{},{},{},{},", cell(&id), trips.depart_s[row], cell(from), cell(to));
        route.clear();
        write_route(&mut route, network, trips, row);
        text.push_str(&cell(&route));
        if has_class {
            let _ = write!(text, ",{}", trips.vehicle_class[row].name());
        }
        text.push('\n');
    }
    files::write_whole(path, text.as_bytes())
}

/// Writes trips as Parquet that [`crate::trips::read`] reads back.
///
/// # Errors
/// [`Error::Write`] when the file cannot be written.
pub fn parquet(path: &Path, network: &RoadNetwork, trips: &Trips) -> Result<()> {
    let nodes = |rows: &[u32]| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|&row| node(network, row))))
    };
    let mut routes = StringBuilder::new();
    for row in 0..trips.len() {
        write_route(&mut routes, network, trips, row);
        routes.append_value("");
    }
    let mut columns: Vec<Column> = vec![
        id_column(&trips.trip_id),
        ("depart_s", false, Packing::Plain, Arc::new(Float64Array::from(trips.depart_s.clone()))),
        ("from_node", false, Packing::Dictionary, nodes(&trips.from_node)),
        ("to_node", false, Packing::Dictionary, nodes(&trips.to_node)),
        ("route", false, Packing::Plain, Arc::new(routes.finish())),
    ];
    if !trips.vehicle_class.is_empty() {
        let names = trips.vehicle_class.iter().map(|class| class.name());
        columns.push(("vehicle_class", false, Packing::Dictionary, Arc::new(StringArray::from_iter_values(names))));
    }
    files::write_whole(path, &parquet_bytes(path, &columns)?)
}
