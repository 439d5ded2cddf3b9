//! Every type of cell, files as other tools write them, and damaged ones.

use super::*;
use crate::geoparquet::TableWriter;
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int8Array,
    LargeStringArray, ListArray, StringArray, StringViewArray, StructArray, UInt64Array,
};
use arrow::datatypes::{Int32Type, Schema};
use geo::{LineString, Point};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

fn listed(error: &Error) -> String {
    let Error::Input(problems) = error else { return error.to_string() };
    problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn written(folder: &Path, columns: Vec<(&str, ArrayRef)>, geo: Option<&str>) -> PathBuf {
    let fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    let batch = RecordBatch::try_new(schema.clone(), columns).unwrap();
    let path = folder.join("t.parquet");
    let keys = geo.map(|geo| vec![KeyValue::new("geo".to_owned(), geo.to_owned())]);
    let properties = WriterProperties::builder().set_key_value_metadata(keys).build();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), schema, Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn cells(table: &Table, column: &str) -> Vec<String> {
    let column = table.optional(column).unwrap_or_else(|| panic!("{column}"));
    table.rows().map(|row| row.text(column).to_owned()).collect()
}

fn wkb(shape: impl Into<geo::Geometry>) -> Vec<u8> {
    let mut bytes = Vec::new();
    wkb::writer::write_geometry(&mut bytes, &shape.into(), &Default::default()).unwrap();
    bytes
}

#[test]
fn cells_of_every_type() {
    let folder = tempfile::tempdir().unwrap();
    let float = 0.1 + 0.2;
    let path = written(
        folder.path(),
        vec![
            ("id", Arc::new(StringArray::from(vec![Some(" a "), None]))),
            ("large", Arc::new(LargeStringArray::from(vec!["x,\"y\"", "ü"]))),
            ("view", Arc::new(StringViewArray::from(vec!["a text too long to lie inside of its view", ""]))),
            ("words", Arc::new(vec!["pq", "slack"].into_iter().collect::<DictionaryArray<Int32Type>>())),
            ("double", Arc::new(Float64Array::from(vec![Some(float), None]))),
            ("whole", Arc::new(Float64Array::from(vec![7.0, -1e300]))),
            ("single", Arc::new(Float32Array::from(vec![0.1, f32::MIN_POSITIVE]))),
            ("tiny", Arc::new(Int8Array::from(vec![Some(-128), None]))),
            ("huge", Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(false)]))),
            ("money", Arc::new(Decimal128Array::from(vec![12_345, -5]).with_precision_and_scale(10, 2).unwrap())),
        ],
        None,
    );
    let table = Table::from_parquet(&path).unwrap();
    assert_eq!(cells(&table, "id"), ["a", ""]);
    assert_eq!(cells(&table, "large"), ["x,\"y\"", "ü"]);
    assert_eq!(cells(&table, "view"), ["a text too long to lie inside of its view", ""]);
    assert_eq!(cells(&table, "words"), ["pq", "slack"]);
    assert_eq!(cells(&table, "tiny"), ["-128", ""]);
    assert_eq!(cells(&table, "huge"), ["18446744073709551615", "0"]);
    assert_eq!(cells(&table, "flag"), ["true", "false"]);
    assert_eq!(cells(&table, "money"), ["123.45", "-0.05"]);
    let bits = |text: &str| text.parse::<f64>().unwrap().to_bits();
    assert_eq!((bits(&cells(&table, "double")[0]), cells(&table, "double")[1].as_str()), (float.to_bits(), ""));
    assert_eq!((cells(&table, "whole")[0].as_str(), bits(&cells(&table, "whole")[1])), ("7", (-1e300_f64).to_bits()));
    let singles: Vec<u64> = cells(&table, "single").iter().map(|text| bits(text)).collect();
    assert_eq!(singles, [f64::from(0.1_f32).to_bits(), f64::from(f32::MIN_POSITIVE).to_bits()]);
}

#[test]
fn geometry_by_its_name_in_the_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let (point, line) = (wkb(Point::new(7.5, 48.1)), wkb(LineString::from(vec![(7.5, 48.1), (7.25, -48.0)])));
    let shapes = || Arc::new(BinaryArray::from(vec![Some(&point[..]), Some(&line[..]), None]));
    let ids = || Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let plain = written(folder.path(), vec![("id", ids()), ("geometry", shapes())], None);
    let table = Table::from_parquet(&plain).unwrap();
    assert_eq!(cells(&table, "geometry"), ["POINT(7.5 48.1)", "LINESTRING(7.5 48.1,7.25 -48)", ""]);
    // As GDAL writes it: another name, and boxes that cover.
    let xmin: ArrayRef = Arc::new(Float32Array::from(vec![7.0; 3]));
    let boxes = StructArray::from(vec![(Arc::new(Field::new("xmin", DataType::Float32, true)), xmin)]);
    let geo = r#"{"version": "1.1.0", "primary_column": "geom", "columns": {"geom": {"encoding": "WKB", "geometry_types": [],
        "covering": {"bbox": {"xmin": ["geom_bbox", "xmin"]}}}}}"#;
    let columns: Vec<(&str, ArrayRef)> = vec![("id", ids()), ("geom", shapes()), ("geom_bbox", Arc::new(boxes))];
    let table = Table::from_parquet(&written(folder.path(), columns.clone(), Some(geo))).unwrap();
    assert_eq!(table.header(), ["id", "geometry"]);
    assert_eq!(cells(&table, "geometry")[0], "POINT(7.5 48.1)");
    let said = listed(&Table::from_parquet(&written(folder.path(), columns, None)).unwrap_err());
    assert!(said.contains("column `geom` is of type Binary, expected text"), "{said}");
    assert!(said.contains("column `geom_bbox` is of type Struct"), "{said}");
}

