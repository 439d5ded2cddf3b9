//! A grid with the names that its file gives to its rows, whatever the kind of file.

use super::grid::Grid;
use super::matpower;
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
    /// Name of each load.
    pub load_id: Vec<String>,
    /// Name of each generator.
    pub generator_id: Vec<String>,
    /// What was left out, merged or assumed.
    pub notes: Vec<String>,
}

/// Endings of files that can be read.
const ENDINGS: &str = "a MATPOWER case (.m)";

/// Reads a case by the ending of its name.
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
            load_id: of_bus.collect(),
            generator_id: number(grid.generators.len()),
            grid,
            notes,
        });
    }
    Err(Problem::file(path, format!("is no file of a grid by its ending, expected {ENDINGS}")).into())
}
