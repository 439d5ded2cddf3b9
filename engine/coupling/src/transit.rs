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
//! counted. How people walk to, from and between stops is said in `stop_walks.rs`.
//!
//! Fares of the feeds are part of what people weigh, between modes and between journeys; holders of a pass pay none. Rides
//! that no fare covers cost, together, what a trip costs by the settings of the mode.
//!
//! Ignored: places of vehicles that a sample of people does not fill (places shrink with the sample), buses as
//! vehicles among cars.
//! Every day of the period has its own services; times from door to door between cells are those of the first.
//! Contract: journeys are planned in parallel in order of trips; the operation is serial. Nothing
//! depends on threads.

use crate::stop_walks::{StopWalks, off_paths_note};
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use rayon::prelude::*;
use std::cmp::Ordering::Equal;
use std::sync::Arc;
use urbis_city::model::City;
use urbis_core::{Clock, LinkIx, Tick, TripIx};
use urbis_population::plans::Mode;
use urbis_population::settings::ModeSettings;
use urbis_population::skims::{PERIODS, TransitMatrix, Travel};
use urbis_population::{Cells, Persons, Place, Places, Plans, SimpleTrips, Skims};
use urbis_traffic::slow_reach::Direction;
use urbis_traffic::{CarNetwork, Router as RoadRouter, Traffic};
use urbis_transit::fares::{Memory, Price};
use urbis_transit::footpaths::Footpaths;
use urbis_transit::journey::{Journey, Leg, Ride, Weights};
use urbis_transit::operation::{LoadRow, Operation, PlannedRide};
use urbis_transit::raptor::{NEVER_S, Query, Router, Scratch};
use urbis_transit::settings::Walks;
use urbis_transit::timetable::{RouteKind, Timetable};
use urbis_transit::{PatternIx, StopIx, TransitTripIx};

/// Local hours of departure that stand for each time of day.
const DEPARTURES_H: [&[f64]; PERIODS] =
    [&[5.5, 6.2], &[7.1, 7.9, 8.7], &[10.6, 12.4, 14.3], &[16.1, 17.2, 18.3], &[19.7, 21.4]];

/// Journeys that take longer, waiting for the first vehicle included, are none: nobody waits for the afternoon's bus, or
/// for the next morning's.
const LONGEST_S: u32 = 3 * 3600;

/// Least time between changes of delays, ticks.
const DELAY_TICKS: Tick = 300;

/// Pace of people on the way to a stop, m/s, to tell metres from seconds.
const WALK_MPS: f64 = 5.0 / 3.6;

/// The services of the simulated days; nothing where a scenario names no feed.
#[derive(Debug, Default, Resource)]
pub struct CityTransit(Option<Service>);

/// What services are made with, beside the timetable and the city.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Farthest straight line to a stop, metres.
    pub access_m: f64,
    /// What walks follow.
    pub walks: Walks,
    /// Most vehicles of a journey.
    pub rides_max: usize,
    /// Share of each vehicle's places that the simulated sample of people may take.
    pub places_share: f64,
    /// Local second of the day at tick 0.
    pub start_s: u32,
    /// What people pay, if the fares of the feeds count; they count for nothing where the feeds have none.
    pub payment: Option<Payment>,
}

/// What fares are weighed with.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Seconds in a vehicle worth a unit of money.
    pub seconds_per_money: f64,
    /// What trips without fares cost.
    pub setting: ModeSettings,
}

/// A trip's journey, as planned.
#[derive(Clone, Debug)]
struct Planned {
    trip: TripIx,
    journey: Journey,
    /// Length of all its parts, metres.
    way_m: f32,
    /// Whether its person has no pass.
    pays: bool,
}

/// Stops near a place, with the seconds of the walk.
type Stops = Vec<(StopIx, u32)>;

