//! Urbis: a city's traffic, people and utility networks in one deterministic step loop.
//!
//! Start reading at [`step`]: the loop on one screen. [`simulation`] puts a city and a scenario into a
//! world and steps it, [`mod@run`] is the whole journey from a scenario file to a results folder.
//!
//! ```no_run
//! use std::{path::Path, sync::atomic::AtomicBool};
//! let options = urbis::RunOptions { out: "out".into(), ..urbis::RunOptions::default() };
//! let summary = urbis::run(Path::new("scenarios/monaco/baseline.toml"), &options, &mut |_| {}, &AtomicBool::new(false))?;
//! assert!(summary.out.join("_SUCCESS").exists());
//! # Ok::<(), urbis_core::Error>(())
//! ```

mod building_policies;
pub mod cascade_city;
pub mod cascade_theory;
mod emergency;
pub mod equilibrium;
mod events;
pub mod gas_run;
pub mod groundwork;
pub mod heat_run;
pub mod kept;
mod land_use;
pub mod learning;
pub mod pipe_options;
pub mod pipes_plan;
pub mod plan_folder;
mod policies;
mod policy_conflicts;
pub mod power_controls;
pub mod power_phases;
mod power_places;
pub mod power_plan;
mod power_profiles;
pub mod power_run;
pub mod power_series;
pub mod run;
pub mod sewer_plan;
pub mod sewer_run;
pub mod simulation;
mod solved_folder;
pub mod step;
pub mod synthesis_run;
pub mod threads;
pub mod town_run;
pub mod traffic_run;
mod transit;
mod travel_policies;
pub mod water_plan;
pub mod water_run;

pub use groundwork::Groundwork;
pub use kept::Kept;
pub use run::{Progress, RunOptions, RunSummary, ensure_package, run, run_ids, run_loaded};
pub use simulation::Simulation;
pub use urbis_city as city;
pub use urbis_core as core;
pub use urbis_coupling as coupling;
pub use urbis_interop as interop;
pub use urbis_output as output;
pub use urbis_output::Kpi;
pub use urbis_population as population;
pub use urbis_scenario as scenario;
pub use urbis_traffic as traffic;
pub use urbis_utility as utility;
