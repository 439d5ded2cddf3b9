//! Cases of MATPOWER (`.m`, format 2): the matrices `bus`, `gen` and `branch` and `baseMVA` of a `function`, with
//! comments, continued lines and several statements to a line. Fields that power flow does not need (costs, names) are
//! left out with a note. Cases of distribution grids convert their units by code after the matrices; the forms in
//! use are understood (`formulas`), any other code that changes a matrix is a problem.
//!
//! | MATPOWER | here |
//! | --- | --- |
//! | bus type 1, 2, 3, 4 | PQ, PV, slack, out of service |
//! | `Pd`, `Qd` | a load of constant power where not zero |
//! | `Gs`, `Bs` | a shunt where not zero |
//! | `Vg` of the last running generator of a bus | voltage held or stated |
//! | `Va` of a slack bus, `Vm` and `Va` of others | its angle, a guess |
//! | `b` | half at each end |
//! | `ratio` 0 | 1 |
//! | `r` = `x` = 0 | ends are one bus, with a note |
//!
//! Source: R. D. Zimmerman and C. E. Murillo-Sanchez, MATPOWER User's Manual, appendix B. Ignored: areas, costs, limits
//! but ratings and reactive power. Contract: a pure function of the text; never panics.

mod formulas;
mod lex;

use super::grid::{Branch, Bus, BusKind, Generator, Grid, Load, Shunt};
use lex::Word;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::{Error, Problem, Problems, Result};

/// A case as read.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The grid. Rows of branches and generators are those of the file, buses too.
    pub grid: Grid,
    /// What was left out, merged or assumed.
    pub notes: Vec<String>,
}

/// A matrix of the file.
#[derive(Debug, Default)]
struct Matrix {
    /// Line of each row.
    line: Vec<u32>,
    values: Vec<f64>,
    columns: usize,
}

impl Matrix {
    fn rows(&self) -> impl Iterator<Item = (usize, u32, &[f64])> {
        self.line.iter().enumerate().map(|(row, &line)| (row, line, &self.values[row * self.columns..][..self.columns]))
    }
}

/// Columns that each matrix needs: their names in order.
const BUS: [&str; 13] = ["bus_i", "type", "Pd", "Qd", "Gs", "Bs", "area", "Vm", "Va", "baseKV", "zone", "Vmax", "Vmin"];
const GEN: [&str; 8] = ["bus", "Pg", "Qg", "Qmax", "Qmin", "Vg", "mBase", "status"];
const BRANCH: [&str; 11] = ["fbus", "tbus", "r", "x", "b", "rateA", "rateB", "rateC", "ratio", "angle", "status"];

/// Reads a file.
///
/// # Errors
/// [`Error::Read`] when it cannot be read; [`Error::Input`] with every problem found, each with its line.
pub fn read(path: &Path) -> Result<Case> {
    let bytes = std::fs::read(path).map_err(|source| Error::read(path, source))?;
    parse(path, &String::from_utf8_lossy(&bytes))
}

/// Reads a text; `path` is what messages name.
///
/// # Errors
/// [`Error::Input`] with every problem found.
pub fn parse(path: &Path, text: &str) -> Result<Case> {
    let mut reader = Reader { path, problems: Problems::new(), notes: Vec::new() };
    let mut file = File::default();
    reader.statements(&lex::words(text), &mut file);
    reader.required(&file);
    let Reader { problems, .. } = &mut reader;
    std::mem::take(problems).or_else(())?;
    let grid = reader.grid(&file);
    reader.problems.or_else(Case { grid, notes: reader.notes })
}

/// What the file says.
#[derive(Debug, Default)]
struct File {
    base_mva: Option<f64>,
    bus: Option<Matrix>,
    generator: Option<Matrix>,
    branch: Option<Matrix>,
    /// Numbers with a name that formulas may refer to.
    scalars: BTreeMap<String, f64>,
}

