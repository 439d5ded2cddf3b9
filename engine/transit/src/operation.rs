//! The days in operation: vehicles run their trips by timetable and delay, passengers wait, board, ride and alight.
//!
//! A kernel for a step loop: [`Operation::advance`] processes what happens before a moment, in the order of (time, kind,
//! row); between calls the caller hands in passengers and delays. Kinds at the same second: vehicles arrive, people
//! reach stops, vehicles leave. Who alights somewhere at the second at which the vehicle left the stop before may see
//! another one leave that second. Work is per vehicle and stop, not per step.
//!
//! **Delays.** A trip's events are its times plus its delay; the delay holds for all stops still ahead until it is set
//! again. Vehicles never leave before time, and never before they arrived. Overtaking is allowed.
//!
//! **Boarding.** At each stop people alight, then those who wait board in the order in which they came, while there are
//! places. Who has planned a trip waits for any trip of its pattern until the planned one has left; after that, and
//! from the start when none was planned, any trip of any pattern that goes from the board to the alight stop will do.
//! So whoever is left behind stays in the queue, before all who come later. Whose last vehicle of the day has gone is
//! stranded ([`Operation::stranded`]) and still counts as waiting.
//!
//! Ignored: how long boarding takes, doors, seats, vehicles that wait for one another, vehicles as a resource (a trip's
//! delay does not pass on to the vehicle's next trip), replanning on the way.
//! Contract: one thread; the same calls give the same bits.

use crate::timetable::{ALIGHT, BOARD, Timetable};
use crate::{PatternIx, StopIx, TransitTripIx};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;
use urbis_core::Error;

/// A ride as it was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedRide {
    /// The trip, if one was chosen.
    pub trip: Option<TransitTripIx>,
    /// Where to board.
    pub board: StopIx,
    /// Where to alight.
    pub alight: StopIx,
    /// Seconds from alighting before, or changing at the stop, until ready to board; not used for the first ride.
    pub walk_s: u32,
}

/// A ride that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRide {
    /// No rides at all.
    #[error("an itinerary without rides")]
    Empty,
    /// A stop or trip that is not in the timetable.
    #[error("ride {0} names a stop or trip that is not in the timetable")]
    Unknown(usize),
    /// A planned trip that does not go from the board to the alight stop.
    #[error("the trip of ride {0} does not go from its board to its alight stop")]
    NotServed(usize),
}

/// What one trip did at one stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadRow {
    /// Trip.
    pub trip: TransitTripIx,
    /// Place among its stops, from 0.
    pub place: u32,
    /// Stop.
    pub stop: StopIx,
    /// When it left, at its last stop when it arrived; seconds since midnight.
    pub time_s: u32,
    /// How many got on.
    pub boarded: u32,
    /// How many got off.
    pub alighted: u32,
    /// How many are on board when it leaves.
    pub on_board: u32,
    /// How many wanted this trip and found no place.
    pub left_behind: u32,
    /// Places.
    pub capacity: u32,
    /// How late it is, seconds.
    pub delay_s: u32,
}

/// Where all passengers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Handed in since the start.
    pub handed_in: u64,
    /// On the way to a stop.
    pub walking: u64,
    /// At stops.
    pub waiting: u64,
    /// In vehicles.
    pub aboard: u64,
    /// At the end of their last ride.
    pub done: u64,
}

impl Ledger {
    /// Whether nobody is lost or double.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.handed_in == self.walking + self.waiting + self.aboard + self.done
    }
}

/// Events at one second, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Arrive,
    Reach,
    Leave,
}

/// (time, kind, trip or passenger, place).
type Event = (u32, Kind, u32, u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Walking,
    Waiting,
    Aboard,
    Done,
}

#[derive(Clone, Debug)]
struct Passenger {
    id: u64,
    /// Rides still to make, the present one first.
    rides: std::ops::Range<usize>,
    state: State,
    /// Rank among all who ever waited.
    rank: u64,
    /// Whether any pattern will do.
    any: bool,
    /// Next to alight at the same place of the same trip.
    next: u32,
}

