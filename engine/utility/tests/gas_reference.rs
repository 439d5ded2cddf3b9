//! Gas networks against pandapipes' solutions, closed forms and conservation.

#![allow(clippy::print_stdout)] // figures of a test

#[path = "common/pipes.rs"]
mod common;

use common::{Solved, net, nets};
use std::fmt::Write as _;
use urbis_utility::gas::GasFlow;
use urbis_utility::gas::linepack::{Linepack, total_kg};
use urbis_utility::pipes::fluid::{Fluid, Property};
use urbis_utility::pipes::friction::FrictionLaw;
use urbis_utility::pipes::network::{Draw, Feed, Link, LinkKind, Network};
use urbis_utility::pipes::solver::HydraulicSettings;

const BAR: f64 = 1e5;

fn settings(solved: &Solved) -> HydraulicSettings {
    HydraulicSettings { friction: solved.net.options.friction, ..HydraulicSettings::default() }
}

fn solve(solved: &Solved) -> GasFlow {
    let mut flow = GasFlow::new(solved.net.network.clone()).expect("a gas");
    let outcome = flow.solve(&settings(solved));
    assert!(outcome.is_converged, "{}: {outcome:?}", solved.name);
    flow
}

/// Largest imbalance of a node without a feeder, kg/s.
fn imbalance(flow: &GasFlow) -> f64 {
    let network = flow.network();
    let held: Vec<u32> = network.held_pressures().iter().map(|(node, _)| *node).collect();
    let free = (0..network.nodes.len() as u32).filter(|node| flow.is_supplied(*node) && !held.contains(node));
    free.map(|node| flow.hydraulics().balance_kgps(network, node).abs()).fold(0.0, f64::max)
}

#[test]
fn pressures_and_velocities_as_pandapipes() {
    let all = nets(true);
    for solved in &all {
        let mut flow = GasFlow::new(solved.net.network.clone()).expect("a gas");
        let outcome = flow.solve(&settings(solved));
        assert!(outcome.is_converged, "{}: {outcome:?}", solved.name);
        let (p, count) = solved.worst("junction", "p_bar", |id| flow.gauge_pa(solved.node(id)) / BAR);
        assert!(count > 0);
        let tables = ["pipe", "valve", "compressor", "press_control", "pump"];
        let (mut m, mut v, mut normal) = (0.0_f64, 0.0_f64, 0.0_f64);
        for table in tables {
            let state = |id: &str| flow.element(solved.element(table, id));
            m = m.max(solved.worst(table, "mdot_from_kg_per_s", |id| state(id).mdot_kgps).0);
            v = v.max(solved.worst(table, "v_from_m_per_s", |id| state(id).v_from_mps).0);
            v = v.max(solved.worst(table, "v_to_m_per_s", |id| state(id).v_to_mps).0);
            for (id, expected) in solved.results(table, "lambda").into_iter().flatten().filter(|(_, of)| of.is_finite())
            {
                // Near rest the laminar part shows what tolerance of flow the reference was solved to, 1e-8 kg/s.
                if state(&id).reynolds > 100.0 {
                    normal = normal.max((state(&id).lambda / expected - 1.0).abs());
                }
            }
        }
        // pandapipes takes the pressure of the from end for the mean where both differ by less than 1e-5.
        let of = |id: &str| flow.element(solved.element("pipe", id));
        let rows = solved.results("pipe", "v_mean_m_per_s").expect("pipes");
        for (id, expected) in rows.into_iter().filter(|(_, v)| v.is_finite()) {
            let off = (of(&id).v_mean_mps - expected).abs();
            assert!(
                off < 1e-5_f64.max(6e-6 * expected.abs()),
                "{} pipe {id}: off by {off:e} of {expected}",
                solved.name
            );
        }
        let mut feeds = vec![0.0; solved.net.network.nodes.len()];
        flow.feeds_kgps(&mut feeds);
        let fed = |id: &str| {
            let of = |feed: &&Feed| feed.id == id;
            -feeds[solved.net.network.feeds.iter().find(of).expect("a feeder").node as usize]
        };
        let (fed_off, _) = solved.worst("ext_grid", "mdot_kg_per_s", fed);
        let balance = imbalance(&flow);
        println!(
            "{}: {} nodes, {} steps, off by {p:.1e} bar, {m:.1e} kg/s, {v:.1e} m/s, lambda {normal:.1e}, feed {fed_off:.1e} kg/s; balance {balance:.1e} kg/s",
            solved.name,
            solved.net.network.nodes.len(),
            outcome.iterations
        );
        assert!(
            p < 1e-6 && v < 1e-5 && m < 1e-5 && fed_off < 1e-6 && balance < 1e-9 && normal < 1e-6,
            "{}",
            solved.name
        );
    }
}

