//! Who supplies whom in a network of which only its links are known: zones, the way to sources, the nearest place.
//!
//! A node is taken to need those of its neighbours that are one link nearer to a source, any of them. In a tree, as grids and
//! zones of supply are run, these are the nodes on its only way, so what a failure cuts off is exact. In a mesh, ways
//! that are longer, or run sideways, do not count: more is told to be cut off than is. In return no two nodes need each other,
//! as they could then keep each other alive without a source.
//!
//! Contract: pure functions of their slices, in order of rows.

use super::graph::NONE;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use urbis_core::csr::Csr;

/// Zone of each node: nodes that are joined; zones are numbered by their first node. Shape: nodes.
#[must_use]
pub fn zones(nodes: usize, joins: &[(u32, u32)]) -> Vec<u32> {
    let pairs: Vec<(u32, u32)> = joins.iter().flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
    let neighbours = Csr::from_pairs(nodes, &pairs);
    let mut zone = vec![NONE; nodes];
    let mut count = 0;
    let mut todo = Vec::new();
    for start in 0..nodes {
        if zone[start] != NONE {
            continue;
        }
        zone[start] = count;
        todo.push(start as u32);
        while let Some(node) = todo.pop() {
            for &other in neighbours.row(node as usize) {
                if zone[other as usize] == NONE {
                    zone[other as usize] = count;
                    todo.push(other);
                }
            }
        }
        count += 1;
    }
    zone
}

/// Links from the nearest source to each node; [`NONE`] where no way leads. A link leads from its first node to its second.
/// Shape: nodes.
#[must_use]
pub fn steps_from(nodes: usize, sources: &[u32], links: &[(u32, u32)]) -> Vec<u32> {
    let ahead = Csr::from_pairs(nodes, links);
    let mut steps = vec![NONE; nodes];
    let mut todo = VecDeque::new();
    for &source in sources {
        if steps[source as usize] == NONE {
            steps[source as usize] = 0;
            todo.push_back(source);
        }
    }
    while let Some(node) = todo.pop_front() {
        for &other in ahead.row(node as usize) {
            if steps[other as usize] == NONE {
                steps[other as usize] = steps[node as usize] + 1;
                todo.push_back(other);
            }
        }
    }
    steps
}

/// Whether a link leads one step away from the sources.
#[must_use]
pub fn leads_away(steps: &[u32], (from, to): (u32, u32)) -> bool {
    let (from, to) = (steps[from as usize], steps[to as usize]);
    from != NONE && to != NONE && from + 1 == to
}

/// The place that is nearest to each node along links, whichever way they run; [`NONE`] where none can be reached. Places
/// are at nodes; of two at one distance the lower counts. Shape: nodes.
#[must_use]
pub fn nearest(nodes: usize, links: &[(u32, u32, f64)], places: &[(u32, u32)]) -> Vec<u32> {
    let pairs: Vec<(u32, (u32, f64))> =
        links.iter().flat_map(|&(a, b, length_m)| [(a, (b, length_m)), (b, (a, length_m))]).collect();
    let neighbours = Csr::from_pairs(nodes, &pairs);
    let mut found = vec![NONE; nodes];
    // Lengths are not negative, so their bits are in order.
    let bits = |length_m: f64| length_m.max(0.0).to_bits();
    let mut heap: BinaryHeap<Reverse<(u64, u32, u32)>> =
        places.iter().map(|&(node, place)| Reverse((bits(0.0), place, node))).collect();
    while let Some(Reverse((at, place, node))) = heap.pop() {
        if found[node as usize] != NONE {
            continue;
        }
        found[node as usize] = place;
        for &(other, length_m) in neighbours.row(node as usize) {
            if found[other as usize] == NONE {
                heap.push(Reverse((bits(f64::from_bits(at) + length_m.max(0.0)), place, other)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_what_hangs_together() {
        assert_eq!(zones(6, &[(4, 2), (1, 5), (2, 0)]), [0, 1, 0, 2, 0, 1]);
    }

    #[test]
    fn steps_follow_links_from_the_nearest_source() {
        // A ring of five fed at 0: both ways count, and the link between 2 and 3 leads nowhere.
        let ring: Vec<(u32, u32)> = (0..5).flat_map(|a| [(a, (a + 1) % 5), ((a + 1) % 5, a)]).collect();
        let steps = steps_from(6, &[0], &ring);
        assert_eq!(steps, [0, 1, 2, 2, 1, NONE]);
        assert!(leads_away(&steps, (1, 2)) && !leads_away(&steps, (2, 1)));
        assert!(!leads_away(&steps, (2, 3)) && !leads_away(&steps, (5, 0)) && !leads_away(&steps, (0, 5)));
        assert_eq!(steps_from(3, &[2], &[(0, 1), (1, 2)]), [NONE, NONE, 0]);
    }

    #[test]
    fn the_nearest_place_along_the_links() {
        let links = [(0, 1, 5.0), (1, 2, 1.0), (2, 3, 1.0), (3, 0, 1.0), (4, 5, 1.0)];
        assert_eq!(nearest(6, &links, &[(0, 7), (1, 9)]), [7, 9, 9, 7, NONE, NONE]);
    }
}
