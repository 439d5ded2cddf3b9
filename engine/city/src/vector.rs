//! Vector layers as tables of features in degrees: GeoJSON, CSV with `lon` and `lat`, and GeoParquet by
//! ourselves; everything else (GeoPackage, Shapefile, SpatiaLite ...) through GDAL, cargo feature `gdal`.
//!
//! Coordinates in another reference system are transformed; a layer that does not say its system is
//! refused, and so is GeoJSON whose numbers cannot be longitude and latitude. Fields keep their order.
//! A feature whose geometry is absent or unreadable has none; whoever needs it says so.
//!
//! Ignores: heights, curves, multi-valued fields. Single-threaded, deterministic.

use crate::geoparquet::TableReader;
use crate::projection::{CoordinateReader, is_lon_lat};
use crate::table::Table;
use geo::{BooleanOps, Coord, CoordsIter, Geometry, MapCoords, MultiPolygon, Point, Validation};
use std::path::{Path, PathBuf};
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Error, Problem, Problems, Result};

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// Whole or real number.
    Number(f64),
}

impl Value {
    /// As people write it: whole numbers without a point.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }
    /// As a number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            Self::Number(number) => Some(*number).filter(|number| number.is_finite()),
        }
    }
}

/// One row of a layer.
#[derive(Clone, Debug)]
pub struct Feature {
    /// Values in the order of [`Layer::fields`].
    pub values: Vec<Option<Value>>,
    /// Shape in degrees, if it has one that can be read.
    pub geometry: Option<Geometry>,
}

/// A layer in memory.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The file.
    pub path: PathBuf,
    /// Field names.
    pub fields: Vec<String>,
    /// Rows in file order.
    pub features: Vec<Feature>,
}

impl Layer {
    /// Reads a layer; `layer` names it where the file has several.
    ///
    /// # Errors
    /// When the file is absent, of no known format, has no such layer or no usable reference system.
    pub fn read(path: &Path, layer: Option<&str>) -> Result<Self> {
        if !path.exists() {
            return Err(Error::read(path, std::io::Error::from(std::io::ErrorKind::NotFound)));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        if ends(&[".geojson", ".json"]) {
            read_geojson(path)
        } else if ends(&[".csv", ".csv.gz"]) {
            read_csv(path)
        } else if ends(&[".parquet", ".geoparquet"]) {
            read_geoparquet(path)
        } else {
            read_with_gdal(path, layer)
        }
    }
    /// Position of a field; where there is none, a problem that lists those present.
    pub fn field(&self, name: &str, problems: &mut Problems) -> Option<usize> {
        let found = self.fields.iter().position(|field| field == name);
        if found.is_none() {
            let what = format!("field `{name}` is missing; the fields present are {}", self.fields.join(", "));
            let problem = Problem::file(&self.path, what);
            problems.push(match did_you_mean(name, self.fields.iter().map(String::as_str)) {
                Some(near) => problem.with_help(format!("did you mean `{near}`?")),
                None => problem,
            });
        }
        found
    }
    /// A problem with a value of a row (from 0).
    #[must_use]
    pub fn problem(&self, row: usize, id: Option<&str>, field: &str, value: &str, expected: &str) -> Problem {
        Problem::value(&self.path, row + 1, id, field, value, expected)
    }
    /// The polygons of a row (from 0), repaired where rings cross; `Err` says what is wrong instead.
    ///
    /// # Errors
    /// A phrase such as `null`, when the row has no area.
    pub fn polygons(&self, row: usize) -> Result<Polygons, &'static str> {
        let shape = match &self.features[row].geometry {
            None => return Err("null"),
            Some(geometry) if geometry.coords_count() == 0 => return Err("empty"),
            Some(Geometry::Polygon(polygon)) => MultiPolygon::new(vec![polygon.clone()]),
            Some(Geometry::MultiPolygon(shape)) => shape.clone(),
            Some(Geometry::Point(_) | Geometry::MultiPoint(_)) => return Err("a point"),
            Some(Geometry::LineString(_) | Geometry::MultiLineString(_)) => return Err("a line"),
            Some(_) => return Err("something else"),
        };
        let (shape, repaired) = if shape.is_valid() { (shape, false) } else { (repaired(&shape), true) };
        let area = geo::Area::unsigned_area(&shape);
        if area.is_finite() && area > 0.0 { Ok(Polygons { shape, repaired }) } else { Err("a polygon without area") }
    }
}

