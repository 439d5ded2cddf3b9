//! Calls of the emergency services: their table, their indicators and their law.

use crate::audit::{Fault, recounts_now};
use crate::cells::TimeMs;
use crate::kpis::Collector;
use crate::record::Recorders;
use crate::tables::EmergencyCallRow;
use crate::writer::ResultsWriter;
use bevy_ecs::system::{Res, ResMut};
use bevy_ecs::world::World;
use urbis_city::model::City;
use urbis_core::{Clock, Error, Result};
use urbis_coupling::emergency::dispatch::{CallState, NONE, ServiceKind};
use urbis_coupling::{CallPlace, Emergency};

/// Response within which a call counts as answered in time, s: eight minutes, as services of many countries are held
/// to.
const IN_TIME_S: f64 = 480.0;

/// Checks the calls: running counts every tick, every call and unit anew at recounts.
pub fn audit(clock: Res<'_, Clock>, emergency: Option<Res<'_, Emergency>>, mut fault: ResMut<'_, Fault>) {
    let Some(emergency) = emergency else { return };
    let dispatcher = emergency.dispatcher();
    let books = ServiceKind::NAMED.map(|(kind, _)| dispatcher.books(kind));
    let mut found = match books.iter().all(|books| books.balance()) {
        true => Ok(()),
        false => Err(format!("{books:?}")),
    };
    if recounts_now(&clock) {
        found = found.and_then(|()| dispatcher.check());
    }
    fault.keep(found.map_err(|what| Error::BrokenLedger {
        tick: clock.tick(),
        law: "emergency calls received = waiting + under way + answered, and a unit is in one place".to_owned(),
        rows: format!("  {what}"),
    }));
}

/// A call's times by the unit that was there first, s.
struct Response {
    wait_s: f64,
    turnout_s: f64,
    travel_s: f64,
    unit: usize,
}

impl Response {
    fn of(emergency: &Emergency, call: usize) -> Option<Self> {
        let dispatcher = emergency.dispatcher();
        let (calls, sendings) = (dispatcher.calls(), dispatcher.sendings());
        let first = Some(calls.first[call]).filter(|&first| first != NONE)? as usize;
        Some(Self {
            wait_s: (sendings.sent_ms[first] - calls.request[call].time_ms) as f64 / 1000.0,
            turnout_s: f64::from(sendings.turnout_ms[first]) / 1000.0,
            travel_s: f64::from(sendings.travel_ms[first]) / 1000.0,
            unit: sendings.unit[first] as usize,
        })
    }
    fn response_s(&self) -> f64 {
        self.wait_s + self.turnout_s + self.travel_s
    }
}

