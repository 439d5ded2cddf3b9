//! LU factors of a sparse matrix of 3x3 complex blocks with a structurally symmetric pattern: a block a pair of nodes, a
//! row and a column a phase. Eliminated like [`super::block_lu`], for a use of its own: the matrix stays and many right
//! sides follow one another, most of whose rows are zero. So rows of the factors are scaled by their pivots,
//!
//! ```text
//! A = L D U      L[i,k] = A[i,k] A[k,k]^-1      U[k,j] = A[k,k]^-1 A[k,j]      A[i,j] -= L[i,k] A[k,j]
//! ```
//!
//! and a right side that is zero in its first rows is solved from the first that is not: rows before it cost nothing
//! going down, and going up nothing until their solution is asked for ([`PhaseLu::solve_tail`], [`PhaseLu::solve_head`]).
//!
//! A pivot pivots within itself, as its inverse is taken whole. One that is as good as singular is taken for zero
//! admittance: its row solves to zero, and it is counted.
//!
//! Source: T. A. Davis, *Direct Methods for Sparse Linear Systems*, SIAM 2006. Ignored: pivoting between blocks.
//! Contract: no allocation after [`PhaseLu::new`], operations in one order.

use super::{Pattern, Slot, Symbolic};
use num_complex::Complex64 as Complex;

/// A 3x3 block by rows.
pub type PhaseBlock = [[Complex; 3]; 3];
/// A value for each phase.
pub type Phases = [Complex; 3];

/// Zero.
pub const ZERO: Complex = Complex::new(0.0, 0.0);
/// A block of zeros.
pub const ZERO_BLOCK: PhaseBlock = [[ZERO; 3]; 3];

/// A pivot is singular below this share of its own largest entry.
const SINGULAR: f64 = 1e-13;

/// A block as the substitutions read it: real parts by columns, then imaginary ones.
type Packed = [[f64; 3]; 6];

/// Factors of a matrix of 3x3 complex blocks. Rows are numbered in the order of elimination.
#[derive(Clone, Debug)]
pub struct PhaseLu {
    symbolic: Symbolic,
    /// The matrix while it is assembled, spoilt by factoring.
    diagonal: Vec<PhaseBlock>,
    lower: Vec<PhaseBlock>,
    upper: Vec<PhaseBlock>,
    /// The factors: inverses of pivots, then both by position of [`Symbolic`].
    pivots: Vec<Packed>,
    down: Vec<Packed>,
    up: Vec<Packed>,
}

