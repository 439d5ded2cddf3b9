//! Finds gridlock: rings of full links whose heads each wait for room on the next.
//!
//! Each such head waits for the very slot that the next link's head holds, so in the kinematic-wave model,
//! where jam density is a standstill, no vehicle of the ring can ever move. What follows is a policy:
//! either the ring stays as it is, or it creeps, as drivers do who close up the last gaps: at each check
//! every head of the ring moves on to the next link of its own route, all at once, into the slot that
//! opens in the same moment. Nobody overtakes, leaves the road or skips a link, and the ring breaks up
//! when a head comes to the front that goes elsewhere. One vehicle per check and link is what a single
//! gap going round a ring of some hundred metres at wave speed lets through.
//!
//! Contract: works between steps; links are tried in outside order, so nothing depends on threads.

use crate::engine::Engine;
use crate::link::Passenger;
use crate::time::{NEVER, TICK};
use crate::vehicles::END;
use bevy_ecs::resource::Resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;
use urbis_core::{CarLinkIx, Tick};

/// What happens to a ring of links that blocks itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GridlockPolicy {
    /// It creeps: at each check every head moves up by one link.
    #[default]
    Creep,
    /// It is only reported, and stays for ever.
    Report,
}

/// A ring of links that blocks itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gridlock {
    /// When it was found.
    pub tick: Tick,
    /// Its links in driving order, the lowest first.
    pub links: Vec<CarLinkIx>,
}

/// Every ring found so far, in order of discovery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Resource)]
pub struct GridlockReport {
    /// The rings.
    pub rows: Vec<Gridlock>,
    /// Vehicles that crept from link to link in them.
    pub crept_vehicles: u64,
    known: BTreeSet<CarLinkIx>,
}

impl GridlockReport {
    /// Adds the rings that are new and lets all of them follow the policy.
    pub fn update(&mut self, engine: &mut Engine, policy: GridlockPolicy) {
        for links in engine.find_gridlock() {
            if policy == GridlockPolicy::Creep {
                self.crept_vehicles += engine.creep(&links);
            }
            if self.known.insert(links[0]) {
                self.rows.push(Gridlock { tick: engine.tick(), links });
            }
        }
    }
}

impl Engine {
    /// The link that the head of a full link waits for, if that one is full too.
    fn blocked_by(&self, number: u32) -> Option<u32> {
        if self.waiting[number as usize].load(Relaxed) == 0 {
            return None;
        }
        let (arrival, next) = self.layout.slots.arrival(self.layout.exit(number).head, NEVER, 0)?;
        if arrival >= self.tick() * TICK || next == END {
            return None;
        }
        let is_full = |link: u32| self.layout.slots.occupant(self.layout.entry(link).next).is_some();
        (is_full(number) && is_full(next)).then_some(next)
    }

    /// All rings of full links that block themselves now.
    #[must_use]
    pub fn find_gridlock(&self) -> Vec<Vec<CarLinkIx>> {
        let mut seen = vec![0_u32; self.layout.link.len()];
        let mut rings = Vec::new();
        for start in 0..self.layout.link.len() as u32 {
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
            let mut ring: Vec<CarLinkIx> = path[first..].iter().map(|&n| self.layout.link[n as usize]).collect();
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
        let numbers: Vec<u32> = ring.iter().map(|link| self.layout.number[link.row()]).collect();
        if numbers.iter().any(|&number| self.layout.exit(number).gate.opens() == NEVER) {
            return 0;
        }
        let now = self.tick() * TICK;
        let Self { layout, .. } = self;
        let mut moving = Vec::with_capacity(numbers.len());
        for &number in &numbers {
            let place = layout.exit[number as usize];
            let chunk = &mut layout.chunks[place.chunk as usize];
            let exit = &mut chunk.exits[place.row as usize];
            moving.push(exit.leave(&layout.slots, now, 0, |link| layout.ring_start[link as usize]));
            chunk.released += 1;
        }
        for (nth, passenger) in moving.iter().enumerate() {
            let number = numbers[(nth + 1) % numbers.len()];
            let passenger = Passenger { cursor: passenger.cursor + 1, ..*passenger };
            let next_link = self.routes.arena()[passenger.cursor as usize + 1];
            let place = self.layout.entry[number as usize];
            let chunk = &mut self.layout.chunks[place.chunk as usize];
            let entry = &mut chunk.entries[place.row as usize];
            entry.room_at = now;
            let arrival = entry.admit(&self.layout.slots, passenger, next_link, (now, now), (0, now));
            let input = entry.input;
            chunk.admitted += 1;
            // The newcomer when it arrives, and the head that now stands at the exit.
            for at in [arrival, now] {
                self.wheel.arm::<false>(input & !7, 1 << (input & 7), at, self.tick);
            }
        }
        numbers.len() as u64
    }
}
