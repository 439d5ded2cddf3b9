//! Tables of a network of pipes: nodes, links between them, what is drawn and fed, which pressures and temperatures
//! are held. A pipe of several sections is as many links, with nodes between them.
//!
//! Contract: plain columns; rows never move, so a row number stands for its element throughout.

use super::air_pressure_pa;
use super::fluid::Fluid;
use crate::wiring::{PowerNeed, nearest_buildings};

/// Nodes. Shape of every column: nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nodes {
    /// What the file calls it; of a node within a pipe, of the pipe.
    pub id: Vec<String>,
    /// Height above the sea, m.
    pub height_m: Vec<f64>,
    /// Pressure of the air there, Pa.
    pub air_pa: Vec<f64>,
    /// Temperature to begin with, K; of networks whose temperatures are not solved, the one that holds.
    pub t_start_k: Vec<f64>,
    /// Whether it is there at all.
    pub is_in_service: Vec<bool>,
    /// Whether it is a junction of the file, not a node within a pipe.
    pub is_junction: Vec<bool>,
}

impl Nodes {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.id.len()
    }
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }
    /// Adds a node; its row.
    pub fn push(&mut self, id: String, height_m: f64, t_start_k: f64, is_in_service: bool, is_junction: bool) -> u32 {
        self.id.push(id);
        self.height_m.push(height_m);
        self.air_pa.push(air_pressure_pa(height_m));
        self.t_start_k.push(t_start_k);
        self.is_in_service.push(is_in_service);
        self.is_junction.push(is_junction);
        self.len() as u32 - 1
    }
}

/// What holds between pressures and the flow of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LinkKind {
    /// Friction and fittings; without either, the pressure at both ends is one.
    Resistance,
    /// Pressure rises by this, Pa.
    Lift(f64),
    /// Absolute pressure is multiplied by this where flow runs from the from end; back, it passes freely.
    Ratio(f64),
    /// Pressure rises by the curve of this row of [`Network::curves`].
    Pump(u32),
    /// This flow, kg/s, whatever the pressures.
    Flow(f64),
    /// Whatever flow holds the absolute pressure of a node.
    Regulator {
        /// The node whose pressure is held.
        node: u32,
        /// Absolute pressure, Pa.
        pressure_pa: f64,
    },
}

/// What happens to the temperature of the water in a link, beside losses to the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HeatRule {
    /// This heat is taken out, W.
    Draw(f64),
    /// Water leaves colder by this, K.
    Drop(f64),
    /// Water leaves at this temperature, K.
    Outlet(f64),
}

/// Links. Shape of every column: links.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Links {
    /// Node of the from end.
    pub from: Vec<u32>,
    /// Node of the to end.
    pub to: Vec<u32>,
    /// What holds between pressures and flow.
    pub kind: Vec<LinkKind>,
    /// What happens to temperature.
    pub heat: Vec<HeatRule>,
    /// Whether it is there and open.
    pub is_in_service: Vec<bool>,
    /// Length, m; 0 of what has none.
    pub length_m: Vec<f64>,
    /// Inner diameter, m.
    pub diameter_m: Vec<f64>,
    /// Outer diameter, m, at which heat is lost.
    pub outer_diameter_m: Vec<f64>,
    /// Roughness, m.
    pub roughness_m: Vec<f64>,
    /// Loss coefficient of fittings.
    pub loss: Vec<f64>,
    /// Heat transfer to the ground by outer surface, W/(m2 K).
    pub u_wpm2k: Vec<f64>,
    /// Temperature of the ground, K.
    pub ground_k: Vec<f64>,
    /// Temperature of what leaves, to begin with, K.
    pub t_out_start_k: Vec<f64>,
}

/// A row of [`Links`].
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// See [`Links::from`]; likewise below.
    pub from: u32,
    /// Node of the to end.
    pub to: u32,
    /// What holds between pressures and flow.
    pub kind: LinkKind,
    /// What happens to temperature.
    pub heat: HeatRule,
    /// Whether it is there and open.
    pub is_in_service: bool,
    /// Length, m.
    pub length_m: f64,
    /// Inner diameter, m.
    pub diameter_m: f64,
    /// Outer diameter, m.
    pub outer_diameter_m: f64,
    /// Roughness, m.
    pub roughness_m: f64,
    /// Loss coefficient of fittings.
    pub loss: f64,
    /// Heat transfer by outer surface, W/(m2 K).
    pub u_wpm2k: f64,
    /// Temperature of the ground, K.
    pub ground_k: f64,
    /// Temperature of what leaves, to begin with, K.
    pub t_out_start_k: f64,
}

impl Link {
    /// A link without length between two nodes.
    #[must_use]
    pub fn short(from: u32, to: u32, kind: LinkKind, diameter_m: f64, t_out_start_k: f64) -> Self {
        Self {
            from,
            to,
            kind,
            heat: HeatRule::Draw(0.0),
            is_in_service: true,
            length_m: 0.0,
            diameter_m,
            outer_diameter_m: diameter_m,
            roughness_m: 1e-3,
            loss: 0.0,
            u_wpm2k: 0.0,
            ground_k: t_out_start_k,
            t_out_start_k,
        }
    }
}

