//! Events while a run goes on: parts of them begin and end at their ticks, or when a crew has repaired them.
//!
//! Networks see them from the next step on. Contract: in order of time, then part; the same on any number of threads.

use super::PipedNetwork;
use super::depth_at;
use super::effects::{Effect, Part};
use crate::evacuation::Evacuations;
use crate::floods::Floods;
use crate::policy::state::Policies;
use crate::powered::Machines;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use urbis_core::{Clock, Domain, Tick};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::power::CityGrid;
use urbis_utility::power::operation::Fault;
use urbis_utility::telecom::city::CityTelecom;
use urbis_utility::water::city::CityWater;

/// What happened to a part of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happening {
    /// It began.
    Began,
    /// A crew set out for it.
    CrewLeft,
    /// The crew was there.
    CrewArrived,
    /// It is over.
    Ended,
}

urbis_core::named!(Happening {
    Began = "began",
    CrewLeft = "crew_left",
    CrewArrived = "crew_arrived",
    Ended = "ended",
});

/// An entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// When.
    pub tick: Tick,
    /// Which part.
    pub part: u32,
    /// What.
    pub what: Happening,
}

/// An event as it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventName {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
}

/// Events of a run.
#[derive(Clone, Debug, Default, Resource)]
pub struct Incidents {
    /// Names, by event.
    pub events: Vec<EventName>,
    /// What they do.
    pub parts: Vec<Part>,
    /// What happened so far.
    pub log: Vec<LogEntry>,
    /// Parts that began and have no end yet, since when nobody has been told.
    pub waiting: Vec<u32>,
    /// By building: whether it lies in the area of a flood, an earthquake or an order to leave; empty where none has an area.
    pub in_hazard: Vec<bool>,
    /// To come: when, which part, and whether it ends.
    queue: BinaryHeap<Reverse<(Tick, u32, bool)>>,
    /// Causes of faults in the grid, by part.
    causes: BTreeMap<u32, u32>,
    /// Parts that bring water at the moment.
    flooding: Vec<u32>,
}

impl Incidents {
    /// Events to come.
    #[must_use]
    pub fn new(events: Vec<EventName>, parts: Vec<Part>) -> Self {
        let mut queue = BinaryHeap::new();
        for (row, part) in parts.iter().enumerate() {
            queue.push(Reverse((part.begins, row as u32, false)));
            if let Some(ends) = part.ends {
                queue.push(Reverse((ends, row as u32, true)));
            }
        }
        Self { events, parts, queue, ..Self::default() }
    }
    /// Tells the grid what will fail in it and when, so that power flow sees each fault in the step in which it lies.
    pub fn tell_grid(&mut self, grid: &mut CityGrid) {
        for (row, part) in self.parts.iter().enumerate() {
            let Effect::Power(element) = part.effect else { continue };
            let name = format!("{}: {}", self.events[part.event as usize].name, part.what);
            let repair_s = part.ends.map_or(u32::MAX, |ends| ends.saturating_sub(part.begins));
            self.causes.insert(row as u32, grid.fail(Fault { start_s: part.begins, element, repair_s, name }));
        }
    }
    /// Ends a part that has no end yet.
    pub fn end(&mut self, part: u32, tick: Tick, grid: Option<&mut CityGrid>) {
        if let (Some(&cause), Some(grid)) = (self.causes.get(&part), grid) {
            grid.repair(cause, tick);
        }
        self.parts[part as usize].ends = Some(tick);
        self.queue.push(Reverse((tick, part, true)));
    }
    /// Whether anything is left to happen, or water stands.
    fn sleeps(&self, tick: Tick) -> bool {
        self.flooding.is_empty() && self.queue.peek().is_none_or(|Reverse((next, ..))| *next > tick)
    }
}

/// Lets begin and end what is due.
#[allow(clippy::too_many_arguments)] // events touch everything
pub fn happen(
    clock: Res<'_, Clock>,
    mut incidents: ResMut<'_, Incidents>,
    mut policies: ResMut<'_, Policies>,
    mut floods: ResMut<'_, Floods>,
    mut machines: ResMut<'_, Machines>,
    mut evacuations: ResMut<'_, Evacuations>,
    mut water: Option<ResMut<'_, CityWater>>,
    mut gas: Option<ResMut<'_, CityGas>>,
    mut heat: Option<ResMut<'_, CityHeat>>,
    mut telecom: Option<ResMut<'_, CityTelecom>>,
) {
    let tick = clock.tick();
    if incidents.sleeps(tick) {
        return;
    }
    while let Some(&Reverse((due, row, ends))) = incidents.queue.peek() {
        if due > tick {
            break;
        }
        incidents.queue.pop();
        let begins = !ends;
        let what = if begins { Happening::Began } else { Happening::Ended };
        incidents.log.push(LogEntry { tick: due, part: row, what });
        let Incidents { parts, waiting, flooding, .. } = &mut *incidents;
        let part = &parts[row as usize];
        match &part.effect {
            &Effect::Close(link) => policies.incidents.close(link, begins),
            &Effect::Narrow(link, share) => policies.incidents.narrow(link, share, begins),
            Effect::Flood { .. } if begins => flooding.push(row),
            Effect::Flood { .. } => flooding.retain(|&of| of != row),
            // The grid knows of it since the start, see `tell_grid`; so do gatherings.
            Effect::Power(_) | Effect::Gather(_) => {}
            &Effect::Piped(PipedNetwork::Water, link) => water.iter_mut().for_each(|of| of.hold_out(link, begins)),
            &Effect::Piped(PipedNetwork::Gas, element) => gas.iter_mut().for_each(|of| of.hold_out(element, begins)),
            &Effect::Piped(PipedNetwork::Heat, element) => heat.iter_mut().for_each(|of| of.hold_out(element, begins)),
            &Effect::Leak { node, m3ps_per_sqrt_m } => {
                let more = if begins { m3ps_per_sqrt_m } else { -m3ps_per_sqrt_m };
                water.iter_mut().for_each(|of| of.add_leak(node, more));
            }
            &Effect::Machine(machine) => {
                let held = &mut machines.of[machine as usize].held;
                *held = if begins { *held + 1 } else { held.saturating_sub(1) };
            }
            &Effect::Evacuate(order) => evacuations.tell(order, begins),
            &Effect::Site(site) => telecom.iter_mut().for_each(|of| of.silence(site, begins)),
        }
        if begins && part.ends.is_none() && part.effect.trade().is_some() {
            waiting.push(row);
        }
    }
    if clock.is_due(Domain::Power) {
        floods.of_events_m = depths(&incidents, tick);
    }
}

/// Water that events bring, the deepest of several on a road.
fn depths(incidents: &Incidents, tick: Tick) -> BTreeMap<urbis_core::CarLinkIx, f64> {
    let mut of = BTreeMap::new();
    for part in incidents.flooding.iter().map(|&row| &incidents.parts[row as usize]) {
        let Effect::Flood { links, depth } = &part.effect else { continue };
        let depth_m = depth_at(depth, f64::from(tick - part.begins) / 3600.0);
        if depth_m > 0.0 {
            for &link in links {
                let deepest: &mut f64 = of.entry(link).or_insert(0.0);
                *deepest = deepest.max(depth_m);
            }
        }
    }
    of
}
