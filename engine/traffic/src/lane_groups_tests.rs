use super::*;
use crate::engine::Engine;
use crate::measure::LinkStats;
use crate::network::CarNetwork;
use crate::synthetic::{LinkKind, add_link, random_network};
use crate::time::TICK;
use proptest::prelude::*;
use urbis_core::TripIx;
use urbis_core::rng::Rng;

/// Into a crossroads from the south (link 0), out to west, north and east (1, 2, 3) and back (4).
fn crossroads() -> NetworkColumns {
    let mut columns = NetworkColumns {
        x_m: vec![0.0, 0.0, -300.0, 0.0, 300.0],
        y_m: vec![-300.0, 0.0, 0.0, 300.0, 0.0],
        ..NetworkColumns::default()
    };
    let kind = LinkKind { length_m: 300.0, speed_mps_free: 15.0, capacity_vps: 1.5, jam_density_vpm: 0.45 };
    for (from, to) in [(0, 1), (1, 2), (1, 3), (1, 4), (1, 0)] {
        add_link(&mut columns, from, to, kind);
    }
    columns
}

fn links(rows: &[u32]) -> Vec<CarLinkIx> {
    rows.iter().map(|&row| CarLinkIx(row)).collect()
}

fn group(lanes: f64, turns: &[u32]) -> LaneGroup {
    LaneGroup { lanes, turns: links(turns) }
}

#[test]
fn a_link_becomes_main_and_groups() {
    let columns = crossroads();
    let lanes = LinkLanes {
        link: CarLinkIx(0),
        lanes: 3.0,
        pocket_length_m: 60.0,
        groups: vec![group(1.0, &[1, 4]), group(2.0, &[2, 3])],
    };
    let (new, map) = expand(&columns, &[lanes]).unwrap();
    assert_eq!((new.from.len(), new.x_m.len()), (7, 6));
    assert_eq!((new.to[0], new.from[5], new.to[6]), (5, 5, 1));
    assert_eq!((new.x_m[5], new.y_m[5]), (0.0, -60.0));
    assert_eq!(map.groups_of(CarLinkIx(0)), links(&[5, 6]));
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
    near(new.length_m[0] + new.length_m[5], 300.0);
    near(new.capacity_vps[5] + new.capacity_vps[6], 1.5);
    near(new.capacity_vps[5], 0.5);
    near((5..7).map(|row| new.jam_density_vpm[row] * new.length_m[row]).sum::<f64>() + 240.0 * 0.45, 300.0 * 0.45);
    let network = CarNetwork::from_columns(new).unwrap();
    assert_eq!(network.banned, [(5, 2), (5, 3), (6, 1), (6, 4)].map(|(a, b)| (CarLinkIx(a), CarLinkIx(b))));
    assert_eq!(map.expand_route(&links(&[0, 3]), 9), Some(links(&[0, 6, 3])));
    assert_eq!(map.expand_route(&links(&[0, 1]), 9), Some(links(&[0, 5, 1])));
    assert_eq!(map.old_route(&links(&[0, 6, 3])), links(&[0, 3]));
    assert_eq!(map.expand_route(&links(&[1, 0]), 9), None);
    assert_eq!(map.expand_route(&links(&[7]), 9), None);
    for (new, old) in [(0, 0), (4, 4), (5, 0), (6, 0)] {
        assert_eq!(map.old_link(CarLinkIx(new)), CarLinkIx(old));
    }
    // Whoever ends here takes any lane, in proportion.
    let ends = (0..3000).filter(|&key| map.expand_route(&links(&[0]), key).unwrap()[1] == CarLinkIx(5)).count();
    assert!((850..1150).contains(&ends), "{ends}");
}

#[test]
fn parts_last_a_tick_or_the_link_stays_whole() {
    for (length_m, pocket_length_m, split, adjusted) in
        [(300.0, 1.0, 1, 1), (300.0, 299.0, 1, 1), (300.0, 50.0, 1, 0), (31.0, 10.0, 1, 1), (29.0, 10.0, 0, 0)]
    {
        let mut columns = crossroads();
        columns.length_m[0] = length_m;
        let groups = vec![group(1.0, &[1]), group(2.0, &[2, 3])];
        let lanes = LinkLanes { link: CarLinkIx(0), lanes: 3.0, pocket_length_m, groups };
        let before = CarNetwork::from_columns(columns.clone()).unwrap();
        let (new, map) = expand(&columns, &[lanes]).unwrap();
        assert_eq!((map.report.split, map.report.adjusted), (split, adjusted), "{length_m}");
        let whole = if split == 0 { links(&[0]) } else { Vec::new() };
        assert_eq!(map.report.whole, whole);
        let network = CarNetwork::from_columns(new).unwrap();
        assert_eq!(network.report.short_free_time, before.report.short_free_time);
        if split == 1 {
            let sum = network.free_time[0] + network.free_time[5];
            assert!(sum.abs_diff(before.free_time[0]) <= 1 && network.free_time[5] >= TICK);
        } else {
            assert_eq!(map.expand_route(&links(&[0, 2]), 1), Some(links(&[0, 2])));
        }
    }
}

