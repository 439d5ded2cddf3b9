//! Public points: cars come, queue for a free one in the order in which they came, are charged at once and leave when full.
//!
//! Points give what they can, whatever cars take at home. With Poisson arrivals and exponential needs a site is the M/M/c queue
//! of Erlang. Law: as of all chargers. Ignored: points of different power at a site, cars that take less than a point gives,
//! drivers who see the queue and go elsewhere, cars that stay at a point when full.
//!
//! Contract: a site is served in order of arrival and number, by its own stays alone.

use super::charger::Stay;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use urbis_core::BuildingIx;

/// Public points as settings say them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicSettings {
    /// Building whose supply they share, in place of chargers of its own.
    pub building: String,
    /// How many.
    pub points: u32,
    /// Power of each at the meter, watts.
    pub power_w: f64,
}

/// A site of public points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PublicSite {
    /// Where.
    pub building: BuildingIx,
    /// Power of a point, watts.
    pub power_w: f64,
    /// Points.
    pub points: u32,
}

/// What came of cars at public points since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Queueing {
    /// Cars that got a point.
    pub served: u64,
    /// Those that left without.
    pub left_without: u64,
    /// Time that cars waited, those that left without among them, seconds.
    pub waited_s: f64,
}

/// Time in order, for the heap of points.
#[derive(Clone, Copy, PartialEq)]
struct FreeAt(f64);
impl Eq for FreeAt {}
impl PartialOrd for FreeAt {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for FreeAt {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PublicSite {
    /// Serves the stays at a site, in order of arrival, from `from_s` to `to_s` (Unix seconds).
    pub(super) fn serve(
        &self,
        stays: &mut [Stay],
        (from_s, to_s): (i64, i64),
        efficiency: f64,
        is_supplied: bool,
        queueing: &mut Queueing,
    ) {
        let (from, to) = (from_s as f64, to_s as f64);
        let mut free: BinaryHeap<Reverse<FreeAt>> = BinaryHeap::with_capacity(self.points as usize);
        let has_begun = stays.iter().filter(|stay| stay.point_since_s.is_some()).count();
        free.extend((has_begun..self.points as usize).map(|_| Reverse(FreeAt(from))));
        // Those at a point came before all who wait.
        for stay in stays {
            let departure = stay.session.departure_s as f64;
            let begin = match stay.point_since_s {
                Some(_) => from,
                None => {
                    let Some(Reverse(FreeAt(free_at))) = free.peek().copied() else { break };
                    let begin = free_at.max(stay.session.arrival_s as f64);
                    if begin >= departure.min(to) || !is_supplied {
                        continue;
                    }
                    free.pop();
                    stay.point_since_s = Some(begin);
                    queueing.served += 1;
                    queueing.waited_s += begin - stay.session.arrival_s as f64;
                    begin
                }
            };
            let into_car_w = self.power_w * efficiency;
            let full_at = if is_supplied { begin + stay.left_j / into_car_w } else { f64::INFINITY };
            let end = full_at.min(departure).min(to);
            if full_at <= end {
                (stay.step_j, stay.is_done) = (stay.left_j, true);
            } else if is_supplied {
                stay.step_j = into_car_w * (end - begin).max(0.0);
            }
            if end < to {
                free.push(Reverse(FreeAt(end)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::charger::{Chargers, Session};
    use super::super::settings::ChargerSettings;
    use super::super::tariff::Prices;
    use super::*;
    use urbis_core::rng::Rng;

    fn site(points: u32) -> Chargers {
        let mut chargers = Chargers::new(vec![0]);
        chargers.make_public(PublicSite { building: BuildingIx(0), power_w: 10_000.0, points });
        chargers
    }
    fn run(chargers: &mut Chargers, steps: i64) -> Vec<f64> {
        let settings = ChargerSettings { efficiency: 0.9, ..ChargerSettings::default() };
        let step = |nth: i64| {
            let prices = Prices { per_kwh: &[], hour_end_s: 3600, step_s: (nth * 900, nth * 900 + 900) };
            chargers.step(&settings, &prices, 0.0, &[]);
            chargers.charging_w[0]
        };
        (0..steps).map(step).collect()
    }

    #[test]
    fn cars_queue_in_order_and_leave_when_full() {
        let mut chargers = site(1);
        // 2.25 kWh each: 2.5 kWh at the meter, 15 minutes. The third leaves before its turn.
        let car = |arrival_s, departure_s| Session { arrival_s, departure_s, wanted_j: 8.1e6, power_max_w: 50_000.0 };
        for session in [car(300, 9000), car(600, 9000), car(700, 2000), car(800, 9000)] {
            chargers.plug_in(BuildingIx(0), session);
        }
        let found = run(&mut chargers, 5);
        // From 300 to 1200, on to 2100, on to 3000.
        let expected = [10_000.0 * 600.0 / 900.0, 10_000.0, 10_000.0, 10_000.0 * 300.0 / 900.0, 0.0];
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{found:?}");
        let Queueing { served, left_without, waited_s } = chargers.queueing;
        assert_eq!((served, left_without), (3, 1));
        assert!((waited_s - (600.0 + 1300.0 + 1300.0)).abs() < 1e-6, "{waited_s}");
        let energy = chargers.energy;
        assert!((energy.unserved_j - 8.1e6).abs() < 1e-3 && (energy.wanted_j - 4.0 * 8.1e6).abs() < 1e-3);
        assert!((energy.wanted_j - energy.delivered_j - energy.unserved_j).abs() < 1e-3);
        assert!(chargers.active().is_empty());
    }

    #[test]
    fn waits_are_those_of_erlang() {
        let (points, mean_s, between_s) = (3, 1800.0, 800.0);
        let offered = mean_s / between_s;
        let erlang_b = (1..=points).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b));
        let load = offered / f64::from(points);
        let expected_s = erlang_b / (1.0 - load * (1.0 - erlang_b)) * mean_s / (f64::from(points) * (1.0 - load));
        let mut chargers = site(points);
        let mut rng = Rng::new(7, 0, 0, 1);
        let mut exponential = |mean: f64| -mean * (1.0 - rng.uniform()).ln();
        let (mut at_s, cars) = (0.0, 150_000_u32);
        for _ in 0..cars {
            at_s += exponential(between_s);
            let (arrival_s, wanted_j) = (at_s as i64, exponential(mean_s) * 9000.0);
            let session = Session { arrival_s, departure_s: i64::MAX, wanted_j, power_max_w: 50_000.0 };
            chargers.plug_in(BuildingIx(0), session);
        }
        run(&mut chargers, at_s as i64 / 900 + 100);
        let mean_wait_s = chargers.queueing.waited_s / f64::from(cars);
        assert_eq!(chargers.queueing.served, u64::from(cars));
        assert!((mean_wait_s / expected_s - 1.0).abs() < 0.05, "{mean_wait_s} s, Erlang C {expected_s} s");
    }

    #[test]
    fn nobody_is_charged_in_the_dark() {
        let mut chargers = site(1);
        let session = Session { arrival_s: 0, departure_s: 7200, wanted_j: 8.1e6, power_max_w: 50_000.0 };
        chargers.plug_in(BuildingIx(0), session);
        let settings = ChargerSettings { efficiency: 0.9, ..ChargerSettings::default() };
        for (nth, is_on) in [(0, true), (1, false), (2, true)] {
            let prices = Prices { per_kwh: &[], hour_end_s: 3600, step_s: (nth * 600, nth * 600 + 600) };
            chargers.step(&settings, &prices, 0.0, &[is_on]);
        }
        assert!((chargers.energy.delivered_j - 8.1e6).abs() < 1e-3, "ten minutes and, after ten dark ones, five");
        assert!((chargers.charging_w[0] - 5000.0).abs() < 1e-6);
    }
}
