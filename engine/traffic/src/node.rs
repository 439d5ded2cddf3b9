//! The node model, for a chunk of neighbouring nodes.
//!
//! Within a tick each node is a small discrete-event simulation. Its inputs are in-links and origin
//! queues; the head of an input may cross at the latest of: its arrival at the exit, the exit gate, the
//! entry gate of the link it wants, and the moment there is room on it. Heads cross in order of that
//! time. A head that cannot cross holds up those behind it (FIFO diverge, spillback); nobody is ever
//! removed. Destinations are the ends of links and take what the exit gate lets through.
//!
//! Heads that wait for the same link at the same moment compete: the one with the least service so far
//! goes first. Service is counted per input in units of `1 / priority` over all its crossings, so that
//! inputs bound by the same link get flows in proportion to their priorities whatever their turning
//! fractions (the capacity-proportional node model of Tampere et al. 2011, as start-time fair queueing).
//! Differences in service are forgotten beyond [`WINDOW`] vehicles, so nobody saves up priority.
//!
//! With strict gates an integer node is an input-queued switch, which saturates near 60-75 % of what the
//! fluid node takes (head-of-line blocking). Junctions therefore have a pocket of a few vehicles: an
//! input that was held up keeps the capacity it lost, up to the pocket, and a link that is entered from
//! two or more directions absorbs a bunch of as many above its steady capacity. Links in series and
//! sustained flows are metered exactly; a bunch waits at the next exit, where it blocks nobody else.
//!
//! An exit with a signal passes nobody but in green ([`crate::green`]); capacity that goes by in red is not
//! carried over.
//!
//! Contract: a chunk writes its own halves of links, slots it owns, and bits of later wheel rows. Only
//! inputs that may move are looked at; looking once too often changes nothing. What others do within a
//! window of ticks is not seen before its end, and matters to nobody before: both waves of every link
//! last at least as long (conservative time windows, Chandy and Misra 1979).

use crate::gate::{Gate, Terms, TermsTable, UNSIGNALLED};
use crate::green::Greens;
use crate::layout::ring_of;
use crate::link::{Entering, Entry, Exit, Head, Leaving, Link, Passenger, Ring, Slots};
use crate::time::{NEVER, TICK, Time, tick_of};
use crate::vehicles::{END, Heading, NOBODY, Vehicles};
use crate::wheel::{CHUNK_INPUTS, CHUNK_WORDS, REACH, Wheel};
use prefetch_index::prefetch_index;
use std::sync::atomic::Ordering::Relaxed;

/// Vehicles of service that competitors may be apart.
const WINDOW: i32 = 4;

/// Slots that a processor's own cache holds; with more, a window reads ahead ([`Chunk::fetch`]).
const CACHED_SLOTS: usize = 1 << 18;

/// Heads for which a chunk reads ahead at a time: enough for their misses to overlap, few enough for the cache
/// next to the processor.
const HEADS_AHEAD: usize = 64;

/// Links that take longer than this need their wake-ups renewed on the way.
pub(crate) const FAR: Time = (REACH - 1) * TICK;

/// Service units of one crossing.
pub(crate) fn tag_step(priority: f64) -> u32 {
    (4096.0 / priority).round().clamp(1.0, f64::from(1 << 24)) as u32
}

/// What all chunks share during a step.
pub(crate) struct Field<'a> {
    /// The tick being computed.
    pub(crate) tick: u32,
    /// When it ends.
    pub(crate) end: Time,
    /// First tick of the window: what others did since then is not seen.
    pub(crate) window_start: u32,
    /// First tick after the window: what others did in it is seen from then on.
    pub(crate) window_end: u32,
    /// Vehicles that a junction can hold without blocking others.
    pub(crate) pocket: u32,
    pub(crate) slots: &'a Slots,
    pub(crate) wheel: &'a Wheel,
    /// By number, with one more.
    pub(crate) links: &'a [Link],
    /// Whether any takes longer than the wheel reaches.
    pub(crate) has_far: bool,
    pub(crate) routes: &'a [u32],
    pub(crate) vehicles: &'a Vehicles,
    pub(crate) greens: &'a Greens,
    /// Whether every crossing is kept.
    pub(crate) keeps_crossings: bool,
}

