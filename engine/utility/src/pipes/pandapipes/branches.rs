//! Elements between two junctions.

use super::{Builder, MOST_SECTIONS, fluid};
use crate::pipes::BAR;
use crate::pipes::network::{Consumer, Element, Given, HeatRule, Link, LinkKind, Plant};
use crate::reading::fields::Fields;
use crate::reading::frame::{Frame, Row};
use std::collections::BTreeMap;

/// Inner diameter of what has none, m, and its roughness, as pandapipes takes them.
const NO_DIAMETER_M: f64 = 0.1;

impl Builder<'_> {
    pub(super) fn branches(&mut self) {
        self.pipes();
        self.valves();
        self.pumps();
        self.compressors();
        self.pressure_controls();
        self.flow_controls();
        self.heat_exchangers();
        self.heat_consumers();
        self.circulation_pumps("circ_pump_pressure");
        self.circulation_pumps("circ_pump_mass");
    }
    /// Nodes at both ends.
    fn ends(&mut self, row: Row<'_>, columns: [&str; 2]) -> Option<(u32, u32)> {
        let [from, to] = columns.map(|column| row.row_of("junction", column, &self.junctions, &mut self.report));
        let (from, to) = (from?, to?);
        if from == to {
            row.problem(
                columns[1],
                self.network.nodes.id[to as usize].clone(),
                "another junction than the first",
                &mut self.report,
            );
            return None;
        }
        Some((from, to))
    }
    fn element(&mut self, table: &'static str, row: Row<'_>, first: u32, count: u32) {
        let (id, name) = (row.index().to_string(), row.text("name").to_owned());
        self.network.elements.push(Element { table, id, name, first, count });
    }
    /// A link without length; its row.
    fn short(
        &mut self,
        table: &'static str,
        row: Row<'_>,
        ends: (u32, u32),
        kind: LinkKind,
        set: impl FnOnce(&mut Link),
    ) -> u32 {
        let t_out_k = self.network.nodes.t_start_k[ends.1 as usize];
        let mut link = Link::short(ends.0, ends.1, kind, NO_DIAMETER_M, t_out_k);
        link.ground_k = self.options.ambient_k;
        set(&mut link);
        let first = self.network.links.push(link);
        self.element(table, row, first, 1);
        first
    }
    fn loss(&mut self, row: Row<'_>) -> f64 {
        let loss = row.or("loss_coefficient", 0.0, &mut self.report);
        if loss < 0.0 {
            row.problem("loss_coefficient", loss, ">= 0", &mut self.report);
        }
        loss
    }
    /// Inner diameter, m, in the column of this version or an older one.
    fn diameter_m(&mut self, row: Row<'_>, is_needed: bool) -> f64 {
        let is_right = |value: f64, unit: f64| value * unit > 1e-6 && value * unit < 100.0;
        if row.cell("inner_diameter_mm").is_some() || (is_needed && !row.has("diameter_m")) {
            let mm = row.number_where("inner_diameter_mm", "> 0", &mut self.report, |mm| is_right(mm, 1e-3));
            return mm / 1000.0;
        }
        if row.cell("diameter_m").is_some() || is_needed {
            return row.number_where("diameter_m", "> 0", &mut self.report, |m| is_right(m, 1.0));
        }
        NO_DIAMETER_M
    }
    fn pipes(&mut self) {
        let table = self.table("pipe");
        if !table.requires(&["from_junction", "to_junction", "length_km", "k_mm"], &mut self.report) {
            return;
        }
        let mut with_heat = 0;
        for row in table.rows() {
            let Some(ends) = self.ends(row, ["from_junction", "to_junction"]) else { continue };
            let diameter_m = self.diameter_m(row, true);
            let loss = self.loss(row);
            let report = &mut self.report;
            let length_m = 1000.0
                * row.number_where("length_km", ">= 0 and at most 40000", report, |km| (0.0..=4e4).contains(&km));
            let expected = ">= 0 and less than the inner diameter";
            let k_mm = row.number_where("k_mm", expected, report, |mm| {
                mm >= 0.0 && (diameter_m.is_nan() || mm < 1000.0 * diameter_m)
            });
            if k_mm <= 0.0 && self.network.fluid.is_gas {
                // The formula for gases has no limit of a smooth pipe.
                row.problem("k_mm", k_mm, "> 0 in a network of gas", report);
            }
            let outer_m = row.or("outer_diameter_mm", 1000.0 * diameter_m, report) / 1000.0;
            let u_column = if row.has("u_w_per_m2k") { "u_w_per_m2k" } else { "alpha_w_per_m2k" };
            let u_wpm2k = row.or(u_column, 0.0, report);
            if u_wpm2k < 0.0 {
                row.problem(u_column, u_wpm2k, ">= 0", report);
            }
            let ground_k = row.or("text_k", self.options.ambient_k, report);
            let sections = if row.has("sections") { row.whole("sections", report).unwrap_or(1) } else { 1 };
            let on = row.flag("in_service", true, report);
            with_heat += u32::from(row.or("qext_w", 0.0, report).abs() > 0.0);
            self.sections = self.sections.saturating_add(sections);
            if sections < 1 || self.sections > MOST_SECTIONS.saturating_add(table.len() as i64) {
                row.problem("sections", sections, "a number from 1, at most 100000 in the net", report);
                self.sections = 0;
                continue;
            }
            let (a, b) = (ends.0 as usize, ends.1 as usize);
            let nodes = &mut self.network.nodes;
            let count = sections as f64;
            let (height_m, t_k) = ([nodes.height_m[a], nodes.height_m[b]], [nodes.t_start_k[a], nodes.t_start_k[b]]);
            let mut from = ends.0;
            let first = self.network.links.len() as u32;
            for nth in 1..=sections {
                let share = nth as f64 / count;
                let between = |of: [f64; 2]| of[0] + share * (of[1] - of[0]);
                let to = if nth == sections {
                    ends.1
                } else {
                    let id = format!("pipe {} section {nth}", row.index());
                    nodes.push(id, between(height_m), between(t_k), on, false)
                };
                self.network.links.push(Link {
                    from,
                    to,
                    kind: LinkKind::Resistance,
                    heat: HeatRule::Draw(0.0),
                    is_in_service: on,
                    length_m: length_m / count,
                    diameter_m,
                    outer_diameter_m: outer_m,
                    roughness_m: k_mm / 1000.0,
                    loss,
                    u_wpm2k,
                    ground_k,
                    t_out_start_k: t_k[1],
                });
                from = to;
            }
            self.element("pipe", row, first, sections as u32);
            self.pipe_ends.entry(row.index()).or_insert((first, first + sections as u32 - 1));
        }
        if with_heat > 0 {
            // The present pandapipes has no such column either.
            self.report.notes.push(format!("pipe: qext_w of {with_heat} rows is left out"));
        }
    }
    fn valves(&mut self) {
        let table = self.table("valve");
        let is_old = table.has("from_junction");
        let columns = if is_old { ["from_junction", "to_junction"] } else { ["junction", "element"] };
        if !table.requires(&columns, &mut self.report) {
            return;
        }
        let mut at_pipes: BTreeMap<(u32, i64), u32> = BTreeMap::new();
        for row in table.rows() {
            let (diameter_m, loss) = (self.diameter_m(row, true), self.loss(row));
            let is_open = row.flag("opened", true, &mut self.report) && row.flag("in_service", true, &mut self.report);
            let ends = match row.text("et") {
                "ju" | "" => self.ends(row, columns),
                "pi" if !is_old => self.pipe_end(row, &mut at_pipes),
                other => {
                    row.problem("et", other, "ju or pi", &mut self.report);
                    None
                }
            };
            let Some(ends) = ends else { continue };
            self.short("valve", row, ends, LinkKind::Resistance, |link| {
                (link.diameter_m, link.outer_diameter_m) = (diameter_m, diameter_m);
                (link.loss, link.is_in_service) = (loss, is_open);
            });
        }
    }
    /// A junction and the end of a pipe that hung there, which gets a node of its own.
    fn pipe_end(&mut self, row: Row<'_>, at_pipes: &mut BTreeMap<(u32, i64), u32>) -> Option<(u32, u32)> {
        let node = row.row_of("junction", "junction", &self.junctions, &mut self.report);
        let pipe = row.whole("element", &mut self.report);
        let (node, pipe) = (node?, pipe?);
        if let Some(&end) = at_pipes.get(&(node, pipe)) {
            return Some((node, end)); // a second valve beside the first
        }
        let ends = self.pipe_ends.get(&pipe).copied();
        let links = &mut self.network.links;
        let at = ends.and_then(|(first, last)| {
            let is_from = links.from[first as usize] == node;
            (is_from || links.to[last as usize] == node).then_some((if is_from { first } else { last }, is_from))
        });
        let Some((link, is_from)) = at else {
            row.problem(
                "element",
                pipe,
                "the index of a row of table pipe that ends at the junction",
                &mut self.report,
            );
            return None;
        };
        let nodes = &mut self.network.nodes;
        let (height_m, t_k, on) =
            (nodes.height_m[node as usize], nodes.t_start_k[node as usize], nodes.is_in_service[node as usize]);
        let end = nodes.push(format!("pipe {pipe} at junction {}", nodes.id[node as usize]), height_m, t_k, on, false);
        *(if is_from { &mut links.from } else { &mut links.to }).get_mut(link as usize)? = end;
        at_pipes.insert((node, pipe), end);
        Some((node, end))
    }
    /// Rows with their ends and whether they are in service.
    fn each(&mut self, table: &Frame, needed: &[&str], mut with: impl FnMut(&mut Self, Row<'_>, (u32, u32), bool)) {
        let columns = ["from_junction", "to_junction"];
        let mut all = columns.to_vec();
        all.extend_from_slice(needed);
        if !table.requires(&all, &mut self.report) {
            return;
        }
        for row in table.rows() {
            let Some(ends) = self.ends(row, columns) else { continue };
            let on = row.flag("in_service", true, &mut self.report);
            with(self, row, ends, on);
        }
    }
    fn pumps(&mut self) {
        let table = self.table("pump");
        let mut known: BTreeMap<String, u32> = BTreeMap::new();
        self.each(&table, &["std_type"], |this, row, ends, on| {
            let name = row.text("std_type").to_owned();
            let curve = known.get(&name).copied().or_else(|| {
                let list = fluid::member(this.curves?.get(&name)?, "reg_par")?;
                let curve = fluid::numbers(&list).filter(|curve| !curve.is_empty())?;
                this.network.curves.push(curve);
                let row = this.network.curves.len() as u32 - 1;
                known.insert(name.clone(), row);
                Some(row)
            });
            let Some(curve) = curve else {
                if on {
                    let expected = "the name of a pump in `std_types` with `reg_par`";
                    row.problem("std_type", name, expected, &mut this.report);
                }
                return;
            };
            this.short("pump", row, ends, LinkKind::Pump(curve), |link| link.is_in_service = on);
        });
    }
    fn compressors(&mut self) {
        let table = self.table("compressor");
        self.each(&table, &["pressure_ratio"], |this, row, ends, on| {
            let ratio = row.number_where("pressure_ratio", "> 0 and at most 1000", &mut this.report, |of| {
                of > 0.0 && of <= 1000.0
            });
            this.short("compressor", row, ends, LinkKind::Ratio(ratio), |link| link.is_in_service = on);
        });
    }
    fn pressure_controls(&mut self) {
        let table = self.table("press_control");
        self.each(&table, &["controlled_junction", "controlled_p_bar"], |this, row, ends, on| {
            let loss = this.loss(row);
            let held = row.row_of("junction", "controlled_junction", &this.junctions, &mut this.report);
            let is_active = row.flag("control_active", true, &mut this.report);
            let kind = if is_active {
                let bar = row.number_where("controlled_p_bar", "a pressure above vacuum, bar", &mut this.report, |p| {
                    p > -1.0 && p < 1e4
                });
                let Some(node) = held else { return };
                LinkKind::Regulator { node, pressure_pa: this.absolute_pa(node, bar) }
            } else {
                LinkKind::Resistance
            };
            this.short("press_control", row, ends, kind, |link| (link.loss, link.is_in_service) = (loss, on));
        });
    }
    fn flow_controls(&mut self) {
        let table = self.table("flow_control");
        self.each(&table, &["controlled_mdot_kg_per_s"], |this, row, ends, on| {
            let is_active = row.flag("control_active", true, &mut this.report);
            let kind = if is_active {
                LinkKind::Flow(row.number("controlled_mdot_kg_per_s", &mut this.report))
            } else {
                LinkKind::Resistance
            };
            this.short("flow_control", row, ends, kind, |link| link.is_in_service = on);
        });
    }
    fn heat_exchangers(&mut self) {
        let table = self.table("heat_exchanger");
        self.each(&table, &["qext_w"], |this, row, ends, on| {
            let (diameter_m, loss) = (this.diameter_m(row, false), this.loss(row));
            let heat = HeatRule::Draw(row.number("qext_w", &mut this.report));
            this.short("heat_exchanger", row, ends, LinkKind::Resistance, |link| {
                (link.diameter_m, link.outer_diameter_m) = (diameter_m, diameter_m);
                (link.loss, link.heat, link.is_in_service) = (loss, heat, on);
            });
        });
    }
    fn heat_consumers(&mut self) {
        let table = self.table("heat_consumer");
        self.each(&table, &[], |this, row, ends, on| {
            let report = &mut this.report;
            let fields = ["qext_w", "controlled_mdot_kg_per_s", "deltat_k", "treturn_k"];
            let [q, m, drop, back] = fields.map(|field| row.optional(field, report));
            let has = [q, m, drop, back].map(|value| !value.is_nan());
            let given = match has {
                [true, true, false, false] => Given::FlowHeat(m, q),
                [false, true, true, false] => Given::FlowDrop(m, drop),
                [false, true, false, true] => Given::FlowReturn(m, back),
                [true, false, true, false] => Given::HeatDrop(q, drop),
                [true, false, false, true] => Given::HeatReturn(q, back),
                _ => {
                    let count = has.iter().filter(|has| **has).count();
                    let expected = "two of qext_w, controlled_mdot_kg_per_s, deltat_k and treturn_k, not the last two";
                    row.problem("qext_w", format!("{count} values given"), expected, report);
                    return;
                }
            };
            if matches!(given, Given::HeatDrop(_, drop) if drop.abs() < 1e-9) {
                row.problem("deltat_k", drop, "other than 0 where the flow follows from it", report);
            }
            if has[3] && !(back > 0.0 && back < 5000.0) {
                row.problem("treturn_k", back, "> 0 and < 5000", report);
            }
            let (flow, heat, t_out_k) = match given {
                Given::FlowHeat(m, q) => (m, HeatRule::Draw(q), None),
                Given::FlowDrop(m, drop) => (m, HeatRule::Drop(drop), None),
                Given::FlowReturn(m, back) => (m, HeatRule::Outlet(back), Some(back)),
                // The flow follows from temperatures, see `heat::consumers`.
                Given::HeatDrop(q, _) => (0.0, HeatRule::Draw(q), None),
                Given::HeatReturn(q, back) => {
                    (0.0, if q.abs() > 0.0 { HeatRule::Outlet(back) } else { HeatRule::Draw(0.0) }, Some(back))
                }
            };
            let link = this.short("heat_consumer", row, ends, LinkKind::Flow(flow), |link| {
                (link.heat, link.is_in_service) = (heat, on);
                link.t_out_start_k = t_out_k.unwrap_or(link.t_out_start_k);
            });
            this.network.consumers.push(Consumer { id: row.index().to_string(), link, given });
        });
    }
    fn circulation_pumps(&mut self, name: &'static str) {
        let table = self.table(name);
        let is_old = !table.has("flow_junction") && table.has("from_junction");
        let columns = if is_old { ["from_junction", "to_junction"] } else { ["return_junction", "flow_junction"] };
        let [p_column, t_column, m_column] =
            if is_old { ["p_bar", "t_k", "mdot_kg_per_s"] } else { ["p_flow_bar", "t_flow_k", "mdot_flow_kg_per_s"] };
        let is_mass = name == "circ_pump_mass";
        let mut needed = columns.to_vec();
        needed.extend([p_column, t_column, if is_mass { m_column } else { "plift_bar" }]);
        if !table.requires(&needed, &mut self.report) {
            return;
        }
        for row in table.rows() {
            let Some(ends) = self.ends(row, columns) else { continue };
            let on = row.flag("in_service", true, &mut self.report);
            let Some((has_p, has_t)) = self.given_by(row) else { continue };
            let report = &mut self.report;
            let kind = if is_mass {
                LinkKind::Flow(row.number(m_column, report))
            } else {
                LinkKind::Lift(BAR * row.number_where("plift_bar", "a lift, bar", report, |bar| bar.abs() < 1e4))
            };
            let bar = has_p
                .then(|| row.number_where(p_column, "a pressure above vacuum, bar", report, |p| p > -1.0 && p < 1e4));
            let t_flow_k =
                has_t.then(|| row.number_where(t_column, "> 0 and < 5000", report, |t| t > 0.0 && t < 5000.0));
            let t_out_k = t_flow_k.unwrap_or(self.network.nodes.t_start_k[ends.1 as usize]);
            let link = self.short(name, row, ends, kind, |link| {
                (link.is_in_service, link.heat, link.t_out_start_k) = (on, HeatRule::Outlet(t_out_k), t_out_k);
            });
            let pressure_pa = bar.map(|bar| self.absolute_pa(ends.1, bar));
            self.network.plants.push(Plant { table: name, id: row.index().to_string(), link, pressure_pa, t_flow_k });
        }
    }
}
