#![allow(clippy::print_stdout, clippy::print_stderr)] // a program talks

//! Writes the synthetic grid of the benches and its trips with fixed routes as files: what Urbis and its
//! peers are compared on.
//!
//! Streets of 500 m, 15 m/s, 1,800 vehicles an hour, one lane; trips between random nodes by staircases,
//! departing evenly. `DIR/network` is GMNS in metres and metres a second, `DIR/trips.csv` and
//! `DIR/trips.parquet` are the same trips. Ids are whole numbers from 1. Contract: a pure function of the
//! arguments.

use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use urbis_core::Result;
use urbis_interop::write_gmns::{self, GmnsOptions};
use urbis_interop::{RoadNetwork, TripIds, Trips, write_trips};
use urbis_traffic::NetworkColumns;
use urbis_traffic::synthetic::{FixedTrip, Grid, LinkKind};
use urbis_traffic::time::to_seconds;

/// Streets of the grid.
const STREET: LinkKind = LinkKind::STREET;

/// Write a grid and trips with fixed routes.
#[derive(Debug, Parser)]
struct Arguments {
    /// Nodes along a side
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(2..=2000))]
    size: u32,
    /// Vehicles
    #[arg(long, default_value_t = 60_000)]
    vehicles: u32,
    /// Seconds over which they depart
    #[arg(long, default_value_t = 5850.0, value_parser = seconds)]
    within: f64,
    /// Seed of origins, destinations and turns
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder that is written to
    #[arg(long)]
    out: PathBuf,
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    let within: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    let latest = urbis_interop::trips::LATEST_DEPART_S;
    if (0.0..=latest).contains(&within) { Ok(within) } else { Err(format!("expected 0 to {latest}")) }
}

fn road_network(grid: &Grid) -> RoadNetwork {
    let links = grid.network.from.len();
    RoadNetwork {
        columns: NetworkColumns {
            x_m: grid.network.x_m.clone(),
            y_m: grid.network.y_m.clone(),
            from: grid.network.from.clone(),
            to: grid.network.to.clone(),
            length_m: vec![STREET.length_m; links],
            speed_mps_free: vec![STREET.speed_mps_free; links],
            capacity_vps: vec![STREET.capacity_vps; links],
            jam_density_vpm: vec![STREET.jam_density_vpm; links],
            ..NetworkColumns::default()
        },
        node_id: (1..=grid.nodes()).map(|id| id.to_string()).collect(),
        link_id: (1..=links).map(|id| id.to_string()).collect(),
        lanes: vec![1.0; links],
        ..RoadNetwork::default()
    }
}

fn table(grid: &Grid, trips: &[FixedTrip]) -> Trips {
    let mut table = Trips { trip_id: TripIds::Number((1..=trips.len() as i64).collect()), ..Trips::default() };
    for trip in trips {
        // A staircase has a link at least: origin and destination differ.
        let (Some(first), Some(last)) = (trip.route.first(), trip.route.last()) else { continue };
        table.depart_s.push(to_seconds(trip.depart));
        table.from_node.push(grid.network.from[first.row()]);
        table.to_node.push(grid.network.to[last.row()]);
        table.route_links.extend_from_slice(&trip.route);
        table.route_ends.push(table.route_links.len() as u32);
    }
    table
}

fn write(arguments: &Arguments) -> Result<String> {
    let grid = Grid::new(arguments.size, STREET)?;
    let network = road_network(&grid);
    let trips = table(&grid, &grid.staircase_trips(arguments.vehicles, arguments.within, arguments.seed));
    let at = |name: &str| Path::new(&arguments.out).join(name);
    std::fs::create_dir_all(&arguments.out).map_err(|source| urbis_core::Error::write(&arguments.out, source))?;
    write_gmns::write(&at("network"), &network, &GmnsOptions::default())?;
    write_trips::csv(&at("trips.csv"), &network, &trips)?;
    write_trips::parquet(&at("trips.parquet"), &network, &trips)?;
    Ok(format!(
        "{}: {} nodes, {} links, {} trips over {} links in all",
        arguments.out.display(),
        network.node_id.len(),
        network.link_id.len(),
        trips.len(),
        trips.route_links.len()
    ))
}

fn main() -> ExitCode {
    match write(&Arguments::parse()) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
