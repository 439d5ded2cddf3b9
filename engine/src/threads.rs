//! Worker threads. Results do not depend on how many there are.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::path::Path;
use urbis_core::{Error, Problem, Result};

/// A pool of as many threads as asked for, or as there are processors, and how many that is.
///
/// # Errors
/// When the system does not give so many.
pub fn pool(asked: Option<usize>) -> Result<(ThreadPool, usize)> {
    let threads = asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let refused = |error| Error::from(Problem::file(Path::new("--threads"), format!("{threads} threads: {error}")));
    Ok((ThreadPoolBuilder::new().num_threads(threads).build().map_err(refused)?, threads))
}