#[derive(Debug)]
struct Service {
    timetable: Arc<Timetable>,
    footpaths: Footpaths,
    walks: StopWalks,
    rides_max: usize,
    payment: Option<Payment>,
    operation: Operation,
    /// Journeys by rising trip.
    planned: Vec<Planned>,
    without_journey: u64,
    /// Seconds since midnight of the first day at tick 0.
    start_s: u32,
    /// Car links between a pattern's place and the next, by place of all patterns; empty where cars are not in the way.
    roads: Vec<Vec<u32>>,
    delay_s: Vec<f64>,
}

impl CityTransit {
    /// The services of a timetable in a city.
    #[must_use]
    pub fn new(
        mut timetable: Timetable,
        city: &City,
        network: &CarNetwork,
        roads: Option<&RoadRouter>,
        terms: Terms,
    ) -> Self {
        let Terms { access_m, walks, rides_max, places_share, start_s, payment } = terms;
        if let Ok(projection) = urbis_city::projection::Projection::from_code(&city.manifest.crs) {
            timetable.set_positions(|lat, lon| projection.project(geo::Point::new(lon, lat)));
        }
        for places in &mut timetable.trips.capacity {
            *places = (f64::from(*places) * places_share).ceil() as u32;
        }
        let walks = StopWalks::new(&timetable, city, access_m, walks);
        let footpaths = walks.between_stops(&timetable);
        let roads = roads.map_or_else(Vec::new, |router| bus_roads(&timetable, city, network, router));
        let timetable = Arc::new(timetable);
        let mut service = Service {
            operation: Operation::new(Arc::clone(&timetable)),
            delay_s: vec![0.0; timetable.trips_len()],
            payment: payment.filter(|_| !timetable.fares.is_empty()),
            timetable,
            footpaths,
            walks,
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
    /// What is worth knowing about how the timetable fits the city.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let Some(service) = &self.0 else { return Vec::new() };
        let idle = service.timetable.days_without_service().into_iter();
        let mut notes: Vec<String> = idle.map(|date| format!("no trip of public transport runs on {date}")).collect();
        notes.extend(off_paths_note(service.walks.off_paths(), service.timetable.stops_len()));
        notes.extend(service.payment.is_some().then(|| {
            let currency = &service.timetable.fares.currency;
            format!(
                "fares of public transport are in {currency}; all other money of the scenario counts as {currency} too"
            )
        }));
        notes
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
    /// Second since midnight of the first day of service at the start of a tick.
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
            let positions: Vec<(f64, f64)> = cells.x_m.iter().copied().zip(cells.y_m.iter().copied()).collect();
            let access = service.near(&positions, Direction::ToPoints);
            let egress = service.near(&positions, Direction::FromPoints);
            skims.transit =
                (0..PERIODS).map(|period| Arc::new(service.matrix(cells, (&access, &egress), period))).collect();
        }
    }

    /// Plans a journey for every trip by public transport; its time and way become those of the plan.
    pub fn plan(&mut self, places: &Places, persons: &Persons, plans: &mut Plans) {
        if let Some(service) = &mut self.0 {
            service.plan(places, persons, plans);
        }
    }

    /// Finds journeys for trips outside plans that set out now, by public transport if it is quicker than to walk all the
    /// way, which is what [`Plans`] say of them so far; they come in order and after all that have journeys.
    pub(crate) fn take_on(&mut self, places: &Places, persons: &Persons, plans: &mut Plans, trips: &[TripIx]) {
        let found = self.0.as_ref().map_or_else(Vec::new, |service| {
            let ends = |row: usize| (plans.from[row], plans.to[row], plans.planned[row]);
            let rides: Vec<_> = trips.iter().map(|trip| (trip.row(), ends(trip.row()))).collect();
            service.found(places, persons, plans, &rides)
        });
        trips.iter().for_each(|trip| plans.mode[trip.row()] = Mode::Walk);
        let Some(service) = &mut self.0 else { return };
        for of in found.into_iter().flatten() {
            let row = of.trip.row();
            let time_s = (of.journey.arrive_s.saturating_sub(service.start_s + plans.planned[row])) as f32;
            if time_s < plans.way_s[row] {
                plans.mode[row] = Mode::Transit;
                plans.set_ride(of.trip, time_s, of.way_m);
                service.planned.push(of);
            }
        }
    }

