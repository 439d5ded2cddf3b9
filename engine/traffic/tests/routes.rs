//! Routes of the hierarchy against plain Dijkstra over links, with banned turns.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use urbis_core::CarLinkIx;
use urbis_core::rng::Rng;
use urbis_traffic::network::CarNetwork;
use urbis_traffic::route::Router;
use urbis_traffic::synthetic::{Grid, LinkKind, random_network};

/// Shortest travel time from one node to every node: Dijkstra on links, so that bans are exact.
fn dijkstra(network: &CarNetwork, weights: &[u32], from: u32) -> Vec<Option<u32>> {
    let mut leaving = vec![Vec::new(); network.nodes()];
    for link in 0..network.links() {
        leaving[network.from[link] as usize].push(link);
    }
    let mut at_node = vec![None; network.nodes()];
    at_node[from as usize] = Some(0);
    let mut settled = vec![false; network.links()];
    let mut heap: BinaryHeap<_> = leaving[from as usize].iter().map(|&l| Reverse((weights[l], l))).collect();
    while let Some(Reverse((cost, link))) = heap.pop() {
        if std::mem::replace(&mut settled[link], true) {
            continue;
        }
        let node = network.to[link] as usize;
        if at_node[node].is_none_or(|best| cost < best) {
            at_node[node] = Some(cost);
        }
        for &next in &leaving[node] {
            if network.banned.binary_search(&(CarLinkIx(link as u32), CarLinkIx(next as u32))).is_err() {
                heap.push(Reverse((cost + weights[next], next)));
            }
        }
    }
    at_node
}

fn check(network: &CarNetwork, router: &Router, weights: &[u32], sources: impl Iterator<Item = u32>) {
    for from in sources {
        let expected = dijkstra(network, weights, from);
        let queries: Vec<(u32, u32)> = (0..network.nodes() as u32).map(|to| (from, to)).collect();
        let batch = router.route_batch(&queries);
        for (to, expected) in expected.into_iter().enumerate() {
            let route = batch.route(to);
            assert_eq!(route.map(|(_, cost)| cost), expected, "{from} to {to}");
            let Some((links, cost)) = route else { continue };
            assert_eq!(links.iter().map(|link| weights[link.row()]).sum::<u32>(), cost);
            for pair in links.windows(2) {
                assert_eq!(network.to[pair[0].row()], network.from[pair[1].row()]);
                assert!(network.banned.binary_search(&(pair[0], pair[1])).is_err());
            }
            if let (Some(first), Some(last)) = (links.first(), links.last()) {
                assert_eq!((network.from[first.row()], network.to[last.row()]), (from, to as u32));
            }
        }
    }
}

#[test]
fn routes_are_shortest_under_any_weights() {
    let mut bans = 0;
    for seed in 0..12 {
        let network = random_network(20 + 25 * seed, 30 * seed, u64::from(seed)).unwrap();
        bans += network.banned.len();
        let mut router = Router::new(&network);
        let mut rng = Rng::new(9, seed, 0, 0);
        let sources: Vec<u32> = (0..20).map(|_| rng.below(network.nodes() as u32)).collect();
        check(&network, &router, &network.free_time_ms(), sources.iter().copied());
        let weights: Vec<u32> = (0..network.links()).map(|_| 1 + rng.below(5_000)).collect();
        router.set_travel_times(&weights);
        check(&network, &router, &weights, sources.into_iter());
    }
    assert!(bans > 100, "{bans}");
}

#[test]
fn routes_are_the_same_on_any_number_of_threads() {
    let grid = Grid::new(30, LinkKind::STREET).unwrap();
    let router = Router::new(&grid.network);
    let mut rng = Rng::new(3, 0, 0, 0);
    let queries: Vec<(u32, u32)> = (0..2000).map(|_| (rng.below(900), rng.below(900))).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (Router::new(&grid.network).route_batch(&queries), router.route_batch(&queries)))
    };
    let (one, same) = on(1);
    assert_eq!(one, same);
    assert_eq!(one.len(), 2000);
    assert!([2, 3, 8, 16].into_iter().all(|threads| on(threads) == (one.clone(), one.clone())));
}

#[test]
fn what_cannot_be_reached_has_no_route() {
    use urbis_traffic::network::NetworkColumns;
    use urbis_traffic::synthetic::add_link;
    let mut columns = NetworkColumns { x_m: vec![0.0, 1.0, 2.0], y_m: vec![0.0; 3], ..NetworkColumns::default() };
    let first = add_link(&mut columns, 0, 1, LinkKind::STREET);
    let second = add_link(&mut columns, 1, 2, LinkKind::STREET);
    let open = Router::new(&CarNetwork::from_columns(columns.clone()).unwrap()).route_batch(&[(0, 2), (2, 0), (1, 1)]);
    assert_eq!(open.route(0).unwrap().0, [first, second]);
    assert_eq!((open.route(1), open.route(2)), (None, Some((&[][..], 0))));
    columns.banned.push((first, second));
    let banned = Router::new(&CarNetwork::from_columns(columns).unwrap()).route_batch(&[(0, 2), (0, 1), (1, 2)]);
    assert_eq!(banned.route(0), None);
    assert_eq!((banned.route(1).unwrap().0, banned.route(2).unwrap().0), (&[first][..], &[second][..]));
}

