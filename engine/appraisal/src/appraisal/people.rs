//! Who people are: zone, income class and income, where a run tells.

use crate::appraisal::trips::{Trip, Words};
use crate::read::RunResults;
use std::collections::BTreeMap;
use urbis_core::Result;
use urbis_output::Table;

/// A person as far as benefits are shared out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Person {
    pub(crate) kind: String,
    /// Zone of the home; of the first trip's start where the run has no table of persons.
    pub(crate) home_zone: String,
    /// 1 to 5; none for people from outside, or where the run has no table of households.
    pub(crate) income_class: Option<u64>,
    /// Income of the household for each of its members, a year.
    pub(crate) income: Option<f64>,
}

/// Everybody a run tells of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct People {
    /// By number.
    pub(crate) persons: BTreeMap<i64, Person>,
    /// Currency of incomes that are left out because it is not that of the values.
    pub(crate) other_currency: Option<String>,
}

/// The table of persons, else those who travel.
pub(crate) fn people(run: &RunResults, trips: &[Trip], words: &Words, currency: &str) -> Result<People> {
    let mut people = BTreeMap::new();
    let mut other_currency = None;
    if run.has(Table::Persons) {
        run.for_each_batch(Table::Persons, &["person_id", "person_kind", "home_zone"], |batch| {
            for row in 0..batch.rows() {
                let text = |name| batch.text(name).value(row).to_owned();
                let person = Person { kind: text("person_kind"), home_zone: text("home_zone"), ..Person::default() };
                people.insert(batch.number("person_id", row), person);
            }
            Ok(())
        })?;
    } else {
        for trip in trips {
            people.entry(trip.person).or_insert_with(|| Person {
                kind: words.word(trip.kind).to_owned(),
                home_zone: words.word(trip.from).to_owned(),
                ..Person::default()
            });
        }
    }
    if run.has(Table::Persons) && run.has(Table::Households) {
        let columns = ["first_person_id", "size", "income_class", "income_per_year", "currency"];
        run.for_each_batch(Table::Households, &columns, |batch| {
            for row in 0..batch.rows() {
                let size = batch.count("size").value(row);
                let first = batch.number("first_person_id", row);
                let theirs = batch.text("currency").value(row);
                let is_known = theirs.is_empty() || theirs == currency;
                if !is_known {
                    other_currency = Some(theirs.to_owned());
                }
                for id in first..first + size as i64 {
                    if let Some(person) = people.get_mut(&id) {
                        person.income_class = Some(batch.count("income_class").value(row));
                        person.income = is_known.then(|| batch.real("income_per_year").value(row) / size as f64);
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(People { persons: people, other_currency })
}
