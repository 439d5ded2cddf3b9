//! What meters the ends of links: gates, and the terms that gates of a chunk share.
//!
//! A [`Gate`] meters a capacity in 32.16 fixed point: the remainder of a headway is carried on, so a
//! saturated flow is exact in the long run. Capacity, priority and signal of an end are its [`Terms`].
//! Neighbouring ends have few distinct ones, so a chunk lists each once and a gate keeps its row.

use crate::time::{NEVER, TICK, Time};

/// Quarters of a passenger car that one car counts for.
pub(crate) const CAR_QUARTERS: u32 = 4;

/// No signal.
pub(crate) const UNSIGNALLED: u32 = u32::MAX;

/// Fraction bits of moments and headways here.
const FRACTION: u32 = 16;

/// Meters one capacity: vehicles pass a headway apart. In one word, when the next vehicle may pass and, in the
/// lower 16 bits, the row of its terms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate(u64);

/// What binds those who pass one end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Inverse capacity.
    headway: u64,
    /// Service units of one crossing (see the node model).
    pub(crate) tag_step: u32,
    /// Signal group that is obeyed, or [`UNSIGNALLED`].
    pub(crate) signal: u32,
}

impl Terms {
    pub(crate) fn new(capacity_vps: f64, tag_step: u32) -> Self {
        let mut terms = Self { headway: 0, tag_step, signal: UNSIGNALLED };
        terms.set_capacity(capacity_vps);
        terms
    }
    pub(crate) fn set_capacity(&mut self, capacity_vps: f64) {
        // Saturates at 2^32 and takes at least the smallest step there is.
        let headway = (f64::from(TICK) / capacity_vps * f64::from(1 << FRACTION)).round() as u64;
        self.headway = headway.clamp(1, (1 << 47) - 1);
    }
    fn headway_floor(&self) -> Time {
        (self.headway >> FRACTION) as Time
    }
    /// Half the headway of a vehicle of so many quarters of a car.
    pub(crate) fn half_headway(&self, quarters: u32) -> Time {
        (u64::from(self.headway_floor()) * u64::from(quarters) / u64::from(2 * CAR_QUARTERS)) as Time
    }
}

impl Gate {
    #[inline]
    fn terms(self) -> u16 {
        self.0 as u16
    }
    fn set_terms(&mut self, terms: u16) {
        self.0 = self.0 >> FRACTION << FRACTION | u64::from(terms);
    }
    /// When the next vehicle may pass; [`NEVER`] when closed.
    #[inline]
    pub(crate) fn opens(self) -> Time {
        (self.0 >> (2 * FRACTION)) as Time
    }
    fn set_next(&mut self, next: Time) {
        self.0 = u64::from(next) << (2 * FRACTION) | u64::from(self.terms());
    }
    /// About when a car passed last; `None` when none did, or closed.
    pub(crate) fn last_pass(self, terms: &Terms) -> Option<Time> {
        let (next, headway) = (self.opens(), terms.headway_floor());
        (next != NEVER && next >= headway).then(|| next - headway)
    }
    /// Books a vehicle of so many quarters of a car that passes at `at` but `could` have passed earlier,
    /// had it not been held up by another's queue. Capacity lost that way is carried over, up to `held`
    /// headways; capacity left idle for whatever reason up to `idle` headways.
    #[inline]
    pub(crate) fn pass(&mut self, terms: &Terms, could: Time, at: Time, (held, idle): (u32, u32), quarters: u32) {
        let at = u64::from(at) << FRACTION;
        let kept = |headways: u32| at.saturating_sub(terms.headway * u64::from(headways));
        let base = (u64::from(could) << FRACTION).max(kept(held)).min(kept(idle));
        let taken = terms.headway * u64::from(quarters) / u64::from(CAR_QUARTERS);
        let next = ((self.0 >> FRACTION).max(base) + taken).min((1 << 48) - 1);
        self.0 = next << FRACTION | u64::from(self.terms());
    }
    /// Lets nobody pass.
    pub(crate) fn close(&mut self) {
        self.set_next(NEVER);
    }
    /// Lets vehicles pass from `now` on if it is closed.
    pub(crate) fn open(&mut self, now: Time) {
        if self.opens() == NEVER {
            self.set_next(now);
        }
    }
}

