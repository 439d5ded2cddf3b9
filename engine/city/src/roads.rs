//! The road graph of an OpenStreetMap extract: directed links for cars, bicycles and people on foot.
//!
//! In order: ways become pieces (`road_access`, `road_pieces`), signals move to the junctions they
//! control (`road_control`), connectors join the external nodes ([`crate::gateways`]), each mode keeps
//! its longest strongly connected part (`components`), nodes without meaning disappear (`road_merge`),
//! pieces become links with capacity and jam density ([`crate::road_defaults`]), restrictions become
//! banned pairs of links (`road_turns`). What is dropped, guessed or skipped is in [`RoadReport`].
//!
//! Ignores: ferries, conditional tags, restrictions when it looks for connected parts, heights (left
//! NaN) and zones (left empty) for later steps. Contract: equal extracts, rules and gateways give equal
//! tables, on any number of threads; rows are in order of numeric ids, external nodes last.

use crate::gateways::Gateways;
use crate::model::{Links, Modes, NodeControl, Nodes, RoadClass, Turns};
use crate::osm::OsmExtract;
use crate::projection::Projection;
use crate::road_access::{Direction, Style};
use crate::road_defaults::RoadRules;
use crate::road_pieces::{self, Edge, Pieces};
use crate::road_turns::{self, TurnLink};
use crate::{components, road_control, road_merge};
use geo::{Coord, LineString, MultiPolygon, Point};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use urbis_core::units::MetresPerSecond;
use urbis_core::{NodeIx, Problem, Problems, Result, ZoneIx};

/// What a road graph is made from.
#[derive(Clone, Copy, Debug)]
pub struct RoadInput<'a> {
    /// The file of the extract, for messages.
    pub path: &'a Path,
    /// The extract.
    pub extract: &'a OsmExtract,
    /// Reference system of lengths.
    pub projection: &'a Projection,
    /// Figures where tags are silent.
    pub rules: &'a RoadRules,
    /// Keep only what lies inside, by node; degrees.
    pub clip: Option<&'a MultiPolygon>,
    /// Roads that lead out of the area.
    pub gateways: Option<&'a Gateways>,
}

/// Nodes, links and turns of a city, and how they came about. Zones are [`ZoneIx::NONE`] and elevations
/// NaN.
#[derive(Clone, Debug, Default)]
pub struct RoadGraph {
    /// Nodes by numeric id, external ones last.
    pub nodes: Nodes,
    /// Directed links by way and nodes, connectors last.
    pub links: Links,
    /// Banned pairs of links.
    pub turns: Turns,
    /// What was kept, dropped, guessed.
    pub report: RoadReport,
}

/// Kilometres of one mode. Both directions of a street count; connectors do not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ModeReport {
    /// Directed links kept.
    pub links: usize,
    /// Directed length kept.
    pub km_kept: f64,
    /// Directed length outside the connected part.
    pub km_dropped: f64,
    /// `km_kept` as a share of both; 1 where there is none.
    pub connected_share: f64,
    /// Strongly connected parts with any length.
    pub parts: usize,
}

/// What an import kept, dropped and guessed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RoadReport {
    /// Ways that carry some mode.
    pub ways_used: usize,
    /// Ways that carry none, by value of `highway`.
    pub ways_excluded: BTreeMap<String, usize>,
    /// Ways of a class that carries cars, closed to them by access tags.
    pub ways_closed_to_cars: usize,
    /// Ways whose direction changes with time, taken as one-way forward.
    pub ways_reversible: usize,
    /// References to nodes that the extract lacks; ways are cut there.
    pub cut_refs: usize,
    /// References to nodes outside the clip area; ways are cut there.
    pub nodes_clipped: usize,
    /// Loops cut at a middle node.
    pub loops_cut: usize,
    /// Barriers that close a segment to cars.
    pub barriers: usize,
    /// Signals and signs moved to the junction they control.
    pub controls_moved: usize,
    /// Nodes with signals in the result.
    pub signals: usize,
    /// Nodes merged away.
    pub nodes_merged: usize,
    /// Share of car length with a tagged speed.
    pub speed_tagged_share: f64,
    /// Share of car length with tagged lanes.
    pub lanes_tagged_share: f64,
    /// By name of the mode.
    pub modes: BTreeMap<String, ModeReport>,
    /// Connected share of the car network if the gateways were shut.
    pub car_connected_share_without_gateways: f64,
    /// Gateways joined to an external node.
    pub gateways: usize,
    /// Gateways in the table whose road end is cut off from the connected part even so.
    pub gateways_unused: usize,
    /// Turn restrictions in force.
    pub restrictions_used: usize,
    /// Turn restrictions without effect, by reason.
    pub restrictions_skipped: BTreeMap<String, usize>,
    /// Given lengths as a multiple of the geometry's; 0 where lengths are taken from it.
    pub length_over_geometry: f64,
    /// Rows of the nodes table.
    pub nodes: usize,
    /// Rows of the links table.
    pub links: usize,
}

