//! Heads and flows of a network at one moment: the global gradient algorithm.
//!
//! Unknown are the heads of junctions. With a line through the loss of each link (`losses`), the balance of flows at every
//! junction is linear in heads, symmetric and positive definite:
//!
//! ```text
//! sum p (h_i - h_j) = sum of (y - q) at i, by direction, - demand_i          q <- q - y + p (h_from - h_to)
//! ```
//!
//! solved by [`Ldlt`] on a pattern that is analysed once, until flows no longer change; then statuses are looked at
//! (`statuses`), and where one changes it goes on. Demands that depend on pressure, and emitters, are links to a node of
//! fixed head whose loss is the inverse of their law. A pressure valve that acts holds the head of its junction, which
//! then counts as given, and carries what that junction lacks. A valve whose acting would leave junctions on its other side
//! without any head that is given cannot act, and is open.
//!
//! Junctions that no open link joins to a reservoir or tank are unserved: they draw nothing and their pressure is told as
//! zero. EPANET gives them heads of millions of metres below ground instead.
//!
//! Source: E. Todini and S. Pilati, A gradient method for the analysis of pipe networks (1987); L. A. Rossman et al.,
//! EPANET 2.2 User Manual (2020), chapter 12. Contract: one thread, operations in order of links; same bits everywhere.
//! [`Hydraulics::solve`] does not allocate.

use super::losses::{CUBIC_FOOT_M3, FOOT_M, Line, Losses, SLOPE_MIN, STEEP_SLOPE};
use super::network::{Action, DemandModel, LinkKind, LinkStatus, NONE, Network, NodeKind, Unbalanced};
use crate::sets::Sets;
use crate::snapshot::Snapshot;
use crate::sparse::{Ldlt, Pattern, SymmetricMatrix, minimum_degree};
use std::f64::consts::PI;
use urbis_core::Result;

/// Head that counts as reached, metres.
pub(crate) const HEAD_TOLERANCE_M: f64 = 0.0005 * FOOT_M;
/// Flow that counts as none, m3/s.
pub(crate) const FLOW_TOLERANCE_M3PS: f64 = 0.0001 * CUBIC_FOOT_M3;
/// Flow of what is closed, m3/s.
pub(crate) const NO_FLOW_M3PS: f64 = 1e-6 * CUBIC_FOOT_M3;
/// Share of a change of flows that is made where they are damped.
const DAMPING: f64 = 0.6;
/// Change of flows at which a step is settled, whatever the file allows.
const ACCURACY_MIN: f64 = 1e-6;
/// Change of a flow below which there is none, m3/s.
const LARGEST_CHANGE_M3PS: f64 = 1e-7;
/// Least difference of required and minimum pressure, metres.
const PRESSURE_DIFFERENCE_MIN_M: f64 = 0.1 * FOOT_M;

/// What a link does at the moment. All before [`LinkState::Open`] let nothing through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkState {
    /// A pump that cannot lift so high.
    CannotLift,
    /// Shut by a tank that is full or empty.
    ClosedByTank,
    /// Closed.
    Closed,
    /// Open.
    #[default]
    Open,
    /// A valve that acts.
    Active,
    /// A valve that cannot let its setting through.
    CannotFlow,
}

impl LinkState {
    /// What tables call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CannotLift => "cannot lift",
            Self::ClosedByTank => "closed by tank",
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Active => "active",
            Self::CannotFlow => "cannot flow",
        }
    }
    /// Whether water can pass.
    #[must_use]
    pub fn is_open(self) -> bool {
        self >= Self::Open
    }
}

/// How a solve ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Balance {
    /// Whether flows and statuses settled.
    pub is_balanced: bool,
    /// Trials.
    pub trials: u32,
    /// Change of flows in the last one, over flows.
    pub change: f64,
    /// Largest change of a flow in the last one, m3/s.
    pub largest_change_m3ps: f64,
}

/// A state by its place in the list of them.
fn snapshot_of_state(state: &mut LinkState, of: &mut Snapshot) {
    use LinkState::{Active, CannotFlow, CannotLift, Closed, ClosedByTank, Open};
    let all = [CannotLift, ClosedByTank, Closed, Open, Active, CannotFlow];
    let mut place = *state as u32;
    of.whole(&mut place);
    *state = all.get(place as usize).copied().unwrap_or(*state);
}

