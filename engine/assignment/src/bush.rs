//! The bush of one origin: an acyclic set of links that carries all its flow (Dial 2006, "A path-based user-equilibrium
//! traffic assignment algorithm that obviates path storage and enumeration", Transportation Research B 40; with the
//! additions of Nie 2010, "A class of bush-based algorithms for the traffic assignment problem", ibid. 44).
//!
//! A bush is a list of slots (link, flow) grouped by the head of the link, groups in topological order; so one pass
//! forward gives the shortest path to every node and the longest that is used, one pass backward meets every node
//! after all that it feeds. [`Bush::shift`] moves flow from the longest used to the shortest path between the node
//! where they meet and the last one they share, by a bracketed Newton step on their difference. [`Bush::improve`]
//! drops links that carry nothing and adds those that shorten a path without closing a circle: the label `high`, which
//! never falls along the bush, rises strictly along every added link.
//!
//! Contract: [`Bush::shift`] changes the flows of all origins and runs in their order; [`Bush::improve`] reads costs
//! and changes its own bush alone, so bushes may improve in parallel.

use crate::shortest::{Graph, NONE, Search};
use crate::volume_delay::VolumeDelay;

/// Links and flows of one origin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bush {
    /// The origin.
    pub(crate) root: u32,
    /// Links in topological order of their heads.
    pub(crate) link: Vec<u32>,
    /// Flow of each of them from this origin.
    pub(crate) flow: Vec<f64>,
}

/// Demand of one origin: nodes and what goes there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destinations<'a> {
    pub(crate) node: &'a [u32],
    pub(crate) flow: &'a [f64],
}

/// Flows, costs and slopes of all links.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) delay: Vec<VolumeDelay>,
    pub(crate) flow: Vec<f64>,
    pub(crate) cost: Vec<f64>,
    pub(crate) slope: Vec<f64>,
}

impl State {
    /// Costs at the present flows.
    pub(crate) fn refresh(&mut self) {
        for (row, delay) in self.delay.iter().enumerate() {
            (self.cost[row], self.slope[row]) = delay.at(self.flow[row]);
        }
    }
}

/// How far one origin is from equilibrium at given costs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Excess {
    /// Flow times what it pays more than the shortest path.
    pub(crate) excess: f64,
    /// Demand times cost of the shortest path.
    pub(crate) shortest: f64,
    /// Whether the bush has new links.
    pub(crate) grew: bool,
}

/// Buffers for work on one bush at a time; nothing in them outlives a call.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    search: Search,
    /// Shortest label within the bush.
    low: Vec<f64>,
    /// Longest label over what is used (or kept).
    high: Vec<f64>,
    /// Shortest label in the whole graph.
    best: Vec<f64>,
    /// Flow through each node.
    through: Vec<f64>,
    low_slot: Vec<u32>,
    high_slot: Vec<u32>,
    /// Place in topological order; the root is 0.
    place: Vec<u32>,
    /// First slots of groups with more than one slot, and their ends.
    merges: Vec<(u32, u32)>,
    /// Heads in topological order, root first.
    order: Vec<u32>,
    low_path: Vec<u32>,
    high_path: Vec<u32>,
    /// Links to be added, by place of their heads.
    added: Vec<u32>,
    added_start: Vec<u32>,
    kept_start: Vec<u32>,
    link: Vec<u32>,
    flow: Vec<f64>,
}

/// Tries of one line search. Nearly all end after one or two.
const SHIFT_TRIES: usize = 40;
/// How fast the search falls towards 0.
const SHIFT_FALL: f64 = 0.05;
/// A shift that leaves this share of the difference of the two paths is good enough for now.
const SHIFT_LEAVES: f64 = 0.05;
/// Differences of labels below this share of them are rounding.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

impl Bush {
    /// The end of the group that begins at `first`.
    #[inline]
    fn group_end(&self, graph: &Graph, first: usize) -> usize {
        let head = graph.head[self.link[first] as usize];
        let mut end = first + 1;
        while end < self.link.len() && graph.head[self.link[end] as usize] == head {
            end += 1;
        }
        end
    }

