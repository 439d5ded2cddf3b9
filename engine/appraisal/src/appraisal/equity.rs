//! How evenly something is spread.

/// Gini coefficient of (figure, weight): sum of |a - b| over all pairs, weighted, over twice the mean; 0 is even. None
/// where figures are negative or all are 0.
#[must_use]
pub fn gini(values: &[(f64, f64)]) -> Option<f64> {
    let sorted = sorted(values)?;
    let weight: f64 = sorted.iter().map(|v| v.1).sum();
    let total: f64 = sorted.iter().map(|v| v.0 * v.1).sum();
    // Area under the Lorenz curve, trapezoid by trapezoid.
    let (mut area, mut below) = (0.0, 0.0);
    for (value, share) in sorted {
        let above = below + value * share / total;
        area += (below + above) / 2.0 * share / weight;
        below = above;
    }
    Some(1.0 - 2.0 * area)
}

/// Palma ratio of (figure, weight): mean of the highest tenth over the mean of the lowest four tenths; 1 is even. Who lies
/// across a limit counts in part. None where figures are negative or the lowest have nothing.
#[must_use]
pub fn palma(values: &[(f64, f64)]) -> Option<f64> {
    let sorted = sorted(values)?;
    let weight: f64 = sorted.iter().map(|v| v.1).sum();
    let mean_of = |from: f64, to: f64| {
        let (mut before, mut sum) = (0.0, 0.0);
        for &(value, own) in &sorted {
            let within = (before + own).min(to * weight) - before.max(from * weight);
            sum += value * within.max(0.0);
            before += own;
        }
        sum / ((to - from) * weight)
    };
    let low = mean_of(0.0, 0.4);
    (low > 0.0).then(|| mean_of(0.9, 1.0) / low)
}

/// Ascending, those without weight left out; none if there is nothing to spread.
fn sorted(values: &[(f64, f64)]) -> Option<Vec<(f64, f64)>> {
    let mut sorted: Vec<_> = values.iter().copied().filter(|v| v.1 > 0.0).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = sorted.iter().map(|v| v.0 * v.1).sum();
    (sorted.first()?.0 >= 0.0 && total > 0.0).then_some(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_by_hand() {
        let even = [(3.0, 1.0), (3.0, 2.0)];
        assert!(gini(&even).unwrap().abs() < 1e-12 && (palma(&even).unwrap() - 1.0).abs() < 1e-12);
        // Of 1, 2, 3, 4: pairs differ by 20 in all, 20 / (2 * 16 * 2.5) = 0.25.
        let four = [(4.0, 1.0), (1.0, 1.0), (3.0, 1.0), (2.0, 1.0)];
        assert!((gini(&four).unwrap() - 0.25).abs() < 1e-12);
        // Ten persons: the highest has 10, the lowest four 1, 2, 3, 4.
        let ten: Vec<_> = (1..=10).map(|v| (f64::from(v), 1.0)).collect();
        assert!((palma(&ten).unwrap() - 4.0).abs() < 1e-12);
        // Of four, the lowest 1.6 persons have (1 + 0.6 * 2) / 1.6 each, the highest 0.4 have 4.
        assert!((palma(&four).unwrap() - 4.0 / (2.2 / 1.6)).abs() < 1e-12);
        assert_eq!((gini(&[(0.0, 1.0)]), palma(&[(-1.0, 1.0), (2.0, 1.0)]), gini(&[])), (None, None, None));
    }
}
