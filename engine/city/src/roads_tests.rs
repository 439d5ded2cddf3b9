//! The road graph rule by rule on hand-made extracts, by property on random ones, and on real cities.

#![allow(clippy::print_stdout)] // tests say what they skip and what they measured

use crate::gateways::{External, ExternalLink, GatewayRules, Gateways};
use crate::model::{Links, Modes, NodeControl, RoadClass};
use crate::osm::{MemberKind, OsmExtract, OsmMember, OsmNode, OsmRelation, OsmWay, Tags};
use crate::osm_tests::shared_file;
use crate::projection::Projection;
use crate::road_defaults::RoadRules;
use crate::roads::{RoadGraph, RoadInput, build};
use crate::table::Table;
use geo::{Coord, LineString, MultiPolygon, Polygon};
use proptest::prelude::*;
use std::path::Path;
use urbis_core::{Error, NodeIx};

/// About 100 m in degrees at the equator, where these towns lie.
const STEP_DEG: f64 = 0.0009;

/// A town under construction: nodes on a lattice of 100 m.
#[derive(Clone, Default)]
struct Town {
    nodes: Vec<OsmNode>,
    ways: Vec<OsmWay>,
    relations: Vec<OsmRelation>,
}

impl Town {
    fn node(&mut self, id: i64, x: f64, y: f64, tags: &[(&str, &str)]) -> &mut Self {
        let (lon, lat) = (9.0 + x * STEP_DEG, 0.1 + y * STEP_DEG);
        self.nodes.push(OsmNode { id, lon, lat, tags: Tags::new(tags) });
        self
    }
    fn way(&mut self, id: i64, refs: &[i64], tags: &[(&str, &str)]) -> &mut Self {
        self.ways.push(OsmWay { id, refs: refs.to_vec(), tags: Tags::new(tags) });
        self
    }
    fn street(&mut self, id: i64, refs: &[i64]) -> &mut Self {
        self.way(id, refs, &[("highway", "residential")])
    }
    fn ban(&mut self, id: i64, value: &str, from: i64, via: i64, to: i64, more: &[(&str, &str)]) -> &mut Self {
        let member = |kind, id, role: &str| OsmMember { kind, id, role: role.to_owned() };
        let members = vec![
            member(MemberKind::Way, from, "from"),
            member(MemberKind::Node, via, "via"),
            member(MemberKind::Way, to, "to"),
        ];
        let tags = Tags::new(&[&[("type", "restriction"), ("restriction", value)], more].concat());
        self.relations.push(OsmRelation { id, members, tags });
        self
    }
    fn extract(&self) -> OsmExtract {
        OsmExtract::new(self.nodes.clone(), self.ways.clone(), self.relations.clone())
    }
    fn build(&self) -> RoadGraph {
        build_with(&self.extract(), None, None).unwrap()
    }
}

fn build_with(
    extract: &OsmExtract,
    clip: Option<&MultiPolygon>,
    gateways: Option<&Gateways>,
) -> urbis_core::Result<RoadGraph> {
    let [w, s, e, n] = extract.bbox_deg().unwrap_or_default();
    let projection = Projection::auto((w + e) / 2.0, (s + n) / 2.0);
    let rules = RoadRules::default();
    build(&RoadInput { path: Path::new("x.osm.pbf"), extract, projection: &projection, rules: &rules, clip, gateways })
}

/// Nodes 1 to 4 in a row, 5 above 2: a T with node 3 in the middle of the right arm.
fn tee() -> Town {
    let mut town = Town::default();
    town.node(1, 0.0, 0.0, &[]).node(2, 1.0, 0.0, &[]).node(3, 2.0, 0.0, &[]).node(4, 3.0, 0.0, &[]);
    town.node(5, 1.0, 1.0, &[]);
    town.street(10, &[1, 2, 3, 4]).street(11, &[2, 5]);
    town
}

fn ids(graph: &RoadGraph) -> Vec<&str> {
    graph.links.id.iter().map(String::as_str).collect()
}

fn row(graph: &RoadGraph, id: &str) -> usize {
    graph.links.id.iter().position(|other| other == id).unwrap_or_else(|| panic!("no {id} in {:?}", graph.links.id))
}

