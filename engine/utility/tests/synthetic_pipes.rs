//! Synthetic gas and district-heat networks from outside: laws that hold of every plan, closed forms on made-up streets, the
//! made-up town, any streets.

mod made_up;

use made_up::{add_building, blocks, city_of};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use urbis_city::model::{BuildingUse, City};
use urbis_core::Error;
use urbis_utility::gas::GasFlow;
use urbis_utility::gas::synthetic::{
    GasFigures, GasLevels, GasLinkKind, SyntheticGas, SyntheticGasSettings, UPPER_HEATING_VALUE_JPKG,
};
use urbis_utility::heat::synthetic::{HeatFigures, HeatLinkKind, SyntheticHeat, SyntheticHeatSettings};
use urbis_utility::heat::transport::{HeatRun, RunSettings};
use urbis_utility::heat_profile::{HeatEstimateSettings, estimate_heat};
use urbis_utility::pipes::network::Given;
use urbis_utility::pipes::synthetic::PipeFacts;
use urbis_utility::pipes::synthetic::coincidence::{Sums, share};

const NONE: u32 = u32::MAX;

fn estimate(city: &City) -> (Vec<f64>, Vec<f64>) {
    let of = estimate_heat(city, &HeatEstimateSettings::default()).expect("an estimate");
    (of.peak_w, of.annual_kwh)
}

fn two_levels() -> SyntheticGasSettings {
    SyntheticGasSettings { levels: GasLevels::Two, ..SyntheticGasSettings::default() }
}

/// Blocks with a house of so many flats at the middle of each side.
fn blocks_of_flats(n: u32, side_m: f64, flats: u32) -> City {
    let mut city = blocks(n, side_m, 12.0);
    city.buildings.dwellings.iter_mut().for_each(|of| *of = flats);
    city.buildings.floor_area_m2.iter_mut().for_each(|of| *of = 90.0 * f64::from(flats));
    city
}

/// Lines lead from end to end, pipes are of the catalogue, columns are whole.
fn check_facts(links: &urbis_utility::pipes::network::Links, place: &[[f64; 2]], facts: &PipeFacts, bores: &[f64]) {
    assert_eq!((facts.pipe.len(), facts.corner_start.len()), (links.len(), links.len() + 1));
    for link in 0..links.len() {
        let line = facts.line(link as u32);
        let ends = [links.from[link], links.to[link]].map(|node| place[node as usize]);
        assert_eq!([line[0], line[line.len() - 1]], ends, "a line leads from end to end");
        match facts.pipe[link] {
            PipeFacts::NO_PIPE => assert!(links.length_m[link].abs() < 1e-12),
            row => {
                assert!((links.diameter_m[link] - bores[row as usize]).abs() < 1e-12);
                let drawn_m: f64 = line.windows(2).map(|of| (of[0][0] - of[1][0]).hypot(of[0][1] - of[1][1])).sum();
                assert!(links.length_m[link] > 0.0 && links.length_m[link] > 0.9 * drawn_m - 1.0, "{link}");
            }
        }
    }
}

/// What holds of every gas network.
fn check_gas(city: &City, peak_w: &[f64], of: &SyntheticGas, settings: &SyntheticGasSettings) -> GasFigures {
    assert!(of.is_synthetic);
    let bores: Vec<f64> = of.pipes.pipes.iter().map(|pipe| pipe.inner_m()).collect();
    check_facts(&of.network.links, &of.node_place, &of.facts, &bores);
    let figures = GasFigures::new(city, of, None).expect("figures");
    assert!(figures.outcome.is_converged, "{:?}", figures.outcome);
    assert_eq!(figures.supplied, figures.connected, "every connected building has gas");
    for (building, &w) in peak_w.iter().enumerate() {
        let draw = of.building_draw[building];
        assert_eq!(draw != NONE, w > 0.0);
        if draw != NONE {
            let part_w = of.network.draws[draw as usize].mdot_kgps * UPPER_HEATING_VALUE_JPKG;
            assert!((part_w / (of.building_share[building] * w) - 1.0).abs() < 1e-12 && part_w <= w * (1.0 + 1e-9));
        }
    }
    // What gates feed is what buildings draw, and that is the peak of the gates.
    let off = (figures.fed_kgps - figures.drawn_kgps).abs();
    assert!(off <= 1e-9 * figures.drawn_kgps.max(1e-3), "{off}");
    assert!((figures.drawn_kgps * UPPER_HEATING_VALUE_JPKG - figures.peak_w).abs() <= 1e-9 * figures.peak_w.max(1.0));
    if of.is_within && !of.kind.is_empty() {
        let mut flow = GasFlow::new(of.network.clone()).expect("a network");
        flow.solve(&SyntheticGas::solver());
        let least = [settings.medium_min_pa, settings.low_min_pa];
        for (level, &gauge_pa) in figures.gauge_min_pa.iter().enumerate() {
            assert!(gauge_pa >= least[level], "{level} {gauge_pa}");
        }
        for (link, &kind) in of.kind.iter().enumerate().filter(|(_, kind)| **kind != GasLinkKind::Regulator) {
            let state = flow.link(link);
            let limit_mps = match kind {
                GasLinkKind::LowMain => settings.low_velocity_mps_max,
                _ => settings.medium_velocity_mps_max.max(settings.low_velocity_mps_max),
            };
            assert!(state.v_from_mps.abs().max(state.v_to_mps.abs()) <= limit_mps, "{link}");
        }
    }
    figures
}

