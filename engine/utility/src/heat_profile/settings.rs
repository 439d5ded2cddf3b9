//! Which heat profile a building follows.

use super::{HeatProfiles, Variant};
use crate::power::by_use::by_use;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use urbis_city::model::BuildingUse;

by_use! {
    /// Standard load profiles of gas and heat, by use. The kinds are the source's; which one stands for a use is our choice:
    /// services for offices, trade for shops, lodging for hotels and hospitals, metal and cars for industry, public
    /// bodies and banks for schools and public places, the mean of commerce for what is left.
    ProfilesByUse: String {
        residential Residential = "mfh11".to_owned(),
        office Office = "gbd".to_owned(),
        retail Retail = "gha".to_owned(),
        hotel Hotel = "gbh".to_owned(),
        industrial Industrial = "gmk".to_owned(),
        education Education = "gko".to_owned(),
        health Health = "gbh".to_owned(),
        civic Civic = "gko".to_owned(),
        parking Parking = "ghd".to_owned(),
        other Other = "ghd".to_owned(),
    }
}

/// Heat profiles of buildings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HeatProfileSettings {
    /// Curves: `calm` (03) and `windy` (04) are sigmoids, `linear_calm` (33) and `linear_windy` (34) have lines too; of
    /// houses only class 11 has them.
    pub variant: Variant,
    /// Profiles by use.
    pub profiles: ProfilesByUse,
}

impl HeatProfileSettings {
    /// Tells every profile that is none or lacks the variant, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        let known = match HeatProfiles::shipped() {
            Ok(known) => known,
            Err(error) => return tell("profiles", format!("cannot be looked up: {error}")),
        };
        for (purpose, key) in BuildingUse::NAMED {
            let name = self.profiles.of(purpose);
            let has = known.row(name).is_some_and(|row| known.curve(row, self.variant).is_some());
            if !has {
                let of_variant = known.names().iter().enumerate();
                let names: Vec<&str> = of_variant
                    .filter(|(row, _)| known.curve(*row, self.variant).is_some())
                    .map(|(_, name)| name.as_str())
                    .collect();
                tell(&format!("profiles.{key}"), format!("= {name:?}, expected one of {}", names.join(", ")));
            }
        }
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn profiles_that_are_none_are_told() {
        let told = |settings: &HeatProfileSettings| {
            let mut told = Vec::new();
            settings.check(&mut |key, what| told.push(format!("{key} {what}")));
            told
        };
        for variant in Variant::ALL {
            assert!(told(&HeatProfileSettings { variant, ..Default::default() }).is_empty());
        }
        let profiles = ProfilesByUse { residential: "efh3".into(), office: "efh".into(), ..ProfilesByUse::default() };
        let told_of = told(&HeatProfileSettings { variant: Variant::Calm, profiles: profiles.clone() });
        assert!(told_of.len() == 1 && told_of[0].starts_with("profiles.office = \"efh\", expected one of efh1"));
        assert_eq!(told(&HeatProfileSettings { variant: Variant::LinearCalm, profiles }).len(), 2);
    }
}
