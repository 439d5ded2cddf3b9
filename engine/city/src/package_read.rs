//! Reads a city package and checks it: columns and types, references between tables, signs and ranges,
//! zones with geometry, unique ids, counts of the manifest. All problems of a table are collected with
//! file, row and id; a table is read after those it refers to. Single-threaded, deterministic.

use crate::geoparquet::TableReader;
use crate::model::{
    BuildingUse, Buildings, City, CrosswalkRow, FloorsFrom, Links, Modes, NodeControl, Nodes, PanelRow, PoiKind, Pois,
    Quality, RoadClass, Turns, Zones,
};
use crate::package::{FILES, MANIFEST, file_of, read_manifest};
use geo::{Geometry, MultiPolygon};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::{BuildingIx, LinkIx, NodeIx, Problem, Problems, Result, ZoneIx};

/// Reads a package.
///
/// # Errors
/// When a file is absent or unreadable, or [`urbis_core::Error::Input`] with what is wrong inside.
pub fn read(folder: &Path) -> Result<City> {
    let manifest = read_manifest(folder)?;
    let mut absent = Problems::new();
    for (table, file) in FILES.iter().filter(|(table, _)| !file_of(folder, table).is_file()) {
        let problem = Problem::file(folder, format!("incomplete city package: {file} is missing (table {table})"));
        absent.push(problem.with_help("build it again with `urbis city build RECIPE --out FOLDER`"));
    }
    absent.or_else(())?;
    let open = |table: &str| TableReader::read(&file_of(folder, table)).map(|reader| Table { reader });
    let zones = zones(&open("zones")?)?;
    let zone_of = Lookup::new("zones", &zones.id);
    let nodes = nodes(&open("nodes")?, &zone_of)?;
    let node_of = Lookup::new("nodes", &nodes.id);
    let links = links(&open("links")?, &zone_of, &node_of)?;
    let buildings = buildings(&open("buildings")?, &zone_of, &node_of)?;
    let turns = turns(&open("turns")?, &links)?;
    let pois = pois(&open("pois")?, &zone_of, &Lookup::new("buildings", &buildings.id))?;
    let panel = panel(&open("panel")?)?;
    let crosswalk = crosswalk(&open("crosswalk")?)?;
    let city = City { manifest, nodes, links, turns, zones, buildings, pois, panel, crosswalk, land_use: None };
    let mut problems = Problems::new();
    for (table, rows) in counts(&city) {
        if let Some(&written) = city.manifest.counts.get(table).filter(|&&written| written != rows) {
            let what = format!("counts.{table} = {written}, but the table has {rows} rows");
            problems.push(Problem::file(&folder.join(MANIFEST), what));
        }
    }
    problems.or_else(city)
}

/// Rows of a city by table.
pub(crate) fn counts(city: &City) -> [(&'static str, u64); 8] {
    [
        ("nodes", city.nodes.len()),
        ("links", city.links.len()),
        ("buildings", city.buildings.len()),
        ("zones", city.zones.len()),
        ("pois", city.pois.len()),
        ("turns", city.turns.banned.len()),
        ("panel", city.panel.len()),
        ("crosswalk", city.crosswalk.len()),
    ]
    .map(|(table, rows)| (table, rows as u64))
}

/// Rows by outside id.
struct Lookup<'a> {
    table: &'static str,
    rows: BTreeMap<&'a str, u32>,
}

impl<'a> Lookup<'a> {
    fn new(table: &'static str, ids: &'a [String]) -> Self {
        Self { table, rows: ids.iter().enumerate().map(|(row, id)| (id.as_str(), row as u32)).collect() }
    }
}

/// A table with the checks that several tables share.
struct Table {
    reader: TableReader,
}

