//! How long people walk between places near each other: everything within reach of a few points, at once.
//!
//! Points are put on the nearest path, at the nearest place on it and not only at its ends; the way from the point to
//! the path is a straight line at the speed on the flat. From each point one bounded search (Dijkstra 1959) runs on the
//! walking graph, so a table says for every node which points lie within reach of it. What lies between a place and
//! the points near it is then a lookup at the ends of the place's own link, and the link itself for points on it.
//! Up and down are different speeds ([`crate::slope`]), so the way there and the way back have a table each.
//!
//! Tunnels are walked through but have no places beside them. A way that leaves a link and comes back to it counts
//! where it is faster than along the link.
//! Ignored: waiting at crossings, crowding, doors and floors of buildings.
//! Contract: integer milliseconds; searches run in parallel, tables do not depend on threads.

use crate::slope::FlatSpeeds;
use crate::slow_modes::{SlowLinks, SlowMode};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use urbis_city::locate::LinkLocator;
use urbis_city::model::City;
use urbis_core::csr::Csr;

/// Farthest that a point may lie from a path, metres: half of a large block.
pub const BESIDE_MAX_M: f64 = 250.0;

/// No link back.
const NONE: u32 = u32::MAX;
/// Not reached.
const FAR: u32 = u32::MAX;

/// Which way people walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From anywhere to the points.
    ToPoints,
    /// From the points to anywhere.
    FromPoints,
}

/// A point on the paths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnPath {
    link: u32,
    /// Share of the link before it.
    along: f64,
    /// Time from the point to the path, milliseconds.
    away_ms: u32,
}

/// The walking graph of a city, to search around points.
#[derive(Debug)]
pub struct WalkReach {
    links: SlowLinks,
    /// The link of the same two nodes the other way, or [`NONE`].
    back: Vec<u32>,
    out: Csr<(u32, u32)>,
    into: Csr<(u32, u32)>,
    locator: LinkLocator,
    flat_mps: f64,
}

/// Points within reach of every node, in one direction.
#[derive(Debug)]
pub struct ReachTable {
    direction: Direction,
    limit_ms: u32,
    points: Vec<Option<OnPath>>,
    /// By node: (point, milliseconds), by rising point.
    of_node: Csr<(u32, u32)>,
    /// (link, point) of the points on the paths, sorted.
    on_link: Vec<(u32, u32)>,
}

/// Working memory of a search.
struct Scratch {
    reached_ms: Vec<u32>,
    touched: Vec<u32>,
    queue: BinaryHeap<Reverse<(u32, u32)>>,
}

impl WalkReach {
    /// The walking graph of a city; `None` where it has no paths.
    #[must_use]
    pub fn new(city: &City, flat: FlatSpeeds) -> Option<Self> {
        let links = SlowLinks::of_city(city, SlowMode::Walk, flat);
        if links.ends.is_empty() {
            return None;
        }
        let nodes = links.x_m.len();
        let pairs = |of: &dyn Fn((u32, u32)) -> (u32, u32)| {
            let arc = |(&ends, &ms): (&(u32, u32), &u32)| (of(ends).0, (of(ends).1, ms));
            Csr::from_pairs(nodes, &links.ends.iter().zip(&links.cost_ms).map(arc).collect::<Vec<_>>())
        };
        let (out, into) = (pairs(&|ends| ends), pairs(&|(from, to)| (to, from)));
        let back = links_back(&links);
        // Of the two ways along a path one is enough to lie on.
        let mut lies_beside = vec![false; city.links.len()];
        for (row, link) in links.city_link.iter().enumerate() {
            let is_tunnel = city.links.tunnel.get(link.row()).is_some_and(|&is| is);
            lies_beside[link.row()] = !is_tunnel && (back[row] == NONE || row < back[row] as usize);
        }
        let locator = LinkLocator::new(city, |link| lies_beside[link]);
        Some(Self { links, back, out, into, locator, flat_mps: flat.walk_mps })
    }

