//! The plan as an input file of SWMM, read back as a network.
//!
//! Rows of nodes: manholes by vertex, outfalls, then basins and wet wells; of links: pipes by vertex, pumps, throttles,
//! weirs. Ground where water ponds is the street's.

use super::design::{Designed, Own, SUMP_M};
use super::settings::{Routing, SewerKind, SyntheticSewerSettings};
use super::storm::{INTERVAL_S, euler_mps};
use super::tree::Trees;
use super::{Assembled, PipeFacts, PipeKind, StormCheck, SyntheticSewer, design};
use crate::sewer::inp;
use crate::streets::Streets;
use crate::streets::paths::NONE;
use std::fmt::Write as _;
use std::path::Path;
use urbis_core::Result;

/// Duration of storms, s.
pub(super) const STORM_S: f64 = 3600.0;
/// Way of water to a gutter, m: width of a subcatchment is its area over this; estimate.
const TO_GUTTER_M: f64 = 20.0;
/// Basin: depth from the bottom to the weir and to the pipe that comes in, m.
const CREST_M: f64 = 2.5;
const INLET_M: f64 = 3.0;
/// Head over the weir at the design flow, m, and its coefficient, m^(1/2)/s.
const OVER_WEIR_M: f64 = 0.5;
const WEIR: f64 = 1.8;
/// Least area on which water ponds, m2.
const PONDED_M2_MIN: f64 = 20.0;
/// Wet wells hold so much of their pump's flow for each metre of depth, s.
const WELL_S: f64 = 90.0;

/// Sections of the file.
#[derive(Default)]
struct Text {
    subcatchments: String,
    subareas: String,
    infiltration: String,
    junctions: String,
    outfalls: String,
    storage: String,
    conduits: String,
    sections: String,
    pumps: String,
    outlets: String,
    weirs: String,
    curves: String,
    dry_weather: String,
    coordinates: String,
}

/// Places and facts in the order of rows.
#[derive(Default)]
struct Rows {
    places: [Vec<([f64; 2], f64, u32)>; 3],
    pipes: Vec<Pipe>,
    pumps: Vec<Pipe>,
    throttles: Vec<Pipe>,
    weirs: Vec<Pipe>,
}

struct Pipe {
    kind: PipeKind,
    dn_mm: u32,
    barrels: u32,
    length_m: f64,
    slope: f64,
    design_m3ps: f64,
    line: Vec<[f64; 2]>,
}

impl Pipe {
    fn at(kind: PipeKind, place: [f64; 2], design_m3ps: f64) -> Self {
        Self { kind, dn_mm: 0, barrels: 1, length_m: 0.0, slope: 0.0, design_m3ps, line: vec![place] }
    }
}

macro_rules! put {
    ($to:expr, $($words:tt)*) => { let _ = writeln!($to, $($words)*); };
}

