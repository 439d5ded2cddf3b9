//! Area and wetted perimeter of shapes that geometry gives, and arcs of circles.

use super::{FLAT_TOP_RECT, FLAT_TOP_ROUND, Section, Shape};
use std::f64::consts::{PI, TAU};

impl Section {
    /// Area at a depth, m2, of shapes that geometry gives.
    pub(super) fn area_by_shape(&self, y: f64) -> f64 {
        let (full, width) = (self.y_full_m, self.w_max_m);
        match self.shape {
            Shape::Circular => circle_area(full, y),
            Shape::FilledCircular { sediment_m, diameter_m } => {
                circle_area(diameter_m, y + sediment_m) - circle_area(diameter_m, sediment_m)
            }
            Shape::RectClosed | Shape::RectOpen { .. } => y * width,
            Shape::Trapezoidal { bottom_m, left, right } => y * (bottom_m + 0.5 * (left + right) * y),
            Shape::Triangular => 0.5 * y * y * width / full,
            Shape::Parabolic => 2.0 / 3.0 * y * width * (y / full).sqrt(),
            Shape::Power { exponent } => y * width * (y / full).powf(1.0 / exponent) / (1.0 / exponent + 1.0),
            Shape::RectTriangular { triangle_m } => {
                let within = y.min(triangle_m);
                0.5 * within * within * width / triangle_m + (y - within) * width
            }
            Shape::RectRound { radius_m } => {
                let within = y.min(arc_height(radius_m, width));
                circle_area(2.0 * radius_m, within) + (y - within) * width
            }
            Shape::ModifiedBasketHandle { radius_m } => {
                let wall = full - arc_height(radius_m, width);
                let above = (y - wall).max(0.0);
                let arc = circle_area(2.0 * radius_m, full - wall);
                let unfilled = circle_area(2.0 * radius_m, full - wall - above);
                y.min(wall) * width + arc - unfilled
            }
            Shape::Egg | Shape::Horseshoe | Shape::BasketHandle => 0.0,
        }
    }
    /// Wetted perimeter at a depth, m, of shapes that geometry gives.
    pub(super) fn perimeter(&self, y: f64) -> f64 {
        let (full, width) = (self.y_full_m, self.w_max_m);
        let top = |from: f64| {
            let share = self.area_by_shape(y) / self.a_full_m2.max(f64::MIN_POSITIVE);
            // While the full area is being found the shape is full.
            let share = if y >= full { 1.0 } else { share };
            ((share - from) / (1.0 - from)).max(0.0) * width
        };
        match self.shape {
            Shape::Circular => circle_arc(full, y),
            Shape::FilledCircular { sediment_m, diameter_m } => {
                circle_arc(diameter_m, y + sediment_m) - circle_arc(diameter_m, sediment_m)
                    + circle_width(diameter_m, sediment_m)
            }
            Shape::RectClosed => width + 2.0 * y + top(FLAT_TOP_RECT),
            Shape::RectOpen { dry_sides } => width + (2.0 - dry_sides) * y,
            Shape::Trapezoidal { bottom_m, left, right } => {
                bottom_m + y * ((1.0 + left * left).sqrt() + (1.0 + right * right).sqrt())
            }
            Shape::Triangular => 2.0 * y * (1.0 + (0.5 * width / full).powi(2)).sqrt(),
            Shape::Parabolic => {
                // Both halves of y = c x^2 up to y.
                let root = 0.5 * width / full.sqrt();
                let x = 2.0 * y.sqrt() / root;
                let t = (1.0 + x * x).sqrt();
                0.5 * root * root * (x * t + (x + t).ln())
            }
            Shape::Power { .. } => self.perimeter_by_steps(y),
            Shape::RectTriangular { triangle_m } => {
                let within = y.min(triangle_m);
                let slant = (1.0 + (0.5 * width / triangle_m).powi(2)).sqrt();
                2.0 * within * slant + 2.0 * (y - within) + top(FLAT_TOP_ROUND)
            }
            Shape::RectRound { radius_m } => {
                let within = y.min(arc_height(radius_m, width));
                circle_arc(2.0 * radius_m, within) + 2.0 * (y - within) + top(FLAT_TOP_ROUND)
            }
            Shape::ModifiedBasketHandle { radius_m } => {
                let height = arc_height(radius_m, width);
                let above = (y - (full - height)).max(0.0);
                let arc = circle_arc(2.0 * radius_m, height) - circle_arc(2.0 * radius_m, height - above);
                width + 2.0 * (y - above) + arc
            }
            Shape::Egg | Shape::Horseshoe | Shape::BasketHandle => 1.0,
        }
    }
    /// Length of both walls up to a depth by straight pieces of equal height.
    fn perimeter_by_steps(&self, y: f64) -> f64 {
        let pieces = 50;
        let height = y / f64::from(pieces);
        let piece = |at: i32| {
            let run = 0.5 * (self.width(f64::from(at) * height) - self.width(f64::from(at - 1) * height));
            2.0 * height.hypot(run)
        };
        (1..=pieces).map(piece).sum()
    }
}

