//! Work at home by policy.
//!
//! Whether the job of a person can be done at home, and whether they stay at home on a day, are two frozen draws keyed
//! by person and by person and day. So scenarios with the same seed keep the same persons at home, and a larger share
//! keeps those of a smaller one and others. Who stays at home lives the day of somebody who works there.
//!
//! Ignored: occupations (whose job can be done at home is drawn), days that are agreed in a team.
//! Source of the default share of jobs: Dingel and Neiman 2020, "How many jobs can be done at home?".

use crate::persons::Place;
use crate::synthesis::purpose;
use urbis_core::rng::Rng;

/// A policy that keeps people at home.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telework {
    /// Share of those whose job can be done at home.
    pub share: f64,
    /// Share of jobs that can be done at home.
    pub able_share: f64,
    /// Whether commuters from outside stay at home too.
    pub commuters: bool,
    /// By place: whether it counts for the workplaces there; workplaces outside never do.
    pub at: Vec<bool>,
    /// First and last day, from that on which the period starts.
    pub days: (i64, i64),
}

/// Tick of the draw whether a job can be done at home; days of the others count from 0.
const ABLE: u32 = u32::MAX;

impl Telework {
    /// Whether a person who works at a place stays at home on a day.
    pub(crate) fn keeps(&self, seed: u64, person: usize, day: u32, workplace: Place) -> bool {
        let is_covered = self.at.get(workplace.row()).copied().unwrap_or(false);
        is_covered
            && (self.days.0..=self.days.1).contains(&i64::from(day))
            && Rng::new(seed, person as u32, ABLE, purpose::TELEWORK).chance(self.able_share)
            && Rng::new(seed, person as u32, day, purpose::TELEWORK).chance(self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_nested() {
        let of =
            |share| Telework { share, able_share: 0.4, at: vec![true, false], days: (0, 0), ..Telework::default() };
        let at_home = |telework: &Telework| -> Vec<usize> {
            (0..20_000).filter(|&person| telework.keeps(1, person, 0, Place(0))).collect()
        };
        let (few, many) = (at_home(&of(0.2)), at_home(&of(0.3)));
        assert!(
            (few.len() as f64 / 20_000.0 - 0.08).abs() < 0.006 && (many.len() as f64 / 20_000.0 - 0.12).abs() < 0.008
        );
        assert!(few.iter().all(|person| many.binary_search(person).is_ok()));
        assert!(!of(1.0).keeps(1, few[0], 1, Place(0)) && !of(1.0).keeps(1, few[0], 0, Place(1)));
    }
}
