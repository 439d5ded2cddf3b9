//! `[CONDUITS]`, `[XSECTIONS]`, `[LOSSES]`, `[PUMPS]`, `[ORIFICES]`, `[WEIRS]` and `[OUTLETS]`.

use super::super::network::ForceMain;
use super::super::network::{LinkKind, NONE, Orifice, Outlet, Pump, PumpCurve, Rating, Sewer, Weir, WeirForm};
use super::super::section::{Section, Shape};
use super::curves::Curve;
use super::lines::{Kind, Reader, Row, is_given};
use super::nodes::curve;
use super::rows_of;

const KINDS: [Kind; 5] = [Kind::Conduits, Kind::Pumps, Kind::Orifices, Kind::Weirs, Kind::Outlets];

/// Fills links and the tables of their kinds. Offsets are as in the file, in m; `finish` makes heights of elevations.
pub(super) fn read(reader: &mut Reader<'_>, rows: &[Row<'_>], curves: &[Curve], sewer: &mut Sewer) {
    for row in rows_of(rows, &KINDS) {
        if !Reader::is_first(&reader.links, row, sewer.links.id.len()) {
            continue;
        }
        let from = reader.find(row, 1, "from node", |reader| &reader.nodes);
        let to = reader.find(row, 2, "to node", |reader| &reader.nodes);
        if from == to && from != NONE {
            reader.value(row, 2, "to node", "another than the from node");
        }
        let mut ends = Ends { offset: [0.0; 2], gate: false, initial: 0.0, limit: 0.0 };
        let kind = match row.kind {
            Kind::Conduits => conduit(reader, row, sewer, &mut ends),
            Kind::Pumps => pump(reader, row, curves, sewer),
            Kind::Orifices => orifice(reader, row, sewer, &mut ends),
            Kind::Weirs => weir(reader, row, sewer, &mut ends),
            _ => outlet(reader, row, curves, sewer, &mut ends),
        };
        let links = &mut sewer.links;
        links.id.push(row.id().to_owned());
        links.kind.push(kind);
        links.from.push(from);
        links.to.push(to);
        links.offset_from_m.push(ends.offset[0]);
        links.offset_to_m.push(ends.offset[1]);
        links.is_reversed.push(false);
        links.has_flap_gate.push(ends.gate);
        links.initial_flow_m3ps.push(ends.initial);
        links.flow_limit_m3ps.push(ends.limit);
        links.section.extend(Section::circular(1.0));
    }
    sections(reader, rows, sewer);
    losses(reader, rows, sewer);
}

struct Ends {
    offset: [f64; 2],
    gate: bool,
    initial: f64,
    limit: f64,
}

/// An offset in m; minus infinity for `*`, which is the node's bottom.
fn offset(reader: &mut Reader<'_>, row: &Row<'_>, at: usize, field: &str) -> f64 {
    if reader.is_by_elevation && row.word(at) == Some("*") {
        return f64::NEG_INFINITY;
    }
    reader.m() * reader.number(row, at, field)
}

fn conduit(reader: &mut Reader<'_>, row: &Row<'_>, sewer: &mut Sewer, ends: &mut Ends) -> LinkKind {
    let (m, flow) = (reader.m(), reader.units.flow_m3ps());
    let length = m * reader.above_0(row, 3, "length");
    let roughness = reader.above_0(row, 4, "roughness");
    ends.offset = [offset(reader, row, 5, "in offset"), offset(reader, row, 6, "out offset")];
    ends.initial = if is_given(row, 7) { flow * reader.number(row, 7, "initial flow") } else { 0.0 };
    ends.limit = flow * reader.at_least_0_or(row, 8, "max flow", 0.0);
    let to = &mut sewer.conduits;
    to.link.push(sewer.links.id.len() as u32);
    to.length_m.push(length);
    to.roughness.push(roughness);
    to.barrels.push(1.0);
    for column in [&mut to.loss_in, &mut to.loss_out, &mut to.loss_along, &mut to.seepage_mps] {
        column.push(0.0);
    }
    to.force_main.push(f64::NAN);
    to.wave_length_m.push(length);
    for column in [&mut to.slope, &mut to.beta, &mut to.friction, &mut to.full_flow_m3ps] {
        column.push(0.0);
    }
    LinkKind::Conduit(to.link.len() as u32 - 1)
}

