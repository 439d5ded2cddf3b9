//! Which electric load, gas sink and consumer of heat are one house: a table (CSV) with a row for each load.
//!
//! A sink or consumer that several loads share is dark where all of them are; one that no row names never is. What a sink or
//! consumer lacks is divided evenly among the loads that share it.

use super::gas::GasPart;
use super::heat::HeatPart;
use super::power::PowerPart;
use super::settings::LinkTable;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Error, Problem, Problems, Result};

/// Rows of loads and of what hangs on them, in order of the table.
#[derive(Clone, Debug, Default)]
pub struct Houses {
    /// Load and gas sink.
    pub gas: Vec<(u32, u32)>,
    /// Load and consumer of heat.
    pub heat: Vec<(u32, u32)>,
}

/// Rows by id.
type Ids = BTreeMap<String, u32>;

fn cell(record: &csv::StringRecord, column: usize) -> &str {
    record.get(column).unwrap_or_default().trim()
}

/// A row by its id, with or without the name of its table.
fn row_of(ids: &Ids, table: &str, id: &str) -> Option<u32> {
    ids.get(id).or_else(|| ids.get(&format!("{table} {id}"))).copied()
}

impl Houses {
    /// Reads a table.
    ///
    /// # Errors
    /// A file that cannot be read, columns that it lacks, ids that no network has.
    pub fn read(
        of: &LinkTable,
        power: Option<&PowerPart>,
        gas: Option<&GasPart>,
        heat: Option<&HeatPart>,
    ) -> Result<Self> {
        let path = of.file.as_path();
        let Some(power) = power else { return Ok(Self::default()) };
        let mut loads = Ids::new();
        for (row, id) in power.case.load_id.iter().enumerate() {
            loads.entry(id.clone()).or_insert(row as u32);
        }
        let sinks: Option<Ids> = gas.map(|gas| {
            let of = gas.base().draws.iter().enumerate().filter(|(_, draw)| draw.table == "sink");
            of.map(|(row, draw)| (draw.id.clone(), row as u32)).collect()
        });
        let consumers: Option<Ids> = heat.map(|heat| {
            let of = heat.base().consumers.iter().enumerate();
            of.map(|(row, consumer)| (consumer.id.clone(), row as u32)).collect()
        });
        let bad = |error: &csv::Error| Error::from(Problem::file(path, format!("is no table: {error}")));
        let file = std::fs::File::open(path).map_err(|source| Error::read(path, source))?;
        let mut table = csv::Reader::from_reader(file);
        let header: Vec<String> =
            table.headers().map_err(|error| bad(&error))?.iter().map(|name| name.trim().to_owned()).collect();
        let mut problems = Problems::new();
        let mut column = |name: &str| {
            let at = header.iter().position(|of| of == name);
            if at.is_none() {
                let problem = Problem::file(path, format!("has no column `{name}`"));
                let near = did_you_mean(name, header.iter().map(String::as_str));
                problems.push(match near {
                    Some(near) => problem.with_help(format!("did you mean `{near}`?")),
                    None => problem.with_help(format!("columns are {}", header.join(", "))),
                });
            }
            at
        };
        let load_at = column(&of.load);
        let gas_at = sinks.as_ref().and_then(|_| column(&of.gas));
        let heat_at = consumers.as_ref().and_then(|_| column(&of.heat));
        problems.or_else(())?;
        let (mut this, mut problems) = (Self::default(), Problems::new());
        for (number, record) in table.records().enumerate() {
            let record = record.map_err(|error| bad(&error))?;
            let mut find = |ids: &Ids, table: &str, name: &str, at: usize, is_asked: bool| {
                let id = cell(&record, at);
                if !is_asked && (id.is_empty() || id == "-1") {
                    return None;
                }
                let row = row_of(ids, table, id);
                if row.is_none() {
                    problems.push(Problem::value(path, number + 1, None, name, id, format!("the id of a {table}")));
                }
                row
            };
            let Some(load) = load_at.and_then(|at| find(&loads, "load", &of.load, at, true)) else { continue };
            if let (Some(ids), Some(at)) = (&sinks, gas_at)
                && let Some(sink) = find(ids, "sink", &of.gas, at, false)
            {
                this.gas.push((load, sink));
            }
            if let (Some(ids), Some(at)) = (&consumers, heat_at)
                && let Some(consumer) = find(ids, "heat_consumer", &of.heat, at, false)
            {
                this.heat.push((load, consumer));
            }
        }
        problems.or_else(this)
    }
}

/// Marks rows all of whose loads are dark. Shape of `is_dark`: rows.
pub(crate) fn darken(pairs: &[(u32, u32)], is_lit: &[bool], is_dark: &mut [bool]) {
    is_dark.fill(false);
    pairs.iter().for_each(|&(_, row)| is_dark[row as usize] = true);
    pairs.iter().filter(|(load, _)| is_lit[*load as usize]).for_each(|&(_, row)| is_dark[row as usize] = false);
}

/// How many loads share each row. Shape: rows.
pub(crate) fn shares(pairs: &[(u32, u32)], rows: usize) -> Vec<f64> {
    let mut count = vec![0.0; rows];
    pairs.iter().for_each(|&(_, row)| count[row as usize] += 1.0);
    count
}

/// Factors of the steps of a run, from a file with columns `time_s` and `multiplier`.
pub(crate) fn read_profile(path: &Path, steps: u32, step_s: u32) -> Result<Vec<f64>> {
    let bad = |what: String| Error::from(Problem::file(path, what));
    let file = std::fs::File::open(path).map_err(|source| Error::read(path, source))?;
    let mut table = csv::Reader::from_reader(file);
    let header = table.headers().map_err(|error| bad(format!("is no table: {error}")))?.clone();
    let column = |name: &str| header.iter().position(|of| of.trim() == name);
    let (Some(time_at), Some(factor_at)) = (column("time_s"), column("multiplier")) else {
        return Err(bad("expected the columns `time_s` and `multiplier`".to_owned()));
    };
    let (mut points, mut problems) = (Vec::<(f64, f64)>::new(), Problems::new());
    for (number, record) in table.records().enumerate() {
        let record = record.map_err(|error| bad(format!("is no table: {error}")))?;
        let last_s = points.last().map_or(-1.0, |point| point.0);
        let time_s = cell(&record, time_at).parse::<f64>().ok();
        let factor = cell(&record, factor_at).parse::<f64>().ok().filter(|factor| (0.0..=1e3).contains(factor));
        if time_s.is_none_or(|time_s| !time_s.is_finite() || time_s <= last_s || (number == 0 && time_s > 0.0)) {
            let (value, expected) = (cell(&record, time_at), "seconds from 0, each after the one before");
            problems.push(Problem::value(path, number + 1, None, "time_s", value, expected));
        }
        if factor.is_none() {
            let value = cell(&record, factor_at);
            problems.push(Problem::value(path, number + 1, None, "multiplier", value, "0 to 1000"));
        }
        if let (Some(time_s), Some(factor)) = (time_s, factor) {
            points.push((time_s, factor));
        }
    }
    if points.is_empty() && problems.is_empty() {
        problems.push(Problem::file(path, "has no row, expected one for time 0 at least"));
    }
    problems.or_else(())?;
    let at = |step: u32| {
        let time_s = f64::from(step) * f64::from(step_s);
        points[points.partition_point(|point| point.0 <= time_s).saturating_sub(1)].1
    };
    Ok((0..steps).map(at).collect())
}
