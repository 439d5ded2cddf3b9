//! Bicycles and walking on graphs of their own: the links of a city that a mode may use, each as fast as its slope
//! lets people be (`slope`), and a router over them.
//!
//! A bicycle may also be pushed along links that are for walking alone. The city's links do not tell stairs from
//! paths, so stairs count as steep paths. Bans of turns are for motor vehicles and do not count.
//!
//! Ignored: queues and crowding, waiting at crossings, comfort and danger.
//! Contract: rows follow those of the city; answers do not depend on threads.

use crate::expansion::Expansion;
use crate::network::NO_NODE;
use crate::route::{LINK_COST_MAX, RouteBatch, Router};
use crate::slope::{FlatSpeeds, cycle_mps, push_mps, slope, walk_mps};
use urbis_city::model::{City, Modes};
use urbis_core::{CarLinkIx, LinkIx, NodeIx};

/// Who moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowMode {
    /// On foot.
    Walk,
    /// By bicycle; with `pushes` it is pushed where only walking is allowed.
    Bicycle {
        /// Whether footways count.
        pushes: bool,
    },
}

/// Time and distance of the fastest route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowTrip {
    /// Seconds.
    pub time_s: f64,
    /// Metres.
    pub distance_m: f64,
}

/// The links of a city that a mode may use.
#[derive(Debug)]
pub struct SlowNetwork {
    /// The city's link of each link.
    pub city_link: Vec<LinkIx>,
    /// Length, metres.
    pub length_m: Vec<f64>,
    /// Speed on its slope, m/s.
    pub speed_mps: Vec<f64>,
    /// Node of each node of the city, or [`NO_NODE`].
    node_of: Vec<u32>,
    router: Router,
}

/// The links of a city that a mode may use, before anything is searched on them.
#[derive(Debug)]
pub(crate) struct SlowLinks {
    pub(crate) city_link: Vec<LinkIx>,
    pub(crate) length_m: Vec<f64>,
    pub(crate) speed_mps: Vec<f64>,
    /// Node of each node of the city, or [`NO_NODE`].
    pub(crate) node_of: Vec<u32>,
    pub(crate) x_m: Vec<f64>,
    pub(crate) y_m: Vec<f64>,
    /// Nodes at the start and end of each link.
    pub(crate) ends: Vec<(u32, u32)>,
    /// Time of each link, milliseconds, at least 1.
    pub(crate) cost_ms: Vec<u32>,
}

impl SlowLinks {
    pub(crate) fn of_city(city: &City, mode: SlowMode, flat: FlatSpeeds) -> Self {
        let links = &city.links;
        let speed_on = |row: usize, slope: f64| match mode {
            SlowMode::Walk => links.modes[row].contains(Modes::WALK).then(|| walk_mps(slope, flat.walk_mps)),
            SlowMode::Bicycle { .. } if links.modes[row].contains(Modes::BICYCLE) => Some(cycle_mps(slope, flat)),
            SlowMode::Bicycle { pushes } => {
                (pushes && links.modes[row].contains(Modes::WALK)).then(|| push_mps(slope, flat))
            }
        };
        let mut node_of = vec![NO_NODE; city.nodes.len()];
        let (mut city_link, mut length_m, mut speed_mps) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..links.len() {
            let height = |node: NodeIx| city.nodes.elevation_m.get(node.row()).copied().unwrap_or(f64::NAN);
            let (from, to) = (links.from[row], links.to[row]);
            // A bridge or tunnel keeps its own height between its ends, which is what the slope uses.
            let Some(speed) = speed_on(row, slope(height(from), height(to), links.length_m[row])) else { continue };
            city_link.push(LinkIx(row as u32));
            let length = links.length_m[row];
            length_m.push(if length.is_finite() { length.max(0.01) } else { 0.01 });
            speed_mps.push(speed);
            node_of[from.row()] = 0;
            node_of[to.row()] = 0;
        }
        let (mut x_m, mut y_m) = (Vec::new(), Vec::new());
        for (row, of) in node_of.iter_mut().enumerate().filter(|(_, of)| **of != NO_NODE) {
            *of = x_m.len() as u32;
            x_m.push(city.nodes.x_m[row]);
            y_m.push(city.nodes.y_m[row]);
        }
        let ends: Vec<(u32, u32)> = city_link
            .iter()
            .map(|link| (node_of[links.from[link.row()].row()], node_of[links.to[link.row()].row()]))
            .collect();
        let time_ms = |(&length, &speed): (&f64, &f64)| (length / speed * 1000.0).round() as u32;
        let cost_ms: Vec<u32> =
            length_m.iter().zip(&speed_mps).map(time_ms).map(|ms| ms.clamp(1, LINK_COST_MAX)).collect();
        Self { city_link, length_m, speed_mps, node_of, x_m, y_m, ends, cost_ms }
    }
}

