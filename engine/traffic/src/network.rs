//! The road network as traffic sees it: directed car links between compact nodes, each with the three
//! numbers of a triangular fundamental diagram turned into integers of the kernel.
//!
//! For a link of length L, free speed v, capacity q and jam density k_j (Newell 1993) the kernel needs
//! the free time `T = L / v`, the storage `N = ceil(k_j L)` and the lag `N / q - T` with which a vehicle
//! that leaves makes room at the entrance. For whole `k_j L` the lag is `L / w` with the wave speed
//! `w = q / (k_j - q / v)`; rounding N up instead of down and taking the rest into the lag keeps the
//! capacity of short links, which `floor` would lose.
//!
//! Free time and lag must last at least one tick, because within a tick nodes do not see each other.
//! Shorter ones are raised to a tick, with as much more storage as the capacity needs, and counted in
//! [`NetworkReport`].
//!
//! Ignored: lanes as separate queues, turn pockets, gradients.
//! Contract: pure functions of their input; [`CarLinkIx`] follows the order of the city's rows.

use crate::circles;
use crate::time::{TICK, Time, from_seconds};
use bevy_ecs::resource::Resource;
use std::path::Path;
use urbis_city::model::{City, Modes, RoadClass};
use urbis_core::{CarLinkIx, LinkIx, NodeIx, Problem, Problems, Result};

/// Car node that does not exist: a city node that no car link touches.
pub const NO_NODE: u32 = u32::MAX;

/// A car network as plain columns; what [`CarNetwork`] is made from. Links and nodes are rows.
#[derive(Clone, Debug, Default)]
pub struct NetworkColumns {
    /// Easting of each node, metres. Used for locality only, never for physics.
    pub x_m: Vec<f64>,
    /// Northing of each node, metres.
    pub y_m: Vec<f64>,
    /// Upstream node of each link.
    pub from: Vec<u32>,
    /// Downstream node of each link.
    pub to: Vec<u32>,
    /// Length, metres, > 0.
    pub length_m: Vec<f64>,
    /// Free-flow speed, m/s, > 0.
    pub speed_mps_free: Vec<f64>,
    /// Capacity of all lanes, vehicles/s, > 0.
    pub capacity_vps: Vec<f64>,
    /// Jam density of all lanes, vehicles/m, > 0.
    pub jam_density_vpm: Vec<f64>,
    /// Weight of a link where it merges, > 0; empty means its capacity.
    pub priority: Vec<f64>,
    /// What drivers multiply the travel time of a link by when they choose a route, > 0; empty means 1.
    pub route_factor: Vec<f64>,
    /// Forbidden pairs (incoming link, outgoing link).
    pub banned: Vec<(CarLinkIx, CarLinkIx)>,
}

/// What had to be adjusted to fit the step of one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkReport {
    /// Links whose free time is below one tick; it was raised to one tick.
    pub short_free_time: u32,
    /// Links whose storage was raised: so that the backward wave lasts one tick at full capacity, or to two
    /// in a circle.
    pub storage_raised: u32,
}

/// Directed car links between compact nodes; key [`CarLinkIx`] for link columns, `u32` for nodes.
#[derive(Clone, Debug, Default, Resource)]
pub struct CarNetwork {
    /// Upstream node.
    pub from: Vec<u32>,
    /// Downstream node.
    pub to: Vec<u32>,
    /// Length, metres.
    pub length_m: Vec<f64>,
    /// Capacity of all lanes, vehicles/s.
    pub capacity_vps: Vec<f64>,
    /// Weight where links merge.
    pub priority: Vec<f64>,
    /// What drivers multiply the travel time by when they choose a route.
    pub route_factor: Vec<f64>,
    /// Free time, at least a tick, in 1/1024 s.
    pub free_time: Vec<Time>,
    /// Time from a departure to room at the entrance, at least a tick, in 1/1024 s.
    pub lag: Vec<Time>,
    /// Vehicles that fit.
    pub storage: Vec<u32>,
    /// Easting of nodes, metres.
    pub x_m: Vec<f64>,
    /// Northing of nodes, metres.
    pub y_m: Vec<f64>,
    /// Part of a circle: a short ring of one-way links.
    pub in_circle: Vec<bool>,
    /// Forbidden pairs (incoming link, outgoing link), sorted, each once.
    pub banned: Vec<(CarLinkIx, CarLinkIx)>,
    /// The city's link of each car link; the same row when made from columns.
    pub city_link: Vec<LinkIx>,
    /// The car link of each link of the city, or [`CarLinkIx::NONE`].
    pub car_link: Vec<CarLinkIx>,
    /// The city's node of each car node; the same row when made from columns.
    pub city_node: Vec<NodeIx>,
    /// The car node of each node of the city, or [`NO_NODE`].
    pub car_node: Vec<u32>,
    /// What had to be adjusted.
    pub report: NetworkReport,
    /// How links of the city are in those here, where these are others.
    pub reshaped: Option<crate::city_roads::Reshaped>,
}

