//! Repair crews: what an event broke is whole again when a crew of its trade has been there.
//!
//! A part that begins without an end calls a crew. Whenever a crew is free and a job waits, the job is chosen that the rule
//! puts first, and the crew that gets there soonest takes it: it sets out by the fastest way under the travel times of the
//! moment, works for the hours of its trade, and is free where it worked. On the way it is let through where roads are closed.
//!
//! | rule | first comes |
//! | --- | --- |
//! | `first_come` | what has waited longest |
//! | `most_people` | where most people of the zone went without that utility in the last step; then what has waited longest |
//! | `nearest` | what a free crew reaches soonest |
//!
//! Law: every job is open, under way or done, and no crew is in two places. Ignored: shifts, material, crews that are slow
//! in the dark, vehicles of crews on the road (they add nothing to traffic).
//! Contract: sequential, in order of jobs and crews; the same on any number of threads.

use crate::event::state::{Happening, Incidents, LogEntry};
use crate::services::Services;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use urbis_city::model::City;
use urbis_core::{Clock, Tick};
use urbis_population::Places;
use urbis_traffic::{CarNetwork, Router, Traffic};
use urbis_utility::power::CityGrid;
use urbis_utility::wiring::Utility;

/// Who repairs what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trade {
    /// Cables, lines, transformers.
    Power,
    /// Water mains.
    Water,
    /// Gas pipes.
    Gas,
    /// District heat.
    Heat,
    /// Roads.
    Roads,
    /// Controllers and mobile sites.
    Controls,
}

urbis_core::named!(Trade {
    Power = "power",
    Water = "water",
    Gas = "gas",
    Heat = "heat",
    Roads = "roads",
    Controls = "controls",
});

impl Trade {
    /// What people miss while its work waits.
    fn utility(self) -> Option<Utility> {
        match self {
            Self::Power => Some(Utility::Electricity),
            Self::Water => Some(Utility::Water),
            Self::Gas => Some(Utility::Gas),
            Self::Heat => Some(Utility::Heat),
            Self::Controls => Some(Utility::Telecom),
            Self::Roads => None,
        }
    }
}

/// Which job comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RepairRule {
    /// What has waited longest.
    #[default]
    FirstCome,
    /// Where most people go without.
    MostPeople,
    /// What a crew reaches soonest.
    Nearest,
}

/// Repair crews. Without any, what is broken stays so to the end of the period unless its event says for how long.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RepairSettings {
    /// Which job comes first.
    pub rule: RepairRule,
    /// Ids of the buildings where crews start, in turn; the building nearest to the middle of all where absent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depots: Vec<String>,
    /// Crews of each trade.
    pub crews: CrewCounts,
    /// Hours of work on a job of each trade (estimates).
    pub work_h: WorkHours,
}

/// Crews of each trade.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CrewCounts {
    /// Cables, lines, transformers.
    pub power: u32,
    /// Water mains.
    pub water: u32,
    /// Gas pipes.
    pub gas: u32,
    /// District heat.
    pub heat: u32,
    /// Roads.
    pub roads: u32,
    /// Controllers and mobile sites.
    pub controls: u32,
}

impl CrewCounts {
    fn of(&self, trade: Trade) -> u32 {
        match trade {
            Trade::Power => self.power,
            Trade::Water => self.water,
            Trade::Gas => self.gas,
            Trade::Heat => self.heat,
            Trade::Roads => self.roads,
            Trade::Controls => self.controls,
        }
    }
}

/// Hours of work on a job of each trade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkHours {
    /// Cables, lines, transformers.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub power: f64,
    /// Water mains.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub water: f64,
    /// Gas pipes.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub gas: f64,
    /// District heat.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub heat: f64,
    /// Roads.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub roads: f64,
    /// Controllers and mobile sites.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub controls: f64,
}

impl Default for WorkHours {
    fn default() -> Self {
        Self { power: 4.0, water: 6.0, gas: 4.0, heat: 8.0, roads: 1.0, controls: 1.0 }
    }
}

impl WorkHours {
    fn of(&self, trade: Trade) -> f64 {
        match trade {
            Trade::Power => self.power,
            Trade::Water => self.water,
            Trade::Gas => self.gas,
            Trade::Heat => self.heat,
            Trade::Roads => self.roads,
            Trade::Controls => self.controls,
        }
    }
}

impl RepairSettings {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
    /// Whether there are crews of a trade.
    #[must_use]
    pub fn has(&self, trade: Trade) -> bool {
        self.crews.of(trade) > 0
    }
}

