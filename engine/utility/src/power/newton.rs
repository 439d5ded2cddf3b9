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
//! A step with the factors of a nearby state (a chord) costs a third to a half of one with its own, and multiplies the
//! mismatch by the same rate each time, where Newton's squares the rate. With mismatch `m`, tolerance `e` and rate `r`,
//! `log(e / m) / log r` chords remain; they are taken while that costs less than a Newton step and the chords after
//! it ([`NewtonSettings::reuses_factors`]). The mismatch is always exact, so what is accepted is the same.
//!
//! Singular pivots are perturbed and such factors not used again; refining their step would be idle, as the next one
//! starts from an exact mismatch. That costs no step as long as what is added is small for its row; next to admittances a
//! million times larger it is not. With the feature `faer-fallback` such a step is solved again with row exchanges
//! ([`PartOutcome::pivoted`]), which allocates; pivots that are not finite count as perturbed.
//!
//! Where steps do not converge, the solve begins again from the start of linear flows with damped ones, each the longest
//! of `1, 1/2, 1/4, ...` of Newton's that lowers the mismatch.
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
    /// Voltages of linear flows of reactive and active power one after the other: for transmission grids, where `Flat` is
    /// too far off. `Flat` where its mismatch is less, as where lines have more resistance than reactance.
    Dc,
    /// Voltages that the tables state for buses.
    Given,
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
    /// Whether steps may take the factors at hand where that is cheaper.
    pub reuses_factors: bool,
}

