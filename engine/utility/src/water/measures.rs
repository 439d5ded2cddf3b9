//! Measures on a network of water and on those who draw from it: fewer leaks, less pressure, another price.
//!
//! | measure | what it does |
//! | --- | --- |
//! | fewer leaks | emitters at the junctions that serve an area lose a share of what they did at the same pressure |
//! | less pressure | set points of reducing valves go down by so many metres; for a whole network also the heads of reservoirs and tanks, as if a reducing valve stood behind each |
//! | price | draws change by `(1 + change)^elasticity`, a constant elasticity |
//!
//! Where demands do not depend on pressure, lowering a whole network takes the same off every pressure and leaves flows as
//! they were. Leaks by themselves follow `q = C p^n`: background losses and bursts of a whole network are near `n = 1`
//! (A. Lambert, What do we know about pressure-leakage relationships in distribution systems?, IWA 2001; recalled).
//!
//! Ignored: controls that look at the pressure of a junction, the energy that valves take off, how long people take to
//! change their habits. Contract: functions of the network and the measures.

use super::network::{LinkKind, Network, NodeKind};

/// Exponent of leaks of networks that are made up.
pub const LEAK_EXPONENT: f64 = 1.0;

/// A measure on the junctions that serve some buildings, or on all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaterMeasure {
    /// What is left of leaks, or metres off the pressure, or what draws are multiplied by.
    pub value: f64,
    /// By building; empty: the whole network.
    pub at: Vec<bool>,
}

impl WaterMeasure {
    /// Whether it holds at a building.
    #[must_use]
    pub fn holds(&self, building: usize) -> bool {
        self.at.is_empty() || self.at.get(building).copied().unwrap_or(false)
    }
    /// By node, whether it holds at a junction that serves a building, or everywhere.
    fn nodes(&self, nodes: usize, building_node: &[u32]) -> Vec<bool> {
        let mut holds = vec![self.at.is_empty(); nodes];
        let served = building_node.iter().enumerate().filter(|(building, _)| self.holds(*building));
        served.for_each(|(_, &node)| holds[node as usize] = true);
        holds
    }
}

impl WaterMeasure {
    /// Whether a junction at which it holds loses water.
    pub(crate) fn touches_leak(&self, net: &Network, building_node: &[u32]) -> bool {
        let holds = self.nodes(net.nodes.id.len(), building_node);
        net.nodes.emitter_m3ps.iter().zip(holds).any(|(&leak, holds)| holds && leak > 0.0)
    }
}

/// All measures on water; nothing by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaterMeasures {
    /// What is left of leaks, 0 to 1; of several at a place the least.
    pub leaks_left: Vec<WaterMeasure>,
    /// Metres off pressures; they add up.
    pub lower_m: Vec<WaterMeasure>,
    /// What draws are multiplied by; they multiply.
    pub draws: Vec<WaterMeasure>,
}

impl WaterMeasures {
    /// Whether there are any.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.leaks_left.is_empty() && self.lower_m.is_empty() && self.draws.is_empty()
    }
    /// By building, what draws are multiplied by; empty where nothing changes.
    #[must_use]
    pub fn draw_factors(&self, buildings: usize) -> Vec<f64> {
        if self.draws.is_empty() {
            return Vec::new();
        }
        let of = |row: usize| self.draws.iter().filter(|of| of.holds(row)).map(|of| of.value).product();
        (0..buildings).map(of).collect()
    }
    /// Puts leaks and pressures into a network whose buildings draw at nodes.
    pub fn change(&self, net: &mut Network, building_node: &[u32]) {
        let mut left = vec![1.0_f64; net.nodes.id.len()];
        for measure in &self.leaks_left {
            let holds = measure.nodes(left.len(), building_node);
            left.iter_mut()
                .zip(holds)
                .filter(|(_, holds)| *holds)
                .for_each(|(left, _)| *left = left.min(measure.value));
        }
        net.nodes.emitter_m3ps.iter_mut().zip(left).for_each(|(leak, left)| *leak *= left);
        for measure in &self.lower_m {
            for link in reducers(net, measure, building_node) {
                net.links.setting[link] = (net.links.setting[link] - measure.value).max(0.0);
            }
            if measure.at.is_empty() {
                let nodes = &mut net.nodes;
                for (head_m, _) in
                    nodes.elevation_m.iter_mut().zip(&nodes.kind).filter(|(_, kind)| **kind != NodeKind::Junction)
                {
                    *head_m -= measure.value;
                }
            }
        }
    }
}

/// Reducing valves to the junctions at which a measure holds.
#[must_use]
pub fn reducers(net: &Network, measure: &WaterMeasure, building_node: &[u32]) -> Vec<usize> {
    let holds = measure.nodes(net.nodes.id.len(), building_node);
    let links = &net.links;
    (0..links.id.len()).filter(|&link| links.kind[link] == LinkKind::Prv && holds[links.to[link] as usize]).collect()
}

/// Gives junctions leaks in proportion to what is drawn there, m3/s on the mean of a day: at a pressure they are a share of
/// all that is fed in.
pub(crate) fn add_leaks(net: &mut Network, building_node: &[u32], mean_m3ps: &[f64], share: f64, pressure_m: f64) {
    net.options.emitter_exponent = LEAK_EXPONENT;
    let at_1_m = share / (1.0 - share) / pressure_m.powf(LEAK_EXPONENT);
    for (&node, &drawn_m3ps) in building_node.iter().zip(mean_m3ps) {
        net.nodes.emitter_m3ps[node as usize] += drawn_m3ps * at_1_m;
    }
}

/// What draws are multiplied by when a price changes by a share of it, at a constant elasticity.
#[must_use]
pub fn price_factor(change: f64, elasticity: f64) -> f64 {
    (1.0 + change).powf(elasticity)
}
