//! Between degrees and metres. Models one projected reference system: longitude, latitude on WGS 84
//! to easting, northing. Source: EPSG registry as PROJ strings (`crs-definitions`), computed by
//! `proj4rs`, a port of PROJ that agrees with it to a micrometre where no datum shift is needed.
//!
//! Ignores: heights, plate motion, and datum shifts that need a grid file (such systems are refused).
//! Contract: pure functions of their input, the same bits on any number of threads.

use geo::Point;
use proj4rs::Proj;
use proj4rs::transform::transform;

/// How far the scale of a projection may be from 1 where a city lies; UTM stays within 0.1 % in its
/// zone, Web Mercator is 38 % off at 43.7 degrees.
pub const SCALE_TOLERANCE: f64 = 0.01;

/// Mean radius of the Earth (IUGG R1), metres.
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A projected reference system in metres.
#[derive(Clone)]
pub struct Projection {
    code: String,
    degrees: Proj,
    metres: Proj,
}

impl std::fmt::Debug for Projection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Projection({})", self.code)
    }
}

impl Projection {
    /// The zone of Universal Transverse Mercator that a place in degrees lies in (EPSG:326xx north,
    /// EPSG:327xx south of the equator). The exceptions around Norway and Svalbard are not made.
    #[must_use]
    pub fn auto(lon_deg: f64, lat_deg: f64) -> Self {
        let lon_deg = if lon_deg.is_finite() { (lon_deg + 180.0).rem_euclid(360.0) } else { 180.0 };
        let zone = ((lon_deg / 6.0).floor() as u16 + 1).clamp(1, 60);
        let code = if lat_deg < 0.0 { 32700 } else { 32600 } + zone;
        Self::from_code(&format!("EPSG:{code}")).expect("every UTM zone is in the registry")
    }

    /// A projected system by its EPSG code, `EPSG:32632`. Check with [`Projection::check_at`] that it
    /// is true to length where the city lies.
    ///
    /// # Errors
    /// A sentence for people when the code is not `EPSG:<number>`, unknown, geographic (degrees),
    /// not in metres, or needs a datum grid.
    pub fn from_code(code: &str) -> Result<Self, String> {
        let metres = proj_of(code)?;
        if metres.is_latlong() || metres.is_geocent() {
            return Err(format!(
                "{code} is in degrees, not metres: lengths need a projected system such as the UTM zone of the city (EPSG:326xx north, EPSG:327xx south)"
            ));
        }
        if (metres.to_meter() - 1.0).abs() > 1e-12 {
            return Err(format!("{code} is in {}, expected a projected system in metres", metres.units()));
        }
        Ok(Self { code: normal_code(code), degrees: wgs84(), metres })
    }

    /// The code, `EPSG:32632`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Easting, northing in metres of a point in degrees; NaN where the projection is not defined.
    #[must_use]
    pub fn project(&self, point: Point) -> (f64, f64) {
        let mut xy = (point.x().to_radians(), point.y().to_radians());
        match transform(&self.degrees, &self.metres, &mut xy) {
            Ok(()) if xy.0.is_finite() && xy.1.is_finite() => xy,
            _ => (f64::NAN, f64::NAN),
        }
    }

    /// The point in degrees of an easting, northing in metres; NaN where the inverse is not defined.
    #[must_use]
    pub fn unproject(&self, x_m: f64, y_m: f64) -> Point {
        to_degrees(&self.metres, &self.degrees, x_m, y_m)
    }

    /// Whether lengths are true at a place in degrees: the local scale along both axes is within
    /// [`SCALE_TOLERANCE`] of 1.
    ///
    /// # Errors
    /// A sentence for people that names the scale and a system that would do.
    pub fn check_at(&self, point: Point) -> Result<(), String> {
        let step_deg = 1e-3_f64;
        let side = |dlon: f64, dlat: f64| {
            let (x0, y0) = self.project(Point::new(point.x() - dlon, point.y() - dlat));
            let (x1, y1) = self.project(Point::new(point.x() + dlon, point.y() + dlat));
            (x1 - x0).hypot(y1 - y0)
        };
        let arc_m = 2.0 * step_deg.to_radians() * EARTH_RADIUS_M;
        let east = side(step_deg, 0.0) / (arc_m * point.y().to_radians().cos());
        let north = side(0.0, step_deg) / arc_m;
        // The sphere stands in for the ellipsoid: that alone is up to 0.7 % off.
        let allowed = SCALE_TOLERANCE + 0.007;
        let worst = if (east - 1.0).abs() > (north - 1.0).abs() { east } else { north };
        if (worst - 1.0).abs() <= allowed {
            return Ok(());
        }
        Err(format!(
            "{} stretches lengths by {:.1} % at longitude {:.3}, latitude {:.3}; {} is true to length there",
            self.code,
            100.0 * (worst - 1.0),
            point.x(),
            point.y(),
            Self::auto(point.x(), point.y()).code()
        ))
    }
}

