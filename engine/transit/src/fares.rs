//! What journeys cost by the fares of their feeds: `fare_attributes.txt` and `fare_rules.txt` of GTFS.
//!
//! A fare covers one ride, or several as far as its transfers and their duration allow. Of all ways to buy fares for the
//! rides of a journey people take the one that leaves the fewest rides without a fare, and of those the cheapest. Sources:
//! the GTFS Schedule reference and the fare examples that it refers to:
//!
//! - A fare without rules holds for every ride of its feed, or of its agency where it names one.
//! - Rules of a fare are alternatives; a fare holds for rides if each has a rule that fits. `origin_id` is the zone where
//!   the first ride starts, `destination_id` that where the last ends, `route_id` the route of a ride.
//! - `contains_id` of the rows with the same fare, route and ends are one set, which must be that of all zones passed.
//! - The duration counts from the departure of the first ride to the arrival of the last. Nobody is put off a vehicle:
//!   it does not limit a single ride.
//! - Rides of other operators between those that a fare covers do not end it.
//!
//! Ignored: fares of version 2, when and where one pays (`payment_method`), reductions.
//! Contract: pure; of equally good purchases the same on every machine. Allocates nothing once its memory has grown.

use crate::journey::Ride;
use crate::timetable::Timetable;
use crate::{RouteIx, StopIx};

/// In a rule: whatever it is.
pub(crate) const ANY: u32 = u32::MAX;
/// A stop without a zone, or a route of a feed without fares.
const NONE: u32 = u32::MAX - 1;
/// A zone that no stop has.
pub(crate) const NOWHERE: u32 = u32::MAX - 2;

/// Rides that are looked at together; a fare does not go on from the eighth ride of a journey to the ninth.
const BLOCK: usize = 8;

/// The fares of a timetable's feeds.
#[derive(Clone, Debug, Default)]
pub struct Fares {
    /// Currency of all of them (ISO 4217), empty where there is none.
    pub currency: String,
    fares: Vec<Fare>,
    /// By origin, destination and route.
    rules: Vec<Rule>,
    /// Which of origin (1), destination (2) and route (4) some rule names together.
    named: [bool; 8],
    has_sets: bool,
    zones: u32,
    /// By stop.
    zone: Vec<u32>,
    /// By route: feed and agency.
    operator: Vec<(u32, u32)>,
}

/// A fare.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fare {
    /// Money.
    pub(crate) price: f64,
    /// Changes of vehicle at most.
    pub(crate) transfers: u32,
    /// From the first departure to the last arrival at most, seconds.
    pub(crate) duration_s: u32,
    /// Number of its feed.
    pub(crate) feed: u32,
    /// Number of its agency in the feed, or [`ANY`].
    pub(crate) agency: u32,
}

/// Where a fare holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    pub(crate) origin: u32,
    pub(crate) destination: u32,
    pub(crate) route: u32,
    pub(crate) fare: u32,
    /// Zones that are passed, rising; empty for any.
    pub(crate) zones: Vec<u32>,
}

impl Rule {
    fn key(&self) -> (u32, u32, u32) {
        (self.origin, self.destination, self.route)
    }
}

/// What rides cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// Money for the fares.
    pub money: f64,
    /// Rides that no fare covers.
    pub without: u32,
}

/// Working memory of [`Fares::price`].
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// By set of rides: the cheapest single fare, infinity without one.
    ticket: Vec<f64>,
    /// By set of rides: their price, and the rides of it that are paid together with the first; none of them for a
    /// first ride without a fare.
    best: Vec<(Price, usize)>,
    zones: Vec<u32>,
    /// By ride of the last price: what is paid when it is boarded; `None` where no fare covers it.
    pub of_ride: Vec<Option<f64>>,
}

