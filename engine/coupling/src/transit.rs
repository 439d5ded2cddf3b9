//! Public transport by timetable: people's journeys handed to the vehicles that run them.
//!
//! | when | what |
//! | --- | --- |
//! | plans are made | time from door to door between cells ([`CityTransit::measure`]); a journey for each trip by public transport ([`CityTransit::plan`]) |
//! | a trip starts | its person walks to the first stop and is handed to the operation |
//! | they alight for the last time | they walk to the door, and the trip ends there |
//! | roads are slow | buses are late by what the links between two stops take longer than when empty |
//!
//! Who finds no place waits for the next vehicle; who waits for one that does not come any more is still on the way when
//! the period ends. A trip without a journey (no stop near, no vehicle) takes the time of the mode's settings, and is
//! counted. Access and egress follow the straight line times a detour.
//!
//! Ignored: fares, places of vehicles that a sample of people does not fill (places shrink with the sample), buses as
//! vehicles among cars.
//! Contract: one day of service. Journeys are planned in parallel in order of trips; the operation is serial. Nothing
//! depends on threads.

use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use rayon::prelude::*;
use std::sync::Arc;
use urbis_city::model::City;
use urbis_core::{Clock, LinkIx, Tick, TripIx};
use urbis_population::plans::Mode;
use urbis_population::skims::{PERIODS, TransitMatrix};
use urbis_population::{Cells, Place, Places, Plans, SimpleTrips, Skims};
use urbis_traffic::{CarNetwork, Router as RoadRouter, Traffic};
use urbis_transit::footpaths::{Footpaths, WalkSettings, stops_near};
use urbis_transit::journey::{Journey, Leg, Weights, cheapest};
use urbis_transit::operation::{LoadRow, Operation, PlannedRide};
use urbis_transit::raptor::{NEVER_S, Query, Router};
use urbis_transit::timetable::{RouteKind, Timetable};
use urbis_transit::{PatternIx, StopIx, TransitTripIx};

/// Local hours of departure that stand for each time of day.
const DEPARTURES_H: [&[f64]; PERIODS] =
    [&[5.5, 6.2], &[7.1, 7.9, 8.7], &[10.6, 12.4, 14.3], &[16.1, 17.2, 18.3], &[19.7, 21.4]];

/// Journeys that take longer, waiting for the first vehicle included, are none: nobody waits for the afternoon's bus.
const LONGEST_S: u32 = 3 * 3600;

/// Least time between changes of delays, ticks.
const DELAY_TICKS: Tick = 300;

/// Pace of people on the way to a stop, m/s, to tell metres from seconds.
const WALK_MPS: f64 = 5.0 / 3.6;

/// The services of the simulated day; nothing where a scenario names no feed.
#[derive(Debug, Default, Resource)]
pub struct CityTransit(Option<Service>);

/// A trip's journey, as planned.
#[derive(Clone, Debug)]
struct Planned {
    trip: TripIx,
    journey: Journey,
    /// Length of all its parts, metres.
    way_m: f32,
}

#[derive(Debug)]
struct Service {
    timetable: Arc<Timetable>,
    footpaths: Footpaths,
    walk: WalkSettings,
    rides_max: usize,
    operation: Operation,
    /// Journeys by rising trip.
    planned: Vec<Planned>,
    without_journey: u64,
    /// Seconds since midnight at tick 0.
    start_s: u32,
    /// Car links between a pattern's place and the next, by place of all patterns; empty where cars are not in the way.
    roads: Vec<Vec<u32>>,
    delay_s: Vec<f64>,
}

impl CityTransit {
    /// The services of a timetable in a city. `start_s` is the local second of the day at tick 0; `places_share` the
    /// share of each vehicle's places that the simulated sample of people may take.
    #[must_use]
    pub fn new(
        mut timetable: Timetable,
        city: &City,
        network: &CarNetwork,
        roads: Option<&RoadRouter>,
        (access_m, rides_max): (f64, usize),
        places_share: f64,
        start_s: u32,
    ) -> Self {
        if let Ok(projection) = urbis_city::projection::Projection::from_code(&city.manifest.crs) {
            timetable.set_positions(|lat, lon| projection.project(geo::Point::new(lon, lat)));
        }
        for places in &mut timetable.trips.capacity {
            *places = (f64::from(*places) * places_share).ceil() as u32;
        }
        let walk = WalkSettings { radius_m: access_m, ..WalkSettings::default() };
        let footpaths = Footpaths::with_transfers(&timetable, &[], &WalkSettings::default());
        let roads = roads.map_or_else(Vec::new, |router| bus_roads(&timetable, city, network, router));
        let timetable = Arc::new(timetable);
        let mut service = Service {
            operation: Operation::new(Arc::clone(&timetable)),
            delay_s: vec![0.0; timetable.trips_len()],
            timetable,
            footpaths,
            walk,
            rides_max,
            planned: Vec::new(),
            without_journey: 0,
            start_s,
            roads,
        };
        service.reset();
        Self(Some(service))
    }

