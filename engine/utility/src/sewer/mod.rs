//! Sewers and storm drains: rain on subcatchments, runoff into nodes, flow through pipes, channels, weirs, orifices and
//! pumps to outfalls, and water that leaves through manholes.
//!
//! Method: that of EPA SWMM 5.2. Runoff is a nonlinear reservoir on three subareas of each subcatchment
//! ([`runoff`]); water is routed by kinematic waves, steady flow ([`kinematic`]) or the full Saint-Venant equations on
//! links and nodes ([`dynamic`]). Source: L. A. Rossman and W. C. Huber, Storm Water Management Model Reference Manual
//! Vol. I, Hydrology (EPA/600/R-15/162A), L. A. Rossman, Vol. II, Hydraulics (EPA/600/R-17/111), and SWMM's source, which
//! is in the public domain, for order and tolerances. The code is written anew, in SI units.
//!
//! Ignored: water quality, snow, groundwater, low-impact development, rainfall-dependent infiltration into sewers,
//! culvert inlet control, street inlets, natural channels by transects. The reader [`inp`] names each where a file has it.
//!
//! In a city: [`synthetic`] makes a sewer up along its streets, [`city_sewer`] carries what buildings and rain bring, by
//! a [`Simulation`] that is advanced step by step.
//!
//! Contract: [`simulation::run`] is a pure function of the network; it computes in a fixed order on any number of threads, so its
//! bits do not depend on the number of threads. Nothing is allocated in its steps but the results.

pub mod books;
pub mod city_sewer;
pub mod controls;
pub mod dynamic;
pub mod infiltration;
pub mod inp;
pub mod kinematic;
pub mod lateral;
pub mod ledger;
mod momentum;
pub mod network;
pub mod rain;
mod regulators;
pub mod runoff;
pub mod section;
pub mod simulation;
mod state;
mod storage;
pub mod synthetic;
pub mod table;
pub mod time;
pub mod units;

pub use network::{Method, Sewer};
pub use simulation::{Report, Results, Simulation, run, run_with};
