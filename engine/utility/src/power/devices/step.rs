//! A step of all devices: what each building asks of the grid.
//!
//! ```text
//! net = demand + heat pump + charging + battery - photovoltaics + shifted
//! ```
//!
//! where `battery` is what it takes less what it gives. Order: chargers, heat pump, demand response, photovoltaics, and
//! the battery on what is left. A building that is not supplied has no photovoltaics (anti-islanding), no charging, no heat
//! pump and no answer to calls; its battery gives up to its demand if it `has_backup`, else rests.
//!
//! Contract: the same bits on any number of threads; no allocation once the numbers of cars and prices have been met.

use super::Devices;
use super::battery::{Battery, BatteryRates, PricePlan};
use super::energy::DeviceEnergy;
use super::heat_pump::{self, HeatPump, HeatRates};
use super::pv::{PvArray, Sky};
use super::response::Response;
use super::settings::{BatteryControl, DeviceSettings};
use super::tariff::Prices;
use crate::solar::Sun;
use rayon::prelude::*;
use std::path::Path;
use urbis_core::chunks::CHUNK_ROWS;
use urbis_core::{Problem, Problems, Result};

/// What a step is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeviceStep<'a> {
    /// Its beginning, Unix milliseconds; whole seconds count.
    pub from_utc_ms: i64,
    /// Its length, seconds, > 0. Prices of the hour in which it begins hold through it.
    pub seconds: u32,
    /// Air temperature, degrees Celsius.
    pub air_temp_c: f64,
    /// Measured global irradiance of the ground, W/m2; else that of a clear sky by `cloud_transmittance`.
    pub ghi_w_per_m2: Option<f64>,
    /// Share of the clear sky's global irradiance that clouds let through.
    pub cloud_transmittance: f64,
    /// Prices, currency per kWh, hour by hour, the running one first; none: nothing goes by price.
    pub price_per_kwh: &'a [f64],
    /// What the grid asks: 0 nothing, 1 to take off all that can be taken off.
    pub grid_signal: f64,
    /// Demand of buildings themselves, watts. Shape: buildings.
    pub demand_w: &'a [f64],
    /// Whether the grid serves a building. Shape: buildings, or none: all are.
    pub is_supplied: &'a [bool],
}

impl DeviceStep<'_> {
    /// # Errors
    /// What is not a number, or of another shape than `rows` buildings.
    fn check(&self, rows: usize) -> Result<()> {
        let mut problems = Problems::new();
        let place = Path::new("step of devices");
        let mut wrong = |field: &str, value: f64, expected: &str| {
            problems.push(Problem::file(place, format!("{field} = {value}, expected {expected}")));
        };
        if self.seconds == 0 {
            wrong("seconds", 0.0, "> 0");
        }
        for (field, value, high) in [
            ("ghi_w_per_m2", self.ghi_w_per_m2.unwrap_or(0.0), 2000.0),
            ("cloud_transmittance", self.cloud_transmittance, 1.5),
            ("grid_signal", self.grid_signal, 1.0),
        ] {
            if !(0.0..=high).contains(&value) {
                wrong(field, value, &format!("0 to {high}"));
            }
        }
        if !(-100.0..=100.0).contains(&self.air_temp_c) {
            wrong("air_temp_c", self.air_temp_c, "-100 to 100");
        }
        if let Some(&price) = self.price_per_kwh.iter().find(|price| !price.is_finite()) {
            wrong("price_per_kwh", price, "finite");
        }
        if self.demand_w.len() != rows {
            wrong("length of demand_w", self.demand_w.len() as f64, &format!("{rows} buildings"));
        }
        if !self.is_supplied.is_empty() && self.is_supplied.len() != rows {
            wrong("length of is_supplied", self.is_supplied.len() as f64, &format!("{rows} buildings or none"));
        }
        problems.or_else(())
    }
}

/// What is the same for all buildings in a step.
struct Common<'a> {
    settings: &'a DeviceSettings,
    seconds: f64,
    sky: Sky,
    battery: BatteryRates,
    /// By the rates of heat pumps.
    heat: &'a [HeatRates],
    hot_water_cop: f64,
    plan: Option<&'a PricePlan>,
    is_called: bool,
}

