//! The link and node model against closed forms of kinematic-wave theory.

mod common;

use common::{Run, columns, flow, kilometre, network};
use urbis_core::CarLinkIx;
use urbis_traffic::CarNetwork;
use urbis_traffic::synthetic::LinkKind;
use urbis_traffic::time::to_seconds;

fn close(value: f64, expected: f64, relative: f64) {
    assert!((value / expected - 1.0).abs() <= relative, "{value}, expected {expected}");
}

/// 0.8 veh/s for 500 s, then 0.4 for 1000 s, against a capacity of 2/3: the queue grows by 0.1333 veh/s
/// for 500 s and shrinks by 0.2667 for 250 s.
#[test]
fn bottleneck() {
    let network = network(3, &[(0, 1, kilometre(0.8)), (1, 2, kilometre(2.0 / 3.0))]);
    let mut demand = flow(&[0, 1], 0.8, 0.0, 500.0);
    demand.extend(flow(&[0, 1], 0.4, 500.0, 1500.0));
    let mut run = Run::new(&network, demand);
    run.until(2000);
    assert_eq!(run.arrivals.len(), 800);
    let total: f64 = run.arrivals.iter().map(|a| to_seconds(a.arrive - a.depart)).sum();
    close(total, 105_000.0, 0.001);
    close(total - 80_000.0, 25_000.0, 0.001);
    // Vehicles in the queue (as points): due at the end by now, but not there yet.
    let queue = |time_s: f64| {
        let due = run.arrivals.iter().filter(|a| to_seconds(a.depart + a.free_time) <= time_s).count();
        let there = run.arrivals.iter().filter(|a| to_seconds(a.arrive) <= time_s).count();
        due - there
    };
    let largest = (0..2000).map(|time| queue(f64::from(time))).max().unwrap();
    assert!((largest as f64 - 66.67).abs() <= 1.0, "{largest}");
    let last = (0..2000).filter(|&time| queue(f64::from(time)) > 0).max().unwrap();
    assert!((last - 850_i32).abs() <= 3, "{last}");
    // In congestion the kilometre holds 66.67 vehicles at 2/3 veh/s, so the queue reaches back to the origin.
    assert!(run.arrivals.iter().any(|a| a.entered > a.depart + 1024));
}

#[test]
fn saturated_link_and_backward_wave() {
    let network = network(2, &[(0, 1, kilometre(0.8))]);
    let mut run = Run::new(&network, flow(&[0], 2.0, 0.0, 2000.0));
    let rate = run.outflows(&[0], 100, 1100)[0];
    close(rate, 0.8, 0.002);
    // Density 0.04 veh/m over 1 km.
    assert!((f64::from(run.on(0).on_link) - 40.0).abs() <= 1.0);

    // Fill it to the brim, then open the exit: the room reaches the entrance at 5 m/s.
    run.engine.set_exit_capacity(CarLinkIx(0), None);
    run.until(1500);
    assert_eq!(run.on(0).on_link, 200);
    let entered = run.entered(0);
    run.engine.set_exit_capacity(CarLinkIx(0), Some(0.8));
    run.until(1699);
    assert!((run.entered(0) - entered).abs() < 0.5);
    run.until(1702);
    assert!(run.entered(0) > entered);
    close(run.outflows(&[0], 1750, 2250)[0], 0.8, 0.005);
}

fn merge(priority: [f64; 2]) -> Vec<f64> {
    let links = [(0, 2, kilometre(0.8)), (1, 2, kilometre(0.8)), (2, 3, kilometre(0.8))];
    let columns = urbis_traffic::NetworkColumns { priority: vec![priority[0], priority[1], 1.0], ..columns(4, &links) };
    let mut demand = flow(&[0, 2], 0.6, 0.0, 3000.0);
    demand.extend(flow(&[1, 2], 0.6, 0.0, 3000.0));
    Run::new(&CarNetwork::from_columns(columns).unwrap(), demand).outflows(&[0, 1], 500, 2500)
}

#[test]
fn merges_follow_priorities() {
    let shares = merge([1.0, 2.0]);
    close(shares[0], 0.8 / 3.0, 0.005);
    close(shares[1], 1.6 / 3.0, 0.005);
    let shares = merge([1.0, 5.0]);
    close(shares[0], 0.2, 0.005);
    close(shares[1], 0.6, 0.005);
    let shares = merge([1.0, 1.0]);
    close(shares[0] / shares[1], 1.0, 0.005);
}

