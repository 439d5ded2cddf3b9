//! The events of a scenario, turned into what happens to links, elements and machines of its city.

use crate::policies::{find_area, links_of};
use bevy_ecs::world::World;
use std::collections::BTreeSet;
use urbis_city::model::City;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{CarLinkIx, Clock, NodeIx, Problems, Result, Tick};
use urbis_coupling::crews::Crews;
use urbis_coupling::evacuation::Order;
use urbis_coupling::event::damage::{self, PipeDamage, Pipes};
use urbis_coupling::event::effects::{Effect, Part};
use urbis_coupling::event::mobilisation::Mobilisation;
use urbis_coupling::event::state::{EventName, Incidents};
use urbis_coupling::event::{Controlled, Event, EventKind, PipedNetwork};
use urbis_coupling::gathering::Gathering;
use urbis_coupling::policy::area::InArea;
use urbis_coupling::powered::{MachineKind, MachineSources, Machines, nearest_building};
use urbis_coupling::{Evacuations, Gatherings, Heaters, Policies};
use urbis_population::Places;
use urbis_population::persons::Place;
use urbis_scenario::{Loaded, Scenario};
use urbis_traffic::{CarNetwork, Signals};
use urbis_utility::Weather;
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::power::CityGrid;
use urbis_utility::power::operation::Element;
use urbis_utility::telecom::city::CityTelecom;
use urbis_utility::water::city::CityWater;
use urbis_utility::water::network::{LinkKind, NodeKind};

/// Discharge coefficient of a hole in a pipe, as WNTR takes it (A. Lambert, What do we know about pressure-leakage
/// relationships, IWA 2001).
const DISCHARGE: f64 = 0.75;
/// Acceleration of gravity, m/s2.
const GRAVITY_MPS2: f64 = 9.806_65;

/// Puts machines, events and crews into a world in which networks stand.
///
/// # Errors
/// Areas, elements and depots that the city does not have, each with its place in the scenario.
pub(crate) fn install(loaded: &Loaded, city: &City, world: &mut World, seed: u64) -> Result<()> {
    let sources = MachineSources {
        signals: world.get_resource::<Signals>(),
        water: world.get_resource::<CityWater>(),
        heat: world.get_resource::<CityHeat>(),
        gas: world.get_resource::<CityGas>(),
    };
    let machines = Machines::new(city, world.resource::<CarNetwork>(), sources, &loaded.scenario.coupling);
    world.insert_resource(machines);
    world.insert_resource(Heaters::default());
    let crews = crews(loaded, city, world)?;
    world.insert_resource(crews);
    let events = &loaded.scenario.event;
    let (parts, orders, gatherings, problems) = (Vec::new(), Vec::new(), Vec::new(), Problems::new());
    let mut finder = Finder { loaded, city, world, seed, parts, orders, gatherings, in_hazard: Vec::new(), problems };
    for (row, event) in events.iter().enumerate() {
        finder.event(row, event);
    }
    let in_hazard = std::mem::take(&mut finder.in_hazard);
    let (parts, orders, gatherings) = finder.problems.or_else((finder.parts, finder.orders, finder.gatherings))?;
    world.insert_resource(Gatherings::new(gatherings, seed));
    world.insert_resource(Evacuations::new(orders, loaded.population().all_modes(), seed));
    let names = events.iter().map(|event| EventName { name: event.name.clone(), kind: event.kind.name() });
    let mut incidents = Incidents::new(names.collect(), parts);
    incidents.in_hazard = in_hazard;
    let on_roads = |part: &Part| matches!(part.effect, Effect::Close(_) | Effect::Narrow(..));
    world.resource_mut::<Policies>().incidents.is_used = incidents.parts.iter().any(on_roads);
    if let Some(mut grid) = world.get_resource_mut::<CityGrid>() {
        incidents.tell_grid(&mut grid);
    }
    world.insert_resource(incidents);
    Ok(())
}

/// Whether an event orders an area to be left.
pub(crate) fn evacuate(scenario: &Scenario) -> bool {
    scenario.event.iter().any(|event| matches!(event.kind, EventKind::Evacuation { .. }))
}

/// Makes the weather as hot or cold as events say.
pub(crate) fn warm(loaded: &Loaded, clock: &Clock, weather: &mut Weather) {
    for event in &loaded.scenario.event {
        let by_k = match event.kind {
            EventKind::HeatWave { warmer_k } => warmer_k,
            EventKind::ColdSnap { colder_k } => -colder_k,
            _ => continue,
        };
        if let Ok((from, until)) = loaded.event_ticks(event) {
            weather.warm(clock.utc_ms(from), clock.utc_ms(until), by_k);
        }
    }
}

