//! Travel times of links as functions of the moment of entry, measured on a simulated day.
//!
//! Links are FIFO. Those who leave a link in an interval spent on average `m` on it, so they entered on
//! average at the middle of the interval less `m`: one point of the link's travel time as a function of
//! entry. The wait in the queue of an origin comes trip by trip. Between points the function is linear
//! where anybody entered; where nobody did, a queue dissolves at a second per second down to the free
//! time. On a grid of bins it is kept FIFO: who enters later never leaves earlier.
//!
//! Ignored: the spread of times within an interval. Contract: a pure function of the measurements.

use crate::dynamic::choice::purpose;
use urbis_core::rng::Rng;
use urbis_core::{CarLinkIx, chunks};
use urbis_traffic::CarNetwork;
use urbis_traffic::time::to_seconds;

/// Links of one piece of parallel work.
const CHUNK_LINKS: usize = 1024;

/// Travel time of every link by moment of entry and wait at its origin by moment of departure, seconds.
/// Linear between bins; after the last one a queue dissolves.
#[derive(Clone, Debug, Default)]
pub struct LinkTimes {
    bin_s: f64,
    bins: usize,
    free_s: Vec<f64>,
    /// Travel time at the start of each bin, link after link.
    travel_s: Vec<f32>,
    /// Wait at the start of each bin, link after link; empty when nobody ever waits.
    wait_s: Vec<f32>,
}

/// One link's measurements: points in order of time, and the bins in which anybody came.
pub(crate) struct Measured<'a> {
    pub(crate) points: &'a [(f64, f64)],
    pub(crate) used: &'a dyn Fn(usize) -> bool,
    pub(crate) least: f64,
}

/// Shows the measurements of a link.
pub(crate) type Measure<'a> = dyn Fn(usize, &mut dyn FnMut(Measured<'_>)) + Sync + 'a;

impl Measured<'_> {
    /// Values at the starts of bins.
    fn grid(&self, bin_s: f64, out: &mut [f32]) {
        let mut next = 0;
        let mut before = f64::INFINITY;
        for (bin, out) in out.iter_mut().enumerate() {
            let at = bin as f64 * bin_s;
            while next < self.points.len() && self.points[next].0 <= at {
                next += 1;
            }
            let last = next.checked_sub(1).map(|row| self.points[row]);
            let dissolved = last.map_or(self.least, |(then, value)| value - (at - then));
            let value = match (last, self.points.get(next)) {
                (Some((t0, v0)), Some(&(t1, v1))) if t1 - t0 <= 2.0 * bin_s || (self.used)(bin) => {
                    v0 + (v1 - v0) * (at - t0) / (t1 - t0)
                }
                (None, Some(&(t1, v1))) if t1 - at <= bin_s => v1,
                _ => dissolved,
            };
            // Not before whoever entered a bin earlier.
            let value = value.max(self.least).max(if bin == 0 { 0.0 } else { before - bin_s });
            *out = value as f32;
            before = value;
        }
    }
}

