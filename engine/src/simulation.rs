//! A city and a scenario as a world that steps.

use crate::building_policies::{self, ElectricShares};
use crate::emergency;
use crate::events;
use crate::groundwork::{Groundwork, day_tables};
use crate::kept::Kept;
use crate::land_use;
use crate::learning::{Knowledge, Rounds};
use crate::policies;
use crate::policy_conflicts;
use crate::step;
use crate::transit;
use crate::travel_policies;
use bevy_ecs::schedule::Schedule;
use bevy_ecs::world::World;
use std::borrow::Cow;
use urbis_city::model::City;
use urbis_core::{Clock, Domain, LinkIx, Period, Problem, Result};
use urbis_coupling::policy::area::InArea;
use urbis_coupling::{Changes, CityParking, ElectricCars, Exposure, Floods, ParkingSupply, Services};
use urbis_output::audit::Fault;
use urbis_output::record::{self, PeriodSums, Recorders, Recording};
use urbis_output::record_bills;
use urbis_output::record_emergency;
use urbis_output::record_evacuation;
use urbis_output::record_events;
use urbis_output::record_grid;
use urbis_output::record_network;
use urbis_output::record_people::{self, PeopleRecorder};
use urbis_output::record_policies;
use urbis_output::record_synthesis;
use urbis_output::record_traffic::{self, SignalsBefore};
use urbis_output::stopwatch::{self, SetTimes};
use urbis_output::{Kpi, ResultsWriter, kpis};
use urbis_population::settings::Ways;
use urbis_population::{FitReport, Households, People, Persons, Places, Planner, Plans, PopulationSettings, Sites};
use urbis_scenario::{Loaded, TableSchedule};
use urbis_traffic::{CarNetwork, GridlockReport, Traffic, TrafficSettings};
use urbis_utility::Weather;
use urbis_utility::piped::PipedSettings;

/// A run in progress. Results go to the writer it was made with.
pub struct Simulation {
    pub(crate) world: World,
    pub(crate) knowledge: Knowledge,
    schedule: Schedule,
}

impl std::fmt::Debug for Simulation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulation").field("clock", self.clock()).finish_non_exhaustive()
    }
}

impl Simulation {
    /// Puts everything into a world, with groundwork of its own: [`Groundwork::lay`] and [`Self::on`] in one.
    ///
    /// # Errors
    /// When the scenario does not fit the city.
    pub fn new(loaded: &Loaded, city: City, seed: u64, writer: ResultsWriter) -> Result<Self> {
        let groundwork = Groundwork::lay(loaded, &city, seed, &Kept::default(), &mut |_| (), &|| false)?;
        Self::on(groundwork, loaded, city, seed, writer)
    }

    /// Puts everything into a world: the clock, the city, each domain in layer order, then those who record.
    ///
    /// # Errors
    /// When the scenario does not fit the city.
    pub fn on(
        groundwork: Groundwork,
        loaded: &Loaded,
        city: City,
        seed: u64,
        mut writer: ResultsWriter,
    ) -> Result<Self> {
        let recorders = recorders(loaded, &city)?;
        let mut this = Self::planned(groundwork, loaded, city, seed)?;
        for layer in land_use::changed_layers(loaded) {
            writer.changed_layer(layer, this.world.resource::<City>())?;
        }
        let world = &mut this.world;
        if recorders.crossings.every.is_some() {
            world.resource_mut::<Traffic>().engine_mut().keep_passages();
        }
        world.insert_resource(recorders);
        world.insert_resource(PeriodSums::default());
        world.insert_resource(SignalsBefore::default());
        world.insert_resource(writer);
        Ok(this)
    }