/// What every graph must satisfy, whatever it is made from.
fn assert_sound(graph: &RoadGraph) {
    let (nodes, links) = (&graph.nodes, &graph.links);
    let n = nodes.len();
    assert!([nodes.point.len(), nodes.x_m.len(), nodes.y_m.len(), nodes.control.len()].iter().all(|&len| len == n));
    assert!([nodes.external.len(), nodes.zone.len(), nodes.elevation_m.len()].iter().all(|&len| len == n));
    let numbers: Vec<i64> = nodes.id.iter().filter_map(|id| id.parse().ok()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    let mut ids = links.id.clone();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), links.len(), "link ids are unique");
    let mut touched = vec![false; n];
    for row in 0..links.len() {
        let (from, to) = (links.from[row], links.to[row]);
        assert!(from != to && from.row() < n && to.row() < n, "{}", links.id[row]);
        touched[from.row()] = true;
        touched[to.row()] = true;
        assert!(links.length_m[row] > 0.0 && links.speed_mps_free[row] > 0.0);
        assert!(links.modes[row] != Modes::default());
        let car = links.modes[row].contains(Modes::CAR);
        assert_eq!(car, links.lanes[row] >= 1);
        assert_eq!(car, links.capacity_vps[row] > 0.0 && links.jam_density_vpm[row] > 0.0);
        let line = &links.line[row].0;
        assert!(line[0] == nodes.point[from.row()].0 && line[line.len() - 1] == nodes.point[to.row()].0);
    }
    assert!(touched.iter().all(|&touched| touched), "no node without links");
    for (mode, name) in Modes::NAMED {
        let arcs: Vec<(u32, u32)> = (0..links.len())
            .filter(|&row| links.modes[row].contains(mode))
            .map(|row| (links.from[row].0, links.to[row].0))
            .collect();
        let parts = crate::components::strong_components(n, &arcs);
        let of_links: Vec<u32> = arcs.iter().map(|&(from, _)| parts[from as usize]).collect();
        assert!(arcs.iter().all(|&(_, to)| parts[to as usize] == of_links[0]), "{name} is strongly connected");
    }
    assert!(graph.turns.banned.is_sorted_by(|a, b| a < b));
    for &(a, b) in &graph.turns.banned {
        assert_eq!(links.to[a.row()], links.from[b.row()]);
    }
}

fn km_by_mode(links: &Links) -> [f64; 3] {
    Modes::NAMED.map(|(mode, _)| {
        (0..links.len())
            .filter(|&row| links.modes[row].contains(mode) && links.class[row] != RoadClass::External)
            .map(|row| links.length_m[row] / 1000.0)
            .sum()
    })
}

#[test]
fn ways_split_at_shared_nodes_and_merge_where_nothing_happens() {
    let graph = tee().build();
    assert_sound(&graph);
    assert_eq!(graph.nodes.id, ["1", "2", "4", "5"]);
    assert_eq!(ids(&graph), ["10_1_2", "10_2_1", "10_2_4", "10_4_2", "11_2_5", "11_5_2"]);
    assert_eq!(graph.report.nodes_merged, 0); // node 3 lies inside way 10 and never was a vertex
    let long = row(&graph, "10_2_4");
    assert!((graph.links.length_m[long] - 200.0).abs() < 0.5, "{}", graph.links.length_m[long]);
    assert_eq!(graph.links.line[long].0.len(), 3);
    assert!((graph.links.capacity_vps[long] - 1200.0 / 3600.0).abs() < 1e-12);
    assert!((graph.links.jam_density_vpm[long] - 1.0 / 7.5).abs() < 1e-12);
    // Two ways that differ in nothing become one link; other lanes, speed or name keep the node.
    for (tags, nodes) in [
        (&[("highway", "residential")][..], 3),
        (&[("highway", "residential"), ("name", "Elm")], 4),
        (&[("highway", "residential"), ("lanes", "4")], 4),
        (&[("highway", "residential"), ("maxspeed", "20")], 4),
        (&[("highway", "tertiary"), ("maxspeed", "30")], 4),
        (&[("highway", "residential"), ("bridge", "yes")], 4),
    ] {
        let mut town = tee();
        town.ways.remove(1);
        town.ways[0].refs = vec![1, 2];
        town.street(12, &[2, 3]).way(13, &[3, 4], tags).way(14, &[1, 5], &[("highway", "residential"), ("name", "x")]);
        let graph = town.build();
        assert_sound(&graph);
        assert_eq!(graph.nodes.len(), nodes, "{tags:?} {:?}", graph.links.id);
        assert_eq!(graph.report.nodes_merged, 5 - nodes);
    }
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    let mut town = tee();
    town.street(12, &[5, 3]).ban(1, "no_left_turn", 10, 2, 11, &[]);
    let forward = town.build();
    town.nodes.reverse();
    town.ways.reverse();
    let backward = town.build();
    assert_eq!(format!("{forward:?}"), format!("{backward:?}"));
}

