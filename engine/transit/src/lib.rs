//! Public transport: GTFS feeds -> [`timetable::Timetable`] -> journeys ([`raptor`]) and the day in
//! operation ([`operation`]).
//!
//! Knows stops, walking between them and vehicles by timetable; streets, cars and persons belong to others, who hand in
//! (stop, seconds) lists and passengers with itineraries. Same input, same bits, on any number of threads.

pub mod fares;
pub mod feed;
mod feed_fares;
mod feed_tables;
mod feed_trips;
pub mod footpaths;
pub mod frequency;
mod gtfs_file;
pub mod journey;
pub mod operation;
pub mod raptor;
pub mod report;
mod service;
pub mod settings;
pub mod timetable;

pub use jiff::civil::Date;

urbis_core::dense_index! {
    /// Row of the stops of a timetable.
    StopIx,
    /// Row of the routes (lines) of a timetable.
    RouteIx,
    /// Row of the patterns of a timetable.
    PatternIx,
    /// Row of the trips of a timetable.
    TransitTripIx,
}
