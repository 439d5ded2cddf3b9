//! Reference inputs beside the repository: `URBIS_SHARED`, or `../shared` from its root.
#![allow(dead_code)] // every test file uses its share

use std::path::{Path, PathBuf};

/// A file or folder of the utilities' references, whether it is there or not.
pub(crate) fn place(name: &str) -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("URBIS_SHARED").map_or_else(beside, PathBuf::from).join("reference/utility").join(name)
}

/// Says that something is not there.
#[allow(clippy::print_stderr)] // a test says what it skips
pub(crate) fn skipped(place: &Path) {
    eprintln!("skipped: no {}; set URBIS_SHARED", place.display());
}

/// Folders in one of the references', in order; none, with a message, where it is not there.
pub(crate) fn folders(name: &str) -> Vec<PathBuf> {
    let folder = place(name);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        skipped(&folder);
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    folders
}
