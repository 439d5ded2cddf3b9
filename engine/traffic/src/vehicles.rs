//! The vehicles on the network or waiting to enter it, and the routes they follow.
//!
//! Vehicles are rows of flat columns whose slots are reused; nothing is allocated per vehicle. Routes
//! are runs of link numbers that end with [`END`], stored in blocks of one arena; vehicles with the same
//! route may share it, and a block is used again when no vehicle refers to it.
//!
//! Contract: written only between steps, by one thread, in the order of trips and events; nodes read
//! them during a step, and take the first out of queues of their own.

use crate::link::Passenger;
use crate::time::{NEVER, Time};
use crate::vehicle_class::VehicleClass;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use urbis_core::{TripIx, VehicleIx};

/// Ends a route. Link numbers are below it.
pub(crate) const END: u32 = (1 << LINK_BITS) - 1;
const LINK_BITS: u32 = 28;

/// No vehicle, in queues.
pub(crate) const NOBODY: u32 = u32::MAX;

/// Where a vehicle goes next and what it is: the number of a link or [`END`] in 28 bits, its kind in 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heading(pub(crate) u32);

/// Bit of a kind that says that the vehicle makes stops.
const STOPS: u8 = 8;

/// Quarters of a passenger car by the lower three bits of a kind.
const QUARTERS: [u32; 8] = {
    let mut quarters = [crate::gate::CAR_QUARTERS; 8];
    let mut nth = 0;
    while nth < VehicleClass::NAMED.len() {
        quarters[nth] = VehicleClass::NAMED[nth].0.pce_quarters();
        nth += 1;
    }
    quarters
};

/// The most slots of a link that any vehicle takes beyond the first, whatever others owe.
pub(crate) const MOST_MORE_SLOTS: u32 = {
    let (mut most, mut nth) = (0, 0);
    while nth < QUARTERS.len() {
        most = if QUARTERS[nth] > most { QUARTERS[nth] } else { most };
        nth += 1;
    }
    (most - 1) / crate::gate::CAR_QUARTERS
};

impl Heading {
    #[inline]
    pub(crate) fn new(link: u32, kind: u8) -> Self {
        Self(link | u32::from(kind) << LINK_BITS)
    }
    #[inline]
    pub(crate) fn link(self) -> u32 {
        self.0 & END
    }
    #[inline]
    pub(crate) fn kind(self) -> u8 {
        (self.0 >> LINK_BITS) as u8
    }
    /// Quarters of a passenger car that the vehicle counts for.
    #[inline]
    pub(crate) fn quarters(self) -> u32 {
        QUARTERS[usize::from(self.kind() & 7)]
    }
    /// Whether it counts for more than a car.
    #[inline]
    pub(crate) fn is_long(self) -> bool {
        self.0 >= 1 << LINK_BITS && self.quarters() > crate::gate::CAR_QUARTERS
    }
    /// Whether it makes stops.
    #[inline]
    pub(crate) fn stops(self) -> bool {
        self.kind() & STOPS != 0
    }
    /// The same of a vehicle that makes stops.
    pub(crate) fn with_stops(self) -> Self {
        Self(self.0 | u32::from(STOPS) << LINK_BITS)
    }
}

/// Links of a block; the longest route is one shorter.
const BLOCK: usize = 1 << 16;

/// Where a route starts in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RouteStart(pub(crate) u32);

/// Routes in recycled blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    arena: Vec<u32>,
    users: Vec<u32>,
    free: VecDeque<u32>,
    open: u32,
    filled: usize,
}

impl Routes {
    /// Links, route after route, each ended by [`END`].
    pub(crate) fn arena(&self) -> &[u32] {
        &self.arena
    }
    /// Whether a route of so many links can be stored.
    pub(crate) fn fits(links: usize) -> bool {
        links < BLOCK
    }
    /// Stores a route; it stays while [`Routes::hold`] has been called more often than
    /// [`Routes::release`], or until the next call after none was.
    pub(crate) fn insert(&mut self, links: impl ExactSizeIterator<Item = u32>) -> RouteStart {
        let needed = links.len() + 1;
        assert!(needed <= BLOCK, "routes are checked with Routes::fits");
        if self.users.is_empty() || self.filled + needed > BLOCK {
            self.open_block();
        }
        let start = self.open as usize * BLOCK + self.filled;
        for (place, link) in self.arena[start..start + needed].iter_mut().zip(links.chain(std::iter::once(END))) {
            *place = link;
        }
        self.filled += needed;
        RouteStart(start as u32)
    }
    fn open_block(&mut self) {
        let closed = self.open;
        if !self.users.is_empty() && self.users[closed as usize] == 0 {
            self.free.push_back(closed);
        }
        self.open = self.free.pop_front().unwrap_or_else(|| {
            self.arena.resize(self.arena.len() + BLOCK, END);
            self.users.push(0);
            self.users.len() as u32 - 1
        });
        self.filled = 0;
    }
    /// The links of a route.
    pub(crate) fn links(&self, route: RouteStart) -> impl Iterator<Item = u32> + '_ {
        self.arena[route.0 as usize..].iter().copied().take_while(|&link| link != END)
    }
    /// The first link of a route.
    pub(crate) fn first(&self, route: RouteStart) -> u32 {
        self.arena[route.0 as usize]
    }
    pub(crate) fn hold(&mut self, route: RouteStart) {
        self.users[route.0 as usize / BLOCK] += 1;
    }
    pub(crate) fn release(&mut self, route: RouteStart) {
        let block = route.0 as usize / BLOCK;
        self.users[block] -= 1;
        if self.users[block] == 0 && block != self.open as usize {
            self.free.push_back(block as u32);
        }
    }
    #[cfg(test)]
    fn blocks(&self) -> usize {
        self.users.len()
    }
}

