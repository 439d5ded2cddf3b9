//! Where gas or district heat does not come, people plug in electric heaters: in a building that got less than half of the
//! heat that it asked for in the step before, `heater_share` of what lacks for rooms is asked of electricity, up to
//! `heater_w_per_m2` of its floor area.
//!
//! ```text
//! P = min(heater_share * (asked - served), heater_w_per_m2 * area)
//! ```
//!
//! A household's portable heaters give about 2 kW, so 20 W/m2 is one and a half of them in 150 m2, and a part of all people has some
//! (both estimates). Ignored: hot water, ovens, people who go elsewhere, cooling down of rooms.
//! Contract: sequential in order of buildings.

use crate::services::SERVED_SHARE;
use crate::settings::CouplingSettings;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use urbis_city::model::City;
use urbis_core::{Clock, Domain};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::heat_loads::HeatLoads;
use urbis_utility::power::BuildingLoads;

/// Electricity that heaters asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Resource)]
pub struct Heaters {
    /// In this step, all buildings, watts.
    pub asked_w: f64,
    /// Most in a step, watts.
    pub asked_max_w: f64,
    /// Since the start, joules.
    pub asked_j: f64,
}

/// What heaters of a building ask for, watts: of heat for rooms that was asked for, of which a share came.
#[must_use]
pub fn heater_w(asked_w: f64, served_share: f64, area_m2: f64, settings: &CouplingSettings) -> f64 {
    if served_share >= SERVED_SHARE {
        return 0.0;
    }
    let lacks_w = asked_w * (1.0 - served_share.max(0.0));
    (settings.heater_share * lacks_w).min(settings.heater_w_per_m2 * area_m2).max(0.0)
}

/// Adds heaters to what buildings ask for in the power step that starts.
#[allow(clippy::too_many_arguments)] // what the system reads and writes
pub fn plug_in_heaters(
    clock: Res<'_, Clock>,
    settings: Res<'_, CouplingSettings>,
    city: Res<'_, City>,
    needs: Option<Res<'_, HeatLoads>>,
    gas: Option<Res<'_, CityGas>>,
    heat: Option<Res<'_, CityHeat>>,
    mut heaters: ResMut<'_, Heaters>,
    mut loads: ResMut<'_, BuildingLoads>,
) {
    // Nothing was served before the first step.
    let is_due = settings.shortfall_to_heaters && clock.is_due(Domain::Power) && clock.tick() > 0;
    let Some(needs) = needs.filter(|_| is_due) else { return };
    let mut all_w = 0.0;
    for (building, demand_w) in loads.demand_w.iter_mut().enumerate() {
        let of_heat = heat.as_ref().filter(|of| of.is_connected(building)).map(|of| of.served_share[building]);
        let of_gas = gas.as_ref().filter(|of| of.is_connected(building)).map(|of| of.served_share[building]);
        let Some(share) = of_heat.or(of_gas) else { continue };
        let more_w = heater_w(needs.rooms_w[building], share, city.buildings.floor_area_m2[building], &settings);
        *demand_w += more_w;
        all_w += more_w;
    }
    heaters.asked_w = all_w;
    heaters.asked_max_w = heaters.asked_max_w.max(all_w);
    heaters.asked_j += all_w * f64::from(clock.step_ticks(Domain::Power));
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn heaters_make_up_for_a_part_of_what_lacks() {
        let of = CouplingSettings { heater_share: 0.6, heater_w_per_m2: 20.0, ..CouplingSettings::default() };
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        near(heater_w(5000.0, 0.0, 1000.0, &of), 3000.0);
        near(heater_w(5000.0, 0.25, 1000.0, &of), 2250.0);
        near(heater_w(5000.0, 0.0, 100.0, &of), 2000.0);
        // Half of it counts as served.
        near(heater_w(5000.0, 0.5, 1000.0, &of), 0.0);
        near(heater_w(0.0, 0.0, 1000.0, &of), 0.0);
    }
}
