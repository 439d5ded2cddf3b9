//! Electricity of pumps of the water network: what they took in the step before is asked for in the buildings whose supply
//! they share.
//!
//! Ignored: pumps of district heat and sewers, losses of drives beyond the pumps' curves of efficiency.
//! Contract: sequential in order of pumps.

use crate::powered::{MachineKind, Machines};
use crate::settings::CouplingSettings;
use bevy_ecs::system::{Res, ResMut};
use urbis_core::{Clock, Domain};
use urbis_utility::power::BuildingLoads;
use urbis_utility::water::city::CityWater;

/// Adds pumps to what buildings ask for in the power step that starts.
pub fn ask_for_pumps(
    clock: Res<'_, Clock>,
    settings: Res<'_, CouplingSettings>,
    machines: Res<'_, Machines>,
    water: Option<Res<'_, CityWater>>,
    mut loads: ResMut<'_, BuildingLoads>,
) {
    let Some(water) = water.filter(|_| settings.pumps_to_power && clock.is_due(Domain::Power)) else { return };
    // Machines are in the network's order of pumps.
    let pumps = machines.of.iter().filter(|of| of.kind == MachineKind::WaterPump);
    for (machine, &power_w) in pumps.zip(&water.pump_w) {
        if let Some(demand_w) = loads.demand_w.get_mut(machine.building as usize) {
            *demand_w += power_w;
        }
    }
}
