//! Pipes and channels, pumps, orifices, weirs and links with a rating curve.

use super::super::section::Section;
use super::super::table::Table;

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
    /// A pipe or channel; row in [`super::Sewer::conduits`].
    Conduit(u32),
    /// Row in [`super::Sewer::pumps`].
    Pump(u32),
    /// Row in [`super::Sewer::orifices`].
    Orifice(u32),
    /// Row in [`super::Sewer::weirs`].
    Weir(u32),
    /// Row in [`super::Sewer::outlets`].
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
