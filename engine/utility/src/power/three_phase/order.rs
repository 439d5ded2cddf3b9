//! In which order the rows of a feeder are eliminated. Most buses of a low-voltage feeder are bends of a cable where
//! nothing hangs. Their right side is always zero, so whatever is eliminated first costs nothing in a substitution until
//! voltages are asked for. Eliminating one with one or two neighbours joins these at most, so the rest stays as sparse
//! as it was; one with three would make a triangle, and is left to minimum degree with the rest.
//!
//! Ends first, then bends in rounds: of each run of bends every other one, then every other one of what is left, so that
//! steps beside each other do not wait for each other.
//!
//! Contract: a pure function of the pattern and of who is idle.

use crate::sparse::{Order, Pattern, minimum_degree};

/// The order, and how many rows at its beginning are idle.
#[must_use]
pub fn idle_first(pattern: &Pattern, is_idle: &[bool]) -> (Order, usize) {
    let rows = pattern.rows();
    let mut graph: Vec<Vec<u32>> = (0..rows).map(|row| pattern.row(row).to_vec()).collect();
    let mut sequence: Vec<u32> = Vec::with_capacity(rows);
    let mut is_gone = vec![false; rows];
    let mut waits = vec![0_u32; rows];
    let mut candidates: Vec<u32> = (0..rows as u32).filter(|&row| is_idle[row as usize]).collect();
    for round in 1.. {
        let before = sequence.len();
        for &row in &candidates {
            let neighbours = &graph[row as usize];
            if neighbours.len() > 2 || waits[row as usize] == round {
                continue;
            }
            let neighbours = std::mem::take(&mut graph[row as usize]);
            is_gone[row as usize] = true;
            sequence.push(row);
            for &next in &neighbours {
                waits[next as usize] = round;
                graph[next as usize].retain(|&other| other != row);
            }
            if let [a, b] = neighbours[..]
                && !graph[a as usize].contains(&b)
            {
                graph[a as usize].push(b);
                graph[b as usize].push(a);
            }
        }
        if sequence.len() == before {
            break;
        }
        candidates.retain(|&row| !is_gone[row as usize]);
    }
    let idle = sequence.len();
    let rest: Vec<u32> = (0..rows as u32).filter(|&row| !is_gone[row as usize]).collect();
    let mut place = vec![u32::MAX; rows];
    rest.iter().enumerate().for_each(|(at, &row)| place[row as usize] = at as u32);
    let edges = rest.iter().flat_map(|&row| graph[row as usize].iter().map(move |&next| (row, next)));
    let left = Pattern::from_edges(rest.len(), edges.map(|(a, b)| (place[a as usize], place[b as usize])));
    sequence.extend(minimum_degree(&left).old_of_new.iter().map(|&at| rest[at as usize]));
    (Order::from_sequence(sequence), idle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparse::Symbolic;

    #[test]
    fn bends_go_first_and_forks_stay() {
        // A fork at 3 with arms 0-1-2-3, 3-4-5, 3-6-7; 0, 5 and 7 are not idle.
        let pattern = Pattern::from_edges(8, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (3, 6), (6, 7)]);
        let is_idle = [false, true, true, true, true, false, true, false];
        let (order, idle) = idle_first(&pattern, &is_idle);
        assert_eq!(idle, 4);
        assert_eq!(order.old_of_new[..4], [1, 4, 6, 2]);
        let symbolic = Symbolic::new(&pattern.permuted(&order));
        assert!((0..8).all(|column| symbolic.range(column).len() <= 2));
        let (_, none) = idle_first(&pattern, &[false; 8]);
        assert_eq!(none, 0);
        assert_eq!(idle_first(&pattern, &[true; 8]).1, 8);
    }
}
