//! Cheapest routes on the car network: batches of queries under one set of link costs, with banned and
//! delayed turns.
//!
//! [`Router`] contracts the network once (`expansion`, `cch`). A [`RouteMetric`] is what one set of costs makes
//! of it; there can be many over one router: for hours of the day, classes of vehicles, values of time. Costs are
//! whole numbers, milliseconds when they are travel times ([`crate::route_cost`] makes others). Queries of a batch
//! are sorted by origin and destination, so that those that share either share work.
//!
//! Ignored: turning back at dead ends (a shortest route does so only where bans force it).
//! Contract: a batch is cut into chunks whose size depends on its length alone and joined in order; a route
//! depends on costs, origin and destination, not on the rest of the batch nor on threads. Costs of a route end at
//! [`COST_MAX`]; ties depend on the network alone.

use crate::cch::Cch;
use crate::cch_metric::{LIMIT, Metric, UNREACHED};
use crate::cch_query::Search;
use crate::expansion::{Expansion, TurnDelay};
use crate::network::CarNetwork;
use bevy_ecs::resource::Resource;
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};
use urbis_core::{CarLinkIx, chunks};

/// Queries of one piece of parallel work, at least and at most; a batch no longer than the least runs on the
/// calling thread.
const CHUNK_QUERIES: (usize, usize) = (64, 2048);

/// Cost of a link at most: a day in milliseconds.
pub const LINK_COST_MAX: u32 = 86_400_000;

/// Cost of a route at most: 12 days in milliseconds. Dearer routes are found, but not told apart.
pub const COST_MAX: u32 = LIMIT;

/// Cost of a link that nobody may use.
pub const CLOSED: u32 = u32::MAX;

const NO_ROUTE: u32 = UNREACHED;

/// Where the route of a query lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    part: u32,
    start: u32,
    links: u32,
    cost: u32,
}

/// Routes of a batch, in order of the queries.
#[derive(Clone, Debug, Default)]
pub struct RouteBatch {
    parts: Vec<Vec<CarLinkIx>>,
    places: Vec<Place>,
}

impl RouteBatch {
    /// Number of queries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }
    /// Whether there was no query.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
    /// Links and cost of a query's route (weighted travel time in milliseconds, unless the metric says otherwise);
    /// `None` when there is no way. A route from a node to itself has no links.
    #[must_use]
    pub fn route(&self, query: usize) -> Option<(&[CarLinkIx], u32)> {
        let place = self.places[query];
        let links = || &self.parts[place.part as usize][place.start as usize..][..place.links as usize];
        (place.cost != NO_ROUTE).then(|| (links(), place.cost))
    }
    /// All routes in order of the queries.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<(&[CarLinkIx], u32)>> {
        (0..self.len()).map(|query| self.route(query))
    }

    /// Joins parts of a batch: each has the queries it answers, with routes in its own list of links.
    pub(crate) fn join(queries: usize, parts: Vec<RoutePart>) -> Self {
        let mut batch = Self {
            parts: Vec::with_capacity(parts.len()),
            places: vec![Place { part: 0, start: 0, links: 0, cost: NO_ROUTE }; queries],
        };
        for (nth, part) in parts.into_iter().enumerate() {
            for (query, place) in part.places {
                batch.places[query as usize] = Place { part: nth as u32, ..place };
            }
            batch.parts.push(part.links);
        }
        batch
    }
    /// Puts the routes of another batch at `queries`.
    pub(crate) fn place(&mut self, other: Self, queries: &[u32]) {
        let base = self.parts.len() as u32;
        self.parts.extend(other.parts);
        for (&query, place) in queries.iter().zip(other.places) {
            self.places[query as usize] = Place { part: place.part + base, ..place };
        }
    }
}

