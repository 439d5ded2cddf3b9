//! The mutual giant component of networks whose nodes depend on one another, and the cascade that leads to it.
//!
//! Nodes are removed. Then networks take turns: in a stage of a network, of the nodes that are left only those in its largest
//! component of them work on, and whoever depends on the others fails with them. When no network takes anything any
//! more, what is left is connected in every network by itself: the mutual giant component (Buldyrev et al., Nature 464, 2010;
//! see [`super::random`] for the closed form). Just above the critical point a random network of networks goes through a
//! plateau of stages that each take little, of a length that grows with `N^(1/3)` (D. Zhou, A. Bashan, R. Cohen, Y. Berezin,
//! N. Shnerb, S. Havlin, Simultaneous first- and second-order percolation transitions in interdependent networks,
//! Phys. Rev. E 90, 2014).
//!
//! [`Mutual::collapse`] freezes one order of removal, so that fewer nodes left never leave a larger component, and halves the
//! number of nodes left until one node makes the difference between a giant component and none. Giant is, of `m` nodes left, what
//! has `m^(2/3)` or more, the order of the largest component of a critical random network: for one network the component just
//! above has that size, a share that goes to nothing as `m^(-1/3)`; for more it has a share of its own.
//!
//! The first stage of a network is a search, linear in its edges, that leaves a tree. Later ones look only at what hung on nodes
//! that failed since: it is hung elsewhere, or fails. A whole cascade so costs little more than a search, however many stages
//! it has.
//!
//! Contract: a pure function of the networks and the order; one thread. Of components of one size counts the one whose first
//! node is removed first.

use urbis_core::csr::Csr;

/// What a cascade left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Nodes in the mutual giant component.
    pub nodes: u32,
    /// Stages until nothing changed any more.
    pub stages: u32,
}

/// Where one node more makes the difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Collapse {
    /// Nodes left, the fewest that have a giant component.
    pub left: u32,
    /// What the cascade leaves of them.
    pub above: Remains,
    /// What it leaves of one less.
    pub below: Remains,
}

/// Cascades on some networks, with their scratch.
#[derive(Clone, Debug)]
pub struct Mutual<'a> {
    networks: &'a [Csr<u32>],
    nodes: usize,
    is_left: Vec<bool>,
    /// Nodes that failed, in order of failure.
    failed: Vec<u32>,
    trees: Vec<Tree>,
    is_loose: Vec<bool>,
    loose: Vec<u32>,
    reached: Vec<u32>,
    /// Nodes left after each stage of the last cascade, the stages in which nothing changed included.
    pub by_stage: Vec<u32>,
}

/// How the nodes that are left hang together in a network.
#[derive(Clone, Debug)]
struct Tree {
    /// Neighbour by which a node hangs on; its own of the root. Shape: nodes.
    parent: Vec<u32>,
    /// Failures that it has seen, of those in order.
    seen: usize,
    is_built: bool,
}

/// No node.
const NONE: u32 = u32::MAX;

impl<'a> Mutual<'a> {
    /// Networks of the same number of nodes each.
    #[must_use]
    pub fn new(networks: &'a [Csr<u32>]) -> Self {
        let nodes = networks.first().map_or(0, Csr::rows);
        Self {
            networks,
            nodes,
            is_left: vec![false; nodes],
            failed: Vec::with_capacity(nodes),
            trees: vec![Tree { parent: vec![NONE; nodes], seen: 0, is_built: false }; networks.len()],
            is_loose: vec![false; nodes],
            loose: Vec::with_capacity(nodes),
            reached: Vec::with_capacity(nodes),
            by_stage: Vec::new(),
        }
    }