/// What holds of every network of heat.
fn check_heat(
    city: &City,
    (peak_w, annual_kwh): (&[f64], &[f64]),
    of: &SyntheticHeat,
    settings: &SyntheticHeatSettings,
) -> HeatFigures {
    assert!(of.is_synthetic);
    let bores: Vec<f64> = of.pipes.pipes.iter().map(|pipe| pipe.inner_m()).collect();
    check_facts(&of.network.links, &of.node_place, &of.facts, &bores);
    let figures = HeatFigures::new(city, of, annual_kwh, settings).expect("figures");
    if of.kind.is_empty() {
        assert!(of.building_consumer.iter().all(|&consumer| consumer == NONE));
        return figures;
    }
    assert!(figures.outcome.is_converged, "{:?}", figures.outcome);
    for (building, &w) in peak_w.iter().enumerate() {
        let consumer = of.building_consumer[building];
        assert_eq!(consumer == NONE, of.building_plant[building] == NONE);
        if consumer != NONE {
            let Given::HeatReturn(q_w, _) = of.network.consumers[consumer as usize].given else { panic!("given") };
            assert!((q_w / (of.building_share[building] * w) - 1.0).abs() < 1e-12 && q_w <= w * (1.0 + 1e-9));
        }
    }
    // Everybody gets what is asked for, and all of it comes from plants.
    let asked_w: f64 = of.plants.iter().map(|plant| plant.peak_w).sum();
    assert!((figures.delivered_w / asked_w - 1.0).abs() < 1e-9 && figures.shortfall_w < 1e-6 * asked_w);
    let gap = (figures.produced_w - figures.delivered_w - figures.lost_w).abs() / figures.produced_w;
    // Heat capacities are those of each link's own temperatures.
    assert!(gap < 2e-3 && figures.lost_w > 0.0, "{gap}");
    for plant in &of.plants {
        assert!(plant.annual_kwh >= settings.cluster_kwh_min * (1.0 - 1e-9));
        assert!(plant.annual_kwh >= settings.linear_density_kwhpm_min * plant.trench_m * (1.0 - 1e-9), "{plant:?}");
        assert!(plant.capacity_w > plant.peak_w && plant.lift_pa > 0.0);
    }
    if of.is_within {
        assert!(figures.velocity_share_max <= 1.0 + 1e-3, "{figures}");
        assert!(figures.station_min_pa >= settings.station_pa_min - 50.0, "{figures}");
        assert!(figures.gauge_pa[0] >= settings.gauge_pa_min - 50.0, "{figures}");
        assert!(of.plants.iter().all(|plant| plant.lift_pa <= settings.lift_pa_max));
    }
    figures
}

