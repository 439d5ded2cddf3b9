//! One link of the kinematic-wave model with individual vehicles (Newell 1993; Yperman 2007, with
//! integer cumulative counts), cut in two halves for writing.
//!
//! A link is a ring of N slots, one per vehicle that fits. A vehicle that enters at `t` writes
//! `t + free time`, its earliest arrival at the exit, into the next slot: the forward wave. When it
//! leaves at `t'` the slot keeps `t' + lag`, the moment its room reaches the entrance: the backward
//! wave. Vehicle `k + N` wants exactly that slot, so storage, cumulative curves and both waves are one
//! load. Capacity is a [`Gate`] at the entrance and one at the exit.
//!
//! The upstream node owns the [`Entry`], the downstream node the [`Exit`]; a slot belongs to the exit
//! while a vehicle is in it and to the entry otherwise. Both waves last at least a tick, and each side
//! ignores what the other wrote in the tick being computed ([`Slots::arrival`], [`Slots::room`]): so
//! results do not depend on the order in which nodes are computed.
//!
//! Ignored: overtaking on a link, lanes as separate queues, bounded acceleration.

use crate::time::{Gate, NEVER, Time};
use crate::vehicles::END;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Marks a slot without a vehicle.
const FREE: u32 = u32::MAX;

/// A place for one vehicle on a link: `vehicle << 32 | time` and `cursor << 32 | next link`.
#[derive(Debug)]
struct Slot {
    vehicle_time: AtomicU64,
    cursor_next: AtomicU64,
}

#[inline]
fn pack(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
#[inline]
fn unpack(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

/// The vehicle at the head of a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passenger {
    pub(crate) vehicle: u32,
    /// Position of the present link in the arena of routes.
    pub(crate) cursor: u32,
}

/// The slots of all links, link after link.
#[derive(Debug, Default)]
pub(crate) struct Slots(Vec<Slot>);

impl Slots {
    pub(crate) fn new(count: usize) -> Self {
        let free = || Slot { vehicle_time: AtomicU64::new(pack(FREE, 0)), cursor_next: AtomicU64::new(0) };
        Self((0..count).map(|_| free()).collect())
    }
    /// Arrival at the exit and next link of the vehicle in a slot; `None` when it is free or was filled
    /// at or after `step_start`.
    #[inline]
    pub(crate) fn arrival(&self, slot: u32, free_time: Time, step_start: Time) -> Option<(Time, u32)> {
        let slot = &self.0[slot as usize];
        let (vehicle, time) = unpack(slot.vehicle_time.load(Relaxed));
        (vehicle != FREE && time < step_start.saturating_add(free_time))
            .then(|| (time, slot.cursor_next.load(Relaxed) as u32))
    }
    /// When the room of a slot reaches the entrance; [`NEVER`] when it is taken or was left at or after
    /// `step_start`.
    #[inline]
    pub(crate) fn room(&self, slot: u32, lag: Time, step_start: Time) -> Time {
        let (vehicle, time) = unpack(self.0[slot as usize].vehicle_time.load(Relaxed));
        // A slot that was never used has time 0.
        if vehicle == FREE && time < step_start.saturating_add(lag).max(1) { time } else { NEVER }
    }
    /// Position in the arena and next link of whoever is in a slot, right or not: to load memory early.
    #[inline]
    pub(crate) fn guess(&self, slot: u32) -> (u32, u32) {
        unpack(self.0[slot as usize].cursor_next.load(Relaxed))
    }
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
    /// Whom a slot holds, with the time of arrival, between steps.
    pub(crate) fn occupant(&self, slot: u32) -> Option<(u32, Time)> {
        let (vehicle, time) = unpack(self.0[slot as usize].vehicle_time.load(Relaxed));
        (vehicle != FREE).then_some((vehicle, time))
    }
    #[inline]
    fn fill(&self, slot: u32, passenger: Passenger, next: u32, arrival: Time) {
        let slot = &self.0[slot as usize];
        slot.cursor_next.store(pack(passenger.cursor, next), Relaxed);
        slot.vehicle_time.store(pack(passenger.vehicle, arrival), Relaxed);
    }
    #[inline]
    fn empty(&self, slot: u32, room_at: Time) -> Passenger {
        let slot = &self.0[slot as usize];
        let (vehicle, _) = unpack(slot.vehicle_time.load(Relaxed));
        let (cursor, _) = unpack(slot.cursor_next.load(Relaxed));
        slot.vehicle_time.store(pack(FREE, room_at), Relaxed);
        Passenger { vehicle, cursor }
    }
}

/// The downstream half of a link, owned by its downstream node. One cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Exit {
    pub(crate) gate: Gate,
    /// Sum of the times of all departures.
    pub(crate) time_sum: u64,
    /// Arrival of the head, or [`NEVER`] when no head is known.
    pub(crate) head_time: Time,
    /// Next link of the head (number of its entry), or [`END`].
    pub(crate) head_next: u32,
    /// Slot of the head.
    pub(crate) head: u32,
    pub(crate) ring_end: u32,
    pub(crate) free_time: Time,
    pub(crate) lag: Time,
    /// Vehicles that have left.
    pub(crate) left: u32,
    /// Service received, in inverse priorities (see the node model).
    pub(crate) tag: u32,
    pub(crate) tag_step: u32,
    /// Number of the entry of this link.
    pub(crate) link: u32,
}

