//! Tables of trips from outside: the same trips from every format, every fault counted and named, and
//! nothing that panics.

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};
use urbis_core::rng::Rng;
use urbis_core::{Error, Result};
use urbis_interop::trips::{self, EXAMPLES_KEPT};
use urbis_interop::{RoadNetwork, TripFault, TripIds, Trips, TripsFile, write_trips};
use urbis_traffic::{CarLinkIx, NetworkColumns, VehicleClass};

/// A ring `n0 -> n1 -> ... -> n0` whose links are named by `link`.
fn ring(nodes: u32, link: impl Fn(u32) -> String) -> RoadNetwork {
    let columns = NetworkColumns {
        x_m: vec![0.0; nodes as usize],
        y_m: vec![0.0; nodes as usize],
        from: (0..nodes).collect(),
        to: (0..nodes).map(|node| (node + 1) % nodes).collect(),
        ..NetworkColumns::default()
    };
    let node_id = (0..nodes).map(|node| format!("n{node}")).collect();
    RoadNetwork { columns, node_id, link_id: (0..nodes).map(link).collect(), ..RoadNetwork::default() }
}

fn read_as(name: &str, bytes: &[u8], network: &RoadNetwork) -> Result<TripsFile> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    trips::read(&path, network)
}

fn read(text: &str, network: &RoadNetwork) -> TripsFile {
    read_as("trips.csv", text.as_bytes(), network).unwrap()
}

fn problems(text: &str, network: &RoadNetwork) -> String {
    match read_as("trips.csv", text.as_bytes(), network) {
        Err(Error::Input(problems)) => {
            let sentence = |text: String| text[text.rfind("/trips.csv").map_or(0, |at| at + 1)..].to_owned();
            problems.listed().iter().map(|problem| sentence(problem.to_string())).collect::<Vec<_>>().join("\n")
        }
        other => panic!("{other:?}"),
    }
}

type Row = (String, u64, u32, u32, Vec<CarLinkIx>, Option<VehicleClass>);

fn rows(trips: &Trips) -> Vec<Row> {
    let class = |row: usize| trips.vehicle_class.get(row).copied();
    (0..trips.len())
        .map(|row| {
            let (from, to) = (trips.from_node[row], trips.to_node[row]);
            (trips.trip_id.text(row), trips.depart_s[row].to_bits(), from, to, trips.route(row).to_vec(), class(row))
        })
        .collect()
}

/// Trips round a ring with given routes, some with none, in no order of departure.
fn some_trips(network: &RoadNetwork, count: u32, seed: u64, text_ids: bool) -> Trips {
    let nodes = network.node_id.len() as u32;
    let mut trips = Trips::default();
    let mut ids = Vec::new();
    for trip in 0..count {
        let mut rng = Rng::new(seed, trip, 0, 0);
        let (from, length) = (rng.below(nodes), rng.below(nodes - 1));
        ids.push(i64::from(trip) * 3 - 7);
        trips.depart_s.push(f64::from(rng.below(1_000_000)) / 8.0);
        trips.from_node.push(from);
        trips.to_node.push((from + length) % nodes);
        trips.route_links.extend((0..length).map(|nth| CarLinkIx((from + nth) % nodes)));
        trips.route_ends.push(trips.route_links.len() as u32);
        trips.vehicle_class.push(VehicleClass::NAMED[rng.below(5) as usize].0);
    }
    let text = |id: &i64| format!("trip, \"{id}\"");
    trips.trip_id = if text_ids { TripIds::Text(ids.iter().map(text).collect()) } else { TripIds::Number(ids) };
    trips
}

