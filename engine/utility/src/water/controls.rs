//! Simple controls at the beginning of a step, and rules, which are looked at in steps of their own.
//!
//! A control by a tank's level acts from one second of flow before it is reached, as tanks move by whole seconds. A rule
//! holds where its premises do: `OR` binds before `AND`, as EPANET chains them; of actions on
//! one link that of the highest priority is done.
//!
//! Contract: in order of the file.

use super::network::{Action, NONE, Premise, Relation, Subject, Trigger};
use super::simulation::Simulation;
use super::tanks::{range_m3, volume_m3};

const DAY_S: u32 = 86_400;
/// How near a value is taken for equal: in metres, m3/s, or the unit of a setting.
const NEAR: f64 = 1e-3 * 0.3048;
const NEAR_M3PS: f64 = 1e-7;

impl Simulation {
    /// Controls by time and by levels of tanks.
    pub(crate) fn do_controls(&mut self) {
        for at in 0..self.hydraulics.net.controls.len() {
            let control = self.hydraulics.net.controls[at];
            let acts = match control.trigger {
                Trigger::Time(time_s) => time_s == self.time_s,
                Trigger::TimeOfDay(time_s) => self.clock_s(self.time_s) == time_s,
                Trigger::HeadAbove(node, head_m) => match self.tank_volumes(node, head_m) {
                    Some([now, wanted, second]) => now >= wanted - second,
                    None => !self.hydraulics.is_junction(node) && self.hydraulics.head_m[node as usize] >= head_m,
                },
                Trigger::HeadBelow(node, head_m) => match self.tank_volumes(node, head_m) {
                    Some([now, wanted, second]) => now <= wanted + second,
                    None => !self.hydraulics.is_junction(node) && self.hydraulics.head_m[node as usize] <= head_m,
                },
            };
            if acts {
                self.hydraulics.act(&control.action);
            }
        }
    }
    /// Volume at hand, volume at a head, and what flows in a second, of a tank.
    pub(crate) fn tank_volumes(&self, node: u32, head_m: f64) -> Option<[f64; 3]> {
        let tank = self.hydraulics.tank_of[node as usize];
        (tank != NONE).then(|| {
            let net = &self.hydraulics.net;
            let wanted = volume_m3(net, tank as usize, head_m - net.nodes.elevation_m[node as usize]);
            [self.volume_m3[tank as usize], wanted, self.hydraulics.served_m3ps[node as usize].abs()]
        })
    }
    /// Time of day.
    pub(crate) fn clock_s(&self, time_s: u32) -> u32 {
        ((u64::from(time_s) + u64::from(self.hydraulics.net.times.start_clock_s)) % u64::from(DAY_S)) as u32
    }
    /// Does what rules say of the moment `now_s`, the last of `interval_s` seconds. Returns whether anything changed.
    pub(crate) fn do_rules(&mut self, now_s: u32, interval_s: u32) -> bool {
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.clear();
        for rule in &self.hydraulics.net.rules {
            let actions = if self.holds(&rule.premises, now_s, interval_s) { &rule.then } else { &rule.otherwise };
            for action in actions {
                match wanted.iter_mut().find(|(of, _)| of.link == action.link) {
                    Some(before) if rule.priority > before.1 => *before = (*action, rule.priority),
                    Some(_) => {}
                    None => wanted.push((*action, rule.priority)),
                }
            }
        }
        let mut has_changed = false;
        for (action, _) in &wanted {
            has_changed |= self.differs(action) && self.hydraulics.act(action);
        }
        self.wanted = wanted;
        has_changed
    }
    /// Whether a link is not yet as an action wants it.
    fn differs(&self, action: &Action) -> bool {
        let link = action.link as usize;
        let is_open = self.hydraulics.state[link].is_open();
        match (action.setting, action.status) {
            (Some(value), _) => {
                let at = self.hydraulics.setting[link];
                at.is_nan() || (at - value).abs() > 1e-6 * value.abs().max(1e-6)
            }
            (None, Some(status)) => is_open != (status != super::network::LinkStatus::Closed),
            (None, None) => false,
        }
    }
    fn holds(&self, premises: &[Premise], now_s: u32, interval_s: u32) -> bool {
        let mut holds = true;
        for premise in premises {
            if premise.is_or {
                holds = holds || self.is_true(premise, now_s, interval_s);
            } else {
                if !holds {
                    return false;
                }
                holds = self.is_true(premise, now_s, interval_s);
            }
        }
        holds
    }
    fn is_true(&self, premise: &Premise, now_s: u32, interval_s: u32) -> bool {
        let of = &self.hydraulics;
        let (net, relation) = (&of.net, premise.relation);
        let head = |node: u32| of.head_m[node as usize];
        let compare = |found: f64, value: f64, near: f64| match relation {
            Relation::Equal => (found - value).abs() <= near,
            Relation::NotEqual => (found - value).abs() >= near,
            Relation::Below => found <= value + near,
            Relation::AtMost => found <= value - near,
            Relation::Above => found >= value - near,
            Relation::AtLeast => found >= value + near,
        };
        let tank = |node: u32| of.tank_of.get(node as usize).copied().filter(|tank| *tank != NONE);
        let until = |node: u32, end: usize| {
            let tank = tank(node)? as usize;
            let flow = of.served_m3ps[node as usize];
            let is_moving = if end == 1 { flow > 1e-9 } else { flow < -1e-9 };
            is_moving.then(|| (range_m3(net, tank)[end] - self.volume_m3[tank]) / flow)
        };
        match premise.subject {
            Subject::SystemDemand(value) => {
                let junctions = (0..net.nodes.id.len() as u32).filter(|&node| of.is_junction(node));
                let sum: f64 = junctions.map(|node| of.demand_m3ps[node as usize]).sum();
                compare(sum, value, NEAR_M3PS)
            }
            Subject::NodeDemand(node, value) => {
                let at = node as usize;
                let found = if of.is_junction(node) { of.demand_m3ps[at] } else { of.served_m3ps[at] };
                compare(found, value, NEAR_M3PS)
            }
            Subject::NodeHead(node, value) => compare(head(node), value, NEAR),
            Subject::NodePressure(node, value) => {
                compare(head(node) - net.nodes.elevation_m[node as usize], value, NEAR)
            }
            Subject::FillTime(node, value) => until(node, 1).is_some_and(|time| compare(time, value, 1e-3)),
            Subject::DrainTime(node, value) => until(node, 0).is_some_and(|time| compare(time, value, 1e-3)),
            Subject::LinkFlow(link, value) => compare(of.flow_m3ps[link as usize].abs(), value, NEAR_M3PS),
            Subject::LinkSetting(link, value) => {
                let setting = of.setting[link as usize];
                setting.is_finite() && compare(setting, value, 1e-3 * value.abs().max(1e-3))
            }
            Subject::LinkStatus(link, status) => {
                use super::hydraulics::LinkState;
                use super::network::LinkStatus;
                let state = of.state[link as usize];
                let is_it = match status {
                    LinkStatus::Closed => !state.is_open(),
                    LinkStatus::Open => state.is_open() && state != LinkState::Active,
                    LinkStatus::Active => state == LinkState::Active,
                };
                is_it == (relation != Relation::NotEqual)
            }
            Subject::Time(value) => in_time(relation, [now_s + 1 - interval_s.min(now_s + 1), now_s], value),
            Subject::ClockTime(value) => {
                let from = (now_s + 1).saturating_sub(interval_s);
                in_time(relation, [self.clock_s(from), self.clock_s(now_s)], value)
            }
        }
    }
}

/// Whether a time lies as said to an interval, which may go over midnight.
fn in_time(relation: Relation, [from, to]: [u32; 2], value: u32) -> bool {
    let is_within = if to < from { value >= from || value <= to } else { (from..=to).contains(&value) };
    match relation {
        Relation::Below => to < value,
        Relation::AtMost => to <= value,
        Relation::Above => to > value,
        Relation::AtLeast => to >= value,
        Relation::Equal => is_within,
        Relation::NotEqual => !is_within,
    }
}
