//! A run put down at a step and taken up again: a file with a version, the hash of the inputs, the state, and a hash of all that.
//!
//! The hash of the inputs covers the town's file and every file that it names, so that a state is never continued with other
//! inputs. Contract: a file written and read back gives the bits of a run that was never put down.

use super::settings::{Profile, TownSettings};
use super::town::Town;
use std::path::{Path, PathBuf};
use urbis_core::files::write_whole;
use urbis_core::hash::{Hasher, sha256_hex};
use urbis_core::{Error, Problem, Result};
use urbis_utility::snapshot::Snapshot;

/// First line of a file; the number is that of its layout.
const HEAD: &str = "urbis town checkpoint 1\n";
/// Length of a hash in hexadecimal.
const HASH: usize = 64;

/// SHA-256 of a town's text and of all files that it names; files of a folder count by name.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn hash_of_inputs(settings: &TownSettings, text: &str) -> Result<String> {
    let mut hasher = Hasher::default();
    hasher.update(text.as_bytes());
    let mut files: Vec<&Path> = Vec::new();
    let nets = [
        settings.power.as_ref().map(|of| (&of.net, &of.profile)),
        settings.gas.as_ref().map(|of| (&of.net, &of.profile)),
        settings.heat.as_ref().map(|of| (&of.net, &of.profile)),
        settings.water.as_ref().map(|of| (&of.net, &of.profile)),
    ];
    for (net, profile) in nets.into_iter().flatten() {
        files.push(net);
        if let Profile::File(file) = profile {
            files.push(file);
        }
    }
    files.extend(settings.links.as_ref().map(|of| of.file.as_path()));
    for file in files {
        let failed = |source| Error::read(file, source);
        let mut parts = vec![file.to_owned()];
        if file.is_dir() {
            let entries = std::fs::read_dir(file).map_err(failed)?;
            parts = entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<PathBuf>, _>>()
                .map_err(failed)?;
            parts.retain(|part| part.is_file());
            parts.sort();
        }
        for part in parts {
            let bytes = std::fs::read(&part).map_err(|source| Error::read(&part, source))?;
            hasher.update(sha256_hex(&bytes).as_bytes());
        }
        hasher.update(b"\n");
    }
    Ok(hasher.hex())
}

/// Writes a run as it stands.
///
/// # Errors
/// A file that cannot be written.
pub fn write(town: &mut Town, path: &Path) -> Result<()> {
    let mut of = Snapshot::writer();
    town.snapshot(&mut of)?;
    let mut bytes = HEAD.as_bytes().to_vec();
    bytes.extend_from_slice(town.inputs_hash.as_bytes());
    bytes.push(b'\n');
    bytes.extend(of.into_bytes());
    let hash = sha256_hex(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    write_whole(path, &bytes)
}

/// Takes a run up in a town that was just read.
///
/// # Errors
/// A file that cannot be read, is of another layout, of other inputs, or damaged.
pub fn read(town: &mut Town, path: &Path) -> Result<()> {
    let bytes = std::fs::read(path).map_err(|source| Error::read(path, source))?;
    let wrong = |what: &str| Error::from(Problem::file(path, what));
    let Some(rest) = bytes.strip_prefix(HEAD.as_bytes()) else {
        return Err(wrong("is no checkpoint of this version, expected one that --checkpoint wrote"));
    };
    let of_inputs = rest.get(..HASH);
    let (Some(of_inputs), Some(end)) = (of_inputs, bytes.len().checked_sub(HASH)) else {
        return Err(wrong("is cut off"));
    };
    let state_at = HEAD.len() + HASH + 1;
    if end < state_at || bytes[end..] != *sha256_hex(&bytes[..end]).as_bytes() {
        return Err(wrong("is damaged: its hash is not that of its content"));
    }
    if of_inputs != town.inputs_hash.as_bytes() {
        let help = "a run goes on with the town's file and all files that it names as they were";
        return Err(Problem::file(path, "was written by a run of other inputs").with_help(help).into());
    }
    let mut of = Snapshot::reader(bytes[state_at..end].to_vec());
    town.snapshot(&mut of)?;
    if of.is_whole() { Ok(()) } else { Err(wrong("does not fit this town")) }
}
