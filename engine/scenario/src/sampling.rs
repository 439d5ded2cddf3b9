//! Points in a unit cube for parameters of a study.
//!
//! Latin hypercube (McKay, Beckman, Conover 1979): each axis is cut into as many strata as there are points, every
//! stratum holds one of them, at a random place; the order of strata is drawn for each axis. Sobol sequence (Sobol 1967)
//! with Owen's scrambling by hash (Burley 2020, crate `sobol_burley`), at most 256 axes and 65,536 points.
//!
//! Contract: points depend on method, number and seed alone; the first axes are the same however many follow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use urbis_core::rng::Rng;

/// Axes that Sobol's sequence has.
pub(crate) const SOBOL_AXES_MAX: usize = sobol_burley::NUM_DIMENSIONS as usize;

/// How parameters are sampled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The method.
    pub method: Method,
    /// Number of points.
    #[schemars(range(min = 1, max = 65_536))]
    pub points: u32,
    /// Seed of the points; it has nothing to do with the seeds of runs.
    #[serde(default)]
    pub seed: u32,
}

/// A way to sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Each axis is covered evenly.
    LatinHypercube,
    /// A sequence that covers the whole space evenly; powers of two are best.
    Sobol,
}

/// Points of a sample with so many axes, each in 0..1.
pub(crate) fn points(sample: &Sample, axes: usize) -> Vec<Vec<f64>> {
    let count = sample.points as usize;
    match sample.method {
        Method::LatinHypercube => {
            let columns: Vec<Vec<f64>> = (0..axes)
                .map(|axis| {
                    let mut rng = Rng::new(u64::from(sample.seed), axis as u32, 0, 0);
                    let mut strata: Vec<usize> = (0..count).collect();
                    for last in (1..count).rev() {
                        strata.swap(last, rng.below(last as u32 + 1) as usize);
                    }
                    strata.iter().map(|&stratum| (stratum as f64 + rng.uniform()) / count as f64).collect()
                })
                .collect();
            (0..count).map(|point| columns.iter().map(|column| column[point]).collect()).collect()
        }
        Method::Sobol => (0..count as u32)
            .map(|point| {
                (0..axes as u32).map(|axis| f64::from(sobol_burley::sample(point, axis, sample.seed))).collect()
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: Method, points: u32, seed: u32) -> Sample {
        Sample { method, points, seed }
    }

    #[test]
    fn every_stratum_holds_one_point() {
        for (method, count) in [(Method::LatinHypercube, 37), (Method::LatinHypercube, 1), (Method::Sobol, 64)] {
            let all = points(&of(method, count, 3), 5);
            assert_eq!(all.len(), count as usize);
            for axis in 0..5 {
                let mut strata: Vec<u32> = all.iter().map(|point| (point[axis] * f64::from(count)) as u32).collect();
                strata.sort_unstable();
                assert_eq!(strata, (0..count).collect::<Vec<_>>(), "{method:?}, axis {axis}");
            }
        }
    }

    #[test]
    fn seeds_and_axes_are_apart() {
        for method in [Method::LatinHypercube, Method::Sobol] {
            let all = points(&of(method, 32, 1), 3);
            assert_eq!(all, points(&of(method, 32, 1), 3));
            assert_ne!(all, points(&of(method, 32, 2), 3));
            let fewer: Vec<Vec<f64>> = all.iter().map(|point| point[..2].to_vec()).collect();
            assert_eq!(fewer, points(&of(method, 32, 1), 2));
            let mean =
                |a: usize, b: usize| all.iter().map(|point| (point[a] - 0.5) * (point[b] - 0.5)).sum::<f64>() / 32.0;
            assert!((0..3).all(|a| (0..a).all(|b| mean(a, b).abs() < 0.03)), "axes follow each other");
        }
    }

    /// In a plane, 16 points of a Sobol sequence lie one in each box of every cut into 16 equal boxes.
    #[test]
    fn a_sobol_sequence_is_a_net() {
        let all = points(&of(Method::Sobol, 16, 9), 2);
        for (wide, high) in [(1, 16), (2, 8), (4, 4), (8, 2), (16, 1)] {
            let mut boxes: Vec<usize> = all
                .iter()
                .map(|point| (point[0] * f64::from(wide)) as usize * high + (point[1] * high as f64) as usize)
                .collect();
            boxes.sort_unstable();
            assert_eq!(boxes, (0..16).collect::<Vec<_>>(), "{wide} x {high}");
        }
    }
}
