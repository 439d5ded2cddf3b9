//! What only the whole network shows: whether there is water, and whether every node can get it.

use super::reader::Reader;
use crate::water::network::NodeKind;
use urbis_core::Problem;

impl Reader<'_> {
    /// Problems of the whole, and notes on what is odd.
    pub(super) fn checks(&mut self) {
        let nodes = &self.network.nodes;
        if nodes.id.is_empty() {
            self.problems.push(Problem::file(self.path, "no node, expected [JUNCTIONS] and [RESERVOIRS] or [TANKS]"));
            return;
        }
        if nodes.kind.iter().all(|kind| *kind == NodeKind::Junction) {
            self.problems.push(Problem::file(self.path, "no reservoir or tank, expected at least one"));
        }
        let mut has_link = vec![false; nodes.id.len()];
        let links = &self.network.links;
        for end in links.from.iter().chain(&links.to) {
            has_link[*end as usize] = true;
        }
        for (id, _) in nodes.id.iter().zip(has_link).filter(|(_, has)| !has) {
            self.notes.push(format!("node {id} has no link"));
        }
        for rule in &self.network.rules {
            if rule.premises.is_empty() || rule.then.is_empty() {
                self.notes.push(format!("rule {} is without IF or THEN", rule.id));
            }
        }
    }
}