#[test]
fn faults_are_all_named() {
    let mut columns = crossroads();
    columns.banned.push((CarLinkIx(0), CarLinkIx(3)));
    let bad = |lanes: &[LinkLanes]| match expand(&columns, lanes) {
        Err(urbis_core::Error::Input(problems)) => problems.len(),
        other => panic!("{other:?}"),
    };
    let of = |link, groups| LinkLanes { link: CarLinkIx(link), lanes: 1.0, pocket_length_m: 50.0, groups };
    // Turn 2 has no group; 3 is banned; 9 does not exist.
    assert_eq!(bad(&[of(0, vec![group(1.0, &[1, 3, 9])])]), 3);
    assert_eq!(bad(&[of(9, vec![])]), 1);
    assert_eq!(bad(&[of(0, vec![group(f64::NAN, &[1, 2])]), of(0, vec![group(1.0, &[1, 2])])]), 2);
}

#[test]
fn lanes_become_groups() {
    let of = |rows: &[&[u32]]| groups_of_lanes(&rows.iter().map(|row| links(row)).collect::<Vec<_>>());
    assert_eq!(of(&[&[1], &[2], &[2, 3]]), [group(1.0, &[1]), group(2.0, &[2, 3])]);
    assert_eq!(of(&[&[1, 2], &[2, 3], &[3, 4]]), [group(3.0, &[1, 2, 3, 4])]);
    // The third lane joins the first two groups.
    assert_eq!(of(&[&[1], &[2], &[1, 2], &[5]]), [group(3.0, &[1, 2]), group(1.0, &[5])]);
    assert_eq!(of(&[&[], &[1], &[2]]), [group(2.0, &[1]), group(1.0, &[2])]);
    assert!(of(&[&[]]).is_empty());
}

#[test]
fn markings_become_groups() {
    let columns = crossroads();
    let kinds: Vec<TurnKind> = (1..5).map(|out| turn_kind(&columns, CarLinkIx(0), CarLinkIx(out))).collect();
    assert_eq!(kinds, [TurnKind::Left, TurnKind::Through, TurnKind::Right, TurnKind::Back]);
    let of = |value: &str| {
        Markings::new(&columns).unwrap().turn_lanes(CarLinkIx(0), value, 50.0).unwrap().map(|lanes| lanes.groups)
    };
    assert_eq!(of("left|through|through;right"), Some(vec![group(1.0, &[1, 4]), group(2.0, &[2, 3])]));
    assert_eq!(of("left||right"), Some(vec![group(1.0, &[1, 4]), group(1.0, &[2]), group(1.0, &[3])]));
    assert_eq!(of("left;through|through;right"), None);
    assert_eq!(of("through"), None);
    // Right turns are not marked: they are made from the rightmost lane.
    assert_eq!(of("left|through"), Some(vec![group(1.0, &[1, 4]), group(1.0, &[2, 3])]));
    assert!(Markings::new(&columns).unwrap().turn_lanes(CarLinkIx(0), "left|upwards", 50.0).is_err());
    assert!(Markings::new(&columns).unwrap().turn_lanes(CarLinkIx(0), &"left|".repeat(20), 50.0).is_err());
    for value in ["left|through|through;right", "reverse|through|right", "slight_left|none"] {
        let lanes = Markings::new(&columns).unwrap().turn_lanes(CarLinkIx(0), value, 50.0).unwrap();
        expand(&columns, &lanes.into_iter().collect::<Vec<_>>()).unwrap();
    }
    let signal: Vec<bool> = (0..5).map(|node| node == 1).collect();
    let pockets = Markings::new(&columns).unwrap().left_pockets(&signal, &[3.0; 5], true, 40.0);
    assert_eq!(pockets.len(), 1);
    assert_eq!(pockets[0].groups, [group(1.0, &[1, 4]), group(3.0, &[2, 3])]);
    let mirrored = Markings::new(&columns).unwrap().left_pockets(&signal, &[3.0; 5], false, 40.0);
    assert_eq!(mirrored[0].groups, [group(1.0, &[3, 4]), group(3.0, &[1, 2])]);
    assert!(Markings::new(&columns).unwrap().left_pockets(&[false; 5], &[3.0; 5], true, 40.0).is_empty());
}

