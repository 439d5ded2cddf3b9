//! Days before the one that counts: people plan with what they know, live the day, and learn how long trips took.
//!
//! ```text
//! empty roads -> skims -> plans -> a day of traffic -> times by time of day -> skims -> some plan anew -> ...
//! ```
//!
//! Times of links are averaged over the rounds (method of successive averages), so that skims settle while a share of
//! the households thinks its day over each round. A round ends the loop when the times of the trips by car that people
//! plan change by no more than the tolerance. Nothing of these days is recorded but one line for each round.
//!
//! Contract: rounds are runs of the same step without recorders, so results do not depend on threads.

use crate::Simulation;
use crate::step;
use bevy_ecs::change_detection::Mut;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use bevy_ecs::world::World;
use std::sync::Arc;
use urbis_city::model::City;
use urbis_core::{Clock, Result};
use urbis_coupling::skims::{SlowNetworks, all_day, car_by_period, car_matrix};
use urbis_coupling::{CityTransit, EmergencyCalls, Policies};
use urbis_output::audit::Fault;
use urbis_output::{FeedbackRow, ResultsWriter};
use urbis_population::plans::Mode;
use urbis_population::presence::NEVER;
use urbis_population::settings::{Feedback, ModeSettings, PopulationSettings, Ways};
use urbis_population::skims::{Matrix, PERIODS, period_of};
use urbis_population::{Cells, People, Persons, Places, Planner, Plans, Sites, Skims};
use urbis_traffic::{CarNetwork, LinkStats, Router, Traffic, TrafficSettings};

/// Ticks between looks at the links.
const LOOK_TICKS: u32 = 900;

/// What a round of learning did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Round {
    /// Number, from 1.
    pub round: u32,
    /// Persons whose plan became another one.
    pub changed_persons: u64,
    /// Mean change of the planned times of car trips, in parts of them.
    pub car_time_change: f64,
    /// How much later than planned people arrived at the end of a trip, mean, seconds.
    pub delay_s: f64,
    /// Share of each mode that people can have here in the trips of the new plans.
    pub mode_shares: Vec<(Mode, f64)>,
}

impl std::fmt::Display for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "day {} lived: planned car times change by {:.1} %, {} persons plan anew, trips end {:.0} s late",
            self.round,
            100.0 * self.car_time_change,
            self.changed_persons,
            self.delay_s
        )
    }
}

impl Round {
    /// Writes the rows of table `feedback`, one for each mode.
    ///
    /// # Errors
    /// When the rows do not fit on disk.
    pub(crate) fn write(&self, writer: &mut ResultsWriter) -> Result<()> {
        for (mode, share) in &self.mode_shares {
            writer.feedback(&FeedbackRow {
                round: u64::from(self.round),
                changed_persons: self.changed_persons,
                car_time_change_percent: 100.0 * self.car_time_change,
                delay_s: self.delay_s,
                mode: mode.name(),
                mode_share_percent: 100.0 * share,
            })?;
        }
        Ok(())
    }
}

/// The rounds of a run, for whoever reports them.
#[derive(Clone, Debug, Default, Resource)]
pub struct Rounds(pub Vec<Round>);

/// Networks and prices that skims are made of.
#[derive(Debug)]
pub(crate) struct Knowledge {
    slow: Option<SlowNetworks>,
    modes: Vec<ModeSettings>,
    traffic: TrafficSettings,
    sample_factor: f64,
    /// Mean times of links by time of day over the days so far, milliseconds.
    times_ms: Vec<Vec<f64>>,
    /// Days in that mean; 0 where it is that of empty roads.
    days: u32,
}

/// Times of links by time of day, while a day runs: sums of time and of vehicles.
#[derive(Clone, Debug, Default, Resource)]
pub(crate) struct SeenTimes {
    time_s: Vec<Vec<f64>>,
    vehicles: Vec<Vec<u64>>,
}

impl SeenTimes {
    fn new(links: usize) -> Self {
        Self { time_s: vec![vec![0.0; links]; PERIODS], vehicles: vec![vec![0; links]; PERIODS] }
    }
}

/// Adds up how long links took in the quarter of an hour that ends now.
pub(crate) fn see_times(
    clock: Res<'_, Clock>,
    traffic: Res<'_, Traffic>,
    mut stats: ResMut<'_, LinkStats>,
    mut seen: ResMut<'_, SeenTimes>,
) {
    if !clock.ends_interval(LOOK_TICKS) && clock.has_next() {
        return;
    }
    let of = stats.take_interval(traffic.engine());
    let period = period_of(f64::from(clock.local_second_of_day(of.start)) / 3600.0);
    for (sum, time_s) in seen.time_s[period].iter_mut().zip(&of.travel_time_s_sum) {
        *sum += time_s;
    }
    for (sum, &left) in seen.vehicles[period].iter_mut().zip(&of.left) {
        *sum += u64::from(left);
    }
}

