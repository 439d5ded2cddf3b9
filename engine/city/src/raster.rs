//! Rasters sampled to points and zones: elevation grids, population grids and the like, in any format
//! and reference system GDAL opens (cargo feature `gdal`).
//!
//! Points: bilinear between cell centres; cells without data are left out and the weights of the others
//! rescaled; outside the raster the value is NaN. Zones: each cell gives to each zone in proportion to
//! the area they share ([`crate::crosswalk`]); a cell is the quadrilateral of its four corners.
//!
//! Ignores: rotated overviews, masks other than no-data values, curvature of cell edges. Reading is
//! single-threaded; sampling runs over chunks and is the same on any number of threads.

use crate::projection::Projection;
use geo::Point;
use std::path::{Path, PathBuf};
use urbis_core::Result;
use urbis_core::chunks::{CHUNK_ROWS, map_chunks};

/// One band of a raster in memory.
#[derive(Debug)]
pub struct Grid {
    /// The file.
    pub path: PathBuf,
    /// Columns.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Values row by row from the top, `rows * columns`; NaN where there is no data.
    pub values: Vec<f64>,
    /// GDAL's affine transform from column, row to the raster's own coordinates.
    pub transform: [f64; 6],
    system: System,
}

/// The raster's own coordinates.
#[derive(Debug)]
enum System {
    /// Longitude, latitude on WGS 84.
    Degrees,
    /// Anything else, through GDAL, as its WKT: GDAL's own transforms cannot be shared by threads.
    #[cfg(feature = "gdal")]
    Other(String),
}

impl Grid {
    /// A grid in degrees. `values` are row by row from the top; `transform` is GDAL's: west edge, cell
    /// width, 0, north edge, 0, negative cell height.
    #[must_use]
    pub fn in_degrees(path: &Path, columns: usize, values: Vec<f64>, transform: [f64; 6]) -> Self {
        let rows = values.len() / columns.max(1);
        Self { path: path.to_owned(), columns, rows, values, transform, system: System::Degrees }
    }
    /// Value of a cell; NaN outside.
    #[must_use]
    pub fn value(&self, column: usize, row: usize) -> f64 {
        if column < self.columns && row < self.rows { self.values[row * self.columns + column] } else { f64::NAN }
    }
    /// Values at points in degrees, bilinear between cell centres.
    #[must_use]
    pub fn sample(&self, points: &[Point]) -> Vec<f64> {
        let places = self.to_cells(points);
        map_chunks(places.len(), CHUNK_ROWS, |range| {
            places[range].iter().map(|&(x, y)| self.bilinear(x, y)).collect::<Vec<f64>>()
        })
        .concat()
    }
    /// Value at fractional column and row, cell edges at whole numbers.
    fn bilinear(&self, x: f64, y: f64) -> f64 {
        if !(x >= 0.0 && y >= 0.0 && x <= self.columns as f64 && y <= self.rows as f64) {
            return f64::NAN;
        }
        // Beyond the outermost centres the nearest cells count.
        let (x, y) = ((x - 0.5).clamp(0.0, self.columns as f64 - 1.0), (y - 0.5).clamp(0.0, self.rows as f64 - 1.0));
        let (column, row) = (x.floor(), y.floor());
        let (dx, dy) = (x - column, y - row);
        let (mut sum, mut weights) = (0.0, 0.0);
        for (right, down, weight) in
            [(0, 0, (1.0 - dx) * (1.0 - dy)), (1, 0, dx * (1.0 - dy)), (0, 1, (1.0 - dx) * dy), (1, 1, dx * dy)]
        {
            let value = self.value(column as usize + right, row as usize + down);
            if !value.is_nan() && weight > 0.0 {
                sum += weight * value;
                weights += weight;
            }
        }
        if weights > 0.0 { sum / weights } else { f64::NAN }
    }
    /// Fractional columns and rows of points in degrees; NaN where the system is not defined.
    fn to_cells(&self, points: &[Point]) -> Vec<(f64, f64)> {
        let own: Vec<(f64, f64)> = match &self.system {
            System::Degrees => points.iter().map(|p| (p.x(), p.y())).collect(),
            #[cfg(feature = "gdal")]
            System::Other(wkt) => transformed(wkt, Direction::FromDegrees, points.iter().map(|p| (p.x(), p.y()))),
        };
        let [x0, xc, xr, y0, yc, yr] = self.transform;
        let determinant = xc * yr - xr * yc;
        let cell = |(x, y): (f64, f64)| {
            ((yr * (x - x0) - xr * (y - y0)) / determinant, (xc * (y - y0) - yc * (x - x0)) / determinant)
        };
        own.into_iter().map(cell).collect()
    }
    /// Corners of all cells, projected, row by row: `(rows + 1) * (columns + 1)` eastings and northings.
    #[must_use]
    pub fn corners_m(&self, projection: &Projection) -> Vec<(f64, f64)> {
        let [x0, xc, xr, y0, yc, yr] = self.transform;
        let own = (0..=self.rows).flat_map(|row| (0..=self.columns).map(move |column| (column as f64, row as f64)));
        let own = own.map(|(c, r)| (x0 + c * xc + r * xr, y0 + c * yc + r * yr));
        let degrees: Vec<(f64, f64)> = match &self.system {
            System::Degrees => own.collect(),
            #[cfg(feature = "gdal")]
            System::Other(wkt) => transformed(wkt, Direction::ToDegrees, own),
        };
        map_chunks(degrees.len(), CHUNK_ROWS, |range| {
            degrees[range].iter().map(|&(x, y)| projection.project(Point::new(x, y))).collect::<Vec<_>>()
        })
        .concat()
    }
}

