//! Traffic in the world: its resources and the systems that step it.
//!
//! Order within a tick: [`load_departures`], [`advance_vehicles`], [`update_travel_times`]. Every resource
//! has one writer at a time; the parallel work is inside the systems.

use crate::city_roads::{Reshaped, RoadShape};
use crate::control::{SignalControl, SignalSettings, Signals};
use crate::emissions::Factors;
use crate::engine::{Arrival, Engine, VehicleCounts};
use crate::gridlock::{GridlockPolicy, GridlockReport};
use crate::measure::{LinkStats, TravelTimes};
use crate::network::CarNetwork;
use crate::parking::ParkingSettings;
use crate::route::Router;
use crate::time::{TICK, from_seconds, tick_of, to_ms};
use bevy_ecs::change_detection::{Mut, Res, ResMut};
use bevy_ecs::resource::Resource;
use bevy_ecs::world::World;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::model::{City, NodeControl};
use urbis_core::{CarLinkIx, Clock, LinkIx, NodeIx, Problem, Problems, Result, Tick, TripIx};

/// Settings of traffic in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Resource)]
#[serde(deny_unknown_fields, default)]
pub struct TrafficSettings {
    /// How often routes take over measured travel times, seconds; 0 keeps those of empty roads.
    pub travel_time_update_s: u32,
    /// Weight of the latest measurement against earlier ones, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub travel_time_smoothing: f64,
    /// Vehicles that a junction can hold aside without blocking those who go elsewhere.
    pub junction_pocket_vehicles: u32,
    /// How often gridlock is looked for, seconds; 0 never.
    pub gridlock_check_s: u32,
    /// Traffic lights.
    pub signals: SignalSettings,
    /// What happens to rings of full links that block themselves: `release` (they creep), `report` or `stop`.
    pub gridlock: GridlockPolicy,
    /// Tolls: money for each passage, by id of the link of the city. Drivers weigh them against time at
    /// `population.value_of_time_per_h`.
    pub tolls: BTreeMap<String, f64>,
    /// Whether links that take less than a second are joined with the next where no ways part.
    pub join_short: bool,
    /// Length of a lane of their own for left turns at signals, metres; 0 gives them none.
    #[schemars(range(min = 0.0))]
    pub turn_pockets_m: f64,
    /// Whether lanes marked for turns (OpenStreetMap's `turn:lanes`) queue apart, as long as turn pockets or 60 m.
    pub lane_groups: bool,
    /// Whether traffic keeps left: then turn pockets are for right turns.
    pub keep_left: bool,
    /// Parking.
    pub parking: ParkingSettings,
}

impl TrafficSettings {
    /// How roads are taken from a city.
    #[must_use]
    pub fn road_shape(&self) -> RoadShape {
        RoadShape {
            joins_short: self.join_short,
            turn_pocket_m: (self.turn_pockets_m > 0.0).then_some(self.turn_pockets_m),
            lane_groups: self.lane_groups,
            keeps_left: self.keep_left,
        }
    }
}

impl Default for TrafficSettings {
    fn default() -> Self {
        Self {
            travel_time_update_s: 300,
            travel_time_smoothing: 0.5,
            junction_pocket_vehicles: 4,
            gridlock_check_s: 20,
            signals: SignalSettings::default(),
            gridlock: GridlockPolicy::default(),
            tolls: BTreeMap::new(),
            join_short: false,
            turn_pockets_m: 0.0,
            lane_groups: false,
            keep_left: false,
            parking: ParkingSettings::default(),
        }
    }
}

/// A trip by car that somebody wants to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TripRequest {
    /// Whose trip it is; comes back in [`TripEnded`].
    pub trip: TripIx,
    /// When it wants to leave; a past tick counts as now.
    pub depart: Tick,
    /// Node of the city where it starts.
    pub from: NodeIx,
    /// Node of the city where it ends.
    pub to: NodeIx,
    /// Group of drivers whose prices it pays: see [`Router::set_groups`].
    pub group: u8,
}

/// A trip that was put on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTaken {
    /// What was asked for.
    pub request: TripRequest,
    /// The way.
    pub links: Vec<CarLinkIx>,
}

