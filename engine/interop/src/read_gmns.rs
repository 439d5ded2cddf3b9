//! The car network of a GMNS folder, read for traffic alone: no city, no parts of the network, and
//! shapes only where lengths are missing or have no stated unit. Columns, units and what stands in for
//! blank cells are those of [`urbis_city::gmns`], and so is the network: the same links with the same
//! figures, sorted by id.
//!
//! Beyond that reader, coordinates outside degrees without a stated reference system are taken as
//! planar metres, as made-up networks have them; traffic uses them for locality only. Lengths of zero
//! are a problem or, if the caller wishes, become the length of the shape, and are reported.
//!
//! Ignores: names, heights, other modes. Contract: a pure function of the files.

use crate::id_index::IdIndex;
use crate::network::RoadNetwork;
use crate::read_network::{NetworkFile, Warning};
use crate::tntp::TntpUnits;
use geo::LineString;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::gmns_config::{self, Config, is_missing};
use urbis_city::gmns_link::{self, LinkColumns, LinkFigures};
use urbis_city::gmns_words;
use urbis_city::model::{Modes, NodeControl, RoadClass};
use urbis_city::projection::{Projection, is_lon_lat};
use urbis_city::road_defaults::RoadRules;
use urbis_city::table::{Column, Row, Table};
use urbis_core::columns::permuted;
use urbis_core::{Problem, Problems, Result, chunks};
use wkt::TryFromWkt;

/// Length of a link of length zero whose ends lie on one spot, metres. It lasts a step in any case.
const SHORTEST_M: f64 = 1.0;

/// How a network is taken in.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Units of a TNTP network.
    pub tntp: TntpUnits,
    /// Figures that stand in for blank cells.
    pub rules: RoadRules,
    /// Whether a length of zero is an error; otherwise it is repaired and reported.
    pub refuse_zero_length: bool,
}

/// Nodes as read, sorted by id.
struct Nodes {
    id: Vec<String>,
    x_m: Vec<f64>,
    y_m: Vec<f64>,
    at_signals: Vec<bool>,
}

/// Where points of files lie in the plane.
struct Plane<'a> {
    config: &'a Config,
    /// `None`: coordinates are planar metres as they stand.
    projection: Option<Projection>,
}

impl Plane<'_> {
    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let Some(projection) = &self.projection else { return (x, y) };
        let point = self.config.coordinates.point(x, y);
        if is_lon_lat(point) { projection.project(point) } else { (f64::NAN, f64::NAN) }
    }
    fn length_m(&self, line: &LineString) -> f64 {
        let corners: Vec<(f64, f64)> = line.0.iter().map(|corner| self.place(corner.x, corner.y)).collect();
        corners.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum()
    }
}

/// Reads a folder.
///
/// # Errors
/// [`urbis_core::Error::Read`] when a file cannot be read; [`urbis_core::Error::Input`] with every
/// missing file, column and node, doubled id and value out of range.
pub fn read(folder: &Path, options: &ReadOptions) -> Result<NetworkFile> {
    let find = |name: &str| Table::find(folder, name);
    let (node_table, link_table, config) = (find("node.csv")?, find("link.csv")?, find("config.csv")?);
    let mut problems = Problems::new();
    let mut missing = |name: &str| problems.push(Problem::file(&folder.join(name), "is missing (nor is there a .gz)"));
    if node_table.is_none() {
        missing("node.csv");
    }
    if link_table.is_none() {
        missing("link.csv");
    }
    let config = gmns_config::read(config.as_ref(), &mut problems);
    let (Some(node_table), Some(link_table)) = (node_table, link_table) else {
        return Err(urbis_core::Error::Input(problems));
    };
    problems.or_else(())?;
    let mut notes = Vec::new();
    let (nodes, plane) = read_nodes(&node_table.with_id("node_id"), &config, &mut notes)?;
    let shapes = Shapes { folder, table: None };
    read_links(&link_table.with_id("link_id"), nodes, &plane, shapes, options, notes)
}

/// Ids that are numbers come by value, before those that are not.
fn natural(id: &str) -> (i64, &str) {
    (id.parse().unwrap_or(i64::MAX), id)
}

fn natural_order(ids: &[String]) -> Vec<u32> {
    let keys: Vec<(i64, &str)> = ids.iter().map(|id| natural(id)).collect();
    let mut order: Vec<u32> = (0..ids.len() as u32).collect();
    if !keys.is_sorted() {
        order.sort_by_key(|&row| keys[row as usize]);
    }
    order
}