/// Builds the road graph.
///
/// # Errors
/// [`urbis_core::Error::Input`] when the extract has no road in the area, when the projection is not
/// defined there, or when a gateway names a node that no car road touches.
pub fn build(input: &RoadInput<'_>) -> Result<RoadGraph> {
    let RoadInput { extract, rules, .. } = *input;
    let mut report = RoadReport::default();
    let mut protected = road_turns::via_nodes(extract);
    let gateways = input.gateways.map_or(&[][..], |gateways| &gateways.gateways);
    protected.extend(gateways.iter().map(|gateway| gateway.osm_node));
    let mut pieces = road_pieces::cut(extract, input.projection, rules, input.clip, &protected, &mut report);
    if pieces.edges.is_empty() {
        let place = if input.clip.is_some() { " inside the boundary" } else { "" };
        return Err(Problem::file(input.path, format!("has no road{place}")).into());
    }
    if pieces.edges.iter().any(|edge| !edge.length_m.is_finite()) {
        let what = format!("has roads where {} is not defined", input.projection.code());
        return Err(Problem::file(input.path, what).with_help("use crs = \"auto\"").into());
    }
    let mut control = road_control::place(extract, &mut pieces, rules.control_reach_m, &mut report);
    let mut outside = Outside::default();
    if let Some(gateways) = input.gateways {
        report.car_connected_share_without_gateways = car_share(&pieces);
        outside = join_outside(input, gateways, &mut pieces)?;
        control.resize(pieces.protected.len(), NodeControl::None);
    }
    keep_connected(&mut pieces, rules, &mut report);
    if input.gateways.is_none() {
        report.car_connected_share_without_gateways = report.modes["car"].connected_share;
    }
    report.nodes_merged = road_merge::merge(&mut pieces.edges, &pieces.protected);
    let mut graph = tables(input, &pieces, &control, &outside, &mut report);
    count_gateways(&graph, gateways, &mut report);
    report.signals = graph.nodes.control.iter().filter(|&&control| control == NodeControl::Signal).count();
    (report.nodes, report.links) = (graph.nodes.len(), graph.links.len());
    graph.report = report;
    Ok(graph)
}

/// External nodes follow the extract's in the numbering of rows.
#[derive(Default)]
struct Outside {
    names: Vec<String>,
    points: Vec<Point>,
    /// Row of the first external node.
    first: u32,
    /// Capacity class of connectors by (from row, to row).
    classes: BTreeMap<(u32, u32), RoadClass>,
}

