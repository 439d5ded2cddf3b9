//! Scenarios set against their base, seed by seed: the effect on every figure, and the indicators that only pairs have.

use super::sheet::{Key, Place, Sheet};
use super::{Checkup, Patient, Row, Runs, row_of};
use crate::appraisal::values::{Name, Values};
use crate::appraisal::{Appraisal, PolicyAppraisal};
use crate::pairs::PairedRuns;
use crate::statistics::{Interval, Precision, State, Statistics};
use std::collections::{BTreeMap, BTreeSet};
use urbis_core::Result;
use urbis_output::Table;

/// Indicators that only pairs have.
const PAIRED: [u8; 6] = [30, 43, 59, 71, 72, 73];
/// Of these, those of the appraisal.
const APPRAISED: [u8; 3] = [30, 71, 72];

/// Puts effects into the check-ups of all scenarios but the base; `numbers` are those asked for, empty for all.
pub(super) fn compare(checkup: &mut Checkup, all: &[Runs], numbers: &BTreeSet<u8>) -> Result<()> {
    let Some(base) = checkup.base.clone() else {
        for patient in &mut checkup.patients {
            say(patient, &PAIRED, "needs a scenario to be set against: --base NAME");
        }
        return Ok(());
    };
    let others: Vec<String> = all.iter().map(|runs| runs.scenario.clone()).filter(|name| *name != base).collect();
    let pairs = PairedRuns::open(&checkup.results, &base, &others, true)?;
    let Some(first) = all.iter().find(|runs| runs.scenario == base) else { return Ok(()) };
    for (patient, runs) in checkup.patients.iter_mut().zip(all) {
        if runs.scenario == base {
            say(patient, &PAIRED, "this is the base");
            continue;
        }
        effects(patient, first, runs);
        of_peaks(patient, first, runs);
        of_energy(patient, first, runs);
        of_all(patient);
    }
    if numbers.is_empty() || APPRAISED.iter().any(|number| numbers.contains(number)) {
        appraise(checkup, pairs)?;
    }
    Ok(())
}

fn say(patient: &mut Patient, numbers: &[u8], reason: &str) {
    for number in numbers {
        patient.absent.entry(*number).or_insert_with(|| reason.to_owned());
    }
}

/// Sheets of both with the same seed.
fn sheets<'a>(base: &'a Runs, other: &'a Runs) -> impl Iterator<Item = (u64, &'a Sheet, &'a Sheet)> {
    let of: BTreeMap<u64, &Sheet> = base.sheets.iter().map(|(seed, sheet)| (*seed, sheet)).collect();
    other.sheets.iter().filter_map(move |(seed, sheet)| Some((*seed, *of.get(seed)?, sheet)))
}

fn effects(patient: &mut Patient, base: &Runs, other: &Runs) {
    let mut pairs: BTreeMap<&Key, Vec<(f64, f64)>> = BTreeMap::new();
    for (_, before, after) in sheets(base, other) {
        for (key, value) in &after.values {
            if let Some(old) = before.values.get(key) {
                pairs.entry(key).or_default().push((*old, *value));
            }
        }
    }
    for row in &mut patient.rows {
        // Without a bootstrap, which so many places have no time for.
        row.effect = pairs.get(&row.key).map(|pairs| Statistics::of(pairs, Precision::default(), 0, 0));
    }
}

fn of_peaks(patient: &mut Patient, base: &Runs, other: &Runs) {
    let shifted = |(seed, before, after): (u64, &Sheet, &Sheet)| {
        let (old, new) = (before.peak_w.filter(|peak| *peak > 0.0)?, after.peak_w?);
        Some((seed, 100.0 * (old - new) / old))
    };
    let seeds: Vec<_> = sheets(base, other).filter_map(shifted).collect();
    put(patient, 43, "", "%", Place::default(), seeds, "the largest load is not known in both runs of a seed");
}