impl Table {
    fn say(&self, problems: &mut Problems, row: usize, id: &str, field: &str, value: impl ToString, expected: &str) {
        let id = (!id.is_empty()).then_some(id);
        problems.push(Problem::value(self.reader.path(), row + 1, id, field, value.to_string(), expected));
    }
    /// Ids are unique and not empty.
    fn unique(&self, ids: &[String], problems: &mut Problems) {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (row, id) in ids.iter().enumerate() {
            if id.is_empty() {
                self.say(problems, row, "", "id", "\"\"", "a name");
            } else if let Some(before) = first.insert(id, row) {
                self.say(problems, row, id, "id", id, &format!("an id that row {} has not", before + 1));
            }
        }
    }
    /// The rows that a column of ids refers to; `u32::MAX` where there is no reference.
    fn refer(
        &self,
        field: &str,
        ids: &[String],
        values: &[Option<String>],
        to: &Lookup<'_>,
        problems: &mut Problems,
    ) -> Vec<u32> {
        let find = |(row, value): (usize, &Option<String>)| {
            let Some(value) = value else { return u32::MAX };
            to.rows.get(value.as_str()).copied().unwrap_or_else(|| {
                let id = ids.get(row).map_or("", String::as_str);
                self.say(problems, row, id, field, value, &format!("the id of a row of {}", to.table));
                u32::MAX
            })
        };
        values.iter().enumerate().map(find).collect()
    }
    /// The same where every row must refer to one.
    fn refer_all(&self, field: &str, ids: &[String], to: &Lookup<'_>, problems: &mut Problems) -> Vec<u32> {
        let values: Vec<Option<String>> = self.reader.text(field, problems).into_iter().map(Some).collect();
        self.refer(field, ids, &values, to, problems)
    }
    fn refer_some(&self, field: &str, ids: &[String], to: &Lookup<'_>, problems: &mut Problems) -> Vec<u32> {
        let values = self.reader.text_or_null(field, problems);
        self.refer(field, ids, &values, to, problems)
    }
    /// A column of words of an enumeration.
    fn words<T: Default>(
        &self,
        field: &str,
        ids: &[String],
        from_name: impl Fn(&str) -> Option<T>,
        problems: &mut Problems,
    ) -> Vec<T> {
        let words = self.reader.text(field, problems);
        let word = |(row, word): (usize, &String)| {
            from_name(word).unwrap_or_else(|| {
                let id = ids.get(row).map_or("", String::as_str);
                self.say(problems, row, id, field, word, "a word of the list in the documentation");
                T::default()
            })
        };
        words.iter().enumerate().map(word).collect()
    }
    /// A column of numbers that must pass a test.
    fn number(
        &self,
        field: &str,
        ids: &[String],
        expected: &str,
        holds: impl Fn(usize, f64) -> bool,
        problems: &mut Problems,
    ) -> Vec<f64> {
        let values = self.reader.number(field, problems);
        for (row, &value) in values.iter().enumerate().filter(|&(row, &value)| !holds(row, value)) {
            self.say(problems, row, ids.get(row).map_or("", String::as_str), field, value, expected);
        }
        values
    }
    fn positive(&self, field: &str, ids: &[String], problems: &mut Problems) -> Vec<f64> {
        self.number(field, ids, "> 0", |_, v| v.is_finite() && v > 0.0, problems)
    }
    fn finite(&self, field: &str, ids: &[String], problems: &mut Problems) -> Vec<f64> {
        self.number(field, ids, "a number", |_, v| v.is_finite(), problems)
    }
    fn finite_or_absent(&self, field: &str, ids: &[String], problems: &mut Problems) -> Vec<f64> {
        self.number(field, ids, "a finite number or nothing", |_, v| !v.is_infinite(), problems)
    }
}

fn zones(table: &Table) -> Result<Zones> {
    let mut problems = Problems::new();
    let id = table.reader.text("id", &mut problems);
    table.unique(&id, &mut problems);
    if id.is_empty() && problems.is_empty() {
        problems.push(Problem::file(table.reader.path(), "no zone, expected at least one"));
    }
    let shape = |geometry: Geometry| match geometry {
        Geometry::Polygon(polygon) => Some(MultiPolygon::new(vec![polygon])),
        Geometry::MultiPolygon(shape) => Some(shape),
        _ => None,
    };
    let zones = Zones {
        name: table.reader.text("name", &mut problems),
        area_m2: table.positive("area_m2", &id, &mut problems),
        shape: table.reader.geometry("Polygon or MultiPolygon", shape, &mut problems),
        id,
    };
    problems.or_else(zones)
}