/// Crews at their depots.
fn crews(loaded: &Loaded, city: &City, world: &World) -> Result<Crews> {
    let settings = &loaded.scenario.repair;
    let mut problems = Problems::new();
    let mut depots = Vec::new();
    for (nth, id) in settings.depots.iter().enumerate() {
        match city.buildings.id.iter().position(|of| of == id) {
            Some(building) => depots.push(building as u32),
            None => {
                let what = format!("the city has no building `{id}`");
                problems.push(loaded.problem_at(&format!("repair.depots.{nth}"), &what, "not a building"));
            }
        }
    }
    if depots.is_empty() && !city.buildings.is_empty() {
        let mean = |column: &[f64]| column.iter().sum::<f64>() / column.len() as f64;
        depots.push(nearest_building(city, [mean(&city.buildings.x_m), mean(&city.buildings.y_m)]));
    }
    let (network, places) = (world.resource::<CarNetwork>(), world.resource::<Places>());
    let node = |building: &u32| {
        let node: NodeIx = places.car_node[*building as usize];
        network.node_of(node).unwrap_or(u32::MAX)
    };
    let nodes: Vec<u32> = depots.iter().map(node).collect();
    problems.or_else(Crews::new(settings, &nodes))
}

/// Finds what events happen to.
struct Finder<'a> {
    loaded: &'a Loaded,
    city: &'a City,
    world: &'a World,
    seed: u64,
    parts: Vec<Part>,
    orders: Vec<Order>,
    gatherings: Vec<Gathering>,
    in_hazard: Vec<bool>,
    problems: Problems,
}

/// An event while its parts are found.
struct Now {
    row: usize,
    from: Tick,
    until: Tick,
    /// Whether it says how long it lasts.
    is_timed: bool,
}

