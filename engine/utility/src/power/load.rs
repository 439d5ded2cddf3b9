//! What each building draws:
//!
//! ```text
//! P = scale * (area * (base + clock(date, time) + people) + UA_heat (T_heat - T) + UA_cool (T - T_cool) / EER)
//! ```
//!
//! The clock's part follows a standard load profile (`shape.rs`). The people's part is in proportion to persons present
//! over reference persons, which are what a building of its use and size holds on the average over a day. So the year's
//! energy meets the yearly figure where presence is as usual, and moves with it where it is not. The two parts of the
//! weather are those of buildings with electric heating or cooling (`thermal.rs`), and none where it is too warm or too
//! cold for them. A step longer than a quarter hour is the mean of its quarter hours.
//!
//! Law: over a local calendar year, leap years too, energy under reference presence = what is stated, to rounding, for
//! steps of a quarter hour or a whole part or multiple of one.
//!
//! Ignored: voltage, reactive power, single appliances, heat from people and appliances.

use super::intensity::{self, Sector, street_light_share};
use super::settings::PowerSettings;
use super::shape::DayShapes;
use super::thermal::ThermalLoads;
use crate::weather::Weather;
use bevy_ecs::resource::Resource;
use rayon::prelude::*;
use urbis_city::model::{BuildingUse, City, Modes, RoadClass};
use urbis_core::calendar::{Date, year_days};
use urbis_core::chunks::CHUNK_ROWS;
use urbis_core::units::HOURS_PER_YEAR;
use urbis_core::{Clock, Domain, Result};

const DAY_MS: i64 = 86_400_000;
/// Longest part of a step that one moment stands for, seconds.
const PART_S_MAX: u32 = 900;
const USES: usize = BuildingUse::NAMED.len();

/// Share of the hours with street light.
fn lit_share() -> f64 {
    (0..24).map(street_light_share).sum::<f64>() / 24.0
}

/// A step of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepTime {
    /// Unix time of its start, milliseconds UTC.
    pub start_utc_ms: i64,
    /// Local time minus UTC, seconds.
    pub local_offset_s: i32,
    /// Length, seconds.
    pub step_s: u32,
}

impl StepTime {
    /// The step of electricity that starts now.
    #[must_use]
    pub fn of(clock: &Clock) -> Self {
        Self {
            start_utc_ms: clock.utc_ms(clock.tick()),
            local_offset_s: clock.local_offset_s(),
            step_s: clock.step_ticks(Domain::Power),
        }
    }
    /// Middles of its parts of at most a quarter hour, milliseconds UTC.
    fn middles(self) -> impl ExactSizeIterator<Item = i64> {
        let parts = self.step_s.div_ceil(PART_S_MAX).max(1);
        let half_ms = i64::from(self.step_s) * 500;
        (0..parts).map(move |part| self.start_utc_ms + half_ms * i64::from(2 * part + 1) / i64::from(parts))
    }
}

/// Loads of buildings; columns by building. Street lighting is by zone, in the same step.
#[derive(Clone, Debug, Default, Resource)]
pub struct BuildingLoads {
    /// Sector of the building.
    pub sector: Vec<Sector>,
    /// Constant draw, watts.
    base_w: Vec<f64>,
    /// Mean draw that follows the clock, watts.
    schedule_w: Vec<f64>,
    /// Draw for each person present, watts.
    person_w: Vec<f64>,
    /// Use, as a row of what is prepared by use.
    purpose: Vec<u8>,
    shapes: Option<DayShapes>,
    thermal: Option<ThermalLoads>,
    /// Asked for in this step, watts.
    pub demand_w: Vec<f64>,
    /// Useful heat for rooms that is needed in this step, watts, however it is made; zero without weather.
    pub heat_demand_w: Vec<f64>,
    /// Full street lighting of each zone, watts.
    pub lighting_w: Vec<f64>,
    /// Scale of each sector against the default intensities, in order of [`Sector::ALL`].
    pub scale: [f64; 4],
    /// Sectors that were scaled to a published figure.
    pub is_calibrated: [bool; 4],
}

