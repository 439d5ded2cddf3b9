//! GMNS folders rule by rule, under damage, and Urbis's own committed networks.

#![allow(clippy::print_stdout)] // tests say what they skip and what they measured

use super::*;
use crate::model::RoadClass;
use proptest::prelude::*;
use urbis_core::Error;

const NODES: &str = "node_id,x_coord,y_coord,ctrl_type,z_coord\n\
    10,9.000,0.100,none,\n9,9.001,0.100,signal,100\n2,9.001,0.101,4_stop,NaN\n";

fn table(name: &str, text: &str) -> Option<Table> {
    (!text.is_empty()).then(|| Table::from_bytes(Path::new(name), text.as_bytes()).unwrap())
}

fn network(nodes: &str, links: &str, config: &str, geometry: &str, options: GmnsOptions) -> Result<RoadGraph> {
    let files = Files {
        nodes: table("node.csv", nodes),
        links: table("link.csv", links),
        config: table("config.csv", config),
        geometry: table("geometry.csv", geometry),
    };
    let projection = Projection::auto(9.0, 0.1);
    from_files(Path::new("net"), files, &projection, &RoadRules::default(), options)
}

fn simple(links: &str, config: &str) -> Result<RoadGraph> {
    network(NODES, links, config, "", GmnsOptions::default())
}

fn said(result: Result<RoadGraph>) -> Vec<String> {
    let Err(Error::Input(problems)) = result else { return vec![] };
    problems.listed().iter().map(ToString::to_string).collect()
}

#[test]
fn units_ids_and_defaults() {
    let links = "link_id,from_node_id,to_node_id,directed,length,lanes,capacity,free_speed,jam_density,facility_type,allowed_uses,name\n\
        7,10,9,1,0.1,2,1800,60,200,arterial,auto,Main\n\
        5,9,2,false,,,,,,residential,,\n";
    let graph = simple(links, "long_length,speed,short_length\nmi,mph,ft\n").unwrap();
    let (nodes, links) = (&graph.nodes, &graph.links);
    assert_eq!(nodes.id, ["2", "9", "10"]);
    assert_eq!(nodes.control, [NodeControl::Stop, NodeControl::Signal, NodeControl::None]);
    assert!((nodes.elevation_m[1] - 30.48).abs() < 1e-9 && nodes.elevation_m[0].is_nan());
    assert_eq!(links.id, ["5", "7", "5_r"]);
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b, "{a} {b}");
    close(links.length_m[1], 160.9344);
    close(links.speed_mps_free[1], 26.8224);
    close(links.capacity_vps[1], 1.0); // given: as it is, though it ends at a signal
    close(links.jam_density_vpm[1], 2.0 * 200.0 / 1609.344);
    assert_eq!((links.class[1], links.modes[1], &*links.name[1]), (RoadClass::Primary, Modes::CAR, "Main"));
    // Blank: straight length, class figures, green share towards the signal only.
    assert!((links.length_m[0] - 110.6).abs() < 0.3, "{}", links.length_m[0]);
    close(links.capacity_vps[0], 1200.0 / 3600.0);
    close(links.capacity_vps[2], 0.45 * 1200.0 / 3600.0);
    assert_eq!((links.lanes[0], links.from[2], links.to[2]), (1, links.to[0], links.from[0]));
    // One-way 10 -> 9: cars cannot come back; all is kept and said.
    assert!(graph.report.modes["car"].connected_share < 0.7 && graph.links.len() == 3);
}

#[test]
fn only_the_connected_part_on_request() {
    let links = "link_id,from_node_id,to_node_id,directed\na,10,9,1\nb,9,2,0\n";
    let graph = network(NODES, links, "", "", GmnsOptions { keep_all: false }).unwrap();
    assert_eq!((graph.links.id, graph.nodes.id), (vec!["b".into(), "b_r".into()], vec!["2".into(), "9".to_owned()]));
    assert_eq!((graph.links.from, graph.links.to), (vec![NodeIx(1), NodeIx(0)], vec![NodeIx(0), NodeIx(1)]));
}

