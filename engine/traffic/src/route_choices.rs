//! A few different good routes for each query, with path sizes, for route choice models such as logit.
//!
//! Penalty method (de la Barra, Perez and Anez 1993): the cheapest route is found, its links are made dearer by a
//! factor, the next one is found, and so on; routes that came before or are too dear without penalties are left out.
//! Since penalties only raise costs, distances of the hierarchy without them are lower bounds, and each search is A*
//! (`time_dependent`). The path size of a route is that of Ben-Akiva and Bierlaire (1999): the mean over its cost
//! of one over the number of routes of the set that use a link. It is 1 for a route that shares nothing.
//!
//! Ignored: correlation other than by shared links; the routes are not all good routes.
//! Contract: depends on costs and query alone, not on the batch nor on threads.

use crate::cch_metric::LIMIT;
use crate::route::{CLOSED, LINK_COST_MAX, Router};
use crate::time_dependent::Directed;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::{CarLinkIx, Problem, Problems, Result, chunks};

/// Queries of one piece of parallel work.
const CHUNK_QUERIES: usize = 16;

/// How route sets are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RouteChoices {
    /// Routes of a set at most, >= 1.
    pub routes: u32,
    /// What multiplies the cost of a link each time a route uses it, > 1.
    pub penalty: f64,
    /// Cost of a route at most, against the cheapest, >= 1.
    pub detour: f64,
    /// Searches for a set at most.
    pub searches: u32,
}

impl Default for RouteChoices {
    fn default() -> Self {
        Self { routes: 4, penalty: 1.2, detour: 1.5, searches: 12 }
    }
}

/// A route of a set.
#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceRoute {
    /// Its links in order.
    pub links: Vec<CarLinkIx>,
    /// Its cost without penalties.
    pub cost: u32,
    /// Its path size, above 0 to 1.
    pub path_size: f64,
}

impl Router {
    /// Routes for each pair of car nodes under a cost for each link (as in [`Router::metric`]), the cheapest first,
    /// then in the order they were found; empty when there is no way or nowhere to go.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming each setting out of range and costs of the wrong length.
    pub fn route_choices(
        &self,
        settings: RouteChoices,
        costs: &[u32],
        queries: &[(u32, u32)],
    ) -> Result<Vec<Vec<ChoiceRoute>>> {
        let place = Path::new("route choices");
        let mut problems = Problems::new();
        let ranges = [
            ("routes", f64::from(settings.routes), settings.routes >= 1, ">= 1"),
            ("penalty", settings.penalty, settings.penalty > 1.0 && settings.penalty.is_finite(), "> 1 and finite"),
            ("detour", settings.detour, settings.detour >= 1.0, ">= 1"),
        ];
        for (name, value, _, expected) in ranges.into_iter().filter(|range| !range.2) {
            problems.push(Problem::file(place, format!("{name} = {value}, expected {expected}")));
        }
        if costs.len() != self.links() {
            let expected = self.links();
            problems.push(Problem::file(
                place,
                format!("{} costs, expected one for each of {expected} links", costs.len()),
            ));
        }
        if !problems.is_empty() {
            return problems.or_else(Vec::new());
        }
        let bounded = |&cost: &u32| if cost == CLOSED { CLOSED } else { cost.clamp(1, LINK_COST_MAX) };
        let costs: Vec<u32> = costs.iter().map(bounded).collect();
        let bounds = self.metric(&costs);
        let parts = chunks::map_chunks(queries.len(), CHUNK_QUERIES, |range| {
            let mut search = Directed::new(&self.cch, &self.expansion, &bounds.metric);
            let set = |&(from, to): &(u32, u32)| self.choices_of(settings, &costs, &mut search, from, to);
            queries[range].iter().map(set).collect::<Vec<_>>()
        });
        Ok(parts.into_iter().flatten().collect())
    }

