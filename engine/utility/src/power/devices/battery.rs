//! Batteries: energy, power, and when they are used.
//!
//! Ledger of a step: `charged = change of the store + losses + discharged`. Losses are those of charging, of discharging
//! and of standing.
//!
//! By price the schedule is the exact optimum of a battery that buys and sells at the prices of the horizon, without
//! standing losses, what is left at its end being worth nothing. With the stored share `s` and a price `p`, the value of
//! what is stored is concave, so it is kept as pieces of falling slope; an hour adds to them what it may take, a piece of
//! slope `p / charge_share`, and what it may give, one of slope `p discharge_share`, in order of slope (a sup-convolution),
//! and the domain is cut back to `0..1`. Charging pays up to where the slope after this step falls to the first, giving
//! down to where it rises to the second. All batteries have one ratio of energy to power, so one plan serves all.
//! At prices below zero it never gives. Where it must not feed the grid (`can_export`) it gives no more than the building
//! is short of: the levels are then those of a battery with a market, and the schedule is no longer the best one.
//!
//! Ignored: ageing, temperature, efficiency by power. Contract: a pure function of store, plan and wish.

use super::settings::BatterySettings;
use super::tariff::Prices;

/// A battery; of no size where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Battery {
    /// Energy it holds when full, joules.
    pub capacity_j: f64,
    /// Energy in it, joules.
    pub stored_j: f64,
}

/// What all batteries have in common in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatteryRates {
    /// Length of the step, seconds.
    pub step_s: f64,
    /// Power at the meter over capacity, 1/s.
    pub power_per_s: f64,
    /// Stored of what is charged, share.
    pub charge_share: f64,
    /// Given of what is taken from the store, share.
    pub discharge_share: f64,
    /// Kept of what is stored through a step, share.
    pub kept_share: f64,
}

/// What a battery did in a step; energies at the meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BatteryFlow {
    /// Power taken, watts.
    pub charge_w: f64,
    /// Power given, watts.
    pub discharge_w: f64,
    /// Lost in the step, joules.
    pub losses_j: f64,
}

impl BatteryRates {
    /// Of settings and a step.
    #[must_use]
    pub fn new(settings: &BatterySettings, step_s: f64) -> Self {
        Self {
            step_s,
            power_per_s: 1.0 / (settings.hours * 3600.0),
            charge_share: settings.charge_share,
            discharge_share: settings.discharge_share,
            kept_share: (1.0 - settings.self_discharge_per_day).powf(step_s / 86_400.0),
        }
    }
}

impl Battery {
    /// Takes (positive) or gives (negative) as much of a wish as it can, watts at the meter.
    pub fn step(&mut self, rates: &BatteryRates, wish_w: f64) -> BatteryFlow {
        if self.capacity_j <= 0.0 {
            return BatteryFlow::default();
        }
        let kept_j = self.stored_j * rates.kept_share;
        let stood_j = self.stored_j - kept_j;
        let wish_j = wish_w.abs().min(self.capacity_j * rates.power_per_s) * rates.step_s;
        if wish_w > 0.0 {
            let taken_j = wish_j.min((self.capacity_j - kept_j).max(0.0) / rates.charge_share);
            self.stored_j = (kept_j + taken_j * rates.charge_share).min(self.capacity_j);
            let losses_j = stood_j + taken_j * (1.0 - rates.charge_share);
            BatteryFlow { charge_w: taken_j / rates.step_s, discharge_w: 0.0, losses_j }
        } else {
            let given_j = wish_j.min(kept_j * rates.discharge_share);
            self.stored_j = (kept_j - given_j / rates.discharge_share).max(0.0);
            let losses_j = stood_j + given_j * (1.0 / rates.discharge_share - 1.0);
            BatteryFlow { charge_w: 0.0, discharge_w: given_j / rates.step_s, losses_j }
        }
    }
    /// The wish of a battery that trades by a plan, watts at the meter.
    #[must_use]
    pub fn wish_by_price_w(&self, rates: &BatteryRates, plan: &PricePlan) -> f64 {
        let kept_j = self.stored_j * rates.kept_share;
        let below_j = plan.charge_to_share * self.capacity_j - kept_j;
        let above_j = kept_j - plan.discharge_to_share * self.capacity_j;
        match (below_j > 0.0, above_j > 0.0) {
            (true, _) => below_j / rates.charge_share / rates.step_s,
            (false, true) => -above_j * rates.discharge_share / rates.step_s,
            (false, false) => 0.0,
        }
    }
}