#[test]
fn faults_name_file_row_id_column() {
    let folder = tempfile::tempdir().unwrap();
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1)])]);
    let path = written(folder.path(), vec![("taps", Arc::new(lists))], None);
    let said = listed(&Table::from_parquet(&path).unwrap_err());
    assert!(said.contains("t.parquet: column `taps` is of type List"), "{said}");
    let shapes = BinaryArray::from(vec![Some(&b"\x01\x01"[..]), None, Some(&wkb(Point::new(f64::NAN, 1.0))[..])]);
    let ids = StringArray::from(vec!["a", "b", "c"]);
    let path = written(folder.path(), vec![("id", Arc::new(ids)), ("geometry", Arc::new(shapes))], None);
    let said = listed(&Table::from_parquet(&path).unwrap_err());
    let expected = "geometry = other bytes, expected a shape in WKB with finite corners, or null";
    for (line, row) in said.lines().zip(["t.parquet row 1 (id a)", "t.parquet row 3 (id c)"]) {
        assert!(line.ends_with(&format!("{row}: {expected}")), "{line}");
    }
    assert_eq!(said.lines().count(), 2);
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let path = written(folder.path(), vec![("id", ids.clone()), ("ID", ids)], None);
    assert!(listed(&Table::from_parquet(&path).unwrap_err()).contains("column `ID` occurs twice"));
    let numbers = Float64Array::from(vec![-1.0]);
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let table =
        Table::from_parquet(&written(folder.path(), vec![("id", ids), ("n", Arc::new(numbers))], None)).unwrap();
    let table = table.with_id("id");
    let mut problems = Problems::new();
    table.rows().next().unwrap().positive(table.optional("n").unwrap(), &mut problems);
    assert!(problems.listed()[0].to_string().ends_with("t.parquet row 1 (id a): n = -1, expected > 0"));
}

#[test]
fn a_folder_has_a_table_once() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Table::find_any(folder.path(), "t").unwrap().is_none());
    written(folder.path(), vec![("a", Arc::new(Int8Array::from(vec![1, 2])))], None);
    assert_eq!(Table::find_any(folder.path(), "t").unwrap().unwrap().len(), 2);
    std::fs::write(folder.path().join("t.csv"), "a\n1\n").unwrap();
    let said = listed(&Table::find_any(folder.path(), "t").unwrap_err());
    assert!(said.ends_with("t.parquet: is there beside t.csv, expected one of them"), "{said}");
    std::fs::remove_file(folder.path().join("t.parquet")).unwrap();
    assert_eq!(Table::find_any(folder.path(), "t").unwrap().unwrap().len(), 1);
    assert!(matches!(Table::from_parquet(Path::new("/nowhere/t.parquet")).unwrap_err(), Error::Read { .. }));
}

/// A valid file with a column of each kind.
fn whole_file() -> &'static [u8] {
    static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BYTES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let mut table = TableWriter::new("test");
        let rows = 0..40_u32;
        table.text("id", "", rows.clone().map(|row| format!("bus {row}")));
        table.text_or_null("kind", "", rows.clone().map(|row| (row % 3 > 0).then_some("pq")));
        table.number("vm_pu", "pu", "", &rows.clone().map(|row| 1.0 / f64::from(row)).collect::<Vec<_>>());
        table.whole("n", "", "", &rows.clone().map(i64::from).collect::<Vec<_>>());
        table.flag("is_on", "", &rows.clone().map(|row| row % 2 == 0).collect::<Vec<_>>());
        table.geometry("", &rows.map(|row| Point::new(f64::from(row), 1.0)).collect::<Vec<_>>()).unwrap();
        table.write(&path).unwrap();
        std::fs::read(path).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn damaged_files_never_panic(
        flips in prop::collection::vec((0.0..1.0_f64, 1..=255_u8), 0..4),
        cut in prop::option::of((0.0..1.0_f64, 0.0..1.0_f64)),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let mut bytes = whole_file().to_vec();
        for &(at, flip) in &flips {
            let at = (at * bytes.len() as f64) as usize;
            bytes[at] ^= flip;
        }
        if let Some((from, length)) = cut {
            let from = (from * bytes.len() as f64) as usize;
            let length = ((bytes.len() - from) as f64 * length) as usize;
            bytes.drain(from..from + length);
        }
        std::fs::write(&path, &bytes).unwrap();
        // What is left can still be a table, as nothing but the pages' headers is redundant.
        let read = Table::from_parquet(&path);
        prop_assert!(!matches!(read, Err(Error::Read { .. })), "{read:?}");
        if let Ok(table) = read {
            let width = table.header().len();
            let column = table.optional("vm_pu");
            let mut problems = Problems::new();
            let known = table.rows().filter_map(|row| row.finite(column?, &mut problems)).count();
            prop_assert!(width <= 6 && known <= table.len());
        }
    }

    #[test]
    fn cut_files_are_errors(left in 0.0..1.0_f64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        std::fs::write(&path, &whole_file()[..(left * whole_file().len() as f64) as usize]).unwrap();
        let said = listed(&Table::from_parquet(&path).unwrap_err());
        prop_assert!(said.contains("t.parquet: not a readable Parquet file: "), "{}", said);
    }
}
