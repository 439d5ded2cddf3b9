//! Water quality: a chemical that reacts, the age of water, or the share of it that comes from a node, carried by flows that
//! are steady for a while.
//!
//! Parcels of water move through pipes (Lagrangian time-driven method, Liou and Kroon 1987, as in EPANET 2.2, Users Manual
//! ch. 3.4): in each step of quality parcels react, then nodes are taken in the order of the flow. Each mixes what its
//! pipes bring, adds its source, and sends its quality into the pipes that leave it: into the parcel there where that is
//! closer than the tolerance, else as a parcel of its own. Without dispersion; pumps and valves have no volume of their own.
//! Reactions are steps of Euler, as in EPANET. For ages quality is seconds, for traces a share.
//!
//! Where flows go round, as from a tank by a pump and back, some node is taken before what comes to it; the choice is
//! EPANET's.
//!
//! Other than in EPANET: mass is accounted for without rest ([`Ledger`]); check valves are pipes like others (there they
//! begin empty, so that water passes at once, and do not react); a pipe turns its parcels also when its flow rested between
//! two directions; flows near nothing go their own way, not that of the pipe; a reservoir's source adds to what it begins
//! with; tanks take over the solver's volumes.
//!
//! Contract: sequential and deterministic, a function of the calls alone; no allocation once there are as many parcels as
//! there will be.

mod ledger;
mod order;
mod parcels;
mod reactions;
mod route;
mod tanks;

pub use ledger::Ledger;

use super::network::{LinkKind, NONE, Network, NodeKind, QualityKind, SourceKind};
use parcels::Parcels;
use std::f64::consts::FRAC_PI_4;
use tanks::Tank;

/// Flow below which water rests, m3/s: 0.005 gallons per minute.
const RESTS_M3PS: f64 = 0.005 / 448.831 * 0.3048 * 0.3048 * 0.3048;

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
        let (offset, incident) = order::incidence(node_count, &links.from, &links.to);
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

    /// The node a link's water comes out at.
    fn outlet(&self, link: usize) -> u32 {
        if self.is_turned[link] { self.from[link] } else { self.to[link] }
    }
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
