//! What made-up water networks are built of: pipes, and how much tanks hold, as tables with sources. The shipped ones are in
//! `assets/water/synthetic_network.toml`.

use serde::Deserialize;
use std::f64::consts::PI;
use std::path::Path;
use urbis_city::model::Quality;
use urbis_core::{Problem, Problems, Result};

const SHIPPED: &str = include_str!("../../../../../assets/water/synthetic_network.toml");
const SHIPPED_PATH: &str = "assets/water/synthetic_network.toml";

/// A type of pipe.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipeType {
    /// Name in catalogues.
    pub name: String,
    /// Inner diameter, metres.
    pub inner_m: f64,
    /// Roughness with what bends and fittings add, metres.
    pub roughness_m: f64,
    /// Velocity that it is planned for at the hour of highest draw, m/s.
    pub velocity_mps_max: f64,
    /// Who says so.
    pub source: String,
    /// How far to trust it: `sourced`, `recalled`, `estimate`.
    pub quality: String,
}

/// What tanks hold of a day's highest draw; straight between rows.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageStep {
    /// Draw of the day of highest draw, m3.
    pub day_m3: f64,
    /// Share of it that is held, without what is kept for fires.
    pub share: f64,
    /// Who says so.
    pub source: String,
    /// How far to trust it.
    pub quality: String,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Pipes by rising inner diameter.
    pub pipes: Vec<PipeType>,
    /// Volumes by rising draw.
    pub storage: Vec<StorageStep>,
}

impl Catalogue {
    /// The tables that are shipped.
    ///
    /// # Errors
    /// None but a fault of the tables, which are tested.
    pub fn shipped() -> Result<Self> {
        Self::from_toml(SHIPPED, Path::new(SHIPPED_PATH))
    }
    /// Reads tables; `path` is what messages name.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] with everything that is wrong.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self> {
        let read: Self = toml::from_str(text).map_err(|error| Problem::file(path, error))?;
        read.check(path)?;
        Ok(read)
    }
    fn check(&self, path: &Path) -> Result<()> {
        let mut problems = Problems::new();
        if self.pipes.is_empty() {
            problems.push(Problem::file(path, "no pipes, expected at least one"));
        }
        if self.storage.is_empty() {
            problems.push(Problem::file(path, "no storage, expected at least one row"));
        }
        let mut tell = |row: usize, id: &str, field: &str, value: f64, is_good: bool, expected: &str| {
            if !(value.is_finite() && is_good) {
                problems.push(Problem::value(path, row + 1, Some(id), field, value, expected));
            }
        };
        let mut last_m = 0.0;
        for (row, of) in self.pipes.iter().enumerate() {
            tell(row, &of.name, "inner_m", of.inner_m, of.inner_m > last_m && of.inner_m < 5.0, "rising, 0 to 5");
            tell(row, &of.name, "roughness_m", of.roughness_m, (1e-6..0.01).contains(&of.roughness_m), "1e-6 to 0.01");
            let velocity = of.velocity_mps_max;
            tell(row, &of.name, "velocity_mps_max", velocity, velocity > 0.0, "> 0");
            last_m = of.inner_m;
        }
        let mut last_m3 = -1.0;
        for (row, of) in self.storage.iter().enumerate() {
            tell(row, "storage", "day_m3", of.day_m3, of.day_m3 > last_m3, "rising");
            tell(row, "storage", "share", of.share, (0.05..=5.0).contains(&of.share), "0.05 to 5");
            last_m3 = of.day_m3;
        }
        let qualities = self.pipes.iter().map(|of| &of.quality).chain(self.storage.iter().map(|of| &of.quality));
        for quality in qualities.filter(|quality| Quality::from_name(quality).is_none()) {
            let what = format!("quality = {quality}, expected sourced, recalled or estimate");
            problems.push(Problem::file(path, what));
        }
        problems.or_else(())
    }
    /// Flow that a pipe carries at the velocity it is planned for, m3/s.
    pub(super) fn carries_m3ps(&self, pipe: u32) -> f64 {
        let of = &self.pipes[pipe as usize];
        of.velocity_mps_max * PI * of.inner_m * of.inner_m / 4.0
    }
    /// The least pipe that carries a flow; the largest where none does.
    pub(super) fn pipe_for(&self, flow_m3ps: f64) -> u32 {
        let fits = (0..self.pipes.len() as u32).find(|&pipe| self.carries_m3ps(pipe) >= flow_m3ps);
        fits.unwrap_or(self.pipes.len() as u32 - 1)
    }
    /// Share of a day's highest draw that a tank holds.
    pub(super) fn storage_share(&self, day_m3: f64) -> f64 {
        let after = self.storage.partition_point(|of| of.day_m3 <= day_m3);
        let Some(high) = self.storage.get(after) else { return self.storage[self.storage.len() - 1].share };
        let Some(low) = after.checked_sub(1).map(|row| &self.storage[row]) else { return high.share };
        low.share + (day_m3 - low.day_m3) / (high.day_m3 - low.day_m3) * (high.share - low.share)
    }
}
