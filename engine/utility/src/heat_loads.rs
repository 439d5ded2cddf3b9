//! Heat that each building takes from gas, district heat or its own boiler: for rooms by the weather, for hot water by who
//! draws it.
//!
//! ```text
//! Q = E_rooms f(use, hour of the year) + rho c (T_hot - T_cold) q_hot
//! ```
//!
//! `E_rooms` is the useful heat of a year by use and age (`power/heating.rs`), 0 in buildings heated by electric
//! resistance, whose heat is part of electricity; `f` spreads it over the hours of the weather's own year as the standard
//! load profiles of gas do ([`crate::heat_profile`], the part of rooms alone). Hot water follows the people who draw it
//! ([`crate::water_demand`]), also where rooms are heated otherwise.
//!
//! Law: over the local calendar year of usual weather the heat for rooms is `E_rooms`, to rounding; days that an event makes
//! warmer or colder ask for less or more. Contract: which buildings are heated by
//! electricity depends on their row alone; asking allocates nothing; no threads.

use crate::heat_profile::{HeatPart, HeatProfileSettings, HeatProfiles, HeatYear, day_means_c};
use crate::power::PowerSettings;
use crate::power::load::StepTime;
use crate::power::thermal::{is_heated_by_electricity, rooms_kwh_year};
use crate::weather::Weather;
use bevy_ecs::resource::Resource;
use std::path::Path;
use urbis_city::model::{BuildingUse, City};
use urbis_core::calendar::Date;
use urbis_core::{Clock, Problem, Result};

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
const USES: usize = BuildingUse::NAMED.len();

/// Heat of buildings; columns by building.
#[derive(Clone, Debug, Resource)]
pub struct HeatLoads {
    purpose: Vec<u8>,
    /// Useful heat for rooms in a year, kWh; 0 where electricity gives it.
    pub rooms_kwh_year: Vec<f64>,
    /// Calendar years of the period: the first local day, and watts by hour and use for each kWh of the year.
    years: Vec<(i64, Vec<[f64; USES]>)>,
    /// Asked for in the step, watts.
    pub rooms_w: Vec<f64>,
}

impl HeatLoads {
    /// Loads of a city over the period of a clock.
    ///
    /// # Errors
    /// Weather that does not tell the temperatures of each calendar year that the period touches, profiles that are none.
    pub fn new(
        city: &City,
        power: &PowerSettings,
        profiles: &HeatProfileSettings,
        weather: &Weather,
        clock: &Clock,
    ) -> Result<Self> {
        crate::power::settings::refusing("heat.profiles", |tell| profiles.check(tell))?;
        let buildings = &city.buildings;
        let rooms = |row: usize| {
            let is_electric = is_heated_by_electricity(&power.heating, row);
            let kwh = rooms_kwh_year(&power.heating, row, buildings.purpose[row], buildings.floor_area_m2[row]);
            if is_electric { 0.0 } else { kwh }
        };
        let last = clock.local_date(clock.end().saturating_sub(1)).year;
        let years = (clock.local_date(0).year..=last)
            .map(|year| of_year(year, power, profiles, weather, clock.local_offset_s()))
            .collect::<Result<_>>()?;
        Ok(Self {
            purpose: buildings.purpose.iter().map(|&purpose| purpose as u8).collect(),
            rooms_kwh_year: (0..buildings.len()).map(rooms).collect(),
            years,
            rooms_w: vec![0.0; buildings.len()],
        })
    }
    /// Takes measures into account: what is left of the heat that the rooms of each building need; empty: all.
    pub fn save(&mut self, left: &[f64]) {
        self.rooms_kwh_year.iter_mut().zip(left).for_each(|(kwh, left)| *kwh *= left);
    }
    /// Writes `rooms_w` for a step, by the hour of its middle.
    pub fn ask(&mut self, time: StepTime) {
        let middle_ms = time.start_utc_ms + i64::from(time.step_s) * 500 + i64::from(time.local_offset_s) * 1000;
        let factors = self.factors(middle_ms.div_euclid(DAY_MS), middle_ms.rem_euclid(DAY_MS) / HOUR_MS);
        for (rooms_w, (kwh, &purpose)) in self.rooms_w.iter_mut().zip(self.rooms_kwh_year.iter().zip(&self.purpose)) {
            *rooms_w = kwh * factors[purpose as usize];
        }
    }
    /// The most that rooms ask for in an hour of the year in which the period begins, watts. Shape: buildings.
    #[must_use]
    pub fn highest_w(&self) -> Vec<f64> {
        let mut most = [0.0_f64; USES];
        for hour in self.years.first().map_or(&[][..], |(_, hours)| hours) {
            most.iter_mut().zip(hour).for_each(|(most, of)| *most = most.max(*of));
        }
        self.rooms_kwh_year.iter().zip(&self.purpose).map(|(kwh, &purpose)| kwh * most[purpose as usize]).collect()
    }
    /// Watts by use for each kWh of a year in an hour of a local day.
    fn factors(&self, day: i64, hour: i64) -> [f64; USES] {
        let year = self.years.iter().rev().find(|(first, _)| *first <= day).or(self.years.first());
        let of = year.and_then(|(first, hours)| hours.get(((day - first).max(0) * 24 + hour) as usize));
        of.copied().unwrap_or_default()
    }
}

fn of_year(
    year: i32,
    power: &PowerSettings,
    settings: &HeatProfileSettings,
    weather: &Weather,
    local_offset_s: i32,
) -> Result<(i64, Vec<[f64; USES]>)> {
    let means = |weather: &Weather| day_means_c(weather, year, local_offset_s);
    let (Some((usual_c, usual_before_c)), Some((day_mean_c, before_c))) = (means(&weather.usual()), means(weather))
    else {
        let what =
            format!("heat of buildings needs the air temperatures of all of {year}, expected `file` or `climate`");
        return Err(Problem::file(Path::new("weather"), what).into());
    };
    let known = HeatProfiles::shipped()?;
    let holidays = power.holidays.month_days(year);
    let mut hours = vec![[0.0; USES]; day_mean_c.len() * crate::heat_profile::HOURS];
    for (purpose, _) in BuildingUse::NAMED {
        let Some(row) = known.row(settings.profiles.of(purpose)) else { continue };
        let (variant, part) = (settings.variant, HeatPart::Rooms);
        let of = HeatYear { row, variant, part, year, holidays: &holidays, day_mean_c: &day_mean_c, before_c };
        let usual = HeatYear { day_mean_c: &usual_c, before_c: usual_before_c, ..of };
        for (hour, watts) in hours.iter_mut().zip(known.year_beside(&usual, &of, 1.0)?) {
            hour[purpose as usize] = watts;
        }
    }
    Ok((Date { year, month: 1, day: 1 }.days(), hours))
}
