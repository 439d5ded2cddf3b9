//! Networks of heat against pandapipes' solutions, closed forms and conservation over a year.

#![allow(clippy::print_stdout)] // figures of a test

#[path = "common/pipes.rs"]
mod common;

use common::{Solved, net, nets};
use std::fmt::Write as _;
use urbis_utility::heat::transport::{HeatRun, RunSettings};
use urbis_utility::heat::{Coupling, HeatFlow, HeatSettings};
use urbis_utility::pipes::fluid::{Fluid, Property};
use urbis_utility::pipes::network::{Consumer, Draw, Feed, Given, HeatRule, Link, LinkKind, Network, Plant};
use urbis_utility::pipes::solver::HydraulicSettings;

const BAR: f64 = 1e5;

/// As pandapipes was run: flows and temperatures in turn where the folder is one of `mode = "bidirectional"`.
fn settings(solved: &Solved) -> HeatSettings {
    let is_mutual = ["pandapipes_heat_zoo", "pandapipes_heat_mass_pump"].contains(&solved.name.as_str());
    HeatSettings {
        hydraulic: HydraulicSettings { friction: solved.net.options.friction, ..HydraulicSettings::default() },
        coupling: if is_mutual { Coupling::Mutual } else { Coupling::Sequential },
        ambient_k: solved.net.options.ambient_k,
        ..HeatSettings::default()
    }
}

fn imbalance(flow: &HeatFlow) -> f64 {
    let network = flow.network();
    let held: Vec<u32> = network.held_pressures().iter().map(|(node, _)| *node).collect();
    let free = (0..network.nodes.len() as u32).filter(|node| flow.is_supplied(*node) && !held.contains(node));
    free.map(|node| flow.hydraulics().balance_kgps(network, node).abs()).fold(0.0, f64::max)
}

#[test]
fn pressures_flows_and_temperatures_as_pandapipes() {
    for solved in &nets(false) {
        let mut flow = HeatFlow::new(solved.net.network.clone()).expect("water");
        let outcome = flow.solve(&settings(solved));
        assert!(outcome.is_converged, "{}: {outcome:?}", solved.name);
        let (p, count) = solved.worst("junction", "p_bar", |id| flow.gauge_pa(solved.node(id)) / BAR);
        let (mut t, _) = solved.worst("junction", "t_k", |id| flow.t_k(solved.node(id)));
        assert!(count > 0);
        let tables = [
            "pipe",
            "valve",
            "pump",
            "heat_consumer",
            "heat_exchanger",
            "flow_control",
            "circ_pump_pressure",
            "circ_pump_mass",
        ];
        let (mut m, mut v, mut q) = (0.0_f64, 0.0_f64, 0.0_f64);
        for table in tables {
            let state = |id: &str| flow.element(solved.element(table, id));
            m = m.max(solved.worst(table, "mdot_from_kg_per_s", |id| state(id).mdot_kgps).0);
            v = v.max(solved.worst(table, "v_mean_m_per_s", |id| state(id).v_mps).0);
            // Of a pipe of sections it is that of the last, whichever way water flows.
            let last = |id: &str| flow.network().elements[solved.element(table, id)].links().end - 1;
            t = t.max(solved.worst(table, "t_outlet_k", |id| flow.link(last(id)).t_out_k).0);
            t = t.max(solved.worst(table, "t_from_k", |id| state(id).t_from_k).0);
            t = t.max(solved.worst(table, "t_to_k", |id| state(id).t_to_k).0);
            let sign = if table.starts_with("circ") { -1.0 } else { 1.0 };
            q = q.max(solved.worst(table, "qext_w", |id| sign * state(id).heat_w).0);
        }
        let balance = imbalance(&flow);
        println!(
            "{}: {count} junctions, {} rounds, off by {p:.1e} bar, {t:.1e} K, {m:.1e} kg/s, {v:.1e} m/s, {q:.1e} W; balance {balance:.1e} kg/s",
            solved.name, outcome.rounds
        );
        assert!(p < 1e-6 && t < 0.01 && m < 1e-5 && v < 1e-5 && q < 1.0 && balance < 1e-9, "{}", solved.name);
    }
}

/// Water whose properties do not change.
fn water() -> Fluid {
    Fluid {
        name: "water".to_owned(),
        is_gas: false,
        density_kgpm3: Property::Constant(985.0),
        viscosity_pas: Property::Constant(5e-4),
        heat_capacity_jpkgk: Property::Constant(4185.0),
        compressibility_by_bar: Property::Constant(1.0),
    }
}