#[cfg(feature = "gdal")]
#[derive(Clone, Copy)]
enum Direction {
    ToDegrees,
    FromDegrees,
}

#[cfg(feature = "gdal")]
fn transform_of(wkt: &str, direction: Direction) -> gdal::errors::Result<gdal::spatial_ref::CoordTransform> {
    let mut own = gdal::spatial_ref::SpatialRef::from_wkt(wkt)?;
    own.set_axis_mapping_strategy(gdal::spatial_ref::AxisMappingStrategy::TraditionalGisOrder);
    match direction {
        Direction::ToDegrees => gdal::spatial_ref::CoordTransform::new(&own, &degrees()?),
        Direction::FromDegrees => gdal::spatial_ref::CoordTransform::new(&degrees()?, &own),
    }
}

/// Points in the other system; NaN where it is not defined. [`read`] has tried both directions before.
#[cfg(feature = "gdal")]
fn transformed(wkt: &str, direction: Direction, points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let by = transform_of(wkt, direction).ok();
    points
        .map(|(x, y)| {
            let (mut x, mut y) = ([x], [y]);
            let done = by.as_ref().is_some_and(|by| by.transform_coords(&mut x, &mut y, &mut []).is_ok());
            if done { (x[0], y[0]) } else { (f64::NAN, f64::NAN) }
        })
        .collect()
}

/// GDAL writes its errors to stderr unless told otherwise; they come back as results anyway.
#[cfg(feature = "gdal")]
pub(crate) fn keep_gdal_quiet() {
    gdal::config::set_error_handler(|_, _, _| {});
}

/// Longitude, latitude on WGS 84, longitude first.
#[cfg(feature = "gdal")]
fn degrees() -> gdal::errors::Result<gdal::spatial_ref::SpatialRef> {
    let mut degrees = gdal::spatial_ref::SpatialRef::from_epsg(4326)?;
    degrees.set_axis_mapping_strategy(gdal::spatial_ref::AxisMappingStrategy::TraditionalGisOrder);
    Ok(degrees)
}

