//! Synthetic networks and demand for tests and benches: grids with staircase routes, chains, random
//! graphs. Seeded, so that every run and every machine has the same.

use crate::network::{CarNetwork, NetworkColumns};
use crate::time::{Time, from_seconds};
use urbis_core::rng::Rng;
use urbis_core::{CarLinkIx, Result};

/// Speed, capacity and jam density of every link of a synthetic network.
#[derive(Clone, Copy, Debug)]
pub struct LinkKind {
    /// Length, metres.
    pub length_m: f64,
    /// Free speed, m/s.
    pub speed_mps_free: f64,
    /// Capacity, vehicles/s.
    pub capacity_vps: f64,
    /// Jam density, vehicles/m.
    pub jam_density_vpm: f64,
}

impl LinkKind {
    /// A street of 500 m, 15 m/s, 1,800 vehicles/h and one lane.
    pub const STREET: Self = Self { length_m: 500.0, speed_mps_free: 15.0, capacity_vps: 0.5, jam_density_vpm: 0.15 };
}

/// Adds a link to columns; its row.
pub fn add_link(columns: &mut NetworkColumns, from: u32, to: u32, kind: LinkKind) -> CarLinkIx {
    columns.from.push(from);
    columns.to.push(to);
    columns.length_m.push(kind.length_m);
    columns.speed_mps_free.push(kind.speed_mps_free);
    columns.capacity_vps.push(kind.capacity_vps);
    columns.jam_density_vpm.push(kind.jam_density_vpm);
    CarLinkIx(columns.from.len() as u32 - 1)
}

/// A vehicle with a fixed route.
#[derive(Clone, Debug)]
pub struct FixedTrip {
    /// When it leaves.
    pub depart: Time,
    /// Its links.
    pub route: Vec<CarLinkIx>,
}

/// A grid of `size` x `size` nodes with a street in each direction between neighbours.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Nodes along a side.
    pub size: u32,
    /// The network; nodes row by row.
    pub network: CarNetwork,
    /// Link from a node to the east, north, west, south; `CarLinkIx::NONE` at the border.
    pub links: Vec<[CarLinkIx; 4]>,
}

impl Grid {
    /// Builds the grid.
    ///
    /// # Errors
    /// When the kind of link is not valid.
    pub fn new(size: u32, kind: LinkKind) -> Result<Self> {
        let mut columns = NetworkColumns::default();
        let mut links = vec![[CarLinkIx::NONE; 4]; (size * size) as usize];
        for y in 0..size {
            for x in 0..size {
                columns.x_m.push(f64::from(x) * kind.length_m);
                columns.y_m.push(f64::from(y) * kind.length_m);
                let node = y * size + x;
                let neighbours = [
                    (x + 1 < size).then(|| node + 1),
                    (y + 1 < size).then(|| node + size),
                    (x > 0).then(|| node.wrapping_sub(1)),
                    (y > 0).then(|| node.wrapping_sub(size)),
                ];
                for (side, to) in neighbours.into_iter().enumerate() {
                    if let Some(to) = to {
                        links[node as usize][side] = add_link(&mut columns, node, to, kind);
                    }
                }
            }
        }
        Ok(Self { size, network: CarNetwork::from_columns(columns)?, links })
    }

    /// Nodes of the grid.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        self.size * self.size
    }

    /// The route that alternates between both directions until one is used up.
    #[must_use]
    pub fn staircase(&self, from: u32, to: u32, mut along_x: bool) -> Vec<CarLinkIx> {
        let mut at = from;
        let mut route = Vec::new();
        while at != to {
            let (x, y) = (at % self.size, at / self.size);
            let (to_x, to_y) = (to % self.size, to / self.size);
            along_x = if x == to_x { false } else { along_x || y == to_y };
            let side = match (along_x, to_x > x, to_y > y) {
                (true, true, _) => 0,
                (true, false, _) => 2,
                (false, _, true) => 1,
                (false, _, false) => 3,
            };
            let link = self.links[at as usize][side];
            route.push(link);
            at = self.network.to[link.row()];
            along_x = !along_x;
        }
        route
    }

    /// Trips between random nodes at least a quarter of a side apart, departing evenly over `within_s`,
    /// in order of departure.
    #[must_use]
    pub fn staircase_trips(&self, trips: u32, within_s: f64, seed: u64) -> Vec<FixedTrip> {
        let least = f64::from(self.size) / 4.0;
        (0..trips)
            .map(|trip| {
                let mut rng = Rng::new(seed, trip, 0, 0);
                let (from, to) = loop {
                    let (from, to) = (rng.below(self.nodes()), rng.below(self.nodes()));
                    let apart =
                        (from % self.size).abs_diff(to % self.size) + (from / self.size).abs_diff(to / self.size);
                    if f64::from(apart) >= least && apart > 0 {
                        break (from, to);
                    }
                };
                FixedTrip {
                    depart: from_seconds(f64::from(trip) * within_s / f64::from(trips)),
                    route: self.staircase(from, to, rng.chance(0.5)),
                }
            })
            .collect()
    }
}

/// A strongly connected network of `nodes` random places: a ring in both directions and `extra` random
/// links, of random length, speed and capacity, with about one banned turn per eight links.
///
/// # Errors
/// Never for `nodes >= 2`; the type is that of the constructor.
pub fn random_network(nodes: u32, extra: u32, seed: u64) -> Result<CarNetwork> {
    let mut rng = Rng::new(seed, nodes, extra, 1);
    let mut columns = NetworkColumns::default();
    for _ in 0..nodes {
        columns.x_m.push(rng.uniform() * 5000.0);
        columns.y_m.push(rng.uniform() * 5000.0);
    }
    let mut pairs: Vec<(u32, u32)> =
        (0..nodes).flat_map(|node| [(node, (node + 1) % nodes), ((node + 1) % nodes, node)]).collect();
    pairs.extend((0..extra).map(|_| (rng.below(nodes), rng.below(nodes))).filter(|(from, to)| from != to));
    for (from, to) in pairs {
        let lanes = f64::from(1 + rng.below(3));
        let kind = LinkKind {
            length_m: 5.0 + rng.uniform() * 600.0,
            speed_mps_free: 5.0 + rng.uniform() * 20.0,
            capacity_vps: lanes * (0.3 + rng.uniform() * 0.3),
            jam_density_vpm: lanes * 0.15,
        };
        add_link(&mut columns, from, to, kind);
    }
    let links = columns.from.len() as u32;
    for _ in 0..links {
        let into = rng.below(links);
        let leaving: Vec<u32> = (0..links).filter(|&l| columns.from[l as usize] == columns.to[into as usize]).collect();
        let out = leaving[rng.below(leaving.len() as u32) as usize];
        // The ring stays free of bans so that every place can be reached.
        if (into >= 2 * nodes || out >= 2 * nodes) && rng.chance(0.25) {
            columns.banned.push((CarLinkIx(into), CarLinkIx(out)));
        }
    }
    CarNetwork::from_columns(columns)
}
