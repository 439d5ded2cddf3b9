//! `A = L D L^T` of a sparse symmetric matrix without pivoting: definite or quasi-definite ones, such as the
//! Laplacians of pipes with fixed pressures and of DC flow. Eliminating column `k`:
//!
//! ```text
//! L[i,k] = A[i,k] / D[k]             A[i,j] -= L[i,k] A[j,k]     for i >= j > k in the column
//! ```
//!
//! Updates go to places known beforehand ([`Symbolic`]). A pivot that is as good as zero is perturbed and counted,
//! and [`Ldlt::solve_refined`] makes good for it by refinement against the matrix itself.
//!
//! Ignored: pivoting, supernodes, threads. Contract: no allocation after [`Ldlt::new`], operations in one order.

use super::{Pattern, Slot, Symbolic};

const REFINEMENTS: usize = 10;
/// A pivot is singular below this share of the matrix's scale.
const SINGULAR: f64 = 1e-14;
/// Perturbation of a singular pivot, as a share of the scale.
const PERTURBATION: f64 = 1e-8;

/// Values of a symmetric matrix by its pattern, in the order of elimination.
#[derive(Clone, Debug)]
pub struct SymmetricMatrix {
    /// Edges, smaller end first, ascending.
    edges: Vec<(u32, u32)>,
    /// Diagonal. Shape: rows.
    pub diagonal: Vec<f64>,
    /// Entries beside the diagonal, one for each edge in the order of [`Pattern::edges`].
    pub off_diagonal: Vec<f64>,
}

impl SymmetricMatrix {
    /// Zeros.
    #[must_use]
    pub fn zeros(pattern: &Pattern) -> Self {
        let edges: Vec<(u32, u32)> = pattern.edges().collect();
        Self { diagonal: vec![0.0; pattern.rows()], off_diagonal: vec![0.0; edges.len()], edges }
    }
    /// Edges in the order of `off_diagonal`, smaller end first.
    #[must_use]
    pub fn edges(&self) -> &[(u32, u32)] {
        &self.edges
    }
    /// `r = b - A x`; returns the largest entry of `r`.
    pub fn residual(&self, x: &[f64], b: &[f64], r: &mut [f64]) -> f64 {
        for (row, r) in r.iter_mut().enumerate() {
            *r = b[row] - self.diagonal[row] * x[row];
        }
        for (&(i, j), value) in self.edges.iter().zip(&self.off_diagonal) {
            let (i, j) = (i as usize, j as usize);
            r[i] -= value * x[j];
            r[j] -= value * x[i];
        }
        r.iter().fold(0.0, |worst, r| worst.max(r.abs()))
    }
}

/// Factors of a symmetric matrix. Rows are numbered in the order of elimination.
#[derive(Clone, Debug)]
pub struct Ldlt {
    symbolic: Symbolic,
    /// Position of each edge of the matrix.
    position: Vec<u32>,
    /// Inverses of the pivots.
    inverse: Vec<f64>,
    lower: Vec<f64>,
    /// Unscaled entries of the column at work. Shape: longest column.
    column: Vec<f64>,
    perturbed: u32,
}