#[test]
fn gas_for_nine_blocks_in_closed_form() {
    let city = blocks(3, 100.0, 10.0);
    let peak_w = vec![20e3; 24];
    let settings = SyntheticGasSettings { mesh_gap_m_max: 0.0, ..SyntheticGasSettings::default() };
    let of = SyntheticGas::plan(&city, &peak_w, &settings).expect("a plan");
    let figures = check_gas(&city, &peak_w, &of, &settings);
    assert_eq!((figures.connected, figures.gates, figures.regulators), (24, 1, 0));
    // The tree spans 24 joints and 12 to 16 crossings with pieces of 50 m; services are 10 m each.
    assert!((figures.length_m[GasLinkKind::Service as usize] - 240.0).abs() < 1e-6);
    let pieces = figures.mains_m() / 50.0;
    assert!((pieces - pieces.round()).abs() < 1e-6 && (34.0..=39.0).contains(&pieces), "{pieces}");
    let wanted_w = 24.0 * 20e3 * share(24.0);
    assert!((figures.peak_w / wanted_w - 1.0).abs() < 1e-12);
    // A service line at 20 kW: 0.38 g/s in the thinnest pipe.
    let thinnest = of.pipes.pipes.iter().map(|pipe| pipe.inner_m()).fold(f64::INFINITY, f64::min);
    let mut services = (0..of.kind.len()).filter(|&row| of.kind[row] == GasLinkKind::Service);
    assert!(services.all(|row| (of.network.links.diameter_m[row] - thinnest).abs() < 1e-12));
}

#[test]
fn a_pipe_is_the_thinnest_that_keeps_the_pressure() {
    // A street of 3 km with one large customer at its end: one pipe, whose bore can be checked by its neighbours.
    let nodes: Vec<[f64; 2]> = (0..31).map(|x| [100.0 * f64::from(x), 0.0]).collect();
    let links: Vec<(u32, u32)> = (0..30).map(|x| (x, x + 1)).collect();
    let mut city = city_of(&nodes, &links);
    add_building(&mut city, [5.0, 10.0], BuildingUse::Industrial, 0);
    add_building(&mut city, [2995.0, 10.0], BuildingUse::Industrial, 0);
    let peak_w = [8e6, 8e6];
    let settings = SyntheticGasSettings::default();
    let of = SyntheticGas::plan(&city, &peak_w, &settings).expect("a plan");
    let figures = check_gas(&city, &peak_w, &of, &settings);
    assert!(of.is_within && figures.gauge_min_pa[0] < 80e3, "{figures}");
    let rung = |bore_m: f64| {
        let mut bores: Vec<f64> = of.pipes.pipes.iter().map(|pipe| pipe.inner_m()).collect();
        bores.sort_by(f64::total_cmp);
        bores.into_iter().rev().find(|&of| of < bore_m - 1e-9).expect("a thinner pipe")
    };
    let mut thinner = of.network.clone();
    for link in (0..of.kind.len()).filter(|&link| of.kind[link] == GasLinkKind::MediumMain) {
        thinner.links.diameter_m[link] = rung(thinner.links.diameter_m[link]);
    }
    let mut flow = GasFlow::new(thinner).expect("a network");
    let is_converged = flow.solve(&SyntheticGas::solver()).is_converged;
    let lowest = of.network.draws.iter().map(|draw| flow.gauge_pa(draw.node)).fold(f64::INFINITY, f64::min);
    let speed = |link: usize| flow.link(link).v_to_mps.abs();
    let fastest = (0..of.kind.len()).map(speed).fold(0.0, f64::max);
    assert!(
        !is_converged || lowest < settings.medium_min_pa || fastest > settings.medium_velocity_mps_max,
        "{lowest} {fastest}"
    );
}

#[test]
fn gas_at_two_levels() {
    let city = blocks_of_flats(12, 90.0, 8);
    let (mut peak_w, _) = estimate(&city);
    peak_w[7] = 2e6; // a factory takes medium pressure
    let settings = two_levels();
    let of = SyntheticGas::plan(&city, &peak_w, &settings).expect("a plan");
    assert!(of.is_within, "{:?}", of.notes);
    let figures = check_gas(&city, &peak_w, &of, &settings);
    assert!(figures.regulators >= 2 && figures.gauge_min_pa.iter().all(|of| of.is_finite()), "{figures}");
    let node = of.network.draws[of.building_draw[7] as usize].node;
    let mut flow = GasFlow::new(of.network.clone()).expect("a network");
    flow.solve(&SyntheticGas::solver());
    assert!(flow.gauge_pa(node) >= settings.medium_min_pa);
    for link in (0..of.kind.len()).filter(|&link| of.kind[link] == GasLinkKind::Regulator) {
        let node = of.network.links.to[link];
        assert!((flow.gauge_pa(node) - settings.low_feed_pa).abs() < 1e-3);
        assert!(flow.link(link).mdot_kgps > 0.0, "a regulator gives");
    }
}

