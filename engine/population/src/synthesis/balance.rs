//! List balancing: weights of households, near those of a sample, that meet controls on households and on the persons
//! in them. With `x` weights, `w` those of the sample, `a` what a household counts for a control, `A` the control, `z` its
//! relaxation and `m` its importance:
//!
//! ```text
//! minimise  sum_n x_n ln(x_n / w_n) + sum_c m_c z_c ln z_c      subject to  sum_n a_nc x_n = A_c z_c
//! ```
//!
//! which is solved one control at a time by a Newton step, `g = 1 - (X - A z) / (Y + A z / m)` with `X = sum a x` and
//! `Y = sum a^2 x`, then `x <- x g^a` and `z <- z g^(-1/m)`: the entropy-maximising list balancing of Vovsha, Hicks, Paul,
//! Livshits, Maneva and Jeon (2015, "New features of population synthesis", TRB), which PopulationSim uses. Controls that
//! agree are met; where they do not, each gives way by the inverse of its importance.
//!
//! Rows are *types*, households that count the same for every control: they would all get the same factor, so a type is
//! balanced once with the sum of their weights.
//!
//! Contract: pure, single-threaded (zones run in parallel around it), deterministic.

/// What each type counts for each control, both ways round. Counts are whole and small.
#[derive(Clone, Debug, Default)]
pub struct Incidence {
    /// For each control: types that count, with their count.
    pub by_control: Vec<Vec<(u32, u8)>>,
    /// For each type: controls it counts for, with its count.
    pub by_type: Vec<Vec<(u16, u8)>>,
}

impl Incidence {
    /// From what each type counts for each of `controls` controls.
    #[must_use]
    pub fn new(types: usize, controls: usize, count: impl Fn(usize, usize) -> u8) -> Self {
        let mut incidence = Self { by_control: vec![Vec::new(); controls], by_type: vec![Vec::new(); types] };
        for of in 0..types {
            for control in 0..controls {
                let counts = count(of, control);
                if counts > 0 {
                    incidence.by_control[control].push((of as u32, counts));
                    incidence.by_type[of].push((control as u16, counts));
                }
            }
        }
        incidence
    }
    /// What weights of the types add up to for each control.
    #[must_use]
    pub fn sums(&self, weights: &[f64]) -> Vec<f64> {
        self.by_control
            .iter()
            .map(|types| types.iter().map(|&(of, counts)| f64::from(counts) * weights[of as usize]).sum())
            .collect()
    }
}

/// What weights came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Balanced {
    /// By type.
    pub weights: Vec<f64>,
    /// By control: what was aimed at in the end, as a share of the control; 1 where it gave way to nothing.
    pub relaxation: Vec<f64>,
    /// Iterations over all controls.
    pub iterations: u32,
    /// Whether the last iteration left every weight where it was, but for the tolerance. Where controls disagree, each
    /// iteration pulls weights to and fro, and they are at rest when it ends where it began.
    pub converged: bool,
    /// Controls above zero for which no type counts.
    pub unsupported: Vec<usize>,
}

/// Weights below this many households may move by more than the tolerance without being at unrest.
const WEIGHT_OF_NOTE: f64 = 0.1;

