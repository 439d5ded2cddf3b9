//! Synthetic distribution grids from outside: closed forms on made-up streets, cities, a real town's streets, any streets.

mod made_up;

#[path = "common/shared.rs"]
mod shared;

use made_up::{add_building, blocks, city_of};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use urbis_city::model::{BuildingUse, City};
use urbis_city::projection::Projection;
use urbis_core::Error;
use urbis_utility::power::synthetic::figures::REFERENCES;
use urbis_utility::power::synthetic::{
    BranchFacts, BranchKind, Equipment, Figures, SyntheticGrid, SyntheticGridSettings, estimate_peaks_w,
};
use urbis_utility::power::{Method, NewtonSettings, PowerFlow};

fn plan(city: &City, settings: &SyntheticGridSettings) -> SyntheticGrid {
    let equipment = Equipment::shipped();
    SyntheticGrid::plan(city, &estimate_peaks_w(city, &equipment), settings, &equipment).expect("a plan")
}

fn is_cable(kind: BranchKind) -> bool {
    matches!(kind, BranchKind::LvCable | BranchKind::ServiceCable)
}

/// What holds of every plan: each building a load of its own at a bus with a source; closed branches a forest with a
/// substation as each root; low voltage a tree for each station; one tie a ring, open.
fn check_structure(of: &SyntheticGrid) {
    assert!(of.is_synthetic);
    let (grid, facts) = (&of.grid, &of.branches);
    let rows = grid.branches.len();
    let columns =
        [facts.kind.len(), facts.length_m.len(), facts.equipment.len(), facts.parallel.len(), facts.ring.len()];
    assert_eq!(columns, [rows; 5]);
    assert_eq!((facts.corner_start.len(), of.bus_place.len()), (rows + 1, grid.buses.len()));
    let flow = PowerFlow::new(grid.clone()).expect("a grid");
    let buildings = of.building_bus.len();
    assert_eq!((grid.loads.len(), of.building_station.len(), of.local_peak_w.len()), (buildings, buildings, buildings));
    for bus in 0..grid.buses.len() as u32 {
        assert!(flow.topology().is_bus_energised(bus), "{}", grid.buses.id[bus as usize]);
    }
    for building in 0..buildings {
        assert_eq!(grid.loads.bus[of.building_load[building] as usize], of.building_bus[building]);
    }
    let closed = grid.branches.is_in_service.iter().filter(|&&is_closed| is_closed).count();
    let twins: usize = of.substations.iter().map(|of| of.branches.len() - 1).sum();
    assert_eq!(closed - twins, grid.buses.len() - of.substations.len(), "closed branches are a forest");
    let cables = (0..rows).filter(|&row| is_cable(facts.kind[row])).count();
    let lv_buses = grid.buses.base_v.iter().filter(|&&base_v| base_v < 1000.0).count();
    assert_eq!(cables, lv_buses - of.stations.len(), "a tree for each station");
    let rings = facts.ring.iter().filter(|&&ring| ring != BranchFacts::NO_RING).max().map_or(0, |&most| most + 1);
    let mut ties = vec![0; rings as usize];
    for row in 0..rows {
        let is_tie = facts.kind[row] == BranchKind::MvTie;
        assert_eq!((grid.branches.is_in_service[row], grid.branches.can_close[row]), (!is_tie, is_tie));
        if is_tie {
            ties[facts.ring[row] as usize] += 1;
        }
        let line = facts.line(row as u32);
        let ends = [grid.branches.from[row], grid.branches.to[row]].map(|bus| of.bus_place[bus as usize]);
        if is_cable(facts.kind[row]) {
            assert_eq!([line[0], line[line.len() - 1]], ends, "a line leads from end to end");
        }
    }
    assert!(ties.iter().all(|&of_ring| of_ring == 1));
}