/// Which rows of a city car links and car nodes are, and the other way round.
pub(crate) struct CityRows {
    pub(crate) city_link: Vec<LinkIx>,
    pub(crate) car_link: Vec<CarLinkIx>,
    pub(crate) city_node: Vec<NodeIx>,
    pub(crate) car_node: Vec<u32>,
}

/// How drivers treat roads of a class.
struct Manners {
    /// Share of its capacity that counts where it merges: minor roads give way.
    priority_factor: f64,
    /// See [`NetworkColumns::route_factor`]: yards, alleys and side streets are not for through traffic.
    route_factor: f64,
}

/// Manners by road class; conventions, not measurements.
fn manners(class: RoadClass) -> Manners {
    let (priority_factor, route_factor) = match class {
        RoadClass::Motorway | RoadClass::Trunk | RoadClass::Primary | RoadClass::External => (1.0, 1.0),
        RoadClass::Secondary => (0.9, 1.0),
        RoadClass::Tertiary | RoadClass::Unclassified => (0.7, 1.1),
        RoadClass::Residential => (0.5, 1.25),
        RoadClass::LivingStreet => (0.3, 2.0),
        RoadClass::Service | RoadClass::Path => (0.2, 2.5),
    };
    Manners { priority_factor, route_factor }
}

impl CarNetwork {
    /// The part of a city that motor vehicles may use. Links keep the order of the city's rows, nodes too.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming every link whose length, speed, capacity or jam density is not
    /// positive and finite.
    pub fn from_city(city: &City) -> Result<Self> {
        Self::from_city_with(city, |_| 1.0)
    }

    /// The same, with the capacity of every link divided by its `cut`: the share to which it was cut for a
    /// reason that is now simulated.
    ///
    /// # Errors
    /// As [`CarNetwork::from_city`].
    pub fn from_city_with(city: &City, cut: impl Fn(LinkIx) -> f64) -> Result<Self> {
        let (columns, rows) = Self::columns_of_city(city, cut);
        let id = |row: usize| city.links.id[rows.city_link[row].row()].clone();
        let network = Self::from_columns_with_ids(columns, id)?;
        let CityRows { city_link, car_link, city_node, car_node } = rows;
        Ok(Self { city_link, car_link, city_node, car_node, ..network })
    }

    /// The car links of a city as columns, and which rows of the city they are.
    pub(crate) fn columns_of_city(city: &City, cut: impl Fn(LinkIx) -> f64) -> (NetworkColumns, CityRows) {
        let links = &city.links;
        let city_link: Vec<LinkIx> = (0..links.len())
            .filter(|&row| links.modes[row].contains(Modes::CAR))
            .map(|row| LinkIx(row as u32))
            .collect();
        let mut car_link = vec![CarLinkIx::NONE; links.len()];
        let mut used = vec![false; city.nodes.len()];
        for (row, link) in city_link.iter().enumerate() {
            car_link[link.row()] = CarLinkIx(row as u32);
            used[links.from[link.row()].row()] = true;
            used[links.to[link.row()].row()] = true;
        }
        let city_node: Vec<NodeIx> =
            used.iter().enumerate().filter(|(_, used)| **used).map(|(row, _)| NodeIx(row as u32)).collect();
        let mut car_node = vec![NO_NODE; city.nodes.len()];
        for (row, node) in city_node.iter().enumerate() {
            car_node[node.row()] = row as u32;
        }
        let column = |of: &[f64]| city_link.iter().map(|link| of[link.row()]).collect::<Vec<f64>>();
        let end = |of: &[NodeIx]| city_link.iter().map(|link| car_node[of[link.row()].row()]).collect::<Vec<u32>>();
        let banned = city.turns.banned.iter().map(|(a, b)| (car_link[a.row()], car_link[b.row()]));
        let columns = NetworkColumns {
            x_m: city_node.iter().map(|node| city.nodes.x_m[node.row()]).collect(),
            y_m: city_node.iter().map(|node| city.nodes.y_m[node.row()]).collect(),
            from: end(&links.from),
            to: end(&links.to),
            length_m: column(&links.length_m),
            speed_mps_free: column(&links.speed_mps_free),
            capacity_vps: city_link.iter().map(|&link| links.capacity_vps[link.row()] / cut(link)).collect(),
            jam_density_vpm: column(&links.jam_density_vpm),
            priority: city_link
                .iter()
                .map(|link| links.capacity_vps[link.row()] * manners(links.class[link.row()]).priority_factor)
                .collect(),
            route_factor: city_link.iter().map(|link| manners(links.class[link.row()]).route_factor).collect(),
            banned: banned.filter(|(a, b)| a.is_some() && b.is_some()).collect(),
        };
        (columns, CityRows { city_link, car_link, city_node, car_node })
    }

