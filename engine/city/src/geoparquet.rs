//! Tables on disk: Parquet through Arrow, and GeoParquet 1.1 where there is a geometry (column
//! `geometry`, WKB, longitude and latitude in degrees, so `crs` is left out and means OGC:CRS84).
//!
//! Units and descriptions stand in the Arrow field metadata (`unit`, `description`). Files are
//! byte-identical for equal tables: fixed writer name, no time stamps, zstd at a fixed level, one
//! order of keys. Missing numbers are nulls in files and NaN in memory.
//!
//! Ignores: other encodings (GeoArrow), other reference systems, covering boxes. Single-threaded.

use crate::vector::Value;
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray, UInt8Array, UInt32Array,
};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, UInt8Type, UInt32Type};
use arrow::record_batch::RecordBatch;
use geo::{Coord, CoordsIter, Geometry};
use geo_traits::to_geo::ToGeoGeometry;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use urbis_core::{Error, Problem, Problems, Result};

/// Version of GeoParquet that is written.
pub const GEOPARQUET_VERSION: &str = "1.1.0";
/// Name of the geometry column.
pub const GEOMETRY: &str = "geometry";
/// Written into every file instead of a version of a library, so that equal tables are equal bytes.
const CREATED_BY: &str = "urbis";

/// A table being put together, column by column.
#[derive(Debug, Default)]
pub struct TableWriter {
    fields: Vec<Field>,
    columns: Vec<ArrayRef>,
    geo: Option<String>,
    metadata: BTreeMap<String, String>,
}

