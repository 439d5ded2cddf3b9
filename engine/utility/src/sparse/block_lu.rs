//! LU factors of a sparse matrix of 2x2 blocks with a structurally symmetric pattern, without pivoting between
//! blocks: `A = L U` with unit diagonal blocks in `L`. Eliminating block column `k`:
//!
//! ```text
//! L[i,k] = A[i,k] A[k,k]^-1          A[i,j] -= L[i,k] A[k,j]     for i, j > k in the column
//! ```
//!
//! Columns are eliminated one after the other and push their updates to places known beforehand ([`Symbolic`]): no
//! search, no workspace. The right side is carried along when both are wanted, which saves a pass over `L`.
//!
//! Power-flow Jacobians need no pivoting in ordinary states: a block pivots within itself, since its 2x2 inverse is
//! taken whole. Near voltage collapse or in hopeless states a pivot can be as good as singular; it is then perturbed
//! by the root of the machine's precision and counted. [`BlockLu::solve_refined`] makes good for that by iterative
//! refinement against the matrix itself, and says which residual it reached. `solve_pivoted` (feature `faer-fallback`) solves
//! with row exchanges instead.
//!
//! Ignored: pivoting between blocks, supernodes, threads; on matrices of two to six blocks a row they cost more than
//! they bring. Contract: no allocation after [`BlockLu::new`], operations in one order.

use super::{Pattern, Slot, Symbolic};

/// A 2x2 block by rows: `[a00, a01, a10, a11]`.
pub type Block = [f64; 4];

/// Times of refinement before it is given up.
const REFINEMENTS: usize = 10;
/// A pivot is singular when its determinant is below this share of its largest entry squared.
const SINGULAR: f64 = 1e-14;
/// Perturbation of a singular pivot, as a share of its scale: about the root of the machine's precision.
const PERTURBATION: f64 = 1e-8;

/// Values of a block matrix by its pattern, in the order of elimination.
#[derive(Clone, Debug)]
pub struct BlockMatrix {
    pattern: Pattern,
    /// Diagonal blocks. Shape: rows.
    pub diagonal: Vec<Block>,
    /// Blocks beside the diagonal, row by row in the order of [`Pattern::row`].
    pub off_diagonal: Vec<Block>,
}

impl BlockMatrix {
    /// Zeros.
    #[must_use]
    pub fn zeros(pattern: Pattern) -> Self {
        let (rows, entries) = (pattern.rows(), pattern.neighbours.len());
        Self { pattern, diagonal: vec![[0.0; 4]; rows], off_diagonal: vec![[0.0; 4]; entries] }
    }
    /// Its pattern.
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }
    /// The block of a row and column, if the pattern has it.
    pub fn block_mut(&mut self, row: u32, column: u32) -> Option<&mut Block> {
        if row == column {
            return self.diagonal.get_mut(row as usize);
        }
        let start = self.pattern.start[row as usize] as usize;
        let nth = self.pattern.row(row as usize).binary_search(&column).ok()?;
        self.off_diagonal.get_mut(start + nth)
    }
    /// `r = b - A x`; returns the largest entry of `r`.
    pub fn residual(&self, x: &[[f64; 2]], b: &[[f64; 2]], r: &mut [[f64; 2]]) -> f64 {
        let mut worst = 0.0_f64;
        for row in 0..self.pattern.rows() {
            let mut sum = b[row];
            subtract_product(&mut sum, &self.diagonal[row], x[row]);
            let range = self.pattern.start[row] as usize..self.pattern.start[row + 1] as usize;
            for (block, &column) in self.off_diagonal[range.clone()].iter().zip(&self.pattern.neighbours[range]) {
                subtract_product(&mut sum, block, x[column as usize]);
            }
            worst = worst.max(sum[0].abs()).max(sum[1].abs());
            r[row] = sum;
        }
        worst
    }
}

/// Factors of a matrix of 2x2 blocks. Rows are numbered in the order of elimination.
#[derive(Clone, Debug)]
pub struct BlockLu {
    pub(super) symbolic: Symbolic,
    /// Where each entry of a [`BlockMatrix`] goes, in its order: lower where the row is greater, else upper.
    scatter: Vec<u32>,
    /// Inverses of the pivots once factored, the matrix's diagonal before. Shape: rows.
    pub(super) diagonal: Vec<Block>,
    /// By position of [`Symbolic`].
    pub(super) lower: Vec<Block>,
    pub(super) upper: Vec<Block>,
    perturbed: u32,
}

