//! Static user equilibrium from outside: closed forms, Wardrop's condition checked by an own search, bounds
//! from an own Frank-Wolfe, conservation, and equal bits on any number of threads.

use proptest::prelude::*;
use std::ops::ControlFlow;
use urbis_assignment::{Demand, Network, Options, PathLimits, Solution, assign};
use urbis_core::rng::Rng;

const TIGHT: Options = Options { gap: 1e-12, settle: f64::INFINITY, max_iterations: 2000 };

fn solved(network: &Network, triples: &[(u32, u32, f64)], options: &Options) -> Solution {
    let demand = Demand::from_triples(network.nodes, triples).unwrap();
    assign(network, &demand, options, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// `(from, to, t0, capacity, b, power)` a link.
fn network(nodes: usize, links: &[(u32, u32, f64, f64, f64, f64)]) -> Network {
    let mut network = Network { nodes, ..Network::default() };
    for &(from, to, t0, capacity, b, power) in links {
        network.from.push(from);
        network.to.push(to);
        network.t0.push(t0);
        network.capacity.push(capacity);
        network.b.push(b);
        network.power.push(power);
    }
    network
}

fn close(a: f64, b: f64, share: f64) -> bool {
    (a - b).abs() <= share * (1.0 + a.abs().max(b.abs()))
}

/// Cost of a link by the formula itself.
fn cost_of(network: &Network, link: usize, flow: f64) -> f64 {
    let constant = network.t0[link] * network.b[link] <= 0.0;
    let grown =
        if constant { 0.0 } else { network.b[link] * (flow / network.capacity[link]).powf(network.power[link]) };
    network.t0[link] * (1.0 + grown) + network.fixed_cost.get(link).copied().unwrap_or(0.0)
}

/// Shortest costs from a node by rounds over all links (Bellman-Ford), and the last link to each node.
fn shortest(network: &Network, cost: &[f64], root: u32) -> (Vec<f64>, Vec<usize>) {
    let mut label = vec![f64::INFINITY; network.nodes];
    let mut by = vec![usize::MAX; network.nodes];
    label[root as usize] = 0.0;
    for _ in 0..network.nodes {
        let mut fell = false;
        for (link, cost) in cost.iter().enumerate() {
            let (from, to) = (network.from[link], network.to[link] as usize);
            let through = label[from as usize] + cost;
            if (from >= network.first_thru || from == root) && through < label[to] {
                (label[to], by[to]) = (through, link);
                fell = true;
            }
        }
        if !fell {
            break;
        }
    }
    (label, by)
}

/// Checks everything an equilibrium promises against the plain statement of the problem.
fn check(network: &Network, triples: &[(u32, u32, f64)], solution: &Solution, gap: f64) {
    let costs: Vec<f64> = (0..network.links()).map(|link| cost_of(network, link, solution.flow[link])).collect();
    let mut best_total = 0.0;
    let mut supply = vec![0.0; network.nodes];
    let (mut assigned, mut lost) = (0.0, 0.0);
    for &(from, to, flow) in triples.iter().filter(|triple| triple.0 != triple.1) {
        let reach = shortest(network, &costs, from).0[to as usize];
        if reach.is_finite() {
            best_total += flow * reach;
            supply[from as usize] += flow;
            supply[to as usize] -= flow;
            assigned += flow;
        } else {
            lost += flow;
        }
    }
    assert!(close(solution.assigned, assigned, 1e-12) && close(solution.unassigned.flow, lost, 1e-12));
    let mut total = 0.0;
    for link in 0..network.links() {
        let flow = solution.flow[link];
        assert!(flow >= 0.0 && close(solution.cost[link], costs[link], 1e-12), "link {link}");
        total += flow * costs[link];
        supply[network.from[link] as usize] -= flow;
        supply[network.to[link] as usize] += flow;
    }
    let scale = 1.0 + assigned;
    assert!(supply.iter().all(|left| left.abs() <= 1e-11 * scale), "flow is lost or made: {supply:?}");
    let excess = total - best_total;
    assert!(excess <= (gap + 1e-12) * (1.0 + total), "excess {excess} of {total}");
    assert!(excess >= -1e-11 * (1.0 + total), "cheaper than the cheapest");
    assert!(close(solution.total_cost, total, 1e-12));
}

/// Objective and lower bound of it after some rounds of plain Frank-Wolfe.
fn frank_wolfe(network: &Network, triples: &[(u32, u32, f64)], rounds: usize) -> (f64, f64) {
    let links = network.links();
    let all_or_nothing = |cost: &[f64]| {
        let mut flow = vec![0.0; links];
        for &(from, to, demand) in triples.iter().filter(|triple| triple.0 != triple.1) {
            let (label, by) = shortest(network, cost, from);
            let mut node = to;
            while label[to as usize].is_finite() && node != from {
                flow[by[node as usize]] += demand;
                node = network.from[by[node as usize]];
            }
        }
        flow
    };
    let costs = |flow: &[f64]| (0..links).map(|link| cost_of(network, link, flow[link])).collect::<Vec<_>>();
    let integral = |link: usize, flow: f64| {
        let zero = cost_of(network, link, 0.0);
        let power = if network.t0[link] * network.b[link] <= 0.0 { 0.0 } else { network.power[link] };
        flow * (zero + (cost_of(network, link, flow) - zero) / (power + 1.0))
    };
    let objective = |flow: &[f64]| (0..links).map(|link| integral(link, flow[link])).sum::<f64>();
    let mut flow = all_or_nothing(&costs(&vec![0.0; links]));
    let mut bound = 0.0_f64;
    for _ in 0..rounds {
        let cost = costs(&flow);
        let target = all_or_nothing(&cost);
        let slope: f64 = (0..links).map(|link| cost[link] * (target[link] - flow[link])).sum();
        bound = bound.max(objective(&flow) + slope);
        let at = |step: f64| -> Vec<f64> { flow.iter().zip(&target).map(|(x, y)| x + step * (y - x)).collect() };
        let (mut from, mut to) = (0.0, 1.0);
        for _ in 0..40 {
            let middle = 0.5 * (from + to);
            let there = costs(&at(middle));
            let slope: f64 = (0..links).map(|link| there[link] * (target[link] - flow[link])).sum();
            if slope < 0.0 { from = middle } else { to = middle }
        }
        flow = at(0.5 * (from + to));
    }
    (objective(&flow), bound)
}

/// A random network with everything that may occur, and demand.
fn random_case(seed: u64, powers: &[f64]) -> (Network, Vec<(u32, u32, f64)>) {
    let mut rng = Rng::new(seed, 1, 0, 0);
    let nodes = 4 + rng.below(12);
    let mut links = Vec::new();
    for _ in 0..nodes * (2 + rng.below(3)) {
        let (from, to) = (rng.below(nodes), rng.below(nodes));
        let t0 = if rng.chance(0.1) { 0.0 } else { 0.1 + 10.0 * rng.uniform() };
        let b = if rng.chance(0.2) { 0.0 } else { rng.uniform() };
        let capacity = if t0 * b <= 0.0 && rng.chance(0.5) { 0.0 } else { 10.0 + 50.0 * rng.uniform() };
        let link = (from, to, t0, capacity, b, powers[rng.below(powers.len() as u32) as usize]);
        links.push(link);
        if rng.chance(0.05) {
            links.push((from, to, t0 * 1.1, capacity, b, link.5));
        }
    }
    let mut network = network(nodes as usize, &links);
    if rng.chance(0.5) {
        network.fixed_cost = links.iter().map(|_| rng.uniform()).collect();
    }
    network.first_thru = if rng.chance(0.5) { rng.below(nodes / 2) } else { 0 };
    let triples = (0..1 + rng.below(20)).map(|_| (rng.below(nodes), rng.below(nodes), 10.0 * rng.uniform())).collect();
    (network, triples)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Two routes with linear costs `a + s x`: `x = (a2 - a1 + s2 d) / (s1 + s2)` within `0..=d`.
    #[test]
    fn two_routes(a in (1.0..20.0_f64, 1.0..20.0_f64), s in (0.01..5.0_f64, 0.01..5.0_f64), demand in 0.1..100.0_f64) {
        let net = network(2, &[(0, 1, a.0, 1.0, s.0 / a.0, 1.0), (0, 1, a.1, 1.0, s.1 / a.1, 1.0)]);
        let solution = solved(&net, &[(0, 1, demand)], &TIGHT);
        let expected = ((a.1 - a.0 + s.1 * demand) / (s.0 + s.1)).clamp(0.0, demand);
        prop_assert!(solution.converged);
        prop_assert!(close(solution.flow[0], expected, 1e-6), "{} {expected}", solution.flow[0]);
        prop_assert!(close(solution.flow[0] + solution.flow[1], demand, 1e-14));
    }

    #[test]
    fn random_networks(seed in any::<u64>()) {
        let (net, triples) = random_case(seed, &[0.0, 1.0, 2.0, 4.0, 1.5, 5.7]);
        let solution = solved(&net, &triples, &TIGHT);
        prop_assert!(solution.converged, "gap {}", solution.relative_gap);
        check(&net, &triples, &solution, 1e-12);
        let (above, below) = frank_wolfe(&net, &triples, 40);
        prop_assert!(solution.beckmann <= above + 1e-9 * (1.0 + above), "{} {above}", solution.beckmann);
        prop_assert!(solution.beckmann >= below - 1e-9 * (1.0 + below.abs()), "{} {below}", solution.beckmann);
        prop_assert!(solution.trace.windows(2).all(|two| two[1].beckmann <= two[0].beckmann * (1.0 + 1e-12) + 1e-12));
    }

    /// Powers below 1 rise infinitely fast at no flow.
    #[test]
    fn steep_starts(seed in any::<u64>()) {
        let (net, triples) = random_case(seed, &[0.3, 0.5, 0.9, 1.0]);
        let options = Options { gap: 1e-7, ..TIGHT };
        let solution = solved(&net, &triples, &options);
        prop_assert!(solution.converged, "gap {}", solution.relative_gap);
        check(&net, &triples, &solution, 1e-7);
    }

    /// Flows and capacities in another unit change nothing else.
    #[test]
    fn units_of_flow_do_not_matter(seed in any::<u64>(), factor in 1e-4..1e4) {
        let (mut net, mut triples) = random_case(seed, &[1.0, 4.0]);
        let one = solved(&net, &triples, &TIGHT);
        net.capacity.iter_mut().for_each(|capacity| *capacity *= factor);
        triples.iter_mut().for_each(|triple| triple.2 *= factor);
        let other = solved(&net, &triples, &TIGHT);
        prop_assert!(close(other.beckmann / factor, one.beckmann, 1e-9));
        prop_assert!(close(other.total_cost / factor, one.total_cost, 1e-5));
    }

    /// Path flows add up to demand and to flows of links, and no used path costs more than the cheapest.
    #[test]
    fn paths_explain_the_flows(seed in any::<u64>()) {
        let (net, triples) = random_case(seed, &[1.0, 2.0, 4.0]);
        let solution = solved(&net, &triples, &TIGHT);
        let limits = PathLimits { least_share: 0.0, most: 100_000 };
        let mut flow = vec![0.0; net.links()];
        for origin in 0..net.nodes as u32 {
            let Some(set) = solution.paths_from(origin) else { continue };
            let (label, _) = shortest(&net, &solution.cost, origin);
            for (to, demand) in set.destinations() {
                let paths = set.to(to, &limits);
                prop_assert!(close(paths.iter().map(|path| path.flow).sum(), demand, 1e-12));
                prop_assert!(paths.windows(2).all(|two| two[0].flow >= two[1].flow));
                let one = set.to(to, &PathLimits { least_share: 1.0, most: 1 });
                prop_assert!(one.len() == 1 && close(one[0].flow, demand, 1e-14));
                for path in &paths {
                    let mut at = origin;
                    for &link in &path.links {
                        prop_assert_eq!(net.from[link as usize], at);
                        at = net.to[link as usize];
                        flow[link as usize] += path.flow;
                    }
                    prop_assert_eq!(at, to);
                    let dear = (path.cost - label[to as usize]) * path.flow;
                    prop_assert!(dear <= 2e-12 * (1.0 + solution.total_cost), "{dear}");
                }
            }
        }
        prop_assert!(flow.iter().zip(&solution.flow).all(|(a, b)| close(*a, *b, 1e-10)));
    }
}

fn braess(shortcut: bool) -> Network {
    // Nodes 1, 2, 3, 4 of the reference are rows 0 to 3.
    let mut links = vec![
        (0, 2, 1e-8, 1.0, 1e9, 1.0),
        (0, 3, 50.0, 1.0, 0.02, 1.0),
        (2, 1, 50.0, 1.0, 0.02, 1.0),
        (3, 1, 1e-8, 1.0, 1e9, 1.0),
    ];
    if shortcut {
        links.push((2, 3, 10.0, 1.0, 0.1, 1.0));
    }
    network(4, &links)
}

#[test]
fn braess_is_worse_with_the_shortcut() {
    for (shortcut, path, total, paths) in [(true, 92.0, 552.0, 3), (false, 83.0, 498.0, 2)] {
        let solution = solved(&braess(shortcut), &[(0, 1, 6.0)], &TIGHT);
        assert!(close(solution.total_cost, total, 1e-8), "{}", solution.total_cost);
        let found = solution.paths_from(0).unwrap().to(1, &PathLimits::default());
        assert_eq!(found.len(), paths);
        assert!(found.iter().all(|used| close(used.cost, path, 1e-7) && close(used.flow, 6.0 / paths as f64, 1e-7)));
    }
}

#[test]
fn zones_are_not_passed_through() {
    // The way over zone 1 is shorter, but it is a zone; as an origin it may be left.
    let links = [
        (0, 1, 1.0, 1.0, 0.0, 1.0),
        (1, 2, 1.0, 1.0, 0.0, 1.0),
        (0, 3, 5.0, 1.0, 0.0, 1.0),
        (3, 2, 5.0, 1.0, 0.0, 1.0),
    ];
    let triples = [(0, 2, 3.0), (1, 2, 2.0)];
    let mut net = network(4, &links);
    assert_eq!(solved(&net, &triples, &TIGHT).flow, [3.0, 5.0, 0.0, 0.0]);
    net.first_thru = 3;
    assert_eq!(solved(&net, &triples, &TIGHT).flow, [0.0, 2.0, 3.0, 3.0]);
}

#[test]
fn what_cannot_be_assigned_is_counted() {
    let net = network(4, &[(0, 1, 1.0, 1.0, 0.0, 1.0), (2, 3, 1.0, 1.0, 0.0, 1.0)]);
    let triples = [(0, 1, 1.5), (0, 1, 0.5), (0, 3, 4.0), (2, 2, 7.0), (3, 0, 8.0), (2, 3, 0.0)];
    let demand = Demand::from_triples(4, &triples).unwrap();
    assert!((demand.within - 7.0).abs() < 1e-12);
    let solution = solved(&net, &triples, &TIGHT);
    assert_eq!(solution.flow, [2.0, 0.0]);
    assert_eq!((solution.assigned, solution.unassigned.flow, solution.unassigned.pairs), (2.0, 12.0, 2));
    assert_eq!(solution.unassigned.examples, [(0, 3, 4.0), (3, 0, 8.0)]);
    assert!(solution.converged && solution.paths_from(3).is_none());
}

#[test]
fn nothing_to_do_is_done() {
    let empty = solved(&Network::default(), &[], &TIGHT);
    assert!(empty.converged && empty.iterations == 0 && empty.flow.is_empty());
    let net = network(2, &[(0, 1, 1.0, 1.0, 0.0, 1.0)]);
    assert_eq!(solved(&net, &[(0, 0, 3.0)], &TIGHT).flow, [0.0]);
}

#[test]
fn free_circles_do_not_hang() {
    let mut links: Vec<_> =
        (0..6).flat_map(|i| [(i, (i + 1) % 6, 0.0, 0.0, 0.15, 4.0), ((i + 1) % 6, i, 0.0, 0.0, 0.15, 4.0)]).collect();
    links.push((0, 3, 1.0, 1.0, 0.15, 4.0));
    let solution = solved(&network(6, &links), &[(0, 3, 5.0), (2, 5, 1.0)], &TIGHT);
    assert!(solution.converged && solution.total_cost.abs() < 1e-12);
}

#[test]
fn senseless_values_are_refused_together() {
    let good = (0, 1, 1.0, 1.0, 0.15, 4.0);
    let links = [
        good,
        (0, 9, 1.0, 1.0, 0.15, 4.0),
        (0, 1, f64::NAN, 1.0, 0.15, 4.0),
        (0, 1, 1.0, 0.0, 0.15, 4.0),
        (0, 1, 1.0, 1.0, -1.0, 4.0),
        (0, 1, 1.0, 1.0, 0.15, f64::INFINITY),
        (0, 1, 1.0, 1e-300, 0.15, 4.0),
    ];
    let demand = Demand::from_triples(2, &[(0, 1, 1.0)]).unwrap();
    let refusal = |net: &Network, demand: &Demand, options: &Options| -> Vec<String> {
        match assign(net, demand, options, &mut |_| ControlFlow::Continue(())).unwrap_err() {
            urbis_core::Error::Input(problems) => problems.listed().iter().map(ToString::to_string).collect(),
            other => panic!("{other}"),
        }
    };
    let said = refusal(&network(2, &links), &demand, &TIGHT);
    for part in [
        "row 2: to = 9",
        "row 3: t0 = NaN",
        "row 4: capacity = 0",
        "row 5: b = -1",
        "row 6: power = inf",
        "row 7: capacity = ",
    ] {
        assert!(said.iter().any(|line| line.contains(part)), "{part} is missing in {said:#?}");
    }
    let net = network(2, &[good]);
    assert!(refusal(&net, &demand, &Options { gap: 0.0, ..TIGHT })[0].contains("gap"));
    assert!(refusal(&net, &demand, &Options { settle: f64::NAN, ..TIGHT })[0].contains("settle"));
    assert!(refusal(&Network { t0: vec![], ..net.clone() }, &demand, &TIGHT)[0].contains("t0 has 0 rows"));
    assert!(
        refusal(&Network { fixed_cost: vec![-2.0], ..net.clone() }, &demand, &TIGHT)[0].contains("t0 + fixed_cost")
    );
    assert!(refusal(&net, &Demand { flow: vec![-1.0], ..demand }, &TIGHT)[0].contains("demand"));
    assert!(Demand::from_triples(2, &[(0, 2, 1.0), (0, 1, f64::NAN), (0, 0, -1.0)]).is_err());
}

#[test]
fn a_listener_may_stop_it() {
    let (net, triples) = grid(6, 3);
    let demand = Demand::from_triples(net.nodes, &triples).unwrap();
    let options = Options { gap: 1e-300, max_iterations: 50, ..TIGHT };
    let stopped = assign(&net, &demand, &options, &mut |at| {
        if at.iteration == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let stopped = stopped.unwrap();
    assert!(stopped.iterations == 1 && !stopped.converged);
    check(&net, &triples, &stopped, stopped.relative_gap);
    let one =
        assign(&net, &demand, &Options { gap: 1e-300, max_iterations: 0, ..TIGHT }, &mut |_| ControlFlow::Continue(()));
    assert_eq!(one.unwrap().trace.len(), 1);
}

/// A grid with zones at its nodes, large enough for many chunks.
fn grid(side: u32, seed: u64) -> (Network, Vec<(u32, u32, f64)>) {
    let mut rng = Rng::new(seed, 2, 0, 0);
    let mut links = Vec::new();
    for at in 0..side * side {
        let (row, column) = (at / side, at % side);
        for next in [(column + 1 < side).then_some(at + 1), (row + 1 < side).then_some(at + side)].into_iter().flatten()
        {
            for (from, to) in [(at, next), (next, at)] {
                links.push((from, to, 1.0 + rng.uniform(), 20.0 + 40.0 * rng.uniform(), 0.15, 4.0));
            }
        }
    }
    let pairs = 12 * side * side;
    let triples = (0..pairs).map(|_| (rng.below(side * side), rng.below(side * side), rng.uniform())).collect();
    (network((side * side) as usize, &links), triples)
}

#[test]
fn equal_bits_on_any_number_of_threads() {
    let (net, triples) = grid(12, 4);
    let demand = Demand::from_triples(net.nodes, &triples).unwrap();
    let on = |threads: usize| -> Vec<u64> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = Options { gap: 1e-9, ..TIGHT };
        let solution = pool.install(|| assign(&net, &demand, &options, &mut |_| ControlFlow::Continue(()))).unwrap();
        assert!(solution.converged);
        let trace = solution.trace.iter().flat_map(|at| [at.relative_gap, at.beckmann]);
        solution.flow.iter().chain(&solution.cost).copied().chain(trace).map(f64::to_bits).collect()
    };
    let one = on(1);
    for threads in [2, 3, 8, 16] {
        assert!(on(threads) == one, "{threads} threads give other bits than one");
    }
}

#[test]
fn a_congested_grid_is_in_equilibrium() {
    let (net, triples) = grid(9, 7);
    let solution = solved(&net, &triples, &TIGHT);
    assert!(solution.converged, "gap {}", solution.relative_gap);
    check(&net, &triples, &solution, 1e-12);
}

#[test]
fn a_better_way_may_need_a_second_look() {
    // The first tree goes 0 -> 1 -> 3; the better way 0 -> 2 -> 3 -> 1 needs 1 -> 3 out of the bush first,
    // and until then no flow moves.
    let links = [
        (0, 1, 2.0, 1.0, 1.0, 2.0),
        (1, 3, 3.0, 10.0, 0.5, 2.0),
        (0, 2, 3.0, 10.0, 0.0, 1.0),
        (2, 3, 8.0, 10.0, 0.3, 2.0),
        (3, 1, 0.0, 1.0, 0.0, 1.0),
    ];
    let (net, triples) = (network(4, &links), [(0, 1, 14.0), (0, 2, 2.0)]);
    let solution = solved(&net, &triples, &TIGHT);
    assert!(solution.converged && solution.flow[4] > 1.0, "{:?}", solution.flow);
    check(&net, &triples, &solution, 1e-12);
}

#[test]
fn flows_settle_where_the_gap_alone_would_stop() {
    let (net, triples) = grid(10, 11);
    let exact = solved(&net, &triples, &Options { gap: 1e-14, ..TIGHT });
    let off = |options: Options| {
        let solution = solved(&net, &triples, &options);
        assert!(solution.converged && solution.settled == (solution.trace.last().unwrap().change <= options.settle));
        let mean = exact.flow.iter().sum::<f64>() / exact.flow.len() as f64;
        let pairs = solution.flow.iter().zip(&exact.flow);
        pairs.map(|(flow, exact)| (flow - exact).abs() / exact.max(1e-3 * mean)).fold(0.0, f64::max)
    };
    let (by_gap, by_both) = (off(Options { gap: 1e-4, ..TIGHT }), off(Options { gap: 1e-4, settle: 1e-5, ..TIGHT }));
    assert!(by_both < 1e-3 && by_both < by_gap, "{by_both} {by_gap}");
}
