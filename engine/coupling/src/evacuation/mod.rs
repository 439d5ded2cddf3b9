//! Orders to leave an area: who is there sets out, by car where there is one, and stays away until the order is lifted.
//!
//! | when | what |
//! | --- | --- |
//! | the order is given | all in buildings of the area, or on their way there, are told; the plans of those who comply rest |
//! | after their time to get ready ([`crate::event::mobilisation`]) | they set out, in groups ([`groups`]) |
//! | meanwhile | who was on the way there arrives, and sets out in turn; no planned trip into the area begins elsewhere |
//! | they arrive | they stay |
//! | the order is lifted | who has not left goes on with their plan, trips that were held begin; the others go home after as long as they took to leave, and go on with their plan from there |
//!
//! A group goes to that place of the order which is nearest: by car under the travel times at which drivers choose their
//! ways at that moment, on foot in a straight line. Cars queue and drive as all others do, and people on foot or in a bus take
//! the time of their way: on foot the straight line with the detour of the mode's settings. Who has no way by car goes on
//! foot. Households comply or not, and take as long, as a whole; people from outside each by themselves.
//!
//! Ignored: who waits for others that are elsewhere, or fetches them; pick-up of those without cars by neighbours or
//! special buses; lanes turned round; who drives through the area; what people buy before they go; flight of those who were
//! not told; cars that charge, whose session runs on. Who does not comply goes on with their plan, but once outside does not
//! come back in.
//!
//! Contract: in order of tick, order and group, one after the other; draws are keyed by household or person and event, so
//! nothing depends on threads. Persons who ride in another's car are counted here until it arrives: the audit adds them.
//! Without orders nothing is touched.

pub mod groups;

use crate::event::mobilisation::Mobilisation;
use crate::transit::CityTransit;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use groups::{Group, Stage};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use urbis_core::rng::Rng;
use urbis_core::{Clock, PersonIx, Tick, TripIx};
use urbis_population::persons::Place;
use urbis_population::plans::{ExtraTrip, Mode, Purpose};
use urbis_population::presence::TripEnd;
use urbis_population::settings::ModeSettings;
use urbis_population::{People, Persons, Places, Plans, SimpleTrips, TripStarts};
use urbis_traffic::{CarNetwork, Rejected, Router, TripsEnded};

/// Purposes of the random numbers of households and of people from outside.
const OF_HOUSEHOLD: u32 = 0x4556_4101;
const OF_OUTSIDER: u32 = 0x4556_4102;
/// Nobody's order.
const NONE: u32 = u32::MAX;
/// Ticks between points of the clearance curve.
const POINT_TICKS: Tick = 60;
/// Ticks after which somebody looks again whether they may go home.
const LOOK_AGAIN_TICKS: Tick = 600;

/// What an order says.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Row of its event.
    pub event: u32,
    /// By place: whether it lies in the area.
    pub is_in: Vec<bool>,
    /// Where people may go.
    pub goals: Vec<Place>,
    /// Share that complies.
    pub compliance: f64,
    /// How long they take to get ready.
    pub mobilisation: Mobilisation,
}

/// A moment of the clearance curve. Simulated persons and cars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When.
    pub tick: Tick,
    /// In buildings of the area.
    pub inside: u64,
    /// Told when they were on the way into the area, and not there yet.
    pub coming: u64,
    /// Have set out, in all.
    pub set_out: u64,
    /// Have arrived, in all.
    pub arrived: u64,
    /// Cars in which they set out.
    pub cars: u64,
}

/// An order and what became of it. Simulated persons.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderState {
    /// What it says.
    pub order: Order,
    /// When it was given.
    pub begun: Option<Tick>,
    /// When it was lifted.
    pub lifted: Option<Tick>,
    /// Who was in the area when it was given.
    pub present: u64,
    /// Who was on the way there.
    pub coming: u64,
    /// Who of both complies; who turns out not to get there is taken out again.
    pub complying: u64,
    /// Who has set out.
    pub set_out: u64,
    /// In how many cars.
    pub cars: u64,
    /// When each arrived, milliseconds after the order, in order of arrival.
    pub arrived_ms: Vec<u32>,
    /// When each was ready and set out, ticks after the order, in order of time.
    pub set_out_s: Vec<Tick>,
    /// The clearance curve.
    pub curve: Vec<Point>,
    /// Whether nothing is left to be counted.
    is_done: bool,
    groups: Vec<Group>,
    /// Groups that have not set out, by household and place.
    of_household: BTreeMap<(u32, Place), u32>,
    /// The goal nearest by car, by node of the car network; nothing where no way leads to one.
    nearest: BTreeMap<u32, Option<Place>>,
}

