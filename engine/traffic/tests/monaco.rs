//! Monaco's real streets: signals become junctions with sound plans, and joining links changes nothing but
//! their number.

use std::collections::BTreeSet;
use std::path::Path;
use urbis_city::model::{City, NodeControl};
use urbis_traffic::merge::{MergeSettings, merge_short};
use urbis_traffic::signals::{JunctionSettings, junction};
use urbis_traffic::{CarLinkIx, CarNetwork, NetworkColumns};

fn monaco() -> City {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/monaco/city.toml");
    let out = tempfile::tempdir().unwrap();
    let package = out.path().join("monaco");
    urbis_city::build::build(&recipe, &package, &mut |_| ()).unwrap();
    urbis_city::package::read(&package).unwrap()
}

/// The columns of the car network, nodes as in the car network.
fn columns(city: &City, network: &CarNetwork) -> NetworkColumns {
    let column = |of: &[f64]| network.city_link.iter().map(|link| of[link.row()]).collect::<Vec<f64>>();
    NetworkColumns {
        x_m: network.x_m.clone(),
        y_m: network.y_m.clone(),
        from: network.from.clone(),
        to: network.to.clone(),
        length_m: column(&city.links.length_m),
        speed_mps_free: column(&city.links.speed_mps_free),
        capacity_vps: column(&city.links.capacity_vps),
        jam_density_vpm: column(&city.links.jam_density_vpm),
        priority: network.priority.clone(),
        route_factor: network.route_factor.clone(),
        banned: network.banned.clone(),
    }
}

fn signals(city: &City, network: &CarNetwork) -> Vec<bool> {
    network.city_node.iter().map(|node| city.nodes.control[node.row()] == NodeControl::Signal).collect()
}

#[test]
fn signals_are_planned_and_conflict_free() {
    let city = monaco();
    let network = CarNetwork::from_city(&city).unwrap();
    let signal = signals(&city, &network);
    let saturation = junction::saturation_vps(&network, &signal, 0.7);
    let settings = JunctionSettings::default();
    let (found, report) = junction::junctions(&network, &signal, &saturation, None, &settings).unwrap();
    assert_eq!(report.signals as usize, signal.iter().filter(|signal| **signal).count());
    let planned: usize = found.iter().map(|junction| junction.nodes.len()).sum();
    assert_eq!(planned as u32 + report.without_approach, report.signals);
    assert!(report.junctions > 0 && report.overloaded == 0);
    for junction in &found {
        // Every link that ends at one of its nodes is either controlled or inside, once.
        let mut links: Vec<_> = junction.controls.iter().map(|control| control.link).collect();
        links.extend(&junction.inner);
        links.sort_unstable();
        let ends = (0..network.links() as u32).map(CarLinkIx);
        let ends: Vec<_> = ends.filter(|link| junction.nodes.contains(&network.to[link.row()])).collect();
        assert_eq!(links, ends);
        for (nth, stage) in junction.stages.iter().enumerate() {
            for &a in stage {
                assert!(junction.plan.green(a) > 0);
                let later = junction.stages[nth + 1..].iter().flatten();
                later.for_each(|&b| assert_eq!(junction.plan.common_green(a, b), None));
            }
        }
    }
}

/// Cost of the best ways from a node, seconds weighted as drivers do, without regard to bans.
fn costs(columns: &NetworkColumns, from: u32) -> Vec<f64> {
    let mut out = vec![Vec::new(); columns.x_m.len()];
    for (link, &node) in columns.from.iter().enumerate() {
        out[node as usize].push(link);
    }
    let mut cost = vec![f64::INFINITY; columns.x_m.len()];
    let mut open = BTreeSet::from([(0_u64, from)]);
    cost[from as usize] = 0.0;
    while let Some((key, node)) = open.pop_first() {
        // Non-negative floats order like their bits.
        if key > cost[node as usize].to_bits() {
            continue;
        }
        for &link in &out[node as usize] {
            let free_s = columns.length_m[link] / columns.speed_mps_free[link];
            let reached = cost[node as usize] + free_s * columns.route_factor[link];
            let to = columns.to[link];
            if reached < cost[to as usize] {
                cost[to as usize] = reached;
                open.insert((reached.to_bits(), to));
            }
        }
    }
    cost
}

#[test]
fn joining_changes_the_number_of_links_and_no_best_way() {
    let city = monaco();
    let network = CarNetwork::from_city(&city).unwrap();
    let columns = columns(&city, &network);
    let signal = signals(&city, &network);
    // Signals, the world outside, and some nodes where trips begin.
    let keep: Vec<bool> = (0..network.nodes())
        .map(|node| signal[node] || city.nodes.external[network.city_node[node].row()] || node % 7 == 0)
        .collect();
    for settings in [
        MergeSettings::default(),
        MergeSettings { length_m_max: 30.0, ..MergeSettings::default() },
        MergeSettings { difference_max: 0.5, ..MergeSettings::default() },
    ] {
        let (joined, merged) = merge_short(&columns, &keep, &settings).unwrap();
        let after = CarNetwork::from_columns(joined.clone()).unwrap();
        assert!(after.links() < network.links() && after.report.short_free_time < network.report.short_free_time);
        assert!(merged.nodes_gone.iter().all(|&node| !keep[node as usize]));
        let total = |of: &[f64]| of.iter().sum::<f64>();
        assert!((total(&columns.length_m) - total(&joined.length_m)).abs() < 1e-6);
        for from in (0..network.nodes()).step_by(7 * 31) {
            let (before, now) = (costs(&columns, from as u32), costs(&joined, from as u32));
            for node in (0..network.nodes()).filter(|&node| keep[node] && before[node].is_finite()) {
                assert!((before[node] - now[node]).abs() < 1e-6 * before[node].max(1.0), "{from} to {node}");
            }
        }
    }
}

#[test]
fn crossings_no_longer_cut_streets() {
    let city = monaco();
    let network = CarNetwork::from_city(&city).unwrap();
    let keep: Vec<bool> = network
        .city_node
        .iter()
        .map(|node| city.nodes.control[node.row()] != NodeControl::None || city.nodes.external[node.row()])
        .collect();
    let (joined, merged) = merge_short(&columns(&city, &network), &keep, &MergeSettings::default()).unwrap();
    let after = CarNetwork::from_columns(joined).unwrap();
    assert!(3 * merged.links() < 2 * network.links());
    assert!(2 * after.report.short_free_time < network.report.short_free_time);
}
