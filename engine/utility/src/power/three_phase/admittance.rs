//! Lines, transformers and sources in per unit, by phases: what a solve adds up.
//!
//! A two-port says the currents into both ends, `I_f = Y_ff V_f + Y_ft V_t` and `I_t = Y_tf V_f + Y_tt V_t`. Of a line
//! with `Z` and `Y`: `Y_ff = Y_tt = Z^-1 + Y/2`, `Y_ft = Y_tf = -Z^-1`. Of a transformer they are put together from its
//! sequences. Positive: the pi that its T (short-circuit impedance in halves, magnetising admittance between) amounts
//! to, behind the ratio `t = ratio exp(j shift)`,
//!
//! ```text
//! | (y + y_f)/|t|^2   -y/conj(t) |
//! | -y/t               y + y_t   |
//! ```
//!
//! negative: the same with `conj(t)`. Zero: `z1` and `z2` are the two sides' shares of the zero-sequence impedance, `z3`
//! the magnetising one between them and earth, and what a side sees depends on the windings:
//!
//! | group | high-voltage side | low-voltage side | through |
//! | --- | --- | --- | --- |
//! | YNyn | T of `z1`, `z2`, `z3` | the same | the same |
//! | Dyn | nothing | `1 / (z2 + z1 z3 / (z1 + z3))` | nothing |
//! | Yyn | nothing | `1 / (z2 + z3)` | nothing |
//! | Yzn | nothing | `1.1547 / (z2 + z3)` | nothing |
//! | YNd, YNy | mirrored Dyn, Yyn | nothing | nothing |
//!
//! A side that is not earthed gets a millionth of the short-circuit admittance to earth in zero sequence, as nothing
//! else may say where it stands against earth.
//!
//! Source: pandapower's `build_branch` and `pd2ppc_zero` (3.5, BSD-3-Clause), whose results these agree with, its factor
//! of Yzn included; for groups that its three-phase power flow refuses (Yyn, YNd, YNy), circuit theory. Contract: pure
//! functions.

use super::sequence::block;
use super::tables::{PhaseLine, PhaseSource, PhaseTransformer, VectorGroup};
use crate::power::grid::Complex;
use crate::sparse::phase_lu::{PhaseBlock, Phases, ZERO, ZERO_BLOCK, inverse};

/// Voltage factor of short-circuit powers, IEC 60909.
const C_MAX: f64 = 1.1;
/// Admittance to earth of what floats, as a share of the short-circuit admittance.
const FLOATING: f64 = 1e-6;
/// Zero-sequence factor of zigzag windings.
const ZIGZAG: f64 = 1.1547;

/// Currents into the ends of a branch from the voltages of both, per unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoPort {
    /// Into the from end by its own voltage.
    pub ff: PhaseBlock,
    /// Into the from end by the voltage of the to end.
    pub ft: PhaseBlock,
    /// Into the to end by the voltage of the from end.
    pub tf: PhaseBlock,
    /// Into the to end by its own voltage.
    pub tt: PhaseBlock,
}

/// The impedance of a line's phases inverted, siemens; none where it has none.
#[must_use]
pub fn series_s(line: &PhaseLine) -> Option<PhaseBlock> {
    let mut z = line.z_ohm;
    let has = |m: usize, n: usize| line.phases[m] && line.phases[n];
    let size = (0..3).filter(|&n| line.phases[n]).map(|n| z[n][n].norm()).fold(0.0, f64::max);
    for (m, row) in z.iter_mut().enumerate() {
        for (n, entry) in row.iter_mut().enumerate().filter(|&(n, _)| !has(m, n)) {
            *entry = Complex::new(if m == n { size } else { 0.0 }, 0.0);
        }
    }
    let mut y = inverse(&z)?;
    keep(&mut y, line.phases);
    Some(y)
}

/// Zeroes rows and columns of phases that are not there.
fn keep(block: &mut PhaseBlock, phases: [bool; 3]) {
    for (m, row) in block.iter_mut().enumerate() {
        for (n, entry) in row.iter_mut().enumerate() {
            *entry = if phases[m] && phases[n] { *entry } else { ZERO };
        }
    }
}

/// Of a line at a nominal voltage. Without an impedance it carries nothing.
#[must_use]
pub fn of_line(line: &PhaseLine, base_v: f64, base_va: f64) -> TwoPort {
    let base_ohm = base_v * base_v / base_va;
    let series = scaled(&series_s(line).unwrap_or(ZERO_BLOCK), base_ohm);
    let mut half = scaled(&line.y_s, 0.5 * base_ohm);
    keep(&mut half, line.phases);
    let own = sum(&series, &half);
    let through = scaled(&series, -1.0);
    TwoPort { ff: own, ft: through, tf: through, tt: own }
}

