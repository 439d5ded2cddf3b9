//! Cross-sections of pipes and channels: area, width, hydraulic radius and section factor A R^(2/3) over depth, and back.
//!
//! Circles, rectangles, trapezoids and the like by geometry; egg, horseshoe and basket handle by the tables of relative
//! area, radius and width in Reference Manual Vol. II, chapter 5, in which SWMM defines them. The wetted perimeter of a
//! closed shape with a flat top grows over the last parts of its area until the top is wetted whole, as in SWMM.
//!
//! Ignored: transects, streets and custom shapes. Contract: pure functions; depths and areas outside the shape are taken
//! as those at its nearest end.

use super::units::GRAVITY_MPS2;

mod circle_curves;
mod geometry;
mod shape_tables;
pub(crate) use circle_curves::CircleCurves;
use geometry::{arc_height, circle_angle, circle_depth, circle_lune, circle_width};
use shape_tables::{BASKET_HANDLE, EGG, HORSESHOE, Relative};

/// What a cross-section looks like; lengths in m.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// A circle; a force main, too.
    Circular,
    /// A circle with sediment up to a depth.
    FilledCircular {
        /// Depth of sediment.
        sediment_m: f64,
        /// Diameter of the whole circle.
        diameter_m: f64,
    },
    /// A rectangle with a top.
    RectClosed,
    /// A rectangle without a top; `dry_sides` of its two sides carry no friction.
    RectOpen {
        /// 0, 1 or 2.
        dry_sides: f64,
    },
    /// Width at the bottom and run over rise of each side.
    Trapezoidal {
        /// Width of the bottom.
        bottom_m: f64,
        /// Run over rise of one side.
        left: f64,
        /// Run over rise of the other.
        right: f64,
    },
    /// A triangle that stands on its tip.
    Triangular,
    /// A parabola without a top.
    Parabolic,
    /// Width grows with a power of depth, one over `exponent`.
    Power {
        /// Exponent of the wall's curve.
        exponent: f64,
    },
    /// A rectangle with a top on a triangle of some height.
    RectTriangular {
        /// Height of the triangle.
        triangle_m: f64,
    },
    /// A rectangle with a top on a circular arc.
    RectRound {
        /// Radius of the arc.
        radius_m: f64,
    },
    /// A rectangle under a circular arc.
    ModifiedBasketHandle {
        /// Radius of the arc.
        radius_m: f64,
    },
    /// An egg that stands on its tip.
    Egg,
    /// A horseshoe.
    Horseshoe,
    /// A basket handle.
    BasketHandle,
}

/// A cross-section with what its shape says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// Shape.
    pub shape: Shape,
    /// Depth when full, m.
    pub y_full_m: f64,
    /// Greatest width, m.
    pub w_max_m: f64,
    /// Area when full, m2.
    pub a_full_m2: f64,
    /// Hydraulic radius when full, m.
    pub r_full_m: f64,
    /// Section factor when full, m^(8/3).
    pub s_full: f64,
    /// Greatest section factor, m^(8/3).
    pub s_max: f64,
    /// Area at which that is, m2.
    pub a_of_s_max_m2: f64,
}

/// Share of the full area from which a flat top is wetted.
const FLAT_TOP_RECT: f64 = 0.97;
const FLAT_TOP_ROUND: f64 = 0.98;
/// Central angle t at which the section factor of a circle is greatest, 3 t - 5 t cos t + 2 sin t = 0, and the share of the
/// area there.
const GREATEST_ANGLE: f64 = 5.278_107_137_933_795;
const GREATEST_OF_CIRCLE: f64 = 0.974_396_060_018_454_9;