impl SlowNetwork {
    /// The graph of a mode in a city. Links without a positive finite length count 1 cm. A city without such links
    /// gives a graph without routes.
    #[must_use]
    pub fn from_city(city: &City, mode: SlowMode, flat: FlatSpeeds) -> Self {
        let SlowLinks { city_link, length_m, speed_mps, node_of, x_m, y_m, ends, cost_ms } =
            SlowLinks::of_city(city, mode, flat);
        let router = Router::over(Expansion::plain(x_m, y_m, &ends), vec![1.0; ends.len()], &cost_ms);
        Self { city_link, length_m, speed_mps, node_of, router }
    }

    /// The row of a city's node in this graph, if any link touches it.
    #[must_use]
    pub fn node_of(&self, node: NodeIx) -> Option<u32> {
        self.node_of.get(node.row()).copied().filter(|&of| of != NO_NODE)
    }

    /// Time and distance of the fastest route of each pair of nodes of the city, in order; `None` when there is none
    /// or a node has no link of the mode. From a node to itself both are 0.
    #[must_use]
    pub fn trips(&self, queries: &[(NodeIx, NodeIx)]) -> Vec<Option<SlowTrip>> {
        let trip = |(links, ms): (&[CarLinkIx], u32)| SlowTrip {
            time_s: f64::from(ms) / 1000.0,
            distance_m: links.iter().map(|link| self.length_m[link.row()]).sum(),
        };
        let (rows, batch) = self.routes(queries);
        let mut trips = vec![None; queries.len()];
        for (&row, route) in rows.iter().zip(batch.iter()) {
            trips[row as usize] = route.map(trip);
        }
        for (trip, (from, to)) in trips.iter_mut().zip(queries) {
            if from == to {
                *trip = Some(SlowTrip { time_s: 0.0, distance_m: 0.0 });
            }
        }
        trips
    }

    /// Links of the city along the fastest route between two of its nodes.
    #[must_use]
    pub fn route(&self, from: NodeIx, to: NodeIx) -> Option<Vec<LinkIx>> {
        let (_, batch) = self.routes(&[(from, to)]);
        let (links, _) = batch.iter().next()??;
        Some(links.iter().map(|link| self.city_link[link.row()]).collect())
    }

