//! Whole numbers out of weights, keeping totals.
//!
//! [`systematic`] adds the weights up and counts the whole numbers passed, from a random start: `n_i = floor(S_i + u) -
//! floor(S_(i-1) + u)`. The total is exact, every weight is rounded up or down and right on average, and any run of rows
//! that stand together is within one of its weight: with rows sorted by household size, every size is (Madow 1949).
//! [`exchange`] then swaps one household for another as long as that brings the sums of the controls closer to those of
//! the weights. [`table`] rounds a table of two dimensions whose row and column sums are whole, keeping both.
//!
//! Contract: pure, single-threaded, deterministic; ties go to the lower row.

use super::balance::Incidence;
use urbis_core::columns::apportion;

/// Rounds weights to whole numbers that add up to `total`, from the start `u` in `[0, 1)`. Weights are scaled to the
/// total first; without a positive one all are 0.
#[must_use]
pub fn systematic(weights: &[f64], total: u32, u: f64) -> Vec<u32> {
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 || !sum.is_finite() {
        return vec![0; weights.len()];
    }
    let scale = f64::from(total) / sum;
    let last = weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(0);
    let (mut running, mut before) = (0.0, 0);
    weights
        .iter()
        .enumerate()
        .map(|(row, &weight)| {
            running += weight;
            // The end is exact whatever the sum was rounded to.
            let passed = if row >= last { total } else { ((running * scale + u).floor() as u32).min(total) };
            let passed = passed.max(before);
            let count = passed - before;
            before = passed;
            count
        })
        .collect()
}