impl Field<'_> {
    fn start(&self) -> Time {
        self.tick * TICK
    }
    /// Whether chunks read ahead.
    #[inline]
    fn fetches(&self) -> bool {
        self.slots.len() > CACHED_SLOTS
    }
    fn seen_before(&self) -> Time {
        self.window_start * TICK
    }
    #[inline]
    fn ring(&self, link: u32) -> Ring<'_> {
        ring_of(self.links, link)
    }
    /// Arrival and heading of the head of an exit that is to be looked at. Its entry has armed the wheel for one
    /// that arrives later, unless that is too far ahead. Whoever entered in this window arrives after it.
    #[inline]
    fn head(&self, exit: &Exit) -> Option<(Time, Heading)> {
        let is_far = |arrival| {
            let free_time = self.links[exit.link as usize].free_time;
            free_time > FAR && arrival < self.seen_before().saturating_add(free_time)
        };
        self.slots.arrival(exit.head, |arrival| arrival < self.end || self.has_far && is_far(arrival))
    }
    /// Whether room that reaches the entrance of a link at a time is to be seen: what was left in this window
    /// reaches it after the window.
    #[inline]
    fn sees_room(&self, link: u32) -> impl Fn(Time) -> bool + use<'_> {
        move |time| time < self.end || time < self.seen_before().saturating_add(self.links[link as usize].lag)
    }
    /// Wakes one input at a time.
    #[inline]
    fn wake<const SHARED: bool>(&self, input: u32, at: Time) {
        self.wheel.arm::<SHARED>(input & !7, 1 << (input & 7), at, self.tick);
    }
    /// Tells those who wait for room on a link when there will be some.
    #[inline]
    fn release<const SHARED: bool>(&self, link: &Link, at: Time) {
        let waiting = link.waiting.load(Relaxed);
        if waiting != 0 {
            self.wheel.arm::<SHARED>(link.upstream, u64::from(waiting), at, self.tick);
        }
    }
}

/// Where a node's rows are in its chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeRows {
    pub(crate) first_exit: u32,
    pub(crate) exits: u32,
    pub(crate) first_entry: u32,
    pub(crate) entries: u32,
    /// First input, over all chunks; a multiple of 8.
    pub(crate) first_input: u32,
    /// In-links that are part of a circle (bit = row; beyond 32 there are none).
    pub(crate) circle_exits: u32,
    /// Out-links that are part of a circle.
    pub(crate) circle_entries: u32,
}

impl NodeRows {
    pub(crate) fn inputs(&self) -> u32 {
        self.exits + self.entries
    }
    /// Whether an out-link is part of a circle.
    fn is_circle(&self, out_row: u32) -> bool {
        out_row < 32 && self.circle_entries >> out_row & 1 == 1
    }
    /// Whether an input comes from outside the circle.
    fn is_outside(&self, input: u32) -> bool {
        input >= self.exits.min(32) || self.circle_exits >> input & 1 == 0
    }
    /// Whether whoever enters an entry (row in the chunk) from an input must leave a slot behind: into a
    /// circle from outside it.
    pub(crate) fn keeps_one(&self, input: u32, entry: u32) -> bool {
        self.is_circle(entry - self.first_entry) && self.is_outside(input)
    }
    fn bytes(&self) -> u32 {
        self.inputs().div_ceil(8)
    }
}

/// A head that can cross in this tick.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Candidate {
    input: u32,
    /// Number of the link it enters, or [`END`].
    out: u32,
    /// When it could have come, had nothing but room and signals held it up.
    ready: Time,
    /// Start of the green it leaves in; 0 without a signal.
    green_from: Time,
    at: Time,
}

/// A vehicle that went from one link to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crossing {
    pub(crate) vehicle: u32,
    /// Number of the link it left.
    pub(crate) link: u32,
    pub(crate) entered: Time,
    pub(crate) left: Time,
}

