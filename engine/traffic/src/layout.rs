//! How the kernel lays a network out: nodes along a space-filling curve, cut into chunks that fill a
//! summary word of the wheel; the two halves of every link beside the node that owns them.
//!
//! Links are numbered here by their entry (upstream node, then outside order); [`Layout`] translates
//! to [`CarLinkIx`], the engine from there. Results do not depend on this order: within a node inputs follow
//! [`CarLinkIx`], and nodes do not see each other within a tick.

use crate::link::{Content, Entry, Exit, Origin, Slots, UNSIGNALLED};
use crate::network::CarNetwork;
use crate::node::{Candidate, Chunk, NodeRows, tag_step};
use crate::time::{Gate, NEVER, Time};
use crate::vehicles::{END, Heading};
use crate::wheel::CHUNK_INPUTS;
use urbis_core::csr::Csr;
use urbis_core::{CarLinkIx, Problem, Problems, Result};

/// Everything that follows from the network alone.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) slots: Slots,
    /// First slot of each link (by entry number).
    pub(crate) ring_start: Vec<u32>,
    /// First input of the upstream node of each link.
    pub(crate) upstream: Vec<u32>,
    /// [`CarLinkIx`] of each entry number.
    pub(crate) link: Vec<CarLinkIx>,
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
    /// Lays out a network; with the entry number of each [`CarLinkIx`].
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] for a node with more links than a chunk has inputs, or more storage
    /// than slots can be numbered.
    pub(crate) fn new(network: &CarNetwork, pocket: u32) -> Result<(Self, Vec<u32>)> {
        let links = network.links();
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

        let mut layout = Self { slots: Slots::new(slots as usize), ..Self::default() };
        let mut number = vec![0; links];
        layout.place_nodes(network, &order, &into, &out, &mut number);
        for chunk in &mut layout.chunks {
            let most = chunk.nodes.iter().map(|rows| rows.inputs()).max().unwrap_or(0);
            chunk.candidates = vec![Candidate::default(); most as usize].into();
        }
        layout.fill_exits(network, &number);
        layout.fill_pockets(network, &into, pocket);
        Ok((layout, number))
    }

    /// Cuts nodes into chunks and writes entries; exits get their rows.
    fn place_nodes(
        &mut self,
        network: &CarNetwork,
        order: &[u32],
        into: &Csr<u32>,
        out: &Csr<u32>,
        number: &mut [u32],
    ) {
        let mut next_slot = 0;
        let mut input_in_chunk = CHUNK_INPUTS;
        let mut input_of_link = vec![0_u32; network.links()];
        for &node in order {
            let (into, out) = (into.row(node as usize), out.row(node as usize));
            let inputs = (into.len() + out.len()) as u32;
            if input_in_chunk + inputs.next_multiple_of(8) > CHUNK_INPUTS {
                input_in_chunk = 0;
                self.chunks.push(Chunk {
                    index: self.chunks.len(),
                    first_link: self.link.len() as u32,
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
                exits: into.len() as u32,
                first_entry: chunk.entries.len() as u32,
                entries: out.len() as u32,
                first_input,
                circle_exits: circle_bits(network, into),
                circle_entries: circle_bits(network, out),
            });
            for (nth, &link) in into.iter().enumerate() {
                let at = link as usize;
                input_of_link[at] = first_input + nth as u32;
                chunk.exits.push(Exit {
                    gate: Gate::new(network.capacity_vps[at]),
                    spent: 0,
                    head_time: NEVER,
                    heading: Heading::new(END, 0),
                    head: 0,
                    ring_end: 0,
                    free_time: network.free_time[at],
                    lag: network.lag[at],
                    left: 0,
                    tag: 0,
                    tag_step: tag_step(network.priority[at]),
                    link,
                    signal: UNSIGNALLED,
                });
            }
            for &link in out {
                let at = link as usize;
                number[at] = self.link.len() as u32;
                self.link.push(CarLinkIx(link));
                self.ring_start.push(next_slot);
                self.upstream.push(first_input);
                chunk.origins.push(Origin::new(tag_step(network.priority[at])));
                chunk.entries.push(Entry {
                    gate: Gate::new(network.capacity_vps[at]),
                    room_at: 0,
                    next: next_slot,
                    ring_end: next_slot + network.storage[at],
                    free_time: network.free_time[at],
                    lag: network.lag[at],
                    input: link,
                    merge_pocket: 0,
                    owed_quarters: 0,
                });
                next_slot += network.storage[at];
            }
            input_in_chunk += inputs.next_multiple_of(8);
        }
        for entry in self.chunks.iter_mut().flat_map(|chunk| &mut chunk.entries) {
            entry.input = input_of_link[entry.input as usize];
        }
    }

    /// Numbers exits by entry and gives them their rings and the free time of the network.
    fn fill_exits(&mut self, network: &CarNetwork, number: &[u32]) {
        for exit in self.chunks.iter_mut().flat_map(|chunk| &mut chunk.exits) {
            let storage = network.storage[exit.link as usize];
            exit.link = number[exit.link as usize];
            exit.head = self.ring_start[exit.link as usize];
            exit.ring_end = exit.head + storage;
        }
    }

    /// Gives a pocket to links that are entered from two or more directions (a turn back is none).
    fn fill_pockets(&mut self, network: &CarNetwork, into: &Csr<u32>, pocket: u32) {
        let pocket = pocket.min(u32::from(u16::MAX)) as u16;
        for number in 0..self.link.len() as u32 {
            let link = self.link[number as usize];
            let (from, to) = (network.from[link.row()], network.to[link.row()]);
            let directions = into.row(from as usize).iter().filter(|&&other| network.from[other as usize] != to);
            if directions.count() > 1 {
                self.entry_mut(number).merge_pocket = pocket;
            }
        }
    }

    /// Chunk and row there of the node that a link comes from.
    pub(crate) fn upstream_node(&self, number: u32) -> (usize, usize) {
        self.node_of(self.upstream[number as usize])
    }
    /// Chunk of an input, and row there of its node.
    fn node_of(&self, input: u32) -> (usize, usize) {
        let chunk = (input / CHUNK_INPUTS) as usize;
        (chunk, self.chunks[chunk].byte_node[(input % CHUNK_INPUTS) as usize / 8] as usize)
    }
    pub(crate) fn entry_place(&self, number: u32) -> (usize, usize) {
        let chunk = (self.upstream[number as usize] / CHUNK_INPUTS) as usize;
        (chunk, (number - self.chunks[chunk].first_link) as usize)
    }
    pub(crate) fn exit_place(&self, number: u32) -> (usize, usize) {
        let input = self.entry(number).input;
        let (chunk, node) = self.node_of(input);
        let rows = self.chunks[chunk].nodes[node];
        (chunk, (rows.first_exit + input - rows.first_input) as usize)
    }
    /// The upstream half of a link.
    pub(crate) fn entry(&self, number: u32) -> &Entry {
        let (chunk, row) = self.entry_place(number);
        &self.chunks[chunk].entries[row]
    }
    /// The upstream half of a link, to change.
    pub(crate) fn entry_mut(&mut self, number: u32) -> &mut Entry {
        let (chunk, row) = self.entry_place(number);
        &mut self.chunks[chunk].entries[row]
    }
    /// The downstream half of a link.
    pub(crate) fn exit(&self, number: u32) -> &Exit {
        let (chunk, row) = self.exit_place(number);
        &self.chunks[chunk].exits[row]
    }
    /// The downstream half of a link, to change.
    pub(crate) fn exit_mut(&mut self, number: u32) -> &mut Exit {
        let (chunk, row) = self.exit_place(number);
        &mut self.chunks[chunk].exits[row]
    }
    /// The queue in front of a link.
    pub(crate) fn origin(&self, number: u32) -> &Origin {
        let (chunk, row) = self.entry_place(number);
        &self.chunks[chunk].origins[row]
    }
    /// Vehicles on a link, head first: slot, vehicle and arrival at the exit.
    pub(crate) fn occupants(&self, number: u32) -> impl Iterator<Item = (u32, u32, Time)> + '_ {
        let exit = self.exit(number);
        let start = self.ring_start[number as usize];
        let storage = exit.ring_end - start;
        let head = exit.head - start;
        let slots = (0..storage).map(move |nth| start + (head + nth) % storage);
        slots
            .map(|slot| (slot, self.slots.content(slot)))
            .take_while(|(_, content)| *content != Content::Nobody)
            .filter_map(|(slot, content)| match content {
                Content::Vehicle { vehicle, arrival } => Some((slot, vehicle, arrival)),
                Content::Part | Content::Nobody => None,
            })
    }
    /// Shortest time after which one side of a link can matter to the other.
    pub(crate) fn lookahead(&self) -> Time {
        let entries = self.chunks.iter().flat_map(|chunk| &chunk.entries);
        entries.map(|entry| entry.free_time.min(entry.lag)).min().unwrap_or(NEVER)
    }
}

/// Which of some links are part of a circle, as bits; the 33rd and later ones count as not.
fn circle_bits(network: &CarNetwork, links: &[u32]) -> u32 {
    let flags = links.iter().take(32).enumerate();
    flags.fold(0, |bits, (nth, &link)| bits | u32::from(network.in_circle[link as usize]) << nth)
}

#[cfg(test)]
mod tests {
    use super::*;

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
