//! The folder a run is written into until it is whole, and the one moment in which it becomes results.
//!
//! Everything is staged in `OUT/.unfinished-<run id>`. On commit, under a lock on `OUT`: the run's
//! entries leave the marker, its old partitions leave the folder, the new ones are renamed into place,
//! and the marker is rewritten with their hashes. Stopped anywhere before the last step, the marker
//! does not list the run. Dropped without commit, the staging is removed; killed, it is removed by the
//! next run into the same folder: a lock that dies with its process tells stale ones from live ones.
//!
//! Ignores file systems without locks (there two processes must not write one run at a time).

use crate::marker::{LAYERS, Marker};
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use urbis_core::files::UNFINISHED_PREFIX;
use urbis_core::hash::sha256_file;
use urbis_core::{Error, Problem, Result, files};

/// Hexadecimal digits of a run id.
pub(crate) const RUN_ID_DIGITS: usize = 16;

/// A run on its way into a results folder. Dropped without [`Staging::commit`] it leaves nothing behind.
#[derive(Debug)]
pub struct Staging {
    out: PathBuf,
    folder: PathBuf,
    partition: String,
    /// Layer files of the city package: name within the results, place, hash.
    layers: Vec<(String, PathBuf, String)>,
    _lock: File,
}

impl Staging {
    /// Starts the staging of a run, after sweeping out what killed runs left behind. `city_package` holds the layers.
    ///
    /// # Errors
    /// As [`crate::ResultsWriter::create`].
    pub fn new(out: &Path, run_id: &str, partition: &str, city_package: &Path) -> Result<Self> {
        let layers = layer_files(city_package)?;
        files::create_folder(out)?;
        let _guard = lock(out)?;
        refuse_other_city(out, &Marker::read(out)?, partition, &layers)?;
        let folder = out.join(format!("{UNFINISHED_PREFIX}{run_id}"));
        sweep(out, &folder)?;
        std::fs::create_dir(&folder).map_err(|source| Error::write(&folder, source))?;
        let lock = lock(&folder)?;
        Ok(Self { out: out.to_owned(), folder, partition: partition.to_owned(), layers, _lock: lock })
    }

    /// Where the run's files are to be put: `<table>/<partition>/<file>`, each of them synced.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn out(&self) -> &Path {
        &self.out
    }

    /// Hashes of the layers by path relative to the results.
    pub(crate) fn layer_hashes(&self) -> BTreeMap<String, String> {
        self.layers.iter().map(|(name, _, hash)| (name.clone(), hash.clone())).collect()
    }

    /// Puts the run into place. `vouched` are the files of the run by path relative to the staging with
    /// their hashes; files not among them are put into place without an entry. Returns every path
    /// that was put into place, relative to the results.
    ///
    /// # Errors
    /// As [`crate::ResultsWriter::finish`].
    pub fn commit(self, vouched: &[(String, String)]) -> Result<Vec<String>> {
        self.copy_layers()?;
        let failed = |source| Error::write(&self.out, source);
        sync_folders(&self.folder).map_err(failed)?;
        let _guard = lock(&self.out)?;
        let mut marker = Marker::read(&self.out)?;
        refuse_other_city(&self.out, &marker, &self.partition, &self.layers)?;

        // Withdraw first, so that no moment shows a marker that vouches for a mixture.
        marker.withdraw(&self.partition);
        for (name, _, hash) in &self.layers {
            if marker.files.get(name).is_some_and(|old| old != hash) {
                marker.files.remove(name);
            }
        }
        marker.write(&self.out)?;
        self.set_aside_old().map_err(failed)?;

        let mut placed = Vec::new();
        for table in folders(&self.folder).map_err(failed)? {
            if table == LAYERS || table == OLD {
                continue;
            }
            let target = self.out.join(&table).join(&self.partition);
            files::create_folder(files::parent(&target))?;
            std::fs::rename(self.folder.join(&table).join(&self.partition), &target)
                .and_then(|()| files::sync_folder(files::parent(&target)))
                .and_then(|()| files::sync_folder(&self.out.join(&table)))
                .map_err(|source| Error::write(&target, source))?;
            placed.push(format!("{table}/{}/{}", self.partition, crate::table_file::PART));
        }
        files::create_folder(&self.out.join(LAYERS))?;
        for (name, _, hash) in &self.layers {
            let target = self.out.join(name);
            std::fs::rename(self.folder.join(name), &target).map_err(|source| Error::write(&target, source))?;
            marker.files.insert(name.clone(), hash.clone());
            placed.push(name.clone());
        }
        files::sync_folder(&self.out.join(LAYERS)).and_then(|()| files::sync_folder(&self.out)).map_err(failed)?;
        marker.files.extend(vouched.iter().cloned());
        marker.write(&self.out)?;
        placed.sort();
        Ok(placed)
    }

    /// Copies the layers byte for byte; a package that changed meanwhile is refused.
    fn copy_layers(&self) -> Result<()> {
        files::create_folder(&self.folder.join(LAYERS))?;
        for (name, from, hash) in &self.layers {
            let to = self.folder.join(name);
            std::fs::copy(from, &to)
                .and_then(|_| File::open(&to)?.sync_all())
                .map_err(|source| Error::write(&to, source))?;
            let copied = sha256_file(&to).map_err(|source| Error::read(&to, source))?;
            if copied != *hash {
                return Err(Problem::file(from, "changed while the run was computed")
                    .with_help("run again, and leave the city package alone meanwhile")
                    .into());
            }
        }
        Ok(())
    }

    /// Moves the run's earlier partition of every table, known or not, out of the way; it goes with the
    /// staging.
    fn set_aside_old(&self) -> std::io::Result<()> {
        let old = self.folder.join(OLD);
        std::fs::create_dir_all(&old)?;
        for table in folders(&self.out)? {
            let partition = self.out.join(&table).join(&self.partition);
            if partition.is_dir() {
                std::fs::rename(&partition, old.join(&table))?;
                files::sync_folder(files::parent(&partition))?;
            }
        }
        Ok(())
    }
}

