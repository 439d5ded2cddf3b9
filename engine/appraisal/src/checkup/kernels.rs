//! Measures of distributions, courses and access that check-ups are made of. Sources stand with each.
//!
//! Contract: pure functions of slices; the same bits for the same rows in the same order.

/// Percentile of figures by linear interpolation between order statistics (type 7 of Hyndman and Fan 1996); none of
/// nothing. `share` is 0 to 1.
#[must_use]
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let at = share.clamp(0.0, 1.0) * last as f64;
    let low = at.floor() as usize;
    let high = (low + 1).min(last);
    Some(sorted[low] + (at - low as f64) * (sorted[high] - sorted[low]))
}

/// Mean over peak of a course of equal intervals; none of nothing and of a course that is never above 0.
#[must_use]
pub fn load_factor(course: &[f64]) -> Option<f64> {
    let peak = course.iter().copied().fold(0.0, f64::max);
    (peak > 0.0).then(|| course.iter().sum::<f64>() / course.len() as f64 / peak)
}

/// Interruptions for each customer and minutes of each interruption from (customers, customer minutes): SAIFI and CAIDI of
/// IEEE 1366. CAIDI is none where nobody was interrupted.
#[must_use]
pub fn outage_indices(outages: &[(f64, f64)], customers: f64) -> (f64, Option<f64>) {
    let interrupted: f64 = outages.iter().map(|outage| outage.0).sum();
    let minutes: f64 = outages.iter().map(|outage| outage.1).sum();
    (interrupted / customers, (interrupted > 0.0).then(|| minutes / interrupted))
}

/// Mean of a figure of the tenth that ranks highest over that of the four tenths that rank lowest, from (rank, figure,
/// weight). Who lies across a limit counts in part. None where nobody has a weight or the lowest have nothing.
#[must_use]
pub fn palma_by_rank(values: &[(f64, f64, f64)]) -> Option<f64> {
    let mut sorted: Vec<_> = values.iter().copied().filter(|v| v.2 > 0.0).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let weight: f64 = sorted.iter().map(|v| v.2).sum();
    let mean_of = |from: f64, to: f64| {
        let (mut before, mut sum) = (0.0, 0.0);
        for &(_, figure, own) in &sorted {
            let within = (before + own).min(to * weight) - before.max(from * weight);
            sum += figure * within.max(0.0);
            before += own;
        }
        sum / ((to - from) * weight)
    };
    let low = mean_of(0.0, 0.4);
    (low > 0.0).then(|| mean_of(0.9, 1.0) / low)
}

/// Two-step floating catchment area (Luo and Wang 2003): for each place the sum, over the facilities that it reaches, of
/// supply over the people who reach the facility. `reach` lists (place, facility).
///
/// # Panics
/// When a row of `reach` names a place or a facility that is not there.
#[must_use]
pub fn two_step_catchment(people: &[f64], supply: &[f64], reach: &[(usize, usize)]) -> Vec<f64> {
    let mut demand = vec![0.0; supply.len()];
    for &(place, facility) in reach {
        demand[facility] += people[place];
    }
    let mut access = vec![0.0; people.len()];
    for &(place, facility) in reach {
        if demand[facility] > 0.0 {
            access[place] += supply[facility] / demand[facility];
        }
    }
    access
}

/// Integral over time of 1 - served / asked, hours, from (seconds, asked, served); intervals in which nothing is asked for
/// lose nothing (Bruneau and others 2003).
#[must_use]
pub fn resilience_loss_h(course: &[(f64, f64, f64)]) -> f64 {
    let lost = |&(seconds, asked, served): &(f64, f64, f64)| {
        if asked > 0.0 { seconds / 3600.0 * (1.0 - served / asked).max(0.0) } else { 0.0 }
    };
    course.iter().map(lost).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_by_hand() {
        // 1 to 5: the 95th lies at 3.8 steps, between the fourth and the fifth.
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert!((percentile(&values, 0.95).unwrap() - 4.8).abs() < 1e-12);
        assert_eq!(percentile(&values, 0.5), Some(3.0));
        assert_eq!((percentile(&values, 0.0), percentile(&values, 1.0)), (Some(1.0), Some(5.0)));
        assert_eq!((percentile(&[7.0], 0.95), percentile(&[], 0.5)), (Some(7.0), None));
    }

    #[test]
    fn load_factors_by_hand() {
        assert_eq!(load_factor(&[1.0, 2.0, 3.0, 2.0]), Some(2.0 / 3.0));
        assert_eq!(load_factor(&[4.0, 4.0]), Some(1.0));
        assert_eq!((load_factor(&[]), load_factor(&[0.0])), (None, None));
    }

    #[test]
    fn outage_indices_by_hand() {
        // 200 of 1,000 customers for 30 min and 100 for 90: 0.3 interruptions each, 15,000 min over 300.
        let (saifi, caidi) = outage_indices(&[(200.0, 6000.0), (100.0, 9000.0)], 1000.0);
        assert!((saifi - 0.3).abs() < 1e-12 && (caidi.unwrap() - 50.0).abs() < 1e-12);
        assert!((saifi * caidi.unwrap() - 15.0).abs() < 1e-12, "SAIDI is their product");
        assert_eq!(outage_indices(&[], 1000.0), (0.0, None));
    }

    #[test]
    fn palma_ranks_by_another_figure() {
        // Ten people of incomes 1 to 10; who earns more reaches less: 1 against a mean of 8.5.
        let ten: Vec<_> = (1..=10).map(|n| (f64::from(n), f64::from(11 - n), 1.0)).collect();
        assert!((palma_by_rank(&ten).unwrap() - 1.0 / 8.5).abs() < 1e-12);
        // One person of weight 10 lies across all limits.
        assert!((palma_by_rank(&[(1.0, 3.0, 10.0)]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(palma_by_rank(&[(1.0, 0.0, 1.0)]), None);
        assert_eq!(palma_by_rank(&[]), None);
    }

    #[test]
    fn catchments_by_hand() {
        // Two places of 100 and 300 people; the first hospital (8 beds) is reached by both, the second (6) by the second.
        let access = two_step_catchment(&[100.0, 300.0], &[8.0, 6.0], &[(0, 0), (1, 0), (1, 1)]);
        assert!((access[0] - 8.0 / 400.0).abs() < 1e-15);
        assert!((access[1] - (8.0 / 400.0 + 6.0 / 300.0)).abs() < 1e-15);
        // What is given out is what there is.
        assert!((100.0 * access[0] + 300.0 * access[1] - 14.0).abs() < 1e-12);
        assert_eq!(two_step_catchment(&[5.0], &[1.0], &[]), [0.0]);
    }

    #[test]
    fn losses_by_hand() {
        // Half of an hour's demand, then all of it for two hours, then nothing asked for.
        let course = [(3600.0, 10.0, 5.0), (7200.0, 4.0, 0.0), (3600.0, 0.0, 0.0), (3600.0, 1.0, 1.5)];
        assert!((resilience_loss_h(&course) - 2.5).abs() < 1e-12);
    }
}
