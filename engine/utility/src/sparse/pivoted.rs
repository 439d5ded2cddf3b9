//! One solve with a matrix of 2x2 blocks by scalar LU with row exchanges, for the matrices that [`BlockLu`] has to
//! perturb. Behind the feature `faer-fallback`, as it needs the crate faer, which the ordinary path does without.
//!
//! Source: J. R. Gilbert and T. Peierls, Sparse partial pivoting in time proportional to arithmetic operations, SIAM J.
//! Sci. Stat. Comput. 9 (1988), on an order of columns by COLAMD, both as faer has them. Its kernels for dense blocks
//! are kept out: they choose instructions by processor, and bits would differ from one machine to the next.
//!
//! Ignored: keeping anything between solves. Contract: single-threaded, operations in one order; allocates.

use super::{Block, BlockLu};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::sparse::linalg::SupernodalThreshold;
use faer::sparse::linalg::lu::{LuSymbolicParams, NumericLu, factorize_symbolic_lu};
use faer::sparse::{SparseColMat, Triplet};
use faer::{Conj, Mat, Par};

impl BlockLu {
    /// Solves with the matrix that was assembled and is not factored yet; `x` holds the right side and then the
    /// solution. False, with `x` as it was, where the matrix is singular or not finite.
    #[cold]
    #[must_use]
    pub fn solve_pivoted(&self, x: &mut [[f64; 2]]) -> bool {
        let Some(solution) = self.pivoted_solution(x) else { return false };
        let is_finite = (0..solution.nrows()).all(|row| solution[(row, 0)].is_finite());
        if is_finite {
            x.iter_mut().enumerate().for_each(|(row, x)| *x = [solution[(2 * row, 0)], solution[(2 * row + 1, 0)]]);
        }
        is_finite
    }

    fn pivoted_solution(&self, right: &[[f64; 2]]) -> Option<Mat<f64>> {
        let rows = 2 * right.len();
        let mut entries = Vec::with_capacity(4 * (self.diagonal.len() + self.lower.len() + self.upper.len()));
        let mut put = |row: usize, column: usize, block: &Block| {
            for (nth, &value) in block.iter().enumerate() {
                if value != 0.0 {
                    entries.push(Triplet::new(2 * row + nth / 2, 2 * column + nth % 2, value));
                }
            }
        };
        for (column, block) in self.diagonal.iter().enumerate() {
            put(column, column, block);
            for position in self.symbolic.range(column) {
                let row = self.symbolic.row[position] as usize;
                put(row, column, &self.lower[position]);
                put(column, row, &self.upper[position]);
            }
        }
        let matrix = SparseColMat::<usize, f64>::try_new_from_triplets(rows, rows, &entries).ok()?;
        let scalar_only = SupernodalThreshold::FORCE_SIMPLICIAL;
        let how = LuSymbolicParams { supernodal_flop_ratio_threshold: scalar_only, ..LuSymbolicParams::default() };
        let symbolic = factorize_symbolic_lu(matrix.symbolic(), how).ok()?;
        let needed = symbolic
            .factorize_numeric_lu_scratch::<f64>(Par::Seq, Default::default())
            .or(symbolic.solve_in_place_scratch::<f64>(1, Par::Seq));
        let mut memory = MemBuffer::try_new(needed).ok()?;
        let stack = MemStack::new(&mut memory);
        let mut numeric = NumericLu::new();
        let lu = symbolic.factorize_numeric_lu(&mut numeric, matrix.as_ref(), Par::Seq, stack, Default::default());
        let mut x = Mat::from_fn(rows, 1, |row, _| right[row / 2][row % 2]);
        lu.ok()?.solve_in_place_with_conj(Conj::No, x.as_mut(), Par::Seq, stack);
        Some(x)
    }
}
