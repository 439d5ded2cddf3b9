//! Static user equilibrium on volume-delay functions: nobody can save by another path (Wardrop 1952),
//! which is where the sum of integrals of costs is least (Beckmann, McGuire, Winsten 1956).
//!
//! Method: one bush for each origin (Dial 2006; Nie 2010). An iteration first measures every
//! origin's excess cost over shortest paths and improves its bush, at the same costs for all and in parallel, then
//! shifts flow origin after origin, each at the costs the others have left: this order is what makes it converge fast,
//! so it stays on one thread.
//!
//! The relative gap is `(sum of flow * cost - sum of demand * shortest cost) / (sum of flow * cost)`,
//! its numerator summed link by link from differences that are each at least 0, so that gaps far below 1e-12 are not
//! lost in the difference of two large sums.
//!
//! What is ignored: classes of users, costs that depend on other links, turn costs, time of day.
//! Contract: equal input gives equal bits on any number of threads: chunks of origins are constant,
//! sums go in order of origins, shifts run in order of origins.

use crate::bush::{Bush, Excess, Scratch, State};
use crate::shortest::Graph;
use crate::static_input::{Demand, Network};
use rayon::prelude::*;
use std::ops::ControlFlow;
use std::path::Path;
use urbis_core::{Problem, Result};

/// Origins one task works on.
const CHUNK_ORIGINS: usize = 4;
/// First trees are loaded in this many blocks, each at the costs that those before have caused.
const FIRST_BLOCKS: usize = 16;
/// Sweeps of shifts in an iteration at most. A sweep costs a fraction of improving all bushes.
const SWEEPS: usize = 32;
/// An iteration's sweeps end when the gain of one falls to this share of the first one's.
const ENOUGH: f64 = 0.03;
/// Origins whose last gain was below this share of the mean rest,
const IDLE: f64 = 0.3;
/// but in every so manyth sweep all have their turn.
const SWEEPS_BETWEEN_ALL: usize = 4;
/// Relative gaps below this are rounding.
const ROUNDING: f64 = 1e-15;
/// Changes of flows are shares of at least this share of the mean flow.
const SMALL_FLOW: f64 = 1e-3;
/// How many pairs without a path are kept as examples.
pub const EXAMPLES: usize = 10;

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Relative gap that is good enough, above 0.
    pub gap: f64,
    /// Iterations go on below `gap` until none changes the flow of a link by more than this share of it:
    /// where costs are flat, flows can be far from their places when the gap is small already.
    /// Infinity means that the gap alone counts.
    pub settle: f64,
    /// Iterations at most.
    pub max_iterations: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { gap: 1e-6, settle: 1e-5, max_iterations: 1000 }
    }
}

/// Where the assignment stands after an iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Iteration {
    /// Iterations done; 0 is the first loading.
    pub iteration: u32,
    /// Relative gap.
    pub relative_gap: f64,
    /// Beckmann objective, in flow times cost.
    pub beckmann: f64,
    /// Largest change of a link's flow since the iteration before, as a share of the flow (of a thousandth
    /// of the mean flow where that is more); infinite for the first loading.
    pub change: f64,
}

/// Demand that has no path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unassigned {
    /// Sum of the demand.
    pub flow: f64,
    /// Number of pairs.
    pub pairs: usize,
    /// The first [`EXAMPLES`] of them: rows of origin and destination, demand.
    pub examples: Vec<(u32, u32, f64)>,
}

/// An assignment. Shapes: one row a link of the [`Network`].
#[derive(Debug)]
pub struct Solution {
    /// Flow of each link.
    pub flow: Vec<f64>,
    /// Cost of each link at its flow.
    pub cost: Vec<f64>,
    /// Beckmann objective, fixed costs included, in flow times cost.
    pub beckmann: f64,
    /// Relative gap of these flows.
    pub relative_gap: f64,
    /// Iterations that were needed.
    pub iterations: u32,
    /// Whether the gap that was asked for is reached.
    pub converged: bool,
    /// Whether flows had also settled as asked for.
    pub settled: bool,
    /// Sum of flow times time, fixed costs not included.
    pub total_time: f64,
    /// Sum of flow times cost.
    pub total_cost: f64,
    /// Demand that is on the network.
    pub assigned: f64,
    /// Demand that has no path.
    pub unassigned: Unassigned,
    /// The way there, from the first loading on.
    pub trace: Vec<Iteration>,
    pub(crate) graph: Graph,
    pub(crate) bushes: Vec<Bush>,
    pub(crate) demand: Demand,
}

