//! The quick reader of GMNS folders against the general one: the same network, and nothing that panics.

use proptest::prelude::*;
use std::fmt::Write;
use std::path::Path;
use urbis_city::gmns;
use urbis_city::model::City;
use urbis_city::projection::Projection;
use urbis_city::road_defaults::RoadRules;
use urbis_core::Error;
use urbis_core::rng::Rng;
use urbis_interop::read_gmns::{self, ReadOptions};
use urbis_interop::read_network::NetworkFile;
use urbis_traffic::CarNetwork;

fn general(folder: &Path, projection: &Projection) -> (CarNetwork, Vec<String>, Vec<String>) {
    let roads = gmns::read(folder, projection, &RoadRules::default()).unwrap();
    let mut city = City { nodes: roads.nodes, links: roads.links, turns: roads.turns, ..City::default() };
    city.links.zone.fill(urbis_core::ZoneIx::NONE);
    let network = CarNetwork::from_city(&city).unwrap();
    let nodes = network.city_node.iter().map(|node| city.nodes.id[node.row()].clone()).collect();
    let links = network.city_link.iter().map(|link| city.links.id[link.row()].clone()).collect();
    (network, nodes, links)
}

fn assert_same(folder: &Path, projection: &Projection) -> usize {
    let (expected, node_id, link_id) = general(folder, projection);
    let NetworkFile { network: road, warnings, .. } = read_gmns::read(folder, &ReadOptions::default()).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let network = CarNetwork::from_columns(road.columns).unwrap();
    assert_eq!(road.link_id, link_id);
    let ends = |of: &[u32], names: &[String]| of.iter().map(|&node| names[node as usize].clone()).collect::<Vec<_>>();
    assert_eq!(ends(&network.from, &road.node_id), ends(&expected.from, &node_id));
    assert_eq!(ends(&network.to, &road.node_id), ends(&expected.to, &node_id));
    let bits = |of: &[f64]| of.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&network.length_m), bits(&expected.length_m));
    assert_eq!(bits(&network.capacity_vps), bits(&expected.capacity_vps));
    assert_eq!(bits(&network.priority), bits(&expected.priority));
    assert_eq!(bits(&network.route_factor), bits(&expected.route_factor));
    assert_eq!(
        (&network.free_time, &network.lag, &network.storage),
        (&expected.free_time, &expected.lag, &expected.storage)
    );
    assert_eq!((network.report, &network.in_circle), (expected.report, &expected.in_circle));
    let row_of = |id: &String| road.node_id.iter().position(|other| other == id).unwrap();
    for (node, id) in node_id.iter().enumerate().step_by(node_id.len().div_ceil(200)) {
        let at = (network.x_m[row_of(id)].to_bits(), network.y_m[row_of(id)].to_bits());
        assert_eq!(at, (expected.x_m[node].to_bits(), expected.y_m[node].to_bits()));
    }
    link_id.len()
}

/// The corner of a table that says where a network lies.
fn first_place(folder: &Path) -> (f64, f64) {
    let table = urbis_city::table::Table::find(folder, "node.csv").unwrap().unwrap();
    let [x, y] = ["x_coord", "y_coord"].map(|name| table.optional(name).unwrap());
    let row = table.rows().next().unwrap();
    (row.text(x).parse().unwrap(), row.text(y).parse().unwrap())
}

#[test]
fn coquimbo_is_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/coquimbo/network");
    let (lon, lat) = first_place(&folder);
    assert!(assert_same(&folder, &Projection::auto(lon, lat)) > 20_000);
}

