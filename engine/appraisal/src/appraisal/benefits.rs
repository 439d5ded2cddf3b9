//! What travellers gain: person by person, and by the rule of half between zones.
//!
//! Person by person, runs of one seed hold the same people. Who makes a trip in both runs gains the difference of its cost,
//! exactly. Who makes another trip instead values the change somewhere between what the old one would have gained and what
//! the new one did; the rule of half takes the middle (Dupuit 1844; Williams 1977): each trip given up and each trip taken
//! up counts half the mean gain of those who made a trip between these zones by this means in both runs, or, where nobody
//! did, by this means anywhere.
//!
//! Between zones, benefit = (trips before + trips after) / 2 x (mean cost before - mean cost after). It is what aggregate
//! models compute and stands beside for comparison: means move when other people travel, so it is coarser where zones are
//! large.
//!
//! Ignored: comfort, reliability, people who value the trip itself, and choices that no cost explains (more cars, work at
//! home): where a scenario changes what people want, a change of cost is not what they gain.

use crate::appraisal::trips::{Cost, TimeClass, Trip, Words};
use crate::appraisal::values::{Name, Values};
use std::collections::BTreeMap;

/// What travellers save on a day, in the units that are valued; negative is a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Saved {
    /// Hours: to and from work, other, bringing goods.
    pub hours: [f64; 3],
    /// Kilometres by car, van, motor two-wheeler.
    pub km: [f64; 3],
    /// Money paid to policies, in the scenario's currency.
    pub money: f64,
}

const HOURS: [Name; 3] = [Name::TimeCommute, Name::TimeOther, Name::TimeDelivery];
const KM: [Name; 3] = [Name::DistanceCar, Name::DistanceVan, Name::DistanceTwoWheeler];

impl Saved {
    /// In money.
    #[must_use]
    pub fn worth(&self, values: &Values) -> f64 {
        let hours: f64 = self.hours.iter().zip(HOURS).map(|(hours, name)| hours * values.get(name)).sum();
        let km: f64 = self.km.iter().zip(KM).map(|(km, name)| km * values.get(name)).sum();
        hours + km + self.money
    }
    pub(crate) fn add(&mut self, other: &Self, factor: f64) {
        for (sum, value) in self.hours.iter_mut().zip(other.hours).chain(self.km.iter_mut().zip(other.km)) {
            *sum += factor * value;
        }
        self.money += factor * other.money;
    }
    fn of(saved: Cost, class: TimeClass, mode: &str) -> Self {
        let mut whole = Self { money: saved.money, ..Self::default() };
        whole.hours[class as usize] = saved.time_s / 3600.0;
        if let Some(at) = ["car", "van", "two_wheeler"].iter().position(|driven| *driven == mode) {
            whole.km[at] = saved.distance_m / 1000.0;
        }
        whole
    }
}

/// Rule of half: benefit of those who travel at a mean cost that falls from `before` to `after`.
#[must_use]
pub fn rule_of_half(trips_before: f64, trips_after: f64, before: f64, after: f64) -> f64 {
    0.5 * (trips_before + trips_after) * (before - after)
}

/// What one seed tells of what people gain; sample and period as they were simulated.
#[derive(Debug, Default)]
pub(crate) struct Gains {
    /// By person who travels in either run.
    pub(crate) persons: BTreeMap<i64, Saved>,
    /// By zones and mode.
    pub(crate) flows: BTreeMap<(u32, u32, u32), Flow>,
    /// Trips that are the same in both runs.
    pub(crate) kept: f64,
    /// Trips that one of the runs lacks.
    pub(crate) changed: f64,
    /// Of these, those whose gain no trip that was kept tells.
    pub(crate) untold: f64,
}

/// Trips between zones by a mode, and their mean generalised cost in money.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Flow {
    pub(crate) trips: [f64; 2],
    pub(crate) ended: [f64; 2],
    pub(crate) cost: [f64; 2],
}

impl Flow {
    /// Mean cost before and after; none where a run has no trip that ended.
    pub(crate) fn mean_cost(&self) -> Option<[f64; 2]> {
        let both = self.ended[0] > 0.0 && self.ended[1] > 0.0;
        both.then(|| [self.cost[0] / self.ended[0], self.cost[1] / self.ended[1]])
    }
    pub(crate) fn benefit(&self) -> Option<f64> {
        self.mean_cost().map(|[before, after]| rule_of_half(self.trips[0], self.trips[1], before, after))
    }
}

/// Sum and count of what kept trips gain.
#[derive(Clone, Copy, Default)]
struct Mean(Cost, f64);

impl Mean {
    fn get(self) -> Option<Cost> {
        (self.1 > 0.0).then(|| self.0.times(1.0 / self.1))
    }
}