fn pump(reader: &mut Reader<'_>, row: &Row<'_>, curves: &[Curve], sewer: &mut Sewer) -> LinkKind {
    let (m, flow) = (reader.m(), reader.units.flow_m3ps());
    let curve = if is_given(row, 3) {
        let found = curve(reader, row, 3, curves, "PUMP");
        let shaped = |curve: &Curve| match curve.kind.as_str() {
            "PUMP1" => PumpCurve::Volume(curve.scaled(m * m * m, flow)),
            "PUMP2" => PumpCurve::DepthSteps(curve.scaled(m, flow)),
            "PUMP3" => PumpCurve::Head(curve.scaled(m, flow)),
            "PUMP4" => PumpCurve::Depth(curve.scaled(m, flow)),
            _ => PumpCurve::Speed(curve.scaled(m, flow)),
        };
        found.map_or(PumpCurve::Ideal, shaped)
    } else {
        PumpCurve::Ideal
    };
    let is_on = match row.keyword(4).as_str() {
        "" | "*" | "ON" => true,
        "OFF" => false,
        _ => {
            reader.value(row, 4, "status", "ON or OFF");
            true
        }
    };
    let start_depth_m = m * reader.at_least_0_or(row, 5, "startup depth", 0.0);
    let stop_depth_m = m * reader.at_least_0_or(row, 6, "shutoff depth", 0.0);
    if start_depth_m > 0.0 && start_depth_m <= stop_depth_m {
        reader.value(row, 5, "startup depth", "more than the shutoff depth");
    }
    sewer.pumps.push(Pump { curve, is_on, start_depth_m, stop_depth_m });
    LinkKind::Pump(sewer.pumps.len() as u32 - 1)
}

fn orifice(reader: &mut Reader<'_>, row: &Row<'_>, sewer: &mut Sewer, ends: &mut Ends) -> LinkKind {
    let is_bottom = match row.keyword(3).as_str() {
        "SIDE" => false,
        "BOTTOM" => true,
        _ => {
            reader.value(row, 3, "type", "SIDE or BOTTOM");
            false
        }
    };
    ends.offset = [offset(reader, row, 4, "crest height"); 2];
    let coefficient = reader.at_least_0(row, 5, "discharge coefficient");
    ends.gate = reader.flag(row, 6, "gated", false);
    // Hours to open it.
    let opening_time_s = 3600.0 * reader.at_least_0_or(row, 7, "opening time", 0.0);
    sewer.orifices.push(Orifice { is_bottom, coefficient, opening_time_s, length_m: 0.0 });
    LinkKind::Orifice(sewer.orifices.len() as u32 - 1)
}

fn weir(reader: &mut Reader<'_>, row: &Row<'_>, sewer: &mut Sewer, ends: &mut Ends) -> LinkKind {
    let form = match row.keyword(3).as_str() {
        "TRANSVERSE" => WeirForm::Transverse,
        "SIDEFLOW" => WeirForm::SideFlow,
        "V-NOTCH" => WeirForm::VNotch,
        "TRAPEZOIDAL" => WeirForm::Trapezoidal,
        _ => {
            reader.value(row, 3, "type", "TRANSVERSE, SIDEFLOW, V-NOTCH or TRAPEZOIDAL");
            WeirForm::Transverse
        }
    };
    ends.offset = [offset(reader, row, 4, "crest height"); 2];
    let root = reader.m().sqrt();
    let coefficient = root * reader.at_least_0(row, 5, "discharge coefficient");
    ends.gate = reader.flag(row, 6, "gated", false);
    let end_contractions = reader.at_least_0_or(row, 7, "end contractions", 0.0);
    let end_coefficient = root * reader.at_least_0_or(row, 8, "end coefficient", 0.0);
    let can_surcharge = reader.flag(row, 9, "can surcharge", true);
    if is_given(row, 12) {
        reader.value(row, 12, "coefficient curve", "none: it is not understood");
    }
    let slope = 0.0;
    sewer.weirs.push(Weir { form, coefficient, end_coefficient, end_contractions, can_surcharge, slope });
    LinkKind::Weir(sewer.weirs.len() as u32 - 1)
}

fn outlet(reader: &mut Reader<'_>, row: &Row<'_>, curves: &[Curve], sewer: &mut Sewer, ends: &mut Ends) -> LinkKind {
    let (m, flow) = (reader.m(), reader.units.flow_m3ps());
    ends.offset = [offset(reader, row, 3, "height"); 2];
    let kind = row.keyword(4);
    let (relation, by) = kind.split_once('/').unwrap_or((&kind, "DEPTH"));
    let is_by_head = by == "HEAD";
    if !matches!(by, "HEAD" | "DEPTH") {
        reader.value(row, 4, "rating", "one by DEPTH or HEAD");
    }
    let (rating, next) = match relation {
        "FUNCTIONAL" => {
            let (coefficient, exponent) = (reader.at_least_0(row, 5, "coefficient"), reader.number(row, 6, "exponent"));
            (Rating::Power { coefficient: coefficient * flow / m.powf(exponent), exponent }, 7)
        }
        "TABULAR" => {
            let table = curve(reader, row, 5, curves, "RATING").map(|curve| curve.scaled(m, flow));
            (Rating::Curve(table.unwrap_or_default()), 6)
        }
        _ => {
            reader.value(row, 4, "rating", "FUNCTIONAL or TABULAR, by /DEPTH or /HEAD");
            (Rating::Power { coefficient: 0.0, exponent: 1.0 }, 7)
        }
    };
    ends.gate = reader.flag(row, next, "gated", false);
    sewer.outlets.push(Outlet { is_by_head, rating });
    LinkKind::Outlet(sewer.outlets.len() as u32 - 1)
}

