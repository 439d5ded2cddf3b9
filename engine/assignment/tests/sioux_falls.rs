//! Sioux Falls as UXsim has it: reactive drivers against its total travel time, and our own equilibrium.
//! The inputs are not part of the repository: without them the tests say so and pass.

#![expect(clippy::print_stderr, reason = "a test that skips says so, and figures are shown on request")]

use std::path::PathBuf;
use urbis_assignment::dynamic::{InstantaneousOptimum, Options, Trip, equilibrate, instantaneous_optimum};
use urbis_traffic::{CarNetwork, NetworkColumns};

fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("URBIS_SHARED").map_or_else(|| PathBuf::from("../../../shared"), PathBuf::from);
    let folder = shared.join("reference/traffic/siouxfalls_dynamic");
    if !folder.is_dir() {
        eprintln!("skipped: there is no {}; set URBIS_SHARED to the folder of the references", folder.display());
        return None;
    }
    Some(folder)
}

/// Rows of a file as numbers, its header left out.
fn rows(folder: &std::path::Path, name: &str, skip: usize) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let row = |line: &str| line.split(',').skip(skip).map(|field| field.trim().parse().unwrap()).collect();
    text.lines().skip(1).filter(|line| !line.trim().is_empty()).map(row).collect()
}

fn network(folder: &std::path::Path) -> CarNetwork {
    let nodes = rows(folder, "siouxfalls_nodes.csv", 1);
    let mut columns = NetworkColumns {
        x_m: nodes.iter().map(|node| node[0] * 80_000.0).collect(),
        y_m: nodes.iter().map(|node| node[1] * 111_000.0).collect(),
        ..NetworkColumns::default()
    };
    for link in rows(folder, "siouxfalls_links.csv", 1) {
        let (speed, jam) = (link[3], link[4]);
        columns.from.push(link[0] as u32 - 1);
        columns.to.push(link[1] as u32 - 1);
        columns.length_m.push(link[2]);
        columns.speed_mps_free.push(speed);
        // A reaction time of 1 s.
        columns.capacity_vps.push(speed * jam / (speed * jam + 1.0));
        columns.jam_density_vpm.push(jam);
        columns.priority.push(link[5]);
    }
    CarNetwork::from_columns(columns).unwrap()
}

/// Platoons of five, each when the demand of its origin and destination has summed up to it in steps of 5 s.
fn trips(folder: &std::path::Path) -> Vec<Trip> {
    let (mut trips, platoon) = (Vec::new(), 5.0);
    for row in rows(folder, "siouxfalls_demand.csv", 0) {
        let mut waiting = 0.0;
        for step in (row[2] / platoon) as u32..(row[3] / platoon) as u32 {
            waiting += row[4] * platoon;
            while waiting >= platoon {
                let depart_s = f64::from(step) * platoon;
                let trip = Trip { depart_s, from: row[0] as u32 - 1, to: row[1] as u32 - 1, wish_s: None };
                trips.extend([trip; 5]);
                waiting -= platoon;
            }
        }
    }
    trips
}

/// UXsim's figure counts who has arrived by 7,200 s, from departure to arrival.
const UXSIM_TOTAL_S: f64 = 58.05e6;

fn total_s(trips: &[Trip], arrive_s: &[f64], until_s: f64) -> (usize, f64) {
    let arrived = trips.iter().zip(arrive_s).filter(|(_, at_s)| **at_s <= until_s);
    arrived.fold((0, 0.0), |(count, sum), (trip, at_s)| (count + 1, sum + at_s - trip.depart_s))
}

#[test]
fn reactive_drivers_take_as_long_as_in_uxsim() {
    let Some(folder) = folder() else { return };
    let (network, trips) = (network(&folder), trips(&folder));
    assert_eq!(trips.len(), 34_690);
    for seed in 1..=3 {
        let options = InstantaneousOptimum { seed, ..InstantaneousOptimum::default() };
        let result = instantaneous_optimum(&network, &trips, &options).unwrap();
        let (arrived, total) = total_s(&trips, &result.arrive_s, 7200.0);
        let all = total_s(&trips, &result.arrive_s, f64::INFINITY);
        eprintln!("seed {seed}: {arrived} by 7,200 s in {total:.0} s; all: {all:?}, end {}", result.end_s);
        assert!(result.unconnected.is_empty());
        assert!((total / UXSIM_TOTAL_S - 1.0).abs() < 0.1, "{total}");
    }
}

#[test]
fn the_equilibrium_is_near_and_better() {
    let Some(folder) = folder() else { return };
    let (network, trips) = (network(&folder), trips(&folder));
    let options = Options { days_max: 60, gap: 0.002, ..Options::default() };
    let outcome = equilibrate(&network, &trips, &options, &mut |day| {
        eprintln!("day {}: gap {:.5}, total {:.0} s", day.day, day.relative_gap, day.total_travel_time_s);
        true
    })
    .unwrap();
    let first = outcome.days[0];
    let last = outcome.days[outcome.days.len() - 1];
    assert_eq!(last.arrived, 34_690);
    assert!(last.relative_gap < 0.005 && last.relative_gap < 0.1 * first.relative_gap, "{last:?}");
    // Foresight is worth something, but not much, in a network that is congested everywhere.
    let reactive = instantaneous_optimum(&network, &trips, &InstantaneousOptimum::default()).unwrap();
    let (_, reactive_s) = total_s(&trips, &reactive.arrive_s, f64::INFINITY);
    let ratio = last.total_travel_time_s / reactive_s;
    assert!((0.8..1.0).contains(&ratio), "{ratio}");
}
