//! Lines of a file: which section each is in, its words, and values checked where they are read.

use super::super::network::NONE;
use super::super::units::FlowUnits;
pub(super) use super::sections::Kind;
use super::sections::section_kind;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::{Problem, Problems};

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Row<'t> {
    pub(super) kind: Kind,
    /// Section as written.
    pub(super) section: &'t str,
    /// From 1.
    pub(super) line: usize,
    pub(super) words: Vec<&'t str>,
}

impl<'t> Row<'t> {
    pub(super) fn word(&self, at: usize) -> Option<&'t str> {
        self.words.get(at).copied()
    }
    pub(super) fn id(&self) -> &'t str {
        self.word(0).unwrap_or("")
    }
    /// A word in capitals; empty where it is not there.
    pub(super) fn keyword(&self, at: usize) -> String {
        self.word(at).unwrap_or("").to_ascii_uppercase()
    }
}

/// Rows of elements by name in capitals.
pub(super) type Names = BTreeMap<String, u32>;

/// Where problems, notes and names go.
pub(super) struct Reader<'a> {
    pub(super) path: &'a Path,
    pub(super) problems: Problems,
    pub(super) notes: Vec<String>,
    pub(super) units: FlowUnits,
    pub(super) is_metric: bool,
    pub(super) nodes: Names,
    pub(super) links: Names,
    pub(super) gages: Names,
    pub(super) subcatchments: Names,
    pub(super) series: Names,
    pub(super) curves: Names,
    pub(super) patterns: Names,
    /// Lines of nodes and links.
    pub(super) node_line: Vec<usize>,
    pub(super) link_line: Vec<usize>,
    /// Whether offsets are elevations.
    pub(super) is_by_elevation: bool,
    /// Method of soils that do not name one, in capitals.
    pub(super) infiltration: String,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &'a Path) -> Self {
        Self {
            path,
            problems: Problems::new(),
            notes: Vec::new(),
            units: FlowUnits::Cfs,
            is_metric: false,
            nodes: Names::new(),
            links: Names::new(),
            gages: Names::new(),
            subcatchments: Names::new(),
            series: Names::new(),
            curves: Names::new(),
            patterns: Names::new(),
            node_line: Vec::new(),
            link_line: Vec::new(),
            is_by_elevation: false,
            infiltration: String::new(),
        }
    }
    pub(super) fn problem_at(&mut self, line: usize, what: impl std::fmt::Display) {
        let place = format!("{} line {line}", self.path.display());
        self.problems.push(Problem::file(Path::new(&place), what));
    }
    /// A problem with a line.
    pub(super) fn problem(&mut self, row: &Row<'_>, what: impl std::fmt::Display) {
        let what = format!("[{}] {}: {what}", row.section.to_ascii_uppercase(), row.id());
        self.problem_at(row.line, what);
    }
    /// A problem with a value.
    pub(super) fn value(&mut self, row: &Row<'_>, at: usize, field: &str, expected: impl std::fmt::Display) {
        let value = row.word(at).unwrap_or("nothing");
        self.problem(row, format_args!("{field} = {value}, expected {expected}"));
    }

    /// Lines with words, each in its section; sections that are not read are noted or are problems.
    pub(super) fn rows<'t>(&mut self, text: &'t str) -> Vec<Row<'t>> {
        let mut rows = Vec::new();
        let (mut kind, mut section) = (Kind::Unknown, "");
        let mut left_out: BTreeMap<&'t str, usize> = BTreeMap::new();
        for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let number = at + 1;
            let trimmed = line.trim();
            if let Some(name) = trimmed.strip_prefix('[') {
                section = name.split(']').next().unwrap_or("").trim();
                kind = section_kind(section);
                if kind == Kind::Unknown {
                    self.problem_at(number, format_args!("section [{section}] is not known, expected one of SWMM's"));
                }
                continue;
            }
            let words = words(trimmed);
            if words.is_empty() {
                continue;
            }
            match kind {
                Kind::Still => *left_out.entry(section).or_insert(0) += 1,
                Kind::Unknown if section.is_empty() => {
                    self.problem_at(number, "a line before any section, expected a section such as [OPTIONS]");
                    kind = Kind::Still;
                }
                Kind::Unknown => {}
                Kind::Moving => {
                    let what = format!("section [{section}] is not understood and would change flows, expected none");
                    self.problem_at(number, what);
                    kind = Kind::Still;
                }
                _ => rows.push(Row { kind, section, line: number, words }),
            }
        }
        for (section, lines) in left_out {
            if !section.eq_ignore_ascii_case("TITLE") {
                self.notes.push(format!("[{section}]: {lines} lines do not move water and were left out"));
            }
        }
        rows
    }

    /// Gives rows to names before they are referred to.
    pub(super) fn name_all(&mut self, rows: &[Row<'_>]) {
        for row in rows {
            let (names, lines, what) = match row.kind {
                Kind::Junctions | Kind::Outfalls | Kind::Storage | Kind::Dividers => {
                    (&mut self.nodes, Some(&mut self.node_line), "a node")
                }
                Kind::Conduits | Kind::Pumps | Kind::Orifices | Kind::Weirs | Kind::Outlets => {
                    (&mut self.links, Some(&mut self.link_line), "a link")
                }
                Kind::RainGages => (&mut self.gages, None, "a gage"),
                Kind::Subcatchments => (&mut self.subcatchments, None, "a subcatchment"),
                Kind::TimeSeries => (&mut self.series, None, ""),
                Kind::Curves => (&mut self.curves, None, ""),
                Kind::Patterns => (&mut self.patterns, None, ""),
                _ => continue,
            };
            let next = names.len() as u32;
            let key = row.id().to_ascii_uppercase();
            if names.contains_key(&key) {
                if !what.is_empty() {
                    self.problem(row, format_args!("is there twice, expected the name of {what} once"));
                }
                continue;
            }
            names.insert(key, next);
            if let Some(lines) = lines {
                lines.push(row.line);
            }
        }
    }
    /// Whether a row is the first with its name, so that it fills the row it was given.
    pub(super) fn is_first(names: &Names, row: &Row<'_>, filled: usize) -> bool {
        names.get(&row.id().to_ascii_uppercase()).is_some_and(|&at| at as usize == filled)
    }
    /// The row of a name; [`NONE`] with a problem where there is none.
    pub(super) fn find(&mut self, row: &Row<'_>, at: usize, field: &str, of: fn(&Self) -> &Names) -> u32 {
        let key = row.keyword(at);
        match of(self).get(&key) {
            Some(&found) => found,
            None => {
                let known: Vec<String> = of(self).keys().cloned().collect();
                let near = urbis_core::diagnostics::did_you_mean(&key, known.iter().map(String::as_str));
                let near = near.map(|name| format!(" such as {name}")).unwrap_or_default();
                self.value(row, at, field, format_args!("a name that the file has{near}"));
                NONE
            }
        }
    }

    /// A finite number that is there and passes; NaN with a problem otherwise.
    pub(super) fn number_where(
        &mut self,
        row: &Row<'_>,
        at: usize,
        field: &str,
        expected: &str,
        accept: impl Fn(f64) -> bool,
    ) -> f64 {
        match row.word(at).and_then(number) {
            Some(number) if accept(number) => number,
            _ => {
                self.value(row, at, field, expected);
                f64::NAN
            }
        }
    }
    /// A number that is there.
    pub(super) fn number(&mut self, row: &Row<'_>, at: usize, field: &str) -> f64 {
        self.number_where(row, at, field, "a number", |_| true)
    }
    /// A number of at least 0 that is there.
    pub(super) fn at_least_0(&mut self, row: &Row<'_>, at: usize, field: &str) -> f64 {
        self.number_where(row, at, field, "a number of at least 0", |number| number >= 0.0)
    }
    /// A number above 0 that is there.
    pub(super) fn above_0(&mut self, row: &Row<'_>, at: usize, field: &str) -> f64 {
        self.number_where(row, at, field, "a number above 0", |number| number > 0.0)
    }
    /// A number of at least 0, with a value for where it is not there.
    pub(super) fn at_least_0_or(&mut self, row: &Row<'_>, at: usize, field: &str, default: f64) -> f64 {
        if is_given(row, at) { self.at_least_0(row, at, field) } else { default }
    }
    /// `YES` or `NO`; no where it is not there.
    pub(super) fn flag(&mut self, row: &Row<'_>, at: usize, field: &str, default: bool) -> bool {
        match row.keyword(at).as_str() {
            "" | "*" => default,
            "YES" => true,
            "NO" => false,
            _ => {
                self.value(row, at, field, "YES or NO");
                default
            }
        }
    }
    /// Factor from the file's length to m.
    pub(super) fn m(&self) -> f64 {
        self.units.length_m()
    }
}

/// Whether a word is there and says something.
pub(super) fn is_given(row: &Row<'_>, at: usize) -> bool {
    row.word(at).is_some_and(|word| !word.is_empty() && word != "*")
}

/// A finite number of moderate size.
pub(super) fn number(word: &str) -> Option<f64> {
    word.parse::<f64>().ok().filter(|number| number.is_finite() && number.abs() < 1e15)
}

/// Words of a line up to a comment; a quoted word may be empty or have blanks.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line.split(';').next().unwrap_or("").trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(|letter: char| letter.is_whitespace()).unwrap_or((rest, "")),
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_be_quoted() {
        assert_eq!(words("J1  FLOW \"\" \"a b\" 1.0 ;end"), ["J1", "FLOW", "", "a b", "1.0"]);
        assert_eq!(words("; nothing"), Vec::<&str>::new());
    }
}
