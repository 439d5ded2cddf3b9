//! Rows by outside id, for files with millions of references.
//!
//! Ids that are whole numbers without leading zeros lie in a dense table; all others, and numbers that
//! would make the table sparse, in a hash table with linear probing and a fixed hash. An id is its text:
//! `7` and `07` differ.
//!
//! Contract: only ever looked up, never walked, so no result depends on the order of the hash.

use urbis_core::CarLinkIx;

/// No row.
pub(crate) const NO_ROW: u32 = u32::MAX;

/// Slots of a dense table for each id, at most.
const SPARSEST: u64 = 8;

/// Rows by id.
#[derive(Clone, Debug, Default)]
pub struct IdIndex {
    /// Row of each number, or [`NO_ROW`].
    dense: Vec<u32>,
    /// Rows of the others by hash; a power of two, at most half full.
    slots: Vec<u32>,
    /// The others' bytes, end to end, with the row and range of each.
    bytes: Vec<u8>,
    others: Vec<(u32, u32, u32)>,
}

/// A whole number as people and programs write it, without sign, leading zeros or anything else.
#[inline]
pub(crate) fn whole_number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 || (text[0] == b'0' && text.len() > 1) {
        return None;
    }
    text.iter().try_fold(0_u64, |number, &byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u64::from(digit))
    })
}

/// FNV-1a with a final mix (Fowler, Noll and Vo).
#[inline]
fn hash(text: &[u8]) -> u64 {
    let of =
        text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, &byte| (h ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    of ^ (of >> 29)
}

impl IdIndex {
    /// An index of ids in order of their rows. Where an id occurs twice, the first row counts.
    pub fn new<T: AsRef<str>>(ids: &[T]) -> Self {
        let room = (ids.len() as u64 + 64) * SPARSEST;
        let number = |id: &T| whole_number(id.as_ref().as_bytes()).filter(|&number| number < room);
        let highest = ids.iter().filter_map(number).max();
        let mut index = Self { dense: vec![NO_ROW; highest.map_or(0, |n| n as usize + 1)], ..Self::default() };
        let others = ids.iter().filter(|id| number(id).is_none()).count();
        index.slots = vec![NO_ROW; if others == 0 { 0 } else { (others * 2).next_power_of_two() }];
        for (row, id) in ids.iter().enumerate() {
            let row = row as u32;
            if let Some(number) = number(id) {
                let slot = &mut index.dense[number as usize];
                *slot = (*slot).min(row);
                continue;
            }
            let text = id.as_ref().as_bytes();
            let mut at = hash(text) as usize & (index.slots.len() - 1);
            while index.slots[at] != NO_ROW && index.other(index.slots[at]).1 != text {
                at = (at + 1) & (index.slots.len() - 1);
            }
            if index.slots[at] == NO_ROW {
                index.slots[at] = index.others.len() as u32;
                let start = index.bytes.len() as u32;
                index.bytes.extend_from_slice(text);
                index.others.push((row, start, index.bytes.len() as u32));
            }
        }
        index
    }

    fn other(&self, nth: u32) -> (u32, &[u8]) {
        let (row, start, end) = self.others[nth as usize];
        (row, &self.bytes[start as usize..end as usize])
    }

    /// The row of an id.
    #[inline]
    pub fn get(&self, text: &[u8]) -> Option<u32> {
        if let Some(number) = whole_number(text)
            && let Some(&row) = self.dense.get(number as usize)
            && row != NO_ROW
        {
            return Some(row);
        }
        self.get_other(text)
    }

    fn get_other(&self, text: &[u8]) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let mut at = hash(text) as usize & (self.slots.len() - 1);
        while self.slots[at] != NO_ROW {
            let (row, known) = self.other(self.slots[at]);
            if known == text {
                return Some(row);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        None
    }

    /// The row of an id that came as a number.
    pub fn get_number(&self, number: i64) -> Option<u32> {
        let dense = usize::try_from(number).ok().and_then(|at| self.dense.get(at)).copied();
        dense.filter(|&row| row != NO_ROW).or_else(|| self.get_other(number.to_string().as_bytes()))
    }

    /// Appends the rows of ids separated by blanks. The first id that is not known is the error; what
    /// comes after it is not looked at.
    pub(crate) fn extend_rows<'a>(&self, text: &'a [u8], rows: &mut Vec<CarLinkIx>) -> Result<(), &'a [u8]> {
        let mut at = 0;
        while at < text.len() {
            if text[at] <= b' ' {
                at += 1;
                continue;
            }
            let start = at;
            let (mut number, mut is_plain) = (0_u64, true);
            while at < text.len() && text[at] > b' ' {
                let digit = text[at].wrapping_sub(b'0');
                is_plain &= digit < 10;
                number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
                at += 1;
            }
            let id = &text[start..at];
            let is_canonical = is_plain && id.len() <= 18 && (id[0] != b'0' || id.len() == 1);
            let dense = if is_canonical { self.dense.get(number as usize).copied() } else { None };
            let row = match dense {
                Some(row) if row != NO_ROW => row,
                _ => self.get_other(id).ok_or(id)?,
            };
            rows.push(CarLinkIx(row));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn an_id_is_its_text() {
        let index = IdIndex::new(&["7", "07", "a", "", "90000000", "7", "-3"]);
        let rows = ["7", "07", "a", "", "90000000", "-3", "8", "+7", "b"].map(|id| index.get(id.as_bytes()));
        assert_eq!(rows, [Some(0), Some(1), Some(2), Some(3), Some(4), Some(6), None, None, None]);
        assert_eq!([7, -3, 90_000_000, 8].map(|id| index.get_number(id)), [Some(0), Some(6), Some(4), None]);
        let mut rows = Vec::new();
        assert_eq!(index.extend_rows(b" 7  a\t90000000 ", &mut rows), Ok(()));
        assert_eq!(rows, [0, 2, 4].map(CarLinkIx));
        assert_eq!(index.extend_rows(b"7 x 7", &mut rows), Err(&b"x"[..]));
        assert_eq!(IdIndex::new::<&str>(&[]).get(b"1"), None);
    }

    proptest! {
        #[test]
        fn as_a_map_says(ids in prop::collection::vec("[0-9]{1,4}|[a-c]{0,3}|[0-9]{15,20}", 0..60), asked in "[0-9a-c]{0,4}") {
            let index = IdIndex::new(&ids);
            let mut map = BTreeMap::new();
            for (row, id) in ids.iter().enumerate() {
                map.entry(id.clone()).or_insert(row as u32);
            }
            for id in ids.iter().chain([&asked]) {
                prop_assert_eq!(index.get(id.as_bytes()), map.get(id).copied());
            }
        }
    }
}
