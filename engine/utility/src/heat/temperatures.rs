//! Steady temperatures at given flows. Water leaves a link of length `L` at
//!
//! ```text
//! T_out = T_g + (T_in - T_g) exp(-U pi d_o L / (cp |m|)) - Q / (cp |m|)
//! ```
//!
//! with the temperature of the ground `T_g` and the mean `cp` of the heat capacities at both ends; a node mixes what
//! arrives, `sum m cp (T_out - T) = 0`. What stands still has the ambient temperature. Definitions are those of
//! pandapipes. Nodes are visited along the flow; where flow runs in a circle without a plant, again and again until
//! nothing changes.
//!
//! Contract: no allocation after [`Temperatures::new`]; sums run in the order of links.

use crate::pipes::fluid::Fluid;
use crate::pipes::network::{HeatRule, Network};
use crate::pipes::solver::Hydraulics;
use crate::snapshot::Snapshot;

/// Flow below which water counts as standing, kg/s.
pub const STANDING_KGPS: f64 = 1e-10;
const ROUNDS: u32 = 1000;

/// Links around nodes, by node.
#[derive(Clone, Debug)]
pub(super) struct Around {
    start: Vec<u32>,
    link: Vec<u32>,
}

impl Around {
    pub(super) fn new(network: &Network) -> Self {
        let (links, nodes) = (&network.links, network.nodes.len());
        let mut start = vec![0_u32; nodes + 1];
        for node in links.from.iter().chain(&links.to) {
            start[*node as usize + 1] += 1;
        }
        (0..nodes).for_each(|node| start[node + 1] += start[node]);
        let mut next = start.clone();
        let mut link = vec![0_u32; 2 * links.len()];
        for of in 0..links.len() {
            for node in [links.from[of], links.to[of]] {
                link[next[node as usize] as usize] = of as u32;
                next[node as usize] += 1;
            }
        }
        Self { start, link }
    }
    /// Links of a node, ascending.
    pub(super) fn of(&self, node: usize) -> &[u32] {
        &self.link[self.start[node] as usize..self.start[node + 1] as usize]
    }
}

/// Where the water of a link comes from and goes to.
pub(super) fn ends(network: &Network, hydraulics: &Hydraulics, link: usize) -> (usize, usize) {
    let (from, to) = (network.links.from[link] as usize, network.links.to[link] as usize);
    if hydraulics.mdot_kgps[link] < 0.0 { (to, from) } else { (from, to) }
}

/// Flow of a live link, kg/s without sign; 0 where it stands or is not live.
pub(super) fn flow_of(hydraulics: &Hydraulics, link: usize) -> f64 {
    let m = hydraulics.mdot_kgps[link].abs();
    if hydraulics.supply().is_live[link] && m > STANDING_KGPS { m } else { 0.0 }
}

/// Temperatures of nodes and of what leaves links, K.
#[derive(Clone, Debug)]
pub struct Temperatures {
    /// Shape: nodes; NaN without supply.
    pub node_k: Vec<f64>,
    /// Temperature at which water leaves. Shape: links; NaN without supply.
    pub out_k: Vec<f64>,
    /// Temperature at which water enters from outside. Shape: nodes.
    pub feed_k: Vec<f64>,
    /// Whether a feeder gives the temperature of what enters a node; sources elsewhere feed in at that of the node, as in
    /// pandapipes, or where nothing else arrives at the one to begin with. Shape: nodes.
    pub is_fed_at: Vec<bool>,
    around: Around,
    /// What enters a node from outside, kg/s.
    feed_kgps: Vec<f64>,
    waits_for: Vec<u32>,
    queue: Vec<u32>,
}

