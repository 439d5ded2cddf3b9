//! Components of one kind: objects, or lists whose order `attributes` states.

use crate::reading::fields::{Fields, Report};
use crate::reading::json;
use serde_json::Value;

/// Components of one kind.
#[derive(Debug)]
pub(super) struct Records<'a> {
    name: &'a str,
    attributes: Vec<&'a str>,
    rows: &'a [Value],
}

/// A component.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    of: &'a Records<'a>,
    at: usize,
}

impl<'a> Records<'a> {
    /// What is neither an object nor a list as long as the attributes is a problem.
    pub(super) fn new(name: &'a str, rows: &'a Value, attributes: Option<&'a Value>, report: &mut Report<'_>) -> Self {
        let attributes = attributes.and_then(Value::as_array).into_iter().flatten();
        let attributes: Vec<&str> = attributes.map(|attribute| attribute.as_str().unwrap_or("")).collect();
        let Some(rows) = rows.as_array() else {
            report.table(name, format_args!("is {}, expected a list of components", json::short(rows)));
            return Self { name, attributes, rows: &[] };
        };
        let records = Self { name, attributes, rows };
        for record in records.rows() {
            match &records.rows[record.at] {
                Value::Object(_) => {}
                Value::Array(cells) if cells.len() == records.attributes.len() => {}
                Value::Array(cells) => {
                    let expected = format!("{} as in `attributes`", records.attributes.len());
                    record.problem("values", cells.len(), &expected, report);
                }
                other => record.problem("component", json::short(other), "an object or a list", report),
            }
        }
        records
    }
    pub(super) fn rows(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.rows.len()).map(|at| Record { of: self, at })
    }
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

impl Record<'_> {
    /// The sum of a value by phase.
    pub(super) fn phases(&self, field: &str, report: &mut Report<'_>) -> f64 {
        let phases = self.cell(field).and_then(Value::as_array).filter(|phases| phases.len() == 3);
        let values = phases.map(|phases| phases.iter().filter_map(Value::as_f64).collect::<Vec<f64>>());
        match values {
            Some(values) if values.len() == 3 => values.iter().sum(),
            _ => {
                let value = self.cell(field).map_or_else(|| "null".to_owned(), json::short);
                self.problem(field, value, "three numbers", report);
                f64::NAN
            }
        }
    }
}

impl Fields for Record<'_> {
    fn cell(&self, field: &str) -> Option<&Value> {
        let value = match &self.of.rows[self.at] {
            Value::Object(fields) => fields.get(field),
            Value::Array(cells) => {
                self.of.attributes.iter().position(|attribute| *attribute == field).and_then(|at| cells.get(at))
            }
            _ => None,
        };
        // Endless ratings are none.
        value.filter(|value| !value.is_null() && !matches!(value.as_str(), Some("inf" | "+inf")))
    }
    fn place(&self) -> (&str, usize, String) {
        let id = self.cell("id").map_or_else(String::new, json::short);
        (self.of.name, self.at + 1, id)
    }
}
