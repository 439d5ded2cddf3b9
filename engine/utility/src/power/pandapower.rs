//! Nets of pandapower (JSON as its `to_json` writes it, versions 2 and 3, `.json` or `.json.gz`): one object whose
//! tables are data frames in orientation `split`. The grid is the one that `runpp` solves with its defaults:
//! `trafo_model = "t"`, voltage angles, loads that depend on voltage, losses of iron of three-winding transformers at
//! the high-voltage side, no limits of reactive power, no line temperatures, no controllers.
//!
//! | pandapower | here |
//! | --- | --- |
//! | bus | a bus; its id is the index |
//! | line | a branch: pi model on the nominal voltage of its from bus |
//! | trafo | a branch (`transformers`) |
//! | trafo3w | a star bus and three branches |
//! | impedance | a branch; one that differs by direction is refused |
//! | switch between buses | a branch without impedance, or of `z_ohm` at R/X = 2 |
//! | switch at a line or transformer | closed: nothing; open: that end is a bus of its own, with an open branch to its bus |
//! | line with one bus out of service | that end is a bus of its own |
//! | load, sgen, storage, motor | loads; feeding in is negative |
//! | asymmetric_load, asymmetric_sgen | loads of the sum of the phases |
//! | gen | a generator at a PV bus, at a slack bus where `slack` |
//! | ext_grid | a slack bus with a generator |
//! | dcline | two generators, `p - loss` arriving |
//! | shunt | a shunt, scaled by `step` and the square of bus over rated voltage |
//! | ward, xward | a load and a shunt; xward also a bus that holds its voltage behind `r_ohm + j x_ohm` |
//! | svc, ssc, tcsc, vsc, tables of direct current | refused where they have rows |
//!
//! Everything else is named in the notes. A load draws by its own shares of impedance and current; pandapower takes the
//! mean of the shares of a bus for all that the bus draws, which differs where they differ.
//!
//! Source: L. Thurner et al., pandapower, IEEE Trans. Power Systems 33 (2018), and its documentation of elements.
//! Ignored: costs, measurements, controllers, short-circuit and zero-sequence data, taps that move loading by tables of
//! three-winding transformers (refused). Contract: a pure function of the text; never panics.

mod branches;
mod injections;
mod three_phase;
mod transformers;

pub use three_phase::{PhaseNet, parse_three_phase, read_three_phase};

use super::elements::{Element, GridRow, NamedGrid, TapRange};
use super::grid::{Bus, BusKind, Grid, Topology};
use crate::reading::fields::{Fields, Report};
use crate::reading::frame::{self, Frame, Row};
use crate::reading::json;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// Tables that power flow needs.
const NEEDED: [&str; 21] = [
    "bus",
    "switch",
    "line",
    "trafo",
    "trafo3w",
    "impedance",
    "load",
    "sgen",
    "storage",
    "motor",
    "asymmetric_load",
    "asymmetric_sgen",
    "ext_grid",
    "gen",
    "dcline",
    "shunt",
    "ward",
    "xward",
    "trafo_characteristic_table",
    "shunt_characteristic_table",
    "characteristic",
];
/// Tables of elements that are not understood: a net with them would be another one without.
const REFUSED: [&str; 10] =
    ["svc", "ssc", "tcsc", "vsc", "vsc_stacked", "vsc_bipolar", "bus_dc", "line_dc", "load_dc", "source_dc"];

/// Reads a file.
///
/// # Errors
/// [`urbis_core::Error::Read`] when it cannot be read; [`urbis_core::Error::Input`] with every problem found, each with
/// table, row and index.
pub fn read(path: &Path) -> Result<NamedGrid> {
    parse(path, &json::text_of(path)?)
}

/// Reads a text; `path` is what messages name.
///
/// # Errors
/// [`urbis_core::Error::Input`] with every problem found.
pub fn parse(path: &Path, text: &str) -> Result<NamedGrid> {
    let file = json::parse(path, text)?;
    let mut builder = Builder::new(path, &file)?;
    builder.fill();
    let Builder { grid, elements, tap_ranges, report, .. } = builder;
    report.problems.or_else(NamedGrid { grid, elements, tap_ranges, tap_regulators: Vec::new(), notes: report.notes })
}

