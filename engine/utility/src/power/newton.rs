//! AC power flow of a part by Newton's method, in polar steps on complex voltages.
//!
//! Node `i` takes `S_i = P_i + j Q_i` from the grid's point of view, the sum over its neighbours and itself
//!
//! ```text
//! S_ij = V_i conj(Y_ij V_j)          S_i = sum_j S_ij
//! ```
//!
//! and the step turns and stretches each voltage, `V_i <- V_i (1 + n_i) exp(j t_i)`. With `S_ij = a + jb`, to first
//! order `S_ij` changes by `S_ij (n_j - j t_j)` through `V_j` and by `S_ij (n_i + j t_i)` through `V_i`, so the blocks
//! of the Jacobian (rows P, Q; columns t, n) are
//!
//! ```text
//! J_ij = |  b  a |     J_ii = | -Q_i + b   P_i + a |     a + jb = S_ii = |V_i|^2 conj(Y_ii)
//!        | -a  b |            |  P_i - a   Q_i + b |
//! ```
//!
//! which is the usual polar Jacobian with magnitudes relative to themselves; no sine or cosine is needed. Loads
//! that depend on voltage add `|V| dS/d|V|` to column n of the diagonal. Where voltage is held, row Q reads `n_i = 0`
//! instead, so the pattern stays; dead rows read `t = n = 0`. Given voltages (slack) have no row.
//!
//! Small turns use `(1 + j t/2) / (1 - j t/2)`, of modulus one and right to `t^3 / 12`: Newton's order is kept, and so
//! is its solution.
//!
//! Factors are used again while they do ([`NewtonSettings::reuse`]): a step with factors of a nearby state costs a
//! third and gains a constant factor instead of squaring the mismatch. The mismatch is always exact, so what is
//! accepted is the same.
//!
//! Source: W. F. Tinney and C. E. Hart, Power flow solution by Newton's method, IEEE Trans. PAS-86 (1967).
//! Ignored: limits of reactive power. Contract: no allocation; operations in one order; a part is a pure function of
//! its columns.

use super::grid::{Complex, Part};

/// The voltage with which a solve begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Voltages at hand; without load at first.
    #[default]
    Warm,
    /// Voltages without load.
    Flat,
    /// Angles of a linear flow of active power, magnitudes as in `Flat`.
    Dc,
}

/// How Newton's method runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewtonSettings {
    /// Where it begins.
    pub start: Start,
    /// Largest mismatch of power accepted, per unit. Not below what rounding leaves.
    pub tolerance_pu: f64,
    /// Steps after which it is given up.
    pub max_iterations: u32,
    /// A step takes the factors at hand if the last one shrank the mismatch at least by this factor, or would reach
    /// the tolerance at the rate seen; 0 factors at every step.
    pub reuse: f64,
}

impl Default for NewtonSettings {
    fn default() -> Self {
        Self { start: Start::Warm, tolerance_pu: 1e-10, max_iterations: 30, reuse: 0.1 }
    }
}

/// How a part's solve ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PartOutcome {
    /// Whether the mismatch came below the tolerance.
    pub is_converged: bool,
    /// Steps taken.
    pub iterations: u32,
    /// Of these, steps with new factors.
    pub factorings: u32,
    /// Largest mismatch, per unit: of the voltages left, or of the best ones reached without convergence.
    pub mismatch_pu: f64,
    /// Pivots perturbed in the last factoring.
    pub perturbed: u32,
}

/// Steps that magnitudes are held to, so that none is thrown through zero.
const STEP_LIMIT: f64 = 0.5;
/// Turns up to which the quotient stands in for sine and cosine, radians.
const SMALL_TURN: f64 = 0.1;
/// Rounding of a mismatch, as a share of the largest own admittance: a few units in the last place.
const ROUNDING: f64 = 1e-15;