/// A valid shape of the same outline: what an odd number of rings surrounds is inside.
fn repaired(shape: &MultiPolygon) -> MultiPolygon {
    shape.union(&MultiPolygon::new(Vec::new()))
}

/// The polygons of a feature.
#[derive(Clone, Debug)]
pub struct Polygons {
    /// Valid, with area, in degrees.
    pub shape: MultiPolygon,
    /// Whether rings crossed or touched in the file.
    pub repaired: bool,
}

const NOT_DEGREES_HELP: &str =
    "save the file in longitude and latitude (OGC:CRS84), or in a format that names its reference system";

/// A problem when a coordinate cannot be longitude and latitude.
fn check_degrees(path: &Path, row: usize, geometry: &Geometry, problems: &mut Problems) {
    if let Some(at) = geometry.coords_iter().find(|at| !is_lon_lat(Point::from(*at))) {
        let value = format!("({}, {})", at.x, at.y);
        let expected = "longitude and latitude in degrees: wrong or missing reference system";
        problems.push(Problem::value(path, row + 1, None, "coordinate", value, expected).with_help(NOT_DEGREES_HELP));
    }
}

fn read_geojson(path: &Path) -> Result<Layer> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::read(path, source))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| Problem::file(path, format!("not GeoJSON: {e}")))?;
    let members: Vec<&serde_json::Value> = match value["type"].as_str() {
        Some("FeatureCollection") => value["features"].as_array().map(|all| all.iter().collect()).unwrap_or_default(),
        Some("Feature") => vec![&value],
        Some("Polygon" | "MultiPolygon" | "GeometryCollection") => vec![&value],
        other => {
            let what = format!("type = {}, expected FeatureCollection", other.unwrap_or("nothing"));
            return Err(Problem::file(path, format!("not GeoJSON: {what}")).into());
        }
    };
    // GeoJSON of 2008 could name a system; RFC 7946 knows longitude and latitude only.
    let reader = match value["crs"]["properties"]["name"].as_str() {
        Some(code) => CoordinateReader::from_code(code).map_err(|what| Problem::file(path, format!("crs: {what}")))?,
        None => CoordinateReader::degrees(),
    };
    let mut fields: Vec<String> = Vec::new();
    for member in &members {
        for key in member["properties"].as_object().into_iter().flat_map(|all| all.keys()) {
            if !fields.contains(key) {
                fields.push(key.clone());
            }
        }
    }
    let mut problems = Problems::new();
    let mut features = Vec::with_capacity(members.len());
    for (row, member) in members.iter().enumerate() {
        let properties = &member["properties"];
        let values = fields.iter().map(|field| match &properties[field.as_str()] {
            serde_json::Value::Null => None,
            serde_json::Value::Number(number) => number.as_f64().map(Value::Number),
            serde_json::Value::String(text) => Some(Value::Text(text.clone())),
            other => Some(Value::Text(other.to_string())),
        });
        let shape = if member["type"] == "Feature" { &member["geometry"] } else { member };
        let geometry = match shape {
            serde_json::Value::Null => None,
            shape => match serde_json::from_value::<geojson::Geometry>(shape.clone())
                .and_then(|shape| Geometry::<f64>::try_from(shape).map_err(serde::de::Error::custom))
            {
                Ok(geometry) => Some(geometry),
                Err(why) => {
                    let what = format!("row {}: geometry cannot be read: {why}", row + 1);
                    problems.push(Problem::file(path, what));
                    None
                }
            },
        };
        let geometry = geometry.map(|geometry| {
            geometry.map_coords(|at| {
                let point = reader.point(at.x, at.y);
                Coord { x: point.x(), y: point.y() }
            })
        });
        if let Some(geometry) = &geometry {
            check_degrees(path, row, geometry, &mut problems);
        }
        features.push(Feature { values: values.collect(), geometry });
    }
    problems.or_else(Layer { path: path.to_owned(), fields, features })
}

