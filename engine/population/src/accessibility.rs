//! Accessibility: how many jobs, schools, hospitals, shops and parks people reach within so many minutes.
//!
//! Cumulative opportunities (Hansen 1959 with a step for a decay; Geurs and van Wee 2004): for each cell the sum of
//! the opportunities of all cells within reach by a mode in the morning peak, door to door. Zones and groups are means
//! over the residents of the zone who are in the group.
//!
//! Parks are public green of at least half a hectare, as in the indicators of the World Health Organization (Regional
//! Office for Europe 2016, "Urban green spaces and health") and of the European Common Indicators, which ask who reaches
//! one within a quarter of an hour on foot. Each counts at the cell nearest to its middle, a large one therefore as
//! farther than its edge. Cities whose map has none say nothing of them.
//!
//! Contract: pure functions of their input; cells run in constant chunks.

use crate::cells::Cells;
use crate::persons::Persons;
use crate::plans::Mode;
use crate::settings::{ModeSettings, PersonKind};
use crate::skims::Skims;
use crate::synthesis::jobs::Jobs;
use urbis_city::model::{BuildingUse, City, PoiKind};
use urbis_city::projection::Projection;
use urbis_core::chunks::map_chunks;

/// Limits of door-to-door time, minutes.
pub const LIMITS_MIN: [u32; 4] = [15, 30, 45, 60];

/// Modes that accessibility is told for.
pub const MODES: [Mode; 4] = [Mode::Car, Mode::Transit, Mode::Bicycle, Mode::Walk];

/// The time of day it is told for: the morning peak.
pub const PERIOD: usize = 1;

/// What people want to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opportunity {
    /// Jobs.
    Jobs,
    /// Nurseries, schools, universities.
    Schools,
    /// Hospitals, clinics, doctors.
    Hospitals,
    /// Shops and markets.
    Shops,
    /// Leisure and sports.
    Leisure,
    /// Public green of at least half a hectare.
    Parks,
}

urbis_core::named!(Opportunity {
    Jobs = "jobs",
    Schools = "schools",
    Hospitals = "hospitals",
    Shops = "shops",
    Leisure = "leisure",
    Parks = "parks",
});

/// Groups of residents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Everybody.
    All,
    /// Those who can take a car.
    WithCar,
    /// Those who cannot.
    WithoutCar,
    /// Below 18 years.
    Children,
    /// From 65 years on.
    Older,
}

urbis_core::named!(Group {
    All = "all",
    WithCar = "with_car",
    WithoutCar = "without_car",
    Children = "children",
    Older = "older",
});

impl Group {
    /// Whether a resident is in the group.
    #[must_use]
    pub fn has(self, persons: &Persons, row: usize) -> bool {
        match self {
            Self::All => true,
            Self::WithCar => persons.has_car[row],
            Self::WithoutCar => !persons.has_car[row],
            Self::Children => persons.age_class[row] == 0,
            Self::Older => persons.age_class[row] >= 4,
        }
    }
}

/// Opportunities of a kind in each cell: jobs, or places (points of interest; buildings of that use where the city has
/// no such points). Empty for parks in a city without them.
#[must_use]
pub fn opportunities(city: &City, jobs: &Jobs, cells: &Cells, of: Opportunity) -> Vec<f64> {
    let mut counts = vec![0.0; cells.len()];
    let mut add = |building: usize, count: f64| counts[cells.of_place[building] as usize] += count;
    let (poi, building) = match of {
        Opportunity::Jobs => {
            jobs.jobs.iter().enumerate().for_each(|(row, &count)| add(row, f64::from(count)));
            return counts;
        }
        Opportunity::Schools => (PoiKind::School, Some(BuildingUse::Education)),
        Opportunity::Hospitals => (PoiKind::Hospital, Some(BuildingUse::Health)),
        Opportunity::Shops => (PoiKind::Shop, Some(BuildingUse::Retail)),
        Opportunity::Leisure => (PoiKind::Leisure, Some(BuildingUse::Civic)),
        Opportunity::Parks => return parks(city, cells),
    };
    let mut any = false;
    for (row, place) in city.pois.building.iter().enumerate() {
        if city.pois.kind[row] == poi && place.is_some() {
            add(place.row(), 1.0);
            any = true;
        }
    }
    if !any {
        for (row, purpose) in city.buildings.purpose.iter().enumerate() {
            if Some(*purpose) == building {
                add(row, 1.0);
            }
        }
    }
    counts
}

/// Parks by the cell nearest to their middle; empty where there are none.
fn parks(city: &City, cells: &Cells) -> Vec<f64> {
    let rows = (0..city.pois.len()).filter(|&row| city.pois.kind[row] == PoiKind::Park);
    let Ok(projection) = Projection::from_code(&city.manifest.crs) else { return Vec::new() };
    let mut counts = Vec::new();
    for (x_m, y_m) in rows.map(|row| projection.project(city.pois.point[row])) {
        let away_m = |cell: &usize| (cells.x_m[*cell] - x_m).hypot(cells.y_m[*cell] - y_m);
        let inside = (0..cells.len()).filter(|&cell| cells.zone[cell].is_some());
        if let Some(cell) = inside.min_by(|a, b| away_m(a).total_cmp(&away_m(b))) {
            counts.resize(cells.len(), 0.0);
            counts[cell] += 1.0;
        }
    }
    counts
}

