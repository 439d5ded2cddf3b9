//! The traffic engine: moves individual vehicles over a network, a tick at a time.
//!
//! [`crate::link`] is the link model, [`crate::node`] the node model. A step wakes the chunks that have
//! something to do, in parallel when there is enough of it, then books departures and arrivals in order
//! of time and trip. What sleeps costs nothing. Nobody teleports: a vehicle leaves only at its
//! destination.
//!
//! Contract: the state after a step depends on the network and on the departures alone, not on threads,
//! on chunks, or on whether the step ran in parallel.

use crate::layout::Layout;
use crate::network::CarNetwork;
use crate::node::Field;
use crate::time::{TICK, Time};
use crate::vehicles::{END, RouteRef, Routes, Vehicles};
use crate::wheel::Wheel;
use rayon::prelude::*;
use std::sync::atomic::AtomicU8;
use urbis_core::{CarLinkIx, Result, Tick, TripIx, VehicleIx};

/// Inputs looked at in the last step from which the next runs in parallel: about 50 us of work.
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

/// The moving part of traffic.
#[derive(Debug)]
pub struct Engine {
    pub(crate) layout: Layout,
    pub(crate) vehicles: Vehicles,
    pub(crate) waiting: Vec<AtomicU8>,
    pub(crate) wheel: Wheel,
    pub(crate) routes: Routes,
    length_m: Vec<f64>,
    free_time: Vec<Time>,
    to: Vec<u32>,
    from: Vec<u32>,
    pocket: u32,
    pub(crate) tick: Tick,
    looks: u64,
    parallel_from: u64,
    queued: u64,
    counts: VehicleCounts,
    ended: Vec<Arrival>,
}

impl Engine {
    /// An empty network. `pocket` is how many vehicles a junction can hold without blocking others.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] when the network is too large to be numbered.
    pub fn new(network: &CarNetwork, pocket: u32) -> Result<Self> {
        let layout = Layout::new(network, pocket)?;
        Ok(Self {
            wheel: Wheel::new(layout.chunks.len()),
            waiting: (0..network.links()).map(|_| AtomicU8::new(0)).collect(),
            layout,
            vehicles: Vehicles::default(),
            routes: Routes::default(),
            length_m: network.length_m.clone(),
            free_time: network.free_time.clone(),
            to: network.to.clone(),
            from: network.from.clone(),
            pocket,
            tick: 0,
            looks: 0,
            parallel_from: PARALLEL_LOOKS,
            queued: 0,
            counts: VehicleCounts::default(),
            ended: Vec::new(),
        })
    }

