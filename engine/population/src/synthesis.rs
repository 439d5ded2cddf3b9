//! Synthesis: the statistical panel and the buildings turned into persons, households and jobs.
//!
//! Counts are exact (largest remainders), places are drawn with keyed random numbers, so the same city
//! and seed give the same people on any number of threads.

pub mod jobs;
pub mod residents;

/// Purposes of random numbers in this crate: one number for each use, never reused.
pub(crate) mod purpose {
    pub(crate) const HOUSEHOLD: u32 = 100;
    pub(crate) const PERSON: u32 = 101;
    pub(crate) const WORKPLACE: u32 = 102;
    pub(crate) const PLAN: u32 = 103;
    pub(crate) const TASTE: u32 = 104;
    pub(crate) const OUTSIDE: u32 = 105;
    pub(crate) const REPLAN: u32 = 106;
}