impl TableWriter {
    /// An empty table; `description` goes into the file's metadata.
    #[must_use]
    pub fn new(description: &str) -> Self {
        let metadata = BTreeMap::from([("description".to_owned(), description.to_owned())]);
        Self { metadata, ..Self::default() }
    }
    /// Adds a key to the file's metadata.
    #[must_use]
    pub fn with_metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.to_owned(), value.to_owned());
        self
    }
    fn push(&mut self, name: &str, unit: &str, description: &str, nullable: bool, column: ArrayRef) {
        let mut metadata = std::collections::BTreeMap::from([("description".to_owned(), description.to_owned())]);
        if !unit.is_empty() {
            metadata.insert("unit".to_owned(), unit.to_owned());
        }
        let field = Field::new(name, column.data_type().clone(), nullable);
        self.fields.push(field.with_metadata(metadata.into_iter().collect()));
        self.columns.push(column);
    }
    /// Adds a text column.
    pub fn text<S: AsRef<str>>(&mut self, name: &str, description: &str, values: impl IntoIterator<Item = S>) {
        self.push(name, "", description, false, Arc::new(values.into_iter().map(Some).collect::<StringArray>()));
    }
    /// Adds a text column where values may be absent.
    pub fn text_or_null<S: AsRef<str>>(
        &mut self,
        name: &str,
        description: &str,
        values: impl IntoIterator<Item = Option<S>>,
    ) {
        self.push(name, "", description, true, Arc::new(values.into_iter().collect::<StringArray>()));
    }
    /// Adds a column of numbers; NaN becomes null, and -0 zero.
    pub fn number(&mut self, name: &str, unit: &str, description: &str, values: &[f64]) {
        let column: Float64Array = values.iter().map(|&v| (!v.is_nan()).then_some(v + 0.0)).collect();
        self.push(name, unit, description, column.null_count() > 0, Arc::new(column));
    }
    /// Adds a column of whole numbers.
    pub fn whole(&mut self, name: &str, unit: &str, description: &str, values: &[i64]) {
        self.push(name, unit, description, false, Arc::new(Int64Array::from(values.to_vec())));
    }
    /// Adds a column of counts.
    pub fn count(&mut self, name: &str, unit: &str, description: &str, values: &[u32]) {
        self.push(name, unit, description, false, Arc::new(UInt32Array::from(values.to_vec())));
    }
    /// Adds a column of small counts.
    pub fn small(&mut self, name: &str, unit: &str, description: &str, values: &[u8]) {
        self.push(name, unit, description, false, Arc::new(UInt8Array::from(values.to_vec())));
    }
    /// Adds a column of flags.
    pub fn flag(&mut self, name: &str, description: &str, values: &[bool]) {
        self.push(name, "", description, false, Arc::new(BooleanArray::from(values.to_vec())));
    }
    /// Adds the geometry column; every row has a geometry, in degrees.
    ///
    /// # Errors
    /// When a geometry cannot be encoded.
    pub fn geometry<G>(&mut self, description: &str, shapes: &[G]) -> Result<()>
    where
        G: geo_traits::GeometryTrait<T = f64> + for<'a> CoordsIter<Scalar = f64>,
    {
        let options = wkb::writer::WriteOptions::default();
        let mut bounds: Option<[f64; 4]> = None;
        let mut types = std::collections::BTreeSet::new();
        let mut encoded: Vec<Vec<u8>> = Vec::with_capacity(shapes.len());
        for (row, shape) in shapes.iter().enumerate() {
            let mut bytes = Vec::new();
            wkb::writer::write_geometry(&mut bytes, shape, &options)
                .map_err(|e| Problem::file(Path::new(GEOMETRY), format!("row {}: {e}", row + 1)))?;
            types.insert(geometry_type_name(&bytes));
            encoded.push(bytes);
            for coord in shape.coords_iter() {
                bounds = Some(grown(bounds, coord));
            }
        }
        let mut column = serde_json::json!({ "encoding": "WKB", "geometry_types": types });
        if let Some(bounds) = bounds {
            column["bbox"] = serde_json::json!(bounds);
        }
        let geo = serde_json::json!({
            "version": GEOPARQUET_VERSION, "primary_column": GEOMETRY, "columns": { GEOMETRY: column }
        });
        self.geo = Some(geo.to_string());
        let column: BinaryArray = encoded.iter().map(Some).collect();
        self.push(GEOMETRY, "degree", description, false, Arc::new(column));
        Ok(())
    }
    /// Writes the table as CSV instead, for spreadsheets: a header of names, an empty field where a value is absent.
    ///
    /// # Errors
    /// [`Error::Write`] when the file cannot be written.
    pub fn write_csv(self, path: &Path) -> Result<()> {
        use arrow::util::display::{ArrayFormatter, FormatOptions};
        let attempt = || -> std::io::Result<()> {
            let mut writer = csv::Writer::from_path(path)?;
            writer.write_record(self.fields.iter().map(Field::name))?;
            let options = FormatOptions::default();
            let columns: Vec<ArrayFormatter<'_>> = self
                .columns
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options).map_err(std::io::Error::other))
                .collect::<std::io::Result<_>>()?;
            for row in 0..self.columns.first().map_or(0, |column| column.len()) {
                writer.write_record(columns.iter().map(|column| column.value(row).to_string()))?;
            }
            writer.flush()
        };
        attempt().map_err(|source| Error::write(path, source))
    }
    /// Writes the file.
    ///
    /// # Errors
    /// [`Error::Write`] when the file cannot be written.
    pub fn write(mut self, path: &Path) -> Result<()> {
        if let Some(geo) = self.geo.take() {
            self.metadata.insert("geo".to_owned(), geo);
        }
        let keys = self.metadata.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
        let level = ZstdLevel::try_new(3).map_err(|e| Error::write(path, std::io::Error::other(e)))?;
        let properties = WriterProperties::builder()
            .set_created_by(CREATED_BY.to_owned())
            .set_compression(Compression::ZSTD(level))
            .set_key_value_metadata(Some(keys))
            .build();
        let schema = Arc::new(Schema::new(self.fields));
        let attempt = || -> std::io::Result<()> {
            let batch = RecordBatch::try_new(schema.clone(), self.columns).map_err(std::io::Error::other)?;
            let file = File::create(path)?;
            let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(std::io::Error::other)?;
            writer.write(&batch).map_err(std::io::Error::other)?;
            writer.close().map_err(std::io::Error::other)?;
            Ok(())
        };
        attempt().map_err(|source| Error::write(path, source))
    }
}

fn grown(bounds: Option<[f64; 4]>, at: Coord) -> [f64; 4] {
    let [west, south, east, north] = bounds.unwrap_or([at.x, at.y, at.x, at.y]);
    [west.min(at.x), south.min(at.y), east.max(at.x), north.max(at.y)]
}

