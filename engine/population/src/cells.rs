//! Travel cells: small groups of buildings between which travel times are kept.
//!
//! Statistical zones are often too large for it (nine wards of a town, say), so each zone is split into cells of
//! about equally many buildings, by halving along its longer side; cells never cross zones. Every external node is
//! a cell of its own, after those of the city, and every site of park-and-ride after them. A cell stands for its buildings by the one nearest to their middle.
//!
//! Contract: a function of the city alone, so cells are the same in every scenario on it.

use crate::persons::{Place, Places};
use bevy_ecs::resource::Resource;
use urbis_city::model::City;
use urbis_core::csr::Csr;
use urbis_core::{BuildingIx, NodeIx, ZoneIx};

/// Way from the middle of a cell to its buildings against the straight line.
const DETOUR_WITHIN: f64 = 1.3;

/// The cells of a city; rows of all columns are cells.
#[derive(Clone, Debug, Default, Resource)]
pub struct Cells {
    /// The cell of each place.
    pub of_place: Vec<u32>,
    /// Buildings of each cell; none outside and at sites.
    pub buildings: Csr<BuildingIx>,
    /// Zone, or [`ZoneIx::NONE`] outside and at sites.
    pub zone: Vec<ZoneIx>,
    /// Easting of its middle, metres.
    pub x_m: Vec<f64>,
    /// Northing of its middle, metres.
    pub y_m: Vec<f64>,
    /// Node of the road network where it begins and ends.
    pub node: Vec<NodeIx>,
    /// Typical way between two buildings of the cell, metres.
    pub within_m: Vec<f64>,
}

impl Cells {
    /// Splits a city into about `wanted` cells, at least one for each zone with buildings.
    #[must_use]
    pub fn new(city: &City, places: &Places, wanted: usize) -> Self {
        let by_zone = city.buildings.by_zone(city.zones.len());
        // New buildings of a plan join the cells that are there, so that those stay as they are.
        let old = city.land_use.as_ref().map_or(city.buildings.len(), |plan| plan.first_new());
        let total = by_zone.values().iter().filter(|building| building.row() < old).count().max(1);
        let mut cells = Self { of_place: vec![u32::MAX; places.len()], ..Self::default() };
        let mut members = Vec::new();
        for zone in 0..city.zones.len() {
            let mut rows: Vec<u32> =
                by_zone.row(zone).iter().map(|building| building.0).filter(|&row| (row as usize) < old).collect();
            if rows.is_empty() {
                continue;
            }
            let parts = (wanted * rows.len()).div_ceil(total).clamp(1, rows.len());
            split(places, &mut rows, parts, &mut |part| {
                cells.push(places, ZoneIx(zone as u32), part, &mut members);
            });
        }
        for place in places.buildings()..places.len() {
            cells.of_place[place] = cells.len() as u32;
            cells.zone.push(ZoneIx::NONE);
            cells.x_m.push(places.x_m[place]);
            cells.y_m.push(places.y_m[place]);
            cells.node.push(places.car_node[place]);
            cells.within_m.push(0.0);
        }
        // A building without a zone belongs to the cell whose middle is nearest, a new one to the nearest of its zone.
        for place in 0..places.buildings() {
            if cells.of_place[place] == u32::MAX && !members.is_empty() {
                let away = |cell: &u32| {
                    let cell = *cell as usize;
                    (cells.x_m[cell] - places.x_m[place]).hypot(cells.y_m[cell] - places.y_m[place])
                };
                let inside = || 0..(cells.len() - (places.len() - places.buildings())) as u32;
                let has_own = inside().any(|cell| cells.zone[cell as usize] == places.zone[place]);
                let counts = |cell: &u32| !has_own || cells.zone[*cell as usize] == places.zone[place];
                let nearest = inside().filter(counts).min_by(|a, b| away(a).total_cmp(&away(b))).unwrap_or(0);
                cells.of_place[place] = nearest;
                members.push((nearest, BuildingIx(place as u32)));
            }
        }
        cells.buildings = Csr::from_pairs(cells.len(), &members);
        cells
    }

