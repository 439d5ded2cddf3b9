//! What the options of a file say.

use super::super::units::FlowUnits;

/// How water is routed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Links pass on what they get.
    Steady,
    /// Kinematic waves on a tree.
    Kinematic,
    /// Saint-Venant equations on any network.
    Dynamic,
}

/// How much inertia is damped in dynamic waves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damping {
    /// Never.
    None,
    /// More as flow nears critical.
    Partial,
    /// Always.
    Full,
}

/// When flow of dynamic waves is limited to normal flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormalFlow {
    /// Where the surface slopes less than the conduit.
    Slope,
    /// Where flow is supercritical upstream.
    Froude,
    /// Either.
    Both,
    /// Never.
    Neither,
}

/// Formula for friction in a force main.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForceMain {
    /// Hazen-Williams: a coefficient.
    HazenWilliams,
    /// Darcy-Weisbach: a roughness height, m.
    DarcyWeisbach,
}

/// What a file's options say.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Units of the file.
    pub units: FlowUnits,
    /// Routing.
    pub method: Method,
    /// First day, days since 1970-01-01.
    pub start_day: i64,
    /// Time of that day, s.
    pub start_of_day_s: f64,
    /// Length of the simulation, s.
    pub duration_s: f64,
    /// Results begin at, s after the start.
    pub report_start_s: f64,
    /// Step of results, s.
    pub report_step_s: f64,
    /// Step of runoff in wet weather, whole s.
    pub wet_step_s: f64,
    /// Step of runoff in dry weather, whole s.
    pub dry_step_s: f64,
    /// Longest step of routing, s.
    pub routing_step_s: f64,
    /// Step at which rules are looked at, s; 0 is every step of routing.
    pub rule_step_s: f64,
    /// Whether nodes with an area keep water that leaves them.
    pub has_ponding: bool,
    /// Damping of inertia.
    pub damping: Damping,
    /// Limits to normal flow.
    pub normal_flow: NormalFlow,
    /// Formula of force mains.
    pub force_main: ForceMain,
    /// Step for which conduits are lengthened, s; 0 is never.
    pub lengthening_step_s: f64,
    /// Share of the Courant step taken; 0 is a fixed step.
    pub courant_share: f64,
    /// Shortest variable step, s.
    pub minimum_step_s: f64,
    /// Least surface of a node, m2.
    pub min_surface_m2: f64,
    /// Least slope of conduits.
    pub min_slope: f64,
    /// Most iterations of a step.
    pub max_trials: u32,
    /// Change of depth below which a node has converged, m.
    pub head_tolerance_m: f64,
    /// Whether full conduits have a Preissmann slot; otherwise nodes are surcharged as in EXTRAN.
    pub has_slot: bool,
    /// Evaporation by month, m/s.
    pub evaporation_mps: [f64; 12],
    /// Whether it rests while it rains.
    pub evaporates_when_dry_only: bool,
    /// Whether rain is left out.
    pub ignores_rain: bool,
}
