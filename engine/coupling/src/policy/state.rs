//! Prices, closures, and limits and lanes with hours, while a run goes on.
//!
//! | when | what |
//! | --- | --- |
//! | a window begins or ends | drivers weigh other prices; links close or open; limits and lanes change ([`switch_policies`]) |
//! | a trip departs | its driver is of a group: a class, living in the area or not, having paid today or not |
//! | its route is chosen | it pays the prices of the moment for that route ([`charge_drivers`]) |
//! | a car arrives | it pays for its stay until its driver means to leave by car |
//! | people plan | they know the mean price of each time of day, and closures of most of it |
//!
//! Ignored: payment by who turns off on the way (the charge is that of the route chosen at departure), prices of the
//! next hour, transaction costs; who turns off before a closed link goes the way of those who pay all of it, and when
//! people plan, the share of residents counts for all tolls. Of several prices of one policy the first that fits the class and hour counts.
//!
//! Limits and lanes that come and go change free time and capacity; the places to queue stay, as does the backward wave, so
//! `q (T + lag)` is what it was: capacity `q` follows the free time `T` as in [`super::roads`]. People plan without them,
//! unless they learn from days before.
//!
//! Events close and narrow roads likewise ([`RoadIncidents`]), at moments that nobody foresees; drivers hear of them at once.
//!
//! Contract: sequential and in order of departure, then trip; nothing depends on threads.

use super::payments::{Payment, Payments, parts};
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use std::collections::BTreeMap;
use std::sync::Arc;
use urbis_core::{CarLinkIx, Clock, PersonIx, Tick};
use urbis_population::plans::Mode;
use urbis_population::prices::{PlacePrices, Stay};
use urbis_population::skims::{PERIOD_STARTS_H, PERIODS};
use urbis_population::{Persons, Place, Plans};
use urbis_traffic::route::CLOSED;
use urbis_traffic::time::{TICK, Time, from_seconds};
use urbis_traffic::{CarNetwork, Router, RoutesTaken, Traffic, TripsEnded};

/// Ticks between looks for vehicles that head for a closed link and turn off.
const TURN_OFF_TICKS: Tick = 60;
/// What people who may not enter a zone by car take that for when they plan, milliseconds: ten hours.
const BAN_MS: f64 = 3.6e7;
/// Groups of drivers at most.
pub const GROUPS_MAX: usize = 64;

/// When a policy holds: first and last day of the run, from 0, and seconds of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// First and last day, from that on which the run starts.
    pub days: (i64, i64),
    /// Seconds of the day.
    pub window: (u32, u32),
}

impl When {
    fn holds(&self, (day, second): (i64, u32)) -> bool {
        (self.days.0..=self.days.1).contains(&day) && (self.window.0..self.window.1).contains(&second)
    }
}

/// Money for each unit of a link's weight, in a window, by class: car, van.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    /// When.
    pub when: When,
    /// Who: cars, vans.
    pub classes: [bool; 2],
    /// Money.
    pub money: f64,
}

/// A price on roads.
#[derive(Clone, Debug, PartialEq)]
pub struct RoadPrice {
    /// Row of the policies that take money.
    pub taker: u32,
    /// How often an amount is due on each car link: passages, or kilometres.
    pub weight: Vec<f32>,
    /// Amounts; the first that fits counts.
    pub amounts: Vec<Amount>,
    /// Whether a person pays on one trip of a day alone.
    pub once_per_day: bool,
    /// Share that people pay who live in the area.
    pub resident_share: f64,
    /// By place: whether it lies in the area.
    pub lives_in: Vec<bool>,
    /// Of a low-emission zone, by person: whether their car may enter free; empty where all pay.
    pub complies: Vec<bool>,
    /// Whether who would have to pay may not enter at all.
    pub is_ban: bool,
}

