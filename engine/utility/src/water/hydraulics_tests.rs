use super::super::network::{
    Curve, DemandModel, LinkKind, LinkStatus, Links, NONE, Network, NodeKind, Nodes, PumpLift, Pumps, Tanks,
};
use super::*;

/// Nodes by kind and elevation; links are added by tests.
fn network(nodes: &[(NodeKind, f64)]) -> Network {
    let count = nodes.len();
    let tanks: Vec<u32> = (0..count as u32).filter(|&node| nodes[node as usize].0 == NodeKind::Tank).collect();
    Network {
        nodes: Nodes {
            id: (0..count).map(|node| format!("n{node}")).collect(),
            kind: nodes.iter().map(|node| node.0).collect(),
            elevation_m: nodes.iter().map(|node| node.1).collect(),
            head_pattern: vec![NONE; count],
            emitter_m3ps: vec![0.0; count],
            initial_quality: vec![0.0; count],
            place: vec![None; count],
        },
        tanks: Tanks {
            initial_level_m: vec![2.0; tanks.len()],
            min_level_m: vec![0.0; tanks.len()],
            max_level_m: vec![5.0; tanks.len()],
            diameter_m: vec![10.0; tanks.len()],
            min_volume_m3: vec![0.0; tanks.len()],
            volume_curve: vec![NONE; tanks.len()],
            can_overflow: vec![false; tanks.len()],
            mixing: vec![Default::default(); tanks.len()],
            bulk_per_s: vec![f64::NAN; tanks.len()],
            node: tanks,
        },
        ..Network::default()
    }
}

/// A link of 1 km and 0.3 m, roughness 100.
fn link(net: &mut Network, kind: LinkKind, from: u32, to: u32, setting: f64) -> usize {
    let of: &mut Links = &mut net.links;
    of.id.push(format!("l{}", of.id.len()));
    of.kind.push(kind);
    of.from.push(from);
    of.to.push(to);
    of.length_m.push(1000.0);
    of.diameter_m.push(0.3);
    of.roughness.push(100.0);
    of.minor_loss.push(0.0);
    let is_valve = !matches!(kind, LinkKind::Pipe | LinkKind::CheckValve | LinkKind::Pump);
    of.status.push(if is_valve { LinkStatus::Active } else { LinkStatus::Open });
    of.setting.push(setting);
    of.curve.push(NONE);
    of.bulk_per_s.push(f64::NAN);
    of.wall_mps.push(f64::NAN);
    of.vertices.push(Vec::new());
    of.id.len() - 1
}

fn pump(net: &mut Network, from: u32, to: u32, points: &[[f64; 2]]) -> usize {
    let at = link(net, LinkKind::Pump, from, to, 1.0);
    net.curves.push(Curve { id: "c".into(), points: points.to_vec() });
    let of: &mut Pumps = &mut net.pumps;
    of.link.push(at as u32);
    of.lift.push(PumpLift::Curve(net.curves.len() as u32 - 1));
    of.speed_pattern.push(NONE);
    of.efficiency_curve.push(NONE);
    of.price_per_kwh.push(f64::NAN);
    of.price_pattern.push(NONE);
    at
}

/// Hazen-Williams in SI.
fn loss_m(q: f64) -> f64 {
    10.667 * 1000.0 * (q / 100.0_f64).powf(1.852) / 0.3_f64.powf(4.871)
}

fn solved(net: Network, demands: &[(usize, f64)]) -> Hydraulics {
    let mut of = Hydraulics::new(net).unwrap();
    demands.iter().for_each(|&(node, q)| of.demand_m3ps[node] = q);
    let balance = of.solve();
    assert!(balance.is_balanced, "{balance:?}");
    of
}

#[test]
fn a_pipe_loses_head_by_hazen_and_williams() {
    let mut net = network(&[(NodeKind::Reservoir, 100.0), (NodeKind::Junction, 20.0)]);
    link(&mut net, LinkKind::Pipe, 0, 1, 1.0);
    let of = solved(net, &[(1, 0.05)]);
    assert!((of.flow_m3ps[0] - 0.05).abs() < 1e-12);
    assert!((100.0 - of.head_m[1] - loss_m(0.05)).abs() < 1e-3 * loss_m(0.05), "{}", of.head_m[1]);
    assert!((of.served_m3ps[0] + 0.05).abs() < 1e-12);
}

#[test]
fn two_equal_pipes_share() {
    let mut net = network(&[(NodeKind::Reservoir, 100.0), (NodeKind::Junction, 20.0)]);
    for _ in 0..2 {
        link(&mut net, LinkKind::Pipe, 0, 1, 1.0);
    }
    let of = solved(net, &[(1, 0.1)]);
    assert!((of.flow_m3ps[0] - 0.05).abs() < 1e-9 && (of.flow_m3ps[1] - 0.05).abs() < 1e-9);
}

