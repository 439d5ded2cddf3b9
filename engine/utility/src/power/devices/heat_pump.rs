//! Heat pumps: electric power for the heat that a building asks for, with the building as a store.
//!
//! The building is one node, exact within a step of constant air temperature `Ta`, heat `Q` and gains `G`:
//!
//! ```text
//! C dT/dt = H (Ta - T) + Q + G
//! ```
//!
//! Heat is what brings it to its setpoint at the end of the step, within `0` and what the pump, sized at the bivalence
//! temperature, and below that temperature also a resistive heater, sized at the design temperature, can give. A call to
//! save lowers the setpoint and cheap electricity raises it, so that walls and floors carry the load over.
//!
//! Coefficient of performance by the lift `d` from source to sink (I. Staffell et al., A review of domestic heat pumps,
//! Energy and Environmental Science 5, 2012):
//!
//! ```text
//! air     6.81 - 0.121 d + 0.000630 d^2    15 <= d <= 60
//! ground  8.77 - 0.150 d + 0.000734 d^2    20 <= d <= 60
//! ```
//!
//! beyond which the ends count; the sink of radiators is at `40 - Ta`, of floors at `30 - Ta / 2` degrees (O. Ruhnau et
//! al., Scientific Data 6, 2019; recalled). Heat stored by floor area is that of a medium-weight building (ISO 13790;
//! recalled). A building with better walls loses a share less (`loss_share`); its pump stays as large as it was. Hot water, where
//! a pump makes it, is made at [`HOT_WATER_C`] by the same regression, on top of what rooms may take. Ignored: sunshine through windows, defrosting, part load, cooling.
//!
//! Contract: a pure function of the building's temperature and the step. Law: `heat + gains = losses + C dT`.

use super::settings::{Emitter, HeatPumpSettings, HeatSource};

/// Sink of a pump that makes hot water, degrees Celsius: what storage at 50 degrees and more needs (estimate).
pub const HOT_WATER_C: f64 = 55.0;

/// A heated building; nothing is lost by one that has no heat pump.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeatPump {
    /// Floor area that is heated, m2; 0 where there is no heat pump.
    pub floor_area_m2: f64,
    /// Temperature of the building, degrees Celsius.
    pub indoor_c: f64,
    /// Row of the rates that it goes by: buildings with the same walls have the same.
    pub rates: u16,
}

/// What all heat pumps have in common in a step; powers by floor area.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeatRates {
    step_s: f64,
    air_temp_c: f64,
    loss_w_per_m2_k: f64,
    gains_w_per_m2: f64,
    /// Share of a temperature difference that is left after a step.
    left_share: f64,
    /// Time of a difference to fall to 1/e, seconds.
    time_s: f64,
    /// Wanted at the end of the step, degrees Celsius.
    target_c: f64,
    /// Heat over electricity.
    pub cop: f64,
    pump_w_per_m2_max: f64,
    heater_w_per_m2_max: f64,
}

/// What a heat pump did in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeatFlow {
    /// Electric power of pump and heater, watts.
    pub electric_w: f64,
    /// Of it the heater's, watts.
    pub heater_w: f64,
    /// Heat given to the building, watts.
    pub heat_w: f64,
}

/// Heat over electricity at an air temperature in degrees Celsius.
#[must_use]
pub fn cop(settings: &HeatPumpSettings, air_temp_c: f64) -> f64 {
    let sink_c = match settings.emitter {
        Emitter::Radiators => 40.0 - air_temp_c,
        Emitter::Floor => 30.0 - 0.5 * air_temp_c,
    };
    let source_c = match settings.source {
        HeatSource::Air => air_temp_c,
        HeatSource::Ground => settings.ground_c,
    };
    settings.cop_factor * cop_of_lift(settings.source, sink_c - source_c)
}

/// Heat over electricity of hot water at an air temperature in degrees Celsius.
#[must_use]
pub fn hot_water_cop(settings: &HeatPumpSettings, air_temp_c: f64) -> f64 {
    let source_c = match settings.source {
        HeatSource::Air => air_temp_c,
        HeatSource::Ground => settings.ground_c,
    };
    settings.cop_factor * cop_of_lift(settings.source, HOT_WATER_C - source_c)
}

