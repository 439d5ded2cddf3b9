//! Patterns and curves: `[PATTERNS]`, `[CURVES]`.

use super::reader::{RawCurve, Reader};
use super::text::{self, Line};
use crate::water::network::{Curve, Pattern};

impl<'a> Reader<'a> {
    /// Multipliers, on as many lines as there are.
    pub(super) fn pattern_line(&mut self, line: &Line<'a>) {
        if line.len() < 2 {
            return self.short(line, "an id and multipliers");
        }
        let id = line.word(0);
        let patterns = &mut self.network.patterns;
        let row = *self.patterns.entry(id).or_insert_with(|| {
            patterns.push(Pattern { id: id.to_owned(), multipliers: Vec::new() });
            patterns.len() as u32 - 1
        });
        for at in 1..line.len() {
            // A multiplier that is none keeps its place, for the problem to be the only one.
            let multiplier = self.number(line, at, "multiplier").unwrap_or(1.0);
            if let Some(pattern) = self.network.patterns.get_mut(row as usize) {
                pattern.multipliers.push(multiplier);
            }
        }
    }

    /// A point; its units are known when the curve is used.
    pub(super) fn curve_line(&mut self, line: &Line<'a>) {
        if line.len() < 3 {
            return self.short(line, "an id, x and y");
        }
        let (Some(x), Some(y)) = (self.number(line, 1, "x"), self.number(line, 2, "y")) else { return };
        let id = line.word(0);
        if !self.raw_curves.contains_key(id) {
            self.curve_order.push(id);
        }
        let of_line = || RawCurve { line: line.number, points: Vec::new() };
        self.raw_curves.entry(id).or_insert_with(of_line).points.push([x, y]);
    }

    /// Curves that nothing uses, as they are written.
    pub(super) fn unused_curves(&mut self) {
        let unused: Vec<&str> = self.curve_order.iter().copied().filter(|id| !self.is_used(id)).collect();
        for id in unused {
            self.notes.push(format!("curve {id} is not used; its points are in the units of the file"));
            let points = self.raw_curves.get(id).map(|raw| raw.points.clone()).unwrap_or_default();
            self.network.curves.push(Curve { id: id.to_owned(), points });
        }
    }

    /// The pattern of demands without one: `OPTIONS PATTERN`, else `1`, where there is such a pattern.
    pub(super) fn default_pattern(&mut self, named: Option<(usize, &str)>) {
        let row = self.patterns.get(named.map_or("1", |(_, id)| id)).copied();
        if let (None, Some((line, id))) = (row, named)
            && text::number(id) != Some(1.0)
        {
            self.notes.push(format!("line {line}: there is no pattern {id}; demands without a pattern are constant"));
        }
        self.default_pattern = row.unwrap_or(crate::water::network::NONE);
    }
}
