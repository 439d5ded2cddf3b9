//! Emergency services of a run: people call, units drive through the traffic of the moment.
//!
//! | part | file |
//! | --- | --- |
//! | who is sent where, when (a kernel of its own) | [`dispatch`] |
//! | calls of people present | [`calls`] |
//! | stations and hospitals | [`stations`] |
//! | what a scenario can say, and sources of what is usual | [`settings`] |
//!
//! Each tick, after traffic has moved, calls of the step and those that other couplings put into [`EmergencyCalls`]
//! come in, and everything up to the end of the tick happens. Ways are the fastest under the travel times of links that
//! drivers know at that moment ([`Traffic::travel_times_ms`]), without tolls and without what keeps through traffic out
//! of side streets; the drive takes the time that it promises when the unit is sent, over the siren's factor for urgent
//! calls. Streets that are closed to cars are closed to units, unless they pass. With `coupling.traffic_to_emergency`
//! off, roads are empty and open at all times.
//!
//! Ignored: units as vehicles on the road (they delay nobody, and what changes while they drive does not reach them),
//! the time to take a call, calls from outside buildings but for those put in, one-way streets and bans that a siren
//! overrules.
//!
//! Contract: sequential but for drawing calls and for routes, which are the same on any number of threads. The router's
//! own costs are not touched.

pub mod calls;
pub mod dispatch;
pub mod settings;
pub mod stations;

use crate::settings::CouplingSettings;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use calls::{CallStep, Rate};
use dispatch::{Dispatcher, Ms, NO_WAY, NONE, Request, Roads, ServiceKind, Station};
use settings::{DispatchRule, EmergencySettings};
use stations::{CityStations, Sites};
use std::collections::BTreeMap;
use urbis_core::rng::Rng;
use urbis_core::{BuildingIx, CarLinkIx, Clock, NodeIx, Tick};
use urbis_population::settings::PersonKind;
use urbis_population::{People, Persons, Places};
use urbis_traffic::route::{CLOSED, RouteMetric};
use urbis_traffic::{CarNetwork, Router, Traffic};

/// Ticks of a step in which calls are drawn.
const CALL_TICKS: Tick = 900;
/// Ticks between looks at calls that nobody could reach.
const LOOK_AGAIN_TICKS: Tick = 60;
/// Purpose of the random numbers of calls that others put in, by kind.
const PURPOSE_PLACED: u32 = 0x454D_0011;
/// A node that is not on the car network.
const OFF_ROAD: u32 = u32::MAX;
/// Of so many sites, the nearest in a straight line, the fastest is looked for when coverage is counted.
const NEAR_SITES: usize = 8;
/// Drive to a home within which a fire station covers it, ms.
const FIRE_COVER_MS: f64 = 300_000.0;
/// Drive to a hospital within which a home counts as near it, ms.
const HOSPITAL_COVER_MS: f64 = 900_000.0;

/// Where a call comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPlace {
    /// A building.
    Building(BuildingIx),
    /// A node of the city.
    Node(NodeIx),
}

/// A call that something else than people's everyday causes, such as a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacedCall {
    /// Which service.
    pub kind: ServiceKind,
    /// Where.
    pub at: CallPlace,
    /// When; a past tick counts as now.
    pub tick: Tick,
    /// Urgency, 1 the most urgent.
    pub priority: u8,
}

/// Calls that other couplings put in; taken in the same tick, dropped where there are no emergency services.
#[derive(Clone, Debug, Default, Resource)]
pub struct EmergencyCalls {
    placed: Vec<PlacedCall>,
}

impl EmergencyCalls {
    /// Puts in a call.
    pub fn place(&mut self, kind: ServiceKind, at: CallPlace, tick: Tick, priority: u8) {
        self.placed.push(PlacedCall { kind, at, tick, priority });
    }
}

/// Where a call came from, by call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Place.
    pub at: CallPlace,
    /// Node of the city to which units drive, or [`NodeIx::NONE`].
    pub node: NodeIx,
    /// Whether another coupling put it in.
    pub is_placed: bool,
}

/// Shares of residents near to help on empty roads; absent without residents or without such sites.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coverage {
    /// A fire engine with its siren drives to them within 5 minutes.
    pub fire_share: Option<f64>,
    /// They drive to a hospital within 15 minutes.
    pub hospital_share: Option<f64>,
}