impl OrderState {
    /// An order that is to come.
    #[must_use]
    pub fn new(order: Order) -> Self {
        Self {
            order,
            begun: None,
            lifted: None,
            present: 0,
            coming: 0,
            complying: 0,
            set_out: 0,
            cars: 0,
            arrived_ms: Vec::new(),
            set_out_s: Vec::new(),
            curve: Vec::new(),
            is_done: false,
            groups: Vec::new(),
            of_household: BTreeMap::new(),
            nearest: BTreeMap::new(),
        }
    }
    fn is_in(&self, place: Place) -> bool {
        self.order.is_in.get(place.row()).copied().unwrap_or(false)
    }
    /// The goal nearest to a place in a straight line.
    fn nearest_on_foot(&self, places: &Places, from: Place) -> Option<Place> {
        let straight_m = |goal: &Place| places.distance_m(from, *goal);
        self.order.goals.iter().min_by(|a, b| straight_m(a).total_cmp(&straight_m(b))).copied()
    }
}

/// Lets somebody go on with their plan, if it is this order that they follow.
fn release(order_of: &mut [u32], order: u32, person: PersonIx, plans: &Plans, people: &mut People, tick: Tick) {
    let follows = &mut order_of[person.row()];
    if *follows == order {
        *follows = NONE;
        people.resume(plans, person, tick);
    }
}

/// Somebody on the way into an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Coming {
    order: u32,
    person: PersonIx,
    /// When they are ready to leave, at the earliest.
    ready: Tick,
}

/// Orders of a run.
#[derive(Clone, Debug, Default, Resource)]
pub struct Evacuations {
    /// The orders, in order of events.
    pub orders: Vec<OrderState>,
    /// How one walks and cycles, in order of [`Mode::ALL`].
    modes: Vec<ModeSettings>,
    seed: u64,
    /// Orders given or lifted in this tick, and which of the two.
    told: Vec<(u32, bool)>,
    coming: Vec<Coming>,
    /// Groups that set out: when, order, group.
    queue: BinaryHeap<Reverse<(Tick, u32, u32)>>,
    /// By person: whose order they follow; empty before the first.
    order_of: Vec<u32>,
    /// Order and group of the trips under way that somebody makes by themselves.
    under_way: BTreeMap<TripIx, (u32, u32)>,
    /// By trip of a driver: those of the people beside them.
    riders: BTreeMap<TripIx, Vec<TripIx>>,
    riding: u64,
}

/// What an evacuation moves and asks.
struct Scene<'a> {
    clock: &'a Clock,
    places: &'a Places,
    persons: &'a Persons,
    network: &'a CarNetwork,
    router: &'a Router,
    plans: &'a mut Plans,
    people: &'a mut People,
    starts: &'a mut TripStarts,
    transit: &'a mut CityTransit,
}

impl Evacuations {
    /// Orders to come; `modes` in order of [`Mode::ALL`].
    #[must_use]
    pub fn new(orders: Vec<Order>, modes: Vec<ModeSettings>, seed: u64) -> Self {
        Self { orders: orders.into_iter().map(OrderState::new).collect(), modes, seed, ..Self::default() }
    }
    /// An order is given or lifted.
    pub(crate) fn tell(&mut self, order: u32, begins: bool) {
        self.told.push((order, begins));
    }
    /// Persons on the way in another's car.
    #[must_use]
    pub fn riding(&self) -> u64 {
        self.riding
    }
    fn sleeps(&self, tick: Tick) -> bool {
        let counts = |of: &OrderState| {
            !of.is_done && of.begun.is_some_and(|begun| tick.wrapping_sub(begun).is_multiple_of(POINT_TICKS))
        };
        self.told.is_empty()
            && self.coming.is_empty()
            && self.queue.peek().is_none_or(|Reverse((due, ..))| *due > tick)
            && !self.orders.iter().any(counts)
    }

