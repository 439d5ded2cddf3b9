//! Networks of pipes filled with one fluid: what gas and district heat share.
//!
//! [`network`] has the tables (nodes, links, what is drawn and fed), [`pandapipes`] reads them from files, [`fluid`] has
//! properties of fluids, [`friction`] the laws of friction, [`supply`] says which nodes have a pressure, [`solver`] finds
//! steady pressures and flows. Pressures are absolute, in pascal; tables of results also give them above the
//! surrounding air (gauge), as gas and heat companies do.
//!
//! Source: equations and definitions follow pandapipes (D. Lohmeier et al., Open source piping network calculations,
//! Sustainability 12 (2020) 9899) so that results can be compared; solved by the global gradient method of E. Todini and
//! S. Pilati, A gradient method for the solution of looped pipe networks (1988).

pub mod fluid;
pub mod friction;
mod laws;
pub mod network;
pub mod pandapipes;
pub mod solver;
mod special;
pub mod supply;
pub mod synthetic;

/// Acceleration of gravity, m/s2.
pub const GRAVITY_MPS2: f64 = 9.81;
/// Temperature of the norm state, K.
pub const NORM_T_K: f64 = 273.15;
/// Pressure of the norm state, Pa.
pub const NORM_PRESSURE_PA: f64 = 101_325.0;
/// Pascal of a bar.
pub const BAR: f64 = 1e5;

/// Pressure of the surrounding air at a height above the sea, Pa: the international barometric formula
/// `p = p_n (1 - 0.0065 h / 288.15)^5.255`.
#[must_use]
pub fn air_pressure_pa(height_m: f64) -> f64 {
    NORM_PRESSURE_PA * (1.0 - height_m * 0.0065 / 288.15).powf(5.255)
}