impl Temperatures {
    /// Room for a network; temperatures are those to begin with.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let nodes = network.nodes.len();
        let mut this = Self {
            node_k: network.nodes.t_start_k.clone(),
            out_k: network.links.t_out_start_k.clone(),
            feed_k: network.nodes.t_start_k.clone(),
            is_fed_at: vec![false; nodes],
            around: Around::new(network),
            feed_kgps: vec![0.0; nodes],
            waits_for: vec![0; nodes],
            queue: Vec::with_capacity(nodes),
        };
        for (node, t_k) in
            network.feeds.iter().filter(|feed| feed.is_in_service).filter_map(|feed| Some((feed.node, feed.t_k?)))
        {
            this.feed_k[node as usize] = t_k;
            this.node_k[node as usize] = t_k;
            this.is_fed_at[node as usize] = true;
        }
        this
    }
    /// What a solve starts from and what it leaves; see [`Snapshot`].
    pub fn snapshot(&mut self, of: &mut Snapshot) {
        of.numbers(&mut self.node_k);
        of.numbers(&mut self.out_k);
    }
    /// Looks anew which feeders in service give a temperature.
    pub(super) fn follow_feeds(&mut self, network: &Network) {
        self.is_fed_at.fill(false);
        for feed in network.feeds.iter().filter(|feed| feed.is_in_service) {
            if let Some(t_k) = feed.t_k {
                self.feed_k[feed.node as usize] = t_k;
                self.is_fed_at[feed.node as usize] = true;
            }
        }
    }
    /// Finds the temperatures at the flows at hand. Returns whether they are found and the largest change of the last
    /// round, K.
    pub fn solve(&mut self, network: &Network, hydraulics: &Hydraulics, ambient_k: f64) -> (bool, f64) {
        hydraulics.feeds_kgps(network, &mut self.feed_kgps);
        for (feed, draw) in self.feed_kgps.iter_mut().zip(&hydraulics.draw_kgps) {
            *feed = feed.max(0.0) + (-draw).max(0.0);
        }
        let mut change = f64::INFINITY;
        let mut is_circle = false;
        for round in 0..ROUNDS {
            if round > 0 && (!is_circle || change <= 1e-10) {
                break;
            }
            (is_circle, change) = self.round(network, hydraulics, ambient_k);
            if !change.is_finite() {
                return (false, change);
            }
        }
        (!is_circle || change <= 1e-10, if is_circle { change } else { 0.0 })
    }
    /// Visits every node once, along the flow; says whether it runs in circles and the largest change.
    fn round(&mut self, network: &Network, hydraulics: &Hydraulics, ambient_k: f64) -> (bool, f64) {
        let waits =
            |link: usize| !matches!(network.links.heat[link], HeatRule::Outlet(_)) && flow_of(hydraulics, link) > 0.0;
        self.waits_for.fill(0);
        for link in (0..network.links.len()).filter(|&link| waits(link)) {
            self.waits_for[ends(network, hydraulics, link).1] += 1;
        }
        self.queue.clear();
        for link in 0..network.links.len() {
            if let HeatRule::Outlet(t_k) = network.links.heat[link] {
                self.out_k[link] = t_k;
            }
            if !hydraulics.supply().is_live[link] {
                self.out_k[link] = f64::NAN;
            } else if flow_of(hydraulics, link) <= 0.0 {
                self.out_k[link] = ambient_k;
            }
        }
        self.queue.extend((0..self.node_k.len()).filter(|&node| self.waits_for[node] == 0).map(|node| node as u32));
        let (mut done, mut change, mut is_circle, mut first) = (0, 0.0_f64, false, 0);
        loop {
            while done < self.queue.len() {
                let node = self.queue[done] as usize;
                done += 1;
                let t_k = self.mix(network, hydraulics, node, ambient_k);
                if hydraulics.supply().is_supplied[node] {
                    change = change.max((t_k - self.node_k[node]).abs());
                }
                self.node_k[node] = t_k;
                for at in 0..self.around.of(node).len() {
                    let link = self.around.of(node)[at] as usize;
                    let (start, end) = ends(network, hydraulics, link);
                    if start != node || !waits(link) {
                        continue;
                    }
                    self.out_k[link] = outlet_k(network, link, flow_of(hydraulics, link), t_k, self.out_k[link]);
                    // A node where a circle was begun has been visited already.
                    if self.waits_for[end] > 0 {
                        self.waits_for[end] -= 1;
                        if self.waits_for[end] == 0 {
                            self.queue.push(end as u32);
                        }
                    }
                }
            }
            // What is left waits for itself: begin at the first of it, with what is known of the round before.
            let Some(node) = (first..self.node_k.len()).find(|&node| self.waits_for[node] > 0) else { break };
            is_circle = true;
            first = node + 1;
            self.waits_for[node] = 0;
            self.queue.push(node as u32);
        }
        (is_circle, change)
    }
    /// Temperature of a node by what arrives.
    fn mix(&self, network: &Network, hydraulics: &Hydraulics, node: usize, ambient_k: f64) -> f64 {
        if !hydraulics.supply().is_supplied[node] {
            return f64::NAN;
        }
        let feed = if self.feed_kgps[node] > STANDING_KGPS { self.feed_kgps[node] } else { 0.0 };
        let (fluid, mut t_k) = (&network.fluid, self.node_k[node]);
        if !t_k.is_finite() {
            t_k = self.feed_k[node];
        }
        for _ in 0..50 {
            let weight = |m: f64, of_k: f64| m * fluid.mean_heat_capacity_jpkgk(of_k, t_k);
            let (mut sum, mut total) = (0.0, 0.0);
            for &link in self.around.of(node) {
                let link = link as usize;
                let m = flow_of(hydraulics, link);
                if m > 0.0 && ends(network, hydraulics, link).1 == node {
                    let w = weight(m, self.out_k[link]);
                    (sum, total) = (sum + w * self.out_k[link], total + w);
                }
            }
            let is_alone = total.abs() <= 0.0;
            if is_alone && feed <= 0.0 {
                return ambient_k;
            }
            if feed > 0.0 && (is_alone || self.is_fed_at[node]) {
                let w = weight(feed, self.feed_k[node]);
                (sum, total) = (sum + w * self.feed_k[node], total + w);
            }
            let before = std::mem::replace(&mut t_k, sum / total);
            if (t_k - before).abs() <= 1e-13 * t_k.abs() {
                break;
            }
        }
        t_k
    }
}

/// Temperature at which water leaves a link, K; `guess_k` begins the iteration.
pub(super) fn outlet_k(network: &Network, link: usize, mdot_kgps: f64, t_in_k: f64, guess_k: f64) -> f64 {
    let (links, fluid): (_, &Fluid) = (&network.links, &network.fluid);
    let q_w = match links.heat[link] {
        HeatRule::Outlet(t_k) => return t_k,
        HeatRule::Drop(drop_k) => return t_in_k - drop_k,
        HeatRule::Draw(q_w) => q_w,
    };
    let (ground_k, loss_wpk) = (links.ground_k[link], links.loss_wpk(link));
    let mut t_k = if guess_k.is_finite() { guess_k } else { t_in_k };
    for _ in 0..100 {
        let flow_wpk = fluid.mean_heat_capacity_jpkgk(t_in_k, t_k) * mdot_kgps;
        let next = ground_k + (t_in_k - ground_k) * (-loss_wpk / flow_wpk).exp() - q_w / flow_wpk;
        let before = std::mem::replace(&mut t_k, next);
        if (t_k - before).abs() <= 1e-13 * t_k.abs() {
            break;
        }
    }
    t_k
}
