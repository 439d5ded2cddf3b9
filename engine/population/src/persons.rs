//! The persons table and the places they can be at.

use crate::park_and_ride::{SiteIx, Sites};
use crate::settings::PersonKind;
use bevy_ecs::resource::Resource;
use serde::{Deserialize, Serialize};
use urbis_city::model::City;
use urbis_core::{BuildingIx, NodeIx, PersonIx, ZoneIx};

/// Where somebody is or goes: a building, the world outside through one external node, or a site of park-and-ride.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(pub u32);

impl Place {
    /// On the way.
    pub const TRAVELLING: Self = Self(u32::MAX);
    /// Nowhere: no workplace, no home in the area.
    pub const NONE: Self = Self(u32::MAX - 1);

    /// Position in the columns of [`Places`].
    #[inline]
    #[must_use]
    pub fn row(self) -> usize {
        self.0 as usize
    }
}

/// Buildings, then external nodes, then sites of park-and-ride, as one list of places. Shape of columns: all of them.
#[derive(Clone, Debug, Default, Resource)]
pub struct Places {
    buildings: usize,
    /// Easting, metres.
    pub x_m: Vec<f64>,
    /// Northing, metres.
    pub y_m: Vec<f64>,
    /// Where cars leave and arrive.
    pub car_node: Vec<NodeIx>,
    /// Zone, or [`ZoneIx::NONE`] outside and at sites.
    pub zone: Vec<ZoneIx>,
    /// Name of each external node, without `external:`.
    pub external_names: Vec<String>,
}

impl Places {
    /// The places of a city.
    #[must_use]
    pub fn new(city: &City) -> Self {
        let mut places = Self {
            buildings: city.buildings.len(),
            x_m: city.buildings.x_m.clone(),
            y_m: city.buildings.y_m.clone(),
            car_node: city.buildings.car_node.clone(),
            zone: city.buildings.zone.clone(),
            external_names: Vec::new(),
        };
        for (row, _) in city.nodes.external.iter().enumerate().filter(|(_, external)| **external) {
            places.x_m.push(city.nodes.x_m[row]);
            places.y_m.push(city.nodes.y_m[row]);
            places.car_node.push(NodeIx(row as u32));
            places.zone.push(ZoneIx::NONE);
            let id = &city.nodes.id[row];
            places.external_names.push(id.strip_prefix("external:").unwrap_or(id).to_owned());
        }
        places
    }
    /// The same with the sites of park-and-ride after all others.
    #[must_use]
    pub fn with_sites(mut self, sites: &Sites) -> Self {
        self.x_m.extend_from_slice(&sites.x_m);
        self.y_m.extend_from_slice(&sites.y_m);
        self.car_node.extend_from_slice(&sites.car_node);
        self.zone.extend(sites.id.iter().map(|_| ZoneIx::NONE));
        self
    }
    /// Buildings, externals and sites together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x_m.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.x_m.is_empty()
    }
    /// The place of a site of park-and-ride.
    #[inline]
    #[must_use]
    pub fn site(&self, site: SiteIx) -> Place {
        Place((self.buildings + self.external_names.len()) as u32 + site.0)
    }
    /// Number of buildings; places from here on are external or sites.
    #[must_use]
    pub fn buildings(&self) -> usize {
        self.buildings
    }
    /// The building at a place, if it is one.
    #[must_use]
    pub fn building(&self, place: Place) -> Option<BuildingIx> {
        (place.row() < self.buildings).then_some(BuildingIx(place.0))
    }
    /// Whether the place stands for the world outside.
    #[must_use]
    pub fn is_external(&self, place: Place) -> bool {
        (self.buildings..self.buildings + self.external_names.len()).contains(&place.row())
    }
    /// The place of an external node by name.
    #[must_use]
    pub fn external(&self, name: &str) -> Option<Place> {
        let position = self.external_names.iter().position(|known| known == name)?;
        Some(Place((self.buildings + position) as u32))
    }
    /// Straight-line distance, metres.
    #[must_use]
    pub fn distance_m(&self, a: Place, b: Place) -> f64 {
        let (dx, dy) = (self.x_m[a.row()] - self.x_m[b.row()], self.y_m[a.row()] - self.y_m[b.row()]);
        (dx * dx + dy * dy).sqrt()
    }
}

