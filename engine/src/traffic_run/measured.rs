//! Travel times that routes are chosen by: measured over each period, smoothed exponentially.
//!
//! A period moves each link's time towards the mean of those who left it, or the free time when nobody
//! did; a link that holds a queue and that nobody leaves counts as taking at least as long as that has
//! lasted. The same rule as in scenarios, where the head of such a queue is timed exactly.
//!
//! Contract: a pure function of what the engine measured.

use urbis_traffic::time::to_seconds;
use urbis_traffic::{CarNetwork, Engine, LinkStats};

/// Weight of the latest period.
const SMOOTHING: f64 = 0.5;
/// Smallest relative change of a link's time that new weights of the router are worth.
const WORTH_TELLING: f64 = 0.02;

/// Travel times of all links.
#[derive(Debug)]
pub(super) struct MeasuredTimes {
    stats: LinkStats,
    free_s: Vec<f64>,
    smoothed_s: Vec<f64>,
    /// How long a link has held a queue that nobody left.
    blocked_s: Vec<f64>,
    used_ms: Vec<u32>,
}

impl MeasuredTimes {
    pub(super) fn new(engine: &Engine, network: &CarNetwork) -> Self {
        let free_s: Vec<f64> = network.free_time.iter().map(|&time| to_seconds(time)).collect();
        Self {
            stats: LinkStats::new(engine),
            smoothed_s: free_s.clone(),
            blocked_s: vec![0.0; free_s.len()],
            free_s,
            used_ms: network.free_time_ms(),
        }
    }

    /// Measures since the last time; the times to route by, milliseconds, if any has changed notably.
    pub(super) fn update(&mut self, engine: &Engine) -> Option<&[u32]> {
        let interval = self.stats.take_interval(engine);
        let span_s = f64::from(interval.end - interval.start);
        let mut changed = false;
        for (link, &free_s) in self.free_s.iter().enumerate() {
            let left = interval.left[link];
            let blocked_s = &mut self.blocked_s[link];
            *blocked_s = if left == 0 && interval.queue_end[link] > 0 { *blocked_s + span_s } else { 0.0 };
            let mean_s = if left > 0 { interval.travel_time_s_sum[link] / f64::from(left) } else { free_s };
            let smoothed_s = &mut self.smoothed_s[link];
            *smoothed_s += SMOOTHING * (mean_s.max(free_s).max(*blocked_s) - *smoothed_s);
            let ms = *smoothed_s * 1000.0;
            let used = f64::from(self.used_ms[link]);
            if (ms - used).abs() > WORTH_TELLING * used {
                self.used_ms[link] = ms.round() as u32;
                changed = true;
            }
        }
        changed.then_some(&self.used_ms)
    }
}
