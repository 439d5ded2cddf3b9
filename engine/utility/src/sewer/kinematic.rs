//! Steady flow and kinematic waves: links in order from their sources down.
//!
//! A kinematic wave solves dA/dt + dQ/dx = 0 with Q = beta A R^(2/3), in areas and flows over those of a full conduit,
//! by a scheme weighted 0.6 in space and time, whose outlet area is found by Newton's method within a bracket. What a
//! conduit cannot take stays at its upper node and floods. Basins are balanced over the step by successive approximation.
//! Source: Reference Manual Vol. II, chapters 3 and 4. Contract: links in order on one thread.

use super::network::{LinkKind, Method, NodeKind, Sewer};
use super::regulators::inflow;
use super::section::CircleCurves;
use super::state::State;
use super::units::{DRY_FLOW_M3PS, DRY_VOLUME_M3, FOOT_M};

/// Weight of the far end and of the end of the step.
pub(super) const WEIGHT_SPACE: f64 = 0.6;
pub(super) const WEIGHT_TIME: f64 = 0.6;
/// Tolerance of areas over the full area.
const TOLERANCE: f64 = 0.001;
/// Flow over full flow that is none.
const NO_FLOW: f64 = 1e-6;
/// Share of a new depth of a basin, iterations, tolerance of depths (0.005 ft).
const RELAXED: f64 = 0.55;
const MOST_TRIALS: u32 = 10;
const STOP_M: f64 = 0.005 * FOOT_M;

/// Order of links.
#[derive(Clone, Debug)]
pub(crate) struct Kinematic {
    order: Vec<u32>,
    is_done: Vec<bool>,
    circles: CircleCurves,
}

/// Links from sources down: those of a node follow each other, a divider's diverted link comes second. A branch is followed
/// down as far as it goes before the next one begins, in the order of nodes, so that what is near in a file is near in
/// time. The rest of the links, which lie on a loop, are the error.
pub(crate) fn order_of_links(sewer: &Sewer) -> Result<Vec<u32>, Vec<u32>> {
    let (nodes, links) = (sewer.nodes.id.len(), sewer.links.id.len());
    let mut out: Vec<Vec<u32>> = vec![Vec::new(); nodes];
    let mut incoming = vec![0_u32; nodes];
    for link in 0..links {
        out[sewer.links.from[link] as usize].push(link as u32);
        incoming[sewer.links.to[link] as usize] += 1;
    }
    for (node, of) in out.iter_mut().enumerate() {
        if let NodeKind::Divider(row) = sewer.nodes.kind[node]
            && of.len() == 2
            && of[0] == sewer.dividers[row as usize].link
        {
            of.swap(0, 1);
        }
    }
    let mut ready: Vec<usize> = (0..nodes).rev().filter(|&node| incoming[node] == 0).collect();
    let mut order = Vec::with_capacity(links);
    while let Some(node) = ready.pop() {
        for &link in &out[node] {
            order.push(link);
            let to = sewer.links.to[link as usize] as usize;
            incoming[to] -= 1;
            if incoming[to] == 0 {
                ready.push(to);
            }
        }
    }
    if order.len() == links {
        return Ok(order);
    }
    let mut is_in = vec![false; links];
    order.iter().for_each(|&link| is_in[link as usize] = true);
    Err((0..links as u32).filter(|&link| !is_in[link as usize]).collect())
}