    /// Whether a household or a person from outside complies with an order, and how long it takes, ticks.
    fn reaction(&self, order: u32, persons: &Persons, person: PersonIx) -> (bool, Tick) {
        let household = persons.household[person.row()];
        let (key, purpose) = if household == u32::MAX { (person.0, OF_OUTSIDER) } else { (household, OF_HOUSEHOLD) };
        let of = &self.orders[order as usize].order;
        let mut rng = Rng::new(self.seed, key, of.event, purpose);
        let complies = rng.chance(of.compliance);
        (complies, of.mobilisation.quantile_s(rng.uniform()).round() as Tick)
    }

    /// An order is given: everybody concerned is told, and gets ready.
    fn give(&mut self, order: u32, scene: &mut Scene<'_>) {
        let (tick, row) = (scene.clock.tick(), order as usize);
        self.orders[row].begun = Some(tick);
        self.order_of.resize(scene.persons.len(), NONE);
        scene.people.bar(&self.orders[row].order.is_in);
        let mut here: BTreeMap<(u32, Place), Vec<PersonIx>> = BTreeMap::new();
        let mut alone = Vec::new();
        for person in scene.persons.indices() {
            let at = scene.people.place[person.row()];
            let is_coming = at == Place::TRAVELLING;
            let heads_for = || {
                let trip = scene.people.last_trip(scene.plans, person)?;
                Some(scene.plans.to[trip as usize])
            };
            let Some(place) = (if is_coming { heads_for() } else { Some(at) }) else { continue };
            if !self.orders[row].is_in(place) {
                continue;
            }
            let state = &mut self.orders[row];
            *(if is_coming { &mut state.coming } else { &mut state.present }) += 1;
            let (complies, wait) = self.reaction(order, scene.persons, person);
            if !complies {
                continue;
            }
            self.orders[row].complying += 1;
            self.order_of[person.row()] = order;
            scene.people.suspend(person);
            let household = scene.persons.household[person.row()];
            if is_coming {
                self.coming.push(Coming { order, person, ready: tick + wait });
            } else if household == u32::MAX {
                alone.push((place, vec![person]));
            } else {
                here.entry((household, place)).or_default().push(person);
            }
        }
        let all: Vec<(Place, Vec<PersonIx>)> =
            here.into_iter().map(|((_, place), of)| (place, of)).chain(alone).collect();
        self.find_nearest(order, all.iter().map(|(place, _)| *place), scene);
        for (place, members) in all {
            let (_, wait) = self.reaction(order, scene.persons, members[0]);
            self.form(order, place, &members, tick + wait, scene);
        }
    }

    /// Finds the goals nearest by car of the nodes of places that have none yet, all in one batch.
    fn find_nearest(&mut self, order: u32, from: impl Iterator<Item = Place>, scene: &Scene<'_>) {
        let OrderState { order: Order { goals, .. }, nearest, .. } = &mut self.orders[order as usize];
        let node = |place: Place| scene.network.node_of(scene.places.car_node[place.row()]);
        let mut new: Vec<u32> = from.filter_map(node).filter(|of| !nearest.contains_key(of)).collect();
        new.sort_unstable();
        new.dedup();
        let goals: Vec<(u32, Place)> = goals.iter().filter_map(|&goal| Some((node(goal)?, goal))).collect();
        let pairs: Vec<(u32, u32)> = new.iter().flat_map(|&a| goals.iter().map(move |&(b, _)| (a, b))).collect();
        let costs = scene.router.cost_batch(&pairs);
        for (row, &from) in new.iter().enumerate() {
            let of_goals = costs[row * goals.len()..(row + 1) * goals.len()].iter().zip(&goals);
            let best = of_goals.filter_map(|(cost, (_, goal))| cost.map(|cost| (cost, *goal))).min();
            nearest.insert(from, best.map(|of| of.1));
        }
    }

    /// Divides those who leave a place together into cars and people without, and lets them set out at a tick.
    fn form(&mut self, order: u32, place: Place, members: &[PersonIx], ready: Tick, scene: &Scene<'_>) {
        let state = &mut self.orders[order as usize];
        let node = scene.network.node_of(scene.places.car_node[place.row()]);
        let by_car = node.and_then(|node| state.nearest.get(&node).copied().flatten());
        let on_foot = state.nearest_on_foot(scene.places, place);
        let here = groups::divide(scene.persons, scene.plans, scene.people, place, members, by_car.is_some());
        for (mode, of) in here {
            let Some(goal) = (if mode.is_on_road() { by_car } else { on_foot }) else { continue };
            let household = scene.persons.household[of[0].row()];
            let row = state.groups.len() as u32;
            if mode.is_on_road() && household != u32::MAX {
                state.of_household.insert((household, place), row);
            }
            state.groups.push(Group::new(mode, of, place, goal, ready - state.begun.unwrap_or(ready)));
            self.queue.push(Reverse((ready, order, row)));
        }
    }