pub(super) fn assemble(
    streets: &Streets,
    trees: &Trees,
    own: &[Own],
    designed: &Designed,
    settings: &SyntheticSewerSettings,
) -> Result<Assembled> {
    let (mut text, mut rows) = (Text::default(), Rows::default());
    let mut node_of_vertex = vec![NONE; streets.place.len()];
    for (row, vertex) in trees.by_branch().into_iter().enumerate() {
        node_of_vertex[vertex as usize] = row as u32;
        manhole(&mut text, &mut rows, streets, trees, own, designed, settings, vertex);
    }
    for &root in &trees.roots {
        works(&mut text, &mut rows, streets, designed, settings, root);
    }
    let inp = whole(&text, settings);
    let sewer = inp::parse(Path::new("synthetic.inp"), &inp, None)?;
    let places: Vec<([f64; 2], f64, u32)> = rows.places.into_iter().flatten().collect();
    let mut pipes = PipeFacts { corner_start: vec![0], ..PipeFacts::default() };
    for pipe in [rows.pipes, rows.pumps, rows.throttles, rows.weirs].into_iter().flatten() {
        pipes.kind.push(pipe.kind);
        pipes.dn_mm.push(pipe.dn_mm);
        pipes.barrels.push(pipe.barrels);
        pipes.length_m.push(pipe.length_m);
        pipes.slope.push(pipe.slope);
        pipes.design_m3ps.push(pipe.design_m3ps);
        pipes.corners.extend(pipe.line);
        pipes.corner_start.push(pipes.corners.len() as u32);
    }
    let vertex = places.iter().map(|place| place.2).collect();
    let sewer = SyntheticSewer {
        is_synthetic: true,
        notes: sewer.notes.clone(),
        sewer,
        inp,
        building_node: Vec::new(),
        node_place: places.iter().map(|place| place.0).collect(),
        ground_m: places.iter().map(|place| place.1).collect(),
        pipes,
        area_m2: own.iter().map(|own| own.area_m2).sum(),
        sealed_m2: own.iter().map(|own| own.sealed_m2).sum(),
        concentration_s: 0.0,
        checks: [StormCheck::default(); 2],
    };
    Ok(Assembled { sewer, node_of_vertex, vertex })
}

/// Where pipes to a vertex end, and the bottom there.
fn end_of(designed: &Designed, vertex: u32) -> (String, f64) {
    let row = vertex as usize;
    let well_m = designed.well_m[row];
    if well_m.is_finite() {
        (format!("W{vertex}"), well_m - SUMP_M)
    } else {
        (format!("M{vertex}"), designed.bottom_m[row][0])
    }
}

#[allow(clippy::too_many_arguments)]
fn manhole(
    text: &mut Text,
    rows: &mut Rows,
    streets: &Streets,
    trees: &Trees,
    own: &[Own],
    designed: &Designed,
    settings: &SyntheticSewerSettings,
    vertex: u32,
) {
    let row = vertex as usize;
    let (place, ground_m, own) = (streets.place[row], streets.height_m[row], own[row]);
    let [begin_m, end_m] = designed.bottom_m[row];
    let street_m: f64 = streets.graph.arcs(vertex).map(|(_, length_mm, _)| f64::from(length_mm) / 2000.0).sum();
    let ponded_m2 = if settings.ponds { (street_m * settings.street_width_m).max(PONDED_M2_MIN) } else { 0.0 };
    put!(text.junctions, "M{vertex} {begin_m} {} 0 0 {ponded_m2}", ground_m - begin_m);
    put!(text.coordinates, "M{vertex} {} {}", place[0], place[1]);
    rows.places[0].push((place, ground_m, vertex));
    if settings.has_sewage() && own.dry_m3ps > 0.0 {
        put!(text.dry_weather, "M{vertex} FLOW {}", own.dry_m3ps);
    }
    if settings.has_rain() && own.area_m2 > 0.0 {
        let sealed = 100.0 * own.sealed_m2 / own.area_m2;
        let (area_ha, width_m) = (own.area_m2 / 1e4, own.area_m2 / TO_GUTTER_M);
        put!(text.subcatchments, "S{vertex} G M{vertex} {area_ha} {sealed} {width_m} 1.5 0");
        put!(text.subareas, "S{vertex} 0.015 0.2 1 4 25 OUTLET");
        put!(text.infiltration, "S{vertex} 60 10 4 7");
    }
    let diameter_m = f64::from(designed.dn[row]) / 1000.0;
    let to = trees.down[row];
    let (kind, length_m, name, bottom_m, line) = if to == NONE {
        let (name, bottom_m) = works_end(settings, designed, vertex);
        let line = vec![place, beside(streets, place)];
        (PipeKind::Outlet, design::TO_WORKS_M, name, bottom_m, line)
    } else {
        let (name, bottom_m) = end_of(designed, to);
        let line = streets.line(vertex, &[(trees.segment[row], to)]);
        (PipeKind::Sewer, trees.length_m[row], name, bottom_m, line)
    };
    let offset_m = (end_m - bottom_m).max(0.0);
    put!(text.conduits, "P{vertex} M{vertex} {name} {length_m} {} 0 {offset_m}", settings.roughness);
    put!(text.sections, "P{vertex} CIRCULAR {diameter_m} 0 0 0 {}", designed.barrels[row]);
    rows.pipes.push(Pipe {
        kind,
        dn_mm: designed.dn[row],
        barrels: designed.barrels[row],
        length_m,
        slope: designed.slope[row],
        design_m3ps: designed.flow_m3ps[row],
        line,
    });
    if designed.well_m[row].is_finite() {
        let (name, bottom_m) = end_of(designed, vertex);
        let lift_m3ps = designed.lift_m3ps[row];
        let area_m2 = (WELL_S * lift_m3ps).max(4.0);
        put!(text.storage, "{name} {bottom_m} {} 0 FUNCTIONAL 0 0 {area_m2}", ground_m - bottom_m);
        put!(text.coordinates, "{name} {} {}", place[0], place[1]);
        put!(text.pumps, "L{vertex} {name} M{vertex} C{vertex} ON 0 0");
        put!(text.curves, "C{vertex} PUMP4 0 0\nC{vertex} 1 {lift_m3ps}\nC{vertex} 100 {lift_m3ps}");
        rows.places[2].push((place, ground_m, vertex));
        rows.pumps.push(Pipe::at(PipeKind::Pump, place, lift_m3ps));
    }
}

