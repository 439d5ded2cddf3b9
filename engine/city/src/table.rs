//! Small tables in CSV files (`.csv`, `.csv.gz`) as people and other tools write them: header names in
//! any case, an optional byte order mark, quoted cells, blank cells. Used for GMNS networks, gateways,
//! panels and points.
//!
//! Every fault becomes a [`Problem`] that names file, row, id, column, value and expectation, and
//! reading goes on, so that one run shows all faults. Rows count from 1 and do not count the header.
//! Ignores: separators other than the comma (refused with a hint). Contract: a pure function of the
//! bytes, never a panic.

use csv::StringRecord;
use std::io::Read;
use std::path::{Path, PathBuf};
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Error, Problem, Problems, Result};

/// A table in memory.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    header: Vec<String>,
    records: Vec<StringRecord>,
    id: Option<Column>,
}

/// A column of one [`Table`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column(usize);

/// A row of one [`Table`].
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    table: &'a Table,
    record: &'a StringRecord,
    number: usize,
}

impl Table {
    /// Reads a file; a name that ends in `.gz` is decompressed.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read; [`Error::Input`] when it is not a comma-separated
    /// table in UTF-8 with a header and rows of equal length.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::read(path, source))?;
        Self::from_bytes(path, &bytes)
    }

    /// Reads `folder/name`, or `folder/name.gz` where only that exists; `None` where neither does.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn find(folder: &Path, name: &str) -> Result<Option<Self>> {
        [folder.join(name), folder.join(format!("{name}.gz"))]
            .iter()
            .find(|path| path.exists())
            .map(|path| Self::read(path))
            .transpose()
    }

    /// Reads the bytes of a file; `path` is its name in messages and decides about decompression.
    ///
    /// # Errors
    /// [`Error::Input`] as for [`Table::read`].
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let mut unpacked = Vec::new();
        let bytes = if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz")) {
            flate2::read::MultiGzDecoder::new(bytes)
                .read_to_end(&mut unpacked)
                .map_err(|why| Problem::file(path, format!("not a whole gzip file: {why}")))?;
            &unpacked
        } else {
            bytes
        };
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).has_headers(false).trim(csv::Trim::All).from_reader(bytes);
        let mut problems = Problems::new();
        let mut records = Vec::new();
        for (row, record) in reader.records().enumerate() {
            match record {
                Ok(record) => records.push(record),
                Err(why) => {
                    // Only text that is not UTF-8 can fail here; what follows is still readable.
                    problems.push(
                        Problem::file(path, format!("row {row} is not UTF-8 text: {why}"))
                            .with_help("save the file with the encoding UTF-8"),
                    );
                }
            }
        }
        problems.or_else(())?;
        if records.is_empty() {
            return Err(Problem::file(path, "is empty, expected a header row").into());
        }
        let header: Vec<String> = records.remove(0).iter().map(str::to_owned).collect();
        Self::checked(path, header, records)
    }

    pub(crate) fn checked(path: &Path, header: Vec<String>, mut records: Vec<StringRecord>) -> Result<Self> {
        let mut problems = Problems::new();
        if header.len() == 1 && header[0].contains([';', '\t']) {
            return Err(Problem::file(path, format!("the header is one column, `{}`", header[0]))
                .with_help("separate the columns by commas")
                .into());
        }
        for (at, name) in header.iter().enumerate() {
            if !name.is_empty() && header[..at].iter().any(|other| other.eq_ignore_ascii_case(name)) {
                problems.push(Problem::file(path, format!("column `{name}` occurs twice")));
            }
        }
        for (row, record) in records.iter_mut().enumerate() {
            // Blank cells at the end, as spreadsheets leave them, are harmless.
            if record.len() > header.len() && record.iter().skip(header.len()).all(str::is_empty) {
                record.truncate(header.len());
            }
            if record.len() != header.len() {
                let first = record.get(0).filter(|first| !first.is_empty());
                let number = row + 1;
                problems.push(Problem::value(path, number, first, "cells", record.len(), header.len()));
            }
        }
        problems.or_else(Self { path: path.to_owned(), header, records, id: None })
    }

    /// Names the rows by a column: problems then say `(id 4711)`.
    #[must_use]
    pub fn with_id(mut self, name: &str) -> Self {
        self.id = self.optional(name);
        self
    }
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Names of the columns as written.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }
    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
    /// The column of this name in any case, if there is one.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<Column> {
        self.header.iter().position(|other| other.eq_ignore_ascii_case(name)).map(Column)
    }
    /// The column of this name in any case; where there is none, a problem that lists those present.
    pub fn required(&self, name: &str, problems: &mut Problems) -> Option<Column> {
        let column = self.optional(name);
        if column.is_none() {
            let mut problem = Problem::file(
                &self.path,
                format!("column `{name}` is missing; the columns present are {}", self.header.join(", ")),
            );
            if let Some(near) = did_you_mean(name, self.header.iter().map(String::as_str)) {
                problem = problem.with_help(format!("did you mean `{near}`?"));
            }
            problems.push(problem);
        }
        column
    }
    /// Several required columns at once; `None`, with all problems pushed, unless every one is there.
    pub fn required_all<const N: usize>(&self, names: [&str; N], problems: &mut Problems) -> Option<[Column; N]> {
        let found = names.map(|name| self.required(name, problems));
        found.iter().all(Option::is_some).then(|| found.map(|column| column.unwrap_or(Column(0))))
    }
    /// The rows in file order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.records.iter().enumerate().map(|(row, record)| Row { table: self, record, number: row + 1 })
    }
}