    /// The cascade when the last `left` nodes of the order of removal are left. Shape of the order: nodes, each once.
    pub fn cascade(&mut self, order: &[u32], left: usize) -> Remains {
        let members = &order[self.nodes - left.min(self.nodes)..];
        self.by_stage.clear();
        self.failed.clear();
        self.is_left.fill(false);
        members.iter().for_each(|&node| self.is_left[node as usize] = true);
        self.trees.iter_mut().for_each(|tree| (tree.seen, tree.is_built) = (0, false));
        let (mut stage, mut last, mut quiet) = (0, 0, 0);
        let mut count = members.len();
        while quiet < self.networks.len() && count > 0 {
            let network = stage as usize % self.networks.len();
            stage += 1;
            let failed = self.failed.len();
            if !(self.trees[network].is_built && self.cut_off(network, count)) {
                self.keep_largest(network, members);
            }
            self.trees[network].seen = self.failed.len();
            let gone = self.failed.len() - failed;
            count -= gone;
            self.by_stage.push(count as u32);
            (last, quiet) = if gone > 0 { (stage, 0) } else { (last, quiet + 1) };
        }
        Remains { nodes: count as u32, stages: last }
    }

    /// A stage by its tree: what hung on failed nodes is hung elsewhere, and what cannot be fails. False, with nothing done,
    /// where less than half of the nodes would hang on the root, so that they need not be the largest component.
    fn cut_off(&mut self, network: usize, count: usize) -> bool {
        let Self { networks, is_left, failed, trees, is_loose, loose, reached, .. } = self;
        let (rows, Tree { parent, seen, .. }) = (&networks[network], &mut trees[network]);
        loose.clear();
        let mut loosen = |node: u32, loose: &mut Vec<u32>| {
            for &other in rows.row(node as usize) {
                let at = other as usize;
                if is_left[at] && !is_loose[at] && parent[at] == node {
                    is_loose[at] = true;
                    loose.push(other);
                }
            }
        };
        failed[*seen..].iter().for_each(|&node| loosen(node, loose));
        let mut next = 0;
        while let Some(&node) = loose.get(next) {
            next += 1;
            loosen(node, loose);
        }
        reached.clear();
        for &node in loose.iter() {
            let holds = |other: &&u32| is_left[**other as usize] && !is_loose[**other as usize];
            // A loose node that was hung on in this loop holds no other yet: its turn comes below.
            if let Some(&other) = rows.row(node as usize).iter().find(holds) {
                parent[node as usize] = other;
                reached.push(node);
            }
        }
        reached.iter().for_each(|&node| is_loose[node as usize] = false);
        let mut next = 0;
        while let Some(&node) = reached.get(next) {
            next += 1;
            for &other in rows.row(node as usize) {
                if is_loose[other as usize] {
                    is_loose[other as usize] = false;
                    parent[other as usize] = node;
                    reached.push(other);
                }
            }
        }
        let cut = loose.len() - reached.len();
        let is_largest = 2 * (count - cut) > count;
        for &node in loose.iter().filter(|_| cut > 0) {
            if std::mem::take(&mut is_loose[node as usize]) && is_largest {
                is_left[node as usize] = false;
                failed.push(node);
            }
        }
        is_largest
    }

    /// A stage by search: keeps the largest component of the members that are left, and makes it a tree.
    fn keep_largest(&mut self, network: usize, members: &[u32]) {
        let Self { networks, is_left, failed, trees, is_loose, reached, .. } = self;
        let (rows, Tree { parent, is_built, .. }) = (&networks[network], &mut trees[network]);
        reached.clear();
        let mut largest = 0..0;
        members.iter().for_each(|&node| is_loose[node as usize] = is_left[node as usize]);
        for &start in members {
            if !std::mem::take(&mut is_loose[start as usize]) {
                continue;
            }
            let from = reached.len();
            parent[start as usize] = start;
            reached.push(start);
            let mut next = from;
            while let Some(&node) = reached.get(next) {
                next += 1;
                for &other in rows.row(node as usize) {
                    if std::mem::take(&mut is_loose[other as usize]) {
                        parent[other as usize] = node;
                        reached.push(other);
                    }
                }
            }
            if next - from > largest.len() {
                largest = from..next;
            }
        }
        let outside = reached[..largest.start].iter().chain(&reached[largest.end..]);
        outside.for_each(|&node| is_left[node as usize] = false);
        failed.extend(reached[..largest.start].iter().chain(&reached[largest.end..]));
        *is_built = true;
    }

