use super::*;
use crate::synthetic::{LinkKind, add_link, random_network};
use proptest::prelude::*;
use urbis_core::rng::Rng;

fn nodes(count: u32) -> NetworkColumns {
    let axis: Vec<f64> = (0..count).map(|node| f64::from(node) * 100.0).collect();
    NetworkColumns { x_m: axis.clone(), y_m: axis, ..NetworkColumns::default() }
}

fn kind(length_m: f64) -> LinkKind {
    LinkKind { length_m, ..LinkKind::STREET }
}

/// Every link cut into random pieces by nodes with two neighbours; `keep` marks the nodes that were there.
fn cut(network: &crate::CarNetwork, seed: u64) -> (NetworkColumns, Vec<bool>, Vec<Vec<CarLinkIx>>) {
    let mut rng = Rng::new(seed, 0, 0, 2);
    let mut columns =
        NetworkColumns { x_m: network.x_m.clone(), y_m: network.y_m.clone(), ..NetworkColumns::default() };
    let mut pieces = Vec::new();
    for link in 0..network.links() {
        let parts = 1 + rng.below(4);
        let speed_mps_free = 5.0 + rng.uniform() * 20.0;
        let mut row = Vec::new();
        let mut at = network.from[link];
        for part in 0..parts {
            let next = if part + 1 == parts {
                network.to[link]
            } else {
                columns.x_m.push(0.0);
                columns.y_m.push(0.0);
                columns.x_m.len() as u32 - 1
            };
            let kind = LinkKind {
                length_m: 3.0 + rng.uniform() * 100.0,
                speed_mps_free,
                capacity_vps: network.capacity_vps[link],
                jam_density_vpm: 0.15,
            };
            row.push(add_link(&mut columns, at, next, kind));
            at = next;
        }
        pieces.push(row);
    }
    for &(into, out) in &network.banned {
        columns.banned.push((*pieces[into.row()].last().unwrap(), pieces[out.row()][0]));
    }
    columns.route_factor = (0..columns.from.len()).map(|_| 0.5 + rng.uniform()).collect();
    let keep = (0..columns.x_m.len()).map(|node| node < network.nodes()).collect();
    (columns, keep, pieces)
}

#[test]
fn a_street_with_crossings_becomes_one_link_each_way() {
    let mut columns = nodes(4);
    for (node, length_m) in [20.0, 30.0, 50.0].into_iter().enumerate() {
        add_link(&mut columns, node as u32, node as u32 + 1, kind(length_m));
        add_link(&mut columns, node as u32 + 1, node as u32, kind(length_m));
    }
    let settings = MergeSettings::default();
    let (joined, merged) = merge_short(&columns, &[true, false, false, true], &settings).unwrap();
    assert_eq!((joined.from.as_slice(), joined.to.as_slice()), (&[0, 3][..], &[3, 0][..]));
    assert!(joined.length_m.iter().all(|length| (length - 100.0).abs() < 1e-9));
    assert_eq!(merged.nodes_gone, [1, 2]);
    let to = |rows: &[u32]| rows.iter().map(|&row| CarLinkIx(row)).collect::<Vec<_>>();
    assert_eq!(merged.route(&to(&[0, 2, 4])), Some(to(&[0])));
    assert_eq!(merged.old_route(&to(&[1])), to(&[5, 3, 1]));
    // Begins inside, ends inside, turns back inside.
    for broken in [&[2, 4][..], &[0, 2], &[0, 1], &[0, 2, 4, 5], &[9]] {
        assert_eq!(merged.route(&to(broken)), None);
    }
    // Signals, short links only, another speed, a ban.
    let same = |columns: &NetworkColumns, keep: &[bool], settings: &MergeSettings| {
        merge_short(columns, keep, settings).unwrap().1.links()
    };
    assert_eq!(same(&columns, &[true, true, false, true], &settings), 4);
    assert_eq!(same(&columns, &[true; 4], &settings), 6);
    assert_eq!(same(&columns, &[false; 4], &MergeSettings { length_m_max: 25.0, ..settings }), 4);
    let mut other = columns.clone();
    other.speed_mps_free[4] *= 1.5;
    assert_eq!(same(&other, &[false; 4], &settings), 4);
    assert_eq!(same(&other, &[false; 4], &MergeSettings { difference_max: 0.5, ..settings }), 2);
    let mut banned = columns.clone();
    banned.banned.push((CarLinkIx(0), CarLinkIx(2)));
    assert_eq!(same(&banned, &[false; 4], &settings), 4);
}