impl PhaseLu {
    /// Room for the factors of matrices with this pattern. Values are zero.
    #[must_use]
    pub fn new(pattern: &Pattern) -> Self {
        let symbolic = Symbolic::new(pattern);
        let (rows, entries) = (symbolic.rows(), symbolic.entries());
        let zeros = |count| vec![ZERO_BLOCK; count];
        let none = |count| vec![[[0.0; 3]; 6]; count];
        Self {
            diagonal: zeros(rows),
            lower: zeros(entries),
            upper: zeros(entries),
            pivots: none(rows),
            down: none(entries),
            up: none(entries),
            symbolic,
        }
    }
    /// Pattern of the factors.
    #[must_use]
    pub fn symbolic(&self) -> &Symbolic {
        &self.symbolic
    }
    /// Begins a new matrix, of zeros.
    pub fn clear(&mut self) {
        for blocks in [&mut self.diagonal, &mut self.lower, &mut self.upper] {
            blocks.fill(ZERO_BLOCK);
        }
    }
    /// The block of a row and column of the matrix that is assembled, if the pattern of the factors has it.
    pub fn block_mut(&mut self, row: u32, column: u32) -> Option<&mut PhaseBlock> {
        match self.symbolic.slot(row, column)? {
            Slot::Diagonal(row) => self.diagonal.get_mut(row as usize),
            Slot::Lower(position) => self.lower.get_mut(position as usize),
            Slot::Upper(position) => self.upper.get_mut(position as usize),
        }
    }
    /// Factors what was assembled, and says how many pivots were as good as singular.
    pub fn factor(&mut self) -> u32 {
        let Symbolic { start, row, target, .. } = &self.symbolic;
        let mut targets = target.as_slice();
        let mut singular = 0;
        for k in 0..self.diagonal.len() {
            let (begin, end) = (start[k] as usize, start[k + 1] as usize);
            let inverse = inverse(&self.diagonal[k]);
            singular += u32::from(inverse.is_none());
            let inverse = inverse.unwrap_or(ZERO_BLOCK);
            self.pivots[k] = packed(&inverse);
            let (lower, lower_after) = self.lower.split_at_mut(end);
            let (upper, upper_after) = self.upper.split_at_mut(end);
            let (lower, upper, rows) = (&mut lower[begin..], &upper[begin..], &row[begin..end]);
            for (nth, &i) in rows.iter().enumerate() {
                lower[nth] = product(&lower[nth], &inverse);
                self.down[begin + nth] = packed(&lower[nth]);
                self.up[begin + nth] = packed(&product(&inverse, &upper[nth]));
                subtract_product(&mut self.diagonal[i as usize], &lower[nth], &upper[nth]);
            }
            for a in 0..rows.len() {
                let (these, rest) = targets.split_at(rows.len() - a - 1);
                targets = rest;
                for (nth, &at) in these.iter().enumerate() {
                    let (b, at) = (a + 1 + nth, at as usize - end);
                    subtract_product(&mut upper_after[at], &lower[a], &upper[b]);
                    subtract_product(&mut lower_after[at], &lower[b], &upper[a]);
                }
            }
        }
        singular
    }
    /// Solves for the rows from `first` on, of a right side that is zero before it. `x` holds the right side and then the
    /// solution; rows before `first` are neither read nor written. Shape: rows.
    pub fn solve_tail(&self, first: usize, x: &mut [Phases]) {
        assert_eq!(x.len(), self.pivots.len(), "a value for each row");
        for k in first..x.len() {
            let xk = x[k];
            let range = self.symbolic.range(k);
            for (l, &row) in self.down[range.clone()].iter().zip(&self.symbolic.row[range]) {
                subtract_from(&mut x[row as usize], l, xk);
            }
            let mut scaled = [ZERO; 3];
            subtract_from(&mut scaled, &self.pivots[k], [-xk[0], -xk[1], -xk[2]]);
            x[k] = scaled;
        }
        self.substitute_up(first..x.len(), x, false);
    }
    /// The solution of the rows before `first`, from that of the others.
    pub fn solve_head(&self, first: usize, x: &mut [Phases]) {
        assert_eq!(x.len(), self.pivots.len(), "a value for each row");
        self.substitute_up(0..first, x, true);
    }

    fn substitute_up(&self, rows: std::ops::Range<usize>, x: &mut [Phases], is_from_zero: bool) {
        for k in rows.rev() {
            let range = self.symbolic.range(k);
            let mut sum = if is_from_zero { [ZERO; 3] } else { x[k] };
            for (u, &row) in self.up[range.clone()].iter().zip(&self.symbolic.row[range]) {
                subtract_from(&mut sum, u, x[row as usize]);
            }
            x[k] = sum;
        }
    }
}

/// Inverse by elimination with pivots of the largest size, or none of a singular block.
#[must_use]
pub fn inverse(block: &PhaseBlock) -> Option<PhaseBlock> {
    let mut a = *block;
    let mut b = ZERO_BLOCK;
    for (n, row) in b.iter_mut().enumerate() {
        row[n] = Complex::new(1.0, 0.0);
    }
    let size = block.iter().flatten().map(|x| x.norm()).fold(0.0, f64::max);
    for n in 0..3 {
        let best = (n..3).fold(n, |best, row| if a[row][n].norm_sqr() > a[best][n].norm_sqr() { row } else { best });
        a.swap(n, best);
        b.swap(n, best);
        let pivot = a[n][n];
        if !pivot.norm().is_finite() || pivot.norm() <= SINGULAR * size {
            return None;
        }
        let scale = pivot.inv();
        for column in 0..3 {
            a[n][column] *= scale;
            b[n][column] *= scale;
        }
        let (an, bn) = (a[n], b[n]);
        for row in (0..3).filter(|&row| row != n) {
            let factor = a[row][n];
            for column in 0..3 {
                a[row][column] -= factor * an[column];
                b[row][column] -= factor * bn[column];
            }
        }
    }
    Some(b)
}

/// `a b`.
#[must_use]
pub fn product(a: &PhaseBlock, b: &PhaseBlock) -> PhaseBlock {
    let mut c = ZERO_BLOCK;
    for (row, a) in c.iter_mut().zip(a) {
        for (column, entry) in row.iter_mut().enumerate() {
            *entry = a[0] * b[0][column] + a[1] * b[1][column] + a[2] * b[2][column];
        }
    }
    c
}

