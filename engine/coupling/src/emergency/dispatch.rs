//! Dispatch of emergency units to calls, event by event.
//!
//! | state of a unit | ends with | then |
//! | --- | --- | --- |
//! | at its station | a call it is sent to | turn-out and the way there |
//! | on its way | arrival | service on the scene |
//! | on the scene | service is over | the way to a hospital, if it carries somebody; else back |
//! | on its way to a hospital | arrival | handover |
//! | at a hospital | handover is over | back |
//! | on its way back | arrival, or a call where units on their way back are sent | at its station |
//!
//! A call that needs several units gets them as they become free, and each serves for the call's service time from its
//! own arrival, so no call holds units while it waits for more. Whoever waits is looked at in order of priority (1
//! before 2), then time, then number; a call that no free unit can reach does not hold up those behind it. A unit that
//! no way leads home waits where it is.
//!
//! Without ways, with Poisson calls and exponential service this is M/M/N: the mean wait is `C(N, a) / (N mu - lambda)`
//! with `a = lambda / mu` and Erlang's `C` (A. K. Erlang, Solution of some problems in the theory of probabilities of
//! significance in automatic telephone exchanges, 1917). With random stations the way to the nearest falls as
//! `c sqrt(A / n)`, `c` 0.5 straight and `sqrt(2 pi) / 4` along a grid (R. C. Larson and A. R. Odoni, Urban Operations
//! Research, 1981, ch. 3).
//!
//! Laws: calls received = waiting + under way + answered; a unit is in one state, at one call. Times are whole
//! milliseconds. Ignored: units that are called off for a more urgent call, units moved to cover for others, shifts.
//! Contract: sequential; events in order of time, units before calls, then number, and units are sent when all events
//! of a moment are through; of equally fast units the lower number goes. No clock, no world; ways come from [`Roads`].

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::Bound::{Excluded, Unbounded};

/// A moment or span, milliseconds since the start.
pub type Ms = u64;
/// Time of a way that does not exist.
pub const NO_WAY: u32 = u32::MAX;
/// No row.
pub const NONE: u32 = u32::MAX;
/// A moment that does not come.
pub const NEVER: Ms = Ms::MAX;
/// How long a unit waits that no way leads home before it looks again, ms.
const STRANDED_MS: Ms = 600_000;

/// What a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceKind {
    /// Fire engines.
    Fire,
    /// Ambulances.
    Ambulance,
    /// Police cars.
    Police,
}

urbis_core::named!(ServiceKind { Fire = "fire", Ambulance = "ambulance", Police = "police" });

impl ServiceKind {
    /// How many there are.
    pub const COUNT: usize = Self::NAMED.len();
}

/// Ways between nodes under the traffic of the moment.
pub trait Roads {
    /// Driving time of each pair `(from, to)`, ms, [`NO_WAY`] where there is none; `times_ms` is emptied first.
    fn times_ms(&mut self, pairs: &[(u32, u32)], times_ms: &mut Vec<u32>);
    /// The node ahead of a unit that has driven this share of its way, and the time to it, ms.
    fn ahead(&mut self, from: u32, to: u32, share: f64) -> (u32, u32);
}

/// Ways by a function of two nodes, such as a matrix of times. A unit under way counts as being where its way begins up
/// to the half of it, and then as being where it ends.
#[derive(Clone, Debug)]
pub struct WaysBy<F>(pub F);

impl<F: Fn(u32, u32) -> u32> Roads for WaysBy<F> {
    fn times_ms(&mut self, pairs: &[(u32, u32)], times_ms: &mut Vec<u32>) {
        times_ms.clear();
        times_ms.extend(pairs.iter().map(|&(from, to)| (self.0)(from, to)));
    }
    fn ahead(&mut self, from: u32, to: u32, share: f64) -> (u32, u32) {
        (if share < 0.5 { from } else { to }, 0)
    }
}

