//! Dwellings: published numbers spread over residential buildings by floor area, or numbers derived
//! from floor area where none is published.
//!
//! Published figures of the panel, most local first: `dwellings` of a zone; `dwellings` of several zones
//! joined by `+`; `dwellings_share` (percent of the city's) of either; the rest of the city's
//! `dwellings` over the zones left. Within a group the largest remainder goes by floor area. The rule:
//! `floor area x net share / net area of a dwelling`, at least one in a residential building. The ratio
//! of the two over the city checks the recipe's floors and shares.
//!
//! Ignores vacancy and dwellings in buildings of other uses. Single-threaded, deterministic.

use crate::model::{BuildingUse, Buildings, PanelRow};
use crate::panel::latest;
use crate::recipe;
use std::collections::BTreeMap;
use urbis_core::columns::apportion;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Dwellings by building.
    pub dwellings: Vec<u32>,
    /// Dwellings by rule, over dwellings published, for the whole city; `None` where none is published.
    pub rule_ratio: Option<f64>,
    /// Published dwellings for which there is no residential building.
    pub homeless: u32,
}

/// Spreads published dwellings over residential buildings, or derives them.
#[must_use]
pub fn spread(
    buildings: &Buildings,
    zone_ids: &[String],
    panel: &[PanelRow],
    city: &str,
    recipe: &recipe::Buildings,
) -> Outcome {
    let homes: Vec<usize> =
        (0..buildings.len()).filter(|&row| buildings.purpose[row] == BuildingUse::Residential).collect();
    let by_rule =
        |row: usize| (buildings.floor_area_m2[row] * recipe.net_share / recipe.dwelling_net_m2).round().max(1.0);
    let mut dwellings = vec![0; buildings.len()];
    homes.iter().for_each(|&row| dwellings[row] = by_rule(row) as u32);
    let total = latest(panel, city, "dwellings").map(|row| row.value);
    let ruled: f64 = homes.iter().map(|&row| by_rule(row)).sum();
    let mut given = 0.0;
    let mut left: Vec<bool> = vec![true; zone_ids.len()];
    let mut homeless = 0;
    let mut hand_out = |published: f64, zones: &[usize], dwellings: &mut Vec<u32>| {
        let rows: Vec<usize> =
            homes.iter().copied().filter(|&row| zones.contains(&buildings.zone[row].row())).collect();
        let weights: Vec<f64> = rows.iter().map(|&row| buildings.floor_area_m2[row]).collect();
        let published = published.round().max(0.0) as u32;
        if rows.is_empty() {
            homeless += published;
        }
        for (&row, part) in rows.iter().zip(apportion(published, &weights)) {
            dwellings[row] = part;
        }
    };
    for (zones, published) in groups(zone_ids, panel, total) {
        // A zone that a more local figure has settled stays settled.
        if zones.iter().all(|&zone| left[zone]) {
            hand_out(published, &zones, &mut dwellings);
            zones.iter().for_each(|&zone| left[zone] = false);
            given += published;
        }
    }
    let rest: Vec<usize> = (0..zone_ids.len()).filter(|&zone| left[zone]).collect();
    if let Some(total) = total.filter(|&total| total > given && !rest.is_empty()) {
        hand_out(total - given, &rest, &mut dwellings);
    }
    let published = total.or_else(|| left.iter().all(|left| !left).then_some(given)).filter(|&p| p > 0.0);
    Outcome { dwellings, rule_ratio: published.map(|published| ruled / published), homeless }
}

/// Published figures as rows of zones and dwellings: zones before groups, numbers before shares.
fn groups(zone_ids: &[String], panel: &[PanelRow], total: Option<f64>) -> Vec<(Vec<usize>, f64)> {
    let zones_of = |name: &str| -> Option<Vec<usize>> {
        name.split('+').map(|part| zone_ids.iter().position(|zone| zone == part)).collect()
    };
    let mut found: BTreeMap<(usize, u8, &str), (Vec<usize>, f64)> = BTreeMap::new();
    for row in panel {
        let (order, factor) = match (row.indicator.as_str(), total) {
            ("dwellings", _) => (0, 1.0),
            ("dwellings_share", Some(total)) => (1, total / 100.0),
            _ => continue,
        };
        if let Some(zones) = zones_of(&row.zone_id) {
            let newest = latest(panel, &row.zone_id, &row.indicator).map_or(row.value, |row| row.value);
            found.insert((zones.len(), order, &row.zone_id), (zones, newest * factor));
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_core::ZoneIx;

    fn figure(zone_id: &str, indicator: &str, period: &str, value: f64) -> PanelRow {
        PanelRow {
            zone_id: zone_id.to_owned(),
            indicator: indicator.to_owned(),
            period: period.to_owned(),
            value,
            ..PanelRow::default()
        }
    }

    fn buildings() -> Buildings {
        use BuildingUse::{Office, Residential};
        let floor_area_m2 = vec![1000.0, 3000.0, 500.0, 500.0, 800.0];
        Buildings {
            id: (0..5).map(|row| format!("way/{row}")).collect(),
            zone: [0, 0, 1, 2, 2].map(ZoneIx).to_vec(),
            purpose: vec![Residential, Residential, Residential, Residential, Office],
            floor_area_m2,
            ..Buildings::default()
        }
    }

    fn spread_of(panel: &[PanelRow]) -> Outcome {
        let ids = ["a", "b", "c"].map(str::to_owned);
        spread(&buildings(), &ids, panel, "town", &recipe::Buildings::default())
    }

    #[test]
    fn published_figures_most_local_first() {
        let outcome = spread_of(&[
            figure("town", "dwellings", "2010", 7.0),
            figure("town", "dwellings", "2020", 100.0),
            figure("a", "dwellings", "2020", 40.0),
            figure("a+b", "dwellings", "2020", 99.0),
            figure("b+c", "dwellings_share", "2020", 20.0),
        ]);
        assert_eq!(outcome.dwellings, [10, 30, 10, 10, 0]);
        // 11 + 32 + 5 + 5 by rule.
        assert!(outcome.rule_ratio.is_some_and(|ratio| (ratio - 0.53).abs() < 1e-9), "{outcome:?}");
    }

    #[test]
    fn the_rest_of_the_city_and_the_rule() {
        let outcome = spread_of(&[figure("town", "dwellings", "2020", 100.0), figure("a", "dwellings", "2020", 60.0)]);
        assert_eq!(outcome.dwellings, [15, 45, 20, 20, 0]);
        let derived = spread_of(&[]);
        assert_eq!(derived.dwellings, [11, 32, 5, 5, 0]);
        assert_eq!(derived.rule_ratio, None);
        let mut empty = buildings();
        empty.purpose[2] = BuildingUse::Office;
        let ids = ["a", "b", "c"].map(str::to_owned);
        let panel = [figure("b", "dwellings", "2020", 9.0)];
        assert_eq!(spread(&empty, &ids, &panel, "town", &recipe::Buildings::default()).homeless, 9);
    }
}