/// What holds of plans whose notes name no limit exceeded: solved, within the voltage band and ratings.
fn check_solved(city: &City, of: &SyntheticGrid) -> Figures {
    let figures = Figures::new(city, of, &NewtonSettings::default()).expect("a grid");
    for peak in [&figures.system, &figures.local, &figures.idle] {
        assert!(peak.outcome.is_converged, "{:?}", peak.outcome);
        assert_eq!(peak.energised_buildings as usize, of.building_bus.len());
        if !of.notes.iter().any(|note| note.contains("exceed")) {
            assert!(peak.vm_pu_min > 0.9 && peak.vm_pu_max < 1.1, "{} {}", peak.vm_pu_min, peak.vm_pu_max);
            let design = SyntheticGridSettings::default();
            assert!(peak.lv_drop_pu_max <= design.lv_voltage_drop_max_pu, "{}", peak.lv_drop_pu_max);
            assert!(peak.mv_drop_pu_max <= design.mv_voltage_drop_max_pu, "{}", peak.mv_drop_pu_max);
            assert!(peak.loading_percent_max.iter().all(|&most| most <= 100.0), "{:?}", peak.loading_percent_max);
        }
    }
    figures
}

/// 3 x 3 blocks of 100 m, a home 10 m off the middle of each of their 24 sides.
#[test]
fn nine_blocks_in_closed_form() {
    let city = blocks(3, 100.0, 10.0);
    let settings = SyntheticGridSettings { joint_spacing_m: 0.0, ..SyntheticGridSettings::default() };
    let of = plan(&city, &settings);
    check_structure(&of);
    let figures = check_solved(&city, &of);
    assert_eq!((of.stations.len(), of.substations.len(), figures.services), (1, 1, 24));
    // Rusck: 24 homes of 14.5 kW.
    let peak_w = 14_500.0 * (24.0 * 0.07 + 0.93 * 24_f64.sqrt());
    assert!((of.stations[0].peak_w / peak_w - 1.0).abs() < 1e-12);
    assert!((of.local_peak_w.iter().sum::<f64>() / peak_w - 1.0).abs() < 1e-12);
    assert!((of.grid.loads.p_w.iter().sum::<f64>() / peak_w - 1.0).abs() < 1e-12);
    // 90.4 kW at 0.95 and 80 %: 119 kVA.
    assert!((of.stations[0].rated_va - 160e3).abs() < 1e-6);
    assert!((figures.service_m - 240.0).abs() < 1e-6);
    // Every half side but those to the four corners: 23 other joints and 12 crossings, each 50 m from the one before.
    assert!((figures.lv_m - 50.0 * 35.0).abs() < 1e-6, "{}", figures.lv_m);
    // Crossings at which the tree goes straight on are no buses: at most joints, crossings, homes, and five besides.
    assert!(of.grid.buses.len() <= 23 + 12 + 24 + 5);
    // What the source gives is served or lost.
    let mut flow = PowerFlow::new(of.grid.clone()).expect("a grid");
    flow.solve(Method::Newton, &NewtonSettings::default());
    let given_w = flow.source_power(of.substations[0].hv_bus).0;
    let off_w = given_w - peak_w - flow.losses_w().0;
    assert!(off_w.abs() < 1e-2, "{off_w}");
}

#[test]
fn neighbours_share_a_joint_and_large_buildings_have_a_station() {
    let mut city = city_of(&[[0.0, 0.0], [400.0, 0.0]], &[(0, 1)]);
    for x in [100.0, 108.0, 116.0, 300.0] {
        add_building(&mut city, [x, 12.0], BuildingUse::Residential, 1);
    }
    add_building(&mut city, [200.0, 15.0], BuildingUse::Office, 0);
    city.buildings.floor_area_m2[4] = 40_000.0;
    let of = plan(&city, &SyntheticGridSettings::default());
    check_structure(&of);
    check_solved(&city, &of);
    let bus_of = |building: usize| of.building_bus[building];
    let joint = |building: usize| {
        let row = (0..of.grid.branches.len()).find(|&row| of.grid.branches.to[row] == bus_of(building));
        of.grid.branches.from[row.expect("a service cable")]
    };
    assert!(joint(0) == joint(1) && joint(1) == joint(2) && joint(2) != joint(3));
    let own = &of.stations[of.building_station[4] as usize];
    // 40 W/m2: 1.6 MW, or 2.1 MVA with the margin: three of the largest.
    assert!(own.is_private && own.lv_bus == bus_of(4) && own.customers == 1);
    assert_eq!(of.branches.parallel[own.branch as usize], 3);
    assert_eq!(of.stations.iter().filter(|of| !of.is_private).map(|of| of.customers).sum::<u32>(), 4);
}

