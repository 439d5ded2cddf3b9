//! Nested-dissection order of a road graph from its coordinates, by inertial flow (Schild and Sommer
//! 2015): nodes are sorted along four directions, the first and last quarter become source and sink, a
//! minimum cut between them (Dinic) separates the rest, and the smaller side of the cut's ends is the
//! separator. Separators come last in the order; both sides are ordered the same way.
//!
//! Contract: depends on the graph and the coordinates alone; sides are computed in parallel and joined
//! in order.

use urbis_core::csr::Csr;

/// Cells of so many nodes are not cut further.
const SMALL: usize = 24;

/// Share of the nodes on either side that no cut may split.
const TERMINALS: f64 = 0.25;

/// Nodes from the least to the most important. `edges` are undirected pairs of nodes, in any order.
pub(crate) fn order(x_m: &[f64], y_m: &[f64], edges: &[(u32, u32)]) -> Vec<u32> {
    let mut both: Vec<(u32, u32)> = edges.iter().filter(|(a, b)| a != b).flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
    both.sort_unstable();
    both.dedup();
    let graph = Csr::from_pairs(x_m.len(), &both);
    dissect(&graph, x_m, y_m, (0..x_m.len() as u32).collect())
}

fn dissect(graph: &Csr<u32>, x_m: &[f64], y_m: &[f64], cell: Vec<u32>) -> Vec<u32> {
    if cell.len() <= SMALL {
        return by_degree(graph, cell);
    }
    let local = Local::new(graph, &cell);
    let directions = [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, -1.0)];
    let best = directions
        .into_iter()
        .map(|(dx, dy)| {
            let key = |node: u32| x_m[node as usize] * dx + y_m[node as usize] * dy;
            let mut along: Vec<u32> = (0..cell.len() as u32).collect();
            along.sort_by(|&a, &b| {
                let (a, b) = (cell[a as usize], cell[b as usize]);
                key(a).total_cmp(&key(b)).then(a.cmp(&b))
            });
            local.separate(&along)
        })
        .min_by(|a, b| a.score(cell.len()).total_cmp(&b.score(cell.len())));
    let Some(cut) = best else { return cell };
    let pick = |side: u8| -> Vec<u32> {
        cell.iter().zip(&cut.side).filter(|(_, s)| **s == side).map(|(&node, _)| node).collect()
    };
    let (first, second, separator) = (pick(0), pick(1), pick(2));
    if first.is_empty() || second.is_empty() {
        return by_degree(graph, cell);
    }
    let (mut nodes, rest) = rayon::join(|| dissect(graph, x_m, y_m, first), || dissect(graph, x_m, y_m, second));
    nodes.extend(rest);
    nodes.extend(separator);
    nodes
}

/// Few neighbours first: good enough for small cells.
fn by_degree(graph: &Csr<u32>, mut cell: Vec<u32>) -> Vec<u32> {
    cell.sort_by_key(|&node| (graph.row(node as usize).len(), node));
    cell
}

/// A cell cut in two: 0 and 1 are its sides, 2 the separator.
struct Cut {
    side: Vec<u8>,
    counts: [usize; 3],
}

impl Cut {
    /// Small separators and equal sides are good.
    fn score(&self, nodes: usize) -> f64 {
        let smaller = self.counts[0].min(self.counts[1]).max(1) as f64;
        (self.counts[2] as f64 + 0.1) / (smaller / nodes as f64).sqrt()
    }
}

/// The subgraph of a cell with local node numbers.
struct Local {
    first: Vec<u32>,
    head: Vec<u32>,
    /// The same edge in the other direction.
    twin: Vec<u32>,
}

impl Local {
    fn new(graph: &Csr<u32>, cell: &[u32]) -> Self {
        let mut sorted: Vec<(u32, u32)> = cell.iter().enumerate().map(|(at, &node)| (node, at as u32)).collect();
        sorted.sort_unstable();
        let find = |node: u32| sorted.binary_search_by_key(&node, |&(n, _)| n).ok().map(|at| sorted[at].1);
        let mut first = vec![0];
        let mut head = Vec::new();
        for &node in cell {
            let start = head.len();
            head.extend(graph.row(node as usize).iter().filter_map(|&other| find(other)));
            head[start..].sort_unstable();
            first.push(head.len() as u32);
        }
        let mut twin = vec![0; head.len()];
        for node in 0..cell.len() {
            for edge in first[node] as usize..first[node + 1] as usize {
                let other = head[edge] as usize;
                let back = &head[first[other] as usize..first[other + 1] as usize];
                // The graph has each edge in both directions.
                let at = back.binary_search(&(node as u32)).unwrap_or(0);
                twin[edge] = first[other] + at as u32;
            }
        }
        Self { first, head, twin }
    }
    fn nodes(&self) -> usize {
        self.first.len() - 1
    }
    fn edges(&self, node: u32) -> std::ops::Range<usize> {
        self.first[node as usize] as usize..self.first[node as usize + 1] as usize
    }

