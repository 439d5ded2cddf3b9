//! Chargers and the cars at them.
//!
//! A session says when a car comes and goes, what it wants and what it can take. Sessions to come wait in order of
//! arrival; a step touches only those that are plugged in. A car that finds no free point is turned away. At departure
//! what it did not get is counted.
//!
//! Laws: `drawn = fed back + delivered + losses`, and `wanted by those that left = delivered to them + unserved`. By price a car is
//! charged in the cheapest hours before it leaves, which is the least cost at constant power as far as prices are known
//! (see [`Prices::cheaper_s`]). A car that feeds back does so in the dearest of the hours in which it can win back what it
//! gives, losses both ways included, in later hours that are left before it leaves. At public points cars queue (`public`).
//! Ignored: tapering, wear of batteries.
//!
//! Contract: results depend on the sessions and, among equal ones, on the order in which they were put in; not on threads.

use super::public::{PublicSite, Queueing};
use super::settings::{ChargerControl, ChargerSettings};
use super::tariff::Prices;
use rayon::prelude::*;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use urbis_core::BuildingIx;
use urbis_core::chunks::CHUNK_ROWS;
use urbis_core::units::JOULES_PER_KWH;

/// A car's stay at a charger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Session {
    /// When it comes, Unix seconds.
    pub arrival_s: i64,
    /// When it leaves, Unix seconds; later.
    pub departure_s: i64,
    /// Energy that it wants in its battery, joules.
    pub wanted_j: f64,
    /// Power that it can take from the point, watts.
    pub power_max_w: f64,
}

/// A stay and what came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stay {
    /// As it was put in; one announced late comes at the beginning of the step that lets it in.
    pub session: Session,
    /// Where.
    pub building: BuildingIx,
    /// Number that `plug_in` gave.
    pub id: u32,
    /// Energy not yet delivered, joules.
    pub left_j: f64,
    /// When it got a public point, Unix seconds; `None` elsewhere and while it waits for one.
    pub point_since_s: Option<f64>,
    /// Whether it is at public points, where cars queue.
    queues: bool,
    /// Whether it is full and leaves a public point.
    pub(super) is_done: bool,
    /// Whether it was turned away.
    is_refused: bool,
    /// Whether it came in this step.
    is_new: bool,
    /// Delivered in this step, joules; negative: given.
    pub(super) step_j: f64,
}

impl Stay {
    fn has_ended(&self, to_s: i64) -> bool {
        self.is_refused || self.is_done || self.session.departure_s <= to_s
    }
    fn key(&self) -> (i64, u32, u32) {
        (self.session.arrival_s, self.building.0, self.id)
    }
}

/// A stay to come, the earliest first.
#[derive(Clone, Debug, PartialEq)]
struct Coming(Stay);

impl Eq for Coming {}
impl PartialOrd for Coming {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Coming {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.key().cmp(&other.0.key())
    }
}

/// Energy of all chargers since the start, joules.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChargerEnergy {
    /// Drawn.
    pub drawn_j: f64,
    /// Fed back by cars, at the meter.
    pub fed_back_j: f64,
    /// Stored in cars, less what they gave.
    pub delivered_j: f64,
    /// Lost between.
    pub losses_j: f64,
    /// Wanted by cars that have left or were turned away.
    pub wanted_j: f64,
    /// Of it not delivered.
    pub unserved_j: f64,
}

/// The chargers of a city.
#[derive(Clone, Debug, Default)]
pub struct Chargers {
    /// Points by building.
    pub points: Vec<u32>,
    /// Power drawn in this step by building, watts; negative: fed back.
    pub charging_w: Vec<f64>,
    /// Energy since the start.
    pub energy: ChargerEnergy,
    /// Cars turned away since the start.
    pub turned_away: u64,
    /// When cars are charged, by building; empty: everywhere as the settings say.
    pub controls: Vec<ChargerControl>,
    /// Cars at public points.
    pub queueing: Queueing,
    /// Sites of public points, in order of building.
    public: Vec<PublicSite>,
    coming: BinaryHeap<Reverse<Coming>>,
    /// Plugged in, in order of building, arrival and number.
    active: Vec<Stay>,
    ended: Vec<Stay>,
    next_id: u32,
}

