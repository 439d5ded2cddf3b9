//! Synthetic sewers from outside: every building drains, water runs down, sizes by hand, storms, flat and steep streets.
#![allow(clippy::print_stdout)] // figures, for those who look

mod made_up;

use made_up::{add_building, blocks, city_of};
use proptest::prelude::*;
use urbis_city::model::{BuildingUse, City};
use urbis_core::Error;
use urbis_utility::sewer::network::{LinkKind, NodeKind};
use urbis_utility::sewer::synthetic::{
    DN_MM, PipeKind, Routing, SewerKind, SyntheticSewer, SyntheticSewerSettings, estimate_dry_m3ps, storm,
};

fn plan(city: &City, settings: &SyntheticSewerSettings) -> SyntheticSewer {
    SyntheticSewer::plan(city, &estimate_dry_m3ps(city), settings).unwrap_or_else(|error| panic!("{error:?}"))
}

/// Heights of nodes by place.
fn with_heights(mut city: City, height_m: impl Fn(f64, f64) -> f64) -> City {
    let places = city.nodes.x_m.iter().zip(&city.nodes.y_m);
    city.nodes.elevation_m = places.map(|(&x, &y)| height_m(x, y)).collect();
    city
}

/// What holds of every plan: a way down from each building to an outfall without a loop; pipes fall, are covered, grow
/// downwards, meet in manholes; columns are as long as they should be.
fn check_structure(of: &SyntheticSewer, settings: &SyntheticSewerSettings) {
    assert!(of.is_synthetic);
    let (nodes, links) = (&of.sewer.nodes, &of.sewer.links);
    let (n, l) = (nodes.id.len(), links.id.len());
    assert_eq!((of.node_place.len(), of.ground_m.len()), (n, n));
    let pipes = &of.pipes;
    let columns = [pipes.kind.len(), pipes.dn_mm.len(), pipes.barrels.len(), pipes.length_m.len(), pipes.slope.len()];
    assert_eq!(columns, [l; 5]);
    assert_eq!(pipes.corner_start.len(), l + 1);
    let mut out = vec![u32::MAX; n];
    for link in 0..l {
        let (from, to) = (links.from[link] as usize, links.to[link] as usize);
        if pipes.kind[link] != PipeKind::Overflow {
            assert_eq!(out[from], u32::MAX, "one link leaves each node");
            out[from] = link as u32;
        }
        if let LinkKind::Conduit(row) = links.kind[link] {
            let begins_m = nodes.invert_m[from] + links.offset_from_m[link];
            let ends_m = nodes.invert_m[to] + links.offset_to_m[link];
            assert!(begins_m > ends_m, "{} falls", links.id[link]);
            assert!(links.offset_to_m[link] >= 0.0);
            let slope = (begins_m - ends_m) / of.sewer.conduits.length_m[row as usize];
            assert!((slope - pipes.slope[link]).abs() < 1e-6, "{slope} {}", pipes.slope[link]);
            let dn = pipes.dn_mm[link];
            assert!(DN_MM.contains(&dn) && dn >= settings.dn_mm_min);
            assert!(slope >= settings.slope_min.max(1.0 / f64::from(dn)) - 1e-9);
            let diameter_m = f64::from(dn) / 1000.0;
            let cover_m = of.ground_m[from] - begins_m - diameter_m;
            assert!(cover_m >= settings.cover_m_min - 1e-6, "{}: cover {cover_m}", links.id[link]);
            let line = pipes.line(link);
            let apart = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
            assert!(apart(line[0], of.node_place[from]) < 1e-6);
            assert!(apart(line[line.len() - 1], of.node_place[to]) < 1e-6);
        }
    }
    for &node in &of.building_node {
        let (mut at, mut steps, mut dn) = (node as usize, 0, 0);
        while !matches!(nodes.kind[at], NodeKind::Outfall(_)) {
            let link = out[at];
            assert_ne!(link, u32::MAX, "{} leads on", nodes.id[at]);
            if pipes.dn_mm[link as usize] > 0 {
                assert!(pipes.dn_mm[link as usize] >= dn, "pipes grow downwards");
                dn = pipes.dn_mm[link as usize];
            }
            at = links.to[link as usize] as usize;
            steps += 1;
            assert!(steps <= l, "no loops");
        }
    }
    for check in of.checks {
        assert!(check.gap <= 1e-9, "{check:?}");
    }
}

/// In the design storm nothing floods, in one of ten times its return period something does.
fn check_storms(of: &SyntheticSewer) {
    let [design, tenfold] = of.checks;
    println!("{design:?}\n{tenfold:?}\n{:?}", of.notes);
    assert_eq!(design.flooded_nodes, 0, "{design:?}");
    assert!(tenfold.flooded_m3 > 0.0, "{tenfold:?}");
}

