//! The graph of needs of a city, derived from the networks of a run as they couple.
//!
//! | node | needs | buffer |
//! | --- | --- | --- |
//! | `infeed` | nothing | |
//! | `bus` | any bus one closed branch nearer to an infeed | |
//! | `electricity` of a building | its bus | |
//! | `water_pump` | electricity of the building nearest along the pipes, and the zone it takes from | |
//! | `pressure_valve` | the zone before it | |
//! | `water_zone` | any pump or valve that brings water from nearer to a source; none with a source of its own | its tanks |
//! | `water` of a building | its zone | |
//! | `gas_feed` | nothing | |
//! | `gas_regulator` | the zone before it | |
//! | `gas_zone` | any feed or regulator that brings gas from nearer to a feed | |
//! | `gas` of a building | its zone, and the building's electricity: boilers do not burn in the dark | |
//! | `heat_plant` | electricity of the building nearest along the pipes | |
//! | `heat_zone` | any plant in it | |
//! | `heat` of a building | its zone, and the building's electricity: its pump | |
//! | `mobile_site` | electricity of its building | battery |
//! | `mobile` of a building | any site within whose radius it lies | |
//! | `signal` | electricity of the nearest building | |
//!
//! A zone is what open pipes join without a pump or a valve between. Tanks last for what is in them at the start over the
//! mean draw of their zone and its share of the zones behind it; they fill as fast as they empty (estimate).
//! People are told at the services of buildings only. Networks that a run does not have need nothing and serve nobody; a city
//! without a grid has electricity.
//!
//! What the graph leaves to the run itself: power flow, voltages and overloads, switching back over ties, pressures, heads and
//! flows, heat in pipes and walls, capacity of sites. A graph says who can be hit and when; what is served is solved there.
//!
//! Contract: a pure function of the city and its networks, rows in order of theirs.

use super::graph::{Customers, Dependencies, NONE};
use super::presence::planned_presence;
use super::supply::{leads_away, nearest, steps_from, zones};
use bevy_ecs::world::World;
use std::collections::{BTreeMap, BTreeSet};
use urbis_city::model::{City, NodeControl};
use urbis_core::chunks::map_chunks;
use urbis_core::csr::Csr;
use urbis_population::simple_modes::PopulationModel;
use urbis_population::{Persons, Places, Plans};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::pipes::network::{LinkKind as PipeKind, Network as Pipes};
use urbis_utility::power::{BusKind, CityGrid};
use urbis_utility::telecom::Feed;
use urbis_utility::telecom::city::CityTelecom;
use urbis_utility::water::city::CityWater;
use urbis_utility::water::network::{LinkKind, LinkStatus, NodeKind};
use urbis_utility::water::tanks::volume_m3;
use urbis_utility::water_demand::WaterDemands;

/// Longest buffer of a tank, seconds: what lasts longer lasts.
const BUFFER_S_MAX: f64 = 30.0 * 86_400.0;
/// Time in which a battery that a caller adds fills: the ten-hour rate of lead-acid batteries.
const RECHARGE_S: u32 = 36_000;
/// Nodes whose nearest building is looked for together.
const SEARCHED_PER_CHUNK: usize = 64;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Where power enters the grid.
    Infeed,
    /// Bus of the grid.
    Bus,
    /// Pump of drinking water.
    WaterPump,
    /// Valve through which water comes down from a zone of higher pressure.
    PressureValve,
    /// Zone of drinking water.
    WaterZone,
    /// Where gas enters.
    GasFeed,
    /// Regulator between levels of pressure.
    GasRegulator,
    /// Zone of gas.
    GasZone,
    /// Plant of district heat.
    HeatPlant,
    /// Zone of district heat.
    HeatZone,
    /// Mobile site.
    MobileSite,
    /// Traffic lights.
    Signal,
    /// Electricity in a building.
    Electricity,
    /// Drinking water in a building.
    Water,
    /// Gas in a building.
    Gas,
    /// District heat in a building.
    Heat,
    /// Mobile service in a building.
    Mobile,
}

