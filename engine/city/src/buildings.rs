//! Buildings: outlines from OpenStreetMap, a vector layer or `synthetic`, made into the buildings table.
//!
//! Floors: tagged levels, else tagged height over the recipe's storey height, else the recipe's rule by
//! use and zone; [`FloorsFrom`] says which. Gross floor area is ground area times floors. A building
//! belongs to the zone of its centroid, or to the nearest zone within [`ZONE_REACH_M`]; further out it
//! is left out and counted, like those below the recipe's smallest footprint and those underground.
//! A relation with several outlines is as many buildings (`relation/1`, `relation/1#2`).
//!
//! Ignores: `building:part`, roof shapes, floors below ground. Parallel over rows in chunks; sorted by
//! id; the same on any number of threads.

use crate::building_tags::{by_area, by_poi, height_m, levels, own_use, use_of_word};
use crate::locate::{CarNodeLocator, ZoneLocator};
use crate::model::{BuildingUse, Buildings, FloorsFrom, Links, Nodes, PoiKind, Zones};
use crate::osm::OsmExtract;
use crate::osm_area::OsmArea;
use crate::projection::Projection;
use crate::recipe;
use crate::vector::{Layer, Value};
use geo::{Area, BoundingRect, Centroid, Contains, Coord, MapCoords, MultiPolygon, Point, Polygon};
use rayon::prelude::*;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use urbis_core::{Problems, Result, ZoneIx};

/// How far outside every zone a building may lie and still belong to the nearest, metres.
pub const ZONE_REACH_M: f64 = 50.0;

/// A building before its floors, zone and node are known.
#[derive(Clone, Debug)]
pub struct Outline {
    /// Outside id.
    pub id: String,
    /// Use, where something says it.
    pub purpose: Option<BuildingUse>,
    /// Levels as tagged.
    pub levels: Option<f64>,
    /// Height as tagged, metres.
    pub height_m: Option<f64>,
    /// Made up for this zone; it belongs to it wherever it stands.
    pub synthetic: Option<ZoneIx>,
    /// Shape in degrees.
    pub shape: Polygon,
}

/// What was left out, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Further than [`ZONE_REACH_M`] outside every zone, or outside the boundary.
    pub outside: u64,
    /// Smaller on the ground than the recipe wants.
    pub small: u64,
    /// Underground or without a whole outline.
    pub unusable: u64,
}

/// A point of interest that may lend its use to the building around it.
#[derive(Clone, Copy, Debug)]
pub struct PoiPlace {
    /// Its kind.
    pub kind: PoiKind,
    /// Its place in degrees.
    pub point: Point,
}

/// Building outlines of an extract, and how many could not be used.
#[must_use]
pub fn from_osm(extract: &OsmExtract, pois: &[PoiPlace]) -> (Vec<Outline>, u64) {
    let found = extract.areas(|tags| tags.has("building"));
    let around = extract.areas(|tags| !tags.has("building") && by_area(tags).is_some());
    let areas = Containers::new(&around.areas);
    let points: Vec<GeomWithData<[f64; 2], BuildingUse>> = pois
        .iter()
        .filter_map(|poi| by_poi(poi.kind).map(|purpose| GeomWithData::new([poi.point.x(), poi.point.y()], purpose)))
        .collect();
    let points = RTree::bulk_load(points);
    let per_area: Vec<Option<Vec<Outline>>> = found
        .areas
        .par_iter()
        .map(|area| {
            let tags = &area.tags;
            let below = tags.is("location", "underground") || tags.is("building", "underground");
            if below {
                return None;
            }
            let purpose =
                |shape: &Polygon| own_use(tags).or_else(|| areas.purpose(shape)).or_else(|| inside(shape, &points));
            let outline = |(at, shape): (usize, &Polygon)| Outline {
                id: if at == 0 { area.id.clone() } else { format!("{}#{}", area.id, at + 1) },
                purpose: purpose(shape),
                levels: tags.get("building:levels").and_then(levels),
                height_m: tags.get("height").or_else(|| tags.get("building:height")).and_then(height_m),
                synthetic: None,
                shape: shape.clone(),
            };
            Some(area.shape.iter().enumerate().map(outline).collect())
        })
        .collect();
    let unusable = found.incomplete.len() + per_area.iter().filter(|outlines| outlines.is_none()).count();
    (per_area.into_iter().flatten().flatten().collect(), unusable as u64)
}

/// The use of points inside a shape: the first in the order of uses, so that trees do not matter.
fn inside(shape: &Polygon, points: &RTree<GeomWithData<[f64; 2], BuildingUse>>) -> Option<BuildingUse> {
    let bounds = shape.bounding_rect()?;
    let near = points.locate_in_envelope(&AABB::from_corners(bounds.min().into(), bounds.max().into()));
    near.filter(|poi| shape.contains(&Point::from(*poi.geom()))).map(|poi| poi.data).min()
}

