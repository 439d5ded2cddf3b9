//! A place on an object store, and what is done with single objects in it.

use crate::commit::Commit;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, ObjectStoreScheme, PutMode, PutPayload};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use urbis_core::hash::sha256_hex;
use urbis_core::{Error, Problem, Result};
use urbis_output::Marker;
use urbis_output::marker::{MARKER, partition, run_of};
use url::Url;

/// Folder of the markers of runs.
pub(crate) const COMMITS: &str = "_commits";
/// Marker of what is being pushed.
pub(crate) const STARTED: &str = "_STARTED";
/// Files under way at once.
pub(crate) const SIDE_BY_SIDE: usize = 8;
/// Markers under way at once.
const MARKERS_SIDE_BY_SIDE: usize = 32;
/// Beginnings of the variables that say how to reach a store and as whom.
const VARIABLES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];

/// Whether a text is a URL instead of a path.
#[must_use]
pub fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// Results under a URL of an object store.
#[derive(Debug)]
pub struct Store {
    runtime: Runtime,
    pub(crate) objects: Arc<dyn ObjectStore>,
    root: String,
    url: String,
}

impl Store {
    /// Opens `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` (or `abfss://`), `file:///folder` or
    /// `memory:///`; nothing is asked of the store yet. Of `environment`, `AWS_*`, `GOOGLE_*` and `AZURE_*` are heeded:
    /// `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT`, `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_STORAGE_ACCOUNT_NAME` and so on.
    ///
    /// # Errors
    /// [`Error::Input`] when the URL names no store, or what the environment says of it is not enough.
    pub fn open(url: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let refuse = |why: &dyn std::fmt::Display| {
            let help = "expected s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or file:///FOLDER, and the \
                        variables that say who you are (AWS_*, GOOGLE_*, AZURE_*)";
            Problem::file(Path::new(url), why).with_help(help)
        };
        // A second store of this process finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let parsed = Url::parse(url).map_err(|why| refuse(&why))?;
        let (scheme, _) = ObjectStoreScheme::parse(&parsed).map_err(|why| refuse(&why))?;
        let options = environment.into_iter().filter(|(name, _)| VARIABLES.iter().any(|start| name.starts_with(start)));
        let (objects, root) = object_store::parse_url_opts(&parsed, options).map_err(|why| refuse(&why))?;
        let objects: Arc<dyn ObjectStore> = match scheme {
            // Others promise that what is put is on disk; so shall this one.
            ObjectStoreScheme::Local => Arc::new(LocalFileSystem::new().with_fsync(true)),
            _ => Arc::from(objects),
        };
        Self::over(objects, root.as_ref(), url)
    }