impl Chargers {
    /// Chargers by points of each building.
    #[must_use]
    pub fn new(points: Vec<u32>) -> Self {
        Self { charging_w: vec![0.0; points.len()], points, ..Self::default() }
    }
    /// Makes the points of a building public ones.
    pub fn make_public(&mut self, site: PublicSite) {
        self.points[site.building.row()] = site.points;
        let at = self.public.partition_point(|of| of.building.0 < site.building.0);
        self.public.insert(at, site);
    }
    /// Whether the points of a building are public.
    #[must_use]
    pub fn is_public(&self, building: BuildingIx) -> bool {
        self.public.binary_search_by_key(&building.0, |site| site.building.0).is_ok()
    }
    /// Sites of public points, in order of building.
    #[must_use]
    pub fn public(&self) -> &[PublicSite] {
        &self.public
    }
    /// Announces a stay and gives its number. `None` where the building has no charger or the session is none: it ends
    /// before it begins, or what it wants or takes is not a number above zero.
    pub fn plug_in(&mut self, building: BuildingIx, session: Session) -> Option<u32> {
        let has_point = self.points.get(building.row()).is_some_and(|&points| points > 0);
        let is_number = |value: f64| value.is_finite() && value > 0.0;
        let is_session =
            session.departure_s > session.arrival_s && is_number(session.wanted_j) && is_number(session.power_max_w);
        if !(has_point && is_session) {
            return None;
        }
        let id = self.next_id;
        self.next_id += 1;
        let left_j = session.wanted_j;
        let stay = Stay {
            session,
            building,
            id,
            left_j,
            is_refused: false,
            is_new: true,
            queues: self.is_public(building),
            point_since_s: None,
            is_done: false,
            step_j: 0.0,
        };
        self.coming.push(Reverse(Coming(stay)));
        Some(id)
    }
    /// Cars plugged in at the end of the last step.
    #[must_use]
    pub fn active(&self) -> &[Stay] {
        &self.active
    }
    /// Stays that ended in the last step, those turned away among them, in order of building, arrival and number.
    #[must_use]
    pub fn ended(&self) -> &[Stay] {
        &self.ended
    }
    /// Charges for a step. `is_supplied` by building; none: all are.
    pub fn step(&mut self, settings: &ChargerSettings, prices: &Prices<'_>, grid_signal: f64, is_supplied: &[bool]) {
        for stay in &self.active {
            self.charging_w[stay.building.row()] = 0.0;
        }
        for stay in &self.ended {
            self.charging_w[stay.building.row()] = 0.0;
        }
        self.ended.clear();
        self.admit(prices.step_s.0, prices.step_s.1);
        let Self { active, controls, public, queueing, .. } = self;
        active.par_chunks_mut(CHUNK_ROWS).for_each(|stays| {
            for stay in stays {
                let control = controls.get(stay.building.row()).copied().unwrap_or(settings.control);
                let is_on = !stay.is_refused && is_supplied.get(stay.building.row()).is_none_or(|&is_on| is_on);
                let is_charged = is_on && !stay.queues;
                stay.step_j = if is_charged { delivery_j(stay, settings, control, prices, grid_signal) } else { 0.0 };
            }
        });
        for site in public {
            let first = active.partition_point(|stay| stay.building.0 < site.building.0);
            let count = active[first..].partition_point(|stay| stay.building == site.building);
            let stays = &mut active[first..first + count];
            let is_on = is_supplied.get(site.building.row()).is_none_or(|&is_on| is_on);
            site.serve(stays, prices.step_s, settings.efficiency, is_on, queueing);
        }
        let seconds = (prices.step_s.1 - prices.step_s.0) as f64;
        let energy = &mut self.energy;
        for stay in &mut self.active {
            stay.left_j = if stay.is_done { 0.0 } else { stay.left_j - stay.step_j };
            let is_giving = stay.step_j < 0.0;
            let meter_j = if is_giving { stay.step_j * settings.efficiency } else { stay.step_j / settings.efficiency };
            self.charging_w[stay.building.row()] += meter_j / seconds;
            *(if is_giving { &mut energy.fed_back_j } else { &mut energy.drawn_j }) += meter_j.abs();
            energy.delivered_j += stay.step_j;
            energy.losses_j += meter_j - stay.step_j;
            if stay.has_ended(prices.step_s.1) {
                energy.wanted_j += stay.session.wanted_j;
                energy.unserved_j += stay.left_j;
                self.turned_away += u64::from(stay.is_refused);
                if stay.queues && stay.point_since_s.is_none() {
                    self.queueing.left_without += 1;
                    self.queueing.waited_s += (stay.session.departure_s - stay.session.arrival_s).max(0) as f64;
                }
                self.ended.push(*stay);
            }
        }
        self.active.retain(|stay| !stay.has_ended(prices.step_s.1));
    }
    /// Lets in those that come before the end of a step, as far as points are free when they come.
    fn admit(&mut self, from_s: i64, to_s: i64) {
        let before = self.active.len();
        while self.coming.peek().is_some_and(|Reverse(next)| next.0.session.arrival_s < to_s) {
            let Some(Reverse(Coming(mut stay))) = self.coming.pop() else { break };
            stay.session.arrival_s = stay.session.arrival_s.max(from_s);
            self.active.push(stay);
        }
        if self.active.len() == before {
            return;
        }
        self.active.sort_unstable_by_key(|stay| (stay.building.0, stay.session.arrival_s, stay.id));
        for row in 0..self.active.len() {
            let Stay { building, session, is_new, .. } = self.active[row];
            if is_new {
                let others = self.active[..row].iter().rev().take_while(|other| other.building == building);
                let busy = others.filter(|other| !other.is_refused && other.session.departure_s > session.arrival_s);
                let is_full = busy.count() >= self.points[building.row()] as usize;
                let stay = &mut self.active[row];
                (stay.is_refused, stay.is_new) = (is_full && !stay.queues, false);
            }
        }
    }
}

