//! Reference cases: those beside the tests, and those of the shared folder where it is there.
#![allow(dead_code)] // every test file uses its share

#[path = "shared.rs"]
mod shared;

use flate2::read::GzDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A case and its solution.
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// Bus number, magnitude per unit, angle in degrees.
    pub(crate) voltages: Vec<(String, f64, f64)>,
}

impl Reference {
    pub(crate) fn case(&self) -> PathBuf {
        self.folder.join(format!("{}.m", self.name))
    }
    /// A number of `summary.json`, where there is one.
    pub(crate) fn summary(&self, key: &str) -> Option<f64> {
        let text = std::fs::read_to_string(self.folder.join("summary.json")).ok()?;
        let rest = text.split(&format!("\"{key}\":")).nth(1)?;
        rest.split([',', '\n', '}']).next()?.trim().parse().ok()
    }
}

fn text_of(path: &Path) -> Option<String> {
    if let Ok(text) = std::fs::read_to_string(path) {
        return Some(text);
    }
    let zipped = std::fs::File::open(path.with_extension("csv.gz")).ok()?;
    let mut text = String::new();
    GzDecoder::new(zipped).read_to_string(&mut text).ok()?;
    Some(text)
}

fn load(folder: &Path) -> Option<Reference> {
    let name = folder.file_name()?.to_str()?.to_owned();
    let text = text_of(&folder.join("solution_m.csv"))?;
    let voltages = text.lines().skip(1).map(|line| {
        let mut cells = line.split(',');
        let mut next = || cells.next().expect("three columns");
        (next().to_owned(), next().parse().expect("a number"), next().parse().expect("a number"))
    });
    Some(Reference { voltages: voltages.collect(), name, folder: folder.to_owned() })
}

/// Cases beside the tests, then those of the shared folder.
pub(crate) fn references() -> Vec<Reference> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut all: Vec<Reference> = ["case9", "case14", "case33bw"]
        .iter()
        .map(|name| load(&here.join(name)).expect("a case of this repository"))
        .collect();
    all.extend(shared::folders("power").iter().filter_map(|folder| load(folder)));
    all
}
