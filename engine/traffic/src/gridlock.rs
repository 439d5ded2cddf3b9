//! Finds gridlock: rings of full links whose heads each wait for room on the next.
//!
//! Each such head waits for the very slot that the next link's head holds, so no vehicle of the ring can
//! ever move. It is reported, never dissolved: what to do about it is a policy.
//!
//! Contract: reads between steps; links are tried in outside order, so reports do not depend on threads.

use crate::engine::Engine;
use crate::time::{NEVER, TICK};
use crate::vehicles::END;
use bevy_ecs::resource::Resource;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;
use urbis_core::{CarLinkIx, Tick};

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
    known: BTreeSet<CarLinkIx>,
}

impl GridlockReport {
    /// Adds the rings that are new.
    pub fn update(&mut self, engine: &Engine) {
        for links in engine.find_gridlock() {
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
}