/// A blocked left turn: without a pocket it stops all, with one it stops the others only once it is full.
#[test]
fn a_pocket_keeps_the_way_free_until_it_is_full() {
    let run = |pocket_m: Option<f64>| {
        let columns = crossroads();
        let groups = vec![group(1.0, &[1, 4]), group(2.0, &[2, 3])];
        let lanes = pocket_m.map(|m| LinkLanes { link: CarLinkIx(0), lanes: 3.0, pocket_length_m: m, groups });
        let (new, map) = expand(&columns, &lanes.into_iter().collect::<Vec<_>>()).unwrap();
        let mut engine = Engine::new(&CarNetwork::from_columns(new).unwrap(), 0).unwrap();
        // Every tenth vehicle turns left into a link that nobody leaves and that is soon full.
        let ways = [links(&[0, 1]), links(&[0, 2])];
        let routes = ways.map(|way| engine.add_route(&map.expand_route(&way, 0).unwrap()).unwrap());
        engine.set_exit_capacity(CarLinkIx(1), None);
        for trip in 0..4000_u32 {
            engine.depart(TripIx(trip), routes[usize::from(trip % 5 != 0)], trip * TICK);
        }
        for _ in 0..5000 {
            engine.step();
        }
        engine.counts().arrived
    };
    // 300 m of 0.45 vehicles/m take 135 left-turners; then the pocket (0.15/m) takes what it holds.
    let (none, short, long) = (run(None), run(Some(60.0)), run(Some(200.0)));
    assert!(none + 20 < short && short + 60 < long, "{none} {short} {long}");
}

/// Random networks, lanes and trips: vehicles and their times are the same counted by old links.
#[test]
fn collapsed_measurements_are_conserved() {
    let mut emptied = 0;
    for seed in 0..6 {
        let network = random_network(20, 30, seed).unwrap();
        let mut rng = Rng::new(seed, 1, 0, 3);
        let mut columns = NetworkColumns {
            x_m: network.x_m.clone(),
            y_m: network.y_m.clone(),
            from: network.from.clone(),
            to: network.to.clone(),
            length_m: network.length_m.clone(),
            speed_mps_free: vec![12.0; network.links()],
            capacity_vps: network.capacity_vps.clone(),
            jam_density_vpm: vec![0.3; network.links()],
            banned: network.banned.clone(),
            ..NetworkColumns::default()
        };
        columns.route_factor = vec![1.5; network.links()];
        let signal: Vec<bool> = (0..network.nodes()).map(|node| node % 2 == 0).collect();
        let lanes = Markings::new(&columns).unwrap().left_pockets(&signal, &vec![2.0; network.links()], true, 40.0);
        assert!(!lanes.is_empty());
        let (new, map) = expand(&columns, &lanes).unwrap();
        assert!(map.report.split > 0);
        let mut engine = Engine::new(&CarNetwork::from_columns(new).unwrap(), 1).unwrap();
        let mut requested = 0;
        for trip in 0..600_u32 {
            let mut way = vec![CarLinkIx(rng.below(network.links() as u32))];
            for _ in 0..rng.below(8) {
                let last = way[way.len() - 1];
                let next: Vec<CarLinkIx> = (0..network.links() as u32)
                    .map(CarLinkIx)
                    .filter(|next| network.from[next.row()] == network.to[last.row()])
                    .filter(|next| turn_kind(&columns, last, *next) != TurnKind::Back)
                    .filter(|next| network.banned.binary_search(&(last, *next)).is_err())
                    .collect();
                if next.is_empty() {
                    break;
                }
                way.push(next[rng.below(next.len() as u32) as usize]);
            }
            let new = map.expand_route(&way, trip).unwrap();
            assert_eq!(map.old_route(&new), way);
            let route = engine.add_route(&new).unwrap();
            engine.depart(TripIx(trip), route, trip * TICK / 2);
            requested += 1;
        }
        let mut stats = LinkStats::new(&engine);
        let (mut entered, mut left) = (vec![0_i64; map.old_links()], vec![0_i64; map.old_links()]);
        let (mut spent, mut present) = (0.0, 0.0);
        for _ in 0..40 {
            for _ in 0..60 {
                engine.step();
            }
            let raw = stats.take_interval(&engine);
            let interval = map.collapse(&raw);
            for link in 0..map.old_links() {
                entered[link] += i64::from(interval.entered[link]);
                left[link] += i64::from(interval.left[link]);
                assert_eq!(entered[link] - left[link], i64::from(interval.vehicles_end[link]));
            }
            let total: f64 = raw.travel_time_s_sum.iter().sum();
            assert!((interval.travel_time_s_sum.iter().sum::<f64>() - total).abs() < 1e-6);
            spent += total;
            present += interval.vehicles_mean.iter().sum::<f64>() * 60.0;
            assert_eq!(interval.queue_end.iter().sum::<u32>(), raw.queue_end.iter().sum::<u32>());
        }
        let counts = engine.counts();
        assert!(counts.balances() && counts.requested == requested);
        if counts.on_road == 0 {
            emptied += 1;
            assert!((spent - present).abs() < 1e-3 * spent, "{spent} {present}");
        }
    }
    assert!(emptied > 0, "no network emptied");
}

proptest! {
    #[test]
    fn any_marking_gives_groups_or_a_problem(value in "(left|right|through|none|reverse|x|;|\\|){0,12}") {
        let columns = crossroads();
        if let Ok(Some(lanes)) = Markings::new(&columns).unwrap().turn_lanes(CarLinkIx(0), &value, 50.0) {
            prop_assert!((lanes.groups.iter().map(|group| group.lanes).sum::<f64>() - lanes.lanes).abs() < 1e-9);
            prop_assert!(expand(&columns, &[lanes]).is_ok());
        }
    }
}
