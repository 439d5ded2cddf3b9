//! Road networks of other tools in the General Modeling Network Specification (zephyr-data-specs/GMNS):
//! a folder with `node.csv`, `link.csv` and optionally `config.csv` and `geometry.csv`, each also as
//! `.csv.gz`.
//!
//! Read are `node_id, x_coord, y_coord [, z_coord, ctrl_type, node_type]` and `link_id, from_node_id,
//! to_node_id, directed [, length, lanes, capacity, free_speed, jam_density, facility_type,
//! allowed_uses, name, geometry, geometry_id, dir_flag]`. Capacity is per lane and hour, jam density
//! (our own column) per lane and long length. What is left out comes from [`RoadRules`]; a given
//! capacity stays as it is, a default one is cut to the green share where the link ends at signals.
//! Nodes and links come in unchanged: nothing is merged, an undirected link `a` becomes `a` and `a_r`.
//!
//! Ignores: lanes, segments, movements, times of day, signal plans, tolls; links only for uses other
//! than cars, bicycles and walking, and links from a node to itself, are left out and counted.
//! Contract: a pure function of the files; rows are sorted by id, numbers by value.

use crate::components::{longest_component, strong_components};
use crate::gmns_config::{self, Config, is_missing};
use crate::gmns_link::{self, LinkColumns, LinkFigures};
use crate::gmns_words;
use crate::model::{Links, Modes, NodeControl, Nodes, Turns};
use crate::projection::{Projection, is_lon_lat};
use crate::road_defaults::RoadRules;
use crate::roads::{ModeReport, RoadGraph, RoadReport};
use crate::table::{Column, Row, Table};
use geo::{LineString, Point};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use urbis_core::columns::permuted;
use urbis_core::{NodeIx, Problem, Problems, Result, ZoneIx};
use wkt::TryFromWkt;

/// How a network is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GmnsOptions {
    /// Keep links outside the connected part of a mode; they are reported either way.
    pub keep_all: bool,
}

impl Default for GmnsOptions {
    fn default() -> Self {
        Self { keep_all: true }
    }
}

/// Reads a network folder whole.
///
/// # Errors
/// [`urbis_core::Error::Read`] when a file cannot be read; [`urbis_core::Error::Input`] with every
/// missing file, column, node and geometry, doubled id, value out of range, coordinates that do not fit
/// the reference system, and lengths that do not fit the geometry where no unit is stated.
pub fn read(folder: &Path, projection: &Projection, rules: &RoadRules) -> Result<RoadGraph> {
    read_with(folder, projection, rules, GmnsOptions::default())
}

/// Reads a network folder.
///
/// # Errors
/// As [`read`].
pub fn read_with(folder: &Path, projection: &Projection, rules: &RoadRules, options: GmnsOptions) -> Result<RoadGraph> {
    if !folder.is_dir() {
        return Err(
            Problem::file(folder, "is not a folder; a GMNS network is a folder with node.csv and link.csv").into()
        );
    }
    let find = |name: &str| Table::find(folder, name);
    let files = Files {
        nodes: find("node.csv")?,
        links: find("link.csv")?,
        config: find("config.csv")?,
        geometry: find("geometry.csv")?,
    };
    from_files(folder, files, projection, rules, options)
}

/// The tables of a network.
#[derive(Debug, Default)]
struct Files {
    nodes: Option<Table>,
    links: Option<Table>,
    config: Option<Table>,
    geometry: Option<Table>,
}

fn from_files(
    folder: &Path,
    files: Files,
    projection: &Projection,
    rules: &RoadRules,
    options: GmnsOptions,
) -> Result<RoadGraph> {
    let mut problems = Problems::new();
    let mut missing = |name: &str| problems.push(Problem::file(&folder.join(name), "is missing (nor is there a .gz)"));
    if files.nodes.is_none() {
        missing("node.csv");
    }
    if files.links.is_none() {
        missing("link.csv");
    }
    let (Some(nodes), Some(links)) = (files.nodes, files.links) else {
        return Err(urbis_core::Error::Input(problems));
    };
    let config = gmns_config::read(files.config.as_ref(), &mut problems);
    problems.or_else(())?;
    let nodes = read_nodes(nodes.with_id("node_id"), &config, projection)?;
    let mut problems = Problems::new();
    let shapes = read_shapes(files.geometry, &config, &mut problems);
    let (records, mut report) =
        read_links(links.with_id("link_id"), &nodes, &shapes, &config, projection, rules, &mut problems);
    let records = problems.or_else(records)?;
    let mut links = link_table(records, &nodes, rules);
    let mut nodes = nodes;
    connect(&mut nodes, &mut links, rules, options, &mut report);
    report.signals = nodes.control.iter().filter(|&&control| control == NodeControl::Signal).count();
    (report.nodes, report.links) = (nodes.len(), links.len());
    Ok(RoadGraph { nodes, links, turns: Turns::default(), report })
}

