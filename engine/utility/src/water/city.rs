//! Drinking water of a city in a run: every step the network carries what buildings ask for, and tells what of it arrives.
//!
//! A step begins with the demands that buildings have in it; from there the network goes from moment to moment as its
//! tanks, pumps and controls say ([`super::simulation`]) until the step is over. What a building gets is its share of what
//! its junction gets, on the mean of the step.
//!
//! Law, checked by the audit at every step: what flows in = what is delivered + what emitters lose + what tanks gain.
//! Contract: a step is a pure function of the one before and of what is asked for; one thread, same bits everywhere.

mod settings;

pub use settings::{DemandByPressure, WaterSettings};

use super::inp;
use super::measures::{WaterMeasure, WaterMeasures, add_leaks, reducers};
use super::network::{DemandModel, LinkKind, Network, NodeKind};
use super::simulation::{Simulation, Volumes};
use super::synthetic::SyntheticWater;
use crate::layout::Layout;
use crate::wiring::{Books, Coverage, NetworkSource, PowerNeed, Switches, nearest_buildings, read_buildings};
use bevy_ecs::resource::Resource;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::Result;
use urbis_core::units::JOULES_PER_KWH;

/// What nodes did since the interval of table `water_node` began; columns by node.
#[derive(Clone, Debug, Default)]
pub struct NodeTally {
    /// Lowest pressure, metres; infinite where there was none.
    pub pressure_min_m: Vec<f64>,
    /// Asked for, m3.
    pub asked_m3: Vec<f64>,
    /// Delivered, m3; of tanks and reservoirs what flowed in.
    pub served_m3: Vec<f64>,
    /// Time without supply, s.
    pub dark_s: Vec<f64>,
}

impl NodeTally {
    fn new(nodes: usize) -> Self {
        let mut this = Self::default();
        this.pressure_min_m.resize(nodes, f64::INFINITY);
        [&mut this.asked_m3, &mut this.served_m3, &mut this.dark_s]
            .into_iter()
            .for_each(|column| column.resize(nodes, 0.0));
        this
    }
    /// Begins the next interval.
    pub fn begin(&mut self) {
        self.pressure_min_m.fill(f64::INFINITY);
        [&mut self.asked_m3, &mut self.served_m3, &mut self.dark_s].into_iter().for_each(|column| column.fill(0.0));
    }
}

/// What links did since the interval of table `water_link` began; columns by link.
#[derive(Clone, Debug, Default)]
pub struct LinkTally {
    /// Passed from the from to the to end, m3.
    pub passed_m3: Vec<f64>,
    /// Highest speed of the water, m/s; 0 of pumps.
    pub velocity_max_mps: Vec<f64>,
}

impl LinkTally {
    /// Begins the next interval.
    pub fn begin(&mut self) {
        self.passed_m3.fill(0.0);
        self.velocity_max_mps.fill(0.0);
    }
}

/// See the module.
#[derive(Clone, Debug, Resource)]
pub struct CityWater {
    is_synthetic: bool,
    notes: Vec<String>,
    building_node: Vec<u32>,
    layout: Layout,
    run: Simulation,
    switches: Switches,
    /// What buildings ask for in the step, m3/s. Shape: buildings.
    pub asked_m3ps: Vec<f64>,
    /// Share of it that arrives; of buildings that ask for nothing 1 with supply and 0 without. Shape: buildings.
    pub served_share: Vec<f64>,
    /// Of the step: asked for and delivered at each node, m3, and its time without supply, s.
    node_asked_m3: Vec<f64>,
    node_served_m3: Vec<f64>,
    node_dark_s: Vec<f64>,
    /// Mean electric power of each pump in the step, watts. Shape: pumps.
    pub pump_w: Vec<f64>,
    moments: u32,
    unsettled_moments: u32,
    /// Tallies of table `water_node`.
    pub nodes: NodeTally,
    /// Tallies of table `water_link`.
    pub links: LinkTally,
}

