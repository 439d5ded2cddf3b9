//! Nets of pandapipes (JSON as its `to_json` writes it, `.json` or `.json.gz`): one object whose tables are data frames
//! in orientation `split` and whose fluid is an object of properties.
//!
//! | pandapipes | here |
//! | --- | --- |
//! | junction | a node; its id is the index |
//! | pipe | as many links as it has `sections`, with nodes between them, their heights in a line |
//! | valve | a link without length between two junctions or, `et = "pi"`, between a junction and the end of a pipe there |
//! | pump | a link that lifts by its standard type's curve |
//! | compressor | a link that multiplies absolute pressure |
//! | press_control | a regulator where `control_active`, else a fitting |
//! | flow_control | a link of given flow where `control_active`, else an open link |
//! | heat_exchanger | a fitting that takes heat out |
//! | heat_consumer | a link of given flow and what it does to temperature |
//! | circ_pump_pressure, circ_pump_mass | a plant: a link that lifts, or of given flow, and heats |
//! | sink, source, mass_storage | what is drawn: `mdot_kg_per_s scaling`, fed in by a source; a storage by its rate alone |
//! | ext_grid | a feeder |
//!
//! Pressures of the file are above the air at the junction's height and become absolute. Names of columns of older
//! versions (`diameter_m`, `alpha_w_per_m2k`, valves with `from_junction`) are understood. Tables of other elements are
//! refused where they have rows in service; tables of results and of coordinates are not asked; everything else is named
//! in the notes.
//!
//! Source: pandapipes 0.16, documentation of its components. Contract: a pure function of the text; never panics.

mod branches;
mod fluid;
mod injections;

use super::friction::FrictionLaw;
use super::network::Network;
use super::{BAR, NORM_T_K};
use crate::reading::fields::{Fields, Report};
use crate::reading::frame::{self, Frame};
use crate::reading::json;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// Tables that are understood.
const NEEDED: [&str; 15] = [
    "junction",
    "pipe",
    "valve",
    "pump",
    "compressor",
    "press_control",
    "flow_control",
    "heat_exchanger",
    "heat_consumer",
    "circ_pump_pressure",
    "circ_pump_mass",
    "sink",
    "source",
    "mass_storage",
    "ext_grid",
];
/// Members that are neither tables of elements nor anything a solve asks for.
const KNOWN: [&str; 9] = [
    "fluid",
    "converged",
    "name",
    "version",
    "format_version",
    "component_list",
    "sector",
    "user_pf_options",
    "std_types",
];
/// Most nodes and links that `sections` may make of a file.
const MOST_SECTIONS: i64 = 100_000;

/// What a net says about how it is solved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetOptions {
    /// Law of friction.
    pub friction: FrictionLaw,
    /// Temperature of what stands still and of ground that has none of its own, K.
    pub ambient_k: f64,
}

