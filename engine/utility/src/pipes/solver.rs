//! Steady pressures and flows of a network: Newton's method on flows and potentials at once (the global gradient
//! method). Each link with friction is `R(m) = phi_a - phi_b + c` (see `laws`); to first order around the flow at hand
//!
//! ```text
//! m' = m + g (r + d_a - d_b)      g = 1 / R'(m)      r: what the law lacks      d: change of potential
//! ```
//!
//! and the balance of every node without a held pressure gives `A d = b` with the Laplacian `A` of the `g`: symmetric
//! and definite, solved by [`crate::sparse::Ldlt`]. Links without resistance (open valves, pumps, compressors,
//! regulators) have flows that no law gives; their flows and equations border the matrix:
//!
//! ```text
//! [A  C] [d]   [b]        C: +1 and -1 at the ends of each such link
//! [E  D] [u] = [e]        E, D: slopes of its equation, such as p_b = p_a + lift or p_c = p_set
//! ```
//!
//! so that `(D - E A^-1 C) u = e - E A^-1 b`, a dense system with one row for each. To keep `A` regular where a part of
//! the network hangs on such links alone, they also stand in `A` with a conductance of usual size, and `u` is the flow
//! beyond it; that changes the unknowns, not the solution.
//!
//! A flow that is out of reach (a gas network asked for more than its pressure can carry) is no error: the outcome says
//! that it did not converge.
//!
//! Ignored: flows that change within a step, check valves, leaks. Contract: no allocation after [`Hydraulics::new`];
//! single-threaded, operations in one order: a pure function of the tables and the state it starts from.

use super::friction::FrictionLaw;
use super::laws::{self, Ends, Law};
use super::network::{LinkKind, Network};
use super::special::Dense;
use super::supply::Supply;
use crate::snapshot::Snapshot;
use crate::sparse::{Ldlt, Pattern, SymmetricMatrix, minimum_degree};

const NONE: u32 = u32::MAX;
/// Properties of a gas are not asked at pressures below this share of the highest held one.
const LEAST_SHARE: f64 = 1e-3;

/// Potential of an absolute pressure.
fn potential(network: &Network, pressure_pa: f64) -> f64 {
    if network.fluid.is_gas { pressure_pa * pressure_pa } else { pressure_pa }
}

/// Adds a conductance between two rows, either of which may be missing.
fn stamp(matrix: &mut SymmetricMatrix, from: u32, to: u32, beside: u32, g: f64) {
    for row in [from, to] {
        if row != NONE {
            matrix.diagonal[row as usize] += g;
        }
    }
    if beside != NONE {
        matrix.off_diagonal[beside as usize] -= g;
    }
}

/// How to solve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HydraulicSettings {
    /// Law of friction.
    pub friction: FrictionLaw,
    /// Largest change of a potential in the last step, and what a law may lack, as shares of the largest potential.
    pub tolerance: f64,
    /// Largest number of steps.
    pub iterations: u32,
}

impl Default for HydraulicSettings {
    fn default() -> Self {
        Self { friction: FrictionLaw::Nikuradse, tolerance: 1e-12, iterations: 100 }
    }
}

/// How a solve went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HydraulicOutcome {
    /// Whether all equations hold within the tolerance.
    pub is_converged: bool,
    /// Steps taken.
    pub iterations: u32,
    /// Largest imbalance of a node whose pressure is not held, kg/s.
    pub imbalance_kgps: f64,
    /// Largest shortfall of a law, as a share of the largest potential.
    pub residual: f64,
    /// Equations of links without resistance that said nothing new (valves side by side): how flow divides among them is
    /// not determined.
    pub idle_equations: u32,
}

