//! What a water network is made of: a table for each kind of thing, rows in the order of the file. Junctions, reservoirs
//! and tanks are nodes of one table, pipes, pumps and valves links of one table; what only some have lies in tables of
//! their own that point to the row of their node or link. SI throughout.
//!
//! Head is elevation plus pressure head, metres of water. Positive flow runs from a link's `from` to its `to`.

/// What water weighs to EPANET, N/m3: its factor of 8.814 between horsepower and feet times cubic feet per second, with the
/// horsepower of 745.7 W by which [`PumpLift::Power`] is read. Head times flow of a pump is its power over this.
pub const WEIGHT_NPM3: f64 = 745.7 / (8.814 * 0.3048 * 0.3048 * 0.3048 * 0.3048);

/// No row.
pub const NONE: u32 = u32::MAX;

/// Kinds of nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NodeKind {
    /// Draws its demand at whatever head comes of it.
    #[default]
    Junction,
    /// Holds a head.
    Reservoir,
    /// Stores water: its head follows its volume.
    Tank,
}

/// Nodes; columns by node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nodes {
    /// Name.
    pub id: Vec<String>,
    /// Kind.
    pub kind: Vec<NodeKind>,
    /// Elevation of a junction, of a tank's bottom, head of a reservoir, metres.
    pub elevation_m: Vec<f64>,
    /// Pattern that multiplies the head of a reservoir; [`NONE`] for none.
    pub head_pattern: Vec<u32>,
    /// Emitter: flow at 1 m of pressure, m3/s; 0 for none.
    pub emitter_m3ps: Vec<f64>,
    /// Quality at the start: kg/m3 of a chemical, s of age, share of a trace.
    pub initial_quality: Vec<f64>,
    /// Place, as the file has it.
    pub place: Vec<Option<[f64; 2]>>,
}

/// Demands; a node may have several, and their sum is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demands {
    /// Junction.
    pub node: Vec<u32>,
    /// Base demand, m3/s.
    pub base_m3ps: Vec<f64>,
    /// Pattern; [`NONE`] for a constant.
    pub pattern: Vec<u32>,
}

/// How a tank mixes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Mixing {
    /// At once.
    #[default]
    Complete,
    /// An inlet zone of this share of the volume, and the rest.
    TwoCompartment(f64),
    /// First in, first out.
    Fifo,
    /// Last in, first out.
    Lifo,
}

/// Tanks; columns by tank.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tanks {
    /// Node.
    pub node: Vec<u32>,
    /// Level above the bottom at the start, metres.
    pub initial_level_m: Vec<f64>,
    /// Lowest level: below it nothing flows out, metres.
    pub min_level_m: Vec<f64>,
    /// Highest level, metres.
    pub max_level_m: Vec<f64>,
    /// Diameter of a cylinder, metres; also where a curve says the volume.
    pub diameter_m: Vec<f64>,
    /// Volume at the lowest level, m3.
    pub min_volume_m3: Vec<f64>,
    /// Curve of volume (m3) by level (m); [`NONE`] for a cylinder.
    pub volume_curve: Vec<u32>,
    /// Whether a full tank spills what more comes in; otherwise its inlets close.
    pub can_overflow: Vec<bool>,
    /// Mixing.
    pub mixing: Vec<Mixing>,
    /// Bulk reaction, (kg/m3)^(1 - order) per second, negative where it decays; NaN for the general one.
    pub bulk_per_s: Vec<f64>,
}

/// Kinds of links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkKind {
    /// Pipe.
    #[default]
    Pipe,
    /// Pipe with a check valve: flow from `from` to `to` only.
    CheckValve,
    /// Pump, a row of [`Pumps`].
    Pump,
    /// Holds the pressure behind it at its setting at most (m above the elevation of `to`).
    Prv,
    /// Holds the pressure before it at its setting at least (m above the elevation of `from`).
    Psv,
    /// Takes its setting off the pressure (m).
    Pbv,
    /// Lets its setting through at most (m3/s).
    Fcv,
    /// Throttles: its setting is the loss coefficient.
    Tcv,
    /// Loses head by a curve (m by m3/s).
    Gpv,
}

/// What is known of a link at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkStatus {
    /// Nothing flows.
    Closed,
    /// Open; of a valve: fully.
    #[default]
    Open,
    /// Of a valve: acts by its setting.
    Active,
}