/// Balances the weights of types. A target that is not a number is no control. A target of zero takes every type that
/// counts for it out, unless that leaves nothing.
#[must_use]
pub fn balance(
    weights: &[f64],
    incidence: &Incidence,
    targets: &[f64],
    importance: &[f64],
    tolerance: f64,
    max_iterations: u32,
) -> Balanced {
    let mut balanced =
        Balanced { weights: weights.to_vec(), relaxation: vec![1.0; targets.len()], ..Balanced::default() };
    let mut active: Vec<usize> = Vec::new();
    for (control, &target) in targets.iter().enumerate() {
        let types = &incidence.by_control[control];
        let supported = types.iter().any(|&(of, _)| balanced.weights[of as usize] > 0.0);
        if target.is_nan() {
            continue;
        }
        if target <= 0.0 {
            let without: f64 = balanced.weights.iter().sum::<f64>()
                - types.iter().map(|&(of, _)| balanced.weights[of as usize]).sum::<f64>();
            if without > 1e-12 {
                types.iter().for_each(|&(of, _)| balanced.weights[of as usize] = 0.0);
            }
        } else if supported {
            active.push(control);
        } else {
            balanced.unsupported.push(control);
        }
    }
    // Least important first, so that the most important hold exactly when the loop ends.
    active.sort_by(|&a, &b| importance[a].total_cmp(&importance[b]).then(a.cmp(&b)));
    let mut powers = [1.0_f64; 256];
    let mut before = balanced.weights.clone();
    for _ in 0..max_iterations {
        for &control in &active {
            let types = &incidence.by_control[control];
            let (mut sum, mut squares, mut most) = (0.0, 0.0, 0);
            for &(of, counts) in types {
                let (weight, counts_f) = (balanced.weights[of as usize], f64::from(counts));
                sum += counts_f * weight;
                squares += counts_f * counts_f * weight;
                most = most.max(counts);
            }
            let aim = targets[control] * balanced.relaxation[control];
            let step = 1.0 - (sum - aim) / (squares + aim / importance[control]);
            if !step.is_finite() || sum <= 0.0 {
                continue;
            }
            let step = step.clamp(0.05, 20.0);
            for power in 1..=usize::from(most) {
                powers[power] = powers[power - 1] * step;
            }
            types.iter().for_each(|&(of, counts)| balanced.weights[of as usize] *= powers[usize::from(counts)]);
            balanced.relaxation[control] *= step.powf(-1.0 / importance[control]);
        }
        balanced.iterations += 1;
        let is_at_rest =
            |(after, before): (&f64, &f64)| (after - before).abs() <= tolerance * before.max(WEIGHT_OF_NOTE);
        let all_rest = balanced.weights.iter().zip(&before).all(is_at_rest);
        before.copy_from_slice(&balanced.weights);
        if all_rest {
            balanced.converged = true;
            break;
        }
    }
    balanced
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample of Ye et al. (2009): eight households of two types with persons of three types.
    const YE: [[u8; 5]; 8] = [
        [1, 0, 1, 1, 1],
        [1, 0, 1, 0, 1],
        [1, 0, 2, 1, 0],
        [0, 1, 1, 0, 2],
        [0, 1, 0, 2, 1],
        [0, 1, 1, 1, 0],
        [0, 1, 2, 1, 2],
        [0, 1, 1, 1, 0],
    ];
    const YE_CONTROLS: [f64; 5] = [35.0, 65.0, 91.0, 65.0, 104.0];

    #[test]
    fn the_sample_of_ye_meets_household_and_person_controls() {
        let incidence = Incidence::new(8, 5, |of, control| YE[of][control]);
        let balanced = balance(&[1.0; 8], &incidence, &YE_CONTROLS, &[1e6; 5], 1e-9, 10_000);
        assert!(balanced.converged, "{balanced:?}");
        for (sum, control) in incidence.sums(&balanced.weights).iter().zip(YE_CONTROLS) {
            assert!((sum / control - 1.0).abs() < 1e-4, "{sum} for {control}: {balanced:?}");
        }
        assert!((balanced.weights[5] - balanced.weights[7]).abs() < 1e-9, "equal households, equal weights");
    }

    #[test]
    fn contradictions_give_way_by_importance() {
        // Everybody lives alone, but 100 households and 120 persons are asked for.
        let incidence = Incidence::new(1, 2, |_, _| 1);
        let sum = |importance: [f64; 2]| {
            let balanced = balance(&[110.0], &incidence, &[100.0, 120.0], &importance, 1e-10, 100_000);
            incidence.sums(&balanced.weights)[0]
        };
        assert!((sum([1e6, 1.0]) - 100.0).abs() < 0.1, "{}", sum([1e6, 1.0]));
        assert!((sum([1.0, 1e6]) - 120.0).abs() < 0.1, "{}", sum([1.0, 1e6]));
        // Equal importance meets in the geometric middle.
        let middle = sum([50.0, 50.0]);
        assert!((middle - (100.0_f64 * 120.0).sqrt()).abs() < 1.0, "{middle}");
    }

    #[test]
    fn zeros_and_what_nobody_counts_for() {
        let incidence = Incidence::new(3, 3, |of, control| u8::from(control == 0 || (control == 1 && of == 0)));
        let balanced = balance(&[1.0; 3], &incidence, &[10.0, 0.0, 4.0], &[1e6, 10.0, 10.0], 1e-9, 100);
        assert_eq!(balanced.unsupported, [2]);
        assert!(balanced.weights[0].abs() < 1e-12 && (balanced.weights[1] - 5.0).abs() < 1e-4);
        let nothing = balance(&[1.0; 3], &incidence, &[f64::NAN; 3], &[1.0; 3], 1e-9, 10);
        assert_eq!(nothing.weights, [1.0; 3]);
    }
}
