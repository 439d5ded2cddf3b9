//! Stations and hospitals of a city: from its points of interest or from a table.
//!
//! Of the points of interest, fire stations have fire engines, police stations police cars, and hospitals ambulances.
//! A package's hospitals hold clinics and doctors too: those count that stand in a building for health of at least
//! [`HOSPITAL_FLOOR_M2`]; where there is none, those in any building for health, then all. Several of one kind in a
//! building are one. A place without a building of its own drives off at the door of the nearest one.
//!
//! Ignored: private ambulance stations, police patrols, specialities of hospitals. Contract: sequential, in order of
//! the points of interest or of the table.

use super::dispatch::ServiceKind;
use super::settings::EmergencySettings;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use urbis_city::model::{BuildingUse, City, PoiKind};
use urbis_city::projection::Projection;
use urbis_city::table::{Column, Row, Table};
use urbis_core::{BuildingIx, NodeIx, Problem, Problems, Result};

/// Floor area from which a building for health counts as a hospital, m2: about that of 20 beds at 100 m2 (estimate).
pub const HOSPITAL_FLOOR_M2: f64 = 2000.0;

/// Stations or hospitals; columns by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sites {
    /// Outside id.
    pub id: Vec<String>,
    /// Easting, metres.
    pub x_m: Vec<f64>,
    /// Northing, metres.
    pub y_m: Vec<f64>,
    /// Node of the city from which units drive off.
    pub node: Vec<NodeIx>,
}

impl Sites {
    fn push(&mut self, id: &str, (x_m, y_m, node): (f64, f64, NodeIx)) {
        self.id.push(id.to_owned());
        self.x_m.push(x_m);
        self.y_m.push(y_m);
        self.node.push(node);
    }
}

/// Stations with their units, and hospitals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CityStations {
    /// Stations.
    pub sites: Sites,
    /// Kind of units of each.
    pub kind: Vec<ServiceKind>,
    /// Units of each.
    pub units: Vec<u32>,
    /// Hospitals.
    pub hospitals: Sites,
}

/// Doors at which cars leave and arrive.
struct Doors<'a> {
    city: &'a City,
    is_on_road: &'a dyn Fn(NodeIx) -> bool,
    projection: Projection,
}

type At = (f64, f64, NodeIx);

impl<'a> Doors<'a> {
    fn new(city: &'a City, is_on_road: &'a dyn Fn(NodeIx) -> bool) -> Result<Self> {
        let projection = Projection::from_code(&city.manifest.crs)
            .map_err(|what| Problem::file(Path::new(&city.manifest.name), what))?;
        Ok(Self { city, is_on_road, projection })
    }
    fn of_building(&self, building: BuildingIx) -> At {
        let (buildings, row) = (&self.city.buildings, building.row());
        (buildings.x_m[row], buildings.y_m[row], buildings.car_node[row])
    }
    /// The nearest door to a place in metres; the lower row of equals.
    fn near(&self, x_m: f64, y_m: f64) -> At {
        let buildings = &self.city.buildings;
        let on_road = (0..buildings.len()).filter(|&row| (self.is_on_road)(buildings.car_node[row]));
        let far = |row: usize| (buildings.x_m[row] - x_m).hypot(buildings.y_m[row] - y_m);
        let nearest = on_road.map(|row| (far(row), row)).min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        (x_m, y_m, nearest.map_or(NodeIx::NONE, |(_, row)| buildings.car_node[row]))
    }
    fn of_node(&self, node: NodeIx) -> At {
        let (x_m, y_m) = (self.city.nodes.x_m[node.row()], self.city.nodes.y_m[node.row()]);
        if (self.is_on_road)(node) { (x_m, y_m, node) } else { self.near(x_m, y_m) }
    }
    fn of_poi(&self, row: usize) -> At {
        let building = self.city.pois.building[row];
        if building.is_some() {
            return self.of_building(building);
        }
        let (x_m, y_m) = self.projection.project(self.city.pois.point[row]);
        self.near(x_m, y_m)
    }
}

/// Rows of the points of interest that count as hospitals.
fn hospital_rows(city: &City) -> Vec<usize> {
    let all: Vec<usize> = (0..city.pois.len()).filter(|&row| city.pois.kind[row] == PoiKind::Hospital).collect();
    let is_for_health = |row: &usize| {
        let building = city.pois.building[*row];
        building.is_some() && city.buildings.purpose[building.row()] == BuildingUse::Health
    };
    let is_large = |row: &usize| {
        is_for_health(row) && city.buildings.floor_area_m2[city.pois.building[*row].row()] >= HOSPITAL_FLOOR_M2
    };
    let large: Vec<usize> = all.iter().copied().filter(is_large).collect();
    let for_health: Vec<usize> = all.iter().copied().filter(is_for_health).collect();
    [large, for_health, all].into_iter().find(|rows| !rows.is_empty()).unwrap_or_default()
}

