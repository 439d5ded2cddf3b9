//! Travel cost of a link as its flow grows: `cost(x) = t0 * (1 + b * (x / capacity)^power) + fixed_cost`
//! (Bureau of Public Roads 1964, with a fixed generalised part for tolls and distance).
//!
//! `power = 0` is the constant `t0 * (1 + b)`. Where `t0 * b` is 0 the capacity does not matter and may be 0.
//! What is ignored: anything that is not separable (the cost of a link depends on its own flow alone).
//! Contract: pure functions; whole powers are products, so that they are the same on every platform.

/// Cost function of one link, constants folded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VolumeDelay {
    /// Cost without the part that grows, in units of cost.
    base: f64,
    /// `t0 * b`, in units of cost.
    rise: f64,
    /// One over the capacity, 0 where it does not matter.
    per_capacity: f64,
    exponent: Exponent,
}

#[derive(Clone, Copy, Debug)]
enum Exponent {
    /// A whole number from 1.
    Whole(u32),
    /// Any other positive number.
    Real(f64),
}

/// Whole powers up to this are multiplied out.
const MOST_FACTORS: f64 = 64.0;

impl VolumeDelay {
    /// Folds the constants of one link. The caller has checked that they make sense.
    pub(crate) fn new(t0: f64, capacity: f64, b: f64, power: f64, fixed_cost: f64) -> Self {
        let rise = t0 * b;
        let constant = rise <= 0.0 || power <= 0.0;
        if constant {
            let base = t0 + fixed_cost + if power <= 0.0 { rise } else { 0.0 };
            return Self { base, rise: 0.0, per_capacity: 0.0, exponent: Exponent::Whole(1) };
        }
        let whole = power.fract().abs() < f64::MIN_POSITIVE && power <= MOST_FACTORS;
        let exponent = if whole { Exponent::Whole(power as u32) } else { Exponent::Real(power) };
        Self { base: t0 + fixed_cost, rise, per_capacity: 1.0 / capacity, exponent }
    }

    /// Cost and its derivative at a flow.
    #[inline]
    pub(crate) fn at(&self, flow: f64) -> (f64, f64) {
        let load = flow * self.per_capacity;
        match self.exponent {
            Exponent::Whole(power) => {
                let below = if power == 4 { load * load * load } else { product(load, power - 1) };
                let grown = self.rise * below;
                (self.base + grown * load, grown * f64::from(power) * self.per_capacity)
            }
            Exponent::Real(power) => {
                let grown = self.rise * load.powf(power);
                let slope = if load > 0.0 {
                    grown * power / flow
                } else if power > 1.0 {
                    0.0
                } else {
                    f64::INFINITY
                };
                (self.base + grown, slope)
            }
        }
    }

    /// Cost integrated from 0 to a flow: the link's part of the Beckmann objective.
    pub(crate) fn integral(&self, flow: f64) -> f64 {
        let load = flow * self.per_capacity;
        let (raised, power) = match self.exponent {
            Exponent::Whole(power) => (product(load, power), f64::from(power)),
            Exponent::Real(power) => (load.powf(power), power),
        };
        flow * (self.base + self.rise * raised / (power + 1.0))
    }
}

/// `x^n` by squaring.
#[inline]
fn product(x: f64, n: u32) -> f64 {
    let (mut result, mut square, mut left) = (1.0, x, n);
    while left > 0 {
        if left & 1 == 1 {
            result *= square;
        }
        square *= square;
        left >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn constants_and_zeros() {
        assert_eq!(VolumeDelay::new(6.0, 0.0, 0.0, 4.0, 1.5).at(100.0), (7.5, 0.0));
        assert_eq!(VolumeDelay::new(0.0, 0.0, 0.15, 4.0, 1.5).at(100.0), (1.5, 0.0));
        assert_eq!(VolumeDelay::new(6.0, 10.0, 0.5, 0.0, 1.0).at(0.0), (10.0, 0.0));
        assert!((VolumeDelay::new(6.0, 10.0, 0.5, 0.0, 1.0).integral(3.0) - 30.0).abs() < 1e-12);
        // The steep link of Braess: 1e-8 + 10 x.
        let (cost, slope) = VolumeDelay::new(1e-8, 1.0, 1e9, 1.0, 0.0).at(4.0);
        assert!((cost - 40.000_000_01).abs() < 1e-13 && (slope - 10.0).abs() < 1e-13);
        assert!(VolumeDelay::new(1.0, 1.0, 1.0, 0.5, 0.0).at(0.0).1.is_infinite());
    }

    proptest! {
        #[test]
        fn slope_and_integral_belong_to_the_cost(
            t0 in 0.0..10.0, capacity in 0.5..100.0, b in 0.0..3.0, whole in any::<bool>(), power in 0.5..7.0,
            fixed in 0.0..5.0, load in 0.1..2.0,
        ) {
            let power = if whole { f64::round(power) } else { power };
            let delay = VolumeDelay::new(t0, capacity, b, power, fixed);
            let (x, h) = (load * capacity, 1e-5 * capacity);
            let (cost, slope) = delay.at(x);
            let direct = t0 * (1.0 + b * (x / capacity).powf(power)) + fixed;
            prop_assert!((cost - direct).abs() <= 1e-11 * (1.0 + direct));
            let numeric = (delay.at(x + h).0 - delay.at(x - h).0) / (2.0 * h);
            prop_assert!((slope - numeric).abs() <= 1e-5 * (1.0 + slope.abs()));
            let area = (delay.integral(x + h) - delay.integral(x - h)) / (2.0 * h);
            prop_assert!((cost - area).abs() <= 1e-5 * (1.0 + cost));
            prop_assert!(delay.integral(0.0).abs() < 1e-300);
        }
    }
}