/// Ways of the trips that departed in this tick, in order of departure, then trip; kept only where somebody asks.
#[derive(Clone, Debug, Default, Resource)]
pub struct RoutesTaken {
    /// Whether they are kept.
    pub are_kept: bool,
    /// The ways.
    pub routes: Vec<RouteTaken>,
}

/// Trips that want to leave, in order of trip; others fill it, [`load_departures`] takes those that are due.
#[derive(Clone, Debug, Default, Resource)]
pub struct Departures {
    /// The requests.
    pub requests: Vec<TripRequest>,
}

/// A trip that reached its destination.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TripEnded {
    /// Whose trip it was.
    pub trip: TripIx,
    /// When it wanted to leave, milliseconds since the start.
    pub depart_ms: u32,
    /// When it left the queue of its origin, milliseconds since the start.
    pub entered_ms: u32,
    /// When it arrived, milliseconds since the start.
    pub arrive_ms: u32,
    /// What it lost against its route on empty roads, waiting at the origin included, milliseconds.
    pub delay_ms: u32,
    /// Length of its route, metres.
    pub distance_m: f32,
}

impl From<&Arrival> for TripEnded {
    fn from(arrival: &Arrival) -> Self {
        Self {
            trip: arrival.trip,
            depart_ms: to_ms(arrival.depart),
            entered_ms: to_ms(arrival.entered),
            arrive_ms: to_ms(arrival.arrive),
            delay_ms: to_ms((arrival.arrive - arrival.depart).saturating_sub(arrival.free_time)),
            distance_m: arrival.distance_m,
        }
    }
}

/// Trips that ended in this tick, in order of arrival, then trip.
#[derive(Clone, Debug, Default, Resource)]
pub struct TripsEnded {
    /// The trips.
    pub trips: Vec<TripEnded>,
}

/// Why a trip cannot be made by car.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RejectReason {
    /// No car link touches its origin.
    OriginOffNetwork,
    /// No car link touches its destination.
    DestinationOffNetwork,
    /// No route leads there.
    NoRoute,
}

impl RejectReason {
    /// Name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OriginOffNetwork => "origin_off_network",
            Self::DestinationOffNetwork => "destination_off_network",
            Self::NoRoute => "no_route",
        }
    }
}

/// Requests that could not be served in this tick, in order of departure, then trip.
#[derive(Clone, Debug, Default, Resource)]
pub struct Rejected {
    /// The requests, each with the reason.
    pub trips: Vec<(TripRequest, RejectReason)>,
}

/// What vehicles burn and emit.
#[derive(Clone, Debug, Default, Resource)]
pub struct EmissionFactors(pub Factors);

/// The vehicles and the travel times they meet.
#[derive(Debug, Resource)]
pub struct Traffic {
    engine: Engine,
    travel_times: TravelTimes,
    /// Trips from a node to itself, which end in the tick they start.
    without_road: Vec<TripEnded>,
}

impl Traffic {
    /// The kernel, for what is not covered here.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
    /// The kernel, for policies such as closures.
    #[must_use]
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }
    /// Travel times of links that routes are chosen by at present, milliseconds.
    #[must_use]
    pub fn travel_times_ms(&self) -> &[u32] {
        self.travel_times.used_ms()
    }
    /// Vehicles by where they are, from running counters.
    #[must_use]
    pub fn counts(&self) -> VehicleCounts {
        self.engine.counts()
    }
    /// The same with every vehicle counted anew, and the rows of the vehicle table.
    #[must_use]
    pub fn audit(&self) -> (VehicleCounts, u64) {
        self.engine.audit()
    }
}