    /// A bush that is the shortest tree, loaded with all that can be reached. Rows of destinations that
    /// cannot are put into `lost`.
    pub(crate) fn of_tree(
        graph: &Graph,
        cost: &[f64],
        root: u32,
        destinations: Destinations<'_>,
        scratch: &mut Scratch,
        lost: &mut Vec<u32>,
    ) -> Self {
        let Scratch { search, best, low_slot, order, through, .. } = scratch;
        search.tree(graph, cost, root, best, low_slot, order);
        through.clear();
        through.resize(graph.nodes, 0.0);
        lost.clear();
        for (row, (&node, &flow)) in destinations.node.iter().zip(destinations.flow).enumerate() {
            if best[node as usize].is_finite() {
                through[node as usize] += flow;
            } else {
                lost.push(row as u32);
            }
        }
        let link: Vec<u32> = order[1..].iter().map(|&node| low_slot[node as usize]).collect();
        let mut flow = vec![0.0; link.len()];
        for (slot, &link) in link.iter().enumerate().rev() {
            flow[slot] = through[graph.head[link as usize] as usize];
            through[graph.tail[link as usize] as usize] += flow[slot];
        }
        Self { root, link, flow }
    }

    /// Adds this origin's flows to all flows.
    pub(crate) fn add_to(&self, total: &mut [f64]) {
        for (&link, &flow) in self.link.iter().zip(&self.flow) {
            total[link as usize] += flow;
        }
    }

    /// One pass of shifts over every node where paths of this origin meet. Returns what it met: flow that
    /// moved times what it paid too much before.
    pub(crate) fn shift(&mut self, graph: &Graph, state: &mut State, scratch: &mut Scratch) -> f64 {
        self.label(graph, &state.cost, scratch);
        let mut gain = 0.0_f64;
        for row in (0..scratch.merges.len()).rev() {
            let (first, end) = scratch.merges[row];
            let node = graph.head[self.link[first as usize] as usize] as usize;
            let (low, shortest, longest) = (scratch.low_slot[node], scratch.low[node], scratch.high[node]);
            if longest - shortest <= ROUNDING * longest {
                continue;
            }
            gain += self.shift_into(graph, state, scratch, low, first..end);
            if end - first > 2 {
                // Between the longest and the shortest alone, two ways in that end in steep links may keep trading
                // places by tiny steps while much flow should move between others.
                for to in (first..end).filter(|&slot| slot != low) {
                    gain += self.shift_into(graph, state, scratch, to, first..end);
                }
            }
        }
        gain
    }

    /// Moves flow to the way in by `to` from all used ways in of the group that cost more. Returns the gain.
    fn shift_into(
        &mut self,
        graph: &Graph,
        state: &mut State,
        scratch: &mut Scratch,
        to: u32,
        group: std::ops::Range<u32>,
    ) -> f64 {
        let mut gain = 0.0;
        for slot in group {
            if slot != to && self.flow[slot as usize] > 0.0 {
                self.paths_to_fork(graph, to, slot, scratch);
                gain += self.shift_between(state, &scratch.low_path, &scratch.high_path);
            }
        }
        gain
    }