impl Kinematic {
    /// With links in order; those on loops, which the reader refuses, come last.
    pub(crate) fn new(sewer: &Sewer) -> Self {
        let order = order_of_links(sewer).unwrap_or_else(|_| (0..sewer.links.id.len() as u32).collect());
        Self { order, is_done: vec![false; sewer.nodes.id.len()], circles: CircleCurves::new() }
    }
    /// One step.
    pub(crate) fn step(&mut self, sewer: &Sewer, state: &mut State, step_s: f64) {
        self.is_done.fill(false);
        for node in 0..sewer.nodes.id.len() {
            // Water that ponds drains into the links again; basins see to their own.
            if sewer.is_storage(node) {
                state.nodes.overflow_m3ps[node] = 0.0;
            }
        }
        for at in 0..self.order.len() {
            let link = self.order[at] as usize;
            let from = sewer.links.from[link] as usize;
            if sewer.is_storage(from) && !self.is_done[from] {
                self.is_done[from] = true;
                self.basin(sewer, state, from, Some(at), step_s);
            }
            let mut flow_in = link_inflow(sewer, state, link, step_s);
            let flow_out = match (sewer.conduit_of(link), sewer.options.method) {
                (None, _) => flow_in,
                (Some(row), Method::Steady) => steady(sewer, state, &self.circles, row, &mut flow_in),
                (Some(row), _) => wave(sewer, state, &self.circles, row, &mut flow_in, step_s),
            };
            state.links.flow_m3ps[link] = flow_out;
            state.nodes.outflow_m3ps[from] += flow_in;
            state.nodes.inflow_m3ps[sewer.links.to[link] as usize] += flow_out;
        }
        for node in 0..sewer.nodes.id.len() {
            if !sewer.is_storage(node) {
                manhole(sewer, state, node, step_s);
            } else if !self.is_done[node] {
                self.basin(sewer, state, node, None, step_s);
            }
        }
        for link in 0..sewer.links.id.len() {
            link_depths(sewer, state, &self.circles, link);
        }
    }

    /// Balances a basin: v = v0 + (mean net inflow) dt, where outflow follows from depth.
    fn basin(&self, sewer: &Sewer, state: &mut State, node: usize, at: Option<usize>, step_s: f64) {
        let of = &state.nodes;
        let net = of.old_net_m3ps[node] + of.inflow_m3ps[node] - of.outflow_m3ps[node];
        let fixed = of.old_volume_m3[node] + 0.5 * net * step_s;
        let mut depth = of.depth_m[node];
        let can_pond = sewer.options.has_ponding && sewer.nodes.ponded_area_m2[node] > 0.0;
        for _ in 1..MOST_TRIALS {
            let mut outflow = 0.0;
            for &link in at.map_or(&[][..], |at| &self.order[at..]) {
                if sewer.links.from[link as usize] as usize != node {
                    break;
                }
                outflow += link_inflow(sewer, state, link as usize, step_s);
            }
            let mut volume = (fixed - 0.5 * outflow * step_s).max(0.0);
            let full = state.nodes.full_volume_m3[node];
            state.nodes.overflow_m3ps[node] = 0.0;
            if volume > full {
                let overflow = (volume - full.max(state.nodes.old_volume_m3[node])) / step_s;
                state.nodes.overflow_m3ps[node] = if overflow < DRY_FLOW_M3PS { 0.0 } else { overflow };
                if !can_pond {
                    volume = full;
                }
            }
            state.nodes.volume_m3[node] = volume;
            let next = (1.0 - RELAXED) * depth + RELAXED * state.depth_of_volume(sewer, node, volume);
            state.nodes.depth_m[node] = next;
            let is_settled = (next - depth).abs() <= STOP_M;
            depth = next;
            if is_settled {
                break;
            }
        }
    }
}

/// Flow into a link, at most what its node can give.
fn link_inflow(sewer: &Sewer, state: &mut State, link: usize, step_s: f64) -> f64 {
    let node = sewer.links.from[link] as usize;
    let has_flow = matches!(sewer.links.kind[link], LinkKind::Conduit(_) | LinkKind::Pump(_)) || sewer.is_storage(node);
    let flow = if has_flow { inflow(sewer, state, link) } else { 0.0 };
    state.most_outflow(node, flow, step_s)
}

/// Steady flow: what comes in goes out, up to full flow.
fn steady(sewer: &Sewer, state: &mut State, circles: &CircleCurves, row: usize, flow_in: &mut f64) -> f64 {
    let section = &sewer.links.section[sewer.conduits.link[row] as usize];
    let barrels = sewer.conduits.barrels[row];
    let comes = *flow_in / barrels;
    let mut flow = comes - state.lose_from_conduit(sewer, row, comes);
    let full = sewer.conduits.full_flow_m3ps[row];
    let area = if flow > full {
        flow = full;
        *flow_in = flow * barrels;
        section.a_full_m2
    } else {
        circles.area_of_factor(section, flow / sewer.conduits.beta[row])
    };
    let of = &mut state.conduits;
    (of.area_in_m2[row], of.area_out_m2[row]) = (area, area);
    (of.flow_in_m3ps[row], of.flow_out_m3ps[row]) = (flow, flow);
    flow * barrels
}