    /// Takes links of the city out of what makes buses late: they have lanes of their own there.
    pub fn give_lanes(&mut self, has_lane: impl Fn(LinkIx) -> bool, network: &CarNetwork) {
        let Some(service) = &mut self.0 else { return };
        for links in &mut service.roads {
            links.retain(|&link| !has_lane(network.city_link[link as usize]));
        }
    }

    /// Whether there are services.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }
    /// The timetable, if there is one.
    #[must_use]
    pub fn timetable(&self) -> Option<&Timetable> {
        self.0.as_ref().map(|service| service.timetable.as_ref())
    }
    /// Trips by public transport for which no journey was found when plans were made.
    #[must_use]
    pub fn without_journey(&self) -> u64 {
        self.0.as_ref().map_or(0, |service| service.without_journey)
    }
    /// How often somebody found no place, so far.
    #[must_use]
    pub fn left_behind(&self) -> u64 {
        self.0.as_ref().map_or(0, |service| service.operation.left_behind())
    }
    /// Passengers who wait for a vehicle that will not come any more.
    #[must_use]
    pub fn stranded(&self) -> u64 {
        self.0.as_ref().map_or(0, |service| service.operation.stranded().len() as u64)
    }
    /// Passengers handed to public transport who have not ended their last ride.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        self.0.as_ref().map_or(0, |service| {
            let ledger = service.operation.ledger();
            ledger.handed_in - ledger.done
        })
    }
    /// The operation, to audit.
    #[must_use]
    pub fn operation(&self) -> Option<&Operation> {
        self.0.as_ref().map(|service| &service.operation)
    }
    /// What vehicles carried since the last call, in order of time.
    pub fn take_loads(&mut self) -> Vec<LoadRow> {
        self.0.as_mut().map_or_else(Vec::new, |service| service.operation.take_loads())
    }
    /// Second since midnight of the day of service at the start of a tick.
    #[must_use]
    pub fn second_at(&self, tick: Tick) -> u32 {
        self.0.as_ref().map_or(0, |service| service.start_s + tick)
    }
    /// Puts vehicles back to the start of the day, without passengers; journeys stay planned.
    pub fn reset(&mut self) {
        if let Some(service) = &mut self.0 {
            service.reset();
        }
    }

    /// Public transport between cells at every time of day, put into the skims.
    pub fn measure(&self, cells: &Cells, skims: &mut Skims) {
        if let Some(service) = &self.0 {
            skims.transit = (0..PERIODS).map(|period| Arc::new(service.matrix(cells, period))).collect();
        }
    }

    /// Plans a journey for every trip by public transport; its time and way become those of the plan.
    pub fn plan(&mut self, places: &Places, plans: &mut Plans) {
        if let Some(service) = &mut self.0 {
            service.plan(places, plans);
        }
    }

    /// The parts of a trip's planned journey: (mode, from, to, route, trip, seconds of start and end since tick 0).
    #[must_use]
    pub fn legs_of(&self, trip: TripIx) -> Vec<PlannedLeg<'_>> {
        let Some(service) = &self.0 else { return Vec::new() };
        let Ok(at) = service.planned.binary_search_by_key(&trip, |planned| planned.trip) else { return Vec::new() };
        let table = service.timetable.as_ref();
        let stop = |stop: StopIx| stop.is_some().then(|| table.stops.id[stop.row()].as_str());
        let leg = |leg: &Leg| match *leg {
            Leg::Walk { from, to, start_s, end_s } => PlannedLeg {
                mode: "walk",
                from: stop(from),
                to: stop(to),
                route: None,
                trip: None,
                start_s,
                end_s,
                distance_m: service.leg_m(leg),
            },
            Leg::Ride { trip, board, alight, start_s, end_s } => {
                let (stops, route) = (table.trip_stops(trip), table.trip_route(trip));
                PlannedLeg {
                    mode: table.routes.kind[route.row()].name(),
                    from: stop(stops[board as usize]),
                    to: stop(stops[alight as usize]),
                    route: Some(&table.routes.id[route.row()]),
                    trip: Some(&table.trips.id[trip.row()]),
                    start_s,
                    end_s,
                    distance_m: service.leg_m(leg),
                }
            }
        };
        service.planned[at].journey.legs.iter().map(leg).collect()
    }

    /// Hands over the person of a trip that starts now; false where the trip has no journey.
    pub(crate) fn start(&mut self, trip: TripIx, tick: Tick) -> bool {
        let Some(service) = &mut self.0 else { return false };
        let Ok(at) = service.planned.binary_search_by_key(&trip, |planned| planned.trip) else { return false };
        let planned = &service.planned[at];
        let router = Router::new(&service.timetable, &service.footpaths);
        let mut rides = router.planned_rides(&planned.journey);
        let access_s = access_s(&planned.journey);
        let reach_s = service.start_s + tick + access_s;
        // Who is late waits for whatever comes, instead of a vehicle that has gone.
        if reach_s > planned.journey.depart_s + access_s {
            rides.iter_mut().for_each(|ride: &mut PlannedRide| ride.trip = None);
        }
        service.operation.hand_in(u64::from(trip.0), reach_s, &rides).is_ok()
    }
}

