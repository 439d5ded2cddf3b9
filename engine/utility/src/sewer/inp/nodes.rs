//! `[JUNCTIONS]`, `[OUTFALLS]`, `[STORAGE]`, `[DIVIDERS]` and `[COORDINATES]`.

use super::super::infiltration::Soil;
use super::super::network::{Divider, NONE, NodeKind, Outfall, Sewer, Split, Stage, Storage, Surface};
use super::curves::Curve;
use super::lines::{Kind, Reader, Row, is_given};
use super::rows_of;

/// Fills nodes and the tables of their kinds.
pub(super) fn read(reader: &mut Reader<'_>, rows: &[Row<'_>], curves: &[Curve], sewer: &mut Sewer) {
    for row in rows_of(rows, &[Kind::Junctions, Kind::Outfalls, Kind::Storage, Kind::Dividers]) {
        if !Reader::is_first(&reader.nodes, row, sewer.nodes.id.len()) {
            continue;
        }
        let m = reader.m();
        let invert = m * reader.number(row, 1, "elevation");
        let mut node = Node { full: 0.0, initial: 0.0, surcharge: 0.0, ponded: 0.0 };
        let kind = match row.kind {
            Kind::Outfalls => outfall(reader, row, sewer, invert),
            Kind::Storage => storage(reader, row, curves, sewer, &mut node),
            Kind::Dividers => divider(reader, row, curves, sewer, &mut node),
            _ => {
                node.read(reader, row, 2);
                NodeKind::Junction
            }
        };
        let to = &mut sewer.nodes;
        to.id.push(row.id().to_owned());
        to.kind.push(kind);
        to.invert_m.push(invert);
        to.full_depth_m.push(m * node.full);
        to.initial_depth_m.push(m * node.initial);
        to.surcharge_depth_m.push(m * node.surcharge);
        to.ponded_area_m2.push(m * m * node.ponded);
        to.x.push(f64::NAN);
        to.y.push(f64::NAN);
    }
    for row in rows_of(rows, &[Kind::Coordinates]) {
        let node = reader.find(row, 0, "node", |reader| &reader.nodes);
        let (x, y) = (reader.number(row, 1, "x"), reader.number(row, 2, "y"));
        if node != NONE {
            (sewer.nodes.x[node as usize], sewer.nodes.y[node as usize]) = (x, y);
        }
    }
}

/// Depths and area in the units of the file.
struct Node {
    full: f64,
    initial: f64,
    surcharge: f64,
    ponded: f64,
}

impl Node {
    fn read(&mut self, reader: &mut Reader<'_>, row: &Row<'_>, from: usize) {
        self.full = reader.at_least_0_or(row, from, "max depth", 0.0);
        self.initial = reader.at_least_0_or(row, from + 1, "initial depth", 0.0);
        self.surcharge = reader.at_least_0_or(row, from + 2, "surcharge depth", 0.0);
        self.ponded = reader.at_least_0_or(row, from + 3, "ponded area", 0.0);
    }
}

fn outfall(reader: &mut Reader<'_>, row: &Row<'_>, sewer: &mut Sewer, invert: f64) -> NodeKind {
    let mut next = 3;
    let stage = match row.keyword(2).as_str() {
        "FREE" => Stage::Free,
        "NORMAL" => Stage::Normal,
        "FIXED" => {
            next = 4;
            let stage = reader.m() * reader.number(row, 3, "stage");
            if stage < invert {
                let what = format!("line {}: outfall {} has its stage below its bottom", row.line, row.id());
                reader.notes.push(what);
            }
            Stage::Fixed(stage)
        }
        _ => {
            reader.value(row, 2, "type", "FREE, NORMAL or FIXED");
            Stage::Free
        }
    };
    let has_flap_gate = reader.flag(row, next, "gated", false);
    if is_given(row, next + 1) {
        reader.value(row, next + 1, "route to", "nothing: water that runs onto a subcatchment is not understood");
    }
    sewer.outfalls.push(Outfall { stage, has_flap_gate });
    NodeKind::Outfall(sewer.outfalls.len() as u32 - 1)
}