/// Heat over electricity by the lift from source to sink, kelvin.
#[must_use]
pub fn cop_of_lift(source: HeatSource, lift_k: f64) -> f64 {
    match source {
        HeatSource::Air => {
            let d = lift_k.clamp(15.0, 60.0);
            6.81 - 0.121 * d + 0.000_630 * d * d
        }
        HeatSource::Ground => {
            let d = lift_k.clamp(20.0, 60.0);
            8.77 - 0.150 * d + 0.000_734 * d * d
        }
    }
}

impl HeatRates {
    /// Of a step. `flex` is -1 at a call to save, 1 where electricity is cheap, 0 otherwise.
    #[must_use]
    pub fn new(settings: &HeatPumpSettings, step_s: f64, air_temp_c: f64, flex: f64) -> Self {
        Self::with_loss(settings, 1.0, step_s, air_temp_c, flex)
    }
    /// Of a building that loses a share (> 0) of what the settings say; its pump is sized without that.
    #[must_use]
    pub fn with_loss(settings: &HeatPumpSettings, share: f64, step_s: f64, air_temp_c: f64, flex: f64) -> Self {
        let loss_w_per_m2_k = settings.loss_w_per_m2_k * share;
        let time_s = settings.capacity_j_per_m2_k / loss_w_per_m2_k;
        let pump_w_per_m2_max = settings.loss_w_per_m2_k * (settings.setpoint_c - settings.bivalence_c);
        let heater_w_per_m2_max = match air_temp_c < settings.bivalence_c {
            true => settings.loss_w_per_m2_k * (settings.bivalence_c - settings.design_c),
            false => 0.0,
        };
        Self {
            step_s,
            air_temp_c,
            loss_w_per_m2_k,
            gains_w_per_m2: settings.gains_w_per_m2,
            left_share: (-step_s / time_s).exp(),
            time_s,
            target_c: settings.setpoint_c + flex * settings.flex_k,
            cop: cop(settings, air_temp_c),
            pump_w_per_m2_max,
            heater_w_per_m2_max,
        }
    }
    /// Lost to the air in a step by a square metre that begins at a temperature and is given heat, joules.
    #[must_use]
    pub fn lost_j_per_m2(&self, indoor_c: f64, heat_w_per_m2: f64) -> f64 {
        let steady_k = (heat_w_per_m2 + self.gains_w_per_m2) / self.loss_w_per_m2_k;
        let off_k = indoor_c - self.air_temp_c - steady_k;
        self.loss_w_per_m2_k * (steady_k * self.step_s + off_k * self.time_s * (1.0 - self.left_share))
    }
}

