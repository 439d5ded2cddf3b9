//! What an event does: to one link, element or machine, from one moment to another.

use super::{FloodDepth, PipedNetwork};
use crate::crews::Trade;
use urbis_core::{CarLinkIx, Tick};
use urbis_utility::power::operation::Element;

/// What becomes of one thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Nobody may enter a road.
    Close(CarLinkIx),
    /// This share of a road's capacity stays.
    Narrow(CarLinkIx, f64),
    /// Water on roads; depth over the hours since it began.
    Flood {
        /// Roads.
        links: Vec<CarLinkIx>,
        /// Depth.
        depth: Vec<FloodDepth>,
    },
    /// A branch or bus of the grid fails.
    Power(Element),
    /// A link or element of a network of pipes is out.
    Piped(PipedNetwork, u32),
    /// A hole in the water network at a node: m3/s at one metre.
    Leak {
        /// Where.
        node: u32,
        /// How large.
        m3ps_per_sqrt_m: f64,
    },
    /// A machine stops, by its row of [`crate::powered::Machines`].
    Machine(u32),
    /// A mobile site falls silent.
    Site(u32),
    /// People are to leave, by the row of [`crate::evacuation::Evacuations::orders`].
    Evacuate(u32),
    /// People gather, by the row of [`crate::gathering::Gatherings::of`], which knows its times itself.
    Gather(u32),
}

impl Effect {
    /// Who repairs it.
    #[must_use]
    pub fn trade(&self) -> Option<Trade> {
        match self {
            Self::Close(_) | Self::Narrow(..) => Some(Trade::Roads),
            Self::Flood { .. } | Self::Evacuate(_) | Self::Gather(_) => None,
            Self::Power(_) => Some(Trade::Power),
            Self::Piped(PipedNetwork::Water, _) | Self::Leak { .. } => Some(Trade::Water),
            Self::Piped(PipedNetwork::Gas, _) => Some(Trade::Gas),
            Self::Piped(PipedNetwork::Heat, _) => Some(Trade::Heat),
            Self::Machine(_) | Self::Site(_) => Some(Trade::Controls),
        }
    }
}

/// One thing that an event does.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Row of the event.
    pub event: u32,
    /// What it happens to, in words.
    pub what: String,
    /// What it does.
    pub effect: Effect,
    /// When it begins.
    pub begins: Tick,
    /// When it ends; nothing where a crew has to repair it.
    pub ends: Option<Tick>,
    /// The building nearest to it; [`u32::MAX`] where it is nowhere.
    pub building: u32,
}
