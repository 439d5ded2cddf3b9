//! `urbis traffic run` as a library: from files to tables, whatever the number of threads.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, UInt32Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use urbis::traffic::synthetic::{Grid, LinkKind};
use urbis::traffic::time::to_seconds;
use urbis::traffic_run::{Ended, OnError, RouteTimes, TrafficRunOptions, TrafficRunSummary, run};
use urbis_core::Error;

/// Writes a grid of streets; its links and nodes are named by their rows.
fn write_grid(folder: &Path, grid: &Grid, kind: LinkKind) {
    let mut nodes = String::from("node_id,x_coord,y_coord\n");
    for node in 0..grid.network.nodes() {
        nodes += &format!("{node},{},{}\n", 1000.0 + grid.network.x_m[node], grid.network.y_m[node]);
    }
    let mut links =
        String::from("link_id,from_node_id,to_node_id,directed,length,lanes,capacity,free_speed,jam_density\n");
    for link in 0..grid.network.links() {
        let (from, to) = (grid.network.from[link], grid.network.to[link]);
        let (capacity_vph, length_m) = (kind.capacity_vps * 3600.0, kind.length_m);
        links += &format!(
            "{link},{from},{to},1,{length_m},1,{capacity_vph},{},{}\n",
            kind.speed_mps_free, kind.jam_density_vpm
        );
    }
    for (name, text) in
        [("node.csv", nodes.as_str()), ("link.csv", &links), ("config.csv", "long_length,speed\nm,mps\n")]
    {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

/// A place with a network and trips.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(size: u32, trips: impl Fn(&Grid) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let grid = Grid::new(size, LinkKind::STREET).unwrap();
        write_grid(folder.path(), &grid, LinkKind::STREET);
        std::fs::write(folder.path().join("trips.csv"), trips(&grid)).unwrap();
        Self { folder }
    }
    fn options(&self) -> TrafficRunOptions {
        let at = |name: &str| self.folder.path().join(name);
        TrafficRunOptions { threads: Some(1), ..TrafficRunOptions::new(&at(""), &at("trips.csv"), &at("out")) }
    }
    fn run(&self, options: &TrafficRunOptions) -> urbis_core::Result<TrafficRunSummary> {
        run(options, &mut |_| {}, &AtomicBool::new(false))
    }
    fn table(&self, name: &str) -> RecordBatch {
        let file = std::fs::File::open(self.folder.path().join("out").join(name)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(1 << 20).build().unwrap();
        let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
    }
    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.folder.path().join("out")).unwrap().map(Result::unwrap);
        entries
            .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
            .filter(|(name, _)| name != "summary.json")
            .collect()
    }
}

fn text(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = arrow::compute::cast(batch.column_by_name(name).unwrap(), &arrow::datatypes::DataType::Utf8).unwrap();
    column.as_string::<i32>().iter().map(|cell| cell.unwrap_or("").to_owned()).collect()
}

fn seconds(batch: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().iter().collect()
}

fn staircases(vehicles: u32, within_s: f64, has_routes: bool) -> impl Fn(&Grid) -> String {
    move |grid| {
        let mut text = String::from("trip_id,depart_s,from_node,to_node,route\n");
        for (row, trip) in grid.staircase_trips(vehicles, within_s, 5).into_iter().enumerate() {
            let ends = (trip.route[0].row(), trip.route[trip.route.len() - 1].row());
            let (from, to) = (grid.network.from[ends.0], grid.network.to[ends.1]);
            let route: Vec<String> = trip.route.iter().map(|link| link.0.to_string()).collect();
            let route = if has_routes { route.join(" ") } else { String::new() };
            text += &format!("{row},{},{from},{to},{route}\n", to_seconds(trip.depart));
        }
        text
    }
}

#[test]
fn equal_bytes_on_any_number_of_threads() {
    for has_routes in [true, false] {
        let place = Place::new(9, staircases(6000, 700.0, has_routes));
        let on = |threads: usize| {
            let options =
                TrafficRunOptions { threads: Some(threads), interval_s: Some(300), crossings: true, ..place.options() };
            let summary = place.run(&options).unwrap();
            (place.bytes(), summary.trips_sha256, summary.counts, summary.crossings, summary.end_tick)
        };
        let one = on(1);
        assert!(one.0.contains_key("trips.parquet") && one.0.contains_key("link_state.parquet"));
        assert_eq!(urbis_core::hash::sha256_hex(&one.0["trips.parquet"]), one.1);
        for threads in [2, 3, 8, 16] {
            assert!(on(threads) == one, "{threads} threads, routes given: {has_routes}");
        }
    }
}