impl<'a> Row<'a> {
    /// Position in the file, from 1, without the header.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }
    /// What the row is called, where [`Table::with_id`] said how.
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        self.table.id.map(|id| self.text(id)).filter(|id| !id.is_empty())
    }
    /// The cell without surrounding space; empty where blank.
    #[must_use]
    pub fn text(&self, column: Column) -> &'a str {
        self.record.get(column.0).unwrap_or("").trim()
    }
    /// The cell of a column that may be missing; `None` where blank.
    #[must_use]
    pub fn optional_text(&self, column: Option<Column>) -> Option<&'a str> {
        column.map(|column| self.text(column)).filter(|text| !text.is_empty())
    }
    /// A problem with the cell.
    #[must_use]
    pub fn problem(&self, column: Column, expected: impl std::fmt::Display) -> Problem {
        let field = self.table.header.get(column.0).map_or("", String::as_str);
        let value = match self.text(column) {
            "" => "(blank)",
            text => text,
        };
        Problem::value(&self.table.path, self.number, self.id(), field, value, expected)
    }
    /// The cell, which must not be blank.
    pub fn required_text(&self, column: Column, problems: &mut Problems) -> Option<&'a str> {
        let text = self.text(column);
        if text.is_empty() {
            problems.push(self.problem(column, "a value"));
            return None;
        }
        Some(text)
    }
    /// A finite number that passes `accept`; `expected` says in words what passes, e.g. `> 0`.
    pub fn number_where(
        &self,
        column: Column,
        problems: &mut Problems,
        expected: &str,
        accept: impl Fn(f64) -> bool,
    ) -> Option<f64> {
        match self.text(column).parse::<f64>() {
            Ok(number) if number.is_finite() && accept(number) => Some(number),
            Ok(number) if number.is_finite() => {
                problems.push(self.problem(column, expected));
                None
            }
            _ => {
                problems.push(self.problem(column, format!("a number {expected}").trim_end()));
                None
            }
        }
    }
    /// Any finite number.
    pub fn finite(&self, column: Column, problems: &mut Problems) -> Option<f64> {
        self.number_where(column, problems, "", |_| true)
    }
    /// A number above zero.
    pub fn positive(&self, column: Column, problems: &mut Problems) -> Option<f64> {
        self.number_where(column, problems, "> 0", |number| number > 0.0)
    }
    /// A number above zero in a column that may be missing; `Ok(None)` where blank, `Err` where wrong
    /// (with the problem pushed).
    #[allow(clippy::result_unit_err)] // the error itself lies in `problems`
    pub fn optional_positive(&self, column: Option<Column>, problems: &mut Problems) -> Result<Option<f64>, ()> {
        match column {
            Some(column) if !self.text(column).is_empty() => self.positive(column, problems).map(Some).ok_or(()),
            _ => Ok(None),
        }
    }
    /// A whole number within a range.
    pub fn integer(
        &self,
        column: Column,
        problems: &mut Problems,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let (low, high) = (*range.start(), *range.end());
        let parsed = self.text(column).parse::<i64>().ok().filter(|number| range.contains(number));
        if parsed.is_none() {
            let expected = match (low, high) {
                (i64::MIN, i64::MAX) => "a whole number".to_owned(),
                (low, i64::MAX) => format!("a whole number >= {low}"),
                (low, high) => format!("a whole number from {low} to {high}"),
            };
            problems.push(self.problem(column, expected));
        }
        parsed
    }
    /// One of several words, in any case.
    pub fn one_of<T: Copy>(&self, column: Column, problems: &mut Problems, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(column);
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            problems.push(self.problem(column, format!("one of {}", names.join(", "))));
        }
        found
    }
    /// Yes or no as `true|false|1|0|yes|no|t|f|y|n`.
    pub fn flag(&self, column: Column, problems: &mut Problems) -> Option<bool> {
        match self.text(column).to_ascii_lowercase().as_str() {
            "1" | "true" | "t" | "yes" | "y" | "1.0" => Some(true),
            "0" | "false" | "f" | "no" | "n" | "0.0" => Some(false),
            _ => {
                problems.push(self.problem(column, "true or false"));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn table(text: &str) -> Result<Table> {
        Table::from_bytes(Path::new("t.csv"), text.as_bytes())
    }

    fn listed(error: &Error) -> String {
        let Error::Input(problems) = error else { return error.to_string() };
        problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn reads_what_other_tools_write() {
        let table = table("\u{feff}ID, Value ,flag\r\na,\"1,5\",yes\r\nb, 2.5 ,0,,\r\n").unwrap().with_id("id");
        let (value, flag) = (table.optional("VALUE").unwrap(), table.optional("flag").unwrap());
        let mut problems = Problems::new();
        let rows: Vec<Row<'_>> = table.rows().collect();
        assert_eq!(rows[0].text(value), "1,5");
        assert_eq!(rows[0].finite(value, &mut problems), None);
        assert_eq!(rows[1].positive(value, &mut problems), Some(2.5));
        assert_eq!((rows[0].flag(flag, &mut problems), rows[1].flag(flag, &mut problems)), (Some(true), Some(false)));
        assert_eq!(problems.listed()[0].to_string(), "t.csv row 1 (id a): Value = 1,5, expected a number");
    }

    #[test]
    fn faults_name_file_row_id_column_value() {
        let table = table("id,n,kind\na,-3.2,car\nb,,Bus\nc,inf,x\n").unwrap().with_id("id");
        let mut problems = Problems::new();
        assert!(table.required_all(["id", "kinds", "speed"], &mut problems).is_none());
        let [n, kind] = table.required_all(["n", "kind"], &mut problems).unwrap();
        for row in table.rows() {
            row.positive(n, &mut problems);
            row.one_of(kind, &mut problems, &[("car", 1), ("bus", 2)]);
            row.integer(n, &mut problems, 1..=i64::MAX);
        }
        assert_eq!(table.rows().next().unwrap().optional_positive(None, &mut problems), Ok(None));
        let text = listed(&problems.or_else(()).unwrap_err());
        let expected = "t.csv: column `kinds` is missing; the columns present are id, n, kind
t.csv: column `speed` is missing; the columns present are id, n, kind
t.csv row 1 (id a): n = -3.2, expected > 0
t.csv row 1 (id a): n = -3.2, expected a whole number >= 1
t.csv row 2 (id b): n = (blank), expected a number > 0
t.csv row 2 (id b): n = (blank), expected a whole number >= 1
t.csv row 3 (id c): n = inf, expected a number > 0
t.csv row 3 (id c): kind = x, expected one of car, bus
t.csv row 3 (id c): n = inf, expected a whole number >= 1";
        assert_eq!(text, expected);
    }

    #[test]
    fn tables_that_are_none() {
        for (text, words) in [
            ("", "is empty"),
            ("a;b\n1;2\n", "one column"),
            ("a,A\n1,2\n", "occurs twice"),
            ("a,b\n1\n2,3,4\n", "row 1 (id 1): cells = 1, expected 2\nt.csv row 2 (id 2): cells = 3"),
        ] {
            let text = listed(&table(text).unwrap_err());
            assert!(text.contains(words), "{text}");
        }
        let latin_1 = Table::from_bytes(Path::new("t.csv"), b"a,b\n1,2\n3,caf\xe9\n").unwrap_err();
        assert!(listed(&latin_1).contains("row 2 is not UTF-8"), "{}", listed(&latin_1));
        assert!(matches!(Table::read(Path::new("/nowhere/t.csv")).unwrap_err(), Error::Read { .. }));
    }

    #[test]
    fn compressed_tables() {
        let folder = tempfile::tempdir().unwrap();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"a,b\n1,2\n").unwrap();
        let mut bytes = gz.finish().unwrap();
        std::fs::write(folder.path().join("t.csv.gz"), &bytes).unwrap();
        assert_eq!(Table::find(folder.path(), "t.csv").unwrap().unwrap().len(), 1);
        assert!(Table::find(folder.path(), "u.csv").unwrap().is_none());
        bytes.truncate(bytes.len() - 4);
        let error = Table::from_bytes(Path::new("t.csv.gz"), &bytes).unwrap_err();
        assert!(listed(&error).contains("not a whole gzip file"));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, text in "[a,b\"\n\r;0-9.\u{feff}é-]{0,200}", gz: bool) {
            let path = Path::new(if gz { "t.csv.gz" } else { "t.csv" });
            for bytes in [&bytes[..], text.as_bytes()] {
                if let Ok(table) = Table::from_bytes(path, bytes) {
                    let mut problems = Problems::new();
                    let column = table.required("a", &mut problems);
                    for (row, column) in table.rows().zip(std::iter::repeat(column)) {
                        if let Some(column) = column {
                            row.positive(column, &mut problems);
                            row.integer(column, &mut problems, 0..=3);
                            row.flag(column, &mut problems);
                        }
                    }
                }
            }
        }
    }
}
