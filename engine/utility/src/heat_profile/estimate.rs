//! Heat of buildings where none is known: energy of a year by use and floor area, and from it the peak by the standard load
//! profiles ([`super`]).
//!
//! ```text
//! year  = area (rooms DH / DH_ref + hot water)
//! K     = year / sum over days F(weekday) h(T_day)
//! peak  = K max F h(T_design) max S(hour) g(k) / g(countless)
//! ```
//!
//! `rooms` is useful heat of the mean of the stock in the climate that the tables are of, scaled by heating degree days `DH` (below
//! 15 C) to the climate at hand; hot water is not. A profile is the mean of many customers, so that its peak is that of many
//! together; a building of `k` customers peaks higher by the share at which `k` coincide over that of countless
//! ([`crate::pipes::synthetic::coincidence`]).
//!
//! A climate is a yearly swing of daily means, `T = mean - amplitude cos(2 pi (day - coldest) / 365)`, beside which the
//! design day is one of its own.
//!
//! Sources: rooms as in [`crate::power::heating::HeatDemand`] times 0.86, the mean of its ages; hot water of dwellings in the
//! order of VDI 2067 and TABULA, 10 to 20 kWh/m2 (recalled), of other uses estimates; the climate is about that of the middle of Germany, the
//! design day -12 C (DIN EN 12831, recalled). All are to be replaced by a city's own.
//!
//! Ignored: the height of single buildings and their age, process heat, who has which heating. Contract: a pure function.

use super::{HeatPart, HeatProfileSettings, HeatProfiles};
use crate::pipes::synthetic::coincidence::own_peaks_w;
use crate::pipes::synthetic::within;
use crate::power::by_use::by_use;
use crate::power::heating::HeatDemand;
use crate::power::settings::refusing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use urbis_city::model::{BuildingUse, City};
use urbis_core::Result;
use urbis_core::calendar::Date;

const DAYS: usize = 365;
/// Air temperature below which rooms are heated, degrees Celsius.
const BASE_C: f64 = 15.0;
/// The climate that the tables of heat for rooms are of: mean and amplitude, degrees Celsius and K.
const OF_TABLES: (f64, f64) = (9.5, 9.5);

by_use! {
    /// Hot water, kWh a year for each m2 of gross floor area, by use.
    HotWaterDemand: f64 {
        residential Residential = 16.0,
        office Office = 3.0,
        retail Retail = 3.0,
        hotel Hotel = 30.0,
        industrial Industrial = 4.0,
        education Education = 5.0,
        health Health = 25.0,
        civic Civic = 4.0,
        parking Parking = 0.0,
        other Other = 0.0,
    }
}

/// How the heat of buildings is estimated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HeatEstimateSettings {
    /// Useful heat for rooms of the table's age and climate by use, kWh/(m2 a).
    pub rooms_kwh_per_m2_year: HeatDemand,
    /// What the mean of the stock needs of that.
    #[schemars(range(min = 0.0, max = 5.0))]
    pub stock_factor: f64,
    /// Hot water by use, kWh/(m2 a).
    pub water_kwh_per_m2_year: HotWaterDemand,
    /// Profiles that spread it over the year.
    pub profile: HeatProfileSettings,
    /// Mean of the year's air temperature, degrees Celsius.
    #[schemars(range(min = -30.0, max = 35.0))]
    pub mean_c: f64,
    /// How far the mean of the coldest days of a usual year is below it, K.
    #[schemars(range(min = 0.0, max = 40.0))]
    pub yearly_amplitude_k: f64,
    /// Mean of the day that networks are made for, degrees Celsius.
    #[schemars(range(min = -60.0, max = 30.0))]
    pub design_day_c: f64,
}

impl Default for HeatEstimateSettings {
    fn default() -> Self {
        Self {
            rooms_kwh_per_m2_year: HeatDemand::default(),
            stock_factor: 0.86,
            water_kwh_per_m2_year: HotWaterDemand::default(),
            profile: HeatProfileSettings::default(),
            mean_c: OF_TABLES.0,
            yearly_amplitude_k: OF_TABLES.1,
            design_day_c: -12.0,
        }
    }
}

impl HeatEstimateSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        for (purpose, name) in BuildingUse::NAMED {
            let (rooms, water) = (self.rooms_kwh_per_m2_year.of(purpose), self.water_kwh_per_m2_year.of(purpose));
            within(tell, &format!("rooms_kwh_per_m2_year.{name}"), *rooms, 0.0, 2000.0);
            within(tell, &format!("water_kwh_per_m2_year.{name}"), *water, 0.0, 2000.0);
        }
        within(tell, "stock_factor", self.stock_factor, 0.0, 5.0);
        self.profile.check(&mut |key, what| tell(&format!("profile.{key}"), what));
        within(tell, "mean_c", self.mean_c, -30.0, 35.0);
        within(tell, "yearly_amplitude_k", self.yearly_amplitude_k, 0.0, 40.0);
        within(tell, "design_day_c", self.design_day_c, -60.0, 30.0);
    }
}

/// Heat of buildings; columns by building.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatEstimate {
    /// Own peak at the building, W of useful heat.
    pub peak_w: Vec<f64>,
    /// Useful heat of a year, kWh.
    pub annual_kwh: Vec<f64>,
}

