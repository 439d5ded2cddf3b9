//! Routing and the kinematic-wave movement of vehicles.

mod engine;
mod layout;
mod link;
pub mod network;
mod node;
pub mod synthetic;
pub mod time;
mod vehicles;
mod wheel;

pub use engine::{Arrival, Engine, LinkOccupancy, VehicleCounts};
pub use vehicles::RouteRef;