/// Solves a part from the voltages that the settings say. Without convergence, voltages are left at the best
/// mismatch reached.
pub(crate) fn solve_part(part: &mut Part, settings: &NewtonSettings) -> PartOutcome {
    match settings.start {
        Start::Warm => {}
        Start::Flat | Start::Dc => part.v.copy_from_slice(&part.v_flat),
    }
    if settings.start == Start::Dc {
        turn_by_active_power(part);
    }
    part.v_start.copy_from_slice(&part.v);
    let (outcome, best) = iterate(part, settings, u32::MAX);
    if outcome.is_converged {
        return outcome;
    }
    part.v.copy_from_slice(&part.v_start);
    part.lu_version = None;
    iterate(part, settings, best);
    PartOutcome { mismatch_pu: evaluate(part, false), ..outcome }
}

/// Steps until the mismatch is small, or for `stop` steps. Also returns the number of steps of the least mismatch.
fn iterate(part: &mut Part, settings: &NewtonSettings, stop: u32) -> (PartOutcome, u32) {
    let tolerance = settings.tolerance_pu.max(ROUNDING * part.scale);
    let mut outcome = PartOutcome::default();
    let mut has_factors = settings.reuse > 0.0 && part.lu_version == Some(part.version);
    let mut mismatch = evaluate(part, !has_factors);
    let mut has_jacobian = !has_factors;
    let (mut best, mut best_mismatch) = (0, mismatch);
    let mut rate = 0.0; // what the last step with old factors left of the mismatch
    loop {
        outcome.mismatch_pu = mismatch;
        if mismatch <= tolerance {
            outcome.is_converged = true;
            break;
        }
        if outcome.iterations >= settings.max_iterations.min(stop) || !mismatch.is_finite() {
            break;
        }
        let is_reused = has_factors && (rate <= settings.reuse || mismatch * rate <= tolerance);
        if is_reused {
            part.lu.solve(&mut part.x);
        } else {
            if !has_jacobian {
                evaluate(part, true);
            }
            part.lu.factor_and_solve(part.scale, &mut part.x);
            part.lu_version = Some(part.version);
            outcome.perturbed = part.lu.perturbed();
            outcome.factorings += 1;
            has_factors = settings.reuse > 0.0 && outcome.perturbed == 0;
        }
        step(part);
        outcome.iterations += 1;
        has_jacobian = !has_factors;
        let before = std::mem::replace(&mut mismatch, evaluate(part, has_jacobian));
        rate = mismatch / before;
        if mismatch < best_mismatch {
            (best, best_mismatch) = (outcome.iterations, mismatch);
        }
    }
    if !outcome.is_converged {
        part.lu_version = None;
        outcome.mismatch_pu = best_mismatch;
    } else if has_jacobian {
        part.lu_version = None; // the places of the factors hold a Jacobian that was not factored
    }
    (outcome, best)
}

/// Mismatches at the voltages at hand, as right side of the step, and the Jacobian into the places of the factors
/// where asked. Returns the largest mismatch, NaN if any is.
pub(crate) fn evaluate(part: &mut Part, with_jacobian: bool) -> f64 {
    match (with_jacobian, part.has_held) {
        (false, _) => evaluate_as::<false, false>(part),
        (true, false) => evaluate_as::<true, false>(part),
        (true, true) => evaluate_as::<true, true>(part),
    }
}