impl PartialEq for RouteBatch {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for RouteBatch {}

/// Routes of some queries.
#[derive(Default)]
pub(crate) struct RoutePart {
    links: Vec<CarLinkIx>,
    places: Vec<(u32, Place)>,
}

impl RoutePart {
    /// Adds the route of a query: what `links` appends.
    pub(crate) fn push(&mut self, query: u32, cost: Option<u32>, links: impl FnOnce(&mut Vec<CarLinkIx>)) {
        let start = self.links.len();
        if cost.is_some() {
            links(&mut self.links);
        }
        let links = (self.links.len() - start) as u32;
        self.places.push((query, Place { part: 0, start: start as u32, links, cost: cost.unwrap_or(NO_ROUTE) }));
    }
    /// Gives a query the same route as the last one.
    fn repeat(&mut self, query: u32) {
        if let Some(&(_, place)) = self.places.last() {
            self.places.push((query, place));
        }
    }
}

/// What one set of link costs makes of a router's network; see [`Router::metric`].
#[derive(Debug)]
pub struct RouteMetric {
    pub(crate) metric: Metric,
}

/// Figures of a router, to judge how fast it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouterFigures {
    /// Nodes of the network with those of turns.
    pub nodes: usize,
    /// Arcs of the contracted network, each in both directions.
    pub arcs: usize,
    /// Longest way to the root of the elimination tree, nodes.
    pub height: usize,
    /// Directed arcs that are left under the present costs.
    pub search_arcs: usize,
}

/// Answers route queries under the present travel times, or under other costs.
#[derive(Debug, Resource)]
pub struct Router {
    pub(crate) cch: Cch,
    pub(crate) expansion: Expansion,
    /// What drivers multiply the travel time of each link by.
    factor: Vec<f64>,
    /// What drivers add to the travel time of each link, milliseconds: tolls; empty where there are none.
    extra_ms: Vec<u32>,
    present: RouteMetric,
    /// The same for further groups of drivers, who pay other prices: groups 1 and on.
    groups: Vec<(Vec<u32>, RouteMetric)>,
    /// Which of these each group of drivers goes by, 0 for the first; groups that add the same share one.
    metric_of_group: Vec<u8>,
    pool: Mutex<Vec<Search>>,
}

impl Router {
    /// Prepares a network; travel times are those of empty roads until [`Router::set_travel_times`].
    #[must_use]
    pub fn new(network: &CarNetwork) -> Self {
        Self::with_turn_delays(network, &[])
    }

    /// The same with turns that take time, such as left turns. Delays of banned turns, of links that do not meet and
    /// of links that do not exist have no effect; of several for one turn the longest counts.
    #[must_use]
    pub fn with_turn_delays(network: &CarNetwork, delays: &[TurnDelay]) -> Self {
        const { assert!(LINK_COST_MAX < LIMIT) };
        let expansion = Expansion::new(network, delays);
        let mut router = Self::over(expansion, network.route_factor.clone(), &[]);
        router.set_travel_times(&network.free_time_ms());
        router
    }

    /// A router over a graph with a cost for each link; without costs it has no metric yet.
    pub(crate) fn over(expansion: Expansion, factor: Vec<f64>, costs: &[u32]) -> Self {
        let mut router = Self {
            cch: Cch::new(&expansion.x_m, &expansion.y_m, &expansion.edges),
            expansion,
            factor,
            extra_ms: Vec::new(),
            present: RouteMetric { metric: Metric::default() },
            groups: Vec::new(),
            metric_of_group: Vec::new(),
            pool: Mutex::new(Vec::new()),
        };
        if costs.len() == router.factor.len() {
            router.present = router.metric(costs);
        }
        router
    }

    /// Takes a travel time in milliseconds for each link; times the link's route factor and with its toll, at least
    /// 1 ms and at most a day counts.
    pub fn set_travel_times(&mut self, travel_time_ms: &[u32]) {
        self.present = self.travel_time_metric(travel_time_ms);
        let mut groups = std::mem::take(&mut self.groups);
        for (extra_ms, metric) in &mut groups {
            *metric = self.travel_time_metric_with(travel_time_ms, extra_ms);
        }
        self.groups = groups;
    }

    /// What [`Router::set_travel_times`] takes over, as a metric of its own.
    #[must_use]
    pub fn travel_time_metric(&self, travel_time_ms: &[u32]) -> RouteMetric {
        self.travel_time_metric_with(travel_time_ms, &self.extra_ms)
    }

    /// The same with something else that drivers add to each link than [`Router::set_extra_ms`] says.
    #[must_use]
    pub fn travel_time_metric_with(&self, travel_time_ms: &[u32], extra_ms: &[u32]) -> RouteMetric {
        let cost = |(link, (&ms, &factor)): (usize, (&u32, &f64))| match extra_ms.get(link) {
            Some(&CLOSED) => CLOSED,
            extra_ms => {
                let extra_ms = extra_ms.map_or(0.0, |&ms| f64::from(ms));
                ((f64::from(ms) * factor + extra_ms).round() as u32).clamp(1, LINK_COST_MAX)
            }
        };
        let costs: Vec<u32> = travel_time_ms.iter().zip(&self.factor).enumerate().map(cost).collect();
        self.metric(&costs)
    }