#[test]
fn circles_are_closed_and_carry() {
    let city = blocks_of_flats(10, 90.0, 8);
    let (peak_w, _) = estimate(&city);
    let open = SyntheticGasSettings { mesh_gap_m_max: 0.0, ..SyntheticGasSettings::default() };
    let meshed = SyntheticGasSettings::default();
    let of = |settings: &SyntheticGasSettings| {
        let of = SyntheticGas::plan(&city, &peak_w, settings).expect("a plan");
        check_gas(&city, &peak_w, &of, settings);
        assert!(of.is_within, "{:?}", of.notes);
        of
    };
    let (open, meshed) = (of(&open), of(&meshed));
    let circles = |of: &SyntheticGas| of.kind.len() + of.gates.len() - of.network.nodes.len();
    assert_eq!(circles(&open), 0);
    assert!(circles(&meshed) > 3, "{}", circles(&meshed));
}

#[test]
fn dense_cities_have_district_heat_and_sparse_ones_none() {
    let settings = SyntheticHeatSettings::default();
    let plan = |city: &City| {
        let (peak_w, annual_kwh) = estimate(city);
        let of = SyntheticHeat::plan(city, &peak_w, &annual_kwh, &settings).expect("a plan");
        let figures = check_heat(city, (&peak_w, &annual_kwh), &of, &settings);
        (of, figures)
    };
    // A house of 15 MWh by 60 m of street: 0.2 MWh/m. Houses of ten flats: 1.9 MWh/m or more.
    let (of, figures) = plan(&blocks_of_flats(8, 90.0, 1));
    assert!(of.kind.is_empty() && figures.connected == 0 && of.notes[0].contains("nowhere"), "{figures}");
    let dense = blocks_of_flats(8, 90.0, 16);
    let (of, figures) = plan(&dense);
    assert!(of.is_within && of.notes.is_empty(), "{:?}", of.notes);
    assert_eq!((figures.connected as usize, figures.plants), (dense.buildings.len(), 1));
    assert!((75.0..90.0).contains(&(figures.t_supply_min_k - 273.15)), "{figures}");
    // Where one plant may not give that much there are several, and everybody is still served.
    let (peak_w, annual_kwh) = estimate(&dense);
    let small = SyntheticHeatSettings { plant_peak_w_max: 2e6, ..SyntheticHeatSettings::default() };
    let of = SyntheticHeat::plan(&dense, &peak_w, &annual_kwh, &small).expect("a plan");
    let figures = check_heat(&dense, (&peak_w, &annual_kwh), &of, &small);
    assert!(figures.plants > 2 && figures.connected as usize > dense.buildings.len() * 9 / 10, "{figures}");
    assert!(of.plants.iter().all(|plant| plant.peak_w < 2.0 * small.plant_peak_w_max), "{:?}", of.plants);
    // A dense core in a sparse surrounding is served alone; a second one far off has a plant of its own.
    let mut mixed = blocks_of_flats(20, 90.0, 1);
    for row in 0..mixed.buildings.len() {
        let [x, y] = [mixed.buildings.x_m[row], mixed.buildings.y_m[row]];
        let is_core = |[cx, cy]: [f64; 2]| (x - cx).hypot(y - cy) < 300.0;
        if is_core([400.0, 400.0]) || is_core([1400.0, 1400.0]) {
            mixed.buildings.dwellings[row] = 16;
            mixed.buildings.floor_area_m2[row] = 16.0 * 90.0;
        }
    }
    let (of, figures) = plan(&mixed);
    // One for each core, or more where the tree of streets enters a core from two sides.
    assert!((2..=4).contains(&figures.plants), "{figures}");
    // The tree of streets was grown before it was known where heat is dense, so ends of a core may be left away.
    let core: Vec<usize> = (0..mixed.buildings.len()).filter(|&row| mixed.buildings.dwellings[row] > 1).collect();
    let served = core.iter().filter(|&&row| of.building_consumer[row] != NONE).count();
    assert!(served * 4 >= core.len() * 3, "{served} of {}", core.len());
    assert!((figures.connected as usize) < mixed.buildings.len() / 3, "{figures}");
    // Pairs of pipes and stations: supply and return are alike.
    let count = |kind: HeatLinkKind| of.kind.iter().filter(|of| **of == kind).count();
    assert_eq!(count(HeatLinkKind::SupplyMain), count(HeatLinkKind::ReturnMain));
    assert_eq!(count(HeatLinkKind::SupplyService), count(HeatLinkKind::Station));
}

