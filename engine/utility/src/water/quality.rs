//! Water quality: a chemical that reacts, the age of water, or the share of it that comes from a node, carried by flows that
//! are steady for a while.
//!
//! Parcels of water move through pipes (Lagrangian time-driven method, Liou and Kroon 1987, as in EPANET 2.2, Users Manual
//! ch. 3.4): in each step of quality parcels react, then nodes are taken in the order of the flow. Each mixes what its
//! pipes bring, adds its source, and sends its quality into the pipes that leave it: into the parcel there where that is
//! closer than the tolerance, else as a parcel of its own. Without dispersion; pumps and valves have no volume of their own.
//! Reactions are steps of Euler, as in EPANET. For ages quality is seconds, for traces a share.
//!
//! Beyond EPANET: mass is accounted for without rest ([`Ledger`]); check valves are pipes like others (there they begin
//! empty and do not react); a pipe turns its parcels also when its flow rested between two directions; a reservoir's source
//! adds to what it begins with; tanks take over the solver's volumes.
//!
//! Contract: sequential and deterministic, a function of the calls alone; no allocation once there are as many parcels as
//! there will be.

mod parcels;
mod reactions;
mod tanks;

use super::network::{LinkKind, NONE, Network, NodeKind, QualityKind, SourceKind};
use parcels::Parcels;
use reactions::Wall;
use std::f64::consts::FRAC_PI_4;
use tanks::Tank;

/// Flow below which water rests, m3/s: 0.005 gallons per minute.
const RESTS_M3PS: f64 = 0.005 / 448.831 * 0.3048 * 0.3048 * 0.3048;

/// Where mass went since the start: kg of a chemical, m3 s of an age, m3 of a trace.
///
/// `initial + added + unbalanced = stored + drawn + reacted`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ledger {
    /// In pipes and tanks at the start.
    pub initial: f64,
    /// From sources, reservoirs and what flows in at nodes.
    pub added: f64,
    /// In pipes and tanks now.
    pub stored: f64,
    /// With demands, into reservoirs, and over the brim of tanks.
    pub drawn: f64,
    /// Gone by reactions; negative where they make more, as ages do.
    pub reacted: f64,
    /// With volumes by which the flows given do not balance at nodes: none where they do.
    pub unbalanced: f64,
}

impl Ledger {
    /// How far the account is from closing, over its largest entry.
    #[must_use]
    pub fn error(&self) -> f64 {
        let rest = self.initial + self.added + self.unbalanced - self.stored - self.drawn - self.reacted;
        let entries = [self.initial, self.added, self.stored, self.drawn, self.reacted, self.unbalanced];
        let largest = entries.iter().fold(0.0_f64, |largest, entry| largest.max(entry.abs()));
        if largest > 0.0 { rest.abs() / largest } else { 0.0 }
    }
}

/// A source with its pattern.
#[derive(Clone, Debug)]
struct Source {
    kind: SourceKind,
    strength: f64,
    multipliers: Vec<f64>,
}

/// Water quality of a network over time.
#[derive(Clone, Debug)]
pub struct QualityRun {
    kind: QualityKind,
    orders: [f64; 3],
    limit: f64,
    tolerance: f64,
    viscosity_m2ps: f64,
    diffusivity_m2ps: f64,
    step_s: f64,
    pattern_step_s: f64,
    pattern_start_s: f64,
    time_s: f64,
    node_kind: Vec<NodeKind>,
    /// Quality of reservoirs without their sources.
    initial_quality: Vec<f64>,
    node_quality: Vec<f64>,
    /// Row of `sources` by node.
    source_of: Vec<u32>,
    sources: Vec<Source>,
    /// Row of `tanks` by node.
    tank_of: Vec<u32>,
    tanks: Vec<Tank>,
    from: Vec<u32>,
    to: Vec<u32>,
    is_pipe: Vec<bool>,
    length_m: Vec<f64>,
    diameter_m: Vec<f64>,
    bulk_per_s: Vec<f64>,
    wall: Vec<f64>,
    /// What [`Self::rates`] makes of the wall for the flow.
    wall_rate: Vec<f64>,
    has_reactions: bool,
    flow_m3ps: Vec<f64>,
    demand_m3ps: Vec<f64>,
    /// Whether a link's parcels have their outlet at `from`.
    is_turned: Vec<bool>,
    /// Links of nodes: offsets by node, and links.
    offset: Vec<u32>,
    incident: Vec<u32>,
    /// Nodes in the order of the flow, with what finding it needs.
    order: Vec<u32>,
    inflows: Vec<u32>,
    stack: Vec<u32>,
    /// Sorted nodes that may have neighbours that wait.
    open: Vec<u32>,
    parcels: Parcels,
    ledger: Ledger,
}

