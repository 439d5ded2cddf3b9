//! The wall clock, for table `runs` alone: nothing else may read it, so no result depends on it.

use bevy_ecs::resource::Resource;
use bevy_ecs::system::ResMut;
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

/// Sets of a step whose wall time is told, in the order in which they run.
pub const SETS: [&str; 7] = ["advance", "demand", "exchange", "solve", "feedback", "audit", "record"];

/// Wall time that the sets of all steps took.
#[derive(Clone, Copy, Debug, Resource)]
pub struct SetTimes {
    last: Instant,
    /// Seconds, in order of [`SETS`].
    pub seconds: [f64; SETS.len()],
}

impl Default for SetTimes {
    #[allow(clippy::disallowed_methods)] // it measures wall time for table `runs`
    fn default() -> Self {
        Self { last: Instant::now(), seconds: [0.0; SETS.len()] }
    }
}

impl SetTimes {
    /// A step begins.
    #[allow(clippy::disallowed_methods)] // as above
    pub fn begin(&mut self) {
        self.last = Instant::now();
    }
    /// A set is over, the next one begins.
    #[allow(clippy::disallowed_methods)] // as above
    pub fn lap(&mut self, set: usize) {
        let now = Instant::now();
        self.seconds[set] += (now - self.last).as_secs_f64();
        self.last = now;
    }
}

/// Ends a set, by its row of [`SETS`].
pub fn lap<const SET: usize>(mut times: ResMut<'_, SetTimes>) {
    times.lap(SET);
}
