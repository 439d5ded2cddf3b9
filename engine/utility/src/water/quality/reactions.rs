//! Reactions of a chemical: in the water by an order and a limit, at walls by the order 0 or 1 as far as the chemical gets
//! there.
//!
//! Bulk: `r = k c^n`; with a limit `L`, `k (L - c) c^(n-1)` of what grows to it and `k (c - L) c^(n-1)` of what decays to
//! it; of order below 0 `k c / (L - c)` or `k c / (L + c)`. Wall, order 1: `4/d kw kf / (kf + |kw|) c`; order 0: `4/d` times
//! `kw` or, where less gets there, `kf c`. Mass transfer `kf = Sh D / d`: Sherwood's number is 2 at rest, of Graetz in
//! laminar, of Notter and Sleicher in turbulent flow. Source: EPANET 2.2 Users Manual, ch. 3.4; Rossman, Clark, Grayman 1994.
//!
//! Contract: pure functions.

use std::f64::consts::FRAC_PI_4;

/// Smallest denominator of the order below 0.
const TINY: f64 = 1e-6;

/// Rate of a reaction in the water, kg/m3/s; `k` by [`crate::water::network::Quality::bulk_per_s`].
pub(super) fn bulk_rate(c: f64, k: f64, order: f64, limit: f64) -> f64 {
    let toward = if limit.abs() > 0.0 { (k.signum() * (limit - c)).max(0.0) } else { c };
    let potential = if order.abs() <= 0.0 {
        1.0
    } else if order < 0.0 {
        let sum = limit + k.signum() * c;
        // In the unit of the file this is 1e-6 mg/L.
        let least = 1e-3 * TINY;
        c / if sum.abs() < least { least.copysign(sum) } else { sum }
    } else if (order - 1.0).abs() <= 0.0 {
        toward
    } else {
        toward * c.max(0.0).powf(order - 1.0)
    };
    k * potential.max(0.0)
}

/// Pipe with flow, for what gets to its wall.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wall {
    pub(super) diameter_m: f64,
    pub(super) length_m: f64,
    pub(super) flow_m3ps: f64,
    pub(super) viscosity_m2ps: f64,
    pub(super) diffusivity_m2ps: f64,
}

impl Wall {
    /// Mass transfer to the wall, m/s; infinite without a diffusivity.
    pub(super) fn transfer_mps(&self) -> f64 {
        let d = self.diameter_m;
        if self.diffusivity_m2ps <= 0.0 {
            return f64::INFINITY;
        }
        let schmidt = self.viscosity_m2ps / self.diffusivity_m2ps;
        let reynolds = self.flow_m3ps.abs() / (FRAC_PI_4 * d * d) * d / self.viscosity_m2ps;
        let sherwood = if reynolds < 1.0 {
            2.0
        } else if reynolds >= 2300.0 {
            0.0149 * reynolds.powf(0.88) * schmidt.powf(0.333)
        } else {
            let y = d / self.length_m * reynolds * schmidt;
            3.65 + 0.0668 * y / (1.0 + 0.04 * y.powf(0.667))
        };
        sherwood * self.diffusivity_m2ps / d
    }

    /// What multiplies the concentration in a reaction of order 1, 1/s.
    pub(super) fn first_order_per_s(&self, wall_mps: f64) -> f64 {
        let kf = self.transfer_mps();
        let overall = if kf.is_finite() { wall_mps * kf / (kf + wall_mps.abs()) } else { wall_mps };
        4.0 / self.diameter_m * overall
    }
}

/// Rate of a wall reaction of order 0, kg/m3/s: of the wall, or of what gets there.
pub(super) fn zero_order_rate(c: f64, diameter_m: f64, wall_kgpm2s: f64, transfer_mps: f64) -> f64 {
    // Nothing gets there of nothing, also where transfer is without limit.
    let arrives = if c > 0.0 { c * transfer_mps } else { 0.0 };
    wall_kgpm2s.signum() * wall_kgpm2s.abs().min(arrives) * 4.0 / diameter_m
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(value: f64, expected: f64) {
        assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1e-12), "{value}, expected {expected}");
    }

    #[test]
    fn bulk_orders_and_limits() {
        is(bulk_rate(2.0, -0.5, 1.0, 0.0), -1.0);
        is(bulk_rate(2.0, -0.5, 0.0, 0.0), -0.5);
        is(bulk_rate(2.0, -0.5, 2.0, 0.0), -2.0);
        is(bulk_rate(4.0, -0.5, 1.5, 0.0), -4.0);
        is(bulk_rate(2.0, 0.5, 1.0, 3.0), 0.5);
        is(bulk_rate(4.0, 0.5, 1.0, 3.0), 0.0);
        is(bulk_rate(4.0, -0.5, 2.0, 3.0), -2.0);
        is(bulk_rate(4.0, -0.5, -1.0, 6.0), -1.0);
    }

    #[test]
    fn walls() {
        let wall =
            Wall { diameter_m: 0.2, length_m: 100.0, flow_m3ps: 0.0, viscosity_m2ps: 1e-6, diffusivity_m2ps: 1.2e-9 };
        is(wall.transfer_mps(), 2.0 * 1.2e-9 / 0.2);
        // Re = 4 q / (pi d nu).
        let at = |reynolds: f64| Wall { flow_m3ps: -reynolds * 0.2 * 1e-6 * FRAC_PI_4, ..wall };
        let sherwood = |reynolds| at(reynolds).transfer_mps() * 0.2 / 1.2e-9;
        let schmidt = 1e-6 / 1.2e-9_f64;
        is(sherwood(1e5), 0.0149 * 1e5_f64.powf(0.88) * schmidt.powf(0.333));
        let y = 0.2 / 100.0 * 1000.0 * schmidt;
        is(sherwood(1000.0), 3.65 + 0.0668 * y / (1.0 + 0.04 * y.powf(0.667)));
        // Half of a wall as fast as the transfer.
        let kf = at(1e5).transfer_mps();
        is(at(1e5).first_order_per_s(-kf), -0.5 * kf * 20.0);
        is(Wall { diffusivity_m2ps: 0.0, ..wall }.first_order_per_s(-1e-5), -2e-4);
        is(zero_order_rate(2.0, 0.2, -1e-3, 1.0), -0.02);
        is(zero_order_rate(2.0, 0.2, -1e-3, 1e-4), -4e-3);
        is(zero_order_rate(0.0, 0.2, -1e-3, f64::INFINITY), 0.0);
    }
}