#[test]
fn valves_do_what_they_are_for() {
    let chain = |kind: LinkKind, setting: f64| {
        let mut net = network(&[
            (NodeKind::Reservoir, 100.0),
            (NodeKind::Junction, 0.0),
            (NodeKind::Junction, 0.0),
            (NodeKind::Junction, 0.0),
        ]);
        link(&mut net, LinkKind::Pipe, 0, 1, 1.0);
        link(&mut net, kind, 1, 2, setting);
        link(&mut net, LinkKind::Pipe, 2, 3, 1.0);
        net
    };
    let of = solved(chain(LinkKind::Prv, 30.0), &[(3, 0.05)]);
    assert!((of.head_m[2] - 30.0).abs() < 1e-6 && of.state[1] == LinkState::Active, "{:?}", of.head_m);
    assert!((of.flow_m3ps[1] - 0.05).abs() < 1e-9);
    // There is less than it would hold.
    let of = solved(chain(LinkKind::Prv, 120.0), &[(3, 0.05)]);
    assert!(of.state[1] == LinkState::Open && (of.head_m[1] - of.head_m[2]).abs() < 1e-5);
    let of = solved(chain(LinkKind::Pbv, 7.0), &[(3, 0.05)]);
    assert!((of.head_m[1] - of.head_m[2] - 7.0).abs() < 1e-5);
    // K v^2 / 2g.
    let of = solved(chain(LinkKind::Tcv, 10.0), &[(3, 0.05)]);
    let v = 0.05 / (std::f64::consts::PI * 0.09 / 4.0);
    assert!((of.head_m[1] - of.head_m[2] - 10.0 * v * v / 2.0 / 9.81).abs() < 1e-3);
    // A reservoir at the end takes what comes: a flow valve holds it.
    let mut net = chain(LinkKind::Fcv, 0.02);
    net.nodes.kind[3] = NodeKind::Reservoir;
    let of = solved(net, &[]);
    assert!((of.flow_m3ps[1] - 0.02).abs() < 1e-6 && (of.flow_m3ps[2] - 0.02).abs() < 1e-6, "{:?}", of.flow_m3ps);
    // A valve that keeps the pressure before it throttles.
    let mut net = chain(LinkKind::Psv, 90.0);
    net.nodes.kind[3] = NodeKind::Reservoir;
    let of = solved(net, &[]);
    assert!((of.head_m[1] - 90.0).abs() < 1e-6 && of.state[1] == LinkState::Active, "{:?}", of.head_m);
    assert!((loss_m(of.flow_m3ps[0]) - 10.0).abs() < 0.02, "{:?}", of.flow_m3ps);
    // Against a check valve nothing flows.
    let mut net = chain(LinkKind::CheckValve, 1.0);
    (net.nodes.kind[3], net.nodes.elevation_m[3]) = (NodeKind::Reservoir, 200.0);
    let of = solved(net, &[]);
    assert!(of.state[1] == LinkState::Closed && of.flow_m3ps[0].abs() < 1e-6, "{:?}", of.flow_m3ps);
}

/// A valve with a curve loses head by it whether it is told to be open or not.
#[test]
fn a_valve_with_a_curve_loses_head_by_it() {
    let mut net = network(&[(NodeKind::Reservoir, 50.0), (NodeKind::Junction, 0.0)]);
    let at = link(&mut net, LinkKind::Gpv, 0, 1, 0.0);
    net.curves.push(Curve { id: "c".into(), points: vec![[0.0, 0.0], [0.01, 8.0], [0.02, 20.0]] });
    (net.links.curve[at], net.links.status[at]) = (0, LinkStatus::Open);
    let of = solved(net, &[(1, 0.015)]);
    assert!((of.head_m[1] - (50.0 - 14.0)).abs() < 1e-6, "{:?}", of.head_m);
}

/// A valve for the pressure before it that alone feeds a place cannot hold it back.
#[test]
fn a_valve_that_alone_feeds_is_open() {
    let mut net = network(&[
        (NodeKind::Reservoir, 50.0),
        (NodeKind::Junction, 0.0),
        (NodeKind::Junction, 0.0),
        (NodeKind::Junction, 0.0),
    ]);
    link(&mut net, LinkKind::Pipe, 0, 1, 1.0);
    let valve = link(&mut net, LinkKind::Psv, 1, 2, 45.0);
    link(&mut net, LinkKind::Pipe, 2, 3, 1.0);
    let of = solved(net.clone(), &[(2, 0.06), (3, 0.05)]);
    assert!(of.state[valve] == LinkState::CannotFlow && (of.flow_m3ps[valve] - 0.11).abs() < 1e-9);
    assert!((of.head_m[1] - (50.0 - loss_m(0.11))).abs() < 0.05, "{:?}", of.head_m);
    // The same of a valve that lets less through than is drawn.
    net.links.kind[valve] = LinkKind::Fcv;
    net.links.setting[valve] = 0.02;
    let of = solved(net, &[(2, 0.06), (3, 0.05)]);
    assert!(of.state[valve] == LinkState::CannotFlow && of.head_m.iter().all(|head| head.abs() < 1e3));
}

