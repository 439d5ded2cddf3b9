//! Profiles of loads and generators: how they go up and down from step to step.
//!
//! Two tables (CSV, also `.csv.gz`). One has a row for each step and a column for each profile, the first column names the
//! step. The other says what follows which: `element` (`load` or `generator`), `id` (as the case names it, or `*`
//! for all that no other row names), `profile`, and optionally `factor`. Active and reactive power of a step are those of the
//! case times profile times factor; what follows nothing stays as it is.

use flate2::read::MultiGzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Error, Problem, Problems, Result};
use urbis_utility::power::PowerFlow;
use urbis_utility::power::case::Case;

/// A load or generator that follows a profile.
struct Follower {
    row: u32,
    profile: usize,
    factor: f64,
    p_w: f64,
    q_var: f64,
}

/// Profiles and what follows them.
pub(crate) struct Profiles {
    time: Vec<String>,
    /// By profile, a value for each step.
    columns: Vec<Vec<f64>>,
    loads: Vec<Follower>,
    generators: Vec<Follower>,
}

impl Profiles {
    /// Reads both tables.
    ///
    /// # Errors
    /// Files that cannot be read; values that are no numbers; profiles and elements that do not exist or come twice.
    pub(crate) fn read(profiles: &Path, follows: &Path, case: &Case) -> Result<Self> {
        let mut problems = Problems::new();
        let (time, names, columns) = values(profiles, &mut problems)?;
        let mut this = Self { time, columns, loads: Vec::new(), generators: Vec::new() };
        this.follow(follows, &names, case, &mut problems)?;
        if this.time.is_empty() {
            problems.push(Problem::file(profiles, "has no row, expected one for each step"));
        }
        problems.or_else(this)
    }

    pub(crate) fn steps(&self) -> usize {
        self.time.len()
    }
    pub(crate) fn time(&self, step: usize) -> &str {
        &self.time[step]
    }
    /// Puts a step into a grid.
    pub(crate) fn set(&self, step: usize, flow: &mut PowerFlow) {
        for of in &self.loads {
            let factor = self.columns[of.profile][step] * of.factor;
            flow.set_load(of.row, of.p_w * factor, of.q_var * factor);
        }
        for of in &self.generators {
            let factor = self.columns[of.profile][step] * of.factor;
            flow.set_generator(of.row, of.p_w * factor, of.q_var * factor);
        }
    }

