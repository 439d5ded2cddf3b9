#![allow(clippy::print_stdout)] // tests print the figures they found

//! Dispatch against queueing theory and geometry, its books, and its order of ties.

use super::*;
use urbis_core::rng::Rng;

const RULES: Rules = Rules {
    own_station_first: false,
    by_priority: true,
    sends_returning: true,
    turnout_ms: [0; 3],
    siren_priority: 0,
    siren_factor: 1.0,
    handover_ms: 0,
};

fn station(node: u32, units: u32) -> Station {
    Station { kind: ServiceKind::Fire, node, units }
}

fn call(time_ms: Ms, node: u32) -> Request {
    Request {
        time_ms,
        node,
        kind: ServiceKind::Fire,
        priority: 1,
        units: 1,
        scene_ms: 1000,
        is_transported: false,
        own_station: NONE,
    }
}

/// Nodes along a street, a second apart.
fn street() -> WaysBy<impl Fn(u32, u32) -> u32> {
    WaysBy(|from: u32, to: u32| 1000 * from.abs_diff(to))
}

/// Erlang's C: the probability that a customer waits, by the recursion of Erlang's B.
fn erlang_c(servers: u32, offered: f64) -> f64 {
    let b = (1..=servers).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b));
    let load = offered / f64::from(servers);
    b / (1.0 - load + load * b)
}

/// Mean waits of batches of calls, s, with Poisson calls, exponential service and no ways.
fn waits(servers: u32, load: f64, seed: u64, calls: usize, batches: usize) -> Vec<f64> {
    const SERVICE_S: f64 = 600.0;
    let per_s = load * f64::from(servers) / SERVICE_S;
    let mut rng = Rng::new(seed, servers, 0, 0x7E57);
    let mut exponential = |mean: f64| -mean * (1.0 - rng.uniform()).ln();
    let mut dispatcher = Dispatcher::new(RULES, vec![station(0, servers)], Vec::new());
    let mut roads = WaysBy(|_, _| 0);
    let mut at_s = 0.0;
    for nth in 0..calls {
        at_s += exponential(1.0 / per_s);
        let scene_ms = (1000.0 * exponential(SERVICE_S)).round() as u32;
        let time_ms = (1000.0 * at_s).round() as Ms;
        dispatcher.place(Request { scene_ms, ..call(time_ms, 0) });
        if nth % 1000 == 0 {
            dispatcher.advance(time_ms, &mut roads);
        }
    }
    dispatcher.advance(NEVER, &mut roads);
    dispatcher.check().unwrap();
    assert_eq!(dispatcher.books(ServiceKind::Fire).answered, calls as u64);
    let first = |call: usize| dispatcher.calls().first[call] as usize;
    let wait_s = |call: usize| {
        (dispatcher.sendings().sent_ms[first(call)] - dispatcher.calls().request[call].time_ms) as f64 / 1000.0
    };
    // The first batch fills the queue and does not count.
    let size = calls / (batches + 1);
    (1..=batches).map(|batch| (batch * size..(batch + 1) * size).map(wait_s).sum::<f64>() / size as f64).collect()
}

#[test]
fn without_ways_waits_are_those_of_erlang() {
    const BATCHES: usize = 32;
    for (servers, load, seed) in
        [(1, 0.5, 1), (1, 0.8, 2), (2, 0.7, 3), (3, 0.9, 4), (5, 0.8, 5), (10, 0.9, 6), (20, 0.85, 7)]
    {
        let (offered, mu) = (load * f64::from(servers), 1.0 / 600.0);
        let theory_s = erlang_c(servers, offered) / (f64::from(servers) * mu * (1.0 - load));
        let waits = waits(servers, load, seed, 396_000, BATCHES);
        let mean_s = waits.iter().sum::<f64>() / BATCHES as f64;
        let variance = waits.iter().map(|wait| (wait - mean_s).powi(2)).sum::<f64>() / (BATCHES - 1) as f64;
        let error_s = (variance / BATCHES as f64).sqrt();
        println!(
            "seed {seed}: {servers} units at load {load}: wait {mean_s:.2} s +- {error_s:.2}, Erlang C {theory_s:.2} s"
        );
        // 3.4 standard errors of 32 batches: one right run in five hundred would fail, and seeds are fixed.
        assert!((mean_s - theory_s).abs() < 3.4 * error_s, "{mean_s} and {theory_s}");
        assert!(error_s < 0.05 * theory_s, "{error_s} of {theory_s}");
    }
    // One unit: M/M/1 in closed form.
    assert!((erlang_c(1, 0.8) - 0.8).abs() < 1e-12);
}