#[test]
fn every_format_gives_the_same_trips() {
    for (text_ids, link) in [(false, "" as &str), (true, "l"), (true, "a,b")] {
        let network = ring(50, |link_row| format!("{link}{}", link_row * 7));
        let trips = some_trips(&network, 20_000, 3, text_ids);
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        write_trips::csv(&path("t.csv"), &network, &trips).unwrap();
        write_trips::parquet(&path("t.parquet"), &network, &trips).unwrap();
        std::fs::copy(path("t.parquet"), path("nameless")).unwrap();
        let text = std::fs::read(path("t.csv")).unwrap();
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&text).unwrap();
        std::fs::write(path("t.csv.gz"), packed.finish().unwrap()).unwrap();
        let windows = String::from_utf8(text).unwrap().replace('\n', "\r\n");
        std::fs::write(path("windows.csv"), format!("\u{feff}{windows}")).unwrap();
        for name in ["t.csv", "t.parquet", "nameless", "t.csv.gz", "windows.csv"] {
            let file = trips::read(&path(name), &network).unwrap();
            assert!(rows(&file.trips) == rows(&trips), "{name}");
            assert_eq!(matches!(file.trips.trip_id, TripIds::Text(_)), text_ids);
            assert!(file.faults.rows.is_empty() && file.notes[0].contains("not in order of departure"), "{name}");
        }
    }
}

#[test]
fn quotes_late_in_a_long_file_are_read_as_early_ones() {
    let network = ring(10, |link| link.to_string());
    let mut text = String::from("vehicle_class,route,to_node,from_node,depart_s,trip_id\n");
    // More than one block of the reader, so that the quotes come after rows that are already joined.
    let long = "0 1 2 3 4 5 6 7 8 9 ".repeat(200);
    for trip in 0..9000 {
        text += &format!("car,{long},n0,n0,{trip},{trip}\n");
    }
    assert!(text.len() > 33 << 20);
    text += "truck,\"0 1\n2\",n3,\"n0\",5,\"a \"\"b\"\",\"\n";
    let file = read(&text, &network);
    assert_eq!((file.trips.len(), file.faults.rows.len()), (9001, 0));
    assert_eq!((file.trips.trip_id.text(8999), file.trips.trip_id.text(9000)), ("8999".into(), "a \"b\",".into()));
    assert_eq!(file.trips.route(9000), [0, 1, 2].map(CarLinkIx));
    assert_eq!(
        (file.trips.vehicle_class[8999], file.trips.vehicle_class[9000]),
        (VehicleClass::Car, VehicleClass::Truck)
    );
}

#[test]
fn faults_of_single_trips_are_counted_with_examples() {
    let network = ring(6, |link| format!("{}", 100 + link));
    let text = "trip_id,depart_s,from_node,to_node,route
1,0,n0,n2,100 101
2,-0.5,n0,n2,
3,0,n9,n2,100
4,0,n0,,100
5,0,n0,n2,100 999 101
6,0,n0,n2,100 102
7,0,n1,n2,100 101
8,0,n0,n3,100 101
1,0,n0,n1,100
9,9e6,n0,n1,
10,1,n0,n0,
";
    let mut file = read(text, &network);
    let by_row: Vec<(u32, &str)> = file.faults.rows.iter().map(|&(row, fault)| (row, fault.name())).collect();
    let expected = [
        (1, "negative_time"),
        (2, "unknown_origin"),
        (3, "unknown_destination"),
        (4, "unknown_link"),
        (5, "route_gap"),
        (6, "route_not_from_origin"),
        (7, "route_not_to_destination"),
        (8, "duplicate_id"),
        (9, "time_out_of_range"),
    ];
    assert_eq!(by_row, expected);
    assert_eq!(file.trips.len(), 11);
    file.faults.path = PathBuf::from("trips.csv");
    let mut said: Vec<String> = file.faults.problems().listed().iter().map(ToString::to_string).collect();
    said.sort_by_key(|text| text.split(' ').nth(2).and_then(|row| row.parse::<u32>().ok()));
    assert_eq!(said[0], "trips.csv row 2 (id 2): depart_s = -0.5, expected >= 0");
    assert_eq!(said[1], "trips.csv row 3 (id 3): from_node = n9, expected a node of the network");
    assert_eq!(said[2], "trips.csv row 4 (id 4): to_node = (blank), expected a node of the network");
    assert_eq!(said[3], "trips.csv row 5 (id 5): route = 999, expected links of the network");
    assert_eq!(said[4], "trips.csv row 6 (id 6): route = ... 100 102 ..., expected links that follow one another");
    assert_eq!(said[7], "trips.csv row 9 (id 1): trip_id = 1 (as in row 1), expected an id that occurs once");
}

