//! Resilience of a service: what it lost over a time, and how fast it came back.
//!
//! The quality `Q(t)` of a service is the share of those who are to be served who are, 1 where all is well. After
//! M. Bruneau et al., A framework to quantitatively assess and enhance the seismic resilience of communities, Earthquake
//! Spectra 19, 2003:
//!
//! ```text
//! loss = integral of (1 - Q) dt            robustness = lowest Q
//! rapidity = (1 - lowest Q) / (time from the first moment of the lowest Q until all is back)
//! ```
//!
//! Recovery to a share `r` is the time from the first loss until `Q` is, for good, at `1 - (1 - r)(1 - lowest Q)` or above:
//! to 1/2 half of what was lost at the worst is back.
//!
//! Contract: exact on curves that are constant or straight between points; a pure function of the points.

/// What holds between points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// The value of the point before.
    #[default]
    Constant,
    /// A straight line. Two points at one time are a jump.
    Linear,
}

/// Quality over time; columns by point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Times, not descending, seconds; the last is the end.
    pub time_s: Vec<f64>,
    /// Quality from 0 to 1.
    pub quality: Vec<f64>,
    /// What holds between.
    pub shape: Shape,
}

/// Shares of which recovery is told.
pub const SHARES: [f64; 3] = [0.5, 0.9, 1.0];

/// Figures of a curve.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Resilience {
    /// Integral of what is missing, seconds.
    pub loss_s: f64,
    /// Lowest quality: robustness. 1 of an empty curve.
    pub lowest: f64,
    /// When quality is first below 1; nothing where it never is.
    pub onset_s: Option<f64>,
    /// When it is lowest first.
    pub lowest_s: f64,
    /// Time from the onset until each of [`SHARES`] is back for good; nothing where it is not by the end.
    pub recovery_s: [Option<f64>; 3],
    /// Rapidity, 1/s; nothing where nothing was lost, all came back at once, or not all came back.
    pub rapidity_per_s: Option<f64>,
}

/// A stretch of a curve.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from_s: f64,
    until_s: f64,
    first: f64,
    last: f64,
}

