//! Synthetic water networks from outside: what holds of every plan on made-up streets, flat and hilly, whole and torn, a town
//! built from its recipe, and the file for EPANET.

mod made_up;

use made_up::{add_building, blocks, city_of};
use proptest::prelude::*;
use std::path::Path;
use urbis_city::model::{BuildingUse, City};
use urbis_core::Error;
use urbis_utility::water::network::{LinkKind, NodeKind};
use urbis_utility::water::synthetic::{Figures, NONE, SyntheticWater, SyntheticWaterSettings, WaterLinkKind, ZoneFeed};
use urbis_utility::water::{Hydraulics, Simulation, inp};

/// Litres of a home in a day, and how much more it draws at the highest hour.
const LITRES: f64 = 300.0;
const PEAK: f64 = 1.8;

fn draws(city: &City) -> (Vec<f64>, Vec<f64>) {
    let homes = city.buildings.dwellings.iter().map(|&homes| f64::from(homes.max(1)));
    let mean: Vec<f64> = homes.map(|homes| homes * LITRES / 86_400.0e3).collect();
    let peak = mean.iter().map(|mean| PEAK * mean).collect();
    (mean, peak)
}

fn plan(city: &City, settings: &SyntheticWaterSettings) -> SyntheticWater {
    let (mean, peak) = draws(city);
    SyntheticWater::plan(city, &mean, &peak, settings).expect("a plan")
}

/// Blocks on ground that rises with northing.
fn hill(n: u32, side_m: f64, slope: f64) -> City {
    let mut city = blocks(n, side_m, 12.0);
    city.nodes.elevation_m = city.nodes.y_m.iter().map(|y| 100.0 + slope * y).collect();
    city
}

/// What holds of every plan: tables of one shape; every building at a junction that an open link joins to waterworks; every
/// junction of its zone; no node without a link; each zone with its pumps, reducer or tank.
fn check_structure(city: &City, of: &SyntheticWater) {
    assert!(of.is_synthetic);
    let net = &of.network;
    let (nodes, links) = (net.nodes.id.len(), net.links.id.len());
    assert_eq!(
        [of.node_place.len(), of.node_zone.len(), of.node_buildings.len(), of.node_required_m.len()],
        [nodes; 4]
    );
    assert_eq!([of.links.kind.len(), of.links.pipe.len(), of.links.corner_start.len() - 1], [links; 3]);
    assert_eq!(of.building_node.len(), city.buildings.len());
    assert_eq!(of.node_buildings.iter().sum::<u32>() as usize, city.buildings.len());
    let mut degree = vec![0; nodes];
    for link in 0..links {
        let (from, to) = (net.links.from[link], net.links.to[link]);
        assert_ne!(from, to);
        degree[from as usize] += 1;
        degree[to as usize] += 1;
        let line = of.links.line(link as u32);
        let ends = [from, to].map(|node| of.node_place[node as usize]);
        if of.links.kind[link] != WaterLinkKind::TankMain && line.len() > 2 {
            for (found, end) in [line[0], line[line.len() - 1]].iter().zip(ends) {
                assert!((found[0] - end[0]).hypot(found[1] - end[1]) < 0.5, "{found:?} {end:?}");
            }
        }
        let is_pipe = net.links.kind[link] == LinkKind::Pipe;
        assert_eq!(is_pipe, of.links.pipe[link] != NONE);
        assert!(!is_pipe || (net.links.diameter_m[link] > 0.05 && net.links.length_m[link] > 0.0));
    }
    assert!(degree.iter().all(|&links| links > 0), "a node by itself");
    for &node in &of.building_node {
        assert_eq!(net.nodes.kind[node as usize], NodeKind::Junction);
    }
    let count = |zone: u32, kind: WaterLinkKind| {
        (0..links).filter(|&link| of.links.zone[link] == zone && of.links.kind[link] == kind).count()
    };
    for (row, zone) in of.zones.iter().enumerate() {
        let row = row as u32;
        let (pumps, reducers) = (count(row, WaterLinkKind::Pump), count(row, WaterLinkKind::PressureReducer));
        assert_eq!(count(row, WaterLinkKind::StandbyPump), usize::from(pumps > 0), "one pump more than needed");
        match zone.feed {
            ZoneFeed::Waterworks => assert!(pumps > 0 && zone.tank != NONE && zone.from == NONE),
            ZoneFeed::Pumps => {
                assert!(pumps > 0 && reducers == 0);
                assert!(of.zones[zone.from as usize].head_m < zone.head_m);
            }
            ZoneFeed::PressureReducer => {
                assert!(pumps == 0 && reducers == 1 && zone.tank == NONE);
                assert!(of.zones[zone.from as usize].head_m > zone.head_m);
            }
        }
        assert!(zone.from == NONE || zone.from < row);
    }
    // Closed mains are all that lies between zones but stations.
    for link in 0..links {
        let ends = [net.links.from[link], net.links.to[link]].map(|node| of.node_zone[node as usize]);
        if of.links.kind[link] == WaterLinkKind::Main {
            assert_eq!(ends[0], ends[1]);
        }
    }
    let mut solver = Hydraulics::new(net.clone()).expect("a network");
    solver.demand_m3ps.copy_from_slice(&of.node_peak_m3ps);
    solver.solve();
}

