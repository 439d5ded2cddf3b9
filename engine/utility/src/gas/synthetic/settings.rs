//! Settings of synthetic gas networks. Defaults are those of German distribution: medium pressure up to 1 bar, low pressure up
//! to 100 mbar, 20 to 23 mbar at appliances (DVGW G 600), an integral roughness of plastic pipes of 0.1 mm (DVGW GW 303-1);
//! all recalled, not read. Limits of velocity are those of planning handbooks (estimate).

use crate::pipes::synthetic::{RouteSettings, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Levels of pressure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GasLevels {
    /// Medium pressure to every building, whose own regulator lowers it: what is built today.
    #[default]
    One,
    /// Medium pressure to regulators of districts, low pressure from there to buildings: what older towns have.
    Two,
}

/// How a synthetic gas network is planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyntheticGasSettings {
    /// Levels of pressure.
    pub levels: GasLevels,
    /// Streets and the ways along them.
    pub route: RouteSettings,
    /// Pressure at city gates above the air, Pa.
    #[schemars(range(min = 1000.0, max = 1e7))]
    pub medium_feed_pa: f64,
    /// Least pressure above the air at the far ends of medium pressure, Pa.
    #[schemars(range(min = 100.0, max = 1e7))]
    pub medium_min_pa: f64,
    /// Pressure behind regulators of districts above the air, Pa.
    #[schemars(range(min = 500.0, max = 1e5))]
    pub low_feed_pa: f64,
    /// Least pressure above the air at buildings at low pressure, Pa.
    #[schemars(range(min = 100.0, max = 1e5))]
    pub low_min_pa: f64,
    /// Highest velocity at medium pressure, m/s.
    #[schemars(range(min = 0.5, max = 60.0))]
    pub medium_velocity_mps_max: f64,
    /// Highest velocity at low pressure, m/s.
    #[schemars(range(min = 0.5, max = 60.0))]
    pub low_velocity_mps_max: f64,
    /// Peak of the gas of a district at which it gets a regulator of its own, W.
    #[schemars(range(min = 1e4, max = 1e9))]
    pub district_peak_w_target: f64,
    /// Longest way at low pressure along streets, metres.
    #[schemars(range(min = 50.0, max = 1e5))]
    pub district_way_m_max: f64,
    /// With two levels, buildings with a peak of at least this are supplied at medium pressure, W.
    #[schemars(range(min = 1e4, max = 1e9))]
    pub medium_customer_peak_w_min: f64,
    /// Largest peak of a city gate, W.
    #[schemars(range(min = 1e6, max = 1e10))]
    pub gate_peak_w_max: f64,
    /// Mains are joined where they end within this of each other along a street, metres; 0 for none.
    #[schemars(range(min = 0.0))]
    pub mesh_gap_m_max: f64,
    /// But only where the way around is at least this long, metres.
    #[schemars(range(min = 0.0))]
    pub mesh_around_m_min: f64,
    /// Temperature of the gas, degrees Celsius: that of the ground.
    #[schemars(range(min = -20.0, max = 40.0))]
    pub gas_temp_c: f64,
    /// Roughness of pipes with all that is on the way, metres.
    #[schemars(range(min = 1e-6, max = 5e-3))]
    pub roughness_m: f64,
    /// Rounds of solving and widening at most.
    #[schemars(range(min = 1, max = 100))]
    pub rounds_max: u32,
}

impl Default for SyntheticGasSettings {
    fn default() -> Self {
        Self {
            levels: GasLevels::One,
            route: RouteSettings::default(),
            medium_feed_pa: 80e3,
            medium_min_pa: 30e3,
            low_feed_pa: 5e3,
            low_min_pa: 2.3e3,
            medium_velocity_mps_max: 20.0,
            low_velocity_mps_max: 10.0,
            district_peak_w_target: 4e6,
            district_way_m_max: 1200.0,
            medium_customer_peak_w_min: 1e6,
            gate_peak_w_max: 150e6,
            mesh_gap_m_max: 60.0,
            mesh_around_m_min: 400.0,
            gas_temp_c: 10.0,
            roughness_m: 1e-4,
            rounds_max: 12,
        }
    }
}

impl SyntheticGasSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        self.route.check(&mut |key, what| tell(&format!("route.{key}"), what));
        within(tell, "medium_feed_pa", self.medium_feed_pa, 1000.0, 1e7);
        within(tell, "medium_min_pa", self.medium_min_pa, 100.0, 1e7);
        within(tell, "low_feed_pa", self.low_feed_pa, 500.0, 1e5);
        within(tell, "low_min_pa", self.low_min_pa, 100.0, 1e5);
        within(tell, "medium_velocity_mps_max", self.medium_velocity_mps_max, 0.5, 60.0);
        within(tell, "low_velocity_mps_max", self.low_velocity_mps_max, 0.5, 60.0);
        within(tell, "district_peak_w_target", self.district_peak_w_target, 1e4, 1e9);
        within(tell, "district_way_m_max", self.district_way_m_max, 50.0, 1e5);
        within(tell, "medium_customer_peak_w_min", self.medium_customer_peak_w_min, 1e4, 1e9);
        within(tell, "gate_peak_w_max", self.gate_peak_w_max, 1e6, 1e10);
        within(tell, "mesh_gap_m_max", self.mesh_gap_m_max, 0.0, 1e9);
        within(tell, "mesh_around_m_min", self.mesh_around_m_min, 0.0, 1e9);
        within(tell, "gas_temp_c", self.gas_temp_c, -20.0, 40.0);
        within(tell, "roughness_m", self.roughness_m, 1e-6, 5e-3);
        within(tell, "rounds_max", f64::from(self.rounds_max), 1.0, 100.0);
        if self.medium_min_pa >= self.medium_feed_pa {
            tell("medium_min_pa", format!("= {}, expected less than medium_feed_pa", self.medium_min_pa));
        }
        if self.low_min_pa >= self.low_feed_pa {
            tell("low_min_pa", format!("= {}, expected less than low_feed_pa", self.low_min_pa));
        }
        if self.levels == GasLevels::Two && self.low_feed_pa >= self.medium_min_pa {
            tell("low_feed_pa", format!("= {}, expected less than medium_min_pa", self.low_feed_pa));
        }
    }
}
