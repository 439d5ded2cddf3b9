//! Finished runs fetched into a results folder, each whole or not at all.

use crate::commit::Commit;
use crate::store::{SIDE_BY_SIDE, Store};
use futures_util::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use urbis_core::files::{UNFINISHED_PREFIX, create_folder, parent, write_whole};
use urbis_core::hash::Hasher;
use urbis_core::{Error, Problem, Problems, Result};
use urbis_output::marker::{MARKER, partition};
use urbis_output::{Marker, Staging, Table};

/// What a pull has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Runs that were fetched.
    pub fetched: usize,
    /// Runs that stood in the folder already.
    pub kept: usize,
}

/// Scenario and seed of a run, and what the store vouches for.
type Run<'a> = (&'a (String, u64), &'a Commit);

impl Store {
    /// Fetches finished runs into a results folder, which is made if need be and may hold others; all of them where
    /// `is_wanted` says so, and then what lies below `notes` too. Every file is held against its hash before its run
    /// gets into the folder. Runs that are there already are not fetched again.
    ///
    /// # Errors
    /// [`Error::Input`] when there is no such run, when the folder holds runs of another city, or naming every object that
    /// is absent or not what its marker says; runs without such objects are fetched all the same.
    pub fn pull(&self, folder: &Path, notes: &str, is_wanted: &dyn Fn(&str, u64) -> bool) -> Result<Pulled> {
        let all = self.runs()?;
        let wanted: Vec<Run<'_>> = all.iter().filter(|((scenario, seed), _)| is_wanted(scenario, *seed)).collect();
        if wanted.is_empty() {
            let finished: Vec<String> = all.keys().map(|(scenario, seed)| format!("{scenario} seed {seed}")).collect();
            let (what, help) = match finished.as_slice() {
                [] => (
                    "no finished run",
                    "put runs there: `urbis results push DIR URL` or `urbis batch run STUDY --out URL`".into(),
                ),
                some => ("no such finished run", format!("finished runs here: {}", some.join(", "))),
            };
            return Err(Problem::file(Path::new(self.url()), what).with_help(help).into());
        }
        let mut pulled = Pulled::default();
        let mut problems = Problems::new();
        let marker = Marker::read(folder)?;
        let (there, absent): (Vec<Run<'_>>, Vec<Run<'_>>) =
            wanted.iter().partition(|(run, commit)| stands(folder, &marker, run, commit));
        pulled.kept = there.len();
        if let Some((_, first)) = absent.first() {
            create_folder(folder)?;
            let city = tempfile::Builder::new().prefix(UNFINISHED_PREFIX).tempdir_in(folder);
            let city = city.map_err(|source| Error::write(folder, source))?;
            // All runs of a store share them, which its push sees to.
            self.fetch(first.layers().map(|(name, hash)| (name.to_owned(), Some(hash))), city.path())?;
            for run in absent {
                match self.pull_run(folder, city.path(), run) {
                    Ok(()) => pulled.fetched += 1,
                    Err(Error::Input(found)) => problems.extend(found),
                    Err(other) => return Err(other),
                }
            }
        }
        if wanted.len() == all.len() {
            for name in self.notes(notes)? {
                if let Some(bytes) = self.note(&name)? {
                    write_whole(&folder.join(&name), &bytes)?;
                }
            }
        }
        problems.or_else(pulled)
    }

    fn pull_run(&self, folder: &Path, city: &Path, ((scenario, seed), commit): Run<'_>) -> Result<()> {
        let partition = partition(scenario, *seed);
        let staging = Staging::new(folder, &commit.run_id, &partition, city)?;
        let runs = format!("{}/{partition}/part-0.parquet", Table::Runs.name());
        let tables = commit.tables().map(|(name, hash)| (name.to_owned(), Some(hash)));
        self.fetch(tables.chain([(runs, None)]), staging.folder())?;
        let vouched: Vec<_> = commit.tables().map(|(name, hash)| (name.to_owned(), hash.to_owned())).collect();
        staging.commit(&vouched).map(drop)
    }

    /// Fetches objects into a folder, under their names, and names every one that is not what its hash says.
    fn fetch<'a>(&self, files: impl Iterator<Item = (String, Option<&'a str>)>, folder: &Path) -> Result<()> {
        let download = |(name, hash): (String, Option<&'a str>)| async move {
            Ok::<_, Error>(match (self.download(&name, &folder.join(&name)).await?, hash) {
                (None, _) => {
                    Some(Problem::file(&self.place(&name), format!("absent, but {MARKER} vouches for its run")))
                }
                (Some(found), Some(hash)) if found != hash => {
                    let what = format!("its hash is {found}, expected {hash} as the marker of its run says");
                    Some(Problem::file(&self.place(&name), what))
                }
                _ => None,
            })
        };
        let downloads = futures_util::stream::iter(files.map(download)).buffered(SIDE_BY_SIDE);
        let found: Vec<Option<Problem>> = self.block(downloads.try_collect())?;
        let mut problems = Problems::new();
        let help = "remove the run with its folder below _commits, and do it again";
        found.into_iter().flatten().for_each(|problem| problems.push(problem.with_help(help)));
        problems.or_else(())
    }

    /// Writes an object into a file and returns its hash; nothing where there is no such object.
    async fn download(&self, name: &str, path: &Path) -> Result<Option<String>> {
        let object = match self.objects.get(&self.key(name)?).await {
            Ok(object) => object,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(why) => return Err(self.failed(name, why)),
        };
        create_folder(parent(path))?;
        let failed = |source| Error::write(path, source);
        let mut file = File::create(path).map_err(failed)?;
        let mut hasher = Hasher::default();
        let mut pieces = object.into_stream();
        while let Some(piece) = pieces.try_next().await.map_err(|why| self.failed(name, why))? {
            hasher.update(&piece);
            file.write_all(&piece).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        Ok(Some(hasher.hex()))
    }
}

/// Whether a folder holds a run as the store does.
fn stands(folder: &Path, marker: &Marker, (scenario, seed): &(String, u64), commit: &Commit) -> bool {
    marker.in_partition(&partition(scenario, *seed)).eq(commit.tables())
        && commit.tables().all(|(name, _)| folder.join(name).is_file())
}
