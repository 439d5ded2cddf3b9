//! Settings of heating and cooling: how much a building needs in a year by use and age, and who meets it with
//! electricity.
//!
//! Demands are useful heat and cold for rooms, per m2 of gross floor area. Those of dwellings are in the order of
//! apartment blocks in the German typology (IWU, Deutsche Wohngebäudetypologie, 2nd ed. 2015, part of TABULA/EPISCOPE),
//! as are the factors between ages; recalled, not copied. Those of other uses are estimates. They are defaults to be
//! replaced by a city's own. Ignored: hot water, thermal mass, set-back at night, heat from people, sun and appliances
//! but for the base temperature.

use super::by_use::by_use;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

by_use! {
    /// Useful heat for rooms of a building of 1949 to 1978, kWh a year for each m2 of gross floor area, by use.
    HeatDemand: f64 {
        residential Residential = 130.0,
        office Office = 110.0,
        retail Retail = 100.0,
        hotel Hotel = 120.0,
        industrial Industrial = 90.0,
        education Education = 120.0,
        health Health = 130.0,
        civic Civic = 120.0,
        parking Parking = 0.0,
        other Other = 0.0,
    }
}

by_use! {
    /// Useful cold for rooms, kWh a year for each m2 of gross floor area, by use.
    CoolingDemand: f64 {
        residential Residential = 10.0,
        office Office = 30.0,
        retail Retail = 40.0,
        hotel Hotel = 30.0,
        industrial Industrial = 10.0,
        education Education = 15.0,
        health Health = 35.0,
        civic Civic = 20.0,
        parking Parking = 0.0,
        other Other = 0.0,
    }
}

/// Shares of buildings by when they were built; their sum is 1. Each building gets its age by a draw that is the same
/// in every run. Demand against that of 1949 to 1978: 1, 1, 0.8, 0.55, 0.35.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AgeShares {
    /// Until 1948.
    pub until_1948: f64,
    /// 1949 to 1978.
    pub until_1978: f64,
    /// 1979 to 1994.
    pub until_1994: f64,
    /// 1995 to 2009.
    pub until_2009: f64,
    /// 2010 and later.
    pub newer: f64,
}

impl Default for AgeShares {
    /// About the German stock of dwellings (estimate).
    fn default() -> Self {
        Self { until_1948: 0.24, until_1978: 0.38, until_1994: 0.18, until_2009: 0.13, newer: 0.07 }
    }
}

impl AgeShares {
    const FACTORS: [f64; 5] = [1.0, 1.0, 0.8, 0.55, 0.35];

    fn shares(self) -> [f64; 5] {
        [self.until_1948, self.until_1978, self.until_1994, self.until_2009, self.newer]
    }
    /// Factor of the demand of a building whose draw is `uniform`, in `[0, 1)`.
    #[must_use]
    pub fn factor(self, uniform: f64) -> f64 {
        let mut left = uniform;
        for (share, factor) in self.shares().into_iter().zip(Self::FACTORS) {
            if left < share {
                return factor;
            }
            left -= share;
        }
        // Rounding of the sum: the last age that there is.
        let last = self.shares().iter().rposition(|share| *share > 0.0);
        Self::FACTORS[last.unwrap_or(Self::FACTORS.len() - 1)]
    }
}

/// Heating of rooms. Without weather there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HeatingSettings {
    /// Share of buildings that are heated by electric resistance, 0 to 1. Which ones is a draw that is the same in
    /// every run; a larger share adds buildings to those of a smaller one.
    pub electric_share: f64,
    /// Air temperature below which buildings are heated, degrees Celsius.
    pub base_temp_c: f64,
    /// Useful heat of a year by use.
    pub kwh_per_m2_year: HeatDemand,
    /// When buildings were built.
    pub age_shares: AgeShares,
    /// Degree hours below the base temperature at which the demands hold, K h; those of the weather's own year where
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degree_hours_kh: Option<f64>,
}

impl Default for HeatingSettings {
    fn default() -> Self {
        Self {
            electric_share: 0.0,
            base_temp_c: 15.0,
            kwh_per_m2_year: HeatDemand::default(),
            age_shares: AgeShares::default(),
            degree_hours_kh: None,
        }
    }
}