impl Finder<'_> {
    fn tell(&mut self, row: usize, key: &str, what: &str) {
        let problem = self.loaded.event_problem(row, key, what);
        self.problems.push(problem);
    }
    /// Tells of a name that nothing has, and what was perhaps meant.
    fn unknown<'n>(&mut self, row: usize, key: &str, what: &str, names: impl Iterator<Item = &'n str>, name: &str) {
        let problem = self.loaded.event_problem(row, key, what);
        self.problems.push(match did_you_mean(name, names) {
            Some(meant) => problem.with_help(format!("did you mean `{meant}`?")),
            None => problem,
        });
    }
    fn add(&mut self, now: &Now, what: String, effect: Effect, building: u32) {
        self.add_from(now, now.from, what, effect, building);
    }
    fn add_from(&mut self, now: &Now, begins: Tick, what: String, effect: Effect, building: u32) {
        let has_crews = effect.trade().is_some_and(|trade| self.loaded.scenario.repair.has(trade));
        let ends = (now.is_timed || !has_crews).then_some(now.until);
        self.parts.push(Part { event: now.row as u32, what, effect, begins, ends, building });
    }

    fn event(&mut self, row: usize, event: &Event) {
        let Ok((from, until)) = self.loaded.event_ticks(event) else { return };
        let now = Now { row, from, until, is_timed: event.hours.is_some() };
        let Self { loaded, city, .. } = *self;
        let before = self.problems.len();
        let place = &|key: &str, what: &str| loaded.event_problem(row, key, what);
        let area = find_area(loaded, city, event.area.as_ref(), place, &mut self.problems);
        if self.problems.len() > before {
            return;
        }
        use EventKind::{Earthquake, Evacuation, Flood};
        let is_hazard = matches!(event.kind, Flood { .. } | Earthquake { .. } | Evacuation { .. });
        if is_hazard && event.area.is_some() && area.buildings.contains(&true) {
            self.in_hazard.resize(area.buildings.len(), false);
            self.in_hazard.iter_mut().zip(&area.buildings).for_each(|(is_in, &here)| *is_in |= here);
        }
        let first = self.parts.len();
        match &event.kind {
            EventKind::RoadClosure => self.roads(&now, &area, Effect::Close),
            EventKind::Crash { capacity_left } => {
                let share = *capacity_left;
                self.roads(&now, &area, |link| Effect::Narrow(link, share));
            }
            EventKind::PowerOutage { branches, buses } => self.outage(&now, branches, buses, &area),
            EventKind::PipeBurst { pipe, hole_share, shut_off_h } => self.burst(&now, pipe, *hole_share, *shut_off_h),
            EventKind::Failure { network, elements } => self.failure(&now, *network, elements),
            EventKind::PlantTrip { network } => self.trip(&now, *network, &area),
            EventKind::CyberIncident { targets } => self.cyber(&now, targets, &area),
            EventKind::Flood { depth } => {
                let lasts_h = event.hours.unwrap_or_else(|| depth.last().map_or(0.0, |of| of.hours));
                let until = now.from.saturating_add((lasts_h * 3600.0).round() as Tick).max(now.from + 1);
                let links = self.car_links(&area);
                let building = self.building_in(&area);
                let what = format!("{} roads", links.len());
                let now = Now { until, is_timed: true, ..now };
                if !links.is_empty() {
                    self.add(&now, what, Effect::Flood { links, depth: depth.clone() }, building);
                }
            }
            EventKind::Earthquake { pgv_mps, pga_g } => {
                self.earthquake(&now, *pgv_mps, *pga_g, &area);
                return;
            }
            &EventKind::Evacuation { compliance, curve, median_min, spread_min, ref to } => {
                let mobilisation = Mobilisation { curve, median_s: 60.0 * median_min, spread_s: 60.0 * spread_min };
                self.order(&now, &area, to, (compliance, mobilisation));
            }
            &EventKind::Gathering { persons, ref buildings, arrival_min, leave_min } => {
                self.gathering(&now, &area, buildings, (persons, arrival_min, leave_min));
            }
            EventKind::HeatWave { .. } | EventKind::ColdSnap { .. } => return,
        }
        if self.parts.len() == first && self.problems.len() == before {
            self.tell(row, "kind", "nothing of its kind lies in its area, so nothing would happen");
        }
    }

    /// An order to leave an area.
    fn order(&mut self, now: &Now, area: &InArea, to: &[String], (compliance, mobilisation): (f64, Mobilisation)) {
        let places = self.world.resource::<Places>();
        let Some(building) = area.buildings.iter().position(|&is_in| is_in) else {
            self.tell(
                now.row,
                "area",
                "no building lies in it, so nobody would leave: name `zones`, a `file` or a `layer`",
            );
            return;
        };
        let is_in = area.places(places);
        let mut goals = Vec::new();
        for (nth, name) in to.iter().enumerate() {
            let key = format!("to.{nth}");
            let row = self.city.buildings.id.iter().position(|id| id == name);
            match row.map(|row| Place(row as u32)).or_else(|| places.external(name)) {
                Some(place) if is_in[place.row()] => {
                    self.tell(now.row, &key, &format!("building `{name}` lies in the area that people are to leave"));
                }
                Some(place) => goals.push(place),
                None => {
                    let what = format!("the city has no building and no place outside `{name}`");
                    let known = places.external_names.iter().chain(&self.city.buildings.id).map(String::as_str);
                    self.unknown(now.row, &key, &what, known, name);
                }
            }
        }
        if to.is_empty() {
            goals = places.external_names.iter().filter_map(|name| places.external(name)).collect();
            if goals.is_empty() {
                self.tell(now.row, "kind", "no road leads out of the city: say with `to` to which buildings people go");
            }
        }
        let what = format!("{} buildings", area.buildings.iter().filter(|&&is_in| is_in).count());
        self.add(now, what, Effect::Evacuate(self.orders.len() as u32), building as u32);
        self.orders.push(Order { event: now.row as u32, is_in, goals, compliance, mobilisation });
    }

    /// Many people in one place.
    fn gathering(
        &mut self,
        now: &Now,
        area: &InArea,
        ids: &[String],
        (persons, arrival_min, leave_min): (u32, f64, f64),
    ) {
        let table = &self.city.buildings;
        let mut rows: BTreeSet<usize> = BTreeSet::new();
        for (nth, id) in ids.iter().enumerate() {
            match table.id.iter().position(|of| of == id) {
                Some(row) => drop(rows.insert(row)),
                None => {
                    let what = format!("the city has no building `{id}`");
                    self.unknown(now.row, &format!("buildings.{nth}"), &what, table.id.iter().map(String::as_str), id);
                }
            }
        }
        if ids.is_empty() {
            rows = (0..area.buildings.len()).filter(|&row| area.buildings[row]).collect();
        }
        let Some(&first) = rows.first() else {
            if ids.is_empty() {
                self.tell(now.row, "area", "no building lies in it: name `zones`, a `file` or a `layer`");
            }
            return;
        };
        let venues = rows.iter().map(|&row| (Place(row as u32), table.floor_area_m2[row].max(1.0))).collect();
        let ticks = |minutes: f64| (minutes * 60.0).round() as Tick;
        let sampled = (f64::from(persons) * self.loaded.scenario.population.sample_factor).round().max(1.0) as u32;
        let what =
            if rows.len() == 1 { format!("building {}", table.id[first]) } else { format!("{} buildings", rows.len()) };
        self.add(now, what, Effect::Gather(self.gatherings.len() as u32), first as u32);
        self.gatherings.push(Gathering {
            event: now.row as u32,
            persons: sampled,
            venues,
            begins: now.from,
            ends: now.until,
            arrival: ticks(arrival_min),
            leave: ticks(leave_min),
        });
    }

    fn car_links(&self, area: &InArea) -> Vec<CarLinkIx> {
        let network = self.world.resource::<CarNetwork>();
        let links = links_of(area).map(|link| network.car_link[link]).filter(|link| link.is_some());
        links.collect::<BTreeSet<_>>().into_iter().collect()
    }
    /// A building in an area of roads: the one nearest to the middle of the first.
    fn building_in(&self, area: &InArea) -> u32 {
        let Some(link) = links_of(area).next() else { return u32::MAX };
        let (nodes, links) = (&self.city.nodes, &self.city.links);
        let (a, b) = (links.from[link].row(), links.to[link].row());
        nearest_building(self.city, [(nodes.x_m[a] + nodes.x_m[b]) / 2.0, (nodes.y_m[a] + nodes.y_m[b]) / 2.0])
    }
    fn roads(&mut self, now: &Now, area: &InArea, effect: impl Fn(CarLinkIx) -> Effect) {
        let building = self.building_in(area);
        for link in self.car_links(area) {
            let network = self.world.resource::<CarNetwork>();
            let id = &self.city.links.id[network.city_link[link.row()].row()];
            self.add(now, format!("link {id}"), effect(link), building);
        }
    }
    /// Building whose supply an element shares lies in the area.
    fn is_in(area: &InArea, building: u32) -> bool {
        area.buildings.get(building as usize).copied().unwrap_or(building == u32::MAX)
    }

    fn outage(&mut self, now: &Now, branches: &[String], buses: &[String], area: &InArea) {
        let world = self.world;
        let Some(grid) = world.get_resource::<CityGrid>() else { return };
        let tables = grid.flow().grid();
        let near = bus_buildings(grid);
        let ends = |branch: u32| near[tables.branches.from[branch as usize] as usize];
        for (nth, id) in branches.iter().enumerate() {
            match grid.branch(id) {
                Some(Element::Branch(branch)) => {
                    self.add(now, format!("branch {id}"), Effect::Power(Element::Branch(branch)), ends(branch));
                }
                _ => {
                    let what = format!("`{id}` is no branch_id of table branch_state");
                    let names = grid.wiring().branch_id.iter().map(String::as_str);
                    self.unknown(now.row, &format!("branches.{nth}"), &what, names, id);
                }
            }
        }
        for (nth, id) in buses.iter().enumerate() {
            match grid.bus(id) {
                Some(Element::Bus(bus)) => {
                    self.add(now, format!("bus {id}"), Effect::Power(Element::Bus(bus)), near[bus as usize]);
                }
                _ => {
                    let what = format!("`{id}` is no bus_id of table bus_state");
                    let names = tables.buses.id.iter().map(String::as_str);
                    self.unknown(now.row, &format!("buses.{nth}"), &what, names, id);
                }
            }
        }
        if branches.is_empty() && buses.is_empty() {
            let inside = (0..self.city.buildings.len()).filter(|&row| area.buildings.get(row) == Some(&true));
            let of_area: BTreeSet<u32> = inside.map(|row| grid.building_bus(row)).collect();
            for bus in of_area {
                let id = &tables.buses.id[bus as usize];
                self.add(now, format!("bus {id}"), Effect::Power(Element::Bus(bus)), near[bus as usize]);
            }
        }
    }

    fn burst(&mut self, now: &Now, pipe: &str, hole_share: f64, shut_off_h: f64) {
        let world = self.world;
        let Some(water) = world.get_resource::<CityWater>() else { return };
        let links = &water.network().links;
        let pipes =
            || (0..links.id.len()).filter(|&row| matches!(links.kind[row], LinkKind::Pipe | LinkKind::CheckValve));
        let Some(row) = pipes().find(|&row| links.id[row] == pipe) else {
            let what = format!("`{pipe}` is no pipe of the water network (link_id of table water_link)");
            self.unknown(now.row, "pipe", &what, pipes().map(|row| links.id[row].as_str()), pipe);
            return;
        };
        let node = leak_node(water, row);
        let building = water.nearest_buildings()[node as usize];
        let shut = now.from.saturating_add((shut_off_h * 3600.0).round() as Tick).min(now.until);
        let leak = leak(node, links.diameter_m[row], hole_share);
        if shut > now.from && hole_share > 0.0 {
            let flowing = Now { until: shut, is_timed: true, row: now.row, from: now.from };
            self.add(&flowing, format!("leak of pipe {pipe}"), leak, building);
        }
        if now.until > shut {
            let effect = Effect::Piped(PipedNetwork::Water, row as u32);
            self.add_from(now, shut, format!("pipe {pipe}"), effect, building);
        }
    }

    fn failure(&mut self, now: &Now, network: PipedNetwork, elements: &[String]) {
        let Some(of) = Piped::of(self.world, network) else { return };
        for (nth, id) in elements.iter().enumerate() {
            match of.row(id) {
                Some(row) => {
                    self.add(now, format!("{} {id}", network.name()), Effect::Piped(network, row), of.building(row));
                }
                None => {
                    let what = format!("the {} network has no element `{id}`", network.name());
                    let names = of.ids.iter().map(String::as_str);
                    self.unknown(now.row, &format!("elements.{nth}"), &what, names, id);
                }
            }
        }
    }

    fn trip(&mut self, now: &Now, network: PipedNetwork, area: &InArea) {
        let Some(of) = Piped::of(self.world, network) else { return };
        for &row in of.sources.iter().filter(|&&row| Self::is_in(area, of.building(row))) {
            let what = format!("{} {}", network.name(), of.ids[row as usize]);
            self.add(now, what, Effect::Piped(network, row), of.building(row));
        }
    }

    fn cyber(&mut self, now: &Now, targets: &[Controlled], area: &InArea) {
        let world = self.world;
        let machines = world.resource::<Machines>();
        for &target in targets {
            let kind = match target {
                Controlled::Signals => MachineKind::Signal,
                Controlled::WaterPumps => MachineKind::WaterPump,
                Controlled::HeatPlants => MachineKind::HeatPlant,
                Controlled::GasCompressors => MachineKind::GasCompressor,
                Controlled::MobileSites => {
                    let sites = world.get_resource::<CityTelecom>().map_or(&[][..], |of| of.site_buildings());
                    for (site, &building) in sites.iter().enumerate().filter(|(_, of)| Self::is_in(area, **of)) {
                        self.add(now, format!("mobile site {site}"), Effect::Site(site as u32), building);
                    }
                    continue;
                }
            };
            for (row, machine) in machines.of.iter().enumerate().filter(|(_, of)| of.kind == kind) {
                if Self::is_in(area, machine.building) {
                    let what = format!("{} {}", kind.name(), machine.row);
                    self.add(now, what, Effect::Machine(row as u32), machine.building);
                }
            }
        }
    }

    fn earthquake(&mut self, now: &Now, pgv_mps: f64, pga_g: f64, area: &InArea) {
        let (world, event, seed) = (self.world, now.row as u32, self.seed);
        if let Some(water) = world.get_resource::<CityWater>() {
            let (links, near) = (&water.network().links, water.nearest_buildings());
            for row in 0..links.id.len() {
                let building = near[links.to[row] as usize];
                if links.kind[row] != LinkKind::Pipe || !Self::is_in(area, building) {
                    continue;
                }
                let (what, length_m) = (format!("pipe {}", links.id[row]), links.length_m[row]);
                match damage::of_pipe(seed, event, Pipes::Water, row as u32, length_m, pgv_mps) {
                    PipeDamage::None => {}
                    PipeDamage::Breaks => {
                        self.add(now, what, Effect::Piped(PipedNetwork::Water, row as u32), building);
                    }
                    PipeDamage::Leaks => {
                        let effect = leak(leak_node(water, row), links.diameter_m[row], damage::LEAK_SHARE);
                        self.add(now, format!("leak of {what}"), effect, building);
                    }
                }
            }
        }
        if let (Some(gas), Some(of)) = (world.get_resource::<CityGas>(), Piped::of(world, PipedNetwork::Gas)) {
            let net = gas.network();
            for (row, element) in net.elements.iter().enumerate().filter(|(_, element)| element.table == "pipe") {
                let length_m: f64 = element.links().map(|link| net.links.length_m[link]).sum();
                let (at, building) = (row as u32, of.building(row as u32));
                let damage = damage::of_pipe(seed, event, Pipes::Gas, at, length_m, pgv_mps);
                if damage == PipeDamage::Breaks && Self::is_in(area, building) {
                    self.add(now, format!("gas {}", of.ids[row]), Effect::Piped(PipedNetwork::Gas, at), building);
                }
            }
        }
        if let Some(grid) = world.get_resource::<CityGrid>() {
            let near = bus_buildings(grid);
            for (row, infeed) in grid.wiring().infeeds.iter().enumerate() {
                let building = near[infeed.bus as usize];
                if damage::substation_fails(seed, event, row as u32, pga_g) && Self::is_in(area, building) {
                    self.add(now, format!("bus {}", infeed.id), Effect::Power(Element::Bus(infeed.bus)), building);
                }
            }
        }
    }
}

