//! One plane of a subcatchment: its depth over a step, and what runs off.

use super::super::units::FOOT_M;

/// Depth below which nothing runs off, 1e-10 ft.
const NO_DEPTH_M: f64 = 1e-10 * FOOT_M;
/// Relative tolerance of depths.
const TOLERANCE: f64 = 1e-4;

/// One plane.
pub(super) struct Plane {
    /// Flow over depth^(5/3), m^(-2/3)/s.
    pub(super) alpha: f64,
    /// Water it holds back, m.
    pub(super) depression_m: f64,
    /// Whether it slows water down; otherwise all runs off at once.
    pub(super) is_rough: bool,
}

/// x^(5/3): a cube root takes half the time of a power.
fn five_thirds(x: f64) -> f64 {
    let root = x.cbrt();
    x * root * root
}

impl Plane {
    /// Depth after a step; tells how long it was above the depression storage, s.
    pub(super) fn fill(&self, depth: &mut f64, inflow_mps: f64, step_s: f64) -> f64 {
        let mut left_s = step_s;
        if *depth + inflow_mps * left_s <= self.depression_m {
            *depth += inflow_mps * left_s;
        } else {
            let missing = self.depression_m - *depth;
            if missing > 0.0 && inflow_mps > 0.0 {
                left_s -= missing / inflow_mps;
                *depth = self.depression_m;
            }
            if self.alpha > 0.0 && left_s > 0.0 {
                *depth = self.integrate(*depth, inflow_mps, left_s);
            } else {
                left_s = left_s.max(0.0);
                *depth += inflow_mps * left_s;
            }
        }
        *depth = depth.max(0.0);
        left_s
    }
    /// Runoff of a depth, m/s. A smooth plane loses all it has above the depression storage.
    pub(super) fn runoff(&self, depth: &mut f64, runs_s: f64) -> f64 {
        let above = *depth - self.depression_m;
        if above <= NO_DEPTH_M {
            return 0.0;
        }
        if self.is_rough {
            return self.alpha * five_thirds(above);
        }
        *depth = self.depression_m;
        if runs_s > 0.0 { above / runs_s } else { 0.0 }
    }
    fn change(&self, depth: f64, inflow: f64) -> f64 {
        inflow - self.alpha * five_thirds((depth - self.depression_m).max(0.0))
    }
    /// Cash and Karp's pair of orders 5 and 4 with a step that follows its error.
    fn integrate(&self, mut depth: f64, inflow: f64, length_s: f64) -> f64 {
        let (mut at_s, mut step_s) = (0.0, length_s);
        for _ in 0..10_000 {
            let first = self.change(depth, inflow);
            let scale = depth.abs() + (first * step_s).abs() + 1e-6 * FOOT_M;
            let (next, error) = self.pair(depth, inflow, first, step_s);
            let relative = error.abs() / scale / TOLERANCE;
            if relative > 1.0 {
                step_s *= (0.9 * relative.powf(-0.25)).max(0.1);
                continue;
            }
            depth = next;
            at_s += step_s;
            if at_s >= length_s {
                break;
            }
            let growth = if relative > 1.89e-4 { 0.9 * relative.powf(-0.2) } else { 5.0 };
            step_s = (step_s * growth).min(length_s - at_s);
        }
        depth
    }
    fn pair(&self, y: f64, inflow: f64, k1: f64, h: f64) -> (f64, f64) {
        let change = |depth: f64| self.change(depth, inflow);
        let k2 = change(y + h * 0.2 * k1);
        let k3 = change(y + h * (0.075 * k1 + 0.225 * k2));
        let k4 = change(y + h * (0.3 * k1 - 0.9 * k2 + 1.2 * k3));
        let k5 = change(y + h * (-11.0 / 54.0 * k1 + 2.5 * k2 - 70.0 / 27.0 * k3 + 35.0 / 27.0 * k4));
        let k6 = change(
            y + h
                * (1631.0 / 55_296.0 * k1
                    + 175.0 / 512.0 * k2
                    + 575.0 / 13_824.0 * k3
                    + 44_275.0 / 110_592.0 * k4
                    + 253.0 / 4096.0 * k5),
        );
        let fifth = [37.0 / 378.0, 250.0 / 621.0, 125.0 / 594.0, 0.0, 512.0 / 1771.0];
        let fourth = [2825.0 / 27_648.0, 18_575.0 / 48_384.0, 13_525.0 / 55_296.0, 277.0 / 14_336.0, 0.25];
        let of = |weights: &[f64; 5]| {
            weights[0] * k1 + weights[1] * k3 + weights[2] * k4 + weights[3] * k5 + weights[4] * k6
        };
        (y + h * of(&fifth), h * (of(&fifth) - of(&fourth)))
    }
}