/// How units are sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Whether a free unit of the call's own station goes before faster ones of others.
    pub own_station_first: bool,
    /// Whether the more urgent call comes first; else the earlier one.
    pub by_priority: bool,
    /// Whether units on their way back are sent.
    pub sends_returning: bool,
    /// Turn-out: from the alarm to driving off, for a unit at its station, by kind, ms.
    pub turnout_ms: [u32; ServiceKind::COUNT],
    /// Calls up to this priority are driven to with a siren.
    pub siren_priority: u8,
    /// How many times as fast units are with it.
    pub siren_factor: f64,
    /// Handover of a patient, ms.
    pub handover_ms: u32,
}

/// A station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Station {
    /// Kind of its units.
    pub kind: ServiceKind,
    /// Node at which it lies.
    pub node: u32,
    /// Number of its units.
    pub units: u32,
}

/// A call as it comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// When; a past moment counts as now.
    pub time_ms: Ms,
    /// Node.
    pub node: u32,
    /// Kind of units.
    pub kind: ServiceKind,
    /// Urgency, 1 the most urgent.
    pub priority: u8,
    /// Units it needs; no more than there are of the kind count, and at least one.
    pub units: u32,
    /// Service of a unit on the scene, ms.
    pub scene_ms: u32,
    /// Whether the first unit to leave takes somebody to a hospital.
    pub is_transported: bool,
    /// Its own station, or [`NONE`].
    pub own_station: u32,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Its time has not come.
    Announced,
    /// No unit has been sent.
    Waiting,
    /// Units have been sent, none is there.
    UnderWay,
    /// A unit has come.
    Answered,
}

/// Calls; columns by call, in the order in which they were put in.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// What was asked for; its time is that at which it counts.
    pub request: Vec<Request>,
    /// What became of it.
    pub state: Vec<CallState>,
    /// Units it gets.
    pub needed: Vec<u32>,
    /// Units that have been sent.
    pub sent: Vec<u32>,
    /// Of these, how many have come.
    pub arrived: Vec<u32>,
    /// Of these, how many have left.
    pub left: Vec<u32>,
    /// The sending that came first, or [`NONE`].
    pub first: Vec<u32>,
    /// Hospital to which somebody was taken, or [`NONE`].
    pub hospital: Vec<u32>,
    /// When the last unit so far left, or [`NEVER`].
    pub end_ms: Vec<Ms>,
}

/// Units that were sent; columns by sending, in order.
#[derive(Clone, Debug, Default)]
pub struct Sendings {
    /// Call.
    pub call: Vec<u32>,
    /// Unit.
    pub unit: Vec<u32>,
    /// When it was sent.
    pub sent_ms: Vec<Ms>,
    /// Turn-out, ms.
    pub turnout_ms: Vec<u32>,
    /// Way, ms.
    pub travel_ms: Vec<u32>,
    /// When it was free again, or [`NEVER`].
    pub free_ms: Vec<Ms>,
}

impl Sendings {
    /// When a unit comes to its call.
    #[must_use]
    pub fn arrive_ms(&self, row: usize) -> Ms {
        self.sent_ms[row] + Ms::from(self.turnout_ms[row]) + Ms::from(self.travel_ms[row])
    }
}

/// Where a unit is in its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitState {
    /// At its station.
    AtStation,
    /// Turning out or driving to a call.
    ToScene,
    /// At a call.
    OnScene,
    /// Driving to a hospital.
    ToHospital,
    /// At a hospital.
    AtHospital,
    /// Driving back.
    Returning,
}

