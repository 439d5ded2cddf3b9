//! The traffic engine: moves individual vehicles over a network, a tick at a time.
//!
//! [`crate::link`] is the link model, [`crate::node`] the node model. A step wakes the chunks that have
//! something to do, in parallel when there is enough of it, then books departures and arrivals in order
//! of time and trip. What sleeps costs nothing. Nobody teleports: a vehicle leaves only at its
//! destination.
//!
//! Contract: the state after a step depends on the network and on the departures alone, not on threads,
//! on chunks, or on whether the step ran in parallel.

use crate::gate::UNSIGNALLED;
use crate::green::Greens;
use crate::layout::Layout;
use crate::link::{Link, Passenger};
use crate::network::CarNetwork;
use crate::node::{Crossing, FAR, Field};
use crate::signals::SignalPlan;
use crate::time::{NEVER, TICK, Time};
use crate::vehicle_class::VehicleClass;
use crate::vehicles::{END, NOBODY, NewVehicle, RouteStart, Routes, Vehicles};
use crate::wheel::{WINDOW_TICKS, Wheel};
use rayon::prelude::*;
use urbis_core::{CarLinkIx, Problem, Result, Tick, TripIx, VehicleIx};

/// Inputs looked at in the last window from which the next runs in parallel: about 50 us of work.
const PARALLEL_LOOKS: u64 = 1024;

/// A vehicle that reached its destination.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Whose trip it was.
    pub trip: TripIx,
    /// When it wanted to leave.
    pub depart: Time,
    /// When it entered its first link.
    pub entered: Time,
    /// When it left its last link.
    pub arrive: Time,
    /// Time its route takes on an empty network.
    pub free_time: Time,
    /// Length of its route, metres.
    pub distance_m: f32,
    /// What it is.
    pub class: VehicleClass,
}

/// A stored route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RouteRef {
    start: RouteStart,
    /// Length, metres.
    distance_m: f32,
    /// Time it takes on an empty network.
    free_time: Time,
}

/// Length of a route in metres and in time.
#[derive(Default)]
struct RouteLength {
    distance_m: f64,
    free_time: Time,
}

impl RouteLength {
    fn add(&mut self, link: &Link) {
        self.distance_m += f64::from(link.length_m);
        self.free_time = self.free_time.saturating_add(link.free_time);
    }
}

/// A vehicle that wants to leave.
#[derive(Clone, Copy, Debug)]
pub struct Departure<'a> {
    /// Whose trip it is.
    pub trip: TripIx,
    /// What it is.
    pub class: VehicleClass,
    /// The way it goes.
    pub route: RouteRef,
    /// When it wants to leave.
    pub depart: Time,
    /// Stops on the way, as a bus makes them in its lane: link by its position on the route, and time.
    pub stops: &'a [(u32, Time)],
}

/// A vehicle that has left a link, in a run that keeps crossings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkPassage {
    /// Whose trip it was.
    pub trip: TripIx,
    /// The link.
    pub link: CarLinkIx,
    /// When it entered the link.
    pub entered: Time,
    /// When it left the link.
    pub left: Time,
}

/// A vehicle on the road, as those see it who guide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnRoad {
    /// The vehicle.
    pub vehicle: VehicleIx,
    /// Whose trip it is.
    pub trip: TripIx,
    /// The link it is on.
    pub link: CarLinkIx,
    /// The last link of its route.
    pub last: CarLinkIx,
    slot: u32,
}

/// Vehicles by where they are, each counted on its own: a ledger that does not close is a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VehicleCounts {
    /// Trips asked for.
    pub requested: u64,
    /// Trips that entered their first link, or needed none.
    pub entered: u64,
    /// Trips that reached their destination.
    pub arrived: u64,
    /// Vehicles on links.
    pub on_road: u64,
    /// Vehicles in origin queues.
    pub waiting: u64,
    /// Trips that no route serves.
    pub rejected: u64,
}

impl VehicleCounts {
    /// Whether `requested = entered + waiting + rejected` and `entered = arrived + on_road`.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.requested == self.entered + self.waiting + self.rejected && self.entered == self.arrived + self.on_road
    }
}

/// Ticks that nodes may be computed without seeing each other.
fn window_ticks(layout: &Layout) -> u32 {
    (layout.lookahead() / TICK).clamp(1, WINDOW_TICKS)
}