#[test]
fn a_slope_drains_by_itself() {
    let city = with_heights(blocks(8, 100.0, 10.0), |x, y| 100.0 - 0.02 * x - 0.01 * y);
    let settings = SyntheticSewerSettings::default();
    let of = plan(&city, &settings);
    check_structure(&of, &settings);
    check_storms(&of);
    assert_eq!(of.building_node.len(), city.buildings.len());
    assert!(of.sewer.pumps.is_empty(), "{:?}", of.notes);
    // The basin lies beyond the lowest corner, and pipes at least as steep as the street are as deep as they begin.
    let throttle = of.pipes.kind.iter().position(|kind| *kind == PipeKind::Throttle).expect("a throttle");
    let [x, y] = of.pipes.line(throttle)[0];
    assert!(x > 800.0 && y > 800.0, "{x} {y}");
    let deepest = of.ground_m.iter().zip(&of.sewer.nodes.invert_m).take(81).map(|(ground, bottom)| ground - bottom);
    assert!(deepest.fold(0.0, f64::max) < settings.depth_m_max);
    println!("{:?}", of.figures(city.buildings.dwellings.iter().map(|&of| u64::from(of)).sum()));
}

#[test]
fn a_flat_city_is_pumped() {
    let city = blocks(14, 100.0, 10.0);
    let settings = SyntheticSewerSettings { depth_m_max: 4.0, ..SyntheticSewerSettings::default() };
    let of = plan(&city, &settings);
    check_structure(&of, &settings);
    check_storms(&of);
    assert!(!of.sewer.pumps.is_empty());
    let wells = of.pipes.kind.iter().filter(|kind| **kind == PipeKind::Pump).count();
    assert_eq!(wells, of.sewer.pumps.len());
    assert!(of.notes.iter().any(|note| note.contains("no heights")), "{:?}", of.notes);
    assert!(of.notes.iter().any(|note| note.contains("pumps lift")), "{:?}", of.notes);
    // No pipe begins deeper than the limit, but by its own diameter and its fall from one manhole to the next.
    for (bottom, ground) in of.sewer.nodes.invert_m.iter().zip(&of.ground_m).take(of.building_node.len()) {
        assert!(ground - bottom < 4.0 + 4.0 + 1.0);
    }
}

#[test]
fn a_street_over_a_hill_climbs_by_pumps() {
    let places: Vec<[f64; 2]> = (0..21).map(|row| [100.0 * f64::from(row), 0.0]).collect();
    let links: Vec<(u32, u32)> = (0..20).map(|row| (row, row + 1)).collect();
    let mut city = city_of(&places, &links);
    for x in [50.0, 950.0, 1950.0] {
        add_building(&mut city, [x, 10.0], BuildingUse::Residential, 20);
    }
    // The outfall is at the far end; halfway lies a hill of 12 m.
    let city = with_heights(city, |x, _| 10.0 - x / 1000.0 + 12.0 * (-((x - 1000.0) / 300.0).powi(2)).exp());
    let settings = SyntheticSewerSettings::default();
    let of = plan(&city, &settings);
    check_structure(&of, &settings);
    // From 1.8 m below the street to 7 m is 5.2 m; 12 m of hill and some 2 m of fall are two of these and a rest.
    assert_eq!(of.sewer.pumps.len(), 2, "{:?}", of.notes);
}

#[test]
fn one_pipe_by_hand() {
    // A street of 500 m falls by 1 in 100; one building in its middle, at whose joint there is a manhole.
    let mut city = city_of(&[[0.0, 0.0], [500.0, 0.0]], &[(0, 1)]);
    add_building(&mut city, [250.0, 10.0], BuildingUse::Residential, 10);
    let city = with_heights(city, |x, _| 20.0 - 0.01 * x);
    let settings = SyntheticSewerSettings { kind: SewerKind::Storm, ..SyntheticSewerSettings::default() };
    let of = plan(&city, &settings);
    check_structure(&of, &settings);
    // Street of 10 m, nine tenths sealed; a roof of 1000 m2 over 3 floors, its plot by 0.4, of which 0.2 is sealed.
    let roof_m2 = 1000.0 / 3.0;
    let sealed_m2 = 500.0 * 10.0 * 0.9 + roof_m2 + 0.2 * (roof_m2 / 0.4 - roof_m2);
    assert!((of.sealed_m2 / sealed_m2 - 1.0).abs() < 1e-12);
    assert!((of.area_m2 / (5000.0 + roof_m2 / 0.4) - 1.0).abs() < 1e-12);
    // Concentration is below ten minutes, so all of it counts with the rain of ten minutes.
    let rain_mps = storm::intensity_mps(110.0, 600.0, 3.0);
    assert!((rain_mps / (110e-7 * 38.0 / 19.0 * (3.0_f64.powf(0.25) - 0.3684)) - 1.0).abs() < 1e-12);
    let outlet = of.pipes.kind.iter().position(|kind| *kind == PipeKind::Outlet).expect("an outlet");
    let flow_m3ps = rain_mps * 0.9 * sealed_m2;
    // It floods at this size or not: then it is a round or more larger.
    let rounds = (of.pipes.design_m3ps[outlet] / flow_m3ps).ln() / 1.15_f64.ln();
    assert!((rounds - rounds.round()).abs() < 1e-9 && (0.0..4.0).contains(&rounds.round()), "{rounds}");
    let first = of.pipes.dn_mm.iter().copied().min();
    assert_eq!(first, Some(300));
    assert_eq!(of.checks[0].flooded_nodes, 0);
    assert!(of.sewer.storages.is_empty() && of.sewer.dry_weather.node.is_empty());
}

