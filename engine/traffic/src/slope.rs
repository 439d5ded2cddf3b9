//! Bicycle and walking speeds by slope.
//!
//! Walking: Tobler (1993), "Three presentations on geographical analysis and modeling": speed falls as
//! `exp(-3.5 |slope + 0.05|)`, scaled here so that the flat speed is the given one. Cycling: the power balance of
//! Martin et al. (1998), `P = (m g (slope + c_r) + 1/2 rho c_d A v^2) v` for small slopes, with the power that
//! gives the flat speed on the flat and rises with the slope by the ratio Parkin and Rotheram (2010) estimated for
//! everyday cyclists: about 150 W on the flat, 250 W uphill. Downhill nobody rides faster than a bound (they
//! recommend 35 km/h as design speed there). Where pushing is faster, people push.
//!
//! Mass, rolling and air resistance are common values, not measurements. The slope at which the full power is
//! reached is an assumption.
//! Ignored: wind, surface, acceleration, junctions, fatigue; slopes change within a link.
//! Contract: pure functions; an unknown (NaN) slope counts as flat.

/// Steepest slope that counts: beyond it the heights are doubted, not the people.
pub const SLOPE_MAX: f64 = 0.5;

/// Rider, bicycle and luggage, kilograms.
const MASS_KG: f64 = 90.0;
/// Gravity, m/s2.
const GRAVITY_MPS2: f64 = 9.81;
/// Rolling resistance, share of the weight.
const ROLLING: f64 = 0.008;
/// Half the air's density times drag area of an upright rider, kg/m.
const DRAG_KGPM: f64 = 0.5 * 1.2 * 0.6;
/// Power uphill against power on the flat (Parkin and Rotheram 2010).
const UPHILL_POWER: f64 = 250.0 / 150.0;
/// Slope from which it is reached.
const UPHILL_SLOPE: f64 = 0.04;
/// Fastest downhill, m/s: 35 km/h (Parkin and Rotheram 2010).
const DOWNHILL_MPS: f64 = 35.0 / 3.6;
/// Pushing a bicycle against walking; an assumption.
const PUSHING: f64 = 0.8;

/// Speeds of somebody on the flat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlatSpeeds {
    /// Walking, m/s, > 0. Tobler's own is 1.40.
    pub walk_mps: f64,
    /// Cycling, m/s, > 0.
    pub cycle_mps: f64,
}

impl Default for FlatSpeeds {
    /// 5 km/h and 16 km/h, common planning values.
    fn default() -> Self {
        Self { walk_mps: 5.0 / 3.6, cycle_mps: 16.0 / 3.6 }
    }
}

/// Slope between two heights over a length, rise over way, bounded by [`SLOPE_MAX`]; 0 where a height is unknown or
/// the length is not positive.
#[must_use]
pub fn slope(from_m: f64, to_m: f64, length_m: f64) -> f64 {
    let slope = (to_m - from_m) / length_m;
    if slope.is_finite() && length_m > 0.0 { slope.clamp(-SLOPE_MAX, SLOPE_MAX) } else { 0.0 }
}

fn known(slope: f64) -> f64 {
    if slope.is_nan() { 0.0 } else { slope.clamp(-SLOPE_MAX, SLOPE_MAX) }
}

/// Walking speed on a slope, m/s.
#[must_use]
pub fn walk_mps(slope: f64, flat_mps: f64) -> f64 {
    flat_mps * (-3.5 * ((known(slope) + 0.05).abs() - 0.05)).exp()
}

/// Speed of somebody who pushes a bicycle, m/s.
#[must_use]
pub fn push_mps(slope: f64, flat: FlatSpeeds) -> f64 {
    PUSHING * walk_mps(slope, flat.walk_mps)
}

