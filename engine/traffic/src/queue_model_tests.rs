//! What the model does in cases that can be reckoned by hand.

use super::*;

/// A chain of links: (length, speed, flow).
fn chain(links: &[(f64, f64, f64)]) -> NetworkColumns {
    let nodes = links.len() + 1;
    NetworkColumns {
        x_m: vec![0.0; nodes],
        y_m: vec![0.0; nodes],
        from: (0..links.len() as u32).collect(),
        to: (1..nodes as u32).collect(),
        length_m: links.iter().map(|link| link.0).collect(),
        speed_mps_free: links.iter().map(|link| link.1).collect(),
        capacity_vps: links.iter().map(|link| link.2).collect(),
        jam_density_vpm: vec![1.0 / 7.5; links.len()],
        ..NetworkColumns::default()
    }
}

fn simulate(
    columns: &NetworkColumns,
    depart_s: &[f64],
    routes: &[Vec<u32>],
    settings: &QueueSettings,
) -> (QueueRun, Vec<QueueEvent>) {
    let links: Vec<CarLinkIx> = routes.iter().flatten().map(|&link| CarLinkIx(link)).collect();
    let mut ends = Vec::new();
    let mut sum = 0;
    for route in routes {
        sum += route.len() as u32;
        ends.push(sum);
    }
    let trips = QueueTrips { depart_s, route_ends: &ends, route_links: &links, pce: &[] };
    let mut events = Vec::new();
    let run = run(columns, trips, settings, |event| events.push(event)).unwrap();
    (run, events)
}

/// The seconds at which vehicles enter a link.
fn entries(events: &[QueueEvent], link: u32) -> Vec<u32> {
    let entered = events.iter().filter(|e| e.kind == QueueEventKind::EnteredLink && e.link == link);
    entered.map(|event| event.time_s).collect()
}

#[test]
fn one_vehicle_loses_a_second_at_each_node() {
    // 359.97 s down to 359, one more at the node; the last link ends without a node.
    let columns = chain(&[(10_000.0, 27.78, 1.0); 3]);
    let (run, events) = simulate(&columns, &[21_600.2], &[vec![0, 1, 2]], &QueueSettings::default());
    assert_eq!(run.arrive_s, [21_602 + 360 + 359]);
    assert_eq!((entries(&events, 1), entries(&events, 2)), (vec![21_602], vec![21_962]));
    assert_eq!(events[0], QueueEvent { time_s: 21_601, kind: QueueEventKind::EntersTraffic, vehicle: 0, link: 0 });
    assert_eq!((run.crossings, run.unfinished), (2, 0));
}

#[test]
fn a_trip_of_one_link_ends_when_it_starts() {
    let (run, events) = simulate(&chain(&[(100.0, 10.0, 1.0)]), &[5.0], &[vec![0]], &QueueSettings::default());
    assert_eq!(run.arrive_s, [5]);
    assert_eq!(events.len(), 2);
}

#[test]
fn flow_is_the_capacity_also_where_it_is_a_fraction() {
    // A queue discharges one vehicle every 1 / flow seconds, counted against whole seconds.
    for flow in [0.1, 0.25, 0.3, 0.5, 0.7, 1.0, 1.8, 2.5] {
        let columns = chain(&[(1000.0, 10.0, 100.0), (500.0, 10.0, flow), (5000.0, 10.0, 100.0)]);
        let count = 200;
        let settings = QueueSettings { storage_factor: 10.0, ..QueueSettings::default() };
        let (run, events) = simulate(&columns, &vec![0.0; count], &vec![vec![0, 1, 2]; count], &settings);
        let times = entries(&events, 2);
        assert_eq!((times.len(), run.unfinished), (count, 0));
        // The buffer gains no credit while it holds a vehicle: the one second in which it waits for the node
        // counts all the same, so the flow is the capacity wherever the node is free.
        let seconds = f64::from(times[count - 1] - times[0]);
        let expected = (count - 1) as f64 / flow;
        assert!((seconds - expected).abs() <= 1.0 / flow + 1.0, "{flow}: {seconds} {expected}");
    }
}

#[test]
fn a_full_link_holds_its_storage() {
    // 75 m hold 10; its exit lets one out every 10 s, so the inflow follows it.
    let columns = chain(&[(1000.0, 10.0, 1.0), (75.0, 10.0, 0.1), (1000.0, 10.0, 1.0)]);
    let count = 60;
    let (run, events) = simulate(&columns, &vec![0.0; count], &vec![vec![0, 1, 2]; count], &QueueSettings::default());
    assert_eq!(run.unfinished, 0);
    let mut on_link = 0_i32;
    let mut most = 0;
    for event in &events {
        match event.kind {
            QueueEventKind::EnteredLink if event.link == 1 => on_link += 1,
            QueueEventKind::LeftLink if event.link == 1 => on_link -= 1,
            _ => {}
        }
        most = most.max(on_link);
    }
    // Ten in the queue and one in the buffer.
    assert_eq!(most, 11);
    let times = entries(&events, 1);
    assert_eq!(times[count - 1] - times[count - 11], 100);
}

#[test]
fn a_slow_link_has_room_for_its_capacity() {
    // 100 s at 0.5 veh/s are 50 vehicles, though 75 m at 7.5 m are 10.
    let columns = chain(&[(1000.0, 10.0, 0.5), (75.0, 0.75, 0.5), (10.0, 10.0, 0.5)]);
    let (_, events) = simulate(&columns, &vec![0.0; 100], &vec![vec![0, 1, 2]; 100], &QueueSettings::default());
    let times = entries(&events, 2);
    let seconds = times[99] - times[0];
    assert!((198..=200).contains(&seconds), "{seconds}");
}

