//! Heat and cold of buildings by the weather: `P = UA (T_base - T)` below a base temperature for heat, above one for
//! cold.
//!
//! UA in W/K is what a building's demand of a year says at the degree hours of a year:
//!
//! ```text
//! UA = demand_kwh_per_m2 * area * 1000 / sum over the year of max(0, T_base - T) h
//! ```
//!
//! so that the year that the degree hours are of has the energy stated. They are those of the weather's own year, which
//! is the local calendar year in which the period starts, taken at the middles of its quarter hours, unless the
//! settings state them. Degree days with a heating limit as in VDI 4710 part 2 (recalled); a building is
//! one UA without storage.
//!
//! Fewer than 100 K h in a year would put a year's energy into a few hours: there is then neither heat nor cold, and it
//! is refused where somebody asks for electricity for it. Ignored: see `heating.rs`. Contract: which buildings are
//! heated or cooled by electricity depends on the row of the building alone; asking allocates nothing.

use super::heating::HeatingSettings;
use super::settings::PowerSettings;
use crate::weather::Weather;
use std::path::Path;
use urbis_city::model::{BuildingUse, City};
use urbis_core::calendar::{Date, year_days};
use urbis_core::rng::Rng;
use urbis_core::{Problem, Result};

/// Fewest degree hours of a year that demands are spread over, K h.
pub(super) const DEGREE_HOURS_MIN_KH: f64 = 100.0;
const QUARTER_MS: i64 = 900_000;
/// Purposes of draws: of electric heating, of the age of a building, of cooling.
const HEATED: u32 = 0x6865_6174;
const AGE: u32 = 0x6167_6500;
const COOLED: u32 = 0x636f_6f6c;

/// Heat and cold of buildings; columns by building.
#[derive(Clone, Debug)]
pub(super) struct ThermalLoads {
    heat_base_c: f64,
    cool_base_c: f64,
    /// Useful heat for each kelvin below the base, W/K.
    heat_w_per_k: Vec<f64>,
    /// Electricity for each kelvin below the base, W/K.
    electric_heat_w_per_k: Vec<f64>,
    /// Electricity for each kelvin above the base, W/K.
    electric_cool_w_per_k: Vec<f64>,
    /// Electricity of a year as the demands state it, kWh.
    pub(super) electric_kwh_year: Vec<f64>,
}

impl ThermalLoads {
    /// Heat and cold of a city in the weather of a local calendar year; nothing without weather.
    ///
    /// # Errors
    /// Weather that does not cover the year although its degree hours are needed; fewer than [`DEGREE_HOURS_MIN_KH`].
    pub(super) fn new(
        city: &City,
        settings: &PowerSettings,
        weather: &Weather,
        year: i32,
        local_offset_s: i32,
    ) -> Result<Option<Self>> {
        if !weather.is_known() {
            return Ok(None);
        }
        let (heating, cooling) = (&settings.heating, &settings.cooling);
        let year = Year { weather, year, local_offset_s };
        let heat_kh = year.degree_hours_kh("heating", heating.degree_hours_kh, heating.electric_share, |temp_c| {
            heating.base_temp_c - temp_c
        })?;
        let cool_kh = year.degree_hours_kh("cooling", cooling.degree_hours_kh, cooling.electric_share, |temp_c| {
            temp_c - cooling.base_temp_c
        })?;
        let per_k = |kwh: f64, kh: Option<f64>| kh.map_or(0.0, |kh| kwh * 1000.0 / kh);
        let rows = city.buildings.len();
        let mut loads = Self {
            heat_base_c: heating.base_temp_c,
            cool_base_c: cooling.base_temp_c,
            heat_w_per_k: Vec::with_capacity(rows),
            electric_heat_w_per_k: Vec::with_capacity(rows),
            electric_cool_w_per_k: Vec::with_capacity(rows),
            electric_kwh_year: Vec::with_capacity(rows),
        };
        for (row, (&purpose, area_m2)) in city.buildings.purpose.iter().zip(&city.buildings.floor_area_m2).enumerate() {
            let heat_kwh = rooms_kwh_year(heating, row, purpose, *area_m2);
            let cool_kwh = cooling.kwh_per_m2_year.of(purpose) * area_m2 / cooling.eer;
            let is_heated = is_heated_by_electricity(heating, row);
            let is_cooled = draw(row, COOLED) < cooling.electric_share;
            let part = |is_so: bool, value: f64| if is_so { value } else { 0.0 };
            loads.heat_w_per_k.push(per_k(heat_kwh, heat_kh));
            loads.electric_heat_w_per_k.push(part(is_heated, per_k(heat_kwh, heat_kh)));
            loads.electric_cool_w_per_k.push(part(is_cooled, per_k(cool_kwh, cool_kh)));
            loads.electric_kwh_year.push(part(is_heated, heat_kwh) + part(is_cooled, cool_kwh));
        }
        Ok(Some(loads))
    }