/// Units; columns by unit, station by station.
#[derive(Clone, Debug, Default)]
pub struct Units {
    /// Station.
    pub station: Vec<u32>,
    /// State.
    pub state: Vec<UnitState>,
    /// Node where it is, or where its way began.
    pub node: Vec<u32>,
    /// Node where its way ends.
    pub to: Vec<u32>,
    /// When its state began.
    pub since_ms: Vec<Ms>,
    /// When its state ends, or [`NEVER`].
    pub until_ms: Vec<Ms>,
    /// The sending it works for, or [`NONE`].
    pub sending: Vec<u32>,
    /// How often it has been sent: an event of an earlier turn is void.
    turn: Vec<u32>,
}

/// Calls by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Calls that have come in.
    pub received: u64,
    /// Those to which no unit has been sent.
    pub waiting: u64,
    /// Those to which units are on their way, of which none is there.
    pub under_way: u64,
    /// Those to which a unit has come.
    pub answered: u64,
}

impl Books {
    /// Whether received = waiting + under way + answered.
    #[must_use]
    pub fn balance(&self) -> bool {
        self.received == self.waiting + self.under_way + self.answered
    }
}

/// Moment, 0 for units and 1 for calls, number, turn.
type Event = (Ms, u8, u32, u32);

/// A unit that could go.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    unit: u32,
    from: u32,
    lead_ms: u32,
    turnout_ms: u32,
}

/// A unit that goes.
struct Chosen {
    unit: u32,
    turnout_ms: u32,
    travel_ms: u32,
}

/// Stations, units and calls, and what happens to them. See the module.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    rules: Rules,
    stations: Vec<Station>,
    /// First unit of each station, and the number of units.
    first_unit: Vec<u32>,
    hospitals: Vec<u32>,
    units: Units,
    calls: Calls,
    sendings: Sendings,
    books: [Books; ServiceKind::COUNT],
    units_of: [u32; ServiceKind::COUNT],
    /// Time that units spent from being sent to being free, of those that are free again, ms.
    busy_ms: [Ms; ServiceKind::COUNT],
    now_ms: Ms,
    events: BinaryHeap<Reverse<Event>>,
    /// Calls that lack units, by rank, time and number.
    queue: [BTreeSet<(u8, Ms, u32)>; ServiceKind::COUNT],
    /// Kinds of which somebody became free or called.
    is_stirred: [bool; ServiceKind::COUNT],
    candidates: Vec<(Candidate, u32)>,
    pairs: Vec<(u32, u32)>,
    times_ms: Vec<u32>,
}

impl Dispatcher {
    /// Units at their stations, and no calls. Hospitals are nodes.
    #[must_use]
    pub fn new(rules: Rules, stations: Vec<Station>, hospitals: Vec<u32>) -> Self {
        let mut units = Units::default();
        let mut first_unit = vec![0];
        let mut units_of = [0; ServiceKind::COUNT];
        for (row, station) in stations.iter().enumerate() {
            for _ in 0..station.units {
                units.station.push(row as u32);
                units.state.push(UnitState::AtStation);
                units.node.push(station.node);
                units.to.push(station.node);
                units.since_ms.push(0);
                units.until_ms.push(NEVER);
                units.sending.push(NONE);
                units.turn.push(0);
            }
            units_of[station.kind as usize] += station.units;
            first_unit.push(units.station.len() as u32);
        }
        Self {
            rules,
            stations,
            first_unit,
            hospitals,
            units,
            calls: Calls::default(),
            sendings: Sendings::default(),
            books: Default::default(),
            units_of,
            busy_ms: [0; ServiceKind::COUNT],
            now_ms: 0,
            events: BinaryHeap::new(),
            queue: Default::default(),
            is_stirred: [false; ServiceKind::COUNT],
            candidates: Vec::new(),
            pairs: Vec::new(),
            times_ms: Vec::new(),
        }
    }