/// Finds the user equilibrium. `progress` hears of every iteration and may stop the work, which leaves a
/// whole solution that is not converged. Runs on the pool of the caller.
///
/// # Errors
/// Values in network, demand or options that make no sense.
pub fn assign(
    network: &Network,
    demand: &Demand,
    options: &Options,
    progress: &mut dyn FnMut(&Iteration) -> ControlFlow<()>,
) -> Result<Solution> {
    for (name, value) in [("gap", options.gap), ("settle", options.settle)] {
        if value.is_nan() || value <= 0.0 {
            return Err(Problem::file(Path::new(name), format!("{value}, expected a number above 0")).into());
        }
    }
    demand.check(network.nodes)?;
    network.check(demand.total())?;
    let mut work = Work::new(network, demand.clone());
    let mut trace = Vec::new();
    let (mut iteration, mut moved) = (0, true);
    let (converged, settled) = loop {
        let (relative_gap, grew) = work.measure_and_improve();
        let change = if iteration == 0 { f64::INFINITY } else { work.change() };
        let state = Iteration { iteration, relative_gap, beckmann: work.beckmann(), change };
        trace.push(state);
        let go_on = progress(&state);
        let converged = relative_gap <= options.gap;
        let settled = change <= options.settle || relative_gap <= ROUNDING;
        // Where neither flows nor bushes change, what is left is rounding.
        let at_rest = !(moved || grew);
        if (converged && settled) || go_on.is_break() || iteration >= options.max_iterations || at_rest {
            break (converged, settled || at_rest);
        }
        moved = work.shift();
        iteration += 1;
    };
    Ok(work.into_solution(network, trace, converged, settled))
}

/// The assignment under way.
struct Work {
    graph: Graph,
    demand: Demand,
    state: State,
    /// Flows before the last shifts.
    before: Vec<f64>,
    bushes: Vec<Bush>,
    unassigned: Unassigned,
    scratch: Scratch,
}

impl Work {
    /// Loads shortest trees, block after block.
    fn new(network: &Network, demand: Demand) -> Self {
        let graph = Graph::new(network.nodes, &network.from, &network.to, network.first_thru);
        let links = graph.links();
        let delay = graph.outside.iter().map(|&link| network.delay(link as usize)).collect();
        let mut state = State { delay, flow: vec![0.0; links], cost: vec![0.0; links], slope: vec![0.0; links] };
        state.refresh();
        let origins = demand.origin.len();
        let mut work = Self {
            graph,
            state,
            before: vec![0.0; links],
            bushes: Vec::with_capacity(origins),
            unassigned: Unassigned::default(),
            scratch: Scratch::default(),
            demand,
        };
        let block = origins.div_ceil(FIRST_BLOCKS).max(1);
        let mut kept = Demand { start: vec![0], within: work.demand.within, ..Demand::default() };
        for first in (0..origins).step_by(block) {
            let trees = work.first_trees(first..(first + block).min(origins));
            for (row, (bush, lost)) in (first..).zip(trees) {
                bush.add_to(&mut work.state.flow);
                work.settle(row, bush, &lost, &mut kept);
            }
            work.state.refresh();
        }
        work.demand = kept;
        work
    }

    /// Trees of some origins at the present costs, and which of their destinations they do not reach.
    fn first_trees(&self, origins: std::ops::Range<usize>) -> Vec<(Bush, Vec<u32>)> {
        let tree = |scratch: &mut Scratch, row: usize| {
            let mut lost = Vec::new();
            let root = self.demand.origin[row];
            let bush = Bush::of_tree(&self.graph, &self.state.cost, root, self.demand.of(row), scratch, &mut lost);
            (bush, lost)
        };
        origins.into_par_iter().with_min_len(CHUNK_ORIGINS).map_init(Scratch::default, tree).collect()
    }

