//! The loop: departures in order of time and row, a step of the engine, arrivals.
//!
//! Vehicles are numbered by the row of their trip. A given route goes into the engine when its trip
//! departs, so the engine holds the routes of those who are under way. The ledger is checked after every
//! window by its counters, and every hour and at the end by counting every vehicle.
//!
//! Ticks are computed in windows up to the next departure to be routed, look, or interval, which lets the
//! engine stay in each part of the network for a while; the result is that of single ticks.
//!
//! Contract: the engine is stepped by one thread at a time; nothing here depends on threads.

use super::lights::{ApproachRow, Lights, Plans};
use super::measured::MeasuredTimes;
use super::tables::LinkState;
use super::{Ended, Progress, RouteTimes, TrafficRunOptions};
use std::sync::atomic::{AtomicBool, Ordering};
use urbis_assignment::dynamic::informed::{Informed, PresentTimes};
use urbis_assignment::dynamic::{Search, Searcher};
use urbis_core::{Error, Result, Tick, TripIx};
use urbis_interop::{RoadNetwork, TripFault, TripsFile};
use urbis_traffic::time::{NEVER, TICK, Time, from_seconds, tick_of, to_seconds};
use urbis_traffic::{
    Arrival, CarNetwork, Departure, EmissionFactors, Engine, Gridlock, GridlockPolicy, GridlockReport, LinkInterval,
    LinkPassage, LinkStats, RouteBatch, RouteRef, Router, VehicleCounts,
};

/// Ticks between two counts of every vehicle.
const AUDIT_TICKS: Tick = 3600;
/// Ticks between two looks at whether anything still moves.
const MOVES_CHECK_TICKS: Tick = 60;
/// Ticks without a crossing, besides the longest time on any link, after which nothing moves any more.
const STILL_TICKS: Tick = 3600;
/// Trips routed at a time: as many as depart until then, in whole periods of [`ROUTE_PERIOD_TICKS`].
const ROUTE_PERIOD_TICKS: Tick = 300;

/// What became of each trip, by row; [`NEVER`] and 0 where nothing did.
#[derive(Debug, Default)]
pub(super) struct TripResults {
    pub(super) entered: Vec<Time>,
    pub(super) arrive: Vec<Time>,
    pub(super) delay: Vec<Time>,
    pub(super) distance_m: Vec<f32>,
    /// Links of the route.
    pub(super) links: Vec<u32>,
    /// In the queue of its origin at the end.
    pub(super) is_waiting: Vec<bool>,
}

/// A run that is over.
#[derive(Debug)]
pub(super) struct Simulated {
    pub(super) results: TripResults,
    pub(super) depart: Vec<Time>,
    pub(super) counts: VehicleCounts,
    pub(super) gridlock: GridlockReport,
    pub(super) link_state: Vec<LinkState>,
    pub(super) passages: Vec<LinkPassage>,
    pub(super) approaches: Vec<ApproachRow>,
    pub(super) rerouted: u64,
    pub(super) end_tick: Tick,
    pub(super) ended: Ended,
}

/// Trips on their way through a network.
pub(super) struct Simulation<'a> {
    pub(super) trips: TripsFile,
    pub(super) engine: Engine,
    pub(super) lights: Lights,
    road: &'a RoadNetwork,
    options: &'a TrafficRunOptions,
    network: &'a CarNetwork,
    /// Rows in order of departure.
    order: Vec<u32>,
    depart: Vec<Time>,
    router: Option<Router>,
    measured: Option<MeasuredTimes>,
    guidance: Option<Guidance<'a>>,
    /// Longest time a vehicle alone needs for any link, or between two at any exit.
    longest: Tick,
}

/// What informed drivers hear.
struct Guidance<'a> {
    informed: Informed,
    searcher: Searcher<'a>,
    present: PresentTimes,
}

/// Share of the remaining time that another way must save for an informed driver to turn off.
const SAVING_MIN: f64 = 0.05;

/// Routes found for the trips that depart in one period, in order of departure.
#[derive(Default)]
struct Found {
    until: Tick,
    routes: RouteBatch,
    next: usize,
}