    /// Labels of the bush as it is: `low` over all slots, `high` over those that carry flow.
    fn label(&self, graph: &Graph, cost: &[f64], scratch: &mut Scratch) {
        let Scratch { low, high, low_slot, high_slot, place, merges, .. } = scratch;
        low.resize(graph.nodes, 0.0);
        high.resize(graph.nodes, 0.0);
        low_slot.resize(graph.nodes, NONE);
        high_slot.resize(graph.nodes, NONE);
        place.resize(graph.nodes, 0);
        merges.clear();
        let root = self.root as usize;
        (low[root], high[root], place[root]) = (0.0, 0.0, 0);
        (low_slot[root], high_slot[root]) = (NONE, NONE);
        let (mut first, mut rank) = (0, 0);
        while first < self.link.len() {
            let end = self.group_end(graph, first);
            rank += 1;
            let node = graph.head[self.link[first] as usize] as usize;
            place[node] = rank;
            let link = self.link[first] as usize;
            let tail = graph.tail[link] as usize;
            (low[node], low_slot[node]) = (low[tail] + cost[link], first as u32);
            if end - first == 1 {
                (high[node], high_slot[node]) = (high[tail] + cost[link], first as u32);
            } else {
                merges.push((first as u32, end as u32));
                (high[node], high_slot[node]) = (0.0, NONE);
                for slot in first..end {
                    let link = self.link[slot] as usize;
                    let tail = graph.tail[link] as usize;
                    let (shortest, longest) = (low[tail] + cost[link], high[tail] + cost[link]);
                    if shortest < low[node] {
                        (low[node], low_slot[node]) = (shortest, slot as u32);
                    }
                    if self.flow[slot] > 0.0 && (high_slot[node] == NONE || longest > high[node]) {
                        (high[node], high_slot[node]) = (longest, slot as u32);
                    }
                }
                if high_slot[node] == NONE {
                    high[node] = low[node];
                }
            }
            first = end;
        }
    }

    /// Slots of the shortest and the longest used path back to the last node they share.
    fn paths_to_fork(&self, graph: &Graph, low: u32, high: u32, scratch: &mut Scratch) {
        let Scratch { low_slot, high_slot, place, low_path, high_path, .. } = scratch;
        low_path.clear();
        high_path.clear();
        low_path.push(low);
        high_path.push(high);
        let tail = |slot: u32| graph.tail[self.link[slot as usize] as usize] as usize;
        let (mut a, mut b) = (tail(low), tail(high));
        while a != b {
            if place[a] > place[b] {
                let slot = low_slot[a];
                low_path.push(slot);
                a = tail(slot);
            } else {
                // A node whose last flow has just gone has no used path; the shortest stands in for it.
                let slot = if high_slot[b] == NONE { low_slot[b] } else { high_slot[b] };
                high_path.push(slot);
                b = tail(slot);
            }
        }
    }

    /// Moves flow between two paths until they cost the same or the longer one is empty.
    fn shift_between(&mut self, state: &mut State, low_path: &[u32], high_path: &[u32]) -> f64 {
        let most = high_path.iter().map(|&slot| self.flow[slot as usize]).fold(f64::INFINITY, f64::min);
        let sum = |path: &[u32], column: &[f64]| -> f64 {
            path.iter().map(|&slot| column[self.link[slot as usize] as usize]).sum()
        };
        let (shortest, longest) = (sum(low_path, &state.cost), sum(high_path, &state.cost));
        let gap = longest - shortest;
        if most <= 0.0 || gap <= ROUNDING * longest {
            return 0.0;
        }
        let slope = sum(low_path, &state.slope) + sum(high_path, &state.slope);
        let at = |step: f64| {
            let (mut gap, mut slope) = (0.0, 0.0);
            for &slot in high_path {
                let link = self.link[slot as usize] as usize;
                let (cost, grows) = state.delay[link].at((state.flow[link] - step).max(0.0));
                (gap, slope) = (gap + cost, slope + grows);
            }
            for &slot in low_path {
                let link = self.link[slot as usize] as usize;
                let (cost, grows) = state.delay[link].at(state.flow[link] + step);
                (gap, slope) = (gap - cost, slope + grows);
            }
            (gap, slope)
        };
        let step = equal_cost_step(gap, slope, most, at);
        let mut apply = |path: &[u32], step: f64| {
            for &slot in path {
                let slot = slot as usize;
                let link = self.link[slot] as usize;
                self.flow[slot] = (self.flow[slot] + step).max(0.0);
                state.flow[link] = (state.flow[link] + step).max(0.0);
                (state.cost[link], state.slope[link]) = state.delay[link].at(state.flow[link]);
            }
        };
        apply(high_path, -step);
        apply(low_path, step);
        step * gap
    }

