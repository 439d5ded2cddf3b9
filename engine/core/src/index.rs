//! Dense row indices. `Ix` is a row of a table, `Id` the name the outside world knows it by; the two
//! never mix because each `Ix` is a type of its own.

use std::marker::PhantomData;

/// A newtype over `u32` that names a row of one table.
pub trait Ix: Copy + Eq + Ord {
    /// The row with this position. Panics above `u32::MAX - 1`, which no table reaches.
    fn new(row: usize) -> Self;
    /// The position, for indexing slices.
    fn row(self) -> usize;
}

/// Declares dense index types.
#[macro_export]
macro_rules! dense_index {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $crate::index::Ix for $name {
            #[inline]
            fn new(row: usize) -> Self {
                debug_assert!(row < u32::MAX as usize);
                Self(row as u32)
            }
            #[inline]
            fn row(self) -> usize {
                self.0 as usize
            }
        }

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
    /// Row of the points of interest layer.
    PoiIx,
    /// Row of the persons table.
    PersonIx,
    /// Row of the trips table: every movement of every person's plan.
    TripIx,
    /// Slot of a vehicle that is on the network now; slots are reused.
    VehicleIx,
}

/// A vector that only accepts its own index type.
#[derive(Clone, Debug, PartialEq)]
pub struct Indexed<I, T> {
    rows: Vec<T>,
    index: PhantomData<fn(I)>,
}

impl<I: Ix, T> Indexed<I, T> {
    /// Wraps a column.
    #[must_use]
    pub fn new(rows: Vec<T>) -> Self {
        Self { rows, index: PhantomData }
    }
    /// The whole column.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.rows
    }
    /// Rows with their index, in order.
    pub fn iter_ix(&self) -> impl Iterator<Item = (I, &T)> {
        self.rows.iter().enumerate().map(|(row, value)| (I::new(row), value))
    }
}

impl<I: Ix, T> std::ops::Index<I> for Indexed<I, T> {
    type Output = T;
    #[inline]
    fn index(&self, ix: I) -> &T {
        &self.rows[ix.row()]
    }
}

impl<I: Ix, T> std::ops::IndexMut<I> for Indexed<I, T> {
    #[inline]
    fn index_mut(&mut self, ix: I) -> &mut T {
        &mut self.rows[ix.row()]
    }
}
