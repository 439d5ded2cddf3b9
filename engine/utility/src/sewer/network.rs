//! What a sewer is made of: tables of nodes, links, subcatchments and gages, their curves and series, and options.
//!
//! Rows are dense; references are `u32` rows. All values are SI: m, m2, m3, m3/s, s. Heads are elevations. Contract:
//! tables hold values only; [`super::inp`] fills and checks them.

use super::controls::Rule;
use super::infiltration::Soil;
use super::rain::Gage;
use super::section::Section;
use super::table::Table;
use super::time::Moment;
use super::units::FlowUnits;

/// A row that is not there.
pub const NONE: u32 = u32::MAX;

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

/// Nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nodes {
    /// Name in the file.
    pub id: Vec<String>,
    /// Kind, with the row in the table of its kind.
    pub kind: Vec<NodeKind>,
    /// Elevation of the bottom, m.
    pub invert_m: Vec<f64>,
    /// Depth at which it overflows, m.
    pub full_depth_m: Vec<f64>,
    /// Depth at the start, m.
    pub initial_depth_m: Vec<f64>,
    /// Depth beyond the full one under pressure, m.
    pub surcharge_depth_m: Vec<f64>,
    /// Area on which water ponds, m2.
    pub ponded_area_m2: Vec<f64>,
    /// Place on the file's map; NaN where it has none.
    pub x: Vec<f64>,
    /// Likewise.
    pub y: Vec<f64>,
}

/// Kinds of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A manhole or fitting.
    Junction,
    /// Where water leaves; row in [`Sewer::outfalls`].
    Outfall(u32),
    /// A basin; row in [`Sewer::storages`].
    Storage(u32),
    /// A manhole that splits flow; row in [`Sewer::dividers`].
    Divider(u32),
}

/// What holds the water level at an outfall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// The lower of critical and normal depth.
    Free,
    /// Normal depth.
    Normal,
    /// An elevation, m.
    Fixed(f64),
}

/// An outfall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outfall {
    /// Level.
    pub stage: Stage,
    /// Whether a gate keeps water from flowing back.
    pub has_flap_gate: bool,
}

/// Surface of a basin over depth, m2 over m.
#[derive(Clone, Debug, PartialEq)]
pub enum Surface {
    /// `constant + factor * depth^exponent`.
    Function {
        /// Constant, m2.
        constant: f64,
        /// Factor, m2 / m^exponent.
        factor: f64,
        /// Exponent.
        exponent: f64,
    },
    /// `constant + linear * depth + square * depth^2`: cones, pyramids and the like.
    Polynomial {
        /// m2.
        constant: f64,
        /// m.
        linear: f64,
        /// 1.
        square: f64,
    },
    /// A curve.
    Curve(Table),
}

/// A basin.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// Surface.
    pub surface: Surface,
    /// Share of evaporation that counts.
    pub evaporation_share: f64,
    /// Soil below and beside it, for seepage.
    pub soil: Option<Soil>,
}

/// How a divider splits flow.
#[derive(Clone, Debug, PartialEq)]
pub enum Split {
    /// What is above a flow is diverted, m3/s.
    Cutoff(f64),
    /// What the other link does not take.
    Overflow,
    /// By a curve of diverted over coming flow, m3/s.
    Curve(Table),
    /// By a weir.
    Weir {
        /// Flow at which it begins, m3/s.
        from_m3ps: f64,
        /// Flow when it is full, m3/s.
        full_m3ps: f64,
    },
}

/// A divider.
#[derive(Clone, Debug, PartialEq)]
pub struct Divider {
    /// Link that gets what is diverted.
    pub link: u32,
    /// Rule.
    pub split: Split,
}

/// Links.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Links {
    /// Name in the file.
    pub id: Vec<String>,
    /// Kind, with the row in the table of its kind.
    pub kind: Vec<LinkKind>,
    /// Node it starts from.
    pub from: Vec<u32>,
    /// Node it leads to.
    pub to: Vec<u32>,
    /// Height above the first node's bottom, m.
    pub offset_from_m: Vec<f64>,
    /// Height above the other's, m.
    pub offset_to_m: Vec<f64>,
    /// Opening; a pump has one that is not used.
    pub section: Vec<Section>,
    /// Whether ends were swapped, as in dynamic waves a conduit leads down; results are given in the file's direction.
    pub is_reversed: Vec<bool>,
    /// Whether a gate keeps water from flowing back.
    pub has_flap_gate: Vec<bool>,
    /// Flow at the start, m3/s.
    pub initial_flow_m3ps: Vec<f64>,
    /// Most flow, m3/s; 0 is no limit.
    pub flow_limit_m3ps: Vec<f64>,
}

