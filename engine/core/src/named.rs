//! Enums that stand in files by name.

/// Gives an enum the table `NAMED` of its variants with their names in files, in declaration order, and
/// `name` and `from_name`, which read it.
///
/// ```
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// pub enum Colour {
///     Red,
///     Blue,
/// }
/// urbis_core::named!(Colour { Red = "red", Blue = "blue" });
///
/// for (colour, name) in Colour::NAMED {
///     assert_eq!((colour.name(), Colour::from_name(name)), (name, Some(colour)));
/// }
/// assert_eq!(Colour::from_name("green"), None);
/// ```
#[macro_export]
macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// All variants with their names in files, in order.
            pub const NAMED: [(Self, &'static str); [$($name),+].len()] = [$((Self::$variant, $name)),+];
            /// Name in files.
            #[must_use]
            pub fn name(self) -> &'static str {
                Self::NAMED[self as usize].1
            }
            /// The variant of a name in files.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::NAMED.iter().find(|(_, known)| *known == name).map(|(variant, _)| *variant)
            }
        }
    };
}
