//! Units. Inside, everything is SI (m, s, kg, W, J, veh/s, persons); conversion happens once, at the
//! edge, with the functions here. Quantities that are easily confused travel as newtypes through
//! public constructors; columns stay plain `f64` slices whose names carry the unit.

macro_rules! quantity {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        #[repr(transparent)]
        pub struct $name(pub f64);
    )+};
}

quantity! {
    /// Time span in seconds.
    Seconds,
    /// Speed in metres per second.
    MetresPerSecond,
    /// Flow in vehicles (passenger-car equivalents) per second.
    VehiclesPerSecond,
}

/// Metres in an international mile (exact, 1959 agreement).
pub const METRES_PER_MILE: f64 = 1609.344;
/// Metres in an international foot (exact).
pub const METRES_PER_FOOT: f64 = 0.3048;
/// Joules in a kilowatt hour (exact).
pub const JOULES_PER_KWH: f64 = 3.6e6;
/// Hours in a common year.
pub const HOURS_PER_YEAR: f64 = 8760.0;

impl MetresPerSecond {
    /// From kilometres per hour.
    #[must_use]
    pub fn from_kmh(kmh: f64) -> Self {
        Self(kmh / 3.6)
    }
    /// From miles per hour.
    #[must_use]
    pub fn from_mph(mph: f64) -> Self {
        Self(mph * METRES_PER_MILE / 3600.0)
    }
    /// In kilometres per hour, for people.
    #[must_use]
    pub fn kmh(self) -> f64 {
        self.0 * 3.6
    }
}

impl VehiclesPerSecond {
    /// From vehicles per hour.
    #[must_use]
    pub fn from_veh_per_hour(veh_per_hour: f64) -> Self {
        Self(veh_per_hour / 3600.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_match_definitions() {
        assert!((MetresPerSecond::from_kmh(36.0).0 - 10.0).abs() < 1e-12);
        assert!((MetresPerSecond::from_mph(1.0).0 - 0.447_04).abs() < 1e-12);
        assert!((MetresPerSecond(10.0).kmh() - 36.0).abs() < 1e-12);
        assert!((VehiclesPerSecond::from_veh_per_hour(1800.0).0 - 0.5).abs() < 1e-12);
    }
}
