//! Time in the kernel. Event times are whole numbers of 1/1024 s in a `u32` (48 days), so that 33.33 s stays
//! 33.33 s and no result depends on rounding modes.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions() {
        assert_eq!((from_seconds(1.5), to_ms(1536), tick_of(1536)), (1536, 1500, 1));
        assert_eq!((from_seconds(-1.0), from_seconds(1e12)), (0, NEVER - 1));
    }
}