fn read_csv(path: &Path) -> Result<Layer> {
    let table = Table::read(path)?;
    let columns: Vec<_> = table.header().iter().filter_map(|name| table.optional(name)).collect();
    let place = table.optional("lon").zip(table.optional("lat"));
    let mut problems = Problems::new();
    let mut features = Vec::with_capacity(table.len());
    for row in table.rows() {
        let geometry = place.and_then(|(lon, lat)| {
            let x = row.number_where(lon, &mut problems, "from -180 to 180", |x| x.abs() <= 180.0)?;
            let y = row.number_where(lat, &mut problems, "from -90 to 90", |y| y.abs() <= 90.0)?;
            Some(Geometry::Point(Point::new(x, y)))
        });
        let value = |&column| Some(row.text(column)).filter(|text| !text.is_empty()).map(|t| Value::Text(t.to_owned()));
        features.push(Feature { values: columns.iter().map(value).collect(), geometry });
    }
    problems.or_else(Layer { path: path.to_owned(), fields: table.header().to_vec(), features })
}

fn read_geoparquet(path: &Path) -> Result<Layer> {
    let table = TableReader::read(path)?;
    let mut problems = Problems::new();
    let shapes = table.geometry("geometry", Some, &mut problems);
    problems.or_else(())?;
    let (fields, columns) = table.values();
    let mut features: Vec<Feature> = Vec::with_capacity(shapes.len());
    let mut problems = Problems::new();
    for (row, geometry) in shapes.into_iter().enumerate() {
        check_degrees(path, row, &geometry, &mut problems);
        let values = columns.iter().map(|column| column[row].clone()).collect();
        features.push(Feature { values, geometry: Some(geometry) });
    }
    problems.or_else(Layer { path: path.to_owned(), fields, features })
}

#[cfg(not(feature = "gdal"))]
fn read_with_gdal(path: &Path, _layer: Option<&str>) -> Result<Layer> {
    let what = "this format needs GDAL, and this program was built without it";
    let help = "build with the cargo feature `gdal`, or convert the file to GeoJSON or GeoParquet";
    Err(Problem::file(path, what).with_help(help).into())
}

