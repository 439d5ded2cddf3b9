//! Recorders of what traffic alone knows: traffic lights, gridlock, and every link that a vehicle left.

use crate::audit::Fault;
use crate::cells::TimeMs;
use crate::record::Recorders;
use crate::tables::{CrossingsRow, GridlockRow, ParkingRow, SignalsRow, TransitLoadRow};
use crate::writer::ResultsWriter;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Local, Res, ResMut};
use urbis_city::model::City;
use urbis_core::{Clock, Result, Tick, ZoneIx};
use urbis_coupling::{CityParking, CityTransit};
use urbis_population::Sites;
use urbis_traffic::time::{TICK, to_ms};
use urbis_traffic::{CarNetwork, CityPassages, GridlockReport, Signals, Traffic};

/// Where the present interval of table `signals` began.
#[derive(Clone, Debug, Default, Resource)]
pub struct SignalsBefore {
    rows: Vec<(f64, u32, u32)>,
}

/// Writes `signals`.
#[allow(clippy::too_many_arguments)] // a recorder reads what it records
pub fn signals(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    network: Res<'_, CarNetwork>,
    signals: Res<'_, Signals>,
    traffic: Res<'_, Traffic>,
    recorders: Res<'_, Recorders>,
    mut before: ResMut<'_, SignalsBefore>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    if signals.is_empty() || !recorders.signals.is_due(&clock) || fault.is_set() {
        return;
    }
    writer.at_tick(clock.tick());
    let (time, interval_s) = recorders.signals.interval(&clock);
    let engine = traffic.engine();
    let now: Vec<_> = signals
        .approaches(engine.tick() * TICK)
        .map(|approach| (approach, (approach.green_s, approach.changes, engine.passed(approach.link).1)))
        .collect();
    before.rows.resize(now.len(), (0.0, 0, 0));
    let mut write = || -> Result<()> {
        for ((approach, (green_s, changes, left)), (green_before_s, changes_before, left_before)) in
            now.iter().zip(&before.rows)
        {
            let link = network.city_link[approach.link.row()].row();
            if recorders.signals.covers(city.links.zone[link]) {
                writer.signals(&SignalsRow {
                    time,
                    interval_s,
                    node_id: &city.nodes.id[network.city_node[approach.node as usize].row()],
                    link_id: &city.links.id[link],
                    green_s: (green_s - green_before_s).max(0.0),
                    left_veh: u64::from(left.wrapping_sub(*left_before)),
                    queue_veh: u64::from(engine.queued(approach.link)),
                    changes: u64::from(changes - changes_before),
                    is_dark: approach.is_dark,
                })?;
            }
        }
        Ok(())
    };
    fault.keep(write());
    before.rows = now.into_iter().map(|(_, state)| state).collect();
}

/// Writes `crossings` of the tick.
#[allow(clippy::too_many_arguments)] // a recorder reads what it records
pub fn crossings(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    network: Res<'_, CarNetwork>,
    mut traffic: ResMut<'_, Traffic>,
    recorders: Res<'_, Recorders>,
    mut by_city: Local<'_, CityPassages>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    if recorders.crossings.every.is_none() || fault.is_set() {
        return;
    }
    writer.at_tick(clock.tick());
    let start_ms = clock.utc_ms(0);
    let mut write = || -> Result<()> {
        let passages = traffic.engine_mut().take_passages();
        for (link, passage) in by_city.by_city(&network, &passages) {
            let link = link.row();
            if recorders.crossings.covers(city.links.zone[link]) {
                writer.crossings(&CrossingsRow {
                    enter_time: TimeMs(start_ms + i64::from(to_ms(passage.entered))),
                    leave_time: TimeMs(start_ms + i64::from(to_ms(passage.left))),
                    trip_id: i64::from(passage.trip.0),
                    link_id: &city.links.id[link],
                })?;
            }
        }
        Ok(())
    };
    fault.keep(write());
}