    /// Everything but those who record: people have their plans, networks and policies stand.
    pub(crate) fn planned(groundwork: Groundwork, loaded: &Loaded, mut city: City, seed: u64) -> Result<Self> {
        let scenario = &loaded.scenario;
        city = land_use::changed(loaded, city)?;
        let areas = policies::areas(loaded, &city)?;
        policy_conflicts::check(loaded, &city, &areas)?;
        let lost_lanes = policies::change_roads(loaded, &mut city, &areas)?;
        let power_step = Period::from_seconds(scenario.power.step_s).unwrap_or(Period::EVERY_TICK);
        let clock = loaded.timing()?.clock().with_period(Domain::Power, power_step);
        let mut weather = Weather::new(&loaded.weather(), clock.local_offset_s())?;
        events::warm(loaded, &clock, &mut weather);
        let (mut settings, leaves_out) = settings_of(loaded);
        settings.telework = policies::telework(loaded, &city, &areas);
        settings.hours = travel_policies::hours(loaded, &city, &areas)?;
        let settings = &settings;
        let tables = day_tables(settings)?;
        let networks = Networks { loaded, settings, clock: &clock, areas: &areas, lost_lanes: &lost_lanes };
        let Groundwork { mut skims, long_term, times_ms, world } = groundwork;
        let mut world = match world {
            Some(world) if scenario.policy.is_empty() => world,
            _ => networks.world(&city, seed)?,
        };
        world.resource_mut::<FitReport>().warnings.extend(leaves_out);
        let policies = policies::install(loaded, &city, &world, &clock, &areas, seed)?;
        policies::keep_routes(&mut world, &policies);
        world.insert_resource(policies);
        let mut knowledge = Knowledge::new(&city, settings, &travel_policies::traffic(loaded, &city, &areas)?);
        if policies::change_ways(scenario) {
            skims = knowledge.measure(&world);
        }
        let long_term = long_term.after_plan(&world, &city, settings, &tables, &skims, seed);
        knowledge.foresee(&world, &mut skims, times_ms);
        world.insert_resource(skims);
        Planner::install(&mut world, &city, settings, tables, long_term, seed, &clock)?;
        knowledge.refine(&mut world);
        let (measures, power) =
            (building_policies::measures(loaded, &city, &areas, seed)?, building_policies::power(loaded));
        if !measures.is_none() {
            world.insert_resource(measures);
        }
        urbis_utility::piped::install_water(&mut world, &city, &scenario.water, &clock, loaded.folder())?;
        urbis_utility::power::install(&mut world, &city, &power, weather, &clock, loaded.folder(), seed)?;
        let pipes = PipedSettings {
            power: &scenario.power,
            water: &scenario.water,
            gas: &scenario.gas,
            heat: &scenario.heat,
            sewer: &scenario.sewer,
            telecom: &scenario.telecom,
            persons_scale: 1.0 / settings.sample_factor,
        };
        urbis_utility::piped::install(&mut world, &city, pipes, &clock, loaded.folder())?;
        if !scenario.bills.is_default() {
            world.insert_resource(building_policies::bills(loaded, &city, &areas));
        }
        building_policies::check_water(loaded, &areas, world.get_resource())?;
        world.insert_resource(Services::default());
        world.insert_resource(Floods::default());
        world.insert_resource(scenario.coupling.clone());
        let electric = ElectricShares::new(loaded, &areas, world.resource::<Places>());
        if !electric.are_none() {
            let persons = world.resource::<Persons>();
            let power_max_w = scenario.power.devices.charger.power_w;
            let cars = ElectricCars::new(persons, |person| electric.of(persons.home[person]), power_max_w, seed);
            world.insert_resource(cars);
        }
        events::install(loaded, &city, &mut world, seed)?;
        if scenario.coupling.traffic_to_people {
            world.insert_resource(Exposure::new(&city, world.resource::<CarNetwork>()));
        }
        world.insert_resource(ParkingSupply(travel_policies::parking_supply(loaded, &city, &areas)?));
        install_parking(&mut world, &city, &scenario.traffic, settings.sample_factor)?;
        emergency::install(&mut world, loaded, &city, seed)?;
        world.insert_resource(Fault::default());
        world.insert_resource(SetTimes::default());
        world.insert_resource(clock);
        world.insert_resource(city);
        Ok(Self { world, knowledge, schedule: step::schedule() })
    }

    /// Steps by another schedule from now on: for tests of the order of its parts.
    pub fn set_schedule(&mut self, schedule: Schedule) {
        self.schedule = schedule;
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.world.resource::<Clock>()
    }

    /// Wall time of each set of the steps so far, seconds.
    pub(crate) fn set_wall_s(&self) -> [f64; stopwatch::SETS.len()] {
        self.world.resource::<SetTimes>().seconds
    }

