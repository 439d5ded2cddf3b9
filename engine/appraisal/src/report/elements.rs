//! Elements of utility networks for the map: where they lie, and the course of one figure of each.
//!
//! Elements lie utility by utility, links before nodes. A course is told in single bytes between the least and the greatest
//! figure of its element over all scenarios; 255 where there is none.

use super::arms::Arm;
use super::gather::Places;
use super::pack::Pack;
use super::shapes::Steps;
use arrow::array::Array as _;
use geo::{Geometry, LineString};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use urbis_city::shape;
use urbis_core::{Error, Problem, Result};
use urbis_output::Table;

/// More elements than this are not drawn; whole utilities are left out, the later ones first.
const ELEMENTS_AT_MOST: usize = 40_000;
/// More values than this (elements by hours by scenarios) make the page too large.
const VALUES_AT_MOST: usize = 2_000_000;
/// No figure.
const NONE: u8 = 255;

/// Where a figure of an element comes from.
struct Figure {
    table: Table,
    id: &'static str,
    column: &'static str,
    /// To the unit it is told in.
    scale: f64,
    name: &'static str,
    unit: &'static str,
}

/// A network: its name, and what is told of links and of nodes.
struct Told {
    utility: &'static str,
    of: [Option<Figure>; 2],
}

const fn figure(
    (table, id, column): (Table, &'static str, &'static str),
    scale: f64,
    name: &'static str,
    unit: &'static str,
) -> Option<Figure> {
    Some(Figure { table, id, column, scale, name, unit })
}

const TOLD: [Told; 5] = [
    Told {
        utility: "electricity",
        of: [
            figure((Table::BranchState, "branch_id", "loading_percent"), 1.0, "loading", "percent"),
            figure((Table::BusState, "bus_id", "vm_pu"), 1.0, "voltage", "pu"),
        ],
    },
    Told {
        utility: "water",
        of: [
            figure((Table::WaterLink, "link_id", "flow_m3ps"), 1e3, "flow", "l/s"),
            figure((Table::WaterNode, "node_id", "pressure_m"), 1.0, "pressure", "m"),
        ],
    },
    Told {
        utility: "gas",
        of: [
            figure((Table::GasLink, "link_id", "mdot_kgps"), 3600.0, "flow", "kg/h"),
            figure((Table::GasNode, "node_id", "gauge_pa"), 1e-3, "pressure", "kPa"),
        ],
    },
    Told {
        utility: "heat",
        of: [
            figure((Table::HeatLink, "link_id", "mdot_kgps"), 1.0, "flow", "kg/s"),
            figure((Table::HeatNode, "node_id", "temp_c"), 1.0, "temperature", "C"),
        ],
    },
    Told { utility: "sewer", of: [None, figure((Table::SewerNode, "node_id", "depth_max_m"), 1.0, "depth", "m")] },
];

/// Elements of one utility by whether they are nodes, and id: kind and line.
type OfUtility = BTreeMap<(bool, String), (String, LineString)>;

/// Puts elements into the pack; the page's summary of them, and their ids and kinds.
pub(crate) fn elements(arms: &[Arm], places: &Places, pack: &mut Pack) -> Result<(Value, Value)> {
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    let mut all = read(arms)?;
    let mut count = 0;
    for told in &TOLD {
        let Some(of) = all.remove(told.utility) else { continue };
        if count + of.len() > ELEMENTS_AT_MOST {
            left_out.push(told.utility);
            continue;
        }
        count += of.len();
        found.push((told, of));
    }
    let has_courses = count * places.hours * arms.len() <= VALUES_AT_MOST;
    let (mut networks, mut steps, mut courses) = (Vec::new(), Steps::default(), Courses::default());
    let (mut ids, mut kinds) = (Vec::new(), Vec::new());
    for (told, of) in &found {
        let links = of.keys().filter(|(is_node, _)| !is_node).count();
        networks.push(json!({
            "utility": told.utility, "first": ids.len(), "links": links, "count": of.len(),
            "figures": told.of.each_ref().map(|of| of.as_ref().map(|of| [of.name, of.unit])),
        }));
        for ((_, id), (kind, line)) in of {
            ids.push(id.as_str());
            kinds.push(kind.as_str());
            steps.line(line);
        }
        if has_courses {
            courses.add(told, of, arms, places)?;
        }
    }
    if !networks.is_empty() {
        steps.pack("element", pack);
        courses.pack(pack);
    }
    Ok((
        json!({"of": networks, "left_out": left_out, "has_courses": has_courses}),
        json!({"element_id": ids, "element_kind": kinds}),
    ))
}