    /// Where the mutual giant component disappears when nodes are removed in an order; nothing where all nodes have none.
    pub fn collapse(&mut self, order: &[u32]) -> Option<Collapse> {
        if self.cascade(order, self.nodes).nodes < giant_nodes(self.nodes) {
            return None;
        }
        // Narrowing takes it that the giant component of fewer nodes lies in that of more. Where it does not, which takes two of
        // like size, the point that was found is none, and all is looked at again.
        [true, false].into_iter().find_map(|narrows| {
            let left = self.fewest(order, narrows);
            let below = self.cascade(order, left - 1);
            let above = self.cascade(order, left);
            let is_point = above.nodes >= giant_nodes(left) && below.nodes < giant_nodes(left - 1);
            (is_point || !narrows).then_some(Collapse { left: left as u32, above, below })
        })
    }

    /// Fewest nodes left with a giant component, found by halving: among all nodes, or only among those of the last giant
    /// component found.
    fn fewest(&mut self, order: &[u32], narrows: bool) -> usize {
        let (mut low, mut high) = (0, self.nodes);
        let mut narrow: Option<Narrow> = None;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let mut inside = narrow.as_ref().map(|of| Mutual::new(&of.networks));
            let remains = match (&mut inside, &narrow) {
                (Some(inside), Some(of)) => inside.cascade(&of.order, of.left(self.nodes - middle)),
                _ => self.cascade(order, middle),
            };
            if remains.nodes < giant_nodes(middle) {
                low = middle;
                continue;
            }
            high = middle;
            let of = inside.as_ref().unwrap_or(self);
            if narrows && self.networks.len() > 1 && f64::from(remains.nodes) < NARROWS_FROM * of.nodes as f64 {
                let closer = match &narrow {
                    Some(before) => Narrow::new(of, &before.order, &before.position),
                    None => Narrow::new(of, order, &(0..self.nodes as u32).collect::<Vec<_>>()),
                };
                narrow = Some(closer);
            }
        }
        high
    }
}

/// Share of nodes from which on it pays to narrow networks to them.
const NARROWS_FROM: f64 = 0.75;

/// Networks of the nodes that a cascade left alone.
#[derive(Clone, Debug)]
struct Narrow {
    networks: Vec<Csr<u32>>,
    order: Vec<u32>,
    /// Place of each node of the order in the order of all. Shape: nodes.
    position: Vec<u32>,
}

impl Narrow {
    fn new(of: &Mutual<'_>, order: &[u32], position: &[u32]) -> Self {
        let mut row_of = vec![NONE; of.nodes];
        (0..of.nodes).filter(|&node| of.is_left[node]).zip(0..).for_each(|(node, row)| row_of[node] = row);
        let count = row_of.iter().filter(|row| **row != NONE).count();
        let networks = of.networks.iter().map(|network| {
            let inside = |node: usize| {
                let others = network.row(node).iter().map(|&other| row_of[other as usize]);
                others.filter(|other| *other != NONE).map(move |other| (node, other))
            };
            let nodes = (0..of.nodes).filter(|&node| of.is_left[node]);
            let pairs: Vec<(u32, u32)> = nodes.flat_map(inside).map(|(node, other)| (row_of[node], other)).collect();
            Csr::from_pairs(count, &pairs)
        });
        let networks = networks.collect();
        let kept = order.iter().zip(position).filter(|(node, _)| of.is_left[**node as usize]);
        let (order, position) = kept.map(|(&node, &position)| (row_of[node as usize], position)).unzip();
        Self { networks, order, position }
    }
    /// Nodes left when so many of all are removed.
    fn left(&self, removed: usize) -> usize {
        self.order.len() - self.position.partition_point(|&position| (position as usize) < removed)
    }
}

/// Fewest nodes that make a component giant, of so many left: `m^(2/3)`, and no less than two.
#[must_use]
pub fn giant_nodes(nodes: usize) -> u32 {
    ((nodes as f64).powf(2.0 / 3.0).ceil() as u32).max(2)
}

#[cfg(test)]
mod tests {
    use super::super::random::{critical, dependent_networks, giant, neighbours, removal_order, stage_sizes};
    use super::*;
    use urbis_core::chunks::map_chunks;

