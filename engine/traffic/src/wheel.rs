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
use prefetch_index::prefetch_index;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::Relaxed};

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
    /// Words of a row of a chunk, row after row, chunk after chunk: what a chunk reads and arms in a window
    /// lies together.
    bits: Vec<AtomicU64>,
    /// Which of them are not zero.
    summary: Vec<AtomicU16>,
}

impl Wheel {
    pub(crate) fn new(chunks: usize) -> Self {
        let rows = ROWS as usize * chunks;
        Self {
            bits: (0..rows * CHUNK_WORDS).map(|_| AtomicU64::new(0)).collect(),
            summary: (0..rows).map(|_| AtomicU16::new(0)).collect(),
        }
    }

    #[inline]
    fn row(chunk: usize, tick: u32) -> usize {
        chunk * ROWS as usize + (tick % ROWS) as usize
    }

    /// Sets `mask` in the byte of inputs that holds bit `input & !7`, in the row of `time` or the last in
    /// reach. `SHARED` says whether other threads arm now.
    #[inline]
    pub(crate) fn arm<const SHARED: bool>(&self, input: u32, mask: u64, time: Time, now: u32) {
        let word = input as usize / 64;
        let row = Self::row(word / CHUNK_WORDS, now + tick_of(time).saturating_sub(now).min(REACH));
        let word = word % CHUNK_WORDS;
        let mask = mask << (input % 64);
        let cell = &self.bits[row * CHUNK_WORDS + word];
        let old = if SHARED {
            cell.fetch_or(mask, Relaxed)
        } else {
            let old = cell.load(Relaxed);
            cell.store(old | mask, Relaxed);
            old
        };
        if old == 0 {
            let cell = &self.summary[row];
            let bit = 1 << word;
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
        self.summary[Self::row(chunk, now)].load(Relaxed) != 0
    }

    /// Loads into the cache, without waiting, what arming an input for a tick will change.
    #[inline]
    pub(crate) fn prefetch(&self, input: u32, tick: u32) {
        let word = input as usize / 64;
        let row = Self::row(word / CHUNK_WORDS, tick);
        prefetch_index(&self.bits, row * CHUNK_WORDS + word % CHUNK_WORDS);
    }

    /// Inputs of the chunk that are armed for a tick so far, counted from its first.
    #[inline]
    pub(crate) fn armed(&self, chunk: usize, tick: u32, mut each: impl FnMut(usize)) {
        let row = Self::row(chunk, tick);
        let mut words = self.summary[row].load(Relaxed);
        while words != 0 {
            let word = words.trailing_zeros() as usize;
            words &= words - 1;
            let mut bits = self.bits[row * CHUNK_WORDS + word].load(Relaxed);
            while bits != 0 {
                each(word * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
    }

    /// Moves the chunk's row of the tick into `awake`; returns which words are not zero.
    #[inline]
    pub(crate) fn take(&self, chunk: usize, now: u32, awake: &mut [u64; CHUNK_WORDS]) -> u16 {
        let row = Self::row(chunk, now);
        let cell = &self.summary[row];
        let words = cell.load(Relaxed);
        cell.store(0, Relaxed);
        let base = row * CHUNK_WORDS;
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
