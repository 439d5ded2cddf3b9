//! Who needs whom: a graph of things that work or fail, as columns without names of the world.
//!
//! A node works while it is not broken itself and its needs are met, or its buffer lasts. Its needs are met when all, or at
//! least one, of its suppliers work; who has no suppliers needs nothing. A buffer (battery, tank) of `buffer_s` seconds
//! is full at the start; it goes down while needs are not met, also of a node that is broken, as what it feeds goes on drawing,
//! and comes up while they are met, from empty to full in `recharge_s` seconds. Needs of several kinds at once are
//! those of a node that needs all of some nodes that each need one of theirs.
//!
//! Rings may be: a ring without buffers that is down stays so when the break is repaired, as each waits for the other. That is
//! what plants without a black start do.

use urbis_core::csr::Csr;

/// No row.
pub const NONE: u32 = u32::MAX;

/// Nodes and their needs; columns by node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dependencies {
    /// Number of its kind, which sums are told by.
    pub kind: Vec<u16>,
    /// Suppliers.
    pub needs: Csr<u32>,
    /// Whether one of them is enough; otherwise all have to work.
    pub is_any: Vec<bool>,
    /// Time that it works on without them, seconds.
    pub buffer_s: Vec<u32>,
    /// Time in which an empty buffer fills, seconds; less than one counts as one.
    pub recharge_s: Vec<u32>,
    /// Row of [`Customers`] that it serves; [`NONE`] for none.
    pub place: Vec<u32>,
}

impl Dependencies {
    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kind.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kind.is_empty()
    }
    /// Who needs a node: suppliers turned round.
    #[must_use]
    pub fn dependents(&self) -> Csr<u32> {
        let of = |node: usize| self.needs.row(node).iter().map(move |&supplier| (supplier, node as u32));
        let pairs: Vec<(u32, u32)> = (0..self.len()).flat_map(of).collect();
        Csr::from_pairs(self.len(), &pairs)
    }
}

/// How many people are where, by slot of time; the last slot lasts on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customers {
    /// Length of a slot, seconds, at least one.
    pub slot_s: u32,
    /// Places.
    pub places: usize,
    /// Persons, slot after slot. Shape: slots times places.
    pub persons: Vec<u32>,
}

impl Customers {
    /// The same people at all times.
    #[must_use]
    pub fn constant(persons: Vec<u32>) -> Self {
        Self { slot_s: u32::MAX, places: persons.len(), persons }
    }
    /// Number of slots.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.persons.len().checked_div(self.places).unwrap_or(0)
    }
    /// People at a place in a slot; none at [`NONE`].
    #[must_use]
    pub fn at(&self, place: u32, slot: usize) -> u32 {
        if place == NONE || self.places == 0 { 0 } else { self.persons[slot * self.places + place as usize] }
    }
    /// Slots that a span of time touches, each with the part of the span in it.
    pub fn slots_of(&self, from_s: u32, until_s: u32) -> impl Iterator<Item = (usize, u32, u32)> + use<> {
        let (slot_s, last) = (self.slot_s.max(1), self.slots().saturating_sub(1));
        let first = ((from_s / slot_s) as usize).min(last);
        (first..=last).map_while(move |slot| {
            let start_s = from_s.max(slot as u32 * slot_s);
            let end_s = if slot == last { until_s } else { until_s.min((slot as u32 + 1) * slot_s) };
            (start_s < end_s).then_some((slot, start_s, end_s))
        })
    }
}

/// People without service over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// When a value begins to hold, ascending from 0; the last is the end.
    pub time_s: Vec<u32>,
    /// People from then on.
    pub persons: Vec<u64>,
}

impl Steps {
    /// From changes at times, in any order, from 0 to an end.
    #[must_use]
    pub fn from_changes(mut changes: Vec<(u32, i64)>, end_s: u32) -> Self {
        changes.sort_unstable();
        let (mut this, mut now) = (Self { time_s: vec![0], persons: vec![0] }, 0_i64);
        for (time_s, change) in changes.into_iter().filter(|(time_s, _)| *time_s < end_s) {
            now += change;
            if this.time_s.last() != Some(&time_s) {
                this.time_s.push(time_s);
                this.persons.push(0);
            }
            let at = this.persons.len() - 1;
            this.persons[at] = now.unsigned_abs();
        }
        if end_s > 0 {
            this.time_s.push(end_s);
            this.persons.push(now.unsigned_abs());
        }
        this
    }
    /// Person seconds of the whole span.
    #[must_use]
    pub fn person_s(&self) -> u64 {
        let spans = self.time_s.windows(2).map(|pair| u64::from(pair[1] - pair[0]));
        spans.zip(&self.persons).map(|(seconds, persons)| seconds * persons).sum()
    }
    /// Most people at a time.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.persons.iter().copied().max().unwrap_or(0)
    }
    /// Person seconds in each interval of a length; the last one may be shorter.
    #[must_use]
    pub fn by_interval(&self, interval_s: u32) -> Vec<u64> {
        let end_s = self.time_s.last().copied().unwrap_or(0);
        let interval_s = interval_s.max(1);
        let mut sums = vec![0; end_s.div_ceil(interval_s) as usize];
        for (pair, persons) in self.time_s.windows(2).zip(&self.persons) {
            let mut from_s = pair[0];
            while from_s < pair[1] {
                let at = from_s / interval_s;
                let until_s = pair[1].min((at + 1).saturating_mul(interval_s));
                sums[at as usize] += persons * u64::from(until_s - from_s);
                from_s = until_s;
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_cut_at_slots() {
        let of = Customers { slot_s: 100, places: 2, persons: vec![1, 2, 3, 4] };
        assert_eq!((of.slots(), of.at(1, 1), of.at(NONE, 1)), (2, 4, 0));
        assert_eq!(of.slots_of(50, 250).collect::<Vec<_>>(), [(0, 50, 100), (1, 100, 250)]);
        assert_eq!(of.slots_of(150, 160).collect::<Vec<_>>(), [(1, 150, 160)]);
        assert_eq!(of.slots_of(20, 20).count(), 0);
        let of = Customers::constant(vec![7]);
        assert_eq!(of.slots_of(5, u32::MAX).collect::<Vec<_>>(), [(0, 5, u32::MAX)]);
    }

    #[test]
    fn steps_sum_up_changes() {
        let of = Steps::from_changes(vec![(120, -5), (30, 5), (60, 2), (150, -2), (500, 9)], 200);
        assert_eq!((&of.time_s[..], &of.persons[..]), (&[0, 30, 60, 120, 150, 200][..], &[0, 5, 7, 2, 0, 0][..]));
        assert_eq!((of.person_s(), of.most()), (5 * 30 + 7 * 60 + 2 * 30, 7));
        assert_eq!(of.by_interval(60), [150, 420, 60, 0]);
        assert_eq!(of.by_interval(60).iter().sum::<u64>(), of.person_s());
        assert_eq!(Steps::from_changes(Vec::new(), 60).by_interval(60), [0]);
    }

    #[test]
    fn dependents_turn_needs_round() {
        let needs = Csr::from_pairs(3, &[(1, 0), (2, 0), (2, 1)]);
        let of = Dependencies { kind: vec![0; 3], needs, ..Dependencies::default() };
        let back = of.dependents();
        assert_eq!((back.row(0), back.row(1), back.row(2)), (&[1, 2][..], &[2][..], &[][..]));
    }
}
