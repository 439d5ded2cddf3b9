//! What the sections' readers share: the network so far, rows by id, units, problems with their lines.

use super::text::{self, Line};
use super::units::Units;
use crate::water::network::{Curve, NONE, Network};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::{Problem, Problems};

/// What a curve is used for, which says its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CurveUse {
    /// Head or head loss by flow.
    Head,
    /// Percent by flow.
    Efficiency,
    /// Volume by level.
    Volume,
}

/// A curve as the file has it.
#[derive(Clone, Debug, Default)]
pub(super) struct RawCurve {
    pub(super) line: usize,
    pub(super) points: Vec<[f64; 2]>,
}

/// A file half read.
pub(super) struct Reader<'a> {
    pub(super) path: &'a Path,
    pub(super) problems: Problems,
    pub(super) notes: Vec<String>,
    pub(super) network: Network,
    pub(super) units: Units,
    pub(super) nodes: BTreeMap<&'a str, u32>,
    pub(super) links: BTreeMap<&'a str, u32>,
    pub(super) patterns: BTreeMap<&'a str, u32>,
    pub(super) raw_curves: BTreeMap<&'a str, RawCurve>,
    /// Ids of curves in the order of the file.
    pub(super) curve_order: Vec<&'a str>,
    /// Rows of curves by id and use.
    pub(super) curves: BTreeMap<(&'a str, CurveUse), u32>,
    /// Default pattern of demands; [`NONE`] where there is none.
    pub(super) default_pattern: u32,
    /// Row of [`crate::water::network::Tanks`] by node; [`NONE`] of others.
    pub(super) tank_of: Vec<u32>,
    /// First row of [`crate::water::network::Demands`] by node; [`NONE`] of others than junctions.
    pub(super) demand_of: Vec<u32>,
    /// Row of [`crate::water::network::Pumps`] by link; [`NONE`] of others.
    pub(super) pump_of: Vec<u32>,
}