    /// Takes what drivers add to the travel time of each link, milliseconds, such as a toll at their value of time;
    /// empty for nothing; [`CLOSED`] closes a link. Counts from the next travel times on.
    pub fn set_extra_ms(&mut self, extra_ms: Vec<u32>) {
        self.extra_ms = extra_ms;
    }

    /// The same for groups of drivers: the first is group 0, everybody who is in no other.
    pub fn set_groups(&mut self, extra_ms: Vec<Vec<u32>>) {
        let mut distinct: Vec<Vec<u32>> = Vec::new();
        self.metric_of_group.clear();
        for extra_ms in extra_ms {
            let row = distinct.iter().position(|known| *known == extra_ms).unwrap_or(distinct.len());
            if row == distinct.len() {
                distinct.push(extra_ms);
            }
            self.metric_of_group.push(row as u8);
        }
        let mut all = distinct.into_iter();
        self.extra_ms = all.next().unwrap_or_default();
        let metric = || RouteMetric { metric: Metric::default() };
        self.groups = all.map(|extra_ms| (extra_ms, metric())).collect();
    }

    /// The cheapest route for each pair of car nodes, each for a driver of a group. Panics when a group does not exist.
    #[must_use]
    pub fn route_batch_in_groups(&self, queries: &[(u32, u32)], groups: &[u8]) -> RouteBatch {
        let metric_of = |group: u8| if group == 0 { 0 } else { usize::from(self.metric_of_group[usize::from(group)]) };
        let rows: Vec<usize> = groups.iter().map(|&group| metric_of(group)).collect();
        if rows.iter().all(|&row| row == 0) {
            return self.route_batch(queries);
        }
        let mut batch = RouteBatch::join(queries.len(), Vec::new());
        for row in 0..=self.groups.len() {
            let of: Vec<u32> = (0..queries.len() as u32).filter(|&query| rows[query as usize] == row).collect();
            if of.is_empty() {
                continue;
            }
            let pairs: Vec<(u32, u32)> = of.iter().map(|&query| queries[query as usize]).collect();
            let metric = row.checked_sub(1).map_or(&self.present, |nth| &self.groups[nth].1);
            batch.place(self.route_batch_under(metric, &pairs), &of);
        }
        batch
    }

    /// A metric from a cost for each link, at least 1 and at most [`LINK_COST_MAX`], or [`CLOSED`]; values outside
    /// count as the nearest. A millisecond of a turn's delay costs 1. Panics when `costs` is shorter than the links.
    #[must_use]
    pub fn metric(&self, costs: &[u32]) -> RouteMetric {
        self.metric_with_delays(costs, 1.0)
    }

    /// The same where a millisecond of a turn's delay costs `per_ms`.
    #[must_use]
    pub fn metric_with_delays(&self, costs: &[u32], per_ms: f64) -> RouteMetric {
        let bounded = |&cost: &u32| if cost == CLOSED { CLOSED } else { cost.clamp(1, LINK_COST_MAX) };
        let costs: Vec<u32> = costs.iter().map(bounded).collect();
        let weights = self.expansion.weights(&costs, per_ms, LIMIT);
        RouteMetric { metric: Metric::new(&self.cch, &weights) }
    }

    /// The cheapest route for each pair of car nodes `(from, to)`, in order. Panics when a node does not exist.
    #[must_use]
    pub fn route_batch(&self, queries: &[(u32, u32)]) -> RouteBatch {
        self.route_batch_under(&self.present, queries)
    }

    /// The same under another metric of this router.
    #[must_use]
    pub fn route_batch_under(&self, metric: &RouteMetric, queries: &[(u32, u32)]) -> RouteBatch {
        let parts = self.answer(queries, |search, sorted| {
            let mut part = RoutePart::default();
            self.each(&metric.metric, search, sorted, |search, query, cost| match cost {
                Answer::Repeated => part.repeat(query),
                Answer::Cost(cost) => part.push(query, cost, |links| {
                    // A node reached from itself has no way behind it.
                    if let Some(search) = search {
                        search.path(&self.cch, &metric.metric, |link| links.push(CarLinkIx(link)));
                    }
                }),
            });
            part
        });
        RouteBatch::join(queries.len(), parts)
    }