    /// Routes of those queries whose ends are in the graph, and their rows.
    fn routes(&self, queries: &[(NodeIx, NodeIx)]) -> (Vec<u32>, RouteBatch) {
        let mut rows = Vec::with_capacity(queries.len());
        let mut pairs = Vec::with_capacity(queries.len());
        for (row, &(from, to)) in queries.iter().enumerate() {
            if let (Some(from), Some(to)) = (self.node_of(from), self.node_of(to)) {
                rows.push(row as u32);
                pairs.push((from, to));
            }
        }
        let batch = self.router.route_batch(&pairs);
        (rows, batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_city::model::{Links, Nodes};

    /// A hill in the middle (node 1), a flat way round it (over 2) and a footway (0 to 3).
    fn hill() -> City {
        let mut city = City {
            nodes: Nodes {
                id: (0..5).map(|of| of.to_string()).collect(),
                x_m: vec![0.0, 500.0, 500.0, 1000.0, 9.0],
                y_m: vec![0.0, 0.0, 400.0, 0.0, 9.0],
                elevation_m: vec![10.0, 60.0, 10.0, 10.0, f64::NAN],
                ..Nodes::default()
            },
            ..City::default()
        };
        let both = Modes::WALK.union(Modes::BICYCLE);
        let mut add = |from: u32, to: u32, length_m: f64, modes: Modes| {
            let Links { id, from: tails, to: heads, length_m: lengths, modes: all, .. } = &mut city.links;
            id.push(String::new());
            tails.push(NodeIx(from));
            heads.push(NodeIx(to));
            lengths.push(length_m);
            all.push(modes);
        };
        for (a, b, length_m, modes) in [
            (0, 1, 500.0, both),
            (1, 3, 500.0, both),
            (0, 2, 650.0, both),
            (2, 3, 650.0, both),
            (0, 3, 900.0, Modes::WALK),
            (0, 3, 10.0, Modes::CAR),
        ] {
            add(a, b, length_m, modes);
            add(b, a, length_m, modes);
        }
        city
    }

    #[test]
    fn people_go_round_hills_where_it_pays() {
        let city = hill();
        let flat = FlatSpeeds::default();
        let trip = |mode, from, to| {
            let network = SlowNetwork::from_city(&city, mode, flat);
            network.trips(&[(NodeIx(from), NodeIx(to))])[0]
        };
        let walk = trip(SlowMode::Walk, 0, 3).unwrap();
        assert!((walk.distance_m - 900.0).abs() < 1e-9 && (walk.time_s - 900.0 * 3.6 / 5.0).abs() < 1e-3);
        let ride = trip(SlowMode::Bicycle { pushes: false }, 0, 3).unwrap();
        assert!((ride.distance_m - 1300.0).abs() < 1e-9 && (ride.time_s - 1300.0 * 3.6 / 16.0).abs() < 2e-3);
        // Pushing 900 m takes longer than riding 1,300 m.
        assert_eq!(trip(SlowMode::Bicycle { pushes: true }, 0, 3), Some(ride));
        let (up, down) = (trip(SlowMode::Walk, 0, 1).unwrap(), trip(SlowMode::Walk, 1, 0).unwrap());
        assert!((up.time_s - 500.0 / walk_mps(0.1, flat.walk_mps)).abs() < 1e-3 && down.time_s < up.time_s);
        assert_eq!(trip(SlowMode::Walk, 0, 4), None);
        assert_eq!(trip(SlowMode::Walk, 4, 4).map(|of| of.distance_m.to_bits()), Some(0));
        let network = SlowNetwork::from_city(&city, SlowMode::Walk, flat);
        assert_eq!(network.route(NodeIx(3), NodeIx(0)), Some(vec![LinkIx(9)]));
    }

    #[test]
    fn unknown_heights_are_flat_and_no_links_no_routes() {
        let mut city = hill();
        city.nodes.elevation_m.fill(f64::NAN);
        let network = SlowNetwork::from_city(&city, SlowMode::Bicycle { pushes: false }, FlatSpeeds::default());
        let trip = network.trips(&[(NodeIx(0), NodeIx(3))])[0].unwrap();
        assert!((trip.distance_m - 1000.0).abs() < 1e-9 && (trip.time_s - 225.0).abs() < 2e-3);
        city.links = Links::default();
        let network = SlowNetwork::from_city(&city, SlowMode::Walk, FlatSpeeds::default());
        assert_eq!(network.trips(&[(NodeIx(0), NodeIx(3)), (NodeIx(0), NodeIx(0))]).iter().flatten().count(), 1);
    }
}