/// The moving part of traffic.
#[derive(Debug)]
pub struct Engine {
    pub(crate) layout: Layout,
    pub(crate) vehicles: Vehicles,
    pub(crate) wheel: Wheel,
    pub(crate) routes: Routes,
    greens: Greens,
    pocket: u32,
    pub(crate) tick: Tick,
    /// Ticks that nodes may be computed without seeing each other.
    window_ticks: u32,
    looks: u64,
    parallel_from: u64,
    queued: u64,
    counts: VehicleCounts,
    ended: Vec<Arrival>,
    /// Signals that somebody waits at although no green is decided.
    calls: Vec<u32>,
    /// Passages since they were last taken, if they are kept.
    pub(crate) passages: Option<Vec<LinkPassage>>,
}

impl Engine {
    /// An empty network. `pocket` is how many vehicles a junction can hold without blocking others.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] when the network is too large to be numbered.
    pub fn new(network: &CarNetwork, pocket: u32) -> Result<Self> {
        if network.links() >= END as usize {
            let message = format!("{} links, at most {END}", network.links());
            return Err(Problem::file(std::path::Path::new("links"), message).into());
        }
        let layout = Layout::new(network, pocket)?;
        Ok(Self {
            wheel: Wheel::new(layout.chunks.len()),
            window_ticks: window_ticks(&layout),
            layout,
            vehicles: Vehicles::default(),
            routes: Routes::default(),
            greens: Greens::default(),
            pocket,
            tick: 0,
            looks: 0,
            parallel_from: PARALLEL_LOOKS,
            queued: 0,
            counts: VehicleCounts::default(),
            ended: Vec::new(),
            calls: Vec::new(),
            passages: None,
        })
    }

    /// Number of a link.
    pub(crate) fn number(&self, link: CarLinkIx) -> u32 {
        self.layout.number[link.row()]
    }

