//! The net as `runpp_3ph` solves it: each phase for itself.
//!
//! | pandapower | here |
//! | --- | --- |
//! | bus | a bus; those that closed switches without impedance join are one |
//! | line | a symmetric line of its positive- and zero-sequence values |
//! | trafo | a transformer by its `vector_group`, taps that change the ratio alone |
//! | switch at a line or transformer | open: that end is a bus of its own |
//! | ext_grid | a source of `s_sc_max_mva`, `rx_max`, `x0x_max`, `r0x0_max` that holds the positive sequence of its bus |
//! | asymmetric_load, asymmetric_sgen | loads by phase, wye or delta; feeding in is negative |
//! | load, sgen, storage | a third on each phase |
//! | trafo3w, impedance, gen, dcline, shunt, ward, xward, motor, switches with `z_ohm` | refused where in service |
//!
//! Loads that depend on voltage draw by their own shares; pandapower takes all for constant power here.
//! Contract: a pure function of the text; never panics.

use super::super::grid::Complex;
use super::super::three_phase::{
    Connection, PhaseBus, PhaseGrid, PhaseLine, PhaseLoad, PhaseSource, PhaseTransformer, SequenceLine, VectorGroup,
};
use super::Builder;
use super::branches::At;
use super::injections::shares;
use super::transformers::{Changer, tap_of};
use crate::reading::fields::{Fields, Report};
use crate::reading::frame::Row;
use crate::reading::json;
use crate::sets::Sets;
use crate::sparse::phase_lu::Phases;
use std::path::Path;
use urbis_core::Result;

/// What three phases cannot have.
const REFUSED: [&str; 8] = ["trafo3w", "impedance", "gen", "dcline", "shunt", "ward", "xward", "motor"];

/// A net of three phases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseNet {
    /// The grid.
    pub grid: PhaseGrid,
    /// Buses of the file by index, each with its row in the grid.
    pub buses: Vec<(String, u32)>,
    /// Index of each line.
    pub line_id: Vec<String>,
    /// What each line may carry, amperes; NaN where unknown.
    pub line_rated_a: Vec<f64>,
    /// Index of each transformer.
    pub transformer_id: Vec<String>,
    /// What was left out, merged or assumed.
    pub notes: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// [`urbis_core::Error::Read`] when it cannot be read; [`urbis_core::Error::Input`] with every problem found, each with
/// table, row and index.
pub fn read_three_phase(path: &Path) -> Result<PhaseNet> {
    parse_three_phase(path, &json::text_of(path)?)
}

/// Reads a text; `path` is what messages name.
///
/// # Errors
/// [`urbis_core::Error::Input`] with every problem found.
pub fn parse_three_phase(path: &Path, text: &str) -> Result<PhaseNet> {
    let file = json::parse(path, text)?;
    let mut builder = Builder::new(path, &file)?;
    let mut net = PhaseNet { grid: PhaseGrid::new(builder.grid.base_va), ..PhaseNet::default() };
    if !builder.buses.is_empty() {
        builder.three_phases(&mut net);
    }
    net.notes = builder.report.notes;
    builder.report.problems.or_else(net)
}

/// What vector groups are called, without digits.
fn vector_group(name: &str) -> Option<VectorGroup> {
    let letters: String = name.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    Some(match letters.to_lowercase().as_str() {
        "dyn" => VectorGroup::Dyn,
        "ynyn" => VectorGroup::Ynyn,
        "yyn" => VectorGroup::Yyn,
        "yzn" => VectorGroup::Yzn,
        "ynd" => VectorGroup::Ynd,
        "yny" => VectorGroup::Yny,
        "dd" | "dy" | "yd" | "yy" => VectorGroup::Unearthed,
        _ => return None,
    })
}

fn connection(row: Row<'_>, report: &mut Report<'_>) -> Connection {
    match row.text("type") {
        "delta" => Connection::Delta,
        "wye" | "" => Connection::Wye,
        // Column `type` of these tables is otherwise free text, such as the kind of a generator.
        _ if row.has("sn_mva") && !row.has("p_a_mw") => Connection::Wye,
        other => {
            row.problem("type", other, "wye or delta", report);
            Connection::Wye
        }
    }
}