/// Reads points of files in any known system, degrees included.
#[derive(Clone)]
pub struct CoordinateReader {
    source: Option<(Proj, Proj)>,
}

impl std::fmt::Debug for CoordinateReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.source.is_some() { "CoordinateReader(projected)" } else { "CoordinateReader(degrees)" })
    }
}

impl CoordinateReader {
    /// A reader of longitude, latitude on WGS 84.
    #[must_use]
    pub fn degrees() -> Self {
        Self { source: None }
    }
    /// A reader of the system with this code: `EPSG:4326`, `OGC:CRS84` or any EPSG code that is known.
    ///
    /// # Errors
    /// A sentence for people when the code is unknown.
    pub fn from_code(code: &str) -> Result<Self, String> {
        if matches!(normal_code(code).as_str(), "EPSG:4326" | "OGC:CRS84" | "CRS84") {
            return Ok(Self::degrees());
        }
        Ok(Self { source: Some((proj_of(code)?, wgs84())) })
    }
    /// Whether coordinates are longitude, latitude on WGS 84 as they stand.
    #[must_use]
    pub fn is_degrees(&self) -> bool {
        self.source.is_none()
    }
    /// The point in degrees of a pair of coordinates, x or longitude first; NaN where not defined.
    #[must_use]
    pub fn point(&self, x: f64, y: f64) -> Point {
        match &self.source {
            None => Point::new(x, y),
            Some((source, degrees)) if source.is_latlong() => {
                to_degrees(source, degrees, x.to_radians(), y.to_radians())
            }
            Some((source, degrees)) => to_degrees(source, degrees, x, y),
        }
    }
}

/// Whether a point can be longitude, latitude in degrees.
#[must_use]
pub fn is_lon_lat(point: Point) -> bool {
    point.x().abs() <= 180.0 && point.y().abs() <= 90.0
}

fn to_degrees(source: &Proj, degrees: &Proj, x: f64, y: f64) -> Point {
    let mut xy = (x, y);
    match transform(source, degrees, &mut xy) {
        Ok(()) if xy.0.is_finite() && xy.1.is_finite() => Point::new(xy.0.to_degrees(), xy.1.to_degrees()),
        _ => Point::new(f64::NAN, f64::NAN),
    }
}

fn wgs84() -> Proj {
    Proj::from_proj_string("+proj=longlat +datum=WGS84 +no_defs").expect("a constant")
}

fn normal_code(code: &str) -> String {
    let code = code.trim().to_ascii_uppercase();
    // URN and URL forms: urn:ogc:def:crs:EPSG::32632, http://www.opengis.net/def/crs/EPSG/0/32632.
    match (code.contains("EPSG"), code.rsplit([':', '/']).next()) {
        (true, Some(number)) => format!("EPSG:{number}"),
        _ if code.ends_with("CRS84") => "OGC:CRS84".to_owned(),
        _ => code,
    }
}

