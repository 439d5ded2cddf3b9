//! What events did, when crews came, and what machines were out: table `events` and indicators.

use crate::cells::TimeMs;
use crate::kpis::Collector;
use crate::record::Recorders;
use crate::tables::EventsRow;
use crate::writer::ResultsWriter;
use bevy_ecs::world::World;
use urbis_city::model::City;
use urbis_core::units::JOULES_PER_KWH;
use urbis_core::{Clock, Result};
use urbis_coupling::event::state::Happening;
use urbis_coupling::powered::MachineKind;
use urbis_coupling::{Crews, Heaters, Incidents, Machines};

/// Writes `events` after the last tick.
///
/// # Errors
/// When the rows do not fit on disk.
pub fn events(world: &World, writer: &mut ResultsWriter) -> Result<()> {
    if world.resource::<Recorders>().events.every.is_none() {
        return Ok(());
    }
    let (clock, city, incidents) = (world.resource::<Clock>(), world.resource::<City>(), world.resource::<Incidents>());
    let mut log = incidents.log.clone();
    log.sort_by_key(|entry| (entry.tick, entry.part, entry.what));
    log.iter().try_for_each(|entry| {
        let part = &incidents.parts[entry.part as usize];
        let event = &incidents.events[part.event as usize];
        let building = part.building as usize;
        let zone = city.buildings.zone.get(building).map(|zone| zone.row());
        writer.events(&EventsRow {
            time: TimeMs(clock.utc_ms(entry.tick)),
            event: &event.name,
            kind: event.kind,
            part: &part.what,
            happening: entry.what.name(),
            building_id: city.buildings.id.get(building).map(String::as_str),
            zone_id: zone.and_then(|zone| city.zones.id.get(zone)).map(String::as_str),
        })
    })
}

/// Adds the indicators of group `event`: what began, what crews did, how long machines were out, what heaters took; only where
/// something happened.
pub(crate) fn kpis(collector: &mut Collector<'_>, world: &World) {
    let hours = |seconds: u64| seconds as f64 / 3600.0;
    if let Some(incidents) = world.get_resource::<Incidents>().filter(|of| !of.parts.is_empty()) {
        let count = |what| incidents.log.iter().filter(|entry| entry.what == what).count() as f64;
        collector.add("event", "parts_of_events_begun", count(Happening::Began), "parts").headline = true;
        collector.add("event", "parts_of_events_ended", count(Happening::Ended), "parts");
        if let Some(crews) = world.get_resource::<Crews>().filter(|of| !of.crews.is_empty()) {
            collector.add("event", "repairs_taken_on", crews.taken as f64, "repairs");
            collector.add("event", "repairs_waiting", crews.jobs.len() as f64, "repairs");
            let each = crews.taken.max(1) as f64;
            collector.add("event", "mean_wait_for_crew", hours(crews.wait_s) / each, "h");
            collector.add("event", "mean_way_of_crew", 60.0 * hours(crews.travel_s) / each, "min");
        }
    }
    if let Some(machines) = world.get_resource::<Machines>() {
        for (kind, name) in MachineKind::NAMED {
            let out_s: u64 = machines.of.iter().filter(|of| of.kind == kind).map(|of| of.out_s).sum();
            if out_s > 0 {
                collector.add("event", &format!("{name}_hours_out"), hours(out_s), "machine h").headline = true;
            }
        }
    }
    if let Some(heaters) = world.get_resource::<Heaters>().filter(|of| of.asked_j > 0.0) {
        let energy = heaters.asked_j / JOULES_PER_KWH / 1000.0;
        collector.add("event", "emergency_heating", energy, "MWh").headline = true;
        collector.add("event", "emergency_heating_peak", heaters.asked_max_w / 1e6, "MW");
    }
}