/// Points on a torus whose side is one unit of length long, ms.
struct Torus {
    at: Vec<[f64; 2]>,
    is_grid: bool,
}

const SIDE_MS: f64 = 1e7;

impl Roads for Torus {
    fn times_ms(&mut self, pairs: &[(u32, u32)], times_ms: &mut Vec<u32>) {
        times_ms.clear();
        times_ms.extend(pairs.iter().map(|&(from, to)| {
            let (a, b) = (self.at[from as usize], self.at[to as usize]);
            let [dx, dy] = [0, 1].map(|axis: usize| {
                let d = (a[axis] - b[axis]).abs();
                d.min(1.0 - d)
            });
            let distance = if self.is_grid { dx + dy } else { dx.hypot(dy) };
            (SIDE_MS * distance).round() as u32
        }));
    }
    fn ahead(&mut self, from: u32, _: u32, _: f64) -> (u32, u32) {
        (from, 0)
    }
}

/// Mean way to calls anywhere from `stations` random stations, in sides of the torus.
fn mean_way(stations: u32, is_grid: bool, seed: u64) -> f64 {
    const CALLS: u32 = 400;
    let draws = 12_800 / stations.max(64);
    let mut sum = 0.0;
    for draw in 0..draws {
        let mut rng = Rng::new(seed, stations, draw, 0x7E58);
        let at = (0..stations + CALLS).map(|_| [rng.uniform(), rng.uniform()]).collect();
        let mut roads = Torus { at, is_grid };
        let of = (0..stations).map(|node| station(node, 1)).collect();
        let mut dispatcher = Dispatcher::new(RULES, of, Vec::new());
        for nth in 0..CALLS {
            dispatcher.place(call(Ms::from(nth) * 100_000_000, stations + nth));
        }
        dispatcher.advance(NEVER, &mut roads);
        assert_eq!(dispatcher.books(ServiceKind::Fire).answered, u64::from(CALLS));
        sum += dispatcher.sendings().travel_ms.iter().map(|&ms| f64::from(ms)).sum::<f64>() / f64::from(CALLS);
    }
    sum / f64::from(draws) / SIDE_MS
}

#[test]
fn ways_fall_with_the_root_of_the_number_of_stations() {
    for (is_grid, name, constant) in
        [(true, "along a grid", (2.0 * std::f64::consts::PI).sqrt() / 4.0), (false, "straight", 0.5)]
    {
        let counts = [32_u32, 64, 128, 256, 512];
        let ways: Vec<f64> = counts.iter().map(|&count| mean_way(count, is_grid, 11)).collect();
        let logs: Vec<(f64, f64)> =
            counts.iter().zip(&ways).map(|(&count, &way)| (f64::from(count).ln(), way.ln())).collect();
        let middle = |of: &dyn Fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / logs.len() as f64;
        let (x, y) = (middle(&|of| of.0), middle(&|of| of.1));
        let slope = middle(&|of| (of.0 - x) * (of.1 - y)) / middle(&|of| (of.0 - x).powi(2));
        for (&count, &way) in counts.iter().zip(&ways) {
            let found = way * f64::from(count).sqrt();
            println!("seed 11: {count} stations {name}: {found:.4} sqrt(A / n), expected {constant:.4}");
            assert!((found / constant - 1.0).abs() < 0.05);
        }
        println!("{name}: slope {slope:.4}, expected -0.5");
        assert!((slope + 0.5).abs() < 0.02);
    }
}