    /// Keeps every passage of a link from now on, for [`Engine::take_passages`].
    pub fn keep_passages(&mut self) {
        self.passages.get_or_insert_default();
    }
    /// Passages since the last call, in order of leaving, then trip; none unless they are kept.
    pub fn take_passages(&mut self) -> Vec<LinkPassage> {
        self.passages.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Runs a window in parallel when the one before looked at so many inputs. Results do not depend on it.
    pub fn set_parallel_from(&mut self, looks: u64) {
        self.parallel_from = looks;
    }

    /// The tick that [`Engine::step`] computes next.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// Stores a route so that vehicles can share it; `None` when it is empty, has a gap or is longer than
    /// 65,535 links. It is kept until [`Engine::drop_route`].
    pub fn add_route(&mut self, links: &[CarLinkIx]) -> Option<RouteRef> {
        if links.is_empty() || !Routes::fits(links.len()) {
            return None;
        }
        let Self { routes, layout, .. } = self;
        let (mut before, mut is_joined) = (None, true);
        let mut length = RouteLength::default();
        let start = routes.insert(links.iter().map(|link| {
            let number = layout.number[link.row()];
            let link = &layout.links[number as usize];
            is_joined &= before.is_none_or(|input| layout.meets(input, link.upstream));
            before = Some(link.input);
            length.add(link);
            number
        }));
        if !is_joined {
            // Nobody holds it: its place is used again with its block.
            return None;
        }
        self.routes.hold(start);
        Some(RouteRef { start, distance_m: length.distance_m as f32, free_time: length.free_time })
    }
    /// Lets a stored route go once the last vehicle on it has arrived.
    pub fn drop_route(&mut self, route: RouteRef) {
        self.routes.release(route.start);
    }

    /// Puts a car into the queue of its origin: [`Engine::depart_as`] without stops.
    pub fn depart(&mut self, trip: TripIx, route: RouteRef, depart: Time) -> VehicleIx {
        self.depart_as(Departure { trip, class: VehicleClass::Car, route, depart, stops: &[] })
    }

    /// Puts a vehicle into the queue of its origin. Departures come in order of time, then trip; one
    /// before the present tick counts as now.
    pub fn depart_as(&mut self, departure: Departure<'_>) -> VehicleIx {
        let Departure { trip, class, route, stops, .. } = departure;
        let RouteRef { start, distance_m, free_time: driving } = route;
        let standing: Time = stops.iter().map(|&(_, time)| time).sum();
        let first = self.routes.first(start);
        let depart = departure.depart.max(self.tick * TICK);
        self.routes.hold(start);
        let free_time = driving.saturating_add(standing);
        let vehicle = self.vehicles.add(NewVehicle { trip, route: start, depart, distance_m, free_time, class, stops });
        let (chunk, node) = self.layout.upstream_node(first);
        let chunk = &mut self.layout.chunks[chunk];
        let row = first - chunk.first_link;
        let last = &mut chunk.entries[row as usize].last_waiting;
        if *last == NOBODY {
            let rows = chunk.nodes[node];
            let input = rows.first_input + rows.exits + row - rows.first_entry;
            self.wheel.arm::<false>(input & !7, 1 << (input & 7), depart, self.tick);
        }
        self.vehicles.join_queue(vehicle, last);
        self.counts.requested += 1;
        self.queued += 1;
        vehicle
    }

    /// Metres and free time of links by number.
    fn length_and_free_time(&self, links: impl Iterator<Item = u32>) -> (f32, Time) {
        let mut length = RouteLength::default();
        links.for_each(|number| length.add(&self.layout.links[number as usize]));
        (length.distance_m as f32, length.free_time)
    }

    /// Computes the tick `[tick, tick + 1)` s and returns who arrived in it, in order of time, then trip.
    pub fn step(&mut self) -> &[Arrival] {
        self.advance(self.tick + 1)
    }

    /// Computes all ticks before `until` and returns who arrived in them, in order of time, then trip.
    /// What departs before `until` must be in its queue. Faster than tick by tick where links are long,
    /// with the same result.
    pub fn advance(&mut self, until: Tick) -> &[Arrival] {
        self.ended.clear();
        while self.tick < until {
            self.run_window(until.min(self.tick + self.window_ticks));
        }
        &self.ended
    }

    /// Computes a window of ticks, in which no node can matter to another.
    fn run_window(&mut self, end: Tick) {
        let Self { layout, vehicles, wheel, routes, greens, tick, .. } = self;
        let field = || Field {
            tick: *tick,
            end: 0,
            window_start: *tick,
            window_end: end,
            pocket: self.pocket,
            slots: &layout.slots,
            wheel,
            links: &layout.links,
            has_far: layout.has_far,
            routes: routes.arena(),
            vehicles,
            greens,
            keeps_crossings: self.passages.is_some(),
        };
        if self.looks >= self.parallel_from && layout.chunks.len() > 1 && rayon::current_num_threads() > 1 {
            layout.chunks.par_iter_mut().for_each(|chunk| chunk.run::<true>(&mut field()));
        } else {
            for chunk in &mut layout.chunks {
                chunk.run::<false>(&mut field());
            }
        }
        self.tick = end;
        self.book();
    }

    /// Books what happened in the window, in chunk order, then by time and trip.
    fn book(&mut self) {
        self.looks = 0;
        let mut gone = Vec::new();
        let mut crossed = Vec::new();
        for chunk in &mut self.layout.chunks {
            self.looks += std::mem::take(&mut chunk.looks);
            for (vehicle, at) in chunk.entered.drain(..) {
                self.vehicles.entered[vehicle as usize] = at;
                self.counts.entered += 1;
                self.queued -= 1;
            }
            gone.append(&mut chunk.ended);
            crossed.append(&mut chunk.crossings);
            self.calls.append(&mut chunk.calls);
        }
        if let Some(passages) = &mut self.passages {
            let passage = |&Crossing { vehicle, link, entered, left }: &Crossing| LinkPassage {
                trip: self.vehicles.trip[vehicle as usize],
                link: self.layout.links[link as usize].outside,
                entered,
                left,
            };
            let start = passages.len();
            passages.extend(crossed.iter().map(passage));
            passages[start..].sort_unstable_by_key(|p| (p.left, p.trip, p.link));
        }
        gone.sort_unstable_by_key(|&(vehicle, at)| (at, self.vehicles.trip[vehicle as usize], vehicle));
        for &(vehicle, arrive) in &gone {
            let row = vehicle as usize;
            self.ended.push(Arrival {
                trip: self.vehicles.trip[row],
                depart: self.vehicles.depart[row],
                entered: self.vehicles.entered[row],
                arrive,
                free_time: self.vehicles.free_time[row],
                distance_m: self.vehicles.distance_m[row],
                class: self.vehicles.class(VehicleIx(vehicle)),
            });
            self.routes.release(self.vehicles.route[row]);
            self.vehicles.remove(VehicleIx(vehicle));
        }
        self.counts.arrived += gone.len() as u64;
    }

    /// Counts a trip that needs no link: it has arrived.
    pub fn count_without_road(&mut self) {
        self.counts.requested += 1;
        self.counts.entered += 1;
        self.counts.arrived += 1;
    }
    /// Counts a trip that no route serves.
    pub fn count_rejected(&mut self) {
        self.counts.requested += 1;
        self.counts.rejected += 1;
    }

    /// Changes the capacity of a link's exit from now on; `None` closes it.
    pub fn set_exit_capacity(&mut self, link: CarLinkIx, capacity_vps: Option<f64>) {
        let number = self.number(link);
        let now = self.tick * TICK;
        let (chunk, row) = self.layout.exit_place(number);
        self.layout.chunks[chunk].set_capacity(|chunk| &mut chunk.exits[row].gate, capacity_vps, now);
        self.wake_exit(number);
    }
    /// Changes the capacity of a link's entrance from now on; `None` closes it: whoever is on the link
    /// leaves it, nobody else comes.
    pub fn set_entry_capacity(&mut self, link: CarLinkIx, capacity_vps: Option<f64>) {
        let number = self.number(link);
        let now = self.tick * TICK;
        let (chunk, row) = self.layout.entry_place(number);
        self.layout.chunks[chunk].set_capacity(|chunk| &mut chunk.entries[row].gate, capacity_vps, now);
        let (chunk, node) = self.layout.upstream_node(number);
        let rows = self.layout.chunks[chunk].nodes[node];
        for input in rows.first_input..rows.first_input + rows.inputs() {
            self.wheel.arm::<false>(input & !7, 1 << (input & 7), now, self.tick);
        }
    }
    /// Whether the entrance of a link is closed.
    #[must_use]
    pub fn is_closed(&self, link: CarLinkIx) -> bool {
        let (chunk, row) = self.layout.entry_place(self.number(link));
        self.layout.chunks[chunk].entries[row].gate.opens() == NEVER
    }
    /// The time that an empty link takes now.
    #[must_use]
    pub fn free_time(&self, link: CarLinkIx) -> Time {
        self.layout.links[self.number(link) as usize].free_time
    }
    /// Changes the times that empty links take from now on, at least a tick each: speed limits that come and go. Who is on
    /// such a link drives the rest of it at the new pace; who stands at its end stays there.
    pub fn set_free_times(&mut self, changes: &[(CarLinkIx, Time)]) {
        for &(link, free_time) in changes {
            self.set_free_time(link, free_time.max(TICK));
        }
        self.window_ticks = window_ticks(&self.layout);
    }
    fn set_free_time(&mut self, link: CarLinkIx, free_time: Time) {
        let (number, now) = (self.number(link), self.tick * TICK);
        let old = self.free_time(link);
        let on_link: Vec<(u32, u32, Time)> = self.layout.occupants(number).collect();
        for (slot, vehicle, arrival) in on_link {
            let (cursor, heading) = self.layout.slots.guess(slot);
            let passenger = Passenger { vehicle, cursor };
            let entered = self.layout.links[number as usize].entered(arrival, self.vehicles.stop(heading, passenger));
            // What it stands at a stop for does not depend on the pace.
            let drive = arrival.saturating_sub(now).min(old);
            let driven_anew = u64::from(drive) * u64::from(free_time) / u64::from(old);
            let arrival = (u64::from(arrival - drive) + driven_anew).min(u64::from(NEVER - 1)) as Time;
            self.vehicles.set_stop(passenger, arrival.wrapping_sub(free_time).wrapping_sub(entered));
            self.layout.slots.fill(slot, passenger, heading.with_stops(), arrival);
            let input = self.layout.links[number as usize].input;
            self.wheel.arm::<false>(input & !7, 1 << (input & 7), arrival, self.tick);
        }
        self.layout.links[number as usize].free_time = free_time;
        self.layout.has_far |= free_time > FAR;
    }
    /// Looks at a link's exit in the coming tick.
    pub(crate) fn wake_exit(&self, number: u32) {
        let input = self.layout.links[number as usize].input;
        self.wheel.arm::<false>(input & !7, 1 << (input & 7), self.tick * TICK, self.tick);
    }
}

/// Signals: exits obey groups, groups follow a plan or are told.
impl Engine {
    /// Adds a group that repeats after `cycle`, `offset` late, green in the half-open `windows` of the
    /// cycle; `None` when these are not in order and within the cycle.
    pub fn add_fixed_signal(&mut self, cycle: Time, offset: Time, windows: &[(Time, Time)]) -> Option<SignalIx> {
        self.greens.add_fixed(cycle, offset, windows).map(SignalIx)
    }
    /// Adds a group of a plan.
    pub fn add_planned_signal(&mut self, plan: &SignalPlan, group: u32) -> SignalIx {
        SignalIx(self.greens.add_planned(plan, group))
    }
    /// Signals that somebody has waited at since the last call although no green was decided, in order.
    pub(crate) fn take_signal_calls(&mut self) -> Vec<SignalIx> {
        self.calls.sort_unstable();
        self.calls.dedup();
        self.calls.drain(..).map(SignalIx).collect()
    }
    /// Vehicles that stand at a link's exit.
    #[must_use]
    pub fn queued(&self, link: CarLinkIx) -> u32 {
        let now = self.tick * TICK;
        let occupants = self.layout.occupants(self.number(link));
        occupants.take_while(|&(_, _, arrival)| arrival < now).count() as u32
    }
    /// Vehicles on a link that go on to another.
    #[must_use]
    pub fn bound_for(&self, link: CarLinkIx, next: CarLinkIx) -> u32 {
        let next = self.number(next);
        let occupants = self.layout.occupants(self.number(link));
        occupants.filter(|&(slot, _, _)| self.layout.slots.guess(slot).1.link() == next).count() as u32
    }
    /// About when somebody last left a link.
    pub(crate) fn last_exit(&self, link: CarLinkIx) -> Option<Time> {
        let (chunk, row) = self.layout.exit_place(self.number(link));
        let chunk = &self.layout.chunks[chunk];
        let exit = &chunk.exits[row];
        if exit.left == 0 { None } else { exit.gate.last_pass(chunk.terms.of(exit.gate)) }
    }
    /// Adds a group that is red until [`Engine::set_green`].
    pub fn add_controlled_signal(&mut self) -> SignalIx {
        SignalIx(self.greens.add_controlled())
    }
    /// Makes a link's exit obey a group; `None` for no signal, as when it is dark.
    pub fn set_signal(&mut self, link: CarLinkIx, signal: Option<SignalIx>) {
        let number = self.number(link);
        let (chunk, row) = self.layout.exit_place(number);
        let signal = signal.map_or(UNSIGNALLED, |signal| signal.0);
        self.layout.chunks[chunk].change_terms(|chunk| &mut chunk.exits[row].gate, |terms| terms.signal = signal);
        self.wake_exit(number);
    }
    /// Gives a controlled group green in `[from, until)` and red after it, until told again; `links` are
    /// those that obey it.
    pub fn set_green(&mut self, signal: SignalIx, from: Time, until: Time, links: &[CarLinkIx]) {
        self.greens.decide(signal.0, from, until);
        for link in links {
            self.wake_exit(self.number(*link));
        }
    }
}

/// A signal group of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignalIx(u32);

impl SignalIx {
    /// The position, for indexing slices.
    pub(crate) fn row(self) -> usize {
        self.0 as usize
    }
}

/// Guidance on the way.
impl Engine {
    /// Vehicles on links, link by link in outside order, the head first.
    pub fn on_road(&self) -> impl Iterator<Item = OnRoad> + '_ {
        (0..self.layout.len()).flat_map(move |link| self.vehicles_on(CarLinkIx(link)))
    }
    /// Vehicles on a link, the head first.
    pub fn vehicles_on(&self, link: CarLinkIx) -> impl Iterator<Item = OnRoad> + '_ {
        self.layout.occupants(self.number(link)).map(move |(slot, vehicle, _)| {
            let vehicle = VehicleIx(vehicle);
            let last = self.routes.links(self.vehicles.route[vehicle.row()]).last().unwrap_or(0);
            let last = self.layout.links[last as usize].outside;
            OnRoad { vehicle, trip: self.vehicles.trip[vehicle.row()], link, last, slot }
        })
    }
    /// The links that a vehicle has yet to drive after the one it is on.
    pub fn onward(&self, vehicle: OnRoad) -> impl Iterator<Item = CarLinkIx> + '_ {
        let cursor = self.layout.slots.guess(vehicle.slot).0 as usize;
        let links = self.routes.arena()[cursor + 1..].iter().take_while(|&&link| link != END);
        links.map(|&link| self.layout.links[link as usize].outside)
    }
    /// Sends a vehicle another way from the end of its link on; its stops stay where the new way passes
    /// them in their order. False, and nothing changes, when the way has a gap or is too long.
    pub fn reroute(&mut self, vehicle: OnRoad, onward: &[CarLinkIx]) -> bool {
        let mut way = Vec::with_capacity(onward.len() + 1);
        way.push(vehicle.link);
        way.extend_from_slice(onward);
        let Some(RouteRef { start: route, .. }) = self.add_route(&way) else { return false };
        let OnRoad { vehicle, link, slot, .. } = vehicle;
        let old_cursor = self.layout.slots.guess(slot).0;
        let row = vehicle.row();
        let rest = |cursor: u32| {
            let links = self.routes.arena()[cursor as usize + 1..].iter().copied().take_while(|&link| link != END);
            self.length_and_free_time(links)
        };
        let ((old_m, old_time), (new_m, new_time)) = (rest(old_cursor), rest(route.0));
        self.vehicles.distance_m[row] += new_m - old_m;
        self.vehicles.free_time[row] = self.vehicles.free_time[row].saturating_sub(old_time).saturating_add(new_time);
        // The hold of `add_route` becomes the vehicle's own.
        self.routes.release(self.vehicles.route[row]);
        self.vehicles.set_route(vehicle, old_cursor, route, &self.routes);
        let next = self.routes.arena()[route.0 as usize + 1];
        let heading = self.vehicles.heading(vehicle.0, next);
        self.layout.slots.redirect(slot, route.0, heading);
        let number = self.number(link);
        if self.layout.exit(number).head == slot {
            self.wake_exit(number);
        }
        true
    }
}