#[test]
fn many_faults_keep_the_first_examples() {
    let network = ring(4, |link| link.to_string());
    let mut text = String::from("trip_id,depart_s,from_node,to_node\n");
    for trip in 0..300_000 {
        text += &format!("{trip},1,{},n1\n", if trip % 3 == 2 { "x" } else { "n0" });
    }
    let file = read(&text, &network);
    assert_eq!(file.faults.counts()[&TripFault::UnknownOrigin], 100_000);
    let examples: Vec<u32> = file.faults.examples[&TripFault::UnknownOrigin].iter().map(|of| of.row).collect();
    assert_eq!(examples, [2, 5, 8, 11, 14]);
    assert_eq!(examples.len(), EXAMPLES_KEPT);
}

#[test]
fn malformed_files_name_every_place() {
    let network = ring(4, |link| link.to_string());
    let header = "trip_id,depart_s,from_node,to_node,vehicle_class\n";
    let text =
        format!("{header}1,noon,n0,n1,car\n2,,n0,n1,tank\n\n3,1,n0\n,5,n0,n1,\n4,nan,n0,n1,bus\n5,1,n0,n1,car,,\n");
    let expected = "trips.csv row 1 (id 1): depart_s = noon, expected a number of seconds since the start
trips.csv row 2 (id 2): depart_s = (blank), expected a number of seconds since the start
trips.csv row 2 (id 2): vehicle_class = tank, expected one of car, van, truck, bus, motorcycle
trips.csv row 3 (id 3): cells = 3, expected 5
trips.csv row 4: trip_id = (blank), expected a value
trips.csv row 5 (id 4): depart_s = nan, expected a number of seconds since the start";
    assert_eq!(problems(&text, &network), expected);
    assert_eq!(problems(&text.replace("noon", "\"noon\""), &network), expected);
    let missing = problems("trip,departs,from_node,to_node,to_node\n", &network);
    for part in [
        "column `trip_id` is missing; the columns present are trip, departs",
        "`depart_s` is missing",
        "`to_node` occurs twice",
    ] {
        assert!(missing.contains(part), "{missing}");
    }
    for (text, part) in [("", "is empty"), ("\n\n", "is empty"), ("trip_id;depart_s\n", "one column")] {
        assert!(problems(text, &network).contains(part), "{text:?}");
    }
    assert!(matches!(trips::read(Path::new("/nowhere/trips.csv"), &network), Err(Error::Read { .. })));
    let parquet = read_as("trips.parquet", b"PAR1 but not really PAR1", &network).unwrap_err();
    assert!(matches!(parquet, Error::Input(_)), "{parquet}");
    let none = read(header, &network);
    assert!(none.trips.is_empty() && none.notes[0].contains("no trips"));
}

#[test]
fn the_same_for_any_number_of_threads() {
    let network = ring(40, |link| link.to_string());
    let trips = some_trips(&network, 60_000, 9, false);
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("t.csv");
    write_trips::csv(&path, &network, &trips).unwrap();
    let text = std::fs::read_to_string(&path).unwrap().replace("\n1001,", "\nx1001,").replace(",n7,", ",m7,");
    std::fs::write(&path, text).unwrap();
    write_trips::parquet(&place.path().join("t.parquet"), &network, &trips).unwrap();
    for name in ["t.csv", "t.parquet"] {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let file = pool.install(|| trips::read(&place.path().join(name), &network)).unwrap();
            (rows(&file.trips), file.faults.rows, file.faults.examples, file.notes)
        };
        let one = on(1);
        assert_eq!(one.1.is_empty(), name == "t.parquet");
        for threads in [2, 3, 8, 16] {
            assert!(on(threads) == one, "{name} on {threads} threads");
        }
    }
}