/// A kinematic wave over a step; flow into the conduit is cut to full flow.
fn wave(sewer: &Sewer, state: &mut State, circles: &CircleCurves, row: usize, flow_in: &mut f64, step_s: f64) -> f64 {
    let section = &sewer.links.section[sewer.conduits.link[row] as usize];
    let (full_flow, full_area) = (sewer.conduits.full_flow_m3ps[row], section.a_full_m2);
    let barrels = sewer.conduits.barrels[row];
    let beta = sewer.conduits.beta[row] / full_flow;
    let lost = state.lose_from_conduit(sewer, row, *flow_in / barrels) / full_flow;
    let of = &mut state.conduits;
    let (old_in, old_out) = (of.flow_in_m3ps[row] / full_flow, of.flow_out_m3ps[row] / full_flow);
    let (old_area_in, old_area_out) = (of.area_in_m2[row] / full_area, of.area_out_m2[row] / full_area);
    let mut comes = *flow_in / barrels / full_flow;
    let area_in = match comes {
        // Steady inflow keeps its area.
        _ if comes.to_bits() == old_in.to_bits() => old_area_in,
        _ if comes >= 1.0 => 1.0,
        _ => circles.area_of_factor(section, comes / beta) / full_area,
    };
    let (mut goes, mut area_out) = (0.0, 0.0);
    if comes > NO_FLOW || old_out > NO_FLOW {
        let rate = sewer.conduits.length_m[row] / step_s * full_area / full_flow;
        let linear = rate * WEIGHT_TIME / WEIGHT_SPACE;
        let constant = ((1.0 - WEIGHT_TIME) * (area_in - old_area_in) - WEIGHT_TIME * old_area_out) * rate
            / WEIGHT_SPACE
            + (1.0 - WEIGHT_SPACE) / WEIGHT_SPACE * (old_out - old_in)
            - comes
            + lost / WEIGHT_SPACE;
        let continuity = |area: f64| {
            let (factor, slope) = circles.factor_and_slope(section, area * full_area);
            (beta * factor + linear * area + constant, beta * full_area * slope + linear)
        };
        let most = section.a_of_s_max_m2 / full_area;
        let ends = [(0.0, 0.0), (most, section.s_max), (1.0, section.s_full)];
        let ends = ends.map(|(area, factor)| (area, beta * factor + linear * area + constant));
        area_out = outlet_area(continuity, ends, old_area_out, (comes, area_in));
        goes = beta * circles.factor_and_slope(section, area_out * full_area).0;
        comes = comes.min(1.0);
    }
    (of.flow_in_m3ps[row], of.area_in_m2[row]) = (comes * full_flow, area_in * full_area);
    (of.flow_out_m3ps[row], of.area_out_m2[row]) = (goes * full_flow, area_out * full_area);
    *flow_in = comes * full_flow * barrels;
    goes * full_flow * barrels
}

/// Root of the continuity equation: between the areas of greatest and of full flow where it changes sign there, else
/// below; full where there is no root and too much flow, none where there is too little. `ends` are no area, that of
/// greatest flow and the full one, each with its value.
fn outlet_area(continuity: impl Fn(f64) -> (f64, f64), ends: [(f64, f64); 3], guess: f64, inlet: (f64, f64)) -> f64 {
    let [none, (mut low, mut at_low), (mut high, mut at_high)] = ends;
    if at_high * at_low > 0.0 {
        (high, at_high) = (low, at_low);
        (low, at_low) = none;
    }
    if at_high * at_low > 0.0 {
        return match (at_low < 0.0, inlet.0 > 1.0) {
            (true, true) => inlet.1,
            (true, false) => 1.0,
            (false, _) => 0.0,
        };
    }
    let guess = if guess < low || guess > high { 0.5 * (low + high) } else { guess };
    if at_low > at_high {
        std::mem::swap(&mut low, &mut high);
    }
    newton(low, high, guess, continuity)
}

