//! Settings of the draw of water: litres by person and by area, patterns, hot water.
//!
//! Litres of homes are those of BDEW for Germany (121 to 129 l per person and day from 2010 to 2023, small trade included);
//! those of offices (20 to 45), schools (15 to 20 by pupil), hotels (200 by bed, up to 590 by guest) and hospitals (200 to
//! 450 by bed) are in the range of benchmarks such as British and Indian design tables and DVGW W 410 (2008), recalled and
//! not copied; they are per head of a day of the calendar, weekends and holidays included, so below those of a workday.
//! All are defaults to be replaced by a city's own.

use super::{HOURS, patterns};
use crate::power::by_use::by_use;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use urbis_city::model::BuildingUse;

by_use! {
    /// Litres for each person who lives in, works in or visits a building, in a day, by use.
    PersonLitres: f64 {
        residential Residential = 125.0,
        office Office = 25.0,
        retail Retail = 3.0,
        hotel Hotel = 250.0,
        industrial Industrial = 40.0,
        education Education = 10.0,
        health Health = 300.0,
        civic Civic = 8.0,
        parking Parking = 0.0,
        other Other = 0.0,
    }
}

by_use! {
    /// Hours that one of these persons stays in a day, on the mean of the calendar, by use; estimates.
    HoursStayed: f64 {
        residential Residential = 16.0,
        office Office = 6.0,
        retail Retail = 0.75,
        hotel Hotel = 12.0,
        industrial Industrial = 6.0,
        education Education = 5.0,
        health Health = 20.0,
        civic Civic = 2.0,
        parking Parking = 24.0,
        other Other = 24.0,
    }
}

by_use! {
    /// Litres a day for each m2 of gross floor area whoever is there (cleaning, cooling, plants), by use; estimates.
    AreaLitres: f64 {
        residential Residential = 0.0,
        office Office = 0.2,
        retail Retail = 0.3,
        hotel Hotel = 0.5,
        industrial Industrial = 0.3,
        education Education = 0.1,
        health Health = 0.5,
        civic Civic = 0.3,
        parking Parking = 0.02,
        other Other = 0.0,
    }
}

by_use! {
    /// Share of the water that is drawn hot, by use; that of homes is about 35 l of 60 C per person and day (the order of
    /// VDI 2067 part 12), the others are estimates.
    HotShares: f64 {
        residential Residential = 0.28,
        office Office = 0.10,
        retail Retail = 0.10,
        hotel Hotel = 0.35,
        industrial Industrial = 0.15,
        education Education = 0.10,
        health Health = 0.30,
        civic Civic = 0.15,
        parking Parking = 0.0,
        other Other = 0.0,
    }
}

by_use! {
    /// A value for each local hour from midnight, by use; only ratios count.
    HoursByUse: [f64; HOURS] {
        residential Residential = patterns::HOMES,
        office Office = patterns::AT_WORK,
        retail Retail = patterns::PUBLIC,
        hotel Hotel = patterns::BEDS,
        industrial Industrial = patterns::SHIFTS,
        education Education = patterns::AT_SCHOOL,
        health Health = patterns::BEDS,
        civic Civic = patterns::PUBLIC,
        parking Parking = patterns::ALWAYS,
        other Other = patterns::ALWAYS,
    }
}

/// Draw of water.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WaterDemandSettings {
    /// Litres by person and day.
    pub litres_per_person_day: PersonLitres,
    /// Hours that a person stays.
    pub hours_stayed: HoursStayed,
    /// Litres by m2 and day.
    pub litres_per_m2_day: AreaLitres,
    /// Share of the litres by m2 that is drawn at all hours alike, 0 to 1; estimate.
    pub steady_share: f64,
    /// Draw by the hour.
    pub patterns: HoursByUse,
    /// Persons present by the hour as usual; above 0 at every hour.
    pub presence: HoursByUse,
    /// Share of hot water.
    pub hot_share: HotShares,
    /// Temperature of cold water, degrees Celsius.
    pub cold_c: f64,
    /// Temperature of hot water, degrees Celsius (60 C at the heater, DVGW W 551).
    pub hot_c: f64,
}

impl Default for WaterDemandSettings {
    fn default() -> Self {
        Self {
            litres_per_person_day: PersonLitres::default(),
            hours_stayed: HoursStayed::default(),
            litres_per_m2_day: AreaLitres::default(),
            steady_share: 0.3,
            patterns: HoursByUse::default(),
            presence: HoursByUse {
                residential: patterns::AT_HOME,
                office: patterns::AT_WORK,
                retail: patterns::IN_PUBLIC,
                hotel: patterns::AT_HOME,
                industrial: patterns::AT_WORK,
                education: patterns::AT_SCHOOL,
                health: patterns::ALWAYS,
                civic: patterns::IN_PUBLIC,
                parking: patterns::ALWAYS,
                other: patterns::ALWAYS,
            },
            hot_share: HotShares::default(),
            cold_c: 10.0,
            hot_c: 60.0,
        }
    }
}

impl WaterDemandSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        let mut in_range = |key: String, value: f64, from: f64, to: f64| {
            if !(from..=to).contains(&value) {
                tell(&key, format!("= {value}, expected {from} to {to}"));
            }
        };
        for (purpose, name) in BuildingUse::NAMED {
            let litres = *self.litres_per_person_day.of(purpose);
            in_range(format!("litres_per_person_day.{name}"), litres, 0.0, 10_000.0);
            in_range(format!("hours_stayed.{name}"), *self.hours_stayed.of(purpose), 0.01, 24.0);
            in_range(format!("litres_per_m2_day.{name}"), *self.litres_per_m2_day.of(purpose), 0.0, 1000.0);
            in_range(format!("hot_share.{name}"), *self.hot_share.of(purpose), 0.0, 1.0);
            let pattern = self.patterns.of(purpose);
            for (hour, value) in pattern.iter().enumerate() {
                in_range(format!("patterns.{name}.{hour}"), *value, 0.0, 1e6);
            }
            in_range(format!("patterns.{name}"), pattern.iter().sum(), 1e-6, 1e9);
            // Nobody there by reference would leave the hour's water to nobody.
            for (hour, value) in self.presence.of(purpose).iter().enumerate() {
                in_range(format!("presence.{name}.{hour}"), *value, 1e-6, 1e6);
            }
        }
        in_range("steady_share".to_owned(), self.steady_share, 0.0, 1.0);
        in_range("cold_c".to_owned(), self.cold_c, 0.0, 40.0);
        in_range("hot_c".to_owned(), self.hot_c, self.cold_c.max(0.0), 100.0);
    }
}
