//! Writes the tables of a city package. Column names are those of [`crate::model`]; references are
//! outside ids; enumerations are words. Single-threaded; equal tables give equal bytes.

use crate::geoparquet::TableWriter;
use crate::model::{City, Modes};
use crate::package::{FILES, file_of};
use std::path::Path;
use urbis_core::Result;

/// Writes every table under `folder`.
pub(crate) fn write_tables(city: &City, folder: &Path) -> Result<()> {
    for (_, file) in FILES {
        urbis_core::files::create_folder(urbis_core::files::parent(&folder.join(file)))?;
    }
    nodes(city)?.write(&file_of(folder, "nodes"))?;
    links(city)?.write(&file_of(folder, "links"))?;
    buildings(city)?.write(&file_of(folder, "buildings"))?;
    zones(city)?.write(&file_of(folder, "zones"))?;
    pois(city)?.write(&file_of(folder, "pois"))?;
    turns(city).write(&file_of(folder, "turns"))?;
    panel(city).write(&file_of(folder, "panel"))?;
    crosswalk(city).write(&file_of(folder, "crosswalk"))
}

/// Ids of referenced rows; `None` where there is no reference.
fn ids<'a>(of: &'a [String], rows: impl Iterator<Item = usize> + 'a) -> impl Iterator<Item = Option<&'a str>> {
    rows.map(move |row| of.get(row).map(String::as_str))
}

/// The modes of a link as words joined by commas.
pub(crate) fn modes_text(modes: Modes) -> String {
    let names: Vec<&str> = Modes::NAMED.iter().filter(|(m, _)| modes.contains(*m)).map(|(_, name)| *name).collect();
    names.join(",")
}

/// The nodes layer as a table, for packages and results alike.
///
/// # Errors
/// When a geometry cannot be encoded.
pub fn nodes(city: &City) -> Result<TableWriter> {
    let nodes = &city.nodes;
    let mut table = TableWriter::new("Junctions and ends of roads and paths");
    table.text("id", "outside id", &nodes.id);
    table.number("x_m", "m", "easting in the projected system of the manifest", &nodes.x_m);
    table.number("y_m", "m", "northing in the projected system of the manifest", &nodes.y_m);
    table.number("elevation_m", "m", "height above the datum of the source", &nodes.elevation_m);
    table.text("control", "how the junction is controlled", nodes.control.iter().map(|c| c.name()));
    table.flag("external", "stands for the world outside the area", &nodes.external);
    table.text_or_null("zone_id", "zone it lies in", ids(&city.zones.id, nodes.zone.iter().map(|z| z.row())));
    table.geometry("place", &nodes.point)?;
    Ok(table)
}

/// The links layer as a table, for packages and results alike.
///
/// # Errors
/// When a geometry cannot be encoded.
pub fn links(city: &City) -> Result<TableWriter> {
    let links = &city.links;
    let mut table = TableWriter::new("Directed road and path segments between nodes");
    table.text("id", "outside id", &links.id);
    table.text("from_node", "upstream node", links.from.iter().map(|n| &city.nodes.id[n.row()]));
    table.text("to_node", "downstream node", links.to.iter().map(|n| &city.nodes.id[n.row()]));
    table.whole("way_id", "", "OpenStreetMap way of its first part, 0 where there is none", &links.way_id);
    table.text("class", "road class", links.class.iter().map(|c| c.name()));
    table.text("name", "street name", &links.name);
    table.number("length_m", "m", "length along the geometry", &links.length_m);
    table.small("lanes", "", "lanes in this direction", &links.lanes);
    table.number("speed_mps_free", "m/s", "free-flow speed", &links.speed_mps_free);
    table.number("capacity_vps", "vehicles/s", "capacity of all lanes", &links.capacity_vps);
    table.number("jam_density_vpm", "vehicles/m", "jam density of all lanes", &links.jam_density_vpm);
    table.text("modes", "who may pass, joined by commas", links.modes.iter().map(|&m| modes_text(m)));
    if !links.turn_lanes.is_empty() {
        table.text("turn_lanes", "turns marked on the lanes at its end, left lane first", &links.turn_lanes);
    }
    table.flag("tunnel", "in a tunnel", &links.tunnel);
    table.flag("bridge", "on a bridge", &links.bridge);
    table.text_or_null("zone_id", "zone its middle lies in", ids(&city.zones.id, links.zone.iter().map(|z| z.row())));
    table.geometry("line from upstream to downstream", &links.line)?;
    Ok(table)
}