/// Areas that lend their use to what lies in them.
struct Containers<'a> {
    areas: &'a [OsmArea],
    tree: RTree<GeomWithData<Rectangle<[f64; 2]>, u32>>,
}

impl<'a> Containers<'a> {
    fn new(areas: &'a [OsmArea]) -> Self {
        let boxed = |(row, area): (usize, &OsmArea)| {
            let bounds = area.shape.bounding_rect()?;
            let rectangle = Rectangle::from_corners(bounds.min().into(), bounds.max().into());
            Some(GeomWithData::new(rectangle, row as u32))
        };
        Self { areas, tree: RTree::bulk_load(areas.iter().enumerate().filter_map(boxed).collect()) }
    }
    /// Use of the smallest area that holds the middle of a shape.
    fn purpose(&self, shape: &Polygon) -> Option<BuildingUse> {
        let middle = shape.centroid()?;
        let at = AABB::from_point([middle.x(), middle.y()]);
        let around = self.tree.locate_in_envelope_intersecting(&at).map(|found| found.data);
        let holding = around.filter(|&row| self.areas[row as usize].shape.contains(&middle));
        let size = |row: u32| self.areas[row as usize].shape.unsigned_area();
        let smallest = holding.min_by(|&a, &b| size(a).total_cmp(&size(b)).then(a.cmp(&b)))?;
        by_area(&self.areas[smallest as usize].tags)
    }
}

/// Building outlines of a vector layer.
///
/// # Errors
/// Fields that are missing, rows without area, levels and heights that are no positive numbers.
pub fn from_layer(layer: &Layer, recipe: &recipe::Buildings) -> Result<Vec<Outline>> {
    let mut problems = Problems::new();
    let mut field = |name: &Option<String>| name.as_deref().and_then(|name| layer.field(name, &mut problems));
    let (id, purpose) = (field(&recipe.id_field), field(&recipe.use_field));
    let (levels, height) = (field(&recipe.levels_field), field(&recipe.height_field));
    problems.or_else(())?;
    let mut problems = Problems::new();
    let mut outlines = Vec::with_capacity(layer.features.len());
    for (row, feature) in layer.features.iter().enumerate() {
        let text = |at: Option<usize>| at.and_then(|at| feature.values[at].as_ref()).map(Value::text);
        let id = text(id).filter(|id| !id.is_empty()).unwrap_or_else(|| format!("row/{}", row + 1));
        let mut number = |at: Option<usize>| {
            let value = at.and_then(|at| feature.values[at].as_ref())?;
            let number = value.number().filter(|number| *number > 0.0);
            if number.is_none() && !value.text().is_empty() {
                let field = &layer.fields[at.unwrap_or_default()];
                problems.push(layer.problem(row, Some(&id), field, &value.text(), "a number > 0"));
            }
            number
        };
        let (levels, height_m) = (number(levels), number(height));
        match layer.polygons(row) {
            Ok(polygons) => outlines.extend(polygons.shape.into_iter().enumerate().map(|(part, shape)| Outline {
                id: if part == 0 { id.clone() } else { format!("{id}#{}", part + 1) },
                purpose: text(purpose).as_deref().and_then(use_of_word),
                levels,
                height_m,
                synthetic: None,
                shape,
            })),
            Err(what) => problems.push(layer.problem(row, Some(&id), "geometry", what, "a polygon with area")),
        }
    }
    problems.or_else(outlines)
}

/// What buildings are set into.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// Zones table.
    pub zones: &'a Zones,
    /// Zone shapes in metres.
    pub zones_m: &'a [MultiPolygon],
    /// Nodes table.
    pub nodes: &'a Nodes,
    /// Links table.
    pub links: &'a Links,
    /// Outline of the city in metres; buildings outside are left out.
    pub clip_m: Option<&'a MultiPolygon>,
    /// Degrees to metres.
    pub projection: &'a Projection,
}