impl RoadPrice {
    fn amount(&self, class: usize, at: (i64, u32)) -> f64 {
        let fits = |amount: &&Amount| amount.classes[class] && amount.when.holds(at);
        self.amounts.iter().find(fits).map_or(0.0, |amount| amount.money)
    }
    /// Whether some pay nothing: who has paid today, and whose car complies.
    fn lets_some_in_free(&self) -> bool {
        self.once_per_day || !self.complies.is_empty()
    }
    fn is_exempt(&self, person: PersonIx) -> bool {
        self.complies.get(person.row()).copied().unwrap_or(false)
    }
    /// Whether cars that do not comply may not enter now.
    fn bans(&self, class: usize, at: (i64, u32)) -> bool {
        self.is_ban && self.amounts.iter().any(|amount| amount.classes[class] && amount.when.holds(at))
    }
    /// How many shares there are.
    fn share_count(&self) -> usize {
        1 + usize::from(self.resident_share < 1.0) + usize::from(self.lets_some_in_free())
    }
    fn is_home(&self, home: Place) -> bool {
        self.lives_in.get(home.row()).copied().unwrap_or(false)
    }
    /// Whether a person has paid on a day already, by the days on which each last paid.
    fn has_paid(&self, paid_on: &[i64], person: PersonIx, day: i64) -> bool {
        self.once_per_day && paid_on.get(person.row()).is_some_and(|&paid| paid == day + 1)
    }
    /// Shares of the price that drivers pay, the whole first.
    fn shares(&self) -> Vec<f64> {
        let mut shares = vec![1.0];
        if self.resident_share < 1.0 {
            shares.push(self.resident_share);
        }
        if self.lets_some_in_free() {
            shares.push(0.0);
        }
        shares
    }
}

/// Links that nobody may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When.
    pub when: When,
    /// Which.
    pub links: Vec<CarLinkIx>,
}

/// What becomes of roads for a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RoadChange {
    /// Another free speed, m/s; links that are slower stay so unless it raises them.
    Limit {
        /// The limit, m/s.
        speed_mps: f64,
        /// Whether slower links become as fast.
        raises: bool,
    },
    /// Less capacity: this share stays.
    Share(f64),
}

/// A change of roads that comes and goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Changing {
    /// When.
    pub when: When,
    /// Which, and how.
    pub links: Vec<(CarLinkIx, RoadChange)>,
}

/// Free time and capacity of a link after changes that hold at once, in order.
fn changed(network: &CarNetwork, link: CarLinkIx, changes: impl Iterator<Item = RoadChange>) -> (Time, f64) {
    let row = link.row();
    let lag = network.lag[row];
    let (mut time, mut capacity_vps) = (network.free_time[row], network.capacity_vps[row]);
    for change in changes {
        match change {
            RoadChange::Limit { speed_mps, raises } => {
                let limited = from_seconds(network.length_m[row] / speed_mps).max(TICK);
                if limited > time || raises {
                    capacity_vps *= f64::from(time + lag) / f64::from(limited + lag);
                    time = limited;
                }
            }
            RoadChange::Share(share) => capacity_vps *= share,
        }
    }
    (time, capacity_vps)
}

/// Roads as events have them at the moment; people do not know of them when they plan.
#[derive(Clone, Debug, Default)]
pub struct RoadIncidents {
    /// Whether an event of the run touches roads.
    pub is_used: bool,
    /// Reasons of links to be closed.
    closed: BTreeMap<CarLinkIx, u32>,
    /// Shares of capacity that stay, one for each reason; none for what is free again.
    shares: BTreeMap<CarLinkIx, Vec<f64>>,
    is_changed: bool,
}

impl RoadIncidents {
    /// One reason more, or one less, for a link to be closed.
    pub fn close(&mut self, link: CarLinkIx, is_closed: bool) {
        let reasons = self.closed.entry(link).or_insert(0);
        *reasons = if is_closed { *reasons + 1 } else { reasons.saturating_sub(1) };
        self.is_changed = true;
    }
    /// A share of the capacity that stays, or no longer limits it.
    pub fn narrow(&mut self, link: CarLinkIx, share: f64, is_narrow: bool) {
        let shares = self.shares.entry(link).or_default();
        if is_narrow {
            shares.push(share);
        } else if let Some(at) = shares.iter().position(|of| of.to_bits() == share.to_bits()) {
            shares.remove(at);
        }
        self.is_changed = true;
    }
}

