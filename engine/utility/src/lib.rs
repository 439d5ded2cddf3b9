//! Utility networks: what buildings ask for, and what carries it.
//!
//! * [`power`] electricity: loads, devices, grids, and the one that a city's run carries.
//! * [`water`], [`sewer`], [`gas`], [`heat`] networks of pipes; gas and heat share [`pipes`].
//! * [`heat_profile`], [`water_demand`] what buildings ask of them, [`telecom`] who is connected.
//! * [`layout`] where their elements lie.
//! * [`weather`], [`solar`] what drives all of it; [`sparse`] the kernels that solve it; [`snapshot`] their states as bytes.

pub mod gas;
pub mod heat;
pub mod heat_loads;
pub mod heat_profile;
pub mod layout;
pub mod measures;
pub mod piped;
pub mod pipes;
pub mod power;
mod reading;
mod sets;
pub mod sewer;
pub mod snapshot;
pub mod solar;
pub mod sparse;
mod streets;
pub mod telecom;
pub mod water;
pub mod water_demand;
pub mod weather;
pub mod wiring;

pub use power::PowerSettings;
pub use weather::{Weather, WeatherSettings};
