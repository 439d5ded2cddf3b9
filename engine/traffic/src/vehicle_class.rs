//! Classes of vehicles and what they count for.

/// What kind of vehicle makes a trip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum VehicleClass {
    /// Passenger car.
    #[default]
    Car,
    /// Light goods vehicle, van.
    Van,
    /// Heavy goods vehicle.
    Truck,
    /// Bus.
    Bus,
    /// Powered two-wheeler.
    Motorcycle,
}

urbis_core::named!(VehicleClass {
    Car = "car",
    Van = "van",
    Truck = "truck",
    Bus = "bus",
    Motorcycle = "motorcycle",
});

impl VehicleClass {
    /// Passenger-car equivalents in quarters: trucks and buses 2.0 (Highway Capacity Manual, level
    /// terrain). Two-wheelers count as a car: that they pass between queues is not modelled.
    #[must_use]
    pub const fn pce_quarters(self) -> u32 {
        match self {
            Self::Car | Self::Van | Self::Motorcycle => 4,
            Self::Truck | Self::Bus => 8,
        }
    }
}
