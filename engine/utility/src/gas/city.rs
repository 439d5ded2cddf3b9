//! Gas of a city in a run: every step buildings ask for heat, boilers turn gas into it, and the network brings the gas.
//!
//! Each step is a steady flow; what pipes hold more or less than in the step before is booked as stored
//! ([`super::linepack`]). A building has gas where its node has supply and a pressure that its appliances burn at; what is
//! asked for elsewhere is not drawn. Where no flow is found the step keeps the state before, counts as failed and brings
//! nothing to anybody.
//!
//! Law, checked by the audit at every step: fed in = drawn + stored. Contract: a step is a pure function of the one before
//! and of what is asked for; one thread, same bits everywhere.

mod settings;

pub use settings::GasSettings;

use super::linepack::Linepack;
use super::synthetic::SyntheticGas;
use super::{GasFlow, LinkState};
use crate::layout::Layout;
use crate::pipes::network::Network;
use crate::pipes::pandapipes;
use crate::pipes::solver::HydraulicSettings;
use crate::wiring::{Books, Coverage, NONE, NetworkSource, PowerNeed, Switches, hung, read_buildings};
use bevy_ecs::resource::Resource;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::Result;

/// What nodes and elements did since the intervals of tables `gas_node` and `gas_link` began.
#[derive(Clone, Debug, Default)]
pub struct GasTally {
    /// Lowest pressure above the air, Pa; infinite where there was none. Shape: nodes.
    pub gauge_min_pa: Vec<f64>,
    /// Time without supply, s. Shape: nodes.
    pub dark_s: Vec<f64>,
    /// Highest speed of the gas, m/s. Shape: elements.
    pub velocity_max_mps: Vec<f64>,
}

impl GasTally {
    fn new(network: &Network) -> Self {
        let (nodes, elements) = (network.nodes.len(), network.elements.len());
        Self {
            gauge_min_pa: vec![f64::INFINITY; nodes],
            dark_s: vec![0.0; nodes],
            velocity_max_mps: vec![0.0; elements],
        }
    }
    /// Begins the next interval of nodes.
    pub fn begin_nodes(&mut self) {
        self.gauge_min_pa.fill(f64::INFINITY);
        self.dark_s.fill(0.0);
    }
    /// Begins the next interval of elements.
    pub fn begin_links(&mut self) {
        self.velocity_max_mps.fill(0.0);
    }
}

/// Less than this is no gas, kg in a step.
const FED_KG_MIN: f64 = 1e-20;

/// See the module.
#[derive(Clone, Debug, Resource)]
pub struct CityGas {
    is_synthetic: bool,
    notes: Vec<String>,
    building_draw: Vec<u32>,
    layout: Layout,
    flow: GasFlow,
    settings: HydraulicSettings,
    switches: Switches,
    gauge_least_pa: f64,
    /// Gas for each watt of heat, kg/J.
    kg_per_j: f64,
    /// Heat that buildings ask of gas in the step, watts. Shape: buildings.
    pub asked_w: Vec<f64>,
    /// Share of it that arrives; 1 of buildings that ask for nothing and have supply. Shape: buildings.
    pub served_share: Vec<f64>,
    /// What each draw asks for, kg/s; of those to which no building hangs what the file says.
    draw_kgps: Vec<f64>,
    feed_kgps: Vec<f64>,
    linepack: Linepack,
    books: Books,
    is_converged: bool,
    failed_steps: u32,
    /// Tallies of the intervals of tables.
    pub tally: GasTally,
}

