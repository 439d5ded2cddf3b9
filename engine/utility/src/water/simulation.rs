//! A network over time: heads and flows are those of one moment until the next event, tanks fill and drain meanwhile.
//!
//! A step ends at the next of: a hydraulic step, a step of patterns, a report, a tank full or empty, a control's time or
//! a tank at its level, a rule that changes something. Steps are whole seconds, as EPANET's, so that events fall on the
//! same seconds. The next step is as long as nothing of this happens, and no longer than the caller allows: in a city's
//! run that is the clock of the others.
//!
//! Law: what flows in = what is drawn + what is stored + what spills, at every step to rounding.
//! Contract: one thread; no allocation once begun.

use super::hydraulics::{Balance, Hydraulics, NO_FLOW_M3PS};
use super::network::{Action, NONE, Network, NodeKind, PumpLift, Trigger, WEIGHT_NPM3};
use super::tanks::{level_m, range_m3, volume_m3};
use crate::snapshot::Snapshot;
use urbis_core::Result;

const DAY_S: u32 = 86_400;

/// Volumes since the start, m3.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Volumes {
    /// Asked for.
    pub asked_m3: f64,
    /// Delivered to demands.
    pub served_m3: f64,
    /// Fed in at junctions: negative demands.
    pub injected_m3: f64,
    /// Lost at emitters.
    pub emitted_m3: f64,
    /// From reservoirs, less what flows back.
    pub supplied_m3: f64,
    /// Into tanks, less what leaves them, before they spill.
    pub stored_m3: f64,
    /// Spilt by full tanks.
    pub spilt_m3: f64,
}

/// Energy of a pump since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PumpEnergy {
    /// Drawn, kWh.
    pub energy_kwh: f64,
    /// Drawn since the last solve, watts.
    pub power_w: f64,
    /// Highest draw, watts.
    pub power_w_max: f64,
    /// Time that it ran, seconds.
    pub running_s: f64,
    /// Paid for energy, in the money of the prices.
    pub cost: f64,
}

/// A network, its tanks and its clock.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Heads and flows.
    pub hydraulics: Hydraulics,
    /// Seconds since the start.
    pub time_s: u32,
    /// Volume in each tank, m3.
    pub volume_m3: Vec<f64>,
    /// Volumes since the start.
    pub volumes: Volumes,
    /// Energy of each pump.
    pub pumps: Vec<PumpEnergy>,
    /// Next report.
    report_s: u32,
    /// Actions of rules at work.
    pub(crate) wanted: Vec<(Action, f64)>,
    /// Demands that the caller gives instead of the network's own, m3/s; NaN where there are none. Shape: nodes.
    given_m3ps: Vec<f64>,
    /// Factor of demands by patterns, beside that of the file.
    demand_scale: f64,
}

