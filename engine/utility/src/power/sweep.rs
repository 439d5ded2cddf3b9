//! Backward/forward sweep of radial parts. The grid is linear in currents: with currents `I` fed in by loads and
//! generators and slack voltages `V_s` given,
//!
//! ```text
//! Y V = I(V) - Y_s V_s               I_i = conj(S_i(V) / V_i)
//! ```
//!
//! On a tree, rows in the order of elimination have one later neighbour, their parent `p`, and elimination of `Y`
//! without fill is a sweep from the leaves, substitution one from the source:
//!
//! ```text
//! once:      D_i = Y_ii - sum over children c of Y_ic Y_ci / D_c
//! backward:  J_i = I_i(V) - Y_is V_s - sum over children c of (Y_ic / D_c) J_c
//! forward:   V_i = (J_i - Y_ip V_p) / D_i
//! ```
//!
//! which is the classical summation of currents and of voltage drops, but exact in shunts, charging and tap ratios.
//! Repeated until the powers agree: the mismatch of the new voltages is `V_i conj(I_i) - S_i(V)`. The error shrinks
//! by a constant factor a sweep, about the ratio of load to short-circuit power. Constant impedances are part of `Y`.
//!
//! Source: D. Shirmohammadi et al., A compensation-based power flow method for weakly meshed distribution and
//! transmission networks, IEEE Trans. Power Systems 3 (1988). Ignored: held voltages (PV) and loops, which are
//! Newton's. Contract: no allocation but at the first solve; operations in one order.

use super::grid::{Complex, Part};
use super::newton::{NewtonSettings, PartOutcome, Start};

/// Sweeps for one iteration that the settings allow, as a sweep does less than a Newton step.
const SWEEPS_PER_ITERATION: u32 = 10;
const NONE: u32 = u32::MAX;

/// What the sweeps keep.
#[derive(Clone, Debug)]
pub(crate) struct Factors {
    /// The edge to the parent, [`NONE`] at roots. Empty where the part is no tree.
    edge: Vec<u32>,
    /// `1 / D`.
    inverse: Vec<Complex>,
    /// Currents fed in.
    fed: Vec<Complex>,
    /// Currents from the subtree.
    current: Vec<Complex>,
    version: u64,
}

/// Solves a part by sweeps, or says that it has loops or held voltages. Without convergence, voltages are left as they
/// are without load.
pub(crate) fn solve_part(part: &mut Part, settings: &NewtonSettings) -> Option<PartOutcome> {
    if part.has_held {
        return None;
    }
    let mut factors = part.sweep.take().unwrap_or_else(|| Factors::new(part));
    let outcome = (!factors.edge.is_empty()).then(|| {
        if factors.version != part.version || part.has_zip {
            factors.factor(part);
        }
        if settings.start != Start::Warm {
            // Any beginning leads to the same voltages; these are never zero where there is a source.
            part.v.copy_from_slice(&part.v_flat);
        }
        factors.iterate(part, settings)
    });
    part.sweep = Some(factors);
    outcome
}

impl Factors {
    fn new(part: &Part) -> Self {
        let rows = part.rows();
        let zero = Complex::new(0.0, 0.0);
        let upward = |row: usize| part.edge_start[row]..part.edge_start[row + 1];
        let is_tree = (0..rows).all(|row| upward(row).len() <= 1);
        let edge = if is_tree { (0..rows).map(|row| upward(row).next().unwrap_or(NONE)).collect() } else { Vec::new() };
        Self { edge, inverse: vec![zero; rows], fed: vec![zero; rows], current: vec![zero; rows], version: 0 }
    }
    fn factor(&mut self, part: &Part) {
        let d = &mut self.inverse;
        d.copy_from_slice(&part.y_own);
        // A constant impedance feeds in s |V|^2, which is the current conj(s) V.
        d.iter_mut().zip(&part.s_impedance).for_each(|(d, s)| *d -= s.conj());
        for row in 0..d.len() {
            // A row that nothing is joined to has no voltage.
            let inverse = if d[row].norm() <= 1e-14 * part.scale { Complex::new(0.0, 0.0) } else { d[row].inv() };
            d[row] = inverse;
            if self.edge[row] != NONE {
                let edge = self.edge[row] as usize;
                let [up, down] = part.y_edge[edge];
                d[part.edge_to[edge] as usize] -= up * down * inverse;
            }
        }
        self.version = part.version;
    }
    fn iterate(&mut self, part: &mut Part, settings: &NewtonSettings) -> PartOutcome {
        let limit = settings.max_iterations.saturating_mul(SWEEPS_PER_ITERATION);
        let tolerance = settings.tolerance_pu.max(1e-15 * part.scale);
        let mut outcome = PartOutcome { mismatch_pu: f64::INFINITY, ..PartOutcome::default() };
        self.feed_in(part);
        while !outcome.is_converged && outcome.iterations < limit {
            self.sweep(part);
            outcome.iterations += 1;
            let mismatch = self.feed_in(part);
            outcome.mismatch_pu = mismatch;
            if !mismatch.is_finite() {
                break;
            }
            outcome.is_converged = mismatch <= tolerance;
        }
        if !outcome.is_converged {
            part.v.copy_from_slice(&part.v_flat); // nothing to begin the next solve with
        }
        outcome
    }
    /// Currents at the voltages at hand; returns the largest mismatch of power of those before.
    fn feed_in(&mut self, part: &Part) -> f64 {
        let (mut worst, mut sum) = (0.0_f64, 0.0);
        for (row, &v) in part.v.iter().enumerate() {
            let mut given = part.s_power[row];
            if part.has_zip {
                given += part.s_current[row] * v.norm();
            }
            let missing = v * self.fed[row].conj() - given;
            let square = v.norm_sqr();
            if square <= 0.0 {
                self.fed[row] = Complex::new(0.0, 0.0);
                continue;
            }
            worst = worst.max(missing.re.abs()).max(missing.im.abs());
            sum += missing.re + missing.im;
            self.fed[row] = given.conj() * v / square;
        }
        if sum.is_finite() { worst } else { f64::NAN }
    }
    fn sweep(&mut self, part: &mut Part) {
        self.current.copy_from_slice(&self.fed);
        for ((&row, y), v) in part.tie_row.iter().zip(&part.y_tie).zip(&part.v_tie) {
            self.current[row as usize] -= y * v;
        }
        for row in 0..part.rows() {
            if self.edge[row] != NONE {
                let edge = self.edge[row] as usize;
                let passed = part.y_edge[edge][1] * self.inverse[row] * self.current[row];
                self.current[part.edge_to[edge] as usize] -= passed;
            }
        }
        for row in (0..part.rows()).rev() {
            let mut current = self.current[row];
            if self.edge[row] != NONE {
                let edge = self.edge[row] as usize;
                current -= part.y_edge[edge][0] * part.v[part.edge_to[edge] as usize];
            }
            part.v[row] = current * self.inverse[row];
        }
    }
}
