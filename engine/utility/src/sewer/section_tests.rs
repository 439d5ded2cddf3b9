//! Cross-sections against closed forms, and against themselves.

use super::*;
use std::f64::consts::PI;

fn all() -> Vec<Section> {
    let shapes = [
        (Shape::Circular, 1.2, 1.2),
        (Shape::FilledCircular { sediment_m: 0.2, diameter_m: 1.2 }, 1.0, 1.2),
        (Shape::RectClosed, 1.0, 1.5),
        (Shape::RectOpen { dry_sides: 0.0 }, 1.0, 1.5),
        (Shape::Trapezoidal { bottom_m: 1.0, left: 1.0, right: 2.0 }, 1.0, 4.0),
        (Shape::Triangular, 1.0, 3.0),
        (Shape::Parabolic, 1.0, 2.0),
        (Shape::Power { exponent: 1.5 }, 1.0, 2.0),
        (Shape::RectTriangular { triangle_m: 0.3 }, 1.0, 1.2),
        (Shape::RectRound { radius_m: 0.8 }, 1.0, 1.2),
        (Shape::ModifiedBasketHandle { radius_m: 0.7 }, 1.0, 1.2),
        (Shape::Egg, 1.2, 0.8),
        (Shape::Horseshoe, 1.2, 1.2),
        (Shape::BasketHandle, 1.2, 0.944 * 1.2),
    ];
    shapes.into_iter().map(|(shape, y, w)| Section::new(shape, y, w).expect("a shape")).collect()
}

#[test]
fn a_circle_gives_back_the_area_of_its_factor() {
    for diameter_m in [0.1, 0.3, 2.4] {
        let section = Section::new(Shape::Circular, diameter_m, diameter_m).expect("a circle");
        for share in [1e-9, 1e-5, 1e-3, 0.1, 0.5, 0.8, 0.9] {
            let a_m2 = share * section.a_full_m2;
            let found = section.area_of_factor(section.factor(a_m2));
            if section.factor(a_m2) < section.s_full {
                assert!((found / a_m2 - 1.0).abs() < 1e-6, "{diameter_m} m, {share}: {found} for {a_m2}");
            }
        }
    }
}

#[test]
fn depth_and_area_and_factor_go_there_and_back() {
    for section in all() {
        for step in 1..100 {
            let y = 0.01 * f64::from(step) * section.y_full_m;
            let back = section.depth(section.area(y));
            // Tables of depth and of area are rounded apart from each other.
            let rounded = if section.tables().is_some() { 0.03 * section.y_full_m } else { 1e-9 };
            assert!((back - y).abs() < rounded, "{:?} at {y}: {back}", section.shape);
            let s = section.factor(section.area(y));
            if section.area(y) < section.a_of_s_max_m2 && s < section.s_full {
                let area = section.area_of_factor(s);
                assert!((area / section.area(y) - 1.0).abs() < 1e-6, "{:?} at {y}", section.shape);
            }
        }
        assert!(section.s_max >= section.s_full);
    }
}

#[test]
fn width_is_the_slope_of_area() {
    // Shapes in tables are rounded to three figures and are left out.
    for section in all().into_iter().filter(|section| section.tables().is_none()) {
        for step in 1..99 {
            let (y, h) = ((0.01 * f64::from(step) + 0.0033) * section.y_full_m, 1e-6);
            let slope = (section.area(y + h) - section.area(y - h)) / (2.0 * h);
            assert!((slope - section.width(y)).abs() < 1e-5 * section.w_max_m, "{:?} at {y}", section.shape);
        }
    }
}

#[test]
fn a_circle_is_a_circle() {
    let section = Section::circular(2.0).expect("a circle");
    assert!((section.a_full_m2 - PI).abs() < 1e-12 && (section.r_full_m - 0.5).abs() < 1e-12);
    assert!((section.area(1.0) - 0.5 * PI).abs() < 1e-12 && (section.radius(1.0) - 0.5).abs() < 1e-12);
    // The flow of a pipe is greatest at 0.938 of its depth, and 1.0757 of its full flow.
    assert!((section.s_max / section.s_full - 1.0757).abs() < 1e-4);
    assert!((section.depth(section.a_of_s_max_m2) / 2.0 - 0.938).abs() < 1e-3);
}

#[test]
fn critical_depth_of_a_rectangle() {
    let section = Section::new(Shape::RectOpen { dry_sides: 0.0 }, 2.0, 1.5).expect("a rectangle");
    let q = 1.7_f64;
    let expected = (q * q / (GRAVITY_MPS2 * 1.5 * 1.5)).cbrt();
    assert!((section.critical_depth(q) - expected).abs() < 1e-8);
    for section in all() {
        let y = 0.6 * section.y_full_m;
        let q = section.area(y) * (GRAVITY_MPS2 * section.area(y) / section.width(y)).sqrt();
        assert!((section.critical_depth(q) - y).abs() < 1e-6, "{:?}", section.shape);
    }
}

#[test]
fn no_shape_is_refused() {
    assert_eq!(Section::circular(0.0), None);
    assert_eq!(Section::circular(f64::NAN), None);
    assert_eq!(Section::circular(-1.0), None);
}