    fn follow(&mut self, path: &Path, names: &[String], case: &Case, problems: &mut Problems) -> Result<()> {
        let mut table = csv::Reader::from_reader(open(path)?);
        let header = table.headers().map_err(|error| bad(path, &error))?.clone();
        let column = |name: &str| header.iter().position(|other| other.trim() == name);
        let columns = ["element", "id", "profile"].map(|name| (name, column(name)));
        for (name, _) in columns.iter().filter(|(_, at)| at.is_none()) {
            problems
                .push(Problem::file(path, format!("has no column `{name}`, expected element, id, profile, factor")));
        }
        let [(_, Some(element)), (_, Some(id)), (_, Some(profile))] = columns else { return Ok(()) };
        let mut rest: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let rows_of = |ids: &'_ [String]| {
            let mut rows: BTreeMap<String, Vec<u32>> = BTreeMap::new();
            ids.iter().enumerate().for_each(|(row, id)| rows.entry(id.clone()).or_default().push(row as u32));
            rows
        };
        let (loads, generators) = (rows_of(&case.load_id), rows_of(&case.generator_id));
        for (at, record) in table.records().enumerate() {
            let record = record.map_err(|error| bad(path, &error))?;
            let field = |column: usize| record.get(column).unwrap_or_default().trim().to_owned();
            let line = at + 2;
            let mut wrong = |what: String, help: Option<&str>| {
                let problem = Problem::file(path, format!("line {line}: {what}"));
                problems.push(match help {
                    Some(near) => problem.with_help(format!("did you mean `{near}`?")),
                    None => problem,
                });
            };
            let Some(number) = names.iter().position(|name| *name == field(profile)) else {
                let near = did_you_mean(&field(profile), names.iter().map(String::as_str));
                wrong(format!("there is no profile `{}`", field(profile)), near);
                continue;
            };
            let text = column("factor").map(field).filter(|text| !text.is_empty());
            let factor = text.as_deref().map_or(Ok(1.0), str::parse::<f64>);
            let Some(factor) = factor.ok().filter(|factor| factor.is_finite()) else {
                wrong(format!("factor is `{}`, expected a number", text.unwrap_or_default()), None);
                continue;
            };
            let (kind, rows) = match field(element).as_str() {
                "load" => ("load", &loads),
                "generator" => ("generator", &generators),
                other => {
                    wrong(format!("element is `{other}`, expected load or generator"), None);
                    continue;
                }
            };
            if !seen.insert((kind, field(id))) {
                wrong(format!("{kind} `{}` comes twice", field(id)), None);
            } else if field(id) == "*" {
                rest.insert(kind, (number, factor));
            } else if let Some(rows) = rows.get(&field(id)) {
                rows.iter().for_each(|&row| self.join(kind, row, (number, factor), case));
            } else {
                let near = did_you_mean(&field(id), rows.keys().map(String::as_str));
                wrong(format!("the case has no {kind} `{}`", field(id)), near);
            }
        }
        for (kind, of) in rest {
            let (count, taken) = match kind {
                "load" => (case.load_id.len(), &self.loads),
                _ => (case.generator_id.len(), &self.generators),
            };
            let taken: BTreeSet<u32> = taken.iter().map(|follower| follower.row).collect();
            (0..count as u32).filter(|row| !taken.contains(row)).for_each(|row| self.join(kind, row, of, case));
        }
        Ok(())
    }

    fn join(&mut self, kind: &str, row: u32, (profile, factor): (usize, f64), case: &Case) {
        let at = row as usize;
        let (followers, p_w, q_var) = match kind {
            "load" => (&mut self.loads, case.grid.loads.p_w[at], case.grid.loads.q_var[at]),
            _ => (&mut self.generators, case.grid.generators.p_w[at], case.grid.generators.q_var[at]),
        };
        followers.push(Follower { row, profile, factor, p_w, q_var });
    }
}

/// Names of steps and profiles, and the values by profile.
#[allow(clippy::type_complexity)] // three columns of one table
fn values(path: &Path, problems: &mut Problems) -> Result<(Vec<String>, Vec<String>, Vec<Vec<f64>>)> {
    let mut table = csv::Reader::from_reader(open(path)?);
    let header = table.headers().map_err(|error| bad(path, &error))?.clone();
    let names: Vec<String> = header.iter().skip(1).map(|name| name.trim().to_owned()).collect();
    if names.is_empty() {
        problems.push(Problem::file(path, "has no column of a profile, expected the first to name steps and others"));
    }
    let (mut time, mut columns) = (Vec::new(), vec![Vec::new(); names.len()]);
    for (at, record) in table.records().enumerate() {
        let record = record.map_err(|error| bad(path, &error))?;
        time.push(record.get(0).unwrap_or_default().to_owned());
        for (profile, column) in columns.iter_mut().enumerate() {
            let text = record.get(profile + 1).unwrap_or_default().trim();
            match text.parse::<f64>().ok().filter(|value| value.is_finite()) {
                Some(value) => column.push(value),
                None => {
                    let what = format!("line {}: profile `{}` is `{text}`, expected a number", at + 2, names[profile]);
                    problems.push(Problem::file(path, what));
                }
            }
        }
    }
    Ok((time, names, columns))
}

fn open(path: &Path) -> Result<Box<dyn Read>> {
    let file = std::fs::File::open(path).map_err(|source| Error::read(path, source))?;
    let is_packed = path.extension().is_some_and(|ending| ending == "gz");
    Ok(if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

fn bad(path: &Path, error: &csv::Error) -> Error {
    Problem::file(path, format!("is no table: {error}")).into()
}
