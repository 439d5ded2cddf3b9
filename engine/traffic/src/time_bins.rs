//! Travel times of links by time of day.
//!
//! A bin holds the travel time of those who enter a link around its middle; between the middles of two bins it is
//! interpolated linearly, before the first and after the last it is constant. Nobody who enters later may leave
//! earlier (FIFO): where a bin falls by more than its length against the one before it is raised to just that, as
//! behind a queue that dissolves. So a closed hour is best given as the wait until it ends.
//!
//! Contract: pure; whole milliseconds, so that FIFO holds to the last digit.

use crate::route::LINK_COST_MAX;
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// Travel times of links in equal bins of entry time, from time 0 on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeBins {
    bin_ms: u32,
    bins: usize,
    links: usize,
    /// Bin by bin for one link after the other, milliseconds.
    time_ms: Vec<u32>,
    raised: u64,
}

impl TimeBins {
    /// Bins of `bin_s` seconds from `times_ms[bin][link]`. Times below 1 ms or above a day count as these.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] when there is no bin, a bin lasts 0 s or more than a day, or bins differ in
    /// their number of links.
    pub fn new(bin_s: u32, times_ms: &[Vec<u32>]) -> Result<Self> {
        let place = Path::new("time bins");
        let mut problems = Problems::new();
        if bin_s == 0 || bin_s > 86_400 {
            problems.push(Problem::file(place, format!("bin_s = {bin_s}, expected 1 to 86400")));
        }
        let links = times_ms.first().map_or(0, Vec::len);
        if times_ms.is_empty() {
            problems.push(Problem::file(place, "no bin, expected at least one"));
        }
        for (row, bin) in times_ms.iter().enumerate().filter(|(_, bin)| bin.len() != links) {
            let expected = format!("{links} as in the first bin");
            problems.push(Problem::value(place, row + 1, None, "number of links", bin.len(), expected));
        }
        if !problems.is_empty() {
            return problems.or_else(Self::default());
        }
        let (bin_ms, bins) = (bin_s * 1000, times_ms.len());
        let mut time_ms = Vec::with_capacity(links * bins);
        let mut raised = 0;
        for link in 0..links {
            let mut before = 0_u32;
            for bin in times_ms {
                let own = bin[link].clamp(1, LINK_COST_MAX);
                let least = before.saturating_sub(bin_ms);
                raised += u64::from(own < least);
                before = own.max(least);
                time_ms.push(before);
            }
        }
        Ok(Self { bin_ms, bins, links, time_ms, raised })
    }

    /// Number of bins.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.bins
    }
    /// Number of links.
    #[must_use]
    pub fn links(&self) -> usize {
        self.links
    }
    /// Values that were raised so that nobody overtakes in time.
    #[must_use]
    pub fn raised(&self) -> u64 {
        self.raised
    }
    /// The bin of a moment; the last one stands for all later.
    #[must_use]
    pub fn bin_of(&self, at_ms: u32) -> usize {
        ((at_ms / self.bin_ms) as usize).min(self.bins - 1)
    }
    /// Travel times of all links in a bin, milliseconds.
    #[must_use]
    pub fn bin(&self, bin: usize) -> Vec<u32> {
        self.time_ms.iter().skip(bin).step_by(self.bins).copied().collect()
    }
    /// Least travel time of each link over all bins, milliseconds.
    #[must_use]
    pub fn least(&self) -> Vec<u32> {
        self.time_ms.chunks(self.bins).map(|of| of.iter().copied().min().unwrap_or(1)).collect()
    }
    /// Travel time of a link for those who enter at a moment, milliseconds.
    #[inline]
    #[must_use]
    pub fn time_ms(&self, link: usize, at_ms: u64) -> u32 {
        let of = &self.time_ms[link * self.bins..(link + 1) * self.bins];
        let bin_ms = u64::from(self.bin_ms);
        let Some(past) = at_ms.checked_sub(bin_ms / 2) else { return of[0] };
        let bin = past / bin_ms;
        if bin + 1 >= self.bins as u64 {
            return of[self.bins - 1];
        }
        let (first, second) = (i64::from(of[bin as usize]), i64::from(of[bin as usize + 1]));
        // Rounding down keeps "one millisecond later, at most one millisecond less".
        (first + ((second - first) * (past % bin_ms) as i64).div_euclid(bin_ms as i64)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_core::rng::Rng;

    #[test]
    fn times_are_interpolated_between_the_middles() {
        let bins = TimeBins::new(10, &[vec![1000], vec![3000], vec![2000]]).unwrap();
        let at = [0, 5_000, 10_000, 15_000, 20_000, 25_000, 99_000].map(|at| bins.time_ms(0, at));
        assert_eq!(at, [1000, 1000, 2000, 3000, 2500, 2000, 2000]);
        assert_eq!((bins.bin(1), bins.least(), bins.raised()), (vec![3000], vec![1000], 0));
        assert_eq!([0, 9_999, 10_000, 29_999, 4_000_000_000].map(|at| bins.bin_of(at)), [0, 0, 1, 2, 2]);
    }

    #[test]
    fn nobody_overtakes_in_time() {
        for seed in 0..30 {
            let mut rng = Rng::new(seed, 0, 0, 0);
            let times: Vec<Vec<u32>> = (0..6).map(|_| vec![rng.below(5_000), rng.below(200_000)]).collect();
            let bins = TimeBins::new(2, &times).unwrap();
            for link in 0..2 {
                let leave: Vec<u64> = (0..15_000).map(|at| at + u64::from(bins.time_ms(link, at))).collect();
                assert!(leave.windows(2).all(|pair| pair[0] <= pair[1]), "seed {seed}");
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let message = |bins: Result<TimeBins>| {
            let urbis_core::Error::Input(problems) = bins.unwrap_err() else { panic!("another error") };
            problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(message(TimeBins::new(0, &[])).len(), 2);
        let uneven = message(TimeBins::new(900, &[vec![1, 2], vec![1]]));
        assert_eq!(uneven, ["time bins row 2: number of links = 1, expected 2 as in the first bin"]);
    }
}
