//! Settings of synthetic networks of district heat.

use crate::pipes::synthetic::{RouteSettings, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a synthetic network of district heat is planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyntheticHeatSettings {
    /// Streets and the ways along them.
    pub route: RouteSettings,
    /// Least heat of a year by trench that a street, an alley or a service line must bring to be laid, kWh/(m a). U. Persson
    /// and S. Werner, Heat distribution and the future competitiveness of district heating, Applied Energy 88 (2011),
    /// show costs rise steeply below 1,000 to 2,000; German subsidies ask for 500 at least (KfW); recalled.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub linear_density_kwhpm_min: f64,
    /// Least heat of a year that is worth a plant, kWh/a.
    #[schemars(range(min = 0.0))]
    pub cluster_kwh_min: f64,
    /// Peak of its customers together from which a cluster is cut in two, W.
    #[schemars(range(min = 1e5, max = 1e10))]
    pub plant_peak_w_max: f64,
    /// Temperature at which plants give water, degrees Celsius.
    #[schemars(range(min = 30.0, max = 140.0))]
    pub flow_temp_c: f64,
    /// Temperature at which buildings return it, degrees Celsius.
    #[schemars(range(min = 10.0, max = 100.0))]
    pub return_temp_c: f64,
    /// Temperature of the ground, degrees Celsius.
    #[schemars(range(min = -20.0, max = 40.0))]
    pub ground_temp_c: f64,
    /// Steepest loss of pressure along a pipe at the peak of what lies behind it, Pa/m.
    #[schemars(range(min = 5.0, max = 2000.0))]
    pub gradient_papm_max: f64,
    /// Least difference of pressure between flow and return at a building, Pa.
    #[schemars(range(min = 1e4, max = 1e6))]
    pub station_pa_min: f64,
    /// Highest lift of a plant's pumps, Pa; gradients are made gentler to keep to it.
    #[schemars(range(min = 2e4, max = 1e7))]
    pub lift_pa_max: f64,
    /// Least pressure above the air anywhere, Pa: keeps air out and water from boiling.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub gauge_pa_min: f64,
    /// Pressure above the air that pipes are made for, Pa.
    #[schemars(range(min = 1e5, max = 1e7))]
    pub gauge_pa_max: f64,
    /// Roughness of pipes with all that is on the way, metres.
    #[schemars(range(min = 1e-6, max = 5e-3))]
    pub roughness_m: f64,
    /// Heat conduction of the insulation, W/(m K): of foam of EN 253 when aged.
    #[schemars(range(min = 0.01, max = 0.1))]
    pub insulation_wpmk: f64,
    /// Heat conduction of the ground, W/(m K).
    #[schemars(range(min = 0.3, max = 4.0))]
    pub ground_wpmk: f64,
    /// Cover above the casings, metres.
    #[schemars(range(min = 0.2, max = 5.0))]
    pub cover_m: f64,
    /// Gap between the casings of flow and return, metres.
    #[schemars(range(min = 0.05, max = 2.0))]
    pub gap_m: f64,
    /// Efficiency of pumps and motors, 0 to 1.
    #[schemars(range(min = 0.05, max = 1.0))]
    pub pump_efficiency: f64,
    /// Rounds of solving and sizing at most.
    #[schemars(range(min = 1, max = 50))]
    pub rounds_max: u32,
}

impl Default for SyntheticHeatSettings {
    fn default() -> Self {
        Self {
            route: RouteSettings { straightness: 0.2, ..RouteSettings::default() },
            linear_density_kwhpm_min: 1500.0,
            cluster_kwh_min: 1e6,
            plant_peak_w_max: 150e6,
            flow_temp_c: 90.0,
            return_temp_c: 60.0,
            ground_temp_c: 10.0,
            gradient_papm_max: 150.0,
            station_pa_min: 60e3,
            lift_pa_max: 1e6,
            gauge_pa_min: 150e3,
            gauge_pa_max: 2.5e6,
            roughness_m: 1e-4,
            insulation_wpmk: 0.026,
            ground_wpmk: 1.6,
            cover_m: 0.8,
            gap_m: 0.15,
            pump_efficiency: 0.7,
            rounds_max: 8,
        }
    }
}

impl SyntheticHeatSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        self.route.check(&mut |key, what| tell(&format!("route.{key}"), what));
        within(tell, "linear_density_kwhpm_min", self.linear_density_kwhpm_min, 0.0, 1e6);
        within(tell, "cluster_kwh_min", self.cluster_kwh_min, 0.0, 1e15);
        within(tell, "plant_peak_w_max", self.plant_peak_w_max, 1e5, 1e10);
        within(tell, "flow_temp_c", self.flow_temp_c, 30.0, 140.0);
        within(tell, "return_temp_c", self.return_temp_c, 10.0, 100.0);
        within(tell, "ground_temp_c", self.ground_temp_c, -20.0, 40.0);
        within(tell, "gradient_papm_max", self.gradient_papm_max, 5.0, 2000.0);
        within(tell, "station_pa_min", self.station_pa_min, 1e4, 1e6);
        within(tell, "lift_pa_max", self.lift_pa_max, 2e4, 1e7);
        within(tell, "gauge_pa_min", self.gauge_pa_min, 0.0, 1e6);
        within(tell, "gauge_pa_max", self.gauge_pa_max, 1e5, 1e7);
        within(tell, "roughness_m", self.roughness_m, 1e-6, 5e-3);
        within(tell, "insulation_wpmk", self.insulation_wpmk, 0.01, 0.1);
        within(tell, "ground_wpmk", self.ground_wpmk, 0.3, 4.0);
        within(tell, "cover_m", self.cover_m, 0.2, 5.0);
        within(tell, "gap_m", self.gap_m, 0.05, 2.0);
        within(tell, "pump_efficiency", self.pump_efficiency, 0.05, 1.0);
        within(tell, "rounds_max", f64::from(self.rounds_max), 1.0, 50.0);
        if self.return_temp_c + 5.0 > self.flow_temp_c {
            tell("return_temp_c", format!("= {}, expected at least 5 K below flow_temp_c", self.return_temp_c));
        }
        if self.ground_temp_c >= self.return_temp_c {
            tell("ground_temp_c", format!("= {}, expected below return_temp_c", self.ground_temp_c));
        }
    }
}