    /// Costs of the cheapest routes alone, in order of the queries; `None` when there is no way.
    #[must_use]
    pub fn cost_batch(&self, queries: &[(u32, u32)]) -> Vec<Option<u32>> {
        self.cost_batch_under(&self.present, queries)
    }

    /// The same under another metric of this router.
    #[must_use]
    pub fn cost_batch_under(&self, metric: &RouteMetric, queries: &[(u32, u32)]) -> Vec<Option<u32>> {
        let parts = self.answer(queries, |search, sorted| {
            let mut costs: Vec<(u32, Option<u32>)> = Vec::with_capacity(sorted.len());
            self.each(&metric.metric, search, sorted, |_, query, cost| {
                let cost = match cost {
                    Answer::Cost(cost) => cost,
                    Answer::Repeated => costs.last().and_then(|last| last.1),
                };
                costs.push((query, cost));
            });
            costs
        });
        let mut all = vec![None; queries.len()];
        parts.into_iter().flatten().for_each(|(query, cost)| all[query as usize] = cost);
        all
    }

    /// Number of links.
    #[must_use]
    pub fn links(&self) -> usize {
        self.expansion.links()
    }

    /// Cost of a given route under a cost for each link, turn delays included; at most [`COST_MAX`].
    #[must_use]
    pub fn cost_of(&self, costs: &[u32], links: &[CarLinkIx]) -> u32 {
        let turns = links.windows(2).map(|pair| self.expansion.turn_ms(pair[0], pair[1]));
        let cost = links.iter().map(|link| costs[link.row()]).chain(turns).fold(0_u32, u32::saturating_add);
        cost.min(COST_MAX)
    }

    /// Figures of the contracted network.
    #[must_use]
    pub fn figures(&self) -> RouterFigures {
        RouterFigures {
            nodes: self.cch.nodes(),
            arcs: self.cch.arcs(),
            height: self.cch.height,
            search_arcs: self.present.metric.up.arcs.len() + self.present.metric.down.arcs.len(),
        }
    }

    /// Sorts queries by rank of origin and destination and works on chunks of them.
    fn answer<R: Send>(&self, queries: &[(u32, u32)], work: impl Fn(&mut Search, &[Sorted]) -> R + Sync) -> Vec<R> {
        let mut sorted: Vec<Sorted> = Vec::with_capacity(queries.len());
        for (query, &(from, to)) in queries.iter().enumerate() {
            let source = self.cch.rank[self.expansion.source[from as usize] as usize];
            let sink = self.cch.rank[self.expansion.sink[to as usize] as usize];
            sorted.push(Sorted { source, sink, query: query as u32, stays: from == to });
        }
        let key = |of: &Sorted| (u64::from(of.source) << 32 | u64::from(of.sink), of.query);
        let (least, most) = CHUNK_QUERIES;
        let with = |sorted: &[Sorted]| {
            let pooled = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut search = pooled.unwrap_or_default();
            let result = work(&mut search, sorted);
            self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(search);
            result
        };
        if queries.len() <= least {
            sorted.sort_unstable_by_key(key);
            return vec![with(&sorted)];
        }
        sorted.par_sort_unstable_by_key(key);
        let chunk = (queries.len() / 64).clamp(least, most);
        chunks::map_chunks(sorted.len(), chunk, |range| with(&sorted[range]))
    }

    /// Answers sorted queries one after the other.
    fn each(
        &self,
        metric: &Metric,
        search: &mut Search,
        sorted: &[Sorted],
        mut found: impl FnMut(Option<&mut Search>, u32, Answer),
    ) {
        let mut last: Option<(u32, u32)> = None;
        let mut started = None;
        for of in sorted {
            if of.stays {
                found(None, of.query, Answer::Cost(Some(0)));
            } else if last == Some((of.source, of.sink)) {
                found(None, of.query, Answer::Repeated);
                continue;
            } else {
                if started != Some(of.source) {
                    search.start(&self.cch, metric, of.source);
                    started = Some(of.source);
                }
                let cost = search.reach(&self.cch, metric, of.sink);
                found(Some(search), of.query, Answer::Cost(cost));
            }
            last = Some((of.source, of.sink));
        }
    }
}

/// A query by ranks.
#[derive(Clone, Copy)]
struct Sorted {
    source: u32,
    sink: u32,
    query: u32,
    stays: bool,
}

/// The cost of a query, or that it is the query before.
enum Answer {
    Cost(Option<u32>),
    Repeated,
}
