//! Ways cut into pieces between vertices. A vertex is the end of a way, a node that ways share, or a
//! node that must stay: signals and signs, via nodes of restrictions, gateways, barriers.
//!
//! Ways break where the extract lacks a node and, with a clip area, where a node lies outside. A piece
//! that starts and ends at one vertex is cut at its middle node, so that no link is a loop. A barrier
//! that stops cars closes the shorter of the two segments beside it to cars, so that the street stays
//! reachable from both ends.
//!
//! Ignores: crossings without a shared node (they are bridges or errors), layers.
//! Contract: sequential over ways in order of ids, projection in constant chunks; the same result for
//! any number of threads.

use crate::model::Modes;
use crate::osm::OsmExtract;
use crate::projection::Projection;
use crate::road_access::{self, Direction, RoadWay, Style};
use crate::road_defaults::RoadRules;
use crate::roads::RoadReport;
use geo::{BoundingRect, Contains, Coord, MultiPolygon, Rect};
use std::collections::{BTreeMap, BTreeSet};
use urbis_core::chunks::map_chunks;

/// Shortest length of a piece, metres: two nodes on one spot still need a link of some length.
const LENGTH_M_MIN: f64 = 0.01;

/// A piece of road between two vertices. Nodes are rows of the extract; external nodes follow them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edge {
    /// At least two; the first and the last are vertices and differ.
    pub(crate) nodes: Vec<u32>,
    pub(crate) length_m: f64,
    /// Row of the styles.
    pub(crate) style: u32,
    pub(crate) forward: Direction,
    pub(crate) backward: Direction,
    /// Ways at both ends; they differ after merging. 0 for connectors.
    pub(crate) way_first: i64,
    pub(crate) way_last: i64,
}

impl Edge {
    pub(crate) fn from(&self) -> u32 {
        self.nodes[0]
    }
    pub(crate) fn to(&self) -> u32 {
        self.nodes[self.nodes.len() - 1]
    }
    pub(crate) fn modes(&self) -> Modes {
        self.forward.modes.union(self.backward.modes)
    }
    /// The same piece seen from its other end.
    pub(crate) fn reversed(mut self) -> Self {
        self.nodes.reverse();
        std::mem::swap(&mut self.forward, &mut self.backward);
        std::mem::swap(&mut self.way_first, &mut self.way_last);
        self
    }
}

/// The network before merging.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    pub(crate) edges: Vec<Edge>,
    pub(crate) styles: Vec<Style>,
    /// Easting, northing by node row; NaN for nodes of no road.
    pub(crate) xy_m: Vec<(f64, f64)>,
    /// Nodes that merging must leave alone.
    pub(crate) protected: Vec<bool>,
}

/// A run of nodes of one way that all exist and lie inside.
struct Chain {
    way: i64,
    road: u32,
    rows: Vec<u32>,
}

