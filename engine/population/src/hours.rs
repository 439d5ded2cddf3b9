//! Work and school that begin at another hour, by policy.
//!
//! A school that begins later does so for all of its pupils by as much. Of staggered hours each person who takes part has a
//! shift of their own, uniform over `+-most`, on every day the same. Whether somebody takes part and by how much are frozen
//! draws keyed by person, so a larger share keeps those of a smaller one with their shifts. The length of the day stays.
//!
//! Ignored: teams that have to meet, shops and classes that follow, who would rather come early than late. Contract: pure.

use crate::persons::Place;
use crate::synthesis::purpose;
use urbis_core::rng::Rng;

/// Who begins at another hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beginners {
    /// Who works, all of them by a shift of their own.
    #[default]
    Workers,
    /// Who goes to school, all by the same shift.
    Pupils,
}

/// A policy that shifts hours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HourShift {
    /// Who.
    pub who: Beginners,
    /// Share of them who take part.
    pub share: f64,
    /// Workers: the most that a day begins earlier or later. Pupils: by how much it begins later. Hours.
    pub shift_h: f64,
    /// By place: whether it counts for work and school there; places outside never do.
    pub at: Vec<bool>,
    /// First and last day, from that on which the period starts.
    pub days: (i64, i64),
}

impl HourShift {
    /// By how much the day of a person at a place begins later, hours.
    pub(crate) fn of(&self, who: Beginners, seed: u64, person: usize, day: u32, at: Place) -> f64 {
        let is_covered = who == self.who
            && self.at.get(at.row()).copied().unwrap_or(false)
            && (self.days.0..=self.days.1).contains(&i64::from(day));
        if !is_covered {
            return 0.0;
        }
        let mut rng = Rng::new(seed, person as u32, who as u32, purpose::HOURS);
        if !rng.chance(self.share) {
            return 0.0;
        }
        match who {
            Beginners::Workers => self.shift_h * (2.0 * rng.uniform() - 1.0),
            Beginners::Pupils => self.shift_h,
        }
    }
}

/// By how much all policies together move the day of a person at a place, hours.
pub(crate) fn shift_h(policies: &[HourShift], who: Beginners, seed: u64, person: usize, day: u32, at: Place) -> f64 {
    policies.iter().map(|policy| policy.of(who, seed, person, day, at)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_are_nested_and_uniform() {
        let of = |share| HourShift { share, shift_h: 1.5, at: vec![true, false], days: (0, 0), ..HourShift::default() };
        let shifts = |policy: &HourShift| -> Vec<f64> {
            (0..20_000).map(|person| policy.of(Beginners::Workers, 1, person, 0, Place(0))).collect()
        };
        let (some, all) = (shifts(&of(0.3)), shifts(&of(1.0)));
        let moved = some.iter().filter(|shift| shift.abs() > 0.0).count() as f64 / 20_000.0;
        assert!((moved - 0.3).abs() < 0.01, "{moved}");
        assert!(some.iter().zip(&all).all(|(some, all)| some.abs() <= 0.0 || (some - all).abs() < 1e-12));
        // Uniform over three hours: mean 0, variance 1.5^2 / 3.
        let (mean, square) = (all.iter().sum::<f64>() / 2e4, all.iter().map(|h| h * h).sum::<f64>() / 2e4);
        assert!(mean.abs() < 0.02 && (square - 0.75).abs() < 0.02, "{mean} {square}");
        let school = HourShift { who: Beginners::Pupils, shift_h: 0.5, ..of(1.0) };
        assert!((school.of(Beginners::Pupils, 1, 7, 0, Place(0)) - 0.5).abs() < 1e-12);
        let not =
            [(Beginners::Workers, 0, Place(0)), (Beginners::Pupils, 1, Place(0)), (Beginners::Pupils, 0, Place(1))];
        assert!(not.iter().all(|&(who, day, at)| school.of(who, 1, 7, day, at).abs() <= 0.0));
    }
}
