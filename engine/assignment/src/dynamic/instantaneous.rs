//! Dynamic user optimum on instantaneous travel times: drivers know the roads as they are now, not as
//! they will be, and choose anew at every node (the reactive assignment of Kuwahara and Akamatsu 1997; the
//! route choice of UXsim by T. Seo, from whose published behaviour this is rebuilt so that results can be
//! compared).
//!
//! Every `update_s` the present link times ([`PresentTimes`]), each times a uniform factor of `[1, 1 +
//! noise]`, give the tree of fastest ways to each destination. A link's attraction for a destination is
//! smoothed: `a <- (1 - weight) a + weight [link is in the tree]`, at first just the tree. At a node a
//! driver takes a leaving link with probability proportional to its attraction. As attractions hold from
//! update to update, drawing the whole rest of the way at departure and again for everybody on the road
//! at each update is the same. Where a head stands at the end of its link it draws again every `redraw_s`,
//! so that a full link does not hold those who would as well take another.
//!
//! Ignored: the first link of those who wait at their origin is not drawn again. Memory is destinations
//! times links.
//! Contract: draws are keyed by (seed, trip, tick).

use crate::dynamic::choice::purpose;
use crate::dynamic::informed::PresentTimes;
use crate::dynamic::routes::RouteTable;
use crate::dynamic::search::{Search, Searcher};
use crate::dynamic::{DayOptions, Trip, check_trips};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;
use urbis_core::rng::Rng;
use urbis_core::{CarLinkIx, Problem, Problems, Result, TripIx, chunks};
use urbis_traffic::time::{Time, from_seconds, tick_of, to_seconds};
use urbis_traffic::{CarNetwork, Engine, OnRoad};

/// Over how long the present flows are measured, seconds.
const FLOW_S: u32 = 60;

/// Settings of the reactive route choice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InstantaneousOptimum {
    /// Seed of all draws.
    pub seed: u64,
    /// Seconds between updates of what drivers know, >= 1.
    pub update_s: u32,
    /// Weight of the newest tree in the attraction of links, in (0, 1].
    pub weight: f64,
    /// Largest relative error of the link times that drivers know.
    pub noise: f64,
    /// Seconds after which one who stands at the end of a link thinks again; 0 for never.
    pub redraw_s: u32,
    /// Horizon and pockets; times are not measured in bins here.
    pub day: DayOptions,
}

impl Default for InstantaneousOptimum {
    fn default() -> Self {
        Self { seed: 1, update_s: 600, weight: 0.5, noise: 0.01, redraw_s: 5, day: DayOptions::default() }
    }
}

/// What became of the trips; columns by trip.
#[derive(Clone, Debug, Default)]
pub struct Reactive {
    /// When each trip arrived, seconds; not finite for those under way at the end or without a way.
    pub arrive_s: Vec<f64>,
    /// The way each trip was on at last, a number in `table` or [`crate::dynamic::NO_ROUTE`].
    pub route: Vec<u32>,
    /// Distinct ways.
    pub table: RouteTable,
    /// Links that vehicles left.
    pub crossings: u64,
    /// When the run ended, seconds.
    pub end_s: u32,
    /// Trips between nodes that no way joins, in order.
    pub unconnected: Vec<u32>,
}

/// What drivers to one destination know.
struct Destination {
    node: u32,
    /// Attraction of each link.
    attraction: Vec<f64>,
    /// Time from the start of each link to the destination at the last update; infinite if it does not
    /// lead there.
    to_go_s: Vec<f64>,
}

/// Simulates one day with reactive drivers.
///
/// # Errors
/// [`urbis_core::Error::Input`] naming trips with an impossible departure or node, and settings outside
/// their ranges.
pub fn instantaneous_optimum(network: &CarNetwork, trips: &[Trip], options: &InstantaneousOptimum) -> Result<Reactive> {
    let mut problems = Problems::new();
    check_trips(network, trips, &mut problems);
    let sound = options.update_s > 0
        && options.weight > 0.0
        && options.weight <= 1.0
        && options.noise.is_finite()
        && options.noise >= 0.0;
    if !sound {
        let text = "expected update_s of 1 or more, weight above 0 and up to 1, noise of 0 or more";
        problems.push(Problem::file(Path::new("options"), text));
    }
    problems.or_else(())?;
    let searcher = Searcher::new(network, Search::Exact);
    let mut run = Run {
        network,
        options,
        entering: entering(network),
        searcher,
        engine: Engine::new(network, options.day.pocket)?,
        known: destinations(network, trips),
        row: BTreeMap::new(),
        updates: 0,
    };
    run.row = run.known.iter().enumerate().map(|(row, destination)| (destination.node, row)).collect();
    run.simulate(trips)
}

