//! Which nodes have a pressure: those joined to a held one by open links across which pressure is handed on. A link of
//! given flow (a consumer of heat, a flow control) hands on none; a regulator does.
//!
//! Contract: a pure function of the tables.

use super::network::{LinkKind, Network};

/// Which nodes have a pressure and from where it is handed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supply {
    /// Whether a node has a pressure. Shape: nodes.
    pub is_supplied: Vec<bool>,
    /// Whether a link is open and both its ends have a pressure. Shape: links.
    pub is_live: Vec<bool>,
    /// Supplied nodes, each after one that it is joined to, with the link that joins them; links of held nodes are
    /// `u32::MAX`.
    pub order: Vec<(u32, u32)>,
}

impl Supply {
    /// Follows the open links of a network from its held pressures.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let (nodes, links) = (&network.nodes, &network.links);
        let hands_on = |link: usize| !matches!(links.kind[link], LinkKind::Flow(_)) && network.is_open(link);
        let mut start = vec![0_usize; nodes.len() + 1];
        for link in (0..links.len()).filter(|&link| hands_on(link)) {
            start[links.from[link] as usize + 1] += 1;
            start[links.to[link] as usize + 1] += 1;
        }
        (0..nodes.len()).for_each(|node| start[node + 1] += start[node]);
        let mut next = start.clone();
        let mut at = vec![0_u32; start[nodes.len()]];
        for link in (0..links.len()).filter(|&link| hands_on(link)) {
            for node in [links.from[link] as usize, links.to[link] as usize] {
                at[next[node]] = link as u32;
                next[node] += 1;
            }
        }
        let mut is_supplied = vec![false; nodes.len()];
        let mut order: Vec<(u32, u32)> = Vec::with_capacity(nodes.len());
        for (node, _) in network.held_pressures() {
            is_supplied[node as usize] = true;
            order.push((node, u32::MAX));
        }
        let mut done = 0;
        while done < order.len() {
            let node = order[done].0;
            for &link in &at[start[node as usize]..start[node as usize + 1]] {
                let other = links.from[link as usize] ^ links.to[link as usize] ^ node;
                if !is_supplied[other as usize] {
                    is_supplied[other as usize] = true;
                    order.push((other, link));
                }
            }
            done += 1;
        }
        let is_live = (0..links.len())
            .map(|link| {
                let ends = [links.from[link], links.to[link]];
                network.is_open(link) && ends.iter().all(|&node| is_supplied[node as usize])
            })
            .collect();
        Self { is_supplied, is_live, order }
    }
}
