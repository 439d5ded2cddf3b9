//! A simulation: runoff and routing in their steps, and results on the steps of the report.
//!
//! Runoff goes on until the end of the coming step of routing is reached; routing takes runoff and other inflow from the
//! beginning of its step. Results are between the last two states, as SWMM tells them. Source: SWMM's source, as facts.

use super::controls::{evaluate, look_at};
use super::dynamic::Dynamic;
use super::kinematic::Kinematic;
use super::lateral::lateral_inflow;
use super::ledger::{Ledger, RoutingLedger, StepFlows, leave, stored};
use super::network::{LinkKind, Method, Sewer};
use super::regulators::{move_setting, switch_pumps};
use super::runoff::Runoff;
use super::state::State;
use super::units::DRY_AREA_M2;

/// Depth below which a link's velocity is not told, 0.01 ft.
const TOLD_DEPTH_M: f64 = 0.003_048;

/// Results: columns by moment, then by row; row `r` at moment `m` of a table with `n` rows is at `m * n + r`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// Moments, s after the start.
    pub time_s: Vec<f64>,
    /// Depth at nodes, m.
    pub node_depth_m: Vec<f64>,
    /// Inflow of nodes, m3/s.
    pub node_inflow_m3ps: Vec<f64>,
    /// Water that leaves nodes onto the ground, m3/s.
    pub node_flooding_m3ps: Vec<f64>,
    /// Flow in links in the file's direction, m3/s.
    pub link_flow_m3ps: Vec<f64>,
    /// Depth in links, m.
    pub link_depth_m: Vec<f64>,
    /// Velocity in conduits, m/s.
    pub link_velocity_mps: Vec<f64>,
    /// Rain on subcatchments, m/s.
    pub rain_mps: Vec<f64>,
    /// Runoff of subcatchments, m3/s.
    pub runoff_m3ps: Vec<f64>,
    /// Infiltration of subcatchments over their whole area, m/s.
    pub infiltration_mps: Vec<f64>,
    /// Water that left each node onto the ground over the whole time, m3.
    pub flooded_m3: Vec<f64>,
    /// Greatest depth of each node over all steps, m.
    pub greatest_depth_m: Vec<f64>,
    /// Greatest flow of each link over all steps, in amount, m3/s.
    pub greatest_flow_m3ps: Vec<f64>,
    /// Water balance.
    pub ledger: Ledger,
    /// Steps of routing.
    pub steps: u64,
    /// Steps of dynamic waves in which a node did not converge.
    pub unsettled_steps: u64,
    /// Iterations of dynamic waves.
    pub trials: u64,
}

/// Simulates a sewer.
#[must_use]
pub fn run(sewer: &Sewer) -> Results {
    let mut simulation = Simulation::new(sewer);
    while simulation.now_ms < simulation.end_ms {
        simulation.step();
        simulation.report();
    }
    simulation.finish()
}

enum Router {
    Kinematic(Kinematic),
    Dynamic(Dynamic),
}

struct Simulation<'a> {
    sewer: &'a Sewer,
    state: State,
    runoff: Runoff,
    router: Router,
    now_ms: f64,
    before_ms: f64,
    end_ms: f64,
    report_ms: f64,
    rules_ms: f64,
    flows: StepFlows,
    ledger: RoutingLedger,
    chosen: Vec<f64>,
    /// Overflow that was lost at the beginning of the step, m3/s.
    lost_before: Vec<f64>,
    results: Results,
}