/// The buildings table. Dwellings are zero and elevations NaN until they are filled in.
#[must_use]
pub fn table(outlines: Vec<Outline>, recipe: &recipe::Buildings, setting: Setting<'_>) -> (Buildings, LeftOut) {
    let zone_of = ZoneLocator::new(setting.zones_m);
    let car_node_of = CarNodeLocator::new(setting.nodes, setting.links);
    let metres = |at: Coord| {
        let (x, y) = setting.projection.project(at.into());
        Coord { x, y }
    };
    enum Placed {
        Row(Row),
        Outside,
        Small,
    }
    let place = |outline: Outline| {
        let shape_m = outline.shape.map_coords(metres);
        let footprint_m2 = shape_m.unsigned_area();
        if !(footprint_m2 >= recipe.footprint_m2_min && footprint_m2 > 0.0) {
            return Placed::Small;
        }
        let Some(centre) = shape_m.centroid() else { return Placed::Small };
        let zone = outline.synthetic.unwrap_or_else(|| zone_of.near(centre.x(), centre.y(), ZONE_REACH_M));
        if !zone.is_some() || setting.clip_m.is_some_and(|clip| !clip.contains(&centre)) {
            return Placed::Outside;
        }
        let purpose = outline.purpose.unwrap_or_default();
        let rule = recipe.floors_by_rule(&setting.zones.id[zone.row()], purpose);
        let by_height = outline.height_m.map(|height| (height / recipe.storey_height_m).round().max(1.0));
        let (floors, floors_from) = match (outline.levels, by_height) {
            _ if outline.synthetic.is_some() => (outline.levels.unwrap_or(rule), FloorsFrom::Synthetic),
            (Some(levels), _) => (levels, FloorsFrom::Levels),
            (None, Some(floors)) => (floors, FloorsFrom::Height),
            (None, None) => (rule, FloorsFrom::Rule),
        };
        let height_m = outline.height_m.unwrap_or(floors * recipe.storey_height_m);
        let car_node = car_node_of.nearest(centre.x(), centre.y());
        Placed::Row(Row { outline, zone, purpose, floors, floors_from, height_m, footprint_m2, centre, car_node })
    };
    let placed: Vec<Placed> = outlines.into_par_iter().map(place).collect();
    let mut left_out = LeftOut::default();
    let mut rows = Vec::with_capacity(placed.len());
    for one in placed {
        match one {
            Placed::Row(row) => rows.push(row),
            Placed::Outside => left_out.outside += 1,
            Placed::Small => left_out.small += 1,
        }
    }
    rows.sort_by(|a, b| natural(&a.outline.id).cmp(&natural(&b.outline.id)));
    let mut buildings = Buildings::default();
    for row in rows {
        buildings.id.push(row.outline.id);
        buildings.zone.push(row.zone);
        buildings.purpose.push(row.purpose);
        buildings.floors.push(row.floors);
        buildings.floors_from.push(row.floors_from);
        buildings.height_m.push(row.height_m);
        buildings.footprint_m2.push(row.footprint_m2);
        buildings.floor_area_m2.push(row.footprint_m2 * row.floors);
        buildings.dwellings.push(0);
        buildings.x_m.push(row.centre.x());
        buildings.y_m.push(row.centre.y());
        buildings.elevation_m.push(f64::NAN);
        buildings.car_node.push(row.car_node);
        buildings.shape.push(row.outline.shape);
    }
    (buildings, left_out)
}

struct Row {
    outline: Outline,
    zone: ZoneIx,
    purpose: BuildingUse,
    floors: f64,
    floors_from: FloorsFrom,
    height_m: f64,
    footprint_m2: f64,
    centre: Point,
    car_node: urbis_core::NodeIx,
}

