//! A step of quality: parcels react, then each node mixes what comes to it, adds its source and sends it on.
//!
//! Contract: sequential; allocates nothing but new parcels.

use super::reactions::{self, Wall};
use super::{QualityRun, RESTS_M3PS};
use crate::water::network::{NodeKind, QualityKind, SourceKind};

impl QualityRun {
    /// What the walls do in these flows.
    pub(super) fn rates(&mut self) {
        if self.kind != QualityKind::Chemical {
            return;
        }
        for link in 0..self.from.len() {
            if !self.is_pipe[link] || self.wall[link].abs() <= 0.0 {
                continue;
            }
            let wall = Wall {
                diameter_m: self.diameter_m[link],
                length_m: self.length_m[link],
                flow_m3ps: self.flow_m3ps[link],
                viscosity_m2ps: self.viscosity_m2ps,
                diffusivity_m2ps: self.diffusivity_m2ps,
            };
            self.wall_rate[link] =
                if self.orders[2] > 0.0 { wall.first_order_per_s(self.wall[link]) } else { wall.transfer_mps() };
        }
    }

    pub(super) fn step(&mut self, dt_s: f64) {
        if self.has_reactions {
            self.react(dt_s);
        }
        for at in 0..self.order.len() {
            self.node_step(self.order[at] as usize, dt_s);
        }
    }

    fn react(&mut self, dt_s: f64) {
        let is_age = self.kind == QualityKind::Age;
        let ([bulk_order, tank_order, wall_order], limit) = (self.orders, self.limit);
        for link in 0..self.from.len() {
            if !self.is_pipe[link] {
                continue;
            }
            let (bulk, wall, rate, d) =
                (self.bulk_per_s[link], self.wall[link], self.wall_rate[link], self.diameter_m[link]);
            let lost = self.parcels.react(link, |c| {
                if is_age {
                    return c + dt_s;
                }
                let in_water = reactions::bulk_rate(c, bulk, bulk_order, limit);
                let at_wall = if wall.abs() <= 0.0 {
                    0.0
                } else if wall_order > 0.0 {
                    rate * c
                } else {
                    reactions::zero_order_rate(c, d, wall, rate)
                };
                (c + (in_water + at_wall) * dt_s).max(0.0)
            });
            self.ledger.reacted += lost;
        }
        for tank in &self.tanks {
            let bulk = tank.bulk_per_s;
            let lost = self.parcels.react(tank.row, |c| {
                if is_age { c + dt_s } else { (c + reactions::bulk_rate(c, bulk, tank_order, limit) * dt_s).max(0.0) }
            });
            self.ledger.reacted += lost;
        }
    }

    /// What comes to a node is mixed and sent on.
    fn node_step(&mut self, node: usize, dt_s: f64) {
        let (mut in_m3, mut mass, mut out_m3) = (0.0, 0.0, 0.0);
        let links = self.offset[node] as usize..self.offset[node + 1] as usize;
        for at in links.clone() {
            let link = self.incident[at] as usize;
            let volume = self.flow_m3ps[link].abs() * dt_s;
            if self.outlet(link) as usize == node {
                let (taken, with) = self.parcels.take(link, volume);
                in_m3 += taken;
                mass += with;
            } else {
                out_m3 += volume;
            }
        }
        let kind = self.node_kind[node];
        let demand = if kind == NodeKind::Junction { self.demand_m3ps[node] * dt_s } else { 0.0 };
        out_m3 += demand.max(0.0);
        let own = match kind {
            NodeKind::Junction => {
                in_m3 += (-demand).max(0.0);
                let own = if in_m3 > 0.0 {
                    mass / in_m3
                } else if self.has_reactions {
                    self.beside(node)
                } else {
                    self.node_quality[node]
                };
                self.ledger.unbalanced += own * (out_m3 - in_m3);
                own
            }
            NodeKind::Tank => match self.tanks.get(self.tank_of[node] as usize) {
                Some(tank) => {
                    let (own, missing) = tank.mix(&mut self.parcels, in_m3, mass, out_m3, self.tolerance);
                    self.ledger.unbalanced += own * missing;
                    own
                }
                None => self.node_quality[node],
            },
            NodeKind::Reservoir => {
                let own = self.initial_quality[node];
                self.ledger.drawn += mass;
                self.ledger.added += own * out_m3;
                own
            }
        };
        let sent = self.with_source(node, kind, own, out_m3, dt_s);
        self.ledger.added += (sent - own) * out_m3;
        self.ledger.drawn += sent * demand.max(0.0);
        // A tank is seen as its water is, without what its source adds.
        let is_traced = matches!(self.kind, QualityKind::Trace(traced) if traced as usize == node);
        self.node_quality[node] = if kind == NodeKind::Tank && !is_traced { own } else { sent };
        for at in links {
            let link = self.incident[at] as usize;
            let volume = self.flow_m3ps[link].abs() * dt_s;
            if volume > 0.0 && self.outlet(link) as usize != node {
                self.parcels.add(link, volume, sent, self.tolerance);
            }
        }
    }

    /// The quality that a node sends on: its own with its source.
    fn with_source(&self, node: usize, kind: NodeKind, own: f64, out_m3: f64, dt_s: f64) -> f64 {
        match self.kind {
            QualityKind::Trace(traced) => return if traced as usize == node { 1.0 } else { own },
            QualityKind::Chemical => {}
            QualityKind::Age | QualityKind::None => return own,
        }
        let Some(source) = self.sources.get(self.source_of[node] as usize) else { return own };
        if out_m3 / dt_s <= RESTS_M3PS {
            return own;
        }
        let pattern = match source.multipliers.len() {
            0 => 1.0,
            count => {
                let period = ((self.time_s + self.pattern_start_s) / self.pattern_step_s).floor();
                source.multipliers[period as usize % count]
            }
        };
        let strength = source.strength * pattern;
        match source.kind {
            // A junction needs inflow from outside to bring it.
            SourceKind::Concentration if kind == NodeKind::Junction => {
                own + strength * (-self.demand_m3ps[node]).max(0.0) * dt_s / out_m3
            }
            SourceKind::Concentration if kind == NodeKind::Reservoir => strength,
            SourceKind::Concentration | SourceKind::FlowPaced => own + strength,
            SourceKind::Mass => own + strength * dt_s / out_m3,
            SourceKind::Setpoint => own.max(strength),
        }
    }

    /// The mean of the water beside a node to which none comes.
    fn beside(&self, node: usize) -> f64 {
        let (mut sum, mut count) = (0.0, 0);
        for at in self.offset[node]..self.offset[node + 1] {
            let link = self.incident[at as usize] as usize;
            let is_outlet = self.outlet(link) as usize == node;
            let parcel = if is_outlet { self.parcels.at_outlet(link) } else { self.parcels.at_inlet(link) };
            if let Some((_, quality)) = parcel {
                sum += quality;
                count += 1;
            }
        }
        if count > 0 { sum / f64::from(count) } else { 0.0 }
    }
}
