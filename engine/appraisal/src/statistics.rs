//! What pairs of runs say of one figure: mean difference, how sure it is, and what would make it surer.
//! Runs of one seed share their chance, so the spread of differences, not that of the figures, counts.
//!
//! Contract: pure functions of the pairs in the order of seeds; equal pairs give equal bits.

use crate::bootstrap;
use serde::{Serialize, Serializer};
use special::Beta;
use std::fmt;

/// Half widths are asked for in at most so many seeds; more is told as none.
const SEEDS_AT_MOST: u64 = 1_000_000;
/// Share of the intervals that hold the true figure.
const LEVEL: f64 = 0.95;
/// Share of findings of a map that may be none.
pub const FALSE_DISCOVERY_RATE: f64 = 0.05;

/// What can be said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The scenario's figure is higher; the interval lies above 0.
    Higher,
    /// The scenario's figure is lower; the interval lies below 0.
    Lower,
    /// The interval includes 0.
    NoDetectableDifference,
    /// Fewer than two pairs: nothing can be said.
    TooFewSeeds,
    /// Every pair has the same figure twice.
    Identical,
}

urbis_core::named!(State {
    Higher = "higher",
    Lower = "lower",
    NoDetectableDifference = "no detectable difference",
    TooFewSeeds = "too few seeds",
    Identical = "identical",
});

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How precise an answer has to be: half width of the 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Precision {
    /// Share of the base's mean, regardless of its sign.
    OfBase(f64),
    /// In the unit of the figure.
    Absolute(f64),
}

impl Default for Precision {
    fn default() -> Self {
        Self::OfBase(0.05)
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfBase(share) => write!(f, "{} % of the base", 100.0 * share),
            Self::Absolute(half) => write!(f, "{half} in the unit of the figure"),
        }
    }
}

/// Two ends of a 95 % interval, lower first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    fn around(mean: f64, half: f64) -> Self {
        Self { low: mean - half, high: mean + half }
    }
    /// Upper less lower end.
    #[must_use]
    pub fn width(self) -> f64 {
        self.high - self.low
    }
}

/// What pairs of (base, scenario) say; all figures in the unit of the pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// Pairs.
    pub n: u64,
    /// Mean of the base; NaN without pairs, like every mean here.
    pub base_mean: f64,
    /// Mean of the scenario.
    pub scenario_mean: f64,
    /// Mean of scenario less base.
    pub difference_mean: f64,
    /// Standard deviation of the differences (n - 1); none with fewer than two pairs.
    pub difference_sd: Option<f64>,
    /// Student's 95 % interval of the mean difference.
    pub interval: Option<Interval>,
    /// Bootstrap 95 % interval ([`bootstrap::percentile_t`]); none with fewer than five pairs, where most
    /// differences are equal, or where it was not asked for.
    pub bootstrap: Option<Interval>,
    /// Welch's 95 % interval, as if the runs of both arms had nothing in common.
    pub independent: Option<Interval>,
    /// Share of pairs in which the scenario's figure is higher.
    pub share_positive: f64,
    /// Exact two-sided sign test, pairs without a difference left out.
    pub sign_p: f64,
    /// Student's t test of no mean difference, two-sided.
    pub p: Option<f64>,
    /// False discovery rate at which the row counts as a finding among those of its map; see [`q_values`].
    pub q: Option<f64>,
    /// Pairs after which the interval would be as narrow as was asked for, by today's spread; none where that is
    /// unknown or more than a million.
    pub seeds_needed: Option<u64>,
    /// The verdict.
    pub state: State,
}