#[test]
fn streets_that_do_not_meet_are_joined_or_supplied_apart() {
    let far = |gap_m: f64| {
        let x = 300.0 + gap_m;
        let mut city = city_of(&[[0.0, 0.0], [300.0, 0.0], [x, 0.0], [x + 300.0, 0.0]], &[(0, 1), (2, 3)]);
        for at in [50.0, 250.0, x + 150.0] {
            add_building(&mut city, [at, 10.0], BuildingUse::Residential, 2);
        }
        let of = plan(&city, &SyntheticGridSettings::default());
        check_structure(&of);
        check_solved(&city, &of);
        of
    };
    let joined = far(400.0);
    assert_eq!(joined.substations.len(), 1);
    assert!(joined.notes[0].contains("400 m in all"), "{:?}", joined.notes);
    let apart = far(5000.0);
    assert_eq!(apart.substations.len(), 2);
    assert!(apart.notes[0].contains("substations of their own"), "{:?}", apart.notes);
}

/// Any leg of a ring may fail: the tie takes over, and cables and voltages bear it.
#[test]
fn every_ring_survives_the_loss_of_a_leg() {
    let city = blocks(14, 90.0, 12.0);
    let of = plan(&city, &SyntheticGridSettings { station_peak_va_target: 100e3, ..SyntheticGridSettings::default() });
    check_structure(&of);
    let mut flow = PowerFlow::new(of.grid.clone()).expect("a grid");
    let kinds = &of.branches.kind;
    let legs = |kind: BranchKind| (0..kinds.len()).filter(move |&row| kinds[row] == kind);
    let ties: Vec<usize> = legs(BranchKind::MvTie).collect();
    for leg in legs(BranchKind::MvCable) {
        let tie = ties.iter().find(|&&tie| of.branches.ring[tie] == of.branches.ring[leg]).expect("a tie");
        flow.set_branch_in_service(leg as u32, false);
        flow.set_branch_in_service(*tie as u32, true);
        assert!(flow.solve(Method::Newton, &NewtonSettings::default()).is_converged);
        for &bus in &of.building_bus {
            assert!(flow.is_energised(bus) && flow.voltage(bus).norm() > 0.9);
        }
        for row in legs(BranchKind::MvCable).chain([*tie]).filter(|&row| row != leg) {
            assert!(flow.loading_percent(row as u32) <= 100.0);
        }
        flow.set_branch_in_service(*tie as u32, false);
        flow.set_branch_in_service(leg as u32, true);
    }
}

#[test]
fn wrong_input_is_named() {
    let equipment = Equipment::shipped();
    let mut city = blocks(1, 100.0, 10.0);
    let mut peak_w = estimate_peaks_w(&city, &equipment);
    let settings = SyntheticGridSettings { power_factor: 1.5, lv_base_v: f64::NAN, ..SyntheticGridSettings::default() };
    let said = |result: urbis_core::Result<SyntheticGrid>| match result {
        Err(Error::Input(problems)) => format!("{problems:?}"),
        other => panic!("{other:?}"),
    };
    let text = said(SyntheticGrid::plan(&city, &peak_w, &settings, &equipment));
    assert!(text.contains("power_factor") && text.contains("lv_base_v"), "{text}");
    let settings = SyntheticGridSettings::default();
    peak_w[1] = -1.0;
    city.buildings.x_m[2] = f64::NAN;
    let text = said(SyntheticGrid::plan(&city, &peak_w, &settings, &equipment));
    assert!(text.contains("peak_w") && text.contains("x_m"), "{text}");
    let text = said(SyntheticGrid::plan(&city, &[], &settings, &equipment));
    assert!(text.contains("0 design peaks"), "{text}");
    let mut bare = city_of(&[[0.0, 0.0]], &[]);
    add_building(&mut bare, [1.0, 1.0], BuildingUse::Residential, 1);
    let text = said(SyntheticGrid::plan(&bare, &[1.0], &settings, &equipment));
    assert!(text.contains("no street"), "{text}");
    assert!(plan(&City::default(), &settings).grid.buses.is_empty());
    let text = said(SyntheticGrid::plan(
        &bare,
        &[1.0],
        &SyntheticGridSettings { mv_base_v: 33_000.0, ..settings },
        &equipment,
    ));
    assert!(text.contains("no cable of role mv"), "{text}");
    let error = Equipment::from_toml("cables = 3", Path::new("mine.toml")).expect_err("no table");
    assert!(format!("{error:?}").contains("mine.toml"), "{error:?}");
}

