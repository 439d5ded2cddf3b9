//! Results turned into indicators, comparisons and pictures. Reads only what a results folder vouches
//! for; nothing here takes part in a run.
//!
//! `read` opens a run -> `day` gathers what a picture needs -> `map` and `chart` draw it with `scale`
//! and `svg` -> `draw` lays it out. `published` puts simulated figures beside published ones.
//!
//! `pairs` opens runs of two scenarios seed by seed -> `indicators`, `place_values` and `link_effects` gather their
//! figures -> `statistics` and `bootstrap` say what the pairs tell -> `comparison` holds it, `comparison_tables` writes it;
//! `appraisal` says what it is worth, and `report` makes the planner's page of it all.
//!
//! `checkup` computes a city's vital signs from each run, with states and reasons for what is missing.

pub mod appraisal;
pub mod bootstrap;
mod chart;
pub mod checkup;
pub mod comparison;
pub mod comparison_tables;
mod day;
pub mod describe;
pub mod draw;
mod indicators;
mod link_effects;
mod map;
pub mod pairs;
mod place_values;
pub mod published;
pub mod read;
pub mod report;
mod scale;
pub mod statistics;
mod svg;
pub mod table_out;

pub use appraisal::{Appraisal, values::Values};
pub use checkup::Checkup;
pub use comparison::{Comparison, Effect, Figure, Options, compare};
pub use pairs::PairedRuns;
pub use published::{Against, published_figure};
pub use read::{RunInfo, RunResults, run_id_of, run_ids, runs_in};
pub use statistics::{Interval, Precision, State, Statistics};
