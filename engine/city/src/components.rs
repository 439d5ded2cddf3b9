//! Strongly connected components of a directed graph. Source: Tarjan 1972, "Depth-first search and
//! linear graph algorithms", made iterative so that a long road cannot exhaust the stack.
//!
//! Contract: sequential; components are numbered by their lowest node, so the numbering depends on
//! the graph alone and not on the order of its arcs.

use urbis_core::csr::Csr;

/// The component of every node of a graph of `nodes` nodes and directed `arcs` (from, to). Components
/// are numbered from 0 in order of their lowest node. Panics when an arc names a node that is not
/// below `nodes`. Shape: `nodes`.
#[must_use]
pub fn strong_components(nodes: usize, arcs: &[(u32, u32)]) -> Vec<u32> {
    const UNSEEN: u32 = u32::MAX;
    let out = Csr::from_pairs(nodes, arcs);
    let mut order = vec![UNSEEN; nodes];
    let mut low = vec![0_u32; nodes];
    let mut on_stack = vec![false; nodes];
    let mut lowest_of = vec![UNSEEN; nodes];
    let (mut stack, mut calls) = (Vec::new(), Vec::new());
    let mut next_order = 0_u32;
    for root in 0..nodes as u32 {
        if order[root as usize] != UNSEEN {
            continue;
        }
        calls.push((root, 0_usize));
        while let Some((node, next_arc)) = calls.last_mut() {
            let at = *node as usize;
            if *next_arc == 0 && order[at] == UNSEEN {
                order[at] = next_order;
                low[at] = next_order;
                next_order += 1;
                stack.push(*node);
                on_stack[at] = true;
            }
            if let Some(&to) = out.row(at).get(*next_arc) {
                *next_arc += 1;
                if order[to as usize] == UNSEEN {
                    calls.push((to, 0));
                } else if on_stack[to as usize] {
                    low[at] = low[at].min(order[to as usize]);
                }
                continue;
            }
            calls.pop();
            if let Some((parent, _)) = calls.last() {
                low[*parent as usize] = low[*parent as usize].min(low[at]);
            }
            if low[at] == order[at] {
                let from = stack.iter().rposition(|&n| n as usize == at).unwrap_or(0);
                let members = stack.split_off(from);
                let lowest = members.iter().copied().min().unwrap_or(0);
                for member in members {
                    on_stack[member as usize] = false;
                    lowest_of[member as usize] = lowest;
                }
            }
        }
    }
    // Number by lowest node: a node that is its own lowest opens the next number.
    let mut number = vec![0_u32; nodes];
    let mut count = 0;
    for node in 0..nodes {
        if lowest_of[node] as usize == node {
            number[node] = count;
            count += 1;
        } else {
            number[node] = number[lowest_of[node] as usize];
        }
    }
    number
}

/// The component whose arcs are longest in total, the lowest number winning ties; `None` when no arc
/// lies within a component. Only arcs with both ends in one component count.
#[must_use]
pub fn longest_component(components: &[u32], arcs: &[(u32, u32)], lengths_m: &[f64]) -> Option<u32> {
    let mut total_m = vec![0.0; components.len()];
    for (&(from, to), &length_m) in arcs.iter().zip(lengths_m) {
        let (from, to) = (components[from as usize], components[to as usize]);
        if from == to {
            total_m[from as usize] += length_m;
        }
    }
    let best = (0..total_m.len()).rev().max_by(|&a, &b| total_m[a].total_cmp(&total_m[b]))?;
    (total_m[best] > 0.0).then_some(best as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_graphs() {
        assert!(strong_components(0, &[]).is_empty());
        assert_eq!(strong_components(3, &[]), [0, 1, 2]);
        let arcs = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3), (5, 5)];
        let components = strong_components(6, &arcs);
        assert_eq!(components, [0, 0, 0, 1, 1, 2]);
        let lengths = [1.0, 1.0, 1.0, 100.0, 5.0, 5.0, 1.0];
        assert_eq!(longest_component(&components, &arcs, &lengths), Some(1));
        assert_eq!(longest_component(&components, &[(2, 3)], &[1.0]), None);
        assert_eq!(longest_component(&[], &[], &[]), None);
        let tie = [(0, 1), (1, 0), (2, 3), (3, 2)];
        assert_eq!(longest_component(&strong_components(4, &tie), &tie, &[1.0; 4]), Some(0));
    }

    #[test]
    fn a_long_road_does_not_exhaust_the_stack() {
        let nodes = 200_000;
        let arcs: Vec<(u32, u32)> = (0..nodes).map(|n| (n, (n + 1) % nodes)).collect();
        assert!(strong_components(nodes as usize, &arcs).iter().all(|&c| c == 0));
        assert_eq!(strong_components(nodes as usize, &arcs[..arcs.len() - 1]).last(), Some(&(nodes - 1)));
    }

    proptest! {
        /// Two nodes share a component exactly when each reaches the other (transitive closure).
        #[test]
        fn components_are_mutual_reachability(arcs in prop::collection::vec((0..12_u32, 0..12_u32), 0..40)) {
            let components = strong_components(12, &arcs);
            let mut reach = [[false; 12]; 12];
            (0..12).for_each(|n| reach[n][n] = true);
            arcs.iter().for_each(|&(a, b)| reach[a as usize][b as usize] = true);
            for k in 0..12 {
                let beyond = reach[k];
                for row in reach.iter_mut().filter(|row| row[k]) {
                    row.iter_mut().zip(beyond).for_each(|(cell, beyond)| *cell |= beyond);
                }
            }
            for i in 0..12 { for j in 0..12 {
                prop_assert_eq!(components[i] == components[j], reach[i][j] && reach[j][i]);
            }}
            let mut shuffled = arcs;
            shuffled.reverse();
            prop_assert_eq!(strong_components(12, &shuffled), components);
        }
    }
}