fn proj_of(code: &str) -> Result<Proj, String> {
    let normal = normal_code(code);
    let known = "an EPSG code such as EPSG:32632 (UTM), EPSG:2154 or EPSG:25832";
    let number = normal.strip_prefix("EPSG:").and_then(|number| number.parse::<u16>().ok());
    let Some(number) = number else {
        return Err(format!("`{code}` is not a reference system Urbis knows, expected {known}"));
    };
    Proj::from_epsg_code(number).map_err(|why| format!("{normal} is not supported ({why}), expected {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Expected values from PROJ 9 (`gdaltransform -s_srs OGC:CRS84 -t_srs EPSG:n`).
    #[test]
    fn agrees_with_proj() {
        for (code, lon, lat, x_m, y_m, tolerance_m) in [
            ("EPSG:32632", 7.42, 43.735, 372_761.711_753_707, 4_843_653.558_798_2, 1e-5),
            ("EPSG:32722", -51.2, -30.03, 480_716.247_701_44, 6_677_873.553_239_87, 1e-5),
            ("EPSG:32719", -71.3, -29.95, 278_029.086_736_809, 6_684_530.023_016_94, 1e-5),
            ("EPSG:31982", -51.2, -30.03, 480_716.247_701_36, 6_677_873.553_335_27, 1e-3),
            ("EPSG:25832", 7.42, 43.735, 372_761.711_752_708, 4_843_653.558_679_76, 1e-3),
            ("EPSG:2154", 2.35, 48.85, 652_301.564_830_528, 6_861_302.725_899_58, 1e-3),
            ("EPSG:3857", 7.42, 43.735, 825_990.621_686_09, 5_424_523.988_517_75, 1e-5),
        ] {
            let (x, y) = Projection::from_code(code).unwrap().project(Point::new(lon, lat));
            assert!((x - x_m).abs() < tolerance_m && (y - y_m).abs() < tolerance_m, "{code}: {x} {y}");
        }
    }

    #[test]
    fn the_zone_of_a_place() {
        for (lon, lat, code) in [
            (7.42, 43.73, "EPSG:32632"),
            (-51.2, -30.0, "EPSG:32722"),
            (-71.3, -29.95, "EPSG:32719"),
            (-180.0, 1.0, "EPSG:32601"),
            (179.9, 1.0, "EPSG:32660"),
            (180.0, 1.0, "EPSG:32601"),
            (f64::NAN, 1.0, "EPSG:32631"),
        ] {
            assert_eq!(Projection::auto(lon, lat).code(), code);
        }
    }

    #[test]
    fn wrong_systems_are_explained() {
        let says = |code: &str, words: &str| {
            let error = Projection::from_code(code).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        says("EPSG:4326", "degrees");
        says("EPSG:4978", "metres");
        says("EPSG:2263", "metres");
        says("EPSG:1", "not supported");
        says("EPSG:99999999", "expected an EPSG code");
        says("utm32", "expected an EPSG code");
        says("", "expected an EPSG code");
        assert_eq!(Projection::from_code("urn:ogc:def:crs:EPSG::32632").unwrap().code(), "EPSG:32632");
        assert_eq!(Projection::from_code(" epsg:32632").unwrap().code(), "EPSG:32632");
        assert!(CoordinateReader::from_code("urn:ogc:def:crs:OGC:1.3:CRS84").is_ok());
    }

    #[test]
    fn lengths_must_be_true_where_the_city_lies() {
        let monaco = Point::new(7.42, 43.735);
        let check = |code: &str| Projection::from_code(code).unwrap().check_at(monaco);
        assert!(check("EPSG:32632").is_ok());
        assert!(check("EPSG:2154").is_ok());
        let error = check("EPSG:3857").unwrap_err();
        assert!(error.contains("38.") && error.contains("EPSG:32632"), "{error}");
        assert!(check("EPSG:32722").is_err());
    }

    #[test]
    fn coordinates_of_files() {
        let lambert = CoordinateReader::from_code("EPSG:2154").unwrap().point(652_301.564_830_528, 6_861_302.725_9);
        assert!((lambert.x() - 2.35).abs() < 1e-8 && (lambert.y() - 48.85).abs() < 1e-8, "{lambert:?}");
        let nad83 = CoordinateReader::from_code("EPSG:4269").unwrap().point(-100.0, 40.0);
        assert!((nad83.x() + 100.0).abs() < 1e-6 && (nad83.y() - 40.0).abs() < 1e-6, "{nad83:?}");
        assert_eq!(CoordinateReader::degrees().point(1.0, 2.0), Point::new(1.0, 2.0));
        assert!(!is_lon_lat(Point::new(652_301.0, 6_861_302.0)) && !is_lon_lat(Point::new(f64::NAN, 0.0)));
    }

    proptest! {
        #[test]
        fn there_and_back(dlon in -3.0..3.0_f64, lat in -80.0..84.0_f64, zone in 0..60_u32) {
            let point = Point::new(-177.0 + 6.0 * f64::from(zone) + dlon, lat);
            let projection = Projection::auto(point.x(), point.y());
            let (x_m, y_m) = projection.project(point);
            let back = projection.unproject(x_m, y_m);
            prop_assert!((back.x() - point.x()).abs() < 1e-9 && (back.y() - point.y()).abs() < 1e-9);
            prop_assert!((100_000.0..900_000.0).contains(&x_m));
        }

        #[test]
        fn never_panics(lon: f64, lat: f64, code in "\\PC{0,20}", number: u16) {
            let _ = Projection::from_code(&code);
            for projection in [Projection::auto(lon, lat)].into_iter().chain(Projection::from_code(&format!("EPSG:{number}"))) {
                let _ = projection.project(Point::new(lon, lat));
                let _ = projection.unproject(lon, lat);
                let _ = projection.check_at(Point::new(lon, lat));
            }
        }
    }
}