/// A query's answer does not depend on what else is asked, in which order, or whether the path is wanted.
#[test]
fn routes_do_not_depend_on_their_batch() {
    for seed in 0..4 {
        // Equal links have ties everywhere.
        let grid = Grid::new(12 + seed, LinkKind::STREET).unwrap();
        let router = Router::new(&grid.network);
        let mut rng = Rng::new(8, seed, 0, 0);
        let queries: Vec<(u32, u32)> = (0..700).map(|_| (rng.below(grid.nodes()), rng.below(20))).collect();
        let all = router.route_batch(&queries);
        let costs = router.cost_batch(&queries);
        for (nth, query) in queries.iter().enumerate() {
            assert_eq!(router.route_batch(&[*query]).route(0), all.route(nth), "seed {seed}: {query:?}");
            assert_eq!(all.route(nth).map(|(_, cost)| cost), costs[nth]);
        }
    }
}

/// Ties of every kind: weights from a handful of values, so that equal detours are the rule.
#[test]
fn ties_lose_no_route() {
    for seed in 0..16 {
        let network = random_network(10 + 6 * seed, 20 * seed, 100 + u64::from(seed)).unwrap();
        let mut router = Router::new(&network);
        let mut rng = Rng::new(10, seed, 0, 0);
        let weights: Vec<u32> = (0..network.links()).map(|_| 1 + rng.below(3)).collect();
        router.set_travel_times(&weights);
        check(&network, &router, &weights, 0..5);
    }
}

/// Metrics over one router are independent, closed links carry nothing, and roads that take a day each are still roads.
#[test]
fn metrics_close_links_and_saturate() {
    use urbis_traffic::route::{CLOSED, COST_MAX, LINK_COST_MAX};
    let network = random_network(120, 150, 3).unwrap();
    let router = Router::new(&network);
    let queries: Vec<(u32, u32)> = (0..network.nodes() as u32).map(|to| (7, to)).collect();
    let free = router.route_batch(&queries);
    let mut costs = network.free_time_ms();
    let mut rng = Rng::new(11, 0, 0, 0);
    let closed: Vec<usize> = (0..60).map(|_| rng.below(network.links() as u32) as usize).collect();
    closed.iter().for_each(|&link| costs[link] = CLOSED);
    let metric = router.metric(&costs);
    let around = router.route_batch_under(&metric, &queries);
    let open: Vec<u32> = costs.iter().map(|&cost| if cost == CLOSED { 100_000_000 } else { cost }).collect();
    let expected = dijkstra(&network, &open, 7);
    let mut cut = 0;
    for (to, expected) in expected.into_iter().enumerate() {
        let expected = expected.filter(|&cost| cost < 100_000_000);
        assert_eq!(around.route(to).map(|(_, cost)| cost), expected);
        cut += u32::from(expected.is_none());
        let links = around.route(to).map_or(&[][..], |(links, _)| links);
        assert!(links.iter().all(|link| !closed.contains(&link.row())));
    }
    assert!(cut > 0);
    assert_eq!(router.route_batch(&queries), free);
    let slow = router.metric(&vec![LINK_COST_MAX; network.links()]);
    let days = router.route_batch_under(&slow, &queries);
    for (to, route) in days.iter().enumerate() {
        let (links, cost) = route.unwrap();
        assert!(links.is_empty() == (to == 7) && cost <= COST_MAX);
    }
    // A chain of 40 days has an end too.
    let mut columns = urbis_traffic::NetworkColumns { x_m: (0..41).map(f64::from).collect(), ..Default::default() };
    columns.y_m = vec![0.0; 41];
    for node in 0..40 {
        urbis_traffic::synthetic::add_link(&mut columns, node, node + 1, LinkKind::STREET);
        urbis_traffic::synthetic::add_link(&mut columns, node + 1, node, LinkKind::STREET);
    }
    let router = Router::new(&CarNetwork::from_columns(columns).unwrap());
    let chain = router.route_batch_under(&router.metric(&[LINK_COST_MAX; 80]), &[(0, 40), (40, 0), (0, 3)]);
    let of = |query: usize| chain.route(query).map(|(links, cost)| (links.len(), cost));
    assert_eq!([of(0), of(1), of(2)], [Some((40, COST_MAX)), Some((40, COST_MAX)), Some((3, 3 * LINK_COST_MAX))]);
}