/// Ids that are numbers come by value, before those that are not.
fn natural(id: &str) -> (i64, &str) {
    (id.parse().unwrap_or(i64::MAX), id)
}

fn read_nodes(table: Table, config: &Config, projection: &Projection) -> Result<Nodes> {
    let mut problems = Problems::new();
    let columns = table.required_all(["node_id", "x_coord", "y_coord"], &mut problems);
    let [z, control, kind] = ["z_coord", "ctrl_type", "node_type"].map(|name| table.optional(name));
    let Some([id, x, y]) = columns else { return Err(urbis_core::Error::Input(problems)) };
    let mut nodes = Nodes::default();
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    let mut off_earth = 0;
    for row in table.rows() {
        let Some(name) = row.required_text(id, &mut problems) else { continue };
        if let Some(first) = rows.insert(name, row.number()) {
            problems.push(row.problem(id, format!("an id that row {first} does not have already")));
            continue;
        }
        let (Some(x_given), Some(y_given)) = (row.finite(x, &mut problems), row.finite(y, &mut problems)) else {
            continue;
        };
        let point = config.coordinates.point(x_given, y_given);
        let (x_m, y_m) = if is_lon_lat(point) { projection.project(point) } else { (f64::NAN, f64::NAN) };
        if !(x_m.is_finite() && y_m.is_finite()) {
            off_earth += 1;
            if off_earth == 1 {
                let column = if config.in_degrees && x_given.abs() <= 180.0 { y } else { x };
                let expected = if config.in_degrees {
                    "degrees (longitude -180 to 180, latitude -90 to 90)"
                } else {
                    "a place on Earth in the reference system of config.csv"
                };
                let help =
                    "name the reference system of the coordinates in column `crs` of config.csv, e.g. EPSG:32632";
                problems.push(row.problem(column, expected).with_help(help));
            }
            continue;
        }
        let z_m = z.filter(|&z| !is_missing(row.text(z))).and_then(|z| row.finite(z, &mut problems));
        let control = control
            .filter(|&column| !is_missing(row.text(column)))
            .map_or(Some(NodeControl::None), |column| row.one_of(column, &mut problems, &gmns_words::CONTROLS));
        nodes.id.push(name.to_owned());
        nodes.point.push(point);
        nodes.x_m.push(x_m);
        nodes.y_m.push(y_m);
        nodes.elevation_m.push(z_m.map_or(f64::NAN, |z| z * config.short_length_m));
        nodes.control.push(control.unwrap_or_default());
        nodes.external.push(row.optional_text(kind).is_some_and(|kind| kind.eq_ignore_ascii_case("external")));
        nodes.zone.push(ZoneIx::NONE);
    }
    if off_earth > 1 {
        problems.push(Problem::file(table.path(), format!("{off_earth} nodes in all are not where they can be")));
    }
    if table.is_empty() {
        problems.push(Problem::file(table.path(), "has no rows"));
    }
    let mut order: Vec<u32> = (0..nodes.len() as u32).collect();
    order.sort_by(|&a, &b| natural(&nodes.id[a as usize]).cmp(&natural(&nodes.id[b as usize])));
    problems.or_else(sorted_nodes(&nodes, &order))
}

fn sorted_nodes(nodes: &Nodes, order: &[u32]) -> Nodes {
    Nodes {
        id: permuted(&nodes.id, order),
        point: permuted(&nodes.point, order),
        x_m: permuted(&nodes.x_m, order),
        y_m: permuted(&nodes.y_m, order),
        elevation_m: permuted(&nodes.elevation_m, order),
        control: permuted(&nodes.control, order),
        external: permuted(&nodes.external, order),
        zone: permuted(&nodes.zone, order),
    }
}

