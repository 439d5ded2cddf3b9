//! Events: what happens to a city, as `[[event]]` blocks of a scenario say it.
//!
//! Every block has a name, a kind, when it happens and for how long, and often an area. People do not foresee events: they
//! plan as if nothing happened, and meet it on the way. What is broken is whole again when the event is over or, where the
//! scenario has repair crews and the event does not say how long it takes, when a crew has been there ([`crate::crews`]).
//! [`effects`] is what an event does to a network, [`state`] lets it happen while a run goes on.
//!
//! Contract: a scenario without events runs as if this module were not there.

pub mod damage;
pub mod effects;
pub mod mobilisation;
pub mod state;

use crate::policy::{Area, kinds_know_common_keys};
use mobilisation::MobilisationCurve;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that happens to the city.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = kinds_know_common_keys)]
pub struct Event {
    /// Name, unlike that of any other event of the scenario; results carry it.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// When it begins, local time: a clock time such as `07:30`, the first after the start of the period, or a date and time
    /// such as `2024-06-11T07:30`.
    pub at: String,
    /// How long it lasts, hours. Where absent: until a crew has repaired it, where there are crews (`repair`), else to the end
    /// of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub hours: Option<f64>,
    /// Where it happens; the whole city where absent and the kind allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    /// What happens.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// Roads that nobody may enter.
    RoadClosure,
    /// A crash that leaves a part of the road.
    Crash {
        /// Share of the capacity that stays: about half where one of two lanes is blocked, as drivers look (Highway Capacity
        /// Manual: 0.35 of two lanes, 0.49 of three, 0.58 of four).
        #[serde(default = "third")]
        #[schemars(range(min = 0.0, max = 1.0))]
        capacity_left: f64,
    },
    /// Lines, cables, transformers or whole substations without voltage.
    PowerOutage {
        /// Branches that fail, by their ids in table `branch_state`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        branches: Vec<String>,
        /// Buses that fail with all that ends there, by their ids in table `bus_state`: a substation, say. With an area instead of
        /// both: the buses of its buildings.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        buses: Vec<String>,
    },
    /// A water main that bursts: it leaks until it is shut off, and is shut until it is repaired.
    PipeBurst {
        /// The pipe, by its id in table `water_link`.
        pipe: String,
        /// Area of the hole over that of the pipe's section.
        #[serde(default = "third")]
        #[schemars(range(min = 0.0, max = 1.0))]
        hole_share: f64,
        /// Time until valves around it are closed, hours.
        #[serde(default = "one")]
        #[schemars(range(min = 0.0))]
        shut_off_h: f64,
    },
    /// Elements of a network of pipes that stop: pumps, valves, pipes, regulators, plants.
    Failure {
        /// Which network.
        network: PipedNetwork,
        /// Elements: links of water by their ids in `water_link`, of gas and heat by table and index (`pipe 7`) or name.
        #[schemars(length(min = 1))]
        elements: Vec<String>,
    },
    /// Plants that trip: heating plants, city gates and waterworks of a network, all of them or those in the area.
    PlantTrip {
        /// Which network.
        network: PipedNetwork,
    },
    /// Somebody has the controllers of machines: they stop, in the whole city or in an area.
    CyberIncident {
        /// Which.
        #[schemars(length(min = 1))]
        targets: Vec<Controlled>,
    },
    /// Water over the streets of an area, of a depth that changes with time.
    Flood {
        /// Depth over time, by line between; nothing before the first and after the last.
        #[schemars(length(min = 1))]
        depth: Vec<FloodDepth>,
    },
    /// Shaking that breaks pipes and stations at random, by how hard it shakes.
    Earthquake {
        /// Peak velocity of the ground, m/s.
        #[schemars(range(min = 0.0, max = 3.0))]
        pgv_mps: f64,
        /// Peak acceleration of the ground, over that of gravity.
        #[schemars(range(min = 0.0, max = 3.0))]
        pga_g: f64,
    },
    /// An order to leave an area: who complies sets out after a time, by car where there is one, and stays away until the order
    /// is lifted, `hours` later.
    Evacuation {
        /// Share of the households that comply, of people from outside share of persons.
        #[serde(default = "most")]
        #[schemars(range(min = 0.0, max = 1.0))]
        compliance: f64,
        /// How many have set out by when.
        #[serde(default)]
        curve: MobilisationCurve,
        /// Time after which half of those who comply have set out, minutes.
        #[serde(default = "half_hour")]
        #[schemars(range(min = 0.0, max = 1440.0))]
        median_min: f64,
        /// Of the logistic curve: how spread it is, minutes; half of all set out within 2.2 of it around the median.
        #[serde(default = "ten_minutes")]
        #[schemars(range(min = 0.0, max = 480.0))]
        spread_min: f64,
        /// Where people go: buildings by id, or places outside by name, each group to the one nearest to it. Absent: places
        /// outside, all of them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        to: Vec<String>,
    },
    /// Many people of the city in one place, who come before and leave after: those who are at home and have no other plans.
    Gathering {
        /// Visitors; fewer come where fewer are free.
        #[schemars(range(min = 1))]
        persons: u32,
        /// Where: buildings by id, people by their floor space. With an area instead: all of its buildings.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        buildings: Vec<String>,
        /// Over how long before it begins they arrive, minutes, evenly.
        #[serde(default = "hour")]
        #[schemars(range(min = 0.0, max = 480.0))]
        arrival_min: f64,
        /// Over how long after it ends they leave, minutes, evenly.
        #[serde(default = "half_hour")]
        #[schemars(range(min = 0.0, max = 480.0))]
        leave_min: f64,
    },
    /// Days that are hotter than the weather says.
    HeatWave {
        /// By so much, kelvin.
        #[schemars(range(min = 0.1, max = 30.0))]
        warmer_k: f64,
    },
    /// Days that are colder than the weather says.
    ColdSnap {
        /// By so much, kelvin.
        #[schemars(range(min = 0.1, max = 40.0))]
        colder_k: f64,
    },
}