/// A head that may cross in a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// Row of its exit; then its slot, then the row of the entry it wants.
    place: u32,
    /// How many are before it at its exit.
    nth: u32,
    tick: u32,
}

/// Neighbouring nodes with their halves of links: the unit of parallel work.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) index: usize,
    pub(crate) nodes: Vec<NodeRows>,
    /// Node of each byte of inputs.
    pub(crate) byte_node: Vec<u32>,
    /// In-links by node, then outside order.
    pub(crate) exits: Vec<Exit>,
    /// Out-links by node, then outside order.
    pub(crate) entries: Vec<Entry>,
    /// Terms of their gates.
    pub(crate) terms: TermsTable,
    /// Number of the first entry, over all chunks.
    pub(crate) first_link: u32,
    /// Vehicles that entered their first link in this step, with times.
    pub(crate) entered: Vec<(u32, Time)>,
    /// Vehicles that arrived in this step, with times.
    pub(crate) ended: Vec<(u32, Time)>,
    /// Crossings since they were last taken.
    pub(crate) crossings: Vec<Crossing>,
    /// Signals that somebody waits at although no green is decided, since they were last taken.
    pub(crate) calls: Vec<u32>,
    /// Inputs looked at in this step.
    pub(crate) looks: u64,
    /// Vehicles that took a slot of a link since the start.
    pub(crate) admitted: u64,
    /// Vehicles that left a link since the start.
    pub(crate) released: u64,
    /// Scratch of a step: as many as a node has inputs at most.
    pub(crate) candidates: Box<[Candidate]>,
    /// Scratch of [`Chunk::fetch`].
    pub(crate) ahead: Vec<Ahead>,
}

impl Chunk {
    /// Changes what binds one end of a link.
    pub(crate) fn change_terms(&mut self, gate: impl Fn(&mut Self) -> &mut Gate, change: impl FnOnce(&mut Terms)) {
        if self.terms.len() > 2 * CHUNK_INPUTS as usize {
            let exits = self.exits.iter_mut().map(|exit| &mut exit.gate);
            self.terms.renew(exits.chain(self.entries.iter_mut().map(|entry| &mut entry.gate)));
        }
        let old = *gate(self);
        let (mut changed, mut terms) = (old, *self.terms.of(old));
        change(&mut terms);
        self.terms.follow(&mut changed, terms);
        *gate(self) = changed;
    }

    /// Changes the capacity of one end of a link from `now` on; `None` closes it.
    pub(crate) fn set_capacity(&mut self, gate: impl Fn(&mut Self) -> &mut Gate, capacity_vps: Option<f64>, now: Time) {
        let Some(capacity_vps) = capacity_vps.filter(|&capacity_vps| capacity_vps > 0.0) else {
            gate(self).close();
            return;
        };
        gate(self).open(now);
        self.change_terms(gate, |terms| terms.set_capacity(capacity_vps));
    }

    /// Computes a window of ticks.
    pub(crate) fn run<const SHARED: bool>(&mut self, field: &mut Field<'_>) {
        let mut fetched = if field.fetches() { field.window_start } else { field.window_end };
        for tick in field.window_start..field.window_end {
            if tick == fetched {
                fetched = self.fetch(field, tick);
            }
            if field.wheel.is_awake(self.index, tick) {
                (field.tick, field.end) = (tick, (tick * TICK).saturating_add(TICK));
                self.step::<SHARED>(field);
            }
        }
    }

