//! Drivers on their way to a link that has closed turn off at the next junction.
//!
//! Each takes the cheapest way of the moment from the end of the link it is on, if it may turn into it; who has none
//! goes on and waits in front of the closed link until it opens. Contract: vehicles link by link, the head first.

use urbis_core::CarLinkIx;
use urbis_traffic::{CarNetwork, Engine, OnRoad, Router};

/// Sends vehicles another way whose route holds a closed link.
pub(crate) fn turn_off(network: &CarNetwork, router: &Router, engine: &mut Engine, closed: &[bool]) {
    if !closed.contains(&true) {
        return;
    }
    let is_headed_there = |on: &OnRoad| engine.onward(*on).any(|link| closed[link.row()]);
    let drivers: Vec<OnRoad> = engine.on_road().filter(is_headed_there).collect();
    let queries: Vec<(u32, u32)> =
        drivers.iter().map(|on| (network.to[on.link.row()], network.to[on.last.row()])).collect();
    let ways = router.route_batch(&queries);
    for (nth, &on) in drivers.iter().enumerate() {
        let Some((links, _)) = ways.route(nth) else { continue };
        let may_turn = |first: &CarLinkIx| network.banned.binary_search(&(on.link, *first)).is_err();
        if links.first().is_some_and(may_turn) {
            engine.reroute(on, links);
        }
    }
}