/// A policy that takes money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taker {
    /// Name of the policy.
    pub policy: String,
    /// Who receives the money.
    pub payee: String,
}

/// What policies do in a run; nothing by default.
#[derive(Clone, Debug, Default, Resource)]
pub struct Policies {
    /// Prices on roads.
    pub roads: Vec<RoadPrice>,
    /// Closures.
    pub closures: Vec<Closing>,
    /// Limits and lanes that come and go.
    pub changes: Vec<Changing>,
    /// Prices at places, as people plan with them; those of parking belong to `parking_takers`, row by row.
    pub places: Option<Arc<PlacePrices>>,
    /// Who takes the money of each price of parking, and on which days.
    pub parking_takers: Vec<(u32, (i64, i64))>,
    /// Policies that take money.
    pub takers: Vec<Taker>,
    /// Milliseconds that drivers go about for a unit of money.
    pub ms_per_money: f64,
    /// Second of the day at tick 0.
    pub start_s: u32,
    /// What events do to roads.
    pub incidents: RoadIncidents,
    /// Money so far.
    pub payments: Payments,
    /// By road price: the day on which each person last paid, plus one.
    paid_on: Vec<Vec<i64>>,
    closed: Vec<bool>,
    /// Free time and capacity of the links that `changes` name, as they are now.
    roads_now: BTreeMap<CarLinkIx, (Time, f64)>,
    is_switched_on: bool,
}

impl Policies {
    /// Time that an empty link takes as policies of the moment have it.
    #[must_use]
    pub fn free_time(&self, link: CarLinkIx, network: &CarNetwork) -> Time {
        self.roads_now.get(&link).map_or(network.free_time[link.row()], |&(time, _)| time)
    }
    /// No policy yet, for drivers who go about so many milliseconds for a unit of money, and a period that starts at
    /// so many seconds of the day.
    #[must_use]
    pub fn new(ms_per_money: f64, start_s: u32) -> Self {
        Self { ms_per_money, start_s, ..Self::default() }
    }
    /// Whether drivers see anything of policies.
    #[must_use]
    pub fn touch_roads(&self) -> bool {
        !(self.roads.is_empty() && self.closures.is_empty() && self.changes.is_empty()) || self.incidents.is_used
    }
    /// Back to the start of the period: roads are new, nobody has paid.
    pub fn reset(&mut self) {
        self.payments = Payments::new(self.takers.len());
        self.paid_on = vec![Vec::new(); self.roads.len()];
        self.closed.clear();
        self.roads_now.clear();
        self.is_switched_on = false;
    }

    fn day_and_second(&self, tick: Tick) -> (i64, u32) {
        let second = u64::from(self.start_s) + u64::from(tick);
        ((second / 86_400) as i64, (second % 86_400) as u32)
    }

    /// Whether classes pay differently.
    fn tells_classes(&self) -> bool {
        self.roads.iter().flat_map(|price| &price.amounts).any(|amount| amount.classes[0] != amount.classes[1])
    }

    /// Number of groups of drivers.
    #[must_use]
    pub fn groups(&self) -> usize {
        let classes = if self.tells_classes() { 2 } else { 1 };
        self.roads.iter().map(RoadPrice::share_count).product::<usize>() * classes
    }

    /// The group of somebody who departs at a tick.
    #[must_use]
    pub fn group_of(&self, persons: &Persons, person: PersonIx, mode: Mode, tick: Tick) -> u8 {
        if self.roads.is_empty() {
            return 0;
        }
        let day = self.day_and_second(tick).0;
        let mut group = usize::from(mode == Mode::Van && self.tells_classes());
        for (nth, price) in self.roads.iter().enumerate() {
            let count = price.share_count();
            let paid_on = self.paid_on.get(nth).map_or(&[][..], Vec::as_slice);
            let share = if price.is_exempt(person) || price.has_paid(paid_on, person, day) {
                count - 1
            } else {
                usize::from(price.resident_share < 1.0 && price.is_home(persons.home[person.row()]))
            };
            group = group * count + share;
        }
        group as u8
    }

