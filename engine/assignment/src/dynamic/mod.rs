//! Day-to-day dynamic user equilibrium on the traffic engine.
//!
//! A day simulates every trip on its present route ([`Day`]). Link travel times are measured by moment of
//! entry, waits at origins by moment of departure ([`LinkTimes`]). Under these times each trip's route
//! costs `c`, and the best it could have done costs `c*` ([`Searcher`]); the relative gap of the day is
//! `sum (c - c*) / sum c` over all trips with a route, so 0 in a dynamic user equilibrium (nobody gains by
//! another route, or departure where it is free: the dynamic Wardrop condition, Friesz et al. 1993). Then
//! some change ([`Switching`], [`Logit`]), and the next day begins. [`instantaneous`] is another idea of
//! route choice: no experience, only what is known on the way.
//!
//! Costs are times, with schedule delay where departures are free ([`ScheduleCosts`]), told in seconds of
//! travel. Ignored: tolls, vehicle classes, learning over several days, what drivers think of roads
//! ([`CarNetwork::route_factor`]).
//!
//! Contract: the outcome depends on network, trips and options alone: draws are keyed by (seed, trip,
//! day), sums go in order of trips, chunks are constant.

mod choice;
mod day;
mod departure;
pub mod informed;
pub mod instantaneous;
mod routes;
mod search;
mod switch;
mod times;

pub use choice::{Logit, Switching};
pub use day::{Day, DayOptions};
pub use departure::{DepartureChoice, ScheduleCosts};
pub use instantaneous::{InstantaneousOptimum, instantaneous_optimum};
pub use routes::{NO_ROUTE, RouteTable, path_sizes};
pub use search::{Found, Query, Search, Searcher};
pub use times::LinkTimes;

use std::path::Path;
use switch::{Review, Travellers};
use urbis_core::{CarLinkIx, Problem, Problems, Result};
use urbis_traffic::CarNetwork;
use urbis_traffic::time::{Time, to_seconds};

/// One vehicle's trip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trip {
    /// When it leaves, or left so far, seconds, >= 0.
    pub depart_s: f64,
    /// Node where it starts; a row of the network's nodes.
    pub from: u32,
    /// Node where it ends.
    pub to: u32,
    /// When it wishes to arrive, seconds; matters only with [`Options::departure`].
    pub wish_s: Option<f64>,
}

/// With what routes the first day begins.
#[derive(Clone, Debug, Default)]
pub enum Start {
    /// The fastest on an empty network.
    #[default]
    Empty,
    /// The fastest at these times by link, seconds: a static assignment's link times, say.
    LinkTimes(Vec<f64>),
    /// Given routes: where each trip's links end in the column of links. Trips with none start as on an
    /// empty network.
    Routes {
        /// Ends by trip.
        ends: Vec<u32>,
        /// Links, trip after trip.
        links: Vec<CarLinkIx>,
    },
}

/// What is to be equilibrated, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of all draws.
    pub seed: u64,
    /// Days to simulate at most, >= 1.
    pub days_max: u32,
    /// Stops at this relative gap; a stochastic equilibrium has one of its own, so with [`Options::logit`]
    /// all days are simulated.
    pub gap: f64,
    /// How days are simulated and measured.
    pub day: DayOptions,
    /// How the best routes are found.
    pub search: Search,
    /// Who takes a better route or departure.
    pub switching: Switching,
    /// Routes by logit among known ones, in place of the best.
    pub logit: Option<Logit>,
    /// Free departures.
    pub departure: Option<DepartureChoice>,
    /// First routes.
    pub start: Start,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            days_max: 50,
            gap: 0.01,
            day: DayOptions::default(),
            search: Search::Exact,
            switching: Switching::default(),
            logit: None,
            departure: None,
            start: Start::Empty,
        }
    }
}

/// One day of the way to equilibrium.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayReport {
    /// Day, from 1.
    pub day: u32,
    /// `sum (c - c*) / sum c` under the day's measured times.
    pub relative_gap: f64,
    /// Mean cost of the trips under the measured times, seconds.
    pub mean_cost_s: f64,
    /// Time from wanted departure to arrival of those who arrived, in all, seconds.
    pub total_travel_time_s: f64,
    /// Trips that arrived.
    pub arrived: u64,
    /// Mean absolute difference of experienced and measured arrival times, seconds: how well the measured
    /// times tell what vehicles live through.
    pub measure_error_s: f64,
    /// Trips that changed route or departure since the day before.
    pub switched: u64,
}