    /// Computes one tick.
    fn step<const SHARED: bool>(&mut self, field: &Field<'_>) {
        let mut awake = [0_u64; CHUNK_WORDS];
        let mut words = field.wheel.take(self.index, field.tick, &mut awake);
        // Taken out for the time of the step, so that the rest of the chunk can be written.
        let mut candidates = std::mem::take(&mut self.candidates);
        let nodes = std::mem::take(&mut self.nodes);
        while words != 0 {
            let word = words.trailing_zeros() as usize;
            words &= words - 1;
            while awake[word] != 0 {
                let shift = awake[word].trailing_zeros() & !7;
                let rows = &nodes[self.byte_node[word * 8 + shift as usize / 8] as usize];
                let count = if rows.inputs() <= 8 {
                    let inputs = awake[word] >> shift & 0xff;
                    awake[word] &= !(0xff << shift);
                    self.collect::<SHARED>(field, rows, 0, inputs, &mut candidates)
                } else {
                    self.collect_many::<SHARED>(field, rows, &mut awake, &mut candidates)
                };
                if count > 0 {
                    self.run_node::<SHARED>(field, rows, &mut candidates, count);
                }
            }
        }
        self.candidates = candidates;
        self.nodes = nodes;
    }

    /// Fetches into the cache what the inputs armed for the next ticks are about to need, in passes of which
    /// each reads what the one before fetched, so that cache misses overlap instead of following each other.
    /// Changes nothing; returns the first tick it did not look at.
    fn fetch(&mut self, field: &Field<'_>, mut tick: u32) -> u32 {
        let Self { ahead, exits, entries, nodes, byte_node, first_link, .. } = self;
        ahead.clear();
        // How often each exit was met.
        let mut seen = [0_u8; CHUNK_INPUTS as usize];
        while tick < field.window_end && ahead.len() < HEADS_AHEAD {
            field.wheel.armed(self.index, tick, |bit| {
                let rows = &nodes[byte_node[bit / 8] as usize];
                let input = bit as u32 - rows.first_input % CHUNK_INPUTS;
                if input < rows.exits {
                    let place = rows.first_exit + input;
                    prefetch_index(&*exits, place as usize);
                    // An exit that is armed for several ticks lets one vehicle after another go.
                    let nth = &mut seen[place as usize];
                    ahead.push(Ahead { place, nth: u32::from(*nth), tick });
                    *nth = nth.saturating_add(1);
                }
            });
            tick += 1;
        }
        for Ahead { place, .. } in &*ahead {
            prefetch_index(field.links, exits[*place as usize].link as usize);
        }
        for Ahead { place, nth, .. } in &mut *ahead {
            let exit = &exits[*place as usize];
            let ring = field.ring(exit.link);
            let slot = exit.head + *nth;
            *place = if slot < ring.end { slot } else { ring.link.ring_start };
            field.slots.prefetch(*place);
            // Whoever comes behind is looked at as soon as this one has left.
            field.slots.prefetch(*place + 1);
        }
        for Ahead { place, .. } in &mut *ahead {
            let (cursor, heading) = field.slots.guess(*place);
            prefetch_index(field.routes, cursor as usize + 2);
            *place = heading.link().wrapping_sub(*first_link);
            prefetch_index(&*entries, *place as usize);
            prefetch_index(field.links, heading.link() as usize);
        }
        for &Ahead { place, tick, .. } in &*ahead {
            if let Some(entry) = entries.get(place as usize) {
                let link = &field.links[(*first_link + place) as usize];
                field.slots.prefetch(entry.next);
                field.wheel.prefetch(link.input, tick + tick_of(link.free_time));
            }
        }
        tick
    }

    /// Lists those inputs of a node, given as bits from `first` on, whose heads can cross; how many these are.
    #[inline]
    fn collect<const SHARED: bool>(
        &mut self,
        field: &Field<'_>,
        rows: &NodeRows,
        first: u32,
        mut inputs: u64,
        candidates: &mut [Candidate],
    ) -> usize {
        let mut count = 0;
        while inputs != 0 {
            let input = first + inputs.trailing_zeros();
            inputs &= inputs - 1;
            count += usize::from(self.look::<SHARED>(field, rows, input, field.start(), &mut candidates[count]));
        }
        count
    }