/// The most that a tree of streets can be worth, by trying every connected part of a small one.
#[test]
fn clusters_are_worth_the_most() {
    // A street with a side street; heat so that the far end pays only for a part of the way.
    let nodes = [[0.0, 0.0], [200.0, 0.0], [400.0, 0.0], [600.0, 0.0], [200.0, 300.0]];
    let links = [(0, 1), (1, 2), (2, 3), (1, 4)];
    let mut city = city_of(&nodes, &links);
    for at in nodes {
        add_building(&mut city, [at[0], at[1] + 5.0], BuildingUse::Residential, 4);
    }
    let annual_kwh = [400e3, 100e3, 150e3, 500e3, 290e3];
    let settings =
        SyntheticHeatSettings { linear_density_kwhpm_min: 1000.0, cluster_kwh_min: 1.0, ..Default::default() };
    let peak_w = annual_kwh.map(|kwh| kwh / 2.0);
    let of = SyntheticHeat::plan(&city, &peak_w, &annual_kwh, &settings).expect("a plan");
    check_heat(&city, (&peak_w, &annual_kwh), &of, &settings);
    let worth = |of: &[(usize, f64)]| of.iter().map(|(_, of)| of).sum::<f64>();
    // Every set of segments; a connected part pays for its segments and brings its ends.
    let segments = [(0, 1, 200.0), (1, 2, 200.0), (2, 3, 200.0), (1, 4, 300.0)];
    let mut best = 0.0_f64;
    for mask in 0_u32..16 {
        let chosen: Vec<(usize, f64)> =
            (0..4).filter(|&at| (mask >> at) & 1 == 1).map(|at| (at, segments[at].2)).collect();
        let mut touched = vec![];
        chosen.iter().for_each(|&(at, _)| touched.extend([segments[at].0, segments[at].1]));
        touched.sort_unstable();
        touched.dedup();
        if touched.len() != chosen.len() + 1 {
            continue; // not connected
        }
        let heat: f64 = touched.iter().map(|&node| annual_kwh[node] - 5.0 * 1000.0).sum();
        best = best.max(heat - 1000.0 * worth(&chosen));
    }
    let found: Vec<f64> = of.plants.iter().map(|plant| plant.annual_kwh - 1000.0 * plant.trench_m).collect();
    let most = found.iter().fold(0.0_f64, |most, &of| most.max(of));
    assert!((most - best).abs() < 1e-3, "{found:?} {best}");
}

#[test]
fn a_day_of_draws_closes_its_ledger() {
    let city = blocks_of_flats(4, 90.0, 16);
    let (peak_w, annual_kwh) = estimate(&city);
    let settings = SyntheticHeatSettings::default();
    let of = SyntheticHeat::plan(&city, &peak_w, &annual_kwh, &settings).expect("a plan");
    let (flow, _) = of.solved(&settings).expect("a network");
    let step_s = 900.0;
    let run_settings = RunSettings { heat: SyntheticHeat::solver(&settings), step_s, ..RunSettings::default() };
    let mut run = HeatRun::new(flow, run_settings).expect("a run");
    let mut asked_j = 0.0;
    for step in 0..96_u32 {
        for (building, &consumer) in of.building_consumer.iter().enumerate() {
            // Warm at night, two peaks a day, each building its own; now and then nothing at all.
            let wave = 0.35 + 0.3 * (f64::from(step) / 96.0 * 12.566 + building as f64).sin();
            let share = if (step + building as u32).is_multiple_of(37) { 0.0 } else { wave };
            run.set_heat(consumer, share * peak_w[building]);
            asked_j += share * peak_w[building] * step_s;
        }
        let outcome = run.step();
        assert!(outcome.hydraulic.is_converged, "{step}: {:?}", outcome.hydraulic);
    }
    let ledger = run.ledger();
    assert!(ledger.gap() < 1e-9, "{:e}", ledger.gap());
    assert!(ledger.lost_j > 0.0 && ledger.produced_j > ledger.delivered_j);
    assert!((ledger.delivered_j / asked_j - 1.0).abs() < 0.05, "{} {asked_j}", ledger.delivered_j);
}