/// Elements whose place is known, of all scenarios: policies change networks, with every seed alike.
fn read(arms: &[Arm]) -> Result<BTreeMap<String, OfUtility>> {
    let mut all: BTreeMap<String, OfUtility> = BTreeMap::new();
    for run in arms.iter().filter_map(|arm| arm.runs.first()).filter(|run| run.has(Table::NetworkElement)) {
        let columns = ["utility", "kind", "element_id", "is_link", "wkt"];
        run.for_each_batch(Table::NetworkElement, &columns, |batch| {
            let [utility, kind, id, wkt] = ["utility", "kind", "element_id", "wkt"].map(|name| batch.text(name));
            let is_link = batch.flag("is_link");
            for row in (0..batch.rows()).filter(|&row| !wkt.is_null(row)) {
                let line = line_of(wkt.value(row)).ok_or_else(|| {
                    let place = std::path::Path::new("network_element");
                    let expected = "a point or line as WKT";
                    Error::from(Problem::value(place, row + 1, Some(id.value(row)), "wkt", wkt.value(row), expected))
                })?;
                let of = all.entry(utility.value(row).to_owned()).or_default();
                let key = (!is_link.value(row), id.value(row).to_owned());
                of.entry(key).or_insert_with(|| (kind.value(row).to_owned(), line));
            }
            Ok(())
        })?;
    }
    Ok(all)
}

fn line_of(wkt: &str) -> Option<LineString> {
    match shape::of_wkt(wkt)? {
        Geometry::Point(place) => Some(LineString::new(vec![place.0])),
        Geometry::LineString(line) if !line.0.is_empty() => Some(line),
        _ => None,
    }
}

/// Courses of all elements so far.
#[derive(Default)]
struct Courses {
    least: Vec<f64>,
    most: Vec<f64>,
    /// By scenario.
    parts: Vec<Vec<u8>>,
}

impl Courses {
    /// Adds those of a utility, means over the seeds.
    fn add(&mut self, told: &Told, of: &OfUtility, arms: &[Arm], places: &Places) -> Result<()> {
        let (hours, first) = (places.hours, self.least.len());
        let row_of: [BTreeMap<&str, usize>; 2] = [false, true].map(|is_node| {
            let rows = of.keys().enumerate().filter(|(_, key)| key.0 == is_node);
            rows.map(|(row, key)| (key.1.as_str(), row)).collect()
        });
        let mut means = Vec::with_capacity(arms.len());
        for arm in arms {
            let mut sums = vec![(0.0, 0_u32); of.len() * hours];
            for (figure, row_of) in told.of.iter().zip(&row_of) {
                let Some(figure) = figure else { continue };
                for run in arm.runs.iter().filter(|run| run.has(figure.table)) {
                    run.for_each_batch(figure.table, &["time", figure.id, figure.column], |batch| {
                        let (ids, values) = (batch.text(figure.id), batch.real(figure.column));
                        for row in (0..batch.rows()).filter(|&row| !values.is_null(row)) {
                            let Some(element) = row_of.get(ids.value(row)) else { continue };
                            let sum = &mut sums[element * hours + places.hour(batch.time_ms("time", row))];
                            *sum = (sum.0 + figure.scale * values.value(row), sum.1 + 1);
                        }
                        Ok(())
                    })?;
                }
            }
            let mean = |&(sum, n): &(f64, u32)| if n > 0 { sum / f64::from(n) } else { f64::NAN };
            means.push(sums.iter().map(mean).collect::<Vec<f64>>());
        }
        for element in 0..of.len() {
            let all = means.iter().flat_map(|of| &of[element * hours..(element + 1) * hours]).copied();
            let known = all.filter(|of| of.is_finite());
            let [least, most] = known.fold([f64::INFINITY, f64::NEG_INFINITY], |[l, m], of| [l.min(of), m.max(of)]);
            self.least.push(if least.is_finite() { least } else { 0.0 });
            self.most.push(if most.is_finite() { most } else { 0.0 });
        }
        self.parts.resize(arms.len(), Vec::new());
        for (parts, means) in self.parts.iter_mut().zip(&means) {
            parts.extend(means.iter().enumerate().map(|(at, &mean)| {
                let element = first + at / hours;
                part(mean, self.least[element], self.most[element])
            }));
        }
        Ok(())
    }
    fn pack(self, pack: &mut Pack) {
        pack.reals("element_least", self.least.into_iter());
        pack.reals("element_most", self.most.into_iter());
        for (arm, parts) in self.parts.iter().enumerate() {
            pack.bytes(&format!("element_course_{arm}"), parts);
        }
    }
}

/// A figure between two as a byte.
fn part(value: f64, least: f64, most: f64) -> u8 {
    if !value.is_finite() {
        return NONE;
    }
    ((value - least) / (most - least).max(1e-12) * f64::from(NONE - 1)).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_bytes_between_their_ends() {
        assert_eq!([0.9, 0.95, 1.0].map(|of| part(of, 0.9, 1.0)), [0, 127, 254]);
        assert_eq!((part(f64::NAN, 0.0, 1.0), part(3.0, 3.0, 3.0)), (NONE, 0));
    }

    #[test]
    fn points_and_lines_are_read() {
        assert_eq!(line_of("POINT(7.4 43.7)").unwrap().0.len(), 1);
        assert_eq!(line_of("LINESTRING(7.4 43.7,7.5 43.7)").unwrap().0.len(), 2);
        assert!(line_of("POLYGON((0 0,1 0,1 1,0 0))").is_none() && line_of("no").is_none());
    }
}
