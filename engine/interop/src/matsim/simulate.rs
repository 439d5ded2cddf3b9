//! Plans in MATSim's queue model: persons end activities, travel, and start the next, second by second.
//!
//! Rules, as the events of MATSim's Rust port show them:
//! - An activity ends at its end time, or after its duration where it has none, at the first whole second.
//! - A leg starts at the second at which the activity ends. Legs of the network mode drive
//!   (`urbis_traffic::queue_model`); others take their travel time, up to the next whole second. A leg that neither
//!   drives nor has a time takes none, and is counted.
//! - The next activity starts one second after the arrival.
//! - Within a second: persons by row, then nodes, then links.
//!
//! A person whose activity has no end, or whose drive has no route, stays where it is and is counted.
//! Ignores: that two persons could share a vehicle; boarding times. Contract: serial; the same events in the same
//! order on any machine.

use super::events::{Event, EventKind};
use super::plans::{MatsimPlans, NONE};
use crate::network::RoadNetwork;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use urbis_core::Result;
use urbis_traffic::queue_model::{QueueEventKind, QueueModel, QueueSettings, whole_second};

/// What became of the plans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlansRun {
    /// Legs that drove to their end.
    pub driven: u64,
    /// Legs that took their travel time.
    pub teleported: u64,
    /// Of those, legs of unknown travel time, which took none.
    pub without_time: u64,
    /// Passages from a link to the next.
    pub crossings: u64,
    /// Persons who did not reach their last activity.
    pub unfinished: u64,
    /// Last second at which something happened.
    pub end_s: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Arrives,
    StartsActivity,
    EndsActivity,
}

/// Simulates plans that [`super::prepare`] has made ready and hands every event to `sink`, which may stop the run.
/// Names of the rows in events are those of network and plans.
///
/// # Errors
/// What the network's figures or `sink` give.
pub fn simulate_plans(
    network: &RoadNetwork,
    plans: &MatsimPlans,
    mode: &str,
    settings: &QueueSettings,
    mut sink: impl FnMut(Event) -> Result<()>,
) -> Result<PlansRun> {
    let mut model = QueueModel::new(&network.columns, plans.route_links.clone(), settings)?;
    let main = plans.mode(mode).unwrap_or(NONE);
    let persons = plans.persons.len();
    let mut people = People {
        plans,
        main,
        at: plans.first_activity[..persons].to_vec(),
        due: BinaryHeap::new(),
        run: PlansRun::default(),
    };
    for person in 0..persons as u32 {
        people.schedule_end(0, person);
    }
    let mut events = Vec::new();
    loop {
        let person_s = people.due.peek().map(|Reverse((time, ..))| *time);
        let Some(now_s) = person_s.into_iter().chain(model.next_s()).min() else { break };
        if settings.end_s.is_some_and(|end_s| now_s >= end_s) {
            break;
        }
        people.run.end_s = now_s;
        while let Some(&Reverse((time, person, step))) = people.due.peek()
            && time <= now_s
        {
            people.due.pop();
            people.step(now_s, person, step, &mut model, &mut events);
        }
        model.step(now_s, |event| {
            let (person, link) = (event.vehicle, event.link);
            let leg = &plans.legs[people.at[person as usize] as usize - person as usize];
            let (vehicle, mode) = (leg.vehicle, leg.mode);
            events.push(match event.kind {
                QueueEventKind::EntersTraffic => EventKind::EntersTraffic { person, link, vehicle, mode },
                QueueEventKind::LeftLink => EventKind::LeftLink { link, vehicle },
                QueueEventKind::EnteredLink => EventKind::EnteredLink { link, vehicle },
                QueueEventKind::LeavesTraffic => EventKind::LeavesTraffic { person, link, vehicle, mode },
            });
            match event.kind {
                QueueEventKind::EnteredLink => people.run.crossings += 1,
                QueueEventKind::LeavesTraffic => {
                    people.run.driven += 1;
                    events.push(EventKind::LeavesVehicle { person, vehicle });
                    events.push(EventKind::Arrival { person, link, mode });
                    people.due.push(Reverse((now_s.saturating_add(1), person, Step::StartsActivity)));
                }
                QueueEventKind::EntersTraffic | QueueEventKind::LeftLink => {}
            }
        });
        for kind in events.drain(..) {
            sink(Event { time_s: now_s, kind })?;
        }
    }
    let last = |person: usize| plans.first_activity[person + 1] - 1;
    people.run.unfinished = (0..persons).filter(|&person| people.at[person] != last(person)).count() as u64;
    Ok(people.run)
}

