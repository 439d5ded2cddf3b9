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
//! carried on to the next such vehicle, so the mean is exact. A vehicle with a stop on the link arrives later by the time it stands, and so does whoever
//! is behind it: it stops in its lane.
//!
//! The upstream node owns the [`Entry`], the downstream node the [`Exit`]; a slot belongs to the exit
//! while a vehicle is in it and to the entry otherwise. Both waves last at least a window of ticks, and
//! each side ignores what the other wrote in the window being computed ([`Slots::arrival`],
//! [`Slots::room`]): so results do not depend on the order in which nodes are computed.
//!
//! Ignored: overtaking on a link, bounded acceleration. Lanes as separate queues: see `lane_groups`.

use crate::time::{Gate, NEVER, Time};
use crate::vehicles::{Heading, NOBODY};
use prefetch_index::prefetch_index;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Marks a slot without a vehicle.
const FREE: u32 = u32::MAX;
/// Marks a slot that the vehicle in the slot before takes too.
const TAKEN: u32 = u32::MAX - 1;

/// No signal at an exit.
pub(crate) const UNSIGNALLED: u32 = u32::MAX;

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

/// The slots of all links, link after link.
#[derive(Debug, Default)]
pub(crate) struct Slots(Vec<Slot>);

impl Slots {
    pub(crate) fn new(count: usize) -> Self {
        let free = || Slot { vehicle_time: AtomicU64::new(pack(FREE, 0)), cursor_heading: AtomicU64::new(0) };
        Self((0..count).map(|_| free()).collect())
    }
    /// Arrival at the exit and heading of the vehicle in a slot; `None` when it is free or was filled at
    /// or after `window_start`.
    #[inline]
    pub(crate) fn arrival(&self, slot: u32, free_time: Time, window_start: Time) -> Option<(Time, Heading)> {
        let slot = &self.0[slot as usize];
        let (vehicle, time) = unpack(slot.vehicle_time.load(Relaxed));
        (vehicle < TAKEN && time < window_start.saturating_add(free_time))
            .then(|| (time, Heading(slot.cursor_heading.load(Relaxed) as u32)))
    }
    /// When the room of a slot reaches the entrance; [`NEVER`] when it is taken or was left at or after
    /// `window_start`.
    #[inline]
    pub(crate) fn room(&self, slot: u32, lag: Time, window_start: Time) -> Time {
        let (vehicle, time) = unpack(self.0[slot as usize].vehicle_time.load(Relaxed));
        // A slot that was never used has time 0.
        if vehicle == FREE && time < window_start.saturating_add(lag).max(1) { time } else { NEVER }
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
    fn fill(&self, slot: u32, passenger: Passenger, heading: Heading, arrival: Time) {
        let slot = &self.0[slot as usize];
        slot.cursor_heading.store(pack(passenger.cursor, heading.0), Relaxed);
        slot.vehicle_time.store(pack(passenger.vehicle, arrival), Relaxed);
    }
    /// Who is in a slot.
    pub(crate) fn passenger(&self, slot: u32) -> Passenger {
        let slot = &self.0[slot as usize];
        let (vehicle, _) = unpack(slot.vehicle_time.load(Relaxed));
        let (cursor, _) = unpack(slot.cursor_heading.load(Relaxed));
        Passenger { vehicle, cursor }
    }
    #[inline]
    fn empty(&self, slot: u32, room_at: Time) -> Passenger {
        let passenger = self.passenger(slot);
        self.0[slot as usize].vehicle_time.store(pack(FREE, room_at), Relaxed);
        passenger
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

/// The downstream half of a link, owned by its downstream node. One cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Exit {
    pub(crate) gate: Gate,
    /// Time that all who have left spent on the link.
    pub(crate) spent: u64,
    /// Arrival of the head, or [`NEVER`] when no head is known.
    pub(crate) head_time: Time,
    /// Where the head goes.
    pub(crate) heading: Heading,
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
    /// Signal group that it obeys, or [`UNSIGNALLED`].
    pub(crate) signal: u32,
}

/// How a head leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaving {
    /// When.
    pub(crate) at: Time,
    /// Start of the green it leaves in; 0 where there is no signal.
    pub(crate) green_from: Time,
    /// How much longer than the free time the ride to the exit took at least.
    pub(crate) stop: Time,
    /// Headways of capacity that are kept when it was held up by others.
    pub(crate) pocket: u32,
}

impl Exit {
    /// Looks for a head if none is known; whether there is one.
    #[inline]
    pub(crate) fn find_head(&mut self, slots: &Slots, window_start: Time) -> bool {
        if self.head_time == NEVER
            && let Some((time, heading)) = slots.arrival(self.head, self.free_time, window_start)
        {
            (self.head_time, self.heading) = (time, heading);
        }
        self.head_time != NEVER
    }
    /// When the head could leave if nothing ahead held it up.
    #[inline]
    pub(crate) fn ready(&self) -> Time {
        self.head_time.max(self.gate.opens())
    }
    /// The head, which is there.
    pub(crate) fn passenger(&self, slots: &Slots) -> Passenger {
        slots.passenger(self.head)
    }
    /// Lets the head leave.
    #[inline]
    pub(crate) fn leave(&mut self, slots: &Slots, how: Leaving, ring_start: impl Fn(u32) -> u32) -> Passenger {
        let Leaving { at, green_from, stop, pocket } = how;
        let room_at = at.saturating_add(self.lag);
        let passenger = slots.empty(self.head, room_at);
        let quarters = self.heading.quarters();
        self.gate.pass(self.head_time.max(green_from), at, pocket, 0, quarters);
        self.spent += u64::from(at - (self.head_time - self.free_time).saturating_sub(stop));
        self.left = self.left.wrapping_add(1);
        self.tag = self.tag.wrapping_add(self.tag_step);
        self.advance(&ring_start);
        if self.heading.is_long() {
            let last = self.head;
            while slots.empty_part(self.head, room_at) {
                self.advance(&ring_start);
                if self.head == last {
                    break;
                }
            }
        }
        self.head_time = NEVER;
        passenger
    }
    #[inline]
    fn advance(&mut self, ring_start: &impl Fn(u32) -> u32) {
        self.head += 1;
        if self.head == self.ring_end {
            self.head = ring_start(self.link);
        }
    }
}

/// The upstream half of a link, owned by its upstream node.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) gate: Gate,
    /// When there is room for the next car, or [`NEVER`] when that is not known.
    pub(crate) room_at: Time,
    /// Slot of the next vehicle.
    pub(crate) next: u32,
    /// Behind the last slot; where the first is, the layout knows, as few ask.
    pub(crate) ring_end: u32,
    pub(crate) free_time: Time,
    pub(crate) lag: Time,
    /// Input of the downstream node that this link is.
    pub(crate) input: u32,
    /// Vehicles that a merge in front of it absorbs.
    pub(crate) merge_pocket: u16,
    /// Quarters of slots that long vehicles are yet to take.
    pub(crate) owed_quarters: u16,
}

