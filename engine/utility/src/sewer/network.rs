//! What a sewer is made of: tables of nodes, links, subcatchments and gages, their curves and series, and options.
//!
//! Rows are dense; references are `u32` rows. All values are SI: m, m2, m3, m3/s, s. Heads are elevations. Contract:
//! tables hold values only; [`super::inp`] fills and checks them.

mod links;
mod nodes;
mod options;

pub use links::{Conduits, LinkKind, Links, Orifice, Outlet, Pump, PumpCurve, Rating, Weir, WeirForm};
pub use nodes::{Divider, NodeKind, Nodes, Outfall, Split, Stage, Storage, Surface};
pub use options::{Damping, ForceMain, Method, NormalFlow, Options};

use super::controls::Rule;
use super::infiltration::Soil;
use super::rain::Gage;
use super::table::Table;
use super::time::Moment;

/// A row that is not there.
pub const NONE: u32 = u32::MAX;

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