impl CityWater {
    /// The network of a city whose buildings draw so much on the mean of a day and at most, m3/s. Paths are relative to
    /// `folder`; the period starts `local_start_s` seconds after midnight, at which patterns and controls by time of day begin.
    ///
    /// # Errors
    /// Settings, files or streets of which no network can be made; faults of links that it does not have.
    pub fn new(
        city: &City,
        settings: &WaterSettings,
        mean_m3ps: &[f64],
        peak_m3ps: &[f64],
        folder: &Path,
        local_start_s: u32,
    ) -> Result<Self> {
        Self::with_measures(city, settings, [mean_m3ps, peak_m3ps], folder, local_start_s, &WaterMeasures::default())
    }
    /// The same, with measures that are put into the network once it is made; draws are the mean of a day and the most.
    ///
    /// # Errors
    /// As [`CityWater::new`].
    pub fn with_measures(
        city: &City,
        settings: &WaterSettings,
        [mean_m3ps, peak_m3ps]: [&[f64]; 2],
        folder: &Path,
        local_start_s: u32,
        measures: &WaterMeasures,
    ) -> Result<Self> {
        crate::power::settings::refusing("water", |tell| settings.check(tell))?;
        let (mut net, building_node, layout, notes) = match (settings.source, &settings.case, &settings.buildings) {
            (NetworkSource::File, Some(case), Some(buildings)) => {
                let (net, building_node) = of_file(city, &folder.join(case), &folder.join(buildings))?;
                let layout = Layout::of_file(city, net.nodes.place.iter().copied());
                (net, building_node, layout, Vec::new())
            }
            _ => {
                let of = SyntheticWater::plan(city, mean_m3ps, peak_m3ps, &settings.synthetic)?;
                let layout = Layout::of_plan(of.node_place, of.links.corner_start, of.links.corners);
                (of.network, of.building_node, layout, of.notes)
            }
        };
        set_demand_model(&mut net, settings);
        if settings.leakage_share > 0.0 && settings.source == NetworkSource::Synthetic {
            let (share, pressure_m) = (settings.leakage_share, settings.leakage_pressure_m);
            add_leaks(&mut net, &building_node, mean_m3ps, share, pressure_m);
        }
        measures.change(&mut net, &building_node);
        // Steps of the run are those of the clock, and nobody reads the network's own reports.
        net.times.report_start_s = u32::MAX;
        (net.times.pattern_start_s, net.times.start_clock_s) = (local_start_s, local_start_s);
        let switches = Switches::new("water.fault", &settings.fault, |id| {
            net.links.id.iter().position(|of| of == id).map(|row| row as u32)
        })?;
        let mut run = Simulation::new(net)?;
        building_node.iter().for_each(|&node| run.give_demand(node, 0.0));
        let (nodes, links) = (run.hydraulics.head_m.len(), run.hydraulics.flow_m3ps.len());
        let pumps = run.pumps.len();
        Ok(Self {
            is_synthetic: settings.source == NetworkSource::Synthetic,
            notes,
            asked_m3ps: vec![0.0; building_node.len()],
            served_share: vec![1.0; building_node.len()],
            building_node,
            layout,
            run,
            switches,
            node_asked_m3: vec![0.0; nodes],
            node_served_m3: vec![0.0; nodes],
            node_dark_s: vec![0.0; nodes],
            pump_w: vec![0.0; pumps],
            moments: 0,
            unsettled_moments: 0,
            nodes: NodeTally::new(nodes),
            links: LinkTally { passed_m3: vec![0.0; links], velocity_max_mps: vec![0.0; links] },
        })
    }
    /// Whether it is made up.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        self.is_synthetic
    }
    /// Whether a junction at which a measure holds loses water.
    #[must_use]
    pub fn leaks(&self, measure: &WaterMeasure) -> bool {
        measure.touches_leak(self.run.hydraulics.network(), &self.building_node)
    }
    /// Whether a reducing valve leads to a junction at which a measure holds.
    #[must_use]
    pub fn reduces(&self, measure: &WaterMeasure) -> bool {
        !reducers(self.run.hydraulics.network(), measure, &self.building_node).is_empty()
    }
    /// Where nodes and links lie.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
    /// What did not come out as planned, in sentences for people.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
    /// Node of each building.
    #[must_use]
    pub fn building_node(&self) -> &[u32] {
        &self.building_node
    }
    /// The network as it was last solved.
    #[must_use]
    pub fn run(&self) -> &Simulation {
        &self.run
    }
    /// Volumes since the start.
    #[must_use]
    pub fn volumes(&self) -> &Volumes {
        &self.run.volumes
    }
    /// Moments that were solved since the start.
    #[must_use]
    pub fn moments(&self) -> u32 {
        self.moments
    }
    /// Those of them at which flows or statuses did not settle.
    #[must_use]
    pub fn unsettled_moments(&self) -> u32 {
        self.unsettled_moments
    }
    /// Pressure at a node, metres; nothing without supply.
    #[must_use]
    pub fn pressure_m(&self, node: usize) -> Option<f64> {
        let of = &self.run.hydraulics;
        of.is_supplied[node].then(|| of.head_m[node] - of.network().nodes.elevation_m[node])
    }
    /// Speed of the water in a link, m/s; 0 in pumps.
    #[must_use]
    pub fn velocity_mps(&self, link: usize) -> f64 {
        let of = &self.run.hydraulics;
        let diameter_m = of.network().links.diameter_m[link];
        let area_m2 = std::f64::consts::PI * diameter_m * diameter_m / 4.0;
        if area_m2 > 0.0 && of.network().links.kind[link] != LinkKind::Pump {
            of.flow_m3ps[link].abs() / area_m2
        } else {
            0.0
        }
    }
    /// Where the water came from and went, m3.
    #[must_use]
    pub fn books(&self) -> Books {
        let of = self.volumes();
        Books {
            asked: of.asked_m3,
            supplied: of.supplied_m3 + of.injected_m3,
            served: of.served_m3,
            lost: of.emitted_m3 + of.spilt_m3,
            stored: of.stored_m3 - of.spilt_m3,
        }
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        self.run.hydraulics.network()
    }
    /// Links by which water comes in: those that begin or end at a reservoir.
    #[must_use]
    pub fn source_links(&self) -> Vec<u32> {
        let net = self.network();
        let is_source = |node: u32| net.nodes.kind[node as usize] == NodeKind::Reservoir;
        let ends = net.links.from.iter().zip(&net.links.to).enumerate();
        ends.filter(|(_, (from, to))| is_source(**from) || is_source(**to)).map(|(row, _)| row as u32).collect()
    }
    /// By node, the building that hangs nearest along links.
    #[must_use]
    pub fn nearest_buildings(&self) -> Vec<u32> {
        let links = &self.run.hydraulics.network().links;
        let ends = links.from.iter().copied().zip(links.to.iter().copied());
        let hung = self.building_node.iter().enumerate().map(|(building, &node)| (node, building as u32));
        nearest_buildings(self.node_asked_m3.len(), ends, hung)
    }
    /// Pumps, in order of the network's, each with the building whose electricity it shares.
    #[must_use]
    pub fn power_needs(&self) -> Vec<PowerNeed> {
        let net = self.run.hydraulics.network();
        let near = self.nearest_buildings();
        let need = |&link: &u32| PowerNeed { element: link, building: near[net.links.from[link as usize] as usize] };
        net.pumps.link.iter().map(need).collect()
    }
    /// One reason more, or one less, for a link to be out, from the next step on.
    pub fn hold_out(&mut self, link: u32, is_out: bool) {
        if self.switches.hold(link, is_out) {
            self.run.hydraulics.hold_shut(link, is_out);
        }
    }
    /// Opens a hole at a node, or shuts so much of it where negative: the water that it loses is `m3ps_per_sqrt_m` times the
    /// root of the pressure in metres (or the network's own exponent of emitters).
    pub fn add_leak(&mut self, node: u32, m3ps_per_sqrt_m: f64) {
        self.run.hydraulics.add_emitter(node, m3ps_per_sqrt_m);
    }

    /// Carries what is asked for through a step that begins at `from_s` and lasts `seconds`.
    pub fn step(&mut self, from_s: u32, seconds: u32) {
        self.switch(from_s);
        let asked = &self.asked_m3ps;
        self.building_node.iter().for_each(|&node| self.run.give_demand(node, 0.0));
        for (&node, &m3ps) in self.building_node.iter().zip(asked) {
            self.run.add_demand(node, m3ps);
        }
        [&mut self.node_asked_m3, &mut self.node_served_m3, &mut self.node_dark_s]
            .into_iter()
            .for_each(|of| of.fill(0.0));
        for (power_w, pump) in self.pump_w.iter_mut().zip(&self.run.pumps) {
            *power_w = -pump.energy_kwh;
        }
        let mut left_s = seconds;
        while left_s > 0 {
            let balance = self.run.solve();
            self.moments += 1;
            self.unsettled_moments += u32::from(!balance.is_balanced);
            let gone_s = self.run.advance(left_s);
            self.count(f64::from(gone_s));
            left_s -= gone_s.min(left_s);
        }
        for (power_w, pump) in self.pump_w.iter_mut().zip(&self.run.pumps) {
            *power_w = (*power_w + pump.energy_kwh) * JOULES_PER_KWH / f64::from(seconds);
        }
        for node in 0..self.node_asked_m3.len() {
            self.nodes.asked_m3[node] += self.node_asked_m3[node];
            self.nodes.served_m3[node] += self.node_served_m3[node];
            self.nodes.dark_s[node] += self.node_dark_s[node];
        }
        for (share, (&node, &asked_m3ps)) in
            self.served_share.iter_mut().zip(self.building_node.iter().zip(&self.asked_m3ps))
        {
            let node = node as usize;
            *share = if asked_m3ps > 0.0 && self.node_asked_m3[node] > 0.0 {
                (self.node_served_m3[node] / self.node_asked_m3[node]).clamp(0.0, 1.0)
            } else {
                1.0 - self.node_dark_s[node] / f64::from(seconds)
            };
        }
    }
    fn switch(&mut self, from_s: u32) {
        let Self { switches, run, .. } = self;
        switches.at(from_s, |link, goes_out| run.hydraulics.hold_shut(link, goes_out));
    }
    fn count(&mut self, seconds: f64) {
        let of = &self.run.hydraulics;
        let net = of.network();
        for node in 0..of.head_m.len() {
            self.node_asked_m3[node] += of.demand_m3ps[node].max(0.0) * seconds;
            self.node_served_m3[node] += match net.nodes.kind[node] {
                NodeKind::Junction => of.served_m3ps[node].max(0.0) * seconds,
                NodeKind::Reservoir | NodeKind::Tank => of.served_m3ps[node] * seconds,
            };
            if of.is_supplied[node] {
                let pressure_m = of.head_m[node] - net.nodes.elevation_m[node];
                self.nodes.pressure_min_m[node] = self.nodes.pressure_min_m[node].min(pressure_m);
            } else {
                self.node_dark_s[node] += seconds;
            }
        }
        for link in 0..of.flow_m3ps.len() {
            self.links.passed_m3[link] += of.flow_m3ps[link] * seconds;
            let velocity_mps = self.velocity_mps(link);
            self.links.velocity_max_mps[link] = self.links.velocity_max_mps[link].max(velocity_mps);
        }
    }
}

