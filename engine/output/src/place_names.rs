//! What places are called in result tables.

use urbis_city::model::City;
use urbis_population::{Place, Places};

/// Names of the places of a city: buildings and zones by their ids, `external:NAME` outside.
pub(crate) struct PlaceNames<'a> {
    city: &'a City,
    places: &'a Places,
    outside: Vec<String>,
}

impl<'a> PlaceNames<'a> {
    pub(crate) fn new(city: &'a City, places: &'a Places) -> Self {
        let outside = places.external_names.iter().map(|name| format!("external:{name}")).collect();
        Self { city, places, outside }
    }
    /// The building at a place, if it is one.
    pub(crate) fn building(&self, place: Place) -> Option<&str> {
        self.places.building(place).map(|building| self.city.buildings.id[building.row()].as_str())
    }
    /// A number for each zone, and after them for each place outside.
    pub(crate) fn area(&self, place: Place) -> usize {
        match self.places.building(place) {
            Some(building) => self.city.buildings.zone[building.row()].row(),
            None => self.city.zones.len() + place.row() - self.places.buildings(),
        }
    }
    /// The name of such a number.
    pub(crate) fn area_name(&self, area: usize) -> &str {
        let zones = &self.city.zones.id;
        zones.get(area).map_or_else(|| self.outside[area - zones.len()].as_str(), String::as_str)
    }
    /// The zone of a place, or its name outside. The place must be one.
    pub(crate) fn zone(&self, place: Place) -> &str {
        self.area_name(self.area(place))
    }
}
