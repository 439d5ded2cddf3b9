//! Skims of the networks handed to the people who plan with them.
//!
//! Car: the route that drivers take under given travel times of links, its time, length and tolls. Walking and cycling:
//! the fastest way on paths with their slopes. Pairs too far apart to walk or cycle, and places that no path reaches,
//! follow the straight line at the speed on the flat.
//!
//! Contract: rows run in constant batches, so matrices are the same bits on any number of threads.

use crate::policy::state::Policies;
use std::sync::Arc;
use urbis_city::model::City;
use urbis_core::NodeIx;
use urbis_population::plans::Mode;
use urbis_population::settings::ModeSettings;
use urbis_population::skims::{Matrix, PERIODS};
use urbis_population::{Cells, Places, Plans, Skims};
use urbis_traffic::slope::FlatSpeeds;
use urbis_traffic::slow_modes::{SlowMode, SlowNetwork, SlowTrip};
use urbis_traffic::{CarNetwork, Router};

/// Origins whose routes are held in memory at a time.
const ROWS: usize = 64;
/// Longest straight line that is walked or cycled on the network, metres.
const FARTHEST_M: [f64; 2] = [6000.0, 20_000.0];

/// The networks of people who do not drive.
#[derive(Debug)]
pub struct SlowNetworks {
    walk: SlowNetwork,
    bicycle: SlowNetwork,
}

impl SlowNetworks {
    /// The paths of a city.
    #[must_use]
    pub fn new(city: &City) -> Self {
        let flat = FlatSpeeds::default();
        Self {
            walk: SlowNetwork::from_city(city, SlowMode::Walk, flat),
            bicycle: SlowNetwork::from_city(city, SlowMode::Bicycle { pushes: true }, flat),
        }
    }

    fn of(&self, mode: Mode) -> Option<(&SlowNetwork, f64, f64)> {
        let flat = FlatSpeeds::default();
        match mode {
            Mode::Walk => Some((&self.walk, FARTHEST_M[0], flat.walk_mps)),
            Mode::Bicycle => Some((&self.bicycle, FARTHEST_M[1], flat.cycle_mps)),
            _ => None,
        }
    }

    /// Walking and cycling between cells, put into the skims.
    pub fn measure(&self, cells: &Cells, modes: &[ModeSettings], skims: &mut Skims) {
        skims.walk = Some(Arc::new(self.matrix(Mode::Walk, cells, modes)));
        skims.bicycle = Some(Arc::new(self.matrix(Mode::Bicycle, cells, modes)));
    }

    fn matrix(&self, mode: Mode, cells: &Cells, modes: &[ModeSettings]) -> Matrix {
        let count = cells.len();
        let mut matrix = Matrix::default();
        let Some((network, farthest_m, flat_mps)) = self.of(mode) else { return matrix };
        let detour = modes[mode as usize].detour;
        for first in (0..count).step_by(ROWS) {
            let rows = first..(first + ROWS).min(count);
            let pairs: Vec<(usize, usize)> = rows.flat_map(|from| (0..count).map(move |to| (from, to))).collect();
            let is_near = |&(from, to): &(usize, usize)| from != to && cells.distance_m(from, to) <= farthest_m;
            let queries: Vec<(NodeIx, NodeIx)> = pairs
                .iter()
                .filter(|pair| is_near(pair))
                .map(|&(from, to)| (cells.node[from], cells.node[to]))
                .collect();
            let mut trips = network.trips(&queries).into_iter();
            for pair in pairs {
                let straight_m = cells.distance_m(pair.0, pair.1);
                let found = if is_near(&pair) { trips.next().flatten() } else { None };
                let SlowTrip { time_s, distance_m } = at_least(found, straight_m, detour, flat_mps);
                matrix.time_s.push(time_s as f32);
                matrix.distance_m.push(distance_m as f32);
            }
        }
        matrix
    }

    /// Gives walking and cycling trips the time and way between their own buildings instead of their cells.
    pub fn refine(&self, places: &Places, modes: &[ModeSettings], plans: &mut Plans) {
        for mode in [Mode::Walk, Mode::Bicycle] {
            let Some((network, farthest_m, flat_mps)) = self.of(mode) else { continue };
            let settings = &modes[mode as usize];
            let is_one = |&trip: &usize| {
                plans.mode[trip] == mode && places.distance_m(plans.from[trip], plans.to[trip]) <= farthest_m
            };
            let rows: Vec<usize> = (0..plans.len()).filter(is_one).collect();
            let node = |place: urbis_population::Place| places.car_node[place.row()];
            let queries: Vec<(NodeIx, NodeIx)> =
                rows.iter().map(|&trip| (node(plans.from[trip]), node(plans.to[trip]))).collect();
            for (trip, found) in rows.into_iter().zip(network.trips(&queries)) {
                let straight_m = places.distance_m(plans.from[trip], plans.to[trip]);
                let SlowTrip { time_s, distance_m } = at_least(found, straight_m, settings.detour, flat_mps);
                plans.way_s[trip] = (time_s + settings.access_min * 60.0) as f32;
                plans.way_m[trip] = distance_m as f32;
            }
        }
    }
}

