//! Zones: from polygons of any vector layer, or from the centres of a hexagonal lattice (H3 and the
//! like), whose cells are then built.
//!
//! A cell is the part of a hexagon around its centre that is nearer to it than to any other centre: the
//! Voronoi cell, bounded by the hexagon of the lattice's own orientation and spacing where neighbours
//! are missing. In H3's nearly regular lattice that is H3's cell to within a few percent of its area.
//!
//! Ids: the field's value, replaced through `ids` of the recipe, then through `merge`. Rows of one id
//! are merged into one shape. Rows without area, without id, and ids that stand for two rows without
//! the recipe saying so are problems. Sorted by id. Single-threaded but for areas; deterministic.

use crate::model;
use crate::projection::Projection;
use crate::recipe;
use crate::vector::Layer;
use geo::{Area, BooleanOps, BoundingRect, Coord, CoordsIter, LineString, MultiPolygon, Point, Polygon};
use rstar::RTree;
use rstar::primitives::GeomWithData;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Problem, Problems, Result, ZoneIx};

/// Zones read from a recipe, before they are projected.
#[derive(Clone, Debug)]
pub struct ZonesRead {
    /// Zone ids, sorted.
    pub id: Vec<String>,
    /// Names for people.
    pub name: Vec<String>,
    /// Shapes in degrees.
    pub shape: Vec<MultiPolygon>,
    /// The layer they come from.
    pub layer: Layer,
    /// The zone of each row of the layer.
    pub zone_of_row: Vec<ZoneIx>,
    /// Ids of zones whose outline crossed itself and was repaired.
    pub repaired: Vec<String>,
}

/// Reads the zones of a recipe from the file its path or points stand for.
///
/// # Errors
/// All rows without id or area, ids used twice, and keys of `ids`, `names`, `merge` that name nothing.
pub fn read(path: &Path, recipe: &recipe::Zones, recipe_path: &Path) -> Result<ZonesRead> {
    let layer = Layer::read(path, recipe.layer.as_deref())?;
    if layer.features.is_empty() {
        return Err(no_zone(path).into());
    }
    let mut problems = Problems::new();
    let id_field = layer.field(&recipe.id_field, &mut problems);
    let name_field = recipe.name_field.as_deref().map(|field| layer.field(field, &mut problems));
    problems.or_else(())?;
    let mut problems = Problems::new();
    let (Some(id_field), name_field) = (id_field, name_field.flatten()) else { return Err(no_zone(path).into()) };
    let cells = if recipe.points.is_some() { Some(cells(&layer, &mut problems)) } else { None };
    let mut found: BTreeMap<String, Zone> = BTreeMap::new();
    let mut id_of_row = Vec::with_capacity(layer.features.len());
    for (row, feature) in layer.features.iter().enumerate() {
        let value = feature.values[id_field].as_ref().map(crate::vector::Value::text).unwrap_or_default();
        if value.is_empty() {
            problems.push(layer.problem(row, None, &recipe.id_field, "nothing", "a zone id"));
            id_of_row.push(String::new());
            continue;
        }
        let renamed = recipe.ids.get(&value).unwrap_or(&value);
        let id = recipe.merge.get(renamed).unwrap_or(renamed);
        id_of_row.push(id.clone());
        let shape = match &cells {
            Some(cells) => cells.get(row).cloned().flatten().ok_or("no point"),
            None => layer.polygons(row).map(|polygons| {
                found.entry(id.clone()).or_default().repaired |= polygons.repaired;
                polygons.shape
            }),
        };
        let shape = match shape {
            Ok(shape) => shape,
            Err(what) => {
                problems.push(layer.problem(row, Some(id), "geometry", what, "a polygon with area"));
                continue;
            }
        };
        let zone = found.entry(id.clone()).or_default();
        if let Some(before) = zone.values.iter().find(|before| **before == value) {
            let expected = "an id that no other row has (or say in the recipe what becomes of it)";
            problems.push(layer.problem(row, Some(id), &recipe.id_field, before, expected));
            continue;
        }
        // The zone another is merged into keeps its name.
        let main = renamed == id && zone.values.is_empty() || !recipe.merge.contains_key(renamed);
        if main || zone.name.is_empty() {
            let name = name_field.and_then(|field| feature.values[field].as_ref()).map(crate::vector::Value::text);
            zone.name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone());
        }
        zone.shape = if zone.values.is_empty() { shape } else { zone.shape.union(&shape) };
        zone.values.push(value);
    }
    check_keys(&layer, recipe, id_field, &found, recipe_path, &mut problems);
    problems.or_else(())?;
    let ids: Vec<String> = found.keys().cloned().collect();
    let zone_of = |id: &String| ZoneIx(ids.binary_search(id).map_or(u32::MAX, |row| row as u32));
    let zone_of_row = id_of_row.iter().map(zone_of).collect();
    let named = |(id, zone): (&String, &Zone)| recipe.names.get(id).unwrap_or(&zone.name).clone();
    let name = found.iter().map(named).collect();
    let repaired = found.iter().filter(|(_, zone)| zone.repaired).map(|(id, _)| id.clone()).collect();
    let shape = found.into_values().map(|zone| zone.shape).collect();
    Ok(ZonesRead { id: ids, name, shape, layer, zone_of_row, repaired })
}

