//! Mean difference of paired runs with Student's 95 % interval. Runs of one seed share their chance, so the spread of
//! their differences counts, not that of the figures.

/// Quantiles of Student's t that leave 2.5 % above, for 1 to 12 degrees of freedom (tables, e.g. Fisher and Yates).
const T: [f64; 12] = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788];

/// What can be said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Higher,
    Lower,
    NoDetectableDifference,
    TooFewSeeds,
    Identical,
}

impl State {
    /// The key of its words on the page.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::NoDetectableDifference => "none",
            Self::TooFewSeeds => "few",
            Self::Identical => "same",
        }
    }
}

/// A mean difference, scenario less base.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effect {
    pub(crate) mean: f64,
    /// Half width of the interval; none with fewer than two pairs.
    pub(crate) half: Option<f64>,
    pub(crate) state: State,
}

fn t_quantile(freedom: usize) -> f64 {
    // Beyond the table the series in 1 / freedom (Abramowitz and Stegun 26.7.5) holds to four digits.
    let (z, f): (f64, f64) = (1.959_964, freedom as f64);
    let series = z + (z.powi(3) + z) / (4.0 * f) + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * f * f);
    T.get(freedom - 1).copied().unwrap_or(series)
}

impl Effect {
    /// Of differences, one per seed; none without any.
    pub(crate) fn of(differences: &[f64]) -> Option<Self> {
        let n = differences.len() as f64;
        if differences.is_empty() {
            return None;
        }
        let mean = differences.iter().sum::<f64>() / n;
        if differences.len() < 2 {
            return Some(Self { mean, half: None, state: State::TooFewSeeds });
        }
        let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let half = t_quantile(differences.len() - 1) * (variance / n).sqrt();
        let state = if differences.iter().all(|d| d.abs() <= 0.0) {
            State::Identical
        } else if mean - half > 0.0 {
            State::Higher
        } else if mean + half < 0.0 {
            State::Lower
        } else {
            State::NoDetectableDifference
        };
        Some(Self { mean, half: Some(half), state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_by_hand() {
        let found = Effect::of(&[1.0, 2.0, 3.0]).unwrap();
        assert!((found.half.unwrap() - 4.3027 / 3.0_f64.sqrt()).abs() < 1e-9);
        assert_eq!(found.state, State::NoDetectableDifference);
        assert_eq!(Effect::of(&[1.0, 1.1]).unwrap().state, State::Higher);
        assert_eq!(Effect::of(&[-1.0, -1.1]).unwrap().state, State::Lower);
        assert_eq!(Effect::of(&[0.0, 0.0]).unwrap().state, State::Identical);
        assert_eq!(Effect::of(&[5.0]).unwrap().state, State::TooFewSeeds);
        assert!(Effect::of(&[]).is_none());
    }

    #[test]
    fn quantiles_beyond_the_table_follow_it() {
        for (freedom, wanted) in [(13, 2.1604), (20, 2.0860), (30, 2.0423), (100, 1.9840)] {
            assert!((t_quantile(freedom) - wanted).abs() < 5e-4, "{freedom}");
        }
    }
}