impl Entry {
    /// Looks for room if none is known; whether there is.
    #[inline]
    pub(crate) fn find_room(&mut self, slots: &Slots, window_start: Time) -> bool {
        if self.room_at == NEVER {
            self.room_at = slots.room(self.next, self.lag, window_start);
        }
        self.room_at != NEVER
    }
    /// Slots that a vehicle takes beyond the first.
    #[inline]
    pub(crate) fn more_slots(&self, heading: Heading, ring_start: impl Fn() -> u32) -> u32 {
        if !heading.is_long() {
            return 0;
        }
        let owed = u32::from(self.owed_quarters) + heading.quarters() - CAR;
        self.slots_but_first(owed / CAR, ring_start)
    }
    /// So many slots or, if that is less, all but the first.
    #[inline]
    pub(crate) fn slots_but_first(&self, more: u32, ring_start: impl Fn() -> u32) -> u32 {
        more.min(self.ring_end - ring_start() - 1)
    }
    /// When there is room `more` slots behind the next, or [`NEVER`] when that is not known.
    #[inline]
    pub(crate) fn room_behind(
        &self,
        slots: &Slots,
        more: u32,
        window_start: Time,
        ring_start: impl Fn() -> u32,
    ) -> Time {
        slots.room(self.slot_behind(more, ring_start), self.lag, window_start)
    }
    #[inline]
    fn slot_behind(&self, more: u32, ring_start: impl Fn() -> u32) -> u32 {
        let behind = self.next + more;
        if behind >= self.ring_end { behind - self.ring_end + ring_start() } else { behind }
    }
    /// Lets a vehicle in; returns its arrival at the exit. Of the slots it takes beyond the first only
    /// those that are free are taken, which matters to none who has waited for room.
    #[inline]
    pub(crate) fn admit(
        &mut self,
        slots: &Slots,
        passenger: Passenger,
        heading: Heading,
        how: Entering,
        ring_start: impl Fn() -> u32,
    ) -> Time {
        let Entering { ready, at, stop, pocket } = how;
        let arrival = at.saturating_add(self.free_time).saturating_add(stop);
        slots.fill(self.next, passenger, heading, arrival);
        let quarters = heading.quarters();
        self.gate.pass(ready.max(self.room_at), at, pocket, u32::from(self.merge_pocket), quarters);
        if heading.is_long() {
            let more = self.more_slots(heading, &ring_start);
            self.owed_quarters = (u32::from(self.owed_quarters) + heading.quarters() - CAR) as u16 % CAR as u16;
            for nth in 1..=more {
                let slot = self.slot_behind(1, &ring_start);
                if !slots.is_free(slot) {
                    break;
                }
                debug_assert!(nth < self.ring_end - ring_start());
                self.next = slot;
                slots.fill(slot, Passenger { vehicle: TAKEN, cursor: 0 }, heading, arrival);
            }
        }
        self.next = self.slot_behind(1, &ring_start);
        // Whoever asks next looks; the slot may be far from the cache now.
        self.room_at = NEVER;
        arrival
    }
}

/// Quarters of a slot that a car takes.
const CAR: u32 = crate::time::CAR_QUARTERS;

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
        Self { first: NOBODY, last: NOBODY, tag: 0, tag_step }
    }
}
