//! The travellers of an equilibrium: what they do, what they could do, and how they change.
//!
//! Contract: costs are computed in constant chunks of trips; routes are numbered in order of trips.

use crate::dynamic::choice::{draw, purpose};
use crate::dynamic::routes::{NO_ROUTE, RouteTable, path_sizes};
use crate::dynamic::search::{Found, Query, Searcher};
use crate::dynamic::times::LinkTimes;
use crate::dynamic::{Day, DepartureChoice, Logit, Options, ScheduleCosts, Start, Switching, Trip};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::rng::Rng;
use urbis_core::{CarLinkIx, Problem, Problems, Result, chunks};
use urbis_traffic::CarNetwork;
use urbis_traffic::time::{Time, from_seconds, to_seconds};

/// Trips of one piece of parallel work.
const CHUNK_TRIPS: usize = 1024;

/// What a trip could do instead.
#[derive(Clone, Copy, Debug)]
struct Alternative {
    route: u32,
    depart: Time,
    gain_s: f64,
}

/// A day as the travellers look back on it; columns by trip.
#[derive(Debug)]
pub(crate) struct Review {
    /// Cost of what was done.
    pub(crate) cost_s: Vec<f64>,
    /// Cost of the best that could have been done; never above `cost_s`.
    pub(crate) best_s: Vec<f64>,
    other: Vec<Option<Alternative>>,
    /// Other routes to know, for the logit, with whose trip.
    heard_of: Vec<(u32, u32)>,
}

/// Origin, destination and departure period.
type SetKey = (u32, u32, u32);

/// Everybody who travels; columns by trip.
pub(crate) struct Travellers<'a> {
    network: &'a CarNetwork,
    trips: &'a [Trip],
    options: &'a Options,
    pub(crate) depart: Vec<Time>,
    pub(crate) route: Vec<u32>,
    pub(crate) table: RouteTable,
    pub(crate) unconnected: Vec<u32>,
    pub(crate) without_road: Vec<u32>,
    /// Known routes, for the logit.
    sets: BTreeMap<SetKey, Vec<u32>>,
    days_reviewed: u32,
    /// Arrivals of the day before in the order of [`Profiles`].
    arrived_before_s: Vec<f64>,
}

impl<'a> Travellers<'a> {
    /// Gives everybody a first route.
    pub(crate) fn new(
        network: &'a CarNetwork,
        trips: &'a [Trip],
        options: &'a Options,
        searcher: &mut Searcher<'_>,
    ) -> Result<Self> {
        let bin_s = f64::from(options.day.bin_s);
        let times = match &options.start {
            Start::LinkTimes(travel_s) => LinkTimes::constant(network, travel_s, bin_s),
            Start::Empty | Start::Routes { .. } => LinkTimes::free(network, bin_s),
        };
        let queries: Vec<Query> =
            trips.iter().map(|t| Query { from: t.from, to: t.to, depart_s: t.depart_s }).collect();
        let found = searcher.fastest(&times, &queries);
        let mut travellers = Self {
            network,
            trips,
            options,
            depart: trips.iter().map(|trip| from_seconds(trip.depart_s)).collect(),
            route: vec![NO_ROUTE; trips.len()],
            table: RouteTable::default(),
            unconnected: Vec::new(),
            without_road: Vec::new(),
            sets: BTreeMap::new(),
            days_reviewed: 0,
            arrived_before_s: Vec::new(),
        };
        let mut problems = Problems::new();
        for (row, trip) in trips.iter().enumerate() {
            let Some((links, _)) = found.route(row) else {
                travellers.unconnected.push(row as u32);
                continue;
            };
            if trip.from == trip.to {
                travellers.without_road.push(row as u32);
                continue;
            }
            let given = travellers.given(row);
            if !given.is_empty() && !travellers.leads(given, trip, searcher) {
                let links: Vec<u32> = given.iter().take(8).map(|link| link.0).collect();
                problems.push(Problem::value(
                    Path::new("start routes"),
                    row + 1,
                    None,
                    "route",
                    format!("{links:?}"),
                    format!("links that join node {} to node {} by allowed turns", trip.from, trip.to),
                ));
                continue;
            }
            travellers.route[row] = travellers.table.number(if given.is_empty() { links } else { given });
        }
        problems.or_else(travellers)
    }

