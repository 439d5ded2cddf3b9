//! What every other crate of Urbis stands on: the tick clock, units, dense indices, keyed random
//! numbers, column helpers, CSR graphs, diagnostics and files that are whole or absent.
//!
//! Nothing here knows a city. Nothing here reads the wall clock, the environment or a thread number,
//! so whatever is built on it can be bit-identical on any number of threads.

pub mod calendar;
pub mod chunks;
pub mod clock;
pub mod columns;
pub mod csr;
pub mod diagnostics;
pub mod files;
pub mod hash;
pub mod index;
pub mod named;
pub mod rng;
pub mod units;

pub use clock::{Clock, Domain, Period, Tick};
pub use diagnostics::{Error, Problem, Problems, Result};
pub use index::{BuildingIx, CarLinkIx, LinkIx, NodeIx, PersonIx, TripIx, VehicleIx, ZoneIx};