impl Builder<'_> {
    fn three_phases(&mut self, net: &mut PhaseNet) {
        let switches = self.switches();
        // Buses that closed switches join, each by the first of them.
        let on = |bus: u32| self.grid.buses.is_in_service[bus as usize];
        let mut joined = Sets::new(self.grid.buses.len());
        for switch in switches.iter().filter(|switch| switch.is_closed) {
            let At::Bus(other) = switch.at else { continue };
            if !(on(switch.bus) && on(other)) {
                continue;
            }
            if switch.z_ohm > 0.0 {
                let what = format_args!("switch {} has z_ohm, expected none in three phases", switch.id);
                self.report.table("switch", what);
            }
            joined.join(switch.bus, other);
        }
        let mut row_of = vec![0; self.grid.buses.len()];
        for bus in 0..row_of.len() {
            let of = &self.grid.buses;
            let at = joined.root(bus as u32) as usize;
            if at == bus {
                row_of[bus] = net.grid.buses.len() as u32;
                net.grid.buses.push(PhaseBus::new(of.id[bus].clone(), of.base_v[bus]));
            }
            row_of[bus] = row_of[at];
            net.grid.buses[row_of[bus] as usize].is_in_service &= of.is_in_service[bus];
            net.buses.push((of.id[bus].clone(), row_of[bus]));
        }
        for bus in self.buses.values_mut() {
            *bus = row_of[*bus as usize];
        }
        self.phase_lines(net);
        self.phase_transformers(net);
        self.phase_sources(net);
        for (name, sign) in [("load", 1.0), ("sgen", -1.0), ("storage", 1.0)] {
            self.phase_loads(name, sign, net, |row, report| {
                let (p_w, q_var) = (row.number("p_mw", report) / 3.0, row.or("q_mvar", 0.0, report) / 3.0);
                [Complex::new(p_w, q_var); 3]
            });
        }
        for (name, sign) in [("asymmetric_load", 1.0), ("asymmetric_sgen", -1.0)] {
            self.phase_loads(name, sign, net, |row, report| {
                ["a", "b", "c"].map(|phase| {
                    let p_mw = row.number(&format!("p_{phase}_mw"), report);
                    Complex::new(p_mw, row.number(&format!("q_{phase}_mvar"), report))
                })
            });
        }
        for name in REFUSED {
            let table = self.table(name);
            let on = table.rows().filter(|row| row.flag("in_service", true, &mut self.report)).count();
            if on > 0 {
                self.report.table(name, format_args!("{on} in service, expected none: not solved in three phases"));
            }
        }
    }
    /// The row of an end: that of its bus, or one that hangs free.
    fn phase_end(&self, net: &mut PhaseNet, end: (&'static str, i64, u8), bus: u32) -> u32 {
        if !self.open_ends.contains_key(&end) {
            return bus;
        }
        let base_v = net.grid.buses[bus as usize].base_v;
        net.grid.buses.push(PhaseBus::new(format!("{} {} end {}", end.0, end.1, end.2), base_v));
        net.grid.buses.len() as u32 - 1
    }
    fn phase_lines(&mut self, net: &mut PhaseNet) {
        let table = self.table("line");
        let columns = [
            "from_bus",
            "to_bus",
            "length_km",
            "r_ohm_per_km",
            "x_ohm_per_km",
            "c_nf_per_km",
            "r0_ohm_per_km",
            "x0_ohm_per_km",
            "c0_nf_per_km",
        ];
        if !table.requires(&columns, &mut self.report) {
            return;
        }
        for row in table.rows() {
            let report = &mut self.report;
            let from = row.bus("from_bus", &self.buses, report);
            let to = row.bus("to_bus", &self.buses, report);
            let length_km = row.number_where("length_km", "> 0", report, |km| km > 0.0);
            let parallel = row.or("parallel", 1.0, report);
            if parallel < 1.0 {
                row.problem("parallel", parallel, ">= 1", report);
            }
            let mut along = |field: &str| row.number(field, report) * length_km / parallel;
            let [r_ohm, x_ohm] = ["r_ohm_per_km", "x_ohm_per_km"].map(&mut along);
            let [r0_ohm, x0_ohm] = ["r0_ohm_per_km", "x0_ohm_per_km"].map(&mut along);
            let mut across = |field: &str| row.number(field, report) * 1e-9 * length_km * parallel;
            let [c_f, c0_f] = ["c_nf_per_km", "c0_nf_per_km"].map(&mut across);
            let g_s = row.or("g_us_per_km", 0.0, report) * 1e-6 * length_km * parallel;
            let rated_a = row.optional("max_i_ka", report) * 1e3 * row.or("df", 1.0, report) * parallel;
            let is_in_service = row.flag("in_service", true, report);
            let (Some(from), Some(to)) = (from, to) else { continue };
            let from = self.phase_end(net, ("line", row.index(), 0), from);
            let to = self.phase_end(net, ("line", row.index(), 1), to);
            let of = SequenceLine { r_ohm, x_ohm, c_f, g_s, r0_ohm, x0_ohm, c0_f };
            net.grid.lines.push(PhaseLine { is_in_service, ..PhaseLine::symmetric(from, to, &of, self.f_hz) });
            net.line_id.push(row.index().to_string());
            net.line_rated_a.push(if rated_a > 0.0 { rated_a } else { f64::NAN });
        }
    }
    fn phase_transformers(&mut self, net: &mut PhaseNet) {
        let table = self.table("trafo");
        let columns = [
            "hv_bus",
            "lv_bus",
            "sn_mva",
            "vn_hv_kv",
            "vn_lv_kv",
            "vk_percent",
            "vkr_percent",
            "vector_group",
            "vk0_percent",
            "vkr0_percent",
            "mag0_percent",
            "mag0_rx",
            "si0_hv_partial",
        ];
        if !table.requires(&columns, &mut self.report) {
            return;
        }
        for row in table.rows() {
            let report = &mut self.report;
            let hv = row.bus("hv_bus", &self.buses, report);
            let lv = row.bus("lv_bus", &self.buses, report);
            let group = vector_group(row.text("vector_group"));
            if group.is_none() {
                let groups = "Dyn, YNyn, Yyn, Yzn, YNd, YNy, Dd, Dy, Yd or Yy";
                row.problem("vector_group", row.text("vector_group"), groups, report);
            }
            let mut positive = |field: &str| row.number_where(field, "> 0", report, |value| value > 0.0);
            let [rated_mva, hv_kv, lv_kv] = ["sn_mva", "vn_hv_kv", "vn_lv_kv"].map(&mut positive);
            let mut share = |field: &str| 0.01 * row.number(field, report);
            let [vk, vkr, vk0, vkr0] = ["vk_percent", "vkr_percent", "vk0_percent", "vkr0_percent"].map(&mut share);
            let (changer, steps, step_percent, step_degree) = tap_of(row, "", self.is_old, report);
            let (mut tap_hv, mut tap_lv) = (1.0, 1.0);
            match (changer, row.text("tap_side")) {
                (Changer::Complex, "hv") => tap_hv += steps * step_percent / 100.0,
                (Changer::Complex, "lv") => tap_lv += steps * step_percent / 100.0,
                _ => {}
            }
            if changer != Changer::None && step_degree.abs() > 0.0 && steps.abs() > 0.0 {
                row.problem("tap_step_degree", step_degree, "0: taps that turn are not solved in three phases", report);
            }
            if row.flag("tap_dependency_table", false, report) {
                row.problem("tap_dependency_table", true, "false in three phases", report);
            }
            for field in ["leakage_resistance_ratio_hv", "leakage_reactance_ratio_hv"] {
                let ratio = row.or(field, 0.5, report);
                if (ratio - 0.5).abs() > 0.0 {
                    row.problem(field, ratio, "0.5 in three phases", report);
                }
            }
            let parallel = row.or("parallel", 1.0, report);
            if !(parallel >= 1.0 && parallel.fract().abs() <= 0.0 && parallel < 1e6) {
                row.problem("parallel", parallel, "a whole number >= 1", report);
            }
            let of = PhaseTransformer {
                shift_rad: row.or("shift_degree", 0.0, report).to_radians(),
                tap_hv,
                tap_lv,
                iron_w: 1e3 * row.or("pfe_kw", 0.0, report),
                i0: 0.01 * row.or("i0_percent", 0.0, report),
                vk0,
                vkr0,
                mag0: 0.01 * row.number("mag0_percent", report),
                mag0_rx: row.number("mag0_rx", report),
                si0_hv_share: row.number("si0_hv_partial", report),
                parallel: parallel as u32,
                is_in_service: row.flag("in_service", true, report),
                ..PhaseTransformer::new(0, 0, VectorGroup::Dyn, 1e6 * rated_mva, (1e3 * hv_kv, 1e3 * lv_kv), (vk, vkr))
            };
            let (Some(hv), Some(lv), Some(vector_group)) = (hv, lv, group) else { continue };
            let hv = self.phase_end(net, ("trafo", row.index(), 0), hv);
            let lv = self.phase_end(net, ("trafo", row.index(), 1), lv);
            net.grid.transformers.push(PhaseTransformer { hv, lv, vector_group, ..of });
            net.transformer_id.push(row.index().to_string());
        }
    }
    fn phase_sources(&mut self, net: &mut PhaseNet) {
        let table = self.table("ext_grid");
        let columns = ["bus", "vm_pu", "s_sc_max_mva", "rx_max", "x0x_max", "r0x0_max"];
        if !table.requires(&columns, &mut self.report) {
            return;
        }
        for row in table.rows() {
            let report = &mut self.report;
            let bus = row.bus("bus", &self.buses, report);
            let vm_pu = row.number_where("vm_pu", "> 0", report, |vm| vm > 0.0);
            let s_sc_va = 1e6 * row.number_where("s_sc_max_mva", "> 0", report, |s| s > 0.0);
            let of = PhaseSource {
                va_rad: row.or("va_degree", 0.0, report).to_radians(),
                rx: row.number("rx_max", report),
                x0x: row.number("x0x_max", report),
                r0x0: row.number("r0x0_max", report),
                is_in_service: row.flag("in_service", true, report),
                ..PhaseSource::short_circuit(0, vm_pu, s_sc_va)
            };
            let Some(bus) = bus.filter(|_| of.is_in_service) else { continue };
            net.grid.sources.push(PhaseSource { bus, ..of });
        }
        if net.grid.sources.is_empty() && self.report.problems.is_empty() {
            let what = "no element in service gives the voltage, expected an ext_grid";
            self.report.table("ext_grid", what);
        }
    }
    /// Loads of a table whose powers in megawatts, by phase, are `power` of its row.
    fn phase_loads(
        &mut self,
        name: &str,
        sign: f64,
        net: &mut PhaseNet,
        power: impl Fn(Row<'_>, &mut Report<'_>) -> Phases,
    ) {
        let table = self.table(name);
        if !table.requires(&["bus"], &mut self.report) {
            return;
        }
        for row in table.rows() {
            let report = &mut self.report;
            let bus = row.bus("bus", &self.buses, report);
            let scale = sign * row.or("scaling", 1.0, report) * 1e6;
            let s_va = power(row, report).map(|s| s * scale);
            let is_in_service = row.flag("in_service", true, report);
            let connection = connection(row, report);
            let of_p = if name == "load" { shares(row, "p", report) } else { (0.0, 0.0) };
            let of_q = if name == "load" { shares(row, "q", report) } else { (0.0, 0.0) };
            let Some(bus) = bus else { continue };
            let mut push = |s_va: Phases, (current_share, impedance_share): (f64, f64)| {
                net.grid.loads.push(PhaseLoad { bus, connection, s_va, current_share, impedance_share, is_in_service });
            };
            if of_p == of_q {
                push(s_va, of_p);
            } else {
                push(s_va.map(|s| Complex::new(s.re, 0.0)), of_p);
                push(s_va.map(|s| Complex::new(0.0, s.im)), of_q);
            }
        }
    }
}