/// Where the days have led to; columns by trip. Routes, departures and measurements belong together: they
/// are those of the last simulated day.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Each trip's route, a number in `table` or [`NO_ROUTE`].
    pub route: Vec<u32>,
    /// Distinct routes.
    pub table: RouteTable,
    /// When each trip left, seconds.
    pub depart_s: Vec<f64>,
    /// Cost of each trip under the measured times, seconds of travel; not finite without a route.
    pub cost_s: Vec<f64>,
    /// The last day: arrivals and measured times.
    pub day: Day,
    /// All days.
    pub days: Vec<DayReport>,
    /// Trips between nodes that no way joins, in order.
    pub unconnected: Vec<u32>,
    /// Trips from a node to itself, which need no road, in order.
    pub without_road: Vec<u32>,
    /// Whether the gap was reached.
    pub converged: bool,
}

/// Simulates day after day until the relative gap is small enough or the days are over. `progress` hears
/// of each day and says whether to go on.
///
/// # Errors
/// [`urbis_core::Error::Input`] naming every trip with an impossible departure or node, and options
/// outside their ranges.
pub fn equilibrate(
    network: &CarNetwork,
    trips: &[Trip],
    options: &Options,
    progress: &mut dyn FnMut(&DayReport) -> bool,
) -> Result<Outcome> {
    check(network, trips, options)?;
    let mut searcher = Searcher::new(network, options.search);
    let mut travellers = Travellers::new(network, trips, options, &mut searcher)?;
    let mut days = Vec::new();
    let mut switched = 0;
    loop {
        let day = day::simulate(network, &travellers.depart, &travellers.route, &travellers.table, &options.day)?;
        let review = travellers.review(&day, &mut searcher);
        let number = days.len() as u32 + 1;
        let report = DayReport { day: number, switched, ..report(&travellers, &day, &review) };
        days.push(report);
        let converged = options.logit.is_none() && report.relative_gap <= options.gap;
        let goes_on = progress(&report);
        if !converged && number < options.days_max && goes_on {
            switched = travellers.switch(number, &day, review);
            continue;
        }
        return Ok(Outcome {
            depart_s: travellers.depart.iter().map(|&time| to_seconds(time)).collect(),
            route: travellers.route,
            table: travellers.table,
            cost_s: review.cost_s,
            day,
            days,
            unconnected: travellers.unconnected,
            without_road: travellers.without_road,
            converged,
        });
    }
}

/// Sums of a day, in order of trips.
fn report(travellers: &Travellers<'_>, day: &Day, review: &Review) -> DayReport {
    let (mut cost, mut best, mut served) = (0.0, 0.0, 0_u64);
    let (mut total, mut arrived, mut error) = (0.0, 0_u64, 0.0);
    for trip in 0..travellers.route.len() {
        if travellers.route[trip] == NO_ROUTE {
            continue;
        }
        cost += review.cost_s[trip];
        best += review.best_s[trip];
        served += 1;
        if day.arrive_s[trip].is_finite() {
            let depart_s = to_seconds(travellers.depart[trip]);
            total += day.arrive_s[trip] - depart_s;
            arrived += 1;
            let measured = day.times.arrive_s(travellers.table.links(travellers.route[trip]), depart_s);
            error += (measured - day.arrive_s[trip]).abs();
        }
    }
    DayReport {
        day: 0,
        relative_gap: if cost > 0.0 { (cost - best) / cost } else { 0.0 },
        mean_cost_s: if served > 0 { cost / served as f64 } else { 0.0 },
        total_travel_time_s: total,
        arrived,
        measure_error_s: if arrived > 0 { error / arrived as f64 } else { 0.0 },
        switched: 0,
    }
}

