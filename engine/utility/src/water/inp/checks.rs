//! What only the whole network shows: whether there is water, and whether every node can get it.

use super::reader::Reader;
use crate::water::network::{NodeKind, PumpLift};
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
        self.pump_curves();
        let nodes = &self.network.nodes;
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

    /// Pumps need curves whose heads fall as flow grows.
    fn pump_curves(&mut self) {
        let (pumps, links) = (&self.network.pumps, &self.network.links);
        for (link, lift) in pumps.link.iter().zip(&pumps.lift) {
            let PumpLift::Curve(row) = lift else { continue };
            let Some(curve) = self.network.curves.get(*row as usize) else { continue };
            let expected = match curve.points[..] {
                [[flow, head]] if flow <= 0.0 || head <= 0.0 => "a flow and a head > 0",
                _ if curve.points.windows(2).any(|pair| pair[1][1] >= pair[0][1]) => "heads that fall as flow grows",
                _ if curve.points.first().is_some_and(|point| point[0] < 0.0 || point[1] <= 0.0) => {
                    "a first point of a flow >= 0 and a head > 0"
                }
                _ => continue,
            };
            let id = &links.id[*link as usize];
            let what = format!("(id {id}) HEAD = {}, expected a curve with {expected}", curve.id);
            self.problems.push(Problem::file(self.path, what));
        }
    }
}