urbis_core::named!(Kind {
    Infeed = "infeed",
    Bus = "bus",
    WaterPump = "water_pump",
    PressureValve = "pressure_valve",
    WaterZone = "water_zone",
    GasFeed = "gas_feed",
    GasRegulator = "gas_regulator",
    GasZone = "gas_zone",
    HeatPlant = "heat_plant",
    HeatZone = "heat_zone",
    MobileSite = "mobile_site",
    Signal = "signal",
    Electricity = "electricity",
    Water = "water",
    Gas = "gas",
    Heat = "heat",
    Mobile = "mobile",
});

impl Kind {
    /// What people have or lack.
    pub const SERVICES: [Self; 5] = [Self::Electricity, Self::Water, Self::Gas, Self::Heat, Self::Mobile];

    /// Whether people have it or lack it; else it is a thing that serves.
    #[must_use]
    pub fn is_service(self) -> bool {
        Self::SERVICES.contains(&self)
    }
}

/// What the graph is made of.
#[derive(Clone, Copy, Debug)]
pub struct CityParts<'a> {
    /// The city.
    pub city: &'a City,
    /// Its grid.
    pub grid: Option<&'a CityGrid>,
    /// Its drinking water, and what buildings draw of it on the mean of a day, m3/s.
    pub water: Option<(&'a CityWater, &'a [f64])>,
    /// Its gas.
    pub gas: Option<&'a CityGas>,
    /// Its district heat.
    pub heat: Option<&'a CityHeat>,
    /// Its mobile sites.
    pub telecom: Option<&'a CityTelecom>,
}

/// The graph of a city, with what its rows are.
#[derive(Clone, Debug, Default)]
pub struct CityGraph {
    /// The graph.
    pub of: Dependencies,
    /// Name of each node among its kind.
    pub id: Vec<String>,
    /// Building in which each node stands or is served; [`NONE`] for none.
    pub building: Vec<u32>,
    /// What could not be derived, in sentences for people.
    pub notes: Vec<String>,
}

impl CityGraph {
    /// Of the networks in a world that is ready to step.
    #[must_use]
    pub fn of_world(world: &World) -> Self {
        let draws = world.get_resource::<WaterDemands>().map(WaterDemands::usual);
        let parts = CityParts {
            city: world.resource::<City>(),
            grid: world.get_resource::<CityGrid>(),
            water: world.get_resource::<CityWater>().zip(draws.as_ref().map(|draws| draws.mean_m3ps.as_slice())),
            gas: world.get_resource::<CityGas>(),
            heat: world.get_resource::<CityHeat>(),
            telecom: world.get_resource::<CityTelecom>(),
        };
        Self::new(&parts)
    }

    /// Of a city and its networks.
    #[must_use]
    pub fn new(parts: &CityParts<'_>) -> Self {
        let mut builder = Builder { electricity: vec![NONE; parts.city.buildings.len()], ..Builder::default() };
        if let Some(grid) = parts.grid {
            builder.add_grid(parts.city, grid);
        }
        if let Some((water, mean_m3ps)) = parts.water {
            builder.add_water(parts.city, water, mean_m3ps);
        }
        if let Some(gas) = parts.gas {
            builder.add_gas(parts.city, gas);
        }
        if let Some(heat) = parts.heat {
            builder.add_heat(parts.city, heat);
        }
        if let Some(telecom) = parts.telecom {
            builder.add_telecom(parts.city, telecom);
        }
        builder.add_signals(parts.city);
        builder.finish()
    }