/// Without any load ways along streets alone decide.
#[test]
fn buildings_that_draw_nothing_are_connected_too() {
    let city = blocks(40, 90.0, 12.0);
    let nothing = vec![0.0; city.buildings.len()];
    let settings = SyntheticGridSettings::default();
    let of = SyntheticGrid::plan(&city, &nothing, &settings, &Equipment::shipped()).expect("a plan");
    check_structure(&of);
    let figures = check_solved(&city, &of);
    assert_eq!((figures.customers, figures.substations), (0, 1));
    // 3.6 km square; a station reaches at most a diamond of 700 m along streets, which is 0.98 km2.
    assert!(of.stations.len() >= 13, "{}", of.stations.len());
}

#[test]
fn the_same_grid_on_any_number_of_threads() {
    let city = blocks(24, 90.0, 12.0);
    let settings = SyntheticGridSettings::default();
    let alone = plan(&city, &settings);
    check_structure(&alone);
    check_solved(&city, &alone);
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert!(pool.install(|| plan(&city, &settings)) == alone, "{threads} threads");
    }
}

#[test]
fn the_town_built_from_its_recipe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let place = tempfile::tempdir().expect("a folder");
    let package = place.path().join("town");
    urbis_city::build::build(&root.join("assets/town/city.toml"), &package, &mut |_| ()).expect("the town");
    let city = urbis_city::package::read(&package).expect("a package");
    let of = plan(&city, &SyntheticGridSettings::default());
    check_structure(&of);
    let figures = check_solved(&city, &of);
    assert!(of.notes.is_empty(), "{:?}", of.notes);
    assert_eq!((figures.buildings, figures.substations), (215, 1));
    assert!((10.0..60.0).contains(&figures.rows()[1].2), "{figures}");
}

/// Cities built beforehand, where there are some.
#[test]
#[allow(clippy::print_stderr)] // a test says what it skips
fn cities_are_supplied() {
    let cities = std::env::var_os("URBIS_CITIES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cities"), PathBuf::from);
    for name in ["monaco", "coquimbo"] {
        let folder = cities.join(name);
        if !folder.join("manifest.json").exists() {
            eprintln!("skipped: no {}; set URBIS_CITIES", folder.display());
            continue;
        }
        let city = urbis_city::package::read(&folder).expect("a package");
        let of = plan(&city, &SyntheticGridSettings::default());
        check_structure(&of);
        let figures = check_solved(&city, &of);
        eprintln!("{name}: {figures}{:?}", of.notes);
        for peak in [&figures.system, &figures.local, &figures.idle] {
            assert!(peak.vm_pu_min > 0.9 && peak.vm_pu_max < 1.1, "{name}: {figures}");
        }
        assert!((40.0..250.0).contains(&figures.rows()[0].2), "{name}: {figures}");
    }
}

