//! One link of the kinematic-wave model with individual vehicles (Newell 1993; Yperman 2007, with
//! integer cumulative counts), cut in two halves for writing.
//!
//! A link is a ring of N slots, one per passenger car that fits. A vehicle that enters at `t` writes
//! `t + free time`, its earliest arrival at the exit, into the next slot: the forward wave. When it
//! leaves at `t'` the slot keeps `t' + lag`, the moment its room reaches the entrance: the backward
//! wave. Vehicle `k + N` wants exactly that slot, so storage, cumulative curves and both waves are one
//! load. Capacity is a [`Gate`] at the entrance and one at the exit.
//!
//! A vehicle that counts for more than a car takes as many headways and slots; quarters of slots are
//! carried on to the next such vehicle, so the mean is exact. A vehicle with a stop on the link arrives
//! later by the time it stands, and so does whoever is behind it: it stops in its lane.
//!
//! The upstream node owns the [`Entry`], the downstream node the [`Exit`]; what does not change is in the
//! [`Link`], once. A slot belongs to the exit while a vehicle is in it and to the entry otherwise. Both waves last at least a window of ticks, and
//! each side ignores what the other wrote in the window being computed (`Field::head`,
//! `Field::sees_room`): so results do not depend on the order in which nodes are computed.
//!
//! Ignored: overtaking on a link, bounded acceleration. Lanes as separate queues: see `lane_groups`.

use crate::gate::{CAR_QUARTERS, Gate, Terms};
use crate::time::{NEVER, Time};
use crate::vehicles::{Heading, MOST_MORE_SLOTS, NOBODY};
use prefetch_index::prefetch_index;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use urbis_core::CarLinkIx;

/// Marks a slot without a vehicle.
const FREE: u32 = u32::MAX;
/// Marks a slot that the vehicle in the slot before takes too.
const TAKEN: u32 = u32::MAX - 1;

/// A place for one car on a link: `vehicle << 32 | time` and `cursor << 32 | heading`.
#[derive(Debug)]
struct Slot {
    vehicle_time: AtomicU64,
    cursor_heading: AtomicU64,
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

/// Who is in a slot and where they go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) passenger: Passenger,
    pub(crate) heading: Heading,
    /// At the exit.
    pub(crate) arrival: Time,
}

/// The slots of all links, link after link.
#[derive(Debug, Default)]
pub(crate) struct Slots(Vec<Slot>);

impl Slots {
    pub(crate) fn new(count: usize) -> Self {
        let free = || Slot { vehicle_time: AtomicU64::new(pack(FREE, 0)), cursor_heading: AtomicU64::new(0) };
        Self((0..count).map(|_| free()).collect())
    }
    /// Arrival at the exit and heading of the vehicle in a slot; `None` when it is free or an arrival then is
    /// not to be seen.
    #[inline]
    pub(crate) fn arrival(&self, slot: u32, is_seen: impl FnOnce(Time) -> bool) -> Option<(Time, Heading)> {
        let slot = &self.0[slot as usize];
        let (vehicle, time) = unpack(slot.vehicle_time.load(Relaxed));
        (vehicle < TAKEN && is_seen(time)).then(|| (time, Heading(slot.cursor_heading.load(Relaxed) as u32)))
    }
    /// When the room of a slot reaches the entrance, 0 if it was never used; [`NEVER`] when it is taken or room
    /// then is not to be seen.
    #[inline]
    pub(crate) fn room(&self, slot: u32, is_seen: impl FnOnce(Time) -> bool) -> Time {
        let (vehicle, time) = unpack(self.0[slot as usize].vehicle_time.load(Relaxed));
        if vehicle == FREE && is_seen(time) { time } else { NEVER }
    }
    /// Position in the arena and heading of whoever is in a slot, right or not: to load memory early.
    #[inline]
    pub(crate) fn guess(&self, slot: u32) -> (u32, Heading) {
        let (cursor, heading) = unpack(self.0[slot as usize].cursor_heading.load(Relaxed));
        (cursor, Heading(heading))
    }
    /// Loads a slot into the cache without waiting for it.
    #[inline]
    pub(crate) fn prefetch(&self, slot: u32) {
        prefetch_index(&self.0, slot as usize);
    }
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether a slot holds no vehicle nor part of one, between steps.
    pub(crate) fn is_free(&self, slot: u32) -> bool {
        unpack(self.0[slot as usize].vehicle_time.load(Relaxed)).0 == FREE
    }
    /// Whom a slot holds, between steps: nobody, part of the vehicle in the slot before, or a vehicle
    /// with its arrival at the exit.
    pub(crate) fn content(&self, slot: u32) -> Content {
        match unpack(self.0[slot as usize].vehicle_time.load(Relaxed)) {
            (FREE, _) => Content::Nobody,
            (TAKEN, _) => Content::Part,
            (vehicle, arrival) => Content::Vehicle { vehicle, arrival },
        }
    }
    /// Sends the vehicle in a slot another way, between steps.
    pub(crate) fn redirect(&self, slot: u32, cursor: u32, heading: Heading) {
        self.0[slot as usize].cursor_heading.store(pack(cursor, heading.0), Relaxed);
    }
    #[inline]
    pub(crate) fn fill(&self, slot: u32, passenger: Passenger, heading: Heading, arrival: Time) {
        let slot = &self.0[slot as usize];
        slot.cursor_heading.store(pack(passenger.cursor, heading.0), Relaxed);
        slot.vehicle_time.store(pack(passenger.vehicle, arrival), Relaxed);
    }
    /// Who is in a slot that is not free.
    #[inline]
    pub(crate) fn head(&self, slot: u32) -> Head {
        let slot = &self.0[slot as usize];
        let (vehicle, arrival) = unpack(slot.vehicle_time.load(Relaxed));
        let (cursor, heading) = unpack(slot.cursor_heading.load(Relaxed));
        Head { passenger: Passenger { vehicle, cursor }, heading: Heading(heading), arrival }
    }
    #[inline]
    fn empty(&self, slot: u32, room_at: Time) {
        self.0[slot as usize].vehicle_time.store(pack(FREE, room_at), Relaxed);
    }
    /// Empties a slot if the vehicle that just left the slot before took it too.
    fn empty_part(&self, slot: u32, room_at: Time) -> bool {
        let word = &self.0[slot as usize].vehicle_time;
        let is_part = unpack(word.load(Relaxed)).0 == TAKEN;
        if is_part {
            word.store(pack(FREE, room_at), Relaxed);
        }
        is_part
    }
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Nobody,
    Part,
    Vehicle { vehicle: u32, arrival: Time },
}