/// Levels that a battery is brought to in a step, by prices.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PricePlan {
    /// Below this stored share it charges.
    pub charge_to_share: f64,
    /// Above this stored share it gives.
    pub discharge_to_share: f64,
    /// Slope, currency per kWh stored, and length, share; slopes fall.
    pieces: Vec<(f64, f64)>,
}

impl PricePlan {
    /// Makes the plan of a step.
    pub fn make(&mut self, rates: &BatteryRates, prices: &Prices<'_>) {
        let Some(now) = prices.now() else {
            (self.charge_to_share, self.discharge_to_share) = (0.0, 1.0);
            return;
        };
        self.pieces.clear();
        self.pieces.push((0.0, 1.0));
        for &price in prices.per_kwh[1..].iter().rev() {
            self.hour(rates, price, 3600.0);
        }
        self.hour(rates, now, (prices.hour_end_s - prices.step_s.1).max(0) as f64);
        let length = |pays: &dyn Fn(f64) -> bool| -> f64 {
            self.pieces.iter().take_while(|piece| pays(piece.0)).map(|piece| piece.1).sum()
        };
        self.charge_to_share = length(&|slope| slope > now / rates.charge_share).clamp(0.0, 1.0);
        self.discharge_to_share = match now > 0.0 {
            true => length(&|slope| slope >= now * rates.discharge_share).clamp(self.charge_to_share, 1.0),
            false => 1.0,
        };
    }
    /// Puts an hour, or the rest of one, before those that the pieces stand for.
    fn hour(&mut self, rates: &BatteryRates, price: f64, seconds: f64) {
        let taken = rates.power_per_s * rates.charge_share * seconds;
        self.insert(price / rates.charge_share, taken);
        if price > 0.0 {
            self.insert(price * rates.discharge_share, rates.power_per_s / rates.discharge_share * seconds);
        }
        // The domain begins at `-taken`, and ends at 1.
        let (mut before, mut after) = (taken, 1.0);
        for piece in &mut self.pieces {
            let cut = piece.1.min(before);
            before -= cut;
            piece.1 = (piece.1 - cut).min(after);
            after -= piece.1;
        }
        self.pieces.retain(|piece| piece.1 > 0.0);
    }
    fn insert(&mut self, slope: f64, length: f64) {
        let at = self.pieces.partition_point(|piece| piece.0 >= slope);
        self.pieces.insert(at, (slope, length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(step_s: f64) -> BatteryRates {
        BatteryRates::new(&BatterySettings { self_discharge_per_day: 0.1, ..BatterySettings::default() }, step_s)
    }

    #[test]
    fn a_full_battery_takes_nothing_and_an_empty_one_gives_nothing() {
        let mut battery = Battery { capacity_j: 3.6e7, stored_j: 3.6e7 };
        let rates = BatteryRates::new(&BatterySettings::default(), 900.0);
        assert_eq!(battery.step(&rates, 1e5), BatteryFlow::default());
        battery.stored_j = 0.0;
        assert_eq!(battery.step(&rates, -1e5), BatteryFlow::default());
        assert_eq!(Battery::default().step(&rates, 1e5), BatteryFlow::default());
        // 10 kWh in 2 hours are 5 kW; a quarter hour of it is 1.25 kWh, of which 1.1875 are stored.
        let flow = battery.step(&rates, 1e5);
        assert!((flow.charge_w - 5000.0).abs() < 1e-9 && (battery.stored_j - 1.1875 * 3.6e6).abs() < 1e-6);
    }

    #[test]
    fn the_ledger_closes() {
        let (mut battery, rates) = (Battery { capacity_j: 5e7, stored_j: 1e7 }, rates(900.0));
        for step in 0..2000_u32 {
            let before_j = battery.stored_j;
            let flow = battery.step(&rates, f64::from(step * 7919 % 20_001) - 10_000.0);
            let change_j = battery.stored_j - before_j;
            let off_j = (flow.charge_w - flow.discharge_w) * 900.0 - change_j - flow.losses_j;
            assert!(off_j.abs() <= 1e-9 * battery.capacity_j && flow.losses_j >= 0.0, "{off_j}");
            assert!((0.0..=battery.capacity_j).contains(&battery.stored_j));
        }
    }

    /// Earnings of a schedule that keeps to the plan, hour by hour, and the power of each hour over that of the battery.
    fn run(settings: &BatterySettings, prices: &[f64]) -> (f64, Vec<f64>) {
        let rates = BatteryRates::new(settings, 3600.0);
        let (mut battery, mut plan) = (Battery { capacity_j: 1.0, stored_j: 0.0 }, PricePlan::default());
        let mut earned = 0.0;
        let powers = (0..prices.len()).map(|hour| {
            let start_s = hour as i64 * 3600;
            let known =
                Prices { per_kwh: &prices[hour..], hour_end_s: start_s + 3600, step_s: (start_s, start_s + 3600) };
            plan.make(&rates, &known);
            let flow = battery.step(&rates, battery.wish_by_price_w(&rates, &plan));
            earned += (flow.discharge_w - flow.charge_w) * 3600.0 * prices[hour];
            (flow.charge_w - flow.discharge_w) / rates.power_per_s
        });
        let powers = powers.collect();
        (earned, powers)
    }

    #[test]
    fn a_day_by_hand() {
        // Two hours to fill without losses: buy at 1 and 2, sell at 9 and 8; nothing between 5 and 4.
        let settings =
            BatterySettings { charge_share: 1.0, discharge_share: 1.0, hours: 2.0, ..BatterySettings::default() };
        let (earned, powers) = run(&settings, &[5.0, 1.0, 3.0, 2.0, 8.0, 9.0, 4.0]);
        let expected = [0.0, 1.0, 0.0, 1.0, -1.0, -1.0, 0.0];
        assert!(powers.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9), "{powers:?}");
        assert!((earned - 0.5 * (9.0 + 8.0 - 1.0 - 2.0)).abs() < 1e-9);
        // A spread of 4 to 5 does not pay at 0.8 of 0.9: 4 / 0.9 > 5 * 0.8.
        let lossy = BatterySettings { charge_share: 0.9, discharge_share: 0.8, ..settings };
        assert!(run(&lossy, &[4.0, 5.0]).1.iter().all(|power| power.abs() < 1e-12));
    }

    /// Best earnings on a grid of stored shares; what may be gained between its points is small.
    fn by_search(settings: &BatterySettings, prices: &[f64], points: usize) -> f64 {
        let rates = BatteryRates::new(settings, 3600.0);
        let up = rates.power_per_s * 3600.0 * settings.charge_share;
        let down = rates.power_per_s * 3600.0 / settings.discharge_share;
        let mut value = vec![0.0; points + 1];
        for &price in prices.iter().rev() {
            value = (0..=points)
                .map(|from| {
                    let gains = (0..=points).filter_map(|to| {
                        let change = (to as f64 - from as f64) / points as f64;
                        let trade = match change > 0.0 {
                            true => -price * change / settings.charge_share,
                            false => -price * change * settings.discharge_share,
                        };
                        (-down - 1e-12..=up + 1e-12).contains(&change).then_some(value[to] + trade)
                    });
                    gains.fold(f64::NEG_INFINITY, f64::max)
                })
                .collect();
        }
        value[0]
    }

    #[test]
    fn no_schedule_earns_more() {
        for case in 0..20_u32 {
            let mut rng = urbis_core::rng::Rng::new(3, case, 0, 0);
            let settings = BatterySettings {
                hours: 1.0 + 3.0 * rng.uniform(),
                charge_share: 0.8 + 0.2 * rng.uniform(),
                discharge_share: 0.8 + 0.2 * rng.uniform(),
                ..BatterySettings::default()
            };
            let prices: Vec<f64> = (0..24).map(|_| rng.uniform()).collect();
            let (earned, best) = (run(&settings, &prices).0, by_search(&settings, &prices, 300));
            assert!(earned >= best - 1e-9 && earned <= best * 1.05 + 1e-9, "{case}: {earned} {best}");
        }
    }
}
