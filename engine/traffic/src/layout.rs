//! How the kernel lays a network out: nodes along a space-filling curve, cut into chunks that fill a
//! summary word of the wheel; the two halves of every link beside the node that owns them, and what both share.
//!
//! Links are numbered here by their entry (upstream node, then outside order); [`Layout`] translates
//! to [`CarLinkIx`], the engine from there. Results do not depend on this order: within a node inputs follow
//! [`CarLinkIx`], and nodes do not see each other within a tick.

use crate::gate::Terms;
use crate::link::{Content, Entry, Exit, Link, Ring, Slots};
use crate::network::CarNetwork;
use crate::node::{Candidate, Chunk, FAR, NodeRows, tag_step};
use crate::time::{NEVER, Time};
use crate::wheel::CHUNK_INPUTS;
use urbis_core::csr::Csr;
use urbis_core::{CarLinkIx, Problem, Problems, Result};

/// Everything that follows from the network alone.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) slots: Slots,
    /// Links by number, then one that ends the last ring.
    pub(crate) links: Vec<Link>,
    /// Number of each [`CarLinkIx`].
    pub(crate) number: Vec<u32>,
    /// Whether any link takes longer than the wheel reaches.
    pub(crate) has_far: bool,
}

/// Position along a Hilbert curve of order 16.
fn hilbert(mut x: u32, mut y: u32) -> u64 {
    let mut d = 0_u64;
    let mut s = 1_u32 << 15;
    while s > 0 {
        let (rx, ry) = (u32::from(x & s > 0), u32::from(y & s > 0));
        d += u64::from(s) * u64::from(s) * u64::from((3 * rx) ^ ry);
        if ry == 0 {
            if rx == 1 {
                x = (s - 1).wrapping_sub(x) & 0xffff;
                y = (s - 1).wrapping_sub(y) & 0xffff;
            }
            std::mem::swap(&mut x, &mut y);
        }
        s >>= 1;
    }
    d
}

/// Nodes along a Hilbert curve; ties in outside order.
fn node_order(network: &CarNetwork) -> Vec<u32> {
    let bounds = |column: &[f64]| {
        let (low, high) = column.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        (low, if high > low { 65_535.0 / (high - low) } else { 0.0 })
    };
    let ((x0, sx), (y0, sy)) = (bounds(&network.x_m), bounds(&network.y_m));
    let keys: Vec<u64> = (0..network.nodes())
        .map(|node| hilbert(((network.x_m[node] - x0) * sx) as u32, ((network.y_m[node] - y0) * sy) as u32))
        .collect();
    urbis_core::columns::order_by_key(&keys, |&key| key)
}

impl Layout {
    /// Lays out a network.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] for a node with more links than a chunk has inputs, or more storage
    /// than slots can be numbered.
    pub(crate) fn new(network: &CarNetwork, pocket: u32) -> Result<Self> {
        let by = |ends: &[u32]| {
            let pairs: Vec<(u32, u32)> = ends.iter().enumerate().map(|(link, &node)| (node, link as u32)).collect();
            Csr::from_pairs(network.nodes(), &pairs)
        };
        let (into, out) = (by(&network.to), by(&network.from));
        let order = node_order(network);

        let mut problems = Problems::new();
        let place = std::path::Path::new("links");
        for &node in &order {
            let inputs = into.row(node as usize).len() + out.row(node as usize).len();
            if inputs > CHUNK_INPUTS as usize {
                problems
                    .push(Problem::file(place, format!("node {node} joins {inputs} links, at most {CHUNK_INPUTS}")));
            }
        }
        let slots: u64 = network.storage.iter().map(|&n| u64::from(n)).sum();
        if slots >= u64::from(u32::MAX) {
            problems.push(Problem::file(place, format!("storage of {slots} vehicles, at most {}", u32::MAX)));
        }
        problems.or_else(())?;

        let mut layout = Self {
            slots: Slots::new(slots as usize),
            links: Vec::with_capacity(network.links() + 1),
            number: vec![0; network.links()],
            has_far: network.free_time.iter().any(|&time| time > FAR),
            ..Self::default()
        };
        layout.place_nodes(network, &order, &into, &out, pocket);
        for chunk in &mut layout.chunks {
            let most = chunk.nodes.iter().map(|rows| rows.inputs()).max().unwrap_or(0);
            chunk.candidates = vec![Candidate::default(); most as usize].into();
        }
        Ok(layout)
    }