pub(crate) fn cut(
    extract: &OsmExtract,
    projection: &Projection,
    rules: &RoadRules,
    clip: Option<&MultiPolygon>,
    protected_ids: &BTreeSet<i64>,
    report: &mut RoadReport,
) -> Pieces {
    let mut roads: Vec<RoadWay> = Vec::new();
    let mut ways: Vec<(i64, u32, Vec<Option<u32>>)> = Vec::new();
    let row_of = |id: &i64| extract.nodes.binary_search_by_key(id, |node| node.id).ok().map(|row| row as u32);
    for way in &extract.ways {
        let Some(highway) = way.tags.get("highway") else { continue };
        let Some(road) = road_access::read(&way.tags, rules) else {
            *report.ways_excluded.entry(highway.to_owned()).or_default() += 1;
            continue;
        };
        report.ways_used += 1;
        report.ways_closed_to_cars += usize::from(road.car_excluded);
        report.ways_reversible += usize::from(road.reversible);
        let rows: Vec<Option<u32>> = way.refs.iter().map(row_of).collect();
        report.cut_refs += rows.iter().filter(|row| row.is_none()).count();
        ways.push((way.id, roads.len() as u32, rows));
        roads.push(road);
    }
    let mut used: Vec<u32> = ways.iter().flat_map(|(_, _, rows)| rows.iter().flatten().copied()).collect();
    used.sort_unstable();
    used.dedup();
    let inside = inside_clip(extract, &used, clip);
    let chains = chains(&ways, &inside, report);

    let mut xy_m = vec![(f64::NAN, f64::NAN); extract.nodes.len()];
    let projected = map_chunks(used.len(), 4096, |range| {
        used[range].iter().map(|&row| projection.project(extract.nodes[row as usize].point())).collect::<Vec<_>>()
    });
    for (&row, xy) in used.iter().zip(projected.into_iter().flatten()) {
        xy_m[row as usize] = xy;
    }

    let mut vertex = vec![0_u8; extract.nodes.len()];
    let mut protected = vec![false; extract.nodes.len()];
    for chain in &chains {
        let last = chain.rows.len() - 1;
        for (at, &row) in chain.rows.iter().enumerate() {
            let count = &mut vertex[row as usize];
            *count = count.saturating_add(if at == 0 || at == last { 2 } else { 1 });
        }
    }
    for row in protected_ids.iter().filter_map(row_of) {
        vertex[row as usize] = 2;
        protected[row as usize] = true;
    }
    for &row in &used {
        let control = crate::road_control::tagged(&extract.nodes[row as usize].tags);
        if control.is_some() {
            vertex[row as usize] = 2;
        }
    }
    let closed = barriers(extract, &chains, &roads, &xy_m, &mut vertex, report);

    let mut styles: BTreeMap<&Style, u32> = roads.iter().map(|road| (&road.style, 0)).collect();
    styles.values_mut().enumerate().for_each(|(row, number)| *number = row as u32);
    let mut edges = Vec::new();
    for (number, chain) in chains.iter().enumerate() {
        let road = &roads[chain.road as usize];
        let mut start = 0;
        for at in 1..chain.rows.len() {
            if vertex[chain.rows[at] as usize] < 2 {
                continue;
            }
            let (mut forward, mut backward) = (road.forward, road.backward);
            if (start..at).any(|segment| closed.contains(&(number as u32, segment as u32))) {
                for direction in [&mut forward, &mut backward] {
                    direction.modes = direction.modes.without(Modes::CAR);
                    direction.close_to_cars_unless_open(rules);
                }
            }
            let rows = &chain.rows[start..=at];
            let middle = if rows[0] == rows[rows.len() - 1] { rows.len() / 2 } else { rows.len() - 1 };
            report.loops_cut += usize::from(middle + 1 < rows.len());
            for nodes in [&rows[..=middle], &rows[middle..]] {
                if nodes.len() > 1 {
                    edges.push(Edge {
                        nodes: nodes.to_vec(),
                        length_m: length_m(nodes, &xy_m),
                        style: styles[&road.style],
                        forward,
                        backward,
                        way_first: chain.way,
                        way_last: chain.way,
                    });
                }
            }
            start = at;
        }
    }
    edges.retain(|edge| edge.modes() != Modes::default());
    tagged_shares(&edges, &ways, &roads, report);
    Pieces { edges, styles: styles.into_keys().cloned().collect(), xy_m, protected }
}

/// Planar length along nodes, metres; at least [`LENGTH_M_MIN`].
fn length_m(nodes: &[u32], xy_m: &[(f64, f64)]) -> f64 {
    let place = |row: u32| xy_m[row as usize];
    let step = |pair: &[u32]| (place(pair[1]).0 - place(pair[0]).0).hypot(place(pair[1]).1 - place(pair[0]).1);
    nodes.windows(2).map(step).sum::<f64>().max(LENGTH_M_MIN)
}