    /// Runs a step in parallel when the one before looked at so many inputs. Results do not depend on it.
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
        let joined = links.windows(2).all(|pair| self.to[pair[0].row()] == self.from[pair[1].row()]);
        if links.is_empty() || !joined || !Routes::fits(links.len()) {
            return None;
        }
        let route = self.routes.insert(links.iter().map(|link| self.layout.number[link.row()]));
        self.routes.hold(route);
        Some(route)
    }
    /// Lets a stored route go once the last vehicle on it has arrived.
    pub fn drop_route(&mut self, route: RouteRef) {
        self.routes.release(route);
    }

    /// Puts a vehicle into the queue of its origin. Departures come in order of time, then trip; one
    /// before the present tick counts as now.
    pub fn depart(&mut self, trip: TripIx, route: RouteRef, depart: Time) -> VehicleIx {
        let (mut distance_m, mut free_time) = (0.0, 0_u32);
        for number in self.routes.links(route) {
            let link = self.layout.link[number as usize].row();
            distance_m += self.length_m[link];
            free_time = free_time.saturating_add(self.free_time[link]);
        }
        let first = self.routes.first(route);
        let depart = depart.max(self.tick * TICK);
        self.routes.hold(route);
        let vehicle = self.vehicles.add(trip, route, depart, distance_m as f32, free_time);
        let place = self.layout.entry[first as usize];
        let node = self.layout.node[first as usize];
        let chunk = &mut self.layout.chunks[place.chunk as usize];
        let origin = &mut chunk.origins[place.row as usize];
        if origin.first == END {
            origin.first = vehicle.0;
            let rows = chunk.nodes[node.row as usize];
            let input = rows.first_input + rows.exits + place.row - rows.first_entry;
            self.wheel.arm::<false>(input & !7, 1 << (input & 7), depart, self.tick);
        } else {
            self.vehicles.behind[origin.last as usize] = vehicle.0;
        }
        origin.last = vehicle.0;
        self.counts.requested += 1;
        self.queued += 1;
        vehicle
    }

    /// Computes the tick `[tick, tick + 1)` s and returns who arrived in it, in order of time, then trip.
    pub fn step(&mut self) -> &[Arrival] {
        let Self { layout, vehicles, waiting, wheel, routes, tick, .. } = self;
        let field = Field {
            tick: *tick,
            pocket: self.pocket,
            slots: &layout.slots,
            wheel,
            waiting,
            upstream: &layout.upstream,
            ring_start: &layout.ring_start,
            routes: routes.arena(),
            vehicles,
        };
        let now = *tick;
        if self.looks >= self.parallel_from && layout.chunks.len() > 1 && rayon::current_num_threads() > 1 {
            layout.chunks.par_iter_mut().for_each(|chunk| {
                if field.wheel.is_awake(chunk.index, now) {
                    chunk.step::<true>(&field);
                }
            });
        } else {
            for chunk in &mut layout.chunks {
                if field.wheel.is_awake(chunk.index, now) {
                    chunk.step::<false>(&field);
                }
            }
        }
        self.tick += 1;
        self.book();
        &self.ended
    }

    /// Books what happened in the step, in chunk order, then by time and trip.
    fn book(&mut self) {
        self.looks = 0;
        self.ended.clear();
        let mut gone = Vec::new();
        for chunk in &mut self.layout.chunks {
            self.looks += std::mem::take(&mut chunk.looks);
            for (vehicle, at) in chunk.entered.drain(..) {
                self.vehicles.entered[vehicle as usize] = at;
                self.counts.entered += 1;
                self.queued -= 1;
            }
            gone.append(&mut chunk.ended);
        }
        gone.sort_unstable_by_key(|&(vehicle, at)| (at, self.vehicles.trip[vehicle as usize], vehicle));
        for (vehicle, arrive) in gone {
            let row = vehicle as usize;
            self.ended.push(Arrival {
                trip: self.vehicles.trip[row],
                depart: self.vehicles.depart[row],
                entered: self.vehicles.entered[row],
                arrive,
                free_time: self.vehicles.free_time[row],
                distance_m: self.vehicles.distance_m[row],
            });
            self.routes.release(self.vehicles.route[row]);
            self.vehicles.remove(VehicleIx(vehicle));
        }
        self.counts.arrived += self.ended.len() as u64;
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
        let number = self.layout.number[link.row()];
        let place = self.layout.exit[number as usize];
        let exit = &mut self.layout.chunks[place.chunk as usize].exits[place.row as usize];
        exit.gate.set_capacity(capacity_vps, self.tick * TICK);
        let input = self.layout.entry(number).input;
        self.wheel.arm::<false>(input & !7, 1 << (input & 7), self.tick * TICK, self.tick);
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
        let on_road = (0..self.layout.link.len() as u32).map(|number| self.layout.occupants(number).count() as u64);
        let origins = self.layout.chunks.iter().flat_map(|chunk| &chunk.origins);
        let waiting = origins.map(|origin| self.vehicles.queue(origin.first).count() as u64);
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
        let number = self.layout.number[link.row()];
        let now = self.tick * TICK;
        let mut occupancy = LinkOccupancy::default();
        for (_, arrival) in self.layout.occupants(number) {
            occupancy.on_link += 1;
            occupancy.queued += u32::from(arrival < now);
        }
        let place = self.layout.entry[number as usize];
        let origin = self.layout.chunks[place.chunk as usize].origins[place.row as usize];
        occupancy.at_origin = self.vehicles.queue(origin.first).count() as u32;
        occupancy
    }

    /// Trips in the queues of their origins, in order of trip.
    #[must_use]
    pub fn waiting_trips(&self) -> Vec<TripIx> {
        let origins = self.layout.chunks.iter().flat_map(|chunk| &chunk.origins);
        let vehicles = origins.flat_map(|origin| self.vehicles.queue(origin.first));
        let mut trips: Vec<TripIx> = vehicles.map(|vehicle| self.vehicles.trip[vehicle as usize]).collect();
        trips.sort_unstable();
        trips
    }

    /// Vehicles that have entered and left a link since the start.
    #[must_use]
    pub fn passed(&self, link: CarLinkIx) -> (u32, u32) {
        let number = self.layout.number[link.row()];
        (self.layout.entry(number).entered, self.layout.exit(number).left)
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