    /// Cuts nodes into chunks and writes links with their halves.
    fn place_nodes(&mut self, network: &CarNetwork, order: &[u32], into: &Csr<u32>, out: &Csr<u32>, merge_pocket: u32) {
        let merge_pocket = merge_pocket.min(u32::from(u16::MAX)) as u16;
        let mut next_slot = 0;
        let mut input_in_chunk = CHUNK_INPUTS;
        let mut input_of_link = vec![0_u32; network.links()];
        for &node in order {
            let (before, after) = (into.row(node as usize), out.row(node as usize));
            let inputs = (before.len() + after.len()) as u32;
            if input_in_chunk + inputs.next_multiple_of(8) > CHUNK_INPUTS {
                input_in_chunk = 0;
                self.chunks.push(Chunk {
                    index: self.chunks.len(),
                    first_link: self.links.len() as u32,
                    byte_node: vec![0; CHUNK_INPUTS as usize / 8],
                    ..Chunk::default()
                });
            }
            let index = self.chunks.len() as u32 - 1;
            let chunk = &mut self.chunks[index as usize];
            let first_input = index * CHUNK_INPUTS + input_in_chunk;
            let row = chunk.nodes.len() as u32;
            for byte in input_in_chunk / 8..(input_in_chunk + inputs).div_ceil(8) {
                chunk.byte_node[byte as usize] = row;
            }
            chunk.nodes.push(NodeRows {
                first_exit: chunk.exits.len() as u32,
                exits: before.len() as u32,
                first_entry: chunk.entries.len() as u32,
                entries: after.len() as u32,
                first_input,
                circle_exits: circle_bits(network, before),
                circle_entries: circle_bits(network, after),
            });
            let terms = |link: usize| Terms::new(network.capacity_vps[link], tag_step(network.priority[link]));
            for (nth, &link) in before.iter().enumerate() {
                input_of_link[link as usize] = first_input + nth as u32;
                let gate = chunk.terms.gate(terms(link as usize));
                chunk.exits.push(Exit::new(gate, link));
            }
            for &link in after {
                let at = link as usize;
                let gate = chunk.terms.gate(terms(at));
                chunk.entries.push(Entry::new(gate, next_slot));
                self.number[at] = self.links.len() as u32;
                self.links.push(Link {
                    ring_start: next_slot,
                    outside: CarLinkIx(link),
                    upstream: first_input,
                    free_time: network.free_time[at],
                    lag: network.lag[at],
                    length_m: network.length_m[at] as f32,
                    merge_pocket: if merges(network, into, at) { merge_pocket } else { 0 },
                    ..Link::default()
                });
                next_slot += network.storage[at];
            }
            input_in_chunk += inputs.next_multiple_of(8);
        }
        for link in &mut self.links {
            link.input = input_of_link[link.outside.row()];
        }
        self.links.push(Link { ring_start: next_slot, ..Link::default() });
        // Exits came before their links had numbers.
        for exit in self.chunks.iter_mut().flat_map(|chunk| &mut chunk.exits) {
            exit.link = self.number[exit.link as usize];
            exit.head = self.links[exit.link as usize].ring_start;
        }
    }

    /// Number of links.
    pub(crate) fn len(&self) -> u32 {
        self.links.len() as u32 - 1
    }
    /// Whether the link that is this input leads to the node with this first input.
    #[inline]
    pub(crate) fn meets(&self, input: u32, upstream: u32) -> bool {
        input & !7 == upstream || self.node_of(input) == self.node_of(upstream)
    }
    pub(crate) fn ring(&self, number: u32) -> Ring<'_> {
        ring_of(&self.links, number)
    }
    /// Chunk and row there of the node that a link comes from.
    pub(crate) fn upstream_node(&self, number: u32) -> (usize, usize) {
        self.node_of(self.links[number as usize].upstream)
    }
    /// Chunk of an input, and row there of its node.
    fn node_of(&self, input: u32) -> (usize, usize) {
        let chunk = (input / CHUNK_INPUTS) as usize;
        (chunk, self.chunks[chunk].byte_node[(input % CHUNK_INPUTS) as usize / 8] as usize)
    }
    /// The rows of the node that an input belongs to.
    pub(crate) fn node_rows(&self, input: u32) -> NodeRows {
        let (chunk, node) = self.node_of(input);
        self.chunks[chunk].nodes[node]
    }
    pub(crate) fn entry_place(&self, number: u32) -> (usize, usize) {
        let chunk = (self.links[number as usize].upstream / CHUNK_INPUTS) as usize;
        (chunk, (number - self.chunks[chunk].first_link) as usize)
    }
    pub(crate) fn exit_place(&self, number: u32) -> (usize, usize) {
        let input = self.links[number as usize].input;
        let (chunk, _) = self.node_of(input);
        let rows = self.node_rows(input);
        (chunk, (rows.first_exit + input - rows.first_input) as usize)
    }
    /// The upstream half of a link.
    pub(crate) fn entry(&self, number: u32) -> &Entry {
        let (chunk, row) = self.entry_place(number);
        &self.chunks[chunk].entries[row]
    }
    /// The downstream half of a link.
    pub(crate) fn exit(&self, number: u32) -> &Exit {
        let (chunk, row) = self.exit_place(number);
        &self.chunks[chunk].exits[row]
    }
    /// Vehicles on a link, head first: slot, vehicle and arrival at the exit.
    pub(crate) fn occupants(&self, number: u32) -> impl Iterator<Item = (u32, u32, Time)> + '_ {
        self.ring(number)
            .slots_from(self.exit(number).head)
            .map(|slot| (slot, self.slots.content(slot)))
            .take_while(|(_, content)| *content != Content::Nobody)
            .filter_map(|(slot, content)| match content {
                Content::Vehicle { vehicle, arrival } => Some((slot, vehicle, arrival)),
                Content::Part | Content::Nobody => None,
            })
    }
    /// Shortest time after which one side of a link can matter to the other.
    pub(crate) fn lookahead(&self) -> Time {
        let links = &self.links[..self.len() as usize];
        links.iter().map(|link| link.free_time.min(link.lag)).min().unwrap_or(NEVER)
    }
}