/// Distinct terms of a chunk's gates.
#[derive(Clone, Debug, Default)]
pub(crate) struct TermsTable(Vec<Terms>);

impl TermsTable {
    #[inline]
    pub(crate) fn of(&self, gate: Gate) -> &Terms {
        &self.0[usize::from(gate.terms())]
    }
    /// A new gate with some terms.
    pub(crate) fn gate(&mut self, terms: Terms) -> Gate {
        Gate(u64::from(self.row_of(terms)))
    }
    /// Makes a gate follow other terms.
    pub(crate) fn follow(&mut self, gate: &mut Gate, terms: Terms) {
        gate.set_terms(self.row_of(terms));
    }
    /// The row of some terms, which is added if there is none.
    fn row_of(&mut self, terms: Terms) -> u16 {
        let row = self.0.iter().position(|&known| known == terms).unwrap_or(self.0.len());
        if row == self.0.len() {
            self.0.push(terms);
        }
        u16::try_from(row).expect("a chunk has fewer gates than rows, and renews its table in time")
    }
    /// Keeps those rows alone that gates follow.
    pub(crate) fn renew<'a>(&mut self, gates: impl Iterator<Item = &'a mut Gate>) {
        let old = std::mem::take(self);
        for gate in gates {
            self.follow(gate, *old.of(*gate));
        }
    }
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::to_seconds;

    fn gate() -> Gate {
        Gate(0)
    }
    fn terms(capacity_vps: f64) -> Terms {
        Terms::new(capacity_vps, 1)
    }

    #[test]
    fn saturated_flow_does_not_drift() {
        for capacity in [0.3, 1.0 / 3.0, 0.5, 0.7, 1.1, 2.0 / 3.0] {
            let (mut gate, terms) = (gate(), terms(capacity));
            let vehicles = 100_000;
            for _ in 0..vehicles {
                gate.pass(&terms, 0, gate.opens(), (1, 0), CAR_QUARTERS);
            }
            assert!((to_seconds(gate.opens()) * capacity - f64::from(vehicles)).abs() < 0.01, "{capacity}");
        }
    }

    #[test]
    fn idle_gates_earn_nothing_but_held_up_vehicles_do() {
        let opens = |could: Time, held: u32, idle: u32| {
            let mut gate = gate();
            gate.pass(&terms(0.5), could * TICK, 10 * TICK, (held, idle), CAR_QUARTERS);
            gate.opens()
        };
        assert_eq!(opens(10, 1, 0), 12 * TICK);
        assert_eq!(opens(9, 1, 0), 11 * TICK);
        assert_eq!(opens(0, 1, 0), 10 * TICK);
        assert_eq!(opens(10, 0, 2), 8 * TICK);
    }

    #[test]
    fn gates_close_and_reopen() {
        let mut gate = gate();
        gate.close();
        assert_eq!(gate.opens(), NEVER);
        gate.open(5 * TICK);
        gate.open(7 * TICK);
        assert_eq!(gate.opens(), 5 * TICK);
    }

    #[test]
    fn terms_are_kept_once() {
        let mut table = TermsTable::default();
        let mut gates: Vec<Gate> = [0.5, 0.7, 0.5, 0.9].iter().map(|&capacity| table.gate(terms(capacity))).collect();
        assert_eq!((table.len(), gates[0].terms(), gates[2].terms()), (3, 0, 0));
        gates.remove(1);
        table.renew(gates.iter_mut());
        assert_eq!((table.len(), *table.of(gates[2])), (2, terms(0.9)));
    }
}