/// Cycling speed on a slope, m/s: riding or, where that is faster, pushing.
#[must_use]
pub fn cycle_mps(slope: f64, flat: FlatSpeeds) -> f64 {
    let slope = known(slope);
    let power =
        |speed: f64, slope: f64| (MASS_KG * GRAVITY_MPS2 * (slope + ROLLING) + DRAG_KGPM * speed * speed) * speed;
    let effort = 1.0 + (UPHILL_POWER - 1.0) * (slope / UPHILL_SLOPE).clamp(0.0, 1.0);
    let wanted = power(flat.cycle_mps, 0.0) * effort;
    let fastest = DOWNHILL_MPS.max(flat.cycle_mps);
    // Power is below zero, then rises, so the speed for a positive one is unique. Halving 60 times leaves nothing.
    let (mut low, mut high) = (0.0, fastest);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if power(middle, slope) < wanted { low = middle } else { high = middle }
    }
    high.max(push_mps(slope, flat))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tobler_says_so() {
        // Values of his function, km/h: 6 at -5 %, 5.04 on the flat, 6 exp(-0.525) at 10 %.
        let flat = 6.0 * (-0.175_f64).exp();
        for (slope, kmh) in [(-0.05, 6.0), (0.0, 5.036_742), (0.1, 3.549_331), (-0.15, 4.228_129)] {
            assert!((walk_mps(slope, flat / 3.6) * 3.6 - kmh).abs() < 1e-5, "{slope}");
        }
        assert!((walk_mps(f64::NAN, 1.3) - 1.3).abs() < 1e-12);
    }

    #[test]
    fn cycling_keeps_the_power_balance() {
        let flat = FlatSpeeds::default();
        assert!((cycle_mps(0.0, flat) - flat.cycle_mps).abs() < 1e-9);
        // Uphill at 4 % by hand: 250/150 of the flat power against slope, tyres and air.
        let speed = cycle_mps(0.04, flat);
        let forces = 90.0 * 9.81 * 0.048 + 0.36 * speed * speed;
        let flat_forces = 90.0 * 9.81 * 0.008 + 0.36 * flat.cycle_mps * flat.cycle_mps;
        assert!((forces * speed / (flat_forces * flat.cycle_mps) - 5.0 / 3.0).abs() < 1e-9);
        assert!((cycle_mps(-0.1, flat) - 35.0 / 3.6).abs() < 1e-9);
        assert!((cycle_mps(0.3, flat) - push_mps(0.3, flat)).abs() < 1e-12);
    }

    #[test]
    fn speeds_are_bounded_and_fall_uphill() {
        for flat in [FlatSpeeds::default(), FlatSpeeds { walk_mps: 0.6, cycle_mps: 2.5 }] {
            let slopes: Vec<f64> = (-100..=100).map(|of| f64::from(of) / 100.0).collect();
            for pair in slopes.windows(2) {
                assert!(pair[0] < -0.05 || walk_mps(pair[1], flat.walk_mps) <= walk_mps(pair[0], flat.walk_mps));
                assert!(pair[0] < -0.06 || cycle_mps(pair[1], flat) <= cycle_mps(pair[0], flat) + 1e-9);
            }
            let all = slopes.iter().flat_map(|&of| [walk_mps(of, flat.walk_mps), cycle_mps(of, flat)]);
            assert!(all.into_iter().all(|speed| (0.05..=10.0).contains(&speed)));
        }
    }

    #[test]
    fn slopes_of_what_is_unknown_are_flat() {
        assert!((slope(10.0, 15.0, 100.0) - 0.05).abs() < 1e-12);
        let odd = [(f64::NAN, 1.0, 9.0), (1.0, f64::NAN, 9.0), (1.0, 2.0, 0.0), (1.0, 2.0, -3.0), (1.0, 2.0, f64::NAN)];
        assert!(odd.into_iter().all(|(a, b, length)| slope(a, b, length).abs() < 1e-300));
        assert!((slope(0.0, 900.0, 3.0) - SLOPE_MAX).abs() < 1e-12);
    }
}