    /// The same for a node whose inputs fill more than a byte.
    #[cold]
    fn collect_many<const SHARED: bool>(
        &mut self,
        field: &Field<'_>,
        rows: &NodeRows,
        awake: &mut [u64; CHUNK_WORDS],
        candidates: &mut [Candidate],
    ) -> usize {
        let first_byte = rows.first_input as usize / 8 % (CHUNK_WORDS * 8);
        let mut count = 0;
        for nth in 0..rows.bytes() as usize {
            let (word, shift) = ((first_byte + nth) / 8, (first_byte + nth) % 8 * 8);
            let inputs = awake[word] >> shift & 0xff;
            awake[word] &= !(0xff << shift);
            count += self.collect::<SHARED>(field, rows, nth as u32 * 8, inputs, &mut candidates[count..]);
        }
        count
    }

    /// Writes down the head of an input, if it can cross in this tick and not before `floor`; else makes sure
    /// that it is looked at again in time. Whether it can.
    #[inline(always)]
    fn look<const SHARED: bool>(
        &mut self,
        field: &Field<'_>,
        rows: &NodeRows,
        input: u32,
        floor: Time,
        candidate: &mut Candidate,
    ) -> bool {
        self.looks += 1;
        let (mut ready, heading, signal) = if input < rows.exits {
            let exit = &self.exits[(rows.first_exit + input) as usize];
            let Some((arrival, heading)) = field.head(exit) else { return false };
            (arrival.max(exit.gate.opens()), heading, self.terms.of(exit.gate).signal)
        } else {
            let queue = rows.first_entry + input - rows.exits;
            let Some(first) = field.vehicles.first_behind(self.entries[queue as usize].last_waiting) else {
                return false;
            };
            let heading = field.vehicles.heading(first, self.first_link + queue);
            (field.vehicles.depart[first as usize], heading, UNSIGNALLED)
        };
        let mut at = ready;
        let out = heading.link();
        if out != END {
            let entry = &mut self.entries[(out - self.first_link) as usize];
            if !entry.find_room(field.slots, field.sees_room(out)) {
                wait_for_room::<SHARED>(field, rows, input, out);
                return false;
            }
            at = at.max(entry.gate.opens()).max(entry.room_at);
            let keeps_one = rows.keeps_one(input, out - self.first_link);
            if keeps_one || heading.is_long() {
                // Those who fit nowhere else take what room there is.
                let ring = field.ring(out);
                let room_of = |more| field.slots.room(ring.behind(entry.next, more), field.sees_room(out));
                let own = room_of(ring.slots_needed(heading, false));
                let kept = if keeps_one { room_of(ring.slots_needed(heading, true)) } else { 0 };
                if own == NEVER || kept == NEVER {
                    wait_for_room::<SHARED>(field, rows, input, out);
                    return false;
                }
                ready = ready.max(own);
                at = at.max(own).max(kept);
            }
        }
        let mut green_from = 0;
        if signal != UNSIGNALLED {
            let free = at;
            (green_from, at) = field.greens.next(signal, free);
            if at != NEVER && free < green_from {
                // Who waits for green passes half a headway into it: so greens pass the saturation flow
                // times their length on average, neither rounded up nor down.
                let gate = self.exits[(rows.first_exit + input) as usize].gate;
                let half = self.terms.of(gate).half_headway(heading.quarters());
                at = field.greens.next(signal, at.saturating_add(half)).1;
                green_from = at;
            }
            if at < floor {
                at = field.greens.next(signal, floor).1;
            }
            if at == NEVER {
                self.calls.push(signal);
            }
        }
        at = at.max(floor);
        if at < field.end {
            *candidate = Candidate { input, out, ready, green_from, at };
            return true;
        }
        if at != NEVER {
            field.wake::<SHARED>(rows.first_input + input, at);
        }
        false
    }

    /// [`Chunk::look`] for those who are looked at a second time in a tick, which few are.
    #[inline(never)]
    fn look_again<const SHARED: bool>(
        &mut self,
        field: &Field<'_>,
        rows: &NodeRows,
        input: u32,
        floor: Time,
        candidate: &mut Candidate,
    ) -> bool {
        self.look::<SHARED>(field, rows, input, floor, candidate)
    }

