//! Accessibility: how many jobs, schools, hospitals and shops people reach within so many minutes.
//!
//! Cumulative opportunities (Hansen 1959 with a step for a decay; Geurs and van Wee 2004): for each cell the sum of
//! the opportunities of all cells within reach by a mode in the morning peak, door to door. Zones and groups are means
//! over the residents of the zone who are in the group.
//!
//! Contract: pure functions of their input; cells run in constant chunks.

use crate::cells::Cells;
use crate::persons::Persons;
use crate::plans::Mode;
use crate::settings::{ModeSettings, PersonKind};
use crate::skims::Skims;
use crate::synthesis::jobs::Jobs;
use urbis_city::model::{BuildingUse, City, PoiKind};
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
    /// Leisure, sports, parks.
    Leisure,
}

urbis_core::named!(Opportunity {
    Jobs = "jobs",
    Schools = "schools",
    Hospitals = "hospitals",
    Shops = "shops",
    Leisure = "leisure",
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
/// no such points).
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
