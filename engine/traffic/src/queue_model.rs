//! MATSim's queue model on plain columns, second by second: for comparing runs with those of MATSim, not for
//! physics (it has no backward wave; the kinematic engine has).
//!
//! Sources: Cetin, Burri, Nagel 2003; Horni, Nagel, Axhausen (eds) 2016, chapter "QSim"; behaviour of MATSim's
//! `QueueWithBuffer` with `trafficDynamics = queue` and of its Rust port, as their events show it.
//! A link is a first-in-first-out queue that ends in a buffer.
//! - Who enters at second `t` may leave the queue at `t + max(1, floor(length / speed))`.
//! - From queue to buffer as long as the flow credit is positive. A vehicle takes its car equivalents from the
//!   credit; every second adds `flow` up to `flow` in all, but nothing while the buffer holds vehicles.
//! - A vehicle in a buffer passes the node one second later at the earliest, if the next link has room:
//!   vehicles in queue < storage, `storage = max(jam density x length, flow, free time x flow)`. Room is made when
//!   a vehicle moves from queue to buffer.
//! - Trips start in a waiting list that goes before the queue into the buffer of their first link, and end where
//!   the queue of their last link ends, without the buffer. A trip of one link ends when it starts.
//! - Each second: nodes by row, then links by row. Where several links want through a node, one is drawn in
//!   proportion to its capacity and emptied, then the next; MATSim draws likewise, from other numbers.
//!
//! Ignored: signals, lanes, turn bans, passing, holes, changes of the network over time. Stuck vehicles wait
//! unless [`QueueSettings::stuck_s`] is set.
//! Contract: serial, and the same events in the same order on any machine; draws are keyed (seed, node, second).

use crate::{CarLinkIx, NetworkColumns};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::path::Path;
use urbis_core::rng::Rng;
use urbis_core::{Problem, Problems, Result};

/// Purpose of draws among links that meet at a node.
const PURPOSE_NODE: u32 = 0x5153_494D;
/// Credit below this is none: what sums of fractions of a vehicle leave over.
const CREDIT_MIN: f64 = 1e-10;
const NONE: u32 = u32::MAX;

/// How the queue model runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueueSettings {
    /// Factor on all capacities, > 0: the share of the population that is simulated.
    pub flow_factor: f64,
    /// Factor on all storages, > 0.
    pub storage_factor: f64,
    /// After so many seconds at the head of a buffer a vehicle enters a full link; `None` never.
    pub stuck_s: Option<u32>,
    /// Seed of the draws at nodes.
    pub seed: u64,
    /// Nothing is simulated from this second on.
    pub end_s: Option<u32>,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self { flow_factor: 1.0, storage_factor: 1.0, stuck_s: None, seed: 4711, end_s: None }
    }
}

/// What happens to a vehicle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueEventKind {
    /// Comes from the waiting list onto its first link.
    EntersTraffic,
    /// Passes the node at the end of a link.
    LeftLink,
    /// Comes onto a link over a node.
    EnteredLink,
    /// Ends at the end of its last link.
    LeavesTraffic,
}

/// One event; events come in order of time, and within a second as the model works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueEvent {
    /// Second.
    pub time_s: u32,
    /// What happens.
    pub kind: QueueEventKind,
    /// Row of the vehicle.
    pub vehicle: u32,
    /// Row of the link.
    pub link: u32,
}

/// Trips with routes, as columns of equal length.
#[derive(Clone, Copy, Debug)]
pub struct QueueTrips<'a> {
    /// Departure, seconds, >= 0; taken up to the next whole second.
    pub depart_s: &'a [f64],
    /// Where each route ends in `route_links`; it starts where the one before ends.
    pub route_ends: &'a [u32],
    /// Links of the routes, first and last link included.
    pub route_links: &'a [CarLinkIx],
    /// Passenger-car equivalents; empty means 1.
    pub pce: &'a [f32],
}

/// What became of the trips.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueRun {
    /// Second of arrival; `u32::MAX` for who did not arrive.
    pub arrive_s: Vec<u32>,
    /// How many times a vehicle passed from a link to the next.
    pub crossings: u64,
    /// How many trips did not arrive: too late for the end, or stuck in a circle of full links.
    pub unfinished: u64,
}

