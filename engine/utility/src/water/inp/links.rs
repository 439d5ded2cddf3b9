//! Links and what belongs to them: `[PIPES]`, `[PUMPS]`, `[VALVES]`, `[STATUS]`, `[VERTICES]`.

use super::reader::{CurveUse, Reader};
use super::text::{self, Line, begins, which};
use crate::water::network::{Curve, HeadLoss, LinkKind, LinkStatus, NONE, NodeKind, PumpLift};

/// What a line says of its link; the rest as for a pipe without any.
struct Link {
    ends: (u32, u32),
    kind: LinkKind,
    length_m: f64,
    diameter_m: f64,
    roughness: f64,
    minor_loss: f64,
    status: LinkStatus,
    setting: f64,
    curve: u32,
}

impl<'a> Reader<'a> {
    /// Its nodes, both known and not the same.
    fn ends(&mut self, line: &Line<'a>) -> Option<(u32, u32)> {
        let (from, to) = (self.node(line, 1, "node1"), self.node(line, 2, "node2"));
        let (from, to) = (from?, to?);
        if from == to {
            self.value(line, "node2", line.word(2), "another node than node1");
            return None;
        }
        Some((from, to))
    }

    fn new_link(&mut self, line: &Line<'a>, link: &Link) -> Option<u32> {
        let row = self.links.len() as u32;
        if self.links.contains_key(line.word(0)) {
            self.value(line, "id", line.word(0), "an id that no other link has");
            return None;
        }
        self.links.insert(line.word(0), row);
        self.pump_of.push(NONE);
        let links = &mut self.network.links;
        links.id.push(line.word(0).to_owned());
        links.kind.push(link.kind);
        links.from.push(link.ends.0);
        links.to.push(link.ends.1);
        links.length_m.push(link.length_m);
        links.diameter_m.push(link.diameter_m);
        links.roughness.push(link.roughness);
        links.minor_loss.push(link.minor_loss);
        links.status.push(link.status);
        links.setting.push(link.setting);
        links.curve.push(link.curve);
        let (bulk, wall) = match link.kind {
            LinkKind::Pipe | LinkKind::CheckValve => (f64::NAN, f64::NAN),
            _ => (0.0, 0.0),
        };
        links.bulk_per_s.push(bulk);
        links.wall_mps.push(wall);
        links.vertices.push(Vec::new());
        Some(row)
    }

    /// `id node1 node2 length diameter roughness (loss) (status)`.
    pub(super) fn pipe_line(&mut self, line: &Line<'a>) {
        if line.len() < 6 {
            return self.short(line, "id, two nodes, length, diameter and roughness");
        }
        let ends = self.ends(line);
        let length = self.positive(line, 3, "length");
        let diameter = self.positive(line, 4, "diameter");
        let roughness = self.positive(line, 5, "roughness");
        let statuses = [
            ("CV", (LinkKind::CheckValve, LinkStatus::Open)),
            ("CLOSED", (LinkKind::Pipe, LinkStatus::Closed)),
            ("OPEN", (LinkKind::Pipe, LinkStatus::Open)),
        ];
        let (mut minor_loss, mut status) = (0.0, None);
        if line.len() == 7 {
            status = which(line.word(6), &statuses);
        }
        if line.len() > 6 && status.is_none() {
            minor_loss = self.not_negative(line, 6, "minor loss").unwrap_or(0.0);
        }
        if line.len() > 7 {
            status = which(line.word(7), &statuses);
            if status.is_none() {
                self.value(line, "status", line.word(7), "OPEN, CLOSED or CV");
            }
        }
        let (Some(ends), Some(length), Some(diameter), Some(roughness)) = (ends, length, diameter, roughness) else {
            return;
        };
        let roughness_si = match self.network.options.head_loss {
            HeadLoss::DarcyWeisbach => roughness * self.units.roughness_m(),
            HeadLoss::HazenWilliams | HeadLoss::ChezyManning => roughness,
        };
        let (kind, status) = status.unwrap_or((LinkKind::Pipe, LinkStatus::Open));
        let link = Link {
            ends,
            kind,
            length_m: length * self.units.length_m,
            diameter_m: diameter * self.units.diameter_m,
            roughness: roughness_si,
            minor_loss,
            status,
            setting: 1.0,
            curve: NONE,
        };
        self.new_link(line, &link);
    }