#[test]
fn ids_in_parquet_may_be_numbers() {
    use arrow::array::{ArrayRef, Float64Array, Int32Array, UInt64Array};
    use std::sync::Arc;
    use urbis_interop::write_trips::{Packing, parquet_bytes};
    let network =
        RoadNetwork { node_id: ["3", "4", "5"].map(str::to_owned).to_vec(), ..ring(3, |link| link.to_string()) };
    let column = |name: &'static str, cells: ArrayRef| (name, true, Packing::Plain, cells);
    let columns = [
        column("trip_id", Arc::new(UInt64Array::from(vec![1, u64::MAX, 3]))),
        column("depart_s", Arc::new(Int32Array::from(vec![5, 6, 7]))),
        column("from_node", Arc::new(Float64Array::from(vec![Some(3.0), Some(3.5), None]))),
        column("to_node", Arc::new(Int32Array::from(vec![Some(4), Some(5), Some(9)]))),
    ];
    let file = read_as("t.parquet", &parquet_bytes(Path::new("t"), &columns).unwrap(), &network).unwrap();
    assert_eq!((file.trips.from_node[0], file.trips.to_node[0], file.trips.to_node[1]), (0, 1, 2));
    assert_eq!(file.trips.trip_id.text(1), u64::MAX.to_string());
    let faults: Vec<&str> = file.faults.rows.iter().map(|(_, fault)| fault.name()).collect();
    assert_eq!(faults, ["unknown_origin", "unknown_origin"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Valid files with some bytes changed, left out or cut off: trips or a clear error.
    #[test]
    fn damaged_files_never_panic(
        form in 0..3_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let network = ring(5, |link| link.to_string());
        let trips = some_trips(&network, 12, 1, form == 1);
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(if form == 2 { "t.parquet" } else { "t.csv" });
        if form == 2 {
            write_trips::parquet(&path, &network, &trips).unwrap();
        } else {
            write_trips::csv(&path, &network, &trips).unwrap();
        }
        let mut bytes = std::fs::read(&path).unwrap();
        for (at, byte, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b"\",\n\r ;-.\xff"[byte as usize % 9]),
                _ => { bytes.remove(at); }
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        std::fs::write(&path, &bytes).unwrap();
        match trips::read(&path, &network) {
            Ok(file) => {
                let trips = &file.trips;
                prop_assert_eq!(trips.len(), trips.trip_id.len());
                prop_assert_eq!(trips.len(), trips.route_ends.len());
                prop_assert!(file.faults.rows.iter().all(|&(row, _)| (row as usize) < trips.len()));
                prop_assert!(trips.route_links.iter().all(|link| link.row() < 5));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    /// The quick reader of plain cells and the general one of quoted cells agree, whatever the cells hold.
    #[test]
    fn quoted_and_plain_cells_are_the_same(cells in prop::collection::vec(("[ -]?[0-9a.]{0,6}", "[0-9.e-]{0,6}", "n[0-6]| ?", "[0-6 x]{0,9}"), 0..12)) {
        let network = ring(5, |link| link.to_string());
        let (mut plain, mut quoted) = ("trip_id,depart_s,from_node,route,to_node\n".to_owned(), String::new());
        quoted += "\"trip_id\",depart_s,from_node,route,to_node\n";
        for (id, depart, node, route) in &cells {
            plain += &format!("{id},{depart},{node},{route},n1\n");
            quoted += &format!("\"{id}\",\"{depart}\",\"{node}\",\"{route}\",\"n1\"\n");
        }
        let outcome = |text: &str| match read_as("trips.csv", text.as_bytes(), &network) {
            Ok(file) => Ok((rows(&file.trips), file.faults.rows, file.faults.examples)),
            Err(Error::Input(found)) => {
                let sentence = |text: String| text[text.rfind("/trips.csv").unwrap_or(0)..].to_owned();
                Err(found.listed().iter().map(|problem| sentence(problem.to_string())).collect::<Vec<_>>())
            }
            Err(other) => Err(vec![other.to_string()]),
        };
        prop_assert_eq!(outcome(&plain), outcome(&quoted));
    }
}