/// Lines of `geometry.csv` by id, in degrees.
fn read_shapes(table: Option<Table>, config: &Config, problems: &mut Problems) -> BTreeMap<String, LineString> {
    let mut shapes = BTreeMap::new();
    let Some(table) = table.map(|table| table.with_id("geometry_id")) else { return shapes };
    let Some([id, geometry]) = table.required_all(["geometry_id", "geometry"], problems) else { return shapes };
    for row in table.rows() {
        let Some(name) = row.required_text(id, problems) else { continue };
        if let Some(line) = line(&row, geometry, config, problems)
            && shapes.insert(name.to_owned(), line).is_some()
        {
            problems.push(row.problem(id, "an id that occurs once"));
        }
    }
    shapes
}

/// A WKT line in degrees.
fn line(row: &Row<'_>, column: Column, config: &Config, problems: &mut Problems) -> Option<LineString> {
    let parsed = LineString::try_from_wkt_str(row.text(column)).ok().map(|line: LineString| {
        LineString::from_iter(line.0.iter().map(|corner| config.coordinates.point(corner.x, corner.y)))
    });
    let usable = |line: &LineString| line.0.len() > 1 && line.points().all(is_lon_lat);
    let found = parsed.filter(usable);
    if found.is_none() {
        problems.push(row.problem(column, "a WKT LINESTRING in the reference system of the nodes"));
    }
    found
}

/// A link as read, in one direction.
#[derive(Clone, Debug)]
struct Record {
    id: String,
    from: NodeIx,
    to: NodeIx,
    name: String,
    length_m: f64,
    figures: LinkFigures,
    tunnel: bool,
    bridge: bool,
    line: LineString,
}

fn read_links(
    table: Table,
    nodes: &Nodes,
    shapes: &BTreeMap<String, LineString>,
    config: &Config,
    projection: &Projection,
    rules: &RoadRules,
    problems: &mut Problems,
) -> (Vec<Record>, RoadReport) {
    let mut report = RoadReport::default();
    let mut records: Vec<Record> = Vec::new();
    let names = ["link_id", "from_node_id", "to_node_id", "directed"];
    let Some([id, from, to, directed]) = table.required_all(names, problems) else { return (records, report) };
    let columns = LinkColumns::new(&table, directed);
    if table.is_empty() {
        problems.push(Problem::file(table.path(), "has no rows"));
    }
    let row_of: BTreeMap<&str, u32> = nodes.id.iter().zip(0..).map(|(id, row)| (&**id, row)).collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut undirected: BTreeSet<&str> = BTreeSet::new();
    let (mut given_m, mut drawn_m) = (0.0, 0.0);
    for row in table.rows() {
        let Some(name) = row.required_text(id, problems) else { continue };
        if let Some(first) = seen.insert(name, row.number()) {
            problems.push(row.problem(id, format!("an id that row {first} does not have already")));
            continue;
        }
        let before = problems.len();
        let mut node = |column: Column| {
            let text = row.required_text(column, problems)?;
            let found = row_of.get(text).copied().map(NodeIx);
            if found.is_none() {
                problems.push(row.problem(column, "a node_id of node.csv"));
            }
            found
        };
        let ends = (node(from), node(to));
        let to_column = to;
        let read = read_link(&row, &columns, config, rules, problems);
        let shape = read_shape(&row, &columns, shapes, config, problems);
        let (Some(from), Some(to)) = ends else { continue };
        if problems.len() > before {
            continue;
        }
        let Some((mut record, both_ways)) = read else { continue };
        if from == to || record.figures.modes == Modes::default() {
            let reason = if from == to { "from a node to itself" } else { "other uses" };
            *report.ways_excluded.entry(reason.to_owned()).or_default() += 1;
            continue;
        }
        let dir_flag = columns.get("dir_flag").map_or("", |column| row.text(column));
        record.line = oriented(shape, nodes.point[from.row()], nodes.point[to.row()], dir_flag);
        let along_m = planar_m(&record.line, projection);
        if record.length_m > 0.0 {
            given_m += record.length_m;
            drawn_m += along_m;
        } else if along_m > 0.0 {
            record.length_m = along_m;
        } else {
            problems.push(match columns.get("length") {
                Some(length) => row.problem(length, "> 0, as both nodes lie on one spot"),
                None => row.problem(to_column, "a node on another spot, as there is no column `length`"),
            });
            continue;
        }
        (record.id, record.from, record.to) = (name.to_owned(), from, to);
        report.ways_used += 1;
        if both_ways {
            undirected.insert(name);
            let mut back = record.clone();
            back.id = format!("{name}_r");
            (back.from, back.to) = (to, from);
            back.line.0.reverse();
            records.push(back);
        }
        records.push(record);
    }
    for (id, row) in &seen {
        if id.strip_suffix("_r").is_some_and(|id| undirected.contains(id)) {
            let expected = "another id: this one is taken for the way back of an undirected link";
            problems.push(Problem::value(table.path(), *row, Some(id), "link_id", id, expected));
        }
    }
    if drawn_m > 0.0 && given_m > 0.0 {
        let ratio = given_m / drawn_m;
        report.length_over_geometry = ratio;
        if !config.length_is_stated && !(0.5..=2.0).contains(&ratio) {
            let unit = gmns_config::likely_length(config.length_m / ratio);
            let what = format!(
                "`length` adds up to {ratio:.3} times the length of the geometry when taken as kilometres, and no unit is stated"
            );
            let help = format!("add `long_length` to config.csv; `{unit}` would fit best");
            problems.push(Problem::file(table.path(), what).with_help(help));
        }
    }
    records.sort_by(|a, b| natural(&a.id).cmp(&natural(&b.id)));
    (records, report)
}

