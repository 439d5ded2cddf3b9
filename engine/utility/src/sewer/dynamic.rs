//! Dynamic waves: heads at nodes and flows in links by successive approximation within each step.
//!
//! An iteration finds flows in all conduits from heads (`momentum`), flows in regulators, then heads at nodes
//! from the net inflow of the step over the surface of the node and half of its conduits; both are relaxed by one half.
//! A surcharged node has no surface: its head moves by net inflow over the sum of dq/dh, as in EXTRAN, or full conduits
//! have a slot. Above its rim a node floods or ponds. Steps follow the Courant number and how fast nodes fill.
//! Source: Reference Manual Vol. II, chapters 3 and 4. Contract: links, then nodes, in order on one thread.

use super::momentum::find_flow;
use super::network::{LinkKind, PumpCurve, Sewer};
use super::regulators::{inflow, set_outfall_depth};
use super::state::{FlowClass, State};
use super::units::{DRY_AREA_M2, DRY_DEPTH_M, DRY_FLOW_M3PS, FOOT_M, FOOT3_M3};

/// Share of a new value in an iteration.
const RELAXED: f64 = 0.5;
/// Shortest step at all, s.
const LEAST_STEP_S: f64 = 0.001;

/// What iterations need besides the state.
#[derive(Clone, Debug)]
pub(crate) struct Dynamic {
    /// Height of the highest link's top over a node's bottom, m.
    crown_m: Vec<f64>,
    /// Whether no link leads to a node.
    is_first: Vec<bool>,
    surface_m2: Vec<f64>,
    last_surface_m2: Vec<f64>,
    slope_m2ps: Vec<f64>,
    rise_mps: Vec<f64>,
    has_converged: Vec<bool>,
    step_s: f64,
    /// Steps in which some node did not converge.
    pub(crate) unsettled: u64,
    /// Iterations so far.
    pub(crate) trials: u64,
}

impl Dynamic {
    pub(crate) fn new(sewer: &Sewer) -> Self {
        let count = sewer.nodes.id.len();
        let (mut crown_m, mut is_first) = (vec![0.0_f64; count], vec![true; count]);
        for link in 0..sewer.links.id.len() {
            let (from, to) = (sewer.links.from[link] as usize, sewer.links.to[link] as usize);
            let height = match sewer.links.kind[link] {
                LinkKind::Pump(_) | LinkKind::Outlet(_) => 0.0,
                _ => sewer.links.section[link].y_full_m,
            };
            crown_m[from] = crown_m[from].max(sewer.links.offset_from_m[link] + height);
            crown_m[to] = crown_m[to].max(sewer.links.offset_to_m[link] + height);
            is_first[if sewer.is_outfall(from) { from } else { to }] = false;
        }
        Self {
            crown_m,
            is_first,
            surface_m2: vec![0.0; count],
            last_surface_m2: vec![0.0; count],
            slope_m2ps: vec![0.0; count],
            rise_mps: vec![0.0; count],
            has_converged: vec![false; count],
            step_s: 0.0,
            unsettled: 0,
            trials: 0,
        }
    }