impl Exit {
    /// Looks for a head if none is known; whether there is one.
    #[inline]
    pub(crate) fn find_head(&mut self, slots: &Slots, step_start: Time) -> bool {
        if self.head_time == NEVER
            && let Some((time, next)) = slots.arrival(self.head, self.free_time, step_start)
        {
            (self.head_time, self.head_next) = (time, next);
        }
        self.head_time != NEVER
    }
    /// When the head could leave if nothing ahead held it up.
    #[inline]
    pub(crate) fn ready(&self) -> Time {
        self.head_time.max(self.gate.opens())
    }
    /// Lets the head leave at `at`.
    #[inline]
    pub(crate) fn leave(&mut self, slots: &Slots, at: Time, pocket: u32, ring_start: impl Fn(u32) -> u32) -> Passenger {
        let passenger = slots.empty(self.head, at.saturating_add(self.lag));
        self.gate.pass(self.head_time, at, pocket, 0);
        self.time_sum += u64::from(at);
        self.left = self.left.wrapping_add(1);
        self.tag = self.tag.wrapping_add(self.tag_step);
        self.head += 1;
        if self.head == self.ring_end {
            self.head = ring_start(self.link);
        }
        self.head_time = NEVER;
        passenger
    }
}

/// The upstream half of a link, owned by its upstream node. One cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Entry {
    pub(crate) gate: Gate,
    /// Sum of the times of all entries.
    pub(crate) time_sum: u64,
    /// When there is room for the next vehicle, or [`NEVER`] when that is not known.
    pub(crate) room_at: Time,
    /// Slot of the next vehicle.
    pub(crate) next: u32,
    pub(crate) ring_start: u32,
    pub(crate) ring_end: u32,
    pub(crate) free_time: Time,
    pub(crate) lag: Time,
    /// Vehicles that have entered.
    pub(crate) entered: u32,
    /// Input of the downstream node that this link is.
    pub(crate) input: u32,
    /// Vehicles that a merge in front of it absorbs.
    pub(crate) merge_pocket: u32,
}

impl Entry {
    /// Looks for room if none is known; whether there is.
    #[inline]
    pub(crate) fn find_room(&mut self, slots: &Slots, step_start: Time) -> bool {
        if self.room_at == NEVER {
            self.room_at = slots.room(self.next, self.lag, step_start);
        }
        self.room_at != NEVER
    }
    /// When there is room for one more vehicle behind the next, or [`NEVER`] when that is not known.
    #[inline]
    pub(crate) fn room_behind(&self, slots: &Slots, step_start: Time) -> Time {
        let behind = if self.next + 1 == self.ring_end { self.ring_start } else { self.next + 1 };
        slots.room(behind, self.lag, step_start)
    }
    /// Lets a vehicle in at `at` that was `ready` to come earlier; returns its arrival at the exit.
    #[inline]
    pub(crate) fn admit(
        &mut self,
        slots: &Slots,
        passenger: Passenger,
        next_link: u32,
        (ready, at): (Time, Time),
        (pocket, step_start): (u32, Time),
    ) -> Time {
        let arrival = at.saturating_add(self.free_time);
        slots.fill(self.next, passenger, next_link, arrival);
        self.gate.pass(ready.max(self.room_at), at, pocket, self.merge_pocket);
        self.time_sum += u64::from(at);
        self.entered = self.entered.wrapping_add(1);
        self.next += 1;
        if self.next == self.ring_end {
            self.next = self.ring_start;
        }
        self.room_at = slots.room(self.next, self.lag, step_start);
        arrival
    }
}

/// Vehicles that wait for room on their first link, in order of departure: a vertical queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) tag: u32,
    pub(crate) tag_step: u32,
}

impl Origin {
    pub(crate) fn new(tag_step: u32) -> Self {
        Self { first: END, last: END, tag: 0, tag_step }
    }
}
