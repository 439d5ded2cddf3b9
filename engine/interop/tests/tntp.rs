//! TNTP as people write it, as it should not be, and as chance makes it.

use proptest::prelude::*;
use std::path::{Path, PathBuf};
use urbis_core::Error;
use urbis_interop::matrix::{self, OmxOptions, Profile, ZoneNodes};
use urbis_interop::read_gmns::ReadOptions;
use urbis_interop::read_network;
use urbis_interop::tntp::{LengthUnit, TimeUnit, TntpNetwork, TntpTrips, TntpUnits, parse_network, parse_trips};
use urbis_traffic::{CarNetwork, Router};

const NET: &str = "<NUMBER OF ZONES> 2\t\t\n<NUMBER OF NODES> 4\n<FIRST THRU NODE> 3\n<NUMBER OF LINKS> 3\n\
    <ORIGINAL HEADER>~ \tInit node \tTerm node \t;\n<END OF METADATA>\n\n\n\
    ~ \tinit_node\tterm_node\tcapacity\tlength\tfree_flow_time\tb\tpower\tspeed\ttoll\tlink_type\t;\n\
    \t1\t3\t25900.20064\t6\t6\t0.15\t4\t0\t2.5\t1\t;\n\t3\t2\t1e3\t.5\t6.\t1.5E-1\t4.5\t0\t0\t1;\n\t3\t2\t0\t0\t0\t0.15\t4\t0\t0\t3\t;\n";
const TRIPS: &str = "<NUMBER OF ZONES> 2\n<TOTAL OD FLOW> 13.5\n<END OF METADATA>\n\n~ made up\nOrigin \t1 \n\
    1 :  1.0;   2 :    10.5; \n\nOrigin 2\n 1 : 2.0; 2 : 0.0;\n";

fn net(text: &str) -> Result<TntpNetwork, Vec<String>> {
    parse_network(Path::new("n.tntp"), text).map_err(said)
}

fn trips(text: &str) -> Result<TntpTrips, Vec<String>> {
    parse_trips(Path::new("t.tntp"), text).map_err(said)
}

fn said(error: Error) -> Vec<String> {
    match error {
        Error::Input(problems) => problems.listed().iter().map(ToString::to_string).collect(),
        other => vec![other.to_string()],
    }
}

#[test]
fn a_network_is_read_as_written() {
    let read = net(NET).unwrap();
    assert_eq!((read.zones, read.nodes, read.first_thru), (2, 4, 3));
    assert_eq!((&read.from[..], &read.to[..]), (&[1, 3, 3][..], &[3, 2, 2][..]));
    assert_eq!(read.capacity, [25900.20064, 1000.0, 0.0]);
    assert_eq!((read.length[1], read.free_flow_time[1], read.b[1], read.power[1]), (0.5, 6.0, 0.15, 4.5));
    assert_eq!((&read.toll[..], &read.link_type[..]), (&[2.5, 0.0, 0.0][..], &[1.0, 1.0, 3.0][..]));
    assert_eq!((&read.line[..], read.notes.len()), (&[10, 11, 12][..], 0), "{:?}", read.notes);
}

#[test]
fn trips_are_read_as_written() {
    let read = trips(TRIPS).unwrap();
    assert_eq!((&read.from[..], &read.to[..], &read.flow[..]), (&[1, 1, 2][..], &[1, 2, 1][..], &[1.0, 10.5, 2.0][..]));
    assert_eq!((read.zones, read.notes.len()), (2, 0), "{:?}", read.notes);
}

#[test]
fn the_same_in_other_spellings() {
    let (network, demand) = (net(NET).unwrap(), trips(TRIPS).unwrap());
    for (from, to) in
        [("\n", "\r\n"), ("\n", "\r"), ("\t", "  "), (";", ""), ("<FIRST THRU NODE>", "<first  thru NODE>")]
    {
        assert_eq!(net(&NET.replace(from, to)).unwrap(), network, "{from:?} {to:?}");
    }
    assert_eq!(net(&format!("\u{feff}{NET}")).unwrap(), network);
    let (head, rows) = NET.split_once("<END OF METADATA>\n").unwrap();
    let turned: Vec<&str> = head.lines().rev().collect();
    assert_eq!(net(&format!("{}\n<END OF METADATA>\n{rows}", turned.join("\n"))).unwrap(), network);
    for (from, to) in [
        ("\n", "\r\n"),
        (";", " "),
        (";", ";\n"),
        (" : ", ":"),
        (" : ", "\n:\n"),
        ("Origin", "origin"),
        ("Origin 2", "; Origin 2.0 "),
    ] {
        assert_eq!(trips(&TRIPS.replace(from, to)).unwrap(), demand, "{from:?} {to:?}");
    }
}