/// Writes `emergency_call` after the last tick.
///
/// # Errors
/// When the rows do not fit on disk.
pub fn calls(world: &World, writer: &mut ResultsWriter) -> Result<()> {
    let Some(emergency) = world.get_resource::<Emergency>() else { return Ok(()) };
    if world.resource::<Recorders>().emergency_call.every.is_none() {
        return Ok(());
    }
    let (city, clock) = (world.resource::<City>(), world.resource::<Clock>());
    let dispatcher = emergency.dispatcher();
    let (calls, units, stations) = (dispatcher.calls(), dispatcher.units(), emergency.stations());
    for (call, origin) in emergency.origins().iter().enumerate() {
        let request = &calls.request[call];
        let building = match origin.at {
            CallPlace::Building(building) => Some(building.row()),
            CallPlace::Node(_) => None,
        };
        let zone = match origin.at {
            CallPlace::Building(building) => city.buildings.zone[building.row()],
            CallPlace::Node(node) => city.nodes.zone[node.row()],
        };
        let response = Response::of(emergency, call);
        let is_over = calls.left[call] == calls.needed[call];
        let status = match calls.state[call] {
            // Put in for a time that the period does not reach.
            CallState::Announced => continue,
            CallState::Waiting => "waiting",
            CallState::UnderWay => "under_way",
            CallState::Answered if is_over => "done",
            CallState::Answered => "on_scene",
        };
        let utc = |ms: u64| TimeMs(clock.utc_ms(0) + ms as i64);
        let station = response.as_ref().map(|of| units.station[of.unit] as usize);
        let hospital = Some(calls.hospital[call]).filter(|&hospital| hospital != NONE);
        writer.emergency_call(&EmergencyCallRow {
            time: utc(request.time_ms),
            call_id: call as u64,
            kind: request.kind.name(),
            priority: u64::from(request.priority),
            cause: if origin.is_placed { "event" } else { "people" },
            building_id: building.map(|row| city.buildings.id[row].as_str()),
            zone_id: zone.is_some().then(|| city.zones.id[zone.row()].as_str()),
            node_id: origin.node.is_some().then(|| city.nodes.id[origin.node.row()].as_str()),
            units_needed: u64::from(calls.needed[call]),
            units_sent: u64::from(calls.sent[call]),
            station_id: station.map(|row| stations.sites.id[row].as_str()),
            wait_s: response.as_ref().map(|of| of.wait_s),
            turnout_s: response.as_ref().map(|of| of.turnout_s),
            travel_s: response.as_ref().map(|of| of.travel_s),
            response_s: response.as_ref().map(Response::response_s),
            scene_end_time: is_over.then(|| utc(calls.end_ms[call])),
            hospital_id: hospital.map(|row| stations.hospitals.id[row as usize].as_str()),
            status,
        })?;
    }
    Ok(())
}

/// The value that so large a share of sorted ones does not exceed (nearest rank); `None` of none.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

/// Adds the indicators of group `emergency`.
pub(crate) fn responses(collector: &mut Collector<'_>, world: &World, days: f64) {
    let Some(emergency) = world.get_resource::<Emergency>() else { return };
    let dispatcher = emergency.dispatcher();
    for (kind, name) in ServiceKind::NAMED {
        let books = dispatcher.books(kind);
        let units = f64::from(dispatcher.units_of(kind));
        let mut add = |indicator: &str, value: f64, unit: &str, headline: bool| {
            collector.add("emergency", &format!("{indicator}_{name}"), value, unit).headline = headline;
        };
        add("calls", books.received as f64 / days, "calls/day", true);
        add("unanswered_calls", (books.waiting + books.under_way) as f64, "calls", false);
        if units > 0.0 {
            let busy_s = dispatcher.busy_ms(kind) as f64 / 1000.0;
            add("busy_units", 100.0 * busy_s / (units * days * 86_400.0), "percent", false);
        }
        let of_kind = (0..emergency.origins().len()).filter(|&call| dispatcher.calls().request[call].kind == kind);
        let responses = of_kind.filter_map(|call| Response::of(emergency, call)).map(|of| of.response_s());
        let mut sorted: Vec<f64> = responses.collect();
        sorted.sort_by(f64::total_cmp);
        let Some(p90_s) = quantile(&sorted, 0.9) else { continue };
        let count = sorted.len() as f64;
        let in_time = sorted.partition_point(|&response_s| response_s <= IN_TIME_S) as f64;
        add("response_mean", sorted.iter().sum::<f64>() / count / 60.0, "min", true);
        add("response_90th", p90_s / 60.0, "min", true);
        add("response_within_8_min", 100.0 * in_time / count, "percent", true);
    }
    let coverage = emergency.coverage();
    for (indicator, share) in
        [("fire_station_coverage", coverage.fire_share), ("hospital_coverage", coverage.hospital_share)]
    {
        if let Some(share) = share {
            collector.add("emergency", indicator, 100.0 * share, "percent").headline = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!([0.0, 0.5, 0.9, 1.0].map(|share| quantile(&ten, share)), [1.0, 5.0, 9.0, 10.0].map(Some));
        assert_eq!(quantile(&ten[..1], 0.9), Some(1.0));
        assert_eq!(quantile(&[], 0.9), None);
    }
}