/// Inputs bound by one link get flows in proportion to their priority whatever their turning shares
/// (Tampere et al. 2011): the second sends only every other vehicle to the link both compete for.
#[test]
fn merges_share_by_input_not_by_movement() {
    let links = [(0, 2, kilometre(0.8)), (1, 2, kilometre(0.8)), (2, 3, kilometre(0.6)), (2, 4, kilometre(0.8))];
    let mut demand = flow(&[0, 2], 0.8, 0.0, 4000.0);
    demand.extend(flow(&[1, 2], 0.4, 0.0, 4000.0));
    demand.extend(flow(&[1, 3], 0.4, 0.0, 4000.0));
    let flows = Run::new(&network(5, &links), demand).outflows(&[0, 1, 2, 3], 1000, 3500);
    for (flow, expected) in flows.into_iter().zip([0.4, 0.4, 0.6, 0.2]) {
        close(flow, expected, 0.01);
    }
}

#[test]
fn origins_share_with_traffic_that_passes() {
    let links = [(0, 1, kilometre(0.8)), (1, 2, kilometre(0.8))];
    let mut demand = flow(&[0, 1], 0.7, 0.0, 3000.0);
    demand.extend(flow(&[1], 0.7, 0.0, 3000.0));
    let mut run = Run::new(&network(3, &links), demand);
    let flows = run.outflows(&[0, 1], 500, 2500);
    close(flows[0], 0.4, 0.005);
    close(flows[1], 0.8, 0.005);
}

/// 0.3 and 0.2 veh/s to two branches, the first with capacity 0.2: who wants the other waits behind.
#[test]
fn diverge_is_first_in_first_out() {
    let links = [(0, 1, kilometre(0.8)), (1, 2, kilometre(0.2)), (1, 3, kilometre(0.8))];
    let mut demand = flow(&[0, 1], 0.3, 0.0, 5000.0);
    demand.extend(flow(&[0, 2], 0.2, 0.0, 5000.0));
    let mut run = Run::new(&network(4, &links), demand);
    let flows = run.outflows(&[0, 1, 2], 1000, 4000);
    close(flows[0], 1.0 / 3.0, 0.005);
    close(flows[1], 0.2, 0.005);
    close(flows[2], 0.4 / 3.0, 0.01);
}

#[test]
fn spillback_fills_the_link_at_the_speed_of_the_shock() {
    let mut run = Run::new(&network(2, &[(0, 1, kilometre(0.8))]), flow(&[0], 0.5, 0.0, 600.0));
    run.engine.set_exit_capacity(CarLinkIx(0), None);
    run.until(398);
    assert_eq!(run.on(0).on_link, 199);
    run.until(400);
    assert_eq!(run.on(0).on_link, 200);
    run.until(600);
    assert_eq!((run.on(0).on_link, run.on(0).at_origin), (200, 100));

    // Two halves: the shock needs 500 m / 2.857 m/s = 175 s for the upstream one.
    let half = LinkKind { length_m: 500.0, ..kilometre(0.8) };
    let mut run = Run::new(&network(3, &[(0, 1, half), (1, 2, half)]), flow(&[0, 1], 0.5, 0.0, 600.0));
    run.engine.set_exit_capacity(CarLinkIx(1), None);
    let mut full = [0; 2];
    while run.engine.tick() < 600 {
        run.step();
        for (link, full) in full.iter_mut().enumerate() {
            if *full == 0 && run.on(link as u32).on_link == 100 {
                *full = run.engine.tick();
            }
        }
    }
    assert!(full[0].abs_diff(400) <= 2 && full[1].abs_diff(225) <= 2, "{full:?}");
}

/// Links shorter than a tick carry their full capacity in a row.
#[test]
fn short_links_in_a_row_keep_their_capacity() {
    let short = |length_m| LinkKind { length_m, speed_mps_free: 13.9, capacity_vps: 0.9, jam_density_vpm: 0.3 };
    let links: Vec<(u32, u32, LinkKind)> =
        [200.0, 3.0, 11.0, 0.5, 25.0, 7.0].iter().zip(0..).map(|(&l, n)| (n, n + 1, short(l))).collect();
    let network = network(7, &links);
    assert_eq!(network.report.short_free_time, 4);
    let mut run = Run::new(&network, flow(&[0, 1, 2, 3, 4, 5], 2.0, 0.0, 1000.0));
    close(run.outflows(&[5], 100, 900)[0], 0.9, 0.005);
    run.assert_balanced();
}

/// Free time on an empty network is exact to the millisecond, not to the tick.
#[test]
fn free_flow_is_exact() {
    let street = LinkKind { length_m: 500.0, speed_mps_free: 15.0, capacity_vps: 0.5, jam_density_vpm: 0.15 };
    let links: Vec<(u32, u32, LinkKind)> = (0..9).map(|n| (n, n + 1, street)).collect();
    let mut run = Run::new(&network(10, &links), flow(&[0, 1, 2, 3, 4, 5, 6, 7, 8], 0.001, 0.0, 1000.0));
    run.until(400);
    close(to_seconds(run.arrivals[0].arrive), 300.0, 1e-5);
    assert!((run.arrivals[0].distance_m - 4500.0).abs() < 0.1);
}
