//! Faults by chance: of each branch by its length and kind, with exponential times between them, drawn by branch, so that
//! scenarios with one seed see the same ones.
//!
//! Default rates are estimates in the range of European statistics (recalled): some 2 faults a year on 100 km of cable, 1
//! in 500 transformers; repairs of half a day. Where no length is known, as in grids of files, the second rate counts.

use super::{Element, Fault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use urbis_core::rng::Rng;

/// Purpose of the draws.
const PURPOSE: u32 = 0x4641_0001;
/// Seconds of a year.
const YEAR_S: f64 = 8760.0 * 3600.0;

/// Faults by chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomFaultSettings {
    /// Multiplies all rates; 0: none, 1: as rates say, more for a storm.
    pub factor: f64,
    /// Faults of cables and lines, 1/(km a).
    pub line_per_km_year: f64,
    /// Faults of transformers and other branches without length, 1/a.
    pub other_per_year: f64,
    /// Mean time to repair, seconds; times are exponential and at least a tenth of it.
    pub repair_s: f64,
}

impl Default for RandomFaultSettings {
    fn default() -> Self {
        Self { factor: 0.0, line_per_km_year: 0.02, other_per_year: 0.002, repair_s: 43_200.0 }
    }
}

impl RandomFaultSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        let fields = [
            ("factor", self.factor),
            ("line_per_km_year", self.line_per_km_year),
            ("other_per_year", self.other_per_year),
            ("repair_s", self.repair_s),
        ];
        for (field, value) in fields.iter().filter(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            tell(field, format!("= {value}, expected >= 0"));
        }
    }
}

/// Faults of branches of these lengths (metres; 0 for those without) in a period, in order of time.
#[must_use]
pub fn random_faults(
    length_m: &[f64],
    names: &[String],
    settings: &RandomFaultSettings,
    seed: u64,
    period_s: u32,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (row, &length_m) in length_m.iter().enumerate() {
        let per_year =
            if length_m > 0.0 { settings.line_per_km_year * length_m / 1000.0 } else { settings.other_per_year };
        let per_s = per_year * settings.factor / YEAR_S;
        if per_s <= 0.0 {
            continue;
        }
        let mut rng = Rng::new(seed, row as u32, 0, PURPOSE);
        let mut exponential = |mean: f64| -mean * (1.0 - rng.uniform()).ln();
        let mut now_s = exponential(1.0 / per_s);
        while now_s < f64::from(period_s) {
            let repair_s = exponential(settings.repair_s).max(0.1 * settings.repair_s).max(1.0);
            let (start_s, repair_s) = (now_s as u32, repair_s.min(f64::from(u32::MAX)) as u32);
            let name = format!("fault of branch {}", names[row]);
            faults.push(Fault { start_s, element: Element::Branch(row as u32), repair_s, name });
            now_s += f64::from(repair_s) + exponential(1.0 / per_s);
        }
    }
    faults.sort();
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_rates_say_and_the_same_with_more_branches() {
        let settings = RandomFaultSettings { factor: 1.0, ..RandomFaultSettings::default() };
        let names: Vec<String> = (0..10_000).map(|row| row.to_string()).collect();
        let lengths = vec![1000.0; 10_000];
        let year_s = YEAR_S as u32;
        let faults = random_faults(&lengths, &names, &settings, 7, year_s);
        // 200 expected, of standard deviation 14.
        assert!((140..260).contains(&faults.len()), "{}", faults.len());
        let mean_s = faults.iter().map(|of| f64::from(of.repair_s)).sum::<f64>() / faults.len() as f64;
        assert!((mean_s / settings.repair_s - 1.0).abs() < 0.25, "{mean_s}");
        let few = random_faults(&lengths[..5000], &names, &settings, 7, year_s);
        let same = faults.iter().filter(|of| matches!(of.element, Element::Branch(row) if row < 5000));
        assert!(few.iter().eq(same));
        assert_ne!(few, random_faults(&lengths[..5000], &names, &settings, 8, year_s));
        assert!(random_faults(&lengths, &names, &RandomFaultSettings::default(), 7, year_s).is_empty());
    }
}