    /// The stations.
    #[must_use]
    pub fn stations(&self) -> &[Station] {
        &self.stations
    }
    /// The calls.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }
    /// The units.
    #[must_use]
    pub fn units(&self) -> &Units {
        &self.units
    }
    /// Who was sent where.
    #[must_use]
    pub fn sendings(&self) -> &Sendings {
        &self.sendings
    }
    /// Calls of a kind by what became of them, from running counts.
    #[must_use]
    pub fn books(&self, kind: ServiceKind) -> Books {
        self.books[kind as usize]
    }
    /// Number of units of a kind.
    #[must_use]
    pub fn units_of(&self, kind: ServiceKind) -> u32 {
        self.units_of[kind as usize]
    }
    /// Whether calls of any kind lack units.
    #[must_use]
    pub fn has_queue(&self) -> bool {
        self.queue.iter().any(|queue| !queue.is_empty())
    }
    /// Unit time of a kind from being sent to being free, until now, ms.
    #[must_use]
    pub fn busy_ms(&self, kind: ServiceKind) -> Ms {
        let at_work = (0..self.units.state.len()).filter(|&unit| self.units.sending[unit] != NONE);
        let of_kind = at_work.filter(|&unit| self.stations[self.units.station[unit] as usize].kind == kind);
        let since = of_kind.map(|unit| self.now_ms - self.sendings.sent_ms[self.units.sending[unit] as usize]);
        self.busy_ms[kind as usize] + since.sum::<Ms>()
    }

    /// Takes a call; its number is the answer.
    pub fn place(&mut self, request: Request) -> u32 {
        let call = self.calls.state.len() as u32;
        let time_ms = request.time_ms.max(self.now_ms);
        self.calls.request.push(Request { time_ms, ..request });
        self.calls.state.push(CallState::Announced);
        self.calls.needed.push(request.units.min(self.units_of(request.kind)).max(1));
        self.calls.sent.push(0);
        self.calls.arrived.push(0);
        self.calls.left.push(0);
        self.calls.first.push(NONE);
        self.calls.hospital.push(NONE);
        self.calls.end_ms.push(NEVER);
        self.events.push(Reverse((time_ms, 1, call, 0)));
        call
    }

    /// Lets calls that no free unit could reach be looked at again: a way may have opened.
    pub fn look_again(&mut self) {
        for (is_stirred, queue) in self.is_stirred.iter_mut().zip(&self.queue) {
            *is_stirred |= !queue.is_empty();
        }
    }

    /// Lets everything happen that comes before a moment.
    pub fn advance(&mut self, until_ms: Ms, roads: &mut dyn Roads) {
        self.send_units(roads);
        while let Some(&Reverse((time_ms, ..))) = self.events.peek()
            && time_ms < until_ms
        {
            self.now_ms = time_ms;
            while let Some(&Reverse((at_ms, class, number, turn))) = self.events.peek()
                && at_ms == time_ms
            {
                self.events.pop();
                if class == 1 {
                    self.receive(number);
                } else if self.units.turn[number as usize] == turn {
                    self.go_on(number as usize, roads);
                }
            }
            self.send_units(roads);
        }
        self.now_ms = self.now_ms.max(until_ms);
    }

    fn receive(&mut self, call: u32) {
        let request = self.calls.request[call as usize];
        let kind = request.kind as usize;
        self.calls.state[call as usize] = CallState::Waiting;
        self.books[kind].received += 1;
        self.books[kind].waiting += 1;
        self.queue[kind].insert(self.place_in_queue(call));
        self.is_stirred[kind] = true;
    }

    fn place_in_queue(&self, call: u32) -> (u8, Ms, u32) {
        let request = &self.calls.request[call as usize];
        (if self.rules.by_priority { request.priority } else { 0 }, request.time_ms, call)
    }

    /// Puts a unit into a state that lasts so long.
    fn enter(&mut self, unit: usize, state: UnitState, lasts_ms: Ms) {
        self.units.state[unit] = state;
        self.units.since_ms[unit] = self.now_ms;
        let until_ms = self.now_ms + lasts_ms;
        self.units.until_ms[unit] = until_ms;
        self.events.push(Reverse((until_ms, 0, unit as u32, self.units.turn[unit])));
    }