/// A problem with every id that occurred in an earlier row. Shape: the ids' rows in the table.
fn refuse_repeated(table: &Table, column: Column, ids: &[String], rows: &[usize], problems: &mut Problems) {
    let mut order: Vec<u32> = (0..ids.len() as u32).collect();
    order.sort_by(|&a, &b| ids[a as usize].cmp(&ids[b as usize]).then(a.cmp(&b)));
    let same = order.chunk_by(|&a, &b| ids[a as usize] == ids[b as usize]);
    let mut repeated: Vec<(usize, usize)> =
        same.flat_map(|of| of[1..].iter().map(|&row| (rows[row as usize], rows[of[0] as usize]))).collect();
    if repeated.is_empty() {
        return;
    }
    repeated.sort_unstable();
    let mut repeated = repeated.into_iter().peekable();
    for row in table.rows() {
        if let Some((_, first)) = repeated.next_if(|&(number, _)| number == row.number()) {
            problems.push(row.problem(column, format!("an id that row {first} does not have already")));
        }
    }
}

fn read_nodes<'a>(table: &Table, config: &'a Config, notes: &mut Vec<String>) -> Result<(Nodes, Plane<'a>)> {
    let mut problems = Problems::new();
    let columns = table.required_all(["node_id", "x_coord", "y_coord"], &mut problems);
    let Some([id, x, y]) = columns else { return Err(urbis_core::Error::Input(problems)) };
    let control = table.optional("ctrl_type");
    let (mut ids, mut rows, mut coordinates, mut at_signals) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in table.rows() {
        let Some(name) = row.required_text(id, &mut problems) else { continue };
        let place = (row.finite(x, &mut problems), row.finite(y, &mut problems));
        let control = control
            .filter(|&column| !is_missing(row.text(column)))
            .map_or(Some(NodeControl::None), |column| row.one_of(column, &mut problems, &gmns_words::CONTROLS));
        let (Some(x), Some(y)) = place else { continue };
        ids.push(name.to_owned());
        rows.push(row.number());
        coordinates.push((x, y));
        at_signals.push(control == Some(NodeControl::Signal));
    }
    if table.is_empty() {
        problems.push(Problem::file(table.path(), "has no rows"));
    }
    refuse_repeated(table, id, &ids, &rows, &mut problems);
    problems.or_else(())?;

    let outside = coordinates.iter().any(|&(x, y): &(f64, f64)| x.abs() > 180.0 || y.abs() > 90.0);
    let is_planar = config.in_degrees && outside;
    if is_planar {
        notes.push("coordinates are taken as planar metres: they are no degrees, and no `crs` is stated".into());
    }
    let first = coordinates.first().map(|&(x, y)| config.coordinates.point(x, y)).filter(|&point| is_lon_lat(point));
    let projection = first.filter(|_| !is_planar).map(|point| Projection::auto(point.x(), point.y()));
    let plane = Plane { config, projection };
    let places = chunks::map_chunks(coordinates.len(), chunks::CHUNK_ROWS, |range| {
        coordinates[range].iter().map(|&(x, y)| plane.place(x, y)).collect::<Vec<_>>()
    })
    .concat();
    let mut problems = Problems::new();
    for (node, &(x_m, y_m)) in places.iter().enumerate() {
        if !(x_m.is_finite() && y_m.is_finite()) {
            let (x, y) = coordinates[node];
            let expected = "a place on Earth in the reference system of config.csv";
            let value = format!("{x}, {y}");
            problems.push(Problem::value(
                table.path(),
                rows[node],
                Some(&ids[node]),
                "x_coord, y_coord",
                value,
                expected,
            ));
        }
    }
    let order = natural_order(&ids);
    let place = permuted(&places, &order);
    let nodes = Nodes {
        id: permuted(&ids, &order),
        x_m: place.iter().map(|place| place.0).collect(),
        y_m: place.iter().map(|place| place.1).collect(),
        at_signals: permuted(&at_signals, &order),
    };
    problems.or_else((nodes, plane))
}

/// Lines of `geometry.csv`, read when the first is asked for.
struct Shapes<'a> {
    folder: &'a Path,
    table: Option<BTreeMap<String, LineString>>,
}

impl Shapes<'_> {
    fn load(&mut self, problems: &mut Problems) -> Result<()> {
        if self.table.is_some() {
            return Ok(());
        }
        let mut shapes = BTreeMap::new();
        if let Some(table) = Table::find(self.folder, "geometry.csv")?.map(|table| table.with_id("geometry_id"))
            && let Some([id, geometry]) = table.required_all(["geometry_id", "geometry"], problems)
        {
            for row in table.rows() {
                let Some(name) = row.required_text(id, problems) else { continue };
                if let Some(line) = line(&row, geometry, problems)
                    && shapes.insert(name.to_owned(), line).is_some()
                {
                    problems.push(row.problem(id, "an id that occurs once"));
                }
            }
        }
        self.table = Some(shapes);
        Ok(())
    }
}