struct Zone {
    name: String,
    shape: MultiPolygon,
    /// Values of the id field that make it up.
    values: Vec<String>,
    repaired: bool,
}

impl Default for Zone {
    fn default() -> Self {
        Self { name: String::new(), shape: MultiPolygon::new(Vec::new()), values: Vec::new(), repaired: false }
    }
}

fn no_zone(path: &Path) -> Problem {
    Problem::file(path, "no zone, expected at least one")
}

/// Every key of the recipe's tables names something.
fn check_keys(
    layer: &Layer,
    recipe: &recipe::Zones,
    id_field: usize,
    found: &BTreeMap<String, Zone>,
    recipe_path: &Path,
    problems: &mut Problems,
) {
    let values: Vec<String> =
        layer.features.iter().filter_map(|f| f.values[id_field].as_ref().map(crate::vector::Value::text)).collect();
    let renamed: Vec<&str> = values.iter().map(|value| recipe.ids.get(value).unwrap_or(value).as_str()).collect();
    let all: Vec<&str> = values.iter().map(String::as_str).collect();
    let zones: Vec<&str> = found.keys().map(String::as_str).collect();
    let mut check = |table: &str, key: &str, known: &[&str], what: &str| {
        if !known.contains(&key) {
            let problem = Problem::file(recipe_path, format!("[zones.{table}] names `{key}`, which is no {what}"));
            problems.push(match did_you_mean(key, known.iter().copied()) {
                Some(near) => problem.with_help(format!("did you mean `{near}`?")),
                None => problem.with_help(format!("known are {}", known.join(", "))),
            });
        }
    };
    recipe.ids.keys().for_each(|key| check("ids", key, &all, "value of the id field"));
    recipe.merge.keys().for_each(|key| check("merge", key, &renamed, "zone"));
    recipe.merge.values().for_each(|key| check("merge", key, &renamed, "zone"));
    recipe.names.keys().for_each(|key| check("names", key, &zones, "zone"));
}

/// West, south, east, north of shapes in degrees.
#[must_use]
pub fn bounds_deg(shapes: &[MultiPolygon]) -> [f64; 4] {
    let grow =
        |[w, s, e, n]: [f64; 4], b: geo::Rect| [w.min(b.min().x), s.min(b.min().y), e.max(b.max().x), n.max(b.max().y)];
    let none = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    shapes.iter().filter_map(BoundingRect::bounding_rect).fold(none, grow)
}

/// The zones table; areas come from shapes in metres.
#[must_use]
pub fn table(read: &ZonesRead, shapes_m: &[MultiPolygon]) -> model::Zones {
    model::Zones {
        id: read.id.clone(),
        name: read.name.clone(),
        area_m2: shapes_m.iter().map(Area::unsigned_area).collect(),
        shape: read.shape.clone(),
    }
}