/// A link by number, with its slots.
#[inline]
pub(crate) fn ring_of(links: &[Link], number: u32) -> Ring<'_> {
    let pair = &links[number as usize..][..2];
    Ring { link: &pair[0], end: pair[1].ring_start }
}

/// Whether a link is entered from two or more directions (a turn back is none).
fn merges(network: &CarNetwork, into: &Csr<u32>, link: usize) -> bool {
    let (from, to) = (network.from[link], network.to[link]);
    into.row(from as usize).iter().filter(|&&other| network.from[other as usize] != to).nth(1).is_some()
}

/// Which of some links are part of a circle, as bits; the 33rd and later ones count as not.
fn circle_bits(network: &CarNetwork, links: &[u32]) -> u32 {
    let flags = links.iter().take(32).enumerate();
    flags.fold(0, |bits, (nth, &link)| bits | u32::from(network.in_circle[link as usize]) << nth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::{Grid, LinkKind, random_network};
    use std::mem::size_of;

    /// Bytes of all that is kept per link: without slots of queues, and what nodes and chunks have. Names every
    /// field, so that a new one is counted or the test does not build.
    fn bytes_per_link(network: &CarNetwork) -> f64 {
        let Layout { chunks, slots: _, links, number, has_far: _ } = &Layout::new(network, 4).expect("numbers suffice");
        let of_chunk = |chunk: &Chunk| {
            let Chunk {
                exits,
                entries,
                terms,
                // Of nodes, and of the chunk.
                nodes: _,
                byte_node: _,
                index: _,
                first_link: _,
                looks: _,
                admitted: _,
                released: _,
                // Lists of a window.
                entered: _,
                ended: _,
                crossings: _,
                calls: _,
                candidates: _,
                ahead: _,
            } = chunk;
            size_of_val(&exits[..]) + size_of_val(&entries[..]) + size_of::<Terms>() * terms.len()
        };
        let bytes = chunks.iter().map(of_chunk).sum::<usize>() + size_of_val(&links[..]) + size_of_val(&number[..]);
        bytes as f64 / network.links() as f64
    }

    #[test]
    fn a_link_takes_at_most_a_hundred_bytes() {
        let grid = Grid::new(30, LinkKind::STREET).expect("a valid kind");
        let bytes = bytes_per_link(&grid.network);
        assert!(bytes <= 92.5, "{bytes}");
        // Where no two links have the same capacity, each costs its terms once more for every chunk it joins.
        let bytes = bytes_per_link(&random_network(2000, 3000, 1).expect("enough nodes"));
        assert!(bytes <= 92.0 + 2.0 * size_of::<Terms>() as f64, "{bytes}");
    }

    #[test]
    fn hilbert_curve_is_a_walk_to_neighbours() {
        let mut cells: Vec<(u64, u32, u32)> =
            (0..64).flat_map(|x| (0..64).map(move |y| (hilbert(x, y), x, y))).collect();
        cells.sort_unstable();
        assert!(
            cells.windows(2).all(|w| w[1].0 == w[0].0 + 1 && w[0].1.abs_diff(w[1].1) + w[0].2.abs_diff(w[1].2) == 1)
        );
    }
}
