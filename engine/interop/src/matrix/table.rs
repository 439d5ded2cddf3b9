//! Matrices as tables. Long: `origin, destination, trips`, in any order, also under the names that GMNS, TransCAD and
//! AequilibraE use. Wide: the first row names the destinations, the first column the origins.
//!
//! A CSV file with a column for destinations is long; any other is wide. Zone ids are text, and whole numbers are equal
//! however they are written (`7`, `7.0`). Ignores: further columns of the long form, but says so.
//! Contract: a pure function of the file; never a panic.

use super::Demand;
use crate::names::Names;
use crate::trips_parquet::decoded;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::path::Path;
use urbis_city::table::{Column, Table};
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Error, Problem, Problems, Result};

/// Names of the columns of the long form; the first is the one that is told.
const LONG: [&[&str]; 3] = [
    &["origin", "o", "orig", "from", "from_zone", "from_zone_id", "o_zone_id", "origin_zone", "origin_id", "from_node"],
    &[
        "destination",
        "d",
        "dest",
        "to",
        "to_zone",
        "to_zone_id",
        "d_zone_id",
        "destination_zone",
        "destination_id",
        "to_node",
    ],
    &["trips", "volume", "demand", "flow", "value", "count", "vehicles", "od_demand"],
];

/// Reads a matrix from CSV, long or wide, compressed or not.
///
/// # Errors
/// [`Error::Read`] when the file cannot be read; [`Error::Input`] with every missing column, doubled zone and cell that
/// is negative or no number.
pub fn read_csv(path: &Path) -> Result<Demand> {
    from_table(&Table::read(path)?)
}

