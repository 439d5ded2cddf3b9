//! Friction factors of pipes (Darcy's) and the loss term `F(m) = (lambda L / d + zeta) m |m|` with its slope.
//!
//! ```text
//! Re = |m| d / (eta A)
//! Nikuradse          lambda = 64 / Re + lambda_n    lambda_n = (2 lg(3.71 d / k))^-2      liquids
//!                                                   lambda_n = (2 lg(d / k) + 1.14)^-2    gases
//! Prandtl-Colebrook  lambda^-1/2 = -2 lg(2.51 / (Re lambda^1/2) + k / (3.71 d))
//! Swamee-Jain        lambda = 0.25 / lg(k / (3.7 d) + 5.74 / Re^0.9)^2
//! ```
//!
//! as pandapipes has them: only the first has a laminar part, and it is added for every flow. The other two are made for
//! turbulent flow and their loss does not vanish with the flow; below a Reynolds number of 20 (Swamee-Jain) or 1 it is taken
//! as proportional to flow instead.
//!
//! Source: pandapipes, documentation of pipes; P. K. Swamee and A. K. Jain, J. Hydraulics Div. ASCE 102 (1976).
//! Contract: pure functions, no allocation.

use std::f64::consts::{LN_10, PI};

/// A law of friction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrictionLaw {
    /// Rough pipes by Nikuradse, with the laminar part added.
    #[default]
    Nikuradse,
    /// Prandtl and Colebrook, implicit.
    PrandtlColebrook,
    /// Swamee and Jain, explicit.
    SwameeJain,
}

/// Reynolds numbers below which loss is proportional to flow under the laws without a laminar part: that of Swamee and
/// Jain would fall with flow below 19 and has a pole at 7.
const RE_LINEAR_SWAMEE_JAIN: f64 = 20.0;
const RE_LINEAR_COLEBROOK: f64 = 1.0;
/// No slope of the loss is taken at flows below this, kg/s: a fitting alone has none at rest.
const LEAST_FLOW_KGPS: f64 = 1e-6;

/// A pipe or fitting, as friction sees it.
#[derive(Clone, Copy, Debug)]
pub struct Bore {
    /// Length, m.
    pub length_m: f64,
    /// Inner diameter, m.
    pub diameter_m: f64,
    /// Roughness, m.
    pub roughness_m: f64,
    /// Loss coefficient of fittings.
    pub loss: f64,
    /// Viscosity, Pa s.
    pub viscosity_pas: f64,
    /// Whether a gas flows.
    pub is_gas: bool,
}

/// What friction does at a flow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loss {
    /// Darcy's friction factor.
    pub lambda: f64,
    /// Reynolds number.
    pub reynolds: f64,
    /// `(lambda L / d + zeta) m |m|`, kg2/s2.
    pub term: f64,
    /// Its slope by flow, kg/s.
    pub slope: f64,
}

impl Bore {
    /// Area of the bore, m2.
    #[must_use]
    pub fn area_m2(&self) -> f64 {
        PI * self.diameter_m * self.diameter_m / 4.0
    }
    /// The friction factor of the rough pipe.
    #[must_use]
    pub fn rough_lambda(&self) -> f64 {
        let (d, k) = (self.diameter_m, self.roughness_m);
        let root = if self.is_gas { 2.0 * (d / k).log10() + 1.14 } else { -2.0 * (k / (3.71 * d)).log10() };
        1.0 / (root * root)
    }
    /// The loss at a flow.
    #[must_use]
    pub fn loss(&self, law: FrictionLaw, mdot_kgps: f64) -> Loss {
        let (m, along) = (mdot_kgps.abs(), self.length_m / self.diameter_m);
        let by_flow = self.diameter_m / (self.viscosity_pas * self.area_m2());
        let reynolds = m * by_flow;
        let sign = mdot_kgps.signum();
        let fitting = self.loss * m * m;
        let fitting_slope = 2.0 * self.loss * m.max(LEAST_FLOW_KGPS);
        if law == FrictionLaw::Nikuradse {
            let rough = self.rough_lambda();
            // 64 / Re m^2 without the quotient, which would not do at rest.
            let laminar = 64.0 / by_flow;
            let lambda = if m > 0.0 { 64.0 / reynolds + rough } else { rough };
            let term = sign * (along * (laminar * m + rough * m * m) + fitting);
            let slope = along * (laminar + 2.0 * rough * m.max(LEAST_FLOW_KGPS)) + fitting_slope;
            return Loss { lambda, reynolds, term, slope };
        }
        let factor = |re: f64| match law {
            FrictionLaw::SwameeJain => swamee_jain(re, self.roughness_m / self.diameter_m),
            _ => colebrook(re, self.roughness_m / self.diameter_m),
        };
        let edge = if law == FrictionLaw::SwameeJain { RE_LINEAR_SWAMEE_JAIN } else { RE_LINEAR_COLEBROOK };
        if reynolds < edge {
            let (at_edge, _) = factor(edge);
            let linear = along * at_edge * edge / by_flow;
            let lambda = if m > 0.0 { at_edge * edge / reynolds } else { at_edge };
            return Loss { lambda, reynolds, term: sign * (linear * m + fitting), slope: linear + fitting_slope };
        }
        let (lambda, by_log_re) = factor(reynolds);
        let term = sign * (along * lambda * m * m + fitting);
        let slope = along * m * (2.0 * lambda + by_log_re) + fitting_slope;
        Loss { lambda, reynolds, term, slope }
    }
}