impl<'a> Simulation<'a> {
    pub(super) fn new(
        options: &'a TrafficRunOptions,
        road: &'a RoadNetwork,
        network: &'a CarNetwork,
        trips: TripsFile,
        plans: Plans,
    ) -> Result<Self> {
        let mut engine = Engine::new(network, options.junction_pocket_vehicles)?;
        let lights = Lights::new(options, plans, network, &mut engine)?;
        if options.crossings || options.events || options.trajectories.is_some() {
            engine.keep_passages();
        }
        let mut is_served = vec![true; trips.trips.len()];
        for &(row, _) in &trips.faults.rows {
            is_served[row as usize] = false;
            engine.count_rejected();
        }
        let depart: Vec<Time> = trips.trips.depart_s.iter().map(|&depart_s| from_seconds(depart_s)).collect();
        let mut order: Vec<u32> = (0..depart.len() as u32).filter(|&row| is_served[row as usize]).collect();
        if !order.is_sorted_by_key(|&row| depart[row as usize]) {
            order.sort_by_key(|&row| depart[row as usize]);
        }
        let is_open = |&row: &u32| trips.trips.route(row as usize).is_empty();
        let router = order.iter().any(is_open).then(|| Router::new(network));
        let is_measured = options.routes == RouteTimes::Measured && options.route_update_s > 0;
        let measured = (router.is_some() && is_measured).then(|| MeasuredTimes::new(&engine, network));
        let guidance = (options.informed_share > 0.0 && options.route_update_s > 0).then(|| Guidance {
            informed: Informed { seed: 0, share: options.informed_share, saving_min: SAVING_MIN },
            searcher: Searcher::new(network, Search::Exact),
            present: PresentTimes::new(network, &engine),
        });
        let spans = network.free_time.iter().map(|&time| tick_of(time));
        let headways = road.columns.capacity_vps.iter().map(|capacity| (1.0 / capacity).min(1e6) as Tick);
        let longest = spans.chain(headways).max().unwrap_or(0);
        Ok(Self { trips, engine, lights, road, options, network, order, depart, router, measured, guidance, longest })
    }