    /// A point put on the nearest path; `None` farther than [`BESIDE_MAX_M`] from any, or without a position.
    #[must_use]
    pub fn put(&self, x_m: f64, y_m: f64) -> Option<OnPath> {
        let beside = self.locator.nearest(x_m, y_m, BESIDE_MAX_M)?;
        let link = self.links.city_link.binary_search(&beside.link).ok()? as u32;
        let away_ms = (beside.away_m / self.flat_mps * 1000.0).round() as u32;
        Some(OnPath { link, along: beside.along, away_ms })
    }

    /// The points within reach of every node: those to which people walk from there, or from which they walk there, in
    /// at most so many milliseconds.
    #[must_use]
    pub fn table(&self, points: &[Option<OnPath>], direction: Direction, limit_ms: u32) -> ReachTable {
        let reached: Vec<Vec<(u32, u32)>> = points
            .par_iter()
            .map_init(
                || Scratch::new(self.links.x_m.len()),
                |scratch, point| point.map_or_else(Vec::new, |point| self.search(&point, direction, limit_ms, scratch)),
            )
            .collect();
        let rows = (0_u32..).zip(&reached);
        let pairs: Vec<(u32, (u32, u32))> =
            rows.flat_map(|(point, nodes)| nodes.iter().map(move |&(node, ms)| (node, (point, ms)))).collect();
        drop(reached);
        let of_node = Csr::from_pairs(self.links.x_m.len(), &pairs);
        let rows = (0_u32..).zip(points);
        let mut on_link: Vec<(u32, u32)> = rows.filter_map(|(row, of)| of.map(|of| (of.link, row))).collect();
        on_link.sort_unstable();
        ReachTable { direction, limit_ms, points: points.to_vec(), of_node, on_link }
    }

    /// The points of a table within reach of a place in at most so many milliseconds: (point, milliseconds), by point.
    /// More than the table's own limit finds no more than that does.
    pub fn near(&self, place: &OnPath, table: &ReachTable, limit_ms: u32, found: &mut Vec<(u32, u32)>) {
        found.clear();
        let limit_ms = limit_ms.min(table.limit_ms);
        let leaves = table.direction == Direction::ToPoints;
        for (node, ms) in self.ends(place, leaves).into_iter().flatten() {
            let of_node = table.of_node.row(node as usize).iter();
            found.extend(of_node.map(|&(point, more)| (point, ms.saturating_add(more))));
        }
        let first = table.on_link.partition_point(|&(link, _)| link < place.link);
        for &(_, row) in table.on_link[first..].iter().take_while(|(link, _)| *link == place.link) {
            let Some(point) = table.points[row as usize] else { continue };
            let (from, to) = if leaves { (place, &point) } else { (&point, place) };
            if let Some(ms) = self.along_ms(from, to) {
                found.push((row, ms.saturating_add(place.away_ms).saturating_add(point.away_ms)));
            }
        }
        found.retain(|&(_, ms)| ms <= limit_ms);
        found.sort_unstable();
        found.dedup_by_key(|(point, _)| *point);
    }

    /// The nodes at the ends of a point's path, and the time there from the point, or from there to the point.
    fn ends(&self, point: &OnPath, leaves: bool) -> [Option<(u32, u32)>; 2] {
        let OnPath { link, along, away_ms } = *point;
        let (from, to) = self.links.ends[link as usize];
        let share =
            |link: u32, share: f64| (f64::from(self.links.cost_ms[link as usize]) * share).round() as u32 + away_ms;
        let back = self.back[link as usize];
        let by_back = |node: u32, of: f64| (back != NONE).then(|| (node, share(back, of)));
        if leaves {
            [Some((to, share(link, 1.0 - along))), by_back(from, along)]
        } else {
            [Some((from, share(link, along))), by_back(to, 1.0 - along)]
        }
    }