/// A part of a journey; seconds since midnight of the day of service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlannedLeg<'a> {
    /// walk, or the kind of vehicle.
    pub mode: &'static str,
    /// Stop it starts at; `None` at the door.
    pub from: Option<&'a str>,
    /// Stop it ends at; `None` at the door.
    pub to: Option<&'a str>,
    /// Route of the vehicle.
    pub route: Option<&'a str>,
    /// Trip of the vehicle.
    pub trip: Option<&'a str>,
    /// Start.
    pub start_s: u32,
    /// End.
    pub end_s: u32,
    /// Way: walked at the usual pace, or straight from stop to stop, metres.
    pub distance_m: f64,
}

/// Seconds on foot before the first vehicle.
fn access_s(journey: &Journey) -> u32 {
    match journey.legs.first() {
        Some(&Leg::Walk { start_s, end_s, .. }) => end_s - start_s,
        _ => 0,
    }
}

/// Seconds on foot after the last vehicle.
fn egress_s(journey: &Journey) -> u32 {
    match journey.legs.last() {
        Some(&Leg::Walk { start_s, end_s, .. }) => end_s - start_s,
        _ => 0,
    }
}

impl Service {
    fn reset(&mut self) {
        self.operation = Operation::new(Arc::clone(&self.timetable));
        self.operation.advance(self.start_s);
        drop(self.operation.take_loads());
        self.delay_s.fill(0.0);
    }

    fn near(&self, x_m: f64, y_m: f64) -> Vec<(StopIx, u32)> {
        stops_near(&self.timetable, x_m, y_m, &self.walk)
    }

    fn matrix(&self, cells: &Cells, period: usize) -> TransitMatrix {
        let count = cells.len();
        let near: Vec<Vec<(StopIx, u32)>> =
            (0..count).into_par_iter().map(|cell| self.near(cells.x_m[cell], cells.y_m[cell])).collect();
        let router = Router::new(&self.timetable, &self.footpaths);
        let departures_s: Vec<u32> = DEPARTURES_H[period].iter().map(|hour| (hour * 3600.0) as u32).collect();
        let rows: Vec<[Vec<f32>; 4]> = (0..count)
            .into_par_iter()
            .map_init(
                || router.scratch(self.rides_max),
                |scratch, from| {
                    let (mut time, mut out, mut boardings) = (vec![0.0_f32; count], vec![0.0; count], vec![0.0; count]);
                    let mut found = vec![0.0_f32; count];
                    for &depart_s in &departures_s {
                        let arrivals = router.earliest_arrivals(depart_s, &near[from], scratch).to_vec();
                        let walk_s = near[from].iter().map(|(_, seconds)| *seconds).min().unwrap_or(0);
                        for to in (0..count).filter(|&to| to != from) {
                            let at = |&(stop, egress_s): &(StopIx, u32)| {
                                let arrival = arrivals[stop.row()];
                                let is_served = arrival != NEVER_S && arrival <= depart_s + LONGEST_S;
                                is_served.then(|| (arrival.saturating_add(egress_s), stop, egress_s))
                            };
                            let Some((end_s, stop, egress_s)) = near[to].iter().filter_map(at).min() else { continue };
                            let rides = router.rides_to(stop, scratch);
                            // Without a vehicle it is a walk, which is another mode.
                            if rides > 0 {
                                found[to] += 1.0;
                                time[to] += (end_s - depart_s) as f32;
                                out[to] += (walk_s + egress_s) as f32;
                                boardings[to] += rides as f32;
                            }
                        }
                    }
                    for to in 0..count {
                        // A place that most departures do not reach is not served at this time of day.
                        let is_served = found[to] * 2.0 > departures_s.len() as f32;
                        let share = if is_served { 1.0 / found[to] } else { 0.0 };
                        time[to] = if is_served { time[to] * share } else { f32::INFINITY };
                        out[to] *= share;
                        boardings[to] *= share;
                    }
                    let distance = (0..count).map(|to| (cells.distance_m(from, to) * 1.3) as f32).collect();
                    [time, out, boardings, distance]
                },
            )
            .collect();
        let mut matrix = TransitMatrix::default();
        for [time, out, boardings, distance] in rows {
            matrix.time_s.extend(time);
            matrix.out_of_vehicle_s.extend(out);
            matrix.boardings.extend(boardings);
            matrix.distance_m.extend(distance);
        }
        matrix
    }