/// Distinct destinations, in order of node.
fn destinations(network: &CarNetwork, trips: &[Trip]) -> Vec<Destination> {
    let mut nodes: Vec<u32> = trips.iter().filter(|trip| trip.from != trip.to).map(|trip| trip.to).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let of = |node| Destination { node, attraction: vec![0.0; network.links()], to_go_s: Vec::new() };
    nodes.into_iter().map(of).collect()
}

/// Links that enter each node.
fn entering(network: &CarNetwork) -> Vec<Vec<u32>> {
    let mut entering = vec![Vec::new(); network.nodes()];
    for (link, &to) in network.to.iter().enumerate() {
        entering[to as usize].push(link as u32);
    }
    entering
}

struct Run<'a> {
    network: &'a CarNetwork,
    options: &'a InstantaneousOptimum,
    searcher: Searcher<'a>,
    entering: Vec<Vec<u32>>,
    engine: Engine,
    known: Vec<Destination>,
    row: BTreeMap<u32, usize>,
    updates: u32,
}

impl Run<'_> {
    fn simulate(mut self, trips: &[Trip]) -> Result<Reactive> {
        let mut order: Vec<u32> = (0..trips.len() as u32).collect();
        let depart: Vec<Time> = trips.iter().map(|trip| from_seconds(trip.depart_s)).collect();
        order.sort_unstable_by_key(|&trip| (depart[trip as usize], trip));
        let mut ways: Vec<Vec<CarLinkIx>> = vec![Vec::new(); trips.len()];
        let mut result = Reactive { arrive_s: vec![f64::NAN; trips.len()], ..Reactive::default() };
        let mut present = PresentTimes::new(self.network, &self.engine);
        // Updates that each trip's way rests on.
        let mut drawn_at = vec![0_u32; trips.len()];
        let (mut next, mut under_way) = (0, 0_u64);
        for tick in 0..self.options.day.horizon_s {
            if tick.is_multiple_of(self.options.update_s) {
                let times_s = present.take(self.network, &self.engine);
                self.update(&times_s);
            } else if (tick + FLOW_S).is_multiple_of(self.options.update_s) {
                present = PresentTimes::new(self.network, &self.engine);
            }
            self.redraw(trips, &mut drawn_at, &mut ways);
            while let Some(&trip) = order.get(next).filter(|&&trip| tick_of(depart[trip as usize]) <= tick) {
                next += 1;
                let row = trip as usize;
                if trips[row].from == trips[row].to {
                    result.arrive_s[row] = to_seconds(depart[row]);
                    continue;
                }
                let way = self.way(trips[row].from, None, trips[row].to, trip).unwrap_or_default();
                let Some(route) = self.engine.add_route(&way) else {
                    result.unconnected.push(trip);
                    continue;
                };
                self.engine.depart(TripIx(trip), route, depart[row]);
                self.engine.drop_route(route);
                ways[row] = way;
                drawn_at[row] = self.updates;
                under_way += 1;
            }
            for arrival in self.engine.step() {
                result.arrive_s[arrival.trip.row()] = to_seconds(arrival.arrive);
                under_way -= 1;
            }
            result.end_s = tick + 1;
            if next == order.len() && under_way == 0 {
                break;
            }
        }
        result.unconnected.sort_unstable();
        result.crossings = self.engine.crossings();
        result.route = ways.iter().map(|way| result.table.number(way)).collect();
        Ok(result)
    }

    /// New trees to all destinations; attractions follow.
    fn update(&mut self, times_s: &[f64]) {
        let options = self.options;
        let tick = self.engine.tick();
        let noisy = |(link, time_s): (usize, &f64)| {
            let mut rng = Rng::new(options.seed, link as u32, tick, purpose::NOISE);
            time_s * (1.0 + options.noise * rng.uniform())
        };
        let noisy_s: Vec<f64> = times_s.iter().enumerate().map(noisy).collect();
        let (network, entering, searcher) = (self.network, &self.entering, &self.searcher);
        let trees = chunks::map_chunks(self.known.len(), 4, |range| {
            range.map(|row| to_go(network, entering, searcher, &noisy_s, self.known[row].node)).collect::<Vec<_>>()
        });
        let weight = if self.updates == 0 { 1.0 } else { options.weight };
        for (destination, to_go_s) in self.known.iter_mut().zip(trees.into_iter().flatten()) {
            for attraction in &mut destination.attraction {
                *attraction *= 1.0 - weight;
            }
            for node in 0..network.nodes() as u32 {
                let leaving = searcher.leaving(node).iter().filter(|&&link| to_go_s[link as usize].is_finite());
                let best =
                    leaving.min_by(|&&a, &&b| to_go_s[a as usize].total_cmp(&to_go_s[b as usize]).then(a.cmp(&b)));
                if let Some(&best) = best.filter(|_| node != destination.node) {
                    destination.attraction[best as usize] += weight;
                }
            }
            destination.to_go_s = to_go_s;
        }
        self.updates += 1;
    }

    /// Draws again the way of those whose knowledge is old, and of those who stand at the end of a link.
    fn redraw(&mut self, trips: &[Trip], drawn_at: &mut [u32], ways: &mut [Vec<CarLinkIx>]) {
        let tick = self.engine.tick();
        let mut again: Vec<OnRoad> = Vec::new();
        if tick.is_multiple_of(FLOW_S) || tick.is_multiple_of(self.options.update_s) {
            again.extend(self.engine.on_road().filter(|on| drawn_at[on.trip.row()] != self.updates));
        } else if self.options.redraw_s > 0 && tick.is_multiple_of(self.options.redraw_s) {
            let links = (0..self.network.links()).map(|link| CarLinkIx(link as u32));
            let standing = links.filter(|&link| self.engine.on_link(link).queued > 0);
            again.extend(standing.filter_map(|link| self.engine.vehicles_on(link).next()));
        }
        for on in again.into_iter().filter(|on| on.link != on.last) {
            let row = on.trip.row();
            let before: Vec<CarLinkIx> = self.engine.onward(on).collect();
            let Some(onward) = self.way(self.network.to[on.link.row()], Some(on.link.0), trips[row].to, on.trip.0)
            else {
                continue;
            };
            if onward == before || self.engine.reroute(on, &onward) {
                drawn_at[row] = self.updates;
                let driven = ways[row].len() - before.len();
                ways[row].truncate(driven);
                ways[row].extend_from_slice(&onward);
            }
        }
    }

    /// A way drawn by attractions from a node, entered by a link, to another; `None` where none leads on.
    fn way(&self, mut node: u32, mut into: Option<u32>, to: u32, trip: u32) -> Option<Vec<CarLinkIx>> {
        let destination = &self.known[*self.row.get(&to)?];
        let mut rng = Rng::new(self.options.seed, trip, self.engine.tick(), purpose::WAY);
        let mut way = Vec::new();
        // Mixed trees may lead round; after so many links only the newest tree counts, which does not.
        let patience = (4 * self.network.nodes()).min(20_000);
        let (mut open, mut cumulative) = (Vec::new(), Vec::new());
        while node != to {
            open.clear();
            cumulative.clear();
            let mut sum = 0.0;
            for &link in self.searcher.leaving(node) {
                let allowed = into.is_none_or(|into| self.searcher.may_turn(into, link));
                if allowed && destination.to_go_s[link as usize].is_finite() {
                    sum += destination.attraction[link as usize];
                    open.push(link);
                    cumulative.push(sum);
                }
            }
            let to_go = |link: &&u32| destination.to_go_s[**link as usize];
            let nearest = open.iter().min_by(|a, b| to_go(a).total_cmp(&to_go(b)).then(a.cmp(b))).copied();
            let drawn = rng.pick_cumulative(&cumulative).filter(|_| way.len() < patience);
            let link = drawn.map(|row| open[row]).or(nearest)?;
            if way.len() > 2 * patience {
                return None;
            }
            way.push(CarLinkIx(link));
            node = self.network.to[link as usize];
            into = Some(link);
        }
        Some(way)
    }
}

/// Time from the start of each link to a node, infinite where none leads there.
fn to_go(
    network: &CarNetwork,
    entering: &[Vec<u32>],
    searcher: &Searcher<'_>,
    times_s: &[f64],
    destination: u32,
) -> Vec<f64> {
    let mut to_go_s = vec![f64::INFINITY; network.links()];
    let mut heap = BinaryHeap::new();
    for &link in &entering[destination as usize] {
        to_go_s[link as usize] = times_s[link as usize];
        heap.push(Reverse((times_s[link as usize].to_bits(), link)));
    }
    while let Some(Reverse((bits, link))) = heap.pop() {
        let from_here_s = f64::from_bits(bits);
        if from_here_s > to_go_s[link as usize] {
            continue;
        }
        for &before in &entering[network.from[link as usize] as usize] {
            let longer_s = from_here_s + times_s[before as usize];
            if longer_s < to_go_s[before as usize] && searcher.may_turn(before, link) {
                to_go_s[before as usize] = longer_s;
                heap.push(Reverse((longer_s.to_bits(), before)));
            }
        }
    }
    to_go_s
}