/// A place for the works, away from the middle of the city.
fn beside(streets: &Streets, place: [f64; 2]) -> [f64; 2] {
    let count = streets.place.len().max(1) as f64;
    let middle = [0, 1].map(|axis| streets.place.iter().map(|place| place[axis]).sum::<f64>() / count);
    let away = [place[0] - middle[0], place[1] - middle[1]];
    let far_m = away[0].hypot(away[1]);
    let unit = if far_m > 1e-6 { [away[0] / far_m, away[1] / far_m] } else { [1.0, 0.0] };
    [place[0] + design::TO_WORKS_M * unit[0], place[1] + design::TO_WORKS_M * unit[1]]
}

/// Node at which a tree ends, by its last vertex, and its bottom.
fn works_end(settings: &SyntheticSewerSettings, designed: &Designed, root: u32) -> (String, f64) {
    let end_m = designed.bottom_m[root as usize][1];
    match settings.kind {
        SewerKind::Combined => (format!("B{root}"), end_m - INLET_M),
        SewerKind::Storm => (format!("R{root}"), end_m),
        SewerKind::Sanitary => (format!("T{root}"), end_m),
    }
}

/// What a tree ends at: an outfall, or a basin with a throttle to the plant and a weir to the receiving water.
fn works(
    text: &mut Text,
    rows: &mut Rows,
    streets: &Streets,
    designed: &Designed,
    settings: &SyntheticSewerSettings,
    root: u32,
) {
    let at = root as usize;
    let (name, bottom_m) = works_end(settings, designed, root);
    let place = beside(streets, streets.place[at]);
    let ground_m = streets.height_m[at];
    put!(text.coordinates, "{name} {} {}", place[0], place[1]);
    if settings.kind != SewerKind::Combined {
        put!(text.outfalls, "{name} {bottom_m} FREE NO");
        rows.places[1].push((place, ground_m, NONE));
        return;
    }
    let sealed_ha = designed.sealed_m2[at] / 1e4;
    let plant_m3ps =
        (settings.plant_factor * designed.dry_m3ps[at]).max(1e-3 * settings.plant_rain_lps_ha * sealed_ha).max(1e-3);
    let area_m2 = (settings.basin_m3_per_ha * sealed_ha).max(20.0) / CREST_M;
    let flow_m3ps = designed.flow_m3ps[at];
    let width_m = (flow_m3ps / (WEIR * OVER_WEIR_M.powf(1.5))).max(1.0);
    let depth_m = INLET_M + f64::from(designed.dn[at]) / 1000.0 + 1.0;
    put!(text.storage, "{name} {bottom_m} {depth_m} 0 FUNCTIONAL 0 0 {area_m2}");
    rows.places[2].push((place, ground_m, NONE));
    for (kind, link) in [("T", PipeKind::Throttle), ("R", PipeKind::Overflow)] {
        put!(text.outfalls, "{kind}{root} {} FREE NO", bottom_m - 0.5);
        put!(text.coordinates, "{kind}{root} {} {}", place[0], place[1]);
        rows.places[1].push((place, ground_m, NONE));
        let pipe = |design_m3ps: f64| Pipe::at(link, place, design_m3ps);
        if link == PipeKind::Throttle {
            put!(text.outlets, "D{root} {name} T{root} 0 TABULAR/DEPTH Q{root} NO");
            put!(text.curves, "Q{root} RATING 0 0\nQ{root} 0.5 {plant_m3ps}\nQ{root} 100 {plant_m3ps}");
            rows.throttles.push(pipe(plant_m3ps));
        } else {
            put!(text.weirs, "V{root} {name} R{root} TRANSVERSE {CREST_M} {WEIR} NO 0 0 YES");
            put!(text.sections, "V{root} RECT_OPEN {} {width_m} 0 0", depth_m - CREST_M);
            rows.weirs.push(pipe(flow_m3ps));
        }
    }
}