/// Stations by the points of interest. `is_on_road` tells whether cars drive at a node.
///
/// # Errors
/// A reference system of the city that is not known.
pub fn from_pois(
    city: &City,
    settings: &EmergencySettings,
    is_on_road: &dyn Fn(NodeIx) -> bool,
) -> Result<CityStations> {
    let doors = Doors::new(city, is_on_road)?;
    let mut found = CityStations::default();
    let hospitals = hospital_rows(city);
    let mut seen: BTreeSet<(ServiceKind, BuildingIx)> = BTreeSet::new();
    for row in 0..city.pois.len() {
        let kind = match city.pois.kind[row] {
            PoiKind::FireStation => ServiceKind::Fire,
            PoiKind::Police => ServiceKind::Police,
            PoiKind::Hospital if hospitals.binary_search(&row).is_ok() => ServiceKind::Ambulance,
            _ => continue,
        };
        let building = city.pois.building[row];
        if building.is_some() && !seen.insert((kind, building)) {
            continue;
        }
        let (id, at) = (&city.pois.id[row], doors.of_poi(row));
        if kind == ServiceKind::Ambulance {
            found.hospitals.push(id, at);
        }
        found.sites.push(id, at);
        found.kind.push(kind);
        found.units.push(settings.units_of_station(kind));
    }
    Ok(found)
}

/// Columns of a table of stations by which a place is told.
struct PlaceColumns {
    building: Option<Column>,
    node: Option<Column>,
    lon_lat: Option<(Column, Column)>,
}

/// Stations of a table; see [`EmergencySettings::stations`].
///
/// # Errors
/// A table that cannot be read, and every row of which no station can be made.
pub fn read(
    city: &City,
    settings: &EmergencySettings,
    path: &Path,
    is_on_road: &dyn Fn(NodeIx) -> bool,
) -> Result<CityStations> {
    let doors = Doors::new(city, is_on_road)?;
    let table = Table::read(path)?.with_id("station_id");
    let mut problems = Problems::new();
    let Some([id, kind]) = table.required_all(["station_id", "kind"], &mut problems) else {
        return problems.or_else(CityStations::default());
    };
    let units = table.optional("units");
    let columns = PlaceColumns {
        building: table.optional("building_id"),
        node: table.optional("node_id"),
        lon_lat: table.optional("x_lon").zip(table.optional("y_lat")),
    };
    let rows_by_id = |ids: &[String]| -> BTreeMap<String, u32> {
        ids.iter().enumerate().map(|(row, id)| (id.clone(), row as u32)).collect()
    };
    let known = (rows_by_id(&city.buildings.id), rows_by_id(&city.nodes.id));
    let mut words: Vec<(&str, Option<ServiceKind>)> =
        ServiceKind::NAMED.iter().map(|&(kind, name)| (name, Some(kind))).collect();
    words.push(("hospital", None));
    let mut found = CityStations::default();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for row in table.rows() {
        let (name, kind) = (row.required_text(id, &mut problems), row.one_of(kind, &mut problems, &words));
        let at = place(&row, &columns, &known, &doors, id, &mut problems);
        let said = units.filter(|&column| !row.text(column).is_empty());
        let said = said.map(|column| row.integer(column, &mut problems, 0..=10_000).unwrap_or_default() as u32);
        let (Some(name), Some(kind), Some(at)) = (name, kind, at) else { continue };
        if !seen.insert(name) {
            problems.push(row.problem(id, "an id that no other row has"));
        }
        match kind {
            Some(kind) => {
                found.sites.push(name, at);
                found.kind.push(kind);
                found.units.push(said.unwrap_or_else(|| settings.units_of_station(kind)));
            }
            None => {
                if let Some(column) = units.filter(|_| said.is_some_and(|units| units > 0)) {
                    problems.push(row.problem(column, "nothing: ambulances of a hospital are a row of their own"));
                }
                found.hospitals.push(name, at);
            }
        }
    }
    problems.or_else(found)
}

/// Where a row says that its station is.
fn place(
    row: &Row<'_>,
    columns: &PlaceColumns,
    (buildings, nodes): &(BTreeMap<String, u32>, BTreeMap<String, u32>),
    doors: &Doors<'_>,
    id: Column,
    problems: &mut Problems,
) -> Option<At> {
    if let Some((column, text)) = columns.building.zip(row.optional_text(columns.building)) {
        let found = buildings.get(text).map(|&of| doors.of_building(BuildingIx(of)));
        if found.is_none() {
            problems.push(row.problem(column, "a building of the city"));
        }
        return found;
    }
    if let Some((column, text)) = columns.node.zip(row.optional_text(columns.node)) {
        let found = nodes.get(text).map(|&of| doors.of_node(NodeIx(of)));
        if found.is_none() {
            problems.push(row.problem(column, "a node of the city"));
        }
        return found;
    }
    let Some((lon, lat)) = columns.lon_lat else {
        problems.push(row.problem(id, "a place: building_id, node_id, or x_lon and y_lat"));
        return None;
    };
    let [west, south, east, north] = doors.city.manifest.bbox_deg;
    let x = row.number_where(lon, problems, &format!("{west} to {east}"), |x| (west..=east).contains(&x));
    let y = row.number_where(lat, problems, &format!("{south} to {north}"), |y| (south..=north).contains(&y));
    let (x_m, y_m) = doors.projection.project(geo::Point::new(x?, y?));
    Some(doors.near(x_m, y_m))
}
