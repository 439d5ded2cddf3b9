//! Tests that cross crates, a folder each, in one program: what they link is large, and their runs share the machine.
#![allow(clippy::print_stdout)] // tests print the figures they found

mod bills;
mod checkup;
mod comparison;
mod conservation;
mod couplings;
mod determinism;
mod emergency;
mod evacuation;
mod events;
mod golden;
mod grid;
mod groundwork;
mod incidents;
mod journey;
mod land_use;
mod notebook;
mod park_and_ride;
mod pipes;
mod plans;
mod policies;
mod policies_networks;
mod report;
mod shipped;
mod traffic_run;
mod transit;
