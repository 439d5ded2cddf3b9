//! Water balance of routing, and SWMM's continuity error.
//!
//! Volumes are flows integrated by trapezoids over the steps, as in SWMM; what is in nodes and conduits is measured in
//! the beginning and in the end. The residual is what came and is nowhere.

use super::network::{Method, Sewer};
use super::runoff::RunoffLedger;
use super::state::State;

/// Flows of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepFlows {
    /// Sewage, m3/s.
    pub dry_weather_m3ps: f64,
    /// Runoff, m3/s.
    pub wet_weather_m3ps: f64,
    /// Series, base flows, and water that comes in through outfalls, m3/s.
    pub external_m3ps: f64,
    /// Water that leaves through outfalls, m3/s.
    pub outfalls_m3ps: f64,
    /// Water that leaves through manholes and basins, m3/s.
    pub flooding_m3ps: f64,
    /// Evaporation, m3/s.
    pub evaporation_m3ps: f64,
    /// Seepage, m3/s.
    pub seepage_m3ps: f64,
}

/// Water balance of routing, m3.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RoutingLedger {
    /// Sewage.
    pub dry_weather_m3: f64,
    /// Runoff.
    pub wet_weather_m3: f64,
    /// Series, base flows, and water that came in through outfalls.
    pub external_m3: f64,
    /// Left through outfalls.
    pub outfalls_m3: f64,
    /// Left through manholes and basins.
    pub flooding_m3: f64,
    /// Evaporation.
    pub evaporation_m3: f64,
    /// Seepage.
    pub seepage_m3: f64,
    /// In nodes and conduits in the beginning.
    pub first_stored_m3: f64,
    /// In the end.
    pub last_stored_m3: f64,
}

impl RoutingLedger {
    /// Adds flows over a time.
    pub(crate) fn add(&mut self, flows: &StepFlows, time_s: f64) {
        self.dry_weather_m3 += flows.dry_weather_m3ps * time_s;
        self.wet_weather_m3 += flows.wet_weather_m3ps * time_s;
        self.external_m3 += flows.external_m3ps * time_s;
        self.outfalls_m3 += flows.outfalls_m3ps * time_s;
        self.flooding_m3 += flows.flooding_m3ps * time_s;
        self.evaporation_m3 += flows.evaporation_m3ps * time_s;
        self.seepage_m3 += flows.seepage_m3ps * time_s;
    }
    /// What came, and what left or is there, m3. Flows that may have either sign count where they are positive.
    #[must_use]
    pub fn totals_m3(&self) -> (f64, f64) {
        let mut came = self.first_stored_m3 + self.wet_weather_m3;
        let mut went = self.last_stored_m3 + self.flooding_m3 + self.evaporation_m3 + self.seepage_m3;
        for flow in [self.dry_weather_m3, self.external_m3, -self.outfalls_m3] {
            if flow >= 0.0 {
                came += flow;
            } else {
                went -= flow;
            }
        }
        (came, went)
    }
    /// What came and is nowhere, m3.
    #[must_use]
    pub fn residual_m3(&self) -> f64 {
        let (came, went) = self.totals_m3();
        came - went
    }
    /// SWMM's continuity error, percent of what came.
    #[must_use]
    pub fn error_percent(&self) -> f64 {
        let (came, went) = self.totals_m3();
        if came > 0.0 {
            100.0 * (1.0 - went / came)
        } else if went > 0.0 {
            100.0 * (came / went - 1.0)
        } else {
            0.0
        }
    }
}

/// Both balances.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ledger {
    /// Runoff.
    pub runoff: RunoffLedger,
    /// Routing.
    pub routing: RoutingLedger,
}

/// Water in nodes and conduits, m3. In steady flow conduits hold none in the end.
pub(crate) fn stored(sewer: &Sewer, state: &State) -> f64 {
    let nodes: f64 = state.nodes.volume_m3.iter().sum();
    let links: f64 = match sewer.options.method {
        Method::Steady => 0.0,
        _ => state.links.volume_m3.iter().sum(),
    };
    nodes + links
}

/// Adds what leaves at the end of a step; outfalls and, without momentum, ends of the tree hold no water.
pub(crate) fn leave(sewer: &Sewer, state: &mut State, flows: &mut StepFlows) {
    let nodes = &mut state.nodes;
    for node in 0..nodes.depth_m.len() {
        let is_end = sewer.options.method != Method::Dynamic && nodes.degree[node] == 0 && !sewer.is_storage(node);
        if sewer.is_outfall(node) || is_end {
            if nodes.outflow_m3ps[node] <= 0.0 {
                flows.outfalls_m3ps += nodes.inflow_m3ps[node];
            } else if nodes.inflow_m3ps[node] <= 0.0 && sewer.is_outfall(node) {
                flows.external_m3ps += nodes.outflow_m3ps[node];
                nodes.inflow_m3ps[node] = nodes.outflow_m3ps[node];
            }
            nodes.overflow_m3ps[node] = 0.0;
            nodes.volume_m3[node] = 0.0;
        } else if nodes.volume_m3[node] <= nodes.full_volume_m3[node] {
            flows.flooding_m3ps += nodes.overflow_m3ps[node];
        }
    }
    flows.evaporation_m3ps += state.basin_losses.0;
    flows.seepage_m3ps += state.basin_losses.1;
    for (row, barrels) in sewer.conduits.barrels.iter().enumerate() {
        flows.evaporation_m3ps += barrels * state.conduits.evaporation_m3ps[row];
        flows.seepage_m3ps += barrels * state.conduits.seepage_m3ps[row];
    }
}