    /// Time along the link of two points on it, milliseconds; `None` against a link that goes one way only.
    fn along_ms(&self, from: &OnPath, to: &OnPath) -> Option<u32> {
        let link = if from.along <= to.along { from.link } else { self.back[from.link as usize] };
        let cost_ms = self.links.cost_ms.get(link as usize)?;
        Some((f64::from(*cost_ms) * (from.along - to.along).abs()).round() as u32)
    }

    /// Nodes from which the point, or which from the point, is reached in time: (node, milliseconds).
    fn search(&self, point: &OnPath, direction: Direction, limit_ms: u32, scratch: &mut Scratch) -> Vec<(u32, u32)> {
        let leaves = direction == Direction::FromPoints;
        let arcs = if leaves { &self.out } else { &self.into };
        for (node, ms) in self.ends(point, leaves).into_iter().flatten() {
            scratch.reach(node, ms, limit_ms);
        }
        let mut reached = Vec::new();
        while let Some(Reverse((ms, node))) = scratch.queue.pop() {
            if ms > scratch.reached_ms[node as usize] {
                continue;
            }
            reached.push((node, ms));
            for &(next, more) in arcs.row(node as usize) {
                scratch.reach(next, ms.saturating_add(more), limit_ms);
            }
        }
        scratch.touched.drain(..).for_each(|node| scratch.reached_ms[node as usize] = FAR);
        reached
    }
}

impl Scratch {
    fn new(nodes: usize) -> Self {
        Self { reached_ms: vec![FAR; nodes], touched: Vec::new(), queue: BinaryHeap::new() }
    }

    fn reach(&mut self, node: u32, ms: u32, limit_ms: u32) {
        let of = &mut self.reached_ms[node as usize];
        if ms <= limit_ms && ms < *of {
            if *of == FAR {
                self.touched.push(node);
            }
            *of = ms;
            self.queue.push(Reverse((ms, node)));
        }
    }
}

impl ReachTable {
    /// Pairs of a node and a point within reach.
    #[must_use]
    pub fn len(&self) -> usize {
        self.of_node.values().len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of_node.values().is_empty()
    }
}

