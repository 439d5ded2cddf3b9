//! GIS readers, the city package and the immutable layers made from it. The only user of GDAL.
//!
//! `recipe` (TOML) -> readers -> [`model::City`] -> `package` (GeoParquet folder) -> [`model::City`].
//! Everything downstream sees only [`model`].

pub mod crosswalk;
pub mod geoparquet;
pub mod model;
pub mod package;
mod package_read;
pub mod package_write;
pub mod osm;
pub mod osm_area;
mod osm_pbf;
#[cfg(test)]
mod osm_tests;
mod osm_tags;
pub mod projection;
pub mod raster;
pub mod table;
pub mod vector;