/// Swaps households one by one while that lowers `sum_c weight_c (sum_n a_nc n - aim_c)^2`; their number stays. Types
/// that are not `allowed` are never taken in. Says how many were swapped.
pub fn exchange(
    counts: &mut [u32],
    incidence: &Incidence,
    aims: &[f64],
    weight: &[f64],
    allowed: &[bool],
    max_swaps: u32,
) -> u32 {
    let as_weights: Vec<f64> = counts.iter().map(|&count| f64::from(count)).collect();
    let sums = incidence.sums(&as_weights);
    let mut off: Vec<f64> =
        sums.iter().zip(aims).map(|(sum, aim)| if aim.is_nan() { 0.0 } else { sum - aim }).collect();
    // What one household more (or fewer) of a type adds to the objective.
    let change = |off: &[f64], of: usize, sign: f64| -> f64 {
        incidence.by_type[of]
            .iter()
            .map(|&(control, counts)| {
                let (control, step) = (usize::from(control), sign * f64::from(counts));
                if aims[control].is_nan() { 0.0 } else { weight[control] * step * (2.0 * off[control] + step) }
            })
            .sum()
    };
    let apply = |off: &mut [f64], of: usize, sign: f64| {
        for &(control, counts) in &incidence.by_type[of] {
            off[usize::from(control)] += sign * f64::from(counts);
        }
    };
    let best = |off: &[f64], counts: &[u32], sign: f64| -> Option<(usize, f64)> {
        (0..counts.len())
            .filter(|&of| if sign < 0.0 { counts[of] > 0 } else { allowed[of] })
            .map(|of| (of, change(off, of, sign)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
    };
    for swap in 0..max_swaps {
        let mut found: Option<(usize, usize, f64)> = None;
        for first in [-1.0, 1.0] {
            let Some((one, gain)) = best(&off, counts, first) else { return swap };
            apply(&mut off, one, first);
            let other = best(&off, counts, -first);
            apply(&mut off, one, -first);
            let Some((other, rest)) = other else { return swap };
            let (out, taken) = if first < 0.0 { (one, other) } else { (other, one) };
            if found.is_none_or(|(_, _, least)| gain + rest < least) {
                found = Some((out, taken, gain + rest));
            }
        }
        match found {
            Some((out, taken, gain)) if gain < -1e-9 && out != taken => {
                apply(&mut off, out, -1.0);
                apply(&mut off, taken, 1.0);
                counts[out] -= 1;
                counts[taken] += 1;
            }
            _ => return swap,
        }
    }
    max_swaps
}

/// Rounds a table (row-major, `rows.len()` by `columns.len()`) to whole cells with these row sums and, where both add up
/// to the same, these column sums. A cell may end more than one away only if no other way keeps the sums.
#[must_use]
pub fn table(cells: &[f64], rows: &[u32], columns: &[u32]) -> Vec<u32> {
    let width = columns.len();
    let mut whole: Vec<u32> = Vec::with_capacity(cells.len());
    for (row, &sum) in rows.iter().enumerate() {
        let weights = &cells[row * width..(row + 1) * width];
        let even = vec![1.0; width];
        whole.extend(apportion(sum, if weights.iter().sum::<f64>() > 0.0 { weights } else { &even }));
    }
    let mut off: Vec<i64> = (0..width)
        .map(|column| {
            let sum: i64 = (0..rows.len()).map(|row| i64::from(whole[row * width + column])).sum();
            sum - i64::from(columns[column])
        })
        .collect();
    // Each move takes one from a column with too many to one with too few, in the row where it costs least.
    while let (Some(from), Some(to)) = (off.iter().position(|&off| off > 0), off.iter().position(|&off| off < 0)) {
        let cost = |row: usize| {
            let (a, b) = (row * width + from, row * width + to);
            (cells[a] - f64::from(whole[a])) - (cells[b] - f64::from(whole[b]))
                + if cells[b] > 0.0 { 0.0 } else { f64::from(u32::MAX) }
        };
        let row =
            (0..rows.len()).filter(|&row| whole[row * width + from] > 0).min_by(|&a, &b| cost(a).total_cmp(&cost(b)));
        let Some(row) = row else { break };
        whole[row * width + from] -= 1;
        whole[row * width + to] += 1;
        off[from] -= 1;
        off[to] += 1;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_kept_and_runs_are_within_one() {
        let weights: Vec<f64> = (0..500).map(|row| f64::from(row * 37 % 11) * 0.13 + 0.01).collect();
        let total = 300;
        let scale = f64::from(total) / weights.iter().sum::<f64>();
        for u in [0.0, 0.25, 0.5, 0.999] {
            let counts = systematic(&weights, total, u);
            assert_eq!(counts.iter().sum::<u32>(), total);
            for run in counts.chunks(50).zip(weights.chunks(50)) {
                let (count, weight) = (run.0.iter().sum::<u32>(), run.1.iter().sum::<f64>() * scale);
                assert!((f64::from(count) - weight).abs() <= 1.0 + 1e-9, "{count} for {weight}");
            }
            assert!(counts.iter().zip(&weights).all(|(&n, w)| (f64::from(n) - w * scale).abs() < 1.0 + 1e-9));
        }
        assert_eq!(systematic(&[0.0, 0.0], 3, 0.5), [0, 0]);
        assert_eq!(systematic(&[1.0, 0.0], 3, 0.9), [3, 0]);
    }

    #[test]
    fn rounding_is_right_on_average() {
        let weights = [0.2, 0.3, 0.5];
        let mut counts = [0; 3];
        for draw in 0..1000 {
            let rounded = systematic(&weights, 1, (f64::from(draw) + 0.5) / 1000.0);
            counts.iter_mut().zip(rounded).for_each(|(sum, count)| *sum += count);
        }
        assert_eq!(counts, [200, 300, 500]);
    }

    #[test]
    fn exchange_brings_person_controls_home() {
        // Households of one to four persons; the number of persons is off by five after a bad start.
        let incidence = Incidence::new(4, 2, |of, control| if control == 0 { 1 } else { of as u8 + 1 });
        let mut counts = [10, 10, 10, 10];
        let swaps = exchange(&mut counts, &incidence, &[40.0, 105.0], &[1.0, 1.0], &[true; 4], 100);
        assert_eq!(counts.iter().sum::<u32>(), 40);
        assert_eq!(counts.iter().zip(1..).map(|(&count, size)| count * size).sum::<u32>(), 105);
        assert!((2..=5).contains(&swaps), "{swaps}");
    }

    #[test]
    fn tables_keep_both_margins() {
        let cells = [1.4, 2.6, 0.0, 3.3, 0.4, 2.3, 0.3, 2.0, 1.7];
        let whole = table(&cells, &[4, 6, 4], &[5, 5, 4]);
        for k in 0..3 {
            assert_eq!(whole[3 * k..3 * k + 3].iter().sum::<u32>(), [4, 6, 4][k]);
            assert_eq!(whole[k] + whole[k + 3] + whole[k + 6], [5, 5, 4][k]);
        }
        assert!(whole.iter().zip(cells).all(|(&n, cell)| (f64::from(n) - cell).abs() <= 1.0), "{whole:?}");
        assert_eq!(whole[2], 0);
    }
}
