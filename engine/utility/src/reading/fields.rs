//! Values of a row of a file in JSON, each checked where it is read: what is missing, is of another kind or does not
//! pass becomes a problem that names file, table, row, id, field, value and expectation, and reading goes on.

use super::json;
use serde_json::Value;
use std::path::Path;
use urbis_core::{Problem, Problems};

/// Where problems and notes go.
pub(crate) struct Report<'a> {
    pub(crate) path: &'a Path,
    pub(crate) problems: Problems,
    pub(crate) notes: Vec<String>,
}

impl Report<'_> {
    /// A problem with a table as a whole.
    pub(crate) fn table(&mut self, table: &str, what: impl std::fmt::Display) {
        self.problems.push(Problem::file(&self.path.join(table), what));
    }
}

/// A row with named values.
pub(crate) trait Fields {
    /// The value; `None` where the field is not there or null.
    fn cell(&self, field: &str) -> Option<&Value>;
    /// Table, row from 1 and id.
    fn place(&self) -> (&str, usize, String);

    /// Reports what is wrong with a value.
    fn problem(&self, field: &str, value: impl std::fmt::Display, expected: &str, report: &mut Report<'_>) {
        let (table, row, id) = self.place();
        let id = (!id.is_empty()).then_some(id.as_str());
        report.problems.push(Problem::value(&report.path.join(table), row, id, field, value, expected));
    }
    /// A finite number; NaN where it is missing or, with a problem, where it is something else.
    fn optional(&self, field: &str, report: &mut Report<'_>) -> f64 {
        match self.cell(field) {
            None => f64::NAN,
            Some(value) => match value.as_f64().filter(|number| number.is_finite()) {
                Some(number) => number,
                None => {
                    self.problem(field, json::short(value), "a number", report);
                    f64::NAN
                }
            },
        }
    }
    /// A number with a value for where it is missing.
    fn or(&self, field: &str, default: f64, report: &mut Report<'_>) -> f64 {
        let value = self.optional(field, report);
        if value.is_nan() { default } else { value }
    }
    /// A number that must be there.
    fn number(&self, field: &str, report: &mut Report<'_>) -> f64 {
        self.number_where(field, "a finite number", report, |_| true)
    }
    /// A number that must be there and pass.
    fn number_where(&self, field: &str, expected: &str, report: &mut Report<'_>, accept: impl Fn(f64) -> bool) -> f64 {
        match self.cell(field) {
            None => self.problem(field, "null", expected, report),
            Some(value) => match value.as_f64().filter(|number| number.is_finite() && accept(*number)) {
                Some(number) => return number,
                None => self.problem(field, json::short(value), expected, report),
            },
        }
        f64::NAN
    }
    /// True or false, also as 1 or 0.
    fn flag(&self, field: &str, default: bool, report: &mut Report<'_>) -> bool {
        match self.cell(field) {
            None => default,
            Some(Value::Bool(flag)) => *flag,
            Some(value) => match whole(value) {
                Some(0) => false,
                Some(1) => true,
                _ => {
                    self.problem(field, json::short(value), "true or false", report);
                    default
                }
            },
        }
    }
    /// A whole number that must be there.
    fn whole(&self, field: &str, report: &mut Report<'_>) -> Option<i64> {
        let number = self.cell(field).and_then(whole);
        if number.is_none() {
            let value = self.cell(field).map_or_else(|| "null".to_owned(), json::short);
            self.problem(field, value, "a whole number", report);
        }
        number
    }
}

/// A whole number, also one that is written with a point.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract().abs() <= 0.0 && number.abs() < 9e15).then_some(number as i64)
    })
}
