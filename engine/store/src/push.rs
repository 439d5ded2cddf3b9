//! A finished run of a folder put into a store, its marker last.

use crate::commit::Commit;
use crate::store::{COMMITS, SIDE_BY_SIDE, STARTED, Store};
use futures_util::{StreamExt, TryStreamExt};
use object_store::{ObjectStoreExt, WriteMultipart};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use urbis_core::hash::{Hasher, sha256_hex};
use urbis_core::{Error, Problem, Result};
use urbis_output::marker::{LAYERS, MARKER, partition};
use urbis_output::{Marker, Table};

/// Size up to which a file is one request.
const ONE_REQUEST: u64 = 16 << 20;
/// Smallest part of larger ones.
const PART: u64 = 8 << 20;
/// Parts of a file at most; S3 takes 10,000.
const MOST_PARTS: u64 = 9_000;
/// Parts of one file under way at once.
const PARTS_SIDE_BY_SIDE: usize = 4;

/// What a push has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The run was not finished in the store; this push has finished it.
    Now,
    /// Somebody had finished it, with the same content.
    Before,
}

impl Store {
    /// Puts a finished run of a results folder into the store: its layers, its files, its marker. One that is there with
    /// equal content is left as it is.
    ///
    /// # Errors
    /// [`Error::Input`] when the folder does not vouch for the run, when a file is not what its marker says, or when the
    /// store holds other content under its name, with both hashes; [`Error::Store`] when it does not take it.
    pub fn push(&self, results: &Path, scenario: &str, seed: u64, run_id: &str) -> Result<Pushed> {
        let partition = partition(scenario, seed);
        let mut marker = Marker::read(results)?;
        if marker.in_partition(&partition).next().is_none() {
            let what = format!("no finished run of scenario {scenario} with seed {seed}");
            return Err(Problem::file(results, what)
                .with_help("`urbis results describe` tells which there are")
                .into());
        }
        let of_run = |name: &str| {
            name.split_once('/').is_some_and(|(folder, rest)| {
                folder == LAYERS || rest.strip_prefix(&partition).is_some_and(|file| file.starts_with('/'))
            })
        };
        marker.files.retain(|name, _| of_run(name));
        let commit = Commit { run_id: run_id.to_owned(), marker };
        let layers: String = commit.layers().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
        let as_files = |(name, hash): (&str, &str)| (name.to_owned(), Some(hash.to_owned()));
        let layer_files = commit.layers().map(as_files).collect();
        let mut run_files: Vec<_> = commit.tables().map(as_files).collect();
        // No marker lists it, because it differs between equal runs.
        run_files.push((format!("{}/{partition}/part-0.parquet", Table::Runs.name()), None));
        self.block(async {
            self.push_files(results, LAYERS, &layers, layer_files).await?;
            self.push_files(results, &partition, &commit.text(), run_files).await
        })
    }

    /// Puts files, with their hashes where they have one, between the two markers of `unit`.
    async fn push_files(
        &self,
        results: &Path,
        unit: &str,
        text: &str,
        files: Vec<(String, Option<String>)>,
    ) -> Result<Pushed> {
        let marker = format!("{COMMITS}/{unit}/{MARKER}");
        if let Some(there) = self.get(&marker).await? {
            return if there == text.as_bytes() {
                Ok(Pushed::Before)
            } else {
                Err(self.differs(&marker, &there, text))
            };
        }
        let started = format!("{COMMITS}/{unit}/{STARTED}");
        if self.put_once(&started, text).await? && self.put_once(&started, text).await? {
            let what = "the store put it twice, though asked to put it only if it is absent (If-None-Match)";
            let help = "machines could overwrite each other's runs there: use a store that has conditional puts";
            return Err(Problem::file(&self.place(&started), what).with_help(help).into());
        }
        let uploads = files.iter().map(|(name, hash)| self.upload(results, name, hash.as_deref()));
        futures_util::stream::iter(uploads).buffer_unordered(SIDE_BY_SIDE).try_collect::<()>().await?;
        Ok(if self.put_once(&marker, text).await? { Pushed::Now } else { Pushed::Before })
    }

    /// Puts a file, in the place of what a broken push may have left, and looks whether all of it has arrived.
    async fn upload(&self, results: &Path, name: &str, hash: Option<&str>) -> Result<()> {
        let path = results.join(name);
        let failed = |source| Error::read(&path, source);
        let file = File::open(&path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let found = if bytes <= ONE_REQUEST {
            let mut content = Vec::new();
            { file }.read_to_end(&mut content).map_err(failed)?;
            let found = sha256_hex(&content);
            if hash.is_none_or(|hash| hash == found) {
                self.put(name, content).await?;
            }
            found
        } else {
            self.upload_parts(&path, name, file, bytes, hash).await?
        };
        if hash.is_some_and(|hash| hash != found) {
            let problem = Problem::file(&path, format!("changed since {MARKER} was written"));
            return Err(problem.with_help("run the scenario again").into());
        }
        let head = self.objects.head(&self.key(name)?).await.map_err(|why| self.failed(name, why))?;
        if head.size != bytes {
            let what = format!("{} of {bytes} bytes have arrived", head.size);
            return Err(Problem::file(&self.place(name), what).with_help("push again").into());
        }
        Ok(())
    }

    /// Puts a large file part by part; one that is not what its hash says is given up before it becomes an object.
    async fn upload_parts(
        &self,
        path: &Path,
        name: &str,
        mut file: File,
        bytes: u64,
        hash: Option<&str>,
    ) -> Result<String> {
        let refused = |why| self.failed(name, why);
        let part = PART.max(bytes.div_ceil(MOST_PARTS));
        let upload = self.objects.put_multipart(&self.key(name)?).await.map_err(refused)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, part as usize);
        let mut hasher = Hasher::default();
        let mut block = vec![0; 1 << 20];
        loop {
            let read = match file.read(&mut block) {
                Ok(0) => break,
                Ok(read) => read,
                Err(source) => {
                    upload.abort().await.map_err(refused)?;
                    return Err(Error::read(path, source));
                }
            };
            hasher.update(&block[..read]);
            if let Err(why) = upload.wait_for_capacity(PARTS_SIDE_BY_SIDE).await {
                // The first error tells more than that of the second.
                let _ = upload.abort().await;
                return Err(refused(why));
            }
            upload.write(&block[..read]);
        }
        let found = hasher.hex();
        if hash.is_some_and(|hash| hash != found) {
            upload.abort().await.map_err(refused)?;
        } else {
            upload.finish().await.map_err(refused)?;
        }
        Ok(found)
    }
}
