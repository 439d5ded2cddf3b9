//! Transformers of two and three windings.
//!
//! With rated power `S`, short-circuit voltage `vk` and its resistive part `vkr`, loss of iron `pfe` and open-circuit
//! current `i0`, per unit of the grid at the low-voltage side, whose rated voltage `V2` follows the tap:
//!
//! ```text
//! |z| = vk/100 (V2/Vbus2)^2 Sbase/S    r = vkr/100 (V2/Vbus2)^2 Sbase/S    x = sign(|z|) sqrt(|z|^2 - r^2)
//! g   = pfe/Sbase (Vbus2/V2)^2         b = -sqrt((i0/100 S)^2 - pfe^2)/Sbase (Vbus2/V2)^2
//! ```
//!
//! over the number in parallel. They are a T with `g + jb` between the halves of `r + jx`, made a pi by the change from
//! wye to delta. The ratio is `(V1/V2) / (Vbus1/Vbus2)`. A tap changer at a winding of rated voltage `V` adds
//! `dV = V n step/100` at its angle (ratio, symmetrical) or turns only (ideal).
//!
//! Three windings are three transformers at a star bus: short-circuit voltages of pairs, each on the smaller rating of
//! its pair, go from delta to wye, resistive and reactive parts apart.

use super::super::elements::{End, GridRow, Limit, Rating, TapRange};
use super::super::grid::{Branch, Complex, Grid, Shunt};
use super::Builder;
use crate::reading::fields::{Fields, Report};
use crate::reading::frame::{Frame, Row};

/// A transformer of two windings.
#[derive(Clone, Debug)]
struct Windings {
    hv: u32,
    lv: u32,
    vn_hv_kv: f64,
    vn_lv_kv: f64,
    sn_mva: f64,
    vk_percent: f64,
    vkr_percent: f64,
    pfe_kw: f64,
    i0_percent: f64,
    shift_degree: f64,
    parallel: f64,
    /// Shares of resistance and reactance at the high-voltage side.
    leakage_hv: (f64, f64),
}

/// What a tap changer does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Changer {
    None,
    /// Ratio or symmetrical.
    Complex,
    Ideal,
}

/// A tap changer as it stands.
#[derive(Clone, Copy, Debug)]
struct Tap {
    changer: Changer,
    is_hv: bool,
    /// Steps from neutral.
    steps: f64,
    step_percent: f64,
    step_degree: f64,
}

impl Windings {
    fn change(&mut self, tap: Tap) {
        let direction = if tap.is_hv { 1.0 } else { -1.0 };
        let is_set = |value: f64| value.abs() > 0.0;
        let zero_if_none = |value: f64| if value.is_nan() { 0.0 } else { value };
        match tap.changer {
            Changer::None => {}
            Changer::Ideal if is_set(tap.step_degree) => self.shift_degree += direction * tap.steps * tap.step_degree,
            Changer::Ideal => {
                let half = zero_if_none(tap.steps * tap.step_percent) / 200.0;
                self.shift_degree += direction * 2.0 * half.asin().to_degrees();
            }
            Changer::Complex => {
                let vn_kv = if tap.is_hv { &mut self.vn_hv_kv } else { &mut self.vn_lv_kv };
                let step_kv = *vn_kv * zero_if_none(tap.steps * tap.step_percent) / 100.0;
                let (sin, cos) = zero_if_none(tap.step_degree).to_radians().sin_cos();
                let (along, across) = (*vn_kv + step_kv * cos, step_kv * sin);
                *vn_kv = along.hypot(across);
                self.shift_degree += (direction * across / along).atan().to_degrees();
            }
        }
    }
    fn branch(&self, grid: &Grid) -> Branch {
        let base_mva = grid.base_va / 1e6;
        let (bus_hv_kv, bus_lv_kv) =
            (grid.buses.base_v[self.hv as usize] / 1e3, grid.buses.base_v[self.lv as usize] / 1e3);
        let stretch = (self.vn_lv_kv / bus_lv_kv).powi(2);
        let z = self.vk_percent / 100.0 / self.sn_mva * stretch * base_mva;
        let r = self.vkr_percent / 100.0 / self.sn_mva * stretch * base_mva;
        let x = (z * z - r * r).max(0.0).sqrt().copysign(z);
        let series = Complex::new(r, x) / self.parallel;
        let pfe_mva = self.pfe_kw / 1e3;
        let b_mva = ((self.i0_percent / 100.0 * self.sn_mva).powi(2) - pfe_mva * pfe_mva).max(0.0).sqrt();
        let shunt = Complex::new(pfe_mva, -b_mva) / base_mva * self.parallel / stretch;
        let (series, at_hv, at_lv) = self.pi(series, shunt);
        Branch {
            g_from_pu: at_hv.re,
            b_from_pu: at_hv.im,
            g_to_pu: at_lv.re,
            b_to_pu: at_lv.im,
            ratio: (self.vn_hv_kv / self.vn_lv_kv) / (bus_hv_kv / bus_lv_kv),
            shift_rad: self.shift_degree.to_radians(),
            ..Branch::series(self.hv, self.lv, series.re, series.im)
        }
    }
    /// Series impedance and admittances at the ends of the pi that is the same as the T.
    fn pi(&self, z: Complex, y: Complex) -> (Complex, Complex, Complex) {
        if y.norm_sqr() <= 0.0 {
            return (z, y, y);
        }
        let (r_share, x_share) = self.leakage_hv;
        let at_hv = Complex::new(z.re * r_share, z.im * x_share);
        let at_lv = z - at_hv;
        // Of z_hv z_lv + (z_hv + z_lv) / y, times y.
        let sum = at_hv * at_lv * y + z;
        (sum, at_lv * y / sum, at_hv * y / sum)
    }
}