fn line(row: &Row<'_>, column: Column, problems: &mut Problems) -> Option<LineString> {
    let parsed = LineString::try_from_wkt_str(row.text(column)).ok().filter(|line: &LineString| line.0.len() > 1);
    if parsed.is_none() {
        problems.push(row.problem(column, "a WKT LINESTRING in the reference system of the nodes"));
    }
    parsed
}

/// Length of a link's shape, or of the straight line.
fn drawn_m(
    row: &Row<'_>,
    columns: &LinkColumns,
    plane: &Plane<'_>,
    straight_m: f64,
    shapes: &mut Shapes<'_>,
    problems: &mut Problems,
) -> Result<f64> {
    if let Some(column) = columns.cell(row, "geometry") {
        return Ok(line(row, column, problems).map_or(0.0, |line| plane.length_m(&line)));
    }
    let Some(column) = columns.cell(row, "geometry_id") else { return Ok(straight_m) };
    shapes.load(problems)?;
    let found = shapes.table.as_ref().and_then(|table| table.get(row.text(column)));
    if found.is_none() {
        problems.push(row.problem(column, "a geometry_id of geometry.csv"));
    }
    Ok(found.map_or(0.0, |line| plane.length_m(line)))
}

/// How drivers treat roads of a class, as [`urbis_traffic::CarNetwork::from_city`] has it: share of the
/// capacity that counts where it merges, and what travel time is multiplied by when routes are chosen.
fn manners(class: RoadClass) -> (f64, f64) {
    match class {
        RoadClass::Motorway | RoadClass::Trunk | RoadClass::Primary | RoadClass::External => (1.0, 1.0),
        RoadClass::Secondary => (0.9, 1.0),
        RoadClass::Tertiary | RoadClass::Unclassified => (0.7, 1.1),
        RoadClass::Residential => (0.5, 1.25),
        RoadClass::LivingStreet => (0.3, 2.0),
        RoadClass::Service | RoadClass::Path => (0.2, 2.5),
    }
}

/// A link of the table.
struct Link {
    from: u32,
    to: u32,
    length_m: f64,
    figures: LinkFigures,
    is_way_back: bool,
    /// Row of its id.
    id: u32,
}

