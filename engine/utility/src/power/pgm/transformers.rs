//! Transformers of two and three windings.
//!
//! With rated voltages `u1`, `u2` moved by the tap, rated power `sn`, short-circuit voltage `uk` and loss `pk`, no-load
//! current `i0` and loss `p0`, at the to side:
//!
//! ```text
//! |Z| = uk u2^2/sn    R = pk u2^2/sn^2    X = sign(uk) sqrt(|Z|^2 - R^2)
//! |Y| = i0 sn/u2^2    G = p0/u2^2         B = -sqrt(|Y|^2 - G^2)
//! ```
//!
//! a pi with half of `Y` at each end behind the ratio `(u1/u2)/(u1 rated/u2 rated)` at 30 degrees times `clock`. `uk`
//! and `pk` go on a straight line from the nominal tap to the ends of its range, where these are stated.
//!
//! Three windings are three transformers to a star bus of the first one's voltages, with the short circuits of pairs
//! changed from delta to wye on the first winding's power; magnetising is the first one's.

use super::super::elements::{End, GridRow, Limit, Rating, TapRange, TapRegulator};
use super::super::grid::{Branch, Complex};
use super::record::Record;
use super::{BASE_VA, Builder};
use crate::reading::fields::{Fields, Report};

/// A transformer as its tap stands: rated voltages, power, short-circuit voltage as a share and loss, no-load current as
/// a share and loss, and the angle by which the from side leads, in hours.
pub(in crate::power) struct Windings {
    pub(in crate::power) u1_v: f64,
    pub(in crate::power) u2_v: f64,
    pub(in crate::power) sn_va: f64,
    pub(in crate::power) uk: f64,
    pub(in crate::power) pk_w: f64,
    pub(in crate::power) i0: f64,
    pub(in crate::power) p0_w: f64,
    pub(in crate::power) clock: f64,
}

/// A tap changer.
#[derive(Clone, Copy)]
struct Tap {
    /// Rated voltage of the winding, volts.
    rated_v: f64,
    side: i64,
    position: f64,
    min: f64,
    max: f64,
    nominal: f64,
    size_v: f64,
}

impl Tap {
    fn read(record: Record<'_>, report: &mut Report<'_>) -> Self {
        let nominal = record.or("tap_nom", 0.0, report);
        let position = record.or("tap_pos", nominal, report);
        let (min, max) = (record.or("tap_min", 0.0, report), record.or("tap_max", 0.0, report));
        let size_v = record.or("tap_size", 0.0, report);
        if size_v < 0.0 {
            record.problem("tap_size", size_v, ">= 0", report);
        }
        let side = if record.cell("tap_side").is_some() { record.whole("tap_side", report).unwrap_or(0) } else { 0 };
        // Written so that numbers that are none do no harm.
        let position = if min <= max { position.max(min).min(max) } else { position.max(max).min(min) };
        let rated_v = record.or(if side == 0 { "u1" } else { "u2" }, f64::NAN, report);
        Self { rated_v, side, position, min, max, nominal, size_v }
    }
    /// Positions, of branch 0; none where they change more than the ratio.
    fn range(&self, record: Record<'_>) -> Option<TapRange> {
        let at_ends = ["uk_min", "uk_max", "pk_min", "pk_max"];
        let is_ratio = at_ends.iter().all(|field| record.cell(field).is_none());
        let is_whole = [self.position, self.min, self.max, self.nominal].iter().all(|value| value.fract().abs() <= 0.0);
        let end = if self.side == 0 { End::From } else { End::To };
        let direction = if self.max > self.min { 1.0 } else { -1.0 };
        let range = TapRange {
            branch: 0,
            end,
            neutral: self.nominal as i32,
            min: self.min.min(self.max) as i32,
            max: self.min.max(self.max) as i32,
            position: self.position as i32,
            step_pu: direction * self.size_v / self.rated_v,
            step_rad: 0.0,
        };
        (is_ratio && is_whole && self.size_v > 0.0).then_some(range)
    }
    /// What the tap adds to the rated voltage of a side, volts.
    fn added_v(&self, side: i64) -> f64 {
        let direction = if self.max > self.min { 1.0 } else { -1.0 };
        if self.side == side { direction * (self.position - self.nominal) * self.size_v } else { 0.0 }
    }
    /// A value that changes along the range, from those at its nominal position and its ends.
    fn along(&self, record: Record<'_>, field: &str, value: f64, report: &mut Report<'_>) -> f64 {
        let (at_min, at_max) =
            (record.or(&format!("{field}_min"), value, report), record.or(&format!("{field}_max"), value, report));
        let is_towards_max = self.position <= self.nominal.max(self.max) && self.position >= self.nominal.min(self.max);
        let (end, at_end) = if is_towards_max { (self.max, at_max) } else { (self.min, at_min) };
        let range = end - self.nominal;
        if range.abs() > 0.0 { value + (self.position - self.nominal) * (at_end - value) / range } else { value }
    }
}

