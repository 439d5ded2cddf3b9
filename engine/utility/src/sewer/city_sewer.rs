//! The sewer of a city in a run: every step it takes the sewage of buildings and the rain on the ground, leads them to
//! outfalls, and tells where water comes up.
//!
//! Rain is one over the city. Sewage comes into the node of its building. Water that comes up ponds or is lost, as the
//! network says ([`super::simulation`]); [`CitySewer::flooded_links`] tells which streets it stands on and how deep by one
//! rule: what is ponded at a node now, or where nothing ponds what came up in the last step, over the ground that water
//! from the node spreads over, on each link above the node; of several nodes below a link the deepest counts. No water
//! runs along streets.
//!
//! Laws, checked by the audit at every step, to rounding ([`super::books`]):
//!
//! ```text
//! rain = evaporated + infiltrated + runoff + on the ground
//! runoff + sewage + other inflow = outfalls + lost + evaporated + seeped + stored more + on account more
//! ```
//!
//! Contract: a step is a pure function of the one before and of what comes in; the same bits on any number of threads.

mod rain;
mod settings;
mod wiring;

pub use rain::Rain;
pub use settings::SewerSettings;
pub use wiring::SewerWiring;

use super::books::WaterBalance;
use super::network::Sewer;
use super::simulation::Simulation;
use bevy_ecs::resource::Resource;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::{Problem, Result};

/// Rain of 1 mm/h, m/s.
const MM_PER_H: f64 = 1e-3 / 3600.0;
/// Depth on a street that is none, m.
const DRY_M: f64 = 1e-4;

/// What a sewer is to take, and when.
#[derive(Clone, Copy, Debug)]
pub struct SewerNeeds<'a> {
    /// Mean sewage of each building, m3/s; shape: buildings. A synthetic sewer is sized for it.
    pub dry_m3ps: &'a [f64],
    /// Local day on which the run starts, days since 1970-01-01.
    pub start_day: i64,
    /// Local time at which it starts, s after midnight.
    pub start_of_day_s: f64,
}

/// What nodes showed in an interval; columns by node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SewerNodeTally {
    /// Greatest depth at the end of a step, m.
    pub depth_m: Vec<f64>,
    /// Greatest inflow at the end of a step, m3/s.
    pub inflow_m3ps: Vec<f64>,
    /// Water that came up, m3.
    pub flooded_m3: Vec<f64>,
    /// Water that left through the node, where it is an outfall, m3.
    pub left_m3: Vec<f64>,
}

impl SewerNodeTally {
    fn new(nodes: usize) -> Self {
        let zeros = || vec![0.0; nodes];
        Self { depth_m: zeros(), inflow_m3ps: zeros(), flooded_m3: zeros(), left_m3: zeros() }
    }
    /// Begins the next interval.
    pub fn begin(&mut self) {
        for column in [&mut self.depth_m, &mut self.inflow_m3ps, &mut self.flooded_m3, &mut self.left_m3] {
            column.fill(0.0);
        }
    }
}

/// Water on a street.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloodedLink {
    /// Row of the city's links.
    pub link: u32,
    /// Depth of water, m.
    pub depth_m: f64,
    /// Node that it comes from.
    pub node: u32,
}

/// See the module.
#[derive(Clone, Debug, Resource)]
pub struct CitySewer {
    settings: SewerSettings,
    wiring: SewerWiring,
    simulation: Option<Simulation<'static>>,
    rain: Rain,
    by_node_m3ps: Vec<f64>,
    /// Tallies of the interval of table `sewer_node`.
    pub nodes: SewerNodeTally,
}