    const NODES: usize = 100_000;
    const DEGREE: f64 = 5.0;

    /// The mutual component by definition: components of all networks are split until none splits, the largest wins.
    fn by_definition(networks: &[Csr<u32>], left: &[u32]) -> usize {
        let nodes = networks[0].rows();
        let mut block = vec![u32::MAX; nodes];
        left.iter().for_each(|&node| block[node as usize] = 0);
        loop {
            let before = block.clone();
            for network in networks {
                let mut fresh = vec![u32::MAX; nodes];
                let mut count = 0;
                for start in 0..nodes {
                    if block[start] == u32::MAX || fresh[start] != u32::MAX {
                        continue;
                    }
                    let mut todo = vec![start];
                    fresh[start] = count;
                    while let Some(node) = todo.pop() {
                        for &other in network.row(node) {
                            let other = other as usize;
                            if block[other] == block[start] && fresh[other] == u32::MAX {
                                fresh[other] = count;
                                todo.push(other);
                            }
                        }
                    }
                    count += 1;
                }
                block = fresh;
            }
            if block == before {
                break;
            }
        }
        let mut size = vec![0; nodes];
        block.iter().filter(|of| **of != u32::MAX).for_each(|&of| size[of as usize] += 1);
        size.into_iter().max().unwrap_or(0)
    }

    #[test]
    fn two_small_networks_by_hand() {
        // A path in one network; the other lacks its middle edge, so half of it is left, and then all of that.
        let path = neighbours(4, &[(0, 1), (1, 2), (2, 3)]);
        let halves = neighbours(4, &[(0, 1), (2, 3)]);
        let order = [3, 2, 1, 0];
        let networks = [path, halves];
        let mut of = Mutual::new(&networks);
        assert_eq!(of.cascade(&order, 4), Remains { nodes: 2, stages: 2 });
        assert_eq!(of.by_stage, [4, 2, 2, 2]);
        assert_eq!(of.cascade(&order, 1), Remains { nodes: 1, stages: 0 });
        assert_eq!(of.cascade(&order, 0), Remains::default());
        // Its ends are joined in neither alone.
        let networks = [neighbours(4, &[(0, 3), (1, 2)]), neighbours(4, &[(0, 1), (2, 3)])];
        assert_eq!(Mutual::new(&networks).cascade(&order, 4).nodes, 1);
    }

    #[test]
    fn the_component_is_that_of_the_definition() {
        for seed in 1..=6 {
            for count in 1..=3 {
                let networks = dependent_networks(count, 400, 6.0, seed);
                let order = removal_order(400, seed);
                let mut of = Mutual::new(&networks);
                for left in [400, 340, 300] {
                    let found = of.cascade(&order, left).nodes as usize;
                    assert_eq!(found, by_definition(&networks, &order[400 - left..]), "{count} networks, seed {seed}");
                }
            }
        }
    }

    /// Means and standard errors of `p k` and `k P` at the collapse.
    fn collapses(networks: usize, seeds: std::ops::RangeInclusive<u64>) -> [(f64, f64); 2] {
        let first = *seeds.start();
        let found = map_chunks(seeds.count(), 1, |rows| {
            let seed = first + rows.start as u64;
            let networks = dependent_networks(networks, NODES, DEGREE, seed);
            let at = Mutual::new(&networks).collapse(&removal_order(NODES, seed)).unwrap();
            assert!(at.below.nodes < giant_nodes(at.left as usize - 1) && at.above.nodes > 10 * at.below.nodes);
            [at.left, at.above.nodes].map(|nodes| DEGREE * f64::from(nodes) / NODES as f64)
        });
        [0, 1].map(|of| {
            let count = found.len() as f64;
            let mean = found.iter().map(|row| row[of]).sum::<f64>() / count;
            let square = found.iter().map(|row| (row[of] - mean).powi(2)).sum::<f64>() / (count - 1.0);
            (mean, (square / count).sqrt())
        })
    }

