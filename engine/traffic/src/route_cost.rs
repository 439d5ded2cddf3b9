//! Generalised cost of links: time, distance and toll on one scale.
//!
//! `cost = time * factor * value_of_time + length * distance_cost + toll * toll_share`, in money. For the router it
//! becomes a whole number of units. A unit is what a millisecond is worth, so that costs read as equivalent
//! milliseconds, unless half of the links would then cost more than `MEDIAN_UNITS`; it grows until they do not,
//! and without a value of time the median link costs just that. `factor` is [`CarNetwork::route_factor`], what
//! drivers think of a link.
//!
//! Ignored: tolls that depend on the whole route or on the time of day (give each bin its own), non-linear values
//! of time.
//! Contract: pure functions of their input.

use crate::network::CarNetwork;
use crate::route::{CLOSED, LINK_COST_MAX};
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// Cost of the median link at most, units: far from [`LINK_COST_MAX`] and from the limit of routes, finer than any
/// measurement.
const MEDIAN_UNITS: f64 = 1e6;

/// What a class of travellers pays attention to. Money is in any one currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RouteCost {
    /// Money an hour is worth, >= 0.
    pub value_of_time_per_h: f64,
    /// Money a kilometre costs: fuel, wear, >= 0.
    pub distance_cost_per_km: f64,
    /// Share of the tolls that this class pays, e.g. 2.5 for trucks, 0 for exempt vehicles, >= 0.
    pub toll_share: f64,
    /// Whether the route factor of a link (what drivers think of its class) multiplies its time.
    pub uses_route_factor: bool,
}

impl RouteCost {
    /// Time alone, as drivers see it.
    pub const TIME: Self =
        Self { value_of_time_per_h: 1.0, distance_cost_per_km: 0.0, toll_share: 0.0, uses_route_factor: true };
    /// Distance alone.
    pub const DISTANCE: Self =
        Self { value_of_time_per_h: 0.0, distance_cost_per_km: 1.0, toll_share: 0.0, uses_route_factor: false };

    /// Costs of the links of a network for given travel times (milliseconds) and tolls (money; empty means none).
    /// A travel time of [`CLOSED`] closes a link.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming each setting, time column and toll that is negative, not finite or of the
    /// wrong length.
    pub fn link_costs(&self, network: &CarNetwork, travel_time_ms: &[u32], toll: &[f64]) -> Result<LinkCosts> {
        let place = Path::new("route cost");
        let mut problems = Problems::new();
        for (name, value) in [
            ("value_of_time_per_h", self.value_of_time_per_h),
            ("distance_cost_per_km", self.distance_cost_per_km),
            ("toll_share", self.toll_share),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                problems.push(Problem::file(place, format!("{name} = {value}, expected >= 0 and finite")));
            }
        }
        let links = network.links();
        if travel_time_ms.len() != links {
            let found = travel_time_ms.len();
            problems
                .push(Problem::file(place, format!("{found} travel times, expected one for each of {links} links")));
        }
        if !toll.is_empty() && toll.len() != links {
            let found = toll.len();
            problems.push(
                Problem::file(place, format!("{found} tolls, expected none or one for each of {links} links"))
                    .with_help("give links without toll a toll of 0"),
            );
        }
        for (row, &value) in toll.iter().enumerate() {
            if !(value.is_finite() && value >= 0.0) {
                problems.push(Problem::value(place, row + 1, None, "toll", value, ">= 0 and finite"));
            }
        }
        if !problems.is_empty() {
            return problems.or_else(LinkCosts::default());
        }
        let per_ms = self.value_of_time_per_h / 3_600_000.0;
        let money = |link: usize| {
            let factor = if self.uses_route_factor { network.route_factor[link] } else { 1.0 };
            f64::from(travel_time_ms[link]) * factor * per_ms
                + network.length_m[link] / 1000.0 * self.distance_cost_per_km
                + toll.get(link).map_or(0.0, |toll| toll * self.toll_share)
        };
        let open = || (0..links).filter(|&link| travel_time_ms[link] != CLOSED);
        let mut positive: Vec<f64> = open().map(money).filter(|&of| of > 0.0).collect();
        let middle = positive.len() / 2;
        let median = if positive.is_empty() { 0.0 } else { *positive.select_nth_unstable_by(middle, f64::total_cmp).1 };
        let money_per_unit = match per_ms.max(median / MEDIAN_UNITS) {
            unit if unit > 0.0 => unit,
            _ => 1.0,
        };
        let mut costs = LinkCosts { units: vec![CLOSED; links], money_per_unit, ..LinkCosts::default() };
        for link in open() {
            let units = (money(link) / money_per_unit).round();
            costs.at_limit += u32::from(units > f64::from(LINK_COST_MAX));
            costs.units[link] = (units as u32).clamp(1, LINK_COST_MAX);
        }
        costs.units_per_ms = per_ms / money_per_unit;
        Ok(costs)
    }
}