/// Inserts the resources of traffic for a city; `ends` are the nodes where trips may start and end, which stay
/// whatever becomes of the roads.
///
/// # Errors
/// [`urbis_core::Error::Input`] naming the car links that cannot be simulated.
pub fn install(world: &mut World, city: &City, settings: TrafficSettings, ends: &[NodeIx]) -> Result<()> {
    let is_signal = |node: NodeIx| {
        city.nodes.control[node.row()] == NodeControl::Signal
            && settings.signals.control_at(node.row()) != SignalControl::GreenShare
    };
    let is_controlled = settings.signals.control != SignalControl::GreenShare
        || (0..city.nodes.len()).any(|row| is_signal(NodeIx(row as u32)));
    // Lights that are simulated take their share of the capacity themselves.
    let green_share = if is_controlled { city.manifest.signal_green_share() } else { 1.0 };
    let cut = |link: LinkIx| if is_signal(city.links.to[link.row()]) { green_share } else { 1.0 };
    let network = CarNetwork::from_city_shaped(city, cut, settings.road_shape(), ends)?;
    // Nodes where drivers choose their lane stand before the signals, not at them.
    let own = network.reshaped.as_ref().map_or(network.nodes(), Reshaped::city_nodes);
    let at_signal: Vec<bool> =
        network.city_node.iter().enumerate().map(|(row, &node)| row < own && is_signal(node)).collect();
    let signals = settings.signals.clone();
    install_network(world, network, settings)?;
    if is_controlled {
        world.resource_scope(|world, network: Mut<'_, CarNetwork>| {
            let mut traffic = world.resource_mut::<Traffic>();
            let control_of = |node: u32| {
                network.city_node.get(node as usize).map_or(signals.control, |node| signals.control_at(node.row()))
            };
            let installed = Signals::install_by(&mut traffic.engine, &network, &at_signal, &signals, &control_of, 0)?;
            world.insert_resource(installed);
            Ok(())
        })
    } else {
        Ok(())
    }
}

/// Inserts the resources of traffic for a network that need not come from a city.
///
/// # Errors
/// [`urbis_core::Error::Input`] when the network is too large to be numbered.
pub fn install_network(world: &mut World, network: CarNetwork, settings: TrafficSettings) -> Result<()> {
    let engine = Engine::new(&network, settings.junction_pocket_vehicles)?;
    world.insert_resource(LinkStats::new(&engine));
    world.insert_resource(Traffic {
        travel_times: TravelTimes::new(&engine, &network.free_time_ms()),
        engine,
        without_road: Vec::new(),
    });
    world.insert_resource(Router::new(&network));
    world.insert_resource(network);
    world.insert_resource(settings);
    world.init_resource::<Departures>();
    world.init_resource::<RoutesTaken>();
    world.init_resource::<TripsEnded>();
    world.init_resource::<Rejected>();
    world.init_resource::<GridlockReport>();
    world.init_resource::<Signals>();
    world.init_resource::<EmissionFactors>();
    Ok(())
}

/// Tolls of each car link, money; empty where there are none.
///
/// # Errors
/// [`urbis_core::Error::Input`] naming tolls of links that cars do not use, and tolls that are not money.
pub fn tolls_of_links(city: &City, network: &CarNetwork, settings: &TrafficSettings) -> Result<Vec<f32>> {
    if settings.tolls.is_empty() {
        return Ok(Vec::new());
    }
    // The body of a link is charged: what stands for several links for each of them, parts of one link once.
    let rows: BTreeMap<&str, usize> = (network.car_link.iter().zip(&city.links.id))
        .filter(|(link, _)| link.is_some())
        .map(|(link, id)| (id.as_str(), link.row()))
        .collect();
    let mut tolls = vec![0.0; network.links()];
    let mut problems = Problems::new();
    for (id, &toll) in &settings.tolls {
        match rows.get(id.as_str()) {
            Some(&row) if toll.is_finite() && toll >= 0.0 => tolls[row] += toll as f32,
            Some(_) => problems.push(Problem::file(
                Path::new("traffic.tolls"),
                format!("link `{id}` costs {toll}, expected money >= 0"),
            )),
            None => problems.push(
                Problem::file(
                    Path::new("traffic.tolls"),
                    format!("`{id}` is not a link that cars use in the city `{}`", city.manifest.name),
                )
                .with_help("ids of links stand in layers/links.parquet of the city package"),
            ),
        }
    }
    problems.or_else(tolls)
}

/// Lets the controllers of signals decide whose time has come.
pub fn control_signals(mut signals: ResMut<'_, Signals>, mut traffic: ResMut<'_, Traffic>) {
    signals.decide(&mut traffic.engine);
}

