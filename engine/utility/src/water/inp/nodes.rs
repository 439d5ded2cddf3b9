//! Nodes and what belongs to them: `[JUNCTIONS]`, `[RESERVOIRS]`, `[TANKS]`, `[DEMANDS]`, `[EMITTERS]`, `[COORDINATES]`.

use super::reader::{CurveUse, Reader};
use super::text::{self, Line, begins, which};
use crate::water::network::{Mixing, NONE, NodeKind};

impl<'a> Reader<'a> {
    /// A row for a node; `None`, with a problem, where its id is taken.
    fn new_node(&mut self, line: &Line<'a>, kind: NodeKind, elevation_m: f64) -> Option<u32> {
        let row = self.nodes.len() as u32;
        if self.nodes.contains_key(line.word(0)) {
            self.value(line, "id", line.word(0), "an id that no other node has");
            return None;
        }
        self.nodes.insert(line.word(0), row);
        let nodes = &mut self.network.nodes;
        nodes.id.push(line.word(0).to_owned());
        nodes.kind.push(kind);
        nodes.elevation_m.push(elevation_m);
        nodes.head_pattern.push(NONE);
        nodes.emitter_m3ps.push(0.0);
        nodes.initial_quality.push(0.0);
        nodes.place.push(None);
        self.tank_of.push(NONE);
        self.demand_of.push(NONE);
        Some(row)
    }

    /// `id (elevation) (demand) (pattern)`.
    pub(super) fn junction_line(&mut self, line: &Line<'a>) {
        let elevation = if line.len() > 1 { self.number(line, 1, "elevation").unwrap_or(0.0) } else { 0.0 };
        let demand = if line.len() > 2 { self.number(line, 2, "demand").unwrap_or(0.0) } else { 0.0 };
        let pattern = self.pattern(line, 3, "pattern");
        let Some(node) = self.new_node(line, NodeKind::Junction, elevation * self.units.length_m) else { return };
        if let Some(row) = self.demand_of.last_mut() {
            *row = self.network.demands.node.len() as u32;
        }
        self.push_demand(node, demand, pattern);
    }

    fn push_demand(&mut self, node: u32, demand: f64, pattern: u32) {
        let demands = &mut self.network.demands;
        demands.node.push(node);
        demands.base_m3ps.push(demand * self.units.flow_m3ps);
        demands.pattern.push(if pattern == NONE { self.default_pattern } else { pattern });
    }

    /// `id head (pattern)` of a reservoir; `id elevation level lowest highest diameter (volume) (curve) (overflow)` of a
    /// tank. How many words there are says which, whatever the section.
    pub(super) fn tank_line(&mut self, line: &Line<'a>) {
        if line.len() < 2 || (4..6).contains(&line.len()) {
            return self.short(line, "2 or 3 for a reservoir, 6 to 9 for a tank");
        }
        let Some(elevation) = self.number(line, 1, "elevation") else { return };
        let elevation_m = elevation * self.units.length_m;
        if line.len() <= 3 {
            let pattern = self.pattern(line, 2, "pattern");
            if let Some(node) = self.new_node(line, NodeKind::Reservoir, elevation_m) {
                self.network.nodes.head_pattern[node as usize] = pattern;
            }
            return;
        }
        let fields = ["initial level", "minimum level", "maximum level", "diameter"];
        let read: Vec<Option<f64>> = (0..4).map(|at| self.not_negative(line, at + 2, fields[at])).collect();
        let [Some(initial), Some(lowest), Some(highest), Some(diameter)] = read[..] else { return };
        if diameter <= 0.0 {
            // As EPANET has it.
            self.notes.push(format!("line {}: tank {} has no diameter and is a reservoir", line.number, line.word(0)));
            self.new_node(line, NodeKind::Reservoir, elevation_m);
            return;
        }
        let volume = self.not_negative_or(line, 6, "minimum volume", 0.0);
        let curve = match line.word(7) {
            "" => NONE,
            word if word.starts_with('*') => NONE,
            _ => self.curve(line, 7, "volume curve", CurveUse::Volume).unwrap_or(NONE),
        };
        let can_overflow = match which(line.word(8), &[("YES", true), ("NO", false)]) {
            Some(can) => can,
            None => {
                if line.len() > 8 {
                    self.value(line, "overflow", line.word(8), "YES or NO");
                }
                false
            }
        };
        if !(lowest <= initial && initial <= highest) {
            let levels = format!("{lowest}, {initial}, {highest}");
            self.value(line, "minimum, initial, maximum level", levels, "to rise");
        }
        let unit = self.units.length_m;
        let mut min_volume_m3 = if volume > 0.0 {
            volume * self.units.volume_m3
        } else {
            std::f64::consts::FRAC_PI_4 * diameter * diameter * lowest * self.units.volume_m3
        };
        if let Some(points) = self.network.curves.get(curve as usize).map(|curve| curve.points.clone()) {
            let ends = (points.first().map_or(0.0, |point| point[0]), points.last().map_or(0.0, |point| point[0]));
            // Levels and the curve's are the same decimal numbers times the same factor: no tolerance needed.
            if lowest * unit < ends.0 || highest * unit > ends.1 {
                let range = format!("within {} to {}, the levels of its volume curve", ends.0 / unit, ends.1 / unit);
                self.value(line, "minimum, maximum level", format!("{lowest}, {highest}"), &range);
            }
            min_volume_m3 = interpolated(&points, lowest * unit);
        }
        let Some(node) = self.new_node(line, NodeKind::Tank, elevation_m) else { return };
        let tanks = &mut self.network.tanks;
        if let Some(row) = self.tank_of.last_mut() {
            *row = tanks.node.len() as u32;
        }
        tanks.node.push(node);
        tanks.initial_level_m.push(initial * unit);
        tanks.min_level_m.push(lowest * unit);
        tanks.max_level_m.push(highest * unit);
        tanks.diameter_m.push(diameter * unit);
        tanks.min_volume_m3.push(min_volume_m3);
        tanks.volume_curve.push(curve);
        tanks.can_overflow.push(can_overflow);
        tanks.mixing.push(Mixing::Complete);
        tanks.bulk_per_s.push(f64::NAN);
    }

