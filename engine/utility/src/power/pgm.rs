//! Grids of power-grid-model (its JSON, version 1.0, dataset type `input`, `.json` or `.json.gz`): components as
//! objects or as lists in the order that `attributes` states. All is SI. The grid is the one that its symmetric calculation
//! solves, on 1 MVA.
//!
//! | power-grid-model | here |
//! | --- | --- |
//! | node | a bus; its id is the component's |
//! | line | a branch: `r1 + j x1`, shunt `2 pi f c1 (tan1 + j)`, half of it at each end |
//! | link | a branch without impedance: its ends are one bus |
//! | generic_branch | a branch, impedance and shunt at its to side, ratio `k exp(j theta)` |
//! | transformer, three_winding_transformer | branches (`transformers`) |
//! | `from_status`, `to_status` | both 0: open; one 0: that end is a bus of its own, with an open branch to its node |
//! | source | a slack bus of `u_ref` behind `1/sk` at R/X `rx_ratio` |
//! | sym_load, sym_gen | a load of constant power, impedance or current |
//! | asym_load, asym_gen | a load of the sum of the phases |
//! | shunt | a shunt of `g1 + j b1` |
//! | transformer_tap_regulator | told as what may control; of two windings, without compensation of a line's fall |
//! | asym_line, voltage_regulator | refused where there are any |
//!
//! A link of power-grid-model has an admittance of `1e8 (1 + j)` per unit, across which voltage falls by 7e-9 per unit
//! and MVA; here it falls by nothing, as an admittance of that size would leave its rounding in every other voltage.
//!
//! Sensors and faults, which power flow does not need, and whatever is unknown are named in the notes.
//!
//! Source: Power Grid Model, user manual, components and serialization (<https://power-grid-model.readthedocs.io>).
//! Ignored: zero sequence, earthing, updates and batches (refused). Contract: a pure function of the text;
//! never panics.

mod record;
mod transformers;

use super::elements::{Element, GridRow, NamedGrid, Rating, TapRange, TapRegulator, both_ends};
use super::grid::{Branch, Bus, BusKind, Generator, Grid, Load, Shunt};
use crate::reading::fields::{Fields, Report};
use crate::reading::json;
use record::{Record, Records};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
pub(super) use transformers::Windings;
use urbis_core::{Problem, Problems, Result};

/// Power of one per unit, VA.
const BASE_VA: f64 = 1e6;
/// Frequency that power-grid-model takes where it is told none.
pub const FREQUENCY_HZ: f64 = 50.0;
/// Short-circuit power of a source that states none, VA.
const SK_VA: f64 = 1e10;
/// R/X of a source that states none.
const RX_RATIO: f64 = 0.1;

/// Components without which the grid would be another one.
const REFUSED: [&str; 2] = ["asym_line", "voltage_regulator"];

/// Reads a file. `frequency_hz` is that of lines' shunts, which the file does not state; [`FREQUENCY_HZ`] is usual.
///
/// # Errors
/// [`urbis_core::Error::Read`] when it cannot be read; [`urbis_core::Error::Input`] with every problem found, each with
/// component, row and id.
pub fn read(path: &Path, frequency_hz: f64) -> Result<NamedGrid> {
    parse(path, &json::text_of(path)?, frequency_hz)
}

/// Reads a text; `path` is what messages name.
///
/// # Errors
/// [`urbis_core::Error::Input`] with every problem found.
pub fn parse(path: &Path, text: &str, frequency_hz: f64) -> Result<NamedGrid> {
    let file = json::parse(path, text)?;
    let mut report = Report { path, problems: Problems::new(), notes: Vec::new() };
    let of = |key: &str| file.get(key).map_or_else(|| "missing".to_owned(), json::short);
    for (key, expected) in [("version", "\"1.0\""), ("type", "\"input\""), ("is_batch", "false")] {
        if of(key) != expected {
            report.problems.push(Problem::file(path, format_args!("`{key}` is {}, expected {expected}", of(key))));
        }
    }
    let Some(data) = file.get("data").and_then(Value::as_object) else {
        let what = format_args!("`data` is {}, expected an object of components", of("data"));
        report.problems.push(Problem::file(path, what));
        return Err(report.problems.into());
    };
    let attributes = file.get("attributes");
    let records = data.iter().map(|(name, rows)| {
        (name.as_str(), Records::new(name, rows, attributes.and_then(|of| of.get(name)), &mut report))
    });
    let records: BTreeMap<&str, Records<'_>> = records.collect();
    let mut builder = Builder {
        grid: Grid::new(BASE_VA),
        elements: Vec::new(),
        tap_ranges: Vec::new(),
        range_of: BTreeMap::new(),
        tap_regulators: Vec::new(),
        nodes: BTreeMap::new(),
        owners: BTreeMap::new(),
        frequency_hz,
        report,
    };
    builder.fill(&records);
    let Builder { grid, elements, tap_ranges, tap_regulators, report, .. } = builder;
    report.problems.or_else(NamedGrid { grid, elements, tap_ranges, tap_regulators, notes: report.notes })
}

