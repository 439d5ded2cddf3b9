//! Water: pressures and flows in the pipes of a city, over time.
//!
//! * [`network`] what a network is made of,
//! * [`inp`] its text form in EPANET,
//! * [`quality`] what its water carries.

pub mod inp;
pub mod network;
pub mod quality;

pub use network::Network;