    /// `id node1 node2` and pairs of a keyword and its value, or numbers as in EPANET 1.
    pub(super) fn pump_line(&mut self, line: &Line<'a>) {
        if line.len() < 4 {
            return self.short(line, "id, two nodes, and HEAD or POWER");
        }
        let ends = self.ends(line);
        let (mut lift, mut speed, mut pattern) = (None, 1.0, NONE);
        if text::number(line.word(3)).is_some() {
            lift = self.old_pump(line);
        } else {
            for at in (3..line.len()).step_by(2) {
                let key = line.word(at);
                if at + 1 >= line.len() {
                    self.problem(line, format_args!("(id {}) {key} without a value", line.word(0)));
                    break;
                }
                match which(key, &[("POWER", 0), ("HEAD", 1), ("PATT", 2), ("SPEE", 3)]) {
                    Some(0) => {
                        let power = self.positive(line, at + 1, "POWER");
                        lift = power.map(|power| PumpLift::Power(power * self.units.power_w));
                    }
                    Some(1) => lift = self.curve(line, at + 1, "HEAD", CurveUse::Head).map(PumpLift::Curve),
                    Some(2) => pattern = self.pattern(line, at + 1, "PATTERN"),
                    Some(_) => speed = self.not_negative(line, at + 1, "SPEED").unwrap_or(1.0),
                    None => self.value(line, "keyword", key, "HEAD, POWER, SPEED or PATTERN"),
                }
            }
            let names = [line.words.get(3..).unwrap_or_default()].concat();
            if lift.is_none() && !names.iter().any(|word| begins(word, "POWER") || begins(word, "HEAD")) {
                self.problem(line, format_args!("(id {}) neither HEAD nor POWER, expected one of them", line.word(0)));
            }
        }
        let (Some(ends), Some(lift)) = (ends, lift) else { return };
        let link = Link {
            ends,
            kind: LinkKind::Pump,
            length_m: 0.0,
            diameter_m: 0.0,
            roughness: 0.0,
            minor_loss: 0.0,
            status: if speed > 0.0 { LinkStatus::Open } else { LinkStatus::Closed },
            setting: speed,
            curve: NONE,
        };
        let Some(row) = self.new_link(line, &link) else { return };
        let pumps = &mut self.network.pumps;
        self.pump_of[row as usize] = pumps.link.len() as u32;
        pumps.link.push(row);
        pumps.lift.push(lift);
        pumps.speed_pattern.push(pattern);
        pumps.efficiency_curve.push(NONE);
        pumps.price_per_kwh.push(f64::NAN);
        pumps.price_pattern.push(NONE);
    }

    /// EPANET 1: power; or head and flow of the design; or head at no flow and two points.
    fn old_pump(&mut self, line: &Line<'a>) -> Option<PumpLift> {
        let count = line.len() - 3;
        let values: Vec<f64> = (0..count).filter_map(|at| self.not_negative(line, at + 3, "pump curve")).collect();
        if values.len() < count {
            return None;
        }
        let points = match values[..] {
            [power] if power > 0.0 => return Some(PumpLift::Power(power * self.units.power_w)),
            [head, flow] if head > 0.0 && flow > 0.0 => vec![[flow, head]],
            // More words are limits of flow, which later versions do not know either.
            [shutoff, head_1, flow_1, head_2, flow_2, ..] if 0.0 < flow_1 && flow_1 < flow_2 => {
                vec![[0.0, shutoff], [flow_1, head_1], [flow_2, head_2]]
            }
            _ => {
                self.value(line, "pump", line.words[3..].join(" "), "power; head and flow; or H0 H1 Q1 H2 Q2");
                return None;
            }
        };
        let (flow, head) = (self.units.flow_m3ps, self.units.length_m);
        let id = format!("{} of line {}", line.word(0), line.number);
        self.notes.push(format!("line {}: pump {} is in the form of EPANET 1", line.number, line.word(0)));
        let points = points.iter().map(|point| [point[0] * flow, point[1] * head]).collect();
        self.network.curves.push(Curve { id, points });
        Some(PumpLift::Curve(self.network.curves.len() as u32 - 1))
    }

    /// `id node1 node2 diameter type setting (loss)`.
    pub(super) fn valve_line(&mut self, line: &Line<'a>) {
        if line.len() < 6 {
            return self.short(line, "id, two nodes, diameter, type and setting");
        }
        let ends = self.ends(line);
        let diameter = self.positive(line, 3, "diameter");
        let kinds = [
            ("PRV", LinkKind::Prv),
            ("PSV", LinkKind::Psv),
            ("PBV", LinkKind::Pbv),
            ("FCV", LinkKind::Fcv),
            ("TCV", LinkKind::Tcv),
            ("GPV", LinkKind::Gpv),
        ];
        let Some(kind) = which(line.word(4), &kinds) else {
            return self.value(line, "type", line.word(4), "PRV, PSV, PBV, FCV, TCV or GPV");
        };
        let (setting, curve) = if kind == LinkKind::Gpv {
            (Some(0.0), self.curve(line, 5, "setting", CurveUse::Head))
        } else {
            (self.number(line, 5, "setting"), Some(NONE))
        };
        let minor_loss = self.not_negative_or(line, 6, "minor loss", 0.0);
        let (Some(ends), Some(diameter), Some(setting), Some(curve)) = (ends, diameter, setting, curve) else { return };
        let kind_of = |node: u32| self.network.nodes.kind.get(node as usize).copied();
        let is_fixed = |node: u32| kind_of(node) != Some(NodeKind::Junction);
        if matches!(kind, LinkKind::Prv | LinkKind::Psv | LinkKind::Fcv) && (is_fixed(ends.0) || is_fixed(ends.1)) {
            self.value(
                line,
                "nodes",
                line.words[1..3].join(" "),
                "junctions: no PRV, PSV or FCV at a tank or reservoir",
            );
        }
        self.valve_neighbours(line, kind, ends);
        let link = Link {
            ends,
            kind,
            length_m: 0.0,
            diameter_m: diameter * self.units.diameter_m,
            roughness: 0.0,
            minor_loss,
            status: if kind == LinkKind::Gpv { LinkStatus::Open } else { LinkStatus::Active },
            setting: 0.0,
            curve,
        };
        if let Some(row) = self.new_link(line, &link) {
            self.network.links.setting[row as usize] = self.setting_si(row, setting);
        }
    }