impl BuildingLoads {
    /// Loads of a city, calibrated to its panel where asked and known. `year` is the local calendar year whose weather
    /// demands of heating and cooling are spread over, `local_offset_s` local time minus UTC.
    ///
    /// # Errors
    /// Profiles that are none; weather that does not tell how heat and cold are spread.
    pub fn new(
        city: &City,
        settings: &PowerSettings,
        weather: &Weather,
        year: i32,
        local_offset_s: i32,
    ) -> Result<Self> {
        let table = &city.buildings;
        let mut loads = Self {
            shapes: Some(DayShapes::new(&settings.profiles, &settings.holidays)?),
            thermal: ThermalLoads::new(city, settings, weather, year, local_offset_s)?,
            sector: table.purpose.iter().map(|&purpose| Sector::of(purpose)).collect(),
            purpose: table.purpose.iter().map(|&purpose| purpose as u8).collect(),
            demand_w: vec![0.0; table.len()],
            heat_demand_w: vec![0.0; table.len()],
            lighting_w: lighting_by_zone(city, settings),
            ..Self::default()
        };
        let mean_w: Vec<f64> = (0..table.len())
            .map(|row| {
                let kwh = intensity::of(table.purpose[row]).kwh_per_m2_year * table.floor_area_m2[row];
                kwh * 1000.0 / HOURS_PER_YEAR
            })
            .collect();
        let of_weather = loads.thermal.as_ref().map_or(&[][..], |thermal| &thermal.electric_kwh_year);
        loads.scale = Sector::ALL.map(|sector| {
            let of_sector = |column: &[f64]| -> f64 {
                column.iter().zip(&loads.sector).filter(|(_, of)| **of == sector).map(|(value, _)| value).sum()
            };
            let mean_w: f64 = match sector {
                Sector::Lighting => loads.lighting_w.iter().sum::<f64>() * lit_share(),
                _ => of_sector(&mean_w) + of_sector(of_weather) * 1000.0 / HOURS_PER_YEAR,
            };
            let published = city.panel_latest(&city.manifest.name, sector.panel_indicator());
            match published.filter(|_| settings.calibrate_to_panel && mean_w > 0.0) {
                Some(row) => row.value * 1e9 / HOURS_PER_YEAR / mean_w,
                None => 1.0,
            }
        });
        // Published figures are of the city before a plan of land use: what it builds draws in addition.
        if let Some(plan) = &city.land_use {
            let before = Self::new(&plan.before, settings, weather, year, local_offset_s)?.scale;
            let of_buildings = (0..before.len()).filter(|&sector| sector != Sector::Lighting as usize);
            of_buildings.for_each(|sector| loads.scale[sector] = before[sector]);
        }
        loads.is_calibrated = Sector::ALL.map(|sector| {
            settings.calibrate_to_panel && city.panel_latest(&city.manifest.name, sector.panel_indicator()).is_some()
        });
        for row in 0..table.len() {
            let of = intensity::of(table.purpose[row]);
            let mean_w = mean_w[row] * loads.scale[loads.sector[row] as usize];
            let people_share = 1.0 - of.base_share - of.schedule_share;
            let reference = of.reference_persons_per_m2 * table.floor_area_m2[row];
            if let Some(thermal) = &mut loads.thermal {
                thermal.scale(row, loads.scale[loads.sector[row] as usize]);
            }
            loads.base_w.push(mean_w * of.base_share);
            loads.schedule_w.push(mean_w * of.schedule_share);
            loads.person_w.push(if reference > 0.0 { mean_w * people_share / reference } else { 0.0 });
        }
        let lighting_scale = loads.scale[Sector::Lighting as usize];
        loads.lighting_w.iter_mut().for_each(|watts| *watts *= lighting_scale);
        Ok(loads)
    }

    /// Takes measures into account: what is left of the heat that the rooms of each building need, and in which ones another
    /// device takes the place of electric resistance. Either may be empty: nothing changes.
    pub fn change_heating(&mut self, left: &[f64], is_replaced: &[bool]) {
        let Some(thermal) = self.thermal.as_mut().filter(|_| !(left.is_empty() && is_replaced.is_empty())) else {
            return;
        };
        for row in 0..self.sector.len() {
            let is_replaced = is_replaced.get(row).copied().unwrap_or(false);
            thermal.change(row, left.get(row).copied().unwrap_or(1.0), is_replaced);
        }
    }

