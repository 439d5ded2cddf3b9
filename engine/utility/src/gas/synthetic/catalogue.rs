//! Pipes of synthetic gas networks, from `assets/gas/pipes.toml`.

use serde::Deserialize;
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

const SHIPPED: &str = include_str!("../../../../../assets/gas/pipes.toml");

/// What a pipe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GasPipeRole {
    /// From the street to a building.
    Service,
    /// Along streets.
    Main,
}

/// A type of pipe.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GasPipe {
    /// Name in catalogues.
    pub name: String,
    /// What it is for.
    pub role: GasPipeRole,
    /// Outer diameter, m.
    pub outer_m: f64,
    /// Thickness of the wall, m.
    pub wall_m: f64,
    /// Who says so.
    pub source: String,
    /// How far to trust it: `sourced`, `recalled`, `estimate`.
    pub quality: String,
}

impl GasPipe {
    /// Inner diameter, m.
    #[must_use]
    pub fn inner_m(&self) -> f64 {
        self.outer_m - 2.0 * self.wall_m
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GasPipes {
    /// Pipes.
    pub pipes: Vec<GasPipe>,
}

impl GasPipes {
    /// The table that is shipped.
    ///
    /// # Errors
    /// None, as a test reads it.
    pub fn shipped() -> Result<Self> {
        Self::from_toml(SHIPPED, Path::new("assets/gas/pipes.toml"))
    }
    /// Reads a table; `path` is what messages name.
    ///
    /// # Errors
    /// Every pipe that cannot be; a role without pipes.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self> {
        let read: Self = toml::from_str(text).map_err(|error| Problem::file(path, error))?;
        let mut problems = Problems::new();
        for (row, of) in read.pipes.iter().enumerate() {
            let fields = [("outer_m", of.outer_m), ("wall_m", of.wall_m), ("outer_m - 2 wall_m", of.inner_m())];
            for (field, value) in fields.into_iter().filter(|(_, value)| !(value.is_finite() && *value > 0.0)) {
                problems.push(Problem::value(path, row + 1, Some(&of.name), field, value, "> 0"));
            }
        }
        for (role, name) in [(GasPipeRole::Service, "service"), (GasPipeRole::Main, "main")] {
            if read.ladder(role).is_empty() {
                problems.push(Problem::file(path, format!("no pipe of role {name}, expected at least one")));
            }
        }
        problems.or_else(read)
    }
    /// Rows of pipes of a role by rising bore; those of services go on with mains that are wider.
    pub(super) fn ladder(&self, role: GasPipeRole) -> Vec<u32> {
        let inner = |row: u32| self.pipes[row as usize].inner_m();
        let of = |role: GasPipeRole| {
            let rows = 0..self.pipes.len() as u32;
            let mut rows: Vec<u32> = rows.filter(|&row| self.pipes[row as usize].role == role).collect();
            rows.sort_by(|&a, &b| inner(a).total_cmp(&inner(b)).then(a.cmp(&b)));
            rows
        };
        let mut ladder = of(role);
        if let (GasPipeRole::Service, Some(&last)) = (role, ladder.last()) {
            ladder.extend(of(GasPipeRole::Main).into_iter().filter(|&row| inner(row) > inner(last)));
        }
        ladder
    }
}