/// Runs trips with given routes and departures to the end and hands every event to `sink`.
///
/// # Errors
/// [`urbis_core::Error::Input`] naming each trip whose departure is not finite and >= 0, or whose route is empty, has
/// a gap or a link that does not exist; and what [`QueueModel::new`] says.
pub fn run(
    columns: &NetworkColumns,
    trips: QueueTrips<'_>,
    settings: &QueueSettings,
    mut sink: impl FnMut(QueueEvent),
) -> Result<QueueRun> {
    let mut model = QueueModel::new(columns, trips.route_links.to_vec(), settings)?;
    check(columns, trips)?;
    let count = trips.depart_s.len();
    let mut order: Vec<(u32, u32)> =
        trips.depart_s.iter().enumerate().map(|(row, &depart_s)| (whole_second(depart_s), row as u32)).collect();
    order.sort_unstable();
    let mut result = QueueRun { arrive_s: vec![NONE; count], ..QueueRun::default() };
    let mut next = 0;
    loop {
        let departure = order.get(next).map(|&(time, _)| time);
        let Some(now) = departure.into_iter().chain(model.next_s()).min() else { break };
        if settings.end_s.is_some_and(|end| now >= end) {
            break;
        }
        while let Some(&(time, trip)) = order.get(next)
            && time == now
        {
            let row = trip as usize;
            let start = if row == 0 { 0 } else { trips.route_ends[row - 1] };
            let pce = trips.pce.get(row).copied().unwrap_or(1.0);
            model.depart(now, trip, start..trips.route_ends[row], pce);
            next += 1;
        }
        model.step(now, |event| {
            match event.kind {
                QueueEventKind::LeavesTraffic => result.arrive_s[event.vehicle as usize] = event.time_s,
                QueueEventKind::EnteredLink => result.crossings += 1,
                QueueEventKind::EntersTraffic | QueueEventKind::LeftLink => {}
            }
            sink(event);
        });
    }
    result.unfinished = result.arrive_s.iter().filter(|&&time| time == NONE).count() as u64;
    Ok(result)
}

/// The first whole second at or after a time.
#[must_use]
pub fn whole_second(time_s: f64) -> u32 {
    time_s.ceil().clamp(0.0, f64::from(NONE - 1)) as u32
}

fn check(columns: &NetworkColumns, trips: QueueTrips<'_>) -> Result<()> {
    let mut problems = Problems::new();
    let place = Path::new("trips");
    let count = trips.depart_s.len();
    if trips.route_ends.len() != count || !(trips.pce.is_empty() || trips.pce.len() == count) {
        return Err(Problem::file(place, "columns differ in length").into());
    }
    let mut start = 0;
    for (row, (&depart_s, &end)) in trips.depart_s.iter().zip(trips.route_ends).enumerate() {
        if !(depart_s.is_finite() && (0.0..f64::from(NONE - 1)).contains(&depart_s)) {
            problems.push(Problem::value(place, row + 1, None, "depart_s", depart_s, ">= 0 and finite"));
        }
        if trips.pce.get(row).is_some_and(|&pce| !(pce.is_finite() && pce > 0.0)) {
            problems.push(Problem::value(place, row + 1, None, "pce", trips.pce[row], "> 0 and finite"));
        }
        match trips.route_links.get(start as usize..end as usize) {
            Some(route) if !route.is_empty() => {
                if let Some(fault) = route_fault(columns, route) {
                    problems.push(Problem::value(place, row + 1, None, "route", fault, "links that follow each other"));
                }
            }
            _ => problems.push(Problem::value(place, row + 1, None, "route", "(empty)", "at least one link")),
        }
        start = end.max(start);
    }
    problems.or_else(())
}

/// What is wrong with a route, in words.
#[must_use]
pub fn route_fault(columns: &NetworkColumns, route: &[CarLinkIx]) -> Option<String> {
    if let Some(link) = route.iter().find(|link| link.row() >= columns.from.len()) {
        return Some(format!("link row {}, which does not exist", link.0));
    }
    let gap = route.windows(2).find(|pair| columns.to[pair[0].row()] != columns.from[pair[1].row()])?;
    Some(format!("a gap between link rows {} and {}", gap[0].0, gap[1].0))
}

/// A first-in-first-out list of vehicles, linked through [`Vehicle::behind`].
#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
}

impl List {
    const EMPTY: Self = Self { head: NONE, tail: NONE };