/// Everything of a row but its ends and shape; the length is 0 where blank. With it: both ways?
fn read_link(
    row: &Row<'_>,
    columns: &LinkColumns,
    config: &Config,
    rules: &RoadRules,
    problems: &mut Problems,
) -> Option<(Record, bool)> {
    let figures = gmns_link::read(row, columns, config, rules, problems)?;
    let text = |name: &str| columns.cell(row, name).map_or("", |column| row.text(column));
    let structure = text("structure").to_ascii_lowercase();
    let record = Record {
        id: String::new(),
        from: NodeIx::NONE,
        to: NodeIx::NONE,
        name: text("name").to_owned(),
        length_m: figures.length_m.unwrap_or(0.0),
        figures,
        tunnel: structure == "tunnel",
        bridge: structure == "bridge",
        line: LineString(Vec::new()),
    };
    Some((record, figures.both_ways))
}

fn read_shape(
    row: &Row<'_>,
    columns: &LinkColumns,
    shapes: &BTreeMap<String, LineString>,
    config: &Config,
    problems: &mut Problems,
) -> Option<LineString> {
    let cell = |name: &str| columns.cell(row, name);
    if let Some(column) = cell("geometry") {
        return line(row, column, config, problems);
    }
    let column = cell("geometry_id")?;
    let found = shapes.get(row.text(column)).cloned();
    if found.is_none() {
        problems.push(row.problem(column, "a geometry_id of geometry.csv"));
    }
    found
}

/// The shape from upstream to downstream, or the straight line. `dir_flag` says how it is drawn; where
/// it does not, the sense that brings its ends closer to the nodes is taken.
fn oriented(shape: Option<LineString>, from: Point, to: Point, dir_flag: &str) -> LineString {
    let Some(mut line) = shape else { return LineString(vec![from.0, to.0]) };
    let apart = |a: geo::Coord, b: Point| (a.x - b.x()).hypot(a.y - b.y());
    let (Some(&first), Some(&last)) = (line.0.first(), line.0.last()) else { return line };
    let backwards = match dir_flag {
        "1" => false,
        "-1" => true,
        _ => apart(first, to) + apart(last, from) < apart(first, from) + apart(last, to),
    };
    if backwards {
        line.0.reverse();
    }
    line
}

fn planar_m(line: &LineString, projection: &Projection) -> f64 {
    let corners: Vec<(f64, f64)> = line.points().map(|point| projection.project(point)).collect();
    corners.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum()
}

fn link_table(records: Vec<Record>, nodes: &Nodes, rules: &RoadRules) -> Links {
    let mut links = Links::default();
    for record in records {
        let at_signals = nodes.control[record.to.row()] == NodeControl::Signal;
        links.capacity_vps.push(record.figures.capacity_vps(rules, at_signals));
        links.jam_density_vpm.push(record.figures.jam_density_vpm());
        links.id.push(record.id);
        links.from.push(record.from);
        links.to.push(record.to);
        links.way_id.push(0);
        links.class.push(record.figures.class);
        links.name.push(record.name);
        links.length_m.push(record.length_m);
        links.lanes.push(record.figures.lanes);
        links.speed_mps_free.push(record.figures.speed_mps);
        links.modes.push(record.figures.modes);
        links.tunnel.push(record.tunnel);
        links.bridge.push(record.bridge);
        links.zone.push(ZoneIx::NONE);
        links.line.push(record.line);
    }
    links
}

