//! Parallel work in chunks of constant size. Chunk bounds depend on the number of rows only, never on
//! the number of threads, and partial results come back in chunk order: so every reduction gives the
//! same bits on one thread and on eight.

use rayon::prelude::*;

/// Rows a chunk holds unless the caller knows better.
pub const CHUNK_ROWS: usize = 4096;

/// Applies `work` to each range of `chunk_rows` rows of `0..rows` in parallel; the results are in
/// order of the ranges.
pub fn map_chunks<R: Send>(
    rows: usize,
    chunk_rows: usize,
    work: impl Fn(std::ops::Range<usize>) -> R + Sync,
) -> Vec<R> {
    let chunks = rows.div_ceil(chunk_rows.max(1));
    (0..chunks)
        .into_par_iter()
        .map(|chunk| {
            let start = chunk * chunk_rows;
            work(start..(start + chunk_rows).min(rows))
        })
        .collect()
}

/// Sum over rows with a fixed reduction tree: rows in order within a chunk, chunks in order.
pub fn sum(values: &[f64]) -> f64 {
    map_chunks(values.len(), CHUNK_ROWS, |range| values[range].iter().sum::<f64>()).iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bits_for_any_number_of_threads() {
        let values: Vec<f64> = (0..100_003).map(|i| f64::from(i) * 0.1 + 1e-9).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| sum(&values)).to_bits()
        };
        assert!([2, 3, 8].iter().all(|&threads| on(threads) == on(1)));
        assert!(map_chunks(0, 10, |range| range.len()).is_empty());
        assert_eq!(map_chunks(11, 4, |range| range.len()), [4, 4, 3]);
    }
}