    /// Valves that hold pressure or flow may not stand in each other's way: then no state is the right one.
    fn valve_neighbours(&mut self, line: &Line<'a>, kind: LinkKind, ends: (u32, u32)) {
        use LinkKind::{Fcv, Prv, Psv};
        let (from, to) = ends;
        let links = &self.network.links;
        let other = (0..links.kind.len()).find(|&at| {
            let (a, b) = (links.from[at], links.to[at]);
            match (links.kind[at], kind) {
                (Prv, Prv) => b == to || b == from || a == to,
                (Psv, Psv) => a == from || a == to || b == from,
                (Psv, Prv) | (Fcv, Prv) | (Psv, Fcv) => a == to,
                (Prv, Psv) | (Fcv, Psv) | (Prv, Fcv) => b == from,
                _ => false,
            }
        });
        if let Some(other) = other.and_then(|at| links.id.get(at).cloned()) {
            let what = format!("a {kind:?} that does not share a node with valve {other} in this way");
            self.value(line, "nodes", line.words[1..3].join(" "), &what);
        }
    }

    /// `link (link) value`: OPEN, CLOSED, a speed or a setting, of one link or a range of them.
    pub(super) fn status_line(&mut self, line: &Line<'a>) {
        if line.len() < 2 {
            return self.short(line, "a link and its status");
        }
        let word = line.last();
        let status = which(word, &[("OPEN", LinkStatus::Open), ("CLOSED", LinkStatus::Closed)]);
        let setting = match status {
            Some(_) => 0.0,
            None => match self.not_negative(line, line.len() - 1, "status") {
                Some(setting) => setting,
                None => return,
            },
        };
        let status = status.unwrap_or(LinkStatus::Active);
        if line.len() > 2 {
            let rows = Self::range(&self.links, line.word(0), line.word(1));
            if rows.is_empty() {
                self.notes.push(format!("line {}: no link is from {} to {}", line.number, line.word(0), line.word(1)));
            }
            return rows.into_iter().for_each(|row| self.set_status(row, status, setting));
        }
        let Some(row) = self.link(line, 0, "link") else { return };
        match (self.network.links.kind[row as usize], status) {
            (LinkKind::CheckValve, _) => self.value(line, "status", word, "none: a check valve has no status to set"),
            (LinkKind::Gpv, LinkStatus::Active) => self.value(line, "status", word, "OPEN or CLOSED of a GPV"),
            _ => self.set_status(row, status, setting),
        }
    }

    fn set_status(&mut self, row: u32, status: LinkStatus, setting: f64) {
        let setting_si = self.setting_si(row, setting);
        let (links, at) = (&mut self.network.links, row as usize);
        match links.kind[at] {
            LinkKind::CheckValve => {}
            LinkKind::Pipe | LinkKind::Gpv => {
                if status != LinkStatus::Active {
                    links.status[at] = status;
                }
            }
            LinkKind::Pump => {
                links.setting[at] = match status {
                    LinkStatus::Active => setting,
                    LinkStatus::Open => 1.0,
                    LinkStatus::Closed => links.setting[at], // its speed once it runs
                };
                let runs = status != LinkStatus::Closed && links.setting[at] > 0.0;
                links.status[at] = if runs { LinkStatus::Open } else { LinkStatus::Closed };
            }
            _ => {
                if status == LinkStatus::Active {
                    links.setting[at] = setting_si;
                }
                links.status[at] = status;
            }
        }
    }

    /// `link x y`; what is wrong here is of no bearing on the water and is only noted.
    pub(super) fn vertex_line(&mut self, line: &Line<'a>) {
        let place = (text::number(line.word(1)), text::number(line.word(2)));
        match (self.links.get(line.word(0)), place) {
            (Some(row), (Some(x), Some(y))) => self.network.links.vertices[*row as usize].push([x, y]),
            _ => self.notes.push(format!("line {}: vertex of {} is not used", line.number, line.word(0))),
        }
    }
}