/// State and results of a building.
struct Building<'a> {
    pv: &'a PvArray,
    battery: &'a mut Battery,
    heat_pump: &'a mut HeatPump,
    response: &'a mut Response,
    demand_w: f64,
    charging_w: f64,
    hot_water_w: f64,
    is_supplied: bool,
}

/// Powers of a building, watts.
struct Powers {
    net_w: f64,
    pv_w: f64,
    battery_w: f64,
    heat_pump_w: f64,
    shifted_w: f64,
}

impl Common<'_> {
    fn building(&self, of: Building<'_>, energy: &mut DeviceEnergy) -> Powers {
        let Building { pv, battery, heat_pump, response, demand_w, charging_w, hot_water_w, is_supplied } = of;
        let rates = usize::from(heat_pump.rates).min(self.heat.len() - 1);
        let mut heat = heat_pump.step(&self.heat[rates], is_supplied);
        if is_supplied && hot_water_w > 0.0 {
            heat.electric_w += hot_water_w / self.hot_water_cop;
            heat.heat_w += hot_water_w;
        }
        let answer = match is_supplied {
            true => response.step(&self.settings.response, self.seconds, demand_w, self.is_called),
            false => super::response::ResponseFlow::default(),
        };
        let pv_w = if is_supplied { pv.power_w(&self.settings.pv, &self.sky) } else { 0.0 };
        let shifted_w = answer.shifted_w();
        let short_w = demand_w + heat.electric_w + charging_w - pv_w + shifted_w;
        let wish_w = match (is_supplied, self.plan) {
            (false, _) if self.settings.battery.has_backup => -short_w.max(0.0),
            (false, _) => 0.0,
            (true, None) => -short_w,
            (true, Some(plan)) => {
                let wish_w = battery.wish_by_price_w(&self.battery, plan);
                if self.settings.battery.can_export { wish_w } else { wish_w.max(-short_w.max(0.0)) }
            }
        };
        let flow = battery.step(&self.battery, wish_w);
        let battery_w = flow.charge_w - flow.discharge_w;
        let net_w = short_w + battery_w;
        let seconds = self.seconds;
        energy.demand_j += demand_w * seconds;
        energy.net_j += net_w * seconds;
        energy.generated_j += pv_w * seconds;
        energy.charged_j += flow.charge_w * seconds;
        energy.discharged_j += flow.discharge_w * seconds;
        energy.battery_losses_j += flow.losses_j;
        energy.stored_j += battery.stored_j;
        energy.heat_pump_j += heat.electric_w * seconds;
        energy.heater_j += heat.heater_w * seconds;
        energy.heat_j += heat.heat_w * seconds;
        energy.put_off_j += answer.put_off_w * seconds;
        energy.paid_back_j += answer.paid_back_w * seconds;
        energy.owed_j += response.owed_j;
        energy.curtailed_j += answer.curtailed_w * seconds;
        if !is_supplied {
            energy.unsupplied_j += net_w * seconds;
            energy.backup_j += flow.discharge_w * seconds;
        }
        Powers { net_w, pv_w, battery_w, heat_pump_w: heat.electric_w, shifted_w }
    }
}