/// Writes `parking`.
pub fn parking(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    mut parking: ResMut<'_, CityParking>,
    sites: Res<'_, Sites>,
    recorders: Res<'_, Recorders>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    if !parking.is_on() || !recorders.parking.is_due(&clock) || fault.is_set() {
        return;
    }
    writer.at_tick(clock.tick());
    let (time, interval_s) = recorders.parking.interval(&clock);
    let interval = parking.take_interval();
    let Some(areas) = parking.areas() else { return };
    let mut write = || -> Result<()> {
        let names = city.zones.id.iter().chain(&sites.id);
        for (area, (name, of)) in names.zip(&interval).enumerate() {
            let zone = if area < city.zones.len() { ZoneIx(area as u32) } else { ZoneIx::NONE };
            if recorders.parking.covers(zone) {
                writer.parking(&ParkingRow {
                    time,
                    interval_s,
                    zone_id: name,
                    spaces: u64::from(areas.spaces()[area]),
                    occupied: u64::from(areas.occupied()[area]),
                    arrivals: of.arrivals,
                    turned_away: of.turned_away,
                    search_s: (of.arrivals > 0).then(|| of.search_s / of.arrivals as f64),
                })?;
            }
        }
        Ok(())
    };
    fault.keep(write());
}

/// Writes `gridlock` after the last tick.
///
/// # Errors
/// When the rows do not fit on disk.
pub fn gridlock(
    clock: &Clock,
    city: &City,
    network: &CarNetwork,
    report: &GridlockReport,
    recorders: &Recorders,
    writer: &mut ResultsWriter,
) -> Result<()> {
    if recorders.gridlock.every.is_none() {
        return Ok(());
    }
    for row in &report.rows {
        let links = network.city_links(&row.links);
        let ids: Vec<&str> = links.iter().map(|link| city.links.id[link.row()].as_str()).collect();
        writer.gridlock(&GridlockRow {
            found_time: TimeMs(clock.utc_ms(row.found)),
            last_seen_time: TimeMs(clock.utc_ms(row.last_seen)),
            links: &ids.join(" "),
            link_count: ids.len() as u64,
            vehicles: u64::from(row.vehicles),
            released_moves: row.released_moves,
        })?;
    }
    Ok(())
}

/// Writes `transit_load`: what vehicles did at stops in the tick, as far as the table is on.
pub fn transit_load(
    clock: Res<'_, Clock>,
    recorders: Res<'_, Recorders>,
    mut transit: ResMut<'_, CityTransit>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    let is_due = clock.ends_interval(LOADS_TICKS) || !clock.has_next();
    if !transit.is_on() || !is_due || fault.is_set() {
        return;
    }
    let loads = transit.take_loads();
    let Some(table) = transit.timetable().filter(|_| recorders.transit_load.every.is_some()) else { return };
    writer.at_tick(clock.tick());
    let first_s = transit.second_at(0);
    let mut write = || -> Result<()> {
        loads.iter().try_for_each(|load| {
            let route = table.trip_route(load.trip).row();
            writer.transit_load(&TransitLoadRow {
                time: TimeMs(clock.utc_ms(0) + (i64::from(load.time_s) - i64::from(first_s)) * 1000),
                transit_route: &table.routes.id[route],
                transit_trip: &table.trips.id[load.trip.row()],
                kind: table.routes.kind[route].name(),
                stop_id: &table.stops.id[load.stop.row()],
                stop_number: u64::from(load.place) + 1,
                boarded: u64::from(load.boarded),
                alighted: u64::from(load.alighted),
                on_board: u64::from(load.on_board),
                left_behind: u64::from(load.left_behind),
                places: u64::from(load.capacity),
                delay_s: f64::from(load.delay_s),
            })
        })
    };
    fault.keep(write());
}

/// Ticks between writings of what vehicles did.
const LOADS_TICKS: Tick = 900;