    /// Kind of a node.
    #[must_use]
    pub fn kind(&self, node: u32) -> Kind {
        Kind::NAMED[usize::from(self.of.kind[node as usize])].0
    }
    /// Name of a node as it is written: kind and id.
    #[must_use]
    pub fn name(&self, node: u32) -> String {
        format!("{}:{}", self.kind(node).name(), self.id[node as usize])
    }
    /// Nodes of a kind, in order.
    pub fn nodes_of(&self, kind: Kind) -> impl Iterator<Item = u32> + '_ {
        (0..self.of.len() as u32).filter(move |&node| self.kind(node) == kind)
    }
    /// A node by its kind and id.
    #[must_use]
    pub fn find(&self, kind: Kind, id: &str) -> Option<u32> {
        self.nodes_of(kind).find(|&node| self.id[node as usize] == id)
    }
    /// Gives all nodes of a kind a buffer of so many hours.
    pub fn back_up(&mut self, kind: Kind, hours: f64) {
        for node in 0..self.of.len() {
            if usize::from(self.of.kind[node]) == kind as usize {
                self.of.buffer_s[node] = (hours * SECONDS_PER_HOUR).clamp(0.0, BUFFER_S_MAX) as u32;
                self.of.recharge_s[node] = RECHARGE_S;
            }
        }
    }
}

/// People of a world that is ready to step, by hour and building.
#[must_use]
pub fn customers_of_world(world: &World, end_s: u32) -> Customers {
    let (places, persons, plans) = (world.resource::<Places>(), world.resource::<Persons>(), world.resource::<Plans>());
    planned_presence(places, persons, plans, 1.0 / world.resource::<PopulationModel>().sample_factor, end_s)
}

/// Nodes on their way into columns.
#[derive(Debug, Default)]
struct Builder {
    graph: CityGraph,
    needs: Vec<(u32, u32)>,
    /// Node of the electricity of each building; [`NONE`] where there is no grid or it does not reach it.
    electricity: Vec<u32>,
}

impl Builder {
    /// A node that needs all of its suppliers and has no buffer.
    fn add(&mut self, kind: Kind, id: String, building: u32) -> u32 {
        let of = &mut self.graph.of;
        of.kind.push(kind as u16);
        of.is_any.push(false);
        of.buffer_s.push(0);
        of.recharge_s.push(0);
        of.place.push(if kind.is_service() { building } else { NONE });
        self.graph.id.push(id);
        self.graph.building.push(building);
        self.graph.id.len() as u32 - 1
    }
    fn need(&mut self, node: u32, supplier: u32) {
        if supplier != NONE {
            self.needs.push((node, supplier));
        }
    }
    fn need_any(&mut self, node: u32) {
        self.graph.of.is_any[node as usize] = true;
    }
    fn need_electricity(&mut self, node: u32, building: u32) {
        if building != NONE {
            self.need(node, self.electricity[building as usize]);
        }
    }
    fn finish(mut self) -> CityGraph {
        self.graph.of.needs = Csr::from_pairs(self.graph.id.len(), &self.needs);
        self.graph
    }

    fn add_grid(&mut self, city: &City, city_grid: &CityGrid) {
        let grid = city_grid.flow().grid();
        let (buses, branches) = (&grid.buses, &grid.branches);
        let is_there = |bus: u32| buses.is_in_service[bus as usize];
        let closed = (0..branches.len())
            .filter(|&row| branches.is_in_service[row] && is_there(branches.from[row]) && is_there(branches.to[row]));
        let links: Vec<(u32, u32)> = closed
            .flat_map(|row| [(branches.from[row], branches.to[row]), (branches.to[row], branches.from[row])])
            .collect();
        let sources: Vec<u32> = (0..buses.len() as u32)
            .filter(|&bus| buses.kind[bus as usize] == BusKind::Slack && is_there(bus))
            .collect();
        let steps = steps_from(buses.len(), &sources, &links);
        let mut node_of = vec![NONE; buses.len()];
        for bus in (0..buses.len()).filter(|&bus| steps[bus] != NONE) {
            let kind = if steps[bus] == 0 { Kind::Infeed } else { Kind::Bus };
            node_of[bus] = self.add(kind, buses.id[bus].clone(), NONE);
            self.need_any(node_of[bus]);
        }
        for &(from, to) in links.iter().filter(|link| leads_away(&steps, **link)) {
            self.need(node_of[to as usize], node_of[from as usize]);
        }
        let mut dark = 0;
        for (building, &load) in city_grid.wiring().building_load.iter().enumerate() {
            let bus = grid.loads.bus[load as usize] as usize;
            if node_of[bus] == NONE {
                dark += 1;
                continue;
            }
            let node = self.add(Kind::Electricity, city.buildings.id[building].clone(), building as u32);
            self.need(node, node_of[bus]);
            self.electricity[building] = node;
        }
        if dark > 0 {
            self.graph.notes.push(format!("{dark} buildings hang on no infeed and are left out of electricity"));
        }
    }