/// Cooling of rooms by electric chillers. Without weather there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CoolingSettings {
    /// Share of buildings that are cooled, 0 to 1; drawn as those that are heated by electricity.
    pub electric_share: f64,
    /// Cold for each unit of electricity (energy efficiency ratio, EER) on the mean of the season.
    pub eer: f64,
    /// Air temperature above which buildings are cooled, degrees Celsius.
    pub base_temp_c: f64,
    /// Useful cold of a year by use.
    pub kwh_per_m2_year: CoolingDemand,
    /// Degree hours above the base temperature at which the demands hold, K h; those of the weather's own year where
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degree_hours_kh: Option<f64>,
}

impl Default for CoolingSettings {
    fn default() -> Self {
        Self {
            electric_share: 0.0,
            eer: 3.0,
            base_temp_c: 20.0,
            kwh_per_m2_year: CoolingDemand::default(),
            degree_hours_kh: None,
        }
    }
}

/// Tells a value that is out of range, as key and what is wrong with it.
fn in_range(tell: &mut dyn FnMut(&str, String), key: &str, value: f64, from: f64, to: f64) {
    if !(from..=to).contains(&value) {
        tell(key, format!("= {value}, expected {from} to {to}"));
    }
}

impl HeatingSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        in_range(tell, "electric_share", self.electric_share, 0.0, 1.0);
        in_range(tell, "base_temp_c", self.base_temp_c, -20.0, 40.0);
        for (purpose, name) in urbis_city::model::BuildingUse::NAMED {
            in_range(tell, &format!("kwh_per_m2_year.{name}"), *self.kwh_per_m2_year.of(purpose), 0.0, 2000.0);
        }
        let ages = self.age_shares;
        let names = ["until_1948", "until_1978", "until_1994", "until_2009", "newer"];
        for (share, name) in ages.shares().into_iter().zip(names) {
            in_range(tell, &format!("age_shares.{name}"), share, 0.0, 1.0);
        }
        let sum: f64 = ages.shares().iter().sum();
        if sum.is_nan() || (sum - 1.0).abs() > 1e-6 {
            tell("age_shares", format!("add up to {sum}, expected 1"));
        }
        if let Some(kh) = self.degree_hours_kh {
            in_range(tell, "degree_hours_kh", kh, super::thermal::DEGREE_HOURS_MIN_KH, 1e6);
        }
    }
}

impl CoolingSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        in_range(tell, "electric_share", self.electric_share, 0.0, 1.0);
        in_range(tell, "eer", self.eer, 0.5, 30.0);
        in_range(tell, "base_temp_c", self.base_temp_c, 0.0, 50.0);
        for (purpose, name) in urbis_city::model::BuildingUse::NAMED {
            in_range(tell, &format!("kwh_per_m2_year.{name}"), *self.kwh_per_m2_year.of(purpose), 0.0, 2000.0);
        }
        if let Some(kh) = self.degree_hours_kh {
            in_range(tell, "degree_hours_kh", kh, super::thermal::DEGREE_HOURS_MIN_KH, 1e6);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_drawn_by_their_shares() {
        let ages = AgeShares { until_1948: 0.0, until_1978: 0.5, until_1994: 0.25, until_2009: 0.25, newer: 0.0 };
        let found = [0.0, 0.499, 0.5, 0.749, 0.75, 1.0 - f64::EPSILON, 1.0].map(|uniform| ages.factor(uniform));
        let wanted = [1.0, 1.0, 0.8, 0.8, 0.55, 0.55, 0.55];
        assert!(found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-12), "{found:?}");
    }

    #[test]
    fn values_that_cannot_be_are_told() {
        let mut told = Vec::new();
        HeatingSettings::default().check(&mut |key, _| told.push(key.to_owned()));
        CoolingSettings::default().check(&mut |key, _| told.push(key.to_owned()));
        assert!(told.is_empty(), "{told:?}");
        let mut heating =
            HeatingSettings { electric_share: 1.5, degree_hours_kh: Some(0.0), ..HeatingSettings::default() };
        heating.kwh_per_m2_year.office = f64::NAN;
        heating.age_shares.newer = 0.5;
        heating.check(&mut |key, _| told.push(key.to_owned()));
        CoolingSettings { eer: 0.0, ..CoolingSettings::default() }.check(&mut |key, _| told.push(key.to_owned()));
        assert_eq!(told, ["electric_share", "kwh_per_m2_year.office", "age_shares", "degree_hours_kh", "eer"]);
    }
}