    /// `node demand (pattern)`: the first of a node takes the place of what its junction has, others add.
    pub(super) fn demand_line(&mut self, line: &Line<'a>, is_replaced: &mut [bool]) {
        if line.len() < 2 {
            return self.short(line, "a node and its demand");
        }
        let Some(demand) = self.number(line, 1, "demand") else { return };
        if begins(line.word(0), "MULT") && !self.nodes.contains_key(line.word(0)) {
            if demand <= 0.0 {
                return self.value(line, "MULTIPLY", demand, "a number > 0");
            }
            self.network.options.demand_multiplier = demand;
            return;
        }
        let Some(node) = self.node(line, 0, "node") else { return };
        let pattern = self.pattern(line, 2, "pattern");
        if self.network.nodes.kind.get(node as usize) != Some(&NodeKind::Junction) {
            self.notes.push(format!("line {}: {} is no junction and has no demand", line.number, line.word(0)));
            return;
        }
        let is_first = is_replaced.get_mut(node as usize).is_some_and(|is| !std::mem::replace(is, true));
        // A junction's own demand is the first of it.
        let own = self.demand_of.get(node as usize).copied().filter(|row| is_first && *row != NONE);
        match own {
            Some(row) => {
                let row = row as usize;
                let demands = &mut self.network.demands;
                demands.base_m3ps[row] = demand * self.units.flow_m3ps;
                demands.pattern[row] = if pattern == NONE { self.default_pattern } else { pattern };
            }
            None => self.push_demand(node, demand, pattern),
        }
    }

    /// `node coefficient`: flow at one unit of pressure.
    pub(super) fn emitter_line(&mut self, line: &Line<'a>) {
        if line.len() < 2 {
            return self.short(line, "a node and its coefficient");
        }
        let (Some(node), Some(coefficient)) = (self.node(line, 0, "node"), self.not_negative(line, 1, "coefficient"))
        else {
            return;
        };
        if self.network.nodes.kind.get(node as usize) != Some(&NodeKind::Junction) {
            self.notes.push(format!("line {}: {} is no junction and has no emitter", line.number, line.word(0)));
            return;
        }
        // q = k p^n with p in units of pressure, of which a metre of head has 1 / pressure_m.
        let at_1_m = self.units.pressure_m.powf(-self.network.options.emitter_exponent);
        self.network.nodes.emitter_m3ps[node as usize] = coefficient * self.units.flow_m3ps * at_1_m;
    }

    /// `node x y`; what is wrong here is of no bearing on the water and is only noted.
    pub(super) fn coordinate_line(&mut self, line: &Line<'a>) {
        let place = (text::number(line.word(1)), text::number(line.word(2)));
        match (self.nodes.get(line.word(0)), place) {
            (Some(row), (Some(x), Some(y))) => self.network.nodes.place[*row as usize] = Some([x, y]),
            _ => self.notes.push(format!("line {}: coordinates of {} are not used", line.number, line.word(0))),
        }
    }
}

/// A curve between its points, and on along its last straights.
fn interpolated(points: &[[f64; 2]], x: f64) -> f64 {
    let Some(pair) = points.windows(2).find(|pair| x <= pair[1][0]).or_else(|| points.windows(2).last()) else {
        return points.first().map_or(0.0, |point| point[1]);
    };
    let [[x0, y0], [x1, y1]] = [pair[0], pair[1]];
    if x1 > x0 { y0 + (y1 - y0) * (x - x0) / (x1 - x0) } else { y0 }
}