    /// Measures the excess at the present costs, drops links without flow and adds better ones.
    pub(crate) fn improve(
        &mut self,
        graph: &Graph,
        cost: &[f64],
        destinations: Destinations<'_>,
        scratch: &mut Scratch,
    ) -> Excess {
        self.keep(graph, cost, destinations, scratch);
        // Labels of what was kept; the best in the whole graph are at most these.
        scratch.best.clone_from(&scratch.low);
        let fell = scratch.search.correct(graph, cost, self.root, &mut scratch.best);
        let best = &scratch.best;
        let mut excess = Excess::default();
        for (&link, &flow) in self.link.iter().zip(&self.flow) {
            if flow > 0.0 {
                let link = link as usize;
                excess.excess +=
                    flow * (best[graph.tail[link] as usize] + cost[link] - best[graph.head[link] as usize]);
            }
        }
        for (&node, &flow) in destinations.node.iter().zip(destinations.flow) {
            if best[node as usize].is_finite() {
                excess.shortest += flow * best[node as usize];
            }
        }
        if fell {
            let added = self.find_better(graph, cost, true, scratch);
            if added || self.find_better(graph, cost, false, scratch) {
                self.add_better(graph, scratch);
                excess.grew = true;
            }
        }
        excess
    }

    /// Restores exact conservation (shares at merges are kept), drops slots that neither carry flow nor
    /// are the shortest way, and labels what stays.
    fn keep(&mut self, graph: &Graph, cost: &[f64], destinations: Destinations<'_>, scratch: &mut Scratch) {
        self.label(graph, cost, scratch);
        let Scratch { low, high, low_slot, through, place, order, kept_start, .. } = scratch;
        through.clear();
        through.resize(graph.nodes, 0.0);
        for (&node, &flow) in destinations.node.iter().zip(destinations.flow) {
            through[node as usize] += flow;
        }
        let mut end = self.link.len();
        while end > 0 {
            let head = graph.head[self.link[end - 1] as usize];
            let mut first = end - 1;
            while first > 0 && graph.head[self.link[first - 1] as usize] == head {
                first -= 1;
            }
            let through_here = through[head as usize];
            let group = &mut self.flow[first..end];
            let sum: f64 = group.iter().sum();
            if group.len() == 1 {
                group[0] = through_here;
            } else if sum > 0.0 {
                let scale = through_here / sum;
                group.iter_mut().for_each(|flow| *flow *= scale);
            } else {
                group.fill(0.0);
                self.flow[low_slot[head as usize] as usize] = through_here;
            }
            for slot in first..end {
                through[graph.tail[self.link[slot] as usize] as usize] += self.flow[slot];
            }
            end = first;
        }

        // Nodes outside the bush have no path at all.
        let reached = |node: usize, low: &mut [f64], high: &mut [f64]| {
            low[node] = f64::INFINITY;
            high[node] = f64::INFINITY;
        };
        order.clear();
        order.push(self.root);
        kept_start.clear();
        let (mut first, mut to) = (0, 0);
        while first < self.link.len() {
            let end = self.group_end(graph, first);
            let node = graph.head[self.link[first] as usize];
            order.push(node);
            kept_start.push(to as u32);
            let shortest = low_slot[node as usize] as usize;
            let mut longest = 0.0_f64;
            for slot in first..end {
                if self.flow[slot] > 0.0 || slot == shortest {
                    let link = self.link[slot] as usize;
                    longest = longest.max(high[graph.tail[link] as usize] + cost[link]);
                    (self.link[to], self.flow[to]) = (self.link[slot], self.flow[slot]);
                    to += 1;
                }
            }
            high[node as usize] = longest;
            first = end;
        }
        kept_start.push(to as u32);
        self.link.truncate(to);
        self.flow.truncate(to);
        // Places of nodes in the bush are 1 and more; others are told apart by their being unmarked.
        if order.len() < graph.nodes {
            through.fill(0.0);
            order.iter().for_each(|&node| through[node as usize] = 1.0);
            for node in 0..graph.nodes {
                if through[node] < 0.5 {
                    reached(node, low, high);
                    place[node] = 0;
                }
            }
        }
    }

