//! Price of electricity by the local hour of a day, and what a step knows of prices to come.
//!
//! Contract: pure functions. Prices are in any one currency for each kWh; the horizon begins with the hour in which a
//! step begins and goes hour by hour. Ignored: feed-in prices of their own, hours that do not begin on a full hour of UTC.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Hours of a time-of-use tariff.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TariffWindow {
    /// First local hour, 0 to 23.
    pub from_hour: u32,
    /// Hour at which it ends, 1 to 24; not above `from_hour`: over midnight.
    pub to_hour: u32,
    /// Price, currency per kWh.
    pub per_kwh: f64,
}

/// Price of electricity: 24 hours, or windows and a price for the rest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TariffSettings {
    /// Price outside windows, currency per kWh.
    pub per_kwh: f64,
    /// Price of each local hour, currency per kWh: 24 values or none.
    pub hourly_per_kwh: Vec<f64>,
    /// Windows; the first that holds an hour counts.
    pub windows: Vec<TariffWindow>,
}

impl TariffSettings {
    /// Price of a local hour (of any day, counted on), currency per kWh.
    #[must_use]
    pub fn price_per_kwh(&self, hour: u32) -> f64 {
        let hour = hour % 24;
        if let Some(&price) = self.hourly_per_kwh.get(hour as usize) {
            return price;
        }
        let holds = |window: &&TariffWindow| match window.from_hour < window.to_hour {
            true => (window.from_hour..window.to_hour).contains(&hour),
            false => hour >= window.from_hour || hour < window.to_hour,
        };
        self.windows.iter().find(holds).map_or(self.per_kwh, |window| window.per_kwh)
    }
    /// Writes the prices of the hours that follow a local second of the day, the one it lies in first.
    pub fn horizon(&self, second_of_day: u32, price_per_kwh: &mut [f64]) {
        for (hour, price) in (second_of_day / 3600..).zip(price_per_kwh) {
            *price = self.price_per_kwh(hour);
        }
    }
}

/// What a step knows of prices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices<'a> {
    /// By hour, the running one first; none: no prices.
    pub per_kwh: &'a [f64],
    /// When the running hour ends, Unix seconds.
    pub hour_end_s: i64,
    /// Start and end of the step, Unix seconds.
    pub step_s: (i64, i64),
}

impl Prices<'_> {
    /// Of the running hour, currency per kWh.
    #[must_use]
    pub fn now(&self) -> Option<f64> {
        self.per_kwh.first().copied()
    }
    /// Mean of the horizon, currency per kWh; 0 of none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.per_kwh.iter().sum::<f64>() / self.per_kwh.len().max(1) as f64
    }
    /// Seconds after this step and before `until_s` that are cheaper than now. Hours of the same price come in their
    /// order; those beyond the horizon are taken to cost its mean.
    #[must_use]
    pub fn cheaper_s(&self, until_s: i64) -> f64 {
        self.now().map_or(0.0, |now| self.later_s(until_s, |price| price < now))
    }
    /// The same of those that are cheaper than a price, the rest of the running hour among them.
    #[must_use]
    pub fn cheaper_than_s(&self, per_kwh: f64, until_s: i64) -> f64 {
        self.later_s(until_s, |price| price < per_kwh)
    }
    /// The same of those that are dearer than now.
    #[must_use]
    pub fn dearer_s(&self, until_s: i64) -> f64 {
        self.now().map_or(0.0, |now| self.later_s(until_s, |price| price > now))
    }
    /// Seconds after this step and before `until_s` in hours with such a price.
    fn later_s(&self, until_s: i64, is_so: impl Fn(f64) -> bool) -> f64 {
        let mut from_s = self.hour_end_s - 3600;
        let mut later_s = 0;
        for &price in self.per_kwh {
            if is_so(price) {
                later_s += (until_s.min(from_s + 3600) - from_s.max(self.step_s.1)).max(0);
            }
            from_s += 3600;
        }
        if is_so(self.mean()) {
            later_s += (until_s - from_s.max(self.step_s.1)).max(0);
        }
        later_s as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_hours_are_read_round_the_clock() {
        let night = TariffWindow { from_hour: 22, to_hour: 6, per_kwh: 0.1 };
        let noon = TariffWindow { from_hour: 12, to_hour: 14, per_kwh: 0.15 };
        let mut tariff = TariffSettings { per_kwh: 0.3, windows: vec![night, noon], ..TariffSettings::default() };
        let mut prices = [0.0; 6];
        tariff.horizon(21 * 3600 + 1800, &mut prices);
        assert_eq!(prices.map(|price| (price * 100.0) as u32), [30, 10, 10, 10, 10, 10]);
        assert_eq!(
            [5, 6, 11, 12, 13, 14].map(|hour| (tariff.price_per_kwh(hour) * 100.0) as u32),
            [10, 30, 30, 15, 15, 30]
        );
        tariff.windows.clear();
        tariff.hourly_per_kwh = (0..24).map(f64::from).collect();
        tariff.horizon(86_399, &mut prices);
        assert_eq!(prices.map(|price| price as u32), [23, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn cheaper_hours_are_counted_to_the_second() {
        // 00:30 to 00:45; hours 0 to 3, then unknown.
        let prices = Prices { per_kwh: &[3.0, 1.0, 3.0, 4.0], hour_end_s: 3600, step_s: (1800, 2700) };
        assert!((prices.cheaper_s(3600) - 0.0).abs() < 1e-12);
        assert!((prices.cheaper_s(5400) - 1800.0).abs() < 1e-12);
        assert!((prices.cheaper_s(14_400) - 3600.0).abs() < 1e-12);
        // The mean of the horizon is 2.75.
        assert!((prices.cheaper_s(15_000) - 4200.0).abs() < 1e-12);
    }
}