/// By position in `used`, as a column over all nodes: whether a node may be kept.
fn inside_clip(extract: &OsmExtract, used: &[u32], clip: Option<&MultiPolygon>) -> Vec<bool> {
    let Some(clip) = clip else { return vec![true; extract.nodes.len()] };
    let mut inside = vec![false; extract.nodes.len()];
    let boxes: Vec<Option<Rect>> = clip.0.iter().map(BoundingRect::bounding_rect).collect();
    let near = |rect: &Option<Rect>, c: Coord| {
        rect.is_some_and(|r| r.min().x <= c.x && c.x <= r.max().x && r.min().y <= c.y && c.y <= r.max().y)
    };
    let found = map_chunks(used.len(), 1024, |range| {
        let test = |&row: &u32| {
            let point = extract.nodes[row as usize].point();
            clip.0.iter().zip(&boxes).any(|(polygon, rect)| near(rect, point.0) && polygon.contains(&point))
        };
        used[range].iter().map(test).collect::<Vec<bool>>()
    });
    for (&row, is_inside) in used.iter().zip(found.into_iter().flatten()) {
        inside[row as usize] = is_inside;
    }
    inside
}

fn chains(ways: &[(i64, u32, Vec<Option<u32>>)], inside: &[bool], report: &mut RoadReport) -> Vec<Chain> {
    let mut chains = Vec::new();
    for (way, road, rows) in ways {
        let mut current: Vec<u32> = Vec::new();
        for row in rows.iter().copied().chain([None]) {
            match row.filter(|&row| inside[row as usize]) {
                Some(row) if current.last() == Some(&row) => {}
                Some(row) => current.push(row),
                None => {
                    report.nodes_clipped += usize::from(row.is_some());
                    let rows = std::mem::take(&mut current);
                    if rows.len() > 1 {
                        chains.push(Chain { way: *way, road: *road, rows });
                    }
                }
            }
        }
    }
    chains
}

/// Segments (chain, position of their first node) that barriers close to cars; their ends become
/// vertices. A barrier where more than two car segments meet is taken for an error of the map.
fn barriers(
    extract: &OsmExtract,
    chains: &[Chain],
    roads: &[RoadWay],
    xy_m: &[(f64, f64)],
    vertex: &mut [u8],
    report: &mut RoadReport,
) -> BTreeSet<(u32, u32)> {
    let carries_cars = |chain: &Chain| {
        let road = &roads[chain.road as usize];
        road.forward.modes.union(road.backward.modes).contains(Modes::CAR)
    };
    let stops = |row: u32| road_access::barrier_stops_cars(&extract.nodes[row as usize].tags);
    let mut beside: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    for (number, chain) in chains.iter().enumerate().filter(|(_, chain)| carries_cars(chain)) {
        for (at, &row) in chain.rows.iter().enumerate() {
            if stops(row) {
                let segments = beside.entry(row).or_default();
                segments.extend((at > 0).then(|| (number as u32, at as u32 - 1)));
                segments.extend((at + 1 < chain.rows.len()).then_some((number as u32, at as u32)));
            }
        }
    }
    let ends = |&(chain, at): &(u32, u32)| {
        let rows = &chains[chain as usize].rows;
        [rows[at as usize], rows[at as usize + 1]]
    };
    let mut closed = BTreeSet::new();
    for segments in beside.values().filter(|segments| segments.len() <= 2) {
        let shortest = segments.iter().min_by(|a, b| length_m(&ends(a), xy_m).total_cmp(&length_m(&ends(b), xy_m)));
        if let Some(segment) = shortest {
            ends(segment).iter().for_each(|&row| vertex[row as usize] = 2);
            closed.insert(*segment);
            report.barriers += 1;
        }
    }
    closed
}

/// How much of the car network's length has lanes and speed from tags.
fn tagged_shares(edges: &[Edge], ways: &[(i64, u32, Vec<Option<u32>>)], roads: &[RoadWay], report: &mut RoadReport) {
    let (mut total, mut speed, mut lanes) = (0.0, 0.0, 0.0);
    for edge in edges.iter().filter(|edge| edge.modes().contains(Modes::CAR)) {
        let Ok(at) = ways.binary_search_by_key(&edge.way_first, |(id, ..)| *id) else { continue };
        let road = &roads[ways[at].1 as usize];
        total += edge.length_m;
        speed += if road.speed_tagged { edge.length_m } else { 0.0 };
        lanes += if road.lanes_tagged { edge.length_m } else { 0.0 };
    }
    if total > 0.0 {
        report.speed_tagged_share = speed / total;
        report.lanes_tagged_share = lanes / total;
    }
}