    /// Scales what a building takes from the grid, as its sector is calibrated.
    pub(super) fn scale(&mut self, row: usize, scale: f64) {
        self.electric_heat_w_per_k[row] *= scale;
        self.electric_cool_w_per_k[row] *= scale;
    }

    /// What measures leave: a share of the heat that rooms need, and none by electric resistance where another device
    /// takes its place.
    pub(super) fn change(&mut self, row: usize, left: f64, is_replaced: bool) {
        self.heat_w_per_k[row] *= left;
        self.electric_heat_w_per_k[row] *= if is_replaced { 0.0 } else { left };
    }

    /// Kelvins below the base of heating and above the base of cooling; none where the temperature is not known.
    pub(super) fn degrees_k(&self, weather: &Weather, utc_ms: i64) -> [f64; 2] {
        weather
            .air_temp_c(utc_ms)
            .map_or([0.0; 2], |temp_c| [(self.heat_base_c - temp_c).max(0.0), (temp_c - self.cool_base_c).max(0.0)])
    }

    /// Useful heat of a building, watts.
    pub(super) fn heat_w(&self, row: usize, [heat_k, _]: [f64; 2]) -> f64 {
        self.heat_w_per_k[row] * heat_k
    }

    /// Electricity of a building for heat and cold, watts.
    pub(super) fn electric_w(&self, row: usize, [heat_k, cool_k]: [f64; 2]) -> f64 {
        self.electric_heat_w_per_k[row] * heat_k + self.electric_cool_w_per_k[row] * cool_k
    }
}

fn draw(row: usize, purpose: u32) -> f64 {
    Rng::new(0, row as u32, 0, purpose).uniform()
}

/// Useful heat that the rooms of a building need in a year, kWh, by its use and its age, which is drawn.
pub(crate) fn rooms_kwh_year(heating: &HeatingSettings, row: usize, purpose: BuildingUse, floor_area_m2: f64) -> f64 {
    heating.kwh_per_m2_year.of(purpose) * heating.age_shares.factor(draw(row, AGE)) * floor_area_m2
}

/// Whether a building is one of those heated by electric resistance.
pub(crate) fn is_heated_by_electricity(heating: &HeatingSettings, row: usize) -> bool {
    draw(row, HEATED) < heating.electric_share
}

/// A local calendar year of weather.
struct Year<'a> {
    weather: &'a Weather,
    year: i32,
    local_offset_s: i32,
}

impl Year<'_> {
    /// Degree hours that demands hold at; nothing where there are too few to speak of.
    fn degree_hours_kh(
        &self,
        what: &str,
        stated: Option<f64>,
        electric_share: f64,
        degrees_k: impl Fn(f64) -> f64,
    ) -> Result<Option<f64>> {
        if stated.is_some() {
            return Ok(stated);
        }
        let wrong = |found: String, expected: String| {
            let help = format!("state the degree hours that the demands hold at in `power.{what}.degree_hours_kh`");
            Problem::file(Path::new("weather"), format!("{found}, expected {expected}")).with_help(help)
        };
        let days = i64::from(year_days(self.year));
        let first_ms =
            Date { year: self.year, month: 1, day: 1 }.days() * 86_400_000 - i64::from(self.local_offset_s) * 1000;
        let mut sum_kh = 0.0;
        for quarter in 0..days * 96 {
            let Some(temp_c) = self.weather.air_temp_c(first_ms + quarter * QUARTER_MS + QUARTER_MS / 2) else {
                let at_day = quarter / 96 + 1;
                return Err(wrong(
                    format!("no air temperature on day {at_day} of {}", self.year),
                    "a whole year".to_owned(),
                )
                .into());
            };
            sum_kh += degrees_k(temp_c).max(0.0) * 0.25;
        }
        if sum_kh >= DEGREE_HOURS_MIN_KH {
            return Ok(Some(sum_kh));
        }
        if electric_share > 0.0 {
            let expected = format!("{DEGREE_HOURS_MIN_KH} or more to spread the energy over");
            return Err(wrong(format!("{sum_kh:.1} degree hours for {what} in {}", self.year), expected).into());
        }
        Ok(None)
    }
}