    /// Class and share of each road price of a group.
    fn of_group(&self, group: usize) -> (usize, Vec<f64>) {
        let mut rest = group;
        let mut shares = vec![1.0; self.roads.len()];
        for (share, price) in shares.iter_mut().zip(&self.roads).rev() {
            let all = price.shares();
            *share = all[rest % all.len()];
            rest /= all.len();
        }
        (rest, shares)
    }

    fn closed_at(&self, at: (i64, u32), links: usize) -> Vec<bool> {
        let mut closed = vec![false; links];
        for closing in self.closures.iter().filter(|closing| closing.when.holds(at)) {
            closing.links.iter().for_each(|link| closed[link.row()] = true);
        }
        for (link, _) in self.incidents.closed.iter().filter(|(_, reasons)| **reasons > 0) {
            closed[link.row()] = true;
        }
        closed
    }

    /// Free time and capacity of every link that a change names.
    fn roads_at(&self, at: (i64, u32), network: &CarNetwork) -> BTreeMap<CarLinkIx, (Time, f64)> {
        let mut of: BTreeMap<CarLinkIx, Vec<RoadChange>> = BTreeMap::new();
        for changing in &self.changes {
            for &(link, change) in &changing.links {
                of.entry(link).or_default().extend(changing.when.holds(at).then_some(change));
            }
        }
        for (&link, shares) in &self.incidents.shares {
            of.entry(link).or_default().extend(shares.iter().map(|&share| RoadChange::Share(share)));
        }
        of.into_iter().map(|(link, now)| (link, changed(network, link, now.into_iter()))).collect()
    }

    /// What drivers of a group add to the time of each link, milliseconds.
    fn extra_ms(&self, group: usize, at: (i64, u32), closed: &[bool]) -> Vec<u32> {
        let (class, shares) = self.of_group(group);
        let amounts: Vec<f64> =
            self.roads.iter().zip(&shares).map(|(price, share)| share * price.amount(class, at)).collect();
        let bans: Vec<&RoadPrice> = self
            .roads
            .iter()
            .zip(&shares)
            .filter(|(price, share)| **share > 0.0 && price.bans(class, at))
            .map(|of| of.0)
            .collect();
        let extra = |link: usize| {
            if closed[link] || bans.iter().any(|price| price.weight[link] > 0.0) {
                return CLOSED;
            }
            let toll: f64 =
                self.roads.iter().zip(&amounts).map(|(price, amount)| f64::from(price.weight[link]) * amount).sum();
            (toll * self.ms_per_money).round() as u32
        };
        (0..closed.len()).map(extra).collect()
    }

    /// Whether a tick begins or ends the window of anything.
    fn switches_at(&self, tick: Tick) -> bool {
        let (_, second) = self.day_and_second(tick);
        let amounts = self.roads.iter().flat_map(|price| &price.amounts).map(|amount| amount.when.window);
        let changes = self.changes.iter().map(|changing| changing.when.window);
        let mut windows = amounts.chain(self.closures.iter().map(|closing| closing.when.window)).chain(changes);
        !self.is_switched_on
            || self.incidents.is_changed
            || windows.any(|(from, to)| second == from || second == to % 86_400)
    }