/// The file, of three hours that begin with the design storm.
fn whole(text: &Text, settings: &SyntheticSewerSettings) -> String {
    let (routing, step) = match settings.routing {
        Routing::Kinematic => ("KINWAVE", "30"),
        Routing::Dynamic => ("DYNWAVE", "5"),
    };
    let ponding = if settings.ponds { "YES" } else { "NO" };
    let mut file = format!(
        "[TITLE]\nSynthetic sewer: made up along streets, not surveyed\n[OPTIONS]\nFLOW_UNITS CMS\nINFILTRATION HORTON\n\
         FLOW_ROUTING {routing}\nSTART_DATE 01/01/2024\nSTART_TIME 00:00\nEND_DATE 01/01/2024\nEND_TIME 03:00\n\
         REPORT_STEP 00:05:00\nWET_STEP 00:01:00\nDRY_STEP 00:10:00\nROUTING_STEP {step}\nVARIABLE_STEP 0.75\n\
         ALLOW_PONDING {ponding}\n"
    );
    if settings.has_rain() {
        file += "[RAINGAGES]\nG INTENSITY 0:05 1 TIMESERIES storm\n[TIMESERIES]\n";
        for (row, mps) in euler_mps(settings.rain_r15_lps_ha, STORM_S, settings.return_period_y).iter().enumerate() {
            let minutes = (row as f64 * INTERVAL_S / 60.0) as u32;
            put!(file, "storm {}:{:02} {}", minutes / 60, minutes % 60, mps * 3.6e6);
        }
    }
    for (name, rows) in [
        ("SUBCATCHMENTS", &text.subcatchments),
        ("SUBAREAS", &text.subareas),
        ("INFILTRATION", &text.infiltration),
        ("JUNCTIONS", &text.junctions),
        ("OUTFALLS", &text.outfalls),
        ("STORAGE", &text.storage),
        ("CONDUITS", &text.conduits),
        ("PUMPS", &text.pumps),
        ("OUTLETS", &text.outlets),
        ("WEIRS", &text.weirs),
        ("XSECTIONS", &text.sections),
        ("CURVES", &text.curves),
        ("DWF", &text.dry_weather),
        ("COORDINATES", &text.coordinates),
    ] {
        if !rows.is_empty() {
            put!(file, "[{name}]\n{}", rows.trim_end());
        }
    }
    file
}
