//! Whole trips out of a matrix.
//!
//! Cells are seldom whole numbers. Running along the cells, as many trips are made as whole numbers are passed by their
//! sum, which starts at a random share of one trip: each cell gives its number rounded down or up, right on average
//! over seeds, and the total is that of the matrix rounded down or up; the same holds for each origin. Departures are
//! drawn from a profile over the day, nodes from those of the zones, by draws keyed (seed, trip).
//!
//! Ignores: vehicle classes. Contract: a pure function of matrix, nodes, profile and seed.

use super::Demand;
use crate::names::Names;
use crate::network::RoadNetwork;
use crate::trips::{TripIds, Trips};
use std::path::Path;
use urbis_city::table::Table;
use urbis_core::rng::Rng;
use urbis_core::{Problem, Problems, Result};

/// Purposes of draws: the share at which the sum starts, departures and nodes.
const PURPOSE_SHARE: u32 = 0x4D54_5258;
const PURPOSE_TRIP: u32 = 0x4D54_5259;
/// What sums of fractions may be off by, trips.
const TOLERANCE: f64 = 1e-6;
/// More trips than this are taken for a mistake.
const TRIPS_MAX: f64 = 1e9;

/// When trips leave: evenly within each interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    bounds_s: Vec<f64>,
    cumulative: Vec<f64>,
}

impl Profile {
    /// Intervals between growing bounds (one more than weights), each with its weight >= 0.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] when bounds do not grow, are negative or not finite, or no weight is above zero.
    pub fn new(bounds_s: Vec<f64>, weights: &[f64]) -> Result<Self> {
        let mut sum = 0.0;
        let cumulative: Vec<f64> = weights
            .iter()
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        let grow = bounds_s.first().is_some_and(|&first| first >= 0.0)
            && bounds_s.windows(2).all(|pair| pair[0] < pair[1] && pair[1].is_finite());
        let fit = bounds_s.len() == weights.len() + 1 && weights.iter().all(|weight| *weight >= 0.0);
        if !(grow && fit && sum > 0.0 && sum.is_finite()) {
            let what = "expected growing times >= 0, one weight >= 0 between each two, and one above zero";
            return Err(Problem::file(Path::new("profile"), what).into());
        }
        Ok(Self { bounds_s, cumulative })
    }
    /// Evenly from one time to another.
    ///
    /// # Errors
    /// As [`Profile::new`].
    pub fn even(start_s: f64, end_s: f64) -> Result<Self> {
        Self::new(vec![start_s, end_s], &[1.0])
    }
    fn draw(&self, rng: &mut Rng) -> f64 {
        let interval = rng.pick_cumulative(&self.cumulative).unwrap_or(0);
        let (start_s, end_s) = (self.bounds_s[interval], self.bounds_s[interval + 1]);
        start_s + rng.uniform() * (end_s - start_s)
    }
}

/// The nodes at which trips of a zone start and end, with weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ZoneNodes {
    nodes: Vec<Vec<u32>>,
    cumulative: Vec<Vec<f64>>,
}

impl ZoneNodes {
    /// Each zone is the node of the same name, as in TNTP.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming zones with trips but without a node.
    pub fn by_name(demand: &Demand, network: &RoadNetwork) -> Result<Self> {
        let names = Names::of(&network.node_id);
        let nodes: Vec<Vec<u32>> = demand.zones.iter().map(|zone| names.get(zone).into_iter().collect()).collect();
        let cumulative = nodes.iter().map(|nodes| vec![1.0; nodes.len()]).collect();
        let help = "give a table zone, node[, weight] that says where the trips of each zone start and end";
        Self { nodes, cumulative }.checked(demand, help)
    }

    /// From a CSV table `zone, node[, weight]`.
    ///
    /// # Errors
    /// [`urbis_core::Error::Read`] when the file cannot be read; [`urbis_core::Error::Input`] with every unknown node, weight
    /// that is not > 0, and zone with trips but without a node.
    pub fn read(path: &Path, demand: &Demand, network: &RoadNetwork) -> Result<Self> {
        let table = Table::read(path)?;
        let mut problems = Problems::new();
        let columns = table.required_all(["zone", "node"], &mut problems);
        problems.or_else(())?;
        let Some([zone, node]) = columns else { return Ok(Self::default()) };
        let weight = table.optional("weight");
        let (zones, names) = (Names::of(&demand.zones), Names::of(&network.node_id));
        let mut problems = Problems::new();
        let mut result =
            Self { nodes: vec![Vec::new(); demand.zones.len()], cumulative: vec![Vec::new(); demand.zones.len()] };
        for row in table.rows() {
            let found = names.get(row.text(node));
            if found.is_none() {
                problems.push(row.problem(node, "a node of the network"));
            }
            let weight = row.optional_positive(weight, &mut problems).ok().flatten().unwrap_or(1.0);
            // Zones without trips may stand in the table too.
            let (Some(found), Some(zone)) = (found, zones.get(row.text(zone))) else { continue };
            let sum = result.cumulative[zone as usize].last().copied().unwrap_or(0.0) + weight;
            result.nodes[zone as usize].push(found);
            result.cumulative[zone as usize].push(sum);
        }
        problems.or_else(())?;
        result.checked(demand, "add a row for each of them")
    }