/// Travel costs of a moment.
#[derive(Debug)]
struct Present {
    costs: Vec<u32>,
    metric: RouteMetric,
}

/// Emergency services of a city; see the module.
#[derive(Debug, Resource)]
pub struct Emergency {
    dispatcher: Dispatcher,
    stations: CityStations,
    rates: [Rate; ServiceKind::COUNT],
    origins: Vec<Origin>,
    coverage: Coverage,
    passes_closures: bool,
    seed: u64,
    persons_each: f64,
    /// Empty roads, where calls have a station of their own.
    empty: Option<RouteMetric>,
    present: Option<Present>,
}

/// What a city's emergency services are made from.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// Where people are.
    pub places: &'a Places,
    /// Roads.
    pub network: &'a CarNetwork,
    /// Ways on them.
    pub router: &'a Router,
}

impl Emergency {
    /// Stations with all their units at home. Each simulated person stands for `persons_each`.
    #[must_use]
    pub fn new(
        persons: &Persons,
        ground: Ground<'_>,
        settings: &EmergencySettings,
        stations: CityStations,
        seed: u64,
        persons_each: f64,
    ) -> Self {
        let Ground { network, router, .. } = ground;
        let empty = router.metric(&network.free_time_ms());
        let coverage = coverage(persons, ground, &empty, settings, &stations);
        let node = |node: &NodeIx| car_node(network, *node);
        let of = (0..stations.kind.len()).map(|row| Station {
            kind: stations.kind[row],
            node: node(&stations.sites.node[row]),
            units: stations.units[row],
        });
        let hospitals = stations.hospitals.node.iter().map(node).collect();
        Self {
            dispatcher: Dispatcher::new(settings.rules(), of.collect(), hospitals),
            rates: ServiceKind::NAMED.map(|(kind, _)| settings.rate(kind)),
            stations,
            origins: Vec::new(),
            coverage,
            passes_closures: settings.passes_closures,
            seed,
            persons_each,
            empty: (settings.rule == DispatchRule::OwnStation).then_some(empty),
            present: None,
        }
    }

    /// Units, calls and who was sent where.
    #[must_use]
    pub fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }
    /// Stations and hospitals.
    #[must_use]
    pub fn stations(&self) -> &CityStations {
        &self.stations
    }
    /// Where calls came from, by call.
    #[must_use]
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }
    /// Residents near to help.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// The station of a call's kind that is nearest on empty roads, where the rules ask for it.
    fn own_station(&self, kind: ServiceKind, node: u32, router: &Router) -> u32 {
        let Some(empty) = self.empty.as_ref().filter(|_| node != OFF_ROAD) else { return NONE };
        let stations = self.dispatcher.stations();
        let is_one = |row: &usize| stations[*row].kind == kind && stations[*row].node != OFF_ROAD;
        let rows: Vec<usize> = (0..stations.len()).filter(is_one).collect();
        let pairs: Vec<(u32, u32)> = rows.iter().map(|&row| (stations[row].node, node)).collect();
        let times_ms = router.cost_batch_under(empty, &pairs);
        let nearest = times_ms.iter().zip(&rows).filter_map(|(time_ms, &row)| time_ms.map(|ms| (ms, row))).min();
        nearest.map_or(NONE, |(_, row)| row as u32)
    }

    fn place(&mut self, request: Request, origin: Origin, network: &CarNetwork, router: &Router) {
        let node = car_node(network, origin.node);
        let own_station = self.own_station(request.kind, node, router);
        let call = self.dispatcher.place(Request { node, own_station, ..request });
        debug_assert_eq!(call as usize, self.origins.len());
        self.origins.push(origin);
    }

    /// Draws the calls of the step that starts.
    fn draw(&mut self, clock: &Clock, people: &People, ground: Ground<'_>) {
        let tick = clock.tick();
        let step = CallStep {
            seed: self.seed,
            tick,
            seconds: CALL_TICKS.min(clock.end() - tick),
            hour: (clock.local_second_of_day(tick) / 3600) as usize,
            persons_each: self.persons_each,
        };
        let present = &people.present[..ground.places.buildings()];
        for drawn in calls::draw(step, present, &self.rates) {
            let request = Request {
                time_ms: 1000 * Ms::from(tick) + Ms::from(drawn.offset_ms),
                node: OFF_ROAD,
                kind: drawn.kind,
                priority: drawn.priority,
                units: self.rates[drawn.kind as usize].units,
                scene_ms: drawn.scene_ms,
                is_transported: drawn.is_transported,
                own_station: NONE,
            };
            let node = ground.places.car_node[drawn.building as usize];
            let at = CallPlace::Building(BuildingIx(drawn.building));
            self.place(request, Origin { at, node, is_placed: false }, ground.network, ground.router);
        }
    }

    fn take(&mut self, placed: &PlacedCall, ground: Ground<'_>) {
        let rate = &self.rates[placed.kind as usize];
        let (row, node) = match placed.at {
            CallPlace::Building(building) => (building.0, ground.places.car_node[building.row()]),
            CallPlace::Node(node) => (node.0, node),
        };
        let mut rng = Rng::new(self.seed, row, placed.tick, PURPOSE_PLACED + placed.kind as u32);
        let (_, scene_ms, is_transported) = calls::details(rate, &mut rng);
        let request = Request {
            time_ms: 1000 * Ms::from(placed.tick),
            node: OFF_ROAD,
            kind: placed.kind,
            priority: placed.priority,
            units: rate.units,
            scene_ms,
            is_transported,
            own_station: NONE,
        };
        self.place(request, Origin { at: placed.at, node, is_placed: true }, ground.network, ground.router);
    }
}