/// Order of ids by kind, then number, then what follows: `way/9` before `way/10`.
pub(crate) fn natural(id: &str) -> (&str, u64, &str) {
    let (kind, rest) = id.split_once('/').unwrap_or(("", id));
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    (kind, rest[..digits].parse().unwrap_or(0), &rest[digits..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::osm::{OsmNode, OsmWay, Tags};
    use geo::Rect;

    fn square_deg(projection: &Projection, x: f64, y: f64, side: f64) -> Polygon {
        Rect::new((x, y), (x + side, y + side)).to_polygon().map_coords(|at| {
            let point = projection.unproject(at.x, at.y);
            Coord { x: point.x(), y: point.y() }
        })
    }

    fn projection() -> Projection {
        Projection::from_code("EPSG:32632").unwrap()
    }

    const X0: f64 = 373_000.0;
    const Y0: f64 = 4_843_000.0;

    fn recipe_of(text: &str) -> recipe::Buildings {
        let head =
            "name=\"a\"\ntitle=\"A\"\nvalid_period=\"2024\"\n[roads]\nosm=\"a\"\n[zones]\npath=\"z\"\n[buildings]\n";
        toml::from_str::<recipe::Recipe>(&format!("{head}{text}")).unwrap().buildings
    }

    fn outline(id: &str, x: f64, side: f64, levels: Option<f64>, height_m: Option<f64>) -> Outline {
        let shape = square_deg(&projection(), X0 + x, Y0, side);
        Outline { id: id.to_owned(), purpose: None, levels, height_m, synthetic: None, shape }
    }

    #[test]
    fn floors_zones_and_what_is_left_out() {
        let projection = projection();
        let zones = Zones { id: vec!["z".to_owned()], name: vec!["Z".to_owned()], ..Zones::default() };
        let zones_m = [MultiPolygon::new(vec![Rect::new((X0, Y0 - 10.0), (X0 + 500.0, Y0 + 100.0)).to_polygon()])];
        let (nodes, links) = (Nodes::default(), Links::default());
        let setting = Setting {
            zones: &zones,
            zones_m: &zones_m,
            nodes: &nodes,
            links: &links,
            clip_m: None,
            projection: &projection,
        };
        let recipe = recipe_of("floors={residential=4.0}\nfloors_by_zone.z={residential=6.0}\n");
        let outlines = vec![
            outline("way/10", 0.0, 10.0, Some(3.5), Some(99.0)),
            outline("way/9", 20.0, 10.0, None, Some(31.0)),
            outline("relation/1", 40.0, 10.0, None, None),
            outline("way/11", 520.0, 10.0, None, None),
            outline("way/12", 600.0, 10.0, None, None),
            outline("way/13", 60.0, 3.0, None, None),
        ];
        let (table, left_out) = table(outlines, &recipe, setting);
        assert_eq!(table.id, ["relation/1", "way/9", "way/10", "way/11"]);
        assert_eq!(left_out, LeftOut { outside: 1, small: 1, unusable: 0 });
        assert_eq!(table.floors_from, [FloorsFrom::Rule, FloorsFrom::Height, FloorsFrom::Levels, FloorsFrom::Rule]);
        for (got, wanted) in table.floors.iter().zip([6.0, 10.0, 3.5, 6.0]) {
            assert!((got - wanted).abs() < 1e-9);
        }
        assert!((table.floor_area_m2[2] - 350.0).abs() < 1e-3, "{}", table.floor_area_m2[2]);
        assert!((table.height_m[0] - 18.0).abs() < 1e-9 && (table.height_m[2] - 99.0).abs() < 1e-9);
        assert!(table.zone.iter().all(|&zone| zone == ZoneIx(0)));
    }

    #[test]
    fn uses_from_areas_and_what_is_inside() {
        let corner = |id: i64, x: f64, y: f64| {
            let at = projection().unproject(X0 + x, Y0 + y);
            OsmNode { id, lon: at.x(), lat: at.y(), tags: Tags::default() }
        };
        let square = |first: i64, x: f64, side: f64| {
            [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)]
                .iter()
                .enumerate()
                .map(|(at, (dx, dy))| corner(first + at as i64, x + dx, *dy))
                .collect::<Vec<_>>()
        };
        let way = |id: i64, first: i64, pairs: &[(&str, &str)]| OsmWay {
            id,
            refs: vec![first, first + 1, first + 2, first + 3, first],
            tags: Tags::new(pairs),
        };
        let nodes =
            [square(1, 1.0, 10.0), square(11, 0.0, 50.0), square(21, 100.0, 10.0), square(31, 200.0, 10.0)].concat();
        let ways = vec![
            way(1, 1, &[("building", "yes"), ("building:levels", "2;3")]),
            way(2, 11, &[("amenity", "school")]),
            way(3, 21, &[("building", "yes")]),
            way(4, 31, &[("building", "yes"), ("location", "underground")]),
        ];
        let extract = OsmExtract::new(nodes, ways, Vec::new());
        let inn = PoiPlace { kind: PoiKind::Hotel, point: projection().unproject(X0 + 105.0, Y0 + 5.0) };
        let (outlines, unusable) = from_osm(&extract, &[inn]);
        let uses: Vec<_> = outlines.iter().map(|o| (o.id.as_str(), o.purpose)).collect();
        assert_eq!(uses, [("way/1", Some(BuildingUse::Education)), ("way/3", Some(BuildingUse::Hotel))]);
        assert_eq!(unusable, 1);
        assert!(outlines[0].levels.is_some_and(|levels| (levels - 3.0).abs() < 1e-9));
    }

    #[test]
    fn outlines_from_a_layer() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("b.geojson");
        let feature = |name: &str, floors: &str| {
            format!(
                r#"{{"type":"Feature","properties":{{"code":"{name}","use":"office","floors":{floors}}},
                "geometry":{{"type":"Polygon","coordinates":[[[7,43],[7.001,43],[7.001,43.001],[7,43]]]}}}}"#
            )
        };
        let write = |floors: &str| {
            let text = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, feature("a", floors));
            std::fs::write(&path, text).unwrap();
            let recipe = recipe_of("id_field=\"code\"\nuse_field=\"use\"\nlevels_field=\"floors\"\n");
            from_layer(&Layer::read(&path, None).unwrap(), &recipe)
        };
        let outlines = write("4").unwrap();
        assert_eq!((outlines[0].id.as_str(), outlines[0].purpose), ("a", Some(BuildingUse::Office)));
        let urbis_core::Error::Input(problems) = write("-4").unwrap_err() else { panic!() };
        assert!(problems.listed()[0].to_string().contains("row 1 (id a): floors = -4, expected a number > 0"));
    }
}
