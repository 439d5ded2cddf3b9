//! Results turned into indicators, comparisons and pictures. Reads only what a results folder vouches
//! for; nothing here takes part in a run.
//!
//! `read` opens a run -> `day` gathers what a picture needs -> `map` and `chart` draw it with `scale`
//! and `svg` -> `draw` lays it out. `published` puts simulated figures beside published ones; `report` makes
//! the planner's page.

mod chart;
mod day;
pub mod draw;
mod map;
pub mod published;
pub mod read;
pub mod report;
mod scale;
mod svg;

pub use published::{Against, Figure, compare, published_figure};
pub use read::{RunInfo, RunResults, runs_in};