/// The buildings layer as a table, for packages and results alike.
///
/// # Errors
/// When a geometry cannot be encoded.
pub fn buildings(city: &City) -> Result<TableWriter> {
    let buildings = &city.buildings;
    let mut table = TableWriter::new("Buildings, real or synthetic");
    table.text("id", "outside id", &buildings.id);
    table.text("zone_id", "zone its centre lies in", buildings.zone.iter().map(|z| &city.zones.id[z.row()]));
    table.text("purpose", "what it is mostly for", buildings.purpose.iter().map(|p| p.name()));
    table.number("floors", "", "floors above ground", &buildings.floors);
    table.text("floors_from", "where floors come from", buildings.floors_from.iter().map(|f| f.name()));
    table.number("height_m", "m", "height above ground", &buildings.height_m);
    table.number("footprint_m2", "m2", "ground area", &buildings.footprint_m2);
    table.number("floor_area_m2", "m2", "gross floor area", &buildings.floor_area_m2);
    table.count("dwellings", "", "dwellings", &buildings.dwellings);
    table.number("x_m", "m", "easting of its centre in the projected system of the manifest", &buildings.x_m);
    table.number("y_m", "m", "northing of its centre in the projected system of the manifest", &buildings.y_m);
    table.number("elevation_m", "m", "height of the ground above the datum of the source", &buildings.elevation_m);
    let nodes = ids(&city.nodes.id, buildings.car_node.iter().map(|n| n.row()));
    table.text_or_null("car_node", "nearest node of the car network", nodes);
    table.geometry("outline", &buildings.shape)?;
    Ok(table)
}

/// The zones layer as a table, for packages and results alike.
///
/// # Errors
/// When a geometry cannot be encoded.
pub fn zones(city: &City) -> Result<TableWriter> {
    let zones = &city.zones;
    let mut table = TableWriter::new("Statistical zones");
    table.text("id", "outside id", &zones.id);
    table.text("name", "name for people", &zones.name);
    table.number("area_m2", "m2", "area", &zones.area_m2);
    table.geometry("shape", &zones.shape)?;
    Ok(table)
}

/// The points of interest layer as a table, for packages and results alike.
///
/// # Errors
/// When a geometry cannot be encoded.
pub fn pois(city: &City) -> Result<TableWriter> {
    let pois = &city.pois;
    let mut table = TableWriter::new("Points of interest");
    table.text("id", "outside id", &pois.id);
    table.text("kind", "kind", pois.kind.iter().map(|k| k.name()));
    table.text("name", "name", &pois.name);
    table.text_or_null("zone_id", "zone it lies in", ids(&city.zones.id, pois.zone.iter().map(|z| z.row())));
    let buildings = ids(&city.buildings.id, pois.building.iter().map(|b| b.row()));
    table.text_or_null("building_id", "building it lies in or beside", buildings);
    table.geometry("place", &pois.point)?;
    Ok(table)
}

fn turns(city: &City) -> TableWriter {
    let banned = &city.turns.banned;
    let mut table = TableWriter::new("Forbidden sequences of two links");
    table.text("from_link", "incoming link", banned.iter().map(|(from, _)| &city.links.id[from.row()]));
    table.text("to_link", "outgoing link that may not follow", banned.iter().map(|(_, to)| &city.links.id[to.row()]));
    table
}

fn panel(city: &City) -> TableWriter {
    let rows = &city.panel;
    let values: Vec<f64> = rows.iter().map(|row| row.value).collect();
    let mut table = TableWriter::new("Statistics, one figure a row");
    table.text("zone_id", "zone, the city's name, or several zones joined by +", rows.iter().map(|r| &r.zone_id));
    table.text("period", "year or day it stands for", rows.iter().map(|r| &r.period));
    table.text("indicator", "what it is", rows.iter().map(|r| &r.indicator));
    table.number("value", "", "the figure, in the unit of column unit", &values);
    table.text("unit", "its unit", rows.iter().map(|r| &r.unit));
    table.text("source", "who says so", rows.iter().map(|r| &r.source));
    table.text("quality", "sourced, recalled or estimate", rows.iter().map(|r| r.quality.name()));
    table
}

fn crosswalk(city: &City) -> TableWriter {
    let rows = &city.crosswalk;
    let weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
    let mut table = TableWriter::new("Shares of areas that lie in zones");
    table.text("from_layer", "layer or raster the weight spreads from", rows.iter().map(|r| &r.from_layer));
    table.text("from_id", "its zone or cell (row,column)", rows.iter().map(|r| &r.from_id));
    table.text("to_layer", "layer it spreads to", rows.iter().map(|r| &r.to_layer));
    table.text("to_id", "its zone", rows.iter().map(|r| &r.to_id));
    table.number("weight", "", "share of the area of from_id in to_id", &weights);
    table
}
