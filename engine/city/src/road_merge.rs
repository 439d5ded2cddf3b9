//! Nodes where nothing happens disappear: where exactly two pieces of road meet that are alike in
//! everything, they become one, with the geometry and the length of both.
//!
//! Kept are protected nodes (controls, via nodes, gateways) and nodes whose removal would make a loop.
//! Ignores: angles. Contract: sequential in order of node rows, so the result does not depend on the
//! order of the pieces; the total length by mode and direction is that of the input.

use crate::road_pieces::Edge;

/// Merges `edges` over nodes `0..protected.len()`; returns how many nodes went.
pub(crate) fn merge(edges: &mut Vec<Edge>, protected: &[bool]) -> usize {
    let mut incident: Vec<Vec<u32>> = vec![Vec::new(); protected.len()];
    for (number, edge) in edges.iter().enumerate() {
        incident[edge.from() as usize].push(number as u32);
        incident[edge.to() as usize].push(number as u32);
    }
    let mut slots: Vec<Option<Edge>> = edges.drain(..).map(Some).collect();
    let mut merged = 0;
    for row in 0..protected.len() {
        let &[a, b] = &incident[row][..] else { continue };
        if protected[row] || a == b {
            continue;
        }
        let here = row as u32;
        let (Some(left), Some(right)) = (&slots[a as usize], &slots[b as usize]) else { continue };
        let (left_in, right_out) = (left.to() == here, right.from() == here);
        let far_left = if left_in { left.from() } else { left.to() };
        let far_right = if right_out { right.to() } else { right.from() };
        // Seen in one direction through the node, both pieces must be alike.
        let (left_forward, left_backward) =
            if left_in { (left.forward, left.backward) } else { (left.backward, left.forward) };
        let (right_forward, right_backward) =
            if right_out { (right.forward, right.backward) } else { (right.backward, right.forward) };
        if far_left == far_right
            || left.style != right.style
            || left_forward != right_forward
            || left_backward != right_backward
        {
            continue;
        }
        let (Some(left), Some(right)) = (slots[a as usize].take(), slots[b as usize].take()) else { continue };
        // The longer chain of nodes is extended, so that long roads merge in linear time.
        let whole = if left.nodes.len() >= right.nodes.len() {
            let left = if left_in { left } else { left.reversed() };
            let right = if right_out { right } else { right.reversed() };
            joined(left, &right)
        } else {
            let right = if right_out { right.reversed() } else { right };
            let left = if left_in { left.reversed() } else { left };
            joined(right, &left)
        };
        slots[a as usize] = Some(whole);
        for slot in &mut incident[far_right as usize] {
            if *slot == b {
                *slot = a;
            }
        }
        merged += 1;
    }
    edges.extend(slots.into_iter().flatten());
    merged
}

/// `first` followed by `second`, which starts where it ends.
fn joined(mut first: Edge, second: &Edge) -> Edge {
    first.nodes.extend(&second.nodes[1..]);
    first.length_m += second.length_m;
    first.way_last = second.way_last;
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Modes;
    use crate::road_access::Direction;
    use proptest::prelude::*;

    fn edge(nodes: &[u32], forward: u8, backward: u8, way: i64) -> Edge {
        let side = |modes| Direction { modes: Modes(modes), lanes: 1, speed_mps: 1.0 };
        Edge {
            nodes: nodes.to_vec(),
            length_m: nodes.len() as f64 * 0.7,
            style: 0,
            forward: side(forward),
            backward: side(backward),
            way_first: way,
            way_last: way,
        }
    }

    /// Length by mode, forward and backward together.
    fn totals(edges: &[Edge]) -> [f64; 3] {
        [1, 2, 4].map(|mode| {
            let sides = |e: &Edge| [e.forward, e.backward].iter().filter(|d| d.modes.0 & mode != 0).count();
            edges.iter().map(|e| e.length_m * sides(e) as f64).sum()
        })
    }

    #[test]
    fn a_chain_becomes_one_and_one_way_streets_keep_their_sense() {
        let mut edges = vec![edge(&[0, 1], 1, 0, 10), edge(&[2, 1], 0, 1, 11), edge(&[2, 3], 1, 0, 12)];
        assert_eq!(merge(&mut edges, &[false; 4]), 2);
        let [whole] = &edges[..] else { panic!() };
        let whole = if whole.from() == 0 { whole.clone() } else { whole.clone().reversed() };
        assert_eq!(whole.nodes, [0, 1, 2, 3]);
        assert_eq!((whole.way_first, whole.way_last, whole.forward.modes.0, whole.backward.modes.0), (10, 12, 1, 0));
        // Opposite one-way streets that meet are not one street.
        let mut edges = vec![edge(&[0, 1], 1, 0, 10), edge(&[2, 1], 1, 0, 11)];
        assert_eq!(merge(&mut edges, &[false; 3]), 0);
    }

    #[test]
    fn protected_nodes_rings_and_differences_stay() {
        let chain = || vec![edge(&[0, 1], 1, 1, 10), edge(&[1, 2], 1, 1, 11)];
        assert_eq!(merge(&mut chain(), &[false, true, false]), 0);
        let mut ring = vec![edge(&[0, 1], 1, 1, 1), edge(&[1, 2], 1, 1, 1), edge(&[2, 0], 1, 1, 1)];
        assert_eq!(merge(&mut ring, &[false; 3]), 1);
        assert!(ring.iter().all(|edge| edge.from() != edge.to()) && ring.len() == 2);
        let mut unlike = chain();
        unlike[1].forward.lanes = 2;
        assert_eq!(merge(&mut unlike, &[false; 3]), 0);
    }

    proptest! {
        #[test]
        fn length_is_conserved_and_order_does_not_matter(
            pairs in prop::collection::vec((0..14_u32, 0..14_u32, 0..3_u8, 0..3_u8), 0..24),
            protected in prop::collection::vec(any::<bool>(), 14),
        ) {
            let input: Vec<Edge> = pairs
                .iter()
                .enumerate()
                .filter(|(_, (a, b, ..))| a != b)
                .map(|(way, &(a, b, f, g))| edge(&[a, b], f | 4, g | 4, way as i64))
                .collect();
            let mut edges = input.clone();
            let merged = merge(&mut edges, &protected);
            prop_assert_eq!(edges.len() + merged, input.len());
            for (before, after) in totals(&input).iter().zip(totals(&edges)) {
                prop_assert!((before - after).abs() < 1e-9 * before.max(1.0));
            }
            for edge in &edges {
                prop_assert!(edge.from() != edge.to());
                prop_assert!(edge.nodes[1..edge.nodes.len() - 1].iter().all(|&row| !protected[row as usize]));
            }
            let mut reversed: Vec<Edge> = input.into_iter().rev().map(Edge::reversed).collect();
            merge(&mut reversed, &protected);
            let canonical = |edges: Vec<Edge>| {
                let sense = |e: Edge| {
                    let flip = (e.way_last, e.to()) < (e.way_first, e.from());
                    if flip { e.reversed() } else { e }
                };
                let mut rows: Vec<(Vec<u32>, i64, i64)> =
                    edges.into_iter().map(sense).map(|e| (e.nodes, e.way_first, e.way_last)).collect();
                rows.sort();
                rows
            };
            prop_assert_eq!(canonical(edges), canonical(reversed));
        }
    }
}