impl Windings {
    /// Between buses of these nominal voltages, volts, on 1 MVA.
    pub(in crate::power) fn branch(&self, from: (u32, f64), to: (u32, f64)) -> Branch {
        let per_ohm = BASE_VA / (to.1 * to.1);
        let squared = self.u2_v * self.u2_v;
        let (z, r) = (self.uk.abs() * squared / self.sn_va, self.pk_w * squared / (self.sn_va * self.sn_va));
        let x = (z * z - r * r).max(0.0).sqrt().copysign(self.uk);
        let (y, g) = (self.i0 * self.sn_va / squared, self.p0_w / squared);
        let half = Complex::new(g, -(y * y - g * g).max(0.0).sqrt()) * (0.5 / per_ohm);
        Branch {
            g_from_pu: half.re,
            b_from_pu: half.im,
            g_to_pu: half.re,
            b_to_pu: half.im,
            ratio: (self.u1_v / self.u2_v) / (from.1 / to.1),
            shift_rad: (self.clock * 30.0).to_radians(),
            rating_va: self.sn_va,
            ..Branch::series(from.0, to.0, r * per_ohm, x * per_ohm)
        }
    }
}

/// A number above zero that must be there.
fn positive(record: Record<'_>, field: &str, report: &mut Report<'_>) -> f64 {
    record.number_where(field, "> 0", report, |value| value > 0.0)
}

/// Hours by which a side lags, 0 to 11.
fn clock(record: Record<'_>, field: &str, report: &mut Report<'_>) -> f64 {
    match record.whole(field, report) {
        Some(clock @ -12..=12) => clock.rem_euclid(12) as f64,
        Some(clock) => {
            record.problem(field, clock, "-12..12", report);
            0.0
        }
        None => 0.0,
    }
}