impl Default for NewtonSettings {
    fn default() -> Self {
        Self { start: Start::Warm, tolerance_pu: 1e-10, max_iterations: 30, reuses_factors: true }
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
    /// Steps solved with row exchanges instead, as pivots were perturbed (feature `faer-fallback`).
    pub pivoted: u32,
}

/// Steps that magnitudes are held to, so that none is thrown through zero.
const STEP_LIMIT: f64 = 0.5;
/// Turns up to which the quotient stands in for sine and cosine, radians.
const SMALL_TURN: f64 = 0.1;
/// Rounding of a mismatch, as a share of the largest own admittance: a few units in the last place.
const ROUNDING: f64 = 1e-15;

/// What chords may cost in all, in Newton steps: about one, and a chord after it. Measured on series of days of
/// mv_oberrhein, lv_schutterwald and case9241pegase.
const CHORDS_COST: f64 = 1.6;
/// Times that a damped step is halved.
const HALVINGS: u32 = 8;

/// Steps after which ones that gain little are given up.
const PATIENCE: u32 = 10;

/// Solves a part from the voltages that the settings say. Without convergence, voltages are left at the least mismatch
/// of damped steps.
pub(crate) fn solve_part(part: &mut Part, settings: &NewtonSettings) -> PartOutcome {
    set_start(part, settings.start);
    let outcome = iterate(part, settings);
    if outcome.is_converged {
        return outcome;
    }
    let outcome = iterate_damped(part, Start::Dc, settings, outcome);
    if outcome.is_converged { outcome } else { iterate_damped(part, Start::Flat, settings, outcome) }
}

fn set_start(part: &mut Part, start: Start) {
    match start {
        Start::Warm => {}
        Start::Flat => part.v.copy_from_slice(&part.v_flat),
        Start::Given => part.v.copy_from_slice(&part.v_given),
        Start::Dc => {
            part.v.copy_from_slice(&part.v_flat);
            let flat = evaluate(part, false);
            decoupled_steps(part);
            let reached = evaluate(part, false);
            if reached.is_nan() || reached >= flat {
                part.v.copy_from_slice(&part.v_flat);
            }
        }
    }
}

/// Steps until the mismatch is small or there are no more.
fn iterate(part: &mut Part, settings: &NewtonSettings) -> PartOutcome {
    let tolerance = tolerance_of(part, settings);
    let is_warm = settings.start == Start::Warm;
    let mut outcome = PartOutcome::default();
    let mut has_factors = settings.reuses_factors && is_warm && part.lu_version == Some(part.version);
    let mut has_jacobian = !has_factors;
    let mut mismatch = evaluate(part, has_jacobian);
    // What a step with the factors at hand leaves of the mismatch: as the last one did, in this solve or the one before.
    let mut rate = if is_warm { part.rate } else { 1.0 };
    loop {
        outcome.mismatch_pu = mismatch;
        outcome.is_converged = mismatch <= tolerance;
        let is_stuck = outcome.iterations >= PATIENCE && rate > 0.5;
        if outcome.is_converged || outcome.iterations >= settings.max_iterations || !mismatch.is_finite() || is_stuck {
            break;
        }
        let is_chord = has_factors && !has_jacobian && chords_pay(part, mismatch, rate, tolerance);
        if is_chord {
            part.lu.solve(&mut part.x);
        } else {
            if !has_jacobian {
                evaluate(part, true);
            }
            factor_and_solve(part, &mut outcome);
            has_factors = settings.reuses_factors && outcome.perturbed == 0;
            rate *= rate;
        }
        step(part);
        outcome.iterations += 1;
        // One pass for mismatch and Jacobian where the next step is likely to need both.
        has_jacobian = !(has_factors && chords_pay(part, mismatch * rate, rate, tolerance));
        let before = std::mem::replace(&mut mismatch, evaluate(part, has_jacobian));
        if mismatch > tolerance {
            rate = mismatch / before;
        }
    }
    part.rate = rate.clamp(1e-3, 1.0);
    if has_jacobian || !outcome.is_converged {
        part.lu_version = None; // the places of the factors hold a Jacobian that was not factored
    }
    outcome
}

/// Whether as many chords as it takes cost no more than a Newton step and what comes after it. A chord costs a half
/// of a Newton step where the factors have no fill, and less where eliminating does more.
fn chords_pay(part: &Part, mismatch: f64, rate: f64, tolerance: f64) -> bool {
    if mismatch <= tolerance {
        return true;
    }
    let updates = part.lu.symbolic().updates() as f64 / part.rows() as f64;
    let chords = ((tolerance / mismatch).log2() / rate.log2()).ceil();
    rate < 0.5 && chords <= CHORDS_COST * (2.0 + 0.1 * updates)
}

/// Steps that lower the mismatch each, after others failed.
#[cold]
fn iterate_damped(part: &mut Part, start: Start, settings: &NewtonSettings, failed: PartOutcome) -> PartOutcome {
    let tolerance = tolerance_of(part, settings);
    let mut outcome = PartOutcome { is_converged: false, ..failed };
    set_start(part, start);
    let mut mismatch = evaluate(part, true);
    let (mut v_before, mut whole) = (part.v.clone(), part.x.clone());
    for _ in 0..settings.max_iterations {
        outcome.is_converged = mismatch <= tolerance;
        if outcome.is_converged || !mismatch.is_finite() {
            break;
        }
        factor_and_solve(part, &mut outcome);
        outcome.iterations += 1;
        v_before.copy_from_slice(&part.v);
        whole.copy_from_slice(&part.x);
        let mut length = 1.0;
        let is_lower = (0..HALVINGS).any(|_| {
            part.v.copy_from_slice(&v_before);
            part.x.iter_mut().zip(&whole).for_each(|(x, whole)| *x = whole.map(|step| step * length));
            length *= 0.5;
            step(part);
            let reached = evaluate(part, false);
            let is_lower = reached < mismatch;
            if is_lower {
                mismatch = reached;
            }
            is_lower
        });
        if !is_lower {
            part.v.copy_from_slice(&v_before);
            break;
        }
        evaluate(part, true);
    }
    part.lu_version = None;
    outcome.is_converged = mismatch <= tolerance;
    outcome.mismatch_pu = mismatch;
    outcome
}

fn tolerance_of(part: &Part, settings: &NewtonSettings) -> f64 {
    settings.tolerance_pu.max(ROUNDING * part.scale)
}

fn factor_and_solve(part: &mut Part, outcome: &mut PartOutcome) {
    part.lu.factor_and_solve(part.scale, &mut part.x);
    part.lu_version = Some(part.version);
    outcome.perturbed = part.lu.perturbed();
    outcome.factorings += 1;
    #[cfg(feature = "faer-fallback")]
    if outcome.perturbed > 0 {
        outcome.pivoted += u32::from(solve_pivoted(part));
    }
}

/// Solves the step at hand again, with row exchanges; the step stays where that fails.
#[cfg(feature = "faer-fallback")]
#[cold]
fn solve_pivoted(part: &mut Part) -> bool {
    let perturbed = part.x.clone();
    evaluate(part, true); // factoring has overwritten the Jacobian and the right side
    part.lu_version = None;
    let is_solved = part.lu.solve_pivoted(&mut part.x);
    if !is_solved {
        part.x = perturbed;
    }
    is_solved
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

/// Linear flows from the voltages without load: of reactive power with the entries Q-n of the blocks, which finds the
/// magnitudes between those held, of active power with the entries P-t, and of reactive power with the angles found.
/// Of 75 cases of MATPOWER 8.1, this order fails on 2 (70,000 and 82,000 buses), without its last step on 3, without its
/// first on 8; from the voltages that the cases give, none fails.
fn decoupled_steps(part: &mut Part) {
    for kept in [3, 0, 3] {
        evaluate(part, true);
        let (diagonal, lower, upper) = part.lu.assemble();
        let keep = |block: &mut [f64; 4]| {
            let mut only = [0.0; 4];
            only[kept] = block[kept];
            *block = only;
        };
        lower.iter_mut().chain(upper).for_each(keep);
        for ((block, taken), x) in diagonal.iter_mut().zip(&part.s).zip(&mut part.x) {
            // Reactive power is linear in the magnitudes of the others: its own share of the slope is left out.
            let own = if kept == 3 && x[1].abs() > 0.0 { block[3] - taken.im } else { block[kept] };
            *block = if kept == 3 { [1.0, 0.0, 0.0, own] } else { [own, 0.0, 0.0, 1.0] };
            x[if kept == 3 { 0 } else { 1 }] = 0.0;
        }
        part.lu.factor_and_solve(part.scale, &mut part.x);
        step(part);
    }
    part.lu_version = None;
}

#[cfg(test)]
#[path = "newton_tests.rs"]
mod tests;