/// No passenger.
const NOBODY: u32 = u32::MAX;

/// The day in operation.
#[derive(Clone, Debug)]
pub struct Operation {
    timetable: Arc<Timetable>,
    now_s: u32,
    events: BinaryHeap<Reverse<Event>>,
    // By trip.
    delay_s: Vec<u32>,
    /// Events done: two a stop, arrival and departure.
    progress: Vec<u32>,
    /// Time of the trip's last event.
    last_s: Vec<u32>,
    on_board: Vec<u32>,
    alighted: Vec<u32>,
    /// By stop time of all trips: first and last of those who alight there.
    alight_first: Vec<u32>,
    alight_last: Vec<u32>,
    // By place of all patterns.
    /// (rank, passenger) of those who would board there.
    queues: Vec<BTreeSet<(u64, u32)>>,
    /// (planned trip, passenger) of those who wait for that trip, at the last place where they can board it.
    planned: Vec<BTreeSet<(u32, u32)>>,
    /// How many trips have left there.
    left: Vec<u32>,
    // Passengers.
    passengers: Vec<Passenger>,
    rides: Vec<PlannedRide>,
    ranks: u64,
    ledger: Ledger,
    arrived: Vec<(u64, u32)>,
    loads: Vec<LoadRow>,
    left_behind: u64,
}

impl Operation {
    /// The start of the day: no passengers, no delays.
    #[must_use]
    pub fn new(timetable: Arc<Timetable>) -> Self {
        let (trips, places) = (timetable.trips_len(), timetable.patterns.places_len());
        let calls = timetable.calls_len();
        let mut operation = Self {
            timetable,
            now_s: 0,
            events: BinaryHeap::with_capacity(trips),
            delay_s: vec![0; trips],
            progress: vec![0; trips],
            last_s: vec![0; trips],
            on_board: vec![0; trips],
            alighted: vec![0; trips],
            alight_first: vec![NOBODY; calls],
            alight_last: vec![NOBODY; calls],
            queues: vec![BTreeSet::new(); places],
            planned: vec![BTreeSet::new(); places],
            left: vec![0; places],
            passengers: Vec::new(),
            rides: Vec::new(),
            ranks: 0,
            ledger: Ledger::default(),
            arrived: Vec::new(),
            loads: Vec::new(),
            left_behind: 0,
        };
        (0..trips as u32).for_each(|trip| operation.schedule(trip));
        operation
    }

    /// Everything before this second has happened.
    #[must_use]
    pub fn now_s(&self) -> u32 {
        self.now_s
    }

