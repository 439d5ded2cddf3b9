//! Sparse kernels of utility networks. Grids of pipes and wires have two to four neighbours a node and a pattern
//! that stays while values change, so everything that depends on the pattern is worked out once: the order of
//! elimination ([`ordering`]), the pattern of the factors and the place that every update goes to ([`symbolic`]).
//! [`block_lu`] factors matrices of 2x2 blocks (power flow), [`phase_lu`] of 3x3 complex ones (three phases), [`ldlt`]
//! symmetric scalar ones (pipes, DC flow). `pivoted` (feature `faer-fallback`) exchanges rows where [`block_lu`] cannot.
//!
//! Source: T. A. Davis, *Direct Methods for Sparse Linear Systems*, SIAM 2006.
//!
//! Contract: single-threaded, no allocation after setup, operations in one order given by the pattern; the same
//! input gives the same bits everywhere.

pub mod block_lu;
pub mod ldlt;
pub mod ordering;
pub mod phase_lu;
#[cfg(feature = "faer-fallback")]
mod pivoted;
pub mod symbolic;

pub use block_lu::{Block, BlockLu, BlockMatrix};
pub use ldlt::{Ldlt, SymmetricMatrix};
pub use ordering::{Order, minimum_degree};
pub use phase_lu::PhaseLu;
pub use symbolic::{Slot, Symbolic};

/// A symmetric pattern without its diagonal: who is next to whom. Rows are sorted, each edge is in both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    /// Where each row starts; one longer than the number of rows.
    start: Vec<u32>,
    neighbours: Vec<u32>,
}

impl Pattern {
    /// The pattern of `rows` rows with these edges; repeated edges count once, loops are left out. Panics when an
    /// end is not below `rows`.
    #[must_use]
    pub fn from_edges(rows: usize, edges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut both: Vec<(u32, u32)> = Vec::new();
        for (a, b) in edges {
            assert!((a as usize) < rows && (b as usize) < rows, "an edge ends outside the pattern");
            if a != b {
                both.push((a, b));
                both.push((b, a));
            }
        }
        both.sort_unstable();
        both.dedup();
        let mut start = vec![0_u32; rows + 1];
        for &(a, _) in &both {
            start[a as usize + 1] += 1;
        }
        for row in 0..rows {
            start[row + 1] += start[row];
        }
        Self { start, neighbours: both.into_iter().map(|(_, b)| b).collect() }
    }
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.start.len().saturating_sub(1)
    }
    /// Neighbours of a row, ascending.
    #[must_use]
    pub fn row(&self, row: usize) -> &[u32] {
        &self.neighbours[self.start[row] as usize..self.start[row + 1] as usize]
    }
    /// Every edge once, smaller end first, ascending.
    pub fn edges(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0..self.rows() as u32)
            .flat_map(move |a| self.row(a as usize).iter().filter(move |&&b| b > a).map(move |&b| (a, b)))
    }
    /// The same pattern with its rows numbered in an order.
    #[must_use]
    pub fn permuted(&self, order: &Order) -> Self {
        let new = |row: u32| order.new_of_old[row as usize];
        Self::from_edges(self.rows(), self.edges().map(|(a, b)| (new(a), new(b))))
    }
}