/// For each link one that leads back between its two nodes: of several, the shortest belong together.
fn links_back(links: &SlowLinks) -> Vec<u32> {
    let key = |&row: &u32| {
        let (from, to) = links.ends[row as usize];
        (from.min(to), from.max(to), links.length_m[row as usize].to_bits(), row)
    };
    let mut order: Vec<u32> = (0..links.ends.len() as u32).collect();
    order.sort_unstable_by_key(key);
    let mut back = vec![NONE; order.len()];
    for of_pair in order.chunk_by(|a, b| (key(a).0, key(a).1) == (key(b).0, key(b).1)) {
        let leads_up = |row: &&u32| links.ends[**row as usize].0 < links.ends[**row as usize].1;
        let leads_down = |row: &&u32| links.ends[**row as usize].0 > links.ends[**row as usize].1;
        for (&up, &down) in of_pair.iter().filter(leads_up).zip(of_pair.iter().filter(leads_down)) {
            (back[up as usize], back[down as usize]) = (down, up);
        }
    }
    back
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slope::walk_mps;
    use urbis_city::model::{Links, Modes, Nodes};
    use urbis_core::NodeIx;
    use urbis_core::rng::Rng;

    fn city(nodes: &[(f64, f64, f64)], paths: &[(u32, u32)]) -> City {
        let mut city = City {
            nodes: Nodes {
                id: nodes.iter().map(|_| String::new()).collect(),
                x_m: nodes.iter().map(|of| of.0).collect(),
                y_m: nodes.iter().map(|of| of.1).collect(),
                elevation_m: nodes.iter().map(|of| of.2).collect(),
                ..Nodes::default()
            },
            ..City::default()
        };
        for (a, b) in paths.iter().flat_map(|&(a, b)| [(a, b), (b, a)]) {
            let (from, to) = (nodes[a as usize], nodes[b as usize]);
            let Links { id, from: tails, to: heads, length_m, modes, .. } = &mut city.links;
            id.push(String::new());
            tails.push(NodeIx(a));
            heads.push(NodeIx(b));
            length_m.push((from.0 - to.0).hypot(from.1 - to.1));
            modes.push(Modes::WALK);
        }
        city
    }

    fn seconds(reach: &WalkReach, table: &ReachTable, place: (f64, f64)) -> Vec<(u32, f64)> {
        let mut found = Vec::new();
        reach.near(&reach.put(place.0, place.1).unwrap(), table, u32::MAX, &mut found);
        found.into_iter().map(|(point, ms)| (point, f64::from(ms) / 1000.0)).collect()
    }

    /// Two banks of a river, 100 m apart, and one bridge at the far end.
    #[test]
    fn over_the_bridge_or_not_at_all() {
        let banks = [(0.0, 0.0, 0.0), (500.0, 0.0, 0.0), (0.0, 100.0, 0.0), (500.0, 100.0, 0.0)];
        let city = city(&banks, &[(0, 1), (2, 3), (1, 3)]);
        let flat = FlatSpeeds::default();
        let reach = WalkReach::new(&city, flat).unwrap();
        // Across the river, and on the same bank 10 m beside the path.
        let stops = [reach.put(100.0, 100.0), reach.put(50.0, -10.0), reach.put(0.0, 900.0)];
        assert_eq!(stops[2], None, "too far from any path");
        let near = |limit_s: u32| {
            let table = reach.table(&stops, Direction::ToPoints, limit_s * 1000);
            seconds(&reach, &table, (100.0, 0.0))
        };
        let found = near(900);
        assert!((found[0].1 - 900.0 / flat.walk_mps).abs() < 0.01, "400 m, the bridge, 400 m: {found:?}");
        assert!((found[1].1 - 60.0 / flat.walk_mps).abs() < 0.01, "along the link, not round its ends: {found:?}");
        assert_eq!(near(600).iter().map(|of| of.0).collect::<Vec<_>>(), [1], "the other bank is too far on foot");
    }

    #[test]
    fn up_is_not_down() {
        let city = city(&[(0.0, 0.0, 0.0), (200.0, 0.0, 20.0), (400.0, 0.0, 20.0)], &[(0, 1), (1, 2)]);
        let reach = WalkReach::new(&city, FlatSpeeds::default()).unwrap();
        let stops = [reach.put(0.0, 0.0), reach.put(400.0, 0.0), reach.put(50.0, 0.0)];
        let flat_s = 200.0 / FlatSpeeds::default().walk_mps;
        let slope_s = |metres: f64, slope: f64| metres / walk_mps(slope, FlatSpeeds::default().walk_mps);
        let [to, from] = [Direction::ToPoints, Direction::FromPoints].map(|way| {
            let table = reach.table(&stops, way, 3_600_000);
            // From half way up.
            seconds(&reach, &table, (100.0, 0.0)).into_iter().map(|(_, seconds)| seconds).collect::<Vec<_>>()
        });
        let expected_to = [slope_s(100.0, -0.1), slope_s(100.0, 0.1) + flat_s, slope_s(50.0, -0.1)];
        let expected_from = [slope_s(100.0, 0.1), slope_s(100.0, -0.1) + flat_s, slope_s(50.0, 0.1)];
        for (found, expected) in to.iter().zip(expected_to).chain(from.iter().zip(expected_from)) {
            assert!((found - expected).abs() < 0.01, "{to:?} {from:?}");
        }
        assert!(to[0] < from[0] && to[1] > from[1]);
    }

    /// Every pair of points in a hilly grid with holes, against Floyd's all-pairs distances over nodes and the ends of
    /// both points' links.
    #[test]
    fn tables_equal_all_pairs_on_any_number_of_threads() {
        const SIDE: u32 = 7;
        let mut rng = Rng::new(5, 0, 0, 0);
        let nodes: Vec<(f64, f64, f64)> = (0..SIDE * SIDE)
            .map(|of| {
                let (x, y) = (f64::from(of % SIDE) * 100.0, f64::from(of / SIDE) * 100.0);
                (x + 20.0 * rng.uniform(), y + 20.0 * rng.uniform(), 30.0 * rng.uniform())
            })
            .collect();
        let mut paths = Vec::new();
        for of in 0..SIDE * SIDE {
            for (next, is_there) in [(of + 1, of % SIDE + 1 < SIDE), (of + SIDE, of / SIDE + 1 < SIDE)] {
                if is_there && rng.chance(0.8) {
                    paths.push((of, next));
                }
            }
        }
        let city = city(&nodes, &paths);
        let reach = WalkReach::new(&city, FlatSpeeds::default()).unwrap();
        let count = nodes.len();
        // City nodes that no path touches are not in the graph.
        let inside = reach.links.x_m.len();
        let mut apart = vec![u64::from(u32::MAX); inside * inside];
        (0..inside).for_each(|of| apart[of * inside + of] = 0);
        for (&(from, to), &ms) in reach.links.ends.iter().zip(&reach.links.cost_ms) {
            apart[from as usize * inside + to as usize] = u64::from(ms);
        }
        for by in 0..inside {
            for from in 0..inside {
                for to in 0..inside {
                    let round = apart[from * inside + by] + apart[by * inside + to];
                    apart[from * inside + to] = apart[from * inside + to].min(round);
                }
            }
        }
        assert!(inside <= count && inside > 40);
        let points: Vec<Option<OnPath>> =
            (0..60).map(|_| reach.put(700.0 * rng.uniform() - 20.0, 700.0 * rng.uniform() - 20.0)).collect();
        let limit_ms = 400_000;
        let walk_ms = |from: &OnPath, to: &OnPath| {
            let mut least = u64::MAX;
            for (a, before) in reach.ends(from, true).into_iter().flatten() {
                for (b, after) in reach.ends(to, false).into_iter().flatten() {
                    least = least.min(u64::from(before) + apart[a as usize * inside + b as usize] + u64::from(after));
                }
            }
            if from.link == to.link
                && let Some(ms) = reach.along_ms(from, to)
            {
                least = least.min(u64::from(ms) + u64::from(from.away_ms) + u64::from(to.away_ms));
            }
            least
        };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                [Direction::ToPoints, Direction::FromPoints].map(|way| {
                    let table = reach.table(&points, way, limit_ms);
                    let mut found = Vec::new();
                    let near = |place: &Option<OnPath>| {
                        reach.near(&place.unwrap(), &table, limit_ms, &mut found);
                        found.clone()
                    };
                    points.iter().map(near).collect::<Vec<_>>()
                })
            })
        };
        let tables = on(1);
        let mut pairs = 0;
        for (place, of_place) in points.iter().enumerate() {
            let of_place = of_place.unwrap();
            for (nth, way) in tables.iter().enumerate() {
                let expected: Vec<(u32, u32)> = (0_u32..)
                    .zip(&points)
                    .map(|(row, point)| {
                        let point = point.unwrap();
                        (row, if nth == 0 { walk_ms(&of_place, &point) } else { walk_ms(&point, &of_place) })
                    })
                    .filter(|&(_, ms)| ms <= u64::from(limit_ms))
                    .map(|(row, ms)| (row, ms as u32))
                    .collect();
                assert_eq!(way[place], expected, "place {place}, way {nth}");
                pairs += expected.len();
            }
        }
        assert!(pairs > 1000 && pairs < 60 * 60 * 2, "{pairs} pairs within reach");
        assert!([2, 3, 8].iter().all(|&threads| on(threads) == tables));
    }
}