    fn choices_of(
        &self,
        settings: RouteChoices,
        costs: &[u32],
        search: &mut Directed<'_>,
        from: u32,
        to: u32,
    ) -> Vec<ChoiceRoute> {
        let mut used: BTreeMap<u32, u32> = BTreeMap::new();
        let mut set: Vec<ChoiceRoute> = Vec::new();
        for _ in 0..settings.searches.max(1) {
            if from == to || set.len() == settings.routes as usize {
                break;
            }
            let found = search.run(from, to, |weight, link, _| {
                let own = costs[link as usize];
                if own == CLOSED {
                    return CLOSED;
                }
                let times = used.get(&link).copied().unwrap_or(0).min(1000) as i32;
                let dearer = (f64::from(own) * settings.penalty.powi(times)).round().min(f64::from(LINK_COST_MAX));
                (dearer as u32).max(own).saturating_add(self.expansion.delay_ms(weight)).min(LIMIT)
            });
            if found.is_none() {
                break;
            }
            let mut links = Vec::new();
            search.path(&mut links);
            let cost = self.cost_of(costs, &links);
            let dearest = set.first().map_or(f64::INFINITY, |best| f64::from(best.cost) * settings.detour);
            links.iter().for_each(|link| *used.entry(link.0).or_default() += 1);
            if f64::from(cost) <= dearest && set.iter().all(|other| other.links != links) {
                set.push(ChoiceRoute { links, cost, path_size: 1.0 });
            }
        }
        let mut shared: BTreeMap<CarLinkIx, f64> = BTreeMap::new();
        for route in &set {
            // A link that a route passes twice is still one route's.
            let mut links = route.links.clone();
            links.sort_unstable();
            links.dedup();
            links.into_iter().for_each(|link| *shared.entry(link).or_default() += 1.0);
        }
        for route in &mut set {
            let cost = |link: &CarLinkIx| f64::from(costs[link.row()]);
            let own: f64 = route.links.iter().map(|link| cost(link) / shared[link]).sum();
            route.path_size = own / route.links.iter().map(cost).sum::<f64>();
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{CarNetwork, NetworkColumns};
    use crate::synthetic::{LinkKind, add_link, random_network};
    use urbis_core::rng::Rng;

    /// A shared first link, then three ways of 100, 110 and 190.
    #[test]
    fn path_sizes_are_those_of_the_closed_form() {
        let mut columns = NetworkColumns { x_m: vec![0.0; 6], y_m: vec![0.0; 6], ..NetworkColumns::default() };
        let pairs = [(0, 1), (1, 2), (1, 3), (3, 2), (1, 4), (4, 2)];
        pairs.iter().for_each(|&(from, to)| {
            add_link(&mut columns, from, to, LinkKind::STREET);
        });
        let router = Router::new(&CarNetwork::from_columns(columns).unwrap());
        let costs = [50_000, 100_000, 60_000, 50_000, 100_000, 90_000];
        let sets = router.route_choices(RouteChoices::default(), &costs, &[(0, 2), (2, 0), (1, 1), (0, 5)]).unwrap();
        let of: Vec<(u32, f64)> = sets[0].iter().map(|route| (route.cost, route.path_size)).collect();
        assert_eq!(of.iter().map(|of| of.0).collect::<Vec<_>>(), [150_000, 160_000], "{of:?}");
        // The shared third counts half: (50 / 2 + 100) / 150 and (50 / 2 + 110) / 160.
        assert!((of[0].1 - 125.0 / 150.0).abs() < 1e-12 && (of[1].1 - 135.0 / 160.0).abs() < 1e-12);
        assert!(sets[1..].iter().all(Vec::is_empty));
        let wide = RouteChoices { detour: 2.0, ..RouteChoices::default() };
        assert_eq!(router.route_choices(wide, &costs, &[(0, 2)]).unwrap()[0].len(), 3);
        let wrong = RouteChoices { routes: 0, penalty: 1.0, detour: f64::NAN, searches: 0 };
        let urbis_core::Error::Input(problems) = router.route_choices(wrong, &[1], &[]).unwrap_err() else { panic!() };
        assert_eq!(problems.len(), 4);
    }

    #[test]
    fn sets_hold_the_cheapest_and_routes_that_may_be_driven() {
        for seed in 0..6 {
            let network = random_network(60 + 20 * seed, 80, u64::from(seed)).unwrap();
            let router = Router::new(&network);
            let mut rng = Rng::new(2, seed, 0, 0);
            let costs: Vec<u32> = (0..network.links()).map(|_| 1 + rng.below(9000)).collect();
            let pairs: Vec<(u32, u32)> = (0..50)
                .map(|_| (rng.below(network.nodes() as u32), rng.below(network.nodes() as u32)))
                .filter(|(from, to)| from != to)
                .collect();
            let best = router.cost_batch_under(&router.metric(&costs), &pairs);
            let on = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| router.route_choices(RouteChoices::default(), &costs, &pairs).unwrap())
            };
            let sets = on(1);
            assert!([2, 3, 8, 16].into_iter().all(|threads| on(threads) == sets));
            assert!(sets.iter().any(|set| set.len() > 2));
            for ((set, best), &(from, to)) in sets.iter().zip(best).zip(&pairs) {
                assert_eq!(set.first().map(|route| route.cost), best);
                for route in set {
                    let ends =
                        (network.from[route.links[0].row()], network.to[route.links[route.links.len() - 1].row()]);
                    assert_eq!(ends, (from, to));
                    let joined = |pair: &[CarLinkIx]| network.to[pair[0].row()] == network.from[pair[1].row()];
                    assert!(
                        route
                            .links
                            .windows(2)
                            .all(|pair| joined(pair) && network.banned.binary_search(&(pair[0], pair[1])).is_err())
                    );
                    assert!(route.path_size > 0.0 && route.path_size <= 1.0 + 1e-12);
                    assert!(f64::from(route.cost) <= 1.5 * f64::from(set[0].cost));
                }
            }
        }
    }
}
