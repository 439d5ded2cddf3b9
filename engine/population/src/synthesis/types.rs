//! Types of households: those of the seed that count the same for every control, and what they count.

use super::balance::Incidence;
use super::controls::{CarControl, Controls};
use super::sample::Seed;
use super::settings::Importance;
use std::collections::BTreeMap;
use urbis_core::columns::cumulative;
use urbis_core::rng::Rng;

/// Names of the controls, in order.
pub const CONTROLS: [&str; 25] = [
    "households",
    "residents",
    "age_0_17",
    "age_18_34",
    "age_35_49",
    "age_50_64",
    "age_65_79",
    "age_80_plus",
    "household_size_1",
    "household_size_2",
    "household_size_3",
    "household_size_4",
    "household_size_5",
    "household_size_6_plus",
    "cars",
    "household_cars_0",
    "household_cars_1",
    "household_cars_2",
    "household_cars_3_plus",
    "employed",
    "income_class_1",
    "income_class_2",
    "income_class_3",
    "income_class_4",
    "income_class_5",
];

pub(crate) const RESIDENTS: usize = 1;
pub(crate) const AGES: usize = 2;
pub(crate) const SIZES: usize = 8;
pub(crate) const CARS: usize = 14;
pub(crate) const CARS_OF: usize = 15;
pub(crate) const EMPLOYED: usize = 19;
pub(crate) const INCOMES: usize = 20;

/// What a household counts for each control.
pub type Counts = [u8; CONTROLS.len()];

/// Households of the seed by type. Types are in order of size, cars, ages: runs of them are what rounding keeps.
#[derive(Clone, Debug, Default)]
pub struct Types {
    /// What the types count.
    pub incidence: Incidence,
    /// Weight of each type.
    pub weight: Vec<f64>,
    /// Households of the seed of each type.
    households: Vec<Vec<u32>>,
    /// Their cumulative weights.
    cumulative: Vec<Vec<f64>>,
    /// Income of the sample up to which a household is in class 1, 2, 3, 4; empty where it has none.
    pub income_bounds: Vec<f64>,
    /// Controls that the seed can tell about.
    known: [bool; CONTROLS.len()],
}

impl Types {
    /// The types of a seed.
    #[must_use]
    pub fn new(seed: &Seed, controls: &Controls) -> Self {
        let mut known = [true; CONTROLS.len()];
        let has_cars = seed.knows_cars() && controls.cars.iter().any(|of| *of != CarControl::Unknown);
        let has_jobs = seed.knows_employed() && controls.employed_is_known.contains(&true);
        let has_income = seed.knows_income() && controls.incomes.iter().any(Option::is_some);
        known[CARS..EMPLOYED].fill(has_cars);
        known[EMPLOYED] = has_jobs;
        known[INCOMES..].fill(has_income);
        let income_bounds = income_bounds(seed);
        let mut by_counts: BTreeMap<(u8, u8, Counts), Vec<u32>> = BTreeMap::new();
        for (row, of) in seed.households.iter().enumerate().filter(|(_, of)| of.weight > 0.0) {
            let mut counts: Counts = [0; CONTROLS.len()];
            let members = &seed.persons[seed.members(row)];
            counts[0] = 1;
            counts[RESIDENTS] = members.len() as u8;
            members.iter().for_each(|person| counts[AGES + usize::from(person.age_class)] += 1);
            counts[SIZES + members.len().clamp(1, 6) - 1] = 1;
            let cars = of.cars.filter(|_| has_cars).unwrap_or_default();
            if has_cars {
                counts[CARS] = cars;
                counts[CARS_OF + usize::from(cars.min(3))] = 1;
            }
            if has_jobs {
                counts[EMPLOYED] = members
                    .iter()
                    .filter(|person| person.employed == Some(true) && (1..=3).contains(&person.age_class))
                    .count() as u8;
            }
            if let Some(income) = of.income.filter(|_| has_income) {
                counts[INCOMES + usize::from(income_class(&income_bounds, income)) - 1] = 1;
            }
            by_counts.entry((members.len() as u8, cars, counts)).or_default().push(row as u32);
        }
        let counts: Vec<Counts> = by_counts.keys().map(|(_, _, counts)| *counts).collect();
        let households: Vec<Vec<u32>> = by_counts.into_values().collect();
        let cumulative: Vec<Vec<f64>> = households
            .iter()
            .map(|rows| cumulative(rows.iter().map(|&row| seed.households[row as usize].weight)))
            .collect();
        Self {
            incidence: Incidence::new(counts.len(), CONTROLS.len(), |of, control| counts[of][control]),
            weight: cumulative.iter().map(|sums| sums.last().copied().unwrap_or_default()).collect(),
            households,
            cumulative,
            income_bounds,
            known,
        }
    }

