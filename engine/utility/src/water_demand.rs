//! Drinking water that each building draws:
//!
//! ```text
//! Q = area q_area (steady + (1 - steady) m(hour)) + users q_user m(hour) persons / reference(hour)
//! ```
//!
//! `m` is the pattern of a use by the hour, 1 on the mean of a day. The area's part follows the clock (cleaning, cooling,
//! plants; a share of it is steady). The people's part is in proportion to persons present over those that a building of
//! its use and size holds at that hour: somebody who is at home when others are draws as they do at that hour, and a house
//! that is empty draws nothing for people. Users are people of a day: reference persons over the day times 24 h over the
//! hours that one of them stays.
//!
//! Hot water is a share of it, and its heat `rho c (T_hot - T_cold)` times its flow.
//!
//! Law: a day, and so a year, under reference presence = litres stated, to rounding: `days (area q_area + users q_user)`.
//!
//! Ignored: weekdays and seasons but for who is present, gardens, peaks within an hour, pressure (an emitter's matter),
//! fire fighting, what industry takes for its processes. Sources stand with the settings. Contract: pure functions of one
//! row; [`WaterDemands::ask`] is parallel over constant chunks and allocates nothing.

use crate::power::intensity;
use bevy_ecs::resource::Resource;
use rayon::prelude::*;
use urbis_city::model::BuildingUse;
use urbis_core::Result;
use urbis_core::chunks::CHUNK_ROWS;

mod patterns;
mod settings;

pub use settings::{AreaLitres, HotShares, HoursByUse, HoursStayed, PersonLitres, WaterDemandSettings};

/// Hours of a day.
pub const HOURS: usize = 24;
/// Heat capacity of water, J/(kg K).
pub const HEAT_CAPACITY_J_PER_KG_K: f64 = 4186.0;
/// Density of water, kg/m3.
const DENSITY_KG_PER_M3: f64 = 1000.0;
const USES: usize = BuildingUse::NAMED.len();
/// Cubic metres a second of a litre a day.
const M3PS_PER_LITRE_DAY: f64 = 1e-3 / 86_400.0;

/// What one use draws, made ready from the settings.
#[derive(Clone, Copy, Debug)]
struct OfUse {
    /// Of each m2 at each hour, m3/s.
    area_m3ps_per_m2: [f64; HOURS],
    /// Of each m2 at each hour under reference presence, m3/s.
    people_m3ps_per_m2: [f64; HOURS],
    /// Persons present by reference at each hour for each m2.
    reference_persons_per_m2: [f64; HOURS],
    hot_share: f64,
}

/// Draws by use, made ready from settings that were checked.
#[derive(Clone, Debug)]
pub struct WaterUse {
    of: [OfUse; USES],
    /// Heat of hot water, J/m3.
    hot_j_per_m3: f64,
}

impl WaterUse {
    /// From settings.
    ///
    /// # Errors
    /// Settings that cannot be, as [`WaterDemandSettings::check`] tells them.
    pub fn new(settings: &WaterDemandSettings) -> Result<Self> {
        crate::power::settings::refusing("water_demand", |tell| settings.check(tell))?;
        let of = BuildingUse::NAMED.map(|(purpose, _)| {
            let pattern = patterns::of_mean_one(settings.patterns.of(purpose));
            let presence = patterns::of_mean_one(settings.presence.of(purpose));
            let persons = intensity::of(purpose).reference_persons_per_m2;
            let users = persons * HOURS as f64 / settings.hours_stayed.of(purpose);
            let of_area = settings.litres_per_m2_day.of(purpose) * M3PS_PER_LITRE_DAY;
            let of_people = users * settings.litres_per_person_day.of(purpose) * M3PS_PER_LITRE_DAY;
            let steady = settings.steady_share;
            OfUse {
                area_m3ps_per_m2: pattern.map(|m| of_area * (steady + (1.0 - steady) * m)),
                people_m3ps_per_m2: pattern.map(|m| of_people * m),
                reference_persons_per_m2: presence.map(|r| persons * r),
                hot_share: *settings.hot_share.of(purpose),
            }
        });
        let rise_k = settings.hot_c - settings.cold_c;
        Ok(Self { of, hot_j_per_m3: DENSITY_KG_PER_M3 * HEAT_CAPACITY_J_PER_KG_K * rise_k })
    }

    /// Persons that a building of a use and floor area holds at a local hour (0 to 23) by reference.
    #[must_use]
    pub fn reference_persons(&self, purpose: BuildingUse, floor_area_m2: f64, hour: usize) -> f64 {
        self.of[purpose as usize].reference_persons_per_m2[hour % HOURS] * floor_area_m2
    }

    /// Litres of a day under reference presence.
    #[must_use]
    pub fn litres_per_day(&self, purpose: BuildingUse, floor_area_m2: f64) -> f64 {
        let of = &self.of[purpose as usize];
        let sum: f64 = of.area_m3ps_per_m2.iter().chain(&of.people_m3ps_per_m2).sum();
        sum * floor_area_m2 * 3600.0 * 1000.0
    }

    /// Draw of a building at a local hour (0 to 23), m3/s. `persons_present` are those who are in it, `reference_persons`
    /// those who would be at that hour as usual ([`WaterUse::reference_persons`], or the city's own); where these are
    /// none, people draw nothing.
    #[must_use]
    pub fn building_demand_m3ps(
        &self,
        purpose: BuildingUse,
        floor_area_m2: f64,
        persons_present: f64,
        reference_persons: f64,
        hour: usize,
    ) -> f64 {
        let of = &self.of[purpose as usize];
        let ratio = if reference_persons > 0.0 { persons_present / reference_persons } else { 0.0 };
        floor_area_m2 * (of.area_m3ps_per_m2[hour % HOURS] + of.people_m3ps_per_m2[hour % HOURS] * ratio)
    }

