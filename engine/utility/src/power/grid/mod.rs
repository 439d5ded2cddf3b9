//! The electric grid as flat columns, and what follows from which of its branches are closed.
//!
//! * [`tables`] what a caller fills: buses, branches, shunts, loads, generators.
//! * [`check`] what is wrong with them.
//! * [`topology`] merged buses, islands, which of them have a source.
//! * [`part`] the stretches between slack buses, each an independent solve with its own matrix.
//!
//! Powers and voltages are SI at the outside (W, var, V); impedances are per unit of the grid's base, as equipment
//! tables and cases state them, with [`tables::Branch::line`] for ohms. Inside everything is per unit.

pub mod check;
pub mod part;
pub mod tables;
pub mod topology;

pub use part::Part;
pub use tables::{Branch, Bus, BusKind, Generator, Grid, Load, Shunt};
pub use topology::Topology;

/// Complex numbers of this domain.
pub type Complex = num_complex::Complex64;
