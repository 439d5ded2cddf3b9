//! A simulation that its caller advances: runoff and routing in their steps, and results on the steps of the report.
//!
//! Runoff goes on until the end of the coming step of routing is reached; routing takes runoff and other inflow from the
//! beginning of its step. Results are between the last two states, as SWMM tells them. Source: SWMM's source, as facts.
//!
//! [`Simulation::new`] is SWMM's own course from the start to the end of a file, and [`run`] a loop over it.
//! [`Simulation::stepwise`] is for callers with a clock of their own: they set rain and inflow and
//! [`Simulation::advance`]; its books of water close, see [`super::books`]. A state that is advanced in parts goes the
//! same way as one that is advanced at once where the ends of the parts are ends of its steps.

use super::books::{Books, WaterBalance};
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
use std::borrow::Cow;

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

impl Results {
    fn add(&mut self, report: &Report) {
        self.time_s.push(report.time_s);
        for (all, of) in [
            (&mut self.node_depth_m, &report.node_depth_m),
            (&mut self.node_inflow_m3ps, &report.node_inflow_m3ps),
            (&mut self.node_flooding_m3ps, &report.node_flooding_m3ps),
            (&mut self.link_flow_m3ps, &report.link_flow_m3ps),
            (&mut self.link_depth_m, &report.link_depth_m),
            (&mut self.link_velocity_mps, &report.link_velocity_mps),
            (&mut self.rain_mps, &report.rain_mps),
            (&mut self.runoff_m3ps, &report.runoff_m3ps),
            (&mut self.infiltration_mps, &report.infiltration_mps),
        ] {
            all.extend_from_slice(of);
        }
    }
}

/// One moment of the report; columns as in [`Results`], by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Moment, s after the start.
    pub time_s: f64,
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
}

/// Simulates a sewer from its start to its end.
#[must_use]
pub fn run(sewer: &Sewer) -> Results {
    let mut reports = Results::default();
    let of = run_with(sewer, |report| reports.add(report));
    Results {
        flooded_m3: of.flooded_m3,
        greatest_depth_m: of.greatest_depth_m,
        greatest_flow_m3ps: of.greatest_flow_m3ps,
        ledger: of.ledger,
        steps: of.steps,
        unsettled_steps: of.unsettled_steps,
        trials: of.trials,
        ..reports
    }
}

/// Simulates a sewer from its start to its end and tells each moment of the report as it comes; what is returned has no
/// columns over time.
pub fn run_with(sewer: &Sewer, mut tell: impl FnMut(&Report)) -> Results {
    let mut simulation = Simulation::new(sewer);
    while simulation.now_ms < simulation.end_ms {
        simulation.step();
        simulation.report(&mut tell);
    }
    simulation.finish()
}

#[derive(Clone, Debug)]
enum Router {
    Kinematic(Kinematic),
    Dynamic(Dynamic),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Simulation<'a> {
    sewer: Cow<'a, Sewer>,
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
    /// Inflow that the caller set, m3/s. Shape: nodes.
    given_m3ps: Vec<f64>,
    books: Option<Books>,
    report: Report,
    results: Results,
}

