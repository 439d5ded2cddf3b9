//! The wall clock, for table `runs` alone: nothing else may read it, so no result depends on it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Started once, at the start of a run.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started: Instant,
    started_utc_ms: i64,
}

impl Stopwatch {
    /// Starts.
    #[must_use]
    #[allow(clippy::disallowed_methods)] // the one place that measures wall time
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), started_utc_ms: since_epoch.as_millis() as i64 }
    }
    /// Seconds since the start.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
    /// When it was started, Unix time in milliseconds.
    #[must_use]
    pub fn started_utc_ms(&self) -> i64 {
        self.started_utc_ms
    }
}