/// The way on the network, but no shorter than the straight line: doors lie off the nodes. Without one, the straight
/// line times a detour.
fn at_least(found: Option<SlowTrip>, straight_m: f64, detour: f64, flat_mps: f64) -> SlowTrip {
    match found {
        Some(trip) if trip.distance_m >= straight_m => trip,
        Some(_) => SlowTrip { time_s: straight_m / flat_mps, distance_m: straight_m },
        None => SlowTrip { time_s: straight_m * detour / flat_mps, distance_m: straight_m * detour },
    }
}

/// Car between cells under the travel times of links at one time of day, milliseconds, their tolls, and what drivers add
/// to the time of each link for these and for closures (empty: none).
#[must_use]
pub fn car_matrix(
    cells: &Cells,
    network: &CarNetwork,
    router: &Router,
    travel_time_ms: &[u32],
    (tolls, extra_ms): (&[f32], &[u32]),
    modes: &[ModeSettings],
) -> Matrix {
    let count = cells.len();
    let metric = router.travel_time_metric_with(travel_time_ms, extra_ms);
    let nodes: Vec<Option<u32>> = cells.node.iter().map(|&node| network.node_of(node)).collect();
    let car = &modes[Mode::Car as usize];
    let mut matrix = Matrix::default();
    for first in (0..count).step_by(ROWS) {
        let mut queries = Vec::with_capacity(ROWS * count);
        for from in first..(first + ROWS).min(count) {
            for to in 0..count {
                // From a node to itself is the answer without a way.
                queries.push(nodes[from].zip(nodes[to]).filter(|_| from != to).unwrap_or((0, 0)));
            }
        }
        let routes = if network.nodes() > 0 { router.route_batch_under(&metric, &queries) } else { return matrix };
        for (nth, route) in routes.iter().enumerate() {
            let (from, to) = (first + nth / count, nth % count);
            let (mut time_s, mut way_m, mut money) = (f64::INFINITY, f64::INFINITY, 0.0);
            if from == to {
                way_m = cells.within_m[from];
                time_s = way_m / (car.speed_kmh / 3.6);
            } else if nodes[from].is_some()
                && nodes[to].is_some()
                && let Some((links, _)) = route
            {
                time_s = links.iter().map(|link| f64::from(travel_time_ms[link.row()])).sum::<f64>() / 1000.0;
                way_m = links.iter().map(|link| network.length_m[link.row()]).sum();
                if !tolls.is_empty() {
                    money = links.iter().map(|link| f64::from(tolls[link.row()])).sum();
                }
            }
            matrix.time_s.push(time_s as f32);
            matrix.distance_m.push(way_m as f32);
            if !tolls.is_empty() {
                matrix.money.push(money as f32);
            }
        }
    }
    matrix
}

/// Car between cells at every time of day under the travel times of each, milliseconds, with the prices and closures of
/// policies. Times of day without any difference share their matrix.
#[must_use]
pub fn car_by_period(
    cells: &Cells,
    network: &CarNetwork,
    router: &Router,
    policies: &Policies,
    travel_time_ms: &[&[u32]],
    modes: &[ModeSettings],
) -> Vec<Arc<Matrix>> {
    let priced = |period: usize| match policies.touch_roads() {
        true => policies.in_period(period, network.links()),
        false => Default::default(),
    };
    let prices: Vec<(Vec<f32>, Vec<u32>)> = (0..travel_time_ms.len()).map(priced).collect();
    let mut found: Vec<Arc<Matrix>> = Vec::with_capacity(prices.len());
    for (period, &times) in travel_time_ms.iter().enumerate() {
        let is_same = |other: &usize| travel_time_ms[*other] == times && prices[*other] == prices[period];
        let (tolls, extra_ms) = &prices[period];
        found.push(match (0..period).find(is_same) {
            Some(other) => Arc::clone(&found[other]),
            None => Arc::new(car_matrix(cells, network, router, times, (tolls, extra_ms), modes)),
        });
    }
    found
}

/// One matrix for every time of day.
#[must_use]
pub fn all_day(matrix: Matrix) -> Vec<Arc<Matrix>> {
    let shared = Arc::new(matrix);
    (0..PERIODS).map(|_| Arc::clone(&shared)).collect()
}
