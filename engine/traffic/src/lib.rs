//! Routing and the kinematic-wave movement of vehicles.
//!
//! A trip request becomes a route ([`route`], `cch`), waits in the queue of its origin, crosses links
//! (`link`) and nodes (`node`) as an individual vehicle, and ends at the end of its last link.
//! `engine` is the kernel without a world; `systems` puts it into one.
//!
//! What is deliberately absent: teleports, vehicles removed to dissolve gridlock, per-vehicle allocation,
//! and anything that depends on the number of threads.

mod cch;
mod cch_metric;
mod cch_query;
mod circles;
mod city_roads;
mod control;
mod dissection;
pub mod emissions;
mod engine;
mod expansion;
mod gate;
mod green;
mod gridlock;
pub mod lane_groups;
mod layout;
mod link;
mod measure;
pub mod merge;
pub mod network;
mod node;
pub mod noise;
pub mod parking;
pub mod queue_model;
pub mod route;
pub mod route_choices;
pub mod route_cost;
pub mod signals;
pub mod slope;
pub mod slow_modes;
pub mod synthetic;
mod systems;
pub mod time;
pub mod time_bins;
mod time_dependent;
mod vehicle_class;
mod vehicles;
mod wheel;

pub use city_roads::{ByCity, CityPassages, MARKED_LANES_M, Reshaped, RoadShape};
pub use control::{ApproachState, SignalControl, SignalSettings, Signals};
pub use engine::{Arrival, Departure, Engine, LinkOccupancy, LinkPassage, OnRoad, RouteRef, SignalIx, VehicleCounts};
pub use expansion::TurnDelay;
pub use gridlock::{Gridlock, GridlockPolicy, GridlockReport};
pub use measure::{LinkInterval, LinkStats};
pub use network::{CarNetwork, NetworkColumns, NetworkReport};
pub use parking::ParkingSettings;
pub use route::{RouteBatch, RouteMetric, Router};
pub use route_cost::RouteCost;
pub use systems::{
    Departures, EmissionFactors, RejectReason, Rejected, RouteTaken, RoutesTaken, Traffic, TrafficSettings, TripEnded,
    TripRequest, TripsEnded, advance_vehicles, control_signals, install, install_network, load_departures,
    tolls_of_links, update_travel_times,
};
pub use time_bins::TimeBins;
pub use time_dependent::TimedQuery;
pub use urbis_core::CarLinkIx;
pub use vehicle_class::VehicleClass;
