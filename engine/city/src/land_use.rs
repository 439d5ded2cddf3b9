//! Buildings that a plan adds to a city, and buildings that it takes from it.
//!
//! A new building is given by its outline or by a point, where it is a square of its floor area over its floors. Zone,
//! floors and the node where its cars leave come from what makes the buildings of a package ([`crate::buildings`]); its
//! ground is as high as that node. New rows stand after all others, in the order of the plan, so whatever is drawn by the
//! row of a building stays for the others.
//!
//! What is taken down keeps its row, as a place of use `other` without floor area and roof: nobody lives, works or draws
//! anything there, and points of interest in it are gone. A part is taken from the floors.
//!
//! Ignores plots: whether there is room for a building, and what stands there. Contract: pure, single-threaded but for
//! zones and nodes, which are looked for in parallel; the same on any number of threads.

use crate::buildings::{self, Outline, Setting};
use crate::crosswalk::projected;
use crate::model::{BuildingUse, City};
use crate::projection::{Projection, is_lon_lat};
use crate::recipe;
use crate::vector::{Layer, Value};
use geo::{Coord, LineString, MapCoords, Point, Polygon};
use std::collections::{BTreeMap, BTreeSet};
use urbis_core::{BuildingIx, Problems, Result};

/// Where a new building stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Site {
    /// Easting and northing of its middle, metres.
    Metres(f64, f64),
    /// Longitude and latitude of its middle.
    Degrees(Point),
    /// Its outline, degrees.
    Outline(Polygon),
}

/// A building of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedBuilding {
    /// Outside id.
    pub id: String,
    /// Where it stands.
    pub site: Site,
    /// What it is for.
    pub purpose: BuildingUse,
    /// Gross floor area, m2; ground area times floors where absent.
    pub floor_area_m2: Option<f64>,
    /// Floors; by height, or by the rule of its use where absent.
    pub levels: Option<f64>,
    /// Height, metres.
    pub height_m: Option<f64>,
    /// Dwellings; by floor area in a residential building where absent.
    pub dwellings: Option<u32>,
    /// People who move in.
    pub residents: Option<f64>,
    /// Jobs.
    pub jobs: Option<f64>,
}

/// What is wrong with something of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFault {
    /// Row in the plan.
    pub item: usize,
    /// Key that is wrong; empty for the whole.
    pub key: &'static str,
    /// The sentence.
    pub message: String,
}

/// Fields of a layer of new buildings: numbers.
const NUMBERS: [&str; 6] = ["floor_area_m2", "levels", "height_m", "dwellings", "residents", "jobs"];

/// New buildings of a layer: polygons or points with fields `use`, and where known `id`, `floor_area_m2`, `levels`,
/// `height_m`, `dwellings`, `residents` and `jobs`. Rows without an id are named after `name`.
///
/// # Errors
/// Every row without place or use, and every value that is no number of its kind.
pub fn from_layer(layer: &Layer, name: &str) -> Result<Vec<PlannedBuilding>> {
    let mut problems = Problems::new();
    let purpose = layer.field("use", &mut problems);
    let place = |name: &str| layer.fields.iter().position(|field| field == name);
    let (id_at, numbers_at) = (place("id"), NUMBERS.map(place));
    let known: Vec<&str> = BuildingUse::NAMED.iter().map(|(_, name)| *name).collect();
    let mut all = Vec::with_capacity(layer.features.len());
    for (row, feature) in layer.features.iter().enumerate() {
        let text = |at: Option<usize>| at.and_then(|at| feature.values[at].as_ref()).map(Value::text);
        let id = text(id_at).filter(|id| !id.is_empty()).unwrap_or_else(|| format!("{name}/{}", row + 1));
        let mut tell = |field: &str, value: &str, expected: &str| {
            problems.push(layer.problem(row, Some(&id), field, value, expected));
        };
        let word = text(purpose).unwrap_or_default();
        let of = BuildingUse::from_name(&word);
        if of.is_none() && purpose.is_some() {
            tell("use", &word, &format!("one of {}", known.join(", ")));
        }
        let numbers = [0, 1, 2, 3, 4, 5].map(|nth: usize| {
            let value = numbers_at[nth].and_then(|at| feature.values[at].as_ref())?;
            let least = if nth < 3 { f64::MIN_POSITIVE } else { 0.0 };
            let number = value.number().filter(|number| *number >= least);
            if number.is_none() && !value.text().is_empty() {
                tell(NUMBERS[nth], &value.text(), if nth < 3 { "a number > 0" } else { "a number >= 0" });
            }
            number
        });
        let site = match &feature.geometry {
            Some(geo::Geometry::Point(point)) => Some(Site::Degrees(*point)),
            _ => match layer.polygons(row) {
                Ok(polygons) if polygons.shape.0.len() == 1 => polygons.shape.into_iter().next().map(Site::Outline),
                Ok(_) => {
                    tell("geometry", "several polygons", "one polygon or a point for each building");
                    None
                }
                Err(what) => {
                    tell("geometry", what, "a polygon with area, or a point");
                    None
                }
            },
        };
        let (Some(site), Some(purpose)) = (site, of) else { continue };
        let [floor_area_m2, levels, height_m, dwellings, residents, jobs] = numbers;
        let dwellings = dwellings.map(|count| count.round().min(1e6) as u32);
        all.push(PlannedBuilding { id, site, purpose, floor_area_m2, levels, height_m, dwellings, residents, jobs });
    }
    if layer.features.is_empty() {
        problems.push(urbis_core::Problem::file(&layer.path, "no row, expected new buildings"));
    }
    problems.or_else(all)
}