fn car_node(network: &CarNetwork, node: NodeIx) -> u32 {
    if node == NodeIx::NONE { OFF_ROAD } else { network.node_of(node).unwrap_or(OFF_ROAD) }
}

/// Roads as units meet them at a tick.
struct CityRoads<'a> {
    network: &'a CarNetwork,
    router: &'a Router,
    traffic: &'a Traffic,
    sees_traffic: bool,
    passes_closures: bool,
    present: &'a mut Option<Present>,
    is_fresh: bool,
}

impl CityRoads<'_> {
    /// Costs of the moment, ms; found at the first question of a tick, and customized where they have changed.
    fn present(&mut self) -> &Present {
        if !self.is_fresh || self.present.is_none() {
            self.is_fresh = true;
            let costs = self.costs();
            if self.present.as_ref().is_none_or(|present| present.costs != costs) {
                *self.present = Some(Present { metric: self.router.metric(&costs), costs });
            }
        }
        let Some(present) = self.present.as_ref() else { unreachable!("it was put in above") };
        present
    }

    fn costs(&self) -> Vec<u32> {
        if !self.sees_traffic {
            return self.network.free_time_ms();
        }
        let mut costs = self.traffic.travel_times_ms().to_vec();
        if !self.passes_closures {
            let engine = self.traffic.engine();
            for (row, cost) in costs.iter_mut().enumerate() {
                if engine.is_closed(CarLinkIx(row as u32)) {
                    *cost = CLOSED;
                }
            }
        }
        costs
    }
}

impl Roads for CityRoads<'_> {
    fn times_ms(&mut self, pairs: &[(u32, u32)], times_ms: &mut Vec<u32>) {
        let is_on_road = |&(from, to): &(u32, u32)| from != OFF_ROAD && to != OFF_ROAD;
        let queries: Vec<(u32, u32)> = pairs.iter().copied().filter(is_on_road).collect();
        let router = self.router;
        let mut costs = router.cost_batch_under(&self.present().metric, &queries).into_iter();
        times_ms.clear();
        times_ms.extend(pairs.iter().map(|pair| {
            let cost = if is_on_road(pair) { costs.next().flatten() } else { None };
            cost.unwrap_or(NO_WAY)
        }));
    }

    fn ahead(&mut self, from: u32, to: u32, share: f64) -> (u32, u32) {
        if from == OFF_ROAD || to == OFF_ROAD {
            return (from, 0);
        }
        let (network, router) = (self.network, self.router);
        let present = self.present();
        let routes = router.route_batch_under(&present.metric, &[(from, to)]);
        let Some((links, _)) = routes.route(0) else { return (from, 0) };
        let whole_ms: f64 = links.iter().map(|link| f64::from(present.costs[link.row()])).sum();
        let driven_ms = share * whole_ms;
        let mut until_ms = 0.0;
        for link in links {
            until_ms += f64::from(present.costs[link.row()]);
            if until_ms >= driven_ms {
                return (network.to[link.row()], (until_ms - driven_ms).round() as u32);
            }
        }
        (to, 0)
    }
}