/// What can be seen between steps.
impl Engine {
    /// Vehicles by where they are, from running counters of the tables they are in.
    #[must_use]
    pub fn counts(&self) -> VehicleCounts {
        let (admitted, released) =
            self.layout.chunks.iter().fold((0, 0), |(a, r), chunk| (a + chunk.admitted, r + chunk.released));
        // Links admit each vehicle once more than they release it until it arrives.
        VehicleCounts { on_road: admitted - released, waiting: self.queued, ..self.counts }
    }

    /// The same with every vehicle on every link and in every queue counted anew, and the number of
    /// vehicles in the vehicle table, which must be `on_road + waiting`.
    #[must_use]
    pub fn audit(&self) -> (VehicleCounts, u64) {
        let on_road = (0..self.layout.len()).into_par_iter().map(|number| self.layout.occupants(number).count() as u64);
        let entries = self.layout.chunks.par_iter().flat_map_iter(|chunk| &chunk.entries);
        let waiting = entries.map(|entry| self.vehicles.queue(entry.last_waiting).count() as u64);
        let counts = VehicleCounts { on_road: on_road.sum(), waiting: waiting.sum(), ..self.counts };
        (counts, self.vehicles.len() as u64)
    }

    /// Vehicles that have left a link since the start: the unit of the engine's work.
    #[must_use]
    pub fn crossings(&self) -> u64 {
        self.layout.chunks.iter().map(|chunk| chunk.released).sum()
    }

