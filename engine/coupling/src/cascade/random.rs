//! Random networks whose nodes depend on one another, and the closed form of what is left of them.
//!
//! An Erdos-Renyi network of `N` nodes and mean degree `k` is drawn as `kN/2` edges, each between two different nodes drawn
//! uniformly; edges drawn twice (a share of about `k/N`) do no harm. Node `i` of the first network depends on one node of each
//! other network and they on it: a random one-to-one matching per network. A node and those it depends on live or fail
//! together, so networks are kept relabelled: row `i` stands for all of them.
//!
//! For `n` such networks, fully dependent in a tree, of which a share `p` of the nodes is left at random, the mutual giant
//! component is the largest solution of
//!
//! ```text
//! P = p (1 - exp(-k P))^n          or, with x = k P,          p k = x / (1 - exp(-x))^n
//! ```
//!
//! (S. V. Buldyrev, R. Parshani, G. Paul, H. E. Stanley, S. Havlin, Catastrophic cascade of failures in interdependent
//! networks, Nature 464, 2010, for two; J. Gao, S. V. Buldyrev, H. E. Stanley, S. Havlin, Networks formed from
//! interdependent networks, Nature Physics 8, 2012, for n). The right side has its least value, and so `p` its critical one,
//! where `exp(x) = 1 + n x`: at `x > 0` for `n > 1`, a jump, and at `x = 0` for one network, where it is continuous.
//!
//! Contract: draws are keyed by seed, network and edge, so networks do not depend on the order in which they are made.

use urbis_core::csr::Csr;
use urbis_core::rng::Rng;

/// Purpose of the draws of edges.
const EDGE: u32 = 0x6361_7301;
/// Purpose of the draws of dependencies.
const DEPENDENCY: u32 = 0x6361_7302;
/// Purpose of the draws of the order of removal.
const REMOVAL: u32 = 0x6361_7303;
/// Halvings of a bracket: more than a double has digits.
const HALVINGS: u32 = 200;

/// Networks of so many nodes and mean degree, each with a one-to-one dependency on the first; a row of every network is a
/// node with all that depend on it. Shape: networks, each of rows of neighbours.
#[must_use]
pub fn dependent_networks(networks: usize, nodes: usize, mean_degree: f64, seed: u64) -> Vec<Csr<u32>> {
    (0..networks as u32)
        .map(|network| {
            let edges = random_edges(nodes, mean_degree, seed, network);
            if network == 0 {
                return neighbours(nodes, &edges);
            }
            let row_of = shuffled(nodes, &mut Rng::new(seed, network, 0, DEPENDENCY));
            let row = |node: u32| row_of[node as usize];
            let edges: Vec<(u32, u32)> = edges.iter().map(|&(a, b)| (row(a), row(b))).collect();
            neighbours(nodes, &edges)
        })
        .collect()
}

/// An order in which nodes are removed.
#[must_use]
pub fn removal_order(nodes: usize, seed: u64) -> Vec<u32> {
    shuffled(nodes, &mut Rng::new(seed, 0, 0, REMOVAL))
}

/// Edges of an Erdos-Renyi network.
fn random_edges(nodes: usize, mean_degree: f64, seed: u64, network: u32) -> Vec<(u32, u32)> {
    if nodes < 2 {
        return Vec::new();
    }
    let count = (0.5 * mean_degree.max(0.0) * nodes as f64).round() as u32;
    let draw = |edge: u32| {
        let mut rng = Rng::new(seed, edge, network, EDGE);
        // The second end is one of the others, so it is never the first.
        let (a, step) = (rng.below(nodes as u32), 1 + rng.below(nodes as u32 - 1));
        (a, ((u64::from(a) + u64::from(step)) % nodes as u64) as u32)
    };
    (0..count).map(draw).collect()
}

/// Both directions of each edge, by row.
#[must_use]
pub fn neighbours(nodes: usize, edges: &[(u32, u32)]) -> Csr<u32> {
    let pairs: Vec<(u32, u32)> = edges.iter().flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
    Csr::from_pairs(nodes, &pairs)
}

/// A random permutation (Fisher and Yates).
fn shuffled(nodes: usize, rng: &mut Rng) -> Vec<u32> {
    let mut order: Vec<u32> = (0..nodes as u32).collect();
    for at in (1..nodes).rev() {
        order.swap(at, rng.below(at as u32 + 1) as usize);
    }
    order
}

/// Where the mutual giant component of a random network of networks appears.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Critical {
    /// Share of nodes left times mean degree.
    pub pk: f64,
    /// Mean degree times the share of nodes in the mutual giant component there; 0 where it grows from nothing.
    pub kp_inf: f64,
}

/// `p k` at which `k P = x`: the closed form solved for its left side.
#[must_use]
pub fn pk_of(x: f64, networks: usize) -> f64 {
    // 1 - exp(-x) is x for small x.
    if x > 0.0 {
        x / (-(-x).exp_m1()).powi(networks as i32)
    } else if networks == 1 {
        1.0
    } else {
        f64::INFINITY
    }
}