/// Links; columns by link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Links {
    /// Name.
    pub id: Vec<String>,
    /// Kind.
    pub kind: Vec<LinkKind>,
    /// Start node.
    pub from: Vec<u32>,
    /// End node.
    pub to: Vec<u32>,
    /// Length, metres; 0 of pumps and valves.
    pub length_m: Vec<f64>,
    /// Inner diameter, metres; 0 of pumps.
    pub diameter_m: Vec<f64>,
    /// Roughness: coefficient of Hazen-Williams, metres of Darcy-Weisbach, Manning's n.
    pub roughness: Vec<f64>,
    /// Loss coefficient of fittings.
    pub minor_loss: Vec<f64>,
    /// Status at the start.
    pub status: Vec<LinkStatus>,
    /// Speed of a pump over its nominal one; setting of a valve in the unit of its kind; 1 of pipes.
    pub setting: Vec<f64>,
    /// Curve of a GPV; [`NONE`] for others.
    pub curve: Vec<u32>,
    /// Bulk reaction, (kg/m3)^(1 - order) per second; NaN for the general one.
    pub bulk_per_s: Vec<f64>,
    /// Wall reaction, m/s (first order) or kg/m2/s (zero order); NaN for the general one.
    pub wall_mps: Vec<f64>,
    /// Vertices, as the file has them.
    pub vertices: Vec<Vec<[f64; 2]>>,
}

/// What lifts in a pump.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PumpLift {
    /// Head by flow (m by m3/s), a row of curves. One point: `4/3 h (1 - q^2 / (4 q^2))` through it; three points of which
    /// the first has no flow: `h0 - r q^n` through them; else straight between points.
    Curve(u32),
    /// Power put into the water, watts.
    Power(f64),
}

/// Pumps; columns by pump.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pumps {
    /// Link.
    pub link: Vec<u32>,
    /// Lift.
    pub lift: Vec<PumpLift>,
    /// Pattern of speeds; [`NONE`] for none.
    pub speed_pattern: Vec<u32>,
    /// Curve of efficiency (share by m3/s); [`NONE`] for the general one.
    pub efficiency_curve: Vec<u32>,
    /// Price per kWh; NaN for the general one.
    pub price_per_kwh: Vec<f64>,
    /// Pattern of prices; [`NONE`] for the general one.
    pub price_pattern: Vec<u32>,
}

/// Multipliers by pattern step, over and over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pattern {
    /// Name.
    pub id: String,
    /// Multipliers.
    pub multipliers: Vec<f64>,
}

/// Points of a curve in SI, by what uses it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Name.
    pub id: String,
    /// Points, ascending in x.
    pub points: Vec<[f64; 2]>,
}

/// What a simple control waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trigger {
    /// A node's head at or above this, metres: of a tank its level, of a junction its pressure, each plus elevation.
    HeadAbove(u32, f64),
    /// A node's head at or below this, metres.
    HeadBelow(u32, f64),
    /// Seconds since the start.
    Time(u32),
    /// Seconds after midnight, every day.
    TimeOfDay(u32),
}

/// What a control sets a link to. A status of `Active` is a setting alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Action {
    /// Link.
    pub link: u32,
    /// Status to set, where the file names one.
    pub status: Option<LinkStatus>,
    /// Setting, where the file gives one: of a pump its speed, of a valve as in [`Links::setting`].
    pub setting: Option<f64>,
}

/// A simple control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// What it does.
    pub action: Action,
    /// When.
    pub trigger: Trigger,
}

/// How a premise compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// =, IS
    Equal,
    /// <>, NOT
    NotEqual,
    /// <=
    AtMost,
    /// >=
    AtLeast,
    /// <, BELOW
    Below,
    /// >, ABOVE
    Above,
}