/// A crew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crew {
    /// What it repairs.
    pub trade: Trade,
    /// Where it is or goes: a node of the car network; [`u32::MAX`] off it.
    pub node: u32,
    /// When it is free.
    pub free: Tick,
}

/// A job that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Part of an event.
    pub part: u32,
    /// Who has to come.
    pub trade: Trade,
    /// Where: a node of the car network; [`u32::MAX`] off it.
    pub node: u32,
    /// Since when.
    pub called: Tick,
    /// People who go without for it.
    pub people: u64,
}

/// A crew that takes a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Row of the crew.
    pub crew: usize,
    /// Row of the job.
    pub job: usize,
    /// Its way, seconds.
    pub travel_s: u32,
}

/// Who does which job next: of jobs whose trade has a free crew the first by the rule, with the crew that is there soonest.
/// Ties go to the lower row. `travel_s` is the time from a crew to a job.
#[must_use]
pub fn choose(
    jobs: &[Job],
    crews: &[Crew],
    now: Tick,
    rule: RepairRule,
    travel_s: impl Fn(usize, usize) -> u32,
) -> Option<Assignment> {
    let soonest = |(row, job): (usize, &Job)| {
        let free = crews.iter().enumerate().filter(|(_, crew)| crew.trade == job.trade && crew.free <= now);
        let of = |(crew, _): (usize, &Crew)| Assignment { crew, job: row, travel_s: travel_s(crew, row) };
        free.map(of).min_by_key(|of| (of.travel_s, of.crew))
    };
    let options = jobs.iter().enumerate().filter_map(soonest);
    options.min_by_key(|of| {
        let job = &jobs[of.job];
        match rule {
            RepairRule::FirstCome => (0, u64::from(job.called), of.job),
            RepairRule::MostPeople => (u64::MAX - job.people, u64::from(job.called), of.job),
            RepairRule::Nearest => (u64::from(of.travel_s), u64::from(job.called), of.job),
        }
    })
}

/// Crews of a run.
#[derive(Clone, Debug, Default, Resource)]
pub struct Crews {
    rule: RepairRule,
    work_h: WorkHours,
    /// All of them.
    pub crews: Vec<Crew>,
    /// Jobs that wait.
    pub jobs: Vec<Job>,
    /// Jobs that were taken.
    pub taken: u64,
    /// Time on the way, seconds.
    pub travel_s: u64,
    /// Time that jobs waited for a crew to set out, seconds.
    pub wait_s: u64,
    /// Crews that arrive: when, and for which part.
    arrivals: Vec<(Tick, u32)>,
}

/// Time of a way off the network, seconds: nobody knows it, an hour is an estimate.
const NO_WAY_S: u32 = 3600;

impl Crews {
    /// Crews that wait at nodes of the car network, in turn.
    #[must_use]
    pub fn new(settings: &RepairSettings, depots: &[u32]) -> Self {
        let mut crews = Vec::new();
        for (trade, _) in Trade::NAMED {
            for _ in 0..settings.crews.of(trade) {
                let node = depots.get(crews.len() % depots.len().max(1)).copied().unwrap_or(u32::MAX);
                crews.push(Crew { trade, node, free: 0 });
            }
        }
        Self { rule: settings.rule, work_h: settings.work_h.clone(), crews, ..Self::default() }
    }
}