    /// Those who were on the way when they were told, and are there now.
    fn receive(&mut self, scene: &mut Scene<'_>) {
        let tick = scene.clock.tick();
        let mut coming = std::mem::take(&mut self.coming);
        coming.retain(|&Coming { order, person, ready }| {
            let at = scene.people.place[person.row()];
            if at == Place::TRAVELLING {
                return true;
            }
            let state = &mut self.orders[order as usize];
            let household = scene.persons.household[person.row()];
            if self.order_of[person.row()] != order {
                // Another order has told them since.
                state.complying -= 1;
            } else if !state.is_in(at) {
                // Nobody could make the trip.
                state.complying -= 1;
                release(&mut self.order_of, order, person, scene.plans, scene.people, tick);
            } else if let Some(&row) = state.of_household.get(&(household, at))
                && state.groups[row as usize].takes_in(person)
            {
                // The household has not left yet.
            } else {
                self.find_nearest(order, std::iter::once(at), scene);
                self.form(order, at, &[person], ready.max(tick), scene);
            }
            false
        });
        self.coming = coming;
    }

    /// An order is lifted.
    fn lift(&mut self, order: u32, scene: &mut Scene<'_>) {
        let tick = scene.clock.tick();
        self.count(order, scene);
        let state = &mut self.orders[order as usize];
        (state.lifted, state.is_done) = (Some(tick), true);
        scene.people.unbar(&state.order.is_in, scene.plans, tick);
        let order_of = &mut self.order_of;
        let mut free = |person: PersonIx| release(order_of, order, person, scene.plans, scene.people, tick);
        self.coming.retain(|of| {
            if of.order == order {
                free(of.person);
            }
            of.order != order
        });
        for (row, group) in state.groups.iter_mut().enumerate() {
            match group.stage {
                Stage::Waits => {
                    group.members.iter().for_each(|&person| free(person));
                    group.stage = Stage::Home;
                }
                Stage::There => self.queue.push(Reverse((tick + group.wait, order, row as u32))),
                Stage::Leaves | Stage::Returns | Stage::Home => {}
            }
        }
    }

    /// A group whose time has come sets out, or goes home.
    fn go(&mut self, order: u32, group: u32, scene: &mut Scene<'_>) {
        let tick = scene.clock.tick();
        let state = &mut self.orders[order as usize];
        let of = &mut state.groups[group as usize];
        match of.stage {
            Stage::Waits => {
                // Another order may have told some of them since.
                let (all, order_of) = (of.members.len(), &self.order_of);
                of.members
                    .retain(|person| order_of[person.row()] == order && scene.people.place[person.row()] == of.from);
                state.complying -= (all - of.members.len()) as u64;
                let Some(&first) = of.members.first() else {
                    of.stage = Stage::Home;
                    return;
                };
                if first != of.driver && of.mode.is_on_road() {
                    of.mode = Mode::Walk;
                }
                of.stage = Stage::Leaves;
                let (persons, cars) = (of.members.len() as u64, u64::from(of.mode.is_on_road()));
                state.set_out += persons;
                state.cars += cars;
                let after = tick - state.begun.unwrap_or(tick);
                state.set_out_s.extend(of.members.iter().map(|_| after));
                let (members, mode, from, to) = (of.members.clone(), of.mode, of.from, of.goal);
                self.travel((order, group), &members, mode, (from, to), Purpose::Shelter, scene);
            }
            Stage::There => {
                // Some may have been told to leave again, or are home where they are.
                let at = of.goal;
                let order_of = &mut self.order_of;
                of.members.retain(|&person| {
                    let follows = order_of[person.row()] == order;
                    let is_home =
                        scene.places.is_external(at) && scene.places.is_external(scene.persons.home[person.row()]);
                    if is_home {
                        release(order_of, order, person, scene.plans, scene.people, tick);
                    }
                    follows && !is_home
                });
                let Some(&first) = of.members.first() else {
                    of.stage = Stage::Home;
                    return;
                };
                let home = scene.persons.home[first.row()];
                if scene.people.is_barred(home) && !scene.people.is_barred(at) {
                    self.queue.push(Reverse((tick + LOOK_AGAIN_TICKS, order, group)));
                    return;
                }
                of.stage = Stage::Returns;
                let mode = if first == of.driver { of.mode } else { Mode::Walk };
                let members = of.members.clone();
                self.travel((order, group), &members, mode, (at, home), Purpose::Home, scene);
            }
            Stage::Leaves | Stage::Returns | Stage::Home => {}
        }
    }