#[cfg(feature = "gdal")]
fn read_with_gdal(path: &Path, layer: Option<&str>) -> Result<Layer> {
    use gdal::vector::{FieldValue, LayerAccess};
    crate::raster::keep_gdal_quiet();
    let said = |e: gdal::errors::GdalError| Problem::file(path, format!("GDAL cannot read it: {e}"));
    let options =
        gdal::DatasetOptions { open_flags: gdal::GdalOpenFlags::GDAL_OF_VECTOR, ..gdal::DatasetOptions::default() };
    let dataset = gdal::Dataset::open_ex(path, options).map_err(said)?;
    let names: Vec<String> = dataset.layers().map(|layer| layer.name()).collect();
    let index = match layer {
        Some(wanted) => names.iter().position(|name| name == wanted),
        None => (names.len() == 1).then_some(0),
    };
    let Some(index) = index else {
        let what = match layer {
            Some(wanted) => format!("no layer `{wanted}`"),
            None => "several layers".to_owned(),
        };
        let problem = Problem::file(path, format!("{what}; the layers are {}", names.join(", ")));
        return Err(problem.with_help("name one with `layer = \"...\"` in the recipe").into());
    };
    let mut layer = dataset.layer(index).map_err(said)?;
    // GeoPackage calls an absent system "Undefined ...".
    let known = |system: &gdal::spatial_ref::SpatialRef| !system.name().is_some_and(|n| n.starts_with("Undefined"));
    let Some(system) = layer.spatial_ref().filter(known) else {
        let problem = Problem::file(path, format!("layer {} does not say its reference system", names[index]));
        return Err(problem.with_help("assign one, for example with `ogr2ogr -a_srs EPSG:4326`").into());
    };
    let to_degrees = crate::raster::transform_to_degrees(system).map_err(said)?;
    let fields: Vec<String> = layer.defn().fields().map(|field| field.name()).collect();
    let mut features = Vec::new();
    let mut problems = Problems::new();
    for (row, feature) in layer.features().enumerate() {
        let value = |at| match feature.field(at).ok().flatten()? {
            FieldValue::IntegerValue(number) => Some(Value::Number(f64::from(number))),
            FieldValue::Integer64Value(number) => Some(Value::Number(number as f64)),
            FieldValue::RealValue(number) => Some(Value::Number(number)),
            FieldValue::StringValue(text) => Some(Value::Text(text)),
            FieldValue::DateValue(day) => Some(Value::Text(day.to_string())),
            FieldValue::DateTimeValue(time) => Some(Value::Text(time.to_rfc3339())),
            _ => None,
        };
        let values = (0..fields.len()).map(value).collect();
        let shape = feature.geometry().and_then(|geometry| geometry.to_geo().ok());
        let geometry = match (shape, &to_degrees) {
            (Some(shape), Some(transform)) => {
                let moved = shape.try_map_coords(|at| {
                    let (mut x, mut y) = ([at.x], [at.y]);
                    transform.transform_coords(&mut x, &mut y, &mut []).map(|()| Coord { x: x[0], y: y[0] })
                });
                Some(moved.map_err(said)?)
            }
            (shape, _) => shape,
        };
        if let Some(geometry) = &geometry {
            check_degrees(path, row, geometry, &mut problems);
        }
        features.push(Feature { values, geometry });
    }
    problems.or_else(Layer { path: path.to_owned(), fields, features })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<T>(result: Result<T>) -> String {
        match result.err().unwrap() {
            Error::Input(problems) => problems.listed().iter().map(|p| format!("{p}\n")).collect(),
            other => other.to_string(),
        }
    }

    fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(name);
        std::fs::write(&path, text).unwrap();
        (place, path)
    }

    fn collection(crs: &str, geometry: &str) -> String {
        format!(
            r#"{{"type":"FeatureCollection",{crs}"features":[
            {{"type":"Feature","properties":{{"name":"A","n":3}},"geometry":{geometry}}}]}}"#
        )
    }
    const SQUARE: &str =
        r#"{"type":"Polygon","coordinates":[[[7.0,43.0],[7.1,43.0],[7.1,43.1],[7.0,43.1],[7.0,43.0]]]}"#;

    #[test]
    fn geojson_with_fields() {
        let (_place, path) = file("a.geojson", &collection("", SQUARE));
        let layer = Layer::read(&path, None).unwrap();
        let mut problems = Problems::new();
        let at = layer.field("n", &mut problems).unwrap();
        assert_eq!(layer.features[0].values[at], Some(Value::Number(3.0)));
        assert_eq!(Value::Number(3.0).text(), "3");
        assert!(!layer.polygons(0).unwrap().repaired);
        assert!(layer.field("nme", &mut problems).is_none());
        assert!(problems.listed()[0].to_string().contains("field `nme` is missing"));
        assert_eq!(problems.listed()[0].help_text(), Some("did you mean `name`?"));
    }

    #[test]
    fn geojson_in_metres_without_a_system_is_refused() {
        let metres = SQUARE.replace("7.", "370000.").replace("43.", "4840000.");
        let (_place, path) = file("a.geojson", &collection("", &metres));
        let said = said(Layer::read(&path, None));
        assert!(said.contains("row 1: coordinate = (370000, 4840000), expected longitude and latitude"), "{said}");
        let crs = r#""crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::32632"}},"#;
        let (_place, path) = file("a.geojson", &collection(crs, &metres));
        let layer = Layer::read(&path, None).unwrap();
        let at = layer.features[0].geometry.as_ref().unwrap().coords_iter().next().unwrap();
        assert!((at.x - 7.4).abs() < 0.2 && (at.y - 43.7).abs() < 0.2, "{at:?}");
    }

    #[test]
    fn rows_without_area() {
        for (geometry, why) in [
            ("null", "null"),
            (r#"{"type":"Point","coordinates":[7,43]}"#, "a point"),
            (r#"{"type":"Polygon","coordinates":[]}"#, "empty"),
            (r#"{"type":"Polygon","coordinates":[[[7,43],[7.1,43],[7,43],[7,43]]]}"#, "a polygon without area"),
        ] {
            let (_place, path) = file("a.geojson", &collection("", geometry));
            assert_eq!(Layer::read(&path, None).unwrap().polygons(0).unwrap_err(), why, "{geometry}");
        }
        // A bow tie is made of two triangles.
        let tie = r#"{"type":"Polygon","coordinates":[[[7,43],[7.1,43.1],[7.1,43],[7,43.1],[7,43]]]}"#;
        let (_place, path) = file("a.geojson", &collection("", tie));
        let polygons = Layer::read(&path, None).unwrap().polygons(0).unwrap();
        assert!(polygons.repaired && polygons.shape.0.len() == 2);
        let (_place, path) = file("a.geojson", "{");
        assert!(said(Layer::read(&path, None)).contains("not GeoJSON"));
        let (_place, path) = file("a.geojson", &collection("", r#"{"type":"Polygon","coordinates":3}"#));
        assert!(said(Layer::read(&path, None)).contains("row 1: geometry cannot be read"));
    }

    #[test]
    fn points_and_geoparquet() {
        let (_place, path) = file("p.csv", "id,lon,lat\na,7.0,43.0\nb,700,43\n");
        assert!(said(Layer::read(&path, None)).contains("row 2: lon = 700, expected from -180 to 180"));
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("p.parquet");
        let mut table = crate::geoparquet::TableWriter::new("points");
        table.text("id", "", ["a"]);
        table.count("n", "", "", &[4]);
        table.geometry("", &[Point::new(1.0, 2.0)]).unwrap();
        table.write(&path).unwrap();
        let layer = Layer::read(&path, None).unwrap();
        assert_eq!(layer.fields, ["id", "n"]);
        assert_eq!(layer.features[0].values[1], Some(Value::Number(4.0)));
        assert!(said(Layer::read(Path::new("/nowhere.geojson"), None)).contains("cannot read /nowhere.geojson"));
    }

    #[cfg(feature = "gdal")]
    #[test]
    fn geopackage_through_gdal() {
        use gdal::vector::{LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType, ToGdal};
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("z.gpkg");
        let make = |system: Option<&gdal::spatial_ref::SpatialRef>, path: &Path| {
            let driver = gdal::DriverManager::get_driver_by_name("GPKG").unwrap();
            let mut dataset = driver.create_vector_only(path).unwrap();
            let ty = OGRwkbGeometryType::wkbUnknown;
            let options = LayerOptions { name: "zones", srs: system, ty, ..LayerOptions::default() };
            let mut layer = dataset.create_layer(options).unwrap();
            layer.create_defn_fields(&[("code", OGRFieldType::OFTInteger)]).unwrap();
            let square = geo::Rect::new((370_000.0, 4_840_000.0), (371_000.0, 4_841_000.0)).to_polygon();
            layer.create_feature(square.to_gdal().unwrap()).unwrap();
        };
        let utm = gdal::spatial_ref::SpatialRef::from_epsg(32632).unwrap();
        make(Some(&utm), &path);
        let layer = Layer::read(&path, Some("zones")).unwrap();
        assert_eq!(layer.fields, ["code"]);
        let at = layer.features[0].geometry.as_ref().unwrap().coords_iter().next().unwrap();
        let back = crate::projection::Projection::from_code("EPSG:32632").unwrap().project(Point::from(at));
        assert!((back.0 - 371_000.0).abs() < 1e-3 && (back.1 - 4_840_000.0).abs() < 1e-3, "{back:?}");
        assert!(said(Layer::read(&path, Some("zone"))).contains("no layer `zone`; the layers are zones"));
        let bare = place.path().join("bare.gpkg");
        make(None, &bare);
        let said = said(Layer::read(&bare, None));
        assert!(said.contains("reference system"), "{said}");
    }
}