/// End of a pipe at which it leaks: that at its to end, or the other where only that is a junction.
fn leak_node(water: &CityWater, pipe: usize) -> u32 {
    let net = water.network();
    let (from, to) = (net.links.from[pipe], net.links.to[pipe]);
    let is_junction = |node: u32| net.nodes.kind[node as usize] == NodeKind::Junction;
    if is_junction(to) || !is_junction(from) { to } else { from }
}

/// A hole in a pipe at a node: `Q = Cd A sqrt(2 g h)`.
fn leak(node: u32, diameter_m: f64, hole_share: f64) -> Effect {
    let area_m2 = hole_share * std::f64::consts::PI * diameter_m * diameter_m / 4.0;
    Effect::Leak { node, m3ps_per_sqrt_m: DISCHARGE * area_m2 * (2.0 * GRAVITY_MPS2).sqrt() }
}

/// By bus, the building that hangs nearest along branches.
fn bus_buildings(grid: &CityGrid) -> Vec<u32> {
    let tables = grid.flow().grid();
    let ends = tables.branches.from.iter().copied().zip(tables.branches.to.iter().copied());
    let hung = (0..grid.wiring().building_load.len()).map(|row| (grid.building_bus(row), row as u32));
    urbis_utility::wiring::nearest_buildings(tables.buses.len(), ends, hung)
}

