//! A grid with the names that its file gives to its rows, whatever the kind of file.

use super::elements::{GridRow, NamedGrid, TapRange, TapRegulator};
use super::grid::Grid;
use super::{grid_tables, matpower, pandapower, pgm};
use crate::reading::json;
use std::path::Path;
use urbis_core::{Problem, Result};

/// A grid as a file tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// Name: that of the file without its ending.
    pub name: String,
    /// The grid.
    pub grid: Grid,
    /// Name of each branch.
    pub branch_id: Vec<String>,
    /// Place of each bus where the file has one, x and y as it has them; only folders of tables are asked.
    pub bus_place: Vec<Option<[f64; 2]>>,
    /// WKT of each branch, of the same reference system; empty where the file has none.
    pub branch_wkt: Vec<String>,
    /// Name of each load.
    pub load_id: Vec<String>,
    /// Name of each generator.
    pub generator_id: Vec<String>,
    /// Taps that may be changed.
    pub tap_ranges: Vec<TapRange>,
    /// Tap changers that control a voltage.
    pub tap_regulators: Vec<TapRegulator>,
    /// What was left out, merged or assumed.
    pub notes: Vec<String>,
}

/// Endings of files that can be read.
const ENDINGS: &str = "a MATPOWER case (.m), a grid of pandapower or power-grid-model (.json, .json.gz), or a folder of tables (.csv, .parquet)";

/// Reads a case by the ending of its name; a folder is one of tables.
///
/// # Errors
/// A file that cannot be read or is none of these kinds, and everything that is wrong in it.
pub fn read(path: &Path) -> Result<Case> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default().to_owned();
    if name.to_lowercase().ends_with(".m") {
        let matpower::Case { grid, notes } = matpower::read(path)?;
        let number = |rows: usize| (1..=rows).map(|row| row.to_string()).collect::<Vec<_>>();
        let of_bus = grid.loads.bus.iter().map(|&bus| grid.buses.id[bus as usize].clone());
        return Ok(Case {
            name: stem,
            branch_id: number(grid.branches.len()),
            bus_place: vec![None; grid.buses.len()],
            branch_wkt: vec![String::new(); grid.branches.len()],
            load_id: of_bus.collect(),
            generator_id: number(grid.generators.len()),
            grid,
            notes,
            ..Case::default()
        });
    }
    if [".json", ".json.gz"].iter().any(|ending| name.to_lowercase().ends_with(ending)) {
        let text = json::text_of(path)?;
        // Both are objects in JSON; one says what it is.
        let net = match text.contains("\"pandapowerNet\"") {
            true => pandapower::parse(path, &text)?,
            false => pgm::parse(path, &text, pgm::FREQUENCY_HZ)?,
        };
        return Ok(of_elements(stem, net));
    }
    if path.is_dir() {
        let grid_tables::GridTables { named, bus_place, branch_wkt } = grid_tables::read(path, pgm::FREQUENCY_HZ)?;
        return Ok(Case { bus_place, branch_wkt, ..of_elements(stem, named) });
    }
    Err(Problem::file(path, format!("is no file of a grid by its ending, expected {ENDINGS}")).into())
}

/// Names rows by the elements that they are of: `line 3`; of an element with several rows, all bear its name. Loads and
/// generators are named alike.
fn of_elements(name: String, net: NamedGrid) -> Case {
    let NamedGrid { grid, elements, tap_ranges, tap_regulators, notes } = net;
    let unnamed = |rows: usize| vec![String::new(); rows];
    let mut this = Case {
        name,
        branch_id: unnamed(grid.branches.len()),
        bus_place: vec![None; grid.buses.len()],
        branch_wkt: unnamed(grid.branches.len()),
        load_id: unnamed(grid.loads.len()),
        generator_id: unnamed(grid.generators.len()),
        grid,
        tap_ranges,
        tap_regulators,
        notes,
    };
    for element in &elements {
        for row in &element.rows {
            let id = match *row {
                GridRow::Branch(row) => &mut this.branch_id[row as usize],
                GridRow::Load(row) => &mut this.load_id[row as usize],
                GridRow::Generator(row) => &mut this.generator_id[row as usize],
                GridRow::Bus(_) | GridRow::Shunt(_) => continue,
            };
            // A switch at a line has the branch of its line, which was named first.
            if id.is_empty() {
                *id = format!("{} {}", element.table, element.id);
            }
        }
    }
    this
}