/// Columns of a tap changer: none or `2` stands for the first and the second one.
pub(super) fn tap_of(row: Row<'_>, number: &str, is_old: bool, report: &mut Report<'_>) -> (Changer, f64, f64, f64) {
    let column = |name: &str| format!("tap{number}_{name}");
    let steps = row.optional(&column("pos"), report) - row.optional(&column("neutral"), report);
    let step_percent = row.optional(&column("step_percent"), report);
    let step_degree = row.optional(&column("step_degree"), report);
    let is_set = |value: f64| value.abs() > 0.0;
    let kind = column("changer_type");
    let changer = if is_old {
        // As pandapower converts nets of older versions.
        match (is_set(step_percent), is_set(step_degree)) {
            (true, _) => Changer::Complex,
            (false, true) => Changer::Ideal,
            (false, false) => Changer::None,
        }
    } else {
        match row.text(&kind) {
            "Ratio" | "Symmetrical" => Changer::Complex,
            "Ideal" => Changer::Ideal,
            "" | "Tabular" | "None" => Changer::None,
            other => {
                row.problem(&kind, other, "Ratio, Symmetrical, Ideal or Tabular", report);
                Changer::None
            }
        }
    };
    if changer == Changer::Ideal && is_set(step_percent) && is_set(step_degree) {
        row.problem(&column("step_degree"), step_degree, "none, as an ideal changer has a step in percent", report);
    }
    let turns = steps * step_percent / 200.0;
    if changer == Changer::Ideal && !is_set(step_degree) && turns.abs() > 1.0 {
        row.problem(&column("step_percent"), step_percent, "steps that together turn less than half a circle", report);
    }
    let steps = if steps.is_nan() { 0.0 } else { steps };
    (changer, steps, step_percent, step_degree)
}

/// The range of the first tap changer, of branch 0, where it changes the ratio and has whole positions.
fn range_of(row: Row<'_>, tap: Tap, report: &mut Report<'_>) -> Option<TapRange> {
    let mut whole = |name: &str| {
        let value = row.optional(name, report);
        (value.fract().abs() <= 0.0 && value.abs() < 1e6).then_some(value as i32)
    };
    let (neutral, min, max) = (whole("tap_neutral")?, whole("tap_min")?, whole("tap_max")?);
    let position = whole("tap_pos")?;
    let moves = tap.changer == Changer::Complex && tap.step_percent.abs() > 0.0;
    let step_rad = if tap.step_degree.is_nan() { 0.0 } else { tap.step_degree.to_radians() };
    let end = if tap.is_hv { End::From } else { End::To };
    let step_pu = tap.step_percent / 100.0;
    moves.then_some(TapRange { branch: 0, end, neutral, min, max, position, step_pu, step_rad })
}

