//! Work that runs have in common, kept in files under the hash of everything that it depends on.
//!
//! A file begins with the hash of the rest of it. What is not there, cannot be read or does not match its hash is made
//! again, so the folder may be emptied at any time. While one process makes something, others that want it wait for it;
//! where a file system has no locks, they make it too, which comes to the same.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::path::{Path, PathBuf};
use urbis_core::files::{create_folder, write_whole};
use urbis_core::hash::sha256_hex;
use urbis_core::{Error, Problem, Result};

/// Hexadecimal digits of the hash at the head of a file.
const HASH_DIGITS: usize = 64;

/// A folder of common work, or none: then everything is made by whoever needs it.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    folder: Option<PathBuf>,
}

impl Kept {
    /// Common work of a folder, which is made when the first piece comes.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// A piece of common work: what stands under this name and key, or else what `make` makes, which then stands there.
    ///
    /// # Errors
    /// Those of `make`, and a folder that cannot be written.
    pub(crate) fn or_make<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        key: &str,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Some(folder) = &self.folder else { return make() };
        let path = folder.join(format!("{name}-{key}.bin"));
        if let Some(found) = read(&path) {
            return Ok(found);
        }
        create_folder(folder)?;
        let lock_path = folder.join(format!(".{name}-{key}.lock"));
        let lock = File::options().create(true).append(true).open(&lock_path);
        let lock = lock.map_err(|source| Error::write(&lock_path, source))?;
        // Held until this function ends. Without locks, what two processes make at a time is the same.
        let is_alone = lock.lock().is_ok();
        if is_alone && let Some(found) = read(&path) {
            return Ok(found);
        }
        let made = make()?;
        let body = postcard::to_allocvec(&made)
            .map_err(|error| Error::from(Problem::file(&path, format!("cannot be written: {error}"))))?;
        let mut bytes = sha256_hex(&body).into_bytes();
        bytes.extend(body);
        write_whole(&path, &bytes)?;
        Ok(made)
    }
}

/// What a file holds, if it is there and whole.
fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = std::fs::read(path).ok()?;
    let (hash, body) = bytes.split_at_checked(HASH_DIGITS)?;
    if sha256_hex(body).as_bytes() != hash {
        return None;
    }
    postcard::from_bytes(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn what_is_whole_is_made_once() {
        let place = tempfile::tempdir().unwrap();
        let kept = Kept::new(Some(place.path().join("common")));
        let made = Cell::new(0);
        let wanted = vec![(1.5_f64, f32::INFINITY), (-0.0, f32::MIN_POSITIVE)];
        let get = |key: &str| {
            kept.or_make("numbers", key, || {
                made.set(made.get() + 1);
                Ok(wanted.clone())
            })
            .unwrap()
        };
        assert_eq!((get("a"), get("a"), made.get()), (wanted.clone(), wanted.clone(), 1));
        assert_eq!((get("b"), made.get()), (wanted.clone(), 2));
        // Every way in which a file may be spoilt leads to making it again.
        let path = place.path().join("common/numbers-a.bin");
        let whole = std::fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[HASH_DIGITS + 3] ^= 1;
        let mut other_hash = whole.clone();
        other_hash[0] ^= 1;
        let spoilt =
            [Vec::new(), whole[..HASH_DIGITS].to_vec(), whole[..whole.len() - 1].to_vec(), flipped, other_hash];
        for (times, bytes) in spoilt.into_iter().enumerate() {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!((get("a"), made.get()), (wanted.clone(), 3 + times));
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
        // What fails leaves nothing behind that looks made.
        let failed = kept.or_make::<u8>("other", "a", || Err(Problem::file(Path::new("x"), "no").into()));
        assert!(failed.is_err() && !place.path().join("common/other-a.bin").exists());
    }

    #[test]
    fn who_wants_the_same_waits_for_it() {
        let place = tempfile::tempdir().unwrap();
        let made = std::sync::atomic::AtomicUsize::new(0);
        let get = || {
            let kept = Kept::new(Some(place.path().to_owned()));
            kept.or_make("slow", "a", || {
                std::thread::sleep(std::time::Duration::from_millis(200));
                Ok(made.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
            })
            .unwrap()
        };
        let found: Vec<usize> =
            std::thread::scope(|scope| [0; 4].map(|_| scope.spawn(get)).map(|one| one.join().unwrap()).to_vec());
        assert_eq!(found, [0; 4]);
    }

    #[test]
    fn without_a_folder_everything_is_made() {
        let made = Cell::new(0);
        let get = || Kept::default().or_make("n", "k", || Ok(made.replace(made.get() + 1))).unwrap();
        assert_eq!([get(), get()], [0, 1]);
    }
}