    fn add_water(&mut self, city: &City, water: &CityWater, mean_m3ps: &[f64]) {
        let net = water.run().hydraulics.network();
        let (nodes, links) = (net.nodes.id.len(), &net.links);
        let is_feed = |row: usize| matches!(links.kind[row], LinkKind::Pump | LinkKind::Prv);
        let ends = |row: usize| (links.from[row], links.to[row]);
        let joins: Vec<(u32, u32)> = (0..links.id.len())
            .filter(|&row| !is_feed(row) && links.status[row] != LinkStatus::Closed)
            .map(ends)
            .collect();
        let zone = zones(nodes, &joins);
        let count = zone.iter().map(|&zone| zone as usize + 1).max().unwrap_or(0);
        let is_source = |node: usize| net.nodes.kind[node] == NodeKind::Reservoir;
        let mut sources: Vec<u32> = (0..nodes).filter(|&node| is_source(node)).map(|node| zone[node]).collect();
        sources.dedup();
        // A pump may stand by, closed; a valve that is closed is none.
        let feeds: Vec<usize> = (0..links.id.len())
            .filter(|&row| {
                is_feed(row) && (links.kind[row] == LinkKind::Pump || links.status[row] != LinkStatus::Closed)
            })
            .collect();
        let between = |row: usize| (zone[links.from[row] as usize], zone[links.to[row] as usize]);
        let leads: Vec<(u32, u32)> = feeds.iter().map(|&row| between(row)).collect();
        let steps = steps_from(count, &sources, &leads);
        let served: BTreeSet<u32> = water.building_node().iter().map(|&node| zone[node as usize]).collect();
        let draws = zone_draws(&zone, water.building_node(), mean_m3ps, &leads, &steps);
        let mut kept_m3 = vec![0.0; count];
        for (tank, &node) in net.tanks.node.iter().enumerate() {
            let [start_m3, least_m3] = [net.tanks.initial_level_m[tank], net.tanks.min_level_m[tank]]
                .map(|level_m| volume_m3(net, tank, level_m));
            kept_m3[zone[node as usize] as usize] += (start_m3 - least_m3).max(0.0);
        }
        let mut first_node = vec![NONE; count];
        (0..nodes).rev().for_each(|node| first_node[zone[node] as usize] = node as u32);
        let mut zone_node = vec![NONE; count];
        for row in 0..count {
            let is_fed = steps[row] != NONE;
            if is_fed || served.contains(&(row as u32)) {
                zone_node[row] = self.add(Kind::WaterZone, net.nodes.id[first_node[row] as usize].clone(), NONE);
                self.need_any(zone_node[row]);
                let seconds = if draws[row] > 0.0 { kept_m3[row] / draws[row] } else { 0.0 };
                let seconds = seconds.min(BUFFER_S_MAX) as u32;
                self.graph.of.buffer_s[zone_node[row] as usize] = seconds;
                self.graph.of.recharge_s[zone_node[row] as usize] = seconds;
            }
            if !is_fed && served.contains(&(row as u32)) {
                let id = &net.nodes.id[first_node[row] as usize];
                self.graph.notes.push(format!("no pump or valve leads to water_zone:{id}, which counts as fed"));
            }
        }
        let lengths: Vec<(u32, u32, f64)> =
            (0..links.id.len()).map(|row| (links.from[row], links.to[row], links.length_m[row])).collect();
        let places: Vec<(u32, u32)> = water.building_node().iter().copied().zip(0..).collect();
        let near = nearest(nodes, &lengths, &places);
        for &row in &feeds {
            let (from, to) = between(row);
            let (kind, building) = match links.kind[row] {
                LinkKind::Pump => (Kind::WaterPump, near[links.to[row] as usize]),
                _ => (Kind::PressureValve, NONE),
            };
            let node = self.add(kind, links.id[row].clone(), building);
            self.need_electricity(node, building);
            // What leads sideways or back must not keep alive the zone that it hangs on.
            if leads_away(&steps, (from, to)) {
                self.need(node, zone_node[from as usize]);
                self.need(zone_node[to as usize], node);
            }
        }
        for (building, &node) in water.building_node().iter().enumerate() {
            let of = self.add(Kind::Water, city.buildings.id[building].clone(), building as u32);
            self.need(of, zone_node[zone[node as usize] as usize]);
        }
    }

