//! Manholes, outfalls, basins and dividers.

use super::super::infiltration::Soil;
use super::super::table::Table;

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
    /// Where water leaves; row in [`super::Sewer::outfalls`].
    Outfall(u32),
    /// A basin; row in [`super::Sewer::storages`].
    Storage(u32),
    /// A manhole that splits flow; row in [`super::Sewer::dividers`].
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
