//! Pumps, heating plants and compressors that are out: the water network lives on its tanks, district heat and gas on what
//! pipes hold, until they run again.
//!
//! Contract: sequential in order of machines.

use crate::powered::{MachineKind, Machines};
use bevy_ecs::system::{Local, Res, ResMut};
use urbis_core::{Clock, Domain};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::water::city::CityWater;

/// Stops what is out in the power step that starts, and lets it run again that is not.
pub fn stop_pumps(
    clock: Res<'_, Clock>,
    machines: Res<'_, Machines>,
    mut was_out: Local<'_, Vec<bool>>,
    mut water: Option<ResMut<'_, CityWater>>,
    mut gas: Option<ResMut<'_, CityGas>>,
    mut heat: Option<ResMut<'_, CityHeat>>,
) {
    if !clock.is_due(Domain::Power) {
        return;
    }
    was_out.resize(machines.of.len(), false);
    for (machine, was_out) in machines.of.iter().zip(was_out.iter_mut()) {
        if machine.is_out == std::mem::replace(was_out, machine.is_out) {
            continue;
        }
        let (row, is_out) = (machine.row, machine.is_out);
        match machine.kind {
            MachineKind::WaterPump => water.iter_mut().for_each(|of| of.hold_out(row, is_out)),
            MachineKind::HeatPlant => heat.iter_mut().for_each(|of| of.hold_out(row, is_out)),
            MachineKind::GasCompressor => gas.iter_mut().for_each(|of| of.hold_out(row, is_out)),
            MachineKind::Signal => {}
        }
    }
}
