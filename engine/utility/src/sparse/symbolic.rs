//! The pattern of the factors of a matrix whose rows are numbered in the order of elimination, and where each
//! update goes. Column `k` of the lower factor has the rows below `k` of the matrix's own column and of the columns
//! whose first row is `k` (its children in the elimination tree), and the upper factor is its mirror image; so one
//! list serves both, and position `p` of it names an entry of `L` and its mirror in `U`.
//!
//! Eliminating `k` with entries in rows `i1 < i2 < ...` updates the diagonal of each and, for each pair, the mirrored
//! entries of row `ia` and column `ib`: their position is looked up here once and stored in the order in which the
//! kernels meet them.
//!
//! Contract: a pure function of the pattern.

use super::Pattern;

/// Where an entry of the matrix lies in the factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Diagonal of this row.
    Diagonal(u32),
    /// This position of the lower factor: row greater than column.
    Lower(u32),
    /// This position of the upper factor.
    Upper(u32),
}

/// Pattern of the factors and the places of all updates.
#[derive(Clone, Debug, Default)]
pub struct Symbolic {
    /// Where each column starts in `rows_of`; one longer than the number of columns.
    pub(super) start: Vec<u32>,
    /// Row of each entry, ascending within a column, all greater than the column.
    pub(super) row: Vec<u32>,
    /// For each column, for each pair of its entries, the position of (row of the first, row of the second).
    pub(super) target: Vec<u32>,
    /// Positions that the matrix has no entry at.
    fill: Vec<u32>,
}

impl Symbolic {
    /// Works out the factors of a matrix with this pattern and a full diagonal, eliminated from row 0.
    #[must_use]
    pub fn new(pattern: &Pattern) -> Self {
        let rows = pattern.rows();
        let mut columns: Vec<Vec<u32>> = Vec::with_capacity(rows);
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); rows];
        let mut seen = vec![u32::MAX; rows];
        for k in 0..rows {
            let mut column: Vec<u32> = Vec::new();
            let own = pattern.row(k).iter();
            for &row in own.chain(children[k].iter().flat_map(|&child| &columns[child as usize])) {
                if row as usize > k && seen[row as usize] != k as u32 {
                    seen[row as usize] = k as u32;
                    column.push(row);
                }
            }
            column.sort_unstable();
            if let Some(&parent) = column.first() {
                children[parent as usize].push(k as u32);
            }
            columns.push(column);
        }
        let mut start = vec![0_u32];
        let mut row = Vec::new();
        for column in &columns {
            row.extend_from_slice(column);
            start.push(row.len() as u32);
        }
        let mut symbolic = Self { start, row, target: Vec::new(), fill: Vec::new() };
        let mut place = vec![0_u32; rows];
        // A pair (ia, ib) of column k lies in column ia: all pairs of one k are looked up column by column.
        for column in &columns {
            for (nth, &first) in column.iter().enumerate() {
                let range = symbolic.range(first as usize);
                for position in range {
                    place[symbolic.row[position] as usize] = position as u32;
                }
                symbolic.target.extend(column[nth + 1..].iter().map(|&second| place[second as usize]));
            }
        }
        for k in 0..rows {
            let own = pattern.row(k);
            let fill = symbolic.range(k).filter(|&p| own.binary_search(&symbolic.row[p]).is_err()).map(|p| p as u32);
            let fill: Vec<u32> = fill.collect();
            symbolic.fill.extend(fill);
        }
        symbolic
    }
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.start.len().saturating_sub(1)
    }
    /// Entries below the diagonal.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.row.len()
    }
    /// Pairs of mirrored entries that elimination updates, the measure of its work.
    #[must_use]
    pub fn updates(&self) -> usize {
        self.target.len()
    }
    /// Positions that the matrix has no entry at.
    #[must_use]
    pub fn fill(&self) -> &[u32] {
        &self.fill
    }
    /// Positions of a column.
    #[must_use]
    pub fn range(&self, column: usize) -> std::ops::Range<usize> {
        self.start[column] as usize..self.start[column + 1] as usize
    }
    /// Where the entry of a row and column lies, if the factors have it.
    #[must_use]
    pub fn slot(&self, row: u32, column: u32) -> Option<Slot> {
        let of = |low: u32, high: u32| {
            let range = self.range(low as usize);
            self.row[range.clone()].binary_search(&high).ok().map(|nth| (range.start + nth) as u32)
        };
        match row.cmp(&column) {
            std::cmp::Ordering::Equal => Some(Slot::Diagonal(row)),
            std::cmp::Ordering::Greater => of(column, row).map(Slot::Lower),
            std::cmp::Ordering::Less => of(row, column).map(Slot::Upper),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_fills_as_by_hand() {
        // 0-1-2-3-0: eliminating 0 joins 1 and 3.
        let symbolic = Symbolic::new(&Pattern::from_edges(4, [(0, 1), (1, 2), (2, 3), (3, 0)]));
        assert_eq!(symbolic.row, [1, 3, 2, 3, 3]);
        assert_eq!(symbolic.fill(), [3]);
        assert_eq!(symbolic.target, [3, 4]);
        assert_eq!(symbolic.slot(3, 1), Some(Slot::Lower(3)));
        assert_eq!(symbolic.slot(2, 3), Some(Slot::Upper(4)));
        assert_eq!(symbolic.slot(2, 0), None);
    }
}
