//! The marker `_SUCCESS` of a results folder: one line `<sha256>  <path>` for every file of every
//! finished run and for the layers, sorted by path, in the form `sha256sum -c _SUCCESS` checks. A file
//! that is not listed is not a result. Table `runs` differs from run to run and is therefore left out:
//! equal runs give equal markers.

use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::{Error, Problem, Problems, Result, files};

/// Name of the marker.
pub const MARKER: &str = "_SUCCESS";
/// Folder of the layers within the results.
pub const LAYERS: &str = "layers";

/// Folder, among those of tables, of a layer that runs have of their own since policies change it.
#[must_use]
pub fn changed_layer(layer: &str) -> String {
    format!("changed_{layer}")
}

/// `scenario=<name>/seed=<n>`: where a run lies below each table.
#[must_use]
pub fn partition(scenario: &str, seed: u64) -> String {
    format!("scenario={scenario}/seed={seed}")
}

/// Scenario and seed of the run that a file of a results folder belongs to: `<table>/scenario=<name>/seed=<n>/<file>`.
#[must_use]
pub fn run_of(file: &str) -> Option<(String, u64)> {
    let (scenario, rest) = file.split_once("/scenario=")?.1.split_once("/seed=")?;
    Some((scenario.to_owned(), rest.split_once('/')?.0.parse().ok()?))
}

/// What a results folder vouches for: relative path with forward slashes, SHA-256.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    /// Hash by path.
    pub files: BTreeMap<String, String>,
}

impl Marker {
    /// Reads the marker of a folder; empty when there is none.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Input`] naming the lines that are no entries.
    pub fn read(out: &Path) -> Result<Self> {
        let path = out.join(MARKER);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(Error::read(&path, source)),
        };
        Self::parse(&path, &text)
    }

    /// Reads the text of a marker; errors name `path`.
    ///
    /// # Errors
    /// [`Error::Input`] naming the lines that are no entries.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let mut problems = Problems::new();
        let mut files = BTreeMap::new();
        for (row, line) in text.lines().enumerate() {
            match line.split_once("  ") {
                Some((hash, file)) if hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
                    files.insert(file.to_owned(), hash.to_owned());
                }
                _ => problems.push(
                    Problem::value(path, row + 1, None, "line", line, "a SHA-256, two spaces and a path")
                        .with_help("the folder was not written by Urbis, or was changed; choose another"),
                ),
            }
        }
        problems.or_else(Self { files })
    }

    /// Puts the marker into the folder in one step; an empty one is removed.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write(&self, out: &Path) -> Result<()> {
        let path = out.join(MARKER);
        if self.files.is_empty() {
            return match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::write(&path, error)),
                _ => files::sync_folder(out).map_err(|source| Error::write(out, source)),
            };
        }
        files::write_whole(&path, self.text().as_bytes())
    }

    /// The marker as it stands in its file.
    #[must_use]
    pub fn text(&self) -> String {
        self.files.iter().map(|(file, hash)| format!("{hash}  {file}\n")).collect()
    }

    /// Entries of a table's partition.
    pub fn in_partition<'a>(&'a self, partition: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files.iter().filter(move |(file, _)| lies_in(file, partition)).map(|(f, h)| (f.as_str(), h.as_str()))
    }

    /// Takes a run out.
    pub(crate) fn withdraw(&mut self, partition: &str) {
        self.files.retain(|file, _| !lies_in(file, partition));
    }

    /// Entries of layers whose hash is not the given one (by path), provided that other runs rely on
    /// them.
    pub(crate) fn other_layers(&self, partition: &str, layers: &BTreeMap<String, String>) -> Vec<String> {
        let others = self.files.keys().any(|file| !file.starts_with("layers/") && !lies_in(file, partition));
        let differs = |(file, hash): &(&String, &String)| {
            file.starts_with("layers/") && layers.get(*file).is_none_or(|new| new != *hash)
        };
        if others { self.files.iter().filter(differs).map(|(file, _)| file.clone()).collect() } else { Vec::new() }
    }
}

/// Whether `<table>/<partition>/<file>` is the shape of the path.
fn lies_in(file: &str, partition: &str) -> bool {
    file.split_once('/').and_then(|(_, rest)| rest.strip_prefix(partition)).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_back_withdrawn_and_checked() {
        let out = tempfile::tempdir().unwrap();
        assert_eq!(Marker::read(out.path()).unwrap(), Marker::default());
        let hash = "a".repeat(64);
        let mut marker = Marker::default();
        for file in ["trips/scenario=a/seed=1/p", "trips/scenario=a/seed=11/p", "layers/links.parquet"] {
            marker.files.insert(file.into(), hash.clone());
        }
        marker.write(out.path()).unwrap();
        assert_eq!(Marker::read(out.path()).unwrap(), marker);

        let same: BTreeMap<_, _> = [("layers/links.parquet".to_owned(), hash)].into();
        let other: BTreeMap<_, _> = [("layers/links.parquet".to_owned(), "b".repeat(64))].into();
        assert!(marker.other_layers("scenario=a/seed=1", &same).is_empty());
        assert_eq!(marker.other_layers("scenario=a/seed=1", &other), ["layers/links.parquet"]);
        marker.withdraw("scenario=a/seed=11");
        assert_eq!(marker.in_partition("scenario=a/seed=1").count(), 1);
        assert!(marker.other_layers("scenario=a/seed=1", &other).is_empty(), "nobody else relies on them");

        Marker::default().write(out.path()).unwrap();
        assert!(!out.path().join(MARKER).exists());
        std::fs::write(out.path().join(MARKER), "hello\n").unwrap();
        let Err(Error::Input(problems)) = Marker::read(out.path()) else { panic!("accepted") };
        assert!(problems.listed()[0].to_string().contains("row 1: line = hello"), "{problems:?}");
    }
}
