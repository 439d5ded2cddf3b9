//! How an area was left: table `evacuation`, the clearance curve, and indicators.

use crate::cells::TimeMs;
use crate::kpis::Collector;
use crate::record::Recorders;
use crate::tables::EvacuationRow;
use crate::writer::ResultsWriter;
use bevy_ecs::world::World;
use urbis_core::{Clock, Result};
use urbis_coupling::evacuation::OrderState;
use urbis_coupling::gathering::GatheringState;
use urbis_coupling::{Evacuations, Gatherings, Incidents};
use urbis_population::simple_modes::PopulationModel;

/// Shares of those who comply whose time is told, percent.
const SHARES_PERCENT: [u32; 4] = [50, 90, 95, 100];

/// Writes `evacuation` after the last tick.
///
/// # Errors
/// When the rows do not fit on disk.
pub fn evacuation(world: &World, writer: &mut ResultsWriter) -> Result<()> {
    if world.resource::<Recorders>().evacuation.every.is_none() {
        return Ok(());
    }
    let (clock, incidents) = (world.resource::<Clock>(), world.resource::<Incidents>());
    let scale = 1.0 / world.resource::<PopulationModel>().sample_factor;
    let scaled = |count: u64| count as f64 * scale;
    for state in &world.resource::<Evacuations>().orders {
        let Some(begun) = state.begun else { continue };
        let event = &incidents.events[state.order.event as usize].name;
        for point in &state.curve {
            writer.evacuation(&EvacuationRow {
                time: TimeMs(clock.utc_ms(point.tick)),
                event,
                minute: f64::from(point.tick - begun) / 60.0,
                inside_persons: scaled(point.inside),
                coming_persons: scaled(point.coming),
                set_out_persons: scaled(point.set_out),
                arrived_persons: scaled(point.arrived),
                set_out_cars: scaled(point.cars),
            })?;
        }
    }
    Ok(())
}

/// Adds the indicators of group `event` on gatherings: how many were wanted, set out and went home.
pub(crate) fn gathering_kpis(collector: &mut Collector<'_>, world: &World, persons_each: f64) {
    let Some(gatherings) = world.get_resource::<Gatherings>().filter(|of| !of.of.is_empty()) else { return };
    let sum = |of: fn(&GatheringState) -> u32| gatherings.of.iter().map(|state| f64::from(of(state))).sum::<f64>();
    let wanted = persons_each * sum(|of| of.gathering.persons);
    collector.add("event", "gathering_wanted", wanted, "persons");
    collector.add("event", "gathering_visitors", persons_each * sum(|of| of.set_out), "persons").headline = true;
    collector.add("event", "gathering_left", persons_each * sum(|of| of.left), "persons");
}

/// Adds the indicators of group `event` on orders that were given: how many left, and by when shares of those who comply had
/// arrived, each since the order they follow.
pub(crate) fn kpis(collector: &mut Collector<'_>, world: &World, persons_each: f64) {
    let Some(evacuations) = world.get_resource::<Evacuations>() else { return };
    let given: Vec<&OrderState> = evacuations.orders.iter().filter(|of| of.begun.is_some()).collect();
    if given.is_empty() {
        return;
    }
    let sum = |of: fn(&OrderState) -> u64| given.iter().map(|state| of(state)).sum::<u64>() as f64 * persons_each;
    collector.add("event", "evacuation_told", sum(|of| of.present + of.coming), "persons").headline = true;
    collector.add("event", "evacuation_complying", sum(|of| of.complying), "persons");
    collector.add("event", "evacuation_set_out", sum(|of| of.set_out), "persons");
    collector.add("event", "evacuation_arrived", sum(|of| of.arrived_ms.len() as u64), "persons").headline = true;
    collector.add("event", "evacuation_cars", sum(|of| of.cars), "vehicles");
    let complying: u64 = given.iter().map(|of| of.complying).sum();
    let mut arrived_ms: Vec<u32> = given.iter().flat_map(|of| of.arrived_ms.iter().copied()).collect();
    arrived_ms.sort_unstable();
    for percent in SHARES_PERCENT {
        let needed = (f64::from(percent) / 100.0 * complying as f64).ceil() as usize;
        let Some(time_ms) = needed.checked_sub(1).and_then(|nth| arrived_ms.get(nth)) else { continue };
        let minutes = f64::from(*time_ms) / 60_000.0;
        let kpi = collector.add("event", &format!("evacuation_clearance_{percent}"), minutes, "min");
        kpi.headline = percent != 100;
    }
}
