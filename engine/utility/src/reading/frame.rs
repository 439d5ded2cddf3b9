//! Tables of nets of pandapower and pandapipes: data frames written in pandas' orientation `split`, as a string within the JSON or as an object.

use super::fields::{Fields, Report, whole};
use super::json;
use serde_json::Value;
use std::collections::BTreeMap;
use urbis_core::Problem;
use urbis_core::diagnostics::did_you_mean;

/// A table.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    name: String,
    columns: Vec<String>,
    index: Vec<i64>,
    rows: Vec<Vec<Value>>,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    frame: &'a Frame,
    at: usize,
}

/// Whether a member of the net is a table.
pub(crate) fn is_frame(value: &Value) -> bool {
    value.get("_class").and_then(Value::as_str) == Some("DataFrame")
}

/// How many rows a table has, without a look at them; `None` where it cannot be told.
pub(crate) fn rows_of(value: &Value) -> Option<usize> {
    let parsed;
    let object = match value.get("_object")? {
        Value::String(text) => {
            parsed = serde_json::from_str::<Value>(text).ok()?;
            &parsed
        }
        object => object,
    };
    Some(object.get("index")?.as_array()?.len())
}

impl Frame {
    /// Reads a table; what is wrong with it is reported and leaves it empty.
    pub(crate) fn read(name: &str, value: &Value, report: &mut Report<'_>) -> Self {
        let mut frame = Self { name: name.to_owned(), ..Self::default() };
        if !is_frame(value) {
            report.table(name, format_args!("is {}, expected a table (`_class` DataFrame)", json::short(value)));
            return frame;
        }
        let mut split = match value.get("_object") {
            Some(Value::String(text)) => match json::parse(report.path, text) {
                Ok(split) => split,
                Err(why) => {
                    let urbis_core::Error::Input(problems) = why else { return frame };
                    let first = problems.listed().first().map(ToString::to_string).unwrap_or_default();
                    report.table(name, first);
                    return frame;
                }
            },
            Some(object) => object.clone(),
            None => Value::Null,
        };
        let mut take = |key: &str| match split.get_mut(key).map(Value::take) {
            Some(Value::Array(values)) => Some(values),
            _ => None,
        };
        let (Some(columns), Some(index), Some(data)) = (take("columns"), take("index"), take("data")) else {
            report.table(name, "expected an object of `columns`, `index` and `data` (orient `split`)");
            return frame;
        };
        frame.columns = columns.iter().map(|column| column.as_str().unwrap_or("").to_owned()).collect();
        if index.len() != data.len() {
            report.table(name, format_args!("{} rows of data, expected {} as in `index`", data.len(), index.len()));
            return frame;
        }
        let mut first: BTreeMap<i64, usize> = BTreeMap::new();
        for (row, (index, cells)) in index.iter().zip(data).enumerate() {
            let place = report.path.join(name);
            let Some(number) = whole(index) else {
                let value = json::short(index);
                report.problems.push(Problem::value(&place, row + 1, None, "index", value, "a whole number"));
                continue;
            };
            if let Some(before) = first.insert(number, row) {
                let expected = format!("an index that row {} does not have already", before + 1);
                report.problems.push(Problem::value(&place, row + 1, None, "index", number, expected));
            }
            match cells {
                Value::Array(cells) if cells.len() == frame.columns.len() => {
                    frame.index.push(number);
                    frame.rows.push(cells);
                }
                other => {
                    let cells = other.as_array().map_or(0, Vec::len);
                    let id = number.to_string();
                    let columns = frame.columns.len();
                    report.problems.push(Problem::value(&place, row + 1, Some(&id), "cells", cells, columns));
                }
            }
        }
        frame
    }
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.rows.len()).map(|at| Row { frame: self, at })
    }
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }
    /// Whether a table with rows has all these columns; each that lacks is a problem.
    pub(crate) fn requires(&self, columns: &[&str], report: &mut Report<'_>) -> bool {
        let mut is_whole = true;
        for column in columns.iter().filter(|column| self.len() > 0 && !self.has(column)) {
            let mut problem =
                Problem::file(&report.path.join(&self.name), format_args!("column `{column}` is missing"));
            if let Some(near) = did_you_mean(column, self.columns.iter().map(String::as_str)) {
                problem = problem.with_help(format_args!("did you mean `{near}`?"));
            }
            report.problems.push(problem);
            is_whole = false;
        }
        is_whole
    }
}

impl<'a> Row<'a> {
    pub(crate) fn index(&self) -> i64 {
        self.frame.index[self.at]
    }
    pub(crate) fn has(&self, column: &str) -> bool {
        self.frame.has(column)
    }
    fn cell_of(&self, column: &str) -> Option<&'a Value> {
        let place = self.frame.columns.iter().position(|name| name == column)?;
        Some(&self.frame.rows[self.at][place]).filter(|value| !value.is_null())
    }
    /// A text; empty where missing, also as pandas writes what is missing among texts.
    pub(crate) fn text(&self, column: &str) -> &'a str {
        let text = self.cell_of(column).and_then(Value::as_str).unwrap_or("");
        if matches!(text, "nan" | "None" | "<NA>") { "" } else { text }
    }
    /// The row of a bus.
    pub(crate) fn bus(&self, column: &str, buses: &BTreeMap<i64, u32>, report: &mut Report<'_>) -> Option<u32> {
        self.row_of("bus", column, buses, report)
    }
    /// The row of another table that an index in a column stands for.
    pub(crate) fn row_of(
        &self,
        table: &str,
        column: &str,
        rows: &BTreeMap<i64, u32>,
        report: &mut Report<'_>,
    ) -> Option<u32> {
        let index = self.whole(column, report)?;
        let row = rows.get(&index).copied();
        if row.is_none() {
            self.problem(column, index, &format!("the index of a row of table {table}"), report);
        }
        row
    }
}

impl Fields for Row<'_> {
    fn cell(&self, field: &str) -> Option<&Value> {
        self.cell_of(field)
    }
    fn place(&self) -> (&str, usize, String) {
        (&self.frame.name, self.at + 1, self.index().to_string())
    }
}