/// Central angle of the wetted arc of a circle that is filled to a depth.
fn circle_angle_of_depth(diameter: f64, y: f64) -> f64 {
    2.0 * (1.0 - 2.0 * y / diameter).clamp(-1.0, 1.0).acos()
}
/// Area up to a depth.
pub(super) fn circle_area(diameter: f64, y: f64) -> f64 {
    let angle = circle_angle_of_depth(diameter, y);
    0.125 * diameter * diameter * (angle - angle.sin())
}
/// Width of the surface.
pub(super) fn circle_width(diameter: f64, y: f64) -> f64 {
    let half = y.clamp(0.0, diameter);
    2.0 * (half * (diameter - half)).sqrt()
}
/// Length of the wetted arc.
pub(super) fn circle_arc(diameter: f64, y: f64) -> f64 {
    0.5 * diameter * circle_angle_of_depth(diameter, y)
}
/// Height of an arc over its chord.
pub(super) fn arc_height(radius: f64, chord: f64) -> f64 {
    radius - (radius * radius - 0.25 * chord * chord).max(0.0).sqrt()
}

/// Central angle t of a share of a circle's area, t - sin t = 2 pi share, and its cosine. From the series of the inverse by
/// Chebyshev's method, whose errors are cubed each time.
pub(super) fn circle_angle(share: f64) -> (f64, f64) {
    if share > 0.5 {
        let (angle, cos) = circle_angle(1.0 - share);
        return (TAU - angle, cos);
    }
    let wanted = TAU * share;
    let s = (6.0 * wanted).cbrt();
    let s2 = s * s;
    let series = 1.0 + s2 * (1.0 / 60.0 + s2 * (1.0 / 1400.0 + s2 * (1.0 / 25_200.0 + s2 * (43.0 / 17_248_000.0))));
    let mut angle = (s * series).min(PI);
    let mut cosine = 1.0;
    for _ in 0..20 {
        let (sin, cos) = angle.sin_cos();
        let slope = 1.0 - cos;
        if slope <= 0.0 {
            break;
        }
        let newton = (circle_lune(angle, sin) - wanted) / slope;
        let step = newton * (1.0 + 0.5 * newton * sin / slope);
        angle -= step;
        cosine = cos + step * (sin - 0.5 * step * cos);
        // The next one would be its cube.
        if step.abs() <= 1e-5 * angle {
            break;
        }
    }
    (angle, cosine)
}
/// t - sin t, by its series where the difference would lose digits.
pub(super) fn circle_lune(angle: f64, sine: f64) -> f64 {
    if angle > 0.1 {
        return angle - sine;
    }
    let t2 = angle * angle;
    angle * t2 / 6.0 * (1.0 - t2 / 20.0 * (1.0 - t2 / 42.0 * (1.0 - t2 / 72.0)))
}
/// Depth over the diameter of a central angle, given its cosine: (1 - cos(t / 2)) / 2 without loss where it is small.
pub(super) fn circle_depth(angle: f64, cosine: f64) -> f64 {
    let half = (0.5 * (1.0 + cosine)).max(0.0).sqrt();
    let below = 0.25 * (1.0 - cosine) / (1.0 + half);
    if angle > PI { 1.0 - below } else { below }
}
