//! Mass of gas in pipes (linepack) and how it changes between ticks.
//!
//! Each tick is steady, so pressures adjust at once; the mass that pipes then hold is another than before, and the
//! difference is what feeders must bring beyond the draws of the tick (or may save): quasi-steady storage. The law of
//! conservation that holds from tick to tick is
//!
//! ```text
//! fed = drawn + linepack now - linepack before
//! ```
//!
//! Contract: no allocation; sums run in the order of links.

use super::GasFlow;

/// Mass in pipes over ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Linepack {
    /// Mass in the pipes with supply, kg; `None` before the first tick.
    pub held_kg: Option<f64>,
}

/// A tick's masses, kg.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinepackTick {
    /// In pipes at the end.
    pub held_kg: f64,
    /// Gained by pipes; 0 in the first tick.
    pub gained_kg: f64,
    /// Drawn less fed in at sources.
    pub drawn_kg: f64,
    /// To be brought by feeders.
    pub fed_kg: f64,
}

/// Mass in all pipes with supply, kg.
#[must_use]
pub fn total_kg(flow: &GasFlow) -> f64 {
    let links = 0..flow.network().links.len();
    links.filter(|&link| flow.hydraulics().supply().is_live[link]).map(|link| flow.link(link).linepack_kg).sum()
}

impl Linepack {
    /// Takes note of a solved tick of `seconds`.
    pub fn tick(&mut self, flow: &GasFlow, seconds: f64) -> LinepackTick {
        let held_kg = total_kg(flow);
        let served = flow.network().draws.iter().filter(|draw| flow.is_supplied(draw.node));
        let drawn_kg = seconds * served.map(|draw| draw.mdot_kgps).sum::<f64>();
        let gained_kg = self.held_kg.map_or(0.0, |before| held_kg - before);
        self.held_kg = Some(held_kg);
        LinepackTick { held_kg, gained_kg, drawn_kg, fed_kg: drawn_kg + gained_kg }
    }
}