    /// Tolls of each link as people plan with them at a time of day, money, and what drivers add for them,
    /// milliseconds: the mean over the time of day for a car that pays all of it; links closed for most of it are so.
    #[must_use]
    pub fn in_period(&self, period: usize, links: usize) -> (Vec<f32>, Vec<u32>) {
        let from = (PERIOD_STARTS_H[period] * 60.0) as u32;
        let to = if period + 1 < PERIODS { (PERIOD_STARTS_H[period + 1] * 60.0) as u32 } else { 1440 };
        let minutes = f64::from(to - from);
        // Who may not enter plans as if it cost hours.
        let ban = BAN_MS / self.ms_per_money.max(f64::MIN_POSITIVE);
        let planned = |price: &RoadPrice, at| if price.bans(0, at) { ban } else { price.amount(0, at) };
        let mean = |price: &RoadPrice| (from..to).map(|minute| planned(price, (0, minute * 60))).sum::<f64>() / minutes;
        let amounts: Vec<f64> = self.roads.iter().map(mean).collect();
        // Ways are those of most people, who enter low-emission zones free.
        let toll = |link: usize, of_zones: bool| {
            let prices = self.roads.iter().zip(&amounts).filter(|(price, _)| of_zones || price.complies.is_empty());
            prices.map(|(price, amount)| f64::from(price.weight[link]) * amount).sum::<f64>() as f32
        };
        let tolls: Vec<f32> = (0..links).map(|link| toll(link, true)).collect();
        let mut extra: Vec<u32> =
            (0..links).map(|link| (f64::from(toll(link, false)) * self.ms_per_money).round() as u32).collect();
        for closing in &self.closures {
            let closed = (from..to).filter(|minute| closing.when.holds((0, minute * 60))).count();
            if closed as f64 * 2.0 >= minutes {
                closing.links.iter().for_each(|link| extra[link.row()] = CLOSED);
            }
        }
        (tolls, extra)
    }
}

/// Lets drivers see the prices and closures of this moment, and turns off those who head for a link that has closed.
pub fn switch_policies(
    clock: Res<'_, Clock>,
    network: Res<'_, CarNetwork>,
    mut policies: ResMut<'_, Policies>,
    mut traffic: ResMut<'_, Traffic>,
    mut router: ResMut<'_, Router>,
) {
    if !policies.touch_roads() {
        return;
    }
    let tick = clock.tick();
    if policies.switches_at(tick) {
        let at = policies.day_and_second(tick);
        let closed = policies.closed_at(at, network.links());
        let groups = (0..policies.groups()).map(|group| policies.extra_ms(group, at, &closed)).collect();
        router.set_groups(groups);
        router.set_travel_times(traffic.travel_times_ms());
        let engine = traffic.engine_mut();
        let roads = policies.roads_at(at, &network);
        let mut times = Vec::new();
        for (&link, &(time, capacity_vps)) in &roads {
            let before = policies.roads_now.get(&link).copied();
            let (time_before, capacity_before) =
                before.unwrap_or((network.free_time[link.row()], network.capacity_vps[link.row()]));
            if time != time_before {
                times.push((link, time));
            }
            if capacity_vps.to_bits() != capacity_before.to_bits() {
                engine.set_exit_capacity(link, Some(capacity_vps));
                if !policies.closed.get(link.row()).copied().unwrap_or(false) {
                    engine.set_entry_capacity(link, Some(capacity_vps));
                }
            }
        }
        engine.set_free_times(&times);
        for (row, &is_closed) in closed.iter().enumerate() {
            if is_closed != policies.closed.get(row).copied().unwrap_or(false) {
                let link = CarLinkIx(row as u32);
                let capacity_vps = roads.get(&link).map_or(network.capacity_vps[row], |&(_, capacity)| capacity);
                engine.set_entry_capacity(link, (!is_closed).then_some(capacity_vps));
            }
        }
        policies.closed = closed;
        policies.roads_now = roads;
        policies.is_switched_on = true;
        policies.incidents.is_changed = false;
        super::closures::turn_off(&network, &router, traffic.engine_mut(), &policies.closed);
    } else if tick.is_multiple_of(TURN_OFF_TICKS) {
        // Who waited to get on the road when a link closed turns off once there.
        super::closures::turn_off(&network, &router, traffic.engine_mut(), &policies.closed);
    }
}

