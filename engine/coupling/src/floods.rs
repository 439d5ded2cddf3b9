//! Water that comes up from the sewer, or that an event brings, slows the streets under it.
//!
//! ```text
//! v = 0.0009 w^2 - 0.5529 w + 86.9448        v in km/h, w depth in mm up to 300
//! ```
//!
//! is the highest speed that drivers dare through standing water (M. Pregnolato, A. Ford, S. M. Wilkinson, R. J. Dawson, The
//! impact of flooding on road transport: a depth-disruption function, Transp. Res. D 55, 2017). A link's free speed is
//! lowered to it, and to that at 300 mm where water is deeper: about 2 km/h, so that whoever knows the times of the day goes
//! another way. A policy's own speed counts as the free one.
//!
//! Ignored: lower capacity, damage to cars, people on foot, water that flows on along the street. Depths are those at the end
//! of the step before, as couplings lag.

use crate::policy::state::Policies;
use crate::settings::CouplingSettings;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use std::collections::BTreeMap;
use urbis_core::{Clock, Domain};
use urbis_traffic::time::Time;
use urbis_traffic::{CarLinkIx, CarNetwork, Traffic};
use urbis_utility::sewer::city_sewer::CitySewer;

/// Depth from which a street counts as impassable, m.
const IMPASSABLE_M: f64 = 0.3;
const MPS_PER_KMH: f64 = 1.0 / 3.6;

/// Streets under water and what it did to them.
#[derive(Clone, Debug, Default, Resource)]
pub struct Floods {
    /// Water that events bring, as deep as it is in the step, m.
    pub of_events_m: BTreeMap<CarLinkIx, f64>,
    /// Links of the moment with their depth, m.
    depth_m: BTreeMap<CarLinkIx, f64>,
    /// Links that were under water since the start, and the greatest depth, m.
    worst_m: BTreeMap<CarLinkIx, f64>,
}

impl Floods {
    /// Links that are under water, and how deep, m.
    #[must_use]
    pub fn depth_m(&self) -> &BTreeMap<CarLinkIx, f64> {
        &self.depth_m
    }
    /// Links that were under water since the start, and the greatest depth, m.
    #[must_use]
    pub fn worst_m(&self) -> &BTreeMap<CarLinkIx, f64> {
        &self.worst_m
    }
}

/// Highest speed through water of a depth, m/s.
#[must_use]
pub fn speed_through_mps(depth_m: f64) -> f64 {
    let w_mm = 1000.0 * depth_m.clamp(0.0, IMPASSABLE_M);
    (0.0009 * w_mm * w_mm - 0.5529 * w_mm + 86.9448) * MPS_PER_KMH
}

/// Slows the streets that water of the step before stands on, and frees those that are dry again, when a step starts.
pub fn flood_streets(
    clock: Res<'_, Clock>,
    network: Res<'_, CarNetwork>,
    policies: Res<'_, Policies>,
    settings: Res<'_, CouplingSettings>,
    sewer: Option<Res<'_, CitySewer>>,
    mut floods: ResMut<'_, Floods>,
    mut traffic: ResMut<'_, Traffic>,
) {
    if !settings.floods_to_roads || !clock.is_due(Domain::Power) {
        return;
    }
    let mut now = floods.of_events_m.clone();
    for of in sewer.iter().flat_map(|sewer| sewer.flooded_links()) {
        let link = network.car_link[of.link as usize];
        if link != CarLinkIx::NONE {
            let depth_m = now.entry(link).or_insert(0.0);
            *depth_m = depth_m.max(of.depth_m);
        }
    }
    let before = std::mem::take(&mut floods.depth_m);
    let mut changes: Vec<(CarLinkIx, Time)> = Vec::new();
    for &link in before.keys().filter(|link| !now.contains_key(link)) {
        changes.push((link, policies.free_time(link, &network)));
    }
    for (&link, &depth_m) in &now {
        let dry = policies.free_time(link, &network);
        let through_s = network.length_m[link.row()] / speed_through_mps(depth_m);
        changes.push((link, dry.max(urbis_traffic::time::from_seconds(through_s))));
        let worst_m = floods.worst_m.entry(link).or_insert(0.0);
        *worst_m = worst_m.max(depth_m);
    }
    changes.sort_unstable();
    let engine = traffic.engine_mut();
    changes.retain(|&(link, time)| engine.free_time(link) != time);
    if !changes.is_empty() {
        engine.set_free_times(&changes);
    }
    floods.depth_m = now;
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn deeper_water_is_slower() {
        assert!((speed_through_mps(0.0) - 86.9448 / 3.6).abs() < 1e-12);
        // The published curve at 150 mm: 20.25 - 82.935 + 86.9448.
        assert!((speed_through_mps(0.15) - 24.2598 / 3.6).abs() < 1e-9);
        assert!(speed_through_mps(0.3) < 0.6 && speed_through_mps(0.3) > 0.5);
        assert!((speed_through_mps(2.0) - speed_through_mps(0.3)).abs() < 1e-12);
        let depths: Vec<f64> = (0..=30).map(|cm| speed_through_mps(f64::from(cm) / 100.0)).collect();
        assert!(depths.windows(2).all(|pair| pair[1] < pair[0]));
    }
}
