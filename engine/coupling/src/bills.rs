//! What buildings pay for electricity, water, gas and heat that they got.
//!
//! After every step a building owes what it got times the price of the moment: electricity by the tariff where one holds, less
//! what is paid for what it feeds in; water at a price that policies change. It pays to the last ten-thousandth of the
//! scenario's currency that it owes. Ignored: charges that do not depend on use, taxes told apart, street lighting.
//!
//! Law, at every step: what buildings paid is what suppliers received. Sums are whole, so it holds to the last digit.

use crate::policy::payments::{money, parts};
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use urbis_city::model::{BuildingUse, City};
use urbis_core::units::JOULES_PER_KWH;
use urbis_core::{Clock, Domain};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::power::ZoneLoads;
use urbis_utility::power::devices::tariff::TariffSettings;
use urbis_utility::water::city::CityWater;
use urbis_utility::wiring::Utility;

/// Prices, as they stand in a scenario under `[bills]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BillSettings {
    /// Price of electricity where no tariff holds, money per kWh.
    pub electricity_per_kwh: f64,
    /// Paid for electricity that is fed in, money per kWh.
    pub feed_in_per_kwh: f64,
    /// Price of drinking water, money per m3.
    pub water_per_m3: f64,
    /// Price of gas, money per kWh of heat that is made of it.
    pub gas_per_kwh: f64,
    /// Price of district heat, money per kWh.
    pub heat_per_kwh: f64,
}

impl BillSettings {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
    /// Tells every price that is none, with its key.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        for (key, price) in [
            ("electricity_per_kwh", self.electricity_per_kwh),
            ("feed_in_per_kwh", self.feed_in_per_kwh),
            ("water_per_m3", self.water_per_m3),
            ("gas_per_kwh", self.gas_per_kwh),
            ("heat_per_kwh", self.heat_per_kwh),
        ] {
            if !(0.0..=1e6).contains(&price) {
                tell(key, format!("= {price}, expected 0 to 1e6"));
            }
        }
    }
}

/// What buildings have to do with one supplier; columns by building.
#[derive(Clone, Debug)]
pub struct Account {
    /// What is supplied.
    pub utility: Utility,
    /// Its unit.
    pub unit: &'static str,
    /// What each building got since the start, in that unit, less what it gave.
    pub quantity: Vec<f64>,
    /// What it owes for that, money.
    due: Vec<f64>,
    /// What it paid, parts of money.
    paid: Vec<i64>,
    /// What the supplier received, parts of money.
    received: i64,
}

impl Account {
    fn new(utility: Utility, unit: &'static str, buildings: usize) -> Self {
        let zeros = || vec![0.0; buildings];
        Self { utility, unit, quantity: zeros(), due: zeros(), paid: vec![0; buildings], received: 0 }
    }
    /// Charges a step: `of` tells what each building got, and what it owes for that.
    fn charge(&mut self, of: impl Fn(usize) -> (f64, f64)) {
        for row in 0..self.quantity.len() {
            let (quantity, owes) = of(row);
            self.quantity[row] += quantity;
            self.due[row] += owes;
            let paid = parts(self.due[row]);
            self.received += paid - self.paid[row];
            self.paid[row] = paid;
        }
    }
    /// What buildings paid, added up, and what the supplier received, parts of money.
    #[must_use]
    pub fn totals(&self) -> (i64, i64) {
        (self.paid.iter().sum(), self.received)
    }
}

/// A row of table `bills`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bill {
    /// What buildings got, less what they gave.
    pub quantity: f64,
    /// What they paid, money.
    pub amount: f64,
}

/// All accounts.
#[derive(Clone, Debug, Resource)]
pub struct Bills {
    settings: BillSettings,
    tariff: Option<TariffSettings>,
    /// Price of water at each building over the usual one; empty where it is that.
    water_factor: Vec<f64>,
    /// Accounts of networks that the city has and whose prices are known, in order of [`Utility`].
    pub accounts: Vec<Account>,
}

