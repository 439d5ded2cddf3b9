//! Settings of operation, as they stand in a scenario under `[power.grid.operation]`, and faults under
//! `[[power.grid.fault]]`.
//!
//! Times are estimates for a distribution grid with switches operated on the spot: half an hour to find and isolate a
//! fault at medium voltage, as long again to restore what lies behind it over an open tie, half a day to repair a cable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How faults are cleared and supply is restored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OperationSettings {
    /// Time from a fault until it is isolated and breakers are closed again, seconds.
    pub isolation_s: u32,
    /// Time from there until ties are closed, seconds.
    pub restoration_s: u32,
    /// Whether what is dark behind an isolated fault is supplied over ties.
    pub closes_ties: bool,
    /// Nominal voltage below which there are no switches: a fault there stays off until it is repaired, volts.
    pub switchable_v_min: f64,
    /// Loading up to which a tie may be closed, percent.
    pub emergency_loading_max_percent: f64,
    /// Voltage down to which a tie may be closed, per unit.
    pub emergency_vm_min_pu: f64,
    /// Whether breakers open on overload.
    pub trips_on_overload: bool,
    /// Current above which they count, over rated current.
    pub pickup: f64,
    /// Time multiplier of the standard inverse curve of IEC 60255-151, `t = T 0.14 / ((I / Is)^0.02 - 1)`.
    pub time_multiplier: f64,
    /// Time after which a breaker that opened on overload is closed again, seconds; 0: not in the period.
    pub reclose_s: u32,
    /// Interruptions up to this length are momentary, seconds (IEEE Std 1366: 5 minutes).
    pub momentary_s: u32,
}

impl Default for OperationSettings {
    fn default() -> Self {
        Self {
            isolation_s: 1800,
            restoration_s: 1800,
            closes_ties: true,
            switchable_v_min: 1000.0,
            emergency_loading_max_percent: 120.0,
            emergency_vm_min_pu: 0.9,
            trips_on_overload: false,
            pickup: 1.2,
            time_multiplier: 1.0,
            reclose_s: 3600,
            momentary_s: 300,
        }
    }
}

impl OperationSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        let positive = [
            ("emergency_loading_max_percent", self.emergency_loading_max_percent),
            ("pickup", self.pickup),
            ("time_multiplier", self.time_multiplier),
        ];
        let not_negative =
            [("switchable_v_min", self.switchable_v_min), ("emergency_vm_min_pu", self.emergency_vm_min_pu)];
        let is_wrong = positive.iter().filter(|(_, value)| value.is_nan() || *value <= 0.0).map(|of| (of, "> 0"));
        let is_wrong = is_wrong
            .chain(not_negative.iter().filter(|(_, value)| value.is_nan() || *value < 0.0).map(|of| (of, ">= 0")));
        for ((field, value), expected) in is_wrong {
            tell(field, format!("= {value}, expected {expected}"));
        }
    }
}

/// A fault of one element.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultSettings {
    /// Branch that fails, by its id in table `branch_state`; or a bus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Bus that fails with all that ends there, by its id in table `bus_state`: a substation, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bus: Option<String>,
    /// When, seconds from the start of the period.
    pub start_s: u32,
    /// Time until it is repaired, seconds.
    #[serde(default = "half_a_day")]
    pub repair_s: u32,
}

fn half_a_day() -> u32 {
    43_200
}
