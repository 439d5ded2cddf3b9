//! Closed forms on small graphs, and laws on random ones.

use super::super::graph::NONE;
use super::*;
use urbis_core::rng::Rng;

/// Nodes by suppliers, whether one is enough, buffer and recharge; each serves ten people.
fn graph(nodes: &[(&[u32], bool, u32, u32)]) -> Dependencies {
    let pairs: Vec<(u32, u32)> =
        nodes.iter().zip(0..).flat_map(|(of, node)| of.0.iter().map(move |&supplier| (node, supplier))).collect();
    Dependencies {
        kind: vec![0; nodes.len()],
        needs: Csr::from_pairs(nodes.len(), &pairs),
        is_any: nodes.iter().map(|of| of.1).collect(),
        buffer_s: nodes.iter().map(|of| of.2).collect(),
        recharge_s: nodes.iter().map(|of| of.3).collect(),
        place: (0..nodes.len() as u32).collect(),
    }
}

fn run(of: &Dependencies, faults: &[(u32, u32, u32)], end_s: u32) -> Vec<(u32, u32, u32)> {
    let dependents = of.dependents();
    let faults: Vec<Fault> = faults.iter().map(|&(node, from_s, until_s)| Fault { node, from_s, until_s }).collect();
    let mut propagation = Propagation::new(of, &dependents);
    let first: Vec<Outage> = propagation.run(&faults, end_s).to_vec();
    // A second run starts from a clean slate.
    assert_eq!(propagation.run(&faults, end_s), first);
    first.iter().map(|of| (of.node, of.from_s, of.until_s)).collect()
}

#[test]
fn a_chain_fails_link_by_link() {
    // Each buffer adds to those before; on return all come back at once.
    let of = graph(&[(&[], false, 0, 0), (&[0], false, 100, 50), (&[1], false, 0, 0), (&[2], false, 30, 10)]);
    assert_eq!(run(&of, &[(0, 10, 500)], 1000), [(0, 10, 500), (1, 110, 500), (2, 110, 500), (3, 140, 500)]);
    // Repaired while the first buffer lasts: nobody else notices.
    assert_eq!(run(&of, &[(0, 10, 110)], 1000), [(0, 10, 110)]);
    assert_eq!(run(&of, &[(0, 10, 111)], 1000), [(0, 10, 111), (1, 110, 111), (2, 110, 111)]);
    // Never repaired, and past the end.
    assert_eq!(run(&of, &[(0, 10, u32::MAX)], 120), [(0, 10, 120), (1, 110, 120), (2, 110, 120)]);
    assert_eq!(run(&of, &[(0, 200, 300)], 150), []);
    assert_eq!(run(&of, &[(0, 20, 20)], 150), []);
}