/// Columns of the vehicles; key [`VehicleIx`].
#[derive(Debug, Default)]
pub(crate) struct Vehicles {
    pub(crate) trip: Vec<TripIx>,
    pub(crate) route: Vec<RouteStart>,
    /// When it wanted to leave.
    pub(crate) depart: Vec<Time>,
    /// When it entered its first link; [`NEVER`] while it waits.
    pub(crate) entered: Vec<Time>,
    pub(crate) distance_m: Vec<f32>,
    /// Time its route takes on an empty network.
    pub(crate) free_time: Vec<Time>,
    /// The vehicle behind it in its origin queue; behind the last is the first, so a queue is known by its last.
    /// Nodes write those of their own queues.
    behind: Vec<AtomicU32>,
    /// Class, and whether it makes stops.
    kind: Vec<u8>,
    /// How long a vehicle stands on a link of its route, by vehicle and position in the arena.
    stops: BTreeMap<(u32, u32), Time>,
    free: Vec<u32>,
}

/// A vehicle that is about to exist.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewVehicle<'a> {
    pub(crate) trip: TripIx,
    pub(crate) route: RouteStart,
    pub(crate) depart: Time,
    pub(crate) distance_m: f32,
    pub(crate) free_time: Time,
    pub(crate) class: VehicleClass,
    /// Position on the route and standing time of each stop.
    pub(crate) stops: &'a [(u32, Time)],
}