/// Adds the buildings of a plan after all others, and says what is wrong with it; then nothing is added.
pub fn add_buildings(city: &mut City, planned: &[PlannedBuilding]) -> Vec<PlanFault> {
    let mut faults = Vec::new();
    let mut tell = |item: usize, key, message: String| faults.push(PlanFault { item, key, message });
    let Ok(projection) = Projection::from_code(&city.manifest.crs) else {
        tell(0, "", format!("the city's reference system {} is not known", city.manifest.crs));
        return faults;
    };
    let recipe = recipe::Buildings { footprint_m2_min: 0.0, ..recipe::Buildings::default() };
    let mut known: BTreeSet<&str> = city.buildings.id.iter().map(String::as_str).collect();
    let mut outlines = Vec::with_capacity(planned.len());
    for (item, of) in planned.iter().enumerate() {
        if !known.insert(&of.id) {
            tell(item, "id", format!("there is another building `{}`", of.id));
            continue;
        }
        match outline(of, &recipe, &projection) {
            Ok(shape) => outlines.push(Outline {
                id: of.id.clone(),
                purpose: Some(of.purpose),
                levels: of.levels,
                height_m: of.height_m,
                synthetic: None,
                shape,
            }),
            Err((key, message)) => tell(item, key, message),
        }
    }
    if !faults.is_empty() {
        return faults;
    }
    let zones_m = projected(&city.zones.shape, &projection);
    let setting = Setting {
        zones: &city.zones,
        zones_m: &zones_m,
        nodes: &city.nodes,
        links: &city.links,
        clip_m: None,
        projection: &projection,
    };
    let (table, _) = buildings::table(outlines, &recipe, setting);
    let rows: BTreeMap<&str, usize> = table.id.iter().enumerate().map(|(row, id)| (id.as_str(), row)).collect();
    for (item, of) in planned.iter().enumerate().filter(|(_, of)| !rows.contains_key(of.id.as_str())) {
        let key = if matches!(of.site, Site::Metres(..)) { "x_m" } else { "" };
        let reach_m = buildings::ZONE_REACH_M;
        let what = format!("building `{}` stands more than {reach_m} m outside every zone of the city", of.id);
        faults.push(PlanFault { item, key, message: what });
    }
    if !faults.is_empty() {
        return faults;
    }
    let to = &mut city.buildings;
    for of in planned {
        let row = rows[of.id.as_str()];
        let floor_area_m2 = of.floor_area_m2.unwrap_or(table.floor_area_m2[row]);
        let by_rule = (floor_area_m2 * recipe.net_share / recipe.dwelling_net_m2).round().max(1.0) as u32;
        let is_home = of.purpose == BuildingUse::Residential;
        let car_node = table.car_node[row];
        to.id.push(of.id.clone());
        to.zone.push(table.zone[row]);
        to.purpose.push(of.purpose);
        to.floors.push(table.floors[row]);
        to.floors_from.push(table.floors_from[row]);
        to.height_m.push(table.height_m[row]);
        to.footprint_m2.push(table.footprint_m2[row]);
        to.floor_area_m2.push(floor_area_m2);
        to.dwellings.push(of.dwellings.unwrap_or(if is_home { by_rule } else { 0 }));
        to.x_m.push(table.x_m[row]);
        to.y_m.push(table.y_m[row]);
        to.elevation_m.push(city.nodes.elevation_m.get(car_node.row()).copied().unwrap_or(f64::NAN));
        to.car_node.push(car_node);
        to.shape.push(table.shape[row].clone());
    }
    faults
}