/// Keeps those rows of a column that stay.
pub(crate) fn retain<T>(column: &mut Vec<T>, stays: &[bool]) {
    let mut stays = stays.iter();
    column.retain(|_| stays.next().copied().unwrap_or(true));
}

/// Sex, as registers and censuses have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Not known or not told, as of people from outside.
    #[default]
    Unknown,
}

urbis_core::named!(Sex { Female = "female", Male = "male", Unknown = "unknown" });

/// Persons table; key [`PersonIx`]. Residents first, in order of zone, household and member; then the
/// groups from outside in the order of the settings.
#[derive(Clone, Debug, Default, Resource)]
pub struct Persons {
    /// What brings them here.
    pub kind: Vec<PersonKind>,
    /// Where they sleep: a building, or an external place for people from outside.
    pub home: Vec<Place>,
    /// Household number within the city, `u32::MAX` for people from outside.
    pub household: Vec<u32>,
    /// Age class, a row of [`crate::settings::AGE_CLASSES`].
    pub age_class: Vec<u8>,
    /// Has a job.
    pub employed: Vec<bool>,
    /// Goes to school.
    pub pupil: Vec<bool>,
    /// Can take a car: has a licence, and the household has a car.
    pub has_car: Vec<bool>,
    /// Can take a motor two-wheeler.
    pub has_two_wheeler: Vec<bool>,
    /// Where they work or learn, or [`Place::NONE`].
    pub workplace: Vec<Place>,
    /// Age, years.
    pub age_years: Vec<u8>,
    /// Sex.
    pub sex: Vec<Sex>,
    /// Cars of the household; 0 for people from outside, who bring their own.
    pub household_cars: Vec<u8>,
    /// Has a licence to drive a car.
    pub has_licence: Vec<bool>,
    /// Has a public transport pass.
    pub has_transit_pass: Vec<bool>,
    /// Goes to school or studies; pupils are students.
    pub is_student: Vec<bool>,
    /// What draws are keyed by, where it is not the row; see [`Self::key`]. Empty, or a row for everybody.
    pub keys: Vec<u32>,
    /// Key of the first person from outside, where there are `keys`.
    pub first_key_outside: u32,
}

/// Keys from here on are of people who came with a plan of land use.
pub const FIRST_NEW_KEY: u32 = 1 << 31;

