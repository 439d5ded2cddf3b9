//! Finds gridlock: rings of links whose heads each wait for room on the next.
//!
//! Each such head waits for a slot that only the next link's head can give up, so in the kinematic-wave
//! model, where jam density is a standstill, no vehicle of the ring can ever move. Mostly the links are full;
//! a slot may be free where a long vehicle needs more, or where the one before a circle must stay free. What
//! follows is a policy: either the ring stays as it is, or it creeps, as drivers do who close up the last gaps: at each check
//! every head of the ring moves on to the next link of its own route, all at once, into the slot that
//! opens in the same moment. Nobody overtakes, leaves the road or skips a link, and the ring breaks up
//! when a head comes to the front that goes elsewhere. One vehicle per check and link is what a single
//! gap going round a ring of some hundred metres at wave speed lets through.
//!
//! Contract: works between steps; links are tried in outside order, so nothing depends on threads.

use crate::engine::Engine;
use crate::layout::{Layout, ring_of};
use crate::link::{Entering, Head, Leaving, Passenger};
use crate::node::Crossing;
use crate::time::{NEVER, TICK};
use crate::vehicles::{END, Heading};
use bevy_ecs::resource::Resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use urbis_core::{CarLinkIx, Tick};

/// What happens to a ring of links that blocks itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GridlockPolicy {
    /// It creeps: at each check every head moves up by one link.
    #[default]
    Release,
    /// It is only reported, and stays for ever.
    Report,
    /// The run stops.
    Stop,
}

/// Seconds after which a ring that comes back counts as another one.
const SAME_RING_S: u32 = 600;

/// A ring of links that blocks itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gridlock {
    /// When it was first found.
    pub found: Tick,
    /// When it was last found.
    pub last_seen: Tick,
    /// Its links in driving order, the lowest first, as they were first found.
    pub links: Vec<CarLinkIx>,
    /// Vehicles on these links then.
    pub vehicles: u32,
    /// Moves from link to link by which it was released so far.
    pub released_moves: u64,
}

/// Every ring found so far, in order of discovery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Resource)]
pub struct GridlockReport {
    /// The rings.
    pub rows: Vec<Gridlock>,
    /// There is one, and the policy is that the run stops.
    pub stops: bool,
    /// Row of the latest ring by its lowest link.
    known: BTreeMap<CarLinkIx, usize>,
}

impl GridlockReport {
    /// Looks for rings, adds those that are new and lets all of them follow the policy; whether there is
    /// one now.
    pub fn update(&mut self, engine: &mut Engine, policy: GridlockPolicy) -> bool {
        let now = engine.tick();
        let rings = engine.find_gridlock();
        for links in &rings {
            let known = self.known.get(&links[0]).copied();
            let row = known.filter(|&row| now - self.rows[row].last_seen <= SAME_RING_S).unwrap_or_else(|| {
                let vehicles = links.iter().map(|&link| engine.on_link(link).on_link).sum();
                self.rows.push(Gridlock {
                    found: now,
                    last_seen: now,
                    links: links.clone(),
                    vehicles,
                    released_moves: 0,
                });
                self.rows.len() - 1
            });
            self.known.insert(links[0], row);
            self.rows[row].last_seen = now;
            if policy == GridlockPolicy::Release {
                self.rows[row].released_moves += engine.creep(links);
            }
        }
        !rings.is_empty()
    }
    /// Moves by which rings were released, in all.
    #[must_use]
    pub fn released_moves(&self) -> u64 {
        self.rows.iter().map(|row| row.released_moves).sum()
    }
}

impl Engine {
    /// The link on which the head of a link waits for room, in a queue for which others wait in turn.
    fn blocked_by(&self, number: u32) -> Option<u32> {
        let link = &self.layout.links[number as usize];
        if link.waiting.load(Relaxed) == 0 {
            return None;
        }
        let (arrival, heading) = self.layout.slots.arrival(self.layout.exit(number).head, |_| true)?;
        let next = heading.link();
        if arrival >= self.tick() * TICK || next == END {
            return None;
        }
        let first_link = self.layout.chunks[self.layout.entry_place(next).0].first_link;
        let rows = self.layout.node_rows(link.input);
        let keeps_one = rows.keeps_one(link.input - rows.first_input, next - first_link);
        let ring = self.layout.ring(next);
        let last = ring.behind(self.layout.entry(next).next, ring.slots_needed(heading, keeps_one));
        (!self.layout.slots.is_free(last)).then_some(next)
    }