    /// Two and three networks of 100,000 nodes break down at the closed form's point. Expected: `p_c` of a seed is off by about
    /// `N^(-1/2)` = 0.3 %, all by about `N^(-2/3)` = 0.05 %; `P` of a seed, as the root of the distance to `p_c`, by about
    /// `N^(-1/3)` = 2 to 3 %. So the mean of eight seeds is within 0.4 % and 3 %, three standard errors.
    #[test]
    fn dependent_networks_break_down_at_once() {
        for networks in [2, 3] {
            let [(pk, pk_error), (kp, kp_error)] = collapses(networks, 1..=8);
            let at = critical(networks);
            let shown = format!("{networks} networks, seeds 1 to 8: {pk} +- {pk_error}, {kp} +- {kp_error}, {at:?}");
            assert!((pk / at.pk - 1.0).abs() < 0.004 && pk_error < 0.003 * pk, "{shown}");
            assert!((kp / at.kp_inf - 1.0).abs() < 0.03 && kp_error < 0.02 * kp, "{shown}");
        }
    }

    /// Narrowing finds the point that a search among all nodes finds.
    #[test]
    fn narrowing_changes_nothing() {
        for seed in 1..=10 {
            for networks in 2..=3 {
                let of = dependent_networks(networks, 3000, 6.0, seed);
                let (mut of, order) = (Mutual::new(&of), removal_order(3000, seed));
                assert_eq!(of.fewest(&order, true), of.fewest(&order, false), "{networks} networks, seed {seed}");
            }
        }
    }

    /// One network of 100,000 nodes follows the equation above `1/k`, and grows from nothing.
    #[test]
    fn one_network_fades_away() {
        for seed in 1..=3 {
            let networks = dependent_networks(1, NODES, DEGREE, seed);
            let (mut of, order) = (Mutual::new(&networks), removal_order(NODES, seed));
            for pk in [1.2, 1.5, 2.0, 3.0, 5.0] {
                let left = (pk / DEGREE * NODES as f64).round() as usize;
                let found = DEGREE * f64::from(of.cascade(&order, left).nodes) / NODES as f64;
                // Samples differ by about the root of N nodes, more where the component is young.
                let spread = 3.0 * DEGREE / (NODES as f64).sqrt() / (pk - 1.0);
                assert!((found - giant(pk, 1)).abs() < spread, "seed {seed}, p k = {pk}: {found} {}", giant(pk, 1));
            }
            let at = of.collapse(&order).unwrap();
            let pk = DEGREE * f64::from(at.left) / NODES as f64;
            // The window of a critical random network of m nodes is m^(-1/3) wide, and its largest component m^(-1/3) of it.
            let window = f64::from(at.left).powf(-1.0 / 3.0);
            assert!((pk - 1.0).abs() < 2.0 * window, "seed {seed}: {pk}");
            let [above, below] = [at.above, at.below].map(|of| f64::from(of.nodes) / f64::from(at.left));
            assert!(above < 2.0 * window && below > above / 4.0, "seed {seed}: {above} {below}");
        }
    }

    /// Sizes after each stage are those of the generating functions, and stages pile up towards the critical point.
    #[test]
    fn stages_follow_the_recursion_and_pile_up() {
        for networks in [2, 3] {
            let of = dependent_networks(networks, NODES, DEGREE, 1);
            let (mut of, order) = (Mutual::new(&of), removal_order(NODES, 1));
            let at = |more: f64| (critical(networks).pk * more / DEGREE * NODES as f64).round() as usize;
            let left = at(1.05);
            let far = of.cascade(&order, left);
            let wanted = stage_sizes(DEGREE * left as f64 / NODES as f64, networks, 12);
            for (stage, (&found, kp)) in of.by_stage.iter().zip(wanted).enumerate() {
                let found = DEGREE * f64::from(found) / NODES as f64;
                assert!((found - kp).abs() < 0.01 * kp, "{networks} networks, stage {stage}: {found} {kp}");
            }
            let near = of.collapse(&order).unwrap().above;
            assert!(
                near.stages > 2 * far.stages && far.stages > of.cascade(&order, at(1.5)).stages,
                "{near:?} {far:?}"
            );
        }
    }
}
