//! The marker of one run in a store: `# run <id>`, then the lines that `_SUCCESS` has in a folder of this run alone.
//! `sha256sum -c` skips the first line.

use std::path::Path;
use urbis_core::hash::sha256_hex;
use urbis_core::{Problem, Result};
use urbis_output::Marker;
use urbis_output::marker::LAYERS;

const RUN: &str = "# run ";

/// What a store vouches for of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Id of the run.
    pub run_id: String,
    /// Its files and the layers it took place in.
    pub marker: Marker,
}

impl Commit {
    /// The text of the marker.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{RUN}{}\n{}", self.run_id, self.marker.text())
    }

    /// SHA-256 of the text.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(self.text().as_bytes())
    }

    /// Reads the text of a marker; errors name `place`.
    pub(crate) fn parse(place: &Path, text: &str) -> Result<Self> {
        let first_line = text.split_once('\n').and_then(|(first, rest)| Some((first.strip_prefix(RUN)?, rest)));
        let Some((run_id, rest)) = first_line else {
            let problem = Problem::file(place, format!("begins without `{RUN}<id>`"));
            return Err(problem
                .with_help("it was not written by Urbis, or was changed; remove it and push again")
                .into());
        };
        let marker = Marker::parse(place, rest)?;
        match marker.files.keys().find(|name| !is_plain(name)) {
            Some(name) => Err(Problem::file(place, format!("lists {name:?}, which no results folder has")).into()),
            None => Ok(Self { run_id: run_id.to_owned(), marker }),
        }
    }

    /// Files of the run itself, with their hashes.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.marker.files.iter().filter(|(name, _)| !is_layer(name)).map(|(name, hash)| (name.as_str(), hash.as_str()))
    }

    /// The layers that it took place in, with their hashes.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.marker.files.iter().filter(|(name, _)| is_layer(name)).map(|(name, hash)| (name.as_str(), hash.as_str()))
    }
}

fn is_layer(name: &str) -> bool {
    name.split_once('/').is_some_and(|(folder, _)| folder == LAYERS)
}

/// Whether a name stays below the folder it is put into, whatever somebody wrote into a marker.
fn is_plain(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._=-".contains(c);
    name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.chars().all(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_back_and_foreign_ones_refused() {
        let mut marker = Marker::default();
        for name in ["trips/scenario=a/seed=1/part-0.parquet", "layers/links.parquet"] {
            marker.files.insert(name.to_owned(), "a".repeat(64));
        }
        let commit = Commit { run_id: "0123456789abcdef".into(), marker };
        let place = Path::new("s3://bucket/_commits/scenario=a/seed=1/_SUCCESS");
        assert_eq!(Commit::parse(place, &commit.text()).unwrap(), commit);
        assert_eq!((commit.tables().count(), commit.layers().count()), (1, 1));
        for bad in ["", "hello\n", &commit.marker.text()] {
            let error = Commit::parse(place, bad).unwrap_err();
            assert!(error.to_string().contains("problem"), "{error}");
        }
        for name in ["../x", "/etc/x", "trips//x", "trips/.x", "a b"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
