//! The one clock: integer ticks of one second. Every domain says how many ticks its own step takes;
//! a domain is due when the tick is a multiple of its period, so domains stay in step for ever and
//! no floating-point time can drift.

use crate::calendar::Date;
use bevy_ecs::resource::Resource;

/// Tick counter since the start of the period. One tick is [`TICK_MS`] long.
pub type Tick = u32;

/// Length of a tick in milliseconds.
pub const TICK_MS: i64 = 1000;

/// How many ticks one step of a domain takes; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(u32);

impl Period {
    /// Every tick.
    pub const EVERY_TICK: Self = Self(1);

    /// A period of so many seconds; `None` for zero.
    #[must_use]
    pub fn from_seconds(seconds: u32) -> Option<Self> {
        (seconds > 0).then_some(Self(seconds))
    }
    /// Length in ticks.
    #[must_use]
    pub fn ticks(self) -> Tick {
        self.0
    }
    /// Length in seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        f64::from(self.0) * TICK_MS as f64 / 1000.0
    }
    /// Whether a step starts at this tick.
    #[inline]
    #[must_use]
    pub fn is_due(self, tick: Tick) -> bool {
        tick.is_multiple_of(self.0)
    }
}

/// Domains with a step of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Domain {
    /// Vehicles on links.
    Traffic,
    /// People's plans.
    Population,
    /// Electricity.
    Power,
}

impl Domain {
    /// Every domain, in the order they are listed in output.
    pub const ALL: [Self; 3] = [Self::Traffic, Self::Population, Self::Power];
}

/// The clock of a run. `tick` is the step being computed; it covers `[tick, tick + 1)` seconds.
#[derive(Clone, Debug, Resource)]
pub struct Clock {
    tick: Tick,
    is_started: bool,
    end: Tick,
    start_utc_ms: i64,
    local_offset_s: i32,
    periods: [Period; Domain::ALL.len()],
}

impl Clock {
    /// A clock at tick 0 of a period that starts at `start_utc_ms` (Unix time, milliseconds) and lasts
    /// `end` ticks. `local_offset_s` is local time minus UTC at the start, in seconds.
    #[must_use]
    pub fn new(start_utc_ms: i64, local_offset_s: i32, end: Tick) -> Self {
        Self {
            tick: 0,
            is_started: false,
            end,
            start_utc_ms,
            local_offset_s,
            periods: [Period::EVERY_TICK; Domain::ALL.len()],
        }
    }
    /// Sets how long one step of a domain takes.
    #[must_use]
    pub fn with_period(mut self, domain: Domain, period: Period) -> Self {
        self.periods[domain as usize] = period;
        self
    }
    /// The tick being computed.
    #[inline]
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick
    }
    /// The first tick after the period.
    #[must_use]
    pub fn end(&self) -> Tick {
        self.end
    }
    /// Whether a tick is left to compute.
    #[must_use]
    pub fn has_next(&self) -> bool {
        self.next() < self.end
    }
    /// The tick that [`Clock::advance`] moves to.
    #[must_use]
    pub fn next(&self) -> Tick {
        self.tick + Tick::from(self.is_started)
    }
    /// Moves to the next tick; the first call starts tick 0.
    pub fn advance(&mut self) {
        self.tick = self.next();
        self.is_started = true;
    }
    /// Whether the tick being computed ends an interval of so many ticks.
    #[must_use]
    pub fn ends_interval(&self, ticks: Tick) -> bool {
        (self.tick + 1).is_multiple_of(ticks)
    }
    /// How long one step of the domain takes.
    #[must_use]
    pub fn period(&self, domain: Domain) -> Period {
        self.periods[domain as usize]
    }
    /// Length of the domain's step that starts now, ticks: the last one may be cut off by the end.
    #[must_use]
    pub fn step_ticks(&self, domain: Domain) -> Tick {
        self.period(domain).ticks().min(self.end - self.tick)
    }
    /// Whether a step of the domain starts at this tick.
    #[inline]
    #[must_use]
    pub fn is_due(&self, domain: Domain) -> bool {
        self.periods[domain as usize].is_due(self.tick)
    }
    /// Unix time of a tick, milliseconds UTC.
    #[must_use]
    pub fn utc_ms(&self, tick: Tick) -> i64 {
        self.start_utc_ms + i64::from(tick) * TICK_MS
    }
    /// Local wall-clock second of the day at a tick, in `0..86_400` (fixed offset of the start).
    #[must_use]
    pub fn local_second_of_day(&self, tick: Tick) -> u32 {
        let local_s = self.utc_ms(tick).div_euclid(1000) + i64::from(self.local_offset_s);
        local_s.rem_euclid(86_400) as u32
    }
    /// Local time minus UTC, seconds (fixed offset of the start).
    #[must_use]
    pub fn local_offset_s(&self) -> i32 {
        self.local_offset_s
    }
    /// Date on local calendars at a tick (fixed offset of the start).
    #[must_use]
    pub fn local_date(&self, tick: Tick) -> Date {
        let local_s = self.utc_ms(tick).div_euclid(1000) + i64::from(self.local_offset_s);
        Date::from_days(local_s.div_euclid(86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_due_at_multiples_of_their_period() {
        let quarter = Period::from_seconds(900).unwrap();
        let mut clock = Clock::new(0, 3600, 3600).with_period(Domain::Power, quarter);
        let mut due = 0;
        while clock.has_next() {
            clock.advance();
            due += u32::from(clock.is_due(Domain::Power));
            assert!(clock.is_due(Domain::Traffic));
        }
        assert_eq!(clock.tick(), 3599);
        assert!(clock.ends_interval(3600) && !clock.ends_interval(7200));
        assert_eq!(due, 4);
        assert_eq!(clock.local_second_of_day(0), 3600);
        assert_eq!(clock.utc_ms(2), 2000);
        assert!(Period::from_seconds(0).is_none());
    }

    #[test]
    fn local_time_wraps_at_midnight() {
        let clock = Clock::new(-1000, 0, 10);
        assert_eq!(clock.local_second_of_day(0), 86_399);
        assert_eq!(clock.local_second_of_day(1), 0);
        assert_eq!([0, 1].map(|tick| clock.local_date(tick).year), [1969, 1970]);
        assert_eq!(Clock::new(0, -1, 10).local_date(0), Date { year: 1969, month: 12, day: 31 });
    }
}