#[test]
fn a_tree_fails_below_the_break() {
    let of = graph(&[
        (&[], false, 0, 0),
        (&[0], false, 0, 0),
        (&[0], false, 0, 0),
        (&[1], false, 0, 0),
        (&[1], false, 0, 0),
        (&[2], false, 0, 0),
    ]);
    assert_eq!(run(&of, &[(1, 5, 9)], 20), [(1, 5, 9), (3, 5, 9), (4, 5, 9)]);
    let dependents = of.dependents();
    let outages = Propagation::new(&of, &dependents).run(&[Fault { node: 1, from_s: 5, until_s: 9 }], 20).to_vec();
    assert_eq!(outages.iter().map(|of| of.is_own).collect::<Vec<_>>(), [true, false, false]);
    let customers = Customers::constant(vec![10; 6]);
    assert_eq!(person_s(&outages, &of, &customers), 3 * 10 * 4);
    let steps = &unserved(&outages, &of, &customers, 1, 20)[0];
    assert_eq!((&steps.time_s[..], &steps.persons[..]), (&[0, 5, 9, 20][..], &[0, 30, 0, 0][..]));
    assert_eq!(demanded(&of, &customers, 1, 20)[0].persons, [60, 60]);
    let ranks = rank(&[0, 1, 2, 3, 4, 5], &of, &customers, (0, 4), 20);
    assert_eq!(ranks.iter().map(|of| of.node).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(ranks.iter().map(|of| of.person_s).collect::<Vec<_>>(), [240, 120, 80, 40, 40, 40]);
    assert_eq!(ranks.iter().map(|of| of.others).collect::<Vec<_>>(), [5, 2, 1, 0, 0, 0]);
}

#[test]
fn all_or_any_of_the_suppliers() {
    let any = graph(&[(&[], false, 0, 0), (&[], false, 0, 0), (&[0, 1], true, 0, 0)]);
    assert_eq!(run(&any, &[(0, 10, 50)], 100), [(0, 10, 50)]);
    assert_eq!(run(&any, &[(0, 10, 50), (1, 30, 70)], 100), [(0, 10, 50), (1, 30, 70), (2, 30, 50)]);
    // One goes as the other comes: no gap.
    assert_eq!(run(&any, &[(0, 10, 50), (1, 50, 70)], 100), [(0, 10, 50), (1, 50, 70)]);
    let all = graph(&[(&[], false, 0, 0), (&[], false, 0, 0), (&[0, 1], false, 0, 0)]);
    assert_eq!(run(&all, &[(0, 10, 50), (1, 30, 70)], 100), [(0, 10, 50), (1, 30, 70), (2, 10, 70)]);
}

#[test]
fn buffers_recharge_as_they_should() {
    // 100 s of buffer that fill in 400 s: 60 s used, 40 s to fill 10 of them, so 50 s are left.
    let of = graph(&[(&[], false, 0, 0), (&[0], false, 100, 400)]);
    assert_eq!(run(&of, &[(0, 0, 60), (0, 100, 400)], 1000), [(0, 0, 60), (0, 100, 400), (1, 150, 400)]);
    // Full again after 240 s.
    assert_eq!(run(&of, &[(0, 0, 60), (0, 300, 500)], 1000), [(0, 0, 60), (0, 300, 500), (1, 400, 500)]);
    // 10 s used, 2 s to charge half a second: 90.5 s are left and last until the second is over.
    assert_eq!(run(&of, &[(0, 0, 10), (0, 12, 500)], 1000), [(0, 0, 10), (0, 12, 500), (1, 103, 500)]);
    // It empties also while the node is broken itself.
    assert_eq!(run(&of, &[(0, 0, 300), (1, 20, 90)], 1000), [(0, 0, 300), (1, 20, 90), (1, 100, 300)]);
}

#[test]
fn rings_wait_for_each_other() {
    let of = graph(&[(&[1], false, 0, 0), (&[0], false, 0, 0)]);
    assert_eq!(run(&of, &[(0, 10, 20)], 100), [(0, 10, 100), (1, 10, 100)]);
    // A buffer that is not empty is a black start.
    let of = graph(&[(&[1], false, 0, 0), (&[0], false, 5, 5)]);
    assert_eq!(run(&of, &[(0, 10, 14)], 100), [(0, 10, 14)]);
    assert_eq!(run(&of, &[(0, 10, 15)], 100), [(0, 10, 15)]);
    assert_eq!(run(&of, &[(0, 10, 16)], 100), [(0, 10, 100), (1, 15, 100)]);
    // Broken itself, it keeps what the other does not draw of it.
    assert_eq!(run(&of, &[(1, 10, 20)], 100), [(0, 10, 15), (1, 10, 15)].map(|(node, from_s, _)| (node, from_s, 100)));
}

#[test]
fn faults_of_one_node_add_up_and_the_order_of_events_does_not_count() {
    let of = graph(&[(&[], false, 0, 0), (&[0], false, 0, 0), (&[], false, 0, 0)]);
    let faults = [(0, 10, 50), (0, 30, 70), (2, 10, 50), (1, 70, 80)];
    let wanted = [(0, 10, 70), (1, 10, 80), (2, 10, 50)];
    assert_eq!(run(&of, &faults, 100), wanted);
    let turned: Vec<_> = faults.iter().rev().copied().collect();
    assert_eq!(run(&of, &turned, 100), wanted);
    // Repaired and broken again at one instant: it does not come back.
    assert_eq!(run(&of, &[(0, 10, 50), (0, 50, 60)], 100), [(0, 10, 60), (1, 10, 60)]);
}

/// A random graph, rings included, and random faults.
fn random(seed: u64, nodes: u32) -> (Dependencies, Vec<Fault>) {
    let mut rng = Rng::new(seed, 0, 0, 1);
    let mut pairs = Vec::new();
    for node in 0..nodes {
        for _ in 0..rng.below(4) {
            // Mostly from those before, sometimes from anybody: that makes rings.
            let supplier = if node > 0 && rng.chance(0.8) { rng.below(node) } else { rng.below(nodes) };
            if supplier != node {
                pairs.push((node, supplier));
            }
        }
    }
    let mut column = |chance: f64, most: u32| -> Vec<u32> {
        (0..nodes).map(|_| if rng.chance(chance) { 1 + rng.below(most) } else { 0 }).collect()
    };
    let (buffer_s, recharge_s, any) = (column(0.5, 40), column(0.8, 60), column(0.5, 1));
    let of = Dependencies {
        kind: vec![0; nodes as usize],
        needs: Csr::from_pairs(nodes as usize, &pairs),
        is_any: any.iter().map(|&of| of > 0).collect(),
        buffer_s,
        recharge_s,
        place: vec![NONE; nodes as usize],
    };
    let faults = (0..2 + rng.below(10))
        .map(|_| {
            let from_s = rng.below(300);
            Fault { node: rng.below(nodes), from_s, until_s: from_s + rng.below(120) }
        })
        .collect();
    (of, faults)
}

/// The same rules second by second, with whole sweeps until nothing changes. Shape: seconds, each of nodes.
fn stepped(of: &Dependencies, faults: &[Fault], end_s: u32) -> Vec<Vec<bool>> {
    let nodes = of.len();
    let recharge = |node: usize| u64::from(of.recharge_s[node].max(1));
    let full = |node: usize| u64::from(of.buffer_s[node]) * recharge(node);
    let (mut works, mut level): (Vec<bool>, Vec<u64>) = (vec![true; nodes], (0..nodes).map(full).collect());
    let mut seconds = Vec::new();
    for now_s in 0..end_s {
        let is_broken =
            |node: usize| faults.iter().any(|of| of.node as usize == node && (of.from_s..of.until_s).contains(&now_s));
        let is_met = |node: usize, works: &[bool]| {
            let needs = of.needs.row(node);
            let mut at_work = needs.iter().map(|&supplier| works[supplier as usize]);
            if of.is_any[node] { needs.is_empty() || at_work.any(|of| of) } else { at_work.all(|of| of) }
        };
        let can = |node: usize, works: &[bool]| !is_broken(node) && (is_met(node, works) || level[node] > 0);
        (0..nodes).for_each(|node| works[node] &= !is_broken(node));
        for comes in [true, false] {
            while let Some(node) = (0..nodes).rev().find(|&node| works[node] != comes && can(node, &works) == comes) {
                works[node] = comes;
            }
        }
        for (node, level) in level.iter_mut().enumerate() {
            *level = match is_met(node, &works) {
                true => (*level + u64::from(of.buffer_s[node])).min(full(node)),
                false => level.saturating_sub(recharge(node)),
            };
        }
        seconds.push(works.clone());
    }
    seconds
}

fn by_second(outages: &[Outage], nodes: usize, end_s: u32) -> Vec<Vec<bool>> {
    let mut seconds = vec![vec![true; nodes]; end_s as usize];
    for outage in outages {
        assert!(outage.from_s < outage.until_s);
        (outage.from_s..outage.until_s).for_each(|second| seconds[second as usize][outage.node as usize] = false);
    }
    seconds
}

#[test]
fn events_and_steps_agree_on_random_graphs() {
    let mut spread = 0;
    for seed in 0..200 {
        let (of, faults) = random(seed, 5 + seed as u32 % 30);
        let dependents = of.dependents();
        let outages = Propagation::new(&of, &dependents).run(&faults, 500).to_vec();
        assert_eq!(by_second(&outages, of.len(), 500), stepped(&of, &faults, 500), "seed {seed}");
        spread += outages.iter().filter(|of| !of.is_own).count();
    }
    // Failures did spread, or nothing was compared.
    assert!(spread > 500, "{spread}");
}

#[test]
fn more_faults_never_leave_more_at_work() {
    for seed in 0..200 {
        let (of, faults) = random(seed, 30);
        let dependents = of.dependents();
        let mut propagation = Propagation::new(&of, &dependents);
        let all = by_second(propagation.run(&faults, 500), of.len(), 500);
        let fewer = by_second(propagation.run(&faults[1..], 500), of.len(), 500);
        for (second, (all, fewer)) in all.iter().zip(&fewer).enumerate() {
            assert!(all.iter().zip(fewer).all(|(all, fewer)| *fewer || !all), "seed {seed}, second {second}");
        }
    }
}

#[test]
fn the_order_of_nodes_does_not_count() {
    for seed in 0..50 {
        let (of, faults) = random(seed, 30);
        let turned = |node: u32| 29 - node;
        let column = |values: &[u32]| values.iter().rev().copied().collect::<Vec<_>>();
        let pairs: Vec<(u32, u32)> = (0..30)
            .flat_map(|node| of.needs.row(node).iter().map(move |&supplier| (turned(node as u32), turned(supplier))))
            .collect();
        let other = Dependencies {
            needs: Csr::from_pairs(30, &pairs),
            is_any: of.is_any.iter().rev().copied().collect(),
            buffer_s: column(&of.buffer_s),
            recharge_s: column(&of.recharge_s),
            ..of.clone()
        };
        let other_faults: Vec<Fault> = faults.iter().rev().map(|of| Fault { node: turned(of.node), ..*of }).collect();
        let (ahead, back) = (of.dependents(), other.dependents());
        let outages = Propagation::new(&of, &ahead).run(&faults, 500).to_vec();
        let mut others: Vec<Outage> = Propagation::new(&other, &back)
            .run(&other_faults, 500)
            .iter()
            .map(|of| Outage { node: turned(of.node), ..*of })
            .collect();
        others.sort_unstable();
        assert_eq!(outages, others, "seed {seed}");
    }
}
