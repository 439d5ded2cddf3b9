//! Cascades: what fails because something else does.
//!
//! * [`random`] random networks that depend on one another, and the closed form of what is left; [`mutual`] the cascade on them.
//! * [`graph`] who needs whom, as columns; [`propagate`] failures in time on it, people without service.
//! * [`resilience`] figures of a curve of quality: loss, recovery, robustness, rapidity.
//! * [`of_city`] the graph of a city, from its networks; [`supply`] the way to sources, [`presence`] who is where.
//!
//! Kernels know nothing of the world; [`of_city`] alone reads it. Nothing here acts on a run: couplings of the step do that, and
//! the graph says beforehand whom a failure can reach, when, and which failures would cost most.

pub mod graph;
pub mod mutual;
pub mod of_city;
pub mod presence;
pub mod propagate;
pub mod random;
pub mod resilience;
pub mod supply;