impl Bills {
    /// Accounts of a city's buildings; electricity is paid by the tariff where there is one.
    #[must_use]
    pub fn new(settings: &BillSettings, tariff: Option<TariffSettings>, water_factor: Vec<f64>) -> Self {
        Self { settings: settings.clone(), tariff, water_factor, accounts: Vec::new() }
    }
    fn account(&mut self, utility: Utility, unit: &'static str, buildings: usize) -> &mut Account {
        let at = self.accounts.iter().position(|of| of.utility == utility).unwrap_or_else(|| {
            self.accounts.push(Account::new(utility, unit, buildings));
            self.accounts.len() - 1
        });
        &mut self.accounts[at]
    }
    /// Bills by utility, zone and use of the building.
    #[must_use]
    pub fn by_place(&self, city: &City) -> BTreeMap<(Utility, u32, BuildingUse), Bill> {
        let mut bills: BTreeMap<_, (f64, i64)> = BTreeMap::new();
        for of in &self.accounts {
            for (row, (&quantity, &paid)) in of.quantity.iter().zip(&of.paid).enumerate() {
                let key = (of.utility, city.buildings.zone[row].0, city.buildings.purpose[row]);
                let bill = bills.entry(key).or_default();
                *bill = (bill.0 + quantity, bill.1 + paid);
            }
        }
        bills.into_iter().map(|(key, (quantity, paid))| (key, Bill { quantity, amount: money(paid) })).collect()
    }
}

/// Charges buildings for the step that was solved.
pub fn bill_buildings(
    clock: Res<'_, Clock>,
    zones: Res<'_, ZoneLoads>,
    water: Option<Res<'_, CityWater>>,
    gas: Option<Res<'_, CityGas>>,
    heat: Option<Res<'_, CityHeat>>,
    bills: Option<ResMut<'_, Bills>>,
) {
    let Some(mut bills) = bills.filter(|_| clock.is_due(Domain::Power)) else { return };
    let bills = &mut *bills;
    let (seconds, prices) = (f64::from(clock.step_ticks(Domain::Power)), bills.settings.clone());
    let hour = clock.local_second_of_day(clock.tick()) / 3600;
    let per_kwh = bills.tariff.as_ref().map_or(prices.electricity_per_kwh, |tariff| tariff.price_per_kwh(hour));
    if bills.tariff.is_some() || prices.electricity_per_kwh > 0.0 || prices.feed_in_per_kwh > 0.0 {
        let of = |row: usize| {
            let kwh = zones.building_w[row] * seconds / JOULES_PER_KWH;
            (kwh, kwh * if kwh < 0.0 { prices.feed_in_per_kwh } else { per_kwh })
        };
        bills.account(Utility::Electricity, "kWh", zones.building_w.len()).charge(of);
    }
    if let Some(water) = water.filter(|_| prices.water_per_m3 > 0.0) {
        let factors = std::mem::take(&mut bills.water_factor);
        let of = |row: usize| {
            let m3 = water.asked_m3ps[row] * water.served_share[row] * seconds;
            (m3, m3 * prices.water_per_m3 * factors.get(row).copied().unwrap_or(1.0))
        };
        bills.account(Utility::Water, "m3", water.asked_m3ps.len()).charge(of);
        bills.water_factor = factors;
    }
    let kwh = |asked_w: &[f64], share: &[f64], row: usize| asked_w[row] * share[row] * seconds / JOULES_PER_KWH;
    if let Some(gas) = gas.filter(|_| prices.gas_per_kwh > 0.0) {
        let of = |row: usize| kwh(&gas.asked_w, &gas.served_share, row);
        let account = bills.account(Utility::Gas, "kWh", gas.asked_w.len());
        account.charge(|row| (of(row), of(row) * prices.gas_per_kwh));
    }
    if let Some(heat) = heat.filter(|_| prices.heat_per_kwh > 0.0) {
        let of = |row: usize| kwh(&heat.asked_w, &heat.served_share, row);
        let account = bills.account(Utility::Heat, "kWh", heat.asked_w.len());
        account.charge(|row| (of(row), of(row) * prices.heat_per_kwh));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_debts_are_paid_when_they_add_up() {
        let mut of = Account::new(Utility::Water, "m3", 2);
        // A third of a ten-thousandth each time: after nine steps three parts are paid.
        (0..9).for_each(|_| of.charge(|row| (1.0, row as f64 * 1e-4 / 3.0)));
        assert_eq!((of.totals(), of.paid[1], of.quantity[1].to_bits()), ((3, 3), 3, 9.0_f64.to_bits()));
        // What is given back is paid back.
        of.charge(|row| (-9.0, row as f64 * -3e-4));
        assert_eq!(of.totals(), (0, 0));
    }

    #[test]
    fn prices_that_are_none_are_told() {
        let mut told = Vec::new();
        let of = BillSettings { water_per_m3: -1.0, heat_per_kwh: f64::NAN, ..BillSettings::default() };
        of.check(&mut |key, _| told.push(key.to_owned()));
        assert_eq!(told, ["water_per_m3", "heat_per_kwh"]);
    }
}