/// Whether the books of a day close: to 1e-9 of the water served; to a hundredth of a litre, which is what rounding of heads
/// moves where a hamlet draws next to nothing; and, at each reducer, to the 1e-7 m3/s at which a moment counts as settled.
fn closes(figures: &Figures) -> bool {
    let settled_m3 = 86_400.0 * 1e-7 * f64::from(figures.reducers);
    (figures.day.residual_share * figures.day.served_m3).abs() < 1e-9 * figures.day.served_m3 + 1e-5 + settled_m3
}

/// What holds of plans that came out: solved, enough pressure, books of a day that close, tanks that neither drain nor stay.
fn check_solved(city: &City, of: &SyntheticWater, settings: &SyntheticWaterSettings) -> Figures {
    let figures = Figures::new(of, settings.pressure_m_max, None).expect("a network");
    let buildings = city.buildings.len() as u32;
    for moment in [&figures.peak, &figures.night] {
        assert!(moment.is_balanced, "{figures}");
        assert_eq!(moment.supplied_buildings, buildings, "{figures}");
    }
    let day = &figures.day;
    assert_eq!(day.unbalanced, 0, "{figures}");
    assert!((day.served_share - 1.0).abs() < 1e-9, "{figures}");
    assert!(closes(&figures), "{}", day.residual_share);
    for (tank, [low, high]) in day.level_range.iter().enumerate() {
        assert!(*low > 0.25 && *high <= 1.0, "tank {tank}: {low} {high}\n{figures}");
        assert!(day.level_gain[tank] > -0.25, "tank {tank} drains: {:?}", day.level_gain);
    }
    let told = of.notes.iter().any(|note| note.contains("pressure is short"));
    assert!(told || figures.peak.share_enough > 0.98, "{figures}{:?}", of.notes);
    figures
}

