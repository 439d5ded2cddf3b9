//! The vehicles on the network or waiting to enter it, and the routes they follow.
//!
//! Vehicles are rows of flat columns whose slots are reused; nothing is allocated per vehicle. Routes
//! are runs of link numbers that end with [`END`], stored in blocks of one arena; vehicles with the same
//! route may share it, and a block is used again when no vehicle refers to it.
//!
//! Contract: written only between steps, by one thread, in the order of trips and events; nodes read
//! them during a step.

use crate::time::{NEVER, Time};
use std::collections::VecDeque;
use urbis_core::{TripIx, VehicleIx};

/// Ends a route; also "no vehicle" in queues.
pub(crate) const END: u32 = u32::MAX;

/// Links of a block; the longest route is one shorter.
const BLOCK: usize = 1 << 16;

/// Where a route starts in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteRef(u32);

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
    pub(crate) fn insert(&mut self, links: impl ExactSizeIterator<Item = u32>) -> RouteRef {
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
        RouteRef(start as u32)
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
    pub(crate) fn links(&self, route: RouteRef) -> impl Iterator<Item = u32> + '_ {
        self.arena[route.0 as usize..].iter().copied().take_while(|&link| link != END)
    }
    /// The first link of a route.
    pub(crate) fn first(&self, route: RouteRef) -> u32 {
        self.arena[route.0 as usize]
    }
    pub(crate) fn hold(&mut self, route: RouteRef) {
        self.users[route.0 as usize / BLOCK] += 1;
    }
    pub(crate) fn release(&mut self, route: RouteRef) {
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
#[derive(Clone, Debug, Default)]
pub(crate) struct Vehicles {
    pub(crate) trip: Vec<TripIx>,
    pub(crate) route: Vec<RouteRef>,
    /// When it wanted to leave.
    pub(crate) depart: Vec<Time>,
    /// When it entered its first link; [`NEVER`] while it waits.
    pub(crate) entered: Vec<Time>,
    pub(crate) distance_m: Vec<f32>,
    /// Time its route takes on an empty network.
    pub(crate) free_time: Vec<Time>,
    /// The vehicle behind it in its origin queue, or [`END`].
    pub(crate) behind: Vec<u32>,
    free: Vec<u32>,
}

impl Vehicles {
    pub(crate) fn add(
        &mut self,
        trip: TripIx,
        route: RouteRef,
        depart: Time,
        distance_m: f32,
        free_time: Time,
    ) -> VehicleIx {
        if let Some(row) = self.free.pop() {
            let at = row as usize;
            self.trip[at] = trip;
            self.route[at] = route;
            self.depart[at] = depart;
            self.entered[at] = NEVER;
            self.distance_m[at] = distance_m;
            self.free_time[at] = free_time;
            self.behind[at] = END;
            return VehicleIx(row);
        }
        self.trip.push(trip);
        self.route.push(route);
        self.depart.push(depart);
        self.entered.push(NEVER);
        self.distance_m.push(distance_m);
        self.free_time.push(free_time);
        self.behind.push(END);
        VehicleIx(self.trip.len() as u32 - 1)
    }
    pub(crate) fn remove(&mut self, vehicle: VehicleIx) {
        self.free.push(vehicle.0);
    }
    /// Position in the arena of the first link of a vehicle's route.
    pub(crate) fn cursor(&self, vehicle: u32) -> u32 {
        self.route[vehicle as usize].0
    }
    /// A vehicle and those behind it in its origin queue.
    pub(crate) fn queue(&self, mut vehicle: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::from_fn(move || {
            let present = (vehicle != END).then_some(vehicle)?;
            vehicle = self.behind[present as usize];
            Some(present)
        })
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
    fn slots_are_used_again() {
        let mut routes = Routes::default();
        let route = routes.insert([1].into_iter());
        let mut vehicles = Vehicles::default();
        let first = vehicles.add(TripIx(7), route, 0, 1.0, 5);
        vehicles.remove(first);
        assert_eq!((vehicles.add(TripIx(8), route, 0, 1.0, 5), vehicles.len()), (first, 1));
    }
}
