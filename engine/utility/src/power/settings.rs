//! Settings of electricity, as they stand in a scenario under `[power]`.

use super::city_grid::GridSettings;
use super::devices::DeviceSettings;
use super::heating::{CoolingSettings, HeatingSettings};
use super::holidays::HolidaySettings;
use super::shape::ProfileSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// Electricity: step, calibration, and what the loads of buildings follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PowerSettings {
    /// Length of a step, seconds; at most 3600.
    #[schemars(range(min = 1, max = 3600))]
    pub step_s: u32,
    /// Scale each sector's intensities so that the year's use under reference presence meets the panel
    /// (`electricity_use_residential_general_services`, `electricity_use_tertiary`,
    /// `electricity_use_industry`, `electricity_use_public_lighting`, GWh/year). Electric heating and cooling count and
    /// are scaled with the rest. The factors are reported; the simulated day still follows who is where and when.
    pub calibrate_to_panel: bool,
    /// Street lighting, watts for each metre of lit road.
    pub lighting_w_per_m: f64,
    /// Standard load profiles that buildings follow by the clock.
    pub profiles: ProfileSettings,
    /// Days off, on which profiles are those of a Sunday.
    pub holidays: HolidaySettings,
    /// Heating of rooms.
    pub heating: HeatingSettings,
    /// Cooling of rooms.
    pub cooling: CoolingSettings,
    /// Devices behind the meters of buildings.
    #[serde(skip_serializing_if = "DeviceSettings::is_default")]
    pub devices: DeviceSettings,
    /// The grid that carries the loads.
    #[serde(skip_serializing_if = "GridSettings::is_default")]
    pub grid: GridSettings,
}

impl Default for PowerSettings {
    fn default() -> Self {
        Self {
            step_s: 900,
            calibrate_to_panel: true,
            lighting_w_per_m: 3.5,
            profiles: ProfileSettings::default(),
            holidays: HolidaySettings::default(),
            heating: HeatingSettings::default(),
            cooling: CoolingSettings::default(),
            devices: DeviceSettings::default(),
            grid: GridSettings::default(),
        }
    }
}

impl PowerSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        if !(self.lighting_w_per_m >= 0.0 && self.lighting_w_per_m.is_finite()) {
            tell("lighting_w_per_m", format!("= {}, expected 0 or more", self.lighting_w_per_m));
        }
        self.profiles.check(&mut |key, what| tell(&format!("profiles.{key}"), what));
        self.holidays.check(&mut |key, what| tell(&format!("holidays.{key}"), what));
        self.heating.check(&mut |key, what| tell(&format!("heating.{key}"), what));
        self.cooling.check(&mut |key, what| tell(&format!("cooling.{key}"), what));
        self.devices.check(&mut |key, what| tell(&format!("devices.{key}"), what));
        self.grid.check(&mut |key, what| tell(&format!("grid.{key}"), what));
    }
}

/// What a check of settings tells, as the error of a call that was given them; `place` is their table.
///
/// # Errors
/// [`urbis_core::Error::Input`] with each field, its value and what is expected.
pub fn refusing(place: &str, check: impl FnOnce(&mut dyn FnMut(&str, String))) -> Result<()> {
    let mut problems = Problems::new();
    check(&mut |key, what| problems.push(Problem::file(Path::new(place), format!("{key} {what}"))));
    problems.or_else(())
}