/// Where earlier partitions of the run wait for removal; no table is called so.
const OLD: &str = "_old";

impl Drop for Staging {
    fn drop(&mut self) {
        // Nobody is left to tell; the next run sweeps what stays.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The layers of a city package with their hashes, by name.
fn layer_files(city_package: &Path) -> Result<Vec<(String, PathBuf, String)>> {
    ["buildings", "links", "nodes", "pois", "zones"]
        .into_iter()
        .map(|layer| {
            let name = format!("{LAYERS}/{layer}.parquet");
            let path = city_package.join(&name);
            let hash = sha256_file(&path).map_err(|source| Error::read(&path, source))?;
            Ok((name, path, hash))
        })
        .collect()
}

fn refuse_other_city(out: &Path, marker: &Marker, partition: &str, layers: &[(String, PathBuf, String)]) -> Result<()> {
    let hashes: BTreeMap<_, _> = layers.iter().map(|(name, _, hash)| (name.clone(), hash.clone())).collect();
    let others = marker.other_layers(partition, &hashes);
    if others.is_empty() {
        return Ok(());
    }
    let what = format!("holds runs of another city package: {} differ from this run's", others.join(", "));
    Err(Problem::file(out, what).with_help("choose another results folder, or remove this one first").into())
}

/// Removes from a results folder what runs whose process is gone left behind.
///
/// # Errors
/// When the folder cannot be read or written.
pub fn sweep_leftovers(out: &Path) -> Result<()> {
    let _guard = lock(out)?;
    sweep(out, Path::new(""))
}

/// Removes the stagings of runs whose process is gone; one of this very run (`own`) that is alive is an error.
fn sweep(out: &Path, own: &Path) -> Result<()> {
    let failed = |source| Error::write(out, source);
    for entry in std::fs::read_dir(out).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let is_run = name.to_str().and_then(|name| name.strip_prefix(UNFINISHED_PREFIX)).is_some_and(|id| {
            id.len() == RUN_ID_DIGITS && id.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
        });
        if !is_run || !entry.path().is_dir() {
            continue;
        }
        let folder = File::open(entry.path()).map_err(failed)?;
        if matches!(folder.try_lock(), Err(TryLockError::WouldBlock)) {
            if entry.path() == own {
                return Err(Problem::file(out, "the same run is being written here by another process")
                    .with_help("wait for it, or choose another results folder")
                    .into());
            }
        } else {
            std::fs::remove_dir_all(entry.path()).map_err(|source| Error::write(&entry.path(), source))?;
        }
    }
    Ok(())
}

/// Locks a folder until the returned handle is dropped or its process ends.
fn lock(folder: &Path) -> Result<File> {
    let handle = File::open(folder).map_err(|source| Error::write(folder, source))?;
    match handle.lock() {
        Err(error) if error.kind() != std::io::ErrorKind::Unsupported => Err(Error::write(folder, error)),
        _ => Ok(handle),
    }
}

/// Names of the folders in a folder, sorted; hidden ones are not looked at.
fn folders(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_str().filter(|name| !name.starts_with('.'))
            && entry.file_type()?.is_dir()
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Syncs the entries of a folder and of all below it; the files in it are synced already.
fn sync_folders(folder: &Path) -> std::io::Result<()> {
    for name in folders(folder)? {
        sync_folders(&folder.join(name))?;
    }
    files::sync_folder(folder)
}