    /// Moves vehicles to the end.
    pub(super) fn run(
        &mut self,
        progress: &mut (dyn FnMut(Progress<'_>) + Send),
        stop: &AtomicBool,
    ) -> Result<Simulated> {
        let rows = self.depart.len();
        let mut results = TripResults {
            entered: vec![NEVER; rows],
            arrive: vec![NEVER; rows],
            delay: vec![0; rows],
            distance_m: vec![0.0; rows],
            links: vec![0; rows],
            is_waiting: vec![false; rows],
        };
        let until = self.options.until_s.map_or(Tick::MAX, |until_s| until_s.ceil() as Tick);
        let last_departure = self.order.last().map_or(0, |&row| tick_of(self.depart[row as usize]));
        let mut gridlock = GridlockReport::default();
        let mut rerouted = 0;
        let mut link_state = Vec::new();
        let mut stats = self.options.interval_s.map(|_| LinkStats::new(&self.engine));
        let mut found = Found::default();
        let mut next = 0;
        let (mut moved_at, mut crossings) = (0, 0);
        let (mut next_look, mut next_audit) = (0, 0);
        let (mut passages, mut approaches) = (Vec::new(), Vec::new());
        let shares = super::tables::class_shares(&self.trips.trips);
        let factors = EmissionFactors::default();
        let state = |of: &LinkInterval| LinkState::new(of, self.network, &self.road.toll, &factors.0, &shares);
        let ended = loop {
            let tick = self.engine.tick();
            let counts = self.engine.counts();
            if !counts.balances() {
                return Err(broken(tick, counts));
            }
            if next == self.order.len() && counts.on_road + counts.waiting == 0 {
                break Ended::AllArrived;
            }
            if tick >= until {
                break Ended::Until;
            }
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted { tick });
            }
            if tick >= next_look {
                next_look = tick - tick % MOVES_CHECK_TICKS + MOVES_CHECK_TICKS;
                let now = self.engine.crossings() + counts.entered;
                let idle = next < self.order.len() && counts.on_road + counts.waiting == 0;
                if now != crossings || idle || next < self.order.len() {
                    (moved_at, crossings) = (tick, now);
                } else if tick - moved_at > STILL_TICKS + self.longest {
                    break Ended::NothingMoves;
                }
            }
            if tick >= next_audit {
                next_audit = tick - tick % AUDIT_TICKS + AUDIT_TICKS;
                self.audit()?;
                progress(Progress::Tick { tick, end: until.min(last_departure).max(tick) });
            }
            let end = self.window_end(tick, until);
            self.lights.decide(&mut self.engine);
            self.depart_due(end, &mut next, &mut found, &mut results);
            for arrival in self.engine.advance(end) {
                record(&mut results, arrival);
            }
            passages.append(&mut self.engine.take_passages());
            let tick = self.engine.tick();
            if let Some(Guidance { informed, searcher, present }) = &mut self.guidance
                && is_due(self.options.route_update_s, tick)
            {
                let present_s = present.take(self.network, &self.engine);
                rerouted += informed.guide(self.network, &mut self.engine, searcher, &present_s);
            }
            if is_due(self.options.gridlock_check_s, tick)
                && gridlock.update(&mut self.engine, self.options.gridlock)
                && self.options.gridlock == GridlockPolicy::Stop
            {
                return Err(self.stopped(&gridlock));
            }
            if let (Some(stats), Some(interval_s)) = (&mut stats, self.options.interval_s)
                && is_due(interval_s, tick)
            {
                link_state.push(state(&stats.take_interval(&self.engine)));
                self.lights.take_interval(&self.engine, &mut approaches);
            }
        };
        self.audit()?;
        let end_tick = self.engine.tick();
        if let (Some(stats), Some(interval_s)) = (&mut stats, self.options.interval_s)
            && !is_due(interval_s, end_tick)
        {
            link_state.push(state(&stats.take_interval(&self.engine)));
            self.lights.take_interval(&self.engine, &mut approaches);
        }
        for trip in self.engine.waiting_trips() {
            results.is_waiting[trip.row()] = true;
        }
        self.trips.faults.settle();
        let mut counts = self.engine.counts();
        // Trips that would have left after the end were not asked of the engine.
        counts.requested += (self.order.len() - next) as u64;
        counts.waiting += (self.order.len() - next) as u64;
        for &row in &self.order[next..] {
            results.is_waiting[row as usize] = true;
        }
        let depart = std::mem::take(&mut self.depart);
        Ok(Simulated { results, depart, counts, gridlock, link_state, passages, approaches, rerouted, end_tick, ended })
    }

    /// The tick up to which nothing but vehicles happens.
    fn window_end(&self, tick: Tick, until: Tick) -> Tick {
        if self.lights.decides {
            return until.min(tick + 1);
        }
        let routes = if self.measured.is_some() || self.guidance.is_some() {
            self.options.route_update_s
        } else {
            ROUTE_PERIOD_TICKS
        };
        let every = [self.options.gridlock_check_s, self.options.interval_s.unwrap_or(0), MOVES_CHECK_TICKS, routes];
        let next = every.iter().filter(|&&every| every > 0).map(|every| tick - tick % every + every).min();
        next.unwrap_or(tick + 1).min(until).max(tick + 1)
    }

    fn stopped(&self, gridlock: &GridlockReport) -> Error {
        let ring = |row: &Gridlock| {
            let ids: Vec<&str> = row.links.iter().map(|link| self.road.link_id[link.row()].as_str()).collect();
            format!("{} vehicles on links {}", row.vehicles, ids.join(" "))
        };
        Error::Stopped {
            tick: self.engine.tick(),
            rule: "no gridlock, and a ring of full links blocks itself".into(),
            rows: gridlock.rows.iter().map(ring).collect::<Vec<_>>().join("\n"),
        }
    }