    /// A network from plain columns of equal length; problems name links by row.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming every value that is not as [`NetworkColumns`] says.
    pub fn from_columns(columns: NetworkColumns) -> Result<Self> {
        Self::from_columns_with_ids(columns, |row| row.to_string())
    }

    pub(crate) fn from_columns_with_ids(columns: NetworkColumns, id: impl Fn(usize) -> String) -> Result<Self> {
        let links = columns.from.len();
        let nodes = columns.x_m.len() as u32;
        let priority = if columns.priority.is_empty() { columns.capacity_vps.clone() } else { columns.priority };
        let route_factor = if columns.route_factor.is_empty() { vec![1.0; links] } else { columns.route_factor };
        let place = Path::new("links");
        let mut problems = Problems::new();
        let lengths = [
            columns.y_m.len().abs_diff(columns.x_m.len()),
            columns.to.len().abs_diff(links),
            columns.length_m.len().abs_diff(links),
            columns.speed_mps_free.len().abs_diff(links),
            columns.capacity_vps.len().abs_diff(links),
            columns.jam_density_vpm.len().abs_diff(links),
            priority.len().abs_diff(links),
            route_factor.len().abs_diff(links),
        ];
        if lengths.iter().any(|&difference| difference > 0) {
            problems.push(Problem::file(place, "columns differ in length"));
            return problems.or_else(Self::default());
        }
        for (row, &priority) in priority.iter().enumerate() {
            let positive = [
                ("length_m", columns.length_m[row]),
                ("speed_mps_free", columns.speed_mps_free[row]),
                ("capacity_vps", columns.capacity_vps[row]),
                ("jam_density_vpm", columns.jam_density_vpm[row]),
                ("priority", priority),
            ];
            for (field, value) in positive {
                if !(value.is_finite() && value > 0.0) {
                    problems.push(Problem::value(place, row + 1, Some(&id(row)), field, value, "> 0 and finite"));
                }
            }
            for (field, node) in [("from", columns.from[row]), ("to", columns.to[row])] {
                if node >= nodes {
                    problems.push(Problem::value(place, row + 1, Some(&id(row)), field, node, "a row of the nodes"));
                }
            }
        }
        for &(into, out) in &columns.banned {
            if into.row() >= links || out.row() >= links {
                problems.push(Problem::file(place, format!("banned turn {} to {}: no such link", into.0, out.0)));
            }
        }
        if !problems.is_empty() {
            return problems.or_else(Self::default());
        }

        let in_circle = circles::find(nodes as usize, &columns.from, &columns.to, &columns.length_m);
        let mut report = NetworkReport::default();
        let mut free_time = Vec::with_capacity(links);
        let mut lag = Vec::with_capacity(links);
        let mut storage = Vec::with_capacity(links);
        for (row, &is_in_circle) in in_circle.iter().enumerate() {
            let (length_m, capacity_vps) = (columns.length_m[row], columns.capacity_vps[row]);
            let exact = from_seconds(length_m / columns.speed_mps_free[row]);
            let travel = exact.max(TICK);
            // The tolerance keeps 0.2 veh/m on 1,000 m at 200, whatever the last bit of the product says.
            let physical = (columns.jam_density_vpm[row] * length_m - 1e-9).ceil().max(1.0);
            let needed = (capacity_vps * f64::from(travel + TICK) / f64::from(TICK) - 1e-9).ceil();
            // In a circle one must fit behind who drives in.
            let needed = if is_in_circle { needed.max(2.0) } else { needed };
            let fits = physical.max(needed).min(f64::from(1_u32 << 28));
            report.short_free_time += u32::from(exact < TICK);
            report.storage_raised += u32::from(needed > physical);
            free_time.push(travel);
            lag.push((from_seconds(fits / capacity_vps)).saturating_sub(travel).max(TICK));
            storage.push(fits as u32);
        }
        let mut banned = columns.banned;
        banned.retain(|&(into, out)| columns.to[into.row()] == columns.from[out.row()]);
        banned.sort_unstable();
        banned.dedup();
        Ok(Self {
            from: columns.from,
            to: columns.to,
            length_m: columns.length_m,
            capacity_vps: columns.capacity_vps,
            priority,
            route_factor,
            free_time,
            lag,
            storage,
            in_circle,
            x_m: columns.x_m,
            y_m: columns.y_m,
            banned,
            report,
            city_link: (0..links as u32).map(LinkIx).collect(),
            car_link: (0..links as u32).map(CarLinkIx).collect(),
            city_node: (0..nodes).map(NodeIx).collect(),
            car_node: (0..nodes).collect(),
            reshaped: None,
        })
    }

