//! Curves of straight lines through points, constant beyond their ends, and those that grid codes state as defaults.
//!
//! Sources: IEEE Std 1547-2018, tables 8 (voltage-reactive power) and 10 (voltage-active power), category B;
//! VDE-AR-N 4105:2018-11, section 5.7.2 (Q(U), cos phi(P)). Figures and places are recalled, not copied.
//! Contract: pure functions.

/// A curve: values at ascending places.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Places, ascending, and values.
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    /// Through points.
    #[must_use]
    pub fn new(points: &[(f64, f64)]) -> Self {
        Self { points: points.to_vec() }
    }
    /// Reactive power by voltage of IEEE 1547-2018, category B: 44 % of the rated apparent power at 0.92 per unit,
    /// none from 0.98 to 1.02, drawn at 1.08.
    #[must_use]
    pub fn ieee_1547_b_volt_var() -> Self {
        Self::new(&[(0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44)])
    }
    /// Active power by voltage of IEEE 1547-2018, category B: all up to 1.06 per unit, 20 % of the rated one at 1.10.
    #[must_use]
    pub fn ieee_1547_b_volt_watt() -> Self {
        Self::new(&[(1.06, 1.0), (1.10, 0.2)])
    }
    /// Reactive power by voltage of VDE-AR-N 4105: that of `cos phi = 0.9` at the rated apparent power at 0.93 per unit,
    /// none from 0.97 to 1.03, drawn at 1.07.
    #[must_use]
    pub fn vde_4105_volt_var() -> Self {
        let most = (1.0_f64 - 0.9 * 0.9).sqrt();
        Self::new(&[(0.93, most), (0.97, 0.0), (1.03, 0.0), (1.07, -most)])
    }
    /// Power factor by share of rated active power of VDE-AR-N 4105: 1 up to one half, 0.9 at all of it.
    #[must_use]
    pub fn vde_4105_power_factor() -> Self {
        Self::new(&[(0.5, 1.0), (1.0, 0.9)])
    }
    /// Value and slope at a place; at a point, those of the line that begins there.
    #[must_use]
    pub fn at(&self, x: f64) -> (f64, f64) {
        let after = self.points.partition_point(|&(place, _)| place <= x);
        let (Some(&(x0, y0)), Some(&(x1, y1))) =
            (after.checked_sub(1).and_then(|before| self.points.get(before)), self.points.get(after))
        else {
            let end = if after == 0 { self.points.first() } else { self.points.last() };
            return (end.map_or(0.0, |&(_, y)| y), 0.0);
        };
        let slope = (y1 - y0) / (x1 - x0);
        (y0 + slope * (x - x0), slope)
    }
}

#[cfg(test)]
mod tests {
    use super::Curve;

    #[test]
    fn lines_between_points_and_constant_beyond() {
        let curve = Curve::ieee_1547_b_volt_var();
        assert_eq!(curve.at(0.5), (0.44, 0.0));
        assert_eq!(curve.at(1.0), (0.0, 0.0));
        assert_eq!(curve.at(2.0), (-0.44, 0.0));
        let (value, slope) = curve.at(1.05);
        assert!((value + 0.22).abs() < 1e-12 && (slope + 0.44 / 0.06).abs() < 1e-12, "{value} {slope}");
        assert_eq!(Curve::default().at(1.0), (0.0, 0.0));
        assert_eq!(Curve::new(&[(1.0, 3.0)]).at(7.0), (3.0, 0.0));
    }
}