/// Kinds of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// A pipe or channel; row in [`Sewer::conduits`].
    Conduit(u32),
    /// Row in [`Sewer::pumps`].
    Pump(u32),
    /// Row in [`Sewer::orifices`].
    Orifice(u32),
    /// Row in [`Sewer::weirs`].
    Weir(u32),
    /// Row in [`Sewer::outlets`].
    Outlet(u32),
}

/// Pipes and channels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conduits {
    /// Row in [`Links`].
    pub link: Vec<u32>,
    /// Length, m.
    pub length_m: Vec<f64>,
    /// Manning's n, s/m^(1/3).
    pub roughness: Vec<f64>,
    /// Pipes side by side.
    pub barrels: Vec<f64>,
    /// Loss of velocity heads at the entrance.
    pub loss_in: Vec<f64>,
    /// At the exit.
    pub loss_out: Vec<f64>,
    /// Along it.
    pub loss_along: Vec<f64>,
    /// Seepage, m/s.
    pub seepage_mps: Vec<f64>,
    /// Coefficient or roughness height, m, of a force main; NaN for others.
    pub force_main: Vec<f64>,
    /// Whether its length does not follow from the file, because it was lengthened: length used by dynamic waves, m.
    pub wave_length_m: Vec<f64>,
    /// Slope, down from the first node.
    pub slope: Vec<f64>,
    /// Conveyance of a section factor, m^(1/3)/s: flow is this times A R^(2/3).
    pub beta: Vec<f64>,
    /// Friction over velocity and R^(-4/3), 1/(m^(2/3)).
    pub friction: Vec<f64>,
    /// Flow when full, m3/s, of one barrel.
    pub full_flow_m3ps: Vec<f64>,
}

/// How a pump's flow is told.
#[derive(Clone, Debug, PartialEq)]
pub enum PumpCurve {
    /// All that comes.
    Ideal,
    /// Steps over volume in the node, m3/s over m3.
    Volume(Table),
    /// Steps over depth, m3/s over m.
    DepthSteps(Table),
    /// Over the head to be lifted, m3/s over m.
    Head(Table),
    /// Over depth, m3/s over m.
    Depth(Table),
    /// Over the head to be lifted at full speed; speed is the setting.
    Speed(Table),
}

/// A pump.
#[derive(Clone, Debug, PartialEq)]
pub struct Pump {
    /// Curve.
    pub curve: PumpCurve,
    /// Whether it runs at the start.
    pub is_on: bool,
    /// Depth at which it starts, m; 0 is never of itself.
    pub start_depth_m: f64,
    /// Depth at which it stops, m; 0 is never of itself.
    pub stop_depth_m: f64,
}

/// An orifice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orifice {
    /// Whether it lies flat in the bottom; otherwise it stands in a wall.
    pub is_bottom: bool,
    /// Discharge coefficient.
    pub coefficient: f64,
    /// Time to open it wholly, s; 0 is at once.
    pub opening_time_s: f64,
    /// Length for its share of the nodes' surface, m.
    pub length_m: f64,
}

/// Forms of weirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeirForm {
    /// Across the flow.
    Transverse,
    /// Along the flow.
    SideFlow,
    /// A triangle.
    VNotch,
    /// A trapezoid.
    Trapezoidal,
}

/// A weir.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weir {
    /// Form.
    pub form: WeirForm,
    /// Discharge coefficient, m^(1/2)/s.
    pub coefficient: f64,
    /// That of the sloping ends of a trapezoid, m^(1/2)/s.
    pub end_coefficient: f64,
    /// Ends at which the stream contracts: 0, 1 or 2.
    pub end_contractions: f64,
    /// Whether it becomes an orifice when its opening is full.
    pub can_surcharge: bool,
    /// Run over rise of its sides.
    pub slope: f64,
}

/// A link with a rating curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlet {
    /// Whether flow follows the difference of heads; otherwise it follows the depth above the opening.
    pub is_by_head: bool,
    /// Flow over head, m3/s over m.
    pub rating: Rating,
}

/// Flow over head.
#[derive(Clone, Debug, PartialEq)]
pub enum Rating {
    /// `coefficient * head^exponent`, m3/s of m.
    Power {
        /// m3/s / m^exponent.
        coefficient: f64,
        /// Exponent.
        exponent: f64,
    },
    /// A curve.
    Curve(Table),
}

/// Where a subcatchment's runoff goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A node.
    Node(u32),
    /// A subcatchment, or itself: nowhere else.
    Subcatchment(u32),
}

/// Where runoff of one part of a subcatchment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InnerRoute {
    /// To its outlet.
    Outlet,
    /// From sealed to open ground.
    Pervious,
    /// From open to sealed ground.
    Impervious,
}