    /// The parts of a trip's planned journey: (mode, from, to, route, trip, seconds of start and end since tick 0).
    #[must_use]
    pub fn legs_of(&self, trip: TripIx) -> Vec<PlannedLeg<'_>> {
        let Some(service) = &self.0 else { return Vec::new() };
        let Ok(at) = service.planned.binary_search_by_key(&trip, |planned| planned.trip) else { return Vec::new() };
        let table = service.timetable.as_ref();
        let planned = &service.planned[at];
        let mut paid = service.paid(planned).into_iter();
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
                money: None,
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
                    money: paid.next().flatten(),
                }
            }
        };
        planned.journey.legs.iter().map(leg).collect()
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

/// A part of a journey; seconds since midnight of the first day of service.
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
    /// What is paid on boarding, money: 0 on a fare bought before and with a pass; `None` where no fare is known.
    pub money: Option<f64>,
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

    /// Stops within reach of places, on the way there and on the way back.
    fn near(&self, positions: &[(f64, f64)], direction: Direction) -> Vec<Stops> {
        positions.par_iter().map(|&at| self.walks.near(&self.timetable, at, direction)).collect()
    }

    fn matrix(&self, cells: &Cells, (access, egress): (&[Stops], &[Stops]), period: usize) -> TransitMatrix {
        let count = cells.len();
        let router = Router::new(&self.timetable, &self.footpaths);
        let departures_s: Vec<u32> = DEPARTURES_H[period].iter().map(|hour| (hour * 3600.0) as u32).collect();
        let rows: Vec<[Vec<f32>; 6]> = (0..count)
            .into_par_iter()
            .map_init(
                || (router.scratch(self.rides_max), StopPrices::default()),
                |(scratch, prices), from| {
                    let (mut time, mut out, mut boardings) = (vec![0.0_f32; count], vec![0.0; count], vec![0.0; count]);
                    let mut found = vec![0.0_f32; count];
                    let priced = if self.payment.is_some() { count } else { 0 };
                    let (mut fare, mut without_fare) = (vec![0.0_f32; priced], vec![0.0_f32; priced]);
                    for &depart_s in &departures_s {
                        let arrivals = router.earliest_arrivals(depart_s, &access[from], scratch).to_vec();
                        let walk_s = access[from].iter().map(|(_, seconds)| *seconds).min().unwrap_or(0);
                        if priced > 0 {
                            prices.of_stop.clear();
                            prices.of_stop.resize(self.timetable.stops_len(), None);
                        }
                        for to in (0..count).filter(|&to| to != from) {
                            let at = |&(stop, egress_s): &(StopIx, u32)| {
                                let arrival = arrivals[stop.row()];
                                let is_served = arrival != NEVER_S && arrival <= depart_s + LONGEST_S;
                                is_served.then(|| (arrival.saturating_add(egress_s), stop, egress_s))
                            };
                            let Some((end_s, stop, egress_s)) = egress[to].iter().filter_map(at).min() else {
                                continue;
                            };
                            let rides = router.rides_to(stop, scratch);
                            // Without a vehicle it is a walk, which is another mode.
                            if rides > 0 {
                                found[to] += 1.0;
                                time[to] += (end_s - depart_s) as f32;
                                out[to] += (walk_s + egress_s) as f32;
                                boardings[to] += rides as f32;
                                if self.payment.is_some() {
                                    let price = prices.of(stop, &self.timetable, &router, scratch);
                                    fare[to] += price.money as f32;
                                    without_fare[to] += f32::from(u8::from(price.without > 0));
                                }
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
                        if priced > 0 {
                            (fare[to], without_fare[to]) = (fare[to] * share, without_fare[to] * share);
                        }
                    }
                    if priced > 0 {
                        let others = (0..count).filter(|&to| time[to].is_finite());
                        let least = others
                            .map(|to| (without_fare[to], fare[to]))
                            .min_by(|a, b| a.partial_cmp(b).unwrap_or(Equal));
                        (without_fare[from], fare[from]) = least.unwrap_or((1.0, 0.0));
                    }
                    let distance = (0..count).map(|to| (cells.distance_m(from, to) * 1.3) as f32).collect();
                    [time, out, boardings, distance, fare, without_fare]
                },
            )
            .collect();
        let mut matrix = TransitMatrix::default();
        for [time, out, boardings, distance, fare, without_fare] in rows {
            matrix.time_s.extend(time);
            matrix.out_of_vehicle_s.extend(out);
            matrix.boardings.extend(boardings);
            matrix.distance_m.extend(distance);
            matrix.fare.extend(fare);
            matrix.without_fare.extend(without_fare);
        }
        if matrix.without_fare.iter().all(|&share| share == 0.0) {
            matrix.without_fare = Vec::new();
        }
        matrix
    }

    fn plan(&mut self, places: &Places, persons: &Persons, plans: &mut Plans) {
        let rides: Vec<(usize, (Place, Place, Tick))> =
            (0..plans.len()).filter_map(|trip| Some((trip, plans.ride_of(places, trip)?))).collect();
        let planned = self.found(places, persons, plans, &rides);
        self.without_journey = planned.iter().filter(|of| of.is_none()).count() as u64;
        self.planned = planned.into_iter().flatten().collect();
        for Planned { trip, journey, way_m, .. } in &self.planned {
            plans.set_ride(*trip, (journey.arrive_s - journey.depart_s) as f32, *way_m);
        }
    }

    /// The best journey of each ride, if there is one: a trip, where from and where to, and when.
    fn found(
        &self,
        places: &Places,
        persons: &Persons,
        plans: &Plans,
        rides: &[(usize, (Place, Place, Tick))],
    ) -> Vec<Option<Planned>> {
        let mut ends: Vec<Place> = rides.iter().flat_map(|(_, (from, to, _))| [*from, *to]).collect();
        ends.sort_unstable();
        ends.dedup();
        let positions: Vec<(f64, f64)> =
            ends.iter().map(|place| (places.x_m[place.row()], places.y_m[place.row()])).collect();
        let access = self.near(&positions, Direction::ToPoints);
        let egress = self.near(&positions, Direction::FromPoints);
        let row = |place: Place| ends.partition_point(|of| *of < place);
        let router = Router::new(&self.timetable, &self.footpaths);
        rides
            .par_iter()
            .map_init(
                || (router.scratch(self.rides_max), Memory::default()),
                |(scratch, memory), &(trip, (from, to, depart))| {
                    let query = Query {
                        depart_s: self.start_s + depart,
                        access: access[row(from)].clone(),
                        egress: egress[row(to)].clone(),
                        walk_s: None,
                        rides_max: self.rides_max,
                    };
                    let mut journeys = router.journeys(&query, scratch);
                    journeys.retain(|journey| journey.arrive_s - journey.depart_s <= LONGEST_S);
                    let pays = !persons.has_transit_pass[plans.person[trip].row()];
                    let cost_s: Vec<f64> = journeys.iter().map(|journey| self.cost_s(journey, pays, memory)).collect();
                    let best = (0..journeys.len()).min_by(|&a, &b| cost_s[a].total_cmp(&cost_s[b]))?;
                    let journey = journeys.swap_remove(best);
                    let way_m = self.way_m(&journey) as f32;
                    Some(Planned { trip: TripIx(trip as u32), journey, way_m, pays })
                },
            )
            .collect()
    }

    /// Generalised cost of a journey with what is paid for it, seconds in a vehicle.
    fn cost_s(&self, journey: &Journey, pays: bool, memory: &mut Memory) -> f64 {
        let cost_s = journey.cost_s(&Weights::default());
        let Some(Payment { seconds_per_money, setting }) = &self.payment else { return cost_s };
        let rides: Vec<Ride> = journey.ridden().collect();
        let Price { money, without } = self.timetable.fares.price(&self.timetable, &rides, memory);
        let (money, setting_share) = (if pays { money } else { 0.0 }, if without > 0 { 1.0 } else { 0.0 });
        let travel = Travel { money, setting_share, ..Travel::free(0.0, self.way_m(journey)) };
        cost_s + setting.money(&travel) * seconds_per_money
    }

    /// What is paid on each ride of a journey, money; `None` where no fare is known.
    fn paid(&self, planned: &Planned) -> Vec<Option<f64>> {
        let rides: Vec<Ride> = planned.journey.ridden().collect();
        if self.payment.is_none() {
            return vec![None; rides.len()];
        }
        let mut memory = Memory::default();
        let _: Price = self.timetable.fares.price(&self.timetable, &rides, &mut memory);
        memory.of_ride.into_iter().map(|paid| paid.map(|money| if planned.pays { money } else { 0.0 })).collect()
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

/// What the rides to stops cost, for one search from one place: found once for each stop that somebody alights at.
#[derive(Default)]
struct StopPrices {
    of_stop: Vec<Option<Price>>,
    rides: Vec<Ride>,
    memory: Memory,
}

impl StopPrices {
    fn of(&mut self, stop: StopIx, timetable: &Timetable, router: &Router<'_>, scratch: &Scratch) -> Price {
        *self.of_stop[stop.row()].get_or_insert_with(|| {
            router.rides_of(stop, scratch, &mut self.rides);
            timetable.fares.price(timetable, &self.rides, &mut self.memory)
        })
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

impl CityTransit {
    /// Where stops are, metres; not a number where unknown.
    #[must_use]
    pub fn stop_places(&self) -> Vec<[f64; 2]> {
        let Some(service) = &self.0 else { return Vec::new() };
        let stops = &service.timetable.stops;
        stops.x_m.iter().zip(&stops.y_m).map(|(&x_m, &y_m)| [x_m, y_m]).collect()
    }
    /// Keeps vehicles that go by electricity and would leave a dark stop in a step until it is over.
    pub fn hold(&mut self, tick: Tick, seconds: u32, is_dark: impl Fn(usize) -> bool) {
        use RouteKind::{AerialLift, CableTram, Funicular, Metro, Monorail, Rail, Tram, Trolleybus};
        let Some(service) = &mut self.0 else { return };
        let from_s = service.start_s + tick;
        let until_s = from_s + seconds;
        let timetable = Arc::clone(&service.timetable);
        for trip in (0..timetable.trips_len() as u32).map(TransitTripIx) {
            let pattern = timetable.trips.pattern[trip.row()];
            let kind = timetable.routes.kind[timetable.patterns.route[pattern.row()].row()];
            if !matches!(kind, Tram | Metro | Rail | CableTram | AerialLift | Funicular | Trolleybus | Monorail) {
                continue;
            }
            let stops = timetable.patterns.stops(pattern);
            let delay_s = service.delay_s[trip.row()] as u32;
            let leaves_s = |nth: usize| timetable.departure_at(trip, nth) + delay_s;
            // Nobody leaves the last stop.
            let in_step = (0..stops.len().saturating_sub(1)).filter(|&nth| (from_s..until_s).contains(&leaves_s(nth)));
            if let Some(nth) = in_step.into_iter().find(|&nth| is_dark(stops[nth].row())) {
                service.delay_s[trip.row()] += f64::from(until_s - leaves_s(nth));
                service.operation.set_delay(trip, service.delay_s[trip.row()] as u32);
            }
        }
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
        let places = timetable.patterns.places(timetable.trips.pattern[trip.row()]);
        let delay_s = service.delay_s[trip.row()] as u32;
        let leaves_s = |nth: usize| timetable.departure_at(trip, nth) + delay_s;
        let last = places.len().saturating_sub(1);
        if leaves_s(0) >= until_s || leaves_s(last) < from_s {
            continue;
        }
        let first = places.start;
        let lost_s: f64 =
            (0..last).filter(|&nth| (from_s..until_s).contains(&leaves_s(nth))).map(|nth| late_s[first + nth]).sum();
        if lost_s >= 1.0 {
            // Nobody loses more time than passes.
            service.delay_s[trip.row()] += lost_s.min(f64::from(DELAY_TICKS));
            service.operation.set_delay(trip, service.delay_s[trip.row()] as u32);
        }
    }
}