/// A net as read.
#[derive(Clone, Debug, PartialEq)]
pub struct PipeNet {
    /// The network.
    pub network: Network,
    /// How its file says it is solved.
    pub options: NetOptions,
    /// What of the file is left out or taken another way.
    pub notes: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// [`urbis_core::Error::Read`] when it cannot be read; [`urbis_core::Error::Input`] with every problem found, each with
/// table, row and index.
pub fn read(path: &Path) -> Result<PipeNet> {
    parse(path, &json::text_of(path)?)
}

/// Reads a text; `path` is what messages name.
///
/// # Errors
/// [`urbis_core::Error::Input`] with every problem found.
pub fn parse(path: &Path, text: &str) -> Result<PipeNet> {
    let file = json::parse(path, text)?;
    let class = file.get("_class").and_then(Value::as_str).unwrap_or("none");
    let Some(members) = file.get("_object").and_then(Value::as_object).filter(|_| class == "pandapipesNet") else {
        let what = format!("`_class` = {class}, expected pandapipesNet with the tables in `_object`");
        return Err(Problem::file(path, what).with_help("write the net with pandapipes.to_json").into());
    };
    let mut report = Report { path, problems: Problems::new(), notes: Vec::new() };
    let fluid = fluid::read(members.get("fluid"), &mut report);
    let options = options(members, &mut report);
    let tables = tables(members, &mut report);
    let Some(fluid) = fluid else { return Err(report.problems.into()) };
    let mut builder = Builder {
        network: Network::new(fluid),
        options,
        tables,
        junctions: BTreeMap::new(),
        pipe_ends: BTreeMap::new(),
        curves: members.get("std_types").and_then(|types| types.get("pump")),
        sections: 0,
        report,
    };
    builder.junctions();
    if !builder.junctions.is_empty() {
        builder.branches();
        builder.injections();
    }
    let Builder { network, report, .. } = builder;
    report.problems.or_else(PipeNet { network, options, notes: report.notes })
}

/// The tables that are understood; others are refused or named in the notes.
fn tables<'a>(members: &'a Map<String, Value>, report: &mut Report<'_>) -> BTreeMap<&'a str, Frame> {
    let mut tables: BTreeMap<&str, Frame> = BTreeMap::new();
    let (mut others, mut beside): (Vec<String>, Vec<&str>) = (Vec::new(), Vec::new());
    for (name, value) in members {
        let is_result = name.starts_with("res_") || name.starts_with('_');
        if let Some(needed) = NEEDED.iter().find(|needed| *needed == name) {
            tables.insert(needed, Frame::read(name, value, report));
        } else if frame::is_frame(value) {
            let is_element = !is_result && !name.ends_with("_geodata") && name != "controller";
            match frame::rows_of(value) {
                Some(0) => {}
                Some(rows) if is_element => {
                    let table = Frame::read(name, value, report);
                    let joins = ["junction", "from_junction", "return_junction"].iter().any(|column| table.has(column));
                    let in_service = table.rows().filter(|row| row.flag("in_service", true, report)).count();
                    if joins && in_service > 0 {
                        let what =
                            format_args!("{in_service} elements of a kind that is not understood, expected none");
                        report.table(name, what);
                    } else {
                        others.push(format!("{name} ({rows})"));
                    }
                }
                Some(rows) if name == "controller" => others.push(format!("controller ({rows})")),
                Some(_) => {}
                None if is_result => {}
                None => others.push(format!("{name} (not readable)")),
            }
        } else if !is_result && !KNOWN.contains(&name.as_str()) && !value.is_null() {
            beside.push(name);
        }
    }
    if !others.is_empty() {
        report.notes.push(format!("tables left out, with their rows: {}", others.join(", ")));
    }
    if !beside.is_empty() {
        report.notes.push(format!("members left out: {}", beside.join(", ")));
    }
    tables
}

/// Options of the net that change what is solved.
fn options(members: &Map<String, Value>, report: &mut Report<'_>) -> NetOptions {
    const NAME: &str = "user_pf_options";
    // As pandapipes without any.
    let mut options = NetOptions { friction: FrictionLaw::Nikuradse, ambient_k: NORM_T_K + 20.0 };
    let Some(given) = members.get(NAME).filter(|given| !given.is_null()) else { return options };
    let Some(given) = given.as_object() else {
        report.table(NAME, format_args!("is {}, expected an object", json::short(given)));
        return options;
    };
    for (name, value) in given {
        match name.as_str() {
            "friction_model" => match value.as_str() {
                Some("nikuradse") => options.friction = FrictionLaw::Nikuradse,
                Some("colebrook" | "prandtl-colebrook") => options.friction = FrictionLaw::PrandtlColebrook,
                Some("swamee-jain") => options.friction = FrictionLaw::SwameeJain,
                _ => {
                    let expected = "expected nikuradse, colebrook or swamee-jain";
                    report.table(NAME, format_args!("friction_model = {}, {expected}", json::short(value)));
                }
            },
            "ambient_temperature" => match value.as_f64().filter(|t_k| *t_k > 0.0 && *t_k < 1000.0) {
                Some(t_k) => options.ambient_k = t_k,
                None => {
                    let expected = "expected a temperature > 0 K";
                    report.table(NAME, format_args!("ambient_temperature = {}, {expected}", json::short(value)));
                }
            },
            // How to iterate, not what is solved; `mode` is asked of whoever solves.
            _ => {}
        }
    }
    options
}

struct Builder<'a> {
    network: Network,
    options: NetOptions,
    tables: BTreeMap<&'a str, Frame>,
    /// Node of each junction by index.
    junctions: BTreeMap<i64, u32>,
    /// First and last link of each pipe by index.
    pipe_ends: BTreeMap<i64, (u32, u32)>,
    curves: Option<&'a Value>,
    /// Sections made so far.
    sections: i64,
    report: Report<'a>,
}

impl Builder<'_> {
    fn table(&mut self, name: &str) -> Frame {
        self.tables.remove(name).unwrap_or_default()
    }
    fn junctions(&mut self) {
        let table = self.table("junction");
        if table.len() == 0 {
            self.report.table("junction", "is missing or empty");
            return;
        }
        if !table.requires(&["tfluid_k"], &mut self.report) {
            return;
        }
        for row in table.rows() {
            let report = &mut self.report;
            let t_k = row.number_where("tfluid_k", "> 0 and < 5000", report, |t_k| t_k > 0.0 && t_k < 5000.0);
            let height_m = row.or("height_m", 0.0, report);
            if !(-12_000.0..=12_000.0).contains(&height_m) {
                row.problem("height_m", height_m, "a height of at most 12 km", report);
                continue;
            }
            let is_in_service = row.flag("in_service", true, report);
            let node = self.network.nodes.push(row.index().to_string(), height_m, t_k, is_in_service, true);
            self.junctions.entry(row.index()).or_insert(node);
        }
    }
    /// Absolute pressure at a node, Pa, of one in bar above the air there.
    fn absolute_pa(&self, node: u32, bar: f64) -> f64 {
        bar * BAR + self.network.nodes.air_pa[node as usize]
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