/// Schutterwald as it is, and a plan for its homes along the trenches of its mains.
#[test]
#[allow(clippy::print_stderr)] // a test says what it skips
fn a_real_town_beside_a_plan_for_it() {
    let folder = shared::place("power/lv_schutterwald");
    let Ok(lines) = std::fs::read_to_string(folder.join("in_line.csv")) else {
        shared::skipped(&folder);
        return;
    };
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).expect("a table");
    let (buses, loads, transformers) = (read("in_bus.csv"), read("in_load.csv"), read("in_trafo.csv"));
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<String>>();
    let homes = loads.lines().count() - 1;
    let stations = transformers.lines().count() - 1;
    let (mut main_m, mut service_m) = (0.0, 0.0);
    let mut mains: Vec<(u32, u32, f64)> = Vec::new();
    for line in lines.lines().skip(1) {
        let cell = cells(line);
        let number = |at: usize| cell[at].parse::<f64>().expect("a number");
        if cell[2] == "NAYY 4x50 SE" {
            service_m += 1000.0 * number(5);
        } else {
            main_m += 1000.0 * number(5);
            mains.push((number(3) as u32, number(4) as u32, 1000.0 * number(5)));
        }
    }
    let is_near = |figure: &str, value: f64| {
        let of = REFERENCES.iter().find(|of| of.figure == figure && of.source.starts_with("Schutterwald"));
        assert!((of.expect("a reference").value - value).abs() < 0.05, "{figure} {value}");
    };
    is_near("customers per public station", homes as f64 / stations as f64);
    is_near("low voltage per customer", (main_m + service_m) / homes as f64);
    is_near("service cable per building", service_m / homes as f64);

    let projection = Projection::from_code("EPSG:32632").expect("a projection");
    let mut nodes: Vec<[f64; 2]> = Vec::new();
    let mut node_of_bus = std::collections::BTreeMap::new();
    for line in buses.lines().skip(1) {
        let bus: u32 = line.split(',').next().and_then(|cell| cell.parse().ok()).expect("a bus");
        let Some(list) = line.split('[').nth(1).and_then(|rest| rest.split(']').next()) else { continue };
        let degrees: Vec<f64> = list.split(',').map(|cell| cell.trim().parse().expect("degrees")).collect();
        node_of_bus.insert(bus, nodes.len() as u32);
        nodes.push(projection.project((degrees[0], degrees[1]).into()).into());
    }
    let known = |bus: &u32| node_of_bus.get(bus).copied();
    let ends: Vec<(u32, u32, f64)> =
        mains.iter().filter_map(|(a, b, length_m)| Some((known(a)?, known(b)?, *length_m))).collect();
    let mut city = city_of(&nodes, &ends.iter().map(|of| (of.0, of.1)).collect::<Vec<_>>());
    city.links.length_m = ends.iter().map(|of| of.2).collect();
    for line in loads.lines().skip(1) {
        let bus: u32 = cells(line)[2].parse().expect("a bus");
        add_building(&mut city, nodes[known(&bus).expect("a place") as usize], BuildingUse::Residential, 1);
    }
    let of = plan(&city, &SyntheticGridSettings { joint_spacing_m: 0.0, ..SyntheticGridSettings::default() });
    check_structure(&of);
    let figures = check_solved(&city, &of);
    eprintln!("Schutterwald: {homes} homes, {stations} stations, mains {main_m:.0} m, services {service_m:.0} m");
    eprintln!("planned: {figures}{:?}", of.notes);
    assert_eq!(figures.customers as usize, homes);
    assert!((0.5..2.0).contains(&(f64::from(figures.public_stations) / stations as f64)), "{figures}");
    assert!((0.6..1.2).contains(&(figures.lv_m / main_m)), "{figures}");
    assert!((0.6..1.3).contains(&(figures.service_m / service_m)), "{figures}");
}

const CASES: u32 = 500;

type Sketch = (Vec<(f64, f64)>, Vec<(u32, u32)>, Vec<(f64, f64, u32, u32)>, f64, f64);

fn sketches() -> impl Strategy<Value = Sketch> {
    let places = proptest::collection::vec((0.0..3000.0, 0.0..3000.0), 2..30);
    let links = proptest::collection::vec((0_u32..30, 0_u32..30), 1..50);
    let buildings = proptest::collection::vec((-100.0..3100.0, -100.0..3100.0, 0_u32..10, 0_u32..300), 0..60);
    (places, links, buildings, 0.0..50.0, 0.0..1500.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_streets_supply_any_buildings((places, links, buildings, joint_spacing_m, joining_m_max) in sketches()) {
        let nodes: Vec<[f64; 2]> = places.iter().map(|&(x, y)| [x, y]).collect();
        let n = nodes.len() as u32;
        let links: Vec<(u32, u32)> = links.iter().map(|&(a, b)| (a % n, b % n)).collect();
        let mut city = city_of(&nodes, &links);
        for &(x, y, purpose, dwellings) in &buildings {
            add_building(&mut city, [x, y], BuildingUse::NAMED[purpose as usize].0, dwellings);
        }
        let settings = SyntheticGridSettings { joint_spacing_m, joining_m_max, ..SyntheticGridSettings::default() };
        let equipment = Equipment::shipped();
        let peak_w = estimate_peaks_w(&city, &equipment);
        match SyntheticGrid::plan(&city, &peak_w, &settings, &equipment) {
            Ok(of) if buildings.is_empty() => prop_assert!(of.grid.buses.is_empty()),
            Ok(of) => {
                check_structure(&of);
                let figures = Figures::new(&city, &of, &NewtonSettings::default()).expect("a grid");
                if of.notes.iter().all(|note| !note.contains("exceed") && !note.contains("longer")) {
                    check_solved(&city, &of);
                }
                prop_assert_eq!(figures.system.energised_buildings as usize, buildings.len());
            }
            Err(error) => {
                let text = format!("{error:?}");
                prop_assert!(text.contains("no street") && links.iter().all(|&(a, b)| a == b), "{}", text);
            }
        }
    }
}