#[test]
fn dead_ends_rings_and_loops_keep_their_ends() {
    let settings = MergeSettings::default();
    // A dead end is turned back at.
    let mut dead = nodes(2);
    add_link(&mut dead, 0, 1, kind(50.0));
    add_link(&mut dead, 1, 0, kind(50.0));
    assert_eq!(merge_short(&dead, &[false; 2], &settings).unwrap().1.links(), 2);
    for both_ways in [false, true] {
        for (size, junction) in [(3, false), (3, true), (8, false), (8, true)] {
            let mut ring = nodes(size + 1);
            for node in 0..size {
                add_link(&mut ring, node, (node + 1) % size, kind(50.0));
                if both_ways {
                    add_link(&mut ring, (node + 1) % size, node, kind(50.0));
                }
            }
            if junction {
                add_link(&mut ring, size, 0, kind(50.0));
                add_link(&mut ring, 0, size, kind(50.0));
            }
            let keep = vec![false; size as usize + 1];
            let (joined, merged) = merge_short(&ring, &keep, &settings).unwrap();
            assert!(joined.from.iter().zip(&joined.to).all(|(from, to)| from != to), "{size} {junction}");
            let total: f64 = joined.length_m.iter().sum();
            assert!((total - ring.length_m.iter().sum::<f64>()).abs() < 1e-6);
            assert!(merged.links() < ring.from.len() || size == 3);
        }
    }
}

#[test]
fn merging_undoes_cutting_and_keeps_sums() {
    for seed in 0..20 {
        let network = random_network(30, 40, seed).unwrap();
        let (columns, keep, pieces) = cut(&network, seed);
        let (joined, merged) = merge_short(&columns, &keep, &MergeSettings::default()).unwrap();
        assert_eq!((&joined.from, &joined.to, &joined.banned), (&network.from, &network.to, &network.banned));
        for (link, parts) in pieces.iter().enumerate() {
            let sum = |of: &dyn Fn(usize) -> f64| parts.iter().map(|part| of(part.row())).sum::<f64>();
            let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{a} {b}");
            let free_s = |c: &NetworkColumns, row: usize| c.length_m[row] / c.speed_mps_free[row];
            near(joined.length_m[link], sum(&|row| columns.length_m[row]));
            near(free_s(&joined, link), sum(&|row| free_s(&columns, row)));
            near(joined.jam_density_vpm[link] * joined.length_m[link], sum(&|row| columns.length_m[row] * 0.15));
            near(
                joined.route_factor[link] * free_s(&joined, link),
                sum(&|r| columns.route_factor[r] * free_s(&columns, r)),
            );
            assert_eq!(merged.route(parts), Some(vec![CarLinkIx(link as u32)]));
        }
        let times: Vec<f64> = (0..merged.links()).map(|link| link as f64 + 1.0).collect();
        let spread = merged.spread_times(&times);
        assert!((spread.iter().sum::<f64>() - times.iter().sum::<f64>()).abs() < 1e-9 * times.iter().sum::<f64>());
        assert_eq!(merged.spread(&times).len(), columns.from.len());
        let again = merge_short(&joined, &vec![true; columns.x_m.len()], &MergeSettings::default()).unwrap().0;
        assert_eq!(again.length_m, joined.length_m);
    }
}

#[test]
fn wrong_columns_are_named() {
    let mut columns = nodes(2);
    add_link(&mut columns, 0, 7, kind(50.0));
    columns.banned.push((CarLinkIx(0), CarLinkIx(5)));
    let urbis_core::Error::Input(problems) = merge_short(&columns, &[true], &MergeSettings::default()).unwrap_err()
    else {
        panic!()
    };
    assert_eq!(problems.len(), 3);
}

proptest! {
    /// Any graph of few nodes, so that rings, parallel links and loops come up often.
    #[test]
    fn any_graph_keeps_length_and_makes_no_loops(
        pairs in proptest::collection::vec((0_u32..8, 0_u32..8), 0..16), keep in proptest::collection::vec(any::<bool>(), 8)
    ) {
        let mut columns = nodes(8);
        let mut own_loops = 0;
        for (nth, (from, to)) in pairs.into_iter().enumerate() {
            own_loops += usize::from(from == to);
            add_link(&mut columns, from, to, kind(10.0 + nth as f64));
        }
        let (joined, merged) = merge_short(&columns, &keep, &MergeSettings::default()).unwrap();
        let total = |columns: &NetworkColumns| columns.length_m.iter().sum::<f64>();
        prop_assert!((total(&columns) - total(&joined)).abs() < 1e-6);
        let loops = joined.from.iter().zip(&joined.to).filter(|(from, to)| from == to).count();
        prop_assert!(loops <= own_loops);
        for link in 0..merged.links() as u32 {
            let parts = merged.parts_of(CarLinkIx(link));
            prop_assert!(parts.windows(2).all(|pair| columns.to[pair[0].row()] == columns.from[pair[1].row()]));
            prop_assert!(parts[1..].iter().all(|part| !keep[columns.from[part.row()] as usize]));
            prop_assert_eq!(merged.route(parts), Some(vec![CarLinkIx(link)]));
        }
        for &node in &merged.nodes_gone {
            prop_assert!(!joined.from.contains(&node) && !joined.to.contains(&node));
        }
    }
}