fn of_energy(patient: &mut Patient, base: &Runs, other: &Runs) {
    let kinds = |before: &Sheet, after: &Sheet| -> Vec<&'static str> {
        before.energy_j.keys().copied().filter(|kind| after.energy_j.contains_key(kind)).collect()
    };
    let mut saved: BTreeMap<&str, Vec<(u64, f64)>> = BTreeMap::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for (seed, before, after) in sheets(base, other) {
        let both = kinds(before, after);
        let sum = |sheet: &Sheet| both.iter().map(|kind| sheet.energy_j[kind]).sum::<f64>();
        let of = |old: f64, new: f64| (old > 0.0).then(|| (seed, 100.0 * (old - new) / old));
        saved.entry("").or_default().extend(of(sum(before), sum(after)));
        for kind in both {
            saved.entry(kind).or_default().extend(of(before.energy_j[kind], after.energy_j[kind]));
            told.insert(kind);
        }
    }
    for (kind, seeds) in saved {
        let part = kind.replace(' ', "_");
        put(patient, 59, &part, "%", Place::default(), seeds, "energy is not known in both runs of a seed");
    }
    let told: Vec<&str> = told.into_iter().collect();
    patient.notes.insert(59, format!("of {}", told.join(", ")));
    say(patient, &[59], "energy is not known in both runs of a seed");
}

fn put(patient: &mut Patient, number: u8, part: &str, unit: &str, place: Place, seeds: Vec<(u64, f64)>, reason: &str) {
    if seeds.is_empty() {
        return say(patient, &[number], reason);
    }
    patient.rows.push(row_of(Key { number, place, part: part.to_owned(), unit: unit.to_owned() }, seeds));
}

/// Indicator 73 belongs to every other figure; on its own it tells how many of the city's differ.
fn of_all(patient: &mut Patient) {
    let states =
        patient.rows.iter().filter(|row| row.key.place.is_whole()).filter_map(|row| row.effect.map(|e| e.state));
    let states: Vec<State> = states.collect();
    if states.is_empty() || states.contains(&State::TooFewSeeds) {
        return say(patient, &[73], "needs at least two seeds that both scenarios have");
    }
    let differ = states.iter().filter(|state| matches!(state, State::Higher | State::Lower)).count();
    for (part, count) in [("differ", differ), ("compared", states.len())] {
        let key = Key { number: 73, part: part.to_owned(), unit: "figures of the city".to_owned(), ..Key::default() };
        patient.rows.push(known(key, count as f64, None));
    }
}

/// A row of which only the mean is known.
fn known(key: Key, value: f64, interval: Option<Interval>) -> Row {
    Row { seeds: Vec::new(), interval, ..row_of(key, vec![(0, value)]) }
}

fn appraise(checkup: &mut Checkup, pairs: PairedRuns) -> Result<()> {
    for scenario in std::iter::once(&pairs.base).chain(&pairs.scenarios) {
        for &seed in &pairs.seeds {
            if !pairs.run(scenario, seed)?.has(Table::Trips) {
                let why = format!("table `trips` is not among the results of {scenario} seed {seed}");
                checkup.patients.iter_mut().for_each(|patient| say(patient, &APPRAISED, &why));
                return Ok(());
            }
        }
    }
    let appraisal = Appraisal::of(pairs, Values::shipped()?)?;
    let days_per_year = appraisal.values.get(Name::DaysPerYear);
    for policy in &appraisal.policies {
        if let Some(patient) = checkup.patients.iter_mut().find(|patient| patient.scenario == policy.scenario) {
            worth(patient, policy, &appraisal.values, days_per_year);
        }
    }
    checkup.notes.extend(appraisal.notes);
    Ok(())
}