    /// The route that a trip is to begin with, if one is given.
    fn given(&self, row: usize) -> &'a [CarLinkIx] {
        match &self.options.start {
            Start::Routes { ends, links } => {
                let start = if row == 0 { 0 } else { ends[row - 1] as usize };
                &links[start..ends[row] as usize]
            }
            Start::Empty | Start::LinkTimes(_) => &[],
        }
    }
    fn leads(&self, route: &[CarLinkIx], trip: &Trip, searcher: &Searcher<'_>) -> bool {
        let network = self.network;
        route.first().is_some_and(|link| network.from[link.row()] == trip.from)
            && route.last().is_some_and(|link| network.to[link.row()] == trip.to)
            && route.windows(2).all(|pair| {
                network.to[pair[0].row()] == network.from[pair[1].row()] && searcher.may_turn(pair[0].0, pair[1].0)
            })
    }

    fn costs(&self) -> ScheduleCosts {
        self.options.departure.map_or_else(ScheduleCosts::default, |choice| choice.costs)
    }
    /// When a trip wishes to arrive, if departures are free and it cares.
    fn wish_s(&self, trip: usize) -> Option<f64> {
        self.options.departure.and(self.trips[trip].wish_s)
    }
    fn cost_s(&self, times: &LinkTimes, trip: usize, route: u32, depart_s: f64) -> f64 {
        let arrive_s = times.arrive_s(self.table.links(route), depart_s);
        self.costs().cost_s(depart_s, arrive_s, self.wish_s(trip))
    }

    /// Looks back on a day.
    pub(crate) fn review(&mut self, day: &Day, searcher: &mut Searcher<'_>) -> Review {
        self.days_reviewed += 1;
        let times = &day.times;
        let served: Vec<u32> =
            (0..self.trips.len() as u32).filter(|&trip| self.route[trip as usize] != NO_ROUTE).collect();
        let queries: Vec<Query> = served
            .iter()
            .map(|&trip| {
                let Trip { from, to, .. } = self.trips[trip as usize];
                Query { from, to, depart_s: to_seconds(self.depart[trip as usize]) }
            })
            .collect();
        let found = searcher.fastest(times, &queries);
        let profiles = self.options.departure.map(|choice| Profiles::new(choice, self.trips, &served, times, searcher));
        // Per trip: cost, best cost, and what to change to (a step of departure, or none for now).
        type Look = (f64, f64, Option<(Option<u32>, f64)>);
        let looks: Vec<Look> = chunks::map_chunks(served.len(), CHUNK_TRIPS, |range| {
            range
                .map(|row| {
                    let trip = served[row] as usize;
                    let depart_s = queries[row].depart_s;
                    let cost_s = self.cost_s(times, trip, self.route[trip], depart_s);
                    let now_s = found.route(row).map_or(f64::INFINITY, |(_, arrive_s)| {
                        self.costs().cost_s(depart_s, arrive_s, self.wish_s(trip))
                    });
                    let mut best_s = now_s.min(cost_s);
                    let mut other = (now_s < cost_s).then_some((None, cost_s - now_s));
                    if let (Some(profiles), Some(wish_s)) = (&profiles, self.wish_s(trip)) {
                        let (least_s, step) = self.consider(profiles, trip, cost_s, wish_s);
                        best_s = best_s.min(least_s);
                        if let Some((step, gain_s)) = step {
                            other = Some((Some(step), gain_s));
                        }
                    }
                    (cost_s, best_s, other)
                })
                .collect::<Vec<_>>()
        })
        .concat();
        let mut review = Review {
            cost_s: vec![f64::NAN; self.trips.len()],
            best_s: vec![f64::NAN; self.trips.len()],
            other: vec![None; self.trips.len()],
            heard_of: Vec::new(),
        };
        for (row, ((cost_s, best_s, other), &trip)) in looks.into_iter().zip(&served).enumerate() {
            let trip = trip as usize;
            review.cost_s[trip] = cost_s;
            review.best_s[trip] = best_s;
            review.other[trip] = other.and_then(|(step, gain_s)| {
                let (links, depart) = match (step, &profiles) {
                    (Some(step), Some(profiles)) => {
                        let mut rng = Rng::new(self.options.seed, trip as u32, self.days_reviewed, purpose::MOMENT);
                        let moment_s = profiles.choice.moment_s(step as usize, rng.uniform());
                        (profiles.links(self.trips[trip], step), from_seconds(moment_s))
                    }
                    _ => (found.route(row).map_or(&[][..], |(links, _)| links), self.depart[trip]),
                };
                (!links.is_empty()).then(|| Alternative { route: self.table.number(links), depart, gain_s })
            });
        }
        self.arrived_before_s = profiles.map(|profiles| profiles.arrive_s).unwrap_or_default();
        if let Some(logit) = self.options.logit.filter(|logit| logit.spread > 0.0) {
            for nth in 0..logit.searches(self.days_reviewed) {
                let stretched = times.stretched(logit.spread, self.options.seed, self.days_reviewed, nth as u32);
                let found = searcher.fastest(&stretched, &queries);
                for (row, &trip) in served.iter().enumerate() {
                    let links = found.route(row).map_or(&[][..], |(links, _)| links);
                    review.heard_of.push((trip, self.table.number(links)));
                }
            }
        }
        review
    }

    /// The least cost over all departures, and the one to move to with the gain that is expected: the best,
    /// or, where people change by gain, one drawn in proportion to gains. What is expected of a departure is
    /// its cost of this day and that the change of its travel time since the day before goes on
    /// ([`DepartureChoice`]).
    fn consider(&self, profiles: &Profiles, trip: usize, cost_s: f64, wish_s: f64) -> (f64, Option<(u32, f64)>) {
        let choice = profiles.choice;
        let row = profiles.row(self.trips[trip]);
        let rows = row..row + choice.steps();
        let arrive_s = &profiles.arrive_s[rows.clone()];
        let cost = |(step, &at_s): (usize, &f64)| choice.costs.cost_s(choice.middle_s(step), at_s, Some(wish_s));
        let costs: Vec<f64> = arrive_s.iter().enumerate().map(cost).collect();
        let least_s = costs.iter().copied().fold(f64::INFINITY, f64::min);
        let ahead = match self.options.switching {
            Switching::Gain { rate, damping } if !self.arrived_before_s.is_empty() => {
                choice.anticipation / rate * (1.0 + damping * f64::from(self.days_reviewed))
            }
            _ => 0.0,
        };
        let expected: Vec<f64> = if ahead > 0.0 {
            let before_s = &self.arrived_before_s[rows];
            let trends = arrive_s.iter().zip(before_s).map(|(now, then)| ahead * (now - then));
            costs.iter().zip(trends).map(|(cost, trend)| cost + trend).collect()
        } else {
            costs
        };
        let own_s = if ahead > 0.0 { expected[choice.step_of(to_seconds(self.depart[trip]))] } else { cost_s };
        let step = match self.options.switching {
            Switching::Averages => {
                let best = expected.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
                best.map(|(step, _)| step)
            }
            Switching::Gain { .. } => {
                let mut sum = 0.0;
                let mut add = |cost: &f64| {
                    sum += (own_s - cost).max(0.0);
                    sum
                };
                let cumulative: Vec<f64> = expected.iter().map(&mut add).collect();
                let mut rng = Rng::new(self.options.seed, trip as u32, self.days_reviewed, purpose::DEPART);
                rng.pick_cumulative(&cumulative)
            }
        };
        let step = step.filter(|&step| expected[step] < own_s);
        (least_s, step.map(|step| (step as u32, own_s - expected[step])))
    }

    /// Some change; how many did.
    pub(crate) fn switch(&mut self, day_number: u32, day: &Day, review: Review) -> u64 {
        let before = (self.route.clone(), self.depart.clone());
        let rng = |trip: usize| Rng::new(self.options.seed, trip as u32, day_number, purpose::SWITCH);
        match self.options.logit {
            None => {
                for (trip, other) in review.other.iter().enumerate() {
                    if let Some(other) = other
                        && self.options.switching.changes(other.gain_s, review.cost_s[trip], day_number, &mut rng(trip))
                    {
                        self.route[trip] = other.route;
                        self.depart[trip] = other.depart;
                    }
                }
            }
            Some(logit) => self.switch_by_logit(logit, day_number, &day.times, &review),
        }
        let switched = (0..self.route.len())
            .filter(|&trip| self.route[trip] != before.0[trip] || self.depart[trip] != before.1[trip])
            .count();
        self.table.keep_only(self.route.iter_mut().chain(self.sets.values_mut().flatten()));
        switched as u64
    }

    fn set_key(&self, logit: &Logit, trip: usize) -> SetKey {
        let Trip { from, to, .. } = self.trips[trip];
        (from, to, (to_seconds(self.depart[trip]) / logit.period_s) as u32)
    }

    fn switch_by_logit(&mut self, logit: Logit, day_number: u32, times: &LinkTimes, review: &Review) {
        // What was done and what would have been better is known from now on.
        let trips = 0..self.route.len();
        let present = trips.clone().map(|trip| (trip, self.route[trip]));
        let better = trips.filter_map(|trip| review.other[trip].map(|other| (trip, other.route)));
        let heard_of = review.heard_of.iter().map(|&(trip, route)| (trip as usize, route));
        let known = present.chain(better).chain(heard_of).filter(|&(_, route)| route != NO_ROUTE);
        let mut sets = std::mem::take(&mut self.sets);
        for (trip, route) in known {
            let set = sets.entry(self.set_key(&logit, trip)).or_default();
            if !set.contains(&route) {
                set.push(route);
            }
        }
        // The cheapest at the middle of the period stay; then path sizes.
        let mut sizes = BTreeMap::new();
        for (&key, set) in &mut sets {
            if set.len() > logit.routes_max {
                let middle_s = (f64::from(key.2) + 0.5) * logit.period_s;
                let cost = |route: &u32| times.arrive_s(self.table.links(*route), middle_s);
                set.sort_by(|a, b| cost(a).total_cmp(&cost(b)).then(a.cmp(b)));
                set.truncate(logit.routes_max);
            }
            let links: Vec<&[CarLinkIx]> = set.iter().map(|&route| self.table.links(route)).collect();
            sizes.insert(key, path_sizes(&links, &self.network.length_m));
        }
        self.sets = sets;
        let share = Logit::share(day_number);
        let drawn = chunks::map_chunks(self.route.len(), CHUNK_TRIPS, |range| {
            range
                .map(|trip| {
                    let mut rng = Rng::new(self.options.seed, trip as u32, day_number, purpose::SWITCH);
                    if self.route[trip] == NO_ROUTE || !rng.chance(share) {
                        return self.route[trip];
                    }
                    let key = self.set_key(&logit, trip);
                    let set = &self.sets[&key];
                    let depart_s = to_seconds(self.depart[trip]);
                    let costs: Vec<f64> = set.iter().map(|&route| self.cost_s(times, trip, route, depart_s)).collect();
                    set[draw(&logit.probabilities(&costs, &sizes[&key]), &mut rng)]
                })
                .collect::<Vec<u32>>()
        });
        self.route = drawn.concat();
    }
}

