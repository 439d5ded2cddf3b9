use super::*;
use crate::network::NetworkColumns;
use crate::synthetic::{LinkKind, add_link};
use crate::time::{TICK, to_seconds};

/// A node at the origin with streets in both directions to points around it.
fn star(around: &[(f64, f64)], both_ways: bool) -> CarNetwork {
    let mut columns = NetworkColumns { x_m: vec![0.0], y_m: vec![0.0], ..NetworkColumns::default() };
    for (nth, &(x, y)) in around.iter().enumerate() {
        columns.x_m.push(x * 300.0);
        columns.y_m.push(y * 300.0);
        add_link(&mut columns, nth as u32 + 1, 0, LinkKind::STREET);
        if both_ways {
            add_link(&mut columns, 0, nth as u32 + 1, LinkKind::STREET);
        }
    }
    CarNetwork::from_columns(columns).unwrap()
}

fn only(network: &CarNetwork, signals: &[u32]) -> (Vec<Junction>, JunctionsReport) {
    let signal: Vec<bool> = (0..network.nodes() as u32).map(|node| signals.contains(&node)).collect();
    let saturation = network.capacity_vps.clone();
    junctions(network, &signal, &saturation, None, &JunctionSettings::default()).unwrap()
}

/// Groups of different stages are never green at once, and every group is green at some time.
fn sound(junction: &Junction) {
    for (nth, stage) in junction.stages.iter().enumerate() {
        for &a in stage {
            assert!(junction.plan.green(a) >= 7 * TICK);
            for &b in junction.stages[nth + 1..].iter().flatten() {
                assert_eq!(junction.plan.common_green(a, b), None);
            }
        }
    }
    let mut all: Vec<u32> = junction.stages.concat();
    all.sort_unstable();
    assert_eq!(all, (0..junction.controls.len() as u32).collect::<Vec<_>>());
}

#[test]
fn stages_follow_the_shape_of_the_junction() {
    /// Where the arms point, and the stages expected.
    type Shape<'a> = (&'a [(f64, f64)], &'a [&'a [u32]]);
    let shapes: [Shape<'_>; 7] = [
        (&[(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)], &[&[0, 2], &[1, 3]]),
        (&[(1.0, 0.1), (-1.0, 0.0), (0.1, -1.0)], &[&[0, 1], &[2]]),
        (&[(0.0, 1.0), (0.87, -0.5), (-0.87, -0.5)], &[&[0], &[1], &[2]]),
        (&[(1.0, 0.0), (0.3, 1.0), (-0.8, 0.6), (-0.8, -0.6), (0.3, -1.0)], &[&[0, 2], &[1, 4], &[3]]),
        (&[(1.0, 0.0), (0.9, 0.2)], &[&[0], &[1]]),
        (&[(1.0, 0.0), (-1.0, 0.0)], &[&[0, 1]]),
        (&[(1.0, 0.0)], &[&[0]]),
    ];
    for (around, expected) in shapes {
        for both_ways in [true, false] {
            let network = star(around, both_ways);
            let (found, report) = only(&network, &[0]);
            assert_eq!((found.len(), report.junctions), (1, 1));
            let stages: Vec<&[u32]> = found[0].stages.iter().map(Vec::as_slice).collect();
            if around.len() == 5 {
                // Opposite pairs of a five-legged junction: two, and one leg is left.
                assert_eq!(stages.iter().map(|stage| stage.len()).sum::<usize>(), 5);
                assert_eq!(stages.len(), 3, "{stages:?}");
            } else {
                assert_eq!(stages, expected, "{around:?}");
            }
            sound(&found[0]);
            assert_eq!(report.crossings, u32::from(expected.len() == 1));
        }
    }
}

#[test]
fn a_crossing_leaves_time_for_people_on_foot() {
    let network = star(&[(1.0, 0.0), (-1.0, 0.0)], true);
    let (found, _) = only(&network, &[0]);
    let plan = &found[0].plan;
    assert_eq!(plan.cycle() - plan.green(0), 19 * TICK);
}

/// Two divided roads that cross: four nodes 20 m apart, approaches from 300 m away.
fn divided_roads() -> (CarNetwork, Vec<u32>) {
    let mut columns = NetworkColumns::default();
    for (x, y) in [(0.0, 0.0), (20.0, 0.0), (20.0, 20.0), (0.0, 20.0)] {
        columns.x_m.push(x);
        columns.y_m.push(y);
    }
    let short = LinkKind { length_m: 20.0, ..LinkKind::STREET };
    for node in 0..4 {
        add_link(&mut columns, node, (node + 1) % 4, short);
    }
    // Right-hand traffic: eastbound in at node 0, northbound at 1, westbound at 2, southbound at 3.
    for (entry, (dx, dy)) in [(-300.0, 0.0), (0.0, -300.0), (300.0, 0.0), (0.0, 300.0)].into_iter().enumerate() {
        let node = columns.x_m.len() as u32;
        columns.x_m.push(columns.x_m[entry] + dx);
        columns.y_m.push(columns.y_m[entry] + dy);
        add_link(&mut columns, node, entry as u32, LinkKind::STREET);
        add_link(&mut columns, (entry as u32 + 3) % 4, node, LinkKind::STREET);
    }
    (CarNetwork::from_columns(columns).unwrap(), vec![0, 1, 2, 3])
}