impl BlockLu {
    /// Room for the factors of matrices with this pattern. Values are zero.
    #[must_use]
    pub fn new(pattern: &Pattern) -> Self {
        let symbolic = Symbolic::new(pattern);
        let (rows, entries) = (symbolic.rows(), symbolic.entries());
        let zeros = |count| vec![[0.0; 4]; count];
        let place = |(row, column)| match symbolic.slot(row, column) {
            Some(Slot::Lower(position) | Slot::Upper(position)) => position,
            _ => unreachable!("the factors have every entry of the pattern"),
        };
        let entry = |row: u32| pattern.row(row as usize).iter().map(move |&column| (row, column));
        let scatter = (0..rows as u32).flat_map(entry).map(place).collect();
        Self { diagonal: zeros(rows), lower: zeros(entries), upper: zeros(entries), scatter, symbolic, perturbed: 0 }
    }
    /// Pattern of the factors, for the places of entries.
    #[must_use]
    pub fn symbolic(&self) -> &Symbolic {
        &self.symbolic
    }
    /// Pivots that the last factoring had to perturb. With any, solve with [`BlockLu::solve_refined`], or
    /// with row exchanges (`solve_pivoted`, feature `faer-fallback`).
    #[must_use]
    pub fn perturbed(&self) -> u32 {
        self.perturbed
    }
    /// The places of a new matrix: the caller overwrites the diagonal, and both mirrored entries at each position
    /// that its pattern has; fill is zero already. Order: diagonal, lower, upper.
    pub fn assemble(&mut self) -> (&mut [Block], &mut [Block], &mut [Block]) {
        for &position in self.symbolic.fill() {
            self.lower[position as usize] = [0.0; 4];
            self.upper[position as usize] = [0.0; 4];
        }
        (&mut self.diagonal, &mut self.lower, &mut self.upper)
    }
    /// Takes the values of a matrix of the pattern that this was made for. Panics when it has another size.
    pub fn load(&mut self, matrix: &BlockMatrix) {
        assert_eq!(matrix.off_diagonal.len(), self.scatter.len(), "a matrix of another pattern");
        self.assemble();
        self.diagonal.copy_from_slice(&matrix.diagonal);
        for row in 0..matrix.pattern.rows() {
            let range = matrix.pattern.start[row] as usize..matrix.pattern.start[row + 1] as usize;
            for entry in range {
                let below = (matrix.pattern.neighbours[entry] as usize) < row;
                let side = if below { &mut self.lower } else { &mut self.upper };
                side[self.scatter[entry] as usize] = matrix.off_diagonal[entry];
            }
        }
    }
    /// Factors what was assembled. `scale` is the size of ordinary entries; pivots below 1e-14 of it are perturbed.
    pub fn factor(&mut self, scale: f64) {
        self.eliminate(scale, &mut []);
    }
    /// Factors what was assembled and solves with it in one go; `x` holds the right side and then the solution.
    pub fn factor_and_solve(&mut self, scale: f64, x: &mut [[f64; 2]]) {
        assert_eq!(x.len(), self.diagonal.len(), "one pair for each row");
        self.eliminate(scale, x);
        self.back_substitute(x);
    }
    /// Solves with the factors at hand; `x` holds the right side and then the solution.
    pub fn solve(&self, x: &mut [[f64; 2]]) {
        assert_eq!(x.len(), self.diagonal.len(), "one pair for each row");
        for k in 0..x.len() {
            let xk = x[k];
            let range = self.symbolic.range(k);
            for (l, &row) in self.lower[range.clone()].iter().zip(&self.symbolic.row[range]) {
                subtract_product(&mut x[row as usize], l, xk);
            }
        }
        self.back_substitute(x);
    }
    /// Solves `A x = b` with factors of a matrix that is `A` but for perturbed pivots or older values: refines until
    /// the largest residual is at most `tolerance` or no longer falls. `x` need not be set; `work` is scratch.
    /// Returns the residual reached.
    pub fn solve_refined(
        &self,
        matrix: &BlockMatrix,
        b: &[[f64; 2]],
        x: &mut [[f64; 2]],
        work: &mut [[f64; 2]],
        tolerance: f64,
    ) -> f64 {
        x.fill([0.0; 2]);
        work.copy_from_slice(b);
        let mut reached = f64::INFINITY;
        for _ in 0..REFINEMENTS {
            self.solve(work);
            x.iter_mut().zip(work.iter()).for_each(|(x, d)| *x = [x[0] + d[0], x[1] + d[1]]);
            let worst = matrix.residual(x, b, work);
            let is_falling = worst < 0.5 * reached;
            reached = reached.min(worst);
            if worst <= tolerance || !is_falling {
                break;
            }
        }
        reached
    }

