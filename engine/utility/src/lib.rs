//! Utility networks. Electricity first: what buildings ask for, and its sum by zone and sector.

pub mod power;

pub use power::PowerSettings;
