//! The city's own layers for the map of a report: roads, buildings, zones, and water and green where the package has
//! such layers. Coordinates are steps on a grid of 2e-6 degrees (about 0.2 m).

use super::pack::Pack;
use crate::read::RunResults;
use geo::{Geometry, LineString, MultiPolygon, Polygon, Simplify};
use std::collections::BTreeSet;
use urbis_core::{Problems, Result};

/// Degrees of one step of the grid.
pub(crate) const STEP_DEG: f64 = 2e-6;
/// About 0.7 m: corners of footprints nearer than that to the line of their neighbours are left out.
const SIMPLER_DEG: f64 = 6e-6;
/// More buildings than this are not drawn, the smallest first, to keep the page small.
const BUILDINGS_AT_MOST: usize = 60_000;

/// Links in the order of the layer.
#[derive(Default)]
pub(crate) struct Roads {
    pub(crate) ids: Vec<String>,
    pub(crate) names: Vec<String>,
    classes: Vec<String>,
    lines: Vec<LineString>,
}

/// Buildings in the order of the layer.
#[derive(Default)]
pub(crate) struct Buildings {
    pub(crate) ids: Vec<String>,
    pub(crate) purposes: Vec<String>,
    pub(crate) zones: Vec<String>,
    height_m: Vec<f64>,
    shapes: Vec<Polygon>,
    areas_m2: Vec<f64>,
}

/// Zones in the order of the layer.
#[derive(Default)]
pub(crate) struct Zones {
    pub(crate) ids: Vec<String>,
    pub(crate) names: Vec<String>,
    shapes: Vec<MultiPolygon>,
}

fn areas(shape: Geometry) -> Option<MultiPolygon> {
    match shape {
        Geometry::Polygon(polygon) => Some(MultiPolygon::from(polygon)),
        Geometry::MultiPolygon(polygons) => Some(polygons),
        _ => None,
    }
}

impl Roads {
    pub(crate) fn read(run: &RunResults) -> Result<Self> {
        let (links, mut problems) = (run.layer("links")?, Problems::new());
        let roads = Self {
            ids: links.text("id", &mut problems),
            names: links.text("name", &mut problems),
            classes: links.text("class", &mut problems),
            lines: links.geometry("LineString", |shape| shape.try_into().ok(), &mut problems),
        };
        problems.or_else(roads)
    }
    /// Adds those of another scenario that are not there yet, as policies build them, after all others.
    pub(crate) fn add(&mut self, other: Self) {
        let known: BTreeSet<String> = self.ids.iter().cloned().collect();
        for row in (0..other.ids.len()).filter(|&row| !known.contains(&other.ids[row])) {
            self.ids.push(other.ids[row].clone());
            self.names.push(other.names[row].clone());
            self.classes.push(other.classes[row].clone());
            self.lines.push(other.lines[row].clone());
        }
    }
    /// Whether a link belongs on the map even without traffic. Paths are too many, external links lie outside.
    pub(crate) fn is_street(&self, row: usize) -> bool {
        !matches!(self.classes[row].as_str(), "path" | "external")
    }
    /// Whether it lies in the city.
    pub(crate) fn is_inside(&self, row: usize) -> bool {
        self.classes[row] != "external"
    }
    /// Puts the lines of the rows into a pack.
    pub(crate) fn pack(&self, rows: &[usize], pack: &mut Pack) {
        let mut steps = Steps::default();
        for &row in rows {
            steps.line(&self.lines[row]);
        }
        steps.pack("link", pack);
    }
}

impl Buildings {
    pub(crate) fn read(run: &RunResults) -> Result<Self> {
        let (layer, mut problems) = (run.layer("buildings")?, Problems::new());
        let buildings = Self {
            ids: layer.text("id", &mut problems),
            purposes: layer.text("purpose", &mut problems),
            zones: layer.text("zone_id", &mut problems),
            height_m: layer.number("height_m", &mut problems),
            areas_m2: layer.number("footprint_m2", &mut problems),
            shapes: layer.geometry("Polygon", |shape| shape.try_into().ok(), &mut problems),
        };
        problems.or_else(buildings)
    }
    /// Adds those of another scenario that are not there yet, as policies build them, after all others.
    pub(crate) fn add(&mut self, other: Self) {
        let known: BTreeSet<String> = self.ids.iter().cloned().collect();
        for row in (0..other.ids.len()).filter(|&row| !known.contains(&other.ids[row])) {
            self.ids.push(other.ids[row].clone());
            self.purposes.push(other.purposes[row].clone());
            self.zones.push(other.zones[row].clone());
            self.height_m.push(other.height_m[row]);
            self.shapes.push(other.shapes[row].clone());
            self.areas_m2.push(other.areas_m2[row]);
        }
    }
    /// Rows to draw: all of them, or the largest.
    pub(crate) fn drawn(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.ids.len()).collect();
        rows.sort_by(|&a, &b| self.areas_m2[b].total_cmp(&self.areas_m2[a]).then(a.cmp(&b)));
        rows.truncate(BUILDINGS_AT_MOST);
        rows.sort_unstable();
        rows
    }
    /// Puts footprints (without courtyards) and heights of the rows into a pack.
    pub(crate) fn pack(&self, rows: &[usize], pack: &mut Pack) {
        let mut steps = Steps::default();
        for &row in rows {
            steps.line(&self.shapes[row].exterior().simplify(SIMPLER_DEG));
        }
        steps.pack("building", pack);
        pack.bytes("building_height_m", &rows.iter().map(|&row| self.height_m[row].round() as u8).collect::<Vec<_>>());
    }
}