    /// Number of links.
    #[must_use]
    pub fn links(&self) -> usize {
        self.from.len()
    }
    /// Number of nodes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.x_m.len()
    }
    /// The car node of a node of the city, if any car link touches it.
    #[must_use]
    pub fn node_of(&self, node: NodeIx) -> Option<u32> {
        self.car_node.get(node.row()).copied().filter(|&car| car != NO_NODE)
    }
    /// Free time of every link as routing weights, milliseconds, at least 1.
    #[must_use]
    pub fn free_time_ms(&self) -> Vec<u32> {
        self.free_time.iter().map(|&time| crate::time::to_ms(time).max(1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(length_m: f64, speed: f64, capacity: f64, jam: f64) -> CarNetwork {
        CarNetwork::from_columns(NetworkColumns {
            x_m: vec![0.0; 2],
            y_m: vec![0.0; 2],
            from: vec![0],
            to: vec![1],
            length_m: vec![length_m],
            speed_mps_free: vec![speed],
            capacity_vps: vec![capacity],
            jam_density_vpm: vec![jam],
            ..NetworkColumns::default()
        })
        .unwrap()
    }

    #[test]
    fn triangular_diagram_becomes_integers() {
        let network = one(1000.0, 20.0, 0.8, 0.2);
        assert_eq!((network.storage[0], network.free_time[0]), (200, 50 * TICK));
        // w = q / (kj - q / v) = 0.8 / 0.16 = 5 m/s.
        assert_eq!(network.lag[0], 200 * TICK);
        assert_eq!(network.report, NetworkReport::default());
    }

    #[test]
    fn short_links_keep_their_capacity() {
        for (length_m, capacity) in [(4.0, 0.5), (25.0, 0.5), (3.0, 2.4), (11.0, 1.7), (0.2, 0.1)] {
            let network = one(length_m, 13.9, capacity, 0.15);
            let cycle_s = f64::from(network.free_time[0] + network.lag[0]) / f64::from(TICK);
            assert!(network.free_time[0] >= TICK && network.lag[0] >= TICK);
            assert!((f64::from(network.storage[0]) / cycle_s / capacity - 1.0).abs() < 2e-3, "{length_m} {capacity}");
            assert_eq!(network.report.short_free_time, u32::from(length_m < 13.9));
        }
        assert_eq!(one(3.0, 13.9, 2.4, 0.15).report.storage_raised, 1);
    }

    #[test]
    fn bad_values_are_named() {
        let error = CarNetwork::from_columns(NetworkColumns {
            x_m: vec![0.0; 2],
            y_m: vec![0.0; 2],
            from: vec![0],
            to: vec![7],
            length_m: vec![-3.2],
            speed_mps_free: vec![f64::NAN],
            capacity_vps: vec![0.5],
            jam_density_vpm: vec![0.15],
            ..NetworkColumns::default()
        })
        .unwrap_err();
        let urbis_core::Error::Input(problems) = error else { panic!("{error}") };
        assert_eq!(problems.len(), 3);
        assert_eq!(problems.listed()[0].to_string(), "links row 1 (id 0): length_m = -3.2, expected > 0 and finite");
    }
}
