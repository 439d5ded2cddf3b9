//! Lines, impedances and switches.
//!
//! A line of `n` parallel systems has series impedance `(r + jx) l / n` and shunt admittance
//! `(g + j 2 pi f c) l n`, half of it at each end, on the nominal voltage of its from bus.

use super::super::elements::{Element, GridRow, Rating, both_ends};
use super::super::grid::Branch;
use super::{Builder, EndOf};
use crate::reading::fields::Fields;
use crate::reading::frame::Row;
use std::collections::BTreeMap;

/// A row of table switch.
pub(super) struct Switch {
    pub(super) id: i64,
    name: String,
    pub(super) bus: u32,
    pub(super) at: At,
    pub(super) is_closed: bool,
    pub(super) z_ohm: f64,
}

/// Where a switch is.
pub(super) enum At {
    Bus(u32),
    End(EndOf),
}

/// R/X of switches with an impedance.
const SWITCH_RX: f64 = 2.0;

/// What a letter of column `et` stands for, with the columns of buses of its table.
const SWITCHED: [(&str, &str, &[&str]); 3] = [
    ("l", "line", &["from_bus", "to_bus"]),
    ("t", "trafo", &["hv_bus", "lv_bus"]),
    ("t3", "trafo3w", &["hv_bus", "mv_bus", "lv_bus"]),
];