    /// The state of a unit ends.
    fn go_on(&mut self, unit: usize, roads: &mut dyn Roads) {
        let kind = self.stations[self.units.station[unit] as usize].kind as usize;
        let call = match self.units.sending[unit] {
            NONE => usize::MAX,
            sending => self.sendings.call[sending as usize] as usize,
        };
        match self.units.state[unit] {
            UnitState::ToScene => {
                self.units.node[unit] = self.units.to[unit];
                self.calls.arrived[call] += 1;
                if self.calls.state[call] == CallState::UnderWay {
                    self.calls.state[call] = CallState::Answered;
                    self.calls.first[call] = self.units.sending[unit];
                    self.books[kind].under_way -= 1;
                    self.books[kind].answered += 1;
                }
                let scene_ms = self.calls.request[call].scene_ms;
                self.enter(unit, UnitState::OnScene, Ms::from(scene_ms));
            }
            UnitState::OnScene => {
                self.calls.left[call] += 1;
                self.calls.end_ms[call] = self.now_ms;
                let carries = self.calls.request[call].is_transported && self.calls.hospital[call] == NONE;
                match carries.then(|| self.nearest_hospital(unit, roads)).flatten() {
                    Some((hospital, travel_ms)) => {
                        self.calls.hospital[call] = hospital;
                        self.units.to[unit] = self.hospitals[hospital as usize];
                        self.enter(unit, UnitState::ToHospital, Ms::from(travel_ms));
                    }
                    None => self.release(unit, roads),
                }
            }
            UnitState::ToHospital => {
                self.units.node[unit] = self.units.to[unit];
                self.enter(unit, UnitState::AtHospital, Ms::from(self.rules.handover_ms));
            }
            UnitState::AtHospital => self.release(unit, roads),
            UnitState::Returning => {
                self.units.node[unit] = self.units.to[unit];
                if self.units.node[unit] == self.stations[self.units.station[unit] as usize].node {
                    self.units.state[unit] = UnitState::AtStation;
                    self.units.since_ms[unit] = self.now_ms;
                    self.units.until_ms[unit] = NEVER;
                    self.is_stirred[kind] = true;
                } else {
                    self.return_home(unit, roads);
                }
            }
            // No event is due for a unit at its station.
            UnitState::AtStation => {}
        }
    }

    fn nearest_hospital(&mut self, unit: usize, roads: &mut dyn Roads) -> Option<(u32, u32)> {
        self.pairs.clear();
        self.pairs.extend(self.hospitals.iter().map(|&hospital| (self.units.node[unit], hospital)));
        roads.times_ms(&self.pairs, &mut self.times_ms);
        nearest(&self.times_ms).map(|(row, time_ms)| (row as u32, time_ms))
    }

    /// A unit is done with its call.
    fn release(&mut self, unit: usize, roads: &mut dyn Roads) {
        let sending = self.units.sending[unit] as usize;
        let kind = self.stations[self.units.station[unit] as usize].kind as usize;
        self.sendings.free_ms[sending] = self.now_ms;
        self.busy_ms[kind] += self.now_ms - self.sendings.sent_ms[sending];
        self.units.sending[unit] = NONE;
        self.return_home(unit, roads);
    }

    fn return_home(&mut self, unit: usize, roads: &mut dyn Roads) {
        let station = &self.stations[self.units.station[unit] as usize];
        self.pairs.clear();
        self.pairs.push((self.units.node[unit], station.node));
        roads.times_ms(&self.pairs, &mut self.times_ms);
        self.is_stirred[station.kind as usize] |= self.rules.sends_returning;
        let (to, lasts_ms) = match self.times_ms[0] {
            NO_WAY => (self.units.node[unit], STRANDED_MS),
            time_ms => (station.node, Ms::from(time_ms)),
        };
        self.units.to[unit] = to;
        self.enter(unit, UnitState::Returning, lasts_ms);
    }

