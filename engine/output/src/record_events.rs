//! What events did, when crews came, what machines were out, and what traffic does to people: tables `events` and `exposure`,
//! and indicators.

use crate::audit::Fault;
use crate::cells::TimeMs;
use crate::kpis::Collector;
use crate::record::Recorders;
use crate::tables::{EventsRow, ExposureRow};
use crate::writer::ResultsWriter;
use bevy_ecs::system::{Res, ResMut};
use bevy_ecs::world::World;
use urbis_city::model::City;
use urbis_core::units::JOULES_PER_KWH;
use urbis_core::{Clock, Result, ZoneIx};
use urbis_coupling::event::state::Happening;
use urbis_coupling::powered::MachineKind;
use urbis_coupling::{Crews, Exposure, Heaters, Incidents, Machines};
use urbis_population::simple_modes::PopulationModel;

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

/// Writes `exposure` when an hour is over.
pub fn exposure(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    model: Res<'_, PopulationModel>,
    recorders: Res<'_, Recorders>,
    exposure: Option<Res<'_, Exposure>>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    const HOUR_S: u32 = 3600;
    let is_on = recorders.exposure.every.is_some() && clock.ends_interval(HOUR_S) && !fault.is_set();
    let Some(of) = exposure.filter(|_| is_on) else { return };
    writer.at_tick(clock.tick());
    let time = TimeMs(clock.utc_ms(clock.next() - HOUR_S));
    let each = 1.0 / model.sample_factor;
    let mut write = || -> Result<()> {
        for (zone, id) in city.zones.id.iter().enumerate() {
            if !recorders.exposure.covers(ZoneIx(zone as u32)) {
                continue;
            }
            let persons = of.persons[zone];
            writer.exposure(&ExposureRow {
                time,
                interval_s: f64::from(HOUR_S),
                zone_id: id,
                persons: persons as f64 * each,
                above_55_db: of.above[0][zone] as f64 * each,
                above_65_db: of.above[1][zone] as f64 * each,
                nox_ug_per_m3: (persons > 0).then(|| of.nox_persons[zone] / persons as f64),
            })?;
        }
        Ok(())
    };
    fault.keep(write());
}

/// Adds the indicators of group `event`: what began, what crews did, how long machines were out, what heaters took; only where
/// something happened.
pub(crate) fn kpis(collector: &mut Collector<'_>, world: &World) {
    if let Some(of) = world.get_resource::<Exposure>().filter(|of| of.total[0] > 0) {
        let all = of.total[0] as f64;
        for (name, above) in ["share_above_55_db", "share_above_65_db"].into_iter().zip(&of.total[1..]) {
            collector.add("exposure", name, 100.0 * *above as f64 / all, "percent").headline = true;
        }
        collector.add("exposure", "nox_of_traffic_where_people_are", of.total_nox / all, "ug/m3").headline = true;
    }
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