fn pipe(from: u32, to: u32, length_m: f64, diameter_m: f64) -> Link {
    Link {
        length_m,
        roughness_m: 1e-4,
        u_wpm2k: 1.2,
        outer_diameter_m: 1.4 * diameter_m,
        ground_k: 281.15,
        ..Link::short(from, to, LinkKind::Resistance, diameter_m, 333.15)
    }
}

/// A supply and a return of `count` pipes each, a plant at their begin, a consumer at every joint but the first.
fn town(count: u32, given: impl Fn(u32) -> Given) -> Network {
    let mut network = Network::new(water());
    for node in 0..2 * (count + 1) {
        network.nodes.push(node.to_string(), 3.0 * f64::from(node % (count + 1)), 340.0, true, true);
    }
    for nth in 0..count {
        network.links.push(pipe(nth, nth + 1, 150.0, 0.1));
        network.links.push(pipe(count + 2 + nth, count + 1 + nth, 150.0, 0.1));
    }
    // A ring, so that flow divides.
    network.links.push(pipe(1, count, 400.0, 0.08));
    network.links.push(pipe(count + 1 + count, count + 2, 400.0, 0.08));
    for nth in 1..=count {
        let given = given(nth);
        let link = network.links.push(Link::short(nth, count + 1 + nth, LinkKind::Flow(0.0), 0.1, 320.0));
        network.consumers.push(Consumer { id: nth.to_string(), link, given });
    }
    let mut plant = Link::short(count + 1, 0, LinkKind::Lift(3e5), 0.1, 358.15);
    plant.heat = HeatRule::Outlet(358.15);
    let link = network.links.push(plant);
    let pressure_pa = Some(7e5);
    network.plants.push(Plant {
        table: "circ_pump_pressure",
        id: "0".to_owned(),
        link,
        pressure_pa,
        t_flow_k: Some(358.15),
    });
    network
}

/// A consumer in a town takes no effect before what is given of it is set.
fn begin(network: Network) -> HeatFlow {
    let given: Vec<Given> = network.consumers.iter().map(|of| of.given).collect();
    let mut flow = HeatFlow::new(network).expect("water");
    given.into_iter().enumerate().for_each(|(nth, given)| flow.set_given(nth as u32, given));
    flow
}

/// T_out = T_g + (T_in - T_g) exp(-U pi d_o L / (m cp)), and pressure by Darcy and Weisbach.
#[test]
fn a_pipe_by_its_closed_form() {
    let mut network = Network::new(water());
    (0..2).for_each(|node| {
        network.nodes.push(node.to_string(), 0.0, 300.0, true, true);
    });
    network.links.push(pipe(0, 1, 2000.0, 0.1));
    network.draws.push(Draw { table: "sink", id: "0".to_owned(), node: 1, mdot_kgps: 3.0 });
    let (pressure_pa, t_k) = (Some(8e5), Some(363.15));
    network.feeds.push(Feed { id: "0".to_owned(), node: 0, pressure_pa, t_k, is_in_service: true });
    let mut flow = HeatFlow::new(network).expect("water");
    assert!(flow.solve(&HeatSettings::default()).is_converged);
    let pi = std::f64::consts::PI;
    let expected = 281.15 + 82.0 * (-1.2 * pi * 0.14 * 2000.0 / (3.0 * 4185.0)).exp();
    assert!((flow.t_k(1) - expected).abs() < 1e-9, "{} {expected}", flow.t_k(1));
    let area = pi * 0.01 / 4.0;
    let (v, re) = (3.0 / (985.0 * area), 3.0 * 0.1 / (5e-4 * area));
    let lambda = 64.0 / re + (2.0 * (3.71 * 0.1 / 1e-4_f64).log10()).powi(-2);
    let fall = lambda * 2000.0 / 0.1 * 985.0 * v * v / 2.0;
    assert!((8e5 - flow.pressure_pa(1) - fall).abs() < 1e-6 * fall);
    assert!((flow.link(0).heat_loss_w - 3.0 * 4185.0 * (363.15 - expected)).abs() < 1e-6);
}

#[test]
fn every_pair_of_given_values_is_kept() {
    let given = [
        Given::FlowHeat(0.5, 40e3),
        Given::FlowDrop(0.4, 30.0),
        Given::FlowReturn(0.3, 320.0),
        Given::HeatDrop(50e3, 35.0),
        Given::HeatReturn(60e3, 318.0),
    ];
    let mut flow = begin(town(5, |nth| given[nth as usize - 1]));
    let outcome = flow.solve(&HeatSettings::default());
    assert!(outcome.is_converged, "{outcome:?}");
    let states: Vec<_> = flow.network().consumers.iter().map(|of| flow.link(of.link as usize)).collect();
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
    let drop = |at: usize| states[at].t_from_k - states[at].t_out_k;
    close(states[0].mdot_kgps, 0.5);
    close(drop(0), 40e3 / (0.5 * 4185.0));
    close(drop(1), 30.0);
    close(states[2].t_out_k, 320.0);
    close(states[3].mdot_kgps, 50e3 / (4185.0 * 35.0));
    close(states[3].heat_w, 50e3);
    close(states[4].heat_w, 60e3);
    close(states[4].t_out_k, 318.0);
    // One heat capacity: heat adds up.
    let links = 0..flow.network().links.len();
    let lost: f64 = links.map(|link| flow.link(link).heat_loss_w).sum();
    let taken: f64 = states.iter().map(|of| of.heat_w).sum();
    close(flow.plant_w(0), lost + taken);
}

