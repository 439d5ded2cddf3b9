//! District heat of a city in a run: every step buildings ask for heat, and water brings it through the pipes in the time
//! that it takes ([`super::transport`]).
//!
//! The network begins in the steady state of the period's first demands. A consumer that serves several buildings gives
//! each the same share of what it asks for. Where no flow is found the step moves no water, counts as failed and brings
//! nothing to anybody.
//!
//! Law, checked by the audit at every step: made and brought in = delivered + lost + stored. Contract: a step is a pure
//! function of the one before and of what is asked for; one thread, same bits everywhere.

mod settings;

pub use settings::CityHeatSettings;

use super::flow::HeatFlow;
use super::synthetic::SyntheticHeat;
use super::transport::{HeatRun, RunSettings};
use crate::layout::Layout;
use crate::pipes::network::Network;
use crate::pipes::pandapipes;
use crate::wiring::{Books, Coverage, NONE, NetworkSource, PowerNeed, Switches, hung, read_buildings};
use bevy_ecs::resource::Resource;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::Result;

/// What nodes did since the interval of table `heat_node` began; columns by node.
#[derive(Clone, Debug, Default)]
pub struct HeatTally {
    /// Lowest temperature, K; infinite where there was no supply.
    pub t_min_k: Vec<f64>,
    /// Time without supply, s.
    pub dark_s: Vec<f64>,
}

impl HeatTally {
    /// Begins the next interval.
    pub fn begin(&mut self) {
        self.t_min_k.fill(f64::INFINITY);
        self.dark_s.fill(0.0);
    }
}

/// What the network is to carry. Shapes: buildings.
#[derive(Clone, Copy, Debug)]
pub struct HeatNeeds<'a> {
    /// The most that each building asks for, watts.
    pub peak_w: &'a [f64],
    /// What it asks for in a year, kWh.
    pub kwh_year: &'a [f64],
    /// What it asks for when the period begins, watts.
    pub first_w: &'a [f64],
    /// Whether it is laid to a building whatever trench it takes; empty for none. Counts where the network is made up.
    pub joins: &'a [bool],
}

/// See the module.
#[derive(Clone, Debug, Resource)]
pub struct CityHeat {
    is_synthetic: bool,
    notes: Vec<String>,
    building_consumer: Vec<u32>,
    layout: Layout,
    run: HeatRun,
    switches: Switches,
    /// Heat that buildings ask of the network in the step, watts. Shape: buildings.
    pub asked_w: Vec<f64>,
    /// Share of it that arrives; 1 of buildings that ask for nothing and have supply. Shape: buildings.
    pub served_share: Vec<f64>,
    /// What each consumer asks for, watts; NaN where no building hangs.
    consumer_w: Vec<f64>,
    asked_j: f64,
    is_converged: bool,
    failed_steps: u32,
    /// Tallies of table `heat_node`.
    pub tally: HeatTally,
}