#[test]
fn the_nearest_goes_and_of_equals_the_lower() {
    let mut dispatcher = Dispatcher::new(
        Rules { turnout_ms: [500; 3], ..RULES },
        vec![station(0, 1), station(10, 2), station(20, 1)],
        vec![],
    );
    let mut roads = street();
    // The middle of two stations: the lower unit; then the other, as the first is away; then a farther one.
    for _ in 0..3 {
        dispatcher.place(Request { scene_ms: 60_000, ..call(0, 5) });
    }
    dispatcher.place(Request { scene_ms: 60_000, ..call(0, 15) });
    dispatcher.advance(1, &mut roads);
    assert_eq!(dispatcher.sendings().unit, [0, 1, 2, 3]);
    assert_eq!(dispatcher.sendings().call, [0, 1, 2, 3]);
    assert_eq!(dispatcher.sendings().arrive_ms(3), 500 + 5000);
    dispatcher.check().unwrap();
    let books = dispatcher.books(ServiceKind::Fire);
    assert_eq!((books.received, books.under_way, books.answered), (4, 4, 0));
    dispatcher.advance(5500, &mut roads);
    assert_eq!(dispatcher.books(ServiceKind::Fire).under_way, 4);
    dispatcher.advance(5501, &mut roads);
    assert_eq!(dispatcher.books(ServiceKind::Fire).answered, 4);
}