/// When one arrives from each origin to each destination for each departure that is compared.
struct Profiles {
    choice: DepartureChoice,
    pairs: Vec<(u32, u32)>,
    arrive_s: Vec<f64>,
    found: Found,
}

impl Profiles {
    fn new(
        choice: DepartureChoice,
        trips: &[Trip],
        served: &[u32],
        times: &LinkTimes,
        searcher: &mut Searcher<'_>,
    ) -> Self {
        let free = served.iter().map(|&trip| trips[trip as usize]).filter(|trip| trip.wish_s.is_some());
        let mut pairs: Vec<(u32, u32)> = free.map(|trip| (trip.from, trip.to)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let steps = choice.steps();
        let queries: Vec<Query> = pairs
            .iter()
            .flat_map(|&(from, to)| (0..steps).map(move |step| Query { from, to, depart_s: choice.middle_s(step) }))
            .collect();
        let found = searcher.fastest(times, &queries);
        let arrive = |row| found.route(row).map_or(f64::INFINITY, |(_, arrive_s)| arrive_s);
        Self { choice, pairs, arrive_s: (0..queries.len()).map(arrive).collect(), found }
    }
    fn row(&self, trip: Trip) -> usize {
        self.pairs.partition_point(|&pair| pair < (trip.from, trip.to)) * self.choice.steps()
    }
    fn links(&self, trip: Trip, step: u32) -> &[CarLinkIx] {
        self.found.route(self.row(trip) + step as usize).map_or(&[], |(links, _)| links)
    }
}
