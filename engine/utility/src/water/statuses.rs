//! What valves, pumps and links at tanks do by the heads and flows found. Each rule is EPANET's; a status that comes out
//! otherwise than it went in means another solve.
//!
//! Contract: in order of links; pure functions of heads and flows.

use super::hydraulics::{FLOW_TOLERANCE_M3PS, HEAD_TOLERANCE_M, Hydraulics, LinkState};
use super::network::{LinkKind, NONE, Trigger};

impl Hydraulics {
    /// What a valve for pressure before or behind it does.
    pub(crate) fn pressure_valve_state(&self, link: usize) -> LinkState {
        let (state, setting, q) = (self.state[link], self.setting[link], self.flow_m3ps[link]);
        if !setting.is_finite() {
            return state;
        }
        let (from, to) = (self.net.links.from[link] as usize, self.net.links.to[link] as usize);
        let (h1, h2) = (self.head_m[from], self.head_m[to]);
        let loss = self.losses.minor(link) * q * q;
        let tolerance = HEAD_TOLERANCE_M;
        if state.is_open() && q < -FLOW_TOLERANCE_M3PS {
            return LinkState::Closed;
        }
        if self.net.links.kind[link] == LinkKind::Prv {
            let wanted = self.net.nodes.elevation_m[to] + setting;
            match state {
                LinkState::Active if h1 - loss < wanted - tolerance => LinkState::Open,
                LinkState::Open if h2 >= wanted + tolerance => LinkState::Active,
                LinkState::Closed if h1 >= wanted + tolerance && h2 < wanted - tolerance => LinkState::Active,
                LinkState::Closed if h1 < wanted - tolerance && h1 > h2 + tolerance => LinkState::Open,
                _ => state,
            }
        } else {
            let wanted = self.net.nodes.elevation_m[from] + setting;
            match state {
                LinkState::Active if h2 + loss > wanted + tolerance => LinkState::Open,
                LinkState::Open if h1 < wanted - tolerance => LinkState::Active,
                LinkState::Closed if h2 > wanted + tolerance && h1 > h2 + tolerance => LinkState::Open,
                LinkState::Closed if h1 >= wanted + tolerance && h1 > h2 + tolerance => LinkState::Active,
                _ => state,
            }
        }
    }
    /// Check valves, pumps, flow valves and links at tanks. Returns whether any does something else.
    pub(crate) fn check_links(&mut self) -> bool {
        let mut has_changed = false;
        for link in 0..self.state.len() {
            if self.is_shut_from_outside(link) {
                continue;
            }
            let found = self.link_state(link);
            if found != self.state[link] {
                has_changed = true;
                self.change(link, found);
            }
        }
        has_changed
    }
    fn link_state(&self, link: usize) -> LinkState {
        let (from, to) = (self.net.links.from[link] as usize, self.net.links.to[link] as usize);
        let (h1, h2, q) = (self.head_m[from], self.head_m[to], self.flow_m3ps[link]);
        let setting = self.setting[link];
        let mut state = match self.state[link] {
            LinkState::CannotLift | LinkState::ClosedByTank => LinkState::Open,
            other => other,
        };
        match self.net.links.kind[link] {
            LinkKind::CheckValve => state = one_way(state, h1 - h2, q),
            LinkKind::Pump if state.is_open() && setting > 0.0 => {
                let highest = self.losses.lift_max_m(self.losses.pump[link] as usize, setting, &self.net.curves);
                let can_lift = h2 - h1 <= highest + HEAD_TOLERANCE_M;
                state = if can_lift { LinkState::Open } else { LinkState::CannotLift };
            }
            LinkKind::Fcv if setting.is_finite() => {
                if h1 - h2 < -HEAD_TOLERANCE_M || q < -FLOW_TOLERANCE_M3PS {
                    state = LinkState::CannotFlow;
                } else if state == LinkState::CannotFlow && q >= setting && !self.is_freed[link] {
                    state = LinkState::Active;
                }
            }
            _ => {}
        }
        for (tank_end, tank, head, flow_out) in [(true, from, h1 - h2, q), (false, to, h2 - h1, -q)] {
            if self.tank_of[tank] != NONE
                && state.is_open()
                && self.is_shut_by_tank(link, tank, tank_end, head, flow_out)
            {
                state = LinkState::ClosedByTank;
            }
        }
        state
    }
    /// Whether a tank that is full takes no more through a link, or one that is empty gives none. `drop_m` and
    /// `flow_out` are out of the tank.
    fn is_shut_by_tank(&self, link: usize, node: usize, is_from: bool, drop_m: f64, flow_out: f64) -> bool {
        let tank = self.tank_of[node] as usize;
        let (of, bottom_m) = (&self.net.tanks, self.net.nodes.elevation_m[node]);
        let head_m = self.head_m[node];
        let is_pump = self.net.links.kind[link] == LinkKind::Pump;
        let is_full = head_m >= bottom_m + of.max_level_m[tank] - HEAD_TOLERANCE_M && !of.can_overflow[tank];
        if is_full {
            let would_fill = if is_pump { !is_from } else { !one_way(LinkState::Open, drop_m, flow_out).is_open() };
            if would_fill {
                return true;
            }
        }
        let is_empty = head_m <= bottom_m + of.min_level_m[tank] + HEAD_TOLERANCE_M;
        is_empty && if is_pump { is_from } else { one_way(LinkState::Closed, drop_m, flow_out).is_open() }
    }
    /// Simple controls by the pressure of junctions, which act within a solve. Returns whether any did.
    pub(crate) fn check_junction_controls(&mut self) -> bool {
        let mut has_changed = false;
        for at in 0..self.net.controls.len() {
            let control = self.net.controls[at];
            let acts = match control.trigger {
                Trigger::HeadAbove(node, head_m) if self.is_junction(node) => {
                    self.head_m[node as usize] >= head_m - HEAD_TOLERANCE_M
                }
                Trigger::HeadBelow(node, head_m) if self.is_junction(node) => {
                    self.head_m[node as usize] <= head_m + HEAD_TOLERANCE_M
                }
                _ => false,
            };
            has_changed |= acts && self.act(&control.action);
        }
        has_changed
    }
    pub(crate) fn is_junction(&self, node: u32) -> bool {
        self.net.nodes.kind[node as usize] == super::network::NodeKind::Junction
    }
}

/// A check valve by the head over it and its flow.
fn one_way(state: LinkState, drop_m: f64, flow: f64) -> LinkState {
    if drop_m.abs() > HEAD_TOLERANCE_M {
        if drop_m < 0.0 || flow < -FLOW_TOLERANCE_M3PS { LinkState::Closed } else { LinkState::Open }
    } else if flow < -FLOW_TOLERANCE_M3PS {
        LinkState::Closed
    } else {
        state
    }
}