impl Links {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.from.len()
    }
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.from.is_empty()
    }
    /// Adds a link; its row.
    pub fn push(&mut self, link: Link) -> u32 {
        self.from.push(link.from);
        self.to.push(link.to);
        self.kind.push(link.kind);
        self.heat.push(link.heat);
        self.is_in_service.push(link.is_in_service);
        self.length_m.push(link.length_m);
        self.diameter_m.push(link.diameter_m);
        self.outer_diameter_m.push(link.outer_diameter_m);
        self.roughness_m.push(link.roughness_m);
        self.loss.push(link.loss);
        self.u_wpm2k.push(link.u_wpm2k);
        self.ground_k.push(link.ground_k);
        self.t_out_start_k.push(link.t_out_start_k);
        self.len() as u32 - 1
    }
    /// Area of the bore, m2.
    #[must_use]
    pub fn area_m2(&self, link: usize) -> f64 {
        std::f64::consts::PI * self.diameter_m[link] * self.diameter_m[link] / 4.0
    }
    /// Heat lost by a link for each kelvin above the ground, W/K.
    #[must_use]
    pub fn loss_wpk(&self, link: usize) -> f64 {
        self.u_wpm2k[link] * std::f64::consts::PI * self.outer_diameter_m[link] * self.length_m[link]
    }
}

/// An element of the file and the links that stand for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// Its table.
    pub table: &'static str,
    /// Its index there.
    pub id: String,
    /// Its name; may be empty.
    pub name: String,
    /// First link.
    pub first: u32,
    /// Number of links.
    pub count: u32,
}

impl Element {
    /// Rows of its links.
    #[must_use]
    pub fn links(&self) -> std::ops::Range<usize> {
        self.first as usize..(self.first + self.count) as usize
    }
}

/// Mass drawn from a node or, negative, fed into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// Its table.
    pub table: &'static str,
    /// Its index there.
    pub id: String,
    /// Node.
    pub node: u32,
    /// Mass drawn, kg/s; 0 where out of service.
    pub mdot_kgps: f64,
}

/// A feeder from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// Its index in the table `ext_grid`.
    pub id: String,
    /// Node.
    pub node: u32,
    /// Absolute pressure it holds, Pa.
    pub pressure_pa: Option<f64>,
    /// Temperature it feeds at, K.
    pub t_k: Option<f64>,
    /// Whether it is there.
    pub is_in_service: bool,
}

/// A circulation pump with its heating: takes water at the from end of its link and returns it heated at the to end.
#[derive(Clone, Debug, PartialEq)]
pub struct Plant {
    /// Its table.
    pub table: &'static str,
    /// Its index there.
    pub id: String,
    /// Its link, from return to flow.
    pub link: u32,
    /// Absolute pressure it holds at its to end, Pa.
    pub pressure_pa: Option<f64>,
    /// Temperature at which water leaves, K.
    pub t_flow_k: Option<f64>,
}

/// The two values that are given of a consumer of heat; the other two follow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Given {
    /// Flow, kg/s, and heat, W.
    FlowHeat(f64, f64),
    /// Flow, kg/s, and drop of temperature, K.
    FlowDrop(f64, f64),
    /// Flow, kg/s, and temperature of the return, K.
    FlowReturn(f64, f64),
    /// Heat, W, and drop of temperature, K.
    HeatDrop(f64, f64),
    /// Heat, W, and temperature of the return, K.
    HeatReturn(f64, f64),
}

impl Given {
    /// The same consumer asking for other heat, W: at the flow, drop or temperature of the return that it has. Where flow and one
    /// of the two others are given, the flow gives way.
    #[must_use]
    pub fn with_heat(self, heat_w: f64) -> Self {
        match self {
            Self::FlowHeat(mdot_kgps, _) => Self::FlowHeat(mdot_kgps, heat_w),
            Self::FlowDrop(_, drop_k) | Self::HeatDrop(_, drop_k) => Self::HeatDrop(heat_w, drop_k),
            Self::FlowReturn(_, return_k) | Self::HeatReturn(_, return_k) => Self::HeatReturn(heat_w, return_k),
        }
    }
}

/// A consumer of heat.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer {
    /// Its index in the table `heat_consumer`.
    pub id: String,
    /// Its link, from supply to return.
    pub link: u32,
    /// What is given.
    pub given: Given,
}

/// A network of one fluid.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// What flows.
    pub fluid: Fluid,
    /// Nodes.
    pub nodes: Nodes,
    /// Links.
    pub links: Links,
    /// Elements of the file in the order of its tables.
    pub elements: Vec<Element>,
    /// What is drawn and fed.
    pub draws: Vec<Draw>,
    /// Feeders from outside.
    pub feeds: Vec<Feed>,
    /// Circulation pumps.
    pub plants: Vec<Plant>,
    /// Consumers of heat.
    pub consumers: Vec<Consumer>,
    /// Curves of pumps: coefficients of pressure, bar, by flow at the inlet, m3/h, highest power first.
    pub curves: Vec<Vec<f64>>,
}