fn evaluate_as<const JACOBIAN: bool, const HELD: bool>(part: &mut Part) -> f64 {
    let rows = part.rows();
    let (diagonal, lower, upper) = if JACOBIAN { part.lu.assemble() } else { Default::default() };
    let (v, s) = (&part.v[..rows], &mut part.s[..rows]);
    for row in 0..rows {
        s[row] = part.y_own[row].conj() * v[row].norm_sqr();
        if JACOBIAN {
            let own = s[row];
            diagonal[row] = [own.im, own.re, -own.re, own.im];
        }
    }
    for ((&row, y), v_tie) in part.tie_row.iter().zip(&part.y_tie).zip(&part.v_tie) {
        s[row as usize] += v[row as usize] * (y * v_tie).conj();
    }
    for i in 0..rows {
        let range = part.edge_start[i] as usize..part.edge_start[i + 1] as usize;
        let (vi, mut si) = (v[i], s[i]);
        let edges = part.edge_to[range.clone()].iter().zip(&part.y_edge[range.clone()]).zip(&part.edge_slot[range]);
        for ((&j, [yij, yji]), &slot) in edges {
            let (j, slot) = (j as usize, slot as usize);
            let product = vi * v[j].conj();
            let (sij, sji) = (yij.conj() * product, (yji * product).conj());
            si += sij;
            s[j] += sji;
            if JACOBIAN {
                let (qi, qj) = if HELD { (part.q_is_given[i], part.q_is_given[j]) } else { (1.0, 1.0) };
                upper[slot] = [sij.im, sij.re, -sij.re * qi, sij.im * qi];
                lower[slot] = [sji.im, sji.re, -sji.re * qj, sji.im * qj];
            }
        }
        s[i] = si;
    }
    let mut worst = 0.0_f64;
    let mut sum = 0.0;
    for row in 0..rows {
        let taken = s[row];
        let mut given = part.s_power[row];
        let mut slope = Complex::new(0.0, 0.0);
        if part.has_zip {
            let vm = v[row].norm();
            let (current, impedance) = (part.s_current[row] * vm, part.s_impedance[row] * (vm * vm));
            given += current + impedance;
            slope = current + impedance * 2.0;
        }
        let (p, q) = (given.re - taken.re, (given.im - taken.im) * part.q_is_given[row]);
        part.x[row] = [p, q];
        worst = worst.max(p.abs()).max(q.abs());
        sum += p + q;
        if JACOBIAN {
            let d = &mut diagonal[row];
            *d = [d[0] - taken.im, d[1] + taken.re - slope.re, d[2] + taken.re, d[3] + taken.im - slope.im];
            if HELD && part.q_is_given[row] <= 0.0 {
                (d[2], d[3]) = (0.0, 1.0);
            }
        }
    }
    for &row in &part.dead {
        part.x[row as usize] = [0.0; 2];
        if JACOBIAN {
            diagonal[row as usize] = [1.0, 0.0, 0.0, 1.0];
        }
    }
    if sum.is_finite() { worst } else { f64::NAN }
}

/// Turns and stretches voltages by the step.
pub(crate) fn step(part: &mut Part) {
    for (v, &[turn, stretch]) in part.v.iter_mut().zip(&part.x) {
        *v = *v * turned(turn) * (1.0 + stretch.clamp(-STEP_LIMIT, STEP_LIMIT));
    }
}

#[inline(always)]
fn turned(turn: f64) -> Complex {
    if turn.abs() <= SMALL_TURN {
        let half = 0.5 * turn;
        let (square, r) = (half * half, 1.0 / (1.0 + half * half));
        return Complex::new((1.0 - square) * r, turn * r);
    }
    let (sin, cos) = turn.sin_cos();
    Complex::new(cos, sin)
}

/// Angles of the linear flow of active power from the voltages at hand: the blocks' P-t entries alone.
fn turn_by_active_power(part: &mut Part) {
    let keep = |block: &mut [f64; 4]| *block = [block[0], 0.0, 0.0, 0.0];
    evaluate(part, true);
    let (diagonal, lower, upper) = part.lu.assemble();
    lower.iter_mut().chain(upper).for_each(keep);
    diagonal.iter_mut().for_each(|block| *block = [block[0], 0.0, 0.0, 1.0]);
    part.x.iter_mut().for_each(|x| x[1] = 0.0);
    part.lu.factor_and_solve(part.scale, &mut part.x);
    part.lu_version = None;
    step(part);
}
