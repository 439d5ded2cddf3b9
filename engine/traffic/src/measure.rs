//! Measurements of links over intervals, from two running totals that each link's exit keeps: who has
//! left and how long all of them were on the link. Nothing is measured per crossing beyond these.
//!
//! The vehicle-seconds on a link until now are the time spent by those who left and the age of those who
//! are on it, exactly; the difference of two moments is that of an interval.
//!
//! Contract: reads between steps; a pure function of two moments.

use crate::engine::Engine;
use crate::link::Passenger;
use crate::time::{TICK, Time, to_seconds};
use bevy_ecs::resource::Resource;
use urbis_core::{CarLinkIx, Tick, chunks};

/// Running totals of one link at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkTotals {
    left: u32,
    on_link: u32,
    queued: u32,
    /// How long the head has been on the link, if it stands at the exit.
    pub(crate) head_age: Time,
    /// Time on the link of those who left.
    spent: u64,
    /// Time on the link so far of those who are on it.
    age_sum: u64,
}

impl Engine {
    /// Totals of a link now.
    pub(crate) fn totals(&self, link: CarLinkIx) -> LinkTotals {
        let number = self.number(link);
        let (exit, of) = (self.layout.exit(number), &self.layout.links[number as usize]);
        let now = self.tick() * TICK;
        let mut totals = LinkTotals { left: exit.left, spent: exit.spent, ..LinkTotals::default() };
        for (slot, vehicle, arrival) in self.layout.occupants(number) {
            let (cursor, heading) = self.layout.slots.guess(slot);
            let stop = self.vehicles.stop(heading, Passenger { vehicle, cursor });
            let age = of.time_on(arrival, stop, now);
            if totals.on_link == 0 && arrival < now {
                totals.head_age = age;
            }
            totals.on_link += 1;
            totals.queued += u32::from(arrival < now);
            totals.age_sum += u64::from(age);
        }
        totals
    }

    /// Totals of all links now, in order.
    pub(crate) fn all_totals(&self) -> Vec<LinkTotals> {
        chunks::map_chunks(self.layout.len() as usize, chunks::CHUNK_ROWS, |range| {
            range.map(|link| self.totals(CarLinkIx(link as u32))).collect::<Vec<_>>()
        })
        .concat()
    }
}

impl LinkTotals {
    /// Vehicles that left after `before`, and the seconds they spent on the link in all.
    pub(crate) fn travel_time_since(&self, before: &Self) -> (u32, f64) {
        (self.left.wrapping_sub(before.left), (self.spent - before.spent) as f64 / f64::from(TICK))
    }
    /// Vehicles that entered after `before`.
    fn entered_since(&self, before: &Self) -> u32 {
        (self.left.wrapping_add(self.on_link)).wrapping_sub(before.left.wrapping_add(before.on_link))
    }
    /// Vehicle-seconds on the link between two moments.
    fn vehicle_seconds_since(&self, before: &Self) -> f64 {
        ((self.spent + self.age_sum) - (before.spent + before.age_sum)) as f64 / f64::from(TICK)
    }
}

/// What happened on every car link in an interval; rows are [`CarLinkIx`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkInterval {
    /// First tick of the interval.
    pub start: Tick,
    /// First tick after it.
    pub end: Tick,
    /// Vehicles that entered.
    pub entered: Vec<u32>,
    /// Vehicles that left at the exit.
    pub left: Vec<u32>,
    /// Time on the link of those who left, in all, seconds.
    pub travel_time_s_sum: Vec<f64>,
    /// Mean number of vehicles on the link over the interval.
    pub vehicles_mean: Vec<f64>,
    /// Vehicles on the link at the end.
    pub vehicles_end: Vec<u32>,
    /// Of these, past their free-flow arrival at the exit.
    pub queue_end: Vec<u32>,
}

/// Keeps where the present interval began.
#[derive(Clone, Debug, Resource)]
pub struct LinkStats {
    start: Tick,
    before: Vec<LinkTotals>,
}

impl LinkStats {
    /// Begins the first interval now.
    #[must_use]
    pub fn new(engine: &Engine) -> Self {
        Self { start: engine.tick(), before: engine.all_totals() }
    }

    /// Ends the interval now and begins the next one.
    pub fn take_interval(&mut self, engine: &Engine) -> LinkInterval {
        let after = engine.all_totals();
        let span_s = to_seconds((engine.tick() - self.start) * TICK);
        let rows = || self.before.iter().zip(&after);
        let interval = LinkInterval {
            start: self.start,
            end: engine.tick(),
            entered: rows().map(|(b, a)| a.entered_since(b)).collect(),
            left: rows().map(|(b, a)| a.left.wrapping_sub(b.left)).collect(),
            travel_time_s_sum: rows().map(|(b, a)| a.travel_time_since(b).1).collect(),
            vehicles_mean: rows()
                .map(|(b, a)| if span_s > 0.0 { a.vehicle_seconds_since(b) / span_s } else { 0.0 })
                .collect(),
            vehicles_end: after.iter().map(|a| a.on_link).collect(),
            queue_end: after.iter().map(|a| a.queued).collect(),
        };
        *self = Self { start: engine.tick(), before: after };
        interval
    }
}

/// Travel times that routes are chosen by: measured, smoothed exponentially over updates.
///
/// An update moves each link's time towards the mean of those who left since the last one, or the free
/// time when nobody did; where the head stands at the exit, at least towards the time it has spent on
/// the link, so links that nobody leaves keep growing.
#[derive(Clone, Debug)]
pub(crate) struct TravelTimes {
    before: Vec<LinkTotals>,
    smoothed_s: Vec<f64>,
    used_ms: Vec<u32>,
}

/// Smallest relative change of a link's time that a new customization is worth.
const WORTH_TELLING: f64 = 0.02;

impl TravelTimes {
    pub(crate) fn new(engine: &Engine, free_time_ms: &[u32]) -> Self {
        Self {
            before: engine.all_totals(),
            smoothed_s: free_time_ms.iter().map(|&ms| f64::from(ms) / 1000.0).collect(),
            used_ms: free_time_ms.to_vec(),
        }
    }

    /// The times that were last worth telling.
    pub(crate) fn used_ms(&self) -> &[u32] {
        &self.used_ms
    }

    /// Measures since the last update; the times to route by if any has changed notably.
    pub(crate) fn update(&mut self, engine: &Engine, smoothing: f64) -> Option<&[u32]> {
        let after = engine.all_totals();
        let mut changed = false;
        for (link, now) in after.iter().enumerate() {
            let free_s = to_seconds(engine.free_time(CarLinkIx(link as u32)));
            let (left, spent_s) = now.travel_time_since(&self.before[link]);
            let mean_s = if left > 0 { spent_s / f64::from(left) } else { free_s };
            let measured_s = mean_s.max(free_s).max(to_seconds(now.head_age));
            let smoothed_s = &mut self.smoothed_s[link];
            *smoothed_s += smoothing * (measured_s - *smoothed_s);
            let ms = *smoothed_s * 1000.0;
            let used = f64::from(self.used_ms[link]);
            if (ms - used).abs() > WORTH_TELLING * used {
                self.used_ms[link] = ms.round() as u32;
                changed = true;
            }
        }
        self.before = after;
        changed.then_some(&self.used_ms)
    }
}