impl Knowledge {
    /// Knows how one gets about in a city, but no times yet.
    pub(crate) fn new(city: &City, population: &PopulationSettings, traffic: &TrafficSettings) -> Self {
        Self {
            slow: (population.ways == Ways::Network).then(|| SlowNetworks::new(city)),
            modes: population.all_modes(),
            traffic: traffic.clone(),
            sample_factor: population.sample_factor,
            times_ms: Vec::new(),
            days: 0,
        }
    }

    /// Skims of empty roads and of timetables in a world, without what policies take.
    pub(crate) fn measure(&self, world: &World) -> Skims {
        let (cells, network) = (world.resource::<Cells>(), world.resource::<CarNetwork>());
        let mut skims = Skims::straight(cells);
        if let Some(slow) = &self.slow {
            slow.measure(cells, &self.modes, &mut skims);
            let free_ms = network.free_time_ms();
            let router = world.resource::<Router>();
            skims.car = all_day(car_matrix(cells, network, router, &free_ms, (&[], &[]), &self.modes));
            world.resource::<CityTransit>().measure(cells, &mut skims);
        }
        skims
    }

    /// Makes of skims without policies those that people plan with first, for the world: under the times of links that
    /// were learned before, if any, and with what policies take and close.
    pub(crate) fn foresee(&mut self, world: &World, skims: &mut Skims, learned_ms: Vec<Vec<f64>>) {
        let network = world.resource::<CarNetwork>();
        let free_ms = network.free_time_ms();
        self.days = u32::from(!learned_ms.is_empty());
        // A policy may have made links slower than they were when their times were learned.
        let no_faster = |(ms, &free): (f64, &u32)| ms.max(f64::from(free));
        self.times_ms = match learned_ms.is_empty() {
            true => vec![free_ms.iter().map(|&ms| f64::from(ms)).collect(); PERIODS],
            false => {
                // Roads that came with a policy stand after all others; nobody has learned of them yet.
                let of_new = |count: usize| free_ms[count.min(free_ms.len())..].iter().map(|&ms| f64::from(ms));
                let all = |times: Vec<f64>| {
                    let of_new = of_new(times.len());
                    times.into_iter().zip(&free_ms).map(no_faster).chain(of_new).collect()
                };
                learned_ms.into_iter().map(all).collect()
            }
        };
        let policies = world.resource::<Policies>();
        skims.prices = policies.places.clone();
        if self.slow.is_some() && (policies.touch_roads() || self.days > 0) {
            skims.car = self.car_skims(world);
        }
    }

    /// Car between cells at every time of day under the times of links, milliseconds.
    fn car_skims(&self, world: &World) -> Vec<Arc<Matrix>> {
        let (cells, network) = (world.resource::<Cells>(), world.resource::<CarNetwork>());
        let rounded: Vec<Vec<u32>> =
            self.times_ms.iter().map(|times| times.iter().map(|ms| ms.round() as u32).collect()).collect();
        let times: Vec<&[u32]> = rounded.iter().map(Vec::as_slice).collect();
        let policies = world.resource::<Policies>();
        car_by_period(cells, network, world.resource::<Router>(), policies, &times, &self.modes)
    }

    /// Moves the times of links towards those of the last day: the mean over the days.
    fn average(&mut self, seen: &SeenTimes, free_ms: &[u32]) {
        self.days += 1;
        for (period, times) in self.times_ms.iter_mut().enumerate() {
            for (link, time_ms) in times.iter_mut().enumerate() {
                let vehicles = seen.vehicles[period][link];
                let free = f64::from(free_ms[link]);
                let measured =
                    if vehicles > 0 { (seen.time_s[period][link] * 1000.0 / vehicles as f64).max(free) } else { free };
                *time_ms += (measured - *time_ms) / f64::from(self.days);
            }
        }
    }

    /// Modes with the constants of the scenario.
    pub(crate) fn modes(&self) -> &[ModeSettings] {
        &self.modes
    }

    /// Gives trips on foot, by bicycle and by public transport the ways between their own buildings.
    pub(crate) fn refine(&self, world: &mut World) {
        if let (Some(slow), Some(mut plans)) = (&self.slow, world.remove_resource::<Plans>()) {
            slow.refine(world.resource::<Places>(), &self.modes, &mut plans);
            world.resource_scope(|world, mut transit: Mut<'_, CityTransit>| {
                transit.reset();
                transit.plan(world.resource::<Places>(), world.resource::<Persons>(), &mut plans);
            });
            world.insert_resource(plans);
        }
    }

    /// Empty roads again.
    fn reset(&self, world: &mut World, roads: &City, clock: &Clock) -> Result<()> {
        let ends = world.resource::<Places>().car_node.clone();
        urbis_traffic::install(world, roads, self.traffic.clone(), &ends)?;
        world.resource_mut::<Policies>().reset();
        world.insert_resource(EmergencyCalls::default());
        world.insert_resource(clock.clone());
        Ok(())
    }
}