impl Builder<'_> {
    /// Reads switches and notes which ends are cut off.
    pub(super) fn switches(&mut self) -> Vec<Switch> {
        let table = self.table("switch");
        let mut switches = Vec::new();
        if !table.requires(&["bus", "element", "et", "closed"], &mut self.report) {
            return switches;
        }
        let mut ends: BTreeMap<(&str, i64), Vec<Option<i64>>> = BTreeMap::new();
        for (_, name, columns) in SWITCHED {
            let Some(frame) = self.tables.get(name) else { continue };
            for row in frame.rows().filter(|_| columns.iter().all(|column| frame.has(column))) {
                let at = columns.iter().map(|column| row.whole(column, &mut self.report)).collect();
                ends.insert((name, row.index()), at);
            }
        }
        for row in table.rows() {
            let bus = row.bus("bus", &self.buses, &mut self.report);
            let is_closed = row.flag("closed", true, &mut self.report);
            let z_ohm = row.or("z_ohm", 0.0, &mut self.report);
            let et = row.text("et");
            let at = if et == "b" {
                row.bus("element", &self.buses, &mut self.report).map(At::Bus)
            } else if let Some((_, name, _)) = SWITCHED.iter().find(|(letter, _, _)| *letter == et) {
                let index = row.whole("element", &mut self.report);
                let of = index.and_then(|index| ends.get(&(*name, index)));
                let at_bus = row.whole("bus", &mut self.report);
                match (index, of) {
                    (Some(index), None) => {
                        row.problem("element", index, &format!("the index of a row of table {name}"), &mut self.report);
                        None
                    }
                    (Some(index), Some(of)) => match of.iter().rposition(|end| *end == at_bus) {
                        Some(end) => Some(At::End((name, index, end as u8))),
                        None => {
                            let expected = format!("a bus of {name} {index}");
                            row.problem("bus", at_bus.unwrap_or(-1), &expected, &mut self.report);
                            None
                        }
                    },
                    _ => None,
                }
            } else {
                row.problem("et", et, "one of b, l, t, t3", &mut self.report);
                None
            };
            let (Some(bus), Some(at)) = (bus, at) else { continue };
            if let At::End(end) = at
                && !is_closed
            {
                self.open_ends.insert(end, ());
            }
            switches.push(Switch { id: row.index(), name: row.text("name").to_owned(), bus, at, is_closed, z_ohm });
        }
        switches
    }
    /// Adds the branches of switches, once those of lines and transformers are there.
    pub(super) fn place_switches(&mut self, switches: &[Switch]) {
        let at: BTreeMap<(&str, &str), usize> =
            self.elements.iter().enumerate().map(|(at, element)| ((element.table, element.id.as_str()), at)).collect();
        let rows_of = |(table, index, _): EndOf| at.get(&(table, index.to_string().as_str())).copied();
        let at: Vec<Option<usize>> =
            switches.iter().map(|switch| if let At::End(end) = switch.at { rows_of(end) } else { None }).collect();
        for (switch, at) in switches.iter().zip(at) {
            let branch = match switch.at {
                At::Bus(other) => {
                    let base_ohm = self.base_ohm(switch.bus);
                    let z_pu = if switch.z_ohm > 0.0 { switch.z_ohm / base_ohm / SWITCH_RX.hypot(1.0) } else { 0.0 };
                    let series = Branch::series(switch.bus, other, z_pu * SWITCH_RX, z_pu);
                    Some(self.grid.branches.push(Branch { is_in_service: switch.is_closed, ..series }))
                }
                At::End(end) if !switch.is_closed => self.hanging.get(&end).copied().flatten(),
                At::End((table, _, end)) => {
                    let branches = at.into_iter().flat_map(|at| &self.elements[at].rows);
                    let mut branches = branches.filter_map(|row| match row {
                        GridRow::Branch(branch) => Some(*branch),
                        _ => None,
                    });
                    branches.nth(if table == "trafo3w" { usize::from(end) } else { 0 })
                }
            };
            let rows = branch.map(GridRow::Branch).into_iter().collect();
            let (id, name) = (switch.id.to_string(), switch.name.clone());
            self.elements.push(Element { table: "switch", id, name, rows, limits: Vec::new() });
        }
    }
    /// The bus of an end: its own, or one that hangs free where an open switch is there.
    pub(super) fn end(&mut self, end: EndOf, name: &str, bus: u32) -> u32 {
        if !self.open_ends.contains_key(&end) {
            return bus;
        }
        let own = self.hang(end, name, bus);
        let closing = Branch { is_in_service: false, ..Branch::series(bus, own, 0.0, 0.0) };
        let closing = self.grid.branches.push(closing);
        self.hanging.insert(end, Some(closing));
        own
    }
    fn hang(&mut self, (table, index, _): EndOf, name: &str, bus: u32) -> u32 {
        self.own_bus(format!("{table} {index} {name}"), bus)
    }

    pub(super) fn lines(&mut self) {
        let table = self.table("line");
        let columns = ["from_bus", "to_bus", "length_km", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km"];
        if !table.requires(&columns, &mut self.report) {
            return;
        }
        for row in table.rows() {
            self.line(row);
        }
    }
    fn line(&mut self, row: Row<'_>) {
        let report = &mut self.report;
        let from = row.bus("from_bus", &self.buses, report);
        let to = row.bus("to_bus", &self.buses, report);
        let length_km = row.number_where("length_km", ">= 0", report, |km| km >= 0.0);
        let parallel = if row.has("parallel") {
            row.number_where("parallel", ">= 1", report, |parallel| parallel >= 1.0)
        } else {
            1.0
        };
        let r_ohm = row.number("r_ohm_per_km", report) * length_km / parallel;
        let x_ohm = row.number("x_ohm_per_km", report) * length_km / parallel;
        let c_f = row.number("c_nf_per_km", report) * 1e-9 * length_km * parallel;
        let g_s = row.or("g_us_per_km", 0.0, report) * 1e-6 * length_km * parallel;
        let rated = if row.has("max_i_ka") { "max_i_ka" } else { "imax_ka" };
        let rated_a = row.optional(rated, report) * 1e3 * row.or("df", 1.0, report) * parallel;
        let is_in_service = row.flag("in_service", true, report);
        let (Some(from), Some(to)) = (from, to) else { return };
        let (base_v, base_ohm) = (self.base_v(from), self.base_ohm(from));
        if (base_v - self.base_v(to)).abs() > 1e-6 * base_v {
            let (index, of, at) = (row.index(), base_v / 1e3, self.base_v(to) / 1e3);
            self.report.notes.push(format!("line {index}: its buses have {of} and {at} kV, that of from_bus counts"));
        }
        let on = |bus: u32| self.grid.buses.is_in_service[bus as usize];
        let (from_on, to_on) = (on(from), on(to));
        let mut ends = [self.end(("line", row.index(), 0), "from", from), self.end(("line", row.index(), 1), "to", to)];
        let off = match (from_on, to_on) {
            (false, true) => Some(0),
            (true, false) => Some(1),
            _ => None,
        };
        if let Some(end) = off.filter(|&end| is_in_service && ends[end] == [from, to][end]) {
            ends[end] = self.hang(("line", row.index(), end as u8), ["from", "to"][end], [from, to][end]);
        }
        let charging_s = 2.0 * std::f64::consts::PI * self.f_hz * c_f;
        let line = Branch::line(ends[0], ends[1], (r_ohm, x_ohm), charging_s, base_v, self.grid.base_va);
        let half_g_pu = 0.5 * g_s * base_ohm;
        let rating_va = if rated_a > 0.0 { 3f64.sqrt() * base_v * rated_a } else { 0.0 };
        let line = Branch { g_from_pu: half_g_pu, g_to_pu: half_g_pu, rating_va, is_in_service, ..line };
        if is_in_service && line.has_no_impedance() {
            self.report.notes.push(format!("line {}: no impedance, its ends are one bus", row.index()));
        }
        let branch = self.grid.branches.push(line);
        self.element("line", row, vec![GridRow::Branch(branch)]);
        if let Some(element) = self.elements.last_mut() {
            element.limits = both_ends(branch, Rating::CurrentA(rated_a));
        }
    }

    pub(super) fn impedances(&mut self) {
        let table = self.table("impedance");
        if !table.requires(&["from_bus", "to_bus", "sn_mva"], &mut self.report) {
            return;
        }
        for row in table.rows() {
            let report = &mut self.report;
            let from = row.bus("from_bus", &self.buses, report);
            let to = row.bus("to_bus", &self.buses, report);
            let sn_mva = row.number_where("sn_mva", "> 0", report, |sn| sn > 0.0);
            let of = |new: &'static str, old: &'static str| if row.has(new) { new } else { old };
            let there = [row.number(of("rft_pu", "r_pu"), report), row.number(of("xft_pu", "x_pu"), report)];
            let back = [row.number(of("rtf_pu", "r_pu"), report), row.number(of("xtf_pu", "x_pu"), report)];
            for (field, (there, back)) in ["rtf_pu", "xtf_pu"].iter().zip(there.iter().zip(back)) {
                if (there - back).abs() > 1e-12 * there.abs() {
                    row.problem(field, back, &format!("{there} as from the other end"), report);
                }
            }
            let shunts = ["gf_pu", "bf_pu", "gt_pu", "bt_pu"].map(|field| row.or(field, 0.0, report));
            let is_in_service = row.flag("in_service", true, report);
            let (Some(from), Some(to)) = (from, to) else { continue };
            let scale = self.grid.base_va / (sn_mva * 1e6);
            let [g_from_pu, b_from_pu, g_to_pu, b_to_pu] = shunts.map(|shunt| shunt / scale);
            let series = Branch::series(from, to, there[0] * scale, there[1] * scale);
            let rating_va = sn_mva * 1e6;
            let branch = Branch { g_from_pu, b_from_pu, g_to_pu, b_to_pu, rating_va, is_in_service, ..series };
            let branch = self.grid.branches.push(branch);
            self.element("impedance", row, vec![GridRow::Branch(branch)]);
        }
    }
}