/// `GeoParquet`'s name of the type of a little-endian WKB geometry.
fn geometry_type_name(wkb: &[u8]) -> &'static str {
    const NAMES: [&str; 7] =
        ["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"];
    let code = wkb.get(1).copied().unwrap_or(7).clamp(1, 7);
    NAMES[usize::from(code) - 1]
}

/// A table read whole, whose columns are then asked for by name and type.
#[derive(Debug)]
pub struct TableReader {
    path: PathBuf,
    batch: RecordBatch,
    metadata: BTreeMap<String, String>,
}

impl TableReader {
    /// Opens and reads a Parquet file.
    ///
    /// # Errors
    /// [`Error::Read`] when the file is absent, a [`Problem`] when it is not Parquet.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::read(path, source))?;
        let broken = |e: &dyn std::fmt::Display| Problem::file(path, format!("not a readable Parquet file: {e}"));
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| broken(&e))?;
        let schema = builder.schema().clone();
        let keys = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
        let metadata = keys.into_iter().filter_map(|kv| Some((kv.key, kv.value?))).collect();
        let reader = builder.with_batch_size(1 << 16).build().map_err(|e| broken(&e))?;
        let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|e| broken(&e))?;
        let batch = arrow::compute::concat_batches(&schema, &batches).map_err(|e| broken(&e))?;
        Ok(Self { path: path.to_owned(), batch, metadata })
    }
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }
    /// Where the file lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Whether there is a column of the name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.batch.column_by_name(name).is_some()
    }

    fn column(&self, name: &str, expected: &DataType, problems: &mut Problems) -> Option<ArrayRef> {
        let Some(column) = self.batch.column_by_name(name) else {
            let schema = self.batch.schema();
            let known: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            let problem = Problem::file(&self.path, format!("missing column {name}, found {}", known.join(", ")));
            problems.push(problem.with_help("build the city package again with `urbis city build`"));
            return None;
        };
        if column.data_type() == expected {
            return Some(column.clone());
        }
        // Other tools write other widths and text encodings; what converts without loss is accepted.
        let safe = arrow::compute::CastOptions { safe: false, ..Default::default() };
        let castable = (expected.is_numeric() && column.data_type().is_numeric())
            || matches!((expected, column.data_type()), (DataType::Utf8, DataType::LargeUtf8 | DataType::Utf8View))
            || matches!(
                (expected, column.data_type()),
                (DataType::Binary, DataType::LargeBinary | DataType::BinaryView)
            )
            || matches!((expected, column.data_type()), (DataType::Utf8, DataType::Dictionary(_, _)));
        let cast = castable.then(|| arrow::compute::cast_with_options(column, expected, &safe)).and_then(Result::ok);
        if cast.is_none() {
            let what = format!("column {name} is of type {}, expected {expected}", column.data_type());
            problems.push(Problem::file(&self.path, what));
        }
        cast
    }
    fn no_nulls(&self, name: &str, column: &dyn Array, problems: &mut Problems) {
        for row in (0..column.len()).filter(|&row| column.is_null(row)) {
            problems.push(Problem::value(&self.path, row + 1, None, name, "null", "a value"));
        }
    }

    /// A text column; empty, with a problem said, where it is missing.
    pub fn text(&self, name: &str, problems: &mut Problems) -> Vec<String> {
        let Some(column) = self.column(name, &DataType::Utf8, problems) else { return Vec::new() };
        self.no_nulls(name, &column, problems);
        column.as_string::<i32>().iter().map(|v| v.unwrap_or_default().to_owned()).collect()
    }
    /// A text column where values may be absent.
    pub fn text_or_null(&self, name: &str, problems: &mut Problems) -> Vec<Option<String>> {
        let Some(column) = self.column(name, &DataType::Utf8, problems) else { return Vec::new() };
        column.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect()
    }
    /// A column of numbers; null becomes NaN.
    pub fn number(&self, name: &str, problems: &mut Problems) -> Vec<f64> {
        let Some(column) = self.column(name, &DataType::Float64, problems) else { return Vec::new() };
        column.as_primitive::<Float64Type>().iter().map(|v| v.unwrap_or(f64::NAN)).collect()
    }
    /// A column of whole numbers.
    pub fn whole(&self, name: &str, problems: &mut Problems) -> Vec<i64> {
        let Some(column) = self.column(name, &DataType::Int64, problems) else { return Vec::new() };
        self.no_nulls(name, &column, problems);
        column.as_primitive::<Int64Type>().iter().map(Option::unwrap_or_default).collect()
    }
    /// A column of counts.
    pub fn count(&self, name: &str, problems: &mut Problems) -> Vec<u32> {
        let Some(column) = self.column(name, &DataType::UInt32, problems) else { return Vec::new() };
        self.no_nulls(name, &column, problems);
        column.as_primitive::<UInt32Type>().iter().map(Option::unwrap_or_default).collect()
    }
    /// A column of small counts.
    pub fn small(&self, name: &str, problems: &mut Problems) -> Vec<u8> {
        let Some(column) = self.column(name, &DataType::UInt8, problems) else { return Vec::new() };
        self.no_nulls(name, &column, problems);
        column.as_primitive::<UInt8Type>().iter().map(Option::unwrap_or_default).collect()
    }
    /// A column of flags.
    pub fn flag(&self, name: &str, problems: &mut Problems) -> Vec<bool> {
        let Some(column) = self.column(name, &DataType::Boolean, problems) else { return Vec::new() };
        self.no_nulls(name, &column, problems);
        column.as_boolean().iter().map(Option::unwrap_or_default).collect()
    }
    /// Every column but the geometry as text or numbers, with their names: for files of other tools.
    #[must_use]
    pub fn values(&self) -> (Vec<String>, Vec<Vec<Option<Value>>>) {
        let schema = self.batch.schema();
        let columns = schema.fields().iter().zip(self.batch.columns()).filter(|(field, _)| field.name() != GEOMETRY);
        columns
            .filter_map(|(field, column)| {
                let values: Vec<Option<Value>> = if column.data_type().is_numeric() {
                    let numbers = arrow::compute::cast(column, &DataType::Float64).ok()?;
                    numbers.as_primitive::<Float64Type>().iter().map(|v| v.map(Value::Number)).collect()
                } else {
                    let texts = arrow::compute::cast(column, &DataType::Utf8).ok()?;
                    texts.as_string::<i32>().iter().map(|v| v.map(|v| Value::Text(v.to_owned()))).collect()
                };
                Some((field.name().clone(), values))
            })
            .unzip()
    }
    /// The geometry column, each row turned by `wanted` into the type needed. `what` names that type.
    pub fn geometry<G>(&self, what: &str, wanted: impl Fn(Geometry) -> Option<G>, problems: &mut Problems) -> Vec<G> {
        if !self.metadata.get("geo").is_some_and(|geo| is_wkb_geoparquet(geo)) {
            let text = "no GeoParquet metadata (key `geo`) with a WKB column `geometry` in longitude and latitude";
            problems.push(Problem::file(&self.path, text));
            return Vec::new();
        }
        let Some(column) = self.column(GEOMETRY, &DataType::Binary, problems) else { return Vec::new() };
        let mut shapes = Vec::with_capacity(column.len());
        for (row, bytes) in column.as_binary::<i32>().iter().enumerate() {
            let shape = bytes
                .and_then(|bytes| wkb::reader::read_wkb(bytes).ok())
                .and_then(|shape| shape.try_to_geometry())
                .filter(|shape| shape.coords_count() > 0)
                .and_then(&wanted);
            match shape {
                Some(shape) => shapes.push(shape),
                None => problems.push(Problem::value(
                    &self.path,
                    row + 1,
                    None,
                    GEOMETRY,
                    if bytes.is_none() { "null" } else { "something else" },
                    format_args!("a {what} in WKB"),
                )),
            }
        }
        shapes
    }
}