    /// Persons travel together: in one car, or each by themselves.
    fn travel(
        &mut self,
        of: (u32, u32),
        members: &[PersonIx],
        mode: Mode,
        (from, to): (Place, Place),
        purpose: Purpose,
        scene: &mut Scene<'_>,
    ) {
        let tick = scene.clock.tick();
        let hour = scene.clock.local_second_of_day(tick) as f32 / 3600.0;
        let straight_m = scene.places.distance_m(from, to);
        let mut trips = Vec::with_capacity(members.len());
        for (nth, &person) in members.iter().enumerate() {
            let is_beside = mode.is_on_road() && nth > 0;
            let mode = if is_beside { Mode::CarPassenger } else { mode };
            let settings = &self.modes[mode as usize];
            let way_m = straight_m * settings.detour;
            let way_s = way_m / (settings.speed_kmh / 3.6) + 60.0 * settings.access_min;
            let (way_s, way_m) = (way_s as f32, way_m as f32);
            let trip = scene.plans.push_extra(ExtraTrip { person, purpose, mode, from, to, tick, hour, way_s, way_m });
            let is_there = scene.people.start_extra(scene.plans, trip, tick);
            assert!(is_there, "person {} leaves where they are", person.0);
            trips.push(trip);
        }
        if mode.is_on_road() {
            let driver = trips[0];
            trips.remove(0);
            scene.starts.trips.push(driver);
            self.under_way.insert(driver, of);
            self.riding += trips.len() as u64;
            self.riders.insert(driver, trips);
            return;
        }
        if mode == Mode::Walk {
            scene.transit.take_on(scene.places, scene.persons, scene.plans, &trips);
        }
        for trip in trips {
            scene.starts.trips.push(trip);
            self.under_way.insert(trip, of);
        }
    }

    /// Adds a point to the clearance curve of an order.
    fn count(&mut self, order: u32, scene: &Scene<'_>) {
        let coming = self.coming.iter().filter(|of| of.order == order).count() as u64;
        let state = &mut self.orders[order as usize];
        let inside = scene.people.present.iter().zip(&state.order.is_in).filter(|(_, is_in)| **is_in);
        let point = Point {
            tick: scene.clock.tick(),
            inside: inside.map(|(&persons, _)| u64::from(persons)).sum(),
            coming,
            set_out: state.set_out,
            arrived: state.arrived_ms.len() as u64,
            cars: state.cars,
        };
        if state.curve.last().is_none_or(|last| last.tick < point.tick) {
            state.curve.push(point);
        }
        state.is_done |= coming == 0 && point.arrived == state.complying;
    }

    /// A trip outside plans has ended: so have those of the people beside its driver.
    fn end(&mut self, trip: TripIx, end: TripEnd, plans: &Plans, people: &mut People, tick: Tick) {
        let Some((order, group)) = self.under_way.remove(&trip) else { return };
        let riders = self.riders.remove(&trip).unwrap_or_default();
        self.riding -= riders.len() as u64;
        let arrived = 1 + riders.len();
        for trip in riders {
            people.end_trip(plans, TripEnd { trip, ..end }, tick);
        }
        let state = &mut self.orders[order as usize];
        let of = &mut state.groups[group as usize];
        of.arrived += arrived;
        let leaves = of.stage == Stage::Leaves;
        if leaves {
            let begun_ms = state.begun.unwrap_or(0) * 1000;
            state.arrived_ms.extend(std::iter::repeat_n(end.arrive_ms.saturating_sub(begun_ms), arrived));
        }
        if of.arrived < of.members.len() {
            return;
        }
        of.arrived = 0;
        if leaves {
            of.stage = Stage::There;
            if state.lifted.is_some() {
                self.queue.push(Reverse((tick + 1, order, group)));
            }
            return;
        }
        of.stage = Stage::Home;
        for &person in &of.members {
            release(&mut self.order_of, order, person, plans, people, tick);
        }
    }