impl Ldlt {
    /// Room for the factors of matrices with this pattern.
    #[must_use]
    pub fn new(pattern: &Pattern) -> Self {
        let symbolic = Symbolic::new(pattern);
        let position = pattern.edges().map(|(i, j)| match symbolic.slot(j, i) {
            Some(Slot::Lower(position)) => position,
            _ => unreachable!("the pattern is that of the factors"),
        });
        let position = position.collect();
        let longest = (0..symbolic.rows()).map(|k| symbolic.range(k).len()).max().unwrap_or(0);
        Self {
            position,
            inverse: vec![0.0; symbolic.rows()],
            lower: vec![0.0; symbolic.entries()],
            column: vec![0.0; longest],
            symbolic,
            perturbed: 0,
        }
    }
    /// Pattern of the factors.
    #[must_use]
    pub fn symbolic(&self) -> &Symbolic {
        &self.symbolic
    }
    /// Pivots that the last factoring had to perturb. With any, solve with [`Ldlt::solve_refined`].
    #[must_use]
    pub fn perturbed(&self) -> u32 {
        self.perturbed
    }
    /// Factors a matrix of the same pattern.
    pub fn factor(&mut self, matrix: &SymmetricMatrix) {
        for &position in self.symbolic.fill() {
            self.lower[position as usize] = 0.0;
        }
        for (&position, &value) in self.position.iter().zip(&matrix.off_diagonal) {
            self.lower[position as usize] = value;
        }
        self.inverse.copy_from_slice(&matrix.diagonal);
        let scale = matrix.diagonal.iter().fold(0.0_f64, |scale, value| scale.max(value.abs()));
        let Symbolic { start, row, target, .. } = &self.symbolic;
        let mut targets = target.as_slice();
        self.perturbed = 0;
        for k in 0..self.inverse.len() {
            let (begin, end) = (start[k] as usize, start[k + 1] as usize);
            let mut pivot = self.inverse[k];
            if pivot.abs() <= SINGULAR * scale {
                pivot = if pivot < 0.0 { -PERTURBATION * scale } else { PERTURBATION * scale };
                self.perturbed += 1;
            }
            let inverse = 1.0 / pivot;
            self.inverse[k] = inverse;
            let (before, after) = self.lower.split_at_mut(end);
            let (lower, rows) = (&mut before[begin..], &row[begin..end]);
            let column = &mut self.column[..rows.len()];
            for ((l, kept), &i) in lower.iter_mut().zip(column.iter_mut()).zip(rows) {
                *kept = *l;
                *l *= inverse;
                self.inverse[i as usize] -= *l * *kept;
            }
            for (a, &la) in lower.iter().enumerate() {
                let (these, rest) = targets.split_at(rows.len() - a - 1);
                targets = rest;
                for (&at, kept) in these.iter().zip(&column[a + 1..]) {
                    after[at as usize - end] -= la * kept;
                }
            }
        }
    }
    /// Solves with the factors at hand; `x` holds the right side and then the solution.
    pub fn solve(&self, x: &mut [f64]) {
        assert_eq!(x.len(), self.inverse.len(), "one value for each row");
        for k in 0..x.len() {
            let xk = x[k];
            let range = self.symbolic.range(k);
            for (l, &row) in self.lower[range.clone()].iter().zip(&self.symbolic.row[range]) {
                x[row as usize] -= l * xk;
            }
        }
        for k in (0..x.len()).rev() {
            let range = self.symbolic.range(k);
            let mut sum = x[k] * self.inverse[k];
            for (l, &row) in self.lower[range.clone()].iter().zip(&self.symbolic.row[range]) {
                sum -= l * x[row as usize];
            }
            x[k] = sum;
        }
    }
    /// Solves `A x = b`, refining until the largest residual is at most `tolerance` or no longer falls. `x` need not
    /// be set; `work` is scratch. Returns the residual reached.
    pub fn solve_refined(
        &self,
        matrix: &SymmetricMatrix,
        b: &[f64],
        x: &mut [f64],
        work: &mut [f64],
        tolerance: f64,
    ) -> f64 {
        x.fill(0.0);
        work.copy_from_slice(b);
        let mut reached = f64::INFINITY;
        for _ in 0..REFINEMENTS {
            self.solve(work);
            x.iter_mut().zip(work.iter()).for_each(|(x, d)| *x += d);
            let worst = matrix.residual(x, b, work);
            let is_falling = worst < 0.5 * reached;
            reached = reached.min(worst);
            if worst <= tolerance || !is_falling {
                break;
            }
        }
        reached
    }
}

#[cfg(test)]
#[path = "ldlt_tests.rs"]
mod tests;
