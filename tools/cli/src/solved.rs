//! What commands that solve a network from its file share: forms of figures, and how they tell what came of it.

use crate::screen::{figure, print, print_json, say, table};
use clap::ValueEnum;
use serde_json::Value as Json;
use std::path::Path;
use urbis_core::{Problem, Result};

/// Forms of figures, and the short form for tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatChoice {
    /// A table for people
    #[default]
    Table,
    /// One JSON object for programs
    Json,
    /// Tables of results as CSV
    Csv,
}

/// A network that was solved.
pub(crate) struct Solved<'a> {
    /// Its file.
    pub(crate) input: &'a Path,
    /// Folder of the results.
    pub(crate) out: &'a Path,
    /// What `summary.json` holds.
    pub(crate) json: &'a Json,
    /// What the reader left out or assumed; none where nobody wants to hear it.
    pub(crate) notes: &'a [String],
    /// Why the results are not what was asked for, if they are not, and what to do about it.
    pub(crate) failure: Option<(&'a str, &'a str)>,
}

impl Solved<'_> {
    /// Tells figures by key of the summary, name and unit, those that it has, and where the tables are.
    ///
    /// # Errors
    /// The failure, after all was told.
    pub(crate) fn tell(
        &self,
        figures: &[(&str, &str, &str)],
        tables: &[&str],
        is_json: bool,
        as_csv: bool,
    ) -> Result<()> {
        self.notes.iter().for_each(|note| say(&format!("note: {}: {note}", self.input.display())));
        if is_json {
            print_json(self.json)?;
        } else {
            let row = |&(key, name, unit): &(&str, &str, &str)| {
                Some(vec![name.to_owned(), shown(&self.json[key])?, unit.to_owned()])
            };
            print(&table(&["figure", "value", "unit"], &[1], figures.iter().filter_map(row)))?;
            let (first, rest) = tables.split_first().unwrap_or((&"summary", &[]));
            let (out, ending) = (self.out.display(), if as_csv { "csv" } else { "parquet" });
            let rest: String = rest.iter().map(|name| format!(", {name}")).collect();
            print(&format!("\nresults  {out}/{first}.{ending}{rest}, summary.json\n"))?;
        }
        match self.failure {
            None => Ok(()),
            Some((why, help)) => Err(Problem::file(self.input, why).with_help(help).into()),
        }
    }
}

fn shown(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        // Mismatches and residuals, whose size is what they tell.
        Json::Number(number) => number.as_f64().map(|value| match value.abs() {
            small if small > 0.0 && small < 1e-4 => format!("{value:.1e}"),
            _ => figure(value),
        }),
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