    /// Minimum cut between the two ends of `along`, as a vertex separator.
    fn separate(&self, along: &[u32]) -> Cut {
        let terminals = ((along.len() as f64 * TERMINALS) as usize).max(1);
        let mut role = vec![0_u8; self.nodes()];
        for &node in &along[..terminals] {
            role[node as usize] = 1;
        }
        for &node in &along[along.len() - terminals..] {
            role[node as usize] = 2;
        }
        let mut flow = vec![0_i8; self.head.len()];
        let mut level = vec![u32::MAX; self.nodes()];
        while self.levels(&role, &flow, &mut level) {
            self.push(&role, &mut flow, &level);
        }
        // What the source still reaches is one side; the ends of the cut on the side with fewer of them
        // are the separator.
        let inside = |node: u32| level[node as usize] != u32::MAX;
        let on_cut = |node: u32| self.edges(node).any(|edge| inside(self.head[edge]) != inside(node));
        let ends: Vec<u32> = (0..self.nodes() as u32).filter(|&node| on_cut(node)).collect();
        let inner = ends.iter().filter(|&&node| inside(node)).count();
        let take_inner = inner * 2 <= ends.len();
        let mut side: Vec<u8> = (0..self.nodes() as u32).map(|node| u8::from(!inside(node))).collect();
        for node in ends.into_iter().filter(|&node| inside(node) == take_inner) {
            side[node as usize] = 2;
        }
        let counts = [0, 1, 2].map(|s| side.iter().filter(|&&of| of == s).count());
        Cut { side, counts }
    }

    /// Breadth-first levels from the source; whether the sink is reached.
    fn levels(&self, role: &[u8], flow: &[i8], level: &mut [u32]) -> bool {
        level.fill(u32::MAX);
        let mut queue: Vec<u32> = (0..self.nodes() as u32).filter(|&node| role[node as usize] == 1).collect();
        for &node in &queue {
            level[node as usize] = 0;
        }
        let mut reached = false;
        let mut at = 0;
        while at < queue.len() {
            let node = queue[at];
            at += 1;
            for edge in self.edges(node) {
                let other = self.head[edge];
                if flow[edge] < 1 && level[other as usize] == u32::MAX {
                    level[other as usize] = level[node as usize] + 1;
                    reached |= role[other as usize] == 2;
                    queue.push(other);
                }
            }
        }
        reached
    }

    /// A blocking flow along rising levels.
    fn push(&self, role: &[u8], flow: &mut [i8], level: &[u32]) {
        let mut next: Vec<usize> = self.first[..self.nodes()].iter().map(|&edge| edge as usize).collect();
        let mut path: Vec<usize> = Vec::new();
        for source in (0..self.nodes() as u32).filter(|&node| role[node as usize] == 1) {
            loop {
                let node = path.last().map_or(source, |&edge| self.head[edge]);
                if role[node as usize] == 2 {
                    for &edge in &path {
                        flow[edge] += 1;
                        flow[self.twin[edge] as usize] -= 1;
                    }
                    path.clear();
                    continue;
                }
                let end = self.edges(node).end;
                let usable = (next[node as usize]..end).find(|&edge| {
                    let other = self.head[edge] as usize;
                    flow[edge] < 1 && level[other] != u32::MAX && level[other] == level[node as usize] + 1
                });
                next[node as usize] = usable.unwrap_or(end);
                match usable {
                    Some(edge) => path.push(edge),
                    None => match path.pop() {
                        Some(edge) => {
                            let back = self.head[self.twin[edge] as usize] as usize;
                            next[back] = edge + 1;
                        }
                        None => break,
                    },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_cut_across() {
        let n = 20_u32;
        let xy: Vec<(f64, f64)> = (0..n * n).map(|i| (f64::from(i % n), f64::from(i / n))).collect();
        let (x, y): (Vec<f64>, Vec<f64>) = xy.into_iter().unzip();
        let mut edges = Vec::new();
        for i in 0..n * n {
            if i % n + 1 < n {
                edges.push((i, i + 1));
            }
            if i / n + 1 < n {
                edges.push((i + n, i));
            }
        }
        let order = order(&x, &y, &edges);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..n * n));
        // Without the last line of nodes the rest falls apart into pieces of at most three quarters.
        let rank: Vec<usize> = (0..n * n).map(|i| order.iter().position(|&o| o == i).unwrap()).collect();
        let kept = |i: u32| rank[i as usize] < (n * n - n) as usize;
        let mut piece: Vec<u32> = (0..n * n).collect();
        for _ in 0..n * n {
            for &(a, b) in edges.iter().filter(|&&(a, b)| kept(a) && kept(b)) {
                let least = piece[a as usize].min(piece[b as usize]);
                (piece[a as usize], piece[b as usize]) = (least, least);
            }
        }
        let largest = (0..n * n).map(|of| (0..n * n).filter(|&i| kept(i) && piece[i as usize] == of).count()).max();
        assert!(largest.unwrap() <= (n * n * 3 / 4) as usize, "{largest:?}");
    }

    #[test]
    fn places_on_top_of_each_other_are_no_trouble() {
        let edges: Vec<(u32, u32)> = (1..200).map(|i| (i - 1, i)).collect();
        let order = order(&[0.0; 200], &[0.0; 200], &edges);
        assert_eq!(order.len(), 200);
    }
}