    /// Zones of pipes between which only links lead that `is_between` picks, as nodes of the graph with what feeds them from
    /// outside. By node of the network, its zone's node; and the links between, that lead away from feeds, with the nodes of
    /// their zones.
    fn add_pipe_zones(
        &mut self,
        net: &Pipes,
        kind: Kind,
        sources: &[u32],
        is_between: impl Fn(usize) -> bool,
    ) -> (Vec<u32>, Vec<(usize, u32, u32)>) {
        let nodes = net.nodes.len();
        let ends = |link: usize| (net.links.from[link], net.links.to[link]);
        let open = || (0..net.links.len()).filter(|&link| net.is_open(link));
        let joins: Vec<(u32, u32)> = open().filter(|&link| !is_between(link)).map(ends).collect();
        let zone = zones(nodes, &joins);
        let count = zone.iter().map(|&zone| zone as usize + 1).max().unwrap_or(0);
        let sources: Vec<u32> = sources.iter().map(|&node| zone[node as usize]).collect();
        let between: Vec<usize> = open().filter(|&link| is_between(link)).collect();
        let zones_of = |link: usize| (zone[ends(link).0 as usize], zone[ends(link).1 as usize]);
        let leads: Vec<(u32, u32)> = between.iter().map(|&link| zones_of(link)).collect();
        let steps = steps_from(count, &sources, &leads);
        let mut zone_node = vec![NONE; count];
        for (node, &zone) in zone.iter().enumerate() {
            let row = zone as usize;
            if steps[row] != NONE && zone_node[row] == NONE {
                zone_node[row] = self.add(kind, net.nodes.id[node].clone(), NONE);
                self.need_any(zone_node[row]);
            }
        }
        let away = between.iter().zip(&leads).filter(|(_, lead)| leads_away(&steps, **lead));
        let away = away.map(|(&link, lead)| (link, zone_node[lead.0 as usize], zone_node[lead.1 as usize])).collect();
        (zone.iter().map(|&zone| zone_node[zone as usize]).collect(), away)
    }

    fn add_gas(&mut self, city: &City, gas: &CityGas) {
        let net = gas.flow().network();
        let held: Vec<u32> = net.held_pressures().iter().map(|(node, _)| *node).collect();
        let is_between = |link: usize| !matches!(net.links.kind[link], PipeKind::Resistance | PipeKind::Flow(_));
        let (zone_of, regulators) = self.add_pipe_zones(net, Kind::GasZone, &held, is_between);
        for feed in net.feeds.iter().filter(|feed| feed.is_in_service && feed.pressure_pa.is_some()) {
            let node = self.add(Kind::GasFeed, feed.id.clone(), NONE);
            self.need(zone_of[feed.node as usize], node);
        }
        let element_of: BTreeMap<usize, &str> =
            net.elements.iter().flat_map(|of| of.links().map(|link| (link, of.id.as_str()))).collect();
        for (link, before, behind) in regulators {
            let id = element_of.get(&link).map_or_else(|| link.to_string(), |id| (*id).to_owned());
            let node = self.add(Kind::GasRegulator, id, NONE);
            self.need(node, before);
            self.need(behind, node);
        }
        let draw_node = |building: usize| gas.building_draw(building).map(|draw| net.draws[draw as usize].node);
        self.add_piped(city, Kind::Gas, "gas", |building| draw_node(building).map(|node| zone_of[node as usize]));
    }