    /// Eliminates from the first column; `x` is carried along unless it is empty.
    fn eliminate(&mut self, scale: f64, x: &mut [[f64; 2]]) {
        let Symbolic { start, row, target, .. } = &self.symbolic;
        let mut targets = target.as_slice();
        self.perturbed = 0;
        for k in 0..self.diagonal.len() {
            let (begin, end) = (start[k] as usize, start[k + 1] as usize);
            let (inverse, is_perturbed) = inverse_of(&self.diagonal[k], scale);
            self.perturbed += u32::from(is_perturbed);
            self.diagonal[k] = inverse;
            let (lower, lower_after) = self.lower.split_at_mut(end);
            let (upper, upper_after) = self.upper.split_at_mut(end);
            let (lower, upper, rows) = (&mut lower[begin..], &upper[begin..], &row[begin..end]);
            for ((l, u), &i) in lower.iter_mut().zip(upper).zip(rows) {
                *l = product(l, &inverse);
                subtract_block_product(&mut self.diagonal[i as usize], l, u);
            }
            if !x.is_empty() {
                let xk = x[k];
                for (l, &i) in lower.iter().zip(rows) {
                    subtract_product(&mut x[i as usize], l, xk);
                }
            }
            for a in 0..rows.len() {
                let (la, ua) = (&lower[a], &upper[a]);
                let (these, rest) = targets.split_at(rows.len() - a - 1);
                targets = rest;
                for ((&at, lb), ub) in these.iter().zip(&lower[a + 1..]).zip(&upper[a + 1..]) {
                    let at = at as usize - end;
                    subtract_block_product(&mut upper_after[at], la, ub);
                    subtract_block_product(&mut lower_after[at], lb, ua);
                }
            }
        }
    }

    fn back_substitute(&self, x: &mut [[f64; 2]]) {
        for k in (0..x.len()).rev() {
            let range = self.symbolic.range(k);
            let mut sum = x[k];
            for (u, &row) in self.upper[range.clone()].iter().zip(&self.symbolic.row[range]) {
                subtract_product(&mut sum, u, x[row as usize]);
            }
            let d = &self.diagonal[k];
            x[k] = [d[0] * sum[0] + d[1] * sum[1], d[2] * sum[0] + d[3] * sum[1]];
        }
    }
}

/// Inverse of a pivot, perturbed where it is as good as singular, and whether it was.
#[inline(always)]
fn inverse_of(d: &Block, scale: f64) -> (Block, bool) {
    let determinant = d[0] * d[3] - d[1] * d[2];
    let size = d[0].abs().max(d[1].abs()).max(d[2].abs().max(d[3].abs()));
    if determinant.abs() > SINGULAR * size * size && size > SINGULAR * scale {
        let r = 1.0 / determinant;
        return ([d[3] * r, -d[1] * r, -d[2] * r, d[0] * r], false);
    }
    (perturbed_inverse(d, size, scale), true)
}

#[cold]
fn perturbed_inverse(d: &Block, size: f64, scale: f64) -> Block {
    let shift = PERTURBATION * if size > SINGULAR * scale { size } else { scale };
    // The shift that raises the determinant's size most: along the trace's sign.
    let shift = if d[0] + d[3] < 0.0 { -shift } else { shift };
    let d = [d[0] + shift, d[1], d[2], d[3] + shift];
    let determinant = d[0] * d[3] - d[1] * d[2];
    if determinant == 0.0 || !determinant.is_finite() {
        return [1.0 / shift, 0.0, 0.0, 1.0 / shift];
    }
    let r = 1.0 / determinant;
    [d[3] * r, -d[1] * r, -d[2] * r, d[0] * r]
}

#[inline(always)]
fn product(a: &Block, b: &Block) -> Block {
    [a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3]]
}

#[inline(always)]
fn subtract_block_product(c: &mut Block, a: &Block, b: &Block) {
    let p = product(a, b);
    *c = [c[0] - p[0], c[1] - p[1], c[2] - p[2], c[3] - p[3]];
}

#[inline(always)]
fn subtract_product(y: &mut [f64; 2], a: &Block, x: [f64; 2]) {
    *y = [y[0] - (a[0] * x[0] + a[1] * x[1]), y[1] - (a[2] * x[0] + a[3] * x[1])];
}

#[cfg(test)]
#[path = "block_lu_tests.rs"]
mod tests;