#[test]
fn geometry_from_both_places_in_any_sense() {
    let geometry = "geometry_id,geometry\ng1,\"LINESTRING(9.001 0.1, 9.0005 0.1003, 9.0 0.1)\"\n";
    let links = "link_id,from_node_id,to_node_id,directed,geometry_id,geometry,dir_flag\n\
        1,10,9,1,g1,,\n2,9,2,1,,\"LINESTRING (9.001 0.1, 9.001 0.101)\",1\n3,2,9,1,,\"LINESTRING (9.001 0.1, 9.001 0.101)\",-1\n";
    let graph = network(NODES, links, "", geometry, GmnsOptions::default()).unwrap();
    for row in 0..3 {
        let line = &graph.links.line[row].0;
        assert_eq!(line[0], graph.nodes.point[graph.links.from[row].row()].0, "link {}", graph.links.id[row]);
    }
    assert!(graph.links.length_m[0] > 125.0, "along the bend: {}", graph.links.length_m[0]);
}

#[test]
fn projected_coordinates() {
    let nodes = "node_id,x_coord,y_coord\na,372761.7117,4843653.5588\nb,372861.7117,4843653.5588\n";
    let links = "link_id,from_node_id,to_node_id,directed,geometry\n\
        1,a,b,0,\"LINESTRING(372761.7117 4843653.5588, 372861.7117 4843653.5588)\"\n";
    let read = |config: &str| {
        let files = Files {
            nodes: table("node.csv", nodes),
            links: table("link.csv", links),
            config: table("config.csv", config),
            geometry: None,
        };
        let utm = Projection::from_code("EPSG:32632").unwrap();
        from_files(Path::new("net"), files, &utm, &RoadRules::default(), GmnsOptions::default())
    };
    let graph = read("crs\nEPSG:32632\n").unwrap();
    assert!((graph.nodes.point[0].x() - 7.42).abs() < 1e-7 && (graph.links.length_m[0] - 100.0).abs() < 1e-6);
    let Err(Error::Input(problems)) = read("crs\n4326\n") else { panic!() };
    let first = &problems.listed()[0];
    assert!(first.to_string().starts_with("node.csv row 1 (id a): x_coord = 372761.7117, expected degrees"), "{first}");
    assert!(first.help_text().unwrap().contains("crs"));
    assert!(problems.listed()[1].to_string().contains("2 nodes in all"));
}

#[test]
fn every_fault_names_row_id_value() {
    let header = "link_id,from_node_id,to_node_id,directed,length,lanes,capacity,free_speed,geometry,allowed_uses\n";
    for (row, words) in [
        ("1,10,9,1,-3,,,,,", "link.csv row 1 (id 1): length = -3, expected > 0"),
        ("1,10,9,1,0,,,,,", "length = 0, expected > 0"),
        ("1,10,9,1,x,,,,,", "length = x, expected a number > 0"),
        ("1,10,77,1,1,,,,,", "to_node_id = 77, expected a node_id of node.csv"),
        ("1,,9,1,1,,,,,", "from_node_id = (blank), expected a value"),
        (",10,9,1,1,,,,,", "link_id = (blank)"),
        ("1,10,9,maybe,1,,,,,", "directed = maybe, expected true or false"),
        ("1,10,9,1,1,many,,,,", "lanes = many, expected a whole number from 0 to 32"),
        ("1,10,9,1,1,1,0,,,", "capacity = 0, expected > 0"),
        ("1,10,9,1,1,1,99999,50,,", "capacity = 99999, expected less than jam density times free speed, 6667"),
        ("1,10,9,1,1,1,,-5,,", "free_speed = -5, expected > 0"),
        ("1,10,9,1,1,1,,,POINT(9 0.1),", "expected a WKT LINESTRING"),
        ("1,10,9,1,1,1,,,LINESTRING(999 0),", "expected a WKT LINESTRING"),
        ("1,10,9,1,1,1,,,,hovercraft", "allowed_uses = hovercraft, expected words such as all"),
    ] {
        let problems = said(simple(&format!("{header}{row}\n"), "long_length\nm\n"));
        assert!(problems.len() == 1 && problems[0].contains(words), "{row}: {problems:?}");
    }
    let doubled = "1,10,9,1,100,,,,,\n1,9,10,1,100,,,,,\n";
    let problems = said(simple(&format!("{header}{doubled}"), "long_length\nm\n"));
    assert!(problems[0].contains("row 2 (id 1)") && problems[0].contains("row 1 does not have already"));
    let taken = "1,10,9,0,100,,,,,\n1_r,9,10,1,100,,,,,\n";
    let problems = said(simple(&format!("{header}{taken}"), "long_length\nm\n"));
    assert!(problems[0].contains("row 2 (id 1_r)") && problems[0].contains("way back"), "{problems:?}");
}

