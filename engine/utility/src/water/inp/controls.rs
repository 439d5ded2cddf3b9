//! Simple controls: `[CONTROLS]`.
//!
//! `LINK id status IF NODE id ABOVE level`, `... AT TIME time`, `... AT CLOCKTIME time`. As EPANET does, words are known by
//! their places, and what kind of link or node a line names is not looked at.

use super::reader::Reader;
use super::text::{self, Line, begins, hours, seconds, which};
use crate::water::network::{Action, Control, LinkKind, LinkStatus, NodeKind, Trigger};

impl<'a> Reader<'a> {
    /// A control.
    pub(super) fn control_line(&mut self, line: &Line<'a>) {
        let is_off = begins(line.last(), "DISABLED");
        let count = line.len() - usize::from(is_off);
        if count < 6 {
            return self.short(line, "such as LINK 12 CLOSED IF NODE 23 ABOVE 20");
        }
        let (action, trigger) = (self.control_action(line), self.trigger(line, count));
        let (Some(action), Some(trigger)) = (action, trigger) else { return };
        if is_off {
            return self.notes.push(format!("line {}: a control that is DISABLED is left out", line.number));
        }
        self.network.controls.push(Control { action, trigger });
    }

    fn control_action(&mut self, line: &Line<'a>) -> Option<Action> {
        let link = self.link(line, 1, "link")?;
        let word = line.word(2);
        let kind = self.network.links.kind.get(link as usize).copied().unwrap_or_default();
        if kind == LinkKind::CheckValve {
            self.value(line, "link", line.word(1), "another link: a check valve is not controlled");
            return None;
        }
        let status = which(word, &[("OPEN", LinkStatus::Open), ("CLOSED", LinkStatus::Closed)]);
        if let Some(status) = status {
            return Some(Self::set_to(link, kind, status));
        }
        if kind == LinkKind::Gpv {
            self.value(line, "setting", word, "OPEN or CLOSED of a GPV");
            return None;
        }
        let setting = self.number(line, 2, "setting")?;
        if matches!(kind, LinkKind::Pipe | LinkKind::Pump) && setting < 0.0 {
            self.value(line, "setting", word, "a number >= 0");
            return None;
        }
        Some(self.numbered(link, kind, setting))
    }

    /// A status; of a pump it is its speed as well.
    pub(super) fn set_to(link: u32, kind: LinkKind, status: LinkStatus) -> Action {
        let speed = if status == LinkStatus::Closed { 0.0 } else { 1.0 };
        Action { link, status: Some(status), setting: (kind == LinkKind::Pump).then_some(speed) }
    }

    /// A setting: of a pipe its status, of a pump its speed and status, of a valve what it holds.
    pub(super) fn numbered(&self, link: u32, kind: LinkKind, setting: f64) -> Action {
        let status = if setting > 0.0 { LinkStatus::Open } else { LinkStatus::Closed };
        match kind {
            LinkKind::Pipe => Action { link, status: Some(status), setting: None },
            LinkKind::Pump => Action { link, status: Some(status), setting: Some(setting) },
            _ => Action { link, status: Some(LinkStatus::Active), setting: Some(self.setting_si(link, setting)) },
        }
    }

    fn trigger(&mut self, line: &Line<'a>, count: usize) -> Option<Trigger> {
        let is_daily = which(line.word(4), &[("TIME", false), ("CLOCKTIME", true)]);
        if let Some(is_daily) = is_daily {
            let unit = if count > 6 { line.word(6) } else { "" };
            let Some(time_s) = hours(line.word(5), unit).and_then(seconds) else {
                let value = format!("{} {unit}", line.word(5));
                self.value(line, "time", value.trim(), "a time such as 5, 90 MIN, 1:30 or 1:30 PM");
                return None;
            };
            return Some(if is_daily { Trigger::TimeOfDay(time_s % 86_400) } else { Trigger::Time(time_s) });
        }
        if count < 8 {
            self.short(line, "such as LINK 12 CLOSED IF NODE 23 ABOVE 20");
            return None;
        }
        let node = self.node(line, 5, "node")?;
        let Some(is_above) = which(line.word(6), &[("BELOW", false), ("ABOVE", true)]) else {
            self.value(line, "condition", line.word(6), "ABOVE or BELOW");
            return None;
        };
        let Some(level) = text::number(line.word(7)) else {
            self.value(line, "level", line.word(7), "a number");
            return None;
        };
        let nodes = &self.network.nodes;
        let unit = match nodes.kind.get(node as usize) {
            Some(NodeKind::Junction) => self.units.pressure_m,
            _ => self.units.length_m,
        };
        let head = nodes.elevation_m.get(node as usize).copied().unwrap_or(0.0) + level * unit;
        Some(if is_above { Trigger::HeadAbove(node, head) } else { Trigger::HeadBelow(node, head) })
    }
}