/// State and room of a solver for one network.
#[derive(Clone, Debug)]
pub struct Hydraulics {
    supply: Supply,
    held: Vec<(u32, f64)>,
    /// Absolute pressure of a liquid, its square for a gas. Squares that a step or a demand out of reach make negative are
    /// kept, as the equations are linear in them. Shape: nodes.
    potential: Vec<f64>,
    /// Absolute pressure, Pa; NaN at nodes without supply. Shape: nodes.
    pub pressure_pa: Vec<f64>,
    /// Flow from the from to the to end, kg/s. Shape: links.
    pub mdot_kgps: Vec<f64>,
    /// Temperature at the from end, K. Shape: links.
    pub t_from_k: Vec<f64>,
    /// Temperature at the to end, K. Shape: links.
    pub t_to_k: Vec<f64>,
    /// Flow of links of given flow, kg/s. Shape: links.
    pub flow_set_kgps: Vec<f64>,
    /// What is drawn, kg/s. Shape: nodes.
    pub draw_kgps: Vec<f64>,
    /// Darcy's friction factor. Shape: links.
    pub lambda: Vec<f64>,
    /// Reynolds number. Shape: links.
    pub reynolds: Vec<f64>,
    /// Place of a node in the matrix; none where its pressure is held or missing.
    row: Vec<u32>,
    /// Links with friction, then links without resistance: their place beside the diagonal.
    resistive: Vec<(u32, u32)>,
    special: Vec<(u32, u32)>,
    given: Vec<u32>,
    matrix: SymmetricMatrix,
    factors: Ldlt,
    laws: Vec<Law>,
    /// `A^-1 b`, then the change of potentials. Shape: rows.
    step: Vec<f64>,
    right: Vec<f64>,
    /// `A^-1 C` by columns. Shape: special x rows.
    columns: Vec<f64>,
    dense: Dense,
    unknown: Vec<f64>,
    shortfall: Vec<f64>,
    usual: f64,
}

