//! What happened as MATSim events, for the tools of MATSim's users.
//!
//! Times are whole seconds, rounded down. A vehicle that is still on a link at the end of a run has not left
//! it, so its events end where it left the link before. Contract: a pure function of what was simulated;
//! events in order of time, then trip, then as they happened.

use super::simulate::Simulated;
use std::path::Path;
use urbis_core::Result;
use urbis_interop::TripsFile;
use urbis_interop::matsim::{Event, EventKind, EventNames, write_events};
use urbis_traffic::time::{TICK, Time};
use urbis_traffic::{LinkPassage, VehicleClass};

/// Writes the events of all passages.
pub(super) fn write(path: &Path, file: &TripsFile, simulated: &Simulated, link_id: &[String]) -> Result<()> {
    let persons: Vec<String> = (0..file.trips.len()).map(|row| file.trips.trip_id.text(row)).collect();
    let modes: Vec<String> = VehicleClass::NAMED.iter().map(|&(_, name)| name.to_owned()).collect();
    let names = EventNames { links: link_id, persons: &persons, vehicles: &persons, activities: &[], modes: &modes };
    let mode = |trip: usize| file.trips.vehicle_class.get(trip).copied().unwrap_or_default() as u32;
    write_events(path, names, events(simulated, &mode))
}

fn events(simulated: &Simulated, mode: &dyn Fn(usize) -> u32) -> Vec<Event> {
    let mut passages: Vec<&LinkPassage> = simulated.passages.iter().collect();
    passages.sort_by_key(|passage| (passage.trip, passage.left));
    let mut events = Vec::with_capacity(2 * passages.len() + passages.len() / 2);
    for of in passages.chunk_by(|a, b| a.trip == b.trip) {
        let row = of[0].trip.row();
        let (person, vehicle, mode) = (of[0].trip.0, of[0].trip.0, mode(row));
        let mut add = |at: Time, kind: EventKind| events.push((person, Event { time_s: at / TICK, kind }));
        let has_arrived = simulated.results.arrive[row];
        for (nth, passage) in of.iter().enumerate() {
            let link = passage.link.0;
            if nth == 0 {
                add(simulated.depart[row], EventKind::Departure { person, link, mode, routing_mode: mode });
                add(simulated.depart[row], EventKind::EntersVehicle { person, vehicle });
                add(passage.entered, EventKind::EntersTraffic { person, link, vehicle, mode });
            } else {
                add(passage.entered, EventKind::EnteredLink { link, vehicle });
            }
            if nth + 1 == of.len() && has_arrived == passage.left {
                add(passage.left, EventKind::LeavesTraffic { person, link, vehicle, mode });
                add(passage.left, EventKind::LeavesVehicle { person, vehicle });
                add(passage.left, EventKind::Arrival { person, link, mode });
            } else {
                add(passage.left, EventKind::LeftLink { link, vehicle });
            }
        }
    }
    events.sort_by_key(|(person, event)| (event.time_s, *person));
    events.into_iter().map(|(_, event)| event).collect()
}
