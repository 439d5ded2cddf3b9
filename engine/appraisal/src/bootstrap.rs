//! Bootstrap interval of a mean. Percentile-t (Hall 1988; Efron and Tibshirani 1993, chapter 12) and not BCa: studies
//! have five to twenty seeds, and there BCa holds the truth in well under 95 % of cases, because resampled means do not
//! spread as Student's t does; resampled t values do.
//!
//! Contract: draws are keyed by the figure, so equal differences under one key give equal bits.

use crate::statistics::Interval;
use urbis_core::rng::Rng;

/// Purpose of the draws (see [`Rng::new`]).
const PURPOSE: u32 = 0x0B00;
/// Below this, resamples without any spread are too frequent for a tail of 2.5 %.
pub const PAIRS_AT_LEAST: usize = 5;

/// Percentile-t interval of the mean of `differences`; none for fewer than five of them, without `resamples`, or where so
/// many of them are equal that an end would be infinite. Without any spread both ends are the mean.
#[must_use]
pub fn percentile_t(differences: &[f64], level: f64, resamples: u32, key: u64) -> Option<Interval> {
    let n = differences.len();
    if n < PAIRS_AT_LEAST || resamples == 0 {
        return None;
    }
    let (mean, error) = mean_and_error(differences.iter().copied(), n);
    if error <= 0.0 {
        return Some(Interval { low: mean, high: mean });
    }
    let mut rng = Rng::new(key, n as u32, 0, PURPOSE);
    let mut sample = vec![0.0; n];
    let mut t: Vec<f64> = (0..resamples)
        .map(|_| {
            sample.fill_with(|| differences[rng.below(n as u32) as usize]);
            let (m, e) = mean_and_error(sample.iter().copied(), n);
            // A resample of one figure alone lies infinitely far on its side.
            if e > 0.0 { (m - mean) / e } else { f64::INFINITY.copysign(m - mean) }
        })
        .collect();
    t.sort_by(f64::total_cmp);
    let quantile = |share: f64| t[((share * f64::from(resamples + 1)).round() as usize).clamp(1, t.len()) - 1];
    let tail = (1.0 - level) / 2.0;
    let (low, high) = (mean - quantile(1.0 - tail) * error, mean - quantile(tail) * error);
    (low.is_finite() && high.is_finite()).then_some(Interval { low, high })
}

fn mean_and_error(values: impl Iterator<Item = f64> + Clone, n: usize) -> (f64, f64) {
    let n = n as f64;
    let mean = values.clone().sum::<f64>() / n;
    let squares = values.map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_an_interval_cannot_be_told_there_is_none() {
        let of = |differences: &[f64]| percentile_t(differences, 0.95, 999, 1);
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0]), None);
        assert_eq!(percentile_t(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95, 0, 1), None);
        // A third of the resamples lack the one that differs.
        assert_eq!(of(&[0.0, 0.0, 0.0, 0.0, 1.0]), None);
        assert_eq!(of(&[2.0; 5]), Some(Interval { low: 2.0, high: 2.0 }));
        let found = of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert!(found.low < 2.0 && found.high > 4.0 && found == of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap(), "{found:?}");
    }
}