impl<'a> Simulation<'a> {
    fn new(sewer: &'a Sewer) -> Self {
        let state = State::new(sewer);
        let router = match sewer.options.method {
            Method::Dynamic => Router::Dynamic(Dynamic::new(sewer)),
            _ => Router::Kinematic(Kinematic::new(sewer)),
        };
        let (nodes, links) = (sewer.nodes.id.len(), sewer.links.id.len());
        let reports = (sewer.options.duration_s / sewer.options.report_step_s) as usize + 1;
        let mut results = Results {
            flooded_m3: vec![0.0; nodes],
            greatest_depth_m: state.nodes.depth_m.clone(),
            greatest_flow_m3ps: vec![0.0; links],
            ..Results::default()
        };
        results.time_s.reserve(reports.min(1 << 20));
        Self {
            runoff: Runoff::new(sewer),
            router,
            now_ms: 0.0,
            before_ms: 0.0,
            end_ms: 1000.0 * sewer.options.duration_s,
            report_ms: 1000.0 * sewer.options.report_step_s,
            rules_ms: 0.0,
            flows: StepFlows::default(),
            ledger: RoutingLedger { first_stored_m3: stored(sewer, &state), ..RoutingLedger::default() },
            chosen: vec![0.0; links],
            lost_before: vec![0.0; nodes],
            results,
            state,
            sewer,
        }
    }
    /// The coming step of routing, s.
    fn next_step(&mut self) -> f64 {
        let options = &self.sewer.options;
        let mut step_s = match &mut self.router {
            Router::Dynamic(dynamic) => dynamic.next_step(self.sewer, &self.state),
            Router::Kinematic(_) => options.routing_step_s,
        };
        if options.rule_step_s > 0.0 {
            let next_ms = self.rules_ms + 1000.0 * options.rule_step_s;
            if self.now_ms + 1000.0 * step_s >= next_ms {
                step_s = (next_ms - self.now_ms) / 1000.0;
            }
        }
        if self.now_ms + 1000.0 * step_s > self.end_ms {
            step_s = ((self.end_ms - self.now_ms) / 1000.0).max(0.001);
        }
        step_s
    }
    fn step(&mut self) {
        let step_s = self.next_step();
        let next_ms = (self.now_ms + 1000.0 * step_s).min(self.end_ms);
        while self.runoff.new_ms < next_ms {
            self.runoff.step(self.sewer, self.end_ms);
        }
        let (sewer, state) = (self.sewer, &mut self.state);
        self.ledger.add(&self.flows, 0.5 * step_s);
        switch_pumps(sewer, state);
        let rule_ms = 1000.0 * sewer.options.rule_step_s;
        if !sewer.rules.is_empty() && (rule_ms <= 0.0 || (self.now_ms - self.rules_ms).abs() < 1.0) {
            evaluate(sewer, state, &look_at(sewer, self.now_ms, step_s), &mut self.chosen);
        }
        for link in 0..sewer.links.id.len() {
            if (state.links.target[link] - state.links.setting[link]).abs() > 0.0 {
                move_setting(sewer, state, link, step_s);
            }
        }
        self.before_ms = self.now_ms;
        self.now_ms = next_ms;
        if (self.now_ms - (self.rules_ms + rule_ms)).abs() < 1.0 {
            self.rules_ms += rule_ms;
        }
        self.flows = StepFlows::default();
        state.evaporation_mps = sewer.evaporation_mps(self.before_ms / 1000.0);
        state.lose_from_basins(sewer, step_s);
        lateral_inflow(sewer, &self.runoff, self.before_ms, &mut state.nodes.lateral_m3ps, &mut self.flows);
        state.begin_step(step_s, sewer.options.method == Method::Dynamic);
        match &mut self.router {
            Router::Dynamic(dynamic) => dynamic.step(sewer, state, step_s),
            Router::Kinematic(kinematic) => kinematic.step(sewer, state, step_s),
        }
        leave(sewer, state, &mut self.flows);
        self.ledger.add(&self.flows, 0.5 * step_s);
        self.results.steps += 1;
        let nodes = &self.state.nodes;
        for node in 0..nodes.depth_m.len() {
            let is_lost = nodes.volume_m3[node] <= nodes.full_volume_m3[node];
            let lost = if is_lost { nodes.overflow_m3ps[node] } else { 0.0 };
            self.results.flooded_m3[node] += 0.5 * (self.lost_before[node] + lost) * step_s;
            self.lost_before[node] = lost;
            self.results.greatest_depth_m[node] = self.results.greatest_depth_m[node].max(nodes.depth_m[node]);
        }
        for (greatest, flow) in self.results.greatest_flow_m3ps.iter_mut().zip(&self.state.links.flow_m3ps) {
            *greatest = greatest.max(flow.abs());
        }
    }
    /// Results of the moments of the report within the last step.
    fn report(&mut self) {
        while self.now_ms >= self.report_ms {
            let at_ms = self.report_ms;
            self.report_ms += 1000.0 * self.sewer.options.report_step_s;
            if at_ms < 1000.0 * self.sewer.options.report_start_s {
                continue;
            }
            self.report_at(at_ms);
        }
    }
    fn report_at(&mut self, at_ms: f64) {
        let (sewer, state, results) = (self.sewer, &self.state, &mut self.results);
        let share = ((at_ms - self.before_ms) / (self.now_ms - self.before_ms)).clamp(0.0, 1.0);
        let between = |old: f64, new: f64| (1.0 - share) * old + share * new;
        results.time_s.push(at_ms / 1000.0);
        let nodes = &state.nodes;
        for node in 0..nodes.depth_m.len() {
            results.node_depth_m.push(between(nodes.old_depth_m[node], nodes.depth_m[node]));
            results.node_inflow_m3ps.push(between(nodes.old_inflow_m3ps[node], nodes.inflow_m3ps[node]));
            results.node_flooding_m3ps.push(nodes.overflow_m3ps[node]);
        }
        let links = &state.links;
        for link in 0..links.flow_m3ps.len() {
            let (old, new) = (links.old_flow_m3ps[link], links.flow_m3ps[link]);
            let depth = between(links.old_depth_m[link], links.depth_m[link]);
            let is_pump = matches!(sewer.links.kind[link], LinkKind::Pump(_));
            // A pump switches at once.
            let flow = match is_pump && (old * new).abs() <= 0.0 {
                true if share >= 0.5 => new,
                true => old,
                false => between(old, new),
            };
            let sign = if sewer.links.is_reversed[link] { -1.0 } else { 1.0 };
            let mut velocity = 0.0;
            if let Some(row) = sewer.conduit_of(link)
                && depth > TOLD_DEPTH_M
            {
                let area = sewer.links.section[link].area(depth);
                velocity = if area > DRY_AREA_M2 { flow / sewer.conduits.barrels[row] / area } else { 0.0 };
            }
            results.link_flow_m3ps.push(sign * flow);
            results.link_depth_m.push(depth);
            results.link_velocity_mps.push(sign * velocity);
        }
        let of_runoff = self.runoff.share_at(at_ms);
        for row in 0..sewer.subcatchments.id.len() {
            results.rain_mps.push(self.runoff.rain_mps[row]);
            results.runoff_m3ps.push(self.runoff.told(sewer, row, of_runoff));
            results.infiltration_mps.push(self.runoff.infiltration_mps[row]);
        }
    }
    fn finish(mut self) -> Results {
        self.ledger.last_stored_m3 = stored(self.sewer, &self.state);
        self.results.ledger = Ledger { runoff: self.runoff.ledger(self.sewer), routing: self.ledger };
        if let Router::Dynamic(dynamic) = &self.router {
            (self.results.unsettled_steps, self.results.trials) = (dynamic.unsettled, dynamic.trials);
        }
        self.results
    }
}