impl CityGas {
    /// The network of a city whose buildings ask for so much heat from gas at most, watts. Paths are relative to `folder`.
    ///
    /// # Errors
    /// Settings, files or streets of which no network can be made; faults of links that it does not have.
    pub fn new(city: &City, settings: &GasSettings, peak_w: &[f64], folder: &Path) -> Result<Self> {
        crate::power::settings::refusing("gas", |tell| settings.check(tell))?;
        let mut hydraulic = HydraulicSettings::default();
        let (network, building_draw, layout, notes) = match (settings.source, &settings.case, &settings.buildings) {
            (NetworkSource::File, Some(case), Some(buildings)) => {
                let net = pandapipes::read(&folder.join(case))?;
                hydraulic.friction = net.options.friction;
                let of = of_file(city, &net.network, &folder.join(buildings))?;
                (net.network, of, Layout::default(), net.notes)
            }
            _ => {
                hydraulic = SyntheticGas::solver();
                // It is planned for energy of the upper heating value.
                let per_w = settings.kg_per_j(SyntheticGas::FLUID) / SyntheticGas::flow_kgps(1.0);
                let peak_w: Vec<f64> = peak_w.iter().map(|heat_w| heat_w * per_w).collect();
                let of = SyntheticGas::plan(city, &peak_w, &settings.synthetic)?;
                let layout = Layout::of_plan(of.node_place, of.facts.corner_start, of.facts.corners);
                (of.network, of.building_draw, layout, of.notes)
            }
        };
        let switches = Switches::new("gas.fault", &settings.fault, |id| network.element_row(id))?;
        let kg_per_j = settings.kg_per_j(&network.fluid.name);
        let tally = GasTally::new(&network);
        let nodes = network.nodes.len();
        Ok(Self {
            is_synthetic: settings.source == NetworkSource::Synthetic,
            notes,
            asked_w: vec![0.0; building_draw.len()],
            served_share: vec![1.0; building_draw.len()],
            building_draw,
            layout,
            draw_kgps: network.draws.iter().map(|draw| draw.mdot_kgps).collect(),
            flow: GasFlow::new(network)?,
            settings: hydraulic,
            switches,
            gauge_least_pa: settings.gauge_least_pa,
            kg_per_j,
            feed_kgps: vec![0.0; nodes],
            linepack: Linepack::default(),
            books: Books::default(),
            is_converged: true,
            failed_steps: 0,
            tally,
        })
    }
    /// Whether it is made up.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        self.is_synthetic
    }
    /// Where nodes and elements lie; unknown of a file.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
    /// What did not come out as planned, in sentences for people.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
    /// Whether a building is connected.
    #[must_use]
    pub fn is_connected(&self, building: usize) -> bool {
        self.building_draw[building] != NONE
    }
    /// Row of the draw of a building; nothing where it is not connected.
    #[must_use]
    pub fn building_draw(&self, building: usize) -> Option<u32> {
        Some(self.building_draw[building]).filter(|draw| *draw != NONE)
    }
    /// Buildings that leave the network: their pipes stay, and nobody draws from them.
    pub fn leave(&mut self, building: usize) {
        let draw = std::mem::replace(&mut self.building_draw[building], NONE);
        if draw != NONE {
            self.draw_kgps[draw as usize] = 0.0;
            self.asked_w[building] = 0.0;
        }
    }
    /// The network as it was last solved.
    #[must_use]
    pub fn flow(&self) -> &GasFlow {
        &self.flow
    }
    /// Steps in which no flow was found.
    #[must_use]
    pub fn failed_steps(&self) -> u32 {
        self.failed_steps
    }
    /// Where the gas came from and went, kg.
    #[must_use]
    pub fn books(&self) -> Books {
        self.books
    }

    /// By node, the building that hangs nearest along links.
    #[must_use]
    pub fn nearest_buildings(&self) -> Vec<u32> {
        let network = self.network();
        let draws = &network.draws;
        let node = |draw: u32| draws[draw as usize].node;
        let hung = hung(&self.building_draw, node);
        network.nearest_buildings(hung)
    }
    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        self.flow.network()
    }
    /// What stops without electricity, each with the building whose supply it shares.
    #[must_use]
    pub fn power_needs(&self) -> Vec<PowerNeed> {
        self.network().power_needs(&self.nearest_buildings())
    }
    /// One reason more, or one less, for an element to be out, from the next step on.
    pub fn hold_out(&mut self, element: u32, is_out: bool) {
        if self.switches.hold(element, is_out) {
            self.flow.change_service(|network| network.switch_element(element as usize, !is_out));
        }
    }

    /// Carries what is asked for through a step that begins at `from_s` and lasts `seconds`.
    pub fn step(&mut self, from_s: u32, seconds: u32) {
        let Self { switches, flow, .. } = self;
        switches.at(from_s, |element, goes_out| {
            flow.change_service(|network| network.switch_element(element as usize, !goes_out));
        });
        for &draw in self.building_draw.iter().filter(|draw| **draw != NONE) {
            self.draw_kgps[draw as usize] = 0.0;
        }
        for (&draw, &asked_w) in self.building_draw.iter().zip(&self.asked_w).filter(|(draw, _)| **draw != NONE) {
            self.draw_kgps[draw as usize] += asked_w * self.kg_per_j;
        }
        self.flow.set_draws(&self.draw_kgps);
        self.is_converged = self.flow.solve(&self.settings).is_converged;
        let length_s = f64::from(seconds);
        let asked_kgps: f64 = self.flow.network().draws.iter().map(|draw| draw.mdot_kgps.max(0.0)).sum();
        self.books.asked += asked_kgps * length_s;
        if self.is_converged {
            self.book(length_s);
        } else {
            self.failed_steps += 1;
            self.flow.reset();
        }
        for (building, share) in self.served_share.iter_mut().enumerate() {
            let draw = self.building_draw[building];
            let has_gas = |node: u32| {
                self.is_converged && self.flow.is_supplied(node) && self.flow.gauge_pa(node) >= self.gauge_least_pa
            };
            let is_served = draw == NONE || has_gas(self.flow.network().draws[draw as usize].node);
            *share = f64::from(u8::from(is_served));
        }
        self.count(length_s);
    }
    /// What feeders give at held pressures, what is drawn, and what pipes gain.
    fn book(&mut self, length_s: f64) {
        self.flow.feeds_kgps(&mut self.feed_kgps);
        let held = self.flow.network().held_pressures();
        let fed_kg: f64 = held.iter().map(|(node, _)| self.feed_kgps[*node as usize]).sum::<f64>() * length_s;
        // What the solver leaves of a network from which nobody draws is nothing.
        let fed_kg = if fed_kg.abs() < FED_KG_MIN { 0.0 } else { fed_kg };
        let tick = self.linepack.tick(&self.flow, length_s);
        let draws = self.flow.network().draws.iter().filter(|draw| self.flow.is_supplied(draw.node));
        let (mut served_kg, mut injected_kg) = (0.0, 0.0);
        for draw in draws {
            served_kg += draw.mdot_kgps.max(0.0) * length_s;
            injected_kg += (-draw.mdot_kgps).max(0.0) * length_s;
        }
        self.books.supplied += fed_kg + injected_kg + tick.gained_kg;
        self.books.served += served_kg;
        self.books.stored += tick.gained_kg;
    }
    fn count(&mut self, length_s: f64) {
        for node in 0..self.tally.dark_s.len() {
            if self.is_converged && self.flow.is_supplied(node as u32) {
                let of = &mut self.tally.gauge_min_pa[node];
                *of = of.min(self.flow.gauge_pa(node as u32));
            } else {
                self.tally.dark_s[node] += length_s;
            }
        }
        for (element, most) in self.tally.velocity_max_mps.iter_mut().enumerate() {
            let LinkState { v_from_mps, v_to_mps, .. } = self.flow.element(element);
            // Without supply there is no speed, which is not a number and gives way.
            *most = most.max(v_from_mps.abs()).max(v_to_mps.abs());
        }
    }
}

/// Row of the draw of each building that the table names.
fn of_file(city: &City, network: &Network, buildings: &Path) -> Result<Vec<u32>> {
    let sinks = network.draws.iter().enumerate().filter(|(_, draw)| draw.table == "sink");
    let row_of: BTreeMap<&str, u32> = sinks.map(|(row, draw)| (draw.id.as_str(), row as u32)).collect();
    read_buildings(city, buildings, "sink_id", "a sink of the network", &row_of, Coverage::Connected)
}
