//! Where a batch leaves its results: a folder, or a URL of an object store, to which runs go from a scratch folder.

use crate::screen::say;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use urbis::RunSummary;
use urbis_core::files::{UNFINISHED_PREFIX, create_folder, write_whole};
use urbis_core::hash::sha256_file;
use urbis_core::{Error, Problem, Result};
use urbis_store::{Store, is_url};

/// Folder of the study within its results.
pub(crate) const STUDY: &str = "study";
/// Folder of what runs of a study have in common, within that of the study or the scratch folder.
pub(crate) const COMMON: &str = "common";

/// The URL that an argument is, if it is none of a folder.
pub(crate) fn url_of(place: &Path) -> Option<&str> {
    place.to_str().filter(|text| is_url(text))
}

/// Opens a store as the environment says.
pub(crate) fn open_store(url: &str) -> Result<Store> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let store = Store::open(url, std::env::vars_os().filter_map(text))?;
    if store.is_memory() {
        let problem = Problem::file(Path::new(url), "is gone when the program ends");
        return Err(problem.with_help("use file:///FOLDER to try things").into());
    }
    Ok(store)
}

/// Where results are.
pub(crate) enum Out {
    Folder(PathBuf),
    Store(Store),
}

/// What stands there of runs.
pub(crate) struct Standing {
    /// Ids of finished runs, by scenario and seed.
    pub(crate) finished: BTreeMap<(String, u64), String>,
    /// Ids of those that have begun to get there.
    pub(crate) started: BTreeSet<String>,
}

impl Out {
    pub(crate) fn open(place: &Path) -> Result<Self> {
        match url_of(place) {
            Some(url) => Ok(Self::Store(open_store(url)?)),
            None => Ok(Self::Folder(place.to_owned())),
        }
    }

    /// How a person names it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Store(store) => store.url().to_owned(),
        }
    }

    pub(crate) fn standing(&self) -> Result<Standing> {
        match self {
            Self::Folder(folder) => {
                let names = std::fs::read_dir(folder).into_iter().flatten();
                let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
                let started = names.filter_map(|name| name.strip_prefix(UNFINISHED_PREFIX).map(str::to_owned));
                Ok(Standing { finished: urbis_appraisal::run_ids(folder)?, started: started.collect() })
            }
            Self::Store(store) => Ok(Standing {
                finished: store.runs()?.into_iter().map(|(run, commit)| (run, commit.run_id)).collect(),
                started: store.started()?.into_values().map(|commit| commit.run_id).collect(),
            }),
        }
    }

    /// Id of a finished run.
    pub(crate) fn run_id_of(&self, scenario: &str, seed: u64) -> Result<Option<String>> {
        match self {
            Self::Folder(folder) => urbis_appraisal::run_id_of(folder, scenario, seed),
            Self::Store(store) => Ok(store.run(scenario, seed)?.map(|commit| commit.run_id)),
        }
    }

    /// A run of other input is replaced in a folder; in a store, which others may be reading, what was first stays.
    pub(crate) fn refuse_other(&self, run: &str, there: &str, wanted: &str) -> Result<()> {
        let Self::Store(store) = self else { return Ok(()) };
        let what = format!("holds {run} as run {there}, but with what it depends on now it is run {wanted}");
        Err(Problem::file(Path::new(store.url()), what)
            .with_help("a store keeps what was first; choose another URL for the study as it is now")
            .into())
    }

    /// Hash of the marker of all finished runs: equal for equal results, in a folder and in a store.
    pub(crate) fn hash(&self) -> Result<Option<String>> {
        match self {
            Self::Folder(folder) => {
                let marker = folder.join("_SUCCESS");
                let hash = marker.is_file().then(|| sha256_file(&marker)).transpose();
                hash.map_err(|source| Error::read(&marker, source))
            }
            Self::Store(store) => store.hash(),
        }
    }

    /// Puts a file beside the results, below the folder of the study.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Folder(folder) => write_whole(&folder.join(STUDY).join(name), bytes),
            Self::Store(store) => store.put_note(&format!("{STUDY}/{name}"), bytes),
        }
    }

    /// Why a run failed, if it did.
    pub(crate) fn failure(&self, run_id: &str) -> Result<Option<String>> {
        let name = failure(run_id);
        Ok(match self {
            Self::Folder(folder) => std::fs::read_to_string(folder.join(name)).ok(),
            Self::Store(store) => store.note(&name)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        })
    }

    /// Keeps why a run failed, or forgets it.
    pub(crate) fn note_failure(&self, run_id: &str, why: Option<&str>) -> Result<()> {
        let name = failure(run_id);
        match (self, why) {
            (Self::Folder(folder), Some(why)) => write_whole(&folder.join(name), why.as_bytes()),
            (Self::Folder(folder), None) => match std::fs::remove_file(folder.join(&name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::write(&folder.join(name), error)),
                _ => Ok(()),
            },
            (Self::Store(store), Some(why)) => store.put_note(&name, why.as_bytes()),
            // Who may not remove anything has nothing to remove most of the time.
            (Self::Store(store), None) if store.note(&name)?.is_some() => store.remove_note(&name),
            (Self::Store(_), None) => Ok(()),
        }
    }
}

fn failure(run_id: &str) -> String {
    format!("{STUDY}/failed/{run_id}.txt")
}

/// The folder in which runs are computed on their way to a store: the one asked for, or one that goes with the program.
pub(crate) enum Scratch {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Scratch {
    pub(crate) fn new(asked: Option<&Path>) -> Result<Self> {
        match asked {
            Some(folder) => Ok(Self::Kept(folder.to_owned())),
            None => match tempfile::Builder::new().prefix("urbis-").tempdir() {
                Ok(folder) => Ok(Self::Temporary(folder)),
                Err(source) => Err(Error::write(&std::env::temp_dir(), source)),
            },
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Kept(folder) => folder,
            Self::Temporary(folder) => folder.path(),
        }
    }

    /// Computes a run into a folder of its own, unless it stands whole in it since a push that failed, puts it into the
    /// store and removes the folder. Returns what computing it told.
    pub(crate) fn run(
        &self,
        store: &Store,
        (scenario, seed, run_id): (&str, u64, &str),
        compute: &mut dyn FnMut(&Path) -> Result<RunSummary>,
    ) -> Result<Option<RunSummary>> {
        let own = self.path().join(run_id);
        let failed = |source| Error::write(&own, source);
        create_folder(&own)?;
        let lock = File::open(&own).map_err(failed)?;
        if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
            let problem = Problem::file(&own, "the same run is being computed here by another process");
            return Err(problem.with_help("wait for it, or choose another folder with --scratch").into());
        }
        // Below the folder that is locked, because results have a lock of their own.
        let results = own.join("results");
        let is_whole = urbis_appraisal::run_id_of(&results, scenario, seed)?.as_deref() == Some(run_id);
        let computed = if is_whole { Ok(None) } else { compute(&results).map(Some) };
        if computed.is_ok() {
            store.push(&results, scenario, seed, run_id).inspect_err(|_| {
                if let Self::Kept(_) = self {
                    let place = results.display();
                    say(&format!("the run stays in {place}; the same command puts it into the store"));
                }
            })?;
        }
        std::fs::remove_dir_all(&own).map_err(failed)?;
        Ok(computed?.map(|summary| RunSummary { out: store.url().into(), ..summary }))
    }
}