fn join_outside(input: &RoadInput<'_>, gateways: &Gateways, pieces: &mut Pieces) -> Result<Outside> {
    let first = pieces.protected.len() as u32;
    let mut outside = Outside { first, ..Outside::default() };
    for external in &gateways.externals {
        let point = Point::new(external.lon, external.lat);
        outside.names.push(external.name.clone());
        outside.points.push(point);
        pieces.xy_m.push(input.projection.project(point));
        pieces.protected.push(true);
    }
    let car_rows: BTreeSet<u32> = pieces
        .edges
        .iter()
        .filter(|edge| edge.modes().contains(Modes::CAR))
        .flat_map(|edge| [edge.from(), edge.to()])
        .collect();
    let style = pieces.styles.len() as u32;
    pieces.styles.push(Style { class: RoadClass::External, ..Style::default() });
    let mut connect = |from: u32, to: u32, length_m: Option<f64>, lanes: u8, speed: MetresPerSecond| {
        let ((x0, y0), (x1, y1)) = (pieces.xy_m[from as usize], pieces.xy_m[to as usize]);
        pieces.edges.push(Edge {
            nodes: vec![from, to],
            length_m: length_m.unwrap_or_else(|| (x1 - x0).hypot(y1 - y0).max(1.0)),
            style,
            forward: Direction { modes: Modes::CAR, lanes, speed_mps: speed.0 },
            backward: Direction::default(),
            way_first: 0,
            way_last: 0,
        });
    };
    let mut problems = Problems::new();
    for gateway in &gateways.gateways {
        let row = input.extract.nodes.binary_search_by_key(&gateway.osm_node, |node| node.id);
        let Some(inside) = row.ok().map(|row| row as u32).filter(|row| car_rows.contains(row)) else {
            let id = gateway.osm_node.to_string();
            let expected = format!("a node of a car road in {}", input.path.display());
            problems.push(Problem::value(&gateways.path, gateway.row, Some(&id), "osm_node", &id, expected));
            continue;
        };
        let place = first + gateway.external as u32;
        let figures = input.rules.class(gateway.class);
        let lanes = gateway.lanes.unwrap_or(figures.lanes);
        let speed = gateway.speed.unwrap_or(figures.speed);
        for (open, from, to) in [(gateway.inward, place, inside), (gateway.outward, inside, place)] {
            if open {
                connect(from, to, gateway.length_m, lanes, speed);
                outside.classes.insert((from, to), gateway.class);
            }
        }
    }
    for (from, to, link) in &gateways.links {
        let speed = MetresPerSecond::from_kmh(link.speed_kmh);
        connect(first + *from as u32, first + *to as u32, Some(link.length_m), link.lanes, speed);
    }
    problems.or_else(outside)
}

/// Directed arcs of a mode with their edges; people on foot ignore direction.
fn arcs_of(pieces: &Pieces, mode: Modes) -> (Vec<(u32, u32)>, Vec<usize>) {
    let (mut arcs, mut edges) = (Vec::new(), Vec::new());
    for (number, edge) in pieces.edges.iter().enumerate() {
        for (direction, from, to) in [(edge.forward, edge.from(), edge.to()), (edge.backward, edge.to(), edge.from())] {
            if direction.modes.contains(mode) {
                arcs.push((from, to));
                edges.push(number);
            }
        }
    }
    (arcs, edges)
}

/// Lengths of arcs in metres; connectors count nothing, so that they cannot outweigh streets.
fn lengths_of(pieces: &Pieces, edges: &[usize]) -> Vec<f64> {
    let length = |&edge: &usize| {
        let edge = &pieces.edges[edge];
        let external = pieces.styles[edge.style as usize].class == RoadClass::External;
        if external { 0.0 } else { edge.length_m }
    };
    edges.iter().map(length).collect()
}

/// Component of every node and the one to keep.
fn connected(pieces: &Pieces, arcs: &[(u32, u32)], lengths_m: &[f64]) -> (Vec<u32>, Option<u32>, usize) {
    let parts = components::strong_components(pieces.protected.len(), arcs);
    let kept = components::longest_component(&parts, arcs, lengths_m);
    let with_length: BTreeSet<u32> = arcs
        .iter()
        .filter(|(from, to)| parts[*from as usize] == parts[*to as usize])
        .map(|(from, _)| parts[*from as usize])
        .collect();
    (parts, kept, with_length.len())
}

fn car_share(pieces: &Pieces) -> f64 {
    let (arcs, edges) = arcs_of(pieces, Modes::CAR);
    let lengths_m = lengths_of(pieces, &edges);
    let (parts, kept, _) = connected(pieces, &arcs, &lengths_m);
    let is_kept = |&(from, to): &(u32, u32)| Some(parts[from as usize]) == kept && Some(parts[to as usize]) == kept;
    let inside: f64 = arcs.iter().zip(&lengths_m).filter(|(arc, _)| is_kept(arc)).map(|(_, m)| m).sum();
    let total: f64 = lengths_m.iter().sum();
    if total > 0.0 { inside / total } else { 1.0 }
}