#[test]
fn a_lonely_vehicle_takes_its_free_time_and_rows_keep_their_order() {
    // Three blocks of 500 m at 15 m/s in each: 100 s. The file is not in order of departure.
    let place =
        Place::new(4, |_| "trip_id,depart_s,from_node,to_node\nlate,5000,0,3\nearly,10.5,0,3\nnone,7,5,5\n".into());
    let summary = place.run(&place.options()).unwrap();
    let trips = place.table("trips.parquet");
    assert_eq!(text(&trips, "trip_id"), ["late", "early", "none"]);
    assert_eq!(text(&trips, "status"), ["arrived"; 3]);
    let arrive = seconds(&trips, "arrive_s");
    for (row, expected) in [(0, 5100.0), (1, 110.5), (2, 7.0)] {
        assert!((arrive[row].unwrap() - expected).abs() < 0.01, "{arrive:?}");
    }
    assert!((summary.total_distance_m - 3000.0).abs() < 1e-6 && summary.total_delay_s < 0.02);
    let links: Vec<u32> = trips.column_by_name("links").unwrap().as_primitive::<UInt32Type>().values().to_vec();
    assert_eq!(links, [3, 3, 0]);
    assert_eq!((summary.crossings, summary.ended, summary.vehicles), (6, Ended::AllArrived, 3));
    assert!(summary.notes.iter().any(|note| note.contains("not in order of departure")));
}

#[test]
fn figures_agree_with_each_other() {
    let place = Place::new(7, staircases(2500, 900.0, true));
    let options = TrafficRunOptions { interval_s: Some(250), crossings: true, ..place.options() };
    let summary = place.run(&options).unwrap();
    let trips = place.table("trips.parquet");
    let (depart, arrive) = (seconds(&trips, "depart_s"), seconds(&trips, "arrive_s"));
    let mean_s = depart.iter().zip(&arrive).map(|(d, a)| a.unwrap() - d.unwrap()).sum::<f64>() / 2500.0;
    assert!((summary.mean_travel_time_s.unwrap() - mean_s).abs() < 1e-3);
    let links: u32 = trips.column_by_name("links").unwrap().as_primitive::<UInt32Type>().iter().flatten().sum();
    assert_eq!(u64::from(links), summary.crossings);
    let state = place.table("link_state.parquet");
    let whole = |name: &str| state.column_by_name(name).unwrap().as_primitive::<UInt32Type>().values().to_vec();
    assert_eq!(u64::from(whole("left").iter().sum::<u32>()), summary.crossings);
    assert_eq!(whole("left").iter().sum::<u32>(), whole("entered").iter().sum::<u32>());
    assert_eq!(place.table("crossings.parquet").num_rows() as u64, summary.crossings);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.folder.path().join("out/summary.json")).unwrap()).unwrap();
    for (key, value) in [("vehicles", 2500), ("arrived", 2500), ("crossings", summary.crossings), ("rejected", 0)] {
        assert_eq!(json[key], value, "{key}");
    }
    for key in ["load_s", "sim_s", "write_s", "peak_rss_bytes", "mean_travel_time_s"] {
        assert!(json[key].as_f64().unwrap() > 0.0, "{key}");
    }
}

const FAULTY: &str = "trip_id,depart_s,from_node,to_node,route
1,0,0,3,
2,-3,0,3,
3,0,0,77,
3,0,0,3,
5,0,0,3,0 999
";