    fn is_empty(self) -> bool {
        self.head == NONE
    }
    fn push(&mut self, vehicles: &mut [Vehicle], vehicle: u32) {
        vehicles[vehicle as usize].behind = NONE;
        if self.is_empty() {
            self.head = vehicle;
        } else {
            vehicles[self.tail as usize].behind = vehicle;
        }
        self.tail = vehicle;
    }
    fn pop(&mut self, vehicles: &[Vehicle]) -> Option<u32> {
        let head = self.head;
        if head == NONE {
            return None;
        }
        self.head = vehicles[head as usize].behind;
        Some(head)
    }
}

#[derive(Clone, Copy, Debug)]
struct Vehicle {
    /// Position of the current link in the routes.
    at: u32,
    /// Where its route ends.
    end: u32,
    /// When it may leave the queue.
    exit_s: u32,
    behind: u32,
    pce: f32,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    from: u32,
    to: u32,
    travel_s: u32,
    /// Second up to which the credit is reckoned.
    credit_s: u32,
    /// When the head of the buffer last changed.
    moved_s: u32,
    flow: f64,
    credit: f64,
    storage: f64,
    used: f64,
    waiting: List,
    queue: List,
    buffer: List,
}

/// The model, moved on second by second by its caller.
#[derive(Debug)]
pub struct QueueModel {
    links: Vec<Link>,
    /// Where the incoming links of each node start in `incoming`.
    incoming_start: Vec<u32>,
    incoming: Vec<u32>,
    routes: Vec<CarLinkIx>,
    vehicles: Vec<Vehicle>,
    due_links: BinaryHeap<Reverse<(u32, u32)>>,
    due_nodes: BinaryHeap<Reverse<(u32, u32)>>,
    stuck_s: Option<u32>,
    seed: u64,
    candidates: Vec<u32>,
}

impl QueueModel {
    /// An empty network. `routes` holds the links of all routes; vehicles name ranges of it.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming every link whose figures are not finite and > 0 or whose nodes do not exist,
    /// and factors that are not > 0.
    pub fn new(columns: &NetworkColumns, routes: Vec<CarLinkIx>, settings: &QueueSettings) -> Result<Self> {
        let mut problems = Problems::new();
        let place = Path::new("links");
        let positive = |value: f64| value.is_finite() && value > 0.0;
        for (name, value) in [("flow_factor", settings.flow_factor), ("storage_factor", settings.storage_factor)] {
            if !positive(value) {
                problems.push(Problem::file(Path::new("settings"), format!("{name} = {value}, expected > 0")));
            }
        }
        let nodes = columns.x_m.len() as u32;
        let mut links = Vec::with_capacity(columns.from.len());
        for row in 0..columns.from.len() {
            let get = |of: &[f64]| of.get(row).copied().unwrap_or(f64::NAN);
            let (length_m, speed) = (get(&columns.length_m), get(&columns.speed_mps_free));
            let (capacity, jam) = (get(&columns.capacity_vps), get(&columns.jam_density_vpm));
            let figures = [
                ("length_m", length_m),
                ("speed_mps_free", speed),
                ("capacity_vps", capacity),
                ("jam_density_vpm", jam),
            ];
            for (field, value) in figures {
                if !positive(value) {
                    problems.push(Problem::value(place, row + 1, None, field, value, "> 0 and finite"));
                }
            }
            let (from, to) = (columns.from[row], columns.to.get(row).copied().unwrap_or(NONE));
            if from >= nodes || to >= nodes {
                problems.push(Problem::value(place, row + 1, None, "node", from.max(to), "a row of the nodes"));
            }
            let free_s = length_m / speed;
            let flow = capacity * settings.flow_factor;
            links.push(Link {
                from,
                to,
                travel_s: free_s.floor().clamp(1.0, 1e9) as u32,
                credit_s: 0,
                moved_s: 0,
                flow,
                credit: flow,
                storage: (jam * length_m * settings.storage_factor).max(flow).max(free_s * flow),
                used: 0.0,
                waiting: List::EMPTY,
                queue: List::EMPTY,
                buffer: List::EMPTY,
            });
        }
        problems.or_else(())?;
        let mut incoming_start = vec![0_u32; nodes as usize + 1];
        for link in &links {
            incoming_start[link.to as usize + 1] += 1;
        }
        for node in 0..nodes as usize {
            incoming_start[node + 1] += incoming_start[node];
        }
        let mut fill = incoming_start.clone();
        let mut incoming = vec![0; links.len()];
        for (row, link) in links.iter().enumerate() {
            incoming[fill[link.to as usize] as usize] = row as u32;
            fill[link.to as usize] += 1;
        }
        Ok(Self {
            links,
            incoming_start,
            incoming,
            routes,
            vehicles: Vec::new(),
            due_links: BinaryHeap::new(),
            due_nodes: BinaryHeap::new(),
            stuck_s: settings.stuck_s,
            seed: settings.seed,
            candidates: Vec::new(),
        })
    }