fn sections(reader: &mut Reader<'_>, rows: &[Row<'_>], sewer: &mut Sewer) {
    let mut has_section = vec![false; sewer.links.id.len()];
    for row in rows_of(rows, &[Kind::CrossSections]) {
        let link = reader.find(row, 0, "link", |reader| &reader.links);
        let Some(kind) = sewer.links.kind.get(link as usize).copied() else { continue };
        let link = link as usize;
        has_section[link] = true;
        if let Some(section) = section(reader, row) {
            sewer.links.section[link] = section;
            check_shape(reader, row, kind, sewer, section.shape);
            if let Shape::FilledCircular { sediment_m, .. } = section.shape {
                // The bottom of the water is the sediment's top, over a node's bottom where no elevation is given.
                let bottom_m = |node: u32| sewer.nodes.invert_m.get(node as usize).copied().unwrap_or(0.0);
                let bottoms = [bottom_m(sewer.links.from[link]), bottom_m(sewer.links.to[link])];
                let offsets = [&mut sewer.links.offset_from_m[link], &mut sewer.links.offset_to_m[link]];
                for (offset_m, bottom_m) in offsets.into_iter().zip(bottoms) {
                    *offset_m = if offset_m.is_finite() { *offset_m } else { bottom_m } + sediment_m;
                }
            }
        }
        let LinkKind::Conduit(conduit) = kind else { continue };
        let conduit = conduit as usize;
        if row.keyword(1) == "FORCE_MAIN" {
            let value = reader.above_0(row, 3, "roughness of the force main");
            let is_height = sewer.options.force_main == ForceMain::DarcyWeisbach;
            sewer.conduits.force_main[conduit] = if is_height { value * reader.units.rain_m() } else { value };
        }
        if is_given(row, 6) {
            let whole = |at: f64| at >= 1.0 && at.fract().abs() <= 0.0;
            sewer.conduits.barrels[conduit] = reader.number_where(row, 6, "barrels", "a whole number above 0", whole);
        }
        if is_given(row, 7) && reader.at_least_0(row, 7, "culvert code") > 0.0 {
            reader.value(row, 7, "culvert code", "none: inlet control is not understood");
        }
    }
    for (link, has_section) in has_section.into_iter().enumerate() {
        let needs = !matches!(sewer.links.kind[link], LinkKind::Pump(_) | LinkKind::Outlet(_));
        if needs && !has_section {
            let id = &sewer.links.id[link];
            let line = reader.link_line.get(link).copied().unwrap_or(1);
            reader.problem_at(line, format_args!("link {id} has no cross-section, expected one in [XSECTIONS]"));
        }
    }
}