/// The transform of a system to degrees; `None` where it is longitude, latitude on WGS 84 already.
#[cfg(feature = "gdal")]
pub(crate) fn transform_to_degrees(
    mut system: gdal::spatial_ref::SpatialRef,
) -> gdal::errors::Result<Option<gdal::spatial_ref::CoordTransform>> {
    system.set_axis_mapping_strategy(gdal::spatial_ref::AxisMappingStrategy::TraditionalGisOrder);
    if is_wgs84(&system) {
        return Ok(None);
    }
    gdal::spatial_ref::CoordTransform::new(&system, &degrees()?).map(Some)
}

#[cfg(feature = "gdal")]
fn is_wgs84(system: &gdal::spatial_ref::SpatialRef) -> bool {
    system.is_geographic() && system.auth_code().is_ok_and(|code| code == 4326)
}

/// Reads one band (from 1).
///
/// # Errors
/// When the file is absent, no raster, has no such band, no reference system or no place in it.
#[cfg(feature = "gdal")]
pub fn read(path: &Path, band: usize) -> Result<Grid> {
    use urbis_core::{Error, Problem};
    if !path.exists() {
        return Err(Error::read(path, std::io::Error::from(std::io::ErrorKind::NotFound)));
    }
    keep_gdal_quiet();
    let said = |e: gdal::errors::GdalError| Problem::file(path, format!("GDAL cannot read it as a raster: {e}"));
    let options =
        gdal::DatasetOptions { open_flags: gdal::GdalOpenFlags::GDAL_OF_RASTER, ..gdal::DatasetOptions::default() };
    let dataset = gdal::Dataset::open_ex(path, options).map_err(said)?;
    if band > dataset.raster_count() {
        let what = format!("band {band} of {}, expected one that exists", dataset.raster_count());
        return Err(Problem::file(path, what).into());
    }
    let (Ok(mut system), Ok(transform)) = (dataset.spatial_ref(), dataset.geo_transform()) else {
        let problem = Problem::file(path, "the raster does not say its reference system or its place in it");
        return Err(problem
            .with_help("assign them, for example with `gdal_edit.py -a_srs EPSG:4326 -a_ullr ...`")
            .into());
    };
    system.set_axis_mapping_strategy(gdal::spatial_ref::AxisMappingStrategy::TraditionalGisOrder);
    let own = if is_wgs84(&system) {
        System::Degrees
    } else {
        let wkt = system.to_wkt().map_err(said)?;
        for direction in [Direction::ToDegrees, Direction::FromDegrees] {
            transform_of(&wkt, direction).map_err(said)?;
        }
        System::Other(wkt)
    };
    let band = dataset.rasterband(band).map_err(said)?;
    let (columns, rows) = band.size();
    let no_data = band.no_data_value();
    let buffer = band.read_band_as::<f64>().map_err(said)?;
    let clean = |&value: &f64| match no_data {
        // A no-data value is a marker: only the very same bits mean it.
        Some(marker) if value.to_bits() == marker.to_bits() || value.is_infinite() => f64::NAN,
        _ => value,
    };
    let values: Vec<f64> = buffer.data().iter().map(clean).collect();
    Ok(Grid { path: path.to_owned(), columns, rows, values, transform, system: own })
}

