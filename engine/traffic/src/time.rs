//! Time and capacity in the kernel. Event times are whole numbers of 1/1024 s in a `u32` (48 days), so
//! that 33.33 s stays 33.33 s and no result depends on rounding modes. A `Gate` meters a capacity in
//! 32.32 fixed point: the remainder of a headway is carried on, so a saturated flow is exact in the long
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
    /// When the next vehicle may pass, 32.32 fixed point of [`Time`].
    next: u64,
    /// Inverse capacity, 32.32 fixed point of [`Time`].
    headway: u64,
}

impl Gate {
    pub(crate) fn new(capacity_vps: f64) -> Self {
        Self { next: 0, headway: Self::headway(capacity_vps) }
    }
    fn headway(capacity_vps: f64) -> u64 {
        (f64::from(TICK) / capacity_vps * (1_u64 << 32) as f64).round() as u64
    }
    /// When the next vehicle may pass; [`NEVER`] when closed.
    #[inline]
    pub(crate) fn opens(self) -> Time {
        (self.next >> 32) as Time
    }
    /// Books a vehicle that passes at `at` but `could` have passed earlier, had it not been held up by
    /// another's queue. Capacity lost that way is carried over, up to `held` headways; capacity left
    /// idle for whatever reason up to `idle` headways.
    #[inline]
    pub(crate) fn pass(&mut self, could: Time, at: Time, held: u32, idle: u32) {
        let at = u64::from(at) << 32;
        let kept = |headways: u32| at.saturating_sub(self.headway.saturating_mul(u64::from(headways)));
        let base = (u64::from(could) << 32).max(kept(held)).min(kept(idle));
        self.next = self.next.max(base).saturating_add(self.headway);
    }
    /// Changes the capacity from `now` on; `None` closes the gate.
    pub(crate) fn set_capacity(&mut self, capacity_vps: Option<f64>, now: Time) {
        match capacity_vps.filter(|&capacity| capacity > 0.0) {
            None => self.next = u64::MAX,
            Some(capacity) => {
                if self.next == u64::MAX {
                    self.next = u64::from(now) << 32;
                }
                self.headway = Self::headway(capacity);
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
                gate.pass(0, gate.opens(), 1, 0);
            }
            assert!((to_seconds(gate.opens()) * capacity - f64::from(vehicles)).abs() < 0.01, "{capacity}");
        }
    }

    #[test]
    fn idle_gates_earn_nothing_but_held_up_vehicles_do() {
        let mut gate = Gate::new(0.5);
        gate.pass(10 * TICK, 10 * TICK, 1, 0);
        assert_eq!(gate.opens(), 12 * TICK);
        let mut gate = Gate::new(0.5);
        gate.pass(9 * TICK, 10 * TICK, 1, 0);
        assert_eq!(gate.opens(), 11 * TICK);
        let mut gate = Gate::new(0.5);
        gate.pass(0, 10 * TICK, 1, 0);
        assert_eq!(gate.opens(), 10 * TICK);
        let mut gate = Gate::new(0.5);
        gate.pass(10 * TICK, 10 * TICK, 0, 2);
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