    /// The world, to look into.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The world, to change: for tests and tools that intervene between ticks.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Computes one tick; false when the period is over.
    ///
    /// # Errors
    /// A broken ledger, or results that do not fit on disk.
    pub fn step(&mut self) -> Result<bool> {
        if !self.clock().has_next() {
            return Ok(false);
        }
        self.schedule.run(&mut self.world);
        self.world.resource_mut::<Fault>().take()?;
        Ok(true)
    }

    /// Writes what is written once, at the end, and gives the writer back with the indicators.
    ///
    /// # Errors
    /// Results that do not fit on disk.
    pub fn finish(mut self) -> Result<(ResultsWriter, Vec<Kpi>)> {
        let kpis = kpis::collect(&self.world);
        let Some(mut writer) = self.world.remove_resource::<ResultsWriter>() else {
            unreachable!("the writer was put in by `new` and only `finish` takes it out");
        };
        let world = &self.world;
        record_traffic::gridlock(
            world.resource::<Clock>(),
            world.resource::<City>(),
            world.resource::<CarNetwork>(),
            world.resource::<GridlockReport>(),
            world.resource::<Recorders>(),
            &mut writer,
        )?;
        record::trips(
            world.resource::<Clock>(),
            world.resource::<City>(),
            world.resource::<Places>(),
            world.resource::<Persons>(),
            world.resource::<Plans>(),
            world.resource::<People>(),
            world.resource::<Traffic>(),
            &world.resource::<Recorders>().trips,
            &mut writer,
        )?;
        let of_people = PeopleRecorder::new(world);
        of_people.activities(&mut writer)?;
        of_people.tours(&mut writer)?;
        of_people.legs(&mut writer)?;
        of_people.od(&mut writer)?;
        record_policies::payments(world, &mut writer)?;
        record_events::events(world, &mut writer)?;
        record_evacuation::evacuation(world, &mut writer)?;
        record_grid::outages(world, &mut writer)?;
        record_network::elements(world, &mut writer)?;
        record_bills::bills(world, &mut writer)?;
        record_emergency::calls(world, &mut writer)?;
        record_people::skims(world, self.knowledge.modes(), &mut writer)?;
        record_people::accessibility(world, self.knowledge.modes(), &mut writer)?;
        if world.resource::<Recorders>().feedback.every.is_some()
            && let Some(rounds) = world.get_resource::<Rounds>()
        {
            rounds.0.iter().try_for_each(|round| round.write(&mut writer))?;
        }
        let (city, places) = (world.resource::<City>(), world.resource::<Places>());
        let recorders = world.resource::<Recorders>();
        record_synthesis::persons(city, places, world.resource::<Persons>(), &recorders.persons, &mut writer)?;
        record_synthesis::households(city, places, world.resource::<Households>(), &recorders.households, &mut writer)?;
        Ok((writer, kpis))
    }
}

/// What people move in: the roads and timetables of a scenario, with its policies in `areas` or, without any, before them.
pub(crate) struct Networks<'a> {
    pub(crate) loaded: &'a Loaded,
    pub(crate) settings: &'a PopulationSettings,
    pub(crate) clock: &'a Clock,
    pub(crate) areas: &'a [InArea],
    /// By link, whether buses have lanes of their own; empty where they have none.
    pub(crate) lost_lanes: &'a [bool],
}

impl Networks<'_> {
    /// A world with people who have no plans yet, and with the networks of a city.
    pub(crate) fn world(&self, city: &City, seed: u64) -> Result<World> {
        let mut world = World::new();
        urbis_population::install(&mut world, city, self.settings, seed)?;
        let roads = with_capacity(city, self.settings.sample_factor);
        let ends = world.resource::<Places>().car_node.clone();
        let settings = travel_policies::traffic(self.loaded, city, self.areas)?;
        urbis_traffic::install(&mut world, &roads, settings, &ends)?;
        let mut transit = transit::install(self.loaded, city, &world, self.clock, self.areas)?;
        let has_lane = |link: LinkIx| self.lost_lanes.get(link.row()).copied().unwrap_or(false);
        transit.give_lanes(has_lane, world.resource::<CarNetwork>());
        world.insert_resource(transit);
        Ok(world)
    }
}