/// The hexagonal cells of the layer's points, in degrees; `None` for a row without point.
fn cells(layer: &Layer, problems: &mut Problems) -> Vec<Option<MultiPolygon>> {
    let place = |feature: &crate::vector::Feature| match &feature.geometry {
        Some(geo::Geometry::Point(point)) => Some(*point),
        _ => None,
    };
    let points: Vec<Option<Point>> = layer.features.iter().map(place).collect();
    let Some(middle) = middle(points.iter().flatten()) else {
        problems.push(Problem::file(&layer.path, "no points, expected columns lon and lat in degrees"));
        return Vec::new();
    };
    let projection = Projection::auto(middle.x(), middle.y());
    let metres: Vec<Option<[f64; 2]>> = points.iter().map(|p| p.map(|p| projection.project(p).into())).collect();
    let centres = metres.iter().enumerate().filter_map(|(row, at)| at.map(|at| GeomWithData::new(at, row)));
    let tree = RTree::bulk_load(centres.collect());
    // The lattice: its spacing and orientation, from every centre's nearest neighbour.
    let mut nearest_m: Vec<f64> = Vec::new();
    let (mut cosine, mut sine) = (0.0, 0.0);
    for (row, at) in metres.iter().enumerate() {
        let Some(at) = at else { continue };
        if let Some(near) = tree.nearest_neighbor_iter(at).find(|other| other.data != row) {
            let (dx, dy) = (near.geom()[0] - at[0], near.geom()[1] - at[1]);
            let distance_m = dx.hypot(dy);
            if distance_m < 1e-3 {
                let id = format!("rows {} and {}", row + 1, near.data + 1);
                problems.push(layer.problem(row, Some(&id), "point", "the same place", "centres apart"));
                return Vec::new();
            }
            nearest_m.push(distance_m);
            let turned = 6.0 * dy.atan2(dx);
            (cosine, sine) = (cosine + turned.cos(), sine + turned.sin());
        }
    }
    if nearest_m.is_empty() {
        problems.push(Problem::file(&layer.path, "one point only, expected at least two centres of a lattice"));
        return Vec::new();
    }
    nearest_m.sort_by(f64::total_cmp);
    let spacing_m = nearest_m[nearest_m.len() / 2];
    let turn = sine.atan2(cosine) / 6.0;
    let cell = |row: usize, at: [f64; 2]| {
        let reach_m = 1.35 * spacing_m;
        let near: Vec<[f64; 2]> = tree
            .locate_within_distance(at, reach_m * reach_m)
            .filter(|other| other.data != row)
            .map(|other| *other.geom())
            .collect();
        let farthest_m = near.iter().map(|to| (to[0] - at[0]).hypot(to[1] - at[1])).fold(spacing_m, f64::max);
        // A hexagon whose edges lie just where the farthest neighbour's border would.
        let radius_m = farthest_m / 2.0 / (std::f64::consts::PI / 6.0).cos();
        let corner = |k: u32| {
            let angle = turn + std::f64::consts::PI / 6.0 + f64::from(k) * std::f64::consts::PI / 3.0;
            Coord { x: radius_m * angle.cos(), y: radius_m * angle.sin() }
        };
        let mut ring: Vec<Coord> = (0..6).map(corner).collect();
        for to in &near {
            ring = nearer(&ring, Coord { x: to[0] - at[0], y: to[1] - at[1] });
        }
        let degrees: Vec<Point> = ring.iter().map(|c| projection.unproject(at[0] + c.x, at[1] + c.y)).collect();
        MultiPolygon::new(vec![Polygon::new(LineString::from(degrees), Vec::new())])
    };
    metres.iter().enumerate().map(|(row, at)| at.map(|at| cell(row, at))).collect()
}

/// The part of a convex ring around the origin that is nearer to the origin than to `other`.
fn nearer(ring: &[Coord], other: Coord) -> Vec<Coord> {
    let half = (other.x * other.x + other.y * other.y) / 2.0;
    let inside = |at: Coord| half - (at.x * other.x + at.y * other.y);
    let mut kept = Vec::with_capacity(ring.len() + 1);
    for (at, &here) in ring.iter().enumerate() {
        let before = ring[(at + ring.len() - 1) % ring.len()];
        let (from, to) = (inside(before), inside(here));
        if (from >= 0.0) != (to >= 0.0) {
            kept.push(before + (here - before) * (from / (from - to)));
        }
        if to >= 0.0 {
            kept.push(here);
        }
    }
    kept
}