    /// The coming step, s.
    pub(crate) fn next_step(&mut self, sewer: &Sewer, state: &State) -> f64 {
        let options = &sewer.options;
        let fixed = options.routing_step_s;
        if options.courant_share <= 0.0 || fixed < LEAST_STEP_S {
            return fixed;
        }
        let least = options.minimum_step_s.min(fixed).max(LEAST_STEP_S);
        self.step_s = if self.step_s <= 0.0 { least } else { self.stable_step(sewer, state).max(least) };
        self.step_s = (1000.0 * self.step_s).floor() / 1000.0;
        self.step_s
    }
    fn stable_step(&self, sewer: &Sewer, state: &State) -> f64 {
        let mut step = sewer.options.routing_step_s;
        for (row, &link) in sewer.conduits.link.iter().enumerate() {
            let link = link as usize;
            let barrels = sewer.conduits.barrels[row];
            let (flow, froude) = (state.links.flow_m3ps[link].abs() / barrels, state.links.froude[link]);
            if flow <= DRY_FLOW_M3PS || state.conduits.area_in_m2[row] <= DRY_AREA_M2 || froude <= 0.01 {
                continue;
            }
            let travel = state.links.volume_m3[link] / barrels / flow;
            let longer = sewer.conduits.wave_length_m[row] / sewer.conduits.length_m[row];
            step = step.min(travel * longer * froude / (1.0 + froude) * sewer.options.courant_share);
        }
        for node in 0..self.crown_m.len() {
            let (depth, crown) = (state.nodes.depth_m[node], self.crown_m[node]);
            let (most, rise) = (0.25 * crown, self.rise_mps[node]);
            let is_low = depth > DRY_DEPTH_M && depth + DRY_DEPTH_M < crown && most >= DRY_DEPTH_M;
            if !sewer.is_outfall(node) && is_low && rise >= 1e-4 * FOOT_M {
                step = step.min(most / rise);
            }
        }
        step
    }

