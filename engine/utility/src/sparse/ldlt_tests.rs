//! Factors against faer's sparse Cholesky and LU on random Laplacians and quasi-definite matrices.

use super::*;
use crate::sparse::minimum_degree;
use faer::prelude::Solve;
use faer::sparse::{SparseColMat, Triplet};
use urbis_core::rng::Rng;

fn by_faer(matrix: &SymmetricMatrix, b: &[f64]) -> Vec<f64> {
    let rows = matrix.diagonal.len();
    let diagonal = matrix.diagonal.iter().enumerate().map(|(row, &value)| Triplet::new(row, row, value));
    let beside = matrix.edges.iter().zip(&matrix.off_diagonal).flat_map(|(&(i, j), &value)| {
        let (i, j) = (i as usize, j as usize);
        [Triplet::new(i, j, value), Triplet::new(j, i, value)]
    });
    let triplets: Vec<_> = diagonal.chain(beside).collect();
    let sparse = SparseColMat::<usize, f64>::try_new_from_triplets(rows, rows, &triplets).unwrap();
    let x = sparse.sp_lu().unwrap().solve(&faer::Mat::from_fn(rows, 1, |row, _| b[row]));
    (0..rows).map(|row| x[(row, 0)]).collect()
}

#[test]
fn equal_to_faer_on_random_networks() {
    for case in 0..40 {
        let mut rng = Rng::new(12, case, 0, 0);
        let rows = 1 + rng.below(150);
        let tree: Vec<(u32, u32)> = (1..rows).map(|row| (rng.below(row), row)).collect();
        let chords: Vec<(u32, u32)> = (0..rng.below(rows + 1)).map(|_| (rng.below(rows), rng.below(rows))).collect();
        let pattern = Pattern::from_edges(rows as usize, tree.into_iter().chain(chords));
        let pattern = pattern.permuted(&minimum_degree(&pattern));
        let mut matrix = SymmetricMatrix::zeros(&pattern);
        // Every third case is quasi-definite: some rows have a negative diagonal.
        let sign = |row: usize| if case % 3 == 0 && row % 4 == 1 { -1.0 } else { 1.0 };
        for (nth, (i, j)) in matrix.edges.clone().into_iter().enumerate() {
            let (i, j, weight) = (i as usize, j as usize, 0.1 + rng.uniform());
            matrix.off_diagonal[nth] = -weight;
            matrix.diagonal[i] += sign(i) * weight;
            matrix.diagonal[j] += sign(j) * weight;
        }
        for row in 0..matrix.diagonal.len() {
            matrix.diagonal[row] += sign(row) * (0.1 + rng.uniform());
        }
        let b: Vec<f64> = (0..rows).map(|_| rng.uniform() - 0.5).collect();
        let mut factors = Ldlt::new(&pattern);
        factors.factor(&matrix);
        assert_eq!(factors.perturbed(), 0);
        let mut x = b.clone();
        factors.solve(&mut x);
        let expected = by_faer(&matrix, &b);
        let worst = x.iter().zip(&expected).fold(0.0_f64, |worst, (x, e)| worst.max((x - e).abs() / (1.0 + e.abs())));
        assert!(worst < 1e-10, "case {case}: {worst:e}");
    }
}

#[test]
fn zero_pivots_are_perturbed_and_refined_away() {
    // [[0, 1], [1, 0]]: regular and symmetric, yet its first pivot is zero.
    let pattern = Pattern::from_edges(2, [(0, 1)]);
    let mut matrix = SymmetricMatrix::zeros(&pattern);
    matrix.off_diagonal[0] = 1.0;
    matrix.diagonal[1] = 1.0;
    let mut factors = Ldlt::new(&pattern);
    factors.factor(&matrix);
    assert_eq!(factors.perturbed(), 1);
    let (mut x, mut work) = ([0.0; 2], [0.0; 2]);
    let residual = factors.solve_refined(&matrix, &[2.0, 5.0], &mut x, &mut work, 1e-12);
    assert!(residual < 1e-12 && (x[0] - 3.0).abs() < 1e-9 && (x[1] - 2.0).abs() < 1e-9, "{x:?} {residual:e}");
}