fn nodes(table: &Table, zone_of: &Lookup<'_>) -> Result<Nodes> {
    let mut problems = Problems::new();
    let id = table.reader.text("id", &mut problems);
    table.unique(&id, &mut problems);
    let nodes = Nodes {
        point: table.reader.geometry("Point", |g| g.try_into().ok(), &mut problems),
        x_m: table.finite("x_m", &id, &mut problems),
        y_m: table.finite("y_m", &id, &mut problems),
        elevation_m: table.finite_or_absent("elevation_m", &id, &mut problems),
        control: table.words("control", &id, NodeControl::from_name, &mut problems),
        external: table.reader.flag("external", &mut problems),
        zone: table.refer_some("zone_id", &id, zone_of, &mut problems).into_iter().map(ZoneIx).collect(),
        id,
    };
    problems.or_else(nodes)
}

/// Modes of a text such as `car,walk`.
pub(crate) fn modes_from_text(text: &str) -> Option<Modes> {
    text.split(',').filter(|name| !name.is_empty()).try_fold(Modes::default(), |modes, name| {
        Modes::NAMED.iter().find(|(_, known)| *known == name).map(|(mode, _)| modes.union(*mode))
    })
}

fn links(table: &Table, zone_of: &Lookup<'_>, node_of: &Lookup<'_>) -> Result<Links> {
    let mut problems = Problems::new();
    let id = table.reader.text("id", &mut problems);
    table.unique(&id, &mut problems);
    let modes = table.words("modes", &id, modes_from_text, &mut problems);
    let car = |row: usize| modes.get(row).is_some_and(|modes| modes.contains(Modes::CAR));
    let for_cars = |row: usize, v: f64| v.is_finite() && (v > 0.0 || (v >= 0.0 && !car(row)));
    let expected = "> 0 where cars may pass";
    let lanes = table.reader.small("lanes", &mut problems);
    for (row, _) in lanes.iter().enumerate().filter(|&(row, &lanes)| lanes == 0 && car(row)) {
        table.say(&mut problems, row, &id[row], "lanes", 0, ">= 1 where cars may pass");
    }
    let links = Links {
        from: table.refer_all("from_node", &id, node_of, &mut problems).into_iter().map(NodeIx).collect(),
        to: table.refer_all("to_node", &id, node_of, &mut problems).into_iter().map(NodeIx).collect(),
        way_id: table.reader.whole("way_id", &mut problems),
        class: table.words("class", &id, RoadClass::from_name, &mut problems),
        name: table.reader.text("name", &mut problems),
        length_m: table.positive("length_m", &id, &mut problems),
        lanes,
        speed_mps_free: table.positive("speed_mps_free", &id, &mut problems),
        capacity_vps: table.number("capacity_vps", &id, expected, for_cars, &mut problems),
        jam_density_vpm: table.number("jam_density_vpm", &id, expected, for_cars, &mut problems),
        tunnel: table.reader.flag("tunnel", &mut problems),
        bridge: table.reader.flag("bridge", &mut problems),
        zone: table.refer_some("zone_id", &id, zone_of, &mut problems).into_iter().map(ZoneIx).collect(),
        line: table.reader.geometry("LineString", |g| g.try_into().ok(), &mut problems),
        turn_lanes: match table.reader.has("turn_lanes") {
            true => table.reader.text("turn_lanes", &mut problems),
            false => Vec::new(),
        },
        modes,
        id,
    };
    problems.or_else(links)
}

fn buildings(table: &Table, zone_of: &Lookup<'_>, node_of: &Lookup<'_>) -> Result<Buildings> {
    let mut problems = Problems::new();
    let id = table.reader.text("id", &mut problems);
    table.unique(&id, &mut problems);
    let buildings = Buildings {
        zone: table.refer_all("zone_id", &id, zone_of, &mut problems).into_iter().map(ZoneIx).collect(),
        purpose: table.words("purpose", &id, BuildingUse::from_name, &mut problems),
        floors: table.positive("floors", &id, &mut problems),
        floors_from: table.words("floors_from", &id, FloorsFrom::from_name, &mut problems),
        height_m: table.positive("height_m", &id, &mut problems),
        footprint_m2: table.positive("footprint_m2", &id, &mut problems),
        floor_area_m2: table.positive("floor_area_m2", &id, &mut problems),
        dwellings: table.reader.count("dwellings", &mut problems),
        x_m: table.finite("x_m", &id, &mut problems),
        y_m: table.finite("y_m", &id, &mut problems),
        elevation_m: table.finite_or_absent("elevation_m", &id, &mut problems),
        car_node: table.refer_some("car_node", &id, node_of, &mut problems).into_iter().map(NodeIx).collect(),
        shape: table.reader.geometry("Polygon", |g| g.try_into().ok(), &mut problems),
        id,
    };
    problems.or_else(buildings)
}