#[test]
fn one_way_streets_only_stay_where_cars_come_back() {
    let mut town = tee();
    town.way(12, &[5, 4], &[("highway", "residential"), ("oneway", "yes")]);
    let graph = town.build();
    assert_sound(&graph);
    let car: Vec<bool> = ["12_5_4", "12_4_5"].map(|id| graph.links.modes[row(&graph, id)].contains(Modes::CAR)).into();
    assert_eq!(car, [true, false]);
    assert_eq!(graph.links.modes[row(&graph, "12_4_5")], Modes::WALK);
    // A one-way street to nowhere: cars and bicycles lose it, people on foot keep it.
    let mut town = tee();
    town.node(6, 0.0, 1.0, &[]).way(12, &[5, 6], &[("highway", "residential"), ("oneway", "yes")]);
    let graph = town.build();
    assert_sound(&graph);
    assert_eq!(graph.links.modes[row(&graph, "12_5_6")], Modes::WALK);
    let car = &graph.report.modes["car"];
    assert!((car.km_dropped - 0.1).abs() < 1e-3 && (car.km_kept - 0.8).abs() < 2e-3, "{car:?}");
    assert!((car.connected_share - car.km_kept / 0.9).abs() < 1e-3);
    assert!(graph.report.modes["walk"].km_dropped < 1e-9);
}

#[test]
fn islands_are_dropped_and_reported() {
    let mut town = tee();
    town.node(21, 50.0, 0.0, &[]).node(22, 51.0, 0.0, &[]).street(20, &[21, 22]);
    let graph = town.build();
    assert_sound(&graph);
    assert!(!graph.nodes.id.contains(&"21".to_owned()));
    for name in ["car", "bicycle", "walk"] {
        assert_eq!(graph.report.modes[name].parts, 2);
        assert!((graph.report.modes[name].km_dropped - 0.2).abs() < 1e-3);
    }
}

#[test]
fn loops_parallels_and_repeated_nodes() {
    let mut town = tee();
    // A loop at node 4, one of two nodes there and back, two parallel streets, a way that repeats a node.
    town.node(6, 4.0, 0.0, &[]).node(7, 4.0, 1.0, &[]).node(8, 3.0, 1.0, &[]).street(12, &[4, 6, 7, 8, 4]);
    town.node(9, 0.0, 1.0, &[]).street(13, &[5, 9, 5]).street(14, &[1, 2]).street(15, &[1, 1, 9, 9]);
    let graph = town.build();
    assert_sound(&graph);
    assert_eq!(graph.report.loops_cut, 1); // node 9 is a vertex, so way 13 is no loop but two parallel links
    assert!(ids(&graph).contains(&"12_4_7") && ids(&graph).contains(&"12_4_7_2"), "{:?}", ids(&graph));
    assert!(ids(&graph).contains(&"10_1_2") && ids(&graph).contains(&"14_1_2"));
    assert!(ids(&graph).contains(&"13_5_9_2"));
}