/// Reads a matrix in long form from Parquet.
///
/// # Errors
/// As [`read_csv`].
pub fn read_parquet(path: &Path) -> Result<Demand> {
    let file = File::open(path).map_err(|source| Error::read(path, source))?;
    let fault = |why: String| Problem::file(path, format!("not a Parquet file that can be read: {why}"));
    let builder = decoded(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(|why| fault(why.to_string()))?;
    let header: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let columns = long_columns(path, &header)?;
    let mut reader = decoded(|| builder.build()).map_err(|why| fault(why.to_string()))?;
    let (mut zones, mut cells, mut problems) = (Names::default(), Vec::new(), Problems::new());
    let mut row = 0;
    while let Some(batch) = decoded(|| Ok(reader.next().transpose()?)).map_err(|why| fault(why.to_string()))? {
        take_batch(path, &batch, columns, row, &mut zones, &mut cells, &mut problems)?;
        row += batch.num_rows();
    }
    problems.or_else(())?;
    Ok(with_others(Demand::from_cells(zones, cells), &header, columns))
}

/// Positions of the three columns of the long form.
fn long_columns(path: &Path, header: &[String]) -> Result<[usize; 3]> {
    let find = |names: &[&str]| {
        names.iter().find_map(|name| header.iter().position(|column| column.trim().eq_ignore_ascii_case(name)))
    };
    let found = LONG.map(find);
    let mut problems = Problems::new();
    for (names, found) in LONG.iter().zip(found) {
        if found.is_none() {
            let what = format!("column `{}` is missing; the columns present are {}", names[0], header.join(", "));
            let mut problem = Problem::file(path, what);
            if let Some(near) = did_you_mean(names[0], header.iter().map(String::as_str)) {
                problem = problem.with_help(format!("did you mean `{near}`?"));
            }
            problems.push(problem);
        }
    }
    problems.or_else(found.map(|column| column.unwrap_or(0)))
}

fn with_others(mut demand: Demand, header: &[String], columns: [usize; 3]) -> Demand {
    let others: Vec<&str> =
        header.iter().enumerate().filter(|(at, _)| !columns.contains(at)).map(|(_, name)| name.as_str()).collect();
    if !others.is_empty() {
        demand.notes.push(format!("columns {} are not read", others.join(", ")));
    }
    demand
}

fn take_batch(
    path: &Path,
    batch: &RecordBatch,
    columns: [usize; 3],
    before: usize,
    zones: &mut Names,
    cells: &mut Vec<(u32, u32, f64)>,
    problems: &mut Problems,
) -> Result<()> {
    let column = |at: usize, to: &DataType| {
        let given = batch.column(columns[at]);
        cast(given, to).map_err(|_| {
            let expected = if at == 2 { "numbers" } else { "numbers or text" };
            let what = format!("column `{}` is {}, expected {expected}", LONG[at][0], given.data_type());
            Error::from(Problem::file(path, what))
        })
    };
    let (origin, destination) = (column(0, &DataType::Utf8)?, column(1, &DataType::Utf8)?);
    let trips = column(2, &DataType::Float64)?;
    let (origin, destination) = (origin.as_string::<i32>(), destination.as_string::<i32>());
    let trips = trips.as_primitive::<Float64Type>();
    for row in 0..batch.num_rows() {
        let number = before + row + 1;
        let value = if trips.is_null(row) { f64::NAN } else { trips.value(row) };
        if !is_amount(value) {
            let value = if trips.is_null(row) { "(blank)".to_owned() } else { value.to_string() };
            problems.push(Problem::value(path, number, None, "trips", value, "a number >= 0"));
            continue;
        }
        if origin.is_null(row) || destination.is_null(row) {
            problems.push(Problem::value(path, number, None, "zone", "(blank)", "a value"));
            continue;
        }
        cells.push((zone(zones, origin.value(row)), zone(zones, destination.value(row)), value));
    }
    Ok(())
}

fn is_amount(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

/// Row of a zone; `7.0` is zone 7.
fn zone(zones: &mut Names, text: &str) -> u32 {
    let text = text.trim();
    let whole = text.split_once('.').filter(|(whole, rest)| {
        !whole.is_empty() && rest.bytes().all(|digit| digit == b'0') && whole.parse::<i64>().is_ok()
    });
    zones.insert(whole.map_or(text, |(whole, _)| whole))
}

fn from_table(table: &Table) -> Result<Demand> {
    let header = table.header();
    let has =
        |names: &[&str]| header.iter().any(|column| names.iter().any(|name| column.trim().eq_ignore_ascii_case(name)));
    if LONG.iter().filter(|names| has(names)).count() >= 2 {
        let columns = long_columns(table.path(), header)?;
        return Ok(with_others(long(table, columns)?, header, columns));
    }
    wide(table)
}

fn long(table: &Table, columns: [usize; 3]) -> Result<Demand> {
    let mut problems = Problems::new();
    let (mut zones, mut cells) = (Names::default(), Vec::with_capacity(table.len()));
    let [origin, destination, trips] = columns.map(|at| column(table, at));
    for row in table.rows() {
        let from = row.required_text(origin, &mut problems);
        let to = row.required_text(destination, &mut problems);
        let trips = row.number_where(trips, &mut problems, ">= 0", |value| value >= 0.0);
        if let (Some(from), Some(to), Some(trips)) = (from, to, trips) {
            cells.push((zone(&mut zones, from), zone(&mut zones, to), trips));
        }
    }
    problems.or_else(())?;
    Ok(Demand::from_cells(zones, cells))
}

/// Names occur once in a header, so the position can be had by name again.
fn column(table: &Table, at: usize) -> Column {
    table.optional(&table.header()[at]).unwrap_or_else(|| unreachable!("a column of the header"))
}

fn wide(table: &Table) -> Result<Demand> {
    let header = table.header();
    if header.len() < 2 {
        let what =
            "has one column; expected origin, destination, trips, or origins in rows and destinations in columns";
        return Err(Problem::file(table.path(), what).into());
    }
    let mut problems = Problems::new();
    let (mut zones, mut cells) = (Names::default(), Vec::new());
    let mut destinations = Vec::with_capacity(header.len() - 1);
    for name in &header[1..] {
        if name.trim().is_empty() {
            problems.push(Problem::file(table.path(), "a destination in the first row is blank"));
        }
        destinations.push(zone(&mut zones, name));
    }
    problems.or_else(())?;
    let mut problems = Problems::new();
    let columns: Vec<Column> = (1..header.len()).map(|at| column(table, at)).collect();
    let first = table.optional(&header[0]);
    let mut seen = vec![false; table.len() + header.len()];
    for row in table.rows() {
        let Some(name) = first.and_then(|first| row.required_text(first, &mut problems)) else { continue };
        let origin = zone(&mut zones, name);
        if let Some(first) = first
            && std::mem::replace(&mut seen[origin as usize], true)
        {
            problems.push(row.problem(first, "an origin that occurs once"));
        }
        for (&destination, &column) in destinations.iter().zip(&columns) {
            // A blank cell is no trips, as spreadsheets have it.
            if row.text(column).is_empty() {
                continue;
            }
            if let Some(trips) = row.number_where(column, &mut problems, ">= 0", |value| value >= 0.0) {
                cells.push((origin, destination, trips));
            }
        }
    }
    problems.or_else(())?;
    Ok(Demand::from_cells(zones, cells))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::fuzz;
    use arrow::array::{ArrayRef, Float32Array, Int64Array, StringArray};
    use std::sync::Arc;

    fn csv(text: &str) -> Result<Demand> {
        from_table(&Table::from_bytes(Path::new("od.csv"), text.as_bytes())?)
    }

    fn said(result: Result<Demand>) -> Vec<String> {
        let Err(Error::Input(problems)) = result else { panic!("{result:?}") };
        let with_help = |p: &Problem| format!("{p} {}", p.help_text().unwrap_or_default());
        problems.listed().iter().map(with_help).collect()
    }

    const LONG_TEXT: &str = "D_zone_id,volume,o_zone_id,note\n2,3.5,1,x\n1,0,1,\n3,0.5,1.0,\n2,1.5,1,\n1,4,3,\n";

    #[test]
    fn long_and_wide_are_the_same() {
        let long = csv(LONG_TEXT).unwrap();
        assert_eq!((long.total(), long.trips.len()), (9.5, 3));
        assert_eq!(long.notes, ["1 cells occur more than once and were added up", "columns note are not read"]);
        let wide = csv(",1,2,3\n1,0,5,0.5\n3,4,,0\n").unwrap();
        let cells = |demand: &Demand| {
            let name = |row: u32| demand.zones[row as usize].clone();
            let rows = 0..demand.trips.len();
            let mut all: Vec<(String, String, u64)> = rows
                .map(|i| (name(demand.origin[i]), name(demand.destination[i]), demand.trips[i].to_bits()))
                .collect();
            all.sort();
            all
        };
        assert_eq!(cells(&long), cells(&wide));
    }

    #[test]
    fn parquet_is_as_csv() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("od.parquet");
        let write = |columns: Vec<(&str, ArrayRef)>| {
            let batch = RecordBatch::try_from_iter(columns).unwrap();
            let mut writer =
                parquet::arrow::ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
        };
        let trips: ArrayRef = Arc::new(Float32Array::from(vec![3.5, 0.0, 0.5, 1.5, 4.0]));
        let to: ArrayRef = Arc::new(StringArray::from(vec!["2", "1", "3", "2", "1"]));
        let from: ArrayRef = Arc::new(Int64Array::from(vec![1, 1, 1, 1, 3]));
        write(vec![("destination", to), ("trips", trips), ("origin", Arc::clone(&from))]);
        let (read, same) = (read_parquet(&path).unwrap(), csv(LONG_TEXT).unwrap());
        assert_eq!((read.origin, read.destination, read.trips), (same.origin, same.destination, same.trips));
        let negative: ArrayRef =
            Arc::new(Float32Array::from(vec![Some(1.0), None, Some(-2.0), Some(f32::NAN), Some(0.0)]));
        write(vec![("o", Arc::clone(&from)), ("d", Arc::clone(&from)), ("trips", negative)]);
        assert_eq!(said(read_parquet(&path)).len(), 3);
        write(vec![("o", Arc::clone(&from)), ("destinations", from)]);
        let words = said(read_parquet(&path));
        assert!(
            words[0].contains("`destination` is missing") && words[0].contains("did you mean `destinations`?"),
            "{words:?}"
        );
        std::fs::write(&path, "PAR1 no").unwrap();
        assert!(said(read_parquet(&path))[0].contains("not a Parquet file"));
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(said(csv("origin,destination,trips\n1,2,-1\n,2,1\n1,2,x\n")).len(), 3);
        assert!(said(csv("origin,destination,tripz\n1,2,1\n"))[0].contains("did you mean `tripz`?"));
        assert!(said(csv("zone,1,2\n1,0,-4\n1,0,0\n"))[1].contains("an origin that occurs once"));
        assert!(said(csv("zone\n1\n"))[0].contains("one column"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(changes in fuzz::changes(), wide: bool) {
            let valid = if wide { ",1,2,3\n1,0,5,0.5\n3,4,,0\n" } else { LONG_TEXT };
            let bytes = fuzz::changed(valid.as_bytes(), &changes);
            let table = Table::from_bytes(Path::new("od.csv"), &bytes);
            proptest::prop_assert!(fuzz::answered(table.and_then(|table| from_table(&table))));
        }
    }
}