/// The critical point of so many networks, at least one.
#[must_use]
pub fn critical(networks: usize) -> Critical {
    let n = networks.max(1) as f64;
    // exp(x) - 1 - n x falls to its least value at ln n and rises from there.
    let slope = |x: f64| x.exp_m1() - n * x;
    let kp_inf = bisect(n.ln(), 2.0 * n.ln() + 1.0, |x| slope(x) > 0.0);
    // Below this `exp(x) - 1` and `x` are told apart by rounding alone: a root there is none.
    let kp_inf = if kp_inf < 1e-9 { 0.0 } else { kp_inf };
    Critical { pk: pk_of(kp_inf, networks.max(1)), kp_inf }
}

/// Mean degree times the share of nodes in the mutual giant component where `p k` is given; 0 below the critical point.
#[must_use]
pub fn giant(pk: f64, networks: usize) -> f64 {
    let at = critical(networks);
    if pk <= at.pk {
        return if pk < at.pk { 0.0 } else { at.kp_inf };
    }
    // Beyond the critical point `pk_of` rises, and P is at most p.
    bisect(at.kp_inf, pk, |x| pk_of(x, networks) > pk)
}

/// Mean degree times the share of nodes left after each stage of the cascade, in which the networks take turns: the giant
/// component of a network among the nodes that are left counts. Shape: stages.
///
/// A network sees a random removal of what the others lost: nodes left at random `psi = p g_1 g_2 ...` over the other
/// networks, where `g` is the share of a network's own nodes that its giant component holds, `g = 1 - exp(-k psi g)`.
#[must_use]
pub fn stage_sizes(pk: f64, networks: usize, stages: usize) -> Vec<f64> {
    let mut share = vec![1.0; networks];
    (0..stages)
        .map(|stage| {
            let at = stage % networks;
            let others = (0..networks).filter(|&other| other != at).map(|other| share[other]).product::<f64>();
            let left = pk * others;
            let kp = giant(left, 1);
            share[at] = if left > 0.0 { kp / left } else { 0.0 };
            kp
        })
        .collect()
}

/// The least value between two at which `is_above` holds, if it holds from there on.
fn bisect(mut low: f64, mut high: f64, is_above: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        *if is_above(middle) { &mut high } else { &mut low } = middle;
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn critical_points_are_the_published_ones() {
        // Buldyrev et al. 2010 and Gao et al. 2012.
        for (networks, pk, kp_inf) in [(1, 1.0, 0.0), (2, 2.4554, 1.2564), (3, 3.0891, 1.9038)] {
            let at = critical(networks);
            assert!((at.pk - pk).abs() < 5e-5 && (at.kp_inf - kp_inf).abs() < 5e-5, "{networks}: {at:?}");
        }
        assert!(critical(1).kp_inf <= 0.0);
    }

    #[test]
    fn the_giant_component_solves_its_equation() {
        for networks in 1..=4 {
            let at = critical(networks);
            assert!(giant(at.pk * 0.999, networks).abs() <= 0.0);
            for more in [1.001, 1.1, 2.0, 5.0] {
                let pk = at.pk * more;
                let x = giant(pk, networks);
                let right = pk * (1.0 - (-x).exp()).powi(networks as i32);
                assert!(x > at.kp_inf && (x - right).abs() < 1e-9, "{networks} {more}: {x} {right}");
            }
        }
        // One network of degree 2 keeps 0.7968 of its nodes: the classic figure of Erdos and Renyi.
        assert!((giant(2.0, 1) / 2.0 - 0.796_812).abs() < 1e-6);
    }

    #[test]
    fn stages_end_at_the_giant_component() {
        for networks in 1..=3 {
            let pk = critical(networks).pk * 1.1;
            let sizes = stage_sizes(pk, networks, 400);
            assert!(sizes.windows(2).all(|pair| pair[1] <= pair[0] + 1e-12));
            assert!((sizes[399] - giant(pk, networks)).abs() < 1e-9);
        }
        assert!(stage_sizes(2.4, 2, 400)[399] < 1e-9);
    }

    #[test]
    fn networks_have_their_degree_and_are_keyed() {
        let (nodes, seed) = (20_000, 3);
        let networks = dependent_networks(2, nodes, 4.0, seed);
        for network in &networks {
            assert_eq!(network.values().len(), 80_000);
            assert!((0..nodes).all(|row| network.row(row).iter().all(|&other| other as usize != row)));
        }
        // The share of nodes without neighbours is exp(-k).
        let alone = (0..nodes).filter(|&row| networks[1].row(row).is_empty()).count() as f64 / nodes as f64;
        assert!((alone - (-4.0_f64).exp()).abs() < 4.0 * (0.0183 / nodes as f64).sqrt(), "{alone}");
        assert_eq!(dependent_networks(1, nodes, 4.0, seed)[0], networks[0]);
        assert_ne!(dependent_networks(1, nodes, 4.0, 4)[0], networks[0]);
        let mut order = removal_order(nodes, seed);
        assert_ne!(order[..4], [0, 1, 2, 3]);
        order.sort_unstable();
        assert!(order.iter().zip(0..).all(|(&node, row)| node == row));
        assert!(dependent_networks(2, 1, 4.0, seed).iter().all(|network| network.row(0).is_empty()));
    }
}
