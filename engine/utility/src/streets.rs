//! Where cables and pipes may lie and where buildings meet them: the street graph without directions, with a joint where
//! service lines leave. Vertices are the city's nodes, then the joints; segments are stretches of street between neighbours.
//!
//! * Streets are all links but motorways and those that stand for the outside; of both directions and of near-equal
//!   doubles between two nodes one is kept.
//! * Streets that hang together but are no longer than a fragment carry nothing.
//! * A building meets the nearest place of a street; places within the joint spacing of the first of them share the
//!   place midway, those within half of it from a node share the node.
//! * Stretches that do not meet are joined to the one with most buildings by the shortest straight line between nodes,
//!   if it is short enough.

pub(crate) mod paths;

use crate::sets::Sets;
use paths::{Graph, NONE};
use urbis_city::locate::LinkLocator;
use urbis_city::model::{City, RoadClass};
use urbis_city::projection::Projection;
use urbis_core::chunks::{CHUNK_ROWS, map_chunks};

/// Lengths of segments below this are taken as this, millimetres: no line is shorter.
const SHORTEST_MM: u32 = 500;

/// What of a city's streets counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreetSettings {
    /// Service lines that meet a street within this distance along it share a joint, metres.
    pub(crate) joint_spacing_m: f64,
    /// Connected streets of less total length carry nothing, unless they are all there is, metres.
    pub(crate) fragment_m_max: f64,
    /// Stretches that do not meet are joined by a straight line up to this length, metres.
    pub(crate) joining_m_max: f64,
}

#[derive(Clone, Debug)]
struct Street {
    from: u32,
    to: u32,
    link: u32,
    length_m: f64,
    /// Easting, northing, metres.
    corners: Vec<[f64; 2]>,
}

/// A stretch of a street from one share of its line to another, or a straight joining.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    street: u32,
    from: f64,
    until: f64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streets {
    /// Easting, northing of vertices, metres.
    pub(crate) place: Vec<[f64; 2]>,
    /// Height of the ground at vertices, metres, even along a street between its ends; see [`heights_m`].
    pub(crate) height_m: Vec<f64>,
    /// Whether heights are those of the city, at some nodes at least.
    pub(crate) has_heights: bool,
    pub(crate) graph: Graph,
    /// Vertex of each building.
    pub(crate) joint: Vec<u32>,
    /// Vertices that hang together, by stretch, those with buildings only, most buildings first.
    pub(crate) supplied: Vec<Vec<u32>>,
    /// Length of the straight lines that join stretches, metres.
    pub(crate) joinings_m: Vec<f64>,
    streets: Vec<Street>,
    stretches: Vec<Stretch>,
    segments: Vec<(u32, u32, u32)>,
}

impl Streets {
    /// Of a city; `None` where it has no street.
    pub(crate) fn new(city: &City, settings: StreetSettings) -> Option<Self> {
        let mut streets = Self { streets: kept_streets(city, settings), ..Self::default() };
        if streets.streets.is_empty() {
            return None;
        }
        let nodes = &city.nodes;
        streets.place = (0..nodes.len()).map(|node| [nodes.x_m[node], nodes.y_m[node]]).collect();
        (streets.height_m, streets.has_heights) = heights_m(city);
        streets.attach(city, settings);
        streets.join(settings);
        streets.graph = Graph::new(streets.place.len(), &streets.segments);
        Some(streets)
    }

    /// Meets buildings and streets: joints and segments.
    fn attach(&mut self, city: &City, settings: StreetSettings) {
        let mut street_of_link = vec![NONE; city.links.len()];
        for (row, street) in self.streets.iter().enumerate() {
            street_of_link[street.link as usize] = row as u32;
        }
        let locator = LinkLocator::new(city, |link| street_of_link[link] != NONE);
        let table = &city.buildings;
        let found = map_chunks(table.len(), CHUNK_ROWS, |range| {
            let at = |row: usize| locator.nearest(table.x_m[row], table.y_m[row], f64::INFINITY);
            range.map(at).collect::<Vec<_>>()
        });
        let mut places: Vec<(u32, f64, u32)> = Vec::new();
        for (building, beside) in found.into_iter().flatten().enumerate() {
            let of = beside.expect("places of buildings and streets are finite");
            places.push((street_of_link[of.link.row()], of.along.clamp(0.0, 1.0), building as u32));
        }
        places.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        self.joint = vec![NONE; table.len()];
        let mut begin = 0;
        for row in 0..self.streets.len() {
            let end = begin + places[begin..].iter().take_while(|of| of.0 == row as u32).count();
            self.cut(row, &places[begin..end], settings.joint_spacing_m);
            begin = end;
        }
    }

