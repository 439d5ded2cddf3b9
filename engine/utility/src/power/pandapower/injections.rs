//! What draws and feeds in at buses: loads, generators, shunts and their kin.

use super::super::elements::GridRow;
use super::super::grid::{Branch, BusKind, Generator, Load, Shunt};
use super::Builder;
use crate::reading::fields::{Fields, Report};
use crate::reading::frame::Row;

/// Shares of a power that depends on voltage: current, impedance.
pub(super) type Shares = (f64, f64);

impl Builder<'_> {
    pub(super) fn loads(&mut self) {
        let table = self.table("load");
        let mut depends = 0;
        if table.requires(&["bus", "p_mw"], &mut self.report) {
            for row in table.rows() {
                let [p, q] = ["p", "q"].map(|power| shares(row, power, &mut self.report));
                depends += usize::from(p.0 + p.1 + q.0 + q.1 > 0.0);
                self.load("load", row, 1.0, [p, q], ["p_mw", "q_mvar"]);
            }
        }
        if depends > 0 {
            let what = "loads that depend on voltage draw by their own shares, not by the mean of their bus";
            self.report.notes.push(format!("{depends} {what}"));
        }
        for (name, sign) in [("sgen", -1.0), ("storage", 1.0)] {
            let table = self.table(name);
            if table.requires(&["bus", "p_mw"], &mut self.report) {
                for row in table.rows() {
                    self.load(name, row, sign, [(0.0, 0.0); 2], ["p_mw", "q_mvar"]);
                }
            }
        }
        self.motors();
        for (name, sign) in [("asymmetric_load", 1.0), ("asymmetric_sgen", -1.0)] {
            let table = self.table(name);
            for row in table.rows() {
                self.phases(name, row, sign);
            }
            if table.len() > 0 {
                self.report.notes.push(format!(
                    "{} {name}: phases are summed, and the net is solved as if it were balanced",
                    table.len()
                ));
            }
        }
    }
    /// A load of constant or voltage-dependent power, scaled.
    fn load(&mut self, table: &'static str, row: Row<'_>, sign: f64, shares: [Shares; 2], fields: [&str; 2]) {
        let report = &mut self.report;
        let bus = row.bus("bus", &self.buses, report);
        let scale = sign * row.or("scaling", 1.0, report) * 1e6;
        let p_w = row.number(fields[0], report) * scale;
        let q_var = row.or(fields[1], 0.0, report) * scale;
        let is_in_service = row.flag("in_service", true, report);
        let Some(bus) = bus else { return };
        self.push_load(table, row, bus, [p_w, q_var], shares, is_in_service);
    }
    fn push_load(
        &mut self,
        table: &'static str,
        row: Row<'_>,
        bus: u32,
        power: [f64; 2],
        shares: [Shares; 2],
        is_in_service: bool,
    ) {
        let apart = |a: f64, b: f64| (a - b).abs() > 0.0;
        let [p, q] = shares;
        let parts: &[([f64; 2], Shares)] = if apart(p.0, q.0) || apart(p.1, q.1) {
            &[([power[0], 0.0], p), ([0.0, power[1]], q)]
        } else {
            &[(power, p)]
        };
        let mut rows = Vec::new();
        for &([p_w, q_var], (current_share, impedance_share)) in parts {
            let load = Load { bus, p_w, q_var, current_share, impedance_share, is_in_service };
            rows.push(GridRow::Load(self.grid.loads.push(load)));
        }
        self.element(table, row, rows);
    }
    /// Motors draw `pn_mech loading / efficiency` at their power factor.
    fn motors(&mut self) {
        let table = self.table("motor");
        for row in table.rows() {
            let report = &mut self.report;
            let bus = row.bus("bus", &self.buses, report);
            let scale = row.or("loading_percent", 100.0, report) / 100.0 * row.or("scaling", 1.0, report);
            let efficiency = row.number_where("efficiency_percent", "> 0", report, |e| e > 0.0) / 100.0;
            let p_w = row.number("pn_mech_mw", report) * 1e6 / efficiency * scale;
            let cos_phi = row.number_where("cos_phi", "> 0 and <= 1", report, |cos| cos > 0.0 && cos <= 1.0);
            let s_va = p_w / cos_phi;
            let q_var = (s_va * s_va - p_w * p_w).max(0.0).sqrt();
            let is_in_service = row.flag("in_service", true, report);
            if let Some(bus) = bus {
                self.push_load("motor", row, bus, [p_w, q_var], [(0.0, 0.0); 2], is_in_service);
            }
        }
    }
    fn phases(&mut self, table: &'static str, row: Row<'_>, sign: f64) {
        let report = &mut self.report;
        let bus = row.bus("bus", &self.buses, report);
        let mut sum = |fields: [&str; 3]| fields.iter().map(|field| row.number(field, report)).sum::<f64>();
        let (p_mw, q_mvar) = (sum(["p_a_mw", "p_b_mw", "p_c_mw"]), sum(["q_a_mvar", "q_b_mvar", "q_c_mvar"]));
        let scale = sign * row.or("scaling", 1.0, report) * 1e6;
        let is_in_service = row.flag("in_service", true, report);
        if let Some(bus) = bus {
            self.push_load(table, row, bus, [p_mw * scale, q_mvar * scale], [(0.0, 0.0); 2], is_in_service);
        }
    }

    pub(super) fn generators(&mut self) {
        let table = self.table("ext_grid");
        if table.requires(&["bus", "vm_pu"], &mut self.report) {
            for row in table.rows() {
                self.source(row);
            }
        }
        let table = self.table("gen");
        if table.requires(&["bus", "p_mw", "vm_pu"], &mut self.report) {
            for row in table.rows() {
                self.generator(row);
            }
        }
        let table = self.table("dcline");
        if table.requires(&["from_bus", "to_bus", "p_mw", "vm_from_pu", "vm_to_pu"], &mut self.report) {
            for row in table.rows() {
                self.direct_current(row);
            }
        }
    }
    fn source(&mut self, row: Row<'_>) {
        let report = &mut self.report;
        let bus = row.bus("bus", &self.buses, report);
        let vm_pu = row.number_where("vm_pu", "> 0", report, |vm| vm > 0.0);
        let va_rad = row.or("va_degree", 0.0, report).to_radians();
        let is_in_service = row.flag("in_service", true, report);
        let Some(bus) = bus else { return };
        if is_in_service {
            let of = &mut self.grid.buses;
            let (kind, angle) = (&mut of.kind[bus as usize], &mut of.va_rad[bus as usize]);
            if *kind == BusKind::Slack && (*angle - va_rad).abs() > 1e-9 {
                let expected = format!("{} as another ext_grid of the bus", angle.to_degrees());
                row.problem("va_degree", va_rad.to_degrees(), &expected, report);
            }
            (*kind, *angle, of.vm_pu[bus as usize]) = (BusKind::Slack, va_rad, vm_pu);
        }
        let limits = (f64::NEG_INFINITY, f64::INFINITY);
        let generator = self.push_generator(bus, 0.0, vm_pu, limits, is_in_service);
        self.element("ext_grid", row, vec![generator]);
    }
    fn generator(&mut self, row: Row<'_>) {
        let report = &mut self.report;
        let bus = row.bus("bus", &self.buses, report);
        let p_w = row.number("p_mw", report) * row.or("scaling", 1.0, report) * 1e6;
        let vm_pu = row.number_where("vm_pu", "> 0", report, |vm| vm > 0.0);
        let limits = q_limits(row, ["min_q_mvar", "max_q_mvar"], report);
        let is_in_service = row.flag("in_service", true, report);
        let is_slack = row.flag("slack", false, report);
        let Some(bus) = bus else { return };
        if is_slack && is_in_service {
            self.grid.buses.kind[bus as usize] = BusKind::Slack;
            self.grid.buses.vm_pu[bus as usize] = vm_pu;
        }
        let generator = self.push_generator(bus, p_w, vm_pu, limits, is_in_service);
        self.element("gen", row, vec![generator]);
    }
    fn direct_current(&mut self, row: Row<'_>) {
        let report = &mut self.report;
        let from = row.bus("from_bus", &self.buses, report);
        let to = row.bus("to_bus", &self.buses, report);
        let p_mw = row.number("p_mw", report);
        let sent_mw = p_mw.abs();
        let loss = (row.or("loss_percent", 0.0, report) / 100.0, row.or("loss_mw", 0.0, report));
        let arriving_mw = sent_mw * (1.0 - loss.0) - loss.1;
        let (at_from_mw, at_to_mw) = if p_mw > 0.0 { (-sent_mw, arriving_mw) } else { (arriving_mw, -sent_mw) };
        let [vm_from, vm_to] =
            ["vm_from_pu", "vm_to_pu"].map(|field| row.number_where(field, "> 0", report, |vm| vm > 0.0));
        let q_to = q_limits(row, ["min_q_to_mvar", "max_q_to_mvar"], report);
        let q_from = q_limits(row, ["min_q_from_mvar", "max_q_from_mvar"], report);
        let is_in_service = row.flag("in_service", true, report);
        let (Some(from), Some(to)) = (from, to) else { return };
        let rows = vec![
            self.push_generator(from, at_from_mw * 1e6, vm_from, q_from, is_in_service),
            self.push_generator(to, at_to_mw * 1e6, vm_to, q_to, is_in_service),
        ];
        self.element("dcline", row, rows);
    }
    fn push_generator(&mut self, bus: u32, p_w: f64, vm_set_pu: f64, q: (f64, f64), is_in_service: bool) -> GridRow {
        let kind = &mut self.grid.buses.kind[bus as usize];
        *kind = (*kind).max(BusKind::Pv);
        let (q_min_var, q_max_var) = q;
        let generator = Generator { bus, p_w, q_var: 0.0, vm_set_pu, q_min_var, q_max_var, is_in_service };
        GridRow::Generator(self.grid.generators.push(generator))
    }

    pub(super) fn shunts(&mut self) {
        let table = self.table("shunt");
        if table.requires(&["bus", "q_mvar"], &mut self.report) {
            for row in table.rows() {
                self.shunt(row);
            }
        }
        for name in ["ward", "xward"] {
            let table = self.table(name);
            if table.requires(&["bus", "ps_mw", "qs_mvar", "pz_mw", "qz_mvar"], &mut self.report) {
                for row in table.rows() {
                    self.ward(name, row);
                }
            }
        }
    }
    fn shunt(&mut self, row: Row<'_>) {
        let report = &mut self.report;
        let bus = row.bus("bus", &self.buses, report);
        let step = row.or("step", 1.0, report);
        let p_w = row.or("p_mw", 0.0, report) * 1e6 * step;
        let q_var = -row.number("q_mvar", report) * 1e6 * step;
        let is_in_service = row.flag("in_service", true, report);
        if is_in_service && row.flag("step_dependency_table", false, report) {
            row.problem("step_dependency_table", true, "false: tables of shunts are not read", report);
        }
        let vn_kv = row.optional("vn_kv", report);
        if vn_kv <= 0.0 {
            row.problem("vn_kv", vn_kv, "> 0", report);
        }
        let Some(bus) = bus else { return };
        let stretch = if vn_kv.is_nan() { 1.0 } else { (self.base_v(bus) / 1e3 / vn_kv).powi(2) };
        let shunt = Shunt { bus, p_w: p_w * stretch, q_var: q_var * stretch, is_in_service };
        let shunt = self.grid.shunts.push(shunt);
        self.element("shunt", row, vec![GridRow::Shunt(shunt)]);
    }
    /// The net seen from one of its buses: constant power, constant impedance and, extended, a held voltage behind an
    /// impedance.
    fn ward(&mut self, table: &'static str, row: Row<'_>) {
        let report = &mut self.report;
        let bus = row.bus("bus", &self.buses, report);
        let [p, q, pz, qz] = ["ps_mw", "qs_mvar", "pz_mw", "qz_mvar"].map(|field| row.number(field, report) * 1e6);
        let is_in_service = row.flag("in_service", true, report);
        let behind = (table == "xward").then(|| {
            let [r_ohm, x_ohm] = ["r_ohm", "x_ohm"].map(|field| row.number(field, report));
            if r_ohm.hypot(x_ohm) <= 0.0 {
                row.problem("x_ohm", x_ohm, "an impedance", report);
            }
            (r_ohm, x_ohm, row.number_where("vm_pu", "> 0", report, |vm| vm > 0.0))
        });
        let Some(bus) = bus else { return };
        self.push_load(table, row, bus, [p, q], [(0.0, 0.0); 2], is_in_service);
        let shunt = self.grid.shunts.push(Shunt { bus, p_w: pz, q_var: -qz, is_in_service });
        let mut rows = vec![GridRow::Shunt(shunt)];
        if let Some((r_ohm, x_ohm, vm_pu)) = behind {
            let own = self.own_bus(format!("xward {}", row.index()), bus);
            self.grid.buses.is_in_service[own as usize] = is_in_service;
            let base_ohm = self.base_ohm(bus);
            let series = Branch::series(bus, own, r_ohm / base_ohm, x_ohm / base_ohm);
            rows.push(GridRow::Branch(self.grid.branches.push(Branch { is_in_service, ..series })));
            rows.push(GridRow::Bus(own));
            rows.push(self.push_generator(own, 0.0, vm_pu, (f64::NEG_INFINITY, f64::INFINITY), is_in_service));
        }
        if let Some(element) = self.elements.last_mut() {
            element.rows.extend(rows);
        }
    }
}

/// Limits of reactive power, var; without where missing.
fn q_limits(row: Row<'_>, fields: [&str; 2], report: &mut Report<'_>) -> (f64, f64) {
    let [low, high] = fields.map(|field| row.optional(field, report) * 1e6);
    (if low.is_nan() { f64::NEG_INFINITY } else { low }, if high.is_nan() { f64::INFINITY } else { high })
}

/// Shares of current and impedance of a load's active (`p`) or reactive power (`q`).
pub(super) fn shares(row: Row<'_>, power: &str, report: &mut Report<'_>) -> Shares {
    let mut share = |of: &str| {
        let (new, old) = (format!("const_{of}_{power}_percent"), format!("const_{of}_percent"));
        let column = if row.has(&new) { new } else { old };
        let percent = row.or(&column, 0.0, report);
        if !(0.0..=100.0).contains(&percent) {
            row.problem(&column, percent, "0..100", report);
        }
        percent / 100.0
    };
    let (current, impedance) = (share("i"), share("z"));
    if current + impedance > 1.0 + 1e-12 {
        let (field, percent) = (format!("const_i_{power}_percent"), current * 100.0);
        row.problem(&field, percent, "at most 100 together with that of impedance", report);
    }
    (current, impedance)
}