    /// Writes `demand_w` and `heat_demand_w` for a step. `persons` holds persons present by building (at least as many
    /// rows), `persons_scale` what one simulated person stands for.
    pub fn ask(&mut self, time: StepTime, weather: &Weather, persons: &[u32], persons_scale: f64) {
        // By use, the clock's part over its mean; a year's energy is spread over the hours that the year has.
        let (mut clock, mut of_year, mut degrees_k) = ([0.0; USES], 0.0, [0.0; 2]);
        let middles = time.middles();
        let part = 1.0 / middles.len() as f64;
        for utc_ms in middles {
            let local_ms = utc_ms + i64::from(time.local_offset_s) * 1000;
            let (day, second) = (local_ms.div_euclid(DAY_MS), local_ms.rem_euclid(DAY_MS) as f64 / 1000.0);
            let hours = f64::from(year_days(Date::from_days(day).year)) * 24.0;
            of_year += part * HOURS_PER_YEAR / hours;
            if let Some(shapes) = &mut self.shapes {
                shapes.prepare(day);
                for (purpose, clock) in clock.iter_mut().enumerate() {
                    *clock += part * shapes.at(purpose, second) * HOURS_PER_YEAR / hours;
                }
            }
            if let Some(thermal) = &self.thermal {
                let now_k = thermal.degrees_k(weather, utc_ms);
                degrees_k = [degrees_k[0] + part * now_k[0], degrees_k[1] + part * now_k[1]];
            }
        }
        let person = persons_scale * of_year;
        let Self { base_w, schedule_w, person_w, purpose, thermal, demand_w, heat_demand_w, .. } = self;
        let thermal = thermal.as_ref();
        let columns = demand_w.par_chunks_mut(CHUNK_ROWS).zip(heat_demand_w.par_chunks_mut(CHUNK_ROWS)).enumerate();
        columns.for_each(|(chunk, (demand_w, heat_w))| {
            for (at, (demand_w, heat_w)) in demand_w.iter_mut().zip(heat_w).enumerate() {
                let row = chunk * CHUNK_ROWS + at;
                *demand_w = base_w[row] * of_year
                    + schedule_w[row] * clock[purpose[row] as usize]
                    + person_w[row] * f64::from(persons[row]) * person;
                if let Some(thermal) = thermal {
                    *demand_w += thermal.electric_w(row, degrees_k);
                    *heat_w = thermal.heat_w(row, degrees_k);
                }
            }
        });
    }
}

/// Days of the week as [`Date::weekday`] counts.
const WEDNESDAY: i64 = 2;
const SATURDAY: i64 = 5;
/// Persons that a building is planned for, over those that it holds on the average of a day.
const PLANNED_PRESENCE: f64 = 2.0;

impl BuildingLoads {
    /// The most that each building asks for with twice the persons that it usually holds, on a workday and a Saturday in the
    /// middle of each quarter of a year, hour by hour, watts: what a grid is planned for. Shape: buildings.
    #[must_use]
    pub fn highest_w(&self, city: &City, weather: &Weather, year: i32, local_offset_s: i32) -> Vec<f64> {
        let mut loads = self.clone();
        let table = &city.buildings;
        let planned = |row: usize| {
            let of = intensity::of(table.purpose[row]);
            (of.reference_persons_per_m2 * table.floor_area_m2[row] * PLANNED_PRESENCE).ceil() as u32
        };
        let persons: Vec<u32> = (0..table.len()).map(planned).collect();
        let mut highest_w = vec![0.0; table.len()];
        for month in [1, 4, 7, 10] {
            let Some(middle) = Date::new(year, month, 15) else { continue };
            let of_weekday = |weekday: i64| middle.days() + (weekday - i64::from(middle.weekday())).rem_euclid(7);
            for day in [of_weekday(WEDNESDAY), of_weekday(SATURDAY)] {
                for hour in 0..24 {
                    let start_utc_ms = day * DAY_MS + hour * 3_600_000 - i64::from(local_offset_s) * 1000;
                    let time = StepTime { start_utc_ms, local_offset_s, step_s: 900 };
                    loads.ask(time, weather, &persons, 1.0);
                    for (highest, &asked) in highest_w.iter_mut().zip(&loads.demand_w) {
                        *highest = f64::max(*highest, asked);
                    }
                }
            }
        }
        highest_w
    }
}

/// Full street lighting by zone, watts: car links outside tunnels, each pair of directions once.
fn lighting_by_zone(city: &City, settings: &PowerSettings) -> Vec<f64> {
    let links = &city.links;
    let mut watts = vec![0.0; city.zones.len()];
    let mut pairs: Vec<(u32, u32)> = (0..links.len()).map(|row| (links.from[row].0, links.to[row].0)).collect();
    pairs.sort_unstable();
    for row in 0..links.len() {
        let is_lit = links.modes[row].contains(Modes::CAR) && links.class[row] != RoadClass::External;
        let has_opposite = pairs.binary_search(&(links.to[row].0, links.from[row].0)).is_ok();
        if is_lit && links.zone[row].is_some() {
            let share = if has_opposite { 0.5 } else { 1.0 };
            watts[links.zone[row].row()] += links.length_m[row] * share * settings.lighting_w_per_m;
        }
    }
    watts
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