/// Compares the trips of two runs, each sorted by person.
pub(crate) fn gains(before: &[Trip], after: &[Trip], words: &Words, values: &Values) -> Gains {
    let mut gains = Gains::default();
    for (arm, trips) in [before, after].into_iter().enumerate() {
        for trip in trips {
            let flow = gains.flows.entry((trip.from, trip.to, trip.mode)).or_default();
            flow.trips[arm] += 1.0;
            if let Some(cost) = trip.cost {
                flow.ended[arm] += 1.0;
                flow.cost[arm] += Saved::of(cost, trip.class, words.word(trip.mode)).worth(values);
            }
        }
    }
    let (mut cells, mut modes) = (BTreeMap::<_, Mean>::new(), BTreeMap::<_, Mean>::new());
    let mut changed: Vec<&Trip> = Vec::new();
    let (mut left, mut right) = (before, after);
    while let Some(person) = [left.first(), right.first()].into_iter().flatten().map(|trip| trip.person).min() {
        let own = |trips: &[Trip]| trips.iter().take_while(|trip| trip.person == person).count();
        let (old, new) = (own(left), own(right));
        let sum = gains.persons.entry(person).or_default();
        let mut taken = vec![false; new];
        for trip in &left[..old] {
            let same = (0..new).find(|&at| !taken[at] && right[at].is_like(trip));
            let Some(at) = same else {
                changed.push(trip);
                continue;
            };
            taken[at] = true;
            gains.kept += 1.0;
            // Trips that have not ended in one of the runs tell nothing.
            if let (Some(a), Some(b)) = (trip.cost, right[at].cost) {
                let saved = a.less(b);
                sum.add(&Saved::of(saved, trip.class, words.word(trip.mode)), 1.0);
                for mean in
                    [cells.entry((trip.from, trip.to, trip.mode)).or_default(), modes.entry(trip.mode).or_default()]
                {
                    mean.0.add(saved, 1.0);
                    mean.1 += 1.0;
                }
            }
        }
        changed.extend((0..new).filter(|&at| !taken[at]).map(|at| &right[at]));
        (left, right) = (&left[old..], &right[new..]);
    }
    for trip in changed {
        gains.changed += 1.0;
        let cell = cells.get(&(trip.from, trip.to, trip.mode)).and_then(|mean| mean.get());
        match cell.or_else(|| modes.get(&trip.mode).and_then(|mean| mean.get())) {
            Some(saved) => {
                let half = Saved::of(saved.times(0.5), trip.class, words.word(trip.mode));
                gains.persons.entry(trip.person).or_default().add(&half, 1.0);
            }
            None => gains.untold += 1.0,
        }
    }
    gains
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The textbook case: 100 trips at 10 become 120 at 8. Those who travelled gain 2 each, the 20 new ones half of it on
    /// average: 200 + 20 = 220 (Ortuzar and Willumsen, Modelling Transport, on the rule of half).
    #[test]
    fn rule_of_half_by_hand() {
        assert!((rule_of_half(100.0, 120.0, 10.0, 8.0) - 220.0).abs() < 1e-12);
        assert!((rule_of_half(120.0, 100.0, 8.0, 10.0) + 220.0).abs() < 1e-12);
        // A trapezoid under a straight line of demand from (100, 10) to (120, 8).
        let strips = 1000;
        let width = 2.0 / f64::from(strips);
        let area: f64 = (0..strips).map(|s| (100.0 + 10.0 * (f64::from(s) + 0.5) * width) * width).sum();
        assert!((rule_of_half(100.0, 120.0, 10.0, 8.0) - area).abs() < 1e-9);
    }

    struct Case(Words);

    impl Case {
        fn trip(&mut self, person: i64, mode: &str, to: &str, minutes: f64, money: f64) -> Trip {
            let number = |case: &mut Self, word: &str| case.0.number(word);
            Trip {
                person,
                kind: number(self, "resident"),
                mode: number(self, mode),
                purpose: number(self, "work"),
                class: TimeClass::Commute,
                from: number(self, "home zone"),
                to: number(self, to),
                doors: [None, None],
                cost: Some(Cost { time_s: 60.0 * minutes, distance_m: 0.0, money }),
            }
        }
    }

    #[test]
    fn persons_by_hand() {
        let mut case = Case(Words::default());
        // An hour to work is worth 12. Person 1 keeps the car: 10 minutes saved for a toll of 3: 2 - 3 = -1.
        // Person 2 keeps it too: no time saved, toll 3: -3. Mean of the cell: -2, of it 5 minutes and -3.
        // Person 3 gives the car up for walking, which is as it was: half of -2 and half of 0.
        // Person 4 walks in both runs and gains nothing.
        let before = [
            case.trip(1, "car", "centre", 30.0, 0.0),
            case.trip(2, "car", "centre", 20.0, 0.0),
            case.trip(3, "car", "centre", 20.0, 0.0),
            case.trip(4, "walk", "centre", 40.0, 0.0),
        ];
        let after = [
            case.trip(1, "car", "centre", 20.0, 3.0),
            case.trip(2, "car", "centre", 20.0, 3.0),
            case.trip(3, "walk", "centre", 45.0, 0.0),
            case.trip(4, "walk", "centre", 40.0, 0.0),
        ];
        let values = Values::shipped().unwrap().with(Name::TimeCommute, 12.0);
        let found = gains(&before, &after, &case.0, &values);
        let worth: Vec<f64> = found.persons.values().map(|saved| saved.worth(&values)).collect();
        for (got, wanted) in worth.iter().zip([-1.0, -3.0, -1.0, 0.0]) {
            assert!((got - wanted).abs() < 1e-9, "{worth:?}");
        }
        assert_eq!((found.kept, found.changed, found.untold), (3.0, 2.0, 0.0));
        // Between the zones by car: 3 trips at 4.667 become 2 at 7: 2.5 x -2.333.
        let key = (before[0].from, before[0].to, before[0].mode);
        let benefit = found.flows[&key].benefit().unwrap();
        assert!((benefit + 2.5 * (7.0 - 14.0 / 3.0)).abs() < 1e-9, "{benefit}");
    }

    #[test]
    fn without_a_kept_trip_a_change_is_not_told() {
        let mut case = Case(Words::default());
        let before = [case.trip(1, "car", "centre", 30.0, 0.0)];
        let after = [case.trip(1, "walk", "centre", 30.0, 0.0)];
        let found = gains(&before, &after, &case.0, &Values::shipped().unwrap());
        assert_eq!((found.kept, found.changed, found.untold), (0.0, 2.0, 2.0));
        assert!(found.flows.values().all(|flow| flow.benefit().is_none()));
    }
}
