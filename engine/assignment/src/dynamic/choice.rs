//! Who changes, and to what: shares of travellers that reconsider, and logit among known routes.
//!
//! - Averages: on day `n` a share `1 / (n + 1)` takes the best they know (method of successive averages).
//! - Gain: whoever gains changes with a probability proportional to the relative gain (Smith 1984 in
//!   discrete time), times a step that falls with the days.
//! - Logit: a share `(n + 1)^(-2/3)` draws anew from known routes of its origin, destination and time with
//!   `P(k) ~ exp(-theta c_k) PS_k^w`, plain for `w = 0`, path-size logit for `w = 1` (Ben-Akiva and
//!   Bierlaire 1999).
//!
//! Contract: draws are keyed by (seed, trip, day).

use urbis_core::rng::Rng;

/// Purposes of random draws.
pub(crate) mod purpose {
    pub(crate) const SWITCH: u32 = 0xd1_0001;
    pub(crate) const DEPART: u32 = 0xd1_0002;
    pub(crate) const INFORMED: u32 = 0xd1_0003;
    pub(crate) const NOISE: u32 = 0xd1_0004;
    pub(crate) const WAY: u32 = 0xd1_0005;
    pub(crate) const STRETCH: u32 = 0xd1_0006;
    pub(crate) const MOMENT: u32 = 0xd1_0007;
}

/// Who takes a better route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Switching {
    /// A share `1 / (day + 1)` of all, at random.
    Averages,
    /// Each with probability `min(1, rate gain / cost) / (1 + damping day)`.
    Gain {
        /// Probability per relative gain, > 0.
        rate: f64,
        /// How fast the step falls with days, >= 0.
        damping: f64,
    },
}

impl Default for Switching {
    fn default() -> Self {
        Self::Gain { rate: 4.0, damping: 0.1 }
    }
}

impl Switching {
    /// Whether a traveller changes, who would gain `gain` (>= 0) out of `cost`, on a day from 1.
    pub(crate) fn changes(self, gain: f64, cost: f64, day: u32, rng: &mut Rng) -> bool {
        let probability = match self {
            Self::Averages => averages_share(day),
            Self::Gain { rate, damping } => (rate * gain / cost).min(1.0) / (1.0 + damping * f64::from(day)),
        };
        gain > 0.0 && rng.chance(probability)
    }
}

/// The share that reconsiders on a day from 1 under successive averages.
fn averages_share(day: u32) -> f64 {
    1.0 / (f64::from(day) + 1.0)
}

/// Choice among several known routes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logit {
    /// Sensitivity to cost, 1/s, > 0.
    pub theta_per_s: f64,
    /// Weight of the logarithm of the path size; 0 is the plain logit, 1 the path-size logit.
    pub path_size_weight: f64,
    /// Most routes that are kept for one origin, destination and time.
    pub routes_max: usize,
    /// Routes become known by being the fastest, or by being the fastest when each link takes longer by a
    /// random share up to this (Bovy and Fiorenzo-Catalano 2007); drawn anew each day, >= 0.
    pub spread: f64,
    /// Length of the departure periods that share a choice set, seconds, > 0.
    pub period_s: f64,
}

impl Default for Logit {
    fn default() -> Self {
        Self { theta_per_s: 0.01, path_size_weight: 1.0, routes_max: 8, spread: 0.5, period_s: 900.0 }
    }
}

impl Logit {
    /// The share that draws anew on a day from 1: averages that forget first days, when few routes were known.
    pub(crate) fn share(day: u32) -> f64 {
        (f64::from(day) + 1.0).powf(-2.0 / 3.0)
    }
    /// Searches for other routes on a day from 1: as many as may be kept on the first, one on others.
    pub(crate) fn searches(&self, day: u32) -> usize {
        if day == 1 { self.routes_max } else { 1 }
    }
    /// Probabilities of alternatives with costs in seconds and path sizes.
    #[must_use]
    pub fn probabilities(&self, cost_s: &[f64], path_size: &[f64]) -> Vec<f64> {
        let utility = |(&cost, &size): (&f64, &f64)| self.path_size_weight * size.ln() - self.theta_per_s * cost;
        let utilities: Vec<f64> = cost_s.iter().zip(path_size).map(utility).collect();
        let best = utilities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = utilities.iter().map(|u| (u - best).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    }
}

/// The alternative drawn with given probabilities.
pub(crate) fn draw(probabilities: &[f64], rng: &mut Rng) -> usize {
    let cumulative: Vec<f64> = probabilities
        .iter()
        .scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        })
        .collect();
    rng.pick_cumulative(&cumulative).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logit_follows_costs_and_overlap() {
        let plain = Logit { theta_per_s: 0.01, path_size_weight: 0.0, ..Logit::default() };
        let shares = plain.probabilities(&[100.0, 200.0], &[1.0, 1.0]);
        assert!((shares[0] / shares[1] - 1.0_f64.exp()).abs() < 1e-9);
        // Two routes that are nearly one, and another as long: the pair counts about once.
        let sized = Logit { path_size_weight: 1.0, ..plain };
        let shares = sized.probabilities(&[500.0; 3], &[0.5, 0.5, 1.0]);
        assert!((shares[2] - 0.5).abs() < 1e-12 && (shares[0] - 0.25).abs() < 1e-12);
        // Costs far beyond what an exponential holds.
        let far = plain.probabilities(&[1e7, 2e7], &[1.0, 1.0]);
        assert_eq!(far, [1.0, 0.0]);
    }

    #[test]
    fn shares_of_changers() {
        let count = |switching: Switching, gain: f64, day: u32| {
            let mut rng = Rng::new(3, day, 0, 0);
            (0..20_000).filter(|_| switching.changes(gain, 100.0, day, &mut rng)).count() as f64 / 20_000.0
        };
        assert!((count(Switching::Averages, 1.0, 3) - 0.25).abs() < 0.01);
        assert!((count(Switching::Gain { rate: 2.0, damping: 0.0 }, 10.0, 9) - 0.2).abs() < 0.01);
        assert!((count(Switching::Gain { rate: 2.0, damping: 1.0 }, 10.0, 1) - 0.1).abs() < 0.01);
        assert!(count(Switching::Averages, 0.0, 1) + count(Switching::default(), 0.0, 1) == 0.0);
    }
}