/// A network made ready to be solved, and its state.
#[derive(Clone, Debug)]
pub struct Hydraulics {
    pub(crate) net: Network,
    pub(crate) losses: Losses,
    /// Row of each node in the matrix; [`NONE`] where the head is held.
    row: Vec<u32>,
    /// Entry of each link beside the diagonal; [`NONE`] where an end has no row, or both are one.
    entry: Vec<u32>,
    matrix: SymmetricMatrix,
    ldlt: Ldlt,
    right: Vec<f64>,
    lines: Vec<Line>,
    /// What flows into a node less what flows out, without pressure valves that act. Shape: nodes.
    inflow: Vec<f64>,
    /// Pressure valves.
    pressure_valves: Vec<u32>,
    /// Loss over the square of flow of valves by their settings. Shape: links.
    valve_minor: Vec<f64>,
    /// Head of junctions that a pressure valve holds; NaN of others. Shape: nodes.
    held_m: Vec<f64>,
    /// Whether a valve was opened because it alone feeds a place. Shape: links.
    pub(crate) is_freed: Vec<bool>,
    /// Whether a link is shut from outside, whatever controls say. Shape: links.
    is_held: Vec<bool>,
    /// What links that are shut from outside would do, and their settings. Shape: links.
    unheld: Vec<(LinkState, f64)>,
    sets: Sets,
    /// Whether `is_supplied` holds for the statuses at hand.
    is_supply_known: bool,
    /// Tank of each node.
    pub(crate) tank_of: Vec<u32>,
    /// Heads. Shape: nodes.
    pub head_m: Vec<f64>,
    /// Flows. Shape: links.
    pub flow_m3ps: Vec<f64>,
    /// What links do. Shape: links.
    pub state: Vec<LinkState>,
    /// Speeds and settings; NaN of a valve that is told to be open or closed. Shape: links.
    pub setting: Vec<f64>,
    /// What is asked for. Shape: nodes.
    pub demand_m3ps: Vec<f64>,
    /// What is delivered, without emitters. Shape: nodes.
    pub served_m3ps: Vec<f64>,
    /// What emitters lose. Shape: nodes.
    pub emitted_m3ps: Vec<f64>,
    /// Whether an open link leads to a reservoir or tank. Shape: nodes.
    pub is_supplied: Vec<bool>,
}