impl CityHeat {
    /// The network of a city; steps are of so many seconds. Paths are relative to `folder`.
    ///
    /// # Errors
    /// Settings, files or streets of which no network can be made, one without a steady state to begin with, faults of links
    /// that it does not have.
    pub fn new(
        city: &City,
        settings: &CityHeatSettings,
        needs: &HeatNeeds<'_>,
        folder: &Path,
        step_s: u32,
    ) -> Result<Self> {
        crate::power::settings::refusing("heat", |tell| settings.check(tell))?;
        let mut run_settings = RunSettings { step_s: f64::from(step_s), ..RunSettings::default() };
        let (network, building_consumer, layout, notes) = match (settings.source, &settings.case, &settings.buildings) {
            (NetworkSource::File, Some(case), Some(buildings)) => {
                let net = pandapipes::read(&folder.join(case))?;
                run_settings.heat.hydraulic.friction = net.options.friction;
                run_settings.heat.ambient_k = net.options.ambient_k;
                let of = of_file(city, &net.network, &folder.join(buildings))?;
                (net.network, of, Layout::default(), net.notes)
            }
            _ => {
                let HeatNeeds { peak_w, kwh_year, joins, .. } = *needs;
                let of = SyntheticHeat::plan_with(city, peak_w, kwh_year, joins, &settings.synthetic)?;
                let layout = Layout::of_plan(of.node_place, of.facts.corner_start, of.facts.corners);
                (of.network, of.building_consumer, layout, of.notes)
            }
        };
        let switches = Switches::new("heat.fault", &settings.fault, |id| network.element_row(id))?;
        let (nodes, consumers) = (network.nodes.len(), network.consumers.len());
        let mut consumer_w = vec![f64::NAN; consumers];
        sum_up(&building_consumer, needs.first_w, &mut consumer_w);
        let mut flow = HeatFlow::new(network)?;
        for (consumer, &asked_w) in consumer_w.iter().enumerate().filter(|(_, asked_w)| !asked_w.is_nan()) {
            flow.set_heat(consumer as u32, asked_w);
        }
        Ok(Self {
            is_synthetic: settings.source == NetworkSource::Synthetic,
            notes,
            asked_w: vec![0.0; building_consumer.len()],
            served_share: vec![1.0; building_consumer.len()],
            building_consumer,
            layout,
            run: HeatRun::new(flow, run_settings)?,
            switches,
            consumer_w,
            asked_j: 0.0,
            is_converged: true,
            failed_steps: 0,
            tally: HeatTally { t_min_k: vec![f64::INFINITY; nodes], dark_s: vec![0.0; nodes] },
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
        self.building_consumer[building] != NONE
    }
    /// Row of the consumer of a building; nothing where it is not connected.
    #[must_use]
    pub fn building_consumer(&self, building: usize) -> Option<u32> {
        Some(self.building_consumer[building]).filter(|consumer| *consumer != NONE)
    }
    /// A building leaves the network: its pipes stay, and it takes nothing from them.
    pub fn leave(&mut self, building: usize) {
        let consumer = std::mem::replace(&mut self.building_consumer[building], NONE);
        if consumer != NONE && !self.building_consumer.contains(&consumer) {
            self.run.set_heat(consumer, 0.0);
        }
    }
    /// The network as it is after the last step.
    #[must_use]
    pub fn run(&self) -> &HeatRun {
        &self.run
    }
    /// Steps in which no flow was found.
    #[must_use]
    pub fn failed_steps(&self) -> u32 {
        self.failed_steps
    }
    /// Where the heat came from and went, joules.
    #[must_use]
    pub fn books(&self) -> Books {
        let of = self.run.ledger();
        Books {
            asked: self.asked_j,
            supplied: of.produced_j + of.imported_j - of.exported_j,
            served: of.delivered_j,
            lost: of.lost_j,
            stored: of.stored_j - of.stored_at_start_j,
        }
    }

    /// By node, the building that hangs nearest along links.
    #[must_use]
    pub fn nearest_buildings(&self) -> Vec<u32> {
        let network = self.network();
        let (consumers, links) = (&network.consumers, &network.links);
        let node = |consumer: u32| links.from[consumers[consumer as usize].link as usize];
        let hung = hung(&self.building_consumer, node);
        network.nearest_buildings(hung)
    }
    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        self.run.flow().network()
    }
    /// What stops without electricity, each with the building whose supply it shares.
    #[must_use]
    pub fn power_needs(&self) -> Vec<PowerNeed> {
        self.network().power_needs(&self.nearest_buildings())
    }
    /// One reason more, or one less, for an element to be out, from the next step on.
    pub fn hold_out(&mut self, element: u32, is_out: bool) {
        if self.switches.hold(element, is_out) {
            self.run.change_service(|network| network.switch_element(element as usize, !is_out));
        }
    }

    /// Carries what is asked for through a step that begins at `from_s` and lasts `seconds`.
    pub fn step(&mut self, from_s: u32, seconds: u32) {
        let Self { switches, run, .. } = self;
        switches.at(from_s, |element, goes_out| {
            run.change_service(|network| network.switch_element(element as usize, !goes_out));
        });
        let length_s = f64::from(seconds);
        self.run.set_step(length_s);
        sum_up(&self.building_consumer, &self.asked_w, &mut self.consumer_w);
        for (consumer, &asked_w) in self.consumer_w.iter().enumerate() {
            if !asked_w.is_nan() {
                self.run.set_heat(consumer as u32, asked_w);
                self.asked_j += asked_w * length_s;
            }
        }
        self.is_converged = self.run.step().hydraulic.is_converged;
        self.failed_steps += u32::from(!self.is_converged);
        let flow = self.run.flow();
        for (building, share) in self.served_share.iter_mut().enumerate() {
            let consumer = self.building_consumer[building];
            if consumer == NONE {
                continue;
            }
            let link = flow.network().consumers[consumer as usize].link as usize;
            let asked_j = self.consumer_w[consumer as usize] * length_s;
            *share = if !self.is_converged || !flow.hydraulics().supply().is_live[link] {
                0.0
            } else if asked_j > 0.0 {
                (self.run.consumer_j(consumer) / asked_j).clamp(0.0, 1.0)
            } else {
                1.0
            };
        }
        for node in 0..self.tally.dark_s.len() {
            if self.is_converged && flow.is_supplied(node as u32) {
                self.tally.t_min_k[node] = self.tally.t_min_k[node].min(flow.t_k(node as u32));
            } else {
                self.tally.dark_s[node] += length_s;
            }
        }
    }
}

/// What buildings ask of each consumer; NaN where none hangs.
fn sum_up(building_consumer: &[u32], asked_w: &[f64], consumer_w: &mut [f64]) {
    consumer_w.fill(f64::NAN);
    for (&consumer, &asked_w) in building_consumer.iter().zip(asked_w).filter(|(consumer, _)| **consumer != NONE) {
        let of = &mut consumer_w[consumer as usize];
        *of = if of.is_nan() { 0.0 } else { *of } + asked_w;
    }
}

/// Row of the consumer of each building that the table names.
fn of_file(city: &City, network: &Network, buildings: &Path) -> Result<Vec<u32>> {
    let rows = network.consumers.iter().enumerate();
    let row_of: BTreeMap<&str, u32> = rows.map(|(row, consumer)| (consumer.id.as_str(), row as u32)).collect();
    read_buildings(city, buildings, "consumer_id", "a heat consumer of the network", &row_of, Coverage::Connected)
}
