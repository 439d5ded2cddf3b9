//! Compressed sparse rows: for each row a slice of values, all in one allocation, in input order.

/// Rows of values, stored end to end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Csr<T> {
    offsets: Vec<u32>,
    values: Vec<T>,
}

impl<T: Clone> Csr<T> {
    /// Groups `(row, value)` pairs; within a row values keep the order of the pairs. Panics when a row
    /// is not below `rows`.
    #[must_use]
    pub fn from_pairs(rows: usize, pairs: &[(u32, T)]) -> Self {
        let mut counts = vec![0_u32; rows];
        for (row, _) in pairs {
            counts[*row as usize] += 1;
        }
        let offsets = crate::columns::offsets(&counts);
        let mut order: Vec<u32> = vec![0; pairs.len()];
        let mut next = offsets.clone();
        for (position, (row, _)) in pairs.iter().enumerate() {
            let slot = &mut next[*row as usize];
            order[*slot as usize] = position as u32;
            *slot += 1;
        }
        let values = order.iter().map(|&position| pairs[position as usize].1.clone()).collect();
        Self { offsets, values }
    }
}

impl<T> Csr<T> {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }
    /// The values of a row.
    #[inline]
    #[must_use]
    pub fn row(&self, row: usize) -> &[T] {
        &self.values[self.range(row)]
    }
    /// Positions of a row's values in [`Csr::values`].
    #[inline]
    #[must_use]
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }
    /// All values, row after row.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_in_input_order() {
        let csr = Csr::from_pairs(3, &[(2, 'a'), (0, 'b'), (2, 'c')]);
        assert_eq!((csr.rows(), csr.row(0), csr.row(1), csr.row(2)), (3, &['b'][..], &[][..], &['a', 'c'][..]));
        assert_eq!(csr.range(2), 1..3);
    }
}