fn storage(reader: &mut Reader<'_>, row: &Row<'_>, curves: &[Curve], sewer: &mut Sewer, node: &mut Node) -> NodeKind {
    let m = reader.m();
    node.full = reader.at_least_0(row, 2, "max depth");
    node.initial = reader.at_least_0(row, 3, "initial depth");
    let mut next = 8;
    let (pi, half) = (std::f64::consts::PI, 0.5);
    let polynomial = |constant: f64, linear: f64, square: f64| Surface::Polynomial {
        constant: constant * m * m,
        linear: linear * m,
        square,
    };
    let shape = row.keyword(4);
    let surface = match shape.as_str() {
        "FUNCTIONAL" => {
            let (factor, exponent) = (reader.at_least_0(row, 5, "coefficient"), reader.at_least_0(row, 6, "exponent"));
            let constant = reader.at_least_0(row, 7, "constant");
            if factor + constant <= 0.0 {
                reader.problem(row, "has no surface, expected a coefficient or constant above 0");
            }
            Surface::Function { constant: constant * m * m, factor: factor * m * m / m.powf(exponent), exponent }
        }
        "TABULAR" => {
            next = 6;
            let table = curve(reader, row, 5, curves, "STORAGE").map(|curve| curve.scaled(m, m * m));
            Surface::Curve(table.unwrap_or_default())
        }
        "CYLINDRICAL" | "CONICAL" | "PARABOLOID" | "PARABOLIC" | "PYRAMIDAL" => {
            let (length, width) = (reader.above_0(row, 5, "length"), reader.above_0(row, 6, "width"));
            let third = reader.at_least_0(row, 7, "slope or height");
            let (a, b) = (half * length, half * width);
            match shape.as_str() {
                "CYLINDRICAL" => polynomial(pi * a * b, 0.0, 0.0),
                "CONICAL" => polynomial(pi * a * b, 2.0 * pi * b * third, pi * b / a * third * third),
                "PYRAMIDAL" => polynomial(length * width, 2.0 * (length + width) * third, 4.0 * third * third),
                _ => {
                    if third <= 0.0 {
                        reader.value(row, 7, "height", "a number above 0");
                    }
                    polynomial(0.0, pi * a * b / third, 0.0)
                }
            }
        }
        _ => {
            reader.value(row, 4, "shape", "FUNCTIONAL, TABULAR, CYLINDRICAL, CONICAL, PARABOLOID or PYRAMIDAL");
            polynomial(1.0, 0.0, 0.0)
        }
    };
    node.surcharge = reader.at_least_0_or(row, next, "surcharge depth", 0.0);
    let evaporation_share = reader.at_least_0_or(row, next + 1, "evaporation factor", 0.0);
    let soil = soil(reader, row, next + 2);
    sewer.storages.push(Storage { surface, evaporation_share, soil });
    NodeKind::Storage(sewer.storages.len() as u32 - 1)
}

/// Suction, conductivity and deficit, or conductivity alone.
fn soil(reader: &mut Reader<'_>, row: &Row<'_>, from: usize) -> Option<Soil> {
    let given = row.words.len().saturating_sub(from);
    let (suction, conductivity, deficit) = match given {
        0 => return None,
        1 => (0.0, reader.at_least_0(row, from, "conductivity"), 0.0),
        _ => (
            reader.at_least_0(row, from, "suction"),
            reader.at_least_0(row, from + 1, "conductivity"),
            reader.number_where(row, from + 2, "deficit", "a number from 0 to 1", |at| (0.0..=1.0).contains(&at)),
        ),
    };
    let units = reader.units;
    (conductivity > 0.0).then(|| Soil::GreenAmpt {
        suction_m: suction * units.rain_m(),
        conductivity_mps: conductivity * units.rain_mps(),
        deficit,
        is_modified: true,
    })
}

fn divider(reader: &mut Reader<'_>, row: &Row<'_>, curves: &[Curve], sewer: &mut Sewer, node: &mut Node) -> NodeKind {
    let flow = reader.units.flow_m3ps();
    let link = if is_given(row, 2) { reader.find(row, 2, "diverted link", |reader| &reader.links) } else { NONE };
    let (split, next) = match row.keyword(3).as_str() {
        "CUTOFF" => (Split::Cutoff(flow * reader.at_least_0(row, 4, "cutoff")), 5),
        "OVERFLOW" => (Split::Overflow, 4),
        "TABULAR" => {
            let table = curve(reader, row, 4, curves, "DIVERSION").map(|curve| curve.scaled(flow, flow));
            (Split::Curve(table.unwrap_or_default()), 5)
        }
        "WEIR" => {
            let from_m3ps = flow * reader.at_least_0(row, 4, "minimum flow");
            let (height, coefficient) = (reader.above_0(row, 5, "height"), reader.above_0(row, 6, "coefficient"));
            let full_m3ps = flow * coefficient * height.powf(1.5);
            if full_m3ps <= from_m3ps {
                reader.problem(row, "takes less when full than where it begins, expected more");
            }
            (Split::Weir { from_m3ps, full_m3ps }, 7)
        }
        _ => {
            reader.value(row, 3, "type", "CUTOFF, OVERFLOW, TABULAR or WEIR");
            (Split::Overflow, 4)
        }
    };
    node.read(reader, row, next);
    sewer.dividers.push(Divider { link, split });
    NodeKind::Divider(sewer.dividers.len() as u32 - 1)
}

/// A curve of a kind.
pub(super) fn curve<'c>(
    reader: &mut Reader<'_>,
    row: &Row<'_>,
    at: usize,
    curves: &'c [Curve],
    kind: &str,
) -> Option<&'c Curve> {
    let found = reader.find(row, at, "curve", |reader| &reader.curves);
    let curve = curves.get(found as usize)?;
    if !curve.kind.starts_with(kind) {
        reader.value(row, at, "curve", format_args!("a curve of type {kind}"));
        return None;
    }
    let is_negative = curve.table.x.iter().any(|&x| x < 0.0) || curve.table.y.iter().any(|&y| y < 0.0);
    if is_negative {
        reader.value(row, at, "curve", "a curve without negative values");
        return None;
    }
    (!curve.table.x.is_empty()).then_some(curve)
}
