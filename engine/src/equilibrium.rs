//! Dynamic user equilibrium of a table of trips on a network, without a city: what `urbis traffic
//! equilibrate` does between reading and speaking. The model is [`urbis_assignment::dynamic`].
//!
//! Files in the folder: `trips.parquet` (which is itself a table of trips with routes),
//! `convergence.parquet`, and `summary.json`, which is removed first and written last, so that its
//! presence says that the others are whole.
//! Contract: equal input gives equal tables, byte for byte, on any number of threads.

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use serde_json::{Value as Json, json};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use urbis_assignment::dynamic::{DayReport, Options, Outcome, Start, Trip, equilibrate};
use urbis_assignment::{Demand, Network, Options as AssignOptions, assign};
use urbis_core::files::write_whole;
use urbis_core::{CarLinkIx, Error, Result};
use urbis_interop::{RoadNetwork, TripIds, Trips};
use urbis_traffic::CarNetwork;

/// Its presence says that the other files are whole.
const SUMMARY: &str = "summary.json";

/// What became of the rows of a table of trips.
#[derive(Clone, Debug)]
pub struct TripsOutcome {
    /// The equilibrium of the trips that could be served; columns follow `rows`.
    pub outcome: Outcome,
    /// Row in the table of each of these trips.
    pub rows: Vec<u32>,
    /// Rows that cannot be trips: an unknown node, a departure before 0 or of no value.
    pub rejected: Vec<u32>,
    /// Rows whose given route does not lead from origin to destination; another was found.
    pub bad_routes: Vec<u32>,
    /// What happened to each row: `arrived`, `on_road`, `without_road`, `unconnected` or `rejected`.
    pub status: Vec<&'static str>,
}

impl TripsOutcome {
    /// Figures for programs.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let count = |status: &str| self.status.iter().filter(|&&is| is == status).count();
        let last = self.outcome.days.last();
        json!({
            "vehicles": self.status.len(),
            "arrived": count("arrived") + count("without_road"),
            "on_road": count("on_road"),
            "unconnected": count("unconnected"),
            "rejected": count("rejected"),
            "routes_not_used": self.bad_routes.len(),
            "distinct_routes": self.outcome.table.len(),
            "days": self.outcome.days.len(),
            "converged": self.outcome.converged,
            "relative_gap": last.map(|day| day.relative_gap),
            "total_travel_time_s": last.map(|day| day.total_travel_time_s),
            "mean_cost_s": last.map(|day| day.mean_cost_s),
            "measure_error_s": last.map(|day| day.measure_error_s),
            "crossings": self.outcome.day.crossings,
            "end_s": self.outcome.day.end_s,
        })
    }
}

/// Equilibrates a table of trips. Given routes are where the first day begins, in place of
/// [`Options::start`].
///
/// # Errors
/// [`Error::Input`] when the network or the options are not valid. Rows that cannot be trips are counted
/// instead.
pub fn equilibrate_trips(
    roads: &RoadNetwork,
    trips: &Trips,
    options: &Options,
    progress: &mut dyn FnMut(&DayReport) -> bool,
) -> Result<TripsOutcome> {
    let network = CarNetwork::from_columns(roads.columns.clone())?;
    let nodes = network.nodes() as u32;
    let horizon_s = f64::from(options.day.horizon_s);
    let is_trip = |row: usize| {
        let known = trips.from_node[row] < nodes && trips.to_node[row] < nodes;
        known && (0.0..horizon_s).contains(&trips.depart_s[row])
    };
    let all = 0..trips.depart_s.len() as u32;
    let (rows, rejected): (Vec<u32>, Vec<u32>) = all.partition(|&row| is_trip(row as usize));
    let table: Vec<Trip> = rows
        .iter()
        .map(|&row| {
            let row = row as usize;
            Trip { depart_s: trips.depart_s[row], from: trips.from_node[row], to: trips.to_node[row], wish_s: None }
        })
        .collect();
    let (mut ends, mut links, mut bad_routes) = (Vec::with_capacity(rows.len()), Vec::new(), Vec::new());
    for (&row, trip) in rows.iter().zip(&table) {
        let given = given_route(trips, row as usize);
        if given.is_empty() || leads(&network, given, trip) {
            links.extend_from_slice(given);
        } else {
            bad_routes.push(row);
        }
        ends.push(links.len() as u32);
    }
    let mut options = options.clone();
    if !links.is_empty() {
        options.start = Start::Routes { ends, links };
    }
    let outcome = equilibrate(&network, &table, &options, progress)?;
    let mut status = vec!["rejected"; trips.depart_s.len()];
    for (trip, &row) in rows.iter().enumerate() {
        status[row as usize] = if outcome.day.arrive_s[trip].is_finite() { "arrived" } else { "on_road" };
    }
    for &trip in &outcome.without_road {
        status[rows[trip as usize] as usize] = "without_road";
    }
    for &trip in &outcome.unconnected {
        status[rows[trip as usize] as usize] = "unconnected";
    }
    Ok(TripsOutcome { outcome, rows, rejected, bad_routes, status })
}

