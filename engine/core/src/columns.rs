//! Helpers for structure-of-arrays tables: orders, permutations and offsets over plain columns.

/// The stable order that sorts rows by `key`, as row numbers.
pub fn order_by_key<T, K: Ord>(rows: &[T], key: impl Fn(&T) -> K) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|&row| key(&rows[row as usize]));
    order
}

/// `column[order[i]]` for every `i`.
#[must_use]
pub fn permuted<T: Clone>(column: &[T], order: &[u32]) -> Vec<T> {
    order.iter().map(|&row| column[row as usize].clone()).collect()
}

/// Running total of `counts` with a leading zero: `offsets[i]..offsets[i + 1]` are the rows of `i`.
/// Shape: `counts.len() + 1`.
#[must_use]
pub fn offsets(counts: &[u32]) -> Vec<u32> {
    let mut total = 0;
    std::iter::once(0)
        .chain(counts.iter().map(|&count| {
            total += count;
            total
        }))
        .collect()
}

/// Cumulative weights for sampling; negative and non-finite weights count as zero.
#[must_use]
pub fn cumulative(weights: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut total = 0.0;
    weights
        .into_iter()
        .map(|weight| {
            if weight.is_finite() && weight > 0.0 {
                total += weight;
            }
            total
        })
        .collect()
}

/// Splits `total` whole units over rows in proportion to `weights` by the largest-remainder method
/// (ties go to the lower row). The parts add up to `total` unless no weight is positive; then all are 0.
#[must_use]
pub fn apportion(total: u32, weights: &[f64]) -> Vec<u32> {
    let clean = |w: f64| if w.is_finite() && w > 0.0 { w } else { 0.0 };
    let sum: f64 = weights.iter().map(|&w| clean(w)).sum();
    if sum <= 0.0 {
        return vec![0; weights.len()];
    }
    let exact: Vec<f64> = weights.iter().map(|&w| f64::from(total) * clean(w) / sum).collect();
    let mut parts: Vec<u32> = exact.iter().map(|&e| e.floor() as u32).collect();
    let given: u32 = parts.iter().sum();
    let mut order: Vec<usize> = (0..weights.len()).filter(|&i| clean(weights[i]) > 0.0).collect();
    order.sort_by(|&a, &b| (exact[b] - exact[b].floor()).total_cmp(&(exact[a] - exact[a].floor())).then(a.cmp(&b)));
    for &row in order.iter().cycle().take(total.saturating_sub(given) as usize) {
        parts[row] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_offsets_and_shares() {
        assert_eq!(order_by_key(&[3, 1, 2, 1], |&k| k), [1, 3, 2, 0]);
        assert_eq!(permuted(&['a', 'b', 'c'], &[2, 0]), ['c', 'a']);
        assert_eq!(offsets(&[2, 0, 3]), [0, 2, 2, 5]);
        assert_eq!(cumulative([1.0, -1.0, f64::NAN, 2.0]), [1.0, 1.0, 1.0, 3.0]);
        assert_eq!(apportion(10, &[1.0, 1.0, 1.0]), [4, 3, 3]);
        assert_eq!(apportion(5, &[0.0, 0.0]), [0, 0]);
        assert_eq!(apportion(7, &[0.0, 2.0, 5.0]).iter().sum::<u32>(), 7);
    }
}