#[test]
fn a_cold_supply_gives_nothing_and_a_lone_return_is_unserved() {
    let mut flow = begin(town(2, |_| Given::HeatReturn(10e3, 370.0)));
    let outcome = flow.solve(&HeatSettings::default());
    assert!(outcome.is_converged, "{outcome:?}");
    assert!(flow.hydraulics().mdot_kgps.iter().all(|m| m.abs() < 1e-9));
    // Without its pump the return has no pressure.
    let mut network = town(2, |_| Given::FlowHeat(0.2, 10e3));
    network.plants.clear();
    let last = network.links.len() - 1;
    network.links.is_in_service[last] = false;
    let (pressure_pa, t_k) = (Some(5e5), Some(350.0));
    network.feeds.push(Feed { id: "0".to_owned(), node: 0, pressure_pa, t_k, is_in_service: true });
    let mut flow = begin(network);
    let outcome = flow.solve(&HeatSettings::default());
    assert!(outcome.is_converged, "{outcome:?}");
    assert!(flow.is_supplied(2) && !flow.is_supplied(3) && flow.t_k(3).is_nan());
}

/// Steps under constant demands keep the steady state, whatever their length.
#[test]
fn time_stands_still_in_the_steady_state() {
    for step_s in [120.0, 900.0, 3600.0, 20_000.0] {
        let flow = begin(town(6, |nth| Given::FlowHeat(0.1 * f64::from(nth), 1e4 * f64::from(nth))));
        let settings = RunSettings { step_s, ..RunSettings::default() };
        let mut run = HeatRun::new(flow, settings).expect("a start");
        let start = run.flow().temperatures().node_k.clone();
        for _ in 0..50 {
            assert!(run.step().hydraulic.is_converged);
        }
        let now = &run.flow().temperatures().node_k;
        let off = start.iter().zip(now).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        println!("{step_s} s: off by {off:.1e} K, gap {:.1e}", run.ledger().gap());
        assert!(off < 1e-7 && run.ledger().gap() < 1e-11);
    }
}

/// A warmer supply comes to the end of a pipe after L / v.
#[test]
fn a_warm_front_comes_with_the_water() {
    let flow = begin(town(1, |_| Given::FlowHeat(1.0, 50e3)));
    let mut run = HeatRun::new(flow, RunSettings { step_s: 60.0, ..RunSettings::default() }).expect("a start");
    run.step();
    let before = run.flow().t_k(1);
    run.set_flow_temperature(0, 368.15);
    let network = run.flow().network();
    let share = run.flow().hydraulics().mdot_kgps[0]; // a second pipe runs beside it in a town of one
    let delay_s = network.links.area_m2(0) * 150.0 * 985.0 / share;
    let mut arrived_s = 0.0;
    while run.flow().t_k(1) < before + 0.1 {
        run.step();
        arrived_s += 60.0;
        assert!(arrived_s < 10.0 * delay_s);
    }
    println!("a front is due after {delay_s:.0} s and came within the step that ends at {arrived_s} s");
    assert!(arrived_s >= delay_s && arrived_s - 60.0 <= delay_s + 60.0);
}