#[test]
fn nodes_of_one_junction_share_a_controller() {
    let (network, signals) = divided_roads();
    let (found, report) = only(&network, &signals);
    assert_eq!(report, JunctionsReport { signals: 4, junctions: 1, joined: 1, inner_links: 4, ..report });
    let junction = &found[0];
    assert_eq!((junction.nodes.len(), junction.inner.len(), junction.controls.len()), (4, 4, 4));
    assert_eq!(junction.stages, [vec![0, 2], vec![1, 3]]);
    assert!(junction.inner.iter().all(|inner| junction.controls.iter().all(|control| control.link != *inner)));
    sound(junction);
    // A chain of signals each 25 m apart does not become one junction.
    let mut columns = NetworkColumns::default();
    for node in 0..10_u32 {
        columns.x_m.push(f64::from(node) * 25.0);
        columns.y_m.push(0.0);
        if node > 0 {
            add_link(&mut columns, node - 1, node, LinkKind { length_m: 25.0, ..LinkKind::STREET });
        }
    }
    let chain = CarNetwork::from_columns(columns).unwrap();
    let (found, report) = only(&chain, &(0..10).collect::<Vec<_>>());
    assert!(found.iter().all(|junction| junction.nodes.len() <= 3));
    assert_eq!(found.iter().map(|junction| junction.nodes.len()).sum::<usize>() as u32 + report.without_approach, 10);
}

#[test]
fn greens_follow_flows_and_saturation() {
    let network = star(&[(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)], true);
    let signal: Vec<bool> = (0..5).map(|node| node == 0).collect();
    let settings = JunctionSettings::default();
    let mut flow = vec![f64::NAN; network.links()];
    for (link, q) in [(0, 0.2), (2, 0.1), (4, 0.15), (6, 0.05)] {
        flow[link] = q;
    }
    let saturation = vec![0.5; network.links()];
    let (found, _) = junctions(&network, &signal, &saturation, Some(&flow), &settings).unwrap();
    // y = 0.4 and 0.2, L = 8: C = 17 / 0.4 = 42.5, in whole seconds 43; 35 s in 2 : 1.
    let plan = &found[0].plan;
    assert_eq!(plan.cycle(), 43 * TICK);
    assert!((to_seconds(plan.green(0)) - 35.0 * 2.0 / 3.0).abs() < 0.001);
    // Unknown: the wider road gets more, in proportion.
    let mut wide = saturation.clone();
    wide[0] = 1.0;
    let (found, report) = junctions(&network, &signal, &wide, None, &settings).unwrap();
    let plan = &found[0].plan;
    assert!((f64::from(plan.green(0)) / f64::from(plan.green(1)) - 2.0).abs() < 0.001);
    assert_eq!(report.overloaded, 0);
    let (_, report) = junctions(&network, &signal, &saturation, Some(&[0.3; 8]), &settings).unwrap();
    assert_eq!(report.overloaded, 1);
    // The saturation flow behind a capacity that was cut to its green share.
    assert_eq!(saturation_vps(&network, &signal, 0.4)[..2], [0.5 / 0.4, 0.5]);
    // Controllers of the same junction.
    assert!(found[0].actuated(&settings.timing, 40.0, 3.0).is_ok());
    assert!(found[0].actuated(&settings.timing, 4.0, 3.0).is_err());
    let share = |_: CarLinkIx, _: CarLinkIx| 0.25;
    let pressure = MaxPressureSettings::default();
    assert_eq!(max_pressure(&found, &network, &wide, &share, &pressure).unwrap().len(), 1);
    let wrong = |_: CarLinkIx, _: CarLinkIx| f64::NAN;
    assert!(max_pressure(&found, &network, &wide, &wrong, &pressure).is_err());
    assert!(max_pressure(&found, &network, &wide, &share, &MaxPressureSettings { bias: -1.0, ..pressure }).is_err());
}

#[test]
fn random_networks_give_sound_plans() {
    for seed in 0..20 {
        let network = crate::synthetic::random_network(40, 60, seed).unwrap();
        let signals: Vec<u32> = (0..40).filter(|node| node % 3 != 0).collect();
        let (found, report) = only(&network, &signals);
        found.iter().for_each(sound);
        assert_eq!(report.signals, 26);
        let offsets: std::collections::BTreeSet<Time> = found.iter().map(|junction| junction.plan.offset()).collect();
        assert!(offsets.len() > 5);
        assert_eq!(found, only(&network, &signals).0);
    }
}

#[test]
fn wrong_columns_are_named() {
    let network = star(&[(1.0, 0.0)], true);
    let settings = JunctionSettings::default();
    assert!(junctions(&network, &[true], &[0.5; 2], None, &settings).is_err());
    assert!(junctions(&network, &[true; 2], &[0.0, f64::NAN], None, &settings).is_err());
    let wrong = JunctionSettings { load_default: 2.0, ..settings };
    assert!(junctions(&network, &[true; 2], &[0.5; 2], None, &wrong).is_err());
    // Signals where nobody comes.
    let lonely = star(&[(1.0, 0.0)], false);
    let (found, report) = only(&lonely, &[1]);
    assert!(found.is_empty() && report.without_approach == 1);
}