/// Problems of trips, each with its row.
pub(crate) fn check_trips(network: &CarNetwork, trips: &[Trip], problems: &mut Problems) {
    let latest_s = to_seconds(Time::MAX) / 2.0;
    for (row, trip) in trips.iter().enumerate() {
        let mut bad = |field: &str, value: String, expected: &str| {
            problems.push(Problem::value(Path::new("trips"), row + 1, None, field, value, expected));
        };
        if !(0.0..latest_s).contains(&trip.depart_s) {
            bad("depart_s", trip.depart_s.to_string(), "0 or more, and within 24 days");
        }
        if trip.wish_s.is_some_and(|wish_s| !(0.0..latest_s).contains(&wish_s)) {
            bad("wish_s", format!("{:?}", trip.wish_s), "0 or more, and within 24 days");
        }
        for (field, node) in [("from", trip.from), ("to", trip.to)] {
            if node as usize >= network.nodes() {
                bad(field, node.to_string(), "a row of the nodes");
            }
        }
    }
}

fn check(network: &CarNetwork, trips: &[Trip], options: &Options) -> Result<()> {
    let mut problems = Problems::new();
    check_trips(network, trips, &mut problems);
    let mut need = |holds: bool, field: &str, value: String, expected: &str| {
        if !holds {
            problems.push(Problem::file(Path::new("options"), format!("{field} = {value}, expected {expected}")));
        }
    };
    let positive = |value: f64| value.is_finite() && value > 0.0;
    let not_negative = |value: f64| value.is_finite() && value >= 0.0;
    need(options.days_max > 0, "days_max", options.days_max.to_string(), "1 or more");
    need(not_negative(options.gap), "gap", options.gap.to_string(), "0 or more");
    need(options.day.bin_s > 0, "bin_s", options.day.bin_s.to_string(), "1 or more");
    if let Switching::Gain { rate, damping } = options.switching {
        need(positive(rate), "rate", rate.to_string(), "> 0");
        need(not_negative(damping), "damping", damping.to_string(), "0 or more");
    }
    if let Some(logit) = options.logit {
        need(positive(logit.theta_per_s), "theta_per_s", logit.theta_per_s.to_string(), "> 0");
        need(not_negative(logit.path_size_weight), "path_size_weight", logit.path_size_weight.to_string(), ">= 0");
        need(logit.routes_max > 0, "routes_max", logit.routes_max.to_string(), "1 or more");
        need(not_negative(logit.spread), "spread", logit.spread.to_string(), "0 or more");
        need(positive(logit.period_s), "period_s", logit.period_s.to_string(), "> 0");
        need(options.departure.is_none(), "logit", "set".to_owned(), "no free departures beside it");
    }
    if let Some(choice) = options.departure {
        let window = format!("{} to {}", choice.earliest_s, choice.latest_s);
        need(positive(choice.step_s), "step_s", choice.step_s.to_string(), "> 0");
        need(
            not_negative(choice.earliest_s) && choice.latest_s.is_finite() && choice.latest_s > choice.earliest_s,
            "departure window",
            window,
            "an earliest moment of 0 or more, before the latest",
        );
        let share = choice.anticipation;
        need((0.0..=1.0).contains(&share), "anticipation", share.to_string(), "0 to 1");
        let ScheduleCosts { travel, early, late } = choice.costs;
        need(positive(travel), "travel", travel.to_string(), "> 0");
        need(not_negative(early) && early < travel, "early", early.to_string(), "0 or more, below that of travel");
        need(not_negative(late), "late", late.to_string(), "0 or more");
    }
    match &options.start {
        Start::Empty => {}
        Start::LinkTimes(times) => {
            need(times.len() == network.links(), "start times", times.len().to_string(), "one for each link");
        }
        Start::Routes { ends, links } => {
            let rising = ends.windows(2).all(|pair| pair[0] <= pair[1]);
            need(
                ends.len() == trips.len() && rising && ends.last().is_none_or(|&end| end as usize == links.len()),
                "start routes",
                format!("{} ends, {} links", ends.len(), links.len()),
                "one end for each trip, none before the one above, the last at the end of the links",
            );
            need(
                links.iter().all(|link| link.row() < network.links()),
                "start routes",
                "a link beyond the network".to_owned(),
                "rows of links",
            );
        }
    }
    problems.or_else(())
}
