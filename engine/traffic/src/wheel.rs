//! Timing wheel over the inputs of nodes: which heads of queues may be able to move in which tick.
//!
//! A row per tick of the next [`ROWS`], a bit per input (the in-links of a node, then its origin queues), a
//! byte or more per node. 64 words of bits make a chunk; a summary word per row and chunk names the
//! words that are not empty, so a sleeping chunk costs one load a tick. What lies further ahead than the
//! wheel is armed for its last row and looks again then.
//!
//! Contract: arming only sets bits in rows of later ticks, which commutes; the row of a tick is read by
//! the owner of the chunk alone. So any interleaving gives the same rows after the tick.

use crate::time::{Time, tick_of};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Rows of the wheel; a power of two.
const ROWS: u32 = 128;
/// Longest window: chunks may be so many ticks apart from each other.
pub(crate) const WINDOW_TICKS: u32 = 32;
/// Ticks that can be armed ahead, by whichever chunk, without meeting a row that is still in use.
pub(crate) const REACH: u32 = ROWS - WINDOW_TICKS;
/// Words of a chunk: as many as one summary word has bits.
pub(crate) const CHUNK_WORDS: usize = 16;
/// Inputs of a chunk.
pub(crate) const CHUNK_INPUTS: u32 = CHUNK_WORDS as u32 * 64;

#[derive(Debug)]
pub(crate) struct Wheel {
    chunks: usize,
    bits: Vec<AtomicU64>,
    summary: Vec<AtomicU64>,
}

impl Wheel {
    pub(crate) fn new(chunks: usize) -> Self {
        let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self { chunks, bits: zeros(ROWS as usize * chunks * CHUNK_WORDS), summary: zeros(ROWS as usize * chunks) }
    }

    /// Sets `mask` in the byte of inputs that holds bit `input & !7`, in the row of `time` or the last in
    /// reach. `SHARED` says whether other threads arm now.
    #[inline]
    pub(crate) fn arm<const SHARED: bool>(&self, input: u32, mask: u64, time: Time, now: u32) {
        let row = ((now + tick_of(time).saturating_sub(now).min(REACH)) % ROWS) as usize;
        let word = input as usize / 64;
        let mask = mask << (input % 64);
        let cell = &self.bits[row * self.chunks * CHUNK_WORDS + word];
        let old = if SHARED {
            cell.fetch_or(mask, Relaxed)
        } else {
            let old = cell.load(Relaxed);
            cell.store(old | mask, Relaxed);
            old
        };
        if old == 0 {
            let cell = &self.summary[row * self.chunks + word / CHUNK_WORDS];
            let bit = 1 << (word % CHUNK_WORDS);
            if SHARED {
                cell.fetch_or(bit, Relaxed);
            } else {
                cell.store(cell.load(Relaxed) | bit, Relaxed);
            }
        }
    }

    /// Whether anything in the chunk is awake at the tick.
    #[inline]
    pub(crate) fn is_awake(&self, chunk: usize, now: u32) -> bool {
        self.summary[(now % ROWS) as usize * self.chunks + chunk].load(Relaxed) != 0
    }

    /// Moves the chunk's row of the tick into `awake`; returns which words are not zero.
    #[inline]
    pub(crate) fn take(&self, chunk: usize, now: u32, awake: &mut [u64; CHUNK_WORDS]) -> u64 {
        let row = (now % ROWS) as usize;
        let cell = &self.summary[row * self.chunks + chunk];
        let words = cell.load(Relaxed);
        cell.store(0, Relaxed);
        let base = (row * self.chunks + chunk) * CHUNK_WORDS;
        let mut rest = words;
        while rest != 0 {
            let word = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            awake[word] = self.bits[base + word].load(Relaxed);
            self.bits[base + word].store(0, Relaxed);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::TICK;

    #[test]
    fn wakes_when_armed_and_once() {
        let wheel = Wheel::new(2);
        let mut awake = [0; CHUNK_WORDS];
        wheel.arm::<true>(CHUNK_INPUTS + 64 * 3 + 5, 1, 130 * TICK + 7, 100);
        wheel.arm::<false>(CHUNK_INPUTS + 64 * 3 + 8, 0b11, 130 * TICK, 100);
        assert!(!wheel.is_awake(0, 130) && wheel.is_awake(1, 130) && !wheel.is_awake(1, 129));
        assert_eq!(wheel.take(1, 130, &mut awake), 1 << 3);
        assert_eq!(awake[3], 1 << 5 | 0b11 << 8);
        assert!(!wheel.is_awake(1, 130) && wheel.take(1, 130, &mut awake) == 0);
    }

    #[test]
    fn far_events_are_armed_for_the_last_row() {
        let wheel = Wheel::new(1);
        wheel.arm::<true>(0, 1, 100_000 * TICK, 10);
        assert!(wheel.is_awake(0, 10 + REACH));
    }
}