/// What a car is given in a step, joules in its battery.
fn delivery_j(
    stay: &Stay,
    settings: &ChargerSettings,
    control: ChargerControl,
    prices: &Prices<'_>,
    grid_signal: f64,
) -> f64 {
    let Session { arrival_s, departure_s, power_max_w, .. } = stay.session;
    let start_s = arrival_s.max(prices.step_s.0);
    let present_s = (departure_s.min(prices.step_s.1) - start_s).max(0) as f64;
    let power_w = power_max_w.min(settings.power_w) * settings.efficiency;
    let wish_j = match control {
        ChargerControl::Immediate => power_w * present_s,
        ChargerControl::Delayed => stay.left_j * present_s / ((departure_s - start_s).max(1) as f64),
        ChargerControl::Grid => power_w * present_s * (1.0 - grid_signal.clamp(0.0, 1.0)),
        ChargerControl::Price | ChargerControl::VehicleToGrid => {
            let needed_s = stay.left_j / power_w;
            power_w * (needed_s - prices.cheaper_s(departure_s)).clamp(0.0, present_s)
        }
    };
    if control == ChargerControl::VehicleToGrid && wish_j <= 0.0 {
        return -given_j(stay, settings, prices, present_s);
    }
    wish_j.min(power_w * present_s).min(stay.left_j)
}

