//! Customizable contraction hierarchy (Dibbelt, Strasser and Wagner 2016): a graph is ordered and
//! contracted once, then takes any weights in a few milliseconds (`cch_metric`) and answers
//! shortest-path queries by walking two paths of its elimination tree (`cch_query`).
//!
//! Nodes are numbered by rank. Every arc of the chordal supergraph goes from a node to a higher one, and
//! all heads of a node's arcs are its ancestors in the elimination tree, so that a head is named by its
//! depth in the tree. Ranks are a postorder of the tree: a subtree is a range of nodes and of arcs, and
//! nodes between two forks are one [`Segment`], the unit of parallel work.
//!
//! Contract: depends on the graph and the coordinates alone.

use crate::dissection;
use urbis_core::csr::Csr;

/// No node, no arc.
pub(crate) const NONE: u32 = u32::MAX;

/// Triangles below which a subtree is one piece of work.
const SEGMENT_TRIANGLES: u64 = 20_000;

/// A directed edge of the input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// Position of its weight.
    pub(crate) weight: u32,
    /// What paths call it, below 2^31.
    pub(crate) label: u32,
}

/// An edge at the arc it lies on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lain {
    pub(crate) weight: u32,
    pub(crate) label: u32,
}

/// Nodes `start..end` that are worked on in order of rank; the segments `below` come first and are
/// independent of each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) below: Vec<Segment>,
}

/// A contracted graph, without weights.
#[derive(Debug)]
pub(crate) struct Cch {
    /// Rank of each node of the input.
    pub(crate) rank: Vec<u32>,
    /// First arc of each rank, and the end.
    pub(crate) first: Vec<u32>,
    /// Depth of each arc's head; falls along the arcs of a node from its last to its first ancestor.
    pub(crate) head_depth: Vec<u32>,
    pub(crate) head: Vec<u32>,
    pub(crate) tail: Vec<u32>,
    /// Next node of the elimination tree, or [`NONE`].
    pub(crate) parent: Vec<u32>,
    /// Nodes between a node and the root of its tree.
    pub(crate) depth: Vec<u32>,
    /// Nodes on the longest way to a root.
    pub(crate) height: usize,
    /// Arcs that end at each node, in order of tail.
    pub(crate) into: Csr<u32>,
    /// Edges of each arc: row `2 * arc` upwards, `2 * arc + 1` downwards.
    pub(crate) edges: Csr<Lain>,
    /// Forest of segments.
    pub(crate) segments: Vec<Segment>,
}

impl Cch {
    /// Contracts a graph whose nodes lie at `(x_m, y_m)`.
    pub(crate) fn new(x_m: &[f64], y_m: &[f64], edges: &[Edge]) -> Self {
        let nodes = x_m.len();
        let pairs: Vec<(u32, u32)> = edges.iter().map(|edge| (edge.from, edge.to)).collect();
        let order = dissection::order(x_m, y_m, &pairs);
        let mut rank = vec![0; nodes];
        for (at, &node) in order.iter().enumerate() {
            rank[node as usize] = at as u32;
        }
        let contracted = Contracted::new(&rank, &pairs);
        let tree = Tree::new(&contracted);
        rank.iter_mut().for_each(|of| *of = tree.rank[*of as usize]);
        let mut old = vec![0; nodes];
        tree.rank.iter().enumerate().for_each(|(before, &now)| old[now as usize] = before as u32);
        let (mut first, mut head, mut tail, mut parent) = (vec![0], Vec::new(), Vec::new(), Vec::with_capacity(nodes));
        for (now, &before) in old.iter().enumerate() {
            // Ancestors keep their order, so heads stay sorted.
            let above = contracted.above(before).iter().map(|&node| tree.rank[node as usize]);
            head.extend(above);
            tail.resize(head.len(), now as u32);
            parent.push(head.get(first[now] as usize).copied().unwrap_or(NONE));
            first.push(head.len() as u32);
        }
        let mut depth = vec![0_u32; nodes];
        for node in (0..nodes).rev().filter(|&node| parent[node] != NONE) {
            depth[node] = depth[parent[node] as usize] + 1;
        }
        let into: Vec<(u32, u32)> = head.iter().enumerate().map(|(arc, &node)| (node, arc as u32)).collect();
        let mut cch = Self {
            head_depth: head.iter().map(|&node| depth[node as usize]).collect(),
            height: depth.iter().max().map_or(0, |&most| most as usize + 1),
            into: Csr::from_pairs(nodes, &into),
            edges: Csr::default(),
            segments: tree.segments,
            rank,
            first,
            head,
            tail,
            parent,
            depth,
        };
        let lain = |edge: &Edge| {
            let (a, b) = (cch.rank[edge.from as usize], cch.rank[edge.to as usize]);
            let arc = cch.arc(a.min(b), a.max(b))?;
            Some((2 * arc + u32::from(a > b), Lain { weight: edge.weight, label: edge.label }))
        };
        let lain: Vec<(u32, Lain)> = edges.iter().filter_map(lain).collect();
        cch.edges = Csr::from_pairs(2 * cch.head.len(), &lain);
        cch
    }