impl Curve {
    fn stretches(&self) -> impl DoubleEndedIterator<Item = Stretch> + '_ {
        (1..self.time_s.len()).map(|at| {
            let first = self.quality[at - 1];
            let last = if self.shape == Shape::Linear { self.quality[at] } else { first };
            Stretch { from_s: self.time_s[at - 1], until_s: self.time_s[at], first, last }
        })
    }

    /// Its figures.
    #[must_use]
    pub fn resilience(&self) -> Resilience {
        let mut of = Resilience { lowest: 1.0, ..Resilience::default() };
        for stretch in self.stretches() {
            let Stretch { from_s, until_s, first, last } = stretch;
            of.loss_s += (1.0 - 0.5 * (first + last)) * (until_s - from_s);
            // What lasts no time at all has no lowest value of its own: its ends belong to its neighbours.
            if until_s > from_s {
                if of.onset_s.is_none() && first.min(last) < 1.0 {
                    of.onset_s = Some(from_s);
                }
                for (time_s, quality) in [(from_s, first), (until_s, last)] {
                    if quality < of.lowest {
                        (of.lowest, of.lowest_s) = (quality, time_s);
                    }
                }
            }
        }
        let Some(onset_s) = of.onset_s else {
            of.recovery_s = [Some(0.0); 3];
            return of;
        };
        let back_s = SHARES.map(|share| self.last_below(1.0 - (1.0 - share) * (1.0 - of.lowest)));
        of.recovery_s = back_s.map(|time_s| time_s.map(|time_s| (time_s - onset_s).max(0.0)));
        of.rapidity_per_s =
            back_s[2].filter(|&time_s| time_s > of.lowest_s).map(|time_s| (1.0 - of.lowest) / (time_s - of.lowest_s));
        of
    }

    /// The time after which quality is at a level or above for good; nothing where it is below at the end.
    fn last_below(&self, level: f64) -> Option<f64> {
        let of_time = self.stretches().rev().filter(|stretch| stretch.until_s > stretch.from_s);
        for (at, stretch) in of_time.enumerate() {
            let Stretch { from_s, until_s, first, last } = stretch;
            if last < level {
                return (at > 0).then_some(until_s);
            }
            if first < level {
                return Some(from_s + (level - first) / (last - first) * (until_s - from_s));
            }
        }
        self.time_s.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)], shape: Shape) -> Curve {
        let (time_s, quality) = points.iter().copied().unzip();
        Curve { time_s, quality, shape }
    }

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-12, "{found}, expected {wanted}");
    }

    #[test]
    fn a_triangle_as_in_bruneau() {
        // Falls by 0.6 at 100 s and comes back straight in 200 s: loss is half of height times length.
        let of =
            curve(&[(0.0, 1.0), (100.0, 1.0), (100.0, 0.4), (300.0, 1.0), (500.0, 1.0)], Shape::Linear).resilience();
        near(of.loss_s, 0.5 * 0.6 * 200.0);
        near(of.lowest, 0.4);
        assert_eq!((of.onset_s, of.lowest_s), (Some(100.0), 100.0));
        near(of.recovery_s[0].unwrap(), 100.0);
        near(of.recovery_s[1].unwrap(), 180.0);
        near(of.recovery_s[2].unwrap(), 200.0);
        near(of.rapidity_per_s.unwrap(), 0.6 / 200.0);
    }

    #[test]
    fn steps_down_and_up() {
        let points =
            [(0.0, 1.0), (10.0, 0.5), (20.0, 0.2), (40.0, 0.8), (60.0, 0.5), (70.0, 0.95), (100.0, 1.0), (110.0, 1.0)];
        let of = curve(&points, Shape::Constant).resilience();
        near(of.loss_s, 5.0 + 16.0 + 4.0 + 5.0 + 1.5);
        near(of.lowest, 0.2);
        assert_eq!((of.onset_s, of.lowest_s), (Some(10.0), 20.0));
        // Half of 0.8 is back at 0.6: from 40 s, but not for good before 70 s.
        assert_eq!(of.recovery_s, [Some(60.0), Some(60.0), Some(90.0)]);
        near(of.rapidity_per_s.unwrap(), 0.8 / 80.0);
    }

    #[test]
    fn what_does_not_come_back_is_not_told_as_back() {
        let of = curve(&[(0.0, 1.0), (10.0, 0.0), (20.0, 0.7), (30.0, 0.7)], Shape::Constant).resilience();
        near(of.loss_s, 10.0 + 3.0);
        assert_eq!((of.recovery_s, of.rapidity_per_s), ([Some(10.0), None, None], None));
        let of = curve(&[(0.0, 1.0), (10.0, 0.0), (20.0, 0.7)], Shape::Linear).resilience();
        near(of.loss_s, 5.0 + 6.5);
        near(of.recovery_s[0].unwrap(), 10.0 + 10.0 * 0.5 / 0.7);
        assert_eq!(of.recovery_s[1..], [None, None]);
    }

    #[test]
    fn nothing_lost() {
        for shape in [Shape::Constant, Shape::Linear] {
            let of = curve(&[(0.0, 1.0), (50.0, 1.0)], shape).resilience();
            assert_eq!((of.onset_s, of.recovery_s, of.rapidity_per_s), (None, [Some(0.0); 3], None));
            near(of.loss_s, 0.0);
            near(of.lowest, 1.0);
            near(Curve { shape, ..Curve::default() }.resilience().lowest, 1.0);
        }
    }

    #[test]
    fn a_fine_staircase_has_the_figures_of_its_slope() {
        // A straight fall and rise, as steps of 1 s at the middle of each.
        let q = |t: f64| if t < 100.0 { 1.0 - t / 100.0 } else { (t - 100.0) / 300.0 };
        let steps: Vec<(f64, f64)> =
            (0..400).map(|t| (f64::from(t), q(f64::from(t) + 0.5))).chain([(400.0, 1.0), (401.0, 1.0)]).collect();
        let of = curve(&steps, Shape::Constant).resilience();
        let line = curve(&[(0.0, 1.0), (100.0, 0.0), (400.0, 1.0), (401.0, 1.0)], Shape::Linear).resilience();
        assert!((of.loss_s - line.loss_s).abs() < 1e-9 && (line.loss_s - 200.0).abs() < 1e-12);
        for (steps, line) in of.recovery_s.iter().zip(line.recovery_s) {
            assert!((steps.unwrap() - line.unwrap()).abs() <= 1.0);
        }
        assert!((line.recovery_s[0].unwrap() - 250.0).abs() < 1e-9);
    }
}