/// What a car gives back in a step, joules out of its battery: as much as later hours that are cheaper by the losses of
/// both ways have time to make up for, less what later hours that are dearer can give.
fn given_j(stay: &Stay, settings: &ChargerSettings, prices: &Prices<'_>, present_s: f64) -> f64 {
    let Session { departure_s, wanted_j, power_max_w, .. } = stay.session;
    let Some(now) = prices.now().filter(|&now| now > 0.0) else { return 0.0 };
    let out_w = power_max_w.min(settings.power_w);
    let into_w = out_w * settings.efficiency;
    let allowed_j = (wanted_j + settings.feed_back_kwh * JOULES_PER_KWH - stay.left_j).max(0.0);
    let makes_up_j = into_w * prices.cheaper_than_s(now * settings.efficiency.powi(2), departure_s) - stay.left_j;
    let kept_j = out_w * prices.dearer_s(departure_s);
    (allowed_j - kept_j).min(out_w * present_s).min(makes_up_j).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    fn settings(control: ChargerControl) -> ChargerSettings {
        ChargerSettings { control, power_w: 10_000.0, efficiency: 0.9, ..ChargerSettings::default() }
    }
    /// Drawn power of the first building by quarter hours from 0 on, watts.
    fn run(chargers: &mut Chargers, settings: &ChargerSettings, by_hour: &[f64], signal: f64) -> Vec<f64> {
        let quarters = 0..by_hour.len() as i64 * 4;
        let step = |quarter: i64| {
            let hour = quarter / 4;
            let step_s = (quarter * 900, quarter * 900 + 900);
            let prices = Prices { per_kwh: &by_hour[hour as usize..], hour_end_s: (hour + 1) * HOUR, step_s };
            chargers.step(settings, &prices, signal, &[]);
            chargers.charging_w[0]
        };
        quarters.map(step).collect()
    }
    /// From 0:15 to 4:15, 18 kWh: 20 kWh at the meter, two hours at 10 kW.
    const STAY: Session =
        Session { arrival_s: 900, departure_s: 15_300, wanted_j: 18.0 * 3.6e6, power_max_w: 22_000.0 };

    #[test]
    fn a_car_is_charged_by_the_time_it_leaves() {
        let by_hour = [5.0, 1.0, 4.0, 2.0, 3.0];
        for (control, expected) in [
            (ChargerControl::Immediate, vec![(1..9, 10_000.0)]),
            (ChargerControl::Delayed, vec![(1..17, 5000.0)]),
            (ChargerControl::Price, vec![(4..8, 10_000.0), (12..16, 10_000.0)]),
            (ChargerControl::Grid, vec![(1..17, 5000.0)]),
        ] {
            let mut chargers = Chargers::new(vec![1]);
            assert_eq!(chargers.plug_in(BuildingIx(0), STAY), Some(0));
            let found = run(&mut chargers, &settings(control), &by_hour, 0.5);
            for (quarter, &found_w) in found.iter().enumerate() {
                let of = expected.iter().find(|(quarters, _)| quarters.contains(&quarter));
                let expected_w = of.map_or(0.0, |(_, watts)| *watts);
                assert!((found_w - expected_w).abs() < 1e-6, "{control:?} {quarter}: {found_w}");
            }
            let energy = chargers.energy;
            assert!((energy.delivered_j - STAY.wanted_j).abs() < 1e-6 && energy.unserved_j.abs() < 1e-6);
            assert!((energy.drawn_j - energy.delivered_j - energy.losses_j).abs() < 1e-6);
            assert!(chargers.active().is_empty());
        }
    }

    #[test]
    fn a_car_feeds_back_what_it_can_win_back_more_cheaply() {
        let cost_of = |control, by_hour: [f64; 5]| {
            let mut chargers = Chargers::new(vec![1]);
            chargers.plug_in(BuildingIx(0), STAY);
            let found = run(&mut chargers, &ChargerSettings { feed_back_kwh: 9.0, ..settings(control) }, &by_hour, 0.0);
            let energy = chargers.energy;
            assert!((energy.delivered_j - STAY.wanted_j).abs() < 1e-3 && energy.unserved_j.abs() < 1e-3, "{energy:?}");
            assert!((energy.drawn_j - energy.fed_back_j - energy.delivered_j - energy.losses_j).abs() < 1e-3);
            let cost: f64 = found.iter().enumerate().map(|(nth, watts)| by_hour[nth / 4] * watts / 4000.0).sum();
            (found, cost)
        };
        // In the dear first hour it gives 7.5 kWh out of its battery, 9 kW at the meter; what it needs then is drawn in
        // the hours at 1 and 2, the 2.25 kWh left of the one at 3, and so much of the one at 4 that it is full.
        let by_hour = [5.0, 1.0, 4.0, 2.0, 3.0];
        let (found, cost) = cost_of(ChargerControl::VehicleToGrid, by_hour);
        let (_, plain) = cost_of(ChargerControl::Price, by_hour);
        assert!((plain - 30.0).abs() < 1e-9);
        let from_four_kwh = (18.0 + 7.5 - 9.0 - 9.0 - 2.25) / 0.9;
        assert!((cost - (10.0 - 6.75 * 5.0 + 4.0 * from_four_kwh + 20.0 + 7.5)).abs() < 1e-9, "{cost}");
        assert!(cost < plain - 2.9 && (found[1] + 9000.0).abs() < 1e-9, "{found:?}");
        // One price for all hours, or one that differs by less than the losses: as by price.
        for by_hour in [[2.0; 5], [2.2, 1.9, 2.1, 1.8, 2.0]] {
            let [gives, takes] =
                [ChargerControl::VehicleToGrid, ChargerControl::Price].map(|of| cost_of(of, by_hour).1);
            assert!((gives - takes).abs() < 1e-9);
        }
    }

    #[test]
    fn what_a_car_does_not_get_is_counted() {
        let mut chargers = Chargers::new(vec![1, 0]);
        let short = Session { departure_s: 900 + HOUR, ..STAY };
        chargers.plug_in(BuildingIx(0), short);
        run(&mut chargers, &settings(ChargerControl::Immediate), &[1.0; 2], 0.0);
        assert!((chargers.energy.unserved_j - 9.0 * 3.6e6).abs() < 1e-6);
        assert!((chargers.energy.wanted_j - chargers.energy.delivered_j - chargers.energy.unserved_j).abs() < 1e-6);
        // No charger, no time, no number.
        assert_eq!(chargers.plug_in(BuildingIx(1), STAY), None);
        assert_eq!(chargers.plug_in(BuildingIx(7), STAY), None);
        assert_eq!(chargers.plug_in(BuildingIx(0), Session { departure_s: 900, ..STAY }), None);
        assert_eq!(chargers.plug_in(BuildingIx(0), Session { wanted_j: f64::NAN, ..STAY }), None);
    }

    #[test]
    fn points_are_taken_and_freed_within_a_step() {
        let mut chargers = Chargers::new(vec![1]);
        let car = |arrival_s, departure_s| Session { arrival_s, departure_s, wanted_j: 1e9, power_max_w: 1e4 };
        // The second comes while the first is there, the third as it leaves; in any order.
        let sessions = [car(400, 800), car(100, 300), car(200, 700), car(300, 350)];
        let ids = sessions.map(|session| chargers.plug_in(BuildingIx(0), session));
        assert_eq!(ids, [Some(0), Some(1), Some(2), Some(3)]);
        let found = run(&mut chargers, &settings(ChargerControl::Immediate), &[1.0], 0.0);
        assert_eq!(chargers.turned_away, 1);
        // 200 + 50 + 400 seconds at 10 kW.
        assert!((found[0] - 10_000.0 * 650.0 / 900.0).abs() < 1e-6 && found[1].abs() < 1e-12, "{found:?}");
        assert!((chargers.energy.delivered_j - 0.9 * 6.5e6).abs() < 1e-3);
    }

    #[test]
    fn without_supply_nothing_is_charged_and_time_runs() {
        let mut chargers = Chargers::new(vec![1]);
        chargers.plug_in(BuildingIx(0), Session { arrival_s: 0, departure_s: 1800, ..STAY });
        let off = Prices { per_kwh: &[], hour_end_s: HOUR, step_s: (0, 900) };
        chargers.step(&settings(ChargerControl::Price), &off, 0.0, &[false]);
        assert!(chargers.charging_w[0].abs() < 1e-12);
        // Without prices, at once.
        chargers.step(&settings(ChargerControl::Price), &Prices { step_s: (900, 1800), ..off }, 0.0, &[true]);
        assert!((chargers.charging_w[0] - 10_000.0).abs() < 1e-9 && chargers.ended().len() == 1);
        assert!((chargers.energy.unserved_j - 15.75 * 3.6e6).abs() < 1e-6);
    }
}
