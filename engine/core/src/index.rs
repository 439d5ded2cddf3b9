//! Dense row indices. `Ix` is a row of a table, `Id` the name the outside world knows it by; the two
//! never mix because each `Ix` is a type of its own.

/// Declares dense index types.
#[macro_export]
macro_rules! dense_index {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// No row: stands in columns where a reference may be absent.
            pub const NONE: Self = Self(u32::MAX);
            /// The position, for indexing slices.
            #[inline]
            #[must_use]
            pub fn row(self) -> usize {
                self.0 as usize
            }
            /// Whether this names a row.
            #[inline]
            #[must_use]
            pub fn is_some(self) -> bool {
                self.0 != u32::MAX
            }
        }
    )+};
}

dense_index! {
    /// Row of the road nodes layer.
    NodeIx,
    /// Row of the road links layer (all modes).
    LinkIx,
    /// Row of the car network that traffic derives from the links layer.
    CarLinkIx,
    /// Row of the zones layer.
    ZoneIx,
    /// Row of the buildings layer.
    BuildingIx,
    /// Row of the persons table.
    PersonIx,
    /// Row of the trips table: every movement of every person's plan.
    TripIx,
    /// Slot of a vehicle that is on the network now; slots are reused.
    VehicleIx,
}
