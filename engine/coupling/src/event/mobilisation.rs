//! How long people take between an order to leave and the moment at which they set out.
//!
//! `P(t)` is the share that has set out a time `t` after the order, `m` its median:
//!
//! - Rayleigh: `P = 1 - 2^(-(t/m)^2)`. S. Tweedie, J. Rowland, S. Walsh, R. Rhoten, P. Hagle, A methodology for
//!   estimating emergency evacuation times, The Social Science Journal 23 (1986);
//! - logistic: `P = 1 / (1 + exp(-(t - m)/s))`, with `1/s` the response rate. A. Radwan, A. Hobeika, D. Sivasailam, A
//!   computer simulation model for rural network evacuation under natural disasters, ITE Journal 55 (1985). Its share
//!   `P(0)` sets out at once.
//!
//! Contract: pure functions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Shape of the curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MobilisationCurve {
    /// Slow at first, then fast, with a long tail.
    #[default]
    Rayleigh,
    /// The same before and after its median.
    Logistic,
}

/// A curve with its figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mobilisation {
    /// Shape.
    pub curve: MobilisationCurve,
    /// Half have set out by then, seconds after the order.
    pub median_s: f64,
    /// `s` of the logistic curve, seconds.
    pub spread_s: f64,
}

impl Mobilisation {
    /// Share that has set out by a time after the order, seconds.
    #[must_use]
    pub fn share_by(&self, time_s: f64) -> f64 {
        match self.curve {
            _ if time_s < 0.0 => 0.0,
            MobilisationCurve::Rayleigh if self.median_s > 0.0 => 1.0 - (-(time_s / self.median_s).powi(2)).exp2(),
            MobilisationCurve::Logistic if self.spread_s > 0.0 => {
                1.0 / (1.0 + (-(time_s - self.median_s) / self.spread_s).exp())
            }
            _ => f64::from(u8::from(time_s >= self.median_s)),
        }
    }
    /// The time after the order, seconds, by which a share in `[0, 1)` has set out.
    #[must_use]
    pub fn quantile_s(&self, share: f64) -> f64 {
        let share = share.clamp(1e-12, 1.0 - 1e-12);
        match self.curve {
            MobilisationCurve::Rayleigh => self.median_s * (-(1.0 - share).log2()).sqrt(),
            MobilisationCurve::Logistic => (self.median_s + self.spread_s * (share / (1.0 - share)).ln()).max(0.0),
        }
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn quantiles_are_the_inverse_of_shares() {
        for curve in [MobilisationCurve::Rayleigh, MobilisationCurve::Logistic] {
            let of = Mobilisation { curve, median_s: 1800.0, spread_s: 300.0 };
            assert!((of.share_by(1800.0) - 0.5).abs() < 1e-12 && (of.quantile_s(0.5) - 1800.0).abs() < 1e-9);
            for share in [0.01, 0.2, 0.63, 0.95, 0.999] {
                assert!((of.share_by(of.quantile_s(share)) - share).abs() < 1e-9, "{curve:?} {share}");
            }
            assert!(of.share_by(-1.0) <= 0.0 && of.quantile_s(0.0) >= 0.0 && of.quantile_s(1.0).is_finite());
        }
        // Rayleigh's sigma is the time of its steepest rise: 1 - exp(-1/2) have set out by then.
        let of = Mobilisation { curve: MobilisationCurve::Rayleigh, median_s: 600.0, spread_s: 0.0 };
        let sigma_s = 600.0 / (2.0 * std::f64::consts::LN_2).sqrt();
        assert!((of.share_by(sigma_s) - (1.0 - (-0.5_f64).exp())).abs() < 1e-12);
        // The logistic curve rises at its median by 1/(4 s).
        let of = Mobilisation { curve: MobilisationCurve::Logistic, median_s: 600.0, spread_s: 60.0 };
        let slope = (of.share_by(600.5) - of.share_by(599.5)) * 4.0 * 60.0;
        assert!((slope - 1.0).abs() < 1e-4, "{slope}");
        // No spread: all at once.
        let of = Mobilisation { curve: MobilisationCurve::Logistic, median_s: 600.0, spread_s: 0.0 };
        assert!((of.quantile_s(0.1) - 600.0).abs() < 1e-9 && of.share_by(599.0) <= 0.0 && of.share_by(600.0) >= 1.0);
    }
}