impl QualityRun {
    /// At the start of a network's time: pipes have the quality of the node they lead to, tanks their own.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let (nodes, links, quality) = (&network.nodes, &network.links, &network.quality);
        let (node_count, link_count) = (nodes.id.len(), links.id.len());
        let is_trace = matches!(quality.kind, QualityKind::Trace(_));
        let mut node_quality = nodes.initial_quality.clone();
        if let QualityKind::Trace(node) = quality.kind {
            // As in EPANET a trace begins with none but at its node and in tanks.
            node_quality.fill(0.0);
            if let Some(traced) = node_quality.get_mut(node as usize) {
                *traced = 1.0;
            }
        }
        let is_pipe: Vec<bool> =
            links.kind.iter().map(|kind| matches!(kind, LinkKind::Pipe | LinkKind::CheckValve)).collect();
        let mut parcels = Parcels::new(link_count + network.tanks.node.len());
        for link in (0..link_count).filter(|link| is_pipe[*link]) {
            let area = FRAC_PI_4 * links.diameter_m[link] * links.diameter_m[link];
            parcels.push(link, area * links.length_m[link], node_quality[links.to[link] as usize]);
        }
        let mut tank_of = vec![NONE; node_count];
        let tanks: Vec<Tank> =
            (0..network.tanks.node.len()).map(|at| Tank::new(network, at, link_count + at)).collect();
        for (at, tank) in tanks.iter().enumerate() {
            tank_of[tank.node as usize] = at as u32;
            tank.fill(&mut parcels, nodes.initial_quality[tank.node as usize]);
        }
        let mut source_of = vec![NONE; node_count];
        let mut sources = Vec::new();
        for source in &quality.sources {
            source_of[source.node as usize] = sources.len() as u32;
            let pattern = network.patterns.get(source.pattern as usize);
            sources.push(Source {
                kind: source.kind,
                strength: source.strength,
                multipliers: pattern.map(|pattern| pattern.multipliers.clone()).unwrap_or_default(),
            });
        }
        let (offset, incident) = incidence(node_count, &links.from, &links.to);
        let bulk_per_s: Vec<f64> =
            links.bulk_per_s.iter().map(|bulk| if bulk.is_nan() { quality.bulk_per_s } else { *bulk }).collect();
        let wall: Vec<f64> = (0..link_count)
            .map(|link| if links.wall_mps[link].is_nan() { general_wall(network, link) } else { links.wall_mps[link] })
            .collect();
        let reacts = |of: &[f64]| of.iter().zip(&is_pipe).any(|(k, is_pipe)| *is_pipe && k.abs() > 0.0);
        let has_reactions = quality.kind == QualityKind::Age
            || (!is_trace
                && (reacts(&bulk_per_s) || reacts(&wall) || tanks.iter().any(|tank| tank.bulk_per_s.abs() > 0.0)));
        let mut run = Self {
            kind: quality.kind,
            orders: quality.orders,
            limit: quality.limit,
            tolerance: quality.tolerance,
            viscosity_m2ps: network.options.viscosity_m2ps,
            diffusivity_m2ps: quality.diffusivity_m2ps,
            step_s: f64::from(network.times.quality_step_s.max(1)),
            pattern_step_s: f64::from(network.times.pattern_step_s.max(1)),
            pattern_start_s: f64::from(network.times.pattern_start_s),
            time_s: 0.0,
            node_kind: nodes.kind.clone(),
            initial_quality: node_quality.clone(),
            node_quality,
            source_of,
            sources,
            tank_of,
            tanks,
            from: links.from.clone(),
            to: links.to.clone(),
            is_pipe,
            length_m: links.length_m.clone(),
            diameter_m: links.diameter_m.clone(),
            bulk_per_s,
            wall,
            wall_rate: vec![0.0; link_count],
            has_reactions,
            flow_m3ps: vec![0.0; link_count],
            demand_m3ps: vec![0.0; node_count],
            is_turned: vec![false; link_count],
            offset,
            incident,
            order: Vec::with_capacity(node_count),
            inflows: vec![0; node_count],
            stack: Vec::with_capacity(node_count),
            open: Vec::with_capacity(node_count),
            parcels,
            ledger: Ledger::default(),
        };
        run.ledger.initial = run.stored();
        run.ledger.stored = run.ledger.initial;
        run
    }

    /// Carries quality through a time of steady flows: by link, positive from `from` to `to` (0 of what is closed); volumes
    /// of tanks at its begin, by row of the network's tanks; demands by node, emitters with them, negative where water
    /// comes in (those of tanks and reservoirs are not looked at). Steps are at most those of the network's quality.
    pub fn advance(&mut self, flows_m3ps: &[f64], tank_volumes_m3: &[f64], demands_m3ps: &[f64], dt_s: f64) {
        if self.kind == QualityKind::None {
            self.time_s += dt_s;
            return;
        }
        self.flow_m3ps.iter_mut().zip(flows_m3ps).for_each(|(own, flow)| *own = *flow);
        self.demand_m3ps.iter_mut().zip(demands_m3ps).for_each(|(own, demand)| *own = *demand);
        self.take_over_volumes(tank_volumes_m3);
        for link in 0..self.from.len() {
            let is_back = self.flow_m3ps[link] < 0.0;
            if self.flow_m3ps[link].abs() > 0.0 && is_back != self.is_turned[link] {
                self.parcels.turn(link);
                self.is_turned[link] = is_back;
            }
        }
        self.sort_nodes();
        self.rates();
        let mut left_s = dt_s;
        while left_s > 0.0 {
            let step_s = left_s.min(self.step_s);
            self.step(step_s);
            left_s -= step_s;
        }
        self.time_s += dt_s;
        self.ledger.stored = self.stored();
    }

    /// Quality at nodes: kg/m3, s or a share; what leaves a tank.
    #[must_use]
    pub fn node_quality(&self) -> &[f64] {
        &self.node_quality
    }

    /// Mean quality of a link; of one without water, the mean of its nodes.
    #[must_use]
    pub fn link_quality(&self, link: u32) -> f64 {
        let (volume, mass) = self.parcels.sums(link as usize);
        if volume > 0.0 {
            return mass / volume;
        }
        let at = |nodes: &[u32]| self.node_quality[nodes[link as usize] as usize];
        0.5 * (at(&self.from) + at(&self.to))
    }

    /// Where mass went.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// Seconds since the start.
    #[must_use]
    pub fn time_s(&self) -> f64 {
        self.time_s
    }

    fn stored(&self) -> f64 {
        (0..self.from.len() + self.tanks.len()).map(|row| self.parcels.sums(row).1).sum()
    }

    /// The solver's volumes: what a tank has too much has run over or was never there.
    fn take_over_volumes(&mut self, volumes_m3: &[f64]) {
        for (tank, volume) in self.tanks.iter().zip(volumes_m3) {
            let own = self.parcels.sums(tank.row).0;
            let more = volume - own;
            if more > 0.0 {
                let parcel = match tank.mixing {
                    super::network::Mixing::Fifo => self.parcels.at_inlet(tank.row),
                    _ => self.parcels.at_outlet(tank.row),
                };
                let mass = more * parcel.map_or(0.0, |parcel| parcel.1);
                tank.mix(&mut self.parcels, more, mass, 0.0, self.tolerance);
                self.ledger.unbalanced += mass;
            } else if more < 0.0 {
                let (quality, missing) = tank.mix(&mut self.parcels, 0.0, 0.0, -more, self.tolerance);
                let mass = (-more - missing) * quality;
                if tank.can_overflow {
                    self.ledger.drawn += mass;
                } else {
                    self.ledger.unbalanced -= mass;
                }
            }
        }
    }

    /// Nodes so that flow comes from earlier ones; where flows go round, the circle is entered beside what is known.
    fn sort_nodes(&mut self) {
        let moves = |link: usize, flows: &[f64]| flows[link].abs() >= RESTS_M3PS;
        self.inflows.fill(0);
        for link in 0..self.from.len() {
            if moves(link, &self.flow_m3ps) {
                let to = self.outlet(link);
                self.inflows[to as usize] += 1;
            }
        }
        self.order.clear();
        self.stack.clear();
        self.stack.extend((0..self.inflows.len() as u32).filter(|node| self.inflows[*node as usize] == 0));
        self.open.clear();
        let mut next_node = 0;
        while self.order.len() < self.inflows.len() {
            if self.stack.is_empty() {
                let Some(node) = self.entry(&mut next_node) else { return };
                self.inflows[node as usize] = 0;
                self.stack.push(node);
            }
            let Some(node) = self.stack.pop() else { return };
            self.order.push(node);
            self.open.push(node);
            for at in (self.offset[node as usize]..self.offset[node as usize + 1]).rev() {
                let link = self.incident[at as usize] as usize;
                let to = self.outlet(link);
                if moves(link, &self.flow_m3ps) && to != node && self.inflows[to as usize] > 0 {
                    self.inflows[to as usize] -= 1;
                    if self.inflows[to as usize] == 0 {
                        self.stack.push(to);
                    }
                }
            }
        }
    }

    /// A node that still waits for water, beside the last one that does not; else the first that waits. Of equal ones the
    /// choice is EPANET's, as a step's delay depends on it.
    fn entry(&mut self, next_node: &mut usize) -> Option<u32> {
        while let Some(node) = self.open.last().copied() {
            for at in (self.offset[node as usize]..self.offset[node as usize + 1]).rev() {
                let link = self.incident[at as usize] as usize;
                let other = if self.from[link] == node { self.to[link] } else { self.from[link] };
                if self.inflows[other as usize] > 0 {
                    return Some(other);
                }
            }
            // All its neighbours are sorted, and stay so.
            self.open.pop();
        }
        while *next_node < self.inflows.len() {
            if self.inflows[*next_node] > 0 {
                return Some(*next_node as u32);
            }
            *next_node += 1;
        }
        None
    }

    /// The node a link's water comes out at.
    fn outlet(&self, link: usize) -> u32 {
        if self.is_turned[link] { self.from[link] } else { self.to[link] }
    }

    /// What the walls do in these flows.
    fn rates(&mut self) {
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

    fn step(&mut self, dt_s: f64) {
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

/// Links at each node: offsets and rows.
fn incidence(nodes: usize, from: &[u32], to: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut offset = vec![0_u32; nodes + 1];
    for end in from.iter().chain(to) {
        offset[*end as usize + 1] += 1;
    }
    for node in 0..nodes {
        offset[node + 1] += offset[node];
    }
    let (mut next, mut incident) = (offset.clone(), vec![0; from.len() + to.len()]);
    for (link, ends) in from.iter().zip(to).enumerate() {
        for end in [*ends.0, *ends.1] {
            incident[next[end as usize] as usize] = link as u32;
            next[end as usize] += 1;
        }
    }
    (offset, incident)
}

/// The wall of a pipe without one of its own: the general one, or by roughness.
fn general_wall(network: &Network, link: usize) -> f64 {
    use super::network::HeadLoss;
    let (quality, links) = (&network.quality, &network.links);
    let correlation = quality.roughness_correlation;
    if correlation.abs() <= 0.0 {
        return quality.wall;
    }
    let roughness = links.roughness[link];
    match network.options.head_loss {
        _ if roughness <= 0.0 => 0.0,
        HeadLoss::HazenWilliams => correlation / roughness,
        HeadLoss::DarcyWeisbach => correlation / (roughness / links.diameter_m[link]).ln().abs().max(1e-6),
        HeadLoss::ChezyManning => correlation * roughness,
    }
}