#[test]
fn kinds_and_routings() {
    let city = with_heights(blocks(4, 100.0, 10.0), |x, y| 50.0 - 0.01 * (x + y));
    for kind in [SewerKind::Combined, SewerKind::Storm, SewerKind::Sanitary] {
        for routing in [Routing::Kinematic, Routing::Dynamic] {
            let settings = SyntheticSewerSettings { kind, routing, ..SyntheticSewerSettings::default() };
            let of = plan(&city, &settings);
            check_structure(&of, &settings);
            println!("{kind:?} {routing:?}: {:?} {:?}", of.checks, of.notes);
            assert_eq!(of.checks[0].flooded_nodes, 0, "{kind:?} {routing:?} {:?}", of.notes);
            assert_eq!(of.sewer.subcatchments.id.is_empty(), kind == SewerKind::Sanitary);
            assert_eq!(of.sewer.dry_weather.node.is_empty(), kind == SewerKind::Storm);
            assert_eq!(of.sewer.outfalls.len(), if kind == SewerKind::Combined { 2 } else { 1 });
        }
    }
}

#[test]
fn the_same_sewer_again_and_on_more_threads() {
    let city = with_heights(blocks(10, 90.0, 12.0), |x, y| 30.0 - 0.004 * x + 0.01 * (y / 100.0).sin());
    let settings = SyntheticSewerSettings::default();
    let alone = plan(&city, &settings);
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let of = pool.install(|| plan(&city, &settings));
        assert!(of.inp == alone.inp && of.building_node == alone.building_node && of.checks == alone.checks);
    }
}

#[test]
fn wrong_input_is_named() {
    let mut city = blocks(1, 100.0, 10.0);
    let said = |result: urbis_core::Result<SyntheticSewer>| match result {
        Err(Error::Input(problems)) => format!("{problems:?}"),
        other => panic!("{:?}", other.map(|of| of.notes)),
    };
    let settings =
        SyntheticSewerSettings { roughness: f64::NAN, depth_m_max: 1.0, ..SyntheticSewerSettings::default() };
    let text = said(SyntheticSewer::plan(&city, &estimate_dry_m3ps(&city), &settings));
    assert!(text.contains("roughness") && text.contains("depth_m_max"), "{text}");
    let settings = SyntheticSewerSettings::default();
    let mut dry = estimate_dry_m3ps(&city);
    dry[1] = -1.0;
    city.buildings.x_m[2] = f64::NAN;
    let text = said(SyntheticSewer::plan(&city, &dry, &settings));
    assert!(text.contains("dry_m3ps") && text.contains("x_m"), "{text}");
    assert!(said(SyntheticSewer::plan(&city, &[], &settings)).contains("0 flows of sewage"));
    let mut bare = city_of(&[[0.0, 0.0]], &[]);
    add_building(&mut bare, [1.0, 1.0], BuildingUse::Residential, 1);
    assert!(said(SyntheticSewer::plan(&bare, &[1e-6], &settings)).contains("no street"));
    let none = plan(&City::default(), &settings);
    assert!(none.sewer.nodes.id.is_empty() && none.building_node.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_terrain_drains(
        side in 2_u32..6,
        waves in prop::collection::vec((-20.0..20.0_f64, 0.001..0.02_f64, 0.001..0.02_f64), 1..4),
    ) {
        let height = |x: f64, y: f64| waves.iter().map(|(high, a, b)| high * (a * x).sin() * (b * y).cos()).sum::<f64>();
        let city = with_heights(blocks(side, 100.0, 10.0), height);
        let settings = SyntheticSewerSettings::default();
        let of = plan(&city, &settings);
        check_structure(&of, &settings);
        prop_assert_eq!(of.checks[0].flooded_nodes, 0, "{:?}", of.notes);
    }
}