/// A network of pipes as events see it: elements with their names and buildings.
struct Piped {
    ids: Vec<String>,
    /// Other names, such as those that people gave; empty where there are none.
    names: Vec<String>,
    buildings: Vec<u32>,
    sources: Vec<u32>,
}

impl Piped {
    fn of(world: &World, network: PipedNetwork) -> Option<Self> {
        match network {
            PipedNetwork::Water => {
                let water = world.get_resource::<CityWater>()?;
                let (links, near) = (&water.network().links, water.nearest_buildings());
                let buildings = links.to.iter().map(|&node| near[node as usize]).collect();
                Some(Self { ids: links.id.clone(), names: Vec::new(), buildings, sources: water.source_links() })
            }
            PipedNetwork::Gas => {
                let gas = world.get_resource::<CityGas>()?;
                Some(Self::of_pipes(gas.network(), &gas.nearest_buildings()))
            }
            PipedNetwork::Heat => {
                let heat = world.get_resource::<CityHeat>()?;
                Some(Self::of_pipes(heat.network(), &heat.nearest_buildings()))
            }
        }
    }
    fn of_pipes(net: &urbis_utility::pipes::network::Network, near: &[u32]) -> Self {
        Self {
            ids: net.elements.iter().map(|of| format!("{} {}", of.table, of.id)).collect(),
            names: net.elements.iter().map(|of| of.name.clone()).collect(),
            buildings: net.elements.iter().map(|of| near[net.links.to[of.first as usize] as usize]).collect(),
            sources: net.source_elements(),
        }
    }
    /// Row of an element by its id, or by a name that it alone has.
    fn row(&self, id: &str) -> Option<u32> {
        let mut named = self.names.iter().enumerate().filter(|(_, name)| *name == id).map(|(row, _)| row);
        let by_id = self.ids.iter().position(|of| of == id);
        by_id.or_else(|| named.next().filter(|_| named.next().is_none())).map(|row| row as u32)
    }
    fn building(&self, row: u32) -> u32 {
        self.buildings[row as usize]
    }
}