/// Reports the connected part of each mode and, unless all is kept, leaves only that.
fn connect(nodes: &mut Nodes, links: &mut Links, rules: &RoadRules, options: GmnsOptions, report: &mut RoadReport) {
    for (mode, name) in Modes::NAMED {
        let rows: Vec<usize> = (0..links.len()).filter(|&row| links.modes[row].contains(mode)).collect();
        let arcs: Vec<(u32, u32)> = rows.iter().map(|&row| (links.from[row].0, links.to[row].0)).collect();
        let lengths_m: Vec<f64> = rows.iter().map(|&row| links.length_m[row]).collect();
        let parts = strong_components(nodes.len(), &arcs);
        let kept = longest_component(&parts, &arcs, &lengths_m);
        let within = |&(from, to): &(u32, u32)| parts[from as usize] == parts[to as usize];
        let with_length: BTreeSet<u32> =
            arcs.iter().filter(|arc| within(arc)).map(|arc| parts[arc.0 as usize]).collect();
        let mut of_mode = ModeReport { parts: with_length.len(), connected_share: 1.0, ..ModeReport::default() };
        for ((arc, &row), length_m) in arcs.iter().zip(&rows).zip(&lengths_m) {
            if within(arc) && Some(parts[arc.0 as usize]) == kept {
                of_mode.km_kept += length_m / 1000.0;
                of_mode.links += 1;
                continue;
            }
            of_mode.km_dropped += length_m / 1000.0;
            if options.keep_all {
                of_mode.links += 1;
            } else {
                links.modes[row] = links.modes[row].without(mode);
                if mode == Modes::CAR {
                    let bicycle = links.modes[row].contains(Modes::BICYCLE);
                    links.speed_mps_free[row] = if bicycle { rules.bicycle_kmh } else { rules.walk_kmh } / 3.6;
                    (links.lanes[row], links.capacity_vps[row], links.jam_density_vpm[row]) = (0, 0.0, 0.0);
                }
            }
        }
        if of_mode.km_kept + of_mode.km_dropped > 0.0 {
            of_mode.connected_share = of_mode.km_kept / (of_mode.km_kept + of_mode.km_dropped);
        }
        report.modes.insert(name.to_owned(), of_mode);
    }
    report.car_connected_share_without_gateways = report.modes["car"].connected_share;
    if !options.keep_all {
        drop_unused(nodes, links);
    }
}

fn drop_unused(nodes: &mut Nodes, links: &mut Links) {
    let rows: Vec<u32> = (0..links.len() as u32).filter(|&row| links.modes[row as usize] != Modes::default()).collect();
    let mut used = vec![false; nodes.len()];
    for &row in &rows {
        used[links.from[row as usize].row()] = true;
        used[links.to[row as usize].row()] = true;
    }
    let order: Vec<u32> = (0..nodes.len() as u32).filter(|&row| used[row as usize]).collect();
    let mut row_of = vec![NodeIx::NONE; nodes.len()];
    for (new, &old) in order.iter().enumerate() {
        row_of[old as usize] = NodeIx(new as u32);
    }
    *nodes = sorted_nodes(nodes, &order);
    let moved = |ends: &[NodeIx]| -> Vec<NodeIx> { rows.iter().map(|&row| row_of[ends[row as usize].row()]).collect() };
    *links = Links {
        id: permuted(&links.id, &rows),
        from: moved(&links.from),
        to: moved(&links.to),
        way_id: permuted(&links.way_id, &rows),
        class: permuted(&links.class, &rows),
        name: permuted(&links.name, &rows),
        length_m: permuted(&links.length_m, &rows),
        lanes: permuted(&links.lanes, &rows),
        speed_mps_free: permuted(&links.speed_mps_free, &rows),
        capacity_vps: permuted(&links.capacity_vps, &rows),
        jam_density_vpm: permuted(&links.jam_density_vpm, &rows),
        modes: permuted(&links.modes, &rows),
        tunnel: permuted(&links.tunnel, &rows),
        bridge: permuted(&links.bridge, &rows),
        zone: permuted(&links.zone, &rows),
        turn_lanes: Vec::new(),
        line: permuted(&links.line, &rows),
    };
}

#[cfg(test)]
#[path = "gmns_tests.rs"]
mod tests;
