//! Scenario files, validated: TOML to one [`Scenario`] that says which city, which period, how the
//! models are set and what is recorded.
//!
//! A scenario may stand on another one (`base = "baseline.toml"`) and patch it: tables merge key by
//! key, everything else is replaced. [`load`] reads the whole chain, checks each file against the schema
//! that is derived from the very structs the models read ([`json_schema`]), then checks what only the
//! whole can tell, and reports everything that is wrong at once, each problem with its place in the file
//! where it stands.
//!
//! What it leaves to others: whether the city package exists and fits. [`Loaded::problem_at`] lets them
//! report that with the same precision.
//!
//! Contract: nothing here reads the clock, the environment or a thread number; the same files give the
//! same scenario, hash and differences wherever they lie.

mod built_policies;
mod check;
mod differences;
mod events;
mod load;
mod period;
mod policies;
mod sampling;
mod schema;
mod settings;
mod settle;
mod study;
mod tree;

pub use differences::{Difference, canonical_json};
pub use load::{Loaded, MAX_CHAIN, MAX_FILE_BYTES, load};
pub use period::Timing;
pub use sampling::{Method, Sample};
pub use settings::{
    CitySettings, OutputSettings, OutputTables, PeriodSettings, PlainTable, Scenario, ScheduledTable, TableSchedule,
    ZonedTable, json_schema,
};
pub use study::{
    LoadedStudy, MAX_RUNS, Parameter, ScenarioPath, Study, StudyRun, Variant, load_run, load_study, study_schema,
};
pub use urbis_coupling::Policy;