    /// The prefix `root` of a store that is there already, called `url`.
    ///
    /// # Errors
    /// When the system gives no runtime.
    pub fn over(objects: Arc<dyn ObjectStore>, root: &str, url: &str) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| Error::read(Path::new(url), source))?;
        Ok(Self { runtime, objects, root: root.to_owned(), url: url.trim_end_matches('/').to_owned() })
    }

    /// The URL as it was given, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is gone with the process.
    #[must_use]
    pub fn is_memory(&self) -> bool {
        self.url.starts_with("memory:")
    }

    /// How a person names an object.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        format!("{}/{name}", self.url).into()
    }

    pub(crate) fn key(&self, name: &str) -> Result<Key> {
        Key::parse(format!("{}/{name}", self.root)).map_err(|why| Problem::file(&self.place(name), why).into())
    }

    pub(crate) fn block<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) fn failed(&self, name: &str, why: object_store::Error) -> Error {
        Error::Store { place: self.place(name).display().to_string(), source: why.into() }
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let key = self.key(name)?;
        let found = async { self.objects.get(&key).await?.bytes().await };
        match found.await {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(why) => Err(self.failed(name, why)),
        }
    }

    pub(crate) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let put = self.objects.put(&self.key(name)?, PutPayload::from(bytes)).await;
        put.map(drop).map_err(|why| self.failed(name, why))
    }

    /// Puts a text if nothing has that name, and says whether it did. A store that has the same text already is content.
    pub(crate) async fn put_once(&self, name: &str, text: &str) -> Result<bool> {
        let payload = PutPayload::from(text.as_bytes().to_vec());
        match self.objects.put_opts(&self.key(name)?, payload, PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => {
                let there = self.get(name).await?.unwrap_or_default();
                if there == text.as_bytes() { Ok(false) } else { Err(self.differs(name, &there, text)) }
            }
            Err(why) => Err(self.failed(name, why)),
        }
    }

    /// What is said to who brings another content than the first.
    pub(crate) fn differs(&self, name: &str, there: &[u8], text: &str) -> Error {
        let (theirs, ours) = (sha256_hex(there), sha256_hex(text.as_bytes()));
        let (what, help) = if name.ends_with(STARTED) {
            let what = "a push of other content has begun here";
            (what, format!("if nobody is at work on it, remove {} and push again", self.place(name).display()))
        } else {
            ("holds other content", "a store keeps what was first; choose another URL for what differs".to_owned())
        };
        let hashes = format!("{what}: its marker has the hash {theirs}, the one to be pushed {ours}");
        Problem::file(&self.place(name), hashes).with_help(help).into()
    }

    /// Names of the objects below a folder, sorted.
    pub(crate) async fn names(&self, folder: &str) -> Result<Vec<String>> {
        let key = self.key(folder)?;
        let listed: Result<Vec<_>, _> = self.objects.list(Some(&key)).try_collect().await;
        let listed = listed.map_err(|why| self.failed(folder, why))?;
        let root = self.key("")?;
        let name = |at: &Key| Some(at.as_ref().strip_prefix(root.as_ref())?.trim_start_matches('/').to_owned());
        let mut names: Vec<String> = listed.iter().filter_map(|object| name(&object.location)).collect();
        names.sort();
        Ok(names)
    }

    pub(crate) async fn commit_at(&self, name: &str) -> Result<Option<Commit>> {
        let Some(bytes) = self.get(name).await? else { return Ok(None) };
        Commit::parse(&self.place(name), &String::from_utf8_lossy(&bytes)).map(Some)
    }

    /// Reads markers of runs, by scenario and seed.
    async fn commits(&self, markers: impl Iterator<Item = String>) -> Result<BTreeMap<(String, u64), Commit>> {
        let runs = markers.filter_map(|name| Some((run_of(&name)?, name)));
        let read = runs.map(|(run, name)| async move { Ok::<_, Error>((run, self.commit_at(&name).await?)) });
        let read = futures_util::stream::iter(read).buffered(MARKERS_SIDE_BY_SIDE);
        let read: Vec<_> = read.try_collect().await?;
        Ok(read.into_iter().filter_map(|(run, commit)| Some((run, commit?))).collect())
    }

    /// Every finished run, by scenario and seed.
    ///
    /// # Errors
    /// [`Error::Store`] when it does not answer, [`Error::Input`] naming a marker that is none.
    pub fn runs(&self) -> Result<BTreeMap<(String, u64), Commit>> {
        self.block(async {
            let names = self.names(COMMITS).await?;
            self.commits(names.into_iter().filter(|name| name.ends_with(MARKER))).await
        })
    }

    /// Every run whose push has begun and is not finished, by scenario and seed.
    ///
    /// # Errors
    /// As [`Store::runs`].
    pub fn started(&self) -> Result<BTreeMap<(String, u64), Commit>> {
        self.block(async {
            let names: BTreeSet<String> = self.names(COMMITS).await?.into_iter().collect();
            let is_open = |name: &&String| {
                name.strip_suffix(STARTED).is_some_and(|folder| !names.contains(&format!("{folder}{MARKER}")))
            };
            self.commits(names.iter().filter(is_open).cloned()).await
        })
    }

    /// A run, if it is finished.
    ///
    /// # Errors
    /// As [`Store::runs`].
    pub fn run(&self, scenario: &str, seed: u64) -> Result<Option<Commit>> {
        self.block(self.commit_at(&format!("{COMMITS}/{}/{MARKER}", partition(scenario, seed))))
    }

    /// Scenario and seed of every finished run; asks for names only.
    ///
    /// # Errors
    /// [`Error::Store`] when it does not answer.
    pub fn finished(&self) -> Result<BTreeSet<(String, u64)>> {
        let names = self.block(self.names(COMMITS))?;
        Ok(names.iter().filter(|name| name.ends_with(MARKER)).filter_map(|name| run_of(name)).collect())
    }

    /// The marker that a folder with all finished runs would have.
    fn marker(&self) -> Result<Marker> {
        let files = self.runs()?.into_values().flat_map(|commit| commit.marker.files).collect();
        Ok(Marker { files })
    }

    /// SHA-256 of the marker that a folder with all finished runs would have; nothing where there are none.
    ///
    /// # Errors
    /// As [`Store::runs`].
    pub fn hash(&self) -> Result<Option<String>> {
        let marker = self.marker()?;
        Ok((!marker.files.is_empty()).then(|| sha256_hex(marker.text().as_bytes())))
    }

    /// Puts that marker beside the tables, for those who copy a store by other means.
    ///
    /// # Errors
    /// As [`Store::runs`], and [`Error::Store`] when it takes nothing.
    pub fn seal(&self) -> Result<()> {
        let text = self.marker()?.text();
        self.block(self.put(MARKER, text.into_bytes()))
    }

    /// A small object.
    ///
    /// # Errors
    /// [`Error::Store`] when it does not answer.
    pub fn note(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.block(self.get(name))
    }

    /// Puts a small object, in the place of what had its name.
    ///
    /// # Errors
    /// [`Error::Store`] when it takes nothing.
    pub fn put_note(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.block(self.put(name, bytes.to_vec()))
    }

    /// Removes a small object; one that is not there is no error.
    ///
    /// # Errors
    /// [`Error::Store`] when it refuses.
    pub fn remove_note(&self, name: &str) -> Result<()> {
        let key = self.key(name)?;
        match self.block(self.objects.delete(&key)) {
            Err(why) if !matches!(why, object_store::Error::NotFound { .. }) => Err(self.failed(name, why)),
            _ => Ok(()),
        }
    }

    /// Names of the small objects below a folder, sorted.
    ///
    /// # Errors
    /// [`Error::Store`] when it does not answer.
    pub fn notes(&self, folder: &str) -> Result<Vec<String>> {
        self.block(self.names(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_from_paths_and_bad_ones_refused() {
        for url in ["s3://bucket/x", "file:///tmp/x", "abfss://c@a.dfs.core.windows.net/x", "memory:///"] {
            assert!(is_url(url), "{url}");
        }
        for path in ["out/x", "/tmp/x", "C:\\x", "s3:/x", "://x", "a b://x"] {
            assert!(!is_url(path), "{path}");
        }
        for bad in ["ftp://host/x", "s3://", "https://example.org/x", "file:///a/../../b//c"] {
            let error = Store::open(bad, []).map(|store| store.url).unwrap_err();
            assert_eq!(error.exit_status() as u8, 2, "{error}");
        }
        let environment = [("AWS_REGION", "eu-west-3"), ("TOKEN", "not ours")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let store = Store::open("s3://bucket/a/b/", environment).unwrap();
        assert_eq!(store.key("trips/x").unwrap().as_ref(), "a/b/trips/x");
        assert_eq!(store.place("trips/x"), Path::new("s3://bucket/a/b/trips/x"));
        let text = format!("{:?}", store.objects);
        assert!(text.contains("eu-west-3") && !text.contains("not ours"), "{text}");
    }
}