/// Of a transformer between buses of nominal voltages, from the high-voltage side.
#[must_use]
pub fn of_transformer(of: &PhaseTransformer, base_v: (f64, f64), base_va: f64) -> TwoPort {
    let (turns_hv, turns_lv) = (of.rated_hv_v * of.tap_hv / base_v.0, of.rated_lv_v * of.tap_lv / base_v.1);
    let ratio = turns_hv / turns_lv;
    let per_share = turns_lv * turns_lv * base_va / of.rated_va / f64::from(of.parallel);
    let impedance = |vk: f64, vkr: f64| Complex::new(vkr, (vk * vk - vkr * vkr).max(0.0).sqrt()) * per_share;
    let z = impedance(of.vk, of.vkr);
    let magnetising = of.i0 * of.rated_va;
    let iron = Complex::new(of.iron_w, -(magnetising * magnetising - of.iron_w * of.iron_w).max(0.0).sqrt());
    let (y, at_end) = pi_of_t(z * 0.5, z * 0.5, iron * f64::from(of.parallel) / (turns_lv * turns_lv * base_va));
    let tap = Complex::from_polar(ratio, of.shift_rad);
    let [zero_ff, zero_ft, zero_tt] = zero_sequence(of, ratio, per_share, &impedance);
    let square = ratio * ratio;
    let hv = (y + at_end) / square;
    let lv = y + at_end;
    TwoPort {
        ff: block(&[zero_ff, hv, hv]),
        ft: block(&[zero_ft, -y / tap.conj(), -y / tap]),
        tf: block(&[zero_ft, -y / tap, -y / tap.conj()]),
        tt: block(&[zero_tt, lv, lv]),
    }
}

/// Series and end admittance of the pi of a T with equal arms.
fn pi_of_t(z1: Complex, z2: Complex, y3: Complex) -> (Complex, Complex) {
    let all = z1 + z2 + z1 * z2 * y3;
    (all.inv(), z2 * y3 / all)
}

/// High-voltage side, through and low-voltage side.
fn zero_sequence(
    of: &PhaseTransformer,
    ratio: f64,
    per_share: f64,
    impedance: &impl Fn(f64, f64) -> Complex,
) -> [Complex; 3] {
    let is_given = of.vk0.abs() > 1e-10;
    let z = impedance(if is_given { of.vk0 } else { of.vk }, if of.vkr0.abs() > 1e-10 { of.vkr0 } else { of.vkr });
    let (z1, z2) = (z * of.si0_hv_share, z * (1.0 - of.si0_hv_share));
    let z_magnetising = if is_given { of.vk0 } else { of.vk } * of.mag0 * per_share;
    let x3 = z_magnetising / (of.mag0_rx * of.mag0_rx + 1.0).sqrt();
    let z3 = Complex::new(x3 * of.mag0_rx, x3);
    let square = ratio * ratio;
    let floating = Complex::new(FLOATING / z.norm(), 0.0);
    match of.vector_group {
        VectorGroup::Ynyn => {
            let all = z1 * z2 + z2 * z3 + z1 * z3;
            let through = z3 / all;
            // Phases may be renamed along a shift of 120 degrees, and are reversed along one of 180.
            let sixths = (of.shift_rad / std::f64::consts::FRAC_PI_3).round();
            let sign = if sixths.rem_euclid(2.0) < 0.5 { 1.0 } else { -1.0 };
            [(through + z2 / all) / square, -through * sign / ratio, through + z1 / all]
        }
        VectorGroup::Dyn => [floating / square, ZERO, (z2 + z1 * z3 / (z1 + z3)).inv()],
        VectorGroup::Yyn => [floating / square, ZERO, (z2 + z3).inv()],
        VectorGroup::Yzn => [floating / square, ZERO, (z2 + z3).inv() * ZIGZAG],
        VectorGroup::Ynd => [(z1 + z2 * z3 / (z2 + z3)).inv() / square, ZERO, floating],
        VectorGroup::Yny => [(z1 + z3).inv() / square, ZERO, floating],
        VectorGroup::Unearthed => [floating / square, ZERO, floating],
    }
}

/// Admittances of a source by sequence, zero first, per unit; infinite where it is stiff.
#[must_use]
pub fn of_source(source: &PhaseSource, base_va: f64) -> Phases {
    let z = C_MAX * base_va / source.s_sc_va;
    let x = z / (source.rx * source.rx + 1.0).sqrt();
    let x0 = source.x0x * x;
    let y = Complex::new(source.rx * x, x).inv();
    [Complex::new(source.r0x0 * x0, x0).inv(), y, y]
}

/// `a + b`.
pub(crate) fn sum(a: &PhaseBlock, b: &PhaseBlock) -> PhaseBlock {
    let mut c = *a;
    add(&mut c, b);
    c
}
/// `a += b`.
pub(crate) fn add(a: &mut PhaseBlock, b: &PhaseBlock) {
    a.iter_mut().flatten().zip(b.iter().flatten()).for_each(|(a, b)| *a += b);
}
fn scaled(a: &PhaseBlock, by: f64) -> PhaseBlock {
    let mut c = *a;
    c.iter_mut().flatten().for_each(|entry| *entry *= by);
    c
}
/// `m v`.
#[must_use]
pub fn apply(m: &PhaseBlock, v: &Phases) -> Phases {
    std::array::from_fn(|row| m[row][0] * v[0] + m[row][1] * v[1] + m[row][2] * v[2])
}