impl Builder<'_> {
    pub(super) fn transformer(&mut self, table: &'static str, record: Record<'_>) {
        let ends = self.ends(table, record);
        let report = &mut self.report;
        let tap = Tap::read(record, report);
        let (uk, pk_w) = (positive(record, "uk", report), record.number("pk", report));
        let windings = Windings {
            u1_v: positive(record, "u1", report) + tap.added_v(0),
            u2_v: positive(record, "u2", report) + tap.added_v(1),
            sn_va: positive(record, "sn", report),
            uk: tap.along(record, "uk", uk, report),
            pk_w: tap.along(record, "pk", pk_w, report),
            i0: record.number("i0", report),
            p0_w: record.number("p0", report),
            clock: clock(record, "clock", report),
        };
        for (field, volts) in [("u1", windings.u1_v), ("u2", windings.u2_v)] {
            if volts <= 0.0 {
                record.problem(field, volts, "> 0 with its tap", report);
            }
        }
        if windings.pk_w / windings.sn_va > windings.uk {
            record.problem("pk", pk_w, "at most uk times sn", report);
        }
        let Some((from, to)) = ends else { return };
        let branch = windings.branch((from, self.base_v(from)), (to, self.base_v(to)));
        self.branch(table, record, Rating::PowerVa(windings.sn_va), branch);
        if let Some(range) = tap.range(record) {
            let id = record.whole("id", &mut self.report).unwrap_or(0);
            self.range_of.insert(id, (self.tap_ranges.len() as u32, [from, to]));
            // Ends that hang free were added after it.
            let row = self.elements.last().and_then(super::Element::branch).unwrap_or(0);
            self.tap_ranges.push(TapRange { branch: row, ..range });
        }
    }
    /// What a regulator of a transformer's taps holds.
    pub(super) fn tap_regulator(&mut self, table: &'static str, record: Record<'_>) {
        self.id(table, record);
        let is_in_service = self.status(record, "status");
        let report = &mut self.report;
        let Some(of) = record.whole("regulated_object", report) else { return };
        let (u_set, u_band) = (positive(record, "u_set", report), positive(record, "u_band", report));
        let falls = ["line_drop_compensation_r", "line_drop_compensation_x"];
        let has_fall = falls.iter().any(|field| record.or(field, 0.0, report).abs() > 0.0);
        let side = record.whole("control_side", report).unwrap_or(0);
        let left_out = |why: &str| format!("{table} {}: left out, {why}", record.place().2);
        let Some(&(range, nodes)) = self.range_of.get(&of) else {
            let why = format!("{of} is no transformer of two windings with taps that leave its impedance as it is");
            self.report.notes.push(left_out(&why));
            return;
        };
        let (side, bus) = match side {
            0 => (End::From, nodes[0]),
            1 => (End::To, nodes[1]),
            other => {
                record.problem("control_side", other, "0 or 1 at a transformer of two windings", &mut self.report);
                return;
            }
        };
        if has_fall {
            self.report.notes.push(left_out("as it makes up for the fall of voltage along a line"));
            return;
        }
        let base_v = self.base_v(bus);
        let (vm_set_pu, deadband_pu) = (u_set / base_v, u_band / base_v);
        self.tap_regulators.push(TapRegulator { range, side, bus, vm_set_pu, deadband_pu, is_in_service });
    }

    pub(super) fn three_winding(&mut self, table: &'static str, record: Record<'_>) {
        self.id(table, record);
        let nodes = ["node_1", "node_2", "node_3"].map(|field| self.node_of(record, field));
        let is_on = ["status_1", "status_2", "status_3"].map(|field| self.status(record, field));
        let report = &mut self.report;
        let tap = Tap::read(record, report);
        let u_v: [f64; 3] =
            [("u1", 0), ("u2", 1), ("u3", 2)].map(|(field, side)| positive(record, field, report) + tap.added_v(side));
        let sn = ["sn_1", "sn_2", "sn_3"].map(|field| positive(record, field, report));
        let pairs = [(0, 1, "12"), (0, 2, "13"), (1, 2, "23")];
        let mut on_first = |kind: &str, power: i32| {
            pairs.map(|(a, b, pair)| {
                let field = format!("{kind}_{pair}");
                let value = record.number(&field, report);
                tap.along(record, &field, value, report) * (sn[0] / sn[a].min(sn[b])).powi(power)
            })
        };
        let (uk, pk) = (wye(on_first("uk", 1)), wye(on_first("pk", 2)));
        let (i0, p0_w) = (record.number("i0", report), record.number("p0", report));
        let hours = [0.0, clock(record, "clock_12", report), clock(record, "clock_13", report)];
        for (side, volts) in u_v.iter().enumerate().filter(|(_, volts)| **volts <= 0.0) {
            record.problem(["u1", "u2", "u3"][side], volts, "> 0 with its tap", report);
        }
        let [Some(first), Some(second), Some(third)] = nodes else { return };
        let star_v = self.base_v(first);
        let star = self.own_bus(format!("{table} {} star", record.place().2), first);
        let (mut rows, mut limits, mut closing) = (Vec::new(), Vec::new(), Vec::new());
        for (side, node) in [first, second, third].into_iter().enumerate() {
            let is_first = side == 0;
            let windings = Windings {
                u1_v: u_v[side],
                u2_v: u_v[0],
                sn_va: sn[side],
                uk: uk[side] * sn[side] / sn[0],
                pk_w: pk[side] * (sn[side] / sn[0]).powi(2),
                i0: if is_first { i0 } else { 0.0 },
                p0_w: if is_first { p0_w } else { 0.0 },
                clock: -hours[side],
            };
            let (end, closes) = self.end(record, ["1", "2", "3"][side], node, !is_on[side]);
            let branch = windings.branch((end, self.base_v(node)), (star, star_v));
            if branch.has_no_impedance() {
                let field = ["uk_12", "uk_13", "uk_23"][side];
                record.problem(
                    field,
                    uk[side],
                    "short circuits that leave each winding an impedance",
                    &mut self.report,
                );
            }
            let branch = self.grid.branches.push(branch);
            rows.push(GridRow::Branch(branch));
            closing.extend(closes);
            limits.push(Limit { branch, end: End::From, rating: Rating::PowerVa(sn[side]) });
        }
        rows.extend(closing);
        rows.push(GridRow::Bus(star));
        self.element(table, record, rows);
        if let Some(element) = self.elements.last_mut() {
            element.limits = limits;
        }
    }
}

/// From pairs 12, 13, 23 to the three sides.
fn wye([a, b, c]: [f64; 3]) -> [f64; 3] {
    [0.5 * (a + b - c), 0.5 * (a + c - b), 0.5 * (b + c - a)]
}