fn ring() -> NetworkColumns {
    NetworkColumns {
        x_m: vec![0.0; 3],
        y_m: vec![0.0; 3],
        from: vec![0, 1, 2],
        to: vec![1, 2, 0],
        length_m: vec![7.5; 3],
        speed_mps_free: vec![7.5; 3],
        capacity_vps: vec![1.0; 3],
        jam_density_vpm: vec![1.0 / 7.5; 3],
        ..NetworkColumns::default()
    }
}

#[test]
fn a_circle_of_full_links_ends_the_run_or_is_released() {
    // Each link holds one in the queue and one in the buffer, and each vehicle wants two links further.
    let routes: Vec<Vec<u32>> = (0..9).map(|start| (0..6).map(|link| (start + link) % 3).collect()).collect();
    let departures = vec![0.0; 9];
    let (stays, _) = simulate(&ring(), &departures, &routes, &QueueSettings::default());
    assert!(stays.unfinished > 0);
    let settings = QueueSettings { stuck_s: Some(10), ..QueueSettings::default() };
    let (released, _) = simulate(&ring(), &departures, &routes, &settings);
    assert_eq!(released.unfinished, 0);
    let cut = QueueSettings { end_s: Some(3), ..settings };
    assert!(simulate(&ring(), &departures, &routes, &cut).1.iter().all(|event| event.time_s < 3));
}

#[test]
fn merges_share_by_capacity() {
    // Two approaches of 6 and 3 veh/s into one of 0.45: both buffers always hold vehicles.
    let columns = NetworkColumns {
        x_m: vec![0.0; 5],
        y_m: vec![0.0; 5],
        from: vec![0, 1, 2, 3],
        to: vec![2, 2, 3, 4],
        length_m: vec![10_000.0, 10_000.0, 75.0, 100.0],
        speed_mps_free: vec![10.0; 4],
        capacity_vps: vec![6.0, 3.0, 0.45, 10.0],
        jam_density_vpm: vec![1.0 / 7.5; 4],
        ..NetworkColumns::default()
    };
    let count = 4000;
    let routes: Vec<Vec<u32>> = (0..count).map(|i| vec![u32::from(i % 2 == 1), 2, 3]).collect();
    let settings = QueueSettings { end_s: Some(3000), ..QueueSettings::default() };
    let (_, events) = simulate(&columns, &vec![0.0; count], &routes, &settings);
    let left = |link| events.iter().filter(|e| e.kind == QueueEventKind::LeftLink && e.link == link).count() as f64;
    assert!((left(0) + left(1) - 0.45 * 3000.0).abs() < 30.0);
    let share = left(0) / (left(0) + left(1));
    assert!((share - 2.0 / 3.0).abs() < 0.06, "{share}");
}

#[test]
fn faults_are_named() {
    let columns = chain(&[(100.0, 10.0, 1.0); 3]);
    let route: Vec<CarLinkIx> = [0, 2, 7].map(CarLinkIx).to_vec();
    let trips =
        QueueTrips { depart_s: &[-1.0, 0.0, 0.0], route_ends: &[2, 3, 3], route_links: &route, pce: &[1.0, 0.0, 1.0] };
    let error = run(&columns, trips, &QueueSettings::default(), |_| {}).unwrap_err();
    let urbis_core::Error::Input(problems) = error else { panic!("{error}") };
    let said: Vec<String> = problems.listed().iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 5, "{said:?}");
    assert!(said[0].contains("depart_s = -1") && said[1].contains("a gap between link rows 0 and 2"), "{said:?}");
    let mut bad = columns;
    bad.length_m[1] = 0.0;
    bad.to[2] = 99;
    let error = QueueModel::new(&bad, Vec::new(), &QueueSettings { flow_factor: 0.0, ..QueueSettings::default() });
    let urbis_core::Error::Input(problems) = error.unwrap_err() else { panic!() };
    assert_eq!(problems.len(), 3);
}

proptest::proptest! {
    /// Every vehicle is somewhere: what enters leaves or is unfinished; times on a link never fall below free flow;
    /// order on a link is kept.
    #[test]
    fn vehicles_are_conserved(
        seed: u64,
        links in proptest::collection::vec((5.0..300.0_f64, 3.0..20.0_f64, 0.05..3.0_f64), 2..8),
        departures in proptest::collection::vec(0.0..200.0_f64, 1..80),
    ) {
        let columns = chain(&links);
        let mut rng = Rng::new(seed, 0, 0, 0);
        let routes: Vec<Vec<u32>> = departures.iter().map(|_| {
            let a = rng.below(links.len() as u32);
            let b = a + rng.below(links.len() as u32 - a);
            (a..=b).collect()
        }).collect();
        let settings = QueueSettings { seed, ..QueueSettings::default() };
        let (run, events) = simulate(&columns, &departures, &routes, &settings);
        proptest::prop_assert_eq!(run.unfinished, 0);
        let crossings: usize = routes.iter().map(|route| route.len() - 1).sum();
        proptest::prop_assert_eq!(run.crossings, crossings as u64);
        proptest::prop_assert!(events.windows(2).all(|pair| pair[0].time_s <= pair[1].time_s));
        for (trip, route) in routes.iter().enumerate() {
            let inner: f64 = route[1..].iter().map(|&link| (links[link as usize].0 / links[link as usize].1).floor().max(1.0)).sum();
            let least = f64::from(whole_second(departures[trip])) + inner + (route.len() - 1) as f64;
            proptest::prop_assert!(f64::from(run.arrive_s[trip]) + 1e-9 >= least);
        }
        let again = simulate(&columns, &departures, &routes, &settings);
        proptest::prop_assert_eq!(again.1, events);
    }
}
