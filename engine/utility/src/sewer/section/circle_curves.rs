//! Section factor, depth and area of circles read from curves, for kernels that ask for them millions of times.
//!
//! Shares of a full circle: factor and depth over area, area over factor. A curve has 64 nodes in each power of two of its
//! argument and is cubic between them, with the slopes of [`Section`]'s closed forms at its nodes; it is off them by
//! about 1e-8. Near the full circle, where curves have infinite slopes, below 1e-12 and for other shapes the closed
//! forms themselves are asked. Contract: pure functions of what is asked.

use super::{Section, Shape};

/// Bits of the mantissa that number the nodes within a power of two.
const NODE_BITS: u32 = 6;
const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - NODE_BITS;
/// Least argument, 2^-40.
const LOW: f64 = 1.0 / (1_u64 << 40) as f64;
/// Greatest share of the area and of the factor.
const HIGH: f64 = 0.85;

/// A curve: value and slope at its nodes.
#[derive(Clone, Debug)]
struct Curve {
    nodes: Vec<[f64; 2]>,
}

impl Curve {
    fn new(at: impl Fn(f64) -> [f64; 2]) -> Self {
        let rows = (1.0_f64.to_bits() >> SHIFT) - (LOW.to_bits() >> SHIFT);
        Self { nodes: (0..rows).map(|row| at(f64::from_bits(LOW.to_bits() + (row << SHIFT)))).collect() }
    }
    /// Value and slope, within `LOW` and `HIGH`.
    fn at(&self, x: f64) -> (f64, f64) {
        let row = x.to_bits() >> SHIFT;
        let (from, to) = (f64::from_bits(row << SHIFT), f64::from_bits((row + 1) << SHIFT));
        let width = to - from;
        let t = (x - from) / width;
        let at = (row - (LOW.to_bits() >> SHIFT)) as usize;
        let ([a, slope_a], [b, slope_b]) = (self.nodes[at], self.nodes[at + 1]);
        let (p, q) = (width * slope_a, width * slope_b);
        // a + p t + c2 t^2 + c3 t^3
        let (c2, c3) = (3.0 * (b - a) - 2.0 * p - q, 2.0 * (a - b) + p + q);
        (a + t * (p + t * (c2 + t * c3)), (p + t * (2.0 * c2 + 3.0 * t * c3)) / width)
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct CircleCurves {
    factor: Curve,
    depth: Curve,
    area: Curve,
}

impl CircleCurves {
    /// Curves of a circle.
    pub(crate) fn new() -> Self {
        let Some(one) = Section::circular(1.0) else { unreachable!("one metre is a diameter") };
        let (area, factor) = (one.a_full_m2, one.s_full);
        let factor_of = |share: f64| {
            let (value, slope) = one.factor_and_slope(share * area);
            [value / factor, slope * area / factor]
        };
        let depth_of = |share: f64| {
            let depth = one.depth(share * area);
            [depth, area / one.width(depth)]
        };
        let area_of = |share: f64| {
            let found = one.area_of_factor(share * factor) / area;
            [found, 1.0 / factor_of(found)[1]]
        };
        Self { factor: Curve::new(factor_of), depth: Curve::new(depth_of), area: Curve::new(area_of) }
    }
    /// Section factor and how it grows with area, as [`Section::factor_and_slope`].
    pub(crate) fn factor_and_slope(&self, section: &Section, a_m2: f64) -> (f64, f64) {
        let share = a_m2 / section.a_full_m2;
        if section.shape == Shape::Circular && (LOW..HIGH).contains(&share) {
            let (value, slope) = self.factor.at(share);
            return (section.s_full * value, section.s_full / section.a_full_m2 * slope);
        }
        section.factor_and_slope(a_m2)
    }
    /// The area of a section factor, as [`Section::area_of_factor`].
    pub(crate) fn area_of_factor(&self, section: &Section, s: f64) -> f64 {
        let share = s / section.s_full;
        if section.shape == Shape::Circular && (LOW..HIGH).contains(&share) {
            return section.a_full_m2 * self.area.at(share).0;
        }
        section.area_of_factor(s)
    }
    /// Depth of an area, as [`Section::depth`].
    pub(crate) fn depth(&self, section: &Section, a_m2: f64) -> f64 {
        let share = a_m2 / section.a_full_m2;
        if section.shape == Shape::Circular && (LOW..HIGH).contains(&share) {
            return section.y_full_m * self.depth.at(share).0;
        }
        section.depth(a_m2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_the_closed_forms() {
        let curves = CircleCurves::new();
        for diameter_m in [0.15, 1.0, 3.6] {
            let section = Section::circular(diameter_m).expect("a circle");
            let mut worst = [0.0_f64; 4];
            let mut share = 1e-13_f64;
            while share < 1.0 {
                let a_m2 = share * section.a_full_m2;
                let (factor, slope) = section.factor_and_slope(a_m2);
                let (read, read_slope) = curves.factor_and_slope(&section, a_m2);
                let off = |read: f64, closed: f64| (read / closed - 1.0).abs();
                let mut keep = |row: usize, off: f64| worst[row] = worst[row].max(off);
                keep(0, off(read, factor));
                keep(1, (read_slope - slope).abs() * a_m2 / factor);
                keep(2, off(curves.depth(&section, a_m2), section.depth(a_m2)));
                let s = share * section.s_full;
                keep(3, off(curves.area_of_factor(&section, s), section.area_of_factor(s)));
                share *= 1.000_7;
            }
            assert!(worst[0] < 1e-7 && worst[1] < 1e-5 && worst[2] < 1e-7 && worst[3] < 1e-7, "{worst:?}");
        }
    }

    #[test]
    fn slopes_of_the_closed_forms_are_those_of_differences() {
        let section = Section::circular(1.3).expect("a circle");
        for share in [1e-6, 1e-3, 0.1, 0.4, 0.6, 0.9, 0.95] {
            let (a_m2, h) = (share * section.a_full_m2, 1e-5 * share * section.a_full_m2);
            let difference = (section.factor(a_m2 + h) - section.factor(a_m2 - h)) / (2.0 * h);
            let slope = section.factor_and_slope(a_m2).1;
            let scale = section.factor(a_m2) / a_m2;
            assert!((slope - difference).abs() < 1e-6 * scale, "{share}: {slope} for {difference}");
        }
    }
}