/// Opportunities within reach of each cell, for each of [`LIMITS_MIN`]. Shape: cells x limits.
#[must_use]
pub fn reach(skims: &Skims, mode: Mode, settings: &ModeSettings, period: usize, counts: &[f64]) -> Vec<[f64; 4]> {
    map_chunks(skims.cells, 16, |range| {
        range
            .map(|from| {
                let mut sums = [0.0; 4];
                for (to, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
                    let minutes = skims.travel(mode, settings, period, from, to).minutes;
                    for (sum, &limit) in sums.iter_mut().zip(&LIMITS_MIN) {
                        *sum += if minutes <= f64::from(limit) { count } else { 0.0 };
                    }
                }
                sums
            })
            .collect::<Vec<_>>()
    })
    .concat()
}

/// Residents of each cell in a group.
#[must_use]
pub fn residents(persons: &Persons, cells: &Cells, group: Group) -> Vec<f64> {
    let mut counts = vec![0.0; cells.len()];
    for row in 0..persons.len() {
        if persons.kind[row] == PersonKind::Resident && group.has(persons, row) {
            counts[cells.of(persons.home[row])] += 1.0;
        }
    }
    counts
}

/// Mean over the residents of a group in each zone; `None` where nobody of the group lives. Shape: zones x limits.
#[must_use]
pub fn by_zone(cells: &Cells, zones: usize, residents: &[f64], reach: &[[f64; 4]]) -> Vec<Option<[f64; 4]>> {
    let mut sums = vec![([0.0; 4], 0.0); zones];
    for (cell, zone) in cells.zone.iter().enumerate().filter(|(_, zone)| zone.is_some()) {
        let (sum, weight) = &mut sums[zone.row()];
        sum.iter_mut().zip(&reach[cell]).for_each(|(sum, value)| *sum += residents[cell] * value);
        *weight += residents[cell];
    }
    sums.into_iter().map(|(sum, weight)| (weight > 0.0).then(|| sum.map(|value| value / weight))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skims::Matrix;
    use std::sync::Arc;
    use urbis_core::ZoneIx;

    #[test]
    fn parks_count_at_the_nearest_cell() {
        let mut city = City::default();
        city.manifest.crs = "EPSG:32632".to_owned();
        let projection = Projection::from_code(&city.manifest.crs).unwrap();
        let mut cells = Cells {
            x_m: vec![500_000.0, 501_000.0, 500_100.0],
            y_m: vec![5_000_000.0; 3],
            zone: vec![ZoneIx(0), ZoneIx(0), ZoneIx::NONE],
            ..Cells::default()
        };
        assert!(opportunities(&city, &Jobs::default(), &cells, Opportunity::Parks).is_empty());
        for (kind, x_m) in [(PoiKind::Park, 500_090.0), (PoiKind::Park, 500_900.0), (PoiKind::Leisure, 500_000.0)] {
            city.pois.kind.push(kind);
            city.pois.point.push(projection.unproject(x_m, 5_000_300.0));
            city.pois.id.push(x_m.to_string());
        }
        let counts = opportunities(&city, &Jobs::default(), &cells, Opportunity::Parks);
        assert_eq!(counts.iter().map(|&count| count as u32).collect::<Vec<_>>(), [1, 1, 0]);
        cells.zone.fill(ZoneIx::NONE);
        assert!(opportunities(&city, &Jobs::default(), &cells, Opportunity::Parks).is_empty());
    }

    #[test]
    fn counts_within_limits_and_means_over_residents() {
        // Two cells, 20 minutes apart there and 40 back.
        let settings = ModeSettings::new(5.0, 1.0, 0.0, 0.0);
        let matrix = Matrix { time_s: vec![60.0, 1200.0, 2400.0, 60.0], distance_m: vec![0.0; 4], money: vec![] };
        let skims = Skims { cells: 2, walk: Some(Arc::new(matrix)), straight_m: vec![0.0; 4], ..Skims::default() };
        let reach = reach(&skims, Mode::Walk, &settings, PERIOD, &[10.0, 5.0]);
        let close = |a: [f64; 4], b: [f64; 4]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close(reach[0], [10.0, 15.0, 15.0, 15.0]) && close(reach[1], [5.0, 5.0, 15.0, 15.0]));
        let cells = Cells { zone: vec![ZoneIx(0), ZoneIx(0)], ..Cells::default() };
        let zones = by_zone(&cells, 2, &[3.0, 1.0], &reach);
        assert!(close(zones[0].unwrap(), [8.75, 12.5, 15.0, 15.0]));
        assert!(zones[1].is_none());
    }
}