    /// Vehicles on a link, those of them that stand at its exit, and those that wait to enter it from
    /// its origin.
    #[must_use]
    pub fn on_link(&self, link: CarLinkIx) -> LinkOccupancy {
        let number = self.number(link);
        let now = self.tick * TICK;
        let mut occupancy = LinkOccupancy::default();
        for (_, _, arrival) in self.layout.occupants(number) {
            occupancy.on_link += 1;
            occupancy.queued += u32::from(arrival < now);
        }
        occupancy.at_origin = self.vehicles.queue(self.layout.entry(number).last_waiting).count() as u32;
        occupancy
    }

    /// Trips in the queues of their origins, in order of trip.
    #[must_use]
    pub fn waiting_trips(&self) -> Vec<TripIx> {
        let entries = self.layout.chunks.iter().flat_map(|chunk| &chunk.entries);
        let vehicles = entries.flat_map(|entry| self.vehicles.queue(entry.last_waiting));
        let mut trips: Vec<TripIx> = vehicles.map(|vehicle| self.vehicles.trip[vehicle as usize]).collect();
        trips.sort_unstable();
        trips
    }

    /// Vehicles that have entered and left a link since the start.
    #[must_use]
    pub fn passed(&self, link: CarLinkIx) -> (u32, u32) {
        let number = self.number(link);
        let left = self.layout.exit(number).left;
        (left.wrapping_add(self.layout.occupants(number).count() as u32), left)
    }
}

/// Vehicles on one link at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkOccupancy {
    /// On the link.
    pub on_link: u32,
    /// Of these, past their free-flow arrival at its exit.
    pub queued: u32,
    /// In the queue of the origin in front of it.
    pub at_origin: u32,
}