#[test]
fn the_urgent_overtakes_where_the_rules_say_so() {
    let order = |by_priority| {
        let mut dispatcher = Dispatcher::new(Rules { by_priority, ..RULES }, vec![station(0, 1)], Vec::new());
        for (time_ms, priority) in [(0, 1), (10, 3), (20, 2), (30, 1), (40, 1), (40, 1)] {
            dispatcher.place(Request { priority, ..call(time_ms, 0) });
        }
        dispatcher.advance(NEVER, &mut street());
        dispatcher.check().unwrap();
        dispatcher.sendings().call.clone()
    };
    assert_eq!(order(true), [0, 3, 4, 5, 2, 1]);
    assert_eq!(order(false), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn the_own_station_goes_first_where_the_rules_say_so() {
    let unit = |own_station_first| {
        let rules = Rules { own_station_first, ..RULES };
        let mut dispatcher = Dispatcher::new(rules, vec![station(0, 1), station(10, 1)], Vec::new());
        dispatcher.place(Request { own_station: 1, ..call(0, 4) });
        dispatcher.place(Request { own_station: 1, ..call(1, 4) });
        dispatcher.advance(2, &mut street());
        dispatcher.sendings().unit.clone()
    };
    assert_eq!(unit(true), [1, 0]);
    assert_eq!(unit(false), [0, 1]);
}

#[test]
fn a_unit_on_its_way_back_goes_where_the_rules_say_so() {
    let answer = |sends_returning| {
        let rules = Rules { sends_returning, turnout_ms: [3000; 3], ..RULES };
        let mut dispatcher = Dispatcher::new(rules, vec![station(0, 1)], Vec::new());
        dispatcher.place(call(0, 100));
        // There after 3 + 100 s, free at 104 s; 30 s later the next call comes from where it was.
        dispatcher.place(call(134_000, 100));
        dispatcher.advance(NEVER, &mut street());
        dispatcher.check().unwrap();
        dispatcher.sendings().arrive_ms(1)
    };
    // Under way it counts as being where its way began, up to the half of it.
    assert_eq!(answer(true), 134_000);
    assert_eq!(answer(false), 204_000 + 3000 + 100_000);
}

#[test]
fn patients_go_to_the_nearest_hospital_that_can_be_reached() {
    let rules = Rules { handover_ms: 600_000, siren_priority: 1, siren_factor: 2.0, ..RULES };
    let mut dispatcher = Dispatcher::new(rules, vec![station(0, 1)], vec![19, 30, 12]);
    let mut roads = WaysBy(|from: u32, to: u32| if to == 12 { NO_WAY } else { 1000 * from.abs_diff(to) });
    dispatcher.place(Request { is_transported: true, ..call(0, 20) });
    dispatcher.place(Request { priority: 2, ..call(0, 20) });
    dispatcher.advance(NEVER, &mut roads);
    let (calls, sendings) = (dispatcher.calls(), dispatcher.sendings());
    assert_eq!((calls.hospital[0], calls.hospital[1]), (0, NONE));
    // With a siren there in half of 20 s, 1 s of service, 1 s to the hospital, 10 min there.
    assert_eq!((sendings.travel_ms[0], sendings.free_ms[0]), (10_000, 612_000));
    // The other is less urgent: from the hospital, without a siren.
    assert_eq!((sendings.sent_ms[1], sendings.travel_ms[1]), (612_000, 1000));
    assert_eq!(dispatcher.busy_ms(ServiceKind::Fire), 614_000);
    assert_eq!(calls.end_ms, [11_000, 614_000]);
}

#[test]
fn who_cannot_be_reached_waits_and_holds_up_nobody() {
    let mut dispatcher = Dispatcher::new(RULES, vec![station(0, 2)], Vec::new());
    let cut = |from: u32, to: u32| if to == 7 { NO_WAY } else { 1000 * from.abs_diff(to) };
    dispatcher.place(call(0, 7));
    dispatcher.place(call(5, 3));
    // Five units are asked for, the city has two.
    dispatcher.place(Request { units: 5, ..call(9, 1) });
    dispatcher.advance(60_000, &mut WaysBy(cut));
    let books = dispatcher.books(ServiceKind::Fire);
    assert_eq!((books.waiting, books.answered), (1, 2));
    assert_eq!(dispatcher.calls().left, [0, 1, 2]);
    // The way opens.
    dispatcher.look_again();
    dispatcher.advance(120_000, &mut street());
    assert_eq!(dispatcher.books(ServiceKind::Fire).answered, 3);
    assert_eq!(dispatcher.sendings().sent_ms[3], 60_000);
    // Nobody comes where there are no units of the kind.
    dispatcher.place(Request { kind: ServiceKind::Police, ..call(0, 0) });
    dispatcher.advance(200_000, &mut street());
    assert_eq!(dispatcher.books(ServiceKind::Police).waiting, 1);
    dispatcher.check().unwrap();
}

#[test]
fn a_unit_that_no_way_leads_home_waits_where_it_is() {
    let mut dispatcher = Dispatcher::new(Rules { sends_returning: false, ..RULES }, vec![station(0, 1)], Vec::new());
    dispatcher.place(call(0, 5));
    dispatcher.advance(60_000, &mut WaysBy(|from: u32, to: u32| if to < from { NO_WAY } else { 1000 * (to - from) }));
    assert_eq!((dispatcher.units().state[0], dispatcher.units().node[0]), (UnitState::Returning, 5));
    dispatcher.check().unwrap();
    dispatcher.advance(700_000, &mut street());
    assert_eq!((dispatcher.units().state[0], dispatcher.units().node[0]), (UnitState::AtStation, 0));
}

#[test]
fn books_that_do_not_add_up_are_told() {
    let mut dispatcher = Dispatcher::new(RULES, vec![station(0, 2)], Vec::new());
    dispatcher.place(Request { scene_ms: 60_000, ..call(0, 3) });
    dispatcher.advance(10_000, &mut street());
    dispatcher.check().unwrap();
    let mut lost = dispatcher.clone();
    lost.books[0].received += 1;
    assert!(!lost.books(ServiceKind::Fire).balance() && lost.check().is_err());
    // The same unit twice at a call, and a unit that works for another's sending.
    let mut doubled = dispatcher.clone();
    doubled.units.state[1] = UnitState::OnScene;
    assert!(doubled.check().is_err());
    doubled.units.sending[1] = 0;
    assert!(doubled.check().is_err());
    let mut gone = dispatcher;
    gone.units.state[0] = UnitState::AtStation;
    assert!(gone.check().is_err());
}

/// A random city, day and set of rules; nodes are rows of a matrix of times, some of which are no ways.
fn random_case(seed: u64) {
    let mut rng = Rng::new(seed, 0, 0, 0x7E59);
    let nodes = 2 + rng.below(8);
    let has_gaps = rng.chance(0.5);
    let mut times = Vec::new();
    for pair in 0..nodes * nodes {
        let is_none = has_gaps && rng.chance(0.15) && pair / nodes != pair % nodes;
        let ms = if pair / nodes == pair % nodes { 0 } else { rng.below(600_000) };
        times.push(if is_none { NO_WAY } else { ms });
    }
    let mut roads = WaysBy(|from: u32, to: u32| times[(from * nodes + to) as usize]);
    let kinds = ServiceKind::NAMED.map(|(kind, _)| kind);
    let stations: Vec<Station> = (0..1 + rng.below(5))
        .map(|_| Station { kind: kinds[rng.below(3) as usize], node: rng.below(nodes), units: rng.below(4) })
        .collect();
    let rules = Rules {
        own_station_first: rng.chance(0.5),
        by_priority: rng.chance(0.5),
        sends_returning: rng.chance(0.5),
        turnout_ms: [rng.below(90_000), 0, 30_000],
        siren_priority: 1,
        siren_factor: 1.5,
        handover_ms: rng.below(900_000),
    };
    let hospitals = (0..rng.below(3)).map(|_| rng.below(nodes)).collect();
    let mut dispatcher = Dispatcher::new(rules.clone(), stations, hospitals);
    let (mut now_ms, end_ms) = (0, 6 * 3_600_000);
    while now_ms < end_ms {
        for _ in 0..rng.below(4) {
            dispatcher.place(Request {
                time_ms: now_ms + Ms::from(rng.below(3)) * Ms::from(rng.below(200_000)),
                node: rng.below(nodes),
                kind: kinds[rng.below(3) as usize],
                priority: 1 + rng.below(3) as u8,
                units: 1 + rng.below(3),
                scene_ms: rng.below(2_400_000),
                is_transported: rng.chance(0.5),
                own_station: rng.below(4),
            });
        }
        now_ms += 1 + Ms::from(rng.below(300_000));
        dispatcher.advance(now_ms, &mut roads);
        dispatcher.check().unwrap_or_else(|what| panic!("seed {seed} at {now_ms}: {what}"));
        // Nobody waits while somebody could go.
        for (kind, _) in ServiceKind::NAMED.into_iter().filter(|_| !has_gaps) {
            let lacks = |call: &usize| {
                let calls = dispatcher.calls();
                calls.request[*call].kind == kind
                    && calls.state[*call] != CallState::Announced
                    && calls.sent[*call] < calls.needed[*call]
            };
            let is_free = |unit: &usize| {
                let units = dispatcher.units();
                dispatcher.stations()[units.station[*unit] as usize].kind == kind
                    && (units.state[*unit] == UnitState::AtStation
                        || rules.sends_returning && units.state[*unit] == UnitState::Returning)
            };
            let waiting = (0..dispatcher.calls().state.len()).filter(lacks).count();
            let free = (0..dispatcher.units().state.len()).filter(is_free).count();
            assert!(waiting == 0 || free == 0, "seed {seed} at {now_ms}: {waiting} calls lack units, {free} are free");
        }
    }
    // No unit works for two calls at once, and what each did is in order.
    let sendings = dispatcher.sendings();
    for unit in 0..dispatcher.units().state.len() as u32 {
        let of: Vec<usize> = (0..sendings.call.len()).filter(|&row| sendings.unit[row] == unit).collect();
        for pair in of.windows(2) {
            assert!(sendings.free_ms[pair[0]] <= sendings.sent_ms[pair[1]], "seed {seed}: unit {unit}");
        }
        assert!(of.iter().all(|&row| sendings.free_ms[row] >= sendings.arrive_ms(row)), "seed {seed}: unit {unit}");
    }
}

#[test]
fn random_days_keep_their_books() {
    (0..300).for_each(random_case);
}

#[test]
fn steps_of_any_length_give_the_same_day() {
    let day = |step_ms: Ms| {
        let mut rng = Rng::new(5, 0, 0, 0x7E5A);
        let mut dispatcher = Dispatcher::new(RULES, vec![station(0, 2), station(40, 1)], vec![20]);
        for _ in 0..200 {
            let time_ms = Ms::from(rng.below(36_000_000));
            let scene_ms = rng.below(1_200_000);
            dispatcher.place(Request { scene_ms, is_transported: rng.chance(0.5), ..call(time_ms, rng.below(41)) });
        }
        let mut now_ms = 0;
        while now_ms < 50_000_000 {
            now_ms += step_ms;
            dispatcher.advance(now_ms, &mut street());
        }
        let sendings = dispatcher.sendings();
        (sendings.unit.clone(), sendings.call.clone(), sendings.sent_ms.clone(), sendings.free_ms.clone())
    };
    assert_eq!(day(1000), day(777_777));
}