impl Persons {
    /// What the draws of a person are keyed by: the row in the city as its package has it, so that a plan of land use, which
    /// adds rows and takes some out, leaves everybody else's draws as they are. Who came with the plan has keys from
    /// [`FIRST_NEW_KEY`] on.
    #[inline]
    #[must_use]
    pub fn key(&self, row: usize) -> u32 {
        self.keys.get(row).copied().unwrap_or(row as u32)
    }
    /// Whether somebody came with a plan of land use.
    #[must_use]
    pub fn is_new(&self, row: usize) -> bool {
        self.key(row) >= FIRST_NEW_KEY
    }
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kind.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kind.is_empty()
    }
    /// First row of each household, then the end of the residents. Members stand together.
    #[must_use]
    pub fn households(&self) -> Vec<u32> {
        let residents = self.residents();
        let mut firsts: Vec<u32> = (0..residents)
            .filter(|&row| row == 0 || self.household[row] != self.household[row - 1])
            .map(|row| row as u32)
            .collect();
        firsts.push(residents as u32);
        firsts
    }
    /// Persons with their index.
    pub fn indices(&self) -> impl Iterator<Item = PersonIx> + use<> {
        (0..self.len() as u32).map(PersonIx)
    }
    /// Cars of a household, by the rows of its members.
    #[must_use]
    pub fn cars_of_household(&self, members: std::ops::Range<usize>) -> usize {
        self.household_cars.get(members.start).map_or(0, |&cars| usize::from(cars))
    }
    /// Keeps the first rows alone.
    pub fn truncate(&mut self, rows: usize) {
        self.kind.truncate(rows);
        self.home.truncate(rows);
        self.household.truncate(rows);
        self.age_class.truncate(rows);
        self.employed.truncate(rows);
        self.pupil.truncate(rows);
        self.has_car.truncate(rows);
        self.has_two_wheeler.truncate(rows);
        self.workplace.truncate(rows);
        self.age_years.truncate(rows);
        self.sex.truncate(rows);
        self.household_cars.truncate(rows);
        self.has_licence.truncate(rows);
        self.has_transit_pass.truncate(rows);
        self.is_student.truncate(rows);
        self.keys.truncate(rows);
    }
    /// Keeps those rows alone that stay.
    pub(crate) fn retain(&mut self, stays: &[bool]) {
        retain(&mut self.kind, stays);
        retain(&mut self.home, stays);
        retain(&mut self.household, stays);
        retain(&mut self.age_class, stays);
        retain(&mut self.employed, stays);
        retain(&mut self.pupil, stays);
        retain(&mut self.has_car, stays);
        retain(&mut self.has_two_wheeler, stays);
        retain(&mut self.workplace, stays);
        retain(&mut self.age_years, stays);
        retain(&mut self.sex, stays);
        retain(&mut self.household_cars, stays);
        retain(&mut self.has_licence, stays);
        retain(&mut self.has_transit_pass, stays);
        retain(&mut self.is_student, stays);
        retain(&mut self.keys, stays);
    }
    /// Residents, who stand first.
    #[must_use]
    pub fn residents(&self) -> usize {
        self.kind.partition_point(|kind| *kind == PersonKind::Resident)
    }
    /// Appends the residents of the next zone, whose households follow `households` others.
    pub(crate) fn append(&mut self, part: Self, households: u32) {
        self.kind.extend(part.kind);
        self.home.extend(part.home);
        self.household.extend(part.household.into_iter().map(|household| household + households));
        self.age_class.extend(part.age_class);
        self.employed.extend(part.employed);
        self.pupil.extend(part.pupil);
        self.has_car.extend(part.has_car);
        self.has_two_wheeler.extend(part.has_two_wheeler);
        self.workplace.extend(part.workplace);
        self.age_years.extend(part.age_years);
        self.sex.extend(part.sex);
        self.household_cars.extend(part.household_cars);
        self.has_licence.extend(part.has_licence);
        self.has_transit_pass.extend(part.has_transit_pass);
        self.is_student.extend(part.is_student);
        self.keys.extend(part.keys);
    }
    /// Appends somebody from outside, who has no household here.
    pub fn push_from_outside(&mut self, kind: PersonKind, home: Place, workplace: Place) -> PersonIx {
        let person = PersonIx(self.len() as u32);
        if !self.keys.is_empty() {
            self.keys.push(self.first_key_outside + person.0 - self.residents() as u32);
        }
        self.kind.push(kind);
        self.home.push(home);
        self.household.push(u32::MAX);
        self.age_class.push(2);
        self.employed.push(kind == PersonKind::Commuter);
        self.pupil.push(kind == PersonKind::Pupil);
        self.has_car.push(true);
        self.has_two_wheeler.push(false);
        self.workplace.push(workplace);
        self.age_years.push(42);
        self.sex.push(Sex::Unknown);
        self.household_cars.push(0);
        self.has_licence.push(true);
        self.has_transit_pass.push(false);
        self.is_student.push(kind == PersonKind::Pupil);
        person
    }
}