    /// Cuts a street at the joints of the buildings along it.
    fn cut(&mut self, row: usize, places: &[(u32, f64, u32)], spacing_m: f64) {
        let Street { from, to, length_m, .. } = self.streets[row];
        let (mut last, mut last_share) = (from, 0.0);
        let mut begin = 0;
        while begin < places.len() {
            let first_m = places[begin].1 * length_m;
            let near = |of: &&(u32, f64, u32)| of.1 * length_m - first_m <= spacing_m;
            let end = begin + places[begin..].iter().take_while(near).count();
            let share = 0.5 * (places[begin].1 + places[end - 1].1);
            let (before_m, after_m) = (share * length_m, (1.0 - share) * length_m);
            let snap_m = (0.5 * spacing_m).max(0.001 * f64::from(SHORTEST_MM));
            let vertex = if before_m <= snap_m && before_m <= after_m {
                from
            } else if after_m <= snap_m {
                to
            } else {
                self.place.push(along(&self.streets[row].corners, share));
                let [at_from, at_to] = [from, to].map(|node| self.height_m[node as usize]);
                self.height_m.push(at_from + share * (at_to - at_from));
                let vertex = self.place.len() as u32 - 1;
                self.add(Some(row), last, vertex, last_share, share);
                (last, last_share) = (vertex, share);
                vertex
            };
            places[begin..end].iter().for_each(|of| self.joint[of.2 as usize] = vertex);
            begin = end;
        }
        self.add(Some(row), last, to, last_share, 1.0);
    }

    fn add(&mut self, street: Option<usize>, a: u32, b: u32, from: f64, until: f64) {
        let length_m = street.map_or_else(
            || distance(self.place[a as usize], self.place[b as usize]),
            |row| self.streets[row].length_m * (until - from),
        );
        let length_mm = (length_m * 1000.0).round().clamp(f64::from(SHORTEST_MM), f64::from(u32::MAX));
        self.segments.push((a, b, length_mm as u32));
        self.stretches.push(Stretch { street: street.map_or(NONE, |row| row as u32), from, until });
    }

    /// Joins stretches that do not meet, and lists those with buildings.
    fn join(&mut self, settings: StreetSettings) {
        let mut sets = Sets::new(self.place.len());
        self.segments.iter().for_each(|&(a, b, _)| sets.join(a, b));
        let mut buildings = vec![0_u32; self.place.len()];
        for &joint in &self.joint {
            buildings[sets.root(joint) as usize] += 1;
        }
        let mut roots: Vec<u32> = (0..self.place.len() as u32).filter(|&root| buildings[root as usize] > 0).collect();
        roots.sort_by_key(|&root| (std::cmp::Reverse(buildings[root as usize]), root));
        let mut of_root = vec![NONE; self.place.len()];
        roots.iter().enumerate().for_each(|(row, &root)| of_root[root as usize] = row as u32);
        let mut all: Vec<Vec<u32>> = vec![Vec::new(); roots.len()];
        for vertex in 0..self.place.len() as u32 {
            let row = of_root[sets.root(vertex) as usize];
            if row != NONE {
                all[row as usize].push(vertex);
            }
        }
        let mut all = all.into_iter();
        let Some(mut main) = all.next() else { return };
        let mut apart = Vec::new();
        let place = self.place.clone();
        let mut near = ByEasting::new(&place, &main);
        for vertices in all {
            let closest = vertices
                .iter()
                .filter_map(|&vertex| near.nearest(place[vertex as usize]).map(|(d, at)| (d, vertex, at)))
                .min_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
            match closest {
                Some((d, vertex, at)) if d <= settings.joining_m_max => {
                    self.add(None, vertex, at, 0.0, 1.0);
                    self.joinings_m.push(d);
                    main.extend(vertices);
                    near = ByEasting::new(&place, &main);
                }
                _ => apart.push(vertices),
            }
        }
        main.sort_unstable();
        self.supplied.push(main);
        self.supplied.append(&mut apart);
    }

