//! Routes at times of day and with turn delays against plain searches over links.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use urbis_core::CarLinkIx;
use urbis_core::rng::Rng;
use urbis_traffic::network::CarNetwork;
use urbis_traffic::synthetic::random_network;
use urbis_traffic::{Router, TimeBins, TimedQuery, TurnDelay};

type Delays = BTreeMap<(u32, u32), u32>;

/// Earliest arrival at every node, as time since departure: label setting over links, so that bans and delays are
/// exact.
fn earliest(network: &CarNetwork, times: &TimeBins, delays: &Delays, from: u32, depart_ms: u32) -> Vec<Option<u32>> {
    let mut leaving = vec![Vec::new(); network.nodes()];
    for link in 0..network.links() as u32 {
        leaving[network.from[link as usize] as usize].push(link);
    }
    let end = |link: u32, enter: u32| enter + times.time_ms(link as usize, u64::from(depart_ms) + u64::from(enter));
    let mut at_node = vec![None; network.nodes()];
    at_node[from as usize] = Some(0);
    let mut settled = vec![false; network.links()];
    let mut heap: BinaryHeap<_> = leaving[from as usize].iter().map(|&l| Reverse((end(l, 0), l))).collect();
    while let Some(Reverse((time, link))) = heap.pop() {
        if std::mem::replace(&mut settled[link as usize], true) {
            continue;
        }
        let node = network.to[link as usize] as usize;
        at_node[node] = at_node[node].or(Some(time));
        for &next in &leaving[node] {
            if network.banned.binary_search(&(CarLinkIx(link), CarLinkIx(next))).is_err() {
                let enter = time + delays.get(&(link, next)).copied().unwrap_or(0);
                heap.push(Reverse((end(next, enter), next)));
            }
        }
    }
    at_node
}

/// A network with random bins, from steady to wild, and random turn delays.
fn case(seed: u32) -> (CarNetwork, TimeBins, Delays) {
    let network = random_network(15 + 12 * seed, 25 * seed, u64::from(seed)).unwrap();
    let mut rng = Rng::new(4, seed, 0, 0);
    let bins = 1 + rng.below(12);
    let spread = 1 + rng.below(20);
    let free = network.free_time_ms();
    let times: Vec<Vec<u32>> =
        (0..bins).map(|_| free.iter().map(|&ms| ms + rng.below(ms * spread)).collect()).collect();
    let mut delays = Delays::new();
    for _ in 0..rng.below(60) {
        let into = rng.below(network.links() as u32);
        let out = (0..network.links() as u32)
            .find(|&out| network.from[out as usize] == network.to[into as usize] && rng.chance(0.5));
        if let Some(out) = out {
            delays.insert((into, out), 1 + rng.below(90_000));
        }
    }
    (network, TimeBins::new(60, &times).unwrap(), delays)
}

fn delay_list(delays: &Delays) -> Vec<TurnDelay> {
    let delay = |(&(into, out), &delay_ms): (&(u32, u32), &u32)| TurnDelay {
        into: CarLinkIx(into),
        out: CarLinkIx(out),
        delay_ms,
    };
    delays.iter().map(delay).collect()
}

/// Time to drive a route, which must be one.
fn driven(network: &CarNetwork, times: &TimeBins, delays: &Delays, links: &[CarLinkIx], depart_ms: u32) -> u32 {
    let mut elapsed = 0;
    for (nth, link) in links.iter().enumerate() {
        if let Some(&before) = nth.checked_sub(1).map(|nth| &links[nth]) {
            assert_eq!(network.to[before.row()], network.from[link.row()]);
            assert!(network.banned.binary_search(&(before, *link)).is_err());
            elapsed += delays.get(&(before.0, link.0)).copied().unwrap_or(0);
        }
        elapsed += times.time_ms(link.row(), u64::from(depart_ms) + u64::from(elapsed));
    }
    elapsed
}

#[test]
fn exact_routes_arrive_first() {
    let (mut better, mut raised, mut delayed) = (0, 0, 0);
    for seed in 0..10 {
        let (network, times, delays) = case(seed);
        raised += times.raised();
        delayed += delays.len();
        let router = Router::with_turn_delays(&network, &delay_list(&delays));
        let mut rng = Rng::new(5, seed, 0, 0);
        for _ in 0..6 {
            let (from, depart_ms) = (rng.below(network.nodes() as u32), rng.below(900_000));
            let expected = earliest(&network, &times, &delays, from, depart_ms);
            let queries: Vec<TimedQuery> =
                (0..network.nodes() as u32).map(|to| TimedQuery { from, to, depart_ms }).collect();
            let exact = router.route_batch_exact(&times, &queries);
            let of_bin = router.route_batch_at(&times, &queries);
            for (to, expected) in expected.into_iter().enumerate() {
                assert_eq!(exact.route(to).map(|(_, cost)| cost), expected, "seed {seed}: {from} to {to}");
                let Some((links, cost)) = exact.route(to) else { continue };
                assert_eq!(driven(&network, &times, &delays, links, depart_ms), cost);
                let (links, _) = of_bin.route(to).unwrap();
                let other = driven(&network, &times, &delays, links, depart_ms);
                assert!(other >= cost);
                better += u32::from(other > cost);
            }
        }
    }
    assert!(better > 100 && raised > 100 && delayed > 100, "{better} {raised} {delayed}");
}

/// With times that never change, the exact search, the bins and the router agree.
#[test]
fn steady_times_give_the_same_costs_everywhere() {
    for seed in 0..6 {
        let (network, _, delays) = case(seed);
        let free = network.free_time_ms();
        let times = TimeBins::new(900, &vec![free.clone(); 5]).unwrap();
        let router = Router::with_turn_delays(&network, &delay_list(&delays));
        let mut rng = Rng::new(6, seed, 0, 0);
        let nodes = network.nodes() as u32;
        let queries: Vec<TimedQuery> = (0..400)
            .map(|_| TimedQuery { from: rng.below(nodes), to: rng.below(nodes), depart_ms: rng.below(6_000_000) })
            .collect();
        let pairs: Vec<(u32, u32)> = queries.iter().map(|of| (of.from, of.to)).collect();
        let costs = router.cost_batch_under(&router.metric(&free), &pairs);
        let cost = |batch: urbis_traffic::RouteBatch| -> Vec<Option<u32>> {
            batch.iter().map(|route| route.map(|(_, cost)| cost)).collect()
        };
        assert_eq!(cost(router.route_batch_exact(&times, &queries)), costs);
        assert_eq!(cost(router.route_batch_at(&times, &queries)), costs);
        for (&(from, to), &cost) in pairs.iter().zip(&costs) {
            assert_eq!(earliest(&network, &times, &delays, from, 0)[to as usize], cost);
        }
    }
}

#[test]
fn timed_routes_are_the_same_on_any_number_of_threads() {
    let (network, times, delays) = case(8);
    let mut rng = Rng::new(7, 0, 0, 0);
    let nodes = network.nodes() as u32;
    let queries: Vec<TimedQuery> = (0..1500)
        .map(|_| TimedQuery { from: rng.below(nodes), to: rng.below(nodes), depart_ms: rng.below(900_000) })
        .collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let router = Router::with_turn_delays(&network, &delay_list(&delays));
            (router.route_batch_exact(&times, &queries), router.route_batch_at(&times, &queries))
        })
    };
    let one = on(1);
    assert!([2, 3, 8, 16].into_iter().all(|threads| on(threads) == one));
}