    fn plan(&mut self, places: &Places, plans: &mut Plans) {
        let trips: Vec<usize> = (0..plans.len()).filter(|&trip| plans.mode[trip] == Mode::Transit).collect();
        let mut ends: Vec<Place> = trips.iter().flat_map(|&trip| [plans.from[trip], plans.to[trip]]).collect();
        ends.sort_unstable();
        ends.dedup();
        let near: Vec<Vec<(StopIx, u32)>> =
            ends.par_iter().map(|place| self.near(places.x_m[place.row()], places.y_m[place.row()])).collect();
        let stops = |place: Place| ends.binary_search(&place).map_or(&[][..], |row| near[row].as_slice());
        let router = Router::new(&self.timetable, &self.footpaths);
        let weights = Weights::default();
        let planned: Vec<Option<Planned>> = trips
            .par_iter()
            .map_init(
                || router.scratch(self.rides_max),
                |scratch, &trip| {
                    let query = Query {
                        depart_s: self.start_s + plans.planned[trip],
                        access: stops(plans.from[trip]).to_vec(),
                        egress: stops(plans.to[trip]).to_vec(),
                        walk_s: None,
                        rides_max: self.rides_max,
                    };
                    let journeys = router.journeys(&query, scratch);
                    let journey = cheapest(&journeys, &weights)?.clone();
                    let way_m = self.way_m(&journey) as f32;
                    Some(Planned { trip: TripIx(trip as u32), journey, way_m })
                },
            )
            .collect();
        self.without_journey = planned.iter().filter(|of| of.is_none()).count() as u64;
        self.planned = planned.into_iter().flatten().collect();
        for Planned { trip, journey, way_m } in &self.planned {
            plans.way_s[trip.row()] = (journey.arrive_s - journey.depart_s) as f32;
            plans.way_m[trip.row()] = *way_m;
        }
    }

    /// Way of a journey, metres.
    fn way_m(&self, journey: &Journey) -> f64 {
        journey.legs.iter().map(|leg| self.leg_m(leg)).sum()
    }

    /// Straight lines between the stops of a ride, or what is walked, metres.
    fn leg_m(&self, leg: &Leg) -> f64 {
        let stops = &self.timetable.stops;
        match *leg {
            Leg::Walk { start_s, end_s, .. } => f64::from(end_s - start_s) * WALK_MPS,
            Leg::Ride { trip, board, alight, .. } => {
                let ridden = &self.timetable.trip_stops(trip)[board as usize..=alight as usize];
                let straight = |pair: &[StopIx]| {
                    let (a, b) = (pair[0].row(), pair[1].row());
                    (stops.x_m[a] - stops.x_m[b]).hypot(stops.y_m[a] - stops.y_m[b])
                };
                ridden.windows(2).map(straight).filter(|way| way.is_finite()).sum()
            }
        }
    }
}