#[test]
fn steep_emitters_begin_again() {
    let mut net = network(&[(NodeKind::Reservoir, 50.0), (NodeKind::Junction, 0.0)]);
    link(&mut net, LinkKind::Pipe, 0, 1, 1.0);
    net.nodes.emitter_m3ps[1] = 1e-4;
    net.options.emitter_exponent = 1.5;
    let mut of = Hydraulics::new(net).unwrap();
    of.emitted_m3ps[1] = 0.0;
    assert!(of.solve().is_balanced);
    assert!((of.emitted_m3ps[1] - 1e-4 * of.head_m[1].powf(1.5)).abs() < 1e-9, "{:?}", of.emitted_m3ps);
}

#[test]
fn a_pump_works_where_its_curve_meets_the_system() {
    let mut net = network(&[(NodeKind::Reservoir, 10.0), (NodeKind::Junction, 0.0), (NodeKind::Reservoir, 50.0)]);
    let at = pump(&mut net, 0, 1, &[[0.0, 80.0], [0.1, 60.0], [0.2, 0.0]]);
    link(&mut net, LinkKind::Pipe, 1, 2, 1.0);
    let of = solved(net.clone(), &[]);
    let q = of.flow_m3ps[at];
    // h0 - r q^n through the three points: n = ln 4 / ln 2 = 2, r = 2000.
    assert!((10.0 + 80.0 - 2000.0 * q * q - 50.0 - loss_m(q)).abs() < 0.02, "{q}");
    // Too high for it: it stands still, and the pipe to the junction is all that is left.
    net.nodes.elevation_m[2] = 500.0;
    let of = solved(net, &[]);
    assert!(of.state[at] == LinkState::CannotLift && of.flow_m3ps[at].abs() < 1e-6);
}

#[test]
fn demands_follow_pressure_by_wagner() {
    let mut net = network(&[(NodeKind::Reservoir, 12.0), (NodeKind::Junction, 0.0)]);
    link(&mut net, LinkKind::Pipe, 0, 1, 1.0);
    net.options.demand_model = DemandModel::PressureDriven { minimum_m: 2.0, required_m: 22.0, exponent: 0.5 };
    let of = solved(net.clone(), &[(1, 0.05)]);
    let (pressure, served) = (of.head_m[1], of.served_m3ps[1]);
    assert!((served - 0.05 * ((pressure - 2.0) / 20.0).sqrt()).abs() < 1e-9, "{pressure} {served}");
    assert!((of.flow_m3ps[0] - served).abs() < 1e-12 && (12.0 - pressure - loss_m(served)).abs() < 0.01);
    net.nodes.elevation_m[0] = 80.0;
    assert!((solved(net.clone(), &[(1, 0.05)]).served_m3ps[1] - 0.05).abs() < 1e-9);
    net.nodes.elevation_m[0] = 1.0;
    assert!(solved(net, &[(1, 0.05)]).served_m3ps[1].abs() < 1e-8);
}

#[test]
fn emitters_lose_by_pressure() {
    let mut net = network(&[(NodeKind::Reservoir, 50.0), (NodeKind::Junction, 0.0)]);
    link(&mut net, LinkKind::Pipe, 0, 1, 1.0);
    net.nodes.emitter_m3ps[1] = 0.004;
    let of = solved(net, &[]);
    assert!((of.emitted_m3ps[1] - 0.004 * of.head_m[1].sqrt()).abs() < 1e-9);
    assert!((of.flow_m3ps[0] - of.emitted_m3ps[1]).abs() < 1e-12);
}

#[test]
fn who_is_cut_off_is_told_and_draws_nothing() {
    let mut net = network(&[
        (NodeKind::Reservoir, 50.0),
        (NodeKind::Junction, 0.0),
        (NodeKind::Junction, 0.0),
        (NodeKind::Junction, 0.0),
        (NodeKind::Junction, 3.0),
    ]);
    link(&mut net, LinkKind::Pipe, 0, 1, 1.0);
    let shut = link(&mut net, LinkKind::Pipe, 1, 2, 1.0);
    link(&mut net, LinkKind::Pipe, 2, 3, 1.0);
    net.links.status[shut] = LinkStatus::Closed;
    for model in [DemandModel::Fixed, DemandModel::PressureDriven { minimum_m: 0.0, required_m: 20.0, exponent: 0.5 }] {
        net.options.demand_model = model;
        let of = solved(net.clone(), &[(1, 0.01), (2, 0.02), (3, 0.03), (4, 0.04)]);
        assert_eq!(of.is_supplied, [true, true, false, false, false]);
        assert!(of.served_m3ps[2..].iter().all(|served| *served == 0.0) && (of.served_m3ps[1] - 0.01).abs() < 1e-9);
        assert!(of.head_m.iter().all(|head| head.abs() < 1e3), "{:?}", of.head_m);
    }
}

#[test]
fn a_solve_does_not_allocate() {
    let mut net = network(&[(NodeKind::Reservoir, 100.0), (NodeKind::Junction, 0.0), (NodeKind::Junction, 0.0)]);
    link(&mut net, LinkKind::Pipe, 0, 1, 1.0);
    link(&mut net, LinkKind::Prv, 1, 2, 30.0);
    let mut of = solved(net, &[(2, 0.05)]);
    of.demand_m3ps[2] = 0.08;
    let counted = allocation_counter::measure(|| assert!(of.solve().is_balanced));
    assert_eq!(counted.count_total, 0);
}
