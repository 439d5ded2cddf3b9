//! Who gains and who loses: benefits by kind of person, income class and zone, and how even incomes are before and after.

use crate::appraisal::benefits::Saved;
use crate::appraisal::equity::{gini, palma};
use crate::appraisal::people::Person;
use crate::appraisal::values::{Name, Values};
use std::collections::BTreeMap;

/// Who gains or loses less on a day counts as neither: half a minute at common values of time, as much as traffic differs
/// from day to day.
pub const NOTICED_PER_DAY: f64 = 0.10;

/// What a group gains in one seed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Share {
    pub(crate) persons: f64,
    /// Money of a day, all together.
    pub(crate) benefit: f64,
    pub(crate) winners: f64,
    pub(crate) losers: f64,
}

/// Shares by group: (`all`, ``), (`kind`, `resident`), (`income`, `1`), (`zone`, id).
pub(crate) fn shares(
    people: &BTreeMap<i64, Person>,
    gains: &BTreeMap<i64, Saved>,
    values: &Values,
    days: f64,
) -> BTreeMap<(&'static str, String), Share> {
    let mut shares: BTreeMap<(&'static str, String), Share> = BTreeMap::new();
    for (id, person) in people {
        let benefit = gains.get(id).map_or(0.0, |saved| saved.worth(values)) / days;
        let income = person.income_class.map(|class| ("income", class.to_string()));
        let groups = [
            Some(("all", String::new())),
            Some(("kind", person.kind.clone())),
            Some(("zone", person.home_zone.clone())),
            income,
        ];
        for group in groups.into_iter().flatten() {
            let share = shares.entry(group).or_default();
            share.persons += 1.0;
            share.benefit += benefit;
            share.winners += f64::from(u8::from(benefit > NOTICED_PER_DAY));
            share.losers += f64::from(u8::from(benefit < -NOTICED_PER_DAY));
        }
    }
    shares
}

/// Gini and Palma of incomes for each member of a household, before and after the benefits of a year: `[before, after]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Evenness {
    pub(crate) gini: [f64; 2],
    pub(crate) palma: [f64; 2],
}

/// None where incomes are not known, or no measure of them is defined.
pub(crate) fn evenness(
    people: &BTreeMap<i64, Person>,
    gains: &BTreeMap<i64, Saved>,
    values: &Values,
    days: f64,
) -> Option<Evenness> {
    let a_year = values.get(Name::DaysPerYear) / days;
    let incomes = |after: bool| -> Vec<(f64, f64)> {
        let income = |(id, person): (&i64, &Person)| {
            let benefit = gains.get(id).map_or(0.0, |saved| saved.worth(values)) * a_year;
            Some((person.income? + if after { benefit } else { 0.0 }, 1.0))
        };
        people.iter().filter_map(income).collect()
    };
    let (before, after) = (incomes(false), incomes(true));
    Some(Evenness { gini: [gini(&before)?, gini(&after)?], palma: [palma(&before)?, palma(&after)?] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn winners_losers_and_evenness_by_hand() {
        let person = |income: f64, zone: &str, class: u64| Person {
            kind: "resident".to_owned(),
            home_zone: zone.to_owned(),
            income_class: Some(class),
            income: Some(income),
        };
        let people: BTreeMap<i64, Person> = [
            (1, person(1000.0, "a", 1)),
            (2, person(2000.0, "a", 1)),
            (3, person(3000.0, "b", 5)),
            (4, person(4000.0, "b", 5)),
        ]
        .into();
        let money = |money: f64| Saved { money, ..Saved::default() };
        // Two days: 4 a day for the first, -2 a day for the last; the third feels nothing.
        let gains = [(1, money(8.0)), (3, money(0.1)), (4, money(-4.0))].into();
        let values = Values::shipped().unwrap().with(Name::DaysPerYear, 250.0);
        let shares = shares(&people, &gains, &values, 2.0);
        let all = shares[&("all", String::new())];
        assert_eq!((all.persons, all.winners, all.losers), (4.0, 1.0, 1.0));
        assert!((all.benefit - 2.05).abs() < 1e-12);
        assert!((shares[&("income", "1".to_owned())].benefit - 4.0).abs() < 1e-12);
        assert!((shares[&("zone", "b".to_owned())].benefit + 1.95).abs() < 1e-12);
        // 1000, 2000, 3000, 4000: Gini 0.25. After: 2000, 2000, 3012.5, 3500; pairs differ by 1012.5 x 2 + 1500 x 2 + 487.5
        // = 5512.5; over n times the sum of 10,512.5.
        let found = evenness(&people, &gains, &values, 2.0).unwrap();
        assert!((found.gini[0] - 0.25).abs() < 1e-12);
        assert!((found.gini[1] - 5512.5 / (4.0 * 10_512.5)).abs() < 1e-12, "{found:?}");
        assert!(found.palma[1] < found.palma[0]);
    }
}