impl Builder<'_> {
    pub(super) fn transformers(&mut self) {
        let table = self.table("trafo");
        let columns = ["hv_bus", "lv_bus", "sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent", "vkr_percent"];
        if !table.requires(&columns, &mut self.report) {
            return;
        }
        let characteristics = self.table("trafo_characteristic_table");
        for row in table.rows() {
            self.transformer(row, &characteristics);
        }
    }
    fn transformer(&mut self, row: Row<'_>, characteristics: &Frame) {
        let report = &mut self.report;
        let hv = row.bus("hv_bus", &self.buses, report);
        let lv = row.bus("lv_bus", &self.buses, report);
        let above_zero = |value: f64| value > 0.0;
        let default = |column: &str, value: f64, report: &mut Report<'_>| {
            if row.has(column) { row.number_where(column, "> 0", report, above_zero) } else { value }
        };
        let mut windings = Windings {
            hv: hv.unwrap_or(0),
            lv: lv.unwrap_or(0),
            vn_hv_kv: row.number_where("vn_hv_kv", "> 0", report, above_zero),
            vn_lv_kv: row.number_where("vn_lv_kv", "> 0", report, above_zero),
            sn_mva: row.number_where("sn_mva", "> 0", report, above_zero),
            vk_percent: row.number_where("vk_percent", "not 0", report, |vk| vk.abs() > 0.0),
            vkr_percent: row.number("vkr_percent", report),
            pfe_kw: row.or("pfe_kw", 0.0, report),
            i0_percent: row.or("i0_percent", 0.0, report),
            shift_degree: row.or("shift_degree", 0.0, report),
            parallel: default("parallel", 1.0, report),
            leakage_hv: (
                row.or("leakage_resistance_ratio_hv", 0.5, report),
                row.or("leakage_reactance_ratio_hv", 0.5, report),
            ),
        };
        let df = default("df", 1.0, report);
        let is_in_service = row.flag("in_service", true, report);
        let (rated_hv_kv, rated_lv_kv) = (windings.vn_hv_kv, windings.vn_lv_kv);
        let is_by_table = row.flag("tap_dependency_table", false, report);
        if row.flag("tap_dependent_impedance", false, report) {
            row.problem("tap_dependent_impedance", true, "false: curves of version 2 are not read", report);
        }
        let mut range = None;
        for number in ["", "2"] {
            let (changer, steps, step_percent, step_degree) = tap_of(row, number, self.is_old, &mut self.report);
            let side = row.text(&format!("tap{number}_side"));
            if changer != Changer::None && !(is_by_table && number.is_empty()) && matches!(side, "hv" | "lv") {
                let tap = Tap { changer, is_hv: side == "hv", steps, step_percent, step_degree };
                windings.change(tap);
                if number.is_empty() {
                    range = range_of(row, tap, &mut self.report);
                }
            }
        }
        if is_by_table {
            self.tap_by_table(row, characteristics, &mut windings);
        }
        if windings.vkr_percent.abs() > windings.vk_percent.abs() {
            let vk = format!("at most vk_percent = {}", windings.vk_percent);
            row.problem("vkr_percent", windings.vkr_percent, &vk, &mut self.report);
        }
        if hv.is_none() || lv.is_none() {
            return;
        }
        windings.hv = self.end(("trafo", row.index(), 0), "hv", windings.hv);
        windings.lv = self.end(("trafo", row.index(), 1), "lv", windings.lv);
        let rating_va = windings.sn_mva * 1e6 * windings.parallel * df;
        let branch = Branch { is_in_service, rating_va, ..windings.branch(&self.grid) };
        let branch = self.grid.branches.push(branch);
        self.tap_ranges.extend(range.map(|range| TapRange { branch, ..range }));
        self.element("trafo", row, vec![GridRow::Branch(branch)]);
        if let Some(element) = self.elements.last_mut() {
            let limit = |end: End, vn_kv: f64| limit(branch, end, rating_va, vn_kv);
            element.limits = vec![limit(End::From, rated_hv_kv), limit(End::To, rated_lv_kv)];
        }
    }
    /// Ratio, angle and impedance of the tap's step from table trafo_characteristic_table.
    fn tap_by_table(&mut self, row: Row<'_>, characteristics: &Frame, windings: &mut Windings) {
        let report = &mut self.report;
        let Some(id) = row.whole("id_characteristic_table", report) else { return };
        let step = row.number("tap_pos", report);
        let is_it = |other: &Row<'_>, report: &mut Report<'_>| {
            (other.optional("id_characteristic", report) - id as f64).abs() <= 0.0
                && (other.optional("step", report) - step).abs() <= 0.0
        };
        let Some(found) = characteristics.rows().find(|other| is_it(other, report)) else {
            let expected = format!("a step of characteristic {id} in table trafo_characteristic_table");
            row.problem("tap_pos", step, &expected, report);
            return;
        };
        let ratio = found.number_where("voltage_ratio", "> 0", report, |ratio| ratio > 0.0);
        let turn_degree = found.number("angle_deg", report);
        match row.text("tap_side") {
            "hv" => {
                windings.vn_hv_kv *= ratio;
                windings.shift_degree += turn_degree;
            }
            "lv" => {
                windings.vn_lv_kv *= ratio;
                windings.shift_degree -= turn_degree;
            }
            _ => {}
        }
        windings.vk_percent = found.number_where("vk_percent", "not 0", report, |vk| vk.abs() > 0.0);
        windings.vkr_percent = found.number("vkr_percent", report);
    }

    pub(super) fn three_windings(&mut self) {
        let table = self.table("trafo3w");
        let buses = ["hv_bus", "mv_bus", "lv_bus"];
        if !table.requires(&buses, &mut self.report) {
            return;
        }
        for row in table.rows() {
            self.three_winding(row, buses);
        }
    }
    fn three_winding(&mut self, row: Row<'_>, columns: [&str; 3]) {
        let report = &mut self.report;
        let buses = columns.map(|column| row.bus(column, &self.buses, report));
        let sides = ["hv", "mv", "lv"];
        let positive = |name: String, report: &mut Report<'_>| row.number_where(&name, "> 0", report, |v| v > 0.0);
        let vn_kv = sides.map(|side| positive(format!("vn_{side}_kv"), report));
        let sn_mva = sides.map(|side| positive(format!("sn_{side}_mva"), report));
        let vk = sides.map(|side| positive(format!("vk_{side}_percent"), report));
        let vkr = sides.map(|side| row.number(&format!("vkr_{side}_percent"), report));
        for ((side, vk), vkr) in sides.iter().zip(vk).zip(vkr).filter(|((_, vk), vkr)| vkr.abs() > vk.abs()) {
            row.problem(&format!("vkr_{side}_percent"), vkr, &format!("at most vk_{side}_percent = {vk}"), report);
        }
        let (pfe_kw, i0_percent) = (row.or("pfe_kw", 0.0, report), row.or("i0_percent", 0.0, report));
        let shift_degree = [0.0, row.or("shift_mv_degree", 0.0, report), row.or("shift_lv_degree", 0.0, report)];
        let is_in_service = row.flag("in_service", true, report);
        let is_at_star = row.flag("tap_at_star_point", false, report);
        for column in ["tap_dependency_table", "tap_dependent_impedance"] {
            if row.flag(column, false, report) {
                row.problem(column, true, "false: tables of three windings are not read", report);
            }
        }
        let (changer, steps, step_percent, step_degree) = tap_of(row, "", self.is_old, report);
        let tapped = sides.iter().position(|side| *side == row.text("tap_side"));
        let loss_side = match row.text("loss_side") {
            "" => "hv",
            side => side,
        };
        if !matches!(loss_side, "hv" | "mv" | "lv" | "star") {
            row.problem("loss_side", loss_side, "hv, mv, lv or star", report);
        }
        let [Some(hv), Some(mv), Some(lv)] = buses else { return };
        let (vk, vkr) = wye(sn_mva, vk, vkr);
        let star = self.own_bus(format!("trafo3w {} star", row.index()), hv);
        self.grid.buses.is_in_service[star as usize] = is_in_service;
        let mut rows = Vec::new();
        let mut limits = Vec::new();
        for (side, bus) in [hv, mv, lv].into_iter().enumerate() {
            let end = self.end(("trafo3w", row.index(), side as u8), sides[side], bus);
            let has_loss = loss_side == sides[side];
            let mut windings = Windings {
                hv: if side == 0 { end } else { star },
                lv: if side == 0 { star } else { end },
                vn_hv_kv: vn_kv[0],
                vn_lv_kv: vn_kv[side],
                sn_mva: sn_mva[side],
                vk_percent: vk[side],
                vkr_percent: vkr[side],
                pfe_kw: if has_loss { pfe_kw } else { 0.0 },
                i0_percent: if has_loss { i0_percent } else { 0.0 },
                shift_degree: shift_degree[side],
                parallel: 1.0,
                leakage_hv: (0.5, 0.5),
            };
            let mut range = None;
            if tapped == Some(side) {
                let mut tap = Tap { changer, is_hv: side == 0, steps, step_percent, step_degree };
                if !is_at_star {
                    range = range_of(row, tap, &mut self.report);
                } else {
                    let angle = if step_degree.is_nan() { 0.0 } else { step_degree.to_radians() };
                    let step = Complex::from_polar(step_percent, angle);
                    let seen = step * 100.0 / (step * steps + 100.0);
                    tap.is_hv = !tap.is_hv;
                    tap.step_percent = seen.norm();
                    tap.step_degree = seen.arg().to_degrees() - 180.0;
                }
                windings.change(tap);
            }
            let rating_va = sn_mva[side] * 1e6;
            let branch = Branch { is_in_service, rating_va, ..windings.branch(&self.grid) };
            if branch.has_no_impedance() {
                row.problem("vk_hv_percent", vk[0], "an impedance of every winding", &mut self.report);
            }
            let branch = self.grid.branches.push(branch);
            self.tap_ranges.extend(range.map(|range| TapRange { branch, ..range }));
            rows.push(GridRow::Branch(branch));
            limits.push(limit(branch, if side == 0 { End::From } else { End::To }, rating_va, vn_kv[side]));
        }
        rows.push(GridRow::Bus(star));
        if loss_side == "star" {
            let stretch = (self.base_v(hv) / 1e3 / vn_kv[0]).powi(2);
            let pfe_mva = pfe_kw / 1e3;
            let q_mva = ((sn_mva[0] * i0_percent / 100.0).powi(2) - pfe_mva * pfe_mva).max(0.0).sqrt();
            let (p_w, q_var) = (pfe_mva * 1e6 * stretch, -q_mva * 1e6 * stretch);
            rows.push(GridRow::Shunt(self.grid.shunts.push(Shunt { bus: star, p_w, q_var, is_in_service })));
        }
        self.element("trafo3w", row, rows);
        if let Some(element) = self.elements.last_mut() {
            element.limits = limits;
        }
    }
}

