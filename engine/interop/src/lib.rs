//! Networks, trips and demand in the files of other traffic tools.
//!
//! Readers give [`RoadNetwork`] and [`Trips`]; what a file does not say is assumed, and said in the notes.
//! Contract: pure functions of the files; every problem names file, row, id, value and expectation.

mod fastest;
mod id_index;
pub mod lanes;
pub mod matrix;
pub mod matsim;
mod names;
pub mod network;
pub mod read_gmns;
pub mod read_network;
pub mod signals;
pub mod sumo;
pub mod tntp;
pub mod trips;
mod trips_csv;
mod trips_parquet;
mod trips_part;
pub mod write_gmns;
pub mod write_trips;
mod xml;

pub use id_index::IdIndex;
pub use network::RoadNetwork;
pub use trips::{TripFault, TripFaults, TripIds, Trips, TripsFile};