impl Hydraulics {
    /// Makes a network ready.
    ///
    /// # Errors
    /// Curves of pumps that no lift can be made of.
    pub fn new(net: Network) -> Result<Self> {
        let losses = Losses::new(&net)?;
        let (nodes, links) = (net.nodes.id.len(), net.links.id.len());
        let mut row = vec![NONE; nodes];
        let junctions: Vec<u32> =
            (0..nodes as u32).filter(|&node| net.nodes.kind[node as usize] == NodeKind::Junction).collect();
        junctions.iter().enumerate().for_each(|(at, &node)| row[node as usize] = at as u32);
        let ends = |link: usize, row: &[u32]| (row[net.links.from[link] as usize], row[net.links.to[link] as usize]);
        let edges = (0..links).map(|link| ends(link, &row)).filter(|&(a, b)| a != NONE && b != NONE);
        let pattern = Pattern::from_edges(junctions.len(), edges);
        let order = minimum_degree(&pattern);
        for &node in &junctions {
            row[node as usize] = order.new_of_old[row[node as usize] as usize];
        }
        let pattern = pattern.permuted(&order);
        let matrix = SymmetricMatrix::zeros(&pattern);
        let entry = |link: usize| {
            let (a, b) = ends(link, &row);
            match a == NONE || b == NONE || a == b {
                true => NONE,
                false => matrix.edges().binary_search(&(a.min(b), a.max(b))).map_or(NONE, |at| at as u32),
            }
        };
        let entry = (0..links).map(entry).collect();
        let is_pressure_valve = |link: &u32| matches!(net.links.kind[*link as usize], LinkKind::Prv | LinkKind::Psv);
        let pressure_valves = (0..links as u32).filter(is_pressure_valve).collect();
        let mut tank_of = vec![NONE; nodes];
        net.tanks.node.iter().enumerate().for_each(|(tank, &node)| tank_of[node as usize] = tank as u32);
        let mut this = Self {
            losses,
            row,
            entry,
            ldlt: Ldlt::new(&pattern),
            matrix,
            right: vec![0.0; junctions.len()],
            lines: vec![Line::default(); links],
            inflow: vec![0.0; nodes],
            pressure_valves,
            valve_minor: vec![0.0; links],
            held_m: vec![f64::NAN; nodes],
            is_freed: vec![false; links],
            is_held: vec![false; links],
            unheld: vec![(LinkState::Open, f64::NAN); links],
            sets: Sets::new(nodes + 1),
            is_supply_known: false,
            tank_of,
            head_m: net.nodes.elevation_m.clone(),
            flow_m3ps: vec![0.0; links],
            state: vec![LinkState::Open; links],
            setting: vec![f64::NAN; links],
            demand_m3ps: vec![0.0; nodes],
            served_m3ps: vec![0.0; nodes],
            emitted_m3ps: vec![0.0; nodes],
            is_supplied: vec![true; nodes],
            net,
        };
        this.reset();
        Ok(this)
    }
    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.net
    }
    /// Takes settings, statuses and flows to the start.
    pub fn reset(&mut self) {
        for link in 0..self.net.links.id.len() {
            let of = &self.net.links;
            let is_pump = of.kind[link] == LinkKind::Pump;
            let stands_still = is_pump && of.setting[link] <= 0.0;
            let (state, setting) = match of.status[link] {
                LinkStatus::Open if stands_still => (LinkState::Closed, of.setting[link]),
                LinkStatus::Closed => (LinkState::Closed, if is_pump { of.setting[link] } else { f64::NAN }),
                LinkStatus::Open => (LinkState::Open, if is_pump { of.setting[link] } else { f64::NAN }),
                LinkStatus::Active => (LinkState::Active, of.setting[link]),
            };
            self.set(link, state, setting);
            self.flow_m3ps[link] = self.first_flow(link);
        }
        for node in 0..self.net.nodes.id.len() {
            self.served_m3ps[node] = 0.0;
            // One cubic foot a second, as good as any to begin with.
            self.emitted_m3ps[node] = if self.net.nodes.emitter_m3ps[node] > 0.0 { CUBIC_FOOT_M3 } else { 0.0 };
            self.head_m[node] = self.net.nodes.elevation_m[node];
        }
    }
    /// A flow to begin with: that a pump is made for, a foot a second in pipes.
    fn first_flow(&self, link: usize) -> f64 {
        let of = &self.net.links;
        match (self.state[link].is_open(), of.kind[link]) {
            (false, _) => NO_FLOW_M3PS,
            (true, LinkKind::Pump) => self.losses.design_m3ps[self.losses.pump[link] as usize] * self.setting[link],
            (true, _) => FOOT_M * PI * of.diameter_m[link] * of.diameter_m[link] / 4.0,
        }
    }
    /// Sets what a link does and its setting.
    fn set(&mut self, link: usize, state: LinkState, setting: f64) {
        let was_open = self.state[link].is_open();
        self.state[link] = state;
        self.setting[link] = setting;
        let of = &self.net.links;
        self.valve_minor[link] = match of.kind[link] {
            LinkKind::Tcv if setting.is_finite() => super::losses::minor_loss(setting, of.diameter_m[link]),
            _ => self.losses.minor(link),
        };
        self.is_supply_known = false;
        if was_open != state.is_open() {
            self.flow_m3ps[link] = self.first_flow(link);
        }
    }
    /// Does what a control or rule says. Returns whether that changed anything.
    pub(crate) fn act(&mut self, action: &Action) -> bool {
        let link = action.link as usize;
        let kind = self.net.links.kind[link];
        let (before, setting) =
            if self.is_held[link] { self.unheld[link] } else { (self.state[link], self.setting[link]) };
        if kind == LinkKind::CheckValve {
            return false;
        }
        let is_valve = !matches!(kind, LinkKind::Pipe | LinkKind::Pump);
        let (state, to) = match (action.status, action.setting) {
            (_, Some(speed)) if kind == LinkKind::Pump => {
                (if speed > 0.0 { LinkState::Open } else { LinkState::Closed }, speed)
            }
            (_, Some(value)) if is_valve => (LinkState::Active, value),
            (Some(LinkStatus::Closed), _) if kind == LinkKind::Pump => (LinkState::Closed, setting),
            (Some(LinkStatus::Open), _) if kind == LinkKind::Pump => (LinkState::Open, 1.0),
            (Some(LinkStatus::Closed), _) => (LinkState::Closed, f64::NAN),
            (Some(LinkStatus::Active), _) if is_valve => (LinkState::Active, self.net.links.setting[link]),
            (Some(_), _) => (LinkState::Open, f64::NAN),
            (None, _) => (before, setting),
        };
        if self.is_held[link] {
            self.unheld[link] = (state, to);
            return false;
        }
        let is_as_before = state.is_open() == before.is_open()
            && (state == LinkState::Active) == (before == LinkState::Active)
            && (to.total_cmp(&setting).is_eq() || (to.is_nan() && setting.is_nan()));
        if !is_as_before || (state == LinkState::Closed && before != LinkState::Closed) {
            self.set(link, state, to);
        }
        !is_as_before
    }
    /// Shuts a link from outside, as a failure does, or lets go of it: then it does what it did, or what controls have said
    /// meanwhile.
    pub fn hold_shut(&mut self, link: u32, is_shut: bool) {
        let at = link as usize;
        if self.is_held[at] == is_shut {
            return;
        }
        self.is_held[at] = is_shut;
        if is_shut {
            self.unheld[at] = (self.state[at], self.setting[at]);
            self.set(at, LinkState::Closed, self.setting[at]);
        } else {
            let (state, setting) = self.unheld[at];
            self.set(at, state, setting);
        }
    }
    /// Adds to the coefficient of a node's emitter, m3/s at one metre; it is never below 0.
    pub fn add_emitter(&mut self, node: u32, coefficient_m3ps: f64) {
        let at = node as usize;
        let of = &mut self.net.nodes.emitter_m3ps[at];
        let before = *of;
        *of += coefficient_m3ps;
        // What two sums of the same numbers leave is no hole.
        if *of <= 1e-12 * coefficient_m3ps.abs() {
            *of = 0.0;
        }
        if (before > 0.0) != (*of > 0.0) {
            self.emitted_m3ps[at] = if *of > 0.0 { CUBIC_FOOT_M3 } else { 0.0 };
        }
    }
    /// What a solve starts from and what it leaves; see [`Snapshot`].
    pub fn snapshot(&mut self, of: &mut Snapshot) {
        of.numbers(&mut self.head_m);
        of.numbers(&mut self.flow_m3ps);
        of.numbers(&mut self.setting);
        of.numbers(&mut self.demand_m3ps);
        of.numbers(&mut self.served_m3ps);
        of.numbers(&mut self.emitted_m3ps);
        of.numbers(&mut self.valve_minor);
        of.numbers(&mut self.held_m);
        of.flags(&mut self.is_supplied);
        of.flags(&mut self.is_freed);
        of.flags(&mut self.is_held);
        of.flag(&mut self.is_supply_known);
        for (link, (state, setting)) in self.unheld.iter_mut().enumerate() {
            snapshot_of_state(&mut self.state[link], of);
            snapshot_of_state(state, of);
            of.number(setting);
        }
    }
    /// A pump's speed by its pattern: 0 stops it.
    pub(crate) fn set_speed(&mut self, link: u32, speed: f64) {
        let link = link as usize;
        let before = if self.is_held[link] { self.unheld[link].0 } else { self.state[link] };
        let state = match (speed > 0.0, before.is_open()) {
            (true, false) => LinkState::Open,
            (false, true) => LinkState::Closed,
            _ => before,
        };
        if self.is_held[link] {
            self.unheld[link] = (state, speed);
            return;
        }
        self.set(link, state, speed);
    }
    /// Whether a link is shut by [`Hydraulics::hold_shut`].
    pub(crate) fn is_shut_from_outside(&self, link: usize) -> bool {
        self.is_held[link]
    }
    /// Another state of a link, as statuses find it.
    pub(crate) fn change(&mut self, link: usize, state: LinkState) {
        if self.state[link] != state {
            let setting = self.setting[link];
            self.set(link, state, setting);
        }
    }
    /// Whether a pressure valve acts, so that its flow follows from its junction.
    fn holds(&self, link: usize) -> bool {
        self.state[link] == LinkState::Active && matches!(self.net.links.kind[link], LinkKind::Prv | LinkKind::Psv)
    }

    /// Solves for demands, heads of reservoirs and tanks, and settings as they stand, from the flows at hand.
    pub fn solve(&mut self) -> Balance {
        let extra = match self.net.options.unbalanced {
            Unbalanced::Stop => 0,
            Unbalanced::Continue(trials) => trials,
        };
        let (trials, accuracy) = (self.net.options.trials.max(1), self.net.options.accuracy.min(ACCURACY_MIN));
        let mut balance = Balance::default();
        self.is_freed.fill(false);
        for link in 0..self.state.len() {
            // What could not act at the last moment may do so now.
            if self.state[link] == LinkState::CannotFlow {
                self.state[link] = LinkState::Active;
                self.is_supply_known = false;
            }
        }
        let (check_every, check_until) = (self.net.options.check_every.max(1), self.net.options.check_until);
        let (damp_limit, flow_change) = (self.net.options.damp_limit, self.net.options.flow_change_m3ps);
        let most_off_m = self.net.options.head_error_m;
        let mut next_check = check_every;
        let mut factor = 1.0;
        for trial in 1..=trials + extra.max(trials) {
            // Statuses that go to and fro stay as they are from here on, and the rest is settled.
            let is_extra = trial > trials;
            self.know_supply();
            self.lines();
            self.assemble();
            self.ldlt.factor(&self.matrix);
            self.ldlt.solve(&mut self.right);
            for (node, &row) in self.row.iter().enumerate().filter(|(_, row)| **row != NONE) {
                self.head_m[node] = self.right[row as usize];
            }
            let (change, largest, head_error_m) = self.move_flows(factor);
            balance = Balance { is_balanced: false, trials: trial, change, largest_change_m3ps: largest };
            if !change.is_finite() {
                (0..self.flow_m3ps.len()).for_each(|link| self.flow_m3ps[link] = self.first_flow(link));
                break;
            }
            let is_near =
                (flow_change <= 0.0 || largest <= flow_change) && (most_off_m <= 0.0 || head_error_m <= most_off_m);
            let is_settled = (change <= accuracy && is_near) || largest <= LARGEST_CHANGE_M3PS;
            // As the file asks, and where flows go to and fro.
            factor = if change <= damp_limit || trial > trials / 2 { DAMPING } else { 1.0 };
            if is_extra {
                if is_settled {
                    break;
                }
                continue;
            }
            // Valves that go to and fro with flows that are not found yet are looked at where these are.
            let mut has_changed = (is_settled || trial <= trials / 2) && self.check_pressure_valves();
            if is_settled {
                has_changed |= self.check_links();
                has_changed |= self.check_junction_controls();
                if !has_changed {
                    balance.is_balanced = true;
                    break;
                }
                next_check = trial + check_every;
            } else if trial <= check_until && trial == next_check {
                self.check_links();
                next_check += check_every;
            }
        }
        self.balance_fixed_nodes();
        balance
    }
    /// Pressure valves by heads and flows.
    fn check_pressure_valves(&mut self) -> bool {
        let mut has_changed = false;
        for at in 0..self.pressure_valves.len() {
            let link = self.pressure_valves[at] as usize;
            if self.is_held[link] {
                continue;
            }
            let found = self.pressure_valve_state(link);
            has_changed |= found != self.state[link];
            self.change(link, found);
        }
        has_changed
    }
    /// Finds which nodes an open link joins to a reservoir or tank, and which valves cannot act, where a status changed.
    fn know_supply(&mut self) {
        if self.is_supply_known {
            return;
        }
        self.is_supply_known = true;
        let nodes = self.net.nodes.id.len();
        self.sets.reset();
        for node in 0..nodes {
            if self.row[node] == NONE {
                self.sets.join(node as u32, nodes as u32);
            }
        }
        for link in 0..self.state.len() {
            if self.state[link].is_open() {
                self.sets.join(self.net.links.from[link], self.net.links.to[link]);
            }
        }
        for node in 0..nodes {
            self.is_supplied[node] = self.sets.root(node as u32) == self.sets.root(nodes as u32);
        }
        self.free_valves();
    }
    /// Opens valves that act where junctions would have no head that is given: pressure valves whose other side they alone
    /// join, and, where demands are drawn whatever the pressure, flow valves that alone feed what is behind them.
    fn free_valves(&mut self) {
        let is_fixed = self.net.options.demand_model == DemandModel::Fixed;
        let acts = |kind: LinkKind| match kind {
            LinkKind::Prv | LinkKind::Psv => true,
            LinkKind::Fcv => is_fixed,
            _ => false,
        };
        let kinds = |link: usize| acts(self.net.links.kind[link]) && self.state[link] == LinkState::Active;
        if !(0..self.state.len()).any(kinds) {
            return;
        }
        let nodes = self.net.nodes.id.len();
        self.sets.reset();
        for node in 0..nodes {
            if self.row[node] == NONE {
                self.sets.join(node as u32, nodes as u32);
            }
        }
        for link in 0..self.state.len() {
            let (from, to) = (self.net.links.from[link], self.net.links.to[link]);
            let acts = acts(self.net.links.kind[link]) && self.state[link] == LinkState::Active;
            match self.net.links.kind[link] {
                LinkKind::Prv if acts => self.sets.join(to, nodes as u32),
                LinkKind::Psv if acts => self.sets.join(from, nodes as u32),
                _ if acts || !self.state[link].is_open() => {}
                _ => self.sets.join(from, to),
            }
        }
        for link in 0..self.state.len() {
            if !(acts(self.net.links.kind[link]) && self.state[link] == LinkState::Active) {
                continue;
            }
            let other = match self.net.links.kind[link] {
                LinkKind::Prv => self.net.links.from[link],
                _ => self.net.links.to[link],
            };
            if self.is_supplied[other as usize] && self.sets.root(other) != self.sets.root(nodes as u32) {
                self.state[link] = LinkState::CannotFlow;
                self.is_freed[link] = true;
                self.sets.join(self.net.links.from[link], self.net.links.to[link]);
            }
        }
    }
    /// Lines through the losses of links.
    fn lines(&mut self) {
        let of = &self.net.links;
        for link in 0..self.lines.len() {
            let (q, setting) = (self.flow_m3ps[link], self.setting[link]);
            self.lines[link] = match of.kind[link] {
                _ if !self.state[link].is_open() => Line::closed(q),
                LinkKind::Pipe | LinkKind::CheckValve => self.losses.pipe(link, q),
                LinkKind::Pump if setting > 0.0 => {
                    self.losses.pump(self.losses.pump[link] as usize, setting, q, &self.net.curves)
                }
                LinkKind::Pump => Line::closed(q),
                LinkKind::Prv | LinkKind::Psv if self.state[link] == LinkState::Active => Line::default(),
                LinkKind::Fcv if self.state[link] == LinkState::Active => Line { p: 1.0 / STEEP_SLOPE, y: q - setting },
                LinkKind::Pbv if setting.is_finite() && setting > 0.0 && self.valve_minor[link] * q * q <= setting => {
                    Line { p: 1.0 / SLOPE_MIN, y: setting / SLOPE_MIN + q }
                }
                LinkKind::Gpv if of.curve[link] != NONE => {
                    self.losses.by_curve(&self.net.curves[of.curve[link] as usize], q)
                }
                _ => self.losses.valve(self.valve_minor[link], q),
            };
        }
    }
    /// Line of a demand that depends on pressure, from its junction to a node at the lowest pressure.
    fn demand_line(&self, node: usize) -> Option<Line> {
        let DemandModel::PressureDriven { minimum_m, required_m, exponent } = self.net.options.demand_model else {
            return None;
        };
        let asked = self.demand_m3ps[node];
        if asked <= 0.0 {
            return None;
        }
        let (d, n) = (self.served_m3ps[node], 1.0 / exponent);
        if d <= 0.0 || d >= asked {
            return Some(Line::default()); // as it is until the pressure says otherwise
        }
        let difference_m = (required_m - minimum_m).max(PRESSURE_DIFFERENCE_MIN_M);
        let slope = (n * difference_m * (d / asked).powf(n - 1.0) / asked).max(SLOPE_MIN);
        Some(Line { p: 1.0 / slope, y: d / n })
    }
    /// What is delivered next of a demand that depends on pressure: never less than nothing nor more than all. One at an
    /// end leaves it where the pressure does not keep it there.
    fn next_served_m3ps(&self, node: usize, Line { p, y }: Line) -> f64 {
        let (d, asked) = (self.served_m3ps[node], self.demand_m3ps[node]);
        let DemandModel::PressureDriven { minimum_m, required_m, exponent } = self.net.options.demand_model else {
            return d;
        };
        let above_m = self.head_m[node] - self.zero_head_m(node);
        let share = above_m / (required_m - minimum_m).max(PRESSURE_DIFFERENCE_MIN_M);
        if d <= 0.0 && share <= 0.0 {
            0.0
        } else if d >= asked && share >= 1.0 {
            asked
        } else if d <= 0.0 || d >= asked {
            asked * share.max(0.0).powf(exponent).clamp(0.01, 1.0 - 1e-9)
        } else {
            (d - y + p * above_m).clamp(0.0, asked)
        }
    }
    /// Line of an emitter, from its junction to a node at its elevation.
    fn emitter_line(&self, node: usize) -> Option<Line> {
        let coefficient = self.net.nodes.emitter_m3ps[node];
        if coefficient <= 0.0 || self.row[node] == NONE {
            return None;
        }
        let (q, n) = (self.emitted_m3ps[node], 1.0 / self.net.options.emitter_exponent);
        // Of a law that is steep at no flow, the line from no flow to a thousandth of that at a metre.
        let (q_least, steep) = (1e-3 * coefficient, n < 1.0);
        if steep && q.abs() < q_least {
            let slope = 1e-3_f64.powf(n) / q_least;
            return Some(Line { p: 1.0 / slope, y: q });
        }
        let slope = n * (q.abs() / coefficient).powf(n - 1.0) / coefficient;
        Some(if slope < SLOPE_MIN { Line { p: 1.0 / SLOPE_MIN, y: q } } else { Line { p: 1.0 / slope, y: q / n } })
    }
    fn assemble(&mut self) {
        self.matrix.diagonal.fill(0.0);
        self.matrix.off_diagonal.fill(0.0);
        self.right.fill(0.0);
        self.inflow.fill(0.0);
        self.hold_heads();
        for link in 0..self.lines.len() {
            let Line { p, y } = self.lines[link];
            if p <= 0.0 {
                continue;
            }
            let (from, to) = (self.net.links.from[link] as usize, self.net.links.to[link] as usize);
            let q = self.flow_m3ps[link];
            self.inflow[from] -= q;
            self.inflow[to] += q;
            let (a, b) = (self.row[from], self.row[to]);
            let (at_from, at_to) = (self.given_head(from), self.given_head(to));
            if self.entry[link] != NONE && at_from.is_none() && at_to.is_none() {
                self.matrix.off_diagonal[self.entry[link] as usize] -= p;
            }
            if at_from.is_none() {
                self.matrix.diagonal[a as usize] += p;
                self.right[a as usize] += y - q + at_to.map_or(0.0, |head_m| p * head_m);
            }
            if at_to.is_none() {
                self.matrix.diagonal[b as usize] += p;
                self.right[b as usize] += q - y + at_from.map_or(0.0, |head_m| p * head_m);
            }
        }
        for node in 0..self.row.len() {
            let row = self.row[node] as usize;
            if self.row[node] == NONE {
                continue;
            }
            if !self.is_supplied[node] {
                // Nothing to draw; its head is where it lies, so that the matrix stays regular.
                (self.served_m3ps[node], self.emitted_m3ps[node]) = (0.0, 0.0);
                self.matrix.diagonal[row] += 1.0;
                self.right[row] += self.net.nodes.elevation_m[node];
                continue;
            }
            if let Some(Line { p, y }) = self.emitter_line(node) {
                self.matrix.diagonal[row] += p;
                self.right[row] += y - self.emitted_m3ps[node] + p * self.net.nodes.elevation_m[node];
                self.inflow[node] -= self.emitted_m3ps[node];
            }
            match self.demand_line(node) {
                Some(Line { p, y }) => {
                    self.matrix.diagonal[row] += p;
                    self.right[row] += y - self.served_m3ps[node] + p * self.zero_head_m(node);
                    self.inflow[node] -= self.served_m3ps[node];
                }
                None => {
                    self.served_m3ps[node] = self.demand_m3ps[node];
                    self.right[row] -= self.demand_m3ps[node];
                    self.inflow[node] -= self.demand_m3ps[node];
                }
            }
        }
        self.carry_what_lacks();
    }
    /// Head of a node that is given: of a reservoir or tank, or held by a valve.
    fn given_head(&self, node: usize) -> Option<f64> {
        if self.row[node] == NONE {
            Some(self.head_m[node])
        } else {
            Some(self.held_m[node]).filter(|head_m| !head_m.is_nan())
        }
    }
    /// Head at which a demand that depends on pressure is nothing, metres.
    fn zero_head_m(&self, node: usize) -> f64 {
        let lowest_m = match self.net.options.demand_model {
            DemandModel::PressureDriven { minimum_m, .. } => minimum_m,
            DemandModel::Fixed => 0.0,
        };
        self.net.nodes.elevation_m[node] + lowest_m
    }
    /// Junctions whose head a pressure valve holds.
    fn hold_heads(&mut self) {
        for at in 0..self.pressure_valves.len() {
            let link = self.pressure_valves[at] as usize;
            for node in [self.net.links.from[link], self.net.links.to[link]] {
                self.held_m[node as usize] = f64::NAN;
            }
        }
        for at in 0..self.pressure_valves.len() {
            let link = self.pressure_valves[at] as usize;
            if self.holds(link) {
                let is_prv = self.net.links.kind[link] == LinkKind::Prv;
                let node = if is_prv { self.net.links.to[link] } else { self.net.links.from[link] } as usize;
                if self.row[node] != NONE && self.is_supplied[node] {
                    self.held_m[node] = self.net.nodes.elevation_m[node] + self.setting[link];
                }
            }
        }
    }
    /// Pressure valves that act: the other side gives or takes what their junction lacks.
    fn carry_what_lacks(&mut self) {
        for at in 0..self.pressure_valves.len() {
            let link = self.pressure_valves[at] as usize;
            if !self.holds(link) {
                continue;
            }
            let (from, to) = (self.net.links.from[link] as usize, self.net.links.to[link] as usize);
            let is_prv = self.net.links.kind[link] == LinkKind::Prv;
            let (held, other) = if is_prv { (to, from) } else { (from, to) };
            let lacks = self.inflow[held];
            let q = self.flow_m3ps[link];
            self.lines[link] = Line { p: 0.0, y: if is_prv { q + lacks } else { q - lacks } };
            if !self.held_m[held].is_nan() {
                let row = self.row[held] as usize;
                self.matrix.diagonal[row] = 1.0;
                self.right[row] = self.held_m[held];
            }
            let (row, is_right_way) = (self.row[other], if is_prv { lacks < 0.0 } else { lacks > 0.0 });
            if row != NONE && self.held_m[other].is_nan() && is_right_way {
                self.right[row as usize] += lacks;
            }
        }
    }
    /// Flows by the heads found, a share of the way. Returns the sum of changes over flows, the
    /// largest change, and the largest error of the head loss of a link.
    fn move_flows(&mut self, factor: f64) -> (f64, f64, f64) {
        let (mut sum, mut changes, mut largest, mut head_error_m) = (0.0, 0.0, 0.0_f64, 0.0_f64);
        for link in 0..self.lines.len() {
            let Line { p, y } = self.lines[link];
            let (from, to) = (self.net.links.from[link] as usize, self.net.links.to[link] as usize);
            let mut change = y - p * (self.head_m[from] - self.head_m[to]);
            let q = self.flow_m3ps[link];
            let pump = self.losses.pump[link];
            if pump != NONE && matches!(self.losses.lift[pump as usize], super::losses::Lift::Power(_)) && change > q {
                change = q / 2.0; // power lifts nothing backwards
            }
            if p > 0.0 {
                head_error_m = head_error_m.max((change / p).abs());
            }
            change *= factor;
            self.flow_m3ps[link] = q - change;
            sum += self.flow_m3ps[link].abs();
            changes += change.abs();
            largest = largest.max(change.abs());
        }
        for node in 0..self.row.len() {
            if self.row[node] == NONE || !self.is_supplied[node] {
                continue;
            }
            if let Some(Line { p, y }) = self.emitter_line(node) {
                let change = factor * (y - p * (self.head_m[node] - self.net.nodes.elevation_m[node]));
                self.emitted_m3ps[node] -= change;
                sum += self.emitted_m3ps[node].abs();
                changes += change.abs();
                largest = largest.max(change.abs());
            }
            if let Some(line) = self.demand_line(node) {
                let served = self.served_m3ps[node];
                let next = served + factor * (self.next_served_m3ps(node, line) - served);
                let change = (next - self.served_m3ps[node]).abs();
                sum += next;
                changes += change;
                largest = largest.max(change);
                self.served_m3ps[node] = next;
            }
        }
        (if sum > ACCURACY_MIN { changes / sum } else { changes }, largest, head_error_m)
    }
    /// What flows into reservoirs and tanks is what they are served.
    fn balance_fixed_nodes(&mut self) {
        for node in 0..self.row.len() {
            if self.row[node] == NONE {
                self.served_m3ps[node] = 0.0;
            }
        }
        for link in 0..self.flow_m3ps.len() {
            let (from, to) = (self.net.links.from[link] as usize, self.net.links.to[link] as usize);
            if !self.state[link].is_open() {
                continue;
            }
            if self.row[from] == NONE {
                self.served_m3ps[from] -= self.flow_m3ps[link];
            }
            if self.row[to] == NONE {
                self.served_m3ps[to] += self.flow_m3ps[link];
            }
        }
    }
}

#[cfg(test)]
#[path = "hydraulics_tests.rs"]
mod tests;
