//! The households of a zone and their members: weights, whole numbers, and the last persons fitted so that residents and
//! age classes are exact.
//!
//! Fitting: missing persons join households (children where there is an adult), surplus ones leave (never the last adult
//! while another can go), and what is left moves from an age class with too many to one with too few. As rounding and
//! exchange come close, this touches few; how many is reported.
//!
//! Contract: one zone is sequential; draws are keyed by zone.

use super::balance::balance;
use super::integerise::{exchange, systematic};
use super::purpose;
use super::sample::Seed;
use super::settings::SynthesisSettings;
use super::types::{AGES, CONTROLS, RESIDENTS, SIZES, Types, importance};
use urbis_core::rng::Rng;

/// Largest household that a missing person may join, unless there is no other.
const SIZE_MAX: u32 = 7;
/// Work an exchange may cost: types looked at.
const EXCHANGE_WORK: usize = 4_000_000;
/// Share by which the weights may miss a control without that its controls disagree.
const DISAGREEMENT: f64 = 0.01;
/// Row of the seed of a member who was fitted by hand.
pub(crate) const NO_SEED: u32 = u32::MAX;

/// A member of a household of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Household within the zone.
    pub(crate) household: u32,
    /// Age class.
    pub(crate) age_class: u8,
    /// Row of the seed's persons, or [`NO_SEED`].
    pub(crate) seed: u32,
}

/// The households of a zone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Made {
    /// Rows of the seed's households.
    pub(crate) households: Vec<u32>,
    /// Members, by household, adults first.
    pub(crate) members: Vec<Member>,
    /// Iterations of the balancing.
    pub(crate) iterations: u32,
    /// Whether it converged.
    pub(crate) converged: bool,
    /// Whether its controls disagree: one of them is missed by the weights by more than a hundredth, or by one.
    pub(crate) disagrees: bool,
    /// Controls that no household of the seed counts for.
    pub(crate) unsupported: Vec<usize>,
    /// Households exchanged after rounding.
    pub(crate) exchanged: u32,
    /// Persons fitted by hand.
    pub(crate) fitted: u32,
}

/// Makes the households of a zone.
pub(crate) fn make(
    types: &Types,
    seed: &Seed,
    targets: &[f64; CONTROLS.len()],
    by_age: &[u32; 6],
    settings: &SynthesisSettings,
    seed_number: u64,
    zone: u32,
) -> Made {
    let households = targets[0] as u32;
    let importance = importance(&settings.importance);
    let scale = targets[0] / types.weight.iter().sum::<f64>().max(1e-300);
    let prior: Vec<f64> = types.weight.iter().map(|weight| weight * scale).collect();
    let balanced =
        balance(&prior, &types.incidence, targets, &importance, settings.tolerance, settings.max_iterations.max(1));
    let sum: f64 = balanced.weights.iter().sum();
    let weights: Vec<f64> = if sum > 0.0 && sum.is_finite() {
        balanced.weights.iter().map(|weight| weight * targets[0] / sum).collect()
    } else {
        prior
    };
    let sums = types.incidence.sums(&weights);
    let is_missed = |(sum, target): (&f64, &f64)| (sum - target).abs() > (DISAGREEMENT * target).max(1.0);
    let disagrees = sums.iter().zip(targets).any(is_missed);
    let mut rng = Rng::new(seed_number, zone, 0, purpose::ROUNDING);
    let mut counts = systematic(&weights, households, rng.uniform());
    // Residents and ages are aimed at themselves, since they will be exact; the others at what the weights give.
    let mut aims = sums;
    for (control, (aim, target)) in aims.iter_mut().zip(targets).enumerate() {
        if target.is_nan() {
            *aim = f64::NAN;
        } else if (RESIDENTS..SIZES).contains(&control) {
            *aim = *target;
        }
    }
    let weight = importance.map(|importance| importance.powf(0.25));
    let allowed: Vec<bool> = weights.iter().map(|&weight| weight > 1e-9).collect();
    let swaps = (EXCHANGE_WORK / (4 * types.len().max(1))).clamp(20, 2000) as u32;
    let exchanged = exchange(&mut counts, &types.incidence, &aims, &weight, &allowed, swaps);

    let mut rng = Rng::new(seed_number, zone, 0, purpose::MEMBERS);
    let mut picked = Vec::with_capacity(households as usize);
    for (of, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        types.pick(of, count, &mut rng, &mut picked);
    }
    for last in (1..picked.len()).rev() {
        picked.swap(last, rng.below(last as u32 + 1) as usize);
    }
    let mut members: Vec<Member> = Vec::with_capacity(by_age.iter().sum::<u32>() as usize);
    for (household, &row) in picked.iter().enumerate() {
        members.extend(seed.members(row as usize).map(|person| Member {
            household: household as u32,
            age_class: seed.persons[person].age_class,
            seed: person as u32,
        }));
    }
    let fitted = fit(&mut members, picked.len(), by_age, &mut rng);
    let (iterations, converged) = (balanced.iterations, balanced.converged);
    let unsupported = balanced.unsupported;
    Made { households: picked, members, iterations, converged, disagrees, unsupported, exchanged, fitted }
}

