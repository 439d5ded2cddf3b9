//! `urbis traffic run` as a library: from files to tables, whatever the number of threads.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, UInt32Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use urbis::traffic::synthetic::{Grid, LinkKind};
use urbis::traffic::time::to_seconds;
use urbis::traffic_run::{Around, Ended, OnError, RouteTimes, SignalsFrom, TrafficRunOptions, TrafficRunSummary, run};
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
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
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
fn lights_stop_vehicles_and_are_told_of() {
    let place = Place::new(5, staircases(1200, 1200.0, true));
    let nodes = place.folder.path().join("node.csv");
    let plain = std::fs::read_to_string(&nodes).unwrap();
    let lit: Vec<String> = plain
        .lines()
        .enumerate()
        .map(|(row, line)| format!("{line},{}", if row == 0 { "ctrl_type" } else { "signal" }))
        .collect();
    std::fs::write(&nodes, lit.join("\n") + "\n").unwrap();
    let with = |signals: SignalsFrom, threads: usize| {
        let options = TrafficRunOptions { signals, interval_s: Some(300), threads: Some(threads), ..place.options() };
        let summary = place.run(&options).unwrap();
        assert_eq!(summary.counts.arrived, 1200, "{signals:?}");
        (summary, place.bytes())
    };
    // There are no plans in the files, and capacities are given, so nothing changes without lights.
    let (none, _) = with(SignalsFrom::None, 1);
    let (plans, _) = with(SignalsFrom::Plans, 1);
    assert_eq!((none.signal_junctions, plans.signal_junctions), (0, 0));
    assert_eq!(none.trips_sha256, plans.trips_sha256);
    for signals in [SignalsFrom::Fixed, SignalsFrom::Actuated, SignalsFrom::MaxPressure] {
        let (summary, one) = with(signals, 1);
        assert_eq!(summary.signal_junctions, 25);
        assert!(summary.total_delay_s > 2.0 * none.total_delay_s.max(1200.0), "{signals:?} {}", summary.total_delay_s);
        assert!(with(signals, 3).1 == one, "{signals:?} on three threads");
        let table = place.table("signals.parquet");
        let whole = |name: &str| table.column_by_name(name).unwrap().as_primitive::<UInt32Type>().values().to_vec();
        let green = seconds(&table, "green_s");
        for (row, green_s) in green.iter().enumerate() {
            let span_s = f64::from(whole("end_s")[row] - whole("start_s")[row]);
            assert!((0.0..=span_s + 1e-6).contains(&green_s.unwrap()), "{signals:?} row {row}: {green_s:?}");
        }
        // Everybody who passes a node passes a light, but at the end of the trip.
        assert!(u64::from(whole("left").iter().sum::<u32>()) == summary.crossings);
    }
}

#[test]
fn plans_of_the_files_rule_the_links_they_name() {
    // A row of three nodes; the light at node 1 shows 26 s of effective green out of 60 to those who come from node 0.
    let trips: String = (0..60).map(|row| format!("{row},{},0,2,0 1\n", row * 19)).collect();
    let place = Place::new(2, |_| format!("trip_id,depart_s,from_node,to_node,route\n{trips}"));
    place.write("node.csv", "node_id,x_coord,y_coord\n0,1000,0\n1,1500,0\n2,2000,0\n");
    place.write(
        "link.csv",
        "link_id,from_node_id,to_node_id,directed,length,lanes,capacity,free_speed,jam_density\n\
         0,0,1,1,500,1,1800,15,0.15\n1,1,2,1,500,1,1800,15,0.15\n",
    );
    let free = place.run(&place.options()).unwrap();
    place.write("signal_timing_plan.csv", "timing_plan_id,controller_id,cycle_length\np,c,60\n");
    place.write(
        "signal_timing_phase.csv",
        "timing_phase_id,timing_plan_id,signal_phase_num,ring,barrier,position,min_green,clearance\n\
         a,p,2,1,1,1,26,4\nb,p,4,1,2,1,26,4\n",
    );
    place.write("signal_phase_mvmt.csv", "signal_phase_mvmt_id,timing_phase_id,mvmt_id\n1,a,m\n");
    place.write("movement.csv", "mvmt_id,node_id,ib_link_id,ob_link_id\nm,1,0,1\n");
    let options = TrafficRunOptions { interval_s: Some(600), ..place.options() };
    let lit = place.run(&options).unwrap();
    assert_eq!((free.signal_junctions, lit.signal_junctions, lit.counts.arrived), (0, 1, 60));
    // Arrivals at every second of the cycle: those in 34 s of red wait 17 s on average, and a little for each other.
    let mean_s = (lit.total_delay_s - free.total_delay_s) / 60.0;
    assert!((mean_s - 34.0 * 34.0 / 120.0).abs() < 3.0, "{mean_s}");
    let table = place.table("signals.parquet");
    assert!((seconds(&table, "green_s")[0].unwrap() - 260.0).abs() < 1e-6);
    let off = place.run(&TrafficRunOptions { signals: SignalsFrom::None, ..place.options() }).unwrap();
    assert_eq!(off.trips_sha256, free.trips_sha256);
}