/// A gas whose compressibility is 1, with the density of an ideal gas.
fn ideal_gas() -> Fluid {
    Fluid {
        name: "gas".to_owned(),
        is_gas: true,
        density_kgpm3: Property::Constant(0.8),
        viscosity_pas: Property::Constant(1.1e-5),
        heat_capacity_jpkgk: Property::Constant(2000.0),
        compressibility_by_bar: Property::Constant(1.0),
    }
}

fn pipe(from: u32, to: u32, length_m: f64, diameter_m: f64) -> Link {
    Link { length_m, roughness_m: 1e-4, ..Link::short(from, to, LinkKind::Resistance, diameter_m, 283.15) }
}

/// A row of pipes from a feeder at `p_pa`; what is drawn from each node.
fn row(p_pa: f64, draws: &[f64], link: impl Fn(u32, u32) -> Link) -> Network {
    let mut network = Network::new(ideal_gas());
    for node in 0..=draws.len() {
        network.nodes.push(node.to_string(), 0.0, 283.15, true, true);
    }
    for (nth, &mdot_kgps) in draws.iter().enumerate() {
        network.links.push(link(nth as u32, nth as u32 + 1));
        network.draws.push(Draw { table: "sink", id: nth.to_string(), node: nth as u32 + 1, mdot_kgps });
    }
    network.feeds.push(Feed { id: "0".to_owned(), node: 0, pressure_pa: Some(p_pa), t_k: None, is_in_service: true });
    network
}

/// Isothermal flow of an ideal gas: p1^2 - p2^2 = lambda L / d (m / A)^2 R T, R T = p_n / rho_n T / T_n.
#[test]
fn a_pipe_by_the_isothermal_equation() {
    let (p1, m, length, d) = (16e5_f64, 2.5_f64, 20_000.0, 0.2);
    let mut flow = GasFlow::new(row(p1, &[m], |a, b| pipe(a, b, length, d))).expect("a gas");
    let settings = HydraulicSettings { friction: FrictionLaw::SwameeJain, ..HydraulicSettings::default() };
    assert!(flow.solve(&settings).is_converged);
    let area = std::f64::consts::PI * d * d / 4.0;
    let re = m * d / (1.1e-5 * area);
    let lambda = 0.25 / (1e-4 / (3.7 * d) + 5.74 / re.powf(0.9)).log10().powi(2);
    let rt = 101_325.0 / 0.8 * 283.15 / 273.15;
    let p2 = (p1 * p1 - lambda * length / d * (m / area).powi(2) * rt).sqrt();
    println!("p2 = {p2} Pa by hand, {} found", flow.pressure_pa(1));
    assert!((flow.pressure_pa(1) / p2 - 1.0).abs() < 1e-11);
    // Linepack: the integral of p / (R T) along a pipe whose squared pressure falls evenly.
    let steps = 200_000;
    let p_at = |share: f64| (p1 * p1 + share * (p2 * p2 - p1 * p1)).sqrt();
    let mean: f64 =
        (0..steps).map(|nth| p_at((f64::from(nth) + 0.5) / f64::from(steps))).sum::<f64>() / f64::from(steps);
    let expected = mean / rt * area * length;
    assert!((flow.link(0).linepack_kg / expected - 1.0).abs() < 1e-9, "{} {expected}", flow.link(0).linepack_kg);
}

#[test]
fn more_than_a_pipe_can_carry_does_not_converge() {
    let mut flow = GasFlow::new(row(2e5, &[3.0], |a, b| pipe(a, b, 20_000.0, 0.1))).expect("a gas");
    let outcome = flow.solve(&HydraulicSettings::default());
    assert!(!outcome.is_converged, "{outcome:?}");
    flow.set_draw(0, 0.01);
    flow.reset();
    assert!(flow.solve(&HydraulicSettings::default()).is_converged);
    assert!(flow.pressure_pa(1) > 0.0);
}

#[test]
fn compressors_and_regulators_hold_what_they_should() {
    let mut network = row(10e5, &[0.1, 0.2, 0.3, 0.4], |a, b| match a {
        1 => Link::short(a, b, LinkKind::Ratio(1.7), 0.1, 283.15),
        2 => Link::short(a, b, LinkKind::Regulator { node: 4, pressure_pa: 5e5 }, 0.1, 283.15),
        _ => pipe(a, b, 1000.0, 0.1),
    });
    // A second way around the compressor, closed.
    network.links.push(Link { is_in_service: false, ..pipe(0, 4, 10.0, 0.1) });
    let mut flow = GasFlow::new(network).expect("a gas");
    assert!(flow.solve(&HydraulicSettings::default()).is_converged);
    assert!((flow.pressure_pa(2) / flow.pressure_pa(1) - 1.7).abs() < 1e-11);
    assert!((flow.pressure_pa(4) - 5e5).abs() < 1e-4);
    assert!((flow.link(2).mdot_kgps - 0.7).abs() < 1e-10 && imbalance(&flow) < 1e-10);
}