/// Costs of links as the router takes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkCosts {
    /// Cost of each link, 1 to [`LINK_COST_MAX`], or [`CLOSED`].
    pub units: Vec<u32>,
    /// Money a unit is worth.
    pub money_per_unit: f64,
    /// Units a millisecond of waiting for a turn costs.
    pub units_per_ms: f64,
    /// Links that would cost more than [`LINK_COST_MAX`] and were lowered to it.
    pub at_limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkColumns;
    use crate::route::Router;
    use crate::synthetic::{LinkKind, add_link};

    /// Two ways from 0 to 2: a short slow one over 1 and a long fast one with a toll over 3.
    fn two_ways() -> CarNetwork {
        let mut columns = NetworkColumns { x_m: vec![0.0; 4], y_m: vec![0.0; 4], ..NetworkColumns::default() };
        for (from, to, length_m, speed) in
            [(0, 1, 3000.0, 10.0), (1, 2, 3000.0, 10.0), (0, 3, 5000.0, 25.0), (3, 2, 5000.0, 25.0)]
        {
            add_link(&mut columns, from, to, LinkKind { length_m, speed_mps_free: speed, ..LinkKind::STREET });
        }
        CarNetwork::from_columns(columns).unwrap()
    }

    /// By hand: slow 600 s and 6 km, fast 400 s, 10 km and a toll of 2. At v per hour and d per km the fast one is
    /// better when 200 / 3600 v > 4 d + 2.
    #[test]
    fn the_choice_turns_where_the_closed_form_says() {
        let network = two_ways();
        let router = Router::new(&network);
        let toll = [0.0, 0.0, 0.0, 2.0];
        for distance in [0.0, 0.1, 0.5] {
            let turns_at = (4.0 * distance + 2.0) * 18.0;
            for (share, fast) in [(0.98, false), (1.02, true)] {
                let cost = RouteCost {
                    value_of_time_per_h: turns_at * share,
                    distance_cost_per_km: distance,
                    toll_share: 1.0,
                    uses_route_factor: true,
                };
                let costs = cost.link_costs(&network, &network.free_time_ms(), &toll).unwrap();
                let batch = router.route_batch_under(&router.metric(&costs.units), &[(0, 2)]);
                let (links, units) = batch.route(0).unwrap();
                assert_eq!(links[0].0, if fast { 2 } else { 0 }, "{distance} {share}");
                let (hours, km, paid) = if fast { (400.0, 10.0, 2.0) } else { (600.0, 6.0, 0.0) };
                let money = hours / 3600.0 * cost.value_of_time_per_h + km * distance + paid;
                assert!((f64::from(units) * costs.money_per_unit / money - 1.0).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn distance_alone_finds_the_shortest_and_exempt_vehicles_pay_nothing() {
        let network = two_ways();
        let router = Router::new(&network);
        let first = |cost: RouteCost, toll: &[f64]| {
            let costs = cost.link_costs(&network, &network.free_time_ms(), toll).unwrap();
            router.route_batch_under(&router.metric(&costs.units), &[(0, 2)]).route(0).unwrap().0[0].0
        };
        assert_eq!(first(RouteCost::DISTANCE, &[]), 0);
        assert_eq!(first(RouteCost::TIME, &[0.0, 0.0, 0.0, 1e9]), 2);
        assert_eq!(first(RouteCost { toll_share: 1.0, ..RouteCost::TIME }, &[0.0, 0.0, 0.0, 1e9]), 0);
        let costs = RouteCost { toll_share: 1.0, ..RouteCost::TIME }
            .link_costs(&network, &[1, CLOSED, 1, 1], &[0.0, 0.0, 0.0, 1e9])
            .unwrap();
        assert_eq!((costs.at_limit, costs.units[1], costs.units[3]), (1, CLOSED, LINK_COST_MAX));
    }

    #[test]
    fn a_tiny_value_of_time_does_not_lift_every_link_to_the_limit() {
        let network = two_ways();
        let cost = RouteCost { value_of_time_per_h: 1e-12, ..RouteCost::DISTANCE };
        let costs = cost.link_costs(&network, &network.free_time_ms(), &[]).unwrap();
        assert_eq!((costs.at_limit, &costs.units[..]), (0, &[600_000, 600_000, 1_000_000, 1_000_000][..]));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let network = two_ways();
        let wrong = RouteCost { value_of_time_per_h: f64::NAN, distance_cost_per_km: -1.0, ..RouteCost::TIME };
        let error = wrong.link_costs(&network, &[1; 3], &[0.0, f64::INFINITY, 0.0, -2.0]).unwrap_err();
        let urbis_core::Error::Input(problems) = error else { panic!("{error}") };
        assert_eq!(problems.len(), 5);
    }
}
