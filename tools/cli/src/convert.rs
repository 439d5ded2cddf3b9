//! `urbis traffic convert` and `urbis traffic demand`: files of other tools as those that a run reads.

use crate::args::UnitArguments;
use crate::screen::say;
use clap::{Args, ValueHint};
use std::path::{Path, PathBuf};
use urbis_core::{Problem, Result};
use urbis_interop::matrix::{self, OmxOptions, Profile, ZoneNodes};
use urbis_interop::write_gmns::GmnsOptions;
use urbis_interop::{RoadNetwork, Trips, read_network, write_gmns, write_trips};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  urbis traffic convert --network town.net.xml --trips town.rou.xml --out out/town-gmns
  urbis traffic convert --network Anaheim_net.tntp --length-unit ft --time-unit min --out out/anaheim-gmns")]
pub(crate) struct ConvertArguments {
    /// Network, as `urbis traffic run` reads it
    #[arg(long, value_name = "NET", value_hint = ValueHint::AnyPath)]
    pub(crate) network: PathBuf,
    /// Trips to convert too: DIR/trips.csv
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) trips: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) units: UnitArguments,
    /// Folder of the GMNS tables; replaced
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Reference system of the coordinates, such as EPSG:32632 [default: not stated]
    #[arg(long, value_name = "EPSG", default_value = "", hide_default_value = true)]
    pub(crate) crs: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Each cell gives its number rounded down or up, right on average over seeds; the total stays.
Zones are nodes of the same name unless --zones says where their trips start and end.

Example:
  urbis traffic demand --network net --matrix demand.omx --name car_am --from 25200 --until 28800 --out trips.parquet")]
pub(crate) struct DemandArguments {
    /// Network, as `urbis traffic run` reads it
    #[arg(long, value_name = "NET", value_hint = ValueHint::AnyPath)]
    pub(crate) network: PathBuf,
    #[command(flatten)]
    pub(crate) units: UnitArguments,
    /// Matrix: OMX, CSV (long or wide), Parquet (long) or TNTP trips
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) matrix: PathBuf,
    /// Name of the matrix in an OMX file that has several
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Name of the lookup with the zones in an OMX file that has several
    #[arg(long, value_name = "NAME")]
    pub(crate) lookup: Option<String>,
    /// Table zone, node[, weight] (CSV)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) zones: Option<PathBuf>,
    /// Second from which trips leave, evenly
    #[arg(long, value_name = "S", default_value_t = 0.0)]
    pub(crate) from: f64,
    /// Second until which trips leave
    #[arg(long, value_name = "S", default_value_t = 3600.0)]
    pub(crate) until: f64,
    /// Seed of all random draws
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The table of trips (.csv or .parquet)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
}

/// Writes a network as GMNS, and trips as CSV.
pub(crate) fn convert(arguments: &ConvertArguments) -> Result<()> {
    let read = read_network::read(&arguments.network, &arguments.units.options())?;
    let trips = arguments.trips.as_ref().map(|path| read_network::read_trips(path, &read)).transpose()?;
    for warning in &read.warnings {
        say(&format!("warning: {}: {}", warning.kind.replace('_', " "), warning.count));
    }
    let notes = write_gmns::write(&arguments.out, &read.network, &GmnsOptions { crs: arguments.crs.clone() })?;
    let plans = read.sumo.as_ref().map_or(0, |sumo| sumo.signals.len());
    if plans > 0 {
        say(&format!("warning: {plans} signal programs are not written; `--signals` can make plans for their nodes"));
    }
    let counts = (read.network.node_id.len(), read.network.link_id.len());
    let mut notes: Vec<String> = read.network.notes.iter().cloned().chain(notes).collect();
    if let Some(mut file) = trips {
        for problem in file.faults.problems().listed() {
            say(&format!("warning: {problem}"));
        }
        notes.append(&mut file.notes);
        write(&arguments.out.join("trips.csv"), &read.network, &file.trips)?;
    }
    for note in notes {
        say(&format!("note: {note}"));
    }
    say(&format!("{} nodes and {} links in {}", counts.0, counts.1, arguments.out.display()));
    Ok(())
}

/// Writes the trips that a matrix stands for.
pub(crate) fn demand(arguments: &DemandArguments) -> Result<()> {
    let network = read_network::read(&arguments.network, &arguments.units.options())?.network;
    let omx = OmxOptions { matrix: arguments.name.clone(), lookup: arguments.lookup.clone() };
    let demand = matrix::read(&arguments.matrix, &omx)?;
    for note in &demand.notes {
        say(&format!("note: {note}"));
    }
    let nodes = match &arguments.zones {
        Some(table) => ZoneNodes::read(table, &demand, &network)?,
        None => ZoneNodes::by_name(&demand, &network)?,
    };
    let made = demand.into_trips(&nodes, &Profile::even(arguments.from, arguments.until)?, arguments.seed)?;
    if made.within_node > 0 {
        say(&format!("note: {} trips start and end at the same node and were left out", made.within_node));
    }
    write(&arguments.out, &network, &made.trips)?;
    say(&format!("{} trips of {:.1} in {}", made.trips.len(), made.total, arguments.out.display()));
    Ok(())
}

fn write(path: &Path, network: &RoadNetwork, trips: &Trips) -> Result<()> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => write_trips::csv(path, network, trips),
        Some("parquet") => write_trips::parquet(path, network, trips),
        _ => Err(Problem::file(path, "is no name for a table of trips, expected .csv or .parquet").into()),
    }
}
