//! Shapes of a day by the hour, from midnight, in any unit: only their ratios count.

use super::HOURS;

/// Homes: "Residential" of Micropolis (K. Brumbelow and others, Virtual cities for water distribution and infrastructure
/// system research, 2007), figures as in WNTR's DemandPatternLibrary (Copyright National Technology &
/// Engineering Solutions of Sandia, LLC; Revised BSD).
pub(super) const HOMES: [f64; HOURS] = [
    0.55, 0.55, 0.58, 0.67, 0.85, 1.05, 1.16, 1.12, 1.15, 1.1, 1.02, 1.0, 1.02, 1.1, 1.2, 1.35, 1.45, 1.5, 1.5, 1.35,
    1.0, 0.8, 0.7, 0.6,
];
/// Shops and public places: "Commercial - churches, schools, city hall, post office, grocery stores" of Micropolis.
pub(super) const PUBLIC: [f64; HOURS] = [
    0.2, 0.2, 0.3, 0.5, 0.7, 0.7, 0.8, 0.9, 1.0, 0.9, 1.42, 1.85, 1.75, 1.6, 1.5, 1.42, 1.3, 1.4, 1.47, 1.65, 1.45,
    1.2, 0.5, 0.2,
];
/// Industry: "factory with 3 shifts" of Micropolis.
pub(super) const SHIFTS: [f64; HOURS] = [
    0.96, 0.96, 0.96, 0.96, 1.06, 1.07, 1.06, 0.96, 0.96, 0.96, 0.96, 0.96, 1.065, 1.075, 1.056, 0.96, 0.96, 0.96,
    0.96, 0.96, 1.065, 1.075, 1.065, 0.96,
];
/// Beds of hotels and hospitals: highest from 7 to 10 h, lower again in the late evening, least from 1 to 3 h, as measured
/// in a Berlin hotel (haustechnikdialog.de, Betriebswasser); heights are estimates.
pub(super) const BEDS: [f64; HOURS] = [
    0.5, 0.25, 0.25, 0.3, 0.4, 0.8, 1.4, 2.0, 2.2, 1.9, 1.3, 1.0, 1.0, 0.9, 0.8, 0.8, 0.9, 1.1, 1.3, 1.3, 1.3, 1.2,
    1.0, 0.7,
];
/// Presence at work and at school: estimates; a few are there at night.
pub(super) const AT_WORK: [f64; HOURS] = [
    0.02, 0.02, 0.02, 0.02, 0.02, 0.05, 0.2, 0.5, 0.85, 1.0, 1.0, 0.95, 0.75, 0.9, 1.0, 0.95, 0.75, 0.45, 0.2, 0.1,
    0.05, 0.03, 0.02, 0.02,
];
pub(super) const AT_SCHOOL: [f64; HOURS] = [
    0.01, 0.01, 0.01, 0.01, 0.01, 0.02, 0.05, 0.4, 1.0, 1.0, 1.0, 1.0, 0.9, 0.7, 0.6, 0.45, 0.25, 0.12, 0.08, 0.05,
    0.03, 0.02, 0.01, 0.01,
];
/// Presence at home: estimate of the order of surveys of time use, where about a third to a half is at home by day.
pub(super) const AT_HOME: [f64; HOURS] = [
    0.97, 0.98, 0.98, 0.98, 0.97, 0.94, 0.85, 0.68, 0.52, 0.45, 0.42, 0.42, 0.46, 0.47, 0.47, 0.5, 0.56, 0.64, 0.71,
    0.77, 0.83, 0.89, 0.93, 0.96,
];
/// Presence in shops and public places: estimate.
pub(super) const IN_PUBLIC: [f64; HOURS] = [
    0.02, 0.02, 0.02, 0.02, 0.02, 0.05, 0.1, 0.2, 0.45, 0.75, 0.95, 1.0, 0.95, 0.9, 0.95, 1.0, 1.0, 1.0, 0.85, 0.55,
    0.3, 0.15, 0.06, 0.03,
];
/// Presence that does not change: patients, shifts.
pub(super) const ALWAYS: [f64; HOURS] = [1.0; HOURS];

/// A shape with a mean of one; one that is nothing stays so.
pub(super) fn of_mean_one(shape: &[f64; HOURS]) -> [f64; HOURS] {
    let mean = shape.iter().sum::<f64>() / HOURS as f64;
    if mean > 0.0 { shape.map(|value| value / mean) } else { *shape }
}
