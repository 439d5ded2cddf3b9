//! Settings that have one value for each use of a building.

/// Makes a settings struct with a field for each use of a building and defaults, and `of`, which reads it.
macro_rules! by_use {
    ($(#[$doc:meta])* $name:ident: $type:ty { $($field:ident $variant:ident = $default:expr),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                #[doc = concat!("Of buildings of use `", stringify!($field), "`.")]
                pub $field: $type,
            )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }

        impl $name {
            /// The value of a use.
            #[must_use]
            pub fn of(&self, purpose: urbis_city::model::BuildingUse) -> &$type {
                match purpose {
                    $(urbis_city::model::BuildingUse::$variant => &self.$field),+
                }
            }
        }
    };
}

pub(crate) use by_use;