#[test]
fn what_cannot_be_served_is_counted_and_stays_in_the_table() {
    let place = Place::new(4, |_| FAULTY.into());
    let summary = place.run(&place.options()).unwrap();
    let trips = place.table("trips.parquet");
    let expected = [
        "arrived",
        "rejected_negative_time",
        "rejected_unknown_destination",
        "rejected_duplicate_id",
        "rejected_unknown_link",
    ];
    assert_eq!(text(&trips, "status"), expected);
    let arrive = seconds(&trips, "arrive_s");
    assert!(arrive[0].is_some() && arrive[1..].iter().all(Option::is_none));
    let ids = trips.column_by_name("trip_id").unwrap().as_primitive::<Int64Type>();
    assert_eq!(ids.values(), &[1, 2, 3, 3, 5]);
    assert_eq!((summary.counts.rejected, summary.counts.arrived, summary.vehicles), (4, 1, 5));
    assert!(summary.counts.balances());
    let unknown = summary.rejected.iter().find(|of| of.kind == "unknown_destination").unwrap();
    assert!(unknown.count == 1 && unknown.examples[0].contains("trips.csv row 3 (id 3): to_node = 77"), "{unknown:?}");

    let before = place.bytes();
    let strict = TrafficRunOptions { on_error: OnError::Stop, ..place.options() };
    let error = place.run(&strict).unwrap_err();
    assert!(matches!(&error, Error::Input(problems) if problems.len() == 4), "{error}");
    assert!(place.bytes() == before, "a run that stopped wrote something");
}

#[test]
fn places_that_no_way_leads_to() {
    let place = Place::new(3, |_| "trip_id,depart_s,from_node,to_node\na,0,0,9\nb,5,9,0\nc,1,0,8\n".into());
    let nodes = place.folder.path().join("node.csv");
    let text_before = std::fs::read_to_string(&nodes).unwrap();
    std::fs::write(&nodes, text_before + "9,9000,9000\n").unwrap();
    for routes in [RouteTimes::Measured, RouteTimes::FreeFlow] {
        let summary = place.run(&TrafficRunOptions { routes, ..place.options() }).unwrap();
        let trips = place.table("trips.parquet");
        assert_eq!(text(&trips, "status"), ["rejected_no_route", "rejected_no_route", "arrived"]);
        assert_eq!((summary.rejected[0].count, summary.rejected[0].examples.len()), (2, 2));
    }
    let strict = TrafficRunOptions { on_error: OnError::Stop, ..place.options() };
    assert!(matches!(place.run(&strict), Err(Error::Input(_))));
}

#[test]
fn a_run_ends_when_asked_to() {
    let place = Place::new(5, staircases(400, 2000.0, true));
    let summary = place.run(&TrafficRunOptions { until_s: Some(600.0), ..place.options() }).unwrap();
    let counts = summary.counts;
    assert_eq!((summary.ended, summary.end_tick), (Ended::Until, 600));
    assert_eq!(counts.arrived + counts.on_road + counts.waiting, 400);
    assert!(counts.balances() && counts.arrived > 0 && counts.on_road > 0 && counts.waiting > 0);
    let trips = place.table("trips.parquet");
    let status = text(&trips, "status");
    let count = |name: &str| status.iter().filter(|status| *status == name).count() as u64;
    assert_eq!(
        (count("arrived"), count("on_road"), count("waiting")),
        (counts.arrived, counts.on_road, counts.waiting)
    );
    for (row, arrive) in seconds(&trips, "arrive_s").into_iter().enumerate() {
        assert_eq!(arrive.is_some(), status[row] == "arrived");
        assert!(arrive.is_none_or(|at| at < 600.0));
    }
    for until_s in [-1.0, f64::NAN, 1e12] {
        assert!(matches!(
            place.run(&TrafficRunOptions { until_s: Some(until_s), ..place.options() }),
            Err(Error::Input(_))
        ));
    }
}

#[test]
fn tables_of_an_earlier_run_do_not_stay() {
    let place = Place::new(3, staircases(50, 100.0, true));
    place.run(&TrafficRunOptions { interval_s: Some(60), ..place.options() }).unwrap();
    std::fs::write(place.folder.path().join("out/mine.txt"), "kept").unwrap();
    place.run(&place.options()).unwrap();
    let names: Vec<String> = place.bytes().into_keys().collect();
    assert_eq!(names, ["mine.txt", "trips.parquet"]);
    let stopped = run(&place.options(), &mut |_| {}, &AtomicBool::new(true)).unwrap_err();
    assert!(matches!(stopped, Error::Interrupted { tick: 0 }), "{stopped}");
    assert_eq!(place.bytes().into_keys().collect::<Vec<_>>(), names);
}

#[test]
fn malformed_files_leave_nothing() {
    let place = Place::new(3, |_| "trip_id,depart_s,from_node,to_node\n1,soon,0,3\n".into());
    let error = place.run(&place.options()).unwrap_err();
    assert!(matches!(&error, Error::Input(problems) if problems.listed()[0].to_string().contains("depart_s = soon")));
    assert!(!place.folder.path().join("out").exists());
}