impl CitySewer {
    /// The sewer of a city whose buildings have these needs. Paths are relative to `folder`.
    ///
    /// # Errors
    /// Settings, files or streets of which no sewer can be made.
    pub fn new(city: &City, settings: &SewerSettings, needs: &SewerNeeds<'_>, folder: &Path) -> Result<Self> {
        let (wiring, sewer) = SewerWiring::new(city, settings, needs.dry_m3ps, folder)?;
        let rain = if settings.is_none() { Rain::default() } else { Rain::new(settings, folder)? };
        let simulation = sewer.map(|mut sewer: Sewer| {
            sewer.dry_weather = super::network::DryWeather::default();
            sewer.options.start_day = needs.start_day;
            sewer.options.start_of_day_s = needs.start_of_day_s;
            Simulation::stepwise(sewer)
        });
        if wiring.building_node.len() != city.buildings.len() && simulation.is_some() {
            return Err(Problem::file(folder, "the sewer does not know every building").into());
        }
        let nodes = wiring.node_id.len();
        Ok(Self {
            settings: settings.clone(),
            simulation,
            rain,
            by_node_m3ps: vec![0.0; nodes],
            nodes: SewerNodeTally::new(nodes),
            wiring,
        })
    }
    /// How it was set up.
    #[must_use]
    pub fn settings(&self) -> &SewerSettings {
        &self.settings
    }
    /// What hangs where.
    #[must_use]
    pub fn wiring(&self) -> &SewerWiring {
        &self.wiring
    }
    /// Its state; none where the city has no sewer.
    #[must_use]
    pub fn simulation(&self) -> Option<&Simulation<'static>> {
        self.simulation.as_ref()
    }
    /// Rain as the settings have it, mean over a time after the start, mm/h.
    #[must_use]
    pub fn rain_mm_per_h(&self, from_s: f64, seconds: f64) -> f64 {
        self.rain.mean_mm_per_h(from_s, seconds)
    }
    /// Elevation of the bottom of each node, m.
    #[must_use]
    pub fn invert_m(&self) -> &[f64] {
        self.simulation.as_ref().map_or(&[], |of| &of.sewer().nodes.invert_m)
    }
    /// Goes on by so many seconds, in which buildings bring this sewage, m3/s, and it rains so much, mm/h. Shape: buildings.
    pub fn step(&mut self, wastewater_m3ps: &[f64], rain_mm_per_h: f64, seconds: f64) {
        let Some(simulation) = &mut self.simulation else { return };
        self.by_node_m3ps.fill(0.0);
        for (&node, m3ps) in self.wiring.building_node.iter().zip(wastewater_m3ps) {
            self.by_node_m3ps[node as usize] += m3ps.max(0.0);
        }
        for (node, &m3ps) in self.by_node_m3ps.iter().enumerate() {
            simulation.set_inflow_m3ps(node, m3ps);
        }
        simulation.set_rain_mps(&[MM_PER_H * rain_mm_per_h.max(0.0)]);
        simulation.advance(seconds);
        let tally = &mut self.nodes;
        let most = |tally: &mut [f64], now: &[f64]| tally.iter_mut().zip(now).for_each(|(of, now)| *of = of.max(*now));
        most(&mut tally.depth_m, simulation.node_depth_m());
        most(&mut tally.inflow_m3ps, simulation.node_inflow_m3ps());
        let sum = |tally: &mut [f64], now: &[f64]| tally.iter_mut().zip(now).for_each(|(of, now)| *of += now);
        sum(&mut tally.flooded_m3, simulation.flooded_m3());
        sum(&mut tally.left_m3, simulation.left_m3());
    }
    /// Water since the start.
    #[must_use]
    pub fn balance(&self) -> WaterBalance {
        self.simulation.as_ref().map_or_else(WaterBalance::default, Simulation::balance)
    }
    /// What is missing of the laws over what came; for the audit.
    #[must_use]
    pub fn gap(&self) -> f64 {
        self.balance().gap()
    }
    /// Streets under water after the last step, by link; see the module for the rule.
    #[must_use]
    pub fn flooded_links(&self) -> Vec<FloodedLink> {
        let Some(simulation) = &self.simulation else { return Vec::new() };
        let mut flooded = Vec::new();
        for (node, came_up_m3) in simulation.flooded_m3().iter().enumerate() {
            let ponded_m3 = simulation.ponded_m3(node);
            let volume_m3 = if ponded_m3 > 0.0 { ponded_m3 } else { *came_up_m3 };
            let depth_m = volume_m3 / self.wiring.spread_m2[node];
            if depth_m > DRY_M {
                let links = self.wiring.streets_of(node).iter();
                flooded.extend(links.map(|&link| FloodedLink { link, depth_m, node: node as u32 }));
            }
        }
        flooded.sort_by(|a, b| a.link.cmp(&b.link).then(b.depth_m.total_cmp(&a.depth_m)).then(a.node.cmp(&b.node)));
        flooded.dedup_by_key(|of| of.link);
        flooded
    }
}