#[test]
fn blocks_are_meshed_and_have_one_flat_zone() {
    let settings = SyntheticWaterSettings::default();
    let city = blocks(8, 90.0, 12.0);
    let of = plan(&city, &settings);
    check_structure(&city, &of);
    let figures = check_solved(&city, &of, &settings);
    assert_eq!((of.zones.len(), of.tanks.len(), figures.works), (1, 1, 1));
    assert!(of.notes.iter().any(|note| note.contains("no heights")), "{:?}", of.notes);
    // All sides of all blocks, and 20 m each to the waterworks and the tank.
    assert!((figures.main_m - (2.0 * 8.0 * 9.0 * 90.0 + 40.0)).abs() < 1e-6, "{}", figures.main_m);
    assert!(figures.peak.share_enough > 0.999 && figures.night.share_below_max > 0.999, "{figures}");
    // The tank holds what the rules say: 144 homes at 300 l, half as much more at the most, and a fire for two hours.
    let day_m3 = 144.0 * 0.3 * settings.peak_day_factor;
    assert!((of.tanks[0].volume_m3 - day_m3 - 192.0).abs() < 1e-6, "{:?}", of.tanks);
    // A main out of service leaves everybody supplied: streets are meshed.
    for link in (0..of.network.links.id.len()).filter(|&link| of.links.kind[link] == WaterLinkKind::Main).step_by(7) {
        let mut broken = of.clone();
        broken.network.links.status[link] = urbis_utility::water::network::LinkStatus::Closed;
        let figures = Figures::new(&broken, settings.pressure_m_max, None).expect("a network");
        assert_eq!(figures.peak.supplied_buildings as usize, city.buildings.len());
    }
}

#[test]
fn a_hill_gets_zones_within_limits() {
    let settings = SyntheticWaterSettings { tank_m3pd_min: 5.0, ..SyntheticWaterSettings::default() };
    let city = hill(14, 90.0, 0.1);
    let of = plan(&city, &settings);
    check_structure(&city, &of);
    let figures = check_solved(&city, &of, &settings);
    // 126 m of ground, at most 33 m in a zone.
    assert_eq!(of.zones.len(), 4, "{:?}", of.zones);
    assert_eq!(of.tanks.len(), 4);
    assert!(of.zones.iter().skip(1).all(|zone| zone.feed == ZoneFeed::Pumps));
    for zone in &of.zones {
        assert!(zone.ground_m_max - zone.ground_m_min <= 34.0, "{zone:?}");
        let rest_m = zone.head_m + settings.tank_depth_m - zone.ground_m_min;
        assert!(rest_m <= settings.pressure_m_max + 0.1, "{rest_m}");
    }
    assert!(figures.peak.share_enough > 0.999 && figures.night.share_below_max > 0.999, "{figures}");
    assert!(figures.day.pressure_m_min > 20.0 && figures.day.pressure_m_max < settings.pressure_m_max, "{figures}");
}

#[test]
fn a_pit_is_fed_through_a_reducer_and_a_top_by_pumps() {
    let settings = SyntheticWaterSettings { zone_main_m_min: 100.0, ..SyntheticWaterSettings::default() };
    for (depth_m, feed) in [(-60.0, ZoneFeed::PressureReducer), (60.0, ZoneFeed::Pumps)] {
        let mut city = blocks(12, 90.0, 12.0);
        let far = |x: f64, y: f64| (x - 540.0).hypot(y - 540.0);
        let nodes = city.nodes.x_m.iter().zip(&city.nodes.y_m);
        city.nodes.elevation_m =
            nodes.map(|(&x, &y)| 200.0 + depth_m * (1.0 - far(x, y) / 300.0).clamp(0.0, 1.0)).collect();
        let of = plan(&city, &settings);
        check_structure(&city, &of);
        let figures = check_solved(&city, &of, &settings);
        assert!(of.zones.len() > 1 && of.zones.iter().any(|zone| zone.feed == feed), "{:?}", of.zones);
        assert!(figures.peak.share_enough > 0.97, "{figures}{:?}", of.notes);
        assert!(figures.night.share_below_max > 0.97, "{figures}{:?}", of.zones);
    }
}

#[test]
fn streets_that_do_not_meet_are_joined_or_supplied_apart() {
    let settings = SyntheticWaterSettings::default();
    for (gap_m, works) in [(400.0, 1), (5000.0, 2)] {
        let x = 300.0 + gap_m;
        let nodes = [[0.0, 0.0], [300.0, 0.0], [x, 0.0], [x + 300.0, 0.0], [9e4, 9e4], [9e4 + 50.0, 9e4]];
        // The last street is a fragment that carries nothing.
        let mut city = city_of(&nodes, &[(0, 1), (2, 3), (4, 5)]);
        for at in [50.0, 250.0, x + 150.0] {
            add_building(&mut city, [at, 10.0], BuildingUse::Residential, 2);
        }
        let of = plan(&city, &settings);
        check_structure(&city, &of);
        let figures = check_solved(&city, &of, &settings);
        assert_eq!(figures.works, works, "{:?}", of.notes);
        assert_eq!(of.tanks.len() as u32, works);
    }
}