/// Mean; NaN of nothing.
pub(crate) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// Sum of squares around the mean, divided by n - 1.
fn variance(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

impl Statistics {
    /// Statistics of pairs (base, scenario) in the order of seeds. `resamples` of 0 leaves the bootstrap out; `key`
    /// names the figure, so that its bootstrap does not depend on other figures.
    #[must_use]
    pub fn of(pairs: &[(f64, f64)], precision: Precision, resamples: u32, key: u64) -> Self {
        let n = pairs.len();
        let base: Vec<f64> = pairs.iter().map(|pair| pair.0).collect();
        let scenario: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
        let differences: Vec<f64> = pairs.iter().map(|pair| pair.1 - pair.0).collect();
        let [base_mean, scenario_mean, difference_mean] =
            [&base, &scenario, &differences].map(|values| mean(values.iter().copied()));
        let higher = differences.iter().filter(|d| **d > 0.0).count() as u64;
        let lower = differences.iter().filter(|d| **d < 0.0).count() as u64;
        let mut statistics = Self {
            n: n as u64,
            base_mean,
            scenario_mean,
            difference_mean,
            difference_sd: None,
            interval: None,
            bootstrap: None,
            independent: None,
            share_positive: higher as f64 / n as f64,
            sign_p: sign_test(higher, lower),
            p: None,
            q: None,
            seeds_needed: None,
            state: State::TooFewSeeds,
        };
        if n < 2 {
            return statistics;
        }
        let sd = variance(&differences, difference_mean).sqrt();
        let error = sd / (n as f64).sqrt();
        let interval = Interval::around(difference_mean, t_quantile(n as f64 - 1.0) * error);
        statistics.difference_sd = Some(sd);
        statistics.interval = Some(interval);
        statistics.independent = independent_interval(&base, &scenario);
        statistics.p = Some(t_test(difference_mean, error, n as f64 - 1.0));
        statistics.seeds_needed = seeds_needed(sd, precision, base_mean);
        statistics.bootstrap = bootstrap::percentile_t(&differences, LEVEL, resamples, key);
        statistics.state = if higher + lower == 0 {
            State::Identical
        } else if interval.low > 0.0 {
            State::Higher
        } else if interval.high < 0.0 {
            State::Lower
        } else {
            State::NoDetectableDifference
        };
        statistics
    }
}

impl Statistics {
    /// Whether the row is a finding of its map at [`FALSE_DISCOVERY_RATE`].
    #[must_use]
    pub fn is_finding(&self) -> bool {
        self.state != State::Identical && self.q.is_some_and(|q| q <= FALSE_DISCOVERY_RATE)
    }
}

/// Student's p of [`Statistics`] alone, which maps need before they can say anything else.
pub(crate) fn paired_p(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let differences: Vec<f64> = pairs.iter().map(|pair| pair.1 - pair.0).collect();
    let middle = mean(differences.iter().copied());
    (n >= 2.0).then(|| t_test(middle, variance(&differences, middle).sqrt() / n.sqrt(), n - 1.0))
}

/// Chance that Student's t lies further from 0 than `t`: the regularised incomplete beta function (Abramowitz and Stegun
/// 26.7.1).
fn t_tails(t: f64, freedom: f64) -> f64 {
    let (a, b) = (freedom / 2.0, 0.5_f64);
    (freedom / (freedom + t * t)).inc_beta(a, b, a.ln_beta(b))
}

/// Quantile of Student's t that leaves 2.5 % above.
pub(crate) fn t_quantile(freedom: f64) -> f64 {
    /// Up to here by halving, kept for whole degrees, which come a million times in a map; beyond by the series.
    const TABLE: usize = 64;
    static WHOLE: std::sync::LazyLock<Vec<f64>> =
        std::sync::LazyLock::new(|| (1..=TABLE).map(|freedom| inverse_t(freedom as f64)).collect());
    if freedom > TABLE as f64 {
        series_t(freedom)
    } else if freedom.fract() == 0.0 && freedom >= 1.0 {
        WHOLE[freedom as usize - 1]
    } else {
        // Welch's degrees are no whole numbers; the next whole one starts near enough for a few steps of Newton's.
        let start = WHOLE[(freedom.floor() as usize).clamp(1, TABLE) - 1];
        newton_t(freedom, start)
    }
}

/// Newton's method on the tails, which are convex, so that from the second step on it comes from below.
fn newton_t(freedom: f64, start: f64) -> f64 {
    let ln_beta = (freedom / 2.0).ln_beta(0.5);
    let mut t = start;
    for _ in 0..20 {
        let density = (-(freedom + 1.0) / 2.0 * (t * t / freedom).ln_1p() - ln_beta).exp() / freedom.sqrt();
        let step = (t_tails(t, freedom) - (1.0 - LEVEL)) / (2.0 * density);
        t += step;
        if step.abs() <= 1e-12 * t {
            break;
        }
    }
    t
}

/// The same for many degrees of freedom: the expansion of Cornish and Fisher (Abramowitz and Stegun 26.7.5), to nine digits
/// beyond 64 degrees.
fn series_t(freedom: f64) -> f64 {
    /// Quantile of the normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    let terms = [
        (Z.powi(3) + Z) / 4.0,
        (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0,
        (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0,
        (79.0 * Z.powi(9) + 776.0 * Z.powi(7) + 1482.0 * Z.powi(5) - 1920.0 * Z.powi(3) - 945.0 * Z) / 92_160.0,
    ];
    Z + terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom)
}

fn inverse_t(freedom: f64) -> f64 {
    // Halving finds it to the last bit; tails fall with t.
    let (mut low, mut high) = (0.0, 64.0 * (1.0 + 1.0 / freedom));
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if t_tails(middle, freedom) > 1.0 - LEVEL { low = middle } else { high = middle }
    }
    high
}