/// Newton's method from a guess within a bracket, halving where it leaves it or is slow. The value is negative at `low`.
fn newton(mut low: f64, mut high: f64, guess: f64, function: impl Fn(f64) -> (f64, f64)) -> f64 {
    let mut x = guess;
    let (mut last_step, mut step) = ((high - low).abs(), (high - low).abs());
    let (mut value, mut slope) = function(x);
    for _ in 0..60 {
        let leaves = ((x - high) * slope - value) * ((x - low) * slope - value) >= 0.0;
        if leaves || (2.0 * value).abs() > (last_step * slope).abs() {
            last_step = step;
            step = 0.5 * (high - low);
            x = low + step;
        } else {
            last_step = step;
            step = value / slope;
            x -= step;
        }
        if step.abs() < TOLERANCE {
            break;
        }
        (value, slope) = function(x);
        if value < 0.0 {
            low = x;
        } else {
            high = x;
        }
    }
    x.clamp(0.0, 1.0)
}

/// A manhole keeps nothing: what its links did not take floods or ponds.
fn manhole(sewer: &Sewer, state: &mut State, node: usize, step_s: f64) {
    let of = &mut state.nodes;
    let net = of.inflow_m3ps[node] - of.outflow_m3ps[node];
    let mut volume = of.old_volume_m3[node] + net * step_s;
    if volume < DRY_VOLUME_M3 {
        volume = 0.0;
    }
    of.overflow_m3ps[node] = 0.0;
    let full = of.full_volume_m3[node];
    if volume > full {
        let overflow = (volume - full.max(of.old_volume_m3[node])) / step_s;
        of.overflow_m3ps[node] = if overflow < DRY_FLOW_M3PS { 0.0 } else { overflow };
        let can_pond = sewer.options.has_ponding && sewer.nodes.ponded_area_m2[node] > 0.0;
        if !can_pond {
            volume = full;
        }
    }
    of.volume_m3[node] = volume;
    of.depth_m[node] = 0.0;
}

/// Depth and volume of a link from the areas at its ends; nodes are as deep as their deepest link.
fn link_depths(sewer: &Sewer, state: &mut State, circles: &CircleCurves, link: usize) {
    (state.links.depth_m[link], state.links.volume_m3[link]) = (0.0, 0.0);
    let Some(row) = sewer.conduit_of(link) else { return };
    let section = &sewer.links.section[link];
    let (first, last) = (state.conduits.area_in_m2[row], state.conduits.area_out_m2[row]);
    state.links.volume_m3[link] = 0.5 * (first + last) * sewer.conduits.length_m[row] * sewer.conduits.barrels[row];
    let (y1, y2) = (circles.depth(section, first), circles.depth(section, last));
    state.links.depth_m[link] = 0.5 * (y1 + y2);
    raise(sewer, state, sewer.links.from[link] as usize, y1 + sewer.links.offset_from_m[link]);
    raise(sewer, state, sewer.links.to[link] as usize, y2 + sewer.links.offset_to_m[link]);
}

fn raise(sewer: &Sewer, state: &mut State, node: usize, depth: f64) {
    if sewer.is_storage(node) {
        return;
    }
    let full = sewer.nodes.full_depth_m[node];
    let floods = !sewer.is_outfall(node) && state.nodes.degree[node] > 0 && state.nodes.overflow_m3ps[node] > 0.0;
    let depth = if floods { full } else { depth };
    if state.nodes.depth_m[node] < depth {
        state.nodes.depth_m[node] = if full > 0.0 { depth.min(full) } else { depth };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_in_either_order() {
        let up = newton(0.0, 1.0, 0.9, |x| (x * x * x - 0.2, 3.0 * x * x));
        let down = newton(1.0, 0.0, 0.9, |x| (0.2 - x * x * x, -3.0 * x * x));
        assert!((up - 0.2_f64.cbrt()).abs() < 2.0 * TOLERANCE && (down - 0.2_f64.cbrt()).abs() < 2.0 * TOLERANCE);
    }
}