impl File {
    fn matrix_mut(&mut self, name: &str) -> Option<&mut Option<Matrix>> {
        match name {
            "bus" => Some(&mut self.bus),
            "gen" => Some(&mut self.generator),
            "branch" => Some(&mut self.branch),
            _ => None,
        }
    }
}

struct Reader<'a> {
    path: &'a Path,
    problems: Problems,
    notes: Vec<String>,
}

type Words<'a> = [(Word<'a>, u32)];

impl Reader<'_> {
    fn problem(&mut self, line: u32, what: impl std::fmt::Display) {
        let place = format!("{} line {line}", self.path.display());
        self.problems.push(Problem::file(Path::new(&place), what));
    }
    fn value(&mut self, line: u32, place: &str, field: &str, value: f64, expected: &str) {
        self.problem(line, format_args!("{place}: {field} = {value}, expected {expected}"));
    }

    /// Statements one after the other.
    fn statements(&mut self, words: &Words<'_>, file: &mut File) {
        let mut at = 0;
        while at < words.len() {
            let (end, line) = (statement_end(words, at), words[at].1);
            let statement = &words[at..end];
            at = end + 1;
            match statement {
                [] => {}
                [(Word::Name("function"), _), ..] => {}
                [(Word::Name(name), _), (Word::Sign('='), _), value @ ..] => {
                    self.assignment(name, line, value, file);
                }
                _ => self.code(statement, file),
            }
        }
    }
    fn assignment(&mut self, name: &str, line: u32, value: &Words<'_>, file: &mut File) {
        let field = name.split_once('.').map(|(_, field)| field);
        match (field, value) {
            (Some("baseMVA"), value) => match formulas::scalar(value, file) {
                Some(base) if base.is_finite() && base > 0.0 => file.base_mva = Some(base),
                Some(base) => self.value(line, name, "baseMVA", base, "> 0"),
                None => self.problem(line, "mpc.baseMVA is computed, expected a number"),
            },
            (Some("version"), [(Word::Number(version), _)]) if (version - 2.0).abs() > 0.0 => {
                self.value(line, name, "version", *version, "2");
            }
            (Some("version"), _) => {}
            (Some(matrix @ ("bus" | "gen" | "branch")), [(Word::Sign('['), _), ..]) => {
                let needed: &[&str] = match matrix {
                    "bus" => &BUS,
                    "gen" => &GEN,
                    _ => &BRANCH,
                };
                let read = self.matrix(name, needed, value);
                if let Some(place) = file.matrix_mut(matrix)
                    && place.replace(read).is_some()
                {
                    self.problem(line, format_args!("{name} is there twice, expected once"));
                }
            }
            (Some(matrix @ ("bus" | "gen" | "branch")), _) => {
                self.problem(line, format_args!("{name} is computed, expected {matrix} written out"));
            }
            (Some(_), _) => self.notes.push(format!("line {line}: {name} is not needed and was left out")),
            (None, _) => match formulas::scalar(value, file) {
                Some(value) => drop(file.scalars.insert(name.to_owned(), value)),
                None => self.notes.push(format!("line {line}: {name} is not needed and was left out")),
            },
        }
    }
    /// Code that is no assignment of a whole name.
    fn code(&mut self, statement: &Words<'_>, file: &mut File) {
        let (first, line) = &statement[0];
        let changes_matrix = matches!(first, Word::Name(name)
            if name.split_once('.').is_some_and(|(_, field)| matches!(field, "bus" | "gen" | "branch")));
        if let Some((Word::Unknown(sign), line)) = statement.iter().find(|(word, _)| matches!(word, Word::Unknown(_))) {
            self.problem(*line, format_args!("{sign:?}, expected MATLAB"));
        } else if changes_matrix && !formulas::scale_columns(statement, file) {
            let what = "changes a matrix by code that is not understood, expected columns times or over a number";
            self.problem(*line, what);
        } else if matches!(first, Word::Number(_) | Word::Text) {
            self.problem(*line, "a value that belongs to nothing, expected `name = value`");
        }
    }
    fn matrix(&mut self, name: &str, needed: &[&str], words: &Words<'_>) -> Matrix {
        let mut matrix = Matrix::default();
        let mut row: Vec<f64> = Vec::new();
        let mut is_closed = false;
        let mut row_line = words[0].1;
        for (word, line) in &words[1..] {
            match word {
                Word::Number(value) => {
                    if row.is_empty() {
                        row_line = *line;
                    }
                    row.push(*value);
                }
                Word::Sign(',') => {}
                Word::Sign(';' | ']') | Word::EndOfLine => {
                    if !row.is_empty() {
                        self.add_row(name, needed, &mut matrix, &row, row_line);
                        row.clear();
                    }
                    if *word == Word::Sign(']') {
                        is_closed = true;
                        break;
                    }
                }
                other => {
                    let shown = match other {
                        Word::Name(name) => (*name).to_owned(),
                        Word::Sign(sign) | Word::Unknown(sign) => sign.to_string(),
                        _ => "text".to_owned(),
                    };
                    self.problem(*line, format_args!("{name}: {shown:?}, expected a number"));
                    row.push(f64::NAN);
                }
            }
        }
        if !is_closed {
            self.problem(words[0].1, format_args!("{name} has no end, expected `]`"));
        }
        matrix
    }
    fn add_row(&mut self, name: &str, needed: &[&str], matrix: &mut Matrix, row: &[f64], line: u32) {
        if matrix.columns == 0 {
            matrix.columns = row.len().max(needed.len());
        }
        if row.len() != matrix.columns {
            let number = matrix.line.len() + 1;
            let expected = if matrix.line.is_empty() { "at least" } else { "as in the first row" };
            let columns = matrix.columns;
            self.problem(
                line,
                format_args!("{name} row {number}: {} values, expected {columns} {expected}", row.len()),
            );
        }
        matrix.line.push(line);
        matrix.values.extend(row.iter().copied().chain(std::iter::repeat(f64::NAN)).take(matrix.columns));
    }
    fn required(&mut self, file: &File) {
        for (name, is_there) in [
            ("mpc.baseMVA", file.base_mva.is_some()),
            ("mpc.bus", file.bus.as_ref().is_some_and(|matrix| !matrix.line.is_empty())),
            ("mpc.gen", file.generator.is_some()),
            ("mpc.branch", file.branch.is_some()),
        ] {
            if !is_there {
                self.problems.push(Problem::file(self.path, format_args!("{name} is missing or empty")));
            }
        }
    }

    fn grid(&mut self, file: &File) -> Grid {
        let base_mva = file.base_mva.unwrap_or(f64::NAN);
        let mut grid = Grid::new(base_mva * 1e6);
        let empty = Matrix::default();
        let rows = self.buses(&mut grid, file.bus.as_ref().unwrap_or(&empty));
        self.generators(&mut grid, file.generator.as_ref().unwrap_or(&empty), &rows);
        self.branches(&mut grid, file.branch.as_ref().unwrap_or(&empty), &rows);
        if self.problems.is_empty() {
            self.note_voltages(&grid);
            let conflicts = super::grid::Topology::new(&grid).conflicting_slacks(&grid);
            for (a, b) in conflicts {
                let (a, b) = (&grid.buses.id[a], &grid.buses.id[b]);
                let what = format!("slack buses {a} and {b} are joined without impedance and state different voltages");
                self.problems.push(Problem::file(self.path, what));
            }
        }
        grid
    }
    /// Fills buses, loads and shunts; returns the row of each bus by number.
    fn buses(&mut self, grid: &mut Grid, matrix: &Matrix) -> BTreeMap<u64, u32> {
        let mut rows: BTreeMap<u64, u32> = BTreeMap::new();
        let (mut has_slack, mut isolated) = (false, 0);
        for (row, line, of) in matrix.rows() {
            let place = format!("mpc.bus row {} (id {})", row + 1, of[0]);
            self.finite(line, &place, of, &BUS, &[2, 3, 4, 5, 8]);
            match bus_number(of[0]) {
                Some(number) => {
                    if let Some(&before) = rows.get(&number) {
                        let expected = format!("an id that row {} does not have already", before + 1);
                        self.value(line, &place, "bus_i", of[0], &expected);
                    } else {
                        rows.insert(number, row as u32);
                    }
                }
                None => self.value(line, &place, "bus_i", of[0], "a whole number > 0"),
            }
            let kind = match bus_number(of[1]) {
                Some(1) => BusKind::Pq,
                Some(2) => BusKind::Pv,
                Some(3) => BusKind::Slack,
                Some(4) => BusKind::Pq,
                _ => {
                    self.value(line, &place, "type", of[1], "1, 2, 3 or 4");
                    BusKind::Pq
                }
            };
            let is_isolated = bus_number(of[1]) == Some(4);
            isolated += usize::from(is_isolated);
            has_slack |= kind == BusKind::Slack;
            if kind == BusKind::Slack && !(of[7].is_finite() && of[7] > 0.0) {
                self.value(line, &place, "Vm", of[7], "> 0");
            }
            let bus = grid.buses.push(Bus {
                id: of[0].to_string(),
                kind,
                base_v: of[9] * 1e3,
                vm_pu: if of[7].is_finite() { of[7] } else { 1.0 },
                va_rad: of[8].to_radians(),
                is_in_service: !is_isolated,
            });
            if of[2].abs() > 0.0 || of[3].abs() > 0.0 {
                let (p_w, q_var) = (of[2] * 1e6, of[3] * 1e6);
                let (current_share, impedance_share) = (0.0, 0.0);
                grid.loads.push(Load { bus, p_w, q_var, current_share, impedance_share, is_in_service: true });
            }
            if of[4].abs() > 0.0 || of[5].abs() > 0.0 {
                grid.shunts.push(Shunt { bus, p_w: of[4] * 1e6, q_var: of[5] * 1e6, is_in_service: true });
            }
        }
        if isolated > 0 {
            self.notes.push(format!("{isolated} isolated buses (type 4) are out of service"));
        }
        if !has_slack {
            self.problems.push(Problem::file(self.path, "mpc.bus: no bus of type 3, expected at least one slack bus"));
        }
        rows
    }
    fn generators(&mut self, grid: &mut Grid, matrix: &Matrix, rows: &BTreeMap<u64, u32>) {
        for (row, line, of) in matrix.rows() {
            let place = format!("mpc.gen row {} (bus {})", row + 1, of[0]);
            let Some(bus) = self.bus_row(line, &place, "bus", of[0], rows) else { continue };
            self.finite(line, &place, of, &GEN, &[1, 2, 7]);
            for limit in [3, 4] {
                if of[limit].is_nan() {
                    self.value(line, &place, GEN[limit], of[limit], "a number or Inf");
                }
            }
            let holds = grid.buses.kind[bus as usize] != BusKind::Pq && of[7] > 0.0;
            if holds && !(of[5].is_finite() && of[5] > 0.0) {
                self.value(line, &place, "Vg", of[5], "> 0");
            }
            grid.generators.push(Generator {
                bus,
                p_w: of[1] * 1e6,
                q_var: of[2] * 1e6,
                vm_set_pu: if of[5].is_finite() && of[5] > 0.0 { of[5] } else { 1.0 },
                q_max_var: of[3] * 1e6,
                q_min_var: of[4] * 1e6,
                is_in_service: of[7] > 0.0,
            });
        }
    }
    fn branches(&mut self, grid: &mut Grid, matrix: &Matrix, rows: &BTreeMap<u64, u32>) {
        for (row, line, of) in matrix.rows() {
            let place = format!("mpc.branch row {} ({} - {})", row + 1, of[0], of[1]);
            let from = self.bus_row(line, &place, "fbus", of[0], rows);
            let to = self.bus_row(line, &place, "tbus", of[1], rows);
            self.finite(line, &place, of, &BRANCH, &[2, 3, 4, 8, 9, 10]);
            let (Some(from), Some(to)) = (from, to) else { continue };
            if of[8] < 0.0 {
                self.value(line, &place, "ratio", of[8], ">= 0");
            }
            let ratio = if of[8] > 0.0 { of[8] } else { 1.0 };
            let series = Branch::series(from, to, of[2], of[3]);
            let branch = Branch {
                b_from_pu: of[4] / 2.0,
                b_to_pu: of[4] / 2.0,
                ratio,
                shift_rad: of[9].to_radians(),
                rating_va: if of[5].is_finite() { of[5] * 1e6 } else { 0.0 },
                is_in_service: of[10] > 0.0,
                ..series
            };
            if branch.is_in_service && branch.has_no_impedance() {
                if (ratio - 1.0).abs() > 1e-12 || of[9].abs() > 0.0 {
                    let what = "r = x = 0 with a transformer's ratio or angle, expected an impedance";
                    self.problem(line, format_args!("{place}: {what}"));
                } else {
                    self.notes.push(format!("line {line}: {place}: no impedance, its ends are one bus"));
                }
            }
            grid.branches.push(branch);
        }
    }
    fn note_voltages(&mut self, grid: &Grid) {
        let mut set: Vec<Option<f64>> = vec![None; grid.buses.len()];
        let of = &grid.generators;
        for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
            let bus = of.bus[row] as usize;
            let before = set[bus].replace(of.vm_set_pu[row]);
            if grid.buses.kind[bus] != BusKind::Pq && before.is_some_and(|vm| (vm - of.vm_set_pu[row]).abs() > 0.0) {
                let id = &grid.buses.id[bus];
                self.notes.push(format!("bus {id}: generators state different voltages, the last counts"));
            }
        }
        for (bus, _) in set.iter().enumerate().filter(|(bus, set)| set.is_none() && grid.buses.is_in_service[*bus]) {
            let id = &grid.buses.id[bus];
            match grid.buses.kind[bus] {
                BusKind::Pq => {}
                BusKind::Pv => {
                    self.notes.push(format!("bus {id}: type 2 without a running generator is taken as type 1"));
                }
                BusKind::Slack => {
                    let vm = grid.buses.vm_pu[bus];
                    self.notes.push(format!("bus {id}: type 3 without a running generator, Vm = {vm} counts"));
                }
            }
        }
    }
    fn bus_row(&mut self, line: u32, place: &str, field: &str, value: f64, rows: &BTreeMap<u64, u32>) -> Option<u32> {
        let row = bus_number(value).and_then(|number| rows.get(&number).copied());
        if row.is_none() {
            self.value(line, place, field, value, "the number of a bus in mpc.bus");
        }
        row
    }
    fn finite(&mut self, line: u32, place: &str, of: &[f64], names: &[&str], columns: &[usize]) {
        for &column in columns {
            if !of[column].is_finite() {
                self.value(line, place, names[column], of[column], "a finite number");
            }
        }
    }
}

/// Where the statement that begins at a word ends: at a semicolon, comma or line's end outside of brackets.
fn statement_end(words: &Words<'_>, begin: usize) -> usize {
    let mut depth = 0_u32;
    for (at, (word, _)) in words.iter().enumerate().skip(begin) {
        match word {
            Word::Sign('[' | '{' | '(') => depth += 1,
            Word::Sign(']' | '}' | ')') => depth = depth.saturating_sub(1),
            Word::Sign(';' | ',') | Word::EndOfLine if depth == 0 => return at,
            _ => {}
        }
    }
    words.len()
}

/// A value as a bus number.
fn bus_number(value: f64) -> Option<u64> {
    ((1.0..=9e15).contains(&value) && value.fract().abs() <= 0.0).then_some(value as u64)
}

#[cfg(test)]
#[path = "matpower_tests.rs"]
mod tests;
