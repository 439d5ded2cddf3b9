//! Unsymmetrical power flow of three-phase distribution feeders: voltages of each phase where houses hang on one of
//! them, in the frame of phases, with full coupling between them.
//!
//! * [`tables`] what a caller fills: buses, lines, transformers, sources, loads, generators.
//! * [`check`] what is wrong with them.
//! * [`admittance`] what a line, a transformer and a source are in per unit, by phases.
//! * [`order`] in which order rows are eliminated, so that re-solving touches few of them.
//! * [`feeder`] what hangs together: the fixed-point iteration and its derivation.
//! * [`solve`] the whole grid, again and again while loads, taps and switches change.
//! * [`results`] flows, losses, unbalance, neutral currents.
//!
//! Phases are a, b, c, in this order: b lags a by 120 degrees. SI outside; inside per unit of a third of the base power
//! and of the voltage between phase and earth.
//!
//! Ignored: the neutral as a conductor with a voltage of its own (it is earthed everywhere, or reduced into the
//! impedances of phases), single-phase transformers and regulators, held voltages (PV), lines without impedance.

pub mod admittance;
pub mod check;
pub mod feeder;
pub mod order;
pub mod results;
pub mod sequence;
pub mod solve;
pub mod tables;

pub use crate::sparse::phase_lu::{PhaseBlock, Phases};
pub use feeder::{FeederOutcome, PhaseSettings};
pub use results::PhaseBranchFlow;
pub use solve::{PhaseFlow, PhaseOutcome, WorstPhase};
pub use tables::{
    Connection, PhaseBus, PhaseGenerator, PhaseGrid, PhaseLine, PhaseLoad, PhaseSource, PhaseTransformer, SequenceLine,
    VectorGroup,
};