    /// Collects links that rise strictly in `high` and (where asked) shorten the way within the bush.
    fn find_better(&self, graph: &Graph, cost: &[f64], shortens: bool, scratch: &mut Scratch) -> bool {
        let Scratch { low, high, order, added, added_start, .. } = scratch;
        added.clear();
        added_start.clear();
        for &node in &order[1..] {
            added_start.push(added.len() as u32);
            let (low_here, high_here) = (low[node as usize], high[node as usize]);
            for link in graph.in_start[node as usize]..graph.in_start[node as usize + 1] {
                let (tail, cost) = (graph.tail[link as usize], cost[link as usize]);
                if high[tail as usize] + cost < high_here
                    && (!shortens || low[tail as usize] + cost < low_here)
                    && graph.passable(tail, self.root)
                {
                    added.push(link);
                }
            }
        }
        added_start.push(added.len() as u32);
        !added.is_empty()
    }

    /// Puts the collected links into the bush, with no flow, and restores topological order.
    fn add_better(&mut self, graph: &Graph, scratch: &mut Scratch) {
        let Scratch { high, place, order, added, added_start, kept_start, link, flow, merges, .. } = scratch;
        let in_order =
            |&link: &u32| place[graph.tail[link as usize] as usize] < place[graph.head[link as usize] as usize];
        // Groups by number; the pair (label, old place) never falls along a kept link and rises along an added one.
        merges.clear();
        merges.extend((0..order.len() as u32 - 1).map(|group| (group, group + 1)));
        if !added.iter().all(in_order) {
            merges.sort_by(|a, b| {
                let label = |group: u32| high[order[group as usize + 1] as usize];
                label(a.0).total_cmp(&label(b.0)).then(a.0.cmp(&b.0))
            });
        }
        link.clear();
        flow.clear();
        for &(group, _) in merges.iter() {
            let group = group as usize;
            let kept = kept_start[group] as usize..kept_start[group + 1] as usize;
            link.extend_from_slice(&self.link[kept.clone()]);
            flow.extend_from_slice(&self.flow[kept]);
            let new = &added[added_start[group] as usize..added_start[group + 1] as usize];
            link.extend_from_slice(new);
            flow.resize(link.len(), 0.0);
        }
        self.link.clear();
        self.link.extend_from_slice(link);
        self.flow.clear();
        self.flow.extend_from_slice(flow);
    }
}

/// The step within `0..=most` at which a difference of costs vanishes that falls as the step grows;
/// `most` where it stays positive. `gap` and `slope` are those at step 0, `at` gives them elsewhere.
fn equal_cost_step(gap: f64, slope: f64, most: f64, at: impl Fn(f64) -> (f64, f64)) -> f64 {
    let (mut from, mut to) = (0.0, most);
    let mut to_is_past = false;
    let mut step = gap / slope;
    if step.is_nan() || step >= most {
        step = most;
    } else if step <= 0.0 {
        step = 0.5 * most; // an infinite slope at 0
    }
    for _ in 0..SHIFT_TRIES {
        let (left, slope) = at(step);
        if left.abs() <= SHIFT_LEAVES * gap || (step >= most && left >= 0.0) {
            return step;
        }
        if left > 0.0 {
            from = step;
        } else {
            (to, to_is_past) = (step, true);
        }
        let newton = step + left / slope;
        step = if newton > from && newton < to {
            newton
        } else if newton >= to && !to_is_past {
            to
        } else if from > 0.0 {
            (from * to).sqrt().clamp(from, to)
        } else {
            // Where slopes are infinite at no flow the answer may be smaller by many orders of magnitude.
            SHIFT_FALL * to
        };
    }
    from
}