/// Subcatchments. Parts are sealed without storage, sealed with storage, open ground.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subcatchments {
    /// Name in the file.
    pub id: Vec<String>,
    /// Row in [`Sewer::gages`], or [`NONE`].
    pub gage: Vec<u32>,
    /// Outlet.
    pub target: Vec<Target>,
    /// Area, m2.
    pub area_m2: Vec<f64>,
    /// Share that is sealed.
    pub sealed_share: Vec<f64>,
    /// Width of the plane, m.
    pub width_m: Vec<f64>,
    /// Slope.
    pub slope: Vec<f64>,
    /// Manning's n of the parts.
    pub roughness: Vec<[f64; 3]>,
    /// Water that the parts hold back, m.
    pub depression_m: Vec<[f64; 3]>,
    /// Share of sealed area without storage.
    pub bare_share: Vec<f64>,
    /// Inner routing.
    pub route: Vec<InnerRoute>,
    /// Share of runoff that takes it.
    pub routed_share: Vec<f64>,
    /// Infiltration into open ground.
    pub soil: Vec<Soil>,
    /// Corners on the file's map.
    pub polygon: Vec<Vec<(f64, f64)>>,
}

/// Factors over months, days, hours.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// What they follow.
    pub kind: PatternKind,
    /// Factors.
    pub factor: Vec<f64>,
}

/// What a pattern follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternKind {
    /// Months.
    Monthly,
    /// Days of the week, Sunday first.
    Daily,
    /// Hours of every day.
    Hourly,
    /// Hours of Saturdays and Sundays.
    Weekend,
}

/// Water that comes into nodes from outside: a series and a base flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inflows {
    /// Node.
    pub node: Vec<u32>,
    /// Row in [`Sewer::series`], or [`NONE`].
    pub series: Vec<u32>,
    /// Factor of the series, m3/s.
    pub scale_m3ps: Vec<f64>,
    /// Base flow, m3/s.
    pub base_m3ps: Vec<f64>,
    /// Row in [`Sewer::patterns`] for the base flow, or [`NONE`].
    pub pattern: Vec<u32>,
}

/// Sewage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DryWeather {
    /// Node.
    pub node: Vec<u32>,
    /// Mean flow, m3/s.
    pub mean_m3ps: Vec<f64>,
    /// Rows in [`Sewer::patterns`] by [`PatternKind`], or [`NONE`].
    pub patterns: Vec<[u32; 4]>,
}

/// A sewer.
#[derive(Clone, Debug, PartialEq)]
pub struct Sewer {
    /// Options.
    pub options: Options,
    /// Rain gages.
    pub gages: Vec<Gage>,
    /// Subcatchments.
    pub subcatchments: Subcatchments,
    /// Nodes.
    pub nodes: Nodes,
    /// Outfalls.
    pub outfalls: Vec<Outfall>,
    /// Basins.
    pub storages: Vec<Storage>,
    /// Dividers.
    pub dividers: Vec<Divider>,
    /// Links.
    pub links: Links,
    /// Pipes and channels.
    pub conduits: Conduits,
    /// Pumps.
    pub pumps: Vec<Pump>,
    /// Orifices.
    pub orifices: Vec<Orifice>,
    /// Weirs.
    pub weirs: Vec<Weir>,
    /// Links with a rating curve.
    pub outlets: Vec<Outlet>,
    /// Inflows.
    pub inflows: Inflows,
    /// Sewage.
    pub dry_weather: DryWeather,
    /// Patterns.
    pub patterns: Vec<Pattern>,
    /// Series of inflow: s after the start, as the file has them.
    pub series: Vec<Table>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// What the reader left out, changed or assumed.
    pub notes: Vec<String>,
}

impl Sewer {
    /// Evaporation at a time after the start, m/s.
    pub(crate) fn evaporation_mps(&self, at_s: f64) -> f64 {
        let of = &self.options;
        of.evaporation_mps[Moment::after(of.start_day, of.start_of_day_s + at_s).month]
    }
    /// The basin of a node, where it is one.
    pub(crate) fn storage_of(&self, node: usize) -> Option<&Storage> {
        match self.nodes.kind[node] {
            NodeKind::Storage(row) => self.storages.get(row as usize),
            _ => None,
        }
    }
    /// Whether a node is an outfall.
    pub(crate) fn is_outfall(&self, node: usize) -> bool {
        matches!(self.nodes.kind[node], NodeKind::Outfall(_))
    }
    /// Whether a node is a basin.
    pub(crate) fn is_storage(&self, node: usize) -> bool {
        matches!(self.nodes.kind[node], NodeKind::Storage(_))
    }
    /// The row of a conduit, where a link is one.
    pub(crate) fn conduit_of(&self, link: usize) -> Option<usize> {
        match self.links.kind[link] {
            LinkKind::Conduit(row) => Some(row as usize),
            _ => None,
        }
    }
}