    /// Takes over one origin's bush and the demand that it reaches.
    fn settle(&mut self, row: usize, bush: Bush, lost: &[u32], kept: &mut Demand) {
        let destinations = self.demand.of(row);
        let mut lost = lost.iter().copied().peekable();
        let before = kept.to.len();
        for (place, (&to, &flow)) in destinations.node.iter().zip(destinations.flow).enumerate() {
            if lost.peek() == Some(&(place as u32)) {
                lost.next();
                self.unassigned.flow += flow;
                self.unassigned.pairs += 1;
                if self.unassigned.examples.len() < EXAMPLES {
                    self.unassigned.examples.push((bush.root, to, flow));
                }
            } else {
                kept.to.push(to);
                kept.flow.push(flow);
            }
        }
        if kept.to.len() > before {
            kept.origin.push(bush.root);
            kept.start.push(kept.to.len() as u32);
            self.bushes.push(bush);
        }
    }

    /// The relative gap of the present flows; bushes are improved at the same costs. Says whether any grew.
    fn measure_and_improve(&mut self) -> (f64, bool) {
        let Self { graph, demand, state, bushes, .. } = self;
        let cost = &state.cost;
        let improve =
            |scratch: &mut Scratch, (row, bush): (usize, &mut Bush)| bush.improve(graph, cost, demand.of(row), scratch);
        let excesses: Vec<Excess> =
            bushes.par_iter_mut().enumerate().with_min_len(CHUNK_ORIGINS).map_init(Scratch::default, improve).collect();
        // Flows have been shifted one by one; summed afresh, rounding does not pile up.
        state.flow.fill(0.0);
        bushes.iter().for_each(|bush| bush.add_to(&mut state.flow));
        state.refresh();
        let excess: f64 = excesses.iter().map(|part| part.excess).sum();
        let shortest: f64 = excesses.iter().map(|part| part.shortest).sum();
        let gap = if excess > 0.0 { excess / (excess + shortest) } else { 0.0 };
        (gap, excesses.iter().any(|part| part.grew))
    }

    /// Shifts flow, origin after origin, until what there is to gain within the bushes is small beside what there was.
    /// Returns whether any moved.
    fn shift(&mut self) -> bool {
        self.before.clone_from(&self.state.flow);
        let mut gains = vec![0.0; self.bushes.len()];
        let (mut first, mut last) = (0.0, 0.0);
        for sweep in 0..SWEEPS {
            let idle = IDLE * last / self.bushes.len() as f64;
            let everyone = sweep % SWEEPS_BETWEEN_ALL == 0;
            for (bush, gain) in self.bushes.iter_mut().zip(&mut gains) {
                if everyone || *gain > idle {
                    *gain = bush.shift(&self.graph, &mut self.state, &mut self.scratch);
                }
            }
            last = gains.iter().sum();
            if sweep == 0 {
                first = last;
            }
            if last <= ENOUGH * first {
                break;
            }
        }
        first > 0.0
    }

    /// Largest change of a flow since before the last shifts, see [`Iteration::change`].
    fn change(&self) -> f64 {
        let flows = &self.state.flow;
        let small = SMALL_FLOW * flows.iter().sum::<f64>() / flows.len().max(1) as f64;
        let pairs = flows.iter().zip(&self.before);
        pairs.map(|(now, before)| (now - before).abs() / now.max(small).max(f64::MIN_POSITIVE)).fold(0.0, f64::max)
    }

    fn beckmann(&self) -> f64 {
        self.state.delay.iter().zip(&self.state.flow).map(|(delay, &flow)| delay.integral(flow)).sum()
    }

    fn into_solution(self, network: &Network, trace: Vec<Iteration>, converged: bool, settled: bool) -> Solution {
        let Self { graph, demand, state, bushes, unassigned, .. } = self;
        let links = graph.links();
        let (mut flow, mut cost) = (vec![0.0; links], vec![0.0; links]);
        for (inside, &outside) in graph.outside.iter().enumerate() {
            flow[outside as usize] = state.flow[inside];
            cost[outside as usize] = state.cost[inside];
        }
        let total_cost = flow.iter().zip(&cost).map(|(flow, cost)| flow * cost).sum();
        let total_time = (0..links).map(|link| flow[link] * (cost[link] - network.fixed(link))).sum();
        let none = Iteration { iteration: 0, relative_gap: 0.0, beckmann: 0.0, change: 0.0 };
        let last = trace.last().copied().unwrap_or(none);
        Solution {
            flow,
            cost,
            beckmann: last.beckmann,
            relative_gap: last.relative_gap,
            iterations: last.iteration,
            converged,
            settled,
            total_time,
            total_cost,
            assigned: demand.total(),
            unassigned,
            trace,
            graph,
            bushes,
            demand,
        }
    }
}