fn read_links(
    table: &Table,
    nodes: Nodes,
    plane: &Plane<'_>,
    mut shapes: Shapes<'_>,
    options: &ReadOptions,
    mut notes: Vec<String>,
) -> Result<NetworkFile> {
    let (config, rules) = (plane.config, &options.rules);
    let mut problems = Problems::new();
    let names = ["link_id", "from_node_id", "to_node_id", "directed"];
    let Some([id, from, to, directed]) = table.required_all(names, &mut problems) else {
        return Err(urbis_core::Error::Input(problems));
    };
    let columns = LinkColumns::new(table, directed);
    let columns = if options.refuse_zero_length { columns } else { columns.with_zero_length_as_blank() };
    if table.is_empty() {
        problems.push(Problem::file(table.path(), "has no rows"));
    }
    let index = IdIndex::new(&nodes.id);
    let (mut ids, mut rows): (Vec<String>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut links = Vec::new();
    let mut zero_length = Warning::new("zero_length_links");
    let (mut other_uses, mut to_itself) = (0, 0);
    let (mut given_m, mut all_drawn_m) = (0.0, 0.0);
    for row in table.rows() {
        let Some(name) = row.required_text(id, &mut problems) else { continue };
        ids.push(name.to_owned());
        rows.push(row.number());
        let mut node = |column: Column| {
            let text = row.required_text(column, &mut problems)?;
            let found = index.get(text.as_bytes());
            if found.is_none() {
                problems.push(row.problem(column, "a node_id of node.csv"));
            }
            found
        };
        let ends = (node(from), node(to));
        let before = problems.len();
        let figures = gmns_link::read(&row, &columns, config, rules, &mut problems);
        let (Some(figures), (Some(from), Some(to))) = (figures, ends) else { continue };
        if from == to || figures.modes == Modes::default() {
            to_itself += u32::from(from == to);
            other_uses += u32::from(from != to);
            continue;
        }
        let (a, b) = (from as usize, to as usize);
        let straight_m = (nodes.x_m[b] - nodes.x_m[a]).hypot(nodes.y_m[b] - nodes.y_m[a]);
        let length_m = match figures.length_m {
            Some(length_m) => {
                if !config.length_is_stated {
                    given_m += length_m;
                    all_drawn_m += drawn_m(&row, &columns, plane, straight_m, &mut shapes, &mut problems)?;
                }
                length_m
            }
            None => drawn_m(&row, &columns, plane, straight_m, &mut shapes, &mut problems)?,
        };
        if problems.len() > before {
            continue;
        }
        let said_zero = columns.get("length").is_some_and(|column| gmns_link::is_zero(row.text(column)));
        let length_m = if length_m > 0.0 {
            if said_zero && figures.modes.contains(Modes::CAR) {
                zero_length.add(|| {
                    problem_text(
                        &row,
                        columns.get("length"),
                        &format!("> 0; taken as {length_m:.1} m, the length of its shape"),
                    )
                });
            }
            length_m
        } else if options.refuse_zero_length {
            problems.push(match columns.get("length") {
                Some(length) => row.problem(length, "> 0, as both nodes lie on one spot"),
                None => row.problem(id, "nodes on different spots, as there is no column `length`"),
            });
            continue;
        } else {
            if figures.modes.contains(Modes::CAR) {
                zero_length.add(|| {
                    problem_text(
                        &row,
                        columns.get("length"),
                        &format!("> 0; taken as {SHORTEST_M} m, as both nodes lie on one spot"),
                    )
                });
            }
            SHORTEST_M
        };
        if !figures.modes.contains(Modes::CAR) {
            other_uses += 1;
            continue;
        }
        let link = ids.len() as u32 - 1;
        links.push(Link { from, to, length_m, figures, is_way_back: false, id: link });
        if figures.both_ways {
            links.push(Link { from: to, to: from, length_m, figures, is_way_back: true, id: link });
        }
    }
    refuse_repeated(table, id, &ids, &rows, &mut problems);
    refuse_ways_back(table, &ids, &rows, &links, &mut problems);
    if all_drawn_m > 0.0 && given_m > 0.0 {
        let ratio = given_m / all_drawn_m;
        if !(0.5..=2.0).contains(&ratio) {
            let unit = gmns_config::likely_length(config.length_m / ratio);
            let what = format!(
                "`length` adds up to {ratio:.3} times the length of the geometry when taken as kilometres, and no unit is stated"
            );
            let help = format!("add `long_length` to config.csv; `{unit}` would fit best");
            problems.push(Problem::file(table.path(), what).with_help(help));
        }
    }
    problems.or_else(())?;
    for (count, what) in [(other_uses, "for other uses than cars"), (to_itself, "from a node to itself")] {
        if count > 0 {
            notes.push(format!("left out: {count} links {what}"));
        }
    }
    let network = network_of(nodes, &links, &ids, rules, notes);
    let warnings = Some(zero_length).filter(|warning| warning.count > 0).into_iter().collect();
    Ok(NetworkFile { network, warnings, sumo: None })
}

fn problem_text(row: &Row<'_>, column: Option<Column>, expected: &str) -> String {
    match column {
        Some(column) => row.problem(column, expected).to_string(),
        None => format!("row {}: expected a length {expected}", row.number()),
    }
}

/// The way back of an undirected link `a` is called `a_r`; nothing else may be.
fn refuse_ways_back(table: &Table, ids: &[String], rows: &[usize], links: &[Link], problems: &mut Problems) {
    if links.iter().all(|link| !link.is_way_back) {
        return;
    }
    let index = IdIndex::new(ids);
    let back = links.iter().filter(|link| link.is_way_back);
    for taken in back.filter_map(|link| index.get(format!("{}_r", ids[link.id as usize]).as_bytes())) {
        let (row, id) = (rows[taken as usize], &ids[taken as usize]);
        let expected = "another id: this one is taken for the way back of an undirected link";
        problems.push(Problem::value(table.path(), row, Some(id), "link_id", id, expected));
    }
}

fn network_of(nodes: Nodes, links: &[Link], ids: &[String], rules: &RoadRules, notes: Vec<String>) -> RoadNetwork {
    let id = |link: &Link| {
        let id = &ids[link.id as usize];
        if link.is_way_back { format!("{id}_r") } else { id.clone() }
    };
    let given: Vec<String> = links.iter().map(id).collect();
    let order = natural_order(&given);
    let mut network = RoadNetwork { node_id: nodes.id, notes, ..RoadNetwork::default() };
    let columns = &mut network.columns;
    (columns.x_m, columns.y_m) = (nodes.x_m, nodes.y_m);
    for link in order.iter().map(|&row| &links[row as usize]) {
        let (figures, (priority, route_factor)) = (&link.figures, manners(link.figures.class));
        let capacity_vps = figures.capacity_vps(rules, nodes.at_signals[link.to as usize]);
        columns.from.push(link.from);
        columns.to.push(link.to);
        columns.length_m.push(link.length_m);
        columns.speed_mps_free.push(figures.speed_mps);
        columns.capacity_vps.push(capacity_vps);
        columns.jam_density_vpm.push(figures.jam_density_vpm());
        columns.priority.push(capacity_vps * priority);
        columns.route_factor.push(route_factor);
        network.lanes.push(f32::from(figures.lanes));
    }
    network.link_id = permuted(&given, &order);
    network.at_signals = nodes.at_signals;
    network
}