    /// Whether nothing is left to happen unless somebody is handed in.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.events.is_empty()
    }

    /// Takes a passenger who is at the first stop at a second; seconds that are past count as now.
    ///
    /// # Errors
    /// When the rides cannot be made by this timetable; then nothing is changed. A ride without a trip may be between
    /// stops that no pattern joins: such passengers are stranded.
    pub fn hand_in(&mut self, id: u64, time_s: u32, rides: &[PlannedRide]) -> Result<(), BadRide> {
        if rides.is_empty() {
            return Err(BadRide::Empty);
        }
        for (number, ride) in rides.iter().enumerate() {
            let stops = self.timetable.stops_len();
            let trips = self.timetable.trips_len();
            if ride.board.row() >= stops
                || ride.alight.row() >= stops
                || ride.trip.is_some_and(|trip| trip.row() >= trips)
            {
                return Err(BadRide::Unknown(number));
            }
            if let Some(trip) = ride.trip
                && self.last_place(self.timetable.trips.pattern[trip.row()], ride).is_none()
            {
                return Err(BadRide::NotServed(number));
            }
        }
        let first = self.rides.len();
        self.rides.extend_from_slice(rides);
        let row = self.passengers.len() as u32;
        self.passengers.push(Passenger {
            id,
            rides: first..self.rides.len(),
            state: State::Walking,
            rank: 0,
            any: false,
            next: NOBODY,
        });
        self.ledger.handed_in += 1;
        self.ledger.walking += 1;
        self.events.push(Reverse((time_s.max(self.now_s), Kind::Reach, row, 0)));
        Ok(())
    }

    /// Sets how late a trip is at all stops still ahead of it. Trips that are not there are ignored.
    pub fn set_delay(&mut self, trip: TransitTripIx, delay_s: u32) {
        let Some(delay) = self.delay_s.get_mut(trip.row()) else { return };
        if *delay != delay_s {
            *delay = delay_s;
            // What is past cannot be changed: a trip that is set less late makes up no more than until now.
            let last_s = &mut self.last_s[trip.row()];
            *last_s = self.now_s.max(*last_s);
            // The event that stands in the queue is no longer the trip's, and is passed over.
            self.schedule(trip.0);
        }
    }

    /// Lets everything happen that happens before a second.
    pub fn advance(&mut self, until_s: u32) {
        while let Some(&Reverse((time_s, kind, row, place))) = self.events.peek() {
            if time_s >= until_s {
                break;
            }
            self.events.pop();
            if kind == Kind::Reach {
                self.reach(row);
            } else if self.due(row) == Some((time_s, kind, row, place)) {
                self.last_s[row as usize] = time_s;
                self.progress[row as usize] += 1;
                if kind == Kind::Arrive {
                    self.arrive(row, place, time_s);
                } else {
                    self.leave(row, place, time_s);
                }
                self.schedule(row);
            }
        }
        self.now_s = self.now_s.max(until_s);
    }

    /// Takes those who have ended their last ride since the last call: (id, second).
    pub fn take_arrived(&mut self) -> Vec<(u64, u32)> {
        std::mem::take(&mut self.arrived)
    }

    /// Takes the rows of table `transit_load` since the last call, in order of time.
    pub fn take_loads(&mut self) -> Vec<LoadRow> {
        std::mem::take(&mut self.loads)
    }

    /// How often somebody found no place, since the start.
    #[must_use]
    pub fn left_behind(&self) -> u64 {
        self.left_behind
    }

    /// Where everybody is, as counted on the way.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// Counts everybody, person by person and vehicle by vehicle, and compares with the ledger.
    ///
    /// # Errors
    /// [`Error::BrokenLedger`] when somebody is lost or double: a fault of this program.
    pub fn check(&self) -> urbis_core::Result<()> {
        let count = |state: State| self.passengers.iter().filter(|of| of.state == state).count() as u64;
        let counted = Ledger {
            handed_in: self.passengers.len() as u64,
            walking: count(State::Walking),
            waiting: count(State::Waiting),
            aboard: self.on_board.iter().map(|&of| u64::from(of)).sum(),
            done: count(State::Done),
        };
        if counted.closes() && counted == self.ledger {
            return Ok(());
        }
        let law = "passengers handed in = walking + waiting + aboard + done".to_owned();
        let rows = format!("ledger {:?}\ncounted {counted:?}", self.ledger);
        Err(Error::BrokenLedger { tick: self.now_s, law, rows })
    }

    /// Ids of those who wait for a vehicle that will not come today, by row of handing in.
    #[must_use]
    pub fn stranded(&self) -> Vec<u64> {
        let mut stranded = Vec::new();
        for passenger in self.passengers.iter().filter(|of| of.state == State::Waiting) {
            let ride = &self.rides[passenger.rides.start];
            let mut comes = false;
            self.each_place(ride, None, |pattern, place| {
                comes |= self.left[place] < self.timetable.patterns.trips(pattern).len() as u32;
            });
            if !comes {
                stranded.push(passenger.id);
            }
        }
        stranded
    }

    /// The next event of a trip.
    fn due(&self, trip: u32) -> Option<Event> {
        let row = trip as usize;
        let trip_ix = TransitTripIx(trip);
        let place = self.progress[row] / 2;
        let leaves = self.progress[row] % 2 == 1;
        // Nobody leaves the last stop.
        if place as usize + usize::from(leaves) >= self.timetable.trip_stops(trip_ix).len() {
            return None;
        }
        let by_timetable = if leaves {
            self.timetable.departure_at(trip_ix, place as usize)
        } else {
            self.timetable.arrival_at(trip_ix, place as usize)
        };
        let time_s = by_timetable.saturating_add(self.delay_s[row]).max(self.last_s[row]);
        Some((time_s, if leaves { Kind::Leave } else { Kind::Arrive }, trip, place))
    }

    fn schedule(&mut self, trip: u32) {
        if let Some(event) = self.due(trip) {
            self.events.push(Reverse(event));
        }
    }

    fn arrive(&mut self, trip: u32, place: u32, time_s: u32) {
        let calls = self.timetable.calls(TransitTripIx(trip));
        let at = calls.start + place as usize;
        let mut next = std::mem::replace(&mut self.alight_first[at], NOBODY);
        self.alight_last[at] = NOBODY;
        let mut alighted = 0;
        while next != NOBODY {
            let row = next;
            let passenger = &mut self.passengers[row as usize];
            next = std::mem::replace(&mut passenger.next, NOBODY);
            alighted += 1;
            passenger.rides.start += 1;
            if passenger.rides.is_empty() {
                passenger.state = State::Done;
                self.ledger.done += 1;
                self.arrived.push((passenger.id, time_s));
            } else {
                passenger.state = State::Walking;
                self.ledger.walking += 1;
                let ready_s = time_s.saturating_add(self.rides[passenger.rides.start].walk_s);
                self.events.push(Reverse((ready_s, Kind::Reach, row, 0)));
            }
        }
        self.on_board[trip as usize] -= alighted;
        self.ledger.aboard -= u64::from(alighted);
        self.alighted[trip as usize] = alighted;
        if place as usize + 1 == calls.len() {
            self.record(trip, place, time_s, 0, 0);
        }
    }

    fn reach(&mut self, row: u32) {
        let ride = self.rides[self.passengers[row as usize].rides.start];
        let rank = self.ranks;
        self.ranks += 1;
        self.ledger.walking -= 1;
        self.ledger.waiting += 1;
        let passenger = &mut self.passengers[row as usize];
        (passenger.state, passenger.rank, passenger.any) = (State::Waiting, rank, true);
        if let Some(trip) = ride.trip {
            let pattern = self.timetable.trips.pattern[trip.row()];
            if let Some(last) = self.last_place(pattern, &ride)
                && self.progress[trip.row()] < 2 * last + 2
            {
                self.passengers[row as usize].any = false;
                let place = self.timetable.patterns.places(pattern).start + last as usize;
                self.planned[place].insert((trip.0, row));
            }
        }
        self.queue(row, true);
    }

    /// Puts somebody who waits into the queues of all places where they would board, or takes them out.
    fn queue(&mut self, row: u32, into: bool) {
        let passenger = &self.passengers[row as usize];
        let (rank, ride) = (passenger.rank, self.rides[passenger.rides.start]);
        let own = ride.trip.filter(|_| !passenger.any).map(|trip| self.timetable.trips.pattern[trip.row()]);
        let mut queues = std::mem::take(&mut self.queues);
        self.each_place(&ride, own, |_, place| {
            if into {
                queues[place].insert((rank, row));
            } else {
                queues[place].remove(&(rank, row));
            }
        });
        self.queues = queues;
    }

    fn leave(&mut self, trip: u32, place: u32, time_s: u32) {
        let pattern = self.timetable.trips.pattern[trip as usize];
        let at = self.timetable.patterns.places(pattern).start + place as usize;
        let capacity = self.timetable.trips.capacity[trip as usize];
        let mut boarded = 0;
        while self.on_board[trip as usize] < capacity {
            let Some(&(_, row)) = self.queues[at].first() else { break };
            self.board(row, trip, place);
            boarded += 1;
        }
        self.left[at] += 1;
        let left_behind = self.queues[at].len() as u32;
        self.left_behind += u64::from(left_behind);
        // Whose planned trip has left takes what comes.
        let gone = (trip, 0)..=(trip, u32::MAX);
        let missed: Vec<u32> = self.planned[at].range(gone).map(|&(_, row)| row).collect();
        for row in missed {
            self.planned[at].remove(&(trip, row));
            self.passengers[row as usize].any = true;
            self.queue(row, true);
        }
        self.record(trip, place, time_s, boarded, left_behind);
    }

    fn board(&mut self, row: u32, trip: u32, place: u32) {
        self.queue(row, false);
        let ride = self.rides[self.passengers[row as usize].rides.start];
        if let Some(planned) = ride.trip.filter(|_| !self.passengers[row as usize].any) {
            let pattern = self.timetable.trips.pattern[planned.row()];
            if let Some(last) = self.last_place(pattern, &ride) {
                let at = self.timetable.patterns.places(pattern).start + last as usize;
                self.planned[at].remove(&(planned.0, row));
            }
        }
        let pattern = self.timetable.trips.pattern[trip as usize];
        let (stops, flags) = (self.timetable.patterns.stops(pattern), self.timetable.patterns.flags(pattern));
        let after = place as usize + 1;
        let ahead = (after..stops.len()).find(|&at| stops[at] == ride.alight && flags[at] & ALIGHT != 0);
        // Queues hold only those whose alight stop lies ahead.
        let Some(alight) = ahead else { return };
        let at = self.timetable.calls(TransitTripIx(trip)).start + alight;
        let last = std::mem::replace(&mut self.alight_last[at], row);
        if last == NOBODY {
            self.alight_first[at] = row;
        } else {
            self.passengers[last as usize].next = row;
        }
        self.passengers[row as usize].state = State::Aboard;
        self.on_board[trip as usize] += 1;
        self.ledger.waiting -= 1;
        self.ledger.aboard += 1;
    }

    fn record(&mut self, trip: u32, place: u32, time_s: u32, boarded: u32, left_behind: u32) {
        let (row, trip_ix, nth) = (trip as usize, TransitTripIx(trip), place as usize);
        let last = nth + 1 == self.timetable.trip_stops(trip_ix).len();
        let by_timetable =
            if last { self.timetable.arrival_at(trip_ix, nth) } else { self.timetable.departure_at(trip_ix, nth) };
        self.loads.push(LoadRow {
            trip: trip_ix,
            place,
            stop: self.timetable.trip_stops(trip_ix)[nth],
            time_s,
            boarded,
            alighted: std::mem::take(&mut self.alighted[row]),
            on_board: self.on_board[row],
            left_behind,
            capacity: self.timetable.trips.capacity[row],
            delay_s: time_s.saturating_sub(by_timetable),
        });
    }

    /// Shows all places of patterns (or of one pattern) where one can board for a ride.
    fn each_place(&self, ride: &PlannedRide, own: Option<PatternIx>, mut show: impl FnMut(PatternIx, usize)) {
        let patterns = &self.timetable.patterns;
        for &(pattern, place) in self.timetable.at_stop(ride.board) {
            if own.is_none_or(|own| own == pattern) && self.serves(pattern, place, ride.alight) {
                show(pattern, patterns.places(pattern).start + place as usize);
            }
        }
    }

    /// Whether one can board a pattern at a place and alight at a stop.
    fn serves(&self, pattern: PatternIx, place: u32, alight: StopIx) -> bool {
        let (stops, flags) = (self.timetable.patterns.stops(pattern), self.timetable.patterns.flags(pattern));
        let after = place as usize + 1;
        let ahead =
            || stops[after..].iter().zip(&flags[after..]).any(|(stop, flag)| *stop == alight && flag & ALIGHT != 0);
        flags[place as usize] & BOARD != 0 && ahead()
    }

    /// The last place where one can board a pattern for a ride.
    fn last_place(&self, pattern: PatternIx, ride: &PlannedRide) -> Option<u32> {
        let stops = self.timetable.patterns.stops(pattern);
        let places = (0..stops.len() as u32).rev();
        places
            .into_iter()
            .find(|&place| stops[place as usize] == ride.board && self.serves(pattern, place, ride.alight))
    }
}
