//! Volumes of tanks by level, and back: cylinders, or straight between the points of a curve.
//!
//! Contract: pure functions; a level outside a curve counts as its end.

use super::network::{NONE, Network};
use std::f64::consts::PI;

/// Volume at a level above the bottom, m3.
#[must_use]
pub fn volume_m3(net: &Network, tank: usize, level_m: f64) -> f64 {
    let of = &net.tanks;
    match of.volume_curve[tank] {
        NONE => least_m3(net, tank) + area_m2(net, tank) * (level_m - of.min_level_m[tank]),
        curve => between(&net.curves[curve as usize].points, level_m, 0),
    }
}

/// Level above the bottom that holds a volume, metres.
#[must_use]
pub fn level_m(net: &Network, tank: usize, volume_m3: f64) -> f64 {
    let of = &net.tanks;
    match of.volume_curve[tank] {
        NONE => of.min_level_m[tank] + (volume_m3 - least_m3(net, tank)) / area_m2(net, tank),
        curve => between(&net.curves[curve as usize].points, volume_m3, 1),
    }
}

/// Volume at the lowest and highest level, m3.
#[must_use]
pub fn range_m3(net: &Network, tank: usize) -> [f64; 2] {
    let of = &net.tanks;
    [of.min_level_m[tank], of.max_level_m[tank]].map(|level| volume_m3(net, tank, level))
}

fn area_m2(net: &Network, tank: usize) -> f64 {
    PI * net.tanks.diameter_m[tank] * net.tanks.diameter_m[tank] / 4.0
}

/// Volume at the lowest level of a cylinder: as given, or that of the cylinder below.
fn least_m3(net: &Network, tank: usize) -> f64 {
    let given = net.tanks.min_volume_m3[tank];
    if given > 0.0 { given } else { area_m2(net, tank) * net.tanks.min_level_m[tank] }
}

/// The other coordinate of a curve at one of them.
fn between(points: &[[f64; 2]], at: f64, axis: usize) -> f64 {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return 0.0 };
    let other = 1 - axis;
    if at <= first[axis] {
        return first[other];
    }
    if at >= last[axis] {
        return last[other];
    }
    let k = points.partition_point(|point| point[axis] <= at).clamp(1, points.len() - 1);
    let (a, b) = (points[k - 1], points[k]);
    let width = b[axis] - a[axis];
    if width > 0.0 { a[other] + (at - a[axis]) / width * (b[other] - a[other]) } else { b[other] }
}

#[cfg(test)]
mod tests {
    use super::super::network::{Curve, Tanks};
    use super::*;

    #[test]
    fn levels_and_volumes_are_inverse() {
        let mut net = Network {
            tanks: Tanks {
                node: vec![0, 1],
                initial_level_m: vec![3.0, 1.0],
                min_level_m: vec![2.0, 0.0],
                max_level_m: vec![10.0, 5.0],
                diameter_m: vec![4.0, 1.0],
                min_volume_m3: vec![0.0, 0.0],
                volume_curve: vec![NONE, 0],
                ..Tanks::default()
            },
            curves: vec![Curve { id: "v".into(), points: vec![[0.0, 0.0], [2.0, 50.0], [5.0, 80.0]] }],
            ..Network::default()
        };
        assert!((volume_m3(&net, 0, 3.0) - 12.0 * PI).abs() < 1e-12);
        assert!((volume_m3(&net, 1, 3.5) - 65.0).abs() < 1e-12 && (level_m(&net, 1, 65.0) - 3.5).abs() < 1e-12);
        assert!((level_m(&net, 0, volume_m3(&net, 0, 7.5)) - 7.5).abs() < 1e-12);
        assert!((level_m(&net, 1, 999.0) - 5.0).abs() < 1e-12);
        net.tanks.min_volume_m3[0] = 5.0;
        assert!((volume_m3(&net, 0, 2.0) - 5.0).abs() < 1e-12);
    }
}
