//! What one run says: figures by indicator, part and place; for indicators it cannot tell, why not.

use std::collections::BTreeMap;
use std::fmt::Display;

/// Where and for whom a figure holds; all none is the whole city and period.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Zone.
    pub zone: Option<String>,
    /// Local hour of the day.
    pub hour: Option<u8>,
    /// Group of people, such as `age:0-17` or `income:1`.
    pub group: Option<String>,
}

impl Place {
    /// A zone.
    pub(crate) fn zone(id: &str) -> Self {
        Self { zone: Some(id.to_owned()), ..Self::default() }
    }
    /// An hour of the day.
    pub(crate) fn hour(hour: u8) -> Self {
        Self { hour: Some(hour), ..Self::default() }
    }
    /// A group of people.
    pub(crate) fn group(name: &str) -> Self {
        Self { group: Some(name.to_owned()), ..Self::default() }
    }
    /// Whether it is the whole city and period.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }
}

/// What a figure is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Number of the indicator.
    pub number: u8,
    /// Where and for whom.
    pub place: Place,
    /// Part of the indicator, such as a means of transport; empty for the whole.
    pub part: String,
    /// Unit.
    pub unit: String,
}

/// A published figure for the same thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// In the unit of the figure.
    pub value: f64,
    /// Who published it.
    pub source: String,
}

/// The sheet of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) values: BTreeMap<Key, f64>,
    pub(crate) published: BTreeMap<(u8, String), Published>,
    pub(crate) absent: BTreeMap<u8, String>,
    pub(crate) notes: BTreeMap<u8, String>,
    /// Vehicle hours over those at free speed in the peaks of each day of the run.
    pub(crate) peak_indices: Vec<f64>,
    /// Largest load of the run, W, and what told it.
    pub(crate) peak_w: Option<f64>,
    /// Energy of a mean day by kind, J.
    pub(crate) energy_j: BTreeMap<&'static str, f64>,
}

impl Sheet {
    /// A figure of a place; one that is no number is left out.
    pub(crate) fn put_at(&mut self, number: u8, part: &str, unit: &str, place: Place, value: f64) {
        if value.is_finite() {
            self.values.insert(Key { number, place, part: part.to_owned(), unit: unit.to_owned() }, value);
        }
    }
    /// A figure of the whole city and period.
    pub(crate) fn put(&mut self, number: u8, part: &str, unit: &str, value: f64) {
        self.put_at(number, part, unit, Place::default(), value);
    }
    /// Why there is no figure; the first reason counts.
    pub(crate) fn absent(&mut self, number: u8, reason: impl Display) {
        self.absent.entry(number).or_insert_with(|| reason.to_string());
    }
    /// The same reason for several.
    pub(crate) fn all_absent(&mut self, numbers: &[u8], reason: &str) {
        for &number in numbers {
            self.absent(number, reason);
        }
    }
    /// How a figure is to be read.
    pub(crate) fn note(&mut self, number: u8, text: &str) {
        let note = self.notes.entry(number).or_default();
        if !note.contains(text) {
            *note = [note.as_str(), text].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
        }
    }
    pub(crate) fn published(&mut self, number: u8, part: &str, value: f64, source: &str) {
        if value.is_finite() {
            self.published.insert((number, part.to_owned()), Published { value, source: source.to_owned() });
        }
    }
    /// Whether there is any figure of an indicator.
    pub(crate) fn has(&self, number: u8) -> bool {
        self.values.keys().any(|key| key.number == number)
    }
}

/// Sums of numerators and denominators by place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(BTreeMap<Place, (f64, f64)>);

impl Tally {
    /// Adds to a place.
    pub(crate) fn add(&mut self, place: Place, above: f64, below: f64) {
        let sum = self.0.entry(place).or_default();
        sum.0 += above;
        sum.1 += below;
    }
    /// Puts all quotients, times a factor, into a sheet; those without a denominator are left out.
    pub(crate) fn put(&self, sheet: &mut Sheet, number: u8, part: &str, unit: &str, factor: f64) {
        for (place, (above, below)) in &self.0 {
            if *below > 0.0 {
                sheet.put_at(number, part, unit, place.clone(), factor * above / below);
            }
        }
    }
    /// Quotient of the whole city, if it has a denominator.
    pub(crate) fn whole(&self) -> Option<f64> {
        self.0.get(&Place::default()).filter(|sum| sum.1 > 0.0).map(|sum| sum.0 / sum.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_by_place_and_first_reasons() {
        let (mut sheet, mut tally) = (Sheet::default(), Tally::default());
        tally.add(Place::default(), 1.0, 4.0);
        tally.add(Place::default(), 1.0, 4.0);
        tally.add(Place::zone("a"), 1.0, 0.0);
        tally.put(&mut sheet, 9, "walk", "%", 100.0);
        assert_eq!(sheet.values.len(), 1, "a place without a denominator has no figure");
        assert_eq!(sheet.values.values().copied().collect::<Vec<_>>(), [25.0]);
        assert_eq!(tally.whole(), Some(0.25));
        sheet.put(1, "", "ratio", f64::NAN);
        assert!(!sheet.has(1) && sheet.has(9));
        sheet.absent(1, "first");
        sheet.all_absent(&[1, 2], "second");
        assert_eq!((sheet.absent[&1].as_str(), sheet.absent[&2].as_str()), ("first", "second"));
        sheet.note(1, "one");
        sheet.note(1, "two");
        sheet.note(1, "one");
        assert_eq!(sheet.notes[&1], "one; two");
    }
}