impl<'a> Simulation<'a> {
    /// SWMM's course of a file, from its start to its end.
    #[must_use]
    pub fn new(sewer: &'a Sewer) -> Self {
        Self::of(Cow::Borrowed(sewer), false)
    }
    fn of(sewer: Cow<'a, Sewer>, keeps_books: bool) -> Self {
        let state = State::new(&sewer);
        let router = match sewer.options.method {
            Method::Dynamic => Router::Dynamic(Dynamic::new(&sewer)),
            _ => Router::Kinematic(Kinematic::new(&sewer)),
        };
        let (nodes, links) = (sewer.nodes.id.len(), sewer.links.id.len());
        let results = Results {
            flooded_m3: vec![0.0; nodes],
            greatest_depth_m: state.nodes.depth_m.clone(),
            greatest_flow_m3ps: vec![0.0; links],
            ..Results::default()
        };
        Self {
            runoff: Runoff::new(&sewer, keeps_books),
            router,
            now_ms: 0.0,
            before_ms: 0.0,
            end_ms: if keeps_books { 0.0 } else { 1000.0 * sewer.options.duration_s },
            report_ms: 1000.0 * sewer.options.report_step_s,
            rules_ms: 0.0,
            flows: StepFlows::default(),
            ledger: RoutingLedger { first_stored_m3: stored(&sewer, &state), ..RoutingLedger::default() },
            chosen: vec![0.0; links],
            lost_before: vec![0.0; nodes],
            given_m3ps: vec![0.0; nodes],
            books: keeps_books.then(|| Books::new(&sewer, &state)),
            report: Report::default(),
            results,
            state,
            sewer,
        }
    }
    /// The coming step of routing, s.
    fn next_step(&mut self) -> f64 {
        let options = &self.sewer.options;
        let mut step_s = match &mut self.router {
            Router::Dynamic(dynamic) => dynamic.next_step(&self.sewer, &self.state),
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
        if self.books.is_some() && self.now_ms + 1000.0 * step_s > self.runoff.new_ms {
            // Each step of routing lies in one of runoff, so that runoff is handed over whole.
            step_s = (self.runoff.new_ms - self.now_ms) / 1000.0;
        }
        step_s
    }
    fn step(&mut self) {
        if self.books.is_some() && self.runoff.new_ms <= self.now_ms {
            self.runoff.step(&self.sewer, self.end_ms);
        }
        let mut step_s = self.next_step();
        let mut next_ms = (self.now_ms + 1000.0 * step_s).min(self.end_ms);
        if self.books.is_some() {
            // Whole milliseconds, so that ends of steps meet.
            next_ms = next_ms.round().max(self.now_ms + 1.0);
            step_s = (next_ms - self.now_ms) / 1000.0;
        }
        while self.runoff.new_ms < next_ms {
            self.runoff.step(&self.sewer, self.end_ms);
        }
        let (sewer, state): (&Sewer, _) = (&self.sewer, &mut self.state);
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
        let lateral = &mut state.nodes.lateral_m3ps;
        lateral_inflow(sewer, &self.runoff, &self.given_m3ps, self.before_ms, lateral, &mut self.flows);
        if let Some(books) = &mut self.books {
            books.begin(state, &self.flows, step_s);
        }
        state.begin_step(step_s, sewer.options.method == Method::Dynamic);
        match &mut self.router {
            Router::Dynamic(dynamic) => dynamic.step(sewer, state, step_s),
            Router::Kinematic(kinematic) => kinematic.step(sewer, state, step_s),
        }
        if let Some(books) = &mut self.books {
            books.end(sewer, state, step_s);
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
    fn report(&mut self, tell: &mut impl FnMut(&Report)) {
        while self.now_ms >= self.report_ms {
            let at_ms = self.report_ms;
            self.report_ms += 1000.0 * self.sewer.options.report_step_s;
            if at_ms < 1000.0 * self.sewer.options.report_start_s {
                continue;
            }
            self.report_at(at_ms);
            tell(&self.report);
        }
    }
    fn report_at(&mut self, at_ms: f64) {
        let (sewer, state, results): (&Sewer, _, _) = (&self.sewer, &self.state, &mut self.report);
        for column in [
            &mut results.node_depth_m,
            &mut results.node_inflow_m3ps,
            &mut results.node_flooding_m3ps,
            &mut results.link_flow_m3ps,
            &mut results.link_depth_m,
            &mut results.link_velocity_mps,
            &mut results.rain_mps,
            &mut results.runoff_m3ps,
            &mut results.infiltration_mps,
        ] {
            column.clear();
        }
        let share = ((at_ms - self.before_ms) / (self.now_ms - self.before_ms)).clamp(0.0, 1.0);
        let between = |old: f64, new: f64| (1.0 - share) * old + share * new;
        results.time_s = at_ms / 1000.0;
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
            results.rain_mps.push(self.runoff.rain_mps(sewer, row));
            results.runoff_m3ps.push(self.runoff.told(sewer, row, of_runoff));
            results.infiltration_mps.push(self.runoff.infiltration_mps(row));
        }
    }
    fn finish(mut self) -> Results {
        self.results.ledger = self.ledger();
        if let Router::Dynamic(dynamic) = &self.router {
            (self.results.unsettled_steps, self.results.trials) = (dynamic.unsettled, dynamic.trials);
        }
        self.results
    }
    /// Both balances as SWMM has them, so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let routing = RoutingLedger { last_stored_m3: stored(&self.sewer, &self.state), ..self.ledger };
        Ledger { runoff: self.runoff.ledger(&self.sewer), routing }
    }
}

impl Simulation<'static> {
    /// A state that its caller advances, in dry weather at first, with books that close. Rain of gages is what is set, not
    /// what the file has. Steady flow is taken as kinematic waves.
    #[must_use]
    pub fn stepwise(mut sewer: Sewer) -> Self {
        if sewer.options.method == Method::Steady {
            sewer.options.method = Method::Kinematic;
        }
        Self::of(Cow::Owned(sewer), true)
    }
    /// Sets the rain from now on, m/s by gage; the last value holds for the gages after it, and none is none.
    pub fn set_rain_mps(&mut self, by_gage: &[f64]) {
        self.runoff.set_rain_mps(by_gage);
    }
    /// Sets what comes into a node besides the network's own inflows from now on, m3/s; a row that is not there is left
    /// out.
    pub fn set_inflow_m3ps(&mut self, node: usize, m3ps: f64) {
        if let Some(given) = self.given_m3ps.get_mut(node) {
            *given = m3ps;
        }
    }
    /// Goes on by so many seconds, to the millisecond.
    pub fn advance(&mut self, seconds: f64) {
        if let Some(books) = &mut self.books {
            books.begin_part();
        }
        self.end_ms = self.now_ms + (1000.0 * seconds.max(0.0)).round();
        while self.now_ms < self.end_ms {
            self.step();
        }
    }
    /// Water that came up through each node since the last [`Self::advance`] began, m3: lost or ponded.
    #[must_use]
    pub fn flooded_m3(&self) -> &[f64] {
        self.books.as_ref().map_or(&[], Books::flooded_m3)
    }
    /// Water that left through each outfall since the last [`Self::advance`] began, m3; 0 at other nodes.
    #[must_use]
    pub fn left_m3(&self) -> &[f64] {
        self.books.as_ref().map_or(&[], Books::left_m3)
    }
    /// Balance since the start.
    #[must_use]
    pub fn balance(&self) -> WaterBalance {
        let Some(books) = &self.books else { return WaterBalance::default() };
        books.balance(&self.state, &self.runoff.ledger(&self.sewer))
    }
}