/// Reads one band (from 1).
///
/// # Errors
/// Always, because this program was built without GDAL.
#[cfg(not(feature = "gdal"))]
pub fn read(path: &Path, _band: usize) -> Result<Grid> {
    let what = "rasters need GDAL, and this program was built without it";
    Err(urbis_core::Problem::file(path, what).with_help("build with the cargo feature `gdal`").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 x 2 cells of 0.1 degrees; the value is `column + 10 * row`, one cell without data.
    pub(crate) fn grid() -> Grid {
        let values = vec![0.0, 1.0, 2.0, 10.0, 11.0, f64::NAN];
        Grid::in_degrees(Path::new("g.tif"), 3, values, [7.0, 0.1, 0.0, 43.2, 0.0, -0.1])
    }

    #[test]
    fn bilinear_between_centres() {
        let at = |x: f64, y: f64| grid().sample(&[Point::new(x, y)])[0];
        assert!((at(7.05, 43.15) - 0.0).abs() < 1e-9);
        assert!((at(7.10, 43.10) - 5.5).abs() < 1e-9, "the middle of four cells is their mean");
        assert!((at(7.0, 43.2) - 0.0).abs() < 1e-9, "the outermost half cell is flat");
        // Three of four cells have data: (1 + 2 + 11) / 3.
        assert!((at(7.20, 43.10) - 14.0 / 3.0).abs() < 1e-9);
        assert!(at(6.99, 43.1).is_nan() && at(7.1, 43.3).is_nan());
        assert!(at(7.29, 43.01).is_nan(), "no data at all");
    }

    #[test]
    fn corners_are_projected_row_by_row() {
        let projection = Projection::auto(7.1, 43.1);
        let corners = grid().corners_m(&projection);
        assert_eq!(corners.len(), 12);
        let expected = projection.project(Point::new(7.1, 43.1));
        assert!((corners[5].0 - expected.0).abs() < 1e-6 && (corners[5].1 - expected.1).abs() < 1e-6);
    }

    #[cfg(not(feature = "gdal"))]
    #[test]
    fn without_gdal_it_says_so() {
        let urbis_core::Error::Input(problems) = read(Path::new("a.tif"), 1).unwrap_err() else { panic!() };
        assert!(problems.listed()[0].to_string().contains("built without it"));
    }

    #[cfg(feature = "gdal")]
    #[test]
    fn geotiffs_through_gdal() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, epsg: Option<u32>, transform: [f64; 6]| {
            let path = place.path().join(name);
            let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
            let mut dataset = driver.create_with_band_type::<f32, _>(&path, 2, 2, 1).unwrap();
            if let Some(epsg) = epsg {
                dataset.set_spatial_ref(&gdal::spatial_ref::SpatialRef::from_epsg(epsg).unwrap()).unwrap();
                dataset.set_geo_transform(&transform).unwrap();
            }
            let mut band = dataset.rasterband(1).unwrap();
            band.set_no_data_value(Some(-9999.0)).unwrap();
            let mut buffer = gdal::raster::Buffer::new((2, 2), vec![1.0_f32, 3.0, 5.0, -9999.0]);
            band.write((0, 0), (2, 2), &mut buffer).unwrap();
            drop(dataset);
            path
        };
        let degrees = read(&write("d.tif", Some(4326), [7.0, 0.1, 0.0, 43.2, 0.0, -0.1]), 1).unwrap();
        assert!((degrees.sample(&[Point::new(7.1, 43.15)])[0] - 2.0).abs() < 1e-9);
        assert!(degrees.value(1, 1).is_nan());
        let metres = read(&write("m.tif", Some(32632), [370_000.0, 100.0, 0.0, 4_840_200.0, 0.0, -100.0]), 1).unwrap();
        let projection = Projection::from_code("EPSG:32632").unwrap();
        let at = projection.unproject(370_100.0, 4_840_150.0);
        assert!((metres.sample(&[at])[0] - 2.0).abs() < 1e-4);
        let corner = metres.corners_m(&projection)[4];
        assert!((corner.0 - 370_100.0).abs() < 1e-2 && (corner.1 - 4_840_100.0).abs() < 1e-2, "{corner:?}");
        let bare = read(&write("b.tif", None, [0.0; 6]), 1);
        let urbis_core::Error::Input(problems) = bare.unwrap_err() else { panic!() };
        assert!(problems.listed()[0].to_string().contains("does not say its reference system"));
        assert!(read(&place.path().join("d.tif"), 2).is_err());
        std::fs::write(place.path().join("x.tif"), "no").unwrap();
        assert!(read(&place.path().join("x.tif"), 1).is_err());
    }
}