impl Zones {
    pub(crate) fn read(run: &RunResults) -> Result<Self> {
        let (layer, mut problems) = (run.layer("zones")?, Problems::new());
        let zones = Self {
            ids: layer.text("id", &mut problems),
            names: layer.text("name", &mut problems),
            shapes: layer.geometry("Polygon or MultiPolygon", areas, &mut problems),
        };
        problems.or_else(zones)
    }
    pub(crate) fn pack(&self, pack: &mut Pack) {
        pack_areas("zone", &self.shapes, pack);
    }
}

/// Puts the shapes of a layer that not every package has into a pack; whether it has it.
pub(crate) fn pack_ground(run: &RunResults, layer: &str, pack: &mut Pack) -> Result<bool> {
    if !run.has_layer(layer) {
        return Ok(false);
    }
    let mut problems = Problems::new();
    let shapes = run.layer(layer)?.geometry("Polygon or MultiPolygon", areas, &mut problems);
    pack_areas(layer, &shapes, pack);
    problems.or_else(true)
}

/// Outer rings, each with the row it belongs to.
fn pack_areas(name: &str, shapes: &[MultiPolygon], pack: &mut Pack) {
    let (mut steps, mut owners) = (Steps::default(), Vec::new());
    for (row, polygon) in shapes.iter().enumerate().flat_map(|(row, shape)| shape.iter().map(move |p| (row, p))) {
        steps.line(&polygon.exterior().simplify(SIMPLER_DEG));
        owners.push(row as i32);
    }
    steps.pack(name, pack);
    pack.ints(&format!("{name}_row"), &owners);
}

/// Lines as a first point and steps.
#[derive(Default)]
pub(crate) struct Steps {
    first: Vec<i32>,
    points: Vec<i32>,
    steps: Vec<i16>,
}

impl Steps {
    pub(crate) fn line(&mut self, line: &LineString) {
        let mut at: Option<[i32; 2]> = None;
        let before = self.steps.len();
        for coordinate in line.coords() {
            let next = [coordinate.x, coordinate.y].map(|degrees| (degrees / STEP_DEG).round() as i32);
            match at {
                None => self.first.extend(next),
                Some(from) => {
                    let way = [next[0] - from[0], next[1] - from[1]];
                    // A step is at most 32,767; longer ones are parted.
                    let parts = (way[0].abs().max(way[1].abs()) / i32::from(i16::MAX)) + 1;
                    for part in 0..parts {
                        let step = way.map(|w| {
                            let until = |part: i32| i64::from(w) * i64::from(part) / i64::from(parts);
                            (until(part + 1) - until(part)) as i16
                        });
                        self.steps.extend(step);
                    }
                }
            }
            at = Some(next);
        }
        self.points.push(((self.steps.len() - before) / 2 + 1) as i32);
    }
    pub(crate) fn pack(&self, name: &str, pack: &mut Pack) {
        pack.ints(&format!("{name}_first"), &self.first);
        pack.ints(&format!("{name}_points"), &self.points);
        pack.shorts(&format!("{name}_steps"), &self.steps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_steps_are_parted_and_add_up() {
        let mut steps = Steps::default();
        steps.line(&LineString::from(vec![(7.4, 43.7), (7.6, 43.7001), (7.6, 43.7)]));
        let sum: i32 = steps.steps.iter().step_by(2).map(|s| i32::from(*s)).sum();
        assert_eq!(sum, 100_000);
        assert_eq!(steps.points[0] as usize, steps.steps.len() / 2 + 1);
        assert_eq!(steps.steps.iter().skip(1).step_by(2).map(|s| i32::from(*s)).sum::<i32>(), 0);
    }
}
