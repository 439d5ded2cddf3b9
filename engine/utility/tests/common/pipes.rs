//! Nets of pandapipes with its results: those beside the tests and those of the shared folder where it is there.
#![allow(dead_code)] // every test file uses its share

#[path = "shared.rs"]
mod shared;

use std::path::{Path, PathBuf};
use urbis_utility::pipes::pandapipes::{self, PipeNet};

/// A net with results.
pub(crate) struct Solved {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) net: PipeNet,
}

impl Solved {
    fn load(folder: PathBuf) -> Self {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let net = pandapipes::read(&folder.join("net.json.gz")).unwrap_or_else(|why| panic!("{name}: {why}"));
        Self { name, folder, net }
    }
    /// A column of a table of results by index; NaN where empty. None where the table or column is not there.
    pub(crate) fn results(&self, table: &str, column: &str) -> Option<Vec<(String, f64)>> {
        let text = std::fs::read_to_string(self.folder.join(format!("res_{table}.csv"))).ok()?;
        let mut lines = text.lines();
        let at = lines.next()?.split(',').position(|name| name == column)?;
        let rows = lines.map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[0].to_owned(), cells[at].parse().unwrap_or(f64::NAN))
        });
        Some(rows.collect())
    }
    /// Largest difference from a column of results, and how many values were compared. What has no result must have
    /// none here, or nothing flows.
    pub(crate) fn worst(&self, table: &str, column: &str, ours: impl Fn(&str) -> f64) -> (f64, usize) {
        let Some(rows) = self.results(table, column) else { return (0.0, 0) };
        let (mut worst, mut count) = (0.0_f64, 0);
        for (id, expected) in rows {
            let found = ours(&id);
            if expected.is_nan() {
                assert!(
                    found.is_nan() || found.abs() <= 0.0,
                    "{} {table} {id} {column}: {found}, expected none",
                    self.name
                );
                continue;
            }
            assert!(found.is_finite(), "{} {table} {id} {column}: {found}, expected {expected}", self.name);
            worst = worst.max((found - expected).abs());
            count += 1;
        }
        (worst, count)
    }
    /// Row of an element.
    pub(crate) fn element(&self, table: &str, id: &str) -> usize {
        let of = self.net.network.elements.iter().position(|of| of.table == table && of.id == id);
        of.unwrap_or_else(|| panic!("{}: {table} {id}", self.name))
    }
    /// Node of a junction.
    pub(crate) fn node(&self, id: &str) -> u32 {
        let nodes = &self.net.network.nodes;
        let of = (0..nodes.len()).find(|&node| nodes.is_junction[node] && nodes.id[node] == id);
        of.unwrap_or_else(|| panic!("{}: junction {id}", self.name)) as u32
    }
}

/// Nets beside the tests and in the shared folder, of gas or of water.
pub(crate) fn nets(is_gas: bool) -> Vec<Solved> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(here).expect("data").map(|entry| entry.expect("a file").path()).collect();
    folders.retain(|folder| folder.is_dir() && folder.to_string_lossy().contains("pandapipes_"));
    folders.sort();
    assert!(folders.len() >= 8);
    folders.extend(shared::folders("gas_heat"));
    let nets = folders.into_iter().map(Solved::load);
    nets.filter(|solved| solved.net.network.fluid.is_gas == is_gas).collect()
}

/// A net by its folder's name.
pub(crate) fn net(name: &str) -> Option<Solved> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let folder = if here.is_dir() { here } else { shared::place("gas_heat").join(name) };
    if folder.is_dir() {
        return Some(Solved::load(folder));
    }
    shared::skipped(&folder);
    None
}