    /// Flow of hot water in a draw, m3/s.
    #[must_use]
    pub fn hot_m3ps(&self, purpose: BuildingUse, demand_m3ps: f64) -> f64 {
        demand_m3ps * self.of[purpose as usize].hot_share
    }

    /// Heat that makes the hot water of a draw, watts.
    #[must_use]
    pub fn hot_water_w(&self, purpose: BuildingUse, demand_m3ps: f64) -> f64 {
        self.hot_m3ps(purpose, demand_m3ps) * self.hot_j_per_m3
    }
}

/// Draws of a city's buildings; columns by building.
#[derive(Clone, Debug, Resource)]
pub struct WaterDemands {
    by_use: WaterUse,
    purpose: Vec<BuildingUse>,
    floor_area_m2: Vec<f64>,
    /// Asked for at the hour asked last, m3/s.
    pub demand_m3ps: Vec<f64>,
    /// Heat for its hot water, watts.
    pub hot_water_w: Vec<f64>,
    /// What measures multiply draws by; empty: nothing changes. What is usual is without them.
    pub factors: Vec<f64>,
}

impl WaterDemands {
    /// Draws of buildings by their uses and floor areas (as many of each).
    ///
    /// # Errors
    /// Settings that cannot be.
    pub fn new(settings: &WaterDemandSettings, purpose: &[BuildingUse], floor_area_m2: &[f64]) -> Result<Self> {
        let rows = purpose.len().min(floor_area_m2.len());
        Ok(Self {
            by_use: WaterUse::new(settings)?,
            purpose: purpose[..rows].to_vec(),
            floor_area_m2: floor_area_m2[..rows].to_vec(),
            demand_m3ps: vec![0.0; rows],
            hot_water_w: vec![0.0; rows],
            factors: Vec::new(),
        })
    }

    /// What buildings of each use draw.
    #[must_use]
    pub fn by_use(&self) -> &WaterUse {
        &self.by_use
    }

    /// Writes `demand_m3ps` and `hot_water_w` for a local hour (0 to 23). `persons` holds persons present by building (at
    /// least as many rows), `persons_scale` what one simulated person stands for.
    pub fn ask(&mut self, hour: usize, persons: &[u32], persons_scale: f64) {
        let Self { by_use, purpose, floor_area_m2, demand_m3ps, hot_water_w, factors } = self;
        let columns = demand_m3ps.par_chunks_mut(CHUNK_ROWS).zip(hot_water_w.par_chunks_mut(CHUNK_ROWS)).enumerate();
        columns.for_each(|(chunk, (demand_m3ps, hot_water_w))| {
            for (at, (demand_m3ps, hot_water_w)) in demand_m3ps.iter_mut().zip(hot_water_w).enumerate() {
                let row = chunk * CHUNK_ROWS + at;
                let (purpose, area_m2) = (purpose[row], floor_area_m2[row]);
                let present = f64::from(persons[row]) * persons_scale;
                let reference = by_use.reference_persons(purpose, area_m2, hour);
                *demand_m3ps = by_use.building_demand_m3ps(purpose, area_m2, present, reference, hour);
                if let Some(factor) = factors.get(row) {
                    *demand_m3ps *= factor;
                }
                *hot_water_w = by_use.hot_water_w(purpose, *demand_m3ps);
            }
        });
    }
}

/// What buildings draw when as many people are in them as usual; columns by building.
#[derive(Clone, Debug, Default)]
pub struct UsualDraws {
    /// Mean of a day, m3/s.
    pub mean_m3ps: Vec<f64>,
    /// Highest hour, m3/s.
    pub peak_m3ps: Vec<f64>,
    /// Highest hour of heat for hot water, watts.
    pub hot_peak_w: Vec<f64>,
    /// Heat for hot water in a year of 365 days, kWh.
    pub hot_kwh_year: Vec<f64>,
}

impl WaterDemands {
    /// Draws at reference presence: what networks are planned for.
    #[must_use]
    pub fn usual(&self) -> UsualDraws {
        let rows = self.purpose.len();
        let mut usual = UsualDraws {
            mean_m3ps: vec![0.0; rows],
            peak_m3ps: vec![0.0; rows],
            hot_peak_w: vec![0.0; rows],
            hot_kwh_year: vec![0.0; rows],
        };
        for row in 0..rows {
            for hour in 0..HOURS {
                let (m3ps, hot_w) = self.usual_at(row, hour);
                usual.mean_m3ps[row] += m3ps / HOURS as f64;
                usual.peak_m3ps[row] = usual.peak_m3ps[row].max(m3ps);
                usual.hot_peak_w[row] = usual.hot_peak_w[row].max(hot_w);
                usual.hot_kwh_year[row] += hot_w * 365.0 / 1000.0;
            }
        }
        usual
    }
    /// Draw of a building, m3/s, and heat for its hot water, watts, at a local hour (0 to 23) at reference presence.
    #[must_use]
    pub fn usual_at(&self, building: usize, hour: usize) -> (f64, f64) {
        let (purpose, area_m2) = (self.purpose[building], self.floor_area_m2[building]);
        let persons = self.by_use.reference_persons(purpose, area_m2, hour);
        let m3ps = self.by_use.building_demand_m3ps(purpose, area_m2, persons, persons, hour);
        (m3ps, self.by_use.hot_water_w(purpose, m3ps))
    }
}

#[cfg(test)]
#[path = "water_demand_tests.rs"]
mod water_demand_tests;