impl LinkTimes {
    /// Empty roads.
    #[must_use]
    pub fn free(network: &CarNetwork, bin_s: f64) -> Self {
        let free_s: Vec<f64> = network.free_time.iter().map(|&time| to_seconds(time)).collect();
        Self { bin_s, bins: 1, travel_s: free_s.iter().map(|&s| s as f32).collect(), free_s, wait_s: Vec::new() }
    }
    /// The same at all times, such as a static assignment's; at least the free times. Seconds by link.
    #[must_use]
    pub fn constant(network: &CarNetwork, travel_s: &[f64], bin_s: f64) -> Self {
        let mut times = Self::free(network, bin_s);
        for (row, (time, &free_s)) in times.travel_s.iter_mut().zip(&times.free_s).enumerate() {
            let wanted = travel_s.get(row).copied().filter(|s| s.is_finite()).unwrap_or(free_s);
            *time = wanted.max(free_s) as f32;
        }
        // One bin dissolves after its start; a day of them stays.
        let bins = ((86_400.0 / bin_s).ceil() as usize).max(1);
        times.travel_s = times.travel_s.iter().flat_map(|&time| std::iter::repeat_n(time, bins)).collect();
        times.bins = bins;
        times
    }
    /// From what was measured on each link; `travel` and `wait` give a link's points.
    pub(crate) fn measured(
        network: &CarNetwork,
        (bin_s, bins): (f64, usize),
        travel: &Measure<'_>,
        wait: &Measure<'_>,
    ) -> Self {
        let links = network.links();
        let table = |fill: &Measure<'_>| {
            chunks::map_chunks(links, CHUNK_LINKS, |range| {
                let mut rows = vec![0.0; range.len() * bins];
                for (link, row) in range.zip(rows.chunks_mut(bins)) {
                    fill(link, &mut |measured| measured.grid(bin_s, row));
                }
                rows
            })
            .concat()
        };
        let free = Self::free(network, bin_s);
        Self { bins, travel_s: table(travel), wait_s: table(wait), ..free }
    }

    /// The same with the time of each link longer by a random share up to `spread`: other routes are then
    /// the fastest. Drawn by (seed, link, day, nth).
    pub(crate) fn stretched(&self, spread: f64, seed: u64, day: u32, nth: u32) -> Self {
        let mut times = self.clone();
        for (link, row) in times.travel_s.chunks_mut(self.bins).enumerate() {
            let factor =
                1.0 + spread * Rng::new(seed ^ u64::from(nth) << 32, link as u32, day, purpose::STRETCH).uniform();
            row.iter_mut().for_each(|time| *time = (f64::from(*time) * factor) as f32);
            times.free_s[link] *= factor;
        }
        times
    }

    /// Seconds between grid times.
    #[must_use]
    pub fn bin_s(&self) -> f64 {
        self.bin_s
    }

    fn at(&self, values: &[f32], link: usize, least: f64, at_s: f64) -> f64 {
        let row = &values[link * self.bins..(link + 1) * self.bins];
        let place = (at_s / self.bin_s).max(0.0);
        let bin = place as usize;
        if bin + 1 < self.bins {
            let (low, high) = (f64::from(row[bin]), f64::from(row[bin + 1]));
            return (low + (high - low) * (place - bin as f64)).max(least);
        }
        let over_s = (place - (self.bins - 1) as f64) * self.bin_s;
        (f64::from(row[self.bins - 1]) - over_s).max(least)
    }
    /// Time on a link for who enters at `enter_s`, seconds.
    #[must_use]
    pub fn travel_s(&self, link: CarLinkIx, enter_s: f64) -> f64 {
        self.at(&self.travel_s, link.row(), self.free_s[link.row()], enter_s)
    }
    /// Time in the queue in front of a link for who departs at `depart_s`, seconds.
    #[must_use]
    pub fn wait_s(&self, link: CarLinkIx, depart_s: f64) -> f64 {
        if self.wait_s.is_empty() { 0.0 } else { self.at(&self.wait_s, link.row(), 0.0, depart_s) }
    }
    /// When one who departs at `depart_s` arrives by a route, seconds.
    #[must_use]
    pub fn arrive_s(&self, route: &[CarLinkIx], depart_s: f64) -> f64 {
        let Some(&first) = route.first() else { return depart_s };
        let entered_s = depart_s + self.wait_s(first, depart_s);
        route.iter().fold(entered_s, |at_s, &link| at_s + self.travel_s(link, at_s))
    }
    /// Travel times of all links for who enters at `at_s`, milliseconds.
    #[must_use]
    pub fn snapshot_ms(&self, at_s: f64) -> Vec<u32> {
        let links = 0..self.free_s.len() as u32;
        links.map(|link| (self.travel_s(CarLinkIx(link), at_s) * 1000.0).round() as u32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grid(points: &[(f64, f64)], used: &dyn Fn(usize) -> bool, bins: usize) -> Vec<f32> {
        let mut out = vec![0.0; bins];
        Measured { points, used, least: 30.0 }.grid(60.0, &mut out);
        out
    }

    #[test]
    fn queues_grow_between_points_and_dissolve_without_them() {
        let steady = grid(&[(30.0, 30.0), (90.0, 60.0), (150.0, 90.0)], &|_| true, 4);
        assert_eq!(steady, [30.0, 45.0, 75.0, 60.0]);
        // Nobody enters between 90 and 600 s: what is left of 150 s melts.
        let alone = grid(&[(90.0, 150.0), (600.0, 30.0)], &|bin| bin == 1, 6);
        assert_eq!(alone[2..5], [120.0, 60.0, 30.0]);
        assert_eq!(grid(&[], &|_| false, 3), [30.0; 3]);
    }

    proptest! {
        #[test]
        fn who_enters_later_leaves_later(
            values in prop::collection::vec((1.0..400.0_f64, 30.0..900.0_f64), 0..40),
            bits in any::<u64>(),
            starts in prop::collection::vec(0.0..4000.0_f64, 2..20),
        ) {
            let mut at = 0.0;
            let points: Vec<(f64, f64)> = values.iter().map(|&(gap, value)| { at += gap; (at, value) }).collect();
            let travel_s = grid(&points, &|bin| bits >> (bin % 64) & 1 == 1, 50);
            let times = LinkTimes { bin_s: 60.0, bins: 50, free_s: vec![30.0], travel_s, wait_s: Vec::new() };
            let mut starts = starts;
            starts.sort_by(f64::total_cmp);
            let ends: Vec<f64> = starts.iter().map(|&s| s + times.travel_s(CarLinkIx(0), s)).collect();
            prop_assert!(ends.windows(2).all(|pair| pair[1] >= pair[0] - 1e-3), "{ends:?}");
            prop_assert!(starts.iter().zip(&ends).all(|(s, e)| e - s >= 30.0 - 1e-9));
        }
    }
}
