//! Drivers who hear how the roads are now, and turn off where it pays.
//!
//! [`PresentTimes`] is what can be known of the roads at a moment: the mean speed of the vehicles on each
//! link. Of `n` vehicles on a link of length `L`, `Q` are past their free-flow arrival; with the flow `q`
//! at the exit the queue that they are part of has density `k_q = k_j - q / w`, those before it have
//! `k_f = (n - Q) / L`, so the queue covers the share `y = Q / L / (k_q - k_f)` of the link (Newell 1993),
//! and the mean speed is `(k_f L (1 - y) v + q y L) / n`.
//!
//! [`Informed`] compares, at given instants, the rest of each informed driver's route with the fastest way
//! from the end of the present link under these times.
//!
//! Ignored: forecasts, and that others hear the same. Contract: who is informed is keyed by (seed, trip).

use crate::dynamic::choice::purpose;
use crate::dynamic::search::{Query, Searcher};
use crate::dynamic::times::LinkTimes;
use urbis_core::rng::Rng;
use urbis_core::{CarLinkIx, TripIx};
use urbis_traffic::time::to_seconds;
use urbis_traffic::{CarNetwork, Engine, OnRoad};

/// No road is slower than this share of its free speed in the news; standing ones would be never.
const SLOWEST: f64 = 0.01;

/// Measures present travel times between calls.
#[derive(Clone, Debug)]
pub struct PresentTimes {
    left: Vec<u32>,
    since_tick: u32,
}

impl PresentTimes {
    /// Begins to count departures from links now.
    #[must_use]
    pub fn new(network: &CarNetwork, engine: &Engine) -> Self {
        Self { left: left(network, engine), since_tick: engine.tick() }
    }
    /// Length over mean speed of the vehicles that are on each link now, seconds; flows are those since
    /// the last call or the start.
    pub fn take(&mut self, network: &CarNetwork, engine: &Engine) -> Vec<f64> {
        let after = left(network, engine);
        let span_s = f64::from((engine.tick() - self.since_tick).max(1));
        let times = (0..network.links())
            .map(|link| {
                let flow_vps = f64::from(after[link].wrapping_sub(self.left[link])) / span_s;
                let on = engine.on_link(CarLinkIx(link as u32));
                let free_s = to_seconds(network.free_time[link]);
                let (all, queued) = (f64::from(on.on_link), f64::from(on.queued));
                if on.queued == 0 {
                    return free_s;
                }
                let moving = all - queued;
                let jam = f64::from(network.storage[link]) - flow_vps * to_seconds(network.lag[link]);
                let share = if jam > moving { (queued / (jam - moving)).min(1.0) } else { 1.0 };
                // Mean speed as a share of the free speed.
                let speed = (moving * (1.0 - share) + flow_vps * free_s * share) / all;
                free_s / speed.clamp(SLOWEST, 1.0)
            })
            .collect();
        *self = Self { left: after, since_tick: engine.tick() };
        times
    }
}

fn left(network: &CarNetwork, engine: &Engine) -> Vec<u32> {
    (0..network.links()).map(|link| engine.passed(CarLinkIx(link as u32)).1).collect()
}

/// Who is informed, and what makes them turn off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Informed {
    /// Seed of the draw who is informed.
    pub seed: u64,
    /// Share of drivers who are informed, 0 to 1.
    pub share: f64,
    /// Share of the remaining travel time that another way must save.
    pub saving_min: f64,
}

impl Informed {
    /// Whether a trip's driver is informed.
    #[must_use]
    pub fn is_informed(&self, trip: TripIx) -> bool {
        Rng::new(self.seed, trip.0, 0, purpose::INFORMED).chance(self.share)
    }

    /// Sends informed drivers another way where it pays at the present times (seconds by link); how many
    /// turned off. To be called between steps, at each instant at which news comes.
    pub fn guide(
        &self,
        network: &CarNetwork,
        engine: &mut Engine,
        searcher: &mut Searcher<'_>,
        present_s: &[f64],
    ) -> u64 {
        let times = LinkTimes::constant(network, present_s, 300.0);
        let informed = engine.on_road().filter(|on| on.link != on.last && self.is_informed(on.trip));
        let drivers: Vec<OnRoad> = informed.collect();
        let ways: Vec<Vec<CarLinkIx>> = drivers.iter().map(|&on| engine.onward(on).collect()).collect();
        let query =
            |on: &OnRoad| Query { from: network.to[on.link.row()], to: network.to[on.last.row()], depart_s: 0.0 };
        let queries: Vec<Query> = drivers.iter().map(query).collect();
        let found = searcher.fastest(&times, &queries);
        let mut turned = 0;
        for (row, (&on, way)) in drivers.iter().zip(&ways).enumerate() {
            let Some((links, arrive_s)) = found.route(row) else { continue };
            let allowed = links.first().is_some_and(|link| searcher.may_turn(on.link.0, link.0));
            let present_s = times.arrive_s(way, 0.0);
            if allowed && arrive_s < present_s * (1.0 - self.saving_min) && engine.reroute(on, links) {
                turned += 1;
            }
        }
        turned
    }
}