/// What both halves of a link, its neighbours and routes ask for. Half a cache line.
#[derive(Debug, Default)]
#[repr(align(32))]
pub(crate) struct Link {
    /// First slot; the ring ends where that of the next link starts.
    pub(crate) ring_start: u32,
    /// First input of the upstream node.
    pub(crate) upstream: u32,
    /// Input of the downstream node that this link is.
    pub(crate) input: u32,
    pub(crate) free_time: Time,
    pub(crate) lag: Time,
    pub(crate) length_m: f32,
    /// What it is called outside.
    pub(crate) outside: CarLinkIx,
    /// Which inputs of the upstream node wait for room (bit = input, first eight); written there.
    pub(crate) waiting: AtomicU8,
    /// Quarters of slots that long vehicles are yet to take; of the upstream node too.
    pub(crate) owed_quarters: AtomicU8,
    /// Vehicles that a merge in front of it absorbs.
    pub(crate) merge_pocket: u16,
}

impl Link {
    /// How long a vehicle has been on the link at a moment, by its arrival at the exit and how much longer than the free
    /// time the ride there takes (modulo 2^32, see [`crate::Engine::set_free_times`]).
    #[inline]
    pub(crate) fn time_on(&self, arrival: Time, longer: Time, at: Time) -> Time {
        at.wrapping_sub(self.entered(arrival, longer))
    }
    /// When it entered.
    #[inline]
    pub(crate) fn entered(&self, arrival: Time, longer: Time) -> Time {
        arrival.wrapping_sub(self.free_time).wrapping_sub(longer)
    }
}

/// A link with its ring of slots.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring<'a> {
    pub(crate) link: &'a Link,
    /// Behind the last slot.
    pub(crate) end: u32,
}

impl Ring<'_> {
    /// The slot so many behind another, less than once around.
    #[inline]
    pub(crate) fn behind(&self, slot: u32, more: u32) -> u32 {
        let behind = slot + more;
        if behind >= self.end { behind - self.end + self.link.ring_start } else { behind }
    }
    /// The slot behind another.
    #[inline]
    fn next(&self, slot: u32) -> u32 {
        if slot + 1 == self.end { self.link.ring_start } else { slot + 1 }
    }
    /// Number of slots.
    pub(crate) fn storage(&self) -> u32 {
        self.end - self.link.ring_start
    }
    /// Slots, once around from one of them.
    pub(crate) fn slots_from(&self, head: u32) -> impl Iterator<Item = u32> + use<> {
        (head..self.end).chain(self.link.ring_start..head)
    }
}

/// The downstream half of a link, owned by its downstream node. Half a cache line.
#[derive(Clone, Debug)]
#[repr(align(32))]
pub(crate) struct Exit {
    pub(crate) gate: Gate,
    /// Time that all who have left spent on the link.
    pub(crate) spent: u64,
    /// Slot of the head, if there is one.
    pub(crate) head: u32,
    /// Vehicles that have left.
    pub(crate) left: u32,
    /// Service received, in inverse priorities (see the node model).
    pub(crate) tag: u32,
    /// Number of the link.
    pub(crate) link: u32,
}

/// How a head leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaving {
    /// When.
    pub(crate) at: Time,
    /// Start of the green it leaves in; 0 where there is no signal.
    pub(crate) green_from: Time,
    /// How much longer than the free time the ride to the exit took at least, modulo 2^32.
    pub(crate) stop: Time,
    /// Headways of capacity that are kept when it was held up by others.
    pub(crate) pocket: u32,
}

