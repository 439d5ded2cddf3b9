//! GIS readers, the city package and the immutable layers made from it. The only user of GDAL.
//!
//! `recipe` (TOML) -> readers -> [`model::City`] -> `package` (GeoParquet folder) -> [`model::City`].
//! Everything downstream sees only [`model`].

mod assemble;
pub mod build;
#[cfg(test)]
mod build_tests;
mod building_tags;
pub mod buildings;
pub mod components;
pub mod crosswalk;
pub mod dwellings;
pub mod gateways;
pub mod geoparquet;
pub mod gmns;
pub mod gmns_config;
pub mod gmns_link;
pub mod gmns_words;
pub mod land_use;
pub mod locate;
pub mod model;
pub mod osm;
pub mod osm_area;
mod osm_pbf;
mod osm_tags;
#[cfg(test)]
mod osm_tests;
pub mod package;
mod package_read;
#[cfg(test)]
mod package_tests;
pub mod package_write;
pub mod panel;
pub mod pois;
pub mod projection;
pub mod raster;
pub mod recipe;
mod road_access;
mod road_control;
pub mod road_defaults;
mod road_merge;
mod road_pieces;
pub mod road_plan;
mod road_turns;
pub mod roads;
#[cfg(test)]
mod roads_tests;
pub mod shape;
pub mod sources;
pub mod synthetic;
pub mod table;
mod table_parquet;
pub mod vector;
pub mod wheel;
pub mod zones;