    /// Replaces a candidate that just crossed by whoever follows it, if that one can cross in this tick too.
    #[inline]
    fn follow<const SHARED: bool>(&mut self, field: &Field<'_>, rows: &NodeRows, candidate: &mut Candidate) -> bool {
        let Candidate { input, at, .. } = *candidate;
        let is_there = if input < rows.exits {
            field.head(&self.exits[(rows.first_exit + input) as usize]).is_some()
        } else {
            self.entries[(rows.first_entry + input - rows.exits) as usize].last_waiting != NOBODY
        };
        is_there && self.look_again::<SHARED>(field, rows, input, at, candidate)
    }

    /// Lets the candidates of a node cross until none is left in this tick.
    #[inline]
    fn run_node<const SHARED: bool>(
        &mut self,
        field: &Field<'_>,
        rows: &NodeRows,
        candidates: &mut [Candidate],
        mut count: usize,
    ) {
        while count > 0 {
            let nth = if count == 1 { 0 } else { self.choose(rows, &candidates[..count]) };
            let chosen = &mut candidates[nth];
            let (out, input, at) = (chosen.out, chosen.input, chosen.at);
            self.cross::<SHARED>(field, rows, chosen);
            if !self.follow::<SHARED>(field, rows, chosen) {
                count -= 1;
                if count == 0 {
                    return;
                }
                candidates[nth] = candidates[count];
            }
            if out == END {
                continue;
            }
            let mut other = 0;
            while other < count {
                let rival = &mut candidates[other];
                if rival.out != out
                    || rival.input == input
                    || self.look_again::<SHARED>(field, rows, rival.input, at, rival)
                {
                    other += 1;
                } else {
                    count -= 1;
                    candidates[other] = candidates[count];
                }
            }
        }
    }

    /// The candidate that crosses first; of those who compete, the one with the least service.
    fn choose(&mut self, rows: &NodeRows, candidates: &[Candidate]) -> usize {
        let (mut best, mut chosen) = (0, &candidates[0]);
        for (nth, candidate) in candidates.iter().enumerate().skip(1) {
            if (candidate.at, candidate.input) < (chosen.at, chosen.input) {
                (best, chosen) = (nth, candidate);
            }
        }
        let competes = |c: &Candidate| c.at == chosen.at && c.out == chosen.out;
        if chosen.out == END || candidates.iter().filter(|c| competes(c)).count() == 1 {
            return best;
        }
        // Tags wrap; they are compared relative to one of the competitors.
        let origin = self.tag(rows, chosen.input).0;
        let mut ahead = i32::MIN;
        let mut step_max = 1;
        for candidate in candidates.iter().filter(|c| competes(c)) {
            let (tag, step) = self.tag(rows, candidate.input);
            ahead = ahead.max(tag.wrapping_sub(origin) as i32);
            step_max = step_max.max(step as i32);
        }
        let behind = ahead.saturating_sub(WINDOW * step_max);
        let mut least = (i32::MAX, u32::MAX);
        for (nth, candidate) in candidates.iter().enumerate().filter(|(_, c)| competes(c)) {
            let service = (self.tag(rows, candidate.input).0.wrapping_sub(origin) as i32).max(behind);
            *self.tag_mut(rows, candidate.input) = origin.wrapping_add(service as u32);
            if (service, candidate.input) < least {
                least = (service, candidate.input);
                best = nth;
            }
        }
        best
    }

    fn tag(&self, rows: &NodeRows, input: u32) -> (u32, u32) {
        let (gate, tag) = if input < rows.exits {
            let exit = &self.exits[(rows.first_exit + input) as usize];
            (exit.gate, exit.tag)
        } else {
            let entry = &self.entries[(rows.first_entry + input - rows.exits) as usize];
            (entry.gate, entry.tag)
        };
        (tag, self.terms.of(gate).tag_step)
    }
    fn tag_mut(&mut self, rows: &NodeRows, input: u32) -> &mut u32 {
        if input < rows.exits {
            &mut self.exits[(rows.first_exit + input) as usize].tag
        } else {
            &mut self.entries[(rows.first_entry + input - rows.exits) as usize].tag
        }
    }