    /// One step.
    pub(crate) fn step(&mut self, sewer: &Sewer, state: &mut State, step_s: f64) {
        self.has_converged.fill(false);
        self.rise_mps.fill(0.0);
        state.links.is_bypassed.fill(false);
        let conduits = &mut state.conduits;
        conduits.area_out_m2.copy_from_slice(&conduits.area_in_m2);
        let mut trial = 0;
        let mut is_settled = false;
        while trial < sewer.options.max_trials {
            self.begin_trial(sewer, state);
            self.link_flows(sewer, state, trial, step_s);
            is_settled = self.node_depths(sewer, state, trial, step_s);
            trial += 1;
            self.trials += 1;
            if trial > 1 {
                if is_settled {
                    break;
                }
                for link in 0..sewer.links.id.len() {
                    let at = |node: u32| self.has_converged[node as usize];
                    state.links.is_bypassed[link] = at(sewer.links.from[link]) && at(sewer.links.to[link]);
                }
            }
        }
        self.unsettled += u64::from(!is_settled);
    }
    fn begin_trial(&mut self, sewer: &Sewer, state: &mut State) {
        let nodes = &mut state.nodes;
        for node in 0..nodes.depth_m.len() {
            let depth = nodes.depth_m[node];
            let area = sewer.nodes.ponded_area_m2[node];
            let ponds = sewer.options.has_ponding && depth > sewer.nodes.full_depth_m[node] && area > 0.0;
            self.surface_m2[node] = match sewer.storage_of(node) {
                _ if ponds => area,
                Some(storage) => storage.area(depth),
                None => 0.0,
            };
            let lateral = nodes.lateral_m3ps[node];
            nodes.inflow_m3ps[node] = lateral.max(0.0);
            nodes.outflow_m3ps[node] = nodes.losses_m3ps[node] + (-lateral).max(0.0);
            self.slope_m2ps[node] = 0.0;
        }
    }
    fn link_flows(&mut self, sewer: &Sewer, state: &mut State, trial: u32, step_s: f64) {
        for row in 0..sewer.conduits.link.len() {
            if !state.links.is_bypassed[sewer.conduits.link[row] as usize] {
                find_flow(sewer, state, row, trial, RELAXED, step_s);
            }
        }
        for row in 0..sewer.conduits.link.len() {
            self.add_to_nodes(sewer, state, sewer.conduits.link[row] as usize);
        }
        for link in 0..sewer.links.id.len() {
            if matches!(sewer.links.kind[link], LinkKind::Conduit(_)) {
                continue;
            }
            if !state.links.is_bypassed[link] {
                self.regulator(sewer, state, link, trial, step_s);
            }
            self.add_to_nodes(sewer, state, link);
        }
    }
    fn regulator(&mut self, sewer: &Sewer, state: &mut State, link: usize, trial: u32, step_s: f64) {
        let last = state.links.flow_m3ps[link];
        state.links.slope_m2ps[link] = 0.0;
        let mut flow = inflow(sewer, state, link);
        if let LinkKind::Pump(row) = sewer.links.kind[link] {
            flow = self.pump_flow(sewer, state, link, &sewer.pumps[row as usize].curve, flow, step_s);
        } else if trial > 0 {
            flow = (1.0 - RELAXED) * last + RELAXED * flow;
            if flow * last < 0.0 {
                flow = 0.001 * FOOT3_M3 * flow.signum();
            }
        }
        if state.links.class[link] == FlowClass::UpCritical || sewer.is_storage(sewer.links.from[link] as usize) {
            state.links.surface_from_m2[link] = 0.0;
        }
        if state.links.class[link] == FlowClass::DownCritical || sewer.is_storage(sewer.links.to[link] as usize) {
            state.links.surface_to_m2[link] = 0.0;
        }
        state.links.flow_m3ps[link] = flow;
    }
    /// A pump takes no more than is there.
    fn pump_flow(&self, sewer: &Sewer, state: &State, link: usize, curve: &PumpCurve, flow: f64, step_s: f64) -> f64 {
        let node = sewer.links.from[link] as usize;
        if flow <= 0.0 {
            return 0.0;
        }
        if sewer.is_storage(node) {
            return state.most_outflow(node, flow, step_s);
        }
        match curve {
            PumpCurve::Volume(_) => state.most_outflow(node, flow, step_s),
            PumpCurve::DepthSteps(_) | PumpCurve::Head(_) | PumpCurve::Depth(_) => {
                let net = state.nodes.inflow_m3ps[node] - state.nodes.outflow_m3ps[node] - flow;
                let volume = 0.5 * (state.nodes.old_net_m3ps[node] + net) * step_s;
                let surface = self.surface_m2[node].max(f64::MIN_POSITIVE);
                let is_empty = state.nodes.old_depth_m[node] + volume / surface <= 0.0;
                if is_empty { state.nodes.inflow_m3ps[node] } else { flow }
            }
            PumpCurve::Ideal | PumpCurve::Speed(_) => flow,
        }
    }
    fn add_to_nodes(&mut self, sewer: &Sewer, state: &mut State, link: usize) {
        let (from, to) = (sewer.links.from[link] as usize, sewer.links.to[link] as usize);
        let flow = state.links.flow_m3ps[link];
        let (giver, taker) = if flow >= 0.0 { (from, to) } else { (to, from) };
        state.nodes.outflow_m3ps[giver] += flow.abs();
        state.nodes.inflow_m3ps[taker] += flow.abs();
        let mut barrels = 1.0;
        if let LinkKind::Conduit(row) = sewer.links.kind[link] {
            let row = row as usize;
            barrels = sewer.conduits.barrels[row];
            let mut lost = barrels * (state.conduits.evaporation_m3ps[row] + state.conduits.seepage_m3ps[row]);
            if lost > 0.0 {
                let (is_from, is_to) = (!sewer.is_outfall(from), !sewer.is_outfall(to));
                if is_from && is_to {
                    lost *= 0.5;
                }
                state.nodes.outflow_m3ps[from] += if is_from { lost } else { 0.0 };
                state.nodes.outflow_m3ps[to] += if is_to { lost } else { 0.0 };
            }
        }
        self.surface_m2[from] += state.links.surface_from_m2[link] * barrels;
        self.surface_m2[to] += state.links.surface_to_m2[link] * barrels;
        self.slope_m2ps[from] += state.links.slope_m2ps[link];
        let is_by_depth = match sewer.links.kind[link] {
            LinkKind::Pump(row) => matches!(sewer.pumps[row as usize].curve, PumpCurve::Depth(_)),
            _ => false,
        };
        if !is_by_depth {
            self.slope_m2ps[to] += state.links.slope_m2ps[link];
        }
    }
    /// New depths; whether all nodes have converged.
    fn node_depths(&mut self, sewer: &Sewer, state: &mut State, trial: u32, step_s: f64) -> bool {
        for link in 0..sewer.links.id.len() {
            set_outfall_depth(sewer, state, link);
        }
        let mut is_settled = true;
        for node in 0..sewer.nodes.id.len() {
            if sewer.is_outfall(node) {
                continue;
            }
            let last = state.nodes.depth_m[node];
            self.node_depth(sewer, state, node, trial, step_s);
            let moved = (last - state.nodes.depth_m[node]).abs();
            self.has_converged[node] = moved <= sewer.options.head_tolerance_m;
            is_settled &= self.has_converged[node];
        }
        is_settled
    }
    fn node_depth(&mut self, sewer: &Sewer, state: &mut State, node: usize, trial: u32, step_s: f64) {
        let options = &sewer.options;
        let full = sewer.nodes.full_depth_m[node];
        let can_pond = options.has_ponding && sewer.nodes.ponded_area_m2[node] > 0.0;
        let (old, last, crown) = (state.nodes.old_depth_m[node], state.nodes.depth_m[node], self.crown_m[node]);
        let is_ponded = can_pond && last > full;
        let surface = self.surface_m2[node].max(options.min_surface_m2);
        let net = state.nodes.inflow_m3ps[node] - state.nodes.outflow_m3ps[node];
        let volume = 0.5 * (state.nodes.old_net_m3ps[node] + net) * step_s;
        let is_surcharged = if options.has_slot || is_ponded {
            false
        } else if sewer.is_storage(node) {
            sewer.nodes.surcharge_depth_m[node] > 0.0 && last > full
        } else {
            crown > 0.0 && last > crown
        };
        let slope = self.slope_m2ps[node];
        let mut depth;
        if !is_surcharged || (sewer.is_storage(node) && slope.abs() <= 0.0) {
            depth = old + volume / surface;
            if !is_ponded {
                self.last_surface_m2[node] = surface;
            }
            if trial > 0 {
                depth = (1.0 - RELAXED) * last + RELAXED * depth;
            }
            if is_ponded && depth < full {
                depth = full - DRY_DEPTH_M;
            }
        } else {
            let correction = if self.is_first[node] && state.nodes.degree[node] > 0 { 0.6 } else { 1.0 };
            let mut divisor = slope;
            if last < 1.25 * crown {
                let above = (last - crown) / crown;
                divisor += (self.last_surface_m2[node] / step_s - slope) * (-15.0 * above).exp();
            }
            let rise = if divisor.abs() > 0.0 { correction * net / divisor } else { 0.0 };
            depth = last + rise;
            if depth < crown {
                depth = crown - DRY_DEPTH_M;
            }
            if can_pond && depth > full {
                depth = full + DRY_DEPTH_M;
            }
        }
        depth = depth.max(0.0);
        let most = full + if can_pond { 0.0 } else { sewer.nodes.surcharge_depth_m[node] };
        state.nodes.overflow_m3ps[node] = 0.0;
        let full_volume = state.nodes.full_volume_m3[node];
        if depth > most {
            let overflow;
            if can_pond {
                let before = state.nodes.old_volume_m3[node];
                state.nodes.volume_m3[node] = (before + volume).max(full_volume);
                overflow = (state.nodes.volume_m3[node] - before.max(full_volume)) / step_s;
            } else {
                overflow = volume / step_s;
                state.nodes.volume_m3[node] = full_volume;
                depth = most;
            }
            state.nodes.overflow_m3ps[node] = if overflow < DRY_FLOW_M3PS { 0.0 } else { overflow };
        } else {
            state.nodes.volume_m3[node] = state.volume_of_depth(sewer, node, depth);
        }
        self.rise_mps[node] = (depth - old).abs() / step_s;
        state.nodes.depth_m[node] = depth;
    }
}