    fn add_heat(&mut self, city: &City, heat: &CityHeat) {
        let net = heat.run().flow().network();
        let is_on = |link: u32| net.is_open(link as usize);
        let plants = || net.plants.iter().filter(|plant| is_on(plant.link));
        let feeds = || net.feeds.iter().filter(|feed| feed.is_in_service && feed.pressure_pa.is_some());
        let to = |link: u32| net.links.to[link as usize];
        let sources: Vec<u32> = plants().map(|plant| to(plant.link)).chain(feeds().map(|feed| feed.node)).collect();
        let (zone_of, _) = self.add_pipe_zones(net, Kind::HeatZone, &sources, |_| false);
        let consumer_link = |building: usize| {
            heat.building_consumer(building).map(|consumer| net.consumers[consumer as usize].link as usize)
        };
        let places: Vec<(u32, u32)> = (0..city.buildings.len())
            .filter_map(|building| Some((net.links.from[consumer_link(building)?], building as u32)))
            .collect();
        let lengths: Vec<(u32, u32, f64)> = (0..net.links.len())
            .map(|link| (net.links.from[link], net.links.to[link], net.links.length_m[link]))
            .collect();
        let near = nearest(net.nodes.len(), &lengths, &places);
        for plant in plants() {
            let at = to(plant.link) as usize;
            let node = self.add(Kind::HeatPlant, plant.id.clone(), near[at]);
            self.need_electricity(node, near[at]);
            self.need(zone_of[at], node);
        }
        for feed in feeds() {
            // Heat from outside needs nothing here.
            let node = self.add(Kind::HeatPlant, format!("feed {}", feed.id), NONE);
            self.need(zone_of[feed.node as usize], node);
        }
        self.add_piped(city, Kind::Heat, "heat", |building| {
            consumer_link(building).map(|link| zone_of[net.links.from[link] as usize])
        });
    }

    /// Services of buildings that hang on a zone (or on none that is fed) and need electricity.
    fn add_piped(&mut self, city: &City, kind: Kind, what: &str, zone: impl Fn(usize) -> Option<u32>) {
        let mut cut = 0;
        for building in 0..city.buildings.len() {
            match zone(building) {
                None => {}
                Some(NONE) => cut += 1,
                Some(zone) => {
                    let node = self.add(kind, city.buildings.id[building].clone(), building as u32);
                    self.need(node, zone);
                    self.need_electricity(node, building as u32);
                }
            }
        }
        if cut > 0 {
            self.graph.notes.push(format!("{cut} buildings hang on no feed of {what} and are left out of it"));
        }
    }

    fn add_telecom(&mut self, city: &City, telecom: &CityTelecom) {
        let sites = telecom.telecom().sites();
        let recharge_s = (telecom.settings().site.recharge_h * SECONDS_PER_HOUR) as u32;
        let mut on_building: BTreeMap<u32, u32> = BTreeMap::new();
        let mut site_node = Vec::with_capacity(sites.len());
        for site in 0..sites.len() {
            let building = match sites.feed[site] {
                Feed::Building(row) => row,
                Feed::Own | Feed::Bus(_) => NONE,
            };
            let id = match city.buildings.id.get(building as usize) {
                Some(id) => {
                    let count = on_building.entry(building).or_insert(0);
                    *count += 1;
                    if *count > 1 { format!("{id} {count}") } else { id.clone() }
                }
                None => site.to_string(),
            };
            let node = self.add(Kind::MobileSite, id, building);
            self.need_electricity(node, building);
            self.graph.of.buffer_s[node as usize] = (sites.battery_h[site] * SECONDS_PER_HOUR).min(BUFFER_S_MAX) as u32;
            self.graph.of.recharge_s[node as usize] = recharge_s;
            site_node.push(node);
        }
        let buildings = &city.buildings;
        let reach = map_chunks(buildings.len(), SEARCHED_PER_CHUNK, |range| {
            let of = |building: usize| {
                let is_in_reach = |site: &usize| {
                    let (dx_m, dy_m) =
                        (sites.x_m[*site] - buildings.x_m[building], sites.y_m[*site] - buildings.y_m[building]);
                    dx_m * dx_m + dy_m * dy_m <= sites.radius_m[*site] * sites.radius_m[*site]
                };
                (0..sites.len()).filter(is_in_reach).collect::<Vec<_>>()
            };
            range.map(of).collect::<Vec<_>>()
        });
        for (building, sites) in reach.concat().into_iter().enumerate().filter(|(_, sites)| !sites.is_empty()) {
            let node = self.add(Kind::Mobile, buildings.id[building].clone(), building as u32);
            self.need_any(node);
            sites.into_iter().for_each(|site| self.need(node, site_node[site]));
        }
    }