/// Friction factor and its change by the logarithm of the Reynolds number.
fn swamee_jain(re: f64, relative_roughness: f64) -> (f64, f64) {
    let smooth = 5.74 / re.powf(0.9);
    let inner = relative_roughness / 3.7 + smooth;
    let log = inner.log10();
    let lambda = 0.25 / (log * log);
    // d lambda / d ln Re = -2 lambda / lg(x) d lg(x) / d ln Re, x = inner, dx / d ln Re = -0.9 smooth.
    (lambda, 2.0 * lambda / log * 0.9 * smooth / (inner * LN_10))
}

/// Friction factor and its change by the logarithm of the Reynolds number.
fn colebrook(re: f64, relative_roughness: f64) -> (f64, f64) {
    // F(y) = y + 2 lg(2.51 y / Re + k / 3.71 d) = 0 with y = lambda^-1/2 rises and bends down, so Newton's steps from
    // the left never pass the root: y is below it where F < 0.
    let rough = relative_roughness / 3.71;
    let mut y = 1.0;
    let mut slope = 1.0;
    for _ in 0..60 {
        let inner = 2.51 * y / re + rough;
        slope = 1.0 + 2.0 / LN_10 * (2.51 / re) / inner;
        let step = (y + 2.0 * inner.log10()) / slope;
        y = (y - step).max(1e-3);
        if step.abs() <= 1e-15 * y {
            break;
        }
    }
    let inner = 2.51 * y / re + rough;
    // dy / d ln Re = (2 / ln 10) (2.51 y / Re) / inner / slope; lambda = y^-2.
    let y_by_log_re = 2.0 / LN_10 * (2.51 * y / re) / inner / slope;
    let lambda = 1.0 / (y * y);
    (lambda, -2.0 * lambda / y * y_by_log_re)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [FrictionLaw; 3] = [FrictionLaw::Nikuradse, FrictionLaw::PrandtlColebrook, FrictionLaw::SwameeJain];

    fn bore(is_gas: bool) -> Bore {
        Bore { length_m: 100.0, diameter_m: 0.1, roughness_m: 1e-4, loss: 1.5, viscosity_pas: 1e-3, is_gas }
    }

    #[test]
    fn slopes_are_those_of_the_terms() {
        for law in LAWS {
            for m in [-20.0, -0.3, 0.003, 0.5, 7.0] {
                let step = 1e-6 * f64::abs(m);
                let bore = bore(m > 0.0);
                let by_difference = (bore.loss(law, m + step).term - bore.loss(law, m - step).term) / (2.0 * step);
                let slope = bore.loss(law, m).slope;
                assert!((slope / by_difference - 1.0).abs() < 1e-6, "{law:?} {m}: {slope} {by_difference}");
            }
        }
    }

    #[test]
    fn factors_by_hand() {
        // d = 0.1 m, k = 0.1 mm, Re = 1e5: Moody's diagram gives 0.0222.
        let m = 1e5 * 1e-3 * bore(false).area_m2() / 0.1;
        let at = |law: FrictionLaw| bore(false).loss(law, m);
        assert!((at(FrictionLaw::Nikuradse).reynolds - 1e5).abs() < 1e-6);
        let colebrook = at(FrictionLaw::PrandtlColebrook).lambda;
        let implicit = colebrook.powf(-0.5) + 2.0 * (2.51 / (1e5 * colebrook.sqrt()) + 1e-3 / 3.71).log10();
        assert!(implicit.abs() < 1e-12 && (colebrook - 0.0222).abs() < 1e-4, "{colebrook}");
        assert!((at(FrictionLaw::SwameeJain).lambda / colebrook - 1.0).abs() < 0.01);
        assert!((at(FrictionLaw::Nikuradse).lambda - 64e-5 - (2.0 * 3710_f64.log10()).powi(-2)).abs() < 1e-14);
    }

    #[test]
    fn losses_rise_with_flow_from_nothing() {
        for law in LAWS {
            let terms: Vec<f64> = (0..2000).map(|n| bore(false).loss(law, 1e-6 * 1.01_f64.powi(n)).term).collect();
            assert!(bore(true).loss(law, 0.0).term.abs() <= 0.0);
            assert!(terms.windows(2).all(|pair| pair[0] < pair[1]), "{law:?}");
        }
    }
}