fn subtract_product(c: &mut PhaseBlock, a: &PhaseBlock, b: &PhaseBlock) {
    let p = product(a, b);
    c.iter_mut().flatten().zip(p.iter().flatten()).for_each(|(c, p)| *c -= p);
}

fn packed(block: &PhaseBlock) -> Packed {
    let mut packed = [[0.0; 3]; 6];
    for (row, entries) in block.iter().enumerate() {
        for (column, entry) in entries.iter().enumerate() {
            packed[column][row] = entry.re;
            packed[3 + column][row] = entry.im;
        }
    }
    packed
}

#[inline(always)]
fn subtract_from(y: &mut Phases, m: &Packed, x: Phases) {
    for (row, y) in y.iter_mut().enumerate() {
        let mut re = y.re;
        let mut im = y.im;
        for column in 0..3 {
            let (m_re, m_im) = (m[column][row], m[3 + column][row]);
            re -= m_re * x[column].re - m_im * x[column].im;
            im -= m_re * x[column].im + m_im * x[column].re;
        }
        *y = Complex::new(re, im);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{DMatrix, DVector};
    use urbis_core::rng::Rng;

    fn drawn(rng: &mut Rng) -> Complex {
        Complex::new(rng.uniform() - 0.5, rng.uniform() - 0.5)
    }

    #[test]
    fn solves_as_a_dense_matrix_does_and_skips_zeros() {
        let mut rng = Rng::new(7, 0, 0, 0);
        for size in [1_u32, 2, 5, 30] {
            let edges: Vec<(u32, u32)> =
                (1..size).flat_map(|row| [(rng.below(row), row), (rng.below(size), rng.below(size))]).collect();
            let pattern = Pattern::from_edges(size as usize, edges);
            let mut lu = PhaseLu::new(&pattern);
            let n = 3 * size as usize;
            let mut dense = DMatrix::<nalgebra::Complex<f64>>::zeros(n, n);
            let mut put = |lu: &mut PhaseLu, row: u32, column: u32| {
                let mut block = ZERO_BLOCK;
                block.iter_mut().flatten().for_each(|entry| *entry = drawn(&mut rng));
                if row == column {
                    (0..3).for_each(|phase| block[phase][phase] += 8.0);
                }
                for (a, entries) in block.iter().enumerate() {
                    for (b, entry) in entries.iter().enumerate() {
                        dense[(3 * row as usize + a, 3 * column as usize + b)] =
                            nalgebra::Complex::new(entry.re, entry.im);
                    }
                }
                *lu.block_mut(row, column).expect("of the pattern") = block;
            };
            for row in 0..size {
                put(&mut lu, row, row);
            }
            for (a, b) in pattern.edges() {
                put(&mut lu, a, b);
                put(&mut lu, b, a);
            }
            assert_eq!(lu.factor(), 0);
            let lud = dense.lu();
            for first in [0, size as usize / 2] {
                let mut x = vec![[ZERO; 3]; size as usize];
                x[first..].iter_mut().flatten().for_each(|entry| *entry = drawn(&mut rng));
                let right = DVector::from_iterator(n, x.iter().flatten().copied());
                let expected = lud.solve(&right).expect("a good matrix");
                x[..first].iter_mut().flatten().for_each(|entry| *entry = Complex::new(f64::NAN, 0.0));
                lu.solve_tail(first, &mut x);
                lu.solve_head(first, &mut x);
                for (x, e) in x.iter().flatten().zip(&expected) {
                    assert!((x - e).norm() < 1e-12, "{x} {e}");
                }
            }
        }
    }

    #[test]
    fn singular_pivots_are_counted_and_solve_to_zero() {
        let mut lu = PhaseLu::new(&Pattern::from_edges(2, []));
        *lu.block_mut(0, 0).expect("a diagonal") = [[Complex::new(1.0, 0.0); 3]; 3];
        let mut one = ZERO_BLOCK;
        (0..3).for_each(|n| one[n][n] = Complex::new(0.0, 2.0));
        *lu.block_mut(1, 1).expect("a diagonal") = one;
        assert_eq!(lu.factor(), 1);
        let mut x = [[Complex::new(2.0, 0.0); 3]; 2];
        lu.solve_tail(0, &mut x);
        assert_eq!(x, [[ZERO; 3], [Complex::new(0.0, -1.0); 3]]);
    }
}
