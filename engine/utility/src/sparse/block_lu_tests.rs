//! Factors against faer's sparse LU on random patterns, and the guard against singular pivots.

use super::*;
use crate::sparse::minimum_degree;
use faer::prelude::Solve;
use faer::sparse::{SparseColMat, Triplet};
use urbis_core::rng::Rng;

/// A random connected pattern in the order of elimination.
fn random_pattern(rows: u32, chords: u32, rng: &mut Rng) -> Pattern {
    let tree: Vec<(u32, u32)> = (1..rows).map(|row| (rng.below(row), row)).collect();
    let chords: Vec<(u32, u32)> = (0..chords).map(|_| (rng.below(rows), rng.below(rows))).collect();
    let pattern = Pattern::from_edges(rows as usize, tree.into_iter().chain(chords));
    pattern.permuted(&minimum_degree(&pattern))
}

fn random_matrix(pattern: Pattern, rng: &mut Rng) -> BlockMatrix {
    let mut matrix = BlockMatrix::zeros(pattern);
    let mut block = |scale: f64| [(); 4].map(|()| (rng.uniform() - 0.5) * scale);
    matrix.off_diagonal.iter_mut().for_each(|entry| *entry = block(2.0));
    for row in 0..matrix.pattern.rows() {
        let weight = 2.0 + matrix.pattern.row(row).len() as f64;
        let off = block(1.0);
        matrix.diagonal[row] = [weight + off[0], off[1], off[2], weight + off[3]];
    }
    matrix
}

fn by_faer(matrix: &BlockMatrix, b: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let rows = matrix.pattern.rows();
    let mut triplets = Vec::new();
    let mut put = |row: usize, column: usize, block: &Block| {
        for (nth, &value) in block.iter().enumerate() {
            triplets.push(Triplet::new(2 * row + nth / 2, 2 * column + nth % 2, value));
        }
    };
    for row in 0..rows {
        put(row, row, &matrix.diagonal[row]);
        let start = matrix.pattern.start[row] as usize;
        for (nth, &column) in matrix.pattern.row(row).iter().enumerate() {
            put(row, column as usize, &matrix.off_diagonal[start + nth]);
        }
    }
    let sparse = SparseColMat::<usize, f64>::try_new_from_triplets(2 * rows, 2 * rows, &triplets).unwrap();
    let right = faer::Mat::from_fn(2 * rows, 1, |row, _| b[row / 2][row % 2]);
    let x = sparse.sp_lu().unwrap().solve(&right);
    (0..rows).map(|row| [x[(2 * row, 0)], x[(2 * row + 1, 0)]]).collect()
}

fn largest_difference(a: &[[f64; 2]], b: &[[f64; 2]]) -> f64 {
    a.iter().zip(b).fold(0.0, |worst, (a, b)| worst.max((a[0] - b[0]).abs()).max((a[1] - b[1]).abs()))
}

#[test]
fn equal_to_faer_on_random_patterns() {
    for case in 0..40 {
        let mut rng = Rng::new(11, case, 0, 0);
        let rows = 1 + rng.below(120);
        let chords = rng.below(rows + 1);
        let matrix = random_matrix(random_pattern(rows, chords, &mut rng), &mut rng);
        let b: Vec<[f64; 2]> = (0..rows).map(|_| [rng.uniform(), rng.uniform() - 0.5]).collect();
        let expected = by_faer(&matrix, &b);
        let mut lu = BlockLu::new(matrix.pattern());
        for _ in 0..2 {
            lu.load(&matrix);
            let mut x = b.clone();
            lu.factor_and_solve(1.0, &mut x);
            assert_eq!(lu.perturbed(), 0);
            assert!(largest_difference(&x, &expected) < 1e-11, "case {case}");
            let mut again = b.clone();
            lu.solve(&mut again);
            assert!(largest_difference(&x, &again) < 1e-12, "case {case}");
        }
    }
}

#[test]
fn singular_pivots_are_perturbed_and_refined_away() {
    // A path whose first pivots are zero: the matrix is regular, elimination without pivoting is not.
    let pattern = Pattern::from_edges(4, [(0, 1), (1, 2), (2, 3)]);
    let mut matrix = BlockMatrix::zeros(pattern);
    for row in 0..3 {
        *matrix.block_mut(row, row + 1).unwrap() = [1.0, 0.0, 0.0, 2.0];
        *matrix.block_mut(row + 1, row).unwrap() = [1.0, 0.5, 0.0, 1.0];
    }
    matrix.diagonal[3] = [3.0, 0.0, 0.0, 3.0];
    let b = [[1.0, 2.0], [-1.0, 0.5], [0.0, 1.0], [2.0, -2.0]];
    let mut lu = BlockLu::new(matrix.pattern());
    lu.load(&matrix);
    lu.factor(3.0);
    assert!(lu.perturbed() > 0);
    let (mut x, mut work) = ([[0.0; 2]; 4], [[0.0; 2]; 4]);
    let residual = lu.solve_refined(&matrix, &b, &mut x, &mut work, 1e-12);
    assert!(residual < 1e-12, "{residual:e}");
    assert!(largest_difference(&x, &by_faer(&matrix, &b)) < 1e-9);
}

#[cfg(feature = "faer-fallback")]
#[test]
fn row_exchanges_solve_what_has_no_pivots() {
    // A star of zeros but for its ties: x of the hub is what each leaf says, so two leaves contradict one another.
    for (leaves, is_regular) in [(1, true), (2, false)] {
        let pattern = Pattern::from_edges(leaves + 1, (0..leaves as u32).map(|leaf| (leaf, leaves as u32)));
        let mut matrix = BlockMatrix::zeros(pattern);
        for leaf in 0..leaves as u32 {
            *matrix.block_mut(leaf, leaves as u32).unwrap() = [0.0, 2.0, 4.0, 0.0];
            *matrix.block_mut(leaves as u32, leaf).unwrap() = [1.0, 0.0, 0.0, 8.0];
        }
        let mut lu = BlockLu::new(matrix.pattern());
        lu.load(&matrix);
        let right = vec![[2.0, 8.0]; leaves + 1];
        let mut x = right.clone();
        assert_eq!(lu.solve_pivoted(&mut x), is_regular);
        let expected = if is_regular { vec![[2.0, 1.0], [2.0, 1.0]] } else { right };
        assert!(largest_difference(&x, &expected) <= 0.0, "{x:?}");
        matrix.diagonal[0][0] = f64::NAN;
        lu.load(&matrix);
        assert!(!lu.solve_pivoted(&mut x) && largest_difference(&x, &expected) <= 0.0);
    }
}

#[cfg(feature = "faer-fallback")]
#[test]
fn row_exchanges_and_own_factors_agree() {
    for case in 0..40 {
        let mut rng = Rng::new(12, case, 0, 0);
        let rows = 1 + rng.below(120);
        let chords = rng.below(rows + 1);
        let matrix = random_matrix(random_pattern(rows, chords, &mut rng), &mut rng);
        let b: Vec<[f64; 2]> = (0..rows).map(|_| [rng.uniform(), rng.uniform() - 0.5]).collect();
        let mut lu = BlockLu::new(matrix.pattern());
        lu.load(&matrix);
        let (mut pivoted, mut own) = (b.clone(), b);
        assert!(lu.solve_pivoted(&mut pivoted));
        lu.factor_and_solve(1.0, &mut own);
        assert!(largest_difference(&pivoted, &own) < 1e-11, "case {case}");
    }
}