fn is_wkb_geoparquet(geo: &str) -> bool {
    let Ok(geo) = serde_json::from_str::<serde_json::Value>(geo) else { return false };
    let column = &geo["columns"][GEOMETRY];
    let degrees = match &column["crs"] {
        serde_json::Value::Null => true,
        crs => matches!(crs["id"]["code"].as_str(), Some("CRS84")) || crs["id"]["code"] == 4326,
    };
    geo["primary_column"] == GEOMETRY && column["encoding"] == "WKB" && degrees
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{LineString, Point, line_string, point};

    fn lines() -> Vec<LineString> {
        vec![line_string![(x: 7.0, y: 43.0), (x: 7.5, y: 43.5)], line_string![(x: 6.0, y: 44.0), (x: 6.5, y: 44.5)]]
    }

    #[test]
    fn columns_come_back_and_bytes_are_equal() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let mut table = TableWriter::new("test").with_metadata("z", "1").with_metadata("a", "2");
            table.text("id", "outside id", ["a", "b"]);
            table.text_or_null("zone_id", "zone", [Some("z"), None]);
            table.number("length_m", "m", "length", &[1.5, f64::NAN]);
            table.whole("way_id", "", "way", &[-1, i64::MAX]);
            table.count("n", "", "count", &[1, 2]);
            table.small("lanes", "", "lanes", &[1, 2]);
            table.flag("tunnel", "in a tunnel", &[true, false]);
            table.geometry("line", &lines()).unwrap();
            let path = place.path().join(name);
            table.write(&path).unwrap();
            path
        };
        let (one, two) = (write("1.parquet"), write("2.parquet"));
        assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
        let table = TableReader::read(&one).unwrap();
        let mut problems = Problems::new();
        assert_eq!(table.text("id", &mut problems), ["a", "b"]);
        assert_eq!(table.text_or_null("zone_id", &mut problems), [Some("z".to_owned()), None]);
        let lengths = table.number("length_m", &mut problems);
        assert!((lengths[0] - 1.5).abs() < 1e-12 && lengths[1].is_nan());
        assert_eq!(table.whole("way_id", &mut problems), [-1, i64::MAX]);
        assert_eq!(table.count("n", &mut problems), [1, 2]);
        assert_eq!(table.small("lanes", &mut problems), [1, 2]);
        assert_eq!(table.flag("tunnel", &mut problems), [true, false]);
        let read: Vec<LineString> = table.geometry("LineString", |g| g.try_into().ok(), &mut problems);
        assert_eq!(read, lines());
        assert!(problems.is_empty());
        let geo: serde_json::Value = serde_json::from_str(&table.metadata["geo"]).unwrap();
        assert_eq!(geo["version"], "1.1.0");
        assert_eq!(geo["columns"]["geometry"]["geometry_types"], serde_json::json!(["LineString"]));
        assert_eq!(geo["columns"]["geometry"]["bbox"], serde_json::json!([6.0, 43.0, 7.5, 44.5]));
        let schema = table.batch.schema();
        assert_eq!(schema.field_with_name("length_m").unwrap().metadata()["unit"], "m");
    }

    #[test]
    fn wrong_files_columns_and_types_are_said() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("t.parquet");
        std::fs::write(&path, "not parquet").unwrap();
        let said = TableReader::read(&path).unwrap_err();
        assert!(matches!(said, Error::Input(_)), "{said}");
        let mut table = TableWriter::new("test");
        table.text("id", "", ["a"]);
        table.geometry("", &[point!(x: 1.0, y: 2.0)]).unwrap();
        table.write(&path).unwrap();
        let table = TableReader::read(&path).unwrap();
        let mut problems = Problems::new();
        table.number("id", &mut problems);
        table.number("speed", &mut problems);
        let _: Vec<LineString> = table.geometry("LineString", |g| g.try_into().ok(), &mut problems);
        let said: Vec<String> = problems.listed().iter().map(ToString::to_string).collect();
        assert!(said[0].contains("column id is of type Utf8, expected Float64"), "{said:?}");
        assert!(said[1].contains("missing column speed, found id, geometry"), "{said:?}");
        assert!(said[2].contains("row 1: geometry = something else, expected a LineString"), "{said:?}");
        let _: Vec<Point> = table.geometry("Point", |g| g.try_into().ok(), &mut problems);
        assert_eq!(problems.len(), 3);
    }
}