    /// Line of a way of segments, each with the vertex that it leads to, from a vertex; easting, northing, metres.
    pub(crate) fn line(&self, from: u32, way: &[(u32, u32)]) -> Vec<[f64; 2]> {
        let mut line = vec![self.place[from as usize]];
        for &(segment, to) in way {
            let Stretch { street, from: begin, until } = self.stretches[segment as usize];
            if street != NONE {
                let corners = &self.streets[street as usize].corners;
                let mut inner = between(corners, begin, until);
                if self.segments[segment as usize].1 != to {
                    inner.reverse();
                }
                line.append(&mut inner);
            }
            line.push(self.place[to as usize]);
        }
        line.dedup();
        line
    }
}

/// Streets of a city that carry lines, by their nodes.
fn kept_streets(city: &City, settings: StreetSettings) -> Vec<Street> {
    let (nodes, links) = (&city.nodes, &city.links);
    let is_outside = |node: usize| nodes.external.get(node).copied().unwrap_or(false);
    let is_finite = |node: usize| nodes.x_m[node].is_finite() && nodes.y_m[node].is_finite();
    let is_street = |link: &usize| {
        let (from, to) = (links.from[*link].row(), links.to[*link].row());
        let class = links.class.get(*link).copied().unwrap_or_default();
        !matches!(class, RoadClass::Motorway | RoadClass::External)
            && !is_outside(from)
            && !is_outside(to)
            && is_finite(from)
            && is_finite(to)
            && from != to
            && links.length_m[*link].is_finite()
    };
    let mut rows: Vec<(u32, u32, usize)> = (0..links.len())
        .filter(is_street)
        .map(|link| (links.from[link].0.min(links.to[link].0), links.from[link].0.max(links.to[link].0), link))
        .collect();
    let length = |link: usize| links.length_m[link];
    rows.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(length(a.2).total_cmp(&length(b.2))).then(a.2.cmp(&b.2)));
    let mut kept: Vec<(u32, u32, usize)> = Vec::new();
    for row in rows {
        let is_double = kept
            .last()
            .is_some_and(|last| (last.0, last.1) == (row.0, row.1) && length(row.2) <= length(last.2) * 1.02 + 1.0);
        if !is_double {
            kept.push(row);
        }
    }
    let mut sets = Sets::new(nodes.len());
    kept.iter().for_each(|&(a, b, _)| sets.join(a, b));
    let mut total_m = vec![0.0; nodes.len()];
    kept.iter().for_each(|&(a, _, link)| total_m[sets.root(a) as usize] += length(link));
    let longest_m = total_m.iter().fold(0.0_f64, |most, &of| most.max(of));
    let least_m = settings.fragment_m_max.min(longest_m);
    let projection = Projection::from_code(&city.manifest.crs).ok();
    let place = |node: usize| [nodes.x_m[node], nodes.y_m[node]];
    kept.retain(|&(a, ..)| total_m[sets.root(a) as usize] >= least_m);
    let street = |&(.., link): &(u32, u32, usize)| {
        let (from, to) = (links.from[link], links.to[link]);
        let drawn = links.line.get(link).filter(|line| line.0.len() > 1).zip(projection.as_ref());
        let corners = drawn.map(|(line, projection)| {
            line.points().map(|point| projection.project(point).into()).collect::<Vec<[f64; 2]>>()
        });
        let corners = corners.filter(|of| of.iter().flatten().all(|value| value.is_finite()));
        Street {
            from: from.0,
            to: to.0,
            link: link as u32,
            length_m: length(link).max(0.0),
            corners: corners.unwrap_or_else(|| vec![place(from.row()), place(to.row())]),
        }
    };
    kept.iter().map(street).collect()
}