/// A network of random figures: blank cells, both ways, shapes in and beside the table, other uses.
fn random_folder(folder: &Path, seed: u64) {
    let mut rng = Rng::new(seed, 0, 0, 0);
    let count = 5 + rng.below(25);
    let mut nodes = String::from("node_id,x_coord,y_coord,ctrl_type\n");
    for node in 0..count {
        let control = ["", "signal", "no_control", "stop"][rng.below(4) as usize];
        let (x, y) = (7.0 + rng.uniform() * 0.1, 43.0 + rng.uniform() * 0.1);
        let _ = writeln!(nodes, "{},{x},{y},{control}", (count - node) * 3);
    }
    let mut links = String::from(
        "link_id,from_node_id,to_node_id,directed,length,lanes,capacity,free_speed,jam_density,facility_type,allowed_uses,geometry,geometry_id\n",
    );
    let mut shapes = String::from("geometry_id,geometry\n");
    let place = |rng: &mut Rng| format!("{} {}", 7.0 + rng.uniform() * 0.1, 43.0 + rng.uniform() * 0.1);
    for link in 0..60 {
        let mut pick = |of: &[&'static str]| of[rng.below(of.len() as u32) as usize];
        let facility = pick(&["", "motorway", "primary", "Residential", "footway", "living street", "service", "odd"]);
        let uses = pick(&["", "", "auto", "all", "bike", "bus"]);
        let lanes = pick(&["", "1", "2", "3.0"]);
        let capacity = pick(&["", "900", "1200.5"]);
        let directed = pick(&["1", "0", "true"]);
        let speed = pick(&["", "30", "61.5"]);
        let jam = pick(&["", "140"]);
        let blank = rng.chance(0.3);
        let length = if blank { String::new() } else { format!("{}", 0.02 + rng.uniform()) };
        let (a, b) = ((1 + rng.below(count)) * 3, (1 + rng.below(count)) * 3);
        let mut shape = String::new();
        let mut shape_id = String::new();
        if rng.chance(0.3) {
            let line = format!("\"LINESTRING ({}, {})\"", place(&mut rng), place(&mut rng));
            if rng.chance(0.5) {
                shape = line;
            } else {
                let _ = writeln!(shapes, "s{link},{line}");
                shape_id = format!("s{link}");
            }
        }
        let id = if link % 5 == 0 { format!("way {link}") } else { (1000 - link).to_string() };
        let _ = writeln!(
            links,
            "{id},{a},{b},{directed},{length},{lanes},{capacity},{speed},{jam},{facility},{uses},{shape},{shape_id}"
        );
    }
    for (name, text) in [("node.csv", nodes), ("link.csv", links), ("geometry.csv", shapes)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    std::fs::write(folder.join("config.csv"), "long_length,speed\nkm,kmh\n").unwrap();
}

#[test]
fn random_networks_are_the_same() {
    for seed in 0..40 {
        let place = tempfile::tempdir().unwrap();
        random_folder(place.path(), seed);
        let (lon, lat) = first_place(place.path());
        assert!(assert_same(place.path(), &Projection::auto(lon, lat)) > 0, "seed {seed}");
    }
}

fn folder(nodes: &str, links: &str, config: Option<&str>) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("node.csv"), nodes).unwrap();
    std::fs::write(place.path().join("link.csv"), links).unwrap();
    if let Some(config) = config {
        std::fs::write(place.path().join("config.csv"), config).unwrap();
    }
    place
}

fn said(error: &Error) -> String {
    let Error::Input(problems) = error else { return error.to_string() };
    let sentence = |problem: &urbis_core::Problem| format!("{problem} {}", problem.help_text().unwrap_or_default());
    problems.listed().iter().map(sentence).collect::<Vec<_>>().join("\n")
}

#[test]
fn planar_metres_are_taken_as_they_stand() {
    let nodes = "node_id,x_coord,y_coord\n1,0,0\n2,500,0\n3,500,700\n";
    let links = "link_id,from_node_id,to_node_id,directed,lanes\n1,1,2,1,1\n2,2,3,1,2\n";
    let place = folder(nodes, links, Some("long_length,speed\nm,mps\n"));
    let file = read_gmns::read(place.path(), &ReadOptions::default()).unwrap();
    assert_eq!(file.network.columns.length_m, [500.0, 700.0]);
    assert!(file.network.notes[0].contains("planar metres"), "{:?}", file.network.notes);
    // Lengths in metres that no unit is stated for are refused with advice.
    let links = "link_id,from_node_id,to_node_id,directed,length\n1,1,2,1,500\n2,2,3,1,700\n";
    let refused = read_gmns::read(folder(nodes, links, None).path(), &ReadOptions::default()).unwrap_err();
    assert!(said(&refused).contains("add `long_length` to config.csv; `m` would fit best"), "{}", said(&refused));
}