/// Travel times of links in a static equilibrium of the same trips, seconds: where days may begin
/// ([`Start::LinkTimes`]). Times follow the function of the Bureau of Public Roads (1964: 0.15, power 4), flows
/// are those of an hour as the departures are spread; turns are free and bans of turns are not known to it.
///
/// # Errors
/// [`Error::Input`] when the network is not valid.
pub fn static_times_s(roads: &RoadNetwork, trips: &Trips) -> Result<Vec<f64>> {
    let columns = &roads.columns;
    let links = columns.from.len();
    let nodes = columns.x_m.len();
    let is_sound = |&row: &usize| {
        let known = (trips.from_node[row] as usize) < nodes && (trips.to_node[row] as usize) < nodes;
        known && trips.depart_s[row].is_finite() && trips.depart_s[row] >= 0.0
    };
    let rows: Vec<usize> = (0..trips.depart_s.len()).filter(is_sound).collect();
    let departures = || rows.iter().map(|&row| trips.depart_s[row]);
    // A minute at least, so that a handful of trips at one moment is no flood.
    let span_s = (departures().fold(0.0, f64::max) - departures().fold(f64::INFINITY, f64::min)).max(60.0);
    let per_hour = 3600.0 / span_s;
    let triples: Vec<(u32, u32, f64)> =
        rows.iter().map(|&row| (trips.from_node[row], trips.to_node[row], per_hour)).collect();
    let network = Network {
        nodes,
        from: columns.from.clone(),
        to: columns.to.clone(),
        t0: (0..links).map(|link| columns.length_m[link] / columns.speed_mps_free[link]).collect(),
        capacity: columns.capacity_vps.iter().map(|vps| vps * 3600.0).collect(),
        b: vec![0.15; links],
        power: vec![4.0; links],
        fixed_cost: Vec::new(),
        first_thru: 0,
    };
    let demand = Demand::from_triples(nodes, &triples)?;
    // The days go on from here, so flows need not be exact.
    let options = AssignOptions { gap: 1e-4, settle: f64::INFINITY, max_iterations: 100 };
    Ok(assign(&network, &demand, &options, &mut |_| ControlFlow::Continue(()))?.cost)
}

fn given_route(trips: &Trips, row: usize) -> &[CarLinkIx] {
    let end = |row: usize| trips.route_ends.get(row).map_or(0, |&end| end as usize);
    let start = row.checked_sub(1).map_or(0, end);
    trips.route_links.get(start..end(row)).unwrap_or(&[])
}

fn leads(network: &CarNetwork, route: &[CarLinkIx], trip: &Trip) -> bool {
    let known = route.iter().all(|link| link.row() < network.links());
    known
        && route.first().is_some_and(|link| network.from[link.row()] == trip.from)
        && route.last().is_some_and(|link| network.to[link.row()] == trip.to)
        && route.windows(2).all(|pair| {
            network.to[pair[0].row()] == network.from[pair[1].row()]
                && network.banned.binary_search(&(pair[0], pair[1])).is_err()
        })
}