    /// All rings of links that block themselves now.
    #[must_use]
    pub fn find_gridlock(&self) -> Vec<Vec<CarLinkIx>> {
        let mut seen = vec![0_u32; self.layout.len() as usize];
        let mut rings = Vec::new();
        for start in 0..self.layout.len() {
            let mut at = Some(start);
            let mut path = Vec::new();
            while let Some(link) = at.filter(|&link| seen[link as usize] == 0) {
                at = self.blocked_by(link);
                if at.is_none() && path.is_empty() {
                    break;
                }
                seen[link as usize] = start + 1;
                path.push(link);
            }
            let Some(end) = at.filter(|&link| seen[link as usize] == start + 1) else { continue };
            let Some(first) = path.iter().position(|&link| link == end) else { continue };
            let mut ring: Vec<CarLinkIx> =
                path[first..].iter().map(|&n| self.layout.links[n as usize].outside).collect();
            let lowest = (0..ring.len()).min_by_key(|&nth| ring[nth]).unwrap_or(0);
            ring.rotate_left(lowest);
            rings.push(ring);
        }
        rings.sort_unstable();
        rings
    }

    /// Moves the head of every link of a ring on to the next one; how many moved. None does where an exit
    /// of the ring is closed.
    fn creep(&mut self, ring: &[CarLinkIx]) -> u64 {
        let numbers: Vec<u32> = ring.iter().map(|&link| self.number(link)).collect();
        if numbers.iter().any(|&number| self.layout.exit(number).gate.opens() == NEVER) {
            return 0;
        }
        let now = self.tick() * TICK;
        let mut moving = Vec::with_capacity(numbers.len());
        for &number in &numbers {
            let Self { layout, vehicles, .. } = self;
            let (chunk, row) = layout.exit_place(number);
            let chunk = &mut layout.chunks[chunk];
            let exit = &mut chunk.exits[row];
            let (ring, terms) = (ring_of(&layout.links, number), chunk.terms.of(exit.gate));
            // Every link of a ring has a head that waits.
            let head = layout.slots.head(exit.head);
            let Head { passenger, heading, arrival } = head;
            let stop = vehicles.stop(heading, passenger);
            let how = Leaving { at: now, green_from: 0, stop, pocket: 0 };
            exit.leave(&layout.slots, ring, terms, head, how);
            chunk.released += 1;
            if self.passages.is_some() {
                let entered = arrival.saturating_sub(ring.link.free_time).saturating_sub(stop);
                chunk.crossings.push(Crossing { vehicle: passenger.vehicle, link: number, entered, left: now });
            }
            moving.push((passenger, heading.kind()));
        }
        for (nth, &(passenger, kind)) in moving.iter().enumerate() {
            let number = numbers[(nth + 1) % numbers.len()];
            let passenger = Passenger { cursor: passenger.cursor + 1, ..passenger };
            let heading = Heading::new(self.routes.arena()[passenger.cursor as usize + 1], kind);
            let stop = self.vehicles.stop(heading, passenger);
            let (chunk, row) = self.layout.entry_place(number);
            let Layout { chunks, links, slots, .. } = &mut self.layout;
            let (ring, chunk) = (ring_of(links, number), &mut chunks[chunk]);
            let entry = &mut chunk.entries[row];
            entry.room_at = now;
            let how = Entering { ready: now, at: now, stop, pocket: 0 };
            let arrival = entry.admit(slots, ring, chunk.terms.of(entry.gate), (passenger, heading), how);
            let input = ring.link.input;
            chunk.admitted += 1;
            // The newcomer when it arrives, and the head that now stands at the exit.
            for at in [arrival, now] {
                self.wheel.arm::<false>(input & !7, 1 << (input & 7), at, self.tick);
            }
        }
        // A long head that made way for a car left room for somebody else.
        for &number in &numbers {
            let link = &self.layout.links[number as usize];
            let (waiting, at) = (u64::from(link.waiting.load(Relaxed)), now.saturating_add(link.lag));
            self.wheel.arm::<false>(link.upstream, waiting, at, self.tick);
        }
        numbers.len() as u64
    }
}