    /// The next second at which something can happen; `None` when nothing will.
    #[must_use]
    pub fn next_s(&self) -> Option<u32> {
        let first = |heap: &BinaryHeap<Reverse<(u32, u32)>>| heap.peek().map(|Reverse((time, _))| *time);
        [first(&self.due_links), first(&self.due_nodes)].into_iter().flatten().min()
    }

    /// Puts a vehicle that is not under way into the waiting list of its first link; call before [`Self::step`] of
    /// the same second. The range is one of the routes, not empty, its links follow each other.
    pub fn depart(&mut self, now_s: u32, vehicle: u32, route: Range<u32>, pce: f32) {
        let row = vehicle as usize;
        if row >= self.vehicles.len() {
            self.vehicles.resize(row + 1, Vehicle { at: 0, end: 0, exit_s: 0, behind: NONE, pce: 1.0 });
        }
        let link = self.routes[route.start as usize];
        self.vehicles[row] = Vehicle { at: route.start, end: route.end, exit_s: 0, behind: NONE, pce };
        self.links[link.row()].waiting.push(&mut self.vehicles, vehicle);
        self.due_links.push(Reverse((now_s, link.0)));
    }

    /// One second: nodes, then links. Seconds must not go back; those without anything due may be left out.
    pub fn step(&mut self, now_s: u32, mut sink: impl FnMut(QueueEvent)) {
        while let Some(node) = pop_due(&mut self.due_nodes, now_s) {
            self.step_node(now_s, node, &mut sink);
        }
        while let Some(link) = pop_due(&mut self.due_links, now_s) {
            self.step_link(now_s, link, &mut sink);
        }
    }

    fn step_node(&mut self, now_s: u32, node: u32, sink: &mut impl FnMut(QueueEvent)) {
        let range = self.incoming_start[node as usize] as usize..self.incoming_start[node as usize + 1] as usize;
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        candidates
            .extend(self.incoming[range].iter().filter(|&&link| !self.links[link as usize].buffer.is_empty()).copied());
        let mut rng = Rng::new(self.seed, node, now_s, PURPOSE_NODE);
        while !candidates.is_empty() {
            let chosen = if candidates.len() == 1 {
                0
            } else {
                let total: f64 = candidates.iter().map(|&link| self.links[link as usize].flow).sum();
                let target = rng.uniform() * total;
                let mut sum = 0.0;
                let found = candidates.iter().position(|&link| {
                    sum += self.links[link as usize].flow;
                    sum > target
                });
                found.unwrap_or(candidates.len() - 1)
            };
            // Those behind keep their order: the draw does not depend on how they were emptied.
            let link = candidates.remove(chosen);
            self.empty_buffer(now_s, link, sink);
        }
        self.candidates = candidates;
    }

    /// Moves vehicles from a buffer over the node until one finds no room.
    fn empty_buffer(&mut self, now_s: u32, link: u32, sink: &mut impl FnMut(QueueEvent)) {
        let row = link as usize;
        let mut moved = false;
        while !self.links[row].buffer.is_empty() {
            let vehicle = self.links[row].buffer.head;
            let at = self.vehicles[vehicle as usize].at;
            let next = self.routes[at as usize + 1];
            let room = self.links[next.row()].used < self.links[next.row()].storage;
            if !room {
                let Some(stuck_s) = self.stuck_s else { break };
                let release_s = self.links[row].moved_s.saturating_add(stuck_s).saturating_add(1);
                if now_s < release_s {
                    self.due_nodes.push(Reverse((release_s, self.links[row].to)));
                    break;
                }
            }
            let from = &mut self.links[row];
            from.buffer.pop(&self.vehicles);
            from.moved_s = now_s;
            // Credit starts again with this very second.
            from.credit_s = now_s.saturating_sub(1);
            moved = true;
            sink(QueueEvent { time_s: now_s, kind: QueueEventKind::LeftLink, vehicle, link });
            sink(QueueEvent { time_s: now_s, kind: QueueEventKind::EnteredLink, vehicle, link: next.0 });
            let to = &mut self.links[next.row()];
            let exit_s = now_s.saturating_add(to.travel_s);
            let state = &mut self.vehicles[vehicle as usize];
            (state.at, state.exit_s) = (at + 1, exit_s);
            to.used += f64::from(state.pce);
            if to.queue.is_empty() {
                self.due_links.push(Reverse((exit_s, next.0)));
            }
            to.queue.push(&mut self.vehicles, vehicle);
        }
        if moved {
            self.due_links.push(Reverse((now_s, link)));
        }
    }

