//! Route choice in equilibrium: [`static_equilibrium`] on volume-delay functions, [`dynamic`] on the
//! traffic engine, day to day.
//!
//! ```
//! use std::ops::ControlFlow;
//! use urbis_assignment::{Demand, Network, Options, PathLimits, assign};
//!
//! let network = Network {
//!     nodes: 2,
//!     from: vec![0, 0],
//!     to: vec![1, 1],
//!     t0: vec![10.0, 15.0],
//!     capacity: vec![2.0, 4.0],
//!     b: vec![0.15, 0.15],
//!     power: vec![4.0, 4.0],
//!     ..Network::default()
//! };
//! let demand = Demand::from_triples(2, &[(0, 1, 8.0)])?;
//! let solution = assign(&network, &demand, &Options::default(), &mut |_| ControlFlow::Continue(()))?;
//! let paths = solution.paths_from(0).map_or(vec![], |set| set.to(1, &PathLimits::default()));
//! assert!(paths.len() == 2 && (paths[0].cost - paths[1].cost).abs() < 1e-4 * paths[0].cost);
//! # Ok::<(), urbis_core::Error>(())
//! ```

mod bush;
pub mod dynamic;
pub mod paths;
mod shortest;
pub mod static_equilibrium;
mod static_input;
mod volume_delay;

pub use paths::{PathFlow, PathLimits, PathSet};
pub use static_equilibrium::{Iteration, Options, Solution, Unassigned, assign};
pub use static_input::{Demand, Network};
