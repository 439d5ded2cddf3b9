//! SWMM's input files (`.inp`): sections in brackets, one element a line, `;` before comments, words in any case.
//!
//! | section | read |
//! | --- | --- |
//! | `OPTIONS`, `EVAPORATION` (constant, monthly), `TITLE` | yes |
//! | `RAINGAGES` by series, `SUBCATCHMENTS`, `SUBAREAS`, `INFILTRATION` (all methods) | yes |
//! | `JUNCTIONS`, `OUTFALLS` (free, normal, fixed), `STORAGE` (all shapes), `DIVIDERS` | yes |
//! | `CONDUITS`, `XSECTIONS`, `LOSSES`, `PUMPS`, `ORIFICES`, `WEIRS`, `OUTLETS` | yes |
//! | `INFLOWS`, `DWF` (of flow), `PATTERNS`, `TIMESERIES` (inline), `CURVES`, `CONTROLS` | yes |
//! | `COORDINATES`, `POLYGONS` | places of nodes and subcatchments |
//! | `VERTICES`, `SYMBOLS`, `REPORT`, `TAGS`, `MAP`, pollutants and other things that do not move water | named in notes |
//! | snow, groundwater, low-impact development, inlets, events, interface files | problems, where they would count |
//!
//! Problems name file, line, section, id, field, value and expectation; all are collected. Names are compared without
//! case, as in SWMM. Source: Storm Water Management Model User's Manual Version 5.2, appendix D. Contract: a pure function
//! of the text; never panics.

mod curves;
mod finish;
mod hydrology;
mod inflows;
mod lines;
mod links;
mod nodes;
mod options;
mod rules;
mod sections;

use super::network::{Conduits, DryWeather, Inflows, Links, Method, Nodes, Sewer, Subcatchments};
use lines::{Kind, Reader, Row};
use std::path::Path;
use urbis_core::{Error, Result};

/// Reads a file. `method` takes the place of the file's routing.
///
/// # Errors
/// [`Error::Read`] when it cannot be read; [`Error::Input`] with every problem found, each with its line.
pub fn read(path: &Path, method: Option<Method>) -> Result<Sewer> {
    let bytes = std::fs::read(path).map_err(|source| Error::read(path, source))?;
    parse(path, &String::from_utf8_lossy(&bytes), method)
}

/// Reads a text; `path` is what messages name.
///
/// # Errors
/// [`Error::Input`] with every problem found.
pub fn parse(path: &Path, text: &str, method: Option<Method>) -> Result<Sewer> {
    let mut reader = Reader::new(path);
    let rows = reader.rows(text);
    let options = options::read(&mut reader, &rows, method);
    reader.units = options.units;
    reader.is_metric = options.units.is_metric();
    reader.name_all(&rows);
    let mut sewer = Sewer {
        options,
        gages: Vec::new(),
        subcatchments: Subcatchments::default(),
        nodes: Nodes::default(),
        outfalls: Vec::new(),
        storages: Vec::new(),
        dividers: Vec::new(),
        links: Links::default(),
        conduits: Conduits::default(),
        pumps: Vec::new(),
        orifices: Vec::new(),
        weirs: Vec::new(),
        outlets: Vec::new(),
        inflows: Inflows::default(),
        dry_weather: DryWeather::default(),
        patterns: Vec::new(),
        series: Vec::new(),
        rules: Vec::new(),
        notes: Vec::new(),
    };
    let curves = curves::curves(&mut reader, &rows);
    sewer.series = curves::series(&mut reader, &rows, &sewer.options);
    sewer.patterns = curves::patterns(&mut reader, &rows);
    nodes::read(&mut reader, &rows, &curves, &mut sewer);
    links::read(&mut reader, &rows, &curves, &mut sewer);
    hydrology::read(&mut reader, &rows, &mut sewer);
    inflows::read(&mut reader, &rows, &mut sewer);
    rules::read(&mut reader, &rows, &mut sewer);
    // What follows needs whole tables.
    let Reader { problems, .. } = &mut reader;
    std::mem::take(problems).or_else(())?;
    finish::finish(&mut reader, &mut sewer);
    sewer.notes = std::mem::take(&mut reader.notes);
    reader.problems.or_else(sewer)
}

/// Rows of some sections in the order of the file.
fn rows_of<'r, 't>(rows: &'r [Row<'t>], kinds: &[Kind]) -> Vec<&'r Row<'t>> {
    rows.iter().filter(|row| kinds.contains(&row.kind)).collect()
}