/// Routes the trips that are due in one batch and puts them into the queues of their origins, in order of
/// departure, then trip.
pub fn load_departures(
    clock: Res<'_, Clock>,
    network: Res<'_, CarNetwork>,
    router: Res<'_, Router>,
    mut departures: ResMut<'_, Departures>,
    mut traffic: ResMut<'_, Traffic>,
    mut rejected: ResMut<'_, Rejected>,
    mut taken: ResMut<'_, RoutesTaken>,
) {
    rejected.trips.clear();
    taken.routes.clear();
    if departures.requests.is_empty() {
        return;
    }
    let now = clock.tick();
    let mut due: Vec<TripRequest> = departures.requests.extract_if(.., |request| request.depart <= now).collect();
    due.sort_by_key(|request| (request.depart, request.trip));
    let (mut queries, mut groups) = (Vec::with_capacity(due.len()), Vec::with_capacity(due.len()));
    due.retain(|request| {
        let reason = match (network.node_of(request.from), network.node_of(request.to)) {
            // Somebody who stays where they are needs no road.
            _ if request.from == request.to => None,
            (None, _) => Some(RejectReason::OriginOffNetwork),
            (_, None) => Some(RejectReason::DestinationOffNetwork),
            (Some(from), Some(to)) => {
                queries.push((from, to));
                groups.push(request.group);
                return true;
            }
        };
        if let Some(reason) = reason {
            rejected.trips.push((*request, reason));
            traffic.engine.count_rejected();
        } else {
            let at_ms = to_ms(now * TICK);
            traffic.engine.count_without_road();
            traffic.without_road.push(TripEnded {
                trip: request.trip,
                depart_ms: at_ms,
                entered_ms: at_ms,
                arrive_ms: at_ms,
                delay_ms: 0,
                distance_m: 0.0,
            });
        }
        false
    });
    let routes = router.route_batch_in_groups(&queries, &groups);
    for (nth, request) in due.iter().enumerate() {
        let route = routes.route(nth).and_then(|(links, _)| Some((links, traffic.engine.add_route(links)?)));
        if let Some((links, route)) = route {
            if taken.are_kept {
                taken.routes.push(RouteTaken { request: *request, links: links.to_vec() });
            }
            traffic.engine.depart(request.trip, route, from_seconds(f64::from(request.depart)));
            traffic.engine.drop_route(route);
        } else {
            rejected.trips.push((*request, RejectReason::NoRoute));
            traffic.engine.count_rejected();
        }
    }
    rejected.trips.sort_by_key(|(request, _)| (request.depart, request.trip));
}

/// Moves vehicles through the tick `[tick, tick + 1)` and says who arrived.
pub fn advance_vehicles(
    clock: Res<'_, Clock>,
    settings: Res<'_, TrafficSettings>,
    mut traffic: ResMut<'_, Traffic>,
    mut ended: ResMut<'_, TripsEnded>,
    mut gridlock: ResMut<'_, GridlockReport>,
) {
    ended.trips.clear();
    let Traffic { engine, without_road, .. } = &mut *traffic;
    ended.trips.append(without_road);
    while engine.tick() <= clock.tick() {
        ended.trips.extend(engine.step().iter().map(TripEnded::from));
    }
    ended.trips.sort_by_key(|trip| (trip.arrive_ms, trip.trip));
    if is_due(settings.gridlock_check_s, engine.tick()) {
        let is_locked = gridlock.update(engine, settings.gridlock);
        gridlock.stops |= is_locked && settings.gridlock == GridlockPolicy::Stop;
    }
}

/// Lets routes follow the measured travel times when it is time to.
pub fn update_travel_times(
    clock: Res<'_, Clock>,
    settings: Res<'_, TrafficSettings>,
    mut traffic: ResMut<'_, Traffic>,
    mut router: ResMut<'_, Router>,
) {
    if !is_due(settings.travel_time_update_s, clock.tick() + 1) {
        return;
    }
    let Traffic { engine, travel_times, .. } = &mut *traffic;
    debug_assert_eq!(tick_of(engine.tick() * TICK), clock.tick() + 1);
    if let Some(times) = travel_times.update(engine, settings.travel_time_smoothing) {
        router.set_travel_times(times);
    }
}

fn is_due(every_s: u32, tick: Tick) -> bool {
    every_s > 0 && tick.is_multiple_of(every_s)
}