/// Draws that the caller gives are carried; the whole town draws and the books close.
#[test]
fn demands_from_outside_are_served() {
    let city = hill(10, 90.0, 0.05);
    let of = plan(&city, &SyntheticWaterSettings::default());
    let mut run = Simulation::new(of.network.clone()).expect("a network");
    run.take_demands();
    let mut asked_m3 = 0.0;
    while run.time_s < 12 * 3600 {
        of.building_node.iter().for_each(|&node| run.give_demand(node, 0.0));
        of.building_node.iter().for_each(|&node| run.add_demand(node, 1e-5));
        assert!(run.solve().is_balanced);
        let step_s = run.advance(600);
        asked_m3 += f64::from(step_s) * 1e-5 * city.buildings.len() as f64;
    }
    assert!((run.volumes.served_m3 / asked_m3 - 1.0).abs() < 1e-9);
    assert!(run.residual_m3().abs() < 1e-9 * asked_m3);
}

#[test]
fn the_same_network_on_any_number_of_threads() {
    let city = hill(12, 90.0, 0.08);
    let settings = SyntheticWaterSettings::default();
    let text = |of: &SyntheticWater| format!("{of:?}");
    let alone = text(&plan(&city, &settings));
    for threads in [1, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert!(pool.install(|| text(&plan(&city, &settings))) == alone, "{threads} threads");
    }
}

/// The file for EPANET is the network: read back, it has the same heads.
#[test]
fn the_file_for_epanet_solves_to_the_same_heads() {
    let city = hill(10, 90.0, 0.1);
    let of = plan(&city, &SyntheticWaterSettings { tank_m3pd_min: 5.0, ..SyntheticWaterSettings::default() });
    let (text, left_out) = inp::write(&of.network);
    assert!(left_out.is_empty(), "{left_out:?}");
    let read = inp::parse(Path::new("network.inp"), &text).expect("a file");
    assert_eq!(read.network.nodes.id, of.network.nodes.id);
    assert_eq!(read.network.links.id, of.network.links.id);
    assert_eq!(read.network.controls.len(), of.network.controls.len());
    let [mut ours, mut theirs] = [of.network, read.network].map(|net| Simulation::new(net).expect("a network"));
    while ours.time_s < 86_400 {
        assert!(ours.solve().is_balanced && theirs.solve().is_balanced);
        for (node, (a, b)) in ours.hydraulics.head_m.iter().zip(&theirs.hydraulics.head_m).enumerate() {
            assert!((a - b).abs() < 1e-5, "{} s, node {node}: {a} {b}", ours.time_s);
        }
        assert_eq!(ours.advance(86_400), theirs.advance(86_400));
    }
}

#[test]
fn wrong_input_is_named() {
    let mut city = blocks(1, 100.0, 10.0);
    let (mut mean, peak) = draws(&city);
    let said = |result: urbis_core::Result<SyntheticWater>| match result {
        Err(Error::Input(problems)) => format!("{problems:?}"),
        other => panic!("{other:?}"),
    };
    let good = SyntheticWaterSettings::default();
    let bad =
        SyntheticWaterSettings { pump_efficiency: 1.5, pressure_m_max: 40.0, ..SyntheticWaterSettings::default() };
    let text = said(SyntheticWater::plan(&city, &mean, &peak, &bad));
    assert!(text.contains("pump_efficiency") && text.contains("pressure_m_max"), "{text}");
    mean[1] = -1.0;
    city.buildings.x_m[2] = f64::NAN;
    let text = said(SyntheticWater::plan(&city, &mean, &peak, &good));
    assert!(text.contains("mean_m3ps") && text.contains("x_m"), "{text}");
    let text = said(SyntheticWater::plan(&city, &[], &peak, &good));
    assert!(text.contains("0 mean draws"), "{text}");
    let mut bare = city_of(&[[0.0, 0.0]], &[]);
    add_building(&mut bare, [1.0, 1.0], BuildingUse::Residential, 1);
    let text = said(SyntheticWater::plan(&bare, &[1e-5], &[1e-5], &good));
    assert!(text.contains("no street"), "{text}");
    assert!(SyntheticWater::plan(&City::default(), &[], &[], &good).expect("none").node_place.is_empty());
}