/// The first number of a version.
fn major(version: &Value) -> Option<f64> {
    version.as_f64().or_else(|| version.as_str()?.split('.').next()?.parse().ok())
}

/// Table, index and number of the end, from 0.
type EndOf = (&'static str, i64, u8);

struct Builder<'a> {
    grid: Grid,
    elements: Vec<Element>,
    tap_ranges: Vec<TapRange>,
    tables: BTreeMap<&'a str, Frame>,
    /// Row of each bus by index.
    buses: BTreeMap<i64, u32>,
    /// Ends that an open switch cuts off.
    open_ends: BTreeMap<EndOf, ()>,
    /// Buses of ends that hang free, with the branch that closes them where a switch is there.
    hanging: BTreeMap<EndOf, Option<u32>>,
    f_hz: f64,
    /// Whether taps are told as before version 3.
    is_old: bool,
    report: Report<'a>,
}

impl<'a> Builder<'a> {
    /// The tables of a net, none of them built yet.
    fn new(path: &'a Path, file: &'a Value) -> Result<Self> {
        let class = file.get("_class").and_then(Value::as_str).unwrap_or("none");
        let Some(members) = file.get("_object").and_then(Value::as_object).filter(|_| class == "pandapowerNet") else {
            let what = format!("`_class` = {class}, expected pandapowerNet with the tables in `_object`");
            return Err(Problem::file(path, what).with_help("write the net with pandapower.to_json").into());
        };
        let mut report = Report { path, problems: Problems::new(), notes: Vec::new() };
        let mut tables: BTreeMap<&str, Frame> = BTreeMap::new();
        let mut others: Vec<String> = Vec::new();
        for (name, value) in members {
            if let Some(needed) = NEEDED.iter().find(|needed| *needed == name) {
                tables.insert(needed, Frame::read(name, value, &mut report));
            } else if frame::is_frame(value) && !name.starts_with("res_") && !name.starts_with("_empty_") {
                match frame::rows_of(value) {
                    Some(0) => {}
                    rows if REFUSED.contains(&name.as_str()) => {
                        let rows = rows.map_or_else(String::new, |rows| format!("{rows} "));
                        let what = format_args!("{rows}elements of this kind, expected none: they are not solved");
                        report.table(name, what);
                    }
                    Some(rows) => others.push(format!("{name} ({rows})")),
                    None => others.push(format!("{name} (not readable)")),
                }
            }
        }
        if !others.is_empty() {
            report.notes.push(format!("tables left out, with their rows: {}", others.join(", ")));
        }
        let scalar = |name: &str, default: f64, report: &mut Report<'_>| match members.get(name) {
            None => default,
            Some(value) => value.as_f64().filter(|value| value.is_finite() && *value > 0.0).unwrap_or_else(|| {
                report.table(name, format_args!("= {}, expected a number > 0", json::short(value)));
                default
            }),
        };
        let (sn_mva, f_hz) = (scalar("sn_mva", 1.0, &mut report), scalar("f_hz", 50.0, &mut report));
        let version = ["format_version", "version"].iter().find_map(|key| major(members.get(*key)?));
        let mut this = Self {
            grid: Grid::new(sn_mva * 1e6),
            elements: Vec::new(),
            tap_ranges: Vec::new(),
            tables,
            buses: BTreeMap::new(),
            open_ends: BTreeMap::new(),
            hanging: BTreeMap::new(),
            f_hz,
            is_old: version.is_some_and(|major| major < 3.0),
            report,
        };
        if this.tables.get("bus").is_none_or(|table| table.len() == 0) {
            this.report.table("bus", "is missing or empty");
        } else {
            this.buses();
        }
        Ok(this)
    }
    fn fill(&mut self) {
        if self.buses.is_empty() {
            return;
        }
        let switches = self.switches();
        self.lines();
        self.transformers();
        self.three_windings();
        self.impedances();
        self.place_switches(&switches);
        self.loads();
        self.generators();
        self.shunts();
        self.settle();
    }
    fn table(&mut self, name: &str) -> Frame {
        self.tables.remove(name).unwrap_or_default()
    }
    fn buses(&mut self) {
        let table = self.table("bus");
        if !table.requires(&["vn_kv"], &mut self.report) {
            return;
        }
        for row in table.rows() {
            let vn_kv = row.number_where("vn_kv", "> 0", &mut self.report, |vn_kv| vn_kv > 0.0);
            let is_in_service = row.flag("in_service", true, &mut self.report);
            let bus = Bus { is_in_service, ..Bus::pq(row.index().to_string(), vn_kv * 1e3) };
            let bus = self.grid.buses.push(bus);
            self.buses.entry(row.index()).or_insert(bus);
            self.element("bus", row, vec![GridRow::Bus(bus)]);
        }
    }
    /// Adds an element without ratings.
    fn element(&mut self, table: &'static str, row: Row<'_>, rows: Vec<GridRow>) {
        let (id, name) = (row.index().to_string(), row.text("name").to_owned());
        self.elements.push(Element { table, id, name, rows, limits: Vec::new() });
    }
    /// Nominal voltage of a bus, volts.
    fn base_v(&self, bus: u32) -> f64 {
        self.grid.buses.base_v[bus as usize]
    }
    /// Ohms of one per unit at a bus.
    fn base_ohm(&self, bus: u32) -> f64 {
        self.base_v(bus) * self.base_v(bus) / self.grid.base_va
    }
    /// A bus that no table has, with the nominal voltage of another.
    fn own_bus(&mut self, id: String, like: u32) -> u32 {
        let base_v = self.base_v(like);
        self.grid.buses.push(Bus::pq(id, base_v))
    }
    /// What holds for the grid as a whole.
    fn settle(&mut self) {
        if !self.report.problems.is_empty() {
            return;
        }
        let of = &self.grid.buses;
        if !of.kind.iter().zip(&of.is_in_service).any(|(kind, on)| *kind == BusKind::Slack && *on) {
            let what = "no element in service gives the voltage, expected an ext_grid or a gen with slack = true";
            self.report.table("ext_grid", what);
            return;
        }
        let topology = Topology::new(&self.grid);
        for (a, b) in topology.conflicting_slacks(&self.grid) {
            let (a, b) = (&self.grid.buses.id[a], &self.grid.buses.id[b]);
            let what = format!(
                "buses {a} and {b} are one by a closed switch, expected one voltage of their ext_grids, found two"
            );
            self.report.table("ext_grid", what);
        }
        let mut first: BTreeMap<u32, (f64, u32)> = BTreeMap::new();
        let of = &self.grid.generators;
        for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
            let (bus, vm_pu) = (of.bus[row], of.vm_set_pu[row]);
            let &mut (before_pu, at) = first.entry(topology.node(bus)).or_insert((vm_pu, bus));
            if (before_pu - vm_pu).abs() > 1e-5 * vm_pu.abs() && topology.node(bus) != super::grid::topology::NONE {
                let (a, b) = (&self.grid.buses.id[at as usize], &self.grid.buses.id[bus as usize]);
                let what = format!("vm_pu = {vm_pu} at bus {b}, expected {before_pu} as at bus {a}, which is the same");
                self.report.table("gen", what);
            }
        }
        let on = |bus: u32| self.grid.buses.is_in_service[bus as usize];
        let of = &self.grid.branches;
        let merged = |row: &usize| of.row(*row).has_no_impedance() && of.is_in_service[*row];
        let apart = |row: &usize| {
            let (a, b) = (of.from[*row] as usize, of.to[*row] as usize);
            on(a as u32) && on(b as u32) && (self.grid.buses.base_v[a] - self.grid.buses.base_v[b]).abs() > 1e-6
        };
        let of_two = (0..of.len()).filter(merged).filter(apart).count();
        if of_two > 0 {
            self.report.notes.push(format!("{of_two} closed switches join buses of different nominal voltage"));
        }
    }
}

#[cfg(test)]
#[path = "pandapower_tests.rs"]
mod tests;