/// What a premise of a rule looks at, with what it compares to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject {
    /// Sum of demands of the network, m3/s.
    SystemDemand(f64),
    /// Demand of a node, m3/s.
    NodeDemand(u32, f64),
    /// Head of a node, metres.
    NodeHead(u32, f64),
    /// Pressure at a junction, or level of a tank, metres.
    NodePressure(u32, f64),
    /// Time in which a tank would fill, seconds.
    FillTime(u32, f64),
    /// Time in which a tank would drain, seconds.
    DrainTime(u32, f64),
    /// Flow of a link, m3/s, whichever way.
    LinkFlow(u32, f64),
    /// Setting of a link, as in [`Links::setting`].
    LinkSetting(u32, f64),
    /// Status of a link.
    LinkStatus(u32, LinkStatus),
    /// Seconds since the start.
    Time(u32),
    /// Seconds after midnight.
    ClockTime(u32),
}

/// A premise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Premise {
    /// Whether `OR` joins it to the premise before. `OR` binds before `AND` does, as in EPANET: a rule holds where each
    /// group of premises joined by `OR` has one that does.
    pub is_or: bool,
    /// What is compared with what.
    pub subject: Subject,
    /// How.
    pub relation: Relation,
}

/// A rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// Name.
    pub id: String,
    /// Premises, in order.
    pub premises: Vec<Premise>,
    /// What is done where they hold.
    pub then: Vec<Action>,
    /// What is done where they do not.
    pub otherwise: Vec<Action>,
    /// Of rules that want different things of one link, the higher one wins.
    pub priority: f64,
}

/// Formulas of head loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadLoss {
    /// Hazen-Williams.
    #[default]
    HazenWilliams,
    /// Darcy-Weisbach.
    DarcyWeisbach,
    /// Chezy-Manning.
    ChezyManning,
}

/// What is done about an unbalanced step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unbalanced {
    /// The file asks for a halt; the step is flagged all the same, and the run goes on.
    #[default]
    Stop,
    /// So many more trials with statuses as they are.
    Continue(u32),
}

/// What quality is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QualityKind {
    /// None.
    #[default]
    None,
    /// A chemical that reacts.
    Chemical,
    /// Age.
    Age,
    /// Share of the water that comes from a node.
    Trace(u32),
}

/// What comes in with water of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// Concentration of inflow from outside, kg/m3.
    Concentration,
    /// Mass, kg/s.
    Mass,
    /// Concentration of what leaves the node at least, kg/m3.
    Setpoint,
    /// Concentration added to what leaves the node, kg/m3.
    FlowPaced,
}

/// A source of quality.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualitySource {
    /// Node.
    pub node: u32,
    /// Kind.
    pub kind: SourceKind,
    /// Strength in the unit of the kind.
    pub strength: f64,
    /// Pattern; [`NONE`] for none.
    pub pattern: u32,
}

/// How quality is followed.
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    /// Kind.
    pub kind: QualityKind,
    /// Orders of reactions: bulk, tank, wall.
    pub orders: [f64; 3],
    /// General bulk reaction, (kg/m3)^(1 - order) per second.
    pub bulk_per_s: f64,
    /// General wall reaction, m/s (first order) or kg/m2/s (zero order).
    pub wall: f64,
    /// Concentration that reactions tend to, kg/m3; 0 for none.
    pub limit: f64,
    /// Wall reactions by roughness, in the unit of `wall`: over the coefficient of Hazen-Williams, over the logarithm of
    /// relative roughness, or times Manning's n; 0 for none.
    pub roughness_correlation: f64,
    /// Molecular diffusivity, m2/s.
    pub diffusivity_m2ps: f64,
    /// Parcels closer than this are one.
    pub tolerance: f64,
    /// Sources.
    pub sources: Vec<QualitySource>,
}

/// How demands depend on pressure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DemandModel {
    /// Not at all.
    #[default]
    Fixed,
    /// Wagner (1988): none below the minimum, all from the required pressure (m), between by a power.
    PressureDriven {
        /// Pressure below which nothing is delivered, metres.
        minimum_m: f64,
        /// Pressure from which all is, metres.
        required_m: f64,
        /// Exponent.
        exponent: f64,
    },
}

