//! Water: pressures and flows in the pipes of a city, over time.
//!
//! * [`network`] what a network is made of, [`inp`] its text form in EPANET.
//! * [`hydraulics`] heads and flows at one moment, by `losses` of links and `statuses` of valves and pumps.
//! * [`simulation`] moments one after the other: [`tanks`] fill, `controls` and rules act.
//! * [`synthetic`] networks made up along a city's streets.
//! * [`quality`] what the water carries meanwhile: age, traces, chemicals that react.

pub mod city;
mod controls;
pub mod hydraulics;
pub mod inp;
mod losses;
pub mod measures;
pub mod network;
pub mod quality;
pub mod simulation;
mod statuses;
pub mod synthetic;
pub mod tanks;

pub use hydraulics::{Balance, Hydraulics, LinkState};
pub use network::Network;
pub use simulation::{PumpEnergy, Simulation, Volumes};
