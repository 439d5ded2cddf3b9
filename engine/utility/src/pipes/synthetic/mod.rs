//! What made-up networks of gas and district heat share: how peaks of customers coincide ([`coincidence`]), where pipes lie
//! along a city's streets (`layout`), and what stands behind each row of the tables ([`PipeFacts`]). The networks themselves
//! are in [`crate::gas::synthetic`] and [`crate::heat::synthetic`]. All of them are plausible, not true, and say so.
//!
//! Contract: pure functions without random numbers; single-threaded but for meeting buildings and streets, which runs in
//! constant chunks; ties go to the lower row. Time is near `n log n` in buildings and streets.

pub mod coincidence;
pub(crate) mod layout;

use crate::streets::StreetSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::{Problem, Problems, Result};

/// Largest peak of a building, watts: beyond it no pipe in a street would do.
const PEAK_W_MAX: f64 = 1e9;
/// Side of the squares of built-up area, metres.
const SQUARE_M: f64 = 250.0;
/// Service lines longer than this are counted in a note, metres.
pub(crate) const LONG_SERVICE_M: f64 = 200.0;

/// What of a city's streets counts, and how pipes follow them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RouteSettings {
    /// Service lines that meet a street within this distance along it share a joint, metres.
    #[schemars(range(min = 0.0))]
    pub joint_spacing_m: f64,
    /// Connected streets of less total length carry no pipes, unless they are all there is, metres.
    #[schemars(range(min = 0.0))]
    pub fragment_m_max: f64,
    /// Streets that do not meet are joined by a straight line up to this length, metres.
    #[schemars(range(min = 0.0))]
    pub joining_m_max: f64,
    /// Between the shortest network (0) and shortest ways from the source (1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub straightness: f64,
}

impl Default for RouteSettings {
    fn default() -> Self {
        Self { joint_spacing_m: 20.0, fragment_m_max: 200.0, joining_m_max: 1000.0, straightness: 0.3 }
    }
}

impl RouteSettings {
    pub(crate) fn streets(&self) -> StreetSettings {
        let Self { joint_spacing_m, fragment_m_max, joining_m_max, .. } = *self;
        StreetSettings { joint_spacing_m, fragment_m_max, joining_m_max }
    }
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        within(tell, "joint_spacing_m", self.joint_spacing_m, 0.0, 1e6);
        within(tell, "fragment_m_max", self.fragment_m_max, 0.0, 1e9);
        within(tell, "joining_m_max", self.joining_m_max, 0.0, 1e9);
        within(tell, "straightness", self.straightness, 0.0, 1.0);
    }
}

/// Tells a value that is out of range, as key and what is wrong with it.
pub(crate) fn within(tell: &mut dyn FnMut(&str, String), key: &str, value: f64, from: f64, to: f64) {
    if !(from..=to).contains(&value) {
        tell(key, format!("= {value}, expected {from} to {to}"));
    }
}

/// What stands behind each element of the network's tables; columns by element.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PipeFacts {
    /// Row of the catalogue of pipes; [`PipeFacts::NO_PIPE`] of what is no pipe.
    pub pipe: Vec<u32>,
    /// What it is made for at peak, the coincidence of what lies behind it included, watts.
    pub design_w: Vec<f64>,
    /// Where the corners of each element begin in `corners`; one longer than elements.
    pub corner_start: Vec<u32>,
    /// Easting, northing of lines, metres in the city's reference system.
    pub corners: Vec<[f64; 2]>,
}

impl PipeFacts {
    /// Of what is no pipe.
    pub const NO_PIPE: u32 = u32::MAX;
    pub(crate) fn new() -> Self {
        Self { corner_start: vec![0], ..Self::default() }
    }
    pub(crate) fn push(&mut self, pipe: u32, design_w: f64, line: impl IntoIterator<Item = [f64; 2]>) {
        self.pipe.push(pipe);
        self.design_w.push(design_w);
        self.corners.extend(line);
        self.corner_start.push(self.corners.len() as u32);
    }
    /// Line of an element from its from end, metres; a single place for what has no length.
    #[must_use]
    pub fn line(&self, element: u32) -> &[[f64; 2]] {
        let row = element as usize;
        &self.corners[self.corner_start[row] as usize..self.corner_start[row + 1] as usize]
    }
}

/// A published figure beside which a plan's own is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// Name of the figure.
    pub figure: &'static str,
    /// Its value, in the figure's unit.
    pub value: f64,
    /// Of what, and who says so.
    pub source: &'static str,
    /// How far to trust it: `sourced`, `recalled`, `estimate`.
    pub quality: &'static str,
}

/// A figure of a plan: name, unit, value.
pub type FigureRow = (&'static str, &'static str, f64);

/// Writes figures with the published ones below each.
pub(crate) fn show_figures(
    out: &mut std::fmt::Formatter<'_>,
    rows: &[FigureRow],
    published: &[Published],
) -> std::fmt::Result {
    for &(name, unit, value) in rows {
        writeln!(out, "{name:<40} {value:>9.2} {unit}")?;
        for of in published.iter().filter(|of| of.figure == name) {
            writeln!(out, "{:<40} {:>9.2} {unit} {} ({})", "  published", of.value, of.source, of.quality)?;
        }
    }
    Ok(())
}

/// Area of the squares of 250 m that have one of some buildings, m2.
pub(crate) fn built_up_m2(city: &City, buildings: impl Iterator<Item = usize>) -> f64 {
    let table = &city.buildings;
    let square = |row: usize| [table.x_m[row], table.y_m[row]].map(|metres| (metres / SQUARE_M).floor() as i64);
    buildings.map(square).collect::<BTreeSet<[i64; 2]>>().len() as f64 * SQUARE_M * SQUARE_M
}

/// Tells what of columns by building cannot be: other lengths than buildings, values out of range, buildings without a place.
pub(crate) fn check_buildings(city: &City, columns: &[(&str, &[f64], f64)], problems: &mut Problems) {
    let (table, place) = (&city.buildings, Path::new("buildings"));
    let mut is_whole = true;
    for (name, values, _) in columns.iter().filter(|(_, values, _)| values.len() != table.len()) {
        let what = format!("{} values of {name}, expected {}, one for each building", values.len(), table.len());
        problems.push(Problem::file(place, what));
        is_whole = false;
    }
    if !is_whole {
        return;
    }
    for row in 0..table.len() {
        let id = Some(table.id[row].as_str());
        for (name, values, most) in columns {
            if !(0.0..=*most).contains(&values[row]) {
                let expected = format!("0 to {most:e}");
                problems.push(Problem::value(place, row + 1, id, name, values[row], expected));
            }
        }
        for (field, value) in [("x_m", table.x_m[row]), ("y_m", table.y_m[row])] {
            if !value.is_finite() {
                problems.push(Problem::value(place, row + 1, id, field, value, "a finite number"));
            }
        }
    }
}

/// Checks settings and peaks.
pub(crate) fn check_peaks(
    what: &str,
    city: &City,
    columns: &[(&str, &[f64])],
    check: impl FnOnce(&mut dyn FnMut(&str, String)),
) -> Result<()> {
    let mut problems = Problems::new();
    check(&mut |key, wrong| problems.push(Problem::file(Path::new(what), format!("{key} {wrong}"))));
    let columns: Vec<(&str, &[f64], f64)> = columns
        .iter()
        .map(|&(name, values)| (name, values, if name == "peak_w" { PEAK_W_MAX } else { 1e4 * PEAK_W_MAX }))
        .collect();
    check_buildings(city, &columns, &mut problems);
    problems.or_else(())
}