/// A year of hours: demands follow a day and a season, supply and ground the season; every step is counted.
#[test]
fn a_year_of_hours_closes_its_ledger() {
    let base = |nth: u32| 4e3 * f64::from(nth);
    let given = |nth: u32, q_w: f64| match nth % 3 {
        0 => Given::HeatDrop(q_w, 30.0),
        1 => Given::HeatReturn(q_w, 318.15),
        _ => Given::FlowHeat(0.05 + q_w / (4185.0 * 30.0), q_w),
    };
    let flow = begin(town(8, |nth| given(nth, base(nth))));
    let mut run = HeatRun::new(flow, RunSettings::default()).expect("a start");
    let count = run.flow().network().consumers.len() as u32;
    let mut worst = 0.0_f64;
    let mut most = 0;
    let mut asked = 0.0;
    for hour in 0..8760_u32 {
        let season = (f64::from(hour) / 8760.0 * std::f64::consts::TAU).cos();
        let day = 1.0 + 0.5 * (f64::from(hour % 24) / 24.0 * std::f64::consts::TAU).sin();
        run.set_flow_temperature(0, 353.15 + 10.0 * season);
        if hour % 24 == 0 {
            run.set_ground(283.15 - 5.0 * season);
        }
        for consumer in 0..count {
            // In summer some take nothing at all for days.
            let share = if season < -0.9 && consumer % 2 == 0 { 0.0 } else { (0.55 + 0.5 * season) * day };
            asked += base(consumer + 1) * share * 3600.0;
            run.set_given(consumer, given(consumer + 1, base(consumer + 1) * share));
        }
        let mut outcome = Default::default();
        let info = allocation_counter::measure(|| outcome = run.step());
        most = most.max(info.count_total);
        assert!(outcome.hydraulic.is_converged, "hour {hour}: {outcome:?}");
        worst = worst.max(run.ledger().gap());
    }
    let of = run.ledger();
    let mwh = |j: f64| j / 3.6e9;
    println!(
        "produced {:.3} MWh, delivered {:.3} of {:.3}, lost {:.3}, stored {:+.4}; worst gap {worst:.1e}",
        mwh(of.produced_j),
        mwh(of.delivered_j),
        mwh(asked),
        mwh(of.lost_j),
        mwh(of.stored_j - of.stored_at_start_j)
    );
    assert!(worst < 1e-9 && most == 0, "gap {worst:e}, {most} allocations");
    assert!(of.lost_j > 0.01 * of.produced_j && (of.delivered_j / asked - 1.0).abs() < 0.02);
}

/// The town of the reference over its year.
#[test]
fn a_town_over_a_year() {
    let Some(solved) = net("schutterwald_heat") else { return };
    let flow = HeatFlow::new(solved.net.network.clone()).expect("water");
    let heat = HeatSettings { coupling: Coupling::Mutual, ..settings(&solved) };
    let mut run = HeatRun::new(flow, RunSettings { heat, ..RunSettings::default() }).expect("a start");
    let given: Vec<Given> = run.flow().network().consumers.iter().map(|of| of.given).collect();
    #[allow(clippy::disallowed_methods)] // printed, not asserted
    let began = std::time::Instant::now();
    for hour in 0..8760_u32 {
        let share = 0.6 + 0.4 * (f64::from(hour) / 8760.0 * std::f64::consts::TAU).cos();
        for (nth, given) in given.iter().enumerate() {
            if let Given::FlowHeat(m, q_w) = given {
                run.set_given(nth as u32, Given::FlowHeat(m * share, q_w * share));
            }
        }
        let outcome = run.step();
        assert!(outcome.hydraulic.is_converged, "hour {hour}: {outcome:?}");
    }
    let of = run.ledger();
    println!(
        "8,760 steps of 488 junctions take {:?}; gap {:.1e}, lost {:.1} %",
        began.elapsed(),
        of.gap(),
        100.0 * of.lost_j / of.produced_j
    );
    assert!(of.gap() < 1e-9);
}

#[test]
fn a_tick_does_not_allocate() {
    for name in ["pandapipes_heat_zoo", "schutterwald_heat"] {
        let Some(solved) = net(name) else { continue };
        let settings = HeatSettings { coupling: Coupling::Mutual, ..settings(&solved) };
        let mut flow = HeatFlow::new(solved.net.network.clone()).expect("water");
        assert!(flow.solve(&settings).is_converged);
        let before = flow.temperatures().node_k.clone();
        let mut outcome = Default::default();
        let info = allocation_counter::measure(|| {
            for share in [1.1, 1.0] {
                for nth in 0..flow.network().consumers.len() as u32 {
                    if let Given::FlowHeat(m, q_w) = solved.net.network.consumers[nth as usize].given {
                        flow.set_given(nth, Given::FlowHeat(share * m, share * q_w));
                    }
                }
                outcome = flow.solve(&settings);
            }
        });
        assert!(outcome.is_converged && info.count_total == 0, "{name}: {outcome:?}, {} allocations", info.count_total);
        let off = before.iter().zip(&flow.temperatures().node_k).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-7, "{name}: {off:e}");
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    use rayon::prelude::*;
    let text = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let texts: Vec<String> = nets(false)
                .par_iter()
                .map(|solved| {
                    let mut flow = HeatFlow::new(solved.net.network.clone()).expect("water");
                    flow.solve(&settings(solved));
                    let mut text = String::new();
                    (0..flow.network().links.len())
                        .for_each(|link| write!(text, "{:?}", flow.link(link)).expect("text"));
                    text
                })
                .collect();
            texts.concat()
        })
    };
    let one = text(1);
    assert!(one == text(2) && one == text(8));
}
