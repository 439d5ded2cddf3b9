//! `config.csv` of a GMNS network: units and reference system. Source: General Modeling Network
//! Specification (zephyr-data-specs/GMNS, `spec/config.schema.json`), which names no default units;
//! its text calls speed "usually long_length units per hour".
//!
//! Without the file, or where a cell is blank: kilometres, kilometres an hour, degrees on WGS 84;
//! a network whose lengths do not fit its geometry is then refused rather than guessed at.
//! Ignores: currency, version, id type. Contract: a pure function of the table.

use crate::projection::CoordinateReader;
use crate::table::Table;
#[cfg(test)]
use std::path::Path;
use urbis_core::units::{METRES_PER_FOOT, METRES_PER_MILE};
use urbis_core::{Problem, Problems};

/// Words for lengths and their metres.
const LENGTHS: [(&str, f64); 18] = [
    ("km", 1000.0),
    ("kms", 1000.0),
    ("kilometer", 1000.0),
    ("kilometers", 1000.0),
    ("kilometre", 1000.0),
    ("kilometres", 1000.0),
    ("mi", METRES_PER_MILE),
    ("mile", METRES_PER_MILE),
    ("miles", METRES_PER_MILE),
    ("m", 1.0),
    ("meter", 1.0),
    ("meters", 1.0),
    ("metre", 1.0),
    ("metres", 1.0),
    ("ft", METRES_PER_FOOT),
    ("foot", METRES_PER_FOOT),
    ("feet", METRES_PER_FOOT),
    ("yd", 0.9144),
];

/// Words for speeds and their metres a second.
const SPEEDS: [(&str, f64); 14] = [
    ("kmh", 1.0 / 3.6),
    ("km/h", 1.0 / 3.6),
    ("kph", 1.0 / 3.6),
    ("kmph", 1.0 / 3.6),
    ("km/hr", 1.0 / 3.6),
    ("kilometers per hour", 1.0 / 3.6),
    ("mph", METRES_PER_MILE / 3600.0),
    ("mi/h", METRES_PER_MILE / 3600.0),
    ("miles per hour", METRES_PER_MILE / 3600.0),
    ("mps", 1.0),
    ("m/s", 1.0),
    ("fps", METRES_PER_FOOT),
    ("ft/s", METRES_PER_FOOT),
    ("feet per second", METRES_PER_FOOT),
];

/// Units and reference system of a network.
#[derive(Clone, Debug)]
pub struct Config {
    /// Metres of one unit of `length`.
    pub length_m: f64,
    /// Whether the file says so.
    pub length_is_stated: bool,
    /// Metres a second of one unit of `free_speed`.
    pub speed_mps: f64,
    /// Metres of one unit of `z_coord`.
    pub short_length_m: f64,
    /// Reads coordinates into degrees.
    pub coordinates: CoordinateReader,
    /// Whether coordinates must be longitude, latitude.
    pub in_degrees: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            length_m: 1000.0,
            length_is_stated: false,
            speed_mps: 1.0 / 3.6,
            short_length_m: 1.0,
            coordinates: CoordinateReader::degrees(),
            in_degrees: true,
        }
    }
}

/// The length unit closest to a size in metres, for advice.
#[must_use]
pub fn likely_length(metres: f64) -> &'static str {
    let off = |unit: f64| (unit / metres).ln().abs();
    let units = [("km", 1000.0), ("miles", METRES_PER_MILE), ("m", 1.0), ("ft", METRES_PER_FOOT)];
    units.into_iter().min_by(|a, b| off(a.1).total_cmp(&off(b.1))).map_or("km", |(name, _)| name)
}

