//! GIS readers, the city package and the immutable layers made from it. The only user of GDAL.
//!
//! `recipe` (TOML) -> readers -> [`model::City`] -> `package` (GeoParquet folder) -> [`model::City`].
//! Everything downstream sees only [`model`].

pub mod model;
pub mod projection;