/// Height of the ground at each node, metres, and whether any is known. Where it is not known it is that of the nearest
/// node by links that is, the mean where no link leads there, and 0 in a city that knows none.
fn heights_m(city: &City) -> (Vec<f64>, bool) {
    let (nodes, links) = (&city.nodes, &city.links);
    let mut height_m: Vec<f64> =
        (0..nodes.len()).map(|node| nodes.elevation_m.get(node).copied().unwrap_or(f64::NAN)).collect();
    let mut reached: Vec<u32> = (0..nodes.len() as u32).filter(|&node| height_m[node as usize].is_finite()).collect();
    if reached.is_empty() {
        return (vec![0.0; nodes.len()], false);
    }
    let mean_m = reached.iter().map(|&node| height_m[node as usize]).sum::<f64>() / reached.len() as f64;
    let hops: Vec<(u32, u32, u32)> = (0..links.len()).map(|link| (links.from[link].0, links.to[link].0, 1)).collect();
    let graph = Graph::new(nodes.len(), &hops);
    let mut at = 0;
    while let Some(&node) = reached.get(at) {
        for (next, ..) in graph.arcs(node) {
            if !height_m[next as usize].is_finite() {
                height_m[next as usize] = height_m[node as usize];
                reached.push(next);
            }
        }
        at += 1;
    }
    height_m.iter_mut().filter(|of| !of.is_finite()).for_each(|of| *of = mean_m);
    (height_m, true)
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

fn length_of(corners: &[[f64; 2]]) -> f64 {
    corners.windows(2).map(|pair| distance(pair[0], pair[1])).sum()
}

/// The place at a share of a line.
fn along(corners: &[[f64; 2]], share: f64) -> [f64; 2] {
    let mut left_m = share * length_of(corners);
    for pair in corners.windows(2) {
        let piece_m = distance(pair[0], pair[1]);
        if left_m <= piece_m && piece_m > 0.0 {
            let part = left_m / piece_m;
            return [pair[0][0] + part * (pair[1][0] - pair[0][0]), pair[0][1] + part * (pair[1][1] - pair[0][1])];
        }
        left_m -= piece_m;
    }
    corners.last().copied().unwrap_or_default()
}

/// Corners of a line strictly between two shares of it.
fn between(corners: &[[f64; 2]], from: f64, until: f64) -> Vec<[f64; 2]> {
    let whole_m = length_of(corners);
    let (begin_m, end_m) = (from * whole_m + 0.01, until * whole_m - 0.01);
    let mut at_m = 0.0;
    let mut inner = Vec::new();
    for pair in corners.windows(2) {
        at_m += distance(pair[0], pair[1]);
        if at_m > begin_m && at_m < end_m {
            inner.push(pair[1]);
        }
    }
    inner
}

/// Nearest of some places, found outwards from the query's easting.
struct ByEasting<'a> {
    place: &'a [[f64; 2]],
    order: Vec<u32>,
}

impl<'a> ByEasting<'a> {
    fn new(place: &'a [[f64; 2]], vertices: &[u32]) -> Self {
        let mut order = vertices.to_vec();
        order.sort_by(|&a, &b| place[a as usize][0].total_cmp(&place[b as usize][0]).then(a.cmp(&b)));
        Self { place, order }
    }
    fn nearest(&self, at: [f64; 2]) -> Option<(f64, u32)> {
        let easting = |row: usize| self.place[self.order[row] as usize][0];
        let middle = self.order.partition_point(|&vertex| self.place[vertex as usize][0] < at[0]);
        let mut best: Option<(f64, u32)> = None;
        let mut look = |row: usize| {
            let vertex = self.order[row];
            if best.is_some_and(|(d, _)| (easting(row) - at[0]).abs() > d) {
                return false;
            }
            let d = distance(self.place[vertex as usize], at);
            if best.is_none_or(|(least, of)| d < least || (d <= least && vertex < of)) {
                best = Some((d, vertex));
            }
            true
        };
        let mut row = middle;
        while row < self.order.len() && look(row) {
            row += 1;
        }
        row = middle;
        while row > 0 && look(row - 1) {
            row -= 1;
        }
        best
    }
}