fn section(reader: &mut Reader<'_>, row: &Row<'_>) -> Option<Section> {
    let m = reader.m();
    let shape = row.keyword(1);
    if shape == "IRREGULAR" || shape == "CUSTOM" || shape == "STREET" {
        reader.value(row, 1, "shape", "a shape by lengths: transects, streets and custom shapes are not understood");
        return None;
    }
    let height = m * reader.above_0(row, 2, "geom1");
    let mut length = |at: usize| m * reader.above_0(row, at, &format!("geom{}", at - 1));
    let (shape, full, width) = match shape.as_str() {
        "CIRCULAR" | "FORCE_MAIN" => (Shape::Circular, height, height),
        "FILLED_CIRCULAR" => {
            let sediment_m = length(3);
            (Shape::FilledCircular { sediment_m, diameter_m: height }, height - sediment_m, height)
        }
        "RECT_CLOSED" => (Shape::RectClosed, height, length(3)),
        "RECT_OPEN" => {
            let width = length(3);
            let dry_sides = if is_given(row, 4) {
                reader.number_where(row, 4, "sides to ignore", "0, 1 or 2", |at| (0.0..=2.0).contains(&at))
            } else {
                0.0
            };
            (Shape::RectOpen { dry_sides }, height, width)
        }
        "TRAPEZOIDAL" => {
            let bottom_m = m * reader.at_least_0(row, 3, "geom2");
            let (left, right) = (reader.at_least_0(row, 4, "geom3"), reader.at_least_0(row, 5, "geom4"));
            (Shape::Trapezoidal { bottom_m, left, right }, height, bottom_m + height * (left + right))
        }
        "TRIANGULAR" => (Shape::Triangular, height, length(3)),
        "PARABOLIC" => (Shape::Parabolic, height, length(3)),
        "POWER" => {
            let width = length(3);
            (Shape::Power { exponent: reader.above_0(row, 4, "exponent") }, height, width)
        }
        "RECT_TRIANGULAR" => {
            let (width, triangle_m) = (length(3), length(4));
            (Shape::RectTriangular { triangle_m }, height, width)
        }
        "RECT_ROUND" => {
            let (width, radius) = (length(3), length(4));
            (Shape::RectRound { radius_m: radius.max(0.5 * width) }, height, width)
        }
        "MODBASKETHANDLE" => {
            let (width, radius) = (length(3), length(4));
            (Shape::ModifiedBasketHandle { radius_m: radius.max(0.5 * width) }, height, width)
        }
        "EGG" => (Shape::Egg, height, height * 2.0 / 3.0),
        "HORSESHOE" => (Shape::Horseshoe, height, height),
        "BASKETHANDLE" => (Shape::BasketHandle, height, 0.944 * height),
        _ => {
            let known = "CIRCULAR, FORCE_MAIN, FILLED_CIRCULAR, RECT_CLOSED, RECT_OPEN, TRAPEZOIDAL, TRIANGULAR, \
                         PARABOLIC, POWER, RECT_TRIANGULAR, RECT_ROUND, MODBASKETHANDLE, EGG, HORSESHOE or BASKETHANDLE";
            reader.value(row, 1, "shape", known);
            return None;
        }
    };
    let section = Section::new(shape, full, width);
    if section.is_none() && full.is_finite() && width.is_finite() {
        reader.problem(row, "its lengths do not make a shape, expected an area above 0");
    }
    section
}

/// Openings of regulators have the shapes that their formulas are for.
fn check_shape(reader: &mut Reader<'_>, row: &Row<'_>, kind: LinkKind, sewer: &mut Sewer, shape: Shape) {
    let expected = match kind {
        LinkKind::Orifice(_) if !matches!(shape, Shape::Circular | Shape::RectClosed) => "CIRCULAR or RECT_CLOSED",
        LinkKind::Weir(at) => {
            let weir = &mut sewer.weirs[at as usize];
            match (weir.form, shape) {
                (WeirForm::Transverse | WeirForm::SideFlow, Shape::RectOpen { .. }) => return,
                (WeirForm::VNotch, Shape::Triangular) => {
                    weir.slope = run_over_rise(row);
                    return;
                }
                (WeirForm::Trapezoidal, Shape::Trapezoidal { left, right, .. }) => {
                    weir.slope = 0.5 * (left + right);
                    return;
                }
                (WeirForm::VNotch, _) => "TRIANGULAR",
                (WeirForm::Trapezoidal, _) => "TRAPEZOIDAL",
                _ => "RECT_OPEN",
            }
        }
        _ => return,
    };
    reader.value(row, 1, "shape", expected);
}

/// Of a triangle: half its width over its height.
fn run_over_rise(row: &Row<'_>) -> f64 {
    let length = |at: usize| row.word(at).and_then(super::lines::number).unwrap_or(f64::NAN);
    0.5 * length(3) / length(2)
}

fn losses(reader: &mut Reader<'_>, rows: &[Row<'_>], sewer: &mut Sewer) {
    for row in rows_of(rows, &[Kind::Losses]) {
        let link = reader.find(row, 0, "link", |reader| &reader.links);
        let entry = reader.at_least_0_or(row, 1, "inlet loss", 0.0);
        let exit = reader.at_least_0_or(row, 2, "outlet loss", 0.0);
        let along = reader.at_least_0_or(row, 3, "average loss", 0.0);
        let gate = reader.flag(row, 4, "flap gate", false);
        let seepage = reader.at_least_0_or(row, 5, "seepage", 0.0) * reader.units.rain_mps();
        match sewer.links.kind.get(link as usize) {
            Some(&LinkKind::Conduit(at)) => {
                let (at, to) = (at as usize, &mut sewer.conduits);
                (to.loss_in[at], to.loss_out[at], to.loss_along[at]) = (entry, exit, along);
                to.seepage_mps[at] = seepage;
                sewer.links.has_flap_gate[link as usize] = gate;
            }
            Some(_) => reader.value(row, 0, "link", "a conduit"),
            None => {}
        }
    }
}
