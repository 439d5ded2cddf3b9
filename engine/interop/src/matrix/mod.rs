//! Demand matrices: OMX, CSV (long or wide), Parquet (long) and TNTP trips, and the trips they stand for.
//!
//! A matrix is kept as its cells above zero, sorted by origin and destination. Cells that occur twice are added up and
//! counted; cells that are negative or no number are errors, each with its place.
//! Contract: a pure function of the file; sums run in the order of the cells.

mod omx;
mod table;
mod trips;

pub use omx::{OmxOptions, read_omx};
pub use table::{read_csv, read_parquet};
pub use trips::{DemandTrips, Profile, ZoneNodes};

use crate::names::Names;
use crate::tntp;
use std::path::Path;
use urbis_core::{Problem, Result};

/// Trips between zones. All columns but `zones` have one row for each pair with trips.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    /// Outside id of each zone.
    pub zones: Vec<String>,
    /// Row of the zone where trips start.
    pub origin: Vec<u32>,
    /// Row of the zone where trips end.
    pub destination: Vec<u32>,
    /// Number of trips, > 0.
    pub trips: Vec<f64>,
    /// What was assumed or added up, in sentences for people.
    pub notes: Vec<String>,
}

/// Reads a matrix by the end of its name: `.omx`, `.parquet`, `.csv`, `.csv.gz` or `.tntp`.
///
/// # Errors
/// As the reader of the format; [`urbis_core::Error::Input`] for other names.
pub fn read(path: &Path, omx: &OmxOptions) -> Result<Demand> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if name.ends_with(".omx") || name.ends_with(".h5") || name.ends_with(".hdf5") {
        read_omx(path, omx)
    } else if name.ends_with(".parquet") {
        read_parquet(path)
    } else if name.ends_with(".csv") || name.ends_with(".csv.gz") {
        read_csv(path)
    } else if name.ends_with(".tntp") {
        read_tntp(path)
    } else {
        Err(Problem::file(path, "is no demand matrix: expected .omx, .parquet, .csv, .csv.gz or .tntp").into())
    }
}

/// Reads the trips of a TNTP file; zones are named by their number.
///
/// # Errors
/// As [`tntp::read_trips`].
pub fn read_tntp(path: &Path) -> Result<Demand> {
    let trips = tntp::read_trips(path)?;
    let mut zones = Names::default();
    let mut zone = |number: &u32| zones.insert(&number.to_string());
    let cells: Vec<(u32, u32, f64)> = (trips.from.iter().zip(&trips.to).zip(&trips.flow))
        .map(|((from, to), &flow)| (zone(from), zone(to), flow))
        .collect();
    let mut demand = Demand::from_cells(zones, cells);
    demand.notes.splice(0..0, trips.notes);
    Ok(demand)
}

impl Demand {
    /// All trips.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.trips.iter().sum()
    }

    /// A matrix from cells in any order; those of zero trips are left out.
    fn from_cells(zones: Names, mut cells: Vec<(u32, u32, f64)>) -> Self {
        // Equal pairs keep the order of the file, so that they add up to the same bits.
        cells.sort_by_key(|cell| (cell.0, cell.1));
        let mut demand = Self { zones: zones.into_list(), ..Self::default() };
        let mut doubled = 0_u64;
        for (origin, destination, trips) in cells {
            let same = demand.origin.last() == Some(&origin) && demand.destination.last() == Some(&destination);
            match demand.trips.last_mut() {
                Some(last) if same => {
                    *last += trips;
                    doubled += 1;
                }
                _ if trips > 0.0 => {
                    demand.origin.push(origin);
                    demand.destination.push(destination);
                    demand.trips.push(trips);
                }
                _ => {}
            }
        }
        if doubled > 0 {
            demand.notes.push(format!("{doubled} cells occur more than once and were added up"));
        }
        demand
    }
}