/// Lets people call, and everything happen up to the end of the tick.
#[allow(clippy::too_many_arguments)] // units meet roads, people and whoever calls
pub fn answer_calls(
    clock: Res<'_, Clock>,
    places: Res<'_, Places>,
    people: Res<'_, People>,
    network: Res<'_, CarNetwork>,
    router: Res<'_, Router>,
    traffic: Res<'_, Traffic>,
    settings: Res<'_, CouplingSettings>,
    mut placed: ResMut<'_, EmergencyCalls>,
    emergency: Option<ResMut<'_, Emergency>>,
) {
    let placed = std::mem::take(&mut placed.placed);
    let Some(mut emergency) = emergency else { return };
    let emergency = &mut *emergency;
    let tick = clock.tick();
    let ground = Ground { places: &places, network: &network, router: &router };
    if tick.is_multiple_of(CALL_TICKS) {
        emergency.draw(&clock, &people, ground);
    }
    for call in &placed {
        emergency.take(call, ground);
    }
    if tick.is_multiple_of(LOOK_AGAIN_TICKS) {
        emergency.dispatcher.look_again();
    }
    let mut roads = CityRoads {
        network: &network,
        router: &router,
        traffic: &traffic,
        sees_traffic: settings.traffic_to_emergency,
        passes_closures: emergency.passes_closures,
        present: &mut emergency.present,
        is_fresh: false,
    };
    emergency.dispatcher.advance(1000 * Ms::from(tick + 1), &mut roads);
}

/// Residents by the node of their home: number, place.
type Homes = BTreeMap<u32, (u64, f64, f64)>;

/// Shares of residents near to help on empty roads.
fn coverage(
    persons: &Persons,
    ground: Ground<'_>,
    empty: &RouteMetric,
    settings: &EmergencySettings,
    stations: &CityStations,
) -> Coverage {
    let Ground { places, network, router } = ground;
    let mut homes = Homes::new();
    for (row, home) in persons.home.iter().enumerate() {
        if persons.kind[row] == PersonKind::Resident {
            let node = car_node(network, places.car_node[home.row()]);
            homes.entry(node).or_insert((0, places.x_m[home.row()], places.y_m[home.row()])).0 += 1;
        }
    }
    let near = |sites: &Sites, is_one: &dyn Fn(usize) -> bool, from_site: bool, limit_ms: f64| {
        let rows: Vec<usize> = (0..sites.id.len()).filter(|&row| is_one(row)).collect();
        let all: u64 = homes.values().map(|home| home.0).sum();
        if rows.is_empty() || all == 0 {
            return None;
        }
        let mut pairs = Vec::new();
        let mut of_home = Vec::new();
        for (&home, &(count, x_m, y_m)) in homes.iter().filter(|(home, _)| **home != OFF_ROAD) {
            let far = |row: usize| (sites.x_m[row] - x_m).hypot(sites.y_m[row] - y_m);
            let mut by_line: Vec<(f64, u32)> =
                rows.iter().map(|&row| (far(row), car_node(network, sites.node[row]))).collect();
            by_line.retain(|(_, node)| *node != OFF_ROAD);
            by_line.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let first = pairs.len();
            let nodes = by_line.iter().take(NEAR_SITES).map(|&(_, site)| site);
            pairs.extend(nodes.map(|site| if from_site { (site, home) } else { (home, site) }));
            of_home.push((count, first..pairs.len()));
        }
        let times_ms = router.cost_batch_under(empty, &pairs);
        let is_near = |range: &std::ops::Range<usize>| {
            times_ms[range.clone()].iter().flatten().any(|&ms| f64::from(ms) <= limit_ms)
        };
        let covered: u64 = of_home.iter().filter(|(_, range)| is_near(range)).map(|(count, _)| count).sum();
        Some(covered as f64 / all as f64)
    };
    let has_engines = |row: usize| stations.kind[row] == ServiceKind::Fire && stations.units[row] > 0;
    Coverage {
        fire_share: near(&stations.sites, &has_engines, true, FIRE_COVER_MS * settings.siren_factor),
        hospital_share: near(&stations.hospitals, &|_| true, false, HOSPITAL_COVER_MS),
    }
}