impl Simulation<'_> {
    /// The network.
    #[must_use]
    pub fn sewer(&self) -> &Sewer {
        &self.sewer
    }
    /// Time since the start, s.
    #[must_use]
    pub fn now_s(&self) -> f64 {
        self.now_ms / 1000.0
    }
    /// Depth at nodes, m.
    #[must_use]
    pub fn node_depth_m(&self) -> &[f64] {
        &self.state.nodes.depth_m
    }
    /// What comes into nodes, from links and from outside, m3/s.
    #[must_use]
    pub fn node_inflow_m3ps(&self) -> &[f64] {
        &self.state.nodes.inflow_m3ps
    }
    /// Flow of a link in the file's direction, m3/s.
    #[must_use]
    pub fn link_flow_m3ps(&self, link: usize) -> f64 {
        let sign = if self.sewer.links.is_reversed[link] { -1.0 } else { 1.0 };
        sign * self.state.links.flow_m3ps[link]
    }
    /// Depth in links, m.
    #[must_use]
    pub fn link_depth_m(&self) -> &[f64] {
        &self.state.links.depth_m
    }
    /// Water that stands on the ground at a node and will drain, m3; none where ponding is not on.
    #[must_use]
    pub fn ponded_m3(&self, node: usize) -> f64 {
        let ponds = self.sewer.options.has_ponding && self.sewer.nodes.ponded_area_m2[node] > 0.0;
        let of = &self.state.nodes;
        if ponds { (of.volume_m3[node] - of.full_volume_m3[node]).max(0.0) } else { 0.0 }
    }
    /// Greatest flow of each link since the start, in amount, m3/s.
    #[must_use]
    pub fn greatest_flow_m3ps(&self) -> &[f64] {
        &self.results.greatest_flow_m3ps
    }
    /// Steps of routing, and those of dynamic waves in which a node did not converge.
    #[must_use]
    pub fn steps(&self) -> (u64, u64) {
        let unsettled = match &self.router {
            Router::Dynamic(dynamic) => dynamic.unsettled,
            Router::Kinematic(_) => 0,
        };
        (self.results.steps, unsettled)
    }
}