/// What pressure does to demands.
fn set_demand_model(net: &mut Network, settings: &WaterSettings) {
    let WaterSettings { min_pressure_m: minimum_m, required_pressure_m: required_m, .. } = *settings;
    // Wagner (1988): as flow through an orifice.
    let by_pressure = DemandModel::PressureDriven { minimum_m, required_m, exponent: 0.5 };
    match settings.demand_by_pressure {
        DemandByPressure::AsFile if settings.source == NetworkSource::File => {}
        DemandByPressure::Never => net.options.demand_model = DemandModel::Fixed,
        DemandByPressure::Always | DemandByPressure::AsFile => net.options.demand_model = by_pressure,
    }
}

/// A network of EPANET, and the node of each building.
fn of_file(city: &City, case: &Path, buildings: &Path) -> Result<(Network, Vec<u32>)> {
    let net = inp::read(case)?.network;
    let row_of: BTreeMap<&str, u32> = (0..net.nodes.id.len())
        .filter(|&row| net.nodes.kind[row] == NodeKind::Junction)
        .map(|row| (net.nodes.id[row].as_str(), row as u32))
        .collect();
    let building_node =
        read_buildings(city, buildings, "node_id", "a junction of the network", &row_of, Coverage::Every)?;
    Ok((net, building_node))
}