impl Section {
    /// A shape with its full depth and greatest width; `None` where that is no shape.
    #[must_use]
    pub fn new(shape: Shape, y_full_m: f64, w_max_m: f64) -> Option<Self> {
        let is_length = |value: f64| value.is_finite() && value > 0.0;
        if !is_length(y_full_m) || !is_length(w_max_m) {
            return None;
        }
        let mut section = Self {
            shape,
            y_full_m,
            w_max_m,
            a_full_m2: 1.0,
            r_full_m: 1.0,
            s_full: 1.0,
            s_max: 1.0,
            a_of_s_max_m2: 1.0,
        };
        match section.tables() {
            Some(tables) => {
                section.a_full_m2 = tables.full_area * y_full_m * y_full_m;
                section.r_full_m = tables.full_radius * y_full_m;
            }
            None => {
                section.a_full_m2 = section.area_by_shape(y_full_m);
                section.r_full_m = section.a_full_m2 / section.perimeter(y_full_m);
            }
        }
        section.s_full = section.a_full_m2 * section.r_full_m.powf(2.0 / 3.0);
        section.find_greatest_factor();
        let all = [section.a_full_m2, section.r_full_m, section.s_full, section.s_max];
        all.into_iter().all(is_length).then_some(section)
    }
    /// A circle of a diameter.
    #[must_use]
    pub fn circular(diameter_m: f64) -> Option<Self> {
        Self::new(Shape::Circular, diameter_m, diameter_m)
    }
    /// Whether water can rise above the full depth without pressure.
    #[must_use]
    pub fn is_open(&self) -> bool {
        use Shape::{Parabolic, Power, RectOpen, Trapezoidal, Triangular};
        matches!(self.shape, RectOpen { .. } | Trapezoidal { .. } | Triangular | Parabolic | Power { .. })
    }
    fn tables(&self) -> Option<&'static Relative> {
        match self.shape {
            Shape::Egg => Some(&EGG),
            Shape::Horseshoe => Some(&HORSESHOE),
            Shape::BasketHandle => Some(&BASKET_HANDLE),
            _ => None,
        }
    }
    /// Share of the full area from which a flat top is wetted.
    fn flat_top_from(&self) -> Option<f64> {
        match self.shape {
            Shape::RectClosed => Some(FLAT_TOP_RECT),
            Shape::RectTriangular { .. } | Shape::RectRound { .. } => Some(FLAT_TOP_ROUND),
            _ => None,
        }
    }
    fn find_greatest_factor(&mut self) {
        (self.a_of_s_max_m2, self.s_max) = (self.a_full_m2, self.s_full);
        if self.is_open() {
            return;
        }
        if let Some(tables) = self.tables() {
            let (factor, share) = tables.greatest_factor();
            (self.a_of_s_max_m2, self.s_max) = (share * self.a_full_m2, factor * self.s_full);
            return;
        }
        if self.shape == Shape::Circular {
            self.a_of_s_max_m2 = GREATEST_OF_CIRCLE * self.a_full_m2;
            self.s_max = self.factor(self.a_of_s_max_m2);
            return;
        }
        let flat = self.flat_top_from();
        let steps = 2000;
        let mut best = flat.unwrap_or(1.0);
        if flat.is_none() {
            let mut greatest = 0.0;
            for step in steps / 2..=steps {
                let share = f64::from(step) / f64::from(steps);
                let factor = self.factor_of_depth(share * self.y_full_m);
                if factor > greatest {
                    (greatest, best) = (factor, self.area(share * self.y_full_m) / self.a_full_m2);
                }
            }
        }
        self.a_of_s_max_m2 = best * self.a_full_m2;
        self.s_max = self.factor(self.a_of_s_max_m2).max(self.s_full);
    }

    /// Area at a depth, m2.
    #[must_use]
    pub fn area(&self, y_m: f64) -> f64 {
        if y_m <= 0.0 {
            return 0.0;
        }
        if y_m >= self.y_full_m && !self.is_open() {
            return self.a_full_m2;
        }
        match self.tables() {
            Some(tables) => self.a_full_m2 * tables.area_at(y_m / self.y_full_m),
            None => self.area_by_shape(y_m.min(self.y_full_m)),
        }
    }
    /// Width of the surface at a depth, m.
    #[must_use]
    pub fn width(&self, y_m: f64) -> f64 {
        let (full, width) = (self.y_full_m, self.w_max_m);
        let y = y_m.clamp(0.0, full);
        if let Some(tables) = self.tables() {
            return width * tables.width_at(y / full);
        }
        match self.shape {
            Shape::Circular => circle_width(full, y),
            Shape::FilledCircular { sediment_m, diameter_m } => circle_width(diameter_m, y + sediment_m),
            // Nothing is open above a full pipe.
            Shape::RectClosed if y >= full => 0.0,
            Shape::RectClosed | Shape::RectOpen { .. } => width,
            Shape::Trapezoidal { bottom_m, left, right } => bottom_m + (left + right) * y,
            Shape::Triangular => y * width / full,
            Shape::Parabolic => width * (y / full).sqrt(),
            Shape::Power { exponent } => width * (y / full).powf(1.0 / exponent),
            Shape::RectTriangular { triangle_m } => width * (y / triangle_m).min(1.0),
            Shape::RectRound { radius_m } if y <= arc_height(radius_m, width) => circle_width(2.0 * radius_m, y),
            Shape::RectRound { .. } => width,
            Shape::ModifiedBasketHandle { radius_m } if y > full - arc_height(radius_m, width) => {
                circle_width(2.0 * radius_m, full - y)
            }
            _ => width,
        }
    }
    /// Width of the surface, or the greatest width where the surface is above it, m: water seeps from there.
    pub(crate) fn widest_below(&self, y_m: f64) -> f64 {
        let share = match self.shape {
            Shape::RectClosed => return self.w_max_m,
            Shape::Circular => 0.5,
            Shape::FilledCircular { sediment_m, diameter_m } => {
                (0.5 * diameter_m - sediment_m).max(0.0) / self.y_full_m
            }
            Shape::Egg => 0.64,
            Shape::Horseshoe => 0.5,
            Shape::BasketHandle => 0.2,
            _ => 1.0,
        };
        self.width(y_m.min(share * self.y_full_m))
    }
    /// Hydraulic radius at a depth, m.
    #[must_use]
    pub fn radius(&self, y_m: f64) -> f64 {
        if y_m >= self.y_full_m {
            return self.r_full_m;
        }
        if y_m <= 0.0 {
            return 0.0;
        }
        match self.tables() {
            Some(tables) => self.r_full_m * tables.radius_at(y_m / self.y_full_m),
            None => {
                let perimeter = self.perimeter(y_m);
                if perimeter > 0.0 { self.area_by_shape(y_m) / perimeter } else { 0.0 }
            }
        }
    }
    /// Depth of an area, m.
    #[must_use]
    pub fn depth(&self, a_m2: f64) -> f64 {
        let share = a_m2 / self.a_full_m2;
        if share <= 0.0 {
            return 0.0;
        }
        if share >= 1.0 {
            return self.y_full_m;
        }
        if let Some(tables) = self.tables() {
            return self.y_full_m * tables.depth_at(share);
        }
        match self.shape {
            Shape::Circular => {
                let (angle, cosine) = circle_angle(share);
                self.y_full_m * circle_depth(angle, cosine)
            }
            Shape::RectClosed | Shape::RectOpen { .. } => a_m2 / self.w_max_m,
            Shape::Triangular => (2.0 * a_m2 * self.y_full_m / self.w_max_m).sqrt(),
            Shape::Trapezoidal { bottom_m, left, right } => {
                let slope = 0.5 * (left + right);
                2.0 * a_m2 / (bottom_m + (bottom_m * bottom_m + 4.0 * slope * a_m2).sqrt())
            }
            _ => root(0.0, self.y_full_m, |y| (self.area(y) - a_m2, self.width(y))),
        }
    }
    fn factor_of_depth(&self, y_m: f64) -> f64 {
        self.area(y_m) * self.radius(y_m).powf(2.0 / 3.0)
    }
    /// Section factor A R^(2/3) of an area, m^(8/3).
    #[must_use]
    pub fn factor(&self, a_m2: f64) -> f64 {
        if a_m2 <= 0.0 {
            return 0.0;
        }
        if a_m2 >= self.a_full_m2 {
            return self.s_full;
        }
        if let Some(tables) = self.tables() {
            return self.s_full * tables.factor_at(a_m2 / self.a_full_m2);
        }
        // A flat top: straight from the greatest factor to the full one.
        if self.flat_top_from().is_some() && a_m2 > self.a_of_s_max_m2 {
            let share = (a_m2 - self.a_of_s_max_m2) / (self.a_full_m2 - self.a_of_s_max_m2);
            return self.s_max + share * (self.s_full - self.s_max);
        }
        if self.shape == Shape::Circular {
            return self.circle_factor(a_m2).0;
        }
        a_m2 * self.radius(self.depth(a_m2)).powf(2.0 / 3.0)
    }
    /// Section factor of a circle and how it grows with area: its wetted arc P is half its diameter D times the central angle
    /// t, and dP/dA = 4 / (D (1 - cos t)).
    fn circle_factor(&self, a_m2: f64) -> (f64, f64) {
        let (angle, cosine) = circle_angle(a_m2 / self.a_full_m2);
        let arc_m = 0.5 * self.y_full_m * angle;
        let radius_m = a_m2 / arc_m;
        let power = radius_m.powf(2.0 / 3.0);
        let versine = if angle < 1e-3 { 0.5 * angle * angle } else { 1.0 - cosine };
        let arc_slope = 4.0 / (self.y_full_m * versine);
        (a_m2 * power, power * (5.0 - 2.0 * radius_m * arc_slope) / 3.0)
    }
    /// Section factor and how it grows with area; what [`Self::factor`] and [`Self::factor_slope`] give, in one.
    pub(crate) fn factor_and_slope(&self, a_m2: f64) -> (f64, f64) {
        if self.shape == Shape::Circular && a_m2 > 0.0 && a_m2 < self.a_full_m2 {
            return self.circle_factor(a_m2);
        }
        (self.factor(a_m2), self.factor_slope(a_m2))
    }
    /// Area of a factor of a circle, below the greatest factor. With the central angle t the factor is
    /// K (t - sin t)^(5/3) / t^(2/3), K = D^2 / 8 (D / 4)^(2/3): Newton's method on the logarithm of both sides in ln t, which
    /// is nearly straight, halving where it leaves the bracket.
    fn circle_area_of_factor(&self, s: f64) -> f64 {
        let diameter_m = self.y_full_m;
        let area_of = |angle: f64| 0.125 * diameter_m * diameter_m * circle_lune(angle, angle.sin());
        let wanted = (s / (0.125 * diameter_m * diameter_m)).ln() - 2.0 / 3.0 * (0.25 * diameter_m).ln();
        // Where t is small t - sin t is t^3 / 6.
        let start = ((3.0 * wanted + 5.0 * 6.0_f64.ln()) / 13.0).exp();
        if start < 1e-6 {
            return area_of(start);
        }
        let (mut low, mut high) = (0.0, GREATEST_ANGLE);
        let mut angle = start.min(high);
        for _ in 0..60 {
            let (sin, cos) = angle.sin_cos();
            let lune = circle_lune(angle, sin);
            let lune2 = lune * lune;
            let value = (lune2 * lune2 * lune / (angle * angle)).ln() / 3.0 - wanted;
            if value > 0.0 {
                high = angle;
            } else {
                low = angle;
            }
            let slope = 5.0 / 3.0 * angle * (1.0 - cos) / lune - 2.0 / 3.0;
            let next = if slope > 0.0 { angle * (-value / slope).exp() } else { f64::NAN };
            let next = if next > low && next < high { next } else { 0.5 * (low + high) };
            let step = (next - angle).abs();
            angle = next;
            if step <= 1e-13 * angle {
                break;
            }
        }
        area_of(angle)
    }
    /// How the section factor grows with area, m^(2/3).
    #[must_use]
    pub fn factor_slope(&self, a_m2: f64) -> f64 {
        let step = 0.001 * self.a_full_m2;
        let (low, high) = ((a_m2 - step).max(0.0), (a_m2 + step).min(self.a_full_m2));
        if high > low { (self.factor(high) - self.factor(low)) / (high - low) } else { 0.0 }
    }
    /// The area of a section factor. Between the full factor and the greatest there are two; as in SWMM it is the greater
    /// of them, and in a circle the full area.
    #[must_use]
    pub fn area_of_factor(&self, s: f64) -> f64 {
        if s <= 0.0 {
            return 0.0;
        }
        if s < self.s_full {
            if self.shape == Shape::Circular {
                return self.circle_area_of_factor(s);
            }
            return root(0.0, self.a_of_s_max_m2, |a| (self.factor(a) - s, self.factor_slope(a)));
        }
        if self.shape == Shape::Circular || self.a_of_s_max_m2 >= self.a_full_m2 {
            return self.a_full_m2;
        }
        if s >= self.s_max {
            return self.a_of_s_max_m2;
        }
        root(self.a_of_s_max_m2, self.a_full_m2, |a| (s - self.factor(a), -self.factor_slope(a)))
    }
    /// Depth at which a flow is critical, m, at most the full depth.
    #[must_use]
    pub fn critical_depth(&self, q_m3ps: f64) -> f64 {
        let squared = q_m3ps * q_m3ps / GRAVITY_MPS2;
        if squared <= 0.0 {
            return 0.0;
        }
        // A^3 / W = Q^2 / g
        let excess = |y: f64| self.area(y).powi(3) - squared * self.width(y);
        let (mut low, mut high) = (0.0, self.y_full_m);
        if excess(high) <= 0.0 {
            return high;
        }
        for _ in 0..50 {
            let middle = 0.5 * (low + high);
            if excess(middle) > 0.0 {
                high = middle;
            } else {
                low = middle;
            }
            if high - low < 1e-9 * self.y_full_m {
                break;
            }
        }
        0.5 * (low + high)
    }
}

/// Root of a function that is negative at `low` and positive at `high`, given value and slope: Newton's method, halving
/// where it leaves the bracket.
pub(crate) fn root(mut low: f64, mut high: f64, function: impl Fn(f64) -> (f64, f64)) -> f64 {
    let width = high - low;
    let mut x = 0.5 * (low + high);
    for _ in 0..80 {
        let (value, slope) = function(x);
        if value > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let next = if slope > 0.0 { x - value / slope } else { f64::NAN };
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        if (next - x).abs() <= 1e-13 * width {
            return next;
        }
        x = next;
    }
    x
}

#[cfg(test)]
#[path = "section_tests.rs"]
mod tests;