/// The population's settings without the sites of park-and-ride where nothing can be ridden from them, and a sentence on
/// it: it goes by the times of a timetable.
pub(crate) fn settings_of(loaded: &Loaded) -> (PopulationSettings, Option<String>) {
    let mut population = loaded.population();
    let can_ride = !loaded.scenario.transit.feeds.is_empty() && population.ways == Ways::Network;
    let left_out = std::mem::take(&mut population.park_and_ride);
    if can_ride || left_out.is_default() {
        population.park_and_ride = left_out;
        return (population, None);
    }
    let why =
        "population.park_and_ride is left out: it needs timetables (transit.feeds) and population.ways = \"network\"";
    (population, Some(why.to_owned()))
}

/// Cars of the persons in the world and the spaces of the city, and nobody on the way between the two parts of a trip.
pub(crate) fn install_parking(
    world: &mut World,
    city: &City,
    traffic: &TrafficSettings,
    sample_factor: f64,
) -> Result<()> {
    let (persons, places) = (world.resource::<Persons>(), world.resource::<Places>());
    let sites = world.resource::<Sites>();
    let factors = world.get_resource::<ParkingSupply>().map_or(&[][..], |supply| &supply.0);
    let parking = CityParking::with_supply(city, &traffic.parking, sample_factor, persons, places, sites, factors)?;
    let changes = Changes::new(world.resource::<Plans>());
    world.insert_resource(parking);
    world.insert_resource(changes);
    Ok(())
}

/// The city with the road capacity that a sample of its people shares: flows and storage shrink alike, so
/// queues last as long as with everybody.
pub(crate) fn with_capacity(city: &City, sample_factor: f64) -> Cow<'_, City> {
    let mut city = Cow::Borrowed(city);
    if sample_factor < 1.0 {
        let links = &mut city.to_mut().links;
        links.capacity_vps.iter_mut().for_each(|capacity| *capacity *= sample_factor);
        links.jam_density_vpm.iter_mut().for_each(|density| *density *= sample_factor);
    }
    city
}

/// Whether a table has the rows of a network, not of zones.
fn is_of_network(table: &str) -> bool {
    let of_grid = ["bus_state", "branch_state", "substation_load", "energy_balance"];
    let of_pipes = ["water_node", "water_link", "tank", "gas_node", "gas_link", "heat_node", "heat_link", "sewer_node"];
    of_grid.contains(&table) || of_pipes.contains(&table) || table == "utility_balance"
}