impl<'a> Reader<'a> {
    /// A problem with a line.
    pub(super) fn problem(&mut self, line: &Line<'_>, what: impl std::fmt::Display) {
        self.problem_at(line.number, what);
    }
    pub(super) fn problem_at(&mut self, line: usize, what: impl std::fmt::Display) {
        let place = format!("{} line {line}", self.path.display());
        self.problems.push(Problem::file(Path::new(&place), what));
    }
    /// A problem with a value of an element.
    pub(super) fn value(&mut self, line: &Line<'_>, field: &str, value: impl std::fmt::Display, expected: &str) {
        // Options are called by their names.
        let id = if field == line.word(0) { String::new() } else { format!("(id {}) ", line.word(0)) };
        self.problem(line, format_args!("{id}{field} = {value}, expected {expected}"));
    }
    /// A line that is too short.
    pub(super) fn short(&mut self, line: &Line<'_>, expected: &str) {
        self.problem(line, format_args!("(id {}) {} words, expected {expected}", line.word(0), line.len()));
    }
    /// A number that passes; a problem where there is none.
    pub(super) fn number_where(
        &mut self,
        line: &Line<'_>,
        at: usize,
        field: &str,
        expected: &str,
        accept: impl Fn(f64) -> bool,
    ) -> Option<f64> {
        let number = text::number(line.word(at)).filter(|number| accept(*number));
        if number.is_none() {
            self.value(line, field, line.word(at), expected);
        }
        number
    }
    pub(super) fn number(&mut self, line: &Line<'_>, at: usize, field: &str) -> Option<f64> {
        self.number_where(line, at, field, "a number", |_| true)
    }
    pub(super) fn positive(&mut self, line: &Line<'_>, at: usize, field: &str) -> Option<f64> {
        self.number_where(line, at, field, "a number > 0", |number| number > 0.0)
    }
    pub(super) fn not_negative(&mut self, line: &Line<'_>, at: usize, field: &str) -> Option<f64> {
        self.number_where(line, at, field, "a number >= 0", |number| number >= 0.0)
    }
    /// A number for where the file has none.
    pub(super) fn not_negative_or(&mut self, line: &Line<'_>, at: usize, field: &str, default: f64) -> f64 {
        if at < line.len() { self.not_negative(line, at, field).unwrap_or(default) } else { default }
    }
    pub(super) fn node(&mut self, line: &Line<'_>, at: usize, field: &str) -> Option<u32> {
        let row = self.nodes.get(line.word(at)).copied();
        if row.is_none() {
            self.value(line, field, line.word(at), "the id of a node");
        }
        row
    }
    pub(super) fn link(&mut self, line: &Line<'_>, at: usize, field: &str) -> Option<u32> {
        let row = self.links.get(line.word(at)).copied();
        if row.is_none() {
            self.value(line, field, line.word(at), "the id of a link");
        }
        row
    }
    /// A pattern; [`NONE`] where the file has none there.
    pub(super) fn pattern(&mut self, line: &Line<'_>, at: usize, field: &str) -> u32 {
        let word = line.word(at);
        if word.is_empty() || word == "*" {
            return NONE;
        }
        let row = self.patterns.get(word).copied();
        if row.is_none() {
            self.value(line, field, word, "the id of a pattern");
        }
        row.unwrap_or(NONE)
    }
    /// The row of a curve in the units of its use.
    pub(super) fn curve(&mut self, line: &Line<'_>, at: usize, field: &str, of: CurveUse) -> Option<u32> {
        let Some((&id, raw)) = self.raw_curves.get_key_value(line.word(at)) else {
            self.value(line, field, line.word(at), "the id of a curve");
            return None;
        };
        if let Some(row) = self.curves.get(&(id, of)) {
            return Some(*row);
        }
        let [x, y] = match of {
            CurveUse::Head => [self.units.flow_m3ps, self.units.length_m],
            CurveUse::Efficiency => [self.units.flow_m3ps, 0.01],
            CurveUse::Volume => [self.units.length_m, self.units.volume_m3],
        };
        let points: Vec<[f64; 2]> = raw.points.iter().map(|point| [point[0] * x, point[1] * y]).collect();
        let at_line = raw.line;
        if points.windows(2).any(|pair| pair[1][0] <= pair[0][0]) {
            self.problem_at(
                at_line,
                format_args!("(id {id}) x of the curve's points do not rise, expected each > the last"),
            );
        }
        let row = self.network.curves.len() as u32;
        if self.is_used(id) {
            self.notes.push(format!("curve {id} is used for different things and is there once for each"));
        }
        self.network.curves.push(Curve { id: id.to_owned(), points });
        self.curves.insert((id, of), row);
        Some(row)
    }
    /// Whether something uses a curve.
    pub(super) fn is_used(&self, id: &str) -> bool {
        [CurveUse::Head, CurveUse::Efficiency, CurveUse::Volume].iter().any(|of| self.curves.contains_key(&(id, *of)))
    }
    /// A setting of a link in SI.
    pub(super) fn setting_si(&self, link: u32, setting: f64) -> f64 {
        use crate::water::network::LinkKind::{Fcv, Pbv, Prv, Psv};
        match self.network.links.kind.get(link as usize) {
            Some(Prv | Psv | Pbv) => setting * self.units.pressure_m,
            Some(Fcv) => setting * self.units.flow_m3ps,
            _ => setting,
        }
    }
    /// Rows of ids from one to another, as EPANET has them: by number where both begin with one, else by letters.
    pub(super) fn range(ids: &BTreeMap<&str, u32>, from: &str, to: &str) -> Vec<u32> {
        let (low, high) = (text::leading_number(from), text::leading_number(to));
        let mut rows: Vec<u32> = if low > 0 && high > 0 {
            ids.iter().filter(|(id, _)| (low..=high).contains(&text::leading_number(id))).map(|(_, row)| *row).collect()
        } else {
            ids.iter().filter(|(id, _)| from <= **id && **id <= to).map(|(_, row)| *row).collect()
        };
        rows.sort_unstable();
        rows
    }
}