/// Two-sided p of a mean with its standard error. Without any spread it is 1 for no difference and 0 for one.
fn t_test(mean: f64, error: f64, freedom: f64) -> f64 {
    if error > 0.0 {
        t_tails(mean / error, freedom).min(1.0)
    } else if mean == 0.0 {
        1.0
    } else {
        0.0
    }
}

/// Welch's 95 % interval of the difference of means (second less first) of two samples that have nothing in common; none
/// with fewer than two figures in one of them.
#[must_use]
pub fn independent_interval(first: &[f64], second: &[f64]) -> Option<Interval> {
    let spread = |values: &[f64]| {
        let mean = mean(values.iter().copied());
        (mean, variance(values, mean))
    };
    if first.len() < 2 || second.len() < 2 {
        return None;
    }
    let ((a, a_variance), (b, b_variance)) = (spread(first), spread(second));
    Some(welch(b - a, (a_variance, first.len() as f64), (b_variance, second.len() as f64)))
}

/// Welch's interval from (variance, size) of both samples, degrees of freedom by Satterthwaite.
fn welch(difference: f64, first: (f64, f64), second: (f64, f64)) -> Interval {
    let (a, b) = (first.0 / first.1, second.0 / second.1);
    if a + b <= 0.0 {
        return Interval::around(difference, 0.0);
    }
    let freedom = (a + b).powi(2) / (a * a / (first.1 - 1.0) + b * b / (second.1 - 1.0));
    Interval::around(difference, t_quantile(freedom) * (a + b).sqrt())
}

/// Exact two-sided sign test: chance of a split at least as uneven as `higher` to `lower` if both were equally likely.
/// 1 without any difference.
#[must_use]
pub fn sign_test(higher: u64, lower: u64) -> f64 {
    let n = higher + lower;
    // 2^-n underflows beyond a thousand pairs, so terms are summed as shares.
    let ln_half = 0.5_f64.ln() * n as f64;
    let mut ln_choose = 0.0;
    let mut sum = 0.0;
    for k in 0..=higher.min(lower) {
        if k > 0 {
            ln_choose += ((n - k + 1) as f64 / k as f64).ln();
        }
        sum += (ln_choose + ln_half).exp();
    }
    (2.0 * sum).min(1.0)
}

/// Pairs for a half width of `precision` at a standard deviation of `sd`.
fn seeds_needed(sd: f64, precision: Precision, base_mean: f64) -> Option<u64> {
    let half = match precision {
        Precision::OfBase(share) => share * base_mean.abs(),
        Precision::Absolute(half) => half,
    };
    if sd <= 0.0 {
        return Some(2);
    }
    let enough = |n: u64| t_quantile(n as f64 - 1.0) * sd / (n as f64).sqrt() <= half;
    if half <= 0.0 || !enough(SEEDS_AT_MOST) {
        return None;
    }
    // Half widths fall with n, so the first that is small enough is found by halving.
    let (mut low, mut high) = (1, SEEDS_AT_MOST);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if enough(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// Benjamini and Hochberg (1995): for each p value the smallest false discovery rate at which it counts as a finding,
/// in the order given. NaN (no test) stays NaN and does not count as one.
#[must_use]
pub fn q_values(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).filter(|&row| !p[row].is_nan()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]).then(a.cmp(&b)));
    let tests = order.len() as f64;
    let mut q = vec![f64::NAN; p.len()];
    let mut smallest = 1.0_f64;
    for (rank, &row) in order.iter().enumerate().rev() {
        smallest = smallest.min(p[row] * tests / (rank as f64 + 1.0));
        q[row] = smallest;
    }
    q
}