/// A tower of many flats among houses of one customer each, which make all count for fewer customers than the tower has: it
/// takes no more than at its own peak.
#[test]
fn a_tower_among_houses_takes_its_own_peak_at_most() {
    let mut city = blocks_of_flats(4, 90.0, 1);
    city.buildings.floor_area_m2.iter_mut().for_each(|of| *of = 400.0);
    (city.buildings.dwellings[0], city.buildings.floor_area_m2[0]) = (199, 199.0 * 90.0);
    let (peak_w, annual_kwh) = estimate(&city);
    let settings = SyntheticHeatSettings { cluster_kwh_min: 1e4, ..SyntheticHeatSettings::default() };
    let of = SyntheticHeat::plan(&city, &peak_w, &annual_kwh, &settings).expect("a plan");
    check_heat(&city, (&peak_w, &annual_kwh), &of, &settings);
    assert!((of.building_share[0] - 1.0).abs() < 1e-12, "{}", of.building_share[0]);
}

#[test]
fn a_summer_day_begins_and_closes_its_ledger() {
    // So little is drawn that water is cold when it arrives: flows and temperatures have no common steady state.
    let city = blocks_of_flats(4, 90.0, 16);
    let (peak_w, annual_kwh) = estimate(&city);
    let settings = SyntheticHeatSettings::default();
    let of = SyntheticHeat::plan(&city, &peak_w, &annual_kwh, &settings).expect("a plan");
    let run_settings = RunSettings { heat: SyntheticHeat::solver(&settings), step_s: 900.0, ..RunSettings::default() };
    assert!(of.building_consumer.iter().any(|&consumer| consumer != NONE));
    for share in [1e-2, 3e-3, 1e-3, 1e-4, 0.0] {
        let mut flow = of.solved(&settings).expect("a network").0;
        for (building, &consumer) in of.building_consumer.iter().enumerate().filter(|of| *of.1 != NONE) {
            flow.set_heat(consumer, share * peak_w[building]);
        }
        let mut run = HeatRun::new(flow, run_settings).expect("a start");
        for step in 0..48 {
            let outcome = run.step();
            assert!(outcome.hydraulic.is_converged, "{share} {step}: {:?}", outcome.hydraulic);
        }
        assert!(run.ledger().gap() < 1e-9, "{share}: {:e}", run.ledger().gap());
    }
}

#[test]
fn the_same_on_any_number_of_threads() {
    let city = blocks_of_flats(14, 90.0, 8);
    let (peak_w, annual_kwh) = estimate(&city);
    let (one, two, heat) = (SyntheticGasSettings::default(), two_levels(), SyntheticHeatSettings::default());
    let all = || {
        let gas = [&one, &two].map(|settings| SyntheticGas::plan(&city, &peak_w, settings).expect("a plan"));
        (gas, SyntheticHeat::plan(&city, &peak_w, &annual_kwh, &heat).expect("a plan"))
    };
    let first = all();
    for threads in [1, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert!(pool.install(all) == first, "{threads} threads");
    }
}

#[test]
fn wrong_input_is_named() {
    let mut city = blocks(1, 100.0, 10.0);
    fn said<T>(result: urbis_core::Result<T>) -> String {
        match result {
            Err(Error::Input(problems)) => format!("{problems:?}"),
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("expected problems"),
        }
    }
    let settings = SyntheticGasSettings {
        medium_feed_pa: f64::NAN,
        low_min_pa: 6e3,
        levels: GasLevels::Two,
        ..SyntheticGasSettings::default()
    };
    let mut peak_w = vec![1e4; city.buildings.len()];
    let text = said(SyntheticGas::plan(&city, &peak_w, &settings));
    assert!(text.contains("medium_feed_pa") && text.contains("low_min_pa"), "{text}");
    let settings = SyntheticHeatSettings { return_temp_c: 88.0, ..SyntheticHeatSettings::default() };
    let text = said(SyntheticHeat::plan(&city, &peak_w, &peak_w, &settings));
    assert!(text.contains("return_temp_c"), "{text}");
    peak_w[1] = -1.0;
    city.buildings.x_m[2] = f64::NAN;
    let text = said(SyntheticGas::plan(&city, &peak_w, &SyntheticGasSettings::default()));
    assert!(text.contains("peak_w = -1") && text.contains("x_m"), "{text}");
    let text = said(SyntheticHeat::plan(&city, &peak_w, &[], &SyntheticHeatSettings::default()));
    assert!(text.contains("0 values of annual_kwh"), "{text}");
    let mut bare = city_of(&[[0.0, 0.0]], &[]);
    add_building(&mut bare, [1.0, 1.0], BuildingUse::Residential, 1);
    let text = said(SyntheticGas::plan(&bare, &[1e4], &SyntheticGasSettings::default()));
    assert!(text.contains("no street"), "{text}");
    let text = said(SyntheticHeat::plan(&bare, &[1e4], &[1e4], &SyntheticHeatSettings::default()));
    assert!(text.contains("no street"), "{text}");
    let nothing = SyntheticGas::plan(&City::default(), &[], &SyntheticGasSettings::default()).expect("a plan");
    assert!(nothing.kind.is_empty() && nothing.is_synthetic);
}