/// Adds, removes and moves members until the age classes are as asked for; says how many it touched.
fn fit(members: &mut Vec<Member>, households: usize, by_age: &[u32; 6], rng: &mut Rng) -> u32 {
    let mut size = vec![0_u32; households];
    let mut adults = vec![0_u32; households];
    let mut lack = by_age.map(i64::from);
    for member in members.iter() {
        size[member.household as usize] += 1;
        adults[member.household as usize] += u32::from(member.age_class > 0);
        lack[usize::from(member.age_class)] -= 1;
    }
    if households == 0 {
        return 0;
    }
    let mut fitted = 0;
    let mut missing: i64 = lack.iter().sum();
    while missing > 0 {
        let class = most(&lack, 1);
        let start = rng.below(households as u32) as usize;
        let joins = |is_good: &dyn Fn(usize) -> bool| {
            (0..households).map(|step| (start + step) % households).find(|&household| is_good(household))
        };
        let household = joins(&|h| size[h] > 1 && size[h] < SIZE_MAX && (class > 0 || adults[h] > 0))
            .or_else(|| joins(&|h| size[h] < SIZE_MAX && (class > 0 || adults[h] > 0)))
            .unwrap_or_else(|| (0..households).min_by_key(|&h| size[h]).unwrap_or(0));
        members.push(Member { household: household as u32, age_class: class as u8, seed: NO_SEED });
        size[household] += 1;
        adults[household] += u32::from(class > 0);
        lack[class] -= 1;
        missing -= 1;
        fitted += 1;
    }
    while missing < 0 {
        let start = rng.below(members.len() as u32) as usize;
        let can_go = |m: &Member| {
            let household = m.household as usize;
            size[household] > 1 && (m.age_class == 0 || adults[household] > 1)
        };
        let class = most(&lack, -1) as u8;
        let row = find(members, start, |m| m.age_class == class && can_go(m))
            .or_else(|| find(members, start, |m| lack[usize::from(m.age_class)] < 0 && can_go(m)))
            .or_else(|| find(members, start, can_go))
            .or_else(|| find(members, start, |m| size[m.household as usize] > 1));
        let Some(row) = row else { break };
        let gone = members.swap_remove(row);
        size[gone.household as usize] -= 1;
        adults[gone.household as usize] -= u32::from(gone.age_class > 0);
        lack[usize::from(gone.age_class)] += 1;
        missing += 1;
        fitted += 1;
    }
    while let (Some(to), Some(from)) = (lack.iter().position(|&n| n > 0), lack.iter().position(|&n| n < 0)) {
        let start = rng.below(members.len() as u32) as usize;
        let spares_an_adult = |m: &Member| to > 0 || m.age_class == 0 || adults[m.household as usize] > 1;
        let row = find(members, start, |m| usize::from(m.age_class) == from && spares_an_adult(m))
            .or_else(|| find(members, start, |m| lack[usize::from(m.age_class)] < 0 && spares_an_adult(m)))
            .or_else(|| find(members, start, |m| usize::from(m.age_class) == from));
        let Some(row) = row else { break };
        let member = &mut members[row];
        lack[usize::from(member.age_class)] += 1;
        lack[to] -= 1;
        let household = member.household as usize;
        adults[household] = adults[household] + u32::from(to > 0) - u32::from(member.age_class > 0);
        (member.age_class, member.seed) = (to as u8, NO_SEED);
        fitted += 1;
    }
    members.sort_by_key(|member| (member.household, member.age_class == 0));
    fitted
}

/// The class that lacks most (`sign` 1) or has most too many (`sign` -1); the youngest of equals.
fn most(lack: &[i64; 6], sign: i64) -> usize {
    (0..6).rev().max_by_key(|&class| sign * lack[class]).unwrap_or(2)
}

/// The first member from `start` on, and round, that is as asked for.
fn find(members: &[Member], start: usize, is_it: impl Fn(&Member) -> bool) -> Option<usize> {
    (start..members.len()).chain(0..start).find(|&row| is_it(&members[row]))
}

const _: () = assert!(AGES + 6 == SIZES);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthesis::controls::Controls;
    use crate::synthesis::defaults::Country;

    fn made(households: u32, by_age: [u32; 6], number: u64) -> Made {
        let seed = Seed::default_of(&Country::named("generic").unwrap());
        let types = Types::new(&seed, &Controls::default());
        let mut targets = [f64::NAN; CONTROLS.len()];
        targets[0] = f64::from(households);
        targets[RESIDENTS] = f64::from(by_age.iter().sum::<u32>());
        (0..6).for_each(|class| targets[AGES + class] = f64::from(by_age[class]));
        make(&types, &seed, &targets, &by_age, &SynthesisSettings::default(), number, 3)
    }

    fn ages(made: &Made) -> [u32; 6] {
        let mut by_age = [0; 6];
        made.members.iter().for_each(|member| by_age[usize::from(member.age_class)] += 1);
        by_age
    }

    #[test]
    fn every_household_has_an_adult_and_nobody_is_lost() {
        for (households, by_age) in [
            (25, [20, 30, 10, 5, 3, 2]),
            (400, [220, 240, 210, 180, 110, 40]),
            (1, [0, 0, 3, 0, 0, 0]),
            (2, [17, 2, 0, 0, 0, 0]),
            (10, [0, 0, 0, 0, 0, 12]),
            (40, [0, 10, 10, 10, 5, 5]),
        ] {
            let made = made(households, by_age, 1);
            assert_eq!((made.households.len() as u32, ages(&made)), (households, by_age));
            let mut adults = vec![0; households as usize];
            made.members.iter().for_each(|m| adults[m.household as usize] += u32::from(m.age_class > 0));
            assert!(adults.iter().all(|&adults| adults > 0), "{households} {by_age:?}: {adults:?}");
            assert!(made.members.is_sorted_by_key(|m| (m.household, m.age_class == 0)));
        }
    }

    #[test]
    fn few_are_fitted_by_hand_and_seeds_differ() {
        let by_age = [220, 240, 210, 180, 110, 40];
        let one = made(400, by_age, 1);
        assert!(one.converged && one.fitted <= 5, "{} fitted, {} exchanged", one.fitted, one.exchanged);
        assert_eq!(one.members, made(400, by_age, 1).members);
        assert_ne!(one.members, made(400, by_age, 2).members);
    }
}