#[test]
fn short_links_join_and_keep_their_names() {
    // 500 m, 5 m and 500 m at 15 m/s: a third of a second in the middle, which a tick makes a second.
    let trips: String = (0..50).map(|row| format!("{row},{},0,3,{}\n", row * 20, ["0 1 2", ""][row % 2])).collect();
    let place = Place::new(2, |_| format!("trip_id,depart_s,from_node,to_node,route\n{trips}"));
    place.write("node.csv", "node_id,x_coord,y_coord\n0,1000,0\n1,1500,0\n2,1505,0\n3,2005,0\n");
    place.write(
        "link.csv",
        "link_id,from_node_id,to_node_id,directed,length,lanes,capacity,free_speed,jam_density,toll\n\
         0,0,1,1,500,1,1800,15,0.15,1\n1,1,2,1,5,1,1800,15,0.15,2\n2,2,3,1,500,1,1800,15,0.15,0\n",
    );
    let raised = place.run(&place.options()).unwrap();
    assert!((raised.mean_travel_time_s.unwrap() - (1000.0 / 15.0 + 1.0)).abs() < 0.01);
    assert!(raised.notes.iter().any(|note| note.contains("less than a step")), "{:?}", raised.notes);
    let options = TrafficRunOptions { joins_short: true, interval_s: Some(3600), ..place.options() };
    let joined = place.run(&options).unwrap();
    assert_eq!((joined.counts.arrived, joined.links, joined.crossings), (50, 1, 50));
    assert!((joined.mean_travel_time_s.unwrap() - 1005.0 / 15.0).abs() < 0.01, "{:?}", joined.mean_travel_time_s);
    assert_eq!(text(&place.table("link_state.parquet"), "link_id"), ["0+1+2"]);
    let parts = place.table("link_parts.parquet");
    assert_eq!(text(&parts, "file_link_id"), ["0", "1", "2"]);
    let shares: Vec<f64> = seconds(&parts, "time_share").into_iter().flatten().collect();
    assert!((shares[1] - 5.0 / 1005.0).abs() < 1e-12 && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    // A trip that begins at the short link keeps its node.
    place.write("trips.csv", "trip_id,depart_s,from_node,to_node,route\n0,0,1,3,1 2\n");
    let kept = place.run(&options).unwrap();
    assert_eq!((kept.counts.arrived, kept.links, kept.crossings), (1, 2, 1));
    // What an earlier run said about parts does not stay.
    place.run(&place.options()).unwrap();
    assert!(!place.bytes().contains_key("link_parts.parquet"));
}

#[test]
fn a_turn_pocket_keeps_left_turners_aside() {
    // Left turners wait for a narrow exit; without a pocket they hold up those who go straight on.
    let trips: String = (0..200).map(|row| format!("{row},{},0,{},\n", row * 4, 2 + row % 10 / 9)).collect();
    let place = Place::new(2, |_| format!("trip_id,depart_s,from_node,to_node,route\n{trips}"));
    place.write("node.csv", "node_id,x_coord,y_coord,ctrl_type\n0,0,0,\n1,500,0,signal\n2,1000,0,\n3,500,500,\n");
    place.write(
        "link.csv",
        "link_id,from_node_id,to_node_id,directed,length,lanes,capacity,free_speed,jam_density\n\
         a,0,1,1,500,1,1800,15,0.15\nb,1,2,1,500,1,1800,15,0.15\nc,1,3,1,500,1,60,15,0.15\n",
    );
    let plain = TrafficRunOptions { junction_pocket_vehicles: 0, signals: SignalsFrom::None, ..place.options() };
    let without = place.run(&plain).unwrap();
    let options = TrafficRunOptions { turn_pocket_m: Some(150.0), interval_s: Some(3600), ..plain.clone() };
    let with = place.run(&options).unwrap();
    assert_eq!((without.counts.arrived, with.counts.arrived, with.links), (200, 200, 5));
    assert!(with.total_delay_s < 0.5 * without.total_delay_s, "{} {}", with.total_delay_s, without.total_delay_s);
    let links = text(&place.table("link_state.parquet"), "link_id");
    assert_eq!(links, ["a", "b", "c", "a/1", "a/2"]);
    let keeps_left = place.run(&TrafficRunOptions { keeps_left: true, ..options }).unwrap();
    assert_eq!((keeps_left.links, keeps_left.trips_sha256), (3, without.trips_sha256));
    assert!(place.run(&TrafficRunOptions { turn_pocket_m: Some(-1.0), ..plain.clone() }).is_err());
    // A plan of the files that gives turns their own greens rules the groups apart.
    place.write("signal_timing_plan.csv", "timing_plan_id,controller_id,cycle_length\np,c,60\n");
    place.write(
        "signal_timing_phase.csv",
        "timing_phase_id,timing_plan_id,signal_phase_num,ring,barrier,position,min_green,clearance\n\
         s,p,2,1,1,1,36,4\nl,p,1,1,1,2,16,4\n",
    );
    place.write("signal_phase_mvmt.csv", "signal_phase_mvmt_id,timing_phase_id,mvmt_id\n1,s,ab\n2,l,ac\n");
    place.write("movement.csv", "mvmt_id,node_id,ib_link_id,ob_link_id\nab,1,a,b\nac,1,a,c\n");
    let planned =
        TrafficRunOptions { signals: SignalsFrom::Plans, turn_pocket_m: Some(150.0), interval_s: Some(600), ..plain };
    assert_eq!(place.run(&planned).unwrap().counts.arrived, 200);
    let table = place.table("signals.parquet");
    let rows = text(&table, "link_id").into_iter().zip(seconds(&table, "green_s"));
    let first: BTreeMap<String, Option<f64>> = rows.take(2).collect();
    let expected = [("a/1", 160.0), ("a/2", 360.0)].map(|(id, green_s)| (id.to_owned(), Some(green_s)));
    assert_eq!(first, BTreeMap::from(expected));
}

#[test]
fn lanes_of_the_files_queue_apart() {
    // As with turn pockets, but the files say which lane leads where.
    let trips: String = (0..200).map(|row| format!("{row},{},0,{},\n", row * 4, 2 + row % 10 / 9)).collect();
    let place = Place::new(2, |_| format!("trip_id,depart_s,from_node,to_node,route\n{trips}"));
    place.write("node.csv", "node_id,x_coord,y_coord\n0,0,0\n1,500,0\n2,1000,0\n3,500,500\n");
    place.write(
        "link.csv",
        "link_id,from_node_id,to_node_id,directed,length,lanes,capacity,free_speed,jam_density\n\
         a,0,1,1,500,2,1800,15,0.15\nb,1,2,1,500,1,1800,15,0.15\nc,1,3,1,500,1,60,15,0.15\n",
    );
    let plain = TrafficRunOptions { junction_pocket_vehicles: 0, signals: SignalsFrom::None, ..place.options() };
    let without = place.run(&plain).unwrap();
    let options = TrafficRunOptions { lane_groups: true, interval_s: Some(3600), ..plain };
    let unknown = place.run(&options).unwrap();
    assert_eq!(unknown.trips_sha256, without.trips_sha256);
    assert!(unknown.notes.iter().any(|note| note.contains("do not say where lanes lead")), "{:?}", unknown.notes);
    place.write("movement.csv", "mvmt_id,ib_link_id,ib_lane,ob_link_id\nac,a,1,c\nab,a,2,b\n");
    let long = TrafficRunOptions { turn_pocket_m: Some(200.0), ..options.clone() };
    let with = place.run(&long).unwrap();
    assert_eq!((without.counts.arrived, with.counts.arrived, with.links), (200, 200, 5));
    assert!(with.total_delay_s < 0.5 * without.total_delay_s, "{} {}", with.total_delay_s, without.total_delay_s);
    assert_eq!(text(&place.table("link_state.parquet"), "link_id"), ["a", "b", "c", "a/1", "a/2"]);
    assert_eq!(text(&place.table("link_parts.parquet"), "file_link_id"), ["a", "b", "c", "a", "a"]);
    assert_eq!(place.run(&options).unwrap().links, 5);
    assert_eq!(place.run(&TrafficRunOptions { joins_short: true, ..options.clone() }).unwrap().links, 5);
    // Both lanes lead on both ways: one group, and nothing changes.
    place.write("movement.csv", "mvmt_id,ib_link_id,start_ib_lane,end_ib_lane,ob_link_id\nac,a,1,2,c\nab,a,1,2,b\n");
    assert_eq!(place.run(&options).unwrap().trips_sha256, without.trips_sha256);
}

#[test]
fn lanes_of_sumo_obey_the_greens_of_their_turns() {
    let place = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
    let edge = |id: &str, from: &str, to: &str, lanes: u32| {
        let lane = |index| format!("<lane id=\"{id}_{index}\" index=\"{index}\" speed=\"15\" length=\"500\"/>");
        format!("<edge id=\"{id}\" from=\"{from}\" to=\"{to}\">{}</edge>", (0..lanes).map(lane).collect::<String>())
    };
    let junction =
        |id: &str, kind: &str, x: u32, y: u32| format!("<junction id=\"{id}\" type=\"{kind}\" x=\"{x}\" y=\"{y}\"/>");
    let net = [
        "<net>".to_owned(),
        edge("a", "w", "m", 2),
        edge("b", "m", "e", 1),
        edge("c", "m", "n", 1),
        "<tlLogic id=\"m\" type=\"static\" programID=\"0\" offset=\"0\"><phase duration=\"36\" state=\"Gr\"/>\
         <phase duration=\"4\" state=\"rr\"/><phase duration=\"16\" state=\"rG\"/><phase duration=\"4\" state=\"rr\"/></tlLogic>"
            .to_owned(),
        junction("w", "dead_end", 0, 0),
        junction("m", "traffic_light", 500, 0),
        junction("e", "dead_end", 1000, 0),
        junction("n", "dead_end", 500, 500),
        "<connection from=\"a\" to=\"b\" fromLane=\"0\" toLane=\"0\" tl=\"m\" linkIndex=\"0\"/>\
         <connection from=\"a\" to=\"c\" fromLane=\"1\" toLane=\"0\" tl=\"m\" linkIndex=\"1\"/></net>"
            .to_owned(),
    ];
    write("t.net.xml", &net.concat());
    let trips: String = (0..100).map(|row| format!("{row},{},w,{}\n", row * 9, ["e", "n"][row % 2])).collect();
    write("trips.csv", &format!("trip_id,depart_s,from_node,to_node\n{trips}"));
    let at = |name: &str| place.path().join(name);
    let mut options = TrafficRunOptions::new(&at("t.net.xml"), &at("trips.csv"), &at("out"));
    options = TrafficRunOptions { lane_groups: true, interval_s: Some(600), ..options };
    let summary = run(&options, &mut |_| {}, &AtomicBool::new(false)).unwrap();
    assert_eq!((summary.counts.arrived, summary.links, summary.signal_junctions), (100, 5, 1));
    let table = Place { folder: place }.table("signals.parquet");
    let rows = text(&table, "link_id").into_iter().zip(seconds(&table, "green_s"));
    let first: BTreeMap<String, Option<f64>> = rows.take(2).collect();
    // The left lane has the second green; two seconds of each are lost.
    let expected = [("a/1", 140.0), ("a/2", 340.0)].map(|(id, green_s)| (id.to_owned(), Some(green_s)));
    assert_eq!(first, BTreeMap::from(expected));
}

#[test]
fn informed_drivers_turn_off_where_it_pays() {
    // Everybody is sent towards a narrow link, before which a queue grows; the way round is free.
    let trips: String = (0..300).map(|row| format!("{row},{},0,3,a b c\n", row * 4)).collect();
    let place = Place::new(2, |_| format!("trip_id,depart_s,from_node,to_node,route\n{trips}"));
    place.write("node.csv", "node_id,x_coord,y_coord\n0,0,0\n1,3000,0\n2,3500,0\n3,4000,0\n");
    place.write(
        "link.csv",
        "link_id,from_node_id,to_node_id,directed,length,lanes,capacity,free_speed,jam_density\n\
         a,0,1,1,3000,1,1800,15,0.15\nb,1,2,1,500,1,1800,15,0.15\nc,2,3,1,500,1,300,15,0.15\n\
         d,1,3,1,2000,1,1800,15,0.15\n",
    );
    let with = |informed_share: f64, threads: usize| {
        let options = TrafficRunOptions { informed_share, threads: Some(threads), ..place.options() };
        (place.run(&options).unwrap(), place.bytes()["trips.parquet"].clone())
    };
    let (none, half, all) = (with(0.0, 1), with(0.5, 1), with(1.0, 1));
    assert_eq!([&none, &half, &all].map(|run| run.0.counts.arrived), [300; 3]);
    assert!(none.0.rerouted == 0 && half.0.rerouted > 0 && all.0.rerouted > 0);
    assert!(half.0.total_delay_s < 0.8 * none.0.total_delay_s, "{} {}", half.0.total_delay_s, none.0.total_delay_s);
    assert!(half.1 == with(0.5, 3).1, "on three threads");
    assert!(place.run(&TrafficRunOptions { informed_share: 1.5, ..place.options() }).is_err());
}

#[test]
fn trajectories_and_events_tell_of_the_same_passages() {
    let place = Place::new(4, staircases(900, 900.0, true));
    let around = Around { node: "5".into(), radius_m: 1.0 };
    let options = TrafficRunOptions { trajectories: Some(around), events: true, crossings: true, ..place.options() };
    let summary = place.run(&options).unwrap();
    let table = place.table("trajectories.parquet");
    let (links, along) = (text(&table, "link_id"), seconds(&table, "along_m"));
    let entered = along.iter().filter(|at| at.unwrap() < 1e-9).count();
    let left = along.iter().filter(|at| (at.unwrap() - 500.0).abs() < 1e-9).count();
    let crossings = place.table("crossings.parquet");
    let of_area = text(&crossings, "link_id").iter().filter(|link| links.contains(link)).count();
    assert!(entered > 100 && entered == left && left == of_area, "{entered} {left} {of_area}");
    // Time and place never go back within a passage.
    let (times, trips) = (seconds(&table, "time_s"), text(&table, "trip_id"));
    for row in 1..along.len() {
        if trips[row] == trips[row - 1] && links[row] == links[row - 1] {
            assert!(times[row] >= times[row - 1] && along[row] > along[row - 1], "row {row}");
        }
    }
    let packed = std::fs::read(place.folder.path().join("out/events.xml.gz")).unwrap();
    let mut events = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut events).unwrap();
    let count = |kind: &str| events.matches(&format!("type=\"{kind}\"")).count() as u64;
    for kind in ["departure", "arrival", "vehicle enters traffic", "vehicle leaves traffic", "PersonEntersVehicle"] {
        assert_eq!(count(kind), 900, "{kind}");
    }
    assert_eq!((count("left link"), count("entered link")), (summary.crossings - 900, summary.crossings - 900));
    let unknown = Around { node: "x".into(), radius_m: 1.0 };
    assert!(place.run(&TrafficRunOptions { trajectories: Some(unknown), ..place.options() }).is_err());
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