fn middle<'a>(points: impl Iterator<Item = &'a Point>) -> Option<Point> {
    let all: Vec<Coord> = points.flat_map(CoordsIter::coords_iter).collect();
    let bounds = LineString::new(all).bounding_rect()?;
    Some(bounds.center().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_core::Error;

    const HEAD: &str = "name=\"a\"\ntitle=\"A\"\nvalid_period=\"2024\"\n[roads]\nosm=\"a\"\n[zones]\n";

    fn recipe_of(zones: &str) -> recipe::Zones {
        toml::from_str::<recipe::Recipe>(&format!("{HEAD}{zones}")).unwrap().zones
    }

    fn read_text(file: &str, text: &str, zones: &str) -> Result<ZonesRead> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(file);
        std::fs::write(&path, text).unwrap();
        read(&path, &recipe_of(zones), Path::new("city.toml"))
    }

    fn said<T>(result: Result<T>) -> String {
        let Error::Input(problems) = result.err().unwrap() else { panic!() };
        problems.listed().iter().map(|p| format!("{p} {}\n", p.help_text().unwrap_or_default())).collect()
    }

    fn collection(features: &[(&str, Option<(f64, f64)>)]) -> String {
        let feature = |(name, at): &(&str, Option<(f64, f64)>)| {
            let geometry = at.map_or("null".to_owned(), |(x, y)| {
                let (e, n) = (x + 1.0, y + 1.0);
                format!(r#"{{"type":"Polygon","coordinates":[[[{x},{y}],[{e},{y}],[{e},{n}],[{x},{n}],[{x},{y}]]]}}"#)
            });
            format!(r#"{{"type":"Feature","properties":{{"name":"{name}"}},"geometry":{geometry}}}"#)
        };
        let all: Vec<String> = features.iter().map(feature).collect();
        format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, all.join(","))
    }

    const BY_NAME: &str = "path=\"z\"\nid_field=\"name\"\nname_field=\"name\"\n";

    #[test]
    fn ids_are_mapped_and_zones_merged() {
        let text =
            collection(&[("Old Port", Some((7.0, 43.0))), ("B", Some((10.0, 43.0))), ("Pier", Some((8.0, 43.0)))]);
        let zones = format!(
            "{BY_NAME}ids={{\"Old Port\"=\"port\",Pier=\"pier\"}}\nmerge={{pier=\"port\"}}\nnames={{B=\"Bee\"}}\n"
        );
        let read = read_text("z.geojson", &text, &zones).unwrap();
        assert_eq!(read.id, ["B", "port"]);
        assert_eq!(read.name, ["Bee", "Old Port"]);
        assert_eq!(read.zone_of_row, [ZoneIx(1), ZoneIx(0), ZoneIx(1)]);
        assert!((read.shape[1].unsigned_area() - 2.0).abs() < 1e-9);
        assert_eq!(bounds_deg(&read.shape).map(f64::to_bits), [7.0, 43.0, 11.0, 44.0].map(f64::to_bits));
    }

    #[test]
    fn every_bad_zone_is_named() {
        let text =
            collection(&[("A", Some((7.0, 43.0))), ("B", None), ("A", Some((8.0, 43.0))), ("", Some((9.0, 43.0)))]);
        let said_all = said(read_text("z.geojson", &text, BY_NAME));
        for part in [
            "row 2 (id B): geometry = null, expected a polygon with area",
            "row 3 (id A): name = A, expected an id that no other row has",
            "row 4: name = nothing, expected a zone id",
        ] {
            assert!(said_all.contains(part), "{part}: {said_all}");
        }
        let good = collection(&[("Larvotto", Some((7.0, 43.0)))]);
        let said_all = said(read_text("z.geojson", &good, &format!("{BY_NAME}names={{Larvoto=\"L\"}}")));
        assert!(said_all.contains("`Larvoto`, which is no zone did you mean `Larvotto`?"), "{said_all}");
        assert!(said(read_text("z.geojson", &collection(&[]), BY_NAME)).contains("no zone, expected at least one"));
        assert!(said(read_text("z.geojson", &good, "path=\"z\"\nid_field=\"nam\"")).contains("did you mean `name`?"));
    }

    /// A regular lattice of 200 m: cells are its hexagons, side by side, also at the rim.
    #[test]
    fn cells_of_a_lattice() {
        let projection = Projection::auto(-51.2, -30.0);
        let (x0, y0) = projection.project(Point::new(-51.2, -30.0));
        let mut text = "id,lon,lat\n".to_owned();
        for row in 0..8_u32 {
            for column in 0..9_u32 {
                let x = x0 + 200.0 * (f64::from(column) + 0.5 * f64::from(row % 2));
                let y = y0 + 200.0 * 0.75_f64.sqrt() * f64::from(row);
                let at = projection.unproject(x, y);
                text += &format!("c{row}{column},{},{}\n", at.x(), at.y());
            }
        }
        let read = read_text("p.csv", &text, "points=\"p.csv\"\n").unwrap();
        let shapes = crate::crosswalk::projected(&read.shape, &projection);
        let hexagon_m2 = 200.0 * 200.0 * 0.75_f64.sqrt();
        for shape in &shapes {
            assert!((shape.unsigned_area() / hexagon_m2 - 1.0).abs() < 1e-3, "{}", shape.unsigned_area());
        }
        let together: f64 = shapes.iter().map(Area::unsigned_area).sum();
        assert!((geo::unary_union(shapes.iter()).unsigned_area() / together - 1.0).abs() < 1e-4);
        assert!(said(read_text("p.csv", "id,lon,lat\na,1,2\n", "points=\"p\"")).contains("at least two centres"));
    }
}
