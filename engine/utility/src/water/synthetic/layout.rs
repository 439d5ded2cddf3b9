//! Mains along streets: a least tree over all of them, and what closes its loops.
//!
//! 1. Streets that end without customers carry nothing.
//! 2. Stretches without customers or crossings are one main.
//! 3. Of these, those of the least tree (Kruskal) are laid, and of the others, each of which closes a loop, those that are
//!    short, which stretches between customers are. So there are ways around most failures, and dead ends are those of streets.
//!
//! Contract: sequential; by length, then by row. Time n log n.

use super::Basis;
use crate::sets::Sets;
use crate::streets::paths::NONE;

/// A main between two vertices of the streets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Main {
    pub(super) ends: [u32; 2],
    pub(super) length_m: f64,
    /// Segments of streets from the first end, each with the vertex that it leads to.
    pub(super) way: Vec<(u32, u32)>,
}

impl Main {
    fn other(&self, vertex: u32) -> u32 {
        if self.ends[0] == vertex { self.ends[1] } else { self.ends[0] }
    }
    /// Its way from one of its ends.
    fn way_from(&self, vertex: u32) -> Vec<(u32, u32)> {
        if self.ends[0] == vertex {
            return self.way.clone();
        }
        let starts = std::iter::once(self.ends[0]).chain(self.way.iter().map(|of| of.1));
        let mut back: Vec<(u32, u32)> = self.way.iter().zip(starts).map(|(of, start)| (of.0, start)).collect();
        back.reverse();
        back
    }
}

/// Mains by vertex.
#[derive(Clone, Debug, Default)]
pub(super) struct Incidence {
    start: Vec<u32>,
    main: Vec<u32>,
}

impl Incidence {
    pub(super) fn new(vertices: usize, mains: &[Main]) -> Self {
        let mut start = vec![0_u32; vertices + 1];
        mains.iter().flat_map(|of| of.ends).for_each(|end| start[end as usize + 1] += 1);
        for row in 0..vertices {
            start[row + 1] += start[row];
        }
        let mut next = start.clone();
        let mut main = vec![0; start[vertices] as usize];
        for (row, of) in mains.iter().enumerate() {
            for end in of.ends {
                main[next[end as usize] as usize] = row as u32;
                next[end as usize] += 1;
            }
        }
        Self { start, main }
    }
    /// Mains at a vertex.
    pub(super) fn at(&self, vertex: u32) -> &[u32] {
        &self.main[self.start[vertex as usize] as usize..self.start[vertex as usize + 1] as usize]
    }
}

/// Lays the mains of all stretches.
pub(super) fn mains(basis: &Basis<'_>) -> Vec<Main> {
    let streets = basis.streets;
    let vertices = streets.place.len();
    let mut mains = Vec::new();
    for &vertex in streets.supplied.iter().flatten() {
        for (to, length_mm, segment) in streets.graph.arcs(vertex).filter(|arc| vertex < arc.0) {
            let length_m = f64::from(length_mm) / 1000.0;
            mains.push(Main { ends: [vertex, to], length_m, way: vec![(segment, to)] });
        }
    }
    let is_kept = |vertex: u32| basis.buildings[vertex as usize] > 0;
    loop {
        let before = mains.len();
        mains = contracted(vertices, pruned(vertices, mains, &is_kept), &is_kept);
        if mains.len() == before {
            break;
        }
    }
    mains = closed(vertices, mains, basis.settings.closing_m_max);
    loop {
        let before = mains.len();
        mains = contracted(vertices, pruned(vertices, mains, &is_kept), &is_kept);
        if mains.len() == before {
            return mains;
        }
    }
}

/// Without dead ends that nobody draws from.
fn pruned(vertices: usize, mains: Vec<Main>, is_kept: &dyn Fn(u32) -> bool) -> Vec<Main> {
    let at = Incidence::new(vertices, &mains);
    let mut degree: Vec<u32> = (0..vertices as u32).map(|vertex| at.at(vertex).len() as u32).collect();
    let mut is_gone = vec![false; mains.len()];
    let mut ends: Vec<u32> =
        (0..vertices as u32).filter(|&vertex| degree[vertex as usize] == 1 && !is_kept(vertex)).collect();
    while let Some(vertex) = ends.pop() {
        let Some(&main) = at.at(vertex).iter().find(|&&main| !is_gone[main as usize]) else { continue };
        is_gone[main as usize] = true;
        let other = mains[main as usize].other(vertex);
        degree[vertex as usize] = 0;
        degree[other as usize] -= 1;
        if degree[other as usize] == 1 && !is_kept(other) {
            ends.push(other);
        }
    }
    let mut row = 0;
    let mut mains = mains;
    mains.retain(|_| {
        row += 1;
        !is_gone[row - 1]
    });
    mains
}