    /// Nobody could make the trip of a driver: all of the car go on foot from where they were put back to.
    fn turn_back(&mut self, trip: TripIx, plans: &Plans, people: &mut People, places: &Places, tick: Tick) {
        let Some((order, group)) = self.under_way.remove(&trip) else { return };
        let riders = self.riders.remove(&trip).unwrap_or_default();
        self.riding -= riders.len() as u64;
        riders.into_iter().for_each(|trip| people.reject_trip(plans, trip));
        let state = &mut self.orders[order as usize];
        let nearest = state.nearest_on_foot(places, state.groups[group as usize].from);
        let of = &mut state.groups[group as usize];
        of.mode = Mode::Walk;
        if of.stage == Stage::Leaves {
            of.stage = Stage::Waits;
            let persons = of.members.len();
            state.set_out -= persons as u64;
            state.cars -= 1;
            state.set_out_s.truncate(state.set_out_s.len() - persons);
            of.goal = nearest.unwrap_or(of.goal);
        } else {
            of.stage = Stage::There;
        }
        self.queue.push(Reverse((tick + 1, order, group)));
    }
}

/// Lets orders be given and lifted, and lets those set out whose time has come.
#[allow(clippy::too_many_arguments)] // an evacuation moves people by all means
pub fn evacuate(
    clock: Res<'_, Clock>,
    places: Res<'_, Places>,
    persons: Res<'_, Persons>,
    network: Res<'_, CarNetwork>,
    router: Res<'_, Router>,
    mut evacuations: ResMut<'_, Evacuations>,
    mut plans: ResMut<'_, Plans>,
    mut people: ResMut<'_, People>,
    mut starts: ResMut<'_, TripStarts>,
    mut transit: ResMut<'_, CityTransit>,
) {
    let tick = clock.tick();
    if evacuations.sleeps(tick) {
        return;
    }
    let mut scene = Scene {
        clock: &clock,
        places: &places,
        persons: &persons,
        network: &network,
        router: &router,
        plans: &mut plans,
        people: &mut people,
        starts: &mut starts,
        transit: &mut transit,
    };
    for (order, begins) in std::mem::take(&mut evacuations.told) {
        if begins {
            evacuations.give(order, &mut scene);
        } else {
            evacuations.lift(order, &mut scene);
        }
    }
    if !evacuations.coming.is_empty() {
        evacuations.receive(&mut scene);
    }
    for order in 0..evacuations.orders.len() {
        let of = &evacuations.orders[order];
        if !of.is_done && of.begun.is_some_and(|begun| (tick - begun).is_multiple_of(POINT_TICKS)) {
            evacuations.count(order as u32, &scene);
        }
    }
    while let Some(&Reverse((due, order, group))) = evacuations.queue.peek()
        && due <= tick
    {
        evacuations.queue.pop();
        evacuations.go(order, group, &mut scene);
    }
}

/// Takes note of who arrives, and lets those arrive who ride beside a driver.
#[allow(clippy::too_many_arguments)] // whoever moves people tells of ends
pub fn end_evacuations(
    clock: Res<'_, Clock>,
    places: Res<'_, Places>,
    plans: Res<'_, Plans>,
    by_car: Res<'_, TripsEnded>,
    rejected: Res<'_, Rejected>,
    simple: Res<'_, SimpleTrips>,
    mut people: ResMut<'_, People>,
    mut evacuations: ResMut<'_, Evacuations>,
) {
    if evacuations.under_way.is_empty() {
        return;
    }
    let (tick, first) = (clock.tick(), plans.extras());
    for ended in by_car.trips.iter().filter(|ended| ended.trip.row() >= first) {
        let end = TripEnd {
            trip: ended.trip,
            arrive_ms: ended.arrive_ms,
            distance_m: ended.distance_m,
            wait_s: (ended.entered_ms - ended.depart_ms) as f32 / 1000.0,
        };
        evacuations.end(ended.trip, end, &plans, &mut people, tick);
    }
    for (request, _) in rejected.trips.iter().filter(|(request, _)| request.trip.row() >= first) {
        evacuations.turn_back(request.trip, &plans, &mut people, &places, tick);
    }
    for end in simple.ended.iter().filter(|end| end.trip.row() >= first) {
        evacuations.end(end.trip, *end, &plans, &mut people, tick);
    }
}
