//! Synthesis: the statistical panel and the buildings turned into persons, households and jobs.
//!
//! Step by step: `controls` are what each zone has to add up to; `sample` is the seed, households read from
//! files or, where there are none, the `defaults` of a country; `balance` finds weights of the seed for every
//! zone; `integerise` makes whole households of them; `residents` fits the last persons, places households in
//! buildings and draws what no control says; `report` says how well it all fits. `ipf` fits the cars of
//! households to their margins. `jobs` are spread over buildings by sector. `land_use` adds those of a plan.
//!
//! Zones run in parallel and draw keyed random numbers, so the same city and seed give the same people on any
//! number of threads. Ignores group quarters and who of a household is related to whom.

pub mod balance;
pub mod controls;
pub mod defaults;
pub mod households;
pub mod integerise;
pub mod ipf;
pub mod jobs;
mod land_use;
mod members;
pub mod report;
pub mod residents;
pub mod sample;
pub mod settings;
mod traits;
pub mod types;

pub use households::Households;
pub use report::FitReport;
pub use settings::SynthesisSettings;

/// Purposes of random numbers in this crate: one number for each use, never reused.
pub(crate) mod purpose {
    pub(crate) const ROUNDING: u32 = 120;
    pub(crate) const MEMBERS: u32 = 121;
    pub(crate) const CARS: u32 = 122;
    pub(crate) const INCOME: u32 = 123;
    pub(crate) const PERSON: u32 = 101;
    pub(crate) const WORKPLACE: u32 = 102;
    pub(crate) const PLAN: u32 = 103;
    pub(crate) const TASTE: u32 = 104;
    pub(crate) const OUTSIDE: u32 = 105;
    pub(crate) const REPLAN: u32 = 106;
    pub(crate) const TELEWORK: u32 = 131;
    pub(crate) const HOURS: u32 = 132;
    pub(crate) const LAND_USE: u32 = 133;
}