/// Leaves each mode its longest strongly connected part and drops pieces that no mode is left on.
fn keep_connected(pieces: &mut Pieces, rules: &RoadRules, report: &mut RoadReport) {
    for (mode, name) in Modes::NAMED {
        let (arcs, edges) = arcs_of(pieces, mode);
        let lengths_m = lengths_of(pieces, &edges);
        let (parts, kept, count) = connected(pieces, &arcs, &lengths_m);
        let mut of_mode = ModeReport { parts: count, connected_share: 1.0, ..ModeReport::default() };
        for ((&(from, to), &edge), &length_m) in arcs.iter().zip(&edges).zip(&lengths_m) {
            if kept.is_some() && Some(parts[from as usize]) == kept && Some(parts[to as usize]) == kept {
                of_mode.km_kept += length_m / 1000.0;
            } else {
                of_mode.km_dropped += length_m / 1000.0;
                let edge = &mut pieces.edges[edge];
                let forward = edge.from() == from;
                let direction = if forward { &mut edge.forward } else { &mut edge.backward };
                direction.modes = direction.modes.without(mode);
                direction.close_to_cars_unless_open(rules);
            }
        }
        if of_mode.km_kept + of_mode.km_dropped > 0.0 {
            of_mode.connected_share = of_mode.km_kept / (of_mode.km_kept + of_mode.km_dropped);
        }
        report.modes.insert(name.to_owned(), of_mode);
    }
    pieces.edges.retain(|edge| edge.modes() != Modes::default());
}

/// A link before it has a row.
struct Directed<'a> {
    edge: &'a Edge,
    forward: bool,
}

impl Directed<'_> {
    fn side(&self) -> Direction {
        if self.forward { self.edge.forward } else { self.edge.backward }
    }
    fn ends(&self) -> (u32, u32) {
        let (from, to) = (self.edge.from(), self.edge.to());
        if self.forward { (from, to) } else { (to, from) }
    }
    fn ways(&self) -> (i64, i64) {
        let (first, last) = (self.edge.way_first, self.edge.way_last);
        if self.forward { (first, last) } else { (last, first) }
    }
    /// Whether cars drive in this direction only.
    fn is_oneway(&self) -> bool {
        let other = if self.forward { self.edge.backward } else { self.edge.forward };
        !other.modes.contains(Modes::CAR)
    }
    fn nodes(&self) -> Vec<u32> {
        let mut nodes = self.edge.nodes.clone();
        if !self.forward {
            nodes.reverse();
        }
        nodes
    }
}

/// What the lanes of a link's last way are marked for, in driving direction; blank where nothing is said.
fn turn_lanes<'a>(extract: &'a OsmExtract, path: &[u32], way: i64, is_oneway: bool) -> &'a str {
    let Ok(at) = extract.ways.binary_search_by_key(&way, |way| way.id) else { return "" };
    let way = &extract.ways[at];
    let [.., a, b] = path else { return "" };
    let id = |row: u32| extract.nodes.get(row as usize).map(|node| node.id);
    let (Some(a), Some(b)) = (id(*a), id(*b)) else { return "" };
    let along = way.refs.windows(2).any(|pair| *pair == [a, b]);
    let against = way.refs.windows(2).any(|pair| *pair == [b, a]);
    let side = match (along, against) {
        (true, false) => "turn:lanes:forward",
        (false, true) => "turn:lanes:backward",
        // Driven both ways within one way, or cut there: no telling.
        _ => return "",
    };
    let whole = || way.tags.get("turn:lanes").filter(|_| is_oneway);
    way.tags.get(side).or_else(whole).unwrap_or_default()
}

