//! Nested logit with frozen errors.
//!
//! A person's utility of an alternative is `V_j + e_j`. In a nested logit (McFadden 1978) the errors of alternatives
//! in one nest are alike: with dissimilarity `lambda` in (0, 1], `P(j) = P(nest) P(j | nest)`, where
//! `P(j | nest) ~ exp(V_j / lambda)` and `P(nest) ~ exp(lambda ln sum exp(V / lambda))`; `lambda = 1` everywhere is
//! the multinomial logit.
//!
//! The errors themselves are drawn, once for each person and purpose, and kept: with Gumbel `g_j` and one positive
//! stable `S` of index `lambda` for each nest, `e_j = lambda (ln S + g_j)` has exactly the joint distribution of the
//! nested logit, since `E[exp(-S t)] = exp(-t^lambda)`. A person therefore chooses differently in another scenario
//! only when the utilities differ enough, never because of other draws.
//! Sampling of `S`: Kanter 1975, Chambers, Mallows and Stuck 1976.

use std::f64::consts::PI;
use urbis_core::rng::Rng;

/// Most alternatives of a choice.
pub const ALTERNATIVES_MAX: usize = 8;

/// Utilities or errors of the alternatives; minus infinity where one is not available.
pub type Utilities = [f64; ALTERNATIVES_MAX];

/// Which alternatives are alike, and how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Nests {
    /// The nest of each alternative.
    nest_of: Vec<u8>,
    /// Dissimilarity of each nest.
    lambda: Vec<f64>,
}

impl Nests {
    /// Nests from their dissimilarities and members. Alternatives that no nest names stand alone. Dissimilarities
    /// outside `(0, 1]` count as 1. Panics when there are more than [`ALTERNATIVES_MAX`] alternatives.
    #[must_use]
    pub fn new(alternatives: usize, nests: &[(f64, &[usize])]) -> Self {
        assert!(alternatives <= ALTERNATIVES_MAX, "at most {ALTERNATIVES_MAX} alternatives");
        let mut made = Self { nest_of: vec![u8::MAX; alternatives], lambda: Vec::new() };
        for (lambda, members) in nests {
            for &member in *members {
                made.nest_of[member] = made.lambda.len() as u8;
            }
            made.lambda.push(if *lambda > 0.0 && *lambda <= 1.0 { *lambda } else { 1.0 });
        }
        for alternative in 0..alternatives {
            if made.nest_of[alternative] == u8::MAX {
                made.nest_of[alternative] = made.lambda.len() as u8;
                made.lambda.push(1.0);
            }
        }
        made
    }

    /// Number of alternatives.
    #[must_use]
    pub fn alternatives(&self) -> usize {
        self.nest_of.len()
    }

    /// The dissimilarity of the nest of an alternative.
    #[must_use]
    pub fn dissimilarity(&self, alternative: usize) -> f64 {
        self.lambda[usize::from(self.nest_of[alternative])]
    }

    /// The least dissimilarity of any nest, at most 1.
    #[must_use]
    pub fn least_dissimilarity(&self) -> f64 {
        self.lambda.iter().copied().fold(1.0, f64::min)
    }

    /// The errors of one person: [`Nests::alternatives`] and one draw for each nest, whatever is available.
    #[must_use]
    pub fn errors(&self, rng: &mut Rng) -> Utilities {
        let mut stable_ln = [0.0; ALTERNATIVES_MAX];
        for (ln, &lambda) in stable_ln.iter_mut().zip(&self.lambda) {
            *ln = positive_stable_ln(lambda, rng.uniform(), rng.uniform());
        }
        let mut errors = [f64::NEG_INFINITY; ALTERNATIVES_MAX];
        for (error, &nest) in errors.iter_mut().zip(&self.nest_of) {
            let nest = usize::from(nest);
            *error = self.lambda[nest] * (stable_ln[nest] + gumbel(rng.uniform()));
        }
        errors
    }

    /// Shares of the alternatives in closed form; all zero when none is available.
    #[must_use]
    pub fn shares(&self, utilities: &Utilities) -> Utilities {
        let (inclusive, total) = self.inclusive(utilities);
        let mut shares = [0.0; ALTERNATIVES_MAX];
        for (alternative, share) in shares.iter_mut().enumerate().take(self.alternatives()) {
            let nest = usize::from(self.nest_of[alternative]);
            if utilities[alternative] > f64::NEG_INFINITY && total.is_finite() {
                let within = (utilities[alternative] / self.lambda[nest] - inclusive[nest]).exp();
                *share = within * (self.lambda[nest] * inclusive[nest] - total).exp();
            }
        }
        shares
    }