#[cfg(test)]
#[allow(clippy::print_stdout)] // tests print the figures they found
mod tests {
    use super::*;
    use urbis_core::rng::Rng;

    const PLAIN: Precision = Precision::OfBase(0.05);

    fn normal(rng: &mut Rng) -> f64 {
        let radius = (-2.0 * (1.0 - rng.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * rng.uniform()).cos()
    }

    /// Share of replications whose t and bootstrap intervals hold the mean 1 of differences drawn by `draw`.
    fn coverage(n: usize, replications: u32, draw: impl Fn(&mut Rng) -> f64) -> (f64, f64) {
        let (mut t, mut boot) = (0, 0);
        for replication in 0..replications {
            let mut rng = Rng::new(11, replication, n as u32, 77);
            let pairs: Vec<_> = (0..n).map(|_| (0.0, draw(&mut rng))).collect();
            let found = Statistics::of(&pairs, PLAIN, 999, u64::from(replication));
            let holds = |interval: Option<Interval>| interval.is_some_and(|i| i.low <= 1.0 && 1.0 <= i.high);
            t += u32::from(holds(found.interval));
            boot += u32::from(holds(found.bootstrap));
        }
        (f64::from(t) / f64::from(replications), f64::from(boot) / f64::from(replications))
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // Fisher and Yates; 2.5 % above.
        for (freedom, wanted) in [(1.0, 12.7062), (4.0, 2.7764), (30.0, 2.0423), (100.0, 1.9840), (1e6, 1.95997)] {
            assert!((t_quantile(freedom) - wanted).abs() < 5e-5, "{freedom}: {}", t_quantile(freedom));
        }
        assert!((series_t(64.0) - inverse_t(64.0)).abs() < 1e-8);
        for freedom in [1.01, 1.5, 4.4118, 7.9, 63.5] {
            assert!((t_quantile(freedom) - inverse_t(freedom)).abs() < 1e-9 * inverse_t(freedom), "{freedom}");
        }
    }

    #[test]
    fn welch_by_hand() {
        // Variances 1 and 4, four figures each: error sqrt(5 / 4), freedom 25 * 3 / 17 = 4.4118, whose quantile lies
        // between those of four and five degrees, 2.7764 and 2.5706.
        let spread = (3.0_f64 / 4.0).sqrt();
        let sample = |middle: f64, sd: f64| [-1.0, -1.0, 1.0, 1.0].map(|side| middle + side * sd * spread);
        let found = independent_interval(&sample(10.0, 1.0), &sample(12.0, 2.0)).unwrap();
        let quantile = found.width() / 2.0 / 1.25_f64.sqrt();
        assert!((f64::midpoint(found.low, found.high) - 2.0).abs() < 1e-12 && quantile > 2.5706 && quantile < 2.7764);
        assert!((quantile - t_quantile(75.0 / 17.0)).abs() < 1e-9, "{quantile}");
        assert_eq!(independent_interval(&[1.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        for n in [5, 10, 20, 40] {
            let (t, boot) = coverage(n, 6000, |rng| 1.0 + normal(rng));
            println!("normal differences, n = {n}: t {:.2} %, bootstrap {:.2} %", 100.0 * t, 100.0 * boot);
            assert!((0.94..=0.96).contains(&t), "{n}: {t}");
            assert!((0.94..=0.96).contains(&boot), "{n}: {boot}");
        }
    }

    /// Skewed differences: here Student's interval falls short and the bootstrap is why it stands beside it.
    #[test]
    fn skewed_differences_are_held_better_by_the_bootstrap() {
        for n in [10, 20, 40] {
            let (t, boot) = coverage(n, 3000, |rng| -(1.0 - rng.uniform()).ln());
            println!("exponential differences, n = {n}: t {:.2} %, bootstrap {:.2} %", 100.0 * t, 100.0 * boot);
            assert!(t < 0.94 && boot > t, "{n}: {t} {boot}");
            assert!((0.92..=0.97).contains(&boot), "{n}: {boot}");
        }
    }

    #[test]
    fn pairs_that_share_their_chance_are_several_times_as_sure() {
        let (mut paired, mut independent) = (0.0, 0.0);
        for replication in 0..200 {
            let mut rng = Rng::new(3, replication, 0, 78);
            let pairs: Vec<_> = (0..5)
                .map(|_| {
                    let common = 100.0 + 5.0 * normal(&mut rng);
                    (common + normal(&mut rng), common + 2.0 + normal(&mut rng))
                })
                .collect();
            let found = Statistics::of(&pairs, PLAIN, 0, 0);
            paired += found.interval.unwrap().width();
            independent += found.independent.unwrap().width();
        }
        println!("correlation 0.96, 5 seeds: paired {:.2}, independent {:.2}", paired / 200.0, independent / 200.0);
        assert!(independent > 2.0 * paired, "{independent} {paired}");
    }

    #[test]
    fn states_and_figures_by_hand() {
        let found = Statistics::of(&[(10.0, 11.0), (12.0, 14.0), (11.0, 14.0)], PLAIN, 0, 0);
        assert_eq!((found.n, found.state), (3, State::NoDetectableDifference));
        assert!((found.difference_mean - 2.0).abs() < 1e-12 && (found.difference_sd.unwrap() - 1.0).abs() < 1e-12);
        // 4.302653 is the quantile of two degrees of freedom.
        assert!((found.interval.unwrap().width() / 2.0 - 4.302_653 / 3.0_f64.sqrt()).abs() < 1e-5);
        // t = 2 * sqrt(3) with two degrees of freedom: p = 0.0742.
        assert!((found.p.unwrap() - 0.074_18).abs() < 1e-4, "{:?}", found.p);
        assert_eq!(found.p, paired_p(&[(10.0, 11.0), (12.0, 14.0), (11.0, 14.0)]));
        let needed = found.seeds_needed.unwrap();
        let half = |n: f64| t_quantile(n - 1.0) / n.sqrt();
        assert!(half(needed as f64) <= 0.55 && half(needed as f64 - 1.0) > 0.55, "{needed}");

        assert_eq!(Statistics::of(&[(1.0, 2.0)], PLAIN, 0, 0).state, State::TooFewSeeds);
        assert_eq!(Statistics::of(&[], PLAIN, 0, 0).state, State::TooFewSeeds);
        assert_eq!(Statistics::of(&[(1.0, 1.0), (3.0, 3.0)], PLAIN, 0, 0).state, State::Identical);
        assert_eq!(Statistics::of(&[(1.0, 2.0), (3.0, 4.1)], PLAIN, 0, 0).state, State::Higher);
        assert_eq!(Statistics::of(&[(2.0, 1.0), (4.1, 3.0)], PLAIN, 0, 0).state, State::Lower);
    }

    #[test]
    fn sign_tests_by_hand() {
        assert!((sign_test(5, 0) - 2.0 / 32.0).abs() < 1e-12);
        assert!((sign_test(1, 4) - 12.0 / 32.0).abs() < 1e-12);
        assert!((sign_test(3, 3) - 1.0).abs() < 1e-12);
        assert!((sign_test(0, 0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn false_discovery_rates_by_hand() {
        let q = q_values(&[0.04, 0.01, f64::NAN, 0.03, 0.5]);
        // Ordered 0.01, 0.03, 0.04, 0.5 times 4/1, 4/2, 4/3, 4/4, then the smallest from above.
        for (found, wanted) in q.iter().zip([0.16 / 3.0, 0.04, f64::NAN, 0.16 / 3.0, 0.5]) {
            assert!((found - wanted).abs() < 1e-12 || (found.is_nan() && wanted.is_nan()), "{q:?}");
        }
    }
}
