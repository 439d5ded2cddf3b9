//! What is drawn and fed, and feeders from outside.

use super::Builder;
use crate::pipes::network::{Draw, Feed};
use crate::reading::fields::Fields;

impl Builder<'_> {
    pub(super) fn injections(&mut self) {
        for (table, sign) in [("sink", 1.0), ("source", -1.0), ("mass_storage", 1.0)] {
            self.draws(table, sign);
        }
        self.feeds();
        let is_pressed = !self.network.held_pressures().is_empty();
        if !is_pressed && self.report.problems.is_empty() {
            let what =
                "no element in service gives a pressure, expected an ext_grid or a circulation pump of type p or pt";
            self.report.table("ext_grid", what);
        }
    }
    fn draws(&mut self, name: &'static str, sign: f64) {
        let table = self.table(name);
        if !table.requires(&["junction", "mdot_kg_per_s"], &mut self.report) {
            return;
        }
        for row in table.rows() {
            let report = &mut self.report;
            let node = row.row_of("junction", "junction", &self.junctions, report);
            // No value counts as none, as in pandapipes.
            let mdot_kgps = row.or("mdot_kg_per_s", 0.0, report) * row.or("scaling", 1.0, report);
            let on = row.flag("in_service", true, report);
            let Some(node) = node else { continue };
            let mdot_kgps = if on { sign * mdot_kgps } else { 0.0 };
            self.network.draws.push(Draw { table: name, id: row.index().to_string(), node, mdot_kgps });
        }
    }
    fn feeds(&mut self) {
        let table = self.table("ext_grid");
        if !table.requires(&["junction"], &mut self.report) {
            return;
        }
        for row in table.rows() {
            let node = row.row_of("junction", "junction", &self.junctions, &mut self.report);
            let is_in_service = row.flag("in_service", true, &mut self.report);
            let Some((has_p, has_t)) = self.given_by(row) else { continue };
            let Some(node) = node else { continue };
            let pressure_pa = has_p.then(|| {
                let bar = row
                    .number_where("p_bar", "a pressure above vacuum, bar", &mut self.report, |p| p > -1.0 && p < 1e4);
                self.absolute_pa(node, bar)
            });
            let t_k =
                has_t.then(|| row.number_where("t_k", "> 0 and < 5000", &mut self.report, |t| t > 0.0 && t < 5000.0));
            let id = row.index().to_string();
            self.network.feeds.push(Feed { id, node, pressure_pa, t_k, is_in_service });
        }
    }
    /// Whether a feeder or pump gives pressure and whether it gives temperature, by its `type`.
    pub(super) fn given_by(&mut self, row: crate::reading::frame::Row<'_>) -> Option<(bool, bool)> {
        match row.text("type") {
            // As pandapipes finds it where nothing is said.
            "pt" | "" | "auto" => Some((true, true)),
            "p" => Some((true, false)),
            "t" => Some((false, true)),
            other => {
                row.problem("type", other, "p, t or pt", &mut self.report);
                None
            }
        }
    }
}
