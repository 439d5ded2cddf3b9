//! Pre-insulated pipes of synthetic networks of district heat, from `assets/heat/pipes.toml`, and what they lose.
//!
//! Two pipes side by side at the same depth, each with the heat transfer by length
//!
//! ```text
//! 1 / U' = ln(D / d) / (2 pi l_i) + ln(4 H / D) / (2 pi l_g) + ln(sqrt((2 H / s)^2 + 1)) / (2 pi l_g)
//! ```
//!
//! `d` outer diameter of the steel, `D` of the casing, `H` depth of the axis with 0.0685 m K/W times `l_g` added for the
//! surface, `s` distance of the axes, `l_i` and `l_g` conduction of insulation and ground. Together both lose
//! `U' (T_flow + T_return - 2 T_ground)`, which is exact for the symmetric pair; the heat that the return takes from the flow
//! is ignored, so that each loses by its own temperature. The wall of the casing and of the steel are ignored too.
//!
//! Source: P. Wallentén, Steady-state heat loss from insulated pipes, Lund 1991; EN 13941-1 (recalled).

use super::settings::SyntheticHeatSettings;
use serde::Deserialize;
use std::f64::consts::PI;
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

const SHIPPED: &str = include_str!("../../../../../assets/heat/pipes.toml");
/// Resistance of the surface of the ground, m2 K/W (EN 13941, recalled).
const SURFACE_M2KPW: f64 = 0.0685;

/// A type of pipe.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeatPipe {
    /// Name in catalogues.
    pub name: String,
    /// Outer diameter of the steel, m.
    pub outer_m: f64,
    /// Thickness of its wall, m.
    pub wall_m: f64,
    /// Outer diameter of the casing, m.
    pub casing_m: f64,
    /// Velocity up to which it is used, m/s.
    pub velocity_mps_max: f64,
    /// Who says so.
    pub source: String,
    /// How far to trust it: `sourced`, `recalled`, `estimate`.
    pub quality: String,
}

impl HeatPipe {
    /// Inner diameter, m.
    #[must_use]
    pub fn inner_m(&self) -> f64 {
        self.outer_m - 2.0 * self.wall_m
    }
    /// Heat transfer to the ground of one pipe of a pair, W/(m K).
    #[must_use]
    pub fn loss_wpmk(&self, settings: &SyntheticHeatSettings) -> f64 {
        let (ground, casing_m) = (settings.ground_wpmk, self.casing_m);
        let depth_m = settings.cover_m + 0.5 * casing_m + SURFACE_M2KPW * ground;
        let apart_m = casing_m + settings.gap_m;
        let insulation = (casing_m / self.outer_m).ln() / (2.0 * PI * settings.insulation_wpmk);
        let around = (4.0 * depth_m / casing_m).ln() / (2.0 * PI * ground);
        let beside = ((2.0 * depth_m / apart_m).powi(2) + 1.0).sqrt().ln() / (2.0 * PI * ground);
        1.0 / (insulation + around + beside)
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeatPipes {
    /// Pipes by rising bore.
    pub pipes: Vec<HeatPipe>,
}

impl HeatPipes {
    /// The table that is shipped.
    ///
    /// # Errors
    /// None, as a test reads it.
    pub fn shipped() -> Result<Self> {
        Self::from_toml(SHIPPED, Path::new("assets/heat/pipes.toml"))
    }
    /// Reads a table; `path` is what messages name.
    ///
    /// # Errors
    /// Every pipe that cannot be; a table without any.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self> {
        let mut read: Self = toml::from_str(text).map_err(|error| Problem::file(path, error))?;
        let mut problems = Problems::new();
        for (row, of) in read.pipes.iter().enumerate() {
            let fields = [
                ("wall_m", of.wall_m),
                ("outer_m - 2 wall_m", of.inner_m()),
                ("casing_m - outer_m", of.casing_m - of.outer_m),
                ("velocity_mps_max", of.velocity_mps_max),
            ];
            for (field, value) in fields.into_iter().filter(|(_, value)| !(value.is_finite() && *value > 0.0)) {
                problems.push(Problem::value(path, row + 1, Some(&of.name), field, value, "> 0"));
            }
        }
        if read.pipes.is_empty() {
            problems.push(Problem::file(path, "no pipe, expected at least one"));
        }
        read.pipes.sort_by(|a, b| a.inner_m().total_cmp(&b.inner_m()));
        problems.or_else(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_by_hand() {
        let pipes = HeatPipes::shipped().unwrap();
        let settings = SyntheticHeatSettings::default();
        assert_eq!(pipes.pipes.len(), 17);
        let dn100 = pipes.pipes.iter().find(|of| of.name == "DN 100").unwrap();
        // ln(225 / 114.3) / (2 pi 0.026) = 4.146 m K/W; H = 0.8 + 0.1125 + 0.1096 = 1.0221, ln(18.17) / (2 pi 1.6) = 0.2885,
        // s = 0.375, ln(5.542) / (2 pi 1.6) = 0.1703.
        assert!((dn100.loss_wpmk(&settings) - 1.0 / (4.146 + 0.2885 + 0.1703)).abs() < 2e-4);
        // Makers' tables have 0.13 to 0.5 W/(m K) for DN 20 to DN 500 in series 2.
        assert!(pipes.pipes.iter().all(|of| (0.1..0.5).contains(&of.loss_wpmk(&settings))));
    }
}