    fn add_signals(&mut self, city: &City) {
        let buildings = &city.buildings;
        let signals: Vec<usize> =
            (0..city.nodes.len()).filter(|&node| city.nodes.control[node] == NodeControl::Signal).collect();
        let near = map_chunks(signals.len(), SEARCHED_PER_CHUNK, |range| {
            let of = |&node: &usize| {
                let distance2 = |row: &usize| {
                    let (dx_m, dy_m) =
                        (buildings.x_m[*row] - city.nodes.x_m[node], buildings.y_m[*row] - city.nodes.y_m[node]);
                    dx_m * dx_m + dy_m * dy_m
                };
                let nearest = (0..buildings.len())
                    .filter(|&row| self.electricity[row] != NONE)
                    .min_by(|a, b| distance2(a).total_cmp(&distance2(b)));
                nearest.map_or(NONE, |row| row as u32)
            };
            signals[range].iter().map(of).collect::<Vec<_>>()
        });
        for (&node, building) in signals.iter().zip(near.concat()) {
            let signal = self.add(Kind::Signal, city.nodes.id[node].clone(), building);
            self.need_electricity(signal, building);
        }
    }
}

/// Mean draw of each zone, with its share of what zones behind it draw: each splits its own between all that feed it.
/// Shape: zones.
fn zone_draws(zone: &[u32], building_node: &[u32], mean_m3ps: &[f64], leads: &[(u32, u32)], steps: &[u32]) -> Vec<f64> {
    let mut draws = vec![0.0; steps.len()];
    for (&node, &m3ps) in building_node.iter().zip(mean_m3ps) {
        draws[zone[node as usize] as usize] += m3ps;
    }
    // Pumps side by side are one way.
    let ways: BTreeSet<(u32, u32)> = leads.iter().copied().filter(|&lead| leads_away(steps, lead)).collect();
    let mut by_step: Vec<(u32, u32)> = ways.iter().map(|&(_, to)| (steps[to as usize], to)).collect();
    by_step.sort_unstable_by(|a, b| b.cmp(a));
    by_step.dedup();
    for (_, to) in by_step {
        let before: Vec<u32> = ways.iter().filter(|way| way.1 == to).map(|way| way.0).collect();
        before.iter().for_each(|&from| draws[from as usize] += draws[to as usize] / before.len() as f64);
    }
    draws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_carry_those_behind_them() {
        // Two zones feed a third, side by side pumps in one of them; it feeds a fourth.
        let draws = zone_draws(
            &[0, 1, 2, 3],
            &[1, 2, 3, 3],
            &[1.0, 2.0, 3.0, 1.0],
            &[(0, 2), (0, 2), (1, 2), (2, 3)],
            &[0, 0, 1, 2],
        );
        let wanted = [3.0, 4.0, 6.0, 4.0];
        assert!(draws.iter().zip(wanted).all(|(draw, wanted)| (draw - wanted).abs() < 1e-12), "{draws:?}");
    }

    #[test]
    fn kinds_have_names() {
        for (row, (kind, name)) in Kind::NAMED.into_iter().enumerate() {
            assert_eq!((kind as usize, Kind::from_name(name)), (row, Some(kind)));
        }
    }
}