#[test]
fn the_town_built_from_its_recipe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let place = tempfile::tempdir().expect("a folder");
    let package = place.path().join("town");
    urbis_city::build::build(&root.join("assets/town/city.toml"), &package, &mut |_| ()).expect("the town");
    let city = urbis_city::package::read(&package).expect("a package");
    let settings = SyntheticWaterSettings::default();
    let of = plan(&city, &settings);
    check_structure(&city, &of);
    let figures = check_solved(&city, &of, &settings);
    assert_eq!(figures.buildings, 215);
    assert!((5.0..80.0).contains(&(figures.main_m / 215.0)), "{figures}");
}

const CASES: u32 = 60;

type Sketch = (Vec<(f64, f64, f64)>, Vec<(u32, u32)>, Vec<(f64, f64)>, (f64, f64), bool);

fn sketches() -> impl Strategy<Value = Sketch> {
    let places = proptest::collection::vec((0.0..3000.0, 0.0..3000.0, 0.0..150.0), 2..30);
    let links = proptest::collection::vec((0_u32..30, 0_u32..30), 1..50);
    let buildings = proptest::collection::vec((-100.0..3100.0, -100.0..3100.0), 1..60);
    (places, links, buildings, (-0.03..0.03, -0.03..0.03), any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_streets_supply_any_buildings((places, links, buildings, slope, is_cliff) in sketches()) {
        let nodes: Vec<[f64; 2]> = places.iter().map(|&(x, y, _)| [x, y]).collect();
        let n = nodes.len() as u32;
        let links: Vec<(u32, u32)> = links.iter().map(|&(a, b)| (a % n, b % n)).filter(|(a, b)| a != b).collect();
        let mut city = city_of(&nodes, &links);
        // Ground that slopes, or where every crossing is at a height of its own.
        let height_m = |of: &(f64, f64, f64)| if is_cliff { of.2 } else { 100.0 + slope.0 * of.0 + slope.1 * of.1 };
        city.nodes.elevation_m = places.iter().map(height_m).collect();
        for &(x, y) in &buildings {
            add_building(&mut city, [x, y], BuildingUse::Residential, 1);
        }
        let settings = SyntheticWaterSettings::default();
        let (mean, peak) = draws(&city);
        match SyntheticWater::plan(&city, &mean, &peak, &settings) {
            Ok(of) => {
                check_structure(&city, &of);
                let figures = Figures::new(&of, settings.pressure_m_max, None).expect("a network");
                prop_assert!(figures.peak.pressure_m_max < 200.0, "{}", figures);
                // Chains of reducers and pumps between cliffs do not always settle; there the plan is looked at alone.
                if !is_cliff {
                    let missing = buildings.len() - figures.peak.supplied_buildings as usize;
                    prop_assert!(missing == 0, "{} lack: {}{:?}\n{:#?}", missing, figures, of.notes, of.zones);
                    // From nothing, a reducer that alone feeds a hamlet may go to and fro at the first moment.
                    let unsettled = figures.day.unbalanced;
                    prop_assert!(unsettled <= 1 && (unsettled == 1 || closes(&figures)), "{}", figures);
                }
            }
            Err(error) => {
                let text = format!("{error:?}");
                prop_assert!(text.contains("no street") && links.is_empty(), "{}", text);
            }
        }
    }
}