fn turns(table: &Table, links: &Links) -> Result<Turns> {
    let mut problems = Problems::new();
    let link_of = Lookup::new("links", &links.id);
    let from = table.refer_all("from_link", &[], &link_of, &mut problems);
    let to = table.refer_all("to_link", &[], &link_of, &mut problems);
    problems.or_else(())?;
    let mut problems = Problems::new();
    let banned: Vec<_> = from.into_iter().zip(to).map(|(from, to)| (LinkIx(from), LinkIx(to))).collect();
    for (row, &(from, to)) in banned.iter().enumerate() {
        if links.to[from.row()] != links.from[to.row()] {
            table.say(
                &mut problems,
                row,
                "",
                "to_link",
                &links.id[to.row()],
                "a link that starts where from_link ends",
            );
        }
    }
    problems.or_else(Turns { banned })
}

fn pois(table: &Table, zone_of: &Lookup<'_>, building_of: &Lookup<'_>) -> Result<Pois> {
    let mut problems = Problems::new();
    let id = table.reader.text("id", &mut problems);
    table.unique(&id, &mut problems);
    let pois = Pois {
        kind: table.words("kind", &id, PoiKind::from_name, &mut problems),
        name: table.reader.text("name", &mut problems),
        zone: table.refer_some("zone_id", &id, zone_of, &mut problems).into_iter().map(ZoneIx).collect(),
        building: table
            .refer_some("building_id", &id, building_of, &mut problems)
            .into_iter()
            .map(BuildingIx)
            .collect(),
        point: table.reader.geometry("Point", |g| g.try_into().ok(), &mut problems),
        id,
    };
    problems.or_else(pois)
}

/// A panel in Parquet.
pub(crate) fn read_panel(reader: TableReader) -> Result<Vec<PanelRow>> {
    panel(&Table { reader })
}

fn panel(table: &Table) -> Result<Vec<PanelRow>> {
    let mut problems = Problems::new();
    let zone_id = table.reader.text("zone_id", &mut problems);
    let period = table.reader.text("period", &mut problems);
    let indicator = table.reader.text("indicator", &mut problems);
    let value = table.finite("value", &zone_id, &mut problems);
    let unit = table.reader.text("unit", &mut problems);
    let source = table.reader.text("source", &mut problems);
    let quality = table.words("quality", &zone_id, Quality::from_name, &mut problems);
    problems.or_else(())?;
    let row = |row: usize| PanelRow {
        zone_id: zone_id[row].clone(),
        period: period[row].clone(),
        indicator: indicator[row].clone(),
        value: value[row],
        unit: unit[row].clone(),
        source: source[row].clone(),
        quality: quality[row],
    };
    Ok((0..zone_id.len()).map(row).collect())
}

fn crosswalk(table: &Table) -> Result<Vec<CrosswalkRow>> {
    let mut problems = Problems::new();
    let from_layer = table.reader.text("from_layer", &mut problems);
    let from_id = table.reader.text("from_id", &mut problems);
    let to_layer = table.reader.text("to_layer", &mut problems);
    let to_id = table.reader.text("to_id", &mut problems);
    let share = |_, weight: f64| (0.0..=1.0 + 1e-9).contains(&weight);
    let weight = table.number("weight", &from_id, "0 to 1", share, &mut problems);
    problems.or_else(())?;
    let row = |row: usize| CrosswalkRow {
        from_layer: from_layer[row].clone(),
        from_id: from_id[row].clone(),
        to_layer: to_layer[row].clone(),
        to_id: to_id[row].clone(),
        weight: weight[row],
    };
    Ok((0..from_id.len()).map(row).collect())
}