fn third() -> f64 {
    0.35
}

fn one() -> f64 {
    1.0
}

fn most() -> f64 {
    0.9
}

fn half_hour() -> f64 {
    30.0
}

fn hour() -> f64 {
    60.0
}

fn ten_minutes() -> f64 {
    10.0
}

/// A network of pipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PipedNetwork {
    /// Drinking water.
    Water,
    /// Gas.
    Gas,
    /// District heat.
    Heat,
}

impl PipedNetwork {
    /// Name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Water => "water",
            Self::Gas => "gas",
            Self::Heat => "heat",
        }
    }
}

/// Machines with controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Controlled {
    /// Traffic lights go dark.
    Signals,
    /// Pumps of the water network stop.
    WaterPumps,
    /// Heating plants stop.
    HeatPlants,
    /// Compressors of gas stop.
    GasCompressors,
    /// Mobile sites fall silent.
    MobileSites,
}

/// Depth of a flood at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FloodDepth {
    /// Hours since the event began.
    #[schemars(range(min = 0.0))]
    pub hours: f64,
    /// Depth over the street, m.
    #[schemars(range(min = 0.0, max = 20.0))]
    pub depth_m: f64,
}

impl EventKind {
    /// Name in files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::RoadClosure => "road_closure",
            Self::Crash { .. } => "crash",
            Self::PowerOutage { .. } => "power_outage",
            Self::PipeBurst { .. } => "pipe_burst",
            Self::Failure { .. } => "failure",
            Self::PlantTrip { .. } => "plant_trip",
            Self::CyberIncident { .. } => "cyber_incident",
            Self::Flood { .. } => "flood",
            Self::Earthquake { .. } => "earthquake",
            Self::Evacuation { .. } => "evacuation",
            Self::Gathering { .. } => "gathering",
            Self::HeatWave { .. } => "heat_wave",
            Self::ColdSnap { .. } => "cold_snap",
        }
    }
    /// Whether something is broken by it that somebody has to repair.
    #[must_use]
    pub fn needs_repair(&self) -> bool {
        let moves_people = matches!(self, Self::Evacuation { .. } | Self::Gathering { .. });
        !moves_people && !matches!(self, Self::Flood { .. } | Self::HeatWave { .. } | Self::ColdSnap { .. })
    }
}

/// Depth at a time after the event began, m: by line between what is given, nothing outside.
#[must_use]
pub fn depth_at(depth: &[FloodDepth], hours: f64) -> f64 {
    let after = depth.partition_point(|of| of.hours <= hours);
    match (after.checked_sub(1).and_then(|before| depth.get(before)), depth.get(after)) {
        (Some(a), Some(b)) => a.depth_m + (b.depth_m - a.depth_m) * (hours - a.hours) / (b.hours - a.hours),
        (Some(last), None) if (last.hours - hours).abs() <= 0.0 => last.depth_m,
        _ => 0.0,
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn water_rises_and_falls_by_line() {
        let of = |hours, depth_m| FloodDepth { hours, depth_m };
        let depth = [of(0.0, 0.0), of(2.0, 0.6), of(3.0, 0.6), of(5.0, 0.1)];
        let found = [0.0, 1.0, 2.0, 2.5, 4.0, 5.0, 5.1].map(|hours| depth_at(&depth, hours));
        for (found, expected) in found.into_iter().zip([0.0, 0.3, 0.6, 0.6, 0.35, 0.1, 0.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert!(depth_at(&[of(1.0, 0.4)], 0.5).abs() < 1e-12);
    }
}