#[test]
fn missing_files_columns_units_and_nodes() {
    let links = "link_id,from_node_id,to_node_id,directed,length\n1,10,9,0,111\n2,9,2,0,111\n";
    let problems = said(simple(links, ""));
    assert!(problems[0].contains("no unit is stated"), "{problems:?}");
    assert!(said(simple(links, "long_length\nm\n")).is_empty());
    let problems = said(simple("link_id,from_node_id,to_node\n1,10,9\n", ""));
    assert!(
        problems[0].contains("column `to_node_id` is missing; the columns present are link_id, from_node_id, to_node")
    );
    assert!(problems[1].contains("column `directed` is missing"));
    assert_eq!(said(network("", "", "", "", GmnsOptions::default())).len(), 2);
    let bad = "node_id,x_coord,y_coord,ctrl_type\n1,9,0,magic\n1,9,0,\n3,a,0,\n";
    let problems = said(network(bad, links, "", "", GmnsOptions::default()));
    assert!(problems[0].contains("ctrl_type = magic") && problems[1].contains("row 1 does not have"), "{problems:?}");
    assert!(problems[2].contains("node.csv row 3 (id 3): x_coord = a, expected a number"));
    let projection = Projection::auto(9.0, 0.1);
    let error = read(Path::new("/nowhere"), &projection, &RoadRules::default());
    assert!(said(error)[0].contains("is not a folder"));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(said(read(folder.path(), &projection, &RoadRules::default())).len(), 2);
}

#[test]
fn loops_and_other_uses_are_counted() {
    let links = "link_id,from_node_id,to_node_id,directed,allowed_uses,lanes\n\
        1,10,10,1,all,\n2,10,9,1,rail,\n3,10,9,0,all,0\n4,9,2,0,\"walk,bike\",\n";
    let graph = simple(links, "").unwrap();
    assert_eq!(
        graph.report.ways_excluded,
        [("from a node to itself".to_owned(), 1), ("other uses".to_owned(), 1)].into()
    );
    assert_eq!(graph.links.id, ["3", "4", "3_r", "4_r"]);
    assert!(graph.links.modes.iter().all(|modes| !modes.contains(Modes::CAR)));
    assert!(graph.links.capacity_vps.iter().all(|capacity| capacity.abs() < 1e-12));
}

#[test]
fn networks_in_the_repository_come_in_whole() {
    for (name, lon, lat) in [("town", 10.0, 50.0), ("coquimbo", -71.3, -29.95)] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets").join(name).join("network");
        if !folder.exists() {
            println!("skipped: {} is not there", folder.display());
            continue;
        }
        let graph = read(&folder, &Projection::auto(lon, lat), &RoadRules::default()).unwrap();
        println!("{name}: {:#?}", graph.report);
        assert!(graph.links.length_m.iter().all(|&length_m| length_m > 0.0));
        assert!((graph.report.length_over_geometry - 1.0).abs() < 0.1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes: Vec<u8>,
        cells in prop::collection::vec("(10|9|2|1|0|-1|NaN|auto|LINESTRING ?\\([0-9 .,-]{0,12}\\)|POINT EMPTY|[ -~]{0,8})", 60),
    ) {
        let projection = Projection::auto(9.0, 0.1);
        let header = "link_id,from_node_id,to_node_id,directed,length,lanes,capacity,geometry,allowed_uses,facility_type\n";
        let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', ""))).collect();
        let rows: Vec<String> = quoted.chunks(10).map(|row| row.join(",")).collect();
        let text = format!("{header}{}\n", rows.join("\n"));
        for bytes in [&bytes[..], text.as_bytes()] {
            for place in 0..4 {
                let own = |at: usize, name: &str, text: &str| {
                    let bytes = if at == place { bytes } else { text.as_bytes() };
                    Table::from_bytes(Path::new(name), bytes).ok()
                };
                let files = Files {
                    nodes: own(0, "node.csv", NODES),
                    links: own(1, "link.csv", "link_id,from_node_id,to_node_id,directed\n1,10,9,0\n"),
                    config: own(2, "config.csv", "long_length\nm\n"),
                    geometry: own(3, "geometry.csv", "geometry_id,geometry\n"),
                };
                if let Ok(graph) = from_files(Path::new("n"), files, &projection, &RoadRules::default(), GmnsOptions::default()) {
                    for row in 0..graph.links.len() {
                        prop_assert!(graph.links.length_m[row] > 0.0 && graph.links.speed_mps_free[row] > 0.0);
                        prop_assert!(graph.links.from[row].row() < graph.nodes.len());
                        prop_assert!(graph.links.from[row] != graph.links.to[row]);
                    }
                }
            }
        }
    }
}