impl Simulation {
    /// Runs the days before the one that counts, as the settings say; `report` hears of each round.
    ///
    /// # Errors
    /// A broken ledger, or a `stop` that is set.
    pub fn learn(
        &mut self,
        feedback: &Feedback,
        report: &mut dyn FnMut(&Round),
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<()> {
        if feedback.iterations == 0 || self.knowledge.slow.is_none() {
            return Ok(());
        }
        let clock = self.clock().clone();
        let mut day = step::rehearsal();
        let free_ms = self.world.resource::<CarNetwork>().free_time_ms();
        let mut rounds = Rounds::default();
        for round in 1..=feedback.iterations {
            self.world.insert_resource(SeenTimes::new(free_ms.len()));
            while self.clock().has_next() {
                if is_stopped() {
                    return Err(urbis_core::Error::Interrupted { tick: 0 });
                }
                day.run(&mut self.world);
                self.world.resource_mut::<Fault>().take()?;
            }
            let delay_s = mean_delay_s(self.world.resource::<Plans>(), self.world.resource::<People>());
            let Some(city) = self.world.remove_resource::<City>() else {
                unreachable!("the city is in the world from `new` on");
            };
            let roads = crate::simulation::with_capacity(&city, self.knowledge.sample_factor);
            self.knowledge.reset(&mut self.world, &roads, &clock)?;
            drop(roads);
            self.knowledge.average(self.world.resource::<SeenTimes>(), &free_ms);
            let car = self.knowledge.car_skims(&self.world);
            let car_time_change = self.take_skims(car);
            let Some(mut planner) = self.world.remove_resource::<Planner>() else {
                unreachable!("the planner is in the world from `new` on");
            };
            let thinks = Some((round, feedback.replan_share));
            let changed_persons = planner.plan(&mut self.world, &city, &clock, thinks)?;
            self.world.insert_resource(planner);
            crate::simulation::install_parking(
                &mut self.world,
                &city,
                &self.knowledge.traffic,
                self.knowledge.sample_factor,
            )?;
            self.world.insert_resource(city);
            self.knowledge.refine(&mut self.world);
            let mode_shares = mode_shares(self.world.resource::<Plans>(), self.world.resource::<Sites>());
            let of = Round { round, changed_persons, car_time_change, delay_s, mode_shares };
            report(&of);
            rounds.0.push(of);
            if car_time_change <= feedback.tolerance {
                break;
            }
        }
        self.world.remove_resource::<SeenTimes>();
        self.world.insert_resource(rounds);
        Ok(())
    }

    /// The times of links that people have learned, by time of day, milliseconds.
    pub(crate) fn into_times(self) -> Vec<Vec<f64>> {
        self.knowledge.times_ms
    }

    /// Puts new skims of cars into the world; how much the times of planned car trips changed, in parts.
    fn take_skims(&mut self, car: Vec<Arc<Matrix>>) -> f64 {
        let before = std::mem::replace(&mut self.world.resource_mut::<Skims>().car, car);
        let (skims, cells) = (self.world.resource::<Skims>(), self.world.resource::<Cells>());
        let plans = self.world.resource::<Plans>();
        let (mut change_s, mut all_s) = (0.0, 0.0);
        for trip in (0..plans.len()).filter(|&trip| plans.mode[trip] == Mode::Car) {
            let at = cells.of(plans.from[trip]) * skims.cells + cells.of(plans.to[trip]);
            let period = period_of(plans.start_h[trip].into());
            let (old_s, new_s) = (before[period].time_s[at], skims.car[period].time_s[at]);
            if old_s.is_finite() && new_s.is_finite() {
                change_s += f64::from((new_s - old_s).abs());
                all_s += f64::from(old_s);
            }
        }
        if all_s > 0.0 { change_s / all_s } else { 0.0 }
    }
}

fn mean_delay_s(plans: &Plans, people: &People) -> f64 {
    let (mut sum_s, mut count) = (0.0, 0_u32);
    for trip in 0..plans.len() {
        if people.started[trip] != NEVER && people.ended_ms[trip] != u32::MAX {
            let planned_s = f64::from(plans.planned[trip]) + f64::from(plans.way_s[trip]);
            sum_s += (f64::from(people.ended_ms[trip]) / 1000.0 - planned_s).max(0.0);
            count += 1;
        }
    }
    sum_s / f64::from(count.max(1))
}

/// Share of each mode in all planned trips.
fn mode_shares(plans: &Plans, sites: &Sites) -> Vec<(Mode, f64)> {
    let mut shares = [0.0; Mode::ALL.len()];
    for mode in &plans.mode {
        shares[*mode as usize] += 1.0;
    }
    sites.modes().iter().map(|&mode| (mode, shares[mode as usize] / plans.len().max(1) as f64)).collect()
}