impl Vehicles {
    pub(crate) fn add(&mut self, new: NewVehicle<'_>) -> VehicleIx {
        let NewVehicle { trip, route, depart, distance_m, free_time, class, stops } = new;
        let kind = class as u8 | if stops.is_empty() { 0 } else { STOPS };
        let row = if let Some(row) = self.free.pop() {
            let at = row as usize;
            self.trip[at] = trip;
            self.route[at] = route;
            self.depart[at] = depart;
            self.entered[at] = NEVER;
            self.distance_m[at] = distance_m;
            self.free_time[at] = free_time;
            self.kind[at] = kind;
            row
        } else {
            self.trip.push(trip);
            self.route.push(route);
            self.depart.push(depart);
            self.entered.push(NEVER);
            self.distance_m.push(distance_m);
            self.free_time.push(free_time);
            self.behind.push(AtomicU32::new(NOBODY));
            self.kind.push(kind);
            self.trip.len() as u32 - 1
        };
        for &(nth, standing) in stops {
            self.stops.insert((row, route.0 + nth), standing);
        }
        VehicleIx(row)
    }
    /// The first link of a vehicle, with what it is.
    pub(crate) fn heading(&self, vehicle: u32, link: u32) -> Heading {
        Heading::new(link, self.kind[vehicle as usize])
    }
    pub(crate) fn class(&self, vehicle: VehicleIx) -> VehicleClass {
        VehicleClass::NAMED[usize::from(self.kind[vehicle.row()] & !STOPS)].0
    }
    /// How long a vehicle stands on the link at a position of the arena.
    #[inline]
    pub(crate) fn stop(&self, heading: Heading, passenger: Passenger) -> Time {
        if heading.stops() { self.stops.get(&(passenger.vehicle, passenger.cursor)).copied().unwrap_or(0) } else { 0 }
    }
    /// Lets a vehicle take so much longer than the free time of the link it is on, modulo 2^32: less, where the link
    /// has become slower behind it.
    pub(crate) fn set_stop(&mut self, passenger: Passenger, longer: Time) {
        self.kind[passenger.vehicle as usize] |= STOPS;
        self.stops.insert((passenger.vehicle, passenger.cursor), longer);
    }
    /// Gives a vehicle another route, of which it is at the first link; stops that it still has move
    /// along if the new route passes their links.
    pub(crate) fn set_route(&mut self, vehicle: VehicleIx, old_cursor: u32, new: RouteStart, routes: &Routes) {
        let row = vehicle.0;
        let old: Vec<(u32, Time)> =
            self.stops.range((row, old_cursor)..=(row, u32::MAX)).map(|(k, &t)| (k.1, t)).collect();
        let all: Vec<u32> = self.stops.range((row, 0)..=(row, u32::MAX)).map(|(key, _)| key.1).collect();
        for cursor in all {
            self.stops.remove(&(row, cursor));
        }
        let mut from = new.0;
        for (cursor, standing) in old {
            let link = routes.arena()[cursor as usize];
            let onward = routes.arena()[from as usize..].iter().take_while(|&&other| other != END);
            if let Some(nth) = onward.clone().position(|&other| other == link) {
                self.stops.insert((row, from + nth as u32), standing);
                from += nth as u32 + 1;
            }
        }
        self.route[vehicle.row()] = new;
    }
    pub(crate) fn remove(&mut self, vehicle: VehicleIx) {
        if self.kind[vehicle.row()] & STOPS != 0 {
            let keys: Vec<(u32, u32)> =
                self.stops.range((vehicle.0, 0)..=(vehicle.0, u32::MAX)).map(|(&key, _)| key).collect();
            keys.into_iter().for_each(|key| {
                self.stops.remove(&key);
            });
        }
        self.free.push(vehicle.0);
    }
    /// Position in the arena of the first link of a vehicle's route.
    pub(crate) fn cursor(&self, vehicle: u32) -> u32 {
        self.route[vehicle as usize].0
    }
    fn behind(&self, vehicle: u32) -> &AtomicU32 {
        &self.behind[vehicle as usize]
    }
    /// The first of a queue, known by its last; `None` when that is [`NOBODY`].
    #[inline]
    pub(crate) fn first_behind(&self, last: u32) -> Option<u32> {
        (last != NOBODY).then(|| self.behind(last).load(Relaxed))
    }
    /// Puts a vehicle behind the last of a queue.
    pub(crate) fn join_queue(&self, vehicle: VehicleIx, last: &mut u32) {
        let first = self.first_behind(*last).unwrap_or(vehicle.0);
        self.behind(vehicle.0).store(first, Relaxed);
        if *last != NOBODY {
            self.behind(*last).store(vehicle.0, Relaxed);
        }
        *last = vehicle.0;
    }
    /// Takes the first out of a queue, which has one.
    #[inline]
    pub(crate) fn leave_queue(&self, last: &mut u32) -> u32 {
        let first = self.behind(*last).load(Relaxed);
        if first == *last {
            *last = NOBODY;
        } else {
            self.behind(*last).store(self.behind(first).load(Relaxed), Relaxed);
        }
        first
    }
    /// Those in a queue, the first first.
    pub(crate) fn queue(&self, last: u32) -> impl Iterator<Item = u32> + '_ {
        let next = move |&vehicle: &u32| if vehicle == last { None } else { self.first_behind(vehicle) };
        std::iter::successors(self.first_behind(last), next)
    }
    /// Vehicles in use.
    pub(crate) fn len(&self) -> usize {
        self.trip.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_used_again_when_nobody_drives_there() {
        let mut routes = Routes::default();
        for round in 0..20_u32 {
            let mut held = Vec::new();
            for _ in 0..100 {
                let route = routes.insert(vec![round; 1000].into_iter());
                routes.hold(route);
                held.push(route);
            }
            assert!(held.iter().all(|&route| routes.links(route).eq(std::iter::repeat_n(round, 1000))));
            held.into_iter().for_each(|route| routes.release(route));
        }
        assert!(routes.blocks() <= 4, "{}", routes.blocks());
        assert!(Routes::fits(BLOCK - 1) && !Routes::fits(BLOCK));
    }

    #[test]
    fn a_vehicle_takes_29_bytes() {
        let Vehicles { trip, route, depart, entered, distance_m, free_time, behind, kind, stops: _, free: _ } =
            Vehicles::default();
        fn bytes<T>(_: &[T]) -> usize {
            size_of::<T>()
        }
        let words = bytes(&trip) + bytes(&route) + bytes(&depart) + bytes(&entered) + bytes(&free_time);
        assert_eq!(words + bytes(&distance_m) + bytes(&behind) + bytes(&kind), 29);
    }

    #[test]
    fn slots_are_used_again() {
        let mut routes = Routes::default();
        let route = routes.insert([1].into_iter());
        let mut vehicles = Vehicles::default();
        let new = |trip| NewVehicle {
            trip: TripIx(trip),
            route,
            depart: 0,
            distance_m: 1.0,
            free_time: 5,
            class: VehicleClass::Car,
            stops: &[],
        };
        let first = vehicles.add(new(7));
        vehicles.remove(first);
        assert_eq!((vehicles.add(new(8)), vehicles.len()), (first, 1));
    }
}
