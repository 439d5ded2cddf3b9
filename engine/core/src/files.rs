//! Files and folders that are whole or absent: written under a temporary name beside their place,
//! synced, then renamed. A reader never sees half of one.

use crate::diagnostics::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Names of unfinished files and folders start so; readers ignore names with a leading dot.
pub const UNFINISHED_PREFIX: &str = ".unfinished-";

/// Writes a file whole: temporary name, sync, rename, sync of the folder.
///
/// # Errors
/// [`Error::Write`] naming the path when the folder cannot be made or the bytes do not fit.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = parent(path);
    create_folder(folder)?;
    let attempt = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED_PREFIX).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        let file = file.persist(path).map_err(|e| e.error)?;
        allow_all_to_read(&file)?;
        sync_folder(folder)
    };
    attempt().map_err(|source| Error::write(path, source))
}

/// A folder under construction beside its final place; dropped unfinished, it is removed.
#[derive(Debug)]
pub struct StagedFolder {
    staging: tempfile::TempDir,
    target: PathBuf,
}

impl StagedFolder {
    /// Starts a folder that will become `target`.
    ///
    /// # Errors
    /// [`Error::Write`] when the place cannot be written to.
    pub fn new(target: &Path) -> Result<Self> {
        let folder = parent(target);
        create_folder(folder)?;
        let staging = tempfile::Builder::new()
            .prefix(UNFINISHED_PREFIX)
            .tempdir_in(folder)
            .map_err(|source| Error::write(target, source))?;
        Ok(Self { staging, target: target.to_owned() })
    }
    /// Where to write meanwhile.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.staging.path()
    }
    /// Syncs every file and puts the folder in its place; what stood there before is replaced.
    ///
    /// # Errors
    /// [`Error::Write`] when syncing or renaming fails; the unfinished folder is then removed.
    pub fn commit(self) -> Result<()> {
        let attempt = || -> std::io::Result<()> {
            sync_tree(self.staging.path())?;
            if self.target.exists() {
                let old = tempfile::Builder::new().prefix(UNFINISHED_PREFIX).tempdir_in(parent(&self.target))?;
                std::fs::rename(&self.target, old.path().join("old"))?;
            }
            std::fs::rename(self.staging.path(), &self.target)?;
            sync_folder(parent(&self.target))
        };
        attempt().map_err(|source| Error::write(&self.target, source))
    }
}

/// The folder a path lies in; the current one for a bare name.
#[must_use]
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a folder and those above it.
///
/// # Errors
/// [`Error::Write`] naming the folder.
pub fn create_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|source| Error::write(folder, source))
}

/// Syncs a folder's entries to disk.
///
/// # Errors
/// What the system says.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

fn sync_tree(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    allow_all_to_read(&File::open(folder)?)?;
    sync_folder(folder)
}

/// Temporary files are private; finished ones have the ordinary rights.
#[cfg(unix)]
fn allow_all_to_read(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = if file.metadata()?.is_dir() { 0o755 } else { 0o644 };
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn allow_all_to_read(_: &File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_or_absent() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("a/b.txt");
        write_whole(&file, b"one").unwrap();
        write_whole(&file, b"two").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"two");

        let target = place.path().join("folder");
        let staged = StagedFolder::new(&target).unwrap();
        std::fs::write(staged.path().join("x"), b"1").unwrap();
        assert!(!target.exists());
        drop(staged);
        assert!(!target.exists());
        for content in [b"1", b"2"] {
            let staged = StagedFolder::new(&target).unwrap();
            std::fs::write(staged.path().join("x"), content).unwrap();
            staged.commit().unwrap();
        }
        assert_eq!(std::fs::read(target.join("x")).unwrap(), b"2");
        let names: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn a_file_in_the_way_is_a_clear_error() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("a"), b"").unwrap();
        let error = write_whole(&place.path().join("a/b"), b"").unwrap_err();
        assert!(error.to_string().contains("cannot write"), "{error}");
    }
}