#[test]
fn valves_side_by_side_are_solved_and_told() {
    let mut network = row(3e5, &[0.0, 0.02], |a, b| pipe(a, b, 100.0, 0.05));
    for _ in 0..2 {
        network.links.push(Link::short(0, 1, LinkKind::Resistance, 0.05, 283.15));
    }
    let mut flow = GasFlow::new(network).expect("a gas");
    let outcome = flow.solve(&HydraulicSettings::default());
    assert!(outcome.is_converged && outcome.idle_equations == 1, "{outcome:?}");
    assert!((flow.pressure_pa(1) - 3e5).abs() < 1e-6 && imbalance(&flow) < 1e-12);
}

#[test]
fn what_no_feeder_reaches_is_unserved() {
    let mut network = row(2e5, &[0.01, 0.02, 0.03], |a, b| pipe(a, b, 100.0, 0.05));
    network.links.is_in_service[1] = false;
    let mut flow = GasFlow::new(network).expect("a gas");
    assert!(flow.solve(&HydraulicSettings::default()).is_converged);
    assert!(flow.is_supplied(1) && !flow.is_supplied(2) && !flow.is_supplied(3));
    assert!((flow.unserved_kgps() - 0.05).abs() < 1e-15 && flow.pressure_pa(3).is_nan());
    assert!((flow.link(0).mdot_kgps - 0.01).abs() < 1e-12 && flow.link(2).mdot_kgps.abs() <= 0.0);
    // Nothing at all is supplied.
    let mut network = flow.network().clone();
    network.feeds[0].is_in_service = false;
    let mut flow = GasFlow::new(network).expect("a gas");
    assert!(flow.solve(&HydraulicSettings::default()).is_converged);
    assert!((flow.unserved_kgps() - 0.06).abs() < 1e-15);
}

#[test]
fn what_pipes_hold_closes_the_balance_of_ticks() {
    let mut flow = GasFlow::new(row(16e5, &[0.5, 0.4, 0.3], |a, b| pipe(a, b, 5000.0, 0.15))).expect("a gas");
    let (mut pack, mut fed, mut drawn, mut start) = (Linepack::default(), 0.0, 0.0, None);
    for tick in 0..48 {
        let share = 0.5 + 0.5 * (f64::from(tick) / 24.0 * std::f64::consts::TAU).sin();
        (0..3).for_each(|draw| flow.set_draw(draw, share * 0.1 * f64::from(draw + 3)));
        assert!(flow.solve(&HydraulicSettings::default()).is_converged);
        let of = pack.tick(&flow, 3600.0);
        let _ = *start.get_or_insert(of.held_kg);
        (fed, drawn) = (fed + of.fed_kg, drawn + of.drawn_kg);
    }
    let gained = total_kg(&flow) - start.expect("a tick");
    println!("fed {fed} kg, drawn {drawn} kg, gained {gained} kg");
    assert!((fed - drawn - gained).abs() < 1e-9 * drawn && gained.abs() > 1.0);
}

#[test]
fn a_tick_does_not_allocate_and_begins_warm() {
    for name in ["pandapipes_gas_zoo", "schutterwald_gas"] {
        let Some(solved) = net(name) else { continue };
        let settings = settings(&solved);
        let mut flow = solve(&solved);
        let cold = flow.clone().hydraulics().pressure_pa.clone();
        let draws = flow.network().draws.len() as u32;
        let before: Vec<f64> = flow.network().draws.iter().map(|draw| draw.mdot_kgps).collect();
        let mut outcome = flow.solve(&settings);
        let info = allocation_counter::measure(|| {
            (0..draws).for_each(|draw| flow.set_draw(draw, 1.1 * before[draw as usize]));
            outcome = flow.solve(&settings);
        });
        assert!(outcome.is_converged && info.count_total == 0, "{name}: {outcome:?} {} allocations", info.count_total);
        #[allow(clippy::disallowed_methods)] // printed, not asserted
        let began = std::time::Instant::now();
        let rounds = 20;
        for round in 0..rounds {
            let share = if round % 2 == 0 { 1.0 } else { 1.1 };
            (0..draws).for_each(|draw| flow.set_draw(draw, share * before[draw as usize]));
            outcome = flow.solve(&settings);
        }
        println!(
            "{name}: a re-solve at draws changed by a tenth takes {:?}, {} steps",
            began.elapsed() / rounds,
            outcome.iterations
        );
        (0..draws).for_each(|draw| flow.set_draw(draw, before[draw as usize]));
        assert!(flow.solve(&settings).is_converged);
        let off = cold.iter().zip(&flow.hydraulics().pressure_pa).filter(|(a, _)| a.is_finite());
        let off = off.map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
        assert!(off < 1e-11, "{name}: {off:e}");
    }
}

/// Networks are solved beside one another; what one thread finds, eight find too, bit for bit.
#[test]
fn the_same_bits_for_any_number_of_threads() {
    use rayon::prelude::*;
    let text = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let all = nets(true);
            let texts: Vec<String> = all
                .par_iter()
                .map(|solved| {
                    let flow = solve(solved);
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
