//! Finds circles: short rings of one-way links, as roundabouts and the ways round small squares are.
//!
//! Whoever drives into a circle must leave room behind: see the node model. A link is in a circle when
//! one-way links lead from its end back to its start within [`CIRCLE_M`] of driving in all.
//!
//! Contract: a pure function of the network, sequential, done once.

use urbis_core::csr::Csr;

/// Longest way round a circle, metres: a roundabout of some hundred metres across, a small square.
const CIRCLE_M: f64 = 320.0;

/// Whether each link is part of a circle. Shape: links.
pub(crate) fn find(nodes: usize, from: &[u32], to: &[u32], length_m: &[f64]) -> Vec<bool> {
    let links = from.len();
    let mut pairs: Vec<(u32, u32)> = (0..links).map(|row| (from[row], to[row])).collect();
    pairs.sort_unstable();
    let is_one_way: Vec<bool> =
        (0..links).map(|row| from[row] != to[row] && pairs.binary_search(&(to[row], from[row])).is_err()).collect();
    let out: Vec<(u32, u32)> = (0..links).filter(|&row| is_one_way[row]).map(|row| (from[row], row as u32)).collect();
    let out = Csr::from_pairs(nodes, &out);
    let mut reached_m = vec![f64::INFINITY; nodes];
    let mut touched = Vec::new();
    let mut open = Vec::new();
    (0..links)
        .map(|row| {
            if !is_one_way[row] || length_m[row] > CIRCLE_M {
                return false;
            }
            // The bound keeps the search to a few streets, so labels are simply corrected.
            open.push((to[row], length_m[row]));
            while let Some((node, way_m)) = open.pop() {
                let seen = &mut reached_m[node as usize];
                if way_m >= *seen || way_m > CIRCLE_M {
                    continue;
                }
                *seen = way_m;
                touched.push(node);
                if node != from[row] {
                    open.extend(out.row(node as usize).iter().map(|&l| (to[l as usize], way_m + length_m[l as usize])));
                }
            }
            let is_circle = reached_m[from[row] as usize].is_finite();
            touched.drain(..).for_each(|node| reached_m[node as usize] = f64::INFINITY);
            is_circle
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn roundabouts_are_circles_and_two_way_streets_are_not() {
        // 0 -> 1 -> 2 -> 0 with arms 0 <-> 3, 1 -> 4; a far loop 4 -> 5 -> 4 is two-way.
        let from = [0, 1, 2, 0, 3, 1, 4, 5];
        let to = [1, 2, 0, 3, 0, 4, 5, 4];
        let flags = super::find(6, &from, &to, &[30.0; 8]);
        assert_eq!(flags, [true, true, true, false, false, false, false, false]);
        assert!(super::find(6, &from, &to, &[200.0; 8]).iter().all(|&flag| !flag));
    }
}