/// Writes what [`equilibrate_trips`] found.
///
/// # Errors
/// [`Error::Write`] naming the file.
pub fn write_equilibrium(folder: &Path, roads: &RoadNetwork, trips: &Trips, result: &TripsOutcome) -> Result<()> {
    let summary = folder.join(SUMMARY);
    match std::fs::remove_file(&summary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::write(&summary, error)),
        _ => {}
    }
    write_table(&folder.join("trips.parquet"), trips_columns(roads, trips, result))?;
    write_table(&folder.join("convergence.parquet"), convergence_columns(&result.outcome.days))?;
    let text = format!("{:#}\n", result.to_json());
    write_whole(&summary, text.as_bytes())
}

type Columns = Vec<(&'static str, ArrayRef)>;

fn trips_columns(roads: &RoadNetwork, trips: &Trips, result: &TripsOutcome) -> Columns {
    let outcome = &result.outcome;
    let served: Vec<Option<usize>> = {
        let mut served = vec![None; trips.depart_s.len()];
        for (trip, &row) in result.rows.iter().enumerate() {
            served[row as usize] = Some(trip);
        }
        served
    };
    let of_trip = |values: &[f64]| -> ArrayRef {
        let cell = |trip: &Option<usize>| trip.map(|trip| values[trip]).filter(|value| value.is_finite());
        Arc::new(served.iter().map(cell).collect::<Float64Array>())
    };
    let name = |nodes: &[u32]| -> ArrayRef {
        let cell = |&node: &u32| roads.node_id.get(node as usize).map(String::as_str);
        Arc::new(nodes.iter().map(cell).collect::<StringArray>())
    };
    let route = |trip: &Option<usize>| {
        let links = trip.map_or(&[][..], |trip| outcome.table.links(outcome.route[trip]));
        links.iter().map(|link| roads.link_id[link.row()].as_str()).collect::<Vec<_>>().join(" ")
    };
    let ids: ArrayRef = match &trips.trip_id {
        TripIds::Number(ids) => Arc::new(Int64Array::from(ids.clone())),
        TripIds::Text(ids) => Arc::new(StringArray::from_iter_values(ids)),
    };
    vec![
        ("trip_id", ids),
        ("depart_s", of_trip(&outcome.depart_s)),
        ("arrive_s", of_trip(&outcome.day.arrive_s)),
        ("status", Arc::new(StringArray::from_iter_values(&result.status))),
        ("from_node", name(&trips.from_node)),
        ("to_node", name(&trips.to_node)),
        ("route", Arc::new(StringArray::from_iter_values(served.iter().map(route)))),
        ("cost_s", of_trip(&outcome.cost_s)),
    ]
}

fn convergence_columns(days: &[DayReport]) -> Columns {
    let float = |of: &dyn Fn(&DayReport) -> f64| -> ArrayRef {
        Arc::new(days.iter().map(of).map(Some).collect::<Float64Array>())
    };
    let whole = |of: &dyn Fn(&DayReport) -> u64| -> ArrayRef {
        Arc::new(days.iter().map(of).map(Some).collect::<UInt64Array>())
    };
    vec![
        ("day", Arc::new(days.iter().map(|day| Some(day.day)).collect::<UInt32Array>())),
        ("relative_gap", float(&|day| day.relative_gap)),
        ("total_travel_time_s", float(&|day| day.total_travel_time_s)),
        ("switched", whole(&|day| day.switched)),
        ("mean_cost_s", float(&|day| day.mean_cost_s)),
        ("arrived", whole(&|day| day.arrived)),
        ("measure_error_s", float(&|day| day.measure_error_s)),
    ]
}

fn write_table(path: &Path, columns: Columns) -> Result<()> {
    let encode = || -> std::result::Result<Vec<u8>, ParquetError> {
        let batch = RecordBatch::try_from_iter(columns)?;
        let properties = WriterProperties::builder()
            .set_created_by(concat!("urbis version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .build();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
        writer.write(&batch)?;
        writer.into_inner()
    };
    let bytes = encode().map_err(|why| Error::write(path, std::io::Error::other(why)))?;
    write_whole(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use urbis_traffic::NetworkColumns;

    /// 0 to 2 by a short narrow way through 1, or a long wide one.
    fn roads() -> RoadNetwork {
        let columns = NetworkColumns {
            x_m: vec![0.0; 4],
            y_m: vec![0.0; 4],
            from: vec![0, 1, 0, 3],
            to: vec![1, 2, 3, 2],
            length_m: vec![2000.0, 1000.0, 3000.0, 1000.0],
            speed_mps_free: vec![20.0; 4],
            capacity_vps: vec![2.0, 0.3, 2.0, 0.6],
            jam_density_vpm: vec![1.0; 4],
            ..NetworkColumns::default()
        };
        RoadNetwork {
            columns,
            node_id: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
            link_id: ["ab", "bc", "ad", "dc"].map(str::to_owned).to_vec(),
            lanes: vec![1.0; 4],
            ..RoadNetwork::default()
        }
    }

    fn trips() -> Trips {
        let count = 400;
        let mut trips = Trips {
            trip_id: TripIds::Number((0..count).collect()),
            depart_s: (0..count).map(|n| 2.0 * n as f64).collect(),
            from_node: vec![0; count as usize],
            to_node: vec![2; count as usize],
            route_ends: vec![0; count as usize],
            route_links: vec![],
            vehicle_class: vec![],
        };
        // No such node; a negative departure; no way; nothing to drive; a route with a gap.
        trips.to_node[3] = u32::MAX;
        trips.depart_s[5] = -1.0;
        (trips.from_node[7], trips.to_node[7]) = (2, 0);
        trips.to_node[9] = 0;
        trips.route_links = vec![CarLinkIx(0), CarLinkIx(3)];
        trips.route_ends[11..].fill(2);
        trips
    }

    #[test]
    fn every_row_is_accounted_for_and_files_are_readable_trips() {
        let (roads, trips) = (roads(), trips());
        let options = Options { days_max: 20, gap: 0.01, ..Options::default() };
        let result = equilibrate_trips(&roads, &trips, &options, &mut |_| true).unwrap();
        let at = |row: usize| result.status[row];
        assert_eq!(
            [at(3), at(5), at(7), at(9), at(11)],
            ["rejected", "rejected", "unconnected", "without_road", "arrived"]
        );
        assert_eq!((result.rejected.as_slice(), result.bad_routes.as_slice()), (&[3, 5][..], &[11][..]));
        let place = tempfile::tempdir().unwrap();
        write_equilibrium(place.path(), &roads, &trips, &result).unwrap();
        let read = |name: &str| {
            let file = std::fs::File::open(place.path().join(name)).unwrap();
            ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().next().unwrap().unwrap()
        };
        let table = read("trips.parquet");
        let routes = table.column_by_name("route").unwrap().as_any().downcast_ref::<StringArray>().unwrap();
        let kinds: Vec<usize> =
            ["ab bc", "ad dc", ""].map(|way| routes.iter().filter(|r| *r == Some(way)).count()).into();
        assert_eq!((table.num_rows(), kinds[2], kinds.iter().sum::<usize>()), (400, 4, 400));
        assert!(kinds[0] > 50 && kinds[1] > 50, "{kinds:?}");
        assert_eq!(read("convergence.parquet").num_rows(), result.outcome.days.len());
        let summary: Json = serde_json::from_slice(&std::fs::read(place.path().join(SUMMARY)).unwrap()).unwrap();
        assert_eq!((summary["vehicles"].as_u64(), summary["arrived"].as_u64()), (Some(400), Some(397)));
        assert_eq!(summary["relative_gap"].as_f64(), result.outcome.days.last().map(|day| day.relative_gap));
        // A static assignment knows that not everybody fits on the short way.
        let times_s = static_times_s(&roads, &trips).unwrap();
        assert!(times_s[1] > 1.2 * 50.0 && (times_s[0] - 100.0).abs() < 1.0, "{times_s:?}");
        // Begun where it ended, it begins in equilibrium.
        let mut again = trips;
        again.route_links.clear();
        for (row, end) in again.route_ends.iter_mut().enumerate() {
            if let Some(trip) = result.rows.iter().position(|&r| r as usize == row) {
                again.route_links.extend_from_slice(result.outcome.table.links(result.outcome.route[trip]));
            }
            *end = again.route_links.len() as u32;
        }
        let once = equilibrate_trips(&roads, &again, &Options { days_max: 1, ..options }, &mut |_| true).unwrap();
        assert_eq!(
            once.outcome.days[0].relative_gap.to_bits(),
            result.outcome.days.last().unwrap().relative_gap.to_bits()
        );
        assert!(once.bad_routes.is_empty());
    }
}