impl Devices {
    /// Runs a step and writes the columns.
    ///
    /// # Errors
    /// What the step is told is not a number, out of range or of another shape; nothing has changed then.
    pub fn step(&mut self, step: &DeviceStep<'_>) -> Result<()> {
        step.check(self.net_w.len())?;
        let Self { place_deg, pv, batteries, chargers, heat_pumps, responses, .. } = self;
        let Self { net_w, pv_w, battery_w, heat_pump_w, shifted_w, settings, plan, energy, parts, .. } = self;
        let Self { hot_water_w, losses_left, heat_rates, .. } = self;
        let seconds = f64::from(step.seconds);
        let from_s = step.from_utc_ms.div_euclid(1000);
        let prices = Prices {
            per_kwh: step.price_per_kwh,
            hour_end_s: (from_s.div_euclid(3600) + 1) * 3600,
            step_s: (from_s, from_s + i64::from(step.seconds)),
        };
        chargers.step(&settings.charger, &prices, step.grid_signal, step.is_supplied);
        let (is_dear, is_cheap) = prices.now().map_or((false, false), |now| {
            let (mean, ratio) = (prices.mean(), settings.response.dear_ratio);
            (mean > 0.0 && now >= mean * ratio && now > mean, mean > 0.0 && now <= mean / ratio && now < mean)
        });
        let is_called = is_dear || (step.grid_signal > 0.0 && step.grid_signal >= settings.response.grid_signal_min);
        let battery = BatteryRates::new(&settings.battery, seconds);
        let is_by_price = settings.battery.control == BatteryControl::Price && !step.price_per_kwh.is_empty();
        if is_by_price {
            plan.make(&battery, &prices);
        }
        let flex = match (is_called, is_cheap) {
            (true, _) => -1.0,
            (false, true) => 1.0,
            (false, false) => 0.0,
        };
        let of_loss = |&left: &f64| HeatRates::with_loss(&settings.heat_pump, left, seconds, step.air_temp_c, flex);
        heat_rates.clear();
        heat_rates.extend(losses_left.iter().map(of_loss));
        let common = Common {
            settings,
            seconds,
            sky: sky(step, settings, *place_deg),
            battery,
            heat: heat_rates,
            hot_water_cop: heat_pump::hot_water_cop(&settings.heat_pump, step.air_temp_c),
            plan: is_by_price.then_some(plan),
            is_called,
        };
        let state = (
            batteries.par_chunks_mut(CHUNK_ROWS),
            heat_pumps.par_chunks_mut(CHUNK_ROWS),
            responses.par_chunks_mut(CHUNK_ROWS),
        );
        let columns = (
            net_w.par_chunks_mut(CHUNK_ROWS),
            pv_w.par_chunks_mut(CHUNK_ROWS),
            battery_w.par_chunks_mut(CHUNK_ROWS),
            heat_pump_w.par_chunks_mut(CHUNK_ROWS),
            shifted_w.par_chunks_mut(CHUNK_ROWS),
        );
        let all = state.into_par_iter().zip(columns.into_par_iter()).zip(parts.par_iter_mut()).enumerate();
        all.for_each(|(chunk, ((state, columns), part))| {
            let (batteries, heat_pumps, responses) = state;
            let (net_w, pv_w, battery_w, heat_pump_w, shifted_w) = columns;
            *part = DeviceEnergy::default();
            for at in 0..net_w.len() {
                let row = chunk * CHUNK_ROWS + at;
                let building = Building {
                    pv: &pv[row],
                    battery: &mut batteries[at],
                    heat_pump: &mut heat_pumps[at],
                    response: &mut responses[at],
                    demand_w: step.demand_w[row],
                    charging_w: chargers.charging_w[row],
                    hot_water_w: hot_water_w.get(row).copied().unwrap_or(0.0),
                    is_supplied: step.is_supplied.get(row).is_none_or(|&is_supplied| is_supplied),
                };
                let found = common.building(building, part);
                net_w[at] = found.net_w;
                pv_w[at] = found.pv_w;
                battery_w[at] = found.battery_w;
                heat_pump_w[at] = found.heat_pump_w;
                shifted_w[at] = found.shifted_w;
            }
        });
        (energy.stored_j, energy.owed_j) = (0.0, 0.0);
        parts.iter().for_each(|part| energy.add(part));
        energy.charger = chargers.energy;
        Ok(())
    }
}

/// Sun and light of a step, at its middle.
fn sky(step: &DeviceStep<'_>, settings: &DeviceSettings, [latitude_deg, longitude_deg]: [f64; 2]) -> Sky {
    let sun = Sun::at(step.from_utc_ms + i64::from(step.seconds) * 500, latitude_deg, longitude_deg);
    let clear = || sun.clear_sky(settings.pv.altitude_m, settings.pv.linke_turbidity).global_w_per_m2;
    let global = step.ghi_w_per_m2.unwrap_or_else(|| clear() * step.cloud_transmittance);
    Sky { sun, light: sun.split(global), air_temp_c: step.air_temp_c }
}