    fn push(&mut self, places: &Places, zone: ZoneIx, rows: &mut [u32], members: &mut Vec<(u32, BuildingIx)>) {
        rows.sort_unstable();
        let count = rows.len() as f64;
        let mean = |column: &[f64]| rows.iter().map(|&row| column[row as usize]).sum::<f64>() / count;
        let (x_m, y_m) = (mean(&places.x_m), mean(&places.y_m));
        let away = |row: u32| (places.x_m[row as usize] - x_m).hypot(places.y_m[row as usize] - y_m);
        let middle = rows.iter().copied().min_by(|&a, &b| away(a).total_cmp(&away(b))).unwrap_or(0);
        let cell = self.len() as u32;
        for &row in rows.iter() {
            self.of_place[row as usize] = cell;
            members.push((cell, BuildingIx(row)));
        }
        self.zone.push(zone);
        self.x_m.push(x_m);
        self.y_m.push(y_m);
        self.node.push(places.car_node[middle as usize]);
        self.within_m.push(rows.iter().map(|&row| away(row)).sum::<f64>() / count * DETOUR_WITHIN);
    }

    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.zone.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.zone.is_empty()
    }
    /// The cell of a place.
    #[inline]
    #[must_use]
    pub fn of(&self, place: Place) -> usize {
        self.of_place[place.row()] as usize
    }
    /// Straight line between the middles of two cells, or the typical way within one, metres.
    #[must_use]
    pub fn distance_m(&self, from: usize, to: usize) -> f64 {
        if from == to {
            return self.within_m[from];
        }
        (self.x_m[from] - self.x_m[to]).hypot(self.y_m[from] - self.y_m[to])
    }
}

/// Halves buildings along their longer side until there are `parts`.
fn split(places: &Places, rows: &mut [u32], parts: usize, done: &mut dyn FnMut(&mut [u32])) {
    if parts <= 1 || rows.len() <= 1 {
        return done(rows);
    }
    let side = |column: &[f64]| {
        let (low, high) = rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &row| {
            (low.min(column[row as usize]), high.max(column[row as usize]))
        });
        high - low
    };
    let along = if side(&places.x_m) >= side(&places.y_m) { &places.x_m } else { &places.y_m };
    rows.sort_unstable_by(|&a, &b| along[a as usize].total_cmp(&along[b as usize]).then(a.cmp(&b)));
    let first = parts / 2;
    let (left, right) = rows.split_at_mut((rows.len() * first / parts).max(1));
    split(places, left, first, done);
    split(places, right, parts - first, done);
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_city::model::{Buildings, Zones};

    fn city(side: u32, zones: u32) -> City {
        let count = (side * side) as usize;
        City {
            zones: Zones { id: (0..zones).map(|zone| zone.to_string()).collect(), ..Zones::default() },
            buildings: Buildings {
                id: vec![String::new(); count],
                x_m: (0..side * side).map(|of| f64::from(of % side) * 10.0).collect(),
                y_m: (0..side * side).map(|of| f64::from(of / side) * 10.0).collect(),
                zone: (0..side * side).map(|of| ZoneIx(of * zones / (side * side))).collect(),
                car_node: (0..side * side).map(NodeIx).collect(),
                ..Buildings::default()
            },
            ..City::default()
        }
    }

    #[test]
    fn cells_are_even_and_stay_in_their_zones() {
        let city = city(20, 4);
        let places = Places::new(&city);
        let cells = Cells::new(&city, &places, 16);
        assert_eq!(cells.len(), 16);
        for cell in 0..cells.len() {
            let rows = cells.buildings.row(cell);
            assert_eq!(rows.len(), 25);
            assert!(rows.iter().all(|row| city.buildings.zone[row.row()] == cells.zone[cell]));
            assert!(rows.iter().all(|row| cells.of(Place(row.0)) == cell));
            assert!(cells.within_m[cell] > 5.0 && cells.within_m[cell] < 60.0);
            assert!((cells.distance_m(cell, cell) - cells.within_m[cell]).abs() < 1e-12);
        }
        // Never more cells than buildings, never fewer than zones.
        assert_eq!(Cells::new(&city, &places, 1).len(), 4);
        assert_eq!(Cells::new(&city, &places, 9999).len(), 400);
    }
}
