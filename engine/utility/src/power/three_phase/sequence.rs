//! Symmetrical components. With `a = exp(j 120 deg)` the phases of zero, positive and negative sequence are
//!
//! ```text
//! | Va |   | 1  1   1  | | V0 |        | V0 |       | 1  1   1  | | Va |
//! | Vb | = | 1  a^2 a  | | V1 |        | V1 | = 1/3 | 1  a   a^2| | Vb |
//! | Vc |   | 1  a   a^2| | V2 |        | V2 |       | 1  a^2 a  | | Vc |
//! ```
//!
//! and what does not mix sequences is, between phases `m` and `n`,
//! `(y0 + y1 a^(n-m) + y2 a^(m-n)) / 3`.
//!
//! Source: C. L. Fortescue, Method of symmetrical co-ordinates, Trans. AIEE 37 (1918). Contract: pure functions.

use crate::power::grid::Complex;
use crate::sparse::phase_lu::{PhaseBlock, Phases, ZERO_BLOCK};

/// Half the root of three.
const SINE: f64 = 0.866_025_403_784_438_6;
/// Powers of `a`.
const TURN: [Complex; 3] = [Complex::new(1.0, 0.0), Complex::new(-0.5, SINE), Complex::new(-0.5, -SINE)];

/// Zero, positive and negative sequence of phases.
#[must_use]
pub fn of_phases(v: &Phases) -> Phases {
    let along = |step: usize| (v[0] + TURN[step] * v[1] + TURN[2 * step % 3] * v[2]) / 3.0;
    [(v[0] + v[1] + v[2]) / 3.0, along(1), along(2)]
}

/// Phases of zero, positive and negative sequence.
#[must_use]
pub fn to_phases(s: &Phases) -> Phases {
    std::array::from_fn(|phase| s[0] + TURN[2 * phase % 3] * s[1] + TURN[phase] * s[2])
}

/// The matrix between phases of what has these values for zero, positive and negative sequence.
#[must_use]
pub fn block(values: &Phases) -> PhaseBlock {
    let mut block = ZERO_BLOCK;
    for (m, row) in block.iter_mut().enumerate() {
        for (n, entry) in row.iter_mut().enumerate() {
            let ahead = (n + 3 - m) % 3;
            *entry = (values[0] + TURN[ahead] * values[1] + TURN[(3 - ahead) % 3] * values[2]) / 3.0;
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let v = [Complex::new(1.0, 0.2), Complex::new(-0.4, -0.9), Complex::new(-0.5, 0.8)];
        let back = to_phases(&of_phases(&v));
        let values = [Complex::new(2.0, 1.0), Complex::new(0.5, -3.0), Complex::new(0.1, 0.7)];
        let s = of_phases(&v);
        let expected = to_phases(&std::array::from_fn(|n| values[n] * s[n]));
        let matrix = block(&values);
        for phase in 0..3 {
            assert!((back[phase] - v[phase]).norm() < 1e-15);
            let through: Complex = (0..3).map(|n| matrix[phase][n] * v[n]).sum();
            assert!((through - expected[phase]).norm() < 1e-14);
        }
        let positive = to_phases(&[Complex::default(), Complex::new(1.0, 0.0), Complex::default()]);
        assert!((positive[1].arg().to_degrees() + 120.0).abs() < 1e-12);
    }
}