    /// Nodes.
    pub(crate) fn nodes(&self) -> usize {
        self.parent.len()
    }
    /// Arcs of the chordal supergraph.
    pub(crate) fn arcs(&self) -> usize {
        self.head.len()
    }
    /// Arcs of a node.
    #[inline]
    pub(crate) fn arcs_of(&self, node: u32) -> std::ops::Range<usize> {
        self.first[node as usize] as usize..self.first[node as usize + 1] as usize
    }
    fn arc(&self, low: u32, high: u32) -> Option<u32> {
        let arcs = self.arcs_of(low);
        self.head[arcs.clone()].binary_search(&high).ok().map(|at| (arcs.start + at) as u32)
    }
}

/// The chordal supergraph of an order.
struct Contracted {
    first: Vec<u32>,
    head: Vec<u32>,
}

impl Contracted {
    fn new(rank: &[u32], pairs: &[(u32, u32)]) -> Self {
        let nodes = rank.len();
        let mut higher: Vec<Vec<u32>> = vec![Vec::new(); nodes];
        for &(from, to) in pairs {
            let (a, b) = (rank[from as usize], rank[to as usize]);
            if a != b {
                higher[a.min(b) as usize].push(a.max(b));
            }
        }
        let (mut first, mut head) = (vec![0], Vec::new());
        for node in 0..nodes {
            let mut above = std::mem::take(&mut higher[node]);
            above.sort_unstable();
            above.dedup();
            if let Some((&next, rest)) = above.split_first() {
                higher[next as usize].extend_from_slice(rest);
            }
            head.append(&mut above);
            first.push(head.len() as u32);
        }
        Self { first, head }
    }
    fn above(&self, node: u32) -> &[u32] {
        &self.head[self.first[node as usize] as usize..self.first[node as usize + 1] as usize]
    }
}

/// The elimination tree in postorder, heavy children first, and its segments.
struct Tree {
    /// New rank of each node.
    rank: Vec<u32>,
    segments: Vec<Segment>,
}

impl Tree {
    fn new(graph: &Contracted) -> Self {
        let nodes = graph.first.len() - 1;
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); nodes];
        let mut roots = Vec::new();
        let mut work = vec![0_u64; nodes];
        for node in 0..nodes as u32 {
            let above = graph.above(node);
            let arcs = above.len() as u64;
            work[node as usize] += arcs * arcs.saturating_sub(1) / 2;
            match above.first() {
                Some(&parent) => {
                    children[parent as usize].push(node);
                    work[parent as usize] += work[node as usize];
                }
                None => roots.push(node),
            }
        }
        let heavy_first = |of: &mut Vec<u32>| of.sort_by_key(|&node| (std::cmp::Reverse(work[node as usize]), node));
        children.iter_mut().for_each(heavy_first);
        heavy_first(&mut roots);
        let mut rank = vec![0; nodes];
        let mut next = 0;
        let mut stack: Vec<(u32, usize)> = Vec::new();
        for &root in &roots {
            stack.push((root, 0));
            while let Some((node, child)) = stack.last_mut() {
                if let Some(&below) = children[*node as usize].get(*child) {
                    *child += 1;
                    stack.push((below, 0));
                } else {
                    rank[*node as usize] = next;
                    next += 1;
                    stack.pop();
                }
            }
        }
        let heavy = |of: &[u32]| -> Vec<u32> {
            of.iter().copied().take_while(|&node| work[node as usize] >= SEGMENT_TRIANGLES).collect()
        };
        // From the root down: a segment ends at a node and goes down to the next fork of heavy subtrees.
        let mut made: Vec<(Segment, usize)> = Vec::new();
        let mut open: Vec<(u32, usize)> = heavy(&roots).into_iter().map(|node| (node, usize::MAX)).collect();
        let heavy_end = open.last().map_or(0, |&(node, _)| rank[node as usize] + 1);
        while let Some((end, above)) = open.pop() {
            let mut forks = vec![end];
            while let [only] = forks[..] {
                forks = heavy(&children[only as usize]);
            }
            let start = forks.last().map_or_else(|| made_start(&children, &rank, end), |&last| rank[last as usize] + 1);
            open.extend(forks.into_iter().map(|node| (node, made.len())));
            made.push((Segment { start, end: rank[end as usize] + 1, below: Vec::new() }, above));
        }
        let mut segments = Vec::new();
        while let Some((mut segment, above)) = made.pop() {
            segment.below.sort_by_key(|of| of.start);
            match made.get_mut(above) {
                Some((of, _)) => of.below.push(segment),
                None => segments.push(segment),
            }
        }
        segments.sort_by_key(|of| of.start);
        if (heavy_end as usize) < nodes {
            segments.push(Segment { start: heavy_end, end: nodes as u32, below: Vec::new() });
        }
        Self { rank, segments }
    }
}

/// Lowest rank of a subtree in postorder: that of its first leaf.
fn made_start(children: &[Vec<u32>], rank: &[u32], root: u32) -> u32 {
    let mut node = root;
    while let Some(&below) = children[node as usize].first() {
        node = below;
    }
    rank[node as usize]
}
