//! The households table.

use crate::persons::{Place, retain};
use bevy_ecs::resource::Resource;
use urbis_core::{PersonIx, ZoneIx};

/// Households of the residents, in order of zone; the persons of a household stand together in
/// [`crate::Persons`]. A row is the number in [`crate::Persons::household`].
#[derive(Clone, Debug, Default, PartialEq, Resource)]
pub struct Households {
    /// Where they live.
    pub home: Vec<Place>,
    /// Their zone.
    pub zone: Vec<ZoneIx>,
    /// First of its persons.
    pub first_person: Vec<PersonIx>,
    /// Persons, >= 1.
    pub size: Vec<u32>,
    /// Cars.
    pub cars: Vec<u8>,
    /// Motor two-wheelers.
    pub two_wheelers: Vec<u8>,
    /// Income class: 1, the lowest, to 5; fifths of the households unless the panel has `income_class_share_*`.
    pub income_class: Vec<u8>,
    /// Gross income, [`Self::currency`] a year; may be negative in samples.
    pub income_per_year: Vec<f64>,
    /// Currency of the incomes, ISO 4217; empty where a sample does not say.
    pub currency: String,
}

impl Households {
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.home.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.home.is_empty()
    }
    /// The rows of [`crate::Persons`] that live in a household.
    #[must_use]
    pub fn members(&self, household: usize) -> std::ops::Range<usize> {
        let first = self.first_person[household].row();
        first..first + self.size[household] as usize
    }
    /// Keeps those rows alone that stay; first persons have to be set anew.
    pub(crate) fn retain(&mut self, stays: &[bool]) {
        retain(&mut self.home, stays);
        retain(&mut self.zone, stays);
        retain(&mut self.first_person, stays);
        retain(&mut self.size, stays);
        retain(&mut self.cars, stays);
        retain(&mut self.two_wheelers, stays);
        retain(&mut self.income_class, stays);
        retain(&mut self.income_per_year, stays);
    }
    /// Appends the households of the next zone, whose persons follow `persons` others.
    pub(crate) fn append(&mut self, part: Self, persons: u32) {
        self.home.extend(part.home);
        self.zone.extend(part.zone);
        self.first_person.extend(part.first_person.into_iter().map(|PersonIx(first)| PersonIx(first + persons)));
        self.size.extend(part.size);
        self.cars.extend(part.cars);
        self.two_wheelers.extend(part.two_wheelers);
        self.income_class.extend(part.income_class);
        self.income_per_year.extend(part.income_per_year);
    }
}