/// Sends crews to what is broken, and lets what they have repaired be whole again.
#[allow(clippy::too_many_arguments)] // crews go through the city's traffic
pub fn send_crews(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    places: Res<'_, Places>,
    network: Res<'_, CarNetwork>,
    traffic: Res<'_, Traffic>,
    router: Res<'_, Router>,
    services: Res<'_, Services>,
    mut grid: Option<ResMut<'_, CityGrid>>,
    mut incidents: ResMut<'_, Incidents>,
    mut crews: ResMut<'_, Crews>,
) {
    if crews.crews.is_empty() {
        return;
    }
    let now = clock.tick();
    let Crews { rule, work_h, crews, jobs, taken, travel_s: travelled_s, wait_s, arrivals } = &mut *crews;
    let Incidents { parts, waiting, log, .. } = &mut *incidents;
    arrivals.retain(|&(tick, part)| {
        let is_there = tick <= now;
        if is_there {
            log.push(LogEntry { tick, part, what: Happening::CrewArrived });
        }
        !is_there
    });
    for part in waiting.drain(..) {
        let of = &parts[part as usize];
        let Some(trade) = of.effect.trade() else { continue };
        let node = places.car_node.get(of.building as usize).and_then(|&node| network.node_of(node));
        jobs.push(Job { part, trade, node: node.unwrap_or(u32::MAX), called: now, people: 0 });
    }
    let has_free = |job: &Job| crews.iter().any(|crew| crew.trade == job.trade && crew.free <= now);
    if !jobs.iter().any(has_free) {
        return;
    }
    for job in jobs.iter_mut() {
        let building = parts[job.part as usize].building as usize;
        let zone = city.buildings.zone.get(building).map(|zone| zone.row());
        let of = services.of.iter().find(|of| job.trade.utility() == Some(of.utility));
        job.people = zone.and_then(|zone| Some(*of?.now.get(zone)?)).unwrap_or(0);
    }
    // Crews are let through where roads are closed, so nothing is added to travel times.
    let metric = router.travel_time_metric_with(traffic.travel_times_ms(), &[]);
    let pairs: Vec<(usize, usize)> =
        (0..crews.len()).flat_map(|crew| (0..jobs.len()).map(move |job| (crew, job))).collect();
    let on_net = |node: u32| if (node as usize) < network.nodes() { node } else { 0 };
    let queries: Vec<(u32, u32)> =
        pairs.iter().map(|&(crew, job)| (on_net(crews[crew].node), on_net(jobs[job].node))).collect();
    let ways_s: Vec<u32> = router
        .cost_batch_under(&metric, &queries)
        .into_iter()
        .zip(&pairs)
        .map(|(ms, &(crew, job))| match ms {
            _ if crews[crew].node == u32::MAX || jobs[job].node == u32::MAX => NO_WAY_S,
            Some(ms) => ms.div_ceil(1000),
            None if crews[crew].node == jobs[job].node => 0,
            None => NO_WAY_S,
        })
        .collect();
    let mut open: Vec<usize> = (0..jobs.len()).collect();
    let mut ends: Vec<(u32, Tick)> = Vec::new();
    let count = jobs.len();
    loop {
        let now_open: Vec<Job> = open.iter().map(|&row| jobs[row]).collect();
        let way = |crew: usize, job: usize| ways_s[crew * count + open[job]];
        let Some(Assignment { crew, job, travel_s }) = choose(&now_open, crews, now, *rule, way) else { break };
        let Job { part, trade, node, called, .. } = now_open[job];
        let arrives = now.saturating_add(travel_s);
        let done = arrives.saturating_add((work_h.of(trade) * 3600.0).round() as u32);
        crews[crew] = Crew { trade, node, free: done };
        log.push(LogEntry { tick: now, part, what: Happening::CrewLeft });
        arrivals.push((arrives, part));
        *taken += 1;
        *travelled_s += u64::from(travel_s);
        *wait_s += u64::from(now - called);
        open.remove(job);
        ends.push((part, done));
    }
    let left: Vec<Job> = open.into_iter().map(|row| jobs[row]).collect();
    *jobs = left;
    ends.into_iter().for_each(|(part, done)| incidents.end(part, done, grid.as_deref_mut()));
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn job(part: u32, trade: Trade, called: Tick, people: u64) -> Job {
        Job { part, trade, node: part, called, people }
    }
    fn crew(trade: Trade, free: Tick) -> Crew {
        Crew { trade, node: 0, free }
    }

    #[test]
    fn rules_put_another_job_first() {
        let jobs = [job(0, Trade::Power, 10, 5), job(1, Trade::Power, 20, 90), job(2, Trade::Water, 5, 1)];
        let crews = [crew(Trade::Power, 0), crew(Trade::Power, 0), crew(Trade::Gas, 0)];
        // The second crew is nearer to the first job, the first to the second.
        let way = |crew: usize, job: usize| [[300, 100, 0], [200, 400, 0], [0, 0, 0]][crew][job];
        let first = |rule| choose(&jobs, &crews, 30, rule, way).map(|of| (of.crew, of.job, of.travel_s));
        assert_eq!(first(RepairRule::FirstCome), Some((1, 0, 200)));
        assert_eq!(first(RepairRule::MostPeople), Some((0, 1, 100)));
        assert_eq!(first(RepairRule::Nearest), Some((0, 1, 100)));
        // Nobody does water, and who is at work does not come.
        assert_eq!(choose(&jobs[2..], &crews, 30, RepairRule::FirstCome, way), None);
        assert_eq!(choose(&jobs, &[crew(Trade::Power, 31)], 30, RepairRule::FirstCome, way), None);
    }
}