impl Exit {
    pub(crate) fn new(gate: Gate, link: u32) -> Self {
        Self { gate, spent: 0, head: 0, left: 0, tag: 0, link }
    }
    /// Lets the head leave.
    #[inline]
    pub(crate) fn leave(&mut self, slots: &Slots, ring: Ring<'_>, terms: &Terms, head: Head, how: Leaving) {
        let Leaving { at, green_from, stop, pocket } = how;
        let Head { heading, arrival, .. } = head;
        let room_at = at.saturating_add(ring.link.lag);
        slots.empty(self.head, room_at);
        self.gate.pass(terms, arrival.max(green_from), at, (pocket, 0), heading.quarters());
        self.spent += u64::from(ring.link.time_on(arrival, stop, at));
        self.left = self.left.wrapping_add(1);
        self.tag = self.tag.wrapping_add(terms.tag_step);
        self.head = ring.next(self.head);
        if heading.is_long() {
            let last = self.head;
            while slots.empty_part(self.head, room_at) {
                self.head = ring.next(self.head);
                if self.head == last {
                    break;
                }
            }
        }
    }
}

/// The upstream half of a link, owned by its upstream node, and the queue of vehicles that start there.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) gate: Gate,
    /// When there is room for the next car, or [`NEVER`] when that is not known.
    pub(crate) room_at: Time,
    /// Slot of the next vehicle.
    pub(crate) next: u32,
    /// Last of those who wait to start here, in order of departure, behind whom the first stands; or [`NOBODY`].
    pub(crate) last_waiting: u32,
    /// Service received by those who start here, in inverse priorities.
    pub(crate) tag: u32,
}

impl Entry {
    pub(crate) fn new(gate: Gate, next: u32) -> Self {
        Self { gate, room_at: 0, next, last_waiting: NOBODY, tag: 0 }
    }
    /// Looks for room if none is known; whether there is some that is to be seen.
    #[inline]
    pub(crate) fn find_room(&mut self, slots: &Slots, is_seen: impl FnOnce(Time) -> bool) -> bool {
        if self.room_at == NEVER {
            self.room_at = slots.room(self.next, is_seen);
        }
        self.room_at != NEVER
    }
    /// Lets a vehicle in; returns its arrival at the exit. Of the slots it takes beyond the first only
    /// those that are free are taken, which matters to none who has waited for room.
    #[inline]
    pub(crate) fn admit(
        &mut self,
        slots: &Slots,
        ring: Ring<'_>,
        terms: &Terms,
        (passenger, heading): (Passenger, Heading),
        how: Entering,
    ) -> Time {
        let Entering { ready, at, stop, pocket } = how;
        let arrival = at.saturating_add(ring.link.free_time).saturating_add(stop);
        slots.fill(self.next, passenger, heading, arrival);
        let kept = (pocket, u32::from(ring.link.merge_pocket));
        self.gate.pass(terms, ready.max(self.room_at), at, kept, heading.quarters());
        if heading.is_long() {
            let (owed, more) = (ring.owed(heading), ring.more_slots(heading));
            ring.link.owed_quarters.store((owed % CAR_QUARTERS) as u8, Relaxed);
            for _ in 0..more {
                let slot = ring.next(self.next);
                if !slots.is_free(slot) {
                    break;
                }
                self.next = slot;
                slots.fill(slot, Passenger { vehicle: TAKEN, cursor: 0 }, heading, arrival);
            }
        }
        self.next = ring.next(self.next);
        // Whoever asks next looks; the slot may be far from the cache now.
        self.room_at = NEVER;
        arrival
    }
}

/// What long vehicles take of a ring.
impl Ring<'_> {
    /// Quarters of slots that a vehicle takes beyond the first, with those that others owe.
    fn owed(&self, heading: Heading) -> u32 {
        u32::from(self.link.owed_quarters.load(Relaxed)) + heading.quarters() - CAR_QUARTERS
    }
    /// Slots beyond the first that must be free for a vehicle to enter, with one to spare or not.
    #[inline]
    pub(crate) fn slots_needed(&self, heading: Heading, keeps_one: bool) -> u32 {
        self.slots_but_first(self.more_slots(heading) + u32::from(keeps_one))
    }
    /// The most of them that any vehicle needs.
    pub(crate) fn most_needed(&self) -> u32 {
        self.slots_but_first(MOST_MORE_SLOTS + 1)
    }
    /// Slots that a vehicle takes beyond the first.
    #[inline]
    pub(crate) fn more_slots(&self, heading: Heading) -> u32 {
        if heading.is_long() { self.slots_but_first(self.owed(heading) / CAR_QUARTERS) } else { 0 }
    }
    /// So many slots or, if that is less, all but the first.
    #[inline]
    fn slots_but_first(&self, more: u32) -> u32 {
        more.min(self.storage() - 1)
    }
}

/// How a vehicle enters a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entering {
    /// When it could have come earlier.
    pub(crate) ready: Time,
    /// When it comes.
    pub(crate) at: Time,
    /// How long it stands on the link.
    pub(crate) stop: Time,
    /// Headways of capacity that are kept when it was held up by others.
    pub(crate) pocket: u32,
}
