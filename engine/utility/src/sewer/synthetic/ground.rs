//! What comes into each vertex itself: rain on half of each street there and on the plots of buildings that meet it, and
//! their sewage.
//!
//! A building covers its footprint, or its floor area over its floors where that is not known. Its plot is as large as
//! the share of plots that is built says; a part of the rest is sealed. Plots of all buildings may be more than there is
//! room for in dense cities: then the share in the settings is too small.

use super::design::Own;
use super::settings::SyntheticSewerSettings;
use super::tree::Trees;
use crate::streets::Streets;
use crate::streets::paths::NONE;
use urbis_city::model::{BuildingUse, City};

/// Persons of a dwelling and their water, l a day (Germany: 2.0 and about 125; recalled).
const DWELLING_L_PER_DAY: f64 = 2.0 * 125.0;
/// Water of floors that are no dwellings, l/m2 a day; estimate. Garages and sheds have none.
const FLOOR_L_PER_M2_DAY: f64 = 1.0;

/// Mean sewage of each building, m3/s, where nothing better is known: by dwellings, or by floor area where it has none.
#[must_use]
pub fn estimate_dry_m3ps(city: &City) -> Vec<f64> {
    let table = &city.buildings;
    let litres = |row: usize| match (table.dwellings[row], table.purpose[row]) {
        (0, BuildingUse::Parking | BuildingUse::Other) => 0.0,
        (0, _) => FLOOR_L_PER_M2_DAY * table.floor_area_m2[row].max(0.0),
        (dwellings, _) => DWELLING_L_PER_DAY * f64::from(dwellings),
    };
    (0..table.len()).map(|row| litres(row) / 86_400e3).collect()
}

/// By vertex of the streets. Streets without a sewer bring nothing.
pub(super) fn own(
    city: &City,
    streets: &Streets,
    trees: &Trees,
    dry_m3ps: &[f64],
    settings: &SyntheticSewerSettings,
) -> Vec<Own> {
    let mut own = vec![Own::default(); streets.place.len()];
    for &vertex in &trees.order {
        let of = &mut own[vertex as usize];
        let length_m: f64 = streets.graph.arcs(vertex).map(|(_, length_mm, _)| f64::from(length_mm) / 2000.0).sum();
        of.area_m2 += length_m * settings.street_width_m;
        of.sealed_m2 += length_m * settings.street_width_m * settings.street_sealed_share;
    }
    let table = &city.buildings;
    let positive = |column: &[f64], row: usize| column.get(row).copied().filter(|of| of.is_finite() && *of > 0.0);
    for (row, &vertex) in streets.joint.iter().enumerate().filter(|(_, vertex)| **vertex != NONE) {
        let floors = positive(&table.floors, row).unwrap_or(settings.floors).max(1.0);
        let of_floors = positive(&table.floor_area_m2, row).map(|floor_m2| floor_m2 / floors);
        let roof_m2 = positive(&table.footprint_m2, row).or(of_floors).unwrap_or(0.0);
        let yard_m2 = roof_m2 / settings.built_share - roof_m2;
        let of = &mut own[vertex as usize];
        of.area_m2 += roof_m2 + yard_m2;
        of.sealed_m2 += roof_m2 + yard_m2 * settings.yard_sealed_share;
        of.dry_m3ps += if settings.has_sewage() { dry_m3ps[row] } else { 0.0 };
    }
    own
}