#[test]
fn signals_move_to_the_junction_they_control() {
    let signal = [("highway", "traffic_signals")];
    let at = |x: f64, tags: &[(&str, &str)], way: &[(&str, &str)]| {
        let mut town = tee();
        town.node(6, x, 0.0, tags);
        town.ways[0].refs = if x < 1.0 { vec![1, 6, 2, 3, 4] } else { vec![1, 2, 6, 3, 4] };
        town.ways[0].tags = Tags::new(&[&[("highway", "residential")], way].concat());
        let graph = town.build();
        assert_sound(&graph);
        let control: Vec<(String, NodeControl)> = graph
            .nodes
            .id
            .iter()
            .cloned()
            .zip(graph.nodes.control.iter().copied())
            .filter(|(_, control)| *control != NodeControl::None)
            .collect();
        (control, graph)
    };
    let (control, graph) = at(0.8, &signal, &[]);
    assert_eq!(control, [("2".to_owned(), NodeControl::Signal)]);
    assert_eq!((graph.report.controls_moved, graph.report.signals), (1, 1));
    // The links into the junction have the green share, those out of it have not.
    let capacity = |id: &str| graph.links.capacity_vps[row(&graph, id)] * 3600.0;
    assert!((capacity("10_1_2") - 540.0).abs() < 1e-9 && (capacity("11_5_2") - 540.0).abs() < 1e-9);
    assert!((capacity("10_2_1") - 1200.0).abs() < 1e-9);
    // Out of reach, or facing away from the junction: the signal keeps its own node.
    assert_eq!(at(0.5, &signal, &[]).0, [("6".to_owned(), NodeControl::Signal)]);
    let facing = [("highway", "traffic_signals"), ("traffic_signals:direction", "backward")];
    assert_eq!(at(0.8, &facing, &[]).0, [("6".to_owned(), NodeControl::Signal)]);
    let facing = [("highway", "give_way"), ("direction", "forward")];
    assert_eq!(at(0.8, &facing, &[]).0, [("2".to_owned(), NodeControl::GiveWay)]);
    assert_eq!(at(1.2, &[("highway", "stop")], &[]).0, [("2".to_owned(), NodeControl::Stop)]);
    assert_eq!(at(0.8, &[("highway", "mini_roundabout")], &[]).0, [("6".to_owned(), NodeControl::Roundabout)]);
    // On a one-way street away from the junction nothing lies ahead.
    assert_eq!(at(0.8, &signal, &[("oneway", "-1")]).1.report.controls_moved, 0);
}