    /// Number of types.
    #[must_use]
    pub fn len(&self) -> usize {
        self.weight.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weight.is_empty()
    }

    /// The controls of a zone; not a number where there is none.
    #[must_use]
    pub fn targets(&self, controls: &Controls, zone: usize) -> [f64; CONTROLS.len()] {
        let mut targets = targets(controls, zone);
        targets.iter_mut().zip(self.known).filter(|(_, known)| !known).for_each(|(target, _)| *target = f64::NAN);
        targets
    }

    /// `count` households of a type, as rows of the seed, by weight: systematic from a random start.
    pub(crate) fn pick(&self, of: usize, count: u32, rng: &mut Rng, picked: &mut Vec<u32>) {
        let (rows, sums) = (&self.households[of], &self.cumulative[of]);
        let Some(&total) = sums.last() else { return };
        if let [row] = rows.as_slice() {
            picked.extend(std::iter::repeat_n(*row, count as usize));
            return;
        }
        let start = rng.uniform();
        for number in 0..count {
            let at = (f64::from(number) + start) / f64::from(count) * total;
            picked.push(rows[sums.partition_point(|&sum| sum <= at).min(rows.len() - 1)]);
        }
    }
}

/// The controls of a zone, whether or not the seed can tell about them; not a number where there is none.
#[must_use]
pub fn targets(controls: &Controls, zone: usize) -> [f64; CONTROLS.len()] {
    let mut targets = [f64::NAN; CONTROLS.len()];
    targets[0] = f64::from(controls.households[zone]);
    targets[RESIDENTS] = f64::from(controls.persons[zone]);
    for (class, &count) in controls.by_age[zone].iter().enumerate() {
        targets[AGES + class] = f64::from(count);
    }
    if let Some(sizes) = &controls.sizes[zone] {
        targets[SIZES..SIZES + 6].copy_from_slice(sizes);
    }
    match controls.cars[zone] {
        CarControl::Unknown => {}
        CarControl::Cars(cars) => targets[CARS] = cars,
        CarControl::Households(households) => targets[CARS_OF..CARS_OF + 4].copy_from_slice(&households),
    }
    targets[EMPLOYED] = f64::from(controls.employed[zone]);
    if let Some(shares) = &controls.incomes[zone] {
        for (class, share) in shares.iter().enumerate() {
            targets[INCOMES + class] = share * f64::from(controls.households[zone]);
        }
    }
    targets
}

/// Importance of each control.
#[must_use]
pub fn importance(of: &Importance) -> [f64; CONTROLS.len()] {
    let mut all = [of.income; CONTROLS.len()];
    all[0] = of.households;
    all[RESIDENTS] = of.residents;
    all[AGES..SIZES].fill(of.ages);
    all[SIZES..CARS].fill(of.sizes);
    all[CARS..EMPLOYED].fill(of.cars);
    all[EMPLOYED] = of.employed;
    all.map(|importance| importance.max(1e-3))
}

/// Incomes that divide the households of a sample into fifths.
fn income_bounds(seed: &Seed) -> Vec<f64> {
    let mut incomes: Vec<(f64, f64)> = seed.households.iter().filter_map(|of| Some((of.income?, of.weight))).collect();
    incomes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let sums = cumulative(incomes.iter().map(|(_, weight)| *weight));
    let Some(&total) = sums.last() else { return Vec::new() };
    (1..5)
        .map(|class| {
            let at = sums.partition_point(|&sum| sum < total * f64::from(class) / 5.0);
            incomes[at.min(incomes.len() - 1)].0
        })
        .collect()
}

/// The income class, 1 to 5, of an income of the sample.
#[must_use]
pub fn income_class(bounds: &[f64], income: f64) -> u8 {
    bounds.partition_point(|&bound| bound < income) as u8 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthesis::defaults::Country;

    #[test]
    fn the_default_households_are_types_of_their_own() {
        let seed = Seed::default_of(&Country::named("generic").unwrap());
        let types = Types::new(&seed, &Controls::default());
        assert!(types.len() > 50 && types.len() <= seed.households.len());
        assert!((types.weight.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let sums = types.incidence.sums(&types.weight);
        assert!((sums[RESIDENTS] - sums[AGES..SIZES].iter().sum::<f64>()).abs() < 1e-9);
        assert!((sums[SIZES] - 0.336).abs() < 1e-6);
        let mut picked = Vec::new();
        types.pick(0, 3, &mut Rng::new(1, 2, 3, 4), &mut picked);
        assert_eq!(picked.len(), 3);
        assert_eq!([1.0, 2.0, 2.5, 9.0].map(|income| income_class(&[1.0, 2.0, 3.0, 4.0], income)), [1, 2, 3, 5]);
    }
}