impl HeatPump {
    /// Heats for a step; an unsupplied building cools.
    pub fn step(&mut self, rates: &HeatRates, is_supplied: bool) -> HeatFlow {
        if self.floor_area_m2 <= 0.0 {
            return HeatFlow::default();
        }
        let wanted_c = (rates.target_c - rates.left_share * self.indoor_c) / (1.0 - rates.left_share);
        let asked = (rates.loss_w_per_m2_k * (wanted_c - rates.air_temp_c) - rates.gains_w_per_m2).max(0.0);
        let (pump, heater) = match is_supplied {
            true => {
                let pump = asked.min(rates.pump_w_per_m2_max);
                (pump, (asked - pump).min(rates.heater_w_per_m2_max))
            }
            false => (0.0, 0.0),
        };
        let heat = pump + heater;
        let steady_c = rates.air_temp_c + (heat + rates.gains_w_per_m2) / rates.loss_w_per_m2_k;
        self.indoor_c = steady_c + (self.indoor_c - steady_c) * rates.left_share;
        let area_m2 = self.floor_area_m2;
        HeatFlow {
            electric_w: area_m2 * (pump / rates.cop + heater),
            heater_w: area_m2 * heater,
            heat_w: area_m2 * heat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn performance_is_that_of_the_regressions() {
        // Air at 7, water at 35 degrees: a lift of 28 K, by hand.
        assert!((cop_of_lift(HeatSource::Air, 28.0) - 3.915_92).abs() < 1e-9);
        assert!((cop_of_lift(HeatSource::Ground, 35.0) - 4.419_15).abs() < 1e-9);
        // Radiators at -7 degrees: 47 - -7 = 54 K; floors at 7: 26.5 - 7 = 19.5 K.
        let mut settings = HeatPumpSettings::default();
        assert!((cop(&settings, -7.0) - (6.81 - 0.121 * 54.0 + 0.000_63 * 2916.0)).abs() < 1e-12);
        settings.emitter = Emitter::Floor;
        settings.cop_factor = 0.5;
        assert!((cop(&settings, 7.0) - 0.5 * (6.81 - 0.121 * 19.5 + 0.000_63 * 380.25)).abs() < 1e-12);
        let mut last = f64::INFINITY;
        for lift in 0..80 {
            let now = cop_of_lift(HeatSource::Air, f64::from(lift));
            assert!(now <= last && now > 1.0, "{lift}: {now}");
            last = now;
        }
    }

    #[test]
    fn a_steady_building_is_given_what_it_loses() {
        let settings = HeatPumpSettings::default();
        let mut pump = HeatPump { floor_area_m2: 100.0, indoor_c: 20.0, rates: 0 };
        // 1.5 W/(m2 K) * 20 K - 3 W/m2 = 27 W/m2.
        let flow = pump.step(&HeatRates::new(&settings, 900.0, 0.0, 0.0), true);
        assert!((flow.heat_w - 2700.0).abs() < 1e-6 && (pump.indoor_c - 20.0).abs() < 1e-12);
        assert!((flow.electric_w - 2700.0 / cop(&settings, 0.0)).abs() < 1e-6 && flow.heater_w.abs() < 1e-12);
        // At -10: 42 W/m2, of which the pump gives 37.5, the heater 4.5.
        let flow = pump.step(&HeatRates::new(&settings, 900.0, -10.0, 0.0), true);
        assert!((flow.heater_w - 450.0).abs() < 1e-6);
        assert!((flow.electric_w - 450.0 - 3750.0 / cop(&settings, -10.0)).abs() < 1e-6);
        // Above 18 degrees the gains are enough.
        assert!(pump.step(&HeatRates::new(&settings, 900.0, 18.5, 0.0), true).electric_w.abs() < 1e-12);
    }

    #[test]
    fn better_walls_and_hot_water() {
        let settings = HeatPumpSettings::default();
        let mut pump = HeatPump { floor_area_m2: 100.0, indoor_c: 20.0, rates: 0 };
        // Half of 1.5 W/(m2 K) * 20 K, less 3 W/m2: 12 W/m2; the pump could still give 37.5.
        let rates = HeatRates::with_loss(&settings, 0.5, 900.0, 0.0, 0.0);
        let flow = pump.step(&rates, true);
        assert!((flow.heat_w - 1200.0).abs() < 1e-6 && (rates.pump_w_per_m2_max - 37.5).abs() < 1e-12);
        assert_eq!(HeatRates::with_loss(&settings, 1.0, 900.0, 3.0, 0.0), HeatRates::new(&settings, 900.0, 3.0, 0.0));
        // Air at 7 degrees, a lift of 48 K.
        assert!((hot_water_cop(&settings, 7.0) - (6.81 - 0.121 * 48.0 + 0.000_63 * 2304.0)).abs() < 1e-12);
    }

    #[test]
    fn heat_is_kept_and_shifted() {
        let settings = HeatPumpSettings::default();
        let mut pump = HeatPump { floor_area_m2: 100.0, indoor_c: 20.0, rates: 0 };
        let mut calls = Vec::new();
        for step in 0..48_u32 {
            let flex = match step {
                8..16 => -1.0,
                0..8 => 1.0,
                _ => 0.0,
            };
            let rates = HeatRates::new(&settings, 900.0, 2.0, flex);
            let before_c = pump.indoor_c;
            let flow = pump.step(&rates, step != 40);
            let change_j = settings.capacity_j_per_m2_k * (pump.indoor_c - before_c);
            let lost_j = rates.lost_j_per_m2(before_c, flow.heat_w / 100.0);
            let off_j = (flow.heat_w / 100.0 + settings.gains_w_per_m2) * 900.0 - change_j - lost_j;
            assert!(off_j.abs() < 1e-9 * settings.capacity_j_per_m2_k, "{step}: {off_j}");
            calls.push(flow.electric_w);
        }
        // Before the call it heats up, through the call it is off for a while, without supply it is off.
        let steady_w = (1.5 * 18.0 - 3.0) * 100.0 / cop(&settings, 2.0);
        assert!(calls[0] > steady_w * 1.2 && calls[8].abs() < 1e-12 && calls[40].abs() < 1e-12, "{calls:?}");
        // At the end it is back at its setpoint.
        assert!((pump.indoor_c - 20.0).abs() < 1e-9 && (calls[47] - steady_w).abs() < 1e-6);
    }
}