fn limit(branch: u32, end: End, rated_va: f64, vn_kv: f64) -> Limit {
    Limit { branch, end, rating: Rating::CurrentA(rated_va / (3f64.sqrt() * vn_kv * 1e3)) }
}

/// Short-circuit voltages of the three windings and their resistive parts, each on its own rating, from those of pairs
/// high-medium, medium-low, high-low.
fn wye(sn: [f64; 3], vk: [f64; 3], vkr: [f64; 3]) -> ([f64; 3], [f64; 3]) {
    let smaller = [sn[0].min(sn[1]), sn[1].min(sn[2]), sn[0].min(sn[2])];
    let delta = |v: [f64; 3]| std::array::from_fn::<f64, 3, _>(|pair| sn[0] * v[pair] / smaller[pair]);
    let star = |d: [f64; 3]| {
        let sums = [d[0] + d[2] - d[1], d[1] + d[0] - d[2], d[2] + d[1] - d[0]];
        std::array::from_fn::<f64, 3, _>(|side| 0.5 * sn[side] / sn[0] * sums[side])
    };
    let (whole, real) = (delta(vk), delta(vkr));
    let imaginary = std::array::from_fn(|pair| (whole[pair] * whole[pair] - real[pair] * real[pair]).max(0.0).sqrt());
    let (real, imaginary) = (star(real), star(imaginary));
    (std::array::from_fn(|side| imaginary[side].hypot(real[side]).copysign(imaginary[side])), real)
}