fn worth(patient: &mut Patient, policy: &PolicyAppraisal, values: &Values, days_per_year: f64) {
    let money = |unit: &str| values.unit(unit);
    let row = |number: u8, part: &str, unit: String, group: Option<&str>, value: f64, interval: Option<Interval>| {
        let place = group.map_or_else(Place::default, Place::group);
        known(Key { number, place, part: part.to_owned(), unit }, value, interval)
    };
    for (name, number, part, unit) in [
        ("user_benefit_rule_of_half", 71, "", "money/yr"),
        ("user_benefit", 71, "person_by_person", "money/yr"),
        ("net_present_value", 72, "net_present_value", "money"),
    ] {
        if let Some(measure) = policy.measures.iter().find(|measure| measure.name == name) {
            let of = &measure.statistics;
            patient.rows.push(row(number, part, money(unit), None, of.difference_mean, of.interval));
        }
    }
    if let Some(ratio) = policy.worth.benefit_cost_ratio.filter(|ratio| ratio.is_finite()) {
        patient.rows.push(row(72, "benefit_cost_ratio", "ratio".to_owned(), None, ratio, None));
    } else {
        patient.notes.insert(72, "no ratio: no policy of the scenario says what it costs".to_owned());
    }
    let of_incomes: Vec<_> = policy.groups.iter().filter(|group| group.by == "income").collect();
    if of_incomes.is_empty() {
        return say(patient, &[30], "no income classes: tables `persons` and `households` are not among the results");
    }
    let persons: f64 = of_incomes.iter().map(|group| group.persons).sum();
    let mean = of_incomes.iter().map(|group| group.benefit.difference_mean * group.persons).sum::<f64>() / persons;
    patient.rows.push(row(30, "", money("money/person/yr"), None, mean * days_per_year, None));
    for group in of_incomes {
        let name = format!("income:{}", group.group);
        let benefit = &group.benefit;
        let a_year = |i: Interval| Interval { low: i.low * days_per_year, high: i.high * days_per_year };
        let value = benefit.difference_mean * days_per_year;
        patient.rows.push(row(30, "", money("money/person/yr"), Some(&name), value, benefit.interval.map(a_year)));
        // Share of the benefit over share of the persons.
        if mean > 0.0 {
            let ratio = benefit.difference_mean / mean;
            patient.rows.push(row(30, "share_of_benefit", "ratio".to_owned(), Some(&name), ratio, None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::patient;
    use super::*;

    fn runs(scenario: &str, rows: &[(u64, f64, f64)]) -> Runs {
        let one = |&(seed, peak_w, electricity_j): &(u64, f64, f64)| {
            let mut sheet = Sheet { peak_w: Some(peak_w), ..Sheet::default() };
            sheet.put(36, "", "kW/person", peak_w / 1000.0);
            sheet.energy_j.insert("electricity", electricity_j);
            sheet.energy_j.insert("road fuel", 100.0);
            (seed, sheet)
        };
        Runs { scenario: scenario.to_owned(), title: String::new(), sheets: rows.iter().map(one).collect() }
    }

    #[test]
    fn pairs_by_hand() {
        // Seeds 1 and 2 are in both: peaks fall by 10 and 20 %, electricity of 300 by 60 and 120, fuel stays.
        let base = runs("base", &[(1, 1000.0, 300.0), (2, 1000.0, 300.0), (9, 5.0, 5.0)]);
        let other = runs("other", &[(1, 900.0, 240.0), (2, 800.0, 180.0), (3, 1.0, 1.0)]);
        let mut found = patient(&other);
        effects(&mut found, &base, &other);
        of_peaks(&mut found, &base, &other);
        of_energy(&mut found, &base, &other);
        of_all(&mut found);
        let of = |number: u8, part: &str| {
            let row = found.of(number).find(|row| row.key.part == part);
            row.unwrap_or_else(|| panic!("no {number} {part}")).clone()
        };
        assert!((of(43, "").value - 15.0).abs() < 1e-12);
        assert_eq!(of(43, "").seeds.len(), 2, "a seed that one of them lacks makes no pair");
        assert!((of(59, "").value - (60.0 / 400.0 + 120.0 / 400.0) / 2.0 * 100.0).abs() < 1e-12);
        assert!((of(59, "electricity").value - 30.0).abs() < 1e-12);
        assert!(of(59, "road_fuel").value.abs() < 1e-12);
        let effect = of(36, "").effect.unwrap();
        assert!(effect.n == 2 && (effect.difference_mean + 0.15).abs() < 1e-12);
        assert!((of(73, "compared").value - 1.0).abs() < 1e-12);
        assert!(of(73, "differ").value.abs() < 1e-12, "two pairs that differ so much are not sure");
    }

    #[test]
    fn one_seed_has_no_paired_effects() {
        let (base, other) = (runs("base", &[(1, 2.0, 1.0)]), runs("other", &[(1, 1.0, 1.0)]));
        let mut found = patient(&other);
        effects(&mut found, &base, &other);
        of_all(&mut found);
        assert!(found.absent[&73].contains("two seeds"), "{}", found.absent[&73]);
        assert_eq!(found.of(36).next().unwrap().effect.unwrap().state, State::TooFewSeeds);
    }
}