/// With one main where several follow one another and nothing else meets them. What leads back to where it began is left.
fn contracted(vertices: usize, mains: Vec<Main>, is_kept: &dyn Fn(u32) -> bool) -> Vec<Main> {
    let at = Incidence::new(vertices, &mains);
    let is_stop = |vertex: u32| is_kept(vertex) || at.at(vertex).len() != 2;
    let mut is_done = vec![false; mains.len()];
    let mut all = Vec::with_capacity(mains.len());
    for start in (0..vertices as u32).filter(|&vertex| is_stop(vertex)) {
        for &first in at.at(start) {
            if is_done[first as usize] {
                continue;
            }
            let (mut main, mut vertex) = (first, start);
            let mut whole = Main { ends: [start, start], length_m: 0.0, way: Vec::new() };
            loop {
                is_done[main as usize] = true;
                let of = &mains[main as usize];
                whole.way.extend(of.way_from(vertex));
                whole.length_m += of.length_m;
                vertex = of.other(vertex);
                let next = at.at(vertex).iter().find(|&&next| !is_done[next as usize]);
                match next {
                    Some(&next) if !is_stop(vertex) => main = next,
                    _ => break,
                }
            }
            whole.ends[1] = vertex;
            if vertex != start {
                all.push(whole);
            }
        }
    }
    all
}

/// The least tree and what of the rest is laid.
fn closed(vertices: usize, mains: Vec<Main>, closing_m_max: f64) -> Vec<Main> {
    let mut order: Vec<u32> = (0..mains.len() as u32).collect();
    let length = |row: u32| mains[row as usize].length_m;
    order.sort_by(|&a, &b| length(a).total_cmp(&length(b)).then(a.cmp(&b)));
    let mut sets = Sets::new(vertices);
    let mut is_laid = vec![false; mains.len()];
    for row in order {
        let [a, b] = mains[row as usize].ends;
        let closes = sets.root(a) == sets.root(b);
        sets.join(a, b);
        is_laid[row as usize] = !closes || length(row) <= closing_m_max;
    }
    let mut row = 0;
    let mut mains = mains;
    mains.retain(|_| {
        row += 1;
        is_laid[row - 1]
    });
    mains
}

/// Shortest ways over mains from a vertex to all that `may_pass`, nearest first.
pub(super) struct Ways {
    /// Main before each vertex reached; [`NONE`] elsewhere and at the start.
    pub(super) before: Vec<u32>,
    /// Vertices reached, nearest first.
    pub(super) order: Vec<u32>,
}

/// Ways by lengths of mains that `may_pass` lets through, from a vertex; ties by row. `weight` is a length in millimetres.
pub(super) fn ways(
    vertices: usize,
    mains: &[Main],
    at: &Incidence,
    from: u32,
    may_pass: &dyn Fn(u32) -> bool,
    weight: &dyn Fn(u32) -> u64,
) -> Ways {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;
    let mut of = Ways { before: vec![NONE; vertices], order: Vec::new() };
    let mut dist = vec![u64::MAX; vertices];
    let mut heap = BinaryHeap::new();
    dist[from as usize] = 0;
    heap.push(Reverse((0_u64, from)));
    while let Some(Reverse((so_far, vertex))) = heap.pop() {
        if so_far > dist[vertex as usize] {
            continue;
        }
        of.order.push(vertex);
        for &main in at.at(vertex).iter().filter(|&&main| may_pass(main)) {
            let to = mains[main as usize].other(vertex);
            let far = so_far + weight(main).max(1);
            if far < dist[to as usize] {
                dist[to as usize] = far;
                of.before[to as usize] = main;
                heap.push(Reverse((far, to)));
            }
        }
    }
    of
}