impl Fares {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fares.is_empty()
    }

    /// Number of a new zone.
    pub(crate) fn new_zone(&mut self) -> u32 {
        self.zones += 1;
        self.zones - 1
    }

    /// Puts a stop into a zone.
    pub(crate) fn set_zone(&mut self, stop: StopIx, zone: u32) {
        put(&mut self.zone, stop.row(), zone, NONE);
    }

    /// Says who runs a route: a feed, and an agency in it.
    pub(crate) fn set_operator(&mut self, route: RouteIx, feed: u32, agency: Option<u32>) {
        put(&mut self.operator, route.row(), (feed, agency.unwrap_or(NONE)), (NONE, NONE));
    }

    /// Appends a fare; its row.
    pub(crate) fn push(&mut self, fare: Fare) -> u32 {
        self.fares.push(fare);
        self.fares.len() as u32 - 1
    }

    /// Appends rules.
    pub(crate) fn add_rules(&mut self, rules: impl IntoIterator<Item = Rule>) {
        self.rules.extend(rules);
        self.rules.sort_unstable();
        self.named = [false; 8];
        for Rule { origin, destination, route, zones, .. } in &self.rules {
            let named =
                usize::from(*origin != ANY) + 2 * usize::from(*destination != ANY) + 4 * usize::from(*route != ANY);
            self.named[named] = true;
            self.has_sets |= !zones.is_empty();
        }
    }

    /// Changes what each fare costs.
    pub fn change(&mut self, price: impl Fn(f64) -> f64) {
        self.fares.iter_mut().for_each(|fare| fare.price = price(fare.price).max(0.0));
    }

    /// What the rides of a journey cost, in order of time.
    #[must_use]
    pub fn price(&self, timetable: &Timetable, rides: &[Ride], memory: &mut Memory) -> Price {
        memory.of_ride.clear();
        let mut sum = Price::default();
        for block in rides.chunks(BLOCK) {
            let first = memory.of_ride.len();
            memory.of_ride.resize(first + block.len(), None);
            if !self.is_empty() {
                self.buy(timetable, block, first, memory);
            }
        }
        for of_ride in &memory.of_ride {
            match of_ride {
                Some(money) => sum.money += money,
                None => sum.without += 1,
            }
        }
        sum
    }

    /// Buys fares for up to [`BLOCK`] rides: the best purchase of each set of them, from that of smaller sets.
    fn buy(&self, timetable: &Timetable, rides: &[Ride], first: usize, memory: &mut Memory) {
        let sets = 1 << rides.len();
        memory.ticket.clear();
        memory.ticket.push(f64::INFINITY);
        for set in 1..sets {
            let price = self.cheapest(timetable, rides, set, &mut memory.zones);
            memory.ticket.push(price);
        }
        memory.best.clear();
        memory.best.push((Price::default(), 0));
        for set in 1..sets {
            let rest = set & (set - 1);
            let lowest = set ^ rest;
            let left = memory.best[rest].0;
            let mut best = (Price { without: left.without + 1, ..left }, 0);
            // Every set of the others, from all of them down to none.
            let mut others = rest;
            loop {
                let paid = others | lowest;
                let before = memory.best[set ^ paid].0;
                let price = Price { money: before.money + memory.ticket[paid], without: before.without };
                if price.money < f64::INFINITY && (price.without, price.money) < (best.0.without, best.0.money) {
                    best = (price, paid);
                }
                if others == 0 {
                    break;
                }
                others = (others - 1) & rest;
            }
            memory.best.push(best);
        }
        let mut set = sets - 1;
        while set != 0 {
            let (lowest, paid) = (set & set.wrapping_neg(), memory.best[set].1);
            for ride in (0..rides.len()).filter(|ride| paid & (1 << ride) != 0) {
                let is_bought = 1 << ride == lowest;
                memory.of_ride[first + ride] = Some(if is_bought { memory.ticket[paid] } else { 0.0 });
            }
            set ^= paid | lowest;
        }
    }

    /// The cheapest fare that covers a set of rides alone, infinity without one.
    fn cheapest(&self, timetable: &Timetable, rides: &[Ride], set: usize, zones: &mut Vec<u32>) -> f64 {
        let is_in = |nth: usize| set & (1 << nth) != 0;
        let (first, last) = (set.trailing_zeros() as usize, set.ilog2() as usize);
        let (start, end) = (rides[first], rides[last]);
        let from = timetable.trip_stops(start.trip)[start.board as usize];
        let to = timetable.trip_stops(end.trip)[end.alight as usize];
        let ends = (self.zone_of(from), self.zone_of(to));
        let leave_s = timetable.departure_at(start.trip, start.board as usize);
        let elapsed_s = timetable.arrival_at(end.trip, end.alight as usize).saturating_sub(leave_s);
        let changes = set.count_ones() - 1;
        if self.has_sets {
            self.pass(timetable, (first..=last).filter(|&nth| is_in(nth)).map(|nth| rides[nth]), zones);
        }
        let route = |nth: usize| timetable.trip_route(rides[nth].trip);
        let fits = |rule: &&Rule| rule.zones.is_empty() || rule.zones == *zones;
        let mut best = f64::INFINITY;
        for rule in self.rules_for(ends, route(first)).filter(fits) {
            let fare = &self.fares[rule.fare as usize];
            let is_covered = |nth: usize| {
                let mut of_ride = self.rules_for(ends, route(nth)).filter(fits);
                nth == first || of_ride.any(|other| other.fare == rule.fare)
            };
            if fare.price < best
                && changes <= fare.transfers
                && (changes == 0 || elapsed_s <= fare.duration_s)
                && (first..=last).all(|nth| is_in(nth) == self.is_of(fare, route(nth)))
                && (first..=last).all(|nth| !is_in(nth) || is_covered(nth))
            {
                best = fare.price;
            }
        }
        best
    }

    /// Rules that the ends and a route fit.
    fn rules_for(&self, (origin, destination): (u32, u32), route: RouteIx) -> impl Iterator<Item = &Rule> {
        (0..8).filter(|&named| self.named[named]).flat_map(move |named| {
            let of = |bit: usize, value: u32| if named & bit != 0 { value } else { ANY };
            let key = (of(1, origin), of(2, destination), of(4, route.0));
            let start = self.rules.partition_point(|rule| rule.key() < key);
            self.rules[start..].iter().take_while(move |rule| rule.key() == key)
        })
    }

    /// Whether a fare is of those who run a route.
    fn is_of(&self, fare: &Fare, route: RouteIx) -> bool {
        let (feed, agency) = self.operator.get(route.row()).copied().unwrap_or((NONE, NONE));
        fare.feed == feed && (fare.agency == ANY || fare.agency == agency)
    }

    fn zone_of(&self, stop: StopIx) -> u32 {
        self.zone.get(stop.row()).copied().unwrap_or(NONE)
    }

    /// Zones of the stops that rides pass, rising.
    fn pass(&self, timetable: &Timetable, rides: impl Iterator<Item = Ride>, zones: &mut Vec<u32>) {
        zones.clear();
        for Ride { trip, board, alight } in rides {
            let passed = &timetable.trip_stops(trip)[board as usize..=alight as usize];
            zones.extend(passed.iter().map(|&stop| self.zone_of(stop)).filter(|&zone| zone != NONE));
        }
        zones.sort_unstable();
        zones.dedup();
    }
}

/// Sets a row, which may lie beyond the end.
fn put<T: Clone>(column: &mut Vec<T>, row: usize, value: T, gap: T) {
    if column.len() <= row {
        column.resize(row + 1, gap);
    }
    column[row] = value;
}