/// The outline of a planned building, degrees; else the key that is wrong and why.
fn outline(
    of: &PlannedBuilding,
    recipe: &recipe::Buildings,
    projection: &Projection,
) -> std::result::Result<Polygon, (&'static str, String)> {
    let (x_m, y_m) = match &of.site {
        Site::Outline(shape) => return Ok(shape.clone()),
        Site::Metres(x_m, y_m) => (*x_m, *y_m),
        Site::Degrees(point) if is_lon_lat(*point) => projection.project(*point),
        Site::Degrees(point) => {
            return Err(("lon", format!("({}, {}) is no longitude and latitude", point.x(), point.y())));
        }
    };
    if !(x_m.is_finite() && y_m.is_finite()) {
        return Err(("x_m", format!("({x_m}, {y_m}) is no place")));
    }
    let Some(floor_area_m2) = of.floor_area_m2.filter(|area| area.is_finite() && *area > 0.0) else {
        return Err(("floor_area_m2", format!("building `{}` needs a floor area > 0", of.id)));
    };
    let by_height = of.height_m.map(|height| (height / recipe.storey_height_m).round().max(1.0));
    let floors = of.levels.or(by_height).unwrap_or_else(|| recipe.floors_by_rule("", of.purpose));
    let half_m = (floor_area_m2 / floors).sqrt() / 2.0;
    let ring = [(-half_m, -half_m), (half_m, -half_m), (half_m, half_m), (-half_m, half_m)];
    let square = Polygon::new(LineString::from(ring.to_vec()), Vec::new());
    Ok(square.map_coords(|at| {
        let point = projection.unproject(x_m + at.x, y_m + at.y);
        Coord { x: point.x(), y: point.y() }
    }))
}