    /// Sends free units to calls that lack some, kind by kind.
    fn send_units(&mut self, roads: &mut dyn Roads) {
        for (kind, _) in ServiceKind::NAMED {
            if std::mem::take(&mut self.is_stirred[kind as usize]) {
                self.send_units_of(kind, roads);
            }
        }
    }

    fn send_units_of(&mut self, kind: ServiceKind, roads: &mut dyn Roads) {
        let mut after = Unbounded;
        while let Some(&place) = self.queue[kind as usize].range((after, Unbounded)).next() {
            after = Excluded(place);
            let call = place.2 as usize;
            while self.calls.sent[call] < self.calls.needed[call] {
                self.find_candidates(kind, roads);
                if self.candidates.is_empty() {
                    return;
                }
                let Some(chosen) = self.choose(call, roads) else { break };
                self.send(call, &chosen);
            }
            if self.calls.sent[call] == self.calls.needed[call] {
                self.queue[kind as usize].remove(&place);
            }
        }
    }

    /// Free units of a kind: the first of those at each station, and all that are on their way back, if they are sent.
    fn find_candidates(&mut self, kind: ServiceKind, roads: &mut dyn Roads) {
        self.candidates.clear();
        for (row, station) in self.stations.iter().enumerate().filter(|(_, station)| station.kind == kind) {
            let mut is_one_there = false;
            for unit in self.first_unit[row]..self.first_unit[row + 1] {
                let (candidate, at) = match self.units.state[unit as usize] {
                    UnitState::AtStation if !is_one_there => {
                        is_one_there = true;
                        let turnout_ms = self.rules.turnout_ms[kind as usize];
                        (Candidate { unit, from: station.node, lead_ms: 0, turnout_ms }, unit as usize)
                    }
                    UnitState::Returning if self.rules.sends_returning => {
                        let at = unit as usize;
                        let (began_ms, ends_ms) = (self.units.since_ms[at], self.units.until_ms[at]);
                        let share = (self.now_ms - began_ms) as f64 / (ends_ms - began_ms).max(1) as f64;
                        let (from, lead_ms) = match self.units.to[at] == self.units.node[at] {
                            true => (self.units.node[at], 0),
                            false => roads.ahead(self.units.node[at], self.units.to[at], share),
                        };
                        (Candidate { unit, from, lead_ms, turnout_ms: 0 }, at)
                    }
                    _ => continue,
                };
                self.candidates.push((candidate, self.units.station[at]));
            }
        }
    }

    /// The candidate that is there first; one of the call's own station before others, if the rules say so.
    fn choose(&mut self, call: usize, roads: &mut dyn Roads) -> Option<Chosen> {
        let request = &self.calls.request[call];
        self.pairs.clear();
        self.pairs.extend(self.candidates.iter().map(|(candidate, _)| (candidate.from, request.node)));
        roads.times_ms(&self.pairs, &mut self.times_ms);
        let factor = if request.priority <= self.rules.siren_priority { self.rules.siren_factor } else { 1.0 };
        for ((candidate, _), time_ms) in self.candidates.iter().zip(&mut self.times_ms) {
            if *time_ms != NO_WAY {
                let driven_ms = f64::from(*time_ms) + f64::from(candidate.lead_ms);
                *time_ms = ((driven_ms / factor).round() as u32).saturating_add(candidate.turnout_ms).min(NO_WAY - 1);
            }
        }
        let own = |station: u32| self.rules.own_station_first && station == request.own_station;
        let is_reached = |row: &usize| self.times_ms[*row] != NO_WAY;
        let by_time = |row: &usize| (!own(self.candidates[*row].1), self.times_ms[*row], *row);
        let row = (0..self.candidates.len()).filter(is_reached).min_by_key(by_time)?;
        let Candidate { unit, turnout_ms, .. } = self.candidates[row].0;
        Some(Chosen { unit, turnout_ms, travel_ms: self.times_ms[row] - turnout_ms })
    }