/// Reads the table; without one, the defaults.
pub fn read(table: Option<&Table>, problems: &mut Problems) -> Config {
    let mut config = Config::default();
    let Some(table) = table else { return config };
    if table.len() != 1 {
        problems.push(Problem::file(table.path(), format!("has {} rows, expected 1", table.len())));
    }
    let Some(row) = table.rows().next() else { return config };
    let cell = |name: &str| {
        let column = table.optional(name)?;
        row.optional_text(Some(column)).filter(|text| !is_missing(text)).map(|text| (column, text))
    };
    let mut unit = |name: &str, words: &[(&str, f64)]| {
        let (column, _) = cell(name)?;
        row.one_of(column, problems, words)
    };
    if let Some(length_m) = unit("long_length", &LENGTHS) {
        config.length_m = length_m;
        config.length_is_stated = true;
        // Usually long_length per hour; nobody counts metres or feet by the hour.
        if length_m >= 1000.0 {
            config.speed_mps = length_m / 3600.0;
        }
    }
    if let Some(short_length_m) = unit("short_length", &LENGTHS) {
        config.short_length_m = short_length_m;
    }
    if let Some(speed_mps) = unit("speed", &SPEEDS) {
        config.speed_mps = speed_mps;
    }
    if let Some((column, text)) = cell("crs") {
        let code =
            if text.bytes().all(|byte| byte.is_ascii_digit()) { format!("EPSG:{text}") } else { text.to_owned() };
        match CoordinateReader::from_code(&code) {
            Ok(reader) => {
                config.in_degrees = reader.is_degrees();
                config.coordinates = reader;
            }
            Err(why) => problems.push(row.problem(column, format!("a reference system ({why})"))),
        }
    }
    if let Some((column, text)) = cell("geometry_field_format")
        && !text.eq_ignore_ascii_case("wkt")
    {
        problems.push(row.problem(column, "WKT"));
    }
    config
}

/// Cells that the specification takes for blank.
#[must_use]
pub fn is_missing(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("nan")
}

/// The configuration of a folder in memory, for tests and messages.
#[cfg(test)]
pub(crate) fn read_text(text: &str) -> (Config, Vec<String>) {
    let mut problems = Problems::new();
    let table = Table::from_bytes(Path::new("config.csv"), text.as_bytes()).unwrap();
    let config = read(Some(&table), &mut problems);
    (config, problems.listed().iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_by_their_many_names() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b, "{a} {b}");
        for (text, length_m, speed_mps) in [
            ("long_length,speed\nkm,kmh\n", 1000.0, 1.0 / 3.6),
            ("long_length,speed\nMiles,MPH\n", 1609.344, 0.447_04),
            ("long_length\nmi\n", 1609.344, 0.447_04),
            ("long_length,speed\nmeters,mps\n", 1.0, 1.0),
            ("long_length,speed\nfeet,fps\n", 0.3048, 0.3048),
            ("long_length,speed\nm,\n", 1.0, 1.0 / 3.6),
            ("dataset_name\nx\n", 1000.0, 1.0 / 3.6),
        ] {
            let (config, problems) = read_text(text);
            assert!(problems.is_empty(), "{problems:?}");
            close(config.length_m, length_m);
            close(config.speed_mps, speed_mps);
        }
        assert!(!read_text("speed\nmph\n").0.length_is_stated);
    }

    #[test]
    fn faults_are_named() {
        let text = "long_length,speed,crs,geometry_field_format\nfurlongs,knots,EPSG:1,geojson\n";
        let said = read_text(text).1;
        assert!(said[0].starts_with("config.csv row 1: long_length = furlongs, expected one of km"), "{said:?}");
        assert!(said[1].contains("speed = knots") && said[2].contains("crs = EPSG:1"));
        assert!(said[3].contains("geometry_field_format = geojson, expected WKT"));
        assert!(read_text("crs\n").1[0].contains("has 0 rows"));
        assert!(!read_text("crs\n32632\n").0.in_degrees);
        assert!(read_text("crs\nepsg:4326\n").0.in_degrees);
        assert_eq!([1000.0, 1500.0, 2.0, 0.4].map(likely_length), ["km", "miles", "m", "ft"]);
    }
}
