//! Routing and the kinematic-wave movement of vehicles.
//!
//! A trip request becomes a route ([`route`], `cch`), waits in the queue of its origin, crosses links
//! (`link`) and nodes (`node`) as an individual vehicle, and ends at the end of its last link.
//! `engine` is the kernel without a world; `systems` puts it into one.
//!
//! What is deliberately absent: teleports, vehicles removed to dissolve gridlock, per-vehicle allocation,
//! and anything that depends on the number of threads.

mod cch;
mod circles;
mod dissection;
mod engine;
mod gridlock;
mod layout;
mod link;
mod measure;
pub mod network;
mod node;
pub mod route;
pub mod synthetic;
mod systems;
pub mod time;
mod vehicles;
mod wheel;

pub use engine::{Arrival, Engine, LinkOccupancy, VehicleCounts};
pub use gridlock::{Gridlock, GridlockPolicy, GridlockReport};
pub use measure::{LinkInterval, LinkStats};
pub use network::{CarNetwork, NetworkColumns, NetworkReport};
pub use route::{RouteBatch, Router};
pub use systems::{
    Departures, RejectReason, Rejected, Traffic, TrafficSettings, TripEnded, TripRequest, TripsEnded, advance_vehicles,
    install, install_network, load_departures, update_travel_times,
};
pub use vehicles::RouteRef;
