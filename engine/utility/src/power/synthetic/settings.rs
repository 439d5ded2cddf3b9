//! Settings of synthetic grids.

use crate::streets::StreetSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a synthetic distribution grid is planned. Equipment and demand are in [`super::Equipment`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyntheticGridSettings {
    /// Nominal low voltage between phases, volts.
    #[schemars(range(min = 100.0, max = 1000.0))]
    pub lv_base_v: f64,
    /// Nominal medium voltage, volts; the equipment needs cables rated for it, e.g. 10000 or 20000.
    #[schemars(range(min = 1000.0, max = 60000.0))]
    pub mv_base_v: f64,
    /// Nominal high voltage that feeds substations, volts.
    #[schemars(range(min = 20000.0, max = 400000.0))]
    pub hv_base_v: f64,
    /// Voltage that the high-voltage grid holds, per unit.
    #[schemars(range(min = 0.9, max = 1.1))]
    pub hv_pu: f64,
    /// Power factor of every customer, lagging.
    #[schemars(range(min = 0.5, max = 1.0))]
    pub power_factor: f64,
    /// Longest way along streets from a station to a joint, metres. In Schutterwald (pandapower `lv_schutterwald`) half
    /// of the homes are within 254 m of their station, nine of ten within 427 m, all within 785 m.
    #[schemars(range(min = 20.0, max = 5000.0))]
    pub lv_street_m_max: f64,
    /// Peak that a public station is planned for, VA.
    #[schemars(range(min = 10000.0, max = 5000000.0))]
    pub station_peak_va_target: f64,
    /// Peak above which a public station's area is divided, VA; not below the target.
    #[schemars(range(min = 10000.0, max = 5000000.0))]
    pub station_peak_va_max: f64,
    /// Buildings with at least this peak get a station of their own, watts.
    #[schemars(range(min = 10000.0, max = 10000000.0))]
    pub mv_customer_peak_w_min: f64,
    /// Share of its rating that a station's transformer carries at peak.
    #[schemars(range(min = 0.1, max = 1.0))]
    pub transformer_loading_max: f64,
    /// Share of its rating that a low-voltage cable carries at peak.
    #[schemars(range(min = 0.1, max = 1.0))]
    pub cable_loading_max: f64,
    /// Share of its rating that a ring's cable carries when one of its ends feeds all of it.
    #[schemars(range(min = 0.1, max = 1.0))]
    pub ring_loading_max: f64,
    /// Share of its rating that a substation transformer carries when its twin is out.
    #[schemars(range(min = 0.1, max = 1.5))]
    pub substation_loading_max: f64,
    /// Most stations in a ring.
    #[schemars(range(min = 1, max = 60))]
    pub ring_stations_max: u32,
    /// Most cables side by side.
    #[schemars(range(min = 1, max = 8))]
    pub parallel_cables_max: u32,
    /// Largest voltage drop from a station's busbar to a building, per unit.
    #[schemars(range(min = 0.005, max = 0.1))]
    pub lv_voltage_drop_max_pu: f64,
    /// Of it, what a service cable may take, per unit.
    #[schemars(range(min = 0.001, max = 0.05))]
    pub service_voltage_drop_max_pu: f64,
    /// Largest voltage drop along a feeder, per unit.
    #[schemars(range(min = 0.005, max = 0.1))]
    pub mv_voltage_drop_max_pu: f64,
    /// Voltage of a substation's busbar at peak, to which its tap is set as near as its steps allow, per unit.
    #[schemars(range(min = 0.95, max = 1.08))]
    pub mv_busbar_pu: f64,
    /// Voltage to which a station's tap is set: the mean of its busbar's at peak, its own drop aside, and without load,
    /// per unit.
    #[schemars(range(min = 0.95, max = 1.08))]
    pub lv_busbar_pu: f64,
    /// Service cables meet the main at joints; those within this distance along a street share one, metres.
    #[schemars(range(min = 0.0, max = 200.0))]
    pub joint_spacing_m: f64,
    /// Connected streets of less total length carry no cables, unless they are all there is, metres.
    #[schemars(range(min = 0.0))]
    pub fragment_m_max: f64,
    /// Stretches of streets that do not meet are joined by a straight cable up to this length, metres; beyond it they
    /// get substations of their own.
    #[schemars(range(min = 0.0))]
    pub joining_m_max: f64,
}

impl Default for SyntheticGridSettings {
    fn default() -> Self {
        Self {
            lv_base_v: 400.0,
            mv_base_v: 20_000.0,
            hv_base_v: 110_000.0,
            hv_pu: 1.0,
            power_factor: 0.95,
            lv_street_m_max: 700.0,
            station_peak_va_target: 350e3,
            station_peak_va_max: 500e3,
            mv_customer_peak_w_min: 250e3,
            transformer_loading_max: 0.8,
            cable_loading_max: 0.8,
            ring_loading_max: 0.9,
            substation_loading_max: 1.0,
            ring_stations_max: 16,
            parallel_cables_max: 4,
            lv_voltage_drop_max_pu: 0.05,
            service_voltage_drop_max_pu: 0.01,
            mv_voltage_drop_max_pu: 0.04,
            mv_busbar_pu: 1.03,
            lv_busbar_pu: 1.02,
            joint_spacing_m: 20.0,
            fragment_m_max: 200.0,
            joining_m_max: 1000.0,
        }
    }
}

impl SyntheticGridSettings {
    /// Reactive over active power.
    #[must_use]
    pub fn tan_phi(&self) -> f64 {
        (1.0 - self.power_factor * self.power_factor).max(0.0).sqrt() / self.power_factor
    }
    /// What of the streets counts.
    pub(crate) fn streets(&self) -> StreetSettings {
        let Self { joint_spacing_m, fragment_m_max, joining_m_max, .. } = *self;
        StreetSettings { joint_spacing_m, fragment_m_max, joining_m_max }
    }
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        let positive = [
            ("lv_base_v", self.lv_base_v),
            ("mv_base_v", self.mv_base_v),
            ("hv_base_v", self.hv_base_v),
            ("hv_pu", self.hv_pu),
            ("power_factor", self.power_factor),
            ("lv_street_m_max", self.lv_street_m_max),
            ("station_peak_va_target", self.station_peak_va_target),
            ("mv_customer_peak_w_min", self.mv_customer_peak_w_min),
            ("transformer_loading_max", self.transformer_loading_max),
            ("cable_loading_max", self.cable_loading_max),
            ("ring_loading_max", self.ring_loading_max),
            ("substation_loading_max", self.substation_loading_max),
            ("ring_stations_max", f64::from(self.ring_stations_max)),
            ("parallel_cables_max", f64::from(self.parallel_cables_max)),
            ("lv_voltage_drop_max_pu", self.lv_voltage_drop_max_pu),
            ("service_voltage_drop_max_pu", self.service_voltage_drop_max_pu),
            ("mv_voltage_drop_max_pu", self.mv_voltage_drop_max_pu),
            ("mv_busbar_pu", self.mv_busbar_pu),
            ("lv_busbar_pu", self.lv_busbar_pu),
        ];
        let mut is_wrong =
            |field: &str, value: f64, expected: &str| tell(field, format!("= {value}, expected {expected}"));
        for (field, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                is_wrong(field, value, "> 0");
            }
        }
        let not_negative = [
            ("joint_spacing_m", self.joint_spacing_m),
            ("fragment_m_max", self.fragment_m_max),
            ("joining_m_max", self.joining_m_max),
        ];
        for (field, value) in not_negative {
            if value.is_nan() || value < 0.0 {
                is_wrong(field, value, ">= 0");
            }
        }
        if self.power_factor > 1.0 {
            is_wrong("power_factor", self.power_factor, "<= 1");
        }
        if self.station_peak_va_max.is_nan() || self.station_peak_va_max < self.station_peak_va_target {
            is_wrong("station_peak_va_max", self.station_peak_va_max, "no less than station_peak_va_target");
        }
        if self.service_voltage_drop_max_pu >= self.lv_voltage_drop_max_pu {
            is_wrong("service_voltage_drop_max_pu", self.service_voltage_drop_max_pu, "< lv_voltage_drop_max_pu");
        }
    }
}