    /// Moves a head across the node.
    #[inline]
    fn cross<const SHARED: bool>(&mut self, field: &Field<'_>, rows: &NodeRows, chosen: &Candidate) {
        let Candidate { at, ready, .. } = *chosen;
        let (passenger, kind) = if chosen.input < rows.exits {
            let exit = &mut self.exits[(rows.first_exit + chosen.input) as usize];
            let ring = field.ring(exit.link);
            let head = field.slots.head(exit.head);
            let Head { passenger, heading, arrival } = head;
            let stop = field.vehicles.stop(heading, passenger);
            let how = Leaving { at, green_from: chosen.green_from, stop, pocket: field.pocket };
            exit.leave(field.slots, ring, self.terms.of(exit.gate), head, how);
            if field.keeps_crossings {
                let entered = ring.link.entered(arrival, stop);
                self.crossings.push(Crossing { vehicle: passenger.vehicle, link: exit.link, entered, left: at });
            }
            field.release::<SHARED>(ring.link, at.saturating_add(ring.link.lag));
            self.released += 1;
            if chosen.out == END {
                self.ended.push((passenger.vehicle, at));
                return;
            }
            (Passenger { cursor: passenger.cursor + 1, ..passenger }, heading.kind())
        } else {
            let entry = &mut self.entries[(rows.first_entry + chosen.input - rows.exits) as usize];
            let vehicle = field.vehicles.leave_queue(&mut entry.last_waiting);
            entry.tag = entry.tag.wrapping_add(self.terms.of(entry.gate).tag_step);
            self.entered.push((vehicle, at));
            let kind = field.vehicles.heading(vehicle, chosen.out).kind();
            (Passenger { vehicle, cursor: field.vehicles.cursor(vehicle) }, kind)
        };
        let entry = &mut self.entries[(chosen.out - self.first_link) as usize];
        let heading = Heading::new(field.routes[passenger.cursor as usize + 1], kind);
        let stop = field.vehicles.stop(heading, passenger);
        let how = Entering { ready: ready.max(chosen.green_from), at, stop, pocket: field.pocket };
        let (ring, terms) = (field.ring(chosen.out), self.terms.of(entry.gate));
        let arrival = entry.admit(field.slots, ring, terms, (passenger, heading), how);
        field.wake::<SHARED>(ring.link.input, arrival);
        if field.fetches() {
            field.slots.prefetch(entry.next);
        } else {
            // It is at hand now, and may not be when the next one asks.
            entry.find_room(field.slots, field.sees_room(chosen.out));
        }
        self.admitted += 1;
        let waiting = &ring.link.waiting;
        let flags = waiting.load(Relaxed);
        if flags != 0 {
            let bit = if rows.bytes() > 1 { 0 } else { 1 << chosen.input };
            // Others may still wait where there is room for a car, but not for the longest vehicle and the
            // slot that must stay free in a circle.
            let last = ring.behind(entry.next, ring.most_needed());
            let keeps = field.slots.room(last, field.sees_room(chosen.out)) == NEVER;
            waiting.store(if keeps { flags & !bit } else { 0 }, Relaxed);
        }
    }
}

/// Notes that an input waits for room on a link. Whoever leaves the link in this window may not see the
/// note, so the input looks once more in the next; from then on it sleeps until it is told.
#[cold]
fn wait_for_room<const SHARED: bool>(field: &Field<'_>, rows: &NodeRows, input: u32, link: u32) {
    let waiting = &field.links[link as usize].waiting;
    let flags = waiting.load(Relaxed);
    let next_tick = field.window_end * TICK;
    if rows.bytes() > 1 {
        // More inputs than flags: such a node looks every tick.
        waiting.store(u8::MAX, Relaxed);
        field.wake::<SHARED>(rows.first_input + input, next_tick);
    } else if flags & 1 << input == 0 {
        waiting.store(flags | 1 << input, Relaxed);
        field.wake::<SHARED>(rows.first_input + input, next_tick);
    }
}