#[test]
fn lengths_of_zero_are_repaired_and_said_or_refused() {
    let nodes = "node_id,x_coord,y_coord\n1,0,0\n2,500,0\n3,500,0\n";
    let links = "link_id,from_node_id,to_node_id,directed,length\na,1,2,1,0\nb,2,3,1,0.0\nc,3,1,1,510\n";
    let place = folder(nodes, links, Some("long_length,speed\nm,mps\n"));
    let file = read_gmns::read(place.path(), &ReadOptions::default()).unwrap();
    assert_eq!(file.network.columns.length_m, [500.0, 1.0, 510.0]);
    let warning = &file.warnings[0];
    assert_eq!((warning.kind, warning.count), ("zero_length_links", 2));
    assert!(warning.examples[0].contains("row 1 (id a): length = 0, expected > 0; taken as 500.0 m"), "{warning:?}");
    let strict = ReadOptions { refuse_zero_length: true, ..ReadOptions::default() };
    let refused = said(&read_gmns::read(place.path(), &strict).unwrap_err());
    assert!(refused.contains("row 1 (id a): length = 0, expected > 0") && refused.contains("(id b)"), "{refused}");
}

#[test]
fn every_fault_is_named() {
    let nodes = "node_id,x_coord,y_coord\n1,7,43\n2,7.1,43\n";
    let links = "link_id,from_node_id,to_node_id,directed,length,lanes,capacity
1,1,9,1,1,1,900
2,1,2,maybe,1,1,900
3,1,2,1,-3,1,900
3,2,1,1,1,99,900
4,1,2,0,1,1,9e9
5,1,2,0,1,1,900
5_r,2,1,1,1,1,900
";
    let text = said(&read_gmns::read(folder(nodes, links, None).path(), &ReadOptions::default()).unwrap_err());
    for part in [
        "row 1 (id 1): to_node_id = 9, expected a node_id of node.csv",
        "row 2 (id 2): directed = maybe",
        "row 3 (id 3): length = -3, expected > 0",
        "row 4 (id 3): lanes = 99",
        "row 4 (id 3): link_id = 3, expected an id that row 3 does not have already",
        "row 5 (id 4): capacity = 9e9, expected less than jam density times free speed",
        "row 7 (id 5_r): link_id = 5_r, expected another id",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let twice = folder("node_id,x_coord,y_coord\n1,7,43\n1,7.1,43\n", "link_id\n", None);
    let text = said(&read_gmns::read(twice.path(), &ReadOptions::default()).unwrap_err());
    assert!(text.contains("row 2 (id 1): node_id = 1, expected an id that row 1 does not have already"), "{text}");
    let empty = tempfile::tempdir().unwrap();
    let text = said(&read_gmns::read(empty.path(), &ReadOptions::default()).unwrap_err());
    assert!(text.contains("node.csv: is missing") && text.contains("link.csv: is missing"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn damaged_folders_never_panic(
        seed in 0..20_u64,
        changes in prop::collection::vec((0..4_usize, any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let place = tempfile::tempdir().unwrap();
        random_folder(place.path(), seed);
        for (file, at, byte) in changes {
            let path = place.path().join(["node.csv", "link.csv", "config.csv", "geometry.csv"][file]);
            let mut bytes = std::fs::read(&path).unwrap();
            if bytes.is_empty() {
                continue;
            }
            let at = at.index(bytes.len());
            match byte % 4 {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b"\",\n0-."[byte as usize % 6]),
                2 => { bytes.remove(at); }
                _ => bytes.truncate(at),
            }
            std::fs::write(&path, bytes).unwrap();
        }
        match read_gmns::read(place.path(), &ReadOptions::default()) {
            Ok(file) => {
                let columns = &file.network.columns;
                prop_assert!(columns.length_m.iter().all(|&length_m| length_m > 0.0));
                prop_assert_eq!(columns.from.len(), file.network.link_id.len());
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