/// Takes the money of those who departed and of cars that arrived in this tick.
pub fn charge_drivers(
    clock: Res<'_, Clock>,
    plans: Res<'_, Plans>,
    persons: Res<'_, Persons>,
    taken: Res<'_, RoutesTaken>,
    ended: Res<'_, TripsEnded>,
    mut policies: ResMut<'_, Policies>,
) {
    if policies.takers.is_empty() {
        return;
    }
    let tick = clock.tick();
    let at = policies.day_and_second(tick);
    let Policies { roads, payments, paid_on, places, parking_takers, start_s, .. } = &mut *policies;
    for route in &taken.routes {
        let (trip, person) = (route.request.trip, plans.person[route.request.trip.row()]);
        let class = usize::from(plans.mode[trip.row()] == Mode::Van);
        for (price, paid_on) in roads.iter().zip(&mut *paid_on) {
            let row = person.row();
            let amount = price.amount(class, at);
            if amount <= 0.0 || price.has_paid(paid_on, person, at.0) {
                continue;
            }
            let mut units: f64 = route.links.iter().map(|link| f64::from(price.weight[link.row()])).sum();
            if price.once_per_day {
                units = units.min(1.0);
            }
            if price.is_exempt(person) {
                continue;
            }
            let share = if price.is_home(persons.home[row]) { price.resident_share } else { 1.0 };
            let due = parts(units * share * amount);
            payments.pay(Payment { tick, trip, person, policy: price.taker, parts: due });
            if price.once_per_day && due > 0 {
                if paid_on.len() <= row {
                    paid_on.resize(row + 1, 0);
                }
                paid_on[row] = at.0 + 1;
            }
        }
    }
    let Some(places) = places.as_ref().filter(|places| !places.parking.is_empty()) else { return };
    for trip in ended.trips.iter().map(|ended| ended.trip).filter(|trip| plans.mode[trip.row()] == Mode::Car) {
        let person = plans.person[trip.row()];
        let stay = stay_after(&plans, persons.home[person.row()], trip.0, tick, *start_s);
        for (price, &(policy, days)) in places.parking.iter().zip(parking_takers.iter()) {
            if (days.0..=days.1).contains(&at.0) {
                payments.pay(Payment { tick, trip, person, policy, parts: parts(price.money(stay)) });
            }
        }
    }
}