#[test]
fn own_peaks_are_never_beaten_by_fewer() {
    // What hangs behind a pipe can only ask for more than its parts in a larger set.
    let mut set = Sums::default();
    let mut before = 0.0;
    for nth in 0..500_u32 {
        let of = Sums::of_building(5e3 * f64::from(1 + nth % 9), 1 + nth % 12);
        set.add(&of);
        assert!(set.peak_w() > before && of.linear_w * set.share() <= of.peak_w() * (1.0 + 1e-12));
        before = set.peak_w();
    }
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
        let (peak_w, annual_kwh) = estimate(&city);
        for settings in [SyntheticGasSettings::default(), two_levels()] {
            let of = SyntheticGas::plan(&city, &peak_w, &settings).expect("a plan");
            let figures = check_gas(&city, &peak_w, &of, &settings);
            eprintln!("{name}: {figures}{:?}", of.notes);
        }
        let settings = SyntheticHeatSettings::default();
        let of = SyntheticHeat::plan(&city, &peak_w, &annual_kwh, &settings).expect("a plan");
        let figures = check_heat(&city, (&peak_w, &annual_kwh), &of, &settings);
        eprintln!("{name}: {figures}{:?}", of.notes);
    }
}

const CASES: u32 = 100;

type Sketch = (Vec<(f64, f64)>, Vec<(u32, u32)>, Vec<(f64, f64, u32, u32)>, f64, f64);

fn sketches() -> impl Strategy<Value = Sketch> {
    let places = proptest::collection::vec((0.0..2000.0, 0.0..2000.0), 2..25);
    let links = proptest::collection::vec((0_u32..25, 0_u32..25), 1..40);
    let buildings = proptest::collection::vec((-50.0..2050.0, -50.0..2050.0, 0_u32..10, 0_u32..200), 0..40);
    (places, links, buildings, 0.0..50.0, 0.0..1.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_streets_supply_any_buildings((places, links, buildings, joint_spacing_m, straightness) in sketches()) {
        let nodes: Vec<[f64; 2]> = places.iter().map(|&(x, y)| [x, y]).collect();
        let n = nodes.len() as u32;
        let links: Vec<(u32, u32)> = links.iter().map(|&(a, b)| (a % n, b % n)).collect();
        let mut city = city_of(&nodes, &links);
        for &(x, y, purpose, dwellings) in &buildings {
            add_building(&mut city, [x, y], BuildingUse::NAMED[purpose as usize].0, dwellings);
        }
        let (peak_w, annual_kwh) = estimate(&city);
        for levels in [GasLevels::One, GasLevels::Two] {
            let mut settings = SyntheticGasSettings { levels, ..SyntheticGasSettings::default() };
            (settings.route.joint_spacing_m, settings.route.straightness) = (joint_spacing_m, straightness);
            match SyntheticGas::plan(&city, &peak_w, &settings) {
                Ok(of) => {
                    check_gas(&city, &peak_w, &of, &settings);
                    prop_assert!(of.is_within || of.notes.iter().any(|note| note.contains("exceed")));
                }
                Err(error) => {
                    let text = format!("{error:?}");
                    prop_assert!(text.contains("no street") && links.iter().all(|&(a, b)| a == b), "{}", text);
                }
            }
        }
        let mut settings = SyntheticHeatSettings { cluster_kwh_min: 1e4, ..SyntheticHeatSettings::default() };
        (settings.route.joint_spacing_m, settings.route.straightness) = (joint_spacing_m, straightness);
        if let Ok(of) = SyntheticHeat::plan(&city, &peak_w, &annual_kwh, &settings) {
            check_heat(&city, (&peak_w, &annual_kwh), &of, &settings);
            prop_assert!(of.is_within || of.notes.iter().any(|note| note.contains("exceed")));
        }
    }
}
