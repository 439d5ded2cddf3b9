//! District heat: water that plants heat and pump, pipes that lose heat to the ground, consumers.
//!
//! [`HeatFlow`] finds the steady state: pressures and flows (see [`crate::pipes::solver`]), then temperatures
//! ([`temperatures`]), and, where flows follow from temperatures ([`consumers`]), both in turn until nothing changes.
//! [`transport::HeatRun`] goes through time: each step has steady flows, and water carries its heat along pipes as plugs
//! ([`plug`]), so a warmer supply arrives when the water does. Its ledger says that heat produced is delivered, lost or
//! stored.
//!
//! Ignored: heat that pressure loss makes, heat in pipe walls and ground, conduction along the water, water in buildings.
//! Contract: no allocation in solves and steps; single-threaded, a pure function of tables and the state before.

pub mod city;
pub mod consumers;
mod flow;
pub mod plug;
pub mod synthetic;
pub mod temperatures;
pub mod transport;

pub use flow::{Coupling, HeatFlow, HeatLink, HeatOutcome, HeatSettings};