impl Network {
    /// A network without anything in it.
    #[must_use]
    pub fn new(fluid: Fluid) -> Self {
        Self {
            fluid,
            nodes: Nodes::default(),
            links: Links::default(),
            elements: Vec::new(),
            draws: Vec::new(),
            feeds: Vec::new(),
            plants: Vec::new(),
            consumers: Vec::new(),
            curves: Vec::new(),
        }
    }
    /// Row of an element by its table and index (`pipe 7`) or, where no two have that name, its name.
    #[must_use]
    pub fn element_row(&self, id: &str) -> Option<u32> {
        let row = self.elements.iter().position(|of| format!("{} {}", of.table, of.id) == id);
        let mut named = (0..self.elements.len()).filter(|&row| self.elements[row].name == id);
        row.or_else(|| named.next().filter(|_| named.next().is_none())).map(|row| row as u32)
    }
    /// Takes the links of an element in or out of service.
    pub fn switch_element(&mut self, element: usize, is_on: bool) {
        self.links.is_in_service[self.elements[element].links()].fill(is_on);
    }
    /// By node, the building that hangs nearest along links; see [`nearest_buildings`].
    #[must_use]
    pub fn nearest_buildings(&self, hung: impl Iterator<Item = (u32, u32)>) -> Vec<u32> {
        let ends = self.links.from.iter().copied().zip(self.links.to.iter().copied());
        nearest_buildings(self.nodes.len(), ends, hung)
    }
    /// Elements that stop without electricity: plants with their pumps, pumps, compressors. `near` is the nearest building
    /// of each node.
    #[must_use]
    pub fn power_needs(&self, near: &[u32]) -> Vec<PowerNeed> {
        let mut is_plant = vec![false; self.links.len()];
        self.plants.iter().for_each(|plant| is_plant[plant.link as usize] = true);
        let is_driven = |link: usize| {
            is_plant[link]
                || matches!(self.links.kind[link], LinkKind::Lift(_) | LinkKind::Ratio(_) | LinkKind::Pump(_))
        };
        let need = |(row, of): (usize, &Element)| {
            let link = of.links().find(|&link| is_driven(link))?;
            Some(PowerNeed { element: row as u32, building: near[self.links.to[link] as usize] })
        };
        self.elements.iter().enumerate().filter_map(need).collect()
    }
    /// Elements by which what the network carries comes in: plants, and all that begins or ends where pressure is fed.
    #[must_use]
    pub fn source_elements(&self) -> Vec<u32> {
        let mut is_source = vec![false; self.links.len()];
        self.plants.iter().for_each(|plant| is_source[plant.link as usize] = true);
        let mut is_fed = vec![false; self.nodes.len()];
        let feeds = self.feeds.iter().filter(|feed| feed.pressure_pa.is_some());
        feeds.for_each(|feed| is_fed[feed.node as usize] = true);
        let ends = |link: usize| [self.links.from[link], self.links.to[link]];
        let feeds = |link: usize| is_source[link] || ends(link).iter().any(|&node| is_fed[node as usize]);
        let rows = self.elements.iter().enumerate().filter(|(_, of)| of.links().any(feeds));
        rows.map(|(row, _)| row as u32).collect()
    }
    /// Whether a link is there and both its ends are.
    #[must_use]
    pub fn is_open(&self, link: usize) -> bool {
        let is_there = |node: u32| self.nodes.is_in_service[node as usize];
        self.links.is_in_service[link] && is_there(self.links.from[link]) && is_there(self.links.to[link])
    }
    /// Nodes whose pressure is held and the absolute pressure, Pa, in order of nodes; where several hold one node, the
    /// mean of them.
    #[must_use]
    pub fn held_pressures(&self) -> Vec<(u32, f64)> {
        let feeds = self.feeds.iter().filter(|feed| feed.is_in_service);
        let feeds = feeds.filter_map(|feed| Some((feed.node, feed.pressure_pa?)));
        let plants = self.plants.iter().filter(|plant| self.is_open(plant.link as usize));
        let plants = plants.filter_map(|plant| Some((self.links.to[plant.link as usize], plant.pressure_pa?)));
        let mut held: std::collections::BTreeMap<u32, (f64, f64)> = std::collections::BTreeMap::new();
        for (node, pressure_pa) in feeds.chain(plants).filter(|(node, _)| self.nodes.is_in_service[*node as usize]) {
            let of = held.entry(node).or_insert((0.0, 0.0));
            of.0 += pressure_pa;
            of.1 += 1.0;
        }
        held.into_iter().map(|(node, (sum, count))| (node, sum / count)).collect()
    }
}