#[test]
fn restrictions_become_banned_pairs_that_survive_merging() {
    let banned = |value: &str, more: &[(&str, &str)]| {
        let mut town = tee();
        town.ways[0].refs = vec![1, 2];
        town.street(12, &[2, 3]).street(13, &[3, 4]).ban(1, value, 10, 2, 12, more);
        let graph = town.build();
        assert_sound(&graph);
        let name = |ix: urbis_core::LinkIx| graph.links.id[ix.row()].clone();
        let pairs: Vec<(String, String)> = graph.turns.banned.iter().map(|&(a, b)| (name(a), name(b))).collect();
        (pairs, graph.report)
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    // Ways 12 and 13 merge into 12_2_4; the ban still names it.
    assert_eq!(banned("no_straight_on", &[]).0, [pair("10_1_2", "12_2_4")]);
    assert_eq!(banned("only_straight_on", &[]).0, [pair("10_1_2", "10_2_1"), pair("10_1_2", "11_2_5")]);
    for (value, more, reason) in [
        ("no_left_turn", &[("except", "bus;motorcar")][..], "except cars"),
        ("no_left_turn", &[("hour_on", "07:00")], "conditional"),
        ("give_way", &[], "unknown kind"),
    ] {
        let (pairs, report) = banned(value, more);
        assert!(pairs.is_empty() && report.restrictions_used == 0);
        assert_eq!(report.restrictions_skipped.get(reason), Some(&1), "{:?}", report.restrictions_skipped);
    }
}

#[test]
fn restrictions_that_say_too_little_are_counted() {
    let reasons = |change: fn(&mut Town)| {
        let mut town = tee();
        town.ban(1, "no_left_turn", 10, 2, 11, &[]);
        change(&mut town);
        town.build().report.restrictions_skipped.into_keys().collect::<Vec<String>>()
    };
    assert_eq!(reasons(|_| ()), ["way runs through the via node"]);
    assert_eq!(reasons(|t| t.relations[0].members[1].kind = MemberKind::Way), ["via way"]);
    assert_eq!(reasons(|t| t.relations[0].members[1].id = 99), ["member missing"]);
    assert_eq!(reasons(|t| drop(t.relations[0].members.pop())), ["member missing"]);
    assert_eq!(reasons(|t| drop(t.relations[0].members.remove(1))), ["no single via node"]);
    assert_eq!(reasons(|t| t.relations[0].members[0].id = 12345), ["movement not possible for cars"]);
    let conditional = |t: &mut Town| {
        t.relations[0].tags = Tags::new(&[("type", "restriction"), ("restriction:conditional", "no_left_turn @ (x)")]);
    };
    assert_eq!(reasons(conditional), ["conditional"]);
    let lorries = |t: &mut Town| {
        t.relations[0].tags = Tags::new(&[("type", "restriction"), ("restriction:hgv", "no_left_turn")]);
    };
    assert_eq!(reasons(lorries), ["not for cars"]);
}

#[test]
fn u_turns_can_be_banned() {
    let mut town = tee();
    town.ban(1, "no_u_turn", 11, 2, 11, &[]);
    let graph = town.build();
    let banned: Vec<&str> =
        graph.turns.banned.iter().flat_map(|&(a, b)| [a, b]).map(|ix| &*graph.links.id[ix.row()]).collect();
    assert_eq!(banned, ["11_5_2", "11_2_5"]);
}

#[test]
fn cut_references_and_clip_areas_split_ways() {
    let mut town = tee();
    town.ways[0].refs = vec![1, 2, 99, 98, 3, 4];
    let graph = town.build();
    assert_sound(&graph);
    assert_eq!(graph.report.cut_refs, 2);
    assert_eq!(graph.nodes.id, ["1", "5"]); // node 2 merges once its third road is cut off
    let (west, south) = (9.0 - STEP_DEG, 0.1 - STEP_DEG);
    let (east, north) = (9.0 + 2.5 * STEP_DEG, 0.1 + 0.5 * STEP_DEG);
    let ring = [(west, south), (east, south), (east, north), (west, north), (west, south)];
    let corners = ring.map(|(x, y)| Coord { x, y }).to_vec();
    let clip = MultiPolygon(vec![Polygon::new(LineString(corners), vec![])]);
    let graph = build_with(&tee().extract(), Some(&clip), None).unwrap();
    assert_sound(&graph);
    assert_eq!(graph.nodes.id, ["1", "3"]);
    assert_eq!(graph.report.nodes_clipped, 2);
    let nowhere = MultiPolygon(vec![]);
    let error = build_with(&tee().extract(), Some(&nowhere), None).unwrap_err();
    assert!(format!("{error:?}").contains("has no road inside the boundary"));
}

#[test]
fn barriers_close_the_shorter_side_to_cars() {
    let mut town = tee();
    town.node(6, 2.1, 0.0, &[("barrier", "bollard")]);
    town.ways[0].refs = vec![1, 2, 3, 6, 4];
    town.node(7, 3.0, 1.0, &[]).street(12, &[4, 7, 5]); // another way round
    let graph = town.build();
    assert_sound(&graph);
    assert_eq!(graph.report.barriers, 1);
    assert_eq!(graph.links.modes[row(&graph, "10_3_6")], Modes::BICYCLE.union(Modes::WALK));
    assert!(graph.links.modes[row(&graph, "10_2_3")].contains(Modes::CAR));
    assert!(graph.links.modes[row(&graph, "10_6_2")].contains(Modes::CAR), "merged with ways 12 and 11");
}

fn gateway_rules() -> GatewayRules {
    let place = |name: &str, x: f64| External { name: name.into(), lon: 9.0 + x * STEP_DEG, lat: 0.1 };
    let link = |from: &str, to: &str| ExternalLink {
        from: from.into(),
        to: to.into(),
        length_m: 3000.0,
        speed_kmh: 80.0,
        lanes: 2,
    };
    GatewayRules {
        table: "g.csv".into(),
        externals: vec![place("west", -20.0), place("east", 30.0)],
        links: vec![link("west", "east"), link("east", "west")],
    }
}

fn gateways(text: &str) -> Gateways {
    let table = Table::from_bytes(Path::new("g.csv"), text.as_bytes()).unwrap();
    Gateways::from_table(table, &gateway_rules(), Path::new("city.toml")).unwrap()
}

#[test]
fn gateways_join_what_the_border_cuts() {
    // Two one-way streets that only the world outside connects.
    let mut town = Town::default();
    let one_way = [("highway", "primary"), ("oneway", "yes")];
    town.node(1, 0.0, 0.0, &[]).node(2, 1.0, 0.0, &[]).node(3, 2.0, 0.0, &[]).way(10, &[1, 2, 3], &one_way);
    town.node(4, 2.0, 1.0, &[]).node(5, 0.0, 1.0, &[]).way(11, &[4, 5], &one_way);
    let text = "osm_node,direction,external,class,lanes,length_m,speed_kmh\n\
        1,in,west,primary,2,1000,72\n3,out,east,,,,\n4,in,east,,,,\n5,out,west,secondary,1,,\n";
    let graph = build_with(&town.extract(), None, Some(&gateways(text))).unwrap();
    assert_sound(&graph);
    assert_eq!(graph.nodes.id, ["1", "3", "4", "5", "external:east", "external:west"]);
    assert_eq!(graph.nodes.external.iter().filter(|&&external| external).count(), 2);
    assert_eq!((graph.report.gateways, graph.report.gateways_unused), (4, 0));
    assert!((graph.report.modes["car"].connected_share - 1.0).abs() < 1e-12);
    assert!(graph.report.car_connected_share_without_gateways < 1e-12);
    let into = row(&graph, "external:west_1");
    assert_eq!((graph.links.class[into], graph.links.lanes[into]), (RoadClass::External, 2));
    assert!((graph.links.length_m[into] - 1000.0).abs() < 1e-9);
    assert!((graph.links.capacity_vps[into] - 1.0).abs() < 1e-12, "two lanes of 1800 vehicles an hour");
    let straight = graph.links.length_m[row(&graph, "3_external:east".trim())];
    assert!((straight - 2800.0).abs() < 10.0, "{straight}");
    assert!(ids(&graph).contains(&"external:west_external:east"));
    assert!(graph.links.from.iter().all(|&node| node != NodeIx::NONE));
}

#[test]
fn gateways_at_unknown_or_car_free_nodes_are_named() {
    let mut town = tee();
    town.node(30, 0.0, 3.0, &[]).way(31, &[5, 30], &[("highway", "footway")]);
    let text = "osm_node,direction,external\n1,both,west\n77,both,west\n30,both,east\n";
    let Err(Error::Input(problems)) = build_with(&town.extract(), None, Some(&gateways(text))) else { panic!() };
    let said: Vec<String> = problems.listed().iter().map(ToString::to_string).collect();
    assert_eq!(said[0], "g.csv row 2 (id 77): osm_node = 77, expected a node of a car road in x.osm.pbf");
    assert!(said[1].starts_with("g.csv row 3 (id 30)") && said.len() == 2);
}

#[test]
fn extracts_without_roads_say_so() {
    let error = build_with(&OsmExtract::default(), None, None).unwrap_err();
    assert!(format!("{error:?}").contains("x.osm.pbf: has no road"), "{error:?}");
}

fn any_tags() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let highway = prop::sample::select(vec!["residential", "primary", "footway", "motorway", "cycleway", "platform"]);
    let more = prop::sample::subsequence(
        vec![("oneway", "yes"), ("lanes", "3"), ("junction", "roundabout"), ("access", "private"), ("foot", "yes")],
        0..3,
    );
    (highway, more).prop_map(|(highway, more)| [vec![("highway", highway)], more].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn random_towns_are_sound_and_conserve_length(
        ways in prop::collection::vec((prop::collection::vec(0..16_i64, 2..7), any_tags()), 1..12),
        furniture in prop::collection::vec(0..8_usize, 16),
        bans in prop::collection::vec((0..12_i64, 0..16_i64, 0..12_i64, any::<bool>()), 0..4),
    ) {
        let mut town = Town::default();
        for (id, &kind) in furniture.iter().enumerate() {
            let tags: &[(&str, &str)] = match kind {
                0 => &[("highway", "traffic_signals")],
                1 => &[("barrier", "bollard")],
                2 => &[("highway", "stop")],
                _ => &[],
            };
            // Some nodes lie on one spot.
            let (x, y) = ((id % 4) as f64, (id / 5) as f64 * 0.2);
            if kind != 7 {
                town.node(id as i64, x, y, tags);
            }
        }
        for (id, (refs, tags)) in ways.iter().enumerate() {
            town.way(id as i64 + 1, refs, tags);
        }
        for (id, &(from, via, to, no)) in bans.iter().enumerate() {
            town.ban(id as i64, if no { "no_left_turn" } else { "only_left_turn" }, from, via, to, &[]);
        }
        if town.nodes.is_empty() {
            return Ok(());
        }
        if let Ok(graph) = build_with(&town.extract(), None, None) {
            assert_sound(&graph);
            // What merging leaves is what was connected: length is conserved by mode.
            for ((_, name), km) in Modes::NAMED.iter().zip(km_by_mode(&graph.links)) {
                let kept = graph.report.modes[*name].km_kept;
                prop_assert!((km - kept).abs() <= 1e-9 * kept.max(1.0), "{}: {} of {}", name, km, kept);
            }
        }
    }
}

#[allow(clippy::disallowed_methods)] // a test may measure time: it reaches no result
fn timed<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let start = std::time::Instant::now();
    let result = work();
    println!("{name}: {:.2} s", start.elapsed().as_secs_f64());
    result
}

