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

/// The text of a file.
pub(crate) fn text_of(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| Error::read(path, source))
}