    fn step_link(&mut self, now_s: u32, row: u32, sink: &mut impl FnMut(QueueEvent)) {
        let link = &mut self.links[row as usize];
        if link.buffer.is_empty() && link.credit_s < now_s && link.credit < link.flow {
            link.credit = (link.credit + f64::from(now_s - link.credit_s) * link.flow).min(link.flow);
            link.credit_s = now_s;
        }
        let was_empty = link.buffer.is_empty();
        let mut event = |kind, vehicle| sink(QueueEvent { time_s: now_s, kind, vehicle, link: row });
        let to_buffer = |link: &mut Link, vehicles: &mut [Vehicle], vehicle: u32| {
            if link.buffer.is_empty() {
                link.moved_s = now_s;
            }
            link.credit -= f64::from(vehicles[vehicle as usize].pce);
            link.credit_s = now_s;
            link.buffer.push(vehicles, vehicle);
        };
        while !link.waiting.is_empty() && link.credit > CREDIT_MIN {
            let Some(vehicle) = link.waiting.pop(&self.vehicles) else { break };
            event(QueueEventKind::EntersTraffic, vehicle);
            let state = &self.vehicles[vehicle as usize];
            if state.at + 1 == state.end {
                event(QueueEventKind::LeavesTraffic, vehicle);
            } else {
                to_buffer(link, &mut self.vehicles, vehicle);
            }
        }
        let mut made_room = false;
        while !link.queue.is_empty() {
            let state = self.vehicles[link.queue.head as usize];
            let arrives = state.at + 1 == state.end;
            if state.exit_s > now_s || !(arrives || link.credit > CREDIT_MIN) {
                break;
            }
            let Some(vehicle) = link.queue.pop(&self.vehicles) else { break };
            link.used -= f64::from(state.pce);
            made_room = true;
            if arrives {
                event(QueueEventKind::LeavesTraffic, vehicle);
            } else {
                to_buffer(link, &mut self.vehicles, vehicle);
            }
        }
        if was_empty && !link.buffer.is_empty() {
            self.due_nodes.push(Reverse((now_s.saturating_add(1), link.to)));
        }
        if made_room {
            self.due_nodes.push(Reverse((now_s.saturating_add(1), link.from)));
        }
        let head_exit_s = (!link.queue.is_empty()).then(|| self.vehicles[link.queue.head as usize].exit_s);
        if let Some(exit_s) = head_exit_s.filter(|&exit_s| exit_s > now_s) {
            self.due_links.push(Reverse((exit_s, row)));
        }
        let held = !link.waiting.is_empty() || head_exit_s.is_some_and(|exit_s| exit_s <= now_s);
        if held && link.buffer.is_empty() {
            // Seconds until the credit is positive, one fewer for what rounding may do.
            let seconds = (-link.credit / link.flow).floor().clamp(1.0, 1e9) as u32;
            self.due_links.push(Reverse((now_s.saturating_add(seconds), row)));
        }
    }
}

/// The next row due at a second, each once and in order.
fn pop_due(heap: &mut BinaryHeap<Reverse<(u32, u32)>>, now_s: u32) -> Option<u32> {
    let &Reverse((time, row)) = heap.peek()?;
    if time > now_s {
        return None;
    }
    while heap.peek().is_some_and(|&Reverse((time, other))| time <= now_s && other == row) {
        heap.pop();
    }
    Some(row)
}

#[cfg(test)]
#[path = "queue_model_tests.rs"]
mod tests;