/// Options of hydraulics.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Formula of pipes.
    pub head_loss: HeadLoss,
    /// Demand model.
    pub demand_model: DemandModel,
    /// Pressures of a file that states them without a model that depends on pressure: minimum, required, exponent.
    pub stated_pressures: Option<[f64; 3]>,
    /// Density over that of water.
    pub specific_gravity: f64,
    /// Kinematic viscosity, m2/s.
    pub viscosity_m2ps: f64,
    /// Trials of a step.
    pub trials: u32,
    /// Change of flows over flows that ends a step.
    pub accuracy: f64,
    /// What is done about an unbalanced step.
    pub unbalanced: Unbalanced,
    /// Multiplier of all demands.
    pub demand_multiplier: f64,
    /// Exponent of emitters.
    pub emitter_exponent: f64,
    /// Largest error of head loss over a link that ends a step, metres; 0 for no such test.
    pub head_error_m: f64,
    /// Largest change of a flow that ends a step, m3/s; 0 for no such test.
    pub flow_change_m3ps: f64,
    /// Trials between looks at the statuses of pumps, check valves and pipes to tanks.
    pub check_every: u32,
    /// Trials after which these are looked at only where the step converged.
    pub check_until: u32,
    /// Accuracy at which steps are damped and control valves are looked at; 0 for always looked at and never damped.
    pub damp_limit: f64,
}

/// Times, seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// Length of the run; 0 for one state.
    pub duration_s: u32,
    /// Longest hydraulic step.
    pub hydraulic_step_s: u32,
    /// Step of quality.
    pub quality_step_s: u32,
    /// Step of rules.
    pub rule_step_s: u32,
    /// Step of patterns.
    pub pattern_step_s: u32,
    /// Where patterns begin.
    pub pattern_start_s: u32,
    /// Step of reports.
    pub report_step_s: u32,
    /// First report.
    pub report_start_s: u32,
    /// Clock at the start.
    pub start_clock_s: u32,
}

/// Energy of pumps.
#[derive(Clone, Debug, PartialEq)]
pub struct Energy {
    /// Efficiency of pumps without a curve, share.
    pub efficiency: f64,
    /// Price per kWh.
    pub price_per_kwh: f64,
    /// Pattern of prices; [`NONE`] for none.
    pub price_pattern: u32,
    /// Charge per kW of the highest demand.
    pub demand_charge_per_kw: f64,
}

/// A water network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// Title lines.
    pub title: Vec<String>,
    /// Nodes.
    pub nodes: Nodes,
    /// Demands.
    pub demands: Demands,
    /// Tanks.
    pub tanks: Tanks,
    /// Links.
    pub links: Links,
    /// Pumps.
    pub pumps: Pumps,
    /// Patterns.
    pub patterns: Vec<Pattern>,
    /// Curves.
    pub curves: Vec<Curve>,
    /// Simple controls.
    pub controls: Vec<Control>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// Options.
    pub options: Options,
    /// Times.
    pub times: Times,
    /// Energy.
    pub energy: Energy,
    /// Quality.
    pub quality: Quality,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            head_loss: HeadLoss::HazenWilliams,
            demand_model: DemandModel::Fixed,
            stated_pressures: None,
            specific_gravity: 1.0,
            // 1.1e-5 square feet per second.
            viscosity_m2ps: 1.1e-5 * 0.3048 * 0.3048,
            trials: 200,
            accuracy: 0.001,
            unbalanced: Unbalanced::Stop,
            demand_multiplier: 1.0,
            emitter_exponent: 0.5,
            head_error_m: 0.0,
            flow_change_m3ps: 0.0,
            check_every: 2,
            check_until: 10,
            damp_limit: 0.0,
        }
    }
}

impl Default for Times {
    fn default() -> Self {
        Self {
            duration_s: 0,
            hydraulic_step_s: 3600,
            quality_step_s: 300,
            rule_step_s: 360,
            pattern_step_s: 3600,
            pattern_start_s: 0,
            report_step_s: 3600,
            report_start_s: 0,
            start_clock_s: 0,
        }
    }
}

impl Default for Energy {
    fn default() -> Self {
        Self { efficiency: 0.75, price_per_kwh: 0.0, price_pattern: NONE, demand_charge_per_kw: 0.0 }
    }
}

impl Default for Quality {
    fn default() -> Self {
        Self {
            kind: QualityKind::None,
            orders: [1.0; 3],
            bulk_per_s: 0.0,
            wall: 0.0,
            limit: 0.0,
            roughness_correlation: 0.0,
            // 1.3e-8 square feet per second: chlorine at 20 degrees.
            diffusivity_m2ps: 1.3e-8 * 0.3048 * 0.3048,
            tolerance: 0.01,
            sources: Vec::new(),
        }
    }
}