/// How long a car stands after a trip: until its driver means to leave by car, or to the end of the day.
fn stay_after(plans: &Plans, home: Place, trip: u32, tick: Tick, start_s: u32) -> Stay {
    let from_s = f64::from(start_s) + f64::from(tick);
    let rest = trip + 1..plans.trips_of(plans.person[trip as usize]).end;
    let takes_it = |next: &usize| matches!(plans.mode[*next], Mode::Car | Mode::ParkAndRide);
    let next = rest.map(|next| next as usize).find(takes_it);
    let end_of_day_s = ((from_s / 86_400.0).floor() + 1.0) * 86_400.0;
    let to_s = next.map_or(end_of_day_s, |next| f64::from(start_s) + f64::from(plans.planned[next]));
    let least_s = f64::from(next.map_or(0, |next| plans.stay_min[next]));
    Stay { home, at: plans.to[trip as usize], from_s, to_s: to_s.max(from_s + least_s) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(once_per_day: bool, resident_share: f64) -> RoadPrice {
        let when = When { days: (0, i64::MAX), window: (7 * 3600, 19 * 3600) };
        let amount = |classes, money| Amount { when, classes, money };
        RoadPrice {
            taker: 0,
            weight: vec![0.0, 1.0],
            amounts: vec![amount([true, false], 2.0), amount([true, true], 5.0)],
            once_per_day,
            resident_share,
            lives_in: vec![true],
            complies: Vec::new(),
            is_ban: false,
        }
    }

    #[test]
    fn groups_pay_their_own_prices() {
        let policies =
            Policies { roads: vec![price(true, 0.5), price(false, 0.0)], ms_per_money: 1000.0, ..Policies::default() };
        // Two classes, three shares of the first price, two of the second.
        assert_eq!(policies.groups(), 12);
        assert_eq!(policies.of_group(0), (0, vec![1.0, 1.0]));
        assert_eq!(policies.of_group(11), (1, vec![0.0, 0.0]));
        let extra = |group, hour: u32| policies.extra_ms(group, (0, hour * 3600), &[false, false])[1];
        assert_eq!([extra(0, 8), extra(0, 6), extra(6, 8), extra(11, 8), extra(3, 8)], [4000, 0, 10_000, 0, 1000]);
        assert_eq!(policies.extra_ms(0, (0, 0), &[true, false])[0], CLOSED);
    }

    #[test]
    fn limits_keep_jam_and_wave_and_lanes_add_up() {
        let mut columns =
            urbis_traffic::NetworkColumns { x_m: vec![0.0, 1.0], y_m: vec![0.0, 0.0], ..Default::default() };
        let street = urbis_traffic::synthetic::LinkKind::STREET;
        urbis_traffic::synthetic::add_link(&mut columns, 0, 1, street);
        let network = CarNetwork::from_columns(columns).unwrap();
        let now = |changes: &[RoadChange]| changed(&network, CarLinkIx(0), changes.iter().copied());
        let limit = |speed_mps, raises| RoadChange::Limit { speed_mps, raises };
        let (time, capacity) = now(&[limit(5.0, false)]);
        assert_eq!(time, from_seconds(100.0));
        let jam = |time: Time, capacity: f64| capacity * f64::from(time + network.lag[0]);
        assert!((jam(time, capacity) / jam(network.free_time[0], network.capacity_vps[0]) - 1.0).abs() < 1e-12);
        assert_eq!(now(&[limit(30.0, false)]), now(&[]));
        assert_eq!(now(&[limit(10.0, false), limit(5.0, false)]).0, time);
        assert_eq!(now(&[limit(5.0, false), limit(10.0, false)]).0, time);
        assert_eq!(now(&[limit(5.0, false), limit(30.0, true)]).0, from_seconds(500.0 / 30.0));
        assert_eq!(now(&[RoadChange::Share(0.5), limit(5.0, false)]), (time, 0.5 * capacity));
    }

    #[test]
    fn cars_that_comply_enter_free() {
        let zone = |is_ban| RoadPrice { complies: vec![true, false], is_ban, ..price(true, 1.0) };
        let policies = |is_ban| Policies { roads: vec![zone(is_ban)], ms_per_money: 1000.0, ..Policies::default() };
        let (charge, ban) = (policies(false), policies(true));
        // Two classes; all of it, or nothing.
        assert_eq!(charge.groups(), 4);
        let extra = |of: &Policies, group, hour: u32| of.extra_ms(group, (0, hour * 3600), &[false, false])[1];
        assert_eq!([0, 1, 2, 3].map(|group| extra(&charge, group, 8)), [2000, 0, 5000, 0]);
        assert_eq!([0, 1, 2, 3].map(|group| extra(&ban, group, 8)), [CLOSED, 0, CLOSED, 0]);
        assert_eq!([0, 1].map(|group| extra(&ban, group, 20)), [0, 0]);
        // People plan with the money and go the ways of those who pay none.
        let (tolls, ways) = charge.in_period(2, 2);
        assert!((tolls[1] - 2.0).abs() < 1e-6 && ways == [0, 0]);
        assert!((ban.in_period(2, 2).0[1] - 36_000.0).abs() < 1e-2);
    }

    #[test]
    fn people_plan_with_means() {
        let policies = Policies { roads: vec![price(false, 1.0)], ms_per_money: 1000.0, ..Policies::default() };
        let tolls: Vec<f32> = (0..PERIODS).map(|period| policies.in_period(period, 2).0[1]).collect();
        // 7:00 to 9:30 of 6:30 to 9:30 is priced.
        assert!((tolls[1] - 2.0 * 2.5 / 3.0).abs() < 1e-5, "{tolls:?}");
        assert!(tolls[0].abs() < 1e-6 && (tolls[2] - 2.0).abs() < 1e-6 && (tolls[3] - 2.0).abs() < 1e-6);
    }
}
