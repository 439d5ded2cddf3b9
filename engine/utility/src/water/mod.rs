//! Water: pressures and flows in the pipes of a city, over time.
//!
//! * [`network`] what a network is made of,
//! * [`inp`] its text form in EPANET.

pub mod inp;
pub mod network;

pub use network::Network;