#[test]
fn porto_alegre_imports() {
    let Some(path) = shared_file("cities/porto_alegre/poa_osm.pbf") else { return };
    let graph = timed("Porto Alegre", || build_with(&OsmExtract::read(&path).unwrap(), None, None).unwrap());
    println!("{:#?}", graph.report);
    assert_sound(&graph);
    assert!(graph.report.modes["car"].connected_share > 0.9);
    for ((_, name), km) in Modes::NAMED.iter().zip(km_by_mode(&graph.links)) {
        assert!((km - graph.report.modes[*name].km_kept).abs() < 1e-9 * km.max(1.0));
    }
}

#[test]
fn monaco_connects_through_its_gateways() {
    let Some(path) = shared_file("cities/monaco/monaco.osm.pbf") else { return };
    let Some(stubs) = shared_file("cities/monaco/monaco_stub_ends.csv") else { return };
    let extract = OsmExtract::read(&path).unwrap();
    let alone = timed("Monaco", || build_with(&extract, None, None).unwrap());
    println!("{:#?}", alone.report);
    assert_sound(&alone);
    // One external node joins every cut road end, as the purest form of the world outside.
    let mut text = "osm_node,direction,external\n".to_owned();
    let table = Table::read(&stubs).unwrap();
    let [node, direction, access] = ["osm_node", "dir_rel_monaco", "access"].map(|name| table.optional(name).unwrap());
    for row in table.rows().filter(|row| row.text(access) != "permit") {
        text += &format!("{},{},world\n", row.text(node), row.text(direction));
    }
    let rules = GatewayRules {
        table: "g.csv".into(),
        externals: vec![External { name: "world".into(), lon: 7.42, lat: 43.76 }],
        links: vec![],
    };
    let table = Table::from_bytes(Path::new("g.csv"), text.as_bytes()).unwrap();
    let gateways = Gateways::from_table(table, &rules, Path::new("city.toml")).unwrap();
    let joined = build_with(&extract, None, Some(&gateways)).unwrap();
    assert_sound(&joined);
    let share = |graph: &RoadGraph| graph.report.modes["car"].connected_share;
    println!(
        "Monaco: connected car share {:.4} alone, {:.4} joined; {} gateways, {} unused",
        share(&alone),
        share(&joined),
        joined.report.gateways,
        joined.report.gateways_unused
    );
    assert!((share(&alone) - joined.report.car_connected_share_without_gateways).abs() < 1e-12);
    assert!(share(&alone) > 0.8 && share(&joined) > 0.95);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool.install(|| {
            let extract = OsmExtract::read(&path).unwrap();
            build_with(&extract, None, Some(&gateways)).unwrap()
        });
        assert!(format!("{joined:?}") == format!("{again:?}"), "differs on {threads} threads");
    }
}