    /// Expected utility of the best alternative, less Euler's constant; minus infinity when none is available.
    #[must_use]
    pub fn logsum(&self, utilities: &Utilities) -> f64 {
        self.inclusive(utilities).1
    }

    /// `ln sum exp(V / lambda)` of each nest, and the logsum of all.
    fn inclusive(&self, utilities: &Utilities) -> (Utilities, f64) {
        let mut most = [f64::NEG_INFINITY; ALTERNATIVES_MAX];
        for (utility, &nest) in utilities.iter().zip(&self.nest_of) {
            let most = &mut most[usize::from(nest)];
            *most = most.max(*utility);
        }
        // Sums of exponentials of what each lies below the best of its nest: no overflow, one pass.
        let mut sums = [0.0; ALTERNATIVES_MAX];
        for (utility, &nest) in utilities.iter().zip(&self.nest_of) {
            let nest = usize::from(nest);
            if *utility > f64::NEG_INFINITY {
                let below = (utility - most[nest]) / self.lambda[nest];
                sums[nest] += if below < 0.0 { below.exp() } else { 1.0 };
            }
        }
        let mut inclusive = [f64::NEG_INFINITY; ALTERNATIVES_MAX];
        for (nest, value) in inclusive.iter_mut().enumerate().take(self.lambda.len()) {
            if sums[nest] > 0.0 {
                *value = most[nest] / self.lambda[nest] + sums[nest].ln();
            }
        }
        let total = ln_sum_exp(self.lambda.iter().zip(&inclusive).map(|(lambda, value)| lambda * value));
        (inclusive, total)
    }
}

/// The alternative with the highest utility and error; `None` when none is available.
#[must_use]
pub fn choose(utilities: &Utilities, errors: &Utilities) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (alternative, (utility, error)) in utilities.iter().zip(errors).enumerate() {
        let total = utility + error;
        if total > best.map_or(f64::NEG_INFINITY, |(_, value)| value) {
            best = Some((alternative, total));
        }
    }
    best.map(|(alternative, _)| alternative)
}

/// The error of an alternative that joins another one in a nest, given the other's: the two then have the joint
/// distribution of a nest of this dissimilarity (in (0, 1]), and the other keeps the error that it had alone. `uniform`
/// is one draw.
///
/// With `a = exp(-error)` and `z = ln(1 + (b / a)^(1 / lambda))`, where `b` belongs to the new error, its distribution
/// given `a` is `exp(-(a (e^(lambda z) - 1) + (1 - lambda) z))`; Newton from above finds the `z` of a draw, since the
/// exponent is convex and rises.
#[must_use]
pub fn joining(error: f64, lambda: f64, uniform: f64) -> f64 {
    let (a, exponential) = ((-error).exp().max(1e-300), -uniform.max(1e-300).ln());
    // Each of the two terms alone reaches the draw at or above the solution.
    let mut z = ((exponential / a).ln_1p() / lambda).min(exponential / (1.0 - lambda).max(1e-300));
    for _ in 0..NEWTON_STEPS {
        let grown = a * (lambda * z).exp_m1();
        let step = (grown + (1.0 - lambda) * z - exponential) / (lambda * (grown + a) + (1.0 - lambda));
        z -= step;
        if step <= 1e-12 * z {
            break;
        }
    }
    // ln(e^z - 1), for any size of z.
    error - lambda * (z + (-(-z.max(1e-300)).exp_m1()).ln())
}

/// Steps that [`joining`] takes at most; some ten are enough for draws of any size.
const NEWTON_STEPS: u32 = 60;

/// A standard Gumbel deviate from a uniform one.
#[inline]
#[must_use]
pub fn gumbel(uniform: f64) -> f64 {
    -(-uniform.max(1e-300).ln()).max(1e-300).ln()
}

/// Logarithm of a positive stable deviate of index `alpha` (Laplace transform `exp(-t^alpha)`) from two uniforms.
fn positive_stable_ln(alpha: f64, u: f64, v: f64) -> f64 {
    if alpha >= 1.0 {
        return 0.0;
    }
    let angle = PI * u.clamp(1e-12, 1.0 - 1e-12);
    let exponential = -v.max(1e-300).ln();
    let rest = 1.0 - alpha;
    (alpha * angle).sin().ln() - angle.sin().ln() / alpha
        + rest / alpha * ((rest * angle).sin().ln() - exponential.max(1e-300).ln())
}