#[test]
fn columns_may_stand_in_another_order() {
    let text = "<FIRST THRU NODE> 1\n<NUMBER OF ZONES> 2\n~ term_node init_node free_flow_time capacity length power b ;\n2 1 7 100 3 4 0.15 ;\n";
    let read = net(text).unwrap();
    assert_eq!((read.from[0], read.to[0]), (1, 2));
    assert_eq!((read.free_flow_time[0], read.capacity[0], read.length[0]), (7.0, 100.0, 3.0));
    assert_eq!((read.power[0], read.b[0], read.toll[0]), (4.0, 0.15, 0.0));
    assert!(read.notes.iter().any(|note| note.contains("1 links have no speed, toll or type")), "{:?}", read.notes);
}

#[test]
fn broken_promises_are_noted() {
    let read = net(&NET.replace("LINKS> 3", "LINKS> 5").replace("NODES> 4", "NODES> 2")).unwrap();
    for part in ["promises 5 links, the file has 3", "nodes go up to 3, the header promises 2"] {
        assert!(read.notes.iter().any(|note| note.contains(part)), "{part} is missing in {:?}", read.notes);
    }
    let silent = net("1 2 10 1 1 0.15 4 0 0 1 ;").unwrap();
    assert_eq!((silent.first_thru, silent.zones, silent.nodes), (1, 0, 2));
    assert!(silent.notes.iter().any(|note| note.contains("<FIRST THRU NODE>")), "{:?}", silent.notes);
    let read = trips(&TRIPS.replace("13.5", "20")).unwrap();
    assert!(read.notes[0].contains("promises a total flow of 20, entries add up to 13.5"), "{:?}", read.notes);
}

#[test]
fn every_senseless_value_is_named_with_its_line() {
    let text = "<NUMBER OF NODES> many\n<END OF METADATA>\n1 2 10 1 1 0.15 4 0 0 1;\n0 2 10 1 1 0.15 4 0 0 1;\n\
        1 2.5 10 1 1 0.15 4 0 0 1;\n1 2 nan 1 1 0.15 4 0 0 1;\n1 2 10 -1 1 0.15 4 0 0 1;\n1 2 10 1 inf 0.15 4 0 0 1;\n\
        1 2 10 1 1 x 4 0 0 1;\n1 2 10 1 1 0.15 -4 0 0 1;\n1 2 0 1 1 0.15 4 0 0 1;\n1 2 10 1 1 0.15;\n1 2 10 1 1 0.15 4 0 NaN 1;\n\
        99999999999 2 10 1 1 0.15 4 0 0 1;\n";
    let said = net(text).unwrap_err();
    for part in [
        "n.tntp: line 1: NUMBER OF NODES = many, expected a whole number",
        "line 4: init_node = 0, expected a whole number from 1",
        "line 5: term_node = 2.5",
        "line 6: capacity = nan, expected a number of at least 0",
        "line 7: length = -1",
        "line 8: free_flow_time = inf",
        "line 9: b = x",
        "line 10: power = -4",
        "line 11: capacity = 0, expected above 0",
        "line 12: link = 6 columns",
        "line 13: toll = NaN, expected a number",
        "line 14: init_node = 99999999999",
    ] {
        assert!(said.iter().any(|line| line.contains(part)), "{part} is missing in {said:#?}");
    }
    assert_eq!(said.len(), 12, "{said:#?}");
    assert!(net("<END OF METADATA>\n").unwrap_err()[0].contains("has no links"));
    for (text, part) in [
        ("", "has no trips"),
        ("1 : 2;", "line 1: entry = 2, expected `Origin n` before"),
        ("Origin 1\n1 ; 2", "line 2: entry = ;, expected a colon"),
        ("Origin 1\n1 : -2;", "line 2: flow = -2, expected a number of at least 0"),
        ("Origin 1\n1 : nan;", "flow = nan"),
        ("Origin 1\n1 :", "expected `destination : flow;`"),
        ("Origin x\n1 : 1", "line 1: origin = x"),
        ("Origin 1\nfoo : 1", "line 2: entry = foo"),
        ("Origin 0\n", "origin = 0"),
    ] {
        let said = trips(text).unwrap_err();
        assert!(said[0].contains(part), "{part} is missing in {said:?}");
    }
    let absent = urbis_interop::tntp::read_network(Path::new("absent.tntp")).unwrap_err();
    assert!(absent.to_string().contains("cannot read absent.tntp"), "{absent}");
}