/// Takes down what buildings do not keep: by building, the share of the floor area that stays.
pub fn take_down(city: &mut City, kept: &[f64]) {
    let to = &mut city.buildings;
    for (row, &share) in kept.iter().enumerate().filter(|(_, share)| **share < 1.0) {
        to.floor_area_m2[row] *= share;
        to.dwellings[row] = (f64::from(to.dwellings[row]) * share).round() as u32;
        if share > 0.0 {
            to.floors[row] *= share;
            to.height_m[row] *= share;
        } else {
            (to.footprint_m2[row], to.height_m[row]) = (0.0, 0.0);
            to.purpose[row] = BuildingUse::Other;
        }
    }
    for building in city.pois.building.iter_mut().filter(|building| building.is_some()) {
        if kept.get(building.row()).is_some_and(|share| *share <= 0.0) {
            *building = BuildingIx::NONE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Buildings, Manifest, Modes, Nodes, Zones};
    use geo::{MultiPolygon, Rect};
    use urbis_core::{NodeIx, ZoneIx};

    const X0: f64 = 373_000.0;
    const Y0: f64 = 4_843_000.0;

    /// A zone of a hectare with a street along its south and one house.
    fn city() -> City {
        let projection = Projection::from_code("EPSG:32632").unwrap();
        let shape = Rect::new((X0, Y0), (X0 + 100.0, Y0 + 100.0)).to_polygon().map_coords(|at| {
            let point = projection.unproject(at.x, at.y);
            Coord { x: point.x(), y: point.y() }
        });
        let mut city = City {
            manifest: Manifest { crs: "EPSG:32632".to_owned(), name: "town".to_owned(), ..Manifest::default() },
            zones: Zones {
                id: vec!["z".to_owned()],
                shape: vec![MultiPolygon::from(shape.clone())],
                ..Zones::default()
            },
            nodes: Nodes {
                id: vec!["a".to_owned(), "b".to_owned()],
                x_m: vec![X0, X0 + 100.0],
                y_m: vec![Y0, Y0],
                elevation_m: vec![5.0, 7.0],
                external: vec![false; 2],
                ..Nodes::default()
            },
            buildings: Buildings {
                id: vec!["old".to_owned()],
                zone: vec![ZoneIx(0)],
                purpose: vec![BuildingUse::Residential],
                floors: vec![4.0],
                floors_from: vec![crate::model::FloorsFrom::Levels],
                height_m: vec![12.0],
                footprint_m2: vec![100.0],
                floor_area_m2: vec![400.0],
                dwellings: vec![5],
                x_m: vec![X0 + 50.0],
                y_m: vec![Y0 + 50.0],
                elevation_m: vec![5.0],
                car_node: vec![NodeIx(0)],
                shape: vec![shape],
            },
            ..City::default()
        };
        city.links.from.push(NodeIx(0));
        city.links.to.push(NodeIx(1));
        city.links.modes.push(Modes::CAR);
        city.links.class.push(crate::model::RoadClass::Residential);
        city.links.tunnel.push(false);
        city.links.id.push("ab".to_owned());
        city
    }

    fn block(id: &str, x_m: f64, area_m2: f64) -> PlannedBuilding {
        PlannedBuilding {
            id: id.to_owned(),
            site: Site::Metres(X0 + x_m, Y0 + 20.0),
            purpose: BuildingUse::Residential,
            floor_area_m2: Some(area_m2),
            levels: Some(4.0),
            height_m: None,
            dwellings: None,
            residents: None,
            jobs: None,
        }
    }

    #[test]
    fn new_buildings_stand_last_in_the_order_of_the_plan() {
        let mut city = city();
        assert_eq!(add_buildings(&mut city, &[block("b", 90.0, 1200.0), block("a", 10.0, 750.0)]), []);
        let table = &city.buildings;
        assert_eq!(table.id, ["old", "b", "a"]);
        assert_eq!((table.car_node[1], table.car_node[2]), (NodeIx(1), NodeIx(0)));
        assert!((table.elevation_m[1] - 7.0).abs() < 1e-9 && (table.x_m[1] - X0 - 90.0).abs() < 1e-3);
        // Given exactly; a quarter of it on the ground; 80 % of it in dwellings of 75 m2.
        assert!((table.floor_area_m2[1] - 1200.0).abs() < 1e-12 && (table.footprint_m2[1] - 300.0).abs() < 0.01);
        assert_eq!((table.dwellings[1], table.dwellings[2]), (13, 8));
    }

    #[test]
    fn what_does_not_fit_is_told_and_changes_nothing() {
        let mut city = city();
        let wrong = [block("old", 5.0, 10.0), block("n", 5.0, -3.0)];
        let keys: Vec<&str> = add_buildings(&mut city, &wrong).into_iter().map(|fault| fault.key).collect();
        assert_eq!(keys, ["id", "floor_area_m2"]);
        let faults = add_buildings(&mut city, &[block("far", 500.0, 100.0)]);
        assert!(faults[0].message.contains("outside every zone"), "{faults:?}");
        assert_eq!(city.buildings.len(), 1);
    }

    #[test]
    fn what_is_taken_down_leaves_an_empty_row() {
        let mut half = city();
        take_down(&mut half, &[0.5]);
        assert!((half.buildings.floor_area_m2[0] - 200.0).abs() < 1e-12 && half.buildings.dwellings[0] == 3);
        let mut gone = city();
        take_down(&mut gone, &[0.0]);
        let table = &gone.buildings;
        assert_eq!((table.len(), table.purpose[0], table.dwellings[0]), (1, BuildingUse::Other, 0));
        assert!(table.floor_area_m2[0].abs() < 1e-12 && table.footprint_m2[0].abs() < 1e-12);
    }

    #[test]
    fn buildings_of_a_file() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("new.csv");
        std::fs::write(
            &path,
            "id,lon,lat,use,floor_area_m2,residents\na,7.42,43.73,residential,900,24\nb,7.42,43.73,villa,-3,\n",
        )
        .unwrap();
        let error = from_layer(&Layer::read(&path, None).unwrap(), "plan").unwrap_err();
        let urbis_core::Error::Input(problems) = error else { panic!() };
        let told: Vec<String> = problems.listed().iter().map(ToString::to_string).collect();
        assert!(told[0].contains("row 2 (id b): use = villa") && told[1].contains("floor_area_m2 = -3"), "{told:?}");
        std::fs::write(&path, "lon,lat,use,floor_area_m2,residents\n7.42,43.73,residential,900,24\n").unwrap();
        let all = from_layer(&Layer::read(&path, None).unwrap(), "plan").unwrap();
        assert_eq!((all[0].id.as_str(), all[0].residents, all[0].jobs), ("plan/1", Some(24.0), None));
    }
}
