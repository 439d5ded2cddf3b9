//! A dense system of a few equations with full pivoting: those of links without resistance (open valves, pumps,
//! regulators), after all nodes are eliminated. An equation that says nothing new (the second of two open valves side
//! by side) leaves a pivot that is as good as zero; its unknown stays where it is.
//!
//! Contract: no allocation after [`Dense::new`], operations in one order.

/// A square matrix by rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Dense {
    size: usize,
    pub(super) values: Vec<f64>,
    /// Which unknown stands in each column.
    unknown: Vec<u32>,
    sorted: Vec<f64>,
}

/// A pivot is zero below this share of the largest entry of its row at the beginning.
const SINGULAR: f64 = 1e-11;

impl Dense {
    pub(super) fn new(size: usize) -> Self {
        Self { size, values: vec![0.0; size * size], unknown: vec![0; size], sorted: vec![0.0; size] }
    }
    /// Solves with the values at hand, which it overwrites; `x` holds the right side and then the solution. Returns how
    /// many equations said nothing new.
    pub(super) fn solve(&mut self, x: &mut [f64]) -> u32 {
        let (size, a) = (self.size, &mut self.values);
        self.unknown.iter_mut().enumerate().for_each(|(nth, unknown)| *unknown = nth as u32);
        // Rows are scaled, as equations of pressures and of flows stand side by side.
        for (row, x) in a.chunks_exact_mut(size.max(1)).zip(x.iter_mut()) {
            let largest = row.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
            if largest > 0.0 {
                row.iter_mut().for_each(|value| *value /= largest);
                *x /= largest;
            }
        }
        let mut rank = size;
        for k in 0..size {
            let (mut largest, mut place) = (0.0, (k, k));
            for row in k..size {
                for column in k..size {
                    if a[row * size + column].abs() > largest {
                        (largest, place) = (a[row * size + column].abs(), (row, column));
                    }
                }
            }
            if largest <= SINGULAR {
                rank = k; // nothing but rounding is left
                break;
            }
            if place.0 != k {
                (0..size).for_each(|column| a.swap(place.0 * size + column, k * size + column));
                x.swap(place.0, k);
            }
            if place.1 != k {
                (0..size).for_each(|row| a.swap(row * size + place.1, row * size + k));
                self.unknown.swap(place.1, k);
            }
            let (upper, lower) = a.split_at_mut((k + 1) * size);
            let pivot_row = &upper[k * size..];
            let (x_upper, x_lower) = x.split_at_mut(k + 1);
            for (row, x) in lower.chunks_exact_mut(size).zip(x_lower) {
                let factor = row[k] / pivot_row[k];
                if factor.abs() > 0.0 {
                    row[k..].iter_mut().zip(&pivot_row[k..]).for_each(|(value, above)| *value -= factor * above);
                    *x -= factor * x_upper[k];
                }
            }
        }
        x[rank..].fill(0.0);
        for k in (0..rank).rev() {
            let row = &a[k * size..(k + 1) * size];
            let sum: f64 = row[k + 1..].iter().zip(&x[k + 1..]).map(|(value, x)| value * x).sum();
            x[k] = (x[k] - sum) / row[k];
        }
        for (unknown, x) in self.unknown.iter().zip(x.iter()) {
            self.sorted[*unknown as usize] = *x;
        }
        x.copy_from_slice(&self.sorted);
        (size - rank) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_exchanged_and_idle_equations_dropped() {
        let mut dense = Dense::new(3);
        dense.values.copy_from_slice(&[0.0, 2.0, 1.0, 1e6, 0.0, 0.0, 0.0, 0.0, 3.0]);
        let mut x = [7.0, 2e6, 9.0];
        assert_eq!(dense.solve(&mut x), 0);
        assert!((x[0] - 2.0).abs() + (x[1] - 2.0).abs() + (x[2] - 3.0).abs() < 1e-12, "{x:?}");
        let mut dense = Dense::new(2);
        dense.values.copy_from_slice(&[1.0, 1.0, 2.0, 2.0]);
        let mut x = [4.0, 8.0];
        assert_eq!(dense.solve(&mut x), 1);
        assert!((x[0] + x[1] - 4.0).abs() < 1e-12, "{x:?}");
    }
}