struct People<'a> {
    plans: &'a MatsimPlans,
    main: u32,
    /// The activity each person does, or did before the leg it is on.
    at: Vec<u32>,
    due: BinaryHeap<Reverse<(u32, u32, Step)>>,
    run: PlansRun,
}

impl People<'_> {
    /// When the activity that starts now will end, if ever.
    fn schedule_end(&mut self, now_s: u32, person: u32) {
        let at = self.at[person as usize];
        if at + 1 == self.plans.first_activity[person as usize + 1] {
            return;
        }
        let activity = &self.plans.activities[at as usize];
        let after = f64::from(now_s) + activity.duration_s;
        // A first activity without an end of its own ends when the leg is planned to start.
        let planned = self.plans.legs[at as usize - person as usize].depart_s;
        let Some(end_s) = [activity.end_s, after, planned].into_iter().find(|time| !time.is_nan()) else { return };
        self.due.push(Reverse((whole_second(end_s).max(now_s), person, Step::EndsActivity)));
    }

    fn step(&mut self, now_s: u32, person: u32, step: Step, model: &mut QueueModel, events: &mut Vec<EventKind>) {
        let plans = self.plans;
        let at = self.at[person as usize];
        let activity = &plans.activities[at as usize];
        match step {
            Step::EndsActivity => {
                let (link, x, y) = (activity.link, activity.x, activity.y);
                let leg = &plans.legs[at as usize - person as usize];
                events.push(EventKind::ActivityEnds { person, link, x, y, activity: activity.kind });
                events.push(EventKind::Departure { person, link, mode: leg.mode, routing_mode: leg.routing_mode });
                if leg.mode == self.main {
                    if !leg.route.is_empty() {
                        events.push(EventKind::EntersVehicle { person, vehicle: leg.vehicle });
                        model.depart(now_s, person, leg.route.clone(), 1.0);
                    }
                    return;
                }
                self.run.without_time += u64::from(leg.travel_s.is_nan());
                let arrive_s = whole_second(f64::from(now_s) + leg.travel_s.max(0.0)).max(now_s);
                if arrive_s == now_s {
                    self.arrive(now_s, person, events);
                } else {
                    self.due.push(Reverse((arrive_s, person, Step::Arrives)));
                }
            }
            Step::Arrives => self.arrive(now_s, person, events),
            Step::StartsActivity => {
                self.at[person as usize] += 1;
                let activity = &plans.activities[at as usize + 1];
                let (link, x, y) = (activity.link, activity.x, activity.y);
                events.push(EventKind::ActivityStarts { person, link, x, y, activity: activity.kind });
                self.schedule_end(now_s, person);
            }
        }
    }

    /// The end of a leg that was not driven.
    fn arrive(&mut self, now_s: u32, person: u32, events: &mut Vec<EventKind>) {
        let at = self.at[person as usize] as usize;
        let leg = &self.plans.legs[at - person as usize];
        let distance_m = if leg.distance_m.is_nan() { 0.0 } else { leg.distance_m };
        self.run.teleported += 1;
        events.push(EventKind::Travelled { person, distance_m, mode: leg.mode });
        let link = self.plans.activities[at + 1].link;
        events.push(EventKind::Arrival { person, link, mode: leg.mode });
        self.due.push(Reverse((now_s.saturating_add(1), person, Step::StartsActivity)));
    }
}