    fn checked(self, demand: &Demand, help: &str) -> Result<Self> {
        let mut used = vec![false; demand.zones.len()];
        for &zone in demand.origin.iter().chain(&demand.destination) {
            used[zone as usize] = true;
        }
        let without: Vec<&str> = (0..used.len())
            .filter(|&zone| used[zone] && self.nodes[zone].is_empty())
            .map(|zone| demand.zones[zone].as_str())
            .collect();
        if without.is_empty() {
            return Ok(self);
        }
        let some = without[..without.len().min(5)].join(", ");
        let what = format!("{} zones with trips have no node, e.g. {some}", without.len());
        Err(Problem::file(Path::new("zones"), what).with_help(help).into())
    }

    fn draw(&self, zone: u32, rng: &mut Rng) -> u32 {
        let zone = zone as usize;
        self.nodes[zone][rng.pick_cumulative(&self.cumulative[zone]).unwrap_or(0)]
    }
}

/// Trips of a matrix, with what was left out.
#[derive(Clone, Debug)]
pub struct DemandTrips {
    /// The trips, in order of departure.
    pub trips: Trips,
    /// Trips that start and end at the same node and so never reach the network; they are not in the table.
    pub within_node: u64,
    /// The total of the matrix.
    pub total: f64,
}

impl Demand {
    /// Whole trips, numbered from 0 in order of the cells and sorted by departure.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] when the total is above a thousand million.
    pub fn into_trips(self, nodes: &ZoneNodes, profile: &Profile, seed: u64) -> Result<DemandTrips> {
        let total = self.total();
        if total > TRIPS_MAX {
            let what = format!("stands for {total:.0} trips, expected at most {TRIPS_MAX:.0}");
            return Err(Problem::file(Path::new("demand"), what).into());
        }
        let share = Rng::new(seed, 0, 0, PURPOSE_SHARE).uniform();
        let (mut sum, mut made) = (share, 0_u32);
        let mut within_node = 0;
        let mut rows: Vec<(f64, u32, u32, u32)> = Vec::with_capacity(total as usize + 1);
        for ((&origin, &destination), &trips) in self.origin.iter().zip(&self.destination).zip(&self.trips) {
            sum += trips;
            // The share itself is below one, so its whole part is no trip.
            let whole = (sum + TOLERANCE).floor() as u32;
            for trip in made..whole {
                let mut rng = Rng::new(seed, trip, 0, PURPOSE_TRIP);
                let depart_s = profile.draw(&mut rng);
                let (from, to) = (nodes.draw(origin, &mut rng), nodes.draw(destination, &mut rng));
                if from == to {
                    within_node += 1;
                } else {
                    rows.push((depart_s, trip, from, to));
                }
            }
            made = whole.max(made);
        }
        rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let trips = Trips {
            trip_id: TripIds::Number(rows.iter().map(|row| i64::from(row.1)).collect()),
            depart_s: rows.iter().map(|row| row.0).collect(),
            from_node: rows.iter().map(|row| row.2).collect(),
            to_node: rows.iter().map(|row| row.3).collect(),
            route_ends: vec![0; rows.len()],
            route_links: Vec::new(),
            vehicle_class: Vec::new(),
        };
        Ok(DemandTrips { trips, within_node, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(nodes: usize) -> RoadNetwork {
        RoadNetwork { node_id: (0..nodes).map(|node| node.to_string()).collect(), ..RoadNetwork::default() }
    }

    fn demand(zones: usize, cells: &[(u32, u32, f64)]) -> Demand {
        let mut names = Names::default();
        for zone in 0..zones {
            names.insert(&zone.to_string());
        }
        let cells = cells.iter().map(|cell| (cell.0 % zones as u32, cell.1 % zones as u32, cell.2)).collect();
        Demand::from_cells(names, cells)
    }

    proptest! {
        #[test]
        fn totals_are_kept(
            seed: u64,
            cells in proptest::collection::vec((0..6_u32, 0..6_u32, 0.0..9.0_f64), 1..60),
        ) {
            let demand = demand(6, &cells);
            let nodes = ZoneNodes::by_name(&demand, &network(6)).unwrap();
            let profile = Profile::new(vec![0.0, 10.0, 100.0], &[1.0, 3.0]).unwrap();
            let made = demand.clone().into_trips(&nodes, &profile, seed).unwrap();
            let trips = &made.trips;
            let count = trips.depart_s.len() as f64 + made.within_node as f64;
            prop_assert!((count - demand.total()).abs() < 1.0 + 1e-6, "{} {}", count, demand.total());
            prop_assert!(trips.depart_s.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert!(trips.depart_s.iter().all(|time| (0.0..100.0).contains(time)));
            for at in 0..demand.trips.len() {
                let (from, to) = (demand.origin[at], demand.destination[at]);
                if from == to {
                    continue;
                }
                let whole = (0..trips.depart_s.len())
                    .filter(|&trip| (trips.from_node[trip], trips.to_node[trip]) == (from, to)).count() as f64;
                prop_assert!((whole - demand.trips[at]).abs() < 1.0 + 1e-6);
            }
            let again = demand.into_trips(&nodes, &profile, seed).unwrap();
            prop_assert_eq!(again.trips.depart_s, made.trips.depart_s);
        }
    }

    #[test]
    fn fractions_are_right_on_average_and_profiles_are_followed() {
        let cells = [(0, 1, 0.3), (1, 0, 0.05), (1, 2, 0.65)];
        let nodes = ZoneNodes::by_name(&demand(3, &cells), &network(3)).unwrap();
        let profile = Profile::new(vec![0.0, 10.0, 100.0], &[1.0, 3.0]).unwrap();
        let (mut counts, mut early) = ([0.0; 3], 0.0);
        for seed in 0..4000 {
            let made = demand(3, &cells).into_trips(&nodes, &profile, seed).unwrap().trips;
            assert_eq!(made.depart_s.len(), 1, "0.3 + 0.05 + 0.65 is one trip");
            counts[match (made.from_node[0], made.to_node[0]) {
                (0, _) => 0,
                (_, 0) => 1,
                _ => 2,
            }] += 1.0;
            early += f64::from(u8::from(made.depart_s[0] < 10.0));
        }
        for (count, cell) in counts.iter().zip(cells) {
            assert!((count / 4000.0 - cell.2).abs() < 0.04, "{counts:?}");
        }
        assert!((early / 4000.0 - 0.25).abs() < 0.04);
    }

    #[test]
    fn zones_need_nodes() {
        let demand = demand(3, &[(0, 2, 1.0)]);
        assert!(ZoneNodes::by_name(&demand, &network(2)).unwrap_err().to_string().contains("1 problem"));
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("zones.csv");
        std::fs::write(&path, "zone,node,weight\n0,0,1\n0,1,3\n2,2,\n9,1,1\n").unwrap();
        let nodes = ZoneNodes::read(&path, &demand, &network(3)).unwrap();
        assert_eq!(nodes.cumulative[0], [1.0, 4.0]);
        let many = Demand { trips: vec![8000.0], ..demand.clone() };
        let made = many.into_trips(&nodes, &Profile::even(0.0, 1.0).unwrap(), 5).unwrap().trips;
        let first = made.from_node.iter().filter(|&&node| node == 0).count() as f64;
        assert!((first / 8000.0 - 0.25).abs() < 0.03);
        std::fs::write(&path, "zone,node,weight\n0,7,1\n0,1,-3\n").unwrap();
        assert!(ZoneNodes::read(&path, &demand, &network(3)).unwrap_err().to_string().contains("2 problems"));
        for (bounds, weights) in [
            (vec![0.0], vec![]),
            (vec![5.0, 1.0], vec![1.0]),
            (vec![0.0, 1.0], vec![0.0]),
            (vec![-1.0, 1.0], vec![1.0]),
        ] {
            assert!(Profile::new(bounds, &weights).is_err());
        }
        let huge = Demand { trips: vec![1e12], ..demand };
        assert!(huge.into_trips(&nodes, &Profile::even(0.0, 1.0).unwrap(), 5).is_err());
    }
}