    /// Puts those who leave before `end` into the queues of their origins.
    fn depart_due(&mut self, end: Tick, next: &mut usize, found: &mut Found, results: &mut TripResults) {
        let tick = self.engine.tick();
        if self.router.is_some() && tick >= found.until {
            self.find_routes(*next, found);
        }
        while let Some(&row) = self.order.get(*next)
            && tick_of(self.depart[row as usize]) < end
        {
            *next += 1;
            let at = row as usize;
            let (trip, depart) = (TripIx(row), self.depart[at]);
            let given = self.trips.trips.route(at);
            let links = if given.is_empty() {
                found.next += 1;
                found.routes.route(found.next - 1).map(|(links, _)| links)
            } else {
                Some(given)
            };
            let fault = match links {
                Some([]) => {
                    self.engine.count_without_road();
                    (results.entered[at], results.arrive[at]) = (depart, depart);
                    continue;
                }
                Some(links) => {
                    results.links[at] = links.len() as u32;
                    let route: Option<RouteRef> = self.engine.add_route(links);
                    if let Some(route) = route {
                        let class = self.trips.trips.vehicle_class.get(at).copied().unwrap_or_default();
                        self.engine.depart_as(Departure { trip, class, route, depart, stops: &[] });
                        self.engine.drop_route(route);
                        continue;
                    }
                    // Gaps have been looked for, so only the length is left.
                    TripFault::RouteTooLong
                }
                None => TripFault::NoRoute,
            };
            results.links[at] = 0;
            self.engine.count_rejected();
            let trips = &self.trips.trips;
            self.trips.faults.push(row, fault, || {
                let value = if fault == TripFault::NoRoute { "(no way there)" } else { "(longer)" };
                (trips.trip_id.text(at), value.to_owned())
            });
        }
    }

    /// Finds the routes of those who leave until the next update.
    fn find_routes(&mut self, next: usize, found: &mut Found) {
        let tick = self.engine.tick();
        let Some(router) = &mut self.router else { return };
        let period = if self.measured.is_some() { self.options.route_update_s } else { ROUTE_PERIOD_TICKS };
        if let Some(measured) = &mut self.measured
            && tick > 0
            && let Some(times_ms) = measured.update(&self.engine)
        {
            router.set_travel_times(times_ms);
        }
        found.until = tick + period;
        let due = self.order[next..].iter().take_while(|&&row| tick_of(self.depart[row as usize]) < found.until);
        let trips = &self.trips.trips;
        let open = due.filter(|&&row| trips.route(row as usize).is_empty());
        let pairs: Vec<(u32, u32)> =
            open.map(|&row| (trips.from_node[row as usize], trips.to_node[row as usize])).collect();
        (found.routes, found.next) = (router.route_batch(&pairs), 0);
    }

    fn audit(&self) -> Result<()> {
        let (counted, rows) = self.engine.audit();
        let counts = self.engine.counts();
        if counted == counts && counts.balances() && rows == counts.on_road + counts.waiting {
            return Ok(());
        }
        Err(Error::BrokenLedger {
            tick: self.engine.tick(),
            law: "vehicles counted one by one are those of the running counters".into(),
            rows: format!("counters {counts:?}\ncounted {counted:?}, {rows} rows of vehicles"),
        })
    }
}

fn broken(tick: Tick, counts: VehicleCounts) -> Error {
    Error::BrokenLedger {
        tick,
        law: "requested = entered + waiting + rejected, entered = arrived + on_road".into(),
        rows: format!("{counts:?}"),
    }
}

fn record(results: &mut TripResults, arrival: &Arrival) {
    let row = arrival.trip.row();
    results.entered[row] = arrival.entered;
    results.arrive[row] = arrival.arrive;
    results.delay[row] = (arrival.arrive - arrival.depart).saturating_sub(arrival.free_time);
    results.distance_m[row] = arrival.distance_m;
}

fn is_due(every_s: u32, tick: Tick) -> bool {
    every_s > 0 && tick.is_multiple_of(every_s)
}

/// Seconds of a moment; nothing for one that never came.
pub(super) fn seconds(time: Time) -> Option<f64> {
    const { assert!(TICK == 1024) };
    (time != NEVER).then(|| to_seconds(time))
}