impl Hydraulics {
    /// Room for a network; the state is that without a solution.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let (nodes, links) = (&network.nodes, &network.links);
        let supply = Supply::new(network);
        let held = network.held_pressures();
        let mut is_free: Vec<bool> = supply.is_supplied.clone();
        held.iter().for_each(|(node, _)| is_free[*node as usize] = false);
        let mut number = vec![NONE; nodes.len()];
        let mut rows = 0_u32;
        for node in (0..nodes.len()).filter(|&node| is_free[node]) {
            number[node] = rows;
            rows += 1;
        }
        let live = |link: &usize| supply.is_live[*link] && links.from[*link] != links.to[*link];
        let is_flow = |link: &usize| matches!(links.kind[*link], LinkKind::Flow(_));
        let edge = |link: usize| (number[links.from[link] as usize], number[links.to[link] as usize]);
        let inner = (0..links.len()).filter(live).filter(|link| !is_flow(link));
        let edges = inner.map(edge).filter(|(a, b)| *a != NONE && *b != NONE);
        let pattern = Pattern::from_edges(rows as usize, edges);
        let order = minimum_degree(&pattern);
        let pattern = pattern.permuted(&order);
        let place = |node: u32| match number[node as usize] {
            NONE => NONE,
            of => order.new_of_old[of as usize],
        };
        let row: Vec<u32> = (0..nodes.len() as u32).map(place).collect();
        let matrix = SymmetricMatrix::zeros(&pattern);
        let beside = |link: usize| {
            let (a, b) = (row[links.from[link] as usize], row[links.to[link] as usize]);
            if a == NONE || b == NONE {
                return NONE;
            }
            matrix.edges().binary_search(&(a.min(b), a.max(b))).map_or(NONE, |at| at as u32)
        };
        let of = |is: &dyn Fn(usize) -> bool| -> Vec<(u32, u32)> {
            let of = (0..links.len()).filter(live).filter(|link| !is_flow(link) && is(*link));
            of.map(|link| (link as u32, beside(link))).collect()
        };
        let resistive = of(&|link| laws::is_resistive(network, link));
        let special = of(&|link| !laws::is_resistive(network, link));
        let given = (0..links.len()).filter(live).filter(is_flow).map(|link| link as u32).collect();
        let (rows, specials) = (rows as usize, special.len());
        let mut this = Self {
            potential: vec![f64::NAN; nodes.len()],
            pressure_pa: vec![f64::NAN; nodes.len()],
            mdot_kgps: vec![0.0; links.len()],
            t_from_k: vec![0.0; links.len()],
            t_to_k: vec![0.0; links.len()],
            flow_set_kgps: links.kind.iter().map(|kind| if let LinkKind::Flow(m) = kind { *m } else { 0.0 }).collect(),
            draw_kgps: vec![0.0; nodes.len()],
            lambda: vec![f64::NAN; links.len()],
            reynolds: vec![f64::NAN; links.len()],
            factors: Ldlt::new(&pattern),
            laws: vec![Law::default(); links.len()],
            step: vec![0.0; rows],
            right: vec![0.0; rows],
            columns: vec![0.0; rows * specials],
            dense: Dense::new(specials),
            unknown: vec![0.0; specials],
            shortfall: vec![0.0; specials],
            usual: 0.0,
            supply,
            held,
            row,
            resistive,
            special,
            given,
            matrix,
        };
        for draw in &network.draws {
            this.draw_kgps[draw.node as usize] += draw.mdot_kgps;
        }
        this.start_temperatures(network);
        this.start(network);
        this
    }
    /// Temperatures of links to begin with: those of nodes, of feeders where they give one, of what leaves a link.
    pub fn start_temperatures(&mut self, network: &Network) {
        self.t_to_k.copy_from_slice(&network.links.t_out_start_k);
        for (t_k, &from) in self.t_from_k.iter_mut().zip(&network.links.from) {
            *t_k = network.nodes.t_start_k[from as usize];
        }
        for feed in network.feeds.iter().filter(|feed| feed.is_in_service) {
            let Some(fed_k) = feed.t_k else { continue };
            let of_node = self.t_from_k.iter_mut().zip(&network.links.from).filter(|(_, from)| **from == feed.node);
            of_node.for_each(|(t_k, _)| *t_k = fed_k);
        }
    }
    /// What a solve starts from and what it leaves; see [`Snapshot`].
    pub fn snapshot(&mut self, of: &mut Snapshot) {
        of.numbers(&mut self.potential);
        of.numbers(&mut self.pressure_pa);
        of.numbers(&mut self.mdot_kgps);
        of.numbers(&mut self.t_from_k);
        of.numbers(&mut self.t_to_k);
        of.numbers(&mut self.flow_set_kgps);
        of.numbers(&mut self.draw_kgps);
        of.numbers(&mut self.lambda);
        of.numbers(&mut self.reynolds);
    }
    /// Which nodes have a pressure.
    #[must_use]
    pub fn supply(&self) -> &Supply {
        &self.supply
    }
    /// Forgets the last solution: pressures are those held, handed on along links; flows are small.
    pub fn start(&mut self, network: &Network) {
        let links = &network.links;
        for (node, pressure_pa) in &self.held {
            self.pressure_pa[*node as usize] = *pressure_pa;
        }
        for &(node, link) in self.supply.order.iter().filter(|(_, link)| *link != NONE) {
            let (link, is_ahead) = (link as usize, links.to[link as usize] == node);
            let other = self.pressure_pa[if is_ahead { links.from[link] } else { links.to[link] } as usize];
            let least = 0.1 * other;
            self.pressure_pa[node as usize] = match links.kind[link] {
                LinkKind::Lift(pa) => (if is_ahead { other + pa } else { other - pa }).max(least),
                LinkKind::Ratio(ratio) => {
                    if is_ahead {
                        other * ratio
                    } else {
                        other / ratio
                    }
                }
                LinkKind::Regulator { node: held, pressure_pa } if held == node => pressure_pa,
                _ => other,
            };
        }
        for &(node, _) in &self.supply.order {
            self.potential[node as usize] = potential(network, self.pressure_pa[node as usize]);
        }
        let norm = network.fluid.norm_density_kgpm3();
        self.mdot_kgps.fill(0.0);
        for &(link, _) in self.resistive.iter().chain(&self.special) {
            self.mdot_kgps[link as usize] = 0.1 * links.area_m2(link as usize) * norm;
        }
    }
    /// Solves from the state at hand. Tables may have changed in values, not in shape or in what is open.
    pub fn solve(&mut self, network: &Network, settings: &HydraulicSettings) -> HydraulicOutcome {
        let mut outcome = HydraulicOutcome::default();
        let mut highest_pa = 0.0_f64;
        for (node, pressure_pa) in &self.held {
            highest_pa = highest_pa.max(pressure_pa.abs());
            self.pressure_pa[*node as usize] = *pressure_pa;
            self.potential[*node as usize] = potential(network, *pressure_pa);
        }
        for &link in &self.given {
            self.mdot_kgps[link as usize] = self.flow_set_kgps[link as usize];
        }
        let mut is_last = false;
        for iteration in 0..settings.iterations.max(1) {
            outcome.iterations = iteration + 1;
            self.evaluate(network, settings.friction);
            let largest = self.largest_potential();
            outcome.idle_equations = self.newton(network);
            let change = self.apply(network, LEAST_SHARE * highest_pa);
            if !change.is_finite() {
                break;
            }
            // Once more after the last needed step: it costs little and takes what rounding leaves.
            let is_small = change <= settings.tolerance * largest;
            if is_small && is_last {
                break;
            }
            is_last = is_small;
        }
        self.evaluate(network, settings.friction);
        let largest = self.largest_potential();
        self.balances(network, false);
        outcome.imbalance_kgps = self.right.iter().fold(0.0, |worst: f64, of| worst.max(of.abs()));
        let lacks = self.resistive.iter().map(|(link, _)| self.laws[*link as usize].residual.abs());
        let lacks = lacks.chain(self.shortfall.iter().map(|of| of.abs()));
        outcome.residual = lacks.fold(0.0, f64::max) / largest.max(f64::MIN_POSITIVE);
        let flow = self.mdot_kgps.iter().fold(1e-3_f64, |most, m| most.max(m.abs()));
        outcome.is_converged = outcome.residual <= 100.0 * settings.tolerance
            && outcome.imbalance_kgps <= 1e-10 * flow.max(1.0)
            && outcome.residual.is_finite()
            && (!network.fluid.is_gas
                || self.supply.order.iter().all(|(node, _)| self.potential[*node as usize] > 0.0));
        outcome
    }
    /// What a node lacks: flow in less flow out and draw, kg/s; at nodes of held pressure what is fed from outside, with
    /// the sign turned.
    #[must_use]
    pub fn balance_kgps(&self, network: &Network, node: u32) -> f64 {
        let links = &network.links;
        (0..links.len()).fold(-self.draw_kgps[node as usize], |sum, link| {
            let m = if self.supply.is_live[link] { self.mdot_kgps[link] } else { 0.0 };
            sum + if links.to[link] == node { m } else { 0.0 } - if links.from[link] == node { m } else { 0.0 }
        })
    }
    /// What is fed into each node from outside so that it balances, kg/s: at held pressures the feed, elsewhere nothing but
    /// rounding; 0 without supply. Shape: nodes.
    pub fn feeds_kgps(&self, network: &Network, into: &mut [f64]) {
        let links = &network.links;
        into.copy_from_slice(&self.draw_kgps);
        for link in (0..links.len()).filter(|&link| self.supply.is_live[link]) {
            into[links.from[link] as usize] += self.mdot_kgps[link];
            into[links.to[link] as usize] -= self.mdot_kgps[link];
        }
        into.iter_mut().zip(&self.supply.is_supplied).filter(|(_, is)| !**is).for_each(|(of, _)| *of = 0.0);
    }
    /// State at the ends of a link.
    fn ends(&self, network: &Network, link: usize) -> Ends {
        Ends {
            phi_from: self.potential[network.links.from[link] as usize],
            phi_to: self.potential[network.links.to[link] as usize],
            p_from_pa: self.pressure_pa[network.links.from[link] as usize],
            p_to_pa: self.pressure_pa[network.links.to[link] as usize],
            t_from_k: self.t_from_k[link],
            t_to_k: self.t_to_k[link],
            mdot_kgps: self.mdot_kgps[link],
        }
    }
    /// Density of what is in a link, kg/m3: the mean of both ends.
    #[must_use]
    pub fn density_kgpm3(&self, network: &Network, link: usize) -> f64 {
        laws::density_kgpm3(network, &self.ends(network, link))
    }
    /// Pressure that a link adds, Pa.
    #[must_use]
    pub fn lift_pa(&self, network: &Network, link: usize) -> f64 {
        laws::lift(network, link, &self.ends(network, link)).0
    }
    /// Laws of all live links at the state at hand.
    fn evaluate(&mut self, network: &Network, friction: FrictionLaw) {
        for at in 0..self.resistive.len() {
            let link = self.resistive[at].0 as usize;
            let law = laws::law(network, link, friction, &self.ends(network, link));
            (self.lambda[link], self.reynolds[link]) = (law.lambda, law.reynolds);
            self.laws[link] = law;
        }
        for at in 0..self.special.len() {
            let link = self.special[at].0 as usize;
            let law = match network.links.kind[link] {
                LinkKind::Regulator { node, pressure_pa } => {
                    let residual = self.potential[node as usize] - potential(network, pressure_pa);
                    Law { residual, ..Law::default() }
                }
                _ => laws::law(network, link, friction, &self.ends(network, link)),
            };
            (self.lambda[link], self.reynolds[link]) = (law.lambda, law.reynolds);
            self.shortfall[at] = law.residual;
            self.laws[link] = law;
        }
    }
    fn largest_potential(&self) -> f64 {
        let of = self.supply.order.iter().map(|(node, _)| self.potential[*node as usize].abs());
        of.fold(0.0, f64::max)
    }
    /// Factors the matrix and finds the step; returns the number of idle equations.
    fn newton(&mut self, network: &Network) -> u32 {
        let links = &network.links;
        self.matrix.diagonal.fill(0.0);
        self.matrix.off_diagonal.fill(0.0);
        let (mut sum, mut count) = (0.0, 0.0);
        self.balances(network, true);
        for &(link, beside) in &self.resistive {
            let link = link as usize;
            let g = -1.0 / self.laws[link].by_flow;
            (sum, count) = (sum + g.ln(), count + 1.0);
            stamp(&mut self.matrix, self.row[links.from[link] as usize], self.row[links.to[link] as usize], beside, g);
        }
        // The usual conductance: the geometric mean, as they differ by powers of ten.
        self.usual = if count > 0.0 { f64::exp(sum / count) } else { 1.0 };
        for &(link, beside) in &self.special {
            let (from, to) = (links.from[link as usize] as usize, links.to[link as usize] as usize);
            stamp(&mut self.matrix, self.row[from], self.row[to], beside, self.usual);
        }
        self.factors.factor(&self.matrix);
        self.step.copy_from_slice(&self.right);
        self.factors.solve(&mut self.step);
        if self.special.is_empty() {
            return 0;
        }
        self.border(network)
    }
    /// Flows of links without resistance and what they change of the step.
    fn border(&mut self, network: &Network) -> u32 {
        let (links, rows) = (&network.links, self.step.len());
        for (column, &(link, _)) in self.columns.chunks_exact_mut(rows.max(1)).zip(&self.special) {
            column.fill(0.0);
            let (from, to) = (links.from[link as usize] as usize, links.to[link as usize] as usize);
            if self.row[from] != NONE {
                column[self.row[from] as usize] += 1.0;
            }
            if self.row[to] != NONE {
                column[self.row[to] as usize] -= 1.0;
            }
            self.factors.solve(column);
        }
        let size = self.special.len();
        for (nth, &(link, _)) in self.special.iter().enumerate() {
            let (law, kind) = (self.laws[link as usize], links.kind[link as usize]);
            let (from, to) = (links.from[link as usize] as usize, links.to[link as usize] as usize);
            let (from, to) = (self.row[from], self.row[to]);
            let at = |x: &[f64], row: u32| if row == NONE { 0.0 } else { x[row as usize] };
            // E x of this equation, the conductance that stands in for the link included.
            let e = |x: &[f64]| match kind {
                LinkKind::Regulator { node, .. } => at(x, self.row[node as usize]),
                _ => {
                    let stand_in = law.by_flow * self.usual;
                    (law.by_from + stand_in) * at(x, from) + (law.by_to - stand_in) * at(x, to)
                }
            };
            self.unknown[nth] = -law.residual - e(&self.step);
            for other in 0..size {
                let column = &self.columns[other * rows..(other + 1) * rows];
                self.dense.values[nth * size + other] = -e(column);
            }
            self.dense.values[nth * size + nth] += law.by_flow;
        }
        let idle = self.dense.solve(&mut self.unknown);
        for (column, u) in self.columns.chunks_exact(rows.max(1)).zip(&self.unknown) {
            self.step.iter_mut().zip(column).for_each(|(step, of)| *step -= of * u);
        }
        idle
    }
    /// Balances of nodes as the right side: with flows that laws would have at the pressures at hand, or as flows are.
    fn balances(&mut self, network: &Network, is_predicted: bool) {
        let links = &network.links;
        self.right.fill(0.0);
        let right = &mut self.right;
        let mut take = |row: u32, m: f64| {
            if row != NONE {
                right[row as usize] -= m;
            }
        };
        for (node, draw) in self.draw_kgps.iter().enumerate() {
            take(self.row[node], *draw);
        }
        let live = self.resistive.iter().chain(&self.special).map(|(link, _)| link).chain(&self.given);
        for (nth, &link) in live.enumerate() {
            let (link, is_resistive) = (link as usize, nth < self.resistive.len());
            let law = &self.laws[link];
            let ahead = if is_predicted && is_resistive { -law.residual / law.by_flow } else { 0.0 };
            let m = self.mdot_kgps[link] + ahead;
            take(self.row[links.from[link] as usize], m);
            take(self.row[links.to[link] as usize], -m);
        }
    }
    /// Takes the step; returns the largest change of a potential.
    fn apply(&mut self, network: &Network, least_pa: f64) -> f64 {
        let (links, is_gas) = (&network.links, network.fluid.is_gas);
        let mut largest = 0.0_f64;
        for change in &self.step {
            if !change.is_finite() {
                return f64::NAN;
            }
            largest = largest.max(change.abs());
        }
        let d = |row: u32| if row == NONE { 0.0 } else { self.step[row as usize] };
        for &(link, _) in &self.resistive {
            let link = link as usize;
            let law = &self.laws[link];
            let along = d(self.row[links.from[link] as usize]) - d(self.row[links.to[link] as usize]);
            self.mdot_kgps[link] -= (law.residual + along) / law.by_flow;
        }
        for (&(link, _), u) in self.special.iter().zip(&self.unknown) {
            let link = link as usize;
            let along = d(self.row[links.from[link] as usize]) - d(self.row[links.to[link] as usize]);
            self.mdot_kgps[link] += u + self.usual * along;
        }
        for &(node, _) in &self.supply.order {
            let (node, row) = (node as usize, self.row[node as usize]);
            if row != NONE {
                self.potential[node] += self.step[row as usize];
                let phi = self.potential[node];
                self.pressure_pa[node] = if is_gas { phi.max(least_pa * least_pa).sqrt() } else { phi };
            }
        }
        largest
    }
}