fn ln_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY { most } else { most + values.map(|value| (value - most).exp()).sum::<f64>().ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utilities(values: &[f64]) -> Utilities {
        let mut all = [f64::NEG_INFINITY; ALTERNATIVES_MAX];
        all[..values.len()].copy_from_slice(values);
        all
    }

    #[test]
    fn multinomial_shares_in_closed_form() {
        let nests = Nests::new(3, &[]);
        let shares = nests.shares(&utilities(&[0.0, 2.0_f64.ln(), f64::NEG_INFINITY]));
        assert!((shares[0] - 1.0 / 3.0).abs() < 1e-12 && (shares[1] - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(shares[2].to_bits(), 0.0_f64.to_bits());
        assert!((nests.logsum(&utilities(&[0.0, 2.0_f64.ln()])) - 3.0_f64.ln()).abs() < 1e-12);
        assert!(nests.shares(&[f64::NEG_INFINITY; 8]).iter().all(|share| share.to_bits() == 0));
    }

    #[test]
    fn red_bus_blue_bus() {
        // Two alternatives that are the same to everybody share what one would take.
        let nests = Nests::new(3, &[(1e-3, &[1, 2])]);
        let shares = nests.shares(&utilities(&[0.0, 0.0, 0.0]));
        assert!((shares[0] - 0.5).abs() < 1e-3 && (shares[1] - 0.25).abs() < 1e-3);
    }

    #[test]
    fn drawn_errors_give_the_closed_form() {
        let nests = Nests::new(4, &[(0.4, &[0, 1]), (0.7, &[2, 3])]);
        for values in [[0.0, 0.5, 0.3, -0.2], [1.0, -1.0, 0.0, 0.0], [0.0, 0.2, f64::NEG_INFINITY, 0.1]] {
            let utilities = utilities(&values);
            let expected = nests.shares(&utilities);
            let draws = 200_000;
            let mut counts = [0_u32; 4];
            for person in 0..draws {
                let errors = nests.errors(&mut Rng::new(3, person, 0, 9));
                counts[choose(&utilities, &errors).unwrap()] += 1;
            }
            for (count, share) in counts.iter().zip(expected) {
                let found = f64::from(*count) / f64::from(draws);
                let sigma = (share * (1.0 - share) / f64::from(draws)).sqrt();
                assert!((found - share).abs() <= 4.0 * sigma + 1e-9, "{found} against {share}");
            }
        }
    }

    #[test]
    fn an_alternative_that_joins_gives_the_closed_form() {
        let alone = Nests::new(3, &[(0.6, &[0, 1])]);
        for lambda in [0.3, 0.8, 1.0] {
            let together = Nests::new(4, &[(0.6, &[0, 1]), (lambda, &[2, 3])]);
            for values in [[0.0, 0.5, 0.3, -0.2], [-1.0, -1.0, 0.0, 0.6], [0.0, 0.2, f64::NEG_INFINITY, 0.1]] {
                let utilities = utilities(&values);
                let expected = together.shares(&utilities);
                let draws = 100_000;
                let mut counts = [0_u32; 4];
                for person in 0..draws {
                    let mut errors = alone.errors(&mut Rng::new(3, person, 0, 9));
                    errors[3] = joining(errors[2], lambda, Rng::new(3, person, 1, 9).uniform());
                    counts[choose(&utilities, &errors).unwrap()] += 1;
                }
                for (count, share) in counts.iter().zip(expected) {
                    let found = f64::from(*count) / f64::from(draws);
                    let sigma = (share * (1.0 - share) / f64::from(draws)).sqrt();
                    assert!((found - share).abs() <= 4.0 * sigma + 1e-9, "{lambda}: {found} against {share}");
                }
            }
        }
        let ends = [0.0, 1e-300, 1e-12, 0.5, 1.0 - 1e-16];
        for (error, uniform) in [-5.0, 0.0, 30.0, 600.0].into_iter().flat_map(|e| ends.map(|u| (e, u))) {
            assert!([0.05, 0.8, 1.0].iter().all(|&lambda| joining(error, lambda, uniform).is_finite()));
        }
    }

    #[test]
    fn a_better_alternative_only_draws_to_itself() {
        let nests = Nests::new(4, &[(0.5, &[0, 1])]);
        let before = utilities(&[0.0, 0.1, 0.2, 0.0]);
        let after = utilities(&[0.0, 0.1, 0.2, 0.4]);
        for person in 0..2000 {
            let errors = nests.errors(&mut Rng::new(1, person, 0, 9));
            let (first, second) = (choose(&before, &errors).unwrap(), choose(&after, &errors).unwrap());
            assert!(second == first || second == 3);
        }
    }
}
