//! Time and capacity in the kernel. Event times are whole numbers of 1/1024 s in a `u32` (48 days), so
//! that 33.33 s stays 33.33 s and no result depends on rounding modes. A `Gate` meters a capacity in
//! 32.16 fixed point: the remainder of a headway is carried on, so a saturated flow is exact in the long
//! run.

/// A moment or span in 1/1024 s.
pub type Time = u32;

/// One tick of the clock (a second) as [`Time`].
pub const TICK: Time = 1024;

/// Never; also "no such event".
pub const NEVER: Time = u32::MAX;

/// Nearest [`Time`] of a span in seconds; below zero is 0, beyond the range is just below [`NEVER`].
#[must_use]
pub fn from_seconds(seconds: f64) -> Time {
    // The float cast saturates at both ends.
    ((seconds * f64::from(TICK)).round() as Time).min(NEVER - 1)
}

/// Seconds of a span.
#[must_use]
pub fn to_seconds(time: Time) -> f64 {
    f64::from(time) / f64::from(TICK)
}

/// Milliseconds of a moment, rounded to nearest.
#[must_use]
pub fn to_ms(time: Time) -> u32 {
    ((u64::from(time) * 1000 + u64::from(TICK) / 2) / u64::from(TICK)) as u32
}

/// The tick a moment lies in.
#[inline]
#[must_use]
pub fn tick_of(time: Time) -> u32 {
    time / TICK
}

/// Meters one capacity: vehicles pass a headway apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    /// When the next vehicle may pass, whole part of 32.16 fixed point of [`Time`].
    next: Time,
    /// Inverse capacity, whole part.
    headway: Time,
    next_part: u16,
    headway_part: u16,
}

/// Quarters of a passenger car that one car counts for.
pub(crate) const CAR_QUARTERS: u32 = 4;

impl Gate {
    pub(crate) fn new(capacity_vps: f64) -> Self {
        let mut gate = Self { next: 0, headway: 0, next_part: 0, headway_part: 0 };
        gate.set_headway(capacity_vps);
        gate
    }
    fn set_headway(&mut self, capacity_vps: f64) {
        // Saturates at 2^32 and takes at least the smallest step there is.
        let headway = ((f64::from(TICK) / capacity_vps * 65_536.0).round() as u64).clamp(1, (1 << 47) - 1);
        (self.headway, self.headway_part) = ((headway >> 16) as Time, headway as u16);
    }
    /// Half the headway of a vehicle of so many quarters of a car.
    pub(crate) fn half_headway(self, quarters: u32) -> Time {
        (u64::from(self.headway) * u64::from(quarters) / u64::from(2 * CAR_QUARTERS)) as Time
    }
    /// About when a car passed last; `None` when none did, or closed.
    pub(crate) fn last_pass(self) -> Option<Time> {
        (self.next != NEVER && self.next >= self.headway).then(|| self.next - self.headway)
    }
    /// When the next vehicle may pass; [`NEVER`] when closed.
    #[inline]
    pub(crate) fn opens(self) -> Time {
        self.next
    }
    /// Books a vehicle of so many quarters of a car that passes at `at` but `could` have passed earlier,
    /// had it not been held up by another's queue. Capacity lost that way is carried over, up to `held`
    /// headways; capacity left idle for whatever reason up to `idle` headways.
    #[inline]
    pub(crate) fn pass(&mut self, could: Time, at: Time, held: u32, idle: u32, quarters: u32) {
        let at = u64::from(at) << 16;
        let headway = u64::from(self.headway) << 16 | u64::from(self.headway_part);
        let next = u64::from(self.next) << 16 | u64::from(self.next_part);
        let kept = |headways: u32| at.saturating_sub(headway * u64::from(headways));
        let base = (u64::from(could) << 16).max(kept(held)).min(kept(idle));
        let next = (next.max(base) + headway * u64::from(quarters) / u64::from(CAR_QUARTERS)).min((1 << 48) - 1);
        (self.next, self.next_part) = ((next >> 16) as Time, next as u16);
    }
    /// Changes the capacity from `now` on; `None` closes the gate.
    pub(crate) fn set_capacity(&mut self, capacity_vps: Option<f64>, now: Time) {
        match capacity_vps.filter(|&capacity| capacity > 0.0) {
            None => self.next = NEVER,
            Some(capacity) => {
                if self.next == NEVER {
                    (self.next, self.next_part) = (now, 0);
                }
                self.set_headway(capacity);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturated_flow_does_not_drift() {
        for capacity in [0.3, 1.0 / 3.0, 0.5, 0.7, 1.1, 2.0 / 3.0] {
            let mut gate = Gate::new(capacity);
            let vehicles = 100_000;
            for _ in 0..vehicles {
                gate.pass(0, gate.opens(), 1, 0, CAR_QUARTERS);
            }
            assert!((to_seconds(gate.opens()) * capacity - f64::from(vehicles)).abs() < 0.01, "{capacity}");
        }
    }

    #[test]
    fn idle_gates_earn_nothing_but_held_up_vehicles_do() {
        let mut gate = Gate::new(0.5);
        gate.pass(10 * TICK, 10 * TICK, 1, 0, CAR_QUARTERS);
        assert_eq!(gate.opens(), 12 * TICK);
        let mut gate = Gate::new(0.5);
        gate.pass(9 * TICK, 10 * TICK, 1, 0, CAR_QUARTERS);
        assert_eq!(gate.opens(), 11 * TICK);
        let mut gate = Gate::new(0.5);
        gate.pass(0, 10 * TICK, 1, 0, CAR_QUARTERS);
        assert_eq!(gate.opens(), 10 * TICK);
        let mut gate = Gate::new(0.5);
        gate.pass(10 * TICK, 10 * TICK, 0, 2, CAR_QUARTERS);
        assert_eq!(gate.opens(), 8 * TICK);
    }

    #[test]
    fn gates_close_and_reopen() {
        let mut gate = Gate::new(0.5);
        gate.set_capacity(None, TICK);
        assert_eq!(gate.opens(), NEVER);
        gate.set_capacity(Some(1.0), 5 * TICK);
        assert_eq!(gate.opens(), 5 * TICK);
    }

    #[test]
    fn conversions() {
        assert_eq!((from_seconds(1.5), to_ms(1536), tick_of(1536)), (1536, 1500, 1));
        assert_eq!((from_seconds(-1.0), from_seconds(1e12)), (0, NEVER - 1));
    }
}