/// Days of a usual year, degrees Celsius.
fn days_c(mean_c: f64, amplitude_k: f64) -> impl Iterator<Item = f64> {
    (0..DAYS).map(move |day| mean_c - amplitude_k * (TAU * day as f64 / DAYS as f64).cos())
}

fn degree_days_kd(mean_c: f64, amplitude_k: f64) -> f64 {
    days_c(mean_c, amplitude_k).map(|day_c| (BASE_C - day_c).max(0.0)).sum()
}

/// Estimates the heat of every building of a city.
///
/// # Errors
/// [`urbis_core::Error::Input`] with every setting that cannot be.
pub fn estimate_heat(city: &City, settings: &HeatEstimateSettings) -> Result<HeatEstimate> {
    refusing("heat estimate", |tell| settings.check(tell))?;
    let profiles = HeatProfiles::shipped()?;
    let (mean_c, amplitude_k) = (settings.mean_c, settings.yearly_amplitude_k);
    let climate = degree_days_kd(mean_c, amplitude_k) / degree_days_kd(OF_TABLES.0, OF_TABLES.1);
    // Peak for each kWh of a year, by use, W/kWh, of many customers together.
    let peak_of = |purpose: BuildingUse| {
        let Some(row) = profiles.row(settings.profile.profiles.of(purpose)) else { return 0.0 };
        let demand = |weekday: i64, temp_c: f64| {
            let date = Date::from_days(4 + weekday); // 5 January 1970 is a Monday
            profiles.day(row, settings.profile.variant, HeatPart::Whole, date, false, temp_c)
        };
        let of_day = |weekday: i64, temp_c: f64| demand(weekday, temp_c).map_or(0.0, |of| of.0);
        let days = days_c(mean_c, amplitude_k).zip(0_i64..);
        let year: f64 = days.map(|(temp_c, day)| of_day(day % 7, temp_c)).sum();
        let hours = (0..7).filter_map(|weekday| demand(weekday, settings.design_day_c));
        let hour = hours.map(|(of, shares)| of * shares.iter().fold(0.0, |most: f64, share| most.max(*share)));
        if year > 0.0 { 1000.0 * hour.fold(0.0, f64::max) / year } else { 0.0 }
    };
    let by_use = BuildingUse::NAMED.map(|(purpose, _)| peak_of(purpose));
    let mut of = HeatEstimate::default();
    let table = &city.buildings;
    for (row, &purpose) in table.purpose.iter().enumerate() {
        let rooms = settings.rooms_kwh_per_m2_year.of(purpose) * settings.stock_factor * climate;
        let kwh = table.floor_area_m2[row] * (rooms + settings.water_kwh_per_m2_year.of(purpose));
        of.annual_kwh.push(kwh);
        of.peak_w.push(kwh * by_use[purpose as usize]);
    }
    of.peak_w = own_peaks_w(city, &of.peak_w);
    Ok(of)
}

#[cfg(test)]
mod unit_tests {
    use super::*;
    use crate::pipes::synthetic::coincidence::SHARE_OF_COUNTLESS;

    #[test]
    fn a_house_peaks_as_houses_do() {
        let mut city = City::default();
        for (purpose, area_m2, dwellings) in [
            (BuildingUse::Residential, 150.0, 1),
            (BuildingUse::Residential, 5000.0, 50),
            (BuildingUse::Parking, 900.0, 0),
        ] {
            city.buildings.id.push(city.buildings.id.len().to_string());
            city.buildings.purpose.push(purpose);
            city.buildings.floor_area_m2.push(area_m2);
            city.buildings.dwellings.push(dwellings);
        }
        let of = estimate_heat(&city, &HeatEstimateSettings::default()).unwrap();
        // 130 kWh/(m2 a) x 0.86 + 16.
        assert!((of.annual_kwh[0] - 150.0 * (130.0 * 0.86 + 16.0)).abs() < 1e-6);
        // Full-load hours of single boilers are near 1,000 to 1,500, of many customers together 2,000 to 2,600.
        let hours = |row: usize| 1000.0 * of.annual_kwh[row] / of.peak_w[row];
        assert!((800.0..1600.0).contains(&hours(0)), "{}", hours(0));
        assert!((1200.0..2200.0).contains(&hours(1)) && hours(1) > hours(0), "{}", hours(1));
        assert!((1800.0..3000.0).contains(&(hours(0) / SHARE_OF_COUNTLESS)), "{}", hours(0) / SHARE_OF_COUNTLESS);
        assert!(of.peak_w[2].abs() + of.annual_kwh[2].abs() < 1e-12);
        // Monaco needs far less for rooms.
        let warm = HeatEstimateSettings {
            mean_c: 16.4,
            yearly_amplitude_k: 7.5,
            design_day_c: 3.0,
            ..HeatEstimateSettings::default()
        };
        let warm = estimate_heat(&city, &warm).unwrap();
        assert!(warm.annual_kwh[0] < 0.6 * of.annual_kwh[0] && warm.peak_w[0] < 0.8 * of.peak_w[0]);
    }

    #[test]
    fn settings_that_cannot_be_are_told() {
        let mut settings = HeatEstimateSettings { mean_c: f64::NAN, ..HeatEstimateSettings::default() };
        settings.water_kwh_per_m2_year.hotel = -1.0;
        let text = format!("{:?}", estimate_heat(&City::default(), &settings).unwrap_err());
        assert!(text.contains("mean_c") && text.contains("water_kwh_per_m2_year.hotel"), "{text}");
    }
}