/// What chance does to a text: bytes replaced, removed, doubled, the end cut off.
fn damaged(text: &str, damage: &[(u8, u16, u8)]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for &(kind, place, with) in damage {
        if bytes.is_empty() {
            break;
        }
        let place = usize::from(place) % bytes.len();
        match kind % 5 {
            0 => bytes[place] = with,
            1 => drop(bytes.remove(place)),
            2 => bytes.insert(place, with),
            3 => bytes.truncate(place),
            _ => {
                let piece: Vec<u8> = bytes[place..].iter().take(usize::from(with)).copied().collect();
                bytes.splice(place..place, piece);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn damage_is_told_or_harmless(damage in prop::collection::vec(any::<(u8, u16, u8)>(), 1..12)) {
        match net(&damaged(NET, &damage)) {
            Ok(read) => {
                let links = read.from.len();
                prop_assert!(links > 0 && [&read.capacity, &read.b, &read.toll].iter().all(|column| column.len() == links));
                prop_assert!(read.free_flow_time.iter().chain(&read.power).all(|value| value.is_finite() && *value >= 0.0));
            }
            Err(said) => prop_assert!(said.iter().all(|line| line.starts_with("n.tntp: "))),
        }
        match trips(&damaged(TRIPS, &damage)) {
            Ok(read) => {
                prop_assert!(read.from.len() == read.flow.len() && read.to.len() == read.flow.len());
                prop_assert!(read.flow.iter().all(|flow| flow.is_finite() && *flow > 0.0));
            }
            Err(said) => prop_assert!(said.iter().all(|line| line.starts_with("t.tntp: "))),
        }
    }

    /// Written out and read again, trips are the same.
    #[test]
    fn there_and_back(entries in prop::collection::btree_map((1_u32..50, 1_u32..50), 1e-3..1e6_f64, 1..60)) {
        let mut text = String::from("<END OF METADATA>\n");
        let mut last = 0;
        for (&(from, to), flow) in &entries {
            if from != last {
                text += &format!("\nOrigin {from}\n");
                last = from;
            }
            text += &format!("{to} : {flow};");
        }
        let read = trips(&text).unwrap();
        let again: Vec<_> = (0..read.flow.len()).map(|row| ((read.from[row], read.to[row]), read.flow[row])).collect();
        prop_assert_eq!(again, entries.into_iter().collect::<Vec<_>>());
    }
}

/// The collection's networks as roads, and their trips as matrices.
#[test]
fn published_networks_become_roads() {
    let shared = std::env::var_os("URBIS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared"), PathBuf::from);
    let folder = shared.join("reference/traffic/tntp");
    if !folder.is_dir() {
        #[allow(clippy::print_stderr)] // a test says what it skips
        {
            eprintln!("skipped: no {}; set URBIS_SHARED", folder.display());
        }
        return;
    }
    let (mi, ft, min) = (Some(LengthUnit::Miles), Some(LengthUnit::Feet), Some(TimeUnit::Minutes));
    let assumed = TntpUnits::default();
    let cases = [
        ("SiouxFalls", assumed, 24, 76, 360_600.0),
        ("Anaheim", TntpUnits { length: ft, time: min }, 416, 914, 104_694.4),
        ("ChicagoSketch", TntpUnits { length: mi, time: min }, 933, 2950, 1_260_907.44),
    ];
    for (name, units, nodes, links, trips) in cases {
        let path = folder.join(format!("{name}_net.tntp"));
        let file = read_network::read(&path, &ReadOptions { tntp: units, ..ReadOptions::default() }).unwrap();
        assert_eq!((file.network.node_id.len(), file.network.link_id.len()), (nodes, links), "{name}");
        let assumes = file.network.notes.iter().any(|note| note.contains("assumed"));
        assert_eq!(assumes, units == assumed, "{name} {:?}", file.network.notes);
        let network = CarNetwork::from_columns(file.network.columns.clone()).unwrap();
        let router = Router::new(&network);
        let demand = matrix::read(&folder.join(format!("{name}_trips.tntp")), &OmxOptions::default()).unwrap();
        assert!((demand.total() / trips - 1.0).abs() < 1e-6, "{name} {}", demand.total());
        let nodes = ZoneNodes::by_name(&demand, &file.network).unwrap();
        let made = demand.into_trips(&nodes, &Profile::even(0.0, 3600.0).unwrap(), 1).unwrap().trips;
        let pairs: Vec<(u32, u32)> = (0..200).map(|row| (made.from_node[row], made.to_node[row])).collect();
        let routes = router.route_batch(&pairs);
        let first_thru = if name == "Anaheim" { 38 } else { 0 };
        for pair in 0..pairs.len() {
            let (way, _) = routes.route(pair).unwrap();
            // Zones are passed through nowhere.
            assert!(way[1..].iter().all(|link| network.from[link.row()] >= first_thru), "{name} {pair}");
        }
    }
    // Feet taken as kilometres are refused, and the units that fit are named.
    let Err(Error::Input(problems)) = read_network::read(&folder.join("Anaheim_net.tntp"), &ReadOptions::default())
    else {
        panic!("accepted")
    };
    assert!(format!("{:?}", problems.listed()).contains("--length-unit ft --time-unit min"), "{problems:?}");
}