    fn send(&mut self, call: usize, chosen: &Chosen) {
        let kind = self.calls.request[call].kind as usize;
        let unit = chosen.unit as usize;
        let sending = self.sendings.call.len() as u32;
        self.sendings.call.push(call as u32);
        self.sendings.unit.push(chosen.unit);
        self.sendings.sent_ms.push(self.now_ms);
        self.sendings.turnout_ms.push(chosen.turnout_ms);
        self.sendings.travel_ms.push(chosen.travel_ms);
        self.sendings.free_ms.push(NEVER);
        if self.calls.state[call] == CallState::Waiting {
            self.calls.state[call] = CallState::UnderWay;
            self.books[kind].waiting -= 1;
            self.books[kind].under_way += 1;
        }
        self.calls.sent[call] += 1;
        self.units.turn[unit] += 1;
        self.units.sending[unit] = sending;
        self.units.to[unit] = self.calls.request[call].node;
        self.enter(unit, UnitState::ToScene, Ms::from(chosen.turnout_ms) + Ms::from(chosen.travel_ms));
    }

    /// Counts every call and unit anew and compares with the running counts.
    ///
    /// # Errors
    /// What does not add up, in words.
    pub fn check(&self) -> Result<(), String> {
        let mut counted = [Books::default(); ServiceKind::COUNT];
        let calls = self.calls.state.len();
        let (mut heading, mut there) = (vec![0; calls], vec![0; calls]);
        for unit in 0..self.units.state.len() {
            let (state, sending) = (self.units.state[unit], self.units.sending[unit]);
            let is_at_work = !matches!(state, UnitState::AtStation | UnitState::Returning);
            if is_at_work != (sending != NONE) {
                return Err(format!("unit {unit} is {state:?}, but works for {sending}"));
            }
            if sending != NONE {
                if self.sendings.unit[sending as usize] as usize != unit {
                    return Err(format!("unit {unit} works for the sending {sending} of another"));
                }
                let call = self.sendings.call[sending as usize] as usize;
                heading[call] += u32::from(state == UnitState::ToScene);
                there[call] += u32::from(state == UnitState::OnScene);
            }
        }
        for call in 0..calls {
            let (sent, arrived, left) = (self.calls.sent[call], self.calls.arrived[call], self.calls.left[call]);
            if heading[call] != sent - arrived || there[call] != arrived - left || sent > self.calls.needed[call] {
                return Err(format!(
                    "call {call} was sent {sent}, saw {arrived} come and {left} leave; {} head for it, {} are there",
                    heading[call], there[call]
                ));
            }
            let books = &mut counted[self.calls.request[call].kind as usize];
            let state = self.calls.state[call];
            let expected = match (arrived, sent, state) {
                (0, 0, CallState::Announced) => continue,
                (0, 0, _) => CallState::Waiting,
                (0, ..) => CallState::UnderWay,
                _ => CallState::Answered,
            };
            if state != expected {
                return Err(format!("call {call} is {state:?}, expected {expected:?}"));
            }
            books.received += 1;
            match state {
                CallState::UnderWay => books.under_way += 1,
                CallState::Answered => books.answered += 1,
                _ => books.waiting += 1,
            }
        }
        match counted == self.books && counted.iter().all(Books::balance) {
            true => Ok(()),
            false => Err(format!("counted {counted:?}, kept {:?}", self.books)),
        }
    }
}

/// The least time with its row, the lower of equal ones; `None` where nothing is reached.
#[must_use]
pub fn nearest(times_ms: &[u32]) -> Option<(usize, u32)> {
    let reached = times_ms.iter().copied().enumerate().filter(|&(_, time_ms)| time_ms != NO_WAY);
    reached.min_by_key(|&(row, time_ms)| (time_ms, row))
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
