//! The city package: a folder with everything Urbis knows of a city.
//!
//! ```text
//! manifest.json                  what it is made of, licences, hashes, counts, known gaps
//! layers/nodes.parquet           GeoParquet 1.1, degrees; further columns in metres and SI
//! layers/links.parquet
//! layers/buildings.parquet
//! layers/zones.parquet
//! layers/pois.parquet
//! tables/turns.parquet           forbidden pairs of links
//! panel/panel.parquet            statistics, long
//! crosswalk.parquet              area weights between zonings and rasters
//! feeds/<name>.zip               timetables (GTFS), as they came
//! ```
//!
//! References between tables are outside ids in files and row numbers in memory. [`write()`] puts the
//! folder in place whole or not at all; [`read()`] checks everything that [`crate::model`] promises and
//! says all that is wrong. Equal cities give byte-identical folders.

use crate::model::{City, Manifest};
use std::path::{Path, PathBuf};
use urbis_core::files::StagedFolder;
use urbis_core::{Error, Problem, Result};

pub use crate::package_read::read;

/// Version of the package layout; packages of another version are built again.
pub const FORMAT_VERSION: u32 = 1;
/// Name of the manifest.
pub const MANIFEST: &str = "manifest.json";

/// Files of a package, by table.
pub const FILES: [(&str, &str); 8] = [
    ("nodes", "layers/nodes.parquet"),
    ("links", "layers/links.parquet"),
    ("buildings", "layers/buildings.parquet"),
    ("zones", "layers/zones.parquet"),
    ("pois", "layers/pois.parquet"),
    ("turns", "tables/turns.parquet"),
    ("panel", "panel/panel.parquet"),
    ("crosswalk", "crosswalk.parquet"),
];

/// Where the file of a table lies in a package.
#[must_use]
pub fn file_of(folder: &Path, table: &str) -> PathBuf {
    let file = FILES.iter().find(|(name, _)| *name == table).map_or(table, |(_, file)| file);
    folder.join(file)
}

/// Folder of the timetables within a package.
pub const FEEDS: &str = "feeds";

/// A timetable on its way into a package.
#[derive(Clone, Debug)]
pub struct FeedSource {
    /// Name in the package, without ending.
    pub name: String,
    /// The archive or folder.
    pub path: PathBuf,
}

impl FeedSource {
    /// Copies the feed, byte by byte.
    fn copy(&self, package: &Path) -> Result<()> {
        let copy = |from: &Path, to: &Path| -> Result<()> {
            let bytes = std::fs::read(from).map_err(|source| Error::read(from, source))?;
            std::fs::write(to, bytes).map_err(|source| Error::write(to, source))
        };
        let feeds = package.join(FEEDS);
        urbis_core::files::create_folder(&feeds)?;
        if !self.path.is_dir() {
            return copy(&self.path, &feeds.join(format!("{}.zip", self.name)));
        }
        let folder = feeds.join(&self.name);
        urbis_core::files::create_folder(&folder)?;
        for file in crate::sources::files_of(&self.path) {
            copy(&file, &folder.join(file.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }
}

/// Writes a package; what stood at the place before is replaced.
///
/// # Errors
/// [`Error::Write`] when the place cannot be written to; nothing is left behind then.
pub fn write(city: &City, feeds: &[FeedSource], folder: &Path) -> Result<()> {
    let staged = StagedFolder::new(folder)?;
    crate::package_write::write_tables(city, staged.path())?;
    feeds.iter().try_for_each(|feed| feed.copy(staged.path()))?;
    let path = staged.path().join(MANIFEST);
    let text = serde_json::to_string_pretty(&city.manifest).map_err(|e| Error::write(&path, e.into()))?;
    std::fs::write(&path, text + "\n").map_err(|source| Error::write(&path, source))?;
    staged.commit()
}

/// Reads the manifest of a package alone.
///
/// # Errors
/// When it is absent, not JSON, or of another version of the layout.
pub fn read_manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join(MANIFEST);
    let rebuild = "build it again with `urbis city build RECIPE --out FOLDER`";
    let text = std::fs::read_to_string(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => {
            Problem::file(folder, format!("not a city package: it has no {MANIFEST}")).with_help(rebuild).into()
        }
        _ => Error::read(&path, source),
    })?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| Problem::file(&path, format!("not JSON: {e}")).with_help(rebuild))?;
    let version = &value["format_version"];
    if version != FORMAT_VERSION {
        let what = format!("format_version = {version}, expected {FORMAT_VERSION}");
        return Err(Problem::file(&path, what).with_help(rebuild).into());
    }
    serde_json::from_value(value).map_err(|e| Problem::file(&path, e).with_help(rebuild).into())
}