impl Simulation {
    /// A network at its start.
    ///
    /// # Errors
    /// As [`Hydraulics::new`].
    pub fn new(net: Network) -> Result<Self> {
        let volume_m3 =
            (0..net.tanks.node.len()).map(|tank| volume_m3(&net, tank, net.tanks.initial_level_m[tank])).collect();
        let (nodes, links, pumps) = (net.nodes.id.len(), net.links.id.len(), net.pumps.link.len());
        let report_s = net.times.report_start_s;
        let mut this = Self {
            hydraulics: Hydraulics::new(net)?,
            time_s: 0,
            volume_m3,
            volumes: Volumes::default(),
            pumps: vec![PumpEnergy::default(); pumps],
            report_s,
            wanted: Vec::with_capacity(links),
            given_m3ps: vec![f64::NAN; nodes],
            demand_scale: 1.0,
        };
        this.place_tanks();
        Ok(this)
    }
    /// From here on this is what a junction asks for, m3/s, instead of its own demands.
    pub fn give_demand(&mut self, node: u32, demand_m3ps: f64) {
        self.given_m3ps[node as usize] = demand_m3ps;
    }
    /// Adds to what is given of a junction, m3/s.
    pub fn add_demand(&mut self, node: u32, demand_m3ps: f64) {
        self.given_m3ps[node as usize] += demand_m3ps;
    }
    /// From here on no junction asks for its own demands, but for what is given: nothing at first.
    pub fn take_demands(&mut self) {
        self.given_m3ps.fill(0.0);
    }
    /// From here on demands by patterns are so many times what the file says; 1 at first.
    pub fn scale_demands(&mut self, scale: f64) {
        self.demand_scale = scale;
    }
    /// What the next moment starts from, and all that was counted; see [`Snapshot`].
    pub fn snapshot(&mut self, of: &mut Snapshot) {
        self.hydraulics.snapshot(of);
        of.whole(&mut self.time_s);
        of.whole(&mut self.report_s);
        of.numbers(&mut self.volume_m3);
        of.numbers(&mut self.given_m3ps);
        of.number(&mut self.demand_scale);
        let Volumes { asked_m3, served_m3, injected_m3, emitted_m3, supplied_m3, stored_m3, spilt_m3 } =
            &mut self.volumes;
        for volume in [asked_m3, served_m3, injected_m3, emitted_m3, supplied_m3, stored_m3, spilt_m3] {
            of.number(volume);
        }
        for PumpEnergy { energy_kwh, power_w, power_w_max, running_s, cost } in &mut self.pumps {
            [energy_kwh, power_w, power_w_max, running_s, cost].into_iter().for_each(|number| of.number(number));
        }
    }
    /// Whether a report is due at this moment.
    #[must_use]
    pub fn is_report(&self) -> bool {
        self.time_s == self.report_s
    }
    /// Solves this moment.
    pub fn solve(&mut self) -> Balance {
        self.set_patterns();
        self.do_controls();
        let balance = self.hydraulics.solve();
        for pump in 0..self.pumps.len() {
            self.pumps[pump].power_w = self.pump_power_w(pump);
        }
        balance
    }
    /// Goes on to the next event, at most so many seconds away. Returns the seconds gone.
    pub fn advance(&mut self, most_s: u32) -> u32 {
        let step_s = self.next_step_s(most_s);
        if self.is_report() {
            self.report_s = self.report_s.saturating_add(self.hydraulics.net.times.report_step_s.max(1));
        }
        let step_s = if self.hydraulics.net.rules.is_empty() {
            self.fill_tanks(step_s);
            step_s
        } else {
            self.follow_rules(step_s)
        };
        self.count(step_s);
        self.time_s += step_s;
        step_s
    }
    fn set_patterns(&mut self) {
        let net = &self.hydraulics.net;
        let step = self.pattern_step();
        self.hydraulics.demand_m3ps.fill(0.0);
        for row in 0..net.demands.node.len() {
            let drawn = net.demands.base_m3ps[row] * multiplier(net, net.demands.pattern[row], step);
            self.hydraulics.demand_m3ps[net.demands.node[row] as usize] +=
                drawn * net.options.demand_multiplier * self.demand_scale;
        }
        for (demand_m3ps, given_m3ps) in self.hydraulics.demand_m3ps.iter_mut().zip(&self.given_m3ps) {
            if !given_m3ps.is_nan() {
                *demand_m3ps = *given_m3ps;
            }
        }
        for node in 0..net.nodes.id.len() {
            if net.nodes.kind[node] == NodeKind::Reservoir {
                self.hydraulics.head_m[node] =
                    net.nodes.elevation_m[node] * multiplier(net, net.nodes.head_pattern[node], step);
            }
        }
        for pump in 0..self.pumps.len() {
            let net = &self.hydraulics.net;
            let (link, pattern) = (net.pumps.link[pump], net.pumps.speed_pattern[pump]);
            if pattern != NONE {
                let speed = multiplier(net, pattern, step);
                self.hydraulics.set_speed(link, speed);
            }
        }
    }
    /// Number of the pattern step at hand.
    fn pattern_step(&self) -> usize {
        let times = &self.hydraulics.net.times;
        let since = u64::from(self.time_s) + u64::from(times.pattern_start_s);
        (since / u64::from(times.pattern_step_s.max(1))) as usize
    }
    /// Heads of tanks by their volumes.
    fn place_tanks(&mut self) {
        let net = &self.hydraulics.net;
        for tank in 0..self.volume_m3.len() {
            let node = net.tanks.node[tank] as usize;
            self.hydraulics.head_m[node] = net.nodes.elevation_m[node] + level_m(net, tank, self.volume_m3[tank]);
        }
    }
    /// Moves tanks by what flows into them for so long. One that is within a second of full or empty is.
    fn fill_tanks(&mut self, step_s: u32) {
        let net = &self.hydraulics.net;
        for tank in 0..self.volume_m3.len() {
            let node = net.tanks.node[tank] as usize;
            let (flow, [least, most]) = (self.hydraulics.served_m3ps[node], range_m3(net, tank));
            let inflow = flow * f64::from(step_s);
            let volume = self.volume_m3[tank] + inflow;
            let kept = if volume + flow >= most {
                most
            } else if volume - flow <= least {
                least
            } else {
                volume
            };
            // What a tank that may overflow cannot hold is spilt; rounding to full or empty is in the books as well.
            self.volumes.spilt_m3 += volume - kept;
            self.volumes.stored_m3 += inflow;
            self.volume_m3[tank] = kept;
        }
        self.place_tanks();
    }
    /// Looks at rules in their steps. Returns the seconds until one changed something, or all of them.
    fn follow_rules(&mut self, step_s: u32) -> u32 {
        let rule_s = self.hydraulics.net.times.rule_step_s.max(1);
        let mut gone_s = 0;
        let mut part_s = (rule_s - self.time_s % rule_s).min(step_s);
        while part_s > 0 {
            gone_s += part_s;
            self.fill_tanks(part_s);
            if self.do_rules(self.time_s + gone_s, part_s) {
                break;
            }
            part_s = rule_s.min(step_s - gone_s);
        }
        gone_s
    }
    /// Seconds to the next event.
    fn next_step_s(&self, most_s: u32) -> u32 {
        let net = &self.hydraulics.net;
        let times = &net.times;
        let mut step_s = most_s.min(times.hydraulic_step_s.max(1));
        let mut at_most = |seconds: u32| {
            if seconds > 0 {
                step_s = step_s.min(seconds);
            }
        };
        let pattern_s = times.pattern_step_s.max(1);
        let since = u64::from(self.time_s) + u64::from(times.pattern_start_s);
        at_most(pattern_s - (since % u64::from(pattern_s)) as u32);
        at_most(self.report_s.saturating_sub(self.time_s));
        if self.is_report() {
            at_most(times.report_step_s);
        }
        for tank in 0..self.volume_m3.len() {
            let flow = self.hydraulics.served_m3ps[net.tanks.node[tank] as usize];
            let [least, most] = range_m3(net, tank);
            let room = if flow > 0.0 { most - self.volume_m3[tank] } else { least - self.volume_m3[tank] };
            if flow.abs() > NO_FLOW_M3PS && room.abs() > 0.0 {
                at_most(seconds(room / flow));
            }
        }
        for control in &net.controls {
            let wait_s = match control.trigger {
                Trigger::Time(time_s) => time_s.saturating_sub(self.time_s),
                Trigger::TimeOfDay(time_s) => (time_s + DAY_S - self.clock_s(self.time_s)) % DAY_S,
                Trigger::HeadAbove(node, head_m) => self.wait_s(node, head_m, true),
                Trigger::HeadBelow(node, head_m) => self.wait_s(node, head_m, false),
            };
            if wait_s > 0 && wait_s < step_s && self.would_change(&control.action) {
                step_s = wait_s;
            }
        }
        step_s
    }
    /// Seconds until a tank's head passes a level; 0 where it does not move there.
    fn wait_s(&self, node: u32, head_m: f64, is_rising: bool) -> u32 {
        let Some([now, wanted, _]) = self.tank_volumes(node, head_m) else { return 0 };
        let flow = self.hydraulics.served_m3ps[node as usize];
        let is_ahead = self.hydraulics.head_m[node as usize] < head_m;
        let moves = flow.abs() > NO_FLOW_M3PS && is_rising == (flow > 0.0) && is_ahead == is_rising;
        if moves { seconds((wanted - now) / flow) } else { 0 }
    }
    /// Whether an action would find its link otherwise.
    fn would_change(&self, action: &Action) -> bool {
        let link = action.link as usize;
        let is_open = self.hydraulics.state[link].is_open();
        let other_setting = action.setting.is_some_and(|value| self.hydraulics.setting[link].total_cmp(&value).is_ne());
        let other_status =
            action.status.is_some_and(|status| is_open == (status == super::network::LinkStatus::Closed));
        other_setting || other_status
    }
    fn count(&mut self, step_s: u32) {
        let (of, length_s) = (&self.hydraulics, f64::from(step_s));
        for node in 0..of.net.nodes.id.len() {
            match of.net.nodes.kind[node] {
                NodeKind::Junction => {
                    self.volumes.asked_m3 += of.demand_m3ps[node].max(0.0) * length_s;
                    self.volumes.served_m3 += of.served_m3ps[node].max(0.0) * length_s;
                    self.volumes.injected_m3 += (-of.served_m3ps[node]).max(0.0) * length_s;
                    self.volumes.emitted_m3 += of.emitted_m3ps[node] * length_s;
                }
                NodeKind::Reservoir => self.volumes.supplied_m3 -= of.served_m3ps[node] * length_s,
                NodeKind::Tank => {}
            }
        }
        for pump in 0..self.pumps.len() {
            let price = self.price_per_kwh(pump);
            let of = &mut self.pumps[pump];
            let power_w = of.power_w;
            let energy_kwh = power_w * length_s / 3.6e6;
            of.energy_kwh += energy_kwh;
            of.cost += energy_kwh * price;
            of.power_w_max = of.power_w_max.max(power_w);
            of.running_s += if power_w > 0.0 { length_s } else { 0.0 };
        }
    }
    /// What a pump draws at this moment, watts.
    fn pump_power_w(&self, pump: usize) -> f64 {
        let of = &self.hydraulics;
        let net = &of.net;
        let link = net.pumps.link[pump] as usize;
        let (q, speed) = (of.flow_m3ps[link].abs(), of.setting[link]);
        if !of.state[link].is_open() || q <= NO_FLOW_M3PS || speed <= 0.0 {
            return 0.0;
        }
        let lift_m = (of.head_m[net.links.to[link] as usize] - of.head_m[net.links.from[link] as usize]).abs();
        let efficiency = match net.pumps.efficiency_curve[pump] {
            NONE => net.energy.efficiency,
            curve => efficiency(&net.curves[curve as usize].points, q / speed),
        };
        WEIGHT_NPM3 * net.options.specific_gravity * q * lift_m / efficiency.clamp(0.01, 1.0)
    }
    /// Electric power that a pump takes at most at full speed, watts: at the point of its curve where that is most.
    #[must_use]
    pub fn pump_rated_w(&self, pump: usize) -> f64 {
        let net = &self.hydraulics.net;
        let at = |[q, lift_m]: [f64; 2]| {
            let efficiency = match net.pumps.efficiency_curve[pump] {
                NONE => net.energy.efficiency,
                curve => efficiency(&net.curves[curve as usize].points, q),
            };
            WEIGHT_NPM3 * net.options.specific_gravity * q * lift_m / efficiency.clamp(0.01, 1.0)
        };
        match net.pumps.lift[pump] {
            PumpLift::Power(w) => w / net.energy.efficiency.clamp(0.01, 1.0),
            PumpLift::Curve(curve) => match &net.curves[curve as usize].points[..] {
                // The parabola through one point takes most a little beyond it.
                &[[q, lift_m]] => at([q * (4.0_f64 / 3.0).sqrt(), lift_m * 8.0 / 9.0]),
                points => points.iter().map(|&point| at(point)).fold(0.0, f64::max),
            },
        }
    }
    fn price_per_kwh(&self, pump: usize) -> f64 {
        let net = &self.hydraulics.net;
        let own = net.pumps.price_per_kwh[pump];
        let price = if own.is_nan() { net.energy.price_per_kwh } else { own };
        let own = net.pumps.price_pattern[pump];
        let pattern = if own == NONE { net.energy.price_pattern } else { own };
        price * multiplier(net, pattern, self.pattern_step())
    }
    /// What the books of water lack, m3: supplied + injected - served - emitted - stored.
    #[must_use]
    pub fn residual_m3(&self) -> f64 {
        let of = &self.volumes;
        of.supplied_m3 + of.injected_m3 - of.served_m3 - of.emitted_m3 - of.stored_m3
    }
}

/// Multiplier of a pattern at a step; 1 of none.
fn multiplier(net: &Network, pattern: u32, step: usize) -> f64 {
    match net.patterns.get(pattern as usize) {
        Some(pattern) if !pattern.multipliers.is_empty() => pattern.multipliers[step % pattern.multipliers.len()],
        _ => 1.0,
    }
}

/// Whole seconds nearest to a time; 0 for times too far away to matter.
fn seconds(time_s: f64) -> u32 {
    if time_s.is_finite() && time_s > 0.0 && time_s < 1e9 { time_s.round() as u32 } else { 0 }
}

/// Efficiency at a flow, straight between points, and that of the ends beyond.
fn efficiency(points: &[[f64; 2]], flow: f64) -> f64 {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return 1.0 };
    if flow <= first[0] || points.len() < 2 {
        return first[1];
    }
    if flow >= last[0] {
        return last[1];
    }
    let k = points.partition_point(|point| point[0] <= flow).clamp(1, points.len() - 1);
    let ([x1, y1], [x2, y2]) = (points[k - 1], points[k]);
    y1 + (flow - x1) / (x2 - x1) * (y2 - y1)
}
