//! Utility networks. Electricity first: what buildings ask for, its sum by zone and sector, and AC power flow of grids on
//! sparse kernels that other networks share. Gas and district heat: flows of pipes, temperatures, heat on its way.

pub mod gas;
pub mod heat;
pub mod pipes;
pub mod heat_profile;
pub mod power;
mod reading;
mod sets;
pub mod sewer;
pub mod solar;
pub mod sparse;
pub mod telecom;
pub mod water;
pub mod water_demand;
pub mod weather;

pub use power::PowerSettings;
pub use weather::{Weather, WeatherSettings};