/// Car links between the stops of each pattern that runs on the road, by place of all patterns.
fn bus_roads(timetable: &Timetable, city: &City, network: &CarNetwork, router: &RoadRouter) -> Vec<Vec<u32>> {
    let nodes = &network.city_node;
    let nearest = |stop: usize| {
        let away = |node: &urbis_core::NodeIx| {
            let (x, y) = (city.nodes.x_m[node.row()], city.nodes.y_m[node.row()]);
            (x - timetable.stops.x_m[stop]).hypot(y - timetable.stops.y_m[stop])
        };
        // Farther than this the stop does not lie on these roads.
        nodes
            .iter()
            .enumerate()
            .map(|(row, node)| (away(node), row))
            .filter(|(away, _)| *away < 150.0)
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
    };
    let at: Vec<Option<u32>> =
        (0..timetable.stops_len()).into_par_iter().map(|stop| nearest(stop).map(|(_, row)| row as u32)).collect();
    let mut roads = vec![Vec::new(); timetable.patterns.places_len()];
    let (mut places, mut queries) = (Vec::new(), Vec::new());
    for pattern in (0..timetable.patterns.len() as u32).map(PatternIx) {
        let kind = timetable.routes.kind[timetable.patterns.route[pattern.row()].row()];
        if !matches!(kind, RouteKind::Bus | RouteKind::Trolleybus) {
            continue;
        }
        let first = timetable.patterns.places(pattern).start;
        for (nth, pair) in timetable.patterns.stops(pattern).windows(2).enumerate() {
            if let (Some(from), Some(to)) = (at[pair[0].row()], at[pair[1].row()]) {
                places.push(first + nth);
                queries.push((from, to));
            }
        }
    }
    let routes = router.route_batch(&queries);
    for (place, route) in places.into_iter().zip(routes.iter()) {
        if let Some((links, _)) = route {
            roads[place] = links.iter().map(|link| link.0).collect();
        }
    }
    roads
}

/// Runs vehicles and passengers through the tick; who has alighted for the last time walks on to the door.
pub fn advance_transit(
    clock: Res<'_, Clock>,
    mut transit: ResMut<'_, CityTransit>,
    mut simple: ResMut<'_, SimpleTrips>,
) {
    let Some(service) = &mut transit.0 else { return };
    let until_s = service.start_s + clock.tick() + 1;
    service.operation.advance(until_s);
    for (id, second) in service.operation.take_arrived() {
        let trip = TripIx(id as u32);
        let Ok(at) = service.planned.binary_search_by_key(&trip, |planned| planned.trip) else { continue };
        let planned = &service.planned[at];
        let arrive_s = (second - service.start_s).max(clock.tick()) + egress_s(&planned.journey).max(1);
        simple.end_at(trip, arrive_s * 1000, planned.way_m);
    }
}

/// Lets buses be late by what their roads take longer than when they are empty.
pub fn delay_buses(
    clock: Res<'_, Clock>,
    network: Res<'_, CarNetwork>,
    traffic: Res<'_, Traffic>,
    mut transit: ResMut<'_, CityTransit>,
) {
    let Some(service) = &mut transit.0 else { return };
    if service.roads.is_empty() || !(clock.tick() + 1).is_multiple_of(DELAY_TICKS) {
        return;
    }
    let times_ms = traffic.travel_times_ms();
    let free_ms = network.free_time_ms();
    let late_s: Vec<f64> = service
        .roads
        .iter()
        .map(|links| {
            let late_ms = |&link: &u32| f64::from(times_ms[link as usize].saturating_sub(free_ms[link as usize]));
            links.iter().map(late_ms).sum::<f64>() / 1000.0
        })
        .collect();
    // What a bus loses in the next minutes is what it loses between the stops it then leaves.
    let from_s = service.start_s + clock.tick() + 1;
    let until_s = from_s + DELAY_TICKS;
    let timetable = Arc::clone(&service.timetable);
    for trip in (0..timetable.trips_len() as u32).map(TransitTripIx) {
        let departures_s = timetable.departures_s(trip);
        let delay_s = service.delay_s[trip.row()] as u32;
        let runs = departures_s.first().is_some_and(|&first| first + delay_s < until_s)
            && departures_s.last().is_some_and(|&last| last + delay_s >= from_s);
        if !runs {
            continue;
        }
        let first = timetable.patterns.places(timetable.trips.pattern[trip.row()]).start;
        let stops = departures_s.len().saturating_sub(1);
        let lost_s: f64 = (0..stops)
            .filter(|&nth| (from_s..until_s).contains(&(departures_s[nth] + delay_s)))
            .map(|nth| late_s[first + nth])
            .sum();
        if lost_s >= 1.0 {
            // Nobody loses more time than passes.
            service.delay_s[trip.row()] += lost_s.min(f64::from(DELAY_TICKS));
            service.operation.set_delay(trip, service.delay_s[trip.row()] as u32);
        }
    }
}