/// What adds a component of a kind.
type Step<B> = fn(&mut B, &'static str, Record<'_>);

struct Builder<'a> {
    grid: Grid,
    elements: Vec<Element>,
    tap_ranges: Vec<TapRange>,
    /// Row of the range of taps of each transformer by id, and its nodes.
    range_of: BTreeMap<i64, (u32, [u32; 2])>,
    tap_regulators: Vec<TapRegulator>,
    /// Row of each node by id.
    nodes: BTreeMap<i64, u32>,
    /// Component and row that has each id.
    owners: BTreeMap<i64, (&'static str, usize)>,
    frequency_hz: f64,
    report: Report<'a>,
}

impl Builder<'_> {
    fn fill(&mut self, records: &BTreeMap<&str, Records<'_>>) {
        let steps: [(&'static str, Step<Self>); 13] = [
            ("node", Self::node),
            ("line", Self::line),
            ("link", Self::link),
            ("generic_branch", Self::generic_branch),
            ("transformer", Self::transformer),
            ("three_winding_transformer", Self::three_winding),
            ("source", Self::source),
            ("sym_load", Self::load),
            ("sym_gen", Self::load),
            ("asym_load", Self::load),
            ("asym_gen", Self::load),
            ("shunt", Self::shunt),
            ("transformer_tap_regulator", Self::tap_regulator),
        ];
        if records.get("node").is_none_or(|nodes| nodes.len() == 0) {
            self.report.table("node", "is missing or empty");
            return;
        }
        for (name, step) in steps {
            let Some(records) = records.get(name) else { continue };
            for record in records.rows() {
                step(self, name, record);
            }
            if name.starts_with("asym_") && records.len() > 0 {
                self.report.notes.push(format!("{} {name}: phases are summed", records.len()));
            }
        }
        let mut others = Vec::new();
        for (name, records) in records.iter().filter(|(_, records)| records.len() > 0) {
            if REFUSED.contains(name) {
                let what = format!("{} components of this kind, expected none: they are not solved", records.len());
                self.report.table(name, what);
            } else if !steps.iter().any(|(known, _)| known == name) {
                others.push(format!("{name} ({})", records.len()));
            }
        }
        if !others.is_empty() {
            self.report.notes.push(format!("components left out, with their number: {}", others.join(", ")));
        }
        let of = &self.grid.buses;
        if self.report.problems.is_empty()
            && !of.kind.iter().zip(&of.is_in_service).any(|(kind, on)| *kind == BusKind::Slack && *on)
        {
            self.report.table("source", "none has status 1, expected at least one");
        }
    }
    /// Takes an id, which no other component may have.
    fn id(&mut self, table: &'static str, record: Record<'_>) -> Option<i64> {
        let id = record.whole("id", &mut self.report)?;
        let row = record.place().1;
        if let Some((other, before)) = self.owners.get(&id) {
            let expected = format!("an id that row {before} of {other} does not have already");
            record.problem("id", id, &expected, &mut self.report);
        } else {
            self.owners.insert(id, (table, row));
        }
        Some(id)
    }
    fn element(&mut self, table: &'static str, record: Record<'_>, rows: Vec<GridRow>) {
        let id = record.place().2;
        self.elements.push(Element { table, id, name: String::new(), rows, limits: Vec::new() });
    }
    /// The row of the node that a field names.
    fn node_of(&mut self, record: Record<'_>, field: &str) -> Option<u32> {
        let id = record.whole(field, &mut self.report)?;
        let row = self.nodes.get(&id).copied();
        if row.is_none() {
            record.problem(field, id, "the id of a node", &mut self.report);
        }
        row
    }
    fn base_v(&self, bus: u32) -> f64 {
        self.grid.buses.base_v[bus as usize]
    }
    fn base_ohm(&self, bus: u32) -> f64 {
        self.base_v(bus) * self.base_v(bus) / BASE_VA
    }
    /// A status, 0 or 1, which must be there.
    fn status(&mut self, record: Record<'_>, field: &str) -> bool {
        if record.cell(field).is_none() {
            record.problem(field, "null", "0 or 1", &mut self.report);
        }
        record.flag(field, true, &mut self.report)
    }
    /// A bus that is no node.
    fn own_bus(&mut self, id: String, like: u32) -> u32 {
        let base_v = self.base_v(like);
        self.grid.buses.push(Bus::pq(id, base_v))
    }
    /// The bus of an end: its node, or where the end alone is open one of its own with the branch that closes it.
    fn end(&mut self, record: Record<'_>, name: &str, node: u32, is_hanging: bool) -> (u32, Option<GridRow>) {
        if !is_hanging {
            return (node, None);
        }
        let (table, _, id) = record.place();
        let own = self.own_bus(format!("{table} {id} {name}"), node);
        let closing = Branch { is_in_service: false, ..Branch::series(node, own, 0.0, 0.0) };
        (own, Some(GridRow::Branch(self.grid.branches.push(closing))))
    }
    /// Ends and states of a branch; adds it as made of them by `make`.
    fn branch(&mut self, table: &'static str, record: Record<'_>, rating: Rating, branch: Branch) {
        let (from_on, to_on) = (self.status(record, "from_status"), self.status(record, "to_status"));
        let (from, closes_from) = self.end(record, "from", branch.from, !from_on && to_on);
        let (to, closes_to) = self.end(record, "to", branch.to, from_on && !to_on);
        let is_in_service = from_on || to_on;
        let row = self.grid.branches.push(Branch { from, to, is_in_service, ..branch });
        let rows = [Some(GridRow::Branch(row)), closes_from, closes_to].into_iter().flatten().collect();
        self.element(table, record, rows);
        if let Some(element) = self.elements.last_mut() {
            element.limits = both_ends(row, rating);
        }
    }
    /// Nodes of a branch, which must differ.
    fn ends(&mut self, table: &'static str, record: Record<'_>) -> Option<(u32, u32)> {
        self.id(table, record);
        let (from, to) = (self.node_of(record, "from_node"), self.node_of(record, "to_node"));
        let (from, to) = (from?, to?);
        if from == to {
            let id = self.grid.buses.id[to as usize].clone();
            record.problem("to_node", id, "another node than from_node", &mut self.report);
        }
        Some((from, to))
    }

    fn node(&mut self, table: &'static str, record: Record<'_>) {
        let id = self.id(table, record);
        let base_v = record.number_where("u_rated", "> 0", &mut self.report, |u| u > 0.0);
        let Some(id) = id else { return };
        let bus = self.grid.buses.push(Bus::pq(id.to_string(), base_v));
        self.nodes.entry(id).or_insert(bus);
        self.element(table, record, vec![GridRow::Bus(bus)]);
    }
    fn line(&mut self, table: &'static str, record: Record<'_>) {
        let ends = self.ends(table, record);
        let report = &mut self.report;
        let [r_ohm, x_ohm, c_f] = ["r1", "x1", "c1"].map(|field| record.number(field, report));
        if r_ohm.hypot(x_ohm) <= 0.0 {
            record.problem("x1", x_ohm, "not 0 with r1 = 0", report);
        }
        let tan = record.or("tan1", 0.0, report);
        let rated_a = record.optional("i_n", report);
        let Some((from, to)) = ends else { return };
        let (base_v, base_ohm) = (self.base_v(from), self.base_ohm(from));
        if (base_v - self.base_v(to)).abs() > 1e-6 * base_v {
            let expected = format!("a node of {base_v} V as from_node");
            let id = self.grid.buses.id[to as usize].clone();
            record.problem("to_node", id, &expected, &mut self.report);
        }
        let b_s = 2.0 * std::f64::consts::PI * self.frequency_hz * c_f;
        let half_g_pu = 0.5 * b_s * tan * base_ohm;
        let rating_va = if rated_a > 0.0 { 3f64.sqrt() * base_v * rated_a } else { 0.0 };
        let line = Branch::line(from, to, (r_ohm, x_ohm), b_s, base_v, BASE_VA);
        let line = Branch { g_from_pu: half_g_pu, g_to_pu: half_g_pu, rating_va, ..line };
        self.branch(table, record, Rating::CurrentA(rated_a), line);
    }
    fn link(&mut self, table: &'static str, record: Record<'_>) {
        let ends = self.ends(table, record);
        let (from_on, to_on) = (self.status(record, "from_status"), self.status(record, "to_status"));
        if let Some((from, to)) = ends {
            let link = Branch { is_in_service: from_on && to_on, ..Branch::series(from, to, 0.0, 0.0) };
            let link = self.grid.branches.push(link);
            self.element(table, record, vec![GridRow::Branch(link)]);
        }
    }
    fn generic_branch(&mut self, table: &'static str, record: Record<'_>) {
        let ends = self.ends(table, record);
        let report = &mut self.report;
        let [r_ohm, x_ohm, g_s, b_s] = ["r1", "x1", "g1", "b1"].map(|field| record.number(field, report));
        if r_ohm.hypot(x_ohm) <= 0.0 {
            record.problem("x1", x_ohm, "not 0 with r1 = 0", report);
        }
        let ratio = record.or("k", 1.0, report);
        if ratio <= 0.0 {
            record.problem("k", ratio, "> 0", report);
        }
        let shift_rad = record.or("theta", 0.0, report);
        let rated_va = record.optional("sn", report);
        let Some((from, to)) = ends else { return };
        let base_ohm = self.base_ohm(to);
        let (g_pu, b_pu) = (0.5 * g_s * base_ohm, 0.5 * b_s * base_ohm);
        let branch = Branch {
            g_from_pu: g_pu,
            b_from_pu: b_pu,
            g_to_pu: g_pu,
            b_to_pu: b_pu,
            ratio,
            shift_rad,
            rating_va: if rated_va > 0.0 { rated_va } else { 0.0 },
            ..Branch::series(from, to, r_ohm / base_ohm, x_ohm / base_ohm)
        };
        self.branch(table, record, Rating::PowerVa(rated_va), branch);
    }
    /// An ideal source behind the impedance of its short-circuit power.
    fn source(&mut self, table: &'static str, record: Record<'_>) {
        self.id(table, record);
        let node = self.node_of(record, "node");
        let is_in_service = self.status(record, "status");
        let report = &mut self.report;
        let vm_pu = record.number_where("u_ref", "> 0", report, |u| u > 0.0);
        let va_rad = record.or("u_ref_angle", 0.0, report);
        let sk_va = record.or("sk", SK_VA, report);
        if sk_va <= 0.0 {
            record.problem("sk", sk_va, "> 0", report);
        }
        let rx = record.or("rx_ratio", RX_RATIO, report);
        if rx < 0.0 {
            record.problem("rx_ratio", rx, ">= 0", report);
        }
        let Some(node) = node else { return };
        let own = Bus {
            vm_pu,
            va_rad,
            is_in_service,
            ..Bus::slack(format!("source {}", record.place().2), self.base_v(node), 1.0)
        };
        let bus = self.grid.buses.push(own);
        let x_pu = BASE_VA / sk_va / rx.hypot(1.0);
        let branch = Branch { is_in_service, ..Branch::series(bus, node, x_pu * rx, x_pu) };
        let branch = self.grid.branches.push(branch);
        let generator = self.grid.generators.push(Generator {
            bus,
            p_w: 0.0,
            q_var: 0.0,
            vm_set_pu: vm_pu,
            q_min_var: f64::NEG_INFINITY,
            q_max_var: f64::INFINITY,
            is_in_service,
        });
        let rows = vec![GridRow::Bus(bus), GridRow::Branch(branch), GridRow::Generator(generator)];
        self.element(table, record, rows);
    }
    fn load(&mut self, table: &'static str, record: Record<'_>) {
        self.id(table, record);
        let node = self.node_of(record, "node");
        let is_in_service = self.status(record, "status");
        let sign = if table.ends_with("gen") { -1.0 } else { 1.0 };
        let report = &mut self.report;
        let (current_share, impedance_share) = match record.whole("type", report) {
            Some(0) | None => (0.0, 0.0),
            Some(1) => (0.0, 1.0),
            Some(2) => (1.0, 0.0),
            Some(other) => {
                record.problem("type", other, "0 (power), 1 (impedance) or 2 (current)", report);
                (0.0, 0.0)
            }
        };
        let is_by_phase = table.starts_with("asym_");
        let [p_w, q_var] = ["p_specified", "q_specified"]
            .map(|field| sign * if is_by_phase { record.phases(field, report) } else { record.number(field, report) });
        let Some(bus) = node else { return };
        let load = Load { bus, p_w, q_var, current_share, impedance_share, is_in_service };
        let load = self.grid.loads.push(load);
        self.element(table, record, vec![GridRow::Load(load)]);
    }
    fn shunt(&mut self, table: &'static str, record: Record<'_>) {
        self.id(table, record);
        let node = self.node_of(record, "node");
        let is_in_service = self.status(record, "status");
        let [g_s, b_s] = ["g1", "b1"].map(|field| record.number(field, &mut self.report));
        let Some(bus) = node else { return };
        let squared = self.base_v(bus) * self.base_v(bus);
        let shunt = Shunt { bus, p_w: g_s * squared, q_var: b_s * squared, is_in_service };
        let shunt = self.grid.shunts.push(shunt);
        self.element(table, record, vec![GridRow::Shunt(shunt)]);
    }
}

#[cfg(test)]
#[path = "pgm_tests.rs"]
mod tests;
