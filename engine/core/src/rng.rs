//! Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random
//! numbers: as easy as 1, 2, 3"; the Random123 library).
//!
//! A draw depends on `(seed, entity, tick, purpose)` and its position in that stream alone: never on
//! threads or on the order of calls. Two scenarios with one seed therefore see the same chance, person
//! by person, and can be compared pair by pair.

const MULTIPLIER_0: u32 = 0xD251_1F53;
const MULTIPLIER_1: u32 = 0xCD9E_8D57;
const WEYL_0: u32 = 0x9E37_79B9;
const WEYL_1: u32 = 0xBB67_AE85;

/// Ten rounds of Philox4x32 on one counter block.
#[inline]
#[must_use]
pub fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key[0] = key[0].wrapping_add(WEYL_0);
            key[1] = key[1].wrapping_add(WEYL_1);
        }
        let product_0 = u64::from(MULTIPLIER_0) * u64::from(counter[0]);
        let product_1 = u64::from(MULTIPLIER_1) * u64::from(counter[2]);
        counter = [
            (product_1 >> 32) as u32 ^ counter[1] ^ key[0],
            product_1 as u32,
            (product_0 >> 32) as u32 ^ counter[3] ^ key[1],
            product_0 as u32,
        ];
    }
    counter
}

/// A stream of draws for one `(seed, entity, tick, purpose)`.
#[derive(Clone, Debug)]
pub struct Rng {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
}

impl Rng {
    /// The stream of an entity (`u32` row or hashed id) at a tick for a purpose. Purposes are small
    /// constants, one for each use, so that a new use never shifts the draws of another.
    #[inline]
    #[must_use]
    pub fn new(seed: u64, entity: u32, tick: u32, purpose: u32) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], counter: [entity, tick, purpose, 0], block: [0; 4], used: 4 }
    }
    /// The next 32 random bits.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox4x32_10(self.counter, self.key);
            self.counter[3] = self.counter[3].wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }
    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let high = u64::from(self.next_u32());
        high << 32 | u64::from(self.next_u32())
    }
    /// Uniform in `[0, 1)` with 53 bits.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }
    /// Uniform whole number in `0..n`; 0 when `n` is 0. Lemire's multiplication method without
    /// rejection: its bias is below `n / 2^32`.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(n)) >> 32) as u32
    }
    /// True with probability `p`.
    #[inline]
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }
    /// Standard normal deviate: the sum of twelve uniforms less six (Irwin-Hall), which needs no
    /// platform-dependent function and is bounded by 6.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
    /// A row drawn in proportion to its weight, from cumulative weights (non-decreasing). `None` when
    /// the total is not positive.
    pub fn pick_cumulative(&mut self, cumulative: &[f64]) -> Option<usize> {
        let total = *cumulative.last()?;
        if total.is_nan() || total <= 0.0 {
            return None;
        }
        let target = self.uniform() * total;
        Some(cumulative.partition_point(|&c| c <= target).min(cumulative.len() - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers from Random123's `kat_vectors`.
    #[test]
    fn philox_known_answers() {
        assert_eq!(philox4x32_10([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox4x32_10([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox4x32_10([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn streams_are_keyed_and_uniform() {
        let mean = |entity| {
            let mut rng = Rng::new(7, entity, 0, 1);
            (0..10_000).map(|_| rng.uniform()).sum::<f64>() / 10_000.0
        };
        assert!((mean(1) - 0.5).abs() < 0.02);
        assert_ne!(Rng::new(7, 1, 0, 1).next_u64(), Rng::new(7, 1, 0, 2).next_u64());
        assert_ne!(Rng::new(7, 1, 0, 1).next_u64(), Rng::new(8, 1, 0, 1).next_u64());
        assert_eq!(Rng::new(7, 1, 3, 1).next_u64(), Rng::new(7, 1, 3, 1).next_u64());
        let mut rng = Rng::new(1, 2, 3, 4);
        assert!((0..1000).all(|_| rng.below(3) < 3));
        let variance = (0..10_000).map(|_| rng.normal().powi(2)).sum::<f64>() / 10_000.0;
        assert!((variance - 1.0).abs() < 0.05);
    }

    #[test]
    fn picks_follow_weights() {
        let mut rng = Rng::new(1, 2, 3, 4);
        let mut counts = [0_u32; 3];
        for _ in 0..10_000 {
            counts[rng.pick_cumulative(&[1.0, 1.0, 4.0]).unwrap()] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((f64::from(counts[2]) / 10_000.0 - 0.75).abs() < 0.02);
        assert_eq!(rng.pick_cumulative(&[0.0, 0.0]), None);
        assert_eq!(rng.pick_cumulative(&[]), None);
    }
}