/// The recorders of a scenario; zones by name become flags by row.
fn recorders(loaded: &Loaded, city: &City) -> Result<Recorders> {
    let mut recorders = Recorders::default();
    let mut problems = urbis_core::Problems::new();
    let step_s = loaded.scenario.power.step_s;
    let has_grid = !loaded.scenario.power.grid.is_none();
    let has_water = !loaded.scenario.water.is_none();
    let (has_gas, has_heat) = (!loaded.scenario.gas.is_none(), !loaded.scenario.heat.is_none());
    let has_sewer = !loaded.scenario.sewer.is_none();
    let has_pipes = has_water || has_gas || has_heat || has_sewer;
    let has_service = has_grid || has_pipes || !loaded.scenario.telecom.is_none();
    for TableSchedule { table, enabled, every_s, zones } in loaded.scenario.output.tables.schedules() {
        let mut in_area = if zones.is_empty() { Vec::new() } else { vec![false; city.zones.len()] };
        for zone in zones {
            match city.zones.id.iter().position(|id| id == zone) {
                Some(row) => in_area[row] = true,
                None => problems.push(loaded.problem_at(
                    &format!("output.tables.{table}.zones"),
                    &format!("the city `{}` has no zone `{zone}`; it has {:?}", city.manifest.name, city.zones.id),
                    "not a zone of the city",
                )),
            }
        }
        let is_of_network = is_of_network(table);
        if is_of_network && !zones.is_empty() {
            problems.push(loaded.problem_at(
                &format!("output.tables.{table}.zones"),
                &format!("table `{table}` covers the whole network; leave out `zones`"),
                "not by zone",
            ));
        }
        let steps_with_power = is_of_network || matches!(table, "building_load" | "zone_load" | "service");
        if enabled && steps_with_power && every_s.is_some_and(|every| every % step_s != 0) {
            problems.push(loaded.problem_at(
                &format!("output.tables.{table}.every_s"),
                &format!(
                    "table `{table}` is written every {} s, expected a multiple of power.step_s = {step_s}",
                    every_s.unwrap_or(0)
                ),
                "not a multiple of the step",
            ));
        }
        let recording = Recording { every: enabled.then(|| every_s.unwrap_or(1)), in_area };
        match table {
            "link_state" => recorders.link_state = recording,
            "trips" => recorders.trips = recording,
            "presence" => recorders.presence = recording,
            "building_load" => recorders.building_load = recording,
            "zone_load" => recorders.zone_load = recording,
            "ledgers" => recorders.ledgers = recording,
            "signals" => recorders.signals = recording,
            "gridlock" => recorders.gridlock = recording,
            "crossings" => recorders.crossings = recording,
            "persons" => recorders.persons = recording,
            "households" => recorders.households = recording,
            "activity_presence" => recorders.activity_presence = recording,
            "activities" => recorders.activities = recording,
            "tours" => recorders.tours = recording,
            "legs" => recorders.legs = recording,
            "od" => recorders.od = recording,
            "skims" => recorders.skims = recording,
            "accessibility" => recorders.accessibility = recording,
            "feedback" => recorders.feedback = recording,
            "transit_load" if !loaded.scenario.transit.feeds.is_empty() => recorders.transit_load = recording,
            "bus_state" if has_grid => recorders.bus_state = recording,
            "branch_state" if has_grid => recorders.branch_state = recording,
            "substation_load" if has_grid => recorders.substation_load = recording,
            "energy_balance" if has_grid => recorders.energy_balance = recording,
            "network_element" if has_grid || has_pipes => recorders.network_element = recording,
            "outages" if has_grid => recorders.outages = recording,
            "water_node" if has_water => recorders.water_node = recording,
            "water_link" if has_water => recorders.water_link = recording,
            "tank" if has_water => recorders.tank = recording,
            "gas_node" if has_gas => recorders.gas_node = recording,
            "gas_link" if has_gas => recorders.gas_link = recording,
            "heat_node" if has_heat => recorders.heat_node = recording,
            "heat_link" if has_heat => recorders.heat_link = recording,
            "sewer_node" if has_sewer => recorders.sewer_node = recording,
            "service" if has_service => recorders.service = recording,
            "utility_balance" if has_pipes => recorders.utility_balance = recording,
            "exposure" if loaded.scenario.coupling.traffic_to_people => recorders.exposure = recording,
            "events" if !loaded.scenario.event.is_empty() => recorders.events = recording,
            "evacuation" if events::evacuate(&loaded.scenario) => recorders.evacuation = recording,
            "bills" if !loaded.scenario.bills.is_default() => recorders.bills = recording,
            "emergency_call" if !loaded.scenario.emergency.is_none() => recorders.emergency_call = recording,
            "payments" if policies::take_money(&loaded.scenario) => recorders.payments = recording,
            "parking" if loaded.scenario.traffic.parking.enabled => recorders.parking = recording,
            _ => {}
        }
    }
    recorders.smallest_group = u64::from(loaded.scenario.output.smallest_group);
    if recorders.smallest_group > 1 {
        let of_single = [
            ("trips", &recorders.trips),
            ("crossings", &recorders.crossings),
            ("activities", &recorders.activities),
            ("tours", &recorders.tours),
            ("legs", &recorders.legs),
            ("persons", &recorders.persons),
            ("households", &recorders.households),
            ("payments", &recorders.payments),
            ("emergency_call", &recorders.emergency_call),
        ];
        for (table, _) in of_single.iter().filter(|(_, recording)| recording.every.is_some()) {
            problems.push(loaded.problem_at(
                "output.smallest_group",
                &format!("table `{table}` tells of single persons, but no row may stand for fewer than {}; set output.tables.{table}.enabled = false", recorders.smallest_group),
                "larger groups than one",
            ));
        }
    }
    if city.links.is_empty() {
        problems.push(Problem::file(&loaded.package(), "the city has no links"));
    }
    problems.or_else(recorders)
}