#[test]
fn turn_lanes_are_those_at_the_end_of_a_link() {
    let mut town = Town::default();
    for (id, x) in [(1, 0.0), (2, 1.0), (3, 2.0), (4, 3.0)] {
        town.node(id, x, 0.0, &[]);
    }
    town.node(5, 1.0, 1.0, &[]).node(6, 2.0, 1.0, &[]);
    let both = [("highway", "primary"), ("turn:lanes:forward", "left|through"), ("turn:lanes:backward", "|right")];
    town.way(10, &[1, 2], &both);
    // Without a direction the key speaks for one-way streets only.
    town.way(11, &[2, 3], &[("highway", "primary"), ("turn:lanes", "left|")]);
    town.way(12, &[3, 4, 1], &[("highway", "primary"), ("oneway", "yes"), ("turn:lanes", "through|right")]);
    town.way(13, &[2, 5], &[("highway", "primary")]).way(14, &[3, 6], &[("highway", "primary")]);
    let links = town.build().links;
    let of = |id: &str| links.id.iter().position(|link| link == id).map(|row| links.turn_lanes[row].as_str());
    assert_eq!((of("10_1_2"), of("10_2_1")), (Some("left|through"), Some("|right")), "{:?}", links.id);
    assert_eq!((of("11_2_3"), of("12_3_1"), of("13_2_5")), (Some(""), Some("through|right"), Some("")));
    let mut tiny = Town::default();
    tiny.node(1, 0.0, 0.0, &[]).node(2, 1.0, 0.0, &[]).street(1, &[1, 2]);
    assert!(tiny.build().links.turn_lanes.is_empty());
}
