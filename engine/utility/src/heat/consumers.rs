//! Flow of consumers whose heat is given with a drop of temperature or a temperature of the return:
//! `m = Q / (cp dT)` or `m = Q / (cp (T_in - T_return))`, with the mean of the heat capacities at inlet and outlet, as
//! pandapipes has it. A supply that is no warmer than the return it should have can give nothing: no flow.
//!
//! Contract: pure functions.

use crate::pipes::fluid::Fluid;
use crate::pipes::network::{Given, Network};

/// Flow of a consumer at temperatures of its water, kg/s.
#[must_use]
pub fn flow_kgps(given: Given, fluid: &Fluid, t_in_k: f64, t_out_k: f64) -> f64 {
    let cp = fluid.mean_heat_capacity_jpkgk(t_in_k, t_out_k);
    match given {
        Given::FlowHeat(m, _) | Given::FlowDrop(m, _) | Given::FlowReturn(m, _) => m,
        Given::HeatDrop(q_w, drop_k) => q_w / (cp * drop_k),
        Given::HeatReturn(q_w, return_k) => {
            let drop_k = t_in_k - return_k;
            if drop_k > 0.0 && q_w.abs() > 0.0 {
                q_w / (fluid.mean_heat_capacity_jpkgk(t_in_k, return_k) * drop_k)
            } else {
                0.0
            }
        }
    }
}

/// Whether the flow of a consumer follows from temperatures.
#[must_use]
pub fn follows_temperature(given: Given) -> bool {
    matches!(given, Given::HeatDrop(..) | Given::HeatReturn(..))
}

/// Highest temperature at which plants and feeds give water, K; negative infinity of none that is given.
#[must_use]
pub fn hottest_k(network: &Network) -> f64 {
    let plants = network.plants.iter().filter_map(|plant| plant.t_flow_k);
    plants.chain(network.feeds.iter().filter_map(|feed| feed.t_k)).fold(f64::NEG_INFINITY, f64::max)
}
