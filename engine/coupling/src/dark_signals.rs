//! Traffic lights that are out: their junctions become all-way stops, whose capacity is that of
//! [`urbis_traffic::signals`]' dark junctions, until the lights are back.
//!
//! Ignored: officers who direct traffic, accidents at dark junctions, and policies or events that change the capacity of the same
//! approach meanwhile, of which the last one counts. Contract: sequential in order of junctions.

use crate::powered::{MachineKind, Machines};
use bevy_ecs::system::{Res, ResMut};
use urbis_core::{Clock, Domain};
use urbis_traffic::{CarNetwork, Signals, Traffic};

/// Switches lights off that are out in the power step that starts, and on again that are not.
pub fn darken_signals(
    clock: Res<'_, Clock>,
    machines: Res<'_, Machines>,
    network: Res<'_, CarNetwork>,
    signals: Option<ResMut<'_, Signals>>,
    mut traffic: ResMut<'_, Traffic>,
) {
    let Some(mut signals) = signals.filter(|_| clock.is_due(Domain::Power)) else { return };
    for machine in machines.of.iter().filter(|of| of.kind == MachineKind::Signal) {
        signals.set_dark(traffic.engine_mut(), &network, machine.row as usize, machine.is_out);
    }
}
