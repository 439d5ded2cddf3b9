//! What plans of made-up networks have in common: a city package in, a folder of tables out.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use urbis_city::geoparquet::TableWriter;
use urbis_city::model::City;
use urbis_city::package;
use urbis_city::projection::Projection;
use urbis_core::{Error, Problem, Result};

/// Which city, and how its network is planned.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// City package.
    pub package: PathBuf,
    /// Folder of the results; other files in it stay.
    pub out: PathBuf,
    /// Settings (TOML); the defaults where absent.
    pub settings: Option<PathBuf>,
    /// What there is to build with (TOML), for plans that ask for it; the shipped tables where absent.
    pub catalogue: Option<PathBuf>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct PlanSummary {
    /// What `summary.json` holds.
    pub json: Json,
    /// Figures beside published ones, for people.
    pub figures: String,
    /// What did not come out as planned.
    pub notes: Vec<String>,
}

impl PlanOptions {
    /// The city, the settings, and where its metres are on the globe.
    pub(crate) fn read<T: DeserializeOwned + Default>(&self) -> Result<(City, T, Projection)> {
        let city = package::read(&self.package)?;
        let settings = match &self.settings {
            None => T::default(),
            Some(path) => toml::from_str(&text_of(path)?).map_err(|error| Problem::file(path, error))?,
        };
        let wrong = |what| Problem::file(&self.package, what);
        let projection = Projection::from_code(&city.manifest.crs).map_err(wrong)?;
        Ok((city, settings, projection))
    }
    /// Writes a table of the plan.
    pub(crate) fn write(&self, name: &str, table: TableWriter) -> Result<()> {
        table.write(&self.out.join(format!("{name}.parquet")))
    }
}

/// A published figure: which, its value, who says so, how far to trust it.
pub(crate) type Beside<'a> = (&'a str, f64, &'a str, &'a str);

/// Figures (name, unit, value) of `own`, each with published ones beneath it.
pub(crate) fn figure_table<'a>(
    title: &str,
    own: &'a str,
    figures: impl IntoIterator<Item = (&'a str, &'a str, f64)>,
    published: &[Beside<'a>],
) -> TableWriter {
    let mut rows: Vec<(&str, &str, f64, &str, &str)> = Vec::new();
    for (name, unit, value) in figures {
        rows.push((name, unit, value, own, ""));
        let beside = published.iter().filter(|of| of.0 == name);
        rows.extend(beside.map(|&(_, value, source, quality)| (name, unit, value, source, quality)));
    }
    let mut table = TableWriter::new(title);
    table.text("figure", "Figure.", rows.iter().map(|row| row.0));
    table.text("unit", "Its unit.", rows.iter().map(|row| row.1));
    table.number("value", "", "Value.", &rows.iter().map(|row| row.2).collect::<Vec<_>>());
    table.text("of", "Whose it is, and who says so.", rows.iter().map(|row| row.3));
    table.text("quality", "How far to trust it: sourced, recalled, estimate.", rows.iter().map(|row| row.4));
    table
}

/// The text of a file.
pub(crate) fn text_of(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| Error::read(path, source))
}