fn tables(
    input: &RoadInput<'_>,
    pieces: &Pieces,
    control: &[NodeControl],
    outside: &Outside,
    report: &mut RoadReport,
) -> RoadGraph {
    let extract = input.extract;
    let inside_rows = extract.nodes.len() as u32;
    let mut directed: Vec<(Vec<u32>, Directed<'_>)> = pieces
        .edges
        .iter()
        .flat_map(|edge| [Directed { edge, forward: true }, Directed { edge, forward: false }])
        .filter(|link| link.side().modes != Modes::default())
        .map(|link| (link.nodes(), link))
        .collect();
    // Connectors have way 0 and come last; rows of nodes are in order of ids.
    directed.sort_by(|(a_nodes, a), (b_nodes, b)| {
        let key = |link: &Directed<'_>| (link.ways().0 == 0, link.ways().0, link.ends());
        key(a).cmp(&key(b)).then_with(|| a_nodes.cmp(b_nodes))
    });

    let mut used: Vec<u32> = directed.iter().flat_map(|(_, link)| [link.ends().0, link.ends().1]).collect();
    used.sort_unstable();
    used.dedup();
    let mut row_of = vec![NodeIx::NONE; pieces.protected.len()];
    let mut nodes = Nodes::default();
    for (row, &node) in used.iter().enumerate() {
        row_of[node as usize] = NodeIx(row as u32);
        let external = node >= inside_rows;
        if external {
            let at = (node - outside.first) as usize;
            nodes.id.push(format!("external:{}", outside.names[at]));
            nodes.point.push(outside.points[at]);
        } else {
            let own = &extract.nodes[node as usize];
            nodes.id.push(own.id.to_string());
            nodes.point.push(own.point());
        }
        let (x_m, y_m) = pieces.xy_m[node as usize];
        nodes.x_m.push(x_m);
        nodes.y_m.push(y_m);
        nodes.elevation_m.push(f64::NAN);
        nodes.control.push(control[node as usize]);
        nodes.external.push(external);
        nodes.zone.push(ZoneIx::NONE);
    }

    let rules = input.rules;
    let mut links = Links::default();
    let mut turn_links = Vec::with_capacity(directed.len());
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for (path, link) in &directed {
        let (side, (from, to), (way_start, way_end)) = (link.side(), link.ends(), link.ways());
        let style = &pieces.styles[link.edge.style as usize];
        let (from_ix, to_ix) = (row_of[from as usize], row_of[to as usize]);
        let (from_id, to_id) = (&nodes.id[from_ix.row()], &nodes.id[to_ix.row()]);
        let id = match style.class {
            RoadClass::External => format!("{from_id}_{to_id}"),
            _ => format!("{way_start}_{from_id}_{to_id}"),
        };
        let copy = seen.entry(id.clone()).and_modify(|copies| *copies += 1).or_insert(1);
        links.id.push(if *copy > 1 { format!("{id}_{copy}") } else { id });
        links.from.push(from_ix);
        links.to.push(to_ix);
        links.way_id.push(way_start);
        links.class.push(style.class);
        links.name.push(style.name.clone());
        links.length_m.push(link.edge.length_m);
        links.lanes.push(side.lanes);
        links.speed_mps_free.push(side.speed_mps);
        let capacity_class = outside.classes.get(&(from, to)).copied().unwrap_or(style.class);
        let saturation_vps = rules.capacity_vps(capacity_class, side.lanes, MetresPerSecond(side.speed_mps));
        let signal = control[to as usize] == NodeControl::Signal;
        links.capacity_vps.push(if signal { saturation_vps * rules.green_share } else { saturation_vps });
        links.jam_density_vpm.push(f64::from(side.lanes) * rules.jam_density_vpm_lane);
        links.modes.push(side.modes);
        links.tunnel.push(style.tunnel);
        links.bridge.push(style.bridge);
        links.zone.push(ZoneIx::NONE);
        let corner = |&node: &u32| -> Coord {
            if node >= inside_rows {
                outside.points[(node - outside.first) as usize].0
            } else {
                extract.nodes[node as usize].point().0
            }
        };
        links.line.push(LineString(path.iter().map(corner).collect()));
        links.turn_lanes.push(turn_lanes(extract, path, way_end, link.is_oneway()).to_owned());
        turn_links.push(TurnLink { from, to, way_start, way_end, modes: side.modes });
    }
    if links.turn_lanes.iter().all(String::is_empty) {
        links.turn_lanes.clear();
    }
    for (mode, name) in Modes::NAMED {
        let count = links.modes.iter().filter(|modes| modes.contains(mode)).count();
        report.modes.entry(name.to_owned()).or_default().links = count;
    }
    let banned = road_turns::banned(extract, &turn_links, report);
    RoadGraph { nodes, links, turns: Turns { banned }, report: RoadReport::default() }
}

fn count_gateways(graph: &RoadGraph, gateways: &[crate::gateways::Gateway], report: &mut RoadReport) {
    let joined: BTreeSet<&str> = (0..graph.links.len())
        .filter(|&row| graph.links.class[row] == RoadClass::External)
        .flat_map(|row| [graph.links.from[row], graph.links.to[row]])
        .filter(|node| !graph.nodes.external[node.row()])
        .map(|node| &*graph.nodes.id[node.row()])
        .collect();
    report.gateways = gateways.iter().filter(|gateway| joined.contains(&*gateway.osm_node.to_string())).count();
    report.gateways_unused = gateways.len() - report.gateways;
}
