//! Networks in the text form of EPANET 2.2 (`.inp`, also compressed by gzip).
//!
//! Everything that bears on flows, heads and quality is read into [`Network`] in SI; values, units and defaults mean what
//! they mean to EPANET 2.2 (Rossman et al. 2020, Users Manual, appendix C), down to its factors of conversion. Sections may
//! stand in any order. What differs: `ACCURACY` below 1e-5 is taken as it is; rows keep the order of the file.
//!
//! What is wrong is a problem with line, id, field, value and expectation, and all of them are collected. What is known but
//! of no bearing, and what is not known, is named in the notes.
//!
//! [`write()`] is the way back.
//!
//! Contract: pure functions of the text, sequential; never panics; time grows with the text's length (times its valves).

mod checks;
mod controls;
mod energy;
mod links;
mod nodes;
mod options;
mod reader;
mod rules;
mod substances;
mod tables;
mod text;
mod times;
mod units;
mod write;

pub use units::FlowUnit;
pub use write::text as write;

use super::network::{NONE, Network};
use crate::reading::json;
use options::RawOptions;
use reader::Reader;
use std::collections::BTreeMap;
use std::path::Path;
use text::{Header, Line, Section};
use units::{PressureUnit, Units};
use urbis_core::{Problems, Result};

/// A network with what is known of its file.
#[derive(Clone, Debug)]
pub struct InpFile {
    /// The network, in SI.
    pub network: Network,
    /// What was left out, added or taken in a way that a user may not expect.
    pub notes: Vec<String>,
    /// Unit of flow in the file.
    pub flow_unit: FlowUnit,
}

/// Reads a file. Bytes that are not UTF-8 are taken for Latin-1.
///
/// # Errors
/// [`urbis_core::Error::Read`] when it cannot be read; [`urbis_core::Error::Input`] with all problems found.
pub fn read(path: &Path) -> Result<InpFile> {
    let bytes = json::bytes_of(path)?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(other) => other.into_bytes().iter().map(|byte| char::from(*byte)).collect(),
    };
    parse(path, &text)
}

/// Reads a text; `path` is what messages name.
///
/// # Errors
/// [`urbis_core::Error::Input`] with all problems found.
pub fn parse(path: &Path, text: &str) -> Result<InpFile> {
    let (lines, headers) = text::lines(text);
    let mut raw = RawOptions::default();
    let mut reader = Reader {
        path,
        problems: Problems::new(),
        notes: Vec::new(),
        network: Network { times: Reader::no_times(), ..Network::default() },
        units: Units::new(FlowUnit::default(), PressureUnit::default(), 1.0, 1e-3),
        nodes: BTreeMap::new(),
        links: BTreeMap::new(),
        patterns: BTreeMap::new(),
        raw_curves: BTreeMap::new(),
        curve_order: Vec::new(),
        curves: BTreeMap::new(),
        default_pattern: NONE,
        tank_of: Vec::new(),
        demand_of: Vec::new(),
        pump_of: Vec::new(),
    };
    reader.headers(&headers);
    reader.sections(&lines, &mut raw);
    reader.checks();
    let Reader { problems, notes, network, .. } = reader;
    problems.or_else(InpFile { network, notes, flow_unit: raw.flow })
}

impl<'a> Reader<'a> {
    /// Sections in the order in which they need one another; within each, lines in order.
    fn sections(&mut self, lines: &[Line<'a>], raw: &mut RawOptions<'a>) {
        let of = |sections: &'static [Section]| lines.iter().filter(|line| sections.contains(&line.section));
        of(&[Section::Title]).for_each(|line| self.network.title.push(line.whole.to_owned()));
        of(&[Section::Options]).for_each(|line| self.option_line(line, raw));
        of(&[Section::Times]).for_each(|line| self.time_line(line));
        self.finish_options(raw);
        self.finish_times();
        of(&[Section::Patterns]).for_each(|line| self.pattern_line(line));
        of(&[Section::Curves]).for_each(|line| self.curve_line(line));
        self.default_pattern(raw.default_pattern);
        for line in of(&[Section::Junctions, Section::Reservoirs, Section::Tanks]) {
            match line.section {
                Section::Junctions => self.junction_line(line),
                _ => self.tank_line(line),
            }
        }
        for line in of(&[Section::Pipes, Section::Pumps, Section::Valves]) {
            match line.section {
                Section::Pipes => self.pipe_line(line),
                Section::Pumps => self.pump_line(line),
                _ => self.valve_line(line),
            }
        }
        let mut is_replaced = vec![false; self.nodes.len()];
        of(&[Section::Demands]).for_each(|line| self.demand_line(line, &mut is_replaced));
        of(&[Section::Emitters]).for_each(|line| self.emitter_line(line));
        of(&[Section::Status]).for_each(|line| self.status_line(line));
        of(&[Section::Energy]).for_each(|line| self.energy_line(line));
        of(&[Section::Controls]).for_each(|line| self.control_line(line));
        let (mut clause, mut disabled) = (rules::Clause::default(), Vec::new());
        of(&[Section::Rules]).for_each(|line| self.rule_line(line, &mut clause, &mut disabled));
        let mut row = 0;
        self.network.rules.retain(|_| {
            row += 1;
            !disabled.contains(&(row - 1))
        });
        self.finish_quality(raw);
        of(&[Section::Quality]).for_each(|line| self.quality_line(line));
        of(&[Section::Sources]).for_each(|line| self.source_line(line));
        of(&[Section::Reactions]).for_each(|line| self.reaction_line(line));
        self.finish_reactions();
        of(&[Section::Mixing]).for_each(|line| self.mixing_line(line));
        of(&[Section::Coordinates]).for_each(|line| self.coordinate_line(line));
        of(&[Section::Vertices]).for_each(|line| self.vertex_line(line));
        self.unused_curves();
    }

    /// Names what will not be read.
    fn headers(&mut self, headers: &[Header<'_>]) {
        for header in headers {
            let Header { number, name, section, lines } = *header;
            match section {
                Section::Unknown if name.is_empty() => {
                    self.problem_at(number, "words before the first section, expected a section such as [TITLE]");
                }
                Section::Unknown => {
                    self.notes.push(format!("line {number}: section {name} is not known; {lines} lines are not read"));
                }
                Section::Unused if lines > 0 => {
                    self.notes
                        .push(format!("line {number}: section {name} is of no bearing; {lines} lines are not read"));
                }
                _ => {}
            }
        }
    }
}
